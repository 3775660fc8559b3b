"""pipeline("text-generation") of nextoken.transformers against transformers 5.23.0's answers
(tools/oracle/python_pipeline.py)."""

import os
import tempfile
import unittest

import support
from nextoken.transformers import AutoModelForCausalLM, AutoTokenizer, pipeline, seed, set_seed


class Pipelines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = support.checkpoint("words")
        cls.model = AutoModelForCausalLM.from_pretrained(cls.path)

    def made(self, pad=False, model_max_length=None, **kwargs):
        tokenizer = AutoTokenizer.from_pretrained(self.path, model_max_length=model_max_length)
        if pad:
            tokenizer.pad_token = tokenizer.eos_token
        return pipeline("text-generation", model=self.model, tokenizer=tokenizer, **kwargs)

    def test_oracle(self):
        import transformers_tokenizers as given

        for case in support.expected("transformers_pipeline"):
            with self.subTest(case["asked"]):
                generator = self.made(**case["pipeline"])
                if case["seed"] is not None:
                    set_seed(case["seed"])
                try:
                    answer = generator(case["inputs"], **case["asked"])
                except Exception as error:
                    answer = given.error_of(error)
                self.assertEqual(answer, case["answer"])

    def test_by_name(self):
        generator = pipeline("text-generation", model=self.path)
        self.assertEqual(generator("Alice", do_sample=False, max_new_tokens=3),
                         self.made()("Alice", do_sample=False, max_new_tokens=3))
        self.assertIn("TextGenerationPipeline: {'model': 'GPT2LMHeadModel'", repr(generator))
        self.assertEqual(pipeline(model=self.path).task, "text-generation")

    def test_generators_are_answered_one_by_one(self):
        taken = []

        def texts():
            for text in ("Alice", "b", "c"):
                taken.append(text)
                yield text

        answers = self.made()(texts(), do_sample=False, max_new_tokens=2)
        next(iter(answers))
        self.assertEqual(taken, ["Alice"])
        self.assertEqual(len(list(answers)), 2)

    def test_outputs_of_generate(self):
        record = self.made()("Alice", do_sample=False, max_new_tokens=2, num_beams=2, return_dict_in_generate=True,
                             output_scores=True)[0]
        self.assertIsInstance(record["sequences_scores"], float)

    def test_a_list_draws_a_seed_first(self):
        """torch's DataLoader, through which transformers reads a list, takes two words of the stream."""
        write = self.made()
        options = {"do_sample": True, "max_new_tokens": 4, "top_k": 0}
        set_seed(5)
        listed = write(["Alice", "The"], **options)
        set_seed(5)
        seed.words(2)
        self.assertEqual(listed, [write("Alice", **options), write("The", **options)])

    def test_saving(self):
        with tempfile.TemporaryDirectory() as root:
            folder = os.path.join(root, "saved")
            self.made().save_pretrained(folder)
            again = pipeline("text-generation", model=folder)
            self.assertEqual(again("Alice", do_sample=False, max_new_tokens=3),
                             self.made()("Alice", do_sample=False, max_new_tokens=3))

    def test_what_is_not_supported_is_named(self):
        for task in ("fill-mask", "sentiment-analysis"):
            with self.assertRaisesRegex(NotImplementedError, task):
                pipeline(task)
        with self.assertRaises(KeyError):
            pipeline("nonsense")
        with self.assertRaises(RuntimeError):
            pipeline()
        with self.assertRaises(RuntimeError):
            pipeline("text-generation", tokenizer="x")
        with self.assertRaisesRegex(NotImplementedError, "device"):
            self.made(device=0)
        with self.assertRaisesRegex(NotImplementedError, "image_processor"):
            pipeline("text-generation", model=self.path, image_processor=object())
        for chat in ([{"role": "user", "content": "Hi"}], [[{"role": "user", "content": "Hi"}]]):
            with self.assertRaisesRegex(NotImplementedError, "apply_chat_template"):
                self.made()(chat)


if __name__ == "__main__":
    unittest.main()
