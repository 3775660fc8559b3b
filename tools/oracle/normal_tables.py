"""Writes src/text/normal/normal_tables.c: normal forms, marks and lower case, as tokenizers has them.

Run with tokenizers 0.23.3 installed:  python tools/oracle/normal_tables.py
Everything is asked of tokenizers, code point by code point, since its tables are of several
versions of Unicode: NFC and its kin know Unicode 9, lower case a much later one. Only the numbers
of the combining classes are Python's; that they give tokenizers' order is checked for every mark.
"""
import os
import unicodedata

import tokenizers
from tokenizers import normalizers

PAGE = 128
KINDS = ["NFC", "NFD", "NFKC", "NFKD"]  # flags 1, 2, 4, 8
SECOND, MARK, LOWER = 16, 32, 64
HANGUL = range(0xAC00, 0xAC00 + 11172)
JAMO_SECOND = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
TARGET = os.path.join(os.path.dirname(__file__), "..", "..", "src", "text", "normal", "normal_tables.c")

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str


def answers(normalizer):
    """What becomes of each character that does not stay itself."""
    f = normalizer.normalize_str
    return {c: out for c in map(chr, CODES) if (out := f(c)) != c}


def classes(decomposed):
    """Combining class of every character that has one: those that change places with another."""
    low, high = "\u0334", "\u0345"  # classes 1 and 240
    found = [
        c
        for c in map(chr, CODES)
        if c not in decomposed and (nfd(c + low) != c + low or nfd(high + c) != high + c)
    ]
    ccc = {c: unicodedata.combining(c) for c in found}
    assert all(ccc.values())
    first = {}
    for c in found:
        first.setdefault(ccc[c], c)
    for r in first.values():
        for c in found:
            assert (nfd(r + c) == c + r) == (ccc[r] > ccc[c] or r == c), (r, c)
            assert (nfd(c + r) == r + c) == (ccc[c] > ccc[r] or r == c), (r, c)
    return ccc


def compositions(decomposed, ccc):
    """(first, second) -> composite, Hangul left out; tried for all that could compose."""
    pairs = {}
    for c, parts in decomposed.items():
        if ord(c) in HANGUL or len(parts) < 2 or nfc(parts) != c:
            continue
        first = nfc(parts[:-1])
        assert len(first) == 1 and nfc(first + parts[-1]) == c
        pairs[first, parts[-1]] = c
    firsts = sorted({p for parts in decomposed.values() for p in parts} | {a for a, _ in pairs})
    seconds = sorted({b for _, b in pairs} | set(ccc))
    for a in firsts:
        if a in ccc or ord(a) in JAMO_SECOND or 0x1100 <= ord(a) < 0x1113:
            continue
        if nfc(a) != a:
            continue
        mark = ccc.get(decomposed.get(a, a)[-1], 0)
        tried = [b for b in seconds if not 0 < ccc.get(b, 0) < mark]  # those would change places
        got = nfc("".join(a + b + "\n" for b in tried))
        assert got == "".join(pairs.get((a, b), a + b) + "\n" for b in tried), a
    return pairs


def lower_ranges(lower):
    """[first, last, step, delta]: first, first + step .. last become themselves + delta."""
    single = {ord(c): ord(out) - ord(c) for c, out in lower.items() if len(out) == 1}
    assert set(lower.items()) - {(chr(c), chr(c + d)) for c, d in single.items()} == {
        ("\u0130", "i\u0307")
    }
    ranges = []
    for c in sorted(single):
        last = ranges[-1] if ranges else None
        if last and last[3] == single[c] and c - last[1] <= 2:
            step = c - last[1]
            if last[0] == last[1] or last[2] == step:
                last[1], last[2] = c, step
                continue
        ranges.append([c, c, 1, single[c]])
    return [tuple(r) for r in ranges]


