"""Reads the picture and the page of a search's tree with Python's own parsers: boxes do not meet, every edge
leads from the box that it should to the next, the page is well-formed and nothing in a token left its place."""

import html.parser
import json
import re

from picture import NAME, check_page, of_class, text_of

BRANCHES = {"first", "other", "ended", "kept", "pruned", "removed"}
VOID = {"meta", "link", "input", "br", "rect", "path", "circle"}


class Box:
    def __init__(self, group):
        self.x, self.y = map(float, re.fullmatch(r"translate\(([-\d.]+) ([-\d.]+)\)",
                                                 group.get("transform")).groups())
        rect = of_class(group, "box")[0]
        self.width, self.height = float(rect.get("width")), float(rect.get("height"))
        self.branch = group.get("class").split()[1]
        self.tokens = text_of(of_class(group, "tok")[0])

    def begin(self):
        return (round(self.x, 1), round(self.y + self.height / 2, 1))

    def end(self):
        return (round(self.x + self.width, 1), round(self.y + self.height / 2, 1))


def near(places, point):
    return any(abs(x - point[0]) < 0.11 and abs(y - point[1]) < 0.11 for x, y in places)


def check_boxes(boxes, edges, root):
    assert len(boxes) == len(edges) and len({b.begin() for b in boxes}) == len(boxes)
    for i, a in enumerate(boxes):
        assert a.branch in BRANCHES and a.width > 0
        for b in boxes[i + 1:]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or \
                b.y + b.height <= a.y
            assert apart, (vars(a), vars(b))
    starts, ends = [b.begin() for b in boxes], [b.end() for b in boxes] + [root]
    reached = []
    for edge in edges:
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", edge.get("d"))]
        assert near(ends, numbers[:2]) and near(starts, numbers[-2:]), edge.get("d")
        assert 1 <= float(edge.get("stroke-width")) <= 7
        reached.append(tuple(numbers[-2:]))
    assert len(set(reached)) == len(boxes)  # one edge each


def check_tree(text, beams, whole):
    root = check_page(text, ("path", "circle"))
    boxes = [Box(g) for g in of_class(root, "node") if g.get("transform")]
    (circle,) = root.iter(NAME + "circle")
    check_boxes(boxes, of_class(root, "edge"), (float(circle.get("cx")), float(circle.get("cy"))))
    if whole:
        assert len(boxes) >= len(beams)
    told = root[1].text
    assert all(b.tokens in told or "\u2026" in b.tokens for b in boxes)


class Page(html.parser.HTMLParser):
    """Elements in order, and the text of scripts and of the heading."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.ids, self.scripts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.append((tag, attrs))
        assert not any(name.startswith("on") or name in ("src", "href") for name in attrs), (tag, attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data


def check_tree_page(text, beams):
    assert text.startswith("<!doctype html>\n") and text.endswith("</html>\n")
    page = Page(text)
    assert not page.open and len(page.ids) == len(set(page.ids))
    assert len(page.scripts) == 2 and json.loads(page.scripts[0])["trace"]["beams"] == beams
    items = [a for _, a in page.seen if a.get("role") == "treeitem"]
    drawn = [a for a in items if "transform" in a]
    parts = [a for a in items if "data-parent" in a]
    assert len(drawn) + len(parts) == len(items) and len(parts) >= len(beams)
    assert all(a["aria-label"] and a["data-tip"] and int(a["aria-level"]) > 0 for a in items)
    assert sum(a["tabindex"] == "0" for a in drawn) == 1
    for i, a in enumerate(parts):
        assert -1 <= int(a["data-parent"]) < i
        assert 1 <= int(a["data-detail"]) <= 4
        above = parts[int(a["data-parent"])] if int(a["data-parent"]) >= 0 else None
        assert int(a["data-step"]) == (int(above["data-step"]) + 1 if above else 0)
