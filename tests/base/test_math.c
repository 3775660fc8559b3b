/* exp, log and softmax in double, against long double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"

static uint64_t next_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static double next_double(uint64_t *seed) { /* [0, 1) */
    return (double)(next_random(seed) >> 11) * 0x1p-53;
}

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static void report(const char *what, double worst, double allowed) {
    print_message("%s: error %.3g, %.0f %% of the %.3g allowed\n", what, worst,
                  100 * worst / allowed, allowed);
    assert_true(worst <= allowed);
}

static void exp_is_close(void **state) {
    (void)state;
    uint64_t seed = 1;
    double worst = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = i % 2 ? -708 + 1417.7 * next_double(&seed) : next_double(&seed) - 0.5;
        double error = (double)fabsl((long double)nt_exp(x) / expl(x) - 1);
        if (error > worst) worst = error;
    }
    report("exp", worst, 2e-16);
    double below = 0; /* denormal results are rounded once more */
    for (double x = -745.1; x < -708.4; x += 0.001) {
        double error = (double)(fabsl((long double)nt_exp(x) - expl(x)) / 0x1p-1074L);
        if (error > below) below = error;
    }
    report("exp, denormal results, in units of 2^-1074", below, 1);
    assert_true(same_bits(nt_exp(0), 1));
    assert_true(same_bits(nt_exp(-0.0), 1));
    assert_true(same_bits(nt_exp(-INFINITY), 0));
    assert_true(same_bits(nt_exp(-746), 0));
    assert_true(nt_exp(709.79) == INFINITY);
    assert_true(nt_exp(INFINITY) == INFINITY);
    assert_true(isnan(nt_exp(NAN)));
}

static void log_is_close(void **state) {
    (void)state;
    uint64_t seed = 2;
    double worst = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = i % 2 ? 0.5 + 1.5 * next_double(&seed)
                         : ldexp(1 + next_double(&seed), (int)(next_random(&seed) % 2097) - 1074);
        if (x == 1) continue;
        double error = (double)fabsl(((long double)nt_log(x) - logl(x)) / logl(x));
        if (error > worst) worst = error;
    }
    report("log", worst, 3e-16);
    assert_true(same_bits(nt_log(1), 0));
    assert_true(nt_log(0) == -INFINITY);
    assert_true(nt_log(-0.0) == -INFINITY);
    assert_true(nt_log(INFINITY) == INFINITY);
    assert_true(isnan(nt_log(-1)));
    assert_true(isnan(nt_log(-INFINITY)));
    assert_true(isnan(nt_log(NAN)));
}

/* The same sums in long double, straight from their definition. */
static void softmax_is_close(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 1000, 50257};
    static float x[50257];
    uint64_t seed = 3;
    double worst = 0, worst_entropy = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        for (size_t i = 0; i < n; i++) {
            x[i] = (float)(40 * next_double(&seed) - 90);
            if (i % 5 == 3) x[i] = -INFINITY;
        }
        long double max = -INFINITY, sum = 0, weighted = 0;
        for (size_t i = 0; i < n; i++)
            max = x[i] > max ? x[i] : max;
        for (size_t i = 0; i < n; i++) {
            if (x[i] == -INFINITY) continue;
            sum += expl(x[i] - max);
            weighted += expl(x[i] - max) * (x[i] - max);
        }
        nt_softmax got = nt_softmax_of(x, n);
        assert_true(got.finite);
        assert_true(got.max == (double)max);
        double error = (double)fabsl((got.logsum - (max + logl(sum))) / (max + logl(sum)));
        if (error > worst) worst = error;
        error = (double)fabsl(got.entropy - (logl(sum) - weighted / sum));
        if (error > worst_entropy) worst_entropy = error;
    }
    report("logsum, relative", worst, 4e-16);
    report("entropy, absolute", worst_entropy, 1e-14);
}

/* Long stretches of x [n] removed, as top_k leaves a row; the largest number stays. */
static void remove_stretches(float *x, size_t n, uint64_t *seed) {
    size_t most = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[most]) most = i;
    for (size_t i = 0; i < n;) {
        size_t gone = (size_t)(150 * next_double(seed));
        for (; gone > 0 && i < n; gone--, i++)
            if (i != most) x[i] = -INFINITY;
        i += (size_t)(3 * next_double(seed));
    }
}

/* The order of sums of docs/numbers.md in plain scalar code: whatever vectors the machine has, the
 * bits are these. */
