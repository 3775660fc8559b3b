/* The kernels in AVX-512 (F, BW, VL, DQ): sixteen lanes are one register. This file says what a
 * vector of sixteen lanes can do; simd/ holds the algorithms, once for all instruction sets. */
#include <immintrin.h>
#include <string.h>

#include "compute/cpu/kernels.h"

#define INLINE static inline __attribute__((always_inline))

typedef __m512 vec;      /* 16 floats */
typedef __mmask16 vmask; /* one bit a lane */

/* Accumulators of the register tiles: ROWS x COLUMNS vectors, with room for their operands. */
enum {
    TILE_ROWS = 12,   /* in, out: rows of x */
    TILE_COLUMNS = 2, /* in, out: vectors of columns */
    DOT_ROWS = 6,     /* out, in: rows of x */
    DOT_COLUMNS = 4   /* out, in: rows of w */
};

INLINE vmask first(size_t n) { /* the first n lanes, n < 16 */
    return (vmask)((1u << n) - 1);
}

INLINE vec v_zero(void) {
    return _mm512_setzero_ps();
}

INLINE vec v_set(float x) {
    return _mm512_set1_ps(x);
}

INLINE vec v_load(const float *p) {
    return _mm512_loadu_ps(p);
}

/* The first n < 16 lanes; the others are 0 and not read. */
INLINE vec v_load_part(const float *p, size_t n) {
    return _mm512_maskz_loadu_ps(first(n), p);
}

INLINE void v_store(float *p, vec a) {
    _mm512_storeu_ps(p, a);
}

INLINE void v_store_part(float *p, vec a, size_t n) {
    _mm512_mask_storeu_ps(p, first(n), a);
}

INLINE vec v_widen_bf16(__m256i halves) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

/* Sixteen numbers of a matrix, from number i on, as float32. */
INLINE vec v_load_as(const void *data, nt_dtype dtype, size_t i) {
    if (dtype == NT_F32) return v_load((const float *)data + i);
    __m256i halves = _mm256_loadu_si256((const void *)((const uint16_t *)data + i));
    return dtype == NT_BF16 ? v_widen_bf16(halves) : _mm512_cvtph_ps(halves);
}

INLINE vec v_load_part_as(const void *data, nt_dtype dtype, size_t i, size_t n) {
    if (dtype == NT_F32) return v_load_part((const float *)data + i, n);
    __m256i halves = _mm256_maskz_loadu_epi16(first(n), (const uint16_t *)data + i);
    return dtype == NT_BF16 ? v_widen_bf16(halves) : _mm512_cvtph_ps(halves);
}

INLINE vec v_add(vec a, vec b) {
    return _mm512_add_ps(a, b);
}

INLINE vec v_sub(vec a, vec b) {
    return _mm512_sub_ps(a, b);
}

INLINE vec v_mul(vec a, vec b) {
    return _mm512_mul_ps(a, b);
}

INLINE vec v_div(vec a, vec b) {
    return _mm512_div_ps(a, b);
}

INLINE vec v_sqrt(vec a) {
    return _mm512_sqrt_ps(a);
}

/* a b + c, rounded once. */
INLINE vec v_fma(vec a, vec b, vec c) {
    return _mm512_fmadd_ps(a, b, c);
}

/* On the first n < 16 lanes; the others keep c, to the sign of a zero. */
INLINE vec v_fma_part(vec a, vec b, vec c, size_t n) {
    return _mm512_mask3_fmadd_ps(a, b, c, first(n));
}

INLINE vec v_add_part(vec a, vec c, size_t n) {
    return _mm512_mask_add_ps(c, first(n), a, c);
}

/* a > b ? a : b, and a < b ? a : b: a NaN in b stays. */
INLINE vec v_max(vec a, vec b) {
    return _mm512_max_ps(a, b);
}

INLINE vec v_min(vec a, vec b) {
    return _mm512_min_ps(a, b);
}

INLINE vmask v_less(vec a, vec b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

/* Lanes of the mask from a, the others from b. */
INLINE vec v_select(vmask mask, vec a, vec b) {
    return _mm512_mask_blend_ps(mask, b, a);
}

/* The first n < 16 lanes of a, the others from b. */
INLINE vec v_select_part(vec a, vec b, size_t n) {
    return v_select(first(n), a, b);
}

INLINE vec v_abs(vec a) {
    return _mm512_abs_ps(a);
}

/* The size of a with the sign of b. */
INLINE vec v_copy_sign(vec a, vec b) {
    vec sign = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(sign, a), _mm512_and_ps(sign, b));
}

/* p 2^n, where `shifted` is n plus the constant that left n in its low bits. */
INLINE vec v_scale(vec p, vec shifted, vec round) {
    __m512i whole = _mm512_sub_epi32(_mm512_castps_si512(shifted), _mm512_castps_si512(round));
    __m512i half = _mm512_srai_epi32(whole, 1), rest = _mm512_sub_epi32(whole, half);
    __m512i bias = _mm512_set1_epi32(127);
    half = _mm512_slli_epi32(_mm512_add_epi32(half, bias), 23);
    rest = _mm512_slli_epi32(_mm512_add_epi32(rest, bias), 23);
    return _mm512_mul_ps(_mm512_mul_ps(p, _mm512_castsi512_ps(half)), _mm512_castsi512_ps(rest));
}

/* Lanes 8 .. 15 onto 0 .. 7, then 4, 2 and 1. */
INLINE float v_tree(vec a) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* The trees of four vectors side by side: y[i] = v_tree(a[i]). Addition commutes, so which of the
 * two operands comes first does not show. */
INLINE void v_tree4(float *y, const vec a[4]) {
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0], a[1], 0x44),
                              _mm512_shuffle_f32x4(a[0], a[1], 0xEE)); /* a a b b, 128 bits each */
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2], a[3], 0x44),
                              _mm512_shuffle_f32x4(a[2], a[3], 0xEE));
    __m512 abcd = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88),
                                _mm512_shuffle_f32x4(ab, cd, 0xDD)); /* a b c d */
    abcd = _mm512_add_ps(abcd, _mm512_permute_ps(abcd, 0x4E));
    abcd = _mm512_add_ps(abcd, _mm512_permute_ps(abcd, 0xB1));
    __m512i heads = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm_storeu_ps(y, _mm512_castps512_ps128(_mm512_permutexvar_ps(heads, abcd)));
}

INLINE float v_max_lane(vec a) {
    return _mm512_reduce_max_ps(a);
}

#include "compute/cpu/simd/activation.h"
#include "compute/cpu/simd/attention.h"
#include "compute/cpu/simd/matmul_in_out.h"
#include "compute/cpu/simd/matmul_out_in.h"
#include "compute/cpu/simd/norm.h"

static void matmul(const nt_product *product, size_t begin, size_t end, float *scratch) {
    if (product->w->layout == NT_IN_OUT)
        matmul_in_out(product, begin, end, scratch);
    else
        matmul_out_in(product, begin, end, scratch);
}

const nt_kernels nt_kernels_avx512 = {.isa = "avx512",
                                      .matmul = matmul,
                                      .layer_norm = layer_norm,
                                      .attend = attend,
                                      .activate = activate,
                                      .add = add,
                                      .exp = exp_all,
                                      .erf = erf_all};
