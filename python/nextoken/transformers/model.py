"""Language models under the names of transformers: GPT2LMHeadModel and its kin.

Letters: B rows, T positions, S with those of a cache, V vocabulary, D width, L blocks, H heads.
"""

import sys

import numpy as np

from ..arrays import as_numpy
from . import outputs
from .forward import Pass
from .inputs import Inputs, refuse_arguments
from .loss import causal_loss
from .places import Device, check_place

__all__ = ["CLASSES", "GPT2LMHeadModel", "GPTNeoForCausalLM", "GPTNeoXForCausalLM", "LlamaForCausalLM",
           "OPTForCausalLM", "PreTrainedModel", "Qwen2ForCausalLM"]


class PreTrainedModel:
    """A model of nextoken behind the interface of transformers. It reads and writes tokens; it is not
    trained: nothing of it has gradients.

    core: the nextoken.Model. handle: its nt_model *. config, generation_config: as transformers'.
    """

    architecture = None          #: as the library calls the family
    base_model_prefix = "model"
    main_input_name = "input_ids"
    positions_by_mask = False    #: where no position_ids are given, padding does not count
    output_class = outputs.CausalLMOutputWithPast
    training = False
    is_gradient_checkpointing = False
    framework = "pt"

    def __init__(self, config, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__}(config) would be a model with random weights, to be "
                                  "trained, which nextoken does not do: use from_pretrained(name or folder)")

    @classmethod
    def _from_config(cls, config, **kwargs):
        return cls(config)

    @classmethod
    def _of(cls, core, config, generation_config):
        self = object.__new__(cls)
        self.core = self._nextoken = core
        self.config, self.generation_config = config, generation_config
        self.name_or_path = core.path
        return self

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs):
        """Opens a checkpoint: a folder, a .gguf or .safetensors file, a name of the hub; "tales" is the
        model that is built in. Arguments: see nextoken.transformers.loading."""
        from .loading import load

        return load(cls, pretrained_model_name_or_path, *model_args, **kwargs)

    # ---- The forward pass ----

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

    def _wish(self, value, name, otherwise):
        """What the call says, else the configuration."""
        value = getattr(self.config, name, None) if value is None else value
        return otherwise if value is None else value

    def _inputs(self, ids, mask, positions, cache, use_cache):
        return Inputs(self, ids, mask, positions, cache, bool(self._wish(use_cache, "use_cache", True)))

    def _pass(self, given, keep, hidden, output_attentions):
        """Runs the inputs; the cache has them then."""
        session = self.core.session()
        rows = given.rows(session)
        done = Pass(session, rows, given.ids, given.mask, given.positions, given.past, keep, hidden,
                    bool(self._wish(output_attentions, "output_attentions", False)), self._padding(given))
        given.keep(rows, self.core.info.n_layer)
        return done

    def _padding(self, given):
        """Which padding has numbers that can be told: see Pass."""
        return "all"

    def _seen(self, given, done):
        """The fields that all outputs have."""
        def each(arrays):
            return None if arrays is None else tuple(map(given.give, arrays))

        seen = {"past_key_values": given.cache if given.caches else None, "hidden_states": each(done.hidden),
                "attentions": each(done.attentions)}
        if done.attentions is not None and hasattr(self.output_class, "cross_attentions"):
            seen["cross_attentions"] = ()  # as transformers says that there are none
        return seen

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    # ---- Generation ----

    def generate(self, inputs=None, *args, **kwargs):
        """Continues the ids of inputs [B, T]: see nextoken.transformers.generation."""
        from .generation import generate

        return generate(self, inputs, *args, **kwargs)

    def compute_transition_scores(self, sequences, scores, beam_indices=None, normalize_logits=False):
        """The score of every generated id: see nextoken.transformers.generation."""
        from .generation import compute_transition_scores

        return compute_transition_scores(self, sequences, scores, beam_indices, normalize_logits)

    def can_generate(self):
        return True

    # ---- What it is ----

    @property
    def handle(self):
        """The nt_model *."""
        return self.core.handle

    @property
    def device(self):
        """The processor."""
        torch = sys.modules.get("torch")
        return torch.device("cpu") if hasattr(torch, "device") else Device()

    @property
    def dtype(self):
        """float32: what is computed in, whatever the file stores."""
        torch = sys.modules.get("torch")
        return torch.float32 if hasattr(torch, "float32") else np.dtype(np.float32)

    def num_parameters(self, only_trainable=False, exclude_embeddings=False):
        """How many numbers the weights are, tied ones counted once."""
        n = self.core.info.n_parameters
        return n - self._embedding_numbers() if exclude_embeddings else n

    def _embedding_numbers(self):
        info = self.core.info
        return info.n_vocab * info.n_embd

    def get_memory_footprint(self, return_buffers=True):
        """Bytes of the weights as the file stores them; they stay in the file, mapped."""
        return self.core.info.n_weight_bytes

    def parameters(self, recurse=True):
        """The weights' shapes: see parameters.py."""
        return (parameter for _, parameter in self.named_parameters())

    def named_parameters(self, *args, **kwargs):
        """(name, Parameter) of every weight."""
        from .parameters import named_parameters

        return named_parameters(self)

    # ---- What it is not ----

    def to(self, *args, **kwargs):
        """The model itself: for "cpu" and float32. Others are refused."""
        for value in (*args, *(kwargs.pop(name, None) for name in ("device", "dtype"))):
            check_place(value)
        for name in kwargs:
            if name not in ("non_blocking", "copy", "memory_format"):
                raise TypeError(f"to() got an unexpected argument {name!r}")
        return self

    def cpu(self):
        return self

    def cuda(self, device=None):
        return self.to("cuda")

    def float(self):
        return self

    def half(self):
        return self.to("float16")

    def bfloat16(self):
        return self.to("bfloat16")

    def double(self):
        return self.to("float64")

    def eval(self):
        self.training = False
        return self

    def train(self, mode=True):
        """Dropout would begin to act, and gradients be wanted: there is neither."""
        if mode:
            raise NotImplementedError("nextoken does not train: it has no gradients and no dropout. Leave "
                                      "train() out, or train with transformers and open what that saves")
        return self.eval()

    def requires_grad_(self, requires_grad=True):
        return self.train(requires_grad)

    def tie_weights(self, *args, **kwargs):
        """Nothing is to be done: they are tied as the checkpoint says."""

    def save_pretrained(self, save_directory, is_main_process=True, **kwargs):
        """Writes the checkpoint as a folder of transformers', and its generation_config as it is now."""
        from .saving import save

        save(self, save_directory, **kwargs)

    def __getattr__(self, name):
        from .readout import part

        found = part(self, name)  # the final norm and the head
        if found is not None:
            return found
        why = _OUT_OF_REACH.get(name)
        if why is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        raise AttributeError(f"{type(self).__name__}.{name} is not supported by nextoken: {why}")

    def __repr__(self):
        i = self.core.info
        return (f"{type(self).__name__}({i.path!r}: {i.n_parameters:,} parameters, {i.n_layer} blocks of "
                f"{i.n_head} heads, width {i.n_embd}, context {i.n_context})")

    def __deepcopy__(self, memo):
        return self  # nothing of it changes

    def __reduce__(self):
        return _again, (type(self), self.core.path, self.config, self.generation_config)


