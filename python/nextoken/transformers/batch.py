"""BatchEncoding: what a tokenizer hands out. A dictionary that is also reached by attribute, and that
knows which token stands where in its text."""

import enum
from collections import UserDict
from typing import NamedTuple

from . import logging, tensors

__all__ = ["BatchEncoding", "CharSpan", "PaddingStrategy", "TensorType", "TokenSpan", "TruncationStrategy"]

logger = logging.get_logger(__name__)


class _Named(str, enum.Enum):
    """Strings that are among a few."""

    @classmethod
    def _missing_(cls, value):
        raise ValueError(f"{value} is not a valid {cls.__name__}, please select one of "
                         f"{list(cls._value2member_map_.keys())}")


class TensorType(_Named):
    PYTORCH = "pt"
    NUMPY = "np"
    MLX = "mlx"


class PaddingStrategy(_Named):
    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(_Named):
    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


class CharSpan(NamedTuple):
    """Characters [start, end) of a text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens [start, end) of an encoding."""

    start: int
    end: int


class BatchEncoding(UserDict):
    """input_ids, attention_mask and what else was asked for, of one input or of many.

    encoding: the Encodings that these come from, one for each row; or a function that makes them when
    somebody asks. tensor_type: "pt" or "np" turns lists into tensors or arrays.
    """

    def __init__(self, data=None, encoding=None, tensor_type=None, prepend_batch_axis=False, n_sequences=None):
        super().__init__(data)
        self._given = encoding
        self._n_sequences = n_sequences
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    @property
    def _encodings(self):
        given = self._given
        if callable(given):
            given = self._given = given()
        elif given is not None and not isinstance(given, (list, tuple)):
            given = self._given = [given]
        return given

    @property
    def encodings(self):
        """The Encodings, or None where there are none."""
        return self._encodings

    @property
    def is_fast(self):
        return self._given is not None

    @property
    def n_sequences(self):
        """1 where the inputs were texts, 2 where they were pairs, None where that is not known."""
        if self._n_sequences is None and self._given is not None and self._encodings:
            self._n_sequences = self._encodings[0].n_sequences
        return self._n_sequences

    # ---- As a dictionary ----

    def __getitem__(self, item):
        if isinstance(item, str):
            return self.data[item]
        if self._given is not None:
            return self._encodings[item]
        if isinstance(item, slice):
            return {key: value[item] for key, value in self.data.items()}
        raise KeyError("Invalid key. Only three types of key are available: (1) string, (2) integers for backend "
                       "Encoding, and (3) slices for data subsetting.")

    def __getattr__(self, item):
        if item == "data" or item.startswith("__"):
            raise AttributeError(item)
        try:
            return self.data[item]
        except KeyError:
            raise AttributeError(item) from None

    def __getstate__(self):
        return {"data": self.data, "encodings": self._encodings}

    def __setstate__(self, state):
        self.__dict__.update(data=state.get("data", {}), _given=state.get("encodings"), _n_sequences=None)

    def keys(self):
        return self.data.keys()

    def values(self):
        return self.data.values()

    def items(self):
        return self.data.items()

    # ---- Tensors ----

    def convert_to_tensors(self, tensor_type=None, prepend_batch_axis=False):
        """Turns every list into a tensor ("pt") or an array ("np"), in place."""
        if tensor_type is None:
            return self
        kind = TensorType(tensor_type)
        if kind is TensorType.MLX:
            raise NotImplementedError('return_tensors="mlx" is not supported; take "np" or "pt"')
        for key, value in list(self.data.items()):
            try:
                self.data[key] = tensors.convert([value] if prepend_batch_axis else value, kind.value)
            except Exception as error:
                raise ValueError(
                    "Unable to create tensor, you should probably activate truncation and/or padding with"
                    " 'padding=True' 'truncation=True' to have batched tensors with the same length. Perhaps your"
                    f" features (`{key}` in this case) have excessive nesting (inputs type `list` where type `int` is"
                    " expected).") from error
        return self

    def to(self, device, *, non_blocking=False):
        """Moves tensors to a device; nextoken computes on the processor, "cpu"."""
        if not tensors.has_torch():
            if str(device) != "cpu":
                raise ImportError(f"moving to {device} needs torch, which is not installed")
            return self
        module = tensors.torch()
        if isinstance(device, (str, int, module.device)):
            self.data = {key: value.to(device=device, non_blocking=non_blocking) if tensors.is_tensor(value) else value
                         for key, value in self.data.items()}
        else:
            logger.warning(f"Attempting to cast a BatchEncoding to type {device}. This is not supported.")
        return self

    # ---- Tokens, words, characters ----

    def _of(self, batch_index, what):
        if not self._encodings:
            raise ValueError(f"{what}() is not available when using Python based tokenizers")
        return self._encodings[batch_index]

    def _at(self, first, second, what):
        """(encoding, index) of calls that name a row and an index, or an index of row 0 alone."""
        batch_index, index = (0, first) if second is None else (first, second)
        encoding = self._of(batch_index, what)
        return encoding, len(encoding) + index if index < 0 else index

    def tokens(self, batch_index=0):
        """The contents of the tokens of one row."""
        return self._of(batch_index, "tokens").tokens

    def sequence_ids(self, batch_index=0):
        """0 for tokens of a row's first text, 1 for its second, None for special tokens and padding."""
        return self._of(batch_index, "sequence_ids").sequence_ids

    def word_ids(self, batch_index=0):
        """The word that each token is a part of, as the tokenizer cuts words; None where there is none."""
        return self._of(batch_index, "word_ids").word_ids

    def token_to_sequence(self, batch_or_token_index, token_index=None):
        encoding, token = self._at(batch_or_token_index, token_index, "token_to_sequence")
        return encoding.token_to_sequence(token)

    def token_to_word(self, batch_or_token_index, token_index=None):
        encoding, token = self._at(batch_or_token_index, token_index, "token_to_word")
        return encoding.token_to_word(token)

    def word_to_tokens(self, batch_or_word_index, word_index=None, sequence_index=0):
        """TokenSpan of a word; None where it has no tokens."""
        encoding, word = self._at(batch_or_word_index, word_index, "word_to_tokens")
        span = encoding.word_to_tokens(word, sequence_index)
        return None if span is None else TokenSpan(*span)

    def token_to_chars(self, batch_or_token_index, token_index=None):
        """CharSpan of a token in its text; None for what stands in none."""
        encoding, token = self._at(batch_or_token_index, token_index, "token_to_chars")
        span = encoding.token_to_chars(token)
        return None if span is None else CharSpan(*span)

    def char_to_token(self, batch_or_char_index, char_index=None, sequence_index=0):
        """The token that covers a character; None where none does."""
        batch, char = (0, batch_or_char_index) if char_index is None else (batch_or_char_index, char_index)
        return self._of(batch, "char_to_token").char_to_token(char, sequence_index)

    def word_to_chars(self, batch_or_word_index, word_index=None, sequence_index=0):
        """CharSpan of a word."""
        encoding, word = self._at(batch_or_word_index, word_index, "word_to_chars")
        return CharSpan(*encoding.word_to_chars(word, sequence_index))

    def char_to_word(self, batch_or_char_index, char_index=None, sequence_index=0):
        batch, char = (0, batch_or_char_index) if char_index is None else (batch_or_char_index, char_index)
        return self._of(batch, "char_to_word").char_to_word(char, sequence_index)
