/* Byte-level BPE: the merges, and how they turn one word into tokens. */
#ifndef NT_TEXT_BPE_H
#define NT_TEXT_BPE_H

#include "text/vocab/lexicon.h"
#include "text/vocab/pairs.h"

typedef struct nt_bpe {
    nt_pairs merges;       /* (id, id) -> rank and id of the whole */
    int32_t byte_ids[256]; /* the token of each single byte, -1 for none */
} nt_bpe;

/* Where nt_bpe_word works; reused from word to word. */
typedef struct nt_bpe_node {
    uint32_t id, prev, next; /* token; neighbours by number of their first byte */
    uint32_t rank, whole;    /* of the merge with the next token; NT_NO_MERGE for none */
} nt_bpe_node;

#define NT_NO_MERGE UINT32_MAX

typedef struct nt_bpe_work {
    nt_bpe_node *nodes;
    size_t n_nodes;
    uint64_t *heap; /* rank << 32 | node: least first */
    size_t n_heap, heap_capacity;
} nt_bpe_work; /* all zero is empty */

void nt_bpe_work_free(nt_bpe_work *work);

/* Makes the table for n_merges merges, and finds the bytes' tokens. */
int nt_bpe_init(nt_bpe *bpe, const nt_lexicon *lexicon, size_t n_merges);
/* Adds the merge of two contents. A pair given twice keeps the later rank, as in tokenizers.
 * Messages name it as "where, unit number". Errors: FORMAT (a part or the whole is no token). */
int nt_bpe_add(nt_bpe *bpe, const nt_lexicon *lexicon, const char *left, size_t n_left,
               const char *right, size_t n_right, uint32_t rank, const char *where,
               const char *unit, size_t number);
void nt_bpe_free(nt_bpe *bpe);

/* One word [n], 0 < n < 2^32 - 1 -> ids [result] and their lengths in bytes [result], both with
 * room for n. The pair of least rank merges first, the leftmost among equals, until none is left.
 * Time n log n. Errors: UNSUPPORTED (a byte without a token, which tokenizers would leave out in
 * silence: the text would no longer be the text that was given), MEMORY. */
int nt_bpe_word(size_t *result, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                nt_bpe_work *work, const char *word, size_t n);

#endif
