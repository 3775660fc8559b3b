"""What has to be there before anything is timed: nextoken, the seeded checkpoints, and each peer's own files of them."""

import os
import pathlib
import shutil
import subprocess

import install

ROOT = install.HERE.parents[1]
WORKER = install.HERE / "worker.py"


class Tools:
    """The build: its program, Python package and mkmodel."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.program, self.mkmodel = self.build / "nextoken", self.build / "tools" / "mkmodel"
        for path in (self.program, self.mkmodel):
            if not path.is_file():
                raise SystemExit(f"{path} is not there: build it first, or name the build folder in NEXTOKEN_BUILD")

    def precisions(self):
        """The values of --precision, but for auto: what this version has and this processor runs."""
        done = subprocess.run([str(self.program), "generate", "--help"], capture_output=True, text=True, check=True)
        return [p for p in parse_precisions(done.stdout) if self.runs(p)]

    def runs(self, precision):
        words = [str(self.program), "next", "--quiet", "-m", "tales", "--precision", precision, "--ids", "1"]
        return subprocess.run(words, capture_output=True).returncode == 0

    def environment(self, threads):
        return {**os.environ, "NEXTOKEN": str(self.program), "PYTHONPATH": str(self.build / "python"),
                "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
                "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                "TORCHINDUCTOR_CACHE_DIR": str(install.environments() / "inductor"),
                # as fast as it can be: big arrays on huge pages, and kept by the C library between calls
                "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:"
                                  "glibc.malloc.trim_threshold=4294967296"}


def parse_precisions(text):
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["--precision"] and len(words) > 1:
            return [w for w in words[1].split("|") if w != "auto"]
    return ["f32"]


def models():
    return install.environments() / "models"


def whole(folder):
    return (folder / "whole").is_file()


def make(folder, write):
    """Calls write(folder) in an empty folder, unless it is there whole."""
    if whole(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    write(folder)
    (folder / "whole").write_text("")


def checkpoint(tools, size):
    """The seeded checkpoint of a size: F32, with GPT-2's tokenizer."""
    folder = models() / size / "checkpoint"
    make(folder, lambda f: install.run([tools.mkmodel, f, "--shape", size, "--seed", "1", "--tokenizer",
                                        ROOT / "models" / "gpt2"]))
    return folder


def model(tools, size, engine, name, kind, variant):
    """The file or folder (kind) that an engine's variant reads; made when it is not there."""
    source = checkpoint(tools, size)
    if not kind:
        return source
    if kind.endswith(".gguf"):
        width = kind.removesuffix(".gguf")
        folder = models() / size / f"gguf-{width}"
        make(folder, lambda f: (f.mkdir(), install.run([tools.program, "convert", source, f / f"{size}.gguf", "--width",
                                                        width, "-q"])))
        return folder / f"{size}.gguf"
    folder = models() / size / kind
    if engine.CONVERTER is None:
        make(folder, lambda f: install.run([tools.program, "convert", source, f, "--width", "bf16", "-q"]))
        return folder
    words = [install.python(engine.CONVERTER), WORKER, "convert", name, source]
    make(folder, lambda f: install.run([*words, f, variant], env=tools.environment(os.cpu_count())))
    return folder
