"""Writes tests/text/data/subword.gz: what the models of tokenizers 0.23.3 make of random words with
random small vocabularies: BPE with all of its options alone and together, WordLevel, Unigram.

    python tools/oracle/subword.py

Numbers are LEB128 varints, strings have their length before them; see tests/text/test_subword.c.
"""
import gzip
import os
import random
import struct

from tokenizers.models import BPE, Unigram, WordLevel
from fixture import string, varint

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "tests", "text", "data", "subword.gz")
CHARS = ["a", "b", "c", "\u2581", "\u2581", "é", "中", "😀", "#", "/", "\u0100"]
N_BPE, N_UNIGRAM, N_WORD_LEVEL, N_WORDS = 120, 50, 4, 24
BPE_KIND, WORD_LEVEL_KIND, UNIGRAM_KIND = range(3)
FALLBACK, FUSE, IGNORE = 1, 2, 4
FAILS = 1


def write_words(model, words, fails):
    """fails(word): tokenizers leaves something out in silence, where nextoken refuses."""
    out = bytearray(varint(len(words)))
    for word in words:
        out += string(word)
        try:
            tokens = None if fails(word) else model.tokenize(word)
        except Exception:  # tokenizers refuses it too
            tokens = None
        out += varint(FAILS if tokens is None else 0)
        if tokens is not None:
            out += varint(len(tokens))
            for token in tokens:
                out += varint(token.id) + varint(token.offsets[0]) + varint(token.offsets[1])
    return bytes(out)


def random_word(r, chars, pieces, longest):
    word = ""
    n = r.randint(1, longest)
    while len(word) < n:
        word += r.choice(pieces) if pieces and r.random() < 0.3 else r.choice(chars)
    return word


def random_words(r, pieces, longest=24):
    chars = r.sample(CHARS, r.randint(2, len(CHARS)))
    words = [random_word(r, chars, pieces, longest) for _ in range(N_WORDS)]
    words += pieces[:5] + ["<unk>", "a<unk>中"]
    if r.random() < 0.15:
        words.append(random_word(r, chars, pieces, 700) + "\u2581" + random_word(r, chars, [], 300))
    return [w for w in words if w]


def byte_tokens(r, share):
    wanted = {b for c in CHARS for b in c.encode()}
    return [f"<0x{b:02X}>" for b in sorted(wanted) if r.random() < share]


def bpe(r):
    prefix = r.choice([None, None, None, "##", "\u0100"])
    suffix = r.choice([None, None, None, "/", "</w>"])
    unk = r.choice(["<unk>", "<unk>", "<unk>", None, None, "\u2581", "<absent>"])
    fallback = r.random() < 0.4
    vocab = []

    def add(token):
        if token not in vocab:
            vocab.append(token)

    everything = unk is None and r.random() < 0.7
    for c in dict.fromkeys(CHARS):
        for before in ("", prefix or ""):
            for behind in ("", suffix or ""):
                if everything or r.random() < 0.7:
                    add(before + c + behind)
    if unk and unk != "<absent>":
        add(unk)
    if fallback:
        for token in byte_tokens(r, r.choice([1, 1, 0.9])):
            add(token)
    r.shuffle(vocab)
    merges = []
    for _ in range(r.choice([0, 10, 40, 80])):
        left, right = r.choice(vocab), r.choice(vocab)
        if prefix and not right.startswith(prefix):
            continue
        if r.random() < 0.6 and right.startswith("\u2581") and not left.endswith("\u2581"):
            continue  # so that often no token has it behind another character
        whole = left + right[len(prefix) if prefix else 0 :]
        if len(whole) > 12 or (left, right) in merges:
            continue
        add(whole)
        merges.append((left, right))
    r.shuffle(merges)
    fuse, ignore = r.random() < 0.4, r.random() < 0.3
    ids = {token: i for i, token in enumerate(vocab)}
    options = {
        "unk_token": unk,
        "continuing_subword_prefix": prefix,
        "end_of_word_suffix": suffix,
        "fuse_unk": fuse,
        "byte_fallback": fallback,
        "ignore_merges": ignore,
    }
    model = BPE(ids, merges, **{k: v for k, v in options.items() if v is not None})

    def fails(word):
        if unk is not None or (ignore and word in ids):
            return False
        for i, c in enumerate(word):
            c = (prefix or "" if i else "") + c + (suffix or "" if i == len(word) - 1 else "")
            known = c in ids or (fallback and all(f"<0x{b:02X}>" in ids for b in c.encode()))
            if not known:
                return True
        return False

    out = varint(BPE_KIND) + varint(len(vocab)) + b"".join(map(string, vocab))
    out += varint(ids[unk] + 1 if unk in ids else 0)
    out += varint(FALLBACK * fallback + FUSE * fuse + IGNORE * ignore)
    out += string(prefix or "") + string(suffix or "") + varint(len(merges))
    for left, right in merges:
        whole = left + right[len(prefix) if prefix else 0 :]
        out += varint(ids[left]) + varint(ids[right]) + varint(ids[whole])
    return out + write_words(model, random_words(r, [v for v in vocab if v]), fails)


def word_level(r):
    vocab = list(dict.fromkeys(random_word(r, CHARS, [], 3) for _ in range(20)))
    unk = r.random() < 0.5
    if unk:
        vocab.append("<unk>")
    r.shuffle(vocab)
    ids = {token: i for i, token in enumerate(vocab)}
    model = WordLevel(ids, unk_token="<unk>")
    out = varint(WORD_LEVEL_KIND) + varint(len(vocab)) + b"".join(map(string, vocab))
    out += varint(ids["<unk>"] + 1 if unk else 0)
    return out + write_words(model, random_words(r, vocab, 3), lambda word: False)


def unigram(r):
    vocab = [c for c in dict.fromkeys(CHARS) if r.random() < 0.7]
    for _ in range(r.choice([3, 20, 60])):
        token = random_word(r, CHARS[: r.randint(2, len(CHARS))], vocab, 5)
        if token not in vocab:
            vocab.append(token)
    fallback = r.random() < 0.4
    if fallback:
        vocab += byte_tokens(r, r.choice([1, 1, 0.9]))
    if r.random() < 0.8:
        vocab.append("<unk>")
    r.shuffle(vocab)
    unk = vocab.index("<unk>") if "<unk>" in vocab and r.random() < 0.9 else None
    score = r.choice(
        [
            lambda: -r.randint(1, 4),  # many ties
            lambda: -r.random() * 12,
            lambda: r.choice([-0.1, -0.2, -0.3, -0.6]),  # sums that differ by rounding only
            lambda: r.randint(5, 25),  # unknown ones can be the better way
        ]
    )
    scores = [float(score()) for _ in vocab]
    model = Unigram(list(zip(vocab, scores)), unk, fallback)
    out = varint(UNIGRAM_KIND) + varint(len(vocab)) + b"".join(map(string, vocab))
    out += varint(0 if unk is None else unk + 1) + varint(FALLBACK * fallback)
    out += b"".join(struct.pack("<d", s) for s in scores)
    return out + write_words(model, random_words(r, vocab), lambda word: False)


def main():
    r = random.Random(5)
    models = [bpe(r) for _ in range(N_BPE)] + [unigram(r) for _ in range(N_UNIGRAM)]
    models += [word_level(r) for _ in range(N_WORD_LEVEL)]
    with open(OUT, "wb") as out:
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as f:
            f.write(varint(len(models)) + b"".join(models))


main()
