/* exp, log and softmax in double from additions, multiplications and divisions alone. This file is
 * compiled without contraction, so the clones for wider vectors below give the same bits. */
#include "base/math.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static const double LOG2E = 0x1.71547652b82fep+0;
static const double LN2_HIGH = 0x1.62e42fee00000p-1; /* 32 bits: n * LN2_HIGH is exact */
static const double LN2_LOW = 0x1.a39ef35793c76p-33;
static const double ROUND = 0x1.8p52; /* adding it leaves the nearest integer in the low bits */

/* exp(r) = 1 + r + r^2 EXP(r) for |r| <= ln(2)/2 (tools/polynomials.py). */
static const double EXP[10] = {0x1.fffffffffffd9p-2,  0x1.55555555554f2p-3,  0x1.555555555850ep-5,
                               0x1.111111113025ep-7,  0x1.6c16c16eb72f1p-10, 0x1.a01a00e9fd398p-13,
                               0x1.a019c9e77016bp-16, 0x1.71dfd0a43ee06p-19, 0x1.2887eab03445dp-22,
                               0x1.ac50a765dce31p-26};

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double power_of_two(int n) { /* -1022 <= n <= 1023 */
    return from_bits((uint64_t)(n + 1023) << 52);
}

double nt_exp(double x) {
    if (x != x) return x;
    if (x > 709.8) return INFINITY;
    if (x < -745.2) return 0;
    double n = (x * LOG2E + ROUND) - ROUND;
    double r = (x - n * LN2_HIGH) - n * LN2_LOW;
    double p = EXP[9];
    for (int i = 8; i >= 0; i--)
        p = p * r + EXP[i];
    p = 1 + (r + r * r * p);
    int whole = (int)n, half = whole / 2; /* in two steps: 2^n may lie outside the normal range */
    return p * power_of_two(half) * power_of_two(whole - half);
}

/* log(x) = n ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)]: with s = f / (2 + f),
 * log(1 + f) = 2 atanh(s) = 2 s + 2 s^3 / 3 + 2 s^5 / 5 + ..., and 2 s = f - s f keeps f exact. */
double nt_log(double x) {
    if (x != x || x == INFINITY) return x;
    if (x == 0) return -INFINITY;
    if (x < 0) return NAN;
    int n = 0;
    if (x < DBL_MIN) {
        x *= 0x1p54;
        n = -54;
    }
    uint64_t bits = to_bits(x);
    n += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        n++;
    }
    double f = m - 1, s = f / (2 + f), z = s * s;
    double series = 0; /* sum of z^i / (2 i + 1), i = 1 .. 11; the rest is below 2^-60 */
    for (int i = 11; i >= 1; i--)
        series = (series + 1.0 / (2 * i + 1)) * z;
    double tail = n * LN2_LOW - s * (f - 2 * series);
    return n * LN2_HIGH + (f + tail);
}

/* Eight sums run side by side, element i in sum i % 8, then 4, 2 and 1: this order is what
 * docs/numbers.md states, and what a vector of doubles (or two, or four) computes. */
enum { LANES = 8 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef float float_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int64_t whole_lanes __attribute__((vector_size(LANES * sizeof(int64_t))));

static inline __attribute__((always_inline)) double tree(const double *l) {
    double four[4];
    for (int i = 0; i < 4; i++)
        four[i] = l[i] + l[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* Adds exp(d) and exp(d) d of eight d <= 0 to the sums. exp below 2^-1021 counts as 0. */
static inline __attribute__((always_inline)) void add_lanes(lanes *sum, lanes *weighted,
                                                            const lanes *distance) {
    const lanes lowest = {-708, -708, -708, -708, -708, -708, -708, -708};
    whole_lanes keep = *distance >= lowest;
    lanes d = (lanes)(((whole_lanes)*distance & keep) | ((whole_lanes)lowest & ~keep));
    lanes shifted = d * LOG2E + ROUND;
    lanes n = shifted - ROUND;
    lanes r = (d - n * LN2_HIGH) - n * LN2_LOW;
    lanes p = EXP[9] * r + EXP[8];
    for (int i = 7; i >= 0; i--)
        p = p * r + EXP[i];
    p = 1 + (r + r * r * p);
    lanes e = p * (lanes)(((whole_lanes)shifted + 1023) << 52);
    e = (lanes)((whole_lanes)e & keep);
    *sum += e;
    *weighted += e * d;
}

/* sums[0] = sum of exp(x - max), sums[1] = sum of exp(x - max) (x - max). */
static inline __attribute__((always_inline)) void sums_body(double *sums, const float *x, size_t n,
                                                            double max) {
    lanes sum = {0}, weighted = {0}, d = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        float_lanes eight;
        memcpy(&eight, x + i, sizeof eight);
        d = __builtin_convertvector(eight, lanes) - max;
        add_lanes(&sum, &weighted, &d);
    }
    if (i < n) { /* absent elements are -inf: they add 0 */
        for (int l = 0; l < LANES; l++)
            d[l] = i + (size_t)l < n ? (double)x[i + (size_t)l] - max : -INFINITY;
        add_lanes(&sum, &weighted, &d);
    }
    double parts[2][LANES];
    for (int l = 0; l < LANES; l++) {
        parts[0][l] = sum[l];
        parts[1][l] = weighted[l];
    }
    sums[0] = tree(parts[0]);
    sums[1] = tree(parts[1]);
}

typedef float wide __attribute__((vector_size(16 * sizeof(float))));
typedef int32_t wide_mask __attribute__((vector_size(16 * sizeof(int32_t))));

/* The largest of x [n]; *fit is false when a number is NaN or +inf. */
static inline __attribute__((always_inline)) float max_body(bool *fit, const float *x, size_t n) {
    float most = -INFINITY;
    int32_t bad = 0;
    size_t i = 0;
    if (n >= 16) {
        wide top = most - (wide){0}, v; /* most in every lane */
        wide_mask broken = {0};
        for (; i + 16 <= n; i += 16) {
            memcpy(&v, x + i, sizeof v);
            wide_mask above = v > top;
            top = (wide)(((wide_mask)v & above) | ((wide_mask)top & ~above));
            broken |= ~(v <= FLT_MAX);
        }
        for (int l = 0; l < 16; l++) {
            most = top[l] > most ? top[l] : most;
            bad |= broken[l];
        }
    }
    for (; i < n; i++) {
        most = x[i] > most ? x[i] : most;
        bad |= !(x[i] <= FLT_MAX);
    }
    *fit = !bad;
    return most;
}

static inline __attribute__((always_inline)) nt_softmax softmax_body(const float *x, size_t n) {
    nt_softmax s = {.max = NAN, .logsum = NAN, .entropy = NAN};
    bool fit;
    float max = max_body(&fit, x, n);
    if (!fit || max == -INFINITY) return s;
    double sums[2];
    sums_body(sums, x, n, max);
    double log_of_sum = nt_log(sums[0]);
    s.max = max;
    s.logsum = s.max + log_of_sum;
    s.entropy = log_of_sum - sums[1] / sums[0];
    s.finite = true;
    return s;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq"))) static nt_softmax softmax_avx512(const float *x,
                                                                             size_t n) {
    return softmax_body(x, n);
}

__attribute__((target("avx2"))) static nt_softmax softmax_avx2(const float *x, size_t n) {
    return softmax_body(x, n);
}
#endif

nt_softmax nt_softmax_of(const float *x, size_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        return softmax_avx512(x, n);
    }
    if (__builtin_cpu_supports("avx2")) return softmax_avx2(x, n);
#endif
    return softmax_body(x, n);
}
