/* The lexicon: every token's content as the files write it, its bytes, and its id, both ways. */
#ifndef NT_TEXT_LEXICON_H
#define NT_TEXT_LEXICON_H

#include "base/buffer.h"
#include "text/vocab/hash.h"

enum { NT_MAX_ID = (1 << 24) - 1 };

typedef struct nt_piece {
    uint32_t id;
    uint32_t content, n_content; /* span of `text`: as the file writes it, zero-ended */
    uint32_t bytes, n_bytes;     /* span of `text`: what it decodes to, zero-ended */
    uint32_t added;              /* number of its added token + 1, 0 for none */
} nt_piece;

typedef struct nt_lexicon_slot {
    uint32_t piece; /* number + 1, 0 in a free slot */
    uint32_t hash;  /* of its content */
} nt_lexicon_slot;

typedef struct nt_lexicon {
    nt_piece *pieces; /* [n] in the order added */
    size_t n, capacity;
    nt_buffer text;
    nt_lexicon_slot *slots; /* [mask + 1] content -> piece */
    size_t mask;
    uint32_t *by_id; /* [n_ids] id -> piece + 1, 0 for an id without a token */
    size_t n_ids;    /* largest id + 1 */
    size_t ids_capacity;
    uint64_t seed;
} nt_lexicon; /* all zero but for seed is an empty lexicon */

/* Adds a token; bytes follow from content by the byte-level alphabet. where names the file.
 * Errors: FORMAT (the content or the id is there already), MEMORY. */
int nt_lexicon_add(nt_lexicon *lexicon, const char *content, size_t n, uint32_t id,
                   const char *where);
/* The piece with this content, or NULL. */
nt_piece *nt_lexicon_find(const nt_lexicon *lexicon, const char *content, size_t n);
/* The piece with this id, or NULL. */
const nt_piece *nt_lexicon_at(const nt_lexicon *lexicon, int64_t id);
void nt_lexicon_free(nt_lexicon *lexicon);

#endif
