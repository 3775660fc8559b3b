"""--html: pages are whole, hold the result as JSON, stay text whatever a text says, and reach for nothing. What the strip
computes when options are moved is what the program computes; where the script puts the boxes of a tree is where the program
puts them."""

import base64
import html
import html.parser
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import unittest

import harness
from test_pictures import HOSTILE

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
PARTS = harness.ROOT / "src" / "view" / "page"
EMPTY = {"meta", "br", "input", "link", "img", "hr"}
SHAPES = {"rect", "path", "line", "circle", "use", "polyline"}  # of SVG, which may close themselves


class Page(html.parser.HTMLParser):
    """A page's elements, texts and scripts; fails where they do not nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts, self.scripts, self.prose = [], [], {}, [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY | SHAPES, tag
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        where = self.open[-1] if self.open else ""
        if where == "script":
            self.scripts.append(data)
        elif where != "style":
            self.texts[where] = self.texts.get(where, "") + data
            self.prose.append(data)


def run(*args, model="letters", text=b"Alice is a", status=0):
    """text None: the arguments say all."""
    done = BENCH.run(*args[:1], "-q", "-m", str(BENCH.model(model)), *args[1:], *([] if text is None else ["-"]),
                     stdin=text or b"")
    assert done.returncode == status, done.stderr
    return done.stdout.decode()


class Pages(unittest.TestCase):
    maxDiff = None

    def page(self, *args, **more):
        text = run(*args, "--html", "-", **more)
        self.assertTrue(text.startswith("<!doctype html>") and text.endswith("</html>\n"))
        page = Page(text)
        ids = [a["id"] for _, a in page.elements if "id" in a]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertFalse(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.sub(
            r"xmlns=\"http://www\.w3\.org/[^\"]*\"", "", "".join(
                f"{k}={v} " for _, a in page.elements for k, v in a.items() if k in ("src", "href", "action")))))
        self.assertFalse([t for t, _ in page.elements if t in ("link", "img", "iframe", "object", "base")])
        self.assertFalse([(t, k) for t, a in page.elements for k in a if k.startswith("on")])
        policy = [a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
        self.assertEqual(len(policy), 1)
        self.assertIn("default-src 'none'", policy[0])
        return page

    def test_a_page_holds_the_result(self):
        for args in (["next"], ["next", "--temperature", "0.7", "--top-k", "5"], ["steps", "--max-new-tokens", "3"],
                     ["generate", "--max-new-tokens", "3", "--num-beams", "2"], ["score"], ["tokenize"], ["inspect"],
                     ["score", "--by", "token,word"], ["perplexity", "/dev/stdin"][:1]):
            page = self.page(*args)
            wanted = json.loads(run(*args, "--json", *(["--trace"] if args[0] == "generate" else [])))
            found = json.loads(page.scripts[0])
            if args[0] != "score":
                self.assertEqual(found, wanted, args)
            self.assertEqual({k: found[k] for k in wanted}, wanted, args)

    def test_whatever_a_text_says_stays_text(self):
        for text in HOSTILE:
            for args in (["next"], ["steps", "--max-new-tokens", "2"], ["generate", "--max-new-tokens", "2"], ["score"],
                         ["generate", "--max-new-tokens", "2", "--num-beams", "2"], ["tokenize"]):
                page = self.page(*args, text=text)
                wanted = text.decode().replace("\ufeff", "\ufeff")
                wanted = "".join("\ufffd" if ord(c) < 32 and c not in "\t\n\r" or c in "\ufffe\uffff" else c for c in wanted)
                self.assertEqual(page.texts["h1"].replace("\r\n", "\n"), wanted.replace("\r\n", "\n"), args)
                self.assertNotIn("alert(1)", "".join(page.scripts[1:]))

    def test_a_heading_is_cut_and_the_whole_text_below_it(self):
        text = " ".join(f"word{i}" for i in range(26))
        for args, last, below in ((["next"], True, True), (["steps", "--max-new-tokens", "2"], True, True),
                                  (["generate", "--max-new-tokens", "2", "--num-beams", "2"], True, True),
                                  (["inspect"], False, True), (["tokenize"], False, True), (["score"], False, False),
                                  (["diff", "--temperature", "0.5"], False, False)):
            page = self.page(*args, text=text.encode())
            heading = page.texts["h1"]
            self.assertTrue(40 < len(heading) <= 98, args)
            self.assertEqual(heading, "… " + text[len(text) - len(heading) + 2:] if last else text[:len(heading) - 2] + " …")
            self.assertRegex(heading, r"^… word\d+ .* word25$" if last else r"^word0 .* word\d+ …$")
            self.assertEqual("\n" + text in page.texts.get("pre", ""), below, args)
        for n, whole in ((96, True), (97, False)):
            for args, heading in ((["next"], "… " + 96 * "é"), (["tokenize"], 96 * "é" + " …")):
                self.assertEqual(self.page(*args, text=n * "é".encode()).texts["h1"], 96 * "é" if whole else heading)

    def test_the_same_result_gives_the_same_bytes(self):
        for args in (["next"], ["score"], ["steps", "--max-new-tokens", "2"]):
            self.assertEqual(run(*args, "--html", "-"), run(*args, "--html", "-"))

    def test_without_a_text_the_heading_tells_of_what(self):
        self.assertEqual(self.page("next", "--ids", "1,2,3", model="small", text=None).texts["h1"], "#1 #2 #3")
        self.assertEqual(self.page("info", model="small", text=None).texts["h1"], "small")
        self.assertEqual(self.page("explain", "top_p", model="small", text=None).texts["h1"], "top_p")

    def test_the_script_names_tokens_as_the_table_does(self):
        rows = re.findall("<tr>(.*?)</tr>", run("next", "-k", "50257", "--html", "-", model="words"))
        cells = [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in row.split("</td>")] for row in rows]
        shown = {int(row[2]): row[1] for row in cells if row[2:] and row[2].isdigit()}
        tokens = [t for t in json.loads(run("next", "-k", "50257", "--json", model="words"))["next"] if "\ufffd" not in t["token"]]
        self.assertGreater(len(tokens), 49000)
        for token, name in zip(tokens, node("page.js", NAME_DRIVER, tokens)):
            self.assertEqual(name, shown[token["id"]], token)
        self.assertEqual(node("page.js", NAME_DRIVER, [{"id": 7, "token": None}]), ["#7"])

    def test_scripts_are_scripts(self):
        for path in sorted(PARTS.glob("*.js")):
            done = subprocess.run([shutil.which("node"), "--check", str(path)], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


DRIVER = """
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const floats = (text) => { const b = Buffer.from(text, 'base64'); return new Float32Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.length)); };
console.log(JSON.stringify(cases.map(({ logits, options }) => {
  const x = floats(logits), stages = warp.run(x, options);
  const end = warp.softmax(stages.length ? stages[stages.length - 1].logits : x);
  return { p: Array.from(end.p), kept: end.kept, options: stages.map((s) => s.option) };
})));
"""


# A document that takes whatever is done to it.
ANY_DOCUMENT = """
const any = new Proxy(function () {}, { get: (t, k) => (k === Symbol.toPrimitive ? () => '' : any), apply: () => any, set: () => true });
var document = any, matchMedia = any, addEventListener = any;
"""
NAME_DRIVER = "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).map((t) => nt.name(t))));"


def node(part, driver, cases):
    """What node answers to cases that a driver reads behind a script of the page."""
    program = ANY_DOCUMENT + (PARTS / part).read_text(encoding="utf-8") + driver
    done = subprocess.run([shutil.which("node"), "-e", program], input=json.dumps(cases), capture_output=True, text=True,
                          check=True, timeout=120)
    return json.loads(done.stdout)


class Strip(unittest.TestCase):
    def test_it_computes_what_the_program_computes(self):
        draw = random.Random(4)
        ranges = {"temperature": lambda: draw.choice([0.05, 0.3, 0.7, 1.5, 4]), "top_k": lambda: draw.randint(1, 200),
                  "top_p": lambda: draw.choice([0, 0.1, 0.5, 0.9, 0.99]), "min_p": lambda: draw.choice([0.01, 0.3, 0.9, 1]),
                  "typical_p": lambda: draw.choice([0.1, 0.5, 0.9]), "top_h": lambda: draw.choice([0.2, 0.5, 0.9]),
                  "epsilon_cutoff": lambda: draw.choice([0.001, 0.01, 0.3]),
                  "eta_cutoff": lambda: draw.choice([0.001, 0.01, 0.3])}
        cases, wanted = [], []
        for i in range(60):
            options = {name: ranges[name]() for name in draw.sample(list(ranges), 1 if i < 16 else draw.randint(2, 4))}
            if i < 16:
                name = list(ranges)[i % 8]
                options = {name: ranges[name]()}
            options.setdefault("top_k", 0)
            args = [a for n, v in options.items() for a in (f"--{n.replace('_', '-')}", str(v))]
            text = bytes(draw.choice(b"abc XYZ.") for _ in range(draw.randint(1, 9)))
            extra = ["--repetition-penalty", "1.5"] if i % 3 == 0 else []
            page = Page(run("next", "--do-sample", *args, *extra, "--html", "-", text=text))
            place = next(a for _, a in page.elements if a.get("id") == "strip")
            given = json.loads(place["data-options"])
            self.assertEqual(given, {n: v for n, v in options.items() if n in given})
            cases.append({"logits": place.get("data-processed", place["data-logits"]), "options": given})
            self.assertEqual("data-processed" in place, bool(extra))
            done = json.loads(run("next", "--do-sample", *args, *extra, "-k", "260", "--json", text=text))
            raw = struct.unpack("<260f", base64.b64decode(place["data-logits"]))
            p = [0.0] * 260
            for c in done["next"] + done.get("demoted", []):
                p[c["id"]] = c["processed_prob"]
                self.assertEqual(struct.unpack("<f", struct.pack("<f", c["logit"]))[0], raw[c["id"]])
            wanted.append((p, done["kept"], list(given)))
        for case, found, (p, kept, acted) in zip(cases, node("warp.js", DRIVER, cases), wanted):
            self.assertEqual(found["options"], [o for o in found["options"] if o in acted], case["options"])
            self.assertEqual(found["kept"], kept, case["options"])
            for mine, its in zip(found["p"], p):
                self.assertAlmostEqual(mine, its, delta=2e-9, msg=case["options"])


TREE_DRIVER = """
const trees = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(trees.map(({ nodes, detail, glance, folding }) => {
  const made = lanes.make(nodes, (n) => (glance ? n.drawn : n.detail <= detail), folding, new Set());
  return { size: [made.width, made.height], boxes: made.boxes.map((b) => [b.x, b.y, b.width, b.share]) };
})));
"""


class Tree(html.parser.HTMLParser):
    """What the program drew of a tree, and what it gave the script to draw the same from."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.size, self.nodes, self.boxes, self.pressed, self.detail = None, [], [], {}, 0
        self.parts, self.field = False, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        classes = a.get("class", "").split()
        if tag == "button" and "aria-pressed" in a:
            self.pressed[a.get("data-detail") or a["id"]] = a["aria-pressed"] == "true"
        elif tag == "svg" and "tree" in classes:
            self.size, self.detail = [float(a["width"]), float(a["height"])], int(a["data-detail"])
        elif tag == "template":
            self.parts = True
        elif tag == "g" and "node" in classes and self.parts:
            number = {k: int(a[f"data-{k}"]) for k in ("parent", "detail", "step", "columns")}
            self.nodes.append({"i": len(self.nodes), "branch": classes[1], "ends": "data-ends" in a, "drawn": "data-drawn" in a,
                               **number, **dict.fromkeys(("share", "sum", "fate", "end2"), "")})
        elif tag == "g" and "node" in classes and self.size:
            x, y = map(float, re.match(r"translate\((\S+) (\S+)\)", a["transform"]).groups())
            self.boxes.append([x, y, None, ""])
        elif tag == "rect" and "box" in classes and not self.parts and self.boxes:
            self.boxes[-1][2] = float(a["width"])
        self.field = next((c for c in classes if c in ("share", "sum", "fate", "end2")), None) if tag == "text" else None

    def handle_endtag(self, tag):
        self.parts &= tag != "template"
        self.field = None

    def handle_data(self, data):
        if self.parts and self.field:
            self.nodes[-1][self.field] += data
        elif self.field == "share":
            self.boxes[-1][3] += data

    def case(self):
        return {"nodes": self.nodes, "detail": self.detail, "glance": self.pressed.get("0", False),
                "folding": self.pressed["treefold"]}


