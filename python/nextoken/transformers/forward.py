"""The forward pass of a batch, row by row without padding: ids, mask and positions in, logits, hidden
states and attentions out.

Letters: B rows, T positions of this call, S with those before, V vocabulary, D width, L blocks, H heads.
"""

import numpy as np

from ..library import check, ffi, lib, running

__all__ = ["Pass"]

EVERY = -1


def _floats(array, *at):
    """The address of array[at]."""
    return ffi.cast("float *", array.ctypes.data + sum(i * step for i, step in zip(at, array.strides)))


class _Part:
    """Ids of one row that go through the model in one piece: columns [begin, end)."""

    def __init__(self, b, begin, end, padding):
        self.b, self.begin, self.end, self.padding = b, begin, end, padding


class Pass:
    """One call. ids int32 [B, T], mask bool [B, T], positions int [B, T]; rows: of a cache, with what
    they hold in past bool [B, S - T].

    logits [B, keep, V]: of the last `keep` columns. hidden: "all", or "last" for what the head reads, as
    [L + 1 or 1, B, T, D]. attentions [L, B, H, T, S]. Columns of padding are as transformers computes them
    (with its usual attention, "sdpa"): they look at the text before them, if there is any, and nothing
    looks at them. Where nobody can say what they are they are zeros, and False in computed [B, T].
    """

    def __init__(self, session, rows, ids, mask, positions, past, keep, hidden=None, attentions=False,
                 padding="all"):
        self.session, self.rows, self.ids = session, rows, ids
        self.mask, self.positions, self.past = mask, positions, past
        B, T = ids.shape
        info = session.info
        self.padding = padding  # which is computed: "all", "behind" a text, "none"
        self.computed = np.ones((B, T), bool)
        self.first = T - keep  # the first column whose logits are wanted
        whole = mask.all()
        make = np.empty if whole else np.zeros
        self.logits = make((B, keep, info.n_vocab), np.float32)
        layers = {"all": info.n_layer + 1, "last": 1}.get(hidden)
        self.hidden = make((layers, B, T, info.n_embd), np.float32) if hidden else None
        self.attentions = None
        if attentions:
            self.attentions = np.zeros((info.n_layer, B, info.n_head, T, past.shape[1] + T), np.float32)
        parts = [self._parts(b) for b in range(B)]
        before = [len(row) for row in rows]
        try:
            for i in range(max(len(of) for of in parts)):
                self._run([of[i] for of in parts if i < len(of)])
        except BaseException:
            for row, length in zip(rows, before):
                if len(row) > length:
                    row.cut(length)
            raise

    def _parts(self, b):
        """A row in pieces: cut where padding begins and ends, where positions jump, and where logits
        begin to be wanted."""
        mask, positions, T = self.mask[b], self.positions[b], self.ids.shape[1]
        cuts = {0, T}
        if self.first < T - 1:  # the last alone can be had of a longer piece
            cuts.add(self.first)
        cuts.update(np.flatnonzero(mask[1:] != mask[:-1]) + 1)
        cuts.update(np.flatnonzero(np.diff(positions) != 1) + 1)
        edges, parts = sorted(cuts), []
        all_wanted = self.hidden is not None or self.attentions is not None
        for begin, end in zip(edges, edges[1:]):
            if mask[begin]:
                parts.append(_Part(b, begin, end, False))
            elif self._can_tell(b, begin) and (all_wanted or end > self.first):
                parts.append(_Part(b, begin, end, True))
            else:
                self.computed[b, begin:end] = False
        return parts

    def _can_tell(self, b, column):
        """Whether padding in this column has numbers."""
        behind = len(self.rows[b]) > 0 or self.mask[b, :column].any()
        known = self.padding == "all" or (self.padding == "behind" and behind)
        return known and self.positions[b, column] >= 0

    def _run(self, parts):
        """The i-th pieces of all rows at once."""
        session = self.session
        items = ffi.new("nt_forward_item[]", len(parts))
        for item, part in zip(items, parts):
            self._describe(item, part)
        captures, alive = self._captures(parts)
        with session.use() as handle, running() as callbacks:
            for part in parts:
                check(lib.nt_sequence_place(handle, self.rows[part.b].number,
                                            int(self.positions[part.b, part.begin])))
            if captures:
                check(lib.nt_session_set_captures(handle, captures, len(captures)))
            try:
                check(lib.nt_forward_many(handle, items, len(parts), callbacks))
            finally:
                if captures:
                    check(lib.nt_session_set_captures(handle, ffi.NULL, 0))
        for keep in alive:
            keep()
        for part in parts:
            if not part.padding:
                self.rows[part.b].feed(int(self.positions[part.b, part.begin]),
                                       self.ids[part.b, part.begin:part.end])

    def _describe(self, item, part):
        begin, end = part.begin, part.end
        item.size = ffi.sizeof("nt_forward_item")
        item.sequence = self.rows[part.b].number
        item.ids = ffi.cast("int32_t *", self.ids[part.b, begin:end].ctypes.data)
        item.n_ids = end - begin
        item.padding = part.padding
        if end <= self.first:
            item.want = lib.NT_WANT_NOTHING
            return
        item.want = lib.NT_WANT_ALL if begin >= self.first else lib.NT_WANT_LAST
        item.logits = _floats(self.logits, part.b, max(begin - self.first, 0))

    # ---- Hidden states and attentions ----

    def _captures(self, parts):
        """(nt_capture[], functions to call behind the pass)."""
        if self.hidden is None and self.attentions is None:
            return (), ()
        made, behind = [], []
        for part in parts:
            if self.hidden is not None:
                made += self._hidden_of(part)
            if self.attentions is not None:
                entries, scatter = self._attention_of(part)
                made += entries
                behind.append(scatter)
        captures = ffi.new("nt_capture[]", len(made))
        see = ffi.addressof(lib, "nt_keep")
        for capture, (point, kept) in zip(captures, made):
            capture.place.point = point
            capture.place.layer = capture.place.head = capture.place.position = EVERY
            capture.see = see
            capture.payload = kept
        behind.append(lambda: made)  # alive until then
        return captures, behind

    def _kept(self, part, data, per_layer, per_position, per_head=0):
        row = self.rows[part.b]
        return ffi.new("nt_keeper *", {"sequence": row.number, "first": len(row), "data": data,
                                     "per_layer": per_layer, "per_head": per_head,
                                     "per_position": per_position})

    def _hidden_of(self, part):
        """The embeddings, what each block gives, and over the last of these the final norm."""
        layers, B, T, D = self.hidden.shape
        at = (part.b, part.begin)
        last = (lib.NT_POINT_FINAL_NORM, self._kept(part, _floats(self.hidden, layers - 1, *at), 0, D))
        if layers == 1:
            return [last]
        return [(lib.NT_POINT_EMBEDDING, self._kept(part, _floats(self.hidden, 0, *at), 0, D)),
                (lib.NT_POINT_BLOCK_OUT, self._kept(part, _floats(self.hidden, 1, *at), B * T * D, D)),
                last]

    def _attention_of(self, part):
        """Straight into place where the columns that the row has read lie side by side, else through a
        block of its own."""
        L, B, H, T, S = self.attentions.shape
        read = np.concatenate([self.past[part.b], self.mask[part.b, :part.end]])
        columns = np.flatnonzero(read)
        if not len(columns):  # padding in front of everything
            return [], lambda: None
        if columns[-1] - columns[0] + 1 == len(columns):
            data = _floats(self.attentions, 0, part.b, 0, part.begin, int(columns[0]))
            kept = self._kept(part, data, B * H * T * S, S, T * S)
            return [(lib.NT_POINT_ATTENTION, kept)], lambda: None
        n = part.end - part.begin
        block = np.zeros((L, H, n, len(columns)), np.float32)
        kept = self._kept(part, _floats(block, 0, 0, 0, 0), H * n * len(columns), len(columns),
                          n * len(columns))

        def scatter():
            self.attentions[:, part.b, :, part.begin:part.end, columns] = np.moveaxis(block, 3, 0)

        return [(lib.NT_POINT_ATTENTION, kept)], scatter
