"""Tokenizers: text <-> ids, offsets in characters or bytes."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Iterable, List, Optional, Tuple, Union

from .errors import TextError
from .library import NULL, check, check_fields, ffi, ids, lib, new, owned, path_of, raw_of, string, text

if TYPE_CHECKING:
    import numpy as np

Text = Union[str, bytes]

__all__ = ["Encoding", "Stream", "Tokenizer"]

SPECIAL, PADDING, PAIR = 1, 2, 4  #: bits of Encoding.marks


class Encoding:
    """The tokens of one text (or pair of texts): arrays [n], nothing copied.

    starts and ends are there where offsets were asked for, marks and types where marks were.
    """

    __slots__ = ("_pointer", "_owner")

    def __init__(self, pointer: Any, owner: Any) -> None:
        self._pointer, self._owner = pointer, owner

    def __len__(self) -> int:
        return self._pointer.n

    def __repr__(self) -> str:
        ids = self.id_list()
        some = ", ".join(map(str, ids[:8])) + (", ..." if len(ids) > 8 else "")
        return f"<nextoken.Encoding: {len(ids)} token{'s' * (len(ids) != 1)}: {some}>" if ids \
            else "<nextoken.Encoding: no tokens>"

    def __reduce__(self) -> Any:
        raise TypeError("an Encoding cannot be pickled or copied; id_list() and offsets can")

    def _array(self, name: str, dtype: str) -> Any:
        from . import arrays

        pointer = getattr(self._pointer, name)
        if pointer == NULL and self._pointer.n:
            return None
        return arrays.view(pointer, self._pointer.n, self._owner, dtype)

    @property
    def ids(self) -> np.ndarray:
        """int32 [n]"""
        return self._array("ids", "int32")

    def id_list(self) -> List[int]:
        """The ids as a list."""
        return ffi.unpack(self._pointer.ids, self._pointer.n) if self._pointer.n else []

    @property
    def starts(self) -> Optional[np.ndarray]:
        """uint32 [n]: where each token begins in its text"""
        return self._array("starts", "uint32")

    @property
    def ends(self) -> Optional[np.ndarray]:
        """uint32 [n]: and where it ends"""
        return self._array("ends", "uint32")

    @property
    def offsets(self) -> Optional[List[Tuple[int, int]]]:
        """[(start, end), ...] or None"""
        p = self._pointer
        if not p.n:
            return []
        if p.starts == NULL:
            return None
        return list(zip(ffi.unpack(p.starts, p.n), ffi.unpack(p.ends, p.n)))

    @property
    def marks(self) -> Optional[np.ndarray]:
        """uint8 [n]: bits SPECIAL (put there by the template), PADDING, PAIR (of the second text)"""
        return self._array("marks", "uint8")

    @property
    def types(self) -> Optional[np.ndarray]:
        """uint32 [n]: token type ids"""
        return self._array("types", "uint32")

    @property
    def overflow(self) -> List[Encoding]:
        """The further windows of a text that was truncated."""
        windows, pointer = [], self._pointer.overflow
        while pointer != NULL:
            windows.append(Encoding(pointer, self._owner))
            pointer = pointer.overflow
        return windows


def _to_characters(encoding: Encoding, raw: bytes, raw_pair: Optional[bytes]) -> None:
    """Makes offsets in bytes offsets in characters, in place."""
    pointer = encoding._pointer
    while pointer != NULL:
        starts = ffi.cast("uint32_t *", pointer.starts)
        ends = ffi.cast("uint32_t *", pointer.ends)
        if raw_pair is None:
            lib.nt_offsets_to_characters(starts, ends, pointer.n, *text(raw))
        else:
            _pair_to_characters(Encoding(pointer, encoding._owner), raw, raw_pair)
        pointer = pointer.overflow


def _pair_to_characters(window: Encoding, raw: bytes, raw_pair: bytes) -> None:
    from . import arrays

    starts, ends = window._array("starts", "uint32"), window._array("ends", "uint32")
    of_pair = (window._array("marks", "uint8") & PAIR) != 0
    for chosen, value in ((~of_pair, raw), (of_pair, raw_pair)):
        s, e = starts[chosen], ends[chosen]
        lib.nt_offsets_to_characters(arrays.pointer(s), arrays.pointer(e), s.size, *text(value))
        starts[chosen], ends[chosen] = s, e


def _free_encoder(handle: Any, owner: Any, pid: int) -> None:
    if os.getpid() == pid:  # a child leaves what its parent's threads may have been working on
        lib.nt_encoder_free(handle)


class _Encoder:
    """One thread's encoder."""

    def __init__(self, handle: Any, owner: Any) -> None:
        out = ffi.new("nt_encoder **")
        check(lib.nt_encoder_new(out, handle, NULL))
        self.handle, self.pid = out[0], os.getpid()
        weakref.finalize(self, _free_encoder, self.handle, owner, self.pid).atexit = False


