"""session.py: sequences, the forward pass, loss, captures and edits, against transformers' figures."""

import gc
import threading
import unittest
import weakref

import numpy as np
import support

import nextoken
from nextoken import Busy, ContextError, Edit, Place, RangeError, Session

EXPECTED = support.expected("session")
IDS = EXPECTED["ids"]
L, H = 3, 4


def setUpModule():
    global MODEL
    MODEL = nextoken.load(support.checkpoint("words"))


def tearDownModule():
    global MODEL
    del MODEL


class Forward(unittest.TestCase):
    def setUp(self):
        self.session = Session(MODEL)
        self.sequence = self.session.sequence()

    def close_to(self, seen, wanted, allowed=None):
        allowed = 1e-4 * EXPECTED["range"] if allowed is None else allowed
        np.testing.assert_allclose(seen, wanted, rtol=0, atol=allowed)

    def test_logits(self):
        logits = self.session.forward(self.sequence, IDS, "all")
        self.assertEqual((logits.shape, logits.dtype), ((len(IDS), 50257), np.float32))
        self.close_to(logits[:, EXPECTED["vocabulary"]], EXPECTED["logits"])
        self.assertEqual(self.session.length(self.sequence), len(IDS))

    def test_pieces_give_the_same_bits(self):
        whole = self.session.forward(self.sequence, IDS, "all")
        other = self.session.sequence()
        self.assertIsNone(self.session.forward(other, IDS[:5], None))
        np.testing.assert_array_equal(self.session.forward(other, IDS[5:6]), whole[5])
        np.testing.assert_array_equal(self.session.forward(other, np.array(IDS[6:]), "all"), whole[6:])

    def test_a_fork_goes_its_own_way(self):
        whole = self.session.forward(self.sequence, IDS, "all")
        other = self.session.sequence()
        self.session.forward(other, IDS[:4], None)
        child = self.session.fork(other)
        self.session.forward(other, [11, 12, 13], None)
        self.session.drop(other)
        self.assertEqual((self.session.length(other), self.session.length(child)), (0, 4))
        np.testing.assert_array_equal(self.session.forward(child, IDS[4:], "all"), whole[4:])

    def test_into_an_array_of_ones_own(self):
        out = np.zeros((len(IDS), 50257), np.float32)
        self.assertIs(self.session.forward(self.sequence, IDS, "all", out), out)
        self.close_to(out[:, EXPECTED["vocabulary"]], EXPECTED["logits"])
        frozen = np.zeros(50257, np.float32)
        frozen.flags.writeable = False
        for wrong in (np.zeros((1, 2), np.float32), np.zeros(50257), [0.0], frozen,
                      np.zeros(2 * 50257, np.float32)[::2]):
            with self.assertRaises(ValueError):
                self.session.forward(self.sequence, [1], "last", wrong)

    def test_what_cannot_be(self):
        for error, call in ((RangeError, lambda: self.session.forward(self.sequence, [50257])),
                            (RangeError, lambda: self.session.forward(self.sequence, [-1])),
                            (RangeError, lambda: self.session.forward(99, [1])),
                            (RangeError, lambda: self.session.forward(-1, [1])),
                            (ContextError, lambda: self.session.forward(self.sequence, [1] * 321)),
                            (ValueError, lambda: self.session.forward(self.sequence, [1], "some")),
                            (TypeError, lambda: self.session.forward(self.sequence, "text")),
                            (TypeError, lambda: self.session.forward("0", [1])),
                            (OverflowError, lambda: self.session.forward(1 << 40, [1])),
                            (RangeError, lambda: self.session.fork(99)),
                            (nextoken.Error, lambda: Session(MODEL, threads=-1)),
                            (OverflowError, lambda: Session(MODEL, threads=1 << 40))):
            with self.assertRaises(error):
                call()
        self.session.drop(99)
        self.assertEqual(self.session.length(99), 0)
        self.assertEqual(self.session.length(self.sequence), 0, "nothing was taken in")

    def test_loss(self):
        loss, counted = self.session.loss(IDS)
        self.assertAlmostEqual(loss, EXPECTED["loss"], delta=2e-5)
        self.assertEqual(counted, len(IDS) - 1)
        loss, counted = self.session.loss(IDS, EXPECTED["labels"])
        self.assertAlmostEqual(loss, EXPECTED["labelled_loss"], delta=2e-5)
        self.assertEqual(counted, sum(label != -100 for label in EXPECTED["labels"][1:]))
        with self.assertRaises(ValueError):
            self.session.loss(IDS, IDS[1:])

    def test_hidden_states_are_captured(self):
        with self.session.capture(["embedding", "block_out", "final_norm"]) as seen:
            self.session.forward(self.sequence, IDS[:7], None)
            self.session.forward(self.sequence, IDS[7:], "last")
        self.assertEqual(sorted(seen.keys()), ["block_out", "embedding", "final_norm"])
        picked = EXPECTED["dimensions"]
        wanted = EXPECTED["hidden_states"]
        self.assertEqual(seen["block_out"].shape, (L, len(IDS), 48))
        self.close_to(seen["embedding"][:, picked], wanted[0], 1e-5)
        self.close_to(seen["block_out"][:-1][:, :, picked], wanted[1:-1], 1e-4)
        # the last row alone is read out where the last logits are asked for
        self.close_to(seen["final_norm"][-1:, picked], wanted[-1][-1:], 1e-4)

    def test_attentions_are_captured_with_a_cache(self):
        with self.session.capture("attention") as seen:
            self.session.forward(self.sequence, IDS[:5], None)
            self.session.forward(self.sequence, IDS[5:], None)
        self.assertEqual(seen["attention"].shape, (L, H, len(IDS), len(IDS)))
        self.close_to(seen["attention"], EXPECTED["attentions"], 1e-5)
        with self.session.capture([Place("attention", 1, 2), ("head_out", 0)]) as seen:
            self.session.forward(self.session.sequence(), IDS, None)
        self.assertEqual(seen["attention"].shape, (1, 1, len(IDS), len(IDS)))
        self.close_to(seen["attention"][0, 0], EXPECTED["attentions"][1][2], 1e-5)
        self.assertEqual(seen["head_out"].shape, (1, H, len(IDS), 12))

    def test_captures_in_one_another_and_two_sequences(self):
        other = self.session.sequence()
        with self.session.capture("embedding") as outer:
            with self.session.capture("mlp_out") as inner:
                self.session.forward(self.sequence, [5, 6], None)
            self.session.forward(other, [7], None)
        self.session.forward(other, [8], None)
        self.assertEqual(list(inner.keys()), ["mlp_out"])
        self.assertEqual(outer.sequences("embedding"), [self.sequence, other])
        self.assertEqual(outer.of("embedding", self.sequence).shape, (2, 48))
        self.assertEqual(outer.of("embedding", other).shape, (1, 48))
        with self.assertRaisesRegex(KeyError, "sequences"):
            outer["embedding"]
        with self.assertRaises(KeyError):
            outer["mlp_out"]

    def test_no_such_point(self):
        with self.assertRaisesRegex(ValueError, "there are embedding, "):
            with self.session.capture("nowhere"):
                self.fail()
        with self.assertRaises(RangeError):
            with self.session.capture(("attention", 3)):
                self.fail()
        self.session.forward(self.sequence, [1])

    def test_edits(self):
        plain = self.session.forward(self.sequence, IDS)
        zero = Edit(Place("mlp_out", 1), "zero")
        with self.session.edit([zero]):
            edited = self.session.forward(self.session.sequence(), IDS)
        self.assertGreater(np.abs(edited - plain).max(), 1e-3)
        np.testing.assert_array_equal(self.session.forward(self.session.sequence(), IDS), plain)
        with self.session.edit([Edit(Place("mlp_out", 1), "replace", values=np.zeros(48))]):
            gc.collect()
            np.testing.assert_array_equal(self.session.forward(self.session.sequence(), IDS), edited)
        with self.session.edit([Edit(Place("mlp_out", 1), "scale", 0.0)]):
            np.testing.assert_array_equal(self.session.forward(self.session.sequence(), IDS), edited)
        for wrong in (Edit(Place("mlp_out"), "double"), Edit(Place("attention"), "zero"),
                      Edit(Place("mlp_out"), "add", values=[1.0])):
            with self.assertRaises(ValueError):
                self.session.set_edits([wrong])


