#!/usr/bin/env python3
"""Writes tests/api/data/tensors.json: what NumPy finds in the tensors of checkpoints, and between those of two.
Checkpoints are made by mkmodel when the tests run, are the GGUF files of gguf_cases.py, or stand in the
fixture as bytes that torch and safetensors wrote.

Needs gguf beside requirements.txt. usage: tensors.py MKMODEL [FOLDER OF THE REPOSITORY]"""
import io
import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import safetensors.torch
import torch
from gguf.quants import dequantize

MKMODEL = sys.argv[1]
ROOT = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parents[2])
GGUF = ROOT / "tests/api/data/gguf"
TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.uint16: "U16",
         torch.uint32: "U32", torch.uint64: "U64", torch.bool: "BOOL", torch.float8_e4m3fn: "F8_E4M3",
         torch.float8_e5m2: "F8_E5M2", torch.complex64: "C64"}
GGUF_TABLE = {"token_embd.weight": "wte.weight", "position_embd.weight": "wpe.weight",
              "output_norm.weight": "ln_f.weight", "output_norm.bias": "ln_f.bias", "output.weight": "lm_head.weight"}
GGUF_BLOCK = {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
              "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
TABLES = ("wte.weight", "wpe.weight", "lm_head.weight")


class Tensor:
    """name and shape as the file has them; numbers in double, None where they are not read; plain is what a
    Hugging Face checkpoint without prefix calls it, and `theirs` the numbers in its orientation."""

    def __init__(self, name, plain, kind, shape, n_bytes, numbers, theirs=None, raw=b""):
        self.name, self.plain, self.kind, self.shape, self.n_bytes = name, plain, kind, list(shape), n_bytes
        self.numbers, self.raw = numbers, raw
        self.theirs = numbers if theirs is None else theirs


def of_torch(tensors):
    out = []
    for name, t in tensors.items():
        t = t.contiguous()
        raw = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
        numbers = None if t.dtype == torch.complex64 else t.double().numpy()
        if t.dtype in (torch.uint64, torch.int64):
            numbers = t.numpy().astype(np.float64)
        out.append(Tensor(name, re.sub(r"^(module\.)?(transformer\.)?", "", name), TYPES[t.dtype], t.shape,
                          t.numel() * t.element_size(), numbers, raw=raw))
    return out


def of_gguf(path):
    out = []
    for t in gguf.GGUFReader(path).tensors:
        numbers = dequantize(t.data, t.tensor_type).astype(np.float64)
        shape = [int(d) for d in reversed(t.shape)]
        numbers = numbers.reshape(shape)
        plain, turned = GGUF_TABLE.get(t.name), False
        if not plain:
            _, n, middle, last = t.name.split(".")
            plain, turned = f"h.{n}.{GGUF_BLOCK[middle]}.{last}", numbers.ndim == 2
        out.append(Tensor(t.name, plain, t.tensor_type.name, shape, int(t.n_bytes), numbers,
                          numbers.T if turned else numbers, raw=t.data.tobytes()))
    return out


def odd():
    """What a reader of weights may meet and no model has."""
    g = torch.Generator().manual_seed(3)
    x = torch.randn(4, 50, generator=g)
    broken = x.clone()
    broken[3, 7], broken[3, 49], broken[0, 0] = math.nan, math.inf, -math.inf
    eight = torch.arange(256, dtype=torch.uint8)
    return {
        "x": x, "broken": broken, "all nan": torch.full((5,), math.nan), "scalar": torch.tensor(-2.5),
        "empty": torch.zeros(0, 4), "zeros": torch.zeros(3, 3), "minus zero": torch.tensor([-0.0, -0.0]),
        "constant": torch.full((100,), 0.1), "tiny": x[:2] * 1e-38, "huge": x[:2] * 1e37,
        "far": x.double() + 1e9, "f64": x[:3].double() * 1e200, "f16": x[:3].half(), "bf16": x[:3].bfloat16(),
        "mask": torch.tril(torch.ones(9, 9, dtype=torch.bool)), "ids": torch.arange(-7, 2**40, 2**37),
        "i32": torch.tensor([-2**31, 5, 0], dtype=torch.int32), "i16": torch.tensor([-300, 7], dtype=torch.int16),
        "i8": torch.tensor([-128, 127, 0], dtype=torch.int8), "u8": eight.clone(),
        "u16": torch.tensor([65535, 0], dtype=torch.uint16), "u32": torch.tensor([2**32 - 1], dtype=torch.uint32),
        "u64": torch.tensor([2**63 + 2**62, 1], dtype=torch.uint64),
        "e4m3": eight.clone().view(torch.float8_e4m3fn), "e5m2": eight.view(torch.float8_e5m2),
        "complex": torch.complex(x[0, :3], x[1, :3]),
    }


def other_odd():
    """The same, otherwise."""
    out = odd()
    g = torch.Generator().manual_seed(4)
    out["x"] = out["x"] + 1e-3 * torch.randn(4, 50, generator=g)
    out["broken"] = out["broken"].clone()
    out["broken"][0, 0], out["broken"][1, 1] = 1.0, math.nan
    out["scalar"] = torch.tensor([-2.5])  # another shape
    out["zeros"] = torch.eye(3)
    out["constant"] = out["constant"].double()  # the same numbers
    out["f16"] = -out["f16"]
    out["mask"] = ~out["mask"]
    out["ids"] = out["ids"].to(torch.float64)
    out["complex"] = out["complex"] * 2
    out["minus zero"] = torch.tensor([0.0, -0.0])
    out["empty"] = out["empty"].half()
    del out["u16"], out["u32"]
    out["new.7.weight"], out["new.10.weight"] = torch.ones(2, 3), torch.ones(2, 3)
    return out


def within(tensors):
    """Without the numbers whose squares pass what a double holds."""
    return {k: v for k, v in tensors.items() if k != "f64"}


def statistics(t):
    info = [t.name, t.plain, t.kind, t.shape, t.n_bytes]
    if t.numbers is None:
        return info + [None]
    x = t.numbers.reshape(-1)
    f = x[np.isfinite(x)]
    counts = [int((f == 0).sum()), int(np.isnan(x).sum()), int(np.isinf(x).sum())]
    if f.size == 0:
        return info + [counts]
    with np.errstate(over="ignore"):
        square = float(np.mean(f * f))
    rms = math.sqrt(square) if math.isfinite(square) else None
    mean = math.fsum(f) / f.size
    std = float(np.std(f)) if rms is not None else None
    return info + [counts, float(f.min()), float(f.max()), mean, std, rms,
                   None if rms is None else rms * math.sqrt(f.size)]


def pairs(x, y):
    """[compared, changed, not finite, largest, rms, relative, cosine], with the sums of squares behind."""
    x, y = x.reshape(-1), y.reshape(-1)
    changed = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    finite = np.isfinite(x) & np.isfinite(y)
    a, b = x[finite], y[finite]
    counts = [x.size, int(changed.sum()), int((~finite).sum())]
    if a.size == 0:
        return counts + [None] * 4, 0, 0
    d = b - a
    with np.errstate(over="ignore"):
        dd, aa, bb, ab = (float(np.sum(v)) for v in (d * d, a * a, b * b, a * b))
    relative = math.sqrt(dd / aa) if aa > 0 else "inf" if dd > 0 else 0.0
    cosine = ab / (math.sqrt(aa) * math.sqrt(bb)) if aa > 0 and bb > 0 else None
    if not math.isfinite(aa):
        raise ValueError("numbers too large to be squared")
    return counts + [float(np.abs(d).max()), math.sqrt(dd / a.size), relative, cosine], dd, aa


def natural(name):
    return [(ord("0"), int(p)) if p.isdigit() else (ord(p), 0) for p in re.findall(r"\d+|.", name)]


def block(name):
    found = re.match(r"((?:[^.]+\.)*?\d+)(\.|$)", name)
    return found.group(1) if found else name.rpartition(".")[0] or name


def difference(a, b):
    """[name, difference, turned, rows, pairs...]"""
    if not a or not b:
        return [(a or b).plain, "only_a" if a else "only_b"], None
    rows, x, y = 0, a.theirs, b.theirs
    shape_a, shape_b = (list(t.shape) if t.theirs is None else list(t.theirs.shape) for t in (a, b))
    if shape_a != shape_b:
        resized = a.plain in TABLES and len(shape_a) == len(shape_b) and shape_a[1:] == shape_b[1:]
        rows = min(shape_a[0], shape_b[0]) if resized else 0
        if not rows:
            return [a.plain, "shape"], None
        x, y = x[:rows], y[:rows]
    turned = a.shape != b.shape and not rows or (a.theirs is not a.numbers) != (b.theirs is not b.numbers)
    same = a.kind == b.kind and not turned and not rows and a.raw == b.raw
    if x is None or y is None:
        return [a.plain, "identical" if same else "unread"], (0, 0) if same else None
    found, dd, aa = pairs(x, y)
    kind = "identical" if same else "changed" if found[1] or rows else "equal"
    return [a.plain, kind, turned, rows, *found], (dd, aa)


def compare(one, other):
    a, b = ({t.plain: t for t in side} for side in (one, other))
    tensors, sums, order = [], {}, []
    for name in sorted({*a, *b}, key=natural):
        found, squares = difference(a.get(name), b.get(name))
        tensors.append(found)
        if squares is None:
            continue
        for key in ("", block(name)):
            if key not in sums:
                sums[key] = [0, 0, 0.0, 0.0]
                order.append(key)
            sums[key][0] += 1
            sums[key][1] += found[1] == "changed"
            sums[key][2] += squares[0]
            sums[key][3] += squares[1]
    out = []
    for key in order:
        n, changed, dd, aa = sums[key]
        out.append([key, n, changed, math.sqrt(dd / aa) if aa > 0 else "inf" if dd > 0 else 0.0])
    return {"tensors": tensors, "sums": out}


def made(*args):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([MKMODEL, folder, *args], check=True)
        tensors = {}
        for path in sorted(Path(folder).glob("*.safetensors")):
            tensors.update(safetensors.torch.load_file(path))
        return of_torch(tensors), {"make": args}


def in_repository(name):
    return of_gguf(GGUF / f"{name}.gguf"), {"gguf": name}


def written(tensors, name, save):
    return of_torch(tensors), {"file": name, "hex": save(tensors).hex()}


def torch_bytes(tensors):
    out = io.BytesIO()
    torch.save(tensors, out)
    return out.getvalue()


def as_folder(name):
    """The folder that nextoken convert makes of a GGUF file at width f32: the same numbers, turned."""
    tensors = of_gguf(GGUF / f"{name}.gguf")
    for t in tensors:
        t.numbers = np.ascontiguousarray(t.theirs)
        t.theirs, t.shape, t.kind, t.name = t.numbers, list(t.numbers.shape), "F32", "transformer." + t.plain
        t.raw = t.numbers.astype(np.float32).tobytes()
    return tensors, {"folder_of": name}


def main():
    half = ("--dtype", "F16", "--prefix")
    tiny = ("--shape", "tiny")
    small = {k: v for k, v in odd().items() if k not in ("u16", "u32", "u64", "e4m3", "e5m2", "complex")}
    small["turned"] = small["f16"].t()
    lists = [made(*tiny, "--seed", "5", "--dtype", w) for w in ("F32", "F16", "BF16", "F64")]
    lists += [made(*tiny, "--seed", "6", "--prefix", "--buffers", "--untied", "--shards", "3"),
              made("--n-embd", "96", "--n-layer", "11", "--n-head", "2", "--vocab-size", "50257", "--n-positions", "16",
                   "--seed", "8", "--dtype", "BF16")]
    lists += [in_repository(n) for n in ("f16", "bf16", "q8_0", "q4_0")]
    lists += [written(odd(), "odd.safetensors", safetensors.torch.save),
              written(small, "odd.bin", torch_bytes)]
    diffs = [
        (made(*tiny, "--seed", "5"), made(*tiny, "--seed", "5")),
        (made(*tiny, "--seed", "5"), made(*tiny, "--seed", "6")),
        (made(*tiny, "--seed", "5"), made(*tiny, "--seed", "5", *half)),
        (made(*tiny, "--seed", "5", *half), made(*tiny, "--seed", "5", "--dtype", "F64", "--buffers")),
        (made(*tiny, "--seed", "5", "--vocab-size", "96"), made(*tiny, "--seed", "5", "--vocab-size", "99")),
        (made(*tiny, "--seed", "5", "--vocab-size", "99"), made(*tiny, "--seed", "5", "--untied", "--prefix")),
        (in_repository("q4_0"), as_folder("q4_0")),
        (as_folder("q8_0"), in_repository("q8_0")),
        (in_repository("q8_0"), in_repository("q4_0")),
        (as_folder("bf16"), in_repository("q4_0")),
        (written(within(odd()), "odd.safetensors", safetensors.torch.save),
         written(within(other_odd()), "other.safetensors", safetensors.torch.save)),
    ]
    out = {"lists": [], "diffs": []}
    for tensors, source in lists:
        tensors.sort(key=lambda t: natural(t.plain))
        out["lists"].append({"source": source, "tensors": [statistics(t) for t in tensors]})
    for (a, source_a), (b, source_b) in diffs:
        out["diffs"].append({"a": source_a, "b": source_b, **compare(a, b)})
    text = json.dumps(out, separators=(",", ":"), allow_nan=False)
    (ROOT / "tests/api/data/tensors.json").write_text(text.replace('{"source"', '\n{"source"').replace('{"a"', '\n{"a"')
                                                      + "\n")


main()
