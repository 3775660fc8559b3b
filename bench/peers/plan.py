"""Which jobs there are, on which sizes, and in which order, so that a budget cuts the least wanted."""

import collections

SIZES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
N_VOCAB = 50257
PROMPT = [32, 890, 890, 640, 2084, 11, 220]  # "A long long time ago, "

# kind: what an engine must have; n: prompts, or texts; new: tokens of each; rounds: at most
Job = collections.namedtuple("Job", "kind prompt new n beams rounds title")
JOBS = {
    "greedy": Job("generate", 7, 64, 1, 1, 4, "Decoding one sequence, greedy"),
    "prompt": Job("generate", 512, 1, 1, 1, 4, "Prompt, one new token"),
    "first": Job("first", 7, 1, 1, 1, 4, "From exec to the first token, file in the page cache"),
    "memory": Job("memory", 64, 64, 1, 1, 1, "Peak memory, greedy"),
    "beams": Job("beams", 7, 64, 1, 5, 2, "Five beams"),
    "score": Job("score", 512, 0, 8, 1, 2, "Scoring"),
    "batch32": Job("batch", 128, 64, 32, 1, 1, "32 sequences at once, greedy"),
    "batch1": Job("generate", 128, 64, 1, 1, 2, "One sequence behind a longer prompt"),
    "batch8": Job("batch", 128, 64, 8, 1, 1, "8 sequences at once, greedy"),
    "context512": Job("generate", 512, 33, 1, 1, 2, "Decoding at 512 positions"),
    "context960": Job("generate", 960, 33, 1, 1, 2, "Decoding at 960 positions"),
    "prompt960": Job("generate", 960, 1, 1, 1, 2, "Prompt, one new token"),
}
MAIN = ("greedy", "prompt", "first", "memory", "beams", "score", "batch32")
PLOTS = ("batch1", "batch8", "context512", "prompt960", "context960")
BOTH = ("greedy", "prompt")
LARGER_NEW, LARGER_ROUNDS = 32, 2  # new tokens of `greedy` on the larger sizes, and rounds

Unit = collections.namedtuple("Unit", "size job threads peer")


def units(sizes, jobs, peers, threads, quick=False):
    """Everything to measure, the most wanted first. Units of one size, number of threads and peer follow each other:
    their processes stay."""
    def group(size, names, n):
        return [Unit(size, job, n, peer) for peer in peers for job in names if job in jobs]

    first = sizes[0]
    found = group(first, MAIN, threads)
    if quick:
        return found
    for size in sorted(sizes[1:], key=lambda s: s == "gpt2-medium"):  # the ends of the plot first
        if size != "gpt2-xl":
            found += group(size, (*BOTH, "memory") if size == "gpt2-large" else BOTH, threads)
    found += group(first, PLOTS, threads)
    if threads > 1:
        found += group(first, BOTH, 1)
    if "gpt2-xl" in sizes[1:]:
        found += group("gpt2-xl", BOTH, threads)
    return found


def new_tokens(job, size):
    return min(JOBS[job].new, LARGER_NEW) if size != SIZES[0] and JOBS[job].new > 1 else JOBS[job].new


def rounds(job, size, most):
    return min(JOBS[job].rounds, most, LARGER_ROUNDS if size != SIZES[0] else most)


def ids(n, row=0):
    """A prompt of n ids that are the same everywhere."""
    if n == len(PROMPT) and row == 0:
        return PROMPT
    return [(7919 * (i + 1) + 104729 * (row + 1) + 31 * i * i) % (N_VOCAB - 1) for i in range(n)]


def request(job, size, short=False):
    """What a worker is asked. short: the same kind of work, but little of it, to warm up."""
    j = JOBS[job]
    rows = [ids(j.prompt, row) for row in range(j.n)]
    if j.kind == "score":
        return {"do": "score", "texts": rows[:1] if short else rows}
    new = new_tokens(job, size)
    return {"do": "generate", "prompts": rows, "new": min(new, 2) if short else new, "beams": j.beams}


def counted(job, size):
    """Tokens by which the job's speed is told: of the prompt and the texts, or new ones of all sequences."""
    j = JOBS[job]
    if j.kind == "score" or j.new == 1:
        return j.prompt * j.n
    return new_tokens(job, size) * j.n
