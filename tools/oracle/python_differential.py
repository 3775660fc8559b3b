"""nextoken.transformers' generate() beside transformers' own, on random calls, in one process.

    PYTHONPATH=BUILD/python python tools/oracle/python_differential.py MKMODEL [--cases N] [--seed S]

Each call goes to both with the same seed of torch: one to four options of any kind, any method, one to
three prompts with or without padding, functions called back, streams, drafts. Outcomes are compared as
tests/python/generating.py has them: ids, shapes and the choice of what is kept equal, scores within 1e-4.
Where they differ and transformers' own ids do not survive noise on its logits as large as that of
float32 arithmetic in another order, the call is counted as fragile; as arbitrary, where beams had to be
filled up with impossible ids. Every other difference is printed; the exit status is 1 where there is one.
Not part of the test runs: it needs torch and transformers."""

import argparse
import logging
import pathlib
import random
import sys
import tempfile
import warnings

import torch
import transformers

import python_generate as oracle
from python_generate import generating

import nextoken.transformers as ours
import nextoken.transformers.generation as generation


class Names:
    def __getattr__(self, name):
        return getattr(generation, name, None) or getattr(ours, name)


def prompts(draw):
    """(ids, mask or None) of one to three prompts."""
    n, width = draw.randint(1, 3), draw.randint(1, 8)
    ids = [[draw.randrange(96) for _ in range(width)] for _ in range(n)]
    if draw.random() < 0.4:  # what repeats
        part = [draw.randrange(10, 16) for _ in range(draw.randint(1, 3))]
        ids = [(part * 8)[:width] for _ in range(n)]
    if draw.random() < 0.5:
        return ids, None
    gaps = [draw.randrange(width) for _ in range(n)]
    mask = [[int(t >= gap) for t in range(width)] for gap in gaps]
    return [[token if seen else 0 for token, seen in zip(row, keep)] for row, keep in zip(ids, mask)], mask


def number(draw, name):
    """A value for an option that takes a number."""
    return {
        "repetition_penalty": lambda: round(draw.uniform(0.5, 2.5), 2),
        "encoder_repetition_penalty": lambda: round(draw.uniform(0.5, 2.5), 2),
        "no_repeat_ngram_size": lambda: draw.randint(1, 4),
        "encoder_no_repeat_ngram_size": lambda: draw.randint(1, 3),
        "min_length": lambda: draw.randint(1, 14), "min_new_tokens": lambda: draw.randint(1, 9),
        "forced_bos_token_id": lambda: draw.randrange(96),
        "forced_eos_token_id": lambda: draw.choice([draw.randrange(96), [4, 70]]),
        "remove_invalid_values": lambda: True, "renormalize_logits": lambda: True,
        "exponential_decay_length_penalty": lambda: (draw.randint(0, 4), draw.uniform(1.05, 1.8)),
        "suppress_tokens": lambda: draw.sample(range(96), draw.randint(1, 30)),
        "begin_suppress_tokens": lambda: draw.sample(range(96), draw.randint(1, 30)),
        "guidance_scale": lambda: round(draw.uniform(0.3, 2.5), 2),
        "bad_words_ids": lambda: [draw.sample(range(96), draw.randint(1, 2)) for _ in range(4)],
        "sequence_bias": lambda: [[draw.sample(range(96), draw.randint(1, 2)), draw.uniform(-9, 5)]
                                  for _ in range(4)],
        "temperature": lambda: round(draw.uniform(0.3, 3), 2), "top_k": lambda: draw.randint(0, 60),
        "top_p": lambda: round(draw.uniform(0.05, 1), 2), "min_p": lambda: round(draw.uniform(0, 0.6), 2),
        "typical_p": lambda: round(draw.uniform(0.05, 0.99), 2),
        "top_h": lambda: round(draw.uniform(0.05, 0.95), 2),
        "epsilon_cutoff": lambda: draw.uniform(0.001, 0.1),
        "eta_cutoff": lambda: draw.uniform(0.001, 0.1),
        "length_penalty": lambda: draw.choice([-1.0, 0.0, 0.5, 1.0, 2.0]),
        "early_stopping": lambda: draw.choice([True, False, "never"]),
        "num_return_sequences": lambda: draw.randint(1, 4),
    }[name]()


ANY = ["repetition_penalty", "encoder_repetition_penalty", "no_repeat_ngram_size",
       "encoder_no_repeat_ngram_size", "min_length", "min_new_tokens", "forced_bos_token_id",
       "forced_eos_token_id", "remove_invalid_values", "renormalize_logits",
       "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "guidance_scale",
       "bad_words_ids", "sequence_bias"]
DRAWING = ["temperature", "top_k", "top_p", "min_p", "typical_p", "top_h", "epsilon_cutoff",
           "eta_cutoff"]
BEAMS = ["length_penalty", "early_stopping", "num_return_sequences"]


