"""What was generated: the outputs, each step on the way, and every beam that was looked at."""

from __future__ import annotations

import math
from typing import Any, List, NamedTuple, Optional

from ..library import NULL, ffi, lib, string
from .base import Columns, Rows
from .choices import Step, choices_of, read_step, read_steps
from .tokens import Candidate, Token, candidate

__all__ = ["Beam", "Effort", "Generation", "Output", "Proof"]

_FATES = {lib.NT_FATE_RUNNING: "running", lib.NT_FATE_OUTPUT: "output", lib.NT_FATE_PRUNED: "pruned",
          lib.NT_FATE_LATE: "late", lib.NT_FATE_BEATEN: "beaten", lib.NT_FATE_UNPROVED: "unproved"}


class Output(NamedTuple):
    """One sequence that was generated."""

    text: str              #: of the new tokens; ends before a stop string, special tokens left out
    ids: List[int]         #: the new ones; EOS and the token that ended a stop string are in
    logprob: float         #: the sum of the ids' own log-probabilities
    score: float           #: of beams: transformers' sequences_scores; NaN where there is none
    finish_reason: str     #: "stop", "length", "stop_string", "time" or "callback"
    beam: Optional[int]    #: the last of its beams in Generation.beams

    def __str__(self) -> str:
        return self.text


class Beam(NamedTuple):
    """One token of one beam, or of one prefix of an exact search."""

    parent: Optional[int]  #: the beam that it continues; None: the prompt
    step: int              #: 0 is the first new token
    token: Candidate
    sum: float             #: of processed log-probabilities from the first new token on
    score: float           #: of one that ended; NaN elsewhere
    place: int             #: among its step's candidates, 0 first
    slot: Optional[int]    #: its place among the running beams; None: it is not one
    fate: str              #: "running", "output", "pruned", "late", "beaten" or "unproved"
    finish_reason: str     #: of one that ended; "" elsewhere
    row: Optional[int]     #: what stood to choose behind it, in Generation.beam_steps


class Effort(NamedTuple):
    """What decoding took."""

    passes: int            #: calls of the model
    rows: int              #: rows of logits that it gave
    drafted: int           #: tokens that an assistant proposed,
    accepted: int          #: and that were taken
    milliseconds: float    #: the prompt included


class Proof(NamedTuple):
    """What an exact search knows in the end; log-probabilities are processed ones."""

    proved: bool           #: nothing outside the outputs is likelier
    gap: float             #: nats that something not looked at may be ahead; 0 when proved
    bound: float           #: log-probability that nothing not looked at can pass
    limit: str             #: what ended it early, "" when proved
    horizon: int           #: new tokens at most
    nodes: int             #: prefixes looked at
    greedy: float          #: log-probability of what greedy decoding writes
    beams: float           #: of the likeliest that a beam search finds
    num_beams: int         #: with so many beams
    min_probability: float  #: that was asked for; 0: the likeliest were


def _beam(c: Any) -> Beam:
    return Beam(None if c.parent < 0 else c.parent, c.index, candidate(c.token), c.sum, c.score, c.place,
                None if c.slot < 0 else c.slot, _FATES.get(c.fate, "?"), string(c.finish_reason) or "",
                None if c.row < 0 else c.row)


