"""nextoken explore, driven as a person drives it: through a pseudo-terminal, and through tmux where
that is installed. What is taken and shown is held against transformers' figures in oracle.json."""

import contextlib
import errno
import fcntl
import json
import math
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
ORACLE = json.loads((harness.HERE / "oracle.json").read_text(encoding="utf-8"))["cases"]
CASE = next(c for c in ORACLE if c["text"] == "This weekend I plan to")
ALLOWED = 2e-6  # of the logits' range, as in test_oracle.py
PATIENCE = 60

UP, DOWN, RIGHT, LEFT = "\033[A", "\033[B", "\033[C", "\033[D"
ENTER, BACK, ESCAPE = "\r", "\x7f", "\033"
LEAVE = b"\033[?1049l"
WORDS = ("-m", str(BENCH.model("words")))


class Terminal:
    """The program in a terminal of its own; what it prints in the end comes through a pipe."""

    def __init__(self, *args, rows=24, columns=80, env=None, on_terminal=False, stdin=None):
        self.master, self.slave = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        variables = {k: v for k, v in os.environ.items() if k not in ("NEXTOKEN_MODEL", "NO_COLOR", "COLUMNS")}
        variables.update({"TERM": "xterm-256color", "HF_HUB_OFFLINE": "1", **(env or {})})

        def take_terminal():
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

        self.screen = b""
        self.run = subprocess.Popen(
            [str(BENCH.nextoken), "explore", *args], env=variables, preexec_fn=take_terminal,
            stdin=self.slave if stdin is None else subprocess.PIPE,
            stdout=self.slave if on_terminal else subprocess.PIPE, stderr=subprocess.PIPE)
        if stdin is not None:
            self.run.stdin.write(stdin)
            self.run.stdin.close()
            self.run.stdin = None

    def size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """What comes within some time."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            piece = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            piece = b""
        self.screen += piece
        return piece

    def wait(self, *phrases, since=0):
        """Until all phrases have come."""
        end = time.monotonic() + PATIENCE
        while any(p.encode() not in self.screen[since:] for p in phrases):
            if time.monotonic() > end or (self.run.poll() is not None and not self.read(0.1)):
                raise AssertionError(f"no {phrases} in {self.screen[since:]!r} {self.errors()}")
            self.read(0.2)

    def errors(self):
        return self.run.stderr.read() if self.run.poll() is not None else ""

    def send(self, *keys):
        """Key by key, each when the frame that the last one made is there."""
        for key in keys:
            at = len(self.screen)
            os.write(self.master, key.encode())
            self.wait("\033[?2026l", since=at)
            while self.read(0.05):
                pass

    def leave(self, key="q"):
        """Ends it; what it printed."""
        if key:
            os.write(self.master, key.encode())
        return self.end()

    def end(self):
        end = time.monotonic() + PATIENCE
        while self.run.poll() is None and time.monotonic() < end:
            self.read(0.05)
        while self.read(0.05):
            pass
        out, err = self.run.communicate(timeout=PATIENCE)
        return self.run.returncode, out, err

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.run.kill()
        self.run.wait()
        for stream in (self.run.stdout, self.run.stderr):
            if stream:
                stream.close()
        os.close(self.master)
        os.close(self.slave)


class Driven(unittest.TestCase):
    def start(self, *args, **more):
        terminal = Terminal(*args, **more)
        self.addCleanup(terminal.close)
        return terminal

    def begin(self, *args, text=CASE["text"], **more):
        terminal = self.start(*WORDS, "--json", *args, text, **more)
        terminal.wait("\033[?2026l")
        return terminal

    def path(self, terminal, key="q"):
        status, out, err = terminal.leave(key)
        self.assertEqual(status, 0, err)
        return json.loads(out)


class Steps(Driven):
    def check_step(self, step, k):
        theirs = CASE["next"][k]
        self.assertEqual((step["id"], step["rank"]), (theirs["id"], k + 1))
        self.assertLessEqual(abs(step["logprob"] - theirs["logprob"]) / CASE["range"], ALLOWED)
        self.assertAlmostEqual(step["prob"], math.exp(step["logprob"]), delta=1e-7)

    def test_walk_and_take(self):
        terminal = self.begin()
        terminal.send(DOWN, DOWN, ENTER)
        result = self.path(terminal)
        self.assertEqual((result["schema"], result["prompt_ids"]), ("nextoken/1", CASE["ids"]))
        self.assertEqual([s["how"] for s in result["path"]], ["taken"])
        self.check_step(result["path"][0], 2)
        self.assertEqual(result["ids"], [result["path"][0]["id"]])

    def test_number_keys_and_arrows_take(self):
        for keys, k in ((["4"], 3), ([RIGHT], 0), ([DOWN, DOWN, UP, RIGHT], 1), (["\033OB", ENTER], 1),
                        (["\033[6~", "\033[5~", "\033[B", ENTER], 1), (["\033[F", "\033[H", ENTER], 0)):
            with self.subTest(keys):
                terminal = self.begin()
                terminal.send(*keys)
                self.check_step(self.path(terminal)["path"][0], k)

    def test_sequences_in_pieces_as_over_a_slow_line(self):
        terminal = self.begin()
        for byte in DOWN:
            os.write(terminal.master, byte.encode())
            time.sleep(0.2)
        terminal.send(ENTER)
        self.check_step(self.path(terminal)["path"][0], 1)

    def test_greedy_is_transformers(self):
        terminal = self.begin()
        terminal.send("g", "5")
        terminal.send(ENTER)
        terminal.wait("5 steps")
        result = self.path(terminal)
        self.assertEqual(result["ids"], CASE["greedy"][:5])
        self.assertEqual({s["how"] for s in result["path"]}, {"greedy"})
        self.assertAlmostEqual(result["logprob"], sum(s["logprob"] for s in result["path"]), delta=1e-6)

    def test_back_and_forth_ends_where_it_would_have(self):
        terminal = self.begin()
        terminal.send("g", "6", ENTER)
        terminal.wait("6 steps")
        terminal.send(BACK, LEFT, BACK, "3", BACK, "g", "3")
        at = len(terminal.screen)
        terminal.send(ENTER)
        terminal.wait("3 steps", since=at)
        self.assertEqual(self.path(terminal)["ids"], CASE["greedy"][:6])
        terminal = self.begin()
        terminal.send("1", BACK)
        at = len(terminal.screen)
        terminal.send(BACK)
        terminal.wait("nothing was taken yet", since=at)
        self.assertEqual(self.path(terminal)["ids"], [])

    def test_draws_are_those_of_generate(self):
        for rng in ("philox", "torch"):
            options = ["--temperature", "0.9", "--top-k", "20", "--seed", "3", "--rng", rng]
            done = BENCH.run("generate", *WORDS, "--json", *options, "--max-new-tokens", "6", "--eos-token-id",
                             "none", CASE["text"])
            terminal = self.begin(*options)
            terminal.send(*"ssssss")
            result = self.path(terminal)
            self.assertEqual(result["ids"], json.loads(done.stdout)["sequences"][0]["ids"], rng)
            self.assertEqual({(s["how"], s["seed"]) for s in result["path"]}, {("drawn", 3)})

    def test_options_act_from_where_they_change(self):
        text = "A long long time ago, "
        done = BENCH.run("generate", *WORDS, "--json", "--repetition-penalty", "1.5", "--max-new-tokens", "8",
                         "--min-new-tokens", "8", text)
        terminal = self.begin("--min-new-tokens", "8", text=text)
        terminal.send(*":repetition-penalty 1.5")
        terminal.send(ENTER, "g", "8")
        terminal.send(ENTER)
        terminal.wait("8 steps")
        self.assertEqual(self.path(terminal)["ids"], json.loads(done.stdout)["sequences"][0]["ids"])

    def test_find(self):
        wanted = CASE["next"][4]["id"]
        typed = json.loads(BENCH.run("detokenize", *WORDS, "--json", str(wanted)).stdout)["text"]
        terminal = self.begin()
        terminal.send("/", *typed)
        terminal.send(ENTER)
        step = self.path(terminal)["path"][0]
        self.assertEqual(step["how"], "found")
        self.check_step(step, 4)

    def test_find_beyond_ascii(self):
        terminal = self.begin()
        terminal.send("/")
        os.write(terminal.master, "é".encode()[:1])  # a character in two pieces
        time.sleep(0.1)
        at = len(terminal.screen)
        os.write(terminal.master, "é".encode()[1:])
        terminal.wait("find: é", since=at)
        terminal.send(ENTER)
        self.assertEqual(self.path(terminal)["ids"], [2634])

    def test_the_least_screen(self):
        terminal = self.begin(rows=6, columns=24)
        self.assertIn(b"plan to", terminal.screen)
        self.assertIn(b"leave", terminal.screen)
        terminal.send(DOWN, "\033[B", "?", "q", ENTER)
        self.check_step(self.path(terminal)["path"][0], 2)
        terminal = self.begin(rows=4, columns=10)
        self.assertIn(b"too small", terminal.screen)
        self.path(terminal)

    def test_ids_without_a_tokenizer(self):
        terminal = self.start("-m", str(BENCH.model("bare")), "--ids", "1,2,3")
        terminal.wait("\033[?2026l")
        terminal.send("1", "1")
        done = BENCH.run("generate", "-m", str(BENCH.model("bare")), "--ids", "1,2,3", "--json",
                         "--max-new-tokens", "2", "--eos-token-id", "none")
        ids = [1, 2, 3, *json.loads(done.stdout)["sequences"][0]["ids"]]
        status, out, _ = terminal.leave()
        self.assertEqual((status, out.decode().strip()), (0, ",".join(map(str, ids))))

    def test_the_context_ends(self):
        n = 320  # of model words
        terminal = self.start(*WORDS, "--ids", ",".join(["44484"] * n), "--json")
        terminal.wait("\033[?2026l")
        terminal.send("1")
        terminal.wait(str(n))
        self.assertEqual(self.path(terminal)["ids"], [])

    def test_an_empty_prompt_begins_with_bos(self):
        terminal = self.start("-m", str(BENCH.model("words")), "--json", "")
        terminal.wait("BOS added")
        result = self.path(terminal)
        self.assertEqual((result["bos"], result["prompt_ids"]), (True, [50256]))

    def test_options_that_cannot_be(self):
        terminal = self.begin()
        for line, answer in ((":tpo-k 5", "did you mean"), (":top-k x", "top-k"), (":max-new-tokens 3", "single step"),
                             (":top-p", "needs a value")):
            terminal.send(*line)
            at = len(terminal.screen)
            terminal.send(ENTER)
            terminal.wait(answer, since=at)
        terminal.send("1")
        self.check_step(self.path(terminal)["path"][0], 0)


class Ways(Driven):
    """In and out."""

    def test_leaving_prints_the_text_and_restores_the_terminal(self):
        for key in ("q", ESCAPE, "\x03", "\x04"):
            with self.subTest(key):
                terminal = self.start(*WORDS, "Alice")
                terminal.wait("\033[?2026l")
                self.assertNotEqual(termios.tcgetattr(terminal.slave), terminal.before)
                terminal.send("1")
                status, out, err = terminal.leave(key)
                self.assertEqual((status, out, err), (0, b"Alice Ms\n", b""))
                self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)
                self.assertIn(LEAVE, terminal.screen)

    def test_signals_restore_the_terminal(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT):
            with self.subTest(number):
                terminal = self.start(*WORDS, "Alice")
                terminal.wait("\033[?2026l")
                terminal.run.send_signal(number)
                status, _, _ = terminal.end()
                self.assertEqual(status, -number)
                self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)
                self.assertIn(LEAVE, terminal.screen)

    def test_without_a_terminal(self):
        done = BENCH.run("explore", *WORDS, "Alice", start_new_session=True)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"there is no terminal to draw on", done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_on_a_terminal_that_cannot_be_drawn_on(self):
        terminal = self.start(*WORDS, "Alice", env={"TERM": "dumb"})
        status, out, err = terminal.end()
        self.assertEqual((status, out), (1, b""))
        self.assertIn(b"TERM is dumb", err)
        self.assertEqual(terminal.screen, b"")

    def test_a_text_from_standard_input(self):
        terminal = self.start(*WORDS, "-", stdin=b"Alice")
        terminal.wait("\033[?2026l")
        terminal.send("1")
        self.assertEqual(terminal.leave()[:2], (0, b"Alice Ms\n"))

    def test_what_is_printed_on_the_terminal_stands_below(self):
        terminal = self.start(*WORDS, "Alice", on_terminal=True)
        terminal.wait("\033[?2026l")
        terminal.send("1")
        self.assertEqual(terminal.leave()[0], 0)
        self.assertEqual(terminal.screen.rpartition(LEAVE)[2], b"Alice Ms\r\n")

    def test_ctrl_c_stops_following(self):
        terminal = self.start(*WORDS, "--json", "Alice")
        terminal.wait("\033[?2026l")
        terminal.send("g", "3", "0", "0")
        os.write(terminal.master, ENTER.encode())
        terminal.wait("9 tokens")
        at = len(terminal.screen)
        os.write(terminal.master, b"\x03")
        while not re.search(rb"  (stopped|\d+ steps)\033", terminal.screen[at:]):  # within a step, or between two
            self.assertIsNone(terminal.run.poll())
            terminal.read(0.2)
        ids = self.path(terminal)["ids"]
        self.assertGreater(len(ids), 3)
        self.assertLess(len(ids), 300)

    def test_no_colours_where_none_are_wanted(self):
        terminal = self.begin(env={"NO_COLOR": "1"})
        terminal.send("1", "t")
        self.path(terminal)
        styles = set(re.findall(rb"\033\[([0-9;]*)m", terminal.screen))
        self.assertLessEqual(styles, {b"0", b"0;7", b""})

    def test_a_step_draws_only_what_changed(self):
        terminal = self.begin()
        at = len(terminal.screen)
        terminal.send(DOWN)
        drawn = terminal.screen[at:]
        self.assertEqual(drawn.count(b"\033[2K"), 2)  # the row that was chosen, and the one that is
        self.assertNotIn(b"\033[2J", drawn)

    def test_tokens_drive_no_terminal(self):
        terminal = self.start("-m", str(BENCH.model("letters")), "--json", "a\033[31mb\x07\x9b\u202e")
        terminal.wait("\033[?2026l")
        terminal.send("/", "\x1b"[:0] + "a", ESCAPE, "2", "3")
        self.path(terminal)
        self.assertNotIn(b"\033[31mb", terminal.screen)
        self.assertNotIn(b"\x07", terminal.screen)
        self.assertNotIn("\u202e".encode(), terminal.screen)

    def test_other_outputs_are_refused(self):
        for option in (["--csv"], ["--jsonl", "-"], ["--html", "page.html"], ["-o", "file"]):
            done = BENCH.run("explore", *WORDS, *option, *([] if "--jsonl" in option else ["Alice"]))
            self.assertEqual((done.returncode, done.stderr.count(b"\n")), (2, 1), option)


class Screen:
    """A shell in tmux, whose screen can be read."""

    def __init__(self, rows, columns):
        self.name = f"nextoken-{os.getpid()}-{time.monotonic_ns()}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "x", "-x", str(columns), "-y", str(rows),
                  "env PS1='$ ' LC_ALL=C.UTF-8 HF_HUB_OFFLINE=1 bash --norc --noprofile")
        self.tmux("set-option", "-g", "status", "off")

    def tmux(self, *args):
        return subprocess.run(["tmux", "-u", "-L", self.name, *args], capture_output=True, timeout=PATIENCE, check=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode()

    def lines(self):
        return self.tmux("capture-pane", "-p", "-t", "x").split("\n")

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "x", *keys)

    def wait(self, *phrases):
        end = time.monotonic() + PATIENCE
        while True:
            lines = self.lines()
            if all(any(p in line for line in lines) for p in phrases):
                return lines
            if time.monotonic() > end:
                raise AssertionError(f"no {phrases} in\n" + "\n".join(lines))
            time.sleep(0.1)


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Screens(unittest.TestCase):
    def start(self, rows, columns, *more):
        screen = Screen(rows, columns)
        self.addCleanup(screen.tmux, "kill-server")
        screen.folder = tempfile.TemporaryDirectory()
        self.addCleanup(screen.folder.cleanup)
        words = " ".join([str(BENCH.nextoken), "explore", *WORDS, *more, f"'{CASE['text']}'"])
        screen.keys(f"stty -a > {screen.folder.name}/before; {words}; stty -a > {screen.folder.name}/after; echo do''ne",
                    "Enter")
        screen.wait("▸", "leave")
        return screen

    def rows_of(self, lines, n):
        """(rank, percent) of the first n rows of the table."""
        found = [re.match(r"[▸ ] +(\d+)  .* (\d+\.\d\d) %", line) for line in lines]
        return [(int(m[1]), float(m[2])) for m in found if m][:n]

    def check_oracle(self, lines, n):
        for (rank, percent), theirs in zip(self.rows_of(lines, n), CASE["next"], strict=False):
            self.assertLessEqual(abs(percent - 100 * math.exp(theirs["logprob"])), 0.0051, rank)
        self.assertEqual([r for r, _ in self.rows_of(lines, n)], list(range(1, n + 1)))

    def end(self, screen, phrase):
        screen.wait("done", phrase)
        folder = pathlib.Path(screen.folder.name)
        self.assertEqual((folder / "before").read_text(), (folder / "after").read_text())

    def test_screen(self):
        screen = self.start(24, 80)
        lines = screen.lines()
        self.assertEqual(lines[0], "  " + CASE["text"])
        self.assertTrue(lines[4].startswith("▸    1"), lines)
        self.check_oracle(lines, 5)
        shares = [p for _, p in self.rows_of(lines, 99)]
        rest = next(float(re.search(r"(\d+\.\d\d) %", line)[1]) for line in lines if " more " in line)
        self.assertAlmostEqual(sum(shares) + rest, 100, delta=0.005 * (len(shares) + 1))
        self.assertTrue(any("no BOS" in line and "ms" in line for line in lines))
        screen.keys("Down", "Down")
        lines = screen.wait("▸    3")
        self.assertEqual(sum("▸" in line for line in lines), 1)
        screen.keys("q")
        self.end(screen, CASE["text"])

    def test_small_screen(self):
        screen = self.start(12, 40)
        lines = screen.lines()
        self.assertTrue(all(len(line) <= 40 for line in lines))
        self.assertGreaterEqual(len(self.rows_of(lines, 99)), 3)
        for _ in range(6):
            screen.keys("Down")
        screen.wait("▸    7")
        screen.keys("?")
        screen.wait("Keys")
        screen.keys("Space")
        screen.wait("▸    7")
        screen.keys("q")
        self.end(screen, "plan to")

    def test_taken_tokens_stand_out(self):
        screen = self.start(24, 80)
        screen.keys("Enter", "Enter")
        screen.wait("7 tokens")
        top = screen.tmux("capture-pane", "-p", "-e", "-t", "x").split("\n")[0]
        self.assertEqual(len(re.findall(r"\x1b\[[0-9;]*4[1-7]m", top)), 2, top)
        screen.keys("q")
        self.end(screen, CASE["text"])

    def test_options_change_the_table(self):
        screen = self.start(24, 80)
        screen.keys("k")
        screen.wait("top-k 200", "200 of 50,257 ids kept")
        screen.keys(":top-k 3", "Enter")
        lines = screen.wait("top-k 3", "3 of 50,257 ids kept", "removed by top_k")
        kept = [re.findall(r"(\d+\.\d\d) %", line)[1] for line in lines if re.match(r"[▸ ] +[123]  ", line)]
        raw = [math.exp(c["logprob"]) for c in CASE["next"][:3]]
        for shown, p in zip(kept, raw, strict=True):  # top-k shares what is left
            self.assertAlmostEqual(float(shown), 100 * p / sum(raw), delta=0.0051)
        screen.keys("x")
        screen.wait("no options")
        screen.keys("t", "t")
        screen.wait("temperature 0.8")
        screen.keys("T", "T")
        screen.wait("no options")
        screen.keys("q")
        self.end(screen, CASE["text"])

    def test_resizing_draws_anew(self):
        screen = self.start(24, 80)
        screen.tmux("resize-window", "-t", "x", "-x", "60", "-y", "15")
        deadline = time.monotonic() + PATIENCE
        while "leave" not in screen.lines()[14] and time.monotonic() < deadline:
            time.sleep(0.1)
        lines = screen.lines()
        self.assertIn("leave", lines[14])
        self.assertEqual(sum("▸" in line for line in lines), 1)
        self.assertTrue(all(len(line) <= 60 for line in lines))
        screen.tmux("resize-window", "-t", "x", "-x", "80", "-y", "24")
        screen.wait("choose")
        screen.keys("q")
        self.end(screen, CASE["text"])

    def test_asleep_and_back(self):
        screen = self.start(24, 80)
        screen.keys("2")
        screen.wait("6 tokens")
        screen.keys("C-z")
        screen.wait("Stopped")
        screen.keys("clear; stty -a; echo he''re", "Enter")
        shown = " ".join(screen.wait("here"))
        self.assertRegex(shown, r"\bicanon\b")
        self.assertRegex(shown, r"[^-]\becho\b")
        screen.keys("fg", "Enter")
        screen.wait("▸", "6 tokens", "leave")
        screen.keys("q")
        screen.wait(CASE["text"])

    def test_killed(self):
        screen = self.start(24, 80)
        screen.keys("Down")
        pane = int(screen.tmux("display-message", "-p", "-t", "x", "#{pane_pid}"))
        child = int(pathlib.Path(f"/proc/{pane}/task/{pane}/children").read_text().split()[0])
        os.kill(child, signal.SIGTERM)
        self.end(screen, "Terminated")


if __name__ == "__main__":
    unittest.main()
