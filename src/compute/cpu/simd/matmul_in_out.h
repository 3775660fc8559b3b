/* Matmul with w [K, N], as GPT-2 stores it: each output is one chain over k, and sixteen
 * neighbouring outputs are a vector. Two ways, one order:
 *   few rows:  w is streamed row by row, several rows a pass, outputs waiting in L1;
 *   many rows: blocks of w are packed into panels for a register tile. */

enum {
    BLOCK_K = 256,                 /* rows of w in a packed block */
    BLOCK_N = 384,                 /* columns of w in a packed block */
    BLOCK_R = 192,                 /* rows of x in a packed block */
    X_STRIDE = BLOCK_K + NT_LANES, /* no power of two: rows must not share cache sets */
    PANEL = TILE_COLUMNS * NT_LANES
};
_Static_assert(BLOCK_K *BLOCK_N + BLOCK_R * X_STRIDE <= NT_SCRATCH, "scratch is too small");

/* ---- Few rows -------------------------------------------------------------------------------- */

/* y[r][n ..] continues its chain over n_k rows of w from k on; `part` lanes when not 0. */
INLINE void stream_tile(const nt_product *p, nt_dtype dtype, size_t n_rows, size_t k, size_t n_k,
                        size_t n, size_t part) {
    const nt_matrix *w = p->w;
    vec sum[STREAM_ROWS];
    for (size_t r = 0; r < n_rows; r++) {
        const float *y = p->y + r * w->N + n;
        sum[r] = k == 0 ? v_zero() : part ? v_load_part(y, part) : v_load(y);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < n_k; i++) {
        size_t at = (k + i) * w->N + n;
        vec v = part ? v_load_part_as(w->data, dtype, at, part) : v_load_as(w->data, dtype, at);
        for (size_t r = 0; r < n_rows; r++)
            sum[r] = v_fma(v_set(p->x[r * w->K + k + i]), v, sum[r]);
    }
    for (size_t r = 0; r < n_rows; r++) {
        float *y = p->y + r * w->N + n;
        if (p->bias && k + n_k == w->K) {
            sum[r] = v_add(sum[r], part ? v_load_part(p->bias + n, part) : v_load(p->bias + n));
        }
        if (part)
            v_store_part(y, sum[r], part);
        else
            v_store(y, sum[r]);
    }
}

/* n_k rows of w a pass; the last rows go one by one. */
INLINE void stream_as(const nt_product *p, nt_dtype dtype, size_t n_rows, size_t n_k, size_t begin,
                      size_t end) {
    for (size_t k = 0; k + n_k <= p->w->K; k += n_k)
        for (size_t n = begin; n < end; n += NT_LANES)
            stream_tile(p, dtype, n_rows, k, n_k, n, 0);
}

/* What the passes above leave: rows of w from k on, columns [begin, end), one row at a time. */
INLINE void stream_edge(const nt_product *p, nt_dtype dtype, size_t k, size_t begin, size_t end) {
    for (; k < p->w->K; k++) {
        for (size_t n = begin; n < end; n += NT_LANES)
            stream_tile(p, dtype, p->R, k, 1, n, end - n < NT_LANES ? end - n : 0);
    }
}

/* One function a type, each with a loop for every number of rows. */
#define STREAM(name, dtype)                                                                        \
    static void name(const nt_product *p, size_t begin, size_t end) {                              \
        size_t whole = begin + (end - begin) / NT_LANES * NT_LANES, n_k = p->R == 1 ? 8 : 4;       \
        switch (p->R) {                                                                            \
            ROWS(1, 1, STREAM_ROWS, stream_as(p, dtype, 1, 8, begin, whole));                      \
            ROWS(2, 1, STREAM_ROWS, stream_as(p, dtype, 2, 4, begin, whole));                      \
            ROWS(3, 1, STREAM_ROWS, stream_as(p, dtype, 3, 4, begin, whole));                      \
            ROWS(4, 1, STREAM_ROWS, stream_as(p, dtype, 4, 4, begin, whole));                      \
            ROWS(5, 1, STREAM_ROWS, stream_as(p, dtype, 5, 4, begin, whole));                      \
            ROWS(6, 1, STREAM_ROWS, stream_as(p, dtype, 6, 4, begin, whole));                      \
            ROWS(7, 1, STREAM_ROWS, stream_as(p, dtype, 7, 4, begin, whole));                      \
            ROWS(8, 1, STREAM_ROWS, stream_as(p, dtype, 8, 4, begin, whole));                      \
        default: break;                                                                            \
        }                                                                                          \
        stream_edge(p, dtype, p->w->K / n_k * n_k, begin, whole);                                  \
        stream_edge(p, dtype, 0, whole, end);                                                      \
    }
