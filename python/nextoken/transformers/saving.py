"""save_pretrained: a checkpoint as a folder of transformers'."""

import os

from ..library import NULL, check, lib, new, running

__all__ = ["save"]

_IDLE = {"safe_serialization": (True,), "push_to_hub": (False,), "state_dict": (None,), "variant": (None,),
         "max_shard_size": None, "token": None, "save_peft_format": None, "save_original_format": None,
         "save_function": (None,)}


def save(model, folder, **kwargs):
    """Writes weights as they are stored, the tokenizer's files, and both configurations as they are now."""
    for name, value in kwargs.items():
        if name not in _IDLE:
            raise TypeError(f"save_pretrained got an unexpected argument {name!r}")
        if _IDLE[name] is not None and value not in _IDLE[name]:
            raise NotImplementedError(f"save_pretrained: {name}={value!r} is not supported: it writes one folder "
                                      "with model.safetensors")
    path = model.core.path
    with running() as callbacks:
        options = new("nt_convert_options", overwrite=True, callbacks=callbacks)
        check(lib.nt_convert(NULL, NULL if path is None else path.encode(), os.fsencode(folder), options))
    model.config.save_pretrained(folder)
    if model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
