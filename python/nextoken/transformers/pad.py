"""tokenizer.pad(): encodings that are there already, made equally long."""

from collections.abc import Mapping, Sized

from . import tensors
from .batch import BatchEncoding, PaddingStrategy
from .calls import strategies

__all__ = ["pad"]


def _one(tokenizer, inputs, max_length, strategy, multiple, side, with_mask):
    """Pads one input, in place."""
    main = tokenizer.model_input_names[0]
    ids = inputs[main]
    if with_mask is None:
        with_mask = "attention_mask" in tokenizer.model_input_names
    if strategy is PaddingStrategy.LONGEST:
        max_length = len(ids)
    if max_length is not None and multiple is not None and max_length % multiple:
        max_length = (max_length // multiple + 1) * multiple
    if with_mask and "attention_mask" not in inputs:
        inputs["attention_mask"] = [1] * len(ids)
    if strategy is PaddingStrategy.DO_NOT_PAD or len(ids) == max_length:
        return inputs
    more = max_length - len(ids)
    side = tokenizer.padding_side if side is None else side
    if side not in ("left", "right"):
        raise ValueError(f"Invalid padding strategy:{side}")
    fills = {"token_type_ids": tokenizer.pad_token_type_id, "special_tokens_mask": 1, main: tokenizer.pad_token_id}
    if with_mask:
        fills["attention_mask"] = 0
    for key, value in fills.items():
        if key in inputs:
            fill = [value] * more
            inputs[key] = fill + inputs[key] if side == "left" else inputs[key] + fill
    return inputs


def _kind(ids):
    """"pt" or "np" where ids are tensors or arrays, None where they are lists of numbers."""
    first = ids[0]
    if isinstance(first, (list, tuple)):
        first = next((item[0] for item in ids if len(item)), first)
    if isinstance(first, (int, list, tuple)):
        return None
    if tensors.is_tensor(first):
        return "pt"
    if tensors.is_array(first) or tensors.is_array(ids):
        return "np"
    raise ValueError(f"type of {first} unknown: {type(first)}. Should be one of a python, numpy, or pytorch object.")


def pad(tokenizer, encoded, padding, max_length, multiple, side, with_mask, return_tensors, verbose):
    if isinstance(encoded, (list, tuple)) and encoded and isinstance(encoded[0], Mapping):
        encoded = {key: [example[key] for example in encoded] for key in encoded[0].keys()}
    main = tokenizer.model_input_names[0]
    if main not in encoded:
        raise ValueError("You should supply an encoding or a list of encodings to this method that includes "
                         f"{main}, but you provided {list(encoded.keys())}")
    ids = encoded[main]
    if ids is None or (isinstance(ids, Sized) and len(ids) == 0):
        if with_mask:
            encoded["attention_mask"] = []
        return encoded
    kind = _kind(ids)
    if kind is not None:
        return_tensors = kind if return_tensors is None else return_tensors
        for key, value in encoded.items():
            encoded[key] = tensors.as_lists(value)
    strategy, _, max_length = strategies(tokenizer, padding, None, max_length, None, verbose)
    ids = encoded[main]
    if ids and not isinstance(ids[0], (list, tuple)):
        padded = _one(tokenizer, encoded, max_length, strategy, multiple, side, with_mask)
        return BatchEncoding(padded, tensor_type=return_tensors)
    n = len(ids)
    if not all(len(value) == n for value in encoded.values()):
        raise AssertionError("Some items in the output dictionary have a different batch size than others.")
    if strategy is PaddingStrategy.LONGEST:
        max_length = max(map(len, ids))
        strategy = PaddingStrategy.MAX_LENGTH
    rows = {}
    for i in range(n):
        inputs = {key: value[i] for key, value in encoded.items()}
        for key, value in _one(tokenizer, inputs, max_length, strategy, multiple, side, with_mask).items():
            rows.setdefault(key, []).append(value)
    return BatchEncoding(rows, tensor_type=return_tensors)
