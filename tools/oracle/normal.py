"""Writes tests/text/data/normal.json: what tokenizers' normalizers make of every code point and of
random strings, text and alignments, as checksums.

Run with tokenizers 0.23.3 installed:  python tools/oracle/normal.py
A checksum is CRC-32 over the results of its texts in order: the number of characters (4 bytes, low
first), the text's UTF-8, and with alignments start and end of each character in the original, in
characters (4 bytes each). tests/text/test_normal.c makes the same texts again.
"""
import array
import json
import os
import sys
import zlib

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

TARGET = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "text", "data", "normal.json")
BLOCK = 16384
STRINGS, GROUP = 4000, 200
TYPES = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Strip"]
# What a code point stands in; "@" is it. Marks of several classes, bases that compose with many.
FRAMES = ["@", "A@b", "e\u0301@\u0327\u0316x", "\u0316@\u0301\u0334", "\u1100@\u11a8", "\u09c7@\u1161"]
MARKS = (
    "\u0300\u0301\u0302\u0303\u0308\u030c\u031b\u0323\u0327\u0328\u0334\u0338\u0344\u0345\u0340\u0316"
    "\u05b4\u05bc\u0653\u0654\u064b\u0670\u093c\u094d\u09be\u09d7\u0bd7\u0c56\u0cc2\u0cd5\u0ccb"
    "\u0d3e\u0dcf\u0dca\u0f71\u0f72\u0f73\u0f74\u0f80\u102e\u1b35\u3099\u309a\u302a\u0483\u20d0\ufe0f"
    "\u1dc0\u1ab0\u07fd\u1cf7\U000110ba\U00011127\U0001d165\U0001d16d\U0001e944"
)
BASES = (
    "abeiouyAEIKOSUZ \u00e9\u1e69\u1ed9\u0130\u00df\u01c4\u01c5\u0391\u03a3\u03c9\u1f00\u1ffc\u0415\u0406"
    "\u05d0\u05e9\ufb2c\u0627\u0648\ufdfa\u0915\u0958\u0928\u09c7\u09a1\u0b92\u0bc6\u0cc6\u0cbf\u0d46\u0dd9"
    "\u0f40\u0f69\u1025\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2\uac00\uac01\ud7a3\u3131\u30ab\u306f\uff76"
    "\uff9e\u2460\ufb01\u212b\u1e9b\u0385\u03d3\u2126\u00a0\u2003\u3000\u2028\u0085\u200b\u2000\t\n\r"
    "\u4e00\uf900\U0001f600\U0001d400\U0001d15e\U0002f800\U00011099\U000110a5\U00010400\u2581_-."
)
S = lambda *parts: {"type": "Sequence", "normalizers": list(parts)}
T = lambda name, **fields: {"type": name, **fields}
TEXT = lambda string, content: T("Replace", pattern={"String": string}, content=content)
REGEX = lambda regex, content: T("Replace", pattern={"Regex": regex}, content=content)
STRIP = lambda left, right: T("Strip", strip_left=left, strip_right=right)
PIPELINES = [T(name) for name in TYPES[:6]] + [
    STRIP(True, True),
    STRIP(True, False),
    STRIP(False, True),
    STRIP(False, False),
    T("Prepend", prepend="\u2581"),
    T("Prepend", prepend="ab "),
    T("Prepend", prepend=""),
    TEXT(" ", "\u2581"),
    TEXT("\u0301", ""),
    TEXT("a", "bb\u00e9"),
    TEXT("ee", "e"),
    TEXT("", "-"),
    REGEX(r"\s+", " "),
    REGEX(r"[a-z]{2,}", ""),
    REGEX(r"\p{M}*", "\u00a8"),
    REGEX(r"e|$", "$1"),
    S(T("Prepend", prepend="\u2581"), TEXT(" ", "\u2581")),
    S(T("NFD"), T("StripAccents"), T("Lowercase")),
    S(T("NFD"), T("NFC")),
    S(T("NFKD"), T("NFKC"), T("Lowercase"), T("NFC")),
    S(T("Lowercase"), T("NFC"), STRIP(True, True)),
    S(T("NFKC"), S(REGEX(r" {2,}", "\u2581"), S()), T("Prepend", prepend=" ")),
    S(STRIP(True, True), T("NFD"), T("Prepend", prepend="")),
    S(REGEX("^", "-"), STRIP(True, False)),
    S(TEXT("e", "\u0301e"), T("NFC"), T("NFKD"), TEXT("\u0301", "'")),
]


