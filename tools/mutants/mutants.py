#!/usr/bin/env python3
"""The mutation check: does a test turn red when the arithmetic is wrong?

Copies the tree, makes one small change at a time (mutate.py says which), compiles the objects that
hold it, and runs the tests of that part until one is red: those of a release build and, where all
stay green, those of a build with sanitizers, as scripts/test does. Prints the survivors and exits
with 1 where one is not in equivalent.txt.

    tools/mutants/mutants.py --sample 60         a quick look
    tools/mutants/mutants.py --all               every mutant: hours
    tools/mutants/mutants.py --all --only forward.c --operators sign,order >log
    tools/mutants/mutants.py --again log         its survivors, after new tests
"""
import argparse
import json
import math
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

import mutate

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EQUIVALENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt")
FAILED = b"[  FAILED  ]"  # cmocka's word for a red test; one is enough
MEMORY = 4 << 30

PLAN = ["decode_plan", "decode_plan_values", "decode_plan_oracle", "decode_options"]
EACH = ["decode_greedy", "decode_sample", "decode_stop"]
BEAMS = ["decode_beams", "decode_beam_ends", "decode_beams_oracle"]
EXACT = ["decode_exact_oracle", "decode_exact", "decode_exact_tables"]

# Sources (a folder ends with /), and the test programs that must turn red, the fastest first.
PARTS = [
    ("src/compute/cpu/", ["compute_device", "compute_accuracy", "compute_bits", "compute_heads"]),
    ("src/base/math.c", ["base_math", "score_score", "trace_trace"]),
    ("src/base/rows.h", ["base_math", "score_score", "base_rows"]),
    ("src/model/forward.c", ["model_points", "model_head", "model_forward", "model_alone",
                             "model_read_out", "model_oracle"]),
    ("src/model/kv.c", ["model_kv", "model_head", "model_forward", "model_alone", "model_oracle"]),
    ("src/model/workspace.c", ["model_forward", "model_read_out", "model_oracle"]),
    ("src/model/points.c", ["model_points", "model_head", "model_forward", "model_oracle"]),
    ("src/model/rotary.c", ["model_family_configs", "model_oracle"]),
    ("src/model/families/", ["model_network", "model_oracle"]),
    ("src/format/config/", ["model_family_configs", "format_config", "model_oracle"]),
    ("src/base/random.c", ["base_random", "decode_draws"]),
    ("src/base/mersenne.c", ["base_mersenne", "decode_draws"]),
    ("src/decode/process/", ["decode_processors", "decode_warpers", "decode_beams"]),
    ("src/decode/draw/", ["decode_draws", "decode_draw_odds"]),
    ("src/decode/plan.c", PLAN),
    ("src/decode/plan_lengths.c", PLAN),
    ("src/decode/plan_processors.c", PLAN),
    ("src/decode/plan_search.c", PLAN),
    ("src/decode/plan_values.c", PLAN),
    ("src/decode/stop/", EACH + ["decode_beam_ends", "decode_exact_oracle"]),
    ("src/decode/search/branch.c", EACH),
    ("src/decode/search/each.c", EACH),
    ("src/decode/search/peek.c", ["decode_greedy", "api_explain"]),
    ("src/decode/search/run.c", EACH + ["decode_beams"]),
    ("src/decode/search/tracks.c", EACH + ["decode_beams_oracle", "decode_assisted"]),
    ("src/decode/search/assisted.c", ["decode_assisted"]),
    ("src/decode/search/draft.c", ["decode_assisted"]),
    ("src/decode/search/lookup.c", ["decode_assisted"]),
    ("src/decode/search/verify.c", ["decode_assisted"]),
    ("src/decode/search/beam_trace.c", BEAMS),
    ("src/decode/search/beams.c", BEAMS),
    ("src/decode/search/extensions.c", BEAMS),
    ("src/decode/search/exact.c", EXACT),
    ("src/decode/search/exact_first.c", EXACT),
    ("src/decode/search/exact_look.c", EXACT),
    ("src/decode/search/exact_rows.c", EXACT),
    ("src/decode/search/frontier.c", EXACT),
    ("src/decode/search/kept.c", EXACT),
    ("src/score/score.c", ["score_score", "score_units"]),
    ("src/score/windows.c", ["score_windows"]),
    ("src/score/perplexity.c", ["score_windows"]),
    ("src/score/continuations.c", ["score_continuations"]),
    ("src/score/lexis.c", ["score_units"]),
    ("src/score/spelling.c", ["score_units"]),
    ("src/score/words.c", ["score_units"]),
    ("src/score/chars.c", ["score_units"]),
    ("src/trace/candidates.c", ["trace_trace", "score_score"]),
    ("src/text/subword/bpe.c", ["text_bpe", "text_subword", "text_lane"]),
    ("src/text/subword/bpe_merge.c", ["text_bpe", "text_subword", "text_lane"]),
    ("src/text/subword/bpe_long.c", ["text_bpe", "text_subword"]),
    ("src/text/subword/bpe_chars.c", ["text_subword"]),
    ("src/text/subword/unigram.c", ["text_subword", "text_pipelines"]),
    ("src/text/subword/unigram_trie.c", ["text_subword"]),
    ("src/text/split/scan.c", ["text_scan"]),
    ("src/text/split/scan_block.h", ["text_scan"]),
    ("src/text/split/scan_word.c", ["text_scan"]),
    ("src/text/split/scan_regex.c", ["text_scan"]),
    ("src/text/split/pattern.c", ["text_pattern", "text_pre_tokenizer", "text_pipelines"]),
    ("src/text/split/translate.c", ["text_pattern"]),
    ("src/text/split/regex_class.c", ["text_pattern"]),
    ("src/text/split/regex_escape.c", ["text_pattern"]),
    ("src/text/split/pre_tokenizer.c", ["text_pre_tokenizer"]),
    ("src/text/normal/form.c", ["text_form", "text_normal"]),
    ("src/text/normal/normalize.c", ["text_normal"]),
    ("src/text/normal/normal_form.c", ["text_normal"]),
    ("src/text/normal/normal_scan.c", ["text_normal"]),
    ("src/text/lane/lane.c", ["text_lane", "text_encoder"]),
    ("src/text/lane/cache.c", ["text_lane", "text_encoder"]),
    ("src/text/lane/cache.h", ["text_lane", "text_encoder"]),
    ("src/text/vocab/added.c", ["text_encode", "text_files", "text_oracle", "text_encoder"]),
    ("src/text/vocab/lexicon.c", ["text_vocab", "text_sections"]),
    ("src/text/vocab/merges.c", ["text_vocab", "text_sections"]),
    ("src/text/vocab/byte_level.c", ["text_encode", "text_decode", "text_vocab"]),
    ("src/text/encode.c", ["text_encode", "text_encoder", "text_pipelines", "text_oracle"]),
    ("src/text/encoder.c", ["text_encoder"]),
    ("src/text/cut.c", ["text_encoder"]),
    ("src/text/tokens.c", ["text_post", "text_pipelines", "text_encoder"]),
    ("src/text/post/post.c", ["text_post"]),
    ("src/text/decode/chain.c", ["text_decode"]),
    ("src/text/decode/decode.c", ["text_decode", "text_oracle"]),
    ("src/text/decode/spell.c", ["text_decode"]),
    ("src/text/decode/characters.c", ["text_decode"]),
    ("src/text/files/json_pull.c", ["text_sections"]),
    ("src/text/files/vocabulary.c", ["text_sections", "text_vocab"]),
    ("src/text/files/merges.c", ["text_sections", "text_vocab"]),
    ("src/trace/stretches.c", ["trace_stretches"]),
    ("src/trace/steps.c", ["trace_steps", "trace_trace", "decode_greedy"]),
    ("src/trace/beams.c", ["trace_steps", "decode_beams", "decode_beams_oracle"]),
    ("src/format/tensors.c", ["format_shards", "format_safetensors"]),
    ("src/format/safetensors.c", ["format_shards", "format_safetensors"]),
    ("src/format/torch.c", ["format_torch"]),
    ("src/format/pickle.c", ["format_torch"]),
    ("src/format/pickle_names.c", ["format_torch"]),
    ("src/format/zip.c", ["format_torch"]),
    ("src/format/config.c", ["format_config"]),
    ("src/format/npz.c", ["format_npz"]),
    ("src/view/csv_score.c", ["view_csv"]),
    ("src/view/json_score.c", ["view_json"]),
    ("src/view/table_score.c", ["view_table"]),
    ("src/view/table_choices.c", ["view_table"]),
    ("src/view/table_compare.c", ["view_table"]),
    ("src/view/figure.c", ["view_figure"]),
    ("src/batch.c", ["api_many", "api_batch"]),
    ("src/scoring.c", ["api_many", "api_stress"]),
    ("src/loss.c", ["api_inside", "api_many", "api_promises"]),
    ("src/inspect.c", ["api_inside", "api_inspect"]),
    ("src/jobs.c", ["api_contract", "api_inside", "api_promises", "api_many"]),
    ("src/nextoken.c", ["api_promises", "api_sequences", "api_stress"]),
]
LAST = ["api_contract"]  # the whole library, where the part's own tests stayed green
# The whole point of these files is unrolled; at -O3 they compile for twice as long.
LIGHTER = ("kernels_avx512.c", "kernels_avx2.c")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def turns_red(program, seconds, memory):
    """"red" where a test program fails or dies, "late" where it does not end, else "". The limit is
    processor time; on the clock it may take ten times as long, for the sake of busy machines."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds)))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEMORY, MEMORY))

    with subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, preexec_fn=limit,
                          start_new_session=True) as process:
        end = time.monotonic() + 10 * seconds
        os.set_blocking(process.stdout.fileno(), False)
        seen = b""
        try:
            while True:
                seen = seen[-len(FAILED):] + (process.stdout.read() or b"")
                if FAILED in seen:
                    return "red"
                if time.monotonic() > end:
                    return "late"
                code = process.poll()
                if code is not None:
                    return "late" if -code in (signal.SIGXCPU, signal.SIGKILL) else code and "red"
                time.sleep(0.002)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


RELEASE = ["-DCMAKE_BUILD_TYPE=Release"]
SANITIZE = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo",
            "-DCMAKE_C_FLAGS=-O1 -g0 -fsanitize=address,undefined -fno-sanitize-recover=all"]


class Tree:
    """A copy of the sources with a build of its own."""

    def __init__(self, folder, flags):
        self.root = os.path.join(folder, "tree")
        self.build = os.path.join(folder, "build")
        shutil.copytree(ROOT, self.root, ignore=self.left_out, symlinks=True)
        subprocess.run(["cmake", "-S", self.root, "-B", self.build, "-G", "Ninja",
                        "-DNEXTOKEN_TESTS=ON", "-DNEXTOKEN_WERROR=OFF", "--log-level=WARNING",
                        *flags],
                       check=True, stdout=subprocess.DEVNULL)
        self.commands = {}
        for entry in json.loads(read(os.path.join(self.build, "compile_commands.json"))):
            path = os.path.relpath(entry["file"], self.root)
            if path.startswith("src/"):
                self.commands[path] = self.lighter(path, entry["command"])
        self.memory = MEMORY if flags is RELEASE else resource.RLIM_INFINITY  # ASan maps much
        self.links = {}
        self.seconds = {}
        self.objects = {}

    @staticmethod
    def left_out(folder, names):
        return [name for name in names if folder == ROOT and name in ("build", ".git")]

    @staticmethod
    def lighter(path, command):
        command = shlex.split(command)
        return [re.sub("^-O3$", "-O1", word) if path.endswith(LIGHTER) else word
                for word in command]

    def prepare(self, tests, units):
        """Builds what will be used; every test must be green as things are."""
        subprocess.run(["ninja", "-C", self.build, "-j", "1", "mkmodel", *tests], check=True,
                       stdout=subprocess.DEVNULL)
        for test in tests:
            link = subprocess.run(["ninja", "-C", self.build, "-t", "commands", "-s",
                                   os.path.join("tests", test)],
                                  check=True, capture_output=True, text=True).stdout
            self.links[test] = link.strip().split("\n")[-1]
        for unit in units:
            if not self.compile(unit):
                sys.exit(f"{unit} does not compile as it stands")
            with open(self.object_of(unit), "rb") as file:
                self.objects[unit] = file.read()
        for test in tests:
            self.link(test)
            begin = time.monotonic()
            if turns_red(self.program(test), 600, self.memory):
                sys.exit(f"{test} is red as things stand; nothing can be told from it")
            self.seconds[test] = time.monotonic() - begin

    def object_of(self, unit):
        command = self.commands[unit]
        return os.path.join(self.build, command[command.index("-o") + 1])

    def program(self, test):
        return os.path.join(self.build, "tests", test)

    def compile(self, unit):
        return subprocess.run(self.commands[unit], cwd=self.build, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def link(self, test):
        subprocess.run(self.links[test], shell=True, cwd=self.build, check=True,
                       stdout=subprocess.DEVNULL)

    def units_of(self, path):
        """The compiled sources that hold a file: itself, or those that include it."""
        if path in self.commands:
            return [path]
        line = f'#include "{path[len("src/"):]}"'
        found = []
        for folder, _, names in os.walk(os.path.join(self.root, "src")):
            for name in names:
                other = os.path.relpath(os.path.join(folder, name), self.root)
                if other != path and line in read(os.path.join(self.root, other)):
                    found += self.units_of(other)
        return sorted(set(found))

    def try_out(self, mutant, tests):
        """What becomes of it."""
        path = os.path.join(self.root, mutant.path)
        text = read(path)
        units = self.units_of(mutant.path)
        write(path, mutate.changed(text, mutant))
        try:
            same = True
            for unit in units:
                if not self.compile(unit):
                    return "does not compile"
                with open(self.object_of(unit), "rb") as file:
                    same = same and file.read() == self.objects[unit]
            if same:
                return "same code"
            for test in tests:
                self.link(test)
                colour = turns_red(self.program(test), 5 + 5 * self.seconds[test], self.memory)
                if colour:
                    return "killed" if colour == "red" else "killed by the clock"
            return "survived"
        finally:
            write(path, text)
            for unit in units:
                with open(self.object_of(unit), "wb") as file:
                    file.write(self.objects[unit])


def sources():
    """(path, its tests) of every source in the table."""
    for place, tests in PARTS:
        paths = [place]
        if place.endswith("/"):
            paths = sorted(os.path.join(os.path.relpath(folder, ROOT), name)
                           for folder, _, names in os.walk(os.path.join(ROOT, place))
                           for name in names if name.endswith((".c", ".h")))
        for path in paths:
            yield path, tests + LAST


def equivalents():
    """The paragraphs of equivalent.txt; its head says what they hold."""
    known = set()
    for paragraph in re.split(r"\n\s*\n", read(EQUIVALENT)):
        lines = [line.strip() for line in paragraph.split("\n")
                 if line.strip() and not line.startswith("#")]
        if not lines:
            continue
        if len(lines) != 4 or not lines[3].startswith("why: "):
            sys.exit(f"equivalent.txt: path, before, after, why: expected in\n{paragraph}")
        path, before = lines[:2]
        there = [line.strip() for line in read(os.path.join(ROOT, path)).split("\n")]
        before = re.sub(r"^in \w+(: |$)", "", before)
        if before and before not in there:
            sys.exit(f"equivalent.txt: {path} has no line\n{before}")
        known.add(tuple(lines[:3]))
    return known


def is_known(known, mutant, before, after):
    there = f"in {mutant.function}"
    return bool(known & {(mutant.path, line, change)
                         for line in (before, f"{there}: {before}", there)
                         for change in (after, "*")})


def can_run(path):
    """Kernels of an instruction set that this machine lacks are never chosen."""
    needs = {"avx512": "avx512dq", "avx2": "avx2", "neon": "asimd", "/simd/": "avx2"}
    return all(flag in read("/proc/cpuinfo") for word, flag in needs.items() if word in path)


def chosen(options):
    """Mutants to try, and the tests of each file."""
    tests = {}
    found = []
    for path, programs in sources():
        if not can_run(path) or not any(word in path for word in options.only.split(",")):
            continue
        tests[path] = programs
        found += [mutant for mutant in mutate.mutants_of(path, read(os.path.join(ROOT, path)))
                  if mutant.operator in options.operators.split(",")
                  and mutant.line >= options.from_line]
    if options.again:
        wanted = set(re.findall(r"^survived: (\S+?):\d+: (.*)  ->  (.*)$", read(options.again), re.M))
        found = [mutant for mutant in found
                 if (mutant.path, *mutate.lines(read(os.path.join(ROOT, mutant.path)), mutant))
                 in wanted]
    elif not options.all:
        found = sorted(random.Random(options.seed).sample(found, min(options.sample, len(found))))
    return found, tests


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="operators:\n" + "\n".join(f"  {k:9} {v}" for k, v in mutate.OPERATORS.items()))
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="so many (60)")
    parser.add_argument("--seed", type=int, default=1, help="which sample (1)")
    parser.add_argument("--only", default="", metavar="WORDS", help="paths that hold one of them")
    parser.add_argument("--again", metavar="LOG", help="the survivors of an earlier run's output")
    parser.add_argument("--from-line", type=int, default=0, metavar="LINE", help="from here on")
    parser.add_argument("--operators", default=",".join(mutate.OPERATORS), metavar="NAMES")
    parser.add_argument("--folder", help="where copy and build go (a temporary folder)")
    parser.add_argument("--verbose", action="store_true", help="a line for each mutant")
    return parser.parse_args()


def prepared(folder, flags, found, tests):
    tree = Tree(folder, flags)
    paths = sorted({mutant.path for mutant in found})
    tree.prepare(list(dict.fromkeys(test for path in paths for test in tests[path])),
                 sorted({unit for path in paths for unit in tree.units_of(path)}))
    return tree


def survey(tree, found, tests, say):
    """Tries each; returns how many had which fate, and the survivors."""
    fates = Counter()
    survivors = []
    for mutant in found:
        fate = tree.try_out(mutant, tests[mutant.path])
        fates[fate] += 1
        say(fate, mutant)
        if fate == "survived":
            survivors.append(mutant)
    return fates, survivors


def main():
    options = parse()
    found, tests = chosen(options)
    if not found:
        sys.exit("no mutant of that kind")
    texts = {path: read(os.path.join(ROOT, path)) for path in tests}
    known = equivalents()

    def show(fate, mutant):
        before, after = mutate.lines(texts[mutant.path], mutant)
        print(f"{fate}: {mutant.path}:{mutant.line}: {before}  ->  {after}", flush=True)

    def say(fate, mutant):
        if options.verbose:
            show(fate, mutant)

    new = [mutant for mutant in found
           if not is_known(known, mutant, *mutate.lines(texts[mutant.path], mutant))]
    folder = tempfile.mkdtemp(prefix="mutants-", dir=options.folder)
    try:
        tree = prepared(os.path.join(folder, "release"), RELEASE, new, tests)
        fates, survivors = survey(tree, new, tests, say)
        if survivors:
            tree = prepared(os.path.join(folder, "sanitize"), SANITIZE, survivors, tests)
            _, survivors = survey(tree, survivors, tests, say)
            fates["killed by sanitizers"] = fates["survived"] - len(survivors)
            fates["survived"] = len(survivors)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for mutant in survivors:
        show("survived", mutant)
    if len(new) < len(found):
        fates["known to change nothing"] = len(found) - len(new)
    which = "all" if options.all else f"of {options.again}" if options.again else \
        f"sample, seed {options.seed}"
    print(f"{len(found)} mutants ({which}): " +
          ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
