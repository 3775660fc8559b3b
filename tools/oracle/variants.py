"""Writes tests/api/data/variants.gz: small checkpoints in every form on disk that transformers opens as
GPT2LMHeadModel, whole, with the logits that it computes from each and what its generate() makes of a prompt; and those
that it opens although they are no language models, or does not open."""
import collections
import gzip
import json
import logging
import pathlib
import tempfile

import torch
import transformers
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "api" / "data" / "variants.gz"
FORMAT, UNSUPPORTED = "NT_E_FORMAT", "NT_E_UNSUPPORTED"
V, T, D, L, H, F = 32, 40, 8, 2, 2, 16
PROMPT = [3, 17, 8, 29, 3]
CONFIG = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": V, "n_positions": T, "n_embd": D,
          "n_layer": L, "n_head": H, "n_inner": F, "bos_token_id": 31, "eos_token_id": 31}
logging.disable(logging.WARNING)


def weights(seed=1, v=V):
    """Multiples of 1/8 below 1: exact in every width, and small when packed."""
    g = torch.Generator().manual_seed(seed)
    noise = lambda *shape: torch.randint(-6, 7, shape, generator=g).float() / 8
    out = collections.OrderedDict({"wte.weight": noise(v, D), "wpe.weight": noise(T, D)})
    for i in range(L):
        for name, *shape in [("ln_1.weight", D), ("ln_1.bias", D), ("attn.c_attn.weight", D, 3 * D), ("attn.c_attn.bias", 3 * D),
                             ("attn.c_proj.weight", D, D), ("attn.c_proj.bias", D), ("ln_2.weight", D), ("ln_2.bias", D),
                             ("mlp.c_fc.weight", D, F), ("mlp.c_fc.bias", F), ("mlp.c_proj.weight", F, D), ("mlp.c_proj.bias", D)]:
            out[f"h.{i}.{name}"] = noise(*shape) + (1 if name in ("ln_1.weight", "ln_2.weight") else 0)
    out["ln_f.weight"], out["ln_f.bias"] = noise(D) + 1, noise(D)
    return out


def head(seed=9, v=V):
    return torch.randint(-6, 7, (v, D), generator=torch.Generator().manual_seed(seed)).float() / 8


def prefixed(tensors, prefix="transformer."):
    return collections.OrderedDict((k if k == "lm_head.weight" else prefix + k, t) for k, t in tensors.items())


def width(tensors, dtype):
    return collections.OrderedDict((k, t.to(dtype)) for k, t in tensors.items())


def buffers(tensors, mask):
    return tensors | {f"h.{i}.attn.{n}": t for i in range(L) for n, t in
                      [("bias", torch.tril(torch.ones(T, T, dtype=mask)).view(1, 1, T, T)), ("masked_bias", torch.tensor(-1e4))]}


class Folder:
    def __init__(self):
        self.kept = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.kept.name)

    def json(self, name, what):
        (self.path / name).write_text(json.dumps(what))
        return self

    def config(self, **changes):
        return self.json("config.json", {k: v for k, v in (CONFIG | changes).items() if v != "leave out"})

    def safe(self, tensors, name="model.safetensors"):
        save_file({k: t.contiguous().clone() for k, t in tensors.items()}, self.path / name, metadata={"format": "pt"})
        return self

    def bin(self, tensors, name="pytorch_model.bin", legacy=False, protocol=2):
        torch.save(tensors, self.path / name, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
        return self

    def shards(self, tensors, write, form):
        names, place = list(tensors), {}
        for i in range(3):
            part, shard = names[i::3], form.format(i + 1)
            write(collections.OrderedDict((k, tensors[k]) for k in part), shard)
            place |= dict.fromkeys(part, shard)
        return self.json(form.split("-")[0] + form[form.index(".", 5):] + ".index.json",
                         {"metadata": {"total_size": 1}, "weight_map": place})


def class_of(name, folder):
    """A fine-tune as its own class writes it."""
    model = getattr(transformers, name)(transformers.GPT2Config(**{k: v for k, v in CONFIG.items() if k not in ("architectures", "model_type")},
                                                                num_labels=3, pad_token_id=0))
    model.load_state_dict(prefixed(weights()), strict=False)
    model.save_pretrained(folder.path)
    (folder.path / "generation_config.json").unlink(missing_ok=True)
    return folder


OLD_DEFAULTS = {"do_sample": False, "early_stopping": False, "num_beams": 1, "max_length": 20, "min_length": 0, "temperature": 1.0,
                "top_k": 50, "top_p": 1.0, "repetition_penalty": 1.0, "length_penalty": 1.0, "no_repeat_ngram_size": 0,
                "bad_words_ids": None, "num_return_sequences": 1, "decoder_start_token_id": None, "pruned_heads": {},
                "finetuning_task": None, "is_decoder": False, "is_encoder_decoder": False, "use_bfloat16": False,
                "torchscript": False, "num_labels": 2, "output_attentions": False, "output_hidden_states": False,
                "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}, "n_ctx": T, "summary_type": "cls_index",
                "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}}
BEAMS = {"num_beams": 3, "max_length": 14, "no_repeat_ngram_size": 2, "length_penalty": 0.5}
SHARD = "pytorch_model-{:05d}-of-00003.bin"
SAFE_SHARD = "model-{:05d}-of-00003.safetensors"


def tied_state():
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**{k: v for k, v in CONFIG.items() if k not in ("architectures", "model_type")}))
    model.load_state_dict(prefixed(weights()), strict=False)
    model.tie_weights()
    return model.state_dict()


