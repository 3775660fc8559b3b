/* Matrix products in AMX tiles. Many rows: w is packed a block at a time into tiles that stay in
 * the second cache while all rows of x pass by, two by two tiles of sums in registers. Few rows: w
 * passes by once, as it is stored, in four tiles of columns at a time. Both follow the order that
 * amx.h gives. */
#include <immintrin.h>
#include <stdbool.h>

#include "compute/cpu/amx.h"
#include "compute/cpu/amx/tiles.h"
#include "compute/cpu/limits.h"

#include "compute/cpu/amx/terms.h"

#include "compute/cpu/amx/pack.h"

enum {
    SUMS = TILE * TILE,
    FEW_ROWS = NT_AMX_ROWS,
    FEW_TILES = 4,                /* columns of w that few rows take together */
    FEW_WIDTH = FEW_TILES * TILE, /* .. in numbers */
    STRIP = 2048,                /* columns whose sums wait while w [K, N] passes: a page of bf16 */
    STRIP_STRIDE = STRIP + TILE, /* no power of two: rows must not share cache sets */
    BLOCK_STEPS = 32,            /* steps along k in a packed block of w, at most */
    BLOCK_TILES = 600,           /* tiles in it, at most */
};
_Static_assert(2 * BLOCK_TILES * TILE_NUMBERS + 4 * (2 * TILE + 4 * SUMS) <= 4 * NT_SCRATCH,
               "no room for a block");
_Static_assert(2 * FEW_TILES * 3 * TILE_NUMBERS + 4 * FEW_ROWS * STRIP_STRIDE <= 4 * NT_SCRATCH,
               "no room for a strip");

static bool takes(const nt_matrix *w) {
    return w->dtype == NT_F32 || w->dtype == NT_F16 || w->dtype == NT_BF16;
}

static size_t steps_of(size_t K) {
    return (K + TILE_DEPTH - 1) / TILE_DEPTH;
}

static size_t packed_size(size_t R, size_t K, size_t terms) {
    return (R + NT_AMX_ROWS - 1) / NT_AMX_ROWS * steps_of(K) * terms * TILE_NUMBERS;
}

static void pack_x(uint16_t *packed, const float *x, size_t R, size_t K, size_t terms, size_t begin,
                   size_t end) {
    size_t size = packed_size(1, K, terms);
    for (size_t g = begin; g < end; g++) {
        size_t r = g * NT_AMX_ROWS, n_r = least(NT_AMX_ROWS, R - r);
        if (terms == 1)
            pack_rows(packed + g * size, x, K, 1, r, n_r);
        else
            pack_rows(packed + g * size, x, K, 3, r, n_r);
    }
}

/* Numbers [n, n + width) of the bias, zeros where there are none. */
static void take_bias(float *to, const nt_product *p, size_t n, size_t end, size_t width) {
    size_t n_n = n < end && p->bias ? least(width, end - n) : 0;
    memset(to, 0, width * sizeof *to);
    if (n_n) memcpy(to, p->bias + n, n_n * sizeof *to);
}

/* ---- Few rows -------------------------------------------------------------------------------- */

/* What the loops over w carry: x, which is one group of rows, and a step's tiles of w. */
typedef struct few {
    const nt_tile_product *p;
    size_t end, x_terms, w_terms;
    uint16_t *packed;           /* [FEW_TILES, w_terms] tiles of room */
    const void *w[FEW_TILES];   /* the first term's tile of each sixteen columns */
    size_t w_stride[FEW_TILES]; /* its rows, bytes from one to the next */
    float *sums;
} few;

#define X_BY_W(c, x) T_DOT(c, x, 7)
#define W_BY_X(c, x) T_DOT(c, 7, x)

