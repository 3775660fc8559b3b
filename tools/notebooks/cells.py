"""Code cells out of three kinds of files: a notebook (.ipynb), a script in cells (.py, "# %%" lines between
them), and a notebook printed as text (.txt), in which "In [5]:" opens a cell and what the cell printed, and
the prose behind it, follow without a mark."""

import ast
import json
import re

OPENING = re.compile(r"In \[[\d ]*(?:None)?\]:\s*$")
OWN = "nextoken"  # the tag of cells that show what transformers cannot do
FROM, TO = "nextoken.transformers", "transformers"


def read(path):
    """[{"source": str, "tags": [str]}], without shell commands and magics."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [{"source": "".join(c["source"]), "tags": c["metadata"].get("tags", [])}
                 for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
    elif path.suffix == ".py":
        cells = [{"source": part, "tags": []} for part in re.split(r"(?m)^# %%.*\n", text)]
    else:
        cells = [{"source": part, "tags": []} for part in printed(text)]
    for cell in cells:
        cell["source"] = without_magics(cell["source"])
    return [c for c in cells if c["source"].strip()]


def without_magics(source):
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("!", "%")))


def printed(text):
    """The code of a notebook printed as text: of each cell the paragraphs up to its output."""
    body, cells = [], []
    for line in text.splitlines():
        if OPENING.match(line):
            body = []
            cells.append(body)
        elif cells:
            body.append(line)
    return [code_of("\n".join(lines)) for lines in cells]


def code_of(text):
    """The longest beginning that is Python, up to a paragraph that looks like a value or like prose."""
    paragraphs = re.split(r"\n[ \t]*\n", text.strip("\n"))
    taken = ""
    for i, paragraph in enumerate(paragraphs):
        so_far = "\n\n".join(paragraphs[:i + 1])
        indented = paragraph[:1] in (" ", "\t")
        if i and not indented and re.fullmatch(r"(# .*\n?)+", paragraph):
            continue  # a comment, if there is code behind it
        if i and not indented and not is_code(paragraph):
            break
        if parses(without_magics(so_far)):
            taken = so_far
        elif not indented:
            break
    return taken


def parses(source):
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def is_code(paragraph):
    """Statements, and calls of functions; not values as they are printed, not headings, not prose."""
    tree = parses(without_magics(paragraph))
    if tree is None:  # the beginning of a block that a blank line cuts
        first = paragraph.split("\n", 1)[0]
        return bool(re.match(r"(def|class|for|while|with|if|try|@)\b.*|.*[(\[{]$", first)) and "`" not in paragraph
    return any(not (isinstance(node, ast.Expr) and is_value(node.value)) for node in tree.body)


def is_value(node):
    """As repr() prints it."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rsplit(".", 1)[-1]
        return name in ("tensor", "array", "Size", "HBox") and all(map(is_value, node.args))
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(map(is_value, node.elts))
    if isinstance(node, ast.Dict):
        return all(map(is_value, [*node.keys, *node.values]))
    if isinstance(node, ast.UnaryOp):
        return is_value(node.operand)
    return isinstance(node, (ast.Constant, ast.Name, ast.Starred))


def for_nextoken(source):
    """With transformers' imports changed into nextoken's: the one line that a notebook changes."""
    source = re.sub(r"(?m)^(\s*from )transformers(\.\S+)?( import )", rf"\g<1>{FROM}\g<2>\g<3>", source)
    return re.sub(r"(?m)^(\s*)import transformers\s*$", r"\g<1>import nextoken.transformers as transformers", source)


def for_transformers(source):
    return source.replace(f"import {FROM} as {TO}", f"import {TO}").replace(f"from {FROM}", f"from {TO}")
