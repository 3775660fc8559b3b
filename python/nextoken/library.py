"""The shared library behind the package: found, opened, and its conventions made Python's.

Calls release the GIL. An int status becomes an exception with check(); option structs come from
new(); `with running() as callbacks:` lets Ctrl-C end what runs, and carries exceptions out of
callbacks that C calls.
"""

from __future__ import annotations

import functools
import operator
import os
import threading
import weakref
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

try:
    from ._declarations import CONSTANTS, DEFAULTS
    from ._declarations import ffi as _ffi
except ImportError as error:
    raise ImportError("nextoken._declarations cannot be imported; it is made by the build "
                      f"(pip install ., or cmake -DNEXTOKEN_PYTHON=ON): {error}") from error
from .errors import CLASSES, Error, TextError

__all__ = ["CONSTANTS", "NULL", "ffi", "lib", "callback", "characters", "check", "check_fields", "ids",
           "keep_alive", "new", "owned", "path_of", "prompt", "raw_of", "result_of", "running", "string",
           "text"]

ffi: Any = _ffi
NULL = ffi.NULL


def _open() -> Any:
    named = os.environ.get("NEXTOKEN_LIBRARY")
    path = named or os.path.join(os.path.dirname(os.path.abspath(__file__)), "libnextoken.so")
    # NODELETE: objects that are freed while the interpreter ends still find the code
    flags = ffi.RTLD_NOW | getattr(os, "RTLD_NODELETE", 0)
    try:
        library = ffi.dlopen(path, flags)
    except OSError as error:
        where = "NEXTOKEN_LIBRARY" if named else "the package"
        raise ImportError(f"the shared library of {where} cannot be opened: {error}") from None
    version = ffi.string(library.nt_version()).decode()
    expected = ".".join(str(CONSTANTS["NT_VERSION_" + part]) for part in ("MAJOR", "MINOR", "PATCH"))
    if version != expected:
        raise ImportError(f"{path} is nextoken {version}, and this package was made for {expected}")
    return library


lib = _open()


def string(pointer: Any, n: Optional[int] = None) -> Any:
    """A C string (zero-ended, or of n bytes) as str; None for NULL. Bytes that are no UTF-8 become
    U+FFFD."""
    if pointer == NULL:
        return None
    raw = ffi.string(pointer) if n is None else ffi.buffer(pointer, n)[:]
    return raw.decode("utf-8", "replace")


# ---- Errors -------------------------------------------------------------------------------------


class _Thread(threading.local):
    kept: Optional[BaseException] = None  # what a callback raised, and C cannot carry
    run: Any = None                       # the innermost running() of this thread


_thread = _Thread()


def _keep(kind: Any, error: BaseException, trace: Any) -> None:
    if _thread.kept is None:
        _thread.kept = error


def check(status: int) -> None:
    """Returns for NT_OK, else raises the class of errors.py that fits. An exception from a callback,
    KeyboardInterrupt included, comes in its place."""
    error = _thread.kept
    if error is not None:
        _thread.kept = None
        raise error
    if status != 0:
        message = string(lib.nt_error_message()) or string(lib.nt_status_name(status))
        raise CLASSES.get(status, Error)(message)


def callback(signature: str, function: Callable[..., Any], error: int = 0) -> Any:
    """A C function that calls a Python one. What that raises is kept for check(), and C gets `error`.

    The caller keeps the returned object for as long as C may call it.
    """
    result: Dict[str, int] = {} if signature.startswith("void") else {"error": error}
    return ffi.callback(signature, function, onerror=_keep, **result)


# ---- What C owns --------------------------------------------------------------------------------


def owned(pointer: Any, free: str) -> Any:
    """The pointer, freed by the function of this name when nobody holds it any more."""
    return ffi.gc(pointer, getattr(lib, free))


def result_of(function: Any, *arguments: Any) -> Any:
    """The nt_result of a call whose first argument is an nt_result **, owned; what went wrong is
    raised."""
    out = ffi.new("nt_result **")
    status = function(out, *arguments)
    held = NULL if out[0] == NULL else owned(out[0], "nt_result_free")
    check(status)
    return held


# ---- Structs ------------------------------------------------------------------------------------

