/* What the tests of this part share: seeded numbers, comparison bit by bit, the instruction sets.
 */
#ifndef NT_TESTS_COMPUTE_ARRAYS_H
#define NT_TESTS_COMPUTE_ARRAYS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compute/cpu/kernels.h"
#include "compute/fused.h"
#include "compute/numbers.h"

/* Sweeps over many numbers take one in so many of them on an emulated processor. */
#ifdef NT_EMULATOR
enum { SPARSER = 8 };
#else
enum { SPARSER = 1 };
#endif

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
    unsigned char *data = room(nt_dtype_bytes(dtype, n), 1);
    *widened = room(n, sizeof **widened);
    for (size_t i = 0; i < n; i += nt_dtype_block(dtype))
        put_random(data, dtype, i, seed);
    for (size_t i = 0; i < n; i++)
        (*widened)[i] = nt_dtype_load(data, dtype, i);
    return data;
}

/* Calls check with every instruction set that is to be held against the reference; skips where
 * there is none. */
static inline void with_every_set(void (*check)(const nt_kernels *set)) {
    const nt_kernels *const *set = nt_cpu_kernels();
    if (*set == &nt_kernels_ref) {
        print_message("this machine or build has the reference kernels only\n");
        skip();
    }
    for (; *set != &nt_kernels_ref; set++) {
        print_message("%s\n", (*set)->isa);
        check(*set);
    }
}

#endif
