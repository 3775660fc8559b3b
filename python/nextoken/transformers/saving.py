"""save_pretrained: a checkpoint as a folder of transformers'."""

import os
import re
import tempfile

from ..library import NULL, check, lib, new, path_of, running

__all__ = ["save"]

WEIGHTS = "model.safetensors"

_IDLE = {"safe_serialization": (True,), "push_to_hub": (False,), "state_dict": (None,), "variant": (None,),
         "max_shard_size": None, "token": None, "save_peft_format": None, "save_original_format": None,
         "save_function": (None,)}


def save(model, folder, **kwargs):
    """Writes weights as they are stored, and both configurations as they are now, into a folder, new or not.
    What else is there stays; the tokenizer's files are the tokenizer's to save."""
    for name, value in kwargs.items():
        if name not in _IDLE:
            raise TypeError(f"save_pretrained got an unexpected argument {name!r}")
        if _IDLE[name] is not None and value not in _IDLE[name]:
            raise NotImplementedError(f"save_pretrained: {name}={value!r} is not supported: it writes one folder "
                                      "with model.safetensors")
    folder = os.fspath(folder)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".nextoken-", dir=folder) as beside, running() as callbacks:
        made = os.path.join(beside, "made")
        check(lib.nt_convert(NULL, path_of(model.core.path), path_of(made),
                             new("nt_convert_options", callbacks=callbacks)))
        os.replace(os.path.join(made, WEIGHTS), os.path.join(folder, WEIGHTS))
    for name in os.listdir(folder):  # of what was there before: they would be read in its place
        if name == WEIGHTS + ".index.json" or re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", name):
            os.remove(os.path.join(folder, name))
    model.config.save_pretrained(folder)
    if model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
