"""Hidden states and attentions of a generation, read by the model when they are first looked at.

Letters: R rows, T positions of the prompts, N new tokens, D width, H heads.
"""

import numpy as np

from .later import _positions, _whole_mask
from .rows import to_tensor

__all__ = ["inside_of"]


def inside_of(settings, found):
    """The fields "attentions" and "hidden_states" of the output, where they are asked for."""
    config = settings.config
    names = [name for name in ("attentions", "hidden_states") if getattr(config, "output_" + name)]
    if not names:
        return {}
    if settings.beams > 1:
        raise NotImplementedError(f"output_{names[0]}=True is not built for beams: run model(sequences, "
                                  f"output_{names[0]}=True) on what they found")
    inside = _Inside(settings, found, names)
    return {name: Layers(inside, name, found.n_steps) for name in names}


class _Inside:
    """One pass over the whole texts, when the first step is looked at."""

    def __init__(self, settings, found, names):
        self.settings, self.names, self.found, self.out = settings, names, found, None

    def read(self):
        if self.out is None:
            settings, found = self.settings, self.found
            ids = found.sequences[:, :settings.n_prompt + found.n_steps - 1]
            mask = _whole_mask(settings, ids.shape[1])
            self.out = settings.model.forward(
                ids, attention_mask=mask, position_ids=_positions(mask), use_cache=True,
                logits_to_keep=1, **{"output_" + name: True for name in self.names})
        return self.out

    def step(self, name, t):
        """That of step t, a tuple over the layers: of the prompt where t is 0, then of one id."""
        end = self.settings.n_prompt + t
        begin = end - 1 if t and self.settings.config.use_cache else 0
        torch = self.settings.torch
        layers = self.read()[name]
        if name == "hidden_states":
            return tuple(to_tensor(layer[:, begin:end].copy(), torch) for layer in layers)
        return tuple(to_tensor(layer[:, :, begin:end, :end].copy(), torch) for layer in layers)


class Layers(tuple):
    """N steps, each a tuple over the layers."""

    def __new__(cls, inside, name, n):
        self = super().__new__(cls, (None,) * n)
        self._inside, self._name = inside, name
        return self

    def __getitem__(self, t):
        if isinstance(t, slice):
            return tuple(self[i] for i in range(*t.indices(len(self))))
        return self._inside.step(self._name, range(len(self))[t])

    def __iter__(self):
        return (self[t] for t in range(len(self)))

    def __reduce__(self):
        return tuple, (list(self),)

    def __repr__(self):
        return f"<{self._name} of {len(self)} steps, computed when they are looked at>"