/* Sums 0 to 3 meet the term of x that is in tile `x`, and term j of w. */
#define FEW_PRODUCTS(f, dot, x, j)                                                                 \
    do {                                                                                           \
        T_LOAD(7, (const uint16_t *)(f)->w[0] + (j)*TILE_NUMBERS, (f)->w_stride[0]);               \
        dot(0, x);                                                                                 \
        T_LOAD(7, (const uint16_t *)(f)->w[1] + (j)*TILE_NUMBERS, (f)->w_stride[1]);               \
        dot(1, x);                                                                                 \
        T_LOAD(7, (const uint16_t *)(f)->w[2] + (j)*TILE_NUMBERS, (f)->w_stride[2]);               \
        dot(2, x);                                                                                 \
        T_LOAD(7, (const uint16_t *)(f)->w[3] + (j)*TILE_NUMBERS, (f)->w_stride[3]);               \
        dot(3, x);                                                                                 \
    } while (0)

/* One step along k, the terms of x in tiles 4 to 6. */
#define FEW_STEP(f, dot)                                                                           \
    do {                                                                                           \
        for (size_t j = 0; j < (f)->w_terms; j++)                                                  \
            FEW_PRODUCTS(f, dot, 4, j);                                                            \
        if ((f)->x_terms == 1) break;                                                              \
        for (size_t j = 0; j < (f)->w_terms && j < 2; j++)                                         \
            FEW_PRODUCTS(f, dot, 5, j);                                                            \
        FEW_PRODUCTS(f, dot, 6, 0);                                                                \
    } while (0)

static void few_load_x(const few *f, const uint16_t *x) {
    T_LOAD(4, x, 64);
    if (f->x_terms == 1) return;
    T_LOAD(5, x + TILE_NUMBERS, 64);
    T_LOAD(6, x + 2 * TILE_NUMBERS, 64);
}

/* Tiles 0 to 3 from or to four tiles in memory, `next` numbers apart, rows `stride` bytes apart. */
#define FEW_SUMS(move, at, next, stride)                                                           \
    do {                                                                                           \
        move(0, at, stride);                                                                       \
        move(1, (at) + (next), stride);                                                            \
        move(2, (at) + 2 * (next), stride);                                                        \
        move(3, (at) + 3 * (next), stride);                                                        \
    } while (0)

/* w [K, N]: a strip's rows of w one step after the other, its sums in memory between them. */
static void few_in_out(few *f, size_t begin) {
    const nt_product *p = &f->p->product;
    const nt_matrix *w = p->w;
    pack_tile *pack = packer(w);
    size_t steps = steps_of(w->K), tile = f->w_terms * TILE_NUMBERS;
    size_t stride = STRIP_STRIDE * sizeof *f->sums;
    for (size_t c = 0; c < FEW_TILES; c++) {
        f->w[c] = f->packed + c * tile;
        f->w_stride[c] = 64;
    }
    tiles_ready(p->R);
    for (size_t n = begin; n < f->end; n += STRIP) {
        size_t width = least(STRIP, f->end - n);
        for (size_t r = 0; r < p->R; r++)
            take_bias(f->sums + r * STRIP_STRIDE, p, n, f->end, STRIP);
        for (size_t step = 0; step < steps; step++) {
            few_load_x(f, f->p->x + step * f->x_terms * TILE_NUMBERS);
            for (size_t c = 0; c < width; c += FEW_WIDTH) {
                FEW_SUMS(T_LOAD, f->sums + c, TILE, stride);
                for (size_t i = 0; i < FEW_TILES && c + i * TILE < width; i++)
                    pack(f->packed + i * tile, w, step * TILE_DEPTH, n + c + i * TILE, f->end);
                FEW_STEP(f, X_BY_W);
                FEW_SUMS(T_STORE, f->sums + c, TILE, stride);
            }
        }
        for (size_t r = 0; r < p->R; r++)
            memcpy(p->y + r * w->N + n, f->sums + r * STRIP_STRIDE, width * sizeof *p->y);
    }
}

/* Fetches what rows [n, n + FEW_WIDTH) of w [N, K] hold a few steps on; past their end, what the
 * rows after them begin with. */
