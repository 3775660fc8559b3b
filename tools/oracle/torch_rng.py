"""Where generate() of transformers leaves torch's CPU generator, and what a batch of prompts draws.

    python tools/oracle/torch_rng.py MKMODEL

Writes tests/api/data/torch_rng.json. `states`: bytes of torch.get_rng_state() behind a seed. `warm`: a
state with numbers drawn and a normal number kept for later. `cases`: prompts that are generated from in
one call, the new ids of every sequence of each, and the CRC-32 of the state behind it. All of them
survive noise on the logits (see decoding.py)."""

import json
import pathlib
import sys
import tempfile
import warnings
import zlib

import torch
import transformers

import checkpoints
import decoding
from decoding import MODELS, Noisy, Oracle

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = ROOT / "tests" / "api" / "data" / "torch_rng.json"
PAD = 0
THREE = [[1, 2, 3], [7, 8, 9, 7, 8], [90]]
SEEDS = (0, 42, 2**32 + 5, 2**63 - 1)


def crc(state):
    return zlib.crc32(state.numpy().tobytes())


def states():
    for seed in SEEDS:
        torch.manual_seed(seed)
        yield {"seed": str(seed), "crc": crc(torch.get_rng_state())}


def warm():
    """As torch lays it out: seed, left, seeded, next, words, and what it keeps of normal numbers."""
    torch.manual_seed(7)
    torch.rand(700)
    torch.randn(1)
    bytes_ = torch.get_rng_state().numpy().tobytes()
    words = [int.from_bytes(bytes_[24 + 8 * i:32 + 8 * i], "little") for i in range(624)]
    return {"head": bytes_[:24].hex(), "words": "".join(f"{word:08x}" for word in words),
            "tail": bytes_[5016:].hex()}


def state_of(warm):
    words = b"".join(int(warm["words"][i:i + 8], 16).to_bytes(8, "little") for i in range(0, 8 * 624, 8))
    whole = bytes.fromhex(warm["head"]) + words + bytes.fromhex(warm["tail"])
    return torch.tensor(list(whole), dtype=torch.uint8)


def begin(case, kept):
    if case["seed"] == "warm":
        torch.set_rng_state(state_of(kept))
    else:
        torch.manual_seed(int(case["seed"]))


def run(oracle, case, kept):
    """(new ids [prompt][sequence], the state behind it)."""
    model = oracle.models["small"]
    longest = max(map(len, case["prompts"]))
    ids = torch.tensor([[PAD] * (longest - len(p)) + p for p in case["prompts"]])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in case["prompts"]])
    extra = {}
    if case.get("assistant"):
        extra["assistant_model"] = oracle.models["draft"]
        oracle.models["draft"].generation_config = transformers.GenerationConfig(
            num_assistant_tokens=4, num_assistant_tokens_schedule="constant", assistant_confidence_threshold=0.0)
    config = transformers.GenerationConfig(**case["options"], pad_token_id=PAD, return_dict_in_generate=True)
    model.generation_config = transformers.GenerationConfig()
    begin(case, kept)
    with torch.no_grad():
        out = model.generate(ids, attention_mask=mask, generation_config=config, **extra)
    state = torch.get_rng_state()
    rows = out.sequences[:, longest:].tolist()
    eos = case["options"].get("eos_token_id", [])
    rows = [row[:next((i + 1 for i, t in enumerate(row) if t in eos), len(row))] for row in rows]
    n = case["options"].get("num_return_sequences", 1)
    return [rows[i * n:(i + 1) * n] for i in range(len(case["prompts"]))], state


def expect(oracle, case, kept):
    case["sequences"], state = run(oracle, case, kept)
    case["after"] = crc(state)
    begin(case, kept)
    case["moved"] = crc(torch.get_rng_state()) != case["after"]
    for seed in range(decoding.RUNS):
        with Noisy(oracle.models["small"], seed):
            other, moved = run(oracle, case, kept)
        if other != case["sequences"] or crc(moved) != case["after"]:
            return None
    return case


def cases():
    """Ids of the end come often: a vocabulary of 96, and many of them end it."""
    ends = {"eos_token_id": list(range(40, 50))}
    draws = {"do_sample": True, "max_new_tokens": 12}
    for prompts in ([THREE[0]], THREE):
        yield {"prompts": prompts, "options": {"max_new_tokens": 6}}
        for options in ({}, {"temperature": 0.7, "top_k": 10}, {"top_p": 0.8, "top_k": 0}):
            yield {"prompts": prompts, "options": {**draws, **options}}
            yield {"prompts": prompts, "options": {**draws, **ends, **options}}
        for n in (2, 5):
            yield {"prompts": prompts, "options": {**draws, **ends, "num_return_sequences": n}}
        for beams in (2, 4):
            for more in ({}, ends, {**ends, "early_stopping": True}, {"num_return_sequences": 2, **ends}):
                yield {"prompts": prompts, "options": {**draws, "num_beams": beams, **more}}
    for prompt in THREE:
        for more in ({}, ends, {"max_new_tokens": 5}):
            yield {"prompts": [prompt], "options": {**draws, **more, "prompt_lookup_num_tokens": 3}}
            yield {"prompts": [prompt], "options": {**draws, **more}, "assistant": True}
    yield {"prompts": [THREE[0]], "options": {**draws, **ends, "num_return_sequences": 70}}


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    kept = warm()
    done = []
    with tempfile.TemporaryDirectory() as folder:
        oracle = Oracle(folder, sys.argv[1])
        for case in cases():
            for seed in ("warm", "42") if case["options"].get("do_sample") else ("warm",):
                whole = expect(oracle, {**case, "seed": seed}, kept)
                if whole:
                    done.append(whole)
        crcs = {name: oracle.crc[name] for name in ("small", "draft")}
    ended = sum(len(ids) < 12 for c in done for rows in c["sequences"] for ids in rows)
    checkpoints.write(str(TARGET), {**checkpoints.versions(), "models": {
        name: {"args": MODELS[name], "crc": crcs[name]} for name in crcs}, "states": list(states()),
        "warm": kept, "cases": done})
    print(f"{TARGET}: {len(done)} cases, {sum(c['moved'] for c in done)} of which draw, {ended} sequences "
          f"that end early, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
