/* Steps through several stages: changes, demoted candidates, watched ids, against the definitions;
 * and beams, followed from the prompt to the outputs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "trace/trace.h"

static uint64_t seed = 88172645463325252u;
static uint32_t draw(uint32_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

static nt_result *new_trace(void) {
    nt_result *trace;
    assert_int_equal(nt_trace_new(&trace, NT_RESULT_GENERATE, NULL), NT_OK);
    return trace;
}

/* Biases may make logits so large that adding to them changes nothing. */
static void huge_logits_share_what_there_is(void **state) {
    (void)state;
    static const float raw[] = {1, 2, 3, 4}, biased[] = {1e30f, 2, 1e30f, 4};
    const nt_stage stages[] = {{NULL, raw}, {"logit_bias", biased}};
    nt_sight sight = {.stages = stages, .n_stages = 2, .V = 4, .k = 4};
    nt_result *trace = new_trace();
    assert_int_equal(nt_trace_add_step(trace, &sight, 2), NT_OK);
    static const double share[] = {0.5, 0.5, 0, 0};
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(nt_result_candidate(trace, 0, i)->processed_prob - share[i]) < 1e-15);
    nt_result_free(trace);
}

/* ---- Against the definitions ----------------------------------------------------------------- */

enum { MOST_V = 24, MOST_STAGES = 6, MOST_WATCH = 5 };

typedef struct table {
    size_t V, n_stages;
    float rows[MOST_STAGES][MOST_V];
    nt_stage stages[MOST_STAGES];
    bool acts; /* some stage has an option */
} table;

static float any_logit(void) {
    return draw(6) == 0 ? -INFINITY : (float)draw(7) - 3; /* few values: ties everywhere */
}

static void fill_table(table *t, size_t V, size_t n_stages) {
    static const char *const options[] = {"repetition_penalty", "temperature", NULL, "top_k",
                                          "top_p"};
    *t = (table){.V = V, .n_stages = n_stages};
    for (size_t s = 0; s < n_stages; s++) {
        t->stages[s] = (nt_stage){s > 0 ? options[draw(5)] : NULL, t->rows[s]};
        t->acts |= t->stages[s].option != NULL;
        for (size_t v = 0; v < V; v++)
            t->rows[s][v] = s > 0 && draw(2) ? t->rows[s - 1][v] : any_logit();
        t->rows[s][draw((uint32_t)V)] = 0.5f; /* one is left */
    }
}

static bool stands_before(float a, float a_raw, size_t a_id, float b, float b_raw, size_t b_id) {
    if (a != b) return a > b;
    return a_raw != b_raw ? a_raw > b_raw : a_id < b_id;
}

/* How many ids stand before v by keys, then raw, then id. */
static size_t place_of(const float *keys, const float *raw, size_t V, size_t v) {
    size_t place = 0;
    for (size_t w = 0; w < V; w++)
        place += stands_before(keys[w], raw[w], w, keys[v], raw[v], v);
    return place;
}

static double share_of(const float *row, size_t V, size_t v) {
    long double sum = 0;
    for (size_t w = 0; w < V; w++)
        sum += expl((long double)row[w]);
    return (double)(expl((long double)row[v]) / sum);
}

static void check_candidate(const nt_candidate *c, const table *t) {
    size_t v = (size_t)c->token.id, n = 0;
    const float *last = t->rows[t->n_stages - 1];
    assert_true(v < t->V);
    assert_true(c->logit == t->rows[0][v]);
    assert_true(c->processed_logit == last[v]);
    assert_int_equal(c->rank, 1 + place_of(t->rows[0], t->rows[0], t->V, v));
    assert_true(fabs(c->prob - share_of(t->rows[0], t->V, v)) < 1e-12);
    if (t->acts)
        assert_true(fabs(c->processed_prob - share_of(last, t->V, v)) < 1e-12);
    else
        assert_true(c->processed_prob == c->prob);
    for (size_t s = 1; s < t->n_stages; s++) {
        float before = t->rows[s - 1][v], after = t->rows[s][v];
        if (!t->stages[s].option || before == after) continue;
        assert_true(n < c->n_changes);
        assert_ptr_equal(c->changes[n].option, t->stages[s].option);
        assert_true(c->changes[n].before == before && c->changes[n].after == after);
        n++;
    }
    assert_int_equal(c->n_changes, n);
}

