#include "text/vocab/lexicon.h"

#include <string.h>

#include "base/memory.h"

/* memcmp() == 0, without a call for what is short. */
static inline bool same(const char *a, const char *b, size_t n) {
    if (n > 16) return memcmp(a, b, n) == 0;
    if (n >= 8)
        return nt_hash_load8(a) == nt_hash_load8(b) &&
               nt_hash_load8(a + n - 8) == nt_hash_load8(b + n - 8);
    if (n >= 4)
        return nt_hash_load4(a) == nt_hash_load4(b) &&
               nt_hash_load4(a + n - 4) == nt_hash_load4(b + n - 4);
    return n == 0 || (a[0] == b[0] && a[n >> 1] == b[n >> 1] && a[n - 1] == b[n - 1]);
}

/* The slot of a content: its own or the free one where it would stand. */
static nt_lexicon_slot *slot_of(const nt_lexicon *lexicon, uint32_t hash, const char *content,
                                size_t n) {
    size_t i = hash & lexicon->mask;
    for (; lexicon->slots[i].piece; i = (i + 1) & lexicon->mask) {
        if (lexicon->slots[i].hash != hash) continue;
        const nt_piece *piece = &lexicon->pieces[lexicon->slots[i].piece - 1];
        if (piece->n_content == n && same(nt_piece_content(lexicon, piece), content, n)) break;
    }
    return &lexicon->slots[i];
}

static bool in_block(const nt_lexicon *lexicon, const void *table) {
    uintptr_t at = (uintptr_t)table - (uintptr_t)lexicon->block;
    return lexicon->block && at < lexicon->n_block;
}

static void free_table(const nt_lexicon *lexicon, void *table) {
    if (!in_block(lexicon, table)) nt_free(table);
}

/* nt_grow for a table that may lie in the block. */
static int grow_table(const nt_lexicon *lexicon, void **table, size_t *capacity, size_t need,
                      size_t size) {
    if (need <= *capacity || !in_block(lexicon, *table))
        return nt_grow(table, capacity, need, size);
    void *apart = NULL;
    size_t wanted = 0;
    NT_TRY(nt_grow(&apart, &wanted, need > *capacity * 2 ? need : *capacity * 2, size));
    memcpy(apart, *table, *capacity * size);
    *table = apart;
    *capacity = wanted;
    return NT_OK;
}

/* Makes the slots `size`, a power of two. */
static int resize_slots(nt_lexicon *lexicon, size_t size) {
    size_t n_old = lexicon->slots ? lexicon->mask + 1 : 0;
    nt_lexicon_slot *old = lexicon->slots, *slots = nt_alloc(size, sizeof *slots);
    if (!slots) return NT_E_MEMORY;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i].piece) continue;
        size_t to = old[i].hash & (size - 1);
        while (slots[to].piece)
            to = (to + 1) & (size - 1);
        slots[to] = old[i];
    }
    free_table(lexicon, old);
    lexicon->slots = slots;
    lexicon->mask = size - 1;
    return NT_OK;
}

static int resize_ids(nt_lexicon *lexicon, size_t wanted) {
    uint32_t *bigger = nt_alloc(wanted, sizeof *bigger);
    if (!bigger) return NT_E_MEMORY;
    if (lexicon->n_ids) memcpy(bigger, lexicon->by_id, lexicon->n_ids * sizeof *bigger);
    free_table(lexicon, lexicon->by_id);
    lexicon->by_id = bigger;
    lexicon->ids_capacity = wanted;
    return NT_OK;
}

static int grow_pieces(nt_lexicon *lexicon, size_t need) {
    void *pieces = lexicon->pieces;
    int status = grow_table(lexicon, &pieces, &lexicon->capacity, need, sizeof *lexicon->pieces);
    lexicon->pieces = pieces;
    return status;
}

static int grow_text(nt_lexicon *lexicon, size_t need) {
    if (need > NT_BUFFER_MAX)
        return nt_fail(NT_E_MEMORY, "a vocabulary grew past its limit of %d bytes", NT_BUFFER_MAX);
    void *data = lexicon->text.data;
    int status = grow_table(lexicon, &data, &lexicon->text.capacity, need, 1);
    lexicon->text.data = data;
    return status;
}

enum { MAX_IN_BLOCK = 1 << 20 }; /* slots: what is zeroed and perhaps not used stays small */

/* All tables in one piece, for which the system needs only a few large pages. What may be left over
 * stands last. */
