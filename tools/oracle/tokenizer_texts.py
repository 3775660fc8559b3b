"""Nasty texts for tokenizer.py, the same ones in every run."""

# Sentences of the notebooks.
PROMPTS = [
    "Alice",
    "Alice is a",
    "This weekend I plan to",
    " This weekend I plan to",
    "Transformers are the",
    "A long long time ago, ",
    "In a shocking finding, scientists discovered a herd of unicorns living in",
    "In a shocking finding, scientist discovered a herd of unicorns living in a remote, previously "
    "unexplored valley, in the Andes Mountains. Even more surprising to the researchers was the fact "
    "that the unicorns spoke perfect English.",
    "5 + 8 => 13 \n 7 + 2 => 9 \n 1 + 5 =>",
]

# Added tokens with every flag, contents that start alike, overlap, are white space, or are letters
# of the byte-level alphabet.
ADDED = [
    ("<a", dict()),
    ("<a>", dict(special=False)),
    ("a>b", dict(special=False, normalized=True)),
    ("<l>", dict(lstrip=True)),
    ("<r>", dict(rstrip=True)),
    ("<lr>", dict(lstrip=True, rstrip=True, special=False)),
    ("<w>", dict(single_word=True)),
    ("word", dict(single_word=True, special=False)),
    ("norm", dict(single_word=True, special=False, normalized=True)),
    ("<nl>", dict(lstrip=True, rstrip=True, normalized=True, special=False)),
    ("\n\n", dict(special=False)),
    ("  ", dict(special=False, normalized=True)),
    ("\t", dict(lstrip=True, rstrip=True, special=False)),
    ("x y", dict(special=False)),
    ("é", dict(special=False)),
    ("Ġ", dict(special=True)),
    ("日本", dict(special=False, rstrip=True)),
    ("日本語", dict(special=True, normalized=True)),
    ("a", dict(single_word=True, special=False, normalized=True)),
]

SPACES = [chr(c) for c in (9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)]
SPACES += [chr(c) for c in range(0x2000, 0x200B)] + ["\u180e", "\u200b", "\ufeff", "\u2060", " ", " ", " ", "\n"]
WORDS = ["the", " the", "Hello", " world", "don't", "we'll", "I'm", "they've", "you're", "he'd", "it's", "'S", "'LL"]
WORDS += ["'t", "'re'", "''s", "'x", " 's", "\u2019s", "in", " in", "er", "tion", "ABC", "snake_case", "x1y2", "word"]
LETTERS = list("aZßéñÅøŁžİıǅʰªº") + list("αΩжЯאبتहक্กເ가나漢字日本語ひカㄅᄀ𝒜𐍈𒀀🄰Ⓐ") + ["ﬁ", "ǆ", "ﷺ"]
MARKS = [chr(c) for c in (0x301, 0x308, 0x323, 0x20DD, 0x93F, 0x94D, 0xFE0F, 0xFE0E, 0x200D, 0x200C, 0x1F3FD, 0xE0067)]
DIGITS = list("0123456789") + list("٣۷९৪๕Ⅷ²½①⑩㊿〇𝟘𝟿") + ["2024", "3.14", "1,000"]
SIGNS = list("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'") + ["...", "--", "€", "£", "¿", "«", "—", "…", "。", "、", "☃", "∞", "™"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "👍🏽", "❤️", "🫠", "1️⃣"]
ODD = ["\0", "\x01", "\x1b[31m", "\x7f", "\x80", "\x9f", "\u00ad", "\ue000", "\uf8ff", "\U000f0000", "\U0010ffff"]
ODD += ["\ufffd", "\ufffe", "\uffff", "\U0001ffff", "\ud7ff", "\u0378", "Ċ", "Ġ", "Ā", "\u202e"]
TOKENS = ["<|endoftext|>", "<|endoftext", "|>", "<|", "<|endoftext|", "endoftext|>", "<<|endoftext|>>", "<s>", "</s>"]


def atom(rng, fragments):
    kind = rng.randrange(13)
    if kind == 0:
        return rng.choice([" ", "\n", "\t", "a", "1", ".", "é", "\u3000", "日", "<", "😀"]) * rng.choice([2, 3, 5, 9, 40, 90])
    if kind == 1 or kind == 2:
        return rng.choice(SPACES)
    if kind == 3:
        return rng.choice(LETTERS) + (rng.choice(MARKS) if rng.random() < 0.3 else "")
    if kind == 4:
        return rng.choice(WORDS)
    if kind == 5:
        return rng.choice(DIGITS)
    if kind == 6:
        return rng.choice(SIGNS)
    if kind == 7:
        return rng.choice(EMOJI)
    if kind == 8:
        return rng.choice(ODD)
    if kind == 9:
        return rng.choice(MARKS)
    if kind == 10 and fragments:
        content = rng.choice(fragments)
        cut = rng.random() < 0.25
        return content[: rng.randrange(len(content) + 1)] if cut else content
    if kind == 11:
        return rng.choice(TOKENS)
    code = rng.randrange(0x110000)
    return "?" if 0xD800 <= code < 0xE000 else chr(code)


def nasty(rng, fragments):
    return "".join(atom(rng, fragments) for _ in range(rng.choice([0, 1, 2, 3, 4, 6, 8, 12])))
