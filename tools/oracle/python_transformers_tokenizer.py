"""Writes tests/python/expected/transformers_tokenizer.json.gz: what transformers 5.23.0 answers to calls of
tokenizers. The tokenizers are those of tests/python/transformers_tokenizers.py; the calls come from
python_fuzz_tokenizer.py, a few hundred of them, and stand in the file with their answers.

    python tools/oracle/python_transformers_tokenizer.py
"""
import gzip
import json
import os
import random
import sys
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import transformers

from python_calls import CHANGES, answer, call, quiet, text
from transformers_tokenizers import END, NAMES, about, asked_of, made

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "python", "expected",
                   "transformers_tokenizer.json.gz")
CALLS = 14
ASKED = ([0, 1, 4, 9], [0, 1, 3, 7], [0, 1, 2])  # characters, tokens, words


def record(tokenizer, method, args, kwargs):
    with quiet():
        said, value, warned = answer(getattr(tokenizer, method), *args, **kwargs)
    item = {"method": method, "args": args, "kwargs": kwargs, "answer": said}
    if warned:
        item["warnings"] = warned
    if method == "__call__" and not isinstance(said, str) and value.encodings and said.get("input_ids"):
        item["asked"] = asked_of(value, len(value.encodings) - 1, *ASKED)
    return item


def calls_of(name, tokenizer, rng):
    items = []
    while len(items) < CALLS:
        args, kwargs = call(rng)
        if kwargs.get("return_tensors") == "pt" or len(json.dumps(args)) > 260:
            continue
        items.append(record(tokenizer, "__call__", args, kwargs))
    for _ in range(3):
        items.append(record(tokenizer, "encode", [text(rng)], {}))
        items.append(record(tokenizer, "tokenize", [text(rng)], {}))
    n = len(tokenizer)
    for ids in (0, n - 1, n + 3, -1, [], [5, 1, 2], [[3, 4], [5]], [n - 1, 40, n + 9, 41],
                [rng.randrange(n) for _ in range(9)]):
        for skip in (False, True):
            items.append(record(tokenizer, "decode", [ids], {"skip_special_tokens": skip}))
    items.append(record(tokenizer, "batch_decode", [[[1, 2], [n - 1]]], {}))
    items.append(record(tokenizer, "convert_ids_to_tokens", [[0, n - 1, n + 4]], {}))
    items.append(record(tokenizer, "convert_ids_to_tokens", [3], {}))
    items.append(record(tokenizer, "convert_tokens_to_ids", [[END, "a", "no such token"]], {}))
    items.append(record(tokenizer, "convert_tokens_to_string", [tokenizer.convert_ids_to_tokens([3, 4, 5, n - 1])], {}))
    for kwargs in ({}, {"padding": "max_length", "max_length": 6}, {"pad_to_multiple_of": 4, "padding_side": "left"}):
        items.append(record(tokenizer, "pad", [{"input_ids": [[1, 2, 3], [4]]}], {**kwargs, "return_tensors": "np"}))
    return items


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    warnings.simplefilter("ignore")
    result = {"transformers": transformers.__version__, "asked": ASKED, "changes": CHANGES, "tokenizers": {}}
    with made() as folders:
        for name, (folder, kwargs) in folders.items():
            rng = random.Random(name)
            with quiet():
                tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **kwargs)
                entry = {"about": about(tokenizer), "calls": calls_of(name, tokenizer, rng)}
                entry["changed"] = [answer(getattr(tokenizer, method), *args)[0] for method, args in CHANGES]
                entry["about_changed"] = about(tokenizer)
                entry["calls_changed"] = [record(tokenizer, "__call__", [value], {"padding": True, "return_tensors": "np"})
                                          for value in ("a <new> [PAD]b hello", ["x<x1>", "y z <cls>"])]
            result["tokenizers"][name] = entry
    text_ = json.dumps(result, separators=(",", ":"))
    with open(OUT, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as packed:
        packed.write(text_.encode())
    print(os.path.getsize(OUT), "bytes")


if __name__ == "__main__":
    sys.exit(main())
