/* Tiles of w: sixteen columns by 32 numbers along k, a row for each pair of neighbours along k; and
 * of x: sixteen rows by 32 numbers along k. A tile of each term after the other. */

enum { TILE_NUMBERS = TILE * TILE_DEPTH };

INLINE size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* F16 and BF16 have 11 and 8 bits of a number. */
INLINE size_t w_terms(const nt_matrix *w) {
    return w->dtype == NT_F32 ? 3 : w->dtype == NT_F16 ? 2 : 1;
}

/* From w [K, N]. */
INLINE void pack_in_out(uint16_t *tiles, const nt_matrix *w, nt_dtype dtype, size_t terms, size_t k,
                        size_t n, size_t end) {
    size_t n_k = least(TILE_DEPTH, w->K - k), n_n = least(TILE, end - n);
    for (size_t i = 0; i < TILE; i++) {
        __m512i even[3], odd[3];
        size_t at = (k + 2 * i) * w->N + n;
        cut_weights(even, w->data, dtype, terms, at, 2 * i < n_k ? n_n : 0);
        cut_weights(odd, w->data, dtype, terms, at + w->N, 2 * i + 1 < n_k ? n_n : 0);
#pragma GCC unroll 3
        for (size_t t = 0; t < terms; t++)
            _mm512_store_si512(tiles + t * TILE_NUMBERS + i * TILE_DEPTH, pairs(even[t], odd[t]));
    }
}

/* Rows to columns, 32 bits each. */
INLINE void transpose(__m512i r[16]) {
    __m512i s[16];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
        s[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        s[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        r[4 * i] = _mm512_unpacklo_epi64(s[4 * i], s[4 * i + 2]);
        r[4 * i + 1] = _mm512_unpackhi_epi64(s[4 * i], s[4 * i + 2]);
        r[4 * i + 2] = _mm512_unpacklo_epi64(s[4 * i + 1], s[4 * i + 3]);
        r[4 * i + 3] = _mm512_unpackhi_epi64(s[4 * i + 1], s[4 * i + 3]);
    }
    /* r[4 i + j] holds columns j, j + 4, j + 8, j + 12 of rows 4 i .. 4 i + 3 */
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) {
        __m512i low = _mm512_shuffle_i32x4(r[j], r[j + 4], 0x88);
        __m512i high = _mm512_shuffle_i32x4(r[j], r[j + 4], 0xDD);
        __m512i low2 = _mm512_shuffle_i32x4(r[j + 8], r[j + 12], 0x88);
        __m512i high2 = _mm512_shuffle_i32x4(r[j + 8], r[j + 12], 0xDD);
        s[j] = _mm512_shuffle_i32x4(low, low2, 0x88);
        s[j + 8] = _mm512_shuffle_i32x4(low, low2, 0xDD);
        s[j + 4] = _mm512_shuffle_i32x4(high, high2, 0x88);
        s[j + 12] = _mm512_shuffle_i32x4(high, high2, 0xDD);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++)
        r[i] = s[i];
}

/* Numbers [at, at + n) of data, n <= 32, as 32 numbers of each term. */
INLINE void terms_of(__m512i t[3], const void *data, nt_dtype dtype, size_t terms, size_t at,
                     size_t n) {
    if (dtype == NT_BF16) {
        __mmask32 some = (__mmask32)((1ull << n) - 1);
        t[0] = _mm512_maskz_loadu_epi16(some, (const uint16_t *)data + at);
        return;
    }
    __m512i a[3], b[3];
    cut_weights(a, data, dtype, terms, at, least(n, 16));
    cut_weights(b, data, dtype, terms, at + 16, n > 16 ? n - 16 : 0);
#pragma GCC unroll 3
    for (size_t i = 0; i < terms; i++)
        t[i] = uppers(a[i], b[i]);
}

