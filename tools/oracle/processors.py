#!/usr/bin/env python3
"""Expected figures for logits processors (all that are not warpers), from transformers.

    python3 tools/oracle/processors.py

Writes tests/decode/processors_oracle.txt. transformers' own generate() builds the list of processors from the
options; the list then runs on a made row and made ids, and after every processor the row is written down. What
transformers does not have (logit_bias, and the presence and frequency penalties of OpenAI's API) is written here
from its definition and put beside its kin. Every line is explained in the file's first lines.
"""
import pathlib
import random
import warnings

import numpy as np
import torch
import transformers
from transformers import GenerationConfig
from transformers.generation import LogitsProcessor, SequenceBiasLogitsProcessor

from tables import TableModel, made_ids, made_row

ROOT = pathlib.Path(__file__).resolve().parents[2]

# In this order. A class of transformers', or of ours below.
NAMES = {
    "UnbatchedClassifierFreeGuidanceLogitsProcessor": "guidance_scale",
    "SequenceBiasLogitsProcessor": "sequence_bias",
    "LogitBias": "logit_bias",
    "EncoderRepetitionPenaltyLogitsProcessor": "encoder_repetition_penalty",
    "RepetitionPenaltyLogitsProcessor": "repetition_penalty",
    "FrequencyPenalty": "frequency_penalty",
    "PresencePenalty": "presence_penalty",
    "NoRepeatNGramLogitsProcessor": "no_repeat_ngram_size",
    "EncoderNoRepeatNGramLogitsProcessor": "encoder_no_repeat_ngram_size",
    "NoBadWordsLogitsProcessor": "bad_words_ids",
    "MinLengthLogitsProcessor": "min_length",
    "MinNewTokensLengthLogitsProcessor": "min_new_tokens",
    "ForcedBOSTokenLogitsProcessor": "forced_bos_token_id",
    "ForcedEOSTokenLogitsProcessor": "forced_eos_token_id",
    "InfNanRemoveLogitsProcessor": "remove_invalid_values",
    "ExponentialDecayLengthPenalty": "exponential_decay_length_penalty",
    "SuppressTokensLogitsProcessor": "suppress_tokens",
    "SuppressTokensAtBeginLogitsProcessor": "begin_suppress_tokens",
    "Own": "process",
    "TemperatureLogitsWarper": "temperature",
    "TopHLogitsWarper": "top_h",
    "TopKLogitsWarper": "top_k",
    "TopPLogitsWarper": "top_p",
    "MinPLogitsWarper": "min_p",
    "TypicalLogitsWarper": "typical_p",
    "EpsilonLogitsWarper": "epsilon_cutoff",
    "EtaLogitsWarper": "eta_cutoff",
    "LogitNormalization": "renormalize_logits",
}
RANK = {name: i for i, name in enumerate(NAMES)}


class LogitBias(SequenceBiasLogitsProcessor):
    pass


class Counting(LogitsProcessor):
    """OpenAI's penalties count the tokens behind the prompt: vLLM's apply_penalties."""

    def __init__(self, penalty, n_prompt):
        self.penalty, self.n_prompt = penalty, n_prompt

    def counts(self, ids, scores):
        counts = torch.zeros_like(scores, dtype=torch.int64)
        made = ids[:, self.n_prompt:]
        return counts.scatter_add(1, made, torch.ones_like(made))


class FrequencyPenalty(Counting):
    def __call__(self, ids, scores):
        return scores - self.penalty * self.counts(ids, scores)


class PresencePenalty(Counting):
    def __call__(self, ids, scores):
        return scores - self.penalty * (self.counts(ids, scores) > 0)


class Own(LogitsProcessor):
    """A custom processor: every third logit moves by half."""

    def __call__(self, ids, scores):
        scores = scores.clone()
        scores[:, ::3] += 0.5
        return scores


class Built(Exception):
    pass


class ListModel(TableModel):
    """generate() up to the list of processors."""

    def _get_logits_processor(self, generation_config, *args, **kwargs):
        self.config_used = generation_config
        self.built = super()._get_logits_processor(generation_config, *args, **kwargs)
        self.mask = kwargs["model_kwargs"].get("attention_mask")
        raise Built


