#!/usr/bin/env python3
"""What the network is measured against: an interpolated modified Kneser-Ney model of token n-grams.

    python3 kneser_ney.py --corpus ../shared/corpus --out RUN/kneser_ney.json

Chen & Goodman 1998, section 3: three discounts an order (for counts of 1, 2, and 3 or more), each from
the counts of counts; below the highest order a count is the number of different tokens seen before the
n-gram; the unigrams are interpolated with the uniform distribution over the whole vocabulary, so that
ids that the corpus lacks have a probability too. Every book is a stream of its own that begins behind
<|endoftext|> and ends with it, as for the network, and the tokens are data.py's: the same on both sides.

With --lmplz FOLDER (KenLM's lmplz and query) the same model is also made by KenLM (Heafield et al.
2013) and every held-out token's probability compared. KenLM is not needed otherwise.
"""
import argparse
import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import data

V = 50257
BOOKS = ("The Crimson Fairy Book", "The Railway Children", "The Sign of the Four")  # in the file's order


class KneserNey:
    """An n-gram of order n is a row of the sorted table keys[n]: the row of its first n - 1 tokens in
    the table below, times V, plus its last token. In the table of unigrams an id is its own row."""

    def __init__(self, streams, order=5):
        """streams: arrays of ids; the first of each is context only and must not come again in the
        middle of one."""
        self.order, self.keys, self.counts, self.discounts = order, {}, {}, {}
        self.total, self.gamma = {}, {}  # of each context: sum of the counts behind it, weight of the order below
        ids = np.concatenate(streams).astype(np.int64)
        place = np.concatenate([np.arange(len(s)) for s in streams])
        self.counts[1] = np.bincount(ids[place > 0], minlength=V)
        row = ids  # of the (n - 1)-gram that ends at each token
        for n in range(2, order + 1):
            end = np.flatnonzero(place >= n - 1)
            keys, first, back, raw = np.unique(
                row[end - 1] * V + ids[end], return_index=True, return_inverse=True, return_counts=True
            )
            below = np.bincount(row[end[first]], minlength=V if n == 2 else len(self.keys[n - 1]))
            if n > 2:  # nothing stands before a stream's first token: such n-grams keep their own count
                below += np.bincount(row[place == n - 2], minlength=len(below))
            self.counts[n - 1] = below
            self.keys[n], self.counts[n] = keys, raw
            row = np.full(len(ids), -1)
            row[end] = back
        for n in range(1, order + 1):
            self.weigh(n)
        self.unigrams = self.shares(1, self.counts[1], self.total[1]) + self.gamma[1] / V

    def weigh(self, n):
        counts = self.counts[n]
        n1, n2, n3, n4 = (np.count_nonzero(counts == c) for c in (1, 2, 3, 4))
        if not n1 * n2 * n3:
            raise ValueError(f"order {n}: no n-gram with a count of 1, 2 or 3; the text is too small for discounts")
        y = n1 / (n1 + 2 * n2)
        self.discounts[n] = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        context = np.zeros(V, np.int64) if n == 1 else self.keys[n] // V
        size = 1 if n == 1 else len(self.counts[n - 1])
        taken = self.discounts[n][np.minimum(counts, 3)]
        self.total[n] = np.bincount(context, counts, minlength=size)
        with np.errstate(invalid="ignore"):
            self.gamma[n] = np.bincount(context, taken, minlength=size) / self.total[n]

    def shares(self, n, counts, total):
        return (counts - self.discounts[n][np.minimum(counts, 3)]) / total

    def find(self, n, context, ids):
        """Rows of order n, -1 where there is none."""
        keys = self.keys[n]
        wanted = np.where(context >= 0, context * V + ids, -1)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, at, -1)

    def logprobs(self, ids):
        """ids [T] -> natural logarithms [T - 1], of every token but the first"""
        ids = np.asarray(ids, np.int64)
        p, row = self.unigrams[ids], ids
        for n in range(2, self.order + 1):
            context = np.concatenate([[-1], row[:-1]])
            row = self.find(n, context, ids)
            known = context >= 0
            known[known] = self.total[n][context[known]] > 0
            count = np.where(row >= 0, self.counts[n][row], 0)[known]
            behind = context[known]
            p[known] = self.shares(n, count, self.total[n][behind]) + self.gamma[n][behind] * p[known]
        return np.log(p[1:])

    def distribution(self, history):
        """history [t] -> probabilities [V] of the next id"""
        history = np.asarray(history, np.int64)[-(self.order - 1) :]
        p = self.unigrams.copy()
        for n in range(2, min(self.order, len(history) + 1) + 1):
            context = history[len(history) - n + 1]
            for k, token in enumerate(history[len(history) - n + 2 :], 2):
                context = self.find(k, np.array([context]), token)[0]
            if context < 0 or not self.total[n][context]:
                break
            keys = self.keys[n]
            rows = slice(*np.searchsorted(keys, [context * V, (context + 1) * V]))
            p *= self.gamma[n][context]
            p[keys[rows] % V] += self.shares(n, self.counts[n][rows], self.total[n][context])
        return p


