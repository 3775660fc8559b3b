/* Each token's own bytes, and whether they are all that it does to a text. */
#include <string.h>

#include "base/memory.h"
#include "text/decode/chain.h"
#include "text/vocab/byte_level.h"

enum { MOST_BYTES = 1 << 20 }; /* of one token: decoders that each make it longer end here */

typedef struct spelling {
    nt_chain chain;
    nt_buffer bytes, text;
    bool has_byte_level;
} spelling;

/* What a token adds between others, with an end behind it where it leaves a trace: *plain is set
 * when it leaves none. */
static int put_between(bool *plain, nt_buffer *bytes, nt_chain *chain, const nt_lexicon *lexicon,
                       const nt_piece *piece) {
    nt_buffer_clear(bytes);
    chain->out = bytes;
    nt_chain_settle(chain);
    NT_TRY(nt_chain_put_content(chain, nt_piece_content(lexicon, piece), piece->n_content));
    *plain = chain->steady;
    return *plain ? NT_OK : nt_chain_end(chain);
}

static int spell_one(spelling *work, nt_decoders *decoders, nt_lexicon *lexicon, nt_piece *piece) {
    bool plain, ignored;
    nt_buffer *bytes = &work->bytes;
    work->chain.inside = false;
    NT_TRY(put_between(&plain, bytes, &work->chain, lexicon, piece));
    if (!plain || work->has_byte_level) { /* its bytes, even where they are no UTF-8 alone */
        bytes = &work->text;
        work->chain.inside = true;
        NT_TRY(put_between(&ignored, bytes, &work->chain, lexicon, piece));
        plain = plain && bytes->n == work->bytes.n &&
                (bytes->n == 0 || memcmp(bytes->data, work->bytes.data, bytes->n) == 0);
    }
    uint8_t bit = (uint8_t)(1 << piece->id % 8), *bits = &decoders->plain[piece->id / 8];
    *bits = (uint8_t)(plain ? *bits | bit : *bits & ~bit); /* the last of an id that was renamed */
    return nt_lexicon_spell(lexicon, piece, bytes->data ? bytes->data : "", bytes->n);
}

int nt_decoders_spell(nt_decoders *decoders, nt_lexicon *lexicon) {
    if (lexicon->borrowed) return NT_OK; /* spelled when it was built */
    if (nt_decoders_byte_level(decoders)) return nt_byte_level_spell(lexicon);
    nt_free(decoders->plain);
    decoders->n_plain = lexicon->n_ids;
    decoders->plain = nt_alloc(lexicon->n_ids / 8 + 1, 1);
    if (!decoders->plain) return NT_E_MEMORY;
    spelling work = {.bytes.max = MOST_BYTES, .text.max = MOST_BYTES};
    int status = nt_chain_start(&work.chain, decoders);
    for (size_t k = 0; status == NT_OK && k < work.chain.n; k++)
        work.chain.stages[k].kept.max = work.chain.stages[k].out.max = MOST_BYTES;
    for (size_t i = 0; i < decoders->n; i++)
        work.has_byte_level |= decoders->list[i].kind == NT_DECODE_BYTE_LEVEL;
    for (size_t i = 0; i < lexicon->n && status == NT_OK; i++)
        status = spell_one(&work, decoders, lexicon, &lexicon->pieces[i]);
    nt_chain_free(&work.chain);
    nt_buffer_free(&work.bytes);
    nt_buffer_free(&work.text);
    return status;
}
