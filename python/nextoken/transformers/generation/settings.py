"""What a call of generate() asks for: configuration, inputs and lengths, resolved and checked.

Letters: B prompts, T positions.
"""

import copy
import warnings

import numpy as np

from .. import logging
from .rows import as_ids, torch_of
from .runner import unpadded

__all__ = ["Settings"]

logger = logging.get_logger(__name__)

#: What counts where neither the call nor the model says anything.
DEFAULTS = {
    "max_length": 20, "min_length": 0, "do_sample": False, "use_cache": True, "early_stopping": False,
    "num_beams": 1, "temperature": 1.0, "top_k": 50, "top_p": 1.0, "typical_p": 1.0,
    "repetition_penalty": 1.0, "length_penalty": 1.0, "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0, "num_return_sequences": 1, "output_scores": False,
    "return_dict_in_generate": False, "remove_invalid_values": False, "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0, "encoder_repetition_penalty": 1.0, "num_assistant_tokens": 20,
    "num_assistant_tokens_schedule": "constant", "assistant_confidence_threshold": 0.4,
}

#: Options of transformers that are not built: the values that ask for nothing, and why.
REFUSED = {
    "watermarking_config": ((None,), "watermarks are not built"),
    "token_healing": ((None, False), "token healing is not built"),
    "assistant_early_exit": ((None,), "drafts by the model's own first layers are not built; give "
                                      "assistant_model or prompt_lookup_num_tokens"),
    "use_mtp": ((None, False), "drafts by heads for several tokens are not built"),
    "speculation_type": ((None,), "drafts by diffusion are not built"),
    "dola_layers": ((None,), "contrasting layers (DoLa) is not built; transformers loads it from its "
                             "hub"),
    "penalty_alpha": ((None, 0, 0.0), "contrastive search is not built; transformers loads it from "
                                      "its hub"),
    "constraints": ((None,), "constrained beam search is not built; transformers loads it from its "
                             "hub"),
    "force_words_ids": ((None,), "constrained beam search is not built; transformers loads it from "
                                 "its hub"),
    "num_beam_groups": ((None, 1), "groups of beams are not built; transformers loads them from its "
                                   "hub"),
    "diversity_penalty": ((None, 0, 0.0), "groups of beams are not built"),
    "low_memory": ((None, False), "transformers has given it up for beams; beams share their keys and "
                                  "values here"),
    "is_assistant": ((None, False), "it is set by transformers itself: give the model that drafts as "
                                    "assistant_model"),
}
#: How keys and values lie in memory: all give the same numbers, so none needs anything done.
CACHES = (None, "dynamic", "static", "offloaded", "offloaded_static", "dynamic_full", "sliding_window",
          "hybrid", "hybrid_chunked", "offloaded_hybrid", "offloaded_hybrid_chunked")


def refuse(config):
    """NotImplementedError for what is asked for and not built, by its name."""
    for name, (idle, why) in REFUSED.items():
        value = getattr(config, name, None)
        if not any(value is word or (type(value) is type(word) and value == word) for word in idle):
            raise NotImplementedError(f"{name}={value!r}: {why}")
    kind = getattr(config, "cache_implementation", None)
    if kind not in CACHES:
        raise NotImplementedError(f"cache_implementation={kind!r} is not built: keys and values are "
                                  "float32 in memory")


def resolve(model, given, kwargs):
    """(configuration, arguments left): the call's own values, then those of `given`, of the model, and
    what counts otherwise."""
    from ..generation_config import GenerationConfig

    config = GenerationConfig() if given is None else copy.deepcopy(given)
    own = model.generation_config.to_dict() if model.generation_config is not None else {}
    for values in (own, DEFAULTS):
        for name, value in values.items():
            if not name.startswith("_") and name != "transformers_version" \
                    and getattr(config, name, None) is None:
                setattr(config, name, value)
    rest = config.update(**kwargs)
    if given is not None and set(kwargs) - set(rest):
        logger.warning_once("generate() got a generation_config, and "
                            f"{', '.join(sorted(set(kwargs) - set(rest)))} beside it: what is given by "
                            "itself counts")
    return config, rest


def _ids_or_none(name, value):
    """Token ids as a list; None: not given."""
    if value is None:
        return None
    value = value.tolist() if hasattr(value, "tolist") else value
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    if any(not isinstance(i, int) or i < 0 for i in value):
        logger.warning(f"`{name}` should be whole numbers from 0 on, and is {value}: generation goes on "
                       "to its greatest length")
    return value


