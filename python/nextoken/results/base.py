"""What all results have in common: text, JSON, CSV, pictures, pages, and how a notebook shows them."""

from __future__ import annotations

import json
import os
import shutil
from typing import (TYPE_CHECKING, Any, Callable, Dict, Generic, Iterator, List, Optional, Sequence, Tuple,
                    TypeVar, Union, overload)

from ..library import NULL, callback, check, ffi, lib, new, string
from .tokens import Token, tokens

if TYPE_CHECKING:
    import pandas

__all__ = ["Result", "Results", "Rows"]

Columns = Dict[str, List[Any]]
Item = TypeVar("Item")
R = TypeVar("R", bound="Result")

_FORMATS = {".txt": lib.NT_TABLE, ".json": lib.NT_JSON, ".csv": lib.NT_CSV, ".tsv": lib.NT_TSV,
            ".svg": lib.NT_SVG, ".html": lib.NT_HTML, ".htm": lib.NT_HTML}
_HEAT = {None: lib.NT_HEAT_NONE, "probability": lib.NT_HEAT_PROBABILITY, "rank": lib.NT_HEAT_RANK,
         "surprisal": lib.NT_HEAT_SURPRISAL, "entropy": lib.NT_HEAT_ENTROPY}
_DETAIL = {"auto": lib.NT_TREE_AUTO, "outputs": lib.NT_TREE_OUTPUTS, "kept": lib.NT_TREE_KEPT,
           "beams": lib.NT_TREE_BEAMS, "all": lib.NT_TREE_ALL}
_PLAIN = ("width", "color", "ascii", "no_header", "index", "bits", "row_prefix", "header_prefix",
          "most_rows", "trace", "plain", "position", "skip_first", "arcs", "text_shown", "lasting")


def one_of(words: Dict[Any, int], value: Any, name: str) -> int:
    """The library's number of a word."""
    try:
        return words[value]
    except (KeyError, TypeError):
        known = ", ".join(repr(word) for word in words if word is not None)
        raise ValueError(f"{name} is one of {known}, not {value!r}") from None


def view_options(format: int, options: Dict[str, Any]) -> Any:
    """nt_view_options from keyword arguments."""
    fields: Dict[str, Any] = {}
    for name, value in options.items():
        if name == "heat":
            fields[name] = one_of(_HEAT, value, name)
        elif name == "tree":
            fields[name] = bool(value)
            if isinstance(value, str):
                fields["tree_detail"] = one_of(_DETAIL, value, name)
        elif name == "detail":
            fields["tree_detail"] = one_of(_DETAIL, value, name)
        elif name in _PLAIN:
            fields[name] = value
        else:
            raise TypeError(f"views have no option {name!r}; there are heat, tree, detail, "
                            + ", ".join(_PLAIN))
    return new("nt_view_options", format=format, **fields)


#: advice of the command line's tables, and what it is called here
_ADVICE = ((" pushed out: see --json", " pushed out: see `demoted` of the steps"),
           (" hidden: widen the terminal, or use --csv", " hidden: widen the terminal, or use to_csv()"),
           (" rows; --csv has all of them", " rows; to_csv() has all of them"))


def terminal_width() -> int:
    return shutil.get_terminal_size((100, 24)).columns


def cell(text: str, quoted: bool) -> Any:
    """A field of the library's CSV as a Python value."""
    if quoted:
        return text
    if text in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def read_csv(text: str) -> Tuple[List[str], List[List[Any]]]:
    """The library's CSV: its header and its rows. Strings are those in quotes, whatever they say."""
    rows: List[List[Any]] = []
    row: List[Any] = []
    at, end = text.index("\n") + 1, len(text)
    header = text[:at - 1].split(",")
    while at < end:
        if text[at] == '"':
            stop = text.index('"', at + 1)
            while text[stop + 1] == '"':
                stop = text.index('"', stop + 2)
            row.append(cell(text[at + 1:stop].replace('""', '"'), True))
            stop += 1
        else:
            stop = min(i for i in (text.find(",", at), text.find("\n", at)) if i >= 0)
            row.append(cell(text[at:stop], False))
        if text[stop] == "\n":
            rows.append(row)
            row = []
        elif text[stop + 1] == "\n":  # nothing in the last field
            row.append(None)
            rows.append(row)
            row, stop = [], stop + 1
        at = stop + 1
    return header, rows


