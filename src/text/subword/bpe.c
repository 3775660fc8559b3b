#include "text/subword/bpe.h"

#include <string.h>

#include "base/memory.h"
#include "text/vocab/byte_level.h"

enum { SHORT_WORD = 40 }; /* up to here looking at every pair is faster than a heap */
#define NO_NODE UINT32_MAX

void nt_bpe_work_free(nt_bpe_work *work) {
    nt_free(work->nodes);
    nt_free(work->heap);
    *work = (nt_bpe_work){0};
}

int nt_bpe_init(nt_bpe *bpe, const nt_lexicon *lexicon, size_t n_merges) {
    for (unsigned byte = 0; byte < 256; byte++) {
        char content[2];
        size_t n = nt_byte_level_char(content, (uint8_t)byte);
        const nt_piece *piece = nt_lexicon_find(lexicon, content, n);
        bpe->byte_ids[byte] = piece ? (int32_t)piece->id : -1;
    }
    return nt_pairs_init(&bpe->merges, n_merges, lexicon->seed);
}

static int no_token(const char *where, const char *unit, size_t number, const char *content,
                    size_t n) {
    return nt_fail(NT_E_FORMAT, "%s, %s %zu: the merge needs \"%.*s\", which the vocabulary lacks",
                   where, unit, number, n > 60 ? 60 : (int)n, content);
}

int nt_bpe_add(nt_bpe *bpe, const nt_lexicon *lexicon, const char *left, size_t n_left,
               const char *right, size_t n_right, uint32_t rank, const char *where,
               const char *unit, size_t number) {
    const nt_piece *a = nt_lexicon_find(lexicon, left, n_left);
    if (!a) return no_token(where, unit, number, left, n_left);
    const nt_piece *b = nt_lexicon_find(lexicon, right, n_right);
    if (!b) return no_token(where, unit, number, right, n_right);

    char few[256], *both = few;
    size_t n = n_left + n_right;
    if (n > sizeof few && !(both = nt_alloc(n, 1))) return NT_E_MEMORY;
    memcpy(both, left, n_left);
    memcpy(both + n_left, right, n_right);
    const nt_piece *whole = nt_lexicon_find(lexicon, both, n);
    int status = whole ? NT_OK : no_token(where, unit, number, both, n);
    if (both != few) nt_free(both);
    NT_TRY(status);
    *nt_pairs_find(&bpe->merges, a->id, b->id) = (nt_pair_slot){a->id, b->id, rank, whole->id};
    return NT_OK;
}

void nt_bpe_free(nt_bpe *bpe) {
    nt_pairs_free(&bpe->merges);
}

static int no_byte(const char *word, size_t i) {
    return nt_fail(NT_E_UNSUPPORTED,
                   "the vocabulary has no token for the byte 0x%02X, which the text holds; "
                   "leave it out of the text or use another tokenizer",
                   (unsigned char)word[i]);
}

/* Rank of the merge of two tokens, and the whole. */
static uint32_t rank_of(uint32_t *whole, const nt_bpe *bpe, uint32_t left, uint32_t right) {
    const nt_pair_slot *slot = nt_pairs_find(&bpe->merges, left, right);
    if (slot->left == NT_NO_PAIR) return NT_NO_MERGE;
    *whole = slot->id;
    return slot->rank;
}

static int short_word(size_t *result, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                      const char *word, size_t n) {
    uint32_t ranks[SHORT_WORD], wholes[SHORT_WORD]; /* of token i with token i + 1 */
    for (size_t i = 0; i < n; i++) {
        ids[i] = bpe->byte_ids[(unsigned char)word[i]];
        lengths[i] = 1;
        if (ids[i] < 0) return no_byte(word, i);
        if (i > 0)
            ranks[i - 1] = rank_of(&wholes[i - 1], bpe, (uint32_t)ids[i - 1], (uint32_t)ids[i]);
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best]) best = i;
        if (ranks[best] == NT_NO_MERGE) break;
        ids[best] = (int32_t)wholes[best];
        lengths[best] += lengths[best + 1];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            lengths[i] = lengths[i + 1];
        }
        for (size_t i = best + 1; i + 1 < n; i++) {
            ranks[i] = ranks[i + 1];
            wholes[i] = wholes[i + 1];
        }
        for (size_t i = best ? best - 1 : 0; i <= best && i + 1 < n; i++)
            ranks[i] = rank_of(&wholes[i], bpe, (uint32_t)ids[i], (uint32_t)ids[i + 1]);
    }
    *result = n;
    return NT_OK;
}

