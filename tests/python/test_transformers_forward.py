"""model(ids, ...) of nextoken.transformers: everything that tests/python/forwarding.py asks for, against
what transformers gave (expected/forward.json), with torch where it is installed and with NumPy. And what no
oracle has: what is refused, errors, copies, threads."""

import copy
import gc
import threading
import unittest

import forwarding
import numpy as np
import support
import transformers_models as models
from generating import differences
from transformers_models import TORCH, array, opened

EXPECTED = support.expected("forward")


def tearDownModule():
    models.close_all()


class Oracle(unittest.TestCase):
    def test_every_case(self):
        wanted = {(case["model"], case["name"]): case["made"] for case in EXPECTED["cases"]}
        largest, n = 0.0, 0
        for kind in (array, np.array) if TORCH is not None else (np.array,):
            for case in forwarding.cases():
                with self.subTest(model=case["model"], case=case["name"], kind=kind.__name__):
                    made = forwarding.run(opened(case["model"]), case, kind)
                    expected = wanted[case["model"], case["name"]]
                    apart = differences(expected, made)
                    self.assertEqual(apart, [])
                    largest = max(largest, forwarding.worst(expected, made))
                    n += 1
        print(f"{n} cases, largest difference {largest:.2g}")
        self.assertGreater(len(wanted), 100)
        self.assertLess(largest, 1e-4)

    def test_facts(self):
        for name, facts in EXPECTED["facts"].items():
            with self.subTest(model=name):
                model = opened(name)
                self.assertEqual(type(model).__name__, facts["class"])
                self.assertEqual(model.num_parameters(), facts["parameters"])
                self.assertEqual(model.num_parameters(only_trainable=True), facts["parameters"])
                self.assertEqual(model.num_parameters(exclude_embeddings=True), facts["without embeddings"])
                named = {n: list(p.shape) for n, p in model.named_parameters()}
                self.assertEqual(sum(p.numel() for p in model.parameters()), facts["parameters"])
                self.assertEqual(named, dict(facts["named"]))


class Output(unittest.TestCase):
    def setUp(self):
        self.model = opened("small")
        self.ids = array([[11, 3, 40, 7]])

    def test_reached_by_name_key_index_and_slice(self):
        out = self.model(self.ids, labels=self.ids, output_hidden_states=True)
        self.assertIs(out.loss, out["loss"])
        self.assertIs(out[0], out.loss)
        loss, logits = out[:2]
        self.assertIs(logits, out.logits)
        self.assertEqual(list(out.keys()), ["loss", "logits", "past_key_values", "hidden_states"])
        self.assertEqual(len(out), 4)
        self.assertEqual(len(out.to_tuple()), 4)
        self.assertIn("logits", out)
        self.assertNotIn("attentions", out)
        self.assertIsNone(out.attentions)
        self.assertIs(dict(**out)["logits"], out.logits)
        with self.assertRaises(AttributeError):
            out.nothing
        with self.assertRaises(KeyError):
            out["attentions"]
        with self.assertRaises(TypeError):
            out.pop("loss")
        out.logits = None
        self.assertIs(out["loss"], loss)

    def test_kind_of_arrays(self):
        from nextoken.transformers.outputs import CausalLMOutputWithCrossAttentions as Kind

        out = self.model(np.array([[1, 2]]), output_hidden_states=True, labels=np.array([[1, 2]]))
        self.assertIsInstance(out, Kind)
        self.assertIsInstance(out.logits, np.ndarray)
        self.assertEqual(out.logits.dtype, np.float32)
        self.assertIsInstance(out.hidden_states[0], np.ndarray)
        self.assertGreater(out.loss.item(), 0)
        out = self.model([[1, 2]])
        self.assertIsInstance(out.logits, np.ndarray)
        if TORCH is None:
            return
        out = self.model(self.ids, labels=self.ids, output_attentions=True)
        self.assertIsInstance(out.logits, TORCH.Tensor)
        self.assertIsInstance(out.attentions[0], TORCH.Tensor)
        self.assertEqual((out.logits.dtype, out.logits.device.type), (TORCH.float32, "cpu"))
        self.assertFalse(out.logits.requires_grad)
        with self.assertRaises(RuntimeError):
            out.loss.backward()

    def test_is_never_written_over(self):
        first = self.model(self.ids).logits
        before = np.array(first)
        self.model(array([[9, 9, 9, 9]]))
        gc.collect()
        self.assertTrue((np.array(first) == before).all())


