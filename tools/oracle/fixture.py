"""What the fixtures of src/text are written with: numbers as LEB128 varints, hashes, packed files (tests/text/support.h
reads them), and the alphabet of byte-level BPE."""

import gzip
import os

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DATA = os.path.join(ROOT, "tests", "text", "data")
GPT2 = os.path.join(ROOT, "models", "gpt2")
MASK = (1 << 64) - 1


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def fnv(numbers, h=0xCBF29CE484222325):
    """FNV-1a over whole numbers (not bytes)."""
    for n in numbers:
        h = ((h ^ n) * 0x100000001B3) & MASK
    return h


def fold(h):
    return (h ^ h >> 32) & 0xFFFFFFFF


def write_gz(name, data):
    with open(os.path.join(DATA, name), "wb") as out:
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as f:
            f.write(data)


def string(text):
    raw = text.encode()
    return varint(len(raw)) + raw


def byte_chars():
    shown = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xFF and b != 0xAD]
    rest = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(0x100 + i) for i in range(len(rest))]
