"""Writes tests/text/data/decoders.gz: what tokenizers 0.23.3 decodes to, for every decoder alone,
every pair and every triple of them in every order, and the chains of well-known tokenizers.

    python tools/oracle/decoders.py

Numbers are LEB128 varints, see tests/text/support.h. The file: the vocabulary (contents, a mark for
added tokens: 1 plain, 2 special), then the chains: the JSON of each, how many id lists it was asked
for and how long they are at most, and two hashes a list, without and with skipping of special
tokens. The lists come from a generator that tests/text/test_decode.c has too. Hash 0 stands for
"tokenizers panics": Strip does where it would cut more than a token has.
"""
import gzip
import itertools
import json
import os
import struct

import tokenizers
from tokenizers import Tokenizer
from fixture import string, varint

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "text", "data")
MASK = (1 << 64) - 1

COMMON = ["▁the", "the", "▁", "▁▁", "▁▁a", "a▁b", "aab", "ab", "aa", "a", "▂", "aaab▁", "Ġthe"]
COMMON += ["Ã", "©", "é", "日本", "\U0001f600", " ", "  x ", " y", "ĠĠ", "ĊĊ", "ãģĤ", "ã", "ģ"]
COMMON += ["x€", "<0xé>", "<0x1>", "<0x+1>", "<0x-1>", "<0xe9>", "<0x", "41>", "<0x041>", "a\u0300"]
COMMON += ["\n", "-", "b▁▁", "aaaa"]
RARE = ["", "b", "bb", "�", "\u0085", "\u3000", "ÿ", "Ń", "ń", "q" * 15, "w" * 16, "▁" * 40, "é" * 20]
ADDED = [("<s>", True), ("▁</s>", True), ("é<x>", True), ("▁new", False), ("<0x0D>x", False)]
CHARS = ["é", "日", "\U0001f600", "A"]


def byte_chars():
    shown = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xFF and b != 0xAD]
    rest = [b for b in range(256) if b not in shown]
    chars = {b: chr(b) for b in shown} | {b: chr(0x100 + i) for i, b in enumerate(rest)}
    return [chars[b] for b in range(256)]


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def strip(content, start, stop):
    return {"type": "Strip", "content": content, "start": start, "stop": stop}


def metaspace(scheme):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True}


def sequence(*parts):
    return {"type": "Sequence", "decoders": list(parts)}


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
FALLBACK, FUSE = {"type": "ByteFallback"}, {"type": "Fuse"}
PARTS = [BYTE_LEVEL, metaspace("always"), metaspace("never"), FALLBACK, FUSE]
PARTS += [replace("▁", " "), replace("aab", "▁a"), replace("a+|^", "-", "Regex"), replace("", "~")]
PARTS += [strip(" ", 1, 0), strip("b", 1, 1), strip("▁", 2, 0)]
OLD = {"type": "Metaspace", "str_rep": "▁", "replacement": "▁", "add_prefix_space": True}
KNOWN = [
    None,
    BYTE_LEVEL,
    sequence(replace("▁", " "), FALLBACK, FUSE, strip(" ", 1, 0)),  # Llama
    sequence(replace("▁", " "), FALLBACK, FUSE),  # Gemma
    sequence(FALLBACK, metaspace("first")),
    metaspace("always"),
    OLD,
    sequence(),
    sequence(sequence(BYTE_LEVEL), sequence(FUSE, sequence())),
    sequence(replace("\\s", "_", "Regex"), FUSE, replace("_+", " ", "Regex"), strip(" ", 3, 2)),
]


def vocabulary():
    chars = [c for c in byte_chars() if c not in COMMON + RARE]
    seen = COMMON + RARE + [f"<0x{b:02X}>" for b in range(256)] + chars
    assert len(seen) == len(set(seen))
    return seen


VOCAB = vocabulary()
IDS = {t: i for i, t in enumerate(VOCAB)}
SIZE = len(VOCAB) + len(ADDED)