class Headless(unittest.TestCase):
    """Models without their head give the states that the others have as their last."""

    def test_every_family(self):
        from nextoken.transformers import AutoModel

        names = {"small": "GPT2Model", "gpt_neo": "GPTNeoModel", "gpt_neox": "GPTNeoXModel", "opt": "OPTModel",
                 "llama": "LlamaModel", "qwen2": "Qwen2Model"}
        ids, mask = array([[11, 3, 40], [7, 5, 0]]), array([[1, 1, 1], [1, 1, 0]])
        for name, kind in names.items():
            with self.subTest(model=name):
                whole, model = opened(name), AutoModel.from_pretrained(models.path_of(name))
                self.assertEqual(type(model).__name__, kind)
                wanted = whole(ids, attention_mask=mask, output_hidden_states=True, output_attentions=True)
                out = model(ids, attention_mask=mask)
                self.assertEqual(list(out.keys()), ["last_hidden_state", "past_key_values"])
                self.assertTrue((np.array(out[0]) == np.array(wanted.hidden_states[-1])).all())
                every = model(ids, attention_mask=mask, output_hidden_states=True, output_attentions=True)
                for mine, theirs in zip(every.hidden_states + every.attentions,
                                        wanted.hidden_states + wanted.attentions):
                    self.assertTrue((np.array(mine) == np.array(theirs)).all())
                more = model(ids[:, :1], past_key_values=out.past_key_values,
                             attention_mask=array([[1, 1, 1, 1], [1, 1, 0, 1]]))
                self.assertEqual(tuple(more[0].shape), (2, 1, whole.core.info.n_embd))
                self.assertEqual(sum(p.numel() for p in model.parameters()), model.num_parameters())
                self.assertFalse(model.can_generate())
                with self.assertRaisesRegex(AttributeError, "no head"):
                    model.generate(ids)
                with self.assertRaisesRegex(TypeError, "labels"):
                    model(ids, labels=ids)


class Refused(unittest.TestCase):
    def setUp(self):
        self.model = opened("small")
        self.ids = array([[11, 3, 40, 7]])

    def test_arguments_by_name(self):
        for name in ("inputs_embeds", "token_type_ids", "head_mask", "encoder_hidden_states"):
            self.model(self.ids, **{name: None})
            with self.assertRaisesRegex(NotImplementedError, name):
                self.model(self.ids, **{name: self.ids})
        with self.assertRaisesRegex(TypeError, "nonsense"):
            self.model(self.ids, nonsense=1)
        with self.assertRaisesRegex(ValueError, "input_ids"):
            self.model()

    def test_shapes_and_types(self):
        for bad, kind, word in ((array([1, 2]), ValueError, "batch"), (array([[]]), ValueError, "nothing"),
                                (array([[0.5]]), TypeError, "integers"), (array([[96]]), IndexError, "96"),
                                (array([[-1]]), IndexError, "-1"), (array([[2 ** 40]]), IndexError, "32"),
                                (array([[1] * 257]), ValueError, "256")):
            with self.assertRaisesRegex(kind, word):
                self.model(bad)
        for name, bad, kind in (("attention_mask", array([[1, 1]]), ValueError),
                                ("attention_mask", array([[[[1]]]]), NotImplementedError),
                                ("labels", array([[1, 2]]), ValueError),
                                ("labels", array([[1, 96, 3, 4]]), IndexError),
                                ("labels", array([[1, -1, 3, 4]]), IndexError),
                                ("position_ids", array([[0.0, 1.0, 2.0, 3.0]]), TypeError),
                                ("position_ids", array([[0, 1, 2, 256]]), ValueError),
                                ("logits_to_keep", -1, ValueError),
                                ("past_key_values", ((1, 2),), NotImplementedError)):
            with self.subTest(name=name, kind=kind.__name__), self.assertRaises(kind):
                self.model(self.ids, **{name: bad})
        with self.assertRaises(ValueError):
            self.model(self.ids, labels=self.ids, logits_to_keep=2)

    def test_what_would_be_wrong_in_silence(self):
        left = {"input_ids": array([[0, 1, 2]]), "attention_mask": array([[0, 1, 1]])}
        with self.assertRaisesRegex(NotImplementedError, "-100"):
            opened("gpt_neo")(**left, labels=array([[-100, 1, 2]]))
        with self.assertRaisesRegex(NotImplementedError, "local attention"):
            opened("gpt_neo")(array([[1] * 12]), attention_mask=array([[1] * 3 + [0] + [1] * 8]))
        with self.assertRaisesRegex(NotImplementedError, "several texts"):
            self.model(self.ids, position_ids=array([[0, 1, 0, 1]]), use_cache=False)
        cache = self.model(**left).past_key_values
        with self.assertRaisesRegex(ValueError, "attention_mask"):
            self.model(array([[1]]), past_key_values=cache)
        with self.assertRaisesRegex(NotImplementedError, "masked later"):
            self.model(array([[1]]), past_key_values=cache, attention_mask=array([[1, 1, 1, 1]]))
        with self.assertRaisesRegex(ValueError, "another model"):
            opened("words")(array([[1]]), past_key_values=cache)
        with self.assertRaisesRegex(ValueError, "rows"):
            self.model(array([[1], [2]]), past_key_values=cache)

    def test_a_call_that_fails_leaves_the_cache(self):
        cache = self.model(self.ids).past_key_values
        once = np.array(self.model(array([[1]]), past_key_values=copy.deepcopy(cache)).logits)
        with self.assertRaises(IndexError):
            self.model(array([[1, 2, 96]]), past_key_values=cache)
        with self.assertRaises(IndexError):
            self.model(array([[1, 0, 96]]), past_key_values=cache,
                       attention_mask=array([[1] * 4 + [1, 0, 1]]))
        self.assertEqual(cache.get_seq_length(), 4)
        again = np.array(self.model(array([[1]]), past_key_values=cache).logits)
        self.assertTrue((once == again).all())


