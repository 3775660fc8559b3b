"""Random calls of tokenizers, for python_fuzz_tokenizer.py and python_transformers_tokenizer.py."""

import contextlib
import os
import random
import sys
import warnings

from tokenizer_texts import PROMPTS, nasty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "python"))
from transformers_tokenizers import END, error_of, plain

TEXTS = [
    "", " ", "  ", "\n", "Hello world", " Hello  world ", "a", "naïve café", "e\u0301te\u0301", "日本語 テキスト", "한국어",
    "🤗", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "مرحبا بالعالم", "\u200b\u200d", "\x00\x01\x1f\x7f", "\x1c \x1d\x85x", "a\tb\r\nc",
    END, f"a {END} b", f"{END}{END}x", "<|endoftext", "don't we'll I'VE", "x" * 70, "1234567890 3.14", "\u00a0nbsp\u3000wide ",
    "<s> </s> <unk> <pad>", "ǅ ﬁ Ⅷ ½", "\U0001F3FB\u0308", "A long long time ago, ", " \n \n  end  \n",
]
# What people do to a tokenizer, in this order.
CHANGES = [
    ["add_tokens", [["<new>", "hello", "<new>", ""]]],
    ["add_special_tokens", [{"pad_token": "[PAD]", "cls_token": "<cls>"}]],
    ["add_special_tokens", [{"extra_special_tokens": ["<x1>", "<x2>"]}]],
    ["add_tokens", ["word", True]],
    ["add_special_tokens", [{"nonsense_token": "<n>"}]],
    ["add_tokens", [[3]]],
]
CHOICES = {
    "padding": [True, "longest", "max_length", False, "do_not_pad", "wrong"],
    "truncation": [True, "longest_first", "only_first", "only_second", False, "do_not_truncate", None, "wrong"],
    "max_length": [0, 1, 2, 3, 5, 8, 16, 30],
    "stride": [0, 1, 2, 4],
    "pad_to_multiple_of": [2, 4, 8],
    "padding_side": ["left", "right"],
    "return_tensors": ["np", "pt"],
    "return_token_type_ids": [True, False],
    "return_attention_mask": [True, False],
    "return_overflowing_tokens": [True],
    "return_special_tokens_mask": [True],
    "return_offsets_mapping": [True],
    "return_length": [True],
    "add_special_tokens": [True, False],
    "split_special_tokens": [True, False],
    "verbose": [True, False],
}


def answer(function, *args, **kwargs):
    """(the answer in a form that compares, the value itself, warnings)"""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = function(*args, **kwargs)
        return plain(value), value, [str(w.message) for w in caught]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return error_of(error), None, []


def text(rng):
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(TEXTS)
    if kind < 0.6:
        return rng.choice(TEXTS) + rng.choice(TEXTS)
    if kind < 0.7:
        return rng.choice(PROMPTS)
    return nasty(rng, ["<new>", "<x1>", "<pad>", "word"])


def words(rng):
    return [text(rng) for _ in range(rng.randrange(0, 6))]


def call(rng):
    """(positional arguments, keywords) of a call of a tokenizer."""
    split = rng.random() < 0.15
    one = words if split else text
    kind = rng.random()
    kwargs = {}
    if kind < 0.35:
        args = [one(rng)]
    elif kind < 0.5:
        args = [one(rng), one(rng)]
    else:
        n = rng.randrange(0 if rng.random() < 0.05 else 1, 5)
        args = [[one(rng) for _ in range(n)]]
        if kind > 0.75:
            args.append([one(rng) for _ in range(n)])
        elif kind > 0.7:
            args = [[[one(rng), one(rng)] for _ in range(n)]]
    if split:
        kwargs["is_split_into_words"] = True
    for name, values in CHOICES.items():
        if rng.random() < 0.3:
            value = rng.choice(values)
            if value == "wrong" and rng.random() < 0.8:
                continue
            kwargs[name] = value
    return args, kwargs


@contextlib.contextmanager
def quiet():
    """The oracle's panics write to file descriptor 2."""
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def randomly(seed):
    return random.Random(seed)
