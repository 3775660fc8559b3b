/* Exact search: the likeliest complete continuation of at most max_new tokens, or all that are
 * likely enough, with a proof. Each token can only lower a prefix's log-probability, so that a
 * prefix whose sum is below what is complete already has nothing behind it that counts. Best first:
 * the prefix with the largest sum is looked at next, and when that sum is below, so are all others.
 */
#include "decode/search/exact.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/status.h"

double nt_exact_floor(const nt_exact *x) {
    double floor = x->kept.least;
    if (!x->all || x->kept.n_more > 0) floor = fmax(floor, nt_kept_worst(&x->kept, x->prefixes));
    return floor;
}

/* The text callback has nothing to hear yet, but its word to stop counts. */
static bool is_stopped(nt_exact *x) {
    const nt_callbacks *callbacks = x->search->with->callbacks;
    if (!x->stopped && callbacks && callbacks->text)
        x->stopped = callbacks->text(callbacks->payload, "", 0) != 0;
    return x->stopped;
}

bool nt_exact_may_look(nt_exact *x) {
    if (x->proof.n_nodes >= x->plan->max_nodes)
        x->proof.limit = "max_nodes";
    else if (x->search->ends.deadline < INFINITY && nt_clock() > x->search->ends.deadline)
        x->proof.limit = "max_time";
    else if (x->n >= x->rows.room.most)
        x->proof.limit = "memory";
    else if (is_stopped(x))
        x->proof.limit = "callback";
    return !*x->proof.limit;
}

void nt_exact_progress(const nt_exact *x) {
    const nt_callbacks *callbacks = x->search->with->callbacks;
    uint64_t done = x->proof.n_nodes, most = x->plan->max_nodes;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "nodes", done, done > most ? done : most);
}

static bool needs_row(const nt_exact *x, const nt_frontier_entry *entry) {
    return entry->again || !x->prefixes[entry->prefix].looked;
}

/* The row of *entry, which was taken off the frontier, and those that may be needed next. */
static int load(nt_exact *x, const nt_frontier_entry *entry) {
    nt_frontier_entry next[NT_EXACT_BATCH];
    int32_t wanted[NT_EXACT_BATCH] = {entry->prefix};
    size_t n_next = 0, n = 1, batch = x->rows.room.batch;
    uint64_t left = x->plan->max_nodes - x->proof.n_nodes;
    double floor = nt_exact_floor(x);
    if (batch > left) batch = left > 0 ? left : 1;
    if (x->rows.who[0] == entry->prefix) return NT_OK;
    while (n < batch && n_next < NT_EXACT_BATCH && nt_frontier_pop(&next[n_next], &x->frontier)) {
        const nt_frontier_entry *one = &next[n_next++];
        if (one->sum < floor) break;
        if (needs_row(x, one) && one->prefix > 0) wanted[n++] = one->prefix;
    }
    while (n_next > 0)
        NT_TRY(nt_frontier_push(&x->frontier, next[--n_next]));
    return nt_exact_rows_load(x, wanted, n);
}

/* What a look has made goes to the frontier, or is too unlikely. */
static int offer(nt_exact *x, nt_frontier_entry entry) {
    if (entry.sum >= nt_exact_floor(x)) return nt_frontier_push(&x->frontier, entry);
    x->passed = fmax(x->passed, entry.sum);
    return NT_OK;
}

static int go_on_from(nt_exact *x, int32_t prefix) {
    const nt_prefix *p = &x->prefixes[prefix];
    for (int32_t c = p->first; c < p->first + p->n_children; c++) {
        const nt_prefix *child = &x->prefixes[c];
        if (child->ended) continue;
        NT_TRY(offer(x, (nt_frontier_entry){child->sum, child->depth, c, false}));
    }
    if (!(p->rest > -INFINITY)) return NT_OK;
    return offer(x, (nt_frontier_entry){p->rest, p->depth + 1, prefix, true});
}

/* The next one on the frontier; *more is false when none counts any more, or at a limit. */
static int step(bool *more, nt_exact *x) {
    nt_frontier_entry entry;
    *more = x->frontier.n > 0 && x->frontier.heap[0].sum >= nt_exact_floor(x) &&
            (!needs_row(x, &x->frontier.heap[0]) || nt_exact_may_look(x));
    if (!*more || !nt_frontier_pop(&entry, &x->frontier)) return NT_OK;
    const nt_prefix *p = &x->prefixes[entry.prefix];
    if (needs_row(x, &entry)) {
        size_t most = nt_exact_most(x, entry.prefix);
        if (entry.again && p->taken > most) most = p->taken; /* twice as many as last time */
        NT_TRY(load(x, &entry));
        NT_TRY(nt_exact_look(x, entry.prefix, most, nt_exact_floor(x)));
        nt_exact_progress(x);
    }
    return go_on_from(x, entry.prefix);
}

/* ---- What is known in the end ---------------------------------------------------------------- */

static void prove(nt_exact *x) {
    nt_proof *proof = &x->proof;
    double worst = x->all ? x->kept.least : nt_kept_worst(&x->kept, x->prefixes);
    proof->bound = x->passed;
    if (x->frontier.n > 0) proof->bound = fmax(proof->bound, x->frontier.heap[0].sum);
    bool open = x->frontier.n > 0 && x->frontier.heap[0].sum >= nt_exact_floor(x);
    if (!open) proof->limit = "";
    if (!open && x->all && x->kept.n_more > 0) {
        proof->limit = "num_return_sequences";
        proof->bound = fmax(proof->bound, nt_kept_worst(&x->kept, x->prefixes));
    }
    proof->proved = !*proof->limit;
    proof->gap = proof->proved ? 0 : fmax(0, proof->bound - worst);
}

