"""What -h and --help list is what the command takes, and what it does not list belongs to the commands that an error names."""

import os
import re
import tempfile
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
LISTED = re.compile(r"^  (?:-(\w), |    )--([a-z][a-z0-9-]*)(?: ([^a-z\s]\S*|\S*\|\S*))?", re.MULTILINE)

# A value of each kind, by the name that the help gives it; others are in the help themselves: auto|f32.
VALUES = {"N": "3", "S": "2", "X": "0.5", "1,2,3": "1,2,3", "1,2": "1,2", "TEXT": "a", "TEXT...": "a", "FILE": "file", "FILE...": "file",
          "MODEL": "./none", "NAME": "a", "ID:X,...": "1:0.5", "START,FACTOR": "3,1.5",
          "WIDTH": "f16", "LAYER[.HEAD]": "0"}
OF_OPTIONS = {"by": "token", "arrays": "logits", "word-correction": "whitespace", "only": "decode", "bad-words-ids": "[[1]]",
              "sequence-bias": "[[[1], 0.5]]"}
# What an option goes with.
BESIDE = {"column": ["--csv=x"], "prompt-column": ["--column=a", "--csv=x"], "resume": ["--jsonl=x", "--output=y"],
          "arrays": ["--npz=z"], "trace": ["--json"], "window": ["--stride=2"], "position": ["--layers"],
          "arcs": ["--attention=0", "--svg=picture"], "skip-first": ["--attention=0"]}
WORDS = {"explain": ["top_p", "Alice"], "info": [], "bench": [], "convert": ["a", "b"], "pull": ["no-model"], "cache": ["list"],
         "detokenize": ["1"]}
WITHOUT_MODEL = ("convert", "pull", "cache")


def beside(command, option):
    """The rest of a command line on which the option makes sense; its model is not there."""
    words = WORDS.get(command, ["Alice"])
    if option in ("ids", "jsonl", "column", "prompt-column", "resume", "count"):
        words = ["top_p"] if command == "explain" else []
    if option == "markdown":
        words = []
    more = BESIDE.get(option, [])
    if command == "inspect" and option == "svg":
        more = ["--layers"]
    if command == "diff" and option != "against":
        more = [*more, "--against=./none"]
    model = [] if command in WITHOUT_MODEL or option in ("model", "markdown") else ["--model=./none"]
    return [*model, *more, *words]


class Help(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.commands = re.findall(r"^  ([a-z]+) {2,}\S", cls.run_it("-h")[1], re.MULTILINE)
        cls.listed = {c: LISTED.findall(cls.run_it(c, "--help")[1]) for c in cls.commands}

    @classmethod
    def run_it(cls, *args):
        done = BENCH.run(*args, env={"HF_HOME": cls.holder.name}, cwd=cls.holder.name)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_there_are_commands_and_options(self):
        self.assertGreaterEqual(len(self.commands), 15)
        self.assertGreater(len(self.listed["generate"]), 60)

    def test_one_screen(self):
        for command in self.commands:
            status, text, err = self.run_it(command, "-h")
            self.assertEqual((status, err), (0, ""), command)
            self.assertLessEqual(text.count("\n"), 24, command)
            self.assertLessEqual(max(map(len, text.splitlines())), 80, command)
            self.assertNotRegex(text, r"(?m)[ \t]$", command)
            short = [option for _, option, _ in LISTED.findall(text)]
            self.assertEqual(len(short), len(set(short)), command)
            self.assertLessEqual(set(short), {option for _, option, _ in self.listed[command]}, command)

    def test_what_is_listed_is_taken(self):
        for command in self.commands:
            for letter, option, kind in self.listed[command]:
                value = OF_OPTIONS.get(option) or VALUES.get(kind) or kind.split("|")[0]
                if not kind or kind[0] == "[":
                    value = None
                given = [f"--{option}" if value is None else f"--{option}={value}"]
                for way in (given, [f"-{letter}", *([] if value is None else [value])] if letter else given):
                    status, _, err = self.run_it(command, *way, *beside(command, option))
                    self.assertNotEqual(status, 2, (command, way, err))

    def test_what_is_not_listed_belongs_to_others(self):
        owners = {}
        for command in self.commands:
            for _, option, _ in self.listed[command]:
                owners.setdefault(option, []).append(command)
        for option, those in owners.items():
            for command in [c for c in self.commands if c not in those][:2]:
                status, _, err = self.run_it(command, f"--{option}", *beside(command, ""))
                self.assertEqual(status, 2, (command, option))
                self.assertIn(f"nextoken {command} has no option --{option}, which belongs to: {', '.join(those)}; ", err)


if __name__ == "__main__":
    unittest.main()
