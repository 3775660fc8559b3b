#!/usr/bin/env python3
"""Expected figures for tests/decode/test_draws.c and tests/base/test_mersenne.c.

    python3 tools/oracle/draws.py

Writes tests/decode/draws_oracle.txt (NumPy's Philox, torch's CPU generator) and
tests/base/data/mersenne.txt (NumPy's MT19937); their first lines explain them."""
import pathlib

import numpy as np
import torch
import transformers

from decode import uniform
from warpers import row_of, warp

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEAR = 1e-6  # relative: more than torch's float32 softmax and division can be off


def drawn(row, seed, sequence, n):
    """Ids by inverse CDF in double; -1 where the last digits decide."""
    sums = torch.softmax(row[0].double(), -1).numpy().cumsum()
    ids = []
    for draw in range(n):
        target = uniform(seed, sequence, draw) * sums[-1]
        near = np.abs(sums - target).min() < 1e-11
        ids.append(-1 if near else int(np.searchsorted(sums, target, side="right")))
    return ids


def warped(kind, size, seed, t, k, p):
    row, mark, _, _ = warp(row_of(kind, size, seed), 1, {"temperature": float(t), "top_k": k, "top_p": float(p)})
    assert mark == "exact"
    return row


def philox_lines():
    for kind, V, t, k, p, seed, sequence in [("peaked", 50257, 1, 0, 1, 7, 0), ("peaked", 50257, 0.8, 50, 1, 2**64 - 1, 3),
                                             ("smooth", 50257, 9.5, 0, 1, 1, 1023), ("holes", 300, 30.0, 0, 0.9, 2**53 - 1, 1),
                                             ("flat", 12, 1, 0, 1, 0, 0), ("flat", 1, 1, 0, 1, 5, 5), ("ties", 300, 1.5, 40, 1, 42, 2)]:
        ids = drawn(warped(kind, V, 77, t, k, p), seed, sequence, 40)
        yield f"draw {kind} {V} 77 {t} {k} {p} {seed} {sequence} {' '.join(map(str, ids))}"


def keys_of(p):
    """What the next multinomial over p will compare, without moving the generator."""
    state = torch.get_rng_state()
    keys = p / torch.empty_like(p).exponential_(1)
    torch.set_rng_state(state)
    return keys


def decided(keys, n):
    """Which of the n largest of keys [V] are certain in their place."""
    top = torch.topk(keys, min(n + 1, len(keys))).values.double()
    gaps = torch.cat([torch.ones(1), (top[:-1] - top[1:]) / top[:-1], torch.ones(1)])
    return [bool(gaps[i] > NEAR and gaps[i + 1] > NEAR) for i in range(n)]


def ends(row, step):
    """The rows of a batch that have ended: the test passes them over."""
    return step >= 2 and (row + step) % 3 == 2


def multinomial_line(kind, V, t, k, p, seed, rows, steps):
    logits = torch.cat([warped(kind, V, 77 + r, t, k, p) for r in range(rows)])
    torch.manual_seed(seed)
    ids = []
    for step in range(steps):
        probabilities = torch.softmax(logits, -1)
        keys = keys_of(probabilities)
        chosen = torch.multinomial(probabilities, num_samples=1)[:, 0].tolist()
        assert chosen == keys.argmax(-1).tolist()
        ids += [i if decided(keys[r], 1)[0] and not ends(r, step) else -1 for r, i in enumerate(chosen)]
    return f"torch {kind} {V} 77 {t} {k} {p} {seed} {rows} {steps} {' '.join(map(str, ids))}"


def several_line(kind, V, t, k, p, seed, rows, steps, n, score):
    """Rows laid end to end; row r has r * score added. After each step a torch.rand."""
    logits = torch.cat([warped(kind, V, 77 + r, t, k, p)[0] + r * score for r in range(rows)])
    torch.manual_seed(seed)
    parts = []
    for _ in range(steps):
        probabilities = torch.softmax(logits, -1)
        keys = keys_of(probabilities)
        chosen = torch.multinomial(probabilities[None], num_samples=n)[0]
        live = int((probabilities[chosen] > 0).sum())
        assert (probabilities[chosen[:live]] > 0).all() and live == min(n, int((probabilities > 0).sum()))
        sure = decided(keys, n)
        parts.append(f"{live} " + " ".join(str(int(i)) if s else "-1" for i, s in zip(chosen[:live], sure)))
        parts.append(str(int(torch.rand(1)[0].item() * 2**24)))
    return f"several {kind} {V} 77 {t} {k} {p} {seed} {rows} {steps} {n} {score} {' '.join(parts)}"


