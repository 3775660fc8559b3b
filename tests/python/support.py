"""What the tests of the Python package share: seeded checkpoints, and figures made by an oracle."""

import fcntl
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "cli"))

import harness  # noqa: E402  (tests/cli/harness.py, which makes the checkpoints)

os.environ["HF_HUB_OFFLINE"] = "1"  # no test asks a hub


def checkpoint(name):
    """The folder of a checkpoint of tests/cli/models.json ("words", "letters", "bare", ...), made when
    it is not there."""
    bench = harness.Bench(os.environ["NT_BINARY_DIR"])
    with open(bench.folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return str(bench.model(name))


def expected(name):
    """tests/python/expected/<name>.json, written by tools/oracle/python_<name>.py."""
    return json.loads((HERE / "expected" / f"{name}.json").read_text(encoding="utf-8"))
