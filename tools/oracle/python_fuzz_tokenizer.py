"""Asks the same random calls of transformers 5.23.0's tokenizers and of nextoken.transformers', and compares
every answer: ids, masks, offsets, overflowing windows, words, tokens, decodings, errors.

    PYTHONPATH=BUILD/python python tools/oracle/python_fuzz_tokenizer.py [--calls N] [--seed N] [--only NAME]

Nothing is written; the first differences are printed, and the number of calls compared.
"""
import argparse
import os
import random
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
os.environ["RUST_BACKTRACE"] = "0"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import numpy as np
import transformers as theirs

import nextoken.transformers as ours
from python_calls import answer, call, quiet, text
from transformers_tokenizers import NAMES, about, asked_of, made

# ---- Answers -----------------------------------------------------------------------------------


def asked(encoding, seed):
    """What a BatchEncoding says of a row, at random places."""
    rng = random.Random(seed)
    row = rng.randrange(len(encoding.encodings))
    return asked_of(encoding, row, *([rng.randrange(n) for _ in range(3)] for n in (30, 12, 8)))


# ---- Calls --------------------------------------------------------------------------------------


def ids_of(rng, n):
    kind = rng.random()
    if kind < 0.2:
        return rng.randrange(n)
    if kind < 0.25:
        return rng.choice([-1, n + 5, 2**31, 2**33])
    row = [rng.randrange(n if rng.random() < 0.97 else n + 50) for _ in range(rng.randrange(0, 12))]
    if kind < 0.5:
        return row
    if kind < 0.6:
        return np.array(row, dtype=np.int64)
    if kind < 0.7:
        import torch

        return torch.tensor(row, dtype=torch.int64)
    rows = [row, row[::-1], row]
    return rows if kind < 0.85 else np.array(rows, dtype=np.int64)


def one_call(rng, a, b):
    """(description, their answer, our answer) of one random call."""
    kind = rng.random()
    if kind < 0.68:
        args, kwargs = call(rng)
        theirs_, their_value, their_warnings = answer(a, *args, **kwargs)
        ours_, our_value, our_warnings = answer(b, *args, **kwargs)
        if not isinstance(theirs_, str) and not isinstance(ours_, str):
            seed = rng.random()
            if theirs_.get("input_ids") and their_value.encodings:
                theirs_ = [theirs_, asked(their_value, seed), their_warnings]
                ours_ = [ours_, asked(our_value, seed), our_warnings]
        return ("call", args, kwargs), theirs_, ours_
    if kind < 0.73:
        args, kwargs = call(rng)
        for name in ("return_overflowing_tokens", "return_length", "return_offsets_mapping"):
            kwargs.pop(name, None)
        return ("encode", args, kwargs), answer(a.encode, *args, **kwargs)[0], answer(b.encode, *args, **kwargs)[0]
    if kind < 0.78:
        args = [text(rng)]
        return ("tokenize", args, {}), answer(a.tokenize, *args)[0], answer(b.tokenize, *args)[0]
    if kind < 0.9:
        args = [ids_of(rng, len(a))]
        kwargs = {"skip_special_tokens": rng.random() < 0.5} if rng.random() < 0.7 else {}
        if rng.random() < 0.1:
            kwargs["clean_up_tokenization_spaces"] = True
        name = rng.choice(["decode", "decode", "batch_decode"])
        return (name, args, kwargs), answer(getattr(a, name), *args, **kwargs)[0], \
            answer(getattr(b, name), *args, **kwargs)[0]
    if kind < 0.94:
        args = [ids_of(rng, len(a))]
        return ("convert_ids_to_tokens", args, {}), answer(a.convert_ids_to_tokens, *args)[0], \
            answer(b.convert_ids_to_tokens, *args)[0]
    if kind < 0.97:
        vocabulary = sorted(a.get_vocab())
        args = [[rng.choice(vocabulary) if rng.random() < 0.9 else text(rng) for _ in range(rng.randrange(0, 8))]]
        name = rng.choice(["convert_tokens_to_ids", "convert_tokens_to_string"])
        return (name, args, {}), answer(getattr(a, name), *args)[0], answer(getattr(b, name), *args)[0]
    rows = [[rng.randrange(len(a)) for _ in range(rng.randrange(1, 6))] for _ in range(rng.randrange(1, 4))]
    inputs = {"input_ids": rows}
    if rng.random() < 0.5:
        inputs["attention_mask"] = [[1] * len(row) for row in rows]
    kwargs = {"padding": rng.choice([True, "max_length", False]), "return_tensors": rng.choice([None, "np", "pt"])}
    if rng.random() < 0.5:
        kwargs["max_length"] = rng.choice([6, 8])
    if rng.random() < 0.3:
        kwargs["pad_to_multiple_of"] = 4
    if rng.random() < 0.3:
        kwargs["padding_side"] = rng.choice(["left", "right"])
    return ("pad", [rows], kwargs), answer(a.pad, dict(inputs), **kwargs)[0], answer(b.pad, dict(inputs), **kwargs)[0]


