"""Writes tests/text/data/post.json.gz and readings.json.gz: what tokenizers 0.23.3 puts around a text,
where it cuts and pads; and what transformers 5.23.0 makes of a folder.

    python tools/oracle/post.py

post.json.gz     {"base": tokenizer.json, "runs": [{"tokenizer": its other parts, "cases": [...]}]}: a case
                 has the tokens of one text or two with nothing around them (`a`, `b`: [ids, byte
                 starts, byte ends]) and the windows that come out: [ids, type ids, marks, character
                 starts, character ends] or a word of the error
readings.json.gz [{"files": {name: JSON}, "texts": [[text, ids]], "roles": [bos, eos, pad], ...}]
"""
import gzip
import itertools
import json
import os
import random
import tempfile
import warnings

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["RUST_BACKTRACE"] = "0"
warnings.filterwarnings("ignore")
import tokenizers
import transformers
from tokenizers import Tokenizer
from fixture import byte_chars
from pipelines import bpe

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DATA = os.path.join(ROOT, "tests", "text", "data")


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(DATA, name), "wb") as out:
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as f:
            f.write(text.encode())


MERGES = ["Ġ t", "h e", "Ġt he", "Ġ a", "Ġ Ġ", "ĠĠ ĠĠ", "a Ġ", "Ã ©", "2 0", "▁ t", "▁t he"]
VOCAB = {c: i for i, c in enumerate(byte_chars())}
VOCAB["▁"] = 256
for merge in MERGES:
    VOCAB[merge.replace(" ", "")] = len(VOCAB)
VOCAB["<unk>"] = len(VOCAB)
for byte in range(256):
    VOCAB["<0x%02X>" % byte] = len(VOCAB)
N = len(VOCAB)


def added(content, n=0, **flags):
    entry = dict(id=N + n, content=content, single_word=False, lstrip=False, rstrip=False)
    return dict(entry, normalized=False, special=True) | flags


def level(prefix=False, trim=True, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def spec(**parts):
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added("<s>"), added("</s>", 1), added("<m>", 2, lstrip=True, rstrip=True)],
        "normalizer": None,
        "pre_tokenizer": level(),
        "post_processor": None,
        "decoder": level(),
        "model": bpe(VOCAB, MERGES),
    } | parts


# ---- Post-processing -------------------------------------------------------------------------


def piece(token, type_id=0):
    kind = "Sequence" if token in "AB" else "SpecialToken"
    return {kind: {"id": token, "type_id": type_id}}


def template(single, pair):
    tokens = {"<s>": [N], "</s>": [N + 1], "two": [N + 1, N]}
    return {
        "type": "TemplateProcessing",
        "single": [piece(*p) for p in single],
        "pair": [piece(*p) for p in pair],
        "special_tokens": {
            t: {"id": t, "ids": ids, "tokens": ["?"] * len(ids)} for t, ids in tokens.items()
        },
    }


PLAIN = template([("<s>",), ("A",)], [("<s>",), ("A",), ("<s>", 1), ("B", 1)])
BOTH = template([("<s>", 3), ("A", 4), ("two", 5)], [("two", 1), ("B", 6), ("</s>",), ("A", 2), ("<s>", 7)])
TWICE = template([("A",), ("</s>",), ("A", 1)], [("A", 2), ("B",), ("A", 3)])
CLS = {"sep": ["</s>", N + 1], "cls": ["<s>", N]}


def sequence(*processors):
    return {"type": "Sequence", "processors": list(processors)}


POSTS = [
    (None, False),
    (level(trim=True), False),
    (level(prefix=True, trim=True), True),
    (level(prefix=True, trim=False), True),
    (PLAIN, False),
    (BOTH, True),
    (TWICE, False),
    (sequence(), False),
    (sequence(level(trim=True), PLAIN), False),
    (sequence(BOTH, level(prefix=True, trim=True)), True),
    (sequence(sequence(level(trim=False)), sequence(level(trim=True), TWICE)), False),
    ({"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": True} | CLS, True),
    ({"type": "RobertaProcessing", "trim_offsets": False, "add_prefix_space": False} | CLS, False),
    ({"type": "BertProcessing"} | CLS, False),
]
ALPHABET = ["a", " ", "  ", "the", " the", "é", "日本", "\U0001f600", "\n", "\u00a0"]
ALPHABET += ["<m>", " <m> ", "</s>", "20", "\u3000"]


