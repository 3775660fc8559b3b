"""The tokens of one input, window by window: cut, surrounded, padded and asked about in the ways of the
tokenizers library, whose Encoding this stands in for."""

__all__ = ["Encoding", "Padding", "Truncation"]


class Truncation:
    """How long an input may be, and what gives way."""

    __slots__ = ("max_length", "stride", "strategy", "left")

    def __init__(self, max_length, stride=0, strategy="longest_first", left=False):
        self.max_length, self.stride, self.strategy, self.left = max_length, stride, strategy, left


class Padding:
    """How long inputs become. length None: as long as the longest."""

    __slots__ = ("length", "multiple", "left", "id", "token", "type_id")

    def __init__(self, length, multiple, left, id, token, type_id=0):
        self.length, self.multiple, self.left = length, multiple, left
        self.id, self.token, self.type_id = id, token, type_id


class Encoding:
    """The tokens of one input (or of one window of it): lists [n], and the further windows.

    offsets and words are None where they were not asked for.
    """

    __slots__ = ("ids", "type_ids", "attention_mask", "special_tokens_mask", "offsets", "words", "names",
                 "ranges", "overflowing", "vocabulary")

    def __init__(self, ids, offsets=None, words=None, names=None, type_id=0, special=False, vocabulary=None):
        n = len(ids)
        self.ids, self.offsets, self.words = ids, offsets, words
        self.names = names  # {place: content} of tokens that are not named by their id
        self.type_ids = [type_id] * n
        self.attention_mask = [1] * n
        self.special_tokens_mask = [1 if special else 0] * n
        self.ranges = {}  # sequence -> the places of its tokens
        self.overflowing = []
        self.vocabulary = vocabulary  # names of ids

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        return (f"Encoding(num_tokens={len(self.ids)}, attributes=[ids, type_ids, tokens, offsets, "
                "attention_mask, special_tokens_mask, overflowing])")

    # ---- Making ----

    def _slice(self, start, stop):
        part = Encoding.__new__(Encoding)
        part.vocabulary = self.vocabulary
        part.ids = self.ids[start:stop]
        part.type_ids = self.type_ids[start:stop]
        part.attention_mask = self.attention_mask[start:stop]
        part.special_tokens_mask = self.special_tokens_mask[start:stop]
        part.offsets = None if self.offsets is None else self.offsets[start:stop]
        part.words = None if self.words is None else self.words[start:stop]
        part.names = {i - start: name for i, name in (self.names or {}).items() if start <= i < stop} or None
        part.ranges = {}
        part.overflowing = []
        return part

    def truncate(self, length, stride, left):
        """The first window of `length` tokens, with the others as its overflowing ones."""
        n = len(self.ids)
        if length >= n:
            return self
        if length == 0:
            first = self._slice(0, 0)
            first.overflowing = [self]
            return first
        if stride >= length:
            raise ValueError(
                f"`stride` must be strictly less than `max_len={length}` (note that `max_len` may be shorter "
                "than the max length of the original model, as it subtracts the number of special characters")
        windows, step = [], length - stride
        if left:
            stop = n
            while not windows or windows[-1][0] > 0:
                windows.append((max(stop - length, 0), stop))
                stop -= step
        else:
            start = 0
            while not windows or windows[-1][1] < n:
                windows.append((start, min(start + length, n)))
                start += step
        first, *others = [self._slice(*window) for window in windows]
        first.overflowing = others
        return first

    def _joined(self, other):
        """Self and other in one, without further windows."""
        whole = Encoding.__new__(Encoding)
        n = len(self.ids)
        whole.vocabulary = self.vocabulary or other.vocabulary
        for name in ("ids", "type_ids", "attention_mask", "special_tokens_mask"):
            setattr(whole, name, getattr(self, name) + getattr(other, name))
        for name in ("offsets", "words"):
            a, b = getattr(self, name), getattr(other, name)
            setattr(whole, name, None if a is None or b is None else a + b)
        names = dict(self.names or {})
        names.update({i + n: name for i, name in (other.names or {}).items()})
        whole.names = names or None
        whole.ranges = dict(self.ranges)
        whole.ranges.update({s: range(r.start + n, r.stop + n) for s, r in other.ranges.items()})
        whole.overflowing = []
        return whole

    def merged(self, other):
        """Self with other behind it; every window of one with every window of the other."""
        windows = []
        for window in self.overflowing:
            windows.append(window._joined(other))
            windows.extend(window._joined(later) for later in other.overflowing)
        windows.extend(self._joined(later) for later in other.overflowing)
        whole = self._joined(other)
        whole.overflowing = windows
        return whole

    def pad(self, length, padding):
        """Makes it and its further windows `length` long, in place."""
        for window in self.overflowing:
            window.pad(length, padding)
        more = length - len(self.ids)
        if more <= 0:
            return
        n = 0 if padding.left else len(self.ids)
        names = self.names or {}
        if padding.left:
            names = {i + more: name for i, name in names.items()}
            self.ranges = {s: range(r.start + more, r.stop + more) for s, r in self.ranges.items()}
        names.update((n + i, padding.token) for i in range(more))
        self.names = names
        for name, value in (("ids", padding.id), ("type_ids", padding.type_id), ("attention_mask", 0),
                            ("special_tokens_mask", 1), ("offsets", (0, 0)), ("words", None)):
            values = getattr(self, name)
            if values is not None:
                fill = [value] * more
                setattr(self, name, fill + values if padding.left else values + fill)

    # ---- Asking ----

    @property
    def tokens(self):
        """The contents of the tokens."""
        tokens = self.vocabulary.tokens_of(self.ids) if self.vocabulary else [None] * len(self.ids)
        for i, name in (self.names or {}).items():
            tokens[i] = name
        return tokens

    @property
    def word_ids(self):
        """Which word of its text each token is of; None for what was put there."""
        return self.words

    @property
    def n_sequences(self):
        return len(self.ranges) or 1

    def set_sequence_id(self, sequence):
        self.ranges = {sequence: range(len(self.ids))}

    def _range(self, sequence):
        return self.ranges.get(sequence, range(len(self.ids)))

    @property
    def sequence_ids(self):
        """0 for tokens of the first text, 1 for those of its pair, None for what was put there."""
        sequences = [None] * len(self.ids)
        for sequence in range(self.n_sequences):
            r = self._range(sequence)
            sequences[r.start:r.stop] = [sequence] * len(r)
        return sequences

    def token_to_sequence(self, token):
        if token > len(self.ids):
            return None
        if not self.ranges:
            return 0
        for sequence, r in self.ranges.items():
            if token in r:
                return sequence
        return None

    def word_to_tokens(self, word, sequence=0):
        r = self._range(sequence)
        places = []
        for i in r:
            current = self.words[i]
            if current is not None and current > word:
                break
            if current == word:
                places.append(i)
        return (places[0], places[-1] + 1) if places else None

    def word_to_chars(self, word, sequence=0):
        span = self.word_to_tokens(word, sequence)
        return None if span is None else (self.offsets[span[0]][0], self.offsets[span[1] - 1][1])

    def token_to_chars(self, token):
        if self.token_to_sequence(token) is None or token >= len(self.ids):
            return None
        return self.offsets[token]

    def token_to_word(self, token):
        if self.token_to_sequence(token) is None or token >= len(self.ids):
            return None
        return self.words[token]

    def char_to_token(self, position, sequence=0):
        for i in self._range(sequence):
            start, end = self.offsets[i]
            if start <= position < end:
                return i
        return None

    def char_to_word(self, position, sequence=0):
        token = self.char_to_token(position, sequence)
        return None if token is None else self.token_to_word(token)