class Result:
    """What a job found. It is its own: it outlives the model and any session.

    print() shows its table, a notebook its picture; to_dict() and to_pandas() give the numbers, save()
    writes a file. Log-probabilities and entropies are natural (nats) unless a view is asked for bits.
    """

    #: the kinds of nt_result that the class shows
    kinds: Tuple[int, ...] = ()

    #: lines that a person should know, such as a default that was taken
    notes: Tuple[str, ...] = ()

    def __init__(self, handle: Any, owner: Any = None) -> None:
        self.handle = handle  # nt_result *
        self._owner = owner   # of an inner result: the one that it is part of
        self._dict: Optional[Dict[str, Any]] = None

    # ---- Views ----

    def _view(self, format: int, options: Dict[str, Any]) -> str:
        pieces: List[bytes] = []

        def write(payload: Any, bytes_: Any, n: int) -> int:
            pieces.append(ffi.buffer(bytes_, n)[:])
            return 0

        held = callback("int(void *, char const *, size_t)", write, error=1)
        check(lib.nt_result_show(self.handle, view_options(format, options), held, NULL))
        return b"".join(pieces).decode("utf-8", "replace")

    def table(self, **options: Any) -> str:
        """The table as print() shows it; options as the command line has them: width, color, ascii,
        bits, heat ("surprisal", ...), tree (True, "kept", ...), position, skip_first."""
        options.setdefault("width", terminal_width())
        shown = self._view(lib.NT_TABLE, options).rstrip("\n")
        for option, here in _ADVICE:
            shown = shown.replace(option, here)
        return shown

    def html(self, **options: Any) -> str:
        """A page of the result in one file, with its figure, tables and numbers: what save("x.html")
        writes. Options: bits, heat, detail (of trees)."""
        return self._view(lib.NT_HTML, options)

    def svg(self, **options: Any) -> str:
        """A picture of the result, for the kinds that have one. Options: bits, detail (of trees),
        position, skip_first, arcs."""
        return self._view(lib.NT_SVG, options)

    def to_json(self, **options: Any) -> str:
        """One JSON object on one line, as `nextoken --json` writes it. Options: bits, trace, index."""
        return self._view(lib.NT_JSON, options).rstrip("\n")

    def to_csv(self, **options: Any) -> str:
        """The result as CSV, as `nextoken --csv` writes it. Options: bits, no_header, row_prefix,
        header_prefix."""
        return self._view(lib.NT_CSV, options)

    def to_dict(self, **options: Any) -> Dict[str, Any]:
        """The same as to_json(), as a dict; what is no finite number is None."""
        if not options and self._dict is not None:
            return dict(self._dict)
        made: Dict[str, Any] = json.loads(self.to_json(**options))
        if not options:
            self._dict = made
            made = dict(made)
        return made

    def columns(self) -> Columns:
        """The columns of to_pandas(), as {name: values}: those of the CSV."""
        header, rows = read_csv(self.to_csv())
        return {name: [row[i] for row in rows] for i, name in enumerate(header)}

    def to_pandas(self) -> "pandas.DataFrame":
        """The rows of to_csv() as a DataFrame; a column of strings holds nothing but strings."""
        return frame(self.columns())

    def save(self, path: Union[str, "os.PathLike[str]"], **options: Any) -> None:
        """Writes a file, whole or not at all; its name ends in .html (a page), .svg (a picture), .csv,
        .tsv, .json, .txt (the table) or .npz (arrays, where the result holds some)."""
        name = os.fspath(path)
        suffix = os.path.splitext(name)[1].lower()
        if suffix == ".npz":
            check(lib.nt_result_save_npz(self.handle, os.fsencode(name)))
            return
        if suffix not in _FORMATS:
            raise ValueError(f"{name!r} has no ending that tells what to write: "
                             f"{', '.join([*_FORMATS, '.npz'])}")
        check(lib.nt_result_save(self.handle, view_options(_FORMATS[suffix], options),
                                 os.fsencode(name)))

    def page(self, height: int = 640, **options: Any) -> "Page":
        """The whole page with its scripts, to be shown in a notebook as a frame of this height. Where
        notebooks are shown without scripts (GitHub), the still view stands in its place."""
        from .notebook import Page

        return Page(self, height, options)

    # ---- What is shown without asking ----

    def __str__(self) -> str:
        return self.table(lasting=True)

    def _brief(self) -> str:
        return ""

    def __repr__(self) -> str:
        brief = self._brief()
        return f"<nextoken.{type(self).__name__}{': ' if brief else ''}{brief}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from .notebook import fragment

        return fragment(self)

    def __copy__(self: R) -> R:
        return self  # nothing of it changes

    def __deepcopy__(self: R, memo: Any) -> R:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("results of nextoken cannot be pickled; to_dict() gives what can")

    # ---- What most results hold ----

    @property
    def model(self) -> Optional[str]:
        """The model as it was named."""
        value = self.to_dict().get("model")
        return None if value is None else str(value)

    def _tokens(self) -> List[Token]:
        return tokens(self.handle, lib.nt_result_n_tokens, lib.nt_result_token)

    def _method(self) -> str:
        return string(lib.nt_result_method(self.handle, NULL)) or ""

    def _seed(self) -> Optional[int]:
        value: Optional[int] = self.to_dict().get("seed")
        return value


if TYPE_CHECKING:
    from .notebook import Page


