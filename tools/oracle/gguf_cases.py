#!/usr/bin/env python3
"""Writes tests/api/data/gguf: small GGUF files made by llama.cpp's own writer (the PyPI package
gguf 0.19.0), and what transformers 5.23 computes from the numbers that they hold; and the blocks of
tests/base/data/blocks.json, with the numbers that the package reads in them and writes from floats.

Needs gguf beside requirements.txt. usage: gguf_cases.py [FOLDER OF THE REPOSITORY [blocks] [seeds] [cases]]"""
import json
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import tokenizers
import torch
import transformers
from gguf.quants import dequantize, quantize

ROOT = Path(sys.argv[1] if __name__ == "__main__" and len(sys.argv) > 1 else Path(__file__).parents[2])
OUT = ROOT / "tests/api/data/gguf"
D, L, H, F, T, N_MERGES = 32, 2, 4, 64, 24, 33
TYPE = gguf.GGMLQuantizationType
TOKEN = gguf.TokenType
BIG = ("attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight", "token_embd.weight",
       "output.weight")
NAMES = {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
         "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
TEXTS = ["", "the", " the rain in Spain, 1999!", "don't<|endoftext|>there", "a<pad>b  \n\n c", "é日本 \U0001F600"]


def vocabulary():
    """GPT-2's bytes and first merges, its special token, one that a user added, and one unused id."""
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    full = json.loads((ROOT / "models/gpt2/vocab.json").read_text())
    tokens = sorted(alphabet, key=full.get)
    merges = (ROOT / "models/gpt2/merges.txt").read_text().splitlines()[1 : N_MERGES + 1]
    tokens += [m.replace(" ", "") for m in merges]
    types = [TOKEN.NORMAL] * len(tokens) + [TOKEN.CONTROL, TOKEN.USER_DEFINED, TOKEN.UNUSED]
    return tokens + ["<|endoftext|>", "<pad>", f"[PAD{len(tokens) + 2}]"], types, merges


def weights(seed, tied, F=F):
    rng = np.random.default_rng(seed)
    def make(*shape, scale=0.3, mean=0.0):
        return (mean + scale * rng.standard_normal(shape)).astype(np.float32)
    V = len(vocabulary()[0])
    out = {"token_embd.weight": make(V, D), "position_embd.weight": make(T, D),
           "output_norm.weight": make(D, mean=1, scale=0.1), "output_norm.bias": make(D)}
    if not tied:
        out["output.weight"] = make(V, D)
    for n in range(L):
        for name, rows, columns in (("attn_qkv", 3 * D, D), ("attn_output", D, D), ("ffn_up", F, D),
                                    ("ffn_down", D, F)):
            out[f"blk.{n}.{name}.weight"] = make(rows, columns)
            out[f"blk.{n}.{name}.bias"] = make(rows)
        for name in ("attn_norm", "ffn_norm"):
            out[f"blk.{n}.{name}.weight"] = make(D, mean=1, scale=0.1)
            out[f"blk.{n}.{name}.bias"] = make(D)
    return out


def write(path, tensors, kind, positions=T, F=F):
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_name("tiny")
    writer.add_block_count(L)
    writer.add_context_length(positions)
    writer.add_embedding_length(D)
    writer.add_feed_forward_length(F)
    writer.add_head_count(H)
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(0)
    tokens, types, merges = vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|endoftext|>"))
    writer.add_pad_token_id(tokens.index("<pad>"))
    stored = {}
    for name, data in tensors.items():
        type_ = kind if name.endswith(BIG) else TYPE.F32
        raw = quantize(data, type_)
        writer.add_tensor(name, raw, raw_dtype=type_)
        stored[name] = dequantize(raw, type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return stored


def hugging_face(name, data):
    if not name.startswith("blk."):
        return {"token_embd.weight": "transformer.wte.weight", "position_embd.weight": "transformer.wpe.weight",
                "output_norm.weight": "transformer.ln_f.weight", "output_norm.bias": "transformer.ln_f.bias",
                "output.weight": "lm_head.weight"}[name], data
    _, n, middle, last = name.split(".")
    return f"transformer.h.{n}.{NAMES[middle]}.{last}", data.T if data.ndim == 2 else data


def model_of(stored, tied, F=F):
    config = transformers.GPT2Config(
        vocab_size=stored["token_embd.weight"].shape[0], n_positions=stored["position_embd.weight"].shape[0],
        n_embd=D, n_layer=L, n_head=H, n_inner=F, tie_word_embeddings=tied, attn_implementation="eager")
    model = transformers.GPT2LMHeadModel(config).eval()
    state = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in (hugging_face(n, d) for n, d in stored.items())}
    missing, strange = model.load_state_dict(state, strict=False)
    assert not strange and set(missing) <= {"lm_head.weight"}, (missing, strange)
    model.tie_weights()
    return model


def tokenizer():
    tokens, types, merges = vocabulary()
    vocab = {t: i for i, (t, k) in enumerate(zip(tokens, types)) if k != TOKEN.UNUSED}
    out = tokenizers.Tokenizer(tokenizers.models.BPE(vocab, [tuple(m.split(" ")) for m in merges]))
    out.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    out.decoder = tokenizers.decoders.ByteLevel()
    out.add_special_tokens(["<|endoftext|>"])
    out.add_tokens(["<pad>"])
    return out


def cases():
    tok = tokenizer()
    found = {"texts": [[t, tok.encode(t).ids] for t in TEXTS], "files": []}
    ids = tok.encode(TEXTS[2]).ids[:10]
    for name, kind, tied, seed in (("q8_0", TYPE.Q8_0, True, 1), ("q4_0", TYPE.Q4_0, False, 2),
                                   ("f16", TYPE.F16, True, 3), ("bf16", TYPE.BF16, False, 4)):
        stored = write(OUT / f"{name}.gguf", weights(seed, tied), kind)
        model = model_of(stored, tied)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].double()
            greedy = model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False, pad_token_id=0,
                                    eos_token_id=None)[0].tolist()
        found["files"].append({"name": name, "tied": tied, "inner": F, "ids": ids, "greedy": greedy[len(ids):],
                               "range": float(logits.max() - logits.min()),
                               "logits": [float(f"{x:.9g}") for x in logits[-1].tolist()],
                               "sum": float(logits.sum())})
    check_transformers()
    (OUT / "expected.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")


