"""pipeline("text-generation"): texts in, dictionaries with generated_text out."""

import copy
import enum
import os
import types

from . import logging, seed, tensors
from .generation_config import GenerationConfig
from .tables import GENERATION_FIELDS

__all__ = ["Pipeline", "ReturnType", "TextGenerationPipeline", "pipeline"]

logger = logging.get_logger(__name__)

TASK = "text-generation"
DEFAULT_MODEL, DEFAULT_REVISION = "openai-community/gpt2", "607a30d"
_OTHER_TASKS = (
    "audio-classification", "automatic-speech-recognition", "decision", "depth-estimation",
    "document-question-answering", "feature-extraction", "fill-mask", "image-classification",
    "image-feature-extraction", "image-segmentation", "image-text-to-text", "keypoint-matching", "mask-generation",
    "ner", "object-detection", "sentiment-analysis", "table-question-answering", "text-classification",
    "text-to-audio", "text-to-speech", "token-classification", "video-classification", "zero-shot-classification",
    "zero-shot-audio-classification", "zero-shot-image-classification", "zero-shot-object-detection")
# What the pipeline adds where nobody says anything else.
_DEFAULTS = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}
_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff")


class ReturnType(enum.Enum):
    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2


def _is_message(value):
    return isinstance(value, dict) and "role" in value and "content" in value


def _refuse_chat(inputs):
    first = inputs[0] if isinstance(inputs, (list, tuple)) and inputs else None
    nested = isinstance(first, (list, tuple)) and first and _is_message(first[0])
    if _is_message(first) or nested:
        raise NotImplementedError("chats need apply_chat_template, which is not supported: write the conversation as "
                                  "the model's text")