def call(draw, i):
    """A random case, as generating.run takes it."""
    sample, beams = draw.random() < 0.5, draw.random() < 0.45
    ids, mask = prompts(draw)
    options = {"max_new_tokens": draw.randint(1, 14), "pad_token_id": draw.choice([0, 1, 4]),
               "eos_token_id": draw.choice([None, 4, [4, 9, 60, 28, 42], list(range(0, 96, 7))])}
    if sample:
        options["do_sample"] = True
    if beams:
        options["num_beams"] = draw.randint(2, 5)
    pool = ANY + DRAWING * sample + BEAMS * beams
    for name in draw.sample(pool, draw.randint(0, 4)):
        options[name] = number(draw, name)
    if sample and not beams and draw.random() < 0.4:
        options["num_return_sequences"] = draw.randint(2, 3)
    if beams and isinstance(options.get("forced_eos_token_id"), list):
        options["forced_eos_token_id"] = 4  # of two that are forced, either may come first
    if options["eos_token_id"] is None:
        options.pop("exponential_decay_length_penalty", None)
    if draw.random() < 0.7:
        options.update(oracle.ALL)
    case = {"model": "small", "ids": ids, "seed": i, "options": options}
    if mask is not None:
        case["mask"] = mask
    if draw.random() < 0.25:
        case["calls"] = [draw.choice(oracle.CALLS)]
    if not beams and draw.random() < 0.15:
        case["stream"] = True
    if not beams and mask is None and draw.random() < 0.15:
        case["ids"] = case["ids"][:1]
        for name in ("num_return_sequences", "guidance_scale"):  # drafts confuse transformers' guidance
            options.pop(name, None)
        if "stop" in case.get("calls", [""])[0]:  # transformers asks once for several ids
            del case["calls"]
        if draw.random() < 0.5:
            case["assistant"] = "draft"
        else:
            options["prompt_lookup_num_tokens"] = draw.randint(1, 5)
    return case


class Ours:
    def __init__(self, both):
        self.models, self.own = {}, {}
        for name, folder in both.items():
            self.models[name] = ours.GPT2LMHeadModel.from_pretrained(folder)
            self.own[name] = self.models[name].generation_config

    def run(self, case):
        model = self.models[case["model"]]
        for name in self.models:
            self.models[name].generation_config = ours.GenerationConfig(**self.own[name].to_diff_dict())
        assistant = self.models[case["assistant"]] if "assistant" in case else None
        out, streamer = generating.run(Names(), model, case, torch.tensor, torch.manual_seed, assistant)
        got = generating.outcome(model, out, case)
        if streamer is not None:
            got["stream"] = streamer.got
        got["next draw"] = torch.rand(1).tolist() if "assistant" not in case else None
        return got


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mkmodel")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    draw = random.Random(arguments.seed)
    count = dict.fromkeys(("equal", "both refuse", "fragile", "arbitrary", "transformers breaks", "differ"), 0)
    with tempfile.TemporaryDirectory() as folder:
        theirs = oracle.Oracle(folder, arguments.mkmodel)
        mine = Ours({name: str(pathlib.Path(folder) / name) for name in theirs.models})
        for i in range(arguments.cases):
            count[compare(theirs, mine, call(draw, i), i)] += 1
    print(", ".join(f"{n} {word}" for word, n in count.items()))
    return 1 if count["differ"] else 0


def attempt(side, case):
    try:
        got = side.run(case)
        if "next draw" not in got:
            got["next draw"] = torch.rand(1).tolist() if "assistant" not in case else None
        return got, None
    except Exception as error:
        return None, error


def flat(stream):
    """Ids in a row, however they were cut."""
    if isinstance(stream, list):
        return [i for part in stream for i in flat(part)]
    return [] if stream is None else [stream]


def compare(theirs, mine, case, i):
    want, refused = attempt(theirs, case)
    got, failed = attempt(mine, case)
    if refused is not None and failed is not None:
        return "both refuse"
    if refused is None and failed is None:
        for side in (want, got):
            if "assistant" in case or "prompt_lookup_num_tokens" in case["options"]:
                side["stream"] = flat(side.get("stream"))
        found = generating.differences(want, got)
        if not found:
            return "equal"
        if oracle.lacks_candidates(case, want) or min(want.get("sequences_scores", [0])) < -1e8:
            return "arbitrary"  # of impossible ids, and of beams that never ended
    else:
        if isinstance(refused, (RuntimeError, IndexError)):
            return "transformers breaks"
        found = [f"transformers: {refused!r:.300}; nextoken: {failed!r:.300}"]
    if refused is None and not theirs.survives(case, want):
        return "fragile"
    print(f"case {i}: {case}")
    for line in found[:4]:
        print("   ", line)
    sys.stdout.flush()
    return "differ"


if __name__ == "__main__":
    sys.exit(main())
