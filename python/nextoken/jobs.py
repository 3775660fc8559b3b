"""What a model does: the jobs of the library as methods of Model, which return results.

Texts are str or bytes; token ids (a list or an array of integers) may stand in place of a text. A list
of texts, any other iterable of them, or a matrix of ids gives Results, one a text.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence

from .errors import CLASSES, Error
from .library import (NULL, check, ffi, lib, new, owned, path_of, prompt, result_of, running, string)
from .options import generate_options
from .progress import Progress, Report, reporting

if TYPE_CHECKING:
    from .model import Model

__all__ = ["Jobs", "diff", "tensors", "versus"]

_BY = {"text": lib.NT_BY_TEXT, "token": lib.NT_BY_TOKEN, "word": lib.NT_BY_WORD,
       "char": lib.NT_BY_CHAR}
_CORRECTIONS = {"whitespace": lib.NT_CORRECTION_WHITESPACE,
                "pimentel_meister": lib.NT_CORRECTION_PIMENTEL_MEISTER,
                "oh_schuler": lib.NT_CORRECTION_OH_SCHULER}

_log = logging.getLogger("nextoken")

Note = Optional[Callable[[str], Any]]
_prompt = prompt  # Jobs.score has an argument of this name


def is_many(value: Any) -> bool:
    """Whether this is several texts (or lists of ids) and not one of them."""
    if isinstance(value, (str, bytes, bytearray, dict, set, frozenset)):
        return False
    if hasattr(value, "ndim"):
        kind = getattr(getattr(value, "dtype", None), "kind", "i")  # "O", "U", "S": an array of texts
        return bool(value.ndim > 1 or (value.ndim == 1 and kind in "OUST"))
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        return hasattr(value, "__iter__")
    if not len(value):
        return True
    first = next(iter(value))
    return not hasattr(first, "__index__")


def _wrap(handle: Any, notes: Sequence[str] = ()) -> Any:
    """An owned nt_result * as the object of its kind."""
    from .results import wrap

    made = wrap(handle)
    made.notes = tuple(notes)
    return made


def _word(words: Mapping[str, int], value: Any, name: str) -> int:
    """The library's number of a word."""
    if isinstance(value, str) and value.replace("-", "_") in words:
        return words[value.replace("-", "_")]
    raise ValueError(f"{name} is one of {', '.join(map(repr, words))}, not {value!r}")


class _Notes(List[str]):
    """The lines that a run tells: kept for its result, logged, and told to who asked for them."""

    def __init__(self, tell: Note) -> None:
        super().__init__()
        self.tell = tell

    def __call__(self, line: str) -> None:
        self.append(line)
        _log.info("%s", line)
        if self.tell is not None:
            self.tell(line)


def _options(given: Mapping[str, Any], notes: _Notes, keywords: Sequence[str] = (), **more: Any) -> Any:
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


