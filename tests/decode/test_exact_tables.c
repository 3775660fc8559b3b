/* Exact search on tables that are made for one thing each, and where something fails. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/math.h"
#include "decode/exact_run.h"
#include "decode/made_row.h"

/* Seven ways to begin; the least likely is followed by certainty, all others by a coin. */
static void beam_search_misses_it(void **state) {
    (void)state;
    enum { V = 7 };
    float rows[V * V];
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++)
            rows[i * V + j] = i == 6 ? (j == 3 ? 0 : -INFINITY) : (j < 4 ? 0 : -INFINITY);
    for (size_t j = 0; j < V; j++) /* behind the prompt's last id */
        rows[1 * V + j] = (float)log(j == 1 ? 1e-9 : j == 6 ? 0.1 : 0.18);
    run r = {.model = {.rows = rows, .n_rows = V, .V = V, .by_id = true}};
    nt_plan plan = plan_of(3, 1);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    const nt_output *best = nt_result_output(r.trace, 0);
    assert_true(proof->proved);
    const int32_t expected[] = {6, 3, 0};
    assert_memory_equal(best->ids, expected, sizeof expected);
    assert_string_equal(best->text, "cENa");
    assert_true(fabs(best->score - log(0.1 / 4)) < 1e-6);
    assert_true(fabs(proof->beams - log(0.18 / 16)) < 1e-6); /* five beams never saw it */
    assert_true(fabs(proof->greedy - log(0.18 / 16)) < 1e-6);
    assert_string_equal(nt_result_method(r.trace, NULL), "exact");
    for (size_t b = 0; b < nt_result_n_beams(r.trace); b++)
        assert_int_equal(nt_result_beam(r.trace, b)->slot, -1);
    run_free(&r);
    plan.n_beams = 6;
    r.model = (table_model){.rows = rows, .n_rows = V, .V = V, .by_id = true};
    run_with(&r, &plan, NULL);
    assert_true(fabs(nt_result_proof(r.trace)->beams - log(0.1 / 4)) < 1e-6);
    run_free(&r);
}

/* Eight equal ways to begin, each followed by certainty; the shortest way is the last of them, and
 * two beams do not come to it. */
static void equals_that_beams_did_not_see(void **state) {
    (void)state;
    enum { V = 8, END = 0 };
    float rows[V * V];
    for (size_t i = 0; i < V; i++)
        for (size_t j = 0; j < V; j++)
            rows[i * V + j] = j == (i == 7 ? END : 2) ? 0 : -INFINITY;
    for (size_t j = 0; j < V; j++)
        rows[1 * V + j] = j == 1 || j == END ? -INFINITY : 0;
    const int32_t eos[] = {END};
    run r = {.model = {.rows = rows, .n_rows = V, .V = V, .by_id = true}};
    nt_plan plan = plan_of(4, 2);
    plan.n_beams = 2;
    plan.eos = eos;
    plan.n_eos = 1;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const int32_t first[] = {7, END}, second[] = {2, 2, 2, 2};
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 2);
    assert_memory_equal(nt_result_output(r.trace, 0)->ids, first, sizeof first);
    assert_memory_equal(nt_result_output(r.trace, 1)->ids, second, sizeof second);
    assert_true(nt_result_output(r.trace, 0)->score == nt_result_output(r.trace, 1)->score);
    run_free(&r);
}

static void one_word(void **state) {
    (void)state;
    const float row[] = {3};
    run r = {.model = {.rows = row, .n_rows = 1, .V = 1}};
    nt_plan plan = plan_of(5, 3);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(nt_result_n_outputs(r.trace), 1);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 5);
    assert_true(nt_result_output(r.trace, 0)->score == 0);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved && proof->gap == 0 && proof->bound == -INFINITY);
    assert_true(proof->greedy == 0 && proof->beams == 0);
    assert_int_equal(proof->n_nodes, 5);
    run_free(&r);
}

/* Everything is an end. */
static void ends_everywhere(void **state) {
    (void)state;
    const float row[] = {0, 1, 2, 2};
    const int32_t eos[] = {0, 1, 2, 3};
    run r = {.model = {.rows = row, .n_rows = 1, .V = 4}};
    nt_plan plan = plan_of(5, 9);
    plan.eos = eos;
    plan.n_eos = 4;
    run_with(&r, &plan, NULL);
    const int32_t expected[] = {2, 3, 1, 0}; /* of equals the lower id */
    assert_int_equal(nt_result_n_outputs(r.trace), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nt_result_output(r.trace, i)->ids[0], expected[i]);
        assert_string_equal(nt_result_output(r.trace, i)->finish_reason, "stop");
    }
    assert_true(nt_result_proof(r.trace)->proved);
    assert_int_equal(nt_result_proof(r.trace)->n_nodes, 1);
    run_free(&r);
}

