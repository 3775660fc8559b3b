"""What logits processors are made of: the classes that they derive from, and checks of arguments.

The names and arguments are those of transformers. Each is called with the ids so far [R, T] and the
scores [R, V], tensors of torch or NumPy arrays, and returns scores of the same kind.
"""

import inspect
import math

import numpy as np

from .rows import as_ids, as_scores, like

__all__ = ["LogitsProcessor", "LogitsProcessorList", "RowProcessor", "id_list", "whole", "without"]


class LogitsProcessor:
    """What a processor of your own derives from: define __call__(self, input_ids, scores)."""

    def __call__(self, input_ids, scores):
        """Scores [R, V] for the ids [R, T]: changed in place, or new ones."""
        raise NotImplementedError(f"{type(self)} defines no __call__(input_ids, scores)")


class LogitsProcessorList(list):
    """Processors that act one behind the other."""

    def __call__(self, input_ids, scores, **kwargs):
        for processor in self:
            extra = list(inspect.signature(processor.__call__).parameters)[2:]
            missing = [name for name in extra if name not in kwargs]
            if missing:
                raise ValueError(f"{type(processor)} is also called with {', '.join(missing)}: "
                                 "give them to the list by name")
            scores = processor(input_ids, scores, **kwargs) if extra else processor(input_ids, scores)
        return scores


class RowProcessor(LogitsProcessor):
    """A processor of ours: rows(ids [R, T] int64, x [R, V] float32) gives new scores [R, V] and leaves
    x as it was. Where it has nothing to do it returns x, or a copy where transformers does: what a
    processor behind it changes in place is seen in the raw logits, or is not."""

    def __call__(self, input_ids, scores):
        return like(self.rows(as_ids(input_ids), as_scores(scores)), scores)

    def rows(self, ids, x):
        raise NotImplementedError


# ---- Arguments ---------------------------------------------------------------------------------


def whole(name, value, least, what):
    """An int of at least `least`, or a ValueError."""
    if not isinstance(value, int) or value < least:
        raise ValueError(f"`{name}` must be {what}, not {value!r}")
    return value


def id_list(name, value):
    """Token ids from an int, a list or a tensor: int64 [n], none of them negative."""
    ids = np.atleast_1d(np.asarray(value.tolist() if hasattr(value, "tolist") else value))
    if ids.dtype.kind not in "iu" and ids.size or (ids < 0).any():
        raise ValueError(f"`{name}` must be token ids, whole numbers from 0 on, not {value!r}")
    return ids.astype(np.int64)


def without(x, ids):
    """x with these ids at -inf in every row; those above the vocabulary are nowhere."""
    y = x.copy()
    y[:, ids[ids < x.shape[-1]]] = -math.inf
    return y
