#include "text/vocab/lexicon.h"

#include <string.h>

#include "base/memory.h"
#include "text/vocab/byte_level.h"

/* The slot of a content: its own or the free one where it would stand. */
static nt_lexicon_slot *slot_of(const nt_lexicon *lexicon, uint32_t hash, const char *content,
                                size_t n) {
    size_t i = hash & lexicon->mask;
    for (; lexicon->slots[i].piece; i = (i + 1) & lexicon->mask) {
        if (lexicon->slots[i].hash != hash) continue;
        const nt_piece *piece = &lexicon->pieces[lexicon->slots[i].piece - 1];
        if (piece->n_content == n && memcmp(lexicon->text.data + piece->content, content, n) == 0)
            break;
    }
    return &lexicon->slots[i];
}

/* Keeps the slots at most half full. */
static int grow_slots(nt_lexicon *lexicon) {
    if (lexicon->slots && lexicon->n < (lexicon->mask + 1) / 2) return NT_OK;
    size_t n_old = lexicon->slots ? lexicon->mask + 1 : 0, size = n_old ? n_old * 2 : 1024;
    nt_lexicon_slot *old = lexicon->slots, *slots = nt_alloc(size, sizeof *slots);
    if (!slots) return NT_E_MEMORY;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i].piece) continue;
        size_t to = old[i].hash & (size - 1);
        while (slots[to].piece)
            to = (to + 1) & (size - 1);
        slots[to] = old[i];
    }
    nt_free(old);
    lexicon->slots = slots;
    lexicon->mask = size - 1;
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
    uint32_t hash = (uint32_t)nt_hash_bytes(lexicon->seed, content, n);
    nt_lexicon_slot *slot = slot_of(lexicon, hash, content, n);
    if (slot->piece)
        return nt_fail(NT_E_FORMAT, "%s: token \"%.*s\" stands twice", where, shown, content);
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
    *slot = (nt_lexicon_slot){(uint32_t)lexicon->n, hash};
    lexicon->by_id[id] = (uint32_t)lexicon->n;
    return NT_OK;
}

nt_piece *nt_lexicon_find(const nt_lexicon *lexicon, const char *content, size_t n) {
    if (!lexicon->slots) return NULL;
    uint32_t hash = (uint32_t)nt_hash_bytes(lexicon->seed, content, n);
    uint32_t found = slot_of(lexicon, hash, content, n)->piece;
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