_alive: "weakref.WeakKeyDictionary[Any, List[Any]]" = weakref.WeakKeyDictionary()


def keep_alive(struct: Any, *things: Any) -> Any:
    """The struct, with which these things live."""
    _alive.setdefault(struct, []).extend(things)
    return struct


def characters(value: Union[str, bytes]) -> Any:
    """A zero-ended C text."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if b"\0" in value:
        raise ValueError("a zero byte cannot stand in this text")
    return ffi.new("char[]", value)


def path_of(value: Any) -> Any:
    """A path as a zero-ended C text; NULL for None."""
    return NULL if value is None else characters(os.fsencode(value))


def _pointed(value: Any, kind: Any) -> Tuple[Any, Optional[int], Any]:
    """(what the C pointer of this kind points to, its length, what must live as long)."""
    if value is None:
        return NULL, None, None
    if isinstance(value, (str, bytes)):
        made = characters(value)
        return made, None, made
    if kind.item.cname == "int32_t":
        return ids(value)
    if kind.item.kind == "pointer":
        texts = [characters(item) for item in value]
        return ffi.new(ffi.getctype(kind.item, "[]"), texts), len(texts), texts
    made = ffi.new(ffi.getctype(kind.item, "[]"), list(value))
    return made, len(made), None


@functools.lru_cache(maxsize=None)
def _struct(name: str) -> Tuple[Any, Dict[str, Any], Any]:
    """(the type of pointers to the struct, its fields' types, one with nothing but defaults)."""
    kind = ffi.typeof(name)
    known = {field: info.type for field, info in kind.fields}
    struct = ffi.new(name + " *")
    if "size" in known:
        struct.size = ffi.sizeof(kind)
    defaults: Any = DEFAULTS.get(name, {})
    for field, value in defaults.items():
        setattr(struct, field, value)
    return ffi.typeof(name + " *"), known, struct[0]


def new(name: str, **fields: Any) -> Any:
    """An option struct with its size and the defaults of its _INIT macro, and these fields.

    Fields that point take None, cdata, and besides: str or bytes for a zero-ended text, a list (or an
    array of the type) for an array, whose length goes to the field n_<name> where there is one. What
    they point to lives as long as the struct.
    """
    kind, known, template = _struct(name)
    struct = ffi.new(kind, template)
    alive = []
    for field, value in fields.items():
        target = known.get(field)
        if target is None:
            raise TypeError(f"{name} has no field {field!r}")
        if target.kind == "pointer":
            if not isinstance(value, ffi.CData):
                value, n, owner = _pointed(value, target)
                alive.append(owner)
                if n is not None and "n_" + field in known and "n_" + field not in fields:
                    setattr(struct, "n_" + field, n)
            alive.append(value)
        try:
            setattr(struct, field, value)
        except (TypeError, OverflowError) as error:
            raise type(error)(f"{field}: {error}") from None
    return keep_alive(struct, *alive) if alive else struct


def check_fields(name: str, given: Iterable[str], what: str, others: Iterable[str] = ()) -> None:
    """TypeError for keywords that are no fields of an option struct, with the nearest that is (or that
    is among `others`)."""
    known = [field for field in _struct(name)[1] if field != "size"]
    for word in given:
        if word not in known:
            from .options import nearest

            raise TypeError(f"{what} has no option {word!r}{nearest(word, [*known, *others])}; there are "
                            f"{', '.join(known)}")


# ---- Texts and ids ------------------------------------------------------------------------------


def text(value: Union[str, bytes, bytearray]) -> Tuple[Any, int]:
    """(const char *, length) of a str or of bytes in UTF-8. TextError for half of a surrogate pair."""
    held = ffi.from_buffer("char[]", raw_of(value))
    return held, len(held)


def raw_of(value: Union[str, bytes, bytearray]) -> Union[bytes, bytearray]:
    """A text in UTF-8."""
    if isinstance(value, (bytes, bytearray)):
        return value
    if not isinstance(value, str):
        raise TypeError(f"a text is str or bytes, not {type(value).__name__}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise TextError(f"the text has half of a surrogate pair ({value[error.start]!r}) at character "
                        f"{error.start}") from None


def ids(values: Any) -> Tuple[Any, int, Any]:
    """(int32_t *, length, owner) of token ids: a list, or any array of integers in one dimension.
    An array of int32 is not copied. The owner must live as long as the pointer is used."""
    if isinstance(values, (list, tuple, range)):
        whole = [value if type(value) is int else _whole(value) for value in values]
        try:
            held = ffi.new("int32_t[]", whole)
        except OverflowError:
            raise OverflowError("a token id lies outside the numbers of 32 bits") from None
        return held, len(whole), held
    if not _is_array(values):
        raise TypeError(f"token ids are a list or an array of integers, not {type(values).__name__}")
    from .arrays import int32

    array = int32(values)
    return ffi.cast("int32_t *", array.ctypes.data), array.size, array


def _is_array(value: Any) -> bool:
    return isinstance(value, memoryview) or any(hasattr(value, name) for name in
                                                ("__array__", "__dlpack__", "__array_interface__"))


def _whole(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"a token id is an integer, not {type(value).__name__}") from None


def prompt(value: Any, add_bos: bool = False, add_prefix_space: bool = False) -> Any:
    """nt_prompt of a text (str, bytes) or of token ids (a list or an array of integers)."""
    fields = {"add_bos": add_bos, "add_prefix_space": add_prefix_space}
    if isinstance(value, (str, bytes, bytearray)):
        pointer, n = text(value)
        return new("nt_prompt", text=pointer, n_text=n, **fields)
    if not isinstance(value, (list, tuple, range)) and not _is_array(value):
        raise TypeError("a text (str or bytes) or token ids (a list or an array of integers) are wanted, not "
                        f"{type(value).__name__}")
    pointer, n, owner = ids(value)
    return keep_alive(new("nt_prompt", ids=pointer, n_ids=n, **fields), owner)


# ---- Runs ---------------------------------------------------------------------------------------


# One C function a kind for the whole process: each finds Python's in its thread's running().


@ffi.callback("int(void *)", error=1, onerror=_keep)
def _cancel(payload: Any) -> int:
    run = _thread.run
    if _thread.kept is not None or run is None:
        return 1
    return 1 if run.cancel is not None and run.cancel() else 0


@ffi.callback("void(void *, char const *, uint64_t, uint64_t)", onerror=_keep)
def _progress(payload: Any, what: Any, done: int, total: int) -> None:
    _thread.run.progress(ffi.string(what).decode(), done, total)


@ffi.callback("void(void *, char const *)", onerror=_keep)
def _note(payload: Any, line: Any) -> None:
    _thread.run.note(string(line))


@ffi.callback("int(void *, char const *, size_t)", error=1, onerror=_keep)
def _text(payload: Any, utf8: Any, n: int) -> int:
    return 1 if _thread.run.text(string(utf8, n) if n else "") else 0


class running:
    """`with running() as callbacks:` gives the nt_callbacks for calls that may take long.

    progress(what, done, total), note(line) and text(piece) are called as nextoken.h says; what text
    returns other than a false value ends generation. cancel() is asked now and then, and ends the call
    where it returns a true value. In the main thread Ctrl-C ends the call with KeyboardInterrupt.
    Exceptions of these functions end the call and come out of check(), at the latest out of the
    `with`.
    """

    def __init__(self, progress: Optional[Callable[[str, int, int], Any]] = None,
                 text: Optional[Callable[[str], Any]] = None,
                 note: Optional[Callable[[str], Any]] = None,
                 cancel: Optional[Callable[[], Any]] = None) -> None:
        self.progress, self.text, self.note, self.cancel = progress, text, note, cancel
        self.callbacks = new("nt_callbacks")
        # Threads but the main one get no signals: where nobody else may end the call either, the GIL
        # need not be asked for, and other threads that compute do not hold this one up.
        if any(f is not None for f in (progress, text, cancel)) or \
                threading.current_thread() is threading.main_thread():
            self.callbacks.cancel = _cancel
        if progress is not None:
            self.callbacks.progress = _progress
        if text is not None:
            self.callbacks.text = _text
        if note is not None:
            self.callbacks.note = _note

    def __enter__(self) -> Any:
        self.outer, _thread.run = _thread.run, self
        return self.callbacks

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        _thread.run = self.outer
        if kind is None:
            check(0)
        elif _thread.run is None:
            _thread.kept = None
