#!/usr/bin/env python3
"""What scripts/coverage prints: branches taken, by parser and by source, from the profiles of a build with clang's
coverage. Sources given behind "--" are listed with the lines that have a branch never taken.
branches.py BUILD PROGRAM... -- [SOURCE...]"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 95  # percent of a parser's branches

PARSERS = {
    "safetensors": "format/safetensors.c format/tensors.c",
    "index of shards, folders": "format/shards.c format/foreign.c",
    "GGUF": "format/gguf.c format/gguf_model.c format/gguf_names.c",
    "PyTorch (zip, pickle)": "format/torch.c format/pickle.c format/pickle_names.c format/zip.c",
    "config.json": "format/config.c format/config/*.c",
    "tokenizer.json and its kin": "text/files/json_pull.c text/files/sections.c text/files/vocabulary.c "
    "text/files/merges.c text/files/special_tokens.c text/files/token_config.c text/files/tokenizer_*.c "
    "text/files/transformers.c text/normal/normalizer.c text/split/pre_tokenizer_read.c text/post/post_read.c "
    "text/decode/decoder.c text/vocab/added.c",
    "patterns": "text/split/pattern.c text/split/translate.c text/split/regex_*.c",
    "hub: names, answers, refs": "hub/name.c hub/reply.c hub/snapshot.c",
    "generation_config.json": "decode/options/file.c decode/options/values.c decode/options/lists.c "
    "decode/options/biases.c base/json.c",
}


def tool(name):
    """llvm-cov, or llvm-cov-14 as Debian calls it."""
    for word in (name, name + "-14"):
        if subprocess.run(["which", word], capture_output=True).returncode == 0:
            return word
    sys.exit(f"{name} is missing: apt-get install llvm")


def counts(build, programs):
    """source -> clang's account of it."""
    profile = build / "coverage.profdata"
    raw = [str(p) for p in (build / "profiles").glob("*.profraw")]
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", str(profile), *raw], check=True)
    objects = [word for p in programs for word in ("-object", str(build / p))][1:]
    command = [tool("llvm-cov"), "export", "-instr-profile", str(profile), *objects, str(ROOT / "src")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {pathlib.Path(f["filename"]): f for f in json.loads(text)["data"][0]["files"]}


def lines_without(account):
    """line -> which way was never gone: "true", "false"."""
    found = {}
    branches = list(account["branches"])
    for expansion in account.get("expansions", []):
        line = expansion["source_region"][0]
        branches += [[line, *branch[1:]] for branch in expansion.get("branches", [])]
    for line, _, _, _, taken, not_taken, *_ in branches:
        for way, n in (("true", taken), ("false", not_taken)):
            if n == 0:
                found.setdefault(line, []).append(way)
    return found


def main():
    end = sys.argv.index("--")
    accounts = counts(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:end])
    below = 0
    print("| parser, source | branches | taken | % |\n|---|--:|--:|--:|")
    for parser, patterns in PARSERS.items():
        rows = []
        for path in sorted(p for pattern in patterns.split() for p in (ROOT / "src").glob(pattern)):
            b = accounts[path]["summary"]["branches"] if path in accounts else {"count": 0, "covered": 0}
            rows.append((f"  src/{path.relative_to(ROOT / 'src')}", b["count"], b["covered"]))
        total, taken = sum(r[1] for r in rows), sum(r[2] for r in rows)
        below += 100 * taken < LEAST * total
        for name, n, k in [(f"**{parser}**", total, taken), *rows]:
            print(f"| {name} | {n} | {k} | {100 * k / n if n else 100:.1f} |")
    for word in sys.argv[end + 1 :]:
        path = (ROOT / word).resolve()
        text = path.read_text(encoding="utf-8").splitlines()
        print(f"\n{word}: never taken")
        for line, ways in sorted(lines_without(accounts.get(path, {"branches": []})).items()):
            print(f"{line:5} {','.join(ways):12} {text[line - 1].strip()}")
    if below:
        sys.exit(f"{below} parsers are below {LEAST} %")


main()
