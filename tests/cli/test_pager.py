"""What is longer than the screen goes through a pager, on a terminal and nowhere else."""

import fcntl
import os
import pathlib
import pty
import select
import struct
import subprocess
import tempfile
import termios
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
WORDS = ("-m", str(BENCH.model("words")), "-q")
LONG = ("next", *WORDS, "-k", "30", "Alice")  # 30 rows


class Pager(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = pathlib.Path(self.folder.name) / "paged"

    def on_terminal(self, *args, rows=20, pager="cat > {}", name="NEXTOKEN_PAGER"):
        """What the terminal shows, and the exit status."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
        variables = {k: v for k, v in os.environ.items() if k not in ("NEXTOKEN_PAGER", "PAGER", "COLUMNS")}
        variables.update({"TERM": "xterm", name: pager.format(self.file), "HF_HUB_OFFLINE": "1"})
        run = subprocess.Popen([str(BENCH.nextoken), *args], stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=subprocess.STDOUT, env=variables)
        os.close(slave)
        shown = b""
        while select.select([master], [], [], 60)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # Linux says EIO when the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        return run.wait(timeout=60), shown

    def test_long_tables_and_help(self):
        for args, phrase in ((LONG, "more"), (("next", "--help"), "--repetition-penalty"), (("--help",), "NEXTOKEN_ISA")):
            for name in ("NEXTOKEN_PAGER", "PAGER"):
                with self.subTest((args, name)):
                    status, shown = self.on_terminal(*args, name=name)
                    self.assertEqual((status, shown), (0, b""))
                    self.assertIn(phrase, self.file.read_text())
                    self.file.unlink()

    def test_what_fits_is_printed(self):
        for more in ({"rows": 60}, {"rows": 0}):
            status, shown = self.on_terminal(*LONG, **more)
            self.assertEqual(status, 0)
            self.assertIn(b"more", shown)
            self.assertFalse(self.file.exists())
        _, shown = self.on_terminal("-h", rows=25)
        self.assertIn(b"usage", shown)
        self.assertFalse(self.file.exists())

    def test_nobody_wants_one(self):
        for args, pager in (((*LONG, "--no-pager"), "cat > {}"), (LONG, ""), (LONG, "cat")):
            _, shown = self.on_terminal(*args, pager=pager)
            self.assertIn(b"more", shown)
            self.assertFalse(self.file.exists())
        done = BENCH.run(*LONG, env={"NEXTOKEN_PAGER": f"cat > {self.file}"})
        self.assertIn(b"more", done.stdout)
        self.assertFalse(self.file.exists())
        _, shown = self.on_terminal(*LONG, "--json")
        self.assertIn(b"nextoken/1", shown)
        self.assertFalse(self.file.exists())

    def test_one_that_does_not_start(self):
        status, shown = self.on_terminal(*LONG, pager="exec /no/such/pager")
        self.assertEqual(status, 0)
        self.assertIn(b"more", shown)

    def test_one_that_has_read_enough(self):
        status, shown = self.on_terminal(*LONG, pager="head -n 1")
        self.assertEqual(status, 0)
        self.assertEqual(shown.count(b"\n"), 1)


if __name__ == "__main__":
    unittest.main()
