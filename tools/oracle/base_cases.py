#!/usr/bin/env python3
"""Writes tests/base/data/base_cases.json: what Python and numpy make of broken UTF-8, of every
half and bfloat16, and of doubles that are rounded to float32.

    python tools/oracle/base_cases.py            (needs numpy and torch)
"""
import json
import pathlib
import random
import warnings

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/base/data/base_cases.json"


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def utf8_cases():
    rng = random.Random(11)
    edges = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
             0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    texts = [bytes([a]) for a in range(256)] + [bytes([a, b]) for a in edges for b in edges]
    texts += [bytes(rng.choice(edges) for _ in range(rng.randint(3, 8))) for _ in range(900)]
    words = ["é", "中", "😀", "\U0010ffff", "\uffff", "\ud7ff", "\ue000", "a"]
    for _ in range(300):  # good text, cut and mixed with bad bytes
        text = "".join(rng.choice(words) for _ in range(4)).encode()
        cut = rng.randint(0, len(text))
        texts.append(text[:cut] + bytes([rng.choice(edges)]) * rng.randint(0, 1) + text[cut + rng.randint(0, 1):])
    cases = []
    for text in texts:
        try:
            text.decode()
            first_bad = len(text)
        except UnicodeDecodeError as e:
            first_bad = e.start
        cases.append([text.hex(), first_bad, text.decode(errors="replace").encode().hex()])
    return cases


def main():
    warnings.simplefilter("ignore")
    every = np.arange(65536, dtype=np.uint16)
    halves = every.view(np.float16).astype(np.float32).view("<u4")
    bfloats = torch.from_numpy(every.view(np.int16)).view(torch.bfloat16).float().numpy().view("<u4")
    rng = np.random.default_rng(5)
    doubles = np.concatenate([
        rng.standard_normal(100) * 10.0 ** rng.integers(-46, 39, 100),
        np.array([0.0, -0.0, 1 + 2**-24, 1 + 3 * 2**-24, 1 + 2**-24 + 2**-50, 2**-149, 2**-150, 1.5 * 2**-150, 3.4028235677973362e38,
                  3.4028235677973366e38, -1e300, 1e300, np.inf, -np.inf]),
    ]).astype("<f8")
    singles = doubles.astype("<f4")
    points = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000).encode()
    cases = {
        "made_with": {"numpy": np.__version__, "torch": torch.__version__},
        "utf8": utf8_cases(),
        "all_code_points": {"bytes": len(points), "fnv": fnv(points)},
        "half_fnv": fnv(halves.tobytes()),
        "bfloat_fnv": fnv(bfloats.tobytes()),
        "doubles": [[f"{d:016x}", f"{s:08x}"] for d, s in zip(doubles.view("<u8").tolist(), singles.view("<u4").tolist())],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(cases, separators=(",", ":")).replace("],[", "],\n[") + "\n")
    print(f"{len(cases['utf8'])} texts, {len(doubles)} doubles -> {OUT}")


if __name__ == "__main__":
    main()
