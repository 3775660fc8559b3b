"""The long comparison of nextoken's tokenizer with tokenizers 0.23.3: every code point, many random texts
for each pipeline, and a corpus. Prints one line a pipeline; docs/tokenizer.md keeps the figures.

    python tools/oracle/tokenizer_sweep.py build/release/libnextoken.so [--strings 100000] [--made 5000]
        [--corpus FILE] [--only NAME]

Compared are ids, contents, offsets in characters, type ids, masks, windows and both decodings.
"""

import argparse
import ctypes
import json
import os
import random
import tempfile
import time

os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import Tokenizer

import pipelines
from tokenizer_files import PANIC, REFUSED, answer, drops, dropping, gpt2_merges, quiet
from tokenizer_texts import nasty

P = ctypes.POINTER


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t), ("add_bos", ctypes.c_bool), ("split_special_tokens", ctypes.c_bool),
        ("add_prefix_space", ctypes.c_int), ("add_special_tokens", ctypes.c_int), ("truncation", ctypes.c_int),
        ("padding", ctypes.c_int), ("max_length", ctypes.c_size_t), ("stride", ctypes.c_size_t),
        ("truncate_left", ctypes.c_bool), ("pad_length", ctypes.c_size_t), ("pad_multiple", ctypes.c_size_t),
        ("pad_left", ctypes.c_bool), ("pad_id", ctypes.c_int32), ("offsets", ctypes.c_bool),
        ("marks", ctypes.c_bool), ("trim_offsets", ctypes.c_bool),
    ]


class Input(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("n_text", ctypes.c_size_t), ("pair", ctypes.c_char_p), ("n_pair", ctypes.c_size_t)]


class Encoding(ctypes.Structure):
    pass


Encoding._fields_ = [
    ("n", ctypes.c_size_t), ("ids", P(ctypes.c_int32)), ("starts", P(ctypes.c_uint32)), ("ends", P(ctypes.c_uint32)),
    ("marks", P(ctypes.c_uint8)), ("types", P(ctypes.c_uint32)), ("overflow", P(Encoding)),
]


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.nt_error_message.restype = ctypes.c_char_p
        self.c.nt_tokenizer_content.restype = ctypes.c_void_p
        self.c.nt_tokenizer_free.argtypes = self.c.nt_encoder_free.argtypes = [ctypes.c_void_p]

    def error(self):
        return self.c.nt_error_message().decode("utf-8", "replace")


class Ours:
    """One tokenizer.json in nextoken, answering as tokenizers does."""

    def __init__(self, library, text):
        self.library, self.c = library, library.c
        self.tokenizer, self.encoder = ctypes.c_void_p(), ctypes.c_void_p()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tokenizer.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            if self.c.nt_tokenizer_open(ctypes.byref(self.tokenizer), path.encode()) != 0:
                raise ValueError(library.error())
        assert self.c.nt_encoder_new(ctypes.byref(self.encoder), self.tokenizer, None) == 0
        self.contents = {}

    def close(self):
        self.c.nt_encoder_free(self.encoder)
        self.c.nt_tokenizer_free(self.tokenizer)

    def content(self, i):
        if i not in self.contents:
            n = ctypes.c_size_t()
            at = self.c.nt_tokenizer_content(self.tokenizer, i, ctypes.byref(n))
            self.contents[i] = ctypes.string_at(at, n.value).decode() if at else None
        return self.contents[i]

    def decode(self, ids, skip):
        text, n = ctypes.c_void_p(), ctypes.c_size_t()
        array = (ctypes.c_int32 * len(ids))(*ids)
        status = self.c.nt_decode(ctypes.byref(text), ctypes.byref(n), self.tokenizer, array, ctypes.c_size_t(len(ids)), ctypes.c_bool(skip))
        if status != 0:
            return self.library.error()
        result = ctypes.string_at(text, n.value).decode()
        self.c.nt_free(text)
        return result

    def answer(self, text, pair):
        """(windows, texts), or the message of an error."""
        options = Options(size=ctypes.sizeof(Options), pad_id=-1, offsets=True, marks=True, trim_offsets=True)
        raw, raw_pair = text.encode(), None if pair is None else pair.encode()
        source = Input(raw, len(raw), raw_pair, len(raw_pair or b""))
        out = P(Encoding)()
        status = self.c.nt_encoder_run(ctypes.byref(out), self.encoder, ctypes.byref(source), ctypes.c_size_t(1), ctypes.byref(options))
        if status != 0:
            return self.library.error()
        windows, at = [], out
        while at:
            windows.append(self.window(at.contents, characters(raw), characters(raw_pair or b"")))
            at = at.contents.overflow
        self.c.nt_encoding_free(out)
        ids = [token[0] for token in windows[0]]
        return windows, [self.decode(ids, skip) for skip in (False, True)]

    def window(self, e, starts_a, starts_b):
        tokens = []
        for i in range(e.n):
            mark = e.marks[i]
            before = starts_b if mark & 4 else starts_a
            start, end = before[0][e.starts[i]], before[1][e.ends[i]]
            padding = mark & 2
            tokens.append((e.ids[i], start, end, e.types[i], int(mark & 3 != 0), int(not padding), None if padding else self.content(e.ids[i])))
        return tokens


