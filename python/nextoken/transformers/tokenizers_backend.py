"""TokenizersBackend: a tokenizer as its files describe it, and as its class makes it."""

import json
import os
import shutil
import tempfile
import weakref

from . import logging
from .assemble import Post
from .backend import Backend, Source, write_gpt2_files
from .files import TOKENIZER, Where, locate, read_json
from .special import NAMED
from .tokenization_base import PreTrainedTokenizerBase, as_json, as_tokens
from .tokens import AddedToken

__all__ = ["TokenizersBackend"]

logger = logging.get_logger(__name__)

END = "<|endoftext|>"  # of the tokenizer that is built in

# Arguments of from_pretrained that mean something to no tokenizer here, and do no harm.
_HARMLESS = {"errors", "tokenizer_type", "use_fast", "do_lower_case", "legacy", "trim_offsets", "fix_mistral_regex",
             "from_slow", "keep_accents", "use_default_system_prompt", "add_dummy_prefix_space"}
_MEANT = {"model_max_length", "max_len", "padding_side", "truncation_side", "model_input_names", "verbose",
          "clean_up_tokenization_spaces", "split_special_tokens", "chat_template", "add_prefix_space",
          "add_bos_token", "add_eos_token", "extra_special_tokens", "additional_special_tokens", "name_or_path",
          "model_specific_special_tokens", "added_tokens_decoder", "max_length", "stride", "truncation_strategy",
          "pad_token_type_id", "pad_to_multiple_of", "tokenizer_file", "vocab", "merges", "vocab_file",
          "merges_file", "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output"}


