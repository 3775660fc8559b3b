#!/usr/bin/env python3
"""Expected figures for tests/decode/test_warpers.c: transformers' warpers, alone and in its order.

    python3 tools/oracle/warpers.py

Writes tests/decode/warpers_oracle.txt, whose first lines explain it."""
import pathlib
import random

import numpy as np
import torch
import transformers
from transformers.generation import (EpsilonLogitsWarper, EtaLogitsWarper, MinPLogitsWarper, TemperatureLogitsWarper,
                                     TopHLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, TypicalLogitsWarper)

from tables import made_row

ROOT = pathlib.Path(__file__).resolve().parents[2]
INF = float("inf")
# How far float32 may be from the exact figures: torch's sum of a softmax over 50257 is off by up to 5e-6.
SUM, RATIO, APART = 6e-6, 1.2e-5, 5e-5

# In transformers' order: name, value that is off, warper.
WARPERS = {
    "temperature": (1.0, lambda value, keep: TemperatureLogitsWarper(float(value))),
    "top_h": (0.0, lambda value, keep: TopHLogitsWarper(value)),
    "top_k": (0, lambda value, keep: TopKLogitsWarper(value, min_tokens_to_keep=keep)),
    "top_p": (1.0, lambda value, keep: TopPLogitsWarper(value, min_tokens_to_keep=keep)),
    "min_p": (-1.0, lambda value, keep: MinPLogitsWarper(value, min_tokens_to_keep=keep)),
    "typical_p": (1.0, lambda value, keep: TypicalLogitsWarper(value, min_tokens_to_keep=keep)),
    "epsilon_cutoff": (0.0, lambda value, keep: EpsilonLogitsWarper(value, min_tokens_to_keep=keep)),
    "eta_cutoff": (0.0, lambda value, keep: EtaLogitsWarper(value, min_tokens_to_keep=keep)),
}
VALUES = {
    "top_h": [0.1, 0.4, 0.9, 1.0],
    "top_k": [1, 2, 5, 40, 10**6],
    "top_p": [0.0, 1e-9, 0.5, 0.9, 0.95, 0.99999999],
    "min_p": [0.0, 0.02, 0.3, 1.0],
    "typical_p": [0.01, 0.2, 0.5, 0.95, 0.9999],
    "epsilon_cutoff": [3e-4, 0.02, 0.3, 0.999],
    "eta_cutoff": [3e-4, 0.02, 0.6, 0.999],
}
NAMES = list(WARPERS)


class Exact:
    """A row in float64, and how many ids each rule leaves at least and at most."""

    def __init__(self, row, keep):
        self.x = row[0].double()
        self.p = torch.softmax(self.x, -1)
        self.live = int((self.x > -INF).sum())
        self.keep = min(keep, len(self.x))

    def entropy(self):
        return float(-torch.special.xlogy(self.p, self.p).sum())

    def clip(self, n):
        return min(max(int(n), self.keep), self.live)

    def temperature(self, value):
        return self.live, self.live

    def top_k(self, value):
        kth = torch.topk(self.x, min(max(value, self.keep), len(self.x))).values[-1]
        n = int(((self.x >= kth) & (self.x > -INF)).sum())
        return n, n

    def top_h(self, value):
        logits = torch.topk(self.x, min(100, len(self.x))).values
        p = torch.softmax(logits, -1)
        terms = -torch.special.xlogy(p, p)
        sums, limit = terms.cumsum(-1), value * terms.sum()
        some = p > 1e-44
        return tuple(max(1, int(((sums <= limit * (1 + sign * RATIO)) & some).cumprod(-1).sum())) for sign in (-1, 1))

    def top_p(self, value):
        sums = torch.sort(self.p).values.cumsum(-1)
        return tuple(self.clip((sums > (1 - value) + sign * SUM).sum()) for sign in (1, -1))

    def min_p(self, value):
        return tuple(self.clip((self.p >= value * self.p.max() * (1 + sign * RATIO)).sum()) for sign in (1, -1))

    def typical_p(self, value):
        far = (-torch.log_softmax(self.x, -1) - self.entropy()).abs()
        order = torch.sort(far)
        sums = self.p[order.indices].cumsum(-1)
        last = [far.sort().values[min(int((sums < value + sign * SUM).sum()), len(far) - 1)] for sign in (-1, 1)]
        least, most = int((far < last[0] - APART).sum()), int((far <= last[1] + APART).sum())
        if last[0] == last[1] and not ((far - last[0]).abs() < APART)[far != last[0]].any():
            least = most  # the last one stays itself
        return self.clip(least), self.clip(most)

    def cutoff(self, limit, error):
        safe = self.x >= torch.topk(self.x, self.keep).values[-1]
        live = self.x > -INF
        return tuple(int((((self.p >= limit * (1 + sign * error)) | safe) & live).sum()) for sign in (1, -1))

    def epsilon_cutoff(self, value):
        return self.cutoff(value, RATIO)

    def eta_cutoff(self, value):
        return self.cutoff(min(value, value**0.5 * np.exp(-self.entropy())), 3 * RATIO)


