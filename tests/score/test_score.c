/* Scoring against torch (score_oracle.txt, tools/oracle/decode.py) and plain formulas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"
#include "score/score.h"

typedef struct table {
    const float *rows; /* [n, V] */
    size_t V, n_rows, n_progress, n_runs;
    uint64_t done, total;
    int32_t ids[8];     /* the first that the source was given */
    bool hides_failure; /* a source that hands back another status than each() gave */
    bool fails;
} table;

static int run_table(void *self, const int32_t *ids, size_t n,
                     int (*each)(void *payload, size_t t, const float *logits), void *payload,
                     const nt_callbacks *callbacks) {
    table *t = self;
    (void)callbacks;
    assert_true(n <= t->n_rows);
    t->n_runs++;
    memcpy(t->ids, ids, (n < 8 ? n : 8) * sizeof *ids);
    if (t->fails) return nt_fail(NT_E_CANCELLED, "the table stops");
    for (size_t i = 0; i < n; i++) {
        int status = each(payload, i, t->rows + i * t->V);
        if (status != NT_OK) return t->hides_failure ? NT_E_CANCELLED : status;
    }
    return NT_OK;
}

static nt_logit_source source_of(table *t) {
    return (nt_logit_source){t, t->V, run_table};
}

static void hear(void *payload, const char *what, uint64_t done, uint64_t total) {
    table *t = payload;
    assert_string_equal(what, "tokens");
    t->n_progress++;
    t->done = done;
    t->total = total;
}

static int score(nt_result **trace, table *t, const int32_t *ids, size_t n, size_t prompt_len) {
    nt_callbacks callbacks = {.size = sizeof callbacks, .payload = t, .progress = hear};
    nt_logit_source source = source_of(t);
    NT_TRY(nt_trace_new(trace, NT_RESULT_SCORE, NULL));
    NT_TRY(nt_trace_set_tokens(*trace, ids, NULL, NULL, n));
    return nt_score_tokens(*trace, &source, prompt_len, &callbacks);
}

static int64_t rank_by_definition(const float *row, size_t V, int32_t id) {
    int64_t rank = 1;
    for (size_t i = 0; i < V; i++)
        rank += row[i] > row[id] || (row[i] == row[id] && (int32_t)i < id);
    return rank;
}

static bool near(double got, double wanted) {
    return fabs(got - wanted) <= 2e-13 * (1 + fabs(wanted));
}

enum { MAX = 64 };

static double number(FILE *file) {
    double x;
    assert_int_equal(fscanf(file, "%lf", &x), 1);
    return x;
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
    table t = {.rows = rows, .V = V, .n_rows = n};
    nt_result *trace;
    assert_int_equal(score(&trace, &t, ids, n, 0), NT_OK);
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
    assert_true(t.n_progress == n && t.done == n && t.total == n);
    nt_result_free(trace);
    nt_logit_source source = source_of(&t);
    double loss, wanted = number(file);
    size_t counted;
    nt_callbacks callbacks = {.size = sizeof callbacks, .payload = &t, .progress = hear};
    t.n_progress = 0;
    assert_int_equal(nt_loss_of(&loss, &counted, &source, ids, labels, n, &callbacks), NT_OK);
    assert_true(t.n_progress == n && t.done == n && t.total == n);
    assert_int_equal(counted, (size_t)number(file));
    assert_true(isnan(wanted) ? isnan(loss) : near(loss, wanted));
    assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, NULL, n, NULL), NT_OK);
    assert_true(near(loss, -sum / (double)(n - 1)));
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
    table t = {.rows = small, .V = 3, .n_rows = 4};
    int32_t ids[] = {0, 2, 1, 2};
    for (size_t prompt_len = 0; prompt_len <= 4; prompt_len++) {
        nt_result *trace;
        double logprobs[] = {0, 2 - log(1 + exp(1.0) + exp(2.0)), -log(3.0),
                             3 - log(exp(-1.0) + exp(3.0))};
        double sum = 0;
        size_t first = prompt_len ? prompt_len : 1;
        assert_int_equal(score(&trace, &t, ids, 4, prompt_len), NT_OK);
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
        assert_null(nt_result_scored(trace, 4));
        nt_result_free(trace);
    }
    nt_result *trace;
    assert_int_equal(score(&trace, &t, ids, 4, 5), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "5"));
    assert_non_null(strstr(nt_error_message(), "4 tokens"));
    nt_result_free(trace);
}

