"""A Jupyter kernel that runs cells for one of three systems: transformers with torch, nextoken with torch, and
nextoken without. Modules that a system must do without cannot be imported in it."""

import json
import os
import pathlib
import time

import nbformat.v4
from jupyter_client.manager import start_new_kernel

import cells

LEFT_OUT = {"transformers": ["nextoken"],
            "nextoken": ["transformers", "tokenizers", "huggingface_hub"],
            "bare": ["transformers", "tokenizers", "huggingface_hub", "torch"]}
SETUP = """
import sys as _sys, warnings as _warnings
_warnings.filterwarnings("ignore")
for _name in {left_out}:
    _sys.modules[_name] = None
"""
BEGIN = """
try:
    import torch as _torch
    _torch.manual_seed({seed})
    del _torch
except ImportError:
    from nextoken.transformers import set_seed as _set_seed
    _set_seed({seed})
    del _set_seed
"""


class Kernel:
    def __init__(self, system, cache, package, folder):
        """cache: the folder of HF_HUB_CACHE. package: where nextoken lies. folder: to run in."""
        self.system = system
        env = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                            "TRANSFORMERS_VERBOSITY": "error", "MPLBACKEND": "agg", "CUDA_VISIBLE_DEVICES": "",
                            "PYTHONWARNINGS": "ignore", "COLUMNS": "100"}
        if system != "transformers":
            env["PYTHONPATH"] = str(package)
        self.manager, self.client = start_new_kernel(kernel_name="python3", env=env, cwd=str(folder),
                                                     extra_arguments=["--log-level=ERROR"])
        self.must(SETUP.format(left_out=LEFT_OUT[system]))
        if system == "transformers":
            self.must(pathlib.Path(__file__).with_name("older.py").read_text())
        self.probe = pathlib.Path(__file__).with_name("probe.py").read_text()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def execute(self, source, timeout=3600):
        """(outputs as a notebook has them, seconds)"""
        outputs = []

        def take(message):
            if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append(nbformat.v4.output_from_msg(message))

        start = time.perf_counter()
        self.client.execute_interactive(source, allow_stdin=False, stop_on_error=False, timeout=timeout,
                                        output_hook=take)
        return outputs, time.perf_counter() - start

    def must(self, source):
        outputs, _ = self.execute(source)
        for output in outputs:
            if output["output_type"] == "error":
                raise RuntimeError("\n".join(output["traceback"]))
        return "".join(o["text"] for o in outputs if o.get("name") == "stdout")

    def processor(self):
        """Seconds of CPU time that the kernel has used, of all its threads."""
        return float(self.must("print(__import__('time').process_time())"))

    def run(self, source_cells, seed=0):
        """What each cell showed, took (by the clock and of the processor) and left: [{"outputs", "seconds", "cpu",
        "values"}]. Begins with empty variables."""
        self.must("get_ipython().reset(new_session=True)")
        self.must(BEGIN.format(seed=seed))
        self.must(self.probe)
        done = []
        for cell in source_cells:
            change = cells.for_transformers if self.system == "transformers" else cells.for_nextoken
            before = self.processor()
            outputs, seconds = self.execute(change(cell["source"]))
            cpu = self.processor() - before
            values = json.loads(self.must("_probe(globals())").splitlines()[-1])
            done.append({"outputs": outputs, "seconds": seconds, "cpu": cpu, "values": values})
        return done
