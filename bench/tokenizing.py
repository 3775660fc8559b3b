"""Tokenizing a text with GPT-2's vocabulary: nextoken beside gigatoken, tiktoken and tokenizers.

    python bench/tokenizing.py LIBRARY TOKENIZER_JSON TEXT_FILE [--rounds 5] [--slow-bytes 4000000]

LIBRARY is libnextoken.so, called through ctypes. Ids are compared first. Every round times all systems in
turn: cold (a fresh object), warm (the same object again), on one thread and on two, ids only and with offsets
where there are any; then decoding, opening, and texts that are hard. Printed are MB/s (median; smallest and
largest) and, where gigatoken does the same, the ratio of the paired rounds. tiktoken and tokenizers read the
first --slow-bytes only. Needs tools/oracle/requirements.txt, gigatoken and tiktoken."""

import argparse
import ctypes as c
import json
import os
import pathlib
import random
import statistics
import time

import gigatoken
import numpy as np
import tiktoken
import tokenizers

PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


class EncodeOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("add_bos", c.c_bool), ("split_special_tokens", c.c_bool),
                ("add_prefix_space", c.c_int), ("add_special_tokens", c.c_int), ("truncation", c.c_int),
                ("padding", c.c_int), ("max_length", c.c_size_t), ("stride", c.c_size_t),
                ("truncate_left", c.c_bool), ("pad_length", c.c_size_t), ("pad_multiple", c.c_size_t),
                ("pad_left", c.c_bool), ("pad_id", c.c_int32), ("offsets", c.c_bool), ("marks", c.c_bool),
                ("trim_offsets", c.c_bool)]


class EncoderOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("threads", c.c_int), ("cache_bytes", c.c_size_t)]


class Input(c.Structure):
    _fields_ = [("text", c.c_char_p), ("n_text", c.c_size_t), ("pair", c.c_char_p), ("n_pair", c.c_size_t)]


class Encoding(c.Structure):
    _fields_ = [("n", c.c_size_t), ("ids", c.POINTER(c.c_int32)), ("starts", c.c_void_p), ("ends", c.c_void_p),
                ("marks", c.c_void_p), ("types", c.c_void_p), ("overflow", c.c_void_p)]


class Nextoken:
    def __init__(self, library, path):
        self.lib = c.CDLL(str(library))
        self.lib.nt_error_message.restype = c.c_char_p
        self.tokenizer = c.c_void_p()
        self.check(self.lib.nt_tokenizer_open(c.byref(self.tokenizer), os.fsencode(path)))

    def check(self, status):
        if status:
            raise SystemExit(self.lib.nt_error_message().decode())

    def encoder(self, threads):
        encoder, options = c.c_void_p(), EncoderOptions(c.sizeof(EncoderOptions), threads, 0)
        self.check(self.lib.nt_encoder_new(c.byref(encoder), self.tokenizer, c.byref(options)))
        return encoder

    def encode(self, encoder, data, offsets=False):
        """What is timed: the call alone, as gigatoken's gives an array that is not looked at."""
        options = EncodeOptions(size=c.sizeof(EncodeOptions), pad_id=-1, offsets=offsets)
        out, given = c.POINTER(Encoding)(), Input(data, len(data), None, 0)
        self.check(self.lib.nt_encoder_run(c.byref(out), encoder, c.byref(given), c.c_size_t(1), c.byref(options)))
        return out

    def ids(self, encoding):
        return np.ctypeslib.as_array(encoding.contents.ids, (encoding.contents.n,)).copy()

    def decode(self, ids):
        text, n = c.c_void_p(), c.c_size_t()
        pointer = ids.ctypes.data_as(c.POINTER(c.c_int32))
        self.check(self.lib.nt_decode(c.byref(text), c.byref(n), self.tokenizer, pointer, c.c_size_t(len(ids)), False))
        self.lib.nt_free(text)


def timed(call, *args):
    start = time.perf_counter()
    result = call(*args)
    return time.perf_counter() - start, result


class Table:
    def __init__(self):
        self.times = {}

    def put(self, what, who, seconds, n_bytes):
        self.times.setdefault(what, {}).setdefault(who, []).append(n_bytes / 1e6 / seconds)

    def show(self):
        for what, row in self.times.items():
            for who, speeds in row.items():
                line = (f"{what:26s} {who:12s} {statistics.median(speeds):8.1f} MB/s "
                        f"({min(speeds):.1f} .. {max(speeds):.1f})")
                if who == "nextoken" and "gigatoken" in row:
                    ratios = [a / b for a, b in zip(speeds, row["gigatoken"])]
                    line += f"; {statistics.median(ratios):.2f} times gigatoken ({min(ratios):.2f} .. {max(ratios):.2f})"
                print(line)


