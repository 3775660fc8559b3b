/* A table from pairs of numbers to pairs of numbers: the merges of BPE, and the edges of the trie
 * of added tokens. Open addressing, at most half full. */
#ifndef NT_TEXT_PAIRS_H
#define NT_TEXT_PAIRS_H

#include "base/status.h"
#include "text/vocab/hash.h"

typedef struct nt_pair_slot {
    uint32_t left, right; /* the key; left is NT_NO_PAIR in a free slot */
    uint32_t rank, id;    /* the value */
} nt_pair_slot;

#define NT_NO_PAIR UINT32_MAX

typedef struct nt_pairs {
    nt_pair_slot *slots; /* [mask + 1] */
    size_t mask;
    uint64_t seed;
} nt_pairs;

/* Room for n keys, made once. */
int nt_pairs_init(nt_pairs *pairs, size_t n, uint64_t seed);
void nt_pairs_free(nt_pairs *pairs);

/* The slot of a key: its own, or the free one where it would stand. */
static inline nt_pair_slot *nt_pairs_find(const nt_pairs *pairs, uint32_t left, uint32_t right) {
    size_t i = nt_hash_pair(pairs->seed, left, right) & pairs->mask;
    for (;;) {
        nt_pair_slot *slot = &pairs->slots[i];
        if (slot->left == NT_NO_PAIR || (slot->left == left && slot->right == right)) return slot;
        i = (i + 1) & pairs->mask;
    }
}

#endif
