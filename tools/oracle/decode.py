#!/usr/bin/env python3
"""Expected figures for tests/decode, tests/score and tests/base, from transformers, torch and NumPy.

    python3 tools/oracle/decode.py GPT2_FOLDER

GPT2_FOLDER holds GPT-2's vocab.json and merges.txt. Writes
  tests/decode/stop_oracle.txt   transformers' StopStringCriteria on random token sequences
  tests/decode/sampling_oracle.txt  transformers' warpers, and draws from what they leave by NumPy
  tests/base/data/philox.txt     NumPy's Philox
  tests/score/score_oracle.txt   torch's log_softmax and cross_entropy (in float64) on random rows
Every line is explained in the files' own first lines.
"""
import pathlib
import random
import sys

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Tokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode
from transformers.generation import (StopStringCriteria, TemperatureLogitsWarper, TopKLogitsWarper,
                                     TopPLogitsWarper)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TO_UNICODE = bytes_to_unicode()
TO_BYTE = {c: b for b, c in TO_UNICODE.items()}
PIECES = ["a", "b", "aa", "ab", "aba", "bab", "abab", "\n", "\n\n", " \n", "é", "日本", "😀", "END", "EN", "ND",
          "D", "stop", "st", "op", "opper", " stop", "sto", "<|", "|>", "<|end|>", "ae"]


