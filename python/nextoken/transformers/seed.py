"""set_seed, and the stream that ids are drawn from: torch's CPU generator.

Where torch has been imported the stream is torch's own, so that torch.manual_seed() counts and what
torch draws afterwards is what it would have drawn behind transformers. Else it is one of this process,
which set_seed() seeds, in the same form and with the same numbers.
"""

import contextlib
import os
import random
import sys
import threading

import numpy as np

from ..library import CONSTANTS, check, ffi, lib, owned
from . import tensors

__all__ = ["enable_full_determinism", "get_state", "set_seed", "set_state", "torch_rng", "words"]

_lock = threading.RLock()
_own = None  # the state of this process' own stream: uint8 [5056]


def set_seed(seed, deterministic=False):
    """Seeds Python's random, NumPy and, where it is installed, torch, as transformers does; without
    torch, the stream that generate() draws from. deterministic: of torch's own operations."""
    global _own
    random.seed(seed)
    np.random.seed(seed)
    torch = tensors.torch()
    if torch is not None:
        torch.manual_seed(seed)
        if deterministic:
            torch.use_deterministic_algorithms(True)
        return
    with _lock:
        _own = _seeded(seed)


def enable_full_determinism(seed, warn_only=False):
    """set_seed, and torch's own operations deterministic; the library's always are."""
    set_seed(seed)
    torch = tensors.torch()
    if torch is not None:
        torch.use_deterministic_algorithms(True, warn_only=warn_only)


def get_state():
    """Where the stream stands: uint8 [5056], the form of torch.get_rng_state()."""
    global _own
    torch = _torch()
    if torch is not None:
        return torch.get_rng_state().numpy()
    with _lock:
        if _own is None:
            _own = _seeded(int.from_bytes(os.urandom(8), "little"))
        return _own.copy()


def set_state(state):
    """Puts the stream where get_state() found it."""
    global _own
    state = np.ascontiguousarray(state, np.uint8)
    torch = _torch()
    if torch is not None:
        torch.set_rng_state(torch.from_numpy(state))
        return
    with _lock:
        _own = state.copy()


@contextlib.contextmanager
def torch_rng():
    """`with torch_rng() as rng:` gives the stream as an nt_torch_rng *, for the field of that name in
    nt_generate_options; where it stands at the end, the stream goes on. Also after an error: torch's
    has been used up to there too.

    While one thread draws, another one gets numbers of the system's: draws that cross have no order
    that a seed could bring back.
    """
    if not _lock.acquire(blocking=False):
        yield _new(int.from_bytes(os.urandom(8), "little"))
        return
    try:
        rng = _loaded(get_state())
        try:
            yield rng
        finally:
            set_state(_state_of(rng))
    finally:
        _lock.release()


def words(n):
    """The stream's next n numbers of 32 bits: uint32 [n]."""
    with _lock:
        state = get_state().copy()
        left, at = state[8:12].view(np.int32), state[16:24].view(np.uint64)
        key = state[24:24 + 624 * 8].view(np.uint64)
        twister = np.random.MT19937()
        twister.state = {"bit_generator": "MT19937",
                         "state": {"key": key.astype(np.uint32),
                                   "pos": 624 if left[0] == 1 else int(at[0])}}
        drawn = twister.random_raw(n).astype(np.uint32)
        if n:
            key[:], at[0] = twister.state["state"]["key"], twister.state["state"]["pos"]
            left[0] = 625 - int(at[0])
            set_state(state)
        return drawn


def _torch():
    """torch where somebody has imported it."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "get_rng_state") else None


# ---- The library's generator --------------------------------------------------------------------

_SIZE = CONSTANTS["NT_TORCH_STATE"]


def _new(seed):
    out = ffi.new("nt_torch_rng **")
    check(lib.nt_torch_rng_new(out, seed & (2 ** 64 - 1)))
    return owned(out[0], "nt_torch_rng_free")


def _seeded(seed):
    return _state_of(_new(seed))


def _loaded(state):
    rng = _new(0)
    state = np.ascontiguousarray(state, np.uint8)
    check(lib.nt_torch_rng_set_state(rng, ffi.from_buffer("uint8_t[]", state), state.size))
    return rng


def _state_of(rng):
    state = np.empty(_SIZE, np.uint8)
    check(lib.nt_torch_rng_get_state(ffi.from_buffer("uint8_t[]", state, True), _SIZE, rng))
    return state
