"""What the command-line tests share: models made for them, and running the program."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Checkpoints of the tests, as arguments of mkmodel. tools/oracle/jobs.py uses the same table.
MODELS = json.loads((HERE / "models.json").read_text(encoding="utf-8"))


class Bench:
    """Programs and models of one test run. Models are made once and kept in the build folder."""

    def __init__(self, binary_dir):
        self.binary_dir = pathlib.Path(binary_dir)
        self.nextoken = self.binary_dir / "nextoken"
        self.left_out = self.binary_dir / "tests" / "builtin" / "nextoken_left_out"  # carries no model
        self.mkmodel = self.binary_dir / "tools" / "mkmodel"
        self.folder = self.binary_dir / "cli-models"
        self.folder.mkdir(exist_ok=True)

    def model(self, name):
        """Path of a model of MODELS, made if it is not there yet as mkmodel would make it now."""
        path, stamp = self.folder / name, self.folder / f"{name}.stamp"
        letters = make_letters(self.folder / "letters-tokenizer")
        made_of = self.mkmodel.read_bytes() + (letters / "vocab.json").read_bytes()
        recipe = repr(MODELS[name]) + hashlib.sha256(made_of).hexdigest()
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != recipe:
            shutil.rmtree(path, ignore_errors=True)
            make_model(self.mkmodel, path, [a.replace("{letters}", str(letters)) for a in MODELS[name]])
            stamp.write_text(recipe, encoding="utf-8")
        return path

    def run(self, *args, stdin=b"", env=None, timeout=120, program=None, **more):
        variables = {k: v for k, v in os.environ.items()
                     if k not in ("NEXTOKEN_MODEL", "NEXTOKEN_ISA", "COLUMNS", "NO_COLOR")}
        variables["HF_HUB_OFFLINE"] = "1"  # no test asks a hub but those of tests/hub, who have their own
        variables.update(env or {})
        return subprocess.run([str(program or self.nextoken), *args], input=stdin, capture_output=True,
                              env=variables, timeout=timeout, check=False, **more)


def make_letters(folder):
    """A tokenizer of 260 ids: bytes, as GPT-2 writes them, three merges, and <|endoftext|>."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in plain]
    merges = [("\u0120", "t"), ("h", "e"), ("\u0120t", "he")]
    tokens = [chr(b) for b in plain] + [chr(256 + i) for i in range(len(hidden))]
    tokens += ["".join(pair) for pair in merges] + ["<|endoftext|>"]
    folder.mkdir(exist_ok=True)
    vocab = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    lines = ["#version: 0.2", *map(" ".join, merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def make_model(mkmodel, path, args):
    args = [a.replace("{root}", str(ROOT)) for a in args]
    subprocess.run([str(mkmodel), str(path), *args], check=True, timeout=300)


def make_listed(mkmodel, path, recipe):
    """A checkpoint of any family from what the oracle wrote: mkmodel's arguments, config.json, tensors, files."""
    with tempfile.TemporaryDirectory() as folder:
        tensors, config = pathlib.Path(folder, "tensors"), pathlib.Path(folder, "config")
        tensors.write_text("\n".join(recipe["tensors"]) + "\n", encoding="utf-8")
        config.write_text(json.dumps(recipe["config"]), encoding="utf-8")
        make_model(mkmodel, path, [*recipe["mkmodel"], "--tensors", str(tensors), "--config", str(config)])
    for name, text in recipe["files"].items():
        pathlib.Path(path, name).write_text(text, encoding="utf-8")
    return path


def read_safetensors(path):
    """(header, data) of a file, with the standard library alone."""
    raw = pathlib.Path(path).read_bytes()
    (n,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + n]), raw[8 + n:]


def write_safetensors(path, header, data):
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)
