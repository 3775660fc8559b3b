"""What the oracle (transformers) and the tests (nextoken.transformers) both do with a case of generate():
the same call with the same functions called back, and its outcome as plain numbers.

A case: {"model", "ids" [[...]], "mask", "seed", "options", "calls": names of CALLS, ...}. T is the
namespace of classes: either module. array makes what goes in: torch.tensor or numpy.array.
"""

import math

import numpy as np

TOP = 2  # ids of a row of scores that are kept, likeliest first
STEPS = 3  # steps whose scores are kept


# ---- What is called back ------------------------------------------------------------------------


def _ban_even(T):
    class Ban(T.LogitsProcessor):
        def __call__(self, input_ids, scores):
            scores[:, ::2] = -math.inf
            return scores

    return {"logits_processor": T.LogitsProcessorList([Ban()])}


def _by_row(T):
    """Looks at the whole batch: row r cannot write what row r - 1 wrote last."""
    class ByRow(T.LogitsProcessor):
        def __call__(self, input_ids, scores):
            for r in range(len(scores)):
                scores[r, int(input_ids[r - 1, -1])] -= 3.0
            return scores

    return {"logits_processor": [ByRow()]}


def _counts(T):
    """Has a state, and returns new scores."""
    class Counts(T.LogitsProcessor):
        calls = 0

        def __call__(self, input_ids, scores):
            self.calls += 1
            return scores * (1.0 + 0.25 * (self.calls % 3))

    return {"logits_processor": T.LogitsProcessorList([Counts()])}


def _replaces(T):
    """Takes the place of the option's own."""
    return {"logits_processor": T.LogitsProcessorList([T.RepetitionPenaltyLogitsProcessor(2.5)])}


def _two_known(T):
    return {"logits_processor": T.LogitsProcessorList([
        T.NoRepeatNGramLogitsProcessor(2), T.SuppressTokensLogitsProcessor([5, 6, 7])])}


def _stop_at_length(T):
    class Stop(T.StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return input_ids.shape[1] >= 12

    return {"stopping_criteria": T.StoppingCriteriaList([Stop()])}


def _stop_rows(T):
    """Some rows end, others go on."""
    class Stop(T.StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return input_ids[:, -1] % 3 == 0

    return {"stopping_criteria": T.StoppingCriteriaList([Stop()])}


def _stop_by_scores(T):
    class Stop(T.StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            return len(scores) >= 5 and float(scores[-1].max()) < 1e9

    return {"stopping_criteria": [Stop()]}


def _stop_eos_and_length(T):
    return {"stopping_criteria": T.StoppingCriteriaList([T.MaxLengthCriteria(11),
                                                         T.EosTokenCriteria([3, 4, 9])])}


def _prefix(T):
    def allowed(batch_id, ids):
        last = int(ids[-1])
        return [(last * k + batch_id + 1) % 90 for k in range(1, 9)]

    return {"prefix_allowed_tokens_fn": allowed}


CALLS = {name[1:]: function for name, function in list(globals().items())
         if name.startswith("_") and callable(function) and not name.startswith("__")}


# ---- A call -------------------------------------------------------------------------------------


class Collects:
    """A streamer that keeps what it gets."""

    def __init__(self):
        self.got, self.ended = [], 0

    def put(self, value):
        self.got.append(value.tolist())

    def end(self):
        self.ended += 1


def run(T, model, case, array, seed, assistant=None, tokenizer=None):
    """The outcome of a case: generate()'s output, and the streamer."""
    options = dict(case["options"])
    if case.get("tuples"):
        options["sequence_bias"] = {tuple(ids): bias for ids, bias in options["sequence_bias"]}
    for name in case.get("calls", ()):
        options.update(CALLS[name](T))
    if "negative_prompt_ids" in options:
        options["negative_prompt_ids"] = array(options["negative_prompt_ids"])
    if "mask" in case:
        options["attention_mask"] = array(case["mask"])
    if assistant is not None:
        options["assistant_model"] = assistant
    if "stop_strings" in options:
        options["tokenizer"] = tokenizer
    streamer = None
    if case.get("stream"):
        streamer = options["streamer"] = Collects()
    if case.get("config"):
        options = {**{k: v for k, v in options.items() if k not in case["config"]},
                   "generation_config": T.GenerationConfig(**{k: options[k] for k in case["config"]})}
    seed(case.get("seed", 0))
    out = model.generate(array(case["ids"]), **options)
    return out, streamer


# ---- An outcome as numbers ----------------------------------------------------------------------


def plain(value):
    return value.tolist() if hasattr(value, "tolist") else value


def _row(row):
    """A row of scores [V]: how many are finite, and the likeliest with their values."""
    row = np.asarray(row, np.float64)
    finite = np.isfinite(row)
    order = np.argsort(-row, kind="stable")[:TOP]
    return {"finite": int(finite.sum()), "top": [[int(i), float(row[i])] for i in order
                                                 if np.isfinite(row[i])],
            "sum": float(row[finite].sum()) if finite.any() else 0.0}


def steps_of(n):
    """Which of n steps are kept."""
    return sorted({0, 1 if n > 1 else 0, n // 2, n - 1})[:STEPS]


def outcome(model, out, case):
    """Everything that a case keeps of generate()'s output."""
    if not hasattr(out, "sequences"):
        return {"sequences": plain(out), "kind": "ids"}
    made = {"kind": type(out).__name__, "keys": [key for key in out.keys() if key != "past_key_values"],
            "sequences": plain(out.sequences)}
    for name in ("sequences_scores", "beam_indices"):
        if getattr(out, name, None) is not None:
            made[name] = plain(getattr(out, name))
    for name in ("scores", "logits"):
        steps = getattr(out, name)
        if steps is None:
            continue
        made["n_" + name] = len(steps)
        made[name] = {str(t): [_row(plain(row)) for row in steps[t]] for t in steps_of(len(steps))}
    if out.scores is not None:
        beams = (out.beam_indices,) if getattr(out, "beam_indices", None) is not None else ()
        for normalize in (False, True):
            made["transition" + ("_normalized" if normalize else "")] = plain(
                model.compute_transition_scores(out.sequences, out.scores, *beams,
                                                normalize_logits=normalize))
    return made


# ---- Comparison ---------------------------------------------------------------------------------


def differences(expected, got, tolerance=1e-4, path=""):
    """Where two outcomes part: whole numbers and words equal, others within the tolerance (of values
    above 1: relative)."""
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(expected) != set(got):
            return [f"{path}: keys {sorted(expected)} and {sorted(got) if isinstance(got, dict) else got}"]
        return [d for key in expected
                for d in differences(expected[key], got[key], tolerance, f"{path}.{key}")]
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)) or len(expected) != len(got):
            return [f"{path}: {expected!r:.120} and {got!r:.120}"]
        return [d for i, (a, b) in enumerate(zip(expected, got))
                for d in differences(a, b, tolerance, f"{path}[{i}]")]
    if isinstance(expected, float) or isinstance(got, float):
        a, b = float(expected), float(got)
        if a == b or (math.isnan(a) and math.isnan(b)):
            return []
        allowed = tolerance * max(1.0, abs(a))
        if path.endswith(".sum"):
            allowed *= 100
        return [] if abs(a - b) <= allowed else [f"{path}: {a!r} and {b!r}"]
    return [] if expected == got else [f"{path}: {expected!r} and {got!r}"]
