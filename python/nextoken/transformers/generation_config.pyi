# Types of generation_config.py.
import dataclasses
import enum
from typing import Any, Dict, Optional

from typing_extensions import Self

from .config_base import Path, PreTrainedConfig

class GenerationMode(str, enum.Enum):
    CONTRASTIVE_SEARCH = 'contrastive_search'
    GREEDY_SEARCH = 'greedy_search'
    SAMPLE = 'sample'
    ASSISTED_GENERATION = 'assisted_generation'
    DOLA_GENERATION = 'dola_generation'
    BEAM_SEARCH = 'beam_search'
    BEAM_SAMPLE = 'beam_sample'
    CONSTRAINED_BEAM_SEARCH = 'constrained_beam_search'
    GROUP_BEAM_SEARCH = 'group_beam_search'

@dataclasses.dataclass
class WatermarkingConfig:
    greenlist_ratio: float = ...
    bias: float = ...
    hashing_key: int = ...
    seeding_scheme: str = ...
    context_width: int = ...
    @classmethod
    def from_dict(cls, config_dict: Any, **kwargs: Any) -> Any: ...
    def to_dict(self) -> Dict[str, Any]: ...
    def validate(self) -> None: ...

class GenerationConfig:
    extra_output_flags: Any
    assistant_confidence_threshold: Any
    assistant_early_exit: Any
    assistant_ensemble_weight: Any
    assistant_lookbehind: Any
    bad_words_ids: Any
    begin_suppress_tokens: Any
    bos_token_id: Any
    cache_config: Any
    cache_implementation: Any
    compile_config: Any
    constraints: Any
    continuous_batching_config: Any
    decoder_start_token_id: Any
    disable_compile: Any
    diversity_penalty: Any
    do_sample: Any
    dola_layers: Any
    early_stopping: Any
    encoder_no_repeat_ngram_size: Any
    encoder_repetition_penalty: Any
    eos_token_id: Any
    epsilon_cutoff: Any
    eta_cutoff: Any
    exponential_decay_length_penalty: Any
    force_words_ids: Any
    forced_bos_token_id: Any
    forced_eos_token_id: Any
    guidance_scale: Any
    is_assistant: Any
    length_penalty: Any
    low_memory: Any
    max_cache_len: Any
    max_length: Any
    max_matching_ngram_size: Any
    max_new_tokens: Any
    max_time: Any
    min_length: Any
    min_new_tokens: Any
    min_p: Any
    no_repeat_ngram_size: Any
    num_assistant_tokens: Any
    num_assistant_tokens_schedule: Any
    num_beam_groups: Any
    num_beams: Any
    num_return_sequences: Any
    output_attentions: Any
    output_hidden_states: Any
    output_logits: Any
    output_scores: Any
    pad_token_id: Any
    penalty_alpha: Any
    prefill_chunk_size: Any
    prompt_lookup_num_tokens: Any
    remove_invalid_values: Any
    renormalize_logits: Any
    repetition_penalty: Any
    return_dict_in_generate: Any
    sequence_bias: Any
    speculation_type: Any
    stop_strings: Any
    suppress_tokens: Any
    target_lookbehind: Any
    temperature: Any
    token_healing: Any
    top_h: Any
    top_k: Any
    top_p: Any
    transformers_version: Any
    typical_p: Any
    use_cache: Any
    use_mtp: Any
    watermarking_config: Any
    def __init__(self, **kwargs: Any) -> None: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...
    def get_generation_mode(self, assistant_model: Any = None) -> GenerationMode: ...
    def validate(self, strict: bool = False, user_set_attributes: Any = None) -> None: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name: Path, config_file_name: Optional[str] = None,
                        **kwargs: Any) -> Self: ...
    @classmethod
    def from_dict(cls, config_dict: Any, **kwargs: Any) -> Any: ...
    @classmethod
    def from_model_config(cls, model_config: PreTrainedConfig) -> Self: ...
    def to_dict(self) -> Dict[str, Any]: ...
    def to_diff_dict(self) -> Dict[str, Any]: ...
    def to_json_string(self, use_diff: bool = True, ignore_metadata: bool = False,
                       keys_to_pop: Any = None) -> str: ...
    def to_json_file(self, json_file_path: Any, use_diff: bool = True, keys_to_pop: Any = None) -> None: ...
    def save_pretrained(self, save_directory: Path, config_file_name: Any = None,
                        push_to_hub: bool = False, **kwargs: Any) -> None: ...
    def update(self, defaults_only: bool = False, allow_custom_entries: bool = False,
               **kwargs: Any) -> Dict[str, Any]: ...
