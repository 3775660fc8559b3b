"""Runs the code of notebooks, scripts in cells and printed notebooks by one system, and writes what each cell
showed as JSON.

    python tools/notebooks/run.py SYSTEM PATH... [--build build/release] [--models tales,gpt2] [-o FILE]

SYSTEM is transformers, nextoken (both with torch) or bare (nextoken alone). PATH is an .ipynb, .py or .txt file, or
a folder of such. Notebooks whose first cell says MODEL = "tales" run once for each of --models. Cells tagged
"nextoken" are left out: they show what transformers cannot do."""

import argparse
import json
import pathlib
import re
import sys
import tempfile

import cache
import cells
import kernel

MODEL = re.compile(r'(?m)^MODEL = "[^"]*"')
KINDS = (".ipynb", ".py", ".txt")


def files_of(paths):
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.suffix in KINDS)
        else:
            yield path


def jobs_of(paths, models):
    """[(name, cells)]: each file, once for each model where it lets one choose."""
    jobs = []
    for path in files_of(paths):
        source = [c for c in cells.read(path) if cells.OWN not in c["tags"]]
        if any(MODEL.search(c["source"]) for c in source):
            for model in models:
                jobs.append((f"{path.name} with {model}",
                             [c | {"source": MODEL.sub(f'MODEL = "{model}"', c["source"])} for c in source]))
        else:
            jobs.append((path.name, source))
    return jobs


def run_all(system, jobs, build, seed=0, say=lambda line: None):
    """{name: what kernel.Kernel.run gives}"""
    done = {}
    with tempfile.TemporaryDirectory() as empty:
        folder = cache.make(build.absolute() / "notebooks" / "hub", build / "tools" / "mkmodel")
        with kernel.Kernel(system, folder, build.absolute() / "python", empty) as running:
            for name, source in jobs:
                done[name] = running.run(source, seed)
                say(f"{system}: {name}: {len(source)} cells, {sum(c['seconds'] for c in done[name]):.1f} s")
    return done


def arguments(parser):
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--models", default="tales", help="with commas between them")
    parser.add_argument("--seed", type=int, default=0, help="torch.manual_seed before the first cell")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=kernel.LEFT_OUT)
    arguments(parser)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    args = parser.parse_args()
    done = run_all(args.system, jobs_of(args.paths, args.models.split(",")), args.build, args.seed,
                   lambda line: print(line, file=sys.stderr, flush=True))
    text = json.dumps(done, indent=1, ensure_ascii=False)
    args.output.write_text(text) if args.output else print(text)


if __name__ == "__main__":
    main()