class Pipeline:
    """A model with its tokenizer, to be called with texts."""

    def __init__(self, model, tokenizer=None, task=TASK, device=None, batch_size=None, num_workers=None,
                 assistant_model=None, assistant_tokenizer=None, **kwargs):
        for name in ("feature_extractor", "image_processor", "video_processor", "processor"):
            if kwargs.pop(name, None) is not None:
                raise NotImplementedError(f"{name}= is not supported: nextoken reads and writes text")
        for name in ("args_parser", "torch_dtype", "dtype", "framework", "binary_output"):
            kwargs.pop(name, None)
        if device is not None and str(device) not in ("cpu", "-1", "auto"):
            raise NotImplementedError(f"device={device!r} is not supported: nextoken computes on the processor")
        if assistant_model is not None and isinstance(assistant_model, str):
            from .auto import AutoModelForCausalLM

            assistant_model = AutoModelForCausalLM.from_pretrained(assistant_model)
        if tokenizer is None:
            raise ValueError("a text-generation pipeline needs a tokenizer")
        self.task, self.model, self.tokenizer = task, model, tokenizer
        self.assistant_model, self.assistant_tokenizer = assistant_model, assistant_tokenizer
        self.prefix = getattr(model.config, "prefix", None)
        self.device = getattr(model, "device", "cpu")
        names = {*GENERATION_FIELDS, "generation_config"}
        self._generate_kwargs = {key: kwargs.pop(key) for key in list(kwargs) if key in names}
        self._generation_defaults = dict(_DEFAULTS)
        if tokenizer.pad_token_id is not None:
            self._generation_defaults["pad_token_id"] = tokenizer.pad_token_id
        if tokenizer.padding_side == "right":
            tokenizer.padding_side = "left"  # what is generated goes on from the right end
        self.call_count = 0
        self._batch_size = batch_size
        self._preprocess_params, self._forward_params, self._postprocess_params = self._sanitize_parameters(**kwargs)
        if self.prefix is not None and "prefix" not in self._preprocess_params:
            before, forward, _ = self._sanitize_parameters(prefix=self.prefix, **self._forward_params)
            self._preprocess_params.update(before)
            self._forward_params.update(forward)

    def __repr__(self):
        dtype = str(getattr(self.model, "dtype", "float32")).split(".")[-1]
        return (f"{type(self).__name__}: {{'model': '{type(self.model).__name__}', 'dtype': '{dtype}', 'device': "
                f"'{getattr(self.device, 'type', self.device)}', 'input_modalities': ('text',), "
                "'output_modalities': ('text',)}")

    def save_pretrained(self, save_directory, **kwargs):
        """Writes the model and the tokenizer to a folder."""
        self.model.save_pretrained(save_directory, **kwargs)
        self.tokenizer.save_pretrained(save_directory, **kwargs)

    def __call__(self, inputs, *args, num_workers=None, batch_size=None, **kwargs):
        if args:
            logger.warning(f"Ignoring args : {args}")
        _refuse_chat(inputs)
        before, forward, after = self._sanitize_parameters(**kwargs)
        before = {**self._preprocess_params, **before}
        forward = {**self._forward_params, **forward}
        after = {**self._postprocess_params, **after}
        self.call_count += 1
        size = batch_size or self._batch_size or 1
        if isinstance(inputs, list):
            return list(self._each(inputs, size, before, forward, after))
        if isinstance(inputs, types.GeneratorType):
            return self._each(inputs, size, before, forward, after)
        return self.postprocess(self.forward(self.preprocess(inputs, **before), **forward), **after)

    def _each(self, inputs, size, before, forward, after):
        """The answers to inputs, `size` of them computed together."""
        seed.words(2)  # transformers reads several inputs through torch's DataLoader, which draws a seed of its own
        batch = []
        for text in inputs:
            batch.append(self.preprocess(text, **before))
            if len(batch) == size:
                yield from self._answers(batch, forward, after)
                batch = []
        if batch:
            yield from self._answers(batch, forward, after)

    def _answers(self, batch, forward, after):
        if len(batch) == 1:
            yield self.postprocess(self.forward(batch[0], **forward), **after)
            return
        outputs = self.forward(self._collate(batch), **forward)
        for i, text in enumerate(outputs["prompt_text"]):
            row = {key: value[i:i + 1] for key, value in outputs.items() if key != "prompt_text"}
            yield self.postprocess({**row, "prompt_text": text}, **after)

    def _collate(self, batch):
        """Several inputs as one, padded."""
        pad = self.tokenizer.pad_token_id
        if pad is None:
            raise ValueError("Pipeline with tokenizer without pad_token cannot do batching. You can try to set it with "
                             "`pipe.tokenizer.pad_token_id = model.config.eos_token_id`.")
        rows = [tensors.as_lists(one["input_ids"])[0] for one in batch]
        masks = [tensors.as_lists(one["attention_mask"])[0] for one in batch]
        length = max(map(len, rows))
        left = self.tokenizer.padding_side == "left"

        def padded(row, value):
            fill = [value] * (length - len(row))
            return fill + row if left else row + fill

        return {"input_ids": tensors.convert([padded(row, pad) for row in rows], "pt"),
                "attention_mask": tensors.convert([padded(row, 0) for row in masks], "pt"),
                "prompt_text": [one["prompt_text"] for one in batch]}

    def forward(self, model_inputs, **forward_params):
        return self._forward(model_inputs, **forward_params)

    # ---- What generate() is asked for ----

    def _set_parameters(self, kwargs):
        """The options that somebody set: the call, its generation_config, the model's."""
        params = self.model.generation_config.to_diff_dict()
        if kwargs.get("generation_config") is not None:
            params.update(kwargs["generation_config"].to_diff_dict())
        return {**params, **kwargs}

    def _prepare_generate_kwargs(self, kwargs):
        if "generation_config" not in kwargs:
            kwargs = {**self._generate_kwargs, **kwargs}
        stated = self._set_parameters(kwargs)
        added = {key: value for key, value in self._generation_defaults.items()
                 if key not in stated and not (key == "max_new_tokens" and "max_length" in stated)}
        if not {**stated, **added}.get("do_sample"):
            added = {key: value for key, value in added.items() if key not in _SAMPLING}
        if kwargs.get("generation_config") is None:
            return {**kwargs, **added}
        config = copy.deepcopy(kwargs["generation_config"])
        config.update(**added)
        return {**kwargs, "generation_config": config}


