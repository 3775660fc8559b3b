/* The loops of compute/limits.h for one instruction set. Included by a limits file after it has
 * said what a register is (reg), how one is filled (SET) and what FMA(a, b, c) is. */
#include "compute/cpu/limits.h"

/* Sixty-four bytes, in as many registers as they need. */
typedef uint64_t line __attribute__((vector_size(64)));

enum {
    LINES = 4,   /* of one stream that are read after one another */
    AHEAD = 1024 /* bytes that the processor is told of before they are needed: one stream is a
                    page behind the other, and its own prefetching ends with the page */
};

/* `streams` is a constant at each call, so that all loops inside are unrolled. */
static inline __attribute__((always_inline)) uint64_t read_streams(const line *p, size_t n,
                                                                   size_t streams) {
    size_t each = n / streams / LINES * LINES;
    line sum[LINES] = {{0}};
    for (size_t i = 0; i < each; i += LINES) {
#pragma GCC unroll 32
        for (size_t s = 0; s < streams; s++) {
            const line *at = p + s * each + i;
#pragma GCC unroll 4
            for (size_t j = 0; j < LINES; j++) {
                __builtin_prefetch((const char *)(at + j) + AHEAD);
                sum[j] ^= at[j];
            }
        }
    }
    for (size_t i = each * streams; i < n; i++)
        sum[0] ^= p[i];
    sum[0] ^= sum[1] ^ sum[2] ^ sum[3];
    return sum[0][0] ^ sum[0][1] ^ sum[0][2] ^ sum[0][3] ^ sum[0][4] ^ sum[0][5] ^ sum[0][6] ^
           sum[0][7];
}

/* Whole lines: what stands before and behind them is left out. */
static uint64_t read_all(const void *bytes, size_t n, size_t streams) {
    size_t skip = -(uintptr_t)bytes % sizeof(line);
    if (n < skip) return 0;
    const line *p = (const void *)((const char *)bytes + skip);
    n = (n - skip) / sizeof(line);
    switch (streams) {
    case 4: return read_streams(p, n, 4);
    case 8: return read_streams(p, n, 8);
    case 16: return read_streams(p, n, 16);
    default: return read_streams(p, n, 1);
    }
}

/* As many sums as hide an addition's latency behind two units and leave registers for operands. */
static double multiply_all(size_t turns) {
    enum { SUMS = 12 };
    reg sum[SUMS], factor = SET(0.999f);
#pragma GCC unroll 12
    for (size_t i = 0; i < SUMS; i++)
        sum[i] = SET((float)i);
    for (size_t k = 0; k < turns; k++) {
#pragma GCC unroll 12
        for (size_t i = 0; i < SUMS; i++)
            sum[i] = FMA(sum[i], factor, factor);
    }
    __asm__ volatile("" : : "m"(sum));
    return (double)turns * SUMS * (sizeof(reg) / sizeof(float)) * 2;
}

#define LIMITS(name)                                                                               \
    { .isa = name, .read = read_all, .multiply = multiply_all }
