"""Writes nextoken/_declarations.py: what the C headers declare, as cffi reads it without a compiler.

Run by the build:  declarations.py --cc gcc --include INCLUDE_FOLDER --out nextoken/_declarations.py

The module holds cffi's `ffi` (its "ABI mode": pure Python, the same for every version of Python) and
two dicts: DEFAULTS, every *_INIT macro as {"nt_view_options": {"index": -1, ...}, ...}, and
CONSTANTS, the numbers that the headers #define.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

SYSTEM_HEADERS = ("stdbool.h", "stddef.h", "stdint.h")  # cffi knows what they declare


def preprocess(cc, include, *flags):
    """The public headers behind the preprocessor, without anything of the system's."""
    with tempfile.TemporaryDirectory() as empty:
        for name in SYSTEM_HEADERS:
            open(os.path.join(empty, name), "w").close()
        command = [*cc, "-E", "-x", "c", "-std=c17", "-nostdinc", "-U__GNUC__", "-I" + empty, *flags,
                   os.path.join(include, "nextoken.h")]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def number(text, macros):
    """The value of a macro that stands for a number; None where it stands for something else."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if text in macros:
        return number(macros[text], macros)
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def read_macros(text):
    """The names that -dM lists, without those that take arguments."""
    macros = {}
    for line in text.splitlines():
        found = re.match(r"#define (NT_\w+) (.+)$", line)
        if found:
            macros[found.group(1)] = found.group(2)
    return macros


def read_defaults(macros):
    """Every NT_..._INIT as {name of the struct: {field: value}}."""
    defaults = {}
    for name, body in macros.items():
        if not name.endswith("_INIT"):
            continue
        struct = re.search(r"\.size = sizeof\((\w+)\)", body).group(1)
        fields = {}
        for field, value in re.findall(r"\.(\w+) = ([^,}]+)", body):
            if field == "size":
                continue
            fields[field] = number(value, macros)
            if fields[field] is None:
                sys.exit(f"declarations.py: {name}: {field} = {value.strip()} is not a number")
        defaults[struct] = fields
    return defaults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cc", required=True, nargs="+", help="the C compiler, for its preprocessor")
    parser.add_argument("--include", required=True, help="the folder with nextoken.h")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()

    try:
        import cffi
    except ImportError:
        sys.exit("declarations.py: Python's package cffi is missing: "
                 "install it with scripts/setup (Debian's python3-cffi) or pip")

    macros = read_macros(preprocess(arguments.cc, arguments.include, "-dM"))
    constants = {name: number(body, macros) for name, body in sorted(macros.items())}

    ffi = cffi.FFI()
    ffi.cdef(preprocess(arguments.cc, arguments.include, "-P"))
    ffi.set_source("nextoken._declarations", None)
    folder = os.path.dirname(os.path.abspath(arguments.out))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        path = os.path.join(temporary, "_declarations.py")
        ffi.emit_python_code(path)
        with open(path, "a") as file:
            file.write(f"\nDEFAULTS = {read_defaults(macros)!r}\n")
            file.write(f"\nCONSTANTS = { {k: v for k, v in constants.items() if v is not None} !r}\n")
        os.replace(path, arguments.out)


if __name__ == "__main__":
    main()
