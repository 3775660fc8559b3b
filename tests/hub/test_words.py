"""What a user is told who names a wrong model, may not have it, or meets a server that means harm."""

import fcntl
import itertools
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import sys
import termios
import time

import case
from case import BIG, GPT2, SANITIZED, SMALL, Case
from playing_hub import Sparse, Trick


class Names(Case):
    def test_did_you_mean(self):
        for name, meant in (("gtp2", "gpt2"), ("GPT2", "gpt2"), ("gpt2-larg", "gpt2-large"),
                            ("openai-comunity/gpt2", "openai-community/gpt2"), ("distillgpt2", "distilgpt2"),
                            ("pythia-70m", "EleutherAI/pythia-70m"), ("eleutherai/Pythia-70M", "EleutherAI/pythia-70m"),
                            ("opt-125m", "facebook/opt-125m"), ("qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B")):
            self.fails(f"has no model {name} ", f"did you mean {meant}?", name=name)
            self.fails(f"did you mean {meant}?", name=name, env={"HF_HUB_OFFLINE": "1"})
        for name in ("gpt2", "some/thing", "bert", "a"):
            self.assertNotIn("did you mean", self.fails("has no model", "is the name right?", name=name))

    def test_did_you_mean_what_is_cached(self):
        self.hub.add("ann/very-own", {"x": b"x"})
        self.pull("x", name="ann/very-own")
        self.fails("did you mean ann/very-own?", name="ann/veri-own")
        self.pull()
        for verb in ("verify", "remove"):
            for name, meant in (("gpt2", "openai-community/gpt2"), ("very-own", "ann/very-own")):
                err = self.run_it("cache", verb, name, status=1)[1]
                self.assertIn(f"{name} is not in the cache ({self.cache}): did you mean {meant}?", err)
            err = self.run_it("cache", verb, "pythia-70m", status=1)[1]
            self.assertIn("nextoken cache list shows what is", err)

    def test_addresses(self):
        for word, name in (("https://huggingface.co/gpt2", "gpt2"), ("hf.co/a/b", "a/b"), ("huggingface.co/a/b/", "a/b"),
                           ("https://huggingface.co/a/b/tree/main", "a/b"), ("hf://a/b", "a/b"),
                           ("https://huggingface.co/a/b?x=1", "a/b")):
            self.fails(f'"{word}" is an address: the model\'s name is {name}\n', name=word)
        self.fails("is an address, and no model's name", name="https://")
        self.assertEqual(self.hub.requests(), [])

    def test_no_model_by_its_name(self):
        self.hub.add("a/gguf", {"m.gguf": BIG})
        self.fails("a/gguf has no config.json", f"{self.hub.url}/a/gguf/tree/main", "nextoken pull a/gguf FILE",
                   name="a/gguf")
        self.hub.add("a/tf", {"config.json": SMALL, "tokenizer.json": b"{}", "tf_model.h5": BIG})
        self.fails("a/tf holds neither safetensors nor pytorch_model.bin", name="a/tf")

    def test_another_family(self):
        """What cannot be run is refused before its weights are on their way."""
        self.hub.add("a/bert", {**GPT2, "config.json": b'{"model_type": "bert"}'})
        for _ in range(2):
            self.fails('model_type "bert" is not supported', name="a/bert")
        self.assertEqual(self.gets(), [])
        self.pull("model.safetensors", name="a/bert")

    def test_token_from(self):
        """A token that is refused is told by where it came from; and how to go without it."""
        self.hub.refusals["openai-community/gpt2"] = (401, "", "Invalid credentials in Authorization header")
        self.fails("refuses the token (HF_TOKEN)", "Invalid credentials", "HF_HUB_DISABLE_IMPLICIT_TOKEN=1",
                   env={"HF_TOKEN": "hf_old"})
        (self.home / "hf").mkdir(exist_ok=True)
        (self.home / "hf" / "token").write_text("hf_old")
        err = self.fails(f"refuses the token ({self.home / 'hf' / 'token'})")
        self.assertNotIn("hf_old", err)

    def test_refusals(self):
        settings = "fine-grained token settings"
        for i, (refusal, env, phrases) in enumerate([
                ((403, "GatedRepo", f"Please enable access in your {settings}"), {"HF_TOKEN": "hf_x"},
                 ("is gated, and the token (HF_TOKEN) does not open it", settings, "accept its terms")),
                ((403, "GatedRepo", ""), {}, ("is gated: accept its terms at",)),
                ((401, "GatedRepo", ""), {}, ("is gated: accept its terms at",)),
                ((403, "", "Access to this resource is disabled."), {},
                 ("does not give", "(403: Access to this resource is disabled.)")),
                ((403, "", "Access to this resource is disabled."), {"HF_TOKEN": "hf_x"}, ("is disabled",)),
                ((403, "", ""), {}, ("does not give", "(403)")),
                ((401, "RepoNotFound", "Repository not found"), {}, ("has no model", "that everyone may see")),
                ((401, "", "Invalid username or password."), {}, ("has no model", "needs a token")),
                ((404, "RepoNotFound", ""), {"HF_TOKEN": "hf_x"}, ("has no model", "that the token may see")),
                ((404, "RevisionNotFound", ""), {}, ("has no revision main",)),
                ((404, "EntryNotFound", ""), {}, ("has no config.json",)),
                ((404, "", ""), {}, ("answers 404", "HF_ENDPOINT")),
                ((451, "", "Not here"), {}, ("answers 451", "Not here")),
                ((418, "", ""), {}, ("answers 418",))]):
            self.hub.add(f"a/r{i}", GPT2)
            self.hub.refusals[f"a/r{i}"] = refusal
            self.assertEqual(self.fails(f"a/r{i}", *phrases, name=f"a/r{i}", env=env).count("\n"), 1)

    def test_nobody_there_is_told_soon(self):
        with socket.socket() as held:  # bound, and nobody listens
            held.bind(("127.0.0.1", 0))
            began = time.time()
            err = self.fails("is there a network?", env={"HF_ENDPOINT": "http://127.0.0.1:%d" % held.getsockname()[1]})
        self.assertLess(time.time() - began, 30)
        self.assertLess(err.count("\n"), 3)