def small_tokenizer():
    """Every byte, and pieces that overlap one another and cut characters."""
    pieces = [p.encode() for p in PIECES]
    pieces += [p[:i] for p in pieces for i in range(2, len(p)) if max(p) > 127]
    pieces += [p[i:] for p in pieces for i in range(1, len(p) - 1) if max(p) > 127]
    names = ["".join(TO_UNICODE[b] for b in p) for p in [bytes([b]) for b in range(256)] + pieces]
    vocab = {name: i for i, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def token_bytes(tokenizer, i):
    return bytes(TO_BYTE[c] for c in tokenizer.convert_ids_to_tokens(i))


def whole_pieces(data, rng):
    """A random part of data that is UTF-8, or None."""
    begin = rng.randrange(len(data))
    end = min(len(data), begin + rng.randint(1, 12))
    try:
        return data[begin:end].decode()
    except UnicodeDecodeError:
        return None


def stop_case(tokenizer, ids_of, rng):
    ids = [rng.choice(ids_of) for _ in range(rng.randint(3, 20))]
    data = b"".join(token_bytes(tokenizer, i) for i in ids)
    strings = []
    while len(strings) < rng.randint(1, 4):
        string = whole_pieces(data, rng) if rng.random() < 0.6 else "".join(rng.choices(PIECES, k=rng.randint(1, 2)))
        if string:
            strings.append(string)
    criteria = StopStringCriteria(tokenizer, strings)
    stops = "".join("1" if criteria(torch.tensor([ids[: t + 1]]), None)[0] else "0" for t in range(len(ids)))
    hexes = ",".join(token_bytes(tokenizer, i).hex() for i in ids)
    return f"{','.join(s.encode().hex() for s in strings)} {hexes} {stops}"


def write_stops(folder):
    rng = random.Random(20)
    small = small_tokenizer()
    few = [i for i in range(256, len(small))] + [small.convert_tokens_to_ids(TO_UNICODE[b]) for b in b"abestopND\n <|>"]
    cases = [stop_case(small, few, rng) for _ in range(400)]
    gpt2 = GPT2Tokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    text = "The end. 日本語の文字列 stops here!\n\nUser: naïve café 😀 stop"
    some = gpt2(text)["input_ids"]
    cases += [stop_case(gpt2, some, rng) for _ in range(12)]
    head = (f"# transformers {transformers.__version__} StopStringCriteria: stop strings in hex, token bytes in hex,\n"
            "# and whether each prefix of the tokens stops.\n")
    (ROOT / "tests/decode/stop_oracle.txt").write_text(head + "\n".join(cases) + "\n")


def numbers(values, form="%.17g"):
    return " ".join("nan" if v != v else form % v for v in values)


def write_scores():
    torch.manual_seed(3)
    rng = random.Random(4)
    lines = [f"# torch {torch.__version__}: a case is 'case n V', then ids [n], labels [n], n rows of float32 logits [V],",
             "# log_softmax of each next id in float64 [n - 1], entropies in nats [n - 1], the mean and number of",
             "# cross_entropy(ignore_index=-100) of the shifted labels."]
    for n, V, scale in [(2, 1, 1.0), (6, 5, 1.0), (12, 17, 30.0), (9, 40, 4.0), (5, 3, 200.0), (4, 8, 1e-3)]:
        logits = (torch.randn(n, V) * scale).float()
        if V > 8:
            logits[:, 1::5] = float("-inf")
            logits[:, 2] = logits[:, 3]
        ids = [rng.choice([v for v in range(V) if V <= 8 or v % 5 != 1]) for _ in range(n)]
        labels = [i if rng.random() < 0.6 else -100 for i in ids]
        logp = torch.log_softmax(logits.double(), -1)
        p = logp.exp()
        entropy = -(torch.where(p > 0, p * logp, torch.zeros_like(p))).sum(-1)
        shifted = torch.tensor(labels[1:])
        loss = torch.nn.functional.cross_entropy(logits.double()[:-1], shifted, ignore_index=-100)
        lines += [f"case {n} {V}", " ".join(map(str, ids)), " ".join(map(str, labels))]
        lines += [numbers(row, "%.9g") for row in logits.tolist()]
        lines += [numbers([logp[t, ids[t + 1]].item() for t in range(n - 1)]), numbers(entropy[:-1].tolist())]
        lines += [numbers([loss.item()]) + f" {int((shifted != -100).sum())}"]
    (ROOT / "tests/score/score_oracle.txt").write_text("\n".join(lines) + "\n")


def made_row(kind, V, seed):
    """A row of float32 logits that the tests make too (tests/decode/made_row.h)."""
    r = np.empty(V, dtype=np.int64)
    for i in range(V):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        r[i] = seed >> 33
    if kind == "smooth":
        row = (r % 400001 - 200000) / 4096
    elif kind == "ties":
        row = r % 9 - 4
    elif kind == "holes":
        row = np.where((r % 5 == 0) & (np.arange(V) > 0), -np.inf, (r % 400001 - 200000) / 4096)
    elif kind == "peaked":
        row = ((r & 255) + (r >> 8 & 255) + (r >> 16 & 255) - 384) / 32 - 100
    else:
        assert kind == "flat"
        row = np.full(V, 1.5)
    return torch.tensor(row, dtype=torch.float32)[None]


def checksum(row):
    bits = row.numpy().view(np.uint32).astype(np.uint64)
    weights = 2 * np.arange(len(bits), dtype=np.uint64) + np.uint64(1)
    return int((bits * weights).sum(dtype=np.uint64))  # modulo 2^64


NEAR = 2e-6  # of the running sum: more than float32 softmax and cumsum can be off


def top_p_kept(row, limit):
    p = torch.sort(torch.softmax(row.double(), -1)).values.cumsum(-1)
    return max(1, int((p[0] > limit).sum()))


def warp(row, temperature, top_k, top_p):
    """The row as transformers leaves it, how exactly that can be expected, and how many ids at least and most."""
    if temperature != 1:
        row = TemperatureLogitsWarper(temperature)(None, row)
    if top_k:
        row = TopKLogitsWarper(top_k)(None, row)
    if top_p == 1:
        kept = int((row > -np.inf).sum())
        return row, "exact", kept, kept
    least, most = (top_p_kept(row, 1 - top_p + sign * NEAR) for sign in (1, -1))
    before = row
    row = TopPLogitsWarper(top_p)(None, row)
    kept = int((row > -np.inf).sum())
    assert least <= kept <= most, (kept, least, most, top_p)
    removed = before[(row == -np.inf) & (before > -np.inf)]
    tie = len(removed) and removed.max() == row[row > -np.inf].min()
    return row, "near" if least < most else "tie" if tie else "exact", least, most


def philox_block(key, counter):
    """NumPy counts up before its first block."""
    words = sum(word << 64 * i for i, word in enumerate(counter))
    return np.random.Philox(key=sum(word << 64 * i for i, word in enumerate(key)), counter=(words - 1) % 2**256)


def uniform(seed, sequence, draw):
    return np.random.Generator(philox_block([seed, 0], [draw, sequence, 0, 0])).random()


def drawn(row, seed, sequence, n):
    """Ids by inverse CDF in double; -1 where the last digits decide."""
    sums = torch.softmax(row[0].double(), -1).numpy().cumsum()
    ids = []
    for draw in range(n):
        target = uniform(seed, sequence, draw) * sums[-1]
        near = np.abs(sums - target).min() < 1e-11
        ids.append(-1 if near else int(np.searchsorted(sums, target, side="right")))
    return ids


def write_sampling():
    torch.set_num_threads(1)
    lines = [f"# transformers {transformers.__version__}, torch {torch.__version__}, numpy {np.__version__}.",
             "# warp KIND V SEED temperature top_k top_p: the row of KIND (made_row.h) after the warpers; exact: its",
             "# checksum; tie: that of the sorted row (torch's sort decides which of equals go); near: the same, and",
             "# float32 decides how many ids stay. Before the checksum: the least, transformers' own number, the most.",
             "# draw KIND V SEED temperature top_k top_p seed sequence: ids of draws 0, 1, 2, ...; -1: undecided."]
    settings = [(t, k, p) for t in (1, 0.7, 2.5) for k in (0, 1, 5, 40) for p in (1, 0.95, 0.5, 0.0)]
    settings += [(1e-30, 0, 1), (1e30, 0, 1), (1e30, 3, 0.9), (1e-3, 50, 0.9), (1, 10**6, 1), (1, 0, 1e-9), (1, 0, 0.99999999)]
    for kind in ("smooth", "ties", "holes", "peaked", "flat"):
        for V, chosen in [(1, settings[::5]), (2, settings[::3]), (12, settings), (300, settings), (50257, settings[1::6])]:
            for n, (t, k, p) in enumerate(chosen):
                row, mark, least, most = warp(made_row(kind, V, 1000 + n), float(t), k, p)
                kept = int((row > -np.inf).sum())
                shown = row if mark == "exact" else torch.sort(row).values
                lines.append(f"warp {kind} {V} {1000 + n} {t} {k} {p} {mark} {least} {kept} {most} {checksum(shown[0]):x}")
    for kind, V, t, k, p, seed, sequence in [("peaked", 50257, 1, 0, 1, 7, 0), ("peaked", 50257, 0.8, 50, 1, 2**64 - 1, 3),
                                             ("smooth", 50257, 9.5, 0, 1, 1, 1023), ("holes", 300, 30.0, 0, 0.9, 2**53 - 1, 1),
                                             ("flat", 12, 1, 0, 1, 0, 0), ("flat", 1, 1, 0, 1, 5, 5), ("ties", 300, 1.5, 40, 1, 42, 2)]:
        row, mark, _, _ = warp(made_row(kind, V, 77), float(t), k, p)
        assert mark == "exact"
        lines.append(f"draw {kind} {V} 77 {t} {k} {p} {seed} {sequence} {' '.join(map(str, drawn(row, seed, sequence, 40)))}")
    (ROOT / "tests/decode/sampling_oracle.txt").write_text("\n".join(lines) + "\n")


def write_philox():
    rng = random.Random(11)
    edges = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    lines = [f"# numpy {np.__version__}: block KEY[2] COUNTER[4] OUT[4] in hexadecimal;",
             "# uniform SEED SEQUENCE DRAW and Generator.random()'s double."]
    blocks = [([0, 0], [0, 0, 0, 0]), ([2**64 - 1] * 2, [2**64 - 1] * 4)]
    blocks += [([rng.choice(edges) for _ in range(2)], [rng.choice(edges) for _ in range(4)]) for _ in range(60)]
    blocks += [([rng.getrandbits(64) for _ in range(2)], [rng.getrandbits(64) for _ in range(4)]) for _ in range(60)]
    for key, counter in blocks:
        out = [int(word) for word in philox_block(key, counter).random_raw(4)]
        lines.append("block " + " ".join(f"{word:x}" for word in key + counter + out))
    for _ in range(60):
        seed, sequence, draw = rng.choice(edges + [rng.getrandbits(64)]), rng.randrange(1024), rng.randrange(100)
        lines.append(f"uniform {seed} {sequence} {draw} {uniform(seed, sequence, draw).hex()}")
    (ROOT / "tests/base/data/philox.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_stops(pathlib.Path(sys.argv[1]))
    write_sampling()
    write_philox()
    write_scores()
