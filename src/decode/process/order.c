#include "decode/process/order.h"

#include <math.h>

#include "trace/candidates.h"

_Static_assert(sizeof(nt_pick) <= 2 * sizeof(uint64_t), "scratch holds V picks");

/* Bits that one pass sorts by. Three passes from the top see all of the key: ids end below bit 31.
 */
enum { DIGIT = 11, DIGITS = 1 << DIGIT, FIRST = 64 - DIGIT, LAST = FIRST - 2 * DIGIT };

static size_t digit_of(uint64_t item, int shift) {
    return item >> shift & (DIGITS - 1);
}

typedef struct walk {
    uint64_t *items; /* [n], among which the cut is */
    size_t n, before;
    const float *p;
    double sum;
    float limit;
    bool or_at;
} walk;

static bool goes_on(const walk *w, double sum) {
    return w->or_at ? (float)sum <= w->limit : (float)sum < w->limit;
}

/* Drops all items but those whose digit at `shift` is that of the lowest d. */
static void narrow_to(walk *w, size_t d, int shift) {
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        uint64_t item = w->items[i];
        size_t digit = digit_of(item, shift);
        w->items[n] = item;
        n += digit == d;
        w->before += digit < d;
    }
    w->n = n;
}

/* Narrows the items to those with the digit in which the limit is passed. Two tables in turn:
 * neighbours often have the same digit, and a sum would wait for the one before. */
static void narrow(walk *w, int shift) {
    double mass[2][DIGITS] = {{0}};
    size_t last = 0, d = 0;
    for (size_t i = 0; i < w->n; i++) {
        size_t digit = digit_of(w->items[i], shift);
        mass[i & 1][digit] += w->p[(uint32_t)w->items[i]];
        last = digit > last ? digit : last;
    }
    for (; d < last; d++) {
        double next = w->sum + (mass[0][d] + mass[1][d]);
        if (!goes_on(w, next)) break;
        w->sum = next;
    }
    narrow_to(w, d, shift);
}

nt_cut nt_find_cut(uint64_t *items, size_t n, const float *p, double sum, float limit, bool or_at) {
    walk w = {.items = items, .n = n, .p = p, .sum = sum, .limit = limit, .or_at = or_at};
    for (int shift = FIRST; shift >= LAST; shift -= DIGIT)
        narrow(&w, shift);
    nt_cut cut = {(uint32_t)(w.items[0] >> 32), w.before};
    for (size_t i = 0; i < w.n; i++) {
        w.sum += p[(uint32_t)w.items[i]];
        if (!goes_on(&w, w.sum)) break;
        cut.before++;
    }
    return cut;
}

uint32_t nt_kth_item(uint64_t *items, size_t n, size_t k) {
    walk w = {.items = items, .n = n};
    for (int shift = FIRST; shift >= LAST; shift -= DIGIT) {
        uint32_t count[2][DIGITS] = {{0}};
        for (size_t i = 0; i < w.n; i++)
            count[i & 1][digit_of(w.items[i], shift)]++;
        size_t d = DIGITS - 1;
        for (; count[0][d] + count[1][d] < k; d--)
            k -= count[0][d] + count[1][d];
        narrow_to(&w, d, shift);
    }
    return (uint32_t)(w.items[0] >> 32);
}

enum { FEW = 256 }; /* up to here a heap is faster */

float nt_kth_largest(const nt_row *row, size_t k) {
    if (k <= FEW) {
        nt_pick *picks = (nt_pick *)row->scratch;
        nt_pick_best(picks, k, row->logits, row->logits, row->V);
        return picks[k - 1].key;
    }
    for (size_t i = 0; i < row->V; i++)
        row->scratch[i] = nt_item(nt_key_of(row->logits[i]), i);
    return nt_key_float(nt_kth_item(row->scratch, row->V, k));
}

void nt_keep_from(const nt_row *row, float least, size_t n) {
    uint32_t from = 0; /* as wide as the floats: a vector counts as many as it compares */
    for (size_t i = 0; i < row->V; i++) {
        float x = row->logits[i];
        from += x >= least;
        row->logits[i] = x < least ? -INFINITY : x;
    }
    for (size_t i = row->V; i-- > 0 && from > n;) {
        if (row->logits[i] != least) continue;
        row->logits[i] = -INFINITY;
        from--;
    }
}

void nt_keep_largest(const nt_row *row, size_t n) {
    if (n < row->V) nt_keep_from(row, nt_kth_largest(row, n), n);
}
