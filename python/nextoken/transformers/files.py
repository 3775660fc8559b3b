"""Names of models -> folders, and the small files in them. The hub's cache is that of huggingface_hub;
the library looks into it, and fetches what it lacks."""

import json
import os

__all__ = ["BUILT_IN", "Where", "hub_options", "is_local", "locate", "read_json", "read_sections"]

BUILT_IN = "tales"  # the name of the model that is part of the library

CONFIG, TOKENIZER = "config", "tokenizer"

# Models that once had no owner are found under both names.
_OWNERS = {name: f"openai-community/{name}" for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")}
_OWNERS["distilgpt2"] = "distilbert/distilgpt2"


class Where:
    """The arguments of from_pretrained that say where files come from."""

    NAMES = ("cache_dir", "force_download", "local_files_only", "token", "revision", "proxies", "subfolder",
             "user_agent", "resume_download", "_from_auto", "_from_pipeline", "_commit_hash", "use_auth_token")

    def __init__(self, cache_dir=None, force_download=False, local_files_only=False, token=None, revision=None,
                 proxies=None, subfolder=None, **ignored):
        if proxies:
            raise NotImplementedError("proxies= is not supported; the library takes https_proxy and the like "
                                      "from the environment")
        self.cache_dir, self.force_download, self.local_files_only = cache_dir, force_download, local_files_only
        self.token, self.revision, self.subfolder = token, revision, subfolder

    @classmethod
    def taken_from(cls, kwargs):
        """Takes its arguments out of kwargs."""
        return cls(**{name: kwargs.pop(name) for name in cls.NAMES if name in kwargs})

    def arguments(self):
        return {"cache_dir": self.cache_dir, "force_download": self.force_download,
                "local_files_only": self.local_files_only, "token": self.token, "revision": self.revision,
                "subfolder": self.subfolder}


def is_local(name):
    """Whether a name is a folder or a file, or the model that is built in."""
    name = os.fspath(name)
    return name == BUILT_IN or os.path.exists(name)


def hub_options(where, offline=False):
    """nt_hub_options for these arguments."""
    from ..library import lib, new

    fields = {}
    if where.cache_dir is not None:
        fields["cache"] = os.fspath(where.cache_dir)
    if where.token is False:
        fields["token"] = ""
    elif isinstance(where.token, str):
        fields["token"] = where.token
    if offline or where.local_files_only:
        fields["use"] = lib.NT_HUB_OFFLINE
    elif where.force_download:
        fields["use"] = lib.NT_HUB_REFRESH
    return new("nt_hub_options", **fields)


def _pull(name, files, options):
    from ..library import check, ffi, lib, string

    out = ffi.new("char **")
    wanted = [ffi.new("char[]", file.encode()) for file in files]
    check(lib.nt_hub_pull(out, name.encode(), ffi.new("char *[]", wanted), len(wanted), options))
    try:
        return string(out[0])
    finally:
        lib.nt_free(out[0])


def _pull_tokenizer(name, where):
    """The folder in the cache that holds the tokenizer's files, which are fetched where they lack."""
    from ..errors import Error
    from ..library import check, ffi, lib, new, running

    with running() as callbacks:
        hub = hub_options(where)
        hub.callbacks = callbacks
        options = new("nt_model_options", tokenizer_only=True, hub=hub)
        out = ffi.new("nt_model **")
        status = lib.nt_model_open(out, name.encode(), options)
        lib.nt_model_free(out[0])
        failed = None
        if status != lib.NT_E_UNSUPPORTED:  # of what the files say more is known later
            try:
                check(status)
            except Error as error:
                failed = error
    folder = _snapshot(name, where)
    if folder is not None:  # what the cache has will do
        return folder
    raise failed or OSError(f"Can't load tokenizer for '{name}': it is in no cache")


def _snapshot(name, where):
    """The folder of a model in the cache, if it holds a tokenizer; None where there is none."""
    from ..library import check, ffi, lib, owned, string

    out = ffi.new("nt_hub_list **")
    check(lib.nt_hub_list_new(out, hub_options(where, offline=True)))
    models = owned(out[0], "nt_hub_list_free")
    repo, _, revision = name.partition("@")
    revision = revision or "main"
    for i in range(lib.nt_hub_list_size(models)):
        entry = lib.nt_hub_list_entry(models, i)
        known = string(entry.name)
        same = known == repo or {known, repo} == {known.split("/")[-1], _OWNERS.get(known.split("/")[-1])}
        of_revision = revision in string(entry.refs).split(", ") or string(entry.revision) == revision
        folder = string(entry.folder)
        if same and of_revision and any(all(os.path.isfile(os.path.join(folder, file)) for file in files)
                                        for files in (["tokenizer.json"], ["vocab.json", "merges.txt"])):
            return folder
    return None


def locate(name, where, what=CONFIG):
    """The folder (or the file) that a name stands for; None for the model that is built in.

    what: the files that are wanted of a model of the hub: "config", "tokenizer", or a file's name.
    """
    name = os.fspath(name)
    if name == BUILT_IN and not os.path.isdir(name):
        return None
    if os.path.exists(name):
        return os.path.join(name, where.subfolder) if where.subfolder and os.path.isdir(name) else name
    if where.subfolder:
        raise NotImplementedError("subfolder= is supported for folders alone, not for models of the hub")
    if where.revision and where.revision != "main" and "@" not in name:
        name += "@" + where.revision
    try:
        if what == TOKENIZER:
            return _pull_tokenizer(name, where)
        return _pull(name, ["config.json" if what == CONFIG else what], hub_options(where))
    except ValueError as error:  # no name that a model can have
        raise OSError(f"Can't load {what} for '{name}': no such folder, and {error}") from error


def read_json(path):
    """The contents of a JSON file; None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise OSError(f"It looks like the config file at '{path}' is not a valid JSON file. ({error})") from None


def read_sections(path):
    """tokenizer.json without its model, which is the last and by far the largest of its sections.

    Where the model stands elsewhere the whole file is read.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    decoder, sections = json.JSONDecoder(), {}

    def skip(at):
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        return at

    try:
        at = skip(0)
        if text[at] != "{":
            raise ValueError
        at = skip(at + 1)
        while text[at] == '"':
            key, at = decoder.raw_decode(text, at)
            at = skip(at)
            if text[at] != ":":
                raise ValueError
            at = skip(at + 1)
            if key == "model" and "post_processor" in sections and "added_tokens" in sections:
                return sections
            sections[key], at = decoder.raw_decode(text, at)
            at = skip(at)
            if text[at] == "}":
                return sections
            at = skip(at + 1)
        raise ValueError
    except (ValueError, IndexError):
        raise OSError(f"{path} is not a valid tokenizer.json") from None
