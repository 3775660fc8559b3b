/* Beam search and beam sampling on tables of logits: exact, without a model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/beam_run.h"

static const table_word word_list[] = {
    {"a", 1, false}, {"b", 1, false}, {"END", 3, false}, {"EN", 2, false}, {"D", 1, false},
};
static const table_vocab words = {word_list, sizeof word_list / sizeof *word_list};
/* ---- What it finds --------------------------------------------------------------------------- */

/* The log-probability of ids behind the prompt, by the plain formula. */
static double logprob_of(const beam_run *r, const int32_t *ids, size_t n) {
    int32_t all[16];
    double sum = 0;
    memcpy(all, prompt, sizeof prompt);
    memcpy(all + N_PROMPT, ids, n * sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        size_t at = table_row_of(all, N_PROMPT + i, r->model.n_rows);
        const float *row = r->model.rows + at * r->model.V;
        double all_of = 0;
        for (size_t v = 0; v < r->model.V; v++)
            all_of += exp(row[v]);
        sum += row[ids[i]] - log(all_of);
    }
    return sum;
}

/* With as many beams as there are continuations it finds them all, in order of probability. */
static void enough_beams_find_all(void **state) {
    (void)state;
    enum { V = 3, LENGTH = 4, ALL = 81 };
    float *rows = made_rows("smooth", 40, V, 0.0625f);
    beam_run r = run_of(rows, 40, V);
    r.model.by_prefix = true;
    nt_plan plan = plan_of(ALL, LENGTH);
    run_well(&r, &plan);
    assert_int_equal(r.trace->n_outputs, ALL);
    bool seen[ALL] = {false};
    for (size_t o = 0; o < ALL; o++) {
        const nt_output *output = &r.trace->outputs[o];
        size_t which = 0;
        for (size_t i = 0; i < LENGTH; i++)
            which = which * V + (size_t)output->ids[i];
        assert_false(seen[which]);
        seen[which] = true;
        double logprob = logprob_of(&r, output->ids, LENGTH);
        assert_true(fabs(output->logprob - logprob) < 1e-6);
        assert_true(fabs(output->score - logprob / LENGTH) < 1e-6);
        assert_string_equal(output->finish_reason, "length");
    }
    assert_int_equal(r.model.n_steps, LENGTH);
    assert_int_equal(r.model.most_rows, 27);
    free_beams(&r);
    free(rows);
}

/* Greedy takes 2 and then nothing good; two beams find 0 0. By hand: .4 * .9 against .6 * .5. */
static void beams_pass_greedy(void **state) {
    (void)state;
    const float table[3][3] = {{logf(.9f), logf(.1f), -INFINITY}, /* by the last id; the */
                               {logf(.4f), -INFINITY, logf(.6f)}, /* prompt ends with 1 */
                               {logf(.5f), logf(.5f), -INFINITY}};
    beam_run r = run_of(*table, 3, 3);
    r.model.by_id = true;
    nt_plan plan = plan_of(2, 2);
    run_well(&r, &plan);
    ASSERT_IDS(r.trace, 0, 0, 0);
    ASSERT_IDS(r.trace, 1, 2, 0); /* .3, as 2 1: the lower id */
    assert_true(fabs(r.trace->outputs[0].logprob - log(.36)) < 1e-6);
    assert_true(fabs(r.trace->outputs[0].score - log(.36) / 2) < 1e-6);
    assert_int_equal(beam_at(r.trace, 0, 0)->token.token.id, 2);
    assert_int_equal(beam_at(r.trace, 0, 0)->slot, 0);
    assert_int_equal(beam_at(r.trace, 0, 1)->slot, 1);
    assert_int_equal(beam_at(r.trace, 1, 0)->parent, 1);
    assert_int_equal(beam_at(r.trace, 1, 2)->fate, NT_FATE_LATE); /* ended third of two */
    assert_int_equal(r.trace->n_rows, 3);
    assert_int_equal(r.trace->rows[2].step.beam, 1);
    assert_string_equal(r.trace->method, "beam_search");
    free_beams(&r);
}

/* Equal logits: the lowest ids, and of equal sums those of the first beam. */
static void ties_go_to_the_lower(void **state) {
    (void)state;
    enum { V = 6 };
    const float rows[V] = {1, 1, 1, 1, 1, 1};
    beam_run r = run_of(rows, 1, V);
    nt_plan plan = plan_of(3, 2);
    run_well(&r, &plan);
    for (int32_t o = 0; o < 3; o++)
        ASSERT_IDS(r.trace, (size_t)o, 0, o);
    for (int32_t place = 0; place < 6; place++) {
        assert_int_equal(beam_at(r.trace, 0, place)->token.token.id, place);
        assert_int_equal(beam_at(r.trace, 1, place)->parent, 0);
    }
    assert_int_equal(r.model.n_forks, 2);
    free_beams(&r);
    r = run_of(rows, 1, 3); /* three ids: the first two beams' extensions */
    run_well(&r, &plan);
    for (int32_t place = 0; place < 6; place++) {
        assert_int_equal(beam_at(r.trace, 1, place)->parent, place / 3);
        assert_int_equal(beam_at(r.trace, 1, place)->token.token.id, place % 3);
    }
    free_beams(&r);
}