def nasty(rng, n):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(n)))


def flat(encoding):
    """The windows in the order of the first level: deeper ones repeat them."""
    out = []
    for e in [encoding, *encoding.overflowing]:
        starts, ends = zip(*e.offsets) if e.offsets else ((), ())
        marks = []
        for special, attention, of in zip(e.special_tokens_mask, e.attention_mask, e.sequence_ids):
            marks.append(2 if not attention else special)
        out.append([e.ids, e.type_ids, marks, list(starts), list(ends)])
    return out


def tokens(tokenizer, text):
    """With nothing around them; offsets in bytes."""
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_truncation()
    plain.no_padding()
    plain.post_processor = tokenizers.processors.Sequence([])
    e = plain.encode(text)
    at = [len(text[:i].encode()) for i in range(len(text) + 1)]
    return [e.ids, [at[s] for s, _ in e.offsets], [at[t] for _, t in e.offsets]]


def error_word(error):
    text = str(error)
    for word in ("stride", "too short", "Second sequence"):
        if word in text:
            return word
    raise error


def post_case(tokenizer, n_added, text, pair, special):
    case = {"text": text, "pair": pair, "special": special, "a": tokens(tokenizer, text)}
    if pair is not None:
        case["b"] = tokens(tokenizer, pair)
    truncation = tokenizer.truncation
    if truncation and special and truncation["max_length"] < n_added[pair is not None]:
        # tokenizers does not cut at all then; the header promises an error.
        return case | {"error": "no room"}
    try:
        return case | {"windows": flat(tokenizer.encode(text, pair, add_special_tokens=special))}
    except BaseException as error:
        return case | {"error": error_word(error)}


def truncations(rng):
    yield None
    for strategy in ("LongestFirst", "LongestFirst", "OnlyFirst", "OnlySecond"):
        for side in ("Left", "Right"):
            yield {
                "max_length": rng.choice([0, 2, 3, 5, 6, 7, 8, 10, 12]),
                "strategy": strategy,
                "stride": rng.choice([0, 0, 1, 1, 2, 3]),
                "direction": side,
            }


def paddings(rng):
    strategy = rng.choice(["BatchLongest", {"Fixed": rng.choice([0, 3, 9, 20])}])
    return {
        "strategy": strategy,
        "direction": rng.choice(["Left", "Right"]),
        "pad_to_multiple_of": rng.choice([None, 0, 4, 7]),
        "pad_id": N + 1,
        "pad_type_id": 9,
        "pad_token": "?",
    }


def write_post(rng):
    out = []
    for post, prefix in POSTS:
        for truncation in truncations(rng):
            padding = paddings(rng) if rng.random() < 0.4 else None
            parts = dict(post_processor=post, truncation=truncation, padding=padding)
            tokenizer = Tokenizer.from_str(json.dumps(spec(pre_tokenizer=level(prefix), **parts)))
            n_added = [tokenizer.num_special_tokens_to_add(is_pair=pair) for pair in (False, True)]
            cases = []
            for i in range(8):
                pair = nasty(rng, 8) if i % 2 else None
                cases.append(post_case(tokenizer, n_added, nasty(rng, 12), pair, i % 4 < 3))
            out.append({"tokenizer": parts, "cases": cases})
    write("post.json.gz", {"base": spec(), "runs": out})


# ---- Readings --------------------------------------------------------------------------------

DIGITS = {
    "type": "Sequence",
    "pretokenizers": [{"type": "Digits", "individual_digits": True}, level()],
}
META = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
LLAMA_DECODER = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ],
}
FALLBACK = spec()["model"] | {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}


def token(content, **flags):
    entry = dict(content=content, lstrip=False, normalized=False, rstrip=False, single_word=False)
    return entry | {"special": True} | flags