class TokenizersBackend(PreTrainedTokenizerBase):
    """A tokenizer as its tokenizer.json describes it (PreTrainedTokenizerFast)."""

    _roles = {}  # special tokens where nothing is stated
    _takes_file = True
    _add_prefix_space = False

    def __init__(self, vocab=None, merges=None, tokenizer_file=None, tokenizer_object=None, _source=None, **kwargs):
        if tokenizer_object is not None:
            raise NotImplementedError("tokenizer_object= is not supported: save it and give tokenizer_file=")
        vocab = kwargs.pop("vocab_file", None) if vocab is None else vocab
        merges = kwargs.pop("merges_file", None) if merges is None else merges
        source = _source or self._source_of(vocab, merges, tokenizer_file)
        self.init_kwargs = dict(kwargs)
        self._set_defaults(source, kwargs)
        added = kwargs.pop("added_tokens_decoder", None)
        self._added_given = {int(i): _token(token) for i, token in (added or {}).items()}
        prefix = kwargs.pop("add_prefix_space", None)
        self.add_prefix_space = self._add_prefix_space if prefix is None else prefix
        self._legacy = bool(kwargs.pop("legacy", False))
        surround = "add_bos_token" in kwargs or "add_eos_token" in kwargs
        self._surround = [bool(kwargs.pop("add_bos_token", False)), bool(kwargs.pop("add_eos_token", False))]
        self._init_special(kwargs)
        self._init_base(kwargs)
        self._open(source, added is not None)
        if surround:
            self._put_surround()

    def _set_defaults(self, source, kwargs):
        for role, token in self._roles.items():
            kwargs.setdefault(role, token)
        if source.path is None:
            return
        truncation, padding = source.sections.get("truncation"), source.sections.get("padding")
        if truncation:
            kwargs.setdefault("truncation_side", str(truncation.get("direction", "Right")).lower())
        if padding:
            kwargs.setdefault("pad_token", padding.get("pad_token"))
            kwargs.setdefault("padding_side", str(padding.get("direction", "Right")).lower())

    def _source_of(self, vocab, merges, tokenizer_file):
        """The files that a constructor was given."""
        if tokenizer_file is not None:
            if not os.path.isfile(tokenizer_file):
                raise OSError(f"{tokenizer_file}: no such file")
            return Source(os.fspath(tokenizer_file))
        if vocab is None:
            raise ValueError("Couldn't instantiate the backend tokenizer: give tokenizer_file=, or vocab= and merges=, "
                             "or take from_pretrained")
        folder = tempfile.mkdtemp(prefix="nextoken-")
        weakref.finalize(self, shutil.rmtree, folder, True)
        if isinstance(vocab, dict):
            with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
                json.dump(vocab, file)
        else:
            shutil.copyfile(vocab, os.path.join(folder, "vocab.json"))
        if isinstance(merges, (str, os.PathLike)):
            shutil.copyfile(merges, os.path.join(folder, "merges.txt"))
        else:
            with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
                file.write("#version: 0.2\n")
                file.writelines(f"{m if isinstance(m, str) else ' '.join(m)}\n" for m in merges or [])
        return Source(folder)

    # ---- The backend, and the added tokens that it has ----

    def _open(self, source, stated):
        """Opens the files; _added is what the library adds, by the rules of transformers."""
        self._stated = stated  # added_tokens_decoder says all of them
        if source.path is None and self._as_built_in():
            self._backend = Backend(source, None)
        else:
            self._backend = Backend(source, self._config(self._added_given if stated else None))
        self._added = {}
        listed = [(item["id"], _token({k: v for k, v in item.items() if k != "id"}))
                  for item in source.sections.get("added_tokens") or []]
        given = sorted(self._added_given.items())
        if self._takes_file:
            tokens = listed + given  # the file's in its own order, which numbers them
        else:
            tokens = given if stated else sorted({**self._added_given, **dict(listed)}.items())
        for _, token in tokens:
            self._added.setdefault(token.content, token)
        for value in [*self._special_tokens_map.values(), *self._extra_special_tokens]:
            if value is None:
                continue
            token = value if isinstance(value, AddedToken) else AddedToken(value, special=True)
            had = self._added.get(token.content)
            if had is not None:
                continue
            self._added[token.content] = AddedToken(**{**token.flags, "special": True})
        self._added = {content: token for content, token in self._added.items()
                       if self._backend.tokenizer.id(content) is not None}

    def _as_built_in(self):
        """Whether GPT-2's own tokenizer will do as it is."""
        tokens = [str(token) for token in (*self._special_tokens_map.values(), *self._extra_special_tokens) if token]
        return set(tokens) <= {END} and not self.add_prefix_space and not self._added_given

    def _config(self, added):
        """The tokenizer_config.json that the library reads."""
        config = {"tokenizer_class": type(self)._class_name(), "add_prefix_space": bool(self.add_prefix_space)}
        if self._legacy:
            config["legacy"] = True
        for role in self.SPECIAL_TOKENS_ATTRIBUTES:
            token = self._special_tokens_map.get(role)
            config[role] = as_json(token) if isinstance(token, AddedToken) else token
        config["extra_special_tokens"] = [as_json(token) for token in self._extra_special_tokens]
        if added is not None:
            config["added_tokens_decoder"] = {str(i): token.flags for i, token in sorted(added.items())}
        return config

    @classmethod
    def _class_name(cls):
        return cls.__name__[:-4] if cls.__name__.endswith("Fast") and cls.__name__ != "PreTrainedTokenizerFast" \
            else cls.__name__

    def _add_tokens(self, tokens, special):
        new = []
        for token in tokens:
            if isinstance(token, str):
                token = AddedToken(token, special=special)
            elif special:
                token = AddedToken(**{**token.flags, "special": True})
            if token.content and self._added.get(token.content) != token and token not in new:
                new.append(token)
        if new:
            self._grow(new)
        return len(new)

    def _grow(self, new):
        """Opens the files again with these tokens behind those that were added before."""
        tokenizer = self._backend.tokenizer
        added = {tokenizer.id(content): token for content, token in self._added.items()}
        last = max([len(tokenizer) - 1, *added])
        for token in new:
            known = tokenizer.id(token.content)
            if known is None:
                last += 1
            added[last if known is None else known] = token
        config = self._config(added)
        old = self._backend
        self._backend = Backend(old.source, config, old._given_post)
        for token in new:
            self._added[token.content] = token

    # ---- Tokens around a text ----

    def _put_surround(self):
        """The template that add_bos_token and add_eos_token ask for."""
        ids = []
        for i, role in enumerate(("bos_token", "eos_token")):
            token = self._special_tokens_map.get(role)
            if token is None:
                self._surround[i] = False
            ids.append(self.convert_tokens_to_ids(str(token)) if self._surround[i] else None)
        bos, eos = ids
        single, pair = [("A", 0)], [("B", 1)]
        if bos is not None:
            single.insert(0, (bos, 0))
            pair.insert(0, (bos, 1))
        if eos is not None:
            single.append((eos, 0))
            pair.append((eos, 1))
        self._backend = self._backend.with_post(Post(single, single + pair))

    @property
    def add_bos_token(self):
        return self._surround[0]

    @add_bos_token.setter
    def add_bos_token(self, value):
        self._surround[0] = bool(value)
        self._put_surround()

    @property
    def add_eos_token(self):
        return self._surround[1]

    @add_eos_token.setter
    def add_eos_token(self, value):
        self._surround[1] = bool(value)
        self._put_surround()

    def update_post_processor(self):
        """Makes the tokens around a text anew, after bos_token or eos_token changed."""
        self._put_surround()

    # ---- The model's own vocabulary ----

    @property
    def vocab_size(self):
        """The number of tokens of the model's own vocabulary, added ones not counted."""
        if getattr(self, "_n_model", None) is None:
            own = self._backend.source.model_vocabulary()
            self._n_model = 50257 if own is None else len(own)
        return self._n_model

    def _model_type(self):
        if not self._takes_file:
            return "BPE"
        if getattr(self, "_model_kind", None) is None:
            source = self._backend.source
            model = (read_json(source.json) or {}).get("model") or {} if source.json else {}
            self._model_kind = model.get("type") or ("BPE" if "merges" in model or not source.json else "Unigram")
        return self._model_kind

    # ---- Files ----

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *init_inputs, trust_remote_code=False, **kwargs):
        """The tokenizer of a folder, of one tokenizer.json, or of a model of the hub by name.

        Keywords say where files come from (revision, token, cache_dir, local_files_only,
        force_download) or take the place of what the files say: pad_token, add_prefix_space,
        padding_side, model_max_length and the like.
        """
        if init_inputs:
            raise NotImplementedError("further positional arguments of from_pretrained are not supported")
        where = Where.taken_from(kwargs)
        if kwargs.pop("gguf_file", None):
            raise NotImplementedError("gguf_file= is not supported: nextoken.load() opens GGUF files")
        path = locate(pretrained_model_name_or_path, where, TOKENIZER)
        return cls._of_files(Source(path), str(pretrained_model_name_or_path), kwargs)

    @classmethod
    def _of_files(cls, source, name, kwargs):
        for key in kwargs:
            if key not in _MEANT and key not in _HARMLESS and not key.endswith("_token"):
                logger.warning_once(f"{cls.__name__}.from_pretrained: {key}= is not known and has no effect.")
            if callable(getattr(cls, key, None)):
                raise AttributeError(f"{key} conflicts with the method {key} in {cls.__name__}")
        init = {} if source.path is None else cls._read_config(source, kwargs)
        if source.path is None:
            init["model_max_length"] = _built_in_length()
        if source.json:
            init.pop("add_bos_token", None)
            init.pop("add_eos_token", None)
        init.update(kwargs)
        if "additional_special_tokens" in init and not init.get("extra_special_tokens"):
            init["extra_special_tokens"] = init.pop("additional_special_tokens")
        decoder = {int(i): _token(t) for i, t in (init.get("added_tokens_decoder") or {}).items()}
        by_content = {token.content: token for token in decoder.values()}
        for item in source.sections.get("added_tokens") or []:
            if "added_tokens_decoder" not in init:
                by_content[item["content"]] = _token({k: v for k, v in item.items() if k != "id"})
        init = as_tokens(init)
        for role in NAMED:
            if init.get(role) is not None:
                init[role] = by_content.get(str(init[role]), init[role])
        if "added_tokens_decoder" in init:
            init["added_tokens_decoder"] = decoder
        init["name_or_path"] = name
        return cls(_source=source, **init)

    @classmethod
    def _read_config(cls, source, kwargs):
        """tokenizer_config.json with what older folders say in special_tokens_map.json."""
        if source.path == source.json:
            return {}
        config = read_json(os.path.join(source.folder, "tokenizer_config.json")) or {}
        for key in ("tokenizer_class", "init_inputs", "tokenizer_file", "special_tokens_map_file", "vocab_file",
                    "merges_file", "added_tokens_file", "name_or_path", "vocab", "merges"):
            config.pop(key, None)
        if config.get("auto_map"):
            raise NotImplementedError(f"{source.folder}: this tokenizer is code of its own (auto_map), which is not run")
        if "added_tokens_decoder" in config:
            return config
        for key, value in (read_json(os.path.join(source.folder, "special_tokens_map.json")) or {}).items():
            if kwargs.get(key):
                continue
            if isinstance(value, dict) and key != "extra_special_tokens":
                value = {k: v for k, v in value.items() if k not in ("special", "__type")}
                value = AddedToken(**value, special=True)
            elif isinstance(value, list) and key == "extra_special_tokens":
                have = list(config.get(key) or [])
                value = have + [t for t in ([_token(v) for v in value]) if t not in have]
            config[key] = value
        return config

    def _saved_config(self):
        config = {key: value for key, value in self.init_kwargs.items()
                  if key not in ("add_bos_token", "add_eos_token", "name_or_path", "added_tokens_decoder", "vocab",
                                 "merges", "model_specific_special_tokens")}
        for key in ("model_max_length", "padding_side", "truncation_side", "add_prefix_space"):
            if key in config or key == "model_max_length":
                config[key] = getattr(self, key)
        for role in self.SPECIAL_TOKENS_ATTRIBUTES:
            config[role] = None
        config.update(self.special_tokens_map)
        if self._extra_special_tokens:
            config["extra_special_tokens"] = self.extra_special_tokens
        config = as_json(config)
        if not self._backend.source.json:
            config["added_tokens_decoder"] = {str(i): token.flags for i, token in self.added_tokens_decoder.items()}
            config["add_bos_token"], config["add_eos_token"] = self._surround
        config["tokenizer_class"] = type(self)._class_name()
        return config

    def _save_files(self, prefix):
        from ..tokenizer import Tokenizer

        source = self._backend.source
        if source.json:
            whole = read_json(source.json)
            whole["added_tokens"] = [{"id": i, **token.flags} for i, token in self.added_tokens_decoder.items()]
            if self._backend._given_post is not None:
                whole["post_processor"] = self._template()
            with open(prefix + "tokenizer.json", "w", encoding="utf-8") as file:
                json.dump(whole, file, ensure_ascii=False, indent=2)
            return (prefix + "tokenizer.json",)
        folder = source.path
        with tempfile.TemporaryDirectory(prefix="nextoken-") as made:
            if folder is None:
                folder = made
                write_gpt2_files(Tokenizer.gpt2(), folder)
            for name in ("vocab.json", "merges.txt"):
                shutil.copyfile(os.path.join(folder, name), prefix + name)
        return (prefix + "vocab.json", prefix + "merges.txt")

    def _template(self):
        """What stands around texts, as tokenizer.json says it."""
        post, names = self._backend.post, {}

        def parts(template):
            made = []
            for name, type_id in template:
                if isinstance(name, str):
                    made.append({"Sequence": {"id": name, "type_id": type_id}})
                else:
                    content = self._backend.tokenizer.content(name)
                    names[content] = {"id": content, "ids": [name], "tokens": [content]}
                    made.append({"SpecialToken": {"id": content, "type_id": type_id}})
            return made

        return {"type": "TemplateProcessing", "single": parts(post.single), "pair": parts(post.pair),
                "special_tokens": names}

    # ---- Between processes ----

    def __getstate__(self):
        return dict(self.__dict__)

    def __setstate__(self, state):
        self.__dict__.update(state)


def _token(value):
    """An AddedToken of JSON's object."""
    if isinstance(value, AddedToken):
        return value
    if isinstance(value, str):
        return AddedToken(value)
    if not isinstance(value, dict) or "content" not in value:
        raise TypeError(f"Found a {type(value)} in the saved `added_tokens_decoder`, should be a dictionary or an "
                        "AddedToken instance")
    return AddedToken(**{key: item for key, item in value.items() if key != "__type"})


def _built_in_length():
    """The context of the model that is built in."""
    from .. import library

    out = library.ffi.new("nt_model **")
    if library.lib.nt_model_open(out, library.NULL, library.NULL) != 0:
        return None  # a build that carries no model
    info = library.new("nt_model_info")
    library.check(library.lib.nt_model_get_info(info, out[0]))
    length = info.n_context
    library.lib.nt_model_free(out[0])
    return length
