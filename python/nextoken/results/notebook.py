"""What a notebook shows of a result: the page's tables and figures, without scripts or a stylesheet.

The library's page is read, and its elements are written again with styles of their own (looks.py). Trees,
layers and attention are pictures (SVG in an <img>, which GitHub shows too).
"""

from __future__ import annotations

import base64
from html import escape
from typing import Any, Callable, Dict, List, Sequence

from ..errors import Error
from ..library import lib
from . import looks
from .dom import Element, Node, parse, text_of, write

__all__ = ["Page", "fragment", "several"]

MOST_ROWS = 60       # of a table
MOST_FOLDED = 40     # of one that is folded away
MOST_PIECES = 3000   # of a heat map
MOST_TIPS = 150      # of them with all figures; more have the first ones
MOST_TEXT = 72       # characters of a text so far, its end
MOST_SHORT = 32      # characters of a cell that is not broken into lines
MOST_RESULTS = 12    # of a list, one under the other


def _is(tag: str, name: str = "") -> Callable[[Element], bool]:
    return lambda e: e.tag == tag and (not name or e.has(name))


def _made(tag: str, style: str, *children: Node, **attributes: str) -> Element:
    return Element(tag, dict(attributes, **({"style": style} if style else {})), list(children))


# ---- Texts --------------------------------------------------------------------------------------

_SPANS = {"dim": looks.SOFT, "mark": "opacity:.6;font-weight:400", "mono": looks.MONO + "white-space:pre"}


def _inline(node: Node) -> List[Node]:
    """Words and spans with styles of their own; what screen readers alone hear is left out."""
    if isinstance(node, str):
        return [node]
    if "hidden" in node.attributes or node.has("sr") or node.tag in ("button", "noscript", "script"):
        return []
    inside = [part for child in node.children for part in _inline(child)]
    if node.has("bold") or node.tag == "b":
        return [_made("b", "", *inside)]
    if node.has("v"):
        return [_made("wbr", ""), _versus_piece(node, inside)]
    if node.tag == "small":
        return [_made("br", ""), _made("small", "font-size:12px;" + looks.SOFT, *inside)]
    style = "".join(_SPANS[name] for name in node.classes if name in _SPANS)
    return [_made("span", style, *inside)] if style else inside


def _all_inline(e: Element) -> List[Node]:
    return [part for child in e.children for part in _inline(child)]


def _shortened(nodes: List[Node]) -> List[Node]:
    """The end of a long text: what is new stands there."""
    whole = "".join(map(text_of, nodes))
    return ["…" + whole[-MOST_TEXT:].lstrip()] if len(whole) > MOST_TEXT + 8 else nodes


# ---- Tables -------------------------------------------------------------------------------------


def _bar_cell(cell: Element) -> Element:
    drawn = cell.first(_is("i"))
    if drawn is None:
        return _made("td", looks.BARS, align="left")
    width = drawn.attributes.get("style", "").partition("width:")[2].strip(";")
    percent = float(width.rstrip("%") or 0)
    kind = next(iter(drawn.classes), "raw")
    return _made("td", looks.BARS, _made("div", looks.bar(kind, width)),
                 _made("div", looks.HIDDEN, looks.blocks(percent), align="left"), align="left")


def _shaded_cell(cell: Element) -> Element:
    share = cell.attributes.get("style", "").partition("--share:")[2].rstrip("%;")
    taken = cell.has("taken")
    inside = _all_inline(cell)
    return _made("td", looks.shaded(float(share or 0), taken), *inside, align="left",
                 **({"title": "taken"} if taken else {}))


def _lines(inside: List[Node]) -> List[Node]:
    """What options pushed out of the choices, a line each."""
    made: List[Node] = []
    for node in inside:
        if isinstance(node, Element) and text_of(node).endswith(", "):
            made += [_made(node.tag, node.attributes.get("style", ""), text_of(node)[:-2]), _made("br", "")]
        else:
            made.append(node if isinstance(node, Element) else _made("span", looks.MONO, node))
    return made


def _cell(cell: Element, tag: str, so_far: bool) -> Element:
    if cell.has("bar"):
        return _bar_cell(cell)
    if cell.has("cell"):
        return _shaded_cell(cell)
    inside = _all_inline(cell)
    style = looks.HEAD if tag == "th" else looks.CELL
    if cell.has("text") and so_far:
        inside = _shortened(inside) if cell.has("mono") else _lines(inside)
        style = looks.LONG + ";min-width:26ch"
    elif len(text_of(cell)) > MOST_SHORT:
        style = looks.LONG
    if cell.has("mono"):
        style += ";" + looks.MONO + ("white-space:pre-wrap" if cell.has("text") else "white-space:pre")
    if cell.has("end"):
        style += ";" + looks.END
    made = _made(tag, style, *inside, align="right" if cell.has("end") else "left")
    for name in ("colspan", "scope"):
        if name in cell.attributes:
            made.attributes[name] = cell.attributes[name]
    return made


