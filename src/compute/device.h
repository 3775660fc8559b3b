/* What a device can do: one struct of functions. The forward pass is written once over it; each
 * backend (cpu/ now, cuda/ later) fills it in. Rows are tokens of any sequences: R rows in a call
 * may belong to different texts and stand at different positions. Every output element's
 * arithmetic depends only on the instruction set and on its own inputs, never on R, on the other
 * rows or on the number of threads; docs/numbers.md gives the order of each sum. */
#ifndef NT_COMPUTE_DEVICE_H
#define NT_COMPUTE_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/activation.h"
#include "base/dtype.h"
#include "base/status.h"
#include "base/threads.h"

/* Layout of a matrix that maps K inputs to N outputs. */
typedef enum nt_layout {
    NT_IN_OUT, /* data [K, N]: GPT-2's Conv1D */
    NT_OUT_IN  /* data [N, K]: Linear, embedding tables */
} nt_layout;

typedef struct nt_matrix {
    const void *data; /* row-major, aligned as its numbers need it */
    nt_dtype dtype;   /* any but F64; blocks (Q8_0 ..) in OUT_IN only, K a multiple of them */
    nt_layout layout;
    size_t K, N;
} nt_matrix;

/* Keys and values live in pages of NT_PAGE positions of one block (layer) each:
 * K [G, E, NT_PAGE] then V [G, NT_PAGE, E], 2 * G * E * NT_PAGE numbers in all, float32 or
 * bfloat16. Position t of a sequence is slot t % NT_PAGE of its page t / NT_PAGE. */
enum { NT_PAGE = 64 };

/* What the heads of rows have, however a matrix laid it out: head h of row r begins at
 * data + r * row + h * head and is E numbers long. */
typedef struct nt_heads {
    float *data;
    size_t row, head; /* floats from one to the next */
} nt_heads;

typedef struct nt_attention {
    size_t R, H, E;
    size_t G;      /* heads of keys and values; divides H: H / G query heads after one another share
                      one of them */
    nt_heads q;    /* [R, H, E] */
    nt_heads k, v; /* [R, G, E] */
    float *y;      /* [R, H E] out */
    float scale;   /* multiplies q . k */
    size_t window; /* 0: row r attends to positions 0 .. position[r]; else to the last so many of
                      them, its own included */
    void *const *const *pages; /* [R]: for each row the page table of its sequence, this layer */
    nt_dtype stored;           /* what pages hold: NT_F32 (0) or NT_BF16 */
    const int32_t *position;   /* [R] */
    float *probs; /* NULL, or [R, H, ld_probs] out: how much each head attends to each position, 0
                     before the window */
    size_t ld_probs; /* >= largest position + 1 */
} nt_attention;

/* Turns within the heads: numbers i and i + n of a head, i < n, are turned by an angle that depends
 * on position and i. */
typedef struct nt_rotary {
    size_t n;           /* 2 n <= E */
    const float *table; /* [positions, 2 n]: n cosines, then n sines */
} nt_rotary;

typedef struct nt_device nt_device;

typedef struct nt_device_ops {
    const char *isa; /* "avx512", "ref" */

    /* y [R, D] = wte[ids[r]] + wpe[position[r]]; wte, wpe are OUT_IN tables [V, D], [T, D]. wpe
     * NULL: wte[ids[r]]. */
    void (*embed)(nt_device *device, float *y, const nt_matrix *wte, const nt_matrix *wpe,
                  const int32_t *ids, const int32_t *position, size_t R);

    /* y [R, D] = (x - mean) / sqrt(var + eps) * gain + bias, row by row. y == x is allowed. */
    void (*layer_norm)(nt_device *device, float *y, const float *x, const float *gain,
                       const float *bias, float eps, size_t R, size_t D);

    /* y [R, D] = (x / sqrt(mean of x^2 + eps)) * gain, row by row. y == x is allowed. */
    void (*rms_norm)(nt_device *device, float *y, const float *x, const float *gain, float eps,
                     size_t R, size_t D);

    /* y [R, N] = x [R, K] . w + bias [N] (NULL: none). */
    void (*matmul)(nt_device *device, float *y, const float *x, const nt_matrix *w,
                   const float *bias, size_t R);

    /* Turns n_heads heads of each of R rows by the angles of the rows' positions, in place. */
    void (*rotate)(nt_device *device, const nt_heads *x, size_t R, size_t n_heads,
                   const nt_rotary *rotary, const int32_t *position);

    /* Copies each row's key and value into its page slot, rounded to nearest, ties to even, where
     * pages hold bfloat16. */
    void (*store_kv)(nt_device *device, const nt_attention *a);

    /* softmax(scale * q . k) . v over the row's own positions, keys and values from the pages
     * (store_kv has run). Tables that begin with the same pages (rows of a text, forks of one)
     * share the reading of these, best where their rows stand next to each other. */
    void (*attend)(nt_device *device, const nt_attention *a);

    /* x [n] = activation(x), in place. */
    void (*activate)(nt_device *device, nt_activation activation, float *x, size_t n);

    /* y [n] = activation(y) * x [n]. */
    void (*gate)(nt_device *device, nt_activation activation, float *y, const float *x, size_t n);

    /* y [n] += x [n]. */
    void (*add)(nt_device *device, float *y, const float *x, size_t n);

    /* x [n] to the nearest numbers that bfloat16 has, ties to even, in place: what a product reads
     * in mode bf16. Infinities and NaN stay what they are. */
    void (*round)(nt_device *device, float *x, size_t n);
} nt_device_ops;

struct nt_device {
    const nt_device_ops *ops; /* the backend's own fields follow in its own struct */
    nt_pool *pool;            /* host threads; idle between operations */
};

/* The CPU, with `threads` threads (0: default) and the best instruction set that it has, or the
 * one that NEXTOKEN_ISA names. Errors: ARGUMENT (NEXTOKEN_ISA unknown or not on this machine, with
 * the ones that are), MEMORY. A device belongs to one thread at a time. */
int nt_cpu_open(nt_device **out, int threads);
/* Whether nt_cpu_take_terms would take so many: NT_OK, else UNSUPPORTED. */
int nt_cpu_check_terms(size_t terms);
/* From now on products run in tiles where the instruction set has them: of x [R, K] with R <= rows
 * and K <= width, in one term of bfloat16 each (x is rounded to nearest) or in three, which are
 * float32; 0: as before. Where it has none, one term changes nothing. Errors: UNSUPPORTED (three
 * terms, and no tiles), MEMORY. */
int nt_cpu_take_terms(nt_device *device, size_t terms, size_t rows, size_t width);
void nt_cpu_close(nt_device *device);

/* The instruction set that nt_cpu_open would choose ("avx512"), for `info`. Errors as above. */
int nt_cpu_isa(const char **isa);

#endif
