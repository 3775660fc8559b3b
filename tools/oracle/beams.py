#!/usr/bin/env python3
"""Expected figures of beam search and beam sampling for tests/decode, from transformers' generate() on tables of
logits (tables.py).

    python3 tools/oracle/beams.py

Writes tests/decode/beams_oracle.json: options of transformers' own names, the table ("rows": kind, number, V, seed and
the factor of its logits), and what generate() returned: ids, sequences_scores, beam_indices.

Two things make what transformers does comparable. torch.topk takes equal numbers in any order; here it takes the lower
index first. And where fewer ids are left than beams, transformers fills up with copies of the prompt and with ended
sequences at scores of about -1e9: what it returns of that kind is left out of the figures. A case is marked where a
decision hung on less than what the logarithm's last digits may differ by ("near"), or where a fill counted as ended and
closed the search early ("filled"); marked cases are not compared.
"""
import collections
import json
import pathlib
import random
import warnings

import torch
import transformers
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast
from transformers.generation import StoppingCriteria, StoppingCriteriaList
from transformers.modeling_outputs import CausalLMOutputWithPast

from tables import TableModel, made_row

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILL = -1e8  # sums below are of sequences that are none
MARGIN = 1e-5
WORDS = ["a", "b", "ab", "ba", "EN", "D", "END", "x", "ND", "aE", "bb"]

transformers.logging.set_verbosity_error()
warnings.filterwarnings("ignore")
Best = collections.namedtuple("Best", "values indices")
real_topk, real_multinomial = torch.topk, torch.multinomial


class Watched(TableModel):
    """The table, with the last position's logits only, and an eye on what hangs on little."""

    def __init__(self, rows, sampled, exact_ties):
        super().__init__(rows)
        self.sampled, self.exact_ties = sampled, exact_ties
        self.near = self.filled = False

    def forward(self, input_ids, attention_mask=None, **kwargs):
        rows = [self.rows[self.choose(ids)] for ids in input_ids.tolist()]
        return CausalLMOutputWithPast(logits=torch.stack(rows)[:, None])

    def look(self, values, relative=False):
        """Numbers in descending order that must not come too close; those of fills do not count."""
        for a, b in zip(values, values[1:]):
            if b < FILL:
                return
            if a - b < MARGIN * (abs(a) if relative else max(1.0, abs(a) / 100)):
                self.near = True

    def topk(self, x, k, dim=-1, **kwargs):
        values, indices = torch.sort(x, dim=dim, descending=True, stable=True)
        return Best(values[..., :k], indices[..., :k])

    def multinomial(self, p, num_samples, **kwargs):
        state = torch.get_rng_state()
        keys = p / torch.empty_like(p).exponential_(1)
        torch.set_rng_state(state)
        order = torch.sort(keys[0], descending=True, stable=True)
        live = int((order.values > 0).sum())
        self.look([v for v in order.values[: num_samples + 1].tolist() if v > 0], True)
        drawn = real_multinomial(p, num_samples, **kwargs)
        n = min(live, num_samples)
        assert self.near or drawn[0, :n].tolist() == order.indices[:n].tolist()
        return drawn

    def _get_top_k_continuations(self, accumulated_log_probs, running_sequences, cur_len, do_sample, beams_to_keep,
                                 num_beams, **kwargs):
        """Equal sums are a tie, and not an accident of rounding, where they are of equal logits behind one beam."""
        size = accumulated_log_probs.shape[-1] // num_beams
        order = torch.sort(accumulated_log_probs[0], descending=True, stable=True)
        values, at = order.values[: beams_to_keep + 1].tolist(), order.indices.tolist()
        for i, (a, b) in enumerate(zip(values, values[1:])):
            if do_sample or b < FILL:
                break
            if a - b >= MARGIN * max(1.0, abs(a) / 100):
                continue
            row = self.rows[self.choose(running_sequences[0, at[i] // size, :cur_len].tolist())]
            if at[i] // size != at[i + 1] // size or row[at[i] % size] != row[at[i + 1] % size] or a != b:
                self.near = True
        return super()._get_top_k_continuations(
            accumulated_log_probs=accumulated_log_probs, running_sequences=running_sequences, cur_len=cur_len,
            do_sample=do_sample, beams_to_keep=beams_to_keep, num_beams=num_beams, **kwargs)

    def _get_running_beams_for_next_iteration(self, topk_log_probs, next_token_hits_stopping_criteria, **kwargs):
        if self.sampled:
            self.look(sorted(topk_log_probs[0][~next_token_hits_stopping_criteria[0]].tolist(), reverse=True))
        return super()._get_running_beams_for_next_iteration(
            topk_log_probs=topk_log_probs, next_token_hits_stopping_criteria=next_token_hits_stopping_criteria,
            **kwargs)

    def _update_finished_beams(self, **kwargs):
        out = super()._update_finished_beams(**kwargs)
        divisor = (kwargs["cur_len"] + 1 - kwargs["decoder_prompt_len"]) ** kwargs["length_penalty"]
        ended = [s for s, is_one in zip(out[1][0].tolist(), out[3][0].tolist()) if is_one]
        real = [s for s in ended if s * divisor >= FILL]
        if len(real) < len(ended) and kwargs["early_stopping"] is True:
            self.filled = True
        if not self.exact_ties:
            self.look(real)
        return out

    def _check_early_stop_heuristic(self, **kwargs):
        best, penalty = float(kwargs["running_beam_scores"][0, 0]), kwargs["length_penalty"]
        if bool(kwargs["is_sent_finished"].all()) and best > FILL:
            to_end = kwargs["early_stopping"] == "never" and penalty > 0
            length = kwargs["max_length" if to_end else "cur_len"] - kwargs["decoder_prompt_len"]
            worst = float(kwargs["beam_scores"].min())
            if abs(best / length**penalty - worst) < MARGIN * max(1.0, abs(worst)):
                self.near = True
        return super()._check_early_stop_heuristic(**kwargs)


class SumStops(StoppingCriteria):
    """A stop of the caller's: the last two ids, one of them twice."""

    def __init__(self, modulus):
        self.modulus = modulus

    def __call__(self, input_ids, scores, **kwargs):
        return (input_ids[:, -1] + 2 * input_ids[:, -2]) % self.modulus == 0


def tokenizer_of(words):
    tokenizer = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(words)}, merges=[]))
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def generate(case, model):
    options = dict(case["options"])
    if "stop_sum" in case:
        options["stopping_criteria"] = StoppingCriteriaList([SumStops(case["stop_sum"])])
    if "stop_strings" in options:
        options["tokenizer"] = tokenizer_of(WORDS)
    if options.get("eos_token_id"):
        options["pad_token_id"] = options["eos_token_id"][0]
    torch.manual_seed(case.get("seed", 0))
    prompt = torch.tensor([case["prompt"]])
    torch.topk, torch.multinomial = model.topk, model.multinomial
    try:
        with torch.no_grad():
            return model.generate(prompt, attention_mask=torch.ones_like(prompt), use_cache=False,
                                  output_scores=True, return_dict_in_generate=True, **options)
    finally:
        torch.topk, torch.multinomial = real_topk, real_multinomial