STREAM(stream_f32, NT_F32)
STREAM(stream_f16, NT_F16)
STREAM(stream_bf16, NT_BF16)
#undef STREAM
_Static_assert(STREAM_ROWS <= 8, "STREAM knows no more");

static void stream(const nt_product *p, size_t begin, size_t end) {
    switch (p->w->dtype) {
    case NT_F16: stream_f16(p, begin, end); break;
    case NT_BF16: stream_bf16(p, begin, end); break;
    default: stream_f32(p, begin, end); break;
    }
}

/* ---- Many rows ------------------------------------------------------------------------------- */

/* One packed block of w: rows [k, k + n_k), columns [n, n + n_n). */
typedef struct block {
    size_t k, n_k, n, n_n;
} block;

/* A block of w as panels [n_k, PANEL]; columns past the last are 0. Walks w row by row. */
INLINE void pack_as(float *panels, const nt_matrix *w, nt_dtype dtype, const block *b) {
    size_t n_k = b->n_k, n_n = b->n_n;
    for (size_t i = 0; i < n_k; i++) {
        size_t at = (b->k + i) * w->N + b->n, j = 0;
        for (; j < n_n; j += NT_LANES) {
            float *to = panels + j / PANEL * (n_k * PANEL) + i * PANEL + j % PANEL;
            size_t rest = n_n - j;
            v_store(to, rest < NT_LANES ? v_load_part_as(w->data, dtype, at + j, rest)
                                        : v_load_as(w->data, dtype, at + j));
        }
        for (; j % PANEL; j += NT_LANES) /* what the last panel lacks */
            v_store(panels + j / PANEL * (n_k * PANEL) + i * PANEL + j % PANEL, v_zero());
    }
}

static void pack(float *panels, const nt_matrix *w, const block *b) {
    switch (w->dtype) {
    case NT_F16: pack_as(panels, w, NT_F16, b); break;
    case NT_BF16: pack_as(panels, w, NT_BF16, b); break;
    default: pack_as(panels, w, NT_F32, b); break;
    }
}

/* The block of w that comes next, fetched into L2 while this one is multiplied. */
typedef struct ahead {
    const char *rows; /* its first row */
    size_t n_lines;   /* cache lines of the whole block */
    size_t width;     /* lines of a row */
    size_t stride;    /* bytes from row to row */
} ahead;

/* A tile of y: n_rows x PANEL outputs, ld apart, continue their chains over n_k. */
typedef struct tile {
    float *y;
    size_t ld;
    const float *x;     /* rows X_STRIDE apart */
    const float *panel; /* [n_k, PANEL] */
    const float *bias;  /* [PANEL], or NULL: not the last block of k, or no bias */
    size_t n_k;
    bool start; /* chains begin here */
    const ahead *next;
    size_t line; /* which line of it this tile fetches first */
} tile;

enum { FETCH_EVERY = 2, LINE = 64 }; /* one line in so many steps of k */

INLINE void multiply_step(vec sum[TILE_ROWS][TILE_COLUMNS], const float *x, const float *panel,
                          size_t n_rows) {
    vec w[TILE_COLUMNS];
#pragma GCC unroll 4
    for (size_t c = 0; c < TILE_COLUMNS; c++)
        w[c] = v_load(panel + c * NT_LANES);
#pragma GCC unroll 16
    for (size_t r = 0; r < n_rows; r++) {
        vec v = v_set(x[r * X_STRIDE]);
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++)
            sum[r][c] = v_fma(v, w[c], sum[r][c]);
    }
}

INLINE void multiply_tile(const tile *t, size_t n_rows) {
    vec sum[TILE_ROWS][TILE_COLUMNS];
#pragma GCC unroll 16
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++)
            sum[r][c] = t->start ? v_zero() : v_load(t->y + r * t->ld + c * NT_LANES);
    const float *x = t->x, *panel = t->panel;
    size_t k = 0;
    if (t->line < t->next->n_lines) {
        size_t row = t->line / t->next->width, at = t->line % t->next->width;
        const char *line = t->next->rows + row * t->next->stride + at * LINE;
        for (; k + FETCH_EVERY <= t->n_k; k += FETCH_EVERY) {
            __builtin_prefetch(line, 0, 2);
            line += LINE;
            if (++at == t->next->width) {
                at = 0;
                line += t->next->stride - t->next->width * LINE;
            }
#pragma GCC unroll 2
            for (int i = 0; i < FETCH_EVERY; i++, x++, panel += PANEL)
                multiply_step(sum, x, panel, n_rows);
        }
    }
    for (; k < t->n_k; k++, x++, panel += PANEL)
        multiply_step(sum, x, panel, n_rows);
#pragma GCC unroll 16
    for (size_t r = 0; r < n_rows; r++) {
#pragma GCC unroll 4
        for (size_t c = 0; c < TILE_COLUMNS; c++) {
            if (t->bias) sum[r][c] = v_add(sum[r][c], v_load(t->bias + c * NT_LANES));
            v_store(t->y + r * t->ld + c * NT_LANES, sum[r][c]);
        }
    }
}

