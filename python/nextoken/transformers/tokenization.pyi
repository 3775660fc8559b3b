# Types of tokenization.py.
from typing import Any, Dict

from .tokenization_base import Path
from .tokenizers_backend import TokenizersBackend as TokenizersBackend

PreTrainedTokenizerFast = TokenizersBackend

class GPT2Tokenizer(TokenizersBackend):
    vocab_files_names: Dict[str, str]

class CodeGenTokenizer(GPT2Tokenizer): ...
class GPTNeoXTokenizer(GPT2Tokenizer): ...

class LlamaTokenizer(TokenizersBackend):
    vocab_files_names: Dict[str, str]
    padding_side: str

class GemmaTokenizer(TokenizersBackend):
    padding_side: str

class Qwen2Tokenizer(TokenizersBackend):
    vocab_files_names: Dict[str, str]

class Qwen3_5Tokenizer(Qwen2Tokenizer): ...
GPT2TokenizerFast = GPT2Tokenizer
GPTNeoXTokenizerFast = GPTNeoXTokenizer
LlamaTokenizerFast = LlamaTokenizer
GemmaTokenizerFast = GemmaTokenizer
Qwen2TokenizerFast = Qwen2Tokenizer

class AutoTokenizer:
    def __init__(self) -> None: ...
    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Path, *inputs: Any,
                        **kwargs: Any) -> TokenizersBackend: ...
    @staticmethod
    def register(*args: Any, **kwargs: Any) -> None: ...
