"""nextoken convert on disks that are full or may not be written to, killed and stopped at any moment:
what stands under the destination's name is whole, or what was there before, or nothing."""

import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])


def lower():
    """A file may have 100,000 bytes: less than any of these models."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def contents(path):
    """Bytes of a file, or of each file of a folder; None where there is nothing."""
    if path.is_dir():
        return {entry.name: entry.read_bytes() for entry in path.iterdir()}
    return path.read_bytes() if path.exists() else None


class Case(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)
        os.chmod(self.folder, 0o755)

    def entries(self):
        return sorted(entry.name for entry in self.folder.iterdir())

    def refused(self, name, *words, **more):
        """What the failing run says; it must name the destination."""
        path = str(self.folder / name)
        done = BENCH.run("convert", str(BENCH.model("words")), path, "--width", "f16", *words, **more)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(name.encode(), done.stderr)
        return done.stderr


class Disks(Case):
    def test_no_room(self):
        for name in ("x.gguf", "x"):
            self.assertIn(b"File too large", self.refused(name, preexec_fn=lower))
            self.assertEqual(self.entries(), [])

    def test_no_room_beside_an_old_one(self):
        for name in ("x.gguf", "x"):
            path = self.folder / name
            done = BENCH.run("convert", str(BENCH.model("small")), str(path))
            self.assertEqual(done.returncode, 0, done.stderr)
            old, entries = contents(path), self.entries()
            self.refused(name, "--force", preexec_fn=lower)
            self.assertEqual((contents(path), self.entries()), (old, entries))

    def test_full_disk(self):
        """A disk of a megabyte in a namespace of its own, which needs no rights where the system allows any."""
        script = ('mount -t tmpfs -o size=1m none "$0" || exit 99; '
                  'for to in x.gguf x; do "$1" convert "$2" "$0/$to"; echo "status $?"; done; ls -A "$0"')
        unshare = shutil.which("unshare")
        done = unshare and subprocess.run([unshare, "-rm", "sh", "-c", script, self.folder, BENCH.nextoken,
                                           BENCH.model("words")], capture_output=True, timeout=120, check=False)
        if not done or b"status" not in done.stdout:
            self.skipTest("may not mount a small disk")
        self.assertEqual(done.stdout, b"status 1\nstatus 1\n")
        self.assertEqual(done.stderr.count(b"No space left on device"), 2, done.stderr)

    def test_read_only_folder(self):
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            self.skipTest("root may write everywhere")
        other = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        inside = self.folder / "inside"
        inside.mkdir()
        BENCH.run("convert", str(BENCH.model("small")), str(inside / "old.gguf"))
        old = contents(inside / "old.gguf")
        os.chmod(inside, 0o555)
        source = self.folder / "source"
        shutil.copytree(BENCH.model("small"), source)
        try:
            for name in ("x.gguf", "x", "old.gguf"):
                done = subprocess.run([*other, BENCH.nextoken, "convert", source, inside / name, "--force"],
                                      capture_output=True, check=False, timeout=120)
                if done.returncode == 127 or b"execute" in done.stderr:
                    self.skipTest("another user may not run the program")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(b"Permission denied", done.stderr)
                self.assertIn(name.encode(), done.stderr)
            self.assertEqual([entry.name for entry in inside.iterdir()], ["old.gguf"])
            self.assertEqual(contents(inside / "old.gguf"), old)
        finally:
            os.chmod(inside, 0o755)


class Stopped(Case):
    """At moments chosen by chance, until enough of them lay before the end."""

    def setUp(self):
        super().setUp()
        self.dice = random.Random(5)
        self.source = BENCH.model("long")

    def start(self, path):
        return subprocess.Popen([BENCH.nextoken, "convert", self.source, path, "--width", "bf16", "--force", "-q"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def whole(self, path):
        """What the destination is when nothing stops the run, and how long that takes."""
        began = time.monotonic()
        process = self.start(path)
        self.assertEqual((process.communicate()[1], process.returncode), (b"", 0))
        return contents(path), time.monotonic() - began

    def stop(self, path, sent, lasts):
        """Whether the run was stopped before it was done."""
        process = self.start(path)
        time.sleep(self.dice.uniform(0, lasts))
        process.send_signal(sent)
        error = process.communicate(timeout=60)[1]
        if process.returncode != 0:
            self.assertEqual(process.returncode, -sent, error)
        return process.returncode != 0

    def clear(self, path):
        """Removes the destination, and what a killed run may leave beside it under another name."""
        for entry in self.folder.iterdir():
            self.assertTrue(entry == path or entry.name.endswith(".tmp"), entry.name)
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def check(self, sent, left_beside):
        for name in ("x.gguf", "x"):
            path, stopped = self.folder / name, 0
            whole, lasts = self.whole(path)
            self.clear(path)
            for _ in range(60):
                stopped += self.stop(path, sent, lasts)
                self.assertIn(contents(path), (None, whole))
                if not left_beside:
                    self.assertIn(self.entries(), ([], [name]))
                self.clear(path)
                if stopped == 4:
                    break
            self.assertGreater(stopped, 2, name)
            self.replaced(path, sent, lasts, whole)

    def replaced(self, path, sent, lasts, whole):
        """The same where there is an old one."""
        done = BENCH.run("convert", str(BENCH.model("small")), str(path))
        self.assertEqual(done.returncode, 0, done.stderr)
        old = contents(path)
        for _ in range(3):
            self.stop(path, sent, lasts)
            self.assertIn(contents(path), (old, whole))
        self.clear(path)

    def test_killed(self):
        self.check(signal.SIGKILL, left_beside=True)

    def test_interrupted(self):
        self.check(signal.SIGINT, left_beside=False)


if __name__ == "__main__":
    unittest.main()
