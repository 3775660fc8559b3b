"""llama.cpp, through the C functions that llama-cpp-python binds."""

import math

import install

NAME = "llama.cpp"
ENVIRONMENT = "llama"
CONVERTER = None  # `nextoken convert` writes the files
JOBS = ("generate", "score", "batch")  # llama.cpp has no beam search any more
FLAGS = {}
VARIANTS = {"f32": ("float32 (GELU from a float16 table)", "F32", "f32.gguf"), "f16": ("float16 weights", "F16", "f16.gguf"),
            "q8_0": ("int8 products", "Q8_0", "q8_0.gguf")}
SETTINGS = ("built for this processor (GGML_NATIVE, LLAMAFILE, OpenMP), mapped file, batches of 512, flash attention, "
            "keys and values float32 for f32 and float16 else; scoring one text at a time, its rows reduced by NumPy in "
            "as many threads")
ROWS = 512
SLICE = 16  # rows of logits that a thread reduces at a time: they stay in its cache


def once(tools, model, variant, threads, request):
    """A cold process without Python: a small C program over the same library."""
    program = install.environments() / ENVIRONMENT / "llama_first"
    return [program, model, threads, int(variant == "f32"), request["new"], *request["prompts"][0]]


class Engine:
    def __init__(self, model, variant, threads):
        import llama_cpp
        import numpy

        self.c, self.np, self.variant, self.threads = llama_cpp, numpy, variant, threads
        self.quiet = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.quiet, None)
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(str(model).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot read {model}")
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.context, self.room = None, None

    def open(self, n_sequences, length):
        """A context with room for that many sequences of that length."""
        room = (n_sequences, -(-length // 64) * 64)
        if self.room != room:
            if self.context:
                self.c.llama_free(self.context)
            params = self.c.llama_context_default_params()
            params.n_ctx, params.n_batch, params.n_ubatch = room[0] * room[1], ROWS, ROWS
            params.n_seq_max, params.n_threads, params.n_threads_batch = n_sequences, self.threads, self.threads
            params.flash_attn_type = self.c.LLAMA_FLASH_ATTN_TYPE_ENABLED
            params.type_k = params.type_v = self.c.GGML_TYPE_F32 if self.variant == "f32" else self.c.GGML_TYPE_F16
            params.no_perf = True
            self.context, self.room = self.c.llama_init_from_model(self.model, params), room
            self.batch = self.c.llama_batch_init(ROWS, 0, 1)
        self.c.llama_memory_clear(self.c.llama_get_memory(self.context), False)

    def decode(self, rows):
        """rows: (id, position, sequence, whether its logits are wanted), as many as a batch takes."""
        batch = self.batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence, wanted) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, 1, wanted
            batch.seq_id[i][0] = sequence
        if self.c.llama_decode(self.context, batch) != 0:
            raise RuntimeError("llama_decode failed")

    def best(self, i):
        """The likeliest id behind row i of the batch."""
        logits = self.c.llama_get_logits_ith(self.context, i)
        return int(self.np.ctypeslib.as_array(logits, (self.n_vocab,)).argmax())

    def generate(self, prompts, new, beams):
        n, length = len(prompts), len(prompts[0])
        self.open(n, length + new)
        rows = [(token, at, s, at == length - 1) for s, ids in enumerate(prompts) for at, token in enumerate(ids)]
        found, last = [[] for _ in prompts], {}
        for begin in range(0, len(rows), ROWS):
            part = rows[begin:begin + ROWS]
            self.decode(part)
            last |= {row[2]: self.best(i) for i, row in enumerate(part) if row[3]}
        for step in range(new):
            for s in range(n):
                found[s].append(last[s])
            if step + 1 < new:
                self.decode([(last[s], length + step, s, True) for s in range(n)])
                last = {s: self.best(s) for s in range(n)}
        return found

    def score(self, texts):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.threads) as pool:
            return [self.sum(ids, pool) for ids in texts]

    def sum(self, ids, pool):
        np = self.np
        self.open(1, len(ids))
        total = 0.0
        for begin in range(0, len(ids) - 1, ROWS):
            part = range(begin, min(begin + ROWS, len(ids) - 1))
            self.decode([(ids[at], at, 0, True) for at in part])
            logits = np.ctypeslib.as_array(self.c.llama_get_logits(self.context), (len(part), self.n_vocab))
            labels = np.array([ids[at + 1] for at in part])

            def reduce(i):
                rows = logits[i:i + SLICE]
                top = rows.max(1)
                sums = np.exp(rows - top[:, None]).sum(1, dtype=np.float64)
                chosen = rows[np.arange(len(rows)), labels[i:i + SLICE]]
                return float((chosen - top - np.log(sums)).sum(dtype=np.float64))

            total += math.fsum(pool.map(reduce, range(0, len(part), SLICE)))
        return total
