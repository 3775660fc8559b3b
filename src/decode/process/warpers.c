/* The warpers: temperature, top_k and top_p. They act when drawing only. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "decode/process/processor.h"
#include "trace/candidates.h"

/* ---- temperature: x / T ---- */

static bool wants_temperature(const nt_plan *plan) {
    return plan->sample && plan->temperature != 1;
}

static int32_t bits_of(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The largest of x [n] in size, infinities and NaN left out. As integers, which compilers turn into
 * vectors: positive floats have the order of their bits. */
static float largest_of(const float *x, size_t n) {
    int32_t most = 0, end = bits_of(INFINITY);
    for (size_t i = 0; i < n; i++) {
        int32_t size = bits_of(x[i]) & INT32_MAX;
        size = size < end ? size : 0;
        most = size > most ? size : most;
    }
    float largest;
    memcpy(&largest, &most, sizeof largest);
    return largest;
}

/* transformers divides in float32, which overflows near 0. There the row is moved first so that its
 * largest logit is 0, which leaves the probabilities as they are. */
static void run_temperature(const nt_row *row, const nt_plan *plan) {
    float T = (float)plan->temperature;
    if (largest_of(row->logits, row->V) / T <= FLT_MAX) {
        for (size_t i = 0; i < row->V; i++)
            row->logits[i] /= T;
        return;
    }
    double top = row->logits[nt_argmax(row->logits, row->V)];
    for (size_t i = 0; i < row->V; i++) {
        double moved = (row->logits[i] - top) / plan->temperature;
        row->logits[i] = moved < -FLT_MAX ? -INFINITY : (float)moved;
    }
}

const nt_processor nt_temperature = {"temperature", wants_temperature, run_temperature};

/* ---- top_k: ids below the k-th largest logit go; those equal to it stay ---- */

static bool wants_top_k(const nt_plan *plan) {
    return plan->sample && plan->top_k > 0;
}

_Static_assert(sizeof(nt_pick) <= 2 * sizeof(uint64_t), "scratch holds V picks");

static void run_top_k(const nt_row *row, const nt_plan *plan) {
    size_t k = plan->top_k;
    if (k >= row->V) return;
    nt_pick *picks = (nt_pick *)row->scratch;
    nt_pick_best(picks, k, row->logits, row->logits, row->V);
    float least = picks[k - 1].key;
    for (size_t i = 0; i < row->V; i++)
        row->logits[i] = row->logits[i] < least ? -INFINITY : row->logits[i];
}

const nt_processor nt_top_k = {"top_k", wants_top_k, run_top_k};

/* ---- top_p: the least likely ids go, as long as together they have at most 1 - top_p ---- */

static bool wants_top_p(const nt_plan *plan) {
    return plan->sample && plan->top_p < 1;
}

/* Numbers whose order is that of floats. */
static uint32_t key_of(float x) {
    uint32_t bits = (uint32_t)bits_of(x);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* The cut between what goes and what stays. */
typedef struct cut {
    float limit;
    double below;    /* what has gone so far has this much probability */
    uint64_t *items; /* [n], key and id, where the cut is still to be found */
    size_t n;
} cut;

enum { DIGIT = 11 }; /* bits that one pass sorts by */

/* Narrows items to those with the digit at `shift` in which the limit is passed; lower ones go. */
static void narrow(cut *c, const nt_row *row, int shift) {
    double mass[1 << DIGIT] = {0};
    const uint64_t mask = (1 << DIGIT) - 1;
    uint64_t digit = 0, last = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t d = c->items[i] >> shift & mask;
        mass[d] += row->weights[(uint32_t)c->items[i]];
        last = d > last ? d : last;
    }
    for (; digit < last && (float)(c->below + mass[digit]) <= c->limit; digit++)
        c->below += mass[digit];
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t item = c->items[i], d = item >> shift & mask;
        if (d < digit) row->logits[(uint32_t)item] = -INFINITY;
        if (d == digit) c->items[n++] = item;
    }
    c->n = n;
}

/* As transformers counts: probabilities in float32, their running sum in double and rounded to
 * float32 before it is compared. Of equals the higher id goes first, so that top_p 0 leaves what
 * greedy decoding takes; the most likely id always stays. */
static void run_top_p(const nt_row *row, const nt_plan *plan) {
    nt_softmax all = nt_softmax_of(row->logits, row->V);
    if (!all.finite) return;
    nt_exp_below(row->weights, row->logits, row->V, all.max);
    double total = nt_exp(all.logsum - all.max);
    for (size_t i = 0; i < row->V; i++)
        row->weights[i] = (float)(row->weights[i] / total);
    cut c = {.limit = (float)(1 - plan->top_p), .items = row->scratch};
    for (size_t i = row->V; i-- > 0;)
        if (row->logits[i] > -INFINITY) c.items[c.n++] = (uint64_t)key_of(row->logits[i]) << 32 | i;
    for (int shift = 64 - DIGIT; shift > 20; shift -= DIGIT) /* all of the key; ids end at bit 30 */
        narrow(&c, row, shift);
    for (size_t i = 0; i + 1 < c.n; i++) {
        uint32_t id = (uint32_t)c.items[i];
        c.below += row->weights[id];
        if (!((float)c.below <= c.limit)) return;
        row->logits[id] = -INFINITY;
    }
}

const nt_processor nt_top_p = {"top_p", wants_top_p, run_top_p};
