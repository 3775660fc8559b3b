"""What Python adds to generation: processors, stopping criteria, streamers, pipelines. Run by
tools/notebooks/compare.py under both systems."""
# %%
import threading

import torch
from nextoken.transformers import (AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList, StoppingCriteria,
                                   StoppingCriteriaList, TextIteratorStreamer, TextStreamer, pipeline, set_seed)

MODEL = "tales"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, pad_token_id=tokenizer.eos_token_id)
inputs = tokenizer("The old woman went", return_tensors="pt")
# %%
seen = []


class Odd(LogitsProcessor):
    """Even ids alone."""

    def __call__(self, input_ids, scores):
        seen.append((tuple(input_ids.shape), tuple(scores.shape), input_ids[0, -1].item()))
        scores = scores.clone()
        scores[:, 1::2] = -float("inf")
        return scores


out = model.generate(**inputs, max_new_tokens=5, do_sample=False, logits_processor=LogitsProcessorList([Odd()]))
print(out.tolist(), seen)
# %%
out = model.generate(**inputs, max_new_tokens=5, num_beams=3, logits_processor=LogitsProcessorList([Odd()]), repetition_penalty=1.2)
print(out.tolist())
set_seed(1)
print(model.generate(**inputs, max_new_tokens=5, do_sample=True, num_return_sequences=2, logits_processor=[Odd()]).tolist())
# %%
class Comma(StoppingCriteria):
    def __call__(self, input_ids, scores, **kwargs):
        return input_ids[:, -1] == 11


class Enough(StoppingCriteria):
    def __call__(self, input_ids, scores, **kwargs):
        return torch.full((input_ids.shape[0],), input_ids.shape[1] >= 9, dtype=torch.bool)


print(model.generate(**inputs, max_new_tokens=20, do_sample=False, stopping_criteria=StoppingCriteriaList([Comma()])).tolist())
print(model.generate(**inputs, max_new_tokens=20, do_sample=False, stopping_criteria=[Enough()]).shape)
set_seed(2)
print(model.generate(**inputs, max_new_tokens=20, do_sample=True, num_return_sequences=3,
                     stopping_criteria=StoppingCriteriaList([Comma(), Enough()])).tolist())
# %%
_ = model.generate(**inputs, max_new_tokens=12, do_sample=False, streamer=TextStreamer(tokenizer))
_ = model.generate(**inputs, max_new_tokens=12, do_sample=False, streamer=TextStreamer(tokenizer, skip_prompt=True))
# %%
streamer = TextIteratorStreamer(tokenizer, skip_prompt=True)
thread = threading.Thread(target=model.generate, kwargs={**inputs, "max_new_tokens": 12, "do_sample": False, "streamer": streamer})
thread.start()
pieces = list(streamer)
thread.join()
print(pieces)
# %%
write = pipeline("text-generation", model=model, tokenizer=tokenizer)
print(write("The dragon said", max_new_tokens=6, do_sample=False))
print(write(["One day", "At night the"], max_new_tokens=4, do_sample=False))
print(write("The dragon said", max_new_tokens=6, do_sample=False, return_full_text=False))
set_seed(3)
print(write("The dragon said", max_new_tokens=6, do_sample=True, num_return_sequences=2, top_k=20))
# %%
def allowed(batch, ids):
    return [262, 11, 290, 257, 5822]


try:
    print(model.generate(**inputs, max_new_tokens=4, do_sample=False, prefix_allowed_tokens_fn=allowed).tolist())
except NotImplementedError:
    print("refused by name")


class Broken(LogitsProcessor):
    def __call__(self, input_ids, scores):
        raise KeyError("of the caller")


try:
    model.generate(**inputs, max_new_tokens=2, logits_processor=[Broken()])
except KeyError as error:
    print(type(error).__name__, error)
