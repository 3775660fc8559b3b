/* Unigram: of all ways to cut a word into tokens the one of highest probability (Kudo 2018). */
#ifndef NT_TEXT_UNIGRAM_H
#define NT_TEXT_UNIGRAM_H

#include "text/tokens.h"
#include "text/vocab/lexicon.h"

/* A node of the tokens' trie, whose edges are as long as they can be. */
typedef struct nt_unigram_node {
    uint32_t content, n; /* the bytes that lead here, in the lexicon's text */
    uint32_t first;      /* its children lie in a row, ascending by label */
    uint16_t n_children;
    uint8_t label; /* first byte of the edge that leads here */
    int32_t id;    /* of the token that ends here, -1 for none */
} nt_unigram_node;

typedef struct nt_unigram {
    double *scores; /* [n] by id */
    size_t n;
    double unk_score;   /* of a character without a token: 10 below the lowest */
    bool byte_fallback; /* such characters as <0x..> tokens where all are there */
    bool fuse_unk;      /* neighbouring unknown characters as one token */
    int32_t byte_ids[256];
    nt_unigram_node *nodes; /* [n_nodes] the first is the root */
    size_t n_nodes;
    uint32_t roots[256]; /* the root's children by label, 0 for none */
} nt_unigram;

typedef struct nt_unigram_work {
    struct nt_unigram_place *places; /* the best way to each place of the word */
    size_t capacity;
} nt_unigram_work; /* all zero is empty */

/* After the scores and the lexicon's tokens 0 .. n - 1 are there. Added tokens may follow them. */
int nt_unigram_finish(nt_unigram *unigram, const nt_lexicon *lexicon);
/* See nt_subword_tokenize. Time is n times the length of the longest token at most. */
int nt_unigram_tokenize(nt_tokens *out, const nt_unigram *unigram, int32_t unk,
                        const nt_lexicon *lexicon, nt_unigram_work *work, const char *word,
                        size_t n);
void nt_unigram_work_free(nt_unigram_work *work);
void nt_unigram_free(nt_unigram *unigram);

#endif