def build(size, prompt, method, max_new, options, own=()):
    model = ListModel(torch.zeros(1, size), context=100000)
    options = dict(options)
    ours = {name: options.pop(name, None) for name in ("logit_bias", "frequency_penalty", "presence_penalty")}
    sample, beams = "sample" in method, 3 if "beam" in method else 1
    options.setdefault("top_k", 0)
    config = GenerationConfig(max_new_tokens=max_new, do_sample=sample, num_beams=beams, **options)
    try:
        model.generate(torch.tensor([prompt]), generation_config=config, use_cache=False, logits_processor=list(own))
    except Built:
        pass
    processors = list(model.built)
    ranks = [RANK[type(p).__name__] for p in processors]
    assert ranks == sorted(ranks), "transformers runs them in another order"
    if ours["logit_bias"]:
        processors.append(LogitBias(ours["logit_bias"]))
    if ours["frequency_penalty"]:
        processors.append(FrequencyPenalty(ours["frequency_penalty"], len(prompt)))
    if ours["presence_penalty"]:
        processors.append(PresencePenalty(ours["presence_penalty"], len(prompt)))
    processors.sort(key=lambda p: RANK[type(p).__name__])
    return processors, model


def row_of(kind, size, seed):
    """made_row, and "wild" (row_of in test_processors.c)."""
    row = made_row("smooth" if kind == "wild" else kind, size, seed)
    if kind == "wild":
        for start, value in ((1, np.nan), (3, np.inf), (5, -np.inf), (6, torch.finfo(torch.float32).max)):
            row[start::7] = value
    return row


def checksum(row):
    bits = torch.where(row == 0, 0.0, row).numpy().view(np.uint32).astype(np.uint64)
    bits[np.isnan(row.numpy())] = 0x7FC00000
    weights = 2 * np.arange(len(bits), dtype=np.uint64) + np.uint64(1)
    return int((bits * weights).sum(dtype=np.uint64))


def figures(row, exact, places):
    if exact or bool(torch.isnan(row).all()):
        return f"={checksum(row):x}"
    assert not bool(torch.isnan(row).any() | (row == np.inf).any())
    finite = row[row > -np.inf].double()
    places = sorted(set(places) | {int(row.argmax())})
    values = ",".join(f"{i}:{float(row[i]):.9g}" for i in places)
    return f"~{len(row) - len(finite)}:{float(finite.sum()):.12g}:{values}"


def written(value):
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], list) and len(value[0]) == 2 and isinstance(value[0][0], list):
            return ";".join(",".join(map(str, ids)) + f":{bias!r}" for ids, bias in value)
        if value and isinstance(value[0], list):
            return ";".join(",".join(map(str, ids)) for ids in value)
        return ",".join(map(str, value))
    return repr(value)


