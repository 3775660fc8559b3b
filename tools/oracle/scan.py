"""Writes the figures of tests/text/test_scan.c: where tokenizers' own engine cuts texts into words.

Run with tokenizers 0.23.3 installed:  python tools/oracle/scan.py
  tests/text/data/scan.gz  numbers are 7 bits a byte, low first, hashes 4 bytes:
    alphabet   count; for each piece its length and bytes
    forms      count; for each what stands before and after a code point, length and bytes
    kinds      count; for each, by number from GPT2 on:
      a hash for every form and 4096 code points (all of them for the first five forms, those where
      most of the assigned ones are for the others), then one for every 16 strings
    regexes    count; for each its kind (0: none of ours), length and bytes

A hash is FNV-1a over the byte lengths of the words of each text and a 0 behind the last.
"""
import gzip
import itertools
import os
import struct

from tokenizers import Regex, pre_tokenizers

TARGET = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "text", "data", "scan.gz")
STRINGS, SEED = 16384, 20260105
MASK = (1 << 64) - 1

ALPHABET = """a s t S L l re B C xyz 1 2 9 ' 's 'LL 'Re 'ſ 've / // ! ?" the The HTTP
 ́ α Α Ж ж 中 文 😀 Dž ʰ ² ٣ 𝟘 ª ſ Ⅷ _ ı İ ₂ ः ⓐ · … – “ ” ’""".split() + [
    " ", " ", "  ", " a", " A", "\t", "\n", "\r", "\n\n", "\r\n", "\u00a0", "\u3000", "\u0085",
    "\u2028", "\u200b", "\u200d", "\u1680", "\U00011de0", "\U00016ff4", "\U000e0100", "\x1c", "\0",
]
FULL_FORMS = 5
FORMS = [
    ("", ""), ("a", "b"), (" ", ""), ("'", ""), ("", "\n"), ("A", "a"), ("1", "2"), ("!", ""),
    ("x'", "y"), ("x'", "e"), ("\u00a0", "B!"), ("  ", "\n x"), ("!!", "a"), ("中", "A"), ("", "A"),
]

EXACT = r"'s|'t|'re|'ve|'m|'ll|'d"
PREFIX = r"[^\r\n\p{L}\p{N}]?"
LETTERS = [PREFIX + r"\p{L}+|", PREFIX + r"+\p{L}+|", PREFIX + r"+\p{L}++|"]
OTHERS = [
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|", r" ?[^\s\p{L}\p{N}]++[\r\n]*|", r" ?[^\s\p{L}\p{N}]++[\r\n]*+|",
]
NEWLINES = [r"\s*[\r\n]+|", r"\s*[\r\n]|"]
ANY_CASE = [f"(?i:{EXACT})|", "'(?i:[sdmt]|ll|ve|re)|"]
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SHORT = [f"(?i:{EXACT})?|", "(?:'(?i:[sdmt]|ll|ve|re))?|"]
LAST = [r"\s+", r"\s"]

GPT2, GPT2_DIGITS, CL100K, QWEN2, O200K = range(2, 7)
SPELLINGS = {
    GPT2: [
        [EXACT + "|", "'(?:[sdmt]|ll|ve|re)|"], [r" ?\p{L}+|", r" ?\p{L}++|"],
        [r" ?\p{N}+|", r" ?\p{N}++|"], [r" ?[^\s\p{L}\p{N}]+|", r" ?[^\s\p{L}\p{N}]++|"],
        [r"\s+(?!\S)|", r"\s++$|\s+(?!\S)|"], LAST,
    ],
    CL100K: [ANY_CASE, LETTERS, [r"\p{N}{1,3}|"], OTHERS, NEWLINES, [r"\s+(?!\S)|"], LAST],
    QWEN2: [ANY_CASE, LETTERS, [r"\p{N}|", r"\p{N}{1}|"], OTHERS, NEWLINES, [r"\s+(?!\S)|"], LAST],
    O200K: [
        [PREFIX + UPPER + "*" + LOWER + "+"], SHORT, [PREFIX + UPPER + "+" + LOWER + "*"], SHORT,
        [r"\p{N}{1,3}|"], [r" ?[^\s\p{L}\p{N}]+[\r\n/]*|", r" ?[^\s\p{L}\p{N}]++[\r\n/]*|"],
        NEWLINES, [r"\s+(?!\S)|"], LAST,
    ],
}
# Alike, and none of ours: what the last tiktoken writes (to Oniguruma {1,3}+ is a repetition), case
# without folding, a letter class with marks, and small changes.
STRANGERS = [
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+"
    "|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
    "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|" + LETTERS[0] + r"\p{N}{1,3}|"
    + OTHERS[0] + NEWLINES[0] + r"\s+(?!\S)|\s+",
    ANY_CASE[0] + PREFIX + r"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + NEWLINES[0]
    + r"\s+(?!\S)|\s+",
    ANY_CASE[0] + LETTERS[0] + r"\p{N}{1,2}|" + OTHERS[0] + NEWLINES[0] + r"\s+(?!\S)|\s+",
    ANY_CASE[0] + LETTERS[0] + r"\p{N}{1,3}|" + OTHERS[0] + NEWLINES[0] + r"\s+",
    EXACT + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+",
    EXACT + r"| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"\s+", "",
]


