#include "text/lane/cache.h"

#include "base/memory.h"

enum {
    LEAST_SLOTS = 256,
    MOST_FIRST_SLOTS = 1 << 16,
    LEAST_LONGER = 64,
    LEAST_SOME = 4,       /* no more than the least slots */
    WAYS = 4,             /* slots of a line of 64 bytes */
    QUICK_SLOTS = 1 << 16 /* up to here four times as many, then twice */
};

#define NONE UINT32_MAX
#define LOW_BITS(n) (((uint64_t)1 << (n)) - 1)

const nt_cache_slot nt_cache_none[2];

#define ALL UINT64_MAX
#define ABOVE(length) ((uint64_t)(length) << 32 | (uint64_t)1 << NT_CACHE_N_IDS_AT)
const uint64_t nt_cache_masks[NT_CACHE_SHORT + 2][4] = {{0, 0, ABOVE(0), 0},
                                                        {ALL >> 56, 0, ABOVE(1), 0},
                                                        {ALL >> 48, 0, ABOVE(2), 0},
                                                        {ALL >> 40, 0, ABOVE(3), 0},
                                                        {ALL >> 32, 0, ABOVE(4), 0},
                                                        {ALL >> 24, 0, ABOVE(5), 0},
                                                        {ALL >> 16, 0, ABOVE(6), 0},
                                                        {ALL >> 8, 0, ABOVE(7), 0},
                                                        {ALL, 0, ABOVE(8), 0},
                                                        {ALL, ALL >> 56, ABOVE(9), 0},
                                                        {ALL, ALL >> 48, ABOVE(10), 0},
                                                        {ALL, ALL >> 40, ABOVE(11), 0},
                                                        {ALL, ALL >> 32, ABOVE(12), 0},
                                                        {0, 0, ABOVE(13), 0}};

void nt_cache_free(nt_cache *cache) {
    nt_free(cache->slots);
    nt_free(cache->some);
    nt_free(cache->longer);
    nt_free(cache->tags);
    *cache = (nt_cache){.max_bytes = cache->max_bytes};
}

/* Of the bytes that it may have, a quarter goes to slots, a quarter to words of several ids and an
 * eighth to longer words; the rest is where a table stands while the next one is filled. */
static size_t most_slots(const nt_cache *cache) {
    size_t bytes = cache->max_bytes ? cache->max_bytes : NT_CACHE_DEFAULT_BYTES;
    return bytes / 4 / sizeof(nt_cache_slot);
}

static size_t most_longer(const nt_cache *cache) {
    size_t bytes = cache->max_bytes ? cache->max_bytes : NT_CACHE_DEFAULT_BYTES;
    return bytes / 8 / (sizeof(nt_cache_long) + sizeof(uint32_t));
}

/* n is a power of two. */
static unsigned shift_of(size_t n) {
    return (unsigned)__builtin_clzll(n) + 1;
}

static size_t n_slots(const nt_cache *cache) {
    return cache->slots ? (size_t)1 << (64 - cache->shift) : 0;
}

int nt_cache_start(nt_cache *cache, size_t n) {
    size_t most = most_slots(cache), wanted = LEAST_SLOTS;
    if (cache->slots || most < WAYS) return NT_OK;
    while (wanted < n / 32 && wanted < MOST_FIRST_SLOTS)
        wanted *= 2;
    while (wanted > most)
        wanted /= 2;
    cache->slots = nt_alloc_table(wanted, sizeof *cache->slots);
    if (!cache->slots) return NT_E_MEMORY;
    cache->shift = shift_of(wanted);
    cache->spare = NONE;
    cache->seeds[0] = nt_hash_seed() | 1;
    cache->seeds[1] = nt_hash_fold(cache->seeds[0], 0xD6E8FEB86659FD93u) | 1;
    return NT_OK;
}

/* A key's bits of a slot, that of one id for a slot that has more. */
static nt_cache_key key_of(nt_cache_slot slot) {
    slot.high = (slot.high & LOW_BITS(NT_CACHE_N_IDS_AT)) | (uint64_t)1 << NT_CACHE_N_IDS_AT;
    return slot;
}

