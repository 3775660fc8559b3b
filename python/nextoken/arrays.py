"""NumPy arrays over the library's memory and pointers into arrays, without copying.

Arrays of every library that speaks the buffer protocol or DLPack (NumPy, torch on the processor, JAX)
are taken; torch is never imported here.
"""

from __future__ import annotations

from typing import Any, Sequence, Union

import numpy as np

from .library import ffi

__all__ = ["as_numpy", "float32", "int32", "pointer", "view"]

_POINTERS = {"float32": "float *", "float64": "double *", "int32": "int32_t *", "int64": "int64_t *",
             "uint8": "uint8_t *", "uint32": "uint32_t *"}


class _Memory:
    """C memory as NumPy's array interface describes it; holds what owns the memory."""

    def __init__(self, address: int, shape: Sequence[int], dtype: Any, owner: Any,
                 writeable: bool) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "shape": tuple(shape), "typestr": dtype.str,
                                    "data": (address, not writeable)}


def view(data: Any, shape: Union[int, Sequence[int]], owner: Any, dtype: Any = np.float32,
         writeable: bool = True) -> np.ndarray:
    """An array over C memory at `data`, of this shape; `owner` lives as long as the array does."""
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if 0 in shape:
        return np.empty(shape, dtype)
    if data == ffi.NULL:
        raise ValueError("there is no array: the pointer is NULL")
    address = int(ffi.cast("uintptr_t", data))
    return np.asarray(_Memory(address, shape, dtype, owner, writeable))


def as_numpy(values: Any) -> np.ndarray:
    """values as an array, not copied where they lie in memory already."""
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "detach"):  # a tensor of torch, which may track gradients or lie on a GPU
        values = values.detach()
        return values.numpy() if values.device.type == "cpu" else values.cpu().numpy()
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
        return np.from_dlpack(values)
    return np.asarray(values)


def int32(values: Any) -> np.ndarray:
    """Token ids as contiguous int32 [n]; not copied where they are that already.

    Integers of other widths are converted, and refused where 32 bits do not hold them.
    """
    array = as_numpy(values)
    if array.ndim != 1:
        raise ValueError(f"token ids stand in one row; this array has the shape {list(array.shape)}")
    if array.dtype == np.int32:
        return np.ascontiguousarray(array)
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"token ids are integers, not {array.dtype}")
    limits = np.iinfo(np.int32)
    low, high = int(array.min()), int(array.max())
    if low < limits.min or high > limits.max:
        raise OverflowError(f"a token id lies outside the numbers of 32 bits: "
                            f"{low if low < limits.min else high}")
    return np.ascontiguousarray(array, np.int32)


def float32(values: Any) -> np.ndarray:
    """Numbers as contiguous float32 of any shape; not copied where they are that already."""
    array = as_numpy(values)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"numbers are wanted, not {array.dtype}")
    return np.ascontiguousarray(array, np.float32)


def pointer(array: np.ndarray) -> Any:
    """The C pointer to a contiguous array's numbers, good for as long as the array lives."""
    if not array.flags.c_contiguous:
        raise ValueError("the array's numbers do not lie in one row")
    if array.dtype.name not in _POINTERS:
        raise TypeError(f"no C pointer for arrays of {array.dtype}")
    return ffi.cast(_POINTERS[array.dtype.name], array.ctypes.data)