/* Rows of w [N, K] as rows of tiles, a tile of each term. */
INLINE void pack_rows_as(uint16_t *tiles, const nt_matrix *w, nt_dtype dtype, size_t terms,
                         size_t k, size_t n, size_t end) {
    size_t n_k = least(TILE_DEPTH, w->K - k);
    for (size_t i = 0; i < TILE; i++) {
        __m512i t[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
        if (n + i < end) terms_of(t, w->data, dtype, terms, (n + i) * w->K + k, n_k);
#pragma GCC unroll 3
        for (size_t j = 0; j < terms; j++)
            _mm512_store_si512(tiles + j * TILE_NUMBERS + i * TILE_DEPTH, t[j]);
    }
}

static void pack_w_rows(uint16_t *tiles, const nt_matrix *w, size_t k, size_t n, size_t end) {
    switch (w->dtype) {
    case NT_F32: pack_rows_as(tiles, w, NT_F32, 3, k, n, end); break;
    case NT_F16: pack_rows_as(tiles, w, NT_F16, 2, k, n, end); break;
    default: pack_rows_as(tiles, w, NT_BF16, 1, k, n, end); break;
    }
}

/* A tile with rows of pairs along k as one with a row for each pair; `to` may be `from`. */
INLINE void turn_tile(uint16_t *to, const uint16_t *from) {
    __m512i r[TILE];
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE; i++)
        r[i] = _mm512_load_si512(from + i * TILE_DEPTH);
    transpose(r);
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE; i++)
        _mm512_store_si512(to + i * TILE_DEPTH, r[i]);
}

/* From w [N, K]: its rows, turned. */
INLINE void pack_out_in(uint16_t *tiles, const nt_matrix *w, nt_dtype dtype, size_t terms, size_t k,
                        size_t n, size_t end) {
    pack_rows_as(tiles, w, dtype, terms, k, n, end);
    for (size_t j = 0; j < terms; j++)
        turn_tile(tiles + j * TILE_NUMBERS, tiles + j * TILE_NUMBERS);
}

/* One tile of each term of w: column n on, k on. A function a type and layout. */
typedef void pack_tile(uint16_t *tiles, const nt_matrix *w, size_t k, size_t n, size_t end);
#define PACK(name, how, dtype, terms)                                                              \
    static void name(uint16_t *tiles, const nt_matrix *w, size_t k, size_t n, size_t end) {        \
        how(tiles, w, dtype, terms, k, n, end);                                                    \
    }
PACK(pack_in_out_f32, pack_in_out, NT_F32, 3)
PACK(pack_in_out_f16, pack_in_out, NT_F16, 2)
PACK(pack_in_out_bf16, pack_in_out, NT_BF16, 1)
PACK(pack_out_in_f32, pack_out_in, NT_F32, 3)
PACK(pack_out_in_f16, pack_out_in, NT_F16, 2)
PACK(pack_out_in_bf16, pack_out_in, NT_BF16, 1)
#undef PACK

static pack_tile *packer(const nt_matrix *w) {
    bool in_out = w->layout == NT_IN_OUT;
    switch (w->dtype) {
    case NT_F32: return in_out ? pack_in_out_f32 : pack_out_in_f32;
    case NT_F16: return in_out ? pack_in_out_f16 : pack_out_in_f16;
    default: return in_out ? pack_in_out_bf16 : pack_out_in_bf16;
    }
}

/* Rows [r, r + n_r) of x, all of k: for each 32 numbers along k a tile of each term. */
INLINE void pack_rows(uint16_t *tiles, const float *x, size_t K, size_t terms, size_t r,
                      size_t n_r) {
    for (size_t k = 0; k < K; k += TILE_DEPTH, tiles += terms * TILE_NUMBERS) {
        size_t n_k = least(TILE_DEPTH, K - k);
        for (size_t i = 0; i < TILE; i++) {
            __m512i a[3], b[3];
            size_t at = (r + i) * K + k, n = i < n_r ? n_k : 0;
            __m512 low = widened(x, NT_F32, at, least(n, 16));
            __m512 high = widened(x, NT_F32, at + 16, n > 16 ? n - 16 : 0);
            if (terms == 1) {
                a[0] = rounded(low);
                b[0] = rounded(high);
            } else {
                cut(a, low, terms);
                cut(b, high, terms);
            }
#pragma GCC unroll 3
            for (size_t t = 0; t < terms; t++)
                _mm512_store_si512(tiles + t * TILE_NUMBERS + i * TILE_DEPTH, uppers(a[t], b[t]));
        }
    }
}
