"""Installs the build into a folder of its own and uses it as a stranger would: the complete program
of nextoken.h's first comment, built through pkg-config (shared and static) and through CMake, prints
the five likeliest next tokens after "Alice"; transformers' figures say which they are."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cli"))
import harness  # noqa: E402

BENCH = harness.Bench(os.environ["NT_BINARY_DIR"])
FLAGS = shlex.split(os.environ.get("NT_C_FLAGS", ""))
ORACLE = json.loads((harness.HERE / "oracle.json").read_text(encoding="utf-8"))["cases"][0]


def run(*args, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


HEADERS = ("nextoken.h", "nextoken_text.h", "nextoken_hub.h", "nextoken_generate.h", "nextoken_tensors.h", "nextoken_versus.h",
           "nextoken_result.h", "nextoken_bench.h")


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.tmp = pathlib.Path(holder.name)
        cls.prefix = cls.tmp / "usr"
        run("cmake", "--install", BENCH.binary_dir, "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.glob("**/libnextoken.so")).parent
        header = (cls.prefix / "include" / "nextoken.h").read_text(encoding="utf-8")
        comment = header[:header.index("*/")]
        program = re.search(r"( \*     #include <nextoken.h>\n.*? \*     \}\n)", comment, re.S).group(1)
        cls.source = cls.tmp / "program.c"
        cls.source.write_text(re.sub(r"(?m)^ \*(     )?", "", program), encoding="utf-8")
        pc = cls.lib / "pkgconfig" / "nextoken.pc"
        text = pc.read_text(encoding="utf-8")
        pc.write_text(re.sub(r"(?m)^prefix=.*", f"prefix={cls.prefix}", text), encoding="utf-8")

    def pkg_config(self, *args):
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.lib / "pkgconfig")}
        return shlex.split(run("pkg-config", *args, "nextoken", env=env))

    def check(self, program):
        env = {**os.environ, "LD_LIBRARY_PATH": str(self.lib)}
        out = run(program, BENCH.model("words"), env=env)
        lines = out.splitlines()
        self.assertEqual(len(lines), 5)
        for line, wanted in zip(lines, ORACLE["next"]):
            self.assertEqual(int(line.split(" ")[0]), wanted["id"])
            probability = float(line.rsplit(" ", 1)[1])
            self.assertAlmostEqual(probability, 2.718281828459045 ** wanted["logprob"], delta=6e-5)

    def test_without_an_argument_the_model_inside_answers(self):
        """The program of nextoken.h through the shared library: what the installed program prints."""
        if not os.environ.get("NT_TALES"):
            self.skipTest("built without a model")
        program = self.tmp / "inside"
        run("cc", "-std=c17", *FLAGS, self.source, "-o", program, *self.pkg_config("--cflags", "--libs"))
        out = run(program, env={**os.environ, "LD_LIBRARY_PATH": str(self.lib)}, cwd=self.tmp)
        table = run(self.prefix / "bin" / "nextoken", "next", "-m", "tales", "-k", "5", "--json", "Alice")
        self.assertEqual([int(line.split(" ")[0]) for line in out.splitlines()],
                         [candidate["id"] for candidate in json.loads(table)["next"]])

    def test_pkg_config_shared(self):
        program = self.tmp / "shared"
        run("cc", "-std=c17", "-Wall", "-Wextra", "-Werror", *FLAGS, self.source, "-o", program,
            *self.pkg_config("--cflags", "--libs"))
        self.check(program)
        self.assertIn("libnextoken.so.0", run("readelf", "-d", program))

    def test_pkg_config_static(self):
        program = self.tmp / "static"
        libs = self.pkg_config("--static", "--libs")
        libs = [str(self.lib / "libnextoken.a") if x == "-lnextoken" else x for x in libs]
        run("cc", "-std=c17", *FLAGS, self.source, "-o", program, *self.pkg_config("--cflags"), *libs)
        self.check(program)
        self.assertNotIn("libnextoken", run("readelf", "-d", program))

    def test_cmake_package(self):
        project = self.tmp / "project"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(outside C)\n"
            "find_package(nextoken 0.1 REQUIRED)\n"
            f"add_executable(a {self.source})\ntarget_link_libraries(a nextoken::nextoken)\n"
            f"add_executable(b {self.source})\ntarget_link_libraries(b nextoken::nextoken_static)\n",
            encoding="utf-8")
        run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_FLAGS={' '.join(FLAGS)}")
        run("cmake", "--build", project / "build")
        self.check(project / "build" / "a")
        self.check(project / "build" / "b")

    def test_header_as_cpp(self):
        """Each header compiles alone, as C17 and, where there is a compiler, as C++."""
        include = f"-I{self.prefix / 'include'}"
        for name in HEADERS:
            only = self.tmp / "only.c"
            only.write_text(f"#include <{name}>\n", encoding="utf-8")
            run("cc", "-std=c17", "-Wall", "-Wextra", "-pedantic", "-Werror", include, "-fsyntax-only", only)

    def test_exported_symbols(self):
        """Only what the headers declare is exported, all of it, under the version NEXTOKEN_0."""
        include = self.prefix / "include"
        header = "".join((include / name).read_text(encoding="utf-8") for name in HEADERS)
        code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
        declared = set(re.findall(r"NT_API[^;(]*?\b(nt_\w+)\(", code))
        table = run("readelf", "--dyn-syms", "-W", self.lib / "libnextoken.so")
        exported = dict(re.findall(r"(?:FUNC|OBJECT) +GLOBAL +DEFAULT +\d+ (nt_\w+)@@(\w+)", table))
        self.assertEqual(set(exported), declared)
        self.assertEqual(set(exported.values()), {"NEXTOKEN_0"})
        self.assertIn("libnextoken.so.0", run("readelf", "-d", self.lib / "libnextoken.so"))

    @unittest.skipIf(FLAGS, "sanitizers link their own libraries")
    def test_program_needs_only_glibc(self):
        dynamic = run("readelf", "-d", self.prefix / "bin" / "nextoken")
        needed = re.findall(r"NEEDED.*\[(.+)\]", dynamic)
        allowed = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
        self.assertLessEqual(set(needed), allowed)


if __name__ == "__main__":
    unittest.main()
