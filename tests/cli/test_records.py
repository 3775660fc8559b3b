"""Many records: tables and --jsonl, in order and equal to single runs, and --resume after any end."""

import csv
import io
import json
import os
import pathlib
import random
import resource
import select
import signal
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
WORDS = ["Alice", "was", "beginning", "to", "get", "very", "tired", "of", "sitting", "by", "her",
         "sister", "on", "the", "bank,", "and", "of", "having", "nothing", "to", "do:", "\"quoted\"",
         "café", "naïve", "日本語", "…"]


def start(*args, more_env=None, **more):
    env = {k: v for k, v in os.environ.items() if k != "NEXTOKEN_MODEL"} | (more_env or {})
    return subprocess.Popen([str(BENCH.nextoken), *map(str, args)], env=env,
                            stderr=subprocess.PIPE, **more)


def run(*args, status=0, **more):
    done = BENCH.run(*map(str, args), **more)
    if done.returncode != status:
        raise AssertionError(f"{args}: status {done.returncode}: {done.stderr.decode()}")
    return done


def sentence(rng, most=12):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, most)))


def table(rows, **more):
    out = io.StringIO()
    csv.writer(out, **more).writerows(rows)
    return out.getvalue()


def rows_of(raw, delimiter=","):
    return list(csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=delimiter, strict=True))


