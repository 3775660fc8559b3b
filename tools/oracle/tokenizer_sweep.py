"""The long comparison of nextoken's tokenizer with tokenizers 0.23.3: every code point, many random texts
for each pipeline, and a corpus. Prints one line a pipeline; docs/tokenizer.md keeps the figures.

    python tools/oracle/tokenizer_sweep.py build/release/libnextoken.so [--strings 100000] [--made 5000]
        [--corpus FILE] [--only NAME]

Compared are ids, contents, offsets in characters, type ids, masks, windows and both decodings.
"""

import argparse
import ctypes
import itertools
import json
import os
import random
import tempfile
import time

os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import Tokenizer

import pipelines
from tokenizer_files import PANIC, REFUSED, UNKNOWN, answer, drops, dropping, gpt2_merges, quiet
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

    def answers(self, texts, pairs):
        """For each of them (windows, texts); or the message of the one error that there is."""
        options = Options(size=ctypes.sizeof(Options), pad_id=-1, offsets=True, marks=True, trim_offsets=True)
        inputs, out = (Input * len(texts))(), (P(Encoding) * len(texts))()
        raws = [(t.encode(), None if p is None else p.encode()) for t, p in zip(texts, pairs)]
        for source, (raw, pair) in zip(inputs, raws):
            source.text, source.n_text, source.pair, source.n_pair = raw, len(raw), pair, len(pair or b"")
        n = ctypes.c_size_t(len(texts))
        if self.c.nt_encoder_run(out, self.encoder, inputs, n, ctypes.byref(options)) != 0:
            return self.library.error()
        results = []
        for at, (raw, pair) in zip(out, raws):
            first, windows, places = at, [], (characters(raw), characters(pair or b""))
            while at:
                windows.append(window(at.contents, places))
                at = at.contents.overflow
            self.c.nt_encoding_free(first)
            results.append((windows, [self.decode(windows[0][0], skip) for skip in (False, True)]))
        return results


def window(e, places):
    n = e.n
    marks = e.marks[:n]
    offsets = []
    for start, end, mark in zip(e.starts[:n], e.ends[:n], marks):
        down, up = places[(mark & 4) >> 2]
        offsets.append((down[start], up[end]))
    return e.ids[:n], offsets, e.types[:n], [int(m & 3 != 0) for m in marks], [int(not m & 2) for m in marks]


def characters(raw):
    """For each byte offset the character that it begins in, and the one before which it ends, outwards."""
    if raw.isascii():
        same = range(len(raw) + 1)
        return same, same
    down, up, n = [], [], 0
    for b in raw:
        if b & 0xC0 != 0x80:
            n += 1
            up.append(n - 1)
        else:
            up.append(n)
        down.append(n - 1)
    return down + [n], up + [n]


def theirs_of(windows):
    return [(w.ids, w.offsets, w.type_ids, w.special_tokens_mask, w.attention_mask) for w in windows]


class Count:
    def __init__(self):
        self.compared = self.refused = self.panics = self.different = 0
        self.shown = []

    def show(self, text, pair, mine, wanted):
        self.different += 1
        if len(self.shown) < 5:
            self.shown.append((text, pair, mine, wanted))


def compare_one(count, ours, theirs, marker, text, pair):
    with quiet():
        h, found = answer(theirs, text, pair)
        if h != PANIC and drops(marker, text, pair):
            h = REFUSED
    mine = ours.answers([text], [pair])
    if h == PANIC:
        count.panics += 1
        return
    count.compared += 1
    if h == REFUSED:
        count.refused += 1
        if not isinstance(mine, str):
            count.show(text, pair, mine, "refused")
        return
    wanted = (theirs_of(found[0]), found[1])
    if isinstance(mine, str) or mine[0] != wanted:
        count.show(text, pair, mine, wanted)


def compare(count, ours, theirs, marker, texts, pairs):
    """Many at once; one by one where something stands out."""
    mine = ours.answers(texts, pairs)
    wanted = None
    if not isinstance(mine, str) and not theirs.padding:
        try:
            with quiet():
                if marker and any(marker.token_to_id(UNKNOWN) in e.ids for e in marker.encode_batch_fast(texts + [p or "" for p in pairs])):
                    raise ValueError("some are to be refused")
                found = theirs.encode_batch([t if p is None else (t, p) for t, p in zip(texts, pairs)])
                ids = [e.ids for e in found]
                decoded = [theirs.decode_batch(ids, skip_special_tokens=skip) for skip in (False, True)]
            wanted = [(theirs_of([e, *e.overflowing]), list(both)) for e, both in zip(found, zip(*decoded))]
        except BaseException:
            wanted = None
    if wanted is None:
        for text, pair in zip(texts, pairs):
            compare_one(count, ours, theirs, marker, text, pair)
        return
    count.compared += len(texts)
    for text, pair, a, b in zip(texts, pairs, mine, wanted):
        if a != b:
            count.show(text, pair, a, b)


def compare_all(count, ours, theirs, marker, texts, size=2048):
    """texts: an iterator of (text, pair)."""
    while batch := list(itertools.islice(texts, size)):
        compare(count, ours, theirs, marker, *map(list, zip(*batch)))


def compare_contents(count, ours, theirs):
    for i in range(theirs.get_vocab_size() + 100):
        if ours.content(i) != theirs.id_to_token(i):
            count.show("id %d" % i, None, ours.content(i), theirs.id_to_token(i))


def code_points(every):
    """All that Unicode has assigned, alone and between letters; of the empty planes every so many."""
    dense = itertools.chain(range(0x32400), range(0xE0000, 0xE1000))
    for code in itertools.chain(dense, range(0x32400, 0x110000, every)):
        if not 0xD800 <= code < 0xE000:
            yield chr(code), None
            yield "a" + chr(code) + "b", None


def strings(rng, pipeline, n):
    for i in range(n):
        yield nasty(rng, pipelines.fragments(pipeline)), nasty(rng, []) if i % 16 == 15 else None


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
    compare_contents(count, ours, theirs)
    if family and arguments.every:
        compare_all(count, ours, theirs, marker, code_points(arguments.every))
    rng = random.Random(number * 7919 + arguments.seed)
    compare_all(count, ours, theirs, marker, strings(rng, pipeline, arguments.strings if family else arguments.made))
    if family and arguments.corpus:
        with open(arguments.corpus, encoding="utf-8") as f:
            corpus = f.read(arguments.characters)
        parts = ((corpus[at : at + 100000], None) for at in range(0, len(corpus), 100000))
        compare_all(count, ours, theirs, marker, parts, 8)
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
    parser.add_argument("--every", type=int, default=97, help="every so many code points of the empty planes")
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
