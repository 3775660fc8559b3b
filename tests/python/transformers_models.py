"""Models of nextoken.transformers on seeded checkpoints, for several files of tests: those of
tests/cli/models.json, and one of each family (the first of tests/model/data/<family>.json)."""

import fcntl
import importlib.util
import json
import os
import pathlib
import tempfile

import numpy as np
import support

import harness  # support.py has found it

#: With torch where it is installed, unless NT_WITHOUT_TORCH says otherwise.
TORCH = None
if importlib.util.find_spec("torch") is not None and not os.environ.get("NT_WITHOUT_TORCH"):
    import torch as TORCH

    TORCH.set_num_threads(1)

array = np.array if TORCH is None else TORCH.tensor
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_opened = {}


def path_of(name):
    """The folder of a checkpoint, made where it is not there."""
    if name in harness.MODELS:
        return support.checkpoint(name)
    bench = harness.Bench(os.environ["NT_BINARY_DIR"])
    path = bench.folder / f"family-{name}"
    with open(bench.folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            recipe = json.loads((ROOT / "tests" / "model" / "data" / f"{name}.json").read_text())["cases"][0]
            with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
                made = pathlib.Path(folder, "made")
                harness.make_listed(bench.mkmodel, made, {**recipe, "files": {}})
                made.rename(path)
    return str(path)


def opened(name):
    """AutoModelForCausalLM of the checkpoint, opened once."""
    from nextoken.transformers import AutoModelForCausalLM

    if name not in _opened:
        _opened[name] = AutoModelForCausalLM.from_pretrained(path_of(name))
    return _opened[name]


def close_all():
    _opened.clear()
