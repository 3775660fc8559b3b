"""nextoken itself: the program in a process that stays (--jsonl), and the library for what the program does not do,
several prompts at once. A variant is a value of --precision, and behind an @ the storage where it is not F32."""

import json
import os
import subprocess

NAME = "nextoken"
ENVIRONMENT = "nextoken"
CONVERTER = None  # `nextoken convert`
JOBS = ("generate", "score", "beams", "batch")
FLAGS = {}
SETTINGS = "one process; scoring by the sums alone (--by text); several prompts through nt_forward_many"
FILES = {"F32": "", "BF16": "nextoken-bf16", "Q8_0": "q8_0.gguf"}
NARROW = ("f32@BF16", "f32@Q8_0")  # float32 arithmetic over narrower files: for the jobs that memory bounds
NARROW_JOBS = ("greedy", "memory")


def variants(precisions):
    """{variant: (precision, storage, file)} of what this version has; 16-bit arithmetic over 16-bit weights."""
    names = [p + ("@BF16" if p == "bf16" else "") for p in precisions] + list(NARROW)
    found = {}
    for name in names:
        precision, _, storage = name.partition("@")
        found[name] = ({"f32": "float32", "bf16": "bfloat16"}.get(precision, precision), storage or "F32",
                       FILES[storage or "F32"])
    return found


def once(tools, model, variant, threads, request):
    """A cold process: the table of the next token, or a generation."""
    ids = ",".join(map(str, request["prompts"][0]))
    words = [tools.program, "next" if request["new"] == 1 else "generate", "-m", model, "--ids", ids, "--threads",
             threads, "--precision", variant.partition("@")[0], "--quiet"]
    return words if request["new"] == 1 else [*words, "--max-new-tokens", request["new"], "--eos-token-id", "none"]


class Engine:
    def __init__(self, model, variant, threads):
        self.model, self.variant, self.threads, self.session = model, variant.partition("@")[0], threads, None
        self.processes = {}

    def ask(self, command, options, requests):
        """One request a line to a program that stays; its results."""
        if command not in self.processes:
            words = [os.environ["NEXTOKEN"], command, "-m", self.model, "--threads", str(self.threads), "--precision",
                     self.variant, *options, "--jsonl", "-", "--quiet"]
            self.processes[command] = subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process, found = self.processes[command], []
        for request in requests:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            found.append(json.loads(process.stdout.readline()))
            if "error" in found[-1]:
                raise RuntimeError(found[-1]["error"])
        return found

    def generate(self, prompts, new, beams):
        if len(prompts) > 1:
            return self.batch(prompts, new)
        request = {"ids": prompts[0], "max_new_tokens": new, "num_beams": beams, "do_sample": False, "eos_token_id": []}
        return [self.ask("generate", (), [request])[0]["sequences"][0]["ids"]]

    def score(self, texts):
        return [r["logprob"] for r in self.ask("score", ("--by", "text"), [{"ids": ids} for ids in texts])]

    def open(self):
        from nextoken.library import check, ffi, lib, new

        self.lib, self.ffi, self.check = lib, ffi, check
        out = ffi.new("nt_model **")
        precision = getattr(lib, "NT_PRECISION_" + self.variant.upper().replace("-", "_"))
        check(lib.nt_model_open(out, self.model.encode(), new("nt_model_options", precision=precision)))
        self.session = ffi.new("nt_session **")
        check(lib.nt_session_new(self.session, out[0], new("nt_session_options", threads=self.threads)))
        info = new("nt_model_info")
        check(lib.nt_model_get_info(info, out[0]))
        self.n_vocab = info.n_vocab

    def batch(self, prompts, new):
        import numpy as np

        if self.session is None:
            self.open()
        ffi, n = self.ffi, len(prompts)
        sequences = ffi.new("int32_t[]", n)
        for i in range(n):
            self.check(self.lib.nt_sequence_new(sequences + i, self.session[0]))
        logits = np.empty((n, self.n_vocab), np.float32)
        rows = [ffi.cast("float *", logits[i].ctypes.data) for i in range(n)]
        found, ids = [[] for _ in prompts], [list(p) for p in prompts]
        for _ in range(new):
            kept = [ffi.new("int32_t[]", row) for row in ids]
            items = ffi.new("nt_forward_item[]", [
                {"size": ffi.sizeof("nt_forward_item"), "sequence": sequences[i], "want": self.lib.NT_WANT_LAST,
                 "ids": kept[i], "n_ids": len(ids[i]), "logits": rows[i]} for i in range(n)])
            self.check(self.lib.nt_forward_many(self.session[0], items, n, ffi.NULL))
            ids = [[int(i)] for i in logits.argmax(1)]
            for row, one in zip(found, ids):
                row += one
        for i in range(n):
            self.lib.nt_sequence_drop(self.session[0], sequences[i])
        return found
