/* What the tests of this part share: seeded numbers, comparison bit by bit, the instruction sets.
 */
#ifndef NT_TESTS_COMPUTE_ARRAYS_H
#define NT_TESTS_COMPUTE_ARRAYS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compute/cpu/kernels.h"

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

static inline void *room(size_t n, size_t size) {
    void *memory = nt_alloc(n, size);
    assert_non_null(memory);
    return memory;
}

static inline float *aligned_floats(size_t n) {
    float *memory = nt_alloc_aligned(n, sizeof *memory);
    assert_non_null(memory);
    return memory;
}

static inline float *random_floats(uint64_t *seed, size_t n, float scale) {
    float *x = room(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * next_float(seed);
    return x;
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

/* Equal bits, or both NaN: which NaN is nobody's promise. */
static inline bool same_float(float a, float b) {
    return bits_of_float(a) == bits_of_float(b) || (a != a && b != b);
}

/* Index of the first difference; n when there is none. */
static inline size_t first_difference(const float *a, const float *b, size_t n) {
    size_t i = 0;
    while (i < n && same_float(a[i], b[i]))
        i++;
    return i;
}

/* Random weights [n] of a type; *widened, for nt_free, are the same numbers as float32. */
static inline void *random_weights(uint64_t *seed, nt_dtype dtype, size_t n, float **widened) {
    unsigned char *data = room(n, nt_dtype_size(dtype));
    *widened = room(n, sizeof **widened);
    for (size_t i = 0; i < n; i++) {
        float x = next_float(seed);
        uint16_t half = (uint16_t)(bits_of_float(x) >> 16); /* BF16: the upper half */
        if (dtype == NT_F16) {                              /* exponents around 1, any fraction */
            half = (uint16_t)((next_random(seed) & 0x83FF) | (10 + next_random(seed) % 5) << 10);
        }
        if (dtype == NT_F32)
            memcpy(data + i * 4, &x, 4);
        else
            memcpy(data + i * 2, &half, 2);
        (*widened)[i] = nt_dtype_load(data, dtype, i);
    }
    return data;
}

/* The best instruction set of this machine, to be held against the reference; skips without. */
static inline const nt_kernels *best_kernels(void) {
    const nt_kernels *best = nt_cpu_kernels()[0];
    if (best == &nt_kernels_ref) {
        print_message("this machine or build has the reference kernels only\n");
        skip();
    }
    return best;
}

#endif
