"""What tables of choices are made of: tokens, and candidates with what processors did to them."""

from __future__ import annotations

import math
from typing import Any, List, NamedTuple, Optional, Tuple

from ..library import ffi, string

__all__ = ["Candidate", "Change", "Token"]


class Token(NamedTuple):
    """One token. `text` is None where a model comes without a tokenizer."""

    text: Optional[str]     #: its bytes as text; half a character is U+FFFD
    id: int
    bytes: Optional[bytes]  #: its own bytes; a special token's are its name
    start: int              #: where it stands in the text, in bytes, [start, end);
    end: int                #: 0, 0 where that is not known


class Change(NamedTuple):
    """What one option did to a candidate's logit."""

    option: str    #: "repetition_penalty"
    before: float
    after: float   #: -inf: it took the candidate out


class Candidate(NamedTuple):
    """A token that stood to choose. `prob`, `logprob` and `logit` are the model's own; the processed
    ones are what options made of them, and equal to them where nothing was done."""

    token: Optional[str]    #: as text; None where the model has no tokenizer
    id: int
    rank: int               #: 1 is the likeliest, by prob
    prob: float
    logprob: float
    logit: float
    processed_prob: float
    processed_logit: float  #: of beam search a log-probability
    changes: Tuple[Change, ...]
    bytes: Optional[bytes]

    @property
    def removed_by(self) -> Optional[str]:
        """The option that took the candidate out; None: it could be chosen."""
        gone = [change.option for change in self.changes if change.after == -math.inf]
        return gone[0] if gone else None


def token_bytes(token: Any) -> Optional[bytes]:
    return ffi.buffer(token.bytes, token.n_bytes)[:] if token.n_bytes else None


def shown(raw: Optional[bytes]) -> Optional[str]:
    return None if raw is None else raw.decode("utf-8", "replace")


def token(c: Any) -> Token:
    raw = token_bytes(c)
    return Token(shown(raw), c.id, raw, c.start, c.end)


def tokens(result: Any, n: Any, at: Any) -> List[Token]:
    return [token(at(result, i)) for i in range(n(result))]


def candidate(c: Any) -> Candidate:
    raw = token_bytes(c.token)
    changes = tuple(Change(string(c.changes[i].option) or "", c.changes[i].before, c.changes[i].after)
                    for i in range(c.n_changes))
    return Candidate(shown(raw), c.token.id, c.rank, c.prob, c.logprob, c.logit, c.processed_prob,
                     c.processed_logit, changes, raw)
