"""Expected outcomes of nextoken.transformers' generate(), from transformers on seeded checkpoints.

    python tools/oracle/python_generate.py MKMODEL

Writes tests/python/expected/generate.json.gz: a few hundred calls of generate(), each with what it is
called with and its outcome as tests/python/generating.py has it: sequences whole, of scores and logits
some rows' likeliest ids. Cases whose ids do not survive noise on the logits as large as that of float32
arithmetic in another order are left out; what transformers refuses is kept by the error's class."""

import gzip
import json
import logging
import pathlib
import random
import sys
import tempfile
import warnings

import torch
import transformers

import checkpoints

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import generating  # noqa: E402
import harness  # noqa: E402
from decoding import Noisy  # noqa: E402

TARGET = ROOT / "tests" / "python" / "expected" / "generate.json.gz"
RUNS = 2

LOOP = [7, 8, 9, 7, 8, 9, 7, 8]
PROMPTS = {
    "small": [[[5]], [[1, 2, 3]], [LOOP], [[90, 3, 17, 3, 17, 44, 3, 17]]],
    "letters": [[[40, 41, 42]], [[83, 257, 83, 257, 83]]],
    "words": [[[44484]], [[32, 890, 890, 640, 2084, 11, 220]]],
}
PADDED = {
    "small": {"ids": [[0, 0, 0, 5, 6], [1, 2, 3, 4, 5], [0, 7, 8, 7, 8]],
              "mask": [[0, 0, 0, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]]},
    "words": {"ids": [[50256, 50256, 770, 5041], [32, 890, 890, 640]],
              "mask": [[0, 0, 1, 1], [1, 1, 1, 1]]},
}
METHODS = {
    "greedy": {},
    "sample": {"do_sample": True},
    "beams": {"num_beams": 3},
    "beam_sample": {"num_beams": 3, "do_sample": True},
}
ALL = {"return_dict_in_generate": True, "output_scores": True, "output_logits": True}
#: One option at a time; of drawing: only where ids are drawn.
OPTIONS = [
    {"repetition_penalty": 1.7}, {"encoder_repetition_penalty": 1.6}, {"no_repeat_ngram_size": 2},
    {"encoder_no_repeat_ngram_size": 2}, {"bad_words_ids": [[5], [7, 8], [9]]},
    {"sequence_bias": [[[4], 2.5], [[7, 8], -9.0], [[3, 17, 44], 6.0]]}, {"min_length": 9},
    {"min_new_tokens": 6}, {"forced_bos_token_id": 11}, {"forced_eos_token_id": 3},
    {"remove_invalid_values": True}, {"exponential_decay_length_penalty": (2, 1.4)},
    {"suppress_tokens": [1, 2, 3, 50]}, {"begin_suppress_tokens": [7, 8, 9, 60]},
    {"renormalize_logits": True}, {"guidance_scale": 1.8}, {"max_length": 14},
    {"guidance_scale": 0.6, "negative_prompt_ids": [[9, 8, 30]]},
]
DRAWING = [
    {"temperature": 0.6}, {"top_k": 5}, {"top_k": 0}, {"top_p": 0.6}, {"min_p": 0.3},
    {"typical_p": 0.5}, {"top_h": 0.4}, {"epsilon_cutoff": 0.02}, {"eta_cutoff": 0.03},
    {"temperature": 1.7, "top_k": 20, "top_p": 0.9}, {"top_k": None, "top_p": 0.5},
]
SEARCHING = [
    {"length_penalty": 2.0}, {"length_penalty": -1.0}, {"length_penalty": 0.0},
    {"early_stopping": True}, {"early_stopping": "never"}, {"num_return_sequences": 3},
    {"num_beams": 5, "num_return_sequences": 4}, {"num_beams": 2},
]
CALLS = ["ban_even", "by_row", "counts", "replaces", "two_known", "stop_at_length", "stop_rows",
         "stop_by_scores", "stop_eos_and_length", "prefix"]
