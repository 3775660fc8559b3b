"""link.py FROM TO: makes the folder TO a mirror of FROM, in links to its files.

So that what is changed in FROM is changed in TO at once; links to files that are gone are removed.
"""

import os
import sys


def mirror(source, target):
    os.makedirs(target, exist_ok=True)
    names = set()
    for entry in os.scandir(source):
        if entry.name == "__pycache__":
            continue
        names.add(entry.name)
        place = os.path.join(target, entry.name)
        if entry.is_dir():
            mirror(entry.path, place)
        elif not (os.path.islink(place) and os.readlink(place) == entry.path):
            if os.path.lexists(place):
                os.remove(place)
            os.symlink(entry.path, place)
    for entry in os.scandir(target):
        if entry.is_symlink() and entry.name not in names and \
                os.readlink(entry.path).startswith(os.path.join(source, "")):
            os.remove(entry.path)


if __name__ == "__main__":
    mirror(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
