"""One unit of the plan: nextoken and the variants of one peer by turns, outputs checked before a figure counts."""

import json
import subprocess
import time

from engines import ours
import figures
import install
import plan
import prepare
import serve

REST = 0.2       # seconds of rest behind a peer's turn: some runtimes' threads spin that long, and would slow the next
TIE = 5e-3       # nats between the two likeliest ids, below which float32 engines may part
LOGPROB = 1e-4   # share of a text's log-probability by which float32 engines may differ
ROOM = 1.3       # memory of an engine, as a share of its file
RUNTIME = 6e8    # and its libraries'
COST = {"greedy": 2, "prompt": 1, "first": 1.5, "memory": 3, "beams": 4, "score": 10, "batch32": 20, "batch1": 2.5,
        "batch8": 8, "context512": 3, "context960": 4, "prompt960": 2}  # about, seconds of one system on gpt2
FACTOR = {"gpt2": 1, "gpt2-medium": 2.8, "gpt2-large": 6.2, "gpt2-xl": 12.5}


class Bench:
    def __init__(self, kept, tools, engines, pool, log, clock, rounds, deadline):
        self.kept, self.tools, self.engines, self.pool, self.log = kept, tools, engines, pool, log
        self.clock, self.rounds, self.deadline = clock, rounds, deadline
        self.ours = ours.variants(tools.precisions())

    def systems(self, unit):
        """[(engine's name, variant)], nextoken's first."""
        job = plan.JOBS[unit.job]
        found = [("nextoken", v) for v in self.ours
                 if v not in ours.NARROW or unit.job in ours.NARROW_JOBS]
        engine = self.engines[unit.peer]
        kind = {"first": "generate", "memory": "generate"}.get(job.kind, job.kind)
        if kind not in engine.JOBS and not (job.kind == "generate" and "generate" in engine.JOBS):
            return []
        size, jobs = getattr(engine, "ONLY", (unit.size, (unit.job,)))
        if unit.size != size or unit.job not in jobs:
            return []
        if job.kind in ("first", "memory") and getattr(engine, "ONCE", True) is False:
            return []
        return found + [(unit.peer, v) for v in engine.VARIANTS if able(engine, v)]

    def measurable(self, unit):
        return any(name != "nextoken" for name, _ in self.systems(unit))

    def module(self, name):
        return ours if name == "nextoken" else self.engines[name]

    def model(self, size, system):
        name, variant = system
        engine = self.module(name)
        kind = (self.ours if name == "nextoken" else engine.VARIANTS)[variant][2]
        return prepare.model(self.tools, size, engine, name, kind, variant)

    def cost(self, unit, n):
        return COST[unit.job] * FACTOR.get(unit.size, 1) * n * (1.8 if unit.threads == 1 else 1)

    # ---- Asking --------------------------------------------------------------------------------

    def served(self, unit, system):
        model = self.model(unit.size, system)
        module, (name, variant) = self.module(system[0]), system
        size = ROOM * sum(p.stat().st_size for p in ([model] if model.is_file() else model.iterdir())) + RUNTIME
        if name == "nextoken":
            size = RUNTIME  # the file's pages are shared
        words = serve.words_of(install.python(module.ENVIRONMENT), "serve", worker_name(name), model, variant, unit.threads)
        return self.pool.get((unit.size, unit.threads, system), size,
                             lambda: serve.Served(words, self.tools.environment(unit.threads), self.log))

    def cold(self, unit, system, request):
        model, (name, variant) = self.model(unit.size, system), system
        module = self.module(name)
        environment = self.tools.environment(unit.threads)
        if hasattr(module, "once"):
            words = module.once(self.tools, model, variant, unit.threads, request)
        else:
            words = [*serve.words_of(install.python(module.ENVIRONMENT), "once", worker_name(name), model, variant,
                                     unit.threads), json.dumps(request)]
        return serve.cold(words, environment, self.log)

    def turn(self, unit, system, request):
        """(figure, outputs or None) of one run."""
        kind = plan.JOBS[unit.job].kind
        if kind in ("first", "memory"):
            seconds, peak = self.cold(unit, system, request)
            return (peak if kind == "memory" else seconds), None
        found = self.served(unit, system).ask(request)
        return found["seconds"], found

    def drop(self, unit, system):
        self.pool.drop((unit.size, unit.threads, system))

    # ---- Checking ------------------------------------------------------------------------------

    def gap(self, unit, ids):
        """Nats between the two likeliest ids behind these."""
        words = [self.tools.program, "next", "-m", self.model(unit.size, ("nextoken", "f32")), "--ids",
                 ",".join(map(str, ids)), "-k", "2", "--precision", "f32", "--json", "--quiet"]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True)
        return logprob_gap(json.loads(done.stdout))

    def check(self, unit, system, outputs, base, request):
        """What is said of a system's outputs beside nextoken's in float32. Broken: they are wrong."""
        exact = system[1] == "f32"
        if "sums" in base:
            n = sum(len(t) - 1 for t in request["texts"])
            change = figures.perplexity_change(base["sums"], outputs["sums"], n)
            worst = max(abs(a - b) / abs(a) for a, b in zip(base["sums"], outputs["sums"]))
            if exact and worst > LOGPROB:
                raise serve.Broken(f"its log-probabilities differ by {worst:.1e} of themselves: not timed")
            return f"equal to {worst:.0e}" if exact else f"perplexity {100 * change:+.2g} %"
        equal, n = figures.same_ids(base["ids"], outputs["ids"])
        if equal == n:
            return "equal ids"
        row, step = figures.first_parting(base["ids"], outputs["ids"]) or (0, 0)
        if not exact or plan.JOBS[unit.job].beams > 1:
            return f"{equal} of {n} ids equal"
        gap = self.gap(unit, request["prompts"][row] + base["ids"][row][:step])
        if gap > TIE:
            raise serve.Broken(f"its ids part at step {step} of sequence {row}, at a margin of {gap:.2g} nats: not timed")
        return f"{equal} of {n} ids equal; the first parts at a tie ({gap:.0e} nats)"

    # ---- A unit --------------------------------------------------------------------------------

    def warm(self, unit, systems, record):
        """Opens all and lets each work once. What breaks is recorded and left out; the others."""
        kind, left = plan.JOBS[unit.job].kind, []
        for system in systems:
            whole = getattr(self.module(system[0]), "WARM_WHOLE", False)
            request = plan.request(unit.job, unit.size, short=not whole)
            try:
                self.model(unit.size, system)
                if kind != "memory":
                    self.turn(unit, system, request)
                left.append(system)
            except (serve.Broken, install.Failed) as error:
                record["errors"]["|".join(system)] = str(error)
                self.drop(unit, system)
        return left

    def round(self, unit, systems, record, request):
        """Every system once; the first round's outputs are checked. The systems that are still whole."""
        base, left = None, []
        for system in systems:
            name = "|".join(system)
            try:
                figure, outputs = self.turn(unit, system, request)
                if outputs and not record["seconds"].get(name):
                    if system == ("nextoken", "f32"):
                        base = outputs
                    elif base is not None:
                        record["checks"][name] = self.check(unit, system, outputs, base, request)
                record["seconds"].setdefault(name, []).append(figure)
                left.append(system)
            except serve.Broken as error:
                record["errors"][name] = str(error)
                record["seconds"].pop(name, None)
                self.drop(unit, system)
            if system[0] != "nextoken":
                time.sleep(REST)
        return left

    def run(self, unit, build):
        """The unit's record, kept; None where there is no time for it."""
        systems = self.systems(unit)
        if self.clock() + self.cost(unit, len(systems)) > self.deadline:
            return None
        record = {"size": unit.size, "job": unit.job, "threads": unit.threads, "peer": unit.peer, "build": build,
                  "new": plan.new_tokens(unit.job, unit.size), "seconds": {}, "checks": {}, "errors": {}}
        request = plan.request(unit.job, unit.size)
        systems = self.warm(unit, systems, record)
        record["busy"] = round(serve.busy_share(), 3)
        rounds = plan.rounds(unit.job, unit.size, self.rounds)
        for i in range(rounds):
            start = self.clock()
            systems = self.round(unit, systems, record, request)
            if i + 1 < rounds and self.clock() + (self.clock() - start) > self.deadline:
                break
        self.kept.put(figures.key(unit.size, unit.job, unit.threads, unit.peer), record)
        return record


def worker_name(name):
    return "ours" if name == "nextoken" else name


def able(engine, variant, flags=None):
    """Whether this processor has the arithmetic of a variant."""
    needed = engine.FLAGS.get(variant)
    return needed is None or any(flag in (cpu_flags() if flags is None else flags) for flag in needed)


def cpu_flags():
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("flags"):
                return line.split(":")[1].split()
    return []


def logprob_gap(result):
    first, second = [c["logprob"] for c in result["next"][:2]]
    return first - second
