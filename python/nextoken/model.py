"""Models: load() and Model, the API of its own."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

from .jobs import Jobs
from .library import NULL, check, ffi, lib, new, path_of, running, string
from .session import Session
from .tokenizer import Tokenizer

__all__ = ["Info", "Model", "load"]

Path = Union[str, bytes, "os.PathLike[str]", None]


class Info(NamedTuple):
    """What a model is."""

    path: str            #: as it was given; "tales": built in
    architecture: str    #: "gpt2"
    precision: str       #: "f32", "bf16"
    isa: str             #: instruction set of the kernels: "avx512", "ref"
    activation: str      #: "gelu_new"
    n_parameters: int    #: tied weights counted once
    n_weight_bytes: int  #: as stored
    n_vocab: int         #: V
    n_context: int       #: most positions
    n_embd: int          #: D
    n_layer: int         #: L
    n_head: int          #: H
    n_inner: int         #: F
    tied: bool           #: the head is the embedding table
    built_in: bool       #: the weights are the library's own
    n_copied_bytes: int  #: of weights that were converted: memory beside the mapped file


def _info(handle: Any) -> Info:
    struct = new("nt_model_info")
    check(lib.nt_model_get_info(struct, handle))
    values: List[Any] = [getattr(struct, name) for name in Info._fields]
    return Info(*(string(value) if isinstance(value, ffi.CData) else value for value in values))


class _Core:
    """The opened model, shared by Model and its sessions: freed when the last of them is gone."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        weakref.finalize(self, lib.nt_model_free, handle).atexit = False

    @functools.cached_property
    def info(self) -> Info:
        return _info(self.handle)


class _Thread(threading.local):
    """One thread's sessions."""

    def __init__(self) -> None:
        self.sessions: List[Session] = []
        self.pid = 0


def _open(path: Any, tokenizer_only: bool, precision: str, reading: str, offline: Optional[bool],
          refresh: bool, cache: Any, token: Optional[str], endpoint: Optional[str],
          progress: Optional[Callable[[str, int, int], Any]],
          note: Optional[Callable[[str], Any]]) -> Any:
    readings = {"file": lib.NT_READ_FILE, "transformers": lib.NT_READ_TRANSFORMERS}
    if reading not in readings:
        raise ValueError(f'reading is "file" or "transformers", not {reading!r}')
    precisions = {"auto": lib.NT_PRECISION_AUTO, "f32": lib.NT_PRECISION_F32,
                  "f32-amx": lib.NT_PRECISION_F32_AMX, "bf16": lib.NT_PRECISION_BF16}
    if precision not in precisions:
        raise ValueError(f'precision is "auto", "f32", "f32-amx" or "bf16", not {precision!r}')
    use = lib.NT_HUB_OFFLINE if offline else lib.NT_HUB_REFRESH if refresh else lib.NT_HUB_CACHED
    out = ffi.new("nt_model **")
    with running(progress=progress, note=note) as callbacks:
        hub = new("nt_hub_options", use=use, cache=path_of(cache), token=token, endpoint=endpoint,
                  callbacks=callbacks)
        options = new("nt_model_options", tokenizer_only=tokenizer_only, reading=readings[reading],
                      precision=precisions[precision], hub=hub)
        check(lib.nt_model_open(out, path_of(path), options))
    return out[0]


def _again(path: Any, options: Dict[str, Any]) -> Model:
    return Model(path, **options)


def _tokenizer_again(path: Any, options: Dict[str, Any]) -> Tokenizer:
    found = Model(path, **dict(options, tokenizer_only=True)).tokenizer
    assert found is not None
    return found


class Model(Jobs):
    """A model, which any number of threads may share; after os.fork() the child may use it too, and
    pickled (for processes that are spawned) it is opened again from where it came."""

    def __init__(self, path: Path = None, *, tokenizer_only: bool = False, precision: str = "auto",
                 reading: str = "file", offline: Optional[bool] = None, refresh: bool = False, cache: Any = None,
                 token: Optional[str] = None, endpoint: Optional[str] = None,
                 progress: Optional[Callable[[str, int, int], Any]] = None,
                 note: Optional[Callable[[str], Any]] = None, threads: int = 0) -> None:
        """As load() has it."""
        self._core = _Core(_open(path, tokenizer_only, precision, reading, offline, refresh, cache, token,
                                 endpoint, progress, note))
        self.path = "tales" if path is None else os.fsdecode(path)  #: as it was given
        if path is not None and os.path.exists(path):
            path = os.path.abspath(path)
        self._source = path, {"tokenizer_only": tokenizer_only, "precision": precision,
                              "reading": reading, "cache": cache, "endpoint": endpoint, "threads": threads}
        self._threads = threads
        self._local = _Thread()
        handle = lib.nt_model_tokenizer(self._core.handle)
        self._tokenizer = None if handle == NULL else \
            Tokenizer(handle, self._core, (_tokenizer_again, *self._source))

    def __reduce__(self) -> Any:
        return _again, self._source

    @property
    def handle(self) -> Any:
        """The nt_model *."""
        return self._core.handle

    @property
    def info(self) -> Info:
        """What the model is: Info. One that was opened for its tokenizer alone has none."""
        return self._core.info

    @property
    def tokenizer(self) -> Union[Tokenizer, Any]:
        """The model's Tokenizer; None where its folder has none."""
        return self._tokenizer

    def session(self) -> Session:
        """A session at rest of this thread's own, kept for its next call."""
        local = self._local
        if local.pid != os.getpid():
            local.sessions, local.pid = [], os.getpid()
        for session in local.sessions:
            if not session.busy:
                return session
        session = Session(self._core, self._threads)
        local.sessions.append(session)
        return session

    def __repr__(self) -> str:
        if self._source[1]["tokenizer_only"]:
            return f"<nextoken.Model {self.path!r}: its tokenizer alone>"
        i = self.info
        return (f"<nextoken.Model {i.path!r}: {i.architecture}, {i.n_parameters:,} parameters, "
                f"{i.n_layer} blocks of {i.n_head} heads, width {i.n_embd}, context {i.n_context}, "
                f"{i.precision} on {i.isa}>")


def load(path: Path = None, *, tokenizer_only: bool = False, precision: str = "auto",
         reading: str = "file", offline: Optional[bool] = None, refresh: bool = False, cache: Any = None,
         token: Optional[str] = None, endpoint: Optional[str] = None,
         progress: Optional[Callable[[str, int, int], Any]] = None,
         note: Optional[Callable[[str], Any]] = None, threads: int = 0) -> Model:
    """Opens a model: a folder, a .gguf or .safetensors file, a name on the Hugging Face Hub ("gpt2",
    "openai-community/gpt2-large@main"), or with None or "tales" the one that is built in.

    tokenizer_only: for encoding and decoding alone. precision: of the arithmetic, whatever the file
    stores: "f32" (and "auto"), or "bf16", which reads half as much memory and keeps about three digits.
    reading: "file" takes tokenizer.json at its word,
    "transformers" as AutoTokenizer does. offline, refresh, cache, token, endpoint: of the hub, in place
    of the environment's HF_HUB_OFFLINE and so on. progress(what, done, total) and note(line) hear of
    downloads. threads: of each session (0: OMP_NUM_THREADS, else the processors that may be used).
    """
    return Model(path, tokenizer_only=tokenizer_only, precision=precision, reading=reading, offline=offline,
                 refresh=refresh, cache=cache, token=token, endpoint=endpoint, progress=progress,
                 note=note, threads=threads)
