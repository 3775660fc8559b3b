/* The trie in which Unigram finds all tokens that begin at a place. */
#include "text/subword/unigram_trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct entry {
    const char *content; /* [n] */
    uint32_t n;
    int32_t id;
} entry;

static int by_content(const void *left, const void *right) {
    const entry *a = left, *b = right;
    int order = memcmp(a->content, b->content, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* The model's tokens, sorted; empty ones are never found in a text. */
static size_t sorted(entry *entries, const nt_unigram *unigram, const nt_lexicon *lexicon) {
    size_t n = 0;
    for (size_t id = 0; id < unigram->n; id++) {
        const nt_piece *piece = nt_lexicon_at(lexicon, (int64_t)id);
        if (!piece || !piece->n_content) continue;
        entries[n++] = (entry){nt_piece_content(lexicon, piece), piece->n_content, (int32_t)id};
    }
    qsort(entries, n, sizeof *entries, by_content);
    return n;
}

typedef struct range {
    size_t low, high; /* the entries below a node */
} range;

/* Fills the node of a range whose first `n` bytes are equal, as long as it can be made. */
static void fill(nt_unigram_node *node, range *span, const entry *entries, size_t n,
                 const nt_lexicon *lexicon) {
    const entry *first = &entries[span->low], *last = &entries[span->high - 1];
    while (n < first->n && n < last->n && first->content[n] == last->content[n])
        n++;
    node->content = (uint32_t)(first->content - lexicon->text.data);
    node->n = (uint32_t)n;
    node->id = -1;
    if (first->n == n) {
        node->id = first->id;
        span->low++;
    }
}

/* nodes and ranges [2 n + 1]. Level by level, so that children lie in a row. */
static void build(nt_unigram *unigram, range *ranges, const entry *entries, size_t n,
                  const nt_lexicon *lexicon) {
    nt_unigram_node *nodes = unigram->nodes;
    nodes[0] = (nt_unigram_node){.id = -1};
    ranges[0] = (range){0, n};
    unigram->n_nodes = 1;
    for (size_t k = 0; k < unigram->n_nodes; k++) {
        if (k > 0) fill(&nodes[k], &ranges[k], entries, nodes[k].n, lexicon);
        nodes[k].first = (uint32_t)unigram->n_nodes;
        for (size_t i = ranges[k].low; i < ranges[k].high;) {
            uint8_t label = (uint8_t)entries[i].content[nodes[k].n];
            range below = {i, i};
            while (i < ranges[k].high && (uint8_t)entries[i].content[nodes[k].n] == label)
                i++;
            below.high = i;
            ranges[unigram->n_nodes] = below;
            nodes[unigram->n_nodes++] = (nt_unigram_node){.label = label, .n = nodes[k].n};
            nodes[k].n_children++;
            if (k == 0) unigram->roots[label] = (uint32_t)unigram->n_nodes - 1;
        }
    }
}

int nt_unigram_trie(nt_unigram *unigram, const nt_lexicon *lexicon) {
    size_t most = 2 * unigram->n + 1;
    unigram->nodes = nt_alloc(most, sizeof *unigram->nodes);
    entry *entries = nt_alloc(unigram->n, sizeof *entries);
    range *ranges = nt_alloc(most, sizeof *ranges);
    bool all = unigram->nodes && entries && ranges;
    if (all) build(unigram, ranges, entries, sorted(entries, unigram, lexicon), lexicon);
    nt_free(entries);
    nt_free(ranges);
    return all ? NT_OK : NT_E_MEMORY;
}
