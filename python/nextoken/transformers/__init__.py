"""The names of transformers that nextoken has: `from nextoken.transformers import ...` in the place of
`from transformers import ...`.

Nothing is imported before it is asked for. torch is used where it is installed: tensors go in and come
out; without it NumPy's arrays do.
"""

import importlib
import importlib.util

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
    "pipelines": ["Pipeline", "TextGenerationPipeline", "pipeline"],
    "seed": ["enable_full_determinism", "set_seed"],
    "auto": ["AutoModel", "AutoModelForCausalLM"],
    "model": ["GPT2PreTrainedModel", "GPTNeoPreTrainedModel", "GPTNeoXPreTrainedModel", "LlamaPreTrainedModel",
              "OPTPreTrainedModel", "PreTrainedModel", "Qwen2PreTrainedModel"],
    "causal": ["GPT2LMHeadModel", "GPTNeoForCausalLM", "GPTNeoXForCausalLM", "LlamaForCausalLM",
               "OPTForCausalLM", "Qwen2ForCausalLM"],
    "headless": ["GPT2Model", "GPTNeoModel", "GPTNeoXModel", "LlamaModel", "OPTModel", "Qwen2Model"],
    "cache": ["Cache", "DynamicCache"],
}

_where = {name: module for module, names in _NAMES.items() for name in names}


def _module(name):
    return importlib.import_module("." + name, __name__)


def _module_of(name):
    """The module that has a name; None where there is none."""
    if name not in _where and not name.startswith("_"):
        # outputs, and what generate() takes and gives: the names stand there
        _where.update({listed: module for module in ("generation", "outputs") for listed in _module(module).__all__
                       if listed not in _where})
    return _where.get(name)


def __getattr__(name):
    if name not in _where and not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return _module(name)
    module = _module_of(name)
    if module is None:
        raise AttributeError(f"nextoken.transformers has no {name!r}; it is not among the parts of transformers "
                             "that nextoken has")
    value = getattr(_module(module), name)
    globals()[name] = value
    return value


def __dir__():
    _module_of("a name that nothing has")
    return sorted({*globals(), *_where, "logging"})
