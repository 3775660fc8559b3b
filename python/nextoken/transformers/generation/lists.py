"""The processors and stopping criteria of a call, in the order in which transformers runs them."""

import warnings

import numpy as np

from .. import logging
from . import logits_process as P
from . import stopping_criteria as S
from .rows import as_ids, as_scores, to_tensor

__all__ = ["criteria_of", "is_ours", "processors_of", "run_processors", "user_made"]

logger = logging.get_logger(__name__)


def user_made(given, name):
    """What a caller gave: a list of it, or one."""
    if given is None:
        return []
    if callable(given) and not isinstance(given, list):
        raise TypeError(f"`{name}` is a list: put it into [...]")
    return list(given)


def processors_of(settings, given=(), prefix_allowed_tokens_fn=None, negative=None):
    """LogitsProcessorList of the settings, those given among them."""
    made = P.LogitsProcessorList(_before(settings, prefix_allowed_tokens_fn, negative))
    made = _merged(made, given, "logits processor")
    if settings.config.do_sample:
        made += _warpers(settings)
    if settings.config.renormalize_logits is True:
        made.append(P.LogitNormalization())
    return made


def _before(settings, prefix_allowed_tokens_fn, negative):
    """What acts before the caller's own."""
    c, ids, eos = settings.config, settings.ids, settings.eos
    if c.guidance_scale is not None and c.guidance_scale != 1:
        yield P.UnbatchedClassifierFreeGuidanceLogitsProcessor(c.guidance_scale, settings.model,
                                                               *(negative or (None, None)))
    if c.sequence_bias is not None:
        yield P.SequenceBiasLogitsProcessor(c.sequence_bias)
    if c.encoder_repetition_penalty not in (None, 1.0):
        yield P.EncoderRepetitionPenaltyLogitsProcessor(c.encoder_repetition_penalty, ids)
    if c.repetition_penalty not in (None, 1.0):
        yield P.RepetitionPenaltyLogitsProcessor(c.repetition_penalty, _paddings(settings))
    if c.no_repeat_ngram_size is not None and c.no_repeat_ngram_size > 0:
        yield P.NoRepeatNGramLogitsProcessor(c.no_repeat_ngram_size)
    if c.encoder_no_repeat_ngram_size is not None and c.encoder_no_repeat_ngram_size > 0:
        yield P.EncoderNoRepeatNGramLogitsProcessor(c.encoder_no_repeat_ngram_size, ids)
    if c.bad_words_ids is not None:
        yield P.NoBadWordsLogitsProcessor(c.bad_words_ids, eos)
    if c.min_length is not None and eos is not None and c.min_length > 0:
        yield P.MinLengthLogitsProcessor(c.min_length, eos)
    if c.min_new_tokens is not None and eos is not None and c.min_new_tokens > 0:
        yield P.MinNewTokensLengthLogitsProcessor(settings.n_prompt, c.min_new_tokens, eos)
    if prefix_allowed_tokens_fn is not None:
        yield P.PrefixConstrainedLogitsProcessor(prefix_allowed_tokens_fn, settings.beams)
    yield from _forced(settings)


def _paddings(settings):
    """Masked ids at the beginning of every row; None where nothing is masked."""
    if settings.mask is None:
        return None
    return np.repeat(settings.mask.argmax(axis=1), settings.n)


def _forced(settings):
    c, eos = settings.config, settings.eos
    if c.forced_bos_token_id is not None:
        yield P.ForcedBOSTokenLogitsProcessor(c.forced_bos_token_id)
    if c.forced_eos_token_id is not None:
        yield P.ForcedEOSTokenLogitsProcessor(c.max_length, c.forced_eos_token_id)
    if c.remove_invalid_values is True:
        yield P.InfNanRemoveLogitsProcessor()
    if c.exponential_decay_length_penalty is not None:
        if eos is None:
            raise ValueError("`exponential_decay_length_penalty` makes EOS likelier, and there is no "
                             "`eos_token_id`")
        yield P.ExponentialDecayLengthPenalty(c.exponential_decay_length_penalty, eos,
                                              settings.n_prompt)
    if c.suppress_tokens is not None:
        yield P.SuppressTokensLogitsProcessor(c.suppress_tokens)
    if c.begin_suppress_tokens is not None:
        begin = settings.n_prompt
        begin += begin <= 1 and c.forced_bos_token_id is not None
        yield P.SuppressTokensAtBeginLogitsProcessor(c.begin_suppress_tokens, begin)


