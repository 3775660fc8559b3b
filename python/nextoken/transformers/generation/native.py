"""One prompt through the library's own search: no Python runs between its tokens.

Letters: n sequences returned, T positions, N new tokens.
"""

import contextlib
import math
import weakref
from typing import Any

import numpy as np

from ...library import check, ffi, lib, owned, prompt, running
from ...options import generate_options
from ..seed import torch_rng
from .lists import run_processors
from .rows import to_tensor
from .search import Found

__all__ = ["can_run", "run"]


def can_run(settings, processors, criteria, tokenizer, recorder):
    """Whether the library finds what transformers finds: for one prompt without padding, where nothing of
    the caller's is called back but what assisted decoding allows."""
    config = settings.config
    if len(settings.ids) != 1 or settings.mask is not None or any(i < 0 for i in settings.eos or ()):
        return False
    if settings.beams > 1 and config.guidance_scale not in (None, 1):
        return False  # there transformers' guiding rows stay where they are
    if config.stop_strings is not None:
        if settings.n > 1 or not _same_vocabulary(tokenizer, settings.engine):
            return False
    if config.remove_invalid_values and config.exponential_decay_length_penalty is not None:
        return False  # what overflows is cut there
    biases = config.sequence_bias or ()
    if not all(map(math.isfinite, _biases(biases))):
        return False
    words = [*(config.bad_words_ids or ()), *(biases if isinstance(biases, dict) else
                                              (ids for ids, _ in biases))]
    if any(i >= settings.engine.info.n_vocab for word in words for i in word):
        return False  # whose error is that of the processor
    return recorder.lazy


def _biases(given):
    return list(given.values()) if isinstance(given, dict) else [bias for _, bias in given]


_compared: "weakref.WeakKeyDictionary[Any, Any]" = weakref.WeakKeyDictionary()  # a tokenizer -> (a model's own, whether they are the same)


def _same_vocabulary(tokenizer, engine):
    """Whether ids mean to the tokenizer what they mean to the model's own."""
    theirs = getattr(getattr(tokenizer, "_backend", None), "tokenizer", None)
    ours = engine.tokenizer
    if theirs is None or ours is None:
        return False
    known = _compared.get(theirs)
    if known is None or known[0] is not ours:
        same = len(theirs) == len(ours) and all(theirs.token_bytes(i) == ours.token_bytes(i)
                                                for i in range(len(ours)))
        known = _compared[theirs] = ours, same
    return known[1]


# ---- Options ------------------------------------------------------------------------------------


def _always(settings):
    """Options by the library's names that act whether ids are drawn or not. All are given, so that none
    comes from the checkpoint."""
    c, eos = settings.config, settings.eos
    new = c.max_length - settings.n_prompt
    given = {
        "max_new_tokens": new, "eos_token_id": eos or [], "do_sample": bool(c.do_sample),
        "num_return_sequences": c.num_return_sequences or 1, "num_beams": settings.beams,
        "repetition_penalty": c.repetition_penalty or 1.0,
        "encoder_repetition_penalty": c.encoder_repetition_penalty or 1.0,
        "no_repeat_ngram_size": c.no_repeat_ngram_size or 0,
        "encoder_no_repeat_ngram_size": c.encoder_no_repeat_ngram_size or 0,
        "suppress_tokens": _list(c.suppress_tokens),
        "begin_suppress_tokens": _list(c.begin_suppress_tokens),
        "remove_invalid_values": c.remove_invalid_values is True,
        "renormalize_logits": c.renormalize_logits is True,
        "stop_strings": _list(c.stop_strings), "bad_words_ids": c.bad_words_ids,
        "guidance_scale": c.guidance_scale if c.guidance_scale is not None else 1.0,
        "max_time": c.max_time, "forced_bos_token_id": c.forced_bos_token_id,
        "forced_eos_token_id": _list(c.forced_eos_token_id),
        "exponential_decay_length_penalty": c.exponential_decay_length_penalty,
    }
    if c.sequence_bias is not None:
        given["sequence_bias"] = [[list(ids), bias] for ids, bias in
                                  (c.sequence_bias.items() if isinstance(c.sequence_bias, dict)
                                   else c.sequence_bias)]
    if eos is None:
        given["exponential_decay_length_penalty"] = None
    elif c.min_new_tokens:
        given["min_new_tokens"] = min(c.min_new_tokens, new)
    elif c.min_length:
        given["min_length"] = c.min_length
    return given


