"""What jobs return: small objects over nt_result.

Each prints as a table, shows itself in a notebook, and gives its numbers as attributes, as a dict and
as a DataFrame. Most are sequences: of candidates, steps, outputs, tokens, tensors.
"""

from __future__ import annotations

from typing import Any

from ..library import lib
from .base import Result, Results, Rows
from .checkpoints import (DiffSum, TensorDiff, TensorInfo, Tensors, TensorsCompared, Versus,
                          VersusToken)
from .choices import Next, Step, Steps
from .generation import Beam, Effort, Generation, Output, Proof
from .inside import Head, Inspection, LayerCell, LayerChoice
from .others import Compared, Counts, Explanation, Facts, Option, Text, Tokens
from .scores import Char, Continuation, Continuations, Perplexity, Score, ScoredToken, Totals, Word
from .tokens import Candidate, Change, Token

__all__ = ["Beam", "Candidate", "Change", "Char", "Compared", "Continuation", "Continuations",
           "Counts", "DiffSum", "Effort", "Explanation", "Facts", "Generation", "Head",
           "Inspection", "LayerCell", "LayerChoice", "Next", "Option", "Output", "Perplexity",
           "Proof", "Result", "Results", "Rows", "Score", "ScoredToken", "Step", "Steps",
           "TensorDiff", "TensorInfo", "Tensors", "TensorsCompared", "Text", "Token", "Tokens",
           "Totals", "Versus", "VersusToken", "Word", "wrap"]

_CLASSES = {kind: made for made in
            (Next, Steps, Generation, Score, Continuations, Perplexity, Inspection, Tokens, Text,
             Compared, Counts, Facts, Explanation, Tensors, TensorsCompared, Versus)
            for kind in made.kinds}


def wrap(handle: Any) -> Result:
    """The object of an nt_result * that library.owned() or result_of() gave."""
    return _CLASSES.get(lib.nt_result_get_kind(handle), Result)(handle)
