#!/usr/bin/env python3
"""Reads views with Python's own parsers and Unicode tables, which share no code with nextoken.

JSON, CSV and picture of one trace must hold the same figures; tables must keep to their width and hold
nothing that could drive a terminal. usage: check.py VIEW_EMIT
"""

import csv
import io
import json
import math
import subprocess
import sys
import unicodedata

from picture import check_picture
from tree import check_tree, check_tree_page

KINDS = 12
TOKENS, TEXT, NEXT, STEPS, GENERATE, SCORE, INSPECT, INFO, CONTINUATIONS, PERPLEXITY, \
    COMPARED, COUNTS = range(KINDS)
SAMPLES = 25
UNSAID = object()  # CSV tells it and JSON does not
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
    return (int(cell) if isinstance(value, int) else float(cell)) == value


def score_rows(view):
    """Rows of the finest unit that the view has."""
    if "chars" in view:
        names = ["char", "start", "end", "surprisal"]
        return [[i, *(c[n] for n in names)] for i, c in enumerate(view["chars"])]
    if "words" in view:
        names = ["word", "start", "end", "first", "n_tokens", "surprisal", "surprisal_corrected",
                 "counted"]
        return [[i, *(w[n] for n in names)] for i, w in enumerate(view["words"])]
    if "ids" in view:
        columns = [view[n] for n in ("ids", "tokens", "logprobs", "ranks", "entropies")]
        return [[i, *row, UNSAID] for i, row in enumerate(zip(*columns, strict=True))]
    return [[UNSAID, *(view[n] for n in ("counted", "logprob", "loss", "perplexity",
                                       "bits_per_byte"))]]


def processed(candidate):
    """The columns at the end of a candidate's row."""
    return [candidate.get(n, UNSAID) for n in ("processed_logit", "removed_by")]


def rows_from_json(kind, view):
    """The CSV table that the JSON view implies."""
    if kind == TOKENS:
        return [[i, n, t, *o] for i, (n, t, o) in
                enumerate(zip(view["ids"], view["tokens"], view["offsets"], strict=True))]
    if kind == TEXT:
        return [[view["text"]]]
    if kind == NEXT:
        names = ["rank", "id", "token", "logit", "logprob", "prob", "processed_prob"]
        return [[*(c[n] for n in names), *processed(c)] for c in view["next"]]
    if kind == STEPS:
        return [[s["sequence"], s["step"], s["input"], UNSAID, c["id"], c["token"], c["prob"],
                 c["logprob"], c.get("processed_prob", UNSAID), c["id"] == s["chosen"], *processed(c)]
                for s in view["steps"] for c in s["choices"]]
    if kind == GENERATE:
        return [[i, " ".join(map(str, s["ids"])), s["text"], s["logprob"], s["finish_reason"],
                 s["score"]]
                for i, s in enumerate(view["sequences"])]
    if kind == SCORE:
        return score_rows(view)
    if kind == CONTINUATIONS:
        names = ["logprob", "logprob_per_byte", "share", "place", "greedy"]
        return [[i, c["text"], " ".join(map(str, c["ids"])), len(c["ids"]), *(c[n] for n in names)]
                for i, c in enumerate(view["continuations"])]
    if kind == PERPLEXITY:
        return [[v for k, v in view.items() if k not in HEAD]]
    if kind == COMPARED:
        return [[t["model"], i, s["differs"], *(t[n][at] for n in ("ids", "tokens")), *t["offsets"][at]]
                for v, t in enumerate(view["tokenizers"]) for i, s in enumerate(view["stretches"])
                for at in range(s["first"][v], s["first"][v] + s["n_tokens"][v])]
    if kind == COUNTS:
        return [[f["file"], name, f["bytes"], f["characters"], n]
                for f in view["files"] for name, n in zip(view["tokenizers"], f["tokens"], strict=True)]
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
            if value is not UNSAID:
                assert same(cell, value), (kind, column, cell, value)
    return parsed


def check_tsv(text, rows):
    """The CSV once more, with tabs, behind the prefix."""
    parsed = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    assert parsed[0][:2] == ["doc", "line"] and parsed[0][2:] == rows[0], (parsed[0], rows[0])
    assert all(row[:2] == ["a\tb", "17"] for row in parsed[1:])
    assert [row[2:] for row in parsed[1:]] == rows[1:]


LOGARITHMIC = {"logprobs", "entropies", "surprisal", "surprisal_corrected", "logprob",
               "logprob_per_byte", "loss", "loss_stderr", "loss_as_transformers"}


def check_bits(nats, bits, scale):
    """The same object in base 2: what is logarithmic grew by 1 / ln 2, the rest is the same."""
    if isinstance(nats, dict):
        assert list(nats) == list(bits)
        for key in nats:
            if key != "unit":
                check_bits(nats[key], bits[key], 1 / math.log(2) if key in LOGARITHMIC else scale)
    elif isinstance(nats, list):
        for a, b in zip(nats, bits, strict=True):
            check_bits(a, b, scale)
    elif isinstance(nats, float) or scale != 1 and nats is not None:
        assert bits is None and abs(nats) * scale > 1e308 or math.isclose(
            nats * scale, bits, rel_tol=2e-8), (nats, bits)
    else:
        assert nats == bits


