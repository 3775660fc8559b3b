/* Matmul of few rows with w [K, N]: the time is that of reading w once from memory, whatever the
 * number of rows, as far as a core's arithmetic keeps up with its reading. w is walked STREAM_K
 * rows at a time, from left to right (a walk by columns would touch a new page at every row, and
 * break the processor's own reading ahead), while the rows that follow are asked for. The sums wait
 * in a strip of the scratch memory, in L1 or L2. */

enum {
    STREAM_K = 16,      /* rows of w a pass */
    STREAM_LD = 2048,   /* floats from one row of sums to the next: the widest strip */
    PAGE_BYTES = 4096,  /* loads and stores that are equal modulo this wait for each other */
    LINE_BYTES = 64,    /* of the cache */
    STREAM_BEHIND = 128 /* bytes modulo PAGE_BYTES by which sums lie before their column of w */
};
_Static_assert(FEW_ROWS *STREAM_LD + PAGE_BYTES / 4 <= NT_SCRATCH, "scratch is too small");

/* Rows [k, k + n_k) of a strip of w, on their way into some rows of sums. */
typedef struct pass {
    const char *w;  /* row k, the strip's first column */
    size_t stride;  /* bytes from row to row */
    size_t ahead;   /* bytes to the rows that come next; 0 where there are none */
    size_t n_k, n;  /* rows and columns of w */
    const float *x; /* [n_k, n_rows] */
    float *sums;    /* [n_rows, STREAM_LD] */
} pass;

