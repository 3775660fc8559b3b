"""Runs the commands that documents show, and puts what they print below them.

    python3 tools/docs/commands.py [--check] BUILD_FOLDER FILE...

In a block fenced as ```console each line that begins with "$ nextoken" is run, with standard output and
standard error together, and the lines below it, up to the next command or the end of the block, are
replaced. A line "<!-- $ nextoken ... --svg FILE ... -->" draws FILE, a path from the document's folder.
--check changes nothing and fails where a document or a picture shows something else.

README.md shows the model that is built in; what the program notes about it stands once, below the first
command. Other documents show the checkpoint "words" of tests/cli/models.json (seeded random weights,
GPT-2's vocabulary). What differs from machine to machine, durations and the instruction set, is left out."""

import difflib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

VARIABLE = re.compile(r'(?: · |^)[\d.,]+ m?s$| · (?:ref|avx2|avx512|neon)(?= ·|$)|"isa":"\w+",', re.M)
PROMPT = "$ nextoken"
PICTURE = re.compile(r"<!-- \$ (nextoken .*) -->")
SPEAKER = re.compile(r"nextoken: note: tales: .*\n")


def make_digits(folder):
    """A tokenizer with GPT-2's vocabulary that takes digits one by one."""
    gpt2 = ROOT / "models" / "gpt2"
    merges = (gpt2 / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
    alone = {"type": "Digits", "individual_digits": True}
    words = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "vocab": json.loads((gpt2 / "vocab.json").read_text(encoding="utf-8")),
             "merges": [m for m in merges if m]}
    folder.mkdir(exist_ok=True)
    text = json.dumps({"version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None,
                       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [alone, words]},
                       "decoder": words, "model": model})
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


class Document:
    """A document, and the commands in it as they run now."""

    def __init__(self, path, build):
        self.path, self.build = path, build
        model = harness.Bench(str(build)).model("words")
        self.folder = model.parent  # holds nothing but models
        self.env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                    "COLUMNS": "100", "NO_COLOR": "1"}
        self.readme, self.told = path.name == "README.md", False
        if self.readme:
            make_digits(self.folder / "digits")
            self.env["COLUMNS"] = "90"
        else:
            self.env["NEXTOKEN_MODEL"] = model.name

    def run(self, words, **streams):
        return subprocess.run([str(self.build / "nextoken"), *words[1:]], cwd=self.folder, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                              timeout=300, **streams)

    def printed(self, command):
        """What the command prints."""
        done = self.run(shlex.split(command[2:]), stderr=subprocess.STDOUT)
        text, n = VARIABLE.sub("", done.stdout.decode()), 0
        if self.told:
            text, n = SPEAKER.subn("", text)
        self.told |= n > 0 or SPEAKER.search(text) is not None
        return text.rstrip("\n")

    def filled(self, text):
        """The document with the commands' output as it is now."""
        out, inside, skipping = [], False, False
        for line in text.split("\n"):
            if line.startswith("```"):
                inside, skipping = line == "```console", False
            elif inside and line.startswith(PROMPT):
                out.append(line)
                out.extend(self.printed(line).split("\n"))
                skipping = True
                continue
            if not skipping:
                out.append(line)
        return "\n".join(out)

    def pictures(self, text):
        """(path, what it holds now) of each."""
        for command in PICTURE.findall(text):
            words = shlex.split(command)
            at = words.index("--svg") + 1
            path, words[at] = self.path.parent / words[at], "-"
            done = self.run(words, stderr=subprocess.PIPE)
            if done.returncode:
                sys.exit(f"{command}: {done.stderr.decode()}")
            yield path, done.stdout.decode()


def update(path, now, check):
    """Puts the text into the file, or tells how they differ; whether they do."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if before == now:
        return False
    if check:
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), now.splitlines(True),
                                                   f"{path} as it is", f"{path} as the program has it"))
        return True
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(now, encoding="utf-8")
    print(f"{path}: written")
    return True


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check, build, stale = "--check" in sys.argv, pathlib.Path(arguments[0]).resolve(), False
    for name in arguments[1:]:
        document = Document(pathlib.Path(name).resolve(), build)
        text = document.path.read_text(encoding="utf-8")
        files = [(document.path, document.filled(text)), *document.pictures(text)]
        for path, now in files:
            stale |= update(path, now, check)
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
