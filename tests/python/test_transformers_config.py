"""Configurations, GenerationConfig and streamers of nextoken.transformers against transformers 5.23.0's answers
(tools/oracle/python_config.py)."""

import ast
import asyncio
import contextlib
import gzip
import importlib
import io
import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings
from unittest import mock

import numpy as np
import support
import transformers_tokenizers as given
from nextoken import transformers
from nextoken.transformers import (AsyncTextIteratorStreamer, AutoConfig, AutoTokenizer, GenerationConfig, GPT2Config,
                                   PreTrainedConfig, TextIteratorStreamer, TextStreamer, logging)

def setUpModule():
    global EXPECTED
    with gzip.open(support.HERE / "expected" / "transformers_config.json.gz", "rt", encoding="utf-8") as file:
        EXPECTED = json.load(file)


@contextlib.contextmanager
def heard():
    """The package's warnings, each said anew."""
    logging._said.clear()
    logger = logging._root()
    lines = []
    handler = mock.Mock(level=0, handle=lambda record: lines.append(record.getMessage()))
    before, logger.handlers = logger.handlers, [handler]
    try:
        yield lines
    finally:
        logger.handlers = before


class Configs(unittest.TestCase):
    maxDiff = None

    def test_oracle(self):
        for case in EXPECTED["configs"]:
            with warnings.catch_warnings(), heard():
                warnings.simplefilter("ignore")
                kind = getattr(transformers, case["class"])
                if "error" in case:
                    with self.assertRaises(Exception) as caught:
                        kind(**case["kwargs"])
                    self.assertEqual(given.error_of(caught.exception), "error: " + case["error"])
                    continue
                config = kind(**case["kwargs"])
                self.assertEqual(json.loads(json.dumps(config.to_dict())), case["dict"], case["kwargs"])
                self.assertEqual(repr(config), case["repr"])
                self.assertEqual(kind(**config.to_dict()).to_dict(), config.to_dict())

    def test_other_names(self):
        config = GPT2Config(hidden_size=32)
        self.assertEqual((config.n_embd, config.hidden_size, config.num_hidden_layers), (32, 32, 12))
        config.num_attention_heads = 4
        self.assertEqual(config.n_head, 4)
        with self.assertRaises(AttributeError):
            config.no_such
        self.assertFalse(hasattr(config, "no_such"))
        config.update({"n_layer": 3, "new": 1})
        config.update_from_string("n_embd=10,scale_attn_weights=false,resid_pdrop=0.5")
        self.assertEqual((config.n_layer, config.new, config.n_embd, config.scale_attn_weights, config.resid_pdrop),
                         (3, 1, 10, False, 0.5))
        with self.assertRaises(ValueError):
            config.update_from_string("no_such=1")
        self.assertEqual(config, pickle.loads(pickle.dumps(config)))
        self.assertNotEqual(config, GPT2Config())
        self.assertIs(config.get_text_config(), config)
        with self.assertRaises(ValueError):
            GPT2Config(3)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            GPT2Config(n_embd=64, n_head=4, extra=[1]).save_pretrained(folder)
            config = AutoConfig.from_pretrained(folder, n_layer=5)
            self.assertIs(type(config), GPT2Config)
            self.assertEqual((config.n_embd, config.n_layer, config.extra, config.name_or_path), (64, 5, [1], folder))
            config, unused = AutoConfig.from_pretrained(folder, n_layer=5, foo=False, return_unused_kwargs=True)
            self.assertEqual(unused, {"foo": False})
            file = os.path.join(folder, "config.json")
            self.assertEqual(AutoConfig.from_pretrained(file).n_embd, 64)
            self.assertEqual(GPT2Config.from_json_file(file).n_embd, 64)
            self.assertEqual(GPT2Config.from_pretrained(folder).n_embd, 64)
            for text, error, words in (("{}", ValueError, "model_type"), ("[", OSError, "JSON"),
                                       ('{"model_type": "bert"}', NotImplementedError, "bert"),
                                       ('{"model_type": "nonsense"}', ValueError, "nonsense")):
                with open(file, "w", encoding="utf-8") as f:
                    f.write(text)
                with self.assertRaisesRegex(error, words):
                    AutoConfig.from_pretrained(folder)
            os.remove(file)
            with self.assertRaises(OSError):
                AutoConfig.from_pretrained(folder)
        self.assertEqual(AutoConfig.for_model("llama", hidden_size=64, num_attention_heads=4).head_dim, 16)

    def test_the_model_that_is_built_in(self):
        config = AutoConfig.from_pretrained("tales")
        self.assertEqual((config.model_type, config.vocab_size, config.name_or_path), ("gpt2", 50257, "tales"))
        self.assertEqual(config.n_embd % config.n_head, 0)

    def test_floats_that_json_lacks(self):
        config = PreTrainedConfig(a=float("inf"), b=float("nan"))
        self.assertIn('"__float__": "Infinity"', config.to_json_string())
        with tempfile.TemporaryDirectory() as folder:
            config.save_pretrained(folder)
            again = PreTrainedConfig.from_json_file(os.path.join(folder, "config.json"))
        self.assertEqual(again.a, float("inf"))
        self.assertNotEqual(again.b, again.b)