def rows(values, form, per_line):
    items = [form % v for v in values]
    lines = [",".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return ",\n".join("    " + line for line in lines)


def split_pages(table):
    limit = max(i for i, v in enumerate(table) if v != table[-1]) // PAGE + 1
    pages = {}
    index = [pages.setdefault(tuple(table[i * PAGE : i * PAGE + PAGE]), len(pages)) for i in range(limit)]
    assert len(pages) <= 256
    return index, list(pages)


def decomposition_pages(stored):
    """Page of each 128 code points (0: none decomposes), and (bits, bits, how many before) of it."""
    pages, index, n = [(0, 0, 0)], [], 0
    for start in range(0, ord(max(stored)) + 1, PAGE):
        bits = [chr(start + k) in stored for k in range(PAGE)]
        index.append(len(pages) if any(bits) else 0)
        if any(bits):
            words = [sum(bits[64 * w + k] << k for k in range(64)) for w in range(2)]
            pages.append((*words, n))
            n += sum(bits)
    assert n == len(stored) and len(pages) <= 256
    return index, pages


def array(out, kind, name, values, form, per_line):
    out.write("const %s %s[%d] = {\n%s};\n\n" % (kind, name, len(values), rows(values, form, per_line)))


def main():
    forms = {kind: answers(getattr(normalizers, kind)()) for kind in KINDS}
    marks, lower = answers(normalizers.StripAccents()), answers(normalizers.Lowercase())
    decomposed, compatible = forms["NFD"], forms["NFKD"]
    ccc = classes(decomposed)
    pairs = compositions(decomposed, ccc)
    seconds = {b for _, b in pairs} | set(map(chr, JAMO_SECOND))
    # What the code relies on: a character that a form leaves alone opens with one that neither
    # moves nor composes with what stands before it, unless it is such a one itself.
    for kind in KINDS:
        parts = compatible if "K" in kind else decomposed
        for c in map(chr, CODES):
            if c not in forms[kind] and c in parts:
                assert parts[c][0] not in ccc and parts[c][0] not in seconds and c not in seconds
    assert not set(decomposed) - set(compatible)
    assert all(
        compatible[c] == "".join(compatible.get(p, p) for p in parts) for c, parts in decomposed.items()
    )

    kinds, of_code = {(0, 0): 0}, [0] * 0x110000
    for code in CODES:
        c = chr(code)
        flags = sum(1 << i for i, kind in enumerate(KINDS) if c in forms[kind])
        flags |= SECOND * (c in seconds) | MARK * (c in marks) | LOWER * (c in lower)
        of_code[code] = kinds.setdefault((flags, ccc.get(c, 0)), len(kinds))
    index, blocks = split_pages(of_code)
    stored = {c: decomposed.get(c, out) for c, out in sorted(compatible.items()) if ord(c) not in HANGUL}
    page_index, pages = decomposition_pages(stored)
    starts, pool = [0], []
    for out in stored.values():
        pool += map(ord, out)
        starts.append(len(pool))
    assert len(pool) < 65536

    with open(TARGET, "w") as out:
        out.write(
            "/* Normal forms, marks and lower case. Written by tools/oracle/normal_tables.py from what\n"
            " * tokenizers %s answers for every code point; do not edit. */\n"
            "// clang-format off\n"
            '#include "text/normal/normal_tables.h"\n\n' % tokenizers.__version__
        )
        array(out, "nt_normal_kind", "nt_normal_kinds", list(kinds), "{%d,%d}", 16)
        out.write("const uint32_t nt_normal_limit = 0x%X;\n" % (len(index) * PAGE))
        out.write("const uint32_t nt_decomposition_limit = 0x%X;\n" % (len(page_index) * PAGE))
        out.write("const size_t nt_composition_count = %d;\n" % len(pairs))
        out.write("const size_t nt_lower_range_count = %d;\n\n" % len(lower_ranges(lower)))
        array(out, "uint8_t", "nt_normal_index", index, "%d", 40)
        out.write("const uint8_t nt_normal_blocks[%d][%d] = {\n" % (len(blocks), PAGE))
        out.write(",\n".join("{" + ",".join(map(str, b)) + "}" for b in blocks) + "};\n\n")
        array(out, "uint8_t", "nt_decomposition_index", page_index, "%d", 40)
        array(out, "nt_decomposition_page", "nt_decomposition_pages", pages, "{{0x%X,0x%X},%d}", 3)
        array(out, "uint16_t", "nt_decomposition_starts", starts, "%d", 20)
        array(out, "uint32_t", "nt_decomposition_codes", pool, "%d", 20)
        array(out, "nt_composition", "nt_compositions",
              sorted((ord(a), ord(b), ord(c)) for (a, b), c in pairs.items()), "{%d,%d,%d}", 6)
        array(out, "nt_lower_range", "nt_lower_ranges", lower_ranges(lower), "{%d,%d,%d,%d}", 6)


main()
