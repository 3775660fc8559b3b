"""generate(): steps that are computed when they are looked at, what is refused and warned of, what comes
out of functions that are called back, caches and insides."""

import logging
import pickle
import unittest
import warnings

import numpy as np

import support
from nextoken import transformers as T
from nextoken.transformers import generation
from nextoken.transformers.generation import native, runner, scores

try:
    import torch
except ImportError:
    torch = None

LOG = "nextoken.transformers"
ALL = {"return_dict_in_generate": True, "output_scores": True, "output_logits": True}
PLAIN = {"max_new_tokens": 6, "pad_token_id": 0, "eos_token_id": None}
IDS = np.array([[1, 2, 3]])


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = T.GPT2LMHeadModel.from_pretrained(support.checkpoint("small"))
        cls.model.generation_config = T.GenerationConfig()

    def setUp(self):
        logging.getLogger(LOG).setLevel(logging.ERROR)

    def generate(self, ids=IDS, **options):
        return self.model.generate(ids, **{**PLAIN, **options})


class Wrong(Case):
    def test_numbers_of_beams(self):
        for wrong in (0, -2, 2.5, "3"):
            with self.assertRaisesRegex(ValueError, "num_beams"):
                self.generate(num_beams=wrong)

    def test_an_eos_that_there_is_not(self):
        """-1 is in use for none, and transformers takes it."""
        for none in (-1, [-1]):
            self.assertEqual(self.generate(eos_token_id=none).tolist(), self.generate().tolist())


class Steps(Case):
    def each(self):
        """Outputs of every method, with and without padding."""
        two = {"inputs": np.array([[0, 0, 5], [7, 8, 9]]), "attention_mask": np.array([[0, 0, 1],
                                                                                      [1, 1, 1]])}
        for given in ({"inputs": IDS}, two):
            for method in ({}, {"do_sample": True, "num_return_sequences": 3, "top_k": 10},
                           {"num_beams": 4}, {"num_beams": 3, "no_repeat_ngram_size": 2}):
                call = {**PLAIN, **ALL, "max_new_tokens": 14, **given, **method}
                with self.subTest(**method, rows=len(given["inputs"])):
                    yield self.model.generate(**call), call

    def test_as_recorded(self):
        """A criterion that reads scores has them kept as they come: the same numbers."""
        class Reads(generation.StoppingCriteria):
            def __call__(self, input_ids, scores, **kwargs):
                return False

        T.set_seed(1)
        for later, call in self.each():
            call = dict(call)
            if call.get("do_sample"):
                continue  # the draws would be others
            now = self.model.generate(**call, stopping_criteria=[Reads()])
            self.assertIs(type(now.scores), tuple)
            for name in ("scores", "logits"):
                self.assertEqual(len(getattr(now, name)), len(getattr(later, name)))
                for a, b in zip(getattr(now, name), getattr(later, name)):
                    np.testing.assert_allclose(a, b, atol=2e-5)

    def test_one_pass(self):
        """All steps together cost about one pass over the text, however often they branch."""
        counted = []
        step = runner.Stepper.step

        def count(self, parts, padding=False):
            counted.append((sum(len(part[1]) for part in parts), len(parts)))
            return step(self, parts, padding)

        for out, call in self.each():
            counted.clear()
            runner.Stepper.step = count
            try:
                stacked = np.stack(out.scores)
            finally:
                runner.Stepper.step = step
            rows, n = stacked.shape[1], len(out.scores)
            prompts = int(call.get("attention_mask", call["inputs"] > -1).sum())
            self.assertEqual(sum(n for n, _ in counted), prompts + rows * (n - 1))
            self.assertLessEqual(len(counted), 8)

    def test_any_order(self):
        out = self.generate(max_new_tokens=20, num_beams=3, **ALL)
        whole = [step.copy() for step in out.scores]
        saved, scores.BLOCK = scores.BLOCK, 4 * 96 * 3 * 6  # six steps at once
        try:
            again = self.generate(max_new_tokens=20, num_beams=3, **ALL).scores
            for t in (19, 3, 4, 0, 12, 11, 10, 1, 18):
                np.testing.assert_array_equal(again[t], whole[t])
            np.testing.assert_array_equal(np.stack(again), np.stack(whole))
            np.testing.assert_array_equal(np.stack(list(reversed(again))), np.stack(whole[::-1]))
        finally:
            scores.BLOCK = saved

    def test_as_a_tuple(self):
        out = self.generate(**ALL)
        steps = out.scores
        self.assertIsInstance(steps, tuple)
        self.assertEqual(len(steps), 6)
        np.testing.assert_array_equal(steps[-1], steps[5])
        self.assertEqual(len(steps[1:3]), 2)
        self.assertEqual(len(steps + steps), 12)
        self.assertEqual(len((1,) + tuple(steps)), 7)
        with self.assertRaises(IndexError):
            steps[6]
        first, *others = steps
        self.assertEqual(len(others), 5)
        del first, others
        self.assertEqual(np.array(steps).shape, (6, 1, 96))
        self.assertEqual(len(pickle.loads(pickle.dumps(steps))), 6)
        kept = steps[2]
        self.assertIs(steps[2], kept)
        kept[:] = 0  # the caller's own, as long as it lives
        self.assertEqual(float(np.abs(steps[2]).max()), 0)
        del kept
        self.assertNotEqual(float(np.abs(steps[2]).max()), 0)

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_torch_functions(self):
        out = self.model.generate(torch.tensor(IDS), **{**PLAIN, **ALL, "num_beams": 2})
        stacked = torch.stack(out.scores, dim=1)
        self.assertEqual(tuple(stacked.shape), (2, len(out.scores), 96))
        for t, step in enumerate(out.scores):
            self.assertIsInstance(step, torch.Tensor)
            self.assertTrue(torch.equal(stacked[:, t], step))
        self.assertEqual(tuple(torch.cat(out.scores).shape), (2 * len(out.scores), 96))
        self.assertEqual(tuple(torch.stack(list(out.logits)).shape), (len(out.scores), 2, 96))


