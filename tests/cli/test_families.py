"""Every job of the command line with each family beside GPT-2, against transformers (families.json,
tools/oracle/family_commands.py): checkpoints that say what well-known ones of the hub say, with tokenizers of
their forms and texts that go beyond windows and beyond the positions first trained on."""

import json
import math
import os
import pathlib
import re
import shutil
import struct
import tempfile
import unittest
import zipfile

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
ORACLE = json.loads((harness.HERE / "families.json").read_text(encoding="utf-8"))

# Of the logits' range, and of what else is compared; what was used is printed.
ALLOWED = 4e-6


def array_of(path, name):
    """(shape, numbers) of a float32 array in an .npz file, with the standard library alone."""
    with zipfile.ZipFile(path) as arrays:
        raw = arrays.read(f"{name}.npy")
    n = 10 + struct.unpack("<H", raw[8:10])[0]
    shape = [int(x) for x in raw[10:n].decode().split("(")[1].split(")")[0].split(",") if x.strip()]
    return shape, struct.unpack(f"<{(len(raw) - n) // 4}f", raw[n:])


class Families(unittest.TestCase):
    used = 0.0
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for case in ORACLE["cases"]:
            harness.make_listed(BENCH.mkmodel, cls.folder / case["name"], case)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()
        print(f"largest error: {cls.used:.1%} of the allowance {ALLOWED:g}")

    def run_job(self, command, case, *args, model=None, stdin=b""):
        done = BENCH.run(command, "-m", str(model or self.folder / case["name"]), "--json", *args, stdin=stdin)
        self.assertEqual(done.returncode, 0, f"{case['name']}: {done.stderr.decode()}")
        return done.stdout

    def job(self, command, case, *args, model=None):
        return json.loads(self.run_job(command, case, *args, model=model))

    def near(self, ours, theirs, scale, what):
        error = abs(ours - theirs) / scale
        Families.used = max(Families.used, error / ALLOWED)
        self.assertLessEqual(error, ALLOWED, f"{what}: {ours} against {theirs}")

    def each(self):
        return [(case, text) for case in ORACLE["cases"] for text in case["texts"]]

    def check_next(self, ours, theirs, what):
        ids = [c["id"] for c in ours["next"]]
        if theirs["margin"] > 2 * ALLOWED * theirs["range"]:
            self.assertEqual(ids, theirs["ids"], what)
        for c in ours["next"]:
            at = theirs["ids"].index(c["id"])
            self.near(c["logit"], theirs["logits"][at], theirs["range"], what)
            self.near(c["logprob"], theirs["logprobs"][at], theirs["range"], what)
        self.near(ours["entropy"], theirs["entropy"], theirs["range"], what)

    def test_tokenize(self):
        for case, text in self.each():
            self.assertEqual(self.job("score", case, text["text"])["ids"], text["ids"], case["name"])

    def test_next(self):
        for case, text in self.each():
            ours = self.job("next", case, "-k", str(len(text["next"]["ids"])), text["text"])
            self.check_next(ours, text["next"], case["name"])

    def test_score(self):
        for case, text in self.each():
            ours = self.job("score", case, text["text"])
            self.assertIsNone(ours["logprobs"][0])
            for a, b in zip(ours["logprobs"][1:], text["logprobs"], strict=True):
                self.near(a, b, text["next"]["range"], "logprob")
            self.assertEqual(ours["bos"], case["name"] in ("opt", "llama"), case["name"])

    def test_endings(self):
        for case in ORACLE["cases"]:
            theirs = case["endings"]
            ours = self.job("score", case, theirs["text"], "--continuations", *theirs["endings"])
            for found, b in zip(ours["continuations"], theirs["logprobs"], strict=True):
                self.near(found["logprob"], b, len(found["ids"]) * case["texts"][2]["next"]["range"], "ending")

    def test_perplexity(self):
        for case in ORACLE["cases"]:
            theirs, text = case["windows"], case["texts"][2]
            ours = self.job("perplexity", case, "--window", str(theirs["window"]), "--stride", str(theirs["stride"]),
                            "--ids", ",".join(map(str, text["ids"])))
            self.assertEqual(ours["counted"], theirs["counted"], case["name"])
            self.near(ours["loss"], theirs["loss"], text["next"]["range"], "loss")

    def test_steps_and_greedy(self):
        for case, text in self.each():
            ids = text["greedy"]["ids"]
            new = ("--max-new-tokens", str(len(ids)), "--eos-token-id", "none", text["text"])
            ours = self.job("generate", case, *new)["sequences"][0]
            self.assertEqual(ours["ids"], ids, (case["name"], text["text"]))
            self.assertEqual(ours["text"], text["greedy"]["text"])
            steps = self.job("steps", case, "--choices", "2", *new)["steps"]
            self.assertEqual([s["chosen"] for s in steps], ids)

    def test_beams(self):
        for case, text in self.each():
            theirs = text["beams"]
            n = len(theirs["ids"])
            ours = self.job("generate", case, "--num-beams", str(n), "--num-return-sequences", str(n),
                            "--no-repeat-ngram-size", "2", "--max-new-tokens", str(len(theirs["ids"][0])),
                            "--eos-token-id", "none", text["text"])["sequences"]
            self.assertEqual([s["ids"] for s in ours], theirs["ids"], (case["name"], text["text"]))
            for s, score in zip(ours, theirs["scores"], strict=True):
                self.near(s["score"], score, text["next"]["range"], "score")

    def test_drawn_with_the_numbers_of_torch(self):
        for case, text in self.each():
            ours = self.job("generate", case, "--do-sample", "--rng", "torch", "--seed", "5", "--temperature", "0.8",
                            "--top-k", "0", "--top-p", "0.95", "--max-new-tokens", str(len(text["drawn"])),
                            "--eos-token-id", "none", text["text"])
            self.assertEqual(ours["sequences"][0]["ids"], text["drawn"], (case["name"], text["text"]))

    def test_assisted_by_another_family(self):
        theirs = ORACLE["assisted"]
        ours = self.job("generate", {"name": theirs["model"]}, "--assistant-model",
                        str(self.folder / theirs["assistant"]), "--max-new-tokens", str(len(theirs["ids"])),
                        "--eos-token-id", "none", theirs["text"])
        self.assertEqual(ours["method"], "assisted")
        self.assertEqual(ours["sequences"][0]["ids"], theirs["ids"])

    def test_an_assistant_with_another_vocabulary_is_refused(self):
        done = BENCH.run("generate", "-m", str(self.folder / "gpt_neo"), "--assistant-model",
                         str(self.folder / "llama"), "a")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"", 1))

    def test_many_at_once_are_as_each_alone(self):
        for case in ORACLE["cases"]:
            lines = "".join(json.dumps({"text": t["text"]}) + "\n" for t in case["texts"] * 3).encode()
            n = len(case["texts"][0]["greedy"]["ids"])
            out = self.run_job("generate", case, "--max-new-tokens", str(n), "--eos-token-id", "none", "--jsonl", "-",
                               stdin=lines)
            found = [json.loads(line)["sequences"][0]["ids"] for line in out.splitlines()]
            self.assertEqual(found, [t["greedy"]["ids"] for t in case["texts"]] * 3)

    def test_inspect(self):
        path = self.folder / "arrays.npz"
        for case, text in self.each():
            ours = self.job("inspect", case, "--npz", str(path), "--arrays", "attentions", text["text"])
            for a, b in zip(ours["hidden_norms"], text["hidden_norms"], strict=True):
                self.near(a, b, b, "norm")
            shape, numbers = array_of(path, "attentions")
            n, layers = len(text["ids"]), text["attention"]
            self.assertEqual(shape, [len(layers), len(layers[0]), n, n])
            for i, (first, squares) in enumerate(pair for layer in layers for pair in layer):
                head = numbers[i * n * n:(i + 1) * n * n]
                self.near(head[(n - 1) * n], first, 1, "attention")
                self.near(sum(x * x for x in head), squares, squares, "attention")

    def test_info(self):
        for case in ORACLE["cases"]:
            ours = self.job("info", case)
            self.assertEqual(ours["architecture"], case["name"])
            self.assertEqual(ours["vocab_size"], case["config"]["vocab_size"])
            self.assertEqual(ours.get("n_kv_head"), case["config"].get("num_key_value_heads"))
            shapes = [[int(x) for x in line.split()[1:3]] for line in case["tensors"]]
            self.assertEqual(ours["parameters"], sum(max(rows, 1) * columns for rows, columns in shapes))

    def test_converted_to_bfloat16(self):
        for case in ORACLE["cases"]:
            narrow, text = self.folder / f"narrow-{case['name']}", case["texts"][2]
            done = BENCH.run("convert", str(self.folder / case["name"]), str(narrow), "--width", "bf16", "--json")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            ours = self.job("next", case, "-k", str(len(case["bfloat16"]["ids"])), text["text"], model=narrow)
            self.check_next(ours, case["bfloat16"], "bfloat16")

    def refused(self, folder, name):
        done = BENCH.run("next", "-m", str(folder), "--ids", "0,1,2")
        told = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout, told.count("\n")), (1, b"", 1), f"{name}: {told}")
        self.assertIn(name, told)
        return told

    def test_broken_tensors(self):
        """Of the second layer, and of those outside layers, each: missing, of another shape, with a NaN."""
        for case in ORACLE["cases"]:
            whole, folder = self.folder / case["name"], self.folder / "broken"
            header, data = harness.read_safetensors(whole / "model.safetensors")
            header.pop("__metadata__", None)
            folder.mkdir(exist_ok=True)
            shutil.copy(whole / "config.json", folder)
            for name in header:
                if re.search(r"\d", name) and ".1." not in name:
                    continue
                rest = {k: v for k, v in header.items() if k != name}
                shape, (begin, end) = header[name]["shape"], header[name]["data_offsets"]
                harness.write_safetensors(folder / "model.safetensors", {**rest, "other": header[name]}, data)
                self.refused(folder, name)
                flat = {"dtype": "F32", "shape": [1, *shape], "data_offsets": [begin, end]}
                harness.write_safetensors(folder / "model.safetensors", {**rest, name: flat}, data)
                self.assertIn(str(shape), self.refused(folder, name))
                if "position" not in name:  # its first rows are no position
                    hurt = b"".join([data[:begin], struct.pack("<f", math.nan), data[begin + 4:]])
                    harness.write_safetensors(folder / "model.safetensors", header, hurt)
                    self.assertIn("NaN", self.refused(folder, name))


if __name__ == "__main__":
    unittest.main()
