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


def start(*args, **more):
    env = {k: v for k, v in os.environ.items() if k != "NEXTOKEN_MODEL"}
    return subprocess.Popen([str(BENCH.nextoken), *args], env=env, stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, **more)


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