class Refused(Case):
    def test_by_name(self):
        for name, value in (("watermarking_config", T.WatermarkingConfig()), ("token_healing", True),
                            ("assistant_early_exit", 2), ("use_mtp", True), ("dola_layers", "low"),
                            ("penalty_alpha", 0.5), ("constraints", [1]), ("force_words_ids", [[1]]),
                            ("low_memory", True), ("cache_implementation", "quantized"),
                            ("synced_gpus", True), ("custom_generate", "x/y"),
                            ("trust_remote_code", True), ("inputs_embeds", np.zeros((1, 3, 16))),
                            ("token_type_ids", IDS), ("position_ids", IDS + 5),
                            ("num_beam_groups", 2), ("diversity_penalty", 0.5)):
            with self.subTest(name=name):
                with self.assertRaises(NotImplementedError) as raised:
                    self.generate(num_beams=2, **{name: value})
                self.assertIn(name, str(raised.exception))

    def test_unknown_by_name(self):
        with self.assertRaisesRegex(ValueError, "max_new_token'"):
            self.generate(max_new_token=3)

    def test_inputs(self):
        for ids, kind in ((IDS[0], ValueError), (IDS[None], ValueError), (IDS.astype(float), TypeError),
                          (np.zeros((1, 0), int), ValueError), (np.array([[1, 96]]), IndexError),
                          (np.array([[-1, 2]]), IndexError)):
            with self.subTest(ids=ids.tolist()), self.assertRaises(kind):
                self.generate(ids)
        with self.assertRaises(ValueError):
            self.generate(IDS, input_ids=IDS)
        with self.assertRaisesRegex(ValueError, "bos_token_id"):
            self.model.generate(None, **PLAIN)
        with self.assertRaisesRegex(ValueError, "attention_mask"):
            self.generate(IDS, attention_mask=np.array([[0, 0, 0]]))
        with self.assertRaisesRegex(ValueError, "attention_mask"):
            self.generate(IDS, attention_mask=np.array([[1, 1]]))

    def test_lists_of_ids_and_bos(self):
        whole = self.generate().tolist()
        self.assertEqual(self.generate([[1, 2, 3]]).tolist(), whole)
        self.assertEqual(self.generate(IDS.astype(np.int32)).tolist(), whole)
        self.assertEqual(self.model.generate(input_ids=IDS, **PLAIN).tolist(), whole)
        self.assertEqual(self.model.generate(bos_token_id=5, **PLAIN).tolist(),
                         self.generate([[5]]).tolist())
        self.assertEqual(self.generate(position_ids=np.array([[0, 1, 2]])).tolist(), whole)

    def test_more_positions_than_there_are(self):
        with self.assertRaises((ValueError, IndexError)):
            self.generate(np.ones((1, 250), int), max_new_tokens=20)
        with self.assertRaises((ValueError, IndexError)):
            self.generate(np.ones((2, 250), int), max_new_tokens=20)