static void check_step(const nt_trace_step *step, const table *t, size_t k) {
    const float *raw = t->rows[0], *keys = t->acts ? t->rows[t->n_stages - 1] : raw;
    size_t kept = 0, n_demoted = 0;
    k = k < t->V ? k : t->V;
    assert_int_equal(step->n_candidates, k);
    for (size_t i = 0; i < k; i++) {
        assert_int_equal(place_of(keys, raw, t->V, (size_t)step->candidates[i].token.id), i);
        check_candidate(&step->candidates[i], t);
    }
    for (size_t place = 0; place < k; place++) { /* by raw logit */
        size_t v = 0;
        while (place_of(raw, raw, t->V, v) != place)
            v++;
        if (place_of(keys, raw, t->V, v) < k) continue;
        assert_true(n_demoted < step->n_demoted);
        assert_int_equal(step->demoted[n_demoted].token.id, v);
        check_candidate(&step->demoted[n_demoted++], t);
    }
    assert_int_equal(step->n_demoted, n_demoted);
    for (size_t v = 0; v < t->V; v++)
        kept += keys[v] > -INFINITY;
    assert_int_equal(step->step.kept, kept);
    assert_true(isnan(step->step.draw));
    assert_int_equal(step->step.beam, -1);
    assert_int_equal(step->step.drafted, -1);
}

static void stages_follow_the_definitions(void **state) {
    (void)state;
    size_t n_demoted = 0, n_changes = 0;
    for (size_t round = 0; round < 3000; round++) {
        table t;
        int32_t watch[MOST_WATCH];
        nt_candidate watched[MOST_WATCH];
        fill_table(&t, 1 + draw(MOST_V), 1 + draw(MOST_STAGES));
        nt_sight sight = {.stages = t.stages,
                          .n_stages = t.n_stages,
                          .V = t.V,
                          .k = draw(10),
                          .watch = watch,
                          .watched = watched,
                          .n_watch = draw(MOST_WATCH + 1)};
        int32_t chosen = (int32_t)draw((uint32_t)t.V + 1) - 1;
        for (size_t w = 0; w < sight.n_watch; w++)
            watch[w] = (int32_t)draw((uint32_t)t.V);
        nt_result *trace = new_trace();
        assert_int_equal(nt_trace_add_step(trace, &sight, chosen), NT_OK);
        check_step(&trace->steps[0], &t, sight.k);
        assert_int_equal(nt_result_step(trace, 0)->chosen.token.id, chosen);
        if (chosen >= 0) check_candidate(&nt_result_step(trace, 0)->chosen, &t);
        for (size_t w = 0; w < sight.n_watch; w++) {
            assert_int_equal(watched[w].token.id, watch[w]);
            check_candidate(&watched[w], &t);
            n_changes += watched[w].n_changes;
        }
        n_demoted += trace->steps[0].n_demoted;
        memset(watched, 0xA5, sizeof watched);
        assert_int_equal(nt_trace_add_row(trace, &sight), NT_OK);
        check_step(&trace->rows[0], &t, sight.k);
        assert_int_equal(nt_result_row(trace, 0)->chosen.token.id, -1);
        for (size_t w = 0; w < sight.n_watch; w++)
            check_candidate(&watched[w], &t);
        nt_result_free(trace);
    }
    assert_true(n_demoted > 1000 && n_changes > 1000);
}

