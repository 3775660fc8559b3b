"""Writes tests/text/data: what tokenizers 0.23.3 and transformers 5.23.0 make of nasty texts.

    python tools/oracle/tokenizer.py

Files (numbers are LEB128 varints, see tests/text/support.h):
  <name>.json, <name>/        the made-up tokenizers (GPT-2's own comes from models/gpt2)
  <name>.cases.gz             texts with their ids, and a hash of the character offsets
  long.cases.gz               the same for words of up to a megabyte
  <name>.decode.gz            hashes of the texts of random ids
  gpt2.codepoints             hashes of the ids of every code point, alone and between others
"""
import json
import os
import random
import shutil
import struct
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
warnings.filterwarnings("ignore")
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import GPT2Tokenizer

from fixture import DATA, GPT2, MASK, byte_chars, fnv, fold, varint, write_gz
from pipelines import bpe
from tokenizer_texts import ADDED, PROMPTS, nasty

SPLIT, PREFIX, NO_PREFIX, NO_OFFSETS = 1, 2, 4, 8
N_MERGES = 400


# ---- Writing ---------------------------------------------------------------------------------


def write_cases(name, size, roles, cases):
    """cases: (flags, text, ids, character offsets)."""
    out = bytearray(varint(size))
    for role in roles:
        out += varint(role + 1)
    out += varint(len(cases))
    for flags, text, ids, offsets in cases:
        raw = text.encode()
        out += varint(flags) + varint(len(raw)) + raw + varint(len(ids))
        for i in ids:
            out += varint(i)
        out += struct.pack("<I", fold(fnv(x for pair in offsets for x in pair)))
    write_gz(name + ".cases.gz", bytes(out))


# ---- The tokenizers --------------------------------------------------------------------------


def small_model(n=N_MERGES):
    """256 bytes and GPT-2's first n merges."""
    with open(os.path.join(GPT2, "merges.txt"), encoding="utf-8") as f:
        merges = [line.rstrip("\n") for line in f][1 : n + 1]
    vocab = {c: i for i, c in enumerate(byte_chars())}
    for merge in merges:
        vocab.setdefault(merge.replace(" ", ""), len(vocab))
    return vocab, merges


def added(content, **flags):
    entry = dict(id=0, content=content, single_word=False, lstrip=False, rstrip=False)
    return dict(entry, normalized=False, special=True, **{}) | flags


def template(before, after):
    def special(t):
        return {"SpecialToken": {"id": t, "type_id": 0}}

    return {
        "type": "TemplateProcessing",
        "single": [*map(special, before), {"Sequence": {"id": "A", "type_id": 0}}, *map(special, after)],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {},
    }


def tokenizer_json(vocab, merges, tokens=(), prefix=False, use_regex=True, post=None):
    level = {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": use_regex}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": list(tokens),
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": post,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": bpe(vocab, merges),
    }


def variants():
    vocab, merges = small_model()
    pairs = [m.split(" ") for m in merges]
    end = added("<|endoftext|>")
    flagged = [end] + [added(c, **flags) for c, flags in ADDED]
    both = template(["<s>"], ["</s>", "<|endoftext|>"])
    base = len(vocab)
    both["special_tokens"] = {
        t: {"id": t, "ids": [base + i], "tokens": [t]}
        for i, t in enumerate(["<|endoftext|>", "<s>", "</s>"])
    }
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    holes = {c: (i * 7 if i % 3 else i * 7 + 2) for c, i in vocab.items()}
    return {
        "strings": tokenizer_json(vocab, merges),
        "pairs": tokenizer_json(vocab, pairs, [end], prefix=True),
        "flags": tokenizer_json(vocab, merges, flagged),
        "template": tokenizer_json(
            vocab,
            pairs,
            [end, added("<s>", lstrip=True), added("</s>", rstrip=True, normalized=True)]
            + [added(c, **flags) for c, flags in ADDED],
            prefix=True,
            post={"type": "Sequence", "processors": [level, both]},
        ),
        "whole": tokenizer_json(vocab, merges, [end], use_regex=False),
        "holes": tokenizer_json(
            holes,
            merges,
            [
                added("Ġthe", special=False),
                added("Ġa", normalized=True),
                added("in"),
                added("<new>", lstrip=True),
            ],
        ),
    }


# ---- What they answer ------------------------------------------------------------------------


def ask(tokenizer, text, flags, prefix, use_regex=True):
    """One case; flags may ask for another add_prefix_space than the tokenizer's own."""
    wanted = True if flags & PREFIX else False if flags & NO_PREFIX else prefix
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=wanted, use_regex=use_regex)
    tokenizer.encode_special_tokens = bool(flags & SPLIT)
    encoding = tokenizer.encode(text)
    # A space that was added has no bytes in the text: the oracle gives it those of its neighbour.
    flags |= NO_OFFSETS * wanted
    return flags, text, encoding.ids, [] if wanted else encoding.offsets


def flags_of(i):
    return [0, 0, 0, 0, SPLIT, PREFIX, NO_PREFIX, SPLIT | PREFIX][i % 8]


def write_decode(name, decode, size, n=2000):
    """Random ids, half of them below 256, from a generator that the test has too."""
    state = 88172645463325252
    out = bytearray(varint(n))

    def draw():
        nonlocal state
        state ^= state << 13 & MASK
        state ^= state >> 7
        state ^= state << 17 & MASK
        return state

    for _ in range(n):
        ids = []
        for _ in range(draw() % 40):
            number = draw()
            ids.append(number % (256 if draw() % 2 else size))
        for skip in (False, True):
            out += struct.pack("<I", fold(fnv(decode(ids, skip).encode())))
    write_gz(name + ".decode.gz", bytes(out))


