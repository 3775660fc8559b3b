"""Tokenizers of nextoken.transformers against transformers 5.23.0's answers (tools/oracle/
python_transformers_tokenizer.py), on GPT-2's vocabulary in many forms and on small ones."""

import copy
import gzip
import importlib.util
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import numpy as np
import support
import transformers_tokenizers as given
from nextoken.transformers import (AddedToken, AutoTokenizer, BatchEncoding, GPT2Tokenizer, GPT2TokenizerFast,
                                   PreTrainedTokenizerFast)

HAS_TORCH = importlib.util.find_spec("torch") is not None


def setUpModule():
    global MADE, FOLDERS, EXPECTED
    MADE = given.made()
    FOLDERS = MADE.__enter__()
    path = support.HERE / "expected" / "transformers_tokenizer.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        EXPECTED = json.load(file)


def tearDownModule():
    MADE.__exit__(None, None, None)


def opened(name, **more):
    folder, kwargs = FOLDERS[name]
    return AutoTokenizer.from_pretrained(folder, **{**kwargs, **more})


def answer(function, *args, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = function(*args, **kwargs)
        except Exception as error:
            return given.error_of(error), None, []
    return given.plain(value), value, [str(w.message) for w in caught]


class Oracle(unittest.TestCase):
    """The same calls, the same answers."""

    maxDiff = 2000

    def check(self, tokenizer, item):
        said, value, warned = answer(getattr(tokenizer, item["method"]), *copy.deepcopy(item["args"]), **item["kwargs"])
        if item["answer"] != said and said == "error: ValueError" and self.refused(tokenizer, item):
            return
        self.assertEqual(json.loads(json.dumps(said)), item["answer"], item)
        self.assertEqual(warned, item.get("warnings", []))
        if "asked" in item:
            asked = given.asked_of(value, len(value.encodings) - 1, *EXPECTED["asked"])
            self.assertEqual(json.loads(json.dumps(asked)), item["asked"], item)

    @staticmethod
    def refused(tokenizer, item):
        """tokenizers passes over a max_length without room for the special tokens; here it is an error."""
        limit = item["kwargs"].get("max_length")
        most = max(tokenizer.num_special_tokens_to_add(pair) for pair in (False, True))
        return limit is not None and limit < most


def _add(name):
    def test(self):
        tokenizer, entry = opened(name), EXPECTED["tokenizers"][name]
        self.assertEqual(json.loads(json.dumps(given.about(tokenizer))), entry["about"])
        for item in entry["calls"]:
            self.check(tokenizer, item)
        changed = [answer(getattr(tokenizer, method), *args)[0] for method, args in EXPECTED["changes"]]
        self.assertEqual(changed, entry["changed"])
        self.assertEqual(json.loads(json.dumps(given.about(tokenizer))), entry["about_changed"])
        for item in entry["calls_changed"]:
            self.check(tokenizer, item)

    setattr(Oracle, "test_" + name, test)


for _name in given.NAMES:
    _add(_name)


class Opening(unittest.TestCase):
    def test_classes(self):
        self.assertIs(type(opened("pair")), GPT2Tokenizer)
        self.assertIs(GPT2Tokenizer, GPT2TokenizerFast)
        self.assertIs(type(opened("template")), PreTrainedTokenizerFast)
        self.assertEqual(type(opened("llama")).__name__, "LlamaTokenizer")

    def test_a_class_takes_a_folder_that_names_another(self):
        folder, _ = FOLDERS["template"]
        tokenizer = GPT2Tokenizer.from_pretrained(folder)
        self.assertEqual(type(tokenizer).__name__, "GPT2Tokenizer")
        self.assertEqual(tokenizer.encode("Hello world"), [50256, 15496, 995, 50256])

    def test_one_file(self):
        tokenizer = PreTrainedTokenizerFast.from_pretrained(os.path.join(FOLDERS["file"][0], "tokenizer.json"))
        self.assertEqual(tokenizer.encode("Hello world"), [15496, 995])
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(FOLDERS["file"][0], "tokenizer.json"),
                                            pad_token="<pad>")
        self.assertEqual(tokenizer.pad_token_id, 50257)

    def test_vocab_and_merges(self):
        tokenizer = GPT2Tokenizer(vocab=str(given.GPT2 / "vocab.json"), merges=str(given.GPT2 / "merges.txt"))
        self.assertEqual(tokenizer.encode(" Hello"), [18435])
        tokenizer = GPT2Tokenizer(vocab={"a": 0, "b": 1, "ab": 2}, merges=[("a", "b")], unk_token=None, bos_token=None,
                                  eos_token=None)
        self.assertEqual(tokenizer.encode("abab"), [2, 2])
        with self.assertRaises(ValueError):
            GPT2Tokenizer()

    def test_the_one_that_is_built_in(self):
        tokenizer = AutoTokenizer.from_pretrained("tales")
        self.assertEqual(tokenizer.encode("This weekend I plan to"), [1212, 5041, 314, 1410, 284])
        self.assertEqual((len(tokenizer), tokenizer.vocab_size, tokenizer.eos_token_id), (50257, 50257, 50256))
        self.assertEqual(AutoTokenizer.from_pretrained("tales", add_prefix_space=True).encode("This"), [770])
        self.assertEqual(tokenizer.add_special_tokens({"pad_token": "[PAD]"}), 1)
        self.assertEqual(tokenizer("a[PAD]b")["input_ids"], [64, 50257, 65])
        self.assertEqual(tokenizer.encode("unicorns spoke perfect English"), opened("pair").encode(
            "unicorns spoke perfect English"))

    def test_what_is_not_there(self):
        with self.assertRaises(OSError):
            AutoTokenizer.from_pretrained("no/such/folder/at/all")
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(OSError, "tokenizer.json"):
                AutoTokenizer.from_pretrained(folder)
            with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
                file.write("{")
            with self.assertRaises((OSError, ValueError)):
                AutoTokenizer.from_pretrained(folder)
        with self.assertRaises(OSError):
            AutoTokenizer()
        with self.assertRaisesRegex(ValueError, "tokenizer_type"):
            AutoTokenizer.from_pretrained(FOLDERS["pair"][0], tokenizer_type="nonsense")

    def test_what_is_not_supported_is_named(self):
        tokenizer = opened("pair")
        for name in ("apply_chat_template", "train_new_from_iterator", "push_to_hub"):
            with self.assertRaisesRegex(NotImplementedError, name):
                getattr(tokenizer, name)([])
        with self.assertRaisesRegex(NotImplementedError, "gguf_file"):
            AutoTokenizer.from_pretrained(FOLDERS["pair"][0], gguf_file="x.gguf")
        with self.assertRaises(AttributeError):
            tokenizer.encode_plus

    def test_arguments_that_mean_nothing_are_told(self):
        with self.assertLogs("nextoken.transformers", "WARNING") as logs:
            opened("pair")("a", nonsense_argument_1=True)
        self.assertIn("nonsense_argument_1", logs.output[0])
        with self.assertLogs("nextoken.transformers", "WARNING") as logs:
            opened("pair", nonsense_argument_2=True)
        self.assertIn("nonsense_argument_2", logs.output[0])