/* A stage that no option stands for is a new base: its numbers count and are no change. */
static void a_base_is_no_change(void **state) {
    (void)state;
    const float raw[] = {1, 2, 3}, base[] = {-2.5f, -1.5f, -0.5f}, last[] = {-2.5f, -1.5f, -9};
    nt_stage stages[] = {{NULL, raw}, {NULL, base}, {"repetition_penalty", last}};
    nt_sight sight = {.stages = stages, .n_stages = 2, .V = 3, .k = 3};
    nt_result *trace = new_trace();
    assert_int_equal(nt_trace_add_row(trace, &sight), NT_OK);
    const nt_candidate *c = nt_result_row_candidate(trace, 0, 0);
    assert_int_equal(c->token.id, 2);
    assert_true(c->processed_logit == -0.5f && c->logit == 3);
    assert_true(c->processed_prob == c->prob && c->n_changes == 0 && !c->changes);
    sight.n_stages = 3;
    sight.k = 1;
    assert_int_equal(nt_trace_add_row(trace, &sight), NT_OK);
    assert_int_equal(nt_result_row(trace, 1)->index, 1);
    assert_int_equal(nt_result_row_candidate(trace, 1, 0)->token.id, 1);
    assert_int_equal(nt_result_row_candidate(trace, 1, 0)->n_changes, 0);
    assert_int_equal(nt_result_n_row_demoted(trace, 1), 1);
    c = nt_result_row_demoted(trace, 1, 0);
    assert_int_equal(c->token.id, 2);
    assert_int_equal(c->rank, 1);
    assert_int_equal(c->n_changes, 1);
    assert_string_equal(c->changes[0].option, "repetition_penalty");
    assert_true(c->changes[0].before == -0.5f && c->changes[0].after == -9);
    nt_result_free(trace);
}

/* Numbers that are none may stand between the first and the last stage. */
static void broken_stages(void **state) {
    (void)state;
    const float good[] = {1, 2}, bad[] = {NAN, INFINITY}, none[] = {-INFINITY, -INFINITY};
    nt_stage stages[] = {{NULL, good}, {"custom", bad}, {"remove_invalid_values", good}};
    nt_stage still[] = {{NULL, good}, {"custom", bad}, {"again", bad}, {"last", good}};
    nt_sight sight = {.stages = stages, .n_stages = 3, .V = 2, .k = 2};
    nt_result *trace = new_trace();
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_OK);
    const nt_candidate *c = nt_result_candidate(trace, 0, 1);
    assert_int_equal(c->n_changes, 2);
    assert_true(isnan(c->changes[0].after) && isnan(c->changes[1].before));
    sight = (nt_sight){.stages = still, .n_stages = 4, .V = 2, .k = 2};
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_OK);
    assert_int_equal(nt_result_candidate(trace, 1, 1)->n_changes, 2); /* NaN to NaN is none */
    sight = (nt_sight){.stages = stages, .n_stages = 2, .V = 2, .k = 2};
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "token 0 has NaN"));
    stages[1].logits = (const float[]){1, INFINITY};
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "token 1 has infinity"));
    stages[1].logits = none;
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_E_NUMERIC);
    assert_non_null(strstr(nt_error_message(), "processed logits of step 2 are all -infinity"));
    assert_int_equal(nt_trace_add_row(trace, &sight), NT_E_NUMERIC);
    int32_t outside[] = {1, 2};
    nt_candidate watched[2];
    sight = (nt_sight){.stages = stages,
                       .n_stages = 1,
                       .V = 2,
                       .k = 2,
                       .watch = outside,
                       .watched = watched,
                       .n_watch = 2};
    assert_int_equal(nt_trace_add_row(trace, &sight), NT_E_RANGE);
    outside[1] = -1;
    assert_int_equal(nt_trace_add_step(trace, &sight, 0), NT_E_RANGE);
    assert_int_equal(nt_result_n_steps(trace), 2);
    assert_int_equal(nt_result_n_rows(trace), 0);
    nt_result_free(trace);
}

/* Rows may change or go once they were looked at. */
static void nothing_points_into_the_rows(void **state) {
    (void)state;
    table *t = malloc(sizeof *t), *copy = malloc(sizeof *copy);
    nt_result *trace = new_trace();
    fill_table(t, MOST_V, 4);
    *copy = *t;
    nt_sight sight = {.stages = t->stages, .n_stages = 4, .V = MOST_V, .k = 8};
    assert_int_equal(nt_trace_add_step(trace, &sight, 3), NT_OK);
    memset(t, 0xFF, sizeof *t);
    free(t);
    check_step(&trace->steps[0], copy, 8);
    free(copy);
    nt_result_free(trace);
}

