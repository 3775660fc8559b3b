/* What else could have stood there, by a plain sort of each row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/status.h"
#include "pieces.h"

enum { V = 6, N = 5 };
static const float rows[N * V] = {
    0,  1, 2,         2, -1,        0.5F, /* a tie: the lower id first */
    5,  5, 5,         5, 5,         5,    /* all alike */
    -1, 3, -INFINITY, 0, -INFINITY, 2,    /* some are out */
    9,  0, 0,         0, 0,         0,    /* one has nearly all */
    1,  2, 3,         4, 5,         6,
};
static const int32_t ids[N] = {0, 3, 5, 1, 2};

static int keep(nt_result **trace, size_t k, const size_t *order, size_t n_given) {
    static const pieces words = {
        {"a", "b", " c", "\xF0\x9F", "e", "f"}, {1, 1, 2, 2, 1, 1}, {false}, V};
    const request r = {.ids = ids, .n = N, .rows = rows};
    const nt_vocab vocab = vocab_of(&words);
    nt_scoring scoring;
    NT_TRY(begin_request(trace, &scoring, &r, &vocab, NULL, V));
    NT_TRY(nt_scoring_keep(&scoring, k));
    for (size_t i = 0; i < n_given; i++)
        nt_scoring_row(&scoring, order[i], rows + order[i] * V);
    return nt_scoring_finish(&scoring);
}

static const size_t forwards[] = {0, 1, 2, 3}, backwards[] = {3, 2, 1, 0};

/* The c-th likeliest id of a row, by its definition. */
static int32_t at_place(const float *row, size_t c) {
    for (int32_t id = 0; id < V; id++) {
        size_t before = 0;
        for (int32_t other = 0; other < V; other++)
            before += row[other] > row[id] || (row[other] == row[id] && other < id);
        if (before == c) return id;
    }
    return -1;
}

static double logprob_of(const float *row, int32_t id) {
    double sum = 0;
    for (size_t v = 0; v < V; v++)
        sum += exp((double)row[v]);
    return (double)row[id] - log(sum);
}

static void check_step(const nt_result *trace, size_t i, size_t k) {
    const float *row = rows + (i - 1) * V;
    const nt_step *step = nt_result_step(trace, i);
    assert_int_equal(step->index, i);
    assert_int_equal(nt_result_n_candidates(trace, i), k);
    for (size_t c = 0; c < k; c++) {
        const nt_candidate *candidate = nt_result_candidate(trace, i, c);
        int32_t id = at_place(row, c);
        assert_int_equal(candidate->token.id, id);
        assert_int_equal(candidate->rank, c + 1);
        assert_true(near(candidate->logprob, logprob_of(row, id)));
        assert_true(near(candidate->prob, exp(logprob_of(row, id))));
        assert_true(candidate->logit == row[id]);
        assert_int_equal(candidate->token.n_bytes, id == 3 || id == 2 ? 2 : 1);
    }
    assert_int_equal(step->chosen.token.id, ids[i]);
    assert_int_equal(step->chosen.rank, nt_result_scored(trace, i)->rank);
    assert_true(step->chosen.logprob == nt_result_scored(trace, i)->logprob);
    assert_true(step->entropy == nt_result_scored(trace, i)->entropy);
    assert_int_equal(step->kept, i == 3 ? 4 : V);
}

static void the_likeliest_at_each_place(void **state) {
    (void)state;
    static const size_t asked[] = {1, 2, 5, 6, 1000}, got[] = {1, 2, 5, 6, 6};
    for (size_t a = 0; a < 5; a++) {
        for (int back = 0; back < 2; back++) {
            nt_result *trace;
            assert_int_equal(keep(&trace, asked[a], back ? backwards : forwards, 4), NT_OK);
            assert_int_equal(nt_result_n_steps(trace), N);
            assert_int_equal(nt_result_n_candidates(trace, 0), 0);
            assert_int_equal(nt_result_step(trace, 0)->chosen.token.id, ids[0]);
            assert_true(isnan(nt_result_step(trace, 0)->chosen.logprob));
            for (size_t i = 1; i < N; i++)
                check_step(trace, i, got[a]);
            nt_result_free(trace);
        }
    }
}

static void none_are_kept_unasked(void **state) {
    (void)state;
    nt_result *trace;
    assert_int_equal(keep(&trace, 0, forwards, 4), NT_OK);
    assert_int_equal(nt_result_n_steps(trace), 0);
    nt_result_free(trace);
}

/* A row that never came: the token has no number, and nothing stood to choose. */
static void a_row_that_is_missing(void **state) {
    (void)state;
    nt_result *trace;
    assert_int_equal(keep(&trace, 3, forwards, 2), NT_OK);
    check_step(trace, 2, 3);
    assert_int_equal(nt_result_n_candidates(trace, 3), 0);
    assert_true(isnan(nt_result_step(trace, 3)->entropy));
    nt_result_free(trace);
}

static void memory(void **state) {
    (void)state;
    size_t failed = 0;
    for (size_t k = 1;; k++) {
        nt_result *trace = NULL;
        nt_memory_fail_at(k);
        int status = keep(&trace, 3, forwards, 4);
        nt_memory_fail_at(0);
        nt_result_free(trace);
        if (status == NT_OK) break;
        assert_int_equal(status, NT_E_MEMORY);
        failed++;
    }
    assert_true(failed > 15);
}

static void broken_rows(void **state) {
    (void)state;
    static const float bad[3 * 2] = {0, 1, NAN, 0, 0, 0};
    static const int32_t few[] = {0, 1, 0};
    const request r = {.ids = few, .n = 3, .rows = bad};
    nt_result *trace;
    nt_scoring scoring;
    assert_int_equal(begin_request(&trace, &scoring, &r, NULL, NULL, 2), NT_OK);
    assert_int_equal(nt_scoring_keep(&scoring, 2), NT_OK);
    for (size_t t = 0; t < 2; t++)
        nt_scoring_row(&scoring, t, bad + t * 2);
    assert_int_equal(nt_scoring_finish(&scoring), NT_E_NUMERIC);
    nt_result_free(trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likeliest_at_each_place),
        cmocka_unit_test(none_are_kept_unasked),
        cmocka_unit_test(a_row_that_is_missing),
        cmocka_unit_test(memory),
        cmocka_unit_test(broken_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
