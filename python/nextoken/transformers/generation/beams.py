"""Beam search and beam sampling of several prompts at once, step by step as transformers has it.

For one prompt without callbacks the library's own search finds the same (native.py).
Letters: B prompts, n beams, K candidates, T positions, V vocabulary.
"""

import numpy as np

from .draws import multinomial
from .lists import run_processors
from .rows import log_softmax, softmax, to_tensor, top
from .runner import Runner
from .search import Found, Recorder

__all__ = ["search_beams"]

FAR = np.float32(-1e9)  # the score of what is no beam


def _rows(x, at):
    """Rows at[b, i] of x[b]."""
    return np.take_along_axis(x, at.reshape(at.shape + (1,) * (x.ndim - 2)), 1)


class _Beams:
    """The running beams and those that have ended, of every prompt."""

    def __init__(self, settings):
        self.settings, config = settings, settings.config
        self.B, self.n, self.P = len(settings.ids), settings.beams, settings.n_prompt
        self.penalty, self.early = config.length_penalty, config.early_stopping
        self.room = config.max_length - self.P
        eos = settings.eos
        self.K = max(2, 1 + len(eos or ())) * self.n
        fill = (settings.pad or eos[0]) if eos is not None else -1
        shape = (self.B, self.n)
        self.ids = np.full(shape + (config.max_length,), fill, np.int64)
        self.ids[:, :, :self.P] = settings.ids[:, None]
        self.ended_ids = self.ids.copy()
        self.sums = np.full(shape, FAR, np.float32)
        self.sums[:, 0] = 0
        self.ended_sums = np.full(shape, FAR, np.float32)
        self.is_ended = np.zeros(shape, bool)
        self.open = np.ones((self.B, 1), bool)
        self.way = np.full(shape + (self.room,), -1, np.int32)
        self.ended_way = self.way.copy()
        self.at = self.P  # ids that the running beams have

    def flat_ids(self):
        """Ids of the running beams [B n, T]."""
        return np.ascontiguousarray(self.ids[:, :, :self.at].reshape(self.B * self.n, -1))

    def length(self, n):
        return np.float32(float(n) ** self.penalty)

    def candidates(self, x):
        """The K that stand to choose, from scores x [B n, V]: sums, ids and ways."""
        V = x.shape[-1]
        sums = (x.reshape(self.B, self.n, V) + self.sums[:, :, None]).reshape(self.B, -1)
        if self.settings.config.do_sample:
            found = multinomial(softmax(sums), self.K)
            best = np.take_along_axis(sums, found, 1)
        else:
            best, found = top(sums, min(self.K, sums.shape[1]))
        parent = found // V
        ids, way = _rows(self.ids, parent), _rows(self.way, parent)
        ids[:, :, self.at] = found % V
        way[:, :, self.at - self.P] = parent + np.arange(self.B)[:, None] * self.n
        return best, ids, way

    def go_on(self, best, ids, way, hit):
        """The best of what has not ended run on."""
        sums = best + hit.astype(np.float32) * FAR
        at = top(sums, self.n)[1]
        self.ids, self.sums, self.way = _rows(ids, at), _rows(sums, at), _rows(way, at)

    def take_ended(self, best, ids, way, hit):
        """What has ended and stands among the first n candidates is kept, the best n of it."""
        hit = hit & (np.arange(hit.shape[1]) < self.n)
        score = best / self.length(self.at + 1 - self.P)
        full = self.is_ended.all(axis=1, keepdims=True) & (self.early is True)
        for none in (full, ~self.open, ~hit):
            score = score + none.astype(np.float32) * FAR
        score = np.concatenate([self.ended_sums, score], axis=1)
        at = top(score, self.n)[1]
        self.ended_ids = _rows(np.concatenate([self.ended_ids, ids], axis=1), at)
        self.ended_way = _rows(np.concatenate([self.ended_way, way], axis=1), at)
        self.is_ended = _rows(np.concatenate([self.is_ended, hit], axis=1), at)
        self.ended_sums = _rows(score, at)

    def goes_on(self, hit):
        """Whether another step could change the outcome. self.at counts the new ids already."""
        n = self.room if self.early == "never" and self.penalty > 0 else self.at - self.P
        best = self.sums[:, :1] / self.length(n)
        worst = np.where(self.is_ended, self.ended_sums.min(axis=1, keepdims=True), FAR)
        self.open = self.open & (best > worst).any(axis=1, keepdims=True)
        over = self.is_ended.all() and self.early is True
        return bool(self.open.any()) and not over and not hit.all()


def search_beams(settings, processors, criteria):
    """The num_return_sequences best sequences of each prompt."""
    beams, torch = _Beams(settings), settings.torch
    recorder = Recorder(settings, processors, criteria)
    runner, tokens, parents = Runner(settings.engine), [], []
    try:
        logits = runner.start(settings.prompts, beams.n)
        while True:
            raw = logits
            x = run_processors(processors, beams.flat_ids(), log_softmax(logits), torch)
            recorder.keep(raw, x)
            best, ids, way = beams.candidates(x)
            flat = np.ascontiguousarray(ids[:, :, :beams.at + 1].reshape(-1, beams.at + 1))
            hit = criteria.ended(to_tensor(flat, torch), recorder.scores).reshape(best.shape)
            beams.go_on(best, ids, way, hit)
            beams.take_ended(best, ids, way, hit)
            beams.at += 1
            parents.append(beams.way[:, :, beams.at - 1 - beams.P].reshape(-1))
            tokens.append(beams.ids[:, :, beams.at - 1].reshape(-1))
            if not beams.goes_on(hit):
                break
            runner.reorder(parents[-1].tolist())
            logits = runner.step(tokens[-1])
    finally:
        runner.close()
    return _found(beams, settings, recorder, tokens, parents)


def _found(beams, settings, recorder, tokens, parents):
    n = settings.config.num_return_sequences or 1
    way = beams.ended_way[:, :n].reshape(beams.B * n, -1)
    longest = int((way >= 0).sum(axis=1).max())
    ids = beams.ended_ids[:, :n].reshape(beams.B * n, -1)[:, :beams.P + longest]
    R = beams.B * beams.n
    return Found(sequences=np.ascontiguousarray(ids), n_steps=len(tokens),
                 tokens=np.array(tokens[:-1], np.int64).reshape(-1, R),
                 parents=np.array(parents[:-1], np.int64).reshape(-1, R),
                 sequences_scores=np.ascontiguousarray(beams.ended_sums[:, :n].reshape(-1)),
                 beam_indices=np.ascontiguousarray(way[:, :longest]),
                 scores=recorder.scores, logits=recorder.logits)
