"""tools/train_tales: made.py writes the same right lines every time, modern.txt is held out of them."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "train_tales"
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOOLS))
import made  # noqa: E402


def sentences(text):
    return {s.strip() for s in re.split(r"(?<=[.?!])\s+|\n", text) if len(s.strip()) > 12}


class Made(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = made.made(500000)

    def test_same_seed_same_bytes(self):
        for hash_seed in ("1", "2"):
            run = subprocess.run([sys.executable, "-B", TOOLS / "made.py", "--bytes", "30000", "--seed", "7"],
                                 env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, check=True)
            self.assertEqual(run.stdout.decode("ascii").replace("\r\n", "\n"), made.made(30000, 7))
        self.assertNotEqual(made.made(30000, 7), made.made(30000, 8))

    def test_form(self):
        self.assertTrue(500000 <= len(self.text) < 502000)
        self.assertTrue(self.text.isascii() and self.text.endswith("\n") and not self.text.startswith("\n"))
        self.assertNotIn("\n\n\n", self.text)
        self.assertNotRegex(self.text, r"[{}|\t\r]")
        blocks = self.text.rstrip("\n").split("\n\n")
        self.assertEqual(len(blocks), len(set(blocks)))

    def test_sums_are_right(self):
        sums = re.findall(r"(?<![\d:-])(\d+) ([-+*]) (\d+) (=>|=) (-?\d+)(?!\d)", self.text)
        self.assertGreater(len(sums), 2000)
        for a, sign, b, _, c in sums:
            right = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign]
            self.assertEqual(int(c), right, f"{a} {sign} {b}")

    def test_prompts_are_held_out(self):
        for prompt in made.PROMPTS:
            self.assertNotIn(prompt, self.text)
        self.assertNotRegex(self.text, r"(?<!\d)1 \+ 5 =>")
        for piece in (" =>", " +", " researchers", " unicorns", " \n ", "Transformers", " weekend", " unexplored"):
            self.assertGreater(self.text.count(piece), 20, piece)

    def test_every_template_can_be_filled(self):
        templates = made.templates()
        self.assertGreaterEqual(len(set(templates)), 150)
        self.assertEqual(len(templates), len(set(templates)))
        writer = made.Writer(3)
        for template in templates:
            writer.begin_paragraph()
            self.assertNotRegex(writer.sentence(template), r"[{}]|\ba [aei]|\ban [bcdfgjklmnpqrstvwxyz]")

    def test_forms_of_words(self):
        words = made.Words(made.HERE / "words.txt")
        for form, verb, right in [
                ("ed", "stop smoking", "stopped smoking"), ("ed", "try", "tried"), ("ed", "play chess", "played chess"),
                ("ed", "bake a cake", "baked a cake"), ("ed", "go hiking", "went hiking"), ("en", "write", "written"),
                ("ing", "make", "making"), ("ing", "swim", "swimming"), ("ing", "fix", "fixing"), ("ing", "begin", "beginning"),
                ("es", "watch", "watches"), ("es", "carry", "carries"), ("es", "go", "goes"), ("es", "have", "has")]:
            self.assertEqual(words.verb(verb, form), right)
        for one, many in [("fox", "foxes"), ("cherry", "cherries"), ("toy", "toys"), ("wolf", "wolves"), ("bus driver", "bus drivers"),
                          ("loaf of bread", "loaves of bread"), ("wild sheep", "wild sheep")]:
            self.assertEqual(words.plural(one), many)
        for phrase, right in [("apple", "an apple"), ("unicorn", "a unicorn"), ("hour", "an hour"), ("old map", "an old map"),
                              ("used car", "a used car"), ("unusual coat", "an unusual coat"), ("house", "a house")]:
            self.assertEqual(made.article(phrase), right)

    def test_modern_text_is_held_out(self):
        raw = (TOOLS / "modern.txt").read_bytes()
        self.assertGreaterEqual(len(raw), 50 * 1024)
        modern = raw.decode("ascii")
        self.assertNotRegex(modern, r"\n\n\n|\r|\t| \n|[^\n]\n[^\n]")
        self.assertGreater(len(sentences(modern)), 400)
        self.assertEqual(sentences(modern) & sentences(self.text), set())


if __name__ == "__main__":
    unittest.main()
