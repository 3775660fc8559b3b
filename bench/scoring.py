"""Scoring sentences, nextoken beside transformers and minicons, on one checkpoint, float32.

    python bench/scoring.py BUILD_FOLDER CHECKPOINT TEXT_FILE [--sentences 400] [--pairs 3] [--threads 2]

Sentences are taken from the file by their full stops, 5 to 60 tokens each. The log-probabilities are
compared first. nextoken is timed as a whole process (start, opening and reading the sentences
included), the two others in this process with everything loaded; both get the sentences sorted by
length, and the batch size that was fastest of those tried. Timed in turn (A B C A B C ...); printed are
tokens/s (median) and the ratios' median, smallest and largest. Needs tools/oracle/requirements.txt."""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import torch
import transformers
from minicons import scorer

BATCHES = (8, 16, 32)


def sentences(path, tokenizer, n):
    text = re.sub(r"\s+", " ", pathlib.Path(path).read_text(encoding="utf-8"))
    found = [s.strip() for s in re.findall(r"[^.!?]+[.!?]", text)]
    kept = [s for s in found[len(found) // 3:] if 5 <= len(tokenizer(s).input_ids) <= 60]
    return kept[:n]


class Nextoken:
    name = "nextoken"

    def __init__(self, build, checkpoint, threads, texts):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8")
        for text in texts:
            self.file.write(json.dumps({"text": text}) + "\n")
        self.file.flush()
        self.command = [str(build / "nextoken"), "score", "-m", str(checkpoint), "--threads", str(threads), "--by",
                        "text", "--jsonl", self.file.name, "--json", "--quiet"]

    def run(self):
        out = subprocess.run(self.command, capture_output=True, check=True).stdout
        return [json.loads(line)["logprob"] for line in out.splitlines()]


class Batched:
    """What the two peers share: sentences sorted by length, in batches of one size."""

    def __init__(self, texts, lengths):
        self.texts, self.batch = texts, BATCHES[0]
        self.order = sorted(range(len(texts)), key=lambda i: -lengths[i])

    def run(self):
        scores = [0.0] * len(self.texts)
        for begin in range(0, len(self.order), self.batch):
            part = self.order[begin:begin + self.batch]
            for i, score in zip(part, self.score([self.texts[i] for i in part])):
                scores[i] = score
        return scores

    def choose_batch(self):
        times = {}
        for batch in BATCHES:
            self.batch, start = batch, time.perf_counter()
            self.run()
            times[batch] = time.perf_counter() - start
        self.batch = min(times, key=times.get)


class Transformers(Batched):
    name = "transformers"

    def __init__(self, model, tokenizer, texts, lengths):
        super().__init__(texts, lengths)
        self.model, self.tokenizer = model, tokenizer

    @torch.inference_mode()
    def score(self, texts):
        batch = self.tokenizer(texts, return_tensors="pt", padding=True)
        logits = self.model(**batch).logits[:, :-1]
        labels = batch.input_ids[:, 1:]
        chosen = logits.gather(2, labels[..., None])[..., 0] - logits.logsumexp(2)
        return (chosen * batch.attention_mask[:, 1:]).sum(1).tolist()


class Minicons(Batched):
    name = "minicons"

    def __init__(self, model, tokenizer, texts, lengths):
        super().__init__(texts, lengths)
        self.scorer = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)

    def score(self, texts):
        return self.scorer.sequence_score(texts, reduction=lambda x: x.sum(0).item())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--sentences", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(args.checkpoint)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    model = transformers.GPT2LMHeadModel.from_pretrained(args.checkpoint, dtype=torch.float32).eval()
    texts = sentences(args.text, tokenizer, args.sentences)
    lengths = [len(tokenizer(t).input_ids) for t in texts]
    peers = [Transformers(model, tokenizer, texts, lengths), Minicons(model, tokenizer, texts, lengths)]
    for peer in peers:
        peer.choose_batch()
    systems = [Nextoken(args.build, args.checkpoint, args.threads, texts), *peers]
    scores = [s.run() for s in systems]
    for system, other in zip(systems[1:], scores[1:]):
        worst = max(abs(a - b) / max(1, abs(a)) for a, b in zip(scores[0], other))
        print(f"largest difference from {system.name}: {worst:.1e} of the log-probability")
        if worst > 1e-5:
            raise SystemExit("the scores differ")
    times = []
    for _ in range(args.pairs):
        row = []
        for system in systems:
            start = time.perf_counter()
            system.run()
            row.append(time.perf_counter() - start)
        times.append(row)
    total = sum(lengths)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, float32, {args.threads} threads, "
          f"{len(texts)} sentences, {total} tokens, batches of {peers[0].batch} and {peers[1].batch}, {args.pairs} rounds")
    for i, system in enumerate(systems):
        ratios = [row[i] / row[0] for row in times]
        print(f"{system.name:13s} {total / statistics.median(row[i] for row in times):8.0f} tokens/s; nextoken is "
              f"{statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
