"""PreTrainedConfig: what config.json says of a model, with the forms of transformers."""

import copy
import json
import os
import warnings

from . import logging, tensors
from .files import Where, locate
from .tables import BASE_CONFIG, GENERATION_DEFAULTS

__all__ = ["PreTrainedConfig"]

logger = logging.get_logger(__name__)

_UNSAVED = ("_is_quantized", "_auto_class", "_commit_hash", "_attn_implementation_internal",
            "_experts_implementation_internal", "_post_init_done")
_FLOATS = {"Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}


class PreTrainedConfig:
    """What config.json says. Attributes can be set; attribute_map gives some of them a second name."""

    model_type = ""
    attribute_map = {}
    keys_to_ignore_at_inference = []
    _fields = BASE_CONFIG

    def __init__(self, *args, **kwargs):
        if args:
            raise ValueError(f"{type(self).__name__} accepts only keyword arguments, but found `{len(args)}` "
                             "positional args.")
        more = {name: value for name, value in kwargs.items() if name not in self._fields}
        for name, default in self._fields.items():
            setattr(self, name, kwargs[name] if name in kwargs else copy.deepcopy(default))
        self._complete(more)
        self._take_common(more)
        self._check()
        self._post_init_done = True

    def _complete(self, more):
        """What a family makes of the values given; more: those that are no fields."""

    def _check(self):
        """Raises ValueError for values that cannot be together."""

    def _take_common(self, more):
        dtype = more.pop("torch_dtype", None)
        if self.dtype is None:
            self.dtype = dtype
        module = tensors.torch() if isinstance(self.dtype, str) else None
        if module is not None:
            self.dtype = getattr(module, self.dtype)
        n_labels = more.get("num_labels")
        if self.id2label is None:
            self.num_labels = 2 if n_labels is None else n_labels
        else:
            if n_labels is not None and len(self.id2label) != n_labels:
                logger.warning(f"You passed `num_labels={n_labels}` which is incompatible to the `id2label` map of "
                               f"length `{len(self.id2label)}`.")
            self.id2label = {int(key): value for key, value in self.id2label.items()}
        more.pop("num_labels", None)
        if hasattr(self, "rope_parameters"):
            self._take_rope(more)
        for name in GENERATION_DEFAULTS:
            more.pop(name, None)
        self._name_or_path = str(more.pop("name_or_path", ""))
        more.pop("_commit_hash", None)
        self._output_attentions = more.pop("output_attentions", False)
        self._attn_implementation_internal = more.pop("attn_implementation", None)
        self._experts_implementation_internal = more.pop("experts_implementation", None)
        for name, value in more.items():
            if name not in ("_attn_implementation_internal", "_experts_implementation_internal"):
                setattr(self, name, value)

    def _take_rope(self, more):
        """rope_theta, rope_scaling and the like of older files become rope_parameters."""
        rope = dict(more.pop("rope_scaling", None) or self.rope_parameters or {})
        rope.setdefault("rope_theta", more.pop("rope_theta", getattr(self, "default_theta", 10000.0)))
        factor = more.pop("partial_rotary_factor", None)
        if factor is not None:
            rope.setdefault("partial_rotary_factor", factor)
        self.rope_parameters = self._standard_rope(rope)

    def _standard_rope(self, rope):
        rope.setdefault("rope_type", rope.get("type", "default"))
        if rope["rope_type"] in ("llama3", "yarn", "longrope"):
            rope.setdefault("original_max_position_embeddings", self.max_position_embeddings)
        return rope

    # ---- Attributes ----

    def __setattr__(self, name, value):
        super().__setattr__(type(self).attribute_map.get(name, name), value)

    def __getattr__(self, name):
        mapped = type(self).attribute_map.get(name)
        if mapped is not None:
            return getattr(self, mapped)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __eq__(self, other):
        return isinstance(other, PreTrainedConfig) and self.__dict__ == other.__dict__

    __hash__ = None

    def __iter__(self):
        yield from self.__dict__

    def __repr__(self):
        return f"{type(self).__name__} {self.to_json_string()}"

    @property
    def name_or_path(self):
        return self._name_or_path

    @name_or_path.setter
    def name_or_path(self, value):
        self._name_or_path = str(value)

    @property
    def num_labels(self):
        return None if self.id2label is None else len(self.id2label)

    @num_labels.setter
    def num_labels(self, n):
        if self.id2label is None or len(self.id2label) != n:
            self.id2label = {i: f"LABEL_{i}" for i in range(n)}
            self.label2id = {label: i for i, label in self.id2label.items()}

    @property
    def output_attentions(self):
        return self._output_attentions

    @output_attentions.setter
    def output_attentions(self, value):
        if value and self._attn_implementation is None:
            self._attn_implementation = "eager"
        if value and self._attn_implementation != "eager":
            raise ValueError(
                "The `output_attentions` attribute is not supported when using the `attn_implementation` set to "
                f"{self._attn_implementation}. Please set it to 'eager' instead.")
        self._output_attentions = value

    @property
    def _attn_implementation(self):
        return self._attn_implementation_internal

    @_attn_implementation.setter
    def _attn_implementation(self, value):
        self._attn_implementation_internal = value

    @property
    def torch_dtype(self):
        logger.warning_once("`torch_dtype` is deprecated! Use `dtype` instead!")
        return self.dtype

    @torch_dtype.setter
    def torch_dtype(self, value):
        logger.warning_once("`torch_dtype` is deprecated! Use `dtype` instead!")
        self.dtype = value

    @property
    def use_return_dict(self):
        logger.warning_once("`use_return_dict` is deprecated! Use `return_dict` instead!")
        return self.return_dict

    @property
    def rope_scaling(self):
        return self.rope_parameters

    @rope_scaling.setter
    def rope_scaling(self, value):
        warnings.warn("`rope_scaling` is deprecated and will be removed in a future version. Set `rope_parameters` "
                      "instead, with `rope_type` and `rope_theta` included.", FutureWarning, stacklevel=3)
        self.rope_parameters = None if value is None else {**value, "rope_type": value.get(
            "rope_type", value.get("type", "default"))}

    def get_text_config(self, decoder=None, encoder=None):
        """The part that is about text: here the whole."""
        return self

    def update(self, config_dict):
        """Sets these attributes."""
        for key, value in config_dict.items():
            setattr(self, key, value)

    def update_from_string(self, update_str):
        """Sets attributes that are there, from "n_embd=10,scale_attn_weights=false"."""
        for key, text in dict(item.split("=") for item in update_str.split(",")).items():
            if not hasattr(self, key):
                raise ValueError(f"key {key} isn't in the original config dict")
            setattr(self, key, _read_as(getattr(self, key), text, key))

    # ---- From files ----

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """The config.json of a folder or of a model of the hub, with these attributes changed.

        return_unused_kwargs=True: (configuration, arguments that are no attributes)."""
        config_dict, kwargs = cls.get_config_dict(pretrained_model_name_or_path, **kwargs)
        model_type = config_dict.get("model_type")
        if cls.model_type and model_type and model_type != cls.model_type:
            logger.warning(f"You are using a model of type `{model_type}` to instantiate a model of type "
                           f"`{cls.model_type}`. This is not supported for all configurations of models and can yield "
                           "errors.")
        return cls.from_dict(config_dict, **kwargs)

    @classmethod
    def get_config_dict(cls, pretrained_model_name_or_path, **kwargs):
        """(what config.json says, the arguments that did not say where it is)"""
        where = Where.taken_from(kwargs)
        for name in ("trust_remote_code", "code_revision", "_configuration_file"):
            kwargs.pop(name, None)
        if kwargs.pop("gguf_file", None):
            raise NotImplementedError("gguf_file= is not supported: nextoken.load() opens GGUF files")
        name = str(pretrained_model_name_or_path)
        path = locate(name, where)
        if path is None or path.endswith(".gguf"):
            return _of_model(path), kwargs
        if os.path.isfile(path) and not path.endswith(".json"):
            path = os.path.dirname(path) or "."  # a file of weights
        if os.path.isdir(path):
            path = os.path.join(path, "config.json")
        if not os.path.isfile(path):
            raise OSError(f"{name} does not appear to have a file named config.json.")
        config_dict = cls._dict_from_json_file(path)
        if "model_type" in kwargs and config_dict.get("model_type") != kwargs["model_type"]:
            logger.warning(f"config.json has 'model_type={config_dict.get('model_type')}' but you overrode it with "
                           f"'model_type={kwargs['model_type']}'. This may lead to unexpected behavior.")
            config_dict["model_type"] = kwargs["model_type"]
        return config_dict, kwargs

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        """Of a dictionary, with these attributes changed."""
        return_unused = kwargs.pop("return_unused_kwargs", False)
        config_dict = dict(config_dict)
        used = {"_from_auto", "_from_pipeline"}
        for key, value in kwargs.items():
            if key in ("num_labels", "attn_implementation", "experts_implementation", "output_attentions",
                       "name_or_path"):
                config_dict[key] = value
                used.add(key)
            elif key in ("torch_dtype", "dtype") and value != "auto":
                config_dict[key] = value
        config = cls(**config_dict)
        for key, value in kwargs.items():
            if key not in used and hasattr(config, key):
                setattr(config, key, value)
                used.add(key)
        unused = {key: value for key, value in kwargs.items() if key not in used}
        return (config, unused) if return_unused else config

    @classmethod
    def from_json_file(cls, json_file):
        return cls(**cls._dict_from_json_file(json_file))

    @classmethod
    def _dict_from_json_file(cls, json_file):
        with open(json_file, encoding="utf-8") as file:
            text = file.read()
        try:
            return _with_floats(json.loads(text))
        except json.JSONDecodeError:
            raise OSError(f"It looks like the config file at '{json_file}' is not a valid JSON file.") from None

    # ---- To files ----

    def to_dict(self):
        """All attributes."""
        from . import __version__

        output = copy.deepcopy(self.__dict__)
        output["model_type"] = type(self).model_type
        output["transformers_version"] = __version__
        for key in _UNSAVED:
            output.pop(key, None)
        output["output_attentions"] = output.pop("_output_attentions", False)
        if output.get("dtype") is not None and not isinstance(output["dtype"], (str, int)):
            output["dtype"] = str(output["dtype"]).split(".")[-1]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in output.items()}

    def to_diff_dict(self):
        """Those that another model's could lack, or have with another value."""
        base = PreTrainedConfig().to_dict()
        own = {key: value for key, value in self._fields.items() if value is not None}
        return {key: value for key, value in self.to_dict().items() if key != "_name_or_path" and (
            key not in base or key == "transformers_version" or value != base[key] or value != own.get(key, value))}

    def to_json_string(self, use_diff=True):
        config = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(_without_floats(config), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path, use_diff=True):
        with open(json_file_path, "w", encoding="utf-8") as file:
            file.write(self.to_json_string(use_diff=use_diff))

    def save_pretrained(self, save_directory, push_to_hub=False, **kwargs):
        """Writes config.json to a folder."""
        if push_to_hub:
            raise NotImplementedError("push_to_hub=True is not supported")
        if os.path.isfile(save_directory):
            raise AssertionError(f"Provided path ({save_directory}) should be a directory, not a file")
        generation = {key: getattr(self, key) for key in GENERATION_DEFAULTS
                      if key != "use_cache" and key not in self._fields and getattr(self, key, None) is not None}
        if generation:
            raise ValueError("Some generation parameters are set in the model config. These should go into "
                             "`model.generation_config`as opposed to `model.config`. \nGeneration parameters found: "
                             f"{generation}")
        os.makedirs(save_directory, exist_ok=True)
        self._check()
        self.to_json_file(os.path.join(save_directory, "config.json"))

    def push_to_hub(self, *args, **kwargs):
        raise NotImplementedError("push_to_hub is not supported")


