# Types of utils.py.
from typing import Any

from ..outputs import Array
from .mixin import GenerationMixin as GenerationMixin
from .outputs import GenerateBeamDecoderOnlyOutput as GenerateBeamDecoderOnlyOutput
from .outputs import GenerateDecoderOnlyOutput as GenerateDecoderOnlyOutput

def generate(model: Any, inputs: Any = None, generation_config: Any = None, logits_processor: Any = None,
             stopping_criteria: Any = None, prefix_allowed_tokens_fn: Any = None, synced_gpus: Any = None,
             assistant_model: Any = None, streamer: Any = None, negative_prompt_ids: Any = None,
             negative_prompt_attention_mask: Any = None, custom_generate: Any = None,
             **kwargs: Any) -> Any: ...

def compute_transition_scores(model: Any, sequences: Any, scores: Any, beam_indices: Any = None,
                              normalize_logits: bool = False) -> Array: ...
