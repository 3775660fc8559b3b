"""Greedy decoding and sampling of several prompts at once, and wherever Python functions are called back:
all rows go through the model together, a step at a time.

Letters: R rows, T positions, V vocabulary.
"""

import numpy as np

from .draws import multinomial
from .lists import is_ours, run_processors
from .rows import softmax, to_tensor
from .runner import Runner
from .stopping_criteria import RowCriteria

__all__ = ["Found", "Recorder", "search_each"]


class Found:
    """What a search found. sequences int64 [., T]; tokens and parents [N - 1, R] as Replay takes them;
    scores, logits: what was recorded, lists of arrays [R, V], or None; of beams also sequences_scores
    [.] and beam_indices [., N]. n_steps: how often scores were looked at."""

    def __init__(self, **fields):
        self.scores = self.logits = self.parents = self.sequences_scores = self.beam_indices = None
        self.__dict__.update(fields)


class Recorder:
    """The steps' scores and logits, kept only where nobody could compute them again: where processors
    of the caller's or guidance act, or a stopping criterion of the caller's reads scores."""

    def __init__(self, settings, processors, criteria):
        config = settings.config
        known = all(is_ours(processor) for processor in processors)
        read = not all(isinstance(criterion, RowCriteria) for criterion in criteria)
        asked = config.return_dict_in_generate
        self.torch = settings.torch
        self.lazy = known and not read
        keep = asked and not self.lazy
        self.scores = () if keep and config.output_scores else None
        self.logits = () if keep and config.output_logits else None
        # rows that have ended still count where somebody looks at them
        self.all_rows = not self.lazy

    def keep(self, logits, scores):
        if self.logits is not None:
            self.logits += (to_tensor(logits.copy(), self.torch),)
        if self.scores is not None:
            self.scores += (to_tensor(scores.copy(), self.torch),)


def search_each(settings, processors, criteria, streamer=None):
    """One id a step for each row, until all have ended."""
    config, torch = settings.config, settings.torch
    ids = np.repeat(settings.ids, settings.n, axis=0)
    recorder = Recorder(settings, processors, criteria)
    pads = any(hasattr(criterion, "eos_token_id") for criterion in criteria)
    live = np.ones(len(ids), bool)
    runner, tokens = Runner(settings.engine), []
    try:
        logits = runner.start(settings.prompts, settings.n)
        while True:
            scores = run_processors(processors, ids, logits, torch)
            recorder.keep(logits, scores)  # as in transformers: with what was changed in place
            chosen = multinomial(softmax(scores), 1)[:, 0] if config.do_sample else \
                scores.argmax(axis=-1)
            if pads:
                chosen = np.where(live, chosen, settings.pad)
            tokens.append(chosen)
            ids = np.concatenate([ids, chosen[:, None]], axis=1)
            live &= ~criteria.ended(to_tensor(ids, torch), recorder.scores)
            if streamer is not None:
                streamer.put(to_tensor(chosen, torch))
            if not live.any():
                break
            logits = runner.step(chosen, live if pads and not recorder.all_rows else None)
    finally:
        runner.close()
    if streamer is not None:
        streamer.end()
    return Found(sequences=ids, tokens=np.array(tokens[:-1], np.int64).reshape(-1, len(ids)),
                 n_steps=len(tokens), scores=recorder.scores, logits=recorder.logits)
