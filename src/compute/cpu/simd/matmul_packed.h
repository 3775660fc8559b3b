/* Matmul of many rows with w [K, N]: blocks of w are packed, as float32, into panels for a register
 * tile, which stay in L2 while all rows of x pass by. Outputs wait in memory from one block of K to
 * the next. */

enum {
    BLOCK_K = 192, /* rows of w in a packed block */
    BLOCK_N = 512, /* columns of w in a packed block */
    PANEL = TILE_COLUMNS * NT_LANES
};
_Static_assert(BLOCK_K *BLOCK_N <= NT_SCRATCH, "scratch is too small");

/* One packed block of w: rows [k, k + n_k), columns [n, n + n_n). */
typedef struct block {
    size_t k, n_k, n, n_n;
} block;

/* A block of w as panels [n_k, PANEL]; columns past the last are 0. Walks w row by row. */
INLINE void pack_as(float *panels, const nt_matrix *w, nt_dtype dtype, const block *b) {
    size_t n_k = b->n_k, n_n = b->n_n;
    for (size_t i = 0; i < n_k; i++) {
        size_t at = (b->k + i) * w->N + b->n, j = 0;
        float *row = panels + i * PANEL;
        for (; j + PANEL <= n_n; j += PANEL, row += n_k * PANEL)
#pragma GCC unroll 4
            for (size_t c = 0; c < PANEL; c += NT_LANES)
                v_store(row + c, v_load_as(w->data, dtype, at + j + c));
        if (j == n_n) continue;
        for (size_t c = 0; c < PANEL; c += NT_LANES) { /* the last panel */
            size_t rest = j + c < n_n ? n_n - j - c : 0;
            v_store(row + c, rest < NT_LANES ? v_load_part_as(w->data, dtype, at + j + c, rest)
                                             : v_load_as(w->data, dtype, at + j + c));
        }
    }
}

static void pack(float *panels, const nt_matrix *w, const block *b) {
    switch (w->dtype) {
    case NT_F16: pack_as(panels, w, NT_F16, b); break;
    case NT_BF16: pack_as(panels, w, NT_BF16, b); break;
    default: pack_as(panels, w, NT_F32, b); break;
    }
}

/* A tile of y: n_rows x PANEL outputs, ld apart, continue their chains over n_k. */
typedef struct tile {
    float *y;
    size_t ld;
    const float *x;
    size_t K;           /* from row to row of x */
    const float *panel; /* [n_k, PANEL] */
    const float *bias;  /* [PANEL], or NULL: not the last block of k, or no bias */
    size_t n_k;
    bool start; /* chains begin here */
    ahead *next;
} tile;

INLINE void multiply_step(vec sum[TILE_ROWS][TILE_COLUMNS], const float *x, size_t K,
                          const float *panel, size_t n_rows) {
    vec w[TILE_COLUMNS];
#pragma GCC unroll 4
    for (size_t c = 0; c < TILE_COLUMNS; c++)
        w[c] = v_load(panel + c * NT_LANES);
#pragma GCC unroll 8
    for (size_t r = 0; r < n_rows; r++) {
        vec v = v_set(x[r * K]);
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++)
            sum[r][c] = v_fma(v, w[c], sum[r][c]);
    }
}

INLINE void multiply_tile(const tile *t, size_t n_rows) {
    vec sum[TILE_ROWS][TILE_COLUMNS];
    const float *x = t->x, *panel = t->panel;
    size_t K = t->K;
    ahead next = *t->next;
#pragma GCC unroll 8
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++)
            sum[r][c] = t->start ? v_zero() : v_load(t->y + r * t->ld + c * NT_LANES);
    size_t k = 0;
    for (; k + TILE_STEPS <= t->n_k; k += TILE_STEPS) {
        fetch_line(&next);
#pragma GCC unroll 4
        for (size_t i = 0; i < TILE_STEPS; i++, x++, panel += PANEL)
            multiply_step(sum, x, K, panel, n_rows);
    }
    for (; k < t->n_k; k++, x++, panel += PANEL)
        multiply_step(sum, x, K, panel, n_rows);
    *t->next = next;
