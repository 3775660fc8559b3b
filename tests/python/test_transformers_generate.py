"""generate() against transformers' outcomes (tools/oracle/python_generate.py): ids and shapes equal,
scores and their sums within 1e-4, with NumPy's arrays and, where torch is installed, with its tensors."""

import gzip
import itertools
import json
import logging
import sys
import unittest
import warnings

import numpy as np

import generating
import support
from nextoken import transformers as T
from nextoken.transformers import generation

try:
    import torch
except ImportError:
    torch = None

EXPECTED = json.loads(gzip.decompress((support.HERE / "expected" / "generate.json.gz").read_bytes()))
MODELS = {}


class Names:
    """What generating.py takes from the oracle's module."""

    def __getattr__(self, name):
        return getattr(generation, name)


def model_of(name):
    if name not in MODELS:
        MODELS[name] = T.GPT2LMHeadModel.from_pretrained(support.checkpoint(name))
        MODELS[name, "own"] = MODELS[name].generation_config.to_diff_dict()
    MODELS[name].generation_config = T.GenerationConfig(**MODELS[name, "own"])
    return MODELS[name]


class Generate(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)

    def tearDown(self):
        logging.disable(logging.NOTSET)

    def run_case(self, case, array):
        assistant = model_of(case["assistant"]) if "assistant" in case else None
        tokenizer = T.AutoTokenizer.from_pretrained(support.checkpoint("letters")) \
            if "stop_strings" in case["options"] else None
        model = model_of(case["model"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out, streamer = generating.run(Names(), model, case, array, T.set_seed, assistant, tokenizer)
            got = generating.outcome(model, out, case)
        if streamer is not None:
            got["stream"] = streamer.got
            self.assertEqual(streamer.ended, 1)
        return got

    def check(self, array, cases):
        n = {"equal": 0, "refused": 0}
        for i, case in cases:
            with self.subTest(i=i, **{k: v for k, v in case.items() if k != "expected"}):
                if "refused" in case:
                    with self.assertRaises(Exception) as raised:
                        self.run_case(case, array)
                    known = [kind for kind in case["refused"] if kind in ("ValueError", "IndexError",
                                                                          "TypeError", "RuntimeError")]
                    kinds = [kind.__name__ for kind in type(raised.exception).__mro__]
                    self.assertTrue(set(known or ["Exception"]) & set(kinds)
                                    or "NotImplementedError" in kinds, kinds)
                    self.assertTrue(str(raised.exception))
                    n["refused"] += 1
                    continue
                found = generating.differences(case["expected"], self.run_case(case, array))
                self.assertEqual(found, [])
                n["equal"] += 1
        return n

    def test_arrays(self):
        if "torch" in sys.modules:
            self.skipTest("torch draws where it is imported: the other tests hold it")
        n = self.check(np.array, enumerate(EXPECTED["cases"]))
        self.assertGreater(n["equal"], 200)

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_tensors(self):
        n = self.check(torch.tensor, enumerate(EXPECTED["cases"]))
        self.assertGreater(n["equal"], 200)


class Both(unittest.TestCase):
    """The library's own search and the one in Python find the same."""

    def test_same_outcome(self):
        from nextoken.transformers.generation import native

        model, n = model_of("small"), 0
        methods = [{}, {"do_sample": True, "num_return_sequences": 2}, {"num_beams": 4,
                   "num_return_sequences": 2}, {"num_beams": 3, "do_sample": True}]
        options = [{}, {"repetition_penalty": 1.4}, {"no_repeat_ngram_size": 2}, {"min_new_tokens": 5},
                   {"suppress_tokens": [3, 8]}, {"bad_words_ids": [[7, 8], [4]]},
                   {"exponential_decay_length_penalty": (2, 1.5)}, {"renormalize_logits": True}]
        for method, option in itertools.product(methods, options):
            with self.subTest(**method, **option):
                call = dict(max_new_tokens=12, eos_token_id=[4, 9], pad_token_id=0, **method, **option)
                outcomes = []
                for can_run in (native.can_run, lambda *args: False):
                    saved, native.can_run = native.can_run, can_run
                    try:
                        T.set_seed(3)
                        outcomes.append(model.generate(np.array([[5, 7, 8, 5, 7]]), **call).tolist())
                        outcomes.append(model.generate(np.array([[5]]), **call).tolist())
                    finally:
                        native.can_run = saved
                self.assertEqual(outcomes[:2], outcomes[2:])
                n += 1
        self.assertEqual(n, 32)


if __name__ == "__main__":
    unittest.main()
