"""config.json of the families beside GPT-2: what transformers' Configuration classes make of each.

    python family_configs.py    -> tests/format/data/family_configs.json

The frequencies are those that transformers' rotary embedding computes, float32 bit by bit.
"""
import json
import pathlib

import torch
import transformers
from transformers.models.gpt_neox.modeling_gpt_neox import GPTNeoXRotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/format/data/family_configs.json"
ROTARY = {"gpt_neox": GPTNeoXRotaryEmbedding, "llama": LlamaRotaryEmbedding, "qwen2": LlamaRotaryEmbedding}
LLAMA3 = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192}

# What every Llama's config.json says beside its sizes.
META = {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "hidden_act": "silu", "model_type": "llama",
        "pretraining_tp": 1, "rms_norm_eps": 1e-05, "torch_dtype": "bfloat16", "use_cache": True}

# The hub's own config.json of well-known checkpoints, and others that say things another way.
GOOD = [
    # HuggingFaceTB/SmolLM2-135M
    {**META, "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 0, "hidden_size": 576,
     "initializer_range": 0.041666666666666664, "intermediate_size": 1536, "is_llama_config": True,
     "max_position_embeddings": 8192, "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3,
     "rope_interleaved": False, "rope_scaling": None, "rope_theta": 100000, "tie_word_embeddings": True,
     "transformers_version": "4.40.1", "vocab_size": 49152},
    # TinyLlama/TinyLlama-1.1B-Chat-v1.0
    {**META, "bos_token_id": 1, "eos_token_id": 2, "hidden_size": 2048, "initializer_range": 0.02,
     "intermediate_size": 5632, "max_position_embeddings": 2048, "num_attention_heads": 32, "num_hidden_layers": 22,
     "num_key_value_heads": 4, "rope_scaling": None, "rope_theta": 10000.0, "tie_word_embeddings": False,
     "transformers_version": "4.35.0", "vocab_size": 32000},
    # meta-llama/Llama-3.2-1B
    {**META, "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": 128001, "head_dim": 64,
     "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
     "mlp_bias": False, "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
     "rope_scaling": LLAMA3, "rope_theta": 500000.0, "tie_word_embeddings": True,
     "transformers_version": "4.45.0.dev0", "vocab_size": 128256},
    # Qwen/Qwen2.5-0.5B
    {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151643,
     "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02, "intermediate_size": 4864,
     "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2", "num_attention_heads": 14,
     "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
     "sliding_window": 32768, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "transformers_version": "4.40.1",
     "use_cache": True, "use_mrope": False, "use_sliding_window": False, "vocab_size": 151936},
    # EleutherAI/pythia-160m
    {"architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
     "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
     "max_position_embeddings": 2048, "model_type": "gpt_neox", "num_attention_heads": 12, "num_hidden_layers": 12,
     "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": False, "torch_dtype": "float16",
     "transformers_version": "4.24.0", "use_cache": True, "use_parallel_residual": True, "vocab_size": 50304},
    {"model_type": "gpt_neo"},
    {"model_type": "gpt_neo", "num_layers": 12, "attention_types": [[["global", "local"], 6]], "hidden_size": 768,
     "num_heads": 12, "vocab_size": 50257, "window_size": 256, "intermediate_size": None, "layer_norm_epsilon": 1e-05,
     "attention_layers": ["global", "local"] * 6, "resid_dropout": 0, "bos_token_id": 50256, "eos_token_id": 50256},
    {"model_type": "gpt_neo", "num_hidden_layers": 3, "num_layers": 24, "num_attention_heads": 8, "num_heads": 16,
     "hidden_size": 64, "attention_types": [[["local"], 1], [["global"], 2]], "tie_word_embeddings": False},
    {"model_type": "gpt_neox"},
    {"model_type": "gpt_neox", "hidden_size": 512, "num_attention_heads": 8, "num_hidden_layers": 6, "rotary_pct": 0.25,
     "rotary_emb_base": 10000, "intermediate_size": 2048, "max_position_embeddings": 2048, "vocab_size": 50304,
     "use_parallel_residual": True, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0,
     "layer_norm_eps": 1e-05, "hidden_act": "gelu"},
    {"model_type": "gpt_neox", "hidden_size": 96, "num_attention_heads": 8, "rotary_pct": 1.0, "rotary_emb_base": 500},
    {"model_type": "gpt_neox", "hidden_size": 96, "num_attention_heads": 8, "attention_bias": False,
     "use_parallel_residual": False, "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0,
                                                         "partial_rotary_factor": 0.5}},
    {"model_type": "gpt_neox", "hidden_size": 96, "num_attention_heads": 8, "rope_scaling": {"type": "linear", "factor": 2.0}},
    {"model_type": "gpt_neox", "hidden_size": 96, "num_attention_heads": 8, "rope_theta": 77.0, "rope_scaling": None},
    {"model_type": "opt"},
    {"model_type": "opt", "hidden_size": 768, "ffn_dim": 3072, "num_attention_heads": 12, "word_embed_proj_dim": 768,
     "do_layer_norm_before": True, "activation_function": "relu", "pad_token_id": 1, "bos_token_id": 2,
     "eos_token_id": 2, "enable_bias": False, "_remove_final_layer_norm": False, "prefix": "</s>"},
    {"model_type": "llama"},
    {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9,
     "num_hidden_layers": 30, "num_key_value_heads": 3, "rms_norm_eps": 1e-05, "rope_scaling": None,
     "rope_theta": 10000.0, "tie_word_embeddings": True, "vocab_size": 49152, "bos_token_id": 0, "eos_token_id": 0},
    {"model_type": "llama", "hidden_size": 2048, "intermediate_size": 5632, "num_attention_heads": 32,
     "num_hidden_layers": 22, "num_key_value_heads": 4, "rms_norm_eps": 1e-05, "pretraining_tp": 1},
    {"model_type": "llama", "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
     "rope_theta": 500000.0, "rope_scaling": LLAMA3, "max_position_embeddings": 131072,
     "eos_token_id": [128001, 128008, 128009], "vocab_size": 128256, "bos_token_id": 128000},
    {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "head_dim": 6, "attention_bias": True,
     "mlp_bias": True, "rope_parameters": {"rope_type": "linear", "factor": 8, "rope_theta": 123.0}},
    {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": None, "head_dim": None,
     "rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 2, "high_freq_factor": 3}},
    {"model_type": "qwen2"},
    {"model_type": "qwen2", "hidden_size": 896, "num_attention_heads": 14, "num_key_value_heads": 2, "num_hidden_layers": 24,
     "rope_theta": 1000000.0, "sliding_window": 32768, "max_window_layers": 21, "use_sliding_window": False,
     "tie_word_embeddings": True, "rms_norm_eps": 1e-06, "bos_token_id": 151643, "eos_token_id": 151645},
    {"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 1, "num_hidden_layers": 4,
     "use_sliding_window": True, "sliding_window": 100, "max_window_layers": 2},
    {"model_type": "qwen2", "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 4, "num_hidden_layers": 2,
     "use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention"]},
]

