"""What the tests of the hub share: a hub that plays (playing_hub.py), a home and a cache for each test, the
program run in them. After every test the cache is looked through: each blob's content has the hash that its
name says, no link leads nowhere, nothing lies about that does not belong there. The tests wait a lot and run
side by side."""

import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

import playing_hub
from playing_hub import Hub, Sparse

PROGRAM = os.environ.get("NT_PROGRAM") or str(pathlib.Path(os.environ["NT_BINARY_DIR"]) / "nextoken")
SANITIZED = "sanitize" in os.environ.get("NT_C_FLAGS", "")
BIG = random.Random(1).randbytes(3_000_000)
SMALL = b'{"model_type": "gpt2"}'
GPT2 = {"config.json": SMALL, "generation_config.json": b"{}", "tokenizer.json": b'{"version": "1.0"}',
        "model.safetensors": BIG, "README.md": b"# not wanted", "pytorch_model.bin": b"not wanted either"}
FILES = {"config.json", "generation_config.json", "tokenizer.json", "model.safetensors"}
ABSENT = {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}


def hash_name(path):
    size, large = path.stat().st_size, len(path.name) == 64
    digest = hashlib.sha256() if large else hashlib.sha1(b"blob %d\0" % size)
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def faults(cache):
    """What is wrong in a cache, by another road than the program's own."""
    found = []
    for path in cache.glob("**/*"):
        below = path.relative_to(cache).parts
        if path.is_symlink() and not path.exists():
            found.append(f"{path} leads nowhere")
        if path.name.endswith(".tmp"):
            found.append(f"{path} was left")
        if len(below) == 3 and below[1] == "blobs" and not path.name.endswith(".incomplete"):
            if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", path.name) or hash_name(path) != path.name:
                found.append(f"{path} is not what its name says")
        if len(below) > 3 and below[1] == "snapshots" and path.is_file() and not path.is_symlink():
            found.append(f"{path} is no link")
        if len(below) >= 3 and below[1] == "refs" and path.is_file():
            if not (cache / below[0] / "snapshots" / path.read_text()).is_dir():
                found.append(f"{path} names a commit that is not there")
    return found


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.addCleanup(self.holder.cleanup)
        self.home = pathlib.Path(self.holder.name)
        self.cache = self.home / "hf" / "hub"
        self.play(Hub())

    def play(self, hub):
        self.hub = hub
        self.addCleanup(hub.close)
        self.commit = hub.add("openai-community/gpt2", GPT2)

    def tearDown(self):
        self.assertEqual(faults(self.cache), [])

    def env(self, **more):
        # nothing of whoever runs the tests: neither a token nor a proxy, neither a cache nor a network
        return {"HOME": str(self.home), "HF_HOME": str(self.home / "hf"), "HF_ENDPOINT": self.hub.url,
                "PATH": os.environ["PATH"], "HF_HUB_DOWNLOAD_TIMEOUT": "2",
                **{k: v for k, v in more.items() if v is not None}}

    def start(self, *args, env=None, **more):
        return subprocess.Popen([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.env(**(env or {})), stdin=subprocess.DEVNULL, **more)

    def run_it(self, *args, status=0, env=None, **more):
        process = self.start(*args, env=env, **more)
        try:
            out, err = process.communicate(timeout=300)
        finally:
            process.kill()
        self.assertEqual(process.returncode, status, f"{args}\n{out}{err}")
        if status:
            errors = [line for line in err.splitlines() if line.startswith("nextoken: error: ")]
            self.assertEqual(len(errors), 1, err)
        return out, err

    def pull(self, *args, name="openai-community/gpt2", **more):
        return self.run_it("pull", "--", name, *args, **more)

    def fails(self, *phrases, status=1, **more):
        err = self.pull(status=status, **more)[1]
        for phrase in phrases:
            self.assertIn(phrase, err)
        return err

    def model(self, name="openai-community/gpt2"):
        return self.cache / ("models--" + name.replace("/", "--"))

    def check_whole(self, files=GPT2, name="openai-community/gpt2", commit=None, wanted=FILES):
        folder = self.model(name) / "snapshots" / (commit or self.commit)
        self.assertEqual({p.name for p in folder.iterdir()}, set(wanted))
        for file in wanted:
            self.assertEqual(os.readlink(folder / file), f"../../blobs/{playing_hub.etag_of(files[file])}")
            if not isinstance(files[file], Sparse):
                self.assertEqual((folder / file).read_bytes(), files[file])
        return folder

    def incomplete(self, data=BIG):
        return self.model() / "blobs" / f"{playing_hub.etag_of(data)}.incomplete"

    def put_incomplete(self, content):
        self.incomplete().parent.mkdir(parents=True)
        self.incomplete().write_bytes(content)

    def gets(self, where="store"):
        return self.hub.requests("GET", where)


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def run_one(test):
    result = unittest.TestResult()
    test.run(result)
    return test, result


def main():
    """Runs the tests of the file that was started, or those of them whose names hold a word that was given."""
    chosen = sys.argv[1:]
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    tests = [t for t in tests_of(suite) if not chosen or any(c in t.id() for c in chosen)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for test, result in pool.map(run_one, tests):
            for _, why in result.failures + result.errors:
                failed += 1
                print(f"FAILED {test.id()}\n{why}")
            for _, why in result.skipped:
                print(f"skipped {test.id()}: {why}")
    print(f"{len(tests)} tests, {failed} failed")
    return 1 if failed or not tests else 0
