"""What transformers makes of options before it decodes: tests/decode/plan_oracle.txt.

generate() runs on a table of logits up to where its decoding method would begin; there the method,
the lengths, the processors in their order and the number of tokens that warpers keep are written
down. A line: prompt length, context, name=value ... (JSON values), then `refused`, or method,
max_length, min_tokens_to_keep (0: no warper says) and the processors' options. `stricter` stands
where transformers warns and leaves an option out and nextoken refuses the pair.

usage: plans.py
"""

import json
import pathlib
import random
import warnings

import torch
from processors import NAMES
from tables import TableModel
from transformers.utils import logging

ROOT = pathlib.Path(__file__).resolve().parents[2]
V, CONTEXT = 40, 64
# Values that both systems take by themselves; what only pairs of them do is the question.
VALUES = {
    "max_new_tokens": [1, 3, 20],
    "max_length": [5, 6, 12, 64],
    "min_length": [0, 4, 9, 70],
    "min_new_tokens": [0, 2, 30],
    "eos_token_id": [7, [7, 9], [7, 9, 11]],
    "do_sample": [True, False],
    "num_beams": [1, 2, 5],
    "num_return_sequences": [1, 2, 3],
    "early_stopping": [True, False, "never"],
    "length_penalty": [0.0, 1.0, -1.5],
    "temperature": [0.5, 1.0, 2.0],
    "top_k": [0, 1, 50, 1000],
    "top_p": [0.0, 0.3, 1.0],
    "top_h": [0.4, 1.0],
    "min_p": [0.0, 0.1, 1.0],
    "typical_p": [0.2, 1.0],
    "epsilon_cutoff": [0.0, 0.1, 1.0],
    "eta_cutoff": [0.0, 0.1, 1.0],
    "repetition_penalty": [1.0, 1.3],
    "encoder_repetition_penalty": [1.0, 0.7],
    "no_repeat_ngram_size": [0, 2],
    "encoder_no_repeat_ngram_size": [0, 3],
    "bad_words_ids": [[[3]], [[3], [4, 5]], [[7]]],
    "sequence_bias": [[[[3], 1.5]], [[[3, 4], -2.0], [[5], 0.5]]],
    "suppress_tokens": [[3], [3, 7, 9]],
    "begin_suppress_tokens": [[3], [3, 7, 9]],
    "forced_bos_token_id": [3, 8],
    "forced_eos_token_id": [7, [7, 8]],
    "exponential_decay_length_penalty": [[2, 1.5], [0, 1.01]],
    "remove_invalid_values": [True, False],
    "renormalize_logits": [True, False],
    "guidance_scale": [1.0, 1.5, -1.0],
    "prompt_lookup_num_tokens": [3],
    "max_matching_ngram_size": [1, 3],
    "assistant_ensemble_weight": [0.5],
}


class Begun(Exception):
    pass


def capture(method):
    def begin(self, input_ids, logits_processor=None, generation_config=None, **kwargs):
        if method == "_assisted_decoding":  # refuses some options itself
            self._get_candidate_generator(generation_config, input_ids, input_ids, logits_processor, {})
        raise Begun(method, generation_config, logits_processor)

    return begin


for name in ("_sample", "_beam_search", "_assisted_decoding"):
    setattr(TableModel, name, capture(name))
MODEL = TableModel(torch.zeros(1, V), context=CONTEXT)


def method_of(begun, config):
    sample = config.do_sample is True
    if begun == "_assisted_decoding":
        return "prompt_lookup"
    if begun == "_beam_search":
        return "beam_sample" if sample else "beam_search"
    return "sample" if sample else "greedy"


def outcome(n_prompt, options):
    prompt = torch.arange(n_prompt).unsqueeze(0) % V
    given = {k: tuple(v) if k == "exponential_decay_length_penalty" else v for k, v in options.items()}
    try:
        MODEL.generate(prompt, use_cache=False, **given)
    except Begun as begun:
        method, config, processors = begun.args
    except Exception:  # whatever it is: it does not decode
        return "refused"
    if options.get("num_beams", 1) > 1 and "prompt_lookup_num_tokens" in options:
        return "stricter"
    if options.get("forced_eos_token_id") and options.get("max_new_tokens") == 1 or \
            config.max_length == n_prompt + 1:
        forced = options.get("forced_eos_token_id") or []
        forced = forced if isinstance(forced, list) else [forced]
        first = n_prompt > 1 or "forced_bos_token_id" not in options
        if forced and first and set(forced) <= set(options.get("begin_suppress_tokens", [])):
            return "stricter"  # all of them -inf
    names = [NAMES[type(p).__name__] for p in processors]
    if "min_new_tokens" in options and "min_length" in names:  # it says the same once more
        names.remove("min_length")
    keeps = {p.min_tokens_to_keep for p in processors if hasattr(p, "min_tokens_to_keep")}
    assert len(keeps) <= 1
    return " ".join([method_of(method, config), str(config.max_length), str(max(keeps, default=0)),
                     *names])


def cases():
    for name, values in VALUES.items():
        for value in values:
            yield 4, {"eos_token_id": 7, name: value}
            yield 4, {name: value}
            yield 4, {"eos_token_id": 7, "do_sample": True, name: value}
            yield 4, {"eos_token_id": [7, 9], "do_sample": True, "num_beams": 3, name: value}
    yield from ((n, {}) for n in (1, 44, 45, 63, 64))
    yield 50, {"max_length": 50}
    yield 50, {"max_length": 51}
    draw = random.Random(7)
    for _ in range(600):
        names = draw.sample(sorted(VALUES), draw.choice((2, 3, 4, 6)))
        yield draw.choice((1, 4, 4, 30)), {n: draw.choice(VALUES[n]) for n in names}


def main():
    logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    lines = []
    for n_prompt, options in cases():
        words = [f"{k}={json.dumps(v, separators=(',', ':'))}" for k, v in options.items()]
        lines.append("\t".join([str(n_prompt), str(CONTEXT), *words, outcome(n_prompt, options)]))
    lines = list(dict.fromkeys(lines))
    path = ROOT / "tests/decode/plan_oracle.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    kinds = [line.split("\t")[-1] for line in lines]
    print(len(lines), "cases,", kinds.count("refused"), "refused,", kinds.count("stricter"), "stricter")


if __name__ == "__main__":
    main()
