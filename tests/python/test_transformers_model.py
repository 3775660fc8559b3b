"""from_pretrained, what a model of nextoken.transformers says of itself, what it refuses, and where it is
saved."""

import copy
import json
import os
import pathlib
import pickle
import tempfile
import unittest

import numpy as np
import transformers_models as models
from transformers_models import TORCH, array, opened, path_of

import nextoken
from nextoken.transformers import (AutoModelForCausalLM, GenerationMixin, GPT2LMHeadModel, GPT2Model,
                                   GPT2PreTrainedModel, LlamaForCausalLM)

IDS = [[11, 3, 40, 7]]


def tearDownModule():
    models.close_all()


class Loading(unittest.TestCase):
    def setUp(self):
        self.path = path_of("small")

    def load(self, **kwargs):
        return AutoModelForCausalLM.from_pretrained(self.path, **kwargs)

    def test_classes(self):
        self.assertIs(type(self.load()), GPT2LMHeadModel)
        self.assertIs(type(GPT2LMHeadModel.from_pretrained(pathlib.Path(self.path))), GPT2LMHeadModel)
        self.assertEqual(type(opened("llama")).__name__, "LlamaForCausalLM")
        with self.assertRaisesRegex(ValueError, "GPT2LMHeadModel"):
            LlamaForCausalLM.from_pretrained(self.path)

        class Mine(GPT2LMHeadModel):
            pass

        self.assertIs(type(Mine.from_pretrained(self.path)), Mine)
        for kind in (AutoModelForCausalLM, GPT2LMHeadModel):
            with self.assertRaises((OSError, NotImplementedError)):
                kind({})
        with self.assertRaisesRegex(NotImplementedError, "from_pretrained"):
            AutoModelForCausalLM.from_config(self.load().config)

    def test_arguments_that_change_nothing(self):
        for kwargs in ({"torch_dtype": "auto"}, {"dtype": "float32"}, {"device_map": "cpu"},
                       {"device_map": "auto"}, {"device_map": {"": "cpu"}}, {"low_cpu_mem_usage": True},
                       {"attn_implementation": "eager"}, {"attn_implementation": "sdpa"},
                       {"local_files_only": True}, {"revision": "main"}, {"token": None},
                       {"use_safetensors": True}, {"trust_remote_code": False}, {"load_in_8bit": False},
                       {"dtype": np.float32}, {"cache_dir": None}, {"force_download": False}):
            with self.subTest(**kwargs):
                self.assertEqual(self.load(**kwargs).num_parameters(), opened("small").num_parameters())
        if TORCH is not None:
            self.load(torch_dtype=TORCH.float32, device_map=TORCH.device("cpu"))
        model, info = self.load(output_loading_info=True)
        self.assertFalse(info["missing_keys"])

    def test_arguments_that_are_refused(self):
        for kwargs, word in (({"nonsense": 1}, "nonsense"), ({"dtype": "float16"}, "float32"),
                             ({"torch_dtype": "bfloat16"}, "float32"), ({"load_in_8bit": True}, "load_in_8bit"),
                             ({"quantization_config": {}, "load_in_4bit": True}, "load_in_4bit"),
                             ({"attn_implementation": "flash_attention_2"}, "flash_attention_2"),
                             ({"device_map": "cuda"}, "cuda"), ({"device_map": {"": 0}}, "0"),
                             ({"device_map": "cuda:1"}, "cuda:1"), ({"from_tf": True}, "from_tf")):
            with self.subTest(**kwargs), \
                    self.assertRaisesRegex((TypeError, NotImplementedError, RuntimeError), word):
                self.load(**kwargs)
        with self.assertRaises(OSError):
            AutoModelForCausalLM.from_pretrained("/no/such/folder")
        with self.assertRaises(OSError):
            AutoModelForCausalLM.from_pretrained("no-such-model-anywhere", local_files_only=True)

    def test_what_overrides_the_configuration(self):
        model = self.load(pad_token_id=3, output_hidden_states=True, use_cache=False,
                          return_dict_in_generate=True)
        self.assertEqual(model.config.pad_token_id, 3)
        self.assertTrue(model.generation_config.return_dict_in_generate)
        out = model(array(IDS))
        self.assertEqual(len(out.hidden_states), 3)
        self.assertIsNone(out.past_key_values)
        self.assertIsNone(model(array(IDS), output_hidden_states=False).hidden_states)
        given = self.load(config=model.config)
        self.assertIs(given.config, model.config)
        model.config.return_dict = False
        self.assertIsInstance(model(array(IDS)), tuple)

    def test_the_model_that_is_built_in(self):
        try:
            nextoken.load()
        except nextoken.Error:
            self.skipTest("this build carries no model")
        model = AutoModelForCausalLM.from_pretrained("tales")
        self.assertGreater(model.num_parameters(), 1000)
        self.assertEqual(model(array([[1, 2, 3]])).logits.shape[-1], model.config.vocab_size)


