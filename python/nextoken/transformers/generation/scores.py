"""The steps of a generation, each [R, V], computed when they are looked at.

A generation keeps its ids and nothing of the scores that led to them. A Steps is a tuple with one
tensor a step whose numbers the model computes again: a block of neighbouring steps in one pass, so that
torch.stack(outputs.scores) costs about one forward pass over the text, and what is not looked at costs
nothing. Every function of torch and NumPy that takes a list of tensors takes it.

Letters: B prompts, R rows (B times beams, or times returned sequences), V vocabulary.
"""

import threading
import weakref

import numpy as np

from .rows import to_tensor
from .runner import Stepper

__all__ = ["Replay", "Steps"]

BLOCK = 32 << 20  #: bytes of logits that are computed at once, at least one step


class Replay:
    """Runs the model again along the rows of a search: raw logits of any step.

    prompts: B of runner.Prompt. tokens [n, R]: the id that row r got before step 1 + i;
    parents [n, R]: the row that it came from, of the same prompt; None: from row r.
    """

    def __init__(self, model, prompts, n_rows, tokens, parents=None):
        self.model, self.prompts, self.n = model, prompts, n_rows
        self.tokens = np.ascontiguousarray(tokens, np.int32).reshape(-1, len(prompts) * n_rows)
        rows = np.arange(len(prompts) * n_rows)
        self.parents = np.broadcast_to(rows, self.tokens.shape) if parents is None else \
            np.asarray(parents).reshape(self.tokens.shape)
        self.steps = len(self.tokens) + 1
        self.lock = threading.RLock()
        self.block, self.first = [], 0  # the rows of steps first, first + 1, ...
        self._reset()

    def _reset(self):
        self.stepper, self.ends, self.at = None, None, 0

    def __getstate__(self):
        raise TypeError("steps that the model computes when they are looked at cannot be pickled: "
                        "make a tuple() of them first")

    def close(self):
        """Lets the model's sequences go."""
        with self.lock:
            stepper = self.stepper
            self._reset()
            if stepper is not None:
                stepper.close()

    def paths(self, t):
        """The new ids of every row before step t: [R, t]."""
        row = np.arange(self.tokens.shape[1])
        out = np.empty((len(row), t), np.int64)
        for i in range(t - 1, -1, -1):
            out[:, i] = self.tokens[i][row]
            row = self.parents[i][row]
        return out

    def logits(self, t):
        """Those of step t: float32 [R, V], good until another step is asked for."""
        with self.lock:
            if not self.first <= t < self.first + len(self.block):
                self._compute(t)
            return self.block[t - self.first]

    def _compute(self, t):
        """The block that step t is in; it runs on from the block before where that came last."""
        size = max(1, BLOCK // (4 * self.model.info.n_vocab * self.tokens.shape[1]))
        first = t - t % size
        if self.stepper is None or first != self.at:
            self.close()
            self._begin(first)
        last = min(self.steps, first + size)
        self.block, self.first = self._run(first, last), first
        self.at = last
        if last == self.steps:
            self.close()

    def _begin(self, t):
        """Sequences that hold all before the ids of step t."""
        from ...session import Session

        self.stepper = stepper = Stepper(self.model, Session(self.model))
        roots, self.prompt_logits = stepper.begin(self.prompts)
        self.ends = {("prompt", b): s for b, s in enumerate(roots)}
        if t > 1:  # the ways to the rows before step t, without their logits
            ways = self.paths(t - 1).astype(np.int32)
            ends = [stepper.fork(roots[r // self.n]) for r in range(len(ways))]
            stepper.step([(s, np.ascontiguousarray(way), None) for s, way in zip(ends, ways)])
            for root in roots:
                stepper.drop(root)
            self.ends = dict(enumerate(ends))

    def _run(self, first, last):
        """Rows of steps [first, last), and `ends` moved on to them."""
        out = []
        if first == 0:
            out.append(np.repeat(self.prompt_logits, self.n, axis=0))
            first = 1
        if first < last:
            out += _Chains(self, first, last).run()
        return out


class _Chains:
    """Steps [first, last) of all rows as chains of ids without a fork in them: each chain is one part
    of one pass, and where rows part the longest goes on in its parent's chain."""

    def __init__(self, replay, first, last):
        self.replay, self.first, self.last = replay, first, last
        self.stepper = replay.stepper
        R = replay.tokens.shape[1]
        self.children = {}  # (t, row) -> rows of step t + 1 that come from it
        self.height = np.ones((last - first, R), int)
        for t in range(last - 1, first - 1, -1):
            for r in range(R):
                parent = self._parent(t, r)
                self.children.setdefault(parent, []).append((t, r))
                if t > first:
                    above = self.height[t - first - 1]
                    above[parent[1]] = max(above[parent[1]], self.height[t - first, r] + 1)

    def _parent(self, t, r):
        return t - 1, int(self.replay.parents[t - 1][r])

    def _heavy(self, node):
        """The children of a node, the one with the longest way first."""
        return sorted(self.children.get(node, ()), key=lambda c: -self.height[c[0] - self.first, c[1]])

    def _roots(self):
        """[(node, the sequence that it goes on from, whether it may take that over)] of the first
        step; what nothing goes on from is dropped."""
        begun, replay = [], self.replay
        if ("prompt", 0) in replay.ends:
            for b in range(len(replay.prompts)):
                rows = [c for r in range(b * replay.n, (b + 1) * replay.n)
                        for c in self.children.get((self.first - 1, r), ())]
                rows.sort(key=lambda c: -self.height[c[0] - self.first, c[1]])
                begun += [(c, replay.ends["prompt", b], i == 0) for i, c in enumerate(rows)]
            return begun
        for r, sequence in replay.ends.items():
            heavy = self._heavy((self.first - 1, r))
            if not heavy:
                self.stepper.drop(sequence)
            begun += [(c, sequence, i == 0) for i, c in enumerate(heavy)]
        return begun

    def run(self):
        """[last - first] arrays [R, V]."""
        replay, stepper = self.replay, self.stepper
        rows = [[None] * replay.tokens.shape[1] for _ in range(self.last - self.first)]
        ends, waiting = {}, []
        for node, sequence, own in sorted(self._roots(), key=lambda root: root[2]):
            waiting.append((node, sequence if own else stepper.fork(sequence)))
        while waiting:
            parts, made = [], []
            for node, sequence in waiting:
                chain = [node]
                while self.children.get(chain[-1]):
                    chain.append(self._heavy(chain[-1])[0])
                ids = np.array([replay.tokens[t - 1][r] for t, r in chain], np.int32)
                logits = np.empty((len(chain), stepper.V), np.float32)
                parts.append((sequence, ids, logits))
                made.append((chain, sequence, logits))
            stepper.step(parts)
            waiting = self._branch(made, rows, ends)
        replay.ends = ends
        return [np.stack(step) for step in rows]

    def _branch(self, made, rows, ends):
        """Keeps what the chains gave, and forks what leaves them on the way."""
        waiting, stepper = [], self.stepper
        for chain, sequence, logits in made:
            for i, node in enumerate(chain):
                rows[node[0] - self.first][node[1]] = logits[i]
                for child in self._heavy(node)[1:]:
                    fork = stepper.fork(sequence)
                    stepper.cut(fork, stepper.length(sequence) - (len(chain) - 1 - i))
                    waiting.append((child, fork))
            if chain[-1][0] == self.last - 1:
                ends[chain[-1][1]] = sequence
            else:
                stepper.drop(sequence)
        return waiting


# ---- What the caller sees ----------------------------------------------------------------------


class _Step:
    """Stands for a step where C code looks into the tuple itself, as torch.stack does: torch asks it
    for the function, and NumPy for the array."""

    __slots__ = ("steps", "t")

    def __init__(self, t):
        self.t = t

    def value(self):
        return self.steps[self.t]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value(), dtype)

    def __getattr__(self, name):
        return getattr(self.value(), name)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return function(*_real(args), **_real(kwargs or {}))


def _real(value):
    """Steps as tensors, wherever they stand in arguments."""
    if isinstance(value, _Step):
        return value.value()
    if isinstance(value, dict):
        return {key: _real(item) for key, item in value.items()}
    if isinstance(value, Steps) or type(value) in (tuple, list):
        return type(value)(map(_real, value)) if type(value) is list else tuple(map(_real, value))
    return value


class Steps(tuple):
    """A tuple of the steps' tensors [R, V], computed when they are looked at."""

    def __new__(cls, n, compute, torch):
        """compute(t): the array of step t, the caller's own. torch: the module; None: NumPy's arrays."""
        self = super().__new__(cls, map(_Step, range(n)))
        for t in range(n):
            tuple.__getitem__(self, t).steps = self
        self._compute, self._torch = compute, torch
        self._alive = weakref.WeakValueDictionary()  # steps that somebody holds
        return self

    def __getitem__(self, t):
        if isinstance(t, slice):
            return tuple(self[i] for i in range(*t.indices(len(self))))
        t = range(len(self))[t]
        step = self._alive.get(t)
        if step is None:
            step = self._alive[t] = to_tensor(self._compute(t), self._torch)
        return step

    def __iter__(self):
        return (self[t] for t in range(len(self)))

    def __reversed__(self):
        return (self[t] for t in range(len(self) - 1, -1, -1))

    def __add__(self, other):
        return tuple(self) + tuple(other)

    def __radd__(self, other):
        return tuple(other) + tuple(self)

    def __mul__(self, n):
        return tuple(self) * n

    __rmul__ = __mul__

    def __array__(self, dtype=None, copy=None):
        return np.stack([np.asarray(step) for step in self]).astype(dtype or np.float32, copy=False)

    def __reduce__(self):
        return tuple, (list(self),)

    def __deepcopy__(self, memo):
        return self  # nobody can change it

    def __copy__(self):
        return self

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    __hash__ = object.__hash__

    def __repr__(self):
        return f"<{len(self)} steps, computed when they are looked at>"
