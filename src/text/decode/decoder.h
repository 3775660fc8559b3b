/* The "decoder" section of tokenizer.json: how the contents of tokens become a text again. */
#ifndef NT_TEXT_DECODER_H
#define NT_TEXT_DECODER_H

#include "base/json.h"
#include "text/split/pattern.h"
#include "text/split/pre_tokenizer.h"
#include "text/vocab/lexicon.h"

enum { NT_MAX_DECODERS = 64 }; /* most in a Sequence, those inside of it counted */

typedef enum nt_decoder_kind {
    NT_DECODE_SPACES, /* no decoder: contents joined by spaces */
    NT_DECODE_BYTE_LEVEL,
    NT_DECODE_METASPACE,
    NT_DECODE_BYTE_FALLBACK,
    NT_DECODE_REPLACE,
    NT_DECODE_FUSE,
    NT_DECODE_STRIP
} nt_decoder_kind;

typedef struct nt_decoder {
    nt_decoder_kind kind;
    nt_pattern *pattern; /* REPLACE: what is looked for, NULL where it is `needle` */
    char *needle;        /* [n_needle], n_needle > 0 */
    uint32_t *border;    /* [n_needle + 1] of each beginning of needle: its longest beginning that
                            is its end too (Knuth, Morris & Pratt 1977) */
    size_t n_needle;
    char *text; /* [n_text] REPLACE: what is put; STRIP: the character */
    size_t n_text;
    size_t start, stop;       /* STRIP: how many at most at either end */
    char replacement[5];      /* METASPACE */
    nt_prepend_scheme scheme; /* METASPACE */
} nt_decoder;

typedef struct nt_decoders { /* a Sequence is flattened into its parts */
    nt_decoder *list;        /* [n]; none: contents joined by spaces, as tokenizers does */
    size_t n;
    uint8_t *plain; /* [n_plain] bits by id: where others stand before it, this token adds its own
                       bytes and leaves no trace; NULL before nt_decoders_spell */
    size_t n_plain;
} nt_decoders;

/* From the section's JSON; NULL or null is none.
 * Errors: FORMAT, UNSUPPORTED (the component is named), MEMORY. */
int nt_decoders_read(nt_decoders *out, const json_t *component, const char *where);
void nt_decoders_free(nt_decoders *decoders);
/* Whether the text is the tokens' bytes one after another, U+FFFD for what is no UTF-8. */
bool nt_decoders_byte_level(const nt_decoders *decoders);

/* Gives every token of the lexicon its own bytes (nt_lexicon_spell): what it adds to a text in
 * which others stand before it. A piece of a character keeps its bytes. */
int nt_decoders_spell(nt_decoders *decoders, nt_lexicon *lexicon);

#endif