def turned():
    return collections.OrderedDict((k, t.t().contiguous().t() if t.dim() == 2 else t) for k, t in weights().items())


def mixed():
    kinds = [torch.float32, torch.float16, torch.bfloat16, torch.float64]
    return collections.OrderedDict((k, t.to(kinds[i % 4])) for i, (k, t) in enumerate(weights().items()))


def sound():
    yield "safetensors", Folder().config().safe(weights())
    yield "safetensors, transformer.", Folder().config().safe(prefixed(weights()))
    yield "safetensors in shards", (f := Folder().config()).shards(prefixed(weights()), f.safe, SAFE_SHARD)
    yield "pytorch_model.bin", Folder().config().bin(weights())
    yield "pytorch_model.bin, transformer.", Folder().config().bin(prefixed(weights()))
    yield "pytorch_model.bin before PyTorch 1.6", Folder().config().bin(prefixed(weights()), legacy=True)
    yield "pytorch_model.bin in shards", (f := Folder().config()).shards(prefixed(weights()), f.bin, SHARD)
    yield "pytorch_model.bin, a tied state_dict()", Folder().config().bin(tied_state())
    yield "pytorch_model.bin, matrices transposed", Folder().config().bin(turned())
    yield "pytorch_model.bin with masks", Folder().config().bin(prefixed(buffers(weights(), torch.uint8)))
    yield "safetensors with masks", Folder().config().safe(buffers(weights(), torch.float32))
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        yield f"safetensors, {dtype}", Folder().config().safe(width(weights(), dtype))
        yield f"pytorch_model.bin, {dtype}", Folder().config().bin(width(weights(), dtype))
    yield "safetensors, widths mixed", Folder().config().safe(mixed())
    yield "pytorch_model.bin, widths mixed", Folder().config().bin(mixed(), legacy=True)
    yield "a head of its own", Folder().config(tie_word_embeddings=False).safe(weights() | {"lm_head.weight": head()})
    yield "tied, and the head is there", Folder().config().bin(prefixed(weights() | {"lm_head.weight": weights()["wte.weight"]}))
    yield "tied by config.json, and another head is there", Folder().config().bin(prefixed(weights() | {"lm_head.weight": head()}))
    yield "embeddings resized", Folder().config(vocab_size=37).safe(prefixed(weights(v=37)))
    yield "GPT2Model's own", Folder().config(architectures=["GPT2Model"]).safe(weights())
    yield "two heads (GPT2DoubleHeadsModel)", class_of("GPT2DoubleHeadsModel", Folder())
    yield "a value head (trl)", Folder().config().bin(prefixed(weights()) | {"v_head.summary.weight": torch.ones(1, D), "v_head.summary.bias": torch.ones(1)})
    yield "a config.json of few keys", Folder().config(model_type="gpt2", architectures="leave out", n_inner="leave out", bos_token_id="leave out",
                                                       eos_token_id="leave out").safe(
        weights() | {f"h.{i}.{n}": t for i in range(L) for n, t in [
            ("mlp.c_fc.weight", torch.ones(D, 4 * D) / 8), ("mlp.c_fc.bias", torch.ones(4 * D) / 4), ("mlp.c_proj.weight", torch.ones(4 * D, D) / 16)]})
    yield "an old config.json, all defaults in it", Folder().config(**OLD_DEFAULTS).bin(weights())
    yield "an old config.json that asks for beams", Folder().config(**BEAMS).bin(weights())
    yield "an old config.json that ends early", Folder().config(eos_token_id=[4, 12, 26], repetition_penalty=1.5).bin(weights())
    yield "generation_config.json goes before it", Folder().config(**BEAMS).json(
        "generation_config.json", {"max_new_tokens": 6, "repetition_penalty": 1.3}).bin(weights())
    yield "safetensors go before pytorch_model.bin", Folder().config().safe(weights(2)).bin(weights(3))
    yield "shards of safetensors go before pytorch_model.bin", (f := Folder().config().bin(weights(3))).shards(weights(4), f.safe, SAFE_SHARD)
    yield "pytorch_model.bin goes before its shards", (f := Folder().config().bin(weights(5))).shards(weights(6), f.bin, SHARD)


