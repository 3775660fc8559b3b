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

/* A text's pointer and its length. Errors: ARGUMENT. */
int nt_encode_check(const char *text, size_t n);
/* Appends the tokens of bytes [start, end) of text [n], which begin and end where it may be cut,
 * and checks them: piece by piece, while a piece is near, if the text `may_cut`. Errors: TEXT, and
 * those of nt_tokens_of_text. */
int nt_encode_stretch(nt_tokens *out, const nt_encode_plan *plan, nt_text_work *work,
                      const char *text, size_t n, size_t start, size_t end, bool may_cut);

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
