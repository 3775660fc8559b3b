"""Sampling by torch's generator, alone and in batches, with beams, across calls. Run by tools/notebooks/compare.py
under both systems."""
# %%
import torch
from nextoken.transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

MODEL = "tales"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, pad_token_id=tokenizer.eos_token_id)
inputs = tokenizer("Long ago the sea", return_tensors="pt")
n_prompt = inputs["input_ids"].shape[1]
# %%
for seed in range(4):
    torch.manual_seed(seed)
    print(seed, model.generate(**inputs, do_sample=True, max_new_tokens=8)[0, n_prompt:].tolist(), torch.rand(1).item())
# %%
for options in ({"temperature": 0.7}, {"top_k": 5}, {"top_k": 0, "top_p": 0.8}, {"top_k": 0, "min_p": 0.02}, {"top_k": 0, "typical_p": 0.7},
                {"top_k": 0, "epsilon_cutoff": 0.005}, {"top_k": 0, "eta_cutoff": 0.005}, {"top_k": 0, "top_h": 0.4},
                {"temperature": 1.3, "top_k": 30, "top_p": 0.9, "repetition_penalty": 1.2}, {"num_return_sequences": 3}):
    set_seed(5)
    print(options, model.generate(**inputs, do_sample=True, max_new_tokens=8, **options)[:, n_prompt:].tolist())
# %%
set_seed(6)
for n in (1, 2, 1):
    print(model.generate(**inputs, do_sample=True, max_new_tokens=5, num_return_sequences=n)[:, n_prompt:].tolist())
    print(torch.randint(1000, (2,)).tolist())
# %%
set_seed(7)
out = model.generate(**inputs, do_sample=True, num_beams=3, max_new_tokens=6, return_dict_in_generate=True, output_scores=True)
print(out.sequences.tolist(), out.sequences_scores.tolist(), out.beam_indices.tolist())
# %%
tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
batch = tokenizer(["The wolf", "There was once a poor man who had", "Good"], return_tensors="pt", padding=True)
set_seed(8)
print(model.generate(**batch, do_sample=True, max_new_tokens=8, eos_token_id=[50256, 13, 11]).tolist())
print(model.generate(**batch, do_sample=True, max_new_tokens=4, num_return_sequences=2).tolist())
# %%
set_seed(9)
out = model.generate(**inputs, do_sample=True, max_new_tokens=5, num_return_sequences=2, output_scores=True, output_logits=True,
                     return_dict_in_generate=True, top_k=10)
scores = torch.stack(out.scores, dim=1)
print([torch.isfinite(step).sum(-1).tolist() for step in out.scores], scores.shape)
print(torch.gather(scores.softmax(-1), 2, out.sequences[:, n_prompt:, None]).squeeze(-1).tolist())
print(model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True).tolist())
# %%
state = torch.get_rng_state()
first = model.generate(**inputs, do_sample=True, max_new_tokens=6).tolist()
torch.set_rng_state(state)
print(first == model.generate(**inputs, do_sample=True, max_new_tokens=6).tolist(), first)
