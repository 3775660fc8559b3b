"""generate() and compute_transition_scores(), with the arguments and outcomes of transformers.

One prompt without callbacks is the library's own work (native.py); several prompts, padding and Python
functions that are called back go through search.py and beams.py, all rows together, a step at a time.
Letters: B prompts, n sequences returned a prompt, T positions, N new tokens, V vocabulary.
"""

import numpy as np

from . import native
from .beams import search_beams
from .guidance import UnbatchedClassifierFreeGuidanceLogitsProcessor
from .inside import inside_of
from .later import LaterCache, grow
from .lists import criteria_of, is_ours, processors_of, run_processors, user_made
from .mixin import GenerationMixin
from .outputs import GenerateBeamDecoderOnlyOutput, GenerateDecoderOnlyOutput
from .processors import PrefixConstrainedLogitsProcessor
from .rows import as_ids, as_scores, log_softmax, to_tensor, torch_of
from .scores import Replay, Steps
from .search import Recorder, search_each
from .settings import Settings

__all__ = ["GenerateBeamDecoderOnlyOutput", "GenerateDecoderOnlyOutput", "GenerationMixin",
           "compute_transition_scores", "generate"]


def _refuse(synced_gpus, custom_generate, kwargs):
    if synced_gpus:
        raise NotImplementedError("synced_gpus=True: there is one processor, and nothing to wait for")
    if custom_generate is not None:
        raise NotImplementedError("custom_generate is not built: write the loop around model(...)")
    if kwargs.pop("trust_remote_code", None):
        raise NotImplementedError("trust_remote_code=True: no code is ever fetched")


def generate(model, inputs=None, generation_config=None, logits_processor=None, stopping_criteria=None,
             prefix_allowed_tokens_fn=None, synced_gpus=None, assistant_model=None, streamer=None,
             negative_prompt_ids=None, negative_prompt_attention_mask=None, custom_generate=None,
             **kwargs):
    """GenerationMixin.generate, as a function of the model."""
    _refuse(synced_gpus, custom_generate, kwargs)
    tokenizer = kwargs.pop("tokenizer", None)
    if kwargs.pop("assistant_tokenizer", None) is not None:
        raise NotImplementedError("assistant_tokenizer: an assistant_model with another vocabulary is not "
                                  "built")
    settings = Settings(model, inputs, generation_config, assistant_model is not None, kwargs)
    if streamer is not None:
        if settings.beams > 1:
            raise ValueError("`streamer` cannot be used with beam search (yet!). Make sure that "
                             "`num_beams` is set to 1.")
        streamer.put(to_tensor(np.repeat(settings.ids, settings.n, axis=0), settings.torch))
    _check_assistant(model, assistant_model, settings)
    call = _Call(settings, tokenizer, streamer, assistant_model)
    call.set_lists(user_made(logits_processor, "logits_processor"),
                   user_made(stopping_criteria, "stopping_criteria"), prefix_allowed_tokens_fn,
                   (negative_prompt_ids, negative_prompt_attention_mask))
    found = call.search()
    grow(settings, found)
    if not settings.config.return_dict_in_generate:
        return to_tensor(found.sequences, settings.torch)
    return call.output(found)


def _check_assistant(model, assistant, settings):
    if assistant is None or not settings.assisted:
        return
    if not hasattr(assistant, "_nextoken"):
        raise TypeError("`assistant_model` must be a model of nextoken.transformers, not "
                        f"{type(assistant).__name__}")
    if assistant.config.vocab_size != model.config.vocab_size:
        raise NotImplementedError("an assistant_model with another vocabulary is not built")


