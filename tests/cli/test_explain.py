"""docs/options.md is what the program prints, and says all that the table says."""

import json
import os
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
PAGE = harness.ROOT / "docs" / "options.md"


def run(*args):
    done = BENCH.run("explain", *args)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def options():
    """Names in the order of the list."""
    lines = run().decode().splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ")]


def words(text):
    """What is left of a text when lines are joined and Markdown's escapes are taken off."""
    return " ".join(text.replace("\\", "").split())


class Page(unittest.TestCase):
    def test_page_is_what_the_program_prints(self):
        self.assertEqual(run("--markdown"), PAGE.read_bytes(),
                         "docs/options.md is old: nextoken explain --markdown > docs/options.md")

    def test_page_says_all(self):
        page = words(PAGE.read_text(encoding="utf-8"))
        names = options()
        self.assertGreater(len(names), 50)
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            told = json.loads(run(name, "--json"))["option"]
            self.assertEqual(told["name"], name)
            for key, value in told.items():
                self.assertTrue(value, (name, key))
                for line in value.split("\n"):
                    self.assertIn(words(line), page, (name, key))

    def test_lines_keep_to_a_width(self):
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            self.assertLessEqual(len(line), 200 if line.startswith("- ") else 100, line)


if __name__ == "__main__":
    unittest.main()
