"""Types of arguments, for type checkers and editors; nothing of it is needed to run.

GenerateOptions has every generation option of the library's table (tests/python/test_jobs.py holds the
two together). `nextoken.options.table()` tells of each what it does, its range and its default.
"""

from __future__ import annotations

from typing import Any, List, Literal, Mapping, Sequence, Tuple, TypedDict, Union

__all__ = ["Biases", "GenerateOptions", "Ids", "Text", "Texts"]

Ids = Union[int, Sequence[int]]
#: {id or (id, id, ...): bias}, or [[[id, id, ...], bias], ...]
Biases = Union[Mapping[Union[int, Tuple[int, ...]], float], Sequence[Tuple[Sequence[int], float]],
               List[List[Any]]]

#: one text, or its token ids (an array of integers [n] does, too)
Text = Union[str, bytes, List[int], Tuple[int, ...], range]
#: several
Texts = Union[Sequence[str], Sequence[bytes], Sequence[Sequence[int]]]


class GenerateOptions(TypedDict, total=False):
    """Hugging Face's generation options by their names, and nextoken's own."""

    # length and stopping
    max_new_tokens: int
    max_length: int
    min_new_tokens: int
    min_length: int
    eos_token_id: Ids
    stop_strings: Union[str, Sequence[str]]
    max_time: float
    exponential_decay_length_penalty: Tuple[int, float]

    # search
    do_sample: bool
    num_beams: int
    length_penalty: float
    early_stopping: Union[bool, Literal["never"]]
    num_return_sequences: int
    best_of: int
    search: Literal["auto", "exact"]
    horizon: int
    max_nodes: int
    min_probability: float

    # drawing
    temperature: float
    top_h: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    epsilon_cutoff: float
    eta_cutoff: float
    seed: int
    rng: Literal["philox", "torch"]

    # repetition
    repetition_penalty: float
    encoder_repetition_penalty: float
    frequency_penalty: float
    presence_penalty: float
    no_repeat_ngram_size: int
    encoder_no_repeat_ngram_size: int

    # bans and biases
    bad_words_ids: Sequence[Sequence[int]]
    suppress_tokens: Ids
    begin_suppress_tokens: Ids
    sequence_bias: Biases
    logit_bias: Biases
    forced_bos_token_id: int
    forced_eos_token_id: Ids

    # guidance and numbers
    guidance_scale: float
    negative_prompt: str
    negative_prompt_ids: Ids
    remove_invalid_values: bool
    renormalize_logits: bool

    # assisted decoding
    prompt_lookup_num_tokens: int
    max_matching_ngram_size: int
    num_assistant_tokens: int
    num_assistant_tokens_schedule: Literal["constant", "heuristic", "heuristic_transient"]
    assistant_confidence_threshold: float
    assistant_ensemble_weight: float

    # what is kept
    choices: int
