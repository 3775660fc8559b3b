"""The names of transformers that nextoken has: `from nextoken.transformers import ...` in the place of
`from transformers import ...`.

Nothing is imported before it is asked for. torch is used where it is installed: tensors go in and come
out; without it NumPy's arrays do.
"""

import importlib

# The version whose names and behaviours these are.
__version__ = "5.23.0"

_NAMES = {
    "tokenization": ["AutoTokenizer", "CodeGenTokenizer", "GPT2Tokenizer", "GPT2TokenizerFast", "GPTNeoXTokenizer",
                     "GPTNeoXTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast", "LlamaTokenizer",
                     "LlamaTokenizerFast", "PreTrainedTokenizerFast", "Qwen2Tokenizer", "Qwen2TokenizerFast",
                     "TokenizersBackend"],
    "tokenization_base": ["PreTrainedTokenizerBase"],
    "tokens": ["AddedToken"],
    "batch": ["BatchEncoding", "CharSpan", "TensorType", "TokenSpan"],
    "config": ["AutoConfig", "GPT2Config", "GPTNeoConfig", "GPTNeoXConfig", "LlamaConfig", "OPTConfig",
               "PreTrainedConfig", "PretrainedConfig", "Qwen2Config"],
    "generation_config": ["GenerationConfig", "GenerationMode", "WatermarkingConfig"],
    "streamers": ["AsyncTextIteratorStreamer", "BaseStreamer", "TextIteratorStreamer", "TextStreamer"],
    "pipeline": ["Pipeline", "TextGenerationPipeline", "pipeline"],
    "seed": ["enable_full_determinism", "set_seed"],
}
# Modules whose __all__ is offered whole.
_WHOLE = ["model", "auto", "outputs", "cache", "generation", "processors"]
_MODULES = ["logging", "utils"]

_where = {name: module for module, names in _NAMES.items() for name in names}


def _look_up(name):
    if name in _where:
        return _where[name]
    for module in _WHOLE:
        try:
            found = importlib.import_module("." + module, __name__)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{module}":
                raise
            continue
        if name in getattr(found, "__all__", ()):
            return module
    return None


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module("." + name, __name__)
    module = None if name.startswith("_") else _look_up(name)
    if module is None:
        raise AttributeError(f"nextoken.transformers has no {name!r}; it is not among the parts of transformers "
                             "that nextoken has")
    value = getattr(importlib.import_module("." + module, __name__), name)
    globals()[name] = value
    return value


def __dir__():
    names = {*globals(), *_where, *_MODULES}
    for module in _WHOLE:
        try:
            names.update(getattr(importlib.import_module("." + module, __name__), "__all__", ()))
        except ImportError:
            pass
    return sorted(names)
