"""Writes tests/text/data/pattern.cases.gz and pre_tokenizer.cases.gz: where tokenizers 0.23.3 finds
regexes of many kinds in nasty strings, and what its pre-tokenizers make of them.

python tools/oracle/split.py [FOLDER [SEED [NUMBER OF RANDOM REGEXES]]]
tests/text/test_pattern.c and test_pre_tokenizer.c read the files; given a path they read that one.
"""
import gzip
import itertools
import json
import os
import random
import sys
import unicodedata

from tokenizers import Regex, Tokenizer, pre_tokenizers

DATA = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "text", "data")
MUST, INVALID, REFUSED, MAY = range(4)

STRINGS = [
    "",
    "a",
    "Hello, world! It's 2024; don't you'LL we'VE?",
    "  two  spaces   and\ttabs\n\nnewlines \r\n end ",
    "\n",
    "a\nb\n",
    "\r\n\x85\u2028x",
    "aab aaab abab abcabc xyzzy foo_bar",
    "kK\u212a s\u017fS \u00e5\u212b\u00c5 \u00b5\u03bc \u03c9\u2126 \u0398\u03d1\u03f4 Ii\u0130\u0131",
    "stra\u00dfe STRASSE \u1e9e \ufb01n \ufb06 ss SS \u01f0",
    "\u00b2\u00b3\u00b9\u00bc\u00bd\u00be1\u0661\u0967\u2460\u2167\U0001d7d8",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \uc548\ub155",
    "e\u0301 a\u0300\u0316 \u0915\u094d\u0937 \u200d\u200c\u00ad\ufeff",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f\U0001f1e9\U0001f1ea \U0001f600!",
    "\u0000\u0001\u001f\u007f\u0080\u009f\u00a0\u3000\u2003\u180e\u200b",
    "$+<=>^`|~!\"#%&'()*,-./:;?@[\\]_{}\u00a7\u20ac\u00ab\u00bb",
    "\u0416\u0443\u043a \u0391\u03b2\u03b3 \u0627\u0644 \u05e9 Tt\u01c5",
    "x" * 40 + " " * 40 + "y\n",
    "\U000e0001\U0010ffff\ue000\ufffd\u0378",
    "12 123 1234 12345 a1b22c333 \u0665\u0666",
    " a  b   c\u2581d\u2581\u2581 e",
    "the cat the cat catcat aXa bXXb",
    "]a[^-&&{2}(x)|*.+?\\",
    "0x1F 0777 \t\v\f\a\x1b\b",
]