class Generation(Rows[Output]):
    """What was generated: a sequence of Output, the best or first one in front."""

    kinds = (lib.NT_RESULT_GENERATE,)

    def _make(self) -> List[Output]:
        made = []
        for i in range(lib.nt_result_n_outputs(self.handle)):
            c = lib.nt_result_output(self.handle, i)
            made.append(Output(string(c.text, c.n_text) or "", list(ffi.unpack(c.ids, c.n_ids)),
                               c.logprob, c.score, string(c.finish_reason) or "",
                               None if c.beam < 0 else c.beam))
        return made

    @property
    def text(self) -> str:
        """The first output's text, without the prompt."""
        return self.rows[0].text if self.rows else ""

    @property
    def texts(self) -> List[str]:
        """All outputs' texts."""
        return [output.text for output in self.rows]

    @property
    def ids(self) -> List[int]:
        """The first output's new ids."""
        return self.rows[0].ids if self.rows else []

    @property
    def logprob(self) -> float:
        """The first output's log-probability; NaN where nothing came out."""
        return self.rows[0].logprob if self.rows else math.nan

    @property
    def finish_reason(self) -> str:
        """Why the first output ended."""
        return self.rows[0].finish_reason if self.rows else ""

    @property
    def prompt_tokens(self) -> List[Token]:
        """The prompt's tokens."""
        return self._tokens()

    @property
    def prompt_ids(self) -> List[int]:
        """The prompt's ids."""
        return [token.id for token in self._tokens()]

    @property
    def method(self) -> str:
        """How it was decoded: "greedy", "sample", "best_of", "beam_search", "beam_sample", "assisted",
        "prompt_lookup" or "exact"."""
        return self._method()

    @property
    def seed(self) -> Optional[int]:
        """That of the draws; None: nothing was drawn."""
        return self._seed()

    @property
    def steps(self) -> List[Step]:
        """What stood to choose at each step on the way to the outputs, output after output."""
        return read_steps(self.handle, self._tokens())

    @property
    def beams(self) -> List[Beam]:
        """Every token that a search with beams, or an exact one, looked at."""
        return [_beam(lib.nt_result_beam(self.handle, i))
                for i in range(lib.nt_result_n_beams(self.handle))]

    @property
    def beam_steps(self) -> List[Step]:
        """What stood to choose wherever beams went on; the first is the prompt's."""
        made = []
        for i in range(lib.nt_result_n_rows(self.handle)):
            made.append(read_step(
                lib.nt_result_row(self.handle, i), "",
                choices_of(self.handle, i, lib.nt_result_n_row_candidates, lib.nt_result_row_candidate),
                choices_of(self.handle, i, lib.nt_result_n_row_demoted, lib.nt_result_row_demoted)))
        return made

    def beam_indices(self, i: int = 0) -> List[int]:
        """transformers' beam_indices of output i: for each token the slot of the beam that it
        continued."""
        indices: List[int] = self.to_dict()["sequences"][i].get("beam_indices", [])
        return indices

    @property
    def effort(self) -> Optional[Effort]:
        """What decoding took."""
        c = lib.nt_result_effort(self.handle)
        if c == NULL:
            return None
        return Effort(c.n_passes, c.n_rows, c.n_drafted, c.n_accepted, c.milliseconds)

    @property
    def proof(self) -> Optional[Proof]:
        """Of an exact search; None elsewhere."""
        c = lib.nt_result_proof(self.handle)
        if c == NULL:
            return None
        return Proof(c.proved, c.gap, c.bound, string(c.limit) or "", c.horizon, c.n_nodes, c.greedy,
                     c.beams, c.n_beams, c.min_probability)

    def tree(self, detail: str = "auto", **options: Any) -> str:
        """The tree of a search with beams as text: print(m.generate(text, num_beams=3).tree()). detail:
        "outputs" the ways to them, "kept" every beam too, "beams" what was pruned too, "all"."""
        lines = self.table(tree=detail, text_shown=True, **dict({"lasting": True}, **options)).split("\n")
        heads = [i for i, line in enumerate(lines) if line.startswith("tree ") and "probability" in line]
        return "\n".join(lines[heads[-1]:] if heads else lines)

    def columns(self) -> Columns:
        """sequence, ids (with blanks between them), text, logprob, finish_reason, score."""
        return {"sequence": list(range(len(self.rows))),
                "ids": [" ".join(map(str, output.ids)) for output in self.rows],
                "text": self.texts,
                "logprob": [output.logprob for output in self.rows],
                "finish_reason": [output.finish_reason for output in self.rows],
                "score": [output.score for output in self.rows]}

    def _brief(self) -> str:
        n = len(self.rows)
        return f"{self.method}, {n} {'text' if n == 1 else 'texts'}: {self.text!r}"


