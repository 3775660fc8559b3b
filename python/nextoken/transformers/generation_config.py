"""GenerationConfig: what generate() is asked for, with all options of transformers. None stands for an
option that nobody set; generate() fills those in."""

import copy
import dataclasses
import enum
import json
import os
import warnings

from . import logging
from .files import Where, locate
from .tables import GENERATION_DEFAULTS, GENERATION_FIELDS

__all__ = ["GenerationConfig", "GenerationMode", "WatermarkingConfig"]

logger = logging.get_logger(__name__)

_METADATA = ("_from_model_config", "_commit_hash", "_original_object_hash", "transformers_version")
_STATIC_CACHES = ("static", "offloaded_static")
_ALL_STATIC_CACHES = (*_STATIC_CACHES, "sliding_window", "hybrid", "hybrid_chunked", "offloaded_hybrid",
                      "offloaded_hybrid_chunked")
_CACHES = (*_ALL_STATIC_CACHES, "dynamic", "offloaded", "quantized", "paged")
_GENERATE_ARGUMENTS = ("logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "synced_gpus",
                       "assistant_model", "streamer", "negative_prompt_ids", "negative_prompt_attention_mask")
_EXTRA_OUTPUTS = ("output_attentions", "output_hidden_states", "output_scores", "output_logits")

# Options of sampling alone, and of beams alone, with the values that ask for nothing.
_SAMPLING = {"temperature": 1.0, "top_p": 1.0, "min_p": None, "top_h": None, "typical_p": 1.0, "top_k": 50,
             "epsilon_cutoff": 0.0, "eta_cutoff": 0.0}
_BEAMS = {"early_stopping": False, "length_penalty": 1.0}


class GenerationMode(str, enum.Enum):
    """The kinds of decoding."""

    CONTRASTIVE_SEARCH = "contrastive_search"
    GREEDY_SEARCH = "greedy_search"
    SAMPLE = "sample"
    ASSISTED_GENERATION = "assisted_generation"
    DOLA_GENERATION = "dola_generation"
    BEAM_SEARCH = "beam_search"
    BEAM_SAMPLE = "beam_sample"
    CONSTRAINED_BEAM_SEARCH = "constrained_beam_search"
    GROUP_BEAM_SEARCH = "group_beam_search"


@dataclasses.dataclass
class WatermarkingConfig:
    """A watermark's parameters."""

    greenlist_ratio: float = 0.25
    bias: float = 2.0
    hashing_key: int = 15485863
    seeding_scheme: str = "lefthash"
    context_width: int = 1

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        return cls(**{**config_dict, **kwargs})

    def to_dict(self):
        return dataclasses.asdict(self)

    def validate(self):
        wrong = "Some of the keys in `watermarking_config` are defined incorrectly. `{}` should be {} but found {}"
        if self.seeding_scheme not in ("selfhash", "lefthash"):
            raise ValueError(wrong.format("seeding_scheme", "['selfhash', 'lefthash']", self.seeding_scheme))
        if not 0.0 <= self.greenlist_ratio <= 1.0:
            raise ValueError(wrong.format("greenlist_ratio", "in range between 0.0 and 1.0", self.greenlist_ratio))
        if not self.context_width >= 1:
            raise ValueError(wrong.format("context_width", "a positive integer", self.context_width))


