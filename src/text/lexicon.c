#include "text/lexicon.h"

#include <string.h>

#include "base/memory.h"
#include "text/byte_level.h"

/* The slot of a content: its own or the free one where it would stand. */
static uint32_t *slot_of(const nt_lexicon *lexicon, const char *content, size_t n) {
    size_t i = nt_hash_bytes(lexicon->seed, content, n) & lexicon->mask;
    while (lexicon->slots[i]) {
        const nt_piece *piece = &lexicon->pieces[lexicon->slots[i] - 1];
        if (piece->n_content == n && memcmp(lexicon->text.data + piece->content, content, n) == 0)
            break;
        i = (i + 1) & lexicon->mask;
    }
    return &lexicon->slots[i];
}

static int grow_slots(nt_lexicon *lexicon) {
    if (lexicon->slots && lexicon->n < (lexicon->mask + 1) / 2) return NT_OK;
    nt_lexicon bigger = *lexicon;
    bigger.mask = lexicon->slots ? lexicon->mask * 2 + 1 : 1023;
    bigger.slots = nt_alloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots) return NT_E_MEMORY;
    for (size_t i = 0; i < lexicon->n; i++) {
        const nt_piece *piece = &lexicon->pieces[i];
        *slot_of(&bigger, lexicon->text.data + piece->content, piece->n_content) = (uint32_t)i + 1;
    }
    nt_free(lexicon->slots);
    *lexicon = bigger;
    return NT_OK;
}

/* Room for an id; ids between the old end and this one stand for nothing so far. */
static int grow_ids(nt_lexicon *lexicon, uint32_t id) {
    if (id < lexicon->n_ids) return NT_OK;
    if (id >= lexicon->ids_capacity) {
        size_t wanted = lexicon->ids_capacity ? lexicon->ids_capacity : 1024;
        while (wanted <= id)
            wanted *= 2;
        uint32_t *bigger = nt_alloc(wanted, sizeof *bigger);
        if (!bigger) return NT_E_MEMORY;
        if (lexicon->n_ids) memcpy(bigger, lexicon->by_id, lexicon->n_ids * sizeof *bigger);
        nt_free(lexicon->by_id);
        lexicon->by_id = bigger;
        lexicon->ids_capacity = wanted;
    }
    lexicon->n_ids = (size_t)id + 1;
    return NT_OK;
}

int nt_lexicon_add(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                   const char *where) {
    int shown = n > 40 ? 40 : (int)n;
    if (id > NT_MAX_ID) {
        return nt_fail(NT_E_FORMAT, "%s: token \"%.*s\" has the id %u; ids end at %d", where, shown,
                       content, id, NT_MAX_ID);
    }
    const nt_piece *other = nt_lexicon_at(lexicon, id);
    if (other) {
        return nt_fail(NT_E_FORMAT, "%s: tokens \"%.*s\" and \"%.*s\" share the id %u", where,
                       other->n_content > 40 ? 40 : (int)other->n_content,
                       lexicon->text.data + other->content, shown, content, id);
    }
    NT_TRY(grow_slots(lexicon));
    uint32_t *slot = slot_of(lexicon, content, n);
    if (*slot) return nt_fail(NT_E_FORMAT, "%s: token \"%.*s\" stands twice", where, shown, content);
    NT_TRY(grow_ids(lexicon, id));
    void *pieces = lexicon->pieces;
    int status = nt_grow(&pieces, &lexicon->capacity, lexicon->n + 1, sizeof *lexicon->pieces);
    lexicon->pieces = pieces;
    NT_TRY(status);

    nt_piece piece = {.id = id, .content = (uint32_t)lexicon->text.n, .n_content = (uint32_t)n};
    nt_buffer_put(&lexicon->text, content, n);
    nt_buffer_putc(&lexicon->text, 0);
    piece.bytes = (uint32_t)lexicon->text.n;
    nt_byte_level_decode(&lexicon->text, content, n);
    piece.n_bytes = (uint32_t)lexicon->text.n - piece.bytes;
    nt_buffer_putc(&lexicon->text, 0);
    NT_TRY(lexicon->text.status);
    lexicon->pieces[lexicon->n++] = piece;
    *slot = (uint32_t)lexicon->n;
    lexicon->by_id[id] = (uint32_t)lexicon->n;
    return NT_OK;
}

nt_piece *nt_lexicon_find(const nt_lexicon *lexicon, const char *content, size_t n) {
    if (!lexicon->slots) return NULL;
    uint32_t found = *slot_of(lexicon, content, n);
    return found ? &lexicon->pieces[found - 1] : NULL;
}

const nt_piece *nt_lexicon_at(const nt_lexicon *lexicon, int64_t id) {
    if (id < 0 || (uint64_t)id >= lexicon->n_ids || !lexicon->by_id[id]) return NULL;
    return &lexicon->pieces[lexicon->by_id[id] - 1];
}

void nt_lexicon_free(nt_lexicon *lexicon) {
    nt_free(lexicon->pieces);
    nt_buffer_free(&lexicon->text);
    nt_free(lexicon->slots);
    nt_free(lexicon->by_id);
    *lexicon = (nt_lexicon){0};
}
