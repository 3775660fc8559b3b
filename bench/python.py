"""nextoken.transformers beside transformers in Python: imports, calls, memory of scores, notebooks; float32, CPU.

    PYTHONPATH=build/release/python python bench/python.py CHECKPOINT [--pairs 5] [--threads 2] [--cpu]
                                                           [--only calls,memory] [--build build/release]

CHECKPOINT is a folder with GPT-2's vocabulary. Each system has a process of its own, which runs the same code but for
the import; they take turns (A B A B ...), and while one computes the other waits. What a call returns is compared
first: where ids differ, nothing is timed. Printed are medians in milliseconds, and the ratio's median, smallest and
largest over pairs; --cpu counts CPU time, for a machine with other work. Imports, memory (the most that a fresh
process ever held) and notebooks (a fresh kernel each, all cells that both can run, by the clock and in CPU time;
torch and transformers are imported before the first cell, and not counted) are one process a figure. Needs
tools/oracle/requirements.txt and, for notebooks, tools/notebooks/requirements.txt; what is missing is said before
anything is measured."""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

SYSTEMS = {"nextoken": "nextoken.transformers", "transformers": "transformers"}
PROMPT = [32, 890, 890, 640, 2084, 11, 220]
SENTENCES = [f"The king had {n} daughters, and the youngest of them was called number {n}." for n in range(1000)]


# ---- What is timed: functions of a Bench, the same for both systems ------------------------------


class Bench:
    def __init__(self, system, checkpoint, threads):
        import importlib

        import torch

        torch.set_num_threads(threads)
        self.torch, self.library, self.checkpoint = torch, importlib.import_module(SYSTEMS[system]), checkpoint
        self.load()
        self.ids = torch.tensor([PROMPT])
        self.long = (torch.arange(256) * 37 % 50257)[None]

    def load(self):
        self.tokenizer = self.library.AutoTokenizer.from_pretrained(self.checkpoint)
        self.model = self.library.AutoModelForCausalLM.from_pretrained(self.checkpoint, dtype=self.torch.float32,
                                                                       pad_token_id=self.tokenizer.eos_token_id)
        self.model.requires_grad_(False)

    def generate(self, **options):
        self.torch.manual_seed(1)
        mask = self.torch.ones_like(self.ids)
        return self.model.generate(self.ids, attention_mask=mask, **{"do_sample": False, **options})


def load(b):
    b.load()


def tokenize(b):
    return b.tokenizer(SENTENCES)["input_ids"][-1]


def forward(b):
    return b.model(b.ids).logits[0, -1].topk(5).indices.tolist()


def forward_long(b):
    return b.model(b.long, labels=b.long).logits[0, -1].argmax().item()


def states(b):
    return len(b.model(b.long, output_hidden_states=True).hidden_states)


def table(b):
    """Ten steps without a cache, as a first notebook writes them."""
    ids = b.ids
    for _ in range(10):
        logits = b.model(ids).logits[0, -1, :]
        order = b.torch.argsort(b.torch.softmax(logits, dim=-1), dim=-1, descending=True)
        ids = b.torch.cat([ids, order[None, 0, None]], dim=-1)
    return ids.tolist()


def greedy(b):
    return b.generate(max_new_tokens=64).tolist()


def drawn(b):
    return b.generate(max_new_tokens=32, do_sample=True, num_return_sequences=4).tolist()


def beams(b):
    return b.generate(max_new_tokens=40, num_beams=5).tolist()


def bigrams(b):
    return b.generate(max_new_tokens=40, num_beams=5, no_repeat_ngram_size=2).tolist()


def scores(b):
    out = b.generate(max_new_tokens=64, return_dict_in_generate=True, output_scores=True)
    return [int(step[0].argmax()) for step in (out.scores[0], out.scores[-1])]


def transitions(b):
    out = b.generate(max_new_tokens=40, num_beams=5, return_dict_in_generate=True, output_scores=True)
    b.model.compute_transition_scores(out.sequences, out.scores, out.beam_indices)
    return out.sequences.tolist()


CALLS = {
    "from_pretrained, both": load,
    "tokenizer, 1,000 sentences": tokenize,
    "model(7 ids)": forward,
    "model(256 ids, labels)": forward_long,
    "model(256 ids, hidden states)": states,
    "ten greedy steps by hand": table,
    "generate, greedy, 64": greedy,
    "generate, 4 drawn, 32 each": drawn,
    "generate, 5 beams, 40": beams,
    "the same, no bigram twice": bigrams,
    "generate, output_scores, 64": scores,
    "5 beams, transition scores": transitions,
}

# ---- One system's process --------------------------------------------------------------------------


def serve(system, checkpoint, threads, clock):
    """Answers names of calls, a line each, with what they returned and how long they took."""
    bench = Bench(system, checkpoint, threads)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        start = clock()
        result = CALLS[json.loads(line)](bench)
        print(json.dumps({"seconds": clock() - start, "result": result}), flush=True)


def hold(system, checkpoint, threads, scores_too):
    """The most memory that this process ever held, in MiB, after 200 steps of five beams."""
    bench = Bench(system, checkpoint, threads)
    more = {"return_dict_in_generate": True, "output_scores": True} if scores_too else {}
    kept = bench.generate(max_new_tokens=200, num_beams=5, eos_token_id=None, **more)
    assert kept is not None
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


