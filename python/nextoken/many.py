"""One text, or several of them: which of the two a value is, and a job done for each."""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from .errors import Error
from .progress import Progress, Report, reporting

__all__ = ["each", "is_many", "numbered"]


def is_many(value: Any) -> bool:
    """Whether this is several texts (or lists of ids) and not one of them."""
    if isinstance(value, (str, bytes, bytearray, dict, set, frozenset)):
        return False
    if hasattr(value, "ndim"):
        kind = getattr(getattr(value, "dtype", None), "kind", "i")  # "O", "U", "S": an array of texts
        return bool(value.ndim > 1 or (value.ndim == 1 and kind in "OUST"))
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        return hasattr(value, "__iter__")
    if not len(value):
        return True
    first = next(iter(value))
    return not hasattr(first, "__index__")


def each(values: Any, progress: Progress, return_exceptions: bool,
         job: Callable[[Any, Optional[Report]], Any]) -> Any:
    """job(value, report) of one value, or of each of several."""
    with reporting(progress) as report:
        if not is_many(values):
            return job(values, report)
        values = list(values)
        made: List[Any] = []
        for i, value in enumerate(values):
            try:
                made.append(job(value, None))
            except Exception as error:
                if not return_exceptions:
                    raise numbered(error, i)
                made.append(error)
            if report is not None:
                report("texts", i + 1, len(values))
    from .results import Results

    return Results(made)


def numbered(error: Exception, i: int) -> Exception:
    """The error of text i, which says so."""
    if not isinstance(error, Error) and type(error) not in (TypeError, ValueError, OverflowError):
        return error
    made = type(error)(f"text {i}: {error}")
    return made.with_traceback(error.__traceback__)
