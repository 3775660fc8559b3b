"""Between the tokenizers of transformers' classes and the library's: a folder is made that says what the
class, the files and the caller's arguments come to, and the library opens it.

A backend does not change: one with more tokens is made anew.
"""

import json
import os
import shutil
import tempfile
import threading

from .assemble import Post, assemble, pad_all
from .encoding import Encoding
from .files import read_json, read_sections

__all__ = ["Backend", "Source"]

# Classes that make the post-processor anew, whatever the file says.
SURROUND_CLASSES = ("GPTNeoXTokenizer",)


class Source:
    """Where a tokenizer's files are: a folder, one tokenizer.json, or nowhere: GPT-2's, built in."""

    def __init__(self, path):
        self.path = path
        self.folder = path if path is None or os.path.isdir(path) else os.path.dirname(path) or "."
        self._sections = None
        if path is None:
            self.json = self.vocab = self.merges = None
            return
        self.json = path if not os.path.isdir(path) else self._there("tokenizer.json")
        pair = os.path.isdir(path) and not self.json
        self.vocab = self._there("vocab.json") if pair else None
        self.merges = self._there("merges.txt") if pair else None
        if not self.json and not (self.vocab and self.merges):
            raise OSError(
                f"Can't load tokenizer for '{path}': it holds neither tokenizer.json nor vocab.json with merges.txt")

    def _there(self, name):
        path = os.path.join(self.path, name)
        return path if os.path.isfile(path) else None

    @property
    def sections(self):
        """tokenizer.json without its model."""
        if self._sections is None:
            self._sections = read_sections(self.json) if self.json else {}
        return self._sections

    def model_vocabulary(self):
        """The contents that the model itself knows: {content: id}, or None where that is the built-in one."""
        if self.json:
            vocab = ((read_json(self.json) or {}).get("model") or {}).get("vocab") or {}
            return {entry[0]: i for i, entry in enumerate(vocab)} if isinstance(vocab, list) else vocab
        return read_json(self.vocab) if self.vocab else None

    def put_into(self, folder):
        """Puts the vocabulary's files into a folder, as links where that can be."""
        for path, name in ((self.json, "tokenizer.json"), (self.vocab, "vocab.json"), (self.merges, "merges.txt")):
            if path:
                _link(os.path.abspath(path), os.path.join(folder, name))
        extra = None if self.json or self.path is None else os.path.join(self.folder, "added_tokens.json")
        if self.json and self.path != self.json:
            extra = os.path.join(self.folder, "added_tokens.json")
        if extra and os.path.isfile(extra):
            _link(os.path.abspath(extra), os.path.join(folder, "added_tokens.json"))


def _link(path, name):
    try:
        os.symlink(path, name)
    except OSError:
        shutil.copyfile(path, name)


def write_gpt2_files(tokenizer, folder):
    """vocab.json and merges.txt of the GPT-2 tokenizer that is built in."""
    contents = [tokenizer.content(i) for i in range(len(tokenizer))]
    ids = {content: i for i, content in enumerate(contents)}
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump(ids, file, ensure_ascii=False)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n")
        for i, content in enumerate(contents):
            if i >= 256 and not content.startswith("<|"):
                file.write(" ".join(_parts(content, ids)) + "\n")


def _parts(content, ids):
    """The two tokens that a merge made this one of. GPT-2 numbers tokens in the order of their merges: they are
    what byte pair encoding leaves of its characters when only earlier merges are done."""
    rank, limit, n = ids.get, ids[content], len(content)
    cuts = [i for i in range(1, n) if rank(content[:i], limit) < limit and rank(content[i:], limit) < limit]
    if len(cuts) == 1:
        return content[:cuts[0]], content[cuts[0]:]
    pieces = list(content)
    ranks = [rank(a + b, limit) for a, b in zip(pieces, pieces[1:])]
    while len(pieces) > 2:
        i = ranks.index(min(ranks))
        pieces[i:i + 2] = [pieces[i] + pieces[i + 1]]
        del ranks[i]
        if i:
            ranks[i - 1] = rank(pieces[i - 1] + pieces[i], limit)
        if i < len(ranks):
            ranks[i] = rank(pieces[i] + pieces[i + 1], limit)
    return pieces