class TextGenerationPipeline(Pipeline):
    """Goes on with texts.

    A call takes a text, a list or a generator of them, and: return_full_text (False: what is new
    alone), return_tensors (ids in the text's place), num_return_sequences, max_new_tokens, do_sample
    and all of generate(); stop_sequence, prefix, handle_long_generation="hole", batch_size. A text
    gives [{"generated_text": ...}, ...], a list one such list for each.
    """

    _default_generation_config = GenerationConfig(**_DEFAULTS)

    def _sanitize_parameters(self, return_full_text=None, return_tensors=None, return_text=None, return_type=None,
                             clean_up_tokenization_spaces=None, prefix=None, handle_long_generation=None,
                             stop_sequence=None, truncation=None, max_length=None, continue_final_message=None,
                             skip_special_tokens=None, tokenizer_encode_kwargs=None, tools=None, documents=None,
                             **generate_kwargs):
        """(for preprocess, for forward, for postprocess) of a call's arguments."""
        for name, value in (("tools", tools), ("documents", documents),
                            ("continue_final_message", continue_final_message)):
            if value is not None:
                raise NotImplementedError(f"{name}= is for chats, which are not supported")
        before = {key: generate_kwargs.pop(key) for key in ("add_special_tokens", "padding") if key in generate_kwargs}
        for name, value in (("truncation", truncation), ("max_length", max_length), ("prefix", prefix),
                            ("tokenizer_encode_kwargs", tokenizer_encode_kwargs)):
            if value is not None:
                before[name] = value
        if max_length is not None:
            generate_kwargs["max_length"] = max_length
        if prefix:
            ids = self.tokenizer(prefix, add_special_tokens=before.get("add_special_tokens", False))["input_ids"]
            generate_kwargs["prefix_length"] = len(ids)
        if handle_long_generation is not None:
            if handle_long_generation != "hole":
                raise ValueError(f"{handle_long_generation} is not a valid value for `handle_long_generation` parameter "
                                 "expected [None, 'hole']")
            before["handle_long_generation"] = handle_long_generation
        before.update(generate_kwargs)
        if stop_sequence is not None:
            generate_kwargs["stop_strings"] = [stop_sequence] if isinstance(stop_sequence, str) else stop_sequence
            generate_kwargs["tokenizer"] = self.tokenizer
        if self.assistant_model is not None:
            generate_kwargs["assistant_model"] = self.assistant_model
        if self.assistant_tokenizer is not None:
            generate_kwargs.update(tokenizer=self.tokenizer, assistant_tokenizer=self.assistant_tokenizer)
        return before, generate_kwargs, self._after(return_full_text, return_tensors, return_text, return_type,
                                                    clean_up_tokenization_spaces, skip_special_tokens)

    @staticmethod
    def _after(full, as_tensors, as_text, kind, clean, skip):
        if full is not None and kind is None:
            for name, value in (("return_text", as_text), ("return_tensors", as_tensors)):
                if value is not None:
                    one, other = (name, "return_full_text") if name == "return_text" else ("return_full_text", name)
                    raise ValueError(f"`{one}` is mutually exclusive with `{other}`")
            kind = ReturnType.FULL_TEXT if full else ReturnType.NEW_TEXT
        if as_tensors is not None and kind is None:
            if as_text is not None:
                raise ValueError("`return_text` is mutually exclusive with `return_tensors`")
            kind = ReturnType.TENSORS
        after = {"return_type": kind, "clean_up_tokenization_spaces": clean, "skip_special_tokens": skip}
        return {key: value for key, value in after.items() if value is not None}

    def preprocess(self, prompt_text, prefix="", handle_long_generation=None, add_special_tokens=None, truncation=None,
                   padding=None, max_length=None, tokenizer_encode_kwargs=None, **generate_kwargs):
        """A text's ids."""
        asked = {"add_special_tokens": add_special_tokens, "truncation": truncation, "padding": padding,
                 "max_length": max_length}
        asked = {key: value for key, value in asked.items() if value is not None}
        asked.update(tokenizer_encode_kwargs or {})
        inputs = dict(self.tokenizer(prefix + prompt_text, return_tensors="pt", **asked))
        inputs["prompt_text"] = prompt_text
        if handle_long_generation == "hole":
            self._make_hole(inputs, generate_kwargs)
        return inputs

    def _make_hole(self, inputs, generate_kwargs):
        """Takes off the beginning of a prompt that leaves no room for what is to come."""
        n = inputs["input_ids"].shape[-1]
        params = self._set_parameters(self._prepare_generate_kwargs(generate_kwargs))
        new = params.get("max_new_tokens")
        if new is None:
            new = params["max_length"] - n
            if new < 0:
                raise ValueError("We cannot infer how many new tokens are expected")
        if n + new <= self.tokenizer.model_max_length:
            return
        keep = self.tokenizer.model_max_length - new
        if keep <= 0:
            raise ValueError("We cannot use `hole` to handle this generation the number of desired tokens exceeds the "
                             "models max length")
        for key in ("input_ids", "attention_mask"):
            if key in inputs:
                inputs[key] = inputs[key][:, -keep:]

    def _forward(self, model_inputs, **generate_kwargs):
        ids, mask = model_inputs["input_ids"], model_inputs.get("attention_mask")
        n_inputs = ids.shape[0]
        if ids.shape[1] == 0:  # an empty prompt begins with the model's own first token
            ids = mask = None
            n_inputs = 1
        prefix_length = generate_kwargs.pop("prefix_length", 0)
        generate_kwargs = self._prepare_generate_kwargs(generate_kwargs)
        if prefix_length:
            params = self._set_parameters(generate_kwargs)
            for length, new in (("max_length", "max_new_tokens"), ("min_length", "min_new_tokens")):
                if length in params and new not in params:
                    generate_kwargs[length] = params[length] + prefix_length
        output = self.model.generate(input_ids=ids, attention_mask=mask, **generate_kwargs)
        sequences = output if hasattr(output, "shape") else output.sequences
        n_each = sequences.shape[0] // n_inputs
        outputs = {"generated_sequence": sequences.reshape(n_inputs, n_each, *sequences.shape[1:]),
                   "input_ids": ids, "prompt_text": model_inputs["prompt_text"]}
        if sequences is not output:
            outputs.update(_others(output, n_inputs, n_each))
        if ids is None:
            del outputs["input_ids"]
        return outputs

    def postprocess(self, model_outputs, return_type=ReturnType.FULL_TEXT, clean_up_tokenization_spaces=None,
                    skip_special_tokens=None):
        """The dictionaries of one input."""
        sequences = tensors.as_lists(model_outputs["generated_sequence"])[0]
        ids, text = model_outputs.get("input_ids"), model_outputs["prompt_text"]
        others = {key: tensors.as_lists(value)[0] for key, value in model_outputs.items()
                  if key not in ("generated_sequence", "input_ids", "prompt_text")}
        n_prompt = 0 if ids is None else ids.shape[-1]
        records = []
        for i, sequence in enumerate(sequences):
            if return_type == ReturnType.TENSORS:
                record = {"generated_token_ids": sequence}
            else:
                new = self.tokenizer.decode(
                    sequence[n_prompt:], skip_special_tokens=skip_special_tokens in (None, True),
                    clean_up_tokenization_spaces=clean_up_tokenization_spaces)
                record = {"generated_text": text + new if return_type == ReturnType.FULL_TEXT else new}
            record.update((key, value[i]) for key, value in others.items())
            records.append(record)
        return records