def tokenizer_of(section):
    """One token a character, so that its offsets are the alignments."""
    plain = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    plain.pre_tokenizer = pre_tokenizers.Split(Regex("(?m)."), "isolated")
    whole = json.loads(plain.to_str())
    whole["normalizer"] = section
    return Tokenizer.from_str(json.dumps(whole))


def words(numbers):
    packed = array.array("I", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def text_sum(crc, result):
    return zlib.crc32(result.encode(), zlib.crc32(words([len(result)]), crc))


def whole_sum(crc, result, encoding):
    offsets = encoding.offsets
    assert len(offsets) == len(result)
    return zlib.crc32(words(x for pair in offsets for x in pair), text_sum(crc, result))


def frames_of(code):
    """Where Unicode has no characters, one frame will do."""
    return "|".join(FRAMES) if code < 0x30000 or code >> 12 == 0xE0 else FRAMES[0]


def code_points():
    """By type and block: the texts of all, and the alignments of those that anything happens to."""
    inert = "\u4e01"
    rows = {}
    for name in TYPES:
        section = STRIP(True, True) if name == "Strip" else T(name)
        tokenizer = tokenizer_of(section)
        normalize = tokenizer.normalizer.normalize_str
        like = {f: normalize(f.replace("@", inert)) for f in map(frames_of, (0, 0x10FFFF))}
        rows[name] = {"text": [], "whole": []}
        for start in range(0, 0x110000, BLOCK):
            crc, texts, results = 0, [], []
            for code in range(start, start + BLOCK):
                if 0xD800 <= code < 0xE000:
                    continue
                c, frames = chr(code), frames_of(code)
                text = frames.replace("@", c)
                result = normalize(text)
                crc = text_sum(crc, result)
                if result != like[frames].replace(inert, c):
                    texts.append(text)
                    results.append(result)
            whole = 0
            for result, encoding in zip(results, tokenizer.encode_batch(texts)):
                whole = whole_sum(whole, result, encoding)
            rows[name]["text"].append(crc)
            rows[name]["whole"].append(whole)
        print(name, file=sys.stderr)
    return rows


def random_strings():
    """The strings of the test: xorshift64, mostly short, bases and marks."""
    state = 0x9E3779B97F4A7C15
    mask = (1 << 64) - 1

    def draw():
        nonlocal state
        state ^= state << 13 & mask
        state ^= state >> 7
        state ^= state << 17 & mask
        return state

    for i in range(STRINGS):
        length = draw() % (200 if i % 50 == 49 else 12)
        chars = []
        for _ in range(length):
            source = MARKS if draw() % 8 < 3 else BASES
            chars.append(source[draw() % len(source)])
        yield "".join(chars)


def strings(section):
    tokenizer = tokenizer_of(section)
    texts = list(random_strings())
    sums = []
    for start in range(0, STRINGS, GROUP):
        crc = 0
        group = texts[start : start + GROUP]
        for text, encoding in zip(group, tokenizer.encode_batch(group)):
            crc = whole_sum(crc, tokenizer.normalizer.normalize_str(text), encoding)
        sums.append(crc)
    return sums


def main():
    figures = {
        "block": BLOCK,
        "frames": FRAMES,
        "code_points": code_points(),
        "marks": [ord(c) for c in MARKS],
        "bases": [ord(c) for c in BASES],
        "group": GROUP,
        "pipelines": [{"normalizer": p, "sums": strings(p)} for p in PIPELINES],
    }
    with open(TARGET, "w") as out:
        json.dump(figures, out, separators=(",", ":"))
        out.write("\n")


main()
