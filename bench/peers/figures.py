"""What was measured, kept as it comes, and its arithmetic: medians and ratios of pairs. Seconds in, no clock here."""

import json
import os
import statistics


def median(values):
    return statistics.median(values)


def ratios(ours, theirs):
    """How many times as fast ours was in each round: (median, smallest, largest). Rounds that one of the two lacks do
    not count; None without a round."""
    found = [b / a for a, b in zip(ours, theirs) if a and b]
    return (median(found), min(found), max(found)) if found else None


def spread(values):
    """(largest - smallest) / median: how quiet the machine was."""
    return (max(values) - min(values)) / median(values) if len(values) > 1 else None


def key(size, job, threads, peer):
    return f"{size}/{job}/{threads}/{peer}"


def same_ids(ours, theirs):
    """How many ids at the beginnings of the rows are the same, and how many there are."""
    equal = 0
    for a, b in zip(ours, theirs):
        equal += next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return equal, sum(map(len, ours))


def first_parting(ours, theirs):
    """(row, step) where the rows first part; None where they do not."""
    for row, (a, b) in enumerate(zip(ours, theirs)):
        for step, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return row, step
    return None


def perplexity_change(ours, theirs, n):
    """What theirs adds to the perplexity, as a share of it; n tokens were counted."""
    import math

    return math.exp((sum(ours) - sum(theirs)) / n) - 1


class Kept:
    """Figures in one JSON file, written anew (and whole) with every job."""

    def __init__(self, path):
        self.path = path
        self.data = {"schema": "nextoken-peers/1", "machine": {}, "versions": {}, "missing": {}, "figures": {}}
        if path.is_file():
            found = json.loads(path.read_text())
            if found.get("schema") != self.data["schema"]:
                raise ValueError(f"{path} holds no figures of this program; move it away")
            self.data |= found

    def has(self, name, build):
        """Whether the job is there, measured with this build of nextoken."""
        return self.data["figures"].get(name, {}).get("build") == build

    def put(self, name, record):
        self.data["figures"][name] = record
        self.write()

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1, sort_keys=True) + "\n")
        os.replace(part, self.path)


class Times:
    """Of one size, job and number of threads: seconds of every system, gathered from the records of all peers.

    A system is (engine, variant). Our own were timed beside every peer: ours[variant] has all rounds, and
    against(variant, system) the rounds of one record in pairs."""

    def __init__(self, records):
        self.records = records
        self.seconds = {}
        for record in records:
            for name, values in record["seconds"].items():
                self.seconds.setdefault(tuple(name.split("|")), []).extend(values)

    def median(self, system):
        return median(self.seconds[system])

    def against(self, variant, system):
        """(median, smallest, largest) of the system's time over that of nextoken's variant beside it."""
        for record in self.records:
            theirs, ours = (record["seconds"].get("|".join(s)) for s in (system, ("nextoken", variant)))
            if theirs and ours:
                return ratios(ours, theirs)
        return None

    def check(self, system):
        for record in self.records:
            if "|".join(system) in record.get("checks", {}):
                return record["checks"]["|".join(system)]
        return ""

    def errors(self):
        return {name: text for record in self.records for name, text in record.get("errors", {}).items()}


def times(data, size, job, threads):
    return Times([r for _, r in sorted(data["figures"].items())
                  if (r["size"], r["job"], r["threads"]) == (size, job, threads)])