def check_one(text, raw):
    """Bytes beside a string appear exactly where the string is not enough."""
    if raw is None:
        assert text is None or "\ufffd" not in text
    else:
        assert bytes(raw).decode("utf-8", "replace") == text
        assert "\ufffd" in text


def candidates_of(view):
    """Every candidate that a view tells of."""
    steps = view.get("steps", []) + view.get("rows", [])
    lists = [view.get("next", []), view.get("demoted", [])]
    lists += [s.get(n, []) for s in steps for n in ("choices", "candidates", "demoted")]
    return [c for some in lists for c in some]


def check_changes(candidate):
    """Who removed a candidate is told where its logit is gone, and by one that took it."""
    assert ("removed_by" in candidate) == ("processed_prob" in candidate) or "rank" in candidate
    changes = candidate.get("changes", [])
    assert "changes" not in candidate or changes
    assert all(list(c) == ["option", "before", "after"] for c in changes)
    removed_by = candidate.get("removed_by")
    if removed_by:
        assert removed_by in [c["option"] for c in changes if c["after"] is None]
        assert candidate.get("processed_logit") is None


def check_bytes(view):
    for entry in candidates_of(view):
        check_one(entry["token"], entry.get("bytes"))
        check_changes(entry)
    for name, entries in (("word", view.get("words", [])), ("char", view.get("chars", [])),
                          ("text", view.get("continuations", []))):
        for entry in entries:
            check_one(entry[name], entry.get("bytes"))
    for group in [view] + view.get("continuations", []):
        tokens = group.get("tokens", [])
        given = group.get("token_bytes", {})
        if isinstance(tokens, list):
            assert all(int(i) < len(tokens) for i in given)
            for i, token in enumerate(tokens):
                check_one(token, given.get(str(i)))


FATES = {"running", "output", "pruned", "late", "beaten", "unproved", None}


def check_trace(kind, view, whole):
    """The whole of a generation is what there was, and its trace."""
    trace = whole.pop("trace", None)
    assert whole == view and (trace is not None) == (kind == GENERATE)
    if trace is None:
        return
    assert list(trace) == ["steps", "rows", "beams"]
    check_bytes(trace)
    for step in trace["steps"]:
        assert step["chosen"] in [c["id"] for c in step["candidates"]]
    for number, beam in enumerate(trace["beams"]):
        check_one(beam["token"], beam.get("bytes"))
        assert beam["parent"] is None or 0 <= beam["parent"] < number
        assert beam["fate"] in FATES
    assert len({tuple(k for k in b if k not in ("bytes", "changes")) for b in trace["beams"]}) < 2
    if view["method"] in ("beam_search", "beam_sample"):
        assert all(len(s["beam_indices"]) <= len(trace["beams"]) for s in view["sequences"])
    else:
        assert all("beam_indices" not in s for s in view["sequences"])


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
            joins = kind in (TEXT, GENERATE, INFO, PERPLEXITY) and c in "\u200c\u200d"
            assert joins or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn"), (
                kind, width, ascii(line))
        assert kind in (TEXT, GENERATE) or not line.endswith(" "), ascii(line)


def main():
    out = subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout
    parts = iter(out.decode("utf-8").split("\0")[:-1])
    n = pictures = bars = trees = 0
    for kind in parts:
        kind = int(kind)
        line = next(parts)
        assert line.count("\n") == 1 and line.endswith("\n")
        view = strict(line)
        assert list(view)[: len(HEAD)] == HEAD and view["schema"] == "nextoken/1"
        check_bytes(view)
        bits = strict(next(parts))
        scored = kind in (SCORE, CONTINUATIONS, PERPLEXITY)
        assert (view.get("unit"), bits.get("unit")) == (("nats", "bits") if scored else
                                                        (None, None))
        if scored:
            check_bits(view, bits, 1)
        else:
            assert view == bits
        whole = strict(next(parts))
        beams = whole.get("trace", {}).get("beams", [])
        check_trace(kind, view, whole)
        rows = check_csv(kind, next(parts), view)
        check_tsv(next(parts), rows)
        for _ in range(WIDTHS):
            check_table(kind, int(next(parts)), next(parts))
        if kind in (NEXT, STEPS):
            bars += bool(check_picture(next(parts), view))
            pictures += 1
        elif beams:
            check_tree(next(parts), beams, False)
            check_tree(next(parts), beams, True)
            check_tree_page(next(parts), beams)
            trees += 1
        n += 1
    assert pictures > 80 and bars > 5 and trees > 20, (pictures, bars, trees)
    assert n == SAMPLES + KINDS * 40, n
    print(f"{n} traces: JSON, CSV, TSV and {WIDTHS} tables each; {pictures} pictures, {trees} trees")


if __name__ == "__main__":
    main()
