"""A bar for long work, by tqdm where it is installed."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any, Callable, Iterator, Optional, Union

__all__ = ["Progress", "Report", "reporting"]

Report = Callable[[str, int, int], Any]  #: (what, done, total); total 0: not known
Progress = Union[None, bool, Report]

_DELAY = 1.0  # seconds before a bar is shown


def _tqdm() -> Any:
    """tqdm's class for where we are; None where tqdm is not installed."""
    try:
        if "ipykernel" in sys.modules and _has("ipywidgets"):
            from tqdm.notebook import tqdm
        else:
            from tqdm import tqdm
    except ImportError:
        return None
    return tqdm


def _has(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def _interactive() -> bool:
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """Opens when the work has taken a while; tqdm is not even imported before."""

    def __init__(self, always: bool) -> None:
        self.always = always
        self.bar: Any = None
        self.since = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar is None:
            if not self.always and time.monotonic() - self.since < _DELAY:
                return
            made = _tqdm()
            if made is None:
                self.since = float("inf")
                return
            self.bar = made(total=total or None, unit=" " + what, leave=self.always, unit_scale=what == "bytes")
        self.bar.total = total or None
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


@contextlib.contextmanager
def reporting(progress: Progress = None) -> Iterator[Optional[Report]]:
    """Gives the function(what, done, total) that hears of a job's progress, or None.

    progress: such a function; True shows a bar; None shows one at a terminal or in a notebook where the
    work takes longer than a second; False shows none.
    """
    if callable(progress):
        yield progress
    elif progress is False or (progress is None and not _interactive()):
        yield None
    else:
        bar = _Bar(bool(progress))
        try:
            yield bar
        finally:
            bar.close()
