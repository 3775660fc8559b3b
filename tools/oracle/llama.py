#!/usr/bin/env python3
"""llama.cpp itself beside nextoken, both ways. (a) What llama.cpp's own convert_hf_to_gguf.py and its
quantiser write of seeded checkpoints: the tokens of strange texts, the logits of every position and
the greedy continuation, from nextoken, from llama.cpp and from transformers over the numbers that the
file holds. (b) The same of what `nextoken convert` writes, and of its folders behind llama.cpp's
converter. Logits are compared as shares of their range. llama.cpp rounds the inputs of a product to
the width of the weights, and GELU to float16 (GGML_GELU_FP16): its distance from transformers is its
own, and ours from llama.cpp can be no less.

Needs requirements.txt and llama-cpp-python 0.3.36, whose source archive on PyPI holds llama.cpp with
the converter (vendor/llama.cpp).
usage: llama.py NEXTOKEN MKMODEL LLAMA.CPP [--write]
--write makes tests/api/data/gguf/llama_cpp_*.gguf and llama_cpp.json: the converter's files of small
checkpoints, with what llama.cpp and transformers compute from them."""
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf_cases
import llama_cpp
import numpy as np
import torch
import transformers
from gguf import GGUFReader
from gguf.quants import dequantize

ROOT = pathlib.Path(__file__).parents[2]
WIDTHS = {"f32": 5e-6, "f16": 3e-3, "bf16": 3e-2, "q8_0": 6e-2, "q4_0": 0.6}  # from the checkpoint, at most
EXACT = 5e-6  # ours from transformers over the file's numbers, at most
TEXTS = [
    "", " ", "  ", "\n", "\r\n\r\n", "\t\t a", "Alice", " Alice was beginning", "don't DON'T we'll We'LL I'd 'tis '''",
    "a  b   c    d", "end ", "end  \n", "x\u00a0y\u3000z\u2028w\u0085v", "1 22 333 4444, 3.14159 ½ ² Ⅷ ٣ 一二三",
    "naïve café Ångström e\u0301 ﬁ", "日本語の文章。中文，한국어", "ภาษาไทย हिन्दी العربية", "Привет, мир! Ελληνικά",
    "😀👍🏽👩‍👩‍👧 🇫🇷 x😶‍🌫️y", "<|endoftext|>", "a<|endoftext|>b <|endoftext|> <|endoftext", "\u200b\ufeff\u00ad\u202e",
    "\x01\x02\x1b[0m\x7f", "foo_bar __init__ C++ #!/bin/sh $x->y() {};", "a" * 300, " " * 70 + "x", "!?" * 40,
    "http://example.org/a?b=c&d=%20", "\ue000\U000f0000\ufffd", "ǅ ʰ ͏ ᾳ ſ ẞ", "O'Brien's 'S 'T'RE", "\u1680a\u180eb\u2003c",
]


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


class Ours:
    """What nextoken makes of a model."""

    def __init__(self, program, model):
        self.program, self.model = program, model

    def tokens(self, texts):
        lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        done = subprocess.run([self.program, "tokenize", "-m", self.model, "--jsonl", "-", "-q"], input=lines,
                              capture_output=True, text=True, check=True)
        return [json.loads(line)["ids"] for line in done.stdout.splitlines()]

    def logits(self, ids):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "all.npz"
            run(self.program, "inspect", "-m", self.model, "--precision", "f32", "--ids", ",".join(map(str, ids)),
                "--npz", path, "--arrays", "logits", "-q")
            return np.load(path)["logits"].astype(np.float64)


class Theirs:
    """What llama.cpp makes of a file, as exactly as it can: keys and values in float32."""

    def __init__(self, path):
        self.llama = llama_cpp.Llama(str(path), n_ctx=0, n_batch=256, logits_all=True, type_k=0, type_v=0,
                                     n_threads=2, flash_attn=False, verbose=False)

    def tokens(self, texts):
        return [self.llama.tokenize(t.encode(), add_bos=False, special=True) for t in texts]

    def logits(self, ids):
        self.llama.reset()
        self.llama.eval(ids)
        return self.llama.scores[:len(ids)].astype(np.float64)


class Transformers:
    """transformers in float32 over the numbers that a file holds."""

    def __init__(self, folder, path):
        config = transformers.AutoConfig.from_pretrained(folder, attn_implementation="eager")
        self.model = transformers.GPT2LMHeadModel(config).eval()
        numbers = [(t.name, dequantize(t.data, t.tensor_type)) for t in GGUFReader(path).tensors]
        state = {k: torch.tensor(np.ascontiguousarray(v)) for k, v in (gguf_cases.hugging_face(*n) for n in numbers)}
        missing, strange = self.model.load_state_dict(state, strict=False)
        assert not strange and set(missing) <= {"lm_head.weight"}, (missing, strange)
        self.model.tie_weights()

    def logits(self, ids):
        with torch.no_grad():
            return self.model(torch.tensor([ids])).logits[0].double().numpy()


