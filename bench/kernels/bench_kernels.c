/* Kernel speed as a share of what the machine can do: one-row matmul in GB/s of weights against a
 * plain read of the same memory, many-row matmul in GFLOP/s against fused multiply-adds alone.
 *   bench_kernels [--threads N] [--quick] [--isa SET[,SET..]]
 * Several instruction sets take their calls of a product by turns, so that what else runs on the
 * machine slows them alike; the last column is the median of the first set's time over a set's own,
 * turn by turn. Weights cycle through WEIGHT_BYTES of memory, so that one-row figures are not cache
 * figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#    include <immintrin.h>
#endif

#include "base/math.h"
#include "base/memory.h"
#include "base/threads.h"
#include "compute/device.h"

enum { WEIGHT_BYTES = 512 << 20, MOST_ROWS = 512, MOST_SETS = 4, MOST_TURNS = 4096 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct bench {
    nt_device *sets[MOST_SETS]; /* the instruction sets that are compared */
    size_t n_sets;
    nt_device *device; /* the one that runs */
    nt_pool *pool;
    float *weights, *x, *y, *bias;
    double seconds;         /* to spend on one figure */
    double read_rate, peak; /* GB/s, GFLOP/s */
    size_t read_at;
    volatile double sink;
} bench;

/* ---- Limits ---------------------------------------------------------------------------------- */

enum { READ_BYTES = 16 << 20 }; /* at a time: about what one matmul reads */

