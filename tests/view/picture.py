"""Reads a picture with Python's XML parser and holds it against the JSON of the same trace: that it is
well-formed and carries nothing but drawing, and that rows, texts, bars and shades are those of the
figures. How it looks is for people to judge."""

import math
import re
import xml.etree.ElementTree as tree

NAME = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "g", "rect", "text", "tspan"}
FORBIDDEN = re.compile(r"url\(|@import|href|<script|javascript|<!|<\?", re.I)


def of_class(parent, name):
    return [e for e in parent.iter() if name in e.get("class", "").split()]


def text_of(element):
    return "".join(element.itertext())


def percent(p, blank=" "):
    """As tables write a probability; None where its rounding hangs on the last digit of the JSON."""
    if p is None or not 0 <= p <= 1:
        return None
    if 0 < p < 0.00005:
        return f"<0.01{blank}%"
    if 0.99995 <= p < 1:
        return f">99.99{blank}%"
    near = abs(p * 1e4 - math.floor(p * 1e4) - 0.5) < 1e-4
    return None if near else f"{p * 100:.2f}{blank}%"


def plain(token):
    """What a token of printable ASCII looks like; None for others, which tests of strips look at."""
    return token.replace(" ", "\u00b7") if token and re.fullmatch(r"[ -~]+", token) else None


def shows(found, wanted):
    """The text, or its beginning with the mark of a cut."""
    return found == wanted or (found.endswith("\u2026") and wanted.startswith(found[:-1]))


def check_page(text, more=()):
    """The root of a picture that is one file, drawing alone, with words for those who cannot see. more:
    elements that it may hold besides."""
    assert text.endswith("</svg>\n")
    root = tree.fromstring(text)
    looks = root.find(NAME + "style").text
    assert not FORBIDDEN.search(looks) and not FORBIDDEN.search(re.sub(">[^<]*<", "><", text))
    assert {e.tag for e in root.iter()} <= {NAME + n for n in ELEMENTS.union(more)}
    assert root.get("role") == "img" and [e.tag for e in root][:2] == [NAME + "title", NAME + "desc"]
    assert root[0].text.strip() and "prefers-color-scheme:dark" in looks
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}" and width >= 760
    for e in root.iter(NAME + "rect"):
        x, y, w, h = (float(e.get(n)) for n in ("x", "y", "width", "height"))
        assert 0 <= x and x + w <= width + 0.01 and 0 <= y and y + h <= height + 0.01 and w > 0 < h
    for e in root.iter(NAME + "text"):
        assert 0 <= float(e.get("x")) <= width and 0 <= float(e.get("y")) <= height
    return root


def check_bars(root, view, candidates):
    """Bars are to probabilities as one scale has it, and those of a column, the rest with them, add up to
    the whole; little is not nothing."""
    columns = [[c["prob"] for c in candidates]]
    if "after" in [text_of(t) for t in of_class(root, "title")]:
        columns.append([c["processed_prob"] for c in candidates])
    if any(p is None or not 0 <= p <= 1 for column in columns for p in column):
        return
    kept = view["kept"] - sum(c.get("processed_logit", 0) is not None for c in candidates)
    for column, rest in zip(columns, (True, kept > 0)):
        column.append(max(1 - sum(column), 0) if rest else 0)
    drawn = {}
    for bar in of_class(root, "bar"):
        drawn.setdefault(float(bar.get("x")), []).append(float(bar.get("width")))
    wanted = [[p for p in column if p > 1e-9] for column in columns]
    widths = [drawn[x] for x in sorted(drawn)]
    if any(0 < p <= 1e-9 for column in columns for p in column):
        return  # what a rest of nothing is hangs on the last digit of the JSON
    assert [len(w) for w in widths] == [len(w) for w in wanted if w], (widths, wanted)
    whole = max(map(max, widths)) / max(map(max, [w for w in wanted if w]))  # of a bar of 100 %
    for column, found in zip([w for w in wanted if w], widths):
        for p, width in zip(column, found):
            assert abs(width - max(1, p * whole)) < 0.02, (p, whole, width)
        small = sum(p * whole < 1 for p in column)
        if abs(sum(column) - 1) < 1e-9:
            assert -0.1 < sum(found) - whole < 0.1 + small, (sum(found), whole)
    return True


def check_next(root, view):
    rows = of_class(root, "row")
    candidates = view["next"] + view.get("demoted", [])
    assert len(rows) == len(candidates) + 1, (len(rows), len(candidates))
    for row, candidate in zip(rows, candidates):
        texts = [text_of(t) for t in row.iter(NAME + "text")]
        token, removed = plain(candidate["token"]), candidate.get("removed_by")
        assert texts[0] == f"{candidate['rank']:,}" and texts[2] == str(candidate["id"]), texts
        assert token is None or shows(texts[1], token), (texts, token)
        assert percent(candidate["prob"]) in (texts[3], None), (texts, candidate["prob"])
        assert not removed or any(shows(t, f"removed by {removed}") or
                                  t.startswith(f"removed by {removed},") for t in texts[4:]), texts
        assert ("dim" in row.get("class").split()) == bool(removed)
    more = [text_of(t) for t in rows[-1].iter(NAME + "text")]
    assert more[0] == f"{50257 - len(candidates):,} more", more
    return check_bars(root, view, candidates)


def check_steps(root, view):
    rows = of_class(root, "row")
    steps = view["steps"]
    assert len(rows) == len(steps), (len(rows), len(steps))
    elsewhere = "chosen" in [text_of(t) for t in of_class(root, "title")]  # has a column of its own
    assert elsewhere or not steps or None in (view["method"], view["seed"])
    processed = any("processed_prob" in c for s in steps for c in s["choices"])
    for row, step in zip(rows, steps):
        cells = of_class(row, "cell")
        tokens = [text_of(t) for t in of_class(row, "mono")][-len(cells):] if cells else []
        figures = [text_of(t) for t in of_class(row, "figure")]
        choices = step["choices"]
        assert len(cells) - len(choices) in ((0, 1) if elsewhere else (0,)), (len(cells), choices)
        assert len(figures) == len(cells)
        taken = [c["id"] for c in choices].count(step["chosen"]) + (len(cells) > len(choices))
        assert len(of_class(row, "taken")) == taken
        for cell, token, figure, choice in zip(cells, tokens, figures, choices):
            wanted = plain(choice["token"])
            assert wanted is None or shows(token, wanted), (token, wanted)
            assert percent(choice["prob"], "") in (figure.split(" \u2192 ")[0], None), (figure, choice)
            p = choice.get("processed_prob") if processed else choice["prob"]
            if p is not None and 0 <= p <= 1:
                assert abs(float(cell.get("fill-opacity")) - 0.55 * math.sqrt(p)) < 0.006, (cell, p)


def check_picture(text, view):
    """Returns whether bars were held against their figures: those of random traces are no shares."""
    root = check_page(text)
    if "next" in view:
        return check_next(root, view)
    check_steps(root, view)
    return False
