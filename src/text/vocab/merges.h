/* The merges of BPE: (left id, right id) -> rank and id of the whole. */
#ifndef NT_TEXT_MERGES_H
#define NT_TEXT_MERGES_H

#include "base/status.h"
#include "text/vocab/hash.h"

#define NT_NO_MERGE UINT32_MAX

typedef struct nt_merges {
    uint64_t *keys; /* [mask + 1] left << 32 | right; all ones in a free slot */
    struct nt_merge {
        uint32_t rank, whole;
    } * values; /* [mask + 1] read only where the key was found */
    size_t mask;
    uint32_t n_ranks; /* largest rank + 1 */
    uint64_t seed;
    bool borrowed; /* the tables are part of an image: not freed */
} nt_merges;

/* Room for n merges, made once. */
int nt_merges_init(nt_merges *merges, size_t n, uint64_t seed);
/* A pair given twice keeps the later rank, as in tokenizers. */
void nt_merges_put(nt_merges *merges, uint32_t left, uint32_t right, uint32_t rank, uint32_t whole);
void nt_merges_free(nt_merges *merges);

/* Brings near the memory that a put or find of this pair will touch. */
static inline void nt_merges_prefetch(const nt_merges *merges, uint32_t left, uint32_t right) {
    size_t i = nt_hash_pair(merges->seed, left, right) & merges->mask;
    __builtin_prefetch(&merges->keys[i], 1);
    __builtin_prefetch(&merges->values[i], 1);
}

/* Rank of the merge of two tokens and *whole; NT_NO_MERGE when they do not merge. */
static inline uint32_t nt_merges_find(uint32_t *whole, const nt_merges *merges, uint32_t left,
                                      uint32_t right) {
    uint64_t key = (uint64_t)left << 32 | right;
    for (size_t i = nt_hash_pair(merges->seed, left, right) & merges->mask;;
         i = (i + 1) & merges->mask) {
        if (merges->keys[i] == key) {
            *whole = merges->values[i].whole;
            return merges->values[i].rank;
        }
        if (merges->keys[i] == UINT64_MAX) return NT_NO_MERGE;
    }
}

#endif
