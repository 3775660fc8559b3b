"""The special tokens of a tokenizer: bos_token, bos_token_id and the like, as attributes that can be set."""

from . import logging
from .tokens import AddedToken

__all__ = ["NAMED", "SpecialTokens"]

logger = logging.get_logger(__name__)

NAMED = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]


def _without_id(key):
    if key.endswith("_ids"):
        return key[:-4]
    return key[:-3] if key.endswith("_id") else key


class SpecialTokens:
    """The part of a tokenizer that knows them; the rest has convert_tokens_to_ids and its reverse."""

    SPECIAL_TOKENS_ATTRIBUTES = list(NAMED)

    def _init_special(self, kwargs):
        """Takes the special tokens out of kwargs."""
        self._special_tokens_map = dict.fromkeys(NAMED)
        self._extra_special_tokens = []
        if "additional_special_tokens" in kwargs and not kwargs.get("extra_special_tokens"):
            kwargs["extra_special_tokens"] = kwargs.pop("additional_special_tokens")
        named = kwargs.pop("model_specific_special_tokens", None) or {}
        for key in list(kwargs):
            value = kwargs[key]
            if key in NAMED:
                del kwargs[key]
                if value is not None and not isinstance(value, (str, AddedToken)):
                    raise TypeError(f"Special token {key} has to be either str or AddedToken but got: {type(value)}")
                self._special_tokens_map[key] = value
            elif key == "extra_special_tokens":
                del kwargs[key]
                if isinstance(value, dict):
                    named = {**value, **named}
                elif isinstance(value, (list, tuple)):
                    self._extra_special_tokens = list(value)
                elif value is not None:
                    raise TypeError("extra_special_tokens must be a list/tuple of tokens or a dict of named tokens")
            elif key.endswith("_token") and isinstance(value, (str, AddedToken)):
                named = {key: kwargs.pop(key), **named}
        if named:
            self.SPECIAL_TOKENS_ATTRIBUTES = self.SPECIAL_TOKENS_ATTRIBUTES + list(named)
            for key, value in named.items():
                if not isinstance(value, (str, AddedToken)):
                    raise TypeError(f"Special token {key} has to be either str or AddedToken but got: {type(value)}")
                self._special_tokens_map[key] = value

    def __setattr__(self, key, value):
        role = _without_id(key)
        if role in self.SPECIAL_TOKENS_ATTRIBUTES:
            if key != role and value is not None:
                value = self.convert_ids_to_tokens(value)
            if value is not None and not isinstance(value, (str, AddedToken)):
                raise ValueError(f"Cannot set a non-string value as the {role}")
            self._special_tokens_map[role] = value
        elif role == "extra_special_tokens":
            if value is not None and not isinstance(value, (list, tuple)):
                raise ValueError(f"extra_special_tokens must be a list or tuple, got {type(value)}")
            if key != role and value is not None:
                value = [self.convert_ids_to_tokens(item) for item in value]
            self._extra_special_tokens = list(value or [])
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key):
        role = _without_id(key)
        if role in type(self).SPECIAL_TOKENS_ATTRIBUTES or role in self.__dict__.get("SPECIAL_TOKENS_ATTRIBUTES", ()):
            token = self.__dict__.get("_special_tokens_map", {}).get(role)
            if token is None:
                if self.__dict__.get("verbose"):
                    logger.error(f"Using {key}, but it is not set yet.")
                return None
            return str(token) if key == role else self.convert_tokens_to_ids(str(token))
        if role == "extra_special_tokens":
            tokens = [str(token) for token in self.__dict__.get("_extra_special_tokens", [])]
            return tokens if key == role else self.convert_tokens_to_ids(tokens)
        raise AttributeError(f"{type(self).__name__} has no attribute {key}")

    @property
    def special_tokens_map(self):
        """{"bos_token": "<|endoftext|>", ...} of those that are set."""
        return {role: str(self._special_tokens_map[role]) for role in self.SPECIAL_TOKENS_ATTRIBUTES
                if self._special_tokens_map.get(role) is not None}

    @property
    def all_special_tokens(self):
        """The contents of all special tokens, each once."""
        tokens = [*self.special_tokens_map.values(), *map(str, self._extra_special_tokens)]
        return list(dict.fromkeys(tokens))

    @property
    def all_special_ids(self):
        return self.convert_tokens_to_ids(self.all_special_tokens)

    def get_special_tokens_mask(self, token_ids_0, token_ids_1=None, already_has_special_tokens=False):
        """1 for each id that is a special token's, 0 for the others."""
        if not already_has_special_tokens:
            raise NotImplementedError(f"{type(self).__name__} does not implement get_special_tokens_mask for "
                                      "non-formatted sequences")
        if token_ids_1 is not None:
            raise ValueError("You should not supply a second sequence if the provided sequence of ids is already "
                             "formatted with special tokens for the model.")
        special = set(self.all_special_ids)
        return [1 if int(i) in special else 0 for i in token_ids_0]

    def add_special_tokens(self, special_tokens_dict, replace_extra_special_tokens=True):
        """Gives roles to tokens, {"pad_token": "[PAD]"}, and adds those that the vocabulary lacks.

        Returns how many were added. The model knows nothing of ids that are new to it."""
        wanted = dict(special_tokens_dict or {})
        if not wanted:
            return 0
        if "additional_special_tokens" in wanted and not wanted.get("extra_special_tokens"):
            wanted["extra_special_tokens"] = wanted.pop("additional_special_tokens")
        allowed = set(self.SPECIAL_TOKENS_ATTRIBUTES) | {"extra_special_tokens"}
        tokens = []
        for key, value in wanted.items():
            if key not in allowed:
                raise ValueError(f"Key {key} is not a valid special token. Valid keys are: {allowed}")
            if key == "extra_special_tokens":
                if not isinstance(value, (list, tuple)) or not all(isinstance(t, (str, AddedToken)) for t in value):
                    raise ValueError(f"Tokens {value} for key {key} should all be str or AddedToken instances")
                new = [AddedToken(t, normalized=False, special=True) if isinstance(t, str) else t for t in value
                       if replace_extra_special_tokens or str(t) not in self.extra_special_tokens]
                if replace_extra_special_tokens and new:
                    self._extra_special_tokens = list(new)
                else:
                    self._extra_special_tokens.extend(new)
                tokens.extend(new)
            else:
                if not isinstance(value, (str, AddedToken)):
                    raise ValueError(f"Token {value} for key {key} should be a str or an AddedToken instance")
                if isinstance(value, str):
                    value = AddedToken(value, normalized=False, special=True)
                setattr(self, key, value)
                tokens.append(value)
        return self.add_tokens(tokens, special_tokens=True)

    def add_tokens(self, new_tokens, special_tokens=False):
        """Adds tokens that the vocabulary lacks, at its end; returns how many."""
        if not new_tokens:
            return 0
        if not isinstance(new_tokens, (list, tuple)):
            new_tokens = [new_tokens]
        for token in new_tokens:
            if not isinstance(token, (str, AddedToken)):
                raise TypeError("Input must be a List[Union[str, AddedToken]]")
        return self._add_tokens(list(new_tokens), special_tokens)
