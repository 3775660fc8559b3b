"""The Python of docs/python.md and README.md runs, with the model that is built in for "gpt2". Blocks of one section share
their names; those that import what is not installed (torch, pandas) are left out."""

import contextlib
import importlib.util
import io
import os
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
os.environ["HF_HUB_OFFLINE"] = "1"


def sections(text):
    """[(heading, [blocks])]"""
    parts = re.split(r"(?m)^## (.*)$", text)
    return [(heading, BLOCK.findall(body)) for heading, body in zip(["", *parts[1::2]], parts[::2])]


def missing(block):
    names = re.findall(r"(?m)^\s*(?:import|from) (torch|pandas)\b", block)
    return [name for name in names if importlib.util.find_spec(name) is None]


class Docs(unittest.TestCase):
    def run_blocks(self, path):
        before, done, left_out = os.getcwd(), 0, 0
        for heading, blocks in sections(path.read_text(encoding="utf-8")):
            names = {"__name__": "__main__"}
            for n, block in enumerate(blocks):
                if missing(block):
                    left_out += 1
                    continue
                with self.subTest(section=heading, block=n), tempfile.TemporaryDirectory() as folder, \
                        contextlib.redirect_stdout(io.StringIO()) as printed:
                    os.chdir(folder)
                    try:
                        exec(compile(block.replace('"gpt2"', '"tales"'), f"{path.name}, {heading}", "exec"), names)
                    finally:
                        os.chdir(before)
                    self.assertTrue("print(" not in block or printed.getvalue())
                    done += 1
        print(f"{path.name}: {done} blocks ran, {left_out} were left out")
        return done

    def test_manual(self):
        self.assertGreater(self.run_blocks(ROOT / "docs" / "python.md"), 2)

    def test_readme(self):
        self.assertGreater(self.run_blocks(ROOT / "README.md"), 0)


if __name__ == "__main__":
    unittest.main()
