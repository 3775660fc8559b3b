#!/usr/bin/env python3
"""Expected figures for tests/decode, tests/score and tests/base, from transformers, torch and NumPy.

    python3 tools/oracle/decode.py GPT2_FOLDER

GPT2_FOLDER holds GPT-2's vocab.json and merges.txt. Writes
  tests/decode/stop_oracle.txt   transformers' StopStringCriteria on random token sequences
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
from transformers.generation import StopStringCriteria

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


def philox_block(key, counter):
    """NumPy counts up before its first block."""
    words = sum(word << 64 * i for i, word in enumerate(counter))
    return np.random.Philox(key=sum(word << 64 * i for i, word in enumerate(key)), counter=(words - 1) % 2**256)


def uniform(seed, sequence, draw):
    return np.random.Generator(philox_block([seed, 0], [draw, sequence, 0, 0])).random()


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
    write_philox()
    write_scores()