def about_both(a, b):
    """What differs of what they say of themselves."""
    one = [{**about(x), "vocab": x.get_vocab()} for x in (a, b)]
    differ = [key for key in one[0] if one[0][key] != one[1][key]]
    return tuple({key: x[key] if key != "vocab" else len(x[key]) for key in differ} for x in one)


def known(question, a, ours_):
    """Where nextoken differs on purpose: it refuses a max_length that has no room for the special tokens, which
    tokenizers passes over in silence, and tokens that are none to a decoder that is not byte-level."""
    method, args, kwargs = question
    if method in ("call", "encode") and ours_ == "error: ValueError" and kwargs.get("add_special_tokens", True):
        most = max(a.num_special_tokens_to_add(pair) for pair in (False, True))
        return kwargs.get("max_length") is not None and kwargs["max_length"] < most
    return method == "convert_tokens_to_string" and ours_ == "error: NotImplementedError"


def change(rng, tokenizer, seed):
    """A change that people make of a tokenizer."""
    kind = random.Random(seed).randrange(6)
    if kind == 0:
        return tokenizer.add_tokens(["<new>", "hello", "<new>"])
    if kind == 1:
        return tokenizer.add_special_tokens({"pad_token": "[PAD]", "cls_token": "<cls>"})
    if kind == 2:
        tokenizer.pad_token = tokenizer.eos_token
        return tokenizer.pad_token
    if kind == 3:
        return tokenizer.add_special_tokens({"extra_special_tokens": ["<x1>", "<x2>"]})
    if kind == 4:
        tokenizer.pad_token_id = 1
        tokenizer.padding_side = "left"
        return tokenizer.pad_token
    tokenizer.truncation_side = "left"
    return tokenizer.add_tokens("word", special_tokens=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--show", type=int, default=12)
    options = parser.parse_args()
    assert theirs.__version__ == "5.23.0", theirs.__version__
    n = wrong = refused = 0
    with made([options.only] if options.only else NAMES) as folders:
        for name, (folder, kwargs) in folders.items():
            rng = random.Random(f"{options.seed} {name}")
            with quiet():
                pairs = [answer(kind.AutoTokenizer.from_pretrained, folder, **kwargs) for kind in (theirs, ours)]
            a, b = pairs[0][1], pairs[1][1]
            if a is None or b is None:
                if (a is None) != (b is None):
                    try:
                        (theirs if a is None else ours).AutoTokenizer.from_pretrained(folder, **kwargs)
                    except Exception as error:
                        print(f"{name}: opens in one only: {'theirs' if a is None else 'ours'} says {error}")
                    wrong += 1
                continue
            bad = 0
            count = options.calls // len(folders)
            for i in range(count):
                if i == count * 2 // 3:
                    seed = rng.random()
                    with quiet():
                        one = answer(change, rng, a, seed)[0], answer(change, rng, b, seed)[0]
                    question = ("change", seed, {})
                elif i in (0, count * 2 // 3 + 1):
                    one, question = about_both(a, b), ("about", name, {})
                else:
                    with quiet():
                        question, *one = one_call(rng, a, b)
                n += 1
                if one[0] != one[1] and known(question, a, one[1]):
                    refused += 1
                elif one[0] != one[1]:
                    bad += 1
                    if bad <= options.show:
                        print(f"{name}: {question}\n    theirs {str(one[0])[:700]}\n    ours   {str(one[1])[:700]}")
            wrong += bad
            print(f"{name}: {count} calls, {bad} differ", flush=True)
    print(f"{n} calls compared, {wrong} differ; {refused} are refused on purpose")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
