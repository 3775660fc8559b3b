"""Workers: processes that stay with an engine loaded, and processes that start cold."""

import json
import os
import select
import subprocess
import time

import prepare

ENDLESS = 900  # seconds after which a request is given up


class Broken(Exception):
    """An engine failed; the message is one line."""


def words_of(python, what, name, model, variant, threads):
    return [str(w) for w in (python, prepare.WORKER, what, name, model, variant, threads)]


class Served:
    """An engine that stays."""

    def __init__(self, words, environment, log):
        self.process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                        bufsize=0)
        self.rest = b""
        self.line()

    def line(self):
        """The next line as JSON."""
        end = time.monotonic() + ENDLESS
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.close()
                raise Broken(f"no answer within {ENDLESS} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise Broken(f"its process ended with status {self.process.wait()}")
            self.rest += part
        first, _, self.rest = self.rest.partition(b"\n")
        found = json.loads(first)
        if "error" in found:
            raise Broken(found["error"])
        return found

    def ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError:
            raise Broken(f"its process ended with status {self.process.wait()}") from None
        return self.line()

    def close(self):
        self.process.kill()  # ours: it holds nothing that must be written
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Pool:
    """Engines that stay while there is room for them; the one that was used longest ago goes first."""

    def __init__(self, limit):
        self.limit, self.open = limit, {}

    def get(self, key, size, make):
        """The engine of this key; make() opens it, and it takes about size bytes."""
        found = self.open.pop(key, None)
        if found is None:
            while self.open and size + sum(s for _, s in self.open.values()) > self.limit:
                self.drop(next(iter(self.open)))
            found = make(), size
        self.open[key] = found
        return found[0]

    def drop(self, key):
        found = self.open.pop(key, None)
        if found:
            found[0].close()

    def close(self):
        for key in list(self.open):
            self.drop(key)


def cold(words, environment, log):
    """(seconds from exec to the end of the output, peak bytes of memory) of a process."""
    start = time.perf_counter()
    try:
        process = subprocess.Popen([str(w) for w in words], env=environment, stdout=subprocess.PIPE, stderr=log)
    except OSError as error:
        raise Broken(str(error)) from None
    out = process.stdout.read()
    seconds = time.perf_counter() - start
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Broken(f"its process ended with status {process.returncode}")
    if out.startswith(b'{"error"'):
        raise Broken(json.loads(out)["error"])
    return seconds, usage.ru_maxrss * 1024


def busy_share(seconds=0.2):
    """How much of the processors others use, while this process waits."""
    def read():
        with open("/proc/stat") as stat:
            values = [int(v) for v in stat.readline().split()[1:9]]
        return sum(values), values[3] + values[4]

    total, idle = read()
    time.sleep(seconds)
    now, idle_now = read()
    return 1 - (idle_now - idle) / max(1, now - total)
