/* Greedy decoding, sampling and best of n: the prompt runs once, its sequence is forked, and the
 * sequences go on side by side until each has found its own end. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "decode/search/search.h"
#include "trace/candidates.h"

/* Sequences that one call of the stepper takes on: enough to read the weights seldom, and few
 * enough that their logits stay small beside a model. */
enum { ROWS_AT_ONCE = 64 };

/* One sequence in the making. */
typedef struct branch {
    nt_writer writer;
    double logprob;
    double score;       /* of best_of */
    const char *reason; /* NULL: it goes on */
    int32_t sequence;   /* of the tracks; -1: none, or dropped */
    size_t place;       /* among the outputs; n_returned or more: not returned */
} branch;

typedef struct generation {
    nt_search *search;
    const nt_plan *plan;
    nt_processors processors;
    branch *branches; /* [n] */
    size_t n;
} generation;

/* The step that sequence s takes from a row: processed, chosen and written down. */
static int choose(int32_t *id, generation *g, size_t s, const nt_given *given, size_t row) {
    const nt_plan *plan = g->plan;
    nt_search *search = g->search;
    branch *b = &g->branches[s];
    const nt_writer *writer = &b->writer;
    nt_processors *processors = &g->processors;
    double u = NAN;
    NT_TRY(nt_processors_run(processors, given->logits[row], nt_unguided(given, row), writer->whole,
                             plan->n_prompt + writer->n_ids));
    const float *processed = nt_processed(processors);
    *id = plan->sample ? nt_draws_one(&search->draws, &u, processed, s, writer->n_ids)
                       : nt_argmax(processed, search->V);
    nt_sight sight = {.stages = processors->stages,
                      .n_stages = processors->n_stages,
                      .V = search->V,
                      .k = plan->choices};
    NT_TRY(nt_trace_add_step(search->trace, &sight, *id));
    nt_step *step = &search->trace->steps[search->trace->n_steps - 1].step;
    step->sequence = s;
    step->index = writer->n_ids;
    step->draw = u;
    b->logprob += step->chosen.logprob;
    return NT_OK;
}

/* One token more for sequence s. */
static int take_step(generation *g, size_t s, const nt_given *given, size_t row) {
    branch *b = &g->branches[s];
    nt_search *search = g->search;
    int32_t id;
    NT_TRY(choose(&id, g, s, given, row));
    NT_TRY(nt_writer_put(&b->writer, id));
    size_t n_ids = g->plan->n_prompt + b->writer.n_ids;
    b->reason = nt_ends_after(&search->ends, b->writer.whole, n_ids, b->writer.cut > 0);
    nt_search_progress(search, 1, g->n * g->plan->max_new);
    if (!b->reason) {
        NT_TRY(nt_writer_send(&b->writer));
        if (b->writer.refused) b->reason = "callback";
    }
    if (!b->reason) return NT_OK;
    nt_tracks_drop(&search->tracks, b->sequence);
    b->sequence = -1;
    return nt_writer_end(&b->writer); /* sends the rest */
}

/* The prompt's step, shared by all sequences. The forks are made before anyone goes on. */
static int first_step(generation *g) {
    nt_tracks *tracks = &g->search->tracks;
    nt_given given;
    NT_TRY(nt_tracks_start(tracks, &g->branches[0].sequence, &given));
    for (size_t s = 1; s < g->n; s++)
        NT_TRY(nt_tracks_fork(tracks, &g->branches[s].sequence, g->branches[0].sequence));
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(take_step(g, s, &given, 0));
    return NT_OK;
}

/* One step of the sequences from *s on, of which at most ROWS_AT_ONCE still go on; *s is then the
 * first that was not looked at. */