def characters(raw):
    """For each byte offset the character that it begins in, and the one before which it ends, outwards."""
    down, up, n = [], [], 0
    for i, b in enumerate(raw):
        if b & 0xC0 != 0x80:
            n += 1
            up.append(n - 1)
        else:
            up.append(n)
        down.append(n - 1)
    return down + [n], up + [n]


def theirs_of(tokenizer, windows):
    return [
        [
            (i, start, end, kind, special, attention, tokenizer.id_to_token(i) if attention else None)
            for i, (start, end), kind, special, attention in zip(
                w.ids, w.offsets, w.type_ids, w.special_tokens_mask, w.attention_mask
            )
        ]
        for w in windows
    ]


class Count:
    def __init__(self):
        self.compared = self.refused = self.panics = self.different = 0
        self.shown = []


def compare(count, ours, theirs, marker, text, pair=None):
    with quiet():
        h, found = answer(theirs, text, pair)
        if h != PANIC and drops(marker, text, pair):
            h = REFUSED
    mine = ours.answer(text, pair)
    if h == PANIC:
        count.panics += 1
        return
    count.compared += 1
    if h == REFUSED:
        count.refused += 1
        good = isinstance(mine, str)
    else:
        windows, texts = found
        good = not isinstance(mine, str) and mine == (theirs_of(theirs, windows), texts)
    if not good:
        count.different += 1
        if len(count.shown) < 5:
            count.shown.append((text, pair, mine, "refused" if h == REFUSED else (theirs_of(theirs, found[0]), found[1])))


def code_points(step=1):
    for code in range(0, 0x110000, step):
        if not 0xD800 <= code < 0xE000:
            yield chr(code)


def sweep(library, models, number, pipeline, arguments, family):
    name, model, sections = pipeline
    text = json.dumps(sections | {"model": models[model]})
    theirs, marker, count = Tokenizer.from_str(text), dropping(sections, models[model]), Count()
    try:
        ours = Ours(library, text)
    except ValueError as error:
        print("%-14s does not open: %s" % (name, error))
        return 1
    began = time.time()
    if family:  # all code points, 64 texts of them at a time: alone between line ends, and between letters
        for c in code_points(arguments.step):
            compare(count, ours, theirs, marker, c)
            compare(count, ours, theirs, marker, "a" + c + "b")
    rng = random.Random(number * 7919 + arguments.seed)
    for i in range(arguments.strings if family else arguments.made):
        pair = nasty(rng, []) if i % 16 == 15 else None
        compare(count, ours, theirs, marker, nasty(rng, pipelines.fragments(pipeline)), pair)
    if family and arguments.corpus:
        with open(arguments.corpus, encoding="utf-8") as f:
            corpus = f.read(arguments.characters)
        for at in range(0, len(corpus), 100000):
            compare(count, ours, theirs, marker, corpus[at : at + 100000])
    ours.close()
    print("%-14s %8d compared, %6d refused by both, %5d on which tokenizers panics, %d different (%.0f s)"
          % (name, count.compared, count.refused, count.panics, count.different, time.time() - began), flush=True)
    for text, pair, mine, wanted in count.shown:
        print("   ", ascii(text), ascii(pair), "\n      ours  ", ascii(mine), "\n      theirs", ascii(wanted))
    return count.different


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--strings", type=int, default=100000, help="texts for each family")
    parser.add_argument("--made", type=int, default=2000, help="texts for each random combination")
    parser.add_argument("--step", type=int, default=1, help="every so many code points")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus")
    parser.add_argument("--characters", type=int, default=4000000)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    library = Library(arguments.library)
    models = pipelines.models(gpt2_merges())
    made = pipelines.pipelines(models)
    n_families = len(pipelines.families(models))
    different = 0
    for number, pipeline in enumerate(made):
        if arguments.only in (None, pipeline[0]):
            different += sweep(library, models, number, pipeline, arguments, number < n_families)
    print("%d differences" % different)
    return different != 0


if __name__ == "__main__":
    raise SystemExit(main())