class Checkpoint(Transformers):
    """transformers over the checkpoint itself."""

    def __init__(self, folder):
        self.model = transformers.GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32,
                                                                  attn_implementation="eager").eval()


def greedy(model, ids, n):
    ids = list(ids)
    for _ in range(n):
        ids.append(int(model.logits(ids)[-1].argmax()))
    return ids


def greedy_agrees(one, other, ids, n, error):
    """Whether both go on alike; where they part, the choice must be nearer than both errors. Number of equal steps."""
    ours, theirs = greedy(one, ids, n), greedy(other, ids, n)
    same = next((i for i in range(n) if ours[len(ids) + i] != theirs[len(ids) + i]), n)
    if same < n:
        at = len(ids) + same
        row = other.logits(ours[:at])[-1]
        assert row.max() - row[ours[at]] <= 2 * error * np.ptp(row), ("greedy ids part at step", same)
    return same


def distance(one, other):
    return float(np.abs(one - other).max() / np.ptp(other))


def converter(llama, folder, path, kind, pre=False):
    """llama.cpp's own script. pre: it is told that the tokenizer is GPT-2's, which it knows by the real vocabulary."""
    script = pathlib.Path(llama) / "convert_hf_to_gguf.py"
    words = [folder, "--outfile", path, "--outtype", kind]
    if not pre:
        return run(sys.executable, script, *words)
    code = ("import runpy, sys; sys.path.insert(0, sys.argv[1]); from conversion.base import TextModel; "
            "TextModel.get_vocab_base_pre = lambda self, tokenizer: 'gpt-2'; sys.argv = sys.argv[2:]; "
            "runpy.run_path(sys.argv[0], run_name='__main__')")
    return run(sys.executable, "-c", code, llama, script, *words)


def quantize(source, path, kind):
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = {"q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0, "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0}[kind]
    assert llama_cpp.llama_model_quantize(str(source).encode(), str(path).encode(), params) == 0


class Table:
    """The errors of one checkpoint's files, line by line."""

    def __init__(self, program, folder, ids, n):
        self.program, self.folder, self.ids, self.n = program, folder, ids, n
        self.checkpoint = Checkpoint(folder).logits(ids)
        self.wanted = transformers.AutoTokenizer.from_pretrained(folder)
        self.strange = set()

    def tokens(self, ours, theirs):
        """Ours must be transformers'; where llama.cpp's are others, the text is told."""
        a, b = ours.tokens(TEXTS), theirs.tokens(TEXTS)
        for text, mine, other in zip(TEXTS, a, b):
            wanted = self.wanted(text, add_special_tokens=False)["input_ids"]
            assert mine == wanted, (text, mine, wanted)
            if other != mine:
                self.strange.add(text)
            assert self.wanted.decode(other) == self.wanted.decode(mine), text

    def line(self, label, path, kind):
        ours, theirs = Ours(self.program, path), Theirs(path)
        self.tokens(ours, theirs)
        a, b, c = (m.logits(self.ids) for m in (ours, theirs, Transformers(self.folder, path)))
        exact, own, both, width = distance(a, c), distance(b, c), distance(a, b), distance(a, self.checkpoint)
        same = greedy_agrees(ours, theirs, self.ids[:12], self.n, both)
        print(f"  {label:34} ours - transformers {exact:8.2g}   ours - llama.cpp {both:8.2g}   "
              f"llama.cpp - transformers {own:8.2g}   the width's own {width:8.2g}   greedy {same} of {self.n}",
              flush=True)
        assert exact <= EXACT and width <= WIDTHS[kind] and both <= 1.05 * own + EXACT, label  # as shares of other ranges
        return both

    def end(self):
        print(f"  tokens of {len(TEXTS)} texts are transformers'; llama.cpp's are others for "
              f"{sorted(self.strange) or 'none'}", flush=True)


def compare(program, llama, name, folder, ids, n, tmp):
    print(f"{name}:")
    table = Table(program, folder, ids, n)
    for kind in ("f32", "f16", "bf16", "q8_0"):
        path = tmp / f"{name}-theirs-{kind}.gguf"
        converter(llama, folder, path, kind)
        table.line(f"convert_hf_to_gguf.py {kind}", path, kind)
    quantize(tmp / f"{name}-theirs-f32.gguf", tmp / f"{name}-theirs-q4_0.gguf", "q4_0")
    table.line("llama-quantize q4_0", tmp / f"{name}-theirs-q4_0.gguf", "q4_0")
    for kind in ("f32", "f16", "bf16", "q8_0"):
        path = tmp / f"{name}-ours-{kind}.gguf"
        run(program, "convert", folder, path, "--width", kind, "-q")
        table.line(f"nextoken convert {kind}", path, kind)
    kept, back = tmp / f"{name}-kept.gguf", tmp / f"{name}-back"
    run(program, "convert", tmp / f"{name}-theirs-q4_0.gguf", kept, "-q")
    table.line("nextoken convert, q4_0 kept", kept, "q4_0")
    run(program, "convert", tmp / f"{name}-theirs-f16.gguf", back, "-q")
    converter(llama, back, tmp / f"{name}-round.gguf", "f16")
    table.line("f16 -> our folder -> converter", tmp / f"{name}-round.gguf", "f16")
    table.end()


