/* Matmul of many rows with w [N, K]: blocks of rows of w are packed, as float32, for the tiles of
 * matmul_out_in.h. A block stays in L2 while all rows of x pass by, each group of them once; K
 * is cut so that a group's part stays in L1, and the sixteen lanes of its outputs wait between the
 * parts in memory. */

enum {
    PACKED = 96 * 1024, /* floats of a packed block */
    PART_K = 768,       /* the most of K at a time */
    DOT_MANY = 96,      /* rows from which on packing float32 pays */
    DOT_LEAST = (DOT_FULL + 1) / 2,
    DOT_TILE = DOT_COLUMNS * NT_LANES,
    DOT_LANES = PACKED / PART_K * DOT_FULL * NT_LANES /* floats that wait, where K is cut */
};
_Static_assert(PACKED + DOT_LANES <= NT_SCRATCH, "scratch is too small");
_Static_assert(DOT_FULL <= 6 && FEW_ROWS >= DOT_FULL && PART_K % NT_LANES == 0,
               "dot_part_rows knows no more");

INLINE size_t whole_lanes(size_t n) {
    return (n + NT_LANES - 1) / NT_LANES * NT_LANES;
}

/* DOT_COLUMNS rows of w, numbers [k, k + n_k) of each: [n_k / 16, DOT_COLUMNS, 16]. */
INLINE void pack_rows_as(float *panel, const nt_matrix *w, nt_dtype dtype, size_t n, size_t k,
                         size_t n_k) {
    size_t at = n * w->K + k, i = 0;
    for (; i + NT_LANES <= n_k; i += NT_LANES, panel += DOT_TILE)
#pragma GCC unroll 4
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            v_store(panel + c * NT_LANES, v_load_as(w->data, dtype, at + c * w->K + i));
    if (dtype <= NT_BF16 && i < n_k) { /* blocks have no ragged end */
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            v_store(panel + c * NT_LANES,
                    v_load_part_as(w->data, dtype, at + c * w->K + i, n_k - i));
    }
}

static void pack_rows(float *panel, const nt_matrix *w, size_t n, size_t k, size_t n_k) {
    switch (w->dtype) {
    case NT_F16: pack_rows_as(panel, w, NT_F16, n, k, n_k); break;
    case NT_BF16: pack_rows_as(panel, w, NT_BF16, n, k, n_k); break;
    case NT_Q8_0: pack_rows_as(panel, w, NT_Q8_0, n, k, n_k); break;
    case NT_Q4_0: pack_rows_as(panel, w, NT_Q4_0, n, k, n_k); break;
    case NT_Q6_K: pack_rows_as(panel, w, NT_Q6_K, n, k, n_k); break;
    default: pack_rows_as(panel, w, NT_F32, n, k, n_k); break;
    }
}

/* A tile of outputs over numbers [k, k + n_k) of K. */
typedef struct dot_part {
    const nt_product *p;
    size_t r, n; /* its first row and column */
    size_t k, n_k;
    const float *panel; /* [n_k / 16, DOT_COLUMNS, 16] */
    float *lanes;       /* [n_rows, DOT_COLUMNS, 16] from the part before to the next one */
    ahead *next;
} dot_part;

/* Trees and biases, two rows at a time. */
INLINE void dot_end(const dot_part *t, vec sum[DOT_FULL][DOT_COLUMNS], size_t n_rows) {
    const nt_product *p = t->p;
    float dot[DOT_FULL + 1][DOT_COLUMNS];
#pragma GCC unroll 4
    for (size_t i = 0; i < n_rows; i += 2)
        v_trees_two(dot[i], sum[i], sum[i + 1 < n_rows ? i + 1 : i]);
#pragma GCC unroll 8
    for (size_t i = 0; i < n_rows; i++) {
        float *y = p->y + (t->r + i) * p->w->N + t->n;
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            y[c] = p->bias ? dot[i][c] + p->bias[t->n + c] : dot[i][c];
    }
}

INLINE void dot_step(vec sum[DOT_FULL][DOT_COLUMNS], const float *x, size_t K, const float *panel,
                     size_t n_rows) {
#pragma GCC unroll 4
    for (size_t j = 0; j < PARTS; j++) { /* part by part: fewer operands wait in registers */
        reg w[DOT_COLUMNS];
#pragma GCC unroll 4
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            w[c] = r_pin(r_load(panel + c * NT_LANES + j * PART_LANES));
#pragma GCC unroll 8
        for (size_t i = 0; i < n_rows; i++) {
            reg v = r_pin(r_load(x + i * K + j * PART_LANES));
#pragma GCC unroll 4
            for (size_t c = 0; c < DOT_COLUMNS; c++)
                sum[i][c].part[j] = r_fma(v, w[c], sum[i][c].part[j]);
        }
    }
}

