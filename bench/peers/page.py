"""docs/performance.md from the kept figures: nothing is measured here, and the same figures give the same bytes."""

import importlib
import json

import engines
from engines import ours
import figures
import measure
import plan
import plots

WIDTHS = {"F32": "float32", "F16": "16 bits", "BF16": "16 bits", "INT8": "8 bits", "Q8_0": "8 bits"}


def engine(name):
    return ours if name == "nextoken" else importlib.import_module(f"engines.{name}")


def parts(data, system):
    """(name, precision, storage) of a system."""
    name, variant = system
    known = data.get("ours", {}) if name == "nextoken" else engine(name).VARIANTS
    precision, storage = known.get(variant, (variant, "?"))[:2]
    return engine(name).NAME, precision, storage


def short(data, system):
    name, precision, storage = parts(data, system)
    return f"{name} {system[1].replace('@', ' ')}"


def what(job, size, threads):
    """The line under a table's heading: prompt, new tokens, threads."""
    j = plan.JOBS[job]
    n = "" if j.n == 1 else f"{j.n} texts of " if j.kind == "score" else f"{j.n} sequences, each "
    if j.kind == "score":
        said = f"{n}{j.prompt} tokens, log-probabilities of all but the first"
    else:
        said = f"{n}prompt of {j.prompt} tokens, {plan.new_tokens(job, size)} new"
    beams = f", {j.beams} beams" if j.beams > 1 else ""
    return f"{said}{beams}; {threads} thread{'s' if threads > 1 else ''}"


def speed_unit(job):
    j = plan.JOBS[job]
    if j.kind == "first":
        return "ms"
    if j.kind == "memory":
        return "MB"
    return "tokens/s of the prompt" if j.kind == "score" or j.new == 1 else "new tokens/s" + (" of all" if j.n > 1 else "")


def value(job, size, figure):
    kind = plan.JOBS[job].kind
    if kind == "first":
        return figure * 1e3
    return figure / 1e6 if kind == "memory" else plan.counted(job, size) / figure


def precision_name(variant):
    return "nextoken " + variant.replace("@", " over ")


def ours_of(times):
    """nextoken's variants that were timed, in order."""
    found = [variant for name, variant in times.seconds if name == "nextoken"]
    return sorted(found, key=lambda v: (v != "f32", "@" in v and v.startswith("f32"), v))


def ratio_text(found):
    return "" if found is None else f"{found[0]:.2f} ({found[1]:.2f} .. {found[2]:.2f})"