static void tell(const nt_exact *x) {
    const nt_callbacks *callbacks = x->search->with->callbacks;
    if (!x->all || x->kept.n_more == 0 || !callbacks || !callbacks->note) return;
    char line[128];
    snprintf(
        line, sizeof line,
        "more than %zu continuations reach min_probability: the likeliest of them are returned",
        x->kept.most);
    callbacks->note(callbacks->payload, line);
}

static void set_fates(nt_exact *x) {
    double floor = nt_exact_floor(x);
    nt_beam *beams = x->search->trace->beams;
    for (size_t i = 1; i < x->n; i++) {
        const nt_prefix *p = &x->prefixes[i];
        bool open = *x->proof.limit && !p->ended && p->sum >= floor;
        beams[i - 1].fate = p->looked && beams[i - 1].row >= 0 ? NT_FATE_RUNNING
                            : open && !p->looked               ? NT_FATE_UNPROVED
                                                               : NT_FATE_PRUNED;
    }
    for (size_t i = 0; i < x->kept.n; i++)
        beams[x->kept.best[i] - 1].fate = NT_FATE_OUTPUT;
}

static int add_output(nt_exact *x, int32_t prefix) {
    const nt_prefix *p = &x->prefixes[prefix];
    const nt_beam *beams = x->search->trace->beams;
    size_t n = p->depth, at = n;
    double logprob = 0;
    for (int32_t i = prefix; i > 0; i = x->prefixes[i].parent)
        x->ids[--at] = x->prefixes[i].id;
    for (int32_t i = prefix; i > 0; i = x->prefixes[i].parent)
        logprob += beams[i - 1].token.logprob;
    nt_output output = {.ids = x->ids,
                        .n_ids = n,
                        .logprob = logprob,
                        .finish_reason = beams[prefix - 1].finish_reason,
                        .score = p->sum,
                        .beam = prefix - 1};
    return nt_search_output(x->search, &output);
}

static int finish(nt_exact *x) {
    nt_result *trace = x->search->trace;
    prove(x);
    if (x->proof.proved && x->kept.n == 0 && !x->all) {
        return nt_fail(NT_E_NUMERIC,
                       "no continuation of %zu tokens is left: the options take all "
                       "of them out",
                       x->plan->max_new);
    }
    set_fates(x);
    for (size_t i = 0; i < x->kept.n; i++)
        NT_TRY(add_output(x, x->kept.best[i]));
    NT_TRY(nt_trace_follow_beams(trace));
    trace->proof = nt_arena_alloc(&trace->arena, 1, sizeof *trace->proof);
    if (!trace->proof) return NT_E_MEMORY;
    *trace->proof = x->proof;
    tell(x);
    return NT_OK;
}

static int begin(nt_exact *x, const nt_exact_room *room) {
    const nt_plan *plan = x->plan;
    size_t most = x->all ? NT_MAX_SEQUENCES : plan->n_returned;
    /* a probability that is reached but for rounding is reached */
    double least = x->all ? nt_log(plan->min_probability) : -INFINITY;
    if (x->all) least -= 1e-12 * (1 - least);
    NT_TRY(nt_kept_begin(&x->kept, most, least));
    x->ids = nt_alloc(plan->n_prompt + plan->max_new, sizeof *x->ids);
    if (!x->ids) return NT_E_MEMORY;
    memcpy(x->ids, x->search->with->prompt, plan->n_prompt * sizeof *x->ids);
    NT_TRY(nt_processors_begin(&x->processors, plan, x->V));
    NT_TRY(nt_grow((void **)&x->prefixes, &x->capacity, 1, sizeof *x->prefixes));
    x->prefixes[x->n++] =
        (nt_prefix){.rest = -INFINITY, .parent = -1, .at = x->search->writing.after_prompt};
    return nt_exact_rows_begin(x, room);
}

static int run(nt_exact *x, const nt_exact_room *room) {
    NT_TRY(begin(x, room));
    NT_TRY(nt_exact_first(x));
    x->proof.limit = "";
    NT_TRY(nt_frontier_push(&x->frontier, (nt_frontier_entry){0, 0, 0, false}));
    for (bool more = true; more;)
        NT_TRY(step(&more, x));
    return finish(x);
}

static void put_away(nt_exact *x) {
    nt_exact_rows_free(x);
    nt_processors_free(&x->processors);
    nt_kept_free(&x->kept);
    nt_frontier_free(&x->frontier);
    nt_free(x->prefixes);
    nt_free(x->ids);
    nt_free(x->picks);
    nt_free(x->children);
    nt_free(x->watch);
    nt_free(x->watched);
}

int nt_search_exact_in(nt_search *search, const nt_exact_room *room) {
    const nt_plan *plan = search->plan;
    nt_exact x = {.search = search,
                  .plan = plan,
                  .V = search->V,
                  .ends = search->ends,
                  .rows.root = -1,
                  .all = plan->min_probability > 0,
                  .passed = -INFINITY,
                  .proof = {.limit = "",
                            .horizon = plan->max_new,
                            .greedy = NAN,
                            .beams = NAN,
                            .n_beams = plan->n_beams > 1 ? plan->n_beams : 5,
                            .min_probability = plan->min_probability}};
    x.ends.deadline = INFINITY;
    int status = run(&x, room);
    put_away(&x);
    return status;
}

int nt_search_exact(nt_search *search) {
    nt_exact_room room = {NT_EXACT_BATCH, NT_EXACT_LIVE, NT_EXACT_MOST};
    return nt_search_exact_in(search, &room);
}
