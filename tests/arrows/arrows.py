"""Reads the #include lines of the sources and fails on an arrow that points the wrong way."""

import pathlib
import re
import sys

# Which parts each part may include, beside itself and the public header.
MAY = {
    "base": set(),
    "builtin": {"base"},
    "format": {"base"},
    "text": {"base"},
    "compute": {"base"},
    "trace": {"base"},
    "hub": {"base", "format"},
    "model": {"base", "format", "compute"},
    "decode": {"base", "trace"},
    "score": {"base", "trace"},
    "view": {"base", "trace"},
}
PUBLIC = "nextoken.h"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def wrong_arrows(root):
    """Yields (file, line number, included, reason) for every include that is not allowed."""
    for path in sorted(root.glob("src/*/**/*.[ch]")):
        part = path.relative_to(root / "src").parts[0]
        for number, name in includes(path):
            target = name.split("/")[0] if "/" in name else None
            if name == PUBLIC:
                continue
            if target is None:
                yield path, number, name, "includes within src/ are written from src/"
            elif target != part and target not in MAY.get(part, set()):
                yield path, number, name, f"{part} may not know {target}"
    for folder in ("cli", "server"):
        for path in sorted(root.glob(f"{folder}/**/*.[ch]")):
            for number, name in includes(path):
                if name != PUBLIC and not (path.parent / name).exists():
                    yield path, number, name, f"{folder} sees the library through {PUBLIC} alone"


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1)


def main():
    root = pathlib.Path(sys.argv[1])
    unknown = {p.name for p in (root / "src").iterdir() if p.is_dir()} - set(MAY)
    wrong = list(wrong_arrows(root))
    for path, number, name, reason in wrong:
        print(f'{path.relative_to(root)}:{number}: #include "{name}": {reason}')
    for name in sorted(unknown):
        print(f"src/{name} is a part that tests/arrows/arrows.py does not know")
    count = sum(1 for _ in root.glob("src/**/*.[ch]"))
    print(f"{count} files, {len(wrong)} wrong arrows")
    return 1 if wrong or unknown or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
