#!/usr/bin/env python3
"""Checks what `nextoken convert` writes with the programs that others read it with: GGUF files with
llama.cpp's own reader and quantiser (the PyPI package gguf), tensor by tensor and byte by byte, and
its metadata; folders with transformers: logits and tokens, and those of the other families: the very
logits of what they were made from. usage: gguf_check.py NEXTOKEN MKMODEL"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from gguf.quants import dequantize, quantize

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/api/data/gguf"
TYPE = gguf.GGMLQuantizationType


def convert(source, destination, width):
    subprocess.run([sys.argv[1], "convert", source, destination, "--width", width, "-q"], check=True)


def read(path):
    reader = gguf.GGUFReader(path)
    values = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    return values, {t.name: t for t in reader.tensors}


def floats(tensor):
    return dequantize(tensor.data, tensor.tensor_type).astype(np.float32)


def check_gguf(source, folder, width, tmp):
    """Every tensor is what llama.cpp's quantiser makes of the source's numbers."""
    path = tmp / f"{width}.gguf"
    convert(folder, path, width)
    (before, tensors), (after, written) = read(source), read(path)
    skipped = {"output.weight"} if "output.weight" not in written else set()
    assert set(tensors) - skipped == set(written), set(tensors) ^ set(written)
    for name, tensor in written.items():
        vector = len(tensor.shape) < 2 or name == "position_embd.weight"
        kind = TYPE.F32 if vector else TYPE[width.upper()]
        assert tensor.tensor_type == kind and tensor.shape.tolist() == tensors[name].shape.tolist(), name
        wanted = quantize(floats(tensors[name]), kind)
        assert tensor.data.tobytes() == wanted.tobytes(), (width, name)
    for key, value in before.items():
        if key not in ("general.name", "general.file_type"):
            assert after[key] == value, (key, value, after.get(key))
    return len(written)


def check_folder(folder, case, texts):
    model = transformers.GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([case["ids"]])).logits[0, -1].double().numpy()
    error = np.abs(logits - case["logits"]).max() / case["range"]
    assert error < 1e-5, error
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text, ids in texts:
        assert tokenizer(text)["input_ids"] == ids, (text, ids, tokenizer(text)["input_ids"])
    return error


def logits_of(folder, ids):
    model, told = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                                    output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"], told
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits


def check_family(name, mkmodel):
    cases = json.loads((ROOT / f"tests/model/data/{name}.json").read_text())["cases"]
    for case in cases:
        with tempfile.TemporaryDirectory() as tmp:
            tmp = Path(tmp)
            (tmp / "config").write_text(json.dumps(case["config"]))
            (tmp / "tensors").write_text("".join(line + "\n" for line in case["tensors"]))
            subprocess.run([mkmodel, tmp / "made", *case["mkmodel"], "--tensors", tmp / "tensors", "--config",
                            tmp / "config"], check=True)
            convert(tmp / "made", tmp / "kept", "keep")
            ids = case["prompts"][0]["ids"]
            assert torch.equal(logits_of(tmp / "made", ids), logits_of(tmp / "kept", ids)), case["name"]
    print(f"{name}: {len(cases)} folders have in transformers the logits of what they were made from")


def main():
    for family in ("gpt_neo", "gpt_neox", "opt", "llama", "qwen2"):
        check_family(family, sys.argv[2])
    expected = json.loads((DATA / "expected.json").read_text())
    for case in expected["files"]:
        source = DATA / f"{case['name']}.gguf"
        with tempfile.TemporaryDirectory() as tmp:
            folder = Path(tmp) / "folder"
            convert(source, folder, "f32")
            error = check_folder(folder, case, expected["texts"])
            n = [check_gguf(source, folder, w, Path(tmp)) for w in ("f32", "f16", "bf16", "q8_0")]
        print(f"{case['name']}: the folder's logits in transformers differ by {error:.1g} of the range; "
              f"{sum(n)} tensors of 4 GGUF files are llama.cpp's own, byte by byte")


main()
