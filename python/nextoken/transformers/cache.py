"""Caches: what a model has read so far, to go on from. Keys and values stay in the library, in pages
that sequences share; a cache holds a sequence for each row of the batch.

Letters: B rows, S positions.
"""

import weakref

import numpy as np

from ..errors import Busy
from ..library import check, ffi, lib, running

__all__ = ["Cache", "DynamicCache", "Row"]

_left = weakref.WeakKeyDictionary()  # session -> numbers that could not be dropped at once


def _drop(session, number):
    """Forgets a sequence; what a collector drops while the session runs waits for its next use."""
    try:
        for waiting in [number, *_left.pop(session, ())]:
            session.drop(waiting)
    except Busy:
        _left.setdefault(session, []).append(number)
    except ValueError:
        pass  # the session is closed, and has dropped all


class Row:
    """A sequence of a session, and what it was fed: [(position, int32 ids [n])]. fed is enough to make
    it again in another thread's session."""

    def __init__(self, session, fork=None):
        self.session = session
        self.number = session.sequence() if fork is None else session.fork(fork.number)
        self.fed = [] if fork is None else list(fork.fed)
        self.length = 0 if fork is None else fork.length
        self._close = weakref.finalize(self, _drop, session, self.number)
        self._close.atexit = False

    def __len__(self):
        return self.length

    def feed(self, position, ids):
        """Notes what the sequence was fed."""
        self.fed.append((position, ids))
        self.length += len(ids)

    def fork(self):
        return Row(self.session, fork=self)

    def cut(self, length):
        """Keeps the first `length` positions."""
        kept, n = [], 0
        for position, ids in self.fed:
            if n < length:
                kept.append((position, ids[:length - n]))
            n += len(ids)
        with self.session.use() as handle:
            check(lib.nt_sequence_cut(handle, self.number, length))
        self.fed, self.length = kept, min(length, self.length)

    def on(self, session):
        """The row in this session: itself, or made again there."""
        if self.session is session:
            return self
        made = Row(session)
        for position, ids in self.fed:
            with session.use() as handle, running() as callbacks:
                check(lib.nt_sequence_place(handle, made.number, position))
                check(lib.nt_forward(handle, made.number, ffi.cast("int32_t *", ids.ctypes.data),
                                     len(ids), lib.NT_WANT_NOTHING, ffi.NULL, callbacks))
            made.feed(position, ids)
        return made


class Cache:
    """What a model has read. model(ids, past_key_values=cache) adds to it; copy.deepcopy() gives one to
    go another way from, which shares what is there."""

    is_compileable = False
    is_croppable = True

    def __init__(self, *args, config=None, **kwargs):
        if args or kwargs:
            named = ", ".join([*(["keys and values of your own"] if args else []), *kwargs])
            raise NotImplementedError(f"{type(self).__name__} takes no {named}: keys and values stay in "
                                      "the library")
        self.rows = []    # of the batch
        self.mask = None  # bool [B, S]: what of it is read; False: padding
        self.n_layer = 0

    # ---- What transformers has ----

    def get_seq_length(self, layer_idx=0):
        """S, padding included."""
        return 0 if self.mask is None else self.mask.shape[1]

    def get_max_length(self, layer_idx=None):
        """-1: it grows as far as the model reads."""
        return -1

    get_max_cache_shape = get_max_length

    def get_mask_sizes(self, query_length, layer_idx=0):
        return self.get_seq_length() + query_length, 0

    @property
    def seen_tokens(self):
        return self.get_seq_length()

    @property
    def batch_size(self):
        return len(self.rows) if self.rows else -1

    @property
    def is_initialized(self):
        return bool(self.rows)

    @property
    def is_sliding(self):
        return [False] * self.n_layer

    def crop(self, tokens_to_remove):
        """crop(-n) takes the last n positions off."""
        if tokens_to_remove > 0:
            raise ValueError(f"crop({tokens_to_remove}): give how many positions to take off, as a "
                             "number below 0")
        if tokens_to_remove == 0 or self.mask is None:
            return
        left = max(self.mask.shape[1] + tokens_to_remove, 0)
        self.mask = self.mask[:, :left]
        for row, kept in zip(self.rows, self.mask):
            row.cut(int(kept.sum()))

    def reset(self):
        """Forgets it all."""
        self.rows, self.mask = [], None

    def batch_repeat_interleave(self, repeats):
        """Every row `repeats` times, one behind the other."""
        self.batch_select_indices(np.repeat(np.arange(len(self.rows)), repeats))

    def batch_select_indices(self, indices):
        """The rows of these numbers, in this order."""
        indices = np.asarray(indices)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
        if self.rows:
            taken = {}
            self.rows = [taken.setdefault(int(i), self.rows[i]) if int(i) not in taken
                         else self.rows[i].fork() for i in indices]
            self.mask = self.mask[indices]

    reorder_cache = batch_select_indices

    def __len__(self):
        """L, once it has been used."""
        return self.n_layer

    def __bool__(self):
        return True

    def __deepcopy__(self, memo):
        made = type(self)()
        made.mask, made.n_layer = self.mask, self.n_layer
        made.rows = [row.fork() for row in self.rows]
        return made

    def __repr__(self):
        return (f"{type(self).__name__}(layers: {self.n_layer}, rows: {len(self.rows)}, positions: "
                f"{self.get_seq_length()})")

    def _kept_inside(self, *args, **kwargs):
        raise NotImplementedError("keys and values stay in the library: a cache can be handed on, "
                                  "cropped, reordered and copied, not looked into")

    __getitem__ = __iter__ = update = to_legacy_cache = from_legacy_cache = __reduce_ex__ = _kept_inside
    layers = key_cache = value_cache = property(_kept_inside)


class DynamicCache(Cache):
    """The cache that models make themselves."""
