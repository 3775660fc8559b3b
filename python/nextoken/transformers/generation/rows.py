"""Rows of ids and of scores, as torch tensors outside and as NumPy arrays inside, never copied between.

Letters: R rows, T positions, V vocabulary.
"""

import sys

import numpy as np

__all__ = ["as_ids", "as_scores", "is_tensor", "like", "log_softmax", "softmax", "to_tensor",
           "top", "torch_of"]


def torch_of(*values):
    """torch where one of the values is a tensor of it, else None. torch is never imported here."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):
        return None
    return torch if any(isinstance(value, torch.Tensor) for value in values) else None


def is_tensor(value):
    """Whether it is a tensor of torch."""
    return torch_of(value) is not None


def to_numpy(value):
    """A tensor's or an array's own memory as an array; lists are copied."""
    if is_tensor(value):
        return value.detach().cpu().numpy()
    return np.asarray(value)


def as_ids(value):
    """Ids [R, T] as int64."""
    return to_numpy(value).astype(np.int64, copy=False)


def as_scores(value):
    """Scores [R, V] as float32, in their own memory where they are that already."""
    torch = torch_of(value)
    if torch is not None and value.dtype in (torch.bfloat16, torch.float16):
        value = value.float()
    return to_numpy(value).astype(np.float32, copy=False)


def to_tensor(array, torch):
    """The array's memory as a tensor; torch None: the array itself."""
    if torch is None:
        return array
    if not array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy()
    return torch.from_numpy(array)


def like(array, model):
    """The array in the form of `model`: a tensor of its type where that is a tensor."""
    torch = torch_of(model)
    if torch is None:
        return array.astype(model.dtype, copy=False) if isinstance(model, np.ndarray) else array
    return to_tensor(array, torch).to(device=model.device, dtype=model.dtype)


# ---- Arithmetic -------------------------------------------------------------------------------


def _shifted(x):
    """x less its largest, row by row; a row of -inf alone becomes NaN, as in torch."""
    with np.errstate(invalid="ignore"):
        return x - x.max(axis=-1, keepdims=True)


def softmax(x):
    """exp(x) over its sum, along the last axis, in float32."""
    e = np.exp(_shifted(x))
    return e / e.sum(axis=-1, keepdims=True, dtype=np.float64).astype(np.float32)


def log_softmax(x):
    """log of softmax(x), in float32."""
    y = _shifted(x)
    with np.errstate(divide="ignore"):
        return y - np.log(np.exp(y).sum(axis=-1, keepdims=True, dtype=np.float64)).astype(np.float32)


def cumulated(x):
    """Running sums along the last axis: in float64, each rounded to float32, as torch has them."""
    return np.cumsum(x, axis=-1, dtype=np.float64).astype(np.float32)


def top(x, k):
    """The k largest of each row [R, N], largest first, and where they stand; of equals the first."""
    n = x.shape[-1]
    if k < n:
        at = np.argpartition(x, n - k, axis=-1)[..., n - k:]
        least = np.take_along_axis(x, at, -1).min(axis=-1, keepdims=True)
        if ((x >= least).sum(axis=-1) == k).all():
            at.sort(axis=-1)
        else:  # equals at the border: the first of them
            at = np.stack([np.flatnonzero(row >= low)[np.argsort(-row[row >= low], kind="stable")[:k]]
                           for row, low in zip(x, least)])
            at.sort(axis=-1)
    else:
        at = np.broadcast_to(np.arange(n), x.shape)
    values = np.take_along_axis(x, at, -1)
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.take_along_axis(values, order, -1), np.take_along_axis(at, order, -1)


def kth_largest(x, k):
    """The k-th largest of each row [R, 1]."""
    n = x.shape[-1]
    return np.partition(x, n - k, axis=-1)[..., n - k, None]
