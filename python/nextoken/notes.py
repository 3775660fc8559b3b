"""What a run tells beside its result, and the result that carries it."""

from __future__ import annotations

import logging
from typing import Any, Callable, List, Optional, Sequence

__all__ = ["Note", "Notes", "wrap"]

Note = Optional[Callable[[str], Any]]

_log = logging.getLogger("nextoken")


class Notes(List[str]):
    """The lines that a run tells: kept for its result, logged, and told to who asked for them."""

    def __init__(self, tell: Note) -> None:
        super().__init__()
        self.tell = tell

    def __call__(self, line: str) -> None:
        self.append(line)
        _log.info("%s", line)
        if self.tell is not None:
            self.tell(line)


def wrap(handle: Any, notes: Sequence[str] = ()) -> Any:
    """An owned nt_result * as the object of its kind, with the notes of its run."""
    from . import results

    made = results.wrap(handle)
    made.notes = tuple(notes)
    return made
