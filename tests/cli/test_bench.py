"""bench: its lines and what they point to, formats, flags, Ctrl-C. No figure is held to a value."""

import csv
import io
import json
import math
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
JOBS = ["limits", "decode", "prompt", "score", "beams", "batch", "tokenize", "start", "memory"]
COLUMNS = ("line,job,name,unit,median,lower_quartile,upper_quartile,spread,rounds,threads,sequences,prompt_tokens,"
           "new_tokens,limit,share_of_limit,against,ratio,precision,isa,storage").split(",")


def bench(*args, status=0, model="letters", env=None):
    done = BENCH.run("bench", "-q", "-m", str(BENCH.model(model)), *args, env=env)
    if done.returncode != status:
        raise AssertionError((done.returncode, done.stderr.decode()))
    return done.stdout.decode() if status == 0 else done.stderr.decode()


def lines(found, job):
    return [line for line in found["lines"] if line["job"] == job]


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = json.loads(bench("--json", "--rounds", "2", "--threads", "2"))

    def test_heading(self):
        found = self.found
        self.assertEqual([*found][:5], ["schema", "model", "precision", "isa", "bos"])
        self.assertEqual(found["schema"], "nextoken/1")
        self.assertEqual((found["storage"], found["threads"], found["complete"]), ("F32", 2, True))
        self.assertGreater(found["processors"], 0)
        self.assertIn("fewer than three rounds: medians say little", found["notes"])
        # 2 blocks of 12 D^2 numbers, and the head: what a step of 32 wide and 260 ids reads
        self.assertEqual(found["weight_bytes_per_step"], 4 * (2 * 12 * 32 * 32 + 260 * 32))

    def test_every_job_is_there(self):
        self.assertEqual(list(dict.fromkeys(line["job"] for line in self.found["lines"])),
                         ["limits", "decode", "beams", "prompt", "score", "batch", "tokenize", "start", "memory"])

    def test_lines(self):
        for line in self.found["lines"]:
            unit, what = line["unit"], (line["job"], line["name"])
            values = line[unit]
            self.assertEqual(len(values), 1 if line["job"] == "memory" else 2, what)
            self.assertTrue(all(v > 0 and math.isfinite(v) for v in values), what)
            self.assertAlmostEqual(line[f"median_{unit}"], sum(values) / len(values), delta=1e-6 * max(values))
            self.assertLessEqual(line[f"lower_quartile_{unit}"], line[f"upper_quartile_{unit}"])
            if len(values) == 2:  # quartiles between two lie a quarter of the way from each
                spread = abs(values[0] - values[1]) / 2 / line[f"median_{unit}"]
                self.assertAlmostEqual(line["spread"], spread, places=6)

    def test_shares(self):
        found = self.found["lines"]
        for line in found:
            if line["job"] not in ("decode", "prompt", "score", "beams", "batch"):
                self.assertIsNone(line["limit"])
                continue
            limit = found[line["limit"]]
            self.assertEqual(limit["job"], "limits")
            self.assertEqual(limit["threads"], line["threads"])
            reads = limit["unit"] == "gigabytes_per_second"
            per_pass = {"decode": 1, "beams": 1, "batch": line["sequences"], "prompt": line["prompt_tokens"],
                        "score": line["sequences"] * line["prompt_tokens"]}[line["job"]]
            work = line["bytes_per_pass"] if reads else line["operations_per_pass"]
            passes = line[f"median_{line['unit']}"] / per_pass
            share = passes * work / (limit[f"median_{limit['unit']}"] * 1e9)
            self.assertAlmostEqual(line["share_of_limit"], share, delta=1e-6 * share)

    def test_operations(self):
        """Two a weight and row, and four a position that a head looks at and number of it."""
        first = lines(self.found, "prompt")[0]
        n, blocks = first["prompt_tokens"], 2 * 12 * 32 * 32
        looks = 4 * 32 * 2 * n * (n + 1) / 2
        self.assertEqual(first["operations_per_pass"], 2 * blocks * n + 2 * 260 * 32 + looks)

    def test_ratios(self):
        found = self.found["lines"]
        one = lines(self.found, "decode")[0]
        self.assertEqual(found[one["against"]]["name"], "on one thread")
        beams = lines(self.found, "beams")[0]
        self.assertEqual(found[beams["against"]], one)
        costs = sorted(a / b for a, b in zip(one["tokens_per_second"], beams["steps_per_second"]))
        self.assertAlmostEqual(beams["ratio"], sum(costs) / 2, delta=1e-6 * costs[1])
        self.assertEqual([line["sequences"] for line in lines(self.found, "batch")], [1, 8, 32])


