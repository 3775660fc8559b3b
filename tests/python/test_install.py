"""The package as it is built and imported: names, laziness, declarations, the library inside."""

import ast
import importlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import support

import nextoken

ROOT = support.ROOT
PACKAGE = pathlib.Path(nextoken.__file__).parent


def run_python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], env=dict(os.environ, **environment), text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


class Names(unittest.TestCase):
    def test_every_public_name_is_there(self):
        for name in nextoken.__all__:
            self.assertIsNotNone(getattr(nextoken, name), name)
        self.assertLessEqual(set(nextoken.__all__), set(dir(nextoken)))
        with self.assertRaises(AttributeError):
            nextoken.no_such_name
        with self.assertRaisesRegex(AttributeError, "did you mean 'Model'"):
            nextoken.Modle
        self.assertFalse({"TYPE_CHECKING", "annotations", "importlib"} & set(dir(nextoken)))

    def test_the_list_for_type_checkers_is_the_same(self):
        tree = ast.parse((ROOT / "python" / "nextoken" / "__init__.pyi").read_text(encoding="utf-8"))
        listed = {node.module: sorted(alias.asname for alias in node.names)
                  for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
        self.assertEqual(listed, {module: sorted(names) for module, names in nextoken._NAMES.items()})

    def test_modules_do_not_stand_on_names(self):
        """A submodule takes the place of a function of its name when it is imported."""
        self.assertEqual(set(nextoken._MODULES) & set(nextoken._WHERE), set())
        here = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
        self.assertEqual(here & set(nextoken._WHERE), set())

    def test_public_classes_of_the_results_are_listed(self):
        for module in ("results", "errors", "model"):
            names = importlib.import_module("nextoken." + module).__all__
            self.assertLessEqual(set(names) - {"wrap"}, set(nextoken.__all__), module)


class Lazy(unittest.TestCase):
    def test_importing_costs_next_to_nothing(self):
        """Not even typing and re, which take longer than all else; bench/python.py has the times."""
        code = "import sys; old = set(sys.modules); import nextoken; print(*sorted(set(sys.modules) - old))"
        done = run_python(code)
        self.assertEqual(done.returncode, 0, done.stderr)
        allowed = {"nextoken", "importlib", "importlib._bootstrap", "importlib._bootstrap_external", "warnings",
                   "_warnings", "__future__"}
        self.assertLessEqual(set(done.stdout.split()), allowed)

    def test_a_model_opens_without_numpy(self):
        done = run_python(f"import sys, nextoken; m = nextoken.load({support.checkpoint('letters')!r}); "
                          "m.tokenizer.encode('the').id_list(); str(m.next('the')); "
                          "print('numpy' in sys.modules, 'pandas' in sys.modules, 'IPython' in sys.modules)")
        self.assertEqual((done.stdout.strip(), done.stderr), ("False False False", ""))

    def test_nothing_is_printed(self):
        done = run_python("import nextoken; nextoken.load(" + repr(support.checkpoint("words")) + ").generate('')")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Declarations(unittest.TestCase):
    def test_every_function_of_the_headers_is_bound(self):
        from nextoken.library import lib

        declared = set()
        for header in (ROOT / "include").glob("*.h"):
            text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
            for declaration in re.findall(r"NT_API\b([^;#]*);", text):
                declared.add(re.search(r"(nt_\w+)\s*\(", declaration).group(1))
        self.assertGreater(len(declared), 100)
        for name in sorted(declared):
            self.assertTrue(callable(getattr(lib, name)), name)

    def test_every_init_macro_is_read(self):
        from nextoken.library import DEFAULTS

        text = "".join(header.read_text(encoding="utf-8") for header in (ROOT / "include").glob("*.h"))
        self.assertEqual({f"NT_{name[3:].upper()}_INIT" for name in DEFAULTS},
                         set(re.findall(r"define (NT_\w+_INIT)", text)))

    def test_another_version_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            mirror = pathlib.Path(folder, "nextoken")
            mirror.mkdir()
            for path in PACKAGE.glob("*.py"):
                text = path.read_text(encoding="utf-8")
                if path.name == "_declarations.py":
                    text = text.replace("'NT_VERSION_MINOR': 1", "'NT_VERSION_MINOR': 99")
                (mirror / path.name).write_text(text, encoding="utf-8")
            (mirror / "libnextoken.so").symlink_to((PACKAGE / "libnextoken.so").resolve())
            done = run_python("import nextoken; nextoken.load()", PYTHONPATH=folder)
            self.assertIn("ImportError", done.stderr)
            self.assertIn("0.99.0", done.stderr)

    def test_without_declarations(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "nextoken").symlink_to(ROOT / "python" / "nextoken")
            done = run_python("import nextoken; nextoken.load()", PYTHONPATH=folder)
            self.assertIn("ImportError", done.stderr)
            self.assertIn("pip install .", done.stderr)


class Build(unittest.TestCase):
    def test_a_library_that_is_missing_is_named(self):
        """As pip shows it, which runs the same cmake."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["cmake", "-S", str(ROOT), "-B", folder, "-DNEXTOKEN_PYTHON=ON"], text=True,
                                  env=dict(os.environ, PKG_CONFIG_LIBDIR="/nonexistent"), stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, check=False)
        self.assertNotEqual(done.returncode, 0)
        line = next(line for line in done.stderr.splitlines() if "nextoken needs" in line)
        self.assertIn("jansson, libutf8proc, libpcre2-8, zlib", line)
        self.assertIn("scripts/setup", line)


class Mirror(unittest.TestCase):
    def test_links_follow_the_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "from"), pathlib.Path(folder, "to")
            (source / "inner" / "__pycache__").mkdir(parents=True)
            (source / "a.py").write_text("1", encoding="utf-8")
            (source / "inner" / "b.py").write_text("2", encoding="utf-8")
            target.mkdir()
            (target / "_declarations.py").write_text("made", encoding="utf-8")

            def link():
                subprocess.run([sys.executable, str(ROOT / "python" / "link.py"), str(source), str(target)], check=True)
                return sorted(str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir())

            self.assertEqual(link(), ["_declarations.py", "a.py", "inner/b.py"])
            (source / "a.py").unlink()
            (source / "c.py").write_text("3", encoding="utf-8")
            self.assertEqual(link(), ["_declarations.py", "c.py", "inner/b.py"])


class Library(unittest.TestCase):
    def test_it_needs_glibc_alone(self):
        """And gives its own names and no others: those of the libraries inside stay inside."""
        library = str(PACKAGE / "libnextoken.so")
        dynamic = subprocess.run(["readelf", "-dW", library], check=True, stdout=subprocess.PIPE, text=True).stdout
        needed = set(re.findall(r"NEEDED.*\[(.+)\]", dynamic))
        symbols = subprocess.run(["readelf", "--dyn-syms", "-W", library], check=True, stdout=subprocess.PIPE, text=True).stdout
        if "asan" not in "".join(needed):
            self.assertLessEqual({re.sub(r"\.so.*", "", name) for name in needed},
                                 {"libc", "libm", "ld-linux-x86-64", "ld-linux-aarch64", "libpthread", "libdl"})
        self.assertNotIn("TEXTREL", dynamic)
        given = {line.split()[7].split("@")[0] for line in symbols.splitlines()
                 if re.match(r"\s+\d+:", line) and len(line.split()) > 7 and line.split()[6] != "UND"}
        self.assertEqual({name for name in given if not name.startswith(("nt_", "NEXTOKEN_"))}, set())


if __name__ == "__main__":
    unittest.main()