static void read_part(void *payload, int thread, int n_threads) {
    bench *b = payload;
    size_t begin, end, n = READ_BYTES / 64;
    typedef uint64_t line __attribute__((vector_size(64)));
    nt_partition(&begin, &end, n, 64, thread, n_threads);
    const line *lines = (const void *)((const char *)b->weights + b->read_at);
    line sum[4] = {{0}};
    for (size_t i = begin; i + 4 <= end; i += 4)
        for (size_t j = 0; j < 4; j++)
            sum[j] ^= lines[i + j];
    if ((sum[0] ^ sum[1] ^ sum[2] ^ sum[3])[0] == 1) b->sink = 1;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double multiply_512(size_t n) {
    __m512 a[12], f = _mm512_set1_ps(0.999f);
    for (int i = 0; i < 12; i++)
        a[i] = _mm512_set1_ps((float)i);
    for (size_t k = 0; k < n; k++) {
#    pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            a[i] = _mm512_fmadd_ps(a[i], f, f);
    }
    __m512 sum = a[0];
    for (int i = 1; i < 12; i++)
        sum = _mm512_add_ps(sum, a[i]);
    return (double)_mm512_reduce_add_ps(sum);
}

static void multiply_part(void *payload, int thread, int n_threads) {
    (void)thread;
    (void)n_threads;
    bench *b = payload;
    if (multiply_512(1 << 20) == 1) b->sink = 1;
}
#endif

static void measure_limits(bench *b) {
    double best = 1e9;
    for (int i = 0; i < 160; i++) {
        b->read_at = (size_t)i * READ_BYTES % WEIGHT_BYTES;
        double t = now();
        nt_pool_run(b->pool, read_part, b);
        t = now() - t;
        if (t < best) best = t;
    }
    b->read_rate = READ_BYTES / best * 1e-9;
    printf("plain read          %7.1f GB/s\n", b->read_rate);
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512f")) return;
    best = 1e9;
    for (int i = 0; i < 10; i++) {
        double t = now();
        nt_pool_run(b->pool, multiply_part, b);
        t = now() - t;
        if (t < best) best = t;
    }
    b->peak = 12.0 * 32 * (1 << 20) * nt_pool_size(b->pool) / best * 1e-9;
    printf("512-bit FMA alone   %7.1f GFLOP/s\n", b->peak);
#endif
}

/* ---- Matmul ---------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n) {
    qsort(x, n, sizeof *x, by_size);
    return x[n / 2];
}

/* Calls by turns for as long as there is time, each on weights that come from memory; returns the
 * number of turns. best [n_sets] are the shortest times (the limits are bests too), ratio [n_sets]
 * the medians of the first set's time over each one's own. */
static size_t take_turns(bench *b, nt_matrix *w, size_t R, double *best, double *ratio) {
    static double ratios[MOST_SETS][MOST_TURNS];
    size_t bytes = w->K * w->N * nt_dtype_size(w->dtype), at = 0, n = 0;
    double start = now();
    for (size_t s = 0; s < b->n_sets; s++)
        best[s] = 1e9;
    for (; n < 3 || (n < MOST_TURNS && now() - start < b->seconds * (double)b->n_sets); n++) {
        double first = 0;
        for (size_t s = 0; s < b->n_sets; s++) {
            w->data = (const char *)b->weights + at;
            double t = now();
            b->sets[s]->ops->matmul(b->sets[s], b->y, b->x, w, b->bias, R);
            t = now() - t;
            if (s == 0) first = t;
            ratios[s][n] = first / t;
            if (t < best[s]) best[s] = t;
            at += bytes;
            if (at + bytes > WEIGHT_BYTES) at = 0;
        }
    }
    for (size_t s = 0; s < b->n_sets; s++)
        ratio[s] = median(ratios[s], n);
    return n;
}

static void measure_matmul(bench *b, nt_layout layout, nt_dtype dtype, size_t K, size_t N,
                           size_t R) {
    nt_matrix w = {.dtype = dtype, .layout = layout, .K = K, .N = N};
    double best[MOST_SETS], ratio[MOST_SETS], bytes = (double)(K * N * nt_dtype_size(dtype));
    take_turns(b, &w, R, best, ratio);
    for (size_t s = 0; s < b->n_sets; s++) {
        double t = best[s], rate = bytes / t * 1e-9;
        double flops = 2e-9 * (double)K * (double)N * (double)R / t;
        printf("%-6s %-6s %-4s K %5zu N %5zu R %3zu  %9.1f us  %6.1f GB/s", b->sets[s]->ops->isa,
               layout ? "OUT_IN" : "IN_OUT", nt_dtype_name(dtype), K, N, R, t * 1e6, rate);
        printf(" (%3.0f %%)  %7.1f GFLOP/s", 100 * rate / b->read_rate, flops);
        if (b->peak > 0) printf(" (%3.0f %%)", 100 * flops / b->peak);
        if (b->n_sets > 1) printf("  %5.2f", ratio[s]);
        printf("\n");
    }
    fflush(stdout);
}

/* What more rows than one cost, w from memory: calls by turns, the median of their times over the
 * time of one row in the same turn. */
static void measure_few(bench *b, nt_layout layout, nt_dtype dtype) {
    enum { K = 768, N = 3072, TURNS = 200 };
    static const size_t rows[] = {1, 2, 4, 5, 8, 12, 16};
    enum { N_ROWS = sizeof rows / sizeof *rows };
    static double ratio[N_ROWS][TURNS], time[TURNS];
    nt_matrix w = {.dtype = dtype, .layout = layout, .K = K, .N = N};
    size_t bytes = K * N * nt_dtype_size(dtype), at = 0;
    for (size_t i = 0; i < TURNS; i++) {
        for (size_t r = 0; r<N_ROWS; r++, at = at + 2 * bytes> WEIGHT_BYTES ? 0 : at + bytes) {
            w.data = (const char *)b->weights + at;
            double t = now();
            b->device->ops->matmul(b->device, b->y, b->x, &w, b->bias, rows[r]);
            t = now() - t;
            if (r == 0) time[i] = t;
            ratio[r][i] = t / time[i];
        }
    }
    printf("%-6s %-4s one row %5.1f GB/s; so many take so many times as long:",
           layout ? "OUT_IN" : "IN_OUT", nt_dtype_name(dtype),
           (double)bytes * 1e-9 / median(time, TURNS));
    for (size_t r = 1; r < N_ROWS; r++)
        printf("  %zu %.2f", rows[r], median(ratio[r], TURNS));
    printf("\n");
}

/* ---- The rest -------------------------------------------------------------------------------- */

static void measure_small(bench *b) {
    float *logits = b->x;
    for (size_t i = 0; i < 50257; i++)
        logits[i] = -30 + 20 * (float)(i * 7919 % 50257) / 50257;
    double best = 1e9;
    for (int i = 0; i < 50; i++) {
        double t = now();
        nt_softmax s = nt_softmax_of(logits, 50257);
        t = now() - t;
        b->sink = s.logsum;
        if (t < best) best = t;
    }
    printf("softmax of 50257    %7.1f us\n", best * 1e6);
    size_t n = 3072 * 64;
    best = 1e9;
    for (int i = 0; i < 50; i++) {
        for (size_t j = 0; j < n; j++)
            b->y[j] = (float)(j % 97) * 0.1f - 5;
        double t = now();
        b->device->ops->activate(b->device, NT_GELU_TANH, b->y, n);
        t = now() - t;
        if (t < best) best = t;
    }
    printf("gelu_new            %7.2f ns a number\n", best * 1e9 / (double)n);
}

/* R rows of one text at positions before .. before + R - 1, 12 heads of 64. */
static void measure_attention(bench *b, size_t R, size_t before) {
    enum { H = 12, E = 64, D = H * E, MOST_PAGES = 32 };
    void *pages[MOST_PAGES], *const *tables[MOST_ROWS];
    int32_t position[MOST_ROWS];
    for (size_t i = 0; i < MOST_PAGES; i++)
        pages[i] = b->weights + i * 2 * D * NT_PAGE;
    double flops = 0;
    for (size_t r = 0; r < R; r++) {
        tables[r] = pages;
        position[r] = (int32_t)(before + r);
        flops += 4.0 * D * (double)(before + r + 1);
    }
    nt_attention a = {.R = R,
                      .H = H,
                      .E = E,
                      .G = H,
                      .q = {b->x, 3 * D, E},
                      .y = b->y,
                      .scale = 0.125f,
                      .pages = tables,
                      .position = position};
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        double t = now();
        b->device->ops->attend(b->device, &a);
        t = now() - t;
        if (t < best) best = t;
    }
    printf("attend R %3zu after %4zu  %9.1f us  %7.1f GFLOP/s\n", R, before, best * 1e6,
           flops / best * 1e-9);
}

