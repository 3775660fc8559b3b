"""Every error that the library reports, as a class that also is the builtin error that fits."""


class Error(Exception):
    """What the library could not do. str() is one line: what, where, what to do."""

    status = 0  #: the library's own number, NT_E_...


class OutOfMemory(Error, MemoryError):
    """An allocation failed."""

    status = -1


class ArgumentError(Error, ValueError):
    """A value that the call does not take."""

    status = -2


class NotFound(Error, FileNotFoundError):
    """No such file, folder, name or model."""

    status = -3


class ReadWriteError(Error, OSError):
    """The system could not read or write."""

    status = -4


class FormatError(Error, ValueError):
    """A file's contents break its format."""

    status = -5


class Unsupported(Error, NotImplementedError):
    """A thing that is well formed and that nextoken does not do."""

    status = -6


class RangeError(Error, IndexError):
    """A token id or a position outside the model."""

    status = -7


class ContextError(Error, ValueError):
    """More positions than the model's context."""

    status = -8


class TextError(Error, UnicodeError):
    """A text that is not UTF-8, such as one with half of a surrogate pair."""

    status = -9


class NumericError(Error, ArithmeticError):
    """Logits that are not finite numbers: broken weights."""

    status = -10


class Cancelled(Error):
    """A callback ended the call."""

    status = -11


class NetworkError(Error, ConnectionError):
    """A hub that cannot be reached, or fails: perhaps later."""

    status = -12


class Denied(Error, PermissionError):
    """A hub that wants a token, or its terms accepted."""

    status = -13


class Busy(Error, RuntimeError):
    """A session that runs already, in this thread (from a callback) or in another one."""


__all__ = [name for name, value in list(globals().items())
           if isinstance(value, type) and issubclass(value, Error)]

CLASSES = {c.status: c for c in map(globals().__getitem__, __all__) if c.status}