class Tokenizer:
    """A tokenizer; any number of threads may share it."""

    def __init__(self, handle: Any, owner: Any = None, source: Optional[Tuple[Any, ...]] = None) -> None:
        """Of an nt_tokenizer. owner lives as long as this does; source, (function, arguments...), makes
        another one where this is pickled."""
        self.handle, self._owner, self._source = handle, owner, source
        self._local = threading.local()

    def __reduce__(self) -> Any:
        if self._source is None:
            raise TypeError("this tokenizer cannot be pickled: it was made from a handle")
        return self._source[0], self._source[1:]

    @classmethod
    def open(cls, path: Any, reading: str = "file") -> Tokenizer:
        """Of a folder (tokenizer.json, or vocab.json with merges.txt) or of one tokenizer.json.

        reading: "file" takes tokenizer.json at its word, "transformers" as AutoTokenizer does."""
        readings = {"file": lib.NT_READ_FILE, "transformers": lib.NT_READ_TRANSFORMERS}
        if reading not in readings:
            raise ValueError(f'reading is "file" or "transformers", not {reading!r}')
        out = ffi.new("nt_tokenizer **")
        check(lib.nt_tokenizer_open_with(out, path_of(path), new("nt_tokenizer_options",
                                                                 reading=readings[reading])))
        return cls(owned(out[0], "nt_tokenizer_free"), None, (cls.open, os.path.abspath(path), reading))

    @classmethod
    def gpt2(cls) -> Tokenizer:
        """GPT-2's own, which is part of the library: no file is read."""
        out = ffi.new("nt_tokenizer **")
        check(lib.nt_tokenizer_gpt2(out))
        return cls(owned(out[0], "nt_tokenizer_free"), None, (cls.gpt2,))

    def __len__(self) -> int:
        """The number of ids: the largest id + 1, added tokens included."""
        return lib.nt_tokenizer_size(self.handle)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<nextoken.Tokenizer: {len(self):,} ids, BOS {self.bos}, EOS {self.eos}, padding {self.pad}>"

    @property
    def bos(self) -> Optional[int]:
        """The id that begins a text, or None."""
        return _or_none(lib.nt_tokenizer_bos(self.handle))

    @property
    def eos(self) -> Optional[int]:
        """The id that ends a text, or None."""
        return _or_none(lib.nt_tokenizer_eos(self.handle))

    @property
    def pad(self) -> Optional[int]:
        """The id that pads a batch, or None."""
        return _or_none(lib.nt_tokenizer_pad(self.handle))

    @property
    def truncates(self) -> bool:
        """Whether tokenizer.json asks for truncation."""
        return lib.nt_tokenizer_truncates(self.handle)

    @property
    def pads(self) -> bool:
        """Whether tokenizer.json asks for padding."""
        return lib.nt_tokenizer_pads(self.handle)

    def is_special(self, id: int) -> bool:
        """Whether the id is a special token's."""
        return lib.nt_tokenizer_is_special(self.handle, id)

    def token_bytes(self, id: int) -> Optional[bytes]:
        """The bytes that the id stands for; None for an id that the tokenizer lacks."""
        n = ffi.new("size_t *")
        pointer = lib.nt_tokenizer_bytes(self.handle, id, n)
        return None if pointer == NULL else ffi.buffer(pointer, n[0])[:]

    def content(self, id: int) -> Optional[str]:
        """The token as the files write it ("Ġthe"); None for an id that the tokenizer lacks."""
        n = ffi.new("size_t *")
        pointer = lib.nt_tokenizer_content(self.handle, id, n)
        return None if pointer == NULL else string(pointer, n[0])

    def id(self, content: Text) -> Optional[int]:
        """The id of a token as the files write it; None for none."""
        try:
            return _or_none(lib.nt_tokenizer_id(self.handle, *text(content)))
        except TextError:
            return None

    # ---- Encoding ----

    def encode(self, value: Text, pair: Optional[Text] = None, offsets: Optional[str] = "characters",
               marks: bool = False, **options: Any) -> Encoding:
        """The tokens of one text, or of a pair: an Encoding. Options as in encode_batch."""
        return self.encode_batch([value], None if pair is None else [pair], offsets, marks,
                                 **options)[0]

    def encode_batch(self, texts: Iterable[Text], pairs: Optional[Iterable[Optional[Text]]] = None,
                     offsets: Optional[str] = "characters", marks: bool = False,
                     **options: Any) -> List[Encoding]:
        """The tokens of each text, as it has them alone: a list of Encodings. Threads share the work.

        pairs: a second text for each (None among them: it has none). offsets: "characters", "bytes",
        or None. marks: tell template's tokens, padding, second texts, and type ids. The options are
        the fields of nt_encode_options (nextoken_text.h): add_bos, split_special_tokens,
        add_prefix_space, add_special_tokens, truncation, max_length, stride, padding, pad_length, ...
        """
        if offsets not in ("characters", "bytes", None):
            raise ValueError(f'offsets is "characters", "bytes" or None, not {offsets!r}')
        check_fields("nt_encode_options", options, "encoding", ("offsets", "marks", "texts", "pairs"))
        inputs, raws = self._inputs(texts, pairs)
        n = len(raws)
        with_pairs = any(raw[1] is not None for raw in raws)
        settings = new("nt_encode_options", offsets=offsets is not None,
                       marks=marks or (with_pairs and offsets == "characters"), **options)
        out = ffi.new("nt_encoding *[]", max(n, 1))
        if n:
            check(lib.nt_encoder_run(out, self._encoder().handle, inputs, n, settings))
        encodings = [Encoding(out[i], owned(out[i], "nt_encoding_free")) for i in range(n)]
        if offsets == "characters":
            for encoding, (raw, raw_pair) in zip(encodings, raws):
                if not (raw.isascii() and (raw_pair is None or raw_pair.isascii())):
                    _to_characters(encoding, raw, raw_pair)
        return encodings

    def _inputs(self, texts: Any, pairs: Any) -> Tuple[Any, List[Tuple[bytes, Optional[bytes]]]]:
        if isinstance(texts, (str, bytes)):
            raise TypeError("a list of texts is wanted; encode() takes one")
        texts = _raws(texts)
        pairs = [None] * len(texts) if pairs is None else _raws(pairs, True)
        if len(pairs) != len(texts):
            raise ValueError(f"{len(texts)} texts and {len(pairs)} second texts")
        inputs = ffi.new("nt_encode_input[]", max(len(texts), 1))
        for item, value, second in zip(inputs, texts, pairs):
            item.text, item.n_text = text(value)  # the caller holds the bytes
            if second is not None:
                item.pair, item.n_pair = text(second)
        return inputs, list(zip(texts, pairs))

    def _encoder(self) -> _Encoder:
        encoder = getattr(self._local, "encoder", None)
        if encoder is None or encoder.pid != os.getpid():
            encoder = self._local.encoder = _Encoder(self.handle, (self.handle, self._owner))
        return encoder

    # ---- Decoding ----

    def decode(self, tokens: Any, skip_special_tokens: bool = False) -> str:
        """The text of ids [n]; bytes that are no UTF-8 become U+FFFD."""
        pointer, n, owner = ids(tokens)
        out, length = ffi.new("char **"), ffi.new("size_t *")
        check(lib.nt_decode(out, length, self.handle, pointer, n, skip_special_tokens))
        del owner
        try:
            return string(out[0], length[0])
        finally:
            lib.nt_free(out[0])

    def stream(self, skip_special_tokens: bool = False) -> Stream:
        """Decoding as a stream: .put(id) gives the text that the id completes, .end() what is left."""
        return Stream(self, skip_special_tokens)