def run(case):
    """The case with its figures; None where transformers refuses it."""
    kind, n_rows, V, seed, factor = case["rows"]
    rows = torch.stack([made_row(kind, V, seed + r) * factor for r in range(n_rows)])
    model = Watched(rows, case["options"].get("do_sample", False), kind in ("ties", "flat"))
    try:
        out = generate(case, model)
    except RuntimeError as error:
        if "out of range" not in str(error) and "cannot sample n_sample" not in str(error):
            raise
        return None  # there are fewer continuations than candidates
    outputs = []
    for ids, score, beams in zip(out.sequences.tolist(), out.sequences_scores.tolist(), out.beam_indices.tolist()):
        n = sum(i >= 0 for i in beams)
        if n == 0 or score * n ** case["options"]["length_penalty"] < FILL:
            continue
        start = len(case["prompt"])
        outputs.append({"ids": ids[start:start + n], "score": float("%.9g" % score), "beams": beams[:n]})
    case = dict(case, outputs=outputs)
    marks = [m for m in ("near", "filled") if getattr(model, m)]
    return dict(case, marked=marks) if marks else case


def made_cases(rng):
    """Every number of beams with every length penalty and every rule of stopping, and the rest at random."""
    for nb in (2, 3, 5, 8):
        for penalty in (1.0, 0.0, 2.0, -1.0, 0.6):
            for early in (False, True, "never"):
                for sampled in (False, True):
                    V = rng.choice([12, 17, 30, 60])
                    kind, factor = rng.choice([("peaked", 0.5), ("smooth", 0.125), ("smooth", 0.0625),
                                               ("holes", 0.0625)])
                    n_eos = rng.choice([0, 1, 1, 2, 3])
                    options = {"num_beams": nb, "length_penalty": penalty, "early_stopping": early,
                               "max_new_tokens": rng.choice([1, 2, 4, 7, 10, 16]),
                               "num_return_sequences": rng.choice([1, nb, rng.randint(1, nb)])}
                    if n_eos:
                        options["eos_token_id"] = rng.sample(range(V), n_eos)
                    case = {"rows": [kind, rng.choice([40, 90, 150]), V, rng.randrange(10**6), factor],
                            "prompt": [rng.randrange(V) for _ in range(rng.randint(1, 5))]}
                    if sampled:
                        options.update(do_sample=True, top_k=0)
                        case["seed"] = rng.randrange(2**31)
                    yield dict(case, options=options)


