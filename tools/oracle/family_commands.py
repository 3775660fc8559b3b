"""Expected results of the command line's jobs for each family beside GPT-2, from transformers.

    python family_commands.py BUILD_FOLDER      (BUILD_FOLDER/tools/mkmodel must be built)

Writes tests/cli/families.json. Each checkpoint says what the hub's config.json of a well-known one says
(named in its case), with other sizes alone, and has a tokenizer of that family's form: GPT-2's files (GPT-Neo;
OPT, whose BOS stands first), tokenizer.json with runs of spaces (Pythia), with bytes to fall back on (Llama)
and with its own pattern (Qwen2). The long text goes beyond windows, and beyond the positions that the Llama was
first trained on. Every text goes through generate by itself, so no padding is in what is expected; a text
whose ids float32 arithmetic in another order could turn is refused here.
"""
import json
import pathlib
import sys
import tempfile

import numpy
import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import checkpoints
import families

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

LONG = ("It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness; "
        "we had everything before us.")
TEXTS = ["Alice", "the  end of \u65e5\u672c,\n\ncaf\u00e9 40", LONG]
ENDINGS = [" yes", " of the age", "!"]
K, NEW, BEAM_NEW, DRAWN = 6, 12, 8, 16
NEAR = 1e-4  # logits nearer than this are not told apart
END = "<|endoftext|>"
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

# family -> the checkpoint whose config.json it is, that config (with our sizes), tokenizer
SIZES = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 3}
CASES = {
    "gpt_neo": ("EleutherAI/gpt-neo-125m", {
        "activation_function": "gelu_new", "architectures": ["GPTNeoForCausalLM"], "attention_dropout": 0,
        "attention_layers": ["global", "local"] * 2, "attention_types": [[["global", "local"], 2]],
        "bos_token_id": 259, "embed_dropout": 0, "eos_token_id": 259, "gradient_checkpointing": False,
        "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": None, "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": 256, "model_type": "gpt_neo", "num_heads": 4, "num_layers": 4,
        "resid_dropout": 0, "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
        "summary_type": "cls_index", "summary_use_proj": True, "transformers_version": "4.9.0.dev0", "use_cache": True,
        "vocab_size": 260, "window_size": 16}),
    "gpt_neox": ("EleutherAI/pythia-70m", {
        **SIZES, "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
        "initializer_range": 0.02, "intermediate_size": 128, "layer_norm_eps": 1e-05, "max_position_embeddings": 256,
        "model_type": "gpt_neox", "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": False,
        "torch_dtype": "float16", "transformers_version": "4.24.0", "use_cache": True, "use_parallel_residual": True,
        "vocab_size": 272}),
    "opt": ("facebook/opt-125m", {
        **SIZES, "_name_or_path": "facebook/opt-125m", "_remove_final_layer_norm": False, "activation_dropout": 0.0,
        "activation_function": "relu", "architectures": ["OPTForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 2,
        "do_layer_norm_before": True, "dropout": 0.1, "eos_token_id": 2, "ffn_dim": 128, "init_std": 0.02,
        "layerdrop": 0.0, "max_position_embeddings": 256, "model_type": "opt", "pad_token_id": 1, "prefix": "</s>",
        "torch_dtype": "float16", "transformers_version": "4.21.0.dev0", "use_cache": True, "vocab_size": 263,
        "word_embed_proj_dim": 32}),
    "llama": ("meta-llama/Llama-3.2-1B", {
        **SIZES, "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": 1, "eos_token_id": 2, "head_dim": 8, "hidden_act": "silu", "initializer_range": 0.02,
        "intermediate_size": 80, "max_position_embeddings": 256, "mlp_bias": False, "model_type": "llama",
        "num_key_value_heads": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 4.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 64, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0", "use_cache": True, "vocab_size": 340}),
    "qwen2": ("Qwen/Qwen2.5-0.5B", {
        **SIZES, "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 259,
        "eos_token_id": 259, "hidden_act": "silu", "initializer_range": 0.02, "intermediate_size": 80,
        "max_position_embeddings": 256, "max_window_layers": 1, "model_type": "qwen2", "num_key_value_heads": 1,
        "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 20, "tie_word_embeddings": True,
        "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": True, "use_mrope": False,
        "use_sliding_window": True, "vocab_size": 260}),
}
ASSISTANT = {"model": "gpt_neo", "assistant": "qwen2"}  # they share all ids of a text


def letters(first=()):
    """The vocabulary and merges of harness.make_letters, behind the tokens of `first`."""
    with tempfile.TemporaryDirectory() as folder:
        made = harness.make_letters(pathlib.Path(folder))
        vocab = json.loads((made / "vocab.json").read_text(encoding="utf-8"))
        merges = (made / "merges.txt").read_text(encoding="utf-8")
    tokens = [*first, *(t for t in vocab if not first or t != END)]
    return {token: i for i, token in enumerate(tokens)}, merges


def pairs(merges):
    return [tuple(line.split(" ")) for line in merges.splitlines()[1:]]


def slow_files(first, said):
    vocab, merges = letters(first)
    return {"vocab.json": json.dumps(vocab), "merges.txt": merges, "tokenizer_config.json": json.dumps(said)}


def fast_files(tokenizer, said):
    return {"tokenizer.json": json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False),
            "tokenizer_config.json": json.dumps(said)}


def neox_files():
    vocab, merges = letters((END, "<|padding|>"))
    tokenizer = Tokenizer(models.BPE(vocab, pairs(merges)))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.add_special_tokens([END, "<|padding|>"])
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in (4, 3, 2)])
    return fast_files(tokenizer, {"add_prefix_space": False, "bos_token": END, "eos_token": END, "unk_token": END,
                                  "tokenizer_class": "GPTNeoXTokenizer"})


