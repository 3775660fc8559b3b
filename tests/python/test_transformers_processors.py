"""Logits processors and stopping criteria as programs call them themselves, against transformers' figures
(tools/oracle/python_processors.py). With torch, where it is installed, tensors come out of tensors."""

import math
import unittest

import numpy as np

import support
from nextoken.transformers import generation

try:
    import torch
except ImportError:
    torch = None

EXPECTED = support.expected("processors")


def numbers(value):
    """Lists with infinities written as words."""
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return float(value) if isinstance(value, str) else value


def build(value, array):
    return array(value["ids"]) if isinstance(value, dict) else numbers(value)


class Processors(unittest.TestCase):
    def call(self, case, array):
        name = case["class"]
        ids = array(EXPECTED["ids"])
        arguments = [build(value, array) for value in case["arguments"]]
        kind = getattr(generation, name)
        if "ended" in case:
            return kind(*arguments)(ids, None), None, None
        table = numbers(EXPECTED["tables"][case["table"]])
        table = np.array(table + table if name.startswith("ClassifierFree") else table, np.float32)
        scores = array(table)
        if name == "ForcedBOSTokenLogitsProcessor":
            ids = ids[:, :1]
        return kind(*arguments)(ids, scores), scores, table

    def check(self, array):
        for i, case in enumerate(EXPECTED["cases"]):
            with self.subTest(i=i, name=case["class"], arguments=case["arguments"]):
                if "refused" in case:
                    with self.assertRaises(ValueError):
                        self.call(case, array)
                    continue
                out, scores, table = self.call(case, array)
                if "ended" in case:
                    self.assertEqual(out.tolist(), case["ended"])
                    continue
                self.assertIs(type(out), type(scores))
                self.assertEqual(str(out.dtype), str(scores.dtype))
                np.testing.assert_array_equal(np.asarray(scores), table)  # nothing is changed in place
                wanted = np.array(numbers(case["out"]), np.float32)
                np.testing.assert_allclose(np.asarray(out), wanted, rtol=2e-5, atol=2e-5)

    def test_arrays(self):
        self.assertGreater(len(EXPECTED["cases"]), 200)
        self.check(np.array)

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_tensors(self):
        self.check(torch.tensor)

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_half_precision(self):
        scores = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.bfloat16)
        out = generation.TopKLogitsWarper(2)(torch.tensor([[1]]), scores)
        self.assertEqual(out.dtype, torch.bfloat16)
        self.assertEqual(out.tolist(), [[-math.inf, 2.0, 3.0]])


class Lists(unittest.TestCase):
    IDS = np.array([[1, 2], [3, 4]])

    def test_processors_in_order(self):
        class Add(generation.LogitsProcessor):
            def __init__(self, x):
                self.x = x

            def __call__(self, input_ids, scores):
                return scores * 2 + self.x

        made = generation.LogitsProcessorList([Add(1), Add(10)])
        self.assertEqual(made(self.IDS, np.ones((2, 2))).tolist(), [[16, 16], [16, 16]])
        self.assertIsInstance(made, list)

    def test_processors_with_more_arguments(self):
        class Add(generation.LogitsProcessor):
            def __call__(self, input_ids, scores, more):
                return scores + more

        made = generation.LogitsProcessorList([Add()])
        self.assertEqual(made(self.IDS, np.ones((2, 1)), more=4).tolist(), [[5], [5]])
        with self.assertRaisesRegex(ValueError, "more"):
            made(self.IDS, np.ones((2, 1)))

    def test_base_classes_do_nothing(self):
        for base in (generation.LogitsProcessor, generation.StoppingCriteria):
            with self.assertRaises(NotImplementedError):
                base()(self.IDS, None)

    def test_criteria(self):
        made = generation.StoppingCriteriaList([generation.EosTokenCriteria(2),
                                                generation.MaxLengthCriteria(9)])
        self.assertEqual(made(self.IDS, None).tolist(), [True, False])
        self.assertEqual(made.max_length, 9)
        self.assertIsNone(generation.StoppingCriteriaList().max_length)
        made.append(lambda ids, scores: True)
        self.assertEqual(made(self.IDS, None).tolist(), [True, True])

    def test_confidence(self):
        scores = (np.array([[0.0, 5.0]]),)
        self.assertIs(generation.ConfidenceCriteria(0.4)(np.array([[1]]), scores), False)
        self.assertIs(generation.ConfidenceCriteria(0.4)(np.array([[0]]), scores), True)

    def test_validate(self):
        made = generation.validate_stopping_criteria(generation.StoppingCriteriaList(), 7)
        self.assertEqual(made.max_length, 7)
        with self.assertWarns(UserWarning):
            generation.validate_stopping_criteria(made, 8)


class FakeTokenizer:
    """Ids that are bytes, but for 256: "he", and 257: half of an e with an accent."""

    def convert_ids_to_tokens(self, i):
        plain = "ab"
        return {256: "he", 257: "\u00c3", 258: "\u00a9"}.get(i, chr(i) if i < 256 else plain)

    def decode(self, ids):
        return "".join(map(self.convert_ids_to_tokens, ids))


class StopStrings(unittest.TestCase):
    def ends(self, strings, rows):
        return generation.StopStringCriteria(FakeTokenizer(), strings)(np.array(rows), None).tolist()

    def test_where_it_ends(self):
        t, h, e, r = map(ord, "ther")
        self.assertEqual(self.ends("the", [[t, h, e]]), [True])
        self.assertEqual(self.ends("the", [[t, h, e, r]]), [False])  # it ended an id ago
        self.assertEqual(self.ends(["the"], [[t, 256]]), [True])
        self.assertEqual(self.ends(["th"], [[t, 256]]), [True])  # more of the id may follow
        self.assertEqual(self.ends(["t"], [[t, 256]]), [False])
        self.assertEqual(self.ends(["e", "er"], [[h, e], [e, r], [r, h]]), [True, True, False])
        self.assertEqual(self.ends("\u00e9", [[t, 257, 258], [t, 258, 257]]), [True, False])

    def test_refused(self):
        for strings in ([""], "", [3]):
            with self.assertRaises(ValueError):
                generation.StopStringCriteria(FakeTokenizer(), strings)


if __name__ == "__main__":
    unittest.main()
