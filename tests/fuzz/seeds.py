#!/usr/bin/env python3
"""Writes the inputs of files of cases as a corpus for a fuzz program; of pipelines.gz its tokenizer.json
files with a text each, as fuzz_tokenizer.c takes them; of torch_cases.gz its files and the pickles in them, as
fuzz_torch.c takes them; of cases with options these, as fuzz_options.c takes them. The other way round, --pack
makes one file of what a fuzz program has found.
seeds.py FOLDER CASES.json|TORCH_CASES.gz|PIPELINES.gz|corpora/NAME.gz...
seeds.py --pack FOLDER corpora/NAME.gz [BYTES]    the smallest first, while they have BYTES (20000) in all"""
import base64
import gzip
import io
import json
import pathlib
import sys
import zipfile


def options(options):
    """As a file, and as names and values."""
    yield json.dumps(options).encode()
    values = [v if isinstance(v, str) else json.dumps(v) for v in options.values()]
    yield "\0".join(word for pair in zip(options, values) for word in pair).encode()


def cases(data):
    for group in json.loads(data).values():
        for case in group if isinstance(group, list) else []:
            if "options" in case:
                yield from options(case["options"])
                continue
            if "base64" in case:
                yield base64.b64decode(case["base64"])
            else:
                yield bytes.fromhex(case["hex"]) if "hex" in case else case.get("text", "").encode()


def torch_files(data):
    """Whole files of both forms, and the pickles of zip files alone."""
    for file in cases(data):
        if len(file) < 8192:
            yield b"\0" + file
        try:
            members = zipfile.ZipFile(io.BytesIO(file))
            yield from (b"\1" + members.read(m)[:8000] for m in members.namelist() if m.endswith("data.pkl"))
        except Exception:  # a broken one
            pass


# ---- Tokenizers ------------------------------------------------------------------------------


def number(data):
    """As tools/oracle/fixture.py writes it."""
    value = shift = 0
    while True:
        byte = data.pop()
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value


def take(data, n):
    return bytes(data.pop() for _ in range(n))


def small(model):
    """A model of the same kind with little in it: mutations are for its form."""
    if model["type"] == "WordLevel":
        return {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "a": 1, "▁a": 2, "the": 3, "1": 4}}
    first = ["<unk>", "<s>", "</s>"] + (["<0x41>", "<0xE2>", "<0xC3>", "<0xA9>"] if model.get("byte_fallback") else [])
    if model["type"] == "Unigram":
        pieces = first + ["▁", "a", "▁a", "ab", "b", "é"]
        return model | {"vocab": [[p, -0.5 * i] for i, p in enumerate(pieces)]}
    prefix, suffix = model["continuing_subword_prefix"] or "", model["end_of_word_suffix"] or ""
    names = first + ["a", "▁", "Ġ", "Ã", "©", "1", "b" + suffix, prefix + "b", prefix + "b" + suffix]
    names += ["▁a", "Ġa", "a" + "b" + suffix, "ab"]
    merges = [["a", prefix + "b"], ["a", prefix + "b" + suffix]] + ([] if prefix else [["▁", "a"], ["Ġ", "a"]])
    if not model["unk_token"] and not model["byte_fallback"] and not prefix and not suffix:
        names += [c for c in model["vocab"] if len(c) == 1]  # the bytes
    return model | {"vocab": {n: i for i, n in enumerate(dict.fromkeys(names))}, "merges": merges}


def near(section):
    """Ids of the small model in place of those that it lacks."""
    if isinstance(section, dict):
        return {key: near(value) for key, value in section.items()}
    if isinstance(section, list):
        return [near(value) for value in section]
    return section % 8 if type(section) is int else section


CONFIGS = [
    {},
    {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>", "add_bos_token": True},
    {"tokenizer_class": "LlamaTokenizer", "legacy": False, "pad_token": {"content": "a", "lstrip": True}},
    {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {"9": {"content": "<x>", "special": True}}},
]


def pipelines(data):
    data = bytearray(reversed(data))
    models = [json.loads(take(data, number(data))) for _ in range(number(data))]
    for i in range(number(data)):
        take(data, number(data))
        model = small(models[number(data)])
        sections = json.loads(take(data, number(data)))
        sections |= {"model": model, "post_processor": near(sections["post_processor"])}
        file = json.dumps(sections, ensure_ascii=False, separators=(",", ":"))
        texts = []
        for _ in range(number(data)):
            texts += [take(data, max(number(data) - 1, 0)), take(data, max(number(data) - 1, 0))]
            take(data, 4)
        config = CONFIGS[i % 4] and json.dumps(CONFIGS[i % 4])
        text = texts[i % 8 * 2][:80]
        yield b"\0".join([file.encode(), config.encode() if config else b"", bytes([i * 37 % 128]) + text])


def read(source):
    data = source.read_bytes()
    data = gzip.decompress(data) if source.suffix == ".gz" else data
    if source.parent.name == "corpora":
        return cases(data)
    return torch_files(data) if source.name == "torch_cases.gz" else pipelines(data) if source.suffix == ".gz" else cases(data)


def pack(folder, target, most):
    taken, n = [], 0
    for path in sorted(folder.iterdir(), key=lambda p: (p.stat().st_size, p.name)):
        n += path.stat().st_size
        if n > most:
            break
        taken.append({"base64": base64.b64encode(path.read_bytes()).decode()})
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(json.dumps({"found": taken}).encode(), mtime=0))
    print(len(taken), "inputs in", target)


def main():
    if sys.argv[1] == "--pack":
        pack(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 20000)
        return
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    n = 0
    for source in sys.argv[2:]:
        for seed in read(pathlib.Path(source)):
            (folder / f"seed{n:04}").write_bytes(seed)
            n += 1
    print(n, "seeds in", folder)


main()