static void few_fetch(const few *f, size_t step, size_t n) {
    enum { AHEAD = 6 };
    const nt_matrix *w = f->p->product.w;
    size_t size = nt_dtype_size(w->dtype), steps = steps_of(w->K);
    step += AHEAD;
    if (step >= steps) {
        step -= steps;
        n += FEW_WIDTH;
    }
    if (step >= steps) return;
    for (size_t i = n; i < n + FEW_WIDTH && i < f->end; i++) {
        const char *at = (const char *)w->data + (i * w->K + step * TILE_DEPTH) * size;
        _mm_prefetch(at, _MM_HINT_T0);
        if (size == 4) _mm_prefetch(at + 64, _MM_HINT_T0);
    }
}

/* Rows of w [N, K] as tiles, as they lie in memory or cut into terms. */
static void few_take_rows(few *f, size_t step, size_t n) {
    const nt_matrix *w = f->p->product.w;
    size_t k = step * TILE_DEPTH;
    for (size_t c = 0; c < FEW_TILES; c++, n += TILE) {
        uint16_t *tiles = f->packed + c * f->w_terms * TILE_NUMBERS;
        f->w[c] = tiles;
        f->w_stride[c] = 64;
        if (w->dtype == NT_BF16 && n + TILE <= f->end && k + TILE_DEPTH <= w->K) {
            f->w[c] = (const uint16_t *)w->data + n * w->K + k;
            f->w_stride[c] = w->K * sizeof(uint16_t);
        } else if (n < f->end) {
            pack_w_rows(tiles, w, k, n, f->end);
        }
    }
}

/* w [N, K]: here w has the rows and x, turned, the columns; sums [w's rows, x's rows] stay in their
 * tiles. */
static void few_out_in(few *f, size_t begin) {
    const nt_product *p = &f->p->product;
    size_t steps = steps_of(p->w->K), stride = TILE * sizeof *f->sums;
    _Alignas(64) uint16_t turned[3 * TILE_NUMBERS];
    tiles_ready(TILE);
    for (size_t n = begin; n < f->end; n += FEW_WIDTH) {
        size_t width = least(FEW_WIDTH, f->end - n);
        for (size_t i = 0; i < FEW_WIDTH; i++)
            for (size_t r = 0; r < TILE; r++)
                f->sums[i * TILE + r] = i < width && p->bias ? p->bias[n + i] : 0;
        FEW_SUMS(T_LOAD, f->sums, SUMS, stride);
        for (size_t step = 0; step < steps; step++) {
            const uint16_t *x = f->p->x + step * f->x_terms * TILE_NUMBERS;
            few_fetch(f, step, n);
            for (size_t i = 0; i < f->x_terms; i++)
                turn_tile(turned + i * TILE_NUMBERS, x + i * TILE_NUMBERS);
            few_load_x(f, turned);
            few_take_rows(f, step, n);
            FEW_STEP(f, W_BY_X);
        }
        FEW_SUMS(T_STORE, f->sums, SUMS, stride);
        for (size_t r = 0; r < p->R; r++)
            for (size_t i = 0; i < width; i++)
                p->y[r * p->w->N + n + i] = f->sums[i * TILE + r];
    }
}

static void few_rows(const nt_tile_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->product.w;
    few f = {.p = p,
             .end = end,
             .x_terms = p->terms,
             .w_terms = w_terms(w),
             .packed = (uint16_t *)scratch,
             .sums = scratch + FEW_TILES * 3 * TILE_NUMBERS / 2};
    memset(f.packed, 0, FEW_TILES * 3 * TILE_NUMBERS * sizeof *f.packed);
    if (w->layout == NT_IN_OUT)
        few_in_out(&f, begin);
    else
        few_out_in(&f, begin);
}

/* ---- Many rows ------------------------------------------------------------------------------- */

/* A packed block of w: steps [step, step + n_steps) of panels of sixteen columns from n on. */
typedef struct block {
    size_t step, n_steps, n, n_panels;
    size_t x_terms, w_terms;
    const uint16_t *tiles; /* [n_panels, n_steps, w_terms] */
    float *bias;           /* [2 TILE] room */
    float *edges;          /* [4, SUMS] room */
} block;

