"""Writes src/text/unicode/unicode_tables.c: the classes of every code point, as tokenizers sees them.

Run with tokenizers 0.23.3 installed:  python tools/oracle/unicode_tables.py
General categories and white space are asked of the regex engine that splits text (Oniguruma); word
characters of the one that tests single_word (Rust's regex crate); digits of the pre-tokenizer
Digits (Rust's char::is_numeric). lstrip must agree on white space.
"""
import os

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

LETTER, NUMBER, SPACE, WORD, UPPER, LOWER, MARK, DIGIT = (1 << i for i in range(8))
BLOCK = 128
TARGET = os.path.join(
    os.path.dirname(__file__), "..", "..", "src", "text", "unicode", "unicode_tables.c"
)


def kept(pattern, text):
    strip = normalizers.Replace(Regex(pattern), "")
    found = set()
    for i in range(0, len(text), 4096):
        found |= set(strip.normalize_str(text[i : i + 4096]))
    return found


def probe(text, **flags):
    """(ids, start of the match) for every character followed by an added token with these flags."""
    tokenizer = Tokenizer(BPE({}, []))
    tokenizer.add_tokens([AddedToken("<|t|>", normalized=False, **flags)])
    for e in tokenizer.encode_batch([c + "<|t|>" for c in text]):
        yield e.ids, e.offsets[0][0] if e.offsets else None


def classes():
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    text = "".join(map(chr, codes))
    digits = pre_tokenizers.Digits(individual_digits=True)
    sets = {
        LETTER: kept(r"[^\p{L}]", text),
        NUMBER: kept(r"[^\p{N}]", text),
        SPACE: kept(r"[^\s]", text),
        WORD: {c for c, (ids, _) in zip(text, probe(text, single_word=True)) if not ids},
        UPPER: kept(r"[^\p{Lu}\p{Lt}]", text),
        LOWER: kept(r"[^\p{Ll}]", text),
        MARK: kept(r"[^\p{M}]", text),
        DIGIT: {c for c in text if len(digits.pre_tokenize_str("a" + c)) == 2},
    }
    stripped = {c for c, (_, start) in zip(text, probe(text, lstrip=True)) if start == 0}
    assert stripped == sets[SPACE], sorted(stripped ^ sets[SPACE])
    assert sets[LETTER] == sets[UPPER] | sets[LOWER] | kept(r"[^\p{Lm}\p{Lo}]", text)
    table = [0] * 0x110000
    for c in text:
        table[ord(c)] = sum(bit for bit, members in sets.items() if c in members)
    return table


def rows(values, form, per_line):
    items = [form % v for v in values]
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return ",\n".join("    " + line for line in lines)


def main():
    table = classes()
    kinds = sorted(set(table))
    assert len(kinds) <= 16, kinds
    limit = max(i for i, c in enumerate(table) if c) // BLOCK + 1
    blocks, index = {}, []
    for i in range(limit):
        block = tuple(kinds.index(c) for c in table[i * BLOCK : (i + 1) * BLOCK])
        index.append(blocks.setdefault(block, len(blocks)))
    assert len(blocks) <= 256
    packed = [b[i] | b[i + 1] << 4 for b in blocks for i in range(0, BLOCK, 2)]
    with open(TARGET, "w") as out:
        out.write(
            "/* Classes of all code points. Written by tools/oracle/unicode_tables.py from what\n"
            " * tokenizers %s answers for each of them; do not edit. */\n"
            "// clang-format off\n"
            '#include "text/unicode/unicode.h"\n\n' % tokenizers.__version__
        )
        out.write("const uint32_t nt_unicode_limit = 0x%X;\n\n" % (limit * BLOCK))
        padded = kinds + [0] * (16 - len(kinds))
        out.write("const uint8_t nt_unicode_kinds[16] = {\n%s};\n\n" % rows(padded, "%d", 16))
        out.write("const uint8_t nt_unicode_index[%d] = {\n%s};\n\n" % (limit, rows(index, "%d", 32)))
        out.write("const uint8_t nt_unicode_blocks[%d][%d] = {\n" % (len(blocks), BLOCK // 2))
        for i in range(len(blocks)):
            row = packed[i * BLOCK // 2 : (i + 1) * BLOCK // 2]
            out.write("    {%s},\n" % ",".join("%d" % v for v in row))
        out.write("};\n")
    print("index %d, blocks %d, kinds %s" % (limit, len(blocks), kinds))


main()
