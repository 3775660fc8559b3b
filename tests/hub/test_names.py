"""`-m NAME` wherever a model is named: fetched, checked, cached, opened, and from then on opened without
the hub. Against the hub that playing_hub.py plays."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
import harness  # noqa: E402

import playing_hub  # noqa: E402
from case import faults  # noqa: E402

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
OPTIONAL = ("generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
            "added_tokens.json")


class Names(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.home = pathlib.Path(holder.name)
        self.cache = self.home / "hub"
        self.hub = playing_hub.Hub()
        self.addCleanup(self.hub.close)
        self.folder = BENCH.model("words")
        self.files = {p.name: p.read_bytes() for p in self.folder.iterdir() if p.is_file()}
        self.commit = self.hub.add("openai-community/gpt2", self.files)
        self.hub.moved["gpt2"] = "openai-community/gpt2"

    def tearDown(self):
        self.assertEqual(faults(self.cache), [])

    def run_it(self, *args, status=0, **env):
        variables = {"HOME": str(self.home), "HF_HOME": str(self.home), "HF_ENDPOINT": self.hub.url,
                     "PATH": os.environ["PATH"], **env}
        done = subprocess.run([str(BENCH.nextoken), *args], capture_output=True, env=variables, timeout=300,
                              check=False, cwd=self.home, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def figures(self, *args, **env):
        """What `next` says, less what names the model and the time."""
        found = json.loads(self.run_it("next", "--json", *args, "Alice", **env)[0])
        return found["model"], found["ids"], found["next"]

    def test_open(self):
        wanted = self.figures("-m", str(self.folder))
        for name in ("gpt2", "openai-community/gpt2@main", f"openai-community/gpt2@{self.commit}"):
            found = self.figures("-m", name)
            self.assertEqual(found, (name, *wanted[1:]))
        before = len(self.hub.requests())
        self.assertEqual(self.figures("-m", "gpt2")[1:], wanted[1:])
        self.assertEqual(self.figures("--offline", NEXTOKEN_MODEL="gpt2")[1:], wanted[1:])
        self.assertEqual(self.figures("-m", "gpt2", HF_ENDPOINT="http://127.0.0.1:9")[1:], wanted[1:])
        self.assertEqual(len(self.hub.requests()), before, "what is whole in the cache needs no hub")

    def test_every_command(self):
        for args in (["info"], ["generate", "--max-new-tokens", "2", "Alice"], ["steps", "Alice"],
                     ["generate", "--assistant-model", "gpt2", "--max-new-tokens", "2", "Alice"], ["score", "Alice"],
                     ["inspect", "Alice"], ["tokenize", "--against", "openai-community/gpt2", "Alice"]):
            self.run_it(args[0], "-m", "gpt2", *args[1:])

    def test_no_command(self):
        """Options and a text alone are `next`'s."""
        self.assertEqual(self.run_it("-m", "gpt2", "--json", "Alice")[0],
                         self.run_it("next", "-m", "gpt2", "--json", "Alice")[0])
        self.assertIn("nextoken next", self.run_it("-m", "gpt2", "--help")[0])
        self.run_it("--no-such-option", status=2)

    def test_revision_in_tables(self):
        """A slash in a revision parts no folders: the model is shown by its name."""
        self.hub.add("openai-community/gpt2", {**self.files, "README.md": b"x"}, revision="refs/pr/1")
        for name, shown in (("openai-community/gpt2@refs/pr/1", "gpt2@refs/pr/1"), ("gpt2@refs/pr/1",) * 2,
                            ("openai-community/gpt2", "gpt2")):
            self.assertIn(f" {shown} ", self.run_it("next", "-m", name, "Alice")[0].splitlines()[-1])

    def test_python_integers(self):
        """transformers writes 10 ** 30 as the length of a tokenizer that has none."""
        files = {**self.files, "tokenizer_config.json": b'{"model_max_length": 1000000000000000019884624838656}'}
        self.hub.add("a/long", files)
        self.assertEqual(self.figures("-m", "a/long")[1:], self.figures("-m", "gpt2")[1:])

    def test_file_of_a_repo(self):
        err = self.run_it("next", "-m", "a/b/sub/m.gguf", "Alice", status=1)[1]
        self.assertIn("no such file or folder", err)
        self.assertIn("nextoken pull a/b sub/m.gguf", err)

    def test_tokenizer_alone(self):
        """Who only wants tokens fetches no weights."""
        self.run_it("tokenize", "-m", "openai-community/gpt2", "Alice")
        self.assertFalse([r for r in self.hub.requests() if "safetensors" in r.path])
        self.run_it("next", "-m", "openai-community/gpt2", "Alice")

    def test_a_path_first(self):
        """What lies here goes before the hub's; what is written as a path never becomes a name."""
        shutil.copytree(self.folder, self.home / "gpt2")
        self.assertEqual(self.figures("-m", "gpt2")[0], "gpt2")
        for path in ("./gpt3", "gpt3/", "/no/such", "a/b/c", "gpt3.safetensors", "a/gpt3.gguf", "~/gpt3", "../x"):
            err = self.run_it("next", "-m", path, "Alice", status=1)[1]
            self.assertEqual(err.count("\n"), 1, err)
            self.assertNotIn("hub", err)
        self.assertEqual(self.hub.requests(), [])

    def test_errors(self):
        for name, phrase in (("openai-community/gpt3", "did you mean openai-community/gpt2?"),
                             ("some/model", "is the name right?"), ("gpt2@v9", "has no revision v9"),
                             ("no model", "names no model"), ("a--b", "names no model")):
            err = self.run_it("next", "-m", name, "Alice", status=1)[1]
            self.assertEqual(err.count("\n"), 1, err)
            self.assertIn(phrase, err)
        err = self.run_it("next", "-m", "gpt2", "--offline", "Alice", status=1)[1]
        self.assertIn("nextoken pull gpt2", err)

    def test_cache_of_another(self):
        """Of a cache that another program filled in part, what can be missing is looked up once."""
        self.run_it("pull", "gpt2")
        shutil.rmtree(self.cache / "models--gpt2" / ".no_exist")
        before = len(self.hub.requests())
        self.figures("-m", "gpt2")
        asked = {r.path.rsplit("/", 1)[1] for r in self.hub.requests()[before:]}
        self.assertEqual(asked, {"config.json", *OPTIONAL} - set(self.files) | {"config.json"})
        before = len(self.hub.requests())
        self.figures("-m", "gpt2")
        self.assertEqual(len(self.hub.requests()), before)
        shutil.rmtree(self.cache / "models--gpt2" / ".no_exist")
        out, err = self.run_it("next", "-m", "gpt2", "Alice", HF_ENDPOINT="http://127.0.0.1:9")
        self.assertIn(f"as the cache has it: commit {self.commit}", err)
        self.assertEqual(self.run_it("next", "-m", "gpt2", "--offline", "Alice")[1], "")

    def test_dynamic_section(self):
        """libcurl is opened when it is needed; the program is not linked with it."""
        for file in (BENCH.nextoken, *BENCH.binary_dir.glob("libnextoken.so")):
            dynamic = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True).stdout
            self.assertFalse(re.findall(r"NEEDED.*(?:curl|ssl|crypto|gnutls)", dynamic))

    def test_bare_root(self):
        """A root with glibc and nothing else: a download says what is missing, a cached model opens."""
        root = self.home / "root"
        out = subprocess.run(["ldd", BENCH.nextoken], capture_output=True, text=True, check=True).stdout
        for path in re.findall(r"(/\S+) \(0x", out):
            (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path.lstrip("/"))
        shutil.copy(BENCH.nextoken, root / "nextoken")
        self.run_it("pull", "openai-community/gpt2")
        shutil.copytree(self.cache, root / "cache" / "hub", symlinks=True)

        def run(*args):
            return subprocess.run(["chroot", str(root), "/nextoken", *args], capture_output=True, text=True,
                                  env={"HF_HOME": "/cache", "HF_ENDPOINT": self.hub.url,
                                       "PATH": os.environ["PATH"] + ":/usr/sbin"}, check=False)

        if os.geteuid() != 0 or "sanitize" in os.environ.get("NT_C_FLAGS", "") or run("--version").returncode:
            self.skipTest("may not change the root, or sanitizers need more")
        done = run("pull", "a/b")
        self.assertEqual(done.returncode, 1)
        self.assertIn("libcurl, which is not installed: apt install libcurl4", done.stderr)
        done = run("next", "-m", "gpt2", "Alice")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
