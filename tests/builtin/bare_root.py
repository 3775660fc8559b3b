"""The program alone: it names no library but glibc's, and in a root that holds nothing but itself and
these, without /proc, without a variable and without a terminal, it prints its tables."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BINARY_DIR = pathlib.Path(os.environ["NT_BINARY_DIR"])
CARRIES = bool(os.environ.get("NT_TALES"))
GLIBC = re.compile(r"(ld-linux[\w-]*|libc|libm|libpthread|libdl|librt)\.so\.\d+$")
NOTE = b"nextoken: note: tales: old storybooks, not GPT-2; -m FOLDER or NEXTOKEN_MODEL names another\n"

# Arguments, standard input, what stdout must hold, all of stderr (None: anything).
ALWAYS = [
    (["--version"], b"", b"nextoken ", b""),
    (["tokenize", "--json", "Alice is a"], b"", b'"ids":[44484,318,257]', b""),
    (["tokenize", "--count", "-", "--json"], b"Alice is a", b'"tokens":[3]', b""),
]
WITH_A_MODEL = [
    (["next", "Alice is a"], b"", b"\nentropy ", NOTE),
    (["next", "-m", "tales", "-t", "3", "--json", "Alice is a"], b"", b'"model":"tales"', b""),
    (["info"], b"", b"n embd", NOTE),
    (["generate", "-q", "--do-sample", "--max-new-tokens", "3", "Alice is a"], b"", b"Alice is a", b""),
    (["generate", "-q", "--num-beams", "3", "--max-new-tokens", "3", "Alice is a"], b"", b"Alice is a", b""),
    (["score", "-q", "--jsonl", "-"], b'{"text": "Alice is a"}\n' * 3, b'"index":2', b""),
    (["perplexity", "-q", "-"], b"Alice is a rabbit.", b"perplexity", b""),
    (["inspect", "-q", "--npz", "/a.npz", "Alice is a"], b"", b"final norm", b""),
    (["generate", "-q", "--assistant-model", "tales", "--max-new-tokens", "3", "Alice"], b"", b"Alice", b""),
]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def needed(program):
    """Paths of the libraries and of the dynamic linker, as ldd finds them here."""
    dynamic = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"NEEDED.*\[(.+)\]", dynamic)
    strangers = [name for name in names if not GLIBC.match(name)]
    if not names or strangers:
        sys.exit(f"{program} needs {strangers or 'nothing at all'}; only glibc was expected")
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    paths = re.findall(r"(/\S+) \(0x", found)
    if len(paths) < len(names):
        sys.exit(f"ldd tells less than readelf:\n{found}{dynamic}")
    return paths


def furnish(root):
    program = BINARY_DIR / "nextoken"
    for path in needed(program):
        copy = root / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    shutil.copy(program, root / "nextoken")


def prefix(root):
    """What runs a command with root as its root; None where this user may not."""
    for words in (["chroot", str(root)], ["unshare", "-r", "chroot", str(root)]):
        try:
            if subprocess.run([*words, "/nextoken", "--version"], capture_output=True).returncode == 0:
                return words
        except FileNotFoundError:
            pass
    return None


def main():
    if "-fsanitize" in os.environ.get("NT_C_FLAGS", ""):
        skip("a sanitizer links libraries of its own and reads /proc")
    with tempfile.TemporaryDirectory(dir=BINARY_DIR) as tmp:
        root = pathlib.Path(tmp)
        furnish(root)
        before = prefix(root)
        if before is None:
            skip("neither chroot nor unshare -r chroot is allowed here")
        cases = ALWAYS + (WITH_A_MODEL if CARRIES else [])
        for args, stdin, wanted, err in cases:
            done = subprocess.run([*before, "/nextoken", *args], input=stdin, capture_output=True,
                                  env={"PATH": os.environ["PATH"]}, timeout=300)
            if done.returncode != 0 or wanted not in done.stdout or done.stderr != err:
                sys.exit(f"{args}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}")
        print(f"{len(cases)} commands in a bare root ({' '.join(before[:-1])})"
              + ("" if CARRIES else "; built without a model"))


if __name__ == "__main__":
    main()
