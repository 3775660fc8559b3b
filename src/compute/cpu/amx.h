/* Products in the tiles of AMX. A float32 operand is cut into up to three bfloat16 terms whose sum
 * it is; each pair of terms that matters is one product of tiles, added up in float32.
 *   bf16:    x is rounded to one term, w is stored in one;
 *   f32-amx: x is cut into three terms, w into as many as its type needs (F32 three, F16 two, BF16
 *            one), and of the pairs (i, j) those with i + j <= 2 count.
 * An output's arithmetic: sum = bias (0 where there is none); for each 32 numbers along k, in
 * order, for i = 0, 1, 2, for j = 0, 1, 2 - i: sum += the products' sum of x's term i and w's term
 * j, by TDPBF16PS (docs/numbers.md). */
#ifndef NT_COMPUTE_CPU_AMX_H
#define NT_COMPUTE_CPU_AMX_H

#include "compute/cpu/kernels.h"

enum { NT_AMX_ROWS = 16 }; /* rows of x that are packed together */

typedef struct nt_tile_product {
    nt_product product; /* its x is not read */
    const uint16_t *x;  /* packed */
    size_t terms;       /* of x: 1 or 3 */
} nt_tile_product;

typedef struct nt_tiles {
    /* Whether w is of a kind that tiles take: F32, F16 or BF16. */
    bool (*takes)(const nt_matrix *w);
    /* Numbers that x [R, K] takes packed into `terms` terms. */
    size_t (*packed)(size_t R, size_t K, size_t terms);
    /* Packs groups [begin, end) of NT_AMX_ROWS rows; the last group may hold fewer. packed is
     * 64-byte aligned. */
    void (*pack)(uint16_t *packed, const float *x, size_t R, size_t K, size_t terms, size_t begin,
                 size_t end);
    /* Outputs [begin, end) of every row; begin a multiple of NT_AMX_ROWS. scratch [NT_SCRATCH],
     * 64-byte aligned. */
    void (*matmul)(const nt_tile_product *p, size_t begin, size_t end, float *scratch);
} nt_tiles;

extern const nt_tiles nt_tiles_amx;

/* Whether processor and system have tiles with bfloat16, and this process may use them (it asks).
 * Always with NT_AMX_MODEL, where tiles are a model in C. */
bool nt_amx_usable(void);

#endif
