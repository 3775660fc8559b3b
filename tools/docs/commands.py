"""Runs the commands that documents show, and puts what they print below them.

    python3 tools/docs/commands.py [--check] BUILD_FOLDER FILE...

In a block fenced as ```console each line that begins with "$ nextoken" is run, with standard output and
standard error together, and the lines below it, up to the next command or the end of the block, are
replaced. --check changes nothing and fails where a document shows something else. The model is the
checkpoint "words" of tests/cli/models.json (seeded random weights, GPT-2's vocabulary). What differs from
machine to machine, durations and the instruction set, is left out."""

import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

VARIABLE = re.compile(r' · [\d.,]+ m?s$| · (?:ref|avx2|avx512|neon)(?= ·|$)|"isa":"\w+",', re.M)
PROMPT = "$ nextoken"


def run(build, command):
    """What the command prints, in a folder that holds nothing but the model."""
    bench = harness.Bench(str(build))
    model = bench.model("words")
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "COLUMNS": "100",
           "NEXTOKEN_MODEL": model.name, "NO_COLOR": "1"}
    words = shlex.split(command[2:])
    done = subprocess.run([str(build / "nextoken"), *words[1:]], cwd=model.parent, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return VARIABLE.sub("", done.stdout.decode()).rstrip("\n")


def filled(text, build):
    """The document with the commands' output as it is now."""
    out, inside, skipping = [], False, False
    for line in text.split("\n"):
        if line.startswith("```"):
            inside, skipping = line == "```console", False
        elif inside and line.startswith(PROMPT):
            out.append(line)
            out.extend(run(build, line).split("\n"))
            skipping = True
            continue
        if not skipping:
            out.append(line)
    return "\n".join(out)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check, build, stale = "--check" in sys.argv, pathlib.Path(arguments[0]).resolve(), False
    for name in arguments[1:]:
        path = pathlib.Path(name)
        before = path.read_text(encoding="utf-8")
        after = filled(before, build)
        if before == after:
            continue
        if not check:
            path.write_text(after, encoding="utf-8")
            print(f"{name}: written")
            continue
        stale = True
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True),
                                                   f"{name} as it is", f"{name} as the program prints"))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
