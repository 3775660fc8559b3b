"""Processors that act where ids are drawn: temperature, and what cuts the unlikely off.

Each keeps at least min_tokens_to_keep ids. Sums and thresholds are taken as torch takes them, in
float32.
"""

import math

import numpy as np

from .base import RowProcessor, whole
from .rows import cumulated, kth_largest, log_softmax, softmax, top

__all__ = ["EpsilonLogitsWarper", "EtaLogitsWarper", "MinPLogitsWarper", "TemperatureLogitsWarper",
           "TopHLogitsWarper", "TopKLogitsWarper", "TopPLogitsWarper", "TypicalLogitsWarper"]


class _Cut(RowProcessor):
    """Puts filter_value wherever drop(x) says so."""

    def __init__(self, filter_value, min_tokens_to_keep=1):
        self.filter_value = filter_value
        self.min_tokens_to_keep = whole("min_tokens_to_keep", min_tokens_to_keep, 1,
                                        "a whole number from 1 on")

    def rows(self, ids, x):
        return np.where(self.drop(x), np.float32(self.filter_value), x)

    def drop(self, x):
        raise NotImplementedError

    def not_kept(self, x):
        """All but the min_tokens_to_keep largest."""
        return x < kth_largest(x, min(self.min_tokens_to_keep, x.shape[-1]))


class TemperatureLogitsWarper(RowProcessor):
    """Divides all scores by temperature: below 1 the likely become likelier."""

    def __init__(self, temperature):
        if not isinstance(temperature, float) or not temperature > 0:
            hint = "; for the likeliest id always, use do_sample=False" if temperature == 0 else ""
            raise ValueError(f"`temperature` has to be a strictly positive float, not {temperature!r}"
                             + hint)
        self.temperature = temperature

    def rows(self, ids, x):
        return x / np.float32(self.temperature)


class TopKLogitsWarper(_Cut):
    """Keeps the top_k largest, and what equals the last of them."""

    def __init__(self, top_k, filter_value=-math.inf, min_tokens_to_keep=1):
        super().__init__(filter_value, min_tokens_to_keep)
        whole("top_k", top_k, 1, "a strictly positive integer")
        self.top_k = max(top_k, min_tokens_to_keep)

    def drop(self, x):
        return x < kth_largest(x, min(self.top_k, x.shape[-1]))


class TopPLogitsWarper(_Cut):
    """Keeps the likeliest ids that together reach the probability top_p."""

    def __init__(self, top_p, filter_value=-math.inf, min_tokens_to_keep=1):
        super().__init__(filter_value, min_tokens_to_keep)
        self.top_p = float(top_p)
        if not 0 <= self.top_p <= 1:
            raise ValueError(f"`top_p` has to be a float from 0 to 1, not {top_p!r}")

    def drop(self, x):
        out = np.ones(x.shape, bool)
        for row, drop in zip(x, out):
            left = np.flatnonzero(row > -math.inf)  # behind top_k, few
            order = left[np.argsort(-row[left], kind="stable")][::-1]  # of equals the lower id stays
            if len(order):
                drop[order] = cumulated(softmax(row[order])) <= np.float32(1 - self.top_p)
                drop[order[-self.min_tokens_to_keep:]] = False
        return out


class TopHLogitsWarper(_Cut):
    """Keeps the likeliest ids while their part of the entropy is at most top_h (Potraghloo et al.
    2025). The 100 likeliest are looked at."""

    def __init__(self, top_h, filter_value=-math.inf):
        super().__init__(filter_value)
        if not 0 < top_h <= 1:
            raise ValueError(f"`top_h` must lie above 0 and not above 1, it is {top_h!r}")
        self.top_h, self.top_n = top_h, 100

    def drop(self, x):
        best, at = top(x, min(self.top_n, x.shape[-1]))
        logs = log_softmax(best)
        p = np.exp(logs)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = -p * np.log(p)
        entropy = -(p * np.maximum(logs, np.finfo(np.float32).min)).sum(axis=-1, keepdims=True)
        keep = cumulated(terms) <= (entropy * np.float32(self.top_h)).astype(np.float32)
        keep[:, 0] = True
        out = np.ones(x.shape, bool)
        np.put_along_axis(out, at, ~keep, -1)
        return out


class MinPLogitsWarper(_Cut):
    """Keeps what has at least min_p times the probability of the likeliest."""

    def __init__(self, min_p, filter_value=-math.inf, min_tokens_to_keep=1):
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 <= min_p <= 1:
            raise ValueError(f"`min_p` has to be a float from 0 to 1, not {min_p!r}")
        self.min_p = min_p

    def drop(self, x):
        p = softmax(x)
        drop = p < np.float32(self.min_p) * p.max(axis=-1, keepdims=True)
        np.put_along_axis(drop, top(p, min(self.min_tokens_to_keep, x.shape[-1]))[1], False, -1)
        return drop


class TypicalLogitsWarper(_Cut):
    """Keeps the ids whose surprisal is nearest the entropy, up to the probability `mass` (Meister et
    al. 2023)."""

    def __init__(self, mass=0.9, filter_value=-math.inf, min_tokens_to_keep=1):
        super().__init__(filter_value, min_tokens_to_keep)
        self.mass = float(mass)
        if not 0 < self.mass < 1:
            raise ValueError(f"`typical_p` has to be a float above 0 and below 1, not {mass!r}")

    def drop(self, x):
        logs = log_softmax(x)
        with np.errstate(invalid="ignore"):
            entropy = -np.nansum(logs * np.exp(logs), axis=-1, keepdims=True, dtype=np.float64)
        distance = np.abs(-logs - entropy.astype(np.float32))
        order = np.argsort(distance, axis=-1, kind="stable")
        nearest = np.take_along_axis(distance, order, -1)
        p = softmax(np.take_along_axis(x, order, -1))
        last = np.minimum((cumulated(p) < np.float32(self.mass)).sum(axis=-1), x.shape[-1] - 1)
        drop = nearest > np.take_along_axis(nearest, last[:, None], -1)
        drop[:, :self.min_tokens_to_keep] = False
        out = np.empty_like(drop)
        np.put_along_axis(out, order, drop, -1)
        return out


class EpsilonLogitsWarper(_Cut):
    """Drops what has a probability below epsilon (Hewitt et al. 2022)."""

    def __init__(self, epsilon, filter_value=-math.inf, min_tokens_to_keep=1):
        super().__init__(filter_value, int(min_tokens_to_keep))
        self.epsilon = _cutoff("epsilon_cutoff", epsilon)

    def drop(self, x):
        return (softmax(x) < np.float32(self.epsilon)) & self.not_kept(x)


class EtaLogitsWarper(_Cut):
    """The same with a limit that sinks where the model is unsure: sqrt(epsilon) exp(-entropy)."""

    def __init__(self, epsilon, filter_value=-math.inf, min_tokens_to_keep=1, device="cpu"):
        super().__init__(filter_value, int(min_tokens_to_keep))
        self.epsilon = _cutoff("eta_cutoff", epsilon)

    def drop(self, x):
        logs = np.maximum(log_softmax(x), np.finfo(np.float32).min)
        p = softmax(x)
        entropy = -(logs * p).sum(axis=-1, keepdims=True)
        epsilon = np.float32(self.epsilon)
        return (p < np.minimum(epsilon, np.sqrt(epsilon) * np.exp(-entropy))) & self.not_kept(x)


def _cutoff(name, value):
    value = float(value)
    if not 0 < value < 1:
        raise ValueError(f"`{name}` has to be a float above 0 and below 1, not {value!r}")
    return value
