"""model.py: opening, threads that share a model, Ctrl-C, the GIL, what is freed, hostile arguments."""

import copy
import gc
import os
import pathlib
import pickle
import signal
import tempfile
import threading
import time
import unittest
import weakref

import numpy as np
import support

import nextoken
from nextoken import ArgumentError, Error, FormatError, NotFound, RangeError, TextError, load


def setUpModule():
    global WORDS
    WORDS = load(support.checkpoint("words"))


def tearDownModule():
    global WORDS
    del WORDS


class Load(unittest.TestCase):
    def test_info(self):
        info = WORDS.info
        self.assertEqual((info.n_vocab, info.n_embd, info.n_layer, info.n_head, info.n_context),
                         (50257, 48, 3, 4, 320))
        self.assertEqual((info.architecture, info.tied, info.built_in), ("gpt2", True, False))
        self.assertEqual(WORDS.path, support.checkpoint("words"))
        self.assertIn("3 blocks of 4 heads", repr(WORDS))
        self.assertEqual(nextoken.__version__, "0.1.0")

    def test_what_is_not_there(self):
        for wrong, error in (("/no/such/folder", NotFound), ("./gone", NotFound), ("a\0b", ValueError), (3, TypeError),
                             (b"\xff\xfe", Error), (["gpt2"], TypeError), ("", Error), (object(), TypeError)):
            with self.assertRaises(error, msg=repr(wrong)):
                load(wrong, offline=True)
        with self.assertRaises(TypeError):
            load(WORDS.path, no_such=1)
        with self.assertRaises(ValueError):
            load(WORDS.path, reading="aloud")
        with self.assertRaises(FormatError):
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
                    file.write("{")
                load(folder)

    def test_in_bfloat16(self):
        whole, narrow = WORDS, load(support.checkpoint("words"), precision="bf16")
        self.assertEqual((whole.info.precision, narrow.info.precision), ("f32", "bf16"))
        self.assertEqual(load(whole.path, precision="f32").info.precision, "f32")
        self.assertEqual(load(whole.path, precision="auto").info.precision, "f32")
        self.assertIn("bf16 on", repr(narrow))
        self.assertEqual(whole.info.n_copied_bytes, 0)
        self.assertGreater(narrow.info.n_copied_bytes, whole.info.n_parameters)  # some two bytes each
        a, b = (list(model.next("Alice", k=5).probs) for model in (whole, narrow))
        self.assertNotEqual(a, b)
        self.assertLess(max(abs(x - y) for x, y in zip(a, b)), 0.02)
        again = pickle.loads(pickle.dumps(narrow))
        self.assertEqual(again.info.precision, "bf16")
        self.assertEqual(list(again.next("Alice", k=5).probs), b)
        for wrong in ("bf61", "", None, 16):
            with self.assertRaises(ValueError, msg=repr(wrong)):
                load(whole.path, precision=wrong)

    def test_a_tokenizer_alone(self):
        model = load(support.checkpoint("words"), tokenizer_only=True)
        self.assertEqual(model.tokenizer.encode("Alice").id_list(), [44484])
        self.assertIn("tokenizer alone", repr(model))
        with self.assertRaises(ArgumentError):
            model.info
        with self.assertRaises(ArgumentError):
            model.next("Alice")

    def test_without_a_tokenizer(self):
        model = load(support.checkpoint("bare"))
        self.assertIsNone(model.tokenizer)
        with self.assertRaises(nextoken.Unsupported):
            model.next("Alice")
        model.next([1, 2])

    def test_paths_of_every_kind(self):
        for path in (pathlib.Path(WORDS.path), WORDS.path.encode(), WORDS.path + "/"):
            self.assertEqual(load(path).info.n_embd, 48)

    def test_copies(self):
        wanted = WORDS.next("Alice", k=3)[0].id
        for again in (pickle.loads(pickle.dumps(WORDS)), copy.deepcopy(WORDS), copy.copy(WORDS)):
            self.assertIsNot(again, WORDS)
            self.assertEqual(again.next("Alice", k=3)[0].id, wanted)


