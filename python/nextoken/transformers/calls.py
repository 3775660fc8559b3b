"""What a call of a tokenizer asks for: strategies out of arguments, inputs out of lists."""

import warnings

from . import logging
from .batch import PaddingStrategy, TruncationStrategy

__all__ = ["batch_of", "strategies"]

logger = logging.get_logger(__name__)

LARGE_INTEGER = int(1e20)  # longer texts than this are no limit


def strategies(tokenizer, padding=False, truncation=None, max_length=None, pad_to_multiple_of=None, verbose=True):
    """(padding strategy, truncation strategy, max_length) of a call's arguments."""
    if max_length is not None and padding is False and truncation is None:
        truncation = "longest_first"
    pads, cuts = PaddingStrategy.DO_NOT_PAD, TruncationStrategy.DO_NOT_TRUNCATE
    if padding is True:
        if verbose and max_length is not None and truncation in (None, False, "do_not_truncate"):
            warnings.warn("`max_length` is ignored when `padding`=`True` and there is no truncation strategy. "
                          "To pad to max length, use `padding='max_length'`.", stacklevel=4)
        pads = PaddingStrategy.LONGEST
    elif padding is not False:
        pads = PaddingStrategy(padding)
    if truncation is True:
        cuts = TruncationStrategy.LONGEST_FIRST
    elif truncation is not False and truncation is not None:
        cuts = TruncationStrategy(truncation)
    if max_length is None:
        endless = tokenizer.model_max_length > LARGE_INTEGER
        if pads is PaddingStrategy.MAX_LENGTH:
            pads, max_length = (PaddingStrategy.DO_NOT_PAD, None) if endless else (pads, tokenizer.model_max_length)
        if cuts is not TruncationStrategy.DO_NOT_TRUNCATE:
            if endless:
                cuts = TruncationStrategy.DO_NOT_TRUNCATE
            else:
                max_length = tokenizer.model_max_length
    if pads is not PaddingStrategy.DO_NOT_PAD and (tokenizer.pad_token is None or tokenizer.pad_token_id < 0):
        raise ValueError(
            "Asking to pad but the tokenizer does not have a padding token. "
            "Please select a token to use as `pad_token` `(tokenizer.pad_token = tokenizer.eos_token e.g.)` "
            "or add a new pad token via `tokenizer.add_special_tokens({'pad_token': '[PAD]'})`.")
    if pads is not PaddingStrategy.DO_NOT_PAD and cuts is not TruncationStrategy.DO_NOT_TRUNCATE \
            and pad_to_multiple_of is not None and max_length is not None and max_length % pad_to_multiple_of:
        raise ValueError("Truncation and padding are both activated but truncation length "
                         f"({max_length}) is not a multiple of pad_to_multiple_of ({pad_to_multiple_of}).")
    return pads, cuts, max_length


# ---- Inputs -------------------------------------------------------------------------------------

NO_TEXT = "TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]"
NO_WORDS = ("PreTokenizedEncodeInput must be Union[PreTokenizedInputSequence, Tuple[PreTokenizedInputSequence, "
            "PreTokenizedInputSequence]]")


def _is_text(value):
    """Whether value is a text, or a list that begins as one of texts, pairs or words does."""
    depth = 0
    while isinstance(value, (list, tuple)) and depth < 3:
        if len(value) == 0:
            return True
        value = value[0]
        depth += 1
    return isinstance(value, str) or (isinstance(value, (list, tuple)) and not value)


def _one(item):
    """(text, second text or None) of what stands in a batch of texts."""
    if isinstance(item, str):
        return item, None
    if isinstance(item, (list, tuple)) and len(item) == 2 and all(isinstance(part, str) for part in item):
        return tuple(item)
    raise TypeError(NO_TEXT)


def _words(item):
    """A list of words; None where item is none."""
    if hasattr(item, "tolist"):
        item = item.tolist()
    if isinstance(item, (list, tuple)) and all(isinstance(word, str) for word in item):
        return list(item)
    return None


def _one_of_words(item):
    words = _words(item)
    if words is not None:
        return words, None
    if isinstance(item, (list, tuple)) and len(item) == 2:
        pair = tuple(map(_words, item))
        if None not in pair:
            return pair
    raise TypeError(NO_WORDS)


def batch_of(text, text_pair, is_split_into_words):
    """([(first, second or None)], whether it was a batch) of the arguments of a call."""
    for value in (text, text_pair):
        if value is not None and not _is_text(value) or value is text and value is None:
            raise ValueError(
                "text input must be of type `str` (single example), `list[str]` (batch or single pretokenized "
                "example) or `list[list[str]]` (batch of pretokenized examples) or `list[tuple[list[str], "
                "list[str]]]` (batch of pretokenized sequence pairs).")
    batched = isinstance(text, (list, tuple))
    if is_split_into_words:
        batched = bool(batched and text and isinstance(text[0], (list, tuple)))
    if batched:
        if isinstance(text_pair, str):
            raise TypeError("when tokenizing batches of text, `text_pair` must be a list or tuple with the same "
                            "length as `text`.")
        if text_pair is not None and len(text) != len(text_pair):
            raise ValueError(f"batch length of `text`: {len(text)} does not match batch length of `text_pair`: "
                             f"{len(text_pair)}.")
        items = list(zip(text, text_pair)) if text_pair is not None else text
    else:
        items = [(text, text_pair)] if text_pair else [text]
    return [(_one_of_words if is_split_into_words else _one)(item) for item in items], batched
