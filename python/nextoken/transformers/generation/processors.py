"""Processors that act whether ids are drawn or not, in the order in which generate() runs them."""

import math

import numpy as np

from .base import LogitsProcessor, RowProcessor, id_list, whole, without
from .rows import as_ids, as_scores, like, log_softmax

__all__ = ["EncoderNoRepeatNGramLogitsProcessor", "EncoderRepetitionPenaltyLogitsProcessor",
           "ExponentialDecayLengthPenalty", "ForcedBOSTokenLogitsProcessor",
           "ForcedEOSTokenLogitsProcessor", "InfNanRemoveLogitsProcessor", "LogitNormalization",
           "MinLengthLogitsProcessor", "MinNewTokensLengthLogitsProcessor", "NoBadWordsLogitsProcessor",
           "NoRepeatNGramLogitsProcessor", "PrefixConstrainedLogitsProcessor",
           "RepetitionPenaltyLogitsProcessor", "SequenceBiasLogitsProcessor",
           "SuppressTokensAtBeginLogitsProcessor", "SuppressTokensLogitsProcessor"]


# ---- Biases ------------------------------------------------------------------------------------


class SequenceBiasLogitsProcessor(RowProcessor):
    """Adds a bias to an id; of several in a row, to the last where the others have just been
    written. sequence_bias: [[[ids], bias], ...] or {(ids): bias}."""

    def __init__(self, sequence_bias):
        self.sequence_bias = sequence_bias
        self._validate_arguments()
        if isinstance(sequence_bias, list):
            self.sequence_bias = {tuple(ids): bias for ids, bias in sequence_bias}

    def _validate_arguments(self):
        given = self.sequence_bias
        if not isinstance(given, (dict, list)) or not given:
            raise ValueError(f"`sequence_bias` must be a non-empty list [[[ids], bias], ...] or dict "
                             f"{{(ids): bias}}, not {given!r}")
        kind = tuple if isinstance(given, dict) else list
        for entry in given.items() if isinstance(given, dict) else given:
            try:
                ids, bias = entry
            except (TypeError, ValueError):
                raise ValueError(f"`sequence_bias`: {entry!r} is not [[ids], bias]") from None
            if not isinstance(ids, kind) or not ids or not _are_ids(ids):
                raise ValueError(f"`sequence_bias`: {ids!r} is not a {kind.__name__} of token ids")
            if not isinstance(bias, float):
                raise ValueError(f"`sequence_bias`: the bias {bias!r} is not a float")

    def rows(self, ids, x):
        outside = [i for key in self.sequence_bias for i in key if i >= x.shape[-1]]
        if outside:
            raise ValueError(f"a bias is given for {outside}, and the vocabulary has {x.shape[-1]} ids")
        added = np.zeros_like(x)
        for key, bias in self.sequence_bias.items():
            n = len(key) - 1
            if not 0 <= n <= ids.shape[1]:
                continue
            hit = (ids[:, ids.shape[1] - n:] == key[:-1]).all(axis=1) if n else slice(None)
            added[hit, key[-1]] += np.float32(bias)
        with np.errstate(invalid="ignore"):
            return x + added


class NoBadWordsLogitsProcessor(SequenceBiasLogitsProcessor):
    """Never writes these words: bad_words_ids [[ids], ...]. An EOS alone is left out of them."""

    def __init__(self, bad_words_ids, eos_token_id=None):
        if not isinstance(bad_words_ids, list) or not bad_words_ids:
            raise ValueError(f"`bad_words_ids` must be a non-empty list, not {bad_words_ids!r}")
        for word in bad_words_ids:
            if not isinstance(word, list) or not _are_ids(word):
                raise ValueError(f"`bad_words_ids` must be a list of lists of token ids; {word!r} is "
                                 "none")
        self.bad_word_ids = bad_words_ids
        ends = [] if eos_token_id is None else id_list("eos_token_id", eos_token_id).tolist()
        super().__init__({tuple(word): -math.inf for word in bad_words_ids
                          if not (len(word) == 1 and word[0] in ends)})

    def _validate_arguments(self):
        """Done above: nothing may be left when EOS is out."""


def _are_ids(ids):
    return all(isinstance(i, (int, np.integer)) and i >= 0 for i in ids)


# ---- Repetition --------------------------------------------------------------------------------


def _penalised(x, ids, penalty):
    """x with the scores of these ids [R, T] weakened once; V and above stand for none."""
    wide = np.concatenate([x, np.zeros((x.shape[0], 1), np.float32)], axis=1)
    ids = np.minimum(ids, x.shape[-1])
    old = np.take_along_axis(wide, ids, 1)
    penalty = np.float32(penalty)
    np.put_along_axis(wide, ids, np.where(old < 0, old * penalty, old / penalty), 1)
    return wide[:, :-1]


