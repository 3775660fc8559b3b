/* What one instruction set provides: loops over a range of outputs, for one thread. Every set
 * follows the same orders of operations (docs/numbers.md), so that all give the same bits;
 * kernels_ref.c is the oracle. device_cpu.c splits the work over threads. */
#ifndef NT_COMPUTE_CPU_KERNELS_H
#define NT_COMPUTE_CPU_KERNELS_H

#include <stdbool.h>

#include "compute/device.h"

enum {
    NT_LANES = 16,           /* partial sums of every sum that is not a chain */
    NT_SCRATCH = 192 * 1024, /* floats of scratch for each thread */
    NT_COLUMN_STEP = 64,     /* threads share outputs in units of so many */
    NT_ATTENTION_ROWS = 16   /* query rows that a thread takes at a time */
};

/* One matmul: y [R, N] = x [R, K] . w + bias [N] (NULL: none). */
typedef struct nt_product {
    float *y;
    const float *x;
    const nt_matrix *w;
    const float *bias;
    size_t R;
} nt_product;

typedef struct nt_kernels {
    const char *isa;
    const struct nt_tiles *tiles; /* products of the modes that have them (amx.h), or NULL */

    /* Outputs [begin, end) of every row. scratch [NT_SCRATCH], 64-byte aligned. */
    void (*matmul)(const nt_product *product, size_t begin, size_t end, float *scratch);

    void (*layer_norm)(float *y, const float *x, const float *gain, const float *bias, float eps,
                       size_t R, size_t D);

    void (*rms_norm)(float *y, const float *x, const float *gain, float eps, size_t R, size_t D);

    /* One head: (x[i], x[i + n]) turned by (cosine[i], sine[i]), i < n. */
    void (*rotate)(float *x, const float *cosine, const float *sine, size_t n);

    /* Head h of rows [begin, end). A page that up to NT_ATTENTION_ROWS of them hold is read once
     * for its keys and once for its values. scratch [n_scratch], 64-byte aligned, at least
     * 4 * NT_PAGE floats: where they do not hold all scores of four rows, scores are computed again
     * when they are needed again, and the bits stay. */
    void (*attend)(const nt_attention *a, size_t h, size_t begin, size_t end, float *scratch,
                   size_t n_scratch);

    void (*activate)(nt_activation activation, float *x, size_t n);

    /* y [n] += x [n]. */
    void (*add)(float *y, const float *x, size_t n);
    /* y [n] *= x [n]. */
    void (*multiply)(float *y, const float *x, size_t n);

    /* x [n] to the nearest bfloat16 numbers, in place. */
    void (*round)(float *x, size_t n);

    /* The functions under softmax and the activations, in place: what the tests measure. */
    void (*exp)(float *x, size_t n);
    void (*erf)(float *x, size_t n);
} nt_kernels;

/* The sets that this build holds and this processor (and its system) can run, best first; the
 * list ends with NULL, and kernels_ref is always its last. */
const nt_kernels *const *nt_cpu_kernels(void);

extern const nt_kernels nt_kernels_ref;
#ifdef NT_HAVE_AMX
extern const nt_kernels nt_kernels_amx; /* AVX-512's, and tiles */
#endif
#ifdef NT_HAVE_AVX512
extern const nt_kernels nt_kernels_avx512;
#endif
#ifdef NT_HAVE_AVX2
extern const nt_kernels nt_kernels_avx2;
#endif
#ifdef NT_HAVE_NEON
extern const nt_kernels nt_kernels_neon;
#endif

#endif
