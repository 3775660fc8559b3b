"""Writes tests/python/expected/transformers_config.json.gz: what transformers 5.23.0 makes of configurations, of
GenerationConfig's options (with its errors and warnings), and how its TextStreamer cuts texts.

    python tools/oracle/python_config.py
"""
import gzip
import json
import logging
import os
import random
import sys
import tempfile
import warnings

import torch
import transformers
from transformers.utils import logging as their_logging

from tokenizer_texts import PROMPTS, nasty

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "python"))
from transformers_tokenizers import END, error_of, make

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "python", "expected",
                   "transformers_config.json.gz")
CLASSES = ["GPT2Config", "GPTNeoConfig", "GPTNeoXConfig", "OPTConfig", "LlamaConfig", "Qwen2Config"]
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 1024, "rope_theta": 500000.0}
ARGUMENTS = [
    {}, {"vocab_size": 100, "foo": [1, "a"]}, {"num_labels": 3, "top_k": 5}, {"torch_dtype": "float32"},
    {"output_attentions": True, "output_hidden_states": True}, {"id2label": {"0": "x"}, "name_or_path": "some/name"},
]
OF_CLASS = {
    "GPT2Config": [{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "n_inner": 64},
                   {"n_embd": 16, "pad_token_id": 3, "task_specific_params": {"text-generation": {"max_length": 50}}}],
    "GPTNeoConfig": [{"num_layers": 2, "attention_types": [[["global", "local"], 1]]}, {"num_layers": 3}],
    "GPTNeoXConfig": [{"rotary_pct": 0.5, "rotary_emb_base": 5000}, {"hidden_size": 10, "num_attention_heads": 3}],
    "OPTConfig": [{"hidden_size": 64, "ffn_dim": 128}],
    "LlamaConfig": [{"rope_theta": 500.0}, {"rope_scaling": LLAMA3}, {"rope_scaling": {"type": "linear", "factor": 2.0}},
                    {"hidden_size": 64, "num_attention_heads": 8, "num_key_value_heads": 2}, {"hidden_size": 10}],
    "Qwen2Config": [{"use_sliding_window": True, "max_window_layers": 2, "num_hidden_layers": 4},
                    {"rope_theta": 1000000.0, "sliding_window": 5}],
}
OPTIONS = {
    "max_length": [10, 20], "max_new_tokens": [5, 0, -1, None], "do_sample": [True, False, None], "num_beams": [1, 2, 4],
    "temperature": [0.7, 1.0, None], "top_k": [50, 10, 0], "top_p": [0.9, 1.0], "min_p": [0.1], "typical_p": [0.3, 1.0],
    "top_h": [0.4], "epsilon_cutoff": [0.0, 0.1], "eta_cutoff": [0.2], "early_stopping": [True, False, "never", "x"],
    "length_penalty": [1.0, 2.0], "num_return_sequences": [1, 2, 3], "use_cache": [True, False],
    "cache_implementation": ["static", "dynamic", "bogus"], "output_scores": [True, False],
    "return_dict_in_generate": [True, False], "suppress_tokens": [[1, 2], [3]], "forced_eos_token_id": [1, [1, 2], 5],
    "forced_bos_token_id": [2], "pad_token_id": [-1, 0, 7], "eos_token_id": [[1, 2], 3],
    "assistant_ensemble_weight": [0.5, 1.5], "logits_processor": [[]], "foo": [1, "a"], "stop_strings": [["a"], "b"],
    "watermarking_config": [{"bias": 1.0}, {"greenlist_ratio": 2.0}], "penalty_alpha": [0.6],
    "prompt_lookup_num_tokens": [3], "max_cache_len": [10], "force_words_ids": [[[1]]], "num_beam_groups": [2],
}
TEXTS = [*PROMPTS[:3], "one two  three\nfour five \n\n six", "日本語 text 漢字かな", "naïve 🤗 👩‍👩‍👧‍👦 done", f"a {END} b ", "", "a"]


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def config_case(name, kwargs):
    try:
        config = getattr(transformers, name)(**kwargs)
    except Exception as error:
        found = "ValueError" if "ValidationError" in type(error).__name__ else error_of(error)[len("error: "):]
        return {"class": name, "kwargs": kwargs, "error": found}
    return {"class": name, "kwargs": kwargs, "dict": config.to_dict(), "repr": repr(config)}


def generation_case(kwargs, kept):
    """One GenerationConfig, changed, saved and read again."""
    kept.lines = []
    their_logging.warning_once.cache_clear()
    their_logging.info_once.cache_clear()
    case = {"kwargs": kwargs}
    try:
        config = transformers.GenerationConfig(**kwargs)
        case["mode"] = config.get_generation_mode().value
        case["unused"] = config.update(top_k=7, bar=3)
        case["repr"] = repr(config)
        with tempfile.TemporaryDirectory() as folder:
            try:
                config.save_pretrained(folder)
                again, unused = transformers.GenerationConfig.from_pretrained(
                    folder, top_p=0.5, zzz=1, return_unused_kwargs=True)
                case["again"] = [repr(again), unused]
            except ValueError as error:
                case["again"] = str(error)
    except ValueError as error:
        # one message of transformers' names a wrong value
        case["error"] = None if "watermarking_config" in str(error) else str(error)
    case["warnings"] = kept.lines
    return case


class Pieces(transformers.TextStreamer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.pieces = []

    def on_finalized_text(self, text, stream_end=False):
        self.pieces.append([text, stream_end])


def stream_case(tokenizer, text, cut, skip_prompt, skip_special):
    streamer = Pieces(tokenizer, skip_prompt=skip_prompt, skip_special_tokens=skip_special)
    ids = tokenizer.encode(text)
    streamer.put(torch.tensor([ids[:cut]]))
    for i in ids[cut:]:
        streamer.put(torch.tensor([i]))
    streamer.end()
    return {"ids": ids, "cut": cut, "skip_prompt": skip_prompt, "skip_special_tokens": skip_special,
            "pieces": streamer.pieces}


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    warnings.simplefilter("ignore")
    logger = logging.getLogger("transformers")
    kept = Kept()
    logger.handlers = [kept]
    rng = random.Random(11)
    result = {"configs": [config_case(name, kwargs) for name in CLASSES for kwargs in ARGUMENTS + OF_CLASS[name]]}
    result["generation"] = [generation_case({}, kept)]
    while len(result["generation"]) < 120:
        kwargs = {name: rng.choice(values) for name, values in OPTIONS.items() if rng.random() < 0.11}
        result["generation"].append(generation_case(kwargs, kept))
    with tempfile.TemporaryDirectory() as root:
        tokenizer = transformers.AutoTokenizer.from_pretrained(make(root, "pair")[0])
        texts = TEXTS + [nasty(rng, [END]) for _ in range(12)]
        result["streams"] = [stream_case(tokenizer, text, rng.randrange(3), rng.random() < 0.4, rng.random() < 0.4)
                             for text in texts if len(text) < 200]
    with open(OUT, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as packed:
        packed.write(json.dumps(result, separators=(",", ":")).encode())
    print(os.path.getsize(OUT), "bytes")


if __name__ == "__main__":
    main()