def _again(cls, path, config, generation_config):
    from .loading import load

    model = load(cls, path, config=config)
    model.generation_config = generation_config
    return model


_MODULES = "its modules are not reachable one by one; output_hidden_states and output_attentions give " \
           "what they compute, and a nextoken.Session changes it"
_TRAINING = "it does not train: it has no gradients"
_OUT_OF_REACH = {
    **dict.fromkeys(("transformer", "model", "gpt_neox", "lm_head", "embed_out", "base_model", "modules",
                     "named_modules", "children", "named_children", "register_forward_hook",
                     "register_forward_pre_hook", "get_submodule", "get_input_embeddings",
                     "set_input_embeddings", "get_output_embeddings", "set_output_embeddings", "apply"),
                    _MODULES),
    **dict.fromkeys(("zero_grad", "gradient_checkpointing_enable", "gradient_checkpointing_disable",
                     "enable_input_require_grads", "compile", "add_adapter", "load_adapter"), _TRAINING),
    **dict.fromkeys(("state_dict", "buffers", "named_buffers"),
                    "the weights stay in the file; parameters() has their shapes, safetensors reads them"),
    **dict.fromkeys(("resize_token_embeddings", "load_state_dict", "prune_heads", "init_weights"),
                    "a model does not change"),
    **dict.fromkeys(("push_to_hub",), "it sends nothing anywhere; save_pretrained() writes a folder"),
}


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


# ---- Families -----------------------------------------------------------------------------------


class _LearnedPositions(PreTrainedModel):
    def _embedding_numbers(self):
        return super()._embedding_numbers() + self.core.info.n_context * self.core.info.n_embd


class GPT2LMHeadModel(_LearnedPositions):
    """GPT-2, and what is built like it: distilgpt2, DialoGPT, ..."""

    architecture, base_model_prefix = "gpt2", "transformer"
    output_class = outputs.CausalLMOutputWithCrossAttentions


class GPTNeoForCausalLM(_LearnedPositions):
    """GPT-Neo."""

    architecture, base_model_prefix = "gpt_neo", "transformer"

    def _padding(self, given):
        # transformers has "eager" alone for it, where padding in front looks at everything, and behind a
        # text its local attention would look so many columns back, padding among them
        width = given.past.shape[1] + given.ids.shape[1]
        return "behind" if width <= (getattr(self.config, "window_size", None) or width) else "none"


class GPTNeoXForCausalLM(PreTrainedModel):
    """GPT-NeoX and Pythia."""

    architecture, base_model_prefix = "gpt_neox", "gpt_neox"


class OPTForCausalLM(PreTrainedModel):
    """OPT."""

    architecture, positions_by_mask = "opt", True

    def _embedding_numbers(self):
        i = self.core.info
        return i.n_vocab * (getattr(self.config, "word_embed_proj_dim", None) or i.n_embd) \
            + (i.n_context + 2) * i.n_embd


class LlamaForCausalLM(PreTrainedModel):
    """Llama, SmolLM, TinyLlama."""

    architecture = "llama"


class Qwen2ForCausalLM(PreTrainedModel):
    """Qwen2."""

    architecture = "qwen2"


CLASSES = {kind.architecture: kind for kind in (
    GPT2LMHeadModel, GPTNeoForCausalLM, GPTNeoXForCausalLM, OPTForCausalLM, LlamaForCausalLM,
    Qwen2ForCausalLM)}