/* STREAM_COLUMNS vectors of columns from n on. */
INLINE void stream_tile(const pass *s, nt_dtype dtype, size_t n_rows, size_t n) {
    const size_t size = dtype == NT_F32 ? 4 : 2, bytes = STREAM_COLUMNS * NT_LANES * size;
    const char *w = s->w + n * size;
    const float *x = s->x;
    float *sums = s->sums + n;
    size_t stride = s->stride, ahead = s->ahead;
    vec sum[STREAM_ROWS][STREAM_COLUMNS];
#pragma GCC unroll 16
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 2
        for (size_t c = 0; c < STREAM_COLUMNS; c++)
            sum[r][c] = v_load(sums + r * STREAM_LD + c * NT_LANES);
#pragma GCC unroll 4
    for (size_t i = 0; i < s->n_k; i++, w += stride, x += n_rows) {
        vec v[STREAM_COLUMNS];
#pragma GCC unroll 2
        for (size_t b = 0; b < bytes; b += LINE_BYTES)
            __builtin_prefetch(w + ahead + b, 0, 3);
#pragma GCC unroll 2
        for (size_t c = 0; c < STREAM_COLUMNS; c++)
            v[c] = v_pin(v_load_as(w, dtype, c * NT_LANES));
#pragma GCC unroll 16
        for (size_t r = 0; r < n_rows; r++) {
            vec of_row = v_set(x[r]);
            if (STREAM_COLUMNS > 1) of_row = v_pin(of_row);
#pragma GCC unroll 2
            for (size_t c = 0; c < STREAM_COLUMNS; c++)
                sum[r][c] = v_fma(of_row, v[c], sum[r][c]);
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 2
        for (size_t c = 0; c < STREAM_COLUMNS; c++)
            v_store(sums + r * STREAM_LD + c * NT_LANES, sum[r][c]);
}

/* What the tiles leave on the right: columns from n on, fewer than a tile has. */
static void stream_edge(const pass *s, nt_dtype dtype, size_t n_rows, size_t n) {
    size_t stride = s->stride / nt_dtype_size(dtype);
    for (; n < s->n; n += NT_LANES) {
        size_t part = s->n - n;
        for (size_t i = 0; i < s->n_k; i++) {
            size_t at = i * stride + n;
            vec v = part < NT_LANES ? v_load_part_as(s->w, dtype, at, part)
                                    : v_load_as(s->w, dtype, at);
            for (size_t r = 0; r < n_rows; r++) {
                float *sum = s->sums + r * STREAM_LD + n;
                v_store(sum, v_fma(v_set(s->x[i * n_rows + r]), v, v_load(sum)));
            }
        }
    }
}

INLINE void stream_rows(const pass *s, nt_dtype dtype, size_t n_rows) {
    const size_t wide = STREAM_COLUMNS * NT_LANES;
    size_t n = 0;
    for (; n + wide <= s->n; n += wide)
        stream_tile(s, dtype, n_rows, n);
    if (n < s->n) stream_edge(s, dtype, n_rows, n);
}

/* One function a type, each with a loop for every number of rows. */
#define STREAM(name, dtype)                                                                        \
    static void name(const pass *s, size_t n_rows) {                                               \
        switch (n_rows) {                                                                          \
            ROWS(1, 1, STREAM_ROWS, stream_rows(s, dtype, 1));                                     \
            ROWS(2, 1, STREAM_ROWS, stream_rows(s, dtype, 2));                                     \
            ROWS(3, 1, STREAM_ROWS, stream_rows(s, dtype, 3));                                     \
            ROWS(4, 1, STREAM_ROWS, stream_rows(s, dtype, 4));                                     \
            ROWS(5, 1, STREAM_ROWS, stream_rows(s, dtype, 5));                                     \
            ROWS(6, 1, STREAM_ROWS, stream_rows(s, dtype, 6));                                     \
            ROWS(7, 1, STREAM_ROWS, stream_rows(s, dtype, 7));                                     \
            ROWS(8, 1, STREAM_ROWS, stream_rows(s, dtype, 8));                                     \
            ROWS(9, 1, STREAM_ROWS, stream_rows(s, dtype, 9));                                     \
            ROWS(10, 1, STREAM_ROWS, stream_rows(s, dtype, 10));                                   \
            ROWS(11, 1, STREAM_ROWS, stream_rows(s, dtype, 11));                                   \
            ROWS(12, 1, STREAM_ROWS, stream_rows(s, dtype, 12));                                   \
            ROWS(13, 1, STREAM_ROWS, stream_rows(s, dtype, 13));                                   \
            ROWS(14, 1, STREAM_ROWS, stream_rows(s, dtype, 14));                                   \
            ROWS(15, 1, STREAM_ROWS, stream_rows(s, dtype, 15));                                   \
            ROWS(16, 1, STREAM_ROWS, stream_rows(s, dtype, 16));                                   \
        default: break;                                                                            \
        }                                                                                          \
    }
STREAM(stream_f32, NT_F32)
STREAM(stream_f16, NT_F16)
STREAM(stream_bf16, NT_BF16)
#undef STREAM
_Static_assert(STREAM_ROWS <= 16 && STREAM_COLUMNS <= 2, "STREAM knows no more");

/* Rows of w from k on, fewer than STREAM_K at the end, for all rows of x: in groups of nearly equal
 * size, of which the first brings w from memory. s has what does not change. */
static void stream_group(const nt_product *p, const pass *strip, size_t k) {
    size_t K = p->w->K, groups = (p->R + STREAM_ROWS - 1) / STREAM_ROWS;
    float x[STREAM_K * STREAM_ROWS];
    pass s = *strip;
    s.w += k * s.stride;
    s.n_k = K - k < STREAM_K ? K - k : STREAM_K;
    s.ahead = K - k < 2 * STREAM_K ? 0 : STREAM_K * s.stride;
    s.x = x;
    for (size_t g = 0; g < groups; g++, s.ahead = 0) {
        size_t r = g * p->R / groups, n_rows = (g + 1) * p->R / groups - r;
        for (size_t i = 0; i < s.n_k; i++)
            for (size_t j = 0; j < n_rows; j++)
                x[i * n_rows + j] = p->x[(r + j) * K + k + i];
        s.sums = strip->sums + r * STREAM_LD;
        switch (p->w->dtype) {
        case NT_F16: stream_f16(&s, n_rows); break;
        case NT_BF16: stream_bf16(&s, n_rows); break;
        default: stream_f32(&s, n_rows); break;
        }
    }
}

/* Columns [begin, end) of at most FEW_ROWS rows. */
static void stream(const nt_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->w;
    size_t size = nt_dtype_size(w->dtype), strips = (end - begin + STREAM_LD - 1) / STREAM_LD;
    for (size_t i = 0, n; i < strips; i++, begin += n) { /* of nearly equal width */
        size_t each = (end - begin + strips - i - 1) / (strips - i);
        each = (each + NT_COLUMN_STEP - 1) / NT_COLUMN_STEP * NT_COLUMN_STEP;
        n = each < end - begin ? each : end - begin;
        pass s = {.w = (const char *)w->data + begin * size, .stride = w->N * size, .n = n};
        size_t offset = ((uintptr_t)s.w - (uintptr_t)scratch - STREAM_BEHIND) % PAGE_BYTES;
        s.sums = scratch + offset / LINE_BYTES * (LINE_BYTES / sizeof *scratch);
        for (size_t r = 0; r < p->R; r++)
            memset(s.sums + r * STREAM_LD, 0,
                   (n + NT_LANES - 1) / NT_LANES * NT_LANES * sizeof *s.sums);
        for (size_t k = 0; k < w->K; k += STREAM_K)
            stream_group(p, &s, k);
        for (size_t r = 0; r < p->R; r++) {
            const float *sums = s.sums + r * STREAM_LD;
            float *y = p->y + r * w->N + begin;
            for (size_t j = 0; j < n; j++)
                y[j] = p->bias ? sums[j] + p->bias[begin + j] : sums[j];
        }
    }
}
