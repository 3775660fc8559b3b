/* The lexicon: every token's content as the files write it, its bytes, and its id, both ways. */
#ifndef NT_TEXT_LEXICON_H
#define NT_TEXT_LEXICON_H

#include "base/buffer.h"
#include "text/vocab/hash.h"

enum { NT_MAX_ID = (1 << 24) - 1 };

typedef struct nt_piece {
    uint32_t id;
    uint32_t content, n_content; /* span of `text`: as the file writes it, zero-ended */
    uint32_t bytes, n_bytes;     /* span of `text`: what it decodes to, zero-ended; its content
                                    until nt_lexicon_spell */
    uint32_t added;              /* number of its added token + 1, 0 for none */
} nt_piece;

typedef struct nt_lexicon_slot {
    uint32_t piece; /* number + 1, 0 in a free slot */
    uint32_t hash;  /* of its content */
} nt_lexicon_slot;

typedef struct nt_lexicon {
    nt_piece *pieces; /* [n] in the order added */
    size_t n, capacity;
    size_t n_indexed; /* of them are in the slots */
    nt_buffer text;
    nt_lexicon_slot *slots; /* [mask + 1] content -> piece */
    size_t mask;
    uint32_t *by_id; /* [n_ids] id -> piece + 1, 0 for an id without a token */
    size_t n_ids;    /* largest id + 1 */
    size_t ids_capacity;
    uint64_t seed;
    char *block; /* [n_block] where the tables lie that nt_lexicon_reserve made; NULL: apart */
    size_t n_block;
    bool borrowed;   /* the tables are part of an image: not freed */
    bool own_pieces; /* .. but for the pieces */
} nt_lexicon;        /* all zero but for seed is an empty lexicon */

/* Room for n tokens of n_text bytes in all, made before the first: saves growing. Both may be
 * estimates that are far too high: most memory that is not used is not touched. */
int nt_lexicon_reserve(nt_lexicon *lexicon, size_t n, size_t n_text);
/* Adds a token. where names the file.
 * Errors: FORMAT (the content or the id is there already), UNSUPPORTED (an image), MEMORY. */
int nt_lexicon_add(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                   const char *where);
/* The same in two steps, faster for a whole vocabulary: appended tokens are found only after
 * nt_lexicon_index, which refuses contents that stand twice. */
int nt_lexicon_append(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                      const char *where);
int nt_lexicon_index(nt_lexicon *lexicon, const char *where);
/* Room for n bytes behind the text, where nt_lexicon_spell finds them in their place; NULL (message
 * set) when memory ends. */
char *nt_lexicon_room(nt_lexicon *lexicon, size_t n);
/* Gives a token the bytes that it decodes to, which lie in that room or outside of the lexicon, or
 * are its content: then no second copy is kept. The tokens of an image are spelled already: nothing
 * is done. */
int nt_lexicon_spell(nt_lexicon *lexicon, nt_piece *piece, const char *bytes, size_t n);
/* Makes what an image lent the lexicon's own, under a seed of its own, so that it may be changed:
 * costs what reading the vocabulary does. On failure all is as before. Errors: MEMORY. */
int nt_lexicon_own(nt_lexicon *lexicon);
/* From now on the id stands for other content; the old one still finds the old piece, the new one
 * is not looked up. After the last token. */
int nt_lexicon_rename(nt_lexicon *lexicon, int32_t id, const char *content, size_t n);
/* The piece with this content, or NULL. */
nt_piece *nt_lexicon_find(const nt_lexicon *lexicon, const char *content, size_t n);
/* The same in steps, for who looks for many: each brings near the memory that the next one needs.
 */
static inline uint32_t nt_lexicon_hash(const nt_lexicon *lexicon, const char *content, size_t n) {
    uint32_t hash = (uint32_t)nt_hash_bytes(lexicon->seed, content, n);
    if (lexicon->slots) __builtin_prefetch(&lexicon->slots[hash & lexicon->mask]);
    return hash;
}
static inline void nt_lexicon_approach(const nt_lexicon *lexicon, uint32_t hash) {
    uint32_t piece = lexicon->slots ? lexicon->slots[hash & lexicon->mask].piece : 0;
    if (piece) __builtin_prefetch(&lexicon->pieces[piece - 1]);
}
nt_piece *nt_lexicon_find_hash(const nt_lexicon *lexicon, uint32_t hash, const char *content,
                               size_t n);
/* The piece with this id, or NULL. */
const nt_piece *nt_lexicon_at(const nt_lexicon *lexicon, int64_t id);
void nt_lexicon_free(nt_lexicon *lexicon);

static inline const char *nt_piece_content(const nt_lexicon *lexicon, const nt_piece *piece) {
    return lexicon->text.data + piece->content;
}
static inline const char *nt_piece_bytes(const nt_lexicon *lexicon, const nt_piece *piece) {
    return lexicon->text.data + piece->bytes;
}

#endif
