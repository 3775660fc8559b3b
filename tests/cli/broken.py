"""Checkpoints that are broken in one way each, made from the tiny model with the standard library."""

import json
import shutil
import struct

import harness


def change_config(folder, **members):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config.update(members)
    path.write_text(json.dumps(config), encoding="utf-8")


def change_header(folder, change):
    path = folder / "model.safetensors"
    header, data = harness.read_safetensors(path)
    harness.write_safetensors(path, change(header) or header, data)


def own_search(folder):
    """Not broken: a checkpoint that asks for beams, as those of BART do."""
    (folder / "generation_config.json").write_text(json.dumps(
        {"num_beams": 4, "early_stopping": True, "length_penalty": 2.0, "forced_bos_token_id": 0}))


def no_config(folder):
    (folder / "config.json").unlink()


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def pickle_only(folder):
    """A pickle that would run a command, were it opened by Python."""
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")


def truncated(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def empty_file(folder):
    (folder / "model.safetensors").write_bytes(b"")


def not_safetensors(folder):
    (folder / "model.safetensors").write_text("Once upon a time there was a model.", encoding="utf-8")


def giant_header(folder):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def mamba(folder):
    change_config(folder, model_type="mamba")


def odd_heads(folder):
    change_config(folder, n_head=5)


def unknown_activation(folder):
    change_config(folder, activation_function="prelu")


def config_not_json(folder):
    (folder / "config.json").write_text('{"n_embd": 32,', encoding="utf-8")


def misshapen(folder):
    change_config(folder, n_inner=100)


def missing_tensor(folder):
    def change(header):
        for name in list(header):
            if name.endswith("h.1.ln_2.bias"):
                header[name.replace("ln_2.bias", "ln_3.bias")] = header.pop(name)

    change_header(folder, change)


def overlap(folder):
    def change(header):
        names = [n for n in header if n.endswith("ln_1.bias")]
        header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]

    change_header(folder, change)


def add_tensor(folder, name, dtype, shape, data):
    path = folder / "model.safetensors"
    header, old = harness.read_safetensors(path)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(old), len(old) + len(data)]}
    harness.write_safetensors(path, header, old + data)


def narrow_head(folder):
    add_tensor(folder, "lm_head.weight", "F8_E4M3", [96, 32], bytes(96 * 32))


def extra_integers(folder):
    add_tensor(folder, "counter", "I64", [1], bytes(8))


def bad_vocab(folder):
    (folder / "vocab.json").write_text('{"a": 0, "b": -7}', encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def no_merges(folder):
    (folder / "vocab.json").write_text('{"a": 0}', encoding="utf-8")


def bad_merges(folder):
    (folder / "vocab.json").write_text('{"a": 0, "b": 1, "ab": 2}', encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\na b c\n", encoding="utf-8")


def make(bench, name):
    """Path of the broken checkpoint, made anew."""
    folder = bench.folder / "broken" / name
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(bench.model("bare"), folder)
    globals()[name.replace("-", "_")](folder)
    return folder
