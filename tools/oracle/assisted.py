"""Expected ids of assisted decoding and prompt lookup, from transformers' generate() on tables of logits (tables.py):
tests/decode/assisted_oracle.txt, which tests/decode/test_assisted.c reads.

    python tools/oracle/assisted.py

One line a case: the method, the tables and options as name=value, then the new ids and what was proposed at the place
of each (-1: nothing). near=1: the ids change where the logits change by a millionth, or hang on which of equal numbers
torch sorts first, so float32 decides them."""

import functools
import os

import torch
import transformers
from tables import TableModel, made_ids, made_row, row_of
from transformers.modeling_outputs import CausalLMOutputWithPast

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "..", "tests", "decode", "assisted_oracle.txt")
LAST = 32  # positions that anybody looks at
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]


class Nothing:
    """Stands where a cache would: the tables see the whole sequence at every call."""

    is_compileable = False

    def activate_past_recording(self):
        pass

    def crop(self, n):
        pass

    def get_seq_length(self, *args):
        return 0


class Table(TableModel):
    """Also tells what is proposed to it."""

    def _prepare_cache_for_generation(self, config, kwargs, *args):
        kwargs["past_key_values"] = Nothing()

    def _get_candidate_generator(self, **kwargs):
        generator = super()._get_candidate_generator(**kwargs)
        inner, self.rounds = generator.get_candidates, []

        def get_candidates(ids, **more):
            out = inner(ids, **more)
            self.rounds.append((ids.shape[1], out[0][0, ids.shape[1]:].tolist()))
            return out

        generator.get_candidates = get_candidates
        return generator

    def forward(self, input_ids, past_key_values=None, attention_mask=None, position_ids=None, **kwargs):
        ids = input_ids[0].tolist()
        ends = range(max(1, len(ids) - LAST + 1), len(ids) + 1)
        logits = self.rows[[self.choose(ids[:end]) for end in ends]]
        return CausalLMOutputWithPast(logits=logits[None], past_key_values=Nothing())


@functools.cache
def rows_of(size, n_rows, seed):
    return torch.stack([made_row("smooth", size, seed + r) for r in range(n_rows)])


def table(case, assistant, factor):
    """Rows of the model, or of its assistant: `like` quarters of the model's and the rest of its own."""
    size, n_rows, seed = case["V"], case["rows"], case["table"]
    rows = rows_of(size, n_rows, seed)
    if assistant:
        rows = (case["like"] * rows + (4 - case["like"]) * rows_of(size, n_rows, seed + 1000)) / 4
    choose = (lambda ids: min(ids[-1], n_rows - 1)) if case["by_id"] else (lambda ids: row_of(ids, n_rows))
    return Table(rows / case["soft"] * factor, choose)


OURS = {"method", "V", "rows", "table", "like", "by_id", "soft", "seed", "prompt", "made_prompt", "schedule", "threshold", "drafts"}


def generate(case, factor=1.0):
    model = table(case, False, factor)
    options = {k: v for k, v in case.items() if k not in OURS}
    if "bad_words_ids" in options:
        options["bad_words_ids"] = [options["bad_words_ids"]]
    if case["method"] == "draft":
        assistant = table(case, True, factor)
        assistant.generation_config.num_assistant_tokens = case["drafts"]
        assistant.generation_config.num_assistant_tokens_schedule = case.get("schedule", "constant")
        assistant.generation_config.assistant_confidence_threshold = case.get("threshold", 0.4)
        options["assistant_model"] = assistant
    options.setdefault("do_sample", False)
    if options["do_sample"]:
        options.setdefault("top_k", 0)
    torch.manual_seed(case.get("seed", 0))
    prompt = made_ids(case["table"], case["made_prompt"], 12) if "made_prompt" in case else case["prompt"]
    n = len(prompt)
    ids = model.generate(torch.tensor([prompt]), pad_token_id=0, **options)[0].tolist()
    drafted, starts = [], [start for start, _ in model.rounds] + [len(ids)]
    for (start, proposed), end in zip(model.rounds, starts[1:]):
        del proposed[n + case["max_new_tokens"] - start - 1:]  # what would not fit
        drafted += (proposed + [-1] * (end - start))[: end - start]
    return ids[n:], drafted


