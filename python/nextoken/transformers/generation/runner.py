"""Rows of a search through the model: all of them in one pass a step, each without padding.

Letters: R rows, V vocabulary.
"""

from typing import NamedTuple, Optional

import numpy as np

from ...library import ffi, lib, check, running

__all__ = ["Prompt", "Runner", "Stepper", "unpadded"]


class Prompt(NamedTuple):
    """A row as it stands under its mask. tail: where its last id is masked, that id: transformers asks
    the model behind it, at position 0, and counts positions on from there."""

    ids: np.ndarray  # int32 [n]
    tail: Optional[int] = None


def unpadded(ids, mask):
    """Prompts of rows [B, T] under a mask (None: whole)."""
    ids = np.asarray(ids)
    if mask is None:
        return [Prompt(np.ascontiguousarray(row, np.int32)) for row in ids]
    made = []
    for i, (row, keep) in enumerate(zip(ids, np.asarray(mask) != 0)):
        if not keep.any():
            raise ValueError(f"prompt {i} is empty: `attention_mask` masks all of it")
        made.append(Prompt(np.ascontiguousarray(row[keep], np.int32),
                           None if keep[-1] else int(row[-1])))
    return made


class Stepper:
    """Sequences of one session, several of them in one pass."""

    def __init__(self, model, session=None):
        self.session = session or model.session()
        self.V = self.session.info.n_vocab
        self.open = set()

    def new(self):
        """The number of a new, empty sequence."""
        self.open.add(sequence := self.session.sequence())
        return sequence

    def fork(self, sequence):
        self.open.add(child := self.session.fork(sequence))
        return child

    def cut(self, sequence, length):
        with self.session.use() as handle:
            check(lib.nt_sequence_cut(handle, sequence, length))

    def length(self, sequence):
        return self.session.length(sequence)

    def drop(self, sequence):
        self.open.discard(sequence)
        self.session.drop(sequence)

    def begin(self, prompts):
        """A sequence for each prompt, and the logits behind it [B, V]."""
        logits = np.empty((len(prompts), self.V), np.float32)
        made = [self.new() for _ in prompts]
        self.step([(s, prompt.ids, logits[i:i + 1])
                   for i, (s, prompt) in enumerate(zip(made, prompts))])
        tails = [(i, s, prompt.tail) for i, (s, prompt) in enumerate(zip(made, prompts))
                 if prompt.tail is not None]
        if tails:
            for _, sequence, _ in tails:
                self.place(sequence, 0)
            self.step([(s, np.array([tail], np.int32), logits[i:i + 1]) for i, s, tail in tails], True)
            for _, sequence, _ in tails:
                self.place(sequence, 1)
        return made, logits

    def place(self, sequence, position):
        with self.session.use() as handle:
            check(lib.nt_sequence_place(handle, sequence, position))

    def step(self, parts, padding=False):
        """parts: [(sequence, int32 ids [n], float32 [rows, V] or None)]: appends ids; logits are
        written of all of them, or of the last where there is one row; None: nothing is wanted.
        padding: the ids look at the sequences and leave them as they were."""
        items = ffi.new("nt_forward_item[]", len(parts))
        for item, (sequence, ids, rows) in zip(items, parts):
            item.size = ffi.sizeof("nt_forward_item")
            item.sequence, item.n_ids, item.padding = sequence, len(ids), padding
            item.ids = ffi.cast("int32_t *", ids.ctypes.data)
            item.want = lib.NT_WANT_NOTHING
            if rows is not None:
                item.want = lib.NT_WANT_LAST if len(rows) == 1 else lib.NT_WANT_ALL
                item.logits = ffi.cast("float *", rows.ctypes.data)
        with self.session.use() as handle, running() as callbacks:
            check(lib.nt_forward_many(handle, items, len(parts), callbacks))

    def close(self):
        """Drops what is left; the session goes on."""
        while self.open:
            self.drop(next(iter(self.open)))


class Runner:
    """R rows that grow by one id a step."""

    def __init__(self, model):
        self.stepper = Stepper(getattr(model, "_nextoken", model))
        self.rows = []

    def start(self, prompts, n):
        """n rows behind each Prompt: logits [len(prompts) n, V]."""
        stepper = self.stepper
        first, logits = stepper.begin(prompts)
        for sequence in first:
            self.rows += [sequence] + [stepper.fork(sequence) for _ in range(n - 1)]
        return np.repeat(logits, n, axis=0) if n > 1 else logits

    def step(self, tokens, live=None):
        """One id more a row: logits [R, V]. Rows that are not live stay behind, with zeros."""
        tokens = np.ascontiguousarray(tokens, np.int32)
        logits = np.empty((len(self.rows), self.stepper.V), np.float32)
        parts = []
        for r, sequence in enumerate(self.rows):
            if live is None or live[r]:
                parts.append((sequence, tokens[r:r + 1], logits[r:r + 1]))
            else:
                logits[r] = 0
        self.stepper.step(parts)
        return logits

    def reorder(self, parents):
        """Row r goes on from what was row parents[r]."""
        taken, old = set(), self.rows
        new = []
        for parent in parents:  # forks first: none has stepped yet
            new.append(self.stepper.fork(old[parent]) if parent in taken else old[parent])
            taken.add(parent)
        for r, sequence in enumerate(old):
            if r not in taken:
                self.stepper.drop(sequence)
        self.rows = new

    def close(self):
        self.stepper.close()
        self.rows = []
