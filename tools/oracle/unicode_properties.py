"""Writes src/text/unicode/properties_tables.c: which code points have which property, and which are
the same when case is ignored, as the regex engine of tokenizers (Oniguruma) sees them.

Run with tokenizers 0.23.3 installed:  python tools/oracle/unicode_properties.py
Categories and scripts are asked for over all code points, the other properties over all but the
inside of long runs that are unassigned or for private use; Digits' and Punctuation's classes, which
are Rust's, are asked of those pre-tokenizers.
"""
import os
import unicodedata

import tokenizers
from tokenizers import Regex, pre_tokenizers

TARGET = os.path.join(
    os.path.dirname(__file__), "..", "..", "src", "text", "unicode", "properties_tables.c"
)
END = 0x110000
CATEGORIES = (
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
)
SCRIPTS = """Adlam Adlm Ahom - Anatolian_Hieroglyphs Hluw Arabic Arab Armenian Armn Avestan Avst
Balinese Bali Bamum Bamu Bassa_Vah Bass Batak Batk Bengali Beng Bhaiksuki Bhks Bopomofo Bopo Brahmi
Brah Braille Brai Buginese Bugi Buhid Buhd Canadian_Aboriginal Cans Carian Cari Caucasian_Albanian
Aghb Chakma Cakm Cham - Cherokee Cher Chorasmian Chrs Common Zyyy Coptic Copt Cuneiform Xsux Cypriot
Cprt Cypro_Minoan Cpmn Cyrillic Cyrl Deseret Dsrt Devanagari Deva Dives_Akuru Diak Dogra Dogr
Duployan Dupl Egyptian_Hieroglyphs Egyp Elbasan Elba Elymaic Elym Ethiopic Ethi Garay Gara Georgian
Geor Glagolitic Glag Gothic Goth Grantha Gran Greek Grek Gujarati Gujr Gunjala_Gondi Gong Gurmukhi
Guru Gurung_Khema Gukh Han Hani Hangul Hang Hanifi_Rohingya Rohg Hanunoo Hano Hatran Hatr Hebrew Hebr
Hiragana Hira Imperial_Aramaic Armi Inherited Zinh Inscriptional_Pahlavi Phli Inscriptional_Parthian
Prti Javanese Java Kaithi Kthi Kannada Knda Katakana Kana Kawi - Kayah_Li Kali Kharoshthi Khar
Khitan_Small_Script Kits Khmer Khmr Khojki Khoj Khudawadi Sind Kirat_Rai Krai Lao Laoo Latin Latn
Lepcha Lepc Limbu Limb Linear_A Lina Linear_B Linb Lisu - Lycian Lyci Lydian Lydi Mahajani Mahj
Makasar Maka Malayalam Mlym Mandaic Mand Manichaean Mani Marchen Marc Masaram_Gondi Gonm Medefaidrin
Medf Meetei_Mayek Mtei Mende_Kikakui Mend Meroitic_Cursive Merc Meroitic_Hieroglyphs Mero Miao Plrd
Modi - Mongolian Mong Mro Mroo Multani Mult Myanmar Mymr Nabataean Nbat Nag_Mundari Nagm Nandinagari
Nand New_Tai_Lue Talu Newa - Nko Nkoo Nushu Nshu Nyiakeng_Puachue_Hmong Hmnp Ogham Ogam Ol_Chiki Olck
Ol_Onal Onao Old_Hungarian Hung Old_Italic Ital Old_North_Arabian Narb Old_Permic Perm Old_Persian
Xpeo Old_Sogdian Sogo Old_South_Arabian Sarb Old_Turkic Orkh Old_Uyghur Ougr Oriya Orya Osage Osge
Osmanya Osma Pahawh_Hmong Hmng Palmyrene Palm Pau_Cin_Hau Pauc Phags_Pa Phag Phoenician Phnx
Psalter_Pahlavi Phlp Rejang Rjng Runic Runr Samaritan Samr Saurashtra Saur Sharada Shrd Shavian Shaw
Siddham Sidd SignWriting Sgnw Sinhala Sinh Sogdian Sogd Sora_Sompeng Sora Soyombo Soyo Sundanese Sund
Sunuwar Sunu Syloti_Nagri Sylo Syriac Syrc Tagalog Tglg Tagbanwa Tagb Tai_Le Tale Tai_Tham Lana
Tai_Viet Tavt Takri Takr Tamil Taml Tangsa Tnsa Tangut Tang Telugu Telu Thaana Thaa Thai - Tibetan
Tibt Tifinagh Tfng Tirhuta Tirh Todhri Todr Toto - Tulu_Tigalari Tutg Ugaritic Ugar Vai Vaii Vithkuqi
Vith Wancho Wcho Warang_Citi Wara Yezidi Yezi Yi Yiii Zanabazar_Square Zanb""".split()
ALL = sum(1 << i for i in range(len(CATEGORIES)))


