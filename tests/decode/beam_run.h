/* A beam search on a table of logits, and what holds of every one. */
#ifndef BEAM_RUN_H
#define BEAM_RUN_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode/made_row.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"
#include "trace/trace.h"

typedef struct beam_run {
    table_model model;
    const table_vocab *words; /* NULL: no text */
    const nt_callbacks *callbacks;
    const int32_t *negative; /* [n_negative] */
    size_t n_negative;
    nt_result *trace;
    int status;
} beam_run;

static inline void run_beams(beam_run *r, const nt_plan *plan, const int32_t *prompt) {
    size_t n_open = 0;
    r->model.n_steps = r->model.n_forks = r->model.most_rows = r->model.most_live = 0;
    table_texts texts = {r->words, &n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    nt_stepper stepper = table_stepper(&r->model, 4096);
    nt_vocab vocab = r->words ? vocab_of(r->words) : (nt_vocab){0};
    nt_decoding with = {.plan = plan,
                        .stepper = &stepper,
                        .detokenizer = r->words ? &detokenizer : NULL,
                        .prompt = prompt,
                        .negative = r->negative,
                        .n_negative = r->n_negative,
                        .callbacks = r->callbacks};
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, r->words ? &vocab : NULL);
    if (r->status == NT_OK) r->status = nt_decode_run(r->trace, &with);
    assert_int_equal(r->model.n_live, 0); /* also where it failed */
    assert_int_equal(n_open, 0);
    size_t most = plan->n_beams * (plan->guidance_scale != 1 ? 2 : 1);
    assert_true(r->model.most_live <= most);
}

static inline void free_beams(beam_run *r) {
    nt_result_free(r->trace);
    r->trace = NULL;
}

static inline bool was_kept(const nt_beam *beam) {
    return beam->fate == NT_FATE_OUTPUT || beam->fate == NT_FATE_BEATEN;
}

/* One beam against its parent, its fate against what it is. */
static inline void check_beam(const nt_result *trace, size_t b, const nt_plan *plan) {
    const nt_beam *beam = &trace->beams[b];
    assert_true(beam->parent < (int64_t)b);
    double before = 0;
    if (beam->parent >= 0) {
        const nt_beam *parent = &trace->beams[beam->parent];
        assert_int_equal(parent->index + 1, beam->index);
        assert_int_equal(parent->fate, NT_FATE_RUNNING);
        assert_true(parent->row >= 0 && trace->rows[parent->row].step.beam == beam->parent);
        assert_int_equal(trace->rows[parent->row].step.index, beam->index);
        before = parent->sum;
    } else {
        assert_int_equal(beam->index, 0);
    }
    assert_true(beam->sum == (double)((float)before + beam->token.processed_logit));
    bool ended = *beam->finish_reason != 0;
    assert_int_equal(ended, was_kept(beam) || beam->fate == NT_FATE_LATE);
    assert_int_equal(ended, !isnan(beam->score));
    if (ended) assert_int_equal(beam->place < (int32_t)plan->n_beams, was_kept(beam));
    assert_int_equal(beam->slot >= 0, beam->fate == NT_FATE_RUNNING);
    assert_true(beam->slot < (int32_t)plan->n_beams);
    assert_true(beam->row < (int64_t)trace->n_rows);
}

/* The outputs: their beams lead from the prompt to them, and their steps are those beams. */
static inline size_t check_output(const nt_result *trace, size_t o, size_t first_step) {
    const nt_output *output = &trace->outputs[o];
    const nt_beam *last = &trace->beams[output->beam];
    double logprob = 0;
    assert_int_equal(last->fate, NT_FATE_OUTPUT);
    assert_string_equal(last->finish_reason, output->finish_reason);
    assert_true(output->score == last->score);
    assert_int_equal(output->n_ids, last->index + 1);
    int64_t b = output->beam;
    for (size_t i = output->n_ids; i-- > 0; b = trace->beams[b].parent) {
        const nt_step *step = &trace->steps[first_step + i].step;
        assert_int_equal(output->ids[i], trace->beams[b].token.token.id);
        assert_int_equal(step->chosen.token.id, output->ids[i]);
        assert_int_equal(step->beam, trace->beams[b].parent);
        assert_int_equal(step->sequence, o);
        logprob += trace->beams[b].token.logprob;
    }
    assert_int_equal(b, -1);
    assert_true(logprob == output->logprob || fabs(logprob / output->logprob - 1) < 1e-9);
    return first_step + output->n_ids;
}

