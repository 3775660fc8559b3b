"""Streams: pieces of text as they are made, in threads, in event loops, ended early."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import unittest

import support

import nextoken
from nextoken.streams import Piece


def until(condition, seconds=60.0):
    """Whether it came true."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.m = nextoken.load(support.checkpoint("words"))
        cls.letters = nextoken.load(support.checkpoint("letters"))


class Pieces(Case):
    def test_pieces_are_the_generation(self):
        for options in ({}, {"do_sample": True, "seed": 3}, {"prompt_lookup_num_tokens": 3}):
            stream = self.m.generate("The cat", stream=True, max_new_tokens=12, **options)
            pieces = list(stream)
            alone = self.m.generate("The cat", max_new_tokens=12, **options)
            self.assertEqual("".join(pieces), alone.text, options)
            self.assertEqual([i for piece in pieces for i in piece.ids], alone.ids, options)
            self.assertEqual(stream.result.to_dict(), alone.to_dict())
            self.assertEqual({type(piece) for piece in pieces}, {Piece})
            self.assertGreater(len(pieces), 5)

    def test_never_half_a_character(self):
        stream = self.letters.generate("na\u00efve", stream=True, max_new_tokens=40, do_sample=True, seed=2,
                                       eos_token_id=[])
        pieces = list(stream)
        self.assertEqual("".join(pieces), stream.result.text)
        self.assertTrue(any(len(piece.ids) > 1 for piece in pieces))
        self.assertEqual([i for piece in pieces for i in piece.ids], stream.result.ids[:sum(
            len(piece.ids) for piece in pieces)])

    def test_a_stop_string_is_not_told(self):
        whole = self.m.generate("The cat", max_new_tokens=6)
        end = self.m.tokenizer.decode(whole.ids[3:4])
        stream = self.m.generate("The cat", stream=True, max_new_tokens=6, stop_strings=[end])
        self.assertEqual("".join(stream), stream.result.text)
        self.assertNotIn(end, stream.result.text)
        self.assertEqual(stream.result.finish_reason, "stop_string")

    def test_beams_and_several_sequences_come_at_the_end(self):
        for options in ({"num_beams": 3}, {"num_return_sequences": 2, "do_sample": True, "seed": 1},
                        {"search": "exact", "horizon": 2}):
            stream = self.m.generate("The cat", stream=True, max_new_tokens=4, **options)
            pieces = list(stream)
            self.assertEqual(pieces, [stream.result.text])
            self.assertEqual(pieces[0].ids, stream.result.ids)

    def test_result_reads_what_is_left(self):
        stream = self.m.generate("The cat", stream=True, max_new_tokens=5)
        first = next(stream)
        self.assertTrue(stream.result.text.startswith(first))
        self.assertEqual(list(stream), [])
        self.assertIn("ended", repr(stream))

    def test_own_callbacks_are_called_too(self):
        heard, seen = [], []
        stream = self.m.generate("The cat", stream=True, max_new_tokens=9, on_text=heard.append,
                                 stop=lambda ids: seen.append(len(ids)) or len(ids) >= 6)
        pieces = list(stream)
        self.assertEqual(heard, pieces)
        self.assertEqual(stream.result.finish_reason, "callback")
        self.assertEqual(seen, [3, 4, 5, 6])

    def test_notes_and_options(self):
        stream = self.m.generate("The", stream=True, top_p=0.5, max_new_tokens=2)
        self.assertIn("sampling, because top_p was given", stream.result.notes)
        self.assertEqual(stream.result.method, "sample")


