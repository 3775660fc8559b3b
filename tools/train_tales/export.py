"""A run's weights as a checkpoint in Hugging Face form, bfloat16: python3 export.py --run RUN/x --out models/tales

Takes the average of the tail of the run where it is better on the held-out books, as result.json says.
"""
import argparse
import json
import os
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import Tales

LIMIT = 40 << 20  # bytes: what the program may carry


def config(sizes):
    return {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
        "vocab_size": sizes["V"], "n_positions": sizes["T"], "n_ctx": sizes["T"], "n_embd": sizes["D"],
        "n_layer": sizes["L"], "n_head": sizes["H"], "n_inner": None, "layer_norm_epsilon": 1e-5,
        "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "initializer_range": 0.02,
        "tie_word_embeddings": True, "bos_token_id": 50256, "eos_token_id": 50256, "dtype": "bfloat16",
    }


def load(run):
    run = Path(run)
    state = torch.load(run / "last.pt", map_location="cpu", weights_only=True)
    settings = json.loads((run / "config.json").read_text())
    model = Tales(settings["width"], settings["layers"], settings["heads"])
    model.load_state_dict(state["model"])
    result = json.loads((run / "result.json").read_text())
    averaged = result["valid_loss_average"]
    if averaged is not None and averaged < result["valid_loss"]:
        for p, mean in zip(model.parameters(), state["average"]):
            p.data.copy_(mean)
    return model


def align(path):
    """Pads the header with spaces, as the format allows, until the tensors begin a cache line."""
    whole = path.read_bytes()
    n = int.from_bytes(whole[:8], "little")
    more = -(8 + n) % 64
    path.write_bytes((n + more).to_bytes(8, "little") + whole[8 : 8 + n] + b" " * more + whole[8 + n :])


def write(path, text):
    path.with_suffix(".tmp").write_text(text)
    os.replace(path.with_suffix(".tmp"), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    model = load(a.run)
    state = {n: t.detach().to(torch.bfloat16).contiguous() for n, t in model.state_for_hugging_face().items()}
    path = out / "model.safetensors"
    save_file(state, path.with_suffix(".tmp"), metadata={"format": "pt"})
    align(path.with_suffix(".tmp"))
    size = path.with_suffix(".tmp").stat().st_size
    if size > LIMIT:
        raise SystemExit(f"export.py: {size:,} bytes are more than the {LIMIT:,} that the program may carry: train a smaller shape")
    os.replace(path.with_suffix(".tmp"), path)
    write(out / "config.json", json.dumps(config(model.sizes), indent=2) + "\n")
    write(out / "generation_config.json", json.dumps({"bos_token_id": 50256, "eos_token_id": 50256}, indent=2) + "\n")
    print(f"{path}: {size:,} bytes, {sum(p.numel() for p in model.parameters()):,} parameters")


if __name__ == "__main__":
    main()