/* What holds of every beam search that went well. */
static inline void check_beams(const beam_run *r, const nt_plan *plan) {
    const nt_result *trace = r->trace;
    size_t at = 0, n_output = 0, n_forks = 0;
    for (size_t b = 0; b < trace->n_beams; b++) {
        check_beam(trace, b, plan);
        n_output += trace->beams[b].fate == NT_FATE_OUTPUT;
    }
    assert_true(n_output <= plan->n_beams && trace->n_outputs <= n_output);
    assert_true(trace->n_outputs == plan->n_returned || trace->n_outputs == n_output);
    for (size_t o = 0; o < trace->n_outputs; o++) {
        at = check_output(trace, o, at);
        assert_true(o == 0 || trace->outputs[o - 1].score >= trace->outputs[o].score);
    }
    assert_int_equal(at, trace->n_steps);
    /* a beam's first child goes on in its place, others are forks */
    for (size_t b = 0; b < trace->n_beams; b++) {
        const nt_beam *beam = &trace->beams[b];
        if (beam->slot < 0 || beam->row < 0) continue;
        bool first = true;
        for (size_t older = 0; older < b && first; older++)
            first = trace->beams[older].parent != beam->parent || trace->beams[older].row < 0 ||
                    trace->beams[older].index != beam->index;
        n_forks += !first;
    }
    assert_int_equal(r->model.n_forks, n_forks * (plan->guidance_scale != 1 ? 2 : 1));
}

static const int32_t prompt[] = {0, 1};
enum { N_PROMPT = 2 };

/* A beam search behind the prompt. */
static inline nt_plan plan_of(size_t n_beams, size_t max_new) {
    nt_plan plan = NT_PLAN_INIT;
    plan.method = NT_METHOD_BEAM_SEARCH;
    plan.n_prompt = N_PROMPT;
    plan.n_beams = plan.n_returned = n_beams;
    plan.max_new = max_new;
    plan.keep = 2;
    return plan;
}

static inline beam_run run_of(const float *rows, size_t n_rows, size_t V) {
    return (beam_run){.model = {.rows = rows, .n_rows = n_rows, .V = V}};
}

static inline float *made_rows(const char *kind, size_t n_rows, size_t V, float factor) {
    float *rows = malloc(n_rows * V * sizeof *rows);
    assert_non_null(rows);
    for (size_t r = 0; r < n_rows; r++)
        made_row(rows + r * V, kind, V, 100 + r);
    for (size_t i = 0; i < n_rows * V; i++)
        rows[i] *= factor;
    return rows;
}

static inline void run_well(beam_run *r, const nt_plan *plan) {
    run_beams(r, plan, prompt);
    if (r->status != NT_OK) fail_msg("%s", nt_error_message());
    check_beams(r, plan);
}

static inline void assert_ids(const nt_result *trace, size_t o, const int32_t *ids, size_t n) {
    assert_true(o < trace->n_outputs);
    assert_int_equal(trace->outputs[o].n_ids, n);
    assert_memory_equal(trace->outputs[o].ids, ids, n * sizeof *ids);
}
#define ASSERT_IDS(trace, o, ...)                                                                  \
    do {                                                                                           \
        const int32_t wanted[] = {__VA_ARGS__};                                                    \
        assert_ids(trace, o, wanted, sizeof wanted / sizeof *wanted);                              \
    } while (0)

static inline const nt_beam *beam_at(const nt_result *trace, size_t index, int32_t place) {
    for (size_t b = 0; b < trace->n_beams; b++)
        if (trace->beams[b].index == index && trace->beams[b].place == place)
            return &trace->beams[b];
    fail_msg("no beam at place %d of step %zu", (int)place, index);
    return NULL;
}

#endif
