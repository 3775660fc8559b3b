"""Type hints: that a user's program has the types that it expects, that mypy finds nothing in the package, and
that the stubs say what is there. Skipped where mypy is not installed."""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

import nextoken

PACKAGE = support.ROOT / "python" / "nextoken"
#: Modules of others that have no types, or are not installed.
SILENT = ["--disable-error-code=import-untyped", "--disable-error-code=import-not-found"]


def mypy(*arguments, module="mypy"):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "mypy.ini")
        config.write_text(f"[mypy]\ncache_dir = {folder}\nmypy_path = {pathlib.Path(nextoken.__file__).parents[1]}\n",
                          encoding="utf-8")
        named = ["--mypy-config-file" if module != "mypy" else "--config-file", str(config)]
        return subprocess.run([sys.executable, "-m", module, *named, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
class Types(unittest.TestCase):
    def test_programs_over_the_package(self):
        """Assignments with their types, and errors that must be found (an ignore that nothing needs is one)."""
        programs = sorted(str(path) for path in (support.ROOT / "tests" / "python" / "typed").glob("*.py"))
        self.assertEqual(len(programs), 2)
        done = mypy("--strict", "--follow-imports=silent", *SILENT, *programs)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_package(self):
        done = mypy(*SILENT, str(PACKAGE))
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_stubs_say_what_is_there(self):
        """Names, arguments and defaults, by mypy's stubtest."""
        modules = [".".join(["nextoken", *path.relative_to(PACKAGE).with_suffix("").parts])
                   for path in sorted(PACKAGE.rglob("*.pyi"))]
        modules = [name[:-len(".__init__")] if name.endswith(".__init__") else name for name in modules]
        self.assertGreater(len(modules), 20)
        done = mypy("--ignore-missing-stub", "--concise", *modules, module="mypy.stubtest")
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