def mask(prefixes):
    return sum(1 << i for i, c in enumerate(CATEGORIES) if c.startswith(tuple(prefixes.split())))


# names of a set (the first is asked for), and the categories that it nearly is
SETS = [
    ("Alphabetic Alpha", mask("L Nl")),
    ("Alnum", mask("L Nl Nd")),
    ("Blank", mask("Zs")),
    ("Cntrl", mask("Cc")),
    ("Digit", mask("Nd")),
    ("Graph", ALL & ~mask("Z Cc Cs Cn")),
    ("Print", ALL & ~mask("Zl Zp Cc Cs Cn")),
    ("Lowercase Lower", mask("Ll")),
    ("Punct", mask("P")),
    ("PosixPunct", mask("P")),
    ("Space White_Space WSpace", mask("Z")),
    ("Uppercase Upper", mask("Lu")),
    ("XDigit", 0),
    ("Word", mask("L M Nd Pc")),
    ("ASCII", 0),
    ("Any", ALL),
    ("Assigned", ALL & ~mask("Cn")),
    ("LC Cased_Letter", mask("Lu Ll Lt")),
    ("Cased", mask("Lu Ll Lt")),
    ("ID_Start IDS", mask("L Nl")),
    ("ID_Continue IDC", mask("L Nl M Nd Pc")),
    ("XID_Start XIDS", mask("L Nl")),
    ("XID_Continue XIDC", mask("L Nl M Nd Pc")),
    ("Math", mask("Sm")),
    ("Dash", mask("Pd")),
    ("Hyphen", 0),
    ("Quotation_Mark QMark", mask("Pi Pf")),
    ("Ideographic Ideo", 0),
    ("Unified_Ideograph UIdeo", 0),
    ("Hex_Digit Hex", 0),
    ("ASCII_Hex_Digit AHex", 0),
    ("Join_Control Join_C", 0),
    ("Regional_Indicator RI", 0),
    ("Variation_Selector VS", 0),
    ("Emoji", 0),
    ("Emoji_Presentation", 0),
    ("Emoji_Modifier", 0),
    ("Emoji_Modifier_Base", 0),
    ("Emoji_Component", 0),
    ("Extended_Pictographic", 0),
]

CODES = [c for c in range(END) if not 0xD800 <= c < 0xE000]


class Asked:
    """Some code points, ascending, and what pre-tokenizers make of a text of them."""

    def __init__(self, codes):
        self.codes, self.text = codes, "".join(map(chr, codes))

    def members(self, pre_tokenizer):
        """Those in the pieces that are left."""
        found = set()
        for _, (start, end) in pre_tokenizer.pre_tokenize_str(self.text):
            found.update(self.codes[start:end])
        return found

    def matches(self, pattern):
        regex = Regex("(?:%s)+" % pattern)
        return self.members(pre_tokenizers.Split(regex, "removed", invert=True))


