"""Types of jobs.py: what each job takes and returns."""

from os import PathLike
from typing import Any, Callable, Iterable, Literal, Mapping, Optional, Tuple, Union, overload

import numpy as np
from typing_extensions import Unpack

from .model import Model
from .progress import Progress
from .results import (Continuations, Explanation, Facts, Generation, Inspection, Next, Perplexity,
                      Results, Score, Steps, Tensors, TensorsCompared, Tokens, Versus)
from .streams import Stream
from .arguments import GenerateOptions, Text, Texts

__all__ = ["Jobs", "diff", "tensors", "versus"]

Note = Optional[Callable[[str], Any]]
Path = Union[str, "PathLike[str]"]
Process = Optional[Callable[[np.ndarray, np.ndarray], Any]]
Stop = Optional[Callable[[np.ndarray], Any]]
By = Literal["text", "token", "word", "char"]
Correction = Literal["whitespace", "pimentel_meister", "oh_schuler"]

class Jobs:
    @overload
    def next(self, text: Text, k: int = 10, *, logits: bool = False, add_bos: bool = False,  # type: ignore[overload-overlap]
             add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
             return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Next: ...
    @overload
    def next(self, text: Texts, k: int = 10, *, logits: bool = False, add_bos: bool = False,
             add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
             return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Results[Next]: ...
    @overload
    def next(self, text: Any, k: int = 10, *, logits: bool = False, add_bos: bool = False,
             add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
             return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Any: ...

    @overload
    def generate(self, text: Text, *, stream: Literal[True], process: Process = None, stop: Stop = None,
                 assistant: Optional[Model] = None, config: Optional[Path] = None,
                 on_text: Optional[Callable[[str], Any]] = None, add_bos: bool = False,
                 add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                 return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Stream: ...
    @overload
    def generate(self, text: Text, *, stream: Literal[False] = False, process: Process = None,  # type: ignore[overload-overlap]
                 stop: Stop = None, assistant: Optional[Model] = None, config: Optional[Path] = None,
                 on_text: Optional[Callable[[str], Any]] = None, add_bos: bool = False,
                 add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                 return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Generation: ...
    @overload
    def generate(self, text: Texts, *, stream: Literal[False] = False, process: Process = None,
                 stop: Stop = None, assistant: Optional[Model] = None, config: Optional[Path] = None,
                 on_text: Optional[Callable[[str], Any]] = None, add_bos: bool = False,
                 add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                 return_exceptions: bool = False,
                 **options: Unpack[GenerateOptions]) -> Results[Generation]: ...
    @overload
    def generate(self, text: Any, *, stream: bool = False, process: Process = None, stop: Stop = None,
                 assistant: Optional[Model] = None, config: Optional[Path] = None,
                 on_text: Optional[Callable[[str], Any]] = None, add_bos: bool = False,
                 add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                 return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Any: ...

    @overload
    def steps(self, text: Text, *, process: Process = None, stop: Stop = None,  # type: ignore[overload-overlap]
              assistant: Optional[Model] = None, config: Optional[Path] = None, add_bos: bool = False,
              add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Steps: ...
    @overload
    def steps(self, text: Texts, *, process: Process = None, stop: Stop = None,
              assistant: Optional[Model] = None, config: Optional[Path] = None, add_bos: bool = False,
              add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Results[Steps]: ...
    @overload
    def steps(self, text: Any, *, process: Process = None, stop: Stop = None,
              assistant: Optional[Model] = None, config: Optional[Path] = None, add_bos: bool = False,
              add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False, **options: Unpack[GenerateOptions]) -> Any: ...

    @overload
    def score(self, text: Text, *, continuations: Union[str, Iterable[str]],  # type: ignore[overload-overlap]
              prompt: Union[str, bytes, None] = None, prompt_len: int = 0,
              by: Union[By, Iterable[By]] = "token", correction: Correction = "whitespace", k: int = 0,
              add_bos: bool = False, add_eos: bool = False, add_prefix_space: bool = False,
              window: int = 0, stride: int = 0, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False) -> Continuations: ...
    @overload
    def score(self, text: Texts, *, continuations: Union[str, Iterable[str]],
              prompt: Union[str, bytes, None] = None, prompt_len: int = 0,
              by: Union[By, Iterable[By]] = "token", correction: Correction = "whitespace", k: int = 0,
              add_bos: bool = False, add_eos: bool = False, add_prefix_space: bool = False,
              window: int = 0, stride: int = 0, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False) -> Results[Continuations]: ...
    @overload
    def score(self, text: Text, *, continuations: None = None, prompt: Union[str, bytes, None] = None,  # type: ignore[overload-overlap]
              prompt_len: int = 0, by: Union[By, Iterable[By]] = "token",
              correction: Correction = "whitespace", k: int = 0, add_bos: bool = False,
              add_eos: bool = False, add_prefix_space: bool = False, window: int = 0, stride: int = 0,
              note: Note = None, progress: Progress = None, return_exceptions: bool = False) -> Score: ...
    @overload
    def score(self, text: Texts, *, continuations: None = None, prompt: Union[str, bytes, None] = None,
              prompt_len: int = 0, by: Union[By, Iterable[By]] = "token",
              correction: Correction = "whitespace", k: int = 0, add_bos: bool = False,
              add_eos: bool = False, add_prefix_space: bool = False, window: int = 0, stride: int = 0,
              note: Note = None, progress: Progress = None,
              return_exceptions: bool = False) -> Results[Score]: ...
    @overload
    def score(self, text: Any, *, continuations: Any = None, prompt: Union[str, bytes, None] = None,
              prompt_len: int = 0, by: Union[By, Iterable[By]] = "token",
              correction: Correction = "whitespace", k: int = 0, add_bos: bool = False,
              add_eos: bool = False, add_prefix_space: bool = False, window: int = 0, stride: int = 0,
              note: Note = None, progress: Progress = None, return_exceptions: bool = False) -> Any: ...

    @overload
    def perplexity(self, text: Text, *, window: int = 0, stride: int = 0, add_bos: bool = False,  # type: ignore[overload-overlap]
                   add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                   return_exceptions: bool = False) -> Perplexity: ...
    @overload
    def perplexity(self, text: Texts, *, window: int = 0, stride: int = 0, add_bos: bool = False,
                   add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                   return_exceptions: bool = False) -> Results[Perplexity]: ...
    @overload
    def perplexity(self, text: Any, *, window: int = 0, stride: int = 0, add_bos: bool = False,
                   add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                   return_exceptions: bool = False) -> Any: ...

    def versus(self, other: Optional[Model], text: Text, *,
               options: Optional[GenerateOptions] = None,
               other_options: Optional[GenerateOptions] = None, prompt_len: int = 0,
               add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
               progress: Progress = None) -> Versus: ...

    @overload
    def inspect(self, text: Text, *, logits: bool = False, hidden_states: bool = False,  # type: ignore[overload-overlap]
                attentions: bool = False, logit_lens: bool = False, layers: int = 0,
                attention: Union[None, int, Tuple[int, int]] = None, attention_heads: bool = False,
                npz: Optional[Path] = None, add_bos: bool = False, add_prefix_space: bool = False,
                note: Note = None, progress: Progress = None,
                return_exceptions: bool = False) -> Inspection: ...
    @overload
    def inspect(self, text: Texts, *, logits: bool = False, hidden_states: bool = False,
                attentions: bool = False, logit_lens: bool = False, layers: int = 0,
                attention: Union[None, int, Tuple[int, int]] = None, attention_heads: bool = False,
                npz: None = None, add_bos: bool = False, add_prefix_space: bool = False,
                note: Note = None, progress: Progress = None,
                return_exceptions: bool = False) -> Results[Inspection]: ...
    @overload
    def inspect(self, text: Any, *, logits: bool = False, hidden_states: bool = False,
                attentions: bool = False, logit_lens: bool = False, layers: int = 0,
                attention: Union[None, int, Tuple[int, int]] = None, attention_heads: bool = False,
                npz: Optional[Path] = None, add_bos: bool = False, add_prefix_space: bool = False,
                note: Note = None, progress: Progress = None, return_exceptions: bool = False) -> Any: ...

    def explain(self, option: str, text: Optional[Text] = None, *, add_bos: bool = False,
                add_prefix_space: bool = False, **options: Unpack[GenerateOptions]) -> Explanation: ...

    @overload
    def tokenize(self, text: Text, *, return_exceptions: bool = False, **options: Any) -> Tokens: ...
    @overload
    def tokenize(self, text: Texts, *, return_exceptions: bool = False,
                 **options: Any) -> Results[Tokens]: ...
    @overload
    def tokenize(self, text: Any, *, return_exceptions: bool = False, **options: Any) -> Any: ...

    def describe(self) -> Facts: ...
    def tensors(self, *, statistics: bool = True, threads: int = 0,
                progress: Progress = None) -> Tensors: ...
    def diff(self, other: Union[Model, Path, None], *, threads: int = 0,
             progress: Progress = None) -> TensorsCompared: ...

def tensors(model: Union[Model, Path, None] = None, *, statistics: bool = True, threads: int = 0,
            progress: Progress = None) -> Tensors: ...
def diff(a: Union[Model, Path, None], b: Union[Model, Path, None], *, threads: int = 0,
         progress: Progress = None) -> TensorsCompared: ...
def versus(a: Model, b: Model, text: Text, *, options_a: Optional[Mapping[str, Any]] = None,
           options_b: Optional[Mapping[str, Any]] = None, label_a: Optional[str] = None,
           label_b: Optional[str] = None, prompt_len: int = 0, add_bos: bool = False,
           add_prefix_space: bool = False, note: Note = None, progress: Progress = None) -> Versus: ...
