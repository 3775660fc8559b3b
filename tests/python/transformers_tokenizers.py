"""Folders with tokenizers, for the tests of nextoken.transformers and for the oracles that made their figures:
GPT-2's in many forms, small ones in the forms of other families. Standard library only."""

import contextlib
import json
import pathlib
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GPT2 = ROOT / "models" / "gpt2"
DATA = ROOT / "tests" / "text" / "data"
END = "<|endoftext|>"


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def added(i, content, **flags):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **flags}


def gpt2_json(post, *more):
    """GPT-2's tokenizer.json with another post-processor, and these added tokens."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    merges = (GPT2 / "merges.txt").read_text(encoding="utf-8").split("\n")[1:]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added(50256, END), *more], "normalizer": None, "pre_tokenizer": level,
        "post_processor": post, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": json.loads((GPT2 / "vocab.json").read_text(encoding="utf-8")),
                  "merges": [line for line in merges if line]}}


def template(token, i):
    """A template with one token before a text, before its pair, and behind a single text."""
    special = [{"SpecialToken": {"id": token, "type_id": t}} for t in (0, 1)]
    texts = [{"Sequence": {"id": name, "type_id": t}} for t, name in enumerate("AB")]
    return {"type": "TemplateProcessing", "single": [special[0], texts[0], special[0]],
            "pair": [special[0], texts[0], special[1], texts[1]],
            "special_tokens": {token: {"id": token, "ids": [i], "tokens": [token]}}}


def llama_json():
    """A small tokenizer.json in the form of Llama's."""
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    words += ["▁", *"abcdefghijklmnopqrstuvwxyzHW.,é日"]
    merges = [["▁", "a"], ["▁", "H"], ["e", "l"], ["el", "l"], ["▁H", "ell"], ["▁Hell", "o"], ["w", "o"], ["▁", "wo"],
              ["l", "d"], ["r", "ld"], ["▁wo", "rld"], ["▁", "b"], ["▁", "l"], ["o", "n"], ["n", "g"], ["on", "g"]]
    words += [word for word in dict.fromkeys(a + b for a, b in merges) if word not in words]
    special = [{"SpecialToken": {"id": "<s>", "type_id": t}} for t in (0, 1)]
    texts = [{"Sequence": {"id": name, "type_id": t}} for t, name in enumerate("AB")]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added(i, words[i]) for i in range(3)], "normalizer": None,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
        "post_processor": {"type": "TemplateProcessing", "single": [special[0], texts[0]],
                           "pair": [special[0], texts[0], special[1], texts[1]],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": {word: i for i, word in enumerate(words)}, "merges": merges}}


CLASS = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 1024}
GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
PAD = added(50257, "<pad>")

