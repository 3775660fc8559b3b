/* What the beams of a step may become: the best or drawn extensions over all of their rows, which
 * of them end, and which go on. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "decode/search/beams.h"

static bool before(const nt_extension *a, const nt_extension *b) {
    if (a->sum != b->sum) return a->sum > b->sum;
    if (a->parent != b->parent) return a->parent < b->parent;
    return a->id < b->id;
}

/* Restores the heap [n] (the last in order at the root) below entry i. */
static void sift_down(nt_extension *heap, size_t n, size_t i) {
    nt_extension moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&heap[child], &heap[child + 1])) child++;
        if (!before(&moved, &heap[child])) break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void make_heap(nt_extension *heap, size_t n) {
    for (size_t i = n / 2; i-- > 0;)
        sift_down(heap, n, i);
}

/* Most of a row lies below the best seen so far: whole blocks are passed over in a loop that
 * compilers turn into vector compares. */
enum { BLOCK = 64 };

static bool any_above(const float *x, size_t n, float sum, float bound) {
    int any = 0;
    for (size_t i = 0; i < n; i++)
        any |= x[i] + sum > bound;
    return any != 0;
}

/* Offers x [V] of running beam `parent` to the heap of the best k so far. Beams and ids come in
 * order, so that an equal one is never better than what the heap holds. */
static void offer_row(nt_beams *beams, size_t parent, const float *x, size_t k) {
    nt_extension *heap = beams->extensions;
    float sum = beams->running[parent].sum;
    size_t V = beams->search->V;
    for (size_t begin = 0, end; begin < V; begin = end) {
        end = V - begin < BLOCK ? V : begin + BLOCK;
        bool full = beams->n_extensions == k;
        if (!any_above(x + begin, end - begin, sum, full ? heap[0].sum : -INFINITY)) continue;
        for (size_t i = begin; i < end; i++) {
            nt_extension e = {.parent = parent, .id = (int32_t)i, .sum = x[i] + sum};
            if (!(e.sum > (full ? heap[0].sum : -INFINITY))) continue;
            if (full) {
                heap[0] = e;
                sift_down(heap, k, 0);
                continue;
            }
            heap[beams->n_extensions++] = e;
            full = beams->n_extensions == k;
            if (full) make_heap(heap, k);
        }
    }
}

static void find_best(nt_beams *beams, size_t k) {
    for (size_t r = 0; r < beams->n_running; r++) {
        const nt_beam_row *row = &beams->rows[r];
        if (!row->dead) offer_row(beams, r, row->stages[row->n_stages - 1].logits, k);
    }
    nt_extension *heap = beams->extensions;
    if (beams->n_extensions < k) make_heap(heap, beams->n_extensions);
    for (size_t n = beams->n_extensions; n-- > 1;) {
        nt_extension last = heap[0];
        heap[0] = heap[n];
        heap[n] = last;
        sift_down(heap, n, 0);
    }
}

static int find_drawn(nt_beams *beams, size_t k) {
    nt_draws *draws = &beams->search->draws;
    bool any = false;
    for (size_t r = 0; r < beams->n_running; r++) {
        beams->sums[r] = beams->rows[r].sums;
        any = any || !beams->rows[r].dead;
    }
    if (!any) return NT_OK;
    size_t n = 0;
    nt_draws_before(draws, beams->search->plan->n_beams);
    NT_TRY(
        nt_draws_several(draws, beams->drawn, &n, beams->sums, beams->n_running, k, beams->index));
    /* torch has a row for each of n_beams, though nothing may be drawn from it */
    nt_draws_pass(draws, beams->search->plan->n_beams - beams->n_running);
    nt_draws_behind(draws, beams->search->plan->n_beams);
    for (size_t i = 0; i < n; i++) {
        const nt_drawn *d = &beams->drawn[i];
        beams->extensions[beams->n_extensions++] =
            (nt_extension){.parent = d->row, .id = d->id, .sum = beams->sums[d->row][d->id]};
    }
    return NT_OK;
}

/* Room for n extensions; what they held is lost. */
static int reserve(nt_beams *beams, size_t n) {
    if (n <= beams->capacity) return NT_OK;
    beams->capacity = 0;
    nt_free(beams->extensions);
    nt_free(beams->drawn);
    nt_free(beams->watch);
    nt_free(beams->watched);
    beams->drawn = NULL;
    beams->watch = NULL;
    beams->watched = NULL;
    beams->extensions = nt_alloc(n, sizeof *beams->extensions);
    if (beams->extensions) beams->drawn = nt_alloc(n, sizeof *beams->drawn);
    if (beams->drawn) beams->watch = nt_alloc(n, sizeof *beams->watch);
    if (beams->watch) beams->watched = nt_alloc(n, sizeof *beams->watched);
    if (!beams->watched) return NT_E_MEMORY;
    beams->capacity = n;
    return NT_OK;
}

int nt_extensions_find(nt_beams *beams) {
    const nt_search *search = beams->search;
    size_t k = nt_beams_width(search->plan), most = beams->n_running * search->V;
    if (k > most) k = most;
    beams->n_extensions = 0;
    NT_TRY(reserve(beams, k));
    if (search->plan->sample) return find_drawn(beams, k);
    find_best(beams, k);
    return NT_OK;
}

void nt_extensions_end(nt_beams *beams) {
    const nt_ends *ends = &beams->search->ends;
    bool late = false;
    for (size_t i = 0; i < beams->n_extensions; i++) {
        nt_extension *e = &beams->extensions[i];
        nt_running *parent = &beams->running[e->parent];
        e->at = parent->at;
        bool in_string = nt_ends_in_string(ends, &e->at, e->id);
        parent->ids[parent->n_ids] = e->id;
        e->reason = nt_ends_after(ends, parent->ids, parent->n_ids + 1, in_string);
        late = late || (e->reason && strcmp(e->reason, "time") == 0);
    }
    if (!late) return; /* time that has run out has run out for all of a step */
    for (size_t i = 0; i < beams->n_extensions; i++)
        if (!beams->extensions[i].reason) beams->extensions[i].reason = "time";
}

void nt_extensions_choose(nt_beams *beams) {
    const nt_extension *all = beams->extensions;
    size_t *chosen = beams->chosen, n = 0;
    for (size_t i = 0; i < beams->n_extensions; i++) {
        if (all[i].reason) continue;
        size_t at = n;
        for (; at > 0 && all[chosen[at - 1]].sum < all[i].sum; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = i;
        if (n < beams->search->plan->n_beams) n++;
    }
    beams->n_chosen = n;
}

float nt_beam_score(const nt_plan *plan, float sum, size_t n_new) {
    if (sum == 0) return 0; /* certain at any length, also where the divisor is 0 */
    return sum / (float)pow((double)n_new, plan->length_penalty);
}
