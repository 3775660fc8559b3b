"""Expected outcomes of generation, from transformers' generate() on seeded checkpoints.

    python tools/oracle/decoding.py MKMODEL

Writes tests/api/data/decoding.json: each option alone, random combinations of three, beams, assisted
decoding, and draws with torch's seeds. A case holds the options as both systems take them, the ids of
every sequence, scores and beam indices of beams, and of each step how many ids are left, a checksum of
which, and the largest probabilities.

A case is marked fragile where its ids do not survive noise on the logits as large as float32 arithmetic
in another order may make (NOISE of their range): there the oracle itself stands on the edge of two
outcomes. `near` marks single steps in which only the set of ids left is on such an edge."""

import json
import pathlib
import random
import sys
import tempfile
import warnings
import zlib

import torch
import transformers

import checkpoints

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "tests" / "api" / "data" / "decoding.json"
NOISE, RUNS, TOP = 4e-6, 3, 6
MODELS = {
    "small": ["--seed", "9", "--n-embd", "16", "--n-layer", "2", "--n-head", "2", "--n-positions",
              "64", "--vocab-size", "96"],
    "draft": ["--seed", "9", "--n-embd", "16", "--n-layer", "1", "--n-head", "2", "--n-positions",
              "64", "--vocab-size", "96"],
    "words": ["--seed", "7", "--n-embd", "48", "--n-layer", "3", "--n-head", "4", "--n-positions",
              "320", "--tokenizer", str(ROOT / "models" / "gpt2")],
}
PROMPTS = {
    "small": [[5], [1, 2, 3], [7, 8, 9, 7, 8], [90, 3, 17, 3, 17, 44, 3, 17], list(range(30, 50))],
    "words": [[44484], [770, 5041, 314, 1410, 284], [32, 890, 890, 640, 2084, 11, 220]],
}
LONG = [(i * 7919) % 50257 for i in range(280)]


class Noisy:
    """Adds noise to what the model returns, from a generator of its own."""

    def __init__(self, model, seed):
        self.model, self.random = model, torch.Generator().manual_seed(seed)

    def __enter__(self):
        self.hook = self.model.lm_head.register_forward_hook(self.add)

    def __exit__(self, *_):
        self.hook.remove()

    def add(self, _module, _inputs, logits):
        spread = logits.amax(-1, keepdim=True) - logits.amin(-1, keepdim=True)
        return logits + NOISE * spread * (2 * torch.rand(logits.shape, generator=self.random) - 1)


class Oracle:
    def __init__(self, folder, mkmodel):
        self.models, self.crc = {}, {}
        for name, args in MODELS.items():
            path = pathlib.Path(folder) / name
            self.crc[name] = checkpoints.make(mkmodel, args, str(path))
            self.models[name] = checkpoints.load(str(path))
        self.tokenizer = transformers.GPT2Tokenizer.from_pretrained(str(ROOT / "models" / "gpt2"))

    def run(self, case):
        model, options = self.models[case["model"]], dict(case["options"])
        extra = {}
        seed = options.pop("seed", None)
        options.pop("rng", None)
        if "negative_prompt_ids" in options:
            extra["negative_prompt_ids"] = torch.tensor([options.pop("negative_prompt_ids")])
        if "assistant" in case:
            assistant = extra["assistant_model"] = self.models[case["assistant"]]
            assistant.generation_config = transformers.GenerationConfig(
                num_assistant_tokens=options.get("num_assistant_tokens", 20),
                num_assistant_tokens_schedule=options.get("num_assistant_tokens_schedule", "constant"),
                assistant_confidence_threshold=options.get("assistant_confidence_threshold", 0.4))
        if "stop_strings" in options:
            extra["tokenizer"] = self.tokenizer
        if options.get("eos_token_id") == []:
            options["eos_token_id"] = None
        config = transformers.GenerationConfig(**options, pad_token_id=0, output_scores=True,
                                               return_dict_in_generate=True)
        model.generation_config = transformers.GenerationConfig()
        torch.manual_seed(seed or 0)
        ids = torch.tensor([case["prompt"]])
        with torch.no_grad():
            return model.generate(ids, attention_mask=torch.ones_like(ids),
                                  generation_config=config, **extra)


def length_of(row, case):
    """How many of a padded row of new ids are its own: up to the first EOS."""
    eos = case["options"].get("eos_token_id", [])
    eos = eos if isinstance(eos, list) else [eos]
    for i, token in enumerate(row):
        if token in eos:
            return i + 1
    return len(row)


