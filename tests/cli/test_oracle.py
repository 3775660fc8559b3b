"""The program's jobs against transformers' figures in oracle.json (tools/oracle/jobs.py)."""

import json
import os
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
ORACLE = json.loads((harness.HERE / "oracle.json").read_text(encoding="utf-8"))["cases"]

# Of the logits' range: what float32 arithmetic in another order may move a logit. The contract is
# 1e-4; what was used is printed.
ALLOWED = 2e-6


def job(command, *args):
    done = BENCH.run(command, "-m", str(BENCH.model("words")), "--json", *args)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return json.loads(done.stdout)


class Oracle(unittest.TestCase):
    used = 0.0

    @classmethod
    def tearDownClass(cls):
        print(f"largest error: {cls.used:.1%} of the allowance {ALLOWED:g}")

    def near(self, ours, theirs, scale, what):
        error = abs(ours - theirs) / scale
        Oracle.used = max(Oracle.used, error / ALLOWED)
        self.assertLessEqual(error, ALLOWED, f"{what}: {ours} against {theirs}")

    def test_tokenize(self):
        for case in ORACLE:
            ours = job("tokenize", case["text"])
            self.assertEqual(ours["ids"], case["ids"])
            raw = case["text"].encode()
            self.assertEqual(b"".join(raw[a:b] for a, b in ours["offsets"]), raw)

    def test_next(self):
        for case in ORACLE:
            ours = job("next", "-k", str(len(case["next"])), case["text"])
            self.assertEqual(ours["ids"], case["ids"])
            tie = ALLOWED * case["range"] * 2
            clear = all(m > tie for m in case["margins"])
            if clear:
                self.assertEqual([c["id"] for c in ours["next"]], [c["id"] for c in case["next"]])
            theirs = {c["id"]: c for c in case["next"]}
            for c in ours["next"]:
                if c["id"] in theirs:
                    self.near(c["logit"], theirs[c["id"]]["logit"], case["range"], "logit")
                    self.near(c["logprob"], theirs[c["id"]]["logprob"], case["range"], "logprob")
            self.near(ours["entropy"], case["entropy"], case["range"], "entropy")

    def test_score(self):
        for case in ORACLE:
            ours = job("score", case["text"])
            self.assertIsNone(ours["logprobs"][0])
            for a, b in zip(ours["logprobs"][1:], case["score"]["logprobs"], strict=True):
                self.near(a, b, case["range"], "logprob")
            n = len(case["ids"])
            if n > 1:
                self.near(ours["logprob"], case["score"]["logprob"], case["range"] * n, "sum")
                self.near(ours["loss"], case["loss"], case["range"], "loss")
                for rank, (low, high) in zip(ours["ranks"][1:], case["score"]["ranks"], strict=True):
                    self.assertTrue(low <= rank <= high, f"rank {rank}, transformers {low} .. {high}")

    def test_generate(self):
        for case in ORACLE:
            new = str(len(case["greedy"]))
            ours = job("generate", "--max-new-tokens", new, "--eos-token-id", "none", case["text"])
            sequence = ours["sequences"][0]
            tie = ALLOWED * case["range"] * 2
            self.assertTrue(all(m > tie for m in case["greedy_margins"]), "the oracle has a tie")
            self.assertEqual(sequence["ids"], case["greedy"])
            self.assertEqual(sequence["text"], case["greedy_text"])
            self.assertEqual(sequence["finish_reason"], "length")

    def test_steps_agree_with_generate(self):
        case = ORACLE[1]
        ours = job("steps", "--max-new-tokens", "5", "--choices", "3", case["text"])
        self.assertEqual([s["chosen"] for s in ours["steps"]], case["greedy"][:5])
        self.assertEqual({len(s["choices"]) for s in ours["steps"]}, {3})
        for step in ours["steps"]:
            self.assertEqual(step["choices"][0]["id"], step["chosen"])

    def test_inspect(self):
        for case in ORACLE:
            ours = job("inspect", case["text"])
            for a, b in zip(ours["hidden_norms"], case["hidden_norms"], strict=True):
                self.near(a, b, b, "norm")
            best = max(range(len(ours["logits"])), key=lambda i: ours["logits"][i])
            self.near(ours["logits"][best], case["next"][0]["logit"], case["range"], "logit")


if __name__ == "__main__":
    unittest.main()
