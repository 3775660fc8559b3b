"""run.py TEST.py: runs one file of tests, under the sanitizers' library where NT_PRELOAD names it."""

import os
import sys

environment = dict(os.environ, PYTHONDEVMODE=os.environ.get("PYTHONDEVMODE", ""))
if "NT_PRELOAD" in environment:
    environment["LD_PRELOAD"] = environment["NT_PRELOAD"]
os.execve(sys.executable, [sys.executable, "-W", "error::ResourceWarning", "-m", "unittest", "-v", sys.argv[1]], environment)