def _list(value):
    if value is None:
        return []
    value = value.tolist() if hasattr(value, "tolist") else value
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def _drawing(settings):
    """Options that act where ids are drawn."""
    c = settings.config
    if not c.do_sample:
        return {}
    given = {"rng": "torch", "temperature": 1.0 if c.temperature is None else c.temperature,
             "top_k": c.top_k or 0, "top_p": 1.0 if c.top_p is None else min(c.top_p, 1.0),
             "top_h": c.top_h, "min_p": c.min_p}
    for name, idle in (("typical_p", 1.0), ("epsilon_cutoff", 0.0), ("eta_cutoff", 0.0)):
        value = getattr(c, name)
        given[name] = idle if value is None else value
    if c.typical_p is not None and c.typical_p >= 1.0:
        given["typical_p"] = 1.0
    for name in ("epsilon_cutoff", "eta_cutoff"):
        if not 0 < given[name] < 1:
            given[name] = 0.0
    return given


def _searching(settings, assistant):
    """Options of beams and of drafts."""
    c, given = settings.config, {}
    if settings.beams > 1:
        given["length_penalty"] = 1.0 if c.length_penalty is None else c.length_penalty
        given["early_stopping"] = {True: "true", "never": "never"}.get(c.early_stopping, "false")
    if not settings.assisted:
        return given
    if c.prompt_lookup_num_tokens is not None:
        given["prompt_lookup_num_tokens"] = c.prompt_lookup_num_tokens
        given["max_matching_ngram_size"] = c.max_matching_ngram_size or 2
        return given
    theirs = getattr(assistant, "generation_config", None)  # transformers asks the one that drafts
    for name in ("num_assistant_tokens", "num_assistant_tokens_schedule",
                 "assistant_confidence_threshold"):
        value = getattr(theirs, name, None)
        given[name] = getattr(c, name) if value is None else value
    if c.assistant_ensemble_weight is not None:
        given["assistant_ensemble_weight"] = c.assistant_ensemble_weight
    return given


def _none_of_the_checkpoints(struct, options):
    """Lists that text cannot say are empty: empty. Returns what must outlive the call."""
    kept = []
    for name, kind in (("bad_words_ids", "nt_word[1]"), ("sequence_bias", "nt_bias[1]")):
        if options.get(name) is None:
            kept.append(ffi.new(kind))
            setattr(struct, name, kept[-1])
    return kept


# ---- Callbacks ---------------------------------------------------------------------------------


class _Calls:
    """What is called back: the streamer, and in assisted decoding the caller's own processors and
    criteria, for one row."""

    def __init__(self, settings, streamer, processors, criteria):
        self.settings, self.streamer = settings, streamer
        self.processors, self.criteria = processors, criteria
        self.sent = settings.n_prompt

    def process(self, ids, logits):
        ids = np.array(ids, np.int64)[None]
        return run_processors(self.processors, ids, logits[None], self.settings.torch)[0]

    def send(self, ids):
        """New ids to the streamer, one at a time."""
        for i in ids[self.sent:]:  # transformers puts what a draft brought as a row
            new = np.array([[i]] if self.settings.assisted else [i], np.int64)
            self.streamer.put(to_tensor(new, self.settings.torch))
        self.sent = max(self.sent, len(ids))

    def stop(self, ids):
        if self.streamer is not None:
            self.send(ids)
        if not self.criteria:
            return False
        ids = np.array(ids, np.int64)[None]
        return bool(self.criteria.ended(to_tensor(ids, self.settings.torch), None)[0])


