"""When two outputs are the same: words, ids and layout exactly; numbers with a fraction within 1e-4, or a
hundred-thousandth where they are large, and small ones within a hundredth too, unless they are the small ones of
an array whose largest number a millionth of explains it; where fewer digits were printed, within one unit of the
last. The one place that says so."""

import math
import re

TOLERANCE, RELATIVE = 1e-4, 1e-5
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w])|(?<![\w.])[-+]?(?:nan|inf)\b")
GRADIENT = re.compile(r",?\s*(?:grad_fn=<[^>]*>|requires_grad=True)")
PLACE = re.compile(r"0x[0-9a-f]{6,}")
SET = re.compile(r"\b(?:avx512|avx2|neon|ref)\b")
SHOWN = ("text/plain", "text/markdown", "text/html", "image/svg+xml")


def near(a, b, unit=0.0, largest=1.0):
    """unit: what one of the last printed digit is worth. largest: of the array that they are part of."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    if not (math.isfinite(a) and math.isfinite(b)):
        return False
    apart, size = abs(a - b), max(abs(a), abs(b))
    if unit and apart <= unit * 1.000001:
        return True
    return apart <= max(TOLERANCE, RELATIVE * size) and apart <= max(1e-6 * max(1.0, largest), 1e-2 * size)


def unit_of(word):
    """What one of the last printed digit is worth."""
    digits, _, power = word.lower().partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def parts(text):
    """The words between numbers, and the numbers as they stand."""
    return NUMBER.split(text), NUMBER.findall(text)


def plain(text):
    """Without what says nothing: gradients, places in memory, instruction sets."""
    return SET.sub("isa", PLACE.sub("0x", GRADIENT.sub("", text))).rstrip()


def spread(text):
    return re.sub(r"\s+", " ", text).replace("[ ", "[")


def text_difference(a, b):
    """None, or one line that says where two texts part."""
    a, b = plain(a), plain(b)
    if a == b:
        return None
    (words_a, numbers_a), (words_b, numbers_b) = parts(a), parts(b)
    if len(numbers_a) != len(numbers_b):
        return f"{len(numbers_a)} numbers and {len(numbers_b)}: {around(a, b)}"
    tables = a.startswith("  ") or any(mark in a for mark in ("tensor(", "array(", "<td>"))
    for i, (x, y) in enumerate(zip(words_a, words_b)):
        if x != y and not (tables and spread(x) == spread(y)):
            return f"other words: {around(a, b)}"
    for x, y in zip(numbers_a, numbers_b):
        if not number_same(x, y):
            return f"{x} and {y}: {around(a, b)}"
    return None


def number_same(x, y):
    if x == y:
        return True
    if not all(re.search("[.eE]", word) for word in (x, y)):  # whole numbers, nan and inf are exact
        return False
    return near(float(x), float(y), max(unit_of(x), unit_of(y)))


def around(a, b, room=60):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    start = max(0, at - 20)
    return f"{a[start:start + room]!r} | {b[start:start + room]!r}"


def shown(outputs):
    """[(kind, text)] of what a cell printed or displayed: standard output in one piece; not standard error."""
    found = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            if output["name"] != "stdout":
                continue
            text = joined(output["text"])
            if found and found[-1][0] == "stdout":
                text = found.pop()[1] + text
            found.append(("stdout", text))
        elif kind == "error":
            found.append(("error", output["ename"]))
        else:
            found += [(mime, joined(output["data"][mime])) for mime in SHOWN if mime in output["data"]]
    return found


def joined(text):
    return text if isinstance(text, str) else "".join(text)


def differences(a, b):
    """One line for each difference between what two runs of a cell showed."""
    a, b = shown(a), shown(b)
    if [kind for kind, _ in a] != [kind for kind, _ in b]:
        return [f"shown are {[k for k, _ in a]} and {[k for k, _ in b]}: "
                f"{[t[:200] for _, t in a]} | {[t[:200] for _, t in b]}"]
    return [f"{kind}: {found}" for (kind, x), (_, y) in zip(a, b) if (found := text_difference(x, y))]


def value_difference(a, b, where="", largest=1.0):
    """The same for values that probe.py wrote down."""
    if isinstance(a, float) and isinstance(b, float):
        return None if near(a, b, largest=largest) else f"{where}: {a!r} and {b!r}"
    if type(a) is not type(b):
        return f"{where}: {a!r:.80} and {b!r:.80}"
    if isinstance(a, dict):
        if list(a) != list(b):
            return f"{where}: has {list(a)} and {list(b)}"
        if list(a) == ["shape", "type", "values"]:
            largest = max((abs(x) for x in a["values"] if isinstance(x, float) and math.isfinite(x)), default=1.0)
        pairs = ((f"{where}.{key}", a[key], b[key]) for key in a)
    elif isinstance(a, list):
        if len(a) != len(b):
            return f"{where}: {len(a)} values and {len(b)}"
        pairs = ((f"{where}[{i}]", x, y) for i, (x, y) in enumerate(zip(a, b)))
    else:
        return None if a == b else f"{where}: {a!r:.200} and {b!r:.200}"
    return next((found for place, x, y in pairs if (found := value_difference(x, y, place, largest))), None)
