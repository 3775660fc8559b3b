/* Short words: all that is known of one fits into the first cache. */
#include "text/subword/bpe_merge.h"

enum { BLOCK = 16 }; /* places whose least key is looked for again after a change */

static inline int32_t least_of(const int32_t *keys, size_t n) {
    int32_t least = NT_BPE_NO_KEY;
    for (size_t i = 0; i < n; i++) {
        least = keys[i] < least ? keys[i] : least;
        /* One at a time: a vector would wait for the keys that were written just before. */
        __asm__("" : "+r"(least));
    }
    return least;
}

/* Asks for where a pair is looked up. */
static inline void near(const nt_merges *merges, uint32_t left, uint32_t right) {
    size_t i = nt_hash_pair(merges->seed, left, right) & merges->mask;
    __builtin_prefetch(merges->slots ? &merges->slots[i] : &merges->keys[i]);
}

static inline int32_t key_of(const nt_bpe *bpe, uint32_t left, uint32_t right, size_t place) {
    uint32_t rank = nt_bpe_rank(bpe, left, right);
    if (rank == NT_NO_MERGE) return NT_BPE_NO_KEY;
    __builtin_prefetch(&bpe->merges.wholes[rank]);
    return nt_bpe_key(rank, place);
}

/* Merges symbol i with the next; what is gone has no key. Returns where it ends. */
static inline __attribute__((always_inline)) size_t merge_at(nt_bpe_few *word, size_t i, size_t n,
                                                             const nt_bpe *bpe) {
    size_t gone = word->next[i], after = word->next[gone];
    uint32_t id = bpe->merges.wholes[word->keys[i] >> 8];
    size_t before = i > 0 ? word->prev[i] : i;
    /* Both pairs are asked for before the first is looked at; which of the two there are is not
     * foreseen by the processor. Symbol n, and the one before 0, are any ids. */
    near(&bpe->merges, id, word->ids[after]);
    near(&bpe->merges, word->ids[before], id);
    word->ids[i] = id;
    word->next[i] = (uint16_t)after;
    word->prev[after] = (uint16_t)i;
    word->keys[gone] = NT_BPE_NO_KEY;
    word->keys[i] = after < n ? key_of(bpe, id, word->ids[after], i) : NT_BPE_NO_KEY;
    if (i > 0) word->keys[before] = key_of(bpe, word->ids[before], id, before);
    return after;
}

void nt_bpe_merge_few(nt_bpe_few *word, size_t n, const nt_bpe *bpe) {
    for (size_t i = 0; i < n; i++) {
        word->next[i] = (uint16_t)(i + 1);
        word->prev[i + 1] = (uint16_t)i;
    }
    word->ids[n] = 0;
    word->keys[n - 1] = NT_BPE_NO_KEY;
    if (n <= BLOCK) {
        for (int32_t least; (least = least_of(word->keys, n)) != NT_BPE_NO_KEY;)
            merge_at(word, least & 255, n, bpe);
        return;
    }
    int32_t leasts[NT_BPE_FEW / BLOCK];
    size_t n_blocks = (n + BLOCK - 1) / BLOCK, first = 0, last = n_blocks - 1;
    for (size_t i = n; i < n_blocks * BLOCK; i++)
        word->keys[i] = NT_BPE_NO_KEY;
    for (;;) {
        for (size_t k = first; k <= last; k++)
            leasts[k] = least_of(word->keys + k * BLOCK, BLOCK);
        int32_t least = least_of(leasts, n_blocks);
        if (least == NT_BPE_NO_KEY) return;
        size_t i = least & 255, gone = word->next[i];
        first = (i ? word->prev[i] : i) / BLOCK;
        last = gone / BLOCK;
        merge_at(word, i, n, bpe);
    }
}

int nt_bpe_merge(size_t *n_merged, uint32_t *ids, uint32_t *at, size_t n, const nt_bpe *bpe,
                 nt_bpe_work *work) {
    *n_merged = 0;
    if (n == 0) return NT_OK;
    if (n > NT_BPE_FEW || bpe->merges.n_ranks > NT_BPE_FEW_RANKS)
        return nt_bpe_merge_long(n_merged, ids, at, n, bpe, work);
    nt_bpe_few few;
    few.ids[0] = ids[0];
    for (size_t i = 0; i + 1 < n; i++) {
        few.ids[i + 1] = ids[i + 1];
        few.keys[i] = nt_bpe_key(nt_bpe_rank(bpe, ids[i], ids[i + 1]), i);
    }
    nt_bpe_merge_few(&few, n, bpe);
    size_t count = 0;
    for (size_t i = 0; i < n; i = few.next[i]) {
        ids[count] = few.ids[i];
        at[count++] = (uint32_t)i;
    }
    *n_merged = count;
    return NT_OK;
}
