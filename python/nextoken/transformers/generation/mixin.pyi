# Types of mixin.py. generate() gives ids [B n, T + N], or with return_dict_in_generate=True a
# GenerateDecoderOnlyOutput, of beams a GenerateBeamDecoderOnlyOutput.
from typing import Any, Callable, Optional, Sequence

from ..generation_config import GenerationConfig
from ..outputs import Array
from ..streamers import BaseStreamer

class GenerationMixin:
    @classmethod
    def can_generate(cls) -> bool: ...
    def generate(self, inputs: Array = None, generation_config: Optional[GenerationConfig] = None,
                 logits_processor: Optional[Sequence[Callable[[Any, Any], Any]]] = None,
                 stopping_criteria: Optional[Sequence[Callable[..., Any]]] = None,
                 prefix_allowed_tokens_fn: Optional[Callable[[int, Any], Sequence[int]]] = None,
                 synced_gpus: Optional[bool] = None, assistant_model: Optional[GenerationMixin] = None,
                 streamer: Optional[BaseStreamer] = None, negative_prompt_ids: Array = None,
                 negative_prompt_attention_mask: Array = None, custom_generate: Any = None,
                 **kwargs: Any) -> Any: ...
    def compute_transition_scores(self, sequences: Array, scores: Sequence[Array],
                                  beam_indices: Array = None, normalize_logits: bool = False) -> Array: ...