static void softmax_keeps_its_order(void **state) {
    (void)state;
    static float x[1003];
    uint64_t seed = 4;
    for (size_t n = 1; n <= 1003; n += n < 40 ? 1 : 107) {
        double sum[8] = {0}, weighted[8] = {0}, max = -INFINITY;
        for (size_t i = 0; i < n; i++)
            x[i] = (float)(800 * next_double(&seed) * next_double(&seed));
        if (n % 2) remove_stretches(x, n, &seed);
        for (size_t i = 0; i < n; i++)
            max = (double)x[i] > max ? (double)x[i] : max;
        for (size_t i = 0; i < n; i++) {
            double d = (double)x[i] - max, e = nt_exp(d);
            if (d < -708) continue;
            sum[i % 8] += e;
            weighted[i % 8] += e * d;
        }
        for (int half = 4; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                sum[i] += sum[i + half];
                weighted[i] += weighted[i + half];
            }
        }
        nt_softmax got = nt_softmax_of(x, n);
        assert_true(same_bits(got.logsum, max + nt_log(sum[0])));
        assert_true(same_bits(got.entropy, nt_log(sum[0]) - weighted[0] / sum[0]));
    }
}

static void exp_below_is_exp(void **state) {
    (void)state;
    static float x[1003];
    static double out[1004];
    uint64_t seed = 5;
    for (size_t n = 0; n <= 1003; n += n < 40 ? 1 : 107) {
        float max = 3;
        for (size_t i = 0; i < n; i++)
            x[i] = max - (float)(720 * next_double(&seed));
        if (n % 2) remove_stretches(x, n, &seed);
        if (n > 2) x[n / 2] = -INFINITY;
        if (n > 20) x[n / 3] = NAN;
        out[n] = 7;
        nt_exp_below(out, x, n, max);
        for (size_t i = 0; i < n; i++) {
            double d = (double)x[i] - (double)max;
            assert_true(same_bits(out[i], d >= -708 ? nt_exp(d) : 0));
        }
        assert_true(out[n] == 7); /* nothing behind the end is touched */
    }
}

/* Biases make logits so large that adding to them changes nothing: three that share the largest
 * have a third each all the same. */
static void softmax_of_huge_logits(void **state) {
    (void)state;
    static const float huge[] = {1e12f, 1e30f, 3.4e38f};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        float x[] = {huge[i], -5, huge[i], -INFINITY, huge[i]};
        nt_softmax got = nt_softmax_of(x, 5);
        assert_true(got.finite && fabs(got.rest - log(3)) < 1e-15);
        assert_true(fabs(nt_softmax_log(&got, huge[i]) + log(3)) < 1e-15);
        assert_true(nt_softmax_log(&got, -5) < -9e11);
        assert_true(nt_softmax_log(&got, -INFINITY) == -INFINITY);
    }
    float low[] = {-1e30f, -1e30f};
    nt_softmax got = nt_softmax_of(low, 2);
    assert_true(fabs(nt_softmax_log(&got, low[0]) + log(2)) < 1e-15);
}

static void softmax_of_broken_logits(void **state) {
    (void)state;
    float x[40];
    for (size_t at = 0; at < 40; at++) {
        for (int what = 0; what < 2; what++) {
            for (size_t i = 0; i < 40; i++)
                x[i] = (float)i;
            x[at] = what ? INFINITY : NAN;
            nt_softmax got = nt_softmax_of(x, 40);
            assert_false(got.finite);
            assert_true(isnan(got.logsum) && isnan(got.entropy) && isnan(got.max));
        }
    }
    for (size_t i = 0; i < 40; i++)
        x[i] = -INFINITY;
    assert_false(nt_softmax_of(x, 40).finite);
    assert_false(nt_softmax_of(x, 0).finite);
    x[33] = -3; /* one id left: certainty */
    nt_softmax got = nt_softmax_of(x, 40);
    assert_true(got.finite && got.max == -3 && got.logsum == -3 && got.entropy == 0);
    x[7] = 3.4e38f; /* distances that overflow a float */
    x[8] = -3.4e38f;
    got = nt_softmax_of(x, 40);
    assert_true(got.finite && got.logsum == (double)3.4e38f && got.entropy == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_close),          cmocka_unit_test(log_is_close),
        cmocka_unit_test(softmax_is_close),      cmocka_unit_test(softmax_keeps_its_order),
        cmocka_unit_test(exp_below_is_exp),      cmocka_unit_test(softmax_of_broken_logits),
        cmocka_unit_test(softmax_of_huge_logits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
