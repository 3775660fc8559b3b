"""Expected figures of the logit lens (nostalgebraist 2020), from transformers: final norm and head on
the embeddings and on every block's output, taken by hooks, since output_hidden_states gives the last
one after the norm.

    python lens.py MKMODEL OUT_FOLDER

MKMODEL is the built tools/mkmodel; OUT_FOLDER is tests/api/data. Written with transformers 5.23.0 and
torch 2.15.0; the file names the versions that made it.
"""
import sys

import torch

import checkpoints
from model import activation, logits_of, small, spread

# name, mkmodel arguments, length of the prompt
CASES = [
    ("plain", small(41, 48, 4), 24),
    ("untied", small(42, 60, 5, "--untied", "--layer-norm-epsilon", "1e-3", *activation("gelu")), 20),
    ("bf16", small(43, 40, 2, "--dtype", "BF16", "--n-layer", "6", *activation("relu")), 20),
    ("vocabulary",
     ["--seed", "44", "--n-embd", "48", "--n-head", "4", "--n-layer", "2", "--n-positions", "320"], 300),
]


def lens_of(model, ids):
    """logits [L + 1][T, V] of the embeddings and of every block's output."""
    states = []
    base = model.transformer
    hooks = [base.drop.register_forward_hook(lambda module, args, out: states.append(out[0]))]
    for block in base.h:
        hooks.append(block.register_forward_hook(
            lambda module, args, out: states.append((out[0] if isinstance(out, tuple) else out)[0])))
    out = model(ids, output_hidden_states=True)
    for handle in hooks:
        handle.remove()
    assert len(states) == len(out.hidden_states) == model.config.n_layer + 1
    for state, hidden in zip(states[:-1], out.hidden_states[:-1]):
        assert torch.equal(state, hidden[0])
    rows = [model.lm_head(base.ln_f(state)) for state in states]
    assert torch.equal(base.ln_f(states[-1]), out.hidden_states[-1][0])
    assert torch.allclose(rows[-1], out.logits[0], rtol=0, atol=1e-5)
    return rows


def case_of(mkmodel, seed, name, args, n):
    model, _ = checkpoints.checkpoint(mkmodel, args)
    ids = torch.tensor([checkpoints.prompt(seed, n, model.config.vocab_size)])
    layers = [logits_of(rows, spread(n, 5), 24) for rows in lens_of(model, ids)]
    print(name, len(layers), "layers")
    return {"name": name, "mkmodel": args, "ids": ids[0].tolist(), "layers": layers}


@torch.no_grad()
def main():
    mkmodel, folder = sys.argv[1:]
    torch.set_num_threads(2)
    cases = [case_of(mkmodel, 300 + i, *case) for i, case in enumerate(CASES)]
    checkpoints.write(f"{folder}/lens.json", {"versions": checkpoints.versions(), "cases": cases})


if __name__ == "__main__":
    main()
