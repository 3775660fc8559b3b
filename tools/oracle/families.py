"""Expected figures of the families beside GPT-2, from transformers (eager attention, float32).

    python families.py MKMODEL OUT_FOLDER [FAMILY...]

MKMODEL is the built tools/mkmodel; OUT_FOLDER is tests/model/data, where every family gets a file.
Tensors are listed as save_pretrained names and shapes them; mkmodel fills them, and transformers
loads what it made. The greedy ids come from generate, with its cache, and are checked against a pass
without one.
"""
import json
import os
import sys
import tempfile

import torch
import transformers

import checkpoints
import model as figures

SMALL = {"vocab_size": 61, "hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 3,
         "max_position_embeddings": 64}
NEO = {"vocab_size": 61, "hidden_size": 48, "num_heads": 4, "num_layers": 3, "max_position_embeddings": 64,
       "attention_types": [[["global", "local", "global"], 1]]}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 32}

# family -> name, fields beside the family's defaults, prompt's length, whether with edits, options
CASES = {
    "gpt_neo": [
        ("window-8", {**NEO, "window_size": 8}, 40, True, []),
        ("window-256", {**NEO, "max_position_embeddings": 320, "intermediate_size": 100}, 300, False, ["--dtype", "F16"]),
        ("all-local", {**NEO, "window_size": 1, "attention_types": [[["local"], 3]], "tie_word_embeddings": False,
                       "activation_function": "gelu"}, 20, False, []),
    ],
    "gpt_neox": [
        ("parallel", {**SMALL, "intermediate_size": 100}, 30, True, []),
        ("sequential", {**SMALL, "intermediate_size": 192, "use_parallel_residual": False, "tie_word_embeddings": True,
                        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}},
         30, False, ["--shards", "2"]),
        ("old-keys", {**SMALL, "intermediate_size": 64, "rotary_pct": 0.5, "rotary_emb_base": 500, "attention_bias": False,
                      "max_position_embeddings": 200, "hidden_act": "gelu_fast"}, 150, False, []),
        ("linear", {**SMALL, "intermediate_size": 64, "rotary_pct": 0.5,
                    "rope_scaling": {"type": "linear", "factor": 4.0}}, 24, False, []),
    ],
    "opt": [
        ("plain", {**SMALL, "ffn_dim": 100}, 30, True, []),
        ("no-bias", {**SMALL, "ffn_dim": 192, "enable_bias": False, "tie_word_embeddings": False,
                     "activation_function": "gelu"}, 20, False, ["--dtype", "BF16"]),
    ],
    "llama": [
        ("shared-heads", {**SMALL, "intermediate_size": 100, "num_key_value_heads": 2}, 30, True, []),
        ("one-kv-head", {**SMALL, "intermediate_size": 64, "num_key_value_heads": 1, "head_dim": 20, "rms_norm_eps": 1e-5,
                         "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}, 24, True, []),
        ("llama3", {**SMALL, "intermediate_size": 64, "num_key_value_heads": 4, "rope_parameters": LLAMA3,
                    "max_position_embeddings": 320}, 300, False, ["--dtype", "BF16"]),
        ("old-scaling", {**SMALL, "intermediate_size": 64, "rope_theta": 50000.0,
                         "rope_scaling": {k: v for k, v in LLAMA3.items() if k != "rope_theta"}}, 40, False, []),
    ],
    "qwen2": [
        ("biases", {**SMALL, "intermediate_size": 100, "num_key_value_heads": 2, "tie_word_embeddings": True,
                    "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}}, 30, True, []),
        ("windows", {**SMALL, "intermediate_size": 64, "num_key_value_heads": 4, "use_sliding_window": True,
                     "sliding_window": 6, "max_window_layers": 1}, 40, False, []),
    ],
}


def variance(name, shape, config):
    """(p, q, center) of a tensor, as mkmodel's GPT-2 has them: scores that pick without being
    one-hot, and a residual stream to which every sublayer adds its share."""
    D, L = config.hidden_size, config.num_hidden_layers
    if len(shape) == 1:
        norm = ("norm" in name or "ln_" in name) and name.endswith("weight")
        return (4, 100, 1) if norm else (1, 100, 0)
    N, K = shape
    if any(part in name for part in ("wpe", "embed_positions")):
        return 16, 100, 0
    if any(part in name for part in ("wte", "embed_in", "embed_tokens", "embed_out", "lm_head")):
        return 468, 100 * D, 0
    if "q_proj" in name and config.model_type == "gpt_neo":  # its scores are not divided
        return 4, D * (D // config.num_heads), 0
    if any(part in name for part in ("q_proj", "k_proj", "v_proj", "query_key_value")):
        return 4, D, 0
    if any(part in name for part in ("out_proj", "o_proj", "attention.dense")):
        return 10, L * K, 0
    return (144, 100 * K, 0) if K == D and N != D else (16, L * K, 0)


def listed(config, folder):
    """The list of tensors that mkmodel reads, from what transformers saves."""
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    with open(f"{folder}/model.safetensors", "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    lines = []
    for name, tensor in sorted(header.items()):
        if name == "__metadata__":
            continue
        shape = tensor["shape"]
        p, q, center = variance(name, shape, config)
        rows, columns = shape if len(shape) == 2 else (0, shape[0])
        lines.append(f"{name} {rows} {columns} {p} {q} {center}")
    return lines


def load(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def check_cache(model, prompt):
    """Greedy ids, made with a cache, are what a pass over all of them at once gives too."""
    ids, new = prompt["ids"], prompt["greedy"]["ids"]
    logits = model(torch.tensor([ids + new]), use_cache=False).logits[0]
    for i, chosen in enumerate(new):
        if prompt["greedy"]["margins"][i] > 1e-3:
            assert logits[len(ids) + i - 1].argmax().item() == chosen, (model.config.model_type, i)


def case_of(mkmodel, seed, family, name, fields, length, with_edits, options):
    text = {"model_type": family, **fields}
    with tempfile.TemporaryDirectory() as folder:
        config = transformers.AutoConfig.for_model(**json.loads(json.dumps(text)))
        lines = listed(config, f"{folder}/saved")
        with open(f"{folder}/list", "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(f"{folder}/config", "w") as file:
            json.dump(text, file)
        args = ["--seed", str(seed), *options]
        files = ["--tensors", f"{folder}/list", "--config", f"{folder}/config"]
        crc = checkpoints.make(mkmodel, [*args, *files], f"{folder}/made")
        model = load(f"{folder}/made")
        prompt = figures.prompt_of(model, seed, length, False, with_edits)
        check_cache(model, prompt)
    print(family, name, model.num_parameters(), "parameters", prompt["greedy"]["ids"])
    return {"name": f"{family} {name}", "mkmodel": args, "config": text, "tensors": lines, "crc32": crc,
            "parameters": model.num_parameters(), "prompts": [prompt]}


@torch.no_grad()
def main():
    mkmodel, folder, *only = sys.argv[1:]
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for i, (family, cases) in enumerate(CASES.items()):
        if only and family not in only:
            continue
        made = [case_of(mkmodel, 1000 + 100 * i + k, family, *case) for k, case in enumerate(cases)]
        path = os.path.join(folder, f"{family}.json")
        checkpoints.write(path, {"versions": checkpoints.versions(), "cases": made})


if __name__ == "__main__":
    main()