def partition(names):
    """The value (index of its name) of every code point for properties of which each has one; one
    regex cuts all code points where it changes, and the firsts of the pieces are asked for each."""
    cut = Regex("|".join("\\p{%s}+" % name for name in names))
    pieces = pre_tokenizers.Split(cut, "isolated").pre_tokenize_str("".join(map(chr, CODES)))
    firsts = Asked([ord(piece[0]) for piece, _ in pieces])
    value = {}
    for i, name in enumerate(names):
        for c in firsts.matches("[\\p{%s}]" % name):
            assert c not in value
            value[c] = i
    table = [None] * END
    for piece, (start, end) in pieces:
        for c in CODES[start:end]:
            table[c] = value.get(ord(piece[0]))
    return table, firsts


def runs(table):
    """start | value << 24 for each run of equal values."""
    return [c | v << 24 for c, v in enumerate(table) if c == 0 or table[c - 1] != v]


def same_when_folded(categories, everything):
    """For each code point with case the code points that (?i) takes for it, itself included."""
    cased = {c for c in CODES if categories[c] < 3}
    cased |= {c for c in CODES if any(f(chr(c)) != chr(c) for f in (str.lower, str.upper, str.casefold))}
    order = sorted(cased)
    text = "".join(map(chr, order))
    same = {}
    for c in order:
        split = pre_tokenizers.Split(Regex("(?i:\\x{%x})" % c), "removed", invert=True)
        found = {order[i] for _, (a, b) in split.pre_tokenize_str(text) for i in range(a, b)}
        same[c] = found | {c}
    # those that are the same as several characters are refused, alone they are not told of here
    same = {c: {d for d in g if len(chr(d).casefold()) == 1} for c, g in same.items()}
    same = {c: g for c, g in same.items() if len(chr(c).casefold()) == 1}
    for c, group in same.items():
        assert all(same[d] == group for d in group), hex(c)
    # no other code point takes part
    inside = "".join("\\x{%x}" % c for c in order)
    assert everything.matches("(?i:[%s])" % inside) == cased
    return {c: group for c, group in same.items() if len(group) > 1}


def fold_runs(same):
    """(first, last, step, to) of code points that fold to the smallest one of their group."""
    pairs = [(c, min(g)) for c, g in sorted(same.items()) if c != min(g)]
    found = []
    for c, to in pairs:
        if found:
            first, last, step, start = found[-1]
            if to - c == start - first and (c - last == step or (first == last and c - last in (1, 2))):
                found[-1] = (first, c, c - last, start)
                continue
        found.append((c, c, 1, to))
    return found


def many_folds(same):
    """Code points that stand for several when case is ignored: (code, first two of them)."""
    small = lambda c: min(same.get(c, {c}))
    found = []
    for c in CODES:
        fold = chr(c).casefold()
        if len(fold) > 1:
            split = pre_tokenizers.Split(Regex("\\A(?i:\\x{%x})\\z" % c), "removed")
            assert split.pre_tokenize_str(fold) == [], hex(c)
            found.append((c, small(ord(fold[0])), small(ord(fold[1]))))
    return found


def key(name):
    return "" if name == "-" else name.replace("_", "").lower()


def rows(items, per_line):
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return ",\n".join("    " + line for line in lines)


def array(out, kind, name, items, per_line):
    out.write("const %s %s[] = {\n%s};\n" % (kind, name, rows(items, per_line)))


