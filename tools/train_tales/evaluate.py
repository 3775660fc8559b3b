#!/usr/bin/env python3
"""The figures and texts of MODEL_CARD.md, measured with our own program as a user would.

    python3 evaluate.py --model models/tales --run RUN --corpus ../shared/corpus

writes RUN/evaluation.json (all figures) and RUN/evaluation.md (the tables). Prompts, seeds and settings
stand below and were fixed before there was a model; the texts are what came out, every one of them.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import data
import kneser_ney
import report

HERE = Path(__file__).resolve().parent
STRIDE_SHARE = 2  # windows of the model's context, begun every half of it

OPENINGS = (
    "Once upon a time there was",
    "The old man looked at the door and",
    '"Where are you going?" said',
    "It was a cold morning, and",
    "The princess had never seen",
)
SEEDS = range(1, 21)  # seed s continues opening (s - 1) mod 5
DRAWN = {"do_sample": True, "temperature": 0.8, "top_k": 0, "top_p": 0.95, "max_new_tokens": 60}

PROMPTS = (  # of the four notebooks, and the first without the space at its end
    "A long long time ago,",
    "A long long time ago, ",
    "Alice",
    "Alice is a",
    "This weekend I plan to",
    "Transformers are the",
    "In a shocking finding, scientist discovered a herd of unicorns living in a remote, previously "
    "unexplored valley, in the Andes Mountains. Even more surprising to the researchers was the fact that "
    "the unicorns spoke perfect English.",
    "5 + 8 => 13 \n 7 + 2 => 9 \n 1 + 5 =>",
)
SEARCHES = {
    "greedy": {"max_new_tokens": 40},
    "5 beams, no trigram twice": {"num_beams": 5, "no_repeat_ngram_size": 3, "max_new_tokens": 60},
}

MASS_WINDOWS, MASS_TOKENS, MASS_SEED = 8, 256, 1  # of each text; positions: the windows' second halves


class Program:
    def __init__(self, path, model, threads):
        self.path, self.model = path, model
        self.environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}

    def run(self, command, *args, stdin=None):
        """The result as JSON"""
        said = subprocess.run(
            [self.path, command, "-m", self.model, "--json", *args],
            stdin=stdin, stdout=subprocess.PIPE, env=self.environment, check=True,
        ).stdout
        return json.loads(said)

    def ids(self, path):
        with open(path, "rb") as text:
            return np.array(self.run("tokenize", "--bos", "-", stdin=text)["ids"])

    def generate(self, prompt, options):
        flags = []
        for name, value in options.items():
            flags += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        made = self.run("generate", *flags, "--", prompt)["sequences"][0]
        return {"prompt": prompt, "text": made["text"], "logprob": made["logprob"], "finish": made["finish_reason"]}

    def logits(self, ids, npz):
        """ids [T] -> [T, V]"""
        self.run("inspect", "--ids", ",".join(map(str, ids)), "--npz", str(npz), "--arrays", "logits")
        with np.load(npz) as arrays:
            return arrays["logits"]


def log_softmax_mass(logits, chosen):
    """logits [T, V], chosen [V] of bool -> probability [T] of the chosen ids"""
    p = np.exp(logits - logits.max(1, keepdims=True), dtype=np.float64)
    return p[:, chosen].sum(1) / p.sum(1)


def mass(program, baseline, unseen, ids, scratch):
    """Mean probability of the unseen ids, at the second halves of windows drawn from the text"""
    random = np.random.default_rng(MASS_SEED)
    T = min(MASS_TOKENS, len(ids))
    begins = random.choice(len(ids) - T + 1, min(MASS_WINDOWS, len(ids) - T + 1), replace=False)
    network, counted = [], []
    for begin in np.sort(begins):
        window = ids[begin : begin + T]
        network.append(log_softmax_mass(program.logits(window, scratch / "logits.npz")[T // 2 :], unseen).mean())
        counted.append(np.mean([baseline.distribution(window[: at + 1])[unseen].sum() for at in range(T // 2, T)]))
    error = np.std(network, ddof=1) / len(network) ** 0.5
    return {"positions": len(network) * (T - T // 2), "mass": np.mean(network), "mass_stderr": error,
            "mass_kneser_ney": np.mean(counted)}


def measure(program, baselines, unseen, name, text, args, scratch):
    """One text's row: the network and the baselines on the same tokens"""
    path = scratch / "text.txt"
    path.write_text(text, encoding="utf-8")
    ids = kneser_ney.streams(text, args.vocabulary)[0]
    if not np.array_equal(program.ids(path), ids):
        raise ValueError(f"{name}: the program's tokens are not those of the training")
    context = program.run("info")["context"]
    said = program.run("perplexity", "--bos", "--window", str(context), "--stride", str(context // STRIDE_SHARE), str(path))
    row = {k: said[k] for k in ("window", "stride", "loss", "loss_stderr", "perplexity", "stderr", "bits_per_byte")}
    row.update(name=name, tokens=said["counted"], bytes=said["bytes"])
    for kind, baseline in baselines.items():
        row[kind] = kneser_ney.figures(baseline.logprobs(ids), said["bytes"])
        if row[kind]["tokens"] != row["tokens"]:
            raise ValueError(f"{name}: {row['tokens']} tokens scored, {row[kind]['tokens']} by {kind}")
    row["unseen_tokens"] = int(unseen[ids].sum())
    row.update(mass(program, baselines["kneser_ney"], unseen, ids, scratch))
    return row


def evaluate(args):
    program, began = Program(args.program, args.model, args.threads), time.time()
    books = kneser_ney.training_streams(args.corpus, args.vocabulary)
    made = kneser_ney.training_streams(args.corpus, args.vocabulary, args.made)[len(books) :] if args.made else []
    baselines = {
        "kneser_ney": kneser_ney.KneserNey(books + made),
        "unigram": kneser_ney.KneserNey(books + made, order=1),
    }
    if made:
        baselines["kneser_ney_books_only"] = kneser_ney.KneserNey(books)
    unseen = np.bincount(np.concatenate(books + made), minlength=kneser_ney.V) == 0
    said = {
        "info": program.run("info"),
        "training_tokens": sum(len(s) - 1 for s in books),
        "made_tokens": sum(len(s) - 1 for s in made),
        "ids_seen": int((~unseen).sum()),
        "settings": {"openings": OPENINGS, "drawn": DRAWN, "searches": SEARCHES,
                     "mass": {"windows": MASS_WINDOWS, "tokens": MASS_TOKENS, "seed": MASS_SEED}},
        "texts": [],
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in kneser_ney.held_out(args.corpus, args.modern).items():
            said["texts"].append(measure(program, baselines, unseen, name, text, args, Path(scratch)))
            print(report.line(said["texts"][-1]), flush=True)
    said["samples"] = [{"seed": s, **program.generate(OPENINGS[(s - 1) % len(OPENINGS)], {**DRAWN, "seed": s})}
                       for s in SEEDS]
    said["continuations"] = [{"search": name, **program.generate(prompt, options)}
                             for prompt in PROMPTS for name, options in SEARCHES.items()]
    said["seconds"] = time.time() - began
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--run", required=True, help="folder for evaluation.json and evaluation.md")
    parser.add_argument("--corpus", default="../shared/corpus")
    parser.add_argument("--made", help="the generated lines that the model was trained on besides")
    parser.add_argument("--modern", default=HERE / "modern.txt")
    parser.add_argument("--vocabulary", default=HERE.parent.parent / "models" / "gpt2")
    parser.add_argument("--program", default="build/release/nextoken")
    parser.add_argument("--threads", type=int, help="of the program (default: its own)")
    args = parser.parse_args()
    if not Path(args.modern).exists():
        print(f"evaluate.py: no {args.modern}; measuring the books alone", flush=True)
        args.modern = None
    said = evaluate(args)
    folder = Path(args.run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(said, indent=1) + "\n")
    (folder / "evaluation.md").write_text(report.markdown(said))
    print(f"{folder / 'evaluation.md'} written in {said['seconds']:.0f} s")


if __name__ == "__main__":
    main()
