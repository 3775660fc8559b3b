"""Models without the head: GPT2Model and its kin give the states that the head would read.

Letters: B rows, T positions, S with those of a cache, D width, L blocks, H heads.
"""

from . import model, outputs
from .inputs import refuse_arguments

__all__ = ["GPT2Model", "GPTNeoModel", "GPTNeoXModel", "HEADLESS", "LlamaModel", "OPTModel", "Qwen2Model"]


class Headless:
    """What these models have instead of logits."""

    output_class = outputs.BaseModelOutputWithPast

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs):
        """Opens a checkpoint as the models that write do."""
        from .loading import load

        return load(cls, pretrained_model_name_or_path, *model_args, classes=HEADLESS, **kwargs)

    def forward(self, input_ids=None, *, past_key_values=None, attention_mask=None, token_type_ids=None,
                position_ids=None, inputs_embeds=None, use_cache=None, output_attentions=None,
                output_hidden_states=None, return_dict=None, **kwargs):
        """last_hidden_state [B, T, D] behind the final norm; everything else as of the models that write."""
        refuse_arguments({"token_type_ids": token_type_ids, "inputs_embeds": inputs_embeds, **kwargs},
                         type(self).__name__)
        given = self._inputs(input_ids, attention_mask, position_ids, past_key_values, use_cache)
        every = self._wish(output_hidden_states, "output_hidden_states", False)
        done = self._pass(given, 0, "all" if every else "last", output_attentions)
        seen = self._seen(given, done)
        if not every:
            seen["hidden_states"] = None
        out = self.output_class(last_hidden_state=given.give(done.hidden[-1]), **seen)
        return out if self._wish(return_dict, "return_dict", True) else out.to_tuple()

    def num_parameters(self, only_trainable=False, exclude_embeddings=False):
        n = super().num_parameters(only_trainable, exclude_embeddings)
        return n if self.core.info.tied else n - self.core.info.n_vocab * self.core.info.n_embd

    def named_parameters(self, *args, **kwargs):
        start = len(self.base_model_prefix) + 1
        return ((name[start:], parameter) for name, parameter in super().named_parameters()
                if name.startswith(self.base_model_prefix + "."))


class GPT2Model(Headless, model.GPT2PreTrainedModel):
    """GPT-2 below its head."""

    output_class = outputs.BaseModelOutputWithPastAndCrossAttentions


class GPTNeoModel(Headless, model.GPTNeoPreTrainedModel):
    """GPT-Neo below its head."""


class GPTNeoXModel(Headless, model.GPTNeoXPreTrainedModel):
    """GPT-NeoX and Pythia below their head."""


class OPTModel(Headless, model.OPTPreTrainedModel):
    """OPT below its head."""


class LlamaModel(Headless, model.LlamaPreTrainedModel):
    """Llama below its head."""


class Qwen2Model(Headless, model.Qwen2PreTrainedModel):
    """Qwen2 below its head."""


HEADLESS = {kind.architecture: kind for kind in (GPT2Model, GPTNeoModel, GPTNeoXModel, OPTModel, LlamaModel,
                                                 Qwen2Model)}
