/* How beams end: by ids, by strings, by time, by a caller, by the rules of early_stopping; and what
 * the trace says of those that did. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decode/beam_run.h"

static const table_word word_list[] = {
    {"a", 1, false}, {"b", 1, false}, {"END", 3, false}, {"EN", 2, false}, {"D", 1, false},
};
static const table_vocab words = {word_list, sizeof word_list / sizeof *word_list};

/* One id that ends: it comes late, is kept, is beaten, by hand. Probabilities of 0, 1 and the end:
 * .5 .3 .2, then .6 .1 .3 behind all. */
static void fates(void **state) {
    (void)state;
    const int32_t eos[] = {2};
    float rows[4][3] = {{0}, {logf(.5f), logf(.3f), logf(.2f)}, {logf(.6f), logf(.1f), logf(.3f)}};
    memcpy(rows[3], rows[2], sizeof *rows);
    beam_run r = run_of(*rows, 4, 3);
    nt_plan plan = plan_of(2, 3);
    plan.eos = eos;
    plan.n_eos = 1;
    plan.length_penalty = 0;
    run_well(&r, &plan);
    const nt_result *trace = r.trace;
    /* step 0: .5 (0), .3 (1), .2 (end): late */
    assert_int_equal(beam_at(trace, 0, 2)->fate, NT_FATE_LATE);
    assert_string_equal(beam_at(trace, 0, 2)->finish_reason, "stop");
    /* step 1: .3 (0 0), .18 (1 0), .15 (0 end) late, .09 (1 end) late */
    assert_int_equal(beam_at(trace, 1, 0)->slot, 0);
    assert_int_equal(beam_at(trace, 1, 2)->fate, NT_FATE_LATE);
    /* step 2, the last: .18 (0 0 0), .108 (1 0 0); .09 late */
    assert_int_equal(beam_at(trace, 2, 1)->fate, NT_FATE_OUTPUT);
    assert_int_equal(beam_at(trace, 2, 2)->fate, NT_FATE_LATE);
    ASSERT_IDS(trace, 0, 0, 0, 0);
    ASSERT_IDS(trace, 1, 1, 0, 0);
    assert_true(fabs(trace->outputs[0].score - log(.18)) < 1e-6);
    free_beams(&r);
    /* with three beams .2 and .15 are kept; of the last step's .18, .108 and .09 the best */
    plan.n_beams = 3;
    plan.n_returned = 3;
    run_well(&r, &plan);
    assert_int_equal(beam_at(r.trace, 0, 2)->fate, NT_FATE_OUTPUT);
    assert_int_equal(beam_at(r.trace, 1, 2)->fate, NT_FATE_OUTPUT);
    assert_int_equal(beam_at(r.trace, 1, 3)->fate, NT_FATE_LATE);
    assert_int_equal(beam_at(r.trace, 1, 5)->fate, NT_FATE_PRUNED);
    assert_int_equal(beam_at(r.trace, 2, 1)->fate, NT_FATE_BEATEN);
    assert_int_equal(beam_at(r.trace, 2, 2)->fate, NT_FATE_BEATEN);
    ASSERT_IDS(r.trace, 0, 2);
    ASSERT_IDS(r.trace, 1, 0, 0, 0);
    ASSERT_IDS(r.trace, 2, 0, 2);
    free_beams(&r);
}

/* "never" hopes for the best length, which with a penalty below 0 is the shortest. By hand: ended
 * are log .3 and 2 log .15, and what runs scores 2 log .3, 3 log .294 and at last 4 log .288. */
static void never_with_negative_penalty(void **state) {
    (void)state;
    const int32_t eos[] = {2};
    const float rows[5][3] = {{0},
                              {logf(.5f), logf(.2f), logf(.3f)},
                              {logf(.6f), logf(.1f), logf(.3f)},
                              {logf(.98f), logf(.01f), logf(.01f)},
                              {logf(.98f), logf(.01f), logf(.01f)}};
    beam_run r = run_of(*rows, 5, 3);
    nt_plan plan = plan_of(2, 4);
    plan.eos = eos;
    plan.n_eos = 1;
    plan.length_penalty = -1;
    for (int early = NT_EARLY_FALSE; early <= NT_EARLY_NEVER; early++) {
        plan.early_stopping = (nt_early_stopping)early;
        run_well(&r, &plan);
        assert_int_equal(r.model.n_steps, early == NT_EARLY_TRUE ? 2 : 4);
        ASSERT_IDS(r.trace, 0, 2);
        ASSERT_IDS(r.trace, 1, 0, 2);
        free_beams(&r);
    }
}