class Generation(unittest.TestCase):
    maxDiff = None

    def test_oracle(self):
        for case in EXPECTED["generation"]:
            with self.subTest(case["kwargs"]), heard() as lines:
                self.check(case)
                self.assertEqual(lines, case["warnings"])

    def check(self, case):
        if "error" in case:
            with self.assertRaises(ValueError) as caught:
                GenerationConfig(**case["kwargs"])
            if case["error"] is not None:
                self.assertEqual(str(caught.exception), case["error"])
            return
        config = GenerationConfig(**case["kwargs"])
        self.assertEqual(config.get_generation_mode().value, case["mode"])
        self.assertEqual(config.update(top_k=7, bar=3), case["unused"])
        self.assertEqual(repr(config), case["repr"])
        with tempfile.TemporaryDirectory() as folder:
            try:
                config.save_pretrained(folder)
                again, unused = GenerationConfig.from_pretrained(folder, top_p=0.5, zzz=1, return_unused_kwargs=True)
                found = [repr(again), unused]
            except ValueError as error:
                found = str(error)
        self.assertEqual(found, case["again"])

    def test_from_a_model(self):
        config = GenerationConfig.from_model_config(GPT2Config(eos_token_id=7, output_hidden_states=True))
        self.assertEqual((config.eos_token_id, config.bos_token_id, config.top_k), (7, 50256, None))
        self.assertTrue(config.return_dict_in_generate)
        self.assertEqual(config, GenerationConfig.from_dict(config.to_dict()))
        self.assertEqual(len({config, GenerationConfig(**config.to_dict())}), 1)

    def test_what_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(OSError):
                GenerationConfig.from_pretrained(folder)
        with self.assertRaisesRegex(ValueError, "compile_config"):
            GenerationConfig(compile_config=3)


class Pieces(TextStreamer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.pieces = []

    def on_finalized_text(self, text, stream_end=False):
        self.pieces.append([text, stream_end])


class Streamers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = AutoTokenizer.from_pretrained(str(given.GPT2))

    def test_oracle(self):
        for case in EXPECTED["streams"]:
            streamer = Pieces(self.tokenizer, skip_prompt=case["skip_prompt"],
                              skip_special_tokens=case["skip_special_tokens"])
            ids, cut = case["ids"], case["cut"]
            streamer.put(np.array([ids[:cut]], np.int64))
            for i in ids[cut:]:
                streamer.put(np.array([i]))
            streamer.end()
            self.assertEqual(streamer.pieces, case["pieces"], case)

    def test_printing(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            streamer = TextStreamer(self.tokenizer)
            streamer.put(np.array([[15496, 995]]))
            streamer.put(np.array([0]))
            streamer.end()
        self.assertEqual(out.getvalue(), "Hello world!\n")
        with self.assertRaisesRegex(ValueError, "batch size 1"):
            streamer.put(np.array([[1], [2]]))

    def fill(self, streamer):
        for i in self.tokenizer.encode("one two 漢字 three"):
            streamer.put(np.array([i]))
        streamer.end()

    def test_iterator(self):
        streamer = TextIteratorStreamer(self.tokenizer, timeout=60)
        thread = threading.Thread(target=self.fill, args=(streamer,))
        thread.start()
        self.assertEqual("".join(streamer), "one two 漢字 three")
        thread.join()
        with self.assertRaises(queue.Empty):
            next(TextIteratorStreamer(self.tokenizer, timeout=0.01))

    def test_async_iterator(self):
        async def collect():
            streamer = AsyncTextIteratorStreamer(self.tokenizer, timeout=60)
            thread = threading.Thread(target=self.fill, args=(streamer,))
            thread.start()
            text = "".join([piece async for piece in streamer])
            thread.join()
            with self.assertRaises(TimeoutError):
                await AsyncTextIteratorStreamer(self.tokenizer, timeout=0.01).__anext__()
            return text

        self.assertEqual(asyncio.run(collect()), "one two 漢字 three")


class Names(unittest.TestCase):
    def test_nothing_is_imported_early(self):
        code = ("import sys, nextoken.transformers as t\n"
                "early = [m for m in ('numpy', 'torch', 'nextoken.transformers.tokenization') if m in sys.modules]\n"
                "t.AutoTokenizer; t.GenerationConfig; t.TextStreamer; t.pipeline; t.LogitsProcessorList\n"
                "print(early, 'torch' in sys.modules, callable(t.pipeline))")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.strip(), "[] False True")

    def test_all_names_are_there(self):
        for name in dir(transformers):
            self.assertIsNotNone(getattr(transformers, name), name)
        self.assertTrue(callable(transformers.pipeline))
        for module in ("model", "auto", "headless", "cache", "tokenization", "config", "streamers"):
            listed = importlib.import_module("nextoken.transformers." + module).__all__
            offered = [name for name in listed if name in transformers._where]
            self.assertTrue(set(listed) - set(offered) <= {"CLASSES", "HEADLESS", "Row"}, module)
        with self.assertRaisesRegex(AttributeError, "BertModel"):
            transformers.BertModel

    def test_editors_see_the_same_names(self):
        """__init__.pyi lists what __init__.py finds when it is asked."""
        dir(transformers)
        tree = ast.parse((support.ROOT / "python" / "nextoken" / "transformers" / "__init__.pyi").read_text())
        listed = {alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module
                  for alias in node.names}
        self.assertEqual(listed, {name: module for name, module in transformers._where.items() if name[0] != "_"})

    def test_verbosity(self):
        before = logging.get_verbosity()
        try:
            logging.set_verbosity_error()
            self.assertEqual(logging.get_verbosity(), logging.ERROR)
        finally:
            logging.set_verbosity(before)


if __name__ == "__main__":
    unittest.main()
