"""How likely a text is: token by token, by word and character, as endings compared, of a whole file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from ..library import NULL, ffi, lib, string
from .base import Columns, Result, Rows, frame, one_of
from .choices import choices_of
from .tokens import Candidate, shown, token_bytes

if TYPE_CHECKING:
    import numpy
    import pandas

__all__ = ["Char", "Continuation", "Continuations", "Perplexity", "Score", "ScoredToken", "Totals",
           "Word"]

_BY = {"text": lib.NT_BY_TEXT, "token": lib.NT_BY_TOKEN, "word": lib.NT_BY_WORD, "char": lib.NT_BY_CHAR}


class ScoredToken(NamedTuple):
    """One token of a text, given those before it."""

    token: Optional[str]    #: as text; None where the model has no tokenizer
    id: int
    logprob: float          #: in nats; NaN for a first token that has nothing before it
    rank: int               #: 1 + how many ids were likelier; 0 for such a first token
    entropy: float          #: in nats, of the distribution that it was drawn from
    counted: bool           #: part of the sums
    start: int              #: where it stands in the text, in bytes, [start, end)
    end: int
    bytes: Optional[bytes]

    @property
    def surprisal(self) -> float:
        """-logprob, in nats."""
        return -self.logprob

    @property
    def prob(self) -> float:
        return math.exp(self.logprob)


class Word(NamedTuple):
    """A word of a text, without the white space around it."""

    text: str
    surprisal: float            #: of its tokens, in nats; NaN where one has nothing before it
    surprisal_corrected: float  #: for the boundaries of words (docs/scoring.md)
    counted: bool               #: each of its tokens is part of the sums
    first: int                  #: its first token,
    n_tokens: int               #: and how many
    start: int                  #: where it stands in the text, in bytes, [start, end)
    end: int


class Char(NamedTuple):
    """A character of a text."""

    text: str
    surprisal: float            #: in nats
    start: int                  #: where it stands in the text, in bytes, [start, end)
    end: int


class Totals(NamedTuple):
    """The sums over what is counted, in nats."""

    logprob: float
    loss: float                 #: -logprob / counted
    perplexity: float           #: e to the loss
    counted: int                #: tokens
    bytes: int                  #: of these tokens
    bits_per_byte: float
    loss_stderr: float          #: tokens taken as independent
    perplexity_stderr: float


def totals(handle: Any) -> Totals:
    c = lib.nt_result_totals(handle)
    if c == NULL:
        nan = math.nan
        return Totals(nan, nan, nan, 0, 0, nan, nan, nan)
    return Totals(c.logprob, c.loss, c.perplexity, c.n_counted, c.n_bytes, c.bits_per_byte,
                  c.loss_stderr, c.perplexity_stderr)


def _scored(token: Any, c: Any) -> ScoredToken:
    raw = token_bytes(token)
    return ScoredToken(shown(raw), token.id, c.logprob, c.rank, c.entropy, c.counted, token.start,
                       token.end, raw)


class Score(Rows[ScoredToken]):
    """How likely a text is: a sequence of ScoredToken, with sums over those that count."""

    kinds = (lib.NT_RESULT_SCORE,)
    _by: Tuple[str, ...] = ()  # as the job was told; (): not known

    def _make(self) -> List[ScoredToken]:
        if lib.nt_result_scored(self.handle, 0) == NULL:
            return []
        return [_scored(lib.nt_result_token(self.handle, i), lib.nt_result_scored(self.handle, i))
                for i in range(lib.nt_result_n_tokens(self.handle))]

    @property
    def totals(self) -> Totals:
        """All sums."""
        return totals(self.handle)

    @property
    def logprob(self) -> float:
        """The sum over the counted tokens, in nats."""
        return self.totals.logprob

    @property
    def loss(self) -> float:
        """-logprob / counted, in nats; NaN when nothing is counted."""
        return self.totals.loss

    @property
    def perplexity(self) -> float:
        """e to the loss."""
        return self.totals.perplexity

    @property
    def bits_per_byte(self) -> float:
        """-logprob in bits / bytes: comparable between tokenizers."""
        return self.totals.bits_per_byte

    @property
    def counted(self) -> int:
        """Tokens in the sums."""
        return self.totals.counted

    @property
    def tokens(self) -> List[Optional[str]]:
        """The tokens' texts, [n]."""
        return [token.token for token in self.rows]

    @property
    def ids(self) -> List[int]:
        """The tokens' ids, [n]."""
        return [token.id for token in self.rows]

    def _array(self, name: str, kind: str) -> "numpy.ndarray":
        import numpy as np

        return np.array([getattr(token, name) for token in self.rows], kind)

    @property
    def logprobs(self) -> "numpy.ndarray":
        """float64 [n], in nats; the first is NaN where nothing stood before it."""
        return self._array("logprob", "float64")

    @property
    def surprisals(self) -> "numpy.ndarray":
        """-logprobs: float64 [n], in nats."""
        return -self.logprobs

    @property
    def ranks(self) -> "numpy.ndarray":
        """int64 [n]; 1: no id was likelier."""
        return self._array("rank", "int64")

    @property
    def entropies(self) -> "numpy.ndarray":
        """float64 [n], in nats."""
        return self._array("entropy", "float64")

    @property
    def words(self) -> List[Word]:
        """The words, where by="word" asked for them."""
        return [Word(shown(ffi.buffer(c.bytes, c.n_bytes)[:]) or "", -c.logprob, -c.corrected, c.counted,
                     c.first, c.n_tokens, c.start, c.end) for c in self._units("word")]

    @property
    def chars(self) -> List[Char]:
        """The characters, where by="char" asked for them."""
        return [Char(shown(ffi.buffer(c.bytes, c.n_bytes)[:]) or "", -c.logprob, c.start, c.end)
                for c in self._units("char")]

    def _units(self, by: str) -> List[Any]:
        kind = _BY[by]
        return [lib.nt_result_unit(self.handle, kind, i)
                for i in range(lib.nt_result_n_units(self.handle, kind))]

    @property
    def alternatives(self) -> List[Tuple[Candidate, ...]]:
        """The likeliest ids in place of each token, where k= asked for them; none for a first token."""
        return [choices_of(self.handle, i, lib.nt_result_n_candidates, lib.nt_result_candidate)
                for i in range(lib.nt_result_n_steps(self.handle))]

    def columns(self, by: Optional[str] = None) -> Columns:
        """The rows of to_csv(): of the finest unit that was asked for, or of this one: "token" (index,
        id, token, logprob, rank, entropy, counted), "word", "char", "text" (the sums)."""
        if by is not None:
            one_of(_BY, by, "by")
        if by is None:
            by = "char" if self._units("char") else "word" if self._units("word") else \
                "token" if self._by_token() else "text"
        makers = {"token": self._by_tokens, "word": self._by_words, "char": self._by_chars,
                  "text": self._by_text}
        return makers[by]()

    def _by_token(self) -> bool:
        return "token" in self._by if self._by else "logprobs" in self.to_dict()

    def _by_tokens(self) -> Columns:
        rows = self.rows
        made: Columns = {"index": list(range(len(rows)))}
        for name in ("id", "token", "logprob", "rank", "entropy", "counted"):
            made[name] = [getattr(token, name) for token in rows]
        made["rank"] = [rank or None for rank in made["rank"]]
        return made

    def _by_words(self) -> Columns:
        words = self.words
        made: Columns = {"index": list(range(len(words))), "word": [word.text for word in words]}
        for name in ("start", "end", "first", "n_tokens", "surprisal", "surprisal_corrected", "counted"):
            made[name] = [getattr(word, name) for word in words]
        return made

    def _by_chars(self) -> Columns:
        chars = self.chars
        made: Columns = {"index": list(range(len(chars))), "char": [c.text for c in chars]}
        for name in ("start", "end", "surprisal"):
            made[name] = [getattr(c, name) for c in chars]
        return made

    def _by_text(self) -> Columns:
        sums = self.totals
        return {"n_tokens": [lib.nt_result_n_tokens(self.handle)], "counted": [sums.counted],
                "logprob": [sums.logprob], "loss": [sums.loss], "perplexity": [sums.perplexity],
                "bits_per_byte": [sums.bits_per_byte]}

    def to_pandas(self, by: Optional[str] = None) -> "pandas.DataFrame":
        """A row a token, word or character: of the finest unit that was asked for, or of this one;
        by="text": the sums in one row."""
        return frame(self.columns(by))

    def heat(self, measure: str = "surprisal", **options: Any) -> str:
        """The text with a figure for each token's class behind it, and the classes under it; with
        color=True on coloured grounds. measure: "probability", "rank", "surprisal", "entropy"."""
        return self.table(heat=measure, **options)

    def _brief(self) -> str:
        sums = self.totals
        return (f"{sums.counted} tokens, log-probability {sums.logprob:.3f}, "
                f"perplexity {sums.perplexity:.2f}")


