"""`nextoken pull` and `nextoken cache` against a hub that misbehaves."""

import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import case
import playing_hub
from case import ABSENT, BIG, FILES, GPT2, PROGRAM, SANITIZED, SMALL, Case, faults
from playing_hub import Hub, Sparse, Trick


class Layout(Case):
    """What a download asks for, and what it leaves."""

    def test_layout(self):
        out, err = self.pull()
        folder = self.check_whole()
        self.assertEqual(out, f"{folder}\n")
        self.assertEqual(err, "")
        self.assertEqual((self.model() / "refs" / "main").read_text(), self.commit)
        absent = self.model() / ".no_exist" / self.commit
        self.assertEqual({p.name: p.stat().st_size for p in absent.iterdir()}, dict.fromkeys(ABSENT, 0))
        self.assertTrue((self.cache / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172"))
        locks = {p.name for p in (self.cache / ".locks" / self.model().name).iterdir()}
        self.assertEqual(locks, {playing_hub.etag_of(GPT2[f]) + ".lock" for f in FILES})
        self.assertFalse(list(self.cache.glob("**/*.incomplete")))
        heads = self.hub.requests("HEAD")
        self.assertIn("/resolve/main/config.json", heads[0].path)
        self.assertTrue(all(f"/resolve/{self.commit}/" in r.path for r in heads[1:]))
        for r in self.hub.requests():
            self.assertEqual(r.headers["Accept-Encoding"], "identity")
            self.assertNotIn("Authorization", r.headers)

    def test_again(self):
        """A second time the revision is looked up, and nothing else is asked."""
        self.pull()
        before = len(self.hub.requests())
        self.pull()
        self.assertEqual([r.method for r in self.hub.requests()[before:]], ["HEAD"])

    def test_revision_moves(self):
        self.pull()
        old = self.commit
        files = {**GPT2, "config.json": b'{"model_type": "gpt2", "n_layer": 3}'}
        self.commit = self.hub.add("openai-community/gpt2", files)
        before = len(self.gets())
        self.pull()
        self.check_whole(files)
        self.check_whole(commit=old)
        self.assertEqual(len(self.gets()), before, "equal blobs are shared")
        self.assertEqual((self.model() / "refs" / "main").read_text(), self.commit)

    def test_branch_and_commit(self):
        files = {**GPT2, "tokenizer.json": b'{"version": "2.0"}'}
        other = self.hub.add("openai-community/gpt2", files, revision="refs/pr/1")
        self.pull(name="openai-community/gpt2@refs/pr/1")
        self.assertEqual((self.model() / "refs" / "refs" / "pr" / "1").read_text(), other)
        self.assertIn("/resolve/refs%2Fpr%2F1/", self.hub.requests()[0].path)
        self.pull(name=f"openai-community/gpt2@{self.commit}")
        self.check_whole()
        self.assertFalse((self.model() / "refs" / "main").exists())

    def test_moved_name(self):
        self.hub.moved["gpt2"] = "openai-community/gpt2"
        self.pull(name="gpt2")
        self.check_whole(name="gpt2")

    def test_vocab_and_merges(self):
        files = {"config.json": SMALL, "vocab.json": b"{}", "merges.txt": b"#version: 0.2\n",
                 "model.safetensors": BIG}
        commit = self.hub.add("a/pair", files)
        self.pull(name="a/pair")
        self.check_whole(files, "a/pair", commit, files)

    def test_shards(self):
        names = [f"model-{i:05}-of-00005.safetensors" for i in range(1, 6)]
        files = {n: random.Random(n).randbytes(200_000) for n in names}
        files["config.json"] = SMALL
        files["tokenizer.json"] = b"{}"
        files["model.safetensors.index.json"] = json.dumps(
            {"weight_map": {f"t{i}": names[i % 5] for i in range(20)}}).encode()
        self.hub.speed = 200_000
        commit = self.hub.add("a/shards", files)
        self.pull(name="a/shards")
        self.check_whole(files, "a/shards", commit, files)
        self.assertEqual(len(self.gets()), 5)
        self.assertGreaterEqual(self.hub.most_busy, 3, "side by side")

    def test_hostile_index(self):
        for name in ("../../evil", "/etc/passwd", "a/b.safetensors", "..", "x\\y"):
            index = json.dumps({"weight_map": {"t": name}}).encode()
            repo = "a/evil" + hashlib.sha1(name.encode()).hexdigest()[:6]
            self.hub.add(repo, {"config.json": SMALL, "tokenizer.json": b"{}",
                                "model.safetensors.index.json": index})
            self.fails("no plain file name", name=repo)
        self.assertFalse([p for p in self.home.glob("**/*") if "evil" in p.name and "a--" not in p.name])

    def test_pickle_last(self):
        files = {"config.json": SMALL, "tokenizer.json": b"{}", "pytorch_model.bin": BIG}
        commit = self.hub.add("a/pickle", files)
        self.pull(name="a/pickle")
        self.check_whole(files, "a/pickle", commit, files)

    def test_no_weights(self):
        self.hub.add("a/none", {"config.json": SMALL, "tokenizer.json": b"{}", "model.gguf": BIG})
        self.fails("neither safetensors nor pytorch_model.bin", "FILE.gguf", name="a/none")

    def test_named_files(self):
        self.hub.add("a/gguf", {"model.Q8_0.gguf": BIG, "sub/x y.txt": b"hello", "config.json": SMALL})
        self.pull("model.Q8_0.gguf", "sub/x y.txt", name="a/gguf")
        folder = next(self.model("a/gguf").glob("snapshots/*"))
        self.assertEqual((folder / "model.Q8_0.gguf").read_bytes(), BIG)
        self.assertEqual((folder / "sub" / "x y.txt").read_bytes(), b"hello")
        self.assertEqual({p.name for p in folder.glob("**/*") if p.is_file()}, {"model.Q8_0.gguf", "x y.txt"})
        self.assertIn("has no file nothing.gguf", self.run_it("pull", "a/gguf", "nothing.gguf", status=1)[1])
        for bad in ("../x", "/etc/passwd", "a//b", "x/..", "a\nb"):
            self.assertIn("is no file of a repo", self.run_it("pull", "a/gguf", bad, status=1)[1])

    def test_empty_and_unsized(self):
        self.hub.add("a/odd", {"empty": b"", "chunked.txt": b"some text"})
        self.hub.tricks["chunked.txt"] = [Trick("chunked"), Trick("size", "", on="head")]
        self.pull("empty", "chunked.txt", name="a/odd")
        folder = next(self.model("a/odd").glob("snapshots/*"))
        self.assertEqual((folder / "empty").read_bytes(), b"")
        self.assertEqual((folder / "chunked.txt").read_bytes(), b"some text")

    def test_names_that_are_none(self):
        for name in ("a--b", "x..y", "-a", "a.", ".git", "a/b.git", "a b", "a/b@", "a@b..c", "a@/x", "x" * 97,
                     "a/b@x y", "\u00e9", "a@" + "x" * 201, "a/b/c@main", "/a", "a/", ""):
            err = self.fails("names no model", name=name)
            self.assertLess(len(err), 600)
        self.assertEqual(self.hub.requests(), [])

    def test_no_symlinks(self):
        self.pull(env={"HF_HUB_DISABLE_SYMLINKS": "1"})
        folder = self.model() / "snapshots" / self.commit
        for file in FILES:
            self.assertFalse((folder / file).is_symlink())
            self.assertEqual((folder / file).read_bytes(), GPT2[file])
        shutil.rmtree(self.cache)

    def test_where(self):
        """Who decides where the cache lies, in order."""
        for i, (env, where) in enumerate([
                ({"HF_HUB_CACHE": "{}/one", "HUGGINGFACE_HUB_CACHE": "{}/two"}, "one"),
                ({"HUGGINGFACE_HUB_CACHE": "{}/two"}, "two"),
                ({"HF_HOME": "~/three"}, "three/hub"),
                ({"HF_HOME": "${HOME}/four"}, "four/hub"),
                ({"HF_HOME": "", "XDG_CACHE_HOME": "{}/five"}, "five/huggingface/hub"),
                ({"HF_HOME": ""}, ".cache/huggingface/hub")]):
            self.hub.add(f"a/w{i}", {"x": b"x"})
            out = self.pull("x", name=f"a/w{i}", env={k: v.replace("{}", str(self.home)) for k, v in env.items()})
            self.assertTrue(out[0].startswith(str(self.home / where / "models--a--w")), out)


class Tokens(Case):
    """A token goes to the hub alone; who may not see a model is told what to do."""

    def setUp(self):
        super().setUp()
        self.hub.token = "hf_secret"

    def check_token_stays(self):
        heard = [r for r in self.hub.requests() if "Authorization" in r.headers]
        self.assertTrue(heard)
        self.assertEqual({(r.where, r.headers["Authorization"]) for r in heard}, {("hub", "Bearer hf_secret")})
        self.assertTrue(self.hub.requests("GET", "store"))

    def test_variable(self):
        self.pull(env={"HF_TOKEN": " hf_secret\n"})
        self.check_whole()
        self.check_token_stays()

    def test_old_variable(self):
        self.pull(env={"HUGGING_FACE_HUB_TOKEN": "hf_secret"})
        self.check_token_stays()

    def test_file(self):
        (self.home / "hf").mkdir()
        (self.home / "hf" / "token").write_text("hf_secret\n")
        self.pull()
        self.check_token_stays()

    def test_file_elsewhere(self):
        (self.home / "mine").write_text("hf_secret")
        self.pull(env={"HF_TOKEN_PATH": str(self.home / "mine")})
        self.check_token_stays()

    def test_not_implicit(self):
        self.fails("private one needs a token",
                   env={"HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "yes"})
        self.assertFalse([r for r in self.hub.requests() if "Authorization" in r.headers])

    def test_hub_redirects_elsewhere(self):
        """A whole other host in place of the hub: it gets the request, and no token."""
        other = Hub()
        self.addCleanup(other.close)
        self.hub.tricks["model.safetensors"] = [Trick("foreign", other.store, on="head")]
        self.fails("HF_ENDPOINT", env={"HF_TOKEN": "hf_secret"})
        self.assertTrue(other.requests())
        self.assertFalse([r for r in other.requests() if "Authorization" in r.headers])

    def test_token_with_a_newline(self):
        err = self.fails(env={"HF_TOKEN": "hf_secret\nX-Evil: 1"})
        self.assertFalse([r for r in self.hub.requests() if "X-Evil" in r.headers])
        self.assertNotIn("hf_secret", err)

    def test_private(self):
        self.fails("has no model openai-community/gpt2", "everyone", "HF_TOKEN")

    def test_wrong_token(self):
        err = self.fails("has no model openai-community/gpt2", env={"HF_TOKEN": "hf_wrong"})
        self.assertNotIn("hf_wrong", err)

    def test_gated(self):
        self.hub.gated.add("openai-community/gpt2")
        page = f"{self.hub.url}/openai-community/gpt2"
        self.fails("is gated", "accept its terms", page, "HF_TOKEN")
        self.fails("is gated", page, env={"HF_TOKEN": "hf_of_another"})
        self.pull(env={"HF_TOKEN": "hf_secret"})
        self.check_whole()

    def test_403(self):
        self.hub.tricks["config.json"] = [Trick("status", 403, on="head")]
        self.fails("refuses the token", "403", env={"HF_TOKEN": "hf_secret"})


class Failures(Case):
    """What goes wrong on the way, and is mended or told in one line."""

    def test_drops(self):
        self.hub.tricks["model.safetensors"] = [Trick("drop", 700_001, times=4)]
        self.pull()
        self.check_whole()
        ranges = [r.headers.get("Range") for r in self.gets()]
        self.assertEqual(ranges, [None, "bytes=700001-", "bytes=1400002-", "bytes=2100003-", "bytes=2800004-"])

    def test_drops_for_good(self):
        self.hub.tricks["model.safetensors"] = [Trick("drop", 0)]
        self.fails("cannot fetch model.safetensors of openai-community/gpt2", "127.0.0.1")
        self.assertEqual(len(self.gets()), 6, "five tries after the first")

    def test_drops_after_little_each_time(self):
        """Bytes that come in crumbs are no endless loop."""
        self.hub.tricks["model.safetensors"] = [Trick("drop", 1000)]
        self.fails("cannot fetch model.safetensors")
        self.assertEqual(len(self.gets()), 6)
        self.assertEqual(self.incomplete().stat().st_size, 6000)
        self.hub.tricks.clear()
        self.pull()
        self.assertEqual(self.gets()[-1].headers["Range"], "bytes=6000-")
        self.check_whole()

    def test_short(self):
        self.hub.tricks["model.safetensors"] = [Trick("short", 10, times=1)]
        self.pull()
        self.check_whole()

    def test_headers_promise_too_much(self):
        self.hub.tricks["model.safetensors"] = [Trick("size", len(BIG) + 5, on="head")]
        self.fails()
        self.assertFalse((self.model() / "refs" / "main").exists())

    def test_headers_promise_too_little(self):
        self.hub.tricks["model.safetensors"] = [Trick("size", len(BIG) - 5, on="head")]
        self.fails("more of model.safetensors than the")

    def test_long(self):
        self.hub.tricks["model.safetensors"] = [Trick("long", 10)]
        self.fails("more of model.safetensors than the 3000000 bytes")

    def test_wrong_hash_once(self):
        self.hub.tricks["model.safetensors"] = [Trick("flip", times=1)]
        self.assertIn("once more from the beginning", self.pull()[1])
        self.check_whole()

    def test_wrong_hash(self):
        for file in ("model.safetensors", "tokenizer.json"):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.hub.tricks = {file: [Trick("flip")]}
            self.fails(f"{file} came from 127.0.0.1 with a wrong hash, twice")
            self.assertFalse(self.incomplete(GPT2[file]).exists())
            self.assertFalse((self.model() / "snapshots" / self.commit / file).exists())

    def test_resume_of_rubbish(self):
        """What an earlier download left is checked like the rest."""
        self.put_incomplete(b"rubbish" * 1000)
        self.assertIn("wrong hash", self.pull()[1])
        self.check_whole()
        self.assertEqual([r.headers.get("Range") for r in self.gets()], ["bytes=7000-", None])

    def test_resume_of_too_much(self):
        self.put_incomplete(BIG + b"more")
        self.pull()
        self.check_whole()

    def test_resume_of_all(self):
        """Killed between the last byte and the name."""
        self.put_incomplete(BIG)
        self.pull()
        self.check_whole()
        self.assertEqual(self.gets(), [])

    def test_resume(self):
        self.put_incomplete(BIG[:1_234_567])
        self.pull()
        self.check_whole()
        self.assertEqual([r.headers["Range"] for r in self.gets()], ["bytes=1234567-"])

    def test_range_refused(self):
        for i, name in enumerate(("416", "ignore_range", "wrong_range")):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.put_incomplete(BIG[:1_000_000])
            self.hub.tricks["model.safetensors"] = [Trick(name, times=1)]
            self.pull()
            self.check_whole()

    def test_part_in_the_way(self):
        """A link in place of the unfinished file is not written through."""
        victim = self.home / "victim"
        victim.write_text("mine")
        self.incomplete().parent.mkdir(parents=True)
        self.incomplete().symlink_to(victim)
        self.fails("cannot write model.safetensors")
        self.assertEqual(victim.read_text(), "mine")
        self.incomplete().unlink()

    def test_server_errors(self):
        for code in (500, 502, 503, 504, 429, 408):
            self.hub.tricks.setdefault("config.json", []).append(Trick("status", code, times=1, on="head"))
        self.hub.tricks["config.json"] = self.hub.tricks["config.json"][:4]
        self.hub.tricks["model.safetensors"] = [Trick("status", c, times=1) for c in (429, 408, 500)]
        err = self.pull()[1]
        self.assertIn("asks for a pause of 1 s", err)
        self.check_whole()

    def test_server_errors_for_good(self):
        self.hub.tricks["model.safetensors"] = [Trick("status", 503)]
        self.fails("answers 503", "try again later")
        self.assertEqual(len(self.gets()), 6)

    def test_too_many_requests(self):
        self.hub.tricks["config.json"] = [Trick("status", 429, on="head")]
        self.fails("too many requests", "HF_TOKEN")

    def test_slow_drip(self):
        self.hub.tricks["model.safetensors"] = [Trick("drip", 4, times=2)]
        self.pull()
        self.check_whole()

    def test_silence(self):
        self.hub.tricks["model.safetensors"] = [Trick("hang", 60, times=1)]
        began = time.time()
        self.pull()
        self.check_whole()
        self.assertLess(time.time() - began, 50)

    def test_silence_before_headers(self):
        self.hub.tricks["config.json"] = [Trick("hang", 60, times=1, on="head")]
        self.pull(env={"HF_HUB_ETAG_TIMEOUT": "2"})
        self.check_whole()

    def test_redirect_loop(self):
        self.hub.tricks["config.json"] = [Trick("loop", on="head")]
        self.fails("sends on and on")
        self.assertEqual(len(self.hub.requests()), 11)

    def test_redirect_to_another_scheme(self):
        self.hub.tricks["config.json"] = [Trick("foreign", "file:///etc/passwd?", on="head")]
        self.fails("no https URL")

    def test_login_page(self):
        """A hotel's page in the hub's place."""
        self.hub.tricks["config.json"] = [Trick("html", on="head")]
        self.fails("no Hugging Face hub", "proxy")

    def test_hash_that_is_a_path(self):
        for etag in ('"../../../evil"', '"/etc/evil"', '""', '"' + "g" * 40 + '"', '"' + "A" * 64 + '"'):
            self.hub.tricks["config.json"] = [Trick("etag", etag, on="head")]
            self.fails("no hash of config.json")
        self.assertFalse(list(self.home.glob("**/*evil*")))

    def test_404(self):
        self.hub.token = "hf_secret"
        self.fails("has no model openai-community/gpt3", name="openai-community/gpt3",
                   env={"HF_TOKEN": "hf_secret"})
        self.fails("has no revision nope", name="openai-community/gpt2@nope", env={"HF_TOKEN": "hf_secret"})
        self.hub.tricks["config.json"] = [Trick("status", 404, on="head")]
        self.fails("HF_ENDPOINT", env={"HF_TOKEN": "hf_secret"})

    def test_nobody_there(self):
        url = self.hub.url
        self.hub.close()
        self.hub.url = url
        self.fails("cannot fetch config.json of openai-community/gpt2 from 127.0.0.1", "is there a network")

    def test_proxy(self):
        """What libcurl reads of the environment: a proxy that is not there is why nothing comes."""
        self.fails("cannot fetch", env={"http_proxy": "http://127.0.0.1:9"})
        self.assertEqual(self.hub.requests(), [])
        self.pull(env={"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"})

    def test_bad_endpoint(self):
        self.fails("HF_ENDPOINT", env={"HF_ENDPOINT": "ftp://127.0.0.1"})

    def test_no_libcurl(self):
        """Where libcurl cannot be opened a download says so, and nothing else needs it."""
        bad = self.home / "lib"
        bad.mkdir()
        for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
            (bad / name).write_text("no library")
        self.fails("need libcurl", "apt install libcurl4", env={"LD_LIBRARY_PATH": str(bad)})
        self.assertIn("0 revisions", self.run_it("cache", "list", env={"LD_LIBRARY_PATH": str(bad)})[0])


class Disk(Case):
    def test_file_limit(self):
        limit = 1_000_000

        def lower():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self.fails("no room for model.safetensors", "HF_HOME", preexec_fn=lower)
        self.pull()
        self.check_whole()

    def test_full(self):
        disk = self.home / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=False,
                                 capture_output=True)
        if mounted.returncode:
            self.skipTest("may not mount a small disk")
        try:
            self.fails("no room for model.safetensors: it needs 3000000 bytes more", "No space left",
                       env={"HF_HOME": str(disk)})
            self.assertEqual(faults(disk / "hub"), [])
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    def test_read_only(self):
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            self.skipTest("root may write everywhere")
        self.pull()
        os.chmod(self.home, 0o755)
        folders = [self.home / "hf", *[p for p in (self.home / "hf").glob("**/*") if p.is_dir()]]
        for path in folders:
            os.chmod(path, 0o555)
        other = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        try:
            done = subprocess.run([*other, PROGRAM, "pull", "openai-community/gpt2"], env=self.env(),
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = subprocess.run([*other, PROGRAM, "pull", "openai-community/gpt2", "README.md"], env=self.env(),
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("HF_HOME names another folder", done.stderr)
        finally:
            for path in folders:
                os.chmod(path, 0o755)

    def test_memory(self):
        size = 200 << 20
        commit = self.hub.add("a/large", {"x.bin": Sparse(size)})
        process = self.start("pull", "a/large", "x.bin")
        most = 0
        while process.poll() is None:
            text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = re.search(r"VmHWM:\s+(\d+) kB", text)
            most = int(peak.group(1)) if peak else most
            time.sleep(0.05)
        err = process.communicate()[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual((self.model("a/large") / "snapshots" / commit / "x.bin").stat().st_size, size)
        if not SANITIZED:
            self.assertLess(most, 40 << 10, "kB for 200 MB")
        print(f"most memory of a download of 200 MB: {most / 1024:.1f} MB")


class Crashes(Case):
    def test_two_at_once(self):
        self.hub.speed = 2_000_000
        first = self.start("pull", "openai-community/gpt2")
        time.sleep(0.7)
        second = self.start("pull", "openai-community/gpt2")
        one, two = first.communicate(timeout=300), second.communicate(timeout=300)
        self.assertEqual((first.returncode, second.returncode), (0, 0), one[1] + two[1])
        self.assertEqual(one[0], two[0])
        self.assertEqual(len(self.gets()), 1, "the second waited for the first")
        self.check_whole()

    def test_second_takes_over(self):
        self.hub.speed = 1_000_000
        first = self.start("pull", "openai-community/gpt2")
        time.sleep(2)
        second = self.start("pull", "openai-community/gpt2")
        time.sleep(0.8)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        out, err = second.communicate(timeout=300)
        self.assertEqual(second.returncode, 0, err)
        self.check_whole()

    def test_kill(self):
        """Killed at any point and started again, until it is done."""
        self.hub.speed = 3_000_000
        dice, kills = random.Random(7), 0
        while True:
            process = self.start("pull", "openai-community/gpt2")
            try:
                process.communicate(timeout=dice.uniform(0.01, 0.7) if kills < 40 else 300)
                self.assertEqual(process.returncode, 0)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                self.assertEqual(faults(self.cache), [])
        self.check_whole()
        print(f"killed {kills} times before it was done")

    def test_interrupt(self):
        """Ctrl-C ends it, keeps what came, and the shell sees it."""
        self.hub.speed = 500_000
        process = self.start("pull", "openai-community/gpt2")
        while not (self.incomplete().exists() and self.incomplete().stat().st_size > 300_000):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn("Ctrl-C", err)
        self.hub.speed = None
        self.pull()
        self.assertIn("Range", self.gets()[-1].headers)
        self.check_whole()


class Offline(Case):
    def test_not_there(self):
        self.fails("is not in the cache", "downloads are off", "nextoken pull openai-community/gpt2",
                   env={"HF_HUB_OFFLINE": "1"})
        self.fails("downloads are off", env={"TRANSFORMERS_OFFLINE": "ON"})
        self.assertEqual(self.hub.requests(), [])

    def test_there(self):
        out = self.pull()[0]
        before = len(self.hub.requests())
        self.assertEqual(self.pull(env={"HF_HUB_OFFLINE": "yes"})[0], out)
        self.assertEqual(len(self.hub.requests()), before)

    def test_in_part(self):
        self.hub.tricks["model.safetensors"] = [Trick("drop", 0)]
        self.fails()
        self.fails("in part only", env={"HF_HUB_OFFLINE": "1"})
        self.fails("in part only, without model.safetensors", name=f"openai-community/gpt2@{self.commit}",
                   env={"HF_HUB_OFFLINE": "1"})

    def test_other_name(self):
        out = self.pull()[0]
        self.assertEqual(self.pull(name="gpt2", env={"HF_HUB_OFFLINE": "1"})[0], out)

    def test_hub_is_down(self):
        out = self.pull()[0]
        url = self.hub.url
        self.hub.close()
        self.hub.url = url
        again, err = self.pull()
        self.assertEqual(again, out)
        self.assertIn("cannot fetch config.json", err)
        self.assertIn(f"as the cache has it: commit {self.commit}", err)

    def test_another_is_never_taken(self):
        """A name that cannot be had is an error, whatever else lies in the cache."""
        self.pull()
        self.fails("is not in the cache", name="openai-community/gpt2-large", env={"HF_HUB_OFFLINE": "1"})
        self.fails("has no model", name="openai-community/gpt2-large")
        self.fails("gpt2@v2 is in the cache", "in part only", name="openai-community/gpt2@v2",
                   env={"HF_HUB_OFFLINE": "1"})


    def test_option(self):
        """pull --offline: whether all is in the cache."""
        self.assertIn("fetch it with nextoken pull openai-community/gpt2;", self.run_it("pull", "--offline", "openai-community/gpt2", status=1)[1])
        out = self.run_it("pull", "openai-community/gpt2")[0]
        before = len(self.hub.requests())
        self.assertEqual(self.run_it("pull", "--offline", "openai-community/gpt2")[0], out)
        self.assertEqual(len(self.hub.requests()), before)

    def test_what_forbids(self):
        """A variable that forbids to ask is named: pull alone would say the same again."""
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            self.fails(f"unset {name} and fetch it with nextoken pull", env={name: "1"})


class Cache(Case):
    def test_nothing_to_ask_with(self):
        """Neither a hub nor a token is needed for what is in the cache; they are missed where the hub is asked."""
        self.pull()
        for env, phrase in (({"HF_ENDPOINT": "ftp://x y"}, "HF_ENDPOINT"), ({"HF_TOKEN": "a b"}, "the token (HF_TOKEN)"),
                            ({"HF_TOKEN_PATH": str(self.home / "token")}, "the token (")):
            (self.home / "token").write_text("a\x01b")
            for args in (("list",), ("verify",), ("verify", "openai-community/gpt2")):
                self.run_it("cache", *args, env=env)
            self.run_it("pull", "--offline", "openai-community/gpt2", env=env)
            self.fails(phrase, env=env)
        self.run_it("cache", "remove", "openai-community/gpt2", env={"HF_TOKEN": "a b"})

    def test_list(self):
        self.assertIn("0 revisions, 0 bytes, in", self.run_it("cache", "list")[0])
        self.pull()
        self.hub.add("openai-community/gpt2", GPT2, revision="v1.0")
        self.pull(name="openai-community/gpt2@v1.0")
        out = self.run_it("cache", "list")[0]
        for phrase in ("openai-community/gpt2", self.commit, "main, v1.0", "3.0 MB", "1 revision,"):
            self.assertIn(phrase, out)
        found = json.loads(self.run_it("cache", "list", "--json")[0])
        n = sum(len(GPT2[f]) for f in FILES)
        folder = str(self.model() / "snapshots" / self.commit)
        self.assertEqual(found, {"schema": "nextoken/1", "cache": str(self.cache), "models": [
            {"name": "openai-community/gpt2", "revision": self.commit, "refs": ["main", "v1.0"], "files": 4,
             "bytes": n, "folder": folder}]})

    def test_verify(self):
        self.pull()
        out, err = self.run_it("cache", "verify")
        self.assertEqual(out, "")
        self.assertIn("4 files, 3.0 MB, are what their names say", err)
        blob = self.model() / "blobs" / playing_hub.etag_of(BIG)
        small = self.model() / "blobs" / playing_hub.etag_of(SMALL)
        whole = blob.read_bytes()
        blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        small.unlink()
        (self.model() / "blobs" / f"{'0' * 64}.incomplete").write_bytes(b"begun")
        for args in ((), ("openai-community/gpt2",)):
            out, err = self.run_it("cache", "verify", *args, status=1)
            self.assertEqual(len(out.splitlines()), 2, out)
            self.assertIn(f"{blob} holds something else", out)
            self.assertIn("config.json is a link that leads nowhere", out)
            self.assertIn("2 files,", err)
            self.assertIn("1 downloads were broken off", err)
        self.run_it("cache", "verify", "a/nothing", status=1)
        blob.unlink()
        self.pull()
        self.run_it("cache", "verify")

    def test_remove(self):
        self.hub.add("a/other", {"x": BIG})
        self.pull()
        self.pull("x", name="a/other")
        self.assertIn("3.0 MB freed", self.run_it("cache", "remove", "openai-community/gpt2")[0])
        self.assertEqual({p.name for p in self.cache.iterdir()}, {"models--a--other", ".locks", "CACHEDIR.TAG"})
        self.run_it("cache", "verify", "a/other")
        self.assertIn("is not in the cache", self.run_it("cache", "remove", "openai-community/gpt2", status=1)[1])
        for bad in ("../hf", "..", "/etc", "a/../b", ".locks", "a/other@main", "*"):
            self.run_it("cache", "remove", bad, status=1)
        self.assertTrue(self.model("a/other").is_dir())

    def test_remove_follows_no_link(self):
        kept = self.home / "kept"
        kept.mkdir()
        (kept / "file").write_text("mine")
        self.pull()
        (self.model() / "snapshots" / "out").symlink_to(kept)
        self.run_it("cache", "remove", "openai-community/gpt2")
        self.assertEqual((kept / "file").read_text(), "mine")
        (self.cache / "models--a--link").symlink_to(kept)
        self.assertIn("leads elsewhere", self.run_it("cache", "remove", "a/link", status=1)[1])
        self.assertEqual((kept / "file").read_text(), "mine")

    def test_remove_while_fetched(self):
        self.hub.speed = 500_000
        process = self.start("pull", "openai-community/gpt2")
        while not self.incomplete().exists():
            time.sleep(0.05)
        self.assertIn("another process is fetching",
                      self.run_it("cache", "remove", "openai-community/gpt2", status=1)[1])
        self.hub.speed = None
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.check_whole()

    def test_shared_blobs(self):
        """What huggingface_hub keeps for several repos in common goes with the last that needs it."""
        digest, xet = playing_hub.etag_of(BIG), "ab" + "0" * 62
        store = self.cache / "blobs"
        for name in ("a/one", "a/two"):
            self.hub.add(name, {"x": BIG})
            self.pull("x", name=name)
        (store / "ab").mkdir(parents=True)
        (store / ".huggingface-shared-blobs").write_text("1\n")
        (store / "ab" / xet).write_bytes(BIG)
        lines = [f"models--a--{n}/blobs/{digest}" for n in ("one", "two")]
        (store / "ab" / f"{xet}.refs").write_text("".join(line + "\n" for line in lines))
        for line in lines:
            (self.cache / line).unlink()
            (self.cache / line).symlink_to(f"../../blobs/ab/{xet}")
        self.assertIn("2 files, 6.0 MB, are what", self.run_it("cache", "verify")[1])
        self.assertIn("0 bytes freed", self.run_it("cache", "remove", "a/one")[0])
        self.assertTrue((store / "ab" / xet).exists())
        self.assertIn("3.0 MB freed", self.run_it("cache", "remove", "a/two")[0])
        self.assertFalse((store / "ab" / xet).exists())

    def test_usage(self):
        for args in ((), ("lost",), ("list", "x"), ("remove",), ("verify", "a", "b"), ("verify", "--json")):
            self.run_it("cache", *args, status=2)
        self.run_it("pull", status=2)
        self.run_it("pull", "gpt2", "--json", status=2)
        self.assertIn("NAME[@REVISION]", self.run_it("pull", "--help")[0])


if __name__ == "__main__":
    sys.exit(case.main())
