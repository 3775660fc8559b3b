"""The corpus as token ids: prepared once, then cut into windows anew for every epoch.

python3 data.py --corpus ../shared/corpus --vocabulary models/gpt2 --made made.txt --out RUN/data

writes, as NumPy arrays: clean.npy, dropped.npy (the same paragraphs, with BPE dropout), where each
paragraph begins in both, and valid.npy. uint16 holds every id of GPT-2's vocabulary.
"""
import argparse
import lzma
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

END = 50256  # <|endoftext|>: before every book
BPE_DROPOUT = 0.08


def tokenizer(vocabulary, dropout=None):
    folder = Path(vocabulary)
    made = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"), dropout=dropout))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def read_text(path):
    path = Path(path)
    return lzma.open(path, "rt", encoding="utf-8").read() if path.suffix == ".xz" else path.read_text(encoding="utf-8")


def paragraphs(text):
    """The books' paragraphs: (text, whether a book begins with it). A blank line goes with the
    paragraph after it: so cut, pieces have the tokens that the whole text has."""
    pieces = []
    for book in text.split("<|endoftext|>"):
        for i, piece in enumerate(book.strip("\n").split("\n\n")):
            if piece:
                pieces.append(("\n\n" + piece if i else piece, i == 0))
    return pieces


def encode(encoder, pieces, chunk=4096):
    """ids [n] and where each paragraph begins, behind its blank line or END [len(pieces)]"""
    ids, starts, n = [], np.zeros(len(pieces), np.int64), 0
    for at in range(0, len(pieces), chunk):
        some = pieces[at : at + chunk]
        for i, coded in enumerate(encoder.encode_batch([text for text, _ in some], add_special_tokens=False)):
            opens = some[i][1]
            lead = 1 if opens else sum(1 for end in coded.offsets if end[1] <= 2)
            starts[at + i] = n + lead
            n += len(coded.ids) + opens
            ids.append(np.asarray([END] * opens + coded.ids, np.uint16))
    return np.concatenate(ids), starts


def prepare(corpus, vocabulary, made, out):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    pieces = paragraphs(read_text(Path(corpus) / "tales.txt.xz"))
    if made:
        pieces += paragraphs(read_text(made))
    for name, dropout in (("clean", None), ("dropped", BPE_DROPOUT)):
        ids, starts = encode(tokenizer(vocabulary, dropout), pieces)
        np.save(out / f"{name}.npy", ids)
        np.save(out / f"{name}_starts.npy", starts)
        print(f"{name}: {len(ids):,} tokens in {len(pieces):,} paragraphs, {len(np.unique(ids)):,} ids occur")
    ids, _ = encode(tokenizer(vocabulary), paragraphs(read_text(Path(corpus) / "tales-valid.txt.xz")))
    np.save(out / "valid.npy", ids)
    print(f"valid: {len(ids):,} tokens")


class Windows:
    """Windows [T + 1] of an epoch, in an order that its seed decides."""

    def __init__(self, folder, dropped_share):
        folder = Path(folder)
        self.clean, self.dropped = (np.load(folder / f"{n}.npy") for n in ("clean", "dropped"))
        self.clean_starts, self.dropped_starts = (np.load(folder / f"{n}_starts.npy") for n in ("clean", "dropped"))
        self.dropped_share = dropped_share

    def stream(self, random):
        """Passages of 16 paragraphs in a shuffled order would lose the books' long threads; so the
        order stays, and each passage is taken clean or dropped."""
        n = len(self.clean_starts)
        pieces, starts, at = [], [], 0
        for first in range(0, n, 16):
            dropped = random.random() < self.dropped_share
            ids, begins = (self.dropped, self.dropped_starts) if dropped else (self.clean, self.clean_starts)
            end = begins[first + 16] if first + 16 < n else len(ids)
            pieces.append(ids[begins[first] : end])
            starts.append(begins[first : first + 16] - begins[first] + at)
            at += end - begins[first]
        return np.concatenate(pieces), np.concatenate(starts)

    def epoch(self, seed, T):
        """Half the windows begin where a paragraph does, as prompts do."""
        random = np.random.default_rng(seed)
        ids, starts = self.stream(random)
        begin = np.arange(random.integers(T), len(ids) - T - 1, T)
        before = starts[np.searchsorted(starts, begin, side="right") - 1]
        begin = np.where((random.random(len(begin)) < 0.5) & (begin - before < T), before, begin)
        random.shuffle(begin)
        return ids, begin


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--vocabulary", default="models/gpt2")
    parser.add_argument("--made", help="the generated lines (made.py)")
    parser.add_argument("--out", required=True)
    prepare(**vars(parser.parse_args()))
