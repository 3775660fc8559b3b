#include "text/vocab/merges.h"

#include <string.h>

#include "base/memory.h"

static int grow_wholes(nt_merges *merges, size_t need) {
    void *wholes = merges->wholes;
    int status = nt_grow(&wholes, &merges->capacity, need, sizeof *merges->wholes);
    merges->wholes = wholes;
    return status;
}

/* Slots up to seven eighths full, and from 8 to 16 bits of the filter a merge. */
int nt_merges_init(nt_merges *merges, size_t n, uint64_t seed) {
    size_t size = 16, n_bits = 64;
    while (size - size / 8 <= n)
        size *= 2;
    while (n_bits / 8 < n)
        n_bits *= 2;
    *merges = (nt_merges){.mask = size - 1, .seed = seed};
    merges->filter_shift = (unsigned)__builtin_clzll(n_bits) + 1;
    merges->slots = nt_alloc_aligned(size, sizeof *merges->slots);
    merges->filter = nt_alloc(n_bits / 64, sizeof *merges->filter);
    if (!merges->slots || !merges->filter || grow_wholes(merges, n) != NT_OK) {
        nt_merges_free(merges);
        return NT_E_MEMORY;
    }
    nt_memory_large(merges->slots, size * sizeof *merges->slots);
    memset(merges->slots, 0xFF, size * sizeof *merges->slots);
    return NT_OK;
}

static void put_wide(nt_merges *merges, uint64_t hash, uint64_t key, uint32_t rank) {
    size_t i = hash & merges->mask;
    while (merges->keys[i] != key && merges->keys[i] != UINT64_MAX)
        i = (i + 1) & merges->mask;
    merges->keys[i] = key;
    merges->ranks[i] = rank;
}

int nt_merges_widen(nt_merges *merges) {
    if (!merges->slots) return NT_OK;
    size_t n_old = merges->mask + 1, size = n_old * 2;
    uint64_t *old = merges->slots, *keys = nt_alloc_aligned(size, sizeof *keys);
    uint32_t *ranks = nt_alloc_aligned(size, sizeof *ranks);
    if (!keys || !ranks) {
        nt_free(keys);
        nt_free(ranks);
        return NT_E_MEMORY;
    }
    memset(keys, 0xFF, size * sizeof *keys);
    merges->keys = keys;
    merges->ranks = ranks;
    merges->mask = size - 1;
    merges->slots = NULL;
    const uint32_t id_mask = (1 << NT_PACKED_ID_BITS) - 1,
                   rank_mask = (1 << NT_PACKED_RANK_BITS) - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] == UINT64_MAX) continue;
        uint32_t left = (uint32_t)(old[i] >> (NT_PACKED_RANK_BITS + NT_PACKED_ID_BITS));
        uint32_t right = (uint32_t)(old[i] >> NT_PACKED_RANK_BITS) & id_mask;
        put_wide(merges, nt_hash_pair(merges->seed, left, right), (uint64_t)left << 32 | right,
                 (uint32_t)old[i] & rank_mask);
    }
    nt_free(old);
    return NT_OK;
}

int nt_merges_put(nt_merges *merges, uint32_t left, uint32_t right, uint32_t rank, uint32_t whole) {
    uint64_t hash = nt_hash_pair(merges->seed, left, right), bit = hash >> merges->filter_shift;
    uint32_t larger = left > right ? left : right;
    if (rank >= merges->capacity) NT_TRY(grow_wholes(merges, (size_t)rank + 1));
    if (merges->slots && !nt_merges_packs((size_t)larger + 1, (size_t)rank + 1))
        NT_TRY(nt_merges_widen(merges));
    if (merges->slots) {
        uint64_t key = nt_merges_pack(left, right);
        size_t i = hash & merges->mask;
        while (merges->slots[i] != UINT64_MAX && merges->slots[i] >> NT_PACKED_RANK_BITS != key)
            i = (i + 1) & merges->mask;
        merges->slots[i] = key << NT_PACKED_RANK_BITS | rank;
    } else {
        put_wide(merges, hash, (uint64_t)left << 32 | right, rank);
    }
    merges->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
    merges->wholes[rank] = whole;
    if (rank >= merges->n_ranks) merges->n_ranks = rank + 1;
    return NT_OK;
}

uint32_t nt_merges_wide_rank(const nt_merges *merges, uint64_t hash, uint32_t left,
                             uint32_t right) {
    uint64_t key = (uint64_t)left << 32 | right;
    for (size_t i = hash & merges->mask;; i = (i + 1) & merges->mask) {
        if (merges->keys[i] == key) return merges->ranks[i];
        if (merges->keys[i] == UINT64_MAX) return NT_NO_MERGE;
    }
}

void nt_merges_free(nt_merges *merges) {
    if (!merges->borrowed) {
        nt_free(merges->slots);
        nt_free(merges->keys);
        nt_free(merges->ranks);
        nt_free(merges->filter);
        nt_free(merges->wholes);
    }
    *merges = (nt_merges){0};
}
