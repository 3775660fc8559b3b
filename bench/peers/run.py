"""nextoken beside the engines that a user would take instead: one seeded checkpoint, one machine, by turns.

Run by scripts/bench-peers, which builds nextoken first."""

import argparse
import datetime
import hashlib
import importlib
import os
import pathlib
import platform
import sys
import time

import engines
from engines import ours
import figures
import install
import measure
import page
import plan
import prepare
import serve


def names(text, known, what):
    """A list with commas, each of it known."""
    found = [n for n in text.split(",") if n]
    for name in found:
        if name not in known:
            raise SystemExit(f"there is no {what} {name!r}; there are {', '.join(known)}")
    return found


def parse(words):
    parser = argparse.ArgumentParser(prog="scripts/bench-peers", description=__doc__.splitlines()[0],
                                     epilog="NEXTOKEN_PEERS names the folder for environments, models and figures (default "
                                     "build/bench-peers); NEXTOKEN_BUILD a build folder to take as it is.")
    add = parser.add_argument
    add("--quick", action="store_true", help="the first size and the main jobs only, 2 rounds")
    add("--only", default=",".join(engines.PEERS), metavar="PEER,...", help="default: %(default)s")
    add("--jobs", default=",".join(plan.JOBS), metavar="JOB,...", help="default: %(default)s")
    add("--sizes", default="gpt2,gpt2-medium,gpt2-large", metavar="SIZE,...",
        help=f"of {', '.join(plan.SIZES)}; default: %(default)s")
    add("--rounds", type=int, default=5, help="at most so many of each job (default: %(default)s)")
    add("--threads", type=int, default=2, help="default: %(default)s")
    add("--budget", type=float, default=0, metavar="MINUTES", help="leave out what would not fit, the least wanted first")
    add("--again", action="store_true", help="forget the figures kept so far (else a run goes on where one was ended)")
    add("--prepare", action="store_true", help="install (what failed before, too), make the models, and end")
    add("--page", action="store_true", help="only write the page from the figures kept so far")
    add("--docs", type=pathlib.Path, default=prepare.ROOT / "docs", help="where performance.md goes (default: docs)")
    args = parser.parse_args(words)
    args.only = names(args.only, engines.PEERS, "peer")
    args.jobs = names(args.jobs, plan.JOBS, "job")
    args.sizes = names(args.sizes, plan.SIZES, "size")
    if args.quick:
        args.sizes, args.rounds = args.sizes[:1], min(args.rounds, 2)
    if args.rounds < 1 or args.threads < 1 or not args.sizes:
        parser.error("at least one size, one round and one thread are needed")
    return args


def machine(threads):
    """What the page says of the machine."""
    found = {"system": f"{platform.system()} {platform.release()}", "processors": os.cpu_count(), "threads": threads}
    with open("/proc/cpuinfo") as cpuinfo:
        lines = dict(line.split(":", 1) for line in cpuinfo if ":" in line)
    fields = {k.strip(): v.strip() for k, v in lines.items()}
    found["model"] = f"{fields.get('model name', platform.machine())}, family {fields.get('cpu family')}, model {fields.get('model')}"
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    found["flags"] = [f for f in wanted if f in fields.get("flags", "").split()]
    with open("/proc/meminfo") as meminfo:
        found["memory"] = int(meminfo.readline().split()[1]) * 1024
    return found


def environments_of(engine):
    return [e for e in (engine.ENVIRONMENT, getattr(engine, "CONVERTER", None)) if e]


def ready(kept, peers, again):
    """Installs what the peers need; {name: module} of those that can run. The others' reasons are kept."""
    found = {}
    install.install(ours.ENVIRONMENT)
    for name in peers:
        engine = importlib.import_module(f"engines.{name}")
        kept.data["missing"].pop(name, None)
        try:
            for environment in environments_of(engine):
                install.install(environment, again)
        except install.Failed as error:
            kept.data["missing"][name] = str(error)
            print(f"{engine.NAME} is left out: {error}", flush=True)
            continue
        found[name] = engine
        kept.data["versions"][name] = install.versions(engine.ENVIRONMENT)
    kept.write()
    return found


def make_models(bench, args):
    """Every checkpoint and conversion of the run, so that none is made between figures."""
    for size in args.sizes:
        for name in ("nextoken", *bench.engines):
            variants = bench.ours if name == "nextoken" else bench.engines[name].VARIANTS
            if name != "nextoken" and size != getattr(bench.engines[name], "ONLY", (size,))[0]:
                continue
            for variant in variants:
                if name != "nextoken" and not measure.able(bench.engines[name], variant):
                    continue
                try:
                    bench.model(size, (name, variant))
                except install.Failed as error:
                    print(f"{size}, {name} {variant}: no model, {error}", flush=True)


def told(unit, record):
    """A line of progress."""
    medians = ", ".join(f"{name.replace('|', ' ')} {figures.median(v):.4g}" for name, v in record["seconds"].items())
    errors = "".join(f"; {name.replace('|', ' ')}: {text}" for name, text in record["errors"].items())
    return f"{figures.key(*unit)}: {medians}{errors}"


def build_of(tools):
    """Which build was measured: a hash of the program."""
    return hashlib.sha256(tools.program.read_bytes()).hexdigest()[:12]


def measure_all(bench, args, build, clock):
    """All units that are not there yet; how many were left out for want of time."""
    left = 0
    for unit in plan.units(args.sizes, args.jobs, list(bench.engines), args.threads, args.quick):
        if bench.kept.has(figures.key(*unit), build) or not bench.measurable(unit):
            continue
        record = bench.run(unit, build)
        left += record is None
        if record:
            print(f"[{clock() / 60:5.1f} min] {told(unit, record)}", flush=True)
    return left


def main(words):
    args = parse(words)
    kept = figures.Kept(install.environments() / "figures.json")
    if args.page:
        page.write(kept.data, args.docs)
        return 0
    if args.again:
        kept.data["figures"] = {}
    begin = time.monotonic()
    tools = prepare.Tools(os.environ.get("NEXTOKEN_BUILD", prepare.ROOT / "build" / "release"))
    peers = ready(kept, args.only, args.prepare)
    with open(install.environments() / "engines.log", "w") as log:
        pool = serve.Pool(0.6 * machine(args.threads)["memory"])
        deadline = begin + 60 * args.budget if args.budget else float("inf")
        bench = measure.Bench(kept, tools, peers, pool, log, time.monotonic, args.rounds, deadline)
        make_models(bench, args)
        if args.prepare:
            return 0
        kept.data["machine"] = machine(args.threads)
        kept.data["date"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        kept.data["command"] = "scripts/bench-peers " + " ".join(words)
        kept.data["versions"]["nextoken"] = {"build": build_of(tools), **install.versions(ours.ENVIRONMENT)}
        kept.data["ours"] = {name: list(v[:2]) for name, v in bench.ours.items()}
        try:
            left = measure_all(bench, args, build_of(tools), lambda: time.monotonic() - begin)
        finally:
            pool.close()
    kept.data["left_out"] = left
    kept.write()
    page.write(kept.data, args.docs)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
