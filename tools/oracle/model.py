"""Expected figures of the forward pass, from transformers (eager attention, float32).

    python model.py MKMODEL OUT_FOLDER [CASE...]

MKMODEL is the built tools/mkmodel; OUT_FOLDER is tests/model/data. Written with transformers 5.23.0
and torch 2.15.0; each file names the versions that made it. Greedy continuations carry the margin of
each step (best logit less the second), so that a step that float error could turn is known.
"""
import sys

import torch

import checkpoints

SMALL = ["--n-layer", "3", "--n-positions", "64", "--vocab-size", "97"]


def small(seed, D, H, *more):
    return [*SMALL, "--seed", str(seed), "--n-embd", str(D), "--n-head", str(H), *more]


def activation(name):
    return ["--activation-function", name]


EDITS = [
    # point, layer, head, position, action, factor. ADD and REPLACE use pattern().
    ("HEAD_OUT", 1, 1, -1, "ZERO", 0.0),
    ("HEAD_OUT", -1, 0, 5, "SCALE", -2.0),
    ("HEAD_OUT", 0, -1, 3, "ADD", 0.0),
    ("MLP_OUT", 1, 0, -1, "SCALE", 0.5),
    ("BLOCK_IN", 1, 0, 4, "ADD", 0.0),
    ("EMBEDDING", 0, 0, 2, "REPLACE", 0.0),
    ("ATTENTION_OUT", 2, 0, 6, "ZERO", 0.0),
    ("BLOCK_OUT", 0, 0, -1, "ADD", 0.0),
    ("FINAL_NORM", 0, 0, -1, "SCALE", 1.5),
]

# name, mkmodel arguments, lengths of prompts, whether with edits
CASES = [
    ("plain", small(11, 48, 4), [24], True),
    ("odd-heads-60",
     small(12, 60, 5, "--n-inner", "100", "--layer-norm-epsilon", "1e-3", *activation("gelu")), [24], True),
    ("odd-heads-42",
     small(13, 42, 3, "--n-inner", "77", "--no-scale-attn-weights", *activation("quick_gelu")), [23], True),
    ("inverse-layer",
     small(14, 64, 2, "--n-layer", "5", "--scale-attn-by-inverse-layer-idx", *activation("relu")), [30], True),
    ("upcast",
     small(15, 40, 5, "--reorder-and-upcast-attn", "--scale-attn-by-inverse-layer-idx",
           "--layer-norm-epsilon", "0.1", *activation("silu")), [20], False),
    ("untied", small(16, 32, 1, "--untied", "--prefix", *activation("gelu_10")), [20], False),
    ("different-head",
     small(17, 36, 6, "--tied-flag-but-different-head", "--buffers", "--n-positions", "63",
           *activation("tanh")), [63], False),
    ("shards-f16",
     small(18, 48, 3, "--dtype", "F16", "--shards", "3", "--prefix", "--buffers", *activation("relu2")),
     [20], False),
    ("bf16", small(19, 56, 7, "--dtype", "BF16", "--head-copy", *activation("gelu_fast")), [20], False),
    ("f64", small(20, 44, 2, "--dtype", "F64", "--untied", "--shards", "1", *activation("mish")), [20], False),
    ("one-wide-head",
     small(21, 130, 1, "--n-inner", "33", "--n-layer", "2", *activation("leaky_relu")), [20], False),
    ("deep", small(22, 24, 2, "--n-layer", "24", *activation("gelu_pytorch_tanh")), [40], False),
    ("vocabulary",
     ["--seed", "23", "--n-embd", "48", "--n-head", "4", "--n-layer", "3", "--n-positions", "320"],
     [300], True),
    ("gpt2", ["--shape", "gpt2", "--seed", "1"], [12, 300], True),
]

ACTIVATIONS = [
    "gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh",
    "gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu",
    "relu2", "relu6", "sigmoid", "silu", "sqrtsoftplus", "swish", "tanh",
]


def spread(n, count):
    """At most count numbers of [0, n), the first and the last among them."""
    if n <= count:
        return list(range(n))
    return sorted({round(i * (n - 1) / (count - 1)) for i in range(count)})


def flat(tensor):
    return tensor.contiguous().view(-1).tolist()


