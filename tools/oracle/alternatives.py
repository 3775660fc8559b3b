#!/usr/bin/env python3
"""Expected alternatives of `nextoken score -k`: torch.topk of transformers' logits at every place of a text.

    python tools/oracle/alternatives.py MKMODEL

Writes tests/cli/alternatives_oracle.json. The checkpoint is "words" of tests/cli/models.json: seeded weights,
GPT-2's vocabulary. The last text is longer than the window it is scored in: its rows come from the windows of
transformers' documentation ("Perplexity of fixed-length models"). Places whose neighbours lie closer than
float32 arithmetic can tell are left out (null)."""

import json
import pathlib
import sys
import tempfile

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

K = 4
TEXTS = ["The keys to the cabinet are on the table.", "caf\u00e9 \U0001f407\u65e5\u672c \u00fcber", "def f(x):\n\treturn x\n"]
LONG, WINDOW, STRIDE = "It was the best of times, it was the worst of times. " * 3, 16, 7


def rows_of(model, ids, window, stride):
    """The row in front of each token but the first; as windows give it."""
    rows, done = [None] * ids.size(1), 1
    for begin in range(0, ids.size(1), stride):
        end = min(begin + window, ids.size(1))
        with torch.no_grad():
            logits = model(ids[:, begin:end]).logits[0].double()
        for i in range(max(done, begin + 1), end):
            rows[i] = logits[i - 1 - begin]
        done = end
        if end == ids.size(1):
            return rows
    return rows


def place(row):
    if row is None:
        return None
    best = torch.topk(row, K + 1)
    tie = 4e-6 * float(row.max() - row.min())
    if bool((best.values[:-1] - best.values[1:] < tie).any()):
        return None
    logp = torch.log_softmax(row, -1)
    return [[int(i), float(f"{float(logp[i]):.9g}")] for i in best.indices[:K]]


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "words"
        harness.make_model(pathlib.Path(sys.argv[1]), path, harness.MODELS["words"])
        tokenizer = transformers.GPT2TokenizerFast.from_pretrained(path)
        model = transformers.GPT2LMHeadModel.from_pretrained(path, dtype=torch.float32).eval()
        cases = []
        for text in [*TEXTS, LONG]:
            ids = tokenizer(text, return_tensors="pt")["input_ids"]
            window, stride = (WINDOW, STRIDE) if text is LONG else (10**6, 10**6)
            cases.append({"text": text, "ids": ids[0].tolist(), "window": window if text is LONG else 0,
                          "stride": stride if text is LONG else 0,
                          "places": [place(row) for row in rows_of(model, ids, window, stride)]})
    oracle = {"oracle": f"transformers {transformers.__version__}, torch {torch.__version__}", "k": K, "cases": cases}
    target = ROOT / "tests" / "cli" / "alternatives_oracle.json"
    target.write_text(json.dumps(oracle, separators=(",", ":")).replace("{\"text\"", "\n{\"text\"") + "\n", encoding="utf-8")
    known = sum(p is not None for c in cases for p in c["places"])
    print(f"{target}: {known} places of {sum(len(c['ids']) for c in cases)} tokens, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
