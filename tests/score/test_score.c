/* Scoring by token against torch (score_oracle.txt, tools/oracle/decode.py) and plain formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "base/status.h"
#include "pieces.h"

static int score(nt_result **trace, const float *rows, size_t V, const int32_t *ids, size_t n,
                 size_t prompt_len) {
    request r = {.ids = ids, .n = n, .prompt_len = prompt_len, .rows = rows};
    return score_request(trace, &r, NULL, NULL, V);
}

static int64_t rank_by_definition(const float *row, size_t V, int32_t id) {
    int64_t rank = 1;
    for (size_t i = 0; i < V; i++)
        rank += row[i] > row[id] || (row[i] == row[id] && (int32_t)i < id);
    return rank;
}

enum { MAX = 64 };

static double number(FILE *file) {
    double x;
    assert_int_equal(fscanf(file, "%lf", &x), 1);
    return x;
}

/* As transformers' loss over labels, of which those of -100 are left out. */
static void check_loss(FILE *file, const float *rows, size_t V, const int32_t *labels, size_t n) {
    double sum = 0, wanted = number(file);
    size_t counted = 0;
    for (size_t i = 1; i < n; i++) {
        if (labels[i] < 0) continue;
        sum -= nt_logprob_of(rows + (i - 1) * V, V, labels[i]);
        counted++;
    }
    assert_int_equal(counted, (size_t)number(file));
    if (counted) assert_true(near(sum / (double)counted, wanted));
}

static void check_oracle_case(FILE *file, size_t n, size_t V) {
    int32_t ids[MAX], labels[MAX];
    float *rows = calloc(n * V, sizeof *rows);
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)number(file);
    for (size_t i = 0; i < n; i++)
        labels[i] = (int32_t)number(file);
    for (size_t i = 0; i < n * V; i++)
        rows[i] = (float)number(file);
    nt_result *trace;
    assert_int_equal(score(&trace, rows, V, ids, n, 0), NT_OK);
    double sum = 0;
    for (size_t i = 1; i < n; i++) {
        double logprob = number(file);
        sum += logprob;
        assert_true(near(nt_result_scored(trace, i)->logprob, logprob));
        assert_int_equal(nt_result_scored(trace, i)->rank,
                         rank_by_definition(rows + (i - 1) * V, V, ids[i]));
        assert_true(nt_result_scored(trace, i)->counted);
    }
    for (size_t i = 1; i < n; i++)
        assert_true(near(nt_result_scored(trace, i)->entropy, number(file)));
    const nt_totals *totals = nt_result_totals(trace);
    assert_int_equal(totals->n_counted, n - 1);
    assert_true(near(totals->logprob, sum));
    assert_true(near(totals->loss, -sum / (double)(n - 1)));
    if (totals->loss < 700) assert_true(near(totals->perplexity, exp(totals->loss)));
    assert_true(totals->n_bytes == 0 && isnan(totals->bits_per_byte)); /* ids without bytes */
    nt_result_free(trace);
    check_loss(file, rows, V, labels, n);
    free(rows);
}

static void as_torch(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/score/score_oracle.txt", "r");
    char line[512];
    size_t n, V, cases = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "case %zu %zu", &n, &V) != 2) continue;
        assert_true(n <= MAX);
        check_oracle_case(file, n, V);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 6);
}

static const float small[] = {0, 1, 2, /**/ 5, 5, 5, /**/ -1, -INFINITY, 3, /**/ NAN, 0, 0};

