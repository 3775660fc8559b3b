"""Lists, NumPy arrays and torch tensors of numbers, one into the other. torch is imported only where it
is asked for, or has been imported by somebody."""

import importlib.util
import sys

from . import logging

__all__ = ["as_lists", "convert", "has_torch", "is_array", "is_tensor", "torch"]

logger = logging.get_logger(__name__)


def has_torch():
    """Whether torch is installed."""
    if "torch" in sys.modules:
        return sys.modules["torch"] is not None
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def torch():
    """The module, imported; None where it is not installed."""
    if not has_torch():
        return None
    import torch

    return torch


def is_tensor(value):
    """Whether value is a tensor of torch."""
    module = sys.modules.get("torch")
    return module is not None and isinstance(value, module.Tensor)


def is_array(value):
    """Whether value is an array of NumPy."""
    module = sys.modules.get("numpy")
    return module is not None and isinstance(value, module.ndarray)


def as_lists(value):
    """Tensors and arrays as Python numbers and lists, wherever they stand in value."""
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, dict) or (hasattr(value, "items") and hasattr(value, "keys")):
        return {key: as_lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if all(type(item) is int for item in value):
            return list(value)
        return [as_lists(item) for item in value]
    if is_tensor(value):
        return value.detach().cpu().tolist()
    if is_array(value) or hasattr(value, "__array__"):
        return value.tolist()
    module = sys.modules.get("numpy")
    if module is not None and isinstance(value, module.generic):
        return value.tolist()
    return value


def _first(value):
    """Whether there is any number in nested lists."""
    while isinstance(value, (list, tuple)):
        filled = [item for item in value if not isinstance(item, (list, tuple)) or len(item)]
        if not filled:
            return False
        value = filled[0]
    return True


def _to_numpy(value):
    import numpy

    if isinstance(value, numpy.ndarray):
        return value
    if is_tensor(value):
        return value.detach().cpu().numpy()
    if not _first(value):
        return numpy.asarray(value, dtype=numpy.int64)
    if isinstance(value, (list, tuple)) and isinstance(value[0], (list, tuple)) \
            and len({len(row) for row in value}) > 1:
        return numpy.asarray([numpy.asarray(row) for row in value], dtype=object)
    return numpy.asarray(value)


def _to_torch(value):
    import torch

    if isinstance(value, torch.Tensor):
        return value
    if is_array(value):
        return torch.from_numpy(value)
    if isinstance(value, (list, tuple)) and value and is_array(value[0]):
        import numpy

        return torch.from_numpy(numpy.array(value))
    return torch.tensor(value) if _first(value) else torch.tensor(value, dtype=torch.int64)


def convert(value, kind):
    """Nested lists as kind "pt" (torch) or "np" (NumPy). Without torch "pt" gives NumPy's arrays."""
    if kind == "pt":
        if has_torch():
            return _to_torch(value)
        logger.warning_once("torch is not installed: return_tensors=\"pt\" gives NumPy's arrays")
    return _to_numpy(value)