class Continuation(NamedTuple):
    """One of the endings that were compared."""

    text: str
    logprob: float              #: the sum, in nats
    share: float                #: of the probability of all given endings
    place: int                  #: 1: the likeliest
    greedy: bool                #: each of its tokens is the likeliest at its place
    logprob_per_byte: float
    tokens: Tuple[ScoredToken, ...]

    @property
    def ids(self) -> List[int]:
        return [token.id for token in self.tokens]


class Continuations(Rows[Continuation]):
    """Endings of a text compared: a sequence of Continuation, in the order given."""

    kinds = (lib.NT_RESULT_CONTINUATIONS,)

    def _make(self) -> List[Continuation]:
        made = []
        for i in range(lib.nt_result_n_continuations(self.handle)):
            c = lib.nt_result_continuation(self.handle, i)
            made.append(Continuation(string(c.text) or "", c.logprob, c.share, c.place, c.greedy,
                                     c.per_byte, tuple(_scored(c.tokens[t], c.scored[t])
                                                       for t in range(c.n_tokens))))
        return made

    @property
    def best(self) -> Continuation:
        """The likeliest."""
        return min(self.rows, key=lambda c: c.place)

    def columns(self) -> Columns:
        """index, text, ids (with blanks between them), n_tokens, logprob, logprob_per_byte, share,
        place, greedy."""
        rows = self.rows
        made: Columns = {"index": list(range(len(rows))), "text": [c.text for c in rows],
                         "ids": [" ".join(map(str, c.ids)) for c in rows],
                         "n_tokens": [len(c.tokens) for c in rows]}
        for name in ("logprob", "logprob_per_byte", "share", "place", "greedy"):
            made[name] = [getattr(c, name) for c in rows]
        return made

    def _brief(self) -> str:
        return ", ".join(f"{c.text!r} {100 * c.share:.2f} %" for c in self.rows[:4])


