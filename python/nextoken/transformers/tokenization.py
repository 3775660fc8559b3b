"""The tokenizer classes of transformers that nextoken has, and AutoTokenizer."""

import os

from .backend import Source
from .files import TOKENIZER, Where, locate, read_json
from .tokenizers_backend import TokenizersBackend

__all__ = ["AutoTokenizer", "CodeGenTokenizer", "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizer",
           "GPTNeoXTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast", "LlamaTokenizer", "LlamaTokenizerFast",
           "PreTrainedTokenizerFast", "Qwen2Tokenizer", "Qwen2TokenizerFast", "TokenizersBackend"]

END = "<|endoftext|>"

PreTrainedTokenizerFast = TokenizersBackend


class GPT2Tokenizer(TokenizersBackend):
    """GPT-2's byte pairs: vocabulary and merges of the files, everything else the class's own."""

    vocab_files_names = {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
    _roles = {"unk_token": END, "bos_token": END, "eos_token": END, "pad_token": None}
    _takes_file = False


class CodeGenTokenizer(GPT2Tokenizer):
    """CodeGen's, which is GPT-2's."""


class GPTNeoXTokenizer(GPT2Tokenizer):
    """GPT-NeoX's (Pythia's) byte pairs."""

    _roles = {"unk_token": END, "bos_token": END, "eos_token": END, "pad_token": "<|padding|>"}


class LlamaTokenizer(TokenizersBackend):
    """The byte pairs of Llama 1 and 2."""

    vocab_files_names = {"vocab_file": "tokenizer.model", "tokenizer_file": "tokenizer.json"}
    padding_side = "left"
    _roles = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    _takes_file = False
    _add_prefix_space = True


class GemmaTokenizer(TokenizersBackend):
    """Gemma's byte pairs."""

    padding_side = "left"
    _roles = {"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
              "mask_token": "<mask>"}
    _takes_file = False


class Qwen2Tokenizer(TokenizersBackend):
    """Qwen's byte pairs."""

    vocab_files_names = {"vocab_file": "vocab.json", "merges_file": "merges.txt", "tokenizer_file": "tokenizer.json"}
    _roles = {"unk_token": END, "bos_token": None, "eos_token": END, "pad_token": END}
    _takes_file = False


class Qwen3_5Tokenizer(Qwen2Tokenizer):
    """Qwen 3.5's byte pairs."""


GPT2TokenizerFast = GPT2Tokenizer
GPTNeoXTokenizerFast = GPTNeoXTokenizer
LlamaTokenizerFast = LlamaTokenizer
GemmaTokenizerFast = GemmaTokenizer
Qwen2TokenizerFast = Qwen2Tokenizer

_CLASSES = {cls.__name__: cls for cls in (TokenizersBackend, GPT2Tokenizer, CodeGenTokenizer, GPTNeoXTokenizer,
                                          LlamaTokenizer, GemmaTokenizer, Qwen2Tokenizer, Qwen3_5Tokenizer)}
_GENERIC = ("TokenizersBackend", "PreTrainedTokenizer", "PythonBackend", "PreTrainedTokenizerFast",
            "MistralCommonBackend", "BloomTokenizer", "PreTrained")


class AutoTokenizer:
    """The tokenizer of a model, of the class that its files name."""

    def __init__(self):
        raise OSError("AutoTokenizer is designed to be instantiated using the "
                      "`AutoTokenizer.from_pretrained(pretrained_model_name_or_path)` method.")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *inputs, **kwargs):
        """The tokenizer of a folder or of a model of the hub; keywords as those of the classes."""
        if inputs:
            raise NotImplementedError("further positional arguments of from_pretrained are not supported")
        config = kwargs.pop("config", None)
        for name in ("use_fast", "trust_remote_code", "code_revision", "mistral_format"):
            kwargs.pop(name, None)
        if kwargs.pop("gguf_file", None):
            raise NotImplementedError("gguf_file= is not supported: nextoken.load() opens GGUF files")
        kind = kwargs.pop("tokenizer_type", None)
        where = Where.taken_from(kwargs)
        path = locate(pretrained_model_name_or_path, where, TOKENIZER)
        source = Source(path)
        if kind is not None:
            tokenizer_class = _class_of_type(kind)
        else:
            tokenizer_class = _choose(source, config)
        return tokenizer_class._of_files(source, str(pretrained_model_name_or_path), kwargs)

    @staticmethod
    def register(*args, **kwargs):
        raise NotImplementedError("AutoTokenizer.register is not supported")


def _class_of_type(model_type):
    from .tables import TOKENIZER_CLASSES

    if model_type not in TOKENIZER_CLASSES:
        raise ValueError(f"Passed `tokenizer_type` {model_type} does not exist. `tokenizer_type` should be one of "
                         f"{', '.join(TOKENIZER_CLASSES)}.")
    return _class_named(TOKENIZER_CLASSES[model_type], model_type)


def _class_named(name, where):
    name = _bare(name)
    if name in _GENERIC:
        return TokenizersBackend
    if name not in _CLASSES:
        raise NotImplementedError(f'{where}: the tokenizer class "{name}" is not supported; '
                                  "PreTrainedTokenizerFast.from_pretrained reads tokenizer.json as it is")
    return _CLASSES[name]


def _choose(source, config):
    """The class that transformers takes for a folder: by what its configurations say."""
    from .tables import MISTAKEN_CLASSES, TOKENIZER_CLASSES

    if source.path is None:
        return GPT2Tokenizer
    if source.path == source.json:
        return TokenizersBackend
    stated = (read_json(os.path.join(source.folder, "tokenizer_config.json")) or {}).get("tokenizer_class")
    model = config if isinstance(config, dict) else vars(config) if config is not None else \
        read_json(os.path.join(source.folder, "config.json")) or {}
    model_type = getattr(type(config), "model_type", None) or model.get("model_type")
    stated = stated or model.get("tokenizer_class")
    registered = TOKENIZER_CLASSES.get(model_type)
    mistaken = model_type in MISTAKEN_CLASSES
    if stated and not mistaken and stated in ("LlamaTokenizer", "LlamaTokenizerFast") and source.json:
        with open(source.json, encoding="utf-8") as file:
            if '"ByteLevel"' in file.read():
                return TokenizersBackend
    chosen = stated or registered
    differ = stated and registered and _bare(stated) != registered
    if differ and (mistaken or registered in _GENERIC):
        chosen = registered
    if chosen is None:
        return TokenizersBackend if source.json else GPT2Tokenizer
    return _class_named(chosen, source.folder)


def _bare(name):
    return name[:-4] if name.endswith("Fast") else name
