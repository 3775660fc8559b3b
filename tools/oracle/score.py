#!/usr/bin/env python3
"""Expected figures for tests/score: words, characters and sums of small tables of logits, by their
definitions (docs/scoring.md) in float64, and the strides of transformers' perplexity recipe.

    python3 tools/oracle/score.py

Writes tests/score/units_oracle.json and tests/score/windows_oracle.json. Words are found with the regex
module's \\p{White_Space}, characters with Python's own decoder; probabilities are summed over the
vocabulary id by id."""
import json
import math
import pathlib
import random

import numpy as np
import regex

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOS, EOS, PAD = b"<bos>", b"<eos>", b"<pad>"
# Spaces before letters, spaces alone, other white space, two words in one token, halves of characters
# (of an em dash and of U+3000, which is white space), bytes that are no UTF-8, no bytes at all.
PIECES = [BOS, EOS, PAD, b"a", b"ab", b"b", b" a", b" ab", b" ", b"  ", b"\n", b"\n\n", b"\t", b".", b" .", b"a b",
          b"b a", b"x ", " 日".encode(), "日".encode(), b"\xe2\x80", b"\x94", b"\xe3\x80", b"\x80", b"\xff", b"\xc3",
          b"\xa9", "\u00a0".encode(), "\u00a0a".encode(), "\u2003".encode(), "\u3000".encode(), "é".encode(),
          "\u0085".encode(), b"\x1f", b"", b"abc", b" abcdefgh"]
SPECIAL = {0, 1, 2}
WHITE = regex.compile(r"\p{White_Space}")
SETS = {"whitespace": 0, "pimentel-meister": 1, "oh-schuler": 2}


def text_of(data):
    return data.decode("utf-8", "surrogateescape")


def opens(piece, special, correction):
    if special:
        return piece == EOS and correction != "oh-schuler"
    first = text_of(piece)[:1]
    return first == " " or (correction == "whitespace" and bool(WHITE.match(first)))


def log_sum(logs):
    """log of a sum of exps; nothing has no probability."""
    logs = [x for x in logs if x > -math.inf]
    return float(np.logaddexp.reduce(np.array(logs))) if logs else -math.inf


def segments(ids):
    """Runs of tokens between special ones: (first, bytes of each)."""
    runs, run = [], None
    for i, t in enumerate(ids):
        if t in SPECIAL:
            run = None
        elif run is None:
            run = (i, [PIECES[t]])
            runs.append(run)
        else:
            run[1].append(PIECES[t])
    return runs


def units_of(ids):
    """Words as lists of tokens: those that hold a byte of the same word belong together, and white
    space belongs to what follows it."""
    groups = [[i] for i, t in enumerate(ids) if t in SPECIAL and i > 0]
    for first, pieces in segments(ids):
        ends = np.cumsum([len(p) for p in pieces])
        text = text_of(b"".join(pieces))
        owner = [None] * len(pieces)
        for word in regex.finditer(r"\P{White_Space}+", text):
            a, b = (len(text[:k].encode("utf-8", "surrogateescape")) for k in word.span())
            held = [i for i in range(len(pieces)) if ends[i] > a and ends[i] - len(pieces[i]) < b]
            known = [owner[i] for i in held if owner[i] is not None]
            mark = known[0] if known else a
            for i in held:
                owner[i] = mark
        for i in reversed(range(len(pieces) - 1)):
            if owner[i] is None:
                owner[i] = owner[i + 1]
        for mark in dict.fromkeys(owner):
            groups.append([first + i for i, o in enumerate(owner) if o == mark])
    return sorted(groups)


