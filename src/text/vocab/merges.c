#include "text/vocab/merges.h"

#include <string.h>

#include "base/memory.h"

int nt_merges_init(nt_merges *merges, size_t n, uint64_t seed) {
    size_t size = 16;
    while (size / 2 < n)
        size *= 2;
    *merges = (nt_merges){.mask = size - 1, .seed = seed};
    merges->keys = nt_alloc_aligned(size, sizeof *merges->keys);
    merges->values = nt_alloc_aligned(size, sizeof *merges->values);
    if (!merges->keys || !merges->values) {
        nt_merges_free(merges);
        return NT_E_MEMORY;
    }
    nt_memory_large(merges->keys, size * sizeof *merges->keys);
    nt_memory_large(merges->values, size * sizeof *merges->values);
    memset(merges->keys, 0xFF, size * sizeof *merges->keys);
    return NT_OK;
}

void nt_merges_put(nt_merges *merges, uint32_t left, uint32_t right, uint32_t rank,
                   uint32_t whole) {
    uint64_t key = (uint64_t)left << 32 | right;
    size_t i = nt_hash_pair(merges->seed, left, right) & merges->mask;
    while (merges->keys[i] != key && merges->keys[i] != UINT64_MAX)
        i = (i + 1) & merges->mask;
    merges->keys[i] = key;
    merges->values[i] = (struct nt_merge){rank, whole};
    if (rank >= merges->n_ranks) merges->n_ranks = rank + 1;
}

void nt_merges_free(nt_merges *merges) {
    if (!merges->borrowed) {
        nt_free(merges->keys);
        nt_free(merges->values);
    }
    *merges = (nt_merges){0};
}
