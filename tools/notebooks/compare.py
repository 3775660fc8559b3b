"""The same code under transformers with torch and under nextoken.transformers: runs each file by both and compares
what every cell printed, displayed and left in its variables. Ids, strings and tables must be equal, floats within
1e-4 (outputs.py). Exit status 1 where anything differs.

    python tools/notebooks/compare.py examples/notebooks tools/notebooks/scripts FOLDER_OF_PRINTED_NOTEBOOKS
        [--build build/release] [--models tales,gpt2,distilgpt2,gpt2-large] [--bare] [--times FILE]

--bare runs nextoken without torch too, which notebooks of examples/ allow; others are left out there.
Needs torch, transformers, pandas, nbclient and ipykernel; scripts/notebooks makes such an environment."""

import argparse
import json
import pathlib
import sys

import outputs
import run


def compare(name, theirs, ours):
    """(differences, values compared)"""
    found, count = [], 0
    for i, (a, b) in enumerate(zip(theirs, ours)):
        for line in outputs.differences(a["outputs"], b["outputs"]):
            found.append(f"{name}, cell {i}: {line}")
        common = [n for n in a["values"] if n in b["values"]]
        if missing := sorted(set(a["values"]) ^ set(b["values"])):
            found.append(f"{name}, cell {i}: variables in one alone: {', '.join(missing)}")
        for variable in common:
            if line := outputs.value_difference(a["values"][variable], b["values"][variable], variable):
                found.append(f"{name}, cell {i}: {line}")
        count += len(common) + sum(len(outputs.parts(text)[1]) + 1 for _, text in outputs.shown(a["outputs"]))
    return found, count


def failed(done):
    """Cells that raised, with their last line."""
    return [f"{name}, cell {i}: {o['ename']}: {o['evalue'].splitlines()[0] if o['evalue'] else ''}"
            for name, cells in done.items() for i, cell in enumerate(cells)
            for o in cell["outputs"] if o["output_type"] == "error"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run.arguments(parser)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--times", type=pathlib.Path, help="write seconds of each file and system here, as JSON")
    args = parser.parse_args()
    say = lambda line: print(line, file=sys.stderr, flush=True)
    jobs = run.jobs_of(args.paths, args.models.split(","))
    systems = ["nextoken", "bare"] if args.bare else ["nextoken"]
    theirs = run.run_all("transformers", jobs, args.build, args.seed, say)
    wrong, times = 0, {"transformers": theirs}
    for line in failed(theirs):
        print(f"raised under transformers: {line}")
    for system in systems:
        chosen = jobs if system != "bare" else [j for j in jobs if ".ipynb" in j[0]]
        ours = times[system] = run.run_all(system, chosen, args.build, args.seed, say)
        total = 0
        for name, _ in chosen:
            found, count = compare(name, theirs[name], ours[name])
            total += count
            wrong += len(found)
            for line in found:
                print(f"{system}: {line}")
        for line in failed(ours):
            print(f"raised under {system}: {line}")
        print(f"{system}: {len(chosen)} files, {sum(len(c) for _, c in chosen)} cells, {total} values compared with "
              f"transformers")
    if args.times:
        args.times.write_text(json.dumps({system: {name: [c["seconds"] for c in done] for name, done in runs.items()}
                                          for system, runs in times.items()}, indent=1))
    print(f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