/* ---- Beams ----------------------------------------------------------------------------------- */

static int add_row(nt_result *trace, size_t index, float top) {
    const float raw[] = {top, 1, 0};
    nt_stage stage = {NULL, raw};
    nt_sight sight = {.stages = &stage, .n_stages = 1, .V = 3, .k = 2};
    NT_TRY(nt_trace_add_row(trace, &sight));
    trace->rows[trace->n_rows - 1].step.index = index;
    return NT_OK;
}

static int add_beam(nt_result *trace, int64_t parent, size_t index, int32_t id, int64_t row) {
    nt_beam beam = {.parent = parent, .index = index, .token.token.id = id, .row = row};
    beam.score = NAN;
    beam.finish_reason = row < 0 ? "stop" : NULL;
    return nt_trace_add_beam(trace, &beam);
}

/*  prompt (row 0) -+- 0: id 10 (row 1) -+- 2: id 12 ends
 *                  |                    +- 3: id 13 (row 3) --- 5: id 15 ends
 *                  +- 1: id 11 (row 2) --- 4: id 14 ends */
static int write_beams(nt_result **out) {
    static const int64_t last[] = {5, 2, -1, 4, 2};
    NT_TRY(nt_trace_new(out, NT_RESULT_GENERATE, NULL));
    nt_result *trace = *out;
    for (size_t i = 0; i < 4; i++)
        NT_TRY(add_row(trace, (i + 1) / 2, 5 + (float)i));
    NT_TRY(add_beam(trace, -1, 0, 10, 1));
    NT_TRY(add_beam(trace, -1, 0, 11, 2));
    NT_TRY(add_beam(trace, 0, 1, 12, -1));
    NT_TRY(add_beam(trace, 0, 1, 13, 3));
    NT_TRY(add_beam(trace, 1, 1, 14, -1));
    NT_TRY(add_beam(trace, 3, 2, 15, -1));
    for (size_t o = 0; o < 5; o++) {
        nt_output output = {.text = "", .finish_reason = "stop", .beam = last[o]};
        NT_TRY(nt_trace_add_output(trace, &output));
    }
    return nt_trace_follow_beams(trace);
}

static void beams_are_followed(void **state) {
    (void)state;
    static const struct {
        size_t sequence, index;
        int64_t beam;
        int32_t chosen;
        size_t row;
    } wanted[] = {{0, 0, -1, 10, 0}, {0, 1, 0, 13, 1},  {0, 2, 3, 15, 3},
                  {1, 0, -1, 10, 0}, {1, 1, 0, 12, 1},  {3, 0, -1, 11, 0},
                  {3, 1, 1, 14, 2},  {4, 0, -1, 10, 0}, {4, 1, 0, 12, 1}};
    enum { N = sizeof wanted / sizeof *wanted };
    nt_result *trace;
    assert_int_equal(write_beams(&trace), NT_OK);
    assert_int_equal(nt_result_n_beams(trace), 6);
    assert_string_equal(nt_result_beam(trace, 2)->finish_reason, "stop");
    assert_string_equal(nt_result_beam(trace, 3)->finish_reason, "");
    assert_null(nt_result_beam(trace, 6));
    assert_int_equal(nt_result_n_steps(trace), N);
    for (size_t i = 0; i < N; i++) {
        const nt_step *step = nt_result_step(trace, i);
        assert_int_equal(step->sequence, wanted[i].sequence);
        assert_int_equal(step->index, wanted[i].index);
        assert_int_equal(step->beam, wanted[i].beam);
        assert_int_equal(step->chosen.token.id, wanted[i].chosen);
        assert_true(step->entropy == nt_result_row(trace, wanted[i].row)->entropy);
        assert_int_equal(nt_result_n_candidates(trace, i), 2);
        assert_ptr_equal(nt_result_candidate(trace, i, 0),
                         nt_result_row_candidate(trace, wanted[i].row, 0));
    }
    nt_result_free(trace);
}