def cases():
    def lookup(**options):
        base = {"method": "lookup", "V": 12, "rows": 12, "table": 1, "like": 4, "by_id": 1, "soft": 8,
                "prompt": PROMPT, "max_new_tokens": 24, "prompt_lookup_num_tokens": 4}
        return base | options

    def draft(**options):
        base = {"method": "draft", "V": 16, "rows": 61, "table": 1, "like": 3, "by_id": 0, "soft": 8,
                "prompt": PROMPT, "max_new_tokens": 24, "drafts": 4, "threshold": 0.0}
        return base | options

    for table_seed in (1, 40, 70):
        yield lookup(table=table_seed)
        yield lookup(table=table_seed, max_matching_ngram_size=1, prompt_lookup_num_tokens=10)
        yield lookup(table=table_seed, max_matching_ngram_size=5, eos_token_id=[5])
        yield lookup(table=table_seed, no_repeat_ngram_size=3)
        yield lookup(table=table_seed, no_repeat_ngram_size=2, prompt_lookup_num_tokens=7)
        yield lookup(table=table_seed, repetition_penalty=1.7)
        yield lookup(table=table_seed, suppress_tokens=[1, 5], remove_invalid_values=True)
        yield lookup(table=table_seed, eos_token_id=[2, 6], min_new_tokens=6)
        yield lookup(table=table_seed, bad_words_ids=[5, 3], eos_token_id=[11], forced_eos_token_id=11)
    yield lookup(prompt=[7])
    yield lookup(prompt=[7], max_new_tokens=1)
    yield lookup(max_new_tokens=2, prompt_lookup_num_tokens=9)
    for seed in range(1, 7):
        yield lookup(do_sample=True, seed=seed, table=seed, soft=4)
        yield lookup(do_sample=True, seed=seed, temperature=1.5, top_k=5, prompt_lookup_num_tokens=10)
        yield lookup(do_sample=True, seed=seed, table=90 + seed, soft=4, no_repeat_ngram_size=3,
                     max_matching_ngram_size=1)
        yield lookup(do_sample=True, seed=seed, table=20 + seed, eos_token_id=[6], top_k=6, min_new_tokens=8)
    yield lookup(do_sample=True, seed=5, top_p=0.8)
    yield lookup(do_sample=True, seed=6, top_p=0.6, soft=4)
    yield lookup(do_sample=True, seed=8, min_p=0.05, soft=4)
    for like in range(5):
        yield draft(like=like)
        yield draft(like=like, drafts=7, threshold=0.4, table=30)
        yield draft(like=like, drafts=3, schedule="heuristic", max_new_tokens=40)
        yield draft(like=like, drafts=5, table=7, eos_token_id=[4, 9], min_new_tokens=5)
        yield draft(like=like, assistant_ensemble_weight=0.6, table=50)
        yield draft(like=like, no_repeat_ngram_size=2, repetition_penalty=1.3, table=9)
        yield draft(like=like, do_sample=True, seed=10 + like)
        yield draft(like=like, do_sample=True, seed=20 + like, temperature=0.8, top_k=6, drafts=6)
        yield draft(like=like, do_sample=True, seed=30 + like, top_p=0.85, drafts=5, table=77)
        yield draft(like=like, do_sample=True, seed=40 + like, drafts=2, schedule="heuristic_transient")
        yield draft(like=like, do_sample=True, seed=50 + like, drafts=8, threshold=0.3, soft=4)
        yield draft(like=like, do_sample=True, seed=60 + like, assistant_ensemble_weight=0.3, table=5)
        yield draft(like=like, do_sample=True, seed=70 + like, eos_token_id=[3], min_new_tokens=9, drafts=20)
        yield draft(like=like, do_sample=True, seed=80 + like, V=40, table=500, typical_p=0.9, drafts=17)
    for seed in (1,):
        large = {"V": 50257, "rows": 12, "made_prompt": 290, "prompt": [], "soft": 4, "table": seed, "by_id": 1,
                 "max_new_tokens": 20}
        drawn = {"do_sample": True, "seed": seed, "top_k": 6}
        yield lookup(**large)
        yield lookup(**large | drawn)
        yield draft(**large)
        yield draft(**large | drawn)
    yield draft(max_new_tokens=1)
    yield draft(max_new_tokens=2, drafts=9)
    yield draft(V=1, rows=1, prompt=[0], max_new_tokens=5, do_sample=True, seed=3)


def text_of(value):
    if isinstance(value, list):
        return ",".join(str(v) for v in value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)  # many small rows
    n_near = n = 0
    with open(OUT, "w") as out:
        out.write(f"# transformers {transformers.__version__}, torch {torch.__version__}: see tools/oracle/assisted.py\n")
        for case in cases():
            ids, drafted = generate(case)
            near = any(generate(case, factor) != (ids, drafted) for factor in (1 + 1e-6, 1 - 1e-6))
            # top_p sorts the row of ones that prompt lookup asks the processors with
            near |= case["method"] == "lookup" and "top_p" in case
            shown = " ".join(f"{k}={text_of(v)}" for k, v in case.items() if k != "method" and v != [])
            out.write(f"{case['method']} {shown} near={int(near)} ids={text_of(ids)} drafted={text_of(drafted)}\n")
            n += 1
            n_near += near
    print(f"{n} cases, {n_near} near")


main()
