"""diff against transformers and torch (versus_oracle.json, tools/oracle/versus.py); what it refuses."""

import csv
import io
import json
import math
import os
import pathlib
import tempfile
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
ORACLE = json.loads((harness.HERE / "versus_oracle.json").read_text(encoding="utf-8"))
# Nats; torch's logits are float32. Temperature 0.5 doubles their error. What was used is printed.
ALLOWED = {"logprobs": 1e-5, "entropies": 1e-5, "divergences": 1e-5}
SURE = 1e-4  # a margin above which the likeliest id is one


def diff(*args, text, status=0):
    done = BENCH.run("diff", "-q", "-m", str(BENCH.model("letters")), *args, "-", stdin=text.encode())
    if done.returncode != status:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode() if status == 0 else done.stderr.decode()


class Versus(unittest.TestCase):
    used = dict.fromkeys(ALLOWED, 0.0)

    @classmethod
    def tearDownClass(cls):
        for kind, share in cls.used.items():
            print(f"{kind}: largest error {share:.1%} of the allowance {ALLOWED[kind]:g}")

    def near(self, kind, ours, theirs, what):
        if theirs is None or ours is None:
            self.assertEqual(ours, theirs, what)
            return
        error = abs(ours - theirs) / max(1, abs(theirs))
        Versus.used[kind] = max(Versus.used[kind], error / ALLOWED[kind])
        self.assertLessEqual(error, ALLOWED[kind], what)

    def arguments(self, case, folder):
        args = ["--against", str(BENCH.model(case["against"]))] if "against" in case else []
        if "a" in case:
            path = pathlib.Path(folder) / "a.json"
            path.write_text(json.dumps(case["a"]), encoding="utf-8")
            args += ["--base-config", str(path)]
        return args + [x for n, v in case.get("b", {}).items() for x in (f"--{n.replace('_', '-')}", str(v))]

    def test_against_transformers(self):
        for case in ORACLE["cases"]:
            for text in case["texts"]:
                with tempfile.TemporaryDirectory() as folder:
                    found = json.loads(diff("--json", *self.arguments(case, folder), text=text["text"]))
                what = (case["name"], text["text"])
                self.assertEqual(found["ids"], text["ids"], what)
                self.check(found, text, what)

    def check(self, found, text, what):
        for s, side in enumerate("ab"):
            theirs = text[side]
            for kind in ("logprobs", "entropies"):
                self.assertIsNone(found[kind][s][0])
                for ours, wanted in zip(found[kind][s][1:], theirs[kind], strict=True):
                    self.near(kind, ours, wanted, (what, side, kind))
            for i, margin in enumerate(theirs["margin"]):
                if margin is not None and margin > SURE:
                    self.assertEqual(found["likeliest"][s][i + 1]["id"], theirs["likeliest"][i], what)
            for ours, wanted in zip(found["ranks"][s][1:], theirs["ranks"], strict=True):
                self.assertEqual(ours is None, wanted is None, what)
                self.assertLessEqual(abs((ours or 0) - (wanted or 0)), 1, what)  # ids whose logits touch
            for ours, wanted in zip(found["divergences"][s][1:], text["divergences"][s], strict=True):
                self.near("divergences", ours, wanted, (what, side, "divergences"))
            finite = [v for v in text["divergences"][s] if v is not None]
            self.assertEqual(found[side]["infinite"], len(text["divergences"][s]) - len(finite))
            self.near("divergences", found[side]["divergence"], sum(finite) / len(finite) if finite else None, what)
            self.near("divergences", found[side]["divergence_max"], max(finite) if finite else None, what)
        flips = sum(x != y for x, y in zip(text["a"]["likeliest"], text["b"]["likeliest"]))
        self.assertLessEqual(abs(found["flips"] - flips), 1)

    def test_sums_are_those_of_score(self):
        found = json.loads(diff("--json", "--against", str(BENCH.model("letters-other")), text="Alice is a girl."))
        for side, name in (("a", "letters"), ("b", "letters-other")):
            score = json.loads(BENCH.run("score", "-q", "-m", str(BENCH.model(name)), "--json", "Alice is a girl.").stdout)
            for key in ("logprob", "loss", "perplexity", "bits_per_byte"):
                self.assertEqual(found[side][key], score[key], (side, key))
        bits = json.loads(diff("--json", "--base", "2", "--against", str(BENCH.model("letters-other")), text="Alice is a girl."))
        self.assertAlmostEqual(bits["a"]["divergence"] * math.log(2), found["a"]["divergence"], places=7)

    def test_a_model_does_not_differ_from_itself(self):
        found = json.loads(diff("--json", "--against", str(BENCH.model("letters")), text="Alice is a girl."))
        self.assertEqual((found["flips"], found["agreement"]), (0, 1))
        for side in "ab":
            self.assertEqual((found[side]["divergence"], found[side]["divergence_max"], found[side]["infinite"]), (0, 0, 0))
        self.assertEqual(found["logprobs"][0], found["logprobs"][1])

    def test_two_precisions_of_one_model(self):
        text = "ab ba abba baab cab a b"
        found = json.loads(diff("--json", "--against-precision", "bf16", text=text))
        name = str(BENCH.model("letters"))
        self.assertEqual([found[side]["label"] for side in "ab"], [f"{name} in f32", f"{name} in bf16"])
        f32, bf16 = found["logprobs"]
        moved = max(abs(x - y) for x, y in zip(f32[1:], bf16[1:]))
        self.assertTrue(0 < moved < 1, moved)  # these seeded weights pick hard: docs/numbers.md has the mode's cost
        again = json.loads(diff("--json", "--precision", "bf16", "--against-precision", "bf16", text=text))
        self.assertEqual((again["precision"], again["a"]["label"]), ("bf16", name))
        self.assertEqual(again["logprobs"], [bf16, bf16])
        self.assertIn("did you mean bf16?", diff("--against-precision", "bf17", text=text, status=2))

    def test_csv_and_prompt(self):
        args = ("--temperature", "0.5", "--prompt-len", "4")
        found = json.loads(diff("--json", *args, text="Alice is"))
        rows = list(csv.DictReader(io.StringIO(diff("--csv", *args, text="Alice is"))))
        self.assertEqual([int(r["id"]) for r in rows], found["ids"])
        self.assertEqual([None if r["logprob_b"] == "-inf" else float(r["logprob_b"]) for r in rows[1:]], found["logprobs"][1][1:])
        self.assertEqual([r["counted"] for r in rows], ["false"] * 4 + ["true"] * (len(rows) - 4))
        self.assertEqual(found["counted"], len(rows) - 4)

    def test_what_it_refuses(self):
        other = str(BENCH.model("words"))
        for args, words in (([], "nothing to compare with"), (["--against", "/no/such"], "no/such"),
                            (["--against", other], "260 and 50257 token ids"),
                            (["--guidance-scale", "1.5"], "--guidance-scale leads away"),
                            (["--temperature", "0.5", "--prompt-len", "99"], "prompt_len is 99"),
                            (["--base-config", "/no/such", "--temperature", "2"], "/no/such")):
            status = 2 if not args else 1
            error = diff(*args, text="Alice", status=status)
            self.assertEqual(error.count("\n"), 1, error)
            self.assertIn(words, error)
        self.assertIn("context", diff("--temperature", "0.5", text="a" * 400, status=1))


if __name__ == "__main__":
    unittest.main()
