"""set_seed and the stream that ids are drawn from: NumPy's and random's numbers, torch's states."""

import os
import random
import subprocess
import sys
import threading
import unittest

import numpy as np
from transformers_models import TORCH

from nextoken.transformers import seed, set_seed

# torch.rand(3) * 2^24 behind torch.manual_seed(42), and torch's generator as NumPy has it
RAND_42 = [14802022, 15351219, 6423388]


class Seeds(unittest.TestCase):
    def test_random_and_numpy(self):
        set_seed(3)
        seen = random.random(), np.random.rand()
        random.seed(3)
        np.random.seed(3)
        self.assertEqual(seen, (random.random(), np.random.rand()))

    def test_words_are_mt19937s(self):
        set_seed(42)
        wanted = np.random.RandomState(42)._bit_generator.random_raw(2000)
        got = np.concatenate([seed.words(n) for n in (1, 0, 622, 1, 1, 1375)])
        self.assertTrue((got == wanted).all())
        self.assertEqual([int(word) & 0xFFFFFF for word in got[:3]], RAND_42)

    def test_seeds_that_numpy_does_not_take(self):
        for bad in (-1, 2 ** 32):
            with self.assertRaises(ValueError):
                set_seed(bad)

    def test_states_come_back(self):
        set_seed(7)
        seed.words(5)
        state = seed.get_state()
        self.assertEqual((state.shape, state.dtype), ((5056,), np.uint8))
        first = seed.words(9)
        seed.set_state(state)
        self.assertTrue((seed.words(9) == first).all())

    def test_the_librarys_generator_goes_on_from_it(self):
        set_seed(7)
        seed.words(5)
        with seed.torch_rng() as rng:
            self.assertNotEqual(rng, None)
        after = seed.words(4)
        set_seed(7)
        self.assertTrue((seed.words(9)[5:] == after).all())

    def test_an_error_does_not_hold_it(self):
        with self.assertRaises(KeyError):
            with seed.torch_rng():
                raise KeyError
        with seed.torch_rng():
            pass

    def test_draws_that_cross(self):
        set_seed(7)
        state = seed.get_state().copy()
        done = []

        def other():
            with seed.torch_rng() as rng:
                done.append(rng)

        with seed.torch_rng():
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(20)
        self.assertEqual(len(done), 1)
        self.assertTrue((seed.get_state() == state).all())

    @unittest.skipIf(TORCH is None, "torch is not installed")
    def test_torchs_own_stream(self):
        set_seed(42)
        self.assertEqual((TORCH.rand(3) * 2 ** 24).int().tolist(), RAND_42)
        TORCH.manual_seed(42)
        self.assertEqual([int(word) & 0xFFFFFF for word in seed.words(3)], RAND_42)
        left = TORCH.rand(2000)
        set_seed(42)
        TORCH.rand(3)
        self.assertTrue((TORCH.rand(2000) == left).all())
        TORCH.manual_seed(11)
        TORCH.randn(3)  # keeps a normal number for later
        state = TORCH.get_rng_state()
        with seed.torch_rng():
            pass
        self.assertTrue((TORCH.get_rng_state() == state).all())

    def test_without_a_seed_from_the_system(self):
        """Two processes without torch draw different numbers, and with a seed the same."""
        code = ("import sys; sys.modules['torch'] = None\n"
                "from nextoken.transformers import seed, set_seed\n"
                "print(seed.words(2).tolist())\nset_seed(42)\nprint([int(w) & 0xFFFFFF for w in seed.words(3)])")
        seen = [subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=True, timeout=300,
                               stdout=subprocess.PIPE, text=True).stdout.splitlines() for _ in range(2)]
        self.assertNotEqual(seen[0][0], seen[1][0])
        self.assertEqual([seen[0][1], seen[1][1]], [str(RAND_42)] * 2)


if __name__ == "__main__":
    unittest.main()