REFUSED = [
    {"num_return_sequences": 2}, {"num_beams": 2, "num_return_sequences": 3}, {"temperature": 0.0,
     "do_sample": True}, {"temperature": 2, "do_sample": True}, {"top_k": -1, "do_sample": True},
    {"top_p": 1.5, "do_sample": True}, {"top_p": -0.5, "do_sample": True},
    {"repetition_penalty": 2}, {"repetition_penalty": -1.0}, {"max_new_tokens": 0},
    {"max_length": 1, "max_new_tokens": None}, {"min_p": 1.5, "do_sample": True},
    {"sequence_bias": []}, {"bad_words_ids": []}, {"bad_words_ids": [5]}, {"bad_words_ids": [[-1]]},
    {"sequence_bias": [[[4], 2]]}, {"early_stopping": "often"}, {"no_such_option": 3},
    {"typical_p": 0.0, "do_sample": True}, {"sequence_bias": [[[4000], 2.0]]},
    {"stop_strings": ["a"]}, {"num_beams": 2, "stream": True}, {"low_memory": True, "num_beams": 2},
    {"penalty_alpha": 0.6, "top_k": 4}, {"dola_layers": "low"}, {"num_beams": 4, "num_beam_groups": 2,
     "diversity_penalty": 0.5}, {"prompt_lookup_num_tokens": 3, "num_return_sequences": 2,
     "do_sample": True}, {"suppress_tokens": [3], "forced_eos_token_id": 3},
]


def cases():
    """Every call, in order."""
    draw = random.Random(7)
    for method, base in METHODS.items():
        options = OPTIONS + (DRAWING if base.get("do_sample") else []) \
            + (SEARCHING if base.get("num_beams") else [])
        for i, option in enumerate(options):
            if method == "beam_sample" and i % 2:
                continue
            if base.get("num_beams") and "negative_prompt_ids" in option:
                continue  # transformers wants one a beam
            prompts = PROMPTS["small"]
            ids = prompts[0] if "forced_bos_token_id" in option else prompts[1 + i % 3]
            eos = [None, 4, [4, 9, 60]][i % 3]
            if eos is None and ("min_length" in option or "min_new_tokens" in option
                                or "exponential_decay_length_penalty" in option):
                eos = 4
            yield {"model": "small", "ids": ids, "seed": i, "options": {
                "max_new_tokens": 8, "eos_token_id": eos, "pad_token_id": 0, **base, **option,
                **(ALL if i % 2 or base.get("num_beams") else {}),
                **({"max_new_tokens": None} if "max_length" in option else {})}}
    yield from padded(draw)
    yield from called()
    yield from others()
    for i in range(90):
        yield combination(draw, i)
    for option in REFUSED:
        yield {"model": "small", "ids": [[1, 2, 3]], "stream": option.get("stream", False), "options": {
            "max_new_tokens": 4, "eos_token_id": 4, "pad_token_id": 0,
            **{k: v for k, v in option.items() if k != "stream"}}}


def padded(draw):
    """Several prompts with padding: every method, and options that look at ids."""
    for model, prompts in PADDED.items():
        eos = 4 if model == "small" else None
        for method, base in METHODS.items():
            for i, option in enumerate([{}, {"repetition_penalty": 1.5}, {"no_repeat_ngram_size": 2},
                                        {"min_length": 8}, {"encoder_repetition_penalty": 1.4}]):
                if (model == "words" and i > 1) or (eos is None and "min_length" in option):
                    continue
                more = {"num_return_sequences": 2} if method != "greedy" and i != 2 else {}
                yield {"model": model, **prompts, "seed": i + 3, "options": {
                    "max_new_tokens": 7, "eos_token_id": eos, "pad_token_id": 0, **base, **option, **more,
                    **ALL}}
    right = {"ids": [[5, 6, 0, 0], [1, 2, 3, 4]], "mask": [[1, 1, 0, 0], [1, 1, 1, 1]]}
    holes = {"ids": [[5, 0, 6, 0], [1, 2, 3, 4]], "mask": [[1, 0, 1, 1], [1, 1, 0, 1]]}
    for prompts in (right, holes):
        yield {"model": "small", **prompts, "options": {"max_new_tokens": 6, "pad_token_id": 0, **ALL}}
        yield {"model": "small", **prompts, "options": {"max_new_tokens": 6, "pad_token_id": 0,
                                                        "num_beams": 2, **ALL}}
    # no mask: told from the pad id, where that is no EOS
    ids = [[0, 0, 5, 6], [1, 2, 3, 4]]
    for eos in (4, 0):
        yield {"model": "small", "ids": ids, "options": {"max_new_tokens": 6, "pad_token_id": 0,
                                                         "eos_token_id": eos, **ALL}}


