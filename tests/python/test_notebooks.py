"""examples/notebooks show what is in them when they are run from top to bottom: words and ids exactly, numbers within
1e-4. And the comparison that says so notices what it should (tools/notebooks/outputs.py)."""

import importlib.util
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "notebooks"))

import outputs  # noqa: E402

NEEDED = ("nbclient", "nbformat", "ipykernel", "pandas")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
SANITIZED = "NT_PRELOAD" in os.environ


def stream(text):
    return [{"output_type": "stream", "name": "stdout", "text": text}]


class Outputs(unittest.TestCase):
    def differ(self, a, b):
        return outputs.text_difference(a, b)

    def test_numbers_within_the_tolerance_are_the_same(self):
        self.assertIsNone(self.differ("loss 3.28051", "loss 3.28055"))
        self.assertIsNone(self.differ("tensor([0.1234, nan, -inf])", "tensor([0.1235, nan, -inf])"))
        self.assertIsNone(self.differ("12.34 %", "12.35 %"))  # rounded one way and the other
        self.assertIsNone(self.differ("1.00000e-05", "1.00010e-05"))
        self.assertIsNone(self.differ("perplexity 52312.11", "perplexity 52312.49"))

    def test_numbers_beyond_it_are_not(self):
        for a, b in (("3.28051", "3.28075"), ("12.34 %", "12.36 %"), ("1.00e-05", "1.90e-05"), ("0.5", "nan"),
                     ("-inf", "inf"), ("1.25", "-1.25"), ("52312.11", "52312.99")):
            self.assertIsNotNone(self.differ(a, b), (a, b))

    def test_ids_and_words_are_exact(self):
        for a, b in (("[44484, 318]", "[44484, 319]"), ("' go'", "'go'"), ("a  b", "a b"), ("x1", "x2"), ("1", "1.0"),
                     ("[1, 2]", "[1, 2, 3]"), ("torch.Size([1, 7])", "torch.Size([7, 1])")):
            self.assertIsNotNone(self.differ(a, b), (a, b))

    def test_what_says_nothing_is_left_out(self):
        self.assertIsNone(self.differ("tensor([1.5], grad_fn=<SelectBackward0>)", "tensor([1.5])"))
        self.assertIsNone(self.differ("<f at 0x7f12ab34cd>", "<f at 0x55aa66bb77>"))
        self.assertIsNone(self.differ("f32 on avx512", "f32 on avx2"))

    def test_kinds_of_outputs_must_agree(self):
        self.assertEqual(outputs.differences(stream("a"), stream("a")), [])
        self.assertEqual(len(outputs.differences(stream("a"), stream("b"))), 1)
        self.assertEqual(len(outputs.differences(stream("a"), [])), 1)
        error = [{"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}]
        self.assertEqual(len(outputs.differences(stream("a"), error)), 1)
        quiet = [{"output_type": "stream", "name": "stderr", "text": "a warning"}]
        self.assertEqual(outputs.differences(quiet, []), [])

    def test_values_are_compared_in_depth(self):
        a = {"shape": [1, 2], "values": [1.0, 2.0]}
        self.assertIsNone(outputs.value_difference(a, {"shape": [1, 2], "values": [1.00005, 2.0]}))
        for b in ({"shape": [2, 1], "values": [1.0, 2.0]}, {"shape": [1, 2], "values": [1.001, 2.0]},
                  {"shape": [1, 2], "values": [1.0]}, {"shape": [1, 2]}, {"shape": [1, 2], "values": [1, 2.0]}):
            self.assertIsNotNone(outputs.value_difference(a, b), b)

    def test_a_small_number_of_an_array_is_as_exact_as_its_largest(self):
        def array(*values):
            return {"shape": [len(values)], "type": "float32", "values": list(values)}

        self.assertIsNone(outputs.value_difference(array(13.0, 4.11e-4), array(13.0, 4.05e-4)))
        self.assertIsNotNone(outputs.value_difference(array(0.9, 4.11e-4), array(0.9, 4.05e-4)))
        self.assertIsNotNone(outputs.value_difference(array(13.0, 4.5e-4), array(13.0, 4.1e-4)))
        self.assertIsNotNone(outputs.value_difference(array(9e5, 1e-3), array(9e5, 1.2e-3)))  # never beyond 1e-4


@unittest.skipIf(MISSING, f"{', '.join(MISSING)} not installed: scripts/notebooks runs the notebooks in an environment of its own")
@unittest.skipIf(SANITIZED, "the notebooks run in the release build")
class Notebooks(unittest.TestCase):
    pass


def as_recorded(path):
    def test(self):
        import recorded

        self.assertEqual(recorded.stale(path), [])

    return test


for notebook in sorted((ROOT / "examples" / "notebooks").glob("*.ipynb")):
    setattr(Notebooks, "test_" + notebook.stem.replace("-", "_"), as_recorded(notebook))


if __name__ == "__main__":
    unittest.main()