static int step_some(bool *any, generation *g, size_t *s) {
    nt_step_row rows[ROWS_AT_ONCE];
    size_t begin = *s, n = 0, row = 0;
    for (; *s < g->n && n < ROWS_AT_ONCE; ++*s) {
        const branch *b = &g->branches[*s];
        if (b->reason) continue;
        const int32_t *last = &b->writer.ids[b->writer.n_ids - 1];
        rows[n++] = (nt_step_row){.sequence = b->sequence, .ids = last, .n_ids = 1};
    }
    nt_given given;
    if (n > 0) NT_TRY(nt_tracks_step(&g->search->tracks, &given, rows, n));
    for (size_t i = begin; i < *s; i++) {
        if (!g->branches[i].reason)
            NT_TRY(take_step(g, i, &given, row++));
        else if (g->plan->sample)
            nt_draws_pass(&g->search->draws, 1);
    }
    *any |= n > 0;
    return NT_OK;
}

/* ---- Outputs ---- */

/* Best score first, then as they were made. */
static int by_score(const void *left, const void *right) {
    const branch *a = *(branch *const *)left, *b = *(branch *const *)right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Gives each sequence its place among the outputs. Best of n: by log-probability a token. */
static int place_outputs(generation *g) {
    bool best_of = g->plan->method == NT_METHOD_BEST_OF;
    branch **order = nt_alloc(g->n, sizeof *order);
    if (!order) return NT_E_MEMORY;
    for (size_t s = 0; s < g->n; s++) {
        branch *b = order[s] = &g->branches[s];
        double length = (double)b->writer.n_ids;
        b->score = best_of ? b->logprob / length : NAN;
    }
    if (best_of) qsort(order, g->n, sizeof *order, by_score);
    int status = NT_OK;
    for (size_t i = 0; i < g->n; i++) {
        branch *b = order[i];
        b->place = i;
        if (i >= g->plan->n_returned || status != NT_OK) continue;
        const nt_buffer *text = &b->writer.text;
        nt_output output = {.ids = b->writer.ids,
                            .n_ids = b->writer.n_ids,
                            .text = text->n ? text->data : "",
                            .n_text = text->n,
                            .logprob = b->logprob,
                            .finish_reason = b->reason,
                            .score = b->score,
                            .beam = -1};
        status = nt_trace_add_output(g->search->trace, &output);
    }
    nt_free(order);
    return status;
}

/* Steps carry the number of their output; those of sequences that are not returned go. */
static int place_steps(generation *g) {
    nt_result *trace = g->search->trace;
    size_t n = 0;
    for (size_t i = 0; i < trace->n_steps; i++) {
        size_t place = g->branches[trace->steps[i].step.sequence].place;
        if (place >= g->plan->n_returned) continue;
        trace->steps[n] = trace->steps[i];
        trace->steps[n++].step.sequence = place;
    }
    trace->n_steps = n;
    return nt_trace_sort_steps(trace);
}

static int run(generation *g) {
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(nt_writer_begin(&g->branches[s].writer, &g->search->writing));
    NT_TRY(first_step(g));
    for (bool any = true; any;) {
        any = false;
        for (size_t s = 0; s < g->n;)
            NT_TRY(step_some(&any, g, &s));
    }
    NT_TRY(place_outputs(g));
    return place_steps(g);
}

int nt_search_each(nt_search *search) {
    generation g = {.search = search, .plan = search->plan, .n = search->plan->n_sequences};
    int status = nt_processors_begin(&g.processors, g.plan, search->V);
    if (status == NT_OK) {
        g.branches = nt_alloc(g.n, sizeof *g.branches);
        if (!g.branches) status = NT_E_MEMORY;
    }
    for (size_t s = 0; g.branches && s < g.n; s++)
        g.branches[s].sequence = -1;
    if (status == NT_OK) status = run(&g);
    for (size_t s = 0; g.branches && s < g.n; s++) {
        nt_tracks_drop(&search->tracks, g.branches[s].sequence);
        nt_writer_free(&g.branches[s].writer);
    }
    nt_free(g.branches);
    nt_processors_free(&g.processors);
    return status;
}
