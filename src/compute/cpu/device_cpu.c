/* The CPU as a device: splits each operation's outputs over the pool's threads and hands every
 * thread its scratch. What is computed is the kernels' business; who computes it never shows in
 * the bits. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "compute/cpu/amx.h"
#include "compute/cpu/kernels.h"

typedef struct nt_cpu {
    nt_device device; /* first: an nt_device pointer is an nt_cpu pointer */
    nt_device_ops ops;
    const nt_kernels *kernels;
    float *scratch;   /* [threads, NT_SCRATCH] */
    size_t terms;     /* of products in tiles; 0: there are none */
    uint16_t *packed; /* [tiles->packed(packed_rows, .., terms)] */
    size_t packed_rows;
} nt_cpu;

/* Work below this many multiplications is not worth waking a thread for. */
enum { ALONE = 32 * 1024 };

static nt_cpu *cpu_of(nt_device *device) {
    return (nt_cpu *)device;
}

/* ---- Running a task under the promised floating-point state ---------------------------------- */

/* Rounding to nearest with denormals kept: a program that loaded a library built with -ffast-math
 * may have them flushed, and bits would depend on it. */
#if defined(__x86_64__)
static unsigned long enter_ieee(void) {
    unsigned saved = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1F80);
    return saved;
}

static void leave_ieee(unsigned long saved) {
    __builtin_ia32_ldmxcsr((unsigned)saved);
}
#elif defined(__aarch64__)
static unsigned long enter_ieee(void) {
    unsigned long saved;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(saved));
    __asm__ __volatile__("msr fpcr, %0" : : "r"(0UL));
    return saved;
}

static void leave_ieee(unsigned long saved) {
    __asm__ __volatile__("msr fpcr, %0" : : "r"(saved));
}
#else
static unsigned long enter_ieee(void) {
    return 0;
}

static void leave_ieee(unsigned long saved) {
    (void)saved;
}
#endif

typedef struct job {
    nt_cpu *cpu;
    nt_task task;
    const void *arguments;
} job;

static float *scratch_of(const job *j, int thread) {
    return j->cpu->scratch + (size_t)thread * NT_SCRATCH;
}

static void run_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    unsigned long saved = enter_ieee();
    j->task(j, thread, n_threads);
    leave_ieee(saved);
}

/* task gets the job; work is a count of its multiplications. */
static void run(nt_cpu *cpu, nt_task task, const void *arguments, double work) {
    job j = {cpu, task, arguments};
    if (work < ALONE)
        run_part(&j, 0, 1);
    else
        nt_pool_run(cpu->device.pool, run_part, &j);
}

/* ---- The operations -------------------------------------------------------------------------- */

typedef struct embed_arguments {
    float *y;
    const nt_matrix *wte, *wpe;
    const int32_t *ids, *position;
    size_t R;
} embed_arguments;

static void embed_part(void *payload, int thread, int n_threads) {
    const embed_arguments *a = ((job *)payload)->arguments;
    size_t begin, end, D = a->wte->K;
    nt_partition(&begin, &end, a->R, 1, thread, n_threads);
    for (size_t r = begin; r < end; r++) {
        size_t token = (size_t)a->ids[r] * D, place = (size_t)a->position[r] * D;
        for (size_t i = 0; i < D; i++) {
            float x = nt_dtype_load(a->wte->data, a->wte->dtype, token + i);
            if (a->wpe) x += nt_dtype_load(a->wpe->data, a->wpe->dtype, place + i);
            a->y[r * D + i] = x;
        }
    }
}

static void embed(nt_device *device, float *y, const nt_matrix *wte, const nt_matrix *wpe,
                  const int32_t *ids, const int32_t *position, size_t R) {
    embed_arguments a = {y, wte, wpe, ids, position, R};
    run(cpu_of(device), embed_part, &a, (double)R * (double)wte->K);
}

typedef struct norm_arguments {
    float *y;
    const float *x, *gain, *bias;
    float eps;
    size_t R, D;
} norm_arguments;

static void norm_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const norm_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->R, 1, thread, n_threads);
    j->cpu->kernels->layer_norm(a->y + begin * a->D, a->x + begin * a->D, a->gain, a->bias, a->eps,
                                end - begin, a->D);
}