def _positive(name, value):
    if not isinstance(value, float) or not value > 0:
        raise ValueError(f"`{name}` has to be a strictly positive float, not {value!r}")
    return value


class RepetitionPenaltyLogitsProcessor(RowProcessor):
    """Weakens ids that stand in the text already, by `penalty` (Keskar et al. 2019). The first
    prompt_ignore_length positions (a number, or one a row) do not count."""

    def __init__(self, penalty, prompt_ignore_length=None):
        self.penalty = _positive("penalty", penalty)
        if isinstance(prompt_ignore_length, int) and prompt_ignore_length < 0:
            raise ValueError("`prompt_ignore_length` must be a whole number from 0 on, not "
                             f"{prompt_ignore_length!r}")
        if prompt_ignore_length is not None and not isinstance(prompt_ignore_length, int):
            if as_ids(prompt_ignore_length).ndim != 1:
                raise ValueError("`prompt_ignore_length` must have one dimension")
        self.prompt_ignore_length = prompt_ignore_length

    def rows(self, ids, x):
        skip = self.prompt_ignore_length
        if isinstance(skip, int):
            ids = ids[:, skip:]
        elif skip is not None:
            skip = as_ids(skip)
            if len(skip) != len(ids):
                raise ValueError(f"`prompt_ignore_length` is for {len(skip)} rows, and there are "
                                 f"{len(ids)}")
            ids = np.where(np.arange(ids.shape[1]) < skip[:, None], x.shape[-1], ids)
        return _penalised(x, ids, self.penalty)


