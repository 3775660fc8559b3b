"""What models under the names of transformers have in common, with a head (causal.py) and without
(headless.py), and what is special to each family.

Letters: B rows, T positions, S with those of a cache, V vocabulary, D width, L blocks, H heads.
"""

import sys

import numpy as np

from .forward import Pass
from .inputs import Inputs
from .places import Device, check_place

__all__ = ["GPT2PreTrainedModel", "GPTNeoPreTrainedModel", "GPTNeoXPreTrainedModel", "LlamaPreTrainedModel",
           "OPTPreTrainedModel", "PreTrainedModel", "Qwen2PreTrainedModel"]


class PreTrainedModel:
    """A model of nextoken behind the interface of transformers. It reads and writes tokens; it is not
    trained: nothing of it has gradients.

    core: the nextoken.Model. handle: its nt_model *. config, generation_config: as transformers'.
    """

    architecture = ""            #: as the library calls the family
    base_model_prefix = "model"
    main_input_name = "input_ids"
    positions_by_mask = False    #: where no position_ids are given, padding does not count
    training = False
    is_gradient_checkpointing = False
    framework = "pt"
    output_class = None          #: of outputs.py

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

    @classmethod
    def can_generate(cls):
        """Whether it has a head to write with."""
        return False

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
    **dict.fromkeys(("generate", "compute_transition_scores"),
                    "it has no head to write with: open the checkpoint with AutoModelForCausalLM"),
    **dict.fromkeys(("push_to_hub",), "it sends nothing anywhere; save_pretrained() writes a folder"),
}


# ---- Families -----------------------------------------------------------------------------------


class _LearnedPositions(PreTrainedModel):
    def _embedding_numbers(self):
        return super()._embedding_numbers() + self.core.info.n_context * self.core.info.n_embd


class GPT2PreTrainedModel(_LearnedPositions):
    """GPT-2, and what is built like it: distilgpt2, DialoGPT, ..."""

    architecture, base_model_prefix = "gpt2", "transformer"


class GPTNeoPreTrainedModel(_LearnedPositions):
    """GPT-Neo."""

    architecture, base_model_prefix = "gpt_neo", "transformer"

    def _padding(self, given):
        # transformers has "eager" alone for it, where padding in front looks at everything, and behind a
        # text its local attention would look so many columns back, padding among them
        width = given.past.shape[1] + given.ids.shape[1]
        return "behind" if width <= (getattr(self.config, "window_size", None) or width) else "none"


class GPTNeoXPreTrainedModel(PreTrainedModel):
    """GPT-NeoX and Pythia."""

    architecture, base_model_prefix = "gpt_neox", "gpt_neox"


class OPTPreTrainedModel(PreTrainedModel):
    """OPT."""

    architecture, positions_by_mask = "opt", True

    def _embedding_numbers(self):
        i = self.core.info
        return i.n_vocab * (getattr(self.config, "word_embed_proj_dim", None) or i.n_embd) \
            + (i.n_context + 2) * i.n_embd


class LlamaPreTrainedModel(PreTrainedModel):
    """Llama, SmolLM, TinyLlama."""

    architecture = "llama"


class Qwen2PreTrainedModel(PreTrainedModel):
    """Qwen2."""

    architecture = "qwen2"
