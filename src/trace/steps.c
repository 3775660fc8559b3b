/* Steps and rows: what stood to choose, and what each processor made of it. A row of logits is
 * read here while it exists; what stays is a handful of candidates with their changes. */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "trace/candidates.h"
#include "trace/trace.h"

/* One sight with what turns its logits into probabilities. */
typedef struct looked {
    nt_result *trace;
    const nt_sight *sight;
    const float *raw, *last; /* [V] */
    bool acts;               /* some stage is an option's */
    const float *keys;       /* [V] what orders candidates: last where options act, else raw */
    nt_softmax raw_sum, key_sum;
    size_t n; /* of the step or row, for messages */
} looked;

static int broken(const looked *at, const float *row, const char *what) {
    for (size_t i = 0; i < at->sight->V; i++) {
        if (isnan(row[i]) || row[i] == INFINITY) {
            return nt_fail(NT_E_NUMERIC,
                           "%s of step %zu are not finite numbers: token %zu has %s; check the "
                           "checkpoint's weights",
                           what, at->n, i, isnan(row[i]) ? "NaN" : "infinity");
        }
    }
    return nt_fail(NT_E_NUMERIC, "%s of step %zu are all -infinity: no token is left to choose",
                   what, at->n);
}

static int check_id(const nt_sight *sight, int32_t id) {
    if (id >= 0 && (size_t)id < sight->V) return NT_OK;
    return nt_fail(NT_E_RANGE, "token id %d is outside the vocabulary of %zu ids", (int)id,
                   sight->V);
}

static int look(looked *at, nt_result *trace, const nt_sight *sight, size_t n) {
    *at = (looked){.trace = trace, .sight = sight, .raw = sight->stages[0].logits, .n = n};
    at->last = sight->stages[sight->n_stages - 1].logits;
    for (size_t s = 1; s < sight->n_stages; s++)
        at->acts |= sight->stages[s].option != NULL;
    at->keys = at->acts ? at->last : at->raw;
    for (size_t w = 0; w < sight->n_watch; w++)
        NT_TRY(check_id(sight, sight->watch[w]));
    const nt_softmax *raw_sum = sight->raw_sum, *last_sum = sight->last_sum;
    if (!raw_sum && at->last == at->raw) raw_sum = last_sum;
    at->raw_sum = raw_sum ? *raw_sum : nt_softmax_of(at->raw, sight->V);
    at->key_sum = at->raw_sum;
    if (!at->raw_sum.finite) return broken(at, at->raw, "the logits");
    if (!at->acts) return NT_OK;
    at->key_sum = last_sum ? *last_sum : nt_softmax_of(at->last, sight->V);
    return at->key_sum.finite ? NT_OK : broken(at, at->last, "the processed logits");
}

/* ---- Candidates ------------------------------------------------------------------------------ */

static int fill(nt_candidate *out, const looked *at, int32_t id, int32_t rank) {
    NT_TRY(nt_trace_token(&out->token, at->trace, id));
    out->rank = rank;
    out->logit = at->raw[id];
    out->logprob = (double)at->raw[id] - at->raw_sum.logsum;
    out->prob = nt_exp(out->logprob);
    out->processed_logit = at->last[id];
    out->processed_prob = at->acts ? nt_exp(nt_softmax_log(&at->key_sum, at->last[id])) : out->prob;
    return NT_OK;
}

/* Of the k likeliest by raw logit those that are no candidates: no candidate has their rank. picks
 * [k] and seen [k] are for use within. */
static int add_demoted(nt_trace_step *step, const looked *at, nt_pick *picks, int32_t *seen) {
    size_t k = step->n_candidates, n = k;
    memset(seen, 0, k * sizeof *seen);
    for (size_t i = 0; i < k; i++) {
        if ((size_t)step->candidates[i].rank > k) continue;
        seen[step->candidates[i].rank - 1] = 1;
        n--;
    }
    if (n == 0) return NT_OK;
    step->demoted = nt_arena_alloc(&at->trace->arena, n, sizeof *step->demoted);
    if (!step->demoted) return NT_E_MEMORY;
    nt_pick_best(picks, k, at->raw, at->raw, at->sight->V);
    for (size_t i = 0; i < k; i++) {
        if (seen[i]) continue;
        NT_TRY(fill(&step->demoted[step->n_demoted], at, picks[i].id, (int32_t)i + 1));
        step->n_demoted++;
    }
    return NT_OK;
}

