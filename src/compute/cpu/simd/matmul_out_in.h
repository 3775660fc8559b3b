/* Matmul with w [N, K]: Linear layers and the embedding as head. Each output is sixteen lanes over
 * k % 16 and their tree, so w and x are both read along k and nothing has to be packed; a register
 * tile of rows of x times rows of w serves one row as well as many. */

enum {
    BLOCK_W = 64, /* rows of w that stay in L2 while several tiles' rows of x pass by */
    DOT_WIDE = 4  /* rows of w for a single row of x: accumulators to hide the latency of each */
};
_Static_assert(DOT_WIDE % DOT_COLUMNS == 0, "trees are built DOT_COLUMNS at a time");

/* y[r ..][n ..]: n_rows x n_columns dot products. w: rows K apart, from number `at` on; what lies
 * `further` bytes on is asked for. */
INLINE void dot_tile(const nt_product *p, const void *data, nt_dtype dtype, size_t at, size_t r,
                     size_t n_rows, size_t n, size_t n_columns, size_t further) {
    const size_t size = dtype == NT_F32 ? 4 : 2; /* where numbers do not lie in blocks */
    vec sum[DOT_ROWS][DOT_WIDE];
    size_t K = p->w->K, k = 0;
#pragma GCC unroll 8
    for (size_t i = 0; i < n_rows; i++)
#pragma GCC unroll 4
        for (size_t c = 0; c < DOT_WIDE; c++)
            sum[i][c] = v_zero();
    const float *x = p->x + r * K;
    for (; k + NT_LANES <= K; k += NT_LANES) {
        if (dtype <= NT_BF16) {
#pragma GCC unroll 4
            for (size_t c = 0; c < n_columns; c++)
                __builtin_prefetch((const char *)data + (at + c * K + k) * size + further, 0, 3);
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < PARTS; j++) { /* part by part: fewer operands wait in registers */
            reg w[DOT_WIDE];
            size_t from = k + j * PART_LANES;
#pragma GCC unroll 4
            for (size_t c = 0; c < n_columns; c++)
                w[c] = r_pin(r_load_as(data, dtype, at + c * K + from));
#pragma GCC unroll 8
            for (size_t i = 0; i < n_rows; i++) {
                reg v = r_pin(r_load(x + i * K + from));
#pragma GCC unroll 4
                for (size_t c = 0; c < n_columns; c++)
                    sum[i][c].part[j] = r_fma(v, w[c], sum[i][c].part[j]);
            }
        }
    }
    if (dtype <= NT_BF16 && k < K) { /* blocks have no ragged end */
        size_t part = K - k;
        for (size_t c = 0; c < n_columns; c++) {
            vec w = v_load_part_as(data, dtype, at + c * K + k, part);
            for (size_t i = 0; i < n_rows; i++)
                sum[i][c] = v_fma_part(v_load_part(x + i * K + k, part), w, sum[i][c], part);
        }
    }
    for (size_t i = 0; i < n_rows; i++) {
        float *y = p->y + (r + i) * p->w->N + n, dot[DOT_WIDE];
#pragma GCC unroll 2
        for (size_t c = 0; c < n_columns; c += DOT_COLUMNS)
            v_trees(dot + c, sum[i] + c);
        for (size_t c = 0; c < n_columns; c++)
            y[c] = p->bias ? dot[c] + p->bias[n + c] : dot[c];
    }
}

/* Rows [r, r + n_rows) of x with rows [n, n + n_n) of w. The first rows of x bring w from memory: a
 * tile asks for the rows of the next one, since the processor's own reading ahead begins anew at
 * each row's pages. */
INLINE void dot_rows(const nt_product *p, const void *data, nt_dtype dtype, size_t at, size_t r,
                     size_t n_rows, size_t n, size_t n_n) {
    const size_t wide = n_rows == 1 ? DOT_WIDE : n_rows <= DOT_FULL ? DOT_COLUMNS : DOT_COLUMNS - 1;
    size_t c = 0, K = p->w->K, next = wide * K * (dtype == NT_F32 ? 4 : 2);
    for (; c + wide <= n_n; c += wide) {
        size_t further = r == 0 && c + 2 * wide <= n_n ? next : 0;
        dot_tile(p, data, dtype, at + c * K, r, n_rows, n + c, wide, further);
    }
    for (; c < n_n; c++)
        dot_tile(p, data, dtype, at + c * K, r, n_rows, n + c, 1, 0);
}

INLINE void dot_block(const nt_product *p, const void *data, nt_dtype dtype, size_t at, size_t n,
                      size_t n_n) {
    size_t groups = (p->R + DOT_ROWS - 1) / DOT_ROWS;
    for (size_t g = 0; g < groups; g++) { /* groups of nearly equal size */
        size_t r = g * p->R / groups, rows = (g + 1) * p->R / groups - r;
        switch (rows) {
            ROWS(1, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 1, n, n_n));
            ROWS(2, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 2, n, n_n));
            ROWS(3, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 3, n, n_n));
            ROWS(4, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 4, n, n_n));
            ROWS(5, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 5, n, n_n));
            ROWS(6, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 6, n, n_n));
            ROWS(7, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 7, n, n_n));
            ROWS(8, 1, DOT_ROWS, dot_rows(p, data, dtype, at, r, 8, n, n_n));
        default: break;
        }
    }
}
_Static_assert(DOT_ROWS <= 8, "dot_block knows no more");

/* One function a type. data: the first of the rows from n on. */
#define DOT(name, dtype)                                                                           \
    static void name(const nt_product *p, const void *data, size_t n, size_t n_n) {                \
        dot_block(p, data, dtype, 0, n, n_n);                                                      \
    }
DOT(dot_f32, NT_F32)
DOT(dot_f16, NT_F16)
DOT(dot_bf16, NT_BF16)
DOT(dot_q8_0, NT_Q8_0)
DOT(dot_q4_0, NT_Q4_0)
DOT(dot_q6_k, NT_Q6_K)
#undef DOT

static void matmul_out_in(const nt_product *p, size_t begin, size_t end, float *scratch) {
    const nt_matrix *w = p->w;
    if (dot_packs(p)) begin = dot_packed(p, begin, end, scratch);
    for (size_t n = begin, n_n; n < end; n += n_n) {
        n_n = end - n < BLOCK_W || p->R <= DOT_ROWS ? end - n : BLOCK_W;
        const char *rows = (const char *)w->data + nt_dtype_bytes(w->dtype, n * w->K);
        switch (w->dtype) {
        case NT_F16: dot_f16(p, rows, n, n_n); break;
        case NT_BF16: dot_bf16(p, rows, n, n_n); break;
        case NT_Q8_0: dot_q8_0(p, rows, n, n_n); break;
        case NT_Q4_0: dot_q4_0(p, rows, n, n_n); break;
        case NT_Q6_K: dot_q6_k(p, rows, n, n_n); break;
        default: dot_f32(p, rows, n, n_n); break;
        }
    }
}
