/* exp, log, cos, sin and softmax in double from additions, multiplications and divisions alone.
 * This file is compiled without contraction, so the clones for wider vectors below give the same
 * bits. */
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

/* x = n pi/2 + r with |r| <= pi/4; pi/2 in two parts, n times the first of which is exact. */
static const double PI2_HIGH = 0x1.921fb54p+0; /* 29 bits, n has 24 at most */
static const double PI2_LOW = 0x1.10b4611a62633p-30, TWO_BY_PI = 0x1.45f306dc9c883p-1;

/* cos(r) and sin(r) by their own series, whose first term left out is below 2^-58 of them. */
static double cos_near(double r) {
    double z = r * r, y = 0;
    for (int i = 16; i >= 2; i -= 2) /* 1 / 2! - z / 4! + .. */
        y = (1 - y * z) / (double)((i - 1) * i);
    return 1 - y * z;
}

static double sin_near(double r) {
    double z = r * r, y = 0;
    for (int i = 17; i >= 3; i -= 2)
        y = (1 - y * z) / (double)((i - 1) * i);
    return r - r * z * y;
}

void nt_turn(double out[2], double x) {
    out[0] = out[1] = NAN;
    if (!(x >= -0x1p24 && x <= 0x1p24)) return;
    double n = (x * TWO_BY_PI + ROUND) - ROUND;
    double r = (x - n * PI2_HIGH) - n * PI2_LOW;
    double c = cos_near(r), s = sin_near(r);
    int quarter = (int)((int64_t)n & 3);
    out[0] = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    out[1] = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
}

/* The order of every sum over a row is that of docs/numbers.md, whatever the vectors' width. */
enum { LANES = 8, SIDE_BY_SIDE = 4 };

/* What needs the whole row: its largest number, the sum of exp(x - max) and of exp(x - max) (x -
 * max). The rest (log) is left to the caller: a call from code for wide vectors to code that is not
 * leaves the upper halves of the registers in use, and every SSE instruction from then on takes
 * three times as long. */
typedef struct row_sums {
    double max, sums[2];
    bool finite;
} row_sums;

#define WIDTH 2
#define FOR
#define NAME(f) f##_2
#include "base/rows.h"

#if defined(__x86_64__)
#    define WIDTH 4
#    define FOR __attribute__((target("avx2")))
#    define NAME(f) f##_4
#    include "base/rows.h"

#    define WIDTH 8
#    define FOR __attribute__((target("avx512f,avx512dq")))
#    define NAME(f) f##_8
#    include "base/rows.h"

/* f_8, f_4 or f_2 of the arguments, as this processor can. */
#    define WIDEST(f, ...)                                                                         \
        (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")                   \
             ? f##_8(__VA_ARGS__)                                                                  \
         : __builtin_cpu_supports("avx2") ? f##_4(__VA_ARGS__)                                     \
                                          : f##_2(__VA_ARGS__))
#else
#    define WIDEST(f, ...) f##_2(__VA_ARGS__)
#endif

nt_softmax nt_softmax_of(const float *x, size_t n) {
    nt_softmax s = {.max = NAN, .logsum = NAN, .rest = NAN, .entropy = NAN};
    row_sums row = WIDEST(row_sums, x, n);
    if (!row.finite) return s;
    s.max = row.max;
    s.rest = nt_log(row.sums[0]);
    s.logsum = s.max + s.rest;
    s.entropy = s.rest - row.sums[1] / row.sums[0];
    s.finite = true;
    return s;
}

/* Far below the row's largest number, exp would underflow: the sum is then taken from the largest
 * of its own numbers. */
double nt_log_sum_at(const float *x, const int32_t *at, size_t n, double max) {
    double sum = WIDEST(sum_at, x, at, n, max);
    if (sum < 0x1p-900) {
        max = -INFINITY;
        for (size_t i = 0; i < n; i++)
            max = (double)x[at[i]] > max ? (double)x[at[i]] : max;
        if (max == -INFINITY) return max;
        sum = WIDEST(sum_at, x, at, n, max);
    }
    return max + nt_log(sum);
}

double nt_log_add(double a, double b) {
    double most = a > b ? a : b, least = a > b ? b : a;
    if (least == -INFINITY) return most;
    return most + nt_log(1 + nt_exp(least - most));
}

void nt_exp_below(double *out, const float *x, size_t n, double max) {
    WIDEST(exp_below, out, x, n, max);
}