def run(settings, streamer=None, assistant=None, negative=None, processors=(), criteria=()):
    """The search's outcome. processors, criteria: the caller's own, of assisted decoding."""
    options = {**_always(settings), **_drawing(settings), **_searching(settings, assistant)}
    if negative is not None and negative[0] is not None:
        options["negative_prompt_ids"] = negative[0]
    calls = _Calls(settings, streamer, processors, criteria)
    out = ffi.new("nt_result **")
    with contextlib.ExitStack() as held:
        callbacks = held.enter_context(running())
        session = held.enter_context(settings.engine.session().use())
        drafting = None
        if assistant is not None and settings.assisted:
            drafting = held.enter_context(assistant._nextoken.session().use())
        struct = generate_options(options, callbacks=callbacks, assistant=drafting,
                                  process=calls.process if processors else None,
                                  stop=calls.stop if streamer is not None or criteria else None)
        struct.choices = 1
        none = _none_of_the_checkpoints(struct, options)
        if settings.config.do_sample:
            struct.torch_rng = held.enter_context(torch_rng())
        check(lib.nt_generate(out, session, prompt(settings.prompts[0].ids), struct))
        del none
    result = owned(out[0], "nt_result_free")
    found = _beams_of(settings, result) if settings.beams > 1 else _each_of(settings, result)
    if streamer is not None:
        calls.send(found.sequences[0])
        streamer.end()
    return found


# ---- Results -----------------------------------------------------------------------------------


def _outputs(result):
    """[(ids, nt_output)] of every sequence."""
    made = []
    for i in range(lib.nt_result_n_outputs(result)):
        output = lib.nt_result_output(result, i)
        ids = np.frombuffer(ffi.buffer(output.ids, 4 * output.n_ids), np.int32) if output.n_ids else \
            np.empty(0, np.int32)
        made.append((ids.astype(np.int64), output))
    return made


def _each_of(settings, result):
    outputs, P = _outputs(result), settings.n_prompt
    N = max(len(ids) for ids, _ in outputs)
    fill = settings.pad if settings.pad is not None else 0
    sequences = np.full((len(outputs), P + N), fill, np.int64)
    for row, (ids, _) in zip(sequences, outputs):
        row[:P] = settings.ids[0]
        row[P:P + len(ids)] = ids
    return Found(sequences=sequences, tokens=sequences[:, P:-1].T, n_steps=N)


def _beams_of(settings, result):
    """None where beams were missing on the way: transformers fills them up with copies, which the search
    in Python does too."""
    outputs, P, n = _outputs(result), settings.n_prompt, settings.beams
    beams = [lib.nt_result_beam(result, i) for i in range(lib.nt_result_n_beams(result))]
    N = 1 + max(beam.index for beam in beams)
    tokens = np.full((N - 1, n), -1, np.int64)
    parents = np.zeros((N - 1, n), np.int64)
    for beam in beams:
        if beam.slot >= 0 and beam.index < N - 1:
            tokens[beam.index, beam.slot] = beam.token.token.id
            parents[beam.index, beam.slot] = 0 if beam.parent < 0 else beams[beam.parent].slot
    if (tokens < 0).any() or len(outputs) < (settings.config.num_return_sequences or 1):
        return None
    longest = max(len(ids) for ids, _ in outputs)
    eos = settings.eos
    fill = (settings.pad or eos[0]) if eos is not None else -1
    sequences = np.full((len(outputs), P + longest), fill, np.int64)
    ways = np.full((len(outputs), longest), -1, np.int32)
    for row, way, (ids, output) in zip(sequences, ways, outputs):
        row[:P] = settings.ids[0]
        row[P:P + len(ids)] = ids
        at = output.beam
        while at >= 0:
            parent = beams[at].parent
            way[beams[at].index] = 0 if parent < 0 else beams[parent].slot
            at = parent
    scores = np.array([output.score for _, output in outputs], np.float32)
    return Found(sequences=sequences, tokens=tokens, parents=parents, n_steps=N,
                 sequences_scores=scores, beam_indices=ways)
