"""Makes examples/gallery: one of each page and picture, of the model that is built in.

    python3 tools/docs/gallery.py [--check] BUILD_FOLDER

--check changes nothing and fails where a file shows something else than the program makes now. The instruction set, which
the JSON inside a page tells, may be another one: f32 gives the same bits on all."""

import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "examples" / "gallery"
ISA = re.compile(r'"isa":"\w+",')

# File, what it shows, the command behind "nextoken".
ENTRIES = [
    ("strip.html", "One step, from logits to the draw, with options that move",
     'next --temperature 0.8 --top-p 0.9 "Alice is a"'),
    ("next.svg", "The likeliest next tokens", 'next "Alice is a"'),
    ("steps.html", "The choices at every step, and what processors pushed out",
     'steps --max-new-tokens 10 --no-repeat-ngram-size 2 "The king said to the queen, and the queen"'),
    ("steps.svg", "The choices at every step", 'steps --max-new-tokens 8 "A long long time ago,"'),
    ("beams.html", "Five beams: what was kept, what was pruned and why",
     'generate --num-beams 5 --max-new-tokens 12 --no-repeat-ngram-size 3 "A long long time ago,"'),
    ("beams.svg", "Three beams", 'generate --num-beams 3 --max-new-tokens 6 "A long long time ago,"'),
    ("exact.html", "The provably likeliest continuation, and everything that was looked at",
     'generate --search exact --horizon 4 "Alice is a"'),
    ("heat.html", "How expected a text is, token by token and word by word",
     'score -k 5 --by token,word "The prince looked at the princess, and the princess looked at the spaceship."'),
    ("surprisal.svg", "Surprisal and entropy over a text",
     'score "The prince looked at the princess, and the princess looked at the spaceship."'),
    ("layers.html", "What each layer would have said, and where its heads look",
     'inspect --layers 5 --attention 2.all "Alice is a girl who fell down the rabbit hole."'),
    ("diff.html", "One text without and with a repetition penalty",
     'diff --repetition-penalty 1.3 "The king said to the queen that the king was a good king."'),
]


def made(build, name, command):
    kind = "--html" if name.endswith(".html") else "--svg"
    words = shlex.split(command)
    words[1:1] = ["-q", kind, "-"]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([str(build / "nextoken"), *words], capture_output=True, env=env, check=False)
    if done.returncode != 0:
        sys.exit(f"nextoken {command}: {done.stderr.decode()}")
    return done.stdout.decode()


def index():
    lines = ["# Gallery", "", "Pages and pictures of the model that is built in, each one file with nothing beside it. Pages are to be",
             "opened in a browser; `scripts/gallery` makes all of them anew.", "",
             "| file | shows | made by |", "|---|---|---|"]
    for name, shows, command in ENTRIES:
        kind = "--html" if name.endswith(".html") else "--svg"
        verb, rest = command.split(" ", 1)
        lines.append(f"| [{name}]({name}) | {shows} | `nextoken {verb} {kind} {name} {rest}` |")
    lines += [""] + [f"![{shows}]({name})" for name, shows, _ in ENTRIES if name.endswith(".svg")]
    return "\n".join(lines) + "\n"


def main():
    check = "--check" in sys.argv[1:]
    build = pathlib.Path(sys.argv[-1]).resolve()
    files = {name: made(build, name, command) for name, _, command in ENTRIES}
    files["README.md"] = index()
    if not check:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return
    stale = [path.name for path in FOLDER.iterdir() if path.name not in files]
    for name, text in files.items():
        path = FOLDER / name
        there = ISA.sub("", path.read_text(encoding="utf-8")) if path.exists() else ""
        if there != ISA.sub("", text):
            stale.append(name)
            lines = difflib.unified_diff(there.splitlines(), ISA.sub("", text).splitlines(), name, "now", n=0, lineterm="")
            print("\n".join(line[:200] for _, line in zip(range(8), lines)))
    if stale:
        sys.exit(f"examples/gallery: not what the program makes now: {', '.join(stale)}; run scripts/gallery")


if __name__ == "__main__":
    main()
