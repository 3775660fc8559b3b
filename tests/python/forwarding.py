"""What the oracle (transformers) and the tests (nextoken.transformers) both do with a case of a forward
pass: the same calls one behind the other, and what they gave as plain numbers.

A case: {"model", "calls": [call, ...]}. A call: {"ids" [B, T], and what is given besides: "mask",
"positions", "labels", "shift_labels", "items", "keep", "hidden", "attentions", "use_cache",
"return_dict"; "cache": it goes on with the last call's; "before": what is done to that cache first}.
"""

import copy
import math

import numpy as np

COLUMNS = 3  # of a row of logits, of a hidden state: as many as are kept, evenly spread

FAMILIES = ("gpt_neo", "gpt_neox", "llama", "opt", "qwen2")

A, B, C = [11, 3, 40, 7, 22, 9], [5, 8, 13], [30, 2, 17, 50]


def _padded(rows, side):
    longest = max(map(len, rows))
    ids, mask = [], []
    for row in rows:
        pad, ones = [0] * (longest - len(row)), [1] * len(row)
        ids.append(pad + row if side == "left" else row + pad)
        mask.append(pad + ones if side == "left" else ones + pad)
    return {"ids": ids, "mask": mask}


def _positions(mask):
    return [[max(n - 1, 0) for n in np.cumsum(row).tolist()] for row in mask]


def _labels(given):
    return [[i if m else -100 for i, m in zip(row, mask)] for row, mask in zip(given["ids"], given["mask"])]


def calls():
    """{name: calls}, for a vocabulary of 60 ids and a context of 64 and more."""
    right, left = _padded([A, B, C], "right"), _padded([A, B, C], "left")
    holes = {"ids": [A, A[::-1]], "mask": [[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1]]}
    more = {"ids": [[1], [2], [3]]}
    grown = {"mask": [row + [1] for row in left["mask"]]}
    behind = {"mask": [row + [1] for row in right["mask"]]}
    seen = {"hidden": True, "attentions": True}
    return {
        "plain": [{"ids": [A], "labels": [A], **seen}],
        "one id": [{"ids": [[7]], "labels": [[7]], **seen}],
        "batch": [{"ids": [A, A[::-1], A[2:] + B[:2]], "labels": [A, [-100] * 6, [-100, 3, -100, 4, 5, 6]],
                   **seen}],
        "loss, the mask's": [{**right, "labels": _labels(right)}],
        "loss, no labels": [{"ids": [A], "labels": [[-100] * 6]}],
        "loss, shifted": [{"ids": [A], "labels": [A], "shift_labels": [A[1:] + [4]], "items": 3}],
        "right padding": [{**right, "labels": right["ids"], **seen}],
        "left padding": [{**left, "labels": _labels(left), "hidden": True}],
        "left padding, all labels": [{**left, "labels": left["ids"]}],
        "left padding, attentions": [{**left, **seen}],
        "left padding, positions": [{**left, "positions": _positions(left["mask"]), "labels": _labels(left)}],
        "left padding, positions, attentions": [{**left, "positions": _positions(left["mask"]), **seen}],
        "nothing but padding": [{"ids": [A, A], "mask": [[0] * 6, [1] * 6]}],
        "holes": [{**holes, **seen}],
        "holes, positions": [{**holes, "positions": [[0, 9, 1, 2, 9, 3], [9, 0, 1, 9, 9, 2]]}],
        "positions": [{"ids": [A], "positions": [[5, 6, 7, 8, 9, 10]], **seen}],
        "positions of all rows": [{"ids": [A, A], "positions": [[3, 4, 5, 9, 10, 11]]}],
        "no cache": [{"ids": [A], "use_cache": False}],
        "tuple": [{"ids": [A], "labels": [A], "hidden": True, "return_dict": False}],
        "tuple, no cache": [{"ids": [A], "return_dict": False, "use_cache": False}],
        "keep 1": [{**right, "keep": 1}],
        "keep 3": [{**left, "keep": 3, "hidden": True}],
        "keep more": [{"ids": [A], "keep": 99}],
        "keep some": [{"ids": [A, A[::-1]], "keep": [4, 0]}],
        "keep of each": [{"ids": [A, A[::-1]], "keep": [[4, 0], [1, 5]]}],
        "keep masked": [{"ids": [A, A[::-1]], "keep": [[True] + [False] * 5, [False, True] * 3]}],
        "cache": [{"ids": [A[:3]], **seen}, {"ids": [A[3:4]], "cache": True, **seen},
                  {"ids": [A[4:]], "cache": True, "labels": [A[4:]], **seen}],
        "cache twice": [{"ids": [A[:3]]}, {"ids": [A[3:]], "cache": True, "use_cache": False},
                        {"ids": [B], "cache": True}],
        "cache, left padding": [{**left, **seen}, {**more, **grown, "cache": True, **seen}],
        "cache, left padding, positions": [
            {**left, "positions": _positions(left["mask"])},
            {**more, **grown, "positions": [[6], [3], [4]], "cache": True, **seen}],
        "cache, right padding": [{**right, **seen}, {**more, **behind, "cache": True, **seen}],
        "cropped": [{"ids": [A, A[::-1]]}, {"ids": [B, B], "cache": True, "before": ["crop", -2], **seen}],
        "cropped padding": [{**right}, {**more, "mask": [row[:4] + [1] for row in right["mask"]],
                                        "cache": True, "before": ["crop", -2]}],
        "copied": [{"ids": [A]}, {"ids": [B], "cache": True, "before": ["copy"]}],
        "rows chosen": [{"ids": [A, A[::-1], B + B]},
                        {"ids": [C, C], "cache": True, "before": ["batch_select_indices", [2, 0]]}],
        "rows reordered": [{"ids": [A, A[::-1]]},
                           {"ids": [C, C], "cache": True, "before": ["reorder_cache", [1, 1]]}],
        "rows repeated": [{"ids": [A, A[::-1]]},
                          {"ids": [C, C, B + [1], C], "cache": True,
                           "before": ["batch_repeat_interleave", 2]}],
    }


