"""Stopping criteria: what ends a row. Each is called with the ids so far [R, T] and the scores of the
steps so far (None where they are not asked for), and says for every row whether it has ended."""

import time
import warnings
from copy import deepcopy

import numpy as np

from .rows import as_ids, as_scores, softmax, to_tensor, torch_of

__all__ = ["ConfidenceCriteria", "EosTokenCriteria", "MaxLengthCriteria", "MaxTimeCriteria",
           "StopStringCriteria", "StoppingCriteria", "StoppingCriteriaList",
           "validate_stopping_criteria"]


class StoppingCriteria:
    """What a criterion of your own derives from: define __call__(self, input_ids, scores, **kwargs),
    which returns one bool, or one a row."""

    def __call__(self, input_ids, scores, **kwargs):
        raise NotImplementedError(f"{type(self)} defines no __call__(input_ids, scores)")


class RowCriteria(StoppingCriteria):
    """A criterion of ours: ended(ids [R, T]) gives bools [R]."""

    def __call__(self, input_ids, scores, **kwargs):
        return to_tensor(self.ended(as_ids(input_ids), **kwargs), torch_of(input_ids))

    def ended(self, ids, **kwargs):
        raise NotImplementedError


class StoppingCriteriaList(list):
    """Criteria of which any may end a row."""

    def __call__(self, input_ids, scores, **kwargs):
        done = self.ended(input_ids, scores, **kwargs)
        return to_tensor(done, torch_of(input_ids))

    def ended(self, input_ids, scores, **kwargs):
        """Bools [R] as an array."""
        done = np.zeros(len(input_ids), bool)
        for criterion in self:
            said = criterion(input_ids, scores, **kwargs)
            done |= np.asarray(said.tolist() if hasattr(said, "tolist") else said, bool)
        return done

    @property
    def max_length(self):
        """That of the first MaxLengthCriteria; None: there is none."""
        return next((c.max_length for c in self if isinstance(c, MaxLengthCriteria)), None)


def _all(ids, done):
    return np.full(len(ids), bool(done))


class MaxLengthCriteria(RowCriteria):
    """There are max_length ids, the prompt counted."""

    def __init__(self, max_length, max_position_embeddings=None):
        self.max_length, self.max_position_embeddings = max_length, max_position_embeddings

    def ended(self, ids, **kwargs):
        return _all(ids, ids.shape[1] >= self.max_length)


class MaxTimeCriteria(RowCriteria):
    """max_time seconds have passed, since this was made or since initial_timestamp."""

    def __init__(self, max_time, initial_timestamp=None):
        self.max_time = max_time
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def ended(self, ids, **kwargs):
        return _all(ids, time.time() - self.initial_timestamp > self.max_time)


class EosTokenCriteria(RowCriteria):
    """The last id is one of eos_token_id."""

    def __init__(self, eos_token_id):
        torch = torch_of(eos_token_id)
        ids = np.atleast_1d(np.asarray(as_ids(eos_token_id)))  # -1 is in use for "none"
        self.eos_token_id = to_tensor(ids, torch)

    def ended(self, ids, new_token_length=1, **kwargs):
        return np.isin(ids[:, -new_token_length:], as_ids(self.eos_token_id)).any(axis=-1)


class ConfidenceCriteria(StoppingCriteria):
    """The model gave its last id less than this probability."""

    def __init__(self, assistant_confidence_threshold):
        self.assistant_confidence_threshold = assistant_confidence_threshold

    def __call__(self, input_ids, scores, **kwargs):
        p = softmax(as_scores(scores[-1])[:1])
        return bool(p[0, int(input_ids[0, -1])] < self.assistant_confidence_threshold)


class StopStringCriteria(RowCriteria):
    """One of the strings ends within the last id; it may have begun ids earlier, also in the
    prompt."""

    def __init__(self, tokenizer, stop_strings):
        self.stop_strings = (stop_strings,) if isinstance(stop_strings, str) else tuple(stop_strings)
        for string in self.stop_strings:
            if not isinstance(string, str) or not string:
                raise ValueError(f"`stop_strings`: {string!r} is not a text, or an empty one")
        self._wanted = [string.encode("utf-8", "surrogatepass") for string in self.stop_strings]
        self._longest = max(map(len, self._wanted))
        self._tokenizer, self._bytes = tokenizer, {}

    def _of(self, i):
        """The bytes of an id."""
        if i not in self._bytes:
            self._bytes[i] = token_bytes(self._tokenizer, i)
        return self._bytes[i]

    def ended(self, ids, **kwargs):
        return np.array([self._ends(row) for row in ids], bool)

    def _ends(self, row):
        last = tail = self._of(int(row[-1]))
        at = len(row) - 2
        while at >= 0 and len(tail) < self._longest + len(last):
            tail = self._of(int(row[at])) + tail
            at -= 1
        return any(tail.find(s, max(0, len(tail) - len(last) - len(s) + 1)) >= 0 for s in self._wanted)


def token_bytes(tokenizer, i):
    """The bytes of an id in a tokenizer's vocabulary; b"" for one that is in none."""
    inner = getattr(getattr(tokenizer, "_backend", None), "tokenizer", tokenizer)
    if hasattr(inner, "token_bytes"):
        return inner.token_bytes(i) or b""
    token = tokenizer.convert_ids_to_tokens(i)
    if token is None:
        return b""
    try:
        return bytes(_BYTES[c] for c in token)
    except KeyError:  # a special token, or a vocabulary of another kind
        return tokenizer.decode([i]).encode()


def _byte_letters():
    """GPT-2's letters for bytes, as {letter: byte}."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain}, **{chr(256 + n): b for n, b in enumerate(other)}}


_BYTES = _byte_letters()


def validate_stopping_criteria(stopping_criteria, max_length):
    """A copy of the criteria with one for this length among them."""
    given, copied = stopping_criteria.max_length, deepcopy(stopping_criteria)
    if given is None:
        copied.append(MaxLengthCriteria(max_length))
    elif given != max_length:
        warnings.warn(f"`max_length` is {max_length}, and the criteria's own is {given}", UserWarning)
    return copied