class EncoderRepetitionPenaltyLogitsProcessor(RowProcessor):
    """Strengthens the prompt's ids, by `penalty`."""

    def __init__(self, penalty, encoder_input_ids):
        self.penalty = 1 / _positive("penalty", penalty)
        self.encoder_input_ids = encoder_input_ids

    def rows(self, ids, x):
        prompt = as_ids(self.encoder_input_ids)
        return _penalised(x, np.repeat(prompt, max(1, len(x) // len(prompt)), axis=0), self.penalty)


def _windows(ids, n):
    """All n-grams of rows [R, T]: [R, T - n + 1, n]."""
    return np.lib.stride_tricks.sliding_window_view(ids, n, axis=1)


def _ban_repeated(x, ids, windows, n):
    """Bans what follows, in the windows [R, W, n], the last n - 1 of ids."""
    y = x.copy()
    prefix = ids[:, ids.shape[1] + 1 - n:]
    hit = (windows[..., :-1] == prefix[:, None]).all(axis=-1)
    row, window = np.nonzero(hit)
    last = windows[row, window, -1]
    known = last < x.shape[-1]
    y[row[known], last[known]] = -math.inf
    return y


class NoRepeatNGramLogitsProcessor(RowProcessor):
    """No n ids in a row come twice."""

    def __init__(self, ngram_size):
        self.ngram_size = whole("ngram_size", ngram_size, 1, "a strictly positive integer")

    def rows(self, ids, x):
        if ids.shape[1] < self.ngram_size:
            return x
        return _ban_repeated(x, ids, _windows(ids, self.ngram_size), self.ngram_size)


class EncoderNoRepeatNGramLogitsProcessor(RowProcessor):
    """No n ids in a row of the prompt come again."""

    def __init__(self, encoder_ngram_size, encoder_input_ids):
        self.ngram_size = whole("encoder_ngram_size", encoder_ngram_size, 1,
                                "a strictly positive integer")
        self.prompt = np.atleast_2d(as_ids(encoder_input_ids))

    def rows(self, ids, x):
        n = self.ngram_size
        if self.prompt.shape[1] < n or ids.shape[1] + 1 < n:
            return x.copy()
        prompt = np.repeat(self.prompt, max(1, len(x) // len(self.prompt)), axis=0)
        return _ban_repeated(x, ids, _windows(prompt, n), n)


# ---- Lengths -----------------------------------------------------------------------------------


class MinLengthLogitsProcessor(RowProcessor):
    """No EOS before there are min_length ids, the prompt counted."""

    def __init__(self, min_length, eos_token_id, device="cpu"):
        self.min_length = whole("min_length", min_length, 0, "a whole number from 0 on")
        self.eos_token_id = id_list("eos_token_id", eos_token_id)

    def rows(self, ids, x):
        return without(x, self.eos_token_id) if ids.shape[1] < self.min_length else x.copy()


class MinNewTokensLengthLogitsProcessor(RowProcessor):
    """No EOS before there are min_new_tokens new ids."""

    def __init__(self, prompt_length_to_skip, min_new_tokens, eos_token_id, device="cpu"):
        self.prompt_length_to_skip = whole("prompt_length_to_skip", prompt_length_to_skip, 0,
                                           "a whole number from 0 on")
        self.min_new_tokens = whole("min_new_tokens", min_new_tokens, 0, "a whole number from 0 on")
        self.eos_token_id = id_list("eos_token_id", eos_token_id)

    def rows(self, ids, x):
        new = ids.shape[1] - self.prompt_length_to_skip
        return without(x, self.eos_token_id) if new < self.min_new_tokens else x.copy()


def _forced(x, ids):
    y = np.full_like(x, -math.inf)
    y[:, ids] = 0
    return y


class ForcedBOSTokenLogitsProcessor(RowProcessor):
    """The second id is this one, where the prompt has one."""

    def __init__(self, bos_token_id):
        self.bos_token_id = bos_token_id

    def rows(self, ids, x):
        return _forced(x, self.bos_token_id) if ids.shape[1] == 1 else x


class ForcedEOSTokenLogitsProcessor(RowProcessor):
    """The last id that max_length has room for is an EOS."""

    def __init__(self, max_length, eos_token_id, device="cpu"):
        self.max_length = max_length
        self.eos_token_id = id_list("eos_token_id", eos_token_id)

    def rows(self, ids, x):
        return _forced(x, self.eos_token_id) if ids.shape[1] == self.max_length - 1 else x


class ExponentialDecayLengthPenalty(RowProcessor):
    """EOS gets likelier by factor^n, n ids behind the start: (start, factor)."""

    def __init__(self, exponential_decay_length_penalty, eos_token_id, input_ids_seq_length):
        start, self.regulation_factor = exponential_decay_length_penalty
        self.regulation_start = start + input_ids_seq_length
        self.eos_token_id = id_list("eos_token_id", eos_token_id)

    def rows(self, ids, x):
        n = ids.shape[1] - self.regulation_start
        if n <= 0:
            return x
        y, ends = x.copy(), self.eos_token_id
        with np.errstate(invalid="ignore", over="ignore"):
            more = np.abs(x[:, ends]) * np.float32(self.regulation_factor ** n - 1)
            y[:, ends] += np.where(np.isfinite(x[:, ends]), more, np.float32(0))
        return y


# ---- Bans and forms ----------------------------------------------------------------------------


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """Only what prefix_allowed_tokens_fn(batch_id, ids [T]) returns, a list of ids, may come next."""

    def __init__(self, prefix_allowed_tokens_fn, num_beams):
        self._prefix_allowed_tokens_fn, self._num_beams = prefix_allowed_tokens_fn, num_beams

    def __call__(self, input_ids, scores):
        x = as_scores(scores)
        mask = np.full_like(x, -math.inf)
        for row in range(len(x)):
            batch = row // self._num_beams
            allowed = self._prefix_allowed_tokens_fn(batch, input_ids[row])
            if len(allowed) == 0:
                raise ValueError(f"`prefix_allowed_tokens_fn` allows nothing for prompt {batch}: no "
                                 "token is left to go on with")
            mask[row, as_ids(allowed) if hasattr(allowed, "shape") else list(allowed)] = 0
        y = x + mask
        dead = (y.max(axis=-1) == -math.inf).reshape(-1, self._num_beams).all(axis=-1)
        return like(np.where(np.repeat(dead, self._num_beams)[:, None], mask, y), scores)


class InfNanRemoveLogitsProcessor(RowProcessor):
    """NaN becomes 0, an infinity the largest finite number of its sign."""

    def rows(self, ids, x):
        large = np.finfo(np.float32).max
        return np.nan_to_num(x, nan=0.0, posinf=large, neginf=-large)


class SuppressTokensLogitsProcessor(RowProcessor):
    """These ids never come."""

    def __init__(self, suppress_tokens, device="cpu"):
        self.suppress_tokens = id_list("suppress_tokens", list(suppress_tokens))

    def rows(self, ids, x):
        return without(x, self.suppress_tokens)


class SuppressTokensAtBeginLogitsProcessor(RowProcessor):
    """These ids do not come where there are begin_index ids."""

    def __init__(self, begin_suppress_tokens, begin_index, device="cpu"):
        self.begin_suppress_tokens = id_list("begin_suppress_tokens", list(begin_suppress_tokens))
        self.begin_index = begin_index

    def set_begin_index(self, begin_index):
        self.begin_index = begin_index

    def rows(self, ids, x):
        return without(x, self.begin_suppress_tokens) if ids.shape[1] == self.begin_index else x


class LogitNormalization(RowProcessor):
    """Log-probabilities that add up to 1 again."""

    def rows(self, ids, x):
        return log_softmax(x)
