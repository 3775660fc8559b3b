/* BPE: the merges, and how they turn one word into tokens (Sennrich, Haddow & Birch 2016). */
#ifndef NT_TEXT_BPE_H
#define NT_TEXT_BPE_H

#include "text/tokens.h"
#include "text/vocab/lexicon.h"
#include "text/vocab/merges.h"

/* What is looked at, beside the merges, while words are merged. All of it follows from lexicon and
 * merges, and nt_bpe_finish makes it, unless it is part of an image. */
typedef struct nt_bpe_tables {
    /* [65536] by left byte << 8 | right byte: rank of the merge of these two, NT_NO_MERGE for none
     */
    uint32_t *byte_pairs;
    /* [1024] a bit for each such pair that stands in some token: elsewhere no token can lie */
    uint64_t *byte_joints;
    /* [NT_BPE_JOINTS / 64] the same for characters, by a hash: a bit too many only costs time */
    uint64_t *joints;
    /* [NT_BPE_CODES] tokens of the first characters: in the middle of a word, prefix included */
    int32_t *inner_ids;
} nt_bpe_tables;

enum { NT_BPE_CODES = 0x800, NT_BPE_JOINTS = 1 << 19 };

typedef struct nt_bpe {
    nt_merges merges; /* every rank is that of one pair only */
    nt_bpe_tables tables;
    bool borrowed;         /* the tables are part of an image: not freed */
    int32_t byte_ids[256]; /* the token of each single byte in the byte-level alphabet, -1: none */
    bool all_bytes;        /* every byte has one */
    bool byte_fallback;    /* characters without a token as <0x..> tokens where all are there */
    int32_t fallback_ids[256]; /* of <0x00> .. <0xFF>, -1: none */
    bool fuse_unk;             /* neighbouring unknown characters as one token */
    bool ignore_merges;        /* a word that is a token is that token */
    char *prefix, *suffix;     /* continuing_subword_prefix, end_of_word_suffix; NULL: none */
    size_t n_prefix, n_suffix;
    size_t n_pieces; /* the lexicon's first ones are the model's; behind them are added tokens */
    bool plain;      /* neither prefix nor suffix: words may be cut where no token can lie */
    int32_t meta_id; /* where plain, the token of U+2581, which stands for a space; else -1 */
} nt_bpe;

/* Where words are taken apart; reused from word to word. */
typedef struct nt_bpe_work {
    struct nt_bpe_node *nodes; /* bpe_long.c */
    struct nt_bpe_entry *entries;
    struct nt_bpe_bucket *buckets; /* [n_ranks] */
    uint64_t *bits;                /* which of these hold anything, and 64 of its words a bit, .. */
    uint32_t *ids, *at, *lengths;  /* bpe_chars.c: symbols of a word */
    size_t n_nodes, n_entries, n_buckets, n_bits, n_ids, n_at, n_lengths;
    nt_buffer spelling; /* a character with prefix and suffix */
} nt_bpe_work;          /* all zero is empty */

void nt_bpe_work_free(nt_bpe_work *work);
/* After all options, the merges and the lexicon's tokens of the model are there, and before its
 * added tokens are. */
int nt_bpe_finish(nt_bpe *bpe, const nt_lexicon *lexicon);
void nt_bpe_free(nt_bpe *bpe);

/* One word of bytes [n], 0 < n < 2^32 - 1 -> ids [*n_ids] and, unless lengths is NULL, their
 * lengths in bytes, both with room for n. The pair of least rank merges first, the leftmost among
 * equals, until none is left. Linear but for a sort. ignore_merges is the caller's to look at.
 * Errors: UNSUPPORTED (a byte without a token), MEMORY. */
int nt_bpe_bytes(size_t *n_ids, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                 nt_bpe_work *work, const char *word, size_t n);

/* One word of characters, as the file's own vocabulary writes them, with all of the options above;
 * see nt_subword_tokenize. */
int nt_bpe_chars(nt_tokens *out, const nt_bpe *bpe, int32_t unk, const nt_lexicon *lexicon,
                 nt_bpe_work *work, const char *word, size_t n);

#endif