def case(size, kind, seed, method, ids, n_prompt, max_new, options):
    """A line of the fixture. ids: seed, n, below."""
    processors, model = build(size, made_ids(*ids)[:n_prompt], method, max_new, options)
    n_rows = 1 if model.mask is None else model.mask.shape[0]
    sequence = torch.tensor([made_ids(*ids)] * n_rows)
    scores = row_of(kind, size, seed)[None].repeat(n_rows, 1)
    options = dict(options)
    if (model.config_used.min_length or 0) > 0:  # min_new_tokens sets it too
        options["min_length"] = model.config_used.min_length
    eos = options.get("eos_token_id") or [0]
    places = [0, size // 2, size - 1, int(sequence[0, -1]), eos if isinstance(eos, int) else eos[0]]
    exact, stages = True, []
    if "beam" in method:
        scores, exact = torch.log_softmax(scores, -1), False
        stages.append("log_softmax" + figures(scores[0], exact, places))
    for processor in processors:
        name = NAMES[type(processor).__name__]
        if name == "guidance_scale":
            unguided = row_of("smooth", size, seed + 1)
            processor.get_unconditional_logits = lambda _: unguided[None, None].repeat(n_rows, 1, 1)
        exact = exact and name not in ("guidance_scale", "renormalize_logits")
        scores = processor(sequence, scores)
        stages.append(name + figures(scores[0], exact, places))
    shown = " ".join(f"{name}={written(value)}" for name, value in options.items() if value is not None)
    return (f"case {size} {kind} {seed} {method} {ids[0]} {ids[1]} {ids[2]} {n_prompt} {max_new} {shown} | "
            + " ".join(stages)).replace("  ", " ")


def some_ids(rng, size, ids, n):
    """n ids of the vocabulary, half of them of the sequence."""
    return [rng.choice(ids) if rng.random() < 0.5 else rng.randrange(size) for _ in range(n)]


def phrase(rng, size, ids):
    """A sequence of ids: one, or what the next token may complete, or what it may not."""
    n = rng.choice([1, 1, 2, 2, 3, 4, 9])
    if rng.random() < 0.7 and n - 1 <= len(ids):
        return ids[len(ids) - (n - 1):] + [rng.randrange(size)]
    return some_ids(rng, size, ids, n)


VALUES = {
    "guidance_scale": lambda rng, V, ids: rng.choice([1.5, 3.0, 0.5, 7.25]),
    "sequence_bias": lambda rng, V, ids: [[phrase(rng, V, ids), rng.choice([-2.5, 10.1, 0.3, -7.7, 1e4])]
                                          for _ in range(rng.randint(1, 8))],
    "logit_bias": lambda rng, V, ids: [[[i], rng.choice([-100.0, 100.0, 0.1, -3.3])]
                                       for i in some_ids(rng, V, ids, rng.randint(1, 4))],
    "encoder_repetition_penalty": lambda rng, V, ids: rng.choice([1.2, 0.7, 3.0, 0.05]),
    "repetition_penalty": lambda rng, V, ids: rng.choice([1.1, 0.8, 1.3, 5.0, 20.0]),
    "frequency_penalty": lambda rng, V, ids: rng.choice([0.1, -0.7, 1.9, 2.0]),
    "presence_penalty": lambda rng, V, ids: rng.choice([0.1, -0.7, 1.9, 2.0]),
    "no_repeat_ngram_size": lambda rng, V, ids: rng.choice([1, 2, 2, 3, 4, 20]),
    "encoder_no_repeat_ngram_size": lambda rng, V, ids: rng.choice([1, 2, 2, 3, 4, 20]),
    "bad_words_ids": lambda rng, V, ids: [phrase(rng, V, ids) for _ in range(rng.randint(1, 6))],
    "min_length": lambda rng, V, ids: max(1, len(ids) + rng.choice([-1, 0, 1, 2, 40])),
    "min_new_tokens": lambda rng, V, ids: rng.choice([1, 2, 3, 5, 30]),
    "forced_bos_token_id": lambda rng, V, ids: rng.randrange(V),
    "forced_eos_token_id": lambda rng, V, ids: [rng.randrange(V) for _ in range(rng.choice([1, 1, 3]))],
    "remove_invalid_values": lambda rng, V, ids: True,
    "exponential_decay_length_penalty": lambda rng, V, ids: (rng.choice([0, 1, 2, 5, -3]), rng.choice([1.01, 1.5, 0.9, 4.0])),
    "suppress_tokens": lambda rng, V, ids: some_ids(rng, V, ids, rng.randint(1, 5)),
    "begin_suppress_tokens": lambda rng, V, ids: some_ids(rng, V, ids, rng.randint(1, 5)),
    "renormalize_logits": lambda rng, V, ids: True,
}


def drawn_case(rng, names, size, kind, method):
    below = min(size, rng.choice([2, 3, 7, 40]))
    n_prompt, n_new = rng.choice([1, 1, 2, 3, 6, 15, 40]), rng.choice([0, 0, 1, 2, 4, 9, 30])
    if "forced_bos_token_id" in names or "begin_suppress_tokens" in names:
        n_prompt, n_new = rng.choice([1, 1, 2]), rng.choice([0, 0, 1])
    where = (rng.randrange(10**6), n_prompt + n_new, below)
    ids = made_ids(*where)
    options = {name: VALUES[name](rng, size, ids) for name in names}
    if "exponential_decay_length_penalty" in names or rng.random() < 0.8:
        options["eos_token_id"] = [rng.randrange(size) for _ in range(rng.choice([1, 1, 2, 3]))]
    if "bad_words_ids" in names and rng.random() < 0.4 and "eos_token_id" in options:
        options["bad_words_ids"].append([options["eos_token_id"][0]])
    if "sample" in method:
        options["temperature"] = 1.3 if "remove_invalid_values" in names else rng.choice([0.7, 1.3])  # no overflow
        near = "beam" in method or {"guidance_scale", "renormalize_logits"} & set(names)
        options["top_k"] = 0 if near else rng.choice([0, 5])
    forced = options.get("forced_eos_token_id", []) + [options.get("forced_bos_token_id", -1)]
    if set(forced) - {-1} & set(options.get("suppress_tokens", [])):
        del options["suppress_tokens"]  # transformers refuses to suppress all that is forced
    max_new = n_new + 1 + (rng.random() < 0.3) * rng.randint(0, 9)
    return case(size, kind, rng.randrange(10**6), method, where, n_prompt, max_new, options)


def order():
    """The list with everything on."""
    rng = random.Random(5)
    options = {name: value(rng, 9, [1, 2, 3]) for name, value in VALUES.items()}
    options |= {"temperature": 0.5, "top_h": 0.4, "top_k": 3, "top_p": 0.9, "min_p": 0.1, "typical_p": 0.9,
                "epsilon_cutoff": 0.01, "eta_cutoff": 0.01, "eos_token_id": [4], "suppress_tokens": [8],
                "forced_bos_token_id": 1, "forced_eos_token_id": [2]}
    processors, _ = build(9, [1, 2, 3], "sample", 5, options, [Own()])
    return "order " + " ".join(NAMES[type(p).__name__] for p in processors)


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    rng = random.Random(70)
    head = [f"# transformers {transformers.__version__}, torch {torch.__version__}.",
            "# order: the options of the processors that generate() makes of a configuration with everything on.",
            "# case V KIND SEED METHOD IDS: the row of KIND (made_row.h; wild: with NaN and infinities) under METHOD, behind",
            "# made_ids(seed, n, below), the first n_prompt of them the prompt, at most max_new new ones, with options;",
            "# the row under the negative prompt is that of kind smooth and SEED + 1. Then what each processor leaves, in",
            "# order: name=CHECKSUM, exact; name~REMOVED:SUM:ID:VALUE,..: ids at -inf, the sum of the others, some values,",
            "# where log_softmax in float32 has had part in it."]
    lines = [order()]
    for name in VALUES:
        for size, kind, method in [(1, "flat", "greedy"), (2, "smooth", "greedy"), (7, "holes", "greedy"), (7, "ties", "beam"),
                                   (100, "smooth", "sample"), (100, "smooth", "greedy"), (100, "peaked", "beam_sample"),
                                   (1000, "holes", "beam"), (50257, "peaked", "greedy")]:
            lines.append(drawn_case(rng, [name], size, kind, method))
        lines += [drawn_case(rng, [name], 100, "smooth", "greedy") for _ in range(3)]
    for size in (7, 100):
        lines.append(case(size, "wild", 3, "greedy", (1, 4, 5), 2, 9, {"remove_invalid_values": True}))
        lines.append(case(size, "wild", 3, "beam", (1, 4, 5), 2, 9, {"remove_invalid_values": True}))
        lines.append(case(size, "wild", 4, "greedy", (1, 60, size), 2, 60,
                          {"repetition_penalty": 1.7, "suppress_tokens": [1, 2], "eos_token_id": list(range(6)),
                           "exponential_decay_length_penalty": (3, 1.5)}))
        lines.append(case(size, "wild", 5, "greedy", (1, 60, size), 2, 60, {"renormalize_logits": True}))
    for n_prompt, n_new in [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]:
        lines.append(case(7, "smooth", 6, "greedy", (9, n_prompt + n_new, 7), n_prompt, 9,
                          {"forced_bos_token_id": 3, "begin_suppress_tokens": [1, 5]}))
    for _ in range(300):
        names = rng.sample(sorted(VALUES), 3)
        size = rng.choice([1, 2, 7, 7, 100, 100, 100, 1000, 1000])
        kind = rng.choice(["smooth", "smooth", "ties", "peaked", "flat", "holes"])
        if kind == "holes" and "remove_invalid_values" in names:
            kind = "smooth"  # the lowest float32, then added to: no number of the two sides is wrong
        lines.append(drawn_case(rng, names, size, kind, rng.choice(["greedy", "greedy", "sample", "beam", "beam_sample"])))
    for _ in range(12):
        lines.append(drawn_case(rng, rng.sample(sorted(VALUES), 3), 50257, "peaked", rng.choice(["greedy", "sample", "beam"])))
    (ROOT / "tests/decode/processors_oracle.txt").write_text("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main()