def sequences_of(out, case):
    """The new ids of each sequence without padding."""
    rows = out.sequences[:, len(case["prompt"]):].tolist()
    if case["options"].get("num_beams", 1) > 1:
        lengths = [sum(1 for b in beams if b >= 0) for beams in out.beam_indices.tolist()]
        return [row[:n] for row, n in zip(rows, lengths)]
    if "stop_strings" in case["options"]:
        assert len(rows) == 1
        return rows
    return [row[:length_of(row, case)] for row in rows]


def left(scores):
    return [int(i) for i in torch.nonzero(scores > -torch.inf).flatten()]


def steps_of(out, sequences):
    """What was left at each step of each sequence: [sequence][step]."""
    steps = []
    for s, ids in enumerate(sequences):
        mine = []
        for t in range(len(ids)):
            row = out.scores[t][s].float()
            probs = torch.softmax(row.double(), -1)
            kept = left(row)
            top = torch.sort(probs, descending=True, stable=True)
            mine.append({"kept": len(kept), "crc": zlib.crc32(",".join(map(str, kept)).encode()),
                         "top": [[int(i), float(p)] for p, i in
                                 zip(top.values[:TOP], top.indices[:TOP]) if p > 0]})
        steps.append(mine)
    return steps


def expect(oracle, case):
    """The case with its outcome, or None where transformers refuses it."""
    options = case["options"]
    try:
        out = oracle.run(case)
    except (ValueError, RuntimeError, IndexError) as error:
        return {**case, "refused": str(error).split("\n")[0][:120]}
    beams = options.get("num_beams", 1) > 1
    case["sequences"] = sequences_of(out, case)
    if beams:
        case["scores"] = [float(x) for x in out.sequences_scores]
        case["beam_indices"] = [[b for b in row if b >= 0] for row in out.beam_indices.tolist()]
    elif "assistant" not in case and "prompt_lookup_num_tokens" not in options:
        case["steps"] = steps_of(out, case["sequences"])
    fragile, near = False, set()
    for seed in range(RUNS):
        with Noisy(oracle.models[case["model"]], seed):
            other = oracle.run(case)
        fragile |= sequences_of(other, case) != case["sequences"]
        if beams:
            fragile |= [[b for b in row if b >= 0] for row in other.beam_indices.tolist()] != \
                case["beam_indices"]
        elif not fragile and "steps" in case:
            for s, mine in enumerate(steps_of(other, case["sequences"])):
                for t, step in enumerate(mine):
                    if step["crc"] != case["steps"][s][t]["crc"]:
                        near.add((s, t))
    case["fragile"] = fragile
    mark(case)
    for s, t in near:
        case["steps"][s][t]["near"] = True
    return case


FILL = -1e8


def mark(case):
    """Beams that stand for nothing, and beams of which neither is better.

    Where fewer continuations are left than beams, transformers fills up with copies of the prompt at
    scores of about -1e9, which nextoken leaves out. Of equal scores torch's sort returns any first."""
    scores = case.get("scores", [])
    n = sum(score > FILL for score in scores)
    if n < len(scores):
        for name in ("sequences", "scores", "beam_indices"):
            case[name] = case[name][:n]
        case["filled"] = True
    case["fragile"] |= any(a == b for a, b in zip(case.get("scores", []), case.get("scores", [])[1:]))


# ---- The cases -------------------------------------------------------------------------------------

# Options of processors with values that act; those that need draws stand apart.
PROCESSORS = [
    {"repetition_penalty": 1.3}, {"repetition_penalty": 0.7}, {"encoder_repetition_penalty": 1.4},
    {"encoder_repetition_penalty": 0.8}, {"no_repeat_ngram_size": 1}, {"no_repeat_ngram_size": 2},
    {"no_repeat_ngram_size": 3}, {"encoder_no_repeat_ngram_size": 1},
    {"encoder_no_repeat_ngram_size": 2}, {"bad_words_ids": "likely"}, {"bad_words_ids": "pairs"},
    {"sequence_bias": "likely"}, {"sequence_bias": "pairs"}, {"min_length": 9}, {"min_new_tokens": 6},
    {"forced_bos_token_id": 11}, {"forced_eos_token_id": 12}, {"forced_eos_token_id": [12, 13]},
    {"remove_invalid_values": True}, {"exponential_decay_length_penalty": [2, 1.5]},
    {"suppress_tokens": "likely"}, {"begin_suppress_tokens": "likely"},
    {"renormalize_logits": True}, {"guidance_scale": 1.5},
    {"guidance_scale": 2.5, "negative_prompt_ids": [4, 5, 6]},
]
WARPERS = [
    {"temperature": 0.3}, {"temperature": 1.7}, {"top_k": 3}, {"top_k": 0, "top_p": 0.6}, {"top_p": 0.9},
    {"top_k": 0, "min_p": 0.3}, {"min_p": 0.05}, {"typical_p": 0.7}, {"typical_p": 0.2},
    {"top_k": 0, "epsilon_cutoff": 0.02}, {"top_k": 0, "eta_cutoff": 0.02}, {"top_h": 0.4},
    {"top_h": 0.9, "top_k": 0}, {"renormalize_logits": True}, {"top_k": 0},
]
BEAMS = [
    {}, {"length_penalty": 0.0}, {"length_penalty": 2.0}, {"length_penalty": -1.0},
    {"early_stopping": True}, {"early_stopping": "never"},
    {"early_stopping": "never", "length_penalty": 2.0}, {"early_stopping": True, "length_penalty": 0.5},
]
GUIDED = {"guidance_scale"}