static int make_block(nt_lexicon *lexicon, size_t n_slots, size_t n_pieces, size_t n_text) {
    size_t n_slot_bytes = n_slots * sizeof *lexicon->slots;
    size_t n_id_bytes = (n_pieces * sizeof *lexicon->by_id + 63) & ~(size_t)63;
    size_t n_piece_bytes = (n_pieces * sizeof *lexicon->pieces + 63) & ~(size_t)63;
    size_t n = n_slot_bytes + n_id_bytes + n_piece_bytes + n_text;
    char *at = nt_alloc_large(n, 1);
    if (!at) return NT_E_MEMORY;
    lexicon->block = at;
    lexicon->n_block = n;
    lexicon->slots = memset(at, 0, n_slot_bytes);
    lexicon->mask = n_slots - 1;
    lexicon->by_id = memset(at + n_slot_bytes, 0, n_id_bytes);
    lexicon->ids_capacity = n_pieces;
    lexicon->pieces = (void *)(at + n_slot_bytes + n_id_bytes);
    lexicon->capacity = n_pieces;
    lexicon->text.data = at + n_slot_bytes + n_id_bytes + n_piece_bytes;
    lexicon->text.capacity = n_text;
    return NT_OK;
}

int nt_lexicon_reserve(nt_lexicon *lexicon, size_t n, size_t n_text) {
    if (n > (size_t)NT_MAX_ID + 1) n = (size_t)NT_MAX_ID + 1;
    size_t size = 1024;
    while (size / 2 < n)
        size *= 2;
    /* Each content with its zero byte, and as much again for what the tokens decode to. */
    size_t text = 2 * (n_text + n) + 1;
    if (text > NT_BUFFER_MAX) text = NT_BUFFER_MAX;
    size_t pieces = n + 256; /* added tokens come behind the vocabulary */
    if (lexicon->n == 0 && !lexicon->slots && size <= MAX_IN_BLOCK)
        return make_block(lexicon, size, pieces, text);
    NT_TRY(resize_slots(lexicon, size));
    NT_TRY(resize_ids(lexicon, pieces));
    NT_TRY(grow_pieces(lexicon, pieces));
    return grow_text(lexicon, text);
}

/* Room for one more token of n bytes with this id. */
static int make_room(nt_lexicon *lexicon, size_t n, uint32_t id) {
    if (id >= lexicon->ids_capacity) {
        size_t wanted = lexicon->ids_capacity ? lexicon->ids_capacity : 1024;
        while (wanted <= id)
            wanted *= 2;
        NT_TRY(resize_ids(lexicon, wanted));
    }
    if (lexicon->n >= lexicon->capacity) NT_TRY(grow_pieces(lexicon, lexicon->n + 1));
    if (lexicon->text.n + n < lexicon->text.capacity) return NT_OK;
    return grow_text(lexicon, lexicon->text.n + n + 1);
}

/* Appends bytes and a zero, for which there is room; returns where they stand. */
static uint32_t put_text(nt_lexicon *lexicon, const char *bytes, size_t n) {
    uint32_t at = (uint32_t)lexicon->text.n;
    char *to = lexicon->text.data + at;
    if (n && to != bytes) memcpy(to, bytes, n);
    to[n] = 0;
    lexicon->text.n += n + 1;
    return at;
}

int nt_lexicon_append(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                      const char *where) {
    int shown = n > 40 ? 40 : (int)n;
    if (lexicon->borrowed) {
        return nt_fail(NT_E_UNSUPPORTED, "%s: token \"%.*s\" cannot join the built-in vocabulary",
                       where, shown, content);
    }
    if (id > NT_MAX_ID) {
        return nt_fail(NT_E_FORMAT, "%s: token \"%.*s\" has the id %u; ids end at %d", where, shown,
                       content, id, NT_MAX_ID);
    }
    const nt_piece *other = nt_lexicon_at(lexicon, id);
    if (other) {
        return nt_fail(NT_E_FORMAT, "%s: tokens \"%.*s\" and \"%.*s\" share the id %u", where,
                       other->n_content > 40 ? 40 : (int)other->n_content,
                       nt_piece_content(lexicon, other), shown, content, id);
    }
    NT_TRY(make_room(lexicon, n, id));
    uint32_t at = put_text(lexicon, content, n);
    lexicon->pieces[lexicon->n++] = (nt_piece){id, at, (uint32_t)n, at, (uint32_t)n, 0};
    lexicon->by_id[id] = (uint32_t)lexicon->n;
    if (id >= lexicon->n_ids) lexicon->n_ids = (size_t)id + 1;
    return NT_OK;
}

static int twice(const nt_piece *piece, const nt_lexicon *lexicon, const char *where) {
    return nt_fail(NT_E_FORMAT, "%s: token \"%.*s\" stands twice", where,
                   piece->n_content > 40 ? 40 : (int)piece->n_content,
                   nt_piece_content(lexicon, piece));
}

