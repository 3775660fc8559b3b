/* Beam search and beam sampling on tables of logits: exact, without a model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "decode/beam_run.h"
#include "decode/made_row.h"

static const table_word word_list[] = {
    {"a", 1, false}, {"b", 1, false}, {"END", 3, false}, {"EN", 2, false}, {"D", 1, false},
};
static const table_vocab words = {word_list, sizeof word_list / sizeof *word_list};
static const int32_t prompt[] = {0, 1};
enum { N_PROMPT = 2 };

static nt_plan plan_of(size_t n_beams, size_t max_new) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = NT_METHOD_BEAM_SEARCH;
    plan.n_prompt = N_PROMPT;
    plan.n_beams = plan.n_returned = n_beams;
    plan.max_new = max_new;
    plan.keep = 2;
    return plan;
}

static beam_run run_of(const float *rows, size_t n_rows, size_t V) {
    return (beam_run){.model = {.rows = rows, .n_rows = n_rows, .V = V}};
}

static float *made_rows(const char *kind, size_t n_rows, size_t V, float factor) {
    float *rows = malloc(n_rows * V * sizeof *rows);
    assert_non_null(rows);
    for (size_t r = 0; r < n_rows; r++)
        made_row(rows + r * V, kind, V, 100 + r);
    for (size_t i = 0; i < n_rows * V; i++)
        rows[i] *= factor;
    return rows;
}

static void run_well(beam_run *r, const nt_plan *plan) {
    run_beams(r, plan, prompt);
    if (r->status != NT_OK) fail_msg("%s", nt_error_message());
    check_beams(r, plan);
}

static void assert_ids(const nt_result *trace, size_t o, const int32_t *ids, size_t n) {
    assert_true(o < trace->n_outputs);
    assert_int_equal(trace->outputs[o].n_ids, n);
    assert_memory_equal(trace->outputs[o].ids, ids, n * sizeof *ids);
}
#define ASSERT_IDS(trace, o, ...)                                                                  \
    do {                                                                                           \
        const int32_t wanted[] = {__VA_ARGS__};                                                    \
        assert_ids(trace, o, wanted, sizeof wanted / sizeof *wanted);                              \
    } while (0)

static const nt_beam *beam_at(const nt_result *trace, size_t index, int32_t place) {
    for (size_t b = 0; b < trace->n_beams; b++)
        if (trace->beams[b].index == index && trace->beams[b].place == place)
            return &trace->beams[b];
    fail_msg("no beam at place %d of step %zu", (int)place, index);
    return NULL;
}

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

/* ---- Ends ------------------------------------------------------------------------------------ */

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
    assert_non_null(strstr(nt_error_message(), "smaller biases"));
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
        cmocka_unit_test(fates),
        cmocka_unit_test(one_word),
        cmocka_unit_test(many_beams),
        cmocka_unit_test(one_id_left),
        cmocka_unit_test(dead_end),
        cmocka_unit_test(stop_strings),
        cmocka_unit_test(no_time),
        cmocka_unit_test(callers_stop),
        cmocka_unit_test(seeds),
        cmocka_unit_test(guided),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(failing_models),
        cmocka_unit_test(sums_overflow),
        cmocka_unit_test(failing_memory),
        cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