def check_transformers():
    """transformers reads such a file to the same logits. It takes positions from n_ctx, which its
    GPT2Config ignores, and no width of the MLP: so only with those that are its defaults."""
    tensors = weights(5, True, 4 * D)
    tensors["position_embd.weight"] = np.zeros((1024, D), np.float32) + tensors["position_embd.weight"][0]
    with tempfile.TemporaryDirectory() as folder:
        stored = write(Path(folder) / "tiny.gguf", tensors, TYPE.F16, 1024, 4 * D)
        theirs = transformers.GPT2LMHeadModel.from_pretrained(folder, gguf_file="tiny.gguf").eval()
        ours = model_of(stored, True, 4 * D)
        ids = torch.tensor([[1, 2, 3, 250]])
        with torch.no_grad():
            error = (theirs(ids).logits - ours(ids).logits).abs().max()
    assert error < 1e-5, error


def blocks():
    rng = np.random.default_rng(7)
    out = {"read": [], "written": []}
    for kind in (TYPE.Q8_0, TYPE.Q4_0, TYPE.Q6_K):
        size = gguf.GGML_QUANT_SIZES[kind][1]
        for n in range(3):
            raw = rng.integers(0, 256, size, dtype=np.uint8)
            scale = np.array([[1e-3, -2.5, 6e-8][n]], np.float16).view(np.uint8)
            raw[-2:] = scale if kind == TYPE.Q6_K else raw[-2:]
            raw[:2] = raw[:2] if kind == TYPE.Q6_K else scale
            values = dequantize(raw, kind).astype(np.float32)
            out["read"].append([kind.name, raw.tobytes().hex(), values.tobytes().hex()])
    half = np.arange(32, dtype=np.float32) + 0.5  # with amax 127: halves, which go away from zero
    half[0] = 127
    rows = [rng.standard_normal(64), rng.standard_normal(32) * 1e-6, np.zeros(32), half, -half,
            np.full(32, -1e-30), rng.standard_normal(32) * 3e4, np.r_[5.9e-8, np.zeros(31)]]
    for row in rows:
        row = row.astype(np.float32)
        for kind in (TYPE.Q8_0, TYPE.BF16, TYPE.F16):
            with np.errstate(all="ignore"):
                out["written"].append([kind.name, row.tobytes().hex(), quantize(row, kind).tobytes().hex()])
    (ROOT / "tests/base/data/blocks.json").write_text(json.dumps(out, indent=0) + "\n")


def seeds():
    """Files of a few hundred bytes for tests/fuzz/fuzz_gguf.c: every type of value and of tensor."""
    found = []
    for kind in (TYPE.F32, TYPE.F16, TYPE.BF16, TYPE.Q8_0, TYPE.Q4_0, TYPE.Q6_K, TYPE.Q5_0, TYPE.I8):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "seed.gguf"
            writer = gguf.GGUFWriter(path, "gpt2")
            writer.add_block_count(1)
            writer.add_context_length(8)
            writer.add_embedding_length(32)
            writer.add_feed_forward_length(64)
            writer.add_head_count(2)
            writer.add_head_count_kv(2)
            writer.add_layer_norm_eps(1e-5)
            writer.add_tokenizer_model("gpt2")
            writer.add_tokenizer_pre("gpt-2")
            writer.add_token_list(["a", "b", "ab", "<|endoftext|>", "[PAD4]", '"\\\n', "é"])
            if kind != TYPE.F32:
                writer.add_token_types([1, 1, 1, 3, 5, 4, 1])
            writer.add_token_merges(["a b"])
            for name in ("bos", "eos", "eot", "eom", "pad"):
                getattr(writer, f"add_{name}_token_id")({"eot": 2, "eom": 5}.get(name, 3))
            writer.add_add_bos_token(kind == TYPE.F16)
            writer.add_add_eos_token(kind in (TYPE.F16, TYPE.Q8_0))
            writer.add_custom_alignment(64 if kind == TYPE.Q4_0 else 32)
            for i, value in enumerate((gguf.GGUFValueType.UINT8, gguf.GGUFValueType.INT8, gguf.GGUFValueType.UINT16,
                                       gguf.GGUFValueType.INT16, gguf.GGUFValueType.UINT64,
                                       gguf.GGUFValueType.INT64, gguf.GGUFValueType.FLOAT64)):
                writer.add_key_value(f"k{i}", i, value)
            block, size = gguf.GGML_QUANT_SIZES[kind]
            data = np.arange(2 * size, dtype=np.uint8).reshape(2, size)
            if block == 1:
                data = np.arange(32 * size, dtype=np.uint8).reshape(2, 16 * size)
            writer.add_tensor("token_embd.weight", data, raw_dtype=kind)
            writer.add_tensor("blk.0.attn_qkv.bias", np.arange(3, dtype=np.float32))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            found.append({"name": kind.name, "hex": path.read_bytes().hex()})
    (ROOT / "tests/format/data/gguf_seeds.json").write_text(json.dumps({"files": found}, indent=0) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for part in sys.argv[2:] or ["blocks", "seeds", "cases"]:
        {"blocks": blocks, "seeds": seeds, "cases": cases}[part]()