/* 300 equal ways to begin, and the last of them is the one: rows are looked at again. */
static void the_last_of_many_equals(void **state) {
    (void)state;
    enum { V = 400, WAYS = 300, BEGIN = 1 };
    float *rows = calloc(V * V, sizeof *rows);
    for (size_t j = 0; j < V; j++) {
        rows[BEGIN * V + j] = j >= 50 && j < 50 + WAYS ? 0 : -INFINITY;
        rows[(50 + WAYS - 1) * V + j] = j == 7 ? 0 : -40;
    }
    run r = {.model = {.rows = rows, .n_rows = V, .V = V, .by_id = true}};
    nt_plan plan = plan_of(2, 1);
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const int32_t expected[] = {50 + WAYS - 1, 7};
    assert_memory_equal(nt_result_output(r.trace, 0)->ids, expected, sizeof expected);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved);
    assert_int_equal(proof->n_nodes, 1 + WAYS);
    assert_int_equal(nt_result_n_rows(r.trace), 1 + WAYS); /* each once, however often looked at */
    assert_true(r.model.n_steps < 40);                     /* many at once */
    run_free(&r);
    free(rows);
}

enum { LARGE = 50257 };

/* Nothing to go by: it ends at the limit, with little in memory, and says how much is open. */
static void a_flat_vocabulary(void **state) {
    (void)state;
    float *rows = calloc(LARGE, sizeof *rows);
    run r = {.model = {.rows = rows, .n_rows = 1, .V = LARGE}};
    nt_plan plan = plan_of(4, 1);
    plan.max_nodes = 120;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    double step = log(LARGE);
    assert_false(proof->proved);
    assert_string_equal(proof->limit, "max_nodes");
    assert_int_equal(proof->n_nodes, 120);
    assert_true(fabs(proof->bound + step) < 1e-6);
    assert_true(fabs(proof->gap - 3 * step) < 1e-6);
    assert_true(fabs(nt_result_output(r.trace, 0)->score + 4 * step) < 1e-6);
    assert_true(nt_result_n_beams(r.trace) <= 120 * 2 * NT_EXACT_FIRST);
    assert_true(r.model.most_live <= 1 + NT_EXACT_LIVE + NT_EXACT_BATCH);
    run_free(&r);

    plan.max_nodes = 1000000; /* and where memory is short */
    r.model = (table_model){.rows = rows, .n_rows = 1, .V = LARGE};
    run_with(&r, &plan, &(nt_exact_room){NT_EXACT_BATCH, NT_EXACT_LIVE, 500});
    proof = nt_result_proof(r.trace);
    assert_string_equal(proof->limit, "memory");
    assert_false(proof->proved);
    assert_true(fabs(proof->gap - 3 * step) < 1e-6);
    assert_true(nt_result_n_beams(r.trace) < 1000);
    run_free(&r);
    free(rows);
}

/* All 50,257 are likely enough, and fewer fit. */
static void more_than_can_be_returned(void **state) {
    (void)state;
    float *rows = malloc(LARGE * sizeof *rows);
    for (size_t i = 0; i < LARGE; i++)
        rows[i] = -(float)i / 1000;
    run r = {.model = {.rows = rows, .n_rows = 1, .V = LARGE}};
    nt_plan plan = plan_of(1, 1);
    plan.min_probability = 1e-9;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(nt_result_n_outputs(r.trace), NT_MAX_SEQUENCES);
    for (size_t i = 0; i < NT_MAX_SEQUENCES; i++)
        assert_int_equal(nt_result_output(r.trace, i)->ids[0], i);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_false(proof->proved); /* that these are all */
    assert_string_equal(proof->limit, "num_return_sequences");
    assert_true(proof->gap > 0);
    assert_int_equal(r.n_notes, 1);
    run_free(&r);
    /* the probability of the last that fits */
    plan.min_probability =
        exp((double)rows[NT_MAX_SEQUENCES - 1] - nt_softmax_of(rows, LARGE).logsum);
    r.model = (table_model){.rows = rows, .n_rows = 1, .V = LARGE};
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_n_outputs(r.trace), NT_MAX_SEQUENCES);
    assert_true(nt_result_proof(r.trace)->proved);
    assert_int_equal(r.n_notes, 0);
    run_free(&r);
    free(rows);
}

