"""Shared by the oracle scripts: seeded checkpoints made by tools/mkmodel, loaded in transformers,
and fixtures written as compact JSON."""
import json
import math
import os
import random
import subprocess
import tempfile
import zlib


def versions():
    import torch
    import transformers

    return {"transformers": transformers.__version__, "torch": torch.__version__}


def make(mkmodel, args, folder):
    """Runs mkmodel; returns the CRC-32 of the model files' bytes in order of name."""
    subprocess.run([mkmodel, folder, *args], check=True)
    crc = 0
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with open(os.path.join(folder, name), "rb") as file:
                while chunk := file.read(1 << 22):
                    crc = zlib.crc32(chunk, crc)
    return crc


def load(folder):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.GPT2LMHeadModel.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32
    )
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def checkpoint(mkmodel, args):
    """(model, crc) of the checkpoint that these arguments make, in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        crc = make(mkmodel, args, folder)
        return load(folder), crc


def prompt(seed, n, n_vocab):
    """n ids, the first and the last of the vocabulary among them."""
    chosen = random.Random(seed)
    ids = [chosen.randrange(n_vocab) for _ in range(n)]
    ids[n // 3], ids[n // 2] = 0, n_vocab - 1
    return ids


class Compact(json.JSONEncoder):
    """Floats with 9 significant digits: every float32 reads back as itself."""

    def iterencode(self, o, _one_shot=False):
        if isinstance(o, dict):
            parts = ",".join(json.dumps(k) + ":" + self.encode(v) for k, v in o.items())
            return iter(["{" + parts + "}"])
        if isinstance(o, (list, tuple)):
            return iter(["[" + ",".join(self.encode(v) for v in o) + "]"])
        if isinstance(o, float):
            if not math.isfinite(o):
                raise ValueError("a fixture holds finite numbers only")
            return iter(["%.9g" % o])
        return super().iterencode(o, _one_shot)

    def encode(self, o):
        return "".join(self.iterencode(o))


def write(path, fixture):
    """One line a case, so that differences can be read."""
    cases = fixture.pop("cases")
    encode = Compact().encode
    head = encode(fixture)[:-1]
    with open(path, "w") as file:
        file.write(head + ',"cases":[\n')
        file.write(",\n".join(encode(case) for case in cases))
        file.write("\n]}\n")
