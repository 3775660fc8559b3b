"""Made-up tokenizer.json files: the shapes that model families have, and random combinations of all
components. The same ones in every run. Used by tokenizer_files.py and tokenizer_sweep.py.

A pipeline is (name, number of its model, sections without the model)."""

import json
import random
from collections import Counter

from tokenizers import Tokenizer

from tokenizer_texts import DIGITS, LETTERS, PROMPTS, SIGNS, SPACES, WORDS
from fixture import byte_chars

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
CL100K = (
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
    r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
QWEN2 = CL100K.replace("{1,3}", "")
O200K = (
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
    r"""|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
    r"""|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
BLOOM = r""" ?[^(\s|[.,!?…。，、।۔،])]+"""
DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"""| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
)
QWEN35 = QWEN2.replace(r"\p{L}+", r"[\p{L}\p{M}]+")
REGEXES = [GPT2, CL100K, QWEN2, O200K, BLOOM, DEEPSEEK, QWEN35]
REGEXES += [r"\s+", r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+", r"\p{Han}+", r"[[:punct:]]", r"\d", r"(?=[A-Z])", r"\b", r"x*", r"\w+|[^\w\s]+"]
REGEXES += [r"(?i)the", r"[^\S\n]+", r"(?<=a)b", r"\p{Lu}\p{Ll}*", r" ", r"\n+", r".", r"(\p{L})\1", r"'", r"[a-z&&[^aeiou]]+", r"\h+"]


# ---- Models ----------------------------------------------------------------------------------


def sample_words():
    rng = random.Random(5)
    text = []
    for prompt in PROMPTS:
        text += prompt.split(" ")
    return [w for w in text + WORDS * 3 if w] + [rng.choice(text) for _ in range(400)]


def byte_model(gpt2_merges, n=400, **fields):
    merges = gpt2_merges[:n]
    vocab = {c: i for i, c in enumerate(byte_chars())}
    for merge in merges:
        vocab.setdefault(merge.replace(" ", ""), len(vocab))
    if fields.get("ignore_merges"):
        vocab.setdefault("Ġunicorn", len(vocab))
        vocab.setdefault("hello", len(vocab))
    return bpe(vocab, [m.split(" ") for m in merges], **fields)


def bpe(vocab, merges, **fields):
    model = dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None)
    model |= dict(end_of_word_suffix=None, fuse_unk=False, byte_fallback=False, ignore_merges=False)
    return model | fields | dict(vocab=vocab, merges=merges)


def learned(prefix="", suffix="", size=330, space="▁"):
    """Vocabulary and merges of BPE's own training on a few words (tokenizers' trainer breaks ties by chance)."""
    alphabet = sorted(set("".join(LETTERS + SIGNS + DIGITS)))[::2]
    words = []
    for word in sample_words():
        chars = list(space + word.lstrip())
        chars = [chars[0]] + [prefix + c for c in chars[1:]]
        words.append(chars[:-1] + [chars[-1] + suffix])
    vocab = {c: i for i, c in enumerate(dict.fromkeys(alphabet + sorted({c for word in words for c in word})))}
    merges = []
    while len(vocab) < size:
        counts = Counter((word[i], word[i + 1]) for word in words for i in range(len(word) - 1))
        (left, right), _ = min(counts.items(), key=lambda item: (-item[1], item[0]))
        whole = left + right[len(prefix) :]
        merges.append([left, right])
        vocab.setdefault(whole, len(vocab))
        words = [merged(word, left, right, whole) for word in words]
    return vocab, merges


def merged(word, left, right, whole):
    out = []
    for piece in word:
        if out and out[-1] == left and piece == right:
            out[-1] = whole
        else:
            out.append(piece)
    return out


def with_bytes(vocab, first=("<unk>", "<s>", "</s>")):
    """Room for special tokens and the 256 byte tokens in front, as Llama's files have it."""
    names = list(first) + ["<0x%02X>" % b for b in range(256)]
    names += [t for t, _ in sorted(vocab.items(), key=lambda item: item[1]) if t not in names]
    return {name: i for i, name in enumerate(names)}


def unigram(rng, unk=0, **fields):
    pieces = ["<unk>", "<s>", "</s>"] + (["<0x%02X>" % b for b in range(256)] if fields.get("byte_fallback") else [])
    seen = set(pieces)
    source = ["▁" + w.strip() for w in sample_words()] + ["ab", "aab", "日本", "日本語", "▁▁", "▁"]
    for word in source:
        for _ in range(3):
            a = rng.randrange(len(word))
            piece = word[a : a + rng.choice([1, 1, 2, 3, 5, 9])]
            if piece not in seen:
                seen.add(piece)
                pieces.append(piece)
    scores = [0.0] * 3 + [round(-1 - 12 * rng.random(), rng.choice([1, 4])) for _ in pieces[3:]]
    return dict(type="Unigram", unk_id=unk, vocab=[list(p) for p in zip(pieces, scores)]) | fields


def word_level():
    words = ["[UNK]", "<s>", "</s>"] + sorted({w.strip() for w in sample_words()} | set("abcdefghij.,!0123456789▁Ġ"))
    words += ["▁the", "Ġthe", "Ġworld", "▁world"]
    return dict(type="WordLevel", vocab={w: i for i, w in enumerate(dict.fromkeys(words))}, unk_token="[UNK]")


def models(gpt2_merges):
    rng = random.Random(11)
    vocab, merges = learned()
    bytes_vocab = with_bytes(vocab)
    unk_vocab = {"<unk>": len(vocab)} | vocab
    p_vocab, p_merges = learned(prefix="##")
    s_vocab, s_merges = learned(suffix="</w>")
    b_vocab, b_merges = learned(prefix="@", suffix="_")
    some_bytes = [t for t in bytes_vocab if not (t.startswith("<0x8") or t == "<0xE2>")]
    some_bytes = {t: i for i, t in enumerate(some_bytes)}
    return [
        byte_model(gpt2_merges),
        byte_model(gpt2_merges, 600, ignore_merges=True),
        bpe(bytes_vocab, merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"),
        bpe(bytes_vocab, merges, byte_fallback=True),
        bpe(unk_vocab, merges, unk_token="<unk>"),
        bpe(unk_vocab, merges, unk_token="<unk>", fuse_unk=True, ignore_merges=True),
        bpe(p_vocab | {"<unk>": len(p_vocab)}, p_merges, unk_token="<unk>", continuing_subword_prefix="##"),
        bpe(s_vocab | {"<unk>": len(s_vocab)}, s_merges, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True),
        bpe(b_vocab | {"?": len(b_vocab)} if "?" not in b_vocab else b_vocab, b_merges, unk_token="?",
            continuing_subword_prefix="@", end_of_word_suffix="_"),
        bpe(some_bytes, merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"),
        word_level(),
        unigram(rng),
        unigram(rng, byte_fallback=True),
        unigram(rng, unk=2, byte_fallback=False),
    ]


BYTE_MODELS, CHAR_MODELS = [0, 1], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


# ---- Sections --------------------------------------------------------------------------------


def byte_level(prefix=False, regex=True, trim=True):
    return dict(type="ByteLevel", add_prefix_space=prefix, trim_offsets=trim, use_regex=regex)


def split(pattern, behavior="Isolated", invert=False):
    return dict(type="Split", pattern=pattern, behavior=behavior, invert=invert)


def regex(pattern):
    return dict(Regex=pattern)


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


def metaspace(scheme="always", cut=True, replacement="▁"):
    return dict(type="Metaspace", replacement=replacement, prepend_scheme=scheme, split=cut)


def replace(pattern, content):
    return dict(type="Replace", pattern=pattern, content=content)


def strip(content=" ", start=1, stop=0):
    return dict(type="Strip", content=content, start=start, stop=stop)


FALLBACK, FUSE = dict(type="ByteFallback"), dict(type="Fuse")
LLAMA_DECODER = sequence("decoders", replace(dict(String="▁"), " "), FALLBACK, FUSE, strip())


def added(content, special=True, **flags):
    entry = dict(id=0, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=special)
    return entry | flags


def template(vocab, before, after, pair_middle=(), tokens=()):
    """`tokens`: added ones; their ids follow the vocabulary's unless it has them."""
    ids = dict(vocab)
    for token in tokens:
        ids.setdefault(token["content"], len(ids))

    def special(name, kind=0):
        return {"SpecialToken": {"id": name, "type_id": kind}}

    def text(name, kind=0):
        return {"Sequence": {"id": name, "type_id": kind}}

    single = [*map(special, before), text("A"), *map(special, after)]
    pair = [*map(special, before), text("A"), *map(special, pair_middle), text("B", 1)]
    pair += [special(name, 1) for name in after]
    names = dict.fromkeys([*before, *after, *pair_middle])
    return dict(
        type="TemplateProcessing", single=single, pair=pair,
        special_tokens={n: dict(id=n, ids=[ids[n]], tokens=[n]) for n in names},
    )


def sections(normalizer=None, pre=None, post=None, decoder=None, tokens=(), truncation=None, padding=None):
    return dict(
        version="1.0", truncation=truncation, padding=padding, added_tokens=list(tokens),
        normalizer=normalizer, pre_tokenizer=pre, post_processor=post, decoder=decoder,
    )


def families(all_models):
    """The shapes of section 8 of the families' table."""
    level = byte_level()
    end, bos, eos, unk = (added(t) for t in ("<|endoftext|>", "<s>", "</s>", "<unk>"))
    spaces = [added(" " * n, special=False, normalized=True) for n in (2, 3, 4, 8)]
    llama_tokens = [unk, bos, eos]
    llama_post = template(all_models[2]["vocab"], ["<s>"], [], ["<s>"], llama_tokens)
    llama3_post = template(all_models[1]["vocab"], ["<|begin|>"], [], ["<|begin|>"], [added("<|begin|>")])
    nfc = dict(type="NFC")

    def known(pattern):
        return sequence("pretokenizers", split(regex(pattern)), byte_level(regex=False))

    return [
        ("gpt2", 0, sections(None, level, byte_level(trim=False), level, [end])),
        ("gpt2-prefix", 0, sections(None, byte_level(prefix=True), byte_level(), level, [end])),
        ("neox", 0, sections(nfc, level, byte_level(), level, [end, *spaces])),
        ("smollm", 0, sections(None, sequence("pretokenizers", dict(type="Digits", individual_digits=True), level), None, level, [end])),
        ("llama3", 1, sections(None, known(CL100K), sequence("processors", byte_level(), llama3_post), level, [added("<|begin|>")])),
        ("qwen2", 0, sections(nfc, known(QWEN2), byte_level(trim=False), level, [end])),
        ("qwen35", 0, sections(nfc, known(QWEN35), byte_level(trim=False), level, [end])),
        ("o200k", 0, sections(None, known(O200K), None, level, [end])),
        ("bloom", 0, sections(None, known(BLOOM), byte_level(), level, [end])),
        ("deepseek", 0, sections(None, sequence("pretokenizers", split(regex(r"\p{N}{1,3}")), split(regex(r"[一-龥぀-ゟ゠-ヿ]+")),
                                                split(regex(DEEPSEEK)), byte_level(regex=False)), None, level, [end])),
        ("llama2", 2, sections(None, metaspace("first", False), llama_post, LLAMA_DECODER, llama_tokens)),
        ("llama1", 2, sections(sequence("normalizers", dict(type="Prepend", prepend="▁"), replace(dict(String=" "), "▁")),
                               None, llama_post, LLAMA_DECODER, llama_tokens)),
        ("mistral", 2, sections(None, metaspace("always", False), llama_post, LLAMA_DECODER, llama_tokens)),
        ("gemma", 3, sections(replace(dict(String=" "), "▁"), split(dict(String=" "), "MergedWithPrevious"), llama_post,
                              sequence("decoders", replace(dict(String="▁"), " "), FALLBACK, FUSE),
                              [bos, eos, added("\n\n", special=False), added("▁▁", special=False)])),
        ("t5", 11, sections(sequence("normalizers", dict(type="NFKC"), replace(regex(" {2,}"), " ")), metaspace(), None, metaspace(), [unk, eos])),
        ("words", 10, sections(sequence("normalizers", dict(type="NFD"), dict(type="StripAccents"), dict(type="Lowercase")),
                               dict(type="Whitespace"), None, None, [added("[UNK]"), bos])),
    ]


class Maker:
    """Random sections for one model."""

    def __init__(self, rng, all_models):
        self.rng, self.models = rng, all_models

    def flag(self):
        return self.rng.random() < 0.5

    @staticmethod
    def leaves(normalizer, content):
        try:
            return normalizer.normalize_str(content) != ""
        except BaseException:  # a panic
            return False

    def pattern(self):
        if self.rng.random() < 0.3:
            return dict(String=self.rng.choice([" ", "a", "▁", "\n", "the", "''", ".", "é", "aa"]))
        return regex(self.rng.choice(REGEXES))

    def normalizer(self, depth=0):
        rng = self.rng
        kind = rng.randrange(12 if depth == 0 else 9)
        if kind < 4:
            return dict(type=["NFC", "NFD", "NFKC", "NFKD"][kind])
        if kind == 4:
            return dict(type="Prepend", prepend=rng.choice(["▁", " ", "ab", "é"]))
        if kind == 5:
            return replace(self.pattern(), rng.choice(["▁", "", "é", "xy", " "]))
        if kind == 6:
            return dict(type="Lowercase")
        if kind == 7:
            return dict(type="Strip", strip_left=self.flag(), strip_right=self.flag())
        if kind == 8:
            return dict(type="StripAccents")
        return sequence("normalizers", *(self.normalizer(1) for _ in range(rng.choice([0, 1, 2, 3, 4]))))

    def behavior(self):
        return self.rng.choice(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"])

    def cutter(self):
        rng = self.rng
        kind = rng.randrange(8)
        if kind < 3:
            return split(self.pattern(), self.behavior(), self.flag())
        if kind == 3:
            return dict(type="Digits", individual_digits=self.flag())
        if kind == 4:
            return metaspace(rng.choice(["first", "never", "always"]), self.flag(), rng.choice(["▁", "▁", "_"]))
        if kind == 5:
            return dict(type="Punctuation", behavior=self.behavior())
        return dict(type=["Whitespace", "WhitespaceSplit"][kind - 6])

    def pre_tokenizer(self, byte_model):
        rng = self.rng
        parts = [self.cutter() for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
        if byte_model and rng.random() < 0.9:  # else some characters have no token
            parts.append(byte_level(self.flag(), self.flag(), self.flag()))
            if rng.random() < 0.1:
                parts.append(self.cutter())
        if not parts:
            return None
        if len(parts) == 1 and self.flag():
            return parts[0]
        if len(parts) > 2 and rng.random() < 0.3:
            parts = [parts[0], sequence("pretokenizers", *parts[1:])]
        return sequence("pretokenizers", *parts)

    def tokens(self):
        rng = self.rng
        contents = ["<s>", "</s>", "<pad>", "<x>", "the", "a", "  ", "\n", "é", "É", "x y", "▁", "日本", "1", "<s", "'s"]
        chosen = rng.sample(contents, rng.choice([0, 1, 2, 3, 5, 8]))
        result = [added(c, self.flag(), normalized=self.flag()) for c in chosen]
        for token in result:
            for name in ("single_word", "lstrip", "rstrip"):
                token[name] = rng.random() < 0.25
        return result

    def post(self, model, tokens):
        rng = self.rng
        kind = rng.randrange(5)
        level = byte_level(self.flag(), True, self.flag())
        if kind == 0 or model["type"] == "Unigram":
            return rng.choice([None, level])
        if kind == 1:
            return level
        fresh = [t for t in tokens if t["content"] not in model["vocab"]]
        names = [t["content"] for t in fresh] or [next(iter(model["vocab"]))]
        # ids of added tokens are given in the order in which they are added
        some = template(model["vocab"], rng.sample(names, rng.randrange(min(3, len(names) + 1))),
                        rng.sample(names, rng.randrange(min(3, len(names) + 1))), names[:1], fresh)
        if kind == 2:
            return some
        return sequence("processors", *([level, some] if self.flag() else [some, level]))

    def decoder(self, byte_model):
        rng = self.rng
        if byte_model and rng.random() < 0.7:
            return byte_level()
        parts = []
        for _ in range(rng.choice([0, 1, 2, 3, 4])):
            kind = rng.randrange(6)
            parts.append(
                byte_level() if kind == 0
                else metaspace(rng.choice(["first", "never", "always"]), self.flag()) if kind == 1
                else FALLBACK if kind == 2
                else replace(self.pattern(), rng.choice([" ", "", "é"])) if kind == 3
                else FUSE if kind == 4
                else strip(rng.choice([" ", "a", "▁"]), rng.randrange(3), rng.randrange(3))
            )
        if rng.random() < 0.3:
            return LLAMA_DECODER
        if not parts and self.flag():
            return None
        return parts[0] if len(parts) == 1 and self.flag() else sequence("decoders", *parts)

    def truncation(self):
        rng = self.rng
        if rng.random() < 0.85:
            return None
        most = rng.choice([6, 9, 15, 40])
        return dict(direction=rng.choice(["Left", "Right"]), max_length=most, strategy="LongestFirst", stride=rng.choice([0, 0, 1, 2]))

    def padding(self):
        rng = self.rng
        if rng.random() < 0.85:
            return None
        return dict(
            strategy=rng.choice(["BatchLongest", {"Fixed": 12}, {"Fixed": 40}]), direction=rng.choice(["Left", "Right"]),
            pad_to_multiple_of=rng.choice([None, None, 8]), pad_id=rng.choice([0, 5]), pad_type_id=rng.choice([0, 1]), pad_token="x",
        )

    def make(self, number):
        byte_model = self.rng.random() < 0.4
        model = self.rng.choice(BYTE_MODELS if byte_model else CHAR_MODELS)
        tokens = self.tokens()
        normalizer = self.normalizer() if self.flag() else None
        if normalizer:  # on an added token of which nothing is left the oracle panics or never ends
            left = Tokenizer.from_str(json.dumps(sections(normalizer) | {"model": self.models[0]})).normalizer
            for token in tokens:
                token["normalized"] = token["normalized"] and self.leaves(left, token["content"])
        return (
            "random-%d" % number,
            model,
            sections(
                normalizer,
                self.pre_tokenizer(byte_model),
                self.post(self.models[model], tokens),
                self.decoder(byte_model),
                tokens,
                self.truncation(),
                self.padding(),
            ),
        )


def pipelines(all_models, n=200):
    """All families, then random ones up to n."""
    maker = Maker(random.Random(2026), all_models)
    result = families(all_models)
    while len(result) < n:
        result.append(maker.make(len(result)))
    return result


def fragments(pipeline):
    return [t["content"] for t in pipeline[2]["added_tokens"]] + ["▁", "▁▁", "##", "</w>", "<0x41>", "<unk>", *SPACES[:3]]