def small(folder, seed, tied):
    """A checkpoint as transformers saves it, of gguf_cases.py's vocabulary."""
    inner = 4 * gguf_cases.D  # the converter writes no other
    model = gguf_cases.model_of(gguf_cases.weights(seed, tied, inner), tied, inner)
    end = "<|endoftext|>"
    model.config.n_ctx = gguf_cases.T  # which the converter asks for
    model.config.bos_token_id = model.config.eos_token_id = gguf_cases.vocabulary()[0].index(end)
    model.generation_config = transformers.GenerationConfig.from_model_config(model.config)
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=gguf_cases.tokenizer(), bos_token=end,
                                         eos_token=end).save_pretrained(folder)


def write(llama):
    """The fixtures of tests/api: llama.cpp's files, and what both oracles compute from them."""
    found = []
    for kind, tied, seed in (("f16", True, 11), ("q8_0", False, 12), ("q4_0", True, 13)):
        path = gguf_cases.OUT / f"llama_cpp_{kind}.gguf"
        with tempfile.TemporaryDirectory() as tmp:
            folder, whole = pathlib.Path(tmp) / "small", pathlib.Path(tmp) / "whole.gguf"
            small(folder, seed, tied)
            converter(llama, folder, whole if kind == "q4_0" else path, "f32" if kind == "q4_0" else kind, pre=True)
            if kind == "q4_0":
                quantize(whole, path, kind)
            exact, theirs = Transformers(folder, path), Theirs(path)
        tok = gguf_cases.tokenizer()
        assert theirs.tokens(gguf_cases.TEXTS) == [tok.encode(t).ids for t in gguf_cases.TEXTS]
        ids = tok.encode(gguf_cases.TEXTS[2]).ids[:10]
        logits = exact.logits(ids)
        short = [[float(f"{x:.9g}") for x in row[-1]] for row in (logits, theirs.logits(ids))]
        found.append({"name": path.stem, "tied": tied, "inner": 4 * gguf_cases.D, "ids": ids,
                      "greedy": greedy(exact, ids, 8)[len(ids):], "range": float(np.ptp(logits)), "logits": short[0],
                      "sum": float(logits.sum()), "llama_cpp": short[1]})
        print(f"{path.stem}: {path.stat().st_size} bytes, llama.cpp - transformers "
              f"{distance(theirs.logits(ids), logits):.2g} of the range")
    versions = {"llama_cpp": llama_cpp.llama_version().decode(), "llama_cpp_python": llama_cpp.__version__,
                "transformers": transformers.__version__}
    text = json.dumps({"versions": versions, "files": found}, separators=(",", ":"))
    (gguf_cases.OUT / "llama_cpp.json").write_text(text + "\n")
    return 0


def seeded(mkmodel, tmp, name, *words):
    folder = tmp / name
    run(mkmodel, folder, *words, "--tokenizer", ROOT / "models/gpt2")
    return folder


def main():
    program, mkmodel, llama = sys.argv[1:4]
    transformers.logging.set_verbosity_error()
    print(f"llama.cpp {llama_cpp.llama_version().decode()} of llama-cpp-python {llama_cpp.__version__}, transformers "
          f"{transformers.__version__}, torch {torch.__version__}")
    print(run(program, "--version").splitlines()[0])
    if "--write" in sys.argv:
        return write(llama)
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        ids = [464, 3290, 318, 257, 922, 3290, 13, 632, 318, 407, 257, 3797, 198, 198, 1212, 318, 50256, 464, 0, 50255]
        compare(program, llama, "tied", seeded(mkmodel, tmp, "tied", "--seed", "31", "--n-embd", "64", "--n-layer", "3",
                                               "--n-head", "4", "--n-positions", "256"), ids, 16, tmp)
        compare(program, llama, "untied", seeded(mkmodel, tmp, "untied", "--seed", "32", "--n-embd", "256", "--n-layer",
                                                 "2", "--n-head", "8", "--n-positions", "256", "--untied"), ids, 16, tmp)
        tales = transformers.AutoTokenizer.from_pretrained(ROOT / "models/tales")
        text = tales("Once upon a time there was a little girl who lived in a house by the sea.")["input_ids"]
        compare(program, llama, "tales", ROOT / "models/tales", text, 24, tmp)
    return 0


if __name__ == "__main__":
    sys.exit(main())
