#!/usr/bin/env python3
"""Writes tests/format/data/config_cases.json: config.json texts, what AutoConfig of transformers
resolves them to (or that it refuses them), and, where we refuse, our status and the words that
our message must hold.

    python tools/oracle/config.py            (needs transformers)
"""
import json
import os
import pathlib
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
import transformers
from transformers import AutoConfig
from transformers.activations import ACT2CLS, ACT2FN

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/format/data/config_cases.json"
FIELDS = ["vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "activation_function",
          "layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
          "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id"]
F, U = "NT_E_FORMAT", "NT_E_UNSUPPORTED"


def gpt2(**more):
    return json.dumps({"model_type": "gpt2", **more})


def resolve(text):
    """The fields as transformers has them, or None where it refuses the file."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(text)
        try:
            config = AutoConfig.from_pretrained(folder)
        except Exception:
            return None
    assert config.model_type == "gpt2", text
    found = {field: getattr(config, field) for field in FIELDS}
    if found["n_inner"] is None and config.hidden_size is not None:  # as GPT2Block does
        found["n_inner"] = 4 * config.hidden_size
    return found


GOOD = [
    gpt2(),
    gpt2(vocab_size=50257, n_positions=1024, n_ctx=1024, n_embd=768, n_layer=6, n_head=12, architectures=["GPT2LMHeadModel"]),
    gpt2(n_embd=1600, n_layer=48, n_head=25),
    gpt2(hidden_size=64, num_attention_heads=4, num_hidden_layers=3, max_position_embeddings=99),
    gpt2(n_embd=32, hidden_size=64, n_head=3, num_attention_heads=8, n_layer=1, num_hidden_layers=2, n_positions=5, max_position_embeddings=6),
    gpt2(hidden_size=64, n_embd=32, num_attention_heads=8, n_head=3),
    gpt2(n_ctx=77),
    gpt2(n_ctx=77, n_positions=88),
    gpt2(n_inner=100), gpt2(n_inner=None), gpt2(n_embd=96, n_inner=None, n_head=6),
    gpt2(n_embd=7, n_head=7), gpt2(n_embd=7, n_head=1), gpt2(n_embd=65536, n_head=64, n_inner=1),
    gpt2(vocab_size=1, n_positions=1, n_embd=1, n_layer=1, n_head=1, n_inner=1),
    gpt2(vocab_size=16777216), gpt2(n_positions=1048576), gpt2(n_layer=1024),
    gpt2(layer_norm_epsilon=1e-12), gpt2(layer_norm_epsilon=0.0), gpt2(layer_norm_epsilon=0.1), gpt2(layer_norm_epsilon=1e-6),
    gpt2(scale_attn_weights=False), gpt2(scale_attn_by_inverse_layer_idx=True), gpt2(reorder_and_upcast_attn=True),
    gpt2(tie_word_embeddings=False), gpt2(add_cross_attention=False),
    gpt2(bos_token_id=None, eos_token_id=None, pad_token_id=0), gpt2(eos_token_id=[1, 2, 3]), gpt2(eos_token_id=[]),
    gpt2(eos_token_id=0, bos_token_id=1, pad_token_id=2), gpt2(vocab_size=10), gpt2(eos_token_id=list(range(64))),
    gpt2(quantization_config=None), gpt2(pruned_heads={}), gpt2(hidden_act="relu"), gpt2(rope_theta=10.0, unknown={"a": [1]}),
    gpt2(torch_dtype="float16"), gpt2(dtype="bfloat16"), gpt2(use_cache=False, summary_type="mean", resid_pdrop=0, attn_pdrop=0.5),
    "\n\t " + gpt2(n_embd=24, n_head=3) + " \n",
]
# Refused by both.
BAD = [
    ("", F, ["not valid JSON"]), ("{", F, ["not valid JSON", "line 1"]), ("[1]", F, ["holds an array where an object"]),
    ("null", F, ["holds null"]), ("3", F, ["holds an integer"]), ('"gpt2"', F, ["holds a string"]),
    (gpt2() + "x", F, ["not valid JSON"]), ("\ufeff" + gpt2(), F, ["not valid JSON"]), ("{'model_type': 'gpt2'}", F, ["not valid JSON"]),
    ('{"model_type":"gpt2",}', F, ["not valid JSON"]), ('{"model_type":"gpt2"/*c*/}', F, ["not valid JSON"]),
    (json.dumps({"model_type": 3}), F, ['"model_type" must be a string and is an integer']),
    (json.dumps({"n_embd": 32}), U, ["model_type", "gpt2"]), ("{}", U, ["model_type"]),
    (gpt2(n_embd=None), F, ['"n_embd" is null']),
    (gpt2(n_head=True), F, ['"n_head" must be an integer and is true']), (gpt2(n_head=12.0), F, ['"n_head" must be an integer and is a number']),
    (gpt2(n_head="12"), F, ['"n_head" must be an integer and is a string']), (gpt2(n_layer=[2]), F, ['"n_layer" must be an integer and is an array']),
    (gpt2(n_positions={}), F, ['"n_positions"', "an object"]), (gpt2(vocab_size=None), F, ['"vocab_size" is null']),
    (gpt2(n_inner=3.5), F, ['"n_inner" must be an integer']), (gpt2(n_inner="x"), F, ['"n_inner"']),
    (gpt2(layer_norm_epsilon="1e-5"), F, ['"layer_norm_epsilon" must be a number and is a string']),
    (gpt2(layer_norm_epsilon=None), F, ['"layer_norm_epsilon" is null']), (gpt2(layer_norm_epsilon=False), F, ['"layer_norm_epsilon"', "false"]),
    (gpt2(activation_function=None), F, ['"activation_function" is null']), (gpt2(activation_function=3), F, ['"activation_function" must be a string']),
    (gpt2(scale_attn_weights=1), F, ['"scale_attn_weights" must be true or false and is an integer']),
    (gpt2(scale_attn_weights=None), F, ['"scale_attn_weights" is null']), (gpt2(tie_word_embeddings=None), F, ['"tie_word_embeddings" is null']),
    (gpt2(tie_word_embeddings="no"), F, ['"tie_word_embeddings"', "a string"]), (gpt2(reorder_and_upcast_attn=0), F, ['"reorder_and_upcast_attn"']),
    (gpt2(scale_attn_by_inverse_layer_idx=0.0), F, ['"scale_attn_by_inverse_layer_idx"']), (gpt2(add_cross_attention="x"), F, ['"add_cross_attention"']),
    (gpt2(eos_token_id=True), F, ['"eos_token_id" must be an integer']), (gpt2(eos_token_id=1.0), F, ['"eos_token_id"']),
    (gpt2(eos_token_id=["a"]), F, ['"eos_token_id": entry 0']), (gpt2(eos_token_id=[1, None]), F, ['"eos_token_id": entry 1']),
    (gpt2(bos_token_id=[1]), F, ['"bos_token_id" must be an integer and is an array']), (gpt2(pad_token_id="x"), F, ['"pad_token_id"']),
]
# Taken by AutoConfig, refused here: the model would fail or compute otherwise than the file says.
STRICTER = [
    (gpt2(hidden_size=None), F, ['"hidden_size" is null']),
    (gpt2(n_embd=0), F, ['"n_embd" is 0']), (gpt2(n_embd=-768), F, ['"n_embd" is -768']), (gpt2(n_embd=65537), F, ['"n_embd" is 65537']),
    (gpt2(n_head=0), F, ['"n_head" is 0']), (gpt2(n_head=-1), F, ['"n_head" is -1']), (gpt2(n_head=5), F, ["n_embd 768", "n_head 5"]),
    (gpt2(n_head=1536), F, ["n_embd 768", "n_head 1536"]), (gpt2(n_layer=0), F, ['"n_layer" is 0']), (gpt2(n_layer=1025), F, ['"n_layer" is 1025']),
    (gpt2(vocab_size=0), F, ['"vocab_size" is 0']), (gpt2(vocab_size=16777217), F, ['"vocab_size" is 16777217']),
    (gpt2(n_positions=0), F, ['"n_positions" is 0']), (gpt2(n_positions=1048577), F, ['"n_positions" is 1048577']),
    (gpt2(n_inner=0), F, ['"n_inner" is 0']), (gpt2(n_inner=-3), F, ['"n_inner" is -3']), (gpt2(n_inner=1048577), F, ['"n_inner" is 1048577']),
    (gpt2(n_embd=10**30), F, ["n_embd", "must be an integer"]),
    (gpt2(layer_norm_epsilon=-1e-5), F, ['"layer_norm_epsilon" is -1e-05']), (gpt2(layer_norm_epsilon=1e39), F, ['"layer_norm_epsilon" is 1e+39']),
    ('{"model_type":"gpt2","layer_norm_epsilon":NaN}', F, ["not valid JSON", "NaN"]),
    ('{"model_type":"gpt2","layer_norm_epsilon":Infinity}', F, ["not valid JSON", "Infinity"]),
    ('{"model_type":"gpt2","n_embd":32,"n_embd":64}', F, ["duplicate", "n_embd"]),
    (gpt2(activation_function="bogus"), U, ['activation_function "bogus" is not known']), (gpt2(activation_function="GELU"), U, ['"GELU" is not known']),
    (gpt2(activation_function=""), U, ['activation_function ""']),
    (gpt2(activation_function="prelu"), U, ['"prelu" has learned parameters']), (gpt2(activation_function="xielu"), U, ['"xielu" has learned parameters']),
    (gpt2(add_cross_attention=True), U, ["add_cross_attention"]), (gpt2(pruned_heads={"0": [1]}), U, ["pruned_heads"]),
    (gpt2(quantization_config={"quant_method": "gptq", "bits": 4}), U, ["quantization_config", "gptq"]),
    (gpt2(quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True}), U, ["quantization_config", "bitsandbytes"]),
    (gpt2(quantization_config={"quant_method": "awq"}), U, ["quantization_config", "awq"]), (gpt2(quantization_config={}), U, ["quantization_config"]),
    (gpt2(eos_token_id=list(range(65))), U, ["65 ids", "at most 64"]), (gpt2(eos_token_id=-2), F, ['"eos_token_id" is -2']),
    (gpt2(eos_token_id=2**31), F, ['"eos_token_id" is 2147483648']), (gpt2(eos_token_id=[-2]), F, ['"eos_token_id": entry 0']),
]
OTHER_TYPES = ["gptj", "gpt_bigcode", "bloom", "openai-gpt", "imagegpt", "GPT2", "mistral", "qwen3", "bert"]
# Without model_type transformers looks at the folder's name; old files of GPT-2 are taken here.
LOOSER = [json.dumps({"n_embd": 32, "n_layer": 2, "n_head": 4}), json.dumps({"architectures": ["GPT2LMHeadModel"], "n_embd": 64, "n_head": 4}),
          json.dumps({"model_type": None, "architectures": ["GPT2Model"]})]


def activation(name):
    """What the function gives at some places, so that a name cannot be put to a wrong formula."""
    x = torch.tensor([-12.0, -3.0, -1.0, -0.5, 0.25, 1.0, 2.5, 7.0, 12.0])
    return {"name": name, "x": x.tolist(), "y": ACT2FN[name](x).tolist()}


def main():
    good, bad = [], []
    for text in GOOD:
        fields = resolve(text)
        assert fields is not None, text
        good.append({"text": text, "fields": fields})
    for text in LOOSER:
        assert resolve(text) is None, text
        good.append({"text": text, "fields": resolve(json.dumps({**json.loads(text), "model_type": "gpt2"})), "looser": True})
    activations = [activation(name) for name in ACT2CLS if name not in ("prelu", "xielu")]
    for name in ("prelu", "xielu"):
        assert list(ACT2FN[name].parameters()), name
    for text, status, phrases in BAD:
        assert resolve(text) is None, text
        bad.append({"text": text, "status": status, "phrases": phrases})
    for text, status, phrases in STRICTER:
        assert resolve(text) is not None, text
        bad.append({"text": text, "status": status, "phrases": phrases, "stricter": True})
    for name in OTHER_TYPES:
        bad.append({"text": json.dumps({"model_type": name}), "status": U, "phrases": [f'model_type "{name}" is not supported', "gpt2"]})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"made_with": {"transformers": transformers.__version__}, "good": good, "bad": bad,
                               "activations": activations}, indent=1) + "\n")
    print(f"{len(good)} good, {len(bad)} bad, {len(activations)} activations -> {OUT}")


if __name__ == "__main__":
    main()
