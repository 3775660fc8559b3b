# Types of headless.py.
from typing import Any, Dict, Iterator, Optional, Tuple, Type

from typing_extensions import Self

from . import model, outputs
from .cache import Cache
from .config_base import Path
from .outputs import Array
from .parameters import Parameter

class Headless:
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, *model_args: Any,
                        **kwargs: Any) -> Self: ...
    def forward(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                inputs_embeds: Array = None, use_cache: Optional[bool] = None,
                output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                return_dict: Optional[bool] = None, **kwargs: Any) -> outputs.BaseModelOutputWithPast: ...
    def __call__(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                 attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                 inputs_embeds: Array = None, use_cache: Optional[bool] = None,
                 output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                 return_dict: Optional[bool] = None, **kwargs: Any) -> outputs.BaseModelOutputWithPast: ...
    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int: ...
    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[Tuple[str, Parameter]]: ...

class GPT2Model(Headless, model.GPT2PreTrainedModel):
    def forward(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                inputs_embeds: Array = None, use_cache: Optional[bool] = None,
                output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                return_dict: Optional[bool] = None,
                **kwargs: Any) -> outputs.BaseModelOutputWithPastAndCrossAttentions: ...
    def __call__(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                 attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                 inputs_embeds: Array = None, use_cache: Optional[bool] = None,
                 output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                 return_dict: Optional[bool] = None,
                 **kwargs: Any) -> outputs.BaseModelOutputWithPastAndCrossAttentions: ...

class GPTNeoModel(Headless, model.GPTNeoPreTrainedModel): ...
class GPTNeoXModel(Headless, model.GPTNeoXPreTrainedModel): ...
class OPTModel(Headless, model.OPTPreTrainedModel): ...
class LlamaModel(Headless, model.LlamaPreTrainedModel): ...
class Qwen2Model(Headless, model.Qwen2PreTrainedModel): ...

HEADLESS: Dict[str, Type[Any]]
