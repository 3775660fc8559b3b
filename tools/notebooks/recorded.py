"""The notebooks of examples/notebooks, run from top to bottom with nextoken, cells of its own included: held
against the outputs that are in them, or with those written anew.

    PYTHONPATH=build/release/python python tools/notebooks/recorded.py [--record] [NOTEBOOK...]

Needs nbclient, ipykernel and pandas, and neither torch nor transformers."""

import argparse
import os
import pathlib
import sys

import nbclient
import nbformat

import outputs

NOTEBOOKS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "notebooks"


def executed(path):
    """The notebook at path with what its cells show now. A cell that raises ends the run with CellExecutionError."""
    book = nbformat.read(path, as_version=4)
    env = os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "100", "NO_COLOR": "1"}
    client = nbclient.NotebookClient(book, timeout=1200, kernel_name="python3", record_timing=False,
                                     extra_arguments=["--log-level=ERROR"])
    client.execute(env=env, cwd=str(path.parent))
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = in_pieces(cell.outputs)
    return book


def in_pieces(shown):
    """Outputs without standard error, and with what was printed in a row as one."""
    kept = []
    for output in shown:
        if output.get("name") == "stderr":
            continue
        if output.output_type == "stream" and kept and kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def stale(path):
    """One line for each cell that shows something else than what is in the notebook."""
    book, now = nbformat.read(path, as_version=4), executed(path)
    found = []
    for i, (kept, made) in enumerate(zip(book.cells, now.cells)):
        if kept.cell_type == "code":
            found += [f"{path.name}, cell {i}: {line}" for line in outputs.differences(kept.outputs, made.outputs)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    parser.add_argument("--record", action="store_true", help="write what the cells show now into the notebooks")
    args = parser.parse_args()
    wrong = 0
    for path in args.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        if args.record:
            path.write_text(nbformat.writes(executed(path)) + "\n", encoding="utf-8")
            print(f"{path.name}: {path.stat().st_size // 1024} KiB", flush=True)
            continue
        lines = stale(path.absolute())
        wrong += len(lines)
        print("\n".join(lines) or f"{path.name}: as it was recorded", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
