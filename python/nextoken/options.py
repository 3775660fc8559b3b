"""Generation options by Hugging Face's names -> nt_generate_options, checked by the library's table."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

from .errors import ArgumentError
from .library import callback, check, ffi, keep_alive, lib, new, owned, path_of, string

if TYPE_CHECKING:
    from .results import Option

__all__ = ["UnknownOption", "generate_options", "names", "table"]


class UnknownOption(ArgumentError, TypeError):
    """A keyword that is no option of generation."""


def names() -> Dict[str, str]:
    """The options by name, each with its type ("integer", "number", ...)."""
    found = {}
    for i in range(lib.nt_n_options()):
        info = lib.nt_option_at(i)
        found[string(info.name) or ""] = string(info.type) or ""
    return found


def table() -> "List[Option]":
    """Every generation option, as the library's table has it. `Model.explain(name, text)` draws one."""
    from .results.others import read_option

    return [read_option(lib.nt_option_at(i)) for i in range(lib.nt_n_options())]


def _named(name: str, keywords: Sequence[str]) -> str:
    """The type of the option of this name; UnknownOption with the nearest name where there is none."""
    info = ffi.new("nt_option_info const **")
    raw = name.encode("utf-8", "replace")
    if lib.nt_option_named(info, raw) == 0 and string(info[0].name) == name:
        return string(info[0].type) or ""
    hint = nearest(name, [*keywords, *names()])
    raise UnknownOption(f"there is no option {name!r}{hint}; nextoken.options.table() lists them")


def nearest(name: str, known: Iterable[str]) -> str:
    """" (did you mean 'x'?)" where one of the known names is like this one, else ""."""
    import difflib

    near = difflib.get_close_matches(name, known, 1, 0.7)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _plain(value: Any) -> Any:
    """Numbers and arrays of other libraries as Python's own."""
    if hasattr(value, "tolist") and not isinstance(value, (str, bytes)):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    return value


def _number(value: Any) -> Any:
    return "-inf" if value == -math.inf else value


def _biases(value: Any) -> Any:
    """{(1, 2): -0.5, 50256: 2.0} or [[[1, 2], -0.5]] as JSON can say it, which knows no infinity: the
    library reads it from a string."""
    if isinstance(value, dict):
        return {",".join(map(str, key)) if isinstance(key, tuple) else str(key): _number(bias)
                for key, bias in value.items()}
    if not isinstance(value, list):
        return value
    return [[pair[0], _number(pair[1])] if isinstance(pair, list) and len(pair) == 2 else pair
            for pair in value]


def _written(name: str, kind: str, value: Any) -> bytes:
    """An option's value in the form that nt_generate_options_set reads."""
    value = _plain(value)
    if kind == "text" and not isinstance(value, str):
        raise TypeError(f"{name} is a text, not {type(value).__name__}")
    if kind == "strings":
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TypeError(f"{name} is a list of texts, not {value!r}")
        for item in value:  # what JSON cannot say, the library would take for a text of its own
            if "\0" in item or any("\ud800" <= c <= "\udfff" for c in item):
                raise ArgumentError(f"{name}: {item!r} has a zero byte or half of a surrogate pair")
    elif kind == "biases":
        value = _biases(value)
    elif kind == "ids" and value == []:
        value = "none"
    if isinstance(value, float) and not math.isfinite(value):
        value = repr(value)
    if not isinstance(value, str):  # else a word, or what the command line takes
        try:
            value = json.dumps(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name}: {error}") from None
    raw: bytes = value.encode("utf-8", "surrogatepass")
    if b"\0" in raw:
        raise ArgumentError(f"{name}: a zero byte cannot stand in a text")
    return raw


def generate_options(options: Optional[Mapping[str, Any]] = None, *, callbacks: Any = None,
                     process: Optional[Callable[[Any, Any], Any]] = None,
                     stop: Optional[Callable[[Any], Any]] = None, assistant: Any = None,
                     load: Any = None, keywords: Sequence[str] = (), **more: Any) -> Any:
    """nt_generate_options from {name: value}; a value of None is not given.

    process(ids, logits) changes the logits, a float32 array [V], in place or returns others; stop(ids)
    ends the sequence where it returns a true value; both get the whole sequence's ids [n], int32.
    assistant: the nt_session of a model that drafts, held by session.use(). load: a file in the form of
    generation_config.json, for what is not given. keywords: other words that a wrong name may
    have been meant for. The struct keeps alive what it points to. Wrong names raise UnknownOption, wrong
    types and ranges ArgumentError or TypeError.
    """
    held = owned(new("nt_generate_options"), "nt_generate_options_clear")
    for name, value in dict(options or {}, **more).items():
        if value is not None:
            written = _written(name, _named(name, keywords), value)
            check(lib.nt_generate_options_set(held, name.encode(), written))
    if load is not None:
        check(lib.nt_generate_options_load(held, path_of(load)))
    if callbacks is not None:
        held.callbacks = callbacks
    if assistant is not None:
        held.assistant = assistant
    if process is not None:
        process = held.process = _process(process)
    if stop is not None:
        stop = held.stop = _stop(stop)
    return keep_alive(held, callbacks, assistant, process, stop)


# What Python sees is copied: it may be kept for longer than the library's own memory lasts.


def _copy(pointer: Any, n: int, dtype: str) -> Any:
    import numpy as np

    array = np.empty(n, dtype)
    ffi.memmove(ffi.from_buffer(array), pointer, array.nbytes)
    return array


def _process(function: Callable[[Any, Any], Any]) -> Any:
    from . import arrays

    if not callable(function):
        raise TypeError(f"process is a function(ids, logits), not {type(function).__name__}")

    def process(payload: Any, ids: Any, n: int, logits: Any, n_vocab: int) -> int:
        row = _copy(logits, n_vocab, "float32")
        changed = function(_copy(ids, n, "int32"), row)
        if changed is not None:
            row = arrays.float32(changed).reshape(-1)
        if row.size != n_vocab:
            raise ValueError(f"{row.size} logits came back from process; there are {n_vocab}")
        ffi.memmove(logits, ffi.from_buffer(row), row.nbytes)
        return 0

    return callback("int(void *, int32_t const *, size_t, float *, size_t)", process, error=1)


def _stop(function: Callable[[Any], Any]) -> Any:
    if not callable(function):
        raise TypeError(f"stop is a function(ids), not {type(function).__name__}")

    def stop(payload: Any, ids: Any, n: int) -> int:
        return 1 if function(_copy(ids, n, "int32")) else 0

    return callback("int(void *, int32_t const *, size_t)", stop, error=1)