/* A tree at random: every path is found again, however it branches. */
static void random_trees(void **state) {
    (void)state;
    for (size_t round = 0; round < 50; round++) {
        nt_result *trace = new_trace();
        size_t n = 1 + draw(60);
        for (size_t b = 0; b < n; b++) {
            int64_t parent = (int64_t)draw((uint32_t)b + 1) - 1;
            size_t index = parent < 0 ? 0 : trace->beams[parent].index + 1;
            assert_int_equal(add_beam(trace, parent, index, (int32_t)(1000 + b), -1), NT_OK);
        }
        for (size_t o = 0; o < 7; o++) {
            nt_output output = {.text = "", .beam = (int64_t)draw((uint32_t)n)};
            assert_int_equal(nt_trace_add_output(trace, &output), NT_OK);
        }
        assert_int_equal(nt_trace_follow_beams(trace), NT_OK);
        size_t s = trace->n_steps;
        for (size_t o = 7; o-- > 0;) { /* from the ends to the prompt */
            for (int64_t b = trace->outputs[o].beam; b >= 0; b = trace->beams[b].parent) {
                const nt_step *step = nt_result_step(trace, --s);
                assert_int_equal(step->sequence, o);
                assert_int_equal(step->chosen.token.id, 1000 + b);
                assert_int_equal(step->index, trace->beams[b].index);
                assert_int_equal(nt_result_n_candidates(trace, s), 0); /* nobody kept rows */
                assert_true(isnan(step->entropy) && isnan(step->draw) && step->drafted == -1);
            }
        }
        assert_int_equal(s, 0);
        nt_result_free(trace);
    }
}