def run_nextoken(table, nt, data, threads, offsets):
    label = f"{threads} thread{'s' * (threads > 1)}{', offsets' * offsets}"
    encoder = nt.encoder(threads)
    for state in ("cold", "warm"):
        seconds, encoding = timed(nt.encode, encoder, data, offsets)
        nt.lib.nt_encoding_free(encoding)
        table.put(f"{state}, {label}", "nextoken", seconds, len(data))
    nt.lib.nt_encoder_free(encoder)


def run_gigatoken(table, path, data, threads):
    label = f"{threads} thread{'s' * (threads > 1)}"
    peer = gigatoken.Tokenizer(path)
    call = (lambda: peer.encode(data)) if threads == 1 else (lambda: peer.encode_batch([data], parallel=True))
    for state in ("cold", "warm"):
        table.put(f"{state}, {label}", "gigatoken", timed(call)[0], len(data))


def run_slow(table, peer, encoding, texts, n_bytes):
    table.put("warm, 1 thread", "tiktoken", timed(lambda: [encoding.encode_ordinary(t) for t in texts])[0], n_bytes)
    for parallel in ("false", "true"):
        os.environ["TOKENIZERS_PARALLELISM"] = parallel
        label = "2 threads" if parallel == "true" else "1 thread"
        table.put(f"warm, {label}", "tokenizers", timed(peer.encode_batch_fast, texts)[0], n_bytes)


def hard_texts():
    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    fresh = []
    while sum(map(len, fresh)) < 1_000_000:
        fresh.append(" " + "".join(rng.choices(letters, k=rng.randint(3, 12))))
    return {"letters": b"a" * 1_000_000, "spaces": b" " * 1_000_000, "emoji": "\U0001F600".encode() * 250_000,
            "words that never return": "".join(fresh).encode()}


def hard(nt, data, rounds):
    encoder = nt.encoder(1)
    per_byte = []
    for _ in range(rounds):
        seconds, encoding = timed(nt.encode, encoder, data)
        nt.lib.nt_encoding_free(encoding)
        per_byte.append(seconds / len(data))
    nt.lib.nt_encoder_free(encoder)
    return statistics.median(per_byte)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("tokenizer")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-bytes", type=int, default=4_000_000)
    args = parser.parse_args()
    data = args.text.read_bytes()
    texts = data[:args.slow_bytes].decode(errors="ignore").split("\n\n")
    n_slow = len("".join(texts).encode())
    nt = Nextoken(args.library, args.tokenizer)
    peer = tokenizers.Tokenizer.from_file(args.tokenizer)
    vocab = json.loads(pathlib.Path(args.tokenizer).read_text(encoding="utf-8"))["model"]["vocab"]
    byte_of = {char: byte for byte, char in tiktoken_bytes().items()}
    ranks = {bytes(byte_of[char] for char in token): i for token, i in vocab.items() if token != "<|endoftext|>"}
    encoding = tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})

    encoder = nt.encoder(1)
    ids = nt.ids(nt.encode(encoder, data))
    if not np.array_equal(ids, np.array(gigatoken.Tokenizer(args.tokenizer).encode(data))):
        raise SystemExit("gigatoken's ids differ")
    sample = [nt.ids(nt.encode(encoder, t.encode())).tolist() if t else [] for t in texts]
    if sample != [e.ids for e in peer.encode_batch_fast(texts)]:
        raise SystemExit("tokenizers' ids differ")
    nt.lib.nt_encoder_free(encoder)

    table = Table()
    giga = gigatoken.Tokenizer(args.tokenizer)
    for _ in range(args.rounds):
        for threads in (1, 2):
            run_nextoken(table, nt, data, threads, False)
            run_gigatoken(table, args.tokenizer, data, threads)
            run_nextoken(table, nt, data, threads, True)
        run_slow(table, peer, encoding, texts, n_slow)
        table.put("decoding", "nextoken", timed(nt.decode, ids)[0], len(data))
        table.put("decoding", "gigatoken", timed(giga.decode, ids)[0], len(data))
    table.show()
    opened = [timed(Nextoken, args.library, args.tokenizer)[0] for _ in range(args.rounds)]
    print(f"opening: {1e3 * statistics.median(opened):.1f} ms; gigatoken "
          f"{1e3 * timed(gigatoken.Tokenizer, args.tokenizer)[0]:.1f} ms")
    corpus = hard(nt, data, args.rounds)
    for name, text in hard_texts().items():
        print(f"{name}: {hard(nt, text, args.rounds) / corpus:.1f} times the corpus's time per byte")


def tiktoken_bytes():
    """The byte-level alphabet, byte -> character."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in kept}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(kept))
    return table


if __name__ == "__main__":
    main()