def cases():
    """Everything on a checkpoint of GPT-2, and on others what may differ there."""
    named = calls()
    for name, made in named.items():
        yield {"name": name, "model": "small", "calls": made}
    for name in ("plain", "right padding", "left padding", "cache", "keep 1"):
        yield {"name": name, "model": "words", "calls": named[name]}
    for model in FAMILIES:
        for name in ("left padding, attentions", "left padding, positions, attentions", "plain", "batch", "right padding", "left padding", "left padding, positions", "holes",
                     "positions", "cache", "cache, left padding", "cache, right padding", "cropped"):
            made = named[name]
            if model == "opt" and name == "right padding":  # labels of padding, of which nothing is known
                made = [{**made[0], "labels": _labels(made[0])}]
            if (model, name) in (("opt", "left padding"), ("gpt_neo", "left padding"),
                                 ("gpt_neo", "left padding, positions")):
                continue  # the first label is behind such padding
            yield {"name": name, "model": model, "calls": made}
    long = [(7919 * i) % 50257 for i in range(300)]
    yield {"name": "long", "model": "words", "calls": [
        {"ids": [long, long[::-1]], "keep": 40}]}
    yield {"name": "long, in parts", "model": "words", "calls": [
        {"ids": [long[:130]], "keep": 2}, {"ids": [long[130:131]], "cache": True},
        {"ids": [long[131:]], "cache": True, "keep": 3}]}


# ---- A call -------------------------------------------------------------------------------------


_NAMES = {"ids": "input_ids", "mask": "attention_mask", "positions": "position_ids", "labels": "labels",
          "shift_labels": "shift_labels", "keep": "logits_to_keep", "hidden": "output_hidden_states",
          "attentions": "output_attentions", "use_cache": "use_cache", "return_dict": "return_dict"}
