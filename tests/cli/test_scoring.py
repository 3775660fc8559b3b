"""score and perplexity against minicons, the package of Pimentel & Meister and the stride recipe of
transformers' documentation (scoring_oracle.json, tools/oracle/scoring.py)."""

import json
import math
import os
import tempfile
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
ORACLE = json.loads((harness.HERE / "scoring_oracle.json").read_text(encoding="utf-8"))

# Nats. Theirs are float32 throughout, of logits that span about 80; what was used is printed.
ALLOWED = {"token": 5e-5, "word": 1e-4, "entropy": 3e-5, "loss": 2e-5}
CORRECTIONS = ("oh-schuler", "pimentel-meister", "whitespace")


def job(command, *args, stdin=b""):
    done = BENCH.run(command, "-m", str(BENCH.model("words")), "--json", *args, stdin=stdin)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


class Scoring(unittest.TestCase):
    used = dict.fromkeys(ALLOWED, 0.0)

    @classmethod
    def tearDownClass(cls):
        for kind, share in cls.used.items():
            print(f"{kind}: largest error {share:.1%} of the allowance {ALLOWED[kind]:g}")

    def near(self, ours, theirs, kind, what):
        error = abs(ours - theirs)
        Scoring.used[kind] = max(Scoring.used[kind], error / ALLOWED[kind])
        self.assertLessEqual(error, ALLOWED[kind], f"{what}: {ours} against {theirs}")

    def lines(self, *args):
        """All sentences in one run."""
        texts = "".join(json.dumps({"text": s["text"]}) + "\n" for s in ORACLE["sentences"])
        out = job("score", "--bos", *args, "--jsonl", "-", stdin=texts.encode())
        self.assertEqual([o["index"] for o in out], list(range(len(ORACLE["sentences"]))))
        return list(zip(out, ORACLE["sentences"], strict=True))

    def check_tokens(self, ours, theirs):
        self.assertEqual(ours["ids"], theirs["ids"])
        self.assertIsNone(ours["logprobs"][0])
        for a, b in zip(ours["logprobs"][1:], theirs["surprisals"], strict=True):
            self.near(-a, b, "token", theirs["text"])
        for a, b in zip(ours["entropies"][1:], theirs["entropies"], strict=True):
            self.near(a, b, "entropy", theirs["text"])
        for rank, (low, high) in zip(ours["ranks"][1:], theirs["ranks"], strict=True):
            self.assertTrue(low <= rank <= high, f"{theirs['text']}: rank {rank}, minicons {low} .. {high}")

    def test_tokens(self):
        for ours, theirs in self.lines():
            self.check_tokens(ours, theirs)
            self.near(ours["loss"], sum(theirs["surprisals"]) / len(theirs["surprisals"]), "loss", theirs["text"])

    def test_ids(self):
        theirs = ORACLE["sentences"][-1]
        (ours,) = job("score", "--ids", ",".join(map(str, theirs["ids"])))
        self.check_tokens(ours, theirs)

    def test_alternatives(self):
        """Against torch.topk of transformers' logits (alternatives_oracle.json, tools/oracle/alternatives.py)."""
        oracle = json.loads((harness.HERE / "alternatives_oracle.json").read_text(encoding="utf-8"))
        places = 0
        for case in oracle["cases"]:
            windows = ["--window", str(case["window"]), "--stride", str(case["stride"])] if case["window"] else []
            (ours,) = job("score", "-k", str(oracle["k"]), *windows, "-", stdin=case["text"].encode())
            self.assertEqual(ours["ids"], case["ids"])
            self.assertIsNone(ours["alternatives"][0])
            for i, (here, wanted) in enumerate(zip(ours["alternatives"], case["places"], strict=True)):
                if wanted is None:
                    continue
                places += 1
                self.assertEqual([a["id"] for a in here], [w[0] for w in wanted])
                for a, w in zip(here, wanted, strict=True):
                    self.near(a["logprob"], w[1], "token", case["text"])
                    self.assertAlmostEqual(a["prob"], math.exp(a["logprob"]), delta=1e-8)
                rank = ours["ranks"][i]
                if rank <= len(here):
                    self.assertEqual(here[rank - 1]["id"], ours["ids"][i])
        self.assertGreater(places, 60)

    def test_words(self):
        for correction in CORRECTIONS:
            for ours, theirs in self.lines("--by", "word", "--word-correction", correction):
                self.assertEqual(ours["correction"], correction)
                self.assertEqual([w["word"] for w in ours["words"]], theirs["words"])
                raw = theirs["text"].encode()
                self.assertEqual([raw[w["start"]:w["end"]].decode() for w in ours["words"]], theirs["words"])
                for word, plain, corrected in zip(ours["words"], theirs["plain"], theirs[correction], strict=True):
                    self.near(word["surprisal"], plain, "word", theirs["text"])
                    self.near(word["surprisal_corrected"], corrected, "word", theirs["text"])

    def test_bits(self):
        for ours, theirs in self.lines("--by", "word", "--word-correction", "oh-schuler", "--base", "2"):
            self.assertEqual(ours["unit"], "bits")
            for word, corrected in zip(ours["words"], theirs["oh-schuler"], strict=True):
                self.near(word["surprisal_corrected"] * math.log(2), corrected, "word", theirs["text"])

    def test_characters(self):
        """A character has no other program's figure; they sum to the tokens'."""
        for ours, theirs in self.lines("--by", "char"):
            self.assertEqual("".join(c["char"] for c in ours["chars"]), theirs["text"])
            total = sum(c["surprisal"] for c in ours["chars"])
            self.near(total / len(theirs["ids"]), sum(theirs["surprisals"]) / len(theirs["ids"]), "token",
                      theirs["text"])

    def test_perplexity(self):
        file = ORACLE["file"]
        with tempfile.NamedTemporaryFile("wb", suffix=".txt") as text:
            text.write(file["text"].encode())
            text.flush()
            for theirs in file["windows"]:
                what = f"window {theirs['window']}, stride {theirs['stride']}"
                (ours,) = job("perplexity", "--window", str(theirs["window"]), "--stride", str(theirs["stride"]),
                              text.name)
                self.assertEqual(ours["tokens"], file["n_tokens"])
                self.assertEqual(ours["counted"], theirs["counted"])
                self.near(ours["loss"], theirs["loss"], "loss", what)
                self.near(ours["loss_as_transformers"], theirs["recipe"], "loss", what)
                self.near(ours["loss_stderr"], theirs["stderr"], "loss", what)
                self.near(ours["stderr"] / ours["perplexity"], theirs["stderr"], "loss", what)
                self.near(math.log(ours["perplexity"]), theirs["loss"], "loss", what)

    def test_score_in_windows(self):
        """Scoring a long text in windows has the mean of the same windows."""
        file = ORACLE["file"]
        for theirs in file["windows"]:
            (ours,) = job("score", "--window", str(theirs["window"]), "--stride", str(theirs["stride"]), "-",
                          stdin=file["text"].encode())
            self.assertEqual(ours["counted"], theirs["counted"])
            self.near(ours["loss"], theirs["loss"], "loss", f"stride {theirs['stride']}")


if __name__ == "__main__":
    unittest.main()