def _warpers(settings):
    """What acts where ids are drawn. Beams keep what EOS cannot end."""
    c = settings.config
    keep = 1
    if settings.beams > 1:
        keep = len(settings.eos) + 1 if settings.eos is not None else 2
    if c.temperature is not None and c.temperature != 1.0:
        yield P.TemperatureLogitsWarper(c.temperature)
    if c.top_h is not None:
        yield P.TopHLogitsWarper(c.top_h)
    if c.top_k is not None and c.top_k != 0:
        yield P.TopKLogitsWarper(c.top_k, min_tokens_to_keep=keep)
    if c.top_p is not None and c.top_p < 1.0:
        yield P.TopPLogitsWarper(c.top_p, min_tokens_to_keep=keep)
    if c.min_p is not None:
        yield P.MinPLogitsWarper(c.min_p, min_tokens_to_keep=keep)
    if c.typical_p is not None and c.typical_p < 1.0:
        yield P.TypicalLogitsWarper(c.typical_p, min_tokens_to_keep=keep)
    if c.epsilon_cutoff is not None and 0.0 < c.epsilon_cutoff < 1.0:
        yield P.EpsilonLogitsWarper(c.epsilon_cutoff, min_tokens_to_keep=keep)
    if c.eta_cutoff is not None and 0.0 < c.eta_cutoff < 1.0:
        yield P.EtaLogitsWarper(c.eta_cutoff, min_tokens_to_keep=keep)


def criteria_of(settings, given=(), tokenizer=None):
    """StoppingCriteriaList of the settings, those given among them."""
    c = settings.config
    made = S.StoppingCriteriaList([S.MaxLengthCriteria(c.max_length)])
    if c.max_time is not None:
        made.append(S.MaxTimeCriteria(c.max_time))
    if c.stop_strings is not None:
        if tokenizer is None:
            raise ValueError("`stop_strings` need the model's tokenizer: give generate(tokenizer=...)")
        made.append(S.StopStringCriteria(tokenizer, c.stop_strings))
    if settings.eos is not None:
        eos = np.array(settings.eos, np.int64)
        made.append(S.EosTokenCriteria(to_tensor(eos, settings.torch)))
    return _merged(made, given, "stopping criterion")


def _merged(made, given, what):
    """The list with the caller's own behind it; one of a class that is there takes its place."""
    if not given:
        return made
    merged = type(made)()
    for ours in made:
        same = [theirs for theirs in given if type(theirs) is type(ours)]
        if same:
            logger.warning_once(f"A {what} of the class {type(ours).__name__} is given, and the options "
                                "ask for one too: the one that is given counts")
        merged.append(same[0] if same else ours)
    for theirs in given:
        if not any(theirs is there for there in merged):
            merged.append(theirs)
    return merged


# ---- Running them ------------------------------------------------------------------------------


def is_ours(processor):
    """Whether it works on arrays as it is, and has no state."""
    return isinstance(processor, P.RowProcessor)


def run_processors(processors, ids, x, torch):
    """The processors' outcome for scores x [R, V] (which may be changed) behind ids [R, T]. Those of
    the caller see tensors, or arrays where torch is None, over the same memory."""
    for processor in processors:
        if is_ours(processor):
            x = processor.rows(ids, x)
            continue
        seen = to_tensor(np.ascontiguousarray(x), torch)
        given = P.LogitsProcessorList([processor])(to_tensor(ids, torch), seen)
        x = as_scores(seen if given is None else given)
        if x.shape[0] != ids.shape[0]:
            raise ValueError(f"{type(processor).__name__} returned scores of the shape {list(x.shape)} "
                             f"for {ids.shape[0]} rows")
    return x
