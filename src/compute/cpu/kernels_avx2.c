/* The kernels in AVX2 with FMA and F16C: sixteen lanes are two registers. This file says what a
 * register can do; simd/ holds the algorithms, once for all instruction sets. */
#include <immintrin.h>
#include <string.h>

#include "compute/cpu/kernels.h"

#define INLINE static inline __attribute__((always_inline))

typedef __m256 reg;
typedef __m256 rmask; /* lanes of ones or zeros */

#define PARTS 2 /* registers in a vector of sixteen lanes */

enum {
    /* Accumulators of the register tiles, with room for their operands among 16 registers. */
    TILE_ROWS = 6,        /* in, out: rows of x */
    TILE_COLUMNS = 1,     /* in, out: vectors of columns */
    FEW_ROWS = 16,        /* in, out: the most rows of x for which w is streamed */
    STREAM_ROWS = 6,      /* in, out: rows of x in a tile while it is */
    STREAM_COLUMNS = 1,   /* in, out: vectors of columns in such a tile */
    DOT_ROWS = 3,         /* out, in: rows of x */
    DOT_FULL = 3,         /* out, in: with more of them a tile has one row of w less */
    DOT_COLUMNS = 2,      /* out, in: rows of w */
    ATTENTION_VECTORS = 1 /* four rows of queries: vectors of positions or of dimensions */
};

INLINE __m256i first(size_t n) { /* the first n lanes */
    static const int32_t masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const void *)(masks + 8 - n));
}

INLINE rmask r_first(size_t n) {
    return _mm256_castsi256_ps(first(n));
}

INLINE reg r_set(float x) {
    return _mm256_set1_ps(x);
}

/* gcc would rather read an operand from memory once more for each use than keep it. */
INLINE reg r_pin(reg a) {
    __asm__("" : "+x"(a));
    return a;
}

INLINE reg r_load(const float *p) {
    return _mm256_loadu_ps(p);
}

INLINE reg r_load_part(const float *p, size_t n) {
    return _mm256_maskload_ps(p, first(n));
}

INLINE void r_store(float *p, reg a) {
    _mm256_storeu_ps(p, a);
}

INLINE void r_store_part(float *p, reg a, size_t n) {
    _mm256_maskstore_ps(p, first(n), a);
}

INLINE reg r_load_bf16(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

INLINE reg r_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)p));
}

typedef __m256i ireg; /* integers of 32 bits, as many as reg has lanes */

/* One for each lane, of so many bytes at p. */
INLINE ireg i_load(const uint8_t *p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p));
}

INLINE ireg i_load_signed(const uint8_t *p) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)p));
}

/* The bits of each from number `from` on that the mask leaves. */
INLINE ireg i_bits(ireg a, size_t from, int mask) {
    a = _mm256_srl_epi32(a, _mm_cvtsi32_si128((int)from));
    return _mm256_and_si256(a, _mm256_set1_epi32(mask));
}

/* a + 16 b, where a has four bits. */
INLINE ireg i_join(ireg a, ireg b) {
    return _mm256_or_si256(a, _mm256_slli_epi32(b, 4));
}

INLINE ireg i_less(ireg a, int b) {
    return _mm256_sub_epi32(a, _mm256_set1_epi32(b));
}

INLINE reg r_ints(ireg a) {
    return _mm256_cvtepi32_ps(a);
}

/* The half at p in every lane. */
INLINE reg r_half(const uint8_t *p) {
    int16_t half;
    memcpy(&half, p, sizeof half);
    return _mm256_cvtph_ps(_mm_set1_epi16(half));
}

INLINE reg r_add(reg a, reg b) {
    return _mm256_add_ps(a, b);
}

INLINE reg r_sub(reg a, reg b) {
    return _mm256_sub_ps(a, b);
}

INLINE reg r_mul(reg a, reg b) {
    return _mm256_mul_ps(a, b);
}

INLINE reg r_div(reg a, reg b) {
    return _mm256_div_ps(a, b);
}

INLINE reg r_sqrt(reg a) {
    return _mm256_sqrt_ps(a);
}

INLINE reg r_fma(reg a, reg b, reg c) {
    return _mm256_fmadd_ps(a, b, c);
}

INLINE reg r_max(reg a, reg b) {
    return _mm256_max_ps(a, b);
}

INLINE reg r_min(reg a, reg b) {
    return _mm256_min_ps(a, b);
}

INLINE rmask r_less(reg a, reg b) {
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

INLINE reg r_select(rmask mask, reg a, reg b) {
    return _mm256_blendv_ps(b, a, mask);
}

INLINE reg r_abs(reg a) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

INLINE reg r_copy_sign(reg a, reg b) {
    reg sign = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b));
}

INLINE reg r_scale(reg p, reg shifted, reg round) {
    __m256i whole = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_castps_si256(round));
    __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    __m256i bias = _mm256_set1_epi32(127);
    half = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    rest = _mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23);
    return _mm256_mul_ps(_mm256_mul_ps(p, _mm256_castsi256_ps(half)), _mm256_castsi256_ps(rest));
}

/* Lanes 4 .. 7 onto 0 .. 3, then 2 and 1. */
INLINE float r_tree(reg a) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Addition commutes, so which of the two operands comes first does not show. */
INLINE void r_trees(float *y, const reg a[DOT_COLUMNS]) {
    __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(a[0], a[1], 0x20),
                              _mm256_permute2f128_ps(a[0], a[1], 0x31)); /* a b, 128 bits each */
    ab = _mm256_add_ps(ab, _mm256_permute_ps(ab, 0x4E));
    ab = _mm256_add_ps(ab, _mm256_permute_ps(ab, 0xB1));
    y[0] = _mm256_cvtss_f32(ab);
    y[1] = _mm_cvtss_f32(_mm256_extractf128_ps(ab, 1));
}
_Static_assert(DOT_COLUMNS == 2, "r_trees takes two");

INLINE void r_trees_two(float *y, const reg a[DOT_COLUMNS], const reg b[DOT_COLUMNS]) {
    r_trees(y, a);
    r_trees(y + DOT_COLUMNS, b);
}

INLINE float r_max_lane(reg a) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#include "compute/cpu/simd/kernels.h"

const nt_kernels nt_kernels_avx2 = KERNELS("avx2");