# Oniguruma takes these and so must we, with the same matches
VALID = r"""a|b|ab||(|a)b|a+|a*|a?b|a{2}|a{2,}|a{,2}|a{1,2}|a+?b|a*?b|a??b|a{1,2}?b|a{2}?|a{2,3}+|a++b|a*+a|a?+a
(?:ab)+|(ab)+c|(a)(b)\1|(a)(b)\2\1|(?<n>a+)b\k<n>|(?'n'a)\k'n'|(a)\k<1>|(a)\k<-1>|(?>a+)b|(?>a|ab)c
a(?=b)|a(?!b)|(?<=a)b|(?<!a)b|(?<=a.c)a|(?<!ab|c)a|\Aa|\AHello|end \z|b\Z|^a|^b|b$|$|^|\b|\B|\bfoo|a\b|\Ga|a\Kb|.|.+|(?m).+|(?m:.)b|.*$
\w+|\W+|\s+|\S+|\d+|\D+|\h+|\H+|[\w]+|[^\w]+|[\W]+|[\s\d]+|[^\s\d]|[\h]|[^\h]+|\w+|[^\w\s]+|\s+(?!\S)|\R|\R+|\N+|\O|\bx|\B.
\p{L}+|\P{L}+|\p{^L}+|\p{Lu}|\p{Ll}+|\p{N}+|\p{Nd}|\p{Nl}|\p{No}|\p{P}|\p{S}+|\p{Z}+|\p{C}|\p{M}|\p{Han}|\p{Latin}+|\p{greek}|\p{Cyrl}+|\p{Hira}|\p{Common}+|\p{Inherited}|\p{Zzzz}
\p{Alpha}+|\p{Alnum}+|\p{Upper}|\p{Lower}+|\p{Space}|\p{Punct}+|\p{PosixPunct}+|\p{Digit}|\p{Word}+|\p{Blank}|\p{Cntrl}|\p{Graph}+|\p{Print}+|\p{XDigit}+|\p{ASCII}+|\p{Any}|\p{Assigned}+|\p{ L u }|\p{White_Space}|\p{Emoji}|\p{Extended_Pictographic}|\p{Letter}+|\p{Uppercase_Letter}
[\p{L}\p{N}]+|[^\p{L}\p{N}]+|[\P{L}]|[\p{^L}a]|[^\r\n\p{L}\p{N}]?\p{L}+|[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[\p{Cn}]|\p{Cn}+|\p{Co}|[^\p{Cn}]+
[[:alpha:]]+|[[:^alpha:]]+|[[:punct:]]+|[[:space:]]|[[:upper:]]|[[:lower:]]+|[[:alnum:]_]+|[[:word:]]+|[[:digit:]]|[[:xdigit:]]+|[[:cntrl:]]|[[:graph:]]+|[[:print:]]+|[[:blank:]]|[[:ascii:]]+|[^[:space:]]+
[a-c]|[^a-c]+|[a-c-e]|[-a]+|[a-]|[--a]|[+--]|[!--]|[]a]|[^]a]+|[a[bc]d]+|[a[^bc]]|[a-z&&[^aeiou]]+|[a-z&&[^aeiou]&&[^z]]+|[^a-z&&[^aeiou]]|[a&b]|[a\&&b]|[\]\[\-\\^]|[\n-\r]|[\b]|[\x41-\x43]|[\x{4e00}-\x{9fff}]+|[\u0041-\u005a]+|[\101-\103]|[\xE2\x96\x81]|[.*+?]|[a-a]
\x41|\x{41}|\u0041|\101|\o{101}|\0|\07|\18|\t|\v|\f|\a|\e|\cA|\C-a|\xE2\x96\x81|\i|\_|\-|\/|\é|\x4|a{|a{x|a{1|a{1,|a{,}|{|x{|]|}|a{ 1}
(?i)a|(?i:a)b|(?i)kelvin|(?i:k)|(?i:s)|(?i)\u0398|(?i:[k-s])+|(?i:[^k])+|(?i:\p{Lu})|(?i:[\p{Lu}&&[a-z]])|a(?i)b|c|a(?i:b)|(?i)(?-i)a|(?i-m:A)|(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?i:[sdmt]|ll|ve|re)|(?i:\x{e5})|(?i:i)|(?i)[^a-z]+|(?i:x(?-i:y)z)
(?x) a b # c|(?x: a [ b] + )|(?x)\ |(?#c)a|a(?#c)+|(?#a\)b)c|(?im-x:A.)|(?-i)a|(?i-)a|(?:)|()|(?:a|)b|a||b|(a*)*|(a*)+|(?:a?)*b|(?:a|b?)+|a**|a+*|a*+|a{2}{3}|a??b|(?:a{2}){2}|a+?*|a?+?
(?=a)|(?!a)|(?<=a)|(?<!a)|(?<=^)a|(?<=\b)a|(?<=(?<=b)a)b|(?<!(?<!b)a)b|(?<=a|bc)d|(?<=\s)\S|(?<!\S)\S+|(?=(a+))\1|(?:(a)|b)\1|\s*[\r\n]+|\s+$|\d{1,3}(?=(?:\d{3})*\b)|(?:(?!cat).)+|(?<!\\)\(|(the|cat) \1"""

# Oniguruma itself refuses these
WRONG = r"""(|)|(a|a)|[|[a|[]|*a|+|?|a|*|(?s)a|(?P<n>a)|\1|\8|(a)\2|\k<n>|(?<n>a)\1|(?<1>a)|(?<n>a|[z-a]|[a-\d]|[\w-a]|[[:foo:]]|[[:alpha:]-z]|{2}|a{100001}|\xE2|\u41|a\|(?|(?#a|(?=a)*|^*|\b+|(?<!(a))b|(?<=(?=a))a|(?<=(?!a))a|(?:^)*|(?:(?:$))+|(?<=(?<!b)a)b|(?<=\z)a|(?<!\Z)a|\K+|[[:alpha:]|\p{L""".split("|")
WRONG = [w for w in WRONG if w not in ("", "a")] + ["(", "a|*", "(?<!(a)|b)c", "(?:a|$)+", "(?:(?:^)|b)*"]

