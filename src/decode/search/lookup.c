/* Prompt lookup (Saxena 2023): where the last ids have stood in the sequence before, what followed
 * them there is proposed. As in transformers: the longest run of ids first, of equally long ones
 * the earliest, and what the processors forbid is not proposed; to see that they are given a row
 * of ones. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "decode/search/candidates.h"

typedef struct lookup {
    nt_plan plan; /* the search's, but for what a row of ones cannot go through */
    size_t V;
    nt_processors processors;
    float *ones;    /* [V] */
    int32_t *whole; /* [n_known + what is proposed] */
    size_t n_known, capacity;
    bool looked; /* the processors have seen the place behind the last known id */
} lookup;

/* Whether the processors' last row forbids an id. remove_invalid_values makes -FLT_MAX of -inf. */
static bool forbids(const lookup *l, int32_t id) {
    float logit = nt_processed(&l->processors)[id];
    return logit == -INFINITY || logit == -FLT_MAX;
}

static int look(lookup *l, size_t n_ids) {
    return nt_processors_run(&l->processors, l->ones, NULL, l->whole, n_ids);
}

/* Whether what begins at `start` may come next at all. Every place that is tried asks the same of
 * the processors, so they run once. */
static int may_begin(bool *may, lookup *l, size_t start) {
    *may = true;
    if (l->processors.n == 0) return NT_OK;
    if (!l->looked) NT_TRY(look(l, l->n_known));
    l->looked = true;
    *may = !forbids(l, l->whole[start]);
    return NT_OK;
}

/* Puts the n ids from `start` on behind the known ones, up to one that is forbidden or ends the
 * sequence; *n is then how many. The first is known to be allowed. */
static int put(size_t *n, lookup *l, size_t start) {
    for (size_t i = 0; i < *n; i++) {
        int32_t id = l->whole[start + i];
        if (i > 0 && l->processors.n > 0) {
            NT_TRY(look(l, l->n_known + i));
            if (forbids(l, id)) *n = i;
        }
        l->whole[l->n_known + i] = id;
    }
    for (size_t i = 0; i < *n; i++)
        if (nt_plan_is_eos(&l->plan, l->whole[l->n_known + i])) *n = i;
    return NT_OK;
}

/* Where ids stand before that are the same as the last n, and what followed may be proposed:
 * *start is behind them; n_known: nowhere. */
static int find(size_t *start, lookup *l, size_t n) {
    const int32_t *last = l->whole + l->n_known - n;
    for (*start = n; *start < l->n_known; ++*start) {
        bool may;
        if (memcmp(l->whole + *start - n, last, n * sizeof *last) != 0) continue;
        NT_TRY(may_begin(&may, l, *start));
        if (may) return NT_OK;
    }
    return NT_OK;
}

static int propose(void *self, nt_proposal *out, const int32_t *known, size_t n_known,
                   size_t most) {
    lookup *l = self;
    if (most == 0) return NT_OK;
    size_t most_found = l->plan.lookup < NT_MAX_PROPOSED ? l->plan.lookup : NT_MAX_PROPOSED;
    bool exact = l->plan.sample; /* what does not fit counts too */
    if (!exact && most_found > most) most_found = most;
    NT_TRY(nt_grow((void **)&l->whole, &l->capacity, n_known + most_found, sizeof *l->whole));
    memcpy(l->whole, known, n_known * sizeof *known);
    l->n_known = n_known;
    l->looked = false;
    size_t start = n_known;
    size_t n = l->plan.max_ngram < n_known - 1 ? l->plan.max_ngram : n_known - 1;
    for (; n > 0 && start == n_known; n--)
        NT_TRY(find(&start, l, n));
    size_t found = n_known - start < most_found ? n_known - start : most_found;
    NT_TRY(put(&found, l, start));
    out->whole = l->whole;
    out->n = found < most ? found : most;
    out->n_beyond = found - out->n;
    return NT_OK;
}

static void settle(void *self, size_t n_taken) {
    (void)self, (void)n_taken;
}

static void put_away(void *self) {
    lookup *l = self;
    nt_processors_free(&l->processors);
    nt_free(l->ones);
    nt_free(l->whole);
    nt_free(l);
}

int nt_lookup_begin(nt_proposer *out, nt_search *search) {
    lookup *l = nt_alloc(1, sizeof *l);
    if (!l) return NT_E_MEMORY;
    *out = (nt_proposer){l, propose, settle, put_away};
    l->plan = *search->plan;
    l->V = search->V;
    l->plan.guidance_scale = 1; /* forbids nothing */
    /* What warpers cut off ones is chance. But with torch's generator, how much is proposed shows
     * in the ids, and they do as in transformers. */
    l->plan.sample = search->plan->sample && search->plan->rng == NT_RNG_TORCH;
    NT_TRY(nt_processors_begin(&l->processors, &l->plan, l->V));
    l->ones = nt_alloc(l->V, sizeof *l->ones);
    if (!l->ones) return NT_E_MEMORY;
    for (size_t i = 0; i < l->V; i++)
        l->ones[i] = 1;
    return NT_OK;
}
