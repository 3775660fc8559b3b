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
enum { LANES = 8, SIDE_BY_SIDE = 4 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef float float_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int64_t whole_lanes __attribute__((vector_size(LANES * sizeof(int64_t))));

static inline __attribute__((always_inline)) double tree(const double *l) {
    double four[4];
    for (int i = 0; i < 4; i++)
        four[i] = l[i] + l[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* e = exp(d) of n times eight d <= 0. exp below 2^-1021 counts as 0, and d is then -708. The n go
 * side by side, an operation of each before the next operation: alone, each would wait for its own
 * result. n is a constant where this is called. */
static inline __attribute__((always_inline)) void exp_lanes(lanes *e, lanes *distance, int n) {
    const lanes lowest = {-708, -708, -708, -708, -708, -708, -708, -708};
    whole_lanes keep[SIDE_BY_SIDE];
    lanes d[SIDE_BY_SIDE], shifted[SIDE_BY_SIDE], r[SIDE_BY_SIDE], p[SIDE_BY_SIDE];
    for (int k = 0; k < n; k++) {
        keep[k] = distance[k] >= lowest;
        d[k] = (lanes)(((whole_lanes)distance[k] & keep[k]) | ((whole_lanes)lowest & ~keep[k]));
        shifted[k] = d[k] * LOG2E + ROUND;
    }
    for (int k = 0; k < n; k++) {
        lanes whole = shifted[k] - ROUND;
        r[k] = (d[k] - whole * LN2_HIGH) - whole * LN2_LOW;
        p[k] = EXP[9] * r[k] + EXP[8];
    }
    for (int i = 7; i >= 0; i--)
        for (int k = 0; k < n; k++)
            p[k] = p[k] * r[k] + EXP[i];
    for (int k = 0; k < n; k++) {
        p[k] = 1 + (r[k] + r[k] * r[k] * p[k]);
        p[k] = p[k] * (lanes)(((whole_lanes)shifted[k] + 1023) << 52);
        e[k] = (lanes)((whole_lanes)p[k] & keep[k]);
        distance[k] = d[k];
    }
}

/* Adds exp(d) and exp(d) d of n times eight d <= 0 to the sums, in order. */
static inline __attribute__((always_inline)) void add_lanes(lanes *sum, lanes *weighted,
                                                            lanes *distance, int n) {
    lanes e[SIDE_BY_SIDE];
    exp_lanes(e, distance, n);
    for (int k = 0; k < n; k++) {
        *sum += e[k];
        *weighted += e[k] * distance[k];
    }
}

/* sums[0] = sum of exp(x - max), sums[1] = sum of exp(x - max) (x - max). */
static inline __attribute__((always_inline)) void sums_body(double *sums, const float *x, size_t n,
                                                            double max) {
    lanes sum = {0}, weighted = {0}, d[SIDE_BY_SIDE] = {0};
    float_lanes eight;
    size_t i = 0;
    for (; i + LANES * SIDE_BY_SIDE <= n; i += LANES * SIDE_BY_SIDE) {
        for (int k = 0; k < SIDE_BY_SIDE; k++) {
            memcpy(&eight, x + i + LANES * k, sizeof eight);
            d[k] = __builtin_convertvector(eight, lanes) - max;
        }
        add_lanes(&sum, &weighted, d, SIDE_BY_SIDE);
    }
    for (; i < n; i += LANES) { /* absent elements are -inf: they add 0 */
        for (int l = 0; l < LANES; l++)
            d[0][l] = i + (size_t)l < n ? (double)x[i + (size_t)l] - max : -INFINITY;
        add_lanes(&sum, &weighted, d, 1);
    }
    double parts[2][LANES];
    for (int l = 0; l < LANES; l++) {
        parts[0][l] = sum[l];
        parts[1][l] = weighted[l];
    }
    sums[0] = tree(parts[0]);
    sums[1] = tree(parts[1]);
}

/* The sum of exp(x[at[i]] - max), in sums_body's order of at. */
static inline __attribute__((always_inline)) double sum_at_body(const float *x, const int32_t *at,
                                                                size_t n, double max) {
    lanes sum = {0}, weighted = {0}, d[SIDE_BY_SIDE] = {0};
    size_t i = 0;
    for (; i + LANES * SIDE_BY_SIDE <= n; i += LANES * SIDE_BY_SIDE) {
        for (int k = 0; k < SIDE_BY_SIDE; k++) {
            float_lanes eight = {0};
            for (int l = 0; l < LANES; l++)
                eight[l] = x[at[i + (size_t)(LANES * k + l)]];
            d[k] = __builtin_convertvector(eight, lanes) - max;
        }
        add_lanes(&sum, &weighted, d, SIDE_BY_SIDE);
    }
    for (; i < n; i += LANES) {
        for (int l = 0; l < LANES; l++)
            d[0][l] = i + (size_t)l < n ? (double)x[at[i + (size_t)l]] - max : -INFINITY;
        add_lanes(&sum, &weighted, d, 1);
    }
    double parts[LANES];
    for (int l = 0; l < LANES; l++)
        parts[l] = sum[l];
    return tree(parts);
}

static inline __attribute__((always_inline)) void exp_below_body(double *out, const float *x,
                                                                 size_t n, double max) {
    lanes d = {0}, e;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        float_lanes eight;
        memcpy(&eight, x + i, sizeof eight);
        d = __builtin_convertvector(eight, lanes) - max;
        exp_lanes(&e, &d, 1);
        memcpy(out + i, &e, sizeof e);
    }
    if (i == n) return;
    for (int l = 0; l < LANES; l++)
        d[l] = i + (size_t)l < n ? (double)x[i + (size_t)l] - max : -INFINITY;
    exp_lanes(&e, &d, 1);
    for (size_t l = 0; i + l < n; l++)
        out[i + l] = e[l];
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

/* What needs the whole row: its largest number and the sums. The rest (log) is left to the caller:
 * a call from code for wide vectors to code that is not leaves the upper halves of the registers in
 * use, and every SSE instruction from then on takes three times as long. */
typedef struct row_sums {
    double max, sums[2];
    bool finite;
} row_sums;

static inline __attribute__((always_inline)) row_sums row_body(const float *x, size_t n) {
    row_sums s = {0};
    float max = max_body(&s.finite, x, n);
    s.finite = s.finite && max != -INFINITY;
    s.max = max;
    if (s.finite) sums_body(s.sums, x, n, max);
    return s;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq"))) static row_sums row_avx512(const float *x, size_t n) {
    return row_body(x, n);
}

__attribute__((target("avx2"))) static row_sums row_avx2(const float *x, size_t n) {
    return row_body(x, n);
}
#endif

static row_sums row_of(const float *x, size_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        return row_avx512(x, n);
    }
    if (__builtin_cpu_supports("avx2")) return row_avx2(x, n);
#endif
    return row_body(x, n);
}

nt_softmax nt_softmax_of(const float *x, size_t n) {
    nt_softmax s = {.max = NAN, .logsum = NAN, .entropy = NAN};
    row_sums row = row_of(x, n);
    if (!row.finite) return s;
    double log_of_sum = nt_log(row.sums[0]);
    s.max = row.max;
    s.logsum = s.max + log_of_sum;
    s.entropy = log_of_sum - row.sums[1] / row.sums[0];
    s.finite = true;
    return s;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq"))) static double
sum_at_avx512(const float *x, const int32_t *at, size_t n, double max) {
    return sum_at_body(x, at, n, max);
}

__attribute__((target("avx2"))) static double sum_at_avx2(const float *x, const int32_t *at,
                                                          size_t n, double max) {
    return sum_at_body(x, at, n, max);
}
#endif

static double sum_at(const float *x, const int32_t *at, size_t n, double max) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        return sum_at_avx512(x, at, n, max);
    }
    if (__builtin_cpu_supports("avx2")) return sum_at_avx2(x, at, n, max);
#endif
    return sum_at_body(x, at, n, max);
}

/* Far below the row's largest number, exp would underflow: the sum is then taken from the largest
 * of its own numbers. */
double nt_log_sum_at(const float *x, const int32_t *at, size_t n, double max) {
    double sum = sum_at(x, at, n, max);
    if (sum < 0x1p-900) {
        max = -INFINITY;
        for (size_t i = 0; i < n; i++)
            max = (double)x[at[i]] > max ? (double)x[at[i]] : max;
        if (max == -INFINITY) return max;
        sum = sum_at(x, at, n, max);
    }
    return max + nt_log(sum);
}

double nt_log_add(double a, double b) {
    double most = a > b ? a : b, least = a > b ? b : a;
    if (least == -INFINITY) return most;
    return most + nt_log(1 + nt_exp(least - most));
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq"))) static void
exp_below_avx512(double *out, const float *x, size_t n, double max) {
    exp_below_body(out, x, n, max);
}

__attribute__((target("avx2"))) static void exp_below_avx2(double *out, const float *x, size_t n,
                                                           double max) {
    exp_below_body(out, x, n, max);
}
#endif

void nt_exp_below(double *out, const float *x, size_t n, double max) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        exp_below_avx512(out, x, n, max);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        exp_below_avx2(out, x, n, max);
        return;
    }
#endif
    exp_below_body(out, x, n, max);
}