def warp(row, keep, given):
    """The row as transformers leaves it, how exactly that can be expected, and how many ids at least and most."""
    near, tie = False, False
    least = most = int((row > -INF).sum())
    for name, (off, make) in WARPERS.items():
        value = given.get(name, off)
        if value == off:
            continue
        least, most = (0, row.shape[-1]) if near else getattr(Exact(row, keep), name)(value)
        before, row = row, make(value, keep)(None, row)
        if name == "temperature":
            continue
        kept = row > -INF
        assert least <= int(kept.sum()) <= most, (name, value, keep, least, int(kept.sum()), most)
        near = near or least < most
        tie = tie or bool(torch.isin(before[~kept & (before > -INF)], row[kept]).any())
    return row, "near" if near else "tie" if tie else "exact", least, most


def checksum(row):
    bits = (row + 0.0).numpy().view(np.uint32).astype(np.uint64)
    weights = 2 * np.arange(len(bits), dtype=np.uint64) + np.uint64(1)
    return int((bits * weights).sum(dtype=np.uint64))  # modulo 2^64


ROWS = {}


def row_of(kind, size, seed):
    key = kind, size, seed
    if key not in ROWS:
        ROWS[key] = made_row(kind, size, seed)[None]
    return ROWS[key].clone()


def case(kind, size, seed, keep, given):
    row, mark, least, most = warp(row_of(kind, size, seed), keep, given)
    kept = int((row > -INF).sum())
    shown = row if mark == "exact" else torch.sort(row).values
    values = " ".join(str(given.get(name, off)) for name, (off, _) in WARPERS.items())
    return f"{kind} {size} {seed} {keep} {values} {mark} {least} {kept} {most} {checksum(shown[0]):x}"


KINDS = ["smooth", "ties", "holes", "peaked", "flat"]


def alone():
    n = 0
    for name, values in VALUES.items():
        for value in values:
            for kind in KINDS:
                for size in (1, 2, 12, 300):
                    for warm in (1.0, 6.0) if size > 2 and kind != "flat" else (1.0,):
                        n += 1
                        yield case(kind, size, 1000 + n % 7, 1 + n % 4, {name: value, "temperature": warm})
            for kind in ("peaked", "smooth", "holes", "ties"):
                n += 1
                yield case(kind, 50257, 7, 1 + n % 4, {name: value, "temperature": 9.0 if kind in ("smooth", "holes") else 1.0})
    for kind in KINDS:
        for temperature in (0.7, 2.5, 1e-3, 1e-30, 1e30):
            for size in (1, 12, 300):
                yield case(kind, size, 5, 1, {"temperature": temperature})


def chained():
    rng = random.Random(5)
    for n in range(300):
        size = rng.choice([2, 12, 300, 300]) if n % 10 else 50257
        kind = rng.choice(KINDS) if size < 50257 else rng.choice(["peaked", "smooth", "holes"])
        given = {name: rng.choice(VALUES[name]) for name in rng.sample(list(VALUES), rng.choice([2, 3, 3, 7]))}
        given["temperature"] = rng.choice([1.0, 0.7, 3.0, 9.0])
        yield case(kind, size, 7, rng.randint(1, 4), given)


def main():
    torch.set_num_threads(1)
    lines = [f"# transformers {transformers.__version__}, torch {torch.__version__}. Each line: the row KIND V SEED of made_row.h,",
             "# min_tokens_to_keep, " + " ".join(NAMES) + ";",
             "# exact: the row's checksum after these warpers; tie: that of the sorted row (which of equal logits go is",
             "# torch's accident); near: the same, and float32 decides which ids stay. Before the checksum: how many stay",
             "# at least, with transformers, and at most."]
    lines += list(alone()) + list(chained())
    (ROOT / "tests/decode/warpers_oracle.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
