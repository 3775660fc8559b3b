/* Viterbi's search, in the order and with the ties of tokenizers: a way to a place is replaced only
 * by a better one, and ways are found by where their last token begins, then by its length. */
#include "text/subword/unigram.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "text/subword/unigram_trie.h"

#define NOWHERE UINT32_MAX

struct nt_unigram_place {
    double score;  /* of the best way here */
    uint32_t link; /* where its last token begins; afterwards, where the token from here ends */
    int32_t id;    /* of its last token */
};

void nt_unigram_work_free(nt_unigram_work *work) {
    nt_free(work->places);
    *work = (nt_unigram_work){0};
}

void nt_unigram_free(nt_unigram *unigram) {
    nt_free(unigram->scores);
    nt_free(unigram->nodes);
    *unigram = (nt_unigram){0};
}

int nt_unigram_finish(nt_unigram *unigram, const nt_lexicon *lexicon) {
    double least = INFINITY;
    for (size_t id = 0; id < unigram->n; id++)
        if (unigram->scores[id] < least) least = unigram->scores[id];
    unigram->unk_score = least - 10;
    for (unsigned byte = 0; byte < 256; byte++) {
        char content[8];
        snprintf(content, sizeof content, "<0x%02X>", byte);
        const nt_piece *piece = nt_lexicon_find(lexicon, content, 6);
        unigram->byte_ids[byte] = piece && piece->id < unigram->n ? (int32_t)piece->id : -1;
    }
    return nt_unigram_trie(unigram, lexicon);
}

static size_t character_length(uint8_t first) {
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static int no_token(const char *character, size_t n) {
    return nt_fail(NT_E_UNSUPPORTED,
                   "the vocabulary has no token for the character \"%.*s\", and no unknown token; "
                   "leave it out of the text or use another tokenizer",
                   (int)n, character);
}

/* Whether a token is better than what leads to `to` so far; if so it leads there. */
static inline bool offer(struct nt_unigram_place *to, double score, size_t from) {
    if (to->link != NOWHERE && !(score > to->score)) return false;
    to->score = score;
    to->link = (uint32_t)from;
    return true;
}

/* The best way to every place. places [n + 1] */
static int search(struct nt_unigram_place *places, const nt_unigram *unigram, int32_t unk,
                  const nt_lexicon *lexicon, const char *word, size_t n) {
    for (size_t i = 0; i <= n; i++)
        places[i] = (struct nt_unigram_place){0, NOWHERE, -1};
    for (size_t from = 0, length; from < n; from += length) {
        double score = places[from].score;
        bool single = false;
        length = character_length((uint8_t)word[from]);
        if (length > n - from) length = n - from;
        for (uint32_t node = 0;;) {
            node = nt_unigram_step(unigram, lexicon, node, word + from, n - from);
            if (!node) break;
            int32_t id = unigram->nodes[node].id;
            if (id < 0) continue;
            size_t n_token = unigram->nodes[node].n;
            struct nt_unigram_place *to = &places[from + n_token];
            if (offer(to, unigram->scores[id] + score, from)) to->id = id;
            single |= n_token == length;
        }
        if (single || !offer(&places[from + length], unigram->unk_score + score, from)) continue;
        if (unk < 0) return no_token(word + from, length);
        places[from + length].id = unk;
    }
    return NT_OK;
}

/* From the end to the start: every link now says where the token from there ends. */
static void turn(struct nt_unigram_place *places, size_t n) {
    uint32_t end = NOWHERE, at = (uint32_t)n;
    while (at != NOWHERE) {
        uint32_t before = at ? places[at].link : NOWHERE;
        places[at].link = end;
        end = at;
        at = before;
    }
}

/* Unknown characters as one: what they spell may be a token after all, or become bytes. */
static int put_unknown(nt_tokens *out, const nt_unigram *unigram, int32_t unk,
                       const nt_lexicon *lexicon, const char *word, size_t start, size_t end) {
    const nt_piece *piece = nt_lexicon_find(lexicon, word + start, end - start);
    if (piece && piece->id < unigram->n)
        return nt_tokens_put(out, (int32_t)piece->id, (uint32_t)start, (uint32_t)end);
    size_t known = start;
    while (unigram->byte_fallback && known < end && unigram->byte_ids[(uint8_t)word[known]] >= 0)
        known++;
    if (known < end) {
        NT_TRY(nt_tokens_put_margin(out, word + start, end - start));
        return nt_tokens_put(out, unk, (uint32_t)start, (uint32_t)end);
    }
    for (size_t i = start; i < end; i++) {
        NT_TRY(nt_tokens_put(out, unigram->byte_ids[(uint8_t)word[i]], (uint32_t)start,
                             (uint32_t)end));
    }
    return NT_OK;
}

int nt_unigram_tokenize(nt_tokens *out, const nt_unigram *unigram, int32_t unk,
                        const nt_lexicon *lexicon, nt_unigram_work *work, const char *word,
                        size_t n) {
    void *memory = work->places;
    int status = nt_grow(&memory, &work->capacity, n + 1, sizeof *work->places);
    struct nt_unigram_place *places = work->places = memory;
    NT_TRY(status);
    NT_TRY(search(places, unigram, unk, lexicon, word, n));
    turn(places, n);
    for (uint32_t at = 0; at < n;) {
        uint32_t end = places[at].link;
        int32_t id = places[end].id;
        if (id != unk) {
            NT_TRY(nt_tokens_put(out, id, at, end));
        } else {
            while (unigram->fuse_unk && end < n && places[places[end].link].id == unk)
                end = places[end].link;
            NT_TRY(put_unknown(out, unigram, unk, lexicon, word, at, end));
        }
        at = end;
    }
    return NT_OK;
}