class Stream:
    """Ids in, text out, never half a character."""

    def __init__(self, tokenizer: Tokenizer, skip_special_tokens: bool = False) -> None:
        out = ffi.new("nt_stream **")
        check(lib.nt_stream_new(out, tokenizer.handle, skip_special_tokens))
        self._handle, self._tokenizer = out[0], tokenizer
        weakref.finalize(self, _free_stream, self._handle, (tokenizer.handle, tokenizer._owner)).atexit = False
        self._utf8, self._n = ffi.new("char const **"), ffi.new("size_t *")

    def put(self, id: int) -> str:
        """The text that this id completes; "" while a character is not whole."""
        check(lib.nt_stream_put(self._utf8, self._n, self._handle, id))
        return string(self._utf8[0], self._n[0]) if self._n[0] else ""

    def end(self) -> str:
        """What is left: halves of characters, as U+FFFD."""
        check(lib.nt_stream_end(self._utf8, self._n, self._handle))
        return string(self._utf8[0], self._n[0]) if self._n[0] else ""


def _free_stream(handle: Any, owner: Any) -> None:
    lib.nt_stream_free(handle)


def _or_none(id: int) -> Optional[int]:
    return None if id < 0 else id


def _raws(values: Iterable[Any], gaps: bool = False) -> List[Any]:
    """Texts in UTF-8; what is wrong with one of several is said with its number."""
    values, made = list(values), []
    for i, value in enumerate(values):
        try:
            made.append(None if value is None and gaps else bytes(raw_of(value)))
        except (TypeError, TextError) as error:
            raise type(error)(f"text {i}: {error}" if len(values) > 1 else str(error)) from None
    return made
