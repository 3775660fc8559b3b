"""One cache, two programs: what huggingface_hub writes nextoken reads, and the other way round, against the
hub that tests/hub plays. Run by a Python that has huggingface_hub (and, if it is there, transformers):

    python tools/oracle/hub.py BUILD_FOLDER
"""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "hub"), str(ROOT / "tests" / "cli")]
import playing_hub  # noqa: E402
from case import faults  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
NAME = "openai-community/gpt2"
ABSENT = ("special_tokens_map.json", "added_tokens.json", "tokenizer_config.json")
checks = 0


def check(truth, what):
    global checks
    if not truth:
        sys.exit(f"FAILED: {what}")
    checks += 1
    print(f"  {what}")


def same(found, wanted, what):
    if found != wanted:
        print(f"found  {found}\nwanted {wanted}")
    check(found == wanted, what)


class Place:
    """A cache, and both programs on it."""

    def __init__(self, hub, folder):
        self.home, self.cache = folder, folder / "hub"
        folder.mkdir()
        self.env = {"HOME": str(folder), "PATH": os.environ["PATH"], "HF_HOME": str(folder), "HF_ENDPOINT": hub.url,
                    "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

    def start(self, *words):
        return subprocess.Popen([str(w) for w in words], env=self.env, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def end(self, process):
        out, err = process.communicate(timeout=600)
        if process.returncode:
            sys.exit(f"{process.args} ended with {process.returncode}\n{out}{err}")
        return out

    def nextoken(self, *words):
        return self.end(self.start(BUILD / "nextoken", *words))

    def python(self, code):
        """Runs code under huggingface_hub; what it leaves in `out`, through JSON."""
        code = f"import json\nfrom huggingface_hub import *\n{code}\nprint('\\n' + json.dumps(out))"
        return json.loads(self.end(self.start(sys.executable, "-c", code)).splitlines()[-1])

    def fetch(self, files):
        return self.python(f"""
from huggingface_hub.errors import EntryNotFoundError
out = []
for file in {list(files)!r}:
    try:
        out.append(hf_hub_download({NAME!r}, file))
    except EntryNotFoundError:
        out.append(None)
""")

    def tree(self):
        """Everything in the cache but locks, as names, link targets and contents."""
        found = {}
        for path in sorted((self.cache / ("models--" + NAME.replace("/", "--"))).glob("**/*")):
            name = str(path.relative_to(self.cache))
            if path.is_symlink():
                found[name] = "-> " + os.readlink(path)
            elif path.is_file():
                found[name] = path.read_bytes()
        return found

    def scan(self):
        return self.python("""
info = scan_cache_dir()
out = {"warnings": [str(w) for w in info.warnings], "models": sorted(
    [r.repo_id, v.commit_hash, sorted(v.refs), len(v.files), v.size_on_disk]
    for r in info.repos for v in r.revisions)}
""")

    def listed(self):
        found = json.loads(self.nextoken("cache", "list", "--json"))
        return sorted([m["name"], m["revision"], m["refs"], m["files"], m["bytes"]] for m in found["models"])


def make_model(folder):
    subprocess.run([BUILD / "tools" / "mkmodel", folder, "--seed", "7", "--n-embd", "48", "--n-layer", "3",
                    "--n-head", "4", "--n-positions", "320", "--tokenizer", ROOT / "models" / "gpt2"], check=True)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def both_ways(hub, tmp, files):
    print("What huggingface_hub wrote:")
    theirs = Place(hub, tmp / "theirs")
    probes = [*files, *(f for f in (*ABSENT, "tokenizer.json", "generation_config.json") if f not in files)]
    theirs.fetch(probes)
    before = len(hub.requests())
    said = theirs.nextoken("next", "-m", NAME, "--json", "Alice")
    same(len(hub.requests()), before, "nextoken opens it by its name, and asks the hub nothing")
    same(theirs.listed(), theirs.scan()["models"], "cache list says what scan_cache_dir says")
    theirs.nextoken("cache", "verify")
    check(True, "cache verify finds every hash right")

    print("What nextoken wrote:")
    ours = Place(hub, tmp / "ours")
    folder = ours.nextoken("pull", NAME).strip()
    gets = len(hub.requests("GET"))
    paths = ours.fetch(probes)
    same([r.path for r in hub.requests("GET")[gets:] if "/api/" not in r.path], [], "hf_hub_download finds every file, and fetches none again")
    same([p for p in paths if p], [f"{folder}/{f}" for f in probes if f in files], "at nextoken's paths")
    out = ours.python(f"""
from huggingface_hub.file_download import _CACHED_NO_EXIST
out = [try_to_load_from_cache({NAME!r}, f) is _CACHED_NO_EXIST for f in {ABSENT!r}]
""")
    check(all(out), "try_to_load_from_cache knows which files there are not")
    same(ours.python(f"out = snapshot_download({NAME!r}, local_files_only=True)"), folder,
         "snapshot_download takes it offline")
    scan = ours.scan()
    same(scan["warnings"], [], "scan_cache_dir finds nothing strange")
    same(ours.listed(), scan["models"], "cache list says what scan_cache_dir says")
    same(ours.tree(), theirs.tree(), "the two caches are the same: names, links, contents, refs, .no_exist")
    same(json.loads(ours.nextoken("next", "-m", NAME, "--json", "Alice"))["next"], json.loads(said)["next"],
         "the model is the same from both")
    return ours, theirs


def side_by_side(hub, tmp, files):
    print("Both at once, and one after the other was killed:")
    weights = files["model.safetensors"]
    hub.speed = len(weights) / 3
    place = Place(hub, tmp / "both")
    one = place.start(BUILD / "nextoken", "pull", NAME)
    two = place.start(sys.executable, "-c", f"from huggingface_hub import *\nhf_hub_download({NAME!r}, "
                                            "'model.safetensors')")
    place.end(one), place.end(two)
    same(faults(place.cache), [], "nothing is wrong in the cache")
    sent = [r for r in hub.requests("GET", "store")]
    place = Place(hub, tmp / "killed")
    one = place.start(BUILD / "nextoken", "pull", NAME)
    blobs = place.cache / ("models--" + NAME.replace("/", "--")) / "blobs"
    while not any(p.stat().st_size for p in blobs.glob("*.incomplete")) and one.poll() is None:
        time.sleep(0.02)
    one.send_signal(signal.SIGKILL)
    one.wait()
    one.stdout.close(), one.stderr.close()
    hub.speed = None
    place.fetch(["model.safetensors"])
    place.nextoken("pull", NAME)
    place.nextoken("cache", "verify")
    same(faults(place.cache), [], "huggingface_hub goes on where nextoken was killed, and nextoken after it")
    return sent


def removal(ours, theirs, hub, tmp):
    print("Taking away:")
    theirs.nextoken("cache", "remove", NAME)
    same(theirs.scan(), {"warnings": [], "models": []}, "nextoken removes what huggingface_hub wrote")
    ours.python("info = scan_cache_dir()\nhashes = [v.commit_hash for r in info.repos for v in r.revisions]\n"
                "info.delete_revisions(*hashes).execute()\nout = 0")
    same(ours.listed(), [], "huggingface_hub removes what nextoken wrote")
    shared = Place(hub, tmp / "shared")
    for name in (NAME, "a/copy"):
        shared.nextoken("pull", name, "model.safetensors")
    share = """
import pathlib
from huggingface_hub import constants
try:
    from huggingface_hub.utils import _shared_blobs as s
except ImportError:
    s = None
out = None
for link in pathlib.Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*/model.safetensors"):
    blob = link.parent / __import__("os").readlink(link)
    blob = pathlib.Path(__import__("os").path.abspath(blob))
    out = s and [bool(out is None or out[0]) and s.publish_blob_to_shared_store(blob_path=str(blob),
        xet_hash="ab" + "0" * 62, cache_dir=constants.HF_HUB_CACHE, expected_size=blob.stat().st_size)]
"""
    if shared.python(share) is None:
        print("  (this huggingface_hub keeps nothing for several repos in common)")
        return
    blobs = shared.cache / "blobs"
    same(len(list(blobs.glob("*/ab*0"))), 1, "huggingface_hub keeps one copy for two repos")
    shared.nextoken("cache", "verify")
    same(shared.listed(), shared.scan()["models"], "cache list says what scan_cache_dir says of that")
    shared.nextoken("cache", "remove", NAME)
    same(len(list(blobs.glob("*/ab*0"))), 1, "what another repo needs stays")
    shared.nextoken("cache", "verify")
    shared.nextoken("cache", "remove", "a/copy")
    same(len(list(blobs.glob("*/ab*0"))), 0, "and goes with the last that needs it")
    same(shared.scan(), {"warnings": [], "models": []}, "nothing strange is left")


def transformers_reads(ours):
    if not importlib.util.find_spec("transformers"):
        print("(no transformers here: its reading of the cache is left out)")
        return
    print("transformers on nextoken's cache, offline:")
    found = ours.python(f"""
import transformers, torch
model = transformers.AutoModelForCausalLM.from_pretrained({NAME!r}, local_files_only=True)
ids = transformers.AutoTokenizer.from_pretrained({NAME!r}, local_files_only=True)("Alice").input_ids
logits = model(torch.tensor([ids])).logits[0, -1]
out = [ids, logits.topk(5).indices.tolist(), logits.topk(5).values.tolist(), transformers.__version__]
""")
    said = json.loads(ours.nextoken("next", "-m", NAME, "--json", "-k", "5", "Alice"))
    same(said["ids"], found[0], f"the same ids as transformers {found[3]}")
    same([c["id"] for c in said["next"]], found[1], "the same five likeliest tokens")
    check(all(abs(c["logit"] - x) < 1e-3 for c, x in zip(said["next"], found[2])), "with the same logits")


def main():
    with tempfile.TemporaryDirectory() as folder:
        tmp = pathlib.Path(folder)
        hub = playing_hub.Hub()
        files = make_model(tmp / "model")
        hub.add(NAME, files)
        hub.add("a/copy", files)
        ours, theirs = both_ways(hub, tmp, files)
        transformers_reads(ours)
        side_by_side(hub, tmp, files)
        removal(ours, theirs, hub, tmp)
        version = ours.python("import huggingface_hub\nout = huggingface_hub.__version__")
        hub.close()
    print(f"{checks} checks with huggingface_hub {version}: all as they should be")


if __name__ == "__main__":
    main()