static void layer_norm(nt_device *device, float *y, const float *x, const float *gain,
                       const float *bias, float eps, size_t R, size_t D) {
    norm_arguments a = {y, x, gain, bias, eps, R, D};
    run(cpu_of(device), norm_part, &a, R > 1 ? (double)R * (double)D : 0);
}

static void rms_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const norm_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->R, 1, thread, n_threads);
    j->cpu->kernels->rms_norm(a->y + begin * a->D, a->x + begin * a->D, a->gain, a->eps,
                              end - begin, a->D);
}

static void rms_norm(nt_device *device, float *y, const float *x, const float *gain, float eps,
                     size_t R, size_t D) {
    norm_arguments a = {y, x, gain, NULL, eps, R, D};
    run(cpu_of(device), rms_part, &a, R > 1 ? (double)R * (double)D : 0);
}

static void matmul_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const nt_product *product = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, product->w->N, NT_COLUMN_STEP, thread, n_threads);
    if (begin < end) j->cpu->kernels->matmul(product, begin, end, scratch_of(j, thread));
}

static void pack_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const nt_product *p = j->arguments;
    size_t begin, end, groups = (p->R + NT_AMX_ROWS - 1) / NT_AMX_ROWS;
    nt_partition(&begin, &end, groups, 1, thread, n_threads);
    j->cpu->kernels->tiles->pack(j->cpu->packed, p->x, p->R, p->w->K, j->cpu->terms, begin, end);
}

static void tiles_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const nt_product *p = j->arguments;
    nt_tile_product product = {*p, j->cpu->packed, j->cpu->terms};
    size_t begin, end;
    nt_partition(&begin, &end, p->w->N, NT_COLUMN_STEP, thread, n_threads);
    if (begin < end) j->cpu->kernels->tiles->matmul(&product, begin, end, scratch_of(j, thread));
}

static void matmul_tiles(nt_cpu *cpu, const nt_product *product) {
    const nt_product *all = product;
    size_t K = all->w->K, N = all->w->N;
    for (size_t r = 0, n; r < all->R; r += n) {
        n = all->R - r < cpu->packed_rows ? all->R - r : cpu->packed_rows;
        nt_product p = {all->y + r * N, all->x + r * K, all->w, all->bias, n};
        run(cpu, pack_part, &p, n > NT_AMX_ROWS ? (double)n * (double)K : 0);
        run(cpu, tiles_part, &p, (double)n * (double)K * (double)N);
    }
}

static void matmul(nt_device *device, float *y, const float *x, const nt_matrix *w,
                   const float *bias, size_t R) {
    nt_product product = {y, x, w, bias, R};
    if (R == 0) return;
    if (cpu_of(device)->terms && cpu_of(device)->kernels->tiles->takes(w)) {
        matmul_tiles(cpu_of(device), &product);
        return;
    }
    run(cpu_of(device), matmul_part, &product, (double)R * (double)w->K * (double)w->N);
}

typedef struct rotate_arguments {
    const nt_heads *x;
    size_t R, n_heads;
    const nt_rotary *rotary;
    const int32_t *position;
} rotate_arguments;

static void rotate_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const rotate_arguments *a = j->arguments;
    size_t begin, end, n = a->rotary->n;
    nt_partition(&begin, &end, a->R, 1, thread, n_threads);
    for (size_t r = begin; r < end; r++) {
        const float *cosine = a->rotary->table + (size_t)a->position[r] * 2 * n;
        for (size_t h = 0; h < a->n_heads; h++)
            j->cpu->kernels->rotate(a->x->data + r * a->x->row + h * a->x->head, cosine, cosine + n,
                                    n);
    }
}

static void rotate(nt_device *device, const nt_heads *x, size_t R, size_t n_heads,
                   const nt_rotary *rotary, const int32_t *position) {
    rotate_arguments a = {x, R, n_heads, rotary, position};
    run(cpu_of(device), rotate_part, &a, 4 * (double)(R * n_heads) * (double)rotary->n);
}

/* A key and a value of E numbers into their slot of a page. */
static void store_whole(float *keys, float *values, const float *key, const float *value,
                        size_t E) {
    for (size_t e = 0; e < E; e++)
        keys[e * NT_PAGE] = key[e];
    memcpy(values, value, E * sizeof *values);
}

static void store_rounded(uint16_t *keys, uint16_t *values, const float *key, const float *value,
                          size_t E) {
    for (size_t e = 0; e < E; e++)
        keys[e * NT_PAGE] = nt_bfloat(key[e]);
    for (size_t e = 0; e < E; e++)
        values[e] = nt_bfloat(value[e]);
}

