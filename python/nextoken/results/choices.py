"""Next tokens, and the table of choices step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from ..library import NULL, ffi, lib
from .base import Columns, Rows, frame
from .tokens import Candidate, Token, candidate, shown

if TYPE_CHECKING:
    import numpy
    import pandas

__all__ = ["Next", "Step", "Steps"]


class Step(NamedTuple):
    """What stood to choose for one new token."""

    sequence: int                    #: the output that it belongs to
    step: int                        #: 0 is the first new token
    input: str                       #: the text so far
    chosen: Optional[Candidate]      #: None where nothing was chosen
    choices: Tuple[Candidate, ...]   #: the likeliest after processors
    demoted: Tuple[Candidate, ...]   #: the model's own likeliest that processors took from among them
    kept: int                        #: ids that could still be chosen
    entropy: float                   #: of the model's own distribution, in nats
    draw: Optional[float]            #: the number in [0, 1) that chose; None: nothing was drawn
    drafted: Optional[int]           #: the id that an assistant proposed; None: it did not
    beam: Optional[int]              #: of a search with beams: the one that goes on here; None: the prompt


def choices_of(handle: Any, i: int, n: Any, at: Any) -> Tuple[Candidate, ...]:
    return tuple(candidate(at(handle, i, j)) for j in range(n(handle, i)))


def read_step(c: Any, input: str, choices: Tuple[Candidate, ...],
              demoted: Tuple[Candidate, ...]) -> Step:
    chosen = None if c.chosen.token.id < 0 else candidate(c.chosen)
    return Step(c.sequence, c.index, input, chosen, choices, demoted, c.kept, c.entropy,
                None if math.isnan(c.draw) else c.draw, None if c.drafted < 0 else c.drafted,
                None if c.beam < 0 else c.beam)


def read_steps(handle: Any, prompt: List[Token]) -> List[Step]:
    """The steps of a result; each goes on from the text of those before it."""
    made: List[Step] = []
    so_far, before = b"", -1
    for i in range(lib.nt_result_n_steps(handle)):
        c = lib.nt_result_step(handle, i)
        if c.sequence != before:
            so_far, before = b"".join(token.bytes or b"" for token in prompt), c.sequence
        made.append(read_step(c, shown(so_far) or "",
                              choices_of(handle, i, lib.nt_result_n_candidates, lib.nt_result_candidate),
                              choices_of(handle, i, lib.nt_result_n_demoted, lib.nt_result_demoted)))
        chosen = made[-1].chosen
        so_far += (chosen.bytes or b"") if chosen else b""
    return made


def tensor(result: Any, name: str) -> Optional["numpy.ndarray"]:
    """An array that a result keeps, over the result's own memory; None where it was not kept."""
    found = lib.nt_result_tensor(result.handle, name.encode())
    if found == NULL:
        return None
    from ..arrays import view

    shape = tuple(found.shape[i] for i in range(found.n_dims))
    return view(found.data, shape, result)


class Next(Rows[Candidate]):
    """The likeliest next tokens: a sequence of Candidate, in order of processed_prob."""

    kinds = (lib.NT_RESULT_NEXT,)

    def _make(self) -> List[Candidate]:
        if lib.nt_result_n_steps(self.handle) == 0:
            return []
        return list(choices_of(self.handle, 0, lib.nt_result_n_candidates, lib.nt_result_candidate))

    def _step(self) -> Any:
        return lib.nt_result_step(self.handle, 0)

    @property
    def prompt_tokens(self) -> List[Token]:
        """The prompt's tokens."""
        return self._tokens()

    @property
    def prompt_ids(self) -> List[int]:
        """The prompt's ids."""
        return [token.id for token in self._tokens()]

    @property
    def ids(self) -> List[int]:
        """The candidates' ids."""
        return [c.id for c in self.rows]

    @property
    def tokens(self) -> List[Optional[str]]:
        """The candidates' texts."""
        return [c.token for c in self.rows]

    @property
    def probs(self) -> "numpy.ndarray":
        """The model's own probabilities of the candidates, float64 [k]."""
        import numpy as np

        return np.array([c.prob for c in self.rows], np.float64)

    @property
    def entropy(self) -> float:
        """Of the model's own distribution over all V ids, in nats."""
        return float(self._step().entropy)

    @property
    def kept(self) -> int:
        """Ids that can be chosen after processors."""
        return int(self._step().kept)

    @property
    def demoted(self) -> List[Candidate]:
        """Of the model's own likeliest those that processors took from among the candidates."""
        return list(choices_of(self.handle, 0, lib.nt_result_n_demoted, lib.nt_result_demoted))

    @property
    def logits(self) -> Optional["numpy.ndarray"]:
        """The model's own logits, float32 [V], where next(..., logits=True) kept them."""
        return tensor(self, "logits")

    @property
    def processed_logits(self) -> Optional["numpy.ndarray"]:
        """The logits behind processors that do not belong to drawing, float32 [V], where
        next(..., logits=True) kept them and processors changed them."""
        return tensor(self, "processed_logits")

    def columns(self) -> Columns:
        """rank, id, token, logit, logprob, prob, processed_prob, processed_logit, removed_by."""
        names = ("rank", "id", "token", "logit", "logprob", "prob", "processed_prob", "processed_logit")
        made: Columns = {name: [getattr(c, name) for c in self.rows] for name in names}
        made["removed_by"] = [c.removed_by or "" for c in self.rows]
        return made

    def _brief(self) -> str:
        some = ", ".join(f"{c.token!r} {100 * c.processed_prob:.2f} %" for c in self.rows[:3])
        return f"{len(self.rows)} candidates: {some}{', ...' if len(self.rows) > 3 else ''}"


