"""Type hints: that a user's program has the types that it expects, that mypy finds nothing in the package, and
that the stubs say what is there. Skipped where mypy is not installed."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

import nextoken

PACKAGE = support.ROOT / "python" / "nextoken"
CONFIG = """[mypy]
cache_dir = {cache}
mypy_path = {path}
disable_error_code = import-untyped, import-not-found
"""  # modules of others that have no types, or are not installed
#: What stubs have besides: names of types, and what every subclass has; what stubtest cannot know of cffi and enums.
ALLOWED = r"""
nextoken\.jobs\.(By|Correction|Path|Process|Stop)
nextoken\.transformers\.(config_base|tokenization_base)\.(Inputs|Path)
nextoken\.transformers\.tokenization_base\.PreTrainedTokenizerBase\.(from_pretrained|vocab_size)
nextoken\.transformers\.(causal\.CausalLM|headless\.Headless)\.__call__
nextoken\.transformers\.parameters\.Parameter\.ndim
nextoken\.transformers\.generation\.(inside\.Layers|scores\.Steps)
nextoken\.transformers\.\w+\.\w+\.__new__
nextoken\.library\.(_struct|error)
"""


def mypy(*arguments, module="mypy"):
    cache = pathlib.Path(os.environ["NT_BINARY_DIR"], "mypy")
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "mypy.ini")
        config.write_text(CONFIG.format(cache=cache, path=pathlib.Path(nextoken.__file__).parents[1]), encoding="utf-8")
        named = ["--mypy-config-file" if module != "mypy" else "--config-file", str(config)]
        return subprocess.run([sys.executable, "-m", module, *named, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
class Types(unittest.TestCase):
    def test_programs_over_the_package(self):
        """Assignments with their types, and errors that must be found (an ignore that nothing needs is one)."""
        programs = sorted(str(path) for path in (support.ROOT / "tests" / "python" / "typed").glob("*.py"))
        self.assertEqual(len(programs), 2)
        done = mypy("--strict", "--follow-imports=silent", *programs)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_package(self):
        done = mypy(str(PACKAGE))
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_stubs_say_what_is_there(self):
        """Names, arguments and defaults, by mypy's stubtest."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as allowed:
            allowed.write(ALLOWED)
            allowed.flush()
            done = mypy("--ignore-missing-stub", "--concise", "--allowlist", allowed.name, "--ignore-unused-allowlist",
                        "nextoken", module="mypy.stubtest")
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