def _row(row: Element, so_far: bool) -> Element:
    style = looks.DIM_ROW if row.has("dim") else looks.ROW
    return _made("tr", style, *(_cell(cell, cell.tag, so_far) for cell in row.elements()))


def _table(table: Element, so_far: bool, most: int) -> List[Node]:
    shaded = table.first(lambda e: e.has("cell")) is not None
    heads = [row for part in table.elements() if part.tag == "thead" for row in part.elements()]
    rows = [row for part in table.elements() if part.tag == "tbody" for row in part.elements()]
    left = len(rows) - most
    kept = rows if left <= 0 else rows[:most // 2] + rows[len(rows) - most // 2:]
    body = [_row(row, so_far) for row in kept]
    if left > 0:
        said = f"… {len(rows) - len(kept):,} rows …"
        gap = _made("td", looks.CELL + ";" + looks.SOFT, said, colspan="99")
        body.insert(most // 2, _made("tr", looks.ROW, gap))
    made = _made("table", looks.CELLS if shaded else looks.TABLE)
    if heads:
        made.children.append(_made("thead", "", *(_row(row, so_far) for row in heads)))
    made.children.append(_made("tbody", "", *body))
    return [made]


# ---- Figures ------------------------------------------------------------------------------------


def _fallback(level: int) -> List[Node]:
    """The class of a piece where styles are gone."""
    return [_made("sup", looks.HIDDEN, str(level))] if level > 0 else []


def _tip(piece: Element, whole: bool) -> Dict[str, str]:
    said = piece.attributes.get("data-tip", "")
    said = said if whole else said.partition("\n\n")[0]
    return {"title": said.replace("\t", "  ")} if said else {}


def _heat(figure: Element, measure: str) -> List[Node]:
    """The text on coloured grounds, and the classes under it."""
    color = looks.BLUE if measure == "entropy" else looks.AMBER
    unit = figure.attributes.get("data-unit", "token")
    flow = figure.first(lambda e: e.has("flow") and e.has(unit))
    legend = figure.first(lambda e: e.has("legend") and e.has(measure) and e.has(unit))
    if flow is None or legend is None:
        return []
    pieces = [child for child in flow.elements() if child.has("c")]
    shown: List[Node] = []
    for piece in pieces[:MOST_PIECES]:
        level = -1 if piece.has("out") else looks.level_of(piece.classes, measure)
        style = "opacity:.6" if level < 0 else looks.heat(level, color)
        shown.append(_made("span", style, text_of(piece), **_tip(piece, len(pieces) <= MOST_TIPS)))
        shown += _fallback(level)
    if len(pieces) > MOST_PIECES:
        shown.append(_made("span", looks.SOFT, f" … {len(pieces) - MOST_PIECES:,} more"))
    name = legend.first(lambda e: e.has("name"))
    key: List[Node] = [text_of(name) if name else measure, ":  "]
    for entry in legend.all(_is("button")):
        chip, count = entry.first(lambda e: e.has("c")), entry.first(_is("b"))
        if chip is None or count is None:
            continue
        level = looks.level_of(chip.classes, measure)
        style = looks.heat(level, color) + ";padding:1px 6px"
        key += [_made("span", style, text_of(chip)), *_fallback(level), " ",
                _made("span", looks.SOFT, f"×{text_of(count)}"), "   ", _made("span", looks.HIDDEN, "· ")]
    return [_made("div", looks.FLOW, *shown, dir="auto"),
            _made("div", looks.WORDS + ";white-space:pre-wrap", *key)]


def _versus_piece(piece: Element, inside: List[Node]) -> Element:
    kind = next((name for name in piece.classes if name in looks.VERSUS), "")
    style = looks.PIECE + "text-underline-offset:.26em;" + looks.VERSUS.get(kind, "")
    if "data-tip" not in piece.attributes:  # of the key
        style += ";text-decoration:none;padding:1px 5px"
    made = _made("span", style, *inside, **_tip(piece, True))
    if kind in looks.VERSUS_MARKS:
        made.children.append(_made("sup", looks.HIDDEN, looks.VERSUS_MARKS[kind]))
    return made


def _picture(svg: str, as_text: str) -> List[Node]:
    """A picture, and what it shows as text for those who cannot see it."""
    told = parse(svg[:svg.find("</style>")])
    title = told.first(_is("title"))
    image = _made("img", looks.IMAGE, alt=text_of(title).strip() if title else "",
                  src="data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode())
    words = _made("details", "margin:0", _made("summary", looks.SUMMARY, "as text"),
                  _made("pre", looks.TEXT.replace("white-space:pre-wrap", "white-space:pre;overflow-x:auto")
                        .replace("14px", "12.5px") + ";line-height:1.35", as_text))
    return [image, words]


def _figure(result: Any, figure: Element, options: Dict[str, Any]) -> List[Node]:
    heat = figure.first(lambda e: e.has("heat"))
    if heat is not None:
        return _heat(heat, options.get("heat") or "surprisal")
    text = figure.first(lambda e: e.tag == "p" and e.has("versus"))
    if text is not None:
        made = [_made("p", looks.WORDS, *_all_inline(key)) for key in figure.all(lambda e: e.has("key"))
                if key.tag == "p"]
        return [*made, _made("div", looks.FLOW, *_all_inline(text))]
    return []


# ---- The whole ----------------------------------------------------------------------------------

MOST_HEIGHT = 900    # of a tree


def _height(svg: str) -> float:
    """As the picture's first element says."""
    said = parse(svg[svg.find("<svg"):svg.find(">", svg.find("<svg")) + 1]).first(_is("svg"))
    return float(said.attributes.get("height", "0")) if said else 0.0


def _tree(result: Any) -> List[Node]:
    """The tree with as much of it as a notebook has room for."""
    for detail in ("auto", "kept", "outputs"):
        svg = result.svg(detail=detail)
        if _height(svg) <= MOST_HEIGHT:
            break
    return _picture(svg, result.table(tree=detail, lasting=True, width=110))


def _pictured(result: Any, kind: int) -> List[Node]:
    """The picture of a kind whose figure is drawn as one."""
    try:
        if kind == lib.NT_RESULT_GENERATE:
            return _tree(result)
        if kind == lib.NT_RESULT_INSPECT:
            return _picture(result.svg(), result.table(lasting=True, width=110))
    except Error:  # no search with beams, no layers
        pass
    return []


def _prompt_line(root: Element) -> List[Node]:
    heading = root.first(_is("h1"))
    if heading is None:
        return []
    slot = heading.first(lambda e: e.has("slot"))
    words = [child for child in heading.children if child is not slot]
    line: List[Node] = _shortened([part for child in words for part in _inline(child)])
    if slot is not None:
        line.append(_made("span", looks.SLOT, "____"))
    return [_made("div", looks.HEADING, *line)] if text_of(_made("", "", *line)).strip("_ ") else []


def _below(e: Element, folded: bool, so_far: bool) -> List[Node]:
    """What stands below the figure: tables, lines, the footer."""
    if "hidden" in e.attributes:
        return []
    if e.tag == "table":
        made = _table(e, so_far, MOST_FOLDED if folded else MOST_ROWS)
        if not folded:
            return made
        titles = [text_of(title) for title in e.all(_is("th"))]
        n = sum(1 for _ in e.all(_is("tr"))) - 1
        name = f"by {titles[1]}: {n:,} rows" if len(titles) > 1 else f"{n:,} rows"
        return [_made("details", "margin:0", _made("summary", looks.SUMMARY, name), *made)]
    if e.tag == "pre":
        return [_made("pre", looks.TEXT, text_of(e))]
    styles = {"h2": ("div", looks.TITLE), "p": ("p", looks.WORDS), "footer": ("div", looks.FOOT)}
    if e.tag in styles:
        tag, style = styles[e.tag]
        if e.has("mono") or e.has("text"):
            style += ";" + looks.MONO
        inside = _all_inline(e)
        return [_made(tag, style, *inside)] if inside else []
    return [part for child in e.elements() for part in _below(child, folded, so_far)]


def fragment(result: Any, **options: Any) -> str:
    """The result as HTML for a notebook's output."""
    page = result.html(**{name: value for name, value in options.items() if name in ("bits", "heat")})
    head = parse(page[page.find("<h1"):page.find("</h1>") + 5])
    main = parse(page[page.find("<main"):page.find("</main>")])
    kind = lib.nt_result_get_kind(result.handle)
    figure = main.first(_is("figure"))
    pictured = drawn = _pictured(result, kind)
    if not drawn and figure is not None:
        drawn = _figure(result, figure, options)
    body: List[Node] = []
    if not pictured and kind in (lib.NT_RESULT_NEXT, lib.NT_RESULT_INSPECT, lib.NT_RESULT_CONTINUATIONS):
        body += _prompt_line(head)
    body += drawn
    folded = bool(drawn) and kind in (lib.NT_RESULT_SCORE, lib.NT_RESULT_VERSUS)
    for root in () if pictured and kind == lib.NT_RESULT_GENERATE else main.elements():
        for e in root.elements():
            if e is not figure:
                body += _below(e, folded, kind == lib.NT_RESULT_STEPS)
    schemes = f"<style>{looks.SCHEMES}</style>" if pictured else ""
    return schemes + write(_made("div", looks.ROOT, *body, **{"class": "nextoken"}))


class Page:
    """A whole page in a notebook, with its scripts."""

    def __init__(self, result: Any, height: int, options: Dict[str, Any]) -> None:
        self.result, self.height, self.options = result, height, options

    def _repr_html_(self) -> str:
        page = escape(self.result.html(**self.options))
        return (f'<style>{looks.SCHEMES}</style><div class="nextoken"><iframe srcdoc="{page}" '
                f'style="width:100%;height:{int(self.height)}px;border:0" title="nextoken"></iframe></div>'
                f'<div style="{looks.HIDDEN}">{fragment(self.result)}</div>')

    def __str__(self) -> str:
        return str(self.result)

    def __repr__(self) -> str:
        return f"<nextoken page of {self.result!r}>"


# ---- Lists of results ---------------------------------------------------------------------------


def _overview(titles: Sequence[str], rows: Sequence[Sequence[str]], n: int) -> str:
    head = [_made("th", looks.HEAD + (";" + looks.END if i not in (1,) else ""), title)
            for i, title in enumerate(titles)]
    body = [_made("tr", looks.ROW, *(
        _made("td", looks.LONG if i == 1 else looks.CELL + ";" + looks.END, value)
        for i, value in enumerate(row))) for row in rows]
    if n > len(rows):
        body.append(_made("tr", looks.ROW, _made("td", looks.CELL + ";" + looks.SOFT,
                                                 f"… {n - len(rows):,} more", colspan="99")))
    table = _made("table", looks.TABLE, _made("thead", "", _made("tr", looks.ROW, *head)),
                  _made("tbody", "", *body))
    return write(_made("div", looks.ROOT, table, **{"class": "nextoken"}))


def _start(result: Any) -> str:
    whole = b"".join(token.bytes or b"" for token in result._tokens()[:40]).decode("utf-8", "replace")
    return whole if len(whole) <= MOST_TEXT else whole[:MOST_TEXT].rstrip() + " …"


def several(items: Sequence[Any]) -> str:
    """A list of results: scores and generations as rows of one table, others one under the other."""
    from .generation import Generation
    from .scores import Score

    if all(isinstance(item, (Score, Exception)) for item in items) and len(items) > 1:
        rows = []
        for i, item in enumerate(items[:MOST_ROWS]):
            if isinstance(item, Exception):
                rows.append([str(i), str(item), "", "", "", "", ""])
                continue
            t = item.totals
            rows.append([str(i), _start(item), f"{t.counted:,}", f"{t.logprob:,.3f}", f"{t.loss:.4f}",
                         f"{t.perplexity:,.2f}", f"{t.bits_per_byte:.4f}"])
        return _overview(("", "text", "counted", "logprob", "loss", "perplexity", "bits per byte"), rows,
                         len(items))
    if all(isinstance(item, (Generation, Exception)) for item in items) and len(items) > MOST_RESULTS // 2:
        rows = [[str(i), str(item), "", ""] if isinstance(item, Exception) else
                [str(i), _start(item) + item.text, f"{item.logprob:,.3f}", item.finish_reason]
                for i, item in enumerate(items[:MOST_ROWS])]
        return _overview(("", "text", "logprob", "finish reason"), rows, len(items))
    parts = [f'<div style="margin:0 0 14px">{_one(item)}</div>' for item in items[:MOST_RESULTS]]
    if len(items) > MOST_RESULTS:
        parts.append(f'<div style="{looks.FOOT}">… {len(items) - MOST_RESULTS:,} more</div>')
    return "".join(parts) or "<div>no results</div>"


def _one(item: Any) -> str:
    if isinstance(item, Exception):
        return f"<div><b>{escape(type(item).__name__)}</b>: {escape(str(item))}</div>"
    return fragment(item)
