"""Processors that transformers has for models of sound."""

import math

import numpy as np

from .base import RowProcessor, id_list, whole
from .rows import softmax

__all__ = ["AlternatingCodebooksLogitsProcessor", "BarkEosPrioritizerLogitsProcessor"]


class AlternatingCodebooksLogitsProcessor(RowProcessor):
    """Ids of two codebooks in turn, behind semantic_vocab_size others."""

    def __init__(self, input_start_len, semantic_vocab_size, codebook_size):
        self.input_start_len = whole("input_start_len", input_start_len, 0, "a whole number from 0 on")
        self.semantic_vocab_size, self.codebook_size = semantic_vocab_size, codebook_size

    def rows(self, ids, x):
        first = (ids.shape[1] - self.input_start_len) % 2 == 0
        y, middle = x.copy(), self.semantic_vocab_size + self.codebook_size
        y[:, :self.semantic_vocab_size if first else middle] = -math.inf
        if first:
            y[:, middle:] = -math.inf
        return y


class BarkEosPrioritizerLogitsProcessor(RowProcessor):
    """EOS, and nothing else, where its probability is above min_eos_p."""

    def __init__(self, eos_token_id, min_eos_p, device="cpu"):
        self.eos_token_id = id_list("eos_token_id", eos_token_id)
        if min_eos_p is not None and min_eos_p <= 0:
            raise ValueError(f"`min_eos_p` has to be a positive float, not {min_eos_p!r}")
        self.min_eos_p = min_eos_p

    def rows(self, ids, x):
        if not self.min_eos_p:
            return x
        ends = self.eos_token_id
        stop = (softmax(x)[:, ends] > np.float32(self.min_eos_p)).any(axis=1, keepdims=True)
        only = np.full_like(x, -math.inf)
        only[:, ends] = x[:, ends]
        return np.where(stop, only, x)