/* Where a tile of sums lies: in y, or beside it where y has not all of its rows and columns. */
typedef struct sums {
    float *at, *y; /* y NULL: the tile is not computed */
    size_t stride; /* bytes */
    size_t rows, columns;
} sums;

static sums sums_at(const nt_product *p, const block *b, size_t r, size_t n, size_t end,
                    float *edge) {
    if (r >= p->R || n >= end) return (sums){.at = edge, .stride = TILE * sizeof *edge};
    size_t N = p->w->N;
    sums s = {
        .y = p->y + r * N + n, .rows = least(TILE, p->R - r), .columns = least(TILE, end - n)};
    if (s.rows == TILE && s.columns == TILE) {
        s.at = s.y;
        s.stride = N * sizeof *edge;
        return s;
    }
    s.at = edge;
    s.stride = TILE * sizeof *edge;
    for (size_t i = 0; b->step > 0 && i < s.rows; i++)
        memcpy(edge + i * TILE, s.y + i * N, s.columns * sizeof *edge);
    return s;
}

static void sums_give(const sums *s, size_t N) {
    if (!s->y || s->at == s->y) return;
    for (size_t i = 0; i < s->rows; i++)
        memcpy(s->y + i * N, s->at + i * TILE, s->columns * sizeof *s->y);
}

/* Up to two groups of rows with two panels: sums in tiles 0 to 3. */
INLINE void multiply_steps(const uint16_t *const x[2], const uint16_t *const w[2], size_t n_steps,
                           size_t x_terms, size_t w_terms, bool groups, bool panels) {
    for (size_t s = 0; s < n_steps; s++) {
        for (size_t i = 0; i < x_terms; i++) {
            size_t a = (s * x_terms + i) * TILE_NUMBERS;
            T_LOAD(4, x[0] + a, 64);
            if (groups) T_LOAD(5, x[1] + a, 64);
            for (size_t j = 0; j < w_terms && i + j <= 2; j++) {
                size_t b = (s * w_terms + j) * TILE_NUMBERS;
                T_LOAD(6, w[0] + b, 64);
                if (panels) T_LOAD(7, w[1] + b, 64);
                T_DOT(0, 4, 6);
                if (panels) T_DOT(1, 4, 7);
                if (groups) T_DOT(2, 5, 6);
                if (groups && panels) T_DOT(3, 5, 7);
            }
        }
    }
}

/* A loop of its own for each number of terms and each shape. */
static void multiply(const uint16_t *const x[2], const uint16_t *const w[2], const block *b,
                     bool groups, bool panels) {
#define SHAPES(xt, wt)                                                                             \
    if (b->x_terms == xt && b->w_terms == wt) {                                                    \
        if (groups && panels)                                                                      \
            multiply_steps(x, w, b->n_steps, xt, wt, true, true);                                  \
        else if (groups)                                                                           \
            multiply_steps(x, w, b->n_steps, xt, wt, true, false);                                 \
        else if (panels)                                                                           \
            multiply_steps(x, w, b->n_steps, xt, wt, false, true);                                 \
        else                                                                                       \
            multiply_steps(x, w, b->n_steps, xt, wt, false, false);                                \
        return;                                                                                    \
    }
    SHAPES(1, 1)
    SHAPES(3, 3)
    SHAPES(3, 1)
    SHAPES(3, 2)
    multiply_steps(x, w, b->n_steps, b->x_terms, b->w_terms, groups, panels);
#undef SHAPES
}