class Warned(Case):
    def heard(self, *args, **options):
        logging.getLogger(LOG).setLevel(logging.WARNING)
        T.logging._said.clear()
        with warnings.catch_warnings(record=True) as caught, self.assertLogs(LOG) as log:
            warnings.simplefilter("always")
            logging.getLogger(LOG).warning("so that there is one")
            self.model.generate(*args, **options)
        return [str(w.message) for w in caught], [r.getMessage() for r in log.records][1:]

    def test_nothing_to_say(self):
        self.assertEqual(self.heard(IDS, **PLAIN), ([], []))
        mask = np.ones_like(IDS)
        self.assertEqual(self.heard(IDS, attention_mask=mask, max_new_tokens=3, eos_token_id=4),
                         ([], []))
        self.assertEqual(self.heard(IDS, max_new_tokens=3, eos_token_id=4), ([], []))

    def test_lengths(self):
        said, _ = self.heard(IDS, pad_token_id=0)
        self.assertRegex(said[0], "max_new_tokens")
        _, log = self.heard(IDS, pad_token_id=0, max_new_tokens=3, max_length=9)
        self.assertRegex(log[0], "max_new_tokens.*max_length")
        said, _ = self.heard(IDS, pad_token_id=0, max_new_tokens=3, eos_token_id=4, min_new_tokens=9)
        self.assertRegex(said[0], "Unfeasible")

    def test_padding(self):
        two = np.array([[1, 2], [3, 5]])
        _, log = self.heard(two, max_new_tokens=3, eos_token_id=4)
        self.assertRegex(log[0], "attention_mask")
        self.assertEqual(self.heard(two, max_new_tokens=3, eos_token_id=4, pad_token_id=0), ([], []))
        _, log = self.heard(two, max_new_tokens=3, pad_token_id=0,
                            attention_mask=np.array([[1, 0], [1, 1]]))
        self.assertRegex(log[0], "right")

    def test_a_config_and_more(self):
        config = T.GenerationConfig(max_new_tokens=3, pad_token_id=0)
        _, log = self.heard(IDS, generation_config=config, num_beams=2)
        self.assertRegex(log[0], "num_beams")
        self.assertEqual(config.num_beams, None)  # the caller's own is not changed


class Boom(Exception):
    pass


class CalledBack(Case):
    METHODS = ({}, {"do_sample": True}, {"num_beams": 2}, {"prompt_lookup_num_tokens": 2})

    def test_exceptions_travel(self):
        def boom(*args, **kwargs):
            raise Boom("out of a callback")

        class Stream:
            put = end = staticmethod(boom)

        class Late(Stream):
            n = 0

            def put(self, value):
                self.n += 1
                if self.n > 2:
                    raise Boom("late")

        for method in self.METHODS:
            for given in ({"logits_processor": [boom]}, {"stopping_criteria": [boom]},
                          {"prefix_allowed_tokens_fn": boom}, {"streamer": Stream()},
                          {"streamer": Late()}):
                if "num_beams" in method and "streamer" in given:
                    continue
                with self.subTest(**method, given=list(given)), self.assertRaises(Boom):
                    self.generate(np.array([[5, 6, 5, 6, 5]]), **method, **given)
        self.assertEqual(self.generate().shape, (1, 9))  # and all goes on

    def test_interrupt(self):
        def stop(ids, logits):
            raise KeyboardInterrupt

        for method in self.METHODS:
            with self.assertRaises(KeyboardInterrupt):
                self.generate(logits_processor=[stop], **method)

    def test_model_within(self):
        """A processor may ask the model itself, and generate."""
        def half(ids, logits):
            other = self.model(np.asarray(ids)).logits[:, -1]
            np.testing.assert_allclose(np.asarray(other), np.asarray(logits), atol=1e-5)
            self.generate(np.asarray(ids), max_new_tokens=1)
            return logits

        for method in self.METHODS:
            if "num_beams" in method or "prompt_lookup_num_tokens" in method:
                continue  # log-probabilities; drafts, which have no logits
            with_it = self.generate(logits_processor=[half], **method).tolist()
            if not method:
                self.assertEqual(with_it, self.generate().tolist())

    def test_list_is_wanted(self):
        with self.assertRaises(TypeError):
            self.generate(logits_processor=lambda ids, scores: scores)

    def test_no_python_between_tokens(self):
        """Without callbacks one call of the library does it all."""
        calls = []
        step = runner.Stepper.step

        def count(self, *args):
            calls.append(1)
            return step(self, *args)

        runner.Stepper.step = count
        try:
            for method in self.METHODS:
                self.generate(**method)
                self.generate(**method, **({} if "prompt_lookup_num_tokens" in method else ALL))
        finally:
            runner.Stepper.step = step
        self.assertEqual(calls, [])

    def test_streams_as_it_goes(self):
        class Stream:
            def __init__(self):
                self.got = []

            def put(self, value):
                self.got.append(np.asarray(value).tolist())

            def end(self):
                self.got.append("end")

        for can_run in (native.can_run, lambda *args: False):
            saved, native.can_run = native.can_run, can_run
            stream = Stream()
            try:
                out = self.generate(streamer=stream)
            finally:
                native.can_run = saved
            self.assertEqual(stream.got, [IDS.tolist(), *[[i] for i in out[0, 3:].tolist()], "end"])


