#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LEAST_SHARED = 8 }; /* positions: below, a fork costs more than running them again */

/* Texts of `order` that begin with the same ids. */
typedef struct group {
    size_t first, n; /* order[first .. first + n) */
    size_t shared;   /* positions that all of them begin with */
    int32_t sequence;
} group;

/* Whom the rows of one input belong to: row t is row offset + t of each of these texts. */
typedef struct target {
    size_t first, n;
    size_t offset;
} target;

typedef struct batch {
    nt_session *session;
    const nt_batch_text *texts;
    size_t n;
    size_t *order; /* [n] texts by their ids */
    group *groups; /* [n_groups], those that share nothing (one text, or equal ones) last */
    size_t n_groups;
    nt_input *inputs; /* [capacity] of the step at hand */
    target *targets;  /* [capacity] */
    size_t n_inputs;
    nt_batch_row_fn row;
    void *payload;
    nt_stages span;
} batch;

/* ---- Plan ------------------------------------------------------------------------------------ */

static size_t in_common(const nt_batch_text *a, const nt_batch_text *b) {
    size_t n = a->n_ids < b->n_ids ? a->n_ids : b->n_ids, i = 0;
    while (i < n && a->ids[i] == b->ids[i])
        i++;
    return i;
}

static int by_ids(const void *a, const void *b, void *texts) {
    const nt_batch_text *x = (const nt_batch_text *)texts + *(const size_t *)a,
                        *y = (const nt_batch_text *)texts + *(const size_t *)b;
    size_t k = in_common(x, y);
    if (k < x->n_ids && k < y->n_ids) return x->ids[k] < y->ids[k] ? -1 : 1;
    return (x->n_ids > y->n_ids) - (x->n_ids < y->n_ids);
}

static const nt_batch_text *text_at(const batch *b, size_t i) {
    return &b->texts[b->order[i]];
}

/* Nothing to fork: one text, or the same ids several times. */
static bool runs_alone(const batch *b, const group *g) {
    return text_at(b, g->first + g->n - 1)->n_ids == g->shared;
}

/* Those that run alone last; the longest first, which packs well. */
static int by_kind(const void *a, const void *b, void *self) {
    const group *g = a, *h = b;
    bool alone = runs_alone(self, g), other = runs_alone(self, h);
    if (alone != other) return alone ? 1 : -1;
    return (g->shared < h->shared) - (g->shared > h->shared);
}

/* A group takes the next text as long as the rows that it saves do not become fewer, and equal
 * texts of any length. */
static void make_groups(batch *b) {
    for (size_t i = 0; i < b->n;) {
        group g = {.first = i, .n = 1, .shared = text_at(b, i)->n_ids};
        for (; ++i < b->n; g.n++) {
            size_t shared = in_common(text_at(b, i - 1), text_at(b, i));
            if (shared > g.shared) shared = g.shared;
            bool equal = shared == g.shared && shared == text_at(b, i)->n_ids;
            if (shared < LEAST_SHARED && !equal) break;
            if (g.n * shared < (g.n - 1) * g.shared) break;
            g.shared = shared;
        }
        b->groups[b->n_groups++] = g;
    }
    qsort_r(b->groups, b->n_groups, sizeof *b->groups, by_kind, b);
}

/* How many of order[i .. end) are the same text as the first. */
static size_t n_equal(const batch *b, size_t i, size_t end) {
    const nt_batch_text *first = text_at(b, i);
    size_t n = 1;
    for (; i + n < end; n++) {
        const nt_batch_text *next = text_at(b, i + n);
        if (next->n_ids != first->n_ids || in_common(first, next) < first->n_ids) break;
    }
    return n;
}

static size_t rows_of(const batch *b, const group *g) {
    size_t rows = g->shared, end = g->first + g->n;
    for (size_t i = g->first; i < end; i += n_equal(b, i, end))
        rows += text_at(b, i)->n_ids - g->shared;
    return rows;
}

static int plan(batch *b) {
    size_t n = b->n;
    b->order = nt_alloc(n, sizeof *b->order);
    b->groups = nt_alloc(n, sizeof *b->groups);
    b->inputs = nt_alloc(n, sizeof *b->inputs);
    b->targets = nt_alloc(n, sizeof *b->targets);
    if (!b->order || !b->groups || !b->inputs || !b->targets) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        b->order[i] = i;
    qsort_r(b->order, n, sizeof *b->order, by_ids, (void *)(uintptr_t)b->texts);
    make_groups(b);
    for (size_t i = 0; i < b->n_groups; i++)
        b->span.total += rows_of(b, &b->groups[i]);
    return NT_OK;
}

/* ---- Rows out -------------------------------------------------------------------------------- */

/* To every text that the row is of, on any thread. */
static void deliver(void *payload, const nt_logits_row *row) {
    const batch *b = payload;
    const target *to = &b->targets[row->input];
    size_t t = to->offset + row->t;
    for (size_t i = to->first; i < to->first + to->n; i++)
        if (t >= text_at(b, i)->wanted) b->row(b->payload, b->order[i], t, row->logits);
}

