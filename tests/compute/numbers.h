/* Seeded numbers, the same on every machine, and the bits of a float. */
#ifndef NT_TESTS_COMPUTE_NUMBERS_H
#define NT_TESTS_COMPUTE_NUMBERS_H

#include <stdint.h>
#include <string.h>

#include "base/dtype.h"

/* splitmix64: the same numbers on every machine. */
static inline uint64_t next_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/* Even in [-1, 1). */
static inline float next_float(uint64_t *seed) {
    return (float)(int32_t)(next_random(seed) >> 32) * 0x1p-31f;
}

static inline uint32_t bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A half with an exponent around 1, any fraction and any sign. */
static inline uint16_t random_half(uint64_t *seed) {
    return (uint16_t)((next_random(seed) & 0x83FF) | (10 + next_random(seed) % 5) << 10);
}

/* Number i of an array of F32, F16 or BF16; of blocks (i: a block's first number) the whole block,
 * any bytes but for its scale. */
static inline void put_random(void *data, nt_dtype dtype, size_t i, uint64_t *seed) {
    size_t size = nt_dtype_size(dtype);
    unsigned char *at = (unsigned char *)data + nt_dtype_bytes(dtype, i);
    if (nt_dtype_block(dtype) > 1) {
        uint16_t scale = random_half(seed);
        for (size_t k = 0; k < size; k++)
            at[k] = (unsigned char)next_random(seed);
        memcpy(at + (dtype == NT_Q6_K ? size - 2 : 0), &scale, sizeof scale);
        return;
    }
    float x = next_float(seed);
    uint16_t half = (uint16_t)(bits_of_float(x) >> 16); /* BF16: the upper half */
    if (dtype == NT_F16) half = random_half(seed);
    memcpy(at, dtype == NT_F32 ? (const void *)&x : (const void *)&half, size);
}

#endif
