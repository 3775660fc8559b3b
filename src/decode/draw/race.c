#include "decode/draw/race.h"

#include "base/math.h"
#include "base/random.h"

/* Larger keys first; among equals the one that came first. */
static bool before(const nt_drawn *a, const nt_drawn *b) {
    if (a->key != b->key) return a->key > b->key;
    return a->row != b->row ? a->row < b->row : a->id < b->id;
}

static void sift_down(nt_drawn *heap, size_t n, size_t i) {
    nt_drawn moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&heap[child], &heap[child + 1])) child++;
        if (!before(&moved, &heap[child])) break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void make_heap(nt_race *race) {
    for (size_t i = race->n / 2; i-- > 0;)
        sift_down(race->heap, race->n, i);
}

static void offer(nt_race *race, float key, size_t row, size_t id) {
    nt_drawn entry = {.row = row, .id = (int32_t)id, .key = key};
    if (race->n < race->k) {
        race->heap[race->n++] = entry;
        if (race->n == race->k) make_heap(race);
    } else if (before(&entry, &race->heap[0])) {
        race->heap[0] = entry;
        sift_down(race->heap, race->k, 0);
    }
}

/* -log(1 - u) >= u, so an entry with p / u below the worst key that stays needs no logarithm. A
 * little less of it, for what float32 rounds. */
static bool too_late(const nt_race *race, float p, float u) {
    return race->n == race->k && p < 0.9999f * (race->heap[0].key * u);
}

enum { PART = 256 };

static bool any_above_0(const float *p, size_t n) {
    int any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i] > 0;
    return any != 0;
}

/* As torch's exponential_ and its multinomial: u of 53 bits; -log1p(-u) in double, rounded to
 * float32, which is -log(1 - u) as 1 - u is exact; the quotient in float32. */
void nt_race_torch(nt_race *race, nt_mersenne *stream, const float *p, size_t V, size_t row) {
    uint32_t words[2 * PART];
    for (size_t begin = 0, n; begin < V; begin += n) {
        n = V - begin < PART ? V - begin : PART;
        if (!any_above_0(p + begin, n)) {
            nt_mersenne_skip(stream, 2 * n);
            continue;
        }
        nt_mersenne_fill(stream, words, 2 * n);
        for (size_t i = 0; i < n; i++) {
            uint64_t bits = (uint64_t)(words[2 * i] & 0x1FFFFF) << 32 | words[2 * i + 1];
            double u = (double)(int64_t)bits * 0x1p-53;
            if (!(p[begin + i] > 0) || too_late(race, p[begin + i], (float)u)) continue;
            offer(race, p[begin + i] / (float)(0 - nt_log(1 - u)), row, begin + i);
        }
    }
}

enum { SPACE_RACE = 3, WORDS = 4 };

void nt_race_philox(nt_race *race, uint64_t seed, uint64_t index, const float *p, size_t V,
                    size_t row) {
    const uint64_t key[2] = {seed, 0};
    for (size_t begin = 0; begin < V; begin += WORDS) {
        size_t n = V - begin < WORDS ? V - begin : WORDS;
        if (!any_above_0(p + begin, n)) continue;
        const uint64_t counter[4] = {index, begin / WORDS, row, SPACE_RACE};
        uint64_t block[WORDS];
        nt_philox(block, key, counter);
        for (size_t i = 0; i < n; i++) {
            double u = ((double)(block[i] >> 12) + 0.5) * 0x1p-52; /* never 0, never 1 */
            if (!(p[begin + i] > 0) || too_late(race, p[begin + i], (float)u)) continue;
            offer(race, (float)(p[begin + i] / (0 - nt_log(1 - u))), row, begin + i);
        }
    }
}

size_t nt_race_end(nt_race *race) {
    if (race->n < race->k) make_heap(race);
    for (size_t n = race->n; n-- > 1;) {
        nt_drawn last = race->heap[0];
        race->heap[0] = race->heap[n];
        race->heap[n] = last;
        sift_down(race->heap, n, 0);
    }
    return race->n;
}