static size_t home_of(const nt_cache *cache, nt_cache_key key) {
    return nt_cache_hash(cache->seeds, key) >> cache->shift;
}

/* A free slot for a word, if need be that of an older one. */
static nt_cache_slot *free_slot(nt_cache *cache, nt_cache_key key) {
    size_t home = home_of(cache, key);
    for (size_t way = 0; way < WAYS; way++)
        if (!cache->slots[home ^ way].high) return &cache->slots[home ^ way];
    nt_cache_slot *at = &cache->slots[home ^ (cache->turn++ % WAYS)];
    if (nt_cache_n_ids(*at) > 1) {
        cache->some[nt_cache_value(*at)].ids[0] = (int32_t)cache->spare;
        cache->spare = nt_cache_value(*at);
    }
    *at = (nt_cache_slot){0};
    cache->n--;
    return at;
}

static void put_slot(nt_cache *cache, nt_cache_slot slot) {
    *free_slot(cache, key_of(slot)) = slot;
    cache->n++;
}

/* The number of a free place for two ids or three. There are as many as slots at most, so that one
 * is always left. */
static int new_some(uint32_t *number, nt_cache *cache) {
    if (cache->spare != NONE) {
        *number = cache->spare;
        cache->spare = (uint32_t)cache->some[*number].ids[0];
        return NT_OK;
    }
    if (cache->n_some == cache->some_capacity) {
        size_t wanted = cache->some_capacity ? cache->some_capacity * 2 : LEAST_SOME;
        nt_cache_some *some = nt_resize(cache->some, wanted, sizeof *some);
        if (!some) return NT_E_MEMORY;
        cache->some = some;
        cache->some_capacity = wanted;
    }
    *number = (uint32_t)cache->n_some++;
    return NT_OK;
}

/* A longer word's home is the place that its hash names; it may also lie in the one beside. Tags
 * tell nearly always whether it does without a look at the words themselves, which are far apart.
 */
static uint64_t hash_longer(const nt_cache *cache, const char *word, size_t n) {
    return nt_hash_bytes(cache->seeds[0], word, n);
}

static uint32_t tag_of(uint64_t hash) {
    return (uint32_t)(hash >> 32) | 1;
}

static void put_longer(nt_cache *cache, const nt_cache_long *word) {
    uint64_t hash = hash_longer(cache, word->word, word->n);
    size_t at = hash & cache->longer_mask;
    if (cache->tags[at]) at ^= 1;
    if (cache->tags[at]) {
        at ^= cache->turn++ & 1;
    } else {
        cache->n_longer++;
    }
    cache->tags[at] = tag_of(hash);
    cache->longer[at] = *word;
}

static int grow_slots(nt_cache *cache) {
    size_t n_old = n_slots(cache), wanted = n_old < QUICK_SLOTS ? n_old * 4 : n_old * 2;
    while (wanted > most_slots(cache))
        wanted /= 2;
    nt_cache_slot *old = cache->slots, *slots = nt_alloc_table(wanted, sizeof *slots);
    if (!slots) return NT_E_MEMORY;
    cache->slots = slots;
    cache->shift = shift_of(wanted);
    cache->n = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].high) put_slot(cache, old[i]);
    nt_free(old);
    return NT_OK;
}

static int grow_longer(nt_cache *cache) {
    size_t n_old = cache->longer ? cache->longer_mask + 1 : 0;
    size_t wanted = n_old ? n_old * 2 : LEAST_LONGER;
    while (wanted > most_longer(cache))
        wanted /= 2;
    nt_cache_long *old = cache->longer, *longer = nt_alloc_table(wanted, sizeof *longer);
    uint32_t *old_tags = cache->tags, *tags = nt_alloc(wanted, sizeof *tags);
    if (!longer || !tags) {
        nt_free(longer);
        nt_free(tags);
        return NT_E_MEMORY;
    }
    cache->longer = longer;
    cache->tags = tags;
    cache->longer_mask = wanted - 1;
    cache->n_longer = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old_tags[i]) put_longer(cache, &old[i]);
    nt_free(old);
    nt_free(old_tags);
    return NT_OK;
}

