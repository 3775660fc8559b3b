"""Sessions: sequences with their keys and values, the forward pass, captures and edits.

Letters: T positions, V vocabulary, D width, L blocks, H heads, E = D / H.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import (TYPE_CHECKING, Any, Dict, Iterable, Iterator, KeysView, List, NamedTuple, Optional, Tuple,
                    Union)

from .errors import ArgumentError, Busy
from .library import NULL, callback, check, ffi, ids, lib, new, running

if TYPE_CHECKING:
    import numpy as np

    from .model import Info

__all__ = ["EVERY", "Captured", "Edit", "Place", "Session"]

EVERY = -1  #: every layer, head or position

POINTS = ("embedding", "block_in", "attention", "head_out", "attention_out", "mlp_out", "block_out",
          "final_norm")
_ACTIONS = {"zero": lib.NT_ZERO, "scale": lib.NT_SCALE, "add": lib.NT_ADD, "replace": lib.NT_REPLACE}


class Place(NamedTuple):
    """Where a capture or an edit acts: a point of the forward pass by its name (one of POINTS)."""

    point: str
    layer: int = EVERY
    head: int = EVERY
    position: int = EVERY


class Edit(NamedTuple):
    """What is changed at a place: action is "zero", "scale" (by factor), "add" or "replace" (values,
    as wide as the point)."""

    place: Place
    action: str
    factor: float = 1.0
    values: Any = None


def _place(place: Any) -> Dict[str, Any]:
    place = Place(place) if isinstance(place, str) else Place(*place)
    if place.point not in POINTS:
        raise ArgumentError(f"no point {place.point!r}; there are {', '.join(POINTS)}")
    return {"point": POINTS.index(place.point), "layer": place.layer, "head": place.head,
            "position": place.position}


class Captured:
    """What a capture has seen so far, by the names of points: seen["block_out"] is an array.

    Shapes, of t positions: embedding and final_norm [t, D]; block_in, attention_out, mlp_out and
    block_out [L, t, D]; head_out [L, H, t, E]; attention [L, H, t, T], zeros behind a row's own
    position. Layers and heads are those that were asked for, in order.
    """

    def __init__(self) -> None:
        # (sequence, point) -> [((layer, head, position), bytes)]
        self._rows: Dict[Tuple[int, str], List[Tuple[Tuple[int, int, int], bytes]]] = {}

    def __contains__(self, point: str) -> bool:
        return any(key[1] == point for key in self._rows)

    def keys(self) -> KeysView[str]:
        """The points that were seen."""
        return dict.fromkeys(key[1] for key in self._rows).keys()

    def sequences(self, point: str) -> List[int]:
        """The sequences that went through the point."""
        return [sequence for sequence, name in self._rows if name == point]

    def __getitem__(self, point: str) -> np.ndarray:
        found = self.sequences(point)
        if not found:
            raise KeyError(point)
        if len(found) > 1:
            raise KeyError(f"{point} was seen in the sequences {found}: ask with of(point, sequence)")
        return self.of(point, found[0])

    def of(self, point: str, sequence: int) -> np.ndarray:
        """The array of one sequence."""
        import numpy as np

        rows = self._rows[sequence, point]
        layers, heads, positions = (sorted({row[0][i] for row in rows}) for i in range(3))
        places = [{value: i for i, value in enumerate(axis)} for axis in (layers, heads, positions)]
        widest = max(len(row[1]) for row in rows) // 4
        array = np.zeros((len(layers), len(heads), len(positions), widest), np.float32)
        for (layer, head, position), values in rows:
            array[places[0][layer], places[1][head], places[2][position], :len(values) // 4] = \
                np.frombuffer(values, np.float32)
        if point in ("attention", "head_out"):
            return array
        array = array[:, 0]
        return array[0] if point in ("embedding", "final_norm") else array

    def clear(self) -> None:
        """Forgets it all."""
        self._rows.clear()

    def _see(self, payload: Any, seen: Any) -> int:
        place = seen.place
        point = POINTS[place.point]
        self._rows.setdefault((seen.sequence, point), []).append(
            ((place.layer, place.head, place.position), ffi.buffer(seen.values, 4 * seen.n)[:]))
        return 0


def _free(handle: Any, core: Any, pid: int) -> None:
    if os.getpid() == pid:  # a child leaves what its parent's threads may have been working on
        lib.nt_session_free(handle)


class Session:
    """One thread's workplace on a model: sequences and their keys and values.

    A session runs one call at a time: one more, from another thread or from a callback, raises Busy.
    After os.fork() the child may go on with it where it was at rest.
    """

    def __init__(self, model: Any, threads: int = 0) -> None:
        self._core = getattr(model, "_core", model)
        out = ffi.new("nt_session **")
        check(lib.nt_session_new(out, self._core.handle, new("nt_session_options", threads=threads)))
        self._handle = out[0]
        self._lock = threading.Lock()
        self._edited: List[Any] = []    # values of the edits, which must outlive them
        self._captures: List[Any] = []  # one a capture() that is entered: [(place, function), ...]
        self._close = weakref.finalize(self, _free, self._handle, self._core, os.getpid())
        self._close.atexit = False

    def close(self) -> None:
        """Frees the session now; it is not used any more."""
        with self.use():
            self._close()
            self._handle = NULL

    def __repr__(self) -> str:
        state = "closed" if self._handle == NULL else "running" if self.busy else "at rest"
        return f"<nextoken.Session on {self.info.path!r}: {state}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Session cannot be pickled or copied: it belongs to one process; its Model can")

    @property
    def info(self) -> Info:
        """What the model is (Info)."""
        return self._core.info

    @property
    def busy(self) -> bool:
        """Whether a call is running."""
        return self._lock.locked()

    @contextlib.contextmanager
    def use(self) -> Iterator[Any]:
        """`with session.use() as handle:` gives the nt_session for one call or more; nobody else gets
        it meanwhile."""
        if not self._lock.acquire(blocking=False):
            raise Busy("this session is running; a callback or another thread needs one of its own")
        try:
            if self._handle == NULL:
                raise ValueError("this session is closed")
            yield self._handle
        finally:
            self._lock.release()

    # ---- Sequences ----

    def sequence(self) -> int:
        """A new, empty sequence: its number."""
        out = ffi.new("int32_t *")
        with self.use() as handle:
            check(lib.nt_sequence_new(out, handle))
        return out[0]

    def fork(self, sequence: int) -> int:
        """A copy of a sequence, which shares keys and values with it until one of the two goes on."""
        out = ffi.new("int32_t *")
        with self.use() as handle:
            check(lib.nt_sequence_fork(out, handle, sequence))
        return out[0]

    def drop(self, sequence: int) -> None:
        """Forgets a sequence."""
        with self.use() as handle:
            lib.nt_sequence_drop(handle, sequence)

    def length(self, sequence: int) -> int:
        """Positions that the sequence holds; 0 for a number that is no sequence."""
        with self.use() as handle:
            return lib.nt_sequence_length(handle, sequence)

    # ---- The forward pass ----

    def forward(self, sequence: int, tokens: Any, want: Optional[str] = "last",
                out: Optional[np.ndarray] = None) -> Optional[np.ndarray]:
        """Appends token ids [n] to a sequence; logits are float32 [V] of the last ("last"), [n, V] of
        all ("all"), or None (want None). out: a contiguous float32 array to write them into."""
        import numpy as np

        from . import arrays

        if want not in ("last", "all", None):
            raise ValueError(f'want is "last", "all" or None, not {want!r}')
        pointer, n, owner = ids(tokens)
        n_vocab = self._core.info.n_vocab
        shape = (n_vocab,) if want == "last" else (n, n_vocab)
        target, kind = NULL, lib.NT_WANT_NOTHING
        if want is not None:
            if out is None:
                out = np.empty(shape, np.float32)
            elif not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != np.float32 \
                    or not out.flags.writeable:
                raise ValueError(f"out must be a writable float32 array of shape {list(shape)}")
            target = arrays.pointer(out)
            kind = lib.NT_WANT_LAST if want == "last" else lib.NT_WANT_ALL
        with self.use() as handle, running() as callbacks:
            check(lib.nt_forward(handle, sequence, pointer, n, kind, target, callbacks))
        del owner
        return out if want is not None else None

    def loss(self, tokens: Any, labels: Any = None) -> Tuple[float, int]:
        """(mean of -log p(labels[t + 1] | tokens[0..t]), how many were counted), as transformers'
        loss: labels of -100 are left out; None: the tokens themselves."""
        pointer, n, owner = ids(tokens)
        wanted, n_labels, wanted_owner = (NULL, n, None) if labels is None else ids(labels)
        if n_labels != n:
            raise ValueError(f"{n} tokens and {n_labels} labels")
        loss, counted = ffi.new("double *"), ffi.new("size_t *")
        with self.use() as handle, running() as callbacks:
            check(lib.nt_loss(loss, counted, handle, pointer, wanted, n, callbacks))
        del owner, wanted_owner
        return loss[0], counted[0]

    # ---- Captures and edits ----

    @contextlib.contextmanager
    def capture(self, places: Union[str, Place, Iterable[Any]]) -> Iterator[Captured]:
        """`with session.capture(["block_out", ("attention", 3)]) as seen:` keeps what every forward
        pass inside computes at these points, each a name or a Place: a Captured."""
        seen = Captured()
        see = callback("int(void *, nt_seen const *)", seen._see, error=1)
        one = isinstance(places, str) or isinstance(places, tuple) and len(places) > 1 \
            and isinstance(places[1], int)
        chosen = [places] if one else list(places)
        self._captures.append([{"place": _place(place), "see": see} for place in chosen])
        try:
            self._set_captures()
            yield seen
        finally:
            self._captures.pop()
            self._set_captures()

    def _set_captures(self) -> None:
        made = [capture for captures in self._captures for capture in captures]
        with self.use() as handle:
            check(lib.nt_session_set_captures(handle, ffi.new("nt_capture[]", made), len(made)))

    def set_edits(self, edits: Iterable[Any] = ()) -> None:
        """Changes the forward pass at these places from now on, in order; without edits, never."""
        from . import arrays

        made, alive = [], []
        for edit in edits:
            edit = Edit(*edit)
            if edit.action not in _ACTIONS:
                raise ArgumentError(f"no action {edit.action!r}; there are {', '.join(_ACTIONS)}")
            fields = {"place": _place(edit.place), "action": _ACTIONS[edit.action],
                      "factor": edit.factor}
            if edit.values is not None:
                values = arrays.float32(edit.values).reshape(-1)
                alive.append(values)
                fields["values"], fields["n_values"] = arrays.pointer(values), values.size
            made.append(fields)
        with self.use() as handle:
            check(lib.nt_session_set_edits(handle, ffi.new("nt_edit[]", made), len(made)))
            self._edited = alive

    @contextlib.contextmanager
    def edit(self, edits: Iterable[Any]) -> Iterator[Session]:
        """`with session.edit([...]):` edits inside, none behind it."""
        self.set_edits(edits)
        try:
            yield self
        finally:
            self.set_edits()