class Freed(unittest.TestCase):
    def maps(self, path):
        with open("/proc/self/maps", encoding="utf-8") as file:
            return sum(path in line for line in file)

    def test_the_mapped_file_goes_with_the_model(self):
        path = os.path.join(support.checkpoint("letters-other"), "model.safetensors")
        before = self.maps(path)
        gc.disable()
        try:
            model = load(support.checkpoint("letters-other"))
            result = model.next("the")
            session = model.session()
            self.assertGreater(self.maps(path), before)
            gone = weakref.ref(model)
            del model
            self.assertIsNone(gone())
            self.assertGreater(self.maps(path), before, "the session needs it")
            del session
            self.assertEqual(self.maps(path), before)
        finally:
            gc.enable()
        self.assertGreater(len(str(result)), 10, "a result outlives its model")

    def test_arrays_of_results_are_their_memory(self):
        result = WORDS.next("Alice", logits=True)
        logits = result.logits
        self.assertTrue(np.shares_memory(logits, result.logits))
        handed = np.from_dlpack(logits)
        self.assertTrue(np.shares_memory(handed, logits))
        wanted = logits.copy()
        gone = weakref.ref(result)
        del result, logits
        gc.collect()
        WORDS.next("something else", logits=True)
        np.testing.assert_array_equal(handed, wanted)
        del handed
        gc.collect()
        self.assertIsNone(gone())

    def test_in_a_cycle(self):
        model = load(support.checkpoint("letters"))
        core = weakref.ref(model._core)
        session, tokenizer = model.session(), model.tokenizer
        session.cycle = [model, session, tokenizer, tokenizer.stream(), model.next("the")]
        model.cycle = session.cycle
        del model, session, tokenizer
        gc.collect()
        self.assertIsNone(core())

    @unittest.skipIf("NT_PRELOAD" in os.environ, "AddressSanitizer keeps what is freed for a while")
    def test_many_calls_take_no_memory(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        def work(n):
            for _ in range(n):
                WORDS.next("Alice was", k=5)
                WORDS.generate("Alice", max_new_tokens=3, num_beams=2, process=lambda ids, row: None)
                WORDS.tokenizer.encode("Alice was")
                with self.assertRaises(RangeError):
                    WORDS.next([60000])
                with self.assertRaises(ZeroDivisionError):
                    WORDS.generate("Alice", stop=lambda ids: 1 / 0)

        work(30)
        gc.collect()
        before = resident()
        work(60)
        gc.collect()
        self.assertLess(resident() - before, 3 << 20)


class Threads(unittest.TestCase):
    def test_threads_share_a_model(self):
        texts = ["Alice", "A long long time ago, ", "caf\u00e9", "It was"]
        wanted = [WORDS.generate(text, max_new_tokens=8)[0].text for text in texts]
        numbers = [WORDS.next(text, logits=True).logits.copy() for text in texts]
        wrong = []

        def run(i):
            try:
                for j in range(6):
                    text = (i + j) % len(texts)
                    if WORDS.generate(texts[text], max_new_tokens=8)[0].text != wanted[text]:
                        wrong.append(text)
                    row = WORDS.next(texts[text], logits=True).logits
                    if not np.array_equal(row, numbers[text]):
                        wrong.append(text)
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=run, args=(i,)) for i in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_the_gil_is_released(self):
        model = load(support.checkpoint("long"))
        counted, stop = [0], threading.Event()

        def count():
            while not stop.is_set():
                counted[0] += 1

        thread = threading.Thread(target=count)
        ids = list(range(1000, 1400))
        model.session().loss(ids)
        thread.start()
        try:
            before, since = counted[0], time.monotonic()
            while time.monotonic() - since < 0.5:  # calls of the library and hardly anything else
                model.session().loss(ids)
            self.assertGreater(counted[0] - before, 1000)
        finally:
            stop.set()
            thread.join()


class Interrupt(unittest.TestCase):
    """Ctrl-C, as the terminal sends it."""

    @classmethod
    def setUpClass(cls):
        cls.model = load(support.checkpoint("long"))

    @classmethod
    def tearDownClass(cls):
        del cls.model

    def interrupted(self, call):
        sent = []

        def send():
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.3, send)
        timer.start()
        try:
            with self.assertRaises(KeyboardInterrupt):
                call()
            self.assertLess(time.monotonic() - sent[0], 5, "within a moment")
        finally:
            timer.cancel()
            timer.join()

    def test_generate_stops_and_the_model_goes_on(self):
        wanted = self.model.generate("Alice", max_new_tokens=3)[0].text
        session = self.model.session()
        self.interrupted(lambda: self.model.generate("Alice", max_new_tokens=4000, min_new_tokens=4000))
        self.assertFalse(session.busy)
        self.assertIs(self.model.session(), session)
        self.assertEqual(self.model.generate("Alice", max_new_tokens=3)[0].text, wanted)

    def test_score_and_forward(self):
        session = self.model.session()
        sequence = session.sequence()
        session.forward(sequence, [5, 6, 7], None)
        self.interrupted(lambda: [self.model.score(list(range(4000))) for _ in range(1000)])

        def forward():
            while True:
                session.forward(session.fork(sequence), list(range(4000)), None)

        self.interrupted(forward)
        self.assertEqual(session.length(sequence), 3)

    def test_in_a_callback(self):
        def process(ids, logits):
            if len(ids) == 5:
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.model.generate("Alice", process=process, max_new_tokens=10)

    def test_system_exit_in_a_callback(self):
        def heard(piece):
            raise SystemExit(3)

        with self.assertRaises(SystemExit):
            self.model.generate("Alice", on_text=heard, max_new_tokens=10)


