"""What a forward pass is given, checked and as arrays: ids, mask and positions of a batch.

Letters: B rows, T positions of this call, S with those of the cache.
"""

import numpy as np

from ..arrays import as_numpy
from .cache import Cache, DynamicCache, Row
from . import tensors

__all__ = ["Inputs", "refuse_arguments"]

#: Arguments of transformers' forward that are not built, and what to do.
_REFUSED = {
    "inputs_embeds": "the library reads ids; edit the point \"embedding\" of a nextoken.Session to change "
                     "what they are embedded as",
    "token_type_ids": "give it no token_type_ids (GPT-2's tokenizer makes none)",
    "head_mask": "edit the point \"head_out\" of a nextoken.Session to put heads out",
    "encoder_hidden_states": "there is no encoder and no cross-attention",
    "encoder_attention_mask": "there is no encoder and no cross-attention",
    "cache_params": "give past_key_values",
    "past_key_value": "give past_key_values",
}


def refuse_arguments(kwargs, kind):
    """NotImplementedError for arguments that transformers has, TypeError for others; None asks for
    nothing."""
    for name, value in kwargs.items():
        if name in _REFUSED:
            if value is not None:
                raise NotImplementedError(f"{kind}.forward: {name} is not supported: {_REFUSED[name]}")
        else:
            raise TypeError(f"{kind}.forward got an unexpected argument {name!r}")


class Inputs:
    """ids int32 [B, T], mask bool [B, T], positions int64 [B, T], past bool [B, S - T]; cache: the one that
    goes on, or None; caches: whether the output has one; torch: the module where ids are a tensor of it,
    else None."""

    def __init__(self, model, input_ids, attention_mask, position_ids, cache, caches):
        if input_ids is None:
            raise ValueError("You have to specify either input_ids or inputs_embeds; nextoken takes "
                             "input_ids alone")
        self.torch = tensors.torch() if tensors.is_tensor(input_ids) else None
        self.ids = _ids(input_ids)
        self.cache, self.caches = _cache(cache, len(self.ids), model), caches
        B, T = self.ids.shape
        before = self.cache.get_seq_length() if self.cache is not None else 0
        self.past = self.cache.mask if before else np.zeros((B, 0), bool)
        self.mask = self._mask(attention_mask)
        self.positions = self._positions(position_ids, before, model.positions_by_mask)
        window = getattr(model.config, "window_size", None)
        if model.architecture == "gpt_neo" and window:
            self._refuse_gaps(window)
        if not caches and attention_mask is None and cache is None:
            self._refuse_packed()

    def _mask(self, given):
        """What of this call is no padding."""
        B, T = self.ids.shape
        before = self.past.shape[1]
        if given is None:
            if not self.past.all():
                raise ValueError("past_key_values holds padding: give the attention_mask of all of it")
            return np.ones((B, T), bool)
        mask = as_numpy(given)
        if mask.ndim > 2:
            raise NotImplementedError("an attention_mask of more than two dimensions is not supported: "
                                      "give [batch, positions], 0 for padding")
        mask = mask.reshape(B, -1) != 0
        if mask.shape[1] != before + T:
            raise ValueError(f"attention_mask has {mask.shape[1]} columns; there are {before + T} "
                             f"positions ({before} in past_key_values, {T} in input_ids)")
        if (mask[:, :before] != self.past).any():
            raise NotImplementedError("this attention_mask hides, or shows, what the past_key_values were "
                                      "made with otherwise: what is read cannot be masked later")
        return mask[:, before:]

    def _positions(self, given, before, by_mask):
        B, T = self.ids.shape
        if given is not None:
            positions = as_numpy(given)
            if positions.dtype.kind not in "iu":
                raise TypeError(f"position_ids are integers, not {positions.dtype}")
            return np.broadcast_to(positions.reshape(-1, T), (B, T)).astype(np.int64)
        if by_mask:  # OPT's own: padding stands at -1
            whole = np.concatenate([self.past, self.mask], axis=1).astype(np.int64)
            return (whole.cumsum(axis=1) * whole - 1)[:, before:]
        return np.broadcast_to(np.arange(before, before + T), (B, T))

    def _refuse_gaps(self, window):
        """Local attention looks so many columns back, padding among them; the library knows of none."""
        read = np.concatenate([self.past, self.mask], axis=1)
        for row in read if read.shape[1] > window else ():
            columns = np.flatnonzero(row)
            if len(columns) and columns[-1] - columns[0] + 1 > len(columns):
                raise NotImplementedError(f"padding between the tokens of a row of more than {window} positions, "
                                          "which is how far this model's local attention looks, is not supported: "
                                          "put it in front of the text")

    def _refuse_packed(self):
        if (np.diff(self.positions, axis=1) != 1).any():
            raise NotImplementedError("position_ids that jump, without a cache and an attention_mask, mean "
                                      "several texts in one row to transformers, which is not built: give "
                                      "each a row of its own")

    def rows(self, session):
        """The sequences to go on with."""
        if self.cache is None or not self.cache.rows:
            return [Row(session) for _ in self.ids]
        return [row.on(session) for row in self.cache.rows]

    def keep(self, rows, n_layer):
        """The cache gets what was read now."""
        if self.cache is None and not self.caches:
            return
        cache = self.cache = DynamicCache() if self.cache is None else self.cache
        cache.rows, cache.n_layer = rows, n_layer
        cache.mask = np.concatenate([self.past, self.mask], axis=1)

    def give(self, array):
        """An array as the caller's kind: a tensor over the same memory, or itself."""
        return array if self.torch is None else self.torch.from_numpy(array)


def _ids(given):
    ids = as_numpy(given)
    if ids.ndim != 2:
        raise ValueError(f"input_ids have the shape [batch, positions], not {list(ids.shape)}: one text is "
                         "a batch of one (ids[None])")
    if 0 in ids.shape:
        raise ValueError(f"input_ids of shape {list(ids.shape)}: there is nothing to read")
    if ids.dtype.kind not in "iu":
        raise TypeError(f"input_ids are integers, not {ids.dtype}")
    narrow = np.ascontiguousarray(ids, np.int32)
    if narrow is not ids and (narrow != ids).any():
        raise IndexError("a token id lies outside the numbers of 32 bits")
    return narrow.copy() if narrow.base is not None or narrow is ids else narrow  # a cache keeps them


def _cache(cache, n, model):
    if cache is None:
        return None
    if not isinstance(cache, Cache):
        raise NotImplementedError(f"past_key_values of {type(cache).__name__} are not supported: give what a "
                                  "model of nextoken has returned, or DynamicCache()")
    if cache.rows and len(cache.rows) != n:
        raise ValueError(f"past_key_values have {len(cache.rows)} rows and input_ids {n}")
    if cache.rows and cache.rows[0].session._core is not model.core._core:
        raise ValueError("these past_key_values are another model's")
    return cache
