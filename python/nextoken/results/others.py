"""Tokens of a text, tokenizers compared, counts, what a model is, and options explained."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..library import NULL, ffi, lib, string
from .base import Columns, Result, Rows
from .choices import choices_of
from .generation import Generation
from .tokens import Candidate, Token

__all__ = ["Compared", "Counts", "Explanation", "Facts", "Option", "Text", "Tokens"]


class Tokens(Rows[Token]):
    """The tokens of a text: a sequence of Token."""

    kinds = (lib.NT_RESULT_TOKENS,)

    def _make(self) -> List[Token]:
        return self._tokens()

    @property
    def ids(self) -> List[int]:
        return [token.id for token in self.rows]

    @property
    def texts(self) -> List[Optional[str]]:
        """The tokens' texts."""
        return [token.text for token in self.rows]

    @property
    def text(self) -> str:
        """The whole text."""
        n = ffi.new("size_t *")
        return string(lib.nt_result_text(self.handle, n), n[0]) or ""

    def columns(self) -> Columns:
        """index, id, token, start, end."""
        rows = self.rows
        return {"index": list(range(len(rows))), "id": [t.id for t in rows],
                "token": [t.text for t in rows], "start": [t.start for t in rows],
                "end": [t.end for t in rows]}

    def _brief(self) -> str:
        return f"{len(self.rows)} tokens"


class Text(Tokens):
    """The text of token ids."""

    kinds = (lib.NT_RESULT_TEXT,)

    def columns(self) -> Columns:
        """text."""
        return {"text": [self.text]}


class Compared(Result):
    """What several tokenizers make of one text; to_dict() tells of the stretches they have in common."""

    kinds = (lib.NT_RESULT_COMPARED,)

    @property
    def models(self) -> List[str]:
        """The tokenizers, by the names of their models."""
        return [string(lib.nt_result_compared(self.handle, i).model) or ""
                for i in range(lib.nt_result_n_compared(self.handle))]

    @property
    def ids(self) -> List[List[int]]:
        """Each tokenizer's ids."""
        made = []
        for i in range(lib.nt_result_n_compared(self.handle)):
            c = lib.nt_result_compared(self.handle, i)
            made.append([c.tokens[t].id for t in range(c.n_tokens)])
        return made


class Counts(Result):
    """How many tokens the texts of files are."""

    kinds = (lib.NT_RESULT_COUNTS,)


class Facts(Result):
    """What a model is: a mapping from facts ("n_layer") to their values."""

    kinds = (lib.NT_RESULT_INFO,)

    @property
    def facts(self) -> Dict[str, Any]:
        made = self.columns()
        return dict(zip(made["key"], made["value"]))

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def keys(self) -> List[str]:
        return list(self.facts)


class Option(NamedTuple):
    """A generation option, as the library's table has it."""

    name: str
    type: str
    default: str
    range: str
    help: str
    section: str
    source: str
    about: str
    example: str
    draws: bool      #: acts only when do_sample is on
    one_step: bool   #: shapes a single step: next() shows it at work


def read_option(c: Any) -> Option:
    words: List[Any] = [string(getattr(c, name)) or "" for name in
                        ("name", "type", "default_value", "range", "help", "section", "source", "about",
                         "example")]
    return Option._make([*words, c.draws, c.one_step])


class Explanation(Result):
    """What one option does: in words, and drawn on a text."""

    kinds = (lib.NT_RESULT_EXPLAIN,)

    @property
    def option(self) -> Option:
        return read_option(lib.nt_result_option(self.handle, NULL))

    @property
    def value(self) -> str:
        """With which value it was drawn."""
        out = ffi.new("char const **")
        lib.nt_result_option(self.handle, out)
        return string(out[0]) or ""

    @property
    def candidates(self) -> Tuple[Candidate, ...]:
        """The next token's candidates after the option, where it shapes a single step."""
        if lib.nt_result_n_steps(self.handle) == 0:
            return ()
        return choices_of(self.handle, 0, lib.nt_result_n_candidates, lib.nt_result_candidate)

    def _inner(self, i: int) -> Optional[Generation]:
        found = lib.nt_result_inner(self.handle, i)
        return None if found == NULL else Generation(found, self)

    @property
    def without(self) -> Optional[Generation]:
        """What is generated without the option, where it does not shape a single step."""
        return self._inner(0)

    @property
    def with_it(self) -> Optional[Generation]:
        """And with it."""
        return self._inner(1)

    def columns(self) -> Columns:
        """The candidates, as of Next; or step by step what was generated without and with it."""
        if self.without is not None and self.with_it is not None:
            made: Columns = {"run": []}
            for name, run in (("without", self.without), ("with", self.with_it)):
                part = run.columns()
                made["run"] += [name] * len(part["sequence"])
                for key, values in part.items():
                    made.setdefault(key, []).extend(values)
            return made
        names = ("rank", "id", "token", "logit", "logprob", "prob", "processed_prob", "processed_logit")
        rows = self.candidates
        made = {name: [getattr(c, name) for c in rows] for name in names}
        made["removed_by"] = [c.removed_by or "" for c in rows]
        return made

    def _brief(self) -> str:
        option = self.option
        return f"{option.name}: {option.help}"