def called():
    """Python functions called back, in every method."""
    for name in CALLS:
        for method, base in METHODS.items():
            for model, ids in (("small", [[1, 2, 3], [9, 8, 7]]), ("small", [LOOP])):
                extra = {"repetition_penalty": 1.5} if name == "replaces" else {}
                if len(ids) == 2 and method == "sample":
                    extra["num_return_sequences"] = 2
                yield {"model": model, "ids": ids, "calls": [name], "seed": 5, "options": {
                    "max_new_tokens": 9, "eos_token_id": 4, "pad_token_id": 0, **base, **extra,
                    **(ALL if len(ids) == 2 or name == "stop_by_scores" else {})}}


def others():
    """Streams, stop strings, drafts, lengths, and where options may come from."""
    plain = {"max_new_tokens": 8, "eos_token_id": 4, "pad_token_id": 0}
    for base in (METHODS["greedy"], METHODS["sample"]):
        yield {"model": "small", "ids": [LOOP], "stream": True, "options": {**plain, **base}}
        yield {"model": "small", "ids": [[1, 2], [3, 5]], "stream": True, "options": {**plain, **base}}
        for lookup in ({"prompt_lookup_num_tokens": 3}, {"prompt_lookup_num_tokens": 4,
                                                         "max_matching_ngram_size": 3}):
            yield {"model": "small", "ids": [LOOP], "options": {**plain, **base, **lookup, **ALL}}
        yield {"model": "small", "assistant": "draft", "ids": [LOOP], "options": {
            **plain, **base, "output_scores": True, "return_dict_in_generate": True}}
        yield {"model": "small", "ids": [LOOP], "calls": ["ban_even"], "options": {
            **plain, **base, "prompt_lookup_num_tokens": 3, **ALL}}
        for strings in (["e"], ["th", " a"], ["zzzz"]):
            for n in (1, 2) if base else (1,):
                yield {"model": "letters", "ids": [[40, 41, 42]], "options": {
                    **plain, **base, "eos_token_id": None if n == 2 else 259, "max_new_tokens": 20,
                    "num_return_sequences": n, "stop_strings": strings}}
    yield {"model": "letters", "ids": [[40, 41, 42]], "options": {**plain, "num_beams": 3,
                                                                 "stop_strings": ["e", "q"], **ALL}}
    yield {"model": "small", "ids": [[1, 2, 3]], "options": {}}
    yield {"model": "small", "ids": [[1, 2, 3]], "options": {"max_length": 9}}
    yield {"model": "small", "ids": [[1, 2, 3]], "options": {"max_length": 9, "max_new_tokens": 3}}
    yield {"model": "small", "ids": [[1, 2, 3]], "options": {"use_cache": False, **plain, **ALL}}
    yield {"model": "small", "ids": [[1, 2, 3]], "config": ["num_beams", "max_new_tokens"],
           "options": {**plain, "num_beams": 2, **ALL}}
    yield {"model": "small", "ids": [[1, 2, 3]], "config": ["do_sample", "temperature"],
           "options": {**plain, "do_sample": True, "temperature": 0.5}}
    yield {"model": "small", "ids": [[1, 2, 3]], "tuples": True, "options": {
        **plain, "sequence_bias": [[[4], 2.5], [[7, 8], -9.0]]}}
    yield {"model": "words", "ids": PROMPTS["words"][1], "options": {
        "max_new_tokens": 12, "num_beams": 5, "pad_token_id": 0, **ALL}}
    yield {"model": "words", "ids": PROMPTS["words"][0], "seed": 2, "options": {
        "max_new_tokens": 8, "do_sample": True, "num_return_sequences": 3, "pad_token_id": 0, **ALL}}
    yield {"model": "words", "ids": [[(i * 7919) % 50257 for i in range(270)]], "options": {
        "max_new_tokens": 6, "num_beams": 2, "pad_token_id": 0, **ALL}}


