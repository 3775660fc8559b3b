"""The forward pass: outputs by every road, losses, states, caches, masks. Run by tools/notebooks/compare.py under
both systems."""
# %%
import torch
from nextoken.transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel

MODEL = "tales"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager")
model = model.to("cpu").eval()
ids = tokenizer("Once upon a time there was a king", return_tensors="pt").input_ids
# %%
config = AutoConfig.from_pretrained(MODEL)
print(config.model_type, config.n_layer, config.n_head, config.n_embd, config.vocab_size, config.n_positions,
      config.num_hidden_layers, config.hidden_size, config.activation_function, config.layer_norm_epsilon)
print(f"{model.num_parameters():,d}", model.config.model_type, model.device, model.dtype, model.training,
      model.generation_config.eos_token_id)
# %%
with torch.no_grad():
    out = model(ids, labels=ids, output_hidden_states=True, output_attentions=True)
print(list(out.keys()), len(out), out.loss.item(), out["loss"].item(), out[0].item())
loss, logits = out[:2]
print(logits.shape, logits.dtype, len(out.hidden_states), len(out.attentions), out.hidden_states[2].shape, out.attentions[1].shape)
logits[0, -1, :20]
# %%
for n, states in enumerate(out.hidden_states):
    print(n, states.norm(dim=-1)[0].tolist())
for n, weights in enumerate(out.attentions):
    print(n, weights[0, :, -1].tolist())
# %%
with torch.inference_mode():
    pair = model(ids, return_dict=False)
    named = model.forward(input_ids=ids, return_dict=True, use_cache=False)
print(type(pair), len(pair), torch.equal(pair[0], named.logits), named.loss, named.past_key_values, "loss" in named)
# %%
labels = ids.clone()
labels[0, :4] = -100
with torch.no_grad():
    print(model(ids, labels=labels).loss.item(), model(ids, labels=torch.full_like(ids, -100)).loss.item())
# %%
with torch.no_grad():
    first = model(ids[:, :5], use_cache=True)
    second = model(ids[:, 5:], past_key_values=first.past_key_values, use_cache=True)
    whole = model(ids)
print(second.logits.shape, (second.logits - whole.logits[:, 5:]).abs().max().item() < 1e-4,
      second.past_key_values.get_seq_length())
# %%
tokenizer.pad_token = tokenizer.eos_token
texts = ["The king", "A wolf came to the door", "Hush"]
for side in ("right", "left"):
    tokenizer.padding_side = side
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        _logits = model(**batch).logits  # not compared at padding: nextoken computes nothing there
    for n in range(len(texts)):
        kept = _logits[n][batch.attention_mask[n].bool()]
        print(side, n, kept.shape, kept[-1].topk(5).indices.tolist(), kept[-1].topk(5).values.tolist())
# %%
with torch.no_grad():
    batch = torch.cat([ids, ids.flip(-1)])
    print(model(batch).logits[:, -1].topk(3).values.tolist(), model(batch, labels=batch).loss.item())
    last = model(ids, logits_to_keep=1).logits
print(last.shape, torch.allclose(last[0, 0], whole.logits[0, -1], atol=1e-4))
# %%
with torch.no_grad():
    positions = torch.arange(3, 3 + ids.shape[1])[None]
    print(model(ids, position_ids=positions).logits[0, -1].topk(4).values.tolist())
# %%
same = GPT2LMHeadModel.from_pretrained(MODEL, dtype="float32")
with torch.no_grad():
    print(torch.allclose(same(ids).logits, whole.logits, atol=1e-4), type(same).__name__, type(model).__name__)
# %%
long = torch.arange(200)[None] * 7 % 50257
with torch.no_grad():
    out = model(long, labels=long)
print(out.loss.item(), out.logits[0, ::40].argmax(-1).tolist(), out.logits[0, ::40].max(-1).values.tolist())