static void store_part(void *payload, int thread, int n_threads) {
    const nt_attention *a = ((job *)payload)->arguments;
    size_t first, last, E = a->E;
    nt_partition(&first, &last, a->G, 1, thread, n_threads);
    for (size_t g = first; g < last; g++) {
        for (size_t r = 0; r < a->R; r++) {
            size_t t = (size_t)a->position[r], slot = t % NT_PAGE;
            void *page = a->pages[r][t / NT_PAGE];
            const float *key = a->k.data + r * a->k.row + g * a->k.head;
            const float *value = a->v.data + r * a->v.row + g * a->v.head;
            size_t keys = g * E * NT_PAGE + slot, values = ((a->G + g) * NT_PAGE + slot) * E;
            if (a->stored == NT_BF16)
                store_rounded((uint16_t *)page + keys, (uint16_t *)page + values, key, value, E);
            else
                store_whole((float *)page + keys, (float *)page + values, key, value, E);
        }
    }
}

static void store_kv(nt_device *device, const nt_attention *a) {
    run(cpu_of(device), store_part, a, (double)a->R * (double)a->G * (double)a->E);
}

/* The end of the block of rows that begins at `begin`: it parts rows that begin with the same page,
 * and could share its reading, only where they are too many for one block. */
static size_t block_end(const nt_attention *a, size_t begin) {
    size_t end = begin + NT_ATTENTION_ROWS;
    if (end >= a->R) return a->R;
    size_t first = end; /* of the rows that begin as row `end` does */
    while (first > begin && a->pages[first - 1][0] == a->pages[end][0])
        first--;
    return first > begin ? first : end;
}

/* Items are (block of rows, head), dealt out in turn: late rows of a prompt attend to more
 * positions than early ones, and so every thread gets some of both. */
static void attend_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const nt_attention *a = j->arguments;
    size_t item = 0;
    for (size_t begin = 0, end; begin < a->R; begin = end) {
        end = block_end(a, begin);
        for (size_t h = 0; h < a->H; h++, item++) {
            if (item % (size_t)n_threads != (size_t)thread) continue;
            j->cpu->kernels->attend(a, h, begin, end, scratch_of(j, thread), NT_SCRATCH);
        }
    }
}

static void attend(nt_device *device, const nt_attention *a) {
    double positions = 0;
    for (size_t r = 0; r < a->R; r++)
        positions += a->position[r] + 1.0;
    run(cpu_of(device), attend_part, a, positions * (double)a->H * (double)a->E);
}

typedef struct vector_arguments {
    nt_activation activation;
    float *y;
    const float *x;
    size_t n;
} vector_arguments;

static void activate_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const vector_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->n, NT_COLUMN_STEP, thread, n_threads);
    j->cpu->kernels->activate(a->activation, a->y + begin, end - begin);
}

static void activate(nt_device *device, nt_activation activation, float *x, size_t n) {
    vector_arguments a = {.activation = activation, .y = x, .n = n};
    if (activation == NT_IDENTITY) return;
    run(cpu_of(device), activate_part, &a, 8 * (double)n);
}

/* In pieces that stay in the nearest cache between the two steps. */
static void gate_part(void *payload, int thread, int n_threads) {
    enum { PIECE = 2048 };
    job *j = payload;
    const vector_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->n, NT_COLUMN_STEP, thread, n_threads);
    for (size_t i = begin; i < end; i += PIECE) {
        size_t n = end - i < PIECE ? end - i : PIECE;
        j->cpu->kernels->activate(a->activation, a->y + i, n);
        j->cpu->kernels->multiply(a->y + i, a->x + i, n);
    }
}

static void gate(nt_device *device, nt_activation activation, float *y, const float *x, size_t n) {
    vector_arguments a = {.activation = activation, .y = y, .x = x, .n = n};
    run(cpu_of(device), gate_part, &a, 9 * (double)n);
}

static void add_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const vector_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->n, NT_COLUMN_STEP, thread, n_threads);
    j->cpu->kernels->add(a->y + begin, a->x + begin, end - begin);
}

static void add(nt_device *device, float *y, const float *x, size_t n) {
    vector_arguments a = {.y = y, .x = x, .n = n};
    run(cpu_of(device), add_part, &a, (double)n);
}