class Itself(unittest.TestCase):
    def setUp(self):
        self.model = opened("small")

    def test_what_it_says(self):
        model = self.model
        self.assertIs(model.eval(), model)
        self.assertFalse(model.training)
        self.assertEqual(str(model.device), "cpu")
        self.assertIn("float32", str(model.dtype))
        self.assertTrue(model.can_generate())
        self.assertEqual(model.config.model_type, "gpt2")
        self.assertEqual((model.config.n_embd, model.config.vocab_size), (16, 96))
        self.assertEqual(model.base_model_prefix, "transformer")
        self.assertGreater(model.get_memory_footprint(), model.num_parameters())
        self.assertIn("GPT2LMHeadModel", repr(model))
        first = next(model.parameters())
        self.assertEqual((str(first.device), first.requires_grad), ("cpu", False))
        with self.assertRaisesRegex(AttributeError, "shape alone"):
            first.data

    def test_places(self):
        model = self.model
        for place in ("cpu", np.float32, "float32", model.device, model.dtype):
            self.assertIs(model.to(place), model)
        self.assertIs(model.to(device="cpu", dtype=model.dtype, non_blocking=True), model)
        for same in (model.cpu(), model.float(), model.train(False), model.requires_grad_(False)):
            self.assertIs(same, model)
        for place in ("cuda", "cuda:0", "mps", 0):
            with self.assertRaisesRegex(RuntimeError, "processor"):
                model.to(place)
        for ask in (model.half, model.bfloat16, model.double, lambda: model.to("float16")):
            with self.assertRaisesRegex(NotImplementedError, "float32"):
                ask()
        with self.assertRaises(RuntimeError):
            model.cuda()
        with self.assertRaises(RuntimeError):
            model.to("somewhere")
        if TORCH is not None:
            self.assertEqual(model.device, TORCH.device("cpu"))
            self.assertIs(model.to(TORCH.device("cpu")), model)
            self.assertIs(model.to(TORCH.float32), model)
            with self.assertRaises(RuntimeError):
                model.to(TORCH.device("cuda"))
            with self.assertRaises(NotImplementedError):
                model.to(TORCH.bfloat16)

    def test_what_it_is_not(self):
        for ask in (self.model.train, self.model.requires_grad_):
            with self.assertRaisesRegex(NotImplementedError, "does not train"):
                ask()
        for name in ("get_input_embeddings", "resize_token_embeddings", "push_to_hub", "named_modules",
                     "gradient_checkpointing_enable", "register_forward_hook", "load_state_dict"):
            with self.assertRaisesRegex(AttributeError, "not supported by nextoken"):
                getattr(self.model, name)
        with self.assertRaisesRegex(AttributeError, "no attribute 'nothing'"):
            self.model.nothing
        self.assertFalse(hasattr(self.model, "get_input_embeddings"))

    def test_copies(self):
        wanted = np.array(self.model(array(IDS)).logits)
        for other in (copy.deepcopy(self.model), pickle.loads(pickle.dumps(self.model))):
            self.assertTrue((np.array(other(array(IDS)).logits) == wanted).all())


class Saving(unittest.TestCase):
    def test_there_and_back(self):
        model = AutoModelForCausalLM.from_pretrained(path_of("small"))
        model.config.pad_token_id = 5
        model.generation_config.max_new_tokens = 7
        wanted = np.array(model(array(IDS)).logits)
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "saved")
            model.save_pretrained(target)
            model.save_pretrained(target, safe_serialization=True)  # once more, over it
            names = os.listdir(target)
            self.assertEqual(sorted(names), ["config.json", "generation_config.json", "model.safetensors"])
            config = json.loads(pathlib.Path(target, "config.json").read_text())
            self.assertEqual((config["pad_token_id"], config["model_type"]), (5, "gpt2"))
            again = AutoModelForCausalLM.from_pretrained(target)
            self.assertTrue((np.array(again(array(IDS)).logits) == wanted).all())
            self.assertEqual(again.config.pad_token_id, 5)
            self.assertEqual(again.generation_config.max_new_tokens, 7)
            for kwargs in ({"safe_serialization": False}, {"push_to_hub": True}):
                with self.assertRaises(NotImplementedError):
                    model.save_pretrained(target, **kwargs)
            with self.assertRaisesRegex(TypeError, "nonsense"):
                model.save_pretrained(target, nonsense=1)

    def test_into_a_folder_that_is_there(self):
        """As transformers does: what else is there stays, but for shards of weights that were there before."""
        model = AutoModelForCausalLM.from_pretrained(path_of("small"))
        wanted = np.array(model(array(IDS)).logits)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("mine.txt", "model-00001-of-00002.safetensors", "model.safetensors.index.json"):
                pathlib.Path(folder, name).write_text("{}", encoding="utf-8")
            model.save_pretrained(folder)
            again = AutoModelForCausalLM.from_pretrained(folder)
            self.assertTrue((np.array(again(array(IDS)).logits) == wanted).all())
            again.save_pretrained(pathlib.Path(folder))  # over its own files
            self.assertTrue((np.array(again(array(IDS)).logits) == wanted).all())
            self.assertEqual(sorted(os.listdir(folder)),
                             ["config.json", "generation_config.json", "mine.txt", "model.safetensors"])
            with self.assertRaises(OSError):
                model.save_pretrained(os.path.join(folder, "mine.txt"))

    def test_classes_that_it_is_of(self):
        model = opened("small")
        self.assertIsInstance(model, GenerationMixin)
        self.assertIsInstance(model, GPT2PreTrainedModel)
        self.assertTrue(model.can_generate() and GPT2LMHeadModel.can_generate())
        self.assertFalse(GPT2Model.can_generate() or issubclass(GPT2Model, GenerationMixin))
        self.assertFalse(issubclass(GPT2Model, GPT2LMHeadModel))
        self.assertTrue(issubclass(GPT2Model, GPT2PreTrainedModel))


if __name__ == "__main__":
    unittest.main()