class Trees(unittest.TestCase):
    def test_the_script_puts_boxes_where_the_program_does(self):
        beams, ids = ["--num-beams", "5", "--max-new-tokens"], "letters"
        cases = [(ids, [*beams, "3"]), (ids, [*beams, "3", "--tree=all", "--no-repeat-ngram-size", "1"]),
                 (ids, [*beams, "40"]), (ids, [*beams, "40", "--tree=kept"]), (ids, [*beams, "40", "--tree=outputs"]),
                 (ids, [*beams, "12", "--num-return-sequences", "5", "--tree=beams"]),
                 (ids, ["--num-beams", "2", "--max-new-tokens", "180", "--tree=beams"]),
                 (ids, [*beams, "6", "--repetition-penalty", "1.3"]),
                 ("words", [*beams, "8"]), ("words", [*beams, "30", "--eos-token-id", "262,318,373"]),
                 (ids, ["--search", "exact", "--horizon", "2", "--max-nodes", "50"]),
                 (ids, ["--search", "exact", "--horizon", "2", "--max-nodes", "526", "--tree=all"]),
                 (ids, ["--search", "exact", "--horizon", "3", "--max-nodes", "526"]),
                 ("words", ["--search", "exact", "--horizon", "3", "--max-nodes", "526", "--tree=kept"])]
        trees = [Tree(run("generate", *args, "--html", "-", model=model)) for model, args in cases]
        self.assertTrue(any(" tokens" in b[3] for t in trees for b in t.boxes))
        self.assertTrue(any(t.case()["glance"] for t in trees) and any(not t.case()["glance"] for t in trees))
        self.assertGreater(max(len(t.boxes) for t in trees), 500)
        for (_, args), tree, found in zip(cases, trees, node("tree_layout.js", TREE_DRIVER, [t.case() for t in trees])):
            self.assertEqual(found["size"], tree.size, args)
            self.assertEqual(len(found["boxes"]), len(tree.boxes), args)
            for i, (mine, its) in enumerate(zip(found["boxes"], tree.boxes)):
                self.assertEqual(mine[3], its[3], (args, i))
                for a, b in zip(mine[:3], its[:3]):
                    self.assertAlmostEqual(a, b, delta=0.006, msg=(args, i))


if __name__ == "__main__":
    unittest.main()
