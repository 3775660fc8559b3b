/* float32 numbers as sums of bfloat16 terms, sixteen at a time. A term stands in the upper halves
 * of 32-bit lanes, whose lower halves are 0. */

#define INLINE static inline __attribute__((always_inline))

/* x as t[0] + .. + t[n - 1], cut by truncation: with three terms exactly x (denormals apart). NaN
 * and infinity are a first term by themselves. */
INLINE void cut(__m512i *t, __m512 x, size_t n) {
    const __m512i upper = _mm512_set1_epi32((int)0xFFFF0000), quiet = _mm512_set1_epi32(0x400000);
    __mmask16 finite =
        _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(__builtin_inff()), _CMP_LT_OQ);
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m512i bits = _mm512_castps_si512(x);
    t[0] = _mm512_and_si512(_mm512_mask_or_epi32(bits, nan, bits, quiet), upper);
#pragma GCC unroll 2
    for (size_t i = 1; i < n; i++) {
        x = _mm512_maskz_sub_ps(finite, x, _mm512_castsi512_ps(t[i - 1]));
        t[i] = _mm512_and_si512(_mm512_castps_si512(x), upper);
    }
}

/* x rounded to nearest, ties to even. */
INLINE __m512i rounded(__m512 x) {
    const __m512i upper = _mm512_set1_epi32((int)0xFFFF0000), quiet = _mm512_set1_epi32(0x400000);
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m512i bits = _mm512_castps_si512(x);
    __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), even);
    return _mm512_and_si512(_mm512_mask_or_epi32(up, nan, bits, quiet), upper);
}

/* The upper halves of 32 lanes, one after another. */
INLINE __m512i uppers(__m512i a, __m512i b) {
    const __m512i odd =
        _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                         25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    return _mm512_permutex2var_epi16(a, odd, b);
}

/* The upper halves of a and b as pairs: a's number first. */
INLINE __m512i pairs(__m512i a, __m512i b) {
    return _mm512_or_si512(_mm512_srli_epi32(a, 16), b);
}

INLINE __mmask16 first(size_t n) { /* the first n lanes, 0 to 16 */
    return (__mmask16)((1u << n) - 1);
}

/* Numbers [at, at + n) of a matrix as float32, n <= 16, zeros after them. */
INLINE __m512 widened(const void *data, nt_dtype dtype, size_t at, size_t n) {
    if (dtype == NT_F32) return _mm512_maskz_loadu_ps(first(n), (const float *)data + at);
    __m256i halves = _mm256_maskz_loadu_epi16(first(n), (const uint16_t *)data + at);
    if (dtype == NT_F16) return _mm512_cvtph_ps(halves);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

/* Terms of sixteen of a matrix's numbers; one of BF16 is its own only term. */
INLINE void cut_weights(__m512i *t, const void *data, nt_dtype dtype, size_t terms, size_t at,
                        size_t n) {
    __m512 x = widened(data, dtype, at, n);
    if (dtype == NT_BF16)
        t[0] = _mm512_castps_si512(x);
    else
        cut(t, x, terms);
}
