"""What notebooks show: HTML that is well formed, safe, carries its own looks, and says what the tables say."""

import base64
import html
import html.parser
import re
import unittest
import xml.dom.minidom

import support

import nextoken
from nextoken.results import dom, looks

TEXT = "The cat sat on the mat, caf\u00e9 \U0001f600."
NASTY = "<script>alert('x')</script> & \"q\" </div><img src=x onerror=alert(1)> ` \u202e"
VOID = {"br", "img", "wbr"}
TAGS = {"b", "br", "details", "div", "img", "p", "pre", "small", "span", "summary", "sup", "table", "tbody", "td",
        "th", "thead", "tr", "wbr"}
ATTRIBUTES = {"align", "alt", "class", "colspan", "dir", "scope", "src", "style", "title"}


class Reader(html.parser.HTMLParser):
    """Well formed or not; which tags and attributes there are; all text; what GitHub would leave of it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.said, self.shown = [], set(), {}, [], []
        self.hidden, self.sheets = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)
        if tag == "style":
            assert not attrs and not self.open
        if tag not in VOID:
            self.open.append(tag)
            style = dict(attrs).get("style") or ""
            self.hidden.append(looks.HIDDEN in style or (self.hidden[-1] if self.hidden else False))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open[-3:], tag)
        self.open.pop()
        self.hidden.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.sheets.append(data)
            return
        self.said.append(data)
        if not (self.hidden and self.hidden[-1]):
            self.shown.append(data)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = nextoken.load(support.checkpoint("words"))

    def read(self, made):
        text = made if isinstance(made, str) else made._repr_html_()
        reader = Reader(text)
        self.assertEqual(reader.open, [])
        return reader

    def kinds(self, text=TEXT):
        m = self.m
        return {"next": m.next(text), "changed": m.next(text, top_k=3, repetition_penalty=1.2),
                "logits": m.next(text, logits=True), "steps": m.steps(text, max_new_tokens=4),
                "drawn": m.steps(text, max_new_tokens=3, seed=1, top_p=0.9),
                "generate": m.generate(text, max_new_tokens=4),
                "beams": m.generate(text, max_new_tokens=4, num_beams=3),
                "exact": m.generate(text, search="exact", horizon=2),
                "score": m.score(text), "words": m.score(text, by=["token", "word"], k=3),
                "chars": m.score(text, by="char"), "sums": m.score(text, by="text"),
                "continuations": m.score(text, continuations=[" a", " b<b>"]), "perplexity": m.perplexity(text),
                "inspect": m.inspect(text), "layers": m.inspect(text, layers=2, attention=(0, 1)),
                "explain": m.explain("top_p", text), "search": m.explain("num_beams", text),
                "words alone": m.explain("top_p"), "versus": m.versus(None, text, other_options={"top_k": 5}),
                "tokens": m.tokenize(text), "facts": m.describe(), "tensors": m.tensors(), "diff": m.diff(m),
                "list": m.score([text, "A dog"]), "generations": m.generate([text] * 7, max_new_tokens=1),
                "stack": m.next([text, "A"], k=2), "empty": m.next([])}


class Safe(Case):
    def test_every_kind_is_well_formed_and_plain(self):
        for name, result in self.kinds().items():
            with self.subTest(name):
                reader = self.read(result)
                pictured = "img" in reader.tags
                self.assertLessEqual(reader.tags, TAGS | ({"style"} if pictured else set()))
                self.assertLessEqual(set(reader.attributes), ATTRIBUTES)
                for source in reader.attributes.get("src", []):
                    self.assertTrue(source.startswith("data:image/svg+xml;base64,"))
                for style in reader.attributes.get("style", []):
                    self.assertNotRegex(style, r"url\(|expression|@|position:|[<>{}]")

    def test_no_rule_reaches_beyond_its_picture(self):
        sheets = self.read(self.kinds()["beams"]).sheets
        rules = re.findall(r"([^{}]+)\{([^{}]*)\}", sheets[0])
        self.assertEqual([body for _, body in rules], ["color-scheme:light", "color-scheme:dark"])
        for selectors, _ in rules:
            for selector in selectors.split(","):
                self.assertRegex(selector, r" \.nextoken (img|iframe)$")

    def test_no_text_gets_out(self):
        for name, result in self.kinds(NASTY).items():
            with self.subTest(name):
                text = result._repr_html_()
                reader = self.read(text)
                self.assertLessEqual(reader.tags, TAGS | {"style"})
                self.assertLessEqual(set(reader.attributes), ATTRIBUTES)
                self.assertNotIn("<script", text.lower())
                self.assertNotIn("<img src=x", text.lower())

    def test_an_error_is_escaped(self):
        reader = self.read(nextoken.results.Results([ValueError(NASTY), self.m.next("The")]))
        self.assertIn("ValueError", "".join(reader.said))
        self.assertLessEqual(reader.tags, TAGS)

    def test_the_same_result_gives_the_same_bytes(self):
        for job in (lambda: self.m.next(TEXT), lambda: self.m.generate(TEXT, num_beams=2, max_new_tokens=3),
                    lambda: self.m.score(TEXT)):
            one, two = job()._repr_html_(), job()._repr_html_()
            self.assertEqual(one, two)
            self.assertNotIn(" ms", "".join(self.read(one).said))

    def test_pictures_are_xml_without_scripts(self):
        for name in ("beams", "exact", "layers"):
            source = self.read(self.kinds()[name]).attributes["src"][0]
            svg = base64.b64decode(source.partition(",")[2])
            picture = xml.dom.minidom.parseString(svg)
            self.assertEqual(picture.documentElement.tagName, "svg")
            self.assertEqual(picture.getElementsByTagName("script"), [])


class Says(Case):
    def shown(self, result):
        return " ".join("".join(self.read(result).shown).split())

    def test_next(self):
        r = self.m.next(TEXT, k=4)
        said = self.shown(r)
        self.assertTrue(said.startswith(TEXT + "____"))
        for c in r:
            self.assertIn(f"{100 * c.prob:.2f} %", said)
            self.assertIn(str(c.id), said)
        self.assertIn("50,253 more", said)
        self.assertNotIn("█", said)

    def test_bars_come_out_where_styles_are_gone(self):
        r = self.m.next(TEXT, k=4)
        self.assertIn("█", "".join(self.read(r).said))
        widths = [float(w) for w in re.findall(r"width:([\d.]+)%", r._repr_html_())]
        top = max(r, key=lambda c: c.prob).prob
        largest = max(top, 1 - sum(c.prob for c in r))
        for width, c in zip(widths, r):
            self.assertAlmostEqual(width, 100 * c.prob / largest, places=1)

    def test_blocks(self):
        self.assertEqual([looks.blocks(p) for p in (0, 0.1, 2.6, 5, 50, 100)],
                         ["", "▏", "▌", "█", "█" * 10, "█" * 20])

    def test_steps(self):
        r = self.m.steps(TEXT, max_new_tokens=3)
        said = self.shown(r)
        for step in r:
            for c in step.choices:
                self.assertIn(f"{100 * c.prob:.2f}%", said)
        bold = re.findall(r"<b>([^<]*)</b>", r._repr_html_())
        for step in r:  # what was taken is bold also where styles are gone
            self.assertIn(f"{100 * step.chosen.prob:.2f}%", bold)

    def test_long_texts_so_far_show_their_end(self):
        r = self.m.steps("The cat sat on the mat. " * 9, max_new_tokens=2)
        said = self.shown(r)
        self.assertIn("…", said)
        self.assertNotIn("The cat sat on the mat. " * 4, said)

    def test_what_options_pushed_out_stands_in_lines(self):
        first, second = self.m.next(TEXT, k=2).ids
        r = self.m.steps(TEXT, max_new_tokens=1, choices=3, suppress_tokens=[first, second])
        cell = [e for e in dom.parse(r._repr_html_()).all(lambda e: e.tag == "td")][-1]
        lines = "".join("\n" if e.tag == "br" else dom.text_of(e) for e in cell.elements()).split("\n")
        self.assertEqual(len(lines), len(r[0].demoted))
        for line, gone in zip(lines, r[0].demoted):
            self.assertRegex(line, rf"{100 * gone.prob:.2f}% suppress_tokens$")
        self.assertIn("pushed out: see `demoted` of the steps", str(r))
        self.assertNotIn("--", str(r))

    def test_the_heat_map_is_the_text(self):
        r = self.m.score(TEXT)
        flow = dom.parse(r._repr_html_()).first(lambda e: e.attributes.get("dir") == "auto")
        pieces = [e for e in flow.elements() if e.tag == "span"]
        self.assertEqual("".join(map(dom.text_of, pieces)), TEXT)
        bounds = (1, 2, 4, 8)
        marks, i = [], 0
        for e in flow.elements():
            if e.tag == "sup":
                marks[-1] = int(dom.text_of(e))
            else:
                marks.append(0)
        emoji = [i for i, token in enumerate(r) if token.token.endswith("\ufffd")]  # one piece of several
        for piece, mark, token in zip(pieces, marks, r):
            if not emoji or r.rows.index(token) < emoji[0]:
                if token.logprob == token.logprob:
                    self.assertEqual(mark, sum(token.surprisal >= bound for bound in bounds), token)
                    self.assertIn(f"{token.surprisal:.3f}", piece.attributes["title"])

    def test_long_texts_have_short_tips(self):
        r = self.m.score("The cat sat on the mat. " * 30, k=3)
        tips = self.read(r).attributes["title"]
        self.assertTrue(all("likeliest" not in tip for tip in tips))
        self.assertIn("likeliest", self.read(self.m.score(TEXT, k=3)).attributes["title"][2])

    def test_the_legend_counts(self):
        said = "".join(self.read(self.m.score(TEXT)).shown)
        for words in ("surprisal, nats", "under 1", "8 and up"):
            self.assertIn(words, said)

    def test_a_tree_has_its_text(self):
        r = self.m.generate(TEXT, num_beams=3, max_new_tokens=3)
        tree = dom.parse(r._repr_html_()).first(lambda e: e.tag == "pre")
        self.assertIn(r.tree().split("\n")[3].strip(), dom.text_of(tree))

    def test_a_tall_tree_shows_less(self):
        r = self.m.generate("The", search="exact", horizon=3, max_nodes=200)
        source = self.read(r).attributes["src"][0]
        svg = base64.b64decode(source.partition(",")[2]).decode()
        self.assertLessEqual(float(re.search(r'height="([\d.]+)"', svg).group(1)), 900)

    def test_long_tables_leave_the_middle_out(self):
        r = self.m.score("The cat sat on the mat. " * 30)
        text = r._repr_html_()
        self.assertRegex(text, r"… \d+ rows …")
        self.assertEqual(text.count("<tr"), 1 + 40 + 1)

    def test_a_list_of_scores_is_one_table(self):
        made = self.m.score(["The cat", "A dog sat"])
        said = self.shown(made)
        for r in made:
            self.assertIn(f"{r.logprob:,.3f}", said)
        self.assertEqual(made._repr_html_().count("<table"), 1)

    def test_long_lists_are_cut(self):
        self.assertIn("38 more", self.shown(self.m.next(["The"] * 50, k=1)))
        self.assertIn("60 more", self.shown(self.m.score(["The cat"] * 120)))

    def test_a_page_has_the_still_view_behind_it(self):
        r = self.m.next(TEXT)
        page = r.page(height=300)._repr_html_()
        self.assertIn("height:300px", page)
        self.assertTrue(page.endswith(f"<div style=\"{looks.HIDDEN}\">{r._repr_html_()}</div>"))
        source = page[page.index('srcdoc="') + 8:page.index('" style=')]
        self.assertEqual(html.unescape(source), r.html())

    def test_print_stays_text(self):
        class Printer:
            def text(self, said):
                self.said = said

        printer, r = Printer(), self.m.next(TEXT)
        r._repr_pretty_(printer, False)
        self.assertEqual(printer.said, str(r))


class Dom(unittest.TestCase):
    def test_there_and_back(self):
        text = '<p class="a b">x &amp; <b>y</b><br>&lt;z&gt;</p><svg><path d="M0 0"></path></svg>'
        root = dom.parse(text)
        self.assertEqual(dom.write(root), text)
        self.assertEqual(dom.text_of(root), "x & y<z>")
        self.assertEqual([e.tag for e in root.all(lambda e: True)], ["p", "b", "br", "svg", "path"])
        self.assertEqual(root.first(lambda e: e.has("b")).tag, "p")

    def test_attributes_are_escaped(self):
        made = dom.write(dom.Element("i", {"title": '"><script>'}, ["<"]))
        self.assertEqual(made, '<i title="&quot;&gt;&lt;script&gt;">&lt;</i>')


if __name__ == "__main__":
    unittest.main()