#: name: (tokenizer_config.json or None, keywords of from_pretrained); of vocab.json and merges.txt.
PAIRS = {
    "pair": (CLASS, {}),
    "plain": (None, {}),
    "prefix": (CLASS, {"add_prefix_space": True}),
    "padded": (CLASS, {"pad_token": "<pad>", "padding_side": "left"}),
    "bos": ({**CLASS, "add_bos_token": True, "pad_token": END, "model_max_length": 12}, {}),
    "bos_eos": (CLASS, {"add_bos_token": True, "add_eos_token": True, "pad_token": END, "truncation_side": "left"}),
    "extra": ({**CLASS, "extra_special_tokens": ["<a>", "<b>"]}, {"bos_token": "<bos>"}),
}
#: name: (tokenizer_config.json, keywords, the post-processor of GPT-2's tokenizer.json)
FILES = {
    "file": ({**CLASS, "pad_token": "<pad>"}, {}, {**LEVEL, "trim_offsets": False}),
    "trimmed": ({**CLASS, "pad_token": "<pad>", "model_max_length": 20}, {}, LEVEL),
    "trimmed_prefix": (CLASS, {"add_prefix_space": True, "pad_token": END}, {**LEVEL, "add_prefix_space": True}),
    "roberta": ({**CLASS, "pad_token": "<pad>"}, {}, {
        "type": "RobertaProcessing", "sep": [END, 50256], "cls": ["!", 0], "trim_offsets": True,
        "add_prefix_space": False}),
    "template": ({**GENERIC, "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}, {},
                 template(END, 50256)),
}
#: name: (tokenizer_config.json, keywords), of llama_json()
LLAMA = {
    "llama": ({"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}, {"pad_token": "</s>"}),
    "llama_file": ({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}, {"pad_token": "</s>"}),
}
#: of tests/text/data: added tokens with every flag, strange templates and vocabularies
OTHERS = ("flags", "template", "whole", "pairs", "strings")

NAMES = [*PAIRS, *FILES, *LLAMA, *("data_" + name for name in OTHERS)]


def make(root, name):
    """(folder, keywords of from_pretrained) of one of them, made under root."""
    folder = pathlib.Path(root, name)
    folder.mkdir(parents=True, exist_ok=True)
    if name in PAIRS:
        config, kwargs = PAIRS[name]
        for file in ("vocab.json", "merges.txt"):
            (folder / file).symlink_to(GPT2 / file)
        write(folder / "config.json", {"model_type": "gpt2"})
    elif name in FILES:
        config, kwargs, post = FILES[name]
        write(folder / "tokenizer.json", gpt2_json(post, PAD))
    elif name in LLAMA:
        config, kwargs = LLAMA[name]
        write(folder / "tokenizer.json", llama_json())
    else:
        config, kwargs = GENERIC, {}
        (folder / "tokenizer.json").symlink_to(DATA / (name[len("data_"):] + ".json"))
    if config is not None:
        write(folder / "tokenizer_config.json", config)
    return str(folder), dict(kwargs)


@contextlib.contextmanager
def made(names=NAMES):
    """{name: (folder, keywords)} of all of them, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="nextoken-") as root:
        yield {name: make(root, name) for name in names}


# ---- Answers in one form ------------------------------------------------------------------------


def plain(value):
    """A value as numbers, strings, lists and dictionaries; an array as its type, shape and numbers."""
    if hasattr(value, "shape") and hasattr(value, "tolist"):
        return ["array", str(value.dtype).split(".")[-1], list(value.shape), plain(value.tolist())]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    return value


KINDS = (KeyError, IndexError, OverflowError, TypeError, ImportError, AttributeError, NotImplementedError, ValueError,
         OSError, AssertionError)


def error_of(error):
    """The kind of an error: the builtin that it is one of. A panic of tokenizers, and an error of its that is a
    plain Exception, stand for ValueError."""
    if type(error).__name__ == "PanicException" or type(error) is Exception:
        return "error: ValueError"
    return "error: " + next((kind.__name__ for kind in KINDS if isinstance(error, kind)), type(error).__name__)


def asked_of(encoding, row, chars, tokens, words):
    """What a BatchEncoding says of tokens, words and characters of a row."""
    one = encoding.encodings[row]
    said = {"tokens": encoding.tokens(row), "words": encoding.word_ids(row), "sequences": encoding.sequence_ids(row),
            "n_sequences": encoding.n_sequences, "rows": len(encoding.encodings), "types": one.type_ids,
            "mask": one.special_tokens_mask, "offsets": plain(one.offsets), "repr": repr(one)}
    calls = [("char_to_token", i) for i in chars] + [("char_to_word", i) for i in chars]
    calls += [("word_to_tokens", i) for i in words] + [("word_to_chars", i) for i in words]
    for name, i in calls:
        for sequence in (0, 1):
            said[f"{name} {i} {sequence}"] = _tried(getattr(encoding, name), row, i, sequence)
    for name in ("token_to_chars", "token_to_word", "token_to_sequence"):
        for i in tokens:
            said[f"{name} {i}"] = _tried(getattr(encoding, name), row, i)
    return said


def _tried(function, *args):
    try:
        return plain(function(*args))
    except (TypeError, IndexError, ValueError) as error:
        return error_of(error)


ATTRIBUTES = ("vocab_size", "model_max_length", "padding_side", "truncation_side", "special_tokens_map",
              "all_special_tokens", "all_special_ids", "bos_token", "bos_token_id", "eos_token_id", "pad_token",
              "pad_token_id", "unk_token_id", "extra_special_tokens", "is_fast", "max_len_single_sentence",
              "max_len_sentences_pair", "clean_up_tokenization_spaces", "model_input_names", "pad_token_type_id")


def about(tokenizer):
    """What a tokenizer says of itself."""
    said = {name: getattr(tokenizer, name) for name in ATTRIBUTES}
    said.update(len=len(tokenizer), kind=type(tokenizer).__name__, added=tokenizer.get_added_vocab(),
                n_special=[tokenizer.num_special_tokens_to_add(pair) for pair in (False, True)],
                decoder={str(i): repr(token) for i, token in tokenizer.added_tokens_decoder.items()},
                text=repr(tokenizer).split(", ", 1)[1])  # without the folder's name
    return plain(said)
