"""Expected figures of mode bf16: transformers in float64, rounded where the mode rounds.

    python mode_bf16.py MKMODEL DATA_FOLDER

MKMODEL is the built tools/mkmodel; DATA_FOLDER is tests/model/data, whose cases of model.py and
families.py this one goes over again, and which mode_bf16.json is written to. Matrices and what they
are multiplied with, keys and values are rounded to bfloat16 (nearest, ties to even); all else is
float64 but where transformers itself says float32. transformers' own bfloat16 rounds every
operation, and so is no oracle for it.

Of each case: logits at some positions of its prompt and greedy ids, and `cost`, the largest error of
the rounded logits against those of the same pass without rounding, as a share of their range.
"""
import json
import sys
import tempfile

import torch
import transformers
from transformers.models.gpt2 import modeling_gpt2
from transformers.models.gpt_neo import modeling_gpt_neo
from transformers.models.gpt_neox import modeling_gpt_neox
from transformers.models.llama import modeling_llama
from transformers.models.opt import modeling_opt
from transformers.models.qwen2 import modeling_qwen2

import checkpoints
import model as figures

FIXTURES = ["plain", "odd-heads-60", "odd-heads-42", "inverse-layer", "upcast", "untied", "different-head",
            "shards-f16", "bf16", "f64", "one-wide-head", "deep", "vocabulary",
            "gpt_neo", "gpt_neox", "opt", "llama", "qwen2"]
MOST_POSITIONS, MOST_IDS = 5, 24

rounding = False  # whether the pass that runs is the mode's


def bfloat(x):
    return x.to(torch.bfloat16).to(x.dtype)


def input_rounded(module, args):
    return (bfloat(args[0]), *args[1:]) if rounding else None


def keys_rounded(attention, at):
    """attention, with its arguments number `at` (keys) and the one behind it (values) rounded."""

    def call(*args, **kwargs):
        args = list(args)
        if rounding:
            args[at : at + 2] = [bfloat(x) for x in args[at : at + 2]]
        return attention(*args, **kwargs)

    return call


def patch():
    for module in (modeling_gpt2, modeling_gpt_neox, modeling_llama, modeling_opt, modeling_qwen2):
        module.eager_attention_forward = keys_rounded(module.eager_attention_forward, 2)
    own = modeling_gpt_neo.GPTNeoSelfAttention
    own._attn = keys_rounded(own._attn, 2)  # behind self and the queries


def made(mkmodel, case):
    """(model, model): the case's own in float64, and one whose matrices are rounded."""
    with tempfile.TemporaryDirectory() as folder:
        args = list(case["mkmodel"])
        for name, text in (("config", json.dumps(case.get("config"))), ("tensors", "\n".join(case.get("tensors", [])) + "\n")):
            if "config" in case:
                with open(f"{folder}/{name}", "w") as file:
                    file.write(text)
                args += [f"--{name}", f"{folder}/{name}"]
        assert checkpoints.make(mkmodel, args, f"{folder}/made") == case["crc32"]
        loaded = [
            transformers.AutoModelForCausalLM.from_pretrained(f"{folder}/made", attn_implementation="eager", dtype=torch.float32)
            .double().eval()
            for _ in range(2)
        ]
    for model in loaded:
        for module in model.modules():
            if isinstance(module, modeling_gpt2.GPT2Attention):
                module.reorder_and_upcast_attn = False  # the same numbers, and float32 alone
    matrices = 0
    for module in loaded[1].modules():
        if isinstance(module, (torch.nn.Linear, transformers.pytorch_utils.Conv1D, torch.nn.Embedding)):
            module.weight.data = bfloat(module.weight.data)
            matrices += 1
        if isinstance(module, (torch.nn.Linear, transformers.pytorch_utils.Conv1D)):
            module.register_forward_pre_hook(input_rounded)
    assert matrices > 2 + 4 * loaded[1].config.num_hidden_layers - 1
    return loaded


def logits_of(model, ids, rounded):
    global rounding
    rounding = rounded
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].double()


def case_of(mkmodel, fixture, i, case):
    plain, narrow = made(mkmodel, case)
    prompt = case["prompts"][0]
    ids = prompt["ids"] + prompt["greedy"]["ids"]
    exact, rounded = logits_of(plain, ids, False), logits_of(narrow, ids, True)
    cost = ((rounded - exact).abs().max() / (exact.max() - exact.min())).item()
    positions = figures.spread(len(ids), MOST_POSITIONS)
    logits = figures.logits_of(rounded, positions, MOST_IDS)
    print(f"{fixture} {i}: cost {cost:.2e}, float32 fixture's greedy ids hold: "
          f"{(rounded[len(prompt['ids']) - 1 : -1].argmax(-1) == torch.tensor(prompt['greedy']['ids'])).tolist()}")
    return {"fixture": fixture, "case": i, "cost": cost, "range": (exact.max() - exact.min()).item(),
            "positions": logits["positions"], "ids": logits["ids"], "values": logits["values"],
            "argmax": rounded[len(prompt["ids"]) - 1 : -1].argmax(-1).tolist()}


def main():
    mkmodel, folder = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    patch()
    cases = []
    for fixture in FIXTURES:
        with open(f"{folder}/{fixture}.json") as file:
            for i, case in enumerate(json.load(file)["cases"]):
                cases.append(case_of(mkmodel, fixture, i, case))
    checkpoints.write(f"{folder}/mode_bf16.json", {"versions": checkpoints.versions(), "cases": cases})


if __name__ == "__main__":
    main()