/* Where every id ends a sequence, the first step is the last. */
static void eos_everywhere(void **state) {
    (void)state;
    const int32_t eos[] = {0, 1, 2, 3};
    const float rows[] = {0, 3, 1, 2};
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(3, 50);
    plan.eos = eos;
    plan.n_eos = 4;
    run_well(&r, &plan);
    assert_int_equal(r.model.n_steps, 1);
    ASSERT_IDS(r.trace, 0, 1);
    ASSERT_IDS(r.trace, 1, 3);
    ASSERT_IDS(r.trace, 2, 2);
    assert_string_equal(r.trace->outputs[0].finish_reason, "stop");
    assert_int_equal(beam_at(r.trace, 0, 3)->fate, NT_FATE_LATE);
    free_beams(&r);
}

/* ---- Where little is left -------------------------------------------------------------------- */

/* One word: one beam, however many are asked for; the others would be copies of it. */
static void one_word(void **state) {
    (void)state;
    const float row[] = {-3};
    const int32_t only[] = {0, 0};
    beam_run r = run_of(row, 1, 1);
    nt_plan plan = plan_of(5, 4);
    run_beams(&r, &plan, only);
    assert_int_equal(r.status, NT_OK);
    check_beams(&r, &plan);
    assert_int_equal(r.trace->n_outputs, 1);
    ASSERT_IDS(r.trace, 0, 0, 0, 0, 0);
    assert_true(r.trace->outputs[0].score == 0 && r.trace->outputs[0].logprob == 0);
    assert_int_equal(r.model.n_forks, 0);
    free_beams(&r);
    plan.length_penalty = -2000; /* the divisor is 0 */
    run_beams(&r, &plan, only);
    assert_true(r.trace->outputs[0].score == 0);
    free_beams(&r);
    const int32_t eos[] = {0};
    plan.eos = eos;
    plan.n_eos = 1;
    run_beams(&r, &plan, only);
    ASSERT_IDS(r.trace, 0, 0);
    assert_int_equal(r.trace->n_outputs, 1);
    free_beams(&r);
}

/* More beams than there are ids: they fill up as sequences do. */
static void many_beams(void **state) {
    (void)state;
    enum { MANY = 1024 };
    float *rows = made_rows("smooth", 40, 3, 0.0625f);
    beam_run r = run_of(rows, 40, 3);
    r.model.by_prefix = true;
    nt_plan plan = plan_of(MANY, 8);
    plan.choices = 2;
    run_well(&r, &plan);
    assert_int_equal(r.trace->n_outputs, MANY);
    assert_int_equal(r.model.most_rows, MANY);
    free_beams(&r);
    free(rows);
}

static void hear_note(void *payload, const char *line) {
    size_t *n = payload;
    assert_non_null(strstr(line, "1 of 3 sequences"));
    ++*n;
}

static int leave_one(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V) {
    (void)ids, (void)n_ids;
    const int32_t *left = payload;
    for (size_t v = 0; v < V; v++)
        if ((int32_t)v != *left) logits[v] = -INFINITY;
    return 0;
}

/* Processors that leave one id: one sequence, and a note; that leave none: an error. */
static void one_id_left(void **state) {
    (void)state;
    const float rows[] = {1, 2, 3, 4};
    size_t n_notes = 0;
    int32_t left = 2;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.payload = &n_notes;
    callbacks.note = hear_note;
    beam_run r = run_of(rows, 1, 4);
    r.callbacks = &callbacks;
    nt_plan plan = plan_of(3, 3);
    plan.process = leave_one;
    plan.payload = &left;
    for (int sampled = 0; sampled < 2; sampled++) {
        plan.sample = sampled;
        plan.method = sampled ? NT_METHOD_BEAM_SAMPLE : NT_METHOD_BEAM_SEARCH;
        left = 2;
        n_notes = 0;
        run_well(&r, &plan);
        assert_int_equal(r.trace->n_outputs, 1);
        assert_int_equal(n_notes, 1);
        ASSERT_IDS(r.trace, 0, 2, 2, 2);
        free_beams(&r);
        left = -1;
        run_beams(&r, &plan, prompt);
        assert_int_equal(r.status, NT_E_NUMERIC);
        assert_non_null(strstr(nt_error_message(), "no token is left"));
        free_beams(&r);
    }
}