class Draw:
    def __init__(self):
        self.state = 88172645463325252

    def __call__(self, n):
        s = self.state
        s ^= s << 13 & MASK
        s ^= s >> 7
        s ^= s << 17 & MASK
        self.state = s
        return s % n


def id_list(draw, n_most):
    """Common tokens, any tokens, and characters by their bytes in either spelling, some cut."""
    ids, chars = [], byte_chars()
    for _ in range(draw(n_most + 1)):
        kind = draw(8)
        if kind < 2:
            raw = CHARS[draw(len(CHARS))].encode()
            raw = raw[draw(4) == 0 :]
            raw = raw[: len(raw) - (draw(4) == 0)]
            ids += [IDS[chars[b] if kind else f"<0x{b:02X}>"] for b in raw]
        elif kind == 2:
            ids.append(draw(SIZE))
        elif kind == 3:
            ids.append(len(VOCAB) + draw(len(ADDED)))
        else:
            ids.append(draw(len(COMMON)))
    return ids


def fold_bytes(raw):
    h = 0xCBF29CE484222325
    for b in raw:
        h = ((h ^ b) * 0x100000001B3) & MASK
    return (h ^ h >> 32) & 0xFFFFFFFF


def open_with(decoder):
    flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False)
    added = [dict(id=len(VOCAB) + i, content=c, special=s, **flags) for i, (c, s) in enumerate(ADDED)]
    return Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": decoder,
        "model": {"type": "WordLevel", "vocab": IDS, "unk_token": "a"},
    }))  # fmt: skip


def answer(tokenizer, ids, skip):
    try:
        text = tokenizer.decode(ids, skip_special_tokens=skip)
    except BaseException as error:
        assert "Panic" in type(error).__name__, error
        return 0
    return fold_bytes(text.encode()) or 1


def main():
    assert tokenizers.__version__ == "0.23.3", tokenizers.__version__
    out = bytearray(varint(len(VOCAB)) + b"".join(string(t) for t in VOCAB))
    out += varint(len(ADDED)) + b"".join(string(t) + varint(1 + s) for t, s in ADDED)
    chains = [(d, 150, 24) for d in KNOWN] + [(d, 3, 2000) for d in KNOWN]
    chains += [(d, 60, 24) for d in PARTS] + [(d, 2, 2000) for d in PARTS]
    for n, lists in ((2, 20), (3, 6)):
        chains += [(sequence(*d), lists, 24) for d in itertools.product(PARTS, repeat=n)]
    chains += [(sequence(*d), 1, 2000) for d in itertools.product(PARTS, repeat=2)]
    chains += [(sequence(*d), 10, 3) for d in itertools.product(PARTS, repeat=2)]
    chains += [(sequence(FUSE, FALLBACK), 600, 2)]  # texts that are one byte token
    chains += [(sequence(FUSE, d), 6, 2000) for d in (replace("aabaaa", "-"), strip("▁", 1, 2))]
    chains += [(sequence(FUSE, strip("▁", 1, 2)), 200, 6)]
    draw, panics = Draw(), 0
    quiet = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic prints its stack
    out += varint(len(chains))
    for decoder, n_lists, n_most in chains:
        tokenizer = open_with(decoder)
        out += string(json.dumps(decoder, ensure_ascii=False)) + varint(n_lists) + varint(n_most)
        for _ in range(n_lists):
            ids = id_list(draw, n_most)
            for skip in (False, True):
                hashed = answer(tokenizer, ids, skip)
                panics += hashed == 0
                out += struct.pack("<I", hashed)
    os.dup2(quiet, 2)
    path = os.path.join(DATA, "decoders.gz")
    with open(path, "wb") as file, gzip.GzipFile(
        filename="", mode="wb", fileobj=file, mtime=0, compresslevel=9
    ) as packed:
        packed.write(out)
    print(f"{len(chains)} chains, {panics} panics, {os.path.getsize(path)} bytes -> {path}")


if __name__ == "__main__":
    main()