class _Call:
    """One call of generate(): its settings, what is called back, and its outcome."""

    def __init__(self, settings, tokenizer, streamer, assistant):
        self.settings, self.tokenizer = settings, tokenizer
        self.streamer, self.assistant = streamer, assistant

    def set_lists(self, processors, criteria, prefix_allowed_tokens_fn, negative):
        settings = self.settings
        self.negative = None
        if settings.config.guidance_scale not in (None, 1) and negative[0] is not None:
            self.negative = negative
        self.own_processors, self.own_criteria = list(processors), list(criteria)
        if prefix_allowed_tokens_fn is not None:
            self.own_processors.insert(0, PrefixConstrainedLogitsProcessor(prefix_allowed_tokens_fn,
                                                                           settings.beams))
        self.processors = processors_of(settings, processors, prefix_allowed_tokens_fn, self.negative)
        self.criteria = criteria_of(settings, criteria, self.tokenizer)

    # ---- Search ----

    def search(self):
        settings = self.settings
        if settings.assisted:
            return self._assisted()
        recorder = Recorder(settings, self.processors, self.criteria)
        plain = not self.own_processors and not self.own_criteria and self._guided_is_plain() \
            and (self.streamer is None or settings.n == 1)
        if plain and native.can_run(settings, self.processors, self.criteria, self.tokenizer, recorder):
            found = self._natively()
            if found is not None:
                return found
        try:
            if settings.beams > 1:
                return search_beams(settings, self.processors, self.criteria)
            return search_each(settings, self.processors, self.criteria, self.streamer)
        finally:
            for processor in self.processors:
                if isinstance(processor, UnbatchedClassifierFreeGuidanceLogitsProcessor):
                    processor.close()

    def _guided_is_plain(self):
        """Guidance has a row beside each: its scores are not computed again later."""
        c = self.settings.config
        return c.guidance_scale in (None, 1)

    def _natively(self):
        """The library's own search; None where it has to be done here."""
        if self.settings.beams == 1 or not self.settings.config.do_sample:
            return native.run(self.settings, self.streamer, negative=self._negative_ids())
        from ..seed import get_state, set_state

        state = get_state()
        found = native.run(self.settings, negative=self._negative_ids())
        if found is None:
            set_state(state)
        return found

    def _negative_ids(self):
        if self.negative is None:
            return None
        return as_ids(self.negative[0])[0].tolist(), None

    def _assisted(self):
        """Drafts are checked by the library; the caller's own functions see one row."""
        settings = self.settings
        if settings.mask is not None:
            raise NotImplementedError("assisted decoding of a prompt with masked ids is not built: leave "
                                      "the padding away")
        if settings.config.guidance_scale not in (None, 1) and self.own_processors:
            raise NotImplementedError("guidance_scale with an assistant and processors of your own")
        criteria = type(self.criteria)(c for c in self.criteria if any(c is own for own in
                                                                       self.own_criteria))
        if settings.config.stop_strings is not None:
            criteria += [c for c in self.criteria if type(c).__name__ == "StopStringCriteria"]
            settings.config.stop_strings = None
        return native.run(settings, self.streamer, self.assistant, self._negative_ids(),
                          self.own_processors, criteria)

    # ---- Output ----

    def output(self, found):
        settings, config = self.settings, self.settings.config
        fields = {"sequences": to_tensor(found.sequences, settings.torch)}
        replay = None
        if config.output_scores or config.output_logits:
            replay = Replay(settings.engine, settings.prompts, settings.n, found.tokens, found.parents)
        if config.output_scores:
            fields["scores"] = found.scores if found.scores is not None else \
                self._scores(found, replay)
        if config.output_logits:
            fields["logits"] = found.logits if found.logits is not None else \
                Steps(found.n_steps, lambda t: replay.logits(t).copy(), settings.torch)
        fields.update(inside_of(settings, found))
        if config.use_cache:
            fields["past_key_values"] = settings.cache or LaterCache(settings, found)
        if settings.beams == 1:
            return GenerateDecoderOnlyOutput(**fields)
        fields["beam_indices"] = to_tensor(found.beam_indices, settings.torch)
        if config.output_scores:
            fields["sequences_scores"] = to_tensor(found.sequences_scores, settings.torch)
        return GenerateBeamDecoderOnlyOutput(**fields)

    def _scores(self, found, replay):
        """What the processors made of each step, computed when it is looked at."""
        settings, processors = self.settings, self.processors
        if not all(map(is_ours, processors)):
            return self._stateful(found, replay)
        prompts = np.repeat(settings.ids, settings.n, axis=0)

        def step(t):
            x = replay.logits(t)
            x = log_softmax(x) if settings.beams > 1 else x.copy()
            ids = np.concatenate([prompts, replay.paths(t)], axis=1) if processors else prompts
            return run_processors(processors, ids, x, settings.torch)

        return Steps(found.n_steps, step, settings.torch)

    def _stateful(self, found, replay):
        """Of assisted decoding with processors of the caller's: in order, now, and kept."""
        prompts, kept = np.repeat(self.settings.ids, self.settings.n, axis=0), []
        for t in range(found.n_steps):
            ids = np.concatenate([prompts, replay.paths(t)], axis=1)
            x = run_processors(self.processors, ids, replay.logits(t).copy(), self.settings.torch)
            kept.append(to_tensor(x, self.settings.torch))
        return tuple(kept)


# ---- Transition scores -------------------------------------------------------------------------


def compute_transition_scores(model, sequences, scores, beam_indices=None, normalize_logits=False):
    """GenerationMixin.compute_transition_scores, as a function."""
    torch = torch_of(sequences) or tensors_of(scores)
    ids = as_ids(sequences)
    steps = len(scores)
    if beam_indices is None:
        way = np.broadcast_to(np.arange(len(as_scores(scores[0])))[:, None],
                              (len(as_scores(scores[0])), steps))
    else:
        way = as_ids(beam_indices)
    longest = int((way >= 0).sum(axis=-1).max())
    way = way[:, :longest]
    new = ids[:, ids.shape[1] - longest:]
    out = np.zeros(way.shape, np.float32)
    for t in range(longest):
        rows = as_scores(scores[t])
        if normalize_logits:
            rows = log_softmax(rows)
        out[:, t] = rows[np.maximum(way[:, t], 0), new[:, t]]
    out[way < 0] = 0
    return to_tensor(out, torch)


def tensors_of(scores):
    """torch where the scores are tensors of it."""
    return torch_of(scores[0]) if len(scores) else None