class Ownership(unittest.TestCase):
    def test_a_session_is_used_by_one_at_a_time(self):
        session = Session(MODEL)
        sequence = session.sequence()
        with session.use():
            self.assertTrue(session.busy)
            with self.assertRaises(Busy):
                session.forward(sequence, [1])
            self.assertIsNot(MODEL.session(), session)
        self.assertFalse(session.busy)
        session.forward(sequence, [1])

    def test_a_callback_cannot_reach_into_its_own_session(self):
        session = MODEL.session()

        def process(ids, logits):
            session.sequence()

        with self.assertRaises(Busy):
            MODEL.generate("Alice", process=process, max_new_tokens=2)
        self.assertFalse(session.busy)

    def test_a_callback_may_use_the_model(self):
        inner = []

        def process(ids, logits):
            inner.append(MODEL.next(ids, k=1)[0].id)

        out = MODEL.generate("Alice", process=process, max_new_tokens=3)
        self.assertEqual(inner, list(out[0].ids))

    def test_closed(self):
        session = Session(MODEL)
        session.close()
        with self.assertRaises(ValueError):
            session.sequence()

    def test_sessions_hold_the_model_and_not_the_other_way_round(self):
        model = nextoken.load(support.checkpoint("letters"))
        core = weakref.ref(model._core)
        session = Session(model)
        sequence = session.sequence()
        own = weakref.ref(model.session())
        gone = weakref.ref(model)
        tokenizer = model.tokenizer
        gc.collect()
        gc.disable()
        try:
            del model
            self.assertIsNone(gone(), "no cycle holds a model")
            self.assertIsNone(own(), "its sessions went with it")
            self.assertEqual(session.forward(sequence, [1, 2]).shape, (260,))
            del session
            self.assertEqual(tokenizer.decode(tokenizer.encode("held").ids), "held")
            self.assertIsNotNone(core())
            del tokenizer
            self.assertIsNone(core(), "the last one frees it")
        finally:
            gc.enable()

    def test_a_thread_that_ends_takes_its_sessions_along(self):
        seen = []

        def run():
            session = MODEL.session()
            session.forward(session.sequence(), [1, 2, 3])
            self.assertIs(MODEL.session(), session)
            seen.append(weakref.ref(session))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        del thread
        gc.collect()
        self.assertIsNot(seen[0](), MODEL.session())
        self.assertIsNone(seen[0]())


if __name__ == "__main__":
    unittest.main()