/* More than STREAM_ROWS rows come here, in groups of nearly equal size: never fewer than half of a
 * tile. */
enum { TILE_LEAST = (TILE_ROWS + 1) / 2 };
_Static_assert(STREAM_ROWS + 1 >= TILE_LEAST && TILE_LEAST >= 3 && TILE_ROWS <= 12,
               "multiply_rows knows no others");

static void multiply_rows(const tile *t, size_t n_rows) {
    switch (n_rows) {
        ROWS(3, TILE_LEAST, TILE_ROWS, multiply_tile(t, 3));
        ROWS(4, TILE_LEAST, TILE_ROWS, multiply_tile(t, 4));
        ROWS(5, TILE_LEAST, TILE_ROWS, multiply_tile(t, 5));
        ROWS(6, TILE_LEAST, TILE_ROWS, multiply_tile(t, 6));
        ROWS(7, TILE_LEAST, TILE_ROWS, multiply_tile(t, 7));
        ROWS(8, TILE_LEAST, TILE_ROWS, multiply_tile(t, 8));
        ROWS(9, TILE_LEAST, TILE_ROWS, multiply_tile(t, 9));
        ROWS(10, TILE_LEAST, TILE_ROWS, multiply_tile(t, 10));
        ROWS(11, TILE_LEAST, TILE_ROWS, multiply_tile(t, 11));
        ROWS(12, TILE_LEAST, TILE_ROWS, multiply_tile(t, 12));
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

static ahead fetch_of(const block *b, const nt_matrix *w) {
    size_t size = nt_dtype_size(w->dtype), width = b->n_n * size / LINE;
    return (ahead){.rows = (const char *)w->data + (b->k * w->N + b->n) * size,
                   .n_lines = b->n_k * width,
                   .width = width,
                   .stride = w->N * size};
}

/* Rows [r, r + n_r) of y times one packed block: every panel meets every group of rows. *line
 * counts what was fetched of the next. */
static void multiply_block(const nt_product *p, const block *b, const float *panels, const float *x,
                           size_t r, size_t n_r, const ahead *next, size_t *line) {
    const nt_matrix *w = p->w;
    bool last = b->k + b->n_k == w->K;
    size_t groups = (n_r + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t j = 0; j < b->n_n; j += PANEL) {
        for (size_t g = 0; g < groups; g++) { /* groups of nearly equal size */
            size_t from = g * n_r / groups, rows = (g + 1) * n_r / groups - from;
            tile t = {.y = p->y + (r + from) * w->N + b->n + j,
                      .ld = w->N,
                      .x = x + from * X_STRIDE,
                      .panel = panels + j * b->n_k,
                      .bias = last && p->bias ? p->bias + b->n + j : NULL,
                      .n_k = b->n_k,
                      .start = b->k == 0,
                      .next = next,
                      .line = *line};
            *line += b->n_k / FETCH_EVERY;
            if (b->n_n - j < PANEL)
                multiply_narrow(&t, rows, b->n_n - j);
            else
                multiply_rows(&t, rows);
        }
    }
}

static void multiply_packed(const nt_product *p, size_t begin, size_t end, float *scratch) {
    float *x = scratch, *panels = scratch + BLOCK_R * X_STRIDE;
    size_t K = p->w->K, parts = (p->R + BLOCK_R - 1) / BLOCK_R;
    block b = {.n = begin}, following = {.n = begin};
    for (bool more = next_block(&following, p->w, end); more;) {
        b = following;
        more = next_block(&following, p->w, end);
        ahead next = more ? fetch_of(&following, p->w) : (ahead){.width = 1};
        size_t line = 0;
        pack(panels, p->w, &b);
        for (size_t part = 0; part < parts; part++) { /* of nearly equal size */
            size_t r = part * p->R / parts, n_r = (part + 1) * p->R / parts - r;
            for (size_t i = 0; i < n_r; i++)
                memcpy(x + i * X_STRIDE, p->x + (r + i) * K + b.k, b.n_k * sizeof *x);
            multiply_block(p, &b, panels, x, r, n_r, &next, &line);
        }
    }
}

static void matmul_in_out(const nt_product *p, size_t begin, size_t end, float *scratch) {
    if (p->w->K == 0) { /* an empty sum, plus bias */
        for (size_t r = 0; r < p->R; r++)
            for (size_t n = begin; n < end; n++)
                p->y[r * p->w->N + n] = p->bias ? 0.0f + p->bias[n] : 0.0f;
    } else if (p->R <= STREAM_ROWS) {
        stream(p, begin, end);
    } else {
        multiply_packed(p, begin, end, scratch);
    }
}
