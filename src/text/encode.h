/* What nt_encode and encoders share: options made ready, a text checked, tokens handed over. */
#ifndef NT_TEXT_ENCODE_H
#define NT_TEXT_ENCODE_H

#include "text/tokenizer.h"

/* The options of a call against what the tokenizer's files say. */
typedef struct nt_encode_plan {
    const nt_tokenizer *tokenizer;
    nt_encode_options options;
    nt_truncation truncation;
    nt_padding padding;
    bool special; /* put the template's tokens */
    int32_t bos;  /* -1: none */
} nt_encode_plan;

/* Errors: ARGUMENT (no BOS, no padding token, bad options). */
int nt_encode_plan_make(nt_encode_plan *plan, const nt_tokenizer *tokenizer,
                        const nt_encode_options *options);

/* Whether bytes [start, end) of a text are UTF-8. Errors: TEXT. */
int nt_encode_check(const char *text, size_t start, size_t end);
/* And all of it, with its pointer and its length. Errors: ARGUMENT besides. */
int nt_encode_check_text(const char *text, size_t n);

/* Whether white space is left out of offsets, where they are wanted. */
bool nt_encode_trims(const nt_encode_plan *plan);

/* Whether nothing stands around these tokens, and nothing is cut: they are the encoding, but for
 * padding. */
bool nt_encode_is_plain(const nt_encode_plan *plan, const nt_tokens *tokens);

/* Tokens of text a, and of its pair b unless NULL -> what nt_encoder_run hands out, not padded.
 * Arrays of plain tokens are taken when `take`. */
int nt_encode_finish(nt_encoding **out, const nt_encode_plan *plan, nt_tokens *a, nt_tokens *b,
                     const char *text_a, const char *text_b, bool take);

#endif