class Progress(Case):
    def lines(self, columns):
        """What a terminal of so many columns is sent, line by line, without what moves the cursor."""
        shutil.rmtree(self.cache, ignore_errors=True)
        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([case.PROGRAM, "pull", "a/shards"], env=self.env(TERM="xterm"), stderr=terminal,
                                   stdout=subprocess.DEVNULL)
        os.close(terminal)
        said = b""
        while True:
            try:
                part = os.read(master, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
        os.close(master)
        self.assertEqual(process.wait(60), 0, said)
        plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said.decode())
        return [line for line in re.split("[\r\n]+", plain) if line]

    def test_width(self):
        """No line is broken by the terminal: what is cleared would be the rest of it alone."""
        names = [f"model-{i:05}-of-00003.safetensors" for i in range(1, 4)]
        index = json.dumps({"weight_map": {n: n for n in names}}).encode()
        self.hub.add("a/shards", {"config.json": SMALL, "tokenizer.json": b"{}", "model.safetensors.index.json": index,
                                  **{n: n.encode() * 40_000 for n in names}})
        self.hub.speed = 500_000
        for columns in (120, 80, 50, 30, 12):
            lines = self.lines(columns)
            self.assertLess(max(map(len, lines)), columns, lines)
            self.assertTrue([line for line in lines if "MB" in line], lines)
            self.assertEqual(any("#" in line for line in lines), columns > 75, lines)


class Harm(Case):
    """Servers that mean harm: one line, soon, and memory stays flat."""

    def test_escapes(self):
        self.hub.refusals["openai-community/gpt2"] = (403, "", "\x1b[2J\x1b]0;mine\x07 read this")
        self.assertNotIn("\x1b", self.fails("read this"))
        self.hub.refusals.clear()
        index = json.dumps({"weight_map": {"\x1b[31mt": "\x1b[2J.safetensors"}}).encode()
        self.hub.add("a/evil", {"config.json": SMALL, "tokenizer.json": b"{}", "model.safetensors.index.json": index})
        self.assertNotIn("\x1b", self.fails("no plain file name", name="a/evil"))

    def test_headers_without_end(self):
        line = b"X-Filler: " + b"x" * 900 + b"\r\n"
        start = b"HTTP/1.1 200 OK\r\n"
        for parts in (itertools.chain([start], itertools.repeat(line, 100_000)),
                      itertools.chain([start, b"X-Long: "], itertools.repeat(b"y" * 1000, 20_000)),
                      itertools.chain(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n", 400_000))):
            self.hub.tricks["config.json"] = [Trick("raw", parts, times=1, on="head"),
                                              *(Trick("status", 403, on="head") for _ in range(9))]
            began = time.time()
            err = self.fails()
            self.assertLess(time.time() - began, 100)
            self.assertLess(len(err), 1000)

    def test_no_answer_at_all(self):
        for raw in (b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                    b"HTTP/1.1 302 Found\r\nLocation: /" + b"a" * 9000 + b"\r\n\r\n", b"\0" * 5000):
            self.hub.tricks["config.json"] = [Trick("raw", [raw], times=2, on="head"),
                                              Trick("status", 403, on="head")]
            self.assertLess(len(self.fails()), 1500)

    def test_gzip_that_was_not_asked_for(self):
        """What comes packed is not unpacked: it is not the file, and its hash says so."""
        self.hub.tricks["tokenizer.json"] = [Trick("gzip", 50 << 20)]
        self.fails("tokenizer.json")

    def test_large_texts(self):
        self.hub.add("a/large", {"config.json": SMALL, "tokenizer.json": Sparse(300 << 20)})
        self.fails("tokenizer.json of a/large has 314572800 bytes", "nextoken pull a/large tokenizer.json",
                   name="a/large")
        self.assertEqual(self.gets(), [])

    def test_index_of_many(self):
        index = {"weight_map": {f"t{i}": f"{i}.safetensors" for i in range(100_000)}}
        self.hub.add("a/many", {"config.json": SMALL, "tokenizer.json": b"{}",
                                "model.safetensors.index.json": json.dumps(index).encode()})
        began = time.time()
        self.fails("more than 10000 files", name="a/many")
        self.assertLess(time.time() - began, 200 if SANITIZED else 60)


if __name__ == "__main__":
    sys.exit(case.main())