class Process:
    def __init__(self, *command):
        self.process = subprocess.Popen([sys.executable, __file__, *map(str, command)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended: {' '.join(self.process.args[1:])}")
        return json.loads(line)

    def call(self, name):
        self.process.stdin.write(json.dumps(name) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


# ---- The figures -----------------------------------------------------------------------------------


def line(name, ours, theirs, unit="ms", scale=1000):
    ratios = [t / n for n, t in zip(ours, theirs)]
    print(f"{name:32s} nextoken {statistics.median(ours) * scale:9.1f} {unit}, transformers "
          f"{statistics.median(theirs) * scale:9.1f} {unit}, ratio {statistics.median(ratios):6.2f} "
          f"({min(ratios):.2f} .. {max(ratios):.2f})", flush=True)


def measure_calls(args):
    processes = {system: Process("--serve", system, args.checkpoint, "--threads", args.threads,
                                 *["--cpu"] * args.cpu) for system in SYSTEMS}
    wrong = 0
    for name in CALLS:
        results = [processes[system].call(name)["result"] for system in SYSTEMS]
        if results[0] != results[1]:
            print(f"{name}: the results differ, nothing timed\n  {results[0]}\n  {results[1]}")
            wrong += 1
            continue
        times = [[processes[system].call(name)["seconds"] for system in SYSTEMS] for _ in range(args.pairs)]
        line(name, *zip(*times))
    for process in processes.values():
        process.end()
    return wrong


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def started(program, clock):
    """Seconds of a fresh interpreter that runs a program, less those of one that runs none."""
    def run(source):
        start = clock()
        subprocess.run([sys.executable, "-c", source], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return clock() - start

    return max(run(program) - run("pass"), 1e-4)


def measure_imports(args):
    clock = cpu_of_children if args.cpu else time.perf_counter
    first = ("import torch; from {1} import AutoModelForCausalLM; "
             "AutoModelForCausalLM.from_pretrained({2!r}, dtype='float32')(torch.tensor([[32, 890, 890]]))")
    for name, source in (("import", "import {0}"), ("AutoModelForCausalLM", "from {1} import AutoModelForCausalLM"),
                         ("to the first logits", first)):
        programs = [source.format(system, module, str(args.checkpoint)) for system, module in SYSTEMS.items()]
        times = [[started(program, clock) for program in programs] for _ in range(args.pairs)]
        line(name, *zip(*times))
    alone = [started(f"import nextoken; nextoken.load({str(args.checkpoint)!r}).next('Alice')", clock)
             for _ in range(args.pairs)]
    print(f"nextoken.load(...).next(\"Alice\"), without torch: {statistics.median(alone) * 1000:.1f} ms")
    return 0


def measure_memory(args):
    for system in SYSTEMS:
        held = [float(subprocess.run([sys.executable, __file__, "--hold", system, str(args.checkpoint), "--threads",
                                      str(args.threads), *more], check=True, text=True, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL).stdout) for more in ([], ["--scores"])]
        print(f"5 beams, 200 steps, {system:13s} at most {held[0]:7.0f} MiB, with output_scores {held[1]:7.0f} MiB: "
              f"{held[1] - held[0]:+.0f} MiB", flush=True)
    return 0


def measure_notebooks(args):
    root = pathlib.Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root / "tools" / "notebooks"))
    import run

    for job in run.jobs_of([root / "examples" / "notebooks"], ["tales"]):
        pairs = [[run.run_all(system, [job], args.build)[job[0]] for system in SYSTEMS]
                 for _ in range(max(1, args.pairs // 2))]
        for clock, name in (("seconds", job[0].split(".")[0]), ("cpu", "  CPU time")):
            times = [[sum(cell[clock] for cell in done) for done in pair] for pair in pairs]
            line(name, *zip(*times), unit="s", scale=1)
    return 0


NEEDED = {"": ("nextoken", "torch", "transformers", "numpy", "cffi"),
          "notebooks": ("nbformat", "jupyter_client", "ipykernel", "pandas")}


def missing(measures):
    """What must be installed for these and is not, in words."""
    lacking = [name for measure in ("", *measures) for name in NEEDED.get(measure, ())
               if importlib.util.find_spec(name) is None]
    if unknown := [name for name in measures if name not in MEASURES]:
        return f"--only knows {', '.join(MEASURES)}, not {', '.join(unknown)}"
    return lacking and (f"{sys.executable} lacks {', '.join(lacking)}: PYTHONPATH=build/release/python has nextoken, "
                        "pip install -r tools/oracle/requirements.txt -r tools/notebooks/requirements.txt the others")


MEASURES = {"imports": measure_imports, "calls": measure_calls, "memory": measure_memory, "notebooks": measure_notebooks}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="CPU time instead of wall time (not of notebooks)")
    parser.add_argument("--only", default=",".join(MEASURES))
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--serve", choices=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--hold", choices=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--scores", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    args.checkpoint = args.checkpoint.absolute()
    if args.serve:
        return serve(args.serve, args.checkpoint, args.threads, time.process_time if args.cpu else time.perf_counter)
    if args.hold:
        return hold(args.hold, args.checkpoint, args.threads, args.scores)
    measures = args.only.split(",")
    if lacking := missing(measures):
        parser.error(lacking)
    if not args.checkpoint.is_dir():
        parser.error(f"{args.checkpoint} is no folder")
    import torch
    import transformers

    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {args.checkpoint.name}, float32, "
          f"{args.threads} threads, {args.pairs} pairs, {'CPU' if args.cpu else 'wall'} time, load {os.getloadavg()[0]:.1f}", flush=True)
    return 1 if sum(MEASURES[name](args) for name in measures) else 0


if __name__ == "__main__":
    sys.exit(main())