class Folder(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = BENCH.model("letters")

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def score(self, *args, **more):
        return run("score", "-m", self.model, *args, **more)


class Tables(Folder):
    def columns(self, content, *args, status=0, kind="--csv"):
        """Rows of the output as dictionaries."""
        path = self.write("in", content)
        done = self.score(kind, path, "--column", "text", *args, status=status)
        rows = rows_of(done.stdout, "\t" if kind == "--tsv" else ",")
        for row in rows:
            self.assertEqual(len(row), len(rows[0]), rows)
        return [dict(zip(rows[0], row)) for row in rows[1:]]

    def logprob(self, text):
        line = json.dumps({"text": text, "by": "text"}) + "\n"
        return f'{json.loads(self.score("--jsonl", "-", stdin=line.encode()).stdout)["logprob"]:.9g}'

    def test_quotes_newlines_and_order(self):
        texts = ["Alice", 'He said "hi", twice', "two\nlines", "two\r\nlines", "a\tb", " spaces ", "café"]
        content = table([["id", "text"], *([i, t] for i, t in enumerate(texts))])
        rows = self.columns(content)
        self.assertEqual(list(rows[0])[:3], ["record", "id", "text"])
        self.assertEqual(list(rows[0])[-1], "error")
        for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
            self.assertEqual((row["record"], row["id"], row["text"], row["error"]), (str(i), str(i), text, ""))
            self.assertEqual(row["logprob"], self.logprob(text))

    def test_line_ends_marks_and_blank_lines(self):
        plain = b"id,text\n1,Alice\n2,is\n"
        wanted = self.columns(plain)
        for content in (plain.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + plain, plain[:-1],
                        b"\n\r\n" + plain.replace(b"1,", b"\n\r\n1,"), plain + b"\n\r\n",
                        b'"id","text"\r\n"1","Alice"\r\n"2","is"\r\n'):
            self.assertEqual(self.columns(content), wanted, content)

    def test_tabs(self):
        rows = self.columns('id\ttext\n1\tAlice, "she"\n2\t"a\tb ""c"""\n', kind="--tsv")
        self.assertEqual([r["text"] for r in rows], ['Alice, "she"', 'a\tb "c"'])
        self.assertEqual(rows[0]["logprob"], self.logprob('Alice, "she"'))

    def test_bad_rows_leave_the_others(self):
        rows = self.columns('id,text\n1,a\n2\n3,b,c\n4,"d"e\n5,f\n6,"g\n7,h\n', status=1)
        self.assertEqual([r["record"] for r in rows], list("0123456"))
        self.assertEqual([r["error"] for r in rows],
                         ["", "line 3: the row has 1 fields, the first row 2",
                          "line 4: the row has 3 fields, the first row 2",
                          "line 5: text stands behind the quote that closes a field", "",
                          "line 7: a quote that opens a field is never closed", ""])
        self.assertEqual([bool(r["logprob"]) for r in rows], [not r["error"] for r in rows])
        self.assertEqual(rows[6]["text"], "h")

    def test_not_utf8_and_zero_bytes_are_errors_of_their_row(self):
        rows = rows_of(self.score("--csv", self.write("in", b"id,text\n1,a\xffb\n2,a\0b\n3,c\n"),
                                  "--column", "text", status=1).stdout.replace(b"\xff", b"?"))
        self.assertIn("UTF-8", rows[1][-1])
        self.assertIn("zero byte", rows[2][-1])
        self.assertEqual(rows[3][-1], "")

    def test_any_fields_come_back(self):
        rng = random.Random(4)
        for kind, delimiter in (("--csv", ","), ("--tsv", "\t")):
            fields = [["".join(rng.choice('a",\n\r\t é') for _ in range(rng.randrange(6)))
                       for _ in range(3)] for _ in range(300)]
            rows = [["a", "text", "b"], *fields]
            out = self.columns(table(rows, delimiter=delimiter), kind=kind)
            self.assertEqual([[r["a"], r["text"], r["b"]] for r in out], fields)

    def test_random_bytes(self):
        rng = random.Random(5)
        for _ in range(30):
            content = b"id,text\n" + bytes(rng.choice(b'a1",,\n\n\r\xff\0') for _ in range(400))
            path, whole, part = self.write("in", content), self.folder / "whole", self.folder / "part"
            whole.unlink(missing_ok=True)
            args = ["-m", self.model, "--csv", path, "--column", "text"]
            status = BENCH.run("score", *map(str, args), "-o", str(whole)).returncode
            self.assertIn(status, (0, 1))
            raw = whole.read_bytes()
            for row in rows_of(raw.replace(b"\xff", b"?")):
                self.assertEqual(len(row), 10, content)
            part.write_bytes(raw[:rng.randrange(len(raw))])
            run("score", *args, "-o", part, "--resume", status=status)
            self.assertEqual(part.read_bytes(), raw, content)

    def test_many_wrong_quotes_are_quick(self):
        for line in ('"""x\n', '"x\n', '""x\n'):
            began = time.monotonic()
            rows = self.columns("text\n" + line * 20000, status=1)
            self.assertEqual([r["record"] for r in rows], [str(i) for i in range(20000)], line)
            self.assertLess(time.monotonic() - began, 20)

    def test_by_word_gives_a_row_a_word(self):
        rows = self.columns(table([["id", "text"], [1, "Alice is a"], [2, 'say "x"'], [3, "a"]]),
                            "--by", "word")
        self.assertEqual([(r["record"], r["id"], r["word"]) for r in rows],
                         [("0", "1", "Alice"), ("0", "1", "is"), ("0", "1", "a"), ("1", "2", "say"),
                          ("1", "2", '"x"'), ("2", "3", "a")])

    def test_json_out(self):
        path = self.write("in", "id,text\n1,Alice\n2\n")
        lines = self.score("--csv", path, "--column", "text", "--json", status=1).stdout.splitlines()
        self.assertEqual([json.loads(x)["index"] for x in lines], [0, 1])
        self.assertIn("1 fields", json.loads(lines[1])["error"])

    def test_prompt_column(self):
        rows = self.columns(table([["text", "before"], [" is a", "Alice"], [" was", "She"]]),
                            "--prompt-column", "before")
        for row in rows:
            done = self.score("--json", "--prompt", row["before"], "--by", "text", row["text"])
            self.assertEqual(row["logprob"], f'{json.loads(done.stdout)["logprob"]:.9g}')

    def test_other_commands_read_tables_too(self):
        path = self.write("in", "text\nAlice\nis\n")
        rows = rows_of(run("next", "-m", self.model, "-k", "2", "--csv", path, "--column", "text").stdout)
        self.assertEqual([(r[0], r[1], r[2]) for r in rows[1:]],
                         [("0", "Alice", "1"), ("0", "Alice", "2"), ("1", "is", "1"), ("1", "is", "2")])
        done = run("generate", "-m", self.model, "-q", "--max-new-tokens", "2", "--csv", path, "--column", "text")
        self.assertEqual(len(rows_of(done.stdout)), 3)

    def test_a_text_that_names_a_table_is_noted(self):
        path = self.write("x.csv", "text\nAlice\n")
        self.assertIn(b"is taken as the text; --column NAME", self.score("--csv", path).stderr)
        self.assertEqual(self.score("-q", "--csv", path).stderr, b"")
        self.assertEqual(self.score(path).stderr, b"")

    def test_empty_texts_keep_their_row(self):
        rows = self.columns('id,text\n1,\n2,"  "\n', "--by", "word", "-q")
        self.assertEqual([r["record"] for r in rows], ["0", "1"])


class Equal(Folder):
    def test_lines_equal_single_runs_in_any_company(self):
        rng = random.Random(1)
        model = BENCH.model("small")
        texts = [[rng.randrange(96) for _ in range(1 + i % 200)] for i in range(500)]
        for i in range(0, 500, 7):  # some begin alike
            texts[i] = texts[(i + 200) % 500][:len(texts[i])] + texts[i][len(texts[(i + 200) % 500]):]
        rng.shuffle(texts)
        lines = [json.dumps({"ids": ids}).encode() + b"\n" for ids in texts]
        together = [run("score", "-m", model, "-t", t, "--jsonl", "-", stdin=b"".join(lines)).stdout
                    for t in (1, 2, 3)]
        self.assertEqual(together[0], together[1])
        self.assertEqual(together[0], together[2])
        together = together[0].splitlines(keepends=True)
        self.assertEqual(len(together), 500)

        # One at a time: the writer waits for each answer before it sends the next line.
        alone = start("score", "-q", "-m", model, "--jsonl", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for i, line in enumerate(lines):
            alone.stdin.write(line)
            alone.stdin.flush()
            ready, _, _ = select.select([alone.stdout], [], [], 60)
            self.assertTrue(ready, f"no answer to line {i}")
            self.assertEqual(alone.stdout.readline(), together[i])
        _, err = alone.communicate(timeout=60)
        self.assertEqual((alone.returncode, err), (0, b""))

        for i in range(0, 500, 50):  # and as programs of their own
            ids = ",".join(map(str, texts[i]))
            single = run("score", "-m", model, "--json", "--ids", ids).stdout
            wanted = json.loads(together[i])
            self.assertEqual(wanted.pop("index"), i)
            self.assertEqual(json.loads(single), wanted)

    def test_half_a_line_waits_for_its_end(self):
        process = start("score", "-m", self.model, "--jsonl", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b'{"text": "Alice"}\n{"text": ')
        process.stdin.flush()
        self.assertTrue(select.select([process.stdout], [], [], 60)[0])
        self.assertEqual(json.loads(process.stdout.readline())["index"], 0)
        out, _ = process.communicate(b'"is"}', timeout=60)
        self.assertEqual(json.loads(out)["index"], 1)

    def test_options_of_lines(self):
        lines = [{"text": "Alice is", "by": "word"}, {"text": "Alice is", "by": ["word", "char"]},
                 {"text": " is", "prompt": "Alice"}, {"text": "Alice", "continuations": [" is", " was"]},
                 {"text": "Alice is", "base": 2, "by": "text"}, {"text": "Alice is", "base": "e", "eos": True},
                 {"text": "Alice", "prompt": 5}, {"text": "Alice", "prompt": "a\0b"},
                 {"text": "Alice", "continuations": []}, {"text": "a", "prompt": "b", "prompt_len": 1},
                 {"text": "Alice", "by": "sentence"}]
        done = self.score("--jsonl", "-", stdin="".join(json.dumps(x) + "\n" for x in lines).encode(), status=1)
        out = [json.loads(x) for x in done.stdout.splitlines()]
        flags = [["--by", "word"], ["--by", "word,char"], ["--prompt", "Alice"],
                 ["--continuations", " is", " was"], ["--base", "2", "--by", "text"], ["--eos"]]
        for line, given, one in zip(lines, flags, out):
            single = json.loads(self.score("--json", line["text"], *given).stdout)
            del one["index"]
            self.assertEqual(one, single)
        self.assertEqual([x["error"] for x in out[6:]],
                         ["\"prompt\" is no string", "\"prompt\" holds a zero character",
                          "\"continuations\" is no list of strings",
                          "prompt and prompt-len exclude each other",
                          "by is \"sentence\"; it must be a list of token, word, char and text"])


class Resume(Folder):
    """kinds: what a run is given, made from the same texts."""

    def kinds(self, n, seed=2, most=12):
        rng = random.Random(seed)
        texts = [sentence(rng, most) for _ in range(n)]
        lines = [json.dumps({"text": t}) for t in texts]
        rows = [[str(i), t] for i, t in enumerate(texts)]
        if n > 10:
            lines[3:3] = ["", "no JSON", "  "]
            rows[4] = ["4", "one", "too many"]
        jsonl = self.write("in.jsonl", "\n".join(lines) + "\n")
        content = table([["id", "text"], *rows], lineterminator="\n")
        path = self.write("in.csv", content.replace("\n5,", "\n\n5,"))
        of_table = ["--csv", path, "--column", "text"]
        return {"jsonl": ["--jsonl", jsonl, "--by", "text"], "text": of_table,
                "word": [*of_table, "--by", "word"]}

    def whole(self, args, status):
        path = self.folder / "whole"
        path.unlink(missing_ok=True)
        self.score(*args, "-o", path, status=status)
        return path.read_bytes()

    def test_killed_at_any_moment(self):
        rng = random.Random(3)
        for kind, args in self.kinds(300).items():
            began = time.monotonic()
            whole = self.whole(args, 1)
            lasts = time.monotonic() - began
            path, kills = self.folder / kind, 0
            while kills < 7:
                process = start("score", "-m", self.model, *args, "-q", "-o", path, "--resume",
                                stdin=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, lasts))
                process.kill()
                process.communicate(timeout=60)
                kills += 1
                if path.exists() and path.stat().st_size == len(whole):
                    self.assertEqual(path.read_bytes(), whole, kind)
                    path.unlink()
            self.score(*args, "-q", "-o", path, "--resume", status=1)
            self.assertEqual(path.read_bytes(), whole, kind)

    def test_cut_at_any_byte(self):
        for kind, args in self.kinds(3, most=5).items():
            whole = self.whole(args, 0)
            lines = whole.splitlines(keepends=True)
            offsets = {0, 1, 2, len(lines[0]) - 1, len(lines[0]), len(lines[0]) + 1,
                       *range(len(whole) - len(lines[-1]) - 2, len(whole) + 1,
                              5 if kind == "jsonl" else 1), len(whole) - 1, len(whole)}

            def cut(n, kind=kind, args=args, whole=whole):
                path = self.write(f"{kind}-{n}", whole[:n])
                self.score(*args, "-q", "-o", path, "--resume")
                self.assertEqual(path.read_bytes(), whole, f"{kind} cut at {n}")
                path.unlink()

            with ThreadPoolExecutor(2) as pool:
                list(pool.map(cut, sorted(offsets)))

    def test_what_is_not_its_own_is_refused_and_left_alone(self):
        kinds = self.kinds(20)
        other = BENCH.model("letters-other")
        for kind, args in kinds.items():
            whole = self.whole(args, 1)
            half = whole[:len(whole) // 2]
            cases = [([], half, "is not empty: --resume goes on"),
                     (["--resume", "--bos"], half, "its last record comes out otherwise now"),
                     (["--resume"], b"my notes", "cannot go on with"),
                     (["--resume"], b"my notes\n" * 3, "cannot go on with"),
                     (["--resume"], whole + whole.splitlines(keepends=True)[-1], "cannot go on with"),
                     (["--resume", "-m", other], half, "nextoken: error:")]
            if kind != "jsonl":
                cases.append((["--resume", "--by", "char"], half, "its columns are not those"))
            for more, content, message in cases:
                path = self.write("out", content)
                done = self.score(*args, "-o", path, *more, status=1)
                self.assertIn(message, done.stderr.decode(), (kind, more))
                self.assertEqual(path.read_bytes(), content, (kind, more))

    def test_shorter_input_is_refused(self):
        args = self.kinds(20)["text"]
        whole = self.whole(args, 1)
        path = self.write("out", whole)
        short = self.write("short.csv", "id,text\n0,Alice\n")
        done = self.score("--csv", short, "--column", "text", "-o", path, "--resume", status=1)
        self.assertIn(b"it holds more than this input gives", done.stderr)
        self.assertEqual(path.read_bytes(), whole)

    def test_nothing_left_to_do(self):
        for kind, args in self.kinds(20).items():
            whole = self.whole(args, 1)
            path = self.write("out", whole)
            self.score(*args, "-o", path, "--resume", status=1)  # some of its records failed
            self.assertEqual(path.read_bytes(), whole, kind)

    def test_file_that_may_not_grow(self):
        for kind, args in self.kinds(250).items():
            whole = self.whole(args, 1)
            most = len(whole) * 3 // 4

            def limit():
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

            path = self.folder / "out"
            path.unlink(missing_ok=True)
            done = self.score(*args, "-q", "-o", path, "--resume", status=1, preexec_fn=limit)
            self.assertIn(b"File too large", done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)
            part = path.read_bytes()
            self.assertGreater(len(part), 0)
            self.assertTrue(whole.startswith(part) and part.endswith(b"\n"), kind)
            most = len(part) + 1
            self.score(*args, "-q", "-o", path, "--resume", status=1, preexec_fn=limit)
            self.assertEqual(path.read_bytes(), part, kind)  # nothing lost
            self.score(*args, "-q", "-o", path, "--resume", status=1)
            self.assertEqual(path.read_bytes(), whole, kind)

    def test_full_disk(self):
        args = self.kinds(20)["text"]
        done = self.score(*args, "-o", "/dev/full", status=1)
        self.assertIn(b"cannot write to /dev/full: No space left on device", done.stderr)
        self.assertIn(b"no file that --resume", self.score(*args, "-o", "/dev/full", "--resume", status=1).stderr)

    def test_one_run_at_a_time(self):
        path = self.folder / "out"
        first = start("score", "-m", self.model, "--jsonl", "-", "-o", path, stdin=subprocess.PIPE)
        first.stdin.write(b'{"text": "Alice"}\n')
        first.stdin.flush()
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        done = self.score("--jsonl", "-", "-o", path, "--resume", status=1, stdin=b"")
        self.assertIn(b"another run is writing", done.stderr)
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 0)
        self.assertEqual(json.loads(path.read_bytes())["index"], 0)

    def test_ctrl_c_tells_how_to_go_on(self):
        path = self.folder / "out"
        process = start("score", "-m", self.model, "--jsonl", "-", "-o", path, stdin=subprocess.PIPE)
        process.stdin.write(b'{"text": "Alice"}\n')
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn(b"stopped by Ctrl-C after 1 records; the same command with --resume goes on", err)
        self.assertEqual(path.read_bytes().count(b"\n"), 1)

    def test_output_of_single_runs(self):
        path = self.folder / "one.json"
        self.score("--json", "Alice", "-o", path)
        self.assertEqual(path.read_bytes(), self.score("--json", "Alice").stdout)
        done = self.score("--json", "Alice", "-o", path, status=1)
        self.assertIn(b"is not empty: remove it", done.stderr)
        done = self.score("--jsonl", path, "-o", path, "--resume", status=1)
        self.assertIn(b"is the input", done.stderr)


    def test_output_may_not_feed_the_input(self):
        line = '{"text": "Alice"}\n'
        path = self.write("in.jsonl", line)
        for source in (path, "-"):
            with path.open("ab") as out, path.open("rb") as stdin:
                process = start("score", "-m", self.model, "--jsonl", source, stdin=stdin, stdout=out)
                _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"standard output is the input", err)
            self.assertEqual(path.read_text(), line)


