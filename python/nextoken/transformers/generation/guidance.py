"""Guidance: processors that lead away from what the model says behind another prompt."""

import numpy as np

from .base import LogitsProcessor, RowProcessor
from .rows import as_ids, as_scores, like, log_softmax

__all__ = ["ClassifierFreeGuidanceLogitsProcessor", "UnbatchedClassifierFreeGuidanceLogitsProcessor"]


class ClassifierFreeGuidanceLogitsProcessor(RowProcessor):
    """Scores of 2 R rows, guided ones first: leads away from the second half, by guidance_scale."""

    def __init__(self, guidance_scale):
        if not guidance_scale > 1:
            raise ValueError(f"`guidance_scale` must be above 1, it is {guidance_scale!r}")
        self.guidance_scale = guidance_scale

    def rows(self, ids, x):
        n = ids.shape[0]
        if x.shape[0] != 2 * n:
            raise ValueError(f"{x.shape[0]} rows of scores for {n} of ids: there must be twice as many")
        with np.errstate(invalid="ignore"):
            return x[n:] + (x[:n] - x[n:]) * np.float32(self.guidance_scale)


class UnbatchedClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Leads away from what the model says behind another prompt: unconditional_ids, or the prompt's
    last id alone, and every new id behind it."""

    def __init__(self, guidance_scale, model, unconditional_ids=None,
                 unconditional_attention_mask=None, use_cache=True):
        self.guidance_scale, self.model = guidance_scale, model
        self.unconditional_ids = unconditional_ids
        self.unconditional_attention_mask = unconditional_attention_mask
        self.beside = None

    def close(self):
        """Lets the model's sequences go; a next call begins anew."""
        if self.beside is not None:
            self.beside.close()
            self.beside = None

    def __del__(self):
        if self.__dict__.get("beside") is not None and not self.beside.stepper.session.busy:
            self.close()

    def __call__(self, input_ids, scores):
        guided = log_softmax(as_scores(scores))
        if self.guidance_scale == 1:
            return like(guided, scores)
        other = log_softmax(self._beside(as_ids(input_ids)))
        with np.errstate(invalid="ignore"):
            guided = np.float32(self.guidance_scale) * (guided - other) + other
        return like(guided, scores)

    def _beside(self, ids):
        """What the model says beside each row: logits [R, V]."""
        from .runner import Runner, unpadded

        if self.beside is None:
            prompts = ids[:, -1:]
            mask = None
            if self.unconditional_ids is not None:
                prompts = as_ids(self.unconditional_ids)
                if self.unconditional_attention_mask is not None:
                    mask = as_ids(self.unconditional_attention_mask)
            if prompts.shape[0] not in (1, ids.shape[0]):
                raise ValueError(f"{prompts.shape[0]} negative prompts for {ids.shape[0]} rows: "
                                 "give one a row")
            self.beside = Runner(self.model)
            first = self.beside.start(unpadded(prompts, mask), ids.shape[0] // prompts.shape[0])
            return first
        return self.beside.step(ids[:, -1])