class Named(unittest.TestCase):
    """Names of the hub, whose cache holds GPT-2's under one of its names."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.cache = made.name
        repo = pathlib.Path(self.cache, "models--openai-community--gpt2")
        snapshot = repo / "snapshots" / self.COMMIT
        for folder in (snapshot, repo / "refs", repo / "blobs"):
            folder.mkdir(parents=True)
        (repo / "refs" / "main").write_text(self.COMMIT)
        config = json.dumps({"model_type": "gpt2", "n_embd": 64, "n_head": 4})
        for name, text in (("config.json", config), ("tokenizer_config.json", '{"model_max_length": 1024}'),
                           ("generation_config.json", '{"eos_token_id": 50256}')):
            (repo / "blobs" / name).write_text(text)
            (snapshot / name).symlink_to(repo / "blobs" / name)
        for name in ("vocab.json", "merges.txt"):
            (snapshot / name).symlink_to(given.GPT2 / name)

    def test_from_the_cache(self):
        from nextoken.transformers import AutoConfig, GenerationConfig

        for name in ("gpt2", "openai-community/gpt2"):
            for where in ({}, {"revision": "main"}, {"revision": self.COMMIT}, {"local_files_only": True},
                          {"token": False}):
                tokenizer = AutoTokenizer.from_pretrained(name, cache_dir=self.cache, **where)
                self.assertEqual(tokenizer.encode("Hello world"), [15496, 995])
                self.assertEqual((tokenizer.name_or_path, tokenizer.model_max_length), (name, 1024))
                config = AutoConfig.from_pretrained(name, cache_dir=self.cache, **where)
                self.assertEqual((config.n_embd, config.name_or_path), (64, name))
                self.assertEqual(GenerationConfig.from_pretrained(name, cache_dir=self.cache, **where).eos_token_id, 50256)

    def test_what_is_not_there(self):
        for name, where in (("gpt2", {"revision": "other"}), ("somebody/gpt2", {}), ("gpt2-large", {}),
                            ("no such name!", {})):
            with self.assertRaises(OSError):
                AutoTokenizer.from_pretrained(name, cache_dir=self.cache, **where)
        with self.assertRaisesRegex(NotImplementedError, "proxies"):
            AutoTokenizer.from_pretrained("gpt2", cache_dir=self.cache, proxies={"https": "x"})
        with self.assertRaisesRegex(NotImplementedError, "subfolder"):
            AutoTokenizer.from_pretrained("gpt2", cache_dir=self.cache, subfolder="x")


class Special(unittest.TestCase):
    def test_setting(self):
        tokenizer = opened("pair")
        self.assertIsNone(tokenizer.pad_token)
        self.assertIsNone(tokenizer.pad_token_id)
        tokenizer.pad_token = tokenizer.eos_token
        self.assertEqual(tokenizer.pad_token_id, 50256)
        tokenizer.pad_token_id = 0
        self.assertEqual(tokenizer.pad_token, "!")
        tokenizer.bos_token = AddedToken("hello")
        self.assertEqual(tokenizer.bos_token, "hello")
        with self.assertRaises(ValueError):
            tokenizer.eos_token = 3
        with self.assertRaisesRegex(AttributeError, "no attribute no_such"):
            tokenizer.no_such

    def test_surrounding(self):
        tokenizer = opened("pair")
        tokenizer.add_bos_token = True
        self.assertEqual(tokenizer("a", "b")["input_ids"], [50256, 64, 50256, 65])
        tokenizer.add_eos_token = True
        self.assertEqual(tokenizer("a")["input_ids"], [50256, 64, 50256])
        tokenizer.add_bos_token = tokenizer.add_eos_token = False
        self.assertEqual(tokenizer("a")["input_ids"], [64])

    def test_added_token(self):
        token = AddedToken("<x>", lstrip=True, special=True)
        self.assertEqual(repr(token), 'AddedToken("<x>", rstrip=False, lstrip=True, single_word=False, normalized=False, '
                                      "special=True)")
        self.assertEqual(str(token), "<x>")
        self.assertEqual(pickle.loads(pickle.dumps(token)), token)
        tokenizer = opened("pair")
        tokenizer.add_tokens([AddedToken("<l>", lstrip=True, rstrip=True)])
        batch = tokenizer("a  <l> b")
        self.assertEqual(batch["input_ids"], [64, 50257, 65])
        self.assertEqual(batch.tokens(), ["a", "  <l> ", "b"])


class Encodings(unittest.TestCase):
    def test_as_a_dictionary(self):
        batch = opened("padded")(["a b", "c"], padding=True)
        self.assertIsInstance(batch, BatchEncoding)
        self.assertEqual(batch.input_ids, batch["input_ids"])
        self.assertEqual(list(batch), ["input_ids", "attention_mask"])
        self.assertEqual({**batch}, dict(batch))
        self.assertEqual(str(batch), str(dict(batch)))
        with self.assertRaises(AttributeError):
            batch.no_such
        with self.assertRaises(KeyError):
            batch["no_such"]
        batch["labels"] = 3
        batch.update({"more": 4})
        self.assertEqual((batch.labels, batch["more"]), (3, 4))
        self.assertEqual(batch[0].tokens, ["a", "Ġb"])
        self.assertEqual(len(batch[0]), 2)
        self.assertTrue(batch.is_fast)

    def test_without_encodings(self):
        batch = BatchEncoding({"input_ids": [[1, 2], [3, 4]]})
        self.assertEqual(batch[:1], {"input_ids": [[1, 2]]})
        with self.assertRaises(KeyError):
            batch[0]
        with self.assertRaises(ValueError):
            batch.tokens()
        self.assertIsNone(batch.n_sequences)
        self.assertEqual(batch.convert_to_tensors("np")["input_ids"].shape, (2, 2))
        with self.assertRaises(ValueError):
            BatchEncoding({"input_ids": [1]}, tensor_type="nonsense")

    def test_pickle_and_copy(self):
        batch = opened("pair")("naïve 🤗")
        again = pickle.loads(pickle.dumps(batch))
        self.assertEqual((dict(again), again.tokens()), (dict(batch), batch.tokens()))
        self.assertEqual(copy.deepcopy(batch).word_ids(), batch.word_ids())

    def test_an_encoding_is_of_the_tokenizer_as_it_was(self):
        tokenizer = opened("pair")
        batch = tokenizer("a <new>")
        tokenizer.add_tokens("<new>")
        self.assertEqual(len(batch.tokens()), len(batch["input_ids"]))

    def test_too_long(self):
        tokenizer = opened("bos")
        with self.assertLogs("nextoken.transformers", "WARNING") as logs:
            tokenizer("one two three four five six seven eight nine ten eleven twelve")
        self.assertIn("longer than the specified maximum sequence length for this model (13 > 12)", logs.output[0])
        tokenizer("one two three four five six seven eight nine ten eleven twelve")  # said once

    def test_surrogates(self):
        for text in ("\ud800", "a\udfffb"):
            with self.assertRaises(TypeError):
                opened("pair")(text)

    def test_long_texts(self):
        tokenizer = opened("pair")
        text = "A long story about a naïve 🤗 and others.\n" * 3000
        batch = tokenizer(text, return_offsets_mapping=True)
        self.assertEqual(tokenizer.decode(batch["input_ids"]), text)
        ends = [end for _, end in batch["offset_mapping"]]
        self.assertEqual((batch["offset_mapping"][0][0], ends[-1]), (0, len(text)))
        self.assertEqual(ends, sorted(ends))
        self.assertEqual(batch.word_ids(), sorted(batch.word_ids()))

    def test_numpy(self):
        batch = opened("padded")(["a b", "c"], padding=True, return_tensors="np")
        self.assertEqual(batch["input_ids"].dtype, np.int64)
        self.assertEqual(batch["input_ids"].tolist(), [[64, 275], [50257, 66]])
        self.assertIs(batch.to("cpu"), batch)

    @unittest.skipUnless(HAS_TORCH, "torch is not installed")
    def test_torch(self):
        import torch

        tokenizer = opened("padded")
        batch = tokenizer(["a b", "c"], padding=True, return_tensors="pt")
        self.assertEqual(batch["input_ids"].dtype, torch.int64)
        self.assertEqual(batch.to("cpu")["input_ids"].tolist(), [[64, 275], [50257, 66]])
        self.assertEqual(tokenizer.decode(batch["input_ids"][0]), "a b")
        self.assertEqual(tokenizer.decode(torch.tensor(64)), "a")
        self.assertEqual(tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True), ["a b", "c"])
        self.assertEqual(tokenizer.convert_ids_to_tokens(torch.tensor([64, 65])), ["a", "b"])
        padded = tokenizer.pad({"input_ids": [torch.tensor([1, 2]), torch.tensor([3])]})
        self.assertIsInstance(padded["input_ids"], torch.Tensor)

    def test_without_torch(self):
        """torch is used where it is installed, and never asked for."""
        code = ("import sys; sys.modules['torch'] = None\n"
                "from nextoken.transformers import AutoTokenizer, GPT2Config\n"
                "t = AutoTokenizer.from_pretrained(sys.argv[1])\n"
                "batch = t('Hello world', return_tensors='pt')\n"
                "print(type(batch['input_ids']).__module__, batch.to('cpu')['input_ids'].tolist(), t.decode([995]))\n"
                "print(GPT2Config(dtype='float32').dtype)\n"
                "try: batch.to('cuda')\n"
                "except ImportError as error: print(error)\n")
        done = subprocess.run([sys.executable, "-c", code, FOLDERS["pair"][0]], capture_output=True, text=True,
                              check=True)
        self.assertEqual(done.stdout.splitlines(), ["numpy [[15496, 995]]  world", "float32",
                                                    "moving to cuda needs torch, which is not installed"])
        self.assertIn("gives NumPy's arrays", done.stderr)

    def test_threads(self):
        tokenizer = opened("pair")
        texts = [f"thread {i} naïve 🤗 " * 50 for i in range(4)]
        wanted = [tokenizer.encode(text) for text in texts]
        found = [None] * 4

        def work(i):
            for _ in range(5):
                found[i] = tokenizer.encode(texts[i])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, wanted)


class Decoding(unittest.TestCase):
    def test_cleaning(self):
        tokenizer = opened("pair", clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=True)
        ids = tokenizer.encode("Hello , world . I 'm he 's n't")
        self.assertEqual(tokenizer.decode(ids, clean_up_tokenization_spaces=True), "Hello, world. I'm he'sn't")
        with self.assertLogs("nextoken.transformers", "WARNING") as logs:
            self.assertEqual(opened("pair").decode(ids, clean_up_tokenization_spaces=True),
                             "Hello , world . I 'm he 's n't")
        self.assertIn("Ignoring clean_up_tokenization_spaces=True", logs.output[0])

    def test_what_is_no_id(self):
        tokenizer = opened("pair")
        for ids in ("abc", None, 1.5, [1.5], ["a"], [None]):
            with self.assertRaises(TypeError):
                tokenizer.decode(ids)
        with self.assertRaises(OverflowError):
            tokenizer.decode(2**40)


class Saving(unittest.TestCase):
    def test_round_trip(self):
        for name in ("pair", "prefix", "bos_eos", "file", "template", "llama"):
            tokenizer = opened(name)
            tokenizer.add_tokens(["<new>"])
            tokenizer.add_special_tokens({"cls_token": "<cls>"})
            with tempfile.TemporaryDirectory() as folder:
                files = tokenizer.save_pretrained(folder)
                self.assertTrue(all(map(os.path.isfile, files)))
                again = AutoTokenizer.from_pretrained(folder)
                for text in ("Hello <new> world<cls>", " naïve", ""):
                    self.assertEqual(again(text), tokenizer(text), name)
                self.assertEqual(again.special_tokens_map, tokenizer.special_tokens_map)
                self.assertEqual(again.get_vocab(), tokenizer.get_vocab())
                self.assertEqual(type(again), type(tokenizer))

    def test_the_one_that_is_built_in(self):
        tokenizer = AutoTokenizer.from_pretrained("tales", pad_token="<pad>")
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            with open(os.path.join(folder, "merges.txt"), "rb") as made, \
                    open(given.GPT2 / "merges.txt", "rb") as real:
                self.assertEqual(made.read(), real.read())
            again = AutoTokenizer.from_pretrained(folder)
        self.assertEqual(again("a<pad>b"), tokenizer("a<pad>b"))
        self.assertEqual(again.pad_token_id, 50257)

    def test_pickle(self):
        tokenizer = opened("bos_eos")
        tokenizer.add_tokens("<new>")
        again = pickle.loads(pickle.dumps(tokenizer))
        self.assertEqual(again("a <new>"), tokenizer("a <new>"))
        self.assertEqual(repr(again), repr(tokenizer))
        other = copy.deepcopy(tokenizer)
        other.add_tokens("<other>")
        self.assertEqual(len(other), len(tokenizer) + 1)


if __name__ == "__main__":
    unittest.main()