class Rows(Result, Sequence[Item], Generic[Item]):
    """A result that is a sequence of its rows."""

    def __init__(self, handle: Any, owner: Any = None) -> None:
        super().__init__(handle, owner)
        self._rows: Optional[List[Item]] = None

    def _make(self) -> List[Item]:
        raise NotImplementedError

    @property
    def rows(self) -> List[Item]:
        """The rows, as a list."""
        if self._rows is None:
            self._rows = self._make()
        return self._rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.rows)

    @overload
    def __getitem__(self, i: int) -> Item: ...

    @overload
    def __getitem__(self, i: slice) -> List[Item]: ...

    def __getitem__(self, i: Any) -> Any:
        return self.rows[i]

    def __bool__(self) -> bool:
        return True  # also one without rows: it is a result


def frame(columns: Columns) -> "pandas.DataFrame":
    """A DataFrame of columns; needs pandas."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas() needs the package pandas (pip install pandas); columns() gives "
                          "the same as a dict of lists") from None
    return pandas.DataFrame(columns)


class Results(Sequence[R], Generic[R]):
    """The results of a list of texts, in their order."""

    def __init__(self, items: Sequence[R]) -> None:
        self.items: List[R] = list(items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, i: int) -> R: ...

    @overload
    def __getitem__(self, i: slice) -> "Results[R]": ...

    def __getitem__(self, i: Any) -> Any:
        return Results(self.items[i]) if isinstance(i, slice) else self.items[i]

    def to_dict(self, **options: Any) -> List[Dict[str, Any]]:
        """to_dict() of each, with its `index`."""
        return [dict(_each(item, lambda r: r.to_dict(**options)), index=i)
                for i, item in enumerate(self.items)]

    def to_json(self, **options: Any) -> str:
        """One JSON object a line, each with its `index`, as `nextoken --jsonl` writes them."""
        return "\n".join(json.dumps({"index": i, "error": str(item)}) if isinstance(item, Exception)
                         else item.to_json(**dict(options, index=i))
                         for i, item in enumerate(self.items))

    def columns(self, **options: Any) -> Columns:
        """The rows of all, behind a column `record` with the number of the text."""
        made: Columns = {"record": []}
        for i, item in enumerate(self.items):
            if isinstance(item, Exception):
                continue
            part = item.columns(**options)
            n = max((len(column) for column in part.values()), default=0)
            n_before = len(made["record"])
            made["record"] += [i] * n
            for name, values in part.items():
                if name not in made:
                    made[name] = [None] * n_before
                made[name] += values
            for name, values in made.items():  # columns that this one does not have
                values.extend([None] * (n_before + n - len(values)))
        return made

    def to_pandas(self, **options: Any) -> "pandas.DataFrame":
        """One DataFrame of all rows, with the number of the text in `record`."""
        return frame(self.columns(**options))

    def to_csv(self, **options: Any) -> str:
        """All rows as CSV, with the number of the text in `record`."""
        pieces: List[str] = []
        for i, item in enumerate(self.items):
            if not isinstance(item, Exception):
                pieces.append(item.to_csv(**dict(options, row_prefix=f"{i},", header_prefix="record,",
                                                 no_header=len(pieces) > 0)))
        return "".join(pieces)

    def save(self, path: Union[str, "os.PathLike[str]"], **options: Any) -> None:
        """Writes .csv, .json or .jsonl (one object a line), or .html and .txt (one under the other)."""
        name = os.fspath(path)
        suffix = os.path.splitext(name)[1].lower()
        makers: Dict[str, Callable[[], str]] = {
            ".csv": lambda: self.to_csv(**options),
            ".json": lambda: self.to_json(**options) + "\n",
            ".jsonl": lambda: self.to_json(**options) + "\n",
            ".txt": lambda: str(self) + "\n",
            ".html": lambda: _document(self._repr_html_()),
        }
        if suffix not in makers:
            raise ValueError(f"{name!r} has no ending that tells what to write: {', '.join(makers)}")
        whole = makers[suffix]()
        part = f"{name}.{os.getpid()}.part"
        try:
            with open(part, "w", encoding="utf-8", newline="") as file:
                file.write(whole)
            os.replace(part, name)
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise

    def __str__(self) -> str:
        return "\n\n".join(f"{type(item).__name__}: {item}" if isinstance(item, Exception)
                           else str(item) for item in self.items)

    def __repr__(self) -> str:
        of = type(self.items[0]).__name__ if self.items else "nothing"
        return f"<nextoken.Results: {len(self.items)} of {of}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from .notebook import several

        return several(self.items)


def _each(item: Any, give: Callable[[Any], Dict[str, Any]]) -> Dict[str, Any]:
    return {"error": str(item)} if isinstance(item, Exception) else give(item)


def _document(body: str) -> str:
    return ('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            '<meta name="color-scheme" content="light dark">\n<title>nextoken</title>\n'
            f'<body style="margin:24px auto;max-width:1080px;padding:0 14px">\n{body}\n</body>\n</html>\n')
