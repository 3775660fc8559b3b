/* One look at a prefix: its row of logits goes through the processors, and its likeliest children
 * that may still count become prefixes. The others are remembered by one number, the sum of the
 * likeliest of them, which says when the row is worth another look. */
#include <math.h>

#include "base/math.h"
#include "base/memory.h"
#include "decode/search/exact.h"

static bool is_last(const nt_exact *x, const nt_prefix *prefix) {
    return prefix->depth + 1 >= x->plan->max_new;
}

size_t nt_exact_most(const nt_exact *x, int32_t prefix) {
    /* the last tokens of one row stand in the order of results: more of them cannot matter, and one
     * more says that there are more */
    return is_last(x, &x->prefixes[prefix]) ? x->kept.most + 1 : NT_EXACT_FIRST;
}

/* The whole sequence of a prefix, in x->ids; returns its length. */
static size_t write_ids(nt_exact *x, int32_t prefix) {
    size_t n = x->plan->n_prompt + x->prefixes[prefix].depth, at = n;
    for (int32_t p = prefix; p > 0; p = x->prefixes[p].parent)
        x->ids[--at] = x->prefixes[p].id;
    return n;
}

static bool all_removed(const float *row, size_t V) {
    for (size_t i = 0; i < V; i++)
        if (!(row[i] == -INFINITY)) return false;
    return true;
}

/* A child, and whether it is complete. ids [n_ids] are the prefix's; one more has room. */
static nt_exact_child child_of(nt_exact *x, int32_t parent, const nt_pick *pick, double sum,
                               size_t n_ids) {
    const nt_prefix *from = &x->prefixes[parent];
    nt_exact_child child = {.prefix = {.sum = sum,
                                       .rest = -INFINITY,
                                       .id = pick->id,
                                       .at = from->at,
                                       .parent = parent,
                                       .depth = from->depth + 1}};
    x->ids[n_ids] = pick->id;
    bool in_string = nt_ends_in_string(&x->ends, &child.prefix.at, pick->id);
    child.reason = nt_ends_after(&x->ends, x->ids, n_ids + 1, in_string);
    child.prefix.ended = child.reason != NULL;
    return child;
}

static int make_room(nt_exact *x, size_t n_picks, size_t n) {
    NT_TRY(nt_grow((void **)&x->picks, &x->capacity_picks, n_picks, sizeof *x->picks));
    NT_TRY(nt_grow((void **)&x->children, &x->capacity_children, n, sizeof *x->children));
    NT_TRY(nt_grow((void **)&x->watch, &x->capacity_watch, n, sizeof *x->watch));
    return nt_grow((void **)&x->watched, &x->capacity_watched, n, sizeof *x->watched);
}

/* The next children, in x->children. Complete ones that are no result are left out, unless what is
 * to be beaten is still being found. */
static int choose(nt_exact *x, int32_t parent, const float *row, const nt_softmax *all, size_t most,
                  double floor, size_t n_ids) {
    size_t taken = x->prefixes[parent].taken, j = taken;
    size_t k = most < x->V - taken ? taken + most + 1 : x->V; /* one more, for rest */
    double rest = -INFINITY;
    NT_TRY(make_room(x, k, k - taken));
    nt_pick_best(x->picks, k, row, row, x->V);
    for (; j < k && x->picks[j].key > -INFINITY; j++) {
        const nt_pick *pick = &x->picks[j];
        double sum = x->prefixes[parent].sum + fmin(0, nt_softmax_log(all, pick->key));
        if (sum < floor || j == taken + most) {
            rest = sum;
            break;
        }
        nt_exact_child child = child_of(x, parent, pick, sum, n_ids);
        child.prefix.place = (int32_t)j;
        if (child.reason && !x->first && !nt_kept_takes(&x->kept, x->prefixes, &child.prefix)) {
            x->passed = fmax(x->passed, sum);
            continue;
        }
        x->watch[x->n_children] = pick->id;
        x->children[x->n_children++] = child;
    }
    nt_prefix *from = &x->prefixes[parent];
    from->taken = (uint32_t)j;
    from->rest = rest;
    if (is_last(x, from) && j > x->kept.most) {
        x->passed = fmax(x->passed, rest);
        from->rest = -INFINITY;
    }
    return NT_OK;
}

/* The row in the trace, with what it says of the children. Another look at the same row adds
 * nothing but that. */
static int trace_row(nt_exact *x, int32_t prefix, const nt_softmax *sum, bool again) {
    nt_result *trace = x->search->trace;
    size_t row = trace->n_rows;
    nt_sight sight = nt_processors_sight(&x->processors);
    sight.last_sum = sum;
    if (again) sight.k = 0;
    sight.watch = x->watch;
    sight.watched = x->watched;
    sight.n_watch = x->n_children;
    NT_TRY(nt_trace_add_row(trace, &sight));
    if (again) {
        trace->n_rows = row;
        return NT_OK;
    }
    trace->rows[row].step.index = x->prefixes[prefix].depth;
    trace->rows[row].step.beam = prefix - 1;
    if (prefix > 0) trace->beams[prefix - 1].row = (int64_t)row;
    return NT_OK;
}

static int add_child(nt_exact *x, const nt_exact_child *child, const nt_candidate *token) {
    const nt_prefix *prefix = &child->prefix;
    nt_beam beam = {.parent = prefix->parent - 1,
                    .index = prefix->depth - 1,
                    .token = *token,
                    .sum = prefix->sum,
                    .score = child->reason ? prefix->sum : NAN,
                    .place = prefix->place,
                    .slot = -1,
                    .fate = NT_FATE_UNPROVED,
                    .finish_reason = child->reason ? child->reason : "",
                    .row = -1};
    NT_TRY(nt_grow((void **)&x->prefixes, &x->capacity, x->n + 1, sizeof *x->prefixes));
    NT_TRY(nt_trace_add_beam(x->search->trace, &beam));
    x->prefixes[x->n++] = *prefix;
    return NT_OK;
}

static int add_children(nt_exact *x, int32_t parent) {
    int32_t first = (int32_t)x->n;
    for (size_t i = 0; i < x->n_children; i++)
        NT_TRY(add_child(x, &x->children[i], &x->watched[i]));
    for (int32_t p = first; p < (int32_t)x->n; p++)
        if (x->prefixes[p].ended) nt_kept_put(&x->kept, x->prefixes, p);
    x->prefixes[parent].first = first;
    x->prefixes[parent].n_children = (int32_t)x->n_children;
    return NT_OK;
}

int nt_exact_look(nt_exact *x, int32_t prefix, size_t most, double floor) {
    const float *unguided, *logits = nt_exact_row(x, prefix, &unguided);
    size_t n_ids = write_ids(x, prefix);
    bool again = x->prefixes[prefix].looked;
    x->n_children = 0;
    NT_TRY(nt_processors_run(&x->processors, logits, unguided, x->ids, n_ids));
    const float *row = nt_processed(&x->processors);
    nt_softmax sum = nt_softmax_of(row, x->V);
    if (sum.finite) NT_TRY(choose(x, prefix, row, &sum, most, floor, n_ids));
    /* a prefix behind which nothing is left is no error: others go on. The prompt is. */
    bool dead =
        !sum.finite && prefix > 0 && all_removed(row, x->V) && nt_softmax_of(logits, x->V).finite;
    if (!dead) NT_TRY(trace_row(x, prefix, &sum, again));
    NT_TRY(add_children(x, prefix));
    x->prefixes[prefix].looked = true;
    x->proof.n_nodes += !again;
    nt_exact_row_done(x, prefix);
    return NT_OK;
}