F, U = "NT_E_FORMAT", "NT_E_UNSUPPORTED"
TINY = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}


def llama(**fields):
    return {"model_type": "llama", **TINY, **fields}


# What is refused, and the words of the refusal.
BAD = [
    (llama(num_attention_heads=5), F, ["hidden_size 64", "num_attention_heads 5"]),
    (llama(num_key_value_heads=3), F, ["num_attention_heads 4", "num_key_value_heads 3"]),
    (llama(num_key_value_heads=0), F, ["num_key_value_heads"]),
    (llama(head_dim=1), F, ["head of 1 numbers"]),
    (llama(head_dim=7), F, ["head of 7 numbers"]),
    (llama(head_dim=1 << 40), F, ["head_dim"]),
    (llama(num_hidden_layers=1025), F, ["num_hidden_layers"]),
    (llama(max_position_embeddings=1 << 40), F, ["max_position_embeddings"]),
    (llama(rope_theta=0), F, ["rope_theta", "0"]),
    (llama(rope_theta=-5.0), F, ["rope_theta", "-5"]),
    (llama(rope_theta=1e300), F, ["rope_theta", "1e+300"]),
    (llama(rope_theta="much"), F, ["rope_theta"]),
    (llama(rope_scaling=[1]), F, ["rope_scaling", "object"]),
    (llama(rope_scaling={"type": "dynamic", "factor": 2.0}), U, ['rope_type "dynamic"']),
    (llama(rope_scaling={"rope_type": "yarn", "factor": 2.0}), U, ['rope_type "yarn"']),
    (llama(rope_scaling={"rope_type": "longrope"}), U, ['rope_type "longrope"']),
    (llama(rope_scaling={"type": "linear"}), F, ["factor", "missing"]),
    (llama(rope_scaling={"type": "linear", "factor": 0.5}), F, ["factor", "0.5"]),
    (llama(rope_scaling={**LLAMA3, "low_freq_factor": 4.0}), F, ["high_freq_factor 4", "low_freq_factor 4"]),
    (llama(rope_scaling={**LLAMA3, "original_max_position_embeddings": 0}), F, ["original_max_position_embeddings"]),
    (llama(rope_parameters={"full_attention": {"rope_type": "default"}}), U, ["by kind of layer"]),
    (llama(partial_rotary_factor=0.5), U, ["partial_rotary_factor 0.5", "llama"]),
    (llama(rms_norm_eps=-1.0), F, ["rms_norm_eps"]),
    (llama(hidden_act="prelu"), U, ["prelu"]),
    (llama(quantization_config={"quant_method": "gptq"}), U, ["gptq"]),
    ({"model_type": "qwen2", **TINY}, F, ["num_attention_heads 4", "num_key_value_heads 32"]),
    ({"model_type": "qwen2", **TINY, "num_key_value_heads": 2, "layer_types": ["sliding_attention"] * 2}, U,
     ["sliding_attention", "use_sliding_window"]),
    ({"model_type": "qwen2", **TINY, "num_key_value_heads": 2, "layer_types": ["full_attention"]}, F, ["layer_types"]),
    ({"model_type": "qwen2", **TINY, "num_key_value_heads": 2, "layer_types": ["linear_attention"] * 2}, U, ["linear_attention"]),
    ({"model_type": "qwen2", **TINY, "num_key_value_heads": 2, "use_sliding_window": True, "sliding_window": 0}, F,
     ["sliding_window"]),
    ({"model_type": "gpt_neox", **TINY, "rotary_pct": 0.01}, F, ["0.01", "head of 16"]),
    ({"model_type": "gpt_neox", **TINY, "rotary_pct": 1.5}, F, ["1.5", "head of 16"]),
    ({"model_type": "gpt_neox", **TINY, "rotary_pct": -0.5}, F, ["-0.5"]),
    ({"model_type": "gpt_neox", **TINY, "num_attention_heads": 3}, F, ["num_attention_heads 3"]),
    ({"model_type": "gpt_neo", "num_layers": 3}, F, ["attention_types", "24", "num_layers"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": [[["global", "sideways"], 1]]}, U, ["sideways"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": [["global", 2]]}, F, ["attention_types"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": [[["global"], 10**15]]}, F, ["at least 3 layers"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": [[[], 10**15]]}, F, ["0 layers"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": [[["global"], -2]]}, F, ["0 layers"]),
    ({"model_type": "gpt_neo", "num_layers": 2, "attention_types": 7}, F, ["attention_types"]),
    ({"model_type": "gpt_neo", "window_size": 0}, F, ["window_size"]),
    ({"model_type": "gpt_neo", "hidden_size": 100, "num_heads": 3}, F, ["hidden_size 100", "num_heads 3"]),
    ({"model_type": "opt", "do_layer_norm_before": False}, U, ["do_layer_norm_before false"]),
    ({"model_type": "opt", "word_embed_proj_dim": 512, "hidden_size": 1024, "num_attention_heads": 16}, U,
     ["word_embed_proj_dim 512", "hidden_size 1024"]),
    # facebook/opt-350m
    ({"_name_or_path": "opt-350m", "activation_dropout": 0.0, "activation_function": "relu",
      "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 2, "do_layer_norm_before": False,
      "dropout": 0.1, "eos_token_id": 2, "ffn_dim": 4096, "hidden_size": 1024, "init_std": 0.02, "layerdrop": 0.0,
      "max_position_embeddings": 2048, "model_type": "opt", "num_attention_heads": 16, "num_hidden_layers": 24,
      "pad_token_id": 1, "prefix": "</s>", "torch_dtype": "float16", "transformers_version": "4.20.0.dev0",
      "use_cache": True, "vocab_size": 50272, "word_embed_proj_dim": 512}, U, ["do_layer_norm_before false"]),
    ({"model_type": "gpt2", "is_causal": False}, U, ["is_causal false"]),
    (llama(is_causal=False), U, ["is_causal false"]),
    ({"model_type": "opt", "_remove_final_layer_norm": True}, U, ["_remove_final_layer_norm true"]),
    ({"model_type": "opt", "layer_norm_elementwise_affine": False}, U, ["layer_norm_elementwise_affine false"]),
    ({"model_type": "opt", "ffn_dim": None}, F, ["ffn_dim", "null"]),
]


def resolve(text):
    fields = json.loads(json.dumps(text))
    config = transformers.AutoConfig.for_model(**fields)
    get = lambda *names: next(getattr(config, n) for n in names if getattr(config, n, None) is not None)
    H, D, L = config.num_attention_heads, config.hidden_size, config.num_hidden_layers
    local = [False] * L
    if config.model_type == "gpt_neo":
        local = [kind == "local" for kind in config.attention_layers]
    elif config.model_type == "qwen2" and config.sliding_window is not None:
        local = [kind == "sliding_attention" for kind in config.layer_types]
    window = config.window_size if config.model_type == "gpt_neo" else getattr(config, "sliding_window", None)
    F = getattr(config, "intermediate_size", None) or getattr(config, "ffn_dim", None) or 4 * D
    rotary = ROTARY.get(config.model_type)
    frequencies = rotary(config).inv_freq if rotary else torch.zeros(0)
    eos = config.eos_token_id
    return {
        "V": config.vocab_size, "T": config.max_position_embeddings, "D": D, "L": L, "H": H,
        "F": F, "G": getattr(config, "num_key_value_heads", None) or H,
        "E": getattr(config, "head_dim", None) or D // H,
        "eps": get("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps") if config.model_type != "opt" else 1e-5,
        "activation": get("activation_function", "hidden_act"),
        "rms": hasattr(config, "rms_norm_eps"), "parallel": getattr(config, "use_parallel_residual", False),
        "attention_bias": getattr(config, "attention_bias", getattr(config, "enable_bias", False)),
        "mlp_bias": getattr(config, "mlp_bias", getattr(config, "enable_bias", False)),
        "tied": config.tie_word_embeddings, "window": window or 0, "windowed": local,
        "bos": -1 if config.bos_token_id is None else config.bos_token_id,
        "pad": -1 if config.pad_token_id is None else config.pad_token_id,
        "eos": [] if eos is None else eos if isinstance(eos, list) else [eos],
        "frequencies": frequencies.view(torch.int32).tolist(),
    }


def main():
    transformers.logging.set_verbosity_error()
    good = [{"text": json.dumps(text), "fields": resolve(text)} for text in GOOD]
    bad = [{"text": json.dumps(text), "status": status, "phrases": phrases} for text, status, phrases in BAD]
    OUT.write_text(json.dumps({"made_with": {"transformers": transformers.__version__}, "good": good, "bad": bad},
                              separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")
    print(f"{len(good)} good, {len(bad)} bad -> {OUT}")


if __name__ == "__main__":
    main()
