"""Logits processors: what changes the scores of a step before an id is chosen.

The names and arguments are those of transformers. Each is called with the ids so far [R, T] and the
scores [R, V], tensors of torch or NumPy arrays, and returns scores of the same kind.
"""

from . import guidance, processors, sound, warpers
from .base import LogitsProcessor, LogitsProcessorList, RowProcessor

__all__ = ["LogitsProcessor", "LogitsProcessorList", "RowProcessor"]

for _module in (guidance, processors, sound, warpers):
    __all__ += _module.__all__
    globals().update({name: getattr(_module, name) for name in _module.__all__})