/* Takes everything from the beam that went to id 3. */
static int close_three(void *payload, const int32_t *ids, size_t n_ids, float *logits, size_t V) {
    (void)payload;
    for (size_t v = 0; ids[n_ids - 1] == 3 && v < V; v++)
        logits[v] = -INFINITY;
    return 0;
}

/* A beam that nothing may follow ends there; the others go on. */
static void dead_end(void **state) {
    (void)state;
    const float rows[] = {0, 1, 2, 9};
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(2, 2);
    plan.process = close_three;
    run_beams(&r, &plan, prompt);
    assert_int_equal(r.status, NT_OK);
    assert_int_equal(r.trace->n_outputs, 2);
    ASSERT_IDS(r.trace, 0, 2, 3);
    ASSERT_IDS(r.trace, 1, 2, 2);
    assert_int_equal(beam_at(r.trace, 0, 0)->token.token.id, 3);
    assert_int_equal(beam_at(r.trace, 0, 0)->row, -1);
    free_beams(&r);
}

/* ---- Drawing --------------------------------------------------------------------------------- */

/* A seed gives one result, however often; another seed another one. */
static void seeds(void **state) {
    (void)state;
    float *rows = made_rows("smooth", 50, 40, 0.0625f);
    beam_run r = run_of(rows, 50, 40);
    r.model.by_prefix = true;
    for (int rng = NT_RNG_PHILOX; rng <= NT_RNG_TORCH; rng++) {
        nt_plan plan = plan_of(3, 6);
        plan.method = NT_METHOD_BEAM_SAMPLE;
        plan.sample = true;
        plan.rng = (nt_rng_kind)rng;
        int32_t first[6];
        size_t n_other = 0;
        for (uint64_t i = 0; i < 12; i++) {
            plan.seed = 5 + i / 2;
            run_well(&r, &plan);
            assert_int_equal(r.trace->outputs[0].n_ids, 6);
            bool same = i > 0 && memcmp(first, r.trace->outputs[0].ids, sizeof first) == 0;
            if (i % 2) assert_true(same);
            if (i % 2 == 0 && i) n_other += !same;
            memcpy(first, r.trace->outputs[0].ids, sizeof first);
            free_beams(&r);
        }
        assert_true(n_other >= 4);
    }
    free(rows);
}

/* Each step draws anew: where all ids are alike, the first drawn is seldom the same. */
static void steps_draw_anew(void **state) {
    (void)state;
    enum { V = 500, STEPS = 12 };
    float *row = calloc(V, sizeof *row);
    assert_non_null(row);
    beam_run r = run_of(row, 1, V);
    nt_plan plan = plan_of(2, STEPS);
    plan.method = NT_METHOD_BEAM_SAMPLE;
    plan.sample = true;
    run_well(&r, &plan);
    size_t n_same = 0;
    int32_t id = beam_at(r.trace, 1, 0)->token.token.id; /* from step 1 on there are two rows */
    for (size_t i = 2; i < STEPS; i++)
        n_same += beam_at(r.trace, i, 0)->token.token.id == id;
    assert_true(n_same <= 2);
    free_beams(&r);
    free(row);
}

/* Guidance runs a second sequence beside each beam, which is forked and dropped with it. */
static void guided(void **state) {
    (void)state;
    float *rows = made_rows("smooth", 50, 7, 0.0625f);
    beam_run r = run_of(rows, 50, 7);
    const int32_t negative[] = {4, 5, 6};
    r.model.by_prefix = true;
    r.negative = negative;
    r.n_negative = 3;
    nt_plan plan = plan_of(3, 5);
    plan.guidance_scale = 1.5;
    run_well(&r, &plan);
    assert_int_equal(r.trace->n_outputs, 3);
    free_beams(&r);
    free(rows);
}

/* ---- Failures -------------------------------------------------------------------------------- */

static void numbers_that_are_none(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        for (int at = 1; at < 3; at++) { /* the prompt's row, or the one after it */
            float rows[3][4] = {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}};
            for (size_t v = 0; v < 4; v++)
                if (i == 2 || v == 1) rows[at][v] = bad[i];
            for (int sampled = 0; sampled < 2; sampled++) {
                beam_run r = run_of(*rows, 3, 4);
                nt_plan plan = plan_of(2, 4);
                plan.sample = sampled;
                plan.method = sampled ? NT_METHOD_BEAM_SAMPLE : NT_METHOD_BEAM_SEARCH;
                run_beams(&r, &plan, prompt);
                assert_int_equal(r.status, NT_E_NUMERIC);
                free_beams(&r);
            }
        }
    }
}

