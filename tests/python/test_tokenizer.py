"""tokenizer.py: ids and offsets against the tokenizers library, streams, hostile texts."""

import gc
import pickle
import threading
import unittest
import weakref

import numpy as np
import support

import nextoken
from nextoken import NotFound, RangeError, TextError, Tokenizer

EXPECTED = support.expected("tokenizer")
GPT2 = Tokenizer.gpt2()


class Encode(unittest.TestCase):
    def test_ids_offsets_and_types_are_those_of_tokenizers(self):
        opened = Tokenizer.open(support.checkpoint("words"))
        for tokenizer in (GPT2, opened):
            for case in EXPECTED["texts"]:
                made = tokenizer.encode(case["texts"][0], marks=True, trim_offsets=False)
                self.assertEqual(made.ids.tolist(), case["ids"], case)
                self.assertEqual(made.id_list(), case["ids"])
                self.assertEqual([list(pair) for pair in made.offsets], case["offsets"], case)
                self.assertEqual(len(made), len(case["ids"]))

    def test_pairs(self):
        cases = EXPECTED["pairs"]
        made = GPT2.encode_batch([case["texts"][0] for case in cases], [case["texts"][1] for case in cases],
                                 marks=True)
        for case, encoding in zip(cases, made):
            self.assertEqual(encoding.id_list(), case["ids"])
            self.assertEqual([list(pair) for pair in encoding.offsets], case["offsets"], case)

    def test_a_batch_is_what_each_text_is_alone(self):
        texts = [case["texts"][0] for case in EXPECTED["texts"]] * 40
        for text, made in zip(texts, GPT2.encode_batch(texts)):
            alone = GPT2.encode(text)
            self.assertEqual((made.id_list(), made.offsets), (alone.id_list(), alone.offsets))
        self.assertEqual(GPT2.encode_batch([]), [])

    def test_offsets_in_bytes_tile_the_text(self):
        text = "caf\u00e9 \u65e5\u672c\u8a9e \U0001f600"
        made = GPT2.encode(text, offsets="bytes")
        self.assertEqual(made.starts.tolist(), [0] + made.ends.tolist()[:-1])
        self.assertEqual(made.ends[-1], len(text.encode()))
        self.assertIsNone(GPT2.encode(text, offsets=None).offsets)
        self.assertIsNone(GPT2.encode(text).marks)

    def test_windows(self):
        made = GPT2.encode("a b c d \u00e9 f g h", truncation=1, max_length=4, stride=1)
        self.assertEqual(len(made), 4)
        whole = GPT2.encode("a b c d \u00e9 f g h")
        windows = [made, *made.overflow]
        self.assertEqual([len(window) for window in windows[:-1]], [4] * (len(windows) - 1))
        self.assertEqual(made.id_list() + [i for w in made.overflow for i in w.id_list()[1:]], whole.id_list())
        self.assertEqual(made.offsets + [o for w in made.overflow for o in w.offsets[1:]], whole.offsets)

    def test_arrays_are_views_that_hold_the_encoding(self):
        made = GPT2.encode("Alice was here")
        self.assertTrue(np.shares_memory(made.ids, made.ids))
        ids = made.ids
        wanted = made.id_list()
        del made
        gc.collect()
        GPT2.encode("something else that may take the memory" * 50)
        self.assertEqual(ids.tolist(), wanted)

    def test_options_by_their_names(self):
        self.assertEqual(GPT2.encode("x", add_bos=True).id_list()[0], GPT2.bos)
        self.assertEqual(GPT2.encode("<|endoftext|>").id_list(), [50256])
        self.assertGreater(len(GPT2.encode("<|endoftext|>", split_special_tokens=True)), 1)
        self.assertEqual(GPT2.encode("x", add_prefix_space=1).id_list(), GPT2.encode(" x").id_list())
        with self.assertRaises(TypeError):
            GPT2.encode("x", no_such_option=1)

    def test_hostile_texts(self):
        for wrong in ("a\ud800", b"\xff", "\udfff\ud800"):
            with self.assertRaises(TextError):
                GPT2.encode(wrong)
        for wrong in (None, 3, ["a"], object(), memoryview(b"a")):
            with self.assertRaises(TypeError):
                GPT2.encode(wrong)
        with self.assertRaises(TypeError):
            GPT2.encode_batch("abc")
        with self.assertRaises(TypeError):
            GPT2.encode_batch(["a", None])
        with self.assertRaises(ValueError):
            GPT2.encode_batch(["a", "b"], ["c"])
        with self.assertRaises(ValueError):
            GPT2.encode("a", offsets="lines")
        self.assertEqual(GPT2.decode(GPT2.encode("zero\0inside").ids), "zero\0inside")
        with self.assertRaises(nextoken.Error):
            GPT2.encode("a b c", truncation=1, max_length=1, stride=9)
        for size in (-1, 1 << 70):
            with self.assertRaises((OverflowError, TypeError)):
                GPT2.encode("a", max_length=size)


