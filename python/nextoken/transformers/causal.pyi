# Types of causal.py.
from typing import Any, Dict, Optional, Type

from . import model, outputs
from .cache import Cache
from .generation.mixin import GenerationMixin
from .outputs import Array

class CausalLM(GenerationMixin):
    def forward(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                inputs_embeds: Array = None, labels: Array = None, use_cache: Optional[bool] = None,
                output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                return_dict: Optional[bool] = None, logits_to_keep: Any = 0,
                **kwargs: Any) -> outputs.CausalLMOutputWithPast: ...
    def __call__(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                 attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                 inputs_embeds: Array = None, labels: Array = None, use_cache: Optional[bool] = None,
                 output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                 return_dict: Optional[bool] = None, logits_to_keep: Any = 0,
                 **kwargs: Any) -> outputs.CausalLMOutputWithPast: ...

class GPT2LMHeadModel(CausalLM, model.GPT2PreTrainedModel):
    def forward(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                inputs_embeds: Array = None, labels: Array = None, use_cache: Optional[bool] = None,
                output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                return_dict: Optional[bool] = None, logits_to_keep: Any = 0,
                **kwargs: Any) -> outputs.CausalLMOutputWithCrossAttentions: ...
    def __call__(self, input_ids: Array = None, *, past_key_values: Optional[Cache] = None,
                 attention_mask: Array = None, token_type_ids: Array = None, position_ids: Array = None,
                 inputs_embeds: Array = None, labels: Array = None, use_cache: Optional[bool] = None,
                 output_attentions: Optional[bool] = None, output_hidden_states: Optional[bool] = None,
                 return_dict: Optional[bool] = None, logits_to_keep: Any = 0,
                 **kwargs: Any) -> outputs.CausalLMOutputWithCrossAttentions: ...

class GPTNeoForCausalLM(CausalLM, model.GPTNeoPreTrainedModel): ...
class GPTNeoXForCausalLM(CausalLM, model.GPTNeoXPreTrainedModel): ...
class OPTForCausalLM(CausalLM, model.OPTPreTrainedModel): ...
class LlamaForCausalLM(CausalLM, model.LlamaPreTrainedModel): ...
class Qwen2ForCausalLM(CausalLM, model.Qwen2PreTrainedModel): ...

CLASSES: Dict[str, Type[Any]]