class GenerationConfig:
    """The options of generate(). What is no option is kept as an attribute, and has no effect."""

    extra_output_flags = _EXTRA_OUTPUTS

    def __init__(self, **kwargs):
        user_set = set(kwargs)
        kwargs.pop("_commit_hash", None)
        for name in GENERATION_FIELDS:
            setattr(self, name, kwargs.pop(name, None))
        if isinstance(self.watermarking_config, dict):
            self.watermarking_config = WatermarkingConfig.from_dict(self.watermarking_config)
        if self.continuous_batching_config is not None:
            warnings.warn("Passing ContinuousBatchingConfig through GenerationConfig is deprecated and will be removed "
                          "in v5.19. Please pass it separately using the continuous_batching_config kwarg.",
                          FutureWarning, stacklevel=2)
        self._from_model_config = kwargs.pop("_from_model_config", None)
        self.transformers_version = kwargs.pop("transformers_version", None)
        if not self._from_model_config:
            for key, value in kwargs.items():
                setattr(self, key, value)
        elif kwargs.get("force_bos_token_to_be_generated", False):
            self.forced_bos_token_id = self.bos_token_id
            logger.warning_once("Please make sure the generation config includes "
                                f"`forced_bos_token_id={self.bos_token_id}`. ")
        self.validate(user_set_attributes=user_set)

    def __hash__(self):
        return hash(self.to_json_string(ignore_metadata=True))

    def __eq__(self, other):
        return isinstance(other, GenerationConfig) and \
            self.to_json_string(use_diff=False, ignore_metadata=True) == \
            other.to_json_string(use_diff=False, ignore_metadata=True)

    def __repr__(self):
        return f"{type(self).__name__} {self.to_json_string(ignore_metadata=True)}"

    @staticmethod
    def _get_default_generation_params():
        """What generate() takes for options that nobody set."""
        return copy.deepcopy(GENERATION_DEFAULTS)

    def get_generation_mode(self, assistant_model=None):
        """The kind of decoding that these options ask for."""
        if self.constraints is not None or self.force_words_ids is not None:
            mode = GenerationMode.CONSTRAINED_BEAM_SEARCH
        elif self.num_beams is None or self.num_beams == 1:
            contrastive = (self.top_k or 0) > 1 and (self.penalty_alpha or 0) > 0
            mode = GenerationMode.SAMPLE if self.do_sample is True else \
                GenerationMode.CONTRASTIVE_SEARCH if contrastive else GenerationMode.GREEDY_SEARCH
        elif self.num_beam_groups is not None and self.num_beam_groups > 1:
            mode = GenerationMode.GROUP_BEAM_SEARCH
        else:
            mode = GenerationMode.BEAM_SAMPLE if self.do_sample is True else GenerationMode.BEAM_SEARCH
        plain = (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE)
        wrong = ("You've set `{}`, which triggers {} generate. Currently, {} generate is only supported with Greedy "
                 "Search and Sample. However, the base decoding mode (based on current flags) is {} -- some of the "
                 "set flags will be ignored.")
        if assistant_model is not None or self.use_mtp or self.prompt_lookup_num_tokens is not None \
                or self.assistant_early_exit is not None:
            if mode in plain:
                mode = GenerationMode.ASSISTED_GENERATION
            else:
                logger.warning(wrong.format("assistant_model` or `use_mtp", "assisted", "assisted", mode))
        if self.dola_layers is not None:
            if mode in plain:
                mode = GenerationMode.DOLA_GENERATION
            else:
                logger.warning(wrong.format("dola_layers", "DoLa", "DoLa", mode))
        return mode

    # ---- Validation ----

    def validate(self, strict=False, user_set_attributes=None):
        """Raises ValueError for what cannot be; warns once of options that have no effect (strict: raises).

        user_set_attributes: the options that the caller named; others are not warned of."""
        self._check_values()
        issues = self._idle_options(user_set_attributes)
        self._check_combinations()
        for name in _GENERATE_ARGUMENTS:
            if hasattr(self, name):
                raise ValueError(f"Argument `{name}` is not a valid argument of `GenerationConfig`. It should be passed "
                                 "to `generate()` (or a pipeline) directly.")
        if not issues:
            return
        lines = "\n".join(f"- `{name}`: {text}" for name, text in issues.items())
        lines += ("\nIf you're using a pretrained model, note that some of these attributes may be set through the "
                  "model's `generation_config.json` file.")
        if strict:
            raise ValueError("GenerationConfig is invalid: \n" + lines)
        message = f"The following generation flags are not valid and may be ignored: {list(issues)}."
        if logging.get_verbosity() >= logging.WARNING:
            message += " Set `TRANSFORMERS_VERBOSITY=info` for more details."
        logger.warning_once(message)
        logger.info_once(lines)

    def _check_values(self):
        if self.early_stopping not in {None, True, False, "never"}:
            raise ValueError(f"`early_stopping` must be a boolean or 'never', but is {self.early_stopping}.")
        if self.max_new_tokens is not None and self.max_new_tokens <= 0:
            raise ValueError(f"`max_new_tokens` must be greater than 0, but is {self.max_new_tokens}.")
        weight = self.assistant_ensemble_weight
        if weight is not None and not 0.0 < weight < 1.0:
            raise ValueError("`assistant_ensemble_weight` must be in the open interval `(0.0, 1.0)`, "
                             f"but is {weight}. Use `None` for standard (lossless) speculative decoding.")
        if self.cache_implementation is not None and self.cache_implementation not in _CACHES:
            raise ValueError(f"Invalid `cache_implementation` ({self.cache_implementation}). Choose one of: {_CACHES}")
        if self.max_cache_len is not None and self.cache_implementation not in _ALL_STATIC_CACHES:
            logger.warning_once(f"`max_cache_len` is only used with static caches ({_STATIC_CACHES}); it will be "
                                f"ignored with `cache_implementation={self.cache_implementation!r}`.")
        if self.compile_config is not None:
            raise ValueError(f"You provided `compile_config` as an instance of {type(self.compile_config)}, but it must "
                             "be an instance of `CompileConfig`, which nextoken does not have: nothing is compiled.")
        if self.watermarking_config is not None:
            self.watermarking_config.validate()

    def _idle_options(self, user_set):
        """{option: what is wrong} of options that have no effect beside the others."""
        issues = {}

        def told(outer, inner):
            if user_set is None:
                return True
            return inner in user_set or outer not in user_set

        if self.pad_token_id is not None and self.pad_token_id < 0:
            issues["pad_token_id"] = (
                f"`pad_token_id` should be positive but got {self.pad_token_id}. This will cause errors when batch "
                "generating, if there is padding. Please set `pad_token_id` explicitly as "
                "`model.generation_config.pad_token_id=PAD_TOKEN_ID` to avoid errors in generation")
        if self.do_sample is not True:
            for name, idle in _SAMPLING.items():
                value = getattr(self, name)
                if value is not None and value != idle and told("do_sample", name):
                    issues[name] = (
                        f"`do_sample` is not set to `True`. However, `{name}` is set to `{value}` -- this flag is only "
                        f"used in sample-based generation modes. You should set `do_sample=True` or unset `{name}`.")
        if self.num_beams is None or self.num_beams == 1:
            for name, idle in _BEAMS.items():
                value = getattr(self, name)
                if value is not None and value is not idle and value != idle and told("num_beams", name):
                    issues[name] = (
                        f"`num_beams` is set to {self.num_beams}. However, `{name}` is set to `{value}` -- this flag is "
                        "only used in beam-based generation modes. You should set `num_beams>1` or unset "
                        f"`{name}`.")
        if self.use_cache is False:
            for name in ("cache_implementation", "cache_config"):
                value = getattr(self, name)
                if value is not None:
                    issues[name] = (f"You have not set `use_cache` to `True`, but {name} is set to {value}."
                                    f"{name} will have no effect.")
        if self.return_dict_in_generate is not True:
            for name in _EXTRA_OUTPUTS:
                if getattr(self, name) is True:
                    issues[name] = (f"`return_dict_in_generate` is NOT set to `True`, but `{name}` is. When "
                                    f"`return_dict_in_generate` is not `True`, `{name}` is ignored.")
        return issues

    def _check_combinations(self):
        n = self.num_return_sequences
        if n is not None and n > 1:
            if self.num_beams is None or self.num_beams == 1:
                if not self.do_sample:
                    raise ValueError("Greedy methods (do_sample != True) without beam search do not support "
                                     f"`num_return_sequences` different than 1 (got {n}).")
            elif n > self.num_beams:
                raise ValueError(f"`num_return_sequences` ({n}) has to be smaller or equal to `num_beams` "
                                 f"({self.num_beams}).")
        if self.suppress_tokens is None:
            return
        for name in ("forced_bos_token_id", "forced_eos_token_id"):
            forced = getattr(self, name)
            if forced is None:
                continue
            forced = {forced} if isinstance(forced, int) else set(forced)
            if forced and forced.issubset(self.suppress_tokens):
                raise ValueError(
                    f"Every token in `{name}` ({sorted(forced)}) is also in `suppress_tokens`. Forcing a token while "
                    "suppressing it sets all logits to `-inf` at the forcing step, which produces `nan` probabilities "
                    "and crashes generation. Remove the overlapping token(s) from either "
                    f"`{name}` or `suppress_tokens` (if you meant to prevent an early EOS token, use `min_new_tokens` "
                    "instead).")

    # ---- From and to files ----

    @classmethod
    def from_pretrained(cls, pretrained_model_name, config_file_name=None, **kwargs):
        """The generation_config.json of a folder or of a model of the hub, with these options changed."""
        file_name = config_file_name or "generation_config.json"
        where = Where.taken_from(kwargs)
        path = locate(pretrained_model_name, where, file_name)
        if path is None:
            config_dict = _built_in()
        else:
            path = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), file_name)
            if not os.path.isfile(path):
                raise OSError(f"{pretrained_model_name} does not appear to have a file named {file_name}.")
            config_dict = cls._dict_from_json_file(path)
        if kwargs.pop("_from_model_config", False):
            return cls.from_model_config(config_dict)
        made = cls.from_dict(config_dict, **kwargs)
        config = made[0] if isinstance(made, tuple) else made
        config._original_object_hash = hash(config)
        return made

    @classmethod
    def _dict_from_json_file(cls, json_file):
        with open(json_file, encoding="utf-8") as file:
            text = file.read()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise OSError(f"It looks like the config file at '{json_file}' is not a valid JSON file.") from None

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        """Of a dictionary; with return_unused_kwargs=True (config, what is no option)."""
        return_unused = kwargs.pop("return_unused_kwargs", False)
        kwargs.pop("_from_auto", None)
        kwargs.pop("_from_pipeline", None)
        config = cls(**{**config_dict, **kwargs})
        unused = config.update(**kwargs)
        return (config, unused) if return_unused else config

    @classmethod
    def from_model_config(cls, model_config):
        """What older configurations of models say of generation."""
        whole = dict(model_config) if isinstance(model_config, dict) else model_config.to_dict()
        whole.pop("_from_model_config", None)
        config = cls.from_dict({key: value for key, value in whole.items() if value is not None},
                               _from_model_config=True)
        for name in list(config.to_dict()):
            if name in whole and getattr(config, name) is None:
                setattr(config, name, whole[name])
        if not config.return_dict_in_generate and any(getattr(config, name, False) for name in _EXTRA_OUTPUTS):
            config.return_dict_in_generate = True
        config._original_object_hash = hash(config)
        return config

    def to_dict(self):
        """All options, and attributes that are none."""
        from . import __version__

        output = copy.deepcopy(self.__dict__)
        for name in ("_commit_hash", "_original_object_hash", "_mask_length"):
            output.pop(name, None)
        output["transformers_version"] = __version__
        if output.get("dtype") is not None and not isinstance(output["dtype"], str):
            output["dtype"] = str(output["dtype"]).split(".")[-1]
        return output

    def to_diff_dict(self):
        """Those that somebody set."""
        default = GenerationConfig().to_dict()
        return {key: value for key, value in self.to_dict().items()
                if key == "transformers_version" or key not in default or value != default[key]}

    def to_json_string(self, use_diff=True, ignore_metadata=False, keys_to_pop=None):
        config = self.to_diff_dict() if use_diff else self.to_dict()
        for key in (*(keys_to_pop or ()), *(_METADATA if ignore_metadata else ())):
            config.pop(key, None)
        return json.dumps(_plain(config), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path, use_diff=True, keys_to_pop=None):
        with open(json_file_path, "w", encoding="utf-8") as file:
            file.write(self.to_json_string(use_diff=use_diff, keys_to_pop=keys_to_pop))

    def save_pretrained(self, save_directory, config_file_name=None, push_to_hub=False, **kwargs):
        """Writes generation_config.json to a folder; refuses options that have no effect."""
        if push_to_hub:
            raise NotImplementedError("push_to_hub=True is not supported")
        try:
            self.validate(strict=getattr(self, "_original_object_hash", None) != hash(self))
        except ValueError as error:
            raise ValueError(f"{error}\n\nFix these issues to save the configuration.") from None
        if os.path.isfile(save_directory):
            raise AssertionError(f"Provided path ({save_directory}) should be a directory, not a file")
        os.makedirs(save_directory, exist_ok=True)
        self.to_json_file(os.path.join(save_directory, config_file_name or "generation_config.json"),
                          keys_to_pop=["compile_config"])

    def update(self, defaults_only=False, allow_custom_entries=False, **kwargs):
        """Sets these options; returns those that are none. defaults_only: only where nobody set them."""
        used = set()
        for key, value in kwargs.items():
            if allow_custom_entries and not hasattr(self, key):
                setattr(self, key, value)
                used.add(key)
            elif hasattr(self, key) and (not defaults_only or getattr(self, key) is None):
                if key == "watermarking_config" and isinstance(value, dict):
                    value = WatermarkingConfig.from_dict(value)
                setattr(self, key, value)
                used.add(key)
        self.validate(user_set_attributes=used)
        return {key: value for key, value in kwargs.items() if key not in used}


def _built_in():
    """What generation_config.json of the model that is built in would say."""
    return {"bos_token_id": 50256, "eos_token_id": 50256}


def _plain(value):
    """A value as JSON has it: keys are strings, dataclasses are dictionaries."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return value.to_dict() if hasattr(value, "to_dict") else dataclasses.asdict(value)
    return value
