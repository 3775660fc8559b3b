#!/usr/bin/env python3
"""Writes the inputs of a file of cases as a corpus for a fuzz program.
seeds.py CASES.json FOLDER"""
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
number = 0
for group in json.loads(pathlib.Path(sys.argv[1]).read_text()).values():
    for case in group if isinstance(group, list) else []:
        data = bytes.fromhex(case["hex"]) if "hex" in case else case.get("text", "").encode()
        (folder / f"seed{number:03}").write_bytes(data)
        number += 1
print(number, "seeds in", folder)
