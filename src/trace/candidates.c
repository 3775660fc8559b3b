/* The k likeliest ids of a row, and ranks. Every comparison falls back on the id, so that the
 * order is total: the same row gives the same table on every machine. */
#include "trace/candidates.h"

#include <stdbool.h>

static bool before(const nt_pick *a, const nt_pick *b) {
    if (a->key != b->key) return a->key > b->key;
    if (a->raw != b->raw) return a->raw > b->raw;
    return a->id < b->id;
}

/* Restores the heap [k] (the last in order at the root) after entry i was replaced. */
static void sift_down(nt_pick *heap, size_t k, size_t i) {
    nt_pick moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < k; i = child) {
        if (child + 1 < k && before(&heap[child], &heap[child + 1])) child++;
        if (!before(&moved, &heap[child])) break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* Most of a row lies below the best seen so far: blocks without anything at or above `bound` are
 * passed over in a loop that compilers turn into vector compares. */
enum { BLOCK = 64 };

static bool reaches(const float *x, size_t n, float bound) {
    int any = 0;
    for (size_t i = 0; i < n; i++)
        any |= x[i] >= bound;
    return any != 0;
}

static size_t block_end(size_t begin, size_t V) {
    return V - begin < BLOCK ? V : begin + BLOCK;
}

void nt_pick_best(nt_pick *picks, size_t k, const float *keys, const float *raw, size_t V) {
    if (k == 0) return;
    for (size_t i = 0; i < k; i++)
        picks[i] = (nt_pick){keys[i], raw[i], (int32_t)i};
    for (size_t i = k / 2; i-- > 0;)
        sift_down(picks, k, i);
    for (size_t begin = k, end; begin < V; begin = end) {
        end = block_end(begin, V);
        if (!reaches(keys + begin, end - begin, picks[0].key)) continue;
        for (size_t i = begin; i < end; i++) {
            nt_pick pick = {keys[i], raw[i], (int32_t)i};
            if (!before(&pick, &picks[0])) continue;
            picks[0] = pick;
            sift_down(picks, k, 0);
        }
    }
    for (size_t n = k; n-- > 1;) {
        nt_pick last = picks[0];
        picks[0] = picks[n];
        picks[n] = last;
        sift_down(picks, n, 0);
    }
}

int64_t nt_rank_of(const float *raw, size_t V, int32_t id) {
    float mine = raw[id];
    uint32_t rank = 1; /* as wide as the floats: a vector counts as many as it compares */
    for (size_t i = 0; i < V; i++)
        rank += raw[i] > mine;
    for (size_t i = 0; i < (size_t)id; i++)
        rank += raw[i] == mine;
    return rank;
}

static bool raw_before(float a, int32_t a_id, const nt_pick *b) {
    return a != b->raw ? a > b->raw : a_id < b->id;
}

/* Heapsort of indices into picks by raw logit: no allocation, no recursion, no worst case. */
static void sort_by_raw(int32_t *order, const nt_pick *picks, size_t k) {
    for (size_t i = 0; i < k; i++)
        order[i] = (int32_t)i;
    for (size_t start = k / 2, end = k; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            int32_t last = order[--end];
            order[end] = order[0];
            order[0] = last;
        }
        int32_t moved = order[start];
        size_t i = start;
        for (size_t child; (child = 2 * i + 1) < end; i = child) {
            const nt_pick *left = &picks[order[child]];
            if (child + 1 < end && raw_before(left->raw, left->id, &picks[order[child + 1]]))
                child++;
            const nt_pick *larger = &picks[order[child]];
            if (!raw_before(picks[moved].raw, picks[moved].id, larger)) break;
            order[i] = order[child];
        }
        order[i] = moved;
    }
}

/* The first of the picks in order that a number stands before; it stands before the last. */
static size_t first_behind(const int32_t *order, const nt_pick *picks, size_t k, float raw,
                           int32_t id) {
    size_t low = 0, high = k - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (raw_before(raw, id, &picks[order[middle]]))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void nt_rank_picks(int32_t *ranks, const nt_pick *picks, size_t k, const float *raw, size_t V,
                   int32_t *scratch) {
    if (k == 0) return;
    int32_t *order = scratch, *count = scratch + k;
    sort_by_raw(order, picks, k);
    for (size_t i = 0; i < k; i++)
        count[i] = 0;
    const nt_pick *worst = &picks[order[k - 1]];
    for (size_t begin = 0, end; begin < V; begin = end) {
        end = block_end(begin, V);
        if (!reaches(raw + begin, end - begin, worst->raw)) continue;
        for (size_t v = begin; v < end; v++) {
            if (!raw_before(raw[v], (int32_t)v, worst)) continue;
            count[first_behind(order, picks, k, raw[v], (int32_t)v)]++;
        }
    }
    int32_t rank = 1;
    for (size_t i = 0; i < k; i++) {
        rank += count[i];
        ranks[order[i]] = rank;
    }
}

int32_t nt_argmax(const float *raw, size_t V) {
    size_t best = 0;
    for (size_t begin = 1, end; begin < V; begin = end) {
        end = block_end(begin, V);
        if (!reaches(raw + begin, end - begin, raw[best])) continue;
        for (size_t i = begin; i < end; i++)
            if (raw[i] > raw[best]) best = i;
    }
    return (int32_t)best;
}