class Decode(unittest.TestCase):
    def test_back_and_forth(self):
        for case in EXPECTED["texts"]:
            self.assertEqual(GPT2.decode(case["ids"]), case["texts"][0])
            self.assertEqual(GPT2.decode(np.array(case["ids"], np.int64)), case["texts"][0])

    def test_special_tokens_and_halves(self):
        self.assertEqual(GPT2.decode([50256, 40], skip_special_tokens=True), "I")
        self.assertEqual(GPT2.decode([50256]), "<|endoftext|>")
        first = GPT2.encode("\u65e5").id_list()[0]
        self.assertEqual(GPT2.decode([first]), "\ufffd")
        for wrong, error in (([50257], RangeError), ([-1], RangeError), ("text", TypeError), ([1.5], TypeError),
                             (None, TypeError), ([1 << 31], OverflowError)):
            with self.assertRaises(error):
                GPT2.decode(wrong)

    def test_a_stream_never_cuts_a_character(self):
        text = "A \u65e5\u672c \U0001f469\u200d\U0001f467!"
        stream = GPT2.stream()
        pieces = [stream.put(i) for i in GPT2.encode(text).id_list()]
        self.assertEqual("".join(pieces) + stream.end(), text)
        self.assertNotIn("\ufffd", "".join(pieces))
        self.assertIn("", pieces)
        stream = GPT2.stream()
        stream.put(GPT2.encode("\u65e5").id_list()[0])
        self.assertEqual(stream.end(), "\ufffd")
        with self.assertRaises(RangeError):
            stream.put(1 << 20)


class Vocabulary(unittest.TestCase):
    def test_tokens(self):
        self.assertEqual(len(GPT2), 50257)
        self.assertTrue(GPT2)
        self.assertEqual((GPT2.bos, GPT2.eos, GPT2.pad), (50256, 50256, None))
        self.assertEqual((GPT2.content(262), GPT2.token_bytes(262), GPT2.id("\u0120the")),
                         ("\u0120the", b" the", 262))
        self.assertTrue(GPT2.is_special(50256))
        self.assertFalse(GPT2.is_special(262))
        for none in (GPT2.content(50257), GPT2.token_bytes(-1), GPT2.id("no such token"), GPT2.id("\ud800")):
            self.assertIsNone(none)
        with self.assertRaises(OverflowError):
            GPT2.content(1 << 40)

    def test_folders(self):
        with self.assertRaises(NotFound):
            Tokenizer.open("/no/such/folder")
        for wrong in ("a\0b", "a\ud800\0"):
            with self.assertRaises(ValueError):
                Tokenizer.open(wrong)
        with self.assertRaises(ValueError):
            Tokenizer.open(support.checkpoint("letters"), reading="aloud")
        self.assertEqual(len(Tokenizer.open(support.checkpoint("letters"), reading="transformers")), 260)

    def test_pickled(self):
        for tokenizer in (GPT2, Tokenizer.open(support.checkpoint("letters")),
                          nextoken.load(support.checkpoint("letters")).tokenizer):
            again = pickle.loads(pickle.dumps(tokenizer))
            self.assertEqual((len(again), again.encode("the").id_list()),
                             (len(tokenizer), tokenizer.encode("the").id_list()))

    def test_threads_share_a_tokenizer(self):
        texts = [case["texts"][0] for case in EXPECTED["texts"]]
        wanted = [case["ids"] for case in EXPECTED["texts"]]
        wrong = []

        def run():
            for _ in range(30):
                made = [encoding.id_list() for encoding in GPT2.encode_batch(texts)]
                if made != wanted:
                    wrong.append(made)

        threads = [threading.Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_freed(self):
        tokenizer = Tokenizer.open(support.checkpoint("letters"))
        made = tokenizer.encode(" the")
        stream = tokenizer.stream()
        gone = weakref.ref(tokenizer)
        del tokenizer
        gc.collect()
        self.assertEqual(made.id_list(), [258])
        self.assertEqual(stream.put(259), "<|endoftext|>")
        del stream
        gc.collect()
        self.assertIsNone(gone())


if __name__ == "__main__":
    unittest.main()