class Backend:
    """A tokenizer of the library with what transformers' class adds to it.

    config: the contents of the tokenizer_config.json that describes it: tokenizer_class, the special
    tokens, add_prefix_space, added_tokens_decoder. None: GPT-2's own, built in, as it is.
    """

    def __init__(self, source, config, post=None):
        self.source, self.config = source, config
        self._given_post = post  # what stands in the post-processor's place
        self._post = self._names = self._vocabulary = None
        self._lock = threading.Lock()
        self.tokenizer = self._open()

    # ---- Opening ----

    def _open(self):
        from ..errors import Error
        from ..tokenizer import Tokenizer

        if self.config is None:
            return Tokenizer.gpt2()
        with tempfile.TemporaryDirectory(prefix="nextoken-") as folder:
            if self.source.path is None:
                write_gpt2_files(Tokenizer.gpt2(), folder)
            else:
                self.source.put_into(folder)
            with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
                json.dump(self.config, file)
            try:
                return Tokenizer.open(folder, "transformers")
            except Error as error:
                message = str(error).replace(folder, str(self.source.folder))
                raise type(error)(message) from None

    def with_config(self, config):
        """Another one, of the same files."""
        return Backend(self.source, config, self._given_post)

    def with_post(self, post):
        """Another one that puts other tokens around texts."""
        other = Backend.__new__(Backend)
        other.__dict__.update(self.__dict__, _given_post=post, _post=None, _lock=threading.Lock())
        return other

    def __reduce__(self):
        return Backend, (self.source, self.config, self._given_post)

    # ---- Vocabulary ----

    @property
    def names(self):
        """The content of each id; None where there is none."""
        if self._names is None:
            content = self.tokenizer.content
            self._names = [content(i) for i in range(len(self.tokenizer))]
        return self._names

    @property
    def vocabulary(self):
        """{content: id}"""
        if self._vocabulary is None:
            vocabulary = {}
            for i, name in enumerate(self.names):
                if name is not None:
                    vocabulary.setdefault(name, i)
            self._vocabulary = vocabulary
        return self._vocabulary

    def tokens_of(self, ids):
        """The contents of ids."""
        if self._names is None and len(ids) < 1000:
            return [self.tokenizer.content(i) for i in ids]
        names = self.names
        return [names[i] if 0 <= i < len(names) else None for i in ids]

    # ---- What stands around ----

    @property
    def post(self):
        if self._given_post is not None:
            return self._given_post
        if self._post is None:
            self._post = self._read_post()
        return self._post

    def _read_post(self):
        section = self.source.sections.get("post_processor") if self.config is not None else None
        if (self.config or {}).get("tokenizer_class") in SURROUND_CLASSES:
            section = None
        parts = section.get("processors", [section]) if section else []
        trim = prefix = types = False
        for part in parts:
            if part.get("type") in ("ByteLevel", "RobertaProcessing") and part.get("trim_offsets", True):
                trim, prefix = True, part.get("add_prefix_space", True)
            types = types or part.get("type") in ("RobertaProcessing", "BertProcessing")
        single, pair = self._probe()
        return Post(single, pair, trim, prefix, types)

    def _probe(self):
        """The templates, told by what the library makes of a text and of two. An id of no special token
        stands for its text as often as that text has tokens, in one run."""
        templates = []
        probe = self._probe_text()
        for pair in (None, probe):
            encoding = self.tokenizer.encode(probe, pair, None, True, truncation=-1, padding=-1)
            template, before = [], None
            pointer = encoding._pointer
            for i in range(pointer.n):
                mark, type_id = pointer.marks[i], pointer.types[i]
                if mark & 1:
                    template.append((pointer.ids[i], type_id))
                    before = None
                else:
                    name = "B" if mark & 4 else "A"
                    if before != name:
                        template.append((name, type_id))
                    before = name
            templates.append(tuple(template))
        return templates

    def _probe_text(self):
        """A text with one token or more: not every vocabulary knows every letter."""
        from ..errors import Error

        for text in ("a", "A", "0", "."):
            try:
                if len(self.tokenizer.encode(text, offsets=None, add_special_tokens=-1)):
                    return text
            except Error:
                pass
        for i, name in enumerate(self.names):
            text = self.tokenizer.decode([i]) if name else ""
            try:
                if text and "\ufffd" not in text and \
                        len(self.tokenizer.encode(text, offsets=None, add_special_tokens=-1)):
                    return text
            except Error:
                pass
        raise NotImplementedError("a tokenizer that has no token for any text")

    # ---- Encoding ----

    def _sequences(self, texts, split_special, details):
        """The tokens of each text, with nothing around them."""
        from ..errors import TextError
        from ..library import ffi

        offsets = "characters" if details else None
        options = {"words": True} if details else {}
        try:
            made = self.tokenizer.encode_batch(texts, None, offsets, add_special_tokens=-1, truncation=-1, padding=-1,
                                               split_special_tokens=bool(split_special), **options)
        except TextError as error:
            raise TypeError(f"a text with half of a surrogate pair: {error}") from None
        encodings = []
        for text, one in zip(texts, made):
            places = words = names = None
            if details:
                pointer = one._pointer
                places = one.offsets
                words = ffi.unpack(pointer.words, pointer.n) if pointer.n else []
            ids = one.id_list()
            if details and self.stripping:
                names = {i: text[slice(*places[i])] for i, id in enumerate(ids) if id in self.stripping}
            encodings.append(Encoding(ids, places, words, names, vocabulary=self))
        return encodings

    @property
    def stripping(self):
        """Ids of added tokens that take white space beside them: their names are what they took."""
        found = getattr(self, "_stripping", None)
        if found is None:
            found = self._stripping = set()
            for flags in self._flags():
                if flags.get("lstrip") or flags.get("rstrip"):
                    found.add(self.tokenizer.id(flags["content"]))
        return found

    def _flags(self):
        yield from ((self.config or {}).get("added_tokens_decoder") or {}).values()
        yield from self.source.sections.get("added_tokens") or []
        yield from (value for value in (self.config or {}).values() if isinstance(value, dict) and "content" in value)

    def encode(self, inputs, truncation, special, split_special, details):
        """inputs: [(first, second or None)], each a text or a list of words -> an Encoding for each."""
        flat, spans = [], []
        for pair in inputs:
            for part in pair:
                if part is None:
                    spans.append(None)
                    continue
                words = part if isinstance(part, (list, tuple)) else None
                spans.append((len(flat), len(words) if words is not None else -1))
                flat.extend(words if words is not None else [part])
        sequences = self._sequences(flat, split_special, details)
        parts = [self._part(sequences, span) for span in spans]
        # assembling cuts, joins and pads: a plain text's tokens are their own encoding
        return [assemble(a, b, truncation, self.post, special) for a, b in zip(parts[::2], parts[1::2])]

    def _part(self, sequences, span):
        if span is None:
            return None
        at, n = span
        if n < 0:
            return sequences[at]
        whole = Encoding([], [], [], vocabulary=self)
        for word in range(n):
            one = sequences[at + word]
            if one.words is not None:
                one.words = [word] * len(one)
            whole = whole._joined(one) if word else one
        return whole

    def pad(self, encodings, padding):
        pad_all(encodings, padding)

    # ---- Decoding ----

    def decode(self, ids, skip_special):
        """The text of ids; those that there are not are left out."""
        from ..errors import RangeError

        try:
            return self.tokenizer.decode(ids, skip_special)
        except RangeError:
            content = self.tokenizer.content
            return self.tokenizer.decode([i for i in ids if i >= 0 and content(i) is not None], skip_special)

    @property
    def byte_level(self):
        """Whether decoding reads contents through the byte-level alphabet."""
        if self.config is None or self.source.path is None or not self.source.json:
            return True
        made = self.config.get("tokenizer_class", "")
        if made in ("GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "Qwen2Tokenizer", "Qwen3_5Tokenizer"):
            return True
        if made in ("LlamaTokenizer", "GemmaTokenizer"):
            return False
        return (self.source.sections.get("decoder") or {}).get("type") == "ByteLevel"
