"""Models that write: GPT2LMHeadModel and its kin, logits behind every position.

Letters: B rows, T positions, S with those of a cache, V vocabulary, D width, L blocks, H heads.
"""

import numpy as np

from ..arrays import as_numpy
from . import model, outputs
from .generation.mixin import GenerationMixin
from .inputs import refuse_arguments
from .loss import causal_loss

__all__ = ["CLASSES", "GPT2LMHeadModel", "GPTNeoForCausalLM", "GPTNeoXForCausalLM", "LlamaForCausalLM",
           "OPTForCausalLM", "Qwen2ForCausalLM"]


class CausalLM(GenerationMixin):
    """The head, and what is done with its logits."""

    output_class = outputs.CausalLMOutputWithPast

    def forward(self, input_ids=None, *, past_key_values=None, attention_mask=None, token_type_ids=None,
                position_ids=None, inputs_embeds=None, labels=None, use_cache=None,
                output_attentions=None, output_hidden_states=None, return_dict=None, logits_to_keep=0,
                **kwargs):
        """Logits [B, T, V] behind every position of input_ids [B, T] and, where labels [B, T] are given,
        their loss.

        attention_mask [B, S]: 0 for padding, at either side. position_ids [B, T]: else they count from 0,
        padding included, as in transformers. past_key_values: a cache, which grows; without one and with
        use_cache (the default) there is a new one in the output. output_hidden_states,
        output_attentions: L + 1 times [B, T, D], L times [B, H, T, S]. logits_to_keep: of the last so
        many positions, or of those that an array [n] names. return_dict=False: a tuple.

        Tensors of torch give tensors, anything else NumPy's arrays, in the library's memory: none has
        gradients. Padding is computed as transformers computes it with attn_implementation="sdpa"; where
        that cannot be (OPT's, GPT-Neo's in front of a text) it is zeros, and labels for it are refused.
        """
        loss_arguments = {name: kwargs.pop(name, None) for name in ("shift_labels", "num_items_in_batch")}
        refuse_arguments({"token_type_ids": token_type_ids, "inputs_embeds": inputs_embeds, **kwargs},
                         type(self).__name__)
        given = self._inputs(input_ids, attention_mask, position_ids, past_key_values, use_cache)
        keep, chosen = _kept(logits_to_keep, given.ids.shape)
        hidden = "all" if self._wish(output_hidden_states, "output_hidden_states", False) else None
        done = self._pass(given, keep, hidden, output_attentions)
        logits, computed = done.logits, done.computed[:, -keep:]
        if chosen is not None:
            logits = np.ascontiguousarray(logits[chosen])
        loss = None
        if labels is None and loss_arguments["shift_labels"] is not None:
            raise ValueError("shift_labels without labels ask for no loss: give both")
        if labels is not None:
            if chosen is not None:
                raise ValueError("labels are for all positions: leave logits_to_keep out")
            loss = causal_loss(logits, labels, computed, given.torch, **loss_arguments)
        out = self.output_class(loss=loss, logits=given.give(logits), **self._seen(given, done))
        return out if self._wish(return_dict, "return_dict", True) else out.to_tuple()


def _kept(logits_to_keep, shape):
    """(how many of the last positions, index into their logits or None)."""
    B, T = shape
    if logits_to_keep is None or getattr(logits_to_keep, "ndim", -1) == 0 or isinstance(logits_to_keep, int):
        keep = int(logits_to_keep or 0)
        if keep < 0:
            raise ValueError(f"logits_to_keep is {keep}: it counts the last positions")
        return (keep if 0 < keep < T else T), None
    chosen = as_numpy(logits_to_keep)
    if chosen.dtype == bool and chosen.shape == (B, T):
        return T, chosen
    if chosen.dtype.kind not in "iu" or chosen.ndim not in (1, 2) or (chosen.ndim == 2 and len(chosen) != B):
        raise ValueError("logits_to_keep is a number, positions [n] or [batch, n], or a mask [batch, positions]")
    if chosen.ndim == 1:
        return T, (slice(None), chosen)
    return T, (np.arange(B)[:, None], chosen)


class GPT2LMHeadModel(CausalLM, model.GPT2PreTrainedModel):
    """GPT-2, and what is built like it: distilgpt2, DialoGPT, ..."""

    output_class = outputs.CausalLMOutputWithCrossAttentions


class GPTNeoForCausalLM(CausalLM, model.GPTNeoPreTrainedModel):
    """GPT-Neo."""


class GPTNeoXForCausalLM(CausalLM, model.GPTNeoXPreTrainedModel):
    """GPT-NeoX and Pythia."""


class OPTForCausalLM(CausalLM, model.OPTPreTrainedModel):
    """OPT."""


class LlamaForCausalLM(CausalLM, model.LlamaPreTrainedModel):
    """Llama, SmolLM, TinyLlama."""


class Qwen2ForCausalLM(CausalLM, model.Qwen2PreTrainedModel):
    """Qwen2."""


CLASSES = {kind.architecture: kind for kind in (
    GPT2LMHeadModel, GPTNeoForCausalLM, GPTNeoXForCausalLM, OPTForCausalLM, LlamaForCausalLM,
    Qwen2ForCausalLM)}
