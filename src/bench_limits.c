/* What a bench holds jobs against: how fast weights can be read, how fast a processor multiplies,
 * and how much of both the arithmetic of a network needs. */
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench.h"

enum {
    MOST_READ = 512 << 20, /* bytes of memory of our own: far more than any cache has */
    MOST_THREADS = 1024    /* of a session */
};

/* ---- What the arithmetic must do ------------------------------------------------------------- */

enum { MATRICES = 8 }; /* in a block, at most */

static size_t matrices_of(const nt_matrix *out[MATRICES], const nt_block *block) {
    const nt_matrix *const all[] = {&block->attn_qkv, &block->attn_q,   &block->attn_k,
                                    &block->attn_v,   &block->attn_out, &block->mlp_gate,
                                    &block->mlp_in,   &block->mlp_out};
    size_t n = 0;
    for (size_t i = 0; i < MATRICES; i++)
        if (all[i]->data) out[n++] = all[i];
    return n;
}

static double bytes_of(const nt_matrix *m) {
    return (double)nt_dtype_bytes(m->dtype, m->K * m->N);
}

double nt_bench_step_bytes(const nt_network *network, double by_type[NT_N_DTYPES]) {
    const nt_matrix *m[MATRICES];
    double bytes = bytes_of(&network->head);
    by_type[network->head.dtype] += bytes;
    for (int32_t l = 0; l < network->config.L; l++) {
        for (size_t i = matrices_of(m, &network->blocks[l]); i-- > 0;) {
            bytes += bytes_of(m[i]);
            by_type[m[i]->dtype] += bytes_of(m[i]);
        }
    }
    return bytes;
}

double nt_bench_bytes(const nt_network *network) {
    double by_type[NT_N_DTYPES] = {0};
    return nt_bench_step_bytes(network, by_type);
}

double nt_bench_flops(const nt_network *network, size_t from, size_t n, size_t wanted) {
    const nt_config *c = &network->config;
    const nt_matrix *m[MATRICES];
    double products = 0, looks = 0;
    for (int32_t l = 0; l < c->L; l++)
        for (size_t i = matrices_of(m, &network->blocks[l]); i-- > 0;)
            products += (double)(m[i]->K * m[i]->N);
    for (size_t t = from; t < from + n; t++)
        looks += (double)(t + 1);
    return 2 * products * (double)n +
           2 * (double)(network->head.K * network->head.N) * (double)wanted +
           4 * looks * (double)(c->H * c->E) * (double)c->L;
}

/* ---- Limits ---------------------------------------------------------------------------------- */

typedef struct reading {
    nt_bench_state *b;
    const nt_bench_work *work;
    uint64_t sums[MOST_THREADS];
} reading;

/* A thread's part of bytes [n]. */
static uint64_t read_range(const reading *r, const void *bytes, size_t n, int thread,
                           int n_threads) {
    size_t begin, end;
    nt_partition(&begin, &end, n, 4096, thread, n_threads);
    if (begin >= end) return 0;
    return r->b->limits.read((const char *)bytes + begin, end - begin, r->work->streams);
}

static void read_part(void *payload, int thread, int n_threads) {
    reading *r = payload;
    const nt_network *network = r->b->network;
    const nt_matrix *m[MATRICES];
    uint64_t sum = 0;
    if (r->work->bytes) sum ^= read_range(r, r->work->bytes, r->work->n_bytes, thread, n_threads);
    for (int32_t l = 0; !r->work->bytes && l < network->config.L; l++)
        for (size_t i = matrices_of(m, &network->blocks[l]); i-- > 0;)
            sum ^= read_range(r, m[i]->data, (size_t)bytes_of(m[i]), thread, n_threads);
    if (!r->work->bytes)
        sum ^=
            read_range(r, network->head.data, (size_t)bytes_of(&network->head), thread, n_threads);
    r->sums[thread] = sum;
}

static void on_threads(nt_bench_state *b, const nt_bench_work *work, nt_task task, void *payload) {
    if (work->line.threads > 1)
        nt_pool_run(nt_runner_pool(b->session->runner), task, payload);
    else
        task(payload, 0, 1);
}

/* Seconds of the fastest of so many passes, and of as many as a moment holds. */
static double best_read(nt_bench_state *b, const nt_bench_work *work, int passes, double moment) {
    double best = INFINITY, started = nt_clock();
    reading r = {.b = b, .work = work};
    for (int i = 0; i < passes || nt_clock() - started < moment; i++) {
        double t = nt_clock();
        on_threads(b, work, read_part, &r);
        t = nt_clock() - t;
        b->sink ^= r.sums[0];
        if (t < best) best = t;
    }
    return best;
}

static int run_read(nt_bench_state *b, nt_bench_work *work, double *value) {
    *value = work->line.n_bytes / best_read(b, work, 2, 0.03) * 1e-9;
    return NT_OK;
}

typedef struct multiplying {
    const nt_bench_work *work;
    double flops[MOST_THREADS];
} multiplying;

