"""generate() with every kind of option: ids, scores, logits. Run by tools/notebooks/compare.py under both systems."""
# %%
import torch
from nextoken.transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

MODEL = "tales"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, pad_token_id=tokenizer.eos_token_id)
inputs = tokenizer("The king said to the king", return_tensors="pt")
ids = inputs["input_ids"]
n_prompt = ids.shape[1]
# %%
greedy = [
    {}, {"max_new_tokens": 5}, {"max_length": 12}, {"min_new_tokens": 6, "max_new_tokens": 8},
    {"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2}, {"encoder_repetition_penalty": 1.4},
    {"encoder_no_repeat_ngram_size": 3}, {"bad_words_ids": [[11], [262, 5822]]}, {"suppress_tokens": [11, 13, 262]},
    {"begin_suppress_tokens": [11, 284]}, {"forced_eos_token_id": 50256, "max_new_tokens": 4}, {"forced_bos_token_id": 50256},
    {"sequence_bias": {(262,): 4.0, (11, 290): -6.0}}, {"exponential_decay_length_penalty": (3, 1.5)},
    {"renormalize_logits": True}, {"remove_invalid_values": True}, {"eos_token_id": 13}, {"eos_token_id": [11, 13]},
    {"guidance_scale": 1.5}, {"prompt_lookup_num_tokens": 3}, {"use_cache": False, "max_new_tokens": 4},
]
for options in greedy:
    print(options, model.generate(**inputs, **{"max_new_tokens": 10, **options} if "max_length" not in options else options)[0, n_prompt:].tolist())
# %%
beams = [
    {"num_beams": 2}, {"num_beams": 5}, {"num_beams": 4, "num_return_sequences": 3}, {"num_beams": 3, "early_stopping": True},
    {"num_beams": 3, "early_stopping": "never", "length_penalty": 2.0}, {"num_beams": 3, "length_penalty": 0.0, "eos_token_id": 13},
    {"num_beams": 3, "no_repeat_ngram_size": 2}, {"num_beams": 3, "repetition_penalty": 1.5}, {"num_beams": 4, "eos_token_id": [11, 13]},
]
for options in beams:
    out = model.generate(**inputs, max_new_tokens=8, return_dict_in_generate=True, output_scores=True, **options)
    print(options, out.sequences[:, n_prompt:].tolist(), out.sequences_scores.tolist(), out.beam_indices.tolist())
# %%
out = model.generate(**inputs, max_new_tokens=6, num_beams=3, num_return_sequences=2, return_dict_in_generate=True, output_scores=True)
transition = model.compute_transition_scores(out.sequences, out.scores, out.beam_indices, normalize_logits=False)
print(transition.tolist(), transition.sum(dim=1).tolist(), type(out).__name__)
# %%
out = model.generate(**inputs, max_new_tokens=5, return_dict_in_generate=True, output_scores=True, output_logits=True)
print(list(out.keys()), len(out.scores), out.scores[0].shape, type(out).__name__)
# three digits: with tales, transformers' float32 is 1.2e-4 from its own float64 here (nextoken 4e-7)
print([round(x, 3) for x in model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)[0].tolist()])
print(torch.stack(out.scores, dim=1).softmax(-1).max(-1).values.tolist(), [row.argmax().item() for row in out.logits])
# %%
out = model.generate(**inputs, max_new_tokens=4, return_dict_in_generate=True, output_hidden_states=True)
print(len(out.hidden_states), len(out.hidden_states[0]), [tuple(step[0].shape) for step in out.hidden_states])
print([step[-1].norm().item() for step in out.hidden_states])
# %%
tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
batch = tokenizer(["The wolf", "There was once a poor man who had", "Good"], return_tensors="pt", padding=True)
print(model.generate(**batch, max_new_tokens=8).tolist())
print(tokenizer.batch_decode(model.generate(**batch, max_new_tokens=6, num_beams=3), skip_special_tokens=True))
# %%
config = GenerationConfig(max_new_tokens=6, num_beams=2, no_repeat_ngram_size=2, pad_token_id=50256)
print(model.generate(**inputs, generation_config=config).tolist(), config.num_beams, config.do_sample, config.temperature)
print(model.generate(**inputs, generation_config=config, num_beams=1, max_new_tokens=4).tolist())
# %%
print(model.generate(ids, max_new_tokens=12, stop_strings=["\n", ",", "."], tokenizer=tokenizer).tolist())
print(model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=3, do_sample=False).shape)
# %%
for wrong in ({"no_such_option": 1}, {"num_return_sequences": 2}, {"num_beams": 2, "num_return_sequences": 3}, {"max_new_tokens": -1},
              {"repetition_penalty": -1.0}, {"no_repeat_ngram_size": 0.5}):
    try:
        model.generate(**inputs, **{"max_new_tokens": 2, **wrong})
        print(wrong, "passes")
    except Exception as error:
        print(wrong, type(error).__name__)