def write_variant(name, spec, rng):
    text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(DATA, name + ".json"), "w", encoding="utf-8") as out:
        out.write(text)
    tokenizer = Tokenizer.from_str(text)
    prefix, use_regex = (spec["pre_tokenizer"][k] for k in ("add_prefix_space", "use_regex"))
    fragments = [t["content"] for t in spec["added_tokens"]]
    cases = []
    for i in range(1500):
        cases.append(ask(tokenizer, nasty(rng, fragments), flags_of(i), prefix, use_regex))
    size = max(tokenizer.get_vocab().values()) + 1
    end = tokenizer.token_to_id("<|endoftext|>")
    end = -1 if end is None else end
    write_cases(name, size, (end, end, -1), cases)
    write_decode(name, lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip), size)


def gpt2():
    read = BPE.from_file(os.path.join(GPT2, "vocab.json"), os.path.join(GPT2, "merges.txt"))
    tokenizer = Tokenizer(read)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False, special=True)])
    return tokenizer


def write_gpt2(rng):
    tokenizer = gpt2()
    texts = PROMPTS + [nasty(rng, ["<|endoftext|>"]) for _ in range(10000)]
    cases = [ask(tokenizer, t, 0 if i < 9000 else flags_of(i), False) for i, t in enumerate(texts)]
    write_cases("gpt2", 50257, (50256, 50256, -1), cases)
    tokenizer = gpt2()
    write_decode("gpt2", lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip), 50257)
    out = bytearray()
    for first in range(0, 0x110000, 256):
        codes = [c for c in range(first, first + 256) if not 0xD800 <= c < 0xE000]
        for form in ("%s", "a%sb", " %s", "1%s "):
            hashed = 0xCBF29CE484222325
            for e in tokenizer.encode_batch_fast([form % chr(c) for c in codes]):
                hashed = fnv(e.ids, fnv([len(e.ids)], hashed))
            out += struct.pack("<I", fold(hashed))
    with open(os.path.join(DATA, "gpt2.codepoints"), "wb") as f:
        f.write(out)


def write_long(rng):
    """Words of up to a megabyte, which must not take time that grows with their square."""
    texts = ["a" * (1 << 20), " " * (1 << 20), "\n" * (1 << 19) + "x", "\U0001f600" * (1 << 18)]
    texts += ["ab" * (1 << 19), "\u65e5\u672c\u8a9e" * (1 << 16), "=" * 70001, "12" * (1 << 16)]
    texts += ["".join(rng.choice("etaoinshrdlu") for _ in range(1 << 16))]
    cases = [ask(gpt2(), text, NO_OFFSETS, False) for text in texts]
    cases = [(flags, text, ids, []) for flags, text, ids, _ in cases]
    write_cases("long", 50257, (50256, 50256, -1), cases)


def token(content, **flags):
    entry = dict(content=content, lstrip=False, normalized=False, rstrip=False, single_word=False)
    return entry | flags


FOLDERS = {
    "pair": {},
    "pair_roles": {
        "tokenizer_config.json": {
            "tokenizer_class": "GPT2Tokenizer",
            "add_prefix_space": True,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "additional_special_tokens": ["<mask>", "<s>"],
        }
    },
    "pair_decoder": {
        "tokenizer_config.json": {
            "tokenizer_class": "GPT2Tokenizer",
            "add_bos_token": True,
            "add_eos_token": True,
            "bos_token": "<s>",
            "pad_token": "<pad>",
            "added_tokens_decoder": {
                "9000": token("</s>", normalized=True, special=False),
                "700": token("<pad>", lstrip=True, special=True),
                "800": token("<s>", rstrip=True, special=True),
            },
        },
        "special_tokens_map.json": {"pad_token": "<mask>"},
    },
    "pair_map": {
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "eos_token": None},
        "special_tokens_map.json": {
            "pad_token": "<pad>",
            "bos_token": token("<s>", lstrip=True),
        },
        "added_tokens.json": {"<mask>": 657, "</s>": 656},
    },
}


def write_folder(name, files, rng):
    folder = os.path.join(DATA, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    vocab, merges = small_model()
    if name != "pair_roles":
        vocab["<|endoftext|>"] = len(vocab)
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump(vocab, f, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "\n".join(merges) + "\n")
    for file, content in files.items():
        with open(os.path.join(folder, file), "w", encoding="utf-8") as f:
            json.dump(content, f, indent=1)
    tokenizer = GPT2Tokenizer.from_pretrained(folder)
    fragments = ["<|endoftext|>", "<s>", "</s>", "<pad>", "<mask>"]
    cases = []
    for i in range(300):
        text = nasty(rng, fragments)
        encoding = tokenizer(text, split_special_tokens=i % 8 == 7)
        cases.append((NO_OFFSETS | SPLIT * (i % 8 == 7), text, encoding.input_ids, []))
    roles = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
    write_cases(name, len(tokenizer), [-1 if r is None else r for r in roles], cases)


def main():
    assert tokenizers.__version__ == "0.23.3", tokenizers.__version__
    os.makedirs(DATA, exist_ok=True)
    rng = random.Random(20240517)
    write_gpt2(rng)
    write_long(rng)
    for name, spec in variants().items():
        write_variant(name, spec, rng)
    for name, files in FOLDERS.items():
        write_folder(name, files, rng)


if __name__ == "__main__":
    main()
