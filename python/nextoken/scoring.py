"""Model.score: what is asked for in the library's form, and many texts in one call."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple, Union

from .errors import CLASSES, Error
from .library import NULL, check, ffi, lib, new, owned, prompt, raw_of, string
from .many import numbered
from .notes import wrap

__all__ = ["fields_of", "score_many", "words_of"]

_BY = {"text": lib.NT_BY_TEXT, "token": lib.NT_BY_TOKEN, "word": lib.NT_BY_WORD,
       "char": lib.NT_BY_CHAR}
_CORRECTIONS = {"whitespace": lib.NT_CORRECTION_WHITESPACE,
                "pimentel_meister": lib.NT_CORRECTION_PIMENTEL_MEISTER,
                "oh_schuler": lib.NT_CORRECTION_OH_SCHULER}


def _word(words: Mapping[str, int], value: Any, name: str) -> int:
    """The library's number of a word."""
    if isinstance(value, str) and value.replace("-", "_") in words:
        return words[value.replace("-", "_")]
    raise ValueError(f"{name} is one of {', '.join(map(repr, words))}, not {value!r}")


def words_of(by: Union[str, Iterable[str]]) -> Tuple[str, ...]:
    """What scores are asked by: "token", or several words."""
    names: Tuple[Any, ...] = (by,) if isinstance(by, str) or not hasattr(by, "__iter__") else tuple(by)
    for name in names:
        _word(_BY, name, "by")
    return names


def fields_of(by: Sequence[str], prompt: Any, correction: Any, continuations: Any,
              **numbers: int) -> Dict[str, Any]:
    """The fields of nt_score_options."""
    bits = 0
    for name in by:
        bits |= _word(_BY, name, "by")
    fields: Dict[str, Any] = dict(numbers, by=bits, correction=_word(_CORRECTIONS, correction, "correction"))
    if prompt is not None:
        raw = raw_of(prompt)
        fields["prompt"], fields["n_prompt"] = ffi.from_buffer("char[]", raw), len(raw)
    if continuations is not None:
        given = [continuations] if isinstance(continuations, (str, bytes)) else list(continuations)
        if not given or not all(isinstance(value, (str, bytes)) for value in given):
            raise (TypeError if given else ValueError)(
                f"continuations are one text or more, not {continuations!r}")
        fields["continuations"] = given
    return fields


def score_many(session: Any, texts: Sequence[Any], start: Mapping[str, Any], fields: Mapping[str, Any],
               callbacks: Any, return_exceptions: bool) -> Any:
    """Results: the Score (or Continuations) of each text; start: how its prompt is made."""
    from .results import Results

    options = new("nt_score_options", **fields)
    made: List[Any] = []
    for i, value in enumerate(texts):
        try:
            made.append(prompt(value, **start))
        except Exception as error:
            if not return_exceptions:
                raise numbered(error, i)
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
                made[i] = wrap(owned(item.result, "nt_result_free"))
                item.result = NULL
                continue
            line = string(item.error) or ""
            made[i] = CLASSES.get(item.status, Error)(line)
            if not return_exceptions:
                raise numbered(made[i], i)
    finally:
        for item, _ in zip(items, good):
            lib.nt_result_free(item.result)
            lib.nt_free(item.error)
        del prompts
    return Results(made)