/* The k first candidates, and those that they pushed out. */
static int add_candidates(nt_trace_step *step, const looked *at, size_t k) {
    step->candidates = nt_arena_alloc(&at->trace->arena, k, sizeof *step->candidates);
    if (!step->candidates) return NT_E_MEMORY;
    nt_pick *picks = nt_alloc(k, sizeof *picks + 3 * sizeof(int32_t));
    if (!picks) return NT_E_MEMORY;
    int32_t *ranks = (int32_t *)(picks + k);
    nt_pick_best(picks, k, at->keys, at->raw, at->sight->V);
    if (!at->acts) {
        for (size_t i = 0; i < k; i++)
            ranks[i] = (int32_t)i + 1;
    } else {
        nt_rank_picks(ranks, picks, k, at->raw, at->sight->V, ranks + k);
    }
    int status = NT_OK;
    for (size_t i = 0; i < k && status == NT_OK; i++)
        status = fill(&step->candidates[i], at, picks[i].id, ranks[i]);
    step->n_candidates = k;
    if (status == NT_OK && at->acts) status = add_demoted(step, at, picks, ranks);
    nt_free(picks);
    return status;
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* What the stages did to an id, into out or, where that is NULL, only counted. */
static size_t changes_of(nt_change *out, const looked *at, int32_t id) {
    size_t n = 0;
    for (size_t s = 1; s < at->sight->n_stages; s++) {
        const nt_stage *stage = &at->sight->stages[s];
        float before = stage[-1].logits[id], after = stage->logits[id];
        if (!stage->option || before == after || (isnan(before) && isnan(after))) continue;
        if (out) out[n] = (nt_change){.option = stage->option, .before = before, .after = after};
        n++;
    }
    return n;
}

/* The changes of candidates [n], in one array; those that have some already (they were copied from
 * a candidate of the same step) keep them. */
static int add_changes(nt_candidate *candidates, size_t n, const looked *at) {
    if (!at->acts) return NT_OK;
    size_t n_changes = 0;
    for (size_t i = 0; i < n; i++)
        if (!candidates[i].changes) n_changes += changes_of(NULL, at, candidates[i].token.id);
    if (n_changes == 0) return NT_OK;
    nt_change *changes = nt_arena_alloc(&at->trace->arena, n_changes, sizeof *changes);
    if (!changes) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (candidates[i].changes) continue;
        candidates[i].n_changes = changes_of(changes, at, candidates[i].token.id);
        if (candidates[i].n_changes) candidates[i].changes = changes;
        changes += candidates[i].n_changes;
    }
    return NT_OK;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* An id that need not be among the candidates: a copy where it is, and another look where not. */
static int fill_any(nt_candidate *out, const nt_trace_step *step, const looked *at, int32_t id) {
    *out = (nt_candidate){0};
    for (size_t i = 0; i < step->n_candidates; i++) {
        if (step->candidates[i].token.id != id) continue;
        *out = step->candidates[i];
        return NT_OK;
    }
    for (size_t i = 0; i < step->n_demoted; i++) {
        if (step->demoted[i].token.id != id) continue;
        *out = step->demoted[i];
        return NT_OK;
    }
    return fill(out, at, id, (int32_t)nt_rank_of(at->raw, at->sight->V, id));
}

static int fill_watched(const nt_trace_step *step, const looked *at) {
    const nt_sight *sight = at->sight;
    for (size_t w = 0; w < sight->n_watch; w++)
        NT_TRY(fill_any(&sight->watched[w], step, at, sight->watch[w]));
    return add_changes(sight->watched, sight->n_watch, at);
}

static int make(nt_trace_step *step, const looked *at, int32_t chosen) {
    size_t V = at->sight->V, k = at->sight->k < V ? at->sight->k : V;
    step->step = (nt_step){.index = at->n,
                           .entropy = at->raw_sum.entropy,
                           .chosen.token = {.id = -1, .bytes = ""},
                           .draw = NAN,
                           .beam = -1,
                           .drafted = -1};
    for (size_t i = 0; i < V; i++)
        step->step.kept += at->keys[i] > -INFINITY;
    if (k > 0) NT_TRY(add_candidates(step, at, k));
    NT_TRY(add_changes(step->candidates, step->n_candidates, at));
    NT_TRY(add_changes(step->demoted, step->n_demoted, at));
    if (chosen >= 0) {
        NT_TRY(fill_any(&step->step.chosen, step, at, chosen));
        NT_TRY(add_changes(&step->step.chosen, 1, at));
    }
    return fill_watched(step, at);
}

int nt_trace_add_step(nt_result *trace, const nt_sight *sight, int32_t chosen) {
    looked at;
    nt_trace_step step = {0};
    if (chosen >= 0) NT_TRY(check_id(sight, chosen));
    NT_TRY(look(&at, trace, sight, trace->n_steps));
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->steps, &trace->capacity_steps,
                         trace->n_steps + 1, sizeof *trace->steps));
    NT_TRY(make(&step, &at, chosen));
    trace->n_vocab = (int32_t)sight->V;
    trace->steps[trace->n_steps++] = step;
    return NT_OK;
}

int nt_trace_add_row(nt_result *trace, const nt_sight *sight) {
    looked at;
    nt_trace_step step = {0};
    NT_TRY(look(&at, trace, sight, trace->n_rows));
    NT_TRY(nt_arena_grow(&trace->arena, (void **)&trace->rows, &trace->capacity_rows,
                         trace->n_rows + 1, sizeof *trace->rows));
    NT_TRY(make(&step, &at, -1));
    trace->n_vocab = (int32_t)sight->V;
    trace->rows[trace->n_rows++] = step;
    return NT_OK;
}

int nt_trace_sort_steps(nt_result *trace) {
    size_t n_sequences = 0, n = trace->n_steps;
    for (size_t i = 0; i < n; i++)
        if (trace->steps[i].step.sequence >= n_sequences)
            n_sequences = trace->steps[i].step.sequence + 1;
    if (n_sequences < 2) return NT_OK;
    size_t *first = nt_alloc(n_sequences + 1, sizeof *first);
    nt_trace_step *copy = first ? nt_alloc(n, sizeof *copy) : NULL;
    if (copy) {
        memcpy(copy, trace->steps, n * sizeof *copy);
        for (size_t i = 0; i < n; i++)
            first[copy[i].step.sequence + 1]++;
        for (size_t s = 0; s < n_sequences; s++)
            first[s + 1] += first[s];
        for (size_t i = 0; i < n; i++)
            trace->steps[first[copy[i].step.sequence]++] = copy[i];
    }
    nt_free(copy);
    nt_free(first);
    return copy ? NT_OK : NT_E_MEMORY;
}