int nt_lexicon_index(nt_lexicon *lexicon, const char *where) {
    size_t size = lexicon->slots ? lexicon->mask + 1 : 1024;
    while (size / 2 < lexicon->n)
        size *= 2;
    if (!lexicon->slots || size > lexicon->mask + 1) NT_TRY(resize_slots(lexicon, size));
    enum { AHEAD = 16 };
    uint32_t hashes[AHEAD]; /* of the pieces to come */
    size_t n = lexicon->n;
    for (size_t i = lexicon->n_indexed, next = i; i < n; i++) {
        for (; next < n && next < i + AHEAD; next++) {
            const nt_piece *piece = &lexicon->pieces[next];
            hashes[next % AHEAD] =
                nt_lexicon_hash(lexicon, nt_piece_content(lexicon, piece), piece->n_content);
        }
        const nt_piece *piece = &lexicon->pieces[i];
        uint32_t hash = hashes[i % AHEAD];
        nt_lexicon_slot *slot =
            slot_of(lexicon, hash, nt_piece_content(lexicon, piece), piece->n_content);
        if (slot->piece) return twice(piece, lexicon, where);
        *slot = (nt_lexicon_slot){(uint32_t)i + 1, hash};
        lexicon->n_indexed = i + 1;
    }
    return NT_OK;
}

int nt_lexicon_add(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                   const char *where) {
    const nt_piece *other = nt_lexicon_find(lexicon, content, n);
    if (other) return twice(other, lexicon, where);
    NT_TRY(nt_lexicon_append(lexicon, content, n, id, where));
    return nt_lexicon_index(lexicon, where);
}

int nt_lexicon_rename(nt_lexicon *lexicon, int32_t id, const char *content, size_t n) {
    NT_TRY(make_room(lexicon, n, (uint32_t)id));
    nt_piece renamed = lexicon->pieces[lexicon->by_id[id] - 1];
    renamed.content = renamed.bytes = put_text(lexicon, content, n);
    renamed.n_content = renamed.n_bytes = (uint32_t)n;
    lexicon->pieces[lexicon->n++] = renamed;
    lexicon->by_id[id] = (uint32_t)lexicon->n;
    return NT_OK;
}

int nt_lexicon_own(nt_lexicon *lexicon) {
    if (!lexicon->borrowed) return NT_OK;
    nt_lexicon own = {.seed = nt_hash_seed()};
    int status = nt_lexicon_reserve(&own, lexicon->n, lexicon->text.n);
    if (status == NT_OK) {
        memcpy(own.pieces, lexicon->pieces, lexicon->n * sizeof *own.pieces);
        memcpy(own.text.data, lexicon->text.data, lexicon->text.n);
        memcpy(own.by_id, lexicon->by_id, lexicon->n_ids * sizeof *own.by_id);
        own.n = lexicon->n;
        own.n_ids = lexicon->n_ids;
        own.text.n = lexicon->text.n;
        status = nt_lexicon_index(&own, "the built-in vocabulary");
    }
    nt_lexicon_free(status == NT_OK ? lexicon : &own);
    if (status == NT_OK) *lexicon = own;
    return status;
}

char *nt_lexicon_room(nt_lexicon *lexicon, size_t n) {
    if (grow_text(lexicon, lexicon->text.n + n + 1) != NT_OK) return NULL;
    return lexicon->text.data + lexicon->text.n;
}

int nt_lexicon_spell(nt_lexicon *lexicon, nt_piece *piece, const char *bytes, size_t n) {
    if (lexicon->borrowed) return NT_OK;
    uint32_t at = piece->content;
    bool equal = n == piece->n_content &&
                 (n == 0 || memcmp(nt_piece_content(lexicon, piece), bytes, n) == 0);
    if (!equal) {
        NT_TRY(grow_text(lexicon, lexicon->text.n + n + 1));
        at = put_text(lexicon, bytes, n);
    }
    piece->bytes = at;
    piece->n_bytes = (uint32_t)n;
    return NT_OK;
}

nt_piece *nt_lexicon_find_hash(const nt_lexicon *lexicon, uint32_t hash, const char *content,
                               size_t n) {
    if (!lexicon->slots) return NULL;
    uint32_t found = slot_of(lexicon, hash, content, n)->piece;
    return found ? &lexicon->pieces[found - 1] : NULL;
}

nt_piece *nt_lexicon_find(const nt_lexicon *lexicon, const char *content, size_t n) {
    return nt_lexicon_find_hash(lexicon, nt_lexicon_hash(lexicon, content, n), content, n);
}

const nt_piece *nt_lexicon_at(const nt_lexicon *lexicon, int64_t id) {
    if (id < 0 || (uint64_t)id >= lexicon->n_ids || !lexicon->by_id[id]) return NULL;
    return &lexicon->pieces[lexicon->by_id[id] - 1];
}

void nt_lexicon_free(nt_lexicon *lexicon) {
    if (lexicon->own_pieces) nt_free(lexicon->pieces);
    if (!lexicon->borrowed) {
        free_table(lexicon, lexicon->pieces);
        free_table(lexicon, lexicon->text.data);
        free_table(lexicon, lexicon->slots);
        free_table(lexicon, lexicon->by_id);
        nt_free(lexicon->block);
    }
    *lexicon = (nt_lexicon){0};
}