/* One row for each of n forks of a prompt, 12 heads of 64: the prompt's pages held in common
 * against the same rows with pages of their own, by turns; all from memory. */
static void measure_forks(bench *b, size_t n, size_t prompt, size_t own) {
    enum { H = 12, E = 64, D = H * E, MOST_FORKS = 16, MOST_PAGES = 16, TURNS = 60 };
    const size_t page = 2 * D * NT_PAGE, all = WEIGHT_BYTES / sizeof(float) / page;
    size_t whole = prompt / NT_PAGE, each = (prompt + own + NT_PAGE - 1) / NT_PAGE, at = 0;
    void *pages[MOST_FORKS][MOST_PAGES], *const *tables[MOST_FORKS];
    int32_t position[MOST_FORKS];
    nt_attention a = {.R = n,
                      .H = H,
                      .E = E,
                      .G = H,
                      .q = {b->x, 3 * D, E},
                      .y = b->y,
                      .scale = 0.125f,
                      .pages = tables,
                      .position = position};
    double time[2][TURNS], ratio[TURNS];
    for (size_t i = 0; i < TURNS; i++) {
        for (size_t turn = 0; turn < 2; turn++) {
            bool common = (turn + i) % 2;
            for (size_t r = 0; r < n; r++) {
                tables[r] = pages[r];
                position[r] = (int32_t)(prompt + own - 1);
                for (size_t p = 0; p < each; p++)
                    pages[r][p] =
                        common && r && p < whole ? pages[0][p] : b->weights + at++ % all * page;
            }
            double t = now();
            b->device->ops->attend(b->device, &a);
            time[common][i] = now() - t;
        }
        ratio[i] = time[1][i] / time[0][i];
    }
    printf("attend %2zu forks of %zu, %zu more each: pages in common %9.1f us, own %9.1f us, in "
           "pairs %5.2f\n",
           n, prompt, own, median(time[1], TURNS) * 1e6, median(time[0], TURNS) * 1e6,
           median(ratio, TURNS));
}