def weighted_line(V, seed, steps):
    """What speculative sampling draws from: max(p - q, 0), here of two made rows' softmax."""
    p, q = (torch.softmax(warped("peaked", V, 77 + r, 1, 0, 1), -1) for r in range(2))
    weights = torch.clamp(p - q, min=0)
    weights.div_(weights.sum())
    torch.manual_seed(seed)
    ids = []
    for _ in range(steps):
        keys = keys_of(weights)
        i = int(torch.multinomial(weights, num_samples=1)[0, 0])
        ids.append(i if decided(keys[0], 1)[0] else -1)
    return f"weighted {V} 77 {seed} {steps} {' '.join(map(str, ids))}"


def torch_lines():
    for seed in (0, 42, 2**32 + 5, 2**53 - 1, 2**63 + 1):
        for kind, V, t, k, p, rows, steps in [("peaked", 50257, 1, 0, 1, 2, 6), ("peaked", 50257, 0.8, 50, 1, 3, 8),
                                              ("smooth", 300, 9.0, 0, 0.9, 4, 20), ("ties", 12, 1, 0, 1, 5, 20),
                                              ("holes", 300, 6.0, 5, 1, 3, 12), ("flat", 1, 1, 0, 1, 2, 4),
                                              ("flat", 317, 1, 0, 1, 1, 20)]:
            yield multinomial_line(kind, V, t, k, p, seed if seed < 2**63 else seed - 2**64, rows, steps)
        for kind, V, t, k, p, rows, steps, n, score in [("peaked", 50257, 1, 0, 1, 3, 2, 6, -1.5), ("peaked", 50257, 1, 3, 1, 4, 4, 8, -1e9),
                                                        ("smooth", 300, 9.0, 0, 1, 2, 6, 20, 0.5), ("ties", 12, 1, 4, 1, 5, 8, 10, 0.0),
                                                        ("holes", 31, 9.0, 0, 1, 3, 8, 93, 0.0), ("flat", 1, 1, 0, 1, 3, 5, 2, 0.0)]:
            yield several_line(kind, V, t, k, p, seed if seed < 2**63 else seed - 2**64, rows, steps, n, score)
        yield weighted_line(50257, seed if seed < 2**63 else seed - 2**64, 4)
        yield weighted_line(40, seed if seed < 2**63 else seed - 2**64, 40)


def write_draws():
    torch.set_num_threads(1)
    lines = [f"# transformers {transformers.__version__}, torch {torch.__version__}, numpy {np.__version__}. Rows: KIND V SEED of made_row.h after",
             "# temperature, top_k, top_p; row r of several has SEED + r. -1: the last digits decide, or nobody asks.",
             "# draw KIND V SEED temperature top_k top_p seed sequence: ids of draws 0, 1, 2, ... (NumPy's Philox)",
             "# torch ... seed rows steps: torch.multinomial's ids, step after step; see ends() for rows that have ended",
             "# several ... seed rows steps n score: n without replacement from the rows end to end (row r has r * score",
             "#   added): how many have a probability, their places, and after each step torch.rand(1) * 2^24",
             "# weighted V SEED seed steps: ids from max(p - q, 0) of two peaked rows"]
    lines += list(philox_lines()) + list(torch_lines())
    (ROOT / "tests/decode/draws_oracle.txt").write_text("\n".join(lines) + "\n")


def write_mersenne():
    lines = [f"# numpy {np.__version__} RandomState(seed): seed, how many are passed over, and the next 8 numbers in hexadecimal"]
    for seed in (0, 1, 42, 5489, 2**31, 2**32 - 1):
        for skipped in (0, 1, 226, 227, 396, 397, 622, 623, 624, 625, 1247, 1248, 100514, 10**6 + 7):
            bits = np.random.RandomState(seed)._bit_generator
            raw = bits.random_raw(skipped + 8)[skipped:]
            lines.append(f"{seed} {skipped} " + " ".join(f"{int(x):x}" for x in raw))
    (ROOT / "tests/base/data/mersenne.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_draws()
    write_mersenne()
