"""The peer's side of the benchmark: one process that holds one engine, run by the Python of the peer's environment.

    worker.py convert ENGINE CHECKPOINT FOLDER VARIANT     writes what the engine reads
    worker.py serve ENGINE MODEL VARIANT THREADS           JSON requests in, a line of JSON out for each
    worker.py once ENGINE MODEL VARIANT THREADS REQUEST    one request from a cold process

A request is {"do": "generate", "prompts": [[ids]], "new": n, "beams": b} -> {"ids": [[new ids]], "seconds": s}, or
{"do": "score", "texts": [[ids]]} -> {"sums": [log-probability of ids[1:]], "seconds": s}. Seconds are of the engine's
call alone; what engines print goes to stderr."""

import importlib
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def answer(engine, request):
    start = time.perf_counter()
    if request["do"] == "generate":
        found = {"ids": engine.generate(request["prompts"], request["new"], request.get("beams", 1))}
    else:
        found = {"sums": engine.score(request["texts"])}
    return {"seconds": time.perf_counter() - start, **found}


def reply(out, engine, request):
    try:
        line = answer(engine, request)
    except Exception as error:  # the driver records it and goes on with the others
        line = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}
    out.write(json.dumps(line) + "\n")
    out.flush()


def main(what, name, model, *rest):
    sys.path[0] = str(HERE)  # engines.openvino must not hide openvino
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = importlib.import_module(f"engines.{name}")
    if what == "convert":
        module.convert(pathlib.Path(model), pathlib.Path(rest[0]), rest[1])
        return
    engine = module.Engine(model, rest[0], int(rest[1]))
    if what == "once":
        reply(out, engine, json.loads(rest[2]))
        out.close()
        sys.stdout.flush()  # what the engine printed
        os._exit(0)  # taking an engine down is no part of its first token
    out.write(json.dumps({"ready": True}) + "\n")
    out.flush()
    for line in sys.stdin:
        reply(out, engine, json.loads(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
