/* The merging itself, for symbols of any kind: a short word in small arrays, a long one by buckets.
 * Both merge the pair of least rank first, the leftmost among equals, until none is left. */
#ifndef NT_TEXT_BPE_MERGE_H
#define NT_TEXT_BPE_MERGE_H

#include "text/subword/bpe.h"

enum {
    NT_BPE_FEW = 256, /* most symbols of a short word */
    NT_BPE_FEW_RANKS = (1 << 23) - 1
};
#define NT_BPE_NO_KEY INT32_MAX

/* A short word. Symbol i is in place i until it is merged into the one before it. */
typedef struct nt_bpe_few {
    uint32_t ids[NT_BPE_FEW + 1]; /* [n] */
    int32_t keys[NT_BPE_FEW];     /* rank of the merge with the next symbol << 8 | i; no key */
    uint16_t next[NT_BPE_FEW], prev[NT_BPE_FEW + 1]; /* place; n behind the last */
} nt_bpe_few;

/* The rank of a pair, NT_NO_MERGE for none. */
static inline uint32_t nt_bpe_rank(const nt_bpe *bpe, uint32_t left, uint32_t right) {
    return nt_merges_rank(&bpe->merges, left, right);
}

static inline int32_t nt_bpe_key(uint32_t rank, size_t place) {
    return rank == NT_NO_MERGE ? NT_BPE_NO_KEY : (int32_t)(rank << 8 | (uint32_t)place);
}

#define NT_BPE_META "\xE2\x96\x81" /* U+2581 */

/* Code and length of the character at the start of well-formed bytes [n], n > 0. */
static inline size_t nt_bpe_character(uint32_t *code, const char *at, size_t n) {
    const uint8_t *b = (const uint8_t *)at;
    size_t length = b[0] < 0x80 ? 1 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    if (length > n) length = n;
    *code = length == 1 ? b[0] : b[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | (b[i] & 63u);
    return length;
}

/* The bit of two characters in tables.joints. */
static inline size_t nt_bpe_joint(uint32_t left, uint32_t right) {
    return (left * 0x9E3779B97F4A7C15u + right) * 0xD1342543DE82EF95u >> 45;
}

/* Merges a word whose ids and keys are there; symbol 0 stays, next[] leads to the others. */
void nt_bpe_merge_few(nt_bpe_few *word, size_t n, const nt_bpe *bpe);
/* Merges ids [n] in place; at [k] gets the number of the first symbol of each. */
int nt_bpe_merge(size_t *n_merged, uint32_t *ids, uint32_t *at, size_t n, const nt_bpe *bpe,
                 nt_bpe_work *work);
/* The same for words of any length, by buckets. */
int nt_bpe_merge_long(size_t *n_merged, uint32_t *ids, uint32_t *at, size_t n, const nt_bpe *bpe,
                      nt_bpe_work *work);

#endif