static void a_large_vocabulary(void **state) {
    (void)state;
    enum { ROWS = 7 };
    float *rows = malloc(ROWS * LARGE * sizeof *rows);
    for (size_t i = 0; i < ROWS; i++) {
        made_row(rows + i * LARGE, "smooth", LARGE, i + 1);
        for (size_t j = 0; j < LARGE; j++)
            rows[i * LARGE + j] /= 2;
    }
    run r = {.model = {.rows = rows, .n_rows = ROWS, .V = LARGE, .by_prefix = true}};
    nt_plan plan = plan_of(4, 2);
    plan.max_nodes = 2000;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(nt_result_output(r.trace, 0)->score >= proof->beams);
    assert_true(proof->beams >= proof->greedy);
    assert_true(nt_result_output(r.trace, 0)->score >= nt_result_output(r.trace, 1)->score);
    run_free(&r);
    free(rows);
}

/* ---- Ends and processors of the caller's ----------------------------------------------------- */

static int removes_behind_b(void *payload, const int32_t *ids, size_t n, float *logits, size_t V) {
    const int32_t *dead = payload;
    if (n > 2 && ids[n - 1] == *dead)
        for (size_t i = 0; i < V; i++)
            logits[i] = -INFINITY;
    return 0;
}

/* Behind the likeliest beginning nothing is left: no error, another is found. */
static void dead_ends(void **state) {
    (void)state;
    const float row[] = {2, 3, 0};
    int32_t dead = 1;
    run r = {.model = {.rows = row, .n_rows = 1, .V = 3}};
    nt_plan plan = plan_of(2, 1);
    plan.process = removes_behind_b;
    plan.payload = &dead;
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_OK);
    const int32_t expected[] = {0, 1};
    assert_memory_equal(nt_result_output(r.trace, 0)->ids, expected, sizeof expected);
    const nt_proof *proof = nt_result_proof(r.trace);
    assert_true(proof->proved && proof->greedy == -INFINITY);
    assert_true(proof->beams == nt_result_output(r.trace, 0)->score);
    for (size_t i = 0; i < nt_result_n_beams(r.trace); i++) {
        const nt_beam *beam = nt_result_beam(r.trace, i);
        if (beam->index == 0 && beam->token.token.id == 1) {
            assert_int_equal(beam->row, -1);
            assert_int_equal(beam->fate, NT_FATE_PRUNED);
        }
    }
    run_free(&r);

    const float only[] = {-INFINITY, 3, -INFINITY}; /* there is no other */
    r.model = (table_model){.rows = only, .n_rows = 1, .V = 3};
    run_with(&r, &plan, NULL);
    assert_int_equal(r.status, NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "no continuation"));
    run_free(&r);
}

static int ends_behind(void *payload, const int32_t *ids, size_t n) {
    const int32_t *last = payload;
    return ids[n - 1] == *last;
}

static void the_callers_own_end(void **state) {
    (void)state;
    const float row[] = {2, 3, 0};
    int32_t last = 2;
    run r = {.model = {.rows = row, .n_rows = 1, .V = 3}};
    nt_plan plan = plan_of(5, 1);
    plan.stop = ends_behind;
    plan.payload = &last;
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 5);
    run_free(&r);
    last = 1; /* the likeliest token ends it at once */
    r.model = (table_model){.rows = row, .n_rows = 1, .V = 3};
    run_with(&r, &plan, NULL);
    assert_int_equal(nt_result_output(r.trace, 0)->n_ids, 1);
    assert_string_equal(nt_result_output(r.trace, 0)->finish_reason, "callback");
    run_free(&r);
}

/* A flat table, a search that looks at rows again, drops sequences and has guidance. */
typedef struct hard {
    float rows[MOST];
    const char *strings[1];
    nt_plan plan;
    run r;
} hard;

static void make_hard(hard *h) {
    *h = (hard){.strings = {"END"}, .plan = plan_of(3, 2)};
    h->r = (run){.model = {.rows = h->rows, .n_rows = 1, .V = MOST}, .guided = true};
    h->plan.max_nodes = 60;
    h->plan.guidance_scale = 1.5;
    h->plan.stop_strings = h->strings;
    h->plan.n_stop_strings = 1;
}

static void time_is_up(void **state) {
    (void)state;
    hard d;
    make_hard(&d);
    d.plan = plan_of(5, 1);
    d.plan.max_time = 0;
    run_with(&d.r, &d.plan, NULL);
    assert_int_equal(d.r.status, NT_OK);
    const nt_proof *proof = nt_result_proof(d.r.trace);
    assert_false(proof->proved);
    assert_string_equal(proof->limit, "max_time");
    assert_int_equal(nt_result_n_outputs(d.r.trace), 1); /* what greedy decoding wrote */
    assert_true(nt_result_output(d.r.trace, 0)->score >= proof->greedy);
    assert_true(isnan(proof->beams)); /* not run to its end */
    assert_string_equal(nt_result_output(d.r.trace, 0)->finish_reason, "length");
    run_free(&d.r);
}

