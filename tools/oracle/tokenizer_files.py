"""Writes tests/text/data/pipelines.gz: 200 made-up tokenizer.json files (pipelines.py) and a hash of all
that tokenizers 0.23.3 answers for each of them on nasty texts.

    python tools/oracle/tokenizer_files.py [--texts N]

A hash covers ids, contents, character offsets, type ids, masks, overflowing windows, and both decodings.
"""

import argparse
import contextlib
import json
import os
import random

os.environ["RUST_BACKTRACE"] = "0"
from tokenizers import Tokenizer

import pipelines
from fixture import GPT2, fnv, fold, string, varint, write_gz
from tokenizer_texts import PROMPTS, nasty

REFUSED, PANIC = 0xFFFFFFFF, 0xFFFFFFFE


def gpt2_merges():
    with open(os.path.join(GPT2, "merges.txt"), encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f][1:]


@contextlib.contextmanager
def quiet():
    """The oracle's panics write to file descriptor 2."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def numbers_of(tokenizer, encoding):
    """All of one window. Contents are those of the ids: `tokens` has the text itself in place of Unigram's
    unknown token, and for an added token the white space that it took."""
    yield len(encoding.ids)
    for i, (start, end), kind, special, attention in zip(
        encoding.ids, encoding.offsets, encoding.type_ids, encoding.special_tokens_mask, encoding.attention_mask
    ):
        yield from (i, start, end, kind, special, attention)
        if attention:  # what stands in a padded place is only a name in the file
            yield from tokenizer.id_to_token(i).encode()


UNKNOWN = "<dropped>"


def dropping(sections, model):
    """A tokenizer that marks each character that this model leaves out in silence, which nextoken refuses
    to do; None where it has an unknown token or none is left out."""
    if model["type"] != "BPE" or model["unk_token"] is not None:
        return None
    vocab = model["vocab"] | {UNKNOWN: max(model["vocab"].values()) + 1}
    changed = dict(model, vocab=vocab, unk_token=UNKNOWN)
    return Tokenizer.from_str(json.dumps(sections | {"model": changed, "truncation": None, "post_processor": None}))


def drops(marker, text, pair):
    return marker is not None and any(UNKNOWN in marker.encode(t).tokens for t in (text, pair) if t is not None)


def answer(tokenizer, text, pair):
    """The hash of one case, and what it was made from."""
    try:
        encoding = tokenizer.encode(text, pair)
        windows = [encoding, *encoding.overflowing]
        texts = [tokenizer.decode(encoding.ids, skip_special_tokens=skip) for skip in (False, True)]
    except Exception:  # an error of its own
        return REFUSED, None
    except BaseException:  # a panic: nothing to compare with
        return PANIC, None
    h = fnv([len(windows)])
    for window in windows:
        h = fnv(numbers_of(tokenizer, window), h)
    for decoded in texts:
        h = fnv(decoded.encode(), h)
    h = fold(h)
    return (0 if h in (REFUSED, PANIC) else h), (windows, texts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=60)
    n_texts = parser.parse_args().texts
    models = pipelines.models(gpt2_merges())
    out = bytearray(varint(len(models)))
    for model in models:
        out += string(json.dumps(model, ensure_ascii=False, separators=(",", ":")))
    made = pipelines.pipelines(models)
    out += varint(len(made))
    panics = refused = 0
    for number, (name, model, sections) in enumerate(made):
        rng = random.Random(number)
        out += string(name) + varint(model)
        out += string(json.dumps(sections, ensure_ascii=False, separators=(",", ":"))) + varint(n_texts)
        tokenizer = Tokenizer.from_str(json.dumps(sections | {"model": models[model]}))
        marker = dropping(sections, models[model])
        for i in range(n_texts):
            text = PROMPTS[i] if i < 4 else nasty(rng, pipelines.fragments(made[number]))
            pair = nasty(rng, []) if i % 8 == 7 else None
            with quiet():
                h, _ = answer(tokenizer, text, pair)
                if h != PANIC and drops(marker, text, pair):
                    h = REFUSED
            panics += h == PANIC
            refused += h == REFUSED
            for t in (text, pair):
                raw = (t or "").encode()
                out += varint(0 if t is None else len(raw) + 1) + raw
            out += h.to_bytes(4, "little")
    write_gz("pipelines.gz", bytes(out))
    print("%d files, %d cases, %d refused, %d on which the oracle panics" % (len(made), len(made) * n_texts, refused, panics))


if __name__ == "__main__":
    main()