class Cases:
    def __init__(self, oracle):
        self.oracle, self.cases, self.random = oracle, [], random.Random(20261122)
        self.usual = {}

    def likely(self, model, prompt):
        """Ids that the model writes after the prompt, most frequent first."""
        key = (model, tuple(prompt))
        if key not in self.usual:
            seen = {}
            for seed in range(4):
                case = {"model": model, "prompt": prompt,
                        "options": {"max_new_tokens": 12, "do_sample": True, "seed": seed, "top_k": 20}}
                for token in self.oracle.run(case).sequences[0, len(prompt):].tolist():
                    seen[token] = seen.get(token, 0) + 1
            self.usual[key] = sorted(seen, key=lambda token: (-seen[token], token))
        return self.usual[key]

    def fill(self, options, model, prompt):
        """Names of values in place of ids, as they make sense after this prompt."""
        ids = self.likely(model, prompt)
        for name, value in list(options.items()):
            if value == "likely":
                options[name] = {"bad_words_ids": [[ids[0]], [ids[2]]],
                                 "sequence_bias": [[[ids[1]], 1.5], [[ids[0]], -2.25]],
                                 }.get(name, [ids[0], ids[3]])
            elif value == "pairs":
                pairs = [[a, b] for a in ids[:5] for b in ids[:5]]
                options[name] = pairs if name == "bad_words_ids" else [[p, -0.75] for p in pairs]
        return options

    def add(self, model, prompt, options, eos=None, **more):
        options = self.fill({"max_new_tokens": 10, **options}, model, prompt)
        if options.get("max_length"):
            del options["max_new_tokens"]
        if eos is not None:
            options["eos_token_id"] = eos
        case = {"model": model, "prompt": prompt, "options": options, **more}
        self.cases.append(expect(self.oracle, case))
        if len(self.cases) % 50 == 0:
            print(len(self.cases), "cases", flush=True)

    def prompt(self, model="small"):
        return self.random.choice(PROMPTS[model])

    def eos(self, model, prompt, n=1):
        ids = self.likely(model, prompt)
        chosen = self.random.sample(ids[:8], n)
        return chosen[0] if n == 1 else chosen

    def drawn(self):
        return {"do_sample": True, "rng": "torch", "seed": self.random.choice([0, 1, 42, 2**32 + 5,
                                                                              123456789012345])}

    def alone(self):
        for option in [{}, *PROCESSORS]:
            for model in ("small", "words"):
                prompt = self.prompt(model)
                self.add(model, prompt, option, self.eos(model, prompt))
            prompt = self.prompt()
            self.add("small", prompt, {**option, **self.drawn()}, self.eos("small", prompt))
        for option in [{}, *WARPERS]:
            for model in ("small", "small", "words"):
                self.add(model, self.prompt(model), {**option, **self.drawn()})
        for length in ({"max_length": 9}, {"max_length": 30}):
            self.add("small", PROMPTS["small"][2], length)
        for prompt in PROMPTS["small"]:
            self.add("small", prompt, {"max_new_tokens": 1})
            self.add("small", prompt, {"max_new_tokens": 64 - len(prompt)})
            self.add("small", prompt, {}, self.eos("small", prompt, 3))
        self.add("words", LONG, {"max_new_tokens": 12})
        self.add("words", LONG, {"max_new_tokens": 12, "num_beams": 3})

    def several(self):
        for n in (2, 3, 5):
            for _ in range(3):
                prompt = self.prompt()
                self.add("small", prompt, {**self.drawn(), "num_return_sequences": n},
                         self.eos("small", prompt))
        self.add("words", self.prompt("words"), {**self.drawn(), "num_return_sequences": 3})

    def beams(self):
        for beams in (2, 3, 5, 8):
            for option in BEAMS:
                prompt = self.prompt()
                returned = self.random.choice([1, beams])
                self.add("small", prompt, {"num_beams": beams, "num_return_sequences": returned, **option},
                         self.eos("small", prompt, self.random.choice([1, 1, 2])))
        for option in PROCESSORS:
            if GUIDED & set(option):
                continue
            prompt = self.prompt()
            self.add("small", prompt, {"num_beams": 3, "num_return_sequences": 3, **option},
                     self.eos("small", prompt))
        for option in [{}, *WARPERS]:
            prompt = self.prompt()
            self.add("small", prompt, {"num_beams": 3, "num_return_sequences": 2, **option, **self.drawn()},
                     self.eos("small", prompt))
        for prompt in PROMPTS["words"]:
            self.add("words", prompt, {"num_beams": 5, "num_return_sequences": 5}, self.eos("words", prompt))
            self.add("words", prompt, {"num_beams": 4, "no_repeat_ngram_size": 2})
            self.add("words", prompt, {"num_beams": 3, **self.drawn()})

    def three(self, n):
        """Random combinations of three options, for every method."""
        for i in range(n):
            method = ("greedy", "sample", "beams", "beam sample")[i % 4]
            model = "words" if i % 20 == 0 else "small"
            drawing = method in ("sample", "beam sample")
            known = [o for o in PROCESSORS if "beam" not in method or not GUIDED & set(o)]
            options = {}
            while len(options) < 3:
                options.update(self.random.choice(known + WARPERS if drawing else known))
            if "beam" in method:
                options.update(num_beams=self.random.choice([2, 3, 4]), num_return_sequences=2,
                               **self.random.choice(BEAMS))
            if drawing:
                options.update(self.drawn())
            prompt = self.prompt(model)
            self.add(model, prompt, options, self.eos(model, prompt))

    def assisted(self):
        for n in (1, 3, 10):
            for size in (1, 2, 3):
                for prompt in PROMPTS["small"][2:4]:
                    self.add("small", prompt, {"prompt_lookup_num_tokens": n, "max_new_tokens": 20,
                                               "max_matching_ngram_size": size})
        for option in ({}, {"num_assistant_tokens": 3}, {"repetition_penalty": 1.3},
                       {"num_assistant_tokens": 5, "num_assistant_tokens_schedule": "heuristic"},
                       {"assistant_confidence_threshold": 0.0, "num_assistant_tokens": 4}):
            for prompt in PROMPTS["small"][:3]:
                self.add("small", prompt, {"max_new_tokens": 20, **option}, self.eos("small", prompt),
                         assistant="draft")

    def strings(self):
        """Stop strings out of what the model writes: within a token, across two, and never."""
        for prompt in PROMPTS["words"]:
            text = self.oracle.tokenizer.decode(self.likely("words", prompt)[:1])
            greedy = self.oracle.run({"model": "words", "prompt": prompt, "options": {"max_new_tokens": 10}})
            words = self.oracle.tokenizer.decode(greedy.sequences[0, len(prompt):])
            for string in (words[3:6], words[len(words) // 2:][:2], "never this", text):
                if string.isascii():
                    self.add("words", prompt, {"stop_strings": [string]})


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # rows this small only wait for each other
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        oracle = Oracle(folder, sys.argv[1])
        cases = Cases(oracle)
        cases.alone()
        cases.several()
        cases.beams()
        cases.assisted()
        cases.strings()
        cases.three(160)
    refused = [c for c in cases.cases if "refused" in c]
    for case in refused:
        print("transformers refuses", case["options"], case["refused"])
    kept = [c for c in cases.cases if "refused" not in c]
    fragile = sum(c["fragile"] for c in kept)
    near = sum(step.get("near", False) for c in kept for s in c.get("steps", []) for step in s)
    checkpoints.write(str(TARGET), {**checkpoints.versions(), "noise": NOISE, "models": {
        name: {"args": args if name != "words" else args[:-2], "crc": oracle.crc[name]}
        for name, args in MODELS.items()}, "cases": kept})
    print(f"{TARGET}: {len(kept)} cases, {fragile} fragile, {near} steps on an edge, "
          f"{len(refused)} refused, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
