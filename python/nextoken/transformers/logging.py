"""What the package has to say goes to standard error through one logger, as users of transformers know
it: set_verbosity_error() silences warnings."""

import logging as _logging
import os
import sys
from logging import CRITICAL, DEBUG, ERROR, FATAL, INFO, NOTSET, WARN, WARNING  # noqa: F401

__all__ = ["get_logger", "get_verbosity", "set_verbosity", "set_verbosity_debug", "set_verbosity_error",
           "set_verbosity_info", "set_verbosity_warning", "disable_progress_bar", "enable_progress_bar",
           "is_progress_bar_enabled"]

NAME = "nextoken.transformers"
_LEVELS = {"detail": DEBUG, "debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR,
           "critical": CRITICAL}
_said = set()
_bars = True


class _Handler(_logging.StreamHandler):
    """Writes to what sys.stderr is now, which notebooks and tests replace."""

    def __init__(self):
        super().__init__(sys.stderr)
        self.setFormatter(_logging.Formatter("[nextoken] %(message)s"))

    @property
    def stream(self):
        return sys.stderr

    @stream.setter
    def stream(self, value):
        pass


class Logger(_logging.getLoggerClass()):
    """A logger that can also say a thing once."""

    def warning_once(self, message, *args, **kwargs):
        if (self.name, message) not in _said:
            _said.add((self.name, message))
            self.warning(message, *args, **kwargs)

    def info_once(self, message, *args, **kwargs):
        if (self.name, message) not in _said:
            _said.add((self.name, message))
            self.info(message, *args, **kwargs)


def _root():
    root = _logging.getLogger(NAME)
    if not root.handlers:
        root.addHandler(_Handler())
        root.propagate = False
        asked = os.environ.get("TRANSFORMERS_VERBOSITY", "").lower()
        root.setLevel(_LEVELS.get(asked, WARNING))
    return root


def get_logger(name=None):
    """The package's logger, or one below it."""
    _root()
    name = NAME if not name else name if name.startswith(NAME) else f"{NAME}.{name}"
    before = _logging.getLoggerClass()
    _logging.setLoggerClass(Logger)
    try:
        return _logging.getLogger(name)
    finally:
        _logging.setLoggerClass(before)


def get_verbosity():
    return _root().getEffectiveLevel()


def set_verbosity(verbosity):
    _root().setLevel(verbosity)


def set_verbosity_info():
    set_verbosity(INFO)


def set_verbosity_warning():
    set_verbosity(WARNING)


def set_verbosity_debug():
    set_verbosity(DEBUG)


def set_verbosity_error():
    set_verbosity(ERROR)


def disable_progress_bar():
    global _bars
    _bars = False


def enable_progress_bar():
    global _bars
    _bars = True


def is_progress_bar_enabled():
    return _bars