INLINE void dot_part_tile(const dot_part *t, size_t n_rows) {
    vec sum[DOT_FULL][DOT_COLUMNS];
    size_t K = t->p->w->K, n_k = t->n_k / NT_LANES, ragged = t->n_k % NT_LANES;
    const float *x = t->p->x + t->r * K + t->k, *panel = t->panel;
    ahead next = *t->next;
#pragma GCC unroll 8
    for (size_t i = 0; i < n_rows; i++)
#pragma GCC unroll 4
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            sum[i][c] = t->k ? v_load(t->lanes + (i * DOT_COLUMNS + c) * NT_LANES) : v_zero();
    size_t k = 0;
    for (; k + TILE_STEPS <= n_k; k += TILE_STEPS) {
        fetch_line(&next);
#pragma GCC unroll 4
        for (size_t i = 0; i < TILE_STEPS; i++, x += NT_LANES, panel += DOT_TILE)
            dot_step(sum, x, K, panel, n_rows);
    }
    for (; k < n_k; k++, x += NT_LANES, panel += DOT_TILE)
        dot_step(sum, x, K, panel, n_rows);
    *t->next = next;
    if (ragged) {
        for (size_t c = 0; c < DOT_COLUMNS; c++) {
            vec w = v_load(panel + c * NT_LANES);
            for (size_t i = 0; i < n_rows; i++)
                sum[i][c] = v_fma_part(v_load_part(x + i * K, ragged), w, sum[i][c], ragged);
        }
    }
    if (t->k + t->n_k == K) {
        dot_end(t, sum, n_rows);
        return;
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < n_rows; i++)
#pragma GCC unroll 4
        for (size_t c = 0; c < DOT_COLUMNS; c++)
            v_store(t->lanes + (i * DOT_COLUMNS + c) * NT_LANES, sum[i][c]);
}

static void dot_part_rows(const dot_part *t, size_t n_rows) {
    switch (n_rows) {
        ROWS(2, DOT_LEAST, DOT_FULL, dot_part_tile(t, 2));
        ROWS(3, DOT_LEAST, DOT_FULL, dot_part_tile(t, 3));
        ROWS(4, DOT_LEAST, DOT_FULL, dot_part_tile(t, 4));
        ROWS(5, DOT_LEAST, DOT_FULL, dot_part_tile(t, 5));
        ROWS(6, DOT_LEAST, DOT_FULL, dot_part_tile(t, 6));
    default: break;
    }
}

/* Columns [n, n + n_n), whole tiles of them: group of rows after group, which packs w on the way if
 * it is the first, all of them with K in parts of n_k. */
static void dot_packed_block(const nt_product *p, size_t n, size_t n_n, size_t n_k, float *scratch,
                             ahead *next) {
    size_t K = p->w->K, groups = (p->R + DOT_FULL - 1) / DOT_FULL;
    float *lanes = scratch + PACKED;
    for (size_t g = 0; g < groups; g++) { /* groups of nearly equal size */
        size_t from = g * p->R / groups, rows = (g + 1) * p->R / groups - from;
        for (size_t k = 0; k < K; k += n_k) {
            dot_part t = {.p = p, .r = from, .k = k, .next = next};
            t.n_k = K - k < n_k ? K - k : n_k;
            for (size_t j = 0; j < n_n; j += DOT_COLUMNS) {
                float *panel = scratch + k * n_n + j * whole_lanes(t.n_k);
                if (g == 0) pack_rows(panel, p->w, n + j, k, t.n_k);
                t.n = n + j;
                t.panel = panel;
                t.lanes = lanes + j * DOT_FULL * NT_LANES;
                dot_part_rows(&t, rows);
            }
        }
    }
}

/* Whether packing pays: it saves the rows of a call from expanding numbers of fewer bytes again and
 * again; float32 only gains that tiles find all they need in L1 and L2. */
INLINE bool dot_packs(const nt_product *p) {
    return p->R > FEW_ROWS && p->w->K > 0 && (p->w->dtype != NT_F32 || p->R >= DOT_MANY);
}

/* Whole tiles of columns in [begin, end), if K is not so long that no block holds one. Returns
 * where they end. */
static size_t dot_packed(const nt_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->w;
    size_t K = w->K, parts = (K + PART_K - 1) / PART_K;
    size_t n_k = whole_lanes((K + parts - 1) / parts);
    size_t width = PACKED / whole_lanes(K) / DOT_COLUMNS * DOT_COLUMNS;
    if (width == 0) return begin;
    end -= (end - begin) % DOT_COLUMNS;
    for (size_t n = begin, n_n; n < end; n += n_n) {
        n_n = end - n < width ? end - n : width;
        size_t after = end - n - n_n < width ? end - n - n_n : width;
        size_t steps = (p->R + DOT_FULL - 1) / DOT_FULL * n_n / DOT_COLUMNS * (K / NT_LANES);
        ahead next = fetch_later((const char *)w->data + nt_dtype_bytes(w->dtype, (n + n_n) * K),
                                 nt_dtype_bytes(w->dtype, after * K), after > 0, 0, steps);
        dot_packed_block(p, n, n_n, n_k, scratch, &next);
    }
    return end;
}
