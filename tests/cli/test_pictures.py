"""--svg: pictures of the program's own results, held against its JSON; files that are whole or not there."""

import json
import os
import pathlib
import resource
import stat
import sys
import tempfile
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests" / "view"))
from picture import check_picture  # noqa: E402
from tree import check_tree, check_tree_page  # noqa: E402

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
# What a prompt may hold: markup, what drives terminals, right to left, wide.
HOSTILE = [b"</svg><script>alert(1)</script>", b"]]><!-- & --> &lt; \"'", b"\x1b[31m\x07\x01",
           "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u200f".encode(),
           "\u4f60\u597d\uff0c\U0001f468\u200d\U0001f469 e\u0301\u0301\u0301 \ufeff\uffff".encode(), b" ", b"\r\n\t"]


class Pictures(unittest.TestCase):
    def draw(self, *args, model="words", status=0, text=b"Alice is a", **more):
        """(done, picture or None) of a run whose prompt, ids (a str) or bytes, comes by standard input."""
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "a.svg"
            source = ["--ids", text] if isinstance(text, str) else ["-"]
            done = BENCH.run(*args[:1], "-q", "-m", str(BENCH.model(model)), "--svg", str(path), *args[1:],
                             *source, stdin=b"" if isinstance(text, str) else text, **more)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(os.listdir(tmp), ([], ["a.svg"]))
            if not path.exists():
                return done, None
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o600, 0o600)
            return done, path.read_text(encoding="utf-8")

    def test_what_it_says_is_what_the_json_says(self):
        bars = 0
        for args in (["next"], ["next", "-k", "50"], ["next", "-k", "1"],
                     ["next", "--temperature", "0.7", "--top-k", "3"],
                     ["next", "--suppress-tokens", "24235", "--repetition-penalty", "1.3"],
                     ["steps", "--max-new-tokens", "6"],
                     ["steps", "--max-new-tokens", "4", "--no-repeat-ngram-size", "1", "--choices", "3"],
                     ["steps", "--max-new-tokens", "5", "--num-beams", "3"],
                     ["steps", "--max-new-tokens", "3", "--do-sample", "--seed", "4",
                      "--num-return-sequences", "2"]):
            done, picture = self.draw(*args, "--json")
            bars += bool(check_picture(picture, json.loads(done.stdout)))
        self.assertEqual(bars, 5)

    def test_trees_of_searches(self):
        for args in (["--num-beams", "3", "--max-new-tokens", "5", "--num-return-sequences", "2"],
                     ["--num-beams", "2", "--max-new-tokens", "20", "--no-repeat-ngram-size", "2"],
                     ["--num-beams", "3", "--max-new-tokens", "4", "--do-sample", "--seed", "3"],
                     ["--search", "exact", "--horizon", "2", "--max-nodes", "300"]):
            for detail in ("auto", "all"):
                done, picture = self.draw("generate", "--json", "--trace", f"--tree={detail}", *args)
                beams = json.loads(done.stdout)["trace"]["beams"]
                check_tree(picture, beams, detail == "all")
                page = BENCH.run("generate", "-q", "-m", str(BENCH.model("words")), *args, f"--tree={detail}",
                                 "--html", "-", "Alice is a").stdout.decode()
                check_tree_page(page, beams)

    def test_hostile_prompts_of_trees(self):
        for text in HOSTILE:
            done, picture = self.draw("generate", "--num-beams", "2", "--max-new-tokens", "3", "--json", "--trace",
                                      model="letters", text=text)
            check_tree(picture, json.loads(done.stdout)["trace"]["beams"], False)

    def test_standard_output_is_as_without_a_picture(self):
        for form in ([], ["--json"], ["--csv"]):
            plain = BENCH.run("steps", "-q", "-m", str(BENCH.model("words")), "--max-new-tokens", "2",
                              *form, "Alice is a")
            done, picture = self.draw("steps", "--max-new-tokens", "2", *form)
            line = [x for x in plain.stdout.splitlines() if b" ms" not in x]
            self.assertEqual([x for x in done.stdout.splitlines() if b" ms" not in x], line)
            self.assertTrue(picture.startswith("<svg "))

    def test_on_standard_output_it_is_the_same(self):
        _, picture = self.draw("next")
        done = BENCH.run("next", "-m", str(BENCH.model("words")), "--svg", "-", "Alice is a")
        self.assertEqual(done.stdout.decode(), picture)

    def test_the_same_bytes_on_every_instruction_set_and_terminal(self):
        """f32 promises the bits; durations are left out."""
        first = self.draw("next")[1]
        for env in ({"NEXTOKEN_ISA": "ref"}, {"COLUMNS": "40"}, {"LC_ALL": "C"}, {"OMP_NUM_THREADS": "1"}):
            self.assertEqual(self.draw("next", env=env)[1], first, env)
        self.assertEqual(self.draw("next", "--ascii", "--color", "always")[1], first)

    def test_hostile_prompts(self):
        for model in ("words", "letters"):
            for text in HOSTILE:
                for args in (["next", "-k", "3"], ["steps", "--max-new-tokens", "2"]):
                    done, picture = self.draw(*args, "--json", model=model, text=text)
                    if model == "words":
                        check_picture(picture, json.loads(done.stdout))
                    else:
                        self.assertTrue(picture.endswith("</svg>\n"))

    def test_bytes_that_are_no_text(self):
        done, picture = self.draw("steps", "--max-new-tokens", "2", "--json", text="100,188,220,50256,247")
        check_picture(picture, json.loads(done.stdout))
        self.assertIn("\\xa7\\x00", picture)

    def test_without_a_tokenizer(self):
        done = BENCH.run("next", "-m", str(BENCH.model("bare")), "--svg", "-", "--ids", "1,2,3")
        self.assertIn(b"#1 #2 #3", done.stdout)

    def test_a_disk_that_is_full_leaves_nothing(self):
        def no_room():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

        done, picture = self.draw("next", status=1, preexec_fn=no_room)
        self.assertIsNone(picture)
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertIn(b"File too large", done.stderr)
        self.assertIn(b"rank", done.stdout)

    def test_a_file_that_is_there_is_replaced_whole_or_kept(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "a.svg"
            path.write_text("old", encoding="utf-8")
            args = ["next", "-m", str(BENCH.model("words")), "--svg", str(path), "Alice"]
            limit = ["bash", "-c", 'ulimit -f 1; exec "$0" "$@"', str(BENCH.nextoken), *args]
            done = harness.subprocess.run(limit, capture_output=True, check=False)
            self.assertEqual((done.returncode, path.read_text(encoding="utf-8")), (1, "old"))
            self.assertEqual(BENCH.run(*args).returncode, 0)
            self.assertTrue(path.read_text(encoding="utf-8").endswith("</svg>\n"))
            self.assertEqual(os.listdir(tmp), ["a.svg"])

    def test_standard_output_that_fails_leaves_the_picture(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "a.svg"
            done = harness.subprocess.run(
                ["bash", "-c", 'exec "$0" "$@" >/dev/full', str(BENCH.nextoken), "next", "-m",
                 str(BENCH.model("words")), "--svg", str(path), "Alice"], capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(path.read_text(encoding="utf-8").endswith("</svg>\n"))
            done = BENCH.run("next", "-m", str(BENCH.model("words")), "--svg", "-", "-o", "/dev/full", "Alice")
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"cannot write to /dev/full: No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