def combination(draw, i):
    """Three options at once, any method, one prompt or three."""
    method = draw.choice(list(METHODS))
    base = dict(METHODS[method])
    pool = [o for o in OPTIONS if "guidance_scale" not in o and "max_length" not in o]
    pool += DRAWING if base.get("do_sample") else []
    pool += SEARCHING if base.get("num_beams") else []
    options = {"max_new_tokens": draw.randint(3, 12), "pad_token_id": draw.choice([0, 1]),
               "eos_token_id": draw.choice([4, [4, 9, 60]]), **base}
    for option in draw.sample(pool, 3):
        options.update(option)
    if method == "sample" and draw.random() < 0.5:
        options["num_return_sequences"] = draw.randint(2, 3)
    if draw.random() < 0.6:
        options.update(ALL)
    prompts = {"ids": draw.choice(PROMPTS["small"])} if draw.random() < 0.6 else \
        draw.choice([PADDED["small"], {"ids": [[1, 2, 3], [7, 8, 7]]}])
    calls = [draw.choice(CALLS)] if draw.random() < 0.2 else []
    return {"model": "small", **prompts, "seed": i, **({"calls": calls} if calls else {}),
            "options": options}


class Oracle:
    def __init__(self, folder, mkmodel):
        self.models, self.own = {}, {}
        letters = harness.make_letters(pathlib.Path(folder) / "letters-tokenizer")
        for name in ("small", "letters", "words", "draft"):
            path = pathlib.Path(folder) / name
            args = [a.replace("{letters}", str(letters)).replace("{root}", str(ROOT))
                    for a in harness.MODELS[name]]
            checkpoints.make(mkmodel, args, str(path))
            self.models[name] = transformers.GPT2LMHeadModel.from_pretrained(
                str(path), attn_implementation="eager", dtype=torch.float32).eval()
            self.own[name] = self.models[name].generation_config
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(str(pathlib.Path(folder) / "letters"))

    def run(self, case):
        model = self.models[case["model"]]
        for name in self.models:
            self.models[name].generation_config = transformers.GenerationConfig(
                **self.own[name].to_diff_dict())
        assistant = self.models[case["assistant"]] if "assistant" in case else None
        with torch.no_grad():
            out, streamer = generating.run(transformers, model, case, torch.tensor, torch.manual_seed,
                                           assistant, self.tokenizer)
        got = generating.outcome(model, out, case)
        if streamer is not None:
            got["stream"] = streamer.got
        return got

    def survives(self, case, got):
        """Whether the ids are the same under noise on the logits."""
        model = self.models[case["model"]]
        for seed in range(RUNS):
            with Noisy(model, seed):
                try:
                    if self.run(case)["sequences"] != got["sequences"]:
                        return False
                except (ValueError, RuntimeError, IndexError):
                    return False
        return True


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    kept, fragile, refused = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        oracle = Oracle(folder, sys.argv[1])
        for case in cases():
            try:
                got = oracle.run(case)
            except Exception as error:  # whatever it is, the caller sees it
                case["refused"] = [kind.__name__ for kind in type(error).__mro__]
                kept.append(case)
                refused += 1
                continue
            if not lacks_candidates(case, got) and oracle.survives(case, got):
                case["expected"] = got
                kept.append(case)
            else:
                fragile += 1
    write(kept)
    print(f"{len(kept)} cases, {refused} of them refused; {fragile} left out as fragile; "
          f"{TARGET.stat().st_size} bytes")


def lacks_candidates(case, got):
    """Whether a step leaves fewer ids than a search with beams takes: which of the impossible ones torch
    then takes follows from no rule."""
    options = case["options"]
    if options.get("num_beams", 1) == 1 or "scores" not in got:
        return False
    eos = options.get("eos_token_id")
    K = max(2, 1 + (len(eos) if isinstance(eos, list) else int(eos is not None))) * options["num_beams"]
    n = options["num_beams"]
    for t, rows in got["scores"].items():
        for first in range(0, len(rows), n):
            mine = rows[first:first + (n if t != "0" else 1)]  # at first there is one beam
            if sum(row["finite"] for row in mine) < K:
                return True
    return False


def short(value):
    """Floats with 7 digits, infinities as words."""
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [short(item) for item in value]
    if isinstance(value, float):
        return float("%.7g" % value) if abs(value) != float("inf") and value == value else str(value)
    return value


def write(kept):
    lines = ",\n".join(json.dumps(short(case), separators=(",", ":")) for case in kept)
    head = json.dumps({"by": "tools/oracle/python_generate.py", **checkpoints.versions()})[:-1]
    text = head + ',"cases":[\n' + lines + "\n]}\n"
    with open(TARGET, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        packed.write(text.encode())


if __name__ == "__main__":
    main()
