"""from_pretrained: where a model comes from, and what may be said about it."""

import os

from .files import BUILT_IN, Where
from .places import check_place

__all__ = ["load"]

#: Arguments that change nothing here, and the values of them that ask for nothing else.
_IDLE = {
    "low_cpu_mem_usage": None, "use_safetensors": None, "weights_only": None, "trust_remote_code": None,
    "offload_folder": None, "offload_state_dict": None, "max_memory": None, "ignore_mismatched_sizes": (False,),
    "from_tf": (False,), "from_flax": (False,), "variant": (None,), "gguf_file": (None,), "state_dict": (None,),
    "adapter_kwargs": (None,), "code_revision": (None,), "tp_plan": (None,), "_fast_init": None,
    "use_kernels": (False, None), "key_mapping": (None,), "use_cache_implementation": (None,),
}
_QUANTIZED = ("quantization_config", "load_in_8bit", "load_in_4bit")
_ATTENTION = ("eager", "sdpa", None)


def load(cls, name, *args, config=None, output_loading_info=False, classes=None, **kwargs):
    """The model of class cls, or the one of `classes` that is of the checkpoint's family (None: those that
    write).

    name: a folder, a .gguf or .safetensors file, a name of the hub, "tales". config: in place of the
    checkpoint's. cache_dir, force_download, local_files_only, token, revision, subfolder: of the hub.
    dtype (torch_dtype): "auto" or float32, which is what is computed in. device_map: "cpu" or "auto".
    attn_implementation: "eager" or "sdpa", the same here: attentions can always be had. Any attribute of
    the configuration or of generation_config is set there.
    """
    from ..model import Model
    from .causal import CLASSES

    if args:
        raise TypeError("from_pretrained takes no further arguments without a name")
    where = Where.taken_from(kwargs)
    _check(kwargs)
    path = os.fspath(name)
    if path != BUILT_IN and not os.path.exists(path):
        if where.subfolder:
            raise NotImplementedError("subfolder= is supported for folders alone, not for models of the hub")
        if where.revision and where.revision != "main" and "@" not in path:
            path += "@" + where.revision
    elif where.subfolder:
        path = os.path.join(path, where.subfolder)
    core = Model(path, offline=where.local_files_only or None, refresh=where.force_download,
                 cache=where.cache_dir, token=_token(where.token))
    kind = _class_of(cls, core, classes or CLASSES)
    config, generation_config = _configurations(name, path, config, where, kwargs)
    model = kind._of(core, config, generation_config)
    if output_loading_info:
        return model, {"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set(),
                       "error_msgs": []}
    return model


def _token(token):
    return "" if token is False else token if isinstance(token, str) else None


def _check(kwargs):
    """Takes out what says how a model is held, and refuses what is not built."""
    for name in ("dtype", "torch_dtype"):
        check_place(kwargs.pop(name, None))
    _check_device_map(kwargs.pop("device_map", None))
    attention = kwargs.pop("attn_implementation", None)
    if attention not in _ATTENTION:
        raise NotImplementedError(f"attn_implementation={attention!r} is not built; nextoken has one of its "
                                  "own, which goes by \"eager\" and \"sdpa\"")
    for name in _QUANTIZED:
        if kwargs.pop(name, None):
            raise NotImplementedError(f"{name}: weights are not quantised while they are loaded; a GGUF file "
                                      "that is quantised opens as it is (nextoken convert)")
    for name in list(kwargs):
        if name in _IDLE:
            value, idle = kwargs.pop(name), _IDLE[name]
            if idle is not None and value not in idle:
                raise NotImplementedError(f"{name}={value!r} is not supported by nextoken")


def _check_device_map(device_map):
    if isinstance(device_map, dict):
        for device in device_map.values():
            check_place(device)
    elif device_map not in ("auto", "balanced", "sequential", "balanced_low_0"):
        check_place(device_map)


def _class_of(cls, core, classes):
    architecture = core.info.architecture
    kind = classes.get(architecture)
    if kind is None:
        raise NotImplementedError(f"{core.path} is of the family {architecture}, which has no class here; "
                                  f"nextoken.load opens it")
    if cls is not None and not issubclass(kind, cls) and not issubclass(cls, kind):
        raise ValueError(f"{core.path} is of the family {architecture}: open it with {kind.__name__} or "
                         f"AutoModelForCausalLM, not {cls.__name__}")
    return cls if cls is not None and issubclass(cls, kind) else kind


def _configurations(name, path, config, where, kwargs):
    """(configuration, generation configuration) with what kwargs say."""
    from .config import AutoConfig, GenerationConfig

    if config is None:
        config = AutoConfig.from_pretrained(name, **where.arguments())
    elif isinstance(config, (str, os.PathLike)):
        config = AutoConfig.from_pretrained(config, **where.arguments())
    of_config = {key: kwargs.pop(key) for key in list(kwargs) if hasattr(config, key)}
    for key, value in of_config.items():
        setattr(config, key, value)
    generation_config = kwargs.pop("generation_config", None)
    if generation_config is None:
        try:
            generation_config = GenerationConfig.from_pretrained(name, **where.arguments())
        except OSError:
            generation_config = GenerationConfig.from_model_config(config)
    for key in list(kwargs):
        if not hasattr(generation_config, key):
            raise TypeError(f"from_pretrained got an unexpected argument {key!r}: neither the configuration "
                            "nor generation_config has it")
        setattr(generation_config, key, kwargs.pop(key))
    return config, generation_config
