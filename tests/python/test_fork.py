"""Processes: a model opened before a fork, multiprocessing by fork and by spawn, forks beside threads."""

import multiprocessing
import os
import signal
import threading
import time
import unittest
import warnings

import support

import nextoken

MODEL = None


def setUpModule():
    global MODEL
    MODEL = nextoken.load(support.checkpoint("words"))


def tearDownModule():
    global MODEL
    MODEL = None


def likeliest(text):
    return MODEL.next(text, k=1)[0].id


def likeliest_by(model, text):
    return model.next(text, k=1)[0].id, model.tokenizer.encode(text).id_list()


def loaded(path, text):
    return nextoken.load(path).next(text, k=1)[0].id


def in_a_child(function, seconds=60):
    """What function gives in a forked child, which must end within the time."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads: that is the test
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writer, repr(function()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.01)
    with os.fdopen(reader, "rb") as file:
        return file.read().decode()


class Fork(unittest.TestCase):
    def setUp(self):
        self.wanted = likeliest("Alice was")  # the session and its threads are there now

    def test_the_child_goes_on(self):
        self.assertEqual(in_a_child(lambda: likeliest("Alice was")), repr(self.wanted))
        self.assertEqual(likeliest("Alice was"), self.wanted)

    def test_a_grandchild(self):
        self.assertEqual(in_a_child(lambda: in_a_child(lambda: likeliest("Alice was"))), repr(repr(self.wanted)))

    def test_generation_with_beams_and_threads_of_a_session(self):
        model = nextoken.load(support.checkpoint("words"), threads=3)
        wanted = model.generate("Alice", num_beams=3, max_new_tokens=5)[0].text
        self.assertEqual(in_a_child(lambda: model.generate("Alice", num_beams=3, max_new_tokens=5)[0].text),
                         repr(wanted))

    def test_a_session_of_ones_own(self):
        session = nextoken.Session(MODEL, threads=3)
        sequence = session.sequence()
        session.forward(sequence, [1, 2, 3], None)
        wanted = session.forward(session.fork(sequence), [4]).argmax()

        def child():
            return session.forward(session.fork(sequence), [4]).argmax()

        self.assertEqual(in_a_child(child), repr(wanted))

    def test_an_encoder(self):
        texts = ["Alice was beginning to get very tired"] * 200
        wanted = [made.id_list() for made in MODEL.tokenizer.encode_batch(texts)]
        self.assertEqual(in_a_child(lambda: [m.id_list() for m in MODEL.tokenizer.encode_batch(texts)] == wanted),
                         "True")

    def test_while_threads_run(self):
        stop = threading.Event()

        def run():
            while not stop.is_set():
                MODEL.generate("Alice", max_new_tokens=5)
                MODEL.tokenizer.encode_batch(["Alice was"] * 20)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(8):
                self.assertEqual(in_a_child(lambda: likeliest("Alice was")), repr(self.wanted))
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def test_a_child_that_ends_as_a_program_does(self):
        def child():
            def run():
                MODEL.next("Alice was")

            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            import gc

            global MODEL
            MODEL = None
            gc.collect()
            return "freed"

        self.assertEqual(in_a_child(child), "'freed'")
        self.assertEqual(likeliest("Alice was"), self.wanted)


class Multiprocessing(unittest.TestCase):
    TEXTS = ["Alice", "It was", "A long long time ago", "The"] * 3

    def setUp(self):
        self.wanted = [likeliest(text) for text in self.TEXTS]

    def pool(self, method, function, arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with multiprocessing.get_context(method).Pool(2) as pool:
                return pool.starmap_async(function, arguments).get(timeout=240)

    def test_fork_with_the_parents_model(self):
        self.assertEqual(self.pool("fork", likeliest, [(text,) for text in self.TEXTS]), self.wanted)

    def test_spawn(self):
        path = MODEL.path
        self.assertEqual(self.pool("spawn", loaded, [(path, text) for text in self.TEXTS]), self.wanted)

    def test_a_model_sent_to_a_process(self):
        made = self.pool("spawn", likeliest_by, [(MODEL, text) for text in self.TEXTS])
        self.assertEqual([one[0] for one in made], self.wanted)
        self.assertEqual(made[0][1], MODEL.tokenizer.encode(self.TEXTS[0]).id_list())


if __name__ == "__main__":
    unittest.main()
