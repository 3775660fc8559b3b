/* The loop behind greedy decoding and sampling: the prompt runs once, its sequence is forked, and
 * the sequences go on side by side until each has found its own end. */
#include "decode/generate.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "decode/process/processor.h"
#include "decode/stop/writer.h"
#include "trace/candidates.h"

/* Sequences that one call of the stepper takes on: enough to read the weights seldom, and few
 * enough that their logits stay small beside a model. */
enum { ROWS_AT_ONCE = 64 };

/* One sequence in the making. */
typedef struct branch {
    nt_writer writer;
    double logprob;
    const char *reason; /* NULL: it goes on */
    int32_t sequence;   /* of the stepper; -1: none, or dropped */
} branch;

typedef struct generation {
    nt_result *trace;
    const nt_stepper *stepper;
    const nt_plan *plan;
    const nt_callbacks *callbacks;
    nt_writing writing;
    nt_processors processors;
    branch *branches; /* [n] */
    size_t n;
    uint64_t n_tokens; /* made by all of them */
} generation;

static bool is_eos(const nt_plan *plan, int32_t id) {
    for (size_t i = 0; i < plan->n_eos; i++)
        if (plan->eos[i] == id) return true;
    return false;
}

/* Why a sequence ends after this token, in transformers' order; NULL: it goes on. */
static const char *reason_after(const nt_writer *writer, const nt_plan *plan, int32_t id) {
    if (is_eos(plan, id)) return "stop";
    if (writer->cut) return "stop_string";
    return writer->n_ids >= plan->max_new ? "length" : NULL;
}

/* The step that sequence s takes from logits [V]: processed, chosen and written down. */
static int choose(int32_t *id, generation *g, size_t s, const float *logits) {
    const nt_plan *plan = g->plan;
    branch *b = &g->branches[s];
    size_t V = g->stepper->V, index = b->writer.n_ids;
    const float *processed = nt_processors_run(&g->processors, logits);
    if (plan->sample) {
        double *sums = g->processors.row.weights;
        nt_draw_ready(sums, processed ? processed : logits, V);
        *id = nt_draw(sums, V, nt_random_uniform(plan->seed, s, index));
    } else {
        *id = nt_argmax(processed ? processed : logits, V);
    }
    NT_TRY(nt_trace_add_step(g->trace, logits, processed, V, plan->choices, *id));
    nt_step *step = &g->trace->steps[g->trace->n_steps - 1].step;
    step->sequence = s;
    step->index = index;
    b->logprob += step->chosen.logprob;
    return NT_OK;
}

static void drop(generation *g, branch *b) {
    if (b->sequence >= 0) g->stepper->drop(g->stepper->self, b->sequence);
    b->sequence = -1;
}

/* One token more for sequence s. */
static int take_step(generation *g, size_t s, const float *logits) {
    branch *b = &g->branches[s];
    int32_t id;
    NT_TRY(choose(&id, g, s, logits));
    NT_TRY(nt_writer_put(&b->writer, id));
    g->n_tokens++;
    b->reason = reason_after(&b->writer, g->plan, id);
    const nt_callbacks *callbacks = g->callbacks;
    if (callbacks && callbacks->progress) {
        callbacks->progress(callbacks->payload, "tokens", g->n_tokens, g->n * g->plan->max_new);
    }
    if (!b->reason) {
        NT_TRY(nt_writer_send(&b->writer));
        if (b->writer.refused) b->reason = "callback";
    }
    if (!b->reason) return NT_OK;
    drop(g, b);
    return nt_writer_end(&b->writer); /* sends the rest */
}

