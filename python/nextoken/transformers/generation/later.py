"""Keys and values behind a generation: past_key_values of its output, read by the model when they are
first used, and those that a caller has handed in."""

import numpy as np

from ..cache import DynamicCache

__all__ = ["LaterCache", "grow"]


def _read(model, ids, mask, cache):
    """Lets the model read ids [B, T] into a cache."""
    model.forward(ids, attention_mask=mask, position_ids=_positions(mask)[:, -ids.shape[1]:],
                  past_key_values=cache, use_cache=True, logits_to_keep=1)


def _positions(mask):
    return np.where(mask == 0, 0, mask.cumsum(axis=1) - 1)


def _whole_mask(settings, n_positions):
    """The mask of all rows with what was generated [R, n_positions]."""
    mask = np.ones((len(settings.ids), n_positions), np.int64)
    if settings.mask is not None:
        mask[:, :settings.n_prompt] = settings.mask
    return np.repeat(mask, settings.n, axis=0)


class LaterCache(DynamicCache):
    """The cache that a generation leaves: of all ids but the last, made when it is first looked at."""

    def __init__(self, settings=None, found=None):
        super().__init__()
        self._settings, self._found = settings, found

    def _ids(self):
        """Ids of the rows [R, T], the last step's choice left out."""
        settings, found = self._settings, self._found
        prompts = np.repeat(settings.ids, settings.n, axis=0)
        if found.parents is None:
            return np.concatenate([prompts, found.tokens.T], axis=1)
        from .scores import Replay

        replay = Replay(settings.engine, settings.prompts, settings.n, found.tokens, found.parents)
        return np.concatenate([prompts, replay.paths(len(found.tokens))], axis=1)

    def _fill(self):
        ids = self._ids()
        settings, self._found = self._settings, None
        made = DynamicCache()
        _read(settings.model, ids, _whole_mask(settings, ids.shape[1]), made)
        self.rows, self.mask, self.n_layer = made.rows, made.mask, made.n_layer

    def __getattribute__(self, name):
        if name in ("rows", "mask", "n_layer"):
            values = object.__getattribute__(self, "__dict__")
            if values.get("_found") is not None and "_settings" in values:
                object.__getattribute__(self, "_fill")()
        return object.__getattribute__(self, name)


def grow(settings, found):
    """A cache that the caller handed in holds, afterwards, what transformers would have put there."""
    cache = settings.cache
    if cache is None:
        return
    ids = found.sequences[:, :settings.n_prompt + found.n_steps - 1]
    begun = cache.get_seq_length()
    if begun < ids.shape[1]:
        _read(settings.model, ids[:, begun:], _whole_mask(settings, ids.shape[1]), cache)