def split(regex):
    return pre_tokenizers.Split(Regex(regex), "isolated")


def first_spelling(kind):
    return "".join(part[0] for part in SPELLINGS[kind])


def byte_level():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


PIPELINES = {
    GPT2: byte_level(),
    GPT2_DIGITS: pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level()]),
    CL100K: split(first_spelling(CL100K)),
    QWEN2: split(first_spelling(QWEN2)),
    O200K: split(first_spelling(O200K)),
}


def lengths(pipeline, text):
    """Byte lengths of the words; their characters' offsets tile the text."""
    at, found = 0, []
    for _, (start, end) in pipeline.pre_tokenize_str(text):
        assert start == at
        found.append(len(text[start:end].encode()))
        at = end
    assert at == len(text)
    return found


class Hash:
    def __init__(self):
        self.value = 0xCBF29CE484222325

    def text(self, pipeline, text):
        for length in lengths(pipeline, text) + [0]:
            self.value = (self.value ^ length) * 0x100000001B3 & MASK

    def bytes(self):
        return struct.pack("<I", (self.value ^ self.value >> 32) & 0xFFFFFFFF)


def draws(seed):
    while True:
        seed = (seed ^ seed << 13) & MASK
        seed ^= seed >> 7
        seed = (seed ^ seed << 17) & MASK
        yield seed


def strings():
    """Random texts, two thirds of them over a few pieces only."""
    draw = draws(SEED)
    for _ in range(STRINGS):
        few = [next(draw) % len(ALPHABET) for _ in range(8)]
        n_few, n = 1 + next(draw) % 8, next(draw) % 40
        all_of_them = next(draw) % 3 == 0
        yield "".join(
            ALPHABET[next(draw) % len(ALPHABET) if all_of_them else few[next(draw) % n_few]]
            for _ in range(n)
        )


def number(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def blob(text):
    data = text.encode()
    return number(len(data)) + data


def regexes(texts):
    """Every spelling gives its kind's words; every stranger gives others somewhere."""
    expected = {k: [lengths(PIPELINES[k], t) for t in texts] for k in PIPELINES}
    for kind, parts in SPELLINGS.items():
        for combination in itertools.product(*parts):
            regex = "".join(combination)
            pipeline = split(regex)
            assert [lengths(pipeline, t) for t in texts] == expected[kind], regex
            yield kind, regex
    for regex in STRANGERS:
        found = [lengths(split(regex), t) for t in texts] if regex else None
        assert found not in list(expected.values()), regex
        yield 0, regex


def main():
    texts = list(strings())
    out = number(len(ALPHABET)) + b"".join(map(blob, ALPHABET))
    out += number(len(FORMS)) + b"".join(blob(before) + blob(after) for before, after in FORMS)
    out += number(len(PIPELINES))
    for pipeline in PIPELINES.values():
        for i, (before, after) in enumerate(FORMS):
            for first in range(0, 0x110000, 4096):
                if i >= FULL_FORMS and first >= 0x20000 and first != 0xE0000:
                    continue
                hashed = Hash()
                for code in range(first, first + 4096):
                    if not 0xD800 <= code < 0xE000:
                        hashed.text(pipeline, before + chr(code) + after)
                out += hashed.bytes()
        for first in range(0, STRINGS, 16):
            hashed = Hash()
            for text in texts[first : first + 16]:
                hashed.text(pipeline, text)
            out += hashed.bytes()
    spelled = list(regexes(texts[:2048]))
    out += number(len(spelled)) + b"".join(number(kind) + blob(regex) for kind, regex in spelled)
    with open(TARGET, "wb") as f:
        f.write(gzip.compress(out, 9, mtime=0))


main()
