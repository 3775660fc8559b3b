"""What generate(return_dict_in_generate=True) returns. Fields are reached by name, key, index and
slice.

Letters: B prompts, n sequences returned a prompt, T positions, N new tokens, V vocabulary.
"""

from dataclasses import dataclass
from typing import Any, Optional, Tuple

from ..outputs import ModelOutput

__all__ = ["GenerateBeamDecoderOnlyOutput", "GenerateDecoderOnlyOutput"]


@dataclass
class GenerateDecoderOnlyOutput(ModelOutput):
    """Of greedy decoding, sampling and assisted decoding.

    sequences: [B n, T + N], prompts included, padded at their ends.
    scores, logits: N times [B n, V], behind and before the processors; computed when looked at.
    attentions: N times L times [B n, H, q, k]. hidden_states: N times L + 1 times [B n, q, D].
    past_key_values: keys and values of all but the last token.
    """

    sequences: Any = None
    scores: Optional[Tuple] = None
    logits: Optional[Tuple] = None
    attentions: Optional[Tuple] = None
    hidden_states: Optional[Tuple] = None
    past_key_values: Any = None


@dataclass
class GenerateBeamDecoderOnlyOutput(ModelOutput):
    """Of beam search.

    sequences: [B n, T + N], best first. sequences_scores: [B n] log-probabilities over
    length^length_penalty. scores, logits: a step's [B num_beams, V] for its running beams.
    beam_indices: [B n, N] the row of scores that each token was chosen from; -1 behind the end.
    """

    sequences: Any = None
    sequences_scores: Any = None
    scores: Optional[Tuple] = None
    logits: Optional[Tuple] = None
    beam_indices: Any = None
    attentions: Optional[Tuple] = None
    hidden_states: Optional[Tuple] = None
    past_key_values: Any = None