def words_of(case, logp):
    ids, correction = case["ids"], case["correction"]
    n = len(ids)
    has_bos = bool(ids) and ids[0] in SPECIAL
    starts = {g[0] for g in units_of(ids)}

    def mass(t, wanted):
        return log_sum([logp[t][v] for v, p in enumerate(PIECES) if wanted(v, p)])

    def border(t):
        """log of what stands between tokens t and t + 1, or None."""
        boundary = [opens(p, v in SPECIAL, correction) and p != b"" for v, p in enumerate(PIECES)]
        if t < 0 or (t == 0 and has_bos and (n == 1 or correction == "oh-schuler")):
            return None
        if t == n - 1:
            return None if PIECES[ids[t]] == EOS else mass(t, lambda v, p: boundary[v])
        if t + 1 not in starts:
            return None
        if boundary[ids[t + 1]]:
            return mass(t, lambda v, p: boundary[v])
        if t == 0 and has_bos and ids[1] not in SPECIAL:
            return mass(t, lambda v, p: p == EOS or (p != b"" and v not in SPECIAL and not boundary[v]))
        return None

    out = []
    for group in units_of(ids):
        data = b"".join(PIECES[ids[i]] for i in group)
        bare = data if ids[group[0]] in SPECIAL else regex.sub(
            r"^\p{White_Space}+|\p{White_Space}+$", "", text_of(data)).encode("utf-8", "surrogateescape")
        at = sum(len(PIECES[t]) for t in ids[:group[0]]) + data.index(bare if bare else data)
        plain = sum(logp[i - 1][ids[i]] if i else math.nan for i in group)
        before, after = border(group[0] - 1), border(group[-1])
        corrected = plain - (before or 0) + (after or 0)
        bare = bare if bare else data
        out.append({"bytes": bare.hex(), "start": at, "end": at + len(bare), "first": group[0], "n_tokens": len(group),
                    "logprob": plain, "corrected": corrected, "counted": all(i >= case["counted_from"] for i in group)})
    return out


def bytes_of(piece, id_, row):
    """log-probability of each byte of a token."""
    mass = [log_sum(row)]
    for j in range(1, len(piece) + 1):
        mass.append(log_sum([row[v] for v, p in enumerate(PIECES) if v not in SPECIAL and p.startswith(piece[:j])]))
    out = [b - a for a, b in zip(mass[:-1], mass[1:])]
    out[-1] += row[id_] - mass[-1]
    return out


def chars_of(case, logp):
    ids, out = case["ids"], []
    offset = np.cumsum([0] + [len(PIECES[t]) for t in ids]).tolist()

    def add(data, start, tokens, logprob):
        out.append({"bytes": data.hex(), "start": start, "end": start + len(data), "first": tokens[0],
                    "n_tokens": len(tokens), "logprob": logprob,
                    "counted": all(i >= case["counted_from"] for i in tokens)})

    for i, t in enumerate(ids):
        if t in SPECIAL and i > 0:
            add(PIECES[t], offset[i], [i], logp[i - 1][t])
    for first, pieces in segments(ids):
        numbers, owners = [], []
        for i, piece in enumerate(pieces, first):
            numbers += bytes_of(piece, ids[i], logp[i - 1]) if i else [math.nan] * len(piece)
            owners += [i] * len(piece)
        at = 0
        for c in text_of(b"".join(pieces)):
            data = c.encode("utf-8", "surrogateescape")
            here = slice(at, at + len(data))
            add(data, offset[first] + at, sorted(set(owners[here])), sum(numbers[here]))
            at += len(data)
    return sorted(out, key=lambda c: (c["first"], c["start"]))


def case_of(rng, ids, correction, prompt_len=0, scale=3.0):
    n, V = len(ids), len(PIECES)
    logits = np.round(rng.normal(size=(n, V)) * scale * 16) / 16
    case = {"correction": correction, "ids": ids, "prompt_len": prompt_len, "counted_from": max(prompt_len, 1)}
    logp = [(row - log_sum(row)).tolist() for row in logits]
    case["tokens"] = [None if i == 0 else logp[i - 1][t] for i, t in enumerate(ids)]
    case["words"], case["chars"] = words_of(case, logp), chars_of(case, logp)
    losses = np.array([-x for i, x in enumerate(case["tokens"]) if i >= case["counted_from"]])
    n_bytes = sum(len(PIECES[t]) for i, t in enumerate(ids) if i >= case["counted_from"] and t not in SPECIAL)
    case["totals"] = {
        "logprob": -float(losses.sum()), "n_counted": len(losses), "n_bytes": n_bytes,
        "loss": float(losses.mean()) if len(losses) else None,
        "bits_per_byte": float(losses.sum() / np.log(2) / n_bytes) if n_bytes and len(losses) else None,
        "loss_stderr": float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else None}
    case["logits"] = [int(x * 16) for x in logits.ravel()]  # in sixteenths
    return case


def without_nan(x):
    if isinstance(x, dict):
        return {k: without_nan(v) for k, v in x.items()}
    if isinstance(x, list):
        return [without_nan(v) for v in x]
    return None if isinstance(x, float) and math.isnan(x) else x