_ARRAYS = ("ids", "mask", "positions", "labels", "shift_labels")


def eager(case):
    """Whether transformers must be asked with attn_implementation="eager": it has attentions only then, and
    other numbers of padding in front of a text."""
    return case["model"] == "gpt_neo" or any(call.get("attentions") for call in case["calls"])


def run(model, case, array):
    """What each call of a case gave. array: torch.tensor or numpy.array."""
    made, cache = [], None
    compared = _all if not eager(case) else _behind_the_first
    if case["model"] == "opt":
        compared = _read
    for call in case["calls"]:
        given = {_NAMES[key]: array(value) if key in _ARRAYS or isinstance(value, list) else value
                 for key, value in call.items() if key in _NAMES}
        if "items" in call:
            given["num_items_in_batch"] = call["items"]
        before = call.get("before")
        if before == ["copy"]:
            model(array(call["ids"]), past_key_values=copy.deepcopy(cache))  # leaves the other as it was
        elif before:
            getattr(cache, before[0])(array(before[1]) if isinstance(before[1], list) else before[1])
        if call.get("cache"):
            given["past_key_values"] = cache
        out = model(**given)
        if isinstance(out, tuple):
            made.append({"types": len(out), "logits": _logits(out["labels" in call], call, compared)})
            continue
        made.append(_outcome(out, call, compared))
        if out.past_key_values is not None:
            made[-1]["same cache"] = out.past_key_values is cache
            cache = out.past_key_values
        if cache is not None:
            made[-1]["length"] = cache.get_seq_length()
    return made


# ---- An outcome as numbers ----------------------------------------------------------------------


def _some(array):
    """A few columns of an array, evenly spread, with six digits behind the point."""
    array = np.asarray(array, np.float64)
    n = array.shape[-1]
    columns = array[..., n % 2 if n > COLUMNS else 0::max(1, n // COLUMNS)]
    return np.round(columns, 6).tolist()


# Which rows of a mask [B, S] are compared.


def _all(mask):
    return mask >= 0


def _behind_the_first(mask):
    """But the padding in front of a text."""
    return mask.cumsum(axis=1) > 0


def _read(mask):
    """But padding: OPT's has no position."""
    return mask > 0


def _real(call, compared):
    """[B, T] of a call's own columns."""
    ids = np.array(call["ids"])
    return compared(np.array(call.get("mask", np.ones_like(ids))))[:, -ids.shape[1]:]


def _logits(logits, call, compared):
    logits = np.array(logits)
    keep = call.get("keep")
    if "mask" in call:
        real = _real(call, compared)
        if isinstance(keep, int) and keep:
            real = real[:, -keep:]
        logits = np.where(real[..., None], logits, 0)
    return {"shape": list(logits.shape), "some": _some(logits)}


def _outcome(out, call, compared):
    made = {"keys": [key for key in out.keys() if key not in ("attentions", "past_key_values")],
            "cached": out.past_key_values is not None, "logits": _logits(out.logits, call, compared)}
    if out.loss is not None:
        loss = float(out.loss)
        made["loss"] = "nan" if math.isnan(loss) else loss
    real = _real(call, compared)
    if call.get("hidden"):
        made["hidden"] = [_some(np.where(real[..., None], np.array(layer), 0)) for layer in out.hidden_states]
    if call.get("attentions"):
        made["attentions"] = [_some(np.where(real[:, None, :, None], np.array(layer), 0)[:, ::3])
                              for layer in out.attentions]
    return made


def worst(expected, got):
    """The largest difference between the numbers of two outcomes."""
    if isinstance(expected, dict):
        return max((worst(expected[key], got[key]) for key in expected), default=0.0)
    if isinstance(expected, (list, tuple)):
        return max((worst(a, b) for a, b in zip(expected, got)), default=0.0)
    if isinstance(expected, float):
        return abs(expected - got)
    return 0.0
