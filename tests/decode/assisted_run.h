/* For tests of assisted decoding: a model and an assistant that are tables of logits, and runs of
 * them that leave nothing open. */
#ifndef ASSISTED_RUN_H
#define ASSISTED_RUN_H

#include "base/memory.h"
#include "decode/made_row.h"
#include "decode/search/search.h"
#include "decode/table_stepper.h"
#include "decode/table_vocab.h"

/* Zeros are tables that may be made. */
typedef struct tables {
    float *model, *assistant; /* [n_rows, V] */
    size_t n_rows, V;
    bool by_id;
} tables;

/* As table() in tools/oracle/assisted.py: the assistant's rows are `like` quarters of the model's
 * and the rest of their own. */
static inline void make_tables(tables *t, size_t n_rows, size_t V, uint64_t seed, float like,
                               float soft) {
    size_t n = n_rows * V;
    t->n_rows = n_rows;
    t->V = V;
    t->model = realloc(t->model, n * sizeof *t->model);
    t->assistant = realloc(t->assistant, n * sizeof *t->assistant);
    if (!t->model || !t->assistant) abort();
    for (size_t r = 0; r < n_rows; r++) {
        made_row(t->model + r * V, "smooth", V, seed + r);
        made_row(t->assistant + r * V, "smooth", V, seed + 1000 + r);
    }
    for (size_t i = 0; i < n; i++) {
        t->assistant[i] = (like * t->model[i] + (4 - like) * t->assistant[i]) / 4 / soft;
        t->model[i] /= soft;
    }
}

static inline void free_tables(tables *t) {
    free(t->model);
    free(t->assistant);
    *t = (tables){0};
}

/* A stepper that takes no more positions than its context has. */
typedef struct bounded {
    nt_stepper inner;
    table_model model;
} bounded;

static int bounded_start(void *self, int32_t *sequence) {
    bounded *b = self;
    return b->inner.start(b->inner.self, sequence);
}

static int bounded_fork(void *self, int32_t *child, int32_t parent) {
    bounded *b = self;
    return b->inner.fork(b->inner.self, child, parent);
}

static void bounded_drop(void *self, int32_t sequence) {
    bounded *b = self;
    b->inner.drop(b->inner.self, sequence);
}

static void bounded_cut(void *self, int32_t sequence, size_t length) {
    bounded *b = self;
    b->inner.cut(b->inner.self, sequence, length);
}

static int bounded_step(void *self, const float **logits, const nt_step_row *rows, size_t n_rows,
                        const nt_callbacks *callbacks) {
    bounded *b = self;
    for (size_t i = 0; i < n_rows; i++)
        if (b->model.length[rows[i].sequence] + rows[i].n_ids > b->inner.context)
            fail_msg("%zu positions are too many", b->model.length[rows[i].sequence]);
    return b->inner.step(b->inner.self, logits, rows, n_rows, callbacks);
}

static inline nt_stepper bounded_stepper(bounded *b, size_t context) {
    b->inner = table_stepper(&b->model, context);
    return (nt_stepper){.self = b,
                        .V = b->model.V,
                        .context = context,
                        .start = bounded_start,
                        .step = bounded_step,
                        .fork = bounded_fork,
                        .drop = bounded_drop,
                        .cut = bounded_cut};
}

typedef struct run {
    /* in */
    const tables *tables;
    const int32_t *prompt, *negative; /* [plan.n_prompt], [n_negative] */
    size_t n_negative;
    nt_plan plan;
    const table_vocab *words;          /* NULL: no text */
    size_t draft_context, draft_V;     /* 0: large, the model's */
    size_t cancel_at, refuse_at;       /* calls; 0: never */
    size_t fail_model, fail_assistant; /* steps; 0: never */
    bool fail_start, fail_assistant_start;
    /* out */
    nt_result *trace;
    int status;
    bounded model, assistant;
    size_t n_open, n_cancel, n_text;
    nt_buffer heard;
} run;

static int run_hears(void *payload, const char *utf8, size_t n) {
    run *r = payload;
    nt_buffer_put(&r->heard, utf8, n);
    return ++r->n_text == r->refuse_at;
}

static int run_cancels(void *payload) {
    run *r = payload;
    return ++r->n_cancel == r->cancel_at;
}

/* A model of zeros becomes the table of rows. */
static void set_model(table_model *model, const tables *t, const float *rows) {
    model->rows = rows;
    model->n_rows = t->n_rows;
    model->V = t->V;
    model->by_id = t->by_id;
    model->by_prefix = !t->by_id;
}

static void run_it(run *r) {
    const tables *t = r->tables;
    set_model(&r->model.model, t, t->model);
    set_model(&r->assistant.model, t, t->assistant);
    r->model.model.fail_at_step = r->fail_model;
    r->model.model.fail_start = r->fail_start;
    r->assistant.model.fail_at_step = r->fail_assistant;
    r->assistant.model.fail_start = r->fail_assistant_start;
    if (r->draft_V) r->assistant.model.V = r->draft_V;
    size_t guided = r->n_negative > r->plan.n_prompt ? r->n_negative : r->plan.n_prompt;
    nt_stepper stepper = bounded_stepper(&r->model, guided + r->plan.max_new - 1);
    nt_stepper assistant =
        bounded_stepper(&r->assistant, r->draft_context ? r->draft_context : 1024);
    table_texts texts = {r->words, &r->n_open};
    nt_detokenizer detokenizer = detokenizer_of(&texts);
    nt_vocab vocab = r->words ? vocab_of(r->words) : (nt_vocab){0};
    nt_callbacks callbacks = {
        .size = sizeof callbacks, .payload = r, .cancel = run_cancels, .text = run_hears};
    nt_decoding with = {.plan = &r->plan,
                        .stepper = &stepper,
                        .assistant = r->plan.method == NT_METHOD_ASSISTED ? &assistant : NULL,
                        .detokenizer = r->words ? &detokenizer : NULL,
                        .prompt = r->prompt,
                        .negative = r->negative,
                        .n_negative = r->n_negative,
                        .callbacks = &callbacks};
    r->status = nt_trace_new(&r->trace, NT_RESULT_GENERATE, &vocab);
    if (r->status == NT_OK) r->status = nt_decode_run(r->trace, &with);
    assert_int_equal(r->model.model.n_live, 0); /* all is given back on every path */
    assert_int_equal(r->assistant.model.n_live, 0);
    assert_int_equal(r->n_open, 0);
}

static void run_free(run *r) {
    nt_result_free(r->trace);
    nt_buffer_free(&r->heard);
    r->trace = NULL;
}

/* The same question again, with nothing of the answer. */
static run run_again(const run *r, nt_method method) {
    run out = *r;
    memset(&out.trace, 0, sizeof out - offsetof(run, trace));
    out.plan.method = method;
    return out;
}

#endif
