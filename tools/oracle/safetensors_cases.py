#!/usr/bin/env python3
"""Writes tests/format/data/safetensors_cases.json: whole safetensors files, broken and sound, with
what the safetensors library makes of them (accepted or refused; names, shapes and float32 values)
beside the status and the words that our message must hold.

    python tools/oracle/safetensors_cases.py            (needs safetensors, torch and numpy)
"""
import json
import pathlib
import struct

import safetensors
import torch
from safetensors import safe_open
from safetensors.torch import save

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/format/data/safetensors_cases.json"
SCRATCH = pathlib.Path("/tmp/nextoken_oracle.safetensors")


def raw(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else (
        header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def one(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def pair(first, second):
    return {"first": one(offsets=first), "second": one(offsets=second)}


D = bytes(range(8))
FORMAT, UNSUPPORTED = "NT_E_FORMAT", "NT_E_UNSUPPORTED"
# name, bytes, our status, words that the message must hold
BROKEN = [
    ("empty file", b"", FORMAT, ["is empty"]),
    ("three bytes", b"\x02\x00\x01", FORMAT, ["3 bytes, too few"]),
    ("length alone", struct.pack("<Q", 2), FORMAT, ["8 bytes, too few"]),
    ("length past the end", raw({"t": one()}, D, length=4000), FORMAT, ["its header needs bytes up to 4008", "cut short"]),
    ("length of 2^64 - 1", raw({"t": one()}, D, length=2**64 - 1), FORMAT, ["header of 18446744073709551615 bytes", "25000000"]),
    ("length of 2^63", raw({"t": one()}, D, length=2**63), FORMAT, ["header of 9223372036854775808 bytes"]),
    ("giant header", raw({"t": one()}, D, length=25000001), FORMAT, ["header of 25000001 bytes", "at most 25000000"]),
    ("length of nought", raw("{}", length=0), FORMAT, ["header of 0 bytes"]),
    ("length of one", raw("{}", length=1), FORMAT, ["header of 1 bytes"]),
    ("header cut inside", raw('{"t":{"dtype":"F32"', b""), FORMAT, ["not valid JSON", "line 1"]),
    ("header is an array", raw("[1, 2, 3]   "), FORMAT, ["no '{'"]),
    ("header of zero bytes", raw(b"\0" * 16), FORMAT, ["no '{'"]),
    ("header not UTF-8", raw(b'{"\xff\xfe":1}'), FORMAT, ["not valid JSON"]),
    ("header overlong UTF-8", raw(b'{"\xc0\x80":1}'), FORMAT, ["not valid JSON"]),
    ("bytes after the object", raw('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}x', D), FORMAT, ["not valid JSON"]),
    ("two objects", raw("{}{}"), FORMAT, ["not valid JSON"]),
    ("NaN in the header", raw('{"t":NaN}'), FORMAT, ["not valid JSON"]),
    ("lone surrogate", raw('{"\\ud800":1}'), FORMAT, ["not valid JSON"]),
    ("nested too deep", raw('{"t":' + "[" * 5000 + "]" * 5000 + "}"), FORMAT, ["not valid JSON"]),
    ("duplicate name", raw('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"t":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', D * 2), FORMAT, ["duplicate", "\"t\""]),
    ("duplicate name by escape", raw('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0074":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', D * 2), FORMAT, ["duplicate"]),
    ("entry is a number", raw({"t": 3}), FORMAT, ["tensor t", "must be an object and is an integer"]),
    ("entry is null", raw({"t": None}), FORMAT, ["tensor t", "is null"]),
    ("no dtype", raw({"t": {"shape": [2], "data_offsets": [0, 8]}}, D), FORMAT, ["tensor t: dtype", "is nothing"]),
    ("dtype is a number", raw({"t": one(dtype=3)}, D), FORMAT, ["tensor t: dtype", "is an integer"]),
    ("unknown dtype", raw({"t": one(dtype="Q7")}, D), FORMAT, ["tensor t", "unknown type \"Q7\""]),
    ("dtype in lower case", raw({"t": one(dtype="f32")}, D), FORMAT, ["unknown type \"f32\""]),
    ("no shape", raw({"t": {"dtype": "F32", "data_offsets": [0, 8]}}, D), FORMAT, ["tensor t: shape", "is nothing"]),
    ("shape is a number", raw({"t": {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}}, D), FORMAT, ["tensor t: shape", "is an integer"]),
    ("negative dimension", raw({"t": one(shape=[-2])}, D), FORMAT, ["dimension 0 is -2"]),
    ("two negative dimensions", raw({"t": one(shape=[-1, -2])}, D), FORMAT, ["dimension 0 is -1"]),
    ("broken dimension", raw({"t": one(shape=[2.5])}, D), FORMAT, ["each dimension", "is a number"]),
    ("dimension 2.0", raw({"t": one(shape=[2.0])}, D), FORMAT, ["each dimension", "is a number"]),
    ("dimension is a text", raw({"t": one(shape=["2"])}, D), FORMAT, ["each dimension", "is a string"]),
    ("dimension is true", raw({"t": one(shape=[True])}, D), FORMAT, ["each dimension", "is true"]),
    ("dimension above 2^63", raw('{"t":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}', D), FORMAT, ["tensor t", "dimension must be an integer"]),
    ("product overflows", raw({"t": one(shape=[2**33, 2**33])}, D), FORMAT, ["tensor t", "product overflows"]),
    ("product wraps to 2", raw({"t": one(shape=[2**32 + 1, 2**32 - 1, 2])}, D), FORMAT, ["tensor t", "overflows"]),
    ("product overflows before a 0", raw({"t": one(shape=[2**62, 8, 0], offsets=(0, 0))}), FORMAT, ["product overflows"]),
    ("bytes overflow", raw({"t": one(shape=[2**62])}, D), FORMAT, ["size in bytes overflows"]),
    ("bytes wrap to 8", raw({"t": one(shape=[2**62 + 2])}, D), FORMAT, ["overflows"]),
    ("no offsets", raw({"t": {"dtype": "F32", "shape": [2]}}, D), FORMAT, ["data_offsets", "is nothing"]),
    ("one offset", raw({"t": one(offsets=[0])}, D), FORMAT, ["data_offsets", "holds 1"]),
    ("three offsets", raw({"t": one(offsets=[0, 4, 8])}, D), FORMAT, ["data_offsets", "holds 3"]),
    ("offsets are an object", raw({"t": {**one(), "data_offsets": {}}}, D), FORMAT, ["data_offsets", "is an object"]),
    ("broken offset", raw({"t": one(offsets=[0.0, 8.0])}, D), FORMAT, ["each data offset", "is a number"]),
    ("offset is a text", raw({"t": one(offsets=["0", "8"])}, D), FORMAT, ["each data offset", "is a string"]),
    ("negative begin", raw({"t": one(offsets=[-8, 0])}, D), FORMAT, ["[-8, 0] are no range"]),
    ("negative end", raw({"t": one(offsets=[0, -8])}, D), FORMAT, ["[0, -8] are no range"]),
    ("begin after end", raw({"t": one(offsets=[8, 0])}, D), FORMAT, ["[8, 0] are no range"]),
    ("offsets at the border of 2^63", raw({"t": one(offsets=[2**63 - 9, 2**63 - 1])}, D), FORMAT, ["cut short"]),
    ("fewer bytes than the shape needs", raw({"t": one(shape=[3])}, D), FORMAT, ["needs 12 bytes", "hold 8"]),
    ("more bytes than the shape needs", raw({"t": one(shape=[1])}, D), FORMAT, ["needs 4 bytes", "hold 8"]),
    ("scalar with 8 bytes", raw({"t": one(shape=[])}, D), FORMAT, ["needs 4 bytes", "hold 8"]),
    ("half numbers with the bytes of floats", raw({"t": one(dtype="F16")}, D), FORMAT, ["F16 needs 4 bytes", "hold 8"]),
    ("file cut short", raw({"t": one()}, D[:7]), FORMAT, ["tensor t needs bytes up to", "cut short"]),
    ("no data at all", raw({"t": one()}), FORMAT, ["tensor t needs bytes up to", "cut short"]),
    ("overlap by one byte", raw(pair([0, 8], [7, 15]), D * 2), FORMAT, ["first and second overlap"]),
    ("the same bytes twice", raw(pair([0, 8], [0, 8]), D), FORMAT, ["overlap"]),
    ("empty tensor inside another", raw({"t": one(), "z": one(shape=[0], offsets=[4, 4])}, D), FORMAT, ["t and z overlap"]),
    ("hole between", raw(pair([0, 8], [12, 20]), D * 2 + D[:4]), FORMAT, ["4 bytes between first and tensor second"]),
    ("hole at the start", raw({"t": one(offsets=[4, 12])}, D + D[:4]), FORMAT, ["4 bytes between the header and tensor t"]),
    ("one byte left over", raw({"t": one()}, D + b"x"), FORMAT, ["last 1 bytes belong to no tensor"]),
    ("bytes without tensors", raw({}, D), FORMAT, ["last 8 bytes belong to no tensor"]),
    ("metadata is an array", raw({"__metadata__": [1]}), FORMAT, ["__metadata__ must be an object and is an array"]),
    ("metadata with a number", raw({"__metadata__": {"format": 1}}), FORMAT, ["\"format\" must be a string and is an integer"]),
    ("part of a byte", raw({"t": one(dtype="F4", shape=[3], offsets=[0, 2])}, D[:2]), FORMAT, ["3 numbers of type F4 do not fill whole bytes"]),
    ("Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548105171\n", FORMAT, ["Git LFS pointer", "git lfs pull"]),
    ("GGUF of version 1", b"GGUF\x01\x00\x00\x00" + bytes(32), UNSUPPORTED, ["GGUF", "version 1"]),
    ("PyTorch zip without its end", b"PK\x03\x04" + bytes(60), FORMAT, ["begins as a zip file", "cut short"]),
    ("PyTorch's magic number alone", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", FORMAT, ["pickle ends early", "cut short"]),
    ("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(40), UNSUPPORTED, ["HDF5"]),
    ("NumPy array", b"\x93NUMPY\x01\x00v\x00" + bytes(40), UNSUPPORTED, ["NumPy"]),
    ("gzip", b"\x1f\x8b\x08\x00" + bytes(40), UNSUPPORTED, ["gzip"]),
    ("web page", b"<!DOCTYPE html><html>not found</html>", FORMAT, ["web page"]),
    ("JSON text", b'{"model_type": "gpt2"}', FORMAT, ["a text, not a safetensors file"]),
    ("a letter", b"Dear reader, this is no checkpoint.\n", FORMAT, ["a text, not a safetensors file"]),
    ("noise", bytes((i * 37 + 11) % 256 for i in range(64)), FORMAT, ["not a safetensors file"]),
]

# Files that the library takes and we refuse, with the reason.
STRICTER = [
    ("space before the object", raw(' {"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', D), FORMAT, ["no '{'"],
     "the format says that the header begins with {"),
    ("zero byte in a name", raw('{"a\\u0000b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', D), FORMAT, ["not valid JSON"],
     "names are zero-ended here"),
]

SOUND = [
    ("no tensors", raw({})),
    ("no tensors, metadata", raw({"__metadata__": {"format": "pt"}})),
    ("metadata null", raw({"__metadata__": None})),
    ("trailing spaces", raw('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}' + " " * 37, D)),
    ("trailing newline", raw('{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}\n', D)),
    ("unknown key in an entry", raw({"t": one(note="x")}, D)),
    ("data out of order in the header", raw(pair([8, 16], [0, 8]), struct.pack("<4f", 1, 2, 3, 4))),
    ("empty tensors at both ends and between", raw({"t": one(), "a": one(shape=[0], offsets=[0, 0]), "z": one(shape=[4, 0, 3], offsets=[8, 8]), "y": one(shape=[0, 2**62, 8], offsets=[16, 16]), "u": one(offsets=[8, 16])}, struct.pack("<4f", 1, 2, 3, 4))),
    ("names of every kind", raw({"": one(), "h.0.ä\u4e2d\U0001f600": one(offsets=[8, 16]), "a\nb": one(offsets=[16, 24])}, struct.pack("<6f", 1, 2, 3, 4, 5, 6))),
    ("header of odd length: data unaligned", raw('{"t":{"dtype":"F64","shape":[1],"data_offsets":[0,8]} }', struct.pack("<d", -1.5))),
    ("saved by the library", None),
    ("eight dimensions", raw({"t": one(shape=[1, 2, 1, 1, 1, 1, 1, 1])}, struct.pack("<2f", 1, 2))),
]


def library_sample():
    g = torch.Generator().manual_seed(3)
    x = torch.randn(3, 5, generator=g)
    edge = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 1e-40, 65504.0, 1e-7, 3e38])
    return save({"f32": x, "f16": x.half(), "bf16": x.bfloat16(), "f64": x.double() * 1.000000001,
                 "edge.f32": edge, "edge.f16": edge.half(), "edge.bf16": edge.bfloat16(),
                 "edge.f64": edge.double() * 1e10, "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4)},
                metadata={"format": "pt"})


def look(data):
    """(accepted, tensors or the library's words)"""
    SCRATCH.write_bytes(data)
    try:
        tensors = []
        with safe_open(str(SCRATCH), "pt") as f:
            for name in sorted(f.keys(), key=lambda k: k.encode()):
                t = f.get_tensor(name)
                tensors.append({"name": name, "shape": list(t.shape),
                                "dtype": {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64"}[t.dtype],
                                "bits": t.to(torch.float32).flatten().view(torch.int32).tolist()})
        return True, tensors
    except Exception as e:
        return False, str(e)[:160]


def odd_type(name, bits):
    n_bytes = 24 * bits // 8
    data = raw({"odd": one(dtype=name, shape=[24], offsets=[0, n_bytes]),
                "plain": one(offsets=[n_bytes, n_bytes + 8])}, bytes(n_bytes) + struct.pack("<2f", 1, 2))
    SCRATCH.write_bytes(data)
    with safe_open(str(SCRATCH), "np") as f:
        assert sorted(f.keys()) == ["odd", "plain"]
        assert f.get_slice("odd").get_dtype() == name
    return {"type": name, "hex": data.hex()}


def main():
    broken, sound = [], []
    for name, data, status, phrases in BROKEN:
        ok, words = look(data)
        assert not ok, name
        broken.append({"name": name, "hex": data.hex(), "status": status, "phrases": phrases, "library": words})
    for name, data, status, phrases, reason in STRICTER:
        ok, _ = look(data)
        assert ok, name
        broken.append({"name": name, "hex": data.hex(), "status": status, "phrases": phrases, "stricter": reason})
    for name, data in SOUND:
        data = library_sample() if data is None else data
        ok, tensors = look(data)
        assert ok, (name, tensors)
        sound.append({"name": name, "hex": data.hex(), "tensors": tensors})
    odd = [odd_type(*t) for t in [
        ("BOOL", 8), ("U8", 8), ("I8", 8), ("U16", 16), ("I16", 16), ("U32", 32), ("I32", 32), ("U64", 64), ("I64", 64),
        ("C64", 64), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8),
        ("F6_E2M3", 6), ("F6_E3M2", 6), ("F4", 4)]]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"made_with": {"safetensors": safetensors.__version__, "torch": torch.__version__},
                               "broken": broken, "sound": sound, "odd_types": odd}, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(broken)} broken, {len(sound)} sound, {len(odd)} odd types -> {OUT}")


if __name__ == "__main__":
    main()