static void short_texts(void **state) {
    (void)state;
    table t = {.rows = small, .V = 3, .n_rows = 4};
    for (size_t n = 0; n <= 1; n++) {
        int32_t ids[] = {1};
        nt_result *trace;
        t.n_runs = 0;
        assert_int_equal(score(&trace, &t, ids, n, 0), NT_OK);
        assert_int_equal(t.n_runs, n); /* one run over a text, none over an empty one */
        if (n) assert_true(isnan(nt_result_scored(trace, 0)->logprob));
        const nt_totals *totals = nt_result_totals(trace);
        assert_int_equal(totals->n_counted, 0);
        assert_true(totals->logprob == 0 && !signbit(totals->logprob));
        assert_true(isnan(totals->loss) && isnan(totals->perplexity));
        nt_result_free(trace);
        nt_logit_source source = source_of(&t);
        double loss;
        assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, NULL, n, NULL), NT_OK);
        assert_true(isnan(loss));
    }
}

static void the_source_gets_the_ids(void **state) {
    (void)state;
    table t = {.rows = small, .V = 3, .n_rows = 4};
    int32_t ids[] = {2, 1, 0};
    nt_result *trace;
    assert_int_equal(score(&trace, &t, ids, 3, 0), NT_OK);
    assert_memory_equal(t.ids, ids, sizeof ids);
    nt_result_free(trace);
}

static void an_impossible_token(void **state) {
    (void)state;
    table t = {.rows = small, .V = 3, .n_rows = 4};
    int32_t ids[] = {0, 2, 1, 1};
    nt_result *trace;
    assert_int_equal(score(&trace, &t, ids, 4, 0), NT_OK);
    assert_true(nt_result_scored(trace, 3)->logprob == -INFINITY);
    assert_int_equal(nt_result_scored(trace, 3)->rank, 3);
    assert_true(nt_result_totals(trace)->logprob == -INFINITY);
    assert_true(nt_result_totals(trace)->perplexity == INFINITY);
    nt_result_free(trace);
}

static void what_is_refused(void **state) {
    (void)state;
    float broken[] = {0, 1, 2, NAN, 1, 1, 0, 0, 0}, out[] = {-INFINITY, -INFINITY, -INFINITY};
    int32_t ids[] = {0, 1, 2}, high[] = {0, 3, 1}, low[] = {0, 1, -1};
    int32_t labels[] = {77, 1, -100}, bad[] = {0, 3, 1}, negative[] = {0, -1, 1};
    int32_t first[] = {3, 1, 0}, last[] = {0, 1, 3};
    table t = {.rows = broken, .V = 3, .n_rows = 3}, empty = {.rows = out, .V = 3, .n_rows = 1};
    nt_logit_source source = source_of(&t);
    nt_result *trace;
    double loss;
    size_t counted;
    assert_int_equal(score(&trace, &t, ids, 3, 0), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "position 1"));
    nt_result_free(trace);
    t.hides_failure = true; /* the first failure is what the caller gets */
    assert_int_equal(score(&trace, &t, ids, 3, 0), NT_E_NUMERIC);
    nt_result_free(trace);
    assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, NULL, 3, NULL), NT_E_NUMERIC);
    assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, labels, 3, NULL), NT_OK);
    assert_true(near(loss, -1 + log(1 + exp(1.0) + exp(2.0)))); /* labels[0] is shifted out */
    assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, last, 3, NULL), NT_E_RANGE);
    counted = 9;
    assert_int_equal(nt_loss_of(&loss, &counted, &source, ids, bad, 3, NULL), NT_E_RANGE);
    assert_true(loss == 0 && counted == 0); /* nothing half done */
    assert_int_equal(nt_loss_of(&loss, NULL, &source, ids, negative, 3, NULL), NT_E_RANGE);
    assert_int_equal(nt_loss_of(&loss, NULL, &source, high, labels, 3, NULL), NT_E_RANGE);
    assert_int_equal(score(&trace, &t, high, 3, 0), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "token 1: id 3"));
    nt_result_free(trace);
    assert_int_equal(score(&trace, &t, first, 3, 0), NT_E_RANGE);
    assert_non_null(strstr(nt_error_message(), "token 0: id 3"));
    nt_result_free(trace);
    assert_int_equal(score(&trace, &t, low, 3, 0), NT_E_RANGE);
    nt_result_free(trace);
    assert_int_equal(score(&trace, &empty, ids, 1, 0), NT_OK); /* its row is not needed */
    nt_result_free(trace);
    t.fails = true;
    assert_int_equal(score(&trace, &t, ids, 3, 0), NT_E_CANCELLED);
    nt_result_free(trace);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    enum { N = 2000 };
    int32_t ids[N] = {0};
    float *rows = calloc(N, sizeof *rows);
    table t = {.rows = rows, .V = 1, .n_rows = N};
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        nt_result *trace = NULL;
        nt_memory_fail_at(++k);
        status = score(&trace, &t, ids, N, 0);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        nt_result_free(trace);
    }
    assert_true(k > 3);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_torch),
        cmocka_unit_test(the_prompt_is_left_out),
        cmocka_unit_test(the_source_gets_the_ids),
        cmocka_unit_test(short_texts),
        cmocka_unit_test(an_impossible_token),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
