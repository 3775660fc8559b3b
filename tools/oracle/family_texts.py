"""A text through each family with GPT-2's vocabulary: its ids, greedy and beam continuations, norms
of hidden states; from transformers' own tokenizer, generate and forward pass.

    python family_texts.py MKMODEL VOCABULARY OUT_FOLDER

VOCABULARY is models/gpt2; OUT_FOLDER is tests/api/data. Families whose tokenizers put a token before a
text (OPT, Llama) do so here, as tokenizer_config.json says.
"""
import json
import sys
import tempfile

import torch
import transformers

import checkpoints
import families

TEXT = "Alice was beginning to get very tired of sitting by her sister on the bank."
SHAPE = {"vocab_size": 50257, "hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2,
         "max_position_embeddings": 128, "tie_word_embeddings": True}
FIELDS = {
    "gpt_neo": {"num_layers": 2, "num_heads": 2, "attention_types": [[["global", "local"], 1]], "window_size": 5},
    "gpt_neox": {"intermediate_size": 48},
    "opt": {"ffn_dim": 48},
    "llama": {"intermediate_size": 48, "num_key_value_heads": 1},
    "qwen2": {"intermediate_size": 48, "num_key_value_heads": 2},
}
END = "<|endoftext|>"


def case_of(mkmodel, vocabulary, seed, family):
    shape = {k: v for k, v in SHAPE.items() if family != "gpt_neo" or k[:4] != "num_"}
    text = {"model_type": family, **shape, **FIELDS[family], "bos_token_id": 50256, "eos_token_id": 50256}
    said = {"tokenizer_class": "GPT2Tokenizer", "bos_token": END, "eos_token": END, "unk_token": END,
            "add_bos_token": family in ("opt", "llama")}
    with tempfile.TemporaryDirectory() as folder:
        config = transformers.AutoConfig.for_model(**json.loads(json.dumps(text)))
        lines = families.listed(config, f"{folder}/saved")
        with open(f"{folder}/list", "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(f"{folder}/config", "w") as file:
            json.dump(text, file)
        args = ["--seed", str(seed)]
        files = ["--tensors", f"{folder}/list", "--config", f"{folder}/config", "--tokenizer", vocabulary]
        crc = checkpoints.make(mkmodel, [*args, *files], f"{folder}/made")
        with open(f"{folder}/made/tokenizer_config.json", "w") as file:
            json.dump(said, file)
        tokenizer = transformers.GPT2Tokenizer.from_pretrained(f"{folder}/made")
        model = families.load(f"{folder}/made")
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    n = ids.shape[1]
    given = {"attention_mask": torch.ones_like(ids), "do_sample": False}
    greedy = model.generate(ids, max_new_tokens=16, **given)[0, n:].tolist()
    beams = model.generate(ids, max_new_tokens=10, num_beams=4, **given)[0, n:].tolist()
    hidden = model(ids, output_hidden_states=True).hidden_states
    print(family, ids[0].tolist()[:3], greedy)
    return {"name": family, "mkmodel": args, "config": text, "tensors": lines, "crc32": crc,
            "tokenizer_config": json.dumps(said), "text": TEXT, "ids": ids[0].tolist(), "greedy": greedy,
            "greedy_text": tokenizer.decode(greedy), "beams": beams, "bos": said["add_bos_token"],
            "hidden_norms": [h[0].double().norm().item() for h in hidden]}


@torch.no_grad()
def main():
    mkmodel, vocabulary, folder = sys.argv[1:]
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cases = [case_of(mkmodel, vocabulary, 70 + i, family) for i, family in enumerate(FIELDS)]
    checkpoints.write(f"{folder}/families.json", {"versions": checkpoints.versions(), "cases": cases})


if __name__ == "__main__":
    main()
