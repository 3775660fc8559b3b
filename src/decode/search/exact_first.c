/* What an exact search has to beat: greedy decoding and a beam search over the same prefixes. What
 * they find is a bound from the first step on, and what they missed shows in the end. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "decode/search/exact.h"

/* A child of a running beam. */
typedef struct option {
    double sum;
    size_t order; /* beams in their order, their children in theirs */
    int32_t prefix;
} option;

typedef struct first_beams {
    nt_exact *x;
    size_t n_most;    /* running beams, and */
    size_t wide;      /* the best children of all that are looked through, as transformers does */
    int32_t *running; /* [n_running] */
    option *options;  /* [n_options] */
    size_t n_running, n_options, capacity;
    size_t n_seen;
} first_beams;

static int first_look(nt_exact *x, int32_t prefix, size_t most, double floor) {
    NT_TRY(nt_exact_look(x, prefix, most, floor));
    nt_exact_progress(x);
    return NT_OK;
}

/* All of it, whatever the limits: there is always something to return. */
static int run_greedy(nt_exact *x, size_t most) {
    int32_t at = 0;
    while (!x->prefixes[at].ended) {
        NT_TRY(nt_exact_rows_load(x, &at, 1));
        NT_TRY(first_look(x, at, most, -INFINITY));
        if (x->prefixes[at].n_children == 0) {
            x->proof.greedy = -INFINITY;
            return NT_OK;
        }
        at = x->prefixes[at].first;
    }
    x->proof.greedy = x->prefixes[at].sum;
    return NT_OK;
}

static int better(const void *left, const void *right) {
    const option *a = left, *b = right;
    if (a->sum > b->sum || a->sum < b->sum) return a->sum > b->sum ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* The children of one beam join the options; the best `wide` stay. */
static int add_options(first_beams *f, int32_t prefix) {
    nt_exact *x = f->x;
    double floor = f->n_options < f->wide ? -INFINITY : f->options[f->wide - 1].sum;
    if (!x->prefixes[prefix].looked) NT_TRY(first_look(x, prefix, f->wide, floor));
    const nt_prefix *parent = &x->prefixes[prefix];
    size_t n = (size_t)parent->n_children;
    NT_TRY(nt_grow((void **)&f->options, &f->capacity, f->n_options + n, sizeof *f->options));
    for (size_t i = 0; i < n; i++) {
        int32_t child = parent->first + (int32_t)i;
        f->options[f->n_options++] = (option){x->prefixes[child].sum, f->n_seen++, child};
    }
    if (f->n_options > 0) qsort(f->options, f->n_options, sizeof *f->options, better);
    if (f->n_options > f->wide) f->n_options = f->wide;
    return NT_OK;
}

/* One token more for all beams; *cut: a limit came in between. */
static int step_beams(bool *cut, first_beams *f) {
    nt_exact *x = f->x;
    size_t batch = x->rows.room.batch;
    f->n_options = 0;
    for (size_t b = 0; b < f->n_running; b++) {
        int32_t wanted[NT_EXACT_BATCH];
        size_t n = 0;
        for (size_t i = b; i < f->n_running && n < batch; i++)
            if (!x->prefixes[f->running[i]].looked) wanted[n++] = f->running[i];
        if (!x->prefixes[f->running[b]].looked) {
            if (!nt_exact_may_look(x)) {
                *cut = true;
                return NT_OK;
            }
            NT_TRY(nt_exact_rows_load(x, wanted, n));
        }
        NT_TRY(add_options(f, f->running[b]));
    }
    f->n_running = 0;
    for (size_t i = 0; i < f->n_options && f->n_running < f->n_most; i++) {
        const nt_prefix *prefix = &x->prefixes[f->options[i].prefix];
        if (!prefix->ended)
            f->running[f->n_running++] = f->options[i].prefix;
        else if (i < f->n_most)
            x->proof.beams = fmax(x->proof.beams, prefix->sum);
    }
    return NT_OK;
}

static int run_beams(first_beams *f) {
    nt_exact *x = f->x;
    bool cut = false;
    f->running[0] = 0;
    f->n_running = 1;
    x->proof.beams = -INFINITY;
    while (f->n_running > 0 && x->prefixes[f->running[0]].sum > x->proof.beams && !cut)
        NT_TRY(step_beams(&cut, f));
    if (cut) x->proof.beams = NAN;
    return NT_OK;
}

int nt_exact_first(nt_exact *x) {
    first_beams f = {.x = x, .n_most = x->proof.n_beams};
    size_t per_beam = x->plan->n_eos > 0 ? 1 + x->plan->n_eos : 2;
    if (per_beam > x->V) per_beam = x->V;
    f.wide = f.n_most * per_beam;
    f.running = nt_alloc(f.n_most, sizeof *f.running);
    int status = f.running ? NT_OK : NT_E_MEMORY;
    x->first = true;
    size_t most = f.wide > NT_EXACT_FIRST ? f.wide : NT_EXACT_FIRST;
    if (status == NT_OK) status = run_greedy(x, most);
    if (status == NT_OK) status = run_beams(&f);
    x->first = false;
    nt_free(f.running);
    nt_free(f.options);
    return status;
}
