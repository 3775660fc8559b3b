"""What models return: fields reached by name, key, index and slice.

Letters: B sequences, T positions, S positions with those of a cache, V vocabulary, D width, L blocks,
H heads.
"""

from collections import OrderedDict
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Optional, Tuple

Array = Any  #: a tensor of torch, or an array of NumPy

__all__ = ["BaseModelOutputWithPast", "BaseModelOutputWithPastAndCrossAttentions", "CausalLMOutput",
           "CausalLMOutputWithCrossAttentions", "CausalLMOutputWithPast", "ModelOutput"]


class ModelOutput(OrderedDict):
    """A dataclass whose fields are also the items of a dict, and of a tuple for numbers and slices.
    Fields that are None are no items: of out = model(ids), out[0] is the logits, and with labels the
    loss."""

    def __init__(self, *args, **kwargs):
        if type(self) is not ModelOutput and not is_dataclass(self):
            raise TypeError(f"{type(self).__name__} must be a dataclass, as every ModelOutput")
        super().__init__(*args, **kwargs)

    def __post_init__(self):
        for field in fields(self):
            value = self.__dict__.get(field.name)
            if value is not None:
                super().__setitem__(field.name, value)

    def _fixed(self, *args, **kwargs):
        raise TypeError(f"a {type(self).__name__} has its fields: none goes or comes")

    __delitem__ = setdefault = pop = popitem = update = clear = _fixed

    def __getitem__(self, key):
        if isinstance(key, str):
            return super().__getitem__(key)
        return self.to_tuple()[key]

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        super().__setattr__(key, value)

    def __setattr__(self, name, value):
        if value is not None and name in {field.name for field in fields(self)}:
            super().__setitem__(name, value)
        super().__setattr__(name, value)

    def to_tuple(self):
        """The values that are not None, in order."""
        return tuple(self.values())

    def __reduce__(self):
        if not is_dataclass(self):
            return super().__reduce__()
        return type(self), tuple(getattr(self, field.name) for field in fields(self))


@dataclass
class BaseModelOutputWithPast(ModelOutput):
    """last_hidden_state: [B, T, D], behind the final norm. The others as below."""

    last_hidden_state: Array = None
    past_key_values: Any = None
    hidden_states: Optional[Tuple[Any, ...]] = None
    attentions: Optional[Tuple[Any, ...]] = None


@dataclass
class BaseModelOutputWithPastAndCrossAttentions(BaseModelOutputWithPast):
    """GPT-2's. cross_attentions has nothing in it: there is no encoder."""

    cross_attentions: Optional[Tuple[Any, ...]] = None


@dataclass
class CausalLMOutput(ModelOutput):
    """loss: a number, where labels are given. logits: [B, T, V]. hidden_states: L + 1 times [B, T, D],
    the embeddings first, the last behind the final norm. attentions: L times [B, H, T, S]."""

    loss: Array = None
    logits: Array = None
    hidden_states: Optional[Tuple[Any, ...]] = None
    attentions: Optional[Tuple[Any, ...]] = None


@dataclass
class CausalLMOutputWithPast(ModelOutput):
    """As CausalLMOutput, and past_key_values: the cache that a next call goes on from."""

    loss: Array = None
    logits: Array = None
    past_key_values: Any = None
    hidden_states: Optional[Tuple[Any, ...]] = None
    attentions: Optional[Tuple[Any, ...]] = None


@dataclass
class CausalLMOutputWithCrossAttentions(CausalLMOutputWithPast):
    """GPT-2's. cross_attentions has nothing in it: there is no encoder."""

    cross_attentions: Optional[Tuple[Any, ...]] = None