# Oniguruma takes these; we say no
BEYOND = [
    r"\X", r"\y", r"\Y", r"(?~ab)", r"(*FAIL)", r"(?{x})", r"(?i)ss", r"(?i)\u00df", r"(?i:[\p{L}])", r"\g<1>(a)",
    r"(?<n>a)\g<n>", r"a{3,2}", r"(?W)\w", r"(?I)a", r"(?y{g})a", r"\x{41 42}", r"\M-a",
    r"\p{In_Basic_Latin}", r"\p{Grapheme_Base}", r"[a&&]", r"(?i)(a)\1", r"(?<n>a)(?<n>b)\k<n>", r"\x{110000}",
    r"(?<=a+)b", r"[&&a]", r"(?i:st)", r"(?i:[[^k]])", r"(?i:\u0130)",
]  # fmt: skip


def number(out, n):
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


def text(out, s):
    s = s.encode()
    number(out, len(s))
    out.extend(s)


class Hash:
    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, *numbers):
        for n in numbers:
            self.value = ((self.value ^ n) * 0x100000001B3) & (1 << 64) - 1

    def text(self, s):
        for b in s.encode():
            self.add(b)
        self.add(256)

    def put(self, out):
        out.extend(((self.value ^ self.value >> 32) & 0xFFFFFFFF).to_bytes(4, "little"))


def found(regex, strings):
    """Cuts and matches in all strings, as one number."""
    h = Hash()
    isolated = pre_tokenizers.Split(regex, "isolated")
    matched = pre_tokenizers.Split(regex, "removed", invert=True)
    for s in strings:
        for split in isolated, matched:
            for _, (start, end) in split.pre_tokenize_str(s):
                h.add(start, end)
            h.add(0xFFFFFF)
    return h


def random_class(r, depth=0):
    items = ["a", "b", "k", "S", "1", " ", "a-f", "\\s", "\\w", "\\d", "\\p{L}", "\\P{Ll}", "\\h", "\\x{e9}", "\\n",
             "[:upper:]", "[:^punct:]", "\\u4f60", "\\p{Han}", "\\W", "'"]  # fmt: skip
    parts = "".join(r.choice(items) for _ in range(r.randint(1, 3)))
    if depth < 2 and r.random() < 0.15:
        parts += random_class(r, depth + 1)
    if depth < 2 and r.random() < 0.1:
        parts += "&&" + random_class(r, depth + 1)
    return "[" + r.choice(["", "", "^"]) + parts + "]"


