"""Draws as torch's CPU generator has them: with torch imported by torch itself, else from the same
stream, kept by seed.py."""

import sys

import numpy as np

__all__ = ["multinomial"]


def multinomial(p, k):
    """k ids of each row of weights p [R, N], without replacement, in the order in which torch's
    multinomial gives them: [R, k]."""
    _check(p, k)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "multinomial"):
        return torch.multinomial(torch.from_numpy(np.ascontiguousarray(p)), num_samples=k).numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        race = p / _exponentials(p.shape)
    race[p == 0] = 0
    if k == 1:
        return race.argmax(axis=-1)[:, None]
    return np.argsort(-race, axis=-1, kind="stable")[:, :k]


def _check(p, k):
    if not np.isfinite(p).all() or (p < 0).any():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0: no id is "
                           "left to draw, or the scores are no numbers")
    if (p.sum(axis=-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution: the probabilities sum up to 0")
    if k > p.shape[-1]:
        raise RuntimeError(f"cannot draw {k} of {p.shape[-1]} ids without replacement")


def _exponentials(shape):
    """Exponential draws in float32, two words of the stream each."""
    from ..seed import words

    n = int(np.prod(shape))
    w = words(2 * n).astype(np.uint64).reshape(n, 2)
    u = ((w[:, 0] & np.uint64(0x1FFFFF)) << np.uint64(32) | w[:, 1]).astype(np.float64) * 2.0 ** -53
    return (-np.log1p(-u)).astype(np.float32).reshape(shape)
