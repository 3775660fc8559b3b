# Types of auto.py: of which class the model is, the checkpoint says. Names of it that differ from
# those that are given here are Any.
from typing import Any, NoReturn

from .causal import CausalLM
from .config_base import Path
from .headless import Headless
from .model import PreTrainedModel

class _Writes(CausalLM, PreTrainedModel): ...
class _Reads(Headless, PreTrainedModel): ...

class AutoModelForCausalLM:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, *model_args: Any,
                        **kwargs: Any) -> _Writes: ...
    @classmethod
    def from_config(cls, config: Any, **kwargs: Any) -> NoReturn: ...

class AutoModel(AutoModelForCausalLM):
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, *model_args: Any, **kwargs: Any) -> _Reads: ...  # type: ignore[override]
