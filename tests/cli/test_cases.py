"""Command lines as data: every file of cases/ holds a list of them. Keys of a case:

args            the command line behind `nextoken`; {words}, {bare}, ... are models of models.json,
                {broken:NAME} a checkpoint of broken.py, {tmp} an empty folder
files           what {tmp} holds: texts by name
stdin, env      what they are called
in_tmp          true: run in {tmp}
program         "left_out": the program of a build without a model; "carries": the one with tales in
                it, where this build has one
status          exit status (0)
stdout          all of it; stdout_has, stderr_has: phrases in it; stderr: all of it
json            members that the JSON object on stdout must have, by value
jsonl           the same for each line of stdout
lines           of stderr: how many lines (an error is one clear line)
screen          true: stdout fits 24 lines of 80 columns
"""

import json
import os
import pathlib
import re
import tempfile
import unittest

import broken
import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])


def fill(text, tmp):
    def value(match):
        name = match.group(1)
        if name == "tmp":
            return tmp
        if name.startswith("broken:"):
            return str(broken.make(BENCH, name[len("broken:"):]))
        return str(BENCH.model(name))

    return re.sub(r"\{((?:broken:)?[a-z_-]+)\}", value, text)


class Cases(unittest.TestCase):
    maxDiff = None

    def members(self, wanted, found):
        for key, value in wanted.items():
            self.assertIn(key, found)
            self.assertEqual(found[key], value, key)

    def check(self, case, done):
        out, err = done.stdout.decode(), done.stderr.decode()
        shown = f"\nstdout: {out[:2000]}\nstderr: {err[:2000]}"
        self.assertEqual(done.returncode, case.get("status", 0), shown)
        for phrase in case.get("stdout_has", []):
            self.assertIn(phrase, out)
        for phrase in case.get("stderr_has", []):
            self.assertIn(phrase, err)
        if "stdout" in case:
            self.assertEqual(out, case["stdout"])
        if "stderr" in case:
            self.assertEqual(err, case["stderr"])
        if case.get("screen"):
            self.assertLessEqual(out.count("\n"), 24, shown)
            self.assertLessEqual(max(map(len, out.splitlines())), 80, shown)
        if "lines" in case:
            self.assertEqual(err.count("\n"), case["lines"], shown)
        if "json" in case:
            self.members(case["json"], json.loads(out))
        if "jsonl" in case:
            lines = out.splitlines()
            self.assertEqual(len(lines), len(case["jsonl"]), shown)
            for line, wanted in zip(lines, case["jsonl"]):
                self.members(wanted, json.loads(line))


def add(path, number, case):
    def test(self):
        program = case.get("program")
        if program == "carries" and not os.environ.get("NT_TALES"):
            self.skipTest("built without a model")
        with tempfile.TemporaryDirectory() as tmp:
            args = [fill(a, tmp) for a in case["args"]]
            for name, text in case.get("files", {}).items():
                pathlib.Path(tmp, name).write_text(text, encoding="utf-8")
            env = {k: fill(v, tmp) for k, v in case.get("env", {}).items()}
            stdin = case.get("stdin", "").encode("utf-8", "surrogateescape")
            if "stdin_hex" in case:
                stdin = bytes.fromhex(case["stdin_hex"])
            self.check(case, BENCH.run(*args, stdin=stdin, env=env, cwd=tmp if case.get("in_tmp") else None,
                                       program=BENCH.left_out if program == "left_out" else None))

    name = re.sub(r"\W+", "_", case.get("name", " ".join(case["args"])))[:60]
    setattr(Cases, f"test_{path.stem}_{number:02}_{name}", test)


for file in sorted((harness.HERE / "cases").glob("*.json")):
    for index, item in enumerate(json.loads(file.read_text(encoding="utf-8"))):
        add(file, index, item)

if __name__ == "__main__":
    unittest.main()