class Perplexity(Result):
    """Perplexity of a text of any length, by strided windows."""

    kinds = (lib.NT_RESULT_PERPLEXITY,)

    @property
    def totals(self) -> Totals:
        """All sums."""
        return totals(self.handle)

    @property
    def perplexity(self) -> float:
        return self.totals.perplexity

    @property
    def stderr(self) -> float:
        """The standard error of perplexity, tokens taken as independent."""
        return self.totals.perplexity_stderr

    @property
    def loss(self) -> float:
        """In nats a token."""
        return self.totals.loss

    @property
    def loss_stderr(self) -> float:
        return self.totals.loss_stderr

    @property
    def logprob(self) -> float:
        """The sum over the counted tokens, in nats."""
        return self.totals.logprob

    @property
    def counted(self) -> int:
        """Tokens in the sums."""
        return self.totals.counted

    @property
    def bits_per_byte(self) -> float:
        return self.totals.bits_per_byte

    def _said(self, name: str) -> Any:
        said: Dict[str, Any] = self.to_dict()
        return said[name]

    @property
    def tokens(self) -> int:
        """Of the whole text."""
        return int(self._said("tokens"))

    @property
    def window(self) -> int:
        """Positions that a window has."""
        return int(self._said("window"))

    @property
    def stride(self) -> int:
        """How far apart windows begin."""
        return int(self._said("stride"))

    @property
    def windows(self) -> int:
        return int(self._said("windows"))

    @property
    def as_transformers(self) -> float:
        """What the stride recipe of transformers' documentation gives for the same windows."""
        value = self._said("perplexity_as_transformers")
        return math.nan if value is None else float(value)

    def __float__(self) -> float:
        return self.perplexity

    def _brief(self) -> str:
        sums = self.totals
        return f"{sums.perplexity:.4f} ± {sums.perplexity_stderr:.4f}, {sums.counted} tokens"