def llama_files():
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), "\u2581",
              *(chr(b) for b in range(97, 123)), *(chr(b) for b in range(65, 91)), *",.;!",
              "\u2581t", "he", "\u2581the", "it", "\u2581of"]
    merges = [("\u2581", "t"), ("h", "e"), ("\u2581t", "he"), ("i", "t")]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token="<unk>", fuse_unk=True,
                                     byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return fast_files(tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                                  "tokenizer_class": "PreTrainedTokenizerFast"})


def qwen_files():
    vocab, merges = letters()
    tokenizer = Tokenizer(models.BPE(vocab, pairs(merges)))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(QWEN), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([END])
    return fast_files(tokenizer, {"add_prefix_space": False, "bos_token": None, "eos_token": END, "pad_token": END,
                                  "tokenizer_class": "Qwen2Tokenizer"})


def files_of(family):
    if family == "gpt_neo":
        return slow_files((), {"tokenizer_class": "GPT2Tokenizer", "bos_token": END, "eos_token": END, "unk_token": END})
    if family == "opt":
        return slow_files(("<s>", "<pad>", "</s>", "<unk>"),
                          {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>",
                           "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"})
    return {"gpt_neox": neox_files, "llama": llama_files, "qwen2": qwen_files}[family]()


def checkpoint_of(mkmodel, seed, family, folder):
    """(recipe, model, tokenizer) of a family's case, made in the folder."""
    name, config = CASES[family]
    said = transformers.AutoConfig.for_model(**json.loads(json.dumps(config)))
    made = {"name": family, "as": name, "mkmodel": ["--seed", str(seed)], "config": config,
            "tensors": families.listed(said, f"{folder}/saved-{family}"), "files": files_of(family)}
    path = harness.make_listed(mkmodel, pathlib.Path(folder) / family, made)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    return made, families.load(path), tokenizer


def next_of(logits):
    logprobs = torch.log_softmax(logits.double(), -1)
    order = torch.argsort(-logits, stable=True)[:K]
    return {"ids": order.tolist(), "logits": logits[order].tolist(), "logprobs": logprobs[order].tolist(),
            "margin": float((logits[order[:-1]] - logits[order[1:]]).min()),
            "entropy": float(-(logprobs.exp() * logprobs).sum()), "range": float(logits.max() - logits.min())}


def logprobs_of(model, ids):
    rows = torch.log_softmax(model(torch.tensor([ids])).logits[0, :-1].double(), -1)
    return rows[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].tolist()


def generate(model, ids, **options):
    given = torch.tensor([ids])
    return model.generate(given, attention_mask=torch.ones_like(given), pad_token_id=0, return_dict_in_generate=True,
                          output_scores=True, output_logits=True, **options)