def table(data, size, job, threads):
    """The lines of one job's table; [] where it was not measured."""
    times = figures.times(data, size, job, threads)
    if not any(name != "nextoken" for name, _ in times.seconds):
        return []
    base = [v for v in ours_of(times) if v not in ours.NARROW]
    peers = [s for s in times.seconds if s[0] != "nextoken"]
    memory = plan.JOBS[job].kind == "memory"
    ratios = [] if memory else [f"{precision_name(v)} is so many times as fast" for v in base]
    head = ["engine", "arithmetic", "weights", speed_unit(job), *ratios, "outputs"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|" + "---:|" + "---|" * (len(head) - 4)]
    for system in [("nextoken", v) for v in ours_of(times)] + peers:
        name, precision, storage = parts(data, system)
        cells = [f"**{name}**" if system[0] == "nextoken" else name, precision, storage,
                 plots.number(value(job, size, times.median(system)))]
        if not memory:
            cells += [ratio_text(None if system[0] == "nextoken" else times.against(v, system)) for v in base]
        lines.append("| " + " | ".join([*cells, times.check(system)]) + " |")
    lines += ["", *(f"{short(data, tuple(name.split('|')))}: {text}." for name, text in sorted(times.errors().items()))]
    return lines if lines[-1] else lines[:-1]


def rounds_of(data, size, job, threads):
    return {len(v) for r in figures.times(data, size, job, threads).records for v in r["seconds"].values()}


def section(data, size, job, threads):
    rows = table(data, size, job, threads)
    if not rows:
        return []
    rounds = sorted(rounds_of(data, size, job, threads))
    told = f"{what(job, size, threads)}; {rounds[0]}{f' to {rounds[-1]}' if len(rounds) > 1 else ''} round{'s' * (rounds[-1] > 1)}."
    return [f"### {plan.JOBS[job].title}: {size}" + (", one thread" if threads == 1 else ""), "",
            told[0].upper() + told[1:], "", *rows, ""]


def measured(data):
    """(size, job, threads) of everything that was measured, in the plan's order."""
    found = {(r["size"], r["job"], r["threads"]) for r in data["figures"].values()}
    order = list(plan.JOBS)
    return sorted(found, key=lambda f: (plan.SIZES.index(f[0]), -f[2], order.index(f[1])))


# ---- In short -------------------------------------------------------------------------------------

COLUMNS = {"greedy": "one sequence", "prompt": "prompt", "score": "scoring", "beams": "5 beams", "batch32": "32 sequences",
           "first": "first token, ms", "memory": "peak MB"}


def overview(data, size, threads):
    """A table of medians: every system in a row, the main jobs in columns."""
    jobs = [job for job in COLUMNS if (size, job, threads) in measured(data)]
    times = {job: figures.times(data, size, job, threads) for job in jobs}
    systems = sorted({s for t in times.values() for s in t.seconds}, key=lambda s: (s[0] != "nextoken", s))
    lines = ["| " + " | ".join([size, *(COLUMNS[j] for j in jobs)]) + " |", "|---|" + "---:|" * len(jobs)]
    for system in systems:
        cells = [plots.number(value(j, size, times[j].median(system))) if system in times[j].seconds else "" for j in jobs]
        lines.append("| " + " | ".join([short(data, system), *cells]) + " |")
    return [*lines, ""]


# ---- Where others are better ----------------------------------------------------------------------


def better(data):
    """A line on every system that beats the fastest of nextoken's variants that were timed beside it."""
    lines = []
    for size, job, threads in measured(data):
        times = figures.times(data, size, job, threads)
        if plan.JOBS[job].kind == "memory":
            continue
        for system in times.seconds:
            if system[0] == "nextoken":
                continue
            found = [(times.against(v, system), v) for v in ours_of(times)]
            found = [(r, v) for r, v in found if r]
            if found and max(found)[0][0] < 1:
                best, variant = max(found)
                name, precision, storage = parts(data, system)
                lines.append(f"- {plan.JOBS[job].title}, {size}, {what(job, size, threads)}: {name} ({precision}, {storage}) "
                             f"is {1 / best[0]:.2f} times as fast as {precision_name(variant)}, the fastest of nextoken's.")
    return lines


# ---- Plots ----------------------------------------------------------------------------------------


def rate(data, size, job, threads, system):
    times = figures.times(data, size, job, threads)
    return value(job, size, times.median(system)) if system in times.seconds else None


def context_rate(data, size, behind, prompt, threads, system):
    """New tokens/s behind a prompt, its own time taken off."""
    whole, alone = (figures.times(data, size, job, threads) for job in (behind, prompt))
    if system not in whole.seconds or system not in alone.seconds:
        return None
    seconds = whole.median(system) - alone.median(system)
    return (plan.JOBS[behind].new - 1) / seconds if seconds > 0 else None


def systems_of(data, jobs):
    found = []
    for r in data["figures"].values():
        if r["job"] in jobs:
            found += [tuple(name.split("|")) for name in r["seconds"]]
    return sorted(set(found), key=lambda s: (s[0] != "nextoken", s))


def plot_of(data, title, x_name, places, jobs):
    """places: [(name on the axis, system -> value or None)]."""
    rows = [(short(data, s), [f(s) for _, f in places]) for s in systems_of(data, jobs)]
    rows = [(name, row) for name, row in rows if sum(v is not None for v in row) > 1]
    return plots.lines(title, x_name, [n for n, _ in places], rows) if rows else None


def pictures(data):
    """{file name: (what it shows, SVG)}."""
    threads = data["machine"].get("threads", 2)
    first = measured(data)[0][0] if data["figures"] else plan.SIZES[0]
    sizes = [s for s in plan.SIZES if ((s, "greedy", threads) in measured(data))]
    found = {
        "size": ("Greedy decoding by size", plot_of(data, f"Greedy decoding of one sequence, {threads} threads", "model", [
            (s, lambda system, s=s: rate(data, s, "greedy", threads, system)) for s in sizes], ("greedy",))),
        "prompt": ("Prompt of 512 by size", plot_of(data, f"Prompt of 512 tokens, {threads} threads", "model", [
            (s, lambda system, s=s: rate(data, s, "prompt", threads, system)) for s in sizes], ("prompt",))),
        "batch": ("Greedy decoding by batch", plot_of(
            data, f"{first}: sequences at once, prompt 128, 64 new, {threads} threads", "sequences", [
                (n, lambda system, j=j: rate(data, first, j, threads, system))
                for n, j in (("1", "batch1"), ("8", "batch8"), ("32", "batch32"))], ("batch1", "batch8", "batch32"))),
        "context": ("Greedy decoding by context", plot_of(
            data, f"{first}: one sequence by context, {threads} threads, prompt's time taken off", "positions before", [
                ("7", lambda system: rate(data, first, "greedy", threads, system)),
                ("512", lambda system: context_rate(data, first, "context512", "prompt", threads, system)),
                ("960", lambda system: context_rate(data, first, "context960", "prompt960", threads, system))],
            ("context512", "context960"))),
        "threads": ("Greedy decoding by threads", plot_of(
            data, f"{first}: greedy decoding of one sequence", "threads", [
                ("1", lambda system: rate(data, first, "greedy", 1, system)),
                (str(threads), lambda system: rate(data, first, "greedy", threads, system))], ("greedy",))
            if threads > 1 and (first, "greedy", 1) in measured(data) else None),
    }
    return {name: pair for name, pair in found.items() if pair[1]}


# ---- The page -------------------------------------------------------------------------------------


def head(data):
    m = data["machine"]
    busy = [r.get("busy", 0) for r in data["figures"].values()]
    lines = ["# Speed and memory beside other engines", "",
             "Written by `scripts/bench-peers` (do not edit): every engine read the same seeded checkpoint (GPT-2's shapes, F32, "
             "GPT-2's tokenizer; converted to its own format where it has one), on one machine, by turns with nextoken. A ratio is "
             "the median of the rounds' ratios (smallest .. largest in brackets); above 1 nextoken is faster. Times hold the whole "
             "job, prompts included, with the engine loaded and warm, and no text ends early. Outputs were checked before a figure "
             "counts: float32 engines must choose nextoken's ids (where they part, the two likeliest must lie within "
             "0.005 nats), and of 16 and 8 bits the table tells how many ids are the same, or what becomes of the "
             "perplexity. Seeded weights decide nothing: their two likeliest tokens often lie close, so trained weights "
             "would part later.", ""]
    if m:
        lines += [f"Machine: {m['model']}; {m['processors']} processors, {m['memory'] / 2**30:.0f} GiB; "
                  f"{', '.join(m['flags']) or 'no AVX2'}; {m['system']}. {data.get('date', '')}, `{data.get('command', '')}`.", ""]
    if busy:
        quiet = max(busy) <= 0.1
        lines += [f"While the benchmark waited, other processes used at most {100 * max(busy):.0f} % of the processors."
                  + ("" if quiet else " **That is no quiet machine: read the ratios, and only where their spread is small.**"), ""]
    return lines


def engines_table(data):
    lines = ["| engine | versions | settings |", "|---|---|---|"]
    for name in ("nextoken", *engines.PEERS):
        versions = data["versions"].get(name)
        if versions is not None and name not in data["missing"]:
            told = ", ".join(f"{k} {v}" for k, v in sorted(versions.items()))
            lines.append(f"| {engine(name).NAME} | {told} | {engine(name).SETTINGS} |")
    lines += ["", *(f"Not measured: {engine(name).NAME}: {why}" for name, why in sorted(data["missing"].items())), ""]
    flags = data["machine"].get("flags", [])
    lacking = [short(data, (name, v)) for name in engines.PEERS for v in engine(name).VARIANTS
               if name not in data["missing"] and not measure.able(engine(name), v, flags)]
    if lacking and data["machine"]:
        lines += ["This processor has neither AMX nor AVX512-BF16, so that there are no figures of " + ", ".join(lacking) + ".", ""]
    return lines


def text(data):
    lines = [*head(data), "## The engines", "", *engines_table(data)]
    worse, threads = better(data), data["machine"].get("threads", 2)
    sizes = [s for s in plan.SIZES if (s, "greedy", threads) in measured(data)]
    if sizes:
        lines += [f"## In short: tokens/s, {threads} threads", ""]
        for size in sizes:
            lines += overview(data, size, threads)
    if data["figures"]:
        lines += ["## What is better elsewhere", "",
                  *(worse or ["Nothing that was measured was faster than the fastest of nextoken's precisions."]), ""]
    shown = pictures(data)
    if shown:
        lines += ["## Plots", ""]
        for name, (said, _) in shown.items():
            lines += [f"![{said}](performance/{name}.svg)", ""]
    lines += ["## Figures", ""]
    for size, job, threads in measured(data):
        lines += section(data, size, job, threads)
    lines += ["All seconds, round by round, are in [performance/figures.json](performance/figures.json). `scripts/bench-peers --help` "
              "tells how to measure less or more; what was tried on the way stands in bench/LOG.md.", ""]
    return "\n".join(lines)


def write(data, docs):
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    (docs / "performance.md").write_text(text(data))
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, (_, svg) in pictures(data).items():
        (folder / f"{name}.svg").write_text(svg)
    rounded = json.loads(json.dumps(data), parse_float=lambda x: float(f"{float(x):.5g}"))
    (folder / "figures.json").write_text(json.dumps(rounded, sort_keys=True, separators=(",", ":")) + "\n")
    print(f"{docs / 'performance.md'} is written")