/* Rows of groups g and g + 1, panels i and i + 1 of the block. */
static void multiply_block(const nt_tile_product *p, const block *b, size_t g, size_t i,
                           size_t end) {
    const nt_product *q = &p->product;
    size_t r = g * TILE, n = b->n + i * TILE, N = q->w->N, steps = steps_of(q->w->K);
    size_t group = steps * b->x_terms * TILE_NUMBERS, at = b->step * b->x_terms * TILE_NUMBERS;
    size_t panel = b->n_steps * b->w_terms * TILE_NUMBERS;
    const uint16_t *x[2] = {p->x + g * group + at, p->x + (g + 1) * group + at};
    const uint16_t *w[2] = {b->tiles + i * panel, b->tiles + (i + 1) * panel};
    bool groups = r + TILE < q->R, panels = n + TILE < end;
    sums s[4];
    for (size_t t = 0; t < 4; t++)
        s[t] = sums_at(q, b, r + t / 2 * TILE, n + t % 2 * TILE, end, b->edges + t * SUMS);
    if (b->step == 0) {
        take_bias(b->bias, q, n, end, 2 * TILE);
        T_LOAD(0, b->bias, 0);
        T_LOAD(1, b->bias + TILE, 0);
        T_LOAD(2, b->bias, 0);
        T_LOAD(3, b->bias + TILE, 0);
    } else {
        T_LOAD(0, s[0].at, s[0].stride);
        T_LOAD(1, s[1].at, s[1].stride);
        T_LOAD(2, s[2].at, s[2].stride);
        T_LOAD(3, s[3].at, s[3].stride);
    }
    multiply(x, w, b, groups, panels);
    T_STORE(0, s[0].at, s[0].stride);
    T_STORE(1, s[1].at, s[1].stride);
    T_STORE(2, s[2].at, s[2].stride);
    T_STORE(3, s[3].at, s[3].stride);
    for (size_t t = 0; t < 4; t++)
        sums_give(&s[t], N);
}

static void pack_block(uint16_t *tiles, const block *b, const nt_matrix *w, size_t end) {
    pack_tile *pack = packer(w);
    for (size_t s = 0; s < b->n_steps; s++) { /* along the rows of w [K, N] */
        for (size_t i = 0; i < b->n_panels; i++)
            pack(tiles + (i * b->n_steps + s) * b->w_terms * TILE_NUMBERS, w,
                 (b->step + s) * TILE_DEPTH, b->n + i * TILE, end);
    }
}

static void many_rows(const nt_tile_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->product.w;
    uint16_t *tiles = (uint16_t *)scratch;
    float *edges = scratch + BLOCK_TILES * TILE_NUMBERS / 2;
    size_t steps = steps_of(w->K), groups = (p->product.R + TILE - 1) / TILE;
    block b = {.x_terms = p->terms,
               .w_terms = w_terms(w),
               .tiles = tiles,
               .edges = edges,
               .bias = edges + 4 * SUMS};
    size_t most = BLOCK_TILES / (least(steps, BLOCK_STEPS) * b.w_terms) / 2 * 2;
    tiles_ready(TILE);
    for (b.n = begin; b.n < end; b.n += b.n_panels * TILE) {
        b.n_panels = least(most, (end - b.n + TILE - 1) / TILE);
        for (b.step = 0; b.step < steps; b.step += b.n_steps) {
            b.n_steps = least(BLOCK_STEPS, steps - b.step);
            pack_block(tiles, &b, w, end);
            for (size_t g = 0; g < groups; g += 2)
                for (size_t i = 0; i < b.n_panels; i += 2)
                    multiply_block(p, &b, g, i, end);
        }
    }
}

static void matmul(const nt_tile_product *p, size_t begin, size_t end, float *scratch) {
    if (p->product.R == 0 || begin >= end) return;
    if (p->product.R <= FEW_ROWS)
        few_rows(p, begin, end, scratch);
    else
        many_rows(p, begin, end, scratch);
    T_RELEASE();
}

const nt_tiles nt_tiles_amx = {
    .takes = takes, .packed = packed_size, .pack = pack_x, .matmul = matmul};

bool nt_amx_usable(void) {
#ifdef NT_AMX_MODEL
    return true;
#else
    bool bf16, int8;
    return nt_tiles_ready(&bf16, &int8) && bf16;
#endif
}
