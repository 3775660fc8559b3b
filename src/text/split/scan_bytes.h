/* 64 bytes beside one another: which of them are in a range, one bit a byte. SSE2, AVX2, NEON or
 * plain C, as the file that includes this is compiled. */
#ifndef NT_TEXT_SCAN_BYTES_H
#define NT_TEXT_SCAN_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#    include <immintrin.h>
enum { NT_LANES = 2 };
typedef __m256i nt_lane_bytes;
#    define NT_LOAD(at) _mm256_loadu_si256((const __m256i *)(const void *)(at))
#    define NT_ALL(byte) _mm256_set1_epi8((char)(byte))
#    define NT_OR(a, b) _mm256_or_si256(a, b)
#    define NT_ADD(a, b) _mm256_add_epi8(a, b)
#    define NT_EQUAL(a, b) _mm256_cmpeq_epi8(a, b)
#    define NT_ABOVE(a, b) _mm256_cmpgt_epi8(a, b)
#    define NT_BITS(a) (uint64_t)(uint32_t) _mm256_movemask_epi8(a)
#elif defined(__SSE2__)
#    include <emmintrin.h>
enum { NT_LANES = 4 };
typedef __m128i nt_lane_bytes;
#    define NT_LOAD(at) _mm_loadu_si128((const __m128i *)(const void *)(at))
#    define NT_ALL(byte) _mm_set1_epi8((char)(byte))
#    define NT_OR(a, b) _mm_or_si128(a, b)
#    define NT_ADD(a, b) _mm_add_epi8(a, b)
#    define NT_EQUAL(a, b) _mm_cmpeq_epi8(a, b)
#    define NT_ABOVE(a, b) _mm_cmpgt_epi8(a, b)
#    define NT_BITS(a) (uint64_t)(uint32_t) _mm_movemask_epi8(a)
#elif defined(__ARM_NEON)
#    include <arm_neon.h>
enum { NT_LANES = 4 };
typedef uint8x16_t nt_lane_bytes;
#else
enum { NT_LANES = 64 };
typedef uint8_t nt_lane_bytes;
#endif

typedef struct nt_bytes {
    nt_lane_bytes lane[NT_LANES];
} nt_bytes;

#if defined(NT_LOAD)

static inline nt_bytes nt_bytes_load(const char *at) {
    nt_bytes bytes;
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = NT_LOAD(at + i * 64 / NT_LANES);
    return bytes;
}

static inline nt_bytes nt_bytes_or(nt_bytes bytes, uint8_t bit) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = NT_OR(bytes.lane[i], NT_ALL(bit));
    return bytes;
}

static inline uint64_t nt_bytes_equal(nt_bytes bytes, uint8_t byte) {
    uint64_t mask = 0;
    for (int i = 0; i < NT_LANES; i++)
        mask |= NT_BITS(NT_EQUAL(bytes.lane[i], NT_ALL(byte))) << i * 64 / NT_LANES;
    return mask;
}

/* Bytes in [low, high], both below 128: moved to the top of the signed range. */
static inline uint64_t nt_bytes_within(nt_bytes bytes, uint8_t low, uint8_t high) {
    uint64_t mask = 0;
    for (int i = 0; i < NT_LANES; i++)
        mask |=
            NT_BITS(NT_ABOVE(NT_ADD(bytes.lane[i], NT_ALL(127 - high)), NT_ALL(126 - high + low)))
            << i * 64 / NT_LANES;
    return mask;
}

static inline uint64_t nt_bytes_high(nt_bytes bytes) {
    uint64_t mask = 0;
    for (int i = 0; i < NT_LANES; i++)
        mask |= NT_BITS(bytes.lane[i]) << i * 64 / NT_LANES;
    return mask;
}

#elif defined(__ARM_NEON)

static inline nt_bytes nt_bytes_load(const char *at) {
    nt_bytes bytes;
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = vld1q_u8((const uint8_t *)at + 16 * i);
    return bytes;
}

static inline nt_bytes nt_bytes_or(nt_bytes bytes, uint8_t bit) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = vorrq_u8(bytes.lane[i], vdupq_n_u8(bit));
    return bytes;
}

/* One bit for each byte, which is 0 or 255. */
static inline uint64_t nt_bytes_bits(nt_bytes bytes) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(bytes.lane[0], bit), vandq_u8(bytes.lane[1], bit));
    uint8x16_t high = vpaddq_u8(vandq_u8(bytes.lane[2], bit), vandq_u8(bytes.lane[3], bit));
    low = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

static inline uint64_t nt_bytes_equal(nt_bytes bytes, uint8_t byte) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = vceqq_u8(bytes.lane[i], vdupq_n_u8(byte));
    return nt_bytes_bits(bytes);
}

static inline uint64_t nt_bytes_within(nt_bytes bytes, uint8_t low, uint8_t high) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] =
            vcleq_u8(vsubq_u8(bytes.lane[i], vdupq_n_u8(low)), vdupq_n_u8((uint8_t)(high - low)));
    return nt_bytes_bits(bytes);
}

static inline uint64_t nt_bytes_high(nt_bytes bytes) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] = vcgeq_u8(bytes.lane[i], vdupq_n_u8(128));
    return nt_bytes_bits(bytes);
}

#else

static inline nt_bytes nt_bytes_load(const char *at) {
    nt_bytes bytes;
    memcpy(bytes.lane, at, sizeof bytes.lane);
    return bytes;
}

static inline nt_bytes nt_bytes_or(nt_bytes bytes, uint8_t bit) {
    for (int i = 0; i < NT_LANES; i++)
        bytes.lane[i] |= bit;
    return bytes;
}

static inline uint64_t nt_bytes_within(nt_bytes bytes, uint8_t low, uint8_t high) {
    uint64_t mask = 0;
    for (int i = 0; i < NT_LANES; i++)
        mask |= (uint64_t)((uint8_t)(bytes.lane[i] - low) <= high - low) << i;
    return mask;
}

static inline uint64_t nt_bytes_equal(nt_bytes bytes, uint8_t byte) {
    return nt_bytes_within(bytes, byte, byte);
}

static inline uint64_t nt_bytes_high(nt_bytes bytes) {
    return nt_bytes_within(bytes, 128, 255);
}

#endif

#endif