/* The prompt's step, shared by all sequences. The forks are made before anyone goes on. */
static int first_step(generation *g, const int32_t *prompt, size_t n_prompt) {
    const nt_stepper *stepper = g->stepper;
    const float *logits;
    int32_t parent, child; /* a call that fails gives 0, which may be the caller's own */
    NT_TRY(stepper->start(stepper->self, &parent));
    g->branches[0].sequence = parent;
    nt_step_row row = {.sequence = parent, .ids = prompt, .n_ids = n_prompt};
    NT_TRY(stepper->step(stepper->self, &logits, &row, 1, g->callbacks));
    for (size_t s = 1; s < g->n; s++) {
        NT_TRY(stepper->fork(stepper->self, &child, parent));
        g->branches[s].sequence = child;
    }
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(take_step(g, s, logits));
    return NT_OK;
}

/* One step of the next sequences from *s on that still go on, at most ROWS_AT_ONCE of them; *s
 * is then the first that was not looked at. */
static int step_some(bool *any, generation *g, size_t *s) {
    nt_step_row rows[ROWS_AT_ONCE];
    const float *logits[ROWS_AT_ONCE];
    size_t who[ROWS_AT_ONCE], n = 0;
    for (; *s < g->n && n < ROWS_AT_ONCE; ++*s) {
        const branch *b = &g->branches[*s];
        if (b->reason) continue;
        const int32_t *last = &b->writer.ids[b->writer.n_ids - 1];
        rows[n] = (nt_step_row){.sequence = b->sequence, .ids = last, .n_ids = 1};
        who[n++] = *s;
    }
    if (n == 0) return NT_OK;
    *any = true;
    NT_TRY(g->stepper->step(g->stepper->self, logits, rows, n, g->callbacks));
    for (size_t i = 0; i < n; i++)
        NT_TRY(take_step(g, who[i], logits[i]));
    return NT_OK;
}

static int run(generation *g, const int32_t *prompt, size_t n_prompt) {
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(nt_writer_begin(&g->branches[s].writer, &g->writing));
    NT_TRY(first_step(g, prompt, n_prompt));
    for (bool any = true; any;) {
        any = false;
        for (size_t s = 0; s < g->n;)
            NT_TRY(step_some(&any, g, &s));
    }
    for (size_t s = 0; s < g->n; s++) {
        const branch *b = &g->branches[s];
        const nt_buffer *text = &b->writer.text;
        nt_output output = {.ids = b->writer.ids,
                            .n_ids = b->writer.n_ids,
                            .text = text->n ? text->data : "",
                            .n_text = text->n,
                            .logprob = b->logprob,
                            .finish_reason = b->reason};
        NT_TRY(nt_trace_add_output(g->trace, &output));
    }
    return nt_trace_sort_steps(g->trace);
}

int nt_plan_run(nt_result *trace, const nt_stepper *stepper, const nt_detokenizer *detokenizer,
                const int32_t *prompt, size_t n_prompt, const nt_plan *plan,
                const nt_callbacks *callbacks) {
    generation g = {.trace = trace, .stepper = stepper, .plan = plan, .callbacks = callbacks};
    g.n = plan->sample ? plan->n_sequences : 1;
    trace->method = plan->sample ? "sample" : "greedy";
    trace->seeded = plan->sample;
    trace->seed = plan->seed;
    int status = nt_writing_begin(&g.writing, &trace->vocab, detokenizer, plan,
                                  g.n == 1 ? callbacks : NULL, prompt, n_prompt);
    if (status == NT_OK) status = nt_processors_begin(&g.processors, plan, stepper->V);
    if (status == NT_OK) {
        g.branches = nt_alloc(g.n, sizeof *g.branches);
        if (!g.branches) status = NT_E_MEMORY;
    }
    for (size_t s = 0; g.branches && s < g.n; s++)
        g.branches[s].sequence = -1;
    if (status == NT_OK) status = run(&g, prompt, n_prompt);
    for (size_t s = 0; g.branches && s < g.n; s++) {
        drop(&g, &g.branches[s]);
        nt_writer_free(&g.branches[s].writer);
    }
    nt_free(g.branches);
    nt_processors_free(&g.processors);
    nt_writing_free(&g.writing);
    return status;
}