static void round_part(void *payload, int thread, int n_threads) {
    job *j = payload;
    const vector_arguments *a = j->arguments;
    size_t begin, end;
    nt_partition(&begin, &end, a->n, NT_COLUMN_STEP, thread, n_threads);
    j->cpu->kernels->round(a->y + begin, end - begin);
}

static void round_all(nt_device *device, float *x, size_t n) {
    vector_arguments a = {.y = x, .n = n};
    run(cpu_of(device), round_part, &a, (double)n);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The best set, or the one that NEXTOKEN_ISA names. */
static int choose(const nt_kernels **out) {
    static const char *const known[] = {"ref", "avx2", "avx512", "amx", "neon"};
    const nt_kernels *const *kernels = nt_cpu_kernels();
    const char *wanted = getenv("NEXTOKEN_ISA");
    *out = kernels[0];
    if (!wanted || !*wanted) return NT_OK;
    char list[128] = "";
    for (size_t i = 0; kernels[i]; i++) {
        if (strcmp(kernels[i]->isa, wanted) == 0) {
            *out = kernels[i];
            return NT_OK;
        }
        if (i) strcat(list, ", ");
        strcat(list, kernels[i]->isa);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], wanted) == 0) {
            return nt_fail(NT_E_ARGUMENT,
                           "NEXTOKEN_ISA=%s: not in this build or on this machine; there is %s",
                           wanted, list);
        }
    }
    return nt_fail(NT_E_ARGUMENT, "NEXTOKEN_ISA=%.40s: no such instruction set; there is %s",
                   wanted, list);
}

int nt_cpu_isa(const char **isa) {
    const nt_kernels *kernels;
    *isa = NULL;
    NT_TRY(choose(&kernels));
    *isa = kernels->isa;
    return NT_OK;
}

int nt_cpu_open(nt_device **out, int threads) {
    const nt_kernels *kernels;
    *out = NULL;
    NT_TRY(choose(&kernels));
    nt_cpu *cpu = nt_alloc(1, sizeof *cpu);
    if (!cpu) return NT_E_MEMORY;
    int status = nt_pool_new(&cpu->device.pool, threads);
    if (status == NT_OK) {
        size_t n = (size_t)nt_pool_size(cpu->device.pool);
        cpu->scratch = nt_alloc_aligned(n * NT_SCRATCH, sizeof *cpu->scratch);
        if (!cpu->scratch) status = NT_E_MEMORY;
    }
    cpu->kernels = kernels;
    cpu->ops = (nt_device_ops){.isa = kernels->isa,
                               .embed = embed,
                               .layer_norm = layer_norm,
                               .rms_norm = rms_norm,
                               .matmul = matmul,
                               .rotate = rotate,
                               .store_kv = store_kv,
                               .attend = attend,
                               .activate = activate,
                               .gate = gate,
                               .add = add,
                               .round = round_all};
    cpu->device.ops = &cpu->ops;
    if (status != NT_OK) {
        nt_cpu_close(&cpu->device);
        return status;
    }
    *out = &cpu->device;
    return NT_OK;
}

static int check_terms(const nt_kernels *kernels, size_t terms) {
    if (kernels->tiles || terms <= 1) return NT_OK;
    return nt_fail(
        NT_E_UNSUPPORTED,
        "precision f32-amx needs a processor with AMX tiles, and this one runs %s; use f32",
        kernels->isa);
}

int nt_cpu_check_terms(size_t terms) {
    const nt_kernels *kernels;
    NT_TRY(choose(&kernels));
    return check_terms(kernels, terms);
}

int nt_cpu_take_terms(nt_device *device, size_t terms, size_t rows, size_t width) {
    nt_cpu *cpu = cpu_of(device);
    const nt_tiles *tiles = cpu->kernels->tiles;
    NT_TRY(check_terms(cpu->kernels, terms));
    if (!tiles || terms == 0) return NT_OK;
    cpu->packed = nt_alloc_aligned(tiles->packed(rows, width, terms), sizeof *cpu->packed);
    if (!cpu->packed) return NT_E_MEMORY;
    cpu->terms = terms;
    cpu->packed_rows = rows;
    return NT_OK;
}

void nt_cpu_close(nt_device *device) {
    if (!device) return;
    nt_cpu *cpu = cpu_of(device);
    nt_pool_free(cpu->device.pool);
    nt_free(cpu->scratch);
    nt_free(cpu->packed);
    nt_free(cpu);
}
