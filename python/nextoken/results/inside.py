"""Inside the model: hidden states, attentions, and what every layer would say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from ..library import NULL, lib
from .base import Result
from .choices import tensor
from .tokens import Token, shown, token, token_bytes

if TYPE_CHECKING:
    import numpy

__all__ = ["Head", "Inspection", "LayerCell", "LayerChoice"]

_TENSORS = ("logits", "hidden_states", "attentions", "logit_lens_uncalibrated", "hidden_norms")


class LayerChoice(NamedTuple):
    """A token that a layer would say."""

    token: Optional[str]
    id: int
    prob: float
    logprob: float


class LayerCell(NamedTuple):
    """What a layer would say at one position, if it were the last (uncalibrated: the final norm and
    the head were trained for the last one)."""

    likeliest: Tuple[LayerChoice, ...]
    entropy: float          #: in nats
    next_rank: int          #: of the token that comes next; 1 is the likeliest
    next_prob: float
    next_logprob: float


class Head(NamedTuple):
    """Where one head looks."""

    layer: int
    head: Optional[int]         #: None: the mean of the layer's heads
    weights: "numpy.ndarray"    #: float32 [T, T], row t from position t to those up to it


class Inspection(Result):
    """What a model computes inside for a text. Arrays lie over the result's own memory, which they
    keep alive; None for what was not asked for.

    Letters: T positions, V vocabulary, D width, L blocks, H heads.
    """

    kinds = (lib.NT_RESULT_INSPECT,)

    @property
    def tokens(self) -> List[Token]:
        """The text's tokens, [T]."""
        return self._tokens()

    @property
    def ids(self) -> List[int]:
        """Their ids, [T]."""
        return [t.id for t in self._tokens()]

    @property
    def logits(self) -> "numpy.ndarray":
        """float32 [T, V] with logits=True, else those of the last position, [1, V]."""
        found = tensor(self, "logits")
        assert found is not None
        return found

    @property
    def hidden_states(self) -> Optional["numpy.ndarray"]:
        """float32 [L + 1, T, D], as transformers': embeddings, the output of blocks 0 to L - 2, and last
        the output of the final norm."""
        return tensor(self, "hidden_states")

    @property
    def hidden_norms(self) -> "numpy.ndarray":
        """float32 [L + 1]: the L2 norm of each layer's hidden states."""
        found = tensor(self, "hidden_norms")
        assert found is not None
        return found

    @property
    def attentions(self) -> Optional["numpy.ndarray"]:
        """float32 [L, H, T, T], from a position to those up to it; zeros behind."""
        return tensor(self, "attentions")

    @property
    def logit_lens(self) -> Optional["numpy.ndarray"]:
        """float32 [L + 1, T, V]: final norm and head on the embeddings and on every block's output;
        uncalibrated, but for the last layer."""
        return tensor(self, "logit_lens_uncalibrated")

    @property
    def arrays(self) -> Dict[str, "numpy.ndarray"]:
        """All arrays that were kept, by the names that save("x.npz") gives them."""
        found = ((name, tensor(self, name)) for name in _TENSORS)
        return {name: array for name, array in found if array is not None}

    @property
    def layers(self) -> List[List[LayerCell]]:
        """[layer][position], embeddings first, where layers= asked for them."""
        n = len(self._tokens())
        return [[self._cell(layer, t) for t in range(n)]
                for layer in range(lib.nt_result_n_layers(self.handle))]

    def _cell(self, layer: int, t: int) -> LayerCell:
        c = lib.nt_result_layer(self.handle, layer, t)
        said = tuple(LayerChoice(shown(token_bytes(c.likeliest[i].token)), c.likeliest[i].token.id,
                                 c.likeliest[i].prob, c.likeliest[i].logprob)
                     for i in range(c.n_likeliest))
        return LayerCell(said, c.entropy, c.next_rank, c.next_prob, c.next_logprob)

    @property
    def next(self) -> List[Token]:
        """What comes next behind each position, where layers= was given; behind the last one what the
        last layer makes likeliest."""
        if lib.nt_result_n_layers(self.handle) == 0:
            return []
        found = (lib.nt_result_layer_next(self.handle, t) for t in range(len(self._tokens())))
        return [token(c) for c in found if c != NULL]

    @property
    def heads(self) -> List[Head]:
        """Where the heads look that attention= asked for; with attention_heads=True the mean first."""
        from ..arrays import view

        n = len(self._tokens())
        made = []
        for i in range(lib.nt_result_n_attentions(self.handle)):
            c: Any = lib.nt_result_attention(self.handle, i)
            made.append(Head(c.layer, None if c.head < 0 else c.head, view(c.weights, (n, n), self)))
        return made

    def _brief(self) -> str:
        kept = ", ".join(f"{name} {list(array.shape)}" for name, array in self.arrays.items())
        return f"{len(self._tokens())} tokens: {kept}"
