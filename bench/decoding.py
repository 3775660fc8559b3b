"""Every kind of decoding, nextoken beside transformers, on one checkpoint, float32.

    python bench/decoding.py BUILD_FOLDER CHECKPOINT [--pairs 3] [--threads 2] [--cpu] [--only greedy,beams]
                             [--assistant FOLDER]

Each case is a whole generation, prompt included. nextoken is one process that reads requests and
writes results (--jsonl), transformers runs in this one; both have everything loaded, and the same
prompt and options. The ids are compared first: where they differ, nothing is timed. Timed in turn
(A B A B ...); printed are new tokens/s of each (median; of all sequences returned) and the ratio's
median, smallest and largest. --cpu counts CPU time, for a machine with other work, where two threads
that wait for each other say little: then with --threads 1. Without --assistant, BUILD_FOLDER/tools/mkmodel makes one: the
checkpoint's shape with fewer layers, seeded as `scripts/demo` seeds the checkpoint, so that the
first layers are the same. Needs tools/oracle/requirements.txt."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
import transformers

PROMPT = [32, 890, 890, 640, 2084, 11, 220]
REPETITIVE = [464, 3797, 3332, 319, 262, 2603, 290] * 12
SEED = 1
CASES = {  # prompt, options of both
    "greedy": (PROMPT, {"max_new_tokens": 64}),
    "sampling, 4 sequences": (PROMPT, {"max_new_tokens": 32, "do_sample": True, "top_k": 50, "temperature": 0.9,
                                       "num_return_sequences": 4}),
    "beams, 5": (PROMPT, {"max_new_tokens": 40, "num_beams": 5}),
    "prompt lookup": (REPETITIVE, {"max_new_tokens": 64, "prompt_lookup_num_tokens": 10}),
    "assistant": (PROMPT, {"max_new_tokens": 64}),
}


class Nextoken:
    def __init__(self, build, checkpoint, threads, assistant):
        self.command = [str(build / "nextoken"), "generate", "-m", str(checkpoint), "--threads", str(threads),
                        "--jsonl", "-", "--quiet"]
        self.assisted = ["--assistant-model", str(assistant)] if assistant else []
        self.processes = {}

    def generate(self, case):
        """(ids of every sequence, effort)"""
        assisted = case == "assistant"
        if assisted not in self.processes:
            self.processes[assisted] = subprocess.Popen(self.command + (self.assisted if assisted else []), text=True,
                                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process, (prompt, options) = self.processes[assisted], CASES[case]
        request = {"ids": prompt, **options}
        if options.get("do_sample"):
            request |= {"rng": "torch", "seed": SEED}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        result = json.loads(process.stdout.readline())
        if "error" in result:
            raise SystemExit(f"{case}: {result['error']}")
        return [s["ids"] for s in result["sequences"]], result["effort"]

    def cpu(self):
        ticks = [pathlib.Path(f"/proc/{p.pid}/stat").read_text().rsplit(")")[-1].split()[11:13]
                 for p in self.processes.values()]
        return sum(int(t) for pair in ticks for t in pair) / os.sysconf("SC_CLK_TCK")

    def end(self):
        for process in self.processes.values():
            process.stdin.close()
            process.wait()


class Transformers:
    def __init__(self, checkpoint, threads, assistant):
        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        self.model, self.assistant = self.load(checkpoint), self.load(assistant) if assistant else None

    @staticmethod
    def load(folder):
        model = transformers.GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
        model.generation_config.pad_token_id = model.generation_config.eos_token_id
        return model

    def generate(self, case):
        prompt, options = CASES[case]
        if case == "assistant":
            options = options | {"assistant_model": self.assistant}
        if options.get("do_sample"):
            torch.manual_seed(SEED)
        ids = torch.tensor([prompt])
        out = self.model.generate(ids, attention_mask=torch.ones_like(ids), **options)
        return [self.cut(row) for row in out[:, len(prompt):].tolist()]

    @staticmethod
    def cpu():
        return time.process_time()

    def cut(self, row):
        """Without what transformers fills up with."""
        eos = self.model.generation_config.eos_token_id
        return row[:row.index(eos) + 1] if eos in row else row


def seconds(system, case, clock):
    start = clock()
    system.generate(case)
    return clock() - start


def measure(case, ours, theirs, pairs, cpu):
    (a, effort), b = ours.generate(case), theirs.generate(case)
    if a != b:
        print(f"{case}: the ids differ, nothing timed\n  {a}\n  {b}")
        return False
    clocks = (ours.cpu, theirs.cpu) if cpu else (time.perf_counter, time.perf_counter)
    times = [(seconds(ours, case, clocks[0]), seconds(theirs, case, clocks[1])) for _ in range(pairs)]
    tokens, ratios = sum(map(len, a)), [t / n for n, t in times]
    drafts = f"; {effort['accepted']} of {effort['drafted']} drafted ids taken" if effort["drafted"] else ""
    print(f"{case:22s} nextoken {tokens / statistics.median(n for n, _ in times):6.1f} tokens/s, transformers "
          f"{tokens / statistics.median(t for _, t in times):6.1f}, ratio {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} .. {max(ratios):.2f}){drafts}", flush=True)
    return True


def make_assistant(build, checkpoint, folder):
    config = json.loads((checkpoint / "config.json").read_text())
    shape = [f"--{name}={config[name.replace('-', '_')]}" for name in ("n-embd", "n-head", "n-positions", "vocab-size")]
    words = [word for option in shape for word in option.split("=")]
    subprocess.run([str(build / "tools" / "mkmodel"), folder, *words, "--n-layer", "2", "--seed", "1"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--only", default="", help="beginnings of names of cases, with commas between them")
    parser.add_argument("--assistant", type=pathlib.Path)
    args = parser.parse_args()
    cases = [c for c in CASES if c.startswith(tuple(args.only.split(",")))]
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {args.checkpoint.name}, float32, "
          f"{args.threads} threads, {args.pairs} pairs, {'CPU' if args.cpu else 'wall'} time, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        assistant = args.assistant
        if "assistant" in cases and not assistant:
            assistant = make_assistant(args.build, args.checkpoint, folder)
        ours = Nextoken(args.build, args.checkpoint, args.threads, assistant)
        theirs = Transformers(args.checkpoint, args.threads, assistant)
        same = [measure(case, ours, theirs, args.pairs, args.cpu) for case in cases]
        ours.end()
    raise SystemExit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
