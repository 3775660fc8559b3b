/* Greedy decoding, sampling and best of n: the prompt runs once, its sequence is forked, and the
 * sequences go on side by side until each has found its own end. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "decode/search/branch.h"
#include "trace/candidates.h"

/* Sequences that one call of the stepper takes on: enough to read the weights seldom, and few
 * enough that their logits stay small beside a model. */
enum { ROWS_AT_ONCE = 64 };

/* One of the sequences. */
typedef struct one {
    nt_branch branch;
    double score; /* of best_of */
    size_t place; /* among the outputs; n_returned or more: not returned */
} one;

typedef struct generation {
    nt_search *search;
    const nt_plan *plan;
    nt_processors processors;
    one *all; /* [n] */
    size_t n;
} generation;

/* One token more for sequence s. */
static int take_step(generation *g, size_t s, const nt_given *given, size_t row) {
    nt_search *search = g->search;
    nt_branch *branch = &g->all[s].branch;
    const float *processed;
    double u = NAN;
    nt_step *step;
    NT_TRY(nt_branch_process(&processed, branch, given, row));
    int32_t id = g->plan->sample
                     ? nt_draws_one(&search->draws, &u, processed, s, branch->writer.n_ids)
                     : nt_argmax(processed, search->V);
    NT_TRY(nt_branch_take(&step, branch, id));
    step->draw = u;
    if (!branch->reason) return NT_OK;
    nt_tracks_drop(&search->tracks, branch->sequence);
    branch->sequence = -1;
    return NT_OK;
}

/* The prompt's step, shared by all sequences. The forks are made before anyone goes on. */
static int first_step(generation *g) {
    nt_tracks *tracks = &g->search->tracks;
    nt_given given;
    int32_t *first = &g->all[0].branch.sequence;
    NT_TRY(nt_tracks_start(tracks, first, &given));
    for (size_t s = 1; s < g->n; s++)
        NT_TRY(nt_tracks_fork(tracks, &g->all[s].branch.sequence, *first));
    if (g->plan->sample) nt_draws_before(&g->search->draws, g->n);
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(take_step(g, s, &given, 0));
    if (g->plan->sample) nt_draws_behind(&g->search->draws, g->n);
    return NT_OK;
}

static bool any_goes_on(const generation *g) {
    for (size_t s = 0; s < g->n; s++)
        if (!g->all[s].branch.reason) return true;
    return false;
}

/* One step of the sequences from *s on, of which at most ROWS_AT_ONCE still go on; *s is then the
 * first that was not looked at. */
static int step_some(generation *g, size_t *s) {
    nt_step_row rows[ROWS_AT_ONCE];
    size_t begin = *s, n = 0, row = 0;
    for (; *s < g->n && n < ROWS_AT_ONCE; ++*s) {
        const nt_branch *b = &g->all[*s].branch;
        if (b->reason) continue;
        const int32_t *last = &b->writer.ids[b->writer.n_ids - 1];
        rows[n++] = (nt_step_row){.sequence = b->sequence, .ids = last, .n_ids = 1};
    }
    nt_given given;
    if (n > 0) NT_TRY(nt_tracks_step(&g->search->tracks, &given, rows, n));
    for (size_t i = begin; i < *s; i++) {
        if (!g->all[i].branch.reason)
            NT_TRY(take_step(g, i, &given, row++));
        else if (g->plan->sample)
            nt_draws_pass(&g->search->draws, 1);
    }
    return NT_OK;
}

/* ---- Outputs ---- */

/* Best score first, then as they were made. */
static int by_score(const void *left, const void *right) {
    const one *a = *(one *const *)left, *b = *(one *const *)right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Gives each sequence its place among the outputs. Best of n: by log-probability a token. */
static int place_outputs(generation *g) {
    bool best_of = g->plan->method == NT_METHOD_BEST_OF;
    one **order = nt_alloc(g->n, sizeof *order);
    if (!order) return NT_E_MEMORY;
    for (size_t s = 0; s < g->n; s++) {
        one *o = order[s] = &g->all[s];
        o->score = best_of ? o->branch.logprob / (double)o->branch.writer.n_ids : NAN;
    }
    if (best_of) qsort(order, g->n, sizeof *order, by_score);
    int status = NT_OK;
    for (size_t i = 0; i < g->n; i++) {
        order[i]->place = i;
        if (i < g->plan->n_returned && status == NT_OK)
            status = nt_branch_output(&order[i]->branch, order[i]->score);
    }
    nt_free(order);
    return status;
}

/* Steps carry the number of their output; those of sequences that are not returned go. */
static int place_steps(generation *g) {
    nt_result *trace = g->search->trace;
    size_t n = 0;
    for (size_t i = 0; i < trace->n_steps; i++) {
        size_t place = g->all[trace->steps[i].step.sequence].place;
        if (place >= g->plan->n_returned) continue;
        trace->steps[n] = trace->steps[i];
        trace->steps[n++].step.sequence = place;
    }
    trace->n_steps = n;
    return nt_trace_sort_steps(trace);
}

static int run(generation *g) {
    for (size_t s = 0; s < g->n; s++)
        NT_TRY(nt_branch_begin(&g->all[s].branch, g->search, &g->processors, s));
    NT_TRY(first_step(g));
    while (any_goes_on(g)) {
        if (g->plan->sample) nt_draws_before(&g->search->draws, g->n);
        for (size_t s = 0; s < g->n;)
            NT_TRY(step_some(g, &s));
        if (g->plan->sample) nt_draws_behind(&g->search->draws, g->n);
    }
    NT_TRY(place_outputs(g));
    return place_steps(g);
}

int nt_search_each(nt_search *search) {
    generation g = {.search = search, .plan = search->plan, .n = search->plan->n_sequences};
    int status = nt_processors_begin(&g.processors, g.plan, search->V);
    if (status == NT_OK) {
        g.all = nt_alloc(g.n, sizeof *g.all);
        if (!g.all) status = NT_E_MEMORY;
    }
    if (status == NT_OK) status = run(&g);
    for (size_t s = 0; g.all && s < g.n; s++)
        nt_branch_free(&g.all[s].branch);
    nt_free(g.all);
    nt_processors_free(&g.processors);
    return status;
}
