# Types of utils.py.
from . import logging as logging
from .batch import PaddingStrategy as PaddingStrategy
from .batch import TensorType as TensorType
from .outputs import ModelOutput as ModelOutput

def is_torch_available() -> bool: ...