def _read_as(old, text, key):
    """text as a value of the kind that old is."""
    if isinstance(old, bool):
        if text.lower() in ("true", "1", "y", "yes"):
            return True
        if text.lower() in ("false", "0", "n", "no"):
            return False
        raise ValueError(f"can't derive true or false from {text} (key {key})")
    for kind in (int, float, str):
        if isinstance(old, kind):
            return kind(text)
    raise TypeError(f"You can only update int, float, bool or string values in the config, got {text} for key {key}")


def _with_floats(value):
    """{"__float__": "Infinity"} as the number, wherever it stands in value."""
    if isinstance(value, dict):
        if set(value) == {"__float__"} and value["__float__"] in _FLOATS:
            return _FLOATS[value["__float__"]]
        return {key: _with_floats(item) for key, item in value.items()}
    return [_with_floats(item) for item in value] if isinstance(value, list) else value


def _without_floats(value):
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"__float__": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    return [_without_floats(item) for item in value] if isinstance(value, (list, tuple)) else value


def _of_model(path):
    """What config.json would say of the model that is built in, or of a GGUF file."""
    from .. import library

    out = library.ffi.new("nt_model **")
    library.check(library.lib.nt_model_open(out, library.NULL if path is None else os.fsencode(path), library.NULL))
    try:
        info = library.new("nt_model_info")
        library.check(library.lib.nt_model_get_info(info, out[0]))
        architecture = library.string(info.architecture)
        if architecture != "gpt2":
            raise NotImplementedError(f"{path}: the configuration of a GGUF file of the family {architecture} is not "
                                      "read; nextoken.load() runs it")
        values = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": info.n_vocab,
                  "n_positions": info.n_context, "n_embd": info.n_embd, "n_layer": info.n_layer,
                  "n_head": info.n_head, "activation_function": library.string(info.activation)}
        if info.n_inner != 4 * info.n_embd:
            values["n_inner"] = info.n_inner
        if not info.tied:
            values["tie_word_embeddings"] = False
        return values
    finally:
        library.lib.nt_model_free(out[0])
