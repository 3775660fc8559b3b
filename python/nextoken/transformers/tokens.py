"""AddedToken: a token that stands outside the vocabulary's own rules, and how it is looked for."""

__all__ = ["AddedToken"]


class AddedToken:
    """A token that texts are searched for before anything else.

    single_word: only where no letter stands beside it. lstrip, rstrip: it takes the white space to
    its left, to its right. normalized: it is looked for in normalized text. special: decoding can
    leave it out.
    """

    __slots__ = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")

    def __init__(self, content="", single_word=False, lstrip=False, rstrip=False, normalized=None,
                 special=False):
        if not isinstance(content, str):
            raise TypeError(f"a token is a str, not {type(content).__name__}")
        self.content = content
        self.single_word, self.lstrip, self.rstrip = bool(single_word), bool(lstrip), bool(rstrip)
        self.normalized = (not special) if normalized is None else bool(normalized)
        self.special = bool(special)

    @property
    def flags(self):
        """All of it as tokenizer_config.json has it."""
        return {"content": self.content, "single_word": self.single_word, "lstrip": self.lstrip,
                "rstrip": self.rstrip, "normalized": self.normalized, "special": self.special}

    def __getstate__(self):
        return self.flags

    def __setstate__(self, state):
        self.__init__(**state)

    def __str__(self):
        return self.content

    def __repr__(self):
        content = self.content.replace("\\", "\\\\").replace('"', '\\"')
        return (f'AddedToken("{content}", rstrip={self.rstrip}, lstrip={self.lstrip}, '
                f"single_word={self.single_word}, normalized={self.normalized}, special={self.special})")

    def __eq__(self, other):
        return isinstance(other, AddedToken) and self.flags == other.flags

    def __hash__(self):
        return hash(self.content)
