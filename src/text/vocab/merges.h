/* The merges of BPE: (left id, right id) -> rank and id of the whole. Small, so that it stays in
 * the nearer caches while words are merged, and filled in the order of ranks, since low ranks come
 * most. */
#ifndef NT_TEXT_MERGES_H
#define NT_TEXT_MERGES_H

#include "base/status.h"
#include "text/vocab/hash.h"

#define NT_NO_MERGE UINT32_MAX

enum { NT_PACKED_ID_BITS = 20, NT_PACKED_RANK_BITS = 24 };

typedef struct nt_merges {
    /* [mask + 1] left << 44 | right << 24 | rank; all ones in a free slot. NULL where ids or ranks
     * are too large for that: then keys and ranks stand in its place */
    uint64_t *slots;
    uint64_t *keys;  /* [mask + 1] left << 32 | right; all ones in a free slot */
    uint32_t *ranks; /* [mask + 1] */
    size_t mask;
    /* a bit for each merge at the top bits of its hash: most pairs that do not merge end here */
    uint64_t *filter;
    unsigned filter_shift;
    uint32_t *wholes; /* [n_ranks] what the pair of a rank makes */
    size_t capacity;  /* of wholes */
    uint32_t n_ranks; /* largest rank + 1 */
    uint64_t seed;
    bool borrowed; /* the tables are part of an image: not freed */
} nt_merges;

/* Room for n merges, made once. */
int nt_merges_init(nt_merges *merges, size_t n, uint64_t seed);
/* A pair given twice keeps the later rank, as in tokenizers; a rank is given once only. Allocates
 * only for ranks from n on and for what cannot be packed. */
int nt_merges_put(nt_merges *merges, uint32_t left, uint32_t right, uint32_t rank, uint32_t whole);
/* Gives up packing: for vocabularies with ids that a slot cannot hold. */
int nt_merges_widen(nt_merges *merges);
void nt_merges_free(nt_merges *merges);

/* Ids and ranks below these fit into a slot, and none of theirs looks like a free one. */
static inline bool nt_merges_packs(size_t n_ids, size_t n_ranks) {
    return n_ids < 1 << NT_PACKED_ID_BITS && n_ranks < 1 << NT_PACKED_RANK_BITS;
}

static inline uint64_t nt_merges_pack(uint32_t left, uint32_t right) {
    return (uint64_t)left << NT_PACKED_ID_BITS | right;
}

/* Brings near the memory that a put of this pair will touch. */
static inline void nt_merges_prefetch(const nt_merges *merges, uint32_t left, uint32_t right) {
    size_t i = nt_hash_pair(merges->seed, left, right) & merges->mask;
    __builtin_prefetch(merges->slots ? &merges->slots[i] : &merges->keys[i], 1);
}

uint32_t nt_merges_wide_rank(const nt_merges *merges, uint64_t hash, uint32_t left, uint32_t right);

/* Rank of the merge of two tokens, NT_NO_MERGE when they do not merge. Where merges are packed, the
 * ids must be ones that nt_merges_packs. */
static inline uint32_t nt_merges_rank(const nt_merges *merges, uint32_t left, uint32_t right) {
    uint64_t hash = nt_hash_pair(merges->seed, left, right);
    uint64_t bit = hash >> merges->filter_shift;
    if (!(merges->filter[bit >> 6] >> (bit & 63) & 1)) return NT_NO_MERGE;
    if (!merges->slots) return nt_merges_wide_rank(merges, hash, left, right);
    uint64_t key = nt_merges_pack(left, right);
    for (size_t i = hash & merges->mask;; i = (i + 1) & merges->mask) {
        uint64_t slot = merges->slots[i];
        if (slot >> NT_PACKED_RANK_BITS == key) return slot & ((1 << NT_PACKED_RANK_BITS) - 1);
        if (slot == UINT64_MAX) return NT_NO_MERGE;
    }
}

#endif