class Hostile(unittest.TestCase):
    """Arguments that make no sense: an exception, and never worse."""

    def test_prompts(self):
        for call in (WORDS.next, WORDS.generate, WORDS.steps, WORDS.score, WORDS.perplexity, WORDS.inspect):
            for wrong, error in ((None, TypeError), (3, TypeError), (1.5, TypeError), (object(), TypeError),
                                 ({"a": 1}, TypeError), ("\ud800", TextError), ([1.5], TypeError),
                                 ([None], TypeError), ([[None]], TypeError), ([60000], RangeError), ([-1], RangeError),
                                 ([1 << 40], OverflowError), (np.zeros((2, 2, 2), int), Exception),
                                 ({"a"}, TypeError), (lambda: 1, TypeError)):
                with self.assertRaises(error, msg=f"{call.__name__}({wrong!r})"):
                    call(wrong)

    def test_options(self):
        for options in ({"max_new_tokens": "many"}, {"max_new_tokens": -1}, {"max_new_tokens": 1 << 40}, {"num_beams": 0},
                        {"temperature": float("nan"), "do_sample": True}, {"no_such_option": 1}, {"top_k": [1]},
                        {"eos_token_id": "x"}, {"eos_token_id": [1 << 33]}, {"stop_strings": [3]}, {"stop_strings": "\0"},
                        {"stop_strings": "\ud800"}, {"sequence_bias": {"a": "b"}}, {"bad_words_ids": [[]]},
                        {"suppress_tokens": [[1]]}, {"process": 3}, {"stop": "x"}, {"on_text": 3}, {"assistant": "x"},
                        {"seed": -1}, {"seed": 1 << 70}, {"max_time": "x"}, {"forced_eos_token_id": object()},
                        {"config": "/no/such/file"}, {"config": 3.5}, {"add_bos": "x", "num_beams": "y"}):
            with self.assertRaises((Error, TypeError, ValueError, OverflowError, AttributeError), msg=repr(options)):
                WORDS.generate("Alice", **dict({"max_new_tokens": 2}, **options))
        for options in ({"k": -1}, {"k": "x"}, {"k": 1 << 40}, {"k": 1.5}):
            with self.assertRaises((Error, TypeError, OverflowError), msg=repr(options)):
                WORDS.next("Alice", **options)

    def test_processors(self):
        kept = []
        WORDS.generate("Alice", max_new_tokens=3, process=lambda ids, row: kept.append((ids, row)))
        gc.collect()
        WORDS.generate("Alice " * 50, max_new_tokens=3)
        self.assertEqual([len(ids) for ids, _ in kept], [1, 2, 3])
        self.assertTrue(all(np.isfinite(row).all() for _, row in kept), "arrays may be kept")
        for process, error in ((lambda ids, row: row[:5], ValueError), (lambda ids, row: "x", TypeError),
                               (lambda ids: None, TypeError), (lambda ids, row: object(), TypeError)):
            with self.assertRaises(error):
                WORDS.generate("Alice", max_new_tokens=2, process=process)
        with self.assertRaises(nextoken.Error):
            WORDS.generate("Alice", max_new_tokens=2, process=lambda ids, row: np.full_like(row, np.nan))

    def test_handles_of_another_kind(self):
        for wrong in (None, 3, "x", WORDS.tokenizer):
            with self.assertRaises((TypeError, AttributeError)):
                nextoken.Session(wrong).sequence()
        with self.assertRaises((TypeError, AttributeError)):
            nextoken.Tokenizer("x").encode("a")


if __name__ == "__main__":
    unittest.main()
