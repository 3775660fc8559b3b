#!/usr/bin/env python3
"""Reads the .npz files that `format_npz --write` writes with Python's zipfile, and with numpy where
it is installed.   check_npz.py PATH_OF_FORMAT_NPZ"""
import ast
import math
import struct
import subprocess
import sys
import tempfile
import zipfile

SPECIAL = [0.0, -0.0, 1.5, -math.inf, 3.4e38, 1e-45]


def noise(n):
    number = 1
    for _ in range(n):
        number = (number * 1664525 + 1013904223) % 2**32
        yield (number >> 8) * 2.0**-24


EXPECTED = {
    "logits": ((2, 3), SPECIAL),
    "scalar": ((), [1.5]),
    "row": ((6,), SPECIAL),
    "four": ((1, 3, 2, 1), SPECIAL),
    "empty": ((0, 5), []),
    "zeros": ((3, 100, 1000), [0.0] * 300000),
    "noise": ((100000,), list(noise(100000))),
    "\u00e4": ((3,), SPECIAL[:3]),
}


def check(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [name + ".npy" for name in EXPECTED], archive.namelist()
        for name, (shape, values) in EXPECTED.items():
            data = archive.read(name + ".npy")
            assert data[:8] == b"\x93NUMPY\x01\x00", name
            start = 10 + struct.unpack("<H", data[8:10])[0]
            header = ast.literal_eval(data[10:start].decode("latin1"))
            assert header == {"descr": "<f4", "fortran_order": False, "shape": shape}, (name, header)
            assert data[start:] == struct.pack(f"<{len(values)}f", *values), name
    try:
        import numpy
    except ImportError:
        return "zipfile"
    with numpy.load(path) as arrays:
        for name, (shape, values) in EXPECTED.items():
            wanted = numpy.array(values, dtype="<f4").reshape(shape)
            assert arrays[name].dtype == wanted.dtype and arrays[name].shape == shape, name
            assert arrays[name].tobytes() == wanted.tobytes(), name
    return "zipfile and numpy " + numpy.__version__


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "--write", folder], check=True)
    for file in ("plain.npz", "zip64.npz"):
        print(file, "read by", check(folder + "/" + file))
