"""What files of weights hold, how two differ, and one text seen by two models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional, Tuple

from ..library import NULL, ffi, lib, string
from .base import Columns, Rows
from .scores import Totals
from .tokens import shown, token_bytes

if TYPE_CHECKING:
    import numpy

__all__ = ["DiffSum", "TensorDiff", "TensorInfo", "TensorsCompared", "Tensors", "Versus", "VersusToken"]

_DIFFERENCES = {lib.NT_DIFF_IDENTICAL: "identical", lib.NT_DIFF_EQUAL: "equal",
                lib.NT_DIFF_CHANGED: "changed", lib.NT_DIFF_SHAPE: "shape",
                lib.NT_DIFF_UNREAD: "unread", lib.NT_DIFF_ONLY_A: "only_a",
                lib.NT_DIFF_ONLY_B: "only_b"}


class TensorInfo(NamedTuple):
    """A tensor as its file has it. Statistics are of its finite numbers, NaN where there are none."""

    name: str                #: as the file has it
    plain: str               #: as Hugging Face calls it
    type: str                #: as it is stored: "F32", "Q8_0"
    shape: Tuple[int, ...]   #: slowest dimension first
    file: str
    numbers: int
    bytes: int
    counted: bool            #: there are statistics
    min: float
    max: float
    mean: float
    std: float
    rms: float
    norm: float
    zeros: int
    nan: int
    inf: int


def _info(c: Any) -> Optional[TensorInfo]:
    if c == NULL:
        return None
    return TensorInfo(string(c.name) or "", string(c.plain) or "", string(c.type) or "",
                      tuple(ffi.unpack(c.shape, c.n_dims)) if c.n_dims else (), string(c.file) or "",
                      c.n_numbers, c.n_bytes, c.counted, c.min, c.max, c.mean, c.std, c.rms, c.norm,
                      c.n_zeros, c.n_nan, c.n_inf)


class Tensors(Rows[TensorInfo]):
    """Every tensor of a checkpoint: a sequence of TensorInfo, in order of name."""

    kinds = (lib.NT_RESULT_TENSORS,)

    def _make(self) -> List[TensorInfo]:
        found = (_info(lib.nt_result_tensor_info(self.handle, i))
                 for i in range(lib.nt_result_n_tensor_infos(self.handle)))
        return [info for info in found if info is not None]

    def __getitem__(self, i: Any) -> Any:
        """The i-th, a slice, or the one of this name (as its file or as Hugging Face calls it)."""
        if not isinstance(i, str):
            return super().__getitem__(i)
        for info in self.rows:
            if i in (info.name, info.plain):
                return info
        raise KeyError(i)

    def _brief(self) -> str:
        return f"{len(self.rows)} tensors"


class TensorDiff(NamedTuple):
    """What became of a tensor; NaN where there is no such number."""

    name: str
    difference: str          #: "identical", "equal", "changed", "shape", "unread", "only_a", "only_b"
    a: Optional[TensorInfo]  #: without statistics; None: it has none
    b: Optional[TensorInfo]
    turned: bool             #: one is stored as [out, in], the other as [in, out]
    rows: int                #: of tables of other lengths so many were compared; 0: all
    compared: int            #: pairs of numbers
    changed: int
    not_finite: int
    max_abs: float
    rms: float
    relative: float
    cosine: float


class DiffSum(NamedTuple):
    """Tensors together: of a block ("h.0"), or of all ("")."""

    name: str
    tensors: int
    changed: int
    relative: float


class TensorsCompared(Rows[TensorDiff]):
    """What tensors of one checkpoint differ from another's: a sequence of TensorDiff."""

    kinds = (lib.NT_RESULT_DIFF,)

    def _make(self) -> List[TensorDiff]:
        made = []
        for i in range(lib.nt_result_n_tensor_diffs(self.handle)):
            c = lib.nt_result_tensor_diff(self.handle, i)
            made.append(TensorDiff(string(c.name) or "", _DIFFERENCES.get(c.difference, "?"), _info(c.a),
                                   _info(c.b), c.turned, c.n_rows, c.n_compared, c.n_changed,
                                   c.n_not_finite, c.max_abs, c.rms, c.relative, c.cosine))
        return made

    @property
    def changed(self) -> List[TensorDiff]:
        """Those whose numbers differ."""
        return [diff for diff in self.rows if diff.difference == "changed"]

    @property
    def sums(self) -> List[DiffSum]:
        """The sum of all, then blocks in order."""
        made = []
        for i in range(lib.nt_result_n_diff_sums(self.handle)):
            c = lib.nt_result_diff_sum(self.handle, i)
            made.append(DiffSum(string(c.name) or "", c.n_tensors, c.n_changed, c.relative))
        return made

    def _brief(self) -> str:
        return f"{len(self.changed)} of {len(self.rows)} tensors changed"