static void sift_down(uint64_t *heap, size_t n, size_t i) {
    uint64_t item = heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n) break;
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= item) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = item;
}

static uint64_t pop(nt_bpe_work *work) {
    uint64_t least = work->heap[0];
    work->heap[0] = work->heap[--work->n_heap];
    if (work->n_heap) sift_down(work->heap, work->n_heap, 0);
    return least;
}

static int push(nt_bpe_work *work, uint64_t item) {
    void *heap = work->heap;
    int status = nt_grow(&heap, &work->heap_capacity, work->n_heap + 1, sizeof *work->heap);
    work->heap = heap;
    NT_TRY(status);
    size_t i = work->n_heap++;
    while (i > 0 && work->heap[(i - 1) / 2] > item) {
        work->heap[i] = work->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    work->heap[i] = item;
    return NT_OK;
}

/* The word as a list of one-byte tokens, and a heap of all their merges. */
static int start_long(const nt_bpe *bpe, nt_bpe_work *work, const char *word, size_t n) {
    void *nodes = work->nodes, *heap = work->heap;
    int status = nt_grow(&nodes, &work->n_nodes, n, sizeof *work->nodes);
    work->nodes = nodes;
    NT_TRY(status);
    status = nt_grow(&heap, &work->heap_capacity, n, sizeof *work->heap);
    work->heap = heap;
    NT_TRY(status);
    work->n_heap = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t id = bpe->byte_ids[(unsigned char)word[i]];
        if (id < 0) return no_byte(word, i);
        work->nodes[i] = (nt_bpe_node){(uint32_t)id, (uint32_t)i - 1,
                                       i + 1 < n ? (uint32_t)i + 1 : NO_NODE, NT_NO_MERGE, 0};
    }
    work->nodes[0].prev = NO_NODE;
    for (size_t i = 0; i + 1 < n; i++) {
        nt_bpe_node *node = &work->nodes[i];
        node->rank = rank_of(&node->whole, bpe, node->id, node[1].id);
        if (node->rank != NT_NO_MERGE) work->heap[work->n_heap++] = (uint64_t)node->rank << 32 | i;
    }
    for (size_t i = work->n_heap / 2; i-- > 0;)
        sift_down(work->heap, work->n_heap, i);
    return NT_OK;
}

/* Looks again at the merge of a node with the one after it. */
static int renew(const nt_bpe *bpe, nt_bpe_work *work, uint32_t i) {
    nt_bpe_node *node = &work->nodes[i];
    node->rank = NT_NO_MERGE;
    if (node->next == NO_NODE) return NT_OK;
    node->rank = rank_of(&node->whole, bpe, node->id, work->nodes[node->next].id);
    return node->rank == NT_NO_MERGE ? NT_OK : push(work, (uint64_t)node->rank << 32 | i);
}

static int long_word(size_t *result, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                     nt_bpe_work *work, const char *word, size_t n) {
    NT_TRY(start_long(bpe, work, word, n));
    nt_bpe_node *nodes = work->nodes;
    while (work->n_heap) {
        uint64_t item = pop(work);
        uint32_t i = (uint32_t)item;
        if (nodes[i].rank != item >> 32) continue; /* a merge that is no longer possible */
        uint32_t gone = nodes[i].next;
        nodes[i].id = nodes[i].whole;
        nodes[i].next = nodes[gone].next;
        nodes[gone].rank = NT_NO_MERGE;
        if (nodes[i].next != NO_NODE) nodes[nodes[i].next].prev = i;
        NT_TRY(renew(bpe, work, i));
        if (nodes[i].prev != NO_NODE) NT_TRY(renew(bpe, work, nodes[i].prev));
    }
    size_t count = 0;
    for (uint32_t i = 0; i != NO_NODE; i = nodes[i].next) {
        ids[count] = (int32_t)nodes[i].id;
        lengths[count++] = (nodes[i].next == NO_NODE ? (uint32_t)n : nodes[i].next) - i;
    }
    *result = count;
    return NT_OK;
}

int nt_bpe_word(size_t *result, int32_t *ids, uint32_t *lengths, const nt_bpe *bpe,
                nt_bpe_work *work, const char *word, size_t n) {
    *result = 0;
    if (n <= SHORT_WORD) return short_word(result, ids, lengths, bpe, word, n);
    return long_word(result, ids, lengths, bpe, work, word, n);
}
