/* Finding all tokens that begin at a place of a text, shortest first. */
#ifndef NT_TEXT_UNIGRAM_TRIE_H
#define NT_TEXT_UNIGRAM_TRIE_H

#include <string.h>

#include "text/subword/unigram.h"

/* Builds unigram->nodes and roots from the lexicon's tokens. */
int nt_unigram_trie(nt_unigram *unigram, const nt_lexicon *lexicon);

/* The child of a node (0: the root) that matches all of its edge at text [n]; 0 for none. */
static inline uint32_t nt_unigram_step(const nt_unigram *unigram, const nt_lexicon *lexicon,
                                       uint32_t from, const char *text, size_t n) {
    const nt_unigram_node *nodes = unigram->nodes, *node = &nodes[from];
    if (node->n >= n) return 0;
    uint8_t label = (uint8_t)text[node->n];
    uint32_t child = 0;
    if (from == 0) {
        child = unigram->roots[label];
    } else {
        uint32_t low = node->first, high = low + node->n_children;
        while (high - low > 1) {
            uint32_t middle = (low + high) / 2;
            if (nodes[middle].label <= label) {
                low = middle;
            } else {
                high = middle;
            }
        }
        if (low < high && nodes[low].label == label) child = low;
    }
    if (!child || nodes[child].n > n) return 0;
    const char *content = lexicon->text.data + nodes[child].content;
    bool same = memcmp(text + node->n, content + node->n, nodes[child].n - node->n) == 0;
    return same ? child : 0;
}

#endif