int nt_cache_grow(nt_cache *cache) {
    size_t n_short = n_slots(cache), n_longer = cache->longer ? cache->longer_mask + 1 : 0;
    if (cache->slots && cache->n > n_short / 8 * 3 && n_short * 2 <= most_slots(cache))
        NT_TRY(grow_slots(cache));
    if (n_longer && cache->n_longer > n_longer / 8 * 3 && n_longer * 2 <= most_longer(cache))
        NT_TRY(grow_longer(cache));
    return NT_OK;
}

const nt_cache_slot *nt_cache_beside(nt_cache *cache, nt_cache_key key) {
    if (!cache->slots) return NULL;
    size_t home = home_of(cache, key);
    nt_cache_slot *slots = cache->slots;
    for (size_t way = 0; way < WAYS; way++) {
        nt_cache_slot *at = &slots[home ^ way], found = *at;
        if (!nt_cache_is(found, key)) continue;
        *at = slots[home];
        slots[home] = found;
        return &slots[home];
    }
    return NULL;
}

const nt_cache_long *nt_cache_find(const nt_cache *cache, const char *word, size_t n) {
    if (!cache->longer || n > NT_CACHE_LONG) return NULL;
    uint64_t hash = hash_longer(cache, word, n);
    for (size_t way = 0; way < 2; way++) {
        size_t at = (hash & cache->longer_mask) ^ way;
        const nt_cache_long *found = &cache->longer[at];
        if (cache->tags[at] == tag_of(hash) && found->n == n && memcmp(found->word, word, n) == 0)
            return found;
    }
    return NULL;
}

static int put_short(nt_cache *cache, const char *word, size_t n, const int32_t *ids,
                     const uint8_t *ends, size_t n_ids) {
    char padded[NT_CACHE_SHORT] = {0};
    memcpy(padded, word, n);
    nt_cache_slot slot = nt_cache_key_of(padded, n), *at = free_slot(cache, slot);
    uint32_t value = (uint32_t)ids[0];
    if (n_ids > 1) {
        NT_TRY(new_some(&value, cache));
        nt_cache_some *some = &cache->some[value];
        *some = (nt_cache_some){0};
        memcpy(some->ids, ids, n_ids * sizeof *ids);
        memcpy(some->ends, ends, n_ids);
        slot.high += (uint64_t)(n_ids - 1) << NT_CACHE_N_IDS_AT;
    }
    slot.high |= (uint64_t)value << NT_CACHE_VALUE_AT;
    *at = slot;
    cache->n++;
    return NT_OK;
}

int nt_cache_put(nt_cache *cache, const char *word, size_t n, const int32_t *ids,
                 const uint32_t *lengths, size_t n_ids) {
    if (!cache->slots || n > NT_CACHE_LONG || n_ids > NT_CACHE_LONG_IDS) return NT_OK;
    uint8_t ends[NT_CACHE_LONG_IDS];
    size_t end = 0;
    for (size_t i = 0; i < n_ids; i++)
        ends[i] = (uint8_t)(end += lengths[i]);
    bool fits = n_ids > 1 || (uint32_t)ids[0] >> (64 - NT_CACHE_VALUE_AT) == 0;
    if (n <= NT_CACHE_SHORT && n_ids <= NT_CACHE_SHORT_IDS && fits)
        return put_short(cache, word, n, ids, ends, n_ids);
    if (most_longer(cache) < 2) return NT_OK;
    if (!cache->longer) NT_TRY(grow_longer(cache));
    nt_cache_long longer = {.n = (uint8_t)n, .n_ids = (uint8_t)n_ids};
    memcpy(longer.word, word, n);
    memcpy(longer.ids, ids, n_ids * sizeof *ids);
    memcpy(longer.ends, ends, n_ids);
    put_longer(cache, &longer);
    return NT_OK;
}