class Steps(Rows[Step]):
    """What stood to choose at each step of a generation: a sequence of Step."""

    kinds = (lib.NT_RESULT_STEPS,)

    def _make(self) -> List[Step]:
        return read_steps(self.handle, self._tokens())

    @property
    def prompt_tokens(self) -> List[Token]:
        """The prompt's tokens."""
        return self._tokens()

    @property
    def prompt_ids(self) -> List[int]:
        """The prompt's ids."""
        return [token.id for token in self._tokens()]

    @property
    def ids(self) -> List[int]:
        """The new ids of the first sequence."""
        return [step.chosen.id for step in self.rows if step.sequence == 0 and step.chosen]

    @property
    def method(self) -> str:
        """How it was decoded: "greedy", "sample", "beam_search", ..."""
        return self._method()

    @property
    def seed(self) -> Optional[int]:
        """That of the draws; None: nothing was drawn."""
        return self._seed()

    def columns(self, wide: bool = False) -> Columns:
        """A row a choice: sequence, step, input, choice_rank, id, token, prob, logprob, processed_prob,
        chosen, processed_logit, removed_by. wide: a row a step, with the choices side by side."""
        return self._wide() if wide else self._long()

    def _long(self) -> Columns:
        names = ("sequence", "step", "input", "choice_rank", "id", "token", "prob", "logprob",
                 "processed_prob", "chosen", "processed_logit", "removed_by")
        made: Columns = {name: [] for name in names}
        for step in self.rows:
            ranked = list(enumerate(step.choices, 1))
            if step.chosen and step.chosen.id not in {c.id for c in step.choices}:
                ranked.append((step.chosen.rank, step.chosen))
            for rank, c in ranked:
                values = (step.sequence, step.step, step.input, rank, c.id, c.token, c.prob, c.logprob,
                          c.processed_prob, step.chosen is not None and c.id == step.chosen.id,
                          c.processed_logit, c.removed_by or "")
                for name, value in zip(names, values):
                    made[name].append(value)
        return made

    def _wide(self) -> Columns:
        made: Columns = {}
        if any(step.sequence for step in self.rows):
            made["sequence"] = [step.sequence for step in self.rows]
        made["input"] = [step.input for step in self.rows]
        for i in range(max((len(step.choices) for step in self.rows), default=0)):
            made[f"choice {i + 1}"] = [
                _choice(step.choices[i]) if i < len(step.choices) else None for step in self.rows]
        return made

    def to_pandas(self, wide: bool = True) -> "pandas.DataFrame":
        """A row a step: `input`, the text so far, then `choice 1` to `choice 5` (or as many as choices=
        asked for), each " was(27.57%)": the token and its probability, after processors where there are
        some. Several sequences stand one under the other, with their number in `sequence`.
        wide=False: a row a choice, as to_csv() has them."""
        return frame(self.columns(wide=wide))

    def _brief(self) -> str:
        return f"{len(self.rows)} steps, {self.method}"


def _choice(c: Candidate) -> str:
    return f"{c.token if c.token is not None else '#%d' % c.id}({100 * c.processed_prob:.2f}%)"
