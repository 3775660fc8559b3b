"""Mutants of C sources: each is one small textual change inside a function's body.

Comments, strings, preprocessor lines, declarations at file level and the arguments of nt_fail (the
wording of messages) stay as they are. Of a header of constants (#define NAME NUMBER) the signs are
flipped.
"""
import re
from collections import namedtuple

# at: offset of `before` in the file; operator: a key of OPERATORS.
Mutant = namedtuple("Mutant", "path line at before after operator function")
Token = namedtuple("Token", "kind text at")

OPERATORS = {
    "sign": "+ <-> -, += <-> -=, a negation dropped, an fma argument negated, add <-> sub",
    "step": "++ <-> --",
    "product": "* <-> /, % -> /",
    "order": "< <-> <=, > <-> >=, == <-> !=",
    "bound": "a loop's last turn left out",
    "extreme": "min <-> max",
    "constant": "0 <-> 1",
    "logic": "&& <-> ||, a ! dropped",
    "bias": "the sum with a bias dropped",
}

TOKENS = re.compile(
    r"""
    (?P<skip>/\*.*?\*/ | //[^\n]* | (?:^|(?<=\n))[ \t]*\#(?:\\\n|[^\n])* | \s+)
  | (?P<string>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
  | (?P<number>(?:0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)? | \d+\.?\d*(?:[eE][+-]?\d+)? | \.\d+)[uUlLfF]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<mark>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)

SWAPS = {
    "+": [("sign", "-")],
    "-": [("sign", "+")],
    "+=": [("sign", "-=")],
    "-=": [("sign", "+=")],
    "++": [("step", "--")],
    "--": [("step", "++")],
    "*": [("product", "/")],
    "/": [("product", "*")],
    "%": [("product", "/")],
    "<": [("order", "<=")],
    "<=": [("order", "<")],
    ">": [("order", ">=")],
    ">=": [("order", ">")],
    "==": [("order", "!=")],
    "!=": [("order", "==")],
    "&&": [("logic", "||")],
    "||": [("logic", "&&")],
    "0": [("constant", "1")],
    "1": [("constant", "0")],
    "0.0f": [("constant", "1.0f")],
    "1.0f": [("constant", "0.0f")],
}
NAMES = [  # (what a name holds, what stands there instead, operator)
    (re.compile(r"(?<=_)add(?=_|$)"), "sub", "sign"),
    (re.compile(r"(?<=_)sub(?=_|$)"), "add", "sign"),
    (re.compile(r"(?<=_)max(?=_|$)"), "min", "extreme"),
    (re.compile(r"(?<=_)min(?=_|$)"), "max", "extreme"),
]
VECTOR = re.compile(r"[vr]_|_mm")  # names of vector operations
FMA = re.compile(r"fmaf?$|r_fma|_mm\d*_.*fmadd")
STRUCT_FMA = re.compile(r"v_fma")  # of vectors that know no unary minus
KEYWORDS = {"return", "case", "sizeof"}
CONSTANT = re.compile(r"^#define[ \t]+\w+[ \t]+(\(-)?(-?(?:0x)?[\d.][\w.+-]*)", re.MULTILINE)


def tokens_of(text):
    found = []
    for match in TOKENS.finditer(text):
        if match.lastgroup != "skip":
            found.append(Token(match.lastgroup, match.group(), match.start()))
    return found


def closing(tokens, start):
    """Index of the bracket that closes tokens[start]."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opened = tokens[start].text
    depth = 0
    for i in range(start, len(tokens)):
        if tokens[i].text == opened:
            depth += 1
        elif tokens[i].text == pairs[opened]:
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def comma(tokens, start):
    """Index of the comma after the first argument of the call whose bracket is tokens[start]."""
    i = start + 1
    while tokens[i].text != ",":
        i = closing(tokens, i) + 1 if tokens[i].text in ("(", "[") else i + 1
    return i


def bodies(tokens):
    """(name of the function, first token, token after the last) of each function's body."""
    i = 0
    name = ""
    while i < len(tokens):
        if tokens[i].text == "(" and tokens[i - 1].kind == "name" and not name:
            name = tokens[i - 1].text
        if tokens[i].text == "{":
            end = closing(tokens, i)
            if tokens[i - 1].text == ")":
                yield name, i + 1, end
            i = end
            name = ""
        elif tokens[i].text == ";":
            name = ""
        i += 1


def binary(tokens, i):
    """Whether the sign at i stands between two operands."""
    before = tokens[i - 1]
    return (before.kind == "number" or before.text in (")", "]", "++", "--")
            or (before.kind == "name" and before.text not in KEYWORDS))


def spaced(text, token):
    """A product's * has blanks around it, a pointer's has not (.clang-format)."""
    end = token.at + len(token.text)
    return text[token.at - 1].isspace() and text[end].isspace()


def loop_bounds(tokens, begin, end):
    """Indices of each < in a for's condition."""
    for i in range(begin, end):
        if tokens[i].text != "for" or tokens[i + 1].text != "(":
            continue
        last = closing(tokens, i + 1)
        marks = [j for j in range(i + 2, last) if tokens[j].text == ";"]
        if len(marks) >= 2:
            yield from (j for j in range(marks[0], marks[1]) if tokens[j].text == "<")


def in_body(text, tokens, begin, end):
    """(offset, before, after, operator) of each mutant of one function."""
    silent = begin
    bounds = set(loop_bounds(tokens, begin, end))
    for i in range(begin, end):
        token = tokens[i]
        if token.text == "nt_fail":
            silent = closing(tokens, i + 1)
        if i < silent or token.kind == "string":
            continue
        if token.kind == "name":
            if VECTOR.match(token.text):
                for pattern, instead, operator in NAMES:
                    changed = pattern.sub(instead, token.text, count=1)
                    if changed != token.text:
                        yield token.at, token.text, changed, operator
            if FMA.match(token.text) and tokens[i + 1].text == "(":
                yield token.at, token.text + "(", token.text + "(-", "sign"
            if STRUCT_FMA.match(token.text) and tokens[i + 1].text == "(":
                factor = text[tokens[i + 2].at:tokens[comma(tokens, i + 1)].at]
                yield tokens[i + 2].at, factor, f"v_sub(v_zero(), {factor})", "sign"
            continue
        if token.text in ("+", "-") and not binary(tokens, i):
            if token.text == "-" and tokens[i + 1].text != "1":  # -1 is a mark, not a figure
                yield token.at, "-", "", "sign"
            continue
        if token.text in ("*", "/", "%", "<", ">") and not spaced(text, token):
            continue
        if token.text == "!":
            yield token.at, "!", "", "logic"
        for operator, instead in SWAPS.get(token.text, ()):
            yield token.at, token.text, instead, operator
        if i in bounds:
            yield token.at, "<", "+ 1 <", "bound"
        if token.text in ("+", "+=") and re.match(r"\+=? [\w>.-]*bias\[[^\]]*\]", text[token.at:]):
            dropped = re.match(r"\+=? [\w>.-]*bias\[[^\]]*\]", text[token.at:]).group()
            yield token.at, dropped, "" if token.text == "+" else "+= 0", "bias"


def constants(text):
    """Signs of a header of constants."""
    for match in CONSTANT.finditer(text):
        if match.group(1):
            yield match.start(1), "(-", "(", "sign"
        else:
            number = match.group(2)
            yield match.start(2), number, "-" + number, "sign"


def mutants_of(path, text):
    """Every mutant of one source file, in its order."""
    tokens = tokens_of(text)
    found = []
    for function, begin, end in bodies(tokens):
        for at, before, after, operator in in_body(text, tokens, begin, end):
            found.append((at, before, after, operator, function))
    if not found:
        found = [(*each, "") for each in constants(text)]
    return [Mutant(path, text.count("\n", 0, at) + 1, at, before, after, operator, function)
            for at, before, after, operator, function in found]


def changed(text, mutant):
    end = mutant.at + len(mutant.before)
    assert text[mutant.at:end] == mutant.before
    return text[:mutant.at] + mutant.after + text[end:]


def lines(text, mutant):
    """The line before and after, without its indentation."""
    row = mutant.line - 1
    return (text.split("\n")[row].strip(), changed(text, mutant).split("\n")[row].strip())