def processed_cases(rng, n):
    """Random processors, warpers and stops on top."""
    for i in range(n):
        V = rng.choice([11, 14, 40, 80])
        nb = rng.choice([2, 3, 4, 6])
        sampled = i % 2 == 1
        options = {"num_beams": nb, "length_penalty": rng.choice([1.0, 1.0, 0.0, 1.5]),
                   "early_stopping": rng.choice([False, True, "never"]), "max_new_tokens": rng.randint(2, 14),
                   "num_return_sequences": rng.randint(1, nb), "eos_token_id": rng.sample(range(V), rng.randint(1, 2))}
        case = {"rows": [rng.choice(["smooth", "holes"]), rng.choice([50, 100]), V, rng.randrange(10**6), 0.0625],
                "prompt": [rng.randrange(V) for _ in range(rng.randint(2, 6))]}
        some = {"no_repeat_ngram_size": rng.randint(1, 3), "repetition_penalty": rng.choice([1.2, 0.8, 2.0]),
                "min_new_tokens": rng.randint(1, 6), "bad_words_ids": [[rng.randrange(V)], rng.sample(range(V), 2)],
                "min_length": rng.randint(3, 12), "suppress_tokens": rng.sample(range(V), 2),
                "sequence_bias": [[[rng.randrange(V)], 2.5], [rng.sample(range(V), 2), -3.0]],
                "forced_eos_token_id": options["eos_token_id"][0], "renormalize_logits": True,
                "exponential_decay_length_penalty": [2, 1.25]}
        for name in rng.sample(list(some), rng.randint(0, 3)):
            options[name] = some[name]
        if "forced_eos_token_id" in options:
            options.pop("suppress_tokens", None)  # transformers refuses the two together
        options["top_k"] = 0
        if sampled:
            case["seed"] = rng.randrange(2**31)
            options["do_sample"] = True
            some = {"temperature": rng.choice([0.7, 1.5]), "top_k": rng.randint(2, 20), "top_p": rng.choice([0.9, 0.6]),
                    "min_p": 0.05, "typical_p": 0.9, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02, "top_h": 0.7}
            for name in rng.sample(list(some), rng.randint(0, 2)):
                options[name] = some[name]
        if rng.random() < 0.25:
            case["stop_sum"] = rng.choice([3, 5, 9])
        elif V == 11 and rng.random() < 0.7:
            options["stop_strings"] = rng.sample(["END", "ab", "aEN", "bba", "DN", "xx"], 2)
        yield dict(case, options=options)


def narrow_cases(rng):
    """Fewer ids than candidates, equal logits, rows with few ids left."""
    for V in (2, 3, 4, 6):
        for nb in (2, 3, 5, 8):
            for early in (False, True, "never"):
                kind, factor = rng.choice([("peaked", 0.25), ("ties", 1), ("holes", 0.0625), ("flat", 1)])
                options = {"num_beams": nb, "length_penalty": 1.0, "early_stopping": early,
                           "max_new_tokens": rng.randint(1, 7), "num_return_sequences": nb}
                if rng.random() < 0.7:
                    options["eos_token_id"] = [rng.randrange(V)]
                yield {"rows": [kind, 60, V, rng.randrange(10**6), factor], "prompt": [rng.randrange(V)],
                       "options": options}
    for early in (False, True):
        for nb in (2, 4):
            options = {"num_beams": nb, "length_penalty": 1.0, "early_stopping": early, "max_new_tokens": 6,
                       "num_return_sequences": nb, "do_sample": True, "top_k": 2, "eos_token_id": [3]}
            yield {"rows": ["peaked", 9, 20, rng.randrange(10**6), 0.25], "prompt": [1], "options": options,
                   "seed": rng.randrange(2**31)}


def large_cases(rng):
    """GPT-2's vocabulary and more than 256 positions."""
    for sampled in (False, True):
        V = 50257
        options = {"num_beams": 5, "length_penalty": 1.0, "early_stopping": False, "max_new_tokens": 12,
                   "num_return_sequences": 3, "eos_token_id": [50256], "no_repeat_ngram_size": 2, "top_k": 0}
        case = {"rows": ["peaked", 6, V, rng.randrange(10**6), 0.5],
                "prompt": [rng.randrange(V) for _ in range(260)]}
        if sampled:
            case["seed"] = 5
            options.update(do_sample=True, temperature=0.75, top_k=50)
        yield dict(case, options=options)


def main():
    rng = random.Random(7)
    asked = [*made_cases(rng), *processed_cases(rng, 300), *narrow_cases(rng), *large_cases(rng)]
    cases = [case for case in map(run, asked) if case]
    marked = {m: sum(m in case.get("marked", []) for case in cases) for m in ("near", "filled")}
    print(f"{len(cases)} of {len(asked)} cases; marked: {marked}; "
          f"{sum('do_sample' in c['options'] for c in cases)} drawn")
    head = {"transformers": transformers.__version__, "torch": torch.__version__, "words": WORDS}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    text = json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
    (ROOT / "tests/decode/beams_oracle.json").write_text(text)


if __name__ == "__main__":
    main()
