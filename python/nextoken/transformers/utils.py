"""The parts of transformers.utils that programs reach for."""

from . import logging
from .batch import PaddingStrategy, TensorType
from .outputs import ModelOutput
from .tensors import has_torch

__all__ = ["ModelOutput", "PaddingStrategy", "TensorType", "is_torch_available", "logging"]


def is_torch_available():
    """Whether torch is installed."""
    return has_torch()
