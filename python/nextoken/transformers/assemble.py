"""From the tokens of one text, or of two, to what a model is given: truncation, the template's special
tokens, white space left out of offsets. In the order and the ways of the tokenizers library."""

from .encoding import Encoding

__all__ = ["Post", "assemble", "pad_all"]


class Post:
    """What stands around the tokens of a text.

    single, pair: lists of ("A" | "B", type id) and of (token id, type id). trim: white space at the
    ends of tokens is left out of offsets; prefix: but for what add_prefix_space put there.
    types_of_windows: the template's type ids hold in further windows too.
    """

    __slots__ = ("single", "pair", "trim", "prefix", "types_of_windows")

    def __init__(self, single=(("A", 0),), pair=(("A", 0), ("B", 1)), trim=False, prefix=False,
                 types_of_windows=False):
        self.single, self.pair = tuple(single), tuple(pair)
        self.trim, self.prefix, self.types_of_windows = trim, prefix, types_of_windows

    def added(self, pair):
        """How many special tokens it puts around one text, or two."""
        return sum(not isinstance(part[0], str) for part in (self.pair if pair else self.single))


# ---- Truncation ---------------------------------------------------------------------------------


def _share(n, most):
    """What two texts of n tokens, together more than `most`, keep: the longer one gives first."""
    small, large = min(n), max(n)
    large = small if small > most else max(small, most - small)
    if small + large > most:
        small = most // 2
        large = small + most % 2
    return (small, large) if n[0] <= n[1] else (large, small)


def _shorten(encoding, by, t):
    if len(encoding) <= by:
        raise ValueError("Truncation error: Sequence to truncate too short to respect the provided max_length")
    return encoding.truncate(len(encoding) - by, t.stride, t.left)


def truncate(a, b, t, n_added):
    """(a, b) that fit into t.max_length with n_added further tokens."""
    most = t.max_length - n_added
    if most < 0:
        raise ValueError(f"max_length {t.max_length} has no room for the {n_added} special tokens around the text")
    if most == 0:
        return a.truncate(0, t.stride, t.left), b and b.truncate(0, t.stride, t.left)
    too_much = len(a) + (len(b) if b is not None else 0) - most
    if too_much <= 0:
        return a, b
    if t.strategy == "only_first":
        return _shorten(a, too_much, t), b
    if t.strategy == "only_second":
        if b is None:
            raise ValueError("Truncation error: Second sequence not provided")
        return a, _shorten(b, too_much, t)
    if b is None:
        return a.truncate(most, t.stride, t.left), None
    keep = _share((len(a), len(b)), most)
    return a.truncate(keep[0], t.stride, t.left), b.truncate(keep[1], t.stride, t.left)


# ---- Offsets ------------------------------------------------------------------------------------


def _is_space(character):
    return character == "\u0120" or (character.isspace() and not "\x1c" <= character <= "\x1f")


def _trim(window, post):
    """Leaves the white space that a token's content begins and ends with out of its offsets."""
    if window.offsets is None:
        return
    offsets = list(window.offsets)
    for i, token in enumerate(window.tokens):
        leading = trailing = 0
        for character in token or "":
            if not _is_space(character):
                break
            leading += 1
        for character in reversed(token or ""):
            if not _is_space(character):
                break
            trailing += 1
        if not leading and not trailing:
            continue
        start, end = offsets[i]
        if leading == 1 and post.prefix and (i == 0 or start == 0):
            leading = 0
        start = min(start + leading, end) if leading else start
        if trailing and end >= trailing:
            end = max(end - trailing, start)
        offsets[i] = (start, end)
    window.offsets = offsets


# ---- All of it ----------------------------------------------------------------------------------


def _placed(encoding, sequence, type_id, post, special):
    """The tokens of one text with their windows in the template's place."""
    for number, window in enumerate([encoding, *encoding.overflowing]):
        window.set_sequence_id(sequence)
        stated = number == 0 or (post.types_of_windows and special)
        window.type_ids = [type_id if stated else sequence] * len(window)
        if post.trim:
            _trim(window, post)
    return encoding


def assemble(a, b, truncation, post, special):
    """One Encoding of a text's tokens (and its pair's, or None); special: put the template's tokens."""
    parts = post.single if b is None else post.pair
    if truncation is not None:
        a, b = truncate(a, b, truncation, post.added(b is not None) if special else 0)
    whole = None
    for name, type_id in parts:
        if name == "A":
            part = _placed(a, 0, type_id, post, special)
        elif name == "B":
            part = _placed(b, 1, type_id, post, special)
        elif special:
            part = Encoding([name], [(0, 0)], [None], type_id=type_id, special=True, vocabulary=a.vocabulary)
        else:
            continue
        whole = part if whole is None else whole.merged(part)
    return Encoding([], [], [], vocabulary=a.vocabulary) if whole is None else whole


def pad_all(encodings, padding):
    """Pads the encodings and their windows, in place, to the length of the longest or a given one."""
    length = padding.length
    if length is None:
        length = max(map(len, encodings), default=0)
    if padding.multiple and length % padding.multiple:
        length += padding.multiple - length % padding.multiple
    for encoding in encodings:
        encoding.pad(length, padding)
