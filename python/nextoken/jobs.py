"""What a model does: the jobs of the library as methods of Model, which return results.

Texts are str or bytes; token ids (a list or an array of integers) may stand in place of a text. A list
of texts, any other iterable of them, or a matrix of ids gives Results, one a text.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence

from .errors import ArgumentError
from .library import NULL, check_fields, lib, new, path_of, prompt, result_of, running, string
from .many import each, is_many
from .notes import Note, Notes, wrap
from .options import generate_options
from .progress import Progress, Report, reporting
from .scoring import fields_of, score_many, words_of

if TYPE_CHECKING:
    from .model import Model

__all__ = ["Jobs", "diff", "tensors", "versus"]

_prompt = prompt  # Jobs.score has an argument of this name


def _options(given: Mapping[str, Any], notes: Notes, keywords: Sequence[str] = (), **more: Any) -> Any:
    """nt_generate_options. An option that acts only when drawing turns drawing on, unless do_sample says
    something else."""
    made = generate_options(given, keywords=keywords, **more)
    drawing = lib.nt_generate_options_drawing(made)
    if drawing != NULL and made.do_sample == 0 and made.search != lib.NT_SEARCH_EXACT:
        made.do_sample = 1
        notes(f"sampling, because {string(drawing.name)} was given")
    return made


_KEYWORDS = ("add_bos", "add_prefix_space", "assistant", "config", "k", "logits", "note", "on_text",
             "process", "progress", "return_exceptions", "stop", "stream", "text")


def _a_model(name: str, model: Any) -> Any:
    """A session of another model, held."""
    if not isinstance(model, Jobs):
        raise TypeError(f"{name} is a nextoken.Model, not {type(model).__name__}")
    return model.session().use()


class Jobs:
    """The jobs, as methods; Model adds what they run on."""

    if TYPE_CHECKING:
        handle: Any
        path: str

        def session(self) -> Any: ...

    # ---- Decoding ----

    def next(self, text: Any, k: int = 10, *, logits: bool = False, add_bos: bool = False,
             add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
             return_exceptions: bool = False, **options: Any) -> Any:
        """The k likeliest next tokens after a text: Next, a sequence of candidates.

        text: one, or several for Results. options: Hugging Face's generation options by their names
        (temperature=0.7, top_p=0.9, repetition_penalty=1.2, ...) show what they make of the
        probabilities; those that act when drawing turn do_sample on. logits: keep `logits` [V] and, where
        processors changed them, `processed_logits` [V]. return_exceptions: of several, a text that fails
        has its exception in place of a result.
        """
        if k == 0:
            raise ArgumentError("k is 0; it must be at least 1")

        def job(value: Any, report: Optional[Report]) -> Any:
            notes = Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                settings = _options(options, notes, _KEYWORDS) if options else NULL
                return wrap(result_of(lib.nt_next, session, prompt(value, add_bos, add_prefix_space),
                                       new("nt_next_options", k=k, logits=logits, callbacks=callbacks,
                                           generate=settings)), notes)

        return each(text, progress, return_exceptions, job)

    def generate(self, text: Any, *, stream: bool = False,
                 process: Optional[Callable[[Any, Any], Any]] = None,
                 stop: Optional[Callable[[Any], Any]] = None, assistant: "Optional[Model]" = None,
                 config: Any = None, on_text: Optional[Callable[[str], Any]] = None,
                 add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
                 progress: Progress = None, return_exceptions: bool = False, **options: Any) -> Any:
        """Continues a text: Generation, a sequence of outputs with `text`, `ids`, `logprob`.

        options: Hugging Face's generation options by their names: max_new_tokens=40, num_beams=5,
        top_p=0.9, seed=0, stop_strings=["."], ... (nextoken.options.table() lists them). Options that act when
        drawing turn do_sample on. stream: an iterator of pieces of the text in place of the result,
        also for `async for` (Stream). process(ids, logits) changes the float32 logits [V] in place or
        returns others; stop(ids) ends the text where it returns a true value; both see all ids [n] so
        far. assistant: a smaller Model with the same vocabulary, which drafts tokens. config: a file in
        the form of generation_config.json. on_text(piece) hears the text as it grows; a true value ends
        it. text: one, or several for Results.
        """
        given = dict(process=process, stop=stop, assistant=assistant, config=config, add_bos=add_bos,
                     add_prefix_space=add_prefix_space, note=note)
        if stream:
            return self._stream(text, options, on_text, given)
        return each(text, progress, return_exceptions, lambda value, report: self._decode(
            lib.nt_generate, value, options, on_text=on_text, progress=report, **given))

    def steps(self, text: Any, *, process: Optional[Callable[[Any, Any], Any]] = None,
              stop: Optional[Callable[[Any], Any]] = None, assistant: "Optional[Model]" = None,
              config: Any = None, add_bos: bool = False, add_prefix_space: bool = False,
              note: Note = None, progress: Progress = None, return_exceptions: bool = False,
              **options: Any) -> Any:
        """The table of choices: Steps, what stood to choose at each step of a generation. Everything as in
        generate(); choices=5 says how many candidates a step keeps."""
        return each(text, progress, return_exceptions, lambda value, report: self._decode(
            lib.nt_steps, value, options, process=process, stop=stop, assistant=assistant, config=config,
            add_bos=add_bos, add_prefix_space=add_prefix_space, note=note, progress=report))

    def _decode(self, call: Any, value: Any, options: Mapping[str, Any], *, process: Any = None,
                stop: Any = None, assistant: Any = None, config: Any = None, on_text: Any = None,
                add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
                progress: Optional[Report] = None, cancel: Any = None) -> Any:
        notes = Notes(note)
        with contextlib.ExitStack() as stack:
            callbacks = stack.enter_context(running(progress=progress, text=on_text, note=notes,
                                                    cancel=cancel))
            session = stack.enter_context(self.session().use())
            helper = None if assistant is None else stack.enter_context(_a_model("assistant", assistant))
            settings = _options(options, notes, _KEYWORDS, callbacks=callbacks, process=process,
                                stop=stop, load=config, assistant=helper)
            return wrap(result_of(call, session, prompt(value, add_bos, add_prefix_space), settings),
                         notes)

    def _stream(self, value: Any, options: Mapping[str, Any], on_text: Any,
                given: Mapping[str, Any]) -> Any:
        from .streams import Stream

        if is_many(value):
            raise ValueError("stream=True takes one text; ask for a stream of each")
        _options(options, Notes(None), _KEYWORDS, load=given["config"])  # wrong ones are told at once
        asked = given["stop"]

        def run(hear_text: Callable[[str], Any], hear_ids: Callable[[Any], Any],
                cancelled: Callable[[], bool]) -> Any:
            begun = False

            def stop(ids: Any) -> bool:
                nonlocal begun
                begun = True
                return bool(hear_ids(ids)) | bool(asked is not None and asked(ids))

            def text(piece: str) -> bool:
                nonlocal begun
                begun = True
                return bool(hear_text(piece)) | bool(on_text is not None and on_text(piece))

            # What is cancelled has no result: only a prompt that is still being read.
            return self._decode(lib.nt_generate, value, options, on_text=text,
                                cancel=lambda: not begun and cancelled(),
                                **dict(given, stop=stop))

        return Stream(run)

    # ---- Scoring ----

    def score(self, text: Any, *, prompt: Any = None, prompt_len: int = 0, by: Any = "token",
              correction: str = "whitespace", continuations: Any = None, k: int = 0,
              add_bos: bool = False, add_eos: bool = False, add_prefix_space: bool = False,
              window: int = 0, stride: int = 0, note: Note = None, progress: Progress = None,
              return_exceptions: bool = False) -> Any:
        """The log-probability of a text, token by token: Score. Of several texts Results, each with the
        bits that it has alone, and many times faster than one by one.

        prompt (a text) or prompt_len (tokens at the start): what is conditioned on and left out of the
        sums. by: "text" (sums alone), "token", "word", "char", or several of them. correction: what counts
        as the boundary of words: "whitespace", "pimentel_meister", "oh_schuler". continuations: compare
        these endings of the text (Continuations). k: keep so many of the likeliest ids at each place.
        add_eos: one EOS behind the text, with its own number. window and stride: for texts longer than
        the model's context. return_exceptions: of several, a text that fails has its exception in place
        of a result.
        """
        names = words_of(by)
        fields = fields_of(names, prompt, correction, continuations, prompt_len=prompt_len, add_eos=add_eos,
                           stride=stride, window=window, k=k)
        start = {"add_bos": add_bos, "add_prefix_space": add_prefix_space}
        notes = Notes(note)
        many = list(text) if is_many(text) else None
        with reporting(progress) as report, running(progress=report, note=notes) as callbacks, \
                self.session().use() as session:
            if many is not None:
                made = score_many(session, many, start, fields, callbacks, return_exceptions)
            else:
                made = wrap(result_of(lib.nt_score, session, _prompt(text, **start),
                                      new("nt_score_options", callbacks=callbacks, **fields)), notes)
        for result in made if many is not None else [made]:
            if continuations is None and not isinstance(result, Exception):
                result._by = names
        return made

    def perplexity(self, text: Any, *, window: int = 0, stride: int = 0, add_bos: bool = False,
                   add_prefix_space: bool = False, note: Note = None, progress: Progress = None,
                   return_exceptions: bool = False) -> Any:
        """Perplexity of a text of any length by strided windows: each token counts once, given at least
        window - stride tokens before it. window 0: the model's context; stride 0: half of it."""
        def job(value: Any, report: Optional[Report]) -> Any:
            notes = Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                return wrap(result_of(lib.nt_perplexity, session,
                                       prompt(value, add_bos, add_prefix_space),
                                       new("nt_perplexity_options", window=window, stride=stride,
                                           callbacks=callbacks)), notes)

        return each(text, progress, return_exceptions, job)

    def versus(self, other: "Optional[Model]", text: Any, *, options: Optional[Mapping[str, Any]] = None,
               other_options: Optional[Mapping[str, Any]] = None, prompt_len: int = 0,
               add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
               progress: Progress = None) -> Any:
        """How likely a text is to this model (a) and to another one (b), token by token: Versus. other
        None: this one again, with other_options: m.versus(None, text, other_options={"top_p": 0.9})."""
        return versus(self, self if other is None else other, text, options_a=options,
                      options_b=other_options, prompt_len=prompt_len, add_bos=add_bos,
                      add_prefix_space=add_prefix_space, note=note, progress=progress)

    # ---- Inside ----

    def inspect(self, text: Any, *, logits: bool = False, hidden_states: bool = False,
                attentions: bool = False, logit_lens: bool = False, layers: int = 0,
                attention: Any = None, attention_heads: bool = False, npz: Any = None,
                add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
                progress: Progress = None, return_exceptions: bool = False) -> Any:
        """What the model computes inside: Inspection, with arrays over the library's own memory: `logits`
        [T, V] (without logits=True the last row, [1, V]), `hidden_states` [L + 1, T, D], `attentions`
        [L, H, T, T], `logit_lens` [L + 1, T, V], and always `hidden_norms` [L + 1].

        layers: what every layer would say at every position, with so many of its likeliest ids.
        attention: where one head looks: (layer, head), or a layer alone for the mean of its heads;
        attention_heads: that mean, and every head beside it. npz: write the arrays into this file in
        place of keeping them, so that memory is bounded for any T.
        """
        fields: Dict[str, Any] = {
            "logits": logits, "hidden_states": hidden_states, "attentions": attentions,
            "logit_lens": logit_lens, "layers": layers, "attention_heads": attention_heads}
        if attention is not None:
            layer, head = attention if isinstance(attention, (tuple, list)) else (attention, -1)
            fields.update(attention=True, attention_layer=layer, attention_head=head)
        if npz is not None:
            fields["npz"] = path_of(npz)

        def job(value: Any, report: Optional[Report]) -> Any:
            notes = Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                return wrap(result_of(lib.nt_inspect, session, prompt(value, add_bos, add_prefix_space),
                                       new("nt_inspect_options", callbacks=callbacks, **fields)), notes)

        if npz is not None and is_many(text):
            raise ValueError("npz is one file: inspect one text")
        return each(text, progress, return_exceptions, job)

    def explain(self, option: str, text: Any = None, *, add_bos: bool = False,
                add_prefix_space: bool = False, **options: Any) -> Any:
        """What one generation option does, in words, and with a text drawn on it: Explanation. Its value
        is that in options, else an example."""
        if not isinstance(option, str):
            raise TypeError(f"option is the name of one, not {type(option).__name__}")
        settings = generate_options(options, keywords=_KEYWORDS) if options else NULL
        name = option.encode("utf-8", "replace")
        if text is None:
            return wrap(result_of(lib.nt_explain, name, NULL, NULL, settings))
        with running() as callbacks, self.session().use() as session:
            settings = generate_options(options, keywords=_KEYWORDS, callbacks=callbacks)
            return wrap(result_of(lib.nt_explain, name, session,
                                   prompt(text, add_bos, add_prefix_space), settings))

    # ---- Tokens and files ----

    def tokenize(self, text: Any, *, return_exceptions: bool = False, **options: Any) -> Any:
        """The tokens of a text, with their places: Tokens. Options are the fields of nt_encode_options:
        add_bos, split_special_tokens, ..."""
        check_fields("nt_encode_options", options, "tokenize", ("text", "return_exceptions"))

        def job(value: Any, report: Optional[Report]) -> Any:
            settings = new("nt_encode_options", **dict({"truncation": -1, "padding": -1}, **options))
            return wrap(result_of(lib.nt_tokenize, self.handle, prompt(value), settings))

        return each(text, False, return_exceptions, job)

    def describe(self) -> Any:
        """What the model is, as a result that can be shown: Facts."""
        return wrap(result_of(lib.nt_info, self.handle))

    def tensors(self, *, statistics: bool = True, threads: int = 0, progress: Progress = None) -> Any:
        """Every tensor of the checkpoint, with statistics: Tensors."""
        return tensors(self.path, statistics=statistics, threads=threads, progress=progress)

    def diff(self, other: Any, *, threads: int = 0, progress: Progress = None) -> Any:
        """What tensors of another checkpoint (a Model or its path) differ from this one's."""
        return diff(self, other, threads=threads, progress=progress)