def logits_of(logits, positions, n_ids):
    """logits [T, V] -> the sampled part, with what the whole rows say."""
    V = logits.shape[1]
    ids = list(range(V)) if V <= n_ids else sorted({(i * 7919 + 13) % V for i in range(n_ids)})
    rows = logits[positions]
    return {
        "positions": positions,
        "ids": ids if len(ids) < V else [],
        "values": flat(rows[:, ids]),
        "argmax": rows.argmax(-1).tolist(),
        "max": flat(rows.max(-1).values),
        "min": flat(rows.min(-1).values),
        "logsumexp": flat(rows.double().logsumexp(-1)),
    }


def pattern(n):
    return torch.tensor([((i * 37 + 11) % 64 - 32) / 32 for i in range(n)])


def edited(x, head, position, action, factor, E):
    """A copy of x [1, T, D] with one edit in it; head None: the whole width."""
    x = x.clone()
    heads = [None] if head is None else range(x.shape[-1] // E) if head < 0 else [head]
    rows = slice(None) if position < 0 else slice(position, position + 1)
    for h in heads:
        columns = slice(None) if h is None else slice(h * E, (h + 1) * E)
        part = x[:, rows, columns]
        if action == "ZERO":
            x[:, rows, columns] = 0
        elif action == "SCALE":
            x[:, rows, columns] = part * factor
        elif action == "ADD":
            x[:, rows, columns] = part + pattern(part.shape[-1])
        else:
            x[:, rows, columns] = pattern(part.shape[-1])
    return x


def head_width(model):
    config = model.config
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


# By model_type: the module with the blocks, which of its own gives the embedding (None: none that
# could be hooked) and the final norm; of a block, what mixes the heads' outputs, and the MLP (None:
# it has no module of its own).
PLACES = {
    "gpt2": ("transformer", "h", "drop", "ln_f", "attn", "c_proj", "mlp"),
    "gpt_neo": ("transformer", "h", "drop", "ln_f", "attn", "attention.out_proj", "mlp"),
    "gpt_neox": ("gpt_neox", "layers", "emb_dropout", "final_layer_norm", "attention", "dense", "mlp"),
    "opt": ("model.decoder", "layers", None, "final_layer_norm", "self_attn", "out_proj", None),
    "llama": ("model", "layers", "embed_tokens", "norm", "self_attn", "o_proj", "mlp"),
    "qwen2": ("model", "layers", "embed_tokens", "norm", "self_attn", "o_proj", "mlp"),
}


def hook(model, edit):
    """Puts an edit into the model by torch hooks; returns their handles, or None where the family
    has no module to hook."""
    point, layer, head, position, action, factor = edit
    trunk, layers, embedding, norm, attention, mix, mlp = PLACES[model.config.model_type]
    trunk = model.get_submodule(trunk)
    blocks = getattr(trunk, layers)
    if (point == "EMBEDDING" and not embedding) or (point == "MLP_OUT" and not mlp):
        return None
    E = head_width(model)

    def change(x, h=None):
        return edited(x, h, position, action, factor, E)

    def first_input(module, args, kwargs):
        if args:
            return (change(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": change(kwargs["hidden_states"])}

    def output(module, args, out):
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    chosen = list(blocks) if layer < 0 else [blocks[layer]]
    if point == "EMBEDDING":
        return [getattr(trunk, embedding).register_forward_hook(output)]
    if point == "FINAL_NORM":
        return [getattr(trunk, norm).register_forward_hook(output)]
    if point == "HEAD_OUT":
        return [getattr(b, attention).get_submodule(mix).register_forward_pre_hook(lambda m, a: (change(a[0], head),)) for b in chosen]
    if point == "BLOCK_IN":
        return [b.register_forward_pre_hook(first_input, with_kwargs=True) for b in chosen]
    part = {"MLP_OUT": lambda b: getattr(b, mlp), "ATTENTION_OUT": lambda b: getattr(b, attention), "BLOCK_OUT": lambda b: b}[point]
    return [part(b).register_forward_hook(output) for b in chosen]


def edits_of(model, ids, plain, n_ids):
    out = []
    for edit in EDITS:
        if edit[1] >= model.config.num_hidden_layers:
            raise ValueError(f"no layer for {edit}")
        handles = hook(model, edit)
        if handles is None:
            continue
        logits = model(ids).logits[0]
        for handle in handles:
            handle.remove()
        change = (logits - plain).abs().max().item()
        if change < 0.01 * (plain.max() - plain.min()).item():
            raise ValueError(f"{edit} changes too little to be seen: {change}")
        last = ids.shape[1] - 1
        keys = ("point", "layer", "head", "position", "action", "factor")
        out.append({**dict(zip(keys, edit)), "logits": logits_of(logits, [2, last], n_ids)})
    return out


def greedy_of(model, ids, n_new):
    n_new = min(n_new, model.config.max_position_embeddings - ids.shape[1])
    if n_new < 1:
        return {"ids": [], "margins": []}
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_new, do_sample=False,
                         output_logits=True, return_dict_in_generate=True)
    margins = [(lambda top: (top[0] - top[1]).item())(step[0].topk(2).values) for step in out.logits]
    return {"ids": out.sequences[0, ids.shape[1]:].tolist(), "margins": margins}


def loss_of(model, ids):
    """Every third label left out, one of them changed."""
    labels = [-100 if t % 3 == 2 else i for t, i in enumerate(ids[0].tolist())]
    labels[4] = (labels[4] + 1) % model.config.vocab_size
    loss = model(ids, labels=torch.tensor([labels])).loss.item()
    return {"labels": labels, "loss": loss, "counted": sum(i != -100 for i in labels[1:]),
            "own": model(ids, labels=ids).loss.item()}


def prompt_of(model, seed, n, big, with_edits):
    V, T = model.config.vocab_size, n
    ids = torch.tensor([checkpoints.prompt(seed, n, V)])
    out = model(ids, output_attentions=True, output_hidden_states=True)
    n_ids = 48 if big else 128
    positions = spread(T, 8) if T > 64 else list(range(T)) if not big else spread(T, 6)
    few, dims = spread(T, 5), spread(model.config.hidden_size, 7)
    queries, keys = spread(T, 4), spread(T, 5)
    hidden = torch.stack([h[0][few][:, dims] for h in out.hidden_states])
    attention = torch.stack([a[0][:, queries][:, :, keys] for a in out.attentions])
    logits = out.logits[0]
    return {
        "ids": ids[0].tolist(),
        "logits": logits_of(logits, positions, n_ids),
        "hidden": {"positions": few, "dims": dims, "values": flat(hidden)},
        "attention": {"queries": queries, "keys": keys, "values": flat(attention)},
        "loss": loss_of(model, ids),
        "greedy": greedy_of(model, ids, 16),
        "edits": edits_of(model, ids, logits, n_ids) if with_edits else [],
    }


def case_of(mkmodel, seed, name, args, lengths, with_edits):
    model, crc = checkpoints.checkpoint(mkmodel, args)
    big = model.config.vocab_size > 1000
    prompts = [prompt_of(model, seed + i, n, big, with_edits and i == 0) for i, n in enumerate(lengths)]
    print(name, model.num_parameters(), "parameters")
    return {"name": name, "mkmodel": args, "crc32": crc, "parameters": model.num_parameters(),
            "prompts": prompts}


def activation_case(mkmodel, name):
    args = ["--seed", "31", "--n-embd", "16", "--n-head", "2", "--n-layer", "2", "--vocab-size", "41",
            "--n-positions", "16", *activation(name)]
    model, crc = checkpoints.checkpoint(mkmodel, args)
    ids = torch.tensor([checkpoints.prompt(31, 8, 41)])
    logits = model(ids).logits[0]
    return {"name": name, "mkmodel": args, "crc32": crc, "parameters": model.num_parameters(),
            "prompts": [{"ids": ids[0].tolist(), "logits": logits_of(logits, [3, 7], 41)}]}


@torch.no_grad()
def main():
    mkmodel, folder, *only = sys.argv[1:]
    torch.set_num_threads(2)
    for i, (name, args, lengths, with_edits) in enumerate(CASES):
        if only and name not in only:
            continue
        case = case_of(mkmodel, 100 + 10 * i, name, args, lengths, with_edits)
        checkpoints.write(f"{folder}/{name}.json", {"versions": checkpoints.versions(), "cases": [case]})
    if not only or "activations" in only:
        cases = [activation_case(mkmodel, name) for name in ACTIVATIONS]
        checkpoints.write(f"{folder}/activations.json", {"versions": checkpoints.versions(), "cases": cases})


if __name__ == "__main__":
    main()