def random_regex(r, depth=0):
    def atom():
        k = r.random()
        if k < 0.4:
            return r.choice(["a", "b", "k", "x", "S", "1", " ", "\\n", "\u00e9", "'", "t", "c", "\\."])
        if k < 0.55:
            return r.choice(["\\w", "\\s", "\\d", "\\S", "\\W", ".", "\\p{L}", "\\p{N}", "\\p{Lu}", "\\P{L}", "\\h", "\\R"])
        if k < 0.7:
            return random_class(r)
        if k < 0.76:
            return r.choice(["^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G"])
        if depth > 2:
            return "a"
        head = r.choice(["(?:", "(?:", "(", "(", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?m:"])
        return head + random_regex(r, depth + 1) + ")"

    branches = []
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        parts = []
        for _ in range(r.randint(0 if depth else 1, 4)):
            a = atom()
            if r.random() < 0.4 and a not in ("^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G"):
                a += r.choice(["*", "+", "?", "*?", "+?", "??", "++", "*+", "{2}", "{1,2}", "{2,}", "{,2}", "{1,2}?"])
            parts.append(a)
        branches.append("".join(parts))
    regex = "|".join(branches)
    if depth == 0 and r.random() < 0.1:
        regex = "(?i)" + regex
    if depth == 0 and "(" in regex and r.random() < 0.1:
        regex += "\\1"
    return regex




def ends(p):
    """Whether Oniguruma gets through the strings with it, or refuses it."""
    try:
        found(Regex(p), STRINGS)
    except Exception:
        return True
    except BaseException:  # a panic: its limit was met
        return False
    return True


def patterns(folder, seed, n_random):
    r = random.Random(seed)
    valid = []
    for line in VALID.split("\n"):
        parts = line.split("|")
        valid += parts + ["|".join(p) for p in zip(parts, parts[1:], parts[2:])] + [line]
    out = bytearray()
    strings = STRINGS + ["".join(r.choices("ab kK'sS1\n \u00e9\u00df\u4f60xc\u017f_-", k=24)) for _ in range(16)]
    assigned = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co", "Lo")]
    letters = [chr(c) for c in range(0x40000) if unicodedata.category(chr(c)) in ("Cn", "Lo")]
    strings += ["".join(r.choices(assigned, k=50) + r.choices(letters, k=10)) for _ in range(40)]
    number(out, len(strings))
    for s in strings:
        text(out, s)
    cases = [(p, None) for p in dict.fromkeys(valid)]
    cases += [(p, INVALID) for p in WRONG] + [(p, REFUSED) for p in BEYOND]
    cases += [(p, MAY) for p in itertools.islice(filter(ends, iter(lambda: random_regex(r), "")), n_random)]
    number(out, len(cases))
    for p, kind in cases:
        try:
            regex = Regex(p)
        except Exception:
            assert kind not in (REFUSED,), p
            regex = None
        if kind == INVALID:
            assert regex is None, p
        number(out, INVALID if regex is None else kind if kind is not None else MUST)
        number(out, 1 if kind is INVALID else 0)  # must be told as such
        text(out, p)
        if regex is not None and kind != REFUSED:
            found(regex, strings).put(out)
    write(folder, "pattern", out)


def components():
    yield from ({"type": t} for t in ("Whitespace", "WhitespaceSplit", "Punctuation"))
    behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    yield from ({"type": "Punctuation", "behavior": b} for b in behaviors)
    yield from ({"type": "Digits", "individual_digits": b} for b in (False, True))
    for prefix, regex in itertools.product((False, True), repeat=2):
        yield {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}
    for scheme, split, mark in itertools.product(("first", "never", "always"), (False, True), "\u2581_ e"):
        yield {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": split}
    texts = [{"String": s} for s in (" ", "a", "aa", "", "\u00e9", "a+", "\n")]
    texts += [{"Regex": s} for s in (r"\s+", r"\w+|[^\w\s]+", "a*", "", r"\p{L}+", "(?=a)", r"\d|\s", r"\d{1,3}")]
    texts += [{"Regex": s} for s in KNOWN]
    for pattern, behavior, invert in itertools.product(texts, behaviors, (False, True)):
        yield {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


KNOWN = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
]


def pipelines(r):
    single = list(components())
    for c in single:
        yield c
    for _ in range(200):
        parts = r.choices(single, k=r.randint(2, 3))
        if r.random() < 0.2:
            parts = [{"type": "Sequence", "pretokenizers": parts}, r.choice(single)]
        yield {"type": "Sequence", "pretokenizers": parts}


def loaded(component):
    model = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder"))
    file = {"version": "1.0", "added_tokens": [], "pre_tokenizer": component, "model": model, **empty}
    return Tokenizer.from_str(json.dumps(file)).pre_tokenizer


def pre_tokenized(folder, seed):
    r = random.Random(seed)
    out = bytearray()
    strings = STRINGS + ["".join(r.choices("ab  '1\n\u00e9\u4f60\u00bd\u2581_!\U0001f600e", k=20)) for _ in range(12)]
    number(out, len(strings))
    for s in strings:
        text(out, s)
    cases = list(pipelines(r))
    number(out, len(cases))
    for component in cases:
        text(out, json.dumps(component, ensure_ascii=False))
        pre_tokenizer = loaded(component)
        h = Hash()
        for s in strings:
            for piece, (start, end) in pre_tokenizer.pre_tokenize_str(s):
                h.text(piece)
                h.add(start, end)
            h.add(0xFFFFFF)
        h.put(out)
    write(folder, "pre_tokenizer", out)


def write(folder, name, out):
    with open(os.path.join(folder, name + ".cases.gz"), "wb") as file:
        file.write(gzip.compress(bytes(out), 9, mtime=0))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else DATA
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    n_random = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    patterns(folder, seed, n_random)
    pre_tokenized(folder, seed)


main()
