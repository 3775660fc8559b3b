/* The kernels in AVX-512 (F, BW, VL, DQ): sixteen lanes are one register. This file says what a
 * register can do; simd/ holds the algorithms, once for all instruction sets. */
#include <immintrin.h>
#include <string.h>

#include "compute/cpu/amx.h"
#include "compute/cpu/kernels.h"

#define INLINE static inline __attribute__((always_inline))

typedef __m512 reg;
typedef __mmask16 rmask; /* one bit a lane */

#define PARTS 1 /* registers in a vector of sixteen lanes */

enum {
    /* Accumulators of the register tiles, with room for their operands among 32 registers. */
    TILE_ROWS = 6,        /* in, out: rows of x */
    TILE_COLUMNS = 4,     /* in, out: vectors of columns */
    FEW_ROWS = 16,        /* in, out: the most rows of x for which w is streamed */
    STREAM_ROWS = 12,     /* in, out: rows of x in a tile while it is */
    STREAM_COLUMNS = 2,   /* in, out: vectors of columns in such a tile */
    DOT_ROWS = 8,         /* out, in: rows of x */
    DOT_FULL = 6,         /* out, in: with more of them a tile has one row of w less */
    DOT_COLUMNS = 4,      /* out, in: rows of w */
    ATTENTION_VECTORS = 4 /* four rows of queries: vectors of positions or of dimensions */
};

INLINE rmask r_first(size_t n) { /* the first n lanes */
    return (rmask)((1u << n) - 1);
}

INLINE reg r_set(float x) {
    return _mm512_set1_ps(x);
}

/* gcc would rather read an operand from memory once more for each use than keep it. */
INLINE reg r_pin(reg a) {
    __asm__("" : "+v"(a));
    return a;
}

INLINE reg r_load(const float *p) {
    return _mm512_loadu_ps(p);
}

INLINE reg r_load_part(const float *p, size_t n) {
    return _mm512_maskz_loadu_ps(r_first(n), p);
}

INLINE void r_store(float *p, reg a) {
    _mm512_storeu_ps(p, a);
}

INLINE void r_store_part(float *p, reg a, size_t n) {
    _mm512_mask_storeu_ps(p, r_first(n), a);
}

INLINE reg r_load_bf16(const uint16_t *p) {
    __m256i halves = _mm256_loadu_si256((const void *)p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

INLINE reg r_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p));
}

typedef __m512i ireg; /* integers of 32 bits, as many as reg has lanes */

/* One for each lane, of so many bytes at p. */
INLINE ireg i_load(const uint8_t *p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p));
}

INLINE ireg i_load_signed(const uint8_t *p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)p));
}

/* The bits of each from number `from` on that the mask leaves. */
INLINE ireg i_bits(ireg a, size_t from, int mask) {
    a = _mm512_srl_epi32(a, _mm_cvtsi32_si128((int)from));
    return _mm512_and_si512(a, _mm512_set1_epi32(mask));
}

/* a + 16 b, where a has four bits. */
INLINE ireg i_join(ireg a, ireg b) {
    return _mm512_or_si512(a, _mm512_slli_epi32(b, 4));
}

INLINE ireg i_less(ireg a, int b) {
    return _mm512_sub_epi32(a, _mm512_set1_epi32(b));
}

INLINE reg r_ints(ireg a) {
    return _mm512_cvtepi32_ps(a);
}

/* The half at p in every lane. */
INLINE reg r_half(const uint8_t *p) {
    int16_t half;
    memcpy(&half, p, sizeof half);
    return _mm512_cvtph_ps(_mm256_set1_epi16(half));
}

INLINE reg r_add(reg a, reg b) {
    return _mm512_add_ps(a, b);
}

INLINE reg r_sub(reg a, reg b) {
    return _mm512_sub_ps(a, b);
}

INLINE reg r_mul(reg a, reg b) {
    return _mm512_mul_ps(a, b);
}

INLINE reg r_div(reg a, reg b) {
    return _mm512_div_ps(a, b);
}

