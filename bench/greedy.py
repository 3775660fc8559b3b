"""Greedy decoding of one sequence, nextoken beside transformers, in one process, on one checkpoint.

    python bench/greedy.py BUILD_FOLDER CHECKPOINT [--new 64] [--pairs 5] [--threads 2]

Both get the same prompt; the ids that they make are compared first. Timed in turn (A B A B ...);
printed are tokens/s of each (median) and the ratio's median, smallest and largest. Needs
tools/oracle/requirements.txt."""

import argparse
import ctypes
import pathlib
import statistics
import time

import numpy as np
import torch
import transformers

PROMPT = [32, 890, 890, 640, 2084, 11, 220]
WANT_LAST = 1


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("threads", ctypes.c_int)]


class Nextoken:
    def __init__(self, build, checkpoint, threads, vocab):
        self.lib = ctypes.CDLL(str(build / "libnextoken.so"))
        self.lib.nt_error_message.restype = ctypes.c_char_p
        self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.nt_model_open(ctypes.byref(self.model), str(checkpoint).encode(), None))
        options = SessionOptions(ctypes.sizeof(SessionOptions), threads)
        self.check(self.lib.nt_session_new(ctypes.byref(self.session), self.model, ctypes.byref(options)))
        self.logits = np.empty(vocab, np.float32)

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.lib.nt_error_message().decode())

    def forward(self, sequence, ids):
        array = (ctypes.c_int32 * len(ids))(*ids)
        out = self.logits.ctypes.data_as(ctypes.c_void_p)
        self.check(self.lib.nt_forward(self.session, sequence, array, ctypes.c_size_t(len(ids)), WANT_LAST,
                                       out, None))
        return int(self.logits.argmax())

    def greedy(self, prompt, new):
        """(ids, seconds of the steps after the prompt)"""
        sequence = ctypes.c_int32()
        self.check(self.lib.nt_sequence_new(ctypes.byref(sequence), self.session))
        ids = [self.forward(sequence, prompt)]
        start = time.perf_counter()
        while len(ids) < new:
            ids.append(self.forward(sequence, ids[-1:]))
        seconds = time.perf_counter() - start
        self.lib.nt_sequence_drop(self.session, sequence)
        return ids, seconds


class Transformers:
    def __init__(self, checkpoint, threads):
        torch.set_num_threads(threads)
        self.model = transformers.GPT2LMHeadModel.from_pretrained(checkpoint, dtype=torch.float32).eval()

    @torch.inference_mode()
    def greedy(self, prompt, new):
        out = self.model(torch.tensor([prompt]), use_cache=True)
        ids = [int(out.logits[0, -1].argmax())]
        start = time.perf_counter()
        while len(ids) < new:
            out = self.model(torch.tensor([ids[-1:]]), past_key_values=out.past_key_values, use_cache=True)
            ids.append(int(out.logits[0, -1].argmax()))
        return ids, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    theirs = Transformers(args.checkpoint, args.threads)
    ours = Nextoken(args.build, args.checkpoint, args.threads, theirs.model.config.vocab_size)
    a, b = ours.greedy(PROMPT, args.new)[0], theirs.greedy(PROMPT, args.new)[0]
    if a != b:
        raise SystemExit(f"the ids differ:\n{a}\n{b}")
    times = [(ours.greedy(PROMPT, args.new)[1], theirs.greedy(PROMPT, args.new)[1]) for _ in range(args.pairs)]
    steps = args.new - 1
    ratios = [t / n for n, t in times]
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, float32, "
          f"{args.threads} threads, prompt {len(PROMPT)}, {args.new} new tokens, {args.pairs} pairs")
    print(f"nextoken     {steps / statistics.median(n for n, _ in times):7.1f} tokens/s")
    print(f"transformers {steps / statistics.median(t for _, t in times):7.1f} tokens/s")
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