def streams(text, vocabulary):
    """A text's books as arrays of ids, each behind <|endoftext|>"""
    ids, _ = data.encode(data.tokenizer(vocabulary), data.paragraphs(text))
    return [part.astype(np.int64) for part in np.split(ids, np.flatnonzero(ids == data.END)[1:])]


def training_streams(corpus, vocabulary, made=None):
    found = streams(data.read_text(Path(corpus) / "tales.txt.xz"), vocabulary)
    if made:
        found += streams(data.read_text(made), vocabulary)
    return [np.append(book, data.END) for book in found]


def held_out(corpus, modern=None):
    """Name -> text: the books of tales-valid.txt, and the modern text where it is given"""
    parts = data.read_text(Path(corpus) / "tales-valid.txt.xz").split("<|endoftext|>")
    texts = [part.strip("\n") for part in parts if part.strip("\n")]
    if len(texts) != len(BOOKS):
        raise ValueError(f"tales-valid.txt.xz holds {len(texts)} books, not {len(BOOKS)}")
    named = dict(zip(BOOKS, texts))
    if modern:
        named["modern English"] = data.read_text(modern).strip("\n")
    return named


def figures(logprobs, n_bytes):
    """As `nextoken perplexity` has them: standard errors take tokens as independent."""
    loss, error = -logprobs.mean(), logprobs.std(ddof=1) / len(logprobs) ** 0.5
    return {
        "tokens": len(logprobs),
        "bytes": n_bytes,
        "loss": loss,
        "loss_stderr": error,
        "perplexity": np.exp(loss),
        "stderr": np.exp(loss) * error,
        "bits_per_byte": -logprobs.sum() / np.log(2) / n_bytes,
    }


def worst_sum(model, texts, n=200, seed=1):
    """The largest distance from 1 of a distribution's sum, over histories drawn from the texts and n
    made of random ids; and from logprobs() of the same token."""
    random, worst, apart = np.random.default_rng(seed), 0.0, 0.0
    for ids in [*texts, np.append(data.END, random.integers(0, V, n))]:
        logprobs = model.logprobs(ids)
        for at in [1, 2, 3, *random.integers(1, len(ids), n)]:
            p = model.distribution(ids[:at])
            worst = max(worst, abs(p.sum() - 1))
            apart = max(apart, abs(np.log(p[ids[at]]) - logprobs[at - 1]))
    return worst, apart


def apart_from_kenlm(folder, training, texts, model):
    """The largest difference of a held-out token's log10 probability to KenLM's, ids written as words.
    Ids that the training lacks are one word to KenLM, so they are not compared."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "train").write_text("".join(" ".join(map(str, s[1:-1])) + "\n" for s in training))
        (scratch / "test").write_text("".join(" ".join(map(str, s[1:])) + "\n" for s in texts))
        with (scratch / "train").open() as text, (scratch / "arpa").open("w") as arpa:
            subprocess.run(
                [f"{folder}/lmplz", "-o", str(model.order), "-S", "2G", "-T", scratch / "t", "--vocab_pad", str(V)],
                stdin=text, stdout=arpa, stderr=subprocess.DEVNULL, check=True,
            )
        with (scratch / "test").open() as text:
            said = subprocess.run(
                [f"{folder}/query", "-v", "word", scratch / "arpa"],
                stdin=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
            ).stdout
    theirs = [field for field in said.split("\t") if "=" in field and not field.lstrip().startswith("</s>")]
    theirs = np.array([float(field.split()[-1]) for field in theirs])
    ours = np.concatenate([model.logprobs(s) for s in texts]) / np.log(10)
    known = np.concatenate([model.counts[1][s[1:]] > 0 for s in texts])
    if len(theirs) != len(ours):
        raise ValueError(f"query gave {len(theirs)} probabilities for {len(ours)} tokens")
    return float(np.abs(theirs - ours)[known].max()), int(known.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--vocabulary", default="models/gpt2")
    parser.add_argument("--made", help="the generated lines, counted as one more book")
    parser.add_argument("--modern", help="a text beside the three books")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--lmplz", metavar="FOLDER", help="KenLM's programs, to compare with")
    parser.add_argument("--out", help="JSON")
    args = parser.parse_args()

    began = time.time()
    training = training_streams(args.corpus, args.vocabulary, args.made)
    texts = held_out(args.corpus, args.modern)
    ids = {name: streams(text, args.vocabulary)[0] for name, text in texts.items()}
    read = time.time()
    model = KneserNey(training, args.order)
    said = {
        "order": args.order,
        "made": bool(args.made),
        "training_tokens": sum(len(s) - 1 for s in training),
        "ids_seen": int(np.count_nonzero(model.counts[1])),
        "ngrams": {n: len(keys) for n, keys in model.keys.items()},
        "discounts": {n: d[1:].tolist() for n, d in model.discounts.items()},
        "texts": {name: figures(model.logprobs(ids[name]), len(texts[name].encode())) for name in texts},
    }
    said["seconds"] = {"tokens": read - began, "model": time.time() - read}
    said["worst_sum"], said["worst_lookup"] = worst_sum(model, ids.values())
    if args.lmplz:
        said["kenlm_difference_log10"], said["kenlm_tokens"] = apart_from_kenlm(
            args.lmplz, training, list(ids.values()), model
        )
    said["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    text = json.dumps(said, indent=1)
    if args.out:
        Path(args.out).write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