INLINE reg r_sqrt(reg a) {
    return _mm512_sqrt_ps(a);
}

INLINE reg r_fma(reg a, reg b, reg c) {
    return _mm512_fmadd_ps(a, b, c);
}

INLINE reg r_max(reg a, reg b) {
    return _mm512_max_ps(a, b);
}

INLINE reg r_min(reg a, reg b) {
    return _mm512_min_ps(a, b);
}

INLINE rmask r_less(reg a, reg b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

INLINE reg r_select(rmask mask, reg a, reg b) {
    return _mm512_mask_blend_ps(mask, b, a);
}

INLINE reg r_abs(reg a) {
    return _mm512_abs_ps(a);
}

INLINE reg r_copy_sign(reg a, reg b) {
    reg sign = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(sign, a), _mm512_and_ps(sign, b));
}

INLINE reg r_scale(reg p, reg shifted, reg round) {
    __m512i whole = _mm512_sub_epi32(_mm512_castps_si512(shifted), _mm512_castps_si512(round));
    __m512i half = _mm512_srai_epi32(whole, 1), rest = _mm512_sub_epi32(whole, half);
    __m512i bias = _mm512_set1_epi32(127);
    half = _mm512_slli_epi32(_mm512_add_epi32(half, bias), 23);
    rest = _mm512_slli_epi32(_mm512_add_epi32(rest, bias), 23);
    return _mm512_mul_ps(_mm512_mul_ps(p, _mm512_castsi512_ps(half)), _mm512_castsi512_ps(rest));
}

INLINE float r_tree(reg a) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Addition commutes, so which of the two operands comes first does not show. */
INLINE void r_trees(float *y, const reg a[DOT_COLUMNS]) {
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0], a[1], 0x44),
                              _mm512_shuffle_f32x4(a[0], a[1], 0xEE)); /* a a b b, 128 bits each */
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2], a[3], 0x44),
                              _mm512_shuffle_f32x4(a[2], a[3], 0xEE));
    __m512 abcd = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88),
                                _mm512_shuffle_f32x4(ab, cd, 0xDD)); /* a b c d */
    abcd = _mm512_add_ps(abcd, _mm512_permute_ps(abcd, 0x4E));
    abcd = _mm512_add_ps(abcd, _mm512_permute_ps(abcd, 0xB1));
    _mm_storeu_ps(y, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, abcd)));
}
_Static_assert(DOT_COLUMNS == 4, "r_trees takes four");

/* 128 bits of each of four, to which the other twelve lanes have been added. */
INLINE reg r_fours(const reg a[4]) {
    __m512 ab = _mm512_add_ps(_mm512_mask_blend_ps(0xFF00, a[0], a[1]),
                              _mm512_shuffle_f32x4(a[0], a[1], 0x4E)); /* a a b b */
    __m512 cd = _mm512_add_ps(_mm512_mask_blend_ps(0xFF00, a[2], a[3]),
                              _mm512_shuffle_f32x4(a[2], a[3], 0x4E));
    return _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}

/* r_trees of a, then of b: most of the way both are one register. */
INLINE void r_trees_two(float *y, const reg a[DOT_COLUMNS], const reg b[DOT_COLUMNS]) {
    __m512 p = r_fours(a), q = r_fours(b);
    __m512 pq = _mm512_add_ps(_mm512_shuffle_ps(p, q, 0x44), _mm512_shuffle_ps(p, q, 0xEE));
    pq = _mm512_add_ps(pq, _mm512_permute_ps(pq, 0xB1)); /* in each 128 bits: a a b b */
    __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm256_storeu_ps(y, _mm512_castps512_ps256(_mm512_permutexvar_ps(order, pq)));
}

INLINE float r_max_lane(reg a) {
    return _mm512_reduce_max_ps(a);
}

#include "compute/cpu/simd/kernels.h"

const nt_kernels nt_kernels_avx512 = KERNELS("avx512");
#ifdef NT_HAVE_AMX
const nt_kernels nt_kernels_amx = KERNELS("amx", .tiles = &nt_tiles_amx);
#endif