def write_units():
    rng, pick = np.random.default_rng(5), random.Random(6)
    by = {p: v for v, p in enumerate(PIECES)}
    said = [
        [BOS, b"a", b"b", b".", b" ab", b" ", b" a"],  # words of one and more tokens
        [b"a", b" a", b"\n"],                          # no BOS; white space at the end
        [BOS, b" a", b"\n", b"\n", b"b", b" .", EOS],
        [BOS, b"a b", b"b", b"x ", b"a", b"b a"],      # two words in one token
        [BOS, b" ", b" "],                             # white space alone
        [BOS, b"\xe2\x80", b"\x94", b"a", b"\xe3\x80", b"\x80", b"a", b"\xff", b"\xc3"],
        [BOS, b"a", EOS, b"b", PAD, b" a", b" ", EOS],  # specials within
        [BOS, "\u00a0a".encode(), "\u3000".encode(), b"a", "\u2003".encode(), "\u0085".encode(), b"\x1f"],
        [BOS, " 日".encode(), "é".encode(), b"\xc3", b"\xa9", b" abcdefgh", b"\xc3", EOS, b"\xa9"],
        [BOS], [b"ab"], [BOS, EOS], [BOS, EOS, b" a"],
    ]
    cases = []
    for correction in SETS:
        cases += [case_of(rng, [by[p] for p in tokens], correction) for tokens in said]
        for _ in range(6):
            ids = [0] + [pick.choice([v for v, p in enumerate(PIECES) if p and v]) for _ in range(pick.randint(3, 9))]
            cases.append(case_of(rng, ids, correction, pick.randint(0, 4)))
        cases.append(case_of(rng, [by[p] for p in (BOS, b" ab", b"abc", b" a")], correction, 2, 900.0))
    oracle = {"oracle": f"NumPy {np.__version__} in float64, regex {regex.__version__}",
              "vocab": [p.hex() for p in PIECES], "special": sorted(SPECIAL), "eos": [1], "cases": cases}
    target = ROOT / "tests/score/units_oracle.json"
    target.write_text(json.dumps(without_nan(oracle), allow_nan=False, separators=(",", ":")).replace("{\"corr", "\n{\"corr")
                      + "\n")
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


def recipe(losses, seq_len, max_length, stride):
    """transformers' docs, "Perplexity of fixed-length models", with the model's loss replaced by a
    table: losses[t] is that of token t, wherever its window begins."""
    nll_sum, n_tokens, prev_end_loc, windows = 0.0, 0, 0, []
    for begin_loc in range(0, seq_len, stride):
        end_loc = min(begin_loc + max_length, seq_len)
        trg_len = end_loc - prev_end_loc
        labels = np.full(end_loc - begin_loc, -100)
        labels[-trg_len:] = 0
        counted = [t for t in range(begin_loc + 1, end_loc) if labels[t - begin_loc] != -100]
        num_loss_tokens = int((labels != -100).sum()) - 1
        if counted:
            nll_sum += float(np.mean(losses[counted])) * num_loss_tokens
        n_tokens += num_loss_tokens
        windows.append([begin_loc, end_loc, counted[0] if counted else end_loc])
        prev_end_loc = end_loc
        if end_loc == seq_len:
            break
    return windows, nll_sum / n_tokens if n_tokens else None


def write_windows():
    rng, cases = np.random.default_rng(8), []
    for n, size, stride in [(1, 4, 2), (2, 4, 4), (4, 4, 1), (5, 4, 1), (5, 4, 2), (5, 4, 4), (9, 4, 4), (13, 4, 3),
                            (40, 16, 8), (40, 16, 16), (41, 16, 5), (33, 32, 1), (64, 32, 32), (50, 64, 3)]:
        losses = np.round(rng.gamma(2.0, 2.0, size=n) * 64) / 64
        windows, mean = recipe(losses, n, size, stride)
        kept = np.array([losses[t] for begin, end, first in windows for t in range(first, end)])
        cases.append({"n": n, "size": size, "stride": stride, "windows": windows, "recipe": mean,
                      "losses": [int(x * 64) for x in losses],  # in 64ths
                      "loss": float(kept.mean()) if len(kept) else None,
                      "stderr": float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else None})
    target = ROOT / "tests/score/windows_oracle.json"
    target.write_text(json.dumps({"oracle": f"NumPy {np.__version__}", "cases": cases}, separators=(",", ":"))
                      .replace("{\"n\"", "\n{\"n\"") + "\n")
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    write_units()
    write_windows()