/* Sums that leave float32 are an error. */
static void sums_overflow(void **state) {
    (void)state;
    const float rows[] = {0, 1, 2, 3};
    const int32_t id = 2;
    const nt_bias bias = {.ids = &id, .n_ids = 1, .bias = 3e38};
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(2, 5);
    plan.logit_bias = &bias;
    plan.n_logit_bias = 1;
    run_beams(&r, &plan, prompt);
    assert_int_equal(r.status, NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "at step 1; use smaller biases")); /* at once */
    free_beams(&r);
}

static int cancel_at(void *payload) {
    size_t *left = payload;
    return --*left == 0;
}

/* The model fails at each step and each fork in turn; a caller cancels. */
static void failing_models(void **state) {
    (void)state;
    float *rows = made_rows("smooth", 50, 6, 0.0625f);
    nt_plan plan = plan_of(4, 5);
    beam_run good = run_of(rows, 50, 6);
    good.model.by_prefix = true;
    run_well(&good, &plan);
    size_t n_steps = good.model.n_steps, n_forks = good.model.n_forks;
    assert_int_equal(n_steps, 5);
    assert_true(n_forks > 3);
    free_beams(&good);
    for (size_t i = 0; i <= n_steps + n_forks; i++) {
        beam_run r = run_of(rows, 50, 6);
        r.model.by_prefix = true;
        r.model.fail_start = i == 0;
        r.model.fail_at_step = i <= n_steps ? i : 0;
        r.model.fail_at_fork = i > n_steps ? i - n_steps : 0;
        run_beams(&r, &plan, prompt);
        assert_int_equal(r.status, i > 0 && i <= n_steps ? NT_E_NUMERIC : NT_E_MEMORY);
        free_beams(&r);
    }
    for (size_t left = 1; left <= n_steps; left++) {
        size_t count = left;
        nt_callbacks callbacks = NT_CALLBACKS_INIT;
        callbacks.payload = &count;
        callbacks.cancel = cancel_at;
        beam_run r = run_of(rows, 50, 6);
        r.model.by_prefix = true;
        r.callbacks = &callbacks;
        run_beams(&r, &plan, prompt);
        assert_int_equal(r.status, NT_E_CANCELLED);
        free_beams(&r);
    }
    free(rows);
}

/* Every allocation fails in turn, of a search that draws, is guided and has processors and stop
 * strings. */
static void failing_memory(void **state) {
    (void)state;
    const char *const strings[] = {"ENDb"};
    float *rows = made_rows("smooth", 50, 5, 0.0625f);
    nt_plan plan = plan_of(3, 4);
    plan.guidance_scale = 1.2;
    plan.repetition_penalty = 1.3;
    plan.stop_strings = strings;
    plan.n_stop_strings = 1;
    for (int sampled = 0; sampled < 2; sampled++) {
        plan.sample = sampled;
        plan.method = sampled ? NT_METHOD_BEAM_SAMPLE : NT_METHOD_BEAM_SEARCH;
        int status = NT_E_MEMORY;
        size_t k = 0;
        while (status == NT_E_MEMORY) {
            beam_run r = run_of(rows, 50, 5);
            r.words = &words;
            r.model.by_prefix = true;
            nt_memory_fail_at(++k);
            run_beams(&r, &plan, prompt);
            nt_memory_fail_at(0);
            status = r.status;
            free_beams(&r);
        }
        assert_int_equal(status, NT_OK);
        assert_true(k > 50);
    }
    free(rows);
}

static void hear_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    size_t *n = payload;
    assert_string_equal(what, "tokens");
    assert_int_equal(done, ++*n);
    assert_int_equal(total, 5);
}

static void progress(void **state) {
    (void)state;
    float *rows = made_rows("smooth", 50, 6, 0.0625f);
    size_t n = 0;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    callbacks.payload = &n;
    callbacks.progress = hear_progress;
    beam_run r = run_of(rows, 50, 6);
    r.callbacks = &callbacks;
    nt_plan plan = plan_of(4, 5);
    run_well(&r, &plan);
    assert_int_equal(n, 5);
    assert_int_equal(r.trace->effort.n_passes, 5);
    assert_int_equal(r.trace->effort.n_rows, 1 + 4 * 4);
    free_beams(&r);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_beams_find_all),
        cmocka_unit_test(beams_pass_greedy),
        cmocka_unit_test(ties_go_to_the_lower),
        cmocka_unit_test(eos_everywhere),
        cmocka_unit_test(one_word),
        cmocka_unit_test(many_beams),
        cmocka_unit_test(one_id_left),
        cmocka_unit_test(dead_end),
        cmocka_unit_test(seeds),
        cmocka_unit_test(steps_draw_anew),
        cmocka_unit_test(guided),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(failing_models),
        cmocka_unit_test(sums_overflow),
        cmocka_unit_test(failing_memory),
        cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
