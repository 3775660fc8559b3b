"""Tokenizers: texts to ids and back, batches, offsets. Run by tools/notebooks/compare.py under both systems."""
# %%
from nextoken.transformers import AutoTokenizer, GPT2Tokenizer, GPT2TokenizerFast

MODEL = "tales"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
texts = ["Alice", " Alice", "Alice  was\n\nbeginning", "naïve café — “quoted”", "日本語のテキスト", "👩‍👩‍👧 family", "",
         "don't we'll I'd", "a" * 40, "tabs\tand\r\nlines ", "<|endoftext|>Alice<|endoftext|>", "1,000,000.5 + x_1", "İstanbul ǅ"]
# %%
for text in texts:
    ids = tokenizer.encode(text)
    print(repr(text), ids, tokenizer.tokenize(text), repr(tokenizer.decode(ids)),
          repr(tokenizer.decode(ids, skip_special_tokens=True)))
# %%
for text in texts:
    encoded = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    print({key: encoded[key] for key in encoded})
# %%
print(tokenizer.vocab_size, len(tokenizer), tokenizer.eos_token, tokenizer.eos_token_id, tokenizer.bos_token,
      tokenizer.bos_token_id, tokenizer.unk_token, tokenizer.pad_token, tokenizer.all_special_tokens, tokenizer.all_special_ids)
print(tokenizer.convert_ids_to_tokens([44484, 318, 257]), tokenizer.convert_tokens_to_ids(["Alice", "Ġis", "Ġa", "no such"]),
      repr(tokenizer.convert_tokens_to_string(["Alice", "Ġis", "Ġa"])), tokenizer.convert_ids_to_tokens(318))
vocab = tokenizer.get_vocab()
print(type(vocab), len(vocab), [vocab[t] for t in ("Alice", "Ġthe", "<|endoftext|>", "Ċ")])
# %%
try:
    tokenizer(["one", "two words here"], padding=True)
except ValueError as error:
    print("ValueError", "pad" in str(error))
tokenizer.pad_token = tokenizer.eos_token
for side in ("right", "left"):
    tokenizer.padding_side = side
    print(tokenizer(["one", "two words here", ""], padding=True))
    print(tokenizer(["one", "two words here"], padding="max_length", max_length=5))
# %%
tokenizer.padding_side = "right"
print(tokenizer(["one two three four five", "six"], truncation=True, max_length=3))
print(tokenizer("one two three four five", truncation=True, max_length=3, stride=1, return_overflowing_tokens=True))
tokenizer.truncation_side = "left"
print(tokenizer("one two three four five", truncation=True, max_length=3))
tokenizer.truncation_side = "right"
# %%
tokenizer(["a cat", "a dog barks"], return_tensors="pt", padding=True)
# %%
batch = tokenizer(["a cat", "a dog barks"], return_tensors="np", padding=True)
print(type(batch["input_ids"]), batch["input_ids"].dtype, batch.input_ids.tolist(), list(batch), "input_ids" in batch)
# %%
encoded = tokenizer("The quick brown fox", return_offsets_mapping=True)
print(encoded.tokens(), encoded.char_to_token(5), encoded.token_to_chars(2), encoded.is_fast, encoded.n_sequences)
# %%
print(tokenizer.batch_decode([[44484], [318, 257], []]), tokenizer.decode(44484), tokenizer.decode([]))
print(tokenizer.pad({"input_ids": [[1, 2], [3]]}), tokenizer.pad({"input_ids": [[1, 2, 3]]}, padding=False))
# %%
print(tokenizer("one", "two"), tokenizer([("one", "two"), ("three", "four five")]))
print(tokenizer(["already", "cut", "words"], is_split_into_words=True)["input_ids"] if tokenizer.add_prefix_space else "no prefix")
# %%
spaced = AutoTokenizer.from_pretrained(MODEL, add_prefix_space=True)
print(spaced.encode("This weekend I plan to"), spaced(["This", "weekend"], is_split_into_words=True)["input_ids"])
for kind in (GPT2Tokenizer, GPT2TokenizerFast):
    other = kind.from_pretrained(MODEL)
    print(other.encode("Alice is a"), other.decode([44484, 318]), other.is_fast)