class Jobs:
    """The jobs, as methods; Model adds what they run on."""

    if TYPE_CHECKING:
        handle: Any
        path: str

        def session(self) -> Any: ...

    def _each(self, values: Any, progress: Progress, return_exceptions: bool,
              job: Callable[[Any, Optional[Report]], Any]) -> Any:
        """job(value, report) of one value, or of each of several."""
        with reporting(progress) as report:
            if not is_many(values):
                return job(values, report)
            values = list(values)
            made: List[Any] = []
            for i, value in enumerate(values):
                try:
                    made.append(job(value, None))
                except Exception as error:
                    if not return_exceptions:
                        raise _numbered(error, i)
                    made.append(error)
                if report is not None:
                    report("texts", i + 1, len(values))
        from .results import Results

        return Results(made)

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
        def job(value: Any, report: Optional[Report]) -> Any:
            notes = _Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                settings = _options(options, notes, _KEYWORDS) if options else NULL
                return _wrap(result_of(lib.nt_next, session, prompt(value, add_bos, add_prefix_space),
                                       new("nt_next_options", k=k, logits=logits, callbacks=callbacks,
                                           generate=settings)), notes)

        return self._each(text, progress, return_exceptions, job)

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
        return self._each(text, progress, return_exceptions, lambda value, report: self._decode(
            lib.nt_generate, value, options, on_text=on_text, progress=report, **given))

    def steps(self, text: Any, *, process: Optional[Callable[[Any, Any], Any]] = None,
              stop: Optional[Callable[[Any], Any]] = None, assistant: "Optional[Model]" = None,
              config: Any = None, add_bos: bool = False, add_prefix_space: bool = False,
              note: Note = None, progress: Progress = None, return_exceptions: bool = False,
              **options: Any) -> Any:
        """The table of choices: Steps, what stood to choose at each step of a generation. Everything as in
        generate(); choices=5 says how many candidates a step keeps."""
        return self._each(text, progress, return_exceptions, lambda value, report: self._decode(
            lib.nt_steps, value, options, process=process, stop=stop, assistant=assistant, config=config,
            add_bos=add_bos, add_prefix_space=add_prefix_space, note=note, progress=report))

    def _decode(self, call: Any, value: Any, options: Mapping[str, Any], *, process: Any = None,
                stop: Any = None, assistant: Any = None, config: Any = None, on_text: Any = None,
                add_bos: bool = False, add_prefix_space: bool = False, note: Note = None,
                progress: Optional[Report] = None, cancel: Any = None) -> Any:
        notes = _Notes(note)
        with contextlib.ExitStack() as stack:
            callbacks = stack.enter_context(running(progress=progress, text=on_text, note=notes,
                                                    cancel=cancel))
            session = stack.enter_context(self.session().use())
            helper = None if assistant is None else stack.enter_context(assistant.session().use())
            settings = _options(options, notes, _KEYWORDS, callbacks=callbacks, process=process,
                                stop=stop, load=config, assistant=helper)
            return _wrap(result_of(call, session, prompt(value, add_bos, add_prefix_space), settings),
                         notes)

    def _stream(self, value: Any, options: Mapping[str, Any], on_text: Any,
                given: Mapping[str, Any]) -> Any:
        from .streams import Stream

        if is_many(value):
            raise ValueError("stream=True takes one text; ask for a stream of each")
        _options(options, _Notes(None), _KEYWORDS, load=given["config"])  # wrong ones are told at once
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
        bits = 0
        names = (by,) if isinstance(by, str) else tuple(by)
        for name in names:
            bits |= _word(_BY, name, "by")
        fields: Dict[str, Any] = {
            "prompt_len": prompt_len, "add_eos": add_eos, "by": bits, "stride": stride, "window": window,
            "correction": _word(_CORRECTIONS, correction, "correction"), "k": k}
        if prompt is not None:
            raw = prompt.encode("utf-8", "surrogatepass") if isinstance(prompt, str) else bytes(prompt)
            fields["prompt"] = ffi.from_buffer("char[]", raw)
            fields["n_prompt"] = len(raw)
        if continuations is not None:
            fields["continuations"] = [continuations] if isinstance(continuations, (str, bytes)) \
                else list(continuations)
        start = {"add_bos": add_bos, "add_prefix_space": add_prefix_space}
        notes = _Notes(note)
        many = list(text) if is_many(text) else None
        with reporting(progress) as report, running(progress=report, note=notes) as callbacks, \
                self.session().use() as session:
            if many is not None:
                made = _score_many(session, many, start, fields, callbacks, return_exceptions)
            else:
                made = _wrap(result_of(lib.nt_score, session, _prompt(text, **start),
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
            notes = _Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                return _wrap(result_of(lib.nt_perplexity, session,
                                       prompt(value, add_bos, add_prefix_space),
                                       new("nt_perplexity_options", window=window, stride=stride,
                                           callbacks=callbacks)), notes)

        return self._each(text, progress, return_exceptions, job)

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
            notes = _Notes(note)
            with running(progress=report, note=notes) as callbacks, self.session().use() as session:
                return _wrap(result_of(lib.nt_inspect, session, prompt(value, add_bos, add_prefix_space),
                                       new("nt_inspect_options", callbacks=callbacks, **fields)), notes)

        if npz is not None and is_many(text):
            raise ValueError("npz is one file: inspect one text")
        return self._each(text, progress, return_exceptions, job)

    def explain(self, option: str, text: Any = None, *, add_bos: bool = False,
                add_prefix_space: bool = False, **options: Any) -> Any:
        """What one generation option does, in words, and with a text drawn on it: Explanation. Its value
        is that in options, else an example."""
        settings = generate_options(options, keywords=_KEYWORDS) if options else NULL
        name = option.encode("utf-8", "replace")
        if text is None:
            return _wrap(result_of(lib.nt_explain, name, NULL, NULL, settings))
        with running() as callbacks, self.session().use() as session:
            settings = generate_options(options, keywords=_KEYWORDS, callbacks=callbacks)
            return _wrap(result_of(lib.nt_explain, name, session,
                                   prompt(text, add_bos, add_prefix_space), settings))

    # ---- Tokens and files ----

    def tokenize(self, text: Any, *, return_exceptions: bool = False, **options: Any) -> Any:
        """The tokens of a text, with their places: Tokens. Options are the fields of nt_encode_options:
        add_bos, split_special_tokens, ..."""
        def job(value: Any, report: Optional[Report]) -> Any:
            settings = new("nt_encode_options", **dict({"truncation": -1, "padding": -1}, **options))
            return _wrap(result_of(lib.nt_tokenize, self.handle, prompt(value), settings))

        return self._each(text, False, return_exceptions, job)

    def describe(self) -> Any:
        """What the model is, as a result that can be shown: Facts."""
        return _wrap(result_of(lib.nt_info, self.handle))

    def tensors(self, *, statistics: bool = True, threads: int = 0, progress: Progress = None) -> Any:
        """Every tensor of the checkpoint, with statistics: Tensors."""
        return tensors(self.path, statistics=statistics, threads=threads, progress=progress)

    def diff(self, other: Any, *, threads: int = 0, progress: Progress = None) -> Any:
        """What tensors of another checkpoint (a Model or its path) differ from this one's."""
        return diff(self, other, threads=threads, progress=progress)


def _numbered(error: Exception, i: int) -> Exception:
    """The error of text i, which says so."""
    if not isinstance(error, Error):
        return error
    made = type(error)(f"text {i}: {error}")
    return made.with_traceback(error.__traceback__)


def _score_many(session: Any, texts: Sequence[Any], start: Mapping[str, Any],
                fields: Mapping[str, Any], callbacks: Any, return_exceptions: bool) -> Any:
    from .results import Results

    options = new("nt_score_options", **fields)
    made: List[Any] = []
    for i, value in enumerate(texts):
        try:
            made.append(_prompt(value, **start))
        except Exception as error:
            if not return_exceptions:
                raise _numbered(error, i)
            made.append(error)
    good = [i for i, value in enumerate(made) if not isinstance(value, Exception)]
    items = ffi.new("nt_score_item[]", max(len(good), 1))
    for item, i in zip(items, good):
        item.size, item.prompt, item.options = ffi.sizeof("nt_score_item"), made[i], options
    prompts = list(made)
    try:
        check(lib.nt_score_many(session, items, len(good), callbacks))
        for item, i in zip(items, good):
            if item.status == 0:
                made[i] = _wrap(owned(item.result, "nt_result_free"))
                item.result = NULL
                continue
            line = string(item.error) or ""
            made[i] = CLASSES.get(item.status, Error)(line)
            if not return_exceptions:
                raise _numbered(made[i], i)
    finally:
        for item, _ in zip(items, good):
            lib.nt_result_free(item.result)
            lib.nt_free(item.error)
        del prompts
    return Results(made)


# ---- Jobs on files, and on two models --------------------------------------------------------------


def _path(model: Any) -> Any:
    return path_of(getattr(model, "path", model))


def _tensors_options(threads: int, statistics: bool, callbacks: Any) -> Any:
    return new("nt_tensors_options", threads=threads, no_statistics=not statistics, callbacks=callbacks)


def tensors(model: Any = None, *, statistics: bool = True, threads: int = 0,
            progress: Progress = None) -> Any:
    """Every tensor of a checkpoint of any family, with statistics; model as load() takes it."""
    with reporting(progress) as report, running(progress=report) as callbacks:
        return _wrap(result_of(lib.nt_list_tensors, _path(model),
                               _tensors_options(threads, statistics, callbacks)))


def diff(a: Any, b: Any, *, threads: int = 0, progress: Progress = None) -> Any:
    """What tensors of the checkpoint b differ from those of a: TensorsCompared."""
    with reporting(progress) as report, running(progress=report) as callbacks:
        return _wrap(result_of(lib.nt_diff_tensors, _path(a), _path(b),
                               _tensors_options(threads, True, callbacks)))


def versus(a: "Jobs", b: "Jobs", text: Any, *, options_a: Optional[Mapping[str, Any]] = None,
           options_b: Optional[Mapping[str, Any]] = None, label_a: Optional[str] = None,
           label_b: Optional[str] = None, prompt_len: int = 0, add_bos: bool = False,
           add_prefix_space: bool = False, note: Note = None, progress: Progress = None) -> Any:
    """How likely a text is to two models, or to one under two sets of options, token by token: Versus."""
    notes = _Notes(note)
    with contextlib.ExitStack() as stack:
        report = stack.enter_context(reporting(progress))
        callbacks = stack.enter_context(running(progress=report, note=notes))
        sides = []
        for model, options, label in ((a, options_a, label_a), (b, options_b, label_b)):
            session = stack.enter_context(model.session().use())
            made = _options(options, notes) if options else NULL
            sides.append(new("nt_side", session=session, label=label, generate=made))
        return _wrap(result_of(lib.nt_versus, *sides, prompt(text, add_bos, add_prefix_space),
                               new("nt_versus_options", prompt_len=prompt_len, callbacks=callbacks)),
                     notes)