static void the_prompt_is_left_out(void **state) {
    (void)state;
    int32_t ids[] = {0, 2, 1, 2};
    for (size_t prompt_len = 0; prompt_len <= 4; prompt_len++) {
        nt_result *trace;
        double logprobs[] = {0, 2 - log(1 + exp(1.0) + exp(2.0)), -log(3.0),
                             3 - log(exp(-1.0) + exp(3.0))};
        double sum = 0;
        size_t first = prompt_len ? prompt_len : 1;
        assert_int_equal(score(&trace, small, 3, ids, 4, prompt_len), NT_OK);
        for (size_t i = first; i < 4; i++)
            sum += logprobs[i];
        const nt_totals *totals = nt_result_totals(trace);
        assert_int_equal(totals->n_counted, 4 - first);
        assert_int_equal(trace->prompt_len, first);
        assert_true(near(totals->logprob, sum));
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(nt_result_scored(trace, i)->counted, i >= first);
            if (i) assert_true(near(nt_result_scored(trace, i)->logprob, logprobs[i]));
        }
        assert_true(isnan(nt_result_scored(trace, 0)->logprob));
        assert_true(isnan(nt_result_scored(trace, 0)->entropy));
        assert_int_equal(nt_result_scored(trace, 0)->rank, 0);
        assert_int_equal(nt_result_scored(trace, 2)->rank, 2); /* a tie: lower ids first */
        assert_int_equal(isnan(totals->loss), first == 4);
        assert_int_equal(isnan(totals->loss_stderr), first >= 3);
        assert_null(nt_result_scored(trace, 4));
        nt_result_free(trace);
    }
    nt_result *trace;
    assert_int_equal(score(&trace, small, 3, ids, 4, 5), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "5"));
    assert_non_null(strstr(nt_error_message(), "4 tokens"));
    nt_result_free(trace);
}

static void short_texts(void **state) {
    (void)state;
    for (size_t n = 0; n <= 1; n++) {
        int32_t ids[] = {1};
        nt_result *trace;
        nt_scoring scoring;
        request r = {.ids = ids, .n = n};
        assert_int_equal(begin_request(&trace, &scoring, &r, NULL, NULL, 3), NT_OK);
        assert_int_equal(nt_scoring_n_rows(&scoring), 0);
        assert_int_equal(nt_scoring_finish(&scoring), NT_OK);
        if (n) assert_true(isnan(nt_result_scored(trace, 0)->logprob));
        const nt_totals *totals = nt_result_totals(trace);
        assert_int_equal(totals->n_counted, 0);
        assert_true(totals->logprob == 0 && !signbit(totals->logprob));
        assert_true(isnan(totals->loss) && isnan(totals->perplexity));
        assert_true(isnan(totals->loss_stderr) && isnan(totals->perplexity_stderr));
        nt_result_free(trace);
    }
}

static void an_impossible_token(void **state) {
    (void)state;
    int32_t ids[] = {0, 2, 1, 1};
    nt_result *trace;
    assert_int_equal(score(&trace, small, 3, ids, 4, 0), NT_OK);
    assert_true(nt_result_scored(trace, 3)->logprob == -INFINITY);
    assert_int_equal(nt_result_scored(trace, 3)->rank, 3);
    assert_true(nt_result_totals(trace)->logprob == -INFINITY);
    assert_true(nt_result_totals(trace)->perplexity == INFINITY);
    nt_result_free(trace);
}

static void rows_in_any_order_and_not_all(void **state) {
    (void)state;
    int32_t ids[] = {0, 2, 1, 2};
    nt_result *whole, *trace;
    nt_scoring scoring;
    request r = {.ids = ids, .n = 4};
    assert_int_equal(score(&whole, small, 3, ids, 4, 0), NT_OK);
    assert_int_equal(begin_request(&trace, &scoring, &r, NULL, NULL, 3), NT_OK);
    assert_int_equal(nt_scoring_n_rows(&scoring), 3);
    for (size_t t = 4; t-- > 0;) /* the last row is not asked for: its NaN is not looked at */
        if (t != 1) nt_scoring_row(&scoring, t, small + 3 * t);
    assert_int_equal(nt_scoring_finish(&scoring), NT_OK);
    assert_true(isnan(trace->scored[2].logprob) && !trace->scored[2].counted);
    for (size_t i = 1; i < 4; i += 2)
        assert_memory_equal(&trace->scored[i], &whole->scored[i], sizeof *trace->scored);
    assert_int_equal(trace->totals.n_counted, 2);
    assert_true(near(trace->totals.logprob, whole->totals.logprob - whole->scored[2].logprob));
    nt_result_free(whole);
    nt_result_free(trace);
}

