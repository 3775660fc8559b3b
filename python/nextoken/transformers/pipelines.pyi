# Types of pipelines.py.
import enum
from typing import Any, Dict, Optional, Union

class ReturnType(enum.Enum):
    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2

class Pipeline:
    prefix: Any
    device: Any
    call_count: int
    def __init__(self, model: Any, tokenizer: Any = None, task: Any = ..., device: Any = None,
                 batch_size: Any = None, num_workers: Any = None, assistant_model: Any = None,
                 assistant_tokenizer: Any = None, **kwargs: Any) -> None: ...
    def save_pretrained(self, save_directory: Any, **kwargs: Any) -> None: ...
    def __call__(self, inputs: Any, *args: Any, num_workers: Any = None, batch_size: Any = None,
                 **kwargs: Any) -> Any: ...
    def forward(self, model_inputs: Any, **forward_params: Any) -> Any: ...

class TextGenerationPipeline(Pipeline):
    def preprocess(self, prompt_text: Any, prefix: str = '', handle_long_generation: Any = None,
                   add_special_tokens: Any = None, truncation: Union[bool, str, None] = None,
                   padding: Any = None, max_length: Any = None, tokenizer_encode_kwargs: Any = None,
                   **generate_kwargs: Any) -> Any: ...
    def postprocess(self, model_outputs: Any, return_type: Any = ...,
                    clean_up_tokenization_spaces: Any = None, skip_special_tokens: Any = None) -> Any: ...

def pipeline(task: Optional[str] = None, model: Any = None, config: Any = None, tokenizer: Any = None,
             feature_extractor: Any = None, image_processor: Any = None, video_processor: Any = None,
             processor: Any = None, revision: Optional[str] = None, use_fast: bool = True,
             token: Union[str, bool, None] = None, device: Any = None, device_map: Any = None,
             dtype: Any = 'auto', trust_remote_code: Optional[bool] = None,
             model_kwargs: Optional[Dict[str, Any]] = None, pipeline_class: Any = None,
             **kwargs: Any) -> TextGenerationPipeline: ...