class Ends(Case):
    def test_close(self):
        with self.m.generate("The cat", stream=True, max_new_tokens=300) as stream:
            first = next(stream)
        self.assertEqual(list(stream), [])
        self.assertEqual(stream.result.finish_reason, "callback")
        self.assertTrue(stream.result.text.startswith(first))
        self.assertLess(len(stream.result.ids), 300)

    def test_one_that_is_dropped_ends(self):
        before = threading.active_count()
        stream = self.m.generate("The cat", stream=True, max_new_tokens=300)
        next(stream)
        self.assertEqual(threading.active_count(), before + 1)
        del stream
        gc.collect()
        self.assertTrue(until(lambda: threading.active_count() == before))

    def test_one_that_never_begins(self):
        before = threading.active_count()
        stream = self.m.generate("The cat", stream=True, max_new_tokens=300)
        self.assertEqual((threading.active_count(), repr(stream)), (before, "<nextoken.Stream: not begun>"))
        stream.close()
        with self.assertRaises(ValueError):
            stream.result

    def test_errors_come_out_where_it_is_read(self):
        stream = self.m.generate([1] * 400, stream=True)
        with self.assertRaisesRegex(nextoken.ContextError, "400"):
            next(stream)
        self.assertEqual(list(stream), [])

        def fails(ids, logits):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            list(self.m.generate("The", stream=True, process=fails))

    def test_wrong_options_are_told_at_once(self):
        with self.assertRaisesRegex(TypeError, "temperature"):
            self.m.generate("The", stream=True, temperatur=1.0)
        with self.assertRaisesRegex(ValueError, "one text"):
            self.m.generate(["The", "A"], stream=True)

    def test_ctrl_c(self):
        code = ("import nextoken, os, signal, sys, threading\n"
                "m = nextoken.load(sys.argv[1])\n"
                "s = m.generate('The', stream=True, max_new_tokens=4000)\n"
                "next(s)\n"
                "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
                "try:\n"
                "    for piece in s: pass\n"
                "except KeyboardInterrupt:\n"
                "    print(s.result.finish_reason, len(s.result.ids) < 4000, list(s))\n")
        run = subprocess.run([sys.executable, "-c", code, support.checkpoint("long")], capture_output=True,
                             timeout=300, check=False)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"callback True []\n", b""))

    def test_the_end_of_the_program_does_not_wait(self):
        code = ("import nextoken, sys\n"
                "m = nextoken.load(sys.argv[1])\n"
                "s = m.generate('The', stream=True, max_new_tokens=4000)\n"
                "next(s)\n")
        run = subprocess.run([sys.executable, "-c", code, support.checkpoint("long")], capture_output=True,
                             timeout=300, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, b""))


class Async(Case):
    def test_async_for(self):
        async def read():
            stream = self.m.generate("The cat", stream=True, max_new_tokens=10)
            return [piece async for piece in stream], stream.result

        pieces, result = asyncio.run(read())
        self.assertEqual("".join(pieces), self.m.generate("The cat", max_new_tokens=10).text)
        self.assertEqual([i for piece in pieces for i in piece.ids], result.ids)

    def test_two_at_once(self):
        async def read(text):
            return "".join([piece async for piece in self.m.generate(text, stream=True, max_new_tokens=8)])

        async def both():
            return await asyncio.gather(read("The cat"), read("A dog"))

        self.assertEqual(asyncio.run(both()),
                         [self.m.generate(text, max_new_tokens=8).text for text in ("The cat", "A dog")])

    def test_the_loop_goes_on_meanwhile(self):
        async def read():
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0.001)

            task = asyncio.create_task(tick())
            async for _ in self.m.generate("The cat", stream=True, max_new_tokens=60):
                pass
            task.cancel()
            return ticks

        self.assertGreater(asyncio.run(read()), 5)

    def test_a_task_that_is_cancelled_ends_it(self):
        before = threading.active_count()

        async def read():
            stream = self.m.generate("The cat", stream=True, max_new_tokens=300)

            async def eat():
                async for _ in stream:
                    await asyncio.sleep(0)

            task = asyncio.create_task(eat())
            await asyncio.sleep(0.05)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            await stream.aclose()

        asyncio.run(read())
        self.assertTrue(until(lambda: threading.active_count() == before))

    def test_async_with(self):
        async def read():
            async with self.m.generate("The cat", stream=True, max_new_tokens=300) as stream:
                async for _ in stream:
                    break
            return stream.result.finish_reason

        self.assertEqual(asyncio.run(read()), "callback")

    def test_errors(self):
        async def read():
            async for _ in self.m.generate([1] * 400, stream=True):
                pass

        with self.assertRaises(nextoken.ContextError):
            asyncio.run(read())


if __name__ == "__main__":
    unittest.main()