class Settings:
    """Everything that is fixed before the first token.

    config; torch (the module, or None: arrays come out); ids int64 [B, T]; mask [B, T] or None where
    nothing is masked; prompts: B of runner.Prompt, without what is masked; eos (list or None), pad, bos;
    n: sequences a prompt; max_length.
    """

    def __init__(self, model, inputs, generation_config, assisted, kwargs):
        default_length = self._unset(model, generation_config, kwargs, "max_length")
        default_least = self._unset(model, generation_config, kwargs, "min_length")
        self.config, rest = resolve(model, generation_config, kwargs)
        refuse(self.config)
        self.model, self.engine, self.assisted = model, model._nextoken, assisted
        self.eos = _ids_or_none("eos_token_id", self.config.eos_token_id)
        self._take_inputs(inputs, rest)
        self._take_mask(rest.pop("attention_mask", None))
        self._take_cache(rest.pop("past_key_values", None))
        self._check_rest(rest)
        self._check_modes()
        self._take_lengths(default_length, default_least)

    @staticmethod
    def _unset(model, given, kwargs, name):
        return kwargs.get(name) is None and getattr(given, name, None) is None \
            and getattr(model.generation_config, name, None) is None

    # ---- Inputs ----

    def _take_inputs(self, inputs, rest):
        named = rest.pop("input_ids", None)
        if named is not None and inputs is not None:
            raise ValueError("generate() got both `inputs` and `input_ids`: give one of them")
        inputs = named if inputs is None else inputs
        bos = _ids_or_none("bos_token_id", self.config.bos_token_id)
        if inputs is None:
            if not bos:
                raise ValueError("`bos_token_id` has to be defined when no `input_ids` are provided")
            import sys

            self.torch, self.ids = sys.modules.get("torch"), np.full((1, 1), bos[0], np.int64)
            return
        self.torch = torch_of(inputs)
        array = inputs.detach().cpu().numpy() if self.torch else np.asarray(inputs)
        if array.ndim != 2:
            raise ValueError(f"`input_ids` must have two dimensions [prompts, ids], not {array.ndim}: "
                             "one prompt is [[...]]")
        if array.dtype.kind not in "iu" and array.size:
            raise TypeError(f"`input_ids` must be whole numbers, not {array.dtype}")
        if 0 in array.shape:
            raise ValueError(f"`input_ids` is empty: its shape is {list(array.shape)}")
        self.ids = array.astype(np.int64)

    def _take_mask(self, given):
        pad = _ids_or_none("pad_token_id", self.config.pad_token_id)
        pad = pad[0] if pad else None
        many = len(self.ids) > 1
        if pad is None and self.eos:
            if given is None and many:
                logger.warning("There are several prompts, and neither `attention_mask` nor "
                               "`pad_token_id`: what is padding cannot be told. Pass the tokenizer's "
                               "`attention_mask`.")
            pad = self.eos[0]
        if self.eos and pad in self.eos and given is None and many:
            logger.warning_once("There are several prompts without `attention_mask`, and it cannot be "
                                "told from the ids, as the pad token is an EOS. Pass the tokenizer's "
                                "`attention_mask`.")
        self.pad = pad
        mask = self._mask_of(given)
        if many and pad is not None:
            last = mask[:, -1] == 0 if given is not None else self.ids[:, -1] == pad
            if last.any():
                logger.warning("A prompt is padded at its right end, and what is generated stands behind "
                               "the padding: set `padding_side='left'` in the tokenizer.")
        self.mask = None if mask.all() else mask
        self.prompts = unpadded(self.ids, self.mask)

    def _mask_of(self, given):
        if given is not None:
            mask = as_ids(given)
            if mask.ndim != 2:
                raise ValueError("`attention_mask` passed to `generate` must be 2D.")
            if mask.shape != self.ids.shape:
                raise ValueError(f"`attention_mask` has the shape {list(mask.shape)}, and `input_ids` "
                                 f"{list(self.ids.shape)}")
            return mask != 0
        is_pad = self.ids == self.pad
        if self.pad is not None and is_pad.any() and not (self.eos and self.pad in self.eos):
            return ~is_pad
        return np.ones(self.ids.shape, bool)

    def _take_cache(self, cache):
        """A cache that the caller hands in: it holds what the prompts begin with, and grows."""
        self.cache = cache
        if cache is None:
            return
        if not hasattr(cache, "rows"):
            raise NotImplementedError(f"past_key_values of {type(cache).__name__} are not built: give what "
                                      "a model of nextoken has returned, or DynamicCache()")
        if self.n > 1:
            raise NotImplementedError("past_key_values with several sequences a prompt are not built: "
                                      "leave them away")
        if not self.config.use_cache:
            raise ValueError("past_key_values are given, and use_cache=False")
        for i, (row, prompt) in enumerate(zip(cache.rows, self.prompts)):
            read = np.concatenate([ids for _, ids in row.fed] or [np.empty(0, np.int32)])
            if len(read) >= len(prompt.ids) or not np.array_equal(read, prompt.ids[:len(read)]):
                raise NotImplementedError(f"past_key_values do not hold what prompt {i} begins with: "
                                          "`input_ids` are all ids, those in the cache included")

    def _check_rest(self, rest):
        """What is left of the arguments is of no use to the model: say which."""
        for name in ("position_ids",):
            given = rest.pop(name, None)
            if given is not None and not np.array_equal(as_ids(given), self._positions()):
                raise NotImplementedError(f"`{name}` other than those of `attention_mask` is not built")
        rest.pop("logits_to_keep", None)  # all that is wanted is kept anyway
        for name in ("output_attentions", "output_hidden_states", "use_cache", "return_dict"):
            rest.pop(name, None)
        known = ("inputs_embeds", "token_type_ids", "encoder_hidden_states", "encoder_attention_mask",
                 "head_mask", "labels", "cache_position")
        unused = [name for name, value in rest.items() if value is not None]
        for name in unused:
            if name in known:
                raise NotImplementedError(f"generate({name}=...) is not built")
        if unused:
            raise ValueError(f"generate() knows no {', '.join(map(repr, unused))} (a slip of the pen?)")

    def _positions(self):
        mask = np.ones_like(self.ids) if self.mask is None else self.mask.astype(np.int64)
        return np.where(mask == 0, 0, mask.cumsum(axis=-1) - 1)

    # ---- Methods and lengths ----

    @property
    def beams(self):
        """Beams a prompt: 1 where it is no beam search."""
        return self.config.num_beams or 1

    @property
    def n(self):
        """Rows a prompt."""
        return max(self.beams, self.config.num_return_sequences or 1)

    @property
    def n_prompt(self):
        return self.ids.shape[1]

    def _check_modes(self):
        config = self.config
        if config.num_beams is not None and (not isinstance(config.num_beams, int) or config.num_beams < 1):
            raise ValueError(f"`num_beams` has to be a whole number from 1 on, not {config.num_beams!r}")
        returned = config.num_return_sequences or 1
        if self.beams == 1 and returned > 1 and not config.do_sample:
            raise ValueError("Greedy decoding has one outcome: `num_return_sequences` is "
                             f"{returned}; give do_sample=True or num_beams")
        if self.beams > 1 and returned > self.beams:
            raise ValueError(f"`num_return_sequences` ({returned}) must not be above `num_beams` "
                             f"({self.beams})")
        lookup = config.prompt_lookup_num_tokens
        self.assisted = self.assisted or lookup is not None
        if not self.assisted:
            return
        if self.beams > 1:
            logger.warning("Beams are not assisted: the model that drafts does nothing.")
            self.assisted = False
            return
        if returned > 1:
            raise ValueError("num_return_sequences has to be 1 when doing assisted generate, but is "
                             f"{returned}.")
        if len(self.ids) > 1:
            raise ValueError("assisted generate is only supported for batch_size = 1")
        if not config.use_cache:
            raise ValueError("assisted generate requires `use_cache=True`")

    def _take_lengths(self, default_length, default_least):
        config, n = self.config, self.n_prompt
        if config.max_new_tokens is not None:
            if not default_length and config.max_length is not None:
                logger.warning(f"`max_new_tokens` ({config.max_new_tokens}) and `max_length` "
                               f"({config.max_length}) are both given: the former counts.")
            config.max_length = n + config.max_new_tokens
        elif default_length:
            warnings.warn(f"No length is given: at most {config.max_length} new tokens are generated. "
                          "Say how many by `max_new_tokens`.", UserWarning)
            most = getattr(self.model.config, "max_position_embeddings", None)
            config.max_length += n
            if most is not None:
                config.max_length = min(config.max_length, most)
        if n >= config.max_length:
            raise ValueError(f"Input length of input_ids is {n}, but `max_length` is set to "
                             f"{config.max_length}: nothing can be generated. Increase `max_length`, "
                             "or set `max_new_tokens`.")
        if config.min_new_tokens is not None:
            if not default_least and config.min_length:
                logger.warning(f"`min_new_tokens` ({config.min_new_tokens}) and `min_length` "
                               f"({config.min_length}) are both given: the former counts.")
            config.min_length = n + config.min_new_tokens
        if config.min_length is not None and config.min_length > config.max_length:
            warnings.warn(f"Unfeasible length constraints: at least {config.min_length} ids, prompt "
                          f"included, are asked for, and at most {config.max_length}. The latter "
                          "counts.", UserWarning)
