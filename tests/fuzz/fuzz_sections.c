/* Fuzz entry of tokenizer.json: what its readers take keeps every promise of lexicon and merges. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/files/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_lexicon(const nt_lexicon *lexicon) {
    for (size_t i = 0; i < lexicon->n; i++) {
        const nt_piece *piece = &lexicon->pieces[i];
        const char *content = nt_piece_content(lexicon, piece);
        if (strlen(content) != piece->n_content || piece->id > NT_MAX_ID) abort();
        if (nt_lexicon_find(lexicon, content, piece->n_content) != piece) abort();
        if (nt_lexicon_at(lexicon, piece->id) != piece) abort();
    }
}

static void check_merges(const nt_bpe *bpe, const nt_lexicon *lexicon) {
    const nt_merges *merges = &bpe->merges;
    for (size_t i = 0; i <= merges->mask; i++) {
        uint64_t slot = merges->slots ? merges->slots[i] : merges->keys[i];
        if (slot == UINT64_MAX) continue;
        int64_t ids[2] = {(int64_t)(slot >> 32), (int64_t)(slot & UINT32_MAX)};
        if (merges->slots) {
            ids[0] = (int64_t)(slot >> 44);
            ids[1] = (int64_t)(slot >> 24 & 0xFFFFF);
        }
        uint32_t rank = merges->slots ? slot & 0xFFFFFF : merges->ranks[i];
        if (rank >= merges->n_ranks) abort();
        if (nt_merges_rank(merges, (uint32_t)ids[0], (uint32_t)ids[1]) != rank) abort();
        const nt_piece *left = nt_lexicon_at(lexicon, ids[0]);
        const nt_piece *right = nt_lexicon_at(lexicon, ids[1]);
        const nt_piece *whole = nt_lexicon_at(lexicon, merges->wholes[rank]);
        if (!left || !right || !whole) abort();
        if (whole->n_content != left->n_content + right->n_content - bpe->n_prefix) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    char *copy = nt_alloc(n, 1);
    if (!copy) abort();
    if (n) memcpy(copy, bytes, n);
    nt_sections sections;
    int status = nt_sections_take(&sections, copy, n, "fuzz");
    if (status != NT_OK) {
        if (sections.bytes || !*nt_error_message()) abort();
        return 0;
    }
    nt_lexicon lexicon = {.seed = 5}, scored = {.seed = 6};
    nt_unigram unigram = {0};
    nt_bpe bpe = {.n_prefix = n % 3 == 0};
    if (nt_read_vocab(&lexicon, sections.vocab, "fuzz") == NT_OK) {
        check_lexicon(&lexicon);
        if (nt_read_merges(&bpe, &lexicon, sections.merges, "fuzz") == NT_OK)
            check_merges(&bpe, &lexicon);
    }
    if (nt_read_scores(&scored, &unigram, sections.vocab, "fuzz") == NT_OK) {
        check_lexicon(&scored);
        if (unigram.n != scored.n) abort();
        for (size_t i = 0; i < unigram.n; i++)
            if (!isfinite(unigram.scores[i])) abort();
    }
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
    nt_lexicon_free(&scored);
    nt_free(unigram.scores);
    nt_sections_free(&sections);
    return 0;
}
