/* Sums over rows in vectors of two, four and eight doubles: the same bits. The whole of math.c
 * stands here under other names, so that each width can be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define nt_exp rows_exp
#define nt_exp_below rows_exp_below
#define nt_log rows_log
#define nt_log_add rows_log_add
#define nt_log_sum_at rows_log_sum_at
#define nt_softmax_of rows_softmax_of
#define nt_turn rows_turn
#include "base/math.c"

#include <cmocka.h>

enum { MOST = 700 };

typedef struct seen {
    row_sums row;
    double sum, below[MOST];
} seen;

typedef struct width {
    bool here;
    row_sums (*row)(const float *x, size_t n);
    double (*sum_at)(const float *x, const int32_t *at, size_t n, double max);
    void (*exp_below)(double *out, const float *x, size_t n, double max);
} width;

static void look(seen *out, const width *w, const float *x, const int32_t *at, size_t n) {
    memset(out, 0, sizeof *out);
    row_sums row = w->row(x, n); /* its padding may hold anything */
    out->row.max = row.max;
    out->row.finite = row.finite;
    memcpy(out->row.sums, row.sums, sizeof row.sums);
    if (!row.finite) return;
    out->sum = w->sum_at(x, at, n, row.max);
    w->exp_below(out->below, x, n, row.max);
}

static void the_same_bits(void **state) {
    (void)state;
    const width two = {true, row_sums_2, sum_at_2, exp_below_2}, wider[] = {
#if defined(__x86_64__)
        {__builtin_cpu_supports("avx2"), row_sums_4, sum_at_4, exp_below_4},
        {__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"), row_sums_8,
         sum_at_8, exp_below_8},
#else
        {true, row_sums_2, sum_at_2, exp_below_2},
#endif
    };
    static seen wanted, got;
    uint32_t random = 7;
    for (size_t n = 0; n <= MOST; n += n < 80 ? 1 : 31) {
        float *x = malloc(n * sizeof *x + 1); /* exactly: a read past its end is seen */
        int32_t at[MOST];
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525 + 1013904223;
            x[i] = ((float)(random >> 8) * 0x1p-24F - 0.5F) * (n % 3 ? 30 : 2000);
            if (random % 97 == 0 || (n % 4 == 1 && i % 150 > 2)) x[i] = -INFINITY;
            at[i] = (int32_t)(random % (i + 1));
        }
        if (n % 50 == 49) x[n / 2] = n % 100 == 49 ? NAN : INFINITY;
        look(&wanted, &two, x, at, n);
        assert_int_equal(wanted.row.finite, n > 0 && n % 50 != 49);
        for (size_t w = 0; w < sizeof wider / sizeof *wider; w++) {
            if (!wider[w].here) continue;
            look(&got, &wider[w], x, at, n);
            assert_int_equal(got.row.finite, wanted.row.finite);
            if (wanted.row.finite) assert_memory_equal(&got, &wanted, sizeof got);
        }
        free(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
