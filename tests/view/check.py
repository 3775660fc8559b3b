#!/usr/bin/env python3
"""Reads views with Python's own parsers and Unicode tables, which share no code with nextoken.

JSON and CSV of one trace must hold the same figures; tables must keep to their width and hold
nothing that could drive a terminal. usage: check.py VIEW_EMIT
"""

import csv
import io
import json
import subprocess
import sys
import unicodedata

TOKENS, TEXT, NEXT, STEPS, GENERATE, SCORE, INSPECT, INFO = range(8)
HEAD = ["schema", "model", "precision", "isa", "bos"]
WIDTHS = 6


def strict(text):
    """JSON as the standard has it: no NaN, no member twice."""

    def no_constant(name):
        raise ValueError(name)

    def no_twice(pairs):
        assert len({k for k, _ in pairs}) == len(pairs), "a member stands twice"
        return dict(pairs)

    return json.loads(text, parse_constant=no_constant, object_pairs_hook=no_twice)


def field(value):
    """What a JSON value looks like in CSV; NUL is the one character that CSV cannot hold."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def same(cell, value):
    value = field(value)
    if isinstance(value, str):
        # null in JSON: NaN is empty in CSV, an infinity is spelled out
        return cell == value or (value == "" and cell in ("inf", "-inf"))
    return float(cell) == value


def rows_from_json(kind, view):
    """The CSV table that the JSON view implies."""
    if kind == TOKENS:
        return [[i, n, t, *o] for i, (n, t, o) in
                enumerate(zip(view["ids"], view["tokens"], view["offsets"], strict=True))]
    if kind == TEXT:
        return [[view["text"]]]
    if kind == NEXT:
        names = ["rank", "id", "token", "logit", "logprob", "prob", "processed_prob"]
        return [[c[n] for n in names] for c in view["next"]]
    if kind == STEPS:
        return [[s["step"], s["input"], None, c["id"], c["token"], c["prob"], c["logprob"],
                 c["id"] == s["chosen"]] for s in view["steps"] for c in s["choices"]]
    if kind == GENERATE:
        return [[i, " ".join(map(str, s["ids"])), s["text"], s["logprob"], s["finish_reason"]]
                for i, s in enumerate(view["sequences"])]
    if kind == SCORE:
        columns = [view[n] for n in ("ids", "tokens", "logprobs", "ranks", "entropies")]
        return [[i, *row, None] for i, row in enumerate(zip(*columns, strict=True))]
    if kind == INSPECT:
        return [[i, n] for i, n in enumerate(view["hidden_norms"])]
    return [[k, v] for k, v in view.items() if k not in HEAD]


def check_csv(kind, text, view):
    parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    expected = rows_from_json(kind, view)
    assert len(parsed) == len(expected) + 1, (len(parsed), len(expected))
    for row, values in zip(parsed[1:], expected, strict=True):
        assert len(row) == len(parsed[0]) == len(values), (row, values)
        for column, cell, value in zip(parsed[0], row, values):
            if column not in ("choice_rank", "counted"):
                assert same(cell, value), (kind, column, cell, value)


def check_bytes(view):
    """Bytes beside a token appear exactly where its string is not enough."""
    entries = view.get("next", []) + [c for s in view.get("steps", []) for c in s["choices"]]
    for entry in entries:
        if "bytes" in entry:
            raw = bytes(entry["bytes"])
            assert raw.decode("utf-8", "replace") == entry["token"]
            assert "\ufffd" in entry["token"]
        else:
            assert entry["token"] is None or "\ufffd" not in entry["token"]
    tokens = view.get("tokens", [])
    given = view.get("token_bytes", {})
    lossy = {str(i) for i, t in enumerate(tokens) if t is not None and "\ufffd" in t}
    assert set(given) == lossy
    for i, raw in given.items():
        assert bytes(raw).decode("utf-8", "replace") == tokens[int(i)]


def columns(line):
    width = 0
    for c in line:
        if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me"):
            continue
        if c in "\u200c\u200d\ufe0f":  # joiners stay with their character in running text
            continue
        width += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return width


def check_table(kind, width, text):
    assert text.endswith("\n")
    for line in text.split("\n"):
        assert columns(line) <= width, (kind, width, columns(line), line)
        for c in line:
            joins = kind in (TEXT, GENERATE, INFO) and c in "\u200c\u200d"
            assert joins or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn"), (
                kind, width, ascii(line))
        assert kind in (TEXT, GENERATE) or not line.endswith(" "), ascii(line)


def main():
    out = subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout
    parts = iter(out.decode("utf-8").split("\0")[:-1])
    n = 0
    for kind in parts:
        kind = int(kind)
        line = next(parts)
        assert line.count("\n") == 1 and line.endswith("\n")
        view = strict(line)
        assert list(view)[: len(HEAD)] == HEAD and view["schema"] == "nextoken/1"
        check_bytes(view)
        check_csv(kind, next(parts), view)
        for _ in range(WIDTHS):
            check_table(kind, int(next(parts)), next(parts))
        n += 1
    assert n == 8 + 8 * 40, n
    print(f"{n} traces: JSON, CSV and {WIDTHS} tables each")


if __name__ == "__main__":
    main()
