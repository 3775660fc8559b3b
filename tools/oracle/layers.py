"""Expected figures of what layers say and where heads look, from transformers: final norm and head on the
embeddings and on every block's output, and attentions (eager) of single heads and of their mean.

    python layers.py MKMODEL OUT_FOLDER

MKMODEL is the built tools/mkmodel; OUT_FOLDER is tests/api/data. Written with transformers 5.23.0 and
torch 2.15.0; the file names the versions that made it. Ranks are ranges: ids within 1e-4 of the logit may
stand on either side.
"""
import json
import sys
import tempfile

import torch
import transformers

import checkpoints
import families
from lens import CASES, lens_of
from model import spread

K = 5
FAMILIES = [
    ("llama", families.CASES["llama"][0][1], 30),  # two heads share keys and values
    ("gpt_neox", families.CASES["gpt_neox"][0][1], 30),
]


def lens_of_family(model, ids):
    """logits [L + 1][T, V], where the base model calls its parts as Llama and GPT-NeoX do."""
    base = getattr(model, "model", None) or model.gpt_neox
    norm = getattr(base, "norm", None) or base.final_layer_norm
    embedding = getattr(base, "embed_tokens", None) or base.embed_in
    head = model.get_output_embeddings()
    states = []
    hooks = [embedding.register_forward_hook(lambda module, args, out: states.append(out[0]))]
    for block in base.layers:
        hooks.append(block.register_forward_hook(
            lambda module, args, out: states.append((out[0] if isinstance(out, tuple) else out)[0])))
    out = model(ids)
    for handle in hooks:
        handle.remove()
    states = [s[0] if s.dim() == 3 else s for s in states]
    rows = [head(norm(state)) for state in states]
    assert torch.allclose(rows[-1], out.logits[0], rtol=0, atol=1e-5)
    return rows


def cell_of(row, next_id):
    logprobs = row.double().log_softmax(-1)
    top = logprobs.topk(K)
    at = row[next_id]
    return {"ids": top.indices.tolist(), "probs": top.values.exp().tolist(),
            "entropy": float(-(logprobs.exp() * logprobs).sum()),
            "rank": [int((row > at + 1e-4).sum()) + 1, int((row >= at - 1e-4).sum())],
            "next_prob": float(logprobs[next_id].exp())}


def figures(name, model, ids, rows):
    T = ids.shape[1]
    positions = sorted({*spread(T, 4), T - 1})
    following = [*ids[0, 1:].tolist(), int(rows[-1][-1].argmax())]
    margin = rows[-1][-1].topk(2).values
    assert margin[0] - margin[1] > 1e-3
    layers = [[cell_of(row[t], following[t]) for t in positions] for row in rows]
    attentions = model(ids, output_attentions=True).attentions
    heads = []
    for layer, head in [(0, 0), (len(attentions) - 1, attentions[0].shape[1] - 1), (1, -1)]:
        weights = attentions[layer][0]
        weights = weights.mean(0) if head < 0 else weights[head]
        heads.append({"layer": layer, "head": head, "rows": [weights[t, :t + 1].tolist() for t in positions[:3]]})
    print(name, len(layers), "layers", T, "positions")
    return {"ids": ids[0].tolist(), "positions": positions, "last": following[-1], "layers": layers, "heads": heads}


def gpt2_case(mkmodel, seed, name, args, n):
    model, _ = checkpoints.checkpoint(mkmodel, args)
    ids = torch.tensor([checkpoints.prompt(seed, n, model.config.vocab_size)])
    return {"name": name, "mkmodel": args, **figures(name, model, ids, lens_of(model, ids))}


def family_case(mkmodel, seed, family, fields, n):
    text = {"model_type": family, **fields}
    with tempfile.TemporaryDirectory() as folder:
        lines = families.listed(transformers.AutoConfig.for_model(**json.loads(json.dumps(text))), f"{folder}/saved")
        with open(f"{folder}/list", "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(f"{folder}/config", "w") as file:
            json.dump(text, file)
        args = ["--seed", str(seed)]
        checkpoints.make(mkmodel, [*args, "--tensors", f"{folder}/list", "--config", f"{folder}/config"], f"{folder}/made")
        model = families.load(f"{folder}/made")
    ids = torch.tensor([checkpoints.prompt(seed, n, model.config.vocab_size)])
    return {"name": family, "mkmodel": args, "config": text, "tensors": lines,
            **figures(family, model, ids, lens_of_family(model, ids))}


@torch.no_grad()
def main():
    mkmodel, folder = sys.argv[1:]
    torch.set_num_threads(2)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cases = [gpt2_case(mkmodel, 400 + i, *case) for i, case in enumerate(CASES)]
    cases += [family_case(mkmodel, 500 + i, *case) for i, case in enumerate(FAMILIES)]
    checkpoints.write(f"{folder}/layers.json", {"versions": checkpoints.versions(), "cases": cases})


if __name__ == "__main__":
    main()