class Flags(unittest.TestCase):
    def test_only(self):
        found = json.loads(bench("--json", "--rounds", "1", "--only", "tokenize,start", "--threads", "1"))
        self.assertEqual({line["job"] for line in found["lines"]}, {"limits", "tokenize", "start"})
        self.assertEqual({line["threads"] for line in found["lines"]}, {1})

    def test_isa(self):
        found = json.loads(bench("--json", "--rounds", "1", "--only", "limits", env={"NEXTOKEN_ISA": "ref"}))
        self.assertEqual(found["isa"], "ref")

    def test_seconds(self):
        """Every job runs three times, however little time there is."""
        found = json.loads(bench("--json", "--seconds", "0.001", "--only", "decode", "--threads", "1"))
        self.assertEqual([len(line["tokens_per_second"]) for line in lines(found, "decode")], [3])

    def test_no_tokenizer(self):
        found = json.loads(bench("--json", "--rounds", "1", "--only", "tokenize", model="bare"))
        self.assertIn("the model has no tokenizer: none is measured", found["notes"])
        self.assertEqual(lines(found, "tokenize"), [])

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(bench("--csv", "--rounds", "1", "--only", "decode,memory"))))
        self.assertEqual([*rows[0]], COLUMNS)
        self.assertEqual([int(row["line"]) for row in rows], list(range(len(rows))))
        decode = next(row for row in rows if row["job"] == "decode")
        self.assertEqual((decode["precision"], decode["storage"], decode["rounds"]), ("f32", "F32", "1"))
        self.assertEqual(rows[int(decode["limit"])]["job"], "limits")

    def test_table(self):
        text = bench("--rounds", "1", "--only", "decode,limits,memory", "--ascii", "--color", "never",
                     env={"COLUMNS": "200"})
        for words in ("weights in place", "GB/s", "float32 multiply-add", "one sequence, 64 + ", "tokens/s", " %",
                      "mapped files", "fewer than three rounds", "f32"):
            self.assertIn(words, text)
        self.assertNotIn("BOS", text)

    def test_page(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.html"
            bench("--rounds", "1", "--only", "decode", "--html", str(page))
            text = page.read_text(encoding="utf-8")
        self.assertIn("SPEED", text)
        found = json.loads(text.split('id="result">')[1].split("</script>")[0])
        self.assertTrue(lines(found, "decode"))

    def test_refused(self):
        for args, words in ((["--only", "decod"], "did you mean decode?"), (["--only", ""], "list of limits"),
                            (["--rounds", "0"], "1 .. 100000"), (["--seconds", "0"], "above 0"),
                            (["--seconds", "nan"], "above 0"), (["a text"], "takes no text"),
                            (["--svg", "x.svg"], "has no option"), (["-k", "3"], "has no option")):
            self.assertIn(words, bench(*args, status=2), args)

    def test_short_context(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "short"
            harness.make_model(BENCH.mkmodel, path, ["--seed", "3", "--n-embd", "16", "--n-layer", "1", "--n-head",
                                                     "2", "--n-positions", "16", "--vocab-size", "50"])
            done = BENCH.run("bench", "-m", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertIn("context of 16 positions is too short", done.stderr.decode())

    def test_help(self):
        text = BENCH.run("bench", "--help").stdout.decode()
        for words in ("--only LIST", "--rounds N", "--seconds S", "--threads N", *JOBS):
            self.assertIn(words, text)


class Interrupt(unittest.TestCase):
    def test_shows_what_there_is(self):
        """Ctrl-C some time after the first rounds: the lines until then, and the words that it was."""
        args = [str(BENCH.nextoken), "bench", "-q", "--json", "-m", str(BENCH.model("letters")), "--seconds", "600",
                "--only", "decode", "--threads", "1"]
        for wait in (2, 8, 30):
            with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                time.sleep(wait)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, -signal.SIGINT, err)  # so that a shell sees it
            if not out:  # on a machine that is busy nothing was measured yet
                self.assertIn(b"stopped by Ctrl-C", err)
                continue
            found = json.loads(out)
            self.assertFalse(found["complete"])
            self.assertIn("cancelled: this is what was measured until then", found["notes"])
            self.assertTrue(found["lines"])
            return
        self.fail("nothing was measured in 30 seconds")


if __name__ == "__main__":
    unittest.main()