class VersusToken(NamedTuple):
    """A token given those before it, by a ([0]) and by b ([1])."""

    token: Optional[str]
    id: int
    logprob: Tuple[float, float]     #: -inf: processors took it out; NaN for a first token
    rank: Tuple[int, int]            #: 0 for a first token, and for one that is out
    entropy: Tuple[float, float]
    divergence: Tuple[float, float]  #: Kullback-Leibler from a to b, and from b to a
    likeliest: Tuple[Optional[str], Optional[str]]
    likeliest_ids: Tuple[int, int]
    likeliest_prob: Tuple[float, float]
    counted: bool

    @property
    def change(self) -> float:
        """By how much it is likelier for b, in nats."""
        return self.logprob[1] - self.logprob[0]


def _sums(c: Any) -> Totals:
    return Totals(c.logprob, c.loss, c.perplexity, c.n_counted, c.n_bytes, c.bits_per_byte,
                  c.loss_stderr, c.perplexity_stderr)


class Versus(Rows[VersusToken]):
    """One text seen by two: a sequence of VersusToken."""

    kinds = (lib.NT_RESULT_VERSUS,)

    def _make(self) -> List[VersusToken]:
        made = []
        for i in range(lib.nt_result_n_tokens(self.handle)):
            c, t = lib.nt_result_versus(self.handle, i), lib.nt_result_token(self.handle, i)
            made.append(VersusToken(
                shown(token_bytes(t)), t.id, tuple(c.logprob), tuple(c.rank), tuple(c.entropy),
                tuple(c.divergence), (shown(token_bytes(c.likeliest[0])), shown(token_bytes(c.likeliest[1]))),
                tuple(c.likeliest[k].id for k in (0, 1)), tuple(c.likeliest_prob), c.counted))
        return made

    def _totals(self) -> Any:
        return lib.nt_result_versus_totals(self.handle)

    @property
    def labels(self) -> Tuple[str, str]:
        c = self._totals()
        return string(c.label[0]) or "", string(c.label[1]) or ""

    @property
    def totals(self) -> Tuple[Totals, Totals]:
        """The sums of a, and of b."""
        c = self._totals()
        return _sums(c.side[0]), _sums(c.side[1])

    @property
    def divergence(self) -> Tuple[float, float]:
        """Means over the counted tokens where they are finite, from a to b and from b to a, in nats."""
        c = self._totals()
        return c.divergence[0], c.divergence[1]

    @property
    def flips(self) -> int:
        """Counted tokens before which another id is the likeliest."""
        return int(self._totals().n_flips)

    @property
    def agreement(self) -> float:
        """Share of the counted tokens before which it is the same."""
        return float(self._totals().agreement)

    @property
    def logprobs(self) -> "numpy.ndarray":
        """float64 [n, 2]: a's and b's, in nats."""
        import numpy as np

        return np.array([token.logprob for token in self.rows], "float64").reshape(-1, 2)

    def columns(self) -> Columns:
        """index, id, token, then logprob, rank, entropy, divergence and likeliest of a and b, counted."""
        rows = self.rows
        made: Columns = {"index": list(range(len(rows))), "id": [t.id for t in rows],
                         "token": [t.token for t in rows]}
        for name in ("logprob", "rank", "entropy", "divergence", "likeliest"):
            for k, side in enumerate("ab"):
                made[f"{name}_{side}"] = [getattr(t, name)[k] for t in rows]
        for side in "ab":
            made["rank_" + side] = [rank or None for rank in made["rank_" + side]]
        made["counted"] = [t.counted for t in rows]
        return made

    def _brief(self) -> str:
        a, b = self.totals
        return (f"{a.counted} tokens, log-probability {a.logprob:.3f} and {b.logprob:.3f}")