static void what_is_refused(void **state) {
    (void)state;
    float broken[] = {0, 1, 2, NAN, 1, 1, 0, 0, 0}, out[] = {-INFINITY, -INFINITY, -INFINITY};
    float above[] = {0, INFINITY, 0};
    int32_t ids[] = {0, 1, 2}, high[] = {0, 3, 1}, low[] = {0, 1, -1}, first[] = {3, 0, 1};
    nt_result *trace;
    assert_int_equal(score(&trace, broken, 3, first, 3, 0), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "token 0: id 3"));
    nt_result_free(trace);
    assert_int_equal(score(&trace, broken, 3, ids, 3, 0), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "position 1"));
    nt_result_free(trace);
    assert_int_equal(score(&trace, out, 3, ids, 2, 0), NT_E_NUMERIC);
    nt_result_free(trace);
    assert_int_equal(score(&trace, above, 3, ids, 2, 0), NT_E_NUMERIC);
    nt_result_free(trace);
    assert_int_equal(score(&trace, broken, 3, high, 3, 0), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "token 1: id 3"));
    nt_result_free(trace);
    assert_int_equal(score(&trace, broken, 3, low, 3, 0), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "token 2: id -1"));
    nt_result_free(trace);
    request bad_by = {.ids = ids, .n = 1, .by = 16};
    assert_int_equal(score_request(&trace, &bad_by, NULL, NULL, 3), NT_E_ARGUMENT);
    nt_result_free(trace);
    request bad_correction = {.ids = ids, .n = 1, .correction = (nt_correction)3};
    assert_int_equal(score_request(&trace, &bad_correction, NULL, NULL, 3), NT_E_ARGUMENT);
    nt_result_free(trace);
    request wordless = {.ids = ids, .n = 1, .by = NT_BY_WORD};
    assert_int_equal(score_request(&trace, &wordless, NULL, NULL, 3), NT_E_UNSUPPORTED);
    nt_result_free(trace);
    assert_true(isnan(nt_logprob_of(out, 3, 0)) && isnan(nt_logprob_of(above, 3, 0)));
}

/* nt_log_sum_at against the same sum in long double, also far below the row's largest number. */
static void sums_over_some_ids(void **state) {
    (void)state;
    enum { V = 301 };
    float row[V];
    int32_t at[V];
    uint32_t random = 1;
    for (int scale = 0; scale < 3; scale++) {
        for (int i = 0; i < V; i++) {
            random = random * 1664525 + 1013904223;
            row[i] = (float)((random >> 8) * 0x1p-24) * (scale ? (float)scale * 700 : 8.0f);
        }
        row[7] = -INFINITY;
        double max = nt_softmax_of(row, V).max;
        for (size_t n = 0; n < 40; n++) {
            for (size_t i = 0; i < n; i++)
                at[i] = (int32_t)((i * 37 + n) % V);
            long double most = -INFINITY, sum = 0;
            for (size_t i = 0; i < n; i++)
                most = row[at[i]] > most ? row[at[i]] : most;
            for (size_t i = 0; i < n; i++)
                sum += expl(row[at[i]] - most);
            double wanted = (double)(most == -INFINITY ? most : most + logl(sum));
            assert_true(near(nt_log_sum_at(row, at, n, max), wanted));
        }
    }
    assert_true(nt_log_sum_at(row, (int32_t[]){7}, 1, 1400) == -INFINITY);
    assert_true(nt_log_add(-INFINITY, -INFINITY) == -INFINITY);
    assert_true(nt_log_add(-INFINITY, -3) == -3 && nt_log_add(-3, -INFINITY) == -3);
    assert_true(near(nt_log_add(-1, -2), log(exp(-1) + exp(-2))));
    assert_true(near(nt_log_add(-2000, -1999), -1999 + log1p(exp(-1))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_torch),
        cmocka_unit_test(the_prompt_is_left_out),
        cmocka_unit_test(short_texts),
        cmocka_unit_test(an_impossible_token),
        cmocka_unit_test(rows_in_any_order_and_not_all),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(sums_over_some_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
