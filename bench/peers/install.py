"""Peers' virtual environments: one folder each, made once, remade when its pinned versions change.

An environment is ready when it holds a file `installed` with the text of its requirements and of
what was patched. What fails leaves the peer out: its last words are the reason that the page gives."""

import json
import os
import pathlib
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).parent
SECONDS = 3600  # of one installation
# llama.cpp's AMX set-up fills a structure that gcc 12 takes for unused: its _tile_loadconfig does not say that it
# reads memory. The stores go, and the first tile instruction faults. A barrier keeps them.
BARRIER = ("ggml/src/ggml-cpu/amx/mmq.cpp", "    _tile_loadconfig(&tc);",
           '    __asm__ volatile("" : : "r"(&tc) : "memory");\n    _tile_loadconfig(&tc);')
# Built for this processor; the tuned matrix products that llama.cpp's own build has on and its bindings' off.
LLAMA_BUILD = ("-DGGML_NATIVE=ON -DGGML_LLAMAFILE=ON -DGGML_OPENMP=ON -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF "
               "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_TESTS=OFF")


class Failed(Exception):
    """An installation did not come about; the message says why, in one line."""


def environments():
    """Where virtual environments lie: NEXTOKEN_PEERS, else in the build folder."""
    return pathlib.Path(os.environ.get("NEXTOKEN_PEERS", "build/bench-peers")).resolve()


def python(environment, folder=None):
    return (folder or environments()) / environment / "bin" / "python"


def wanted(environment):
    text = (HERE / f"requirements-{environment}.txt").read_text()
    return text + (LLAMA_BUILD + BARRIER[2] if environment == "llama" else "")


def is_ready(environment, folder=None):
    mark = (folder or environments()) / environment / "installed"
    return mark.is_file() and mark.read_text() == wanted(environment)


def reason(output):
    """The line of a failed installation that says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no output"])[-1][:300]


def run(words, **options):
    try:
        done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, **options)
    except subprocess.TimeoutExpired:
        raise Failed(f"{pathlib.Path(words[0]).name} took more than {SECONDS} s") from None
    except OSError as error:
        raise Failed(str(error)) from None
    if done.returncode != 0:
        raise Failed(reason(done.stdout))


def patched_llama(pip, folder):
    """llama-cpp-python's sources from PyPI, with the barrier: the folder that pip is to install."""
    requirement = (HERE / "requirements-llama.txt").read_text().split()[0]
    run([*pip, "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", requirement, "-d", folder])
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.2 has none
        tar.extractall(folder, **safe)
    (sources,) = (p for p in folder.iterdir() if p.is_dir())
    path = sources / "vendor" / "llama.cpp" / BARRIER[0]
    text = path.read_text()
    if text.count(BARRIER[1]) != 1:
        raise Failed(f"{BARRIER[0]} no longer has the one place where the barrier goes")
    path.write_text(text.replace(*BARRIER[1:]))
    return sources


def build_llama_first(folder, llama):
    """The C program that tells llama.cpp's first token without Python's start."""
    (libraries,) = folder.glob("lib/python*/site-packages/llama_cpp/lib")
    run(["cc", "-O2", HERE / "engines" / "llama_first.c", "-o", folder / "llama_first", "-I", llama / "include", "-I",
         llama / "ggml" / "include", "-L", libraries, f"-Wl,-rpath,{libraries}", "-lllama", "-lggml", "-lggml-base",
         "-lggml-cpu"])


def install(environment, again=False, say=print):
    """Makes an environment unless it is ready. Failed says why it could not; it is not tried again unless asked for."""
    folder = environments() / environment
    if is_ready(environment):
        return
    failed = folder / "failed"
    if not again and failed.is_file():
        wanted_then, _, why = failed.read_text().rpartition("\n")
        if wanted_then == wanted(environment):
            raise Failed(why)
    say(f"installing {environment} into {folder}", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        fill(environment, folder)
    except Failed as error:
        folder.mkdir(exist_ok=True)
        failed.write_text(f"{wanted(environment)}\n{error}")
        raise
    (folder / "installed").write_text(wanted(environment))


def fill(environment, folder):
    run([sys.executable, "-m", "venv", "--clear", folder])
    pip = [folder / "bin" / "pip", "--retries", "1"]
    if environment != "llama":
        return run([*pip, "install", "-q", "-r", HERE / f"requirements-{environment}.txt"])
    sources = folder / "sources"
    sources.mkdir()
    run([*pip, "install", "-q", "scikit-build-core[pyproject]", "ninja"])
    unpacked = patched_llama(pip, sources)
    numpy = next(line for line in wanted(environment).splitlines() if line.startswith("numpy"))
    run([*pip, "install", "-q", unpacked, numpy], env={**os.environ, "CMAKE_ARGS": LLAMA_BUILD})
    build_llama_first(folder, unpacked / "vendor" / "llama.cpp")


def versions(environment):
    """What is installed in an environment, of the packages that its requirements name."""
    names = [line.split("==")[0].strip() for line in (HERE / f"requirements-{environment}.txt").read_text().splitlines()
             if line.strip() and not line.startswith(("#", "-"))]
    code = ("import importlib.metadata as m, json, platform, sys; "
            "print(json.dumps({**{n: m.version(n) for n in sys.argv[1:]}, 'python': platform.python_version()}))")
    try:
        done = subprocess.run([str(python(environment)), "-c", code, *names], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return json.loads(done.stdout)