#pragma GCC unroll 8
    for (size_t r = 0; r < n_rows; r++) {
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++) {
            if (t->bias) sum[r][c] = v_add(sum[r][c], v_load(t->bias + c * NT_LANES));
            v_store(t->y + r * t->ld + c * NT_LANES, sum[r][c]);
        }
    }
}

/* More than FEW_ROWS rows come here, in groups of nearly equal size: never fewer than half of a
 * tile. */
enum { TILE_LEAST = (TILE_ROWS + 1) / 2 };
_Static_assert(FEW_ROWS + 1 >= TILE_LEAST && TILE_LEAST >= 3 && TILE_ROWS <= 6,
               "multiply_rows knows no others");

static void multiply_rows(const tile *t, size_t n_rows) {
    switch (n_rows) {
        ROWS(3, TILE_LEAST, TILE_ROWS, multiply_tile(t, 3));
        ROWS(4, TILE_LEAST, TILE_ROWS, multiply_tile(t, 4));
        ROWS(5, TILE_LEAST, TILE_ROWS, multiply_tile(t, 5));
        ROWS(6, TILE_LEAST, TILE_ROWS, multiply_tile(t, 6));
    default: break;
    }
}
/* A panel with fewer columns than PANEL: through a whole tile beside y. */
static void multiply_narrow(const tile *t, size_t n_rows, size_t n_columns) {
    float whole[TILE_ROWS * PANEL] = {0}, bias[PANEL] = {0};
    tile u = *t;
    u.y = whole;
    u.ld = PANEL;
    if (t->bias) u.bias = memcpy(bias, t->bias, n_columns * sizeof *bias);
    for (size_t r = 0; !t->start && r < n_rows; r++)
        memcpy(whole + r * PANEL, t->y + r * t->ld, n_columns * sizeof *whole);
    multiply_rows(&u, n_rows);
    for (size_t r = 0; r < n_rows; r++)
        memcpy(t->y + r * t->ld, whole + r * PANEL, n_columns * sizeof *whole);
}

/* The block that follows, down the rows and then to the right; false after the last. */
INLINE bool next_block(block *b, const nt_matrix *w, size_t end) {
    b->k += b->n_k;
    if (b->k >= w->K) {
        b->k = 0;
        b->n += b->n_n;
    }
    if (b->n >= end) return false;
    b->n_n = end - b->n < BLOCK_N ? end - b->n : BLOCK_N;
    b->n_k = w->K - b->k < BLOCK_K ? w->K - b->k : BLOCK_K;
    return true;
}

/* Every group of rows meets every panel of a packed block. */
static void multiply_block(const nt_product *p, const block *b, const float *panels, ahead *next) {
    const nt_matrix *w = p->w;
    bool last = b->k + b->n_k == w->K;
    size_t groups = (p->R + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t g = 0; g < groups; g++) { /* groups of nearly equal size */
        size_t from = g * p->R / groups, rows = (g + 1) * p->R / groups - from;
        for (size_t j = 0; j < b->n_n; j += PANEL) {
            tile t = {.y = p->y + from * w->N + b->n + j,
                      .ld = w->N,
                      .x = p->x + from * w->K + b->k,
                      .K = w->K,
                      .panel = panels + j * b->n_k,
                      .bias = last && p->bias ? p->bias + b->n + j : NULL,
                      .n_k = b->n_k,
                      .start = b->k == 0,
                      .next = next};
            if (b->n_n - j < PANEL)
                multiply_narrow(&t, rows, b->n_n - j);
            else
                multiply_rows(&t, rows);
        }
    }
}

static void multiply_packed(const nt_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->w;
    block b = {.n = begin}, following = {.n = begin};
    for (bool more = next_block(&following, w, end); more;) {
        b = following;
        more = next_block(&following, w, end);
        size_t steps = (p->R + TILE_ROWS - 1) / TILE_ROWS * ((b.n_n + PANEL - 1) / PANEL) * b.n_k;
        size_t size = nt_dtype_size(w->dtype);
        const char *first = (const char *)w->data + (following.k * w->N + following.n) * size;
        ahead next =
            fetch_later(first, following.n_n * size, more ? following.n_k : 0, w->N * size, steps);
        pack(scratch, w, &b);
        multiply_block(p, &b, scratch, &next);
    }
}