/* ---- Run ------------------------------------------------------------------------------------- */

/* Positions [begin, end) of the first of these texts, in the name of all of them. */
static void add_input(batch *b, int32_t sequence, size_t first, size_t n, size_t begin,
                      size_t end) {
    size_t wanted = SIZE_MAX;
    for (size_t i = first; i < first + n; i++)
        if (text_at(b, i)->wanted < wanted) wanted = text_at(b, i)->wanted;
    wanted = wanted < begin ? begin : wanted > end ? end : wanted;
    b->targets[b->n_inputs] = (target){first, n, begin};
    b->inputs[b->n_inputs++] = (nt_input){.sequence = sequence,
                                          .ids = text_at(b, first)->ids + begin,
                                          .n_ids = end - begin,
                                          .wanted = wanted - begin};
}

static int run_inputs(batch *b) {
    size_t rows = 0;
    if (b->n_inputs == 0) return NT_OK;
    for (size_t i = 0; i < b->n_inputs; i++)
        rows += b->inputs[i].n_ids;
    nt_callbacks callbacks = nt_stages_callbacks(&b->span);
    int status =
        nt_runner_step_each(b->session->runner, b->inputs, b->n_inputs, deliver, b, &callbacks);
    b->span.done += rows;
    return status;
}

/* How many positions' worth of pages a sequence of n positions takes. */
static size_t paged(size_t n) {
    return (n + NT_PAGE - 1) / NT_PAGE * NT_PAGE;
}

static size_t bytes_of(const batch *b, size_t positions) {
    const nt_config *c = &b->session->model->network->config;
    return positions * (size_t)c->L * (size_t)c->G * (size_t)c->E * 2 * sizeof(float);
}

static void drop_inputs(batch *b) {
    for (size_t i = 0; i < b->n_inputs; i++)
        nt_sequence_drop(b->session, b->inputs[i].sequence);
    b->n_inputs = 0;
}

static int run_and_drop(batch *b) {
    int status = run_inputs(b);
    drop_inputs(b);
    return status;
}

/* What is left of each text behind its group's prefix, as many at a time as the cache may hold. */
static int run_forks(batch *b, const group *groups, size_t n) {
    size_t bytes = 0;
    for (const group *g = groups; g < groups + n; g++) {
        size_t last = g->first + g->n, same;
        for (size_t i = g->first; i < last; i += same) {
            size_t end = text_at(b, i)->n_ids;
            size_t more = bytes_of(b, paged(end) - g->shared / NT_PAGE * NT_PAGE);
            int32_t fork;
            same = n_equal(b, i, last);
            if (end == g->shared) continue;
            if (bytes + more > b->session->most_cached) {
                NT_TRY(run_and_drop(b));
                bytes = 0;
            }
            int status = nt_sequence_fork(&fork, b->session, g->sequence);
            if (status != NT_OK) {
                drop_inputs(b);
                return status;
            }
            add_input(b, fork, i, same, g->shared, end);
            bytes += more;
        }
    }
    return run_and_drop(b);
}

/* Prefixes first, then what follows each. */
static int run_wave(batch *b, group *groups, size_t n) {
    size_t made = 0;
    int status = NT_OK;
    for (; made < n; made++) {
        group *g = &groups[made];
        if ((status = nt_sequence_new(&g->sequence, b->session)) != NT_OK) break;
        add_input(b, g->sequence, g->first, g->n, 0, g->shared);
    }
    if (status == NT_OK) status = run_inputs(b);
    b->n_inputs = 0;
    if (status == NT_OK) status = run_forks(b, groups, n);
    for (size_t i = 0; i < made; i++)
        nt_sequence_drop(b->session, groups[i].sequence);
    return status;
}

static int run(batch *b) {
    size_t i = 0;
    while (i < b->n_groups && !runs_alone(b, &b->groups[i])) {
        size_t first = i, bytes = 0;
        do
            bytes += bytes_of(b, paged(b->groups[i++].shared));
        while (i < b->n_groups && !runs_alone(b, &b->groups[i]) &&
               bytes + bytes_of(b, paged(b->groups[i].shared)) <= b->session->most_cached);
        NT_TRY(run_wave(b, b->groups + first, i - first));
    }
    for (; i < b->n_groups; i++)
        add_input(b, NT_ALONE, b->groups[i].first, b->groups[i].n, 0, b->groups[i].shared);
    return run_inputs(b);
}

int nt_batch_run(nt_session *session, const nt_batch_text *texts, size_t n, nt_batch_row_fn row,
                 void *payload, const nt_callbacks *callbacks) {
    batch b = {.session = session,
               .texts = texts,
               .n = n,
               .row = row,
               .payload = payload,
               .span = {.outer = callbacks}};
    int status = plan(&b);
    if (status == NT_OK) status = run(&b);
    nt_free(b.order);
    nt_free(b.groups);
    nt_free(b.inputs);
    nt_free(b.targets);
    return status;
}
