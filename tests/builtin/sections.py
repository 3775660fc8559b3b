"""Where the model lies in the program and in the shared library: byte for byte the files that it was
built from, beginning a page, in a segment that is read and never written, so that every process that
runs the program shares one copy with the page cache."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

BINARY_DIR = pathlib.Path(os.environ["NT_BINARY_DIR"])
TALES = os.environ.get("NT_TALES")
FILES = {"config": "config.json", "generation": "generation_config.json", "tensors": "model.safetensors"}


def readelf(*args):
    return subprocess.run(["readelf", "-W", *map(str, args)], capture_output=True, text=True, check=True).stdout


class Sections(unittest.TestCase):
    def look(self, binary):
        symbols = {name: int(value, 16) for value, name in
                   re.findall(r"\d+: (\w+) +\w+ \w+ +\w+ +\w+ +\w+ (nt_builtin_\w+)\n", readelf("-s", binary))}
        segments = [(int(at, 16), int(address, 16), int(size, 16), flags.strip()) for at, address, size, flags in
                    re.findall(r"LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x\w+ ([RWE ]+) 0x", readelf("-l", binary))]
        self.assertTrue(segments)
        with open(binary, "rb") as stream:
            for name, file in FILES.items():
                begin, end = symbols[f"nt_builtin_{name}"], symbols[f"nt_builtin_{name}_end"]
                wanted = pathlib.Path(TALES, file).read_bytes()
                self.assertEqual(begin % 4096, 0)
                at, address, size, flags = next(s for s in segments if s[1] <= begin < s[1] + s[2])
                self.assertLessEqual(end, address + size)
                self.assertEqual(flags, "R")
                stream.seek(at + begin - address)
                self.assertTrue(stream.read(end - begin) == wanted, f"{binary}: {file}")

    def test_program(self):
        self.look(BINARY_DIR / "nextoken")

    def test_shared_library(self):
        self.look(BINARY_DIR / "libnextoken.so")

    def test_tests_carry_none(self):
        programs = [p for p in BINARY_DIR.glob("tests/api/api_*") if p.is_file() and os.access(p, os.X_OK)]
        for program in [BINARY_DIR / "tests" / "builtin" / "nextoken_left_out", *programs]:
            self.assertIn("nt_builtin_files", readelf("-s", program))
            self.assertNotIn("nt_builtin_tensors", readelf("-s", program))


if __name__ == "__main__":
    if not TALES:
        print("skipped: built without a model")
        sys.exit(77)
    unittest.main()
