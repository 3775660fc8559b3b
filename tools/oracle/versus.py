#!/usr/bin/env python3
"""Expected figures of `nextoken diff`: one text seen by two checkpoints, or through transformers' logits processors.

    python tools/oracle/versus.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/cli/versus_oracle.json. The checkpoints are "letters" and "letters-other" of tests/cli/models.json. Logits are
torch's float32; what follows from them (log-softmax, entropy, Kullback-Leibler divergence) is taken in float64."""

import json
import pathlib
import sys

import torch
import transformers
from transformers.generation import logits_process as lp

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

TEXTS = ["Alice is a girl.", "ab", "the the the the", "\u00e9t\u00e9 <tag> & \"quote\"\n\tend"]
# Options of a and of b by their names, and transformers' processors for them.
CASES = [
    {"name": "two models", "against": "letters-other"},
    {"name": "temperature", "b": {"temperature": 0.5}},
    {"name": "warpers", "b": {"temperature": 0.7, "top_k": 40, "top_p": 0.8}},
    {"name": "penalty", "b": {"repetition_penalty": 1.4}},
    {"name": "both sides", "against": "letters-other", "a": {"temperature": 2.0, "top_k": 0, "do_sample": True},
     "b": {"temperature": 0.9, "top_k": 200, "repetition_penalty": 1.2}},
]


def processors(options):
    drawing = any(name in options for name in ("temperature", "top_k", "top_p"))
    out = []
    if "repetition_penalty" in options:
        out.append(lp.RepetitionPenaltyLogitsProcessor(options["repetition_penalty"]))
    if options.get("temperature", 1) != 1:
        out.append(lp.TemperatureLogitsWarper(options["temperature"]))
    if drawing and options.get("top_k", 50):
        out.append(lp.TopKLogitsWarper(options.get("top_k", 50)))
    if "top_p" in options:
        out.append(lp.TopPLogitsWarper(options["top_p"]))
    return lp.LogitsProcessorList(out)


def rows(model, ids, options):
    """[T - 1, V] in float64: what is behind each id but the last, through the processors."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, :-1]
    chain = processors(options)
    return torch.stack([chain(torch.tensor([ids[: t + 1]]), logits[t : t + 1].clone())[0] for t in range(len(ids) - 1)]).double()


def side(x, ids):
    p = torch.log_softmax(x, -1)
    kept = torch.where(x > -torch.inf, p, torch.zeros(()).double())
    own = torch.tensor(ids[1:])
    logprobs = p.gather(1, own[:, None])[:, 0]
    mine = x.gather(1, own[:, None])
    before = (x == mine) & (torch.arange(x.shape[1])[None] < own[:, None])
    return {
        "logprobs": [v if v > -torch.inf else None for v in logprobs.tolist()],
        "ranks": [r if v > -torch.inf else None for r, v in zip(((x > mine).sum(1) + before.sum(1) + 1).tolist(), logprobs.tolist())],
        "entropies": (-(kept.exp() * kept * (x > -torch.inf)).sum(1)).tolist(),
        "likeliest": x.argmax(1).tolist(),
        "margin": (x.topk(2).values[:, 0] - x.topk(2).values[:, 1]).tolist(),
    }


def divergences(a, b):
    out = []
    for x, y in zip(a, b):
        p, q = torch.log_softmax(x, -1), torch.log_softmax(y, -1)
        keeps = x > -torch.inf
        kl = (p[keeps].exp() * (p[keeps] - q[keeps])).sum().item()
        out.append(None if kl == float("inf") else kl)
    return out


def main():
    torch.set_num_threads(1)
    bench = harness.Bench(sys.argv[1])
    models = {name: transformers.GPT2LMHeadModel.from_pretrained(bench.model(name)).eval() for name in ("letters", "letters-other")}
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(bench.model("letters"))
    cases = []
    for case in CASES:
        texts = []
        for text in TEXTS:
            ids = tokenizer(text).input_ids
            a = rows(models["letters"], ids, case.get("a", {}))
            b = rows(models[case.get("against", "letters")], ids, case.get("b", {}))
            texts.append({"text": text, "ids": ids, "a": side(a, ids), "b": side(b, ids), "divergences": [divergences(a, b), divergences(b, a)]})
        cases.append({**case, "texts": texts})
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    rounded = json.loads(json.dumps(cases), parse_float=lambda s: float(f"{float(s):.9g}"))
    path = ROOT / "tests" / "cli" / "versus_oracle.json"
    path.write_text(json.dumps({"versions": versions, "cases": rounded}, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
