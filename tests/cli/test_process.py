"""The program among other programs: signals, pipes, full disks, closed descriptors."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
SANITIZED = "-fsanitize" in os.environ.get("NT_C_FLAGS", "")


def start(*args, **more):
    env = {k: v for k, v in os.environ.items() if k != "NEXTOKEN_MODEL"}
    return subprocess.Popen([str(BENCH.nextoken), *args], env=env, stderr=subprocess.PIPE,
                            **{"stdin": subprocess.DEVNULL, **more})


def shell(script):
    return subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False,
                          env={**os.environ, "NT": str(BENCH.nextoken),
                               "NEXTOKEN_MODEL": str(BENCH.model("words"))})


class Process(unittest.TestCase):
    def test_closed_stdout_is_an_error(self):
        done = shell('"$NT" next "Alice" >&-')
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"nextoken: error: cannot write to standard output: Bad file descriptor",
                      done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_full_disk_is_an_error(self):
        for command in ("next", "generate --json", "score --csv", "tokenize"):
            done = shell(f'"$NT" {command} "Alice is a" >/dev/full')
            self.assertEqual(done.returncode, 1, command)
            self.assertIn(b"cannot write to standard output: No space left on device", done.stderr)

    def test_full_disk_in_jsonl(self):
        done = shell('for i in 1 2 3; do echo "{\\"text\\": \\"Alice is\\"}"; done | '
                     '"$NT" score --jsonl - >/dev/full')
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left on device", done.stderr)

    def test_a_reader_that_leaves_is_no_error_message(self):
        done = shell('yes "{\\"text\\": \\"Alice is\\"}" | head -2000 | "$NT" score --jsonl - | head -1')
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertEqual(done.stderr, b"")

    def test_npz_on_a_full_disk_leaves_nothing(self):
        done = shell('"$NT" inspect --npz /dev/full/x.npz "Alice"')
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_a_file_that_may_not_grow_is_an_error(self):
        with tempfile.TemporaryDirectory() as tmp:
            done = shell(f'ulimit -f 1; "$NT" inspect --npz {tmp}/x.npz "Alice is a" >/dev/null')
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"File too large", done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)
            self.assertEqual(os.listdir(tmp), [])

    def test_npz_opens(self):
        import zipfile
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "a.npz"
            done = BENCH.run("inspect", "-m", str(BENCH.model("words")), "--npz", str(path), "Alice is a")
            self.assertEqual(done.returncode, 0, done.stderr)
            with zipfile.ZipFile(path) as archive:
                self.assertIsNone(archive.testzip())
                self.assertEqual(sorted(archive.namelist()),
                                 ["attentions.npy", "hidden_norms.npy", "hidden_states.npy",
                                  "logit_lens_uncalibrated.npy", "logits.npy"])
                header = archive.read("logits.npy")[:128]
                self.assertIn(b"'shape': (3, 50257)", header)
                self.assertIn(b"'shape': (3, 4, 3, 3)", archive.read("attentions.npy")[:128])
            self.assertEqual(os.listdir(tmp), ["a.npz"])

    def test_npz_holds_what_is_asked_for(self):
        import zipfile
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "a.npz"
            done = BENCH.run("inspect", "-m", str(BENCH.model("words")), "--npz", str(path),
                             "--arrays", "logit_lens,logits", "Alice is a")
            self.assertEqual(done.returncode, 0, done.stderr)
            with zipfile.ZipFile(path) as archive:
                self.assertEqual(sorted(archive.namelist()),
                                 ["hidden_norms.npy", "logit_lens_uncalibrated.npy", "logits.npy"])
                self.assertIn(b"'shape': (4, 3, 50257)",
                              archive.read("logit_lens_uncalibrated.npy")[:128])

    def interrupt(self, *args, **more):
        """Starts a run that would last long, waits until it works, and sends Ctrl-C."""
        run = start(*args, **more)
        time.sleep(1.5)
        self.assertIsNone(run.poll(), "the run was over before Ctrl-C")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        return run.returncode, out, err

    def test_interrupted_generate_keeps_what_was_made(self):
        status, out, err = self.interrupt(
            "generate", "-m", str(BENCH.model("long")), "--json", "--max-new-tokens", "4000",
            "--eos-token-id", "none", "Alice is a", stdout=subprocess.PIPE)
        self.assertEqual(status, -signal.SIGINT, err)
        sequence = json.loads(out)["sequences"][0]
        self.assertEqual(sequence["finish_reason"], "callback")
        self.assertGreater(len(sequence["ids"]), 0)

    def test_interrupted_searches_keep_what_was_made(self):
        long = ("-m", str(BENCH.model("long")), "--max-new-tokens", "4000", "--eos-token-id", "none")
        for search in (["--num-beams", "3", "--num-return-sequences", "2"],
                       ["--do-sample", "--num-return-sequences", "2"], ["--best-of", "2", "--do-sample"]):
            with self.subTest(search):
                status, out, err = self.interrupt("generate", *long, *search, "--json", "Alice is a",
                                                  stdout=subprocess.PIPE)
                self.assertEqual(status, -signal.SIGINT, err)
                for sequence in json.loads(out)["sequences"]:
                    self.assertEqual(sequence["finish_reason"], "callback")
                    self.assertGreater(len(sequence["ids"]), 0)
        status, out, err = self.interrupt("steps", *long, "--json", "Alice is a", stdout=subprocess.PIPE)
        self.assertEqual(status, -signal.SIGINT, err)
        self.assertGreater(len(json.loads(out)["steps"]), 0)

    def test_interrupted_exact_search_keeps_what_was_found(self):
        status, out, err = self.interrupt(
            "generate", "-m", str(BENCH.model("long")), "--search", "exact", "--horizon", "10", "--json",
            "--max-nodes", "100000000", "--eos-token-id", "none", "Alice is a", stdout=subprocess.PIPE)
        self.assertEqual(status, -signal.SIGINT, err)
        result = json.loads(out)
        self.assertEqual(len(result["sequences"][0]["ids"]), 10)
        self.assertEqual((result["proof"]["proved"], result["proof"]["limit"]), (False, "callback"))

    def test_beams_of_an_exact_search_add_up(self):
        done = BENCH.run("generate", "-m", str(BENCH.model("letters")), "--search", "exact", "--horizon", "3",
                         "--repetition-penalty", "2", "--suppress-tokens", "221", "--json", "--trace", "hello")
        beams = json.loads(done.stdout)["trace"]["beams"]
        self.assertGreater(len(beams), 10)
        for beam in beams:
            before = 0 if beam["parent"] is None else beams[beam["parent"]]["sum"]
            self.assertAlmostEqual(before + beam["processed_logprob"], beam["sum"], delta=1e-6)

    def test_interrupted_jsonl_leaves_whole_lines(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for _ in range(4000):
                file.write(json.dumps({"text": "Alice is a " * 300}) + "\n")
            file.flush()
            status, out, err = self.interrupt("score", "-m", str(BENCH.model("long")), "--jsonl",
                                              file.name, stdout=subprocess.PIPE)
        self.assertEqual(status, -signal.SIGINT)
        self.assertIn(b"nextoken: error: stopped by Ctrl-C after", err)
        for i, line in enumerate(out.splitlines()):
            self.assertEqual(json.loads(line)["index"], i)
        self.assertTrue(out == b"" or out.endswith(b"\n"))

    def test_interrupted_count_of_what_has_no_end(self):
        status, out, err = self.interrupt("tokenize", "--count", "/dev/stdin", stdout=subprocess.PIPE,
                                          stdin=subprocess.PIPE)
        self.assertEqual((status, out), (-signal.SIGINT, b""))
        self.assertEqual(err, b"nextoken: error: stopped by Ctrl-C\n")

    def test_interrupted_count_waiting_for_a_pipe(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "pipe")
            os.mkfifo(path)
            status, _, err = self.interrupt("tokenize", "--count", path, stdout=subprocess.PIPE)
        self.assertEqual(status, -signal.SIGINT)
        self.assertEqual(err, b"nextoken: error: stopped by Ctrl-C\n")

    def test_count_through_a_pipe_in_bounded_memory(self):
        limit = "" if SANITIZED else "ulimit -v 600000; " # which a sanitizer's own memory passes by far
        done = shell(limit + 'yes " This weekend I plan to" | head -4000000 | tr -d "\\n" | '
                     '"$NT" tokenize -m gpt2 -t 1 --count - --json')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["files"],
                         [{"file": "standard input", "bytes": 92000000, "characters": 92000000,
                           "tokens": [20000000]}])

    def test_count_has_the_tokens_of_tokenize(self):
        """Also of a tokenizer that takes a text whole, as Llama's of the first years."""
        with tempfile.TemporaryDirectory() as tmp:
            words = pathlib.Path(tmp) / "tokenizer.json"
            alphabet = " abcdefghijklmnopqrstuvwxyz\n.\u2581"
            model = {"type": "BPE", "vocab": {c: i for i, c in enumerate(alphabet)}, "merges": []}
            space = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
                     "split": False}
            words.write_text(json.dumps({"version": "1.0", "added_tokens": [], "model": model,
                                         "pre_tokenizer": space, "decoder": space}), "utf-8")
            text = pathlib.Path(tmp) / "text"
            text.write_text("a cat and a dog.\n" * 30000, "ascii")
            for name in ("gpt2", str(words)):
                whole = json.loads(BENCH.run("tokenize", "-m", name, "--json", "-q", "-",
                                             stdin=text.read_bytes()).stdout)
                for threads in ("1", "2"):
                    done = BENCH.run("tokenize", "-m", name, "--count", str(text), "--json", "-t", threads)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(json.loads(done.stdout)["files"][0]["tokens"], [len(whole["ids"])])
            self.assertEqual(len(whole["ids"]), 1 + 17 * 30000)

    def test_truncation_and_padding_are_said(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / "tokenizer.json"
            model = {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "c": 2, "[PAD]": 3}, "unk_token": "a"}
            file = {"version": "1.0", "added_tokens": [], "model": model,
                    "pre_tokenizer": {"type": "WhitespaceSplit"},
                    "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst",
                                   "stride": 0},
                    "padding": {"strategy": {"Fixed": 4}, "direction": "Right", "pad_id": 3,
                                "pad_to_multiple_of": None, "pad_type_id": 0, "pad_token": "[PAD]"}}
            path.write_text(json.dumps(file), "utf-8")
            done = BENCH.run("tokenize", "-m", str(path), "--json", "a b c")
            self.assertEqual(json.loads(done.stdout)["ids"], [0, 1, 3, 3])
            self.assertIn(b"truncation, 2 of 3 tokens are left; and for padding, 2 tokens are added",
                          done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)
            self.assertEqual(BENCH.run("tokenize", "-q", "-m", str(path), "a b c").stderr, b"")

    def test_terminal_gets_colour_and_a_pipe_does_not(self):
        args = ["next", "-m", str(BENCH.model("words")), "Alice"]
        self.assertNotIn(b"\033[", BENCH.run(*args).stdout)
        self.assertIn(b"\033[", BENCH.run(*args, "--color=always").stdout)
        master, slave = os.openpty()
        run = start(*args, stdout=slave)
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:
            pass  # Linux says EIO when the other end is closed
        os.close(master)
        self.assertEqual(run.wait(timeout=30), 0)
        run.stderr.close()
        self.assertIn(b"\033[", shown)


if __name__ == "__main__":
    unittest.main()