def broken():
    """Form, folder, status, phrases."""
    for name, task, tensor in [("GPT2ForSequenceClassification", "classifying texts", "score.weight"),
                               ("GPT2ForTokenClassification", "classifying tokens", "classifier."),
                               ("GPT2ForQuestionAnswering", "answering questions", "qa_outputs.")]:
        yield name, class_of(name, Folder()), UNSUPPORTED, [f"tuned for {task} ({name})", tensor]
    yield "a classifier in pytorch_model.bin, unnamed", Folder().config(architectures="leave out").bin(
        prefixed(weights()) | {"score.weight": torch.ones(3, D)}), UNSUPPORTED, ["classifying texts", "score.weight"]
    yield "a classifier by its config.json", Folder().config(architectures=["GPT2ForTokenClassification"]).safe(
        weights()), UNSUPPORTED, ["GPT2ForTokenClassification", "language model that it was made from"]
    yield "DataParallel", Folder().config().bin(prefixed(weights(), "module.transformer.")), FORMAT, ['begin with "module.transformer."', "transformers finds none"]
    yield "a layer too many", Folder().config(n_layer=1).safe(weights()), FORMAT, ["h.1.", "is no part of a gpt2 network with n_layer 1"]
    yield "a layer that is missing", Folder().config(n_layer=3).safe(weights()), FORMAT, ["h.2.ln_1.weight: expected [8], found no tensor"]
    yield "another vocabulary", Folder().config(vocab_size=33).bin(weights()), FORMAT, ["wte.weight: expected [33, 8], found F32 [32, 8]", "pytorch_model.bin"]
    yield "an untied model without a head", Folder().config(tie_word_embeddings=False).bin(weights()), FORMAT, ["lm_head.weight", "is missing"]
    yield "inside a training run's checkpoint", Folder().config().bin({"epoch": 1, "model": weights()}), UNSUPPORTED, ['inside its "model"']


def files(folder):
    return {p.name: p.read_bytes().hex() for p in sorted(folder.path.iterdir())}


def opened(folder):
    return transformers.GPT2LMHeadModel.from_pretrained(folder.path, dtype=torch.float32, output_loading_info=True)


def as_opened(folder):
    """What transformers makes of it: "refuses", or which weights it makes up."""
    try:
        _, info = opened(folder)
    except Exception as error:  # of every kind
        return f"refuses: {str(error).splitlines()[0][:120]}"
    return {k: sorted(map(str, info[k]))[:3] for k in ("missing_keys", "unexpected_keys")}


def main():
    torch.set_num_threads(1)
    cases, refused = [], []
    for name, folder in sound():
        model, info = opened(folder)
        assert not info["missing_keys"] and not info["mismatched_keys"], (name, info)
        ids = torch.tensor([PROMPT])
        with torch.no_grad():
            logits = model.eval()(ids).logits[0]
            new = model.generate(ids, attention_mask=torch.ones_like(ids), pad_token_id=0)[0][len(PROMPT):]
        cases.append({"name": name, "files": files(folder), "logits": [float(f"{x:.9g}") for x in logits[-1].tolist()],
                      "new": new.tolist()})
    for name, folder, status, phrases in broken():
        refused.append({"name": name, "files": files(folder), "status": status, "phrases": phrases, "transformers": as_opened(folder)})
    raw = json.dumps({"made_with": {"transformers": transformers.__version__, "torch": torch.__version__}, "prompt": PROMPT,
                      "sound": cases, "refused": refused}).encode()
    OUT.parent.mkdir(exist_ok=True)
    with open(OUT, "wb") as out, gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as f:
        f.write(raw)
    print(f"{len(cases)} opened, {len(refused)} refused, {len(raw)} bytes, {OUT.stat().st_size} packed -> {OUT}")


if __name__ == "__main__":
    main()