class Caches(Case):
    def test_goes_on(self):
        for method in ({}, {"num_beams": 3}):
            out = self.generate(return_dict_in_generate=True, **method)
            cache = out.past_key_values
            self.assertEqual(cache.get_seq_length(), 3 + 6 - 1)
        out = self.generate(return_dict_in_generate=True, output_logits=True)
        with_cache = self.model(out.sequences[:, -1:], past_key_values=out.past_key_values).logits
        alone = self.model(out.sequences).logits[:, -1:]
        np.testing.assert_allclose(with_cache, alone, atol=1e-5)
        self.assertIsNone(self.generate(return_dict_in_generate=True, use_cache=False).past_key_values)

    def test_given(self):
        cache = self.model(IDS).past_key_values
        more = np.array([[1, 2, 3, 7, 8]])
        out = self.generate(more, past_key_values=cache)
        self.assertEqual(out.tolist(), self.generate(more).tolist())
        self.assertEqual(cache.get_seq_length(), out.shape[1] - 1)
        longer = np.concatenate([out, [[4]]], axis=1)
        self.assertEqual(self.generate(longer, past_key_values=cache).tolist(),
                         self.generate(longer).tolist())
        with self.assertRaisesRegex(NotImplementedError, "past_key_values"):
            self.generate(np.array([[9, 9, 9, 9]]), past_key_values=self.model(IDS).past_key_values)

    def test_inside(self):
        out = self.generate(return_dict_in_generate=True, output_hidden_states=True,
                            output_attentions=True)
        whole = self.model(out.sequences[:, :-1], output_hidden_states=True, output_attentions=True)
        self.assertEqual((len(out.hidden_states), len(out.attentions)), (6, 6))
        for t in range(6):
            begin, end = (0, 3) if t == 0 else (2 + t, 3 + t)
            for a, b in zip(out.hidden_states[t], whole.hidden_states):
                np.testing.assert_allclose(a, b[:, begin:end], atol=1e-5)
            for a, b in zip(out.attentions[t], whole.attentions):
                np.testing.assert_allclose(a, b[:, :, begin:end, :end], atol=1e-5)
        with self.assertRaisesRegex(NotImplementedError, "output_hidden_states"):
            self.generate(return_dict_in_generate=True, output_hidden_states=True, num_beams=2)


class Draws(Case):
    def test_left_where_transformers_leaves_it(self):
        """Whoever searches, the stream stands in the same place afterwards."""
        for method in ({"num_return_sequences": 2}, {"num_beams": 3}, {"eos_token_id": list(range(50))},
                       {"num_return_sequences": 3, "eos_token_id": [1, 2, 3, 4, 5, 6]}):
            outcomes = []
            for can_run in (native.can_run, lambda *args: False):
                saved, native.can_run = native.can_run, can_run
                try:
                    T.set_seed(11)
                    outcomes.append([self.generate(do_sample=True, top_k=0, **method).tolist()
                                     for _ in range(3)])
                finally:
                    native.can_run = saved
            self.assertEqual(*outcomes)

    def test_seeds(self):
        made = []
        for seed in (0, 0, 1):
            T.set_seed(seed)
            made.append(self.generate(do_sample=True, top_k=0, max_new_tokens=20).tolist())
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])


if __name__ == "__main__":
    unittest.main()
