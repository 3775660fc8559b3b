"""A cache as huggingface_hub lays it out, for both systems to read by names: `tales`, the model inside nextoken,
and seeded checkpoints under the names gpt2, distilgpt2 and gpt2-large, small ones with GPT-2's vocabulary.

    python tools/notebooks/cache.py FOLDER MKMODEL"""

import hashlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPES = {  # blocks, width, heads, seed
    "distilgpt2": (2, 48, 4, 11),
    "gpt2": (3, 64, 4, 12),
    "gpt2-large": (4, 80, 5, 13),
}


ABSENT = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def snapshot(cache, name):
    """The folder of a model's files, with the commit that it is of and the files that this does not have."""
    commit = hashlib.sha1(name.encode()).hexdigest()
    model = cache / f"models--{name}"
    folder = model / "snapshots" / commit
    folder.mkdir(parents=True, exist_ok=True)
    (model / "refs").mkdir(exist_ok=True)
    (model / "refs" / "main").write_text(commit)
    absent = model / ".no_exist" / commit
    absent.mkdir(parents=True, exist_ok=True)
    for file in ABSENT:
        (absent / file).touch()
    return folder


def make(cache, mkmodel):
    """Makes what is not there; returns the cache's folder."""
    tales = snapshot(cache, "tales")
    for file in (ROOT / "models" / "tales").iterdir():
        link = tales / file.name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(file.resolve())
    for name, (layers, width, heads, seed) in SHAPES.items():
        folder = snapshot(cache, name)
        if not (folder / "model.safetensors").exists():
            subprocess.run([mkmodel, folder, "--n-layer", str(layers), "--n-embd", str(width), "--n-head", str(heads),
                            "--seed", str(seed), "--tokenizer", ROOT / "models" / "gpt2"],
                           check=True, stdout=subprocess.DEVNULL)
    return cache


if __name__ == "__main__":
    print(make(pathlib.Path(sys.argv[1]).absolute(), sys.argv[2]))