def main():
    asked = [c for c in CATEGORIES if c != "Cs"]
    table, firsts = partition(asked)
    categories = [CATEGORIES.index("Cs" if v is None else asked[v]) for v in table]
    known = set()
    for name in SCRIPTS[::2]:
        try:
            known.add(Regex("\\p{%s}" % name) and name)
        except Exception:
            print("not known to this version:", name)
    names = [("unknown", "zzzz")]
    full = [name for name in SCRIPTS[::2] if name in known]
    table, script_firsts = partition(full)
    scripts = [0 if v is None else v + 1 for v in table]
    for name in full:
        brief = SCRIPTS[SCRIPTS.index(name) + 1]
        names.append((key(name), key(brief)))
        if brief != "-":
            pair = [script_firsts.matches("\\p{%s}" % n) for n in (name, brief)]
            assert pair[0] == pair[1], name
    unknown = {c for c in script_firsts.codes if scripts[c] == 0}
    assert script_firsts.matches("\\p{Zzzz}") == unknown

    everything = Asked(CODES)
    changes, sets = [], []

    def add(names, near, found):
        near_set = {c for c in everything.codes if near >> categories[c] & 1}
        odd = (found ^ near_set) & set(everything.codes)
        # surrogates go with the code point before them
        t, inside = [], False
        for c in everything.codes:
            if (c in odd) != inside:
                t.append(c)
                inside = not inside
        if inside:
            t.append(END)
        sets.append((names, near, len(changes), len(t)))
        changes.extend(t)

    for spelled, near in SETS:
        spelled = spelled.split()
        found = everything.matches("[\\p{%s}]" % spelled[0])
        for other in spelled[1:]:
            assert firsts.matches("[\\p{%s}]" % other) == found & set(firsts.codes), other
        add([key(s) for s in spelled] + [""] * (3 - len(spelled)), near, found)
    # \w is another set alone than inside a class, where it is without some of Latin-1's numbers
    alone = everything.matches("\\w")
    add(["=word", "", ""], mask("L M Nd Pc"), alone)
    for posix in "alnum alpha blank cntrl digit graph lower print punct space upper xdigit word ascii".split():
        name = "\\p{%s}" % ("PosixPunct" if posix == "punct" else posix)
        found = everything.matches("[%s]" % name)
        assert everything.matches("[[:%s:]]" % posix) == found, posix
        assert everything.matches(name) == (alone if posix == "word" else found), posix
    for escape, name in (r"\s", "space"), (r"\d", "digit"), (r"\w", "word"), (r"\h", "xdigit"):
        assert everything.matches("[%s]" % escape) == everything.matches("[\\p{%s}]" % name)
        assert everything.matches(escape) == everything.matches("\\p{%s}" % name)
    removed = pre_tokenizers.Punctuation("removed")
    add(["=punctuation", "", ""], mask("P"), set(everything.codes) - everything.members(removed))
    text = "a" + "a".join(everything.text) + "a"
    pieces = pre_tokenizers.Digits(True).pre_tokenize_str(text)
    add(["=digits", "", ""], mask("N"), {ord(p) for p, _ in pieces if len(p) == 1 and p != "a"})

    same = same_when_folded(categories, everything)
    with open(TARGET, "w") as out:
        out.write(
            "/* Properties of all code points. Written by tools/oracle/unicode_properties.py from what\n"
            " * tokenizers %s answers for each of them; do not edit. */\n"
            "// clang-format off\n"
            '#include "text/unicode/properties.h"\n\n' % tokenizers.__version__
        )
        array(out, "uint32_t", "nt_category_runs", ["0x%X" % r for r in runs(categories)], 12)
        array(out, "uint32_t", "nt_script_runs", ["0x%X" % r for r in runs(scripts)], 12)
        array(out, "nt_script_name", "nt_script_names", ['{"%s","%s"}' % n for n in names], 6)
        array(out, "uint32_t", "nt_property_changes", ["0x%X" % c for c in changes], 14)
        array(
            out,
            "nt_property_set",
            "nt_property_sets",
            ['{{"%s","%s","%s"},0x%X,%d,%d}' % (*n, m, at, k) for n, m, at, k in sets],
            2,
        )
        folds = fold_runs(same)
        array(out, "nt_fold_run", "nt_fold_runs", ["{0x%X,0x%X,%d,0x%X}" % f for f in folds], 5)
        many = many_folds(same)
        array(out, "nt_many_fold", "nt_many_folds", ["{0x%X,{0x%X,0x%X}}" % m for m in many], 5)
        out.write("const nt_property_counts nt_property_n = {")
        out.write(
            ", ".join(
                str(n)
                for n in (len(runs(categories)), len(runs(scripts)), len(names), len(sets), len(folds), len(many))
            )
        )
        out.write("};\n")


main()