# ---- Jobs on files, and on two models --------------------------------------------------------------


def _path(model: Any) -> Any:
    return path_of(getattr(model, "path", model))


def _tensors_options(threads: int, statistics: bool, callbacks: Any) -> Any:
    return new("nt_tensors_options", threads=threads, no_statistics=not statistics, callbacks=callbacks)


def tensors(model: Any = None, *, statistics: bool = True, threads: int = 0,
            progress: Progress = None) -> Any:
    """Every tensor of a checkpoint of any family, with statistics; model as load() takes it."""
    with reporting(progress) as report, running(progress=report) as callbacks:
        return wrap(result_of(lib.nt_list_tensors, _path(model),
                               _tensors_options(threads, statistics, callbacks)))


def diff(a: Any, b: Any, *, threads: int = 0, progress: Progress = None) -> Any:
    """What tensors of the checkpoint b differ from those of a: TensorsCompared."""
    with reporting(progress) as report, running(progress=report) as callbacks:
        return wrap(result_of(lib.nt_diff_tensors, _path(a), _path(b),
                               _tensors_options(threads, True, callbacks)))


def versus(a: "Jobs", b: "Jobs", text: Any, *, options_a: Optional[Mapping[str, Any]] = None,
           options_b: Optional[Mapping[str, Any]] = None, label_a: Optional[str] = None,
           label_b: Optional[str] = None, prompt_len: int = 0, add_bos: bool = False,
           add_prefix_space: bool = False, note: Note = None, progress: Progress = None) -> Any:
    """How likely a text is to two models, or to one under two sets of options, token by token: Versus."""
    notes = Notes(note)
    with contextlib.ExitStack() as stack:
        report = stack.enter_context(reporting(progress))
        callbacks = stack.enter_context(running(progress=report, note=notes))
        sides = []
        for name, model, options, label in (("a", a, options_a, label_a), ("b", b, options_b, label_b)):
            session = stack.enter_context(_a_model(name, model))
            made = _options(options, notes) if options else NULL
            sides.append(new("nt_side", session=session, label=label, generate=made))
        return wrap(result_of(lib.nt_versus, *sides, prompt(text, add_bos, add_prefix_space),
                               new("nt_versus_options", prompt_len=prompt_len, callbacks=callbacks)),
                     notes)
