"""Tokenizing a text with GPT-2's vocabulary: nextoken beside gigatoken, tiktoken and tokenizers.

    python bench/tokenizing.py LIBRARY TOKENIZER_JSON TEXT_FILE [--rounds 5] [--slow-bytes 1000000] [--cpu]

LIBRARY is libnextoken.so, called through ctypes with the bytes as they lie. Ids are compared first. Every round
times all systems in turn: cold (a fresh object), warm (the same object again), on one thread and on two, ids
only and with offsets where there are any; decoding, opening. Printed are a table of MB/s (medians), the ratios
of the paired rounds (median; smallest and largest), and texts that are hard, by their time per byte. tiktoken
and tokenizers (encode_batch_fast, paragraphs) read the first --slow-bytes only. Some minutes with the defaults.
Needs tools/oracle/requirements.txt, gigatoken and tiktoken."""

import argparse
import ctypes as c
import importlib.metadata
import json
import os
import pathlib
import platform
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


clock = time.perf_counter


def timed(call, *args):
    start = clock()
    result = call(*args)
    return clock() - start, result


class Table:
    """Speeds of a row in a column, round by round."""
    columns = ("cold", "warm", "2 threads cold", "2 threads warm", "offsets cold", "offsets warm", "decoding", "opening ms")

    def __init__(self):
        self.figures = {}

    def put(self, who, what, figure):
        self.figures.setdefault(who, {}).setdefault(what, []).append(figure)

    def show(self):
        print(f"{'MB/s, medians':22s}" + "".join(f"{name:>16s}" for name in self.columns))
        for who, row in self.figures.items():
            cells = [f"{statistics.median(row[what]):.1f}" if what in row else "-" for what in self.columns]
            print(f"{who:22s}" + "".join(f"{cell:>16s}" for cell in cells))

    def ratio(self, name, a, b):
        ratios = [x / y for x, y in zip(self.figures[a[0]][a[1]], self.figures[b[0]][b[1]])]
        print(f"{name:48s} {statistics.median(ratios):6.2f} ({min(ratios):.2f} .. {max(ratios):.2f})")

    def ratios(self):
        print("\nratios of paired rounds: median (smallest .. largest)")
        for what in ("cold", "warm", "2 threads cold", "2 threads warm", "decoding"):
            self.ratio(f"nextoken / gigatoken, {what}", ("nextoken", what), ("gigatoken", what))
        for state in ("cold", "warm"):
            self.ratio(f"two threads / one, {state}", ("nextoken", f"2 threads {state}"), ("nextoken", state))
            self.ratio(f"time with offsets / ids only, {state}", ("nextoken", state), ("nextoken", f"offsets {state}"))
        for who in ("tiktoken", "tokenizers", "tokenizers, parallel"):
            self.ratio(f"nextoken / {who}, warm", ("nextoken", "warm"), (who, "warm"))


def speed(data, seconds):
    return len(data) / 1e6 / seconds


def run_nextoken(table, nt, data, threads, offsets):
    encoder = nt.encoder(threads)
    for state in ("cold", "warm"):
        seconds, encoding = timed(nt.encode, encoder, data, offsets)
        nt.lib.nt_encoding_free(encoding)
        what = "offsets " * offsets + "2 threads " * (threads == 2) + state
        table.put("nextoken", what, speed(data, seconds))
    nt.lib.nt_encoder_free(encoder)


def run_gigatoken(table, path, data, threads):
    seconds, peer = timed(gigatoken.Tokenizer, path)
    if threads == 1:
        table.put("gigatoken", "opening ms", 1e3 * seconds)
    call = (lambda: peer.encode(data)) if threads == 1 else (lambda: peer.encode_batch([data], parallel=True))
    for state in ("cold", "warm"):
        table.put("gigatoken", "2 threads " * (threads == 2) + state, speed(data, timed(call)[0]))


def run_slow(table, peer, encoding, texts, n_bytes):
    table.put("tiktoken", "warm", n_bytes / 1e6 / timed(lambda: [encoding.encode_ordinary(t) for t in texts])[0])
    for who, parallel in (("tokenizers", "false"), ("tokenizers, parallel", "true")):
        os.environ["TOKENIZERS_PARALLELISM"] = parallel
        table.put(who, "warm", n_bytes / 1e6 / timed(peer.encode_batch_fast, texts)[0])


def hard_texts():
    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    fresh = "".join(" " + "".join(rng.choices(letters, k=rng.randint(3, 12))) for _ in range(118_000))
    common = "".join(rng.choices("etaoinshrdlu", k=1_000_000))
    return {"one letter": b"a" * 1_000_000, "spaces": b" " * 1_000_000, "newlines": b"\n" * 1_000_000,
            "emoji": "\U0001F600".encode() * 250_000, "random common letters, one word": common.encode(),
            "words that never return": fresh.encode()}


def hard(nt, data, rounds):
    """Medians of the time per byte: first sight, and again."""
    times = ([], [])
    for _ in range(rounds):
        encoder = nt.encoder(1)
        for state in times:
            seconds, encoding = timed(nt.encode, encoder, data)
            nt.lib.nt_encoding_free(encoding)
            state.append(seconds / len(data))
        nt.lib.nt_encoder_free(encoder)
    return [statistics.median(state) for state in times]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("tokenizer")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow-bytes", type=int, default=1_000_000)
    parser.add_argument("--cpu", action="store_true", help="processor time instead of the wall clock's, for a busy machine")
    args = parser.parse_args()
    if args.cpu:
        global clock
        clock = time.process_time
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

    print(f"{platform.platform()}, {processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("gigatoken", "tiktoken", "tokenizers")))
    print(f"{len(data)} bytes, {len(ids)} tokens, {args.rounds} rounds{', processor time' * args.cpu}; ids are equal\n")
    table = Table()
    giga = gigatoken.Tokenizer(args.tokenizer)
    for _ in range(args.rounds):
        for threads in (1, 2):
            run_nextoken(table, nt, data, threads, False)
            run_gigatoken(table, args.tokenizer, data, threads)
            run_nextoken(table, nt, data, threads, True)
        run_slow(table, peer, encoding, texts, n_slow)
        table.put("nextoken", "decoding", speed(data, timed(nt.decode, ids)[0]))
        table.put("gigatoken", "decoding", speed(data, timed(giga.decode, ids)[0]))
        table.put("nextoken", "opening ms", 1e3 * timed(Nextoken, args.library, args.tokenizer)[0])
        table.put("tokenizers", "opening ms", 1e3 * timed(tokenizers.Tokenizer.from_file, args.tokenizer)[0])
    table.show()
    table.ratios()
    print("\na fresh encoder's time per byte against the corpus's, cold; then the same encoder again against its warm one")
    cold, warm = hard(nt, data, args.rounds)
    for name, text in hard_texts().items():
        fresh, again = hard(nt, text, args.rounds)
        print(f"{name:48s} {fresh / cold:6.1f} {again / warm:6.1f}")


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


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
