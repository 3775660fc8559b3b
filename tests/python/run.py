"""run.py TEST: runs one module of tests, under the sanitizers' library where NT_PRELOAD names it."""

import os
import sys

environment = dict(os.environ)
if "NT_PRELOAD" in environment:
    environment["LD_PRELOAD"] = environment["NT_PRELOAD"]
os.chdir(os.path.dirname(os.path.abspath(__file__)))
os.execve(sys.executable, [sys.executable, "-m", "unittest", "-v", sys.argv[1]], environment)
