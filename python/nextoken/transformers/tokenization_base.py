"""What every tokenizer of this package does: calls, decoding, padding, saving."""

import copy
import json
import os
from collections.abc import Mapping

from ..errors import RangeError
from . import logging, tensors
from .batch import BatchEncoding, PaddingStrategy, TruncationStrategy
from .calls import batch_of, strategies
from .encoding import Padding, Truncation
from .special import SpecialTokens
from .tokens import AddedToken

__all__ = ["PreTrainedTokenizerBase", "VERY_LARGE_INTEGER"]

logger = logging.get_logger(__name__)

VERY_LARGE_INTEGER = int(1e30)  # model_max_length where nothing is known of it

_SPACES = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
           (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))


class PreTrainedTokenizerBase(SpecialTokens):
    """A tokenizer. The subclasses say how it comes from files; `_backend` does the work."""

    model_input_names = ["input_ids", "attention_mask"]
    padding_side = "right"
    truncation_side = "right"
    vocab_files_names = {"tokenizer_file": "tokenizer.json"}
    is_fast = True

    def _init_base(self, kwargs):
        """Takes what is no special token's out of kwargs."""
        kwargs.pop("response_schema", None)
        self.init_inputs = ()
        self.name_or_path = kwargs.pop("name_or_path", "")
        self.verbose = kwargs.pop("verbose", False)
        self._pad_token_type_id = 0
        length = kwargs.pop("model_max_length", kwargs.pop("max_len", None))
        self.model_max_length = VERY_LARGE_INTEGER if length is None else length
        for side, what in (("padding_side", "Padding"), ("truncation_side", "Truncation")):
            value = kwargs.pop(side, getattr(self, side))
            if value not in ("right", "left"):
                raise ValueError(f"{what} side should be selected between 'right' and 'left', current value: {value}")
            setattr(self, side, value)
        self.model_input_names = list(kwargs.pop("model_input_names", self.model_input_names))
        self.clean_up_tokenization_spaces = kwargs.pop("clean_up_tokenization_spaces", False)
        self.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output = kwargs.pop(
            "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", False)
        self.split_special_tokens = kwargs.pop("split_special_tokens", False)
        self.chat_template = kwargs.pop("chat_template", None)
        self.deprecation_warnings = {}

    def __repr__(self):
        added = "".join(f"\n\t{i}: {token!r}," for i, token in self.added_tokens_decoder.items())
        return (f"{type(self).__name__}(name_or_path='{self.name_or_path}', vocab_size={self.vocab_size}, "
                f"model_max_length={self.model_max_length}, padding_side='{self.padding_side}', "
                f"truncation_side='{self.truncation_side}', special_tokens={self.special_tokens_map}, "
                f"added_tokens_decoder={{{added}{added and chr(10)}}})")

    def __bool__(self):
        return True

    # ---- Vocabulary ----

    def __len__(self):
        """The number of tokens, added ones included."""
        return len(self._backend.vocabulary)

    def get_vocab(self):
        """{content: id} of all tokens, added ones included."""
        return dict(self._backend.vocabulary)

    @property
    def vocab(self):
        return self.get_vocab()

    @property
    def added_tokens_decoder(self):
        """{id: AddedToken}, by id"""
        return dict(sorted((self._backend.tokenizer.id(content), token) for content, token in self._added.items()))

    @property
    def added_tokens_encoder(self):
        return {token.content: i for i, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self):
        """{content: id} of the added tokens."""
        return self.added_tokens_encoder

    @property
    def pad_token_type_id(self):
        return self._pad_token_type_id

    def _id(self, token):
        i = self._backend.tokenizer.id(token)
        return self.unk_token_id_or_none() if i is None else i

    def unk_token_id_or_none(self):
        unk = self._special_tokens_map.get("unk_token")
        return None if unk is None else self._backend.tokenizer.id(str(unk))

    def convert_tokens_to_ids(self, tokens):
        """The id of a token, or the ids of several; unk_token's for those that there are not."""
        if isinstance(tokens, str):
            return self._id(tokens)
        return [self._id(token) for token in tokens]

    def convert_ids_to_tokens(self, ids, skip_special_tokens=False):
        """The content of an id, or of each of several; None for those that there are not."""
        if isinstance(ids, int):
            return self._token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [self._token(int(i)) for i in ids if int(i) not in skipped]

    def _token(self, i):
        if i < 0:
            raise OverflowError("can't convert negative int to unsigned")
        if i >= 2**32:
            raise OverflowError("out of range integral type conversion attempted")
        return self._backend.tokenizer.content(i) if i < 2**31 else None

    def convert_tokens_to_string(self, tokens):
        """The text that contents of tokens make, a list of them."""
        if isinstance(tokens, str):
            raise TypeError("tokens are a list of texts, not one")
        ids = [self._backend.tokenizer.id(token) for token in tokens]
        if None not in ids:
            return self._backend.decode(ids, False)
        if not self._backend.byte_level:
            lacks = next(token for token, i in zip(tokens, ids) if i is None)
            raise NotImplementedError(f"convert_tokens_to_string: {lacks!r} is no token of this tokenizer")
        return b"".join(map(_byte_level_bytes, tokens)).decode("utf-8", "replace")

    def num_special_tokens_to_add(self, pair=False):
        """How many special tokens are put around one text, or two."""
        return self._backend.post.added(pair)

    @property
    def max_len_single_sentence(self):
        return self.model_max_length - self.num_special_tokens_to_add(False)

    @property
    def max_len_sentences_pair(self):
        return self.model_max_length - self.num_special_tokens_to_add(True)

    # ---- Encoding ----

    def __call__(self, text=None, text_pair=None, text_target=None, text_pair_target=None, add_special_tokens=True,
                 padding=False, truncation=None, max_length=None, stride=0, is_split_into_words=False,
                 pad_to_multiple_of=None, padding_side=None, return_tensors=None, return_token_type_ids=None,
                 return_attention_mask=None, return_overflowing_tokens=False, return_special_tokens_mask=False,
                 return_offsets_mapping=False, return_length=False, verbose=True, tokenizer_kwargs=None, **kwargs):
        """The tokens of a text, of a pair of texts, or of many: a BatchEncoding.

        return_tensors: "pt" (torch) or "np" for arrays [B, T]; None for lists. padding: True,
        "max_length". truncation: True, "only_first", "only_second". return_offsets_mapping: (start, end)
        of each token, in characters of its text. is_split_into_words: texts are lists of words.
        """
        if text is None and text_target is None:
            raise ValueError("You need to specify either `text` or `text_target`.")
        max_target_length = kwargs.pop("max_target_length", None)
        asked = {"add_special_tokens": add_special_tokens, "padding": padding, "truncation": truncation,
                 "max_length": max_length, "stride": stride, "is_split_into_words": is_split_into_words,
                 "pad_to_multiple_of": pad_to_multiple_of, "padding_side": padding_side,
                 "return_tensors": return_tensors, "return_token_type_ids": return_token_type_ids,
                 "return_attention_mask": return_attention_mask,
                 "return_overflowing_tokens": return_overflowing_tokens,
                 "return_special_tokens_mask": return_special_tokens_mask,
                 "return_offsets_mapping": return_offsets_mapping, "return_length": return_length,
                 "verbose": verbose, **(tokenizer_kwargs or {}), **kwargs}
        pads, cuts, limit = strategies(self, asked.pop("padding"), asked.pop("truncation"), asked.pop("max_length"),
                                       asked["pad_to_multiple_of"], asked["verbose"])
        encodings = targets = None
        if text is not None:
            encodings = self._encode_plus(text, text_pair, pads, cuts, limit, **asked)
        if text_target is not None:
            limit = limit if max_target_length is None else max_target_length
            targets = self._encode_plus(text_target, text_pair_target, pads, cuts, limit, **asked)
        if encodings is not None and targets is not None:
            encodings["labels"] = targets["input_ids"]
        return targets if encodings is None else encodings

    def encode(self, text, text_pair=None, add_special_tokens=True, padding=False, truncation=None, max_length=None,
               stride=0, padding_side=None, return_tensors=None, **kwargs):
        """The ids of a text: a list, or an array [1, T] with return_tensors."""
        multiple = kwargs.get("pad_to_multiple_of")
        pads, cuts, limit = strategies(self, padding, truncation, max_length, multiple, kwargs.get("verbose", True))
        return self._encode_plus(text, text_pair, pads, cuts, limit, add_special_tokens=add_special_tokens,
                                 stride=stride, padding_side=padding_side, return_tensors=return_tensors,
                                 **kwargs)["input_ids"]

    def tokenize(self, text, pair=None, add_special_tokens=False, **kwargs):
        """The contents of a text's tokens, "Ġ" standing for a space."""
        names = ("padding", "truncation", "max_length", "pad_to_multiple_of", "verbose")
        pads, cuts, limit = strategies(self, **{name: kwargs[name] for name in names if name in kwargs}) \
            if any(name in kwargs for name in names) else (PaddingStrategy.DO_NOT_PAD,
                                                           TruncationStrategy.DO_NOT_TRUNCATE, None)
        for name in ("padding", "truncation", "max_length"):
            kwargs.pop(name, None)
        return self._encode_plus(text, pair, pads, cuts, limit, add_special_tokens=add_special_tokens,
                                 **kwargs).tokens()

    def _encode_plus(self, text, text_pair, pads, cuts, max_length, add_special_tokens=True, stride=0,
                     is_split_into_words=False, pad_to_multiple_of=None, padding_side=None, return_tensors=None,
                     return_token_type_ids=None, return_attention_mask=None, return_overflowing_tokens=False,
                     return_special_tokens_mask=False, return_offsets_mapping=False, return_length=False,
                     verbose=True, split_special_tokens=None, **unknown):
        if unknown:
            logger.warning_once(f"Keyword arguments {sorted(unknown)} not recognized: they have no effect.")
        inputs, batched = batch_of(text, text_pair, is_split_into_words)
        truncation = padding = None
        if cuts is not TruncationStrategy.DO_NOT_TRUNCATE:
            _check_truncation(max_length, stride, self._backend.post.added(False))
            truncation = Truncation(max_length, stride, cuts.value, self.truncation_side == "left")
        if pads is not PaddingStrategy.DO_NOT_PAD:
            side = self.padding_side if padding_side is None else padding_side
            if side not in ("left", "right"):
                raise ValueError(f"Unknown direction: {side}")
            length = max_length if pads is PaddingStrategy.MAX_LENGTH else None
            padding = Padding(length, pad_to_multiple_of, side == "left", self.pad_token_id, self.pad_token,
                              self.pad_token_type_id)
        if not inputs:
            raise IndexError("a batch of no texts")
        split = self.split_special_tokens if split_special_tokens is None else split_special_tokens
        backend = self._backend

        def make(details):
            made = backend.encode(inputs, truncation, add_special_tokens, split, details)
            if padding is not None:
                backend.pad(made, padding)
            return [[one, *one.overflowing] if return_overflowing_tokens else [one] for one in made]

        samples = make(bool(return_offsets_mapping))
        rows = [row for sample in samples for row in sample]
        data = {"input_ids": [row.ids for row in rows]}
        if _or(return_token_type_ids, "token_type_ids" in self.model_input_names):
            data["token_type_ids"] = [row.type_ids for row in rows]
        if _or(return_attention_mask, "attention_mask" in self.model_input_names):
            data["attention_mask"] = [row.attention_mask for row in rows]
        if return_special_tokens_mask:
            data["special_tokens_mask"] = [row.special_tokens_mask for row in rows]
        if return_offsets_mapping:
            data["offset_mapping"] = [row.offsets for row in rows]
        if return_length:
            data["length"] = [len(row) for row in rows]
        if return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = [i for i, sample in enumerate(samples) for _ in sample]
        if max_length is None and verbose:
            self._warn_of_length(rows)
        encodings = rows if return_offsets_mapping else \
            lambda: [row for sample in make(True) for row in sample]
        if not batched and return_tensors is None and not return_overflowing_tokens:
            data = {key: value[0] if value and isinstance(value[0], list) else value for key, value in data.items()}
        return BatchEncoding(data, encodings, return_tensors)

    def _warn_of_length(self, rows):
        longest = next((len(row) for row in rows if len(row) > self.model_max_length), None)
        key = "sequence-length-is-longer-than-the-specified-maximum"
        if longest is None or not self.model_max_length or self.deprecation_warnings.get(key):
            return
        logger.warning("Token indices sequence length is longer than the specified maximum sequence length for this "
                       f"model ({longest} > {self.model_max_length}). Running this sequence through the model will "
                       "result in indexing errors")
        self.deprecation_warnings[key] = True

    def pad(self, encoded_inputs, padding=True, max_length=None, pad_to_multiple_of=None, padding_side=None,
            return_attention_mask=None, return_tensors=None, verbose=True):
        """Pads encodings that are there already: one, a dictionary of lists, or a list of dictionaries."""
        from .pad import pad

        return pad(self, encoded_inputs, padding, max_length, pad_to_multiple_of, padding_side,
                   return_attention_mask, return_tensors, verbose)

    # ---- Decoding ----

    def decode(self, token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=None, **kwargs):
        """The text of ids: an int, a list, an array or tensor [T]; a list of texts of a batch [B, T]."""
        kwargs.pop("use_source_tokenizer", None)
        if kwargs:
            logger.warning_once(f"Keyword arguments {sorted(kwargs)} not recognized: they have no effect.")
        token_ids = tensors.as_lists(token_ids)
        if isinstance(token_ids, (list, tuple)) and token_ids and isinstance(token_ids[0], (list, tuple)):
            return [self._decode(row, skip_special_tokens, clean_up_tokenization_spaces) for row in token_ids]
        return self._decode(token_ids, skip_special_tokens, clean_up_tokenization_spaces)

    def batch_decode(self, sequences, skip_special_tokens=False, clean_up_tokenization_spaces=None, **kwargs):
        """The texts of a batch of ids."""
        texts = self.decode(sequences, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
        return [texts] if isinstance(texts, str) else texts

    def _decode(self, ids, skip_special_tokens, clean):
        if isinstance(ids, Mapping):
            ids = ids["input_ids"]
        if isinstance(ids, int):
            ids = [ids]
        try:
            text = self._backend.tokenizer.decode(ids, bool(skip_special_tokens))
        except (RangeError, TypeError, OverflowError):
            text = self._backend.decode(_known_ids(ids), bool(skip_special_tokens))
        if self.clean_up_tokenization_spaces if clean is None else clean:
            text = self._cleaned(text)
        return text

    def _cleaned(self, text):
        if self._model_type() == "BPE" and \
                not self.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output:
            logger.warning_once(
                f"Ignoring clean_up_tokenization_spaces=True for BPE tokenizer {type(self).__name__}. The "
                "clean_up_tokenization post-processing step is designed for WordPiece tokenizers and is destructive "
                "for BPE (it strips spaces before punctuation). Set clean_up_tokenization_spaces=False to suppress "
                "this warning, or set clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=True "
                "to force cleanup anyway.")
            return text
        return self.clean_up_tokenization(text)

    @staticmethod
    def clean_up_tokenization(text):
        """Takes out the spaces that stand before punctuation and short forms."""
        for spaced, tight in _SPACES:
            text = text.replace(spaced, tight)
        return text

    # ---- What is not there ----

    def apply_chat_template(self, *args, **kwargs):
        raise NotImplementedError("apply_chat_template is not supported: write the conversation as the model's text")

    def train_new_from_iterator(self, *args, **kwargs):
        raise NotImplementedError("train_new_from_iterator is not supported: nextoken trains no tokenizers")

    def push_to_hub(self, *args, **kwargs):
        raise NotImplementedError("push_to_hub is not supported")

    # ---- Saving ----

    def save_vocabulary(self, save_directory, filename_prefix=None):
        raise NotImplementedError("save_vocabulary is not supported: save_pretrained writes all files")

    def save_pretrained(self, save_directory, legacy_format=None, filename_prefix=None, push_to_hub=False, **kwargs):
        """Writes the tokenizer's files to a folder, tokens that were added included; their names."""
        if push_to_hub:
            raise NotImplementedError("push_to_hub=True is not supported")
        if legacy_format:
            raise NotImplementedError("legacy_format=True is not supported")
        if os.path.isfile(save_directory):
            logger.error(f"Provided path ({save_directory}) should be a directory, not a file")
            return None
        os.makedirs(save_directory, exist_ok=True)
        prefix = os.path.join(os.fspath(save_directory), f"{filename_prefix}-" if filename_prefix else "")
        config = self._saved_config()
        name = prefix + "tokenizer_config.json"
        with open(name, "w", encoding="utf-8") as file:
            file.write(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        return (name, *self._save_files(prefix))

    def __deepcopy__(self, memo):
        other = copy.copy(self)
        for key, value in vars(self).items():
            if key != "_backend":
                other.__dict__[key] = copy.deepcopy(value, memo)
        return other


def _or(value, default):
    return default if value is None else value


def _known_ids(ids):
    """ids, of which none is out of the numbers that a token can have; raises what tokenizers does."""
    if not isinstance(ids, (list, tuple)):
        raise TypeError(f"argument 'ids': '{type(ids).__name__}' object is not an instance of 'Sequence'")
    for i in ids:
        if not isinstance(i, int):
            raise TypeError(f"argument 'ids': '{type(i).__name__}' object cannot be interpreted as an integer")
        if not 0 <= i < 2**32:
            raise OverflowError("can't convert negative int to unsigned" if i < 0 else
                                "out of range integral type conversion attempted")
    return [i for i in ids if i < 2**31]


def _check_truncation(max_length, stride, n_added):
    """What tokenizers refuses before it looks at any text."""
    if not isinstance(max_length, int) or not isinstance(stride, int):
        raise TypeError(f"'{type(max_length if not isinstance(max_length, int) else stride).__name__}' object cannot "
                        "be interpreted as an integer")
    if max_length < 0 or stride < 0:
        raise OverflowError("can't convert negative int to unsigned")
    room = max_length - n_added
    if 0 <= room < stride:
        raise ValueError(f"tried to enable truncation with stride set too high: {stride} > {room}")


_bytes_of = None


def _byte_level_bytes(token):
    """The bytes that a content in the byte-level alphabet stands for; of another text its own."""
    global _bytes_of
    if _bytes_of is None:
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [i for i in range(256) if i not in plain]
        _bytes_of = {chr(i): i for i in plain}
        _bytes_of.update((chr(256 + n), i) for n, i in enumerate(others))
    if all(character in _bytes_of for character in token):
        return bytes(_bytes_of[character] for character in token)
    return token.encode("utf-8", "replace")


def as_tokens(value):
    """JSON's {"__type": "AddedToken", ...}, wherever it stands in value, as AddedTokens."""
    if isinstance(value, dict):
        if value.get("__type") == "AddedToken":
            return AddedToken(**{key: item for key, item in value.items() if key != "__type"})
        return {key: as_tokens(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_tokens(item) for item in value]
    return value


def as_json(value):
    """AddedTokens as JSON."""
    if isinstance(value, AddedToken):
        return {**value.flags, "__type": "AddedToken"}
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return value