/* A stop string that begins in one token and ends in another, in each beam for itself. */
static void stop_strings(void **state) {
    (void)state;
    const char *const strings[] = {"END"};
    float rows[5][5] = {{0}};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            rows[i][j] = -20;
    rows[1][3] = 1, rows[1][0] = 1.1f; /* b: EN or a */
    rows[3][4] = 1, rows[3][0] = 0;    /* EN: D or a */
    rows[0][4] = 1, rows[0][1] = 0;    /* a: D or b */
    rows[4][1] = 1;
    beam_run r = run_of(*rows, 5, 5);
    r.words = &words;
    r.model.by_id = true;
    nt_plan plan = plan_of(2, 6);
    plan.stop_strings = strings;
    plan.n_stop_strings = 1;
    plan.length_penalty = 0;
    run_well(&r, &plan);
    size_t n_stopped = 0;
    for (size_t o = 0; o < r.trace->n_outputs; o++) {
        const nt_output *output = &r.trace->outputs[o];
        if (strcmp(output->finish_reason, "stop_string") != 0) continue;
        n_stopped++;
        ASSERT_IDS(r.trace, o, 3, 4);
        assert_string_equal(output->text, "");
    }
    assert_int_equal(n_stopped, 1);
    free_beams(&r);
}

/* Time that has run out ends all candidates of a step. */
static void no_time(void **state) {
    (void)state;
    const float rows[] = {0, 1, 2, 3};
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(2, 9);
    plan.max_time = 0;
    run_well(&r, &plan);
    assert_int_equal(r.model.n_steps, 1);
    ASSERT_IDS(r.trace, 0, 3);
    ASSERT_IDS(r.trace, 1, 2);
    assert_string_equal(r.trace->outputs[1].finish_reason, "time");
    free_beams(&r);
}

static int stop_at_three(void *payload, const int32_t *ids, size_t n_ids) {
    (void)payload, (void)n_ids;
    return ids[n_ids - 1] == 3;
}

static void callers_stop(void **state) {
    (void)state;
    const float rows[] = {0, 1, 2, 3};
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(2, 9);
    plan.stop = stop_at_three;
    plan.early_stopping = NT_EARLY_TRUE;
    run_well(&r, &plan);
    ASSERT_IDS(r.trace, 0, 3);
    assert_string_equal(r.trace->outputs[0].finish_reason, "callback");
    free_beams(&r);
}

/* The caller takes all the time there is over the second candidate. */
static int take_time(void *payload, const int32_t *ids, size_t n_ids) {
    (void)ids, (void)n_ids;
    size_t *n = payload;
    if (++*n == 2)
        for (double until = nt_clock() + 0.2; nt_clock() <= until;)
            continue;
    return 0;
}

/* Time that runs out between two candidates of a step ends both. */
static void time_runs_out(void **state) {
    (void)state;
    const float rows[] = {0, 1, 2, 3};
    size_t n_asked = 0;
    beam_run r = run_of(rows, 1, 4);
    nt_plan plan = plan_of(2, 9);
    plan.max_time = 0.1;
    plan.stop = take_time;
    plan.payload = &n_asked;
    run_well(&r, &plan);
    assert_int_equal(r.model.n_steps, 1);
    ASSERT_IDS(r.trace, 0, 3);
    assert_string_equal(r.trace->outputs[0].finish_reason, "time");
    free_beams(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fates),        cmocka_unit_test(never_with_negative_penalty),
        cmocka_unit_test(stop_strings), cmocka_unit_test(no_time),
        cmocka_unit_test(callers_stop), cmocka_unit_test(time_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
