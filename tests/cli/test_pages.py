"""--html: pages are whole, hold the result as JSON, stay text whatever a text says, and reach for nothing. What the strip
computes when options are moved is what the program computes."""

import base64
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
    done = BENCH.run(*args[:1], "-q", "-m", str(BENCH.model(model)), *args[1:], "-", stdin=text)
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

    def test_the_same_result_gives_the_same_bytes(self):
        for args in (["next"], ["score"], ["steps", "--max-new-tokens", "2"]):
            self.assertEqual(run(*args, "--html", "-"), run(*args, "--html", "-"))

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


def move(cases):
    program = (PARTS / "warp.js").read_text(encoding="utf-8") + DRIVER
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
        for case, found, (p, kept, acted) in zip(cases, move(cases), wanted):
            self.assertEqual(found["options"], [o for o in found["options"] if o in acted], case["options"])
            self.assertEqual(found["kept"], kept, case["options"])
            for mine, its in zip(found["p"], p):
                self.assertAlmostEqual(mine, its, delta=2e-9, msg=case["options"])


if __name__ == "__main__":
    unittest.main()