def _others(output, n_inputs, n_each):
    """The further outputs of generate() that have a row for each sequence, as [inputs, sequences, ...]."""
    found = {}
    for key, value in output.items():
        if key in ("sequences", "past_key_values") or value is None:
            continue
        if not hasattr(value, "shape"):
            first = value[0] if len(value) else None
            if not hasattr(first, "shape") or first.shape[0] != n_inputs * n_each:
                continue
            value = _stacked(value)
        if value.shape and value.shape[0] == n_inputs * n_each:
            found[key] = value.reshape(n_inputs, n_each, *value.shape[1:])
    return found


def _stacked(steps):
    """Tensors [rows, ...] of each step as one [rows, steps, ...]."""
    steps = list(steps)
    if tensors.is_tensor(steps[0]):
        return tensors.torch().stack(steps).swapaxes(0, 1)
    import numpy

    return numpy.stack(steps).swapaxes(0, 1)


def pipeline(task=None, model=None, config=None, tokenizer=None, feature_extractor=None, image_processor=None,
             video_processor=None, processor=None, revision=None, use_fast=True, token=None, device=None,
             device_map=None, dtype="auto", trust_remote_code=None, model_kwargs=None, pipeline_class=None, **kwargs):
    """A pipeline for a task, which is "text-generation". model: a name, a folder, or a model."""
    for name, value in (("feature_extractor", feature_extractor), ("image_processor", image_processor),
                        ("video_processor", video_processor), ("processor", processor)):
        if value is not None:
            raise NotImplementedError(f"{name}= is not supported: nextoken reads and writes text")
    if task is None and model is None:
        raise RuntimeError("Impossible to instantiate a pipeline without either a task or a model being specified. "
                           "Please provide a task class or a model")
    if model is None and tokenizer is not None:
        raise RuntimeError("Impossible to instantiate a pipeline with tokenizer specified but not the model as the "
                           "provided tokenizer may not be compatible with the default model. Please provide a "
                           "PreTrainedModel class or a path/identifier to a pretrained model when providing tokenizer.")
    task = task or TASK
    if task in _OTHER_TASKS or task.startswith("translation"):
        raise NotImplementedError(f'the task "{task}" is not supported; nextoken has "{TASK}"')
    if task != TASK:
        raise KeyError(f"Unknown task {task}, available tasks are ['{TASK}']")
    if model is None:
        model, revision = DEFAULT_MODEL, revision or DEFAULT_REVISION
        logger.warning(f"No model was supplied, defaulted to {model} and revision {revision} "
                       f"(https://huggingface.co/{model}).\nUsing a pipeline without specifying a model name and "
                       "revision in production is not recommended.")
    where = {"revision": revision, "token": token, "local_files_only": kwargs.pop("local_files_only", False)}
    where["cache_dir"] = (model_kwargs or {}).get("cache_dir")
    name = model if isinstance(model, (str, os.PathLike)) else None
    if name is not None:
        from .auto import AutoModelForCausalLM

        extra = {key: value for key, value in {**(model_kwargs or {})}.items() if key != "cache_dir"}
        for key, value in (("config", config), ("device_map", device_map), ("dtype", None if dtype == "auto" else dtype)):
            if value is not None:
                extra[key] = value
        model = AutoModelForCausalLM.from_pretrained(name, **where, **extra)
    if tokenizer is None:
        tokenizer = name or getattr(model, "name_or_path", None) or model.config.name_or_path
        if not tokenizer:
            raise Exception("Impossible to guess which tokenizer to use. Please provide a PreTrainedTokenizer class or a "
                            "path/identifier to a pretrained tokenizer.")
    if isinstance(tokenizer, (str, os.PathLike, tuple)):
        from .tokenization import AutoTokenizer

        tokenizer, more = tokenizer if isinstance(tokenizer, tuple) else (tokenizer, {})
        tokenizer = AutoTokenizer.from_pretrained(tokenizer, **where, **more)
    return (pipeline_class or TextGenerationPipeline)(model=model, tokenizer=tokenizer, task=task, device=device, **kwargs)
