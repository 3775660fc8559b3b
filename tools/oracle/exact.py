#!/usr/bin/env python3
"""Expected figures of exact search for tests/decode: every continuation of tables of logits (tables.py), enumerated
with transformers' logits processors and log_softmax in float64, and what transformers' greedy and beam search find on
the same tables.

    python3 tools/oracle/exact.py

Writes tests/decode/exact_oracle.txt, one case a line:
  V n_rows divisor seed N n_beams penalty ngram n_eos eos.. : n best.. sum next_sum n_all greedy beams threshold n_above
The rows are made_row("smooth", V, 1000 seed + row) over divisor, chosen by a hash of the prefix; the prompt is 0 1. sum
is that of the best, next_sum of the second (marked "near" instead where they differ by less than 1e-6), n_all counts all
continuations. Transformers' beams sum log-probabilities that processors have acted on and that are not made to sum to 1
again: with processors there is nothing to compare, and nan stands for them. threshold lies in the middle between the
log-probabilities of two continuations, n_above are as likely.
"""
import pathlib
import random
import warnings

import torch
import transformers
from transformers.generation import (LogitsProcessorList, NoRepeatNGramLogitsProcessor,
                                     RepetitionPenaltyLogitsProcessor)

from tables import TableModel, made_row, row_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT = [0, 1]
transformers.logging.set_verbosity_error()
warnings.filterwarnings("ignore")


def enumerate_all(rows, length, eos, processors):
    """[(sum, ids)] of everything that is complete."""
    done, running = [], [(0.0, [])]
    for depth in range(length):
        if not running:
            break
        ids = torch.tensor([PROMPT + new for _, new in running])
        logits = torch.stack([rows[row_of(PROMPT + new, len(rows))] for _, new in running])
        logprobs = torch.log_softmax(processors(ids, logits).double(), dim=-1).tolist()
        following = []
        for (total, new), row in zip(running, logprobs):
            for i, logprob in enumerate(row):
                if not logprob > float("-inf"):  # NaN: processors have left nothing behind this prefix
                    continue
                ends = i in eos or depth + 1 == length
                (done if ends else following).append((total + logprob, new + [i]))
        running = following
    return sorted(done, key=lambda one: -one[0])


def case(n):
    rng = random.Random(n)
    size, n_rows, divisor = rng.randint(2, 9), rng.randint(2, 40), rng.choice([4, 10, 25, 60])
    length, beams = rng.randint(2, 4), rng.choice([2, 3, 5, 8])
    eos = sorted(rng.sample(range(size), rng.choice([0, 1, 1, 2])))
    penalty, ngram = rng.choice([1, 1, 1.3]), rng.choice([0, 0, 0, 2])
    rows = torch.stack([made_row("smooth", size, 1000 * n + i) for i in range(n_rows)]) / divisor
    processors, options = LogitsProcessorList(), {}
    if penalty != 1:
        processors.append(RepetitionPenaltyLogitsProcessor(penalty))
        options["repetition_penalty"] = penalty
    if ngram:
        processors.append(NoRepeatNGramLogitsProcessor(ngram))
        options["no_repeat_ngram_size"] = ngram
    every = enumerate_all(rows, length, eos, processors)
    if len(every) < 2:  # ngrams leave one only
        return None
    sums = {tuple(ids): total for total, ids in every}
    model = TableModel(rows)

    def generate(**more):
        return model.generate(torch.tensor([PROMPT]), max_new_tokens=length, eos_token_id=eos or None, pad_token_id=0,
                              use_cache=False, do_sample=False, return_dict_in_generate=True, output_scores=True,
                              **more)

    new = generate(**options).sequences[0, len(PROMPT):].tolist()
    greedy = sums.get(tuple(new), float("-inf"))
    found = float("nan")
    if not options and beams * 2 <= size * beams:
        found = float(generate(num_beams=beams, length_penalty=0.0, early_stopping=False).sequences_scores[0])
    following = every[1][0]
    near = every[0][0] - following < 1e-6
    at = rng.randrange(len(every) - 1)
    threshold = (every[at][0] + every[at + 1][0]) / 2
    if every[at][0] - every[at + 1][0] < 1e-6 or at >= 1000:
        at, threshold = len(every) - 1, -1e3
    best = every[0][1]
    head = [size, n_rows, divisor, n, length, beams, penalty, ngram, len(eos), *eos]
    tail = [len(best), *best, repr(every[0][0]), "near" if near else repr(following), len(every), repr(greedy), repr(found),
            repr(threshold), at + 1]
    return " ".join(map(str, head)) + " : " + " ".join(map(str, tail))


def main():
    lines = [line for line in map(case, range(120)) if line]
    (ROOT / "tests/decode/exact_oracle.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} cases, {sum('near' in line for line in lines)} near")


if __name__ == "__main__":
    main()