def text_of(model, tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    n = len(ids)
    out = model(torch.tensor([ids]), output_hidden_states=True, output_attentions=True)
    made = {"text": text, "ids": ids, "next": next_of(out.logits[0, -1]), "logprobs": logprobs_of(model, ids),
            "hidden_norms": [float(h[0].double().norm()) for h in out.hidden_states],
            # of each layer and head: how much the last position attends to the first, and the sum of squares
            "attention": [[[float(head[-1, 0]), float(head.double().square().sum())] for head in layer[0]]
                          for layer in out.attentions]}
    greedy = generate(model, ids, max_new_tokens=NEW, do_sample=False, eos_token_id=None)
    margins = [float((s[0].topk(2).values * torch.tensor([1, -1])).sum()) for s in greedy.logits]
    assert min(margins) > NEAR, (text, margins)
    made["greedy"] = {"ids": greedy.sequences[0, n:].tolist()}
    made["greedy"]["text"] = tokenizer.decode(made["greedy"]["ids"], skip_special_tokens=True)
    beams = generate(model, ids, max_new_tokens=BEAM_NEW, num_beams=3, num_return_sequences=3, eos_token_id=None,
                     no_repeat_ngram_size=2)
    made["beams"] = {"ids": beams.sequences[:, n:].tolist(), "scores": beams.sequences_scores.tolist()}
    torch.manual_seed(5)
    drawn = generate(model, ids, max_new_tokens=DRAWN, do_sample=True, temperature=0.8, top_k=0, top_p=0.95,
                     eos_token_id=None)
    made["drawn"] = drawn.sequences[0, n:].tolist()
    return made


def endings_of(model, tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    sums = []
    for ending in ENDINGS:
        more = tokenizer(text + ending)["input_ids"]
        assert more[:len(ids)] == ids, (text, ending)
        sums.append(sum(logprobs_of(model, more)[len(ids) - 1:]))
    return {"text": text, "endings": ENDINGS, "logprobs": sums}


def windows_of(model, ids, window, stride):
    """The stride recipe of transformers' documentation, each token counted once."""
    end, total, counted = 0, 0.0, 0
    for begin in range(0, len(ids), stride):
        last, end = end, min(begin + window, len(ids))
        fresh = logprobs_of(model, ids[begin:end])[-(end - max(last, begin + 1)):]
        total, counted = total - sum(fresh), counted + len(fresh)
        if end == len(ids):
            break
    return {"window": window, "stride": stride, "counted": counted, "loss": total / counted}


def narrow_of(model, ids):
    """What comes next when every weight is cut to bfloat16."""
    narrow = {name: tensor.bfloat16().float() for name, tensor in model.state_dict().items()}
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(narrow)
    made = next_of(model(torch.tensor([ids])).logits[0, -1])
    model.load_state_dict(kept)
    return made


@torch.no_grad()
def main():
    build = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cases, opened = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for i, family in enumerate(CASES):
            made, model, tokenizer = checkpoint_of(build / "tools" / "mkmodel", 50 + i, family, folder)
            made["texts"] = [text_of(model, tokenizer, text) for text in TEXTS]
            made["endings"] = endings_of(model, tokenizer, TEXTS[2])
            made["windows"] = windows_of(model, made["texts"][2]["ids"], 60, 40)
            made["bfloat16"] = narrow_of(model, made["texts"][2]["ids"])
            opened[family] = model
            cases.append(made)
            print(family, made["texts"][2]["ids"][:6], len(made["texts"][2]["ids"]), made["texts"][0]["greedy"])
        ids = cases[0]["texts"][0]["ids"]
        drafted = generate(opened[ASSISTANT["model"]], ids, max_new_tokens=NEW, do_sample=False, eos_token_id=None,
                           assistant_model=opened[ASSISTANT["assistant"]])
        assisted = {**ASSISTANT, "text": TEXTS[0], "ids": drafted.sequences[0, len(ids):].tolist()}
    target = ROOT / "tests" / "cli" / "families.json"
    checkpoints.write(str(target), {"versions": {**checkpoints.versions(), "numpy": numpy.__version__},
                                    "cases": cases, "assisted": assisted})
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
