"""Makes the tables of docs/models.md and docs/families.md from what tests found.

    python3 tools/docs/models.py [--check] BUILD_FOLDER

The test programs named below are run; the lines that they print by tests/report.h become the tables
between "<!-- table NAME -->" and "<!-- end -->". An error in a table is the largest one seen, rounded up,
as a share of the range of the logits. --check writes nothing and fails where a document has other rows or
words, or an error that is exceeded by what the tests find now, or five times as large."""

import decimal
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FAMILIES = ("gpt_neo", "gpt_neox", "opt", "llama", "qwen2")
DOCUMENTS = ("docs/models.md", "docs/families.md")
GGUF = {"f16": "F16, by llama.cpp's Python package", "bf16": "BF16, by llama.cpp's Python package",
        "q8_0": "Q8_0, by llama.cpp's Python package", "q4_0": "Q4_0, by llama.cpp's Python package",
        "llama_cpp_f16": "F16, by `convert_hf_to_gguf.py`",
        "llama_cpp_q8_0": "Q8_0, by `convert_hf_to_gguf.py`", "llama_cpp_q4_0": "Q4_0, by llama.cpp's quantiser"}
# Of what torch or others write and is not read: what people may come by.
PICKLES = ("os.system", "a whole module", "a whole model of long ago", "a checkpoint of a training run",
           "a tensor alone", "a list of tensors", "an array of NumPy", "a quantized tensor", "a sparse tensor", "an expanded tensor",
           "a conjugated tensor", "a program of TorchScript", "big-endian", "compressed members",
           "a member that is encrypted", "protocol 1", "protocol 6")
TABLE = re.compile(r"(<!-- table ([\w ]+) -->\n\n)(.*?)(\n\n<!-- end -->)", re.S)
FIGURE = re.compile(r"^\d(?:\.\d)?e-\d+$|^0$")


def rows_of(program, *args):
    """[table, what, found, error or nothing] of each line that a test printed; it must pass."""
    done = subprocess.run([str(program), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=600, check=False)
    if done.returncode:
        sys.exit(f"{program} failed:\n{done.stdout}")
    return [line.split("\t")[1:] for line in done.stdout.splitlines() if line.startswith("#row\t")]


def figure(error):
    """Rounded up to two digits: 1.7e-7; 0 where the bits are the same."""
    exact = decimal.Decimal(error)
    if not exact:
        return "0"
    place = decimal.Decimal((0, (1,), exact.adjusted() - 1))
    digits, exponent = f"{exact.quantize(place, rounding=decimal.ROUND_CEILING):.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines)


class Found:
    """What all the tests found."""

    def __init__(self, build):
        tests = build / "tests"
        self.rows = [*rows_of(tests / "api_variants"), *rows_of(tests / "api_gguf"),
                     *rows_of(tests / "api_convert_families"), *rows_of(tests / "format_torch")]
        for family in FAMILIES:
            self.rows += rows_of(tests / "model_oracle", family)

    def of(self, name):
        return [row[1:] for row in self.rows if row[0] == name]

    def variants(self):
        return table(["form on disk", "", "logits"], [[w, f, figure(e)] for w, f, e in self.of("variants")])

    def refused(self):
        return table(["found", "what is said"], self.of("refused"))

    def pickle(self):
        return table(["file of torch.save", ""], [[w, f + ", to the bit"] for w, f in self.of("pickle")])

    def pickle_refused(self):
        said = dict(self.of("pickle refused"))
        rest = [f"{len(said) - len(PICKLES)} more, broken or hostile", "refused; nothing is run"]
        return table(["found", "what is said"], [*([name, said[name]] for name in PICKLES), rest])

    def gguf(self):
        theirs = {what: figure(error) for what, _, error in self.of("llama.cpp")}
        return table(["file", "", "from transformers", "from llama.cpp"],
                     [[GGUF[w], f, figure(e), theirs.get(w, "")] for w, f, e in self.of("gguf")])

    def converted(self):
        rows = {}
        for family, width, error in self.of("converted"):
            rows.setdefault(family, {})[width] = figure(error)
        widths = ("keep", "f32", "f16", "bf16")
        return table(["family", *(f"`{w}`" for w in widths)], [[f, *(rows[f][w] for w in widths)] for f in rows])

    def checkpoints(self):
        rows = {}
        for name, kind, error in self.of("checkpoints"):
            rows.setdefault(name, {})[kind] = figure(error)
        kinds = ("logits", "hidden states")
        return table(["checkpoint", *kinds], [[name, *(rows[name][k] for k in kinds)] for name in rows])


def agree(old, new):
    """Whether two tables are the same but for errors that the old one covers."""
    if len(old) != len(new):
        return False
    for before, now in zip(old.split(" | "), new.split(" | ")):
        before, now = before.strip(" |"), now.strip(" |")
        if FIGURE.match(before) and FIGURE.match(now):
            if not float(now) <= float(before) <= 5 * float(now):
                return False
        elif before != now:
            return False
    return True


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check, stale = "--check" in sys.argv, False
    found = Found(pathlib.Path(arguments[0]).resolve())
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        tables = {match[2]: match[3] for match in TABLE.finditer(text)}
        if not tables:
            sys.exit(f"{name} has no tables")
        for title, old in tables.items():
            new = getattr(found, title.replace(" ", "_"))()
            lines = list(zip(old.split("\n"), new.split("\n")))
            if old.count("\n") == new.count("\n") and all(agree(a, b) for a, b in lines):
                continue
            stale = True
            if check:
                print(f"{name}: the table of {title} is another one now:\n{new}")
            text = TABLE.sub(lambda m, t=title, n=new: m[1] + n + m[4] if m[2] == t else m[0], text)
        if not check and text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"{name}: written")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