static void wrong_beams(void **state) {
    (void)state;
    nt_result *trace = new_trace();
    assert_int_equal(nt_trace_follow_beams(trace), NT_OK); /* nothing to follow */
    nt_output output = {.text = "", .beam = 0};
    assert_int_equal(nt_trace_add_output(trace, &output), NT_OK);
    assert_int_equal(nt_trace_follow_beams(trace), NT_E_RANGE); /* there is none */
    nt_result_free(trace);
    trace = new_trace();
    assert_int_equal(add_beam(trace, 0, 0, 1, -1), NT_E_RANGE);
    assert_int_equal(add_beam(trace, -2, 0, 1, -1), NT_E_RANGE);
    assert_int_equal(add_beam(trace, -1, 0, 1, -1), NT_OK);
    output.beam = 1;
    assert_int_equal(nt_trace_add_output(trace, &output), NT_OK);
    assert_int_equal(nt_trace_follow_beams(trace), NT_E_RANGE);
    assert_int_equal(nt_result_n_steps(trace), 0);
    nt_result_free(trace);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void new_parts_are_read(void **state) {
    (void)state;
    const char *value = "x";
    assert_int_equal(
        nt_result_n_demoted(NULL, 0) + nt_result_n_beams(NULL) + nt_result_n_rows(NULL), 0);
    assert_int_equal(nt_result_n_row_candidates(NULL, 0) + nt_result_n_row_demoted(NULL, 0), 0);
    assert_null(nt_result_demoted(NULL, 0, 0));
    assert_null(nt_result_beam(NULL, 0));
    assert_null(nt_result_row(NULL, 0));
    assert_null(nt_result_row_candidate(NULL, 0, 0));
    assert_null(nt_result_row_demoted(NULL, 0, 0));
    assert_null(nt_result_effort(NULL));
    assert_null(nt_result_proof(NULL));
    assert_null(nt_result_option(NULL, &value));
    assert_null(value);
    assert_null(nt_result_option(NULL, NULL));
    assert_null(nt_result_inner(NULL, 0));
    nt_option_info info = {.name = "top_p"};
    nt_proof proof = {.proved = true};
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_EXPLAIN; kind++) {
        bool decoded = kind == NT_RESULT_GENERATE || kind == NT_RESULT_STEPS;
        bool explains = kind == NT_RESULT_EXPLAIN;
        nt_result *trace, *inner;
        assert_int_equal(nt_trace_new(&trace, (nt_result_kind)kind, NULL), NT_OK);
        assert_int_equal(nt_trace_new(&inner, NT_RESULT_GENERATE, NULL), NT_OK);
        assert_int_equal(nt_result_get_kind(trace), kind);
        trace->option = &info;
        trace->option_value = "0.9";
        trace->proof = &proof;
        trace->inner[trace->n_inner++] = inner;
        assert_ptr_equal(nt_result_effort(trace), decoded ? &trace->effort : NULL);
        assert_ptr_equal(nt_result_proof(trace), decoded ? &proof : NULL);
        assert_ptr_equal(nt_result_option(trace, &value), explains ? &info : NULL);
        assert_true((value != NULL) == explains);
        assert_ptr_equal(nt_result_inner(trace, 0), inner);
        assert_null(nt_result_inner(trace, 1));
        assert_null(nt_result_demoted(trace, 0, 0));
        assert_null(nt_result_row_demoted(trace, 0, 0));
        nt_result_free(trace); /* the inner one with it */
    }
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static int write_everything(nt_result **out, const table *t) {
    int32_t watch[] = {0, 5, 5};
    nt_candidate watched[3];
    nt_sight sight = {.stages = t->stages,
                      .n_stages = t->n_stages,
                      .V = t->V,
                      .k = 4,
                      .watch = watch,
                      .watched = watched,
                      .n_watch = 3};
    NT_TRY(write_beams(out));
    for (size_t i = 0; i < 10; i++) {
        NT_TRY(nt_trace_add_step(*out, &sight, 7));
        NT_TRY(nt_trace_add_row(*out, &sight));
    }
    nt_beam beam = {.parent = 5, .token = watched[1], .finish_reason = "stop"};
    NT_TRY(nt_trace_add_beam(*out, &beam));
    return nt_trace_sort_steps(*out);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    table t;
    size_t k = 0;
    int status = NT_E_MEMORY;
    fill_table(&t, MOST_V, MOST_STAGES);
    while (status != NT_OK) {
        nt_result *trace = NULL;
        nt_memory_fail_at(++k);
        status = write_everything(&trace, &t);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
        if (status == NT_OK) {
            assert_int_equal(trace->n_steps, 19);
            check_step(&trace->rows[4], &t, 4);
        }
        nt_result_free(trace);
    }
    assert_true(k > 60);
}

/* What a step keeps depends on k and the stages, not on V. */
static void memory_does_not_grow_with_v(void **state) {
    (void)state;
    size_t asked[2];
    for (size_t i = 0; i < 2; i++) {
        size_t V = i ? 50257 : 64;
        float *raw = calloc(V, sizeof *raw), *last = calloc(V, sizeof *last);
        for (size_t v = 0; v < V; v++) {
            raw[v] = v < 40 ? 40 - (float)v : -9;
            last[v] = v < 20 ? -INFINITY : raw[v];
        }
        nt_stage stages[] = {{NULL, raw}, {"suppress_tokens", last}};
        nt_sight sight = {.stages = stages, .n_stages = 2, .V = V, .k = 10};
        nt_result *trace = new_trace();
        nt_memory_fail_at(SIZE_MAX); /* counts */
        assert_int_equal(nt_trace_add_step(trace, &sight, 3), NT_OK);
        asked[i] = nt_memory_count();
        nt_memory_fail_at(0);
        assert_int_equal(nt_result_n_demoted(trace, 0), 10);
        assert_int_equal(nt_result_step(trace, 0)->chosen.rank, 4);
        nt_result_free(trace);
        free(last);
        free(raw);
    }
    assert_int_equal(asked[0], asked[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_follow_the_definitions),
        cmocka_unit_test(a_base_is_no_change),
        cmocka_unit_test(broken_stages),
        cmocka_unit_test(nothing_points_into_the_rows),
        cmocka_unit_test(beams_are_followed),
        cmocka_unit_test(random_trees),
        cmocka_unit_test(wrong_beams),
        cmocka_unit_test(new_parts_are_read),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(huge_logits_share_what_there_is),
        cmocka_unit_test(memory_does_not_grow_with_v),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
