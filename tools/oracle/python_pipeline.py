"""Writes tests/python/expected/transformers_pipeline.json: what transformers 5.23.0's text-generation pipeline
answers on a seeded checkpoint.

    python tools/oracle/python_pipeline.py MKMODEL
"""
import json
import os
import pathlib
import sys
import tempfile

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import harness  # noqa: E402
from transformers_tokenizers import error_of  # noqa: E402

OUT = ROOT / "tests" / "python" / "expected" / "transformers_pipeline.json"
GREEDY = {"do_sample": False, "max_new_tokens": 6}
# [keywords of pipeline(), inputs, keywords of the call, seed or None]
CASES = [
    [{}, "Alice is a", GREEDY, None],
    [{}, ["Alice is a", "naïve 🤗", "A long long time ago, "], GREEDY, None],
    [{}, "Alice", {**GREEDY, "return_full_text": False}, None],
    [{}, ["Alice"], {**GREEDY, "return_tensors": True}, None],
    [{}, "Alice", {**GREEDY, "num_beams": 3, "num_return_sequences": 2}, None],
    [{}, "Alice is", {"max_new_tokens": 5, "num_return_sequences": 2}, 3],
    [{}, "Alice is", {"max_new_tokens": 5, "temperature": 0.5, "top_k": 10}, 4],
    [{"max_new_tokens": 4, "do_sample": False}, "Alice is", {}, None],
    [{"max_new_tokens": 4, "do_sample": False}, "Alice is", {"max_new_tokens": 2}, None],
    [{}, "", GREEDY, None],
    [{}, "Alice is a", {"do_sample": False, "max_length": 8}, None],
    [{}, "Alice is a", {**GREEDY, "prefix": "Once upon a time "}, None],
    [{}, "Alice is a", {"do_sample": False, "max_length": 8, "prefix": "Once"}, None],
    [{}, " ".join(["word"] * 20), {**GREEDY, "truncation": True, "tokenizer_encode_kwargs": {"max_length": 5}}, None],
    [{"return_full_text": False}, "Alice", {**GREEDY, "clean_up_tokenization_spaces": True}, None],
    [{}, "Alice", {**GREEDY, "skip_special_tokens": False, "forced_eos_token_id": 50256}, None],
    [{}, "Alice", {**GREEDY, "forced_eos_token_id": 50256}, None],
    [{}, "Alice", {**GREEDY, "return_full_text": True, "return_text": True}, None],
    [{}, "Alice", {**GREEDY, "return_full_text": True, "return_tensors": True}, None],
    [{}, "Alice", {**GREEDY, "return_text": True, "return_tensors": True}, None],
    [{}, "Alice", {**GREEDY, "handle_long_generation": "nonsense"}, None],
    [{}, ["Alice is a", "b"], {**GREEDY, "batch_size": 2}, None],
    [{"pad": True}, ["Alice is a", "b", "naïve text here"], {**GREEDY, "batch_size": 2}, None],
    [{"pad": True}, ["Alice is a", "b"], {**GREEDY, "batch_size": 2, "num_beams": 2, "num_return_sequences": 2}, None],
    [{"model_max_length": 12}, " ".join(["word"] * 20), {**GREEDY, "handle_long_generation": "hole"}, None],
    [{"model_max_length": 5}, " ".join(["word"] * 20), {**GREEDY, "handle_long_generation": "hole"}, None],
]


def main():
    assert transformers.__version__ == "5.23.0", transformers.__version__
    transformers.logging.set_verbosity_error()
    cases = []
    with tempfile.TemporaryDirectory() as root:
        path = pathlib.Path(root, "words")
        harness.make_model(pathlib.Path(sys.argv[1]), path, harness.MODELS["words"])
        model = transformers.AutoModelForCausalLM.from_pretrained(path)
        for made, inputs, asked, seed in CASES:
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, model_max_length=made.get("model_max_length"))
            if made.get("pad"):
                tokenizer.pad_token = tokenizer.eos_token
            kwargs = {key: value for key, value in made.items() if key not in ("pad", "model_max_length")}
            generator = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer, device="cpu", **kwargs)
            if seed is not None:
                torch.manual_seed(seed)
            try:
                answer = generator(inputs, **asked)
            except Exception as error:
                answer = error_of(error)
            cases.append({"pipeline": made, "inputs": inputs, "asked": asked, "seed": seed, "answer": answer})
    with open(OUT, "w", encoding="utf-8") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")
    print(os.path.getsize(OUT), "bytes")


if __name__ == "__main__":
    main()