class Bounded(Folder):
    def peak(self, content):
        """Kilobytes of a run over these lines."""
        path = self.write("in.jsonl", content)
        process = start("score", "-m", self.model, "--jsonl", path, stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, more_env={"ASAN_OPTIONS": "quarantine_size_mb=4"})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        self.assertEqual(process.returncode, 0)
        return usage.ru_maxrss

    def test_memory_does_not_grow_with_the_file(self):
        line = json.dumps({"text": "Alice", "by": "text"}) + " " * 4096 + "\n"
        self.assertLess(self.peak(line * 10000) - self.peak(line * 1000), 20 * 1024)  # of 40 MB

    def test_memory_does_not_grow_with_the_continuations(self):
        line = json.dumps({"text": "Alice", "continuations": [f" {i}" for i in range(100)]}) + "\n"
        self.assertLess(self.peak(line * 400) - self.peak(line * 100), 40 * 1024)

    def test_a_line_that_is_too_long(self):
        long = b'{"text": "' + b"x" * (65 << 20) + b'"}\n'
        done = run("tokenize", "-m", self.model, "--jsonl", "-", status=1,
                   stdin=b'{"text": "a"}\n' + long + b'{"text": "b"}\n' + long[:-1])
        lines = [json.loads(x) for x in done.stdout.splitlines()]
        self.assertEqual([x["index"] for x in lines], [0, 1, 2, 3])
        self.assertEqual(["error" in x for x in lines], [False, True, False, True])
        self.assertIn("64 MiB", lines[1]["error"])


if __name__ == "__main__":
    unittest.main()