/* The caller stops a search in its beams and behind them; what there is comes out, and the bound
 * holds for the rest. */
static void stopped(void **state) {
    (void)state;
    hard whole;
    make_hard(&whole);
    run_with(&whole.r, &whole.plan, NULL);
    double best = nt_result_output(whole.r.trace, 0)->score;
    assert_true(whole.r.n_asked > 6);
    for (size_t i = 1; i <= whole.r.n_asked; i++) {
        hard d;
        make_hard(&d);
        d.r.stop_at = i;
        run_with(&d.r, &d.plan, NULL);
        assert_int_equal(d.r.status, NT_OK);
        const nt_proof *proof = nt_result_proof(d.r.trace);
        double score = nt_result_output(d.r.trace, 0)->score;
        assert_true(score <= best && score + proof->gap >= best - 1e-12);
        if (!proof->proved) assert_string_equal(proof->limit, "callback");
        assert_int_equal(d.r.n_asked, i); /* told once is told for good */
        run_free(&d.r);
    }
    run_free(&whole.r);
}

/* ---- Failures -------------------------------------------------------------------------------- */

static const nt_exact_room little = {2, 2, NT_EXACT_MOST};

static void failures_at_every_place(void **state) {
    (void)state;
    hard d;
    make_hard(&d);
    run_with(&d.r, &d.plan, &little);
    assert_int_equal(d.r.status, NT_OK);
    assert_true(d.r.n_progress >= 60);
    size_t n_steps = d.r.model.n_steps, n_forks = d.r.model.n_forks, n_cancel = d.r.n_cancel;
    assert_true(n_steps > 20 && n_forks > 60);
    for (size_t k = 1; k <= n_steps; k++) {
        run r = {.model = d.r.model, .guided = true};
        r.model.n_steps = 0;
        r.model.fail_at_step = k;
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_NUMERIC);
        run_free(&r);
    }
    for (size_t k = 1; k <= n_forks; k++) {
        run r = {.model = d.r.model, .guided = true};
        r.model.n_forks = 0;
        r.model.fail_at_fork = k;
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_MEMORY);
        run_free(&r);
    }
    for (size_t k = 1; k <= n_cancel; k++) {
        run r = {.model = d.r.model, .guided = true, .cancel_at = k};
        run_with(&r, &d.plan, &little);
        assert_int_equal(r.status, NT_E_CANCELLED);
        run_free(&r);
    }
    run start = {.model = d.r.model};
    start.model.fail_start = true;
    run_with(&start, &d.plan, NULL);
    assert_int_equal(start.status, NT_E_MEMORY);
    run_free(&start);
    run_free(&d.r);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status != NT_OK) {
        hard d;
        make_hard(&d);
        d.plan.max_nodes = 25;
        nt_memory_fail_at(++k);
        run_with(&d.r, &d.plan, &little);
        nt_memory_fail_at(0);
        status = d.r.status;
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        run_free(&d.r);
    }
    assert_true(k > 100);
}

static void rows_that_are_no_numbers(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        for (size_t at = 1; at < 4; at++) { /* the prompt's row and those behind it */
            float rows[4 * 3] = {0};
            for (size_t i = 0; i < 3; i++)
                rows[at * 3 + i] = bad[b];
            run r = {.model = {.rows = rows, .n_rows = 4, .V = 3}};
            nt_plan plan = plan_of(3, 1);
            run_with(&r, &plan, NULL);
            assert_int_equal(r.status, NT_E_NUMERIC);
            assert_non_null(strstr(nt_error_message(), "the logits of step"));
            run_free(&r);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beam_search_misses_it),
        cmocka_unit_test(equals_that_beams_did_not_see),
        cmocka_unit_test(one_word),
        cmocka_unit_test(ends_everywhere),
        cmocka_unit_test(the_last_of_many_equals),
        cmocka_unit_test(a_flat_vocabulary),
        cmocka_unit_test(more_than_can_be_returned),
        cmocka_unit_test(a_large_vocabulary),
        cmocka_unit_test(dead_ends),
        cmocka_unit_test(the_callers_own_end),
        cmocka_unit_test(time_is_up),
        cmocka_unit_test(stopped),
        cmocka_unit_test(failures_at_every_place),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(rows_that_are_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
