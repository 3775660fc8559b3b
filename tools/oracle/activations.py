"""Writes tests/compute/data/activations.txt: transformers' activation functions in float64.

Needs torch and transformers (5.23.0 made the committed file). A line is "number x y", the number
that of nt_activation in src/base/activation.h; x are exact float32 numbers.
"""

import pathlib

import numpy as np
import torch
from transformers.activations import ACT2FN

NAMES = ["gelu_new", "gelu_fast", "gelu", "gelu_10", "quick_gelu", "relu", "relu2", "relu6",
         "leaky_relu", "silu", "mish", "tanh", "sigmoid", "hardswish", "laplace", "linear",
         "sqrtsoftplus"]


def main():
    rng = np.random.default_rng(3)
    fixed = [0, 1e-30, 1e-4, 0.5, 1, 2, 3, 4, 5.5, 6, 7, 9.9, 10, 10.1, 19, 20.5, 30, 80]
    x = np.concatenate([fixed, [-v for v in fixed], rng.normal(0, 2, 12)]).astype(np.float32)
    lines = []
    for number, name in enumerate(NAMES):
        y = ACT2FN[name](torch.from_numpy(x.astype(np.float64))).numpy()
        lines += [f"{number} {float(a)!r} {float(b)!r}" for a, b in zip(x, y)]
    root = pathlib.Path(__file__).resolve().parents[2]
    (root / "tests/compute/data/activations.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
