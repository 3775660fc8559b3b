"""The configurations of models: GPT2Config and those of the other families that nextoken runs, with the
names, defaults and forms of transformers; AutoConfig picks by model_type."""

from .config_base import PreTrainedConfig
from .generation_config import GenerationConfig  # noqa: F401
from .tables import CONFIGS, TOKENIZER_CLASSES

__all__ = ["AutoConfig", "GPT2Config", "GPTNeoConfig", "GPTNeoXConfig", "LlamaConfig", "OPTConfig",
           "PreTrainedConfig", "PretrainedConfig", "Qwen2Config"]

PretrainedConfig = PreTrainedConfig

# ---- The families -------------------------------------------------------------------------------


class _HeadsDivide:
    def _check(self):
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(f"The hidden size ({self.hidden_size}) is not a multiple of the number of attention "
                             f"heads ({self.num_attention_heads}).")


_BY_TYPE = {}


def _family(model_type):
    """Gives a class the fields of a family."""
    def take(cls):
        table = CONFIGS[model_type]
        cls.model_type, cls._fields, cls.attribute_map = model_type, table["fields"], table["attribute_map"]
        cls.keys_to_ignore_at_inference = table["keys_to_ignore_at_inference"]
        _BY_TYPE[model_type] = cls
        return cls

    return take


@_family("gpt2")
class GPT2Config(PreTrainedConfig):
    """GPT-2: n_embd, n_layer, n_head, n_positions."""


@_family("gpt_neo")
class GPTNeoConfig(PreTrainedConfig):
    """GPT-Neo, whose layers look at everything and at a window in turn."""

    def _complete(self, more):
        if self.attention_types is None:
            self.attention_types = [[["global", "local"], 12]]
        self.attention_layers = [kind for kinds, n in self.attention_types for _ in range(n) for kind in kinds]

    def _check(self):
        if len(self.attention_layers) != self.num_layers:
            raise ValueError("Configuration for convolutional module is incorrect. It is required that "
                             "`len(config.attention_layers)` == `config.num_layers` but is "
                             f"`len(config.attention_layers) = {len(self.attention_layers)}`, "
                             f"`config.num_layers = {self.num_layers}`. `config.attention_layers` is prepared using "
                             "`config.attention_types`. Please verify the value of `config.attention_types` argument.")


@_family("gpt_neox")
class GPTNeoXConfig(_HeadsDivide, PreTrainedConfig):
    """GPT-NeoX and Pythia."""

    def _take_rope(self, more):
        rope = dict(more.pop("rope_scaling", None) or self.rope_parameters or {})
        rope.setdefault("rope_theta", more.pop("rotary_emb_base", 10000.0))
        rope.setdefault("partial_rotary_factor", more.pop("rotary_pct", 0.25))
        self.rope_parameters = self._standard_rope(rope)


@_family("opt")
class OPTConfig(PreTrainedConfig):
    """OPT."""

    def _complete(self, more):
        if self.word_embed_proj_dim is None:
            self.word_embed_proj_dim = self.hidden_size


@_family("llama")
class LlamaConfig(_HeadsDivide, PreTrainedConfig):
    """Llama."""

    def _complete(self, more):
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads


@_family("qwen2")
class Qwen2Config(PreTrainedConfig):
    """Qwen 2 and 2.5."""

    def _complete(self, more):
        if not self.use_sliding_window:
            self.sliding_window = None
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.layer_types is None:
            slides = self.sliding_window is not None
            self.layer_types = ["sliding_attention" if slides and i >= self.max_window_layers else "full_attention"
                                for i in range(self.num_hidden_layers)]


def _class_of(model_type):
    if model_type in _BY_TYPE:
        return _BY_TYPE[model_type]
    if model_type in TOKENIZER_CLASSES:
        raise NotImplementedError(f'model_type "{model_type}" is not supported; nextoken runs {", ".join(_BY_TYPE)}')
    raise ValueError(f"Unrecognized model identifier: {model_type}. Should contain one of {', '.join(_BY_TYPE)}")


class AutoConfig:
    """The configuration of a model, of the class that its model_type names."""

    def __init__(self):
        raise OSError("AutoConfig is designed to be instantiated using the "
                      "`AutoConfig.from_pretrained(pretrained_model_name_or_path)` method.")

    @classmethod
    def for_model(cls, model_type, *args, **kwargs):
        """A family's configuration with its defaults, and these attributes."""
        return _class_of(model_type)(*args, **kwargs)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """The configuration of a folder, a config.json, or a model of the hub."""
        kwargs["name_or_path"] = pretrained_model_name_or_path
        config_dict, kwargs = PreTrainedConfig.get_config_dict(pretrained_model_name_or_path, **kwargs)
        if "AutoConfig" in (config_dict.get("auto_map") or {}):
            raise NotImplementedError(f"{pretrained_model_name_or_path}: this model is code of its own (auto_map), "
                                      "which is not run")
        if "model_type" not in config_dict:
            raise ValueError(f"Unrecognized model in {pretrained_model_name_or_path}. Should have a `model_type` key in "
                             "its config.json.")
        return _class_of(config_dict["model_type"]).from_dict(config_dict, **kwargs)

    @staticmethod
    def register(*args, **kwargs):
        raise NotImplementedError("AutoConfig.register is not supported")