static void measure(bench *b, bool quick) {
    static const size_t shapes[][2] = {{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}};
    static const size_t rows[] = {1, 2, 4, 8, 16, 64, 256, 512};
    measure_limits(b);
    for (int layout = 0; layout < 2; layout++) {
        for (size_t s = 0; s < 4; s++)
            measure_matmul(b, (nt_layout)layout, NT_F32, shapes[s][0], shapes[s][1], 1);
        for (size_t r = 1; r < sizeof rows / sizeof *rows; r++)
            measure_matmul(b, (nt_layout)layout, NT_F32, 768, 3072, rows[r]);
        for (size_t r = 0; r < 2; r++)
            measure_matmul(b, (nt_layout)layout, NT_F32, 3072, 768, r ? 512 : 64);
        for (int dtype = NT_F16; !quick && dtype <= NT_BF16; dtype++) {
            for (size_t r = 0; r < 2; r++)
                measure_matmul(b, (nt_layout)layout, (nt_dtype)dtype, 768, 3072, r ? 64 : 1);
        }
    }
    for (int dtype = NT_F32; dtype <= (quick ? NT_F32 : NT_BF16); dtype++) {
        for (size_t r = 0; r < 2; r++)
            measure_matmul(b, NT_OUT_IN, (nt_dtype)dtype, 768, 50257, r ? 64 : 1);
    }
}

/* What a set does beside matmul. */
static void measure_rest(bench *b) {
    for (int layout = 0; layout < 2; layout++)
        for (int dtype = NT_F32; dtype <= NT_BF16; dtype++)
            measure_few(b, (nt_layout)layout, (nt_dtype)dtype);
    measure_attention(b, 1, 1000);
    measure_attention(b, 512, 0);
    measure_attention(b, 512, 500);
    measure_forks(b, 5, 900, 10);
    measure_forks(b, 16, 900, 10);
    measure_small(b);
}

/* Opens the sets of a list with commas between; of NULL the best one. */
static int open_sets(bench *b, char *list, int threads) {
    if (!list) {
        b->n_sets = 1;
        return nt_cpu_open(&b->sets[0], threads);
    }
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        if (b->n_sets == MOST_SETS) return nt_fail(NT_E_ARGUMENT, "--isa: too many sets");
        setenv("NEXTOKEN_ISA", name, 1);
        NT_TRY(nt_cpu_open(&b->sets[b->n_sets], threads));
        b->n_sets++;
    }
    return b->n_sets ? NT_OK : nt_fail(NT_E_ARGUMENT, "--isa: no set named");
}

int main(int argc, char **argv) {
    int threads = 0;
    bool quick = false;
    char *list = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            list = argv[++i];
        else if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else
            return fprintf(stderr,
                           "usage: bench_kernels [--threads N] [--quick] [--isa SET[,SET..]]\n"),
                   2;
    }
    bench b = {.seconds = quick ? 0.1 : 0.4};
    b.weights = nt_alloc_aligned(WEIGHT_BYTES, 1);
    b.x = nt_alloc(MOST_ROWS * 3072, sizeof(float));
    b.y = nt_alloc(MOST_ROWS * 50257, sizeof(float));
    b.bias = nt_alloc(50257, sizeof(float));
    if (!b.weights || !b.x || !b.y || !b.bias || open_sets(&b, list, threads) != NT_OK ||
        nt_pool_new(&b.pool, threads) != NT_OK) {
        return fprintf(stderr, "bench_kernels: error: %s\n", nt_error_message()), 1;
    }
    for (size_t i = 0; i < WEIGHT_BYTES / sizeof(uint16_t); i++)
        ((uint16_t *)(void *)b.weights)[i] = (uint16_t)(0x3000 + i % 997);
    for (size_t i = 0; i < MOST_ROWS * 3072; i++)
        b.x[i] = (float)(i % 1009) * 0x1p-12f;
    printf("%d threads\n", nt_pool_size(b.pool));
    measure(&b, quick);
    for (size_t s = 0; s < b.n_sets; s++) {
        b.device = b.sets[s];
        printf("%s\n", b.device->ops->isa);
        measure_rest(&b);
        nt_cpu_close(b.device);
    }
    nt_pool_free(b.pool);
    nt_free(b.weights);
    nt_free(b.x);
    nt_free(b.y);
    nt_free(b.bias);
    return 0;
}
