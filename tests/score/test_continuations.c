/* Endings of one text side by side: plain formulas over small traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"
#include "pieces.h"

enum { MANY = 4 };

static const pieces vocab = {
    .bytes = {"<s>", " Yes", " No", "!"}, .n = {3, 4, 3, 1}, .special = {true}, .V = 4};
static const float rows[] = {0, 3, 1, 0, /**/ 0, 0, 0, 2, /**/ 9, 1, 1, 0};

/* One finished trace for each of the texts " Yes", " No", " Yes!" and " No" again. */
static void endings(nt_result *scored[MANY], size_t prompt_len) {
    static const int32_t ids[MANY][3] = {{0, 1}, {0, 2}, {0, 1, 3}, {0, 2}};
    static const size_t lengths[MANY] = {2, 2, 3, 2};
    nt_vocab reader = vocab_of(&vocab);
    for (size_t i = 0; i < MANY; i++) {
        request r = {.ids = ids[i], .n = lengths[i], .prompt_len = prompt_len, .rows = rows};
        assert_int_equal(score_request(&scored[i], &r, &reader, NULL, 4), NT_OK);
    }
}

static const char *const texts[MANY] = {" Yes", " No", " Yes!", " No"};

static void side_by_side(void **state) {
    (void)state;
    nt_result *scored[MANY], *trace;
    endings(scored, 1);
    nt_trace_new(&trace, NT_RESULT_CONTINUATIONS, NULL);
    assert_int_equal(nt_continuations_from(trace, scored, texts, MANY), NT_OK);
    for (size_t i = 0; i < MANY; i++)
        nt_result_free(scored[i]); /* what is kept was copied */
    assert_int_equal(trace->n_continuations, MANY);
    const nt_continuation *c = trace->continuations;
    double z = log(2 + exp(3) + exp(1)), after = 2 - log(3 + exp(2));
    double logprobs[MANY] = {3 - z, 1 - z, 3 - z + after, 1 - z}, sum = 0;
    int32_t places[MANY] = {1, 3, 2, 4}; /* of equals, the one given earlier */
    bool greedy[MANY] = {true, false, true, false};
    for (size_t i = 0; i < MANY; i++)
        sum += exp(logprobs[i]);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(c[i].text, texts[i]);
        assert_true(near(c[i].logprob, logprobs[i]));
        assert_true(near(c[i].share, exp(logprobs[i]) / sum));
        assert_true(near(c[i].per_byte, logprobs[i] / (double)strlen(texts[i])));
        assert_int_equal(c[i].place, places[i]);
        assert_int_equal(c[i].greedy, greedy[i]);
        assert_int_equal(c[i].n_tokens, i == 2 ? 2 : 1);
    }
    assert_string_equal(c[2].tokens[1].bytes, "!");
    assert_true(near(c[2].scored[1].logprob, after) && c[2].scored[1].rank == 1);
    nt_result_free(trace);
}

static void far_below(void **state) {
    (void)state;
    nt_result *scored[MANY], *trace;
    endings(scored, 1);
    for (size_t i = 0; i < MANY; i++)
        scored[i]->totals.logprob -= 5000;
    nt_trace_new(&trace, NT_RESULT_CONTINUATIONS, NULL);
    assert_int_equal(nt_continuations_from(trace, scored, texts, 2), NT_OK);
    assert_true(near(trace->continuations[0].share, 1 / (1 + exp(-2))));
    nt_result_free(trace);
    for (size_t i = 0; i < 2; i++)
        scored[i]->totals.logprob = -INFINITY;
    nt_trace_new(&trace, NT_RESULT_CONTINUATIONS, NULL);
    assert_int_equal(nt_continuations_from(trace, scored, texts, 2), NT_OK);
    assert_true(isnan(trace->continuations[0].share) && trace->continuations[1].place == 2);
    nt_result_free(trace);
    for (size_t i = 0; i < MANY; i++)
        nt_result_free(scored[i]);
}

static void nothing_to_compare(void **state) {
    (void)state;
    nt_result *scored[MANY], *trace;
    endings(scored, 2); /* the prompt takes all of the first */
    nt_trace_new(&trace, NT_RESULT_CONTINUATIONS, NULL);
    assert_int_equal(nt_continuations_from(trace, scored, texts, 1), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "continuation 1"));
    assert_int_equal(trace->n_continuations, 0);
    scored[2]->totals.n_counted = 0; /* as if its row had not come */
    assert_int_equal(nt_continuations_from(trace, scored + 2, texts, 1), NT_E_ARGUMENT);
    assert_int_equal(nt_continuations_from(trace, scored, texts, 0), NT_OK);
    nt_result_free(trace);
    for (size_t i = 0; i < MANY; i++)
        nt_result_free(scored[i]);
}

static int compare(nt_result *const *scored, size_t n) {
    nt_result *trace;
    NT_TRY(nt_trace_new(&trace, NT_RESULT_CONTINUATIONS, NULL));
    int status = nt_continuations_from(trace, scored, texts, n);
    nt_result_free(trace);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    nt_result *scored[MANY];
    endings(scored, 1);
    for (int once = 0; once < 2; once++) {
        size_t k = 1;
        for (bool reached = true; reached; k++) {
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = compare(scored, MANY);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            assert_int_equal(status, reached ? NT_E_MEMORY : NT_OK);
        }
        assert_true(k > MANY * 4);
    }
    for (size_t i = 0; i < MANY; i++)
        nt_result_free(scored[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(far_below),
        cmocka_unit_test(nothing_to_compare),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