static void multiply_part(void *payload, int thread, int n_threads) {
    multiplying *m = payload;
    (void)n_threads;
    m->flops[thread] = m->work->loop(m->work->turns);
}

static int run_multiply(nt_bench_state *b, nt_bench_work *work, double *value) {
    multiplying m = {.work = work};
    double best = INFINITY, started = nt_clock();
    for (int i = 0; i < 3 || nt_clock() - started < 0.02; i++) {
        double t = nt_clock();
        on_threads(b, work, multiply_part, &m);
        t = nt_clock() - t;
        if (t < best) best = t;
    }
    *value = m.flops[0] * work->line.threads / best * 1e-9;
    return NT_OK;
}

/* ---- The list ----------------------------------------------------------------------------- */

static int add_read(nt_bench_state *b, const char *name, const void *bytes, size_t n, int threads) {
    nt_bench_work *work = nt_bench_add(b, NT_BENCH_LIMITS, name, NT_UNIT_GIGABYTES, run_read);
    double best = INFINITY;
    size_t fastest = 0;
    work->bytes = bytes;
    work->n_bytes = n;
    work->line.threads = threads;
    work->line.n_bytes = bytes ? (double)n : nt_bench_bytes(b->network);
    for (size_t i = 0; i < NT_LIMIT_STREAMS; i++) {
        work->streams = nt_limit_streams[i];
        double t = best_read(b, work, 2, 0);
        if (t < best) {
            best = t;
            fastest = i;
        }
    }
    work->streams = nt_limit_streams[fastest];
    return (int)(work - b->works);
}

static int add_multiply(nt_bench_state *b, const char *name, double (*loop)(size_t), int threads) {
    nt_bench_work *work = nt_bench_add(b, NT_BENCH_LIMITS, name, NT_UNIT_GIGAFLOPS, run_multiply);
    work->loop = loop;
    work->line.threads = threads;
    for (work->turns = 1024; work->turns < (size_t)1 << 26; work->turns *= 2) {
        double t = nt_clock();
        loop(work->turns);
        if (nt_clock() - t > 0.002) break;
    }
    return (int)(work - b->works);
}

/* Memory of our own, as large as what a step reads, on pages of one kind; NULL: there is no room.
 */
static void *own_memory(size_t n, bool huge) {
    char *memory = huge ? nt_alloc_large(n, 1) : nt_alloc_aligned(n, 1);
    uintptr_t first = ((uintptr_t)memory + 4095) / 4096 * 4096;
    if (!memory) return NULL;
    if (!huge && n > 8192) /* a refusal leaves them as the system has them */
        (void)madvise((void *)first, (n - 4096) / 4096 * 4096, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < n; i++)
        memory[i] = (char)(i >> 6);
    return memory;
}

static void add_memory_limits(nt_bench_state *b) {
    double wanted = nt_bench_bytes(b->network), room = nt_bench_available() / 4;
    if (wanted > MOST_READ) wanted = MOST_READ;
    size_t n = (size_t)wanted / 64 * 64;
    if (n < 4096 || (room > 0 && 2 * wanted > room)) return;
    b->small = own_memory(n, false);
    if (b->small) add_read(b, "4 KiB pages", b->small, n, b->threads);
    b->huge = own_memory(n, true);
    if (b->huge && nt_bench_is_huge(b->huge, n)) add_read(b, "huge pages", b->huge, n, b->threads);
}

/* Tiles, where the processor has them; they bound the modes whose products run in them. */
static void plan_tiles(nt_bench_state *b) {
    nt_precision mode = b->network->precision;
    bool split = mode == NT_PRECISION_F32_AMX;
    bool used = strcmp(b->model->isa, "amx") == 0 && (split || mode == NT_PRECISION_BF16);
    double (*tiles)(size_t) = split ? b->limits.amx_f32 : b->limits.amx_bf16;
    if (!tiles || !(used || b->options.jobs & NT_BENCH_LIMITS)) return;
    for (int one = 0; one < 2 && (one == 0 || b->threads > 1); one++) {
        int at = add_multiply(b, split ? "AMX bf16 / 6" : "AMX bf16", tiles, one ? 1 : b->threads);
        if (used) b->multiplying[one] = at;
    }
}

void nt_bench_plan_limits(nt_bench_state *b) {
    static const char weights[] = "weights in place";
    static const char fma[] = "float32 multiply-add";
    bool all = b->options.jobs & NT_BENCH_LIMITS;
    b->reading[0] = b->reading[1] = add_read(b, weights, NULL, 0, b->threads);
    if (b->threads > 1) b->reading[1] = add_read(b, weights, NULL, 0, 1);
    if (all) add_memory_limits(b);
    b->multiplying[0] = b->multiplying[1] = add_multiply(b, fma, b->limits.multiply, b->threads);
    if (b->threads > 1) b->multiplying[1] = add_multiply(b, fma, b->limits.multiply, 1);
    plan_tiles(b);
    if (all && b->limits.amx_int8) add_multiply(b, "AMX int8", b->limits.amx_int8, b->threads);
}