class Caches(unittest.TestCase):
    def setUp(self):
        self.model = opened("small")
        self.cache = self.model(array([[11, 3, 40, 7]])).past_key_values

    def test_what_can_be_asked(self):
        from nextoken.transformers import DynamicCache

        self.assertIsInstance(self.cache, DynamicCache)
        self.assertEqual((self.cache.get_seq_length(), len(self.cache), self.cache.batch_size), (4, 2, 1))
        self.assertEqual(self.cache.get_max_length(), -1)
        self.assertTrue(self.cache.is_initialized)
        self.assertTrue(self.cache)
        fresh = DynamicCache(config=self.model.config)
        self.assertEqual((fresh.get_seq_length(), fresh.batch_size, fresh.is_initialized), (0, -1, False))
        out = self.model(array([[1, 2]]), past_key_values=fresh)
        self.assertIs(out.past_key_values, fresh)
        self.assertEqual(fresh.get_seq_length(), 2)
        fresh.reset()
        self.assertEqual(fresh.get_seq_length(), 0)
        self.model(array([[1, 2], [3, 4]]), past_key_values=fresh)
        self.assertEqual(fresh.batch_size, 2)

    def test_what_cannot(self):
        from nextoken.transformers import DynamicCache

        with self.assertRaisesRegex(ValueError, "below 0"):
            self.cache.crop(2)
        for ask in (lambda: self.cache[0], lambda: list(self.cache), lambda: self.cache.key_cache,
                    lambda: self.cache.to_legacy_cache(), lambda: DynamicCache([(1, 2)])):
            with self.assertRaisesRegex(NotImplementedError, "stay in the library"):
                ask()

    def test_copies_go_their_own_way(self):
        other = copy.deepcopy(self.cache)
        a = np.array(self.model(array([[1]]), past_key_values=self.cache).logits)
        b = np.array(self.model(array([[1]]), past_key_values=other).logits)
        self.assertTrue((a == b).all())
        self.model(array([[5, 6]]), past_key_values=other)
        self.assertEqual((self.cache.get_seq_length(), other.get_seq_length()), (5, 7))
        other.crop(-2)
        c = np.array(self.model(array([[9]]), past_key_values=self.cache).logits)
        d = np.array(self.model(array([[9]]), past_key_values=other).logits)
        self.assertTrue((c == d).all())

    def test_pieces_give_the_same_bits(self):
        whole = np.array(self.model(array([[11, 3, 40, 7, 1, 2, 3]])).logits)[:, 4:]
        pieces = [np.array(self.model(array([[i]]), past_key_values=self.cache).logits) for i in (1, 2, 3)]
        self.assertTrue((np.concatenate(pieces, axis=1) == whole).all())

    def test_a_cache_in_another_thread(self):
        wanted = np.array(self.model(array([[1]]), past_key_values=copy.deepcopy(self.cache)).logits)
        made = []

        def go():
            made.append(np.array(self.model(array([[1]]), past_key_values=self.cache).logits))

        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        self.assertTrue((made[0] == wanted).all())
        self.assertEqual(self.cache.get_seq_length(), 5)

    def test_dropped_caches_free_their_sequences(self):
        session = self.model.core.session()
        self.cache = None
        gc.collect()
        first = session.sequence()
        session.drop(first)
        for _ in range(50):
            self.model(array([[1, 2, 3]]))
        gc.collect()
        again = session.sequence()
        session.drop(again)
        self.assertEqual(again, first)


if __name__ == "__main__":
    unittest.main()