def folders():
    """(tokenizer.json, tokenizer_config.json, other files)"""
    bytelevel = spec(pre_tokenizer=DIGITS, post_processor=sequence(level(), PLAIN))
    bytelevel["model"] = bytelevel["model"] | {"ignore_merges": True}
    meta = spec(pre_tokenizer=META, decoder=LLAMA_DECODER, model=FALLBACK, post_processor=PLAIN)
    plain = spec(pre_tokenizer=DIGITS)
    cut = {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    pad = {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": None}
    pad |= {"pad_id": N, "pad_type_id": 0, "pad_token": "<s>"}
    listed = {
        str(N + 5): token("</s>", normalized=True, special=False),
        str(N): token("<s>", rstrip=True),
        str(N + 3): token("<new>", special=False, normalized=True),
    }
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    yield bytelevel, None, {}
    yield bytelevel, {"add_prefix_space": True}, {"config.json": {"model_type": "gpt2"}}
    classes = ["GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer", "GPTNeoXTokenizerFast"]
    classes += ["Qwen2Tokenizer", "Qwen3_5Tokenizer", "GemmaTokenizerFast", "LlamaTokenizerFast"]
    classes += ["PreTrainedTokenizerFast", "TokenizersBackend", "BloomTokenizerFast"]
    for name in classes:
        for base in (bytelevel, plain, meta):
            yield base, {"tokenizer_class": name}, {}
            with_roles = {"tokenizer_class": name, "add_prefix_space": True, "add_bos_token": True}
            yield base, with_roles | roles, {}
            with_list = {"tokenizer_class": name, "added_tokens_decoder": listed}
            yield base, with_list | {"add_prefix_space": False, "eos_token": "</s>"}, {}
    for name in ("GPT2Tokenizer", "PreTrainedTokenizerFast", "LlamaTokenizer"):
        base = meta if name == "LlamaTokenizer" else plain
        yield base | {"truncation": cut, "padding": pad}, {"tokenizer_class": name}, {}
        extra = {"bos_token": None, "image_token": "<img>"}
        extra["extra_special_tokens"] = ["<e1>", "<s>", "<e2>"]
        yield base, {"tokenizer_class": name} | extra, {}
        yield base, {"tokenizer_class": name, "additional_special_tokens": ["<e3>"]}, {}
        yield base, {"tokenizer_class": name, "extra_special_tokens": {"video": "<v>", "audio": "<a>"}}, {}
        maps = {"pad_token": token("<m>") | {"special": True}, "eos_token": "<m>"}
        maps["pad_token"].pop("special")
        listed_file = {"<z>": N + 9, "<y>": N + 8}
        files = {"special_tokens_map.json": maps, "added_tokens.json": listed_file}
        yield base, {"tokenizer_class": name}, files
    for legacy in (True, False, None):
        yield meta, {"tokenizer_class": "LlamaTokenizer", "legacy": legacy}, {}
    models = ["llama", "qwen2", "gpt_bigcode", "gpt_neox", "olmo2", "phi3", "mistral", "gemma3_text"]
    names = [None, "GPT2Tokenizer", "LlamaTokenizer", "PreTrainedTokenizerFast", "Qwen2TokenizerFast"]
    for model in [*models, "phi", "bogus", "qwen3_5", ""]:
        for name in names:
            config = {"tokenizer_class": name} if name else None
            yield meta, config, {"config.json": {"model_type": model}}
    yield plain, None, {"config.json": {"model_type": "llama", "tokenizer_class": "GPT2TokenizerFast"}}


TEXTS = ["the 20 the", " the<s> the 20</s>", "a\u00e9 \u65e5\u672c", "<m> <new> 2024  the"]
TEXTS += ["t<|endoftext|>he <pad>", "<img><e1><e2><e3><v><a><z><y>", "<bos> the\n\n<unk><|padding|>"]
TEXTS += ["", " ", "e\u0301"]


def write_readings():
    out = []
    for base, config, files in folders():
        files = {"tokenizer.json": base} | files
        if config is not None:
            files["tokenizer_config.json"] = config
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    json.dump(content, f, ensure_ascii=False)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        roles = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
        texts = []
        for text in TEXTS:
            ids = tokenizer(text).input_ids
            # Characters that a model has no token for are left out in silence there.
            texts.append([text, ids, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)])
        out.append(
            {
                "class": type(tokenizer).__name__,
                "files": files,
                "texts": texts,
                "roles": [-1 if r is None else r for r in roles],
                "added": tokenizer.get_added_vocab(),
            }
        )
    write("readings.json.gz", out)


def main():
    assert tokenizers.__version__ == "0.23.3" and transformers.__version__ == "5.23.0"
    write_post(random.Random(5))
    write_readings()


if __name__ == "__main__":
    main()
