/* The "post_processor", "truncation" and "padding" sections of tokenizer.json: what stands around
 * the tokens of a text, and how long the whole may be. */
#ifndef NT_TEXT_POST_H
#define NT_TEXT_POST_H

#include "base/json.h"
#include "nextoken.h"
#include "text/tokens.h"
#include "text/vocab/lexicon.h"

enum { NT_TEMPLATE_A = -1, NT_TEMPLATE_B = -2 }; /* in place of an id: the tokens of a text */

typedef struct nt_template_part {
    int32_t id;
    uint32_t type; /* type id */
} nt_template_part;

typedef struct nt_post {
    nt_template_part *single, *pair; /* [n]; read only where templated, else A, and A B */
    size_t n_single, n_pair;
    bool templated;        /* the file gives a template */
    bool types_of_windows; /* its type ids hold in further windows too; tokenizers keeps 0 and 1 in
                              those where the template is a TemplateProcessing */
    bool trim_offsets;     /* white space at the ends of a token left out of its offsets ... */
    bool add_prefix_space; /* ... but for what add_prefix_space put there */
} nt_post;                 /* all zero: no post-processor */

typedef struct nt_truncation {
    bool on;
    size_t max_length, stride;
    bool left; /* cut at the left */
    enum { NT_LONGEST_FIRST, NT_ONLY_FIRST, NT_ONLY_SECOND } strategy;
} nt_truncation;

typedef struct nt_padding {
    bool on;
    size_t length;   /* 0: as long as the longest of the batch */
    size_t multiple; /* 0: any length */
    bool left;
    int32_t id;
    uint32_t type;
} nt_padding;

/* From a section's JSON, NULL or null for none. Errors: FORMAT, UNSUPPORTED (the component is
 * named), MEMORY. */
int nt_post_read(nt_post *out, const json_t *component, const nt_lexicon *lexicon,
                 const char *where);
int nt_truncation_read(nt_truncation *out, const json_t *component, const char *where);
int nt_padding_read(nt_padding *out, const json_t *component, const char *where);
void nt_post_free(nt_post *post);

/* A template of special tokens around the texts: -1 for each that is left out. Used where classes
 * of transformers make one; type ids 0 and 1. */
int nt_post_surround(nt_post *post, int32_t bos, int32_t eos);

/* Tokens that the template puts around one text (pair: two). */
size_t nt_post_added(const nt_post *post, bool pair);

/* What nt_assemble works from. */
typedef struct nt_assembly {
    const nt_post *post;
    const nt_truncation *truncation; /* NULL or not on: whole */
    const nt_tokens *a, *b;          /* of the text and, unless NULL, of its pair */
    const char *text_a, *text_b;     /* for trim */
    const nt_lexicon *lexicon;       /* for trim */
    bool special;                    /* put the template's tokens */
    int32_t bos; /* one more token before all, unless it stands there: -1 none */
    bool trim, marks, words;
} nt_assembly;

/* Cuts, surrounds and hands over: *out is yours (nt_encoding_free), with its further windows.
 * Errors: ARGUMENT (the truncation cannot be followed), UNSUPPORTED (a template for two that lacks
 * one), MEMORY. */
int nt_assemble(nt_encoding **out, const nt_assembly *assembly);

/* Makes an encoding of tokens as they are; it takes their arrays, and they are empty then. */
int nt_encoding_take(nt_encoding **out, nt_tokens *tokens);
/* Its ids for the caller, who frees them with nt_free: the array itself where the encoding took it
 * (its ids are NULL then), else a copy. NULL when memory ends. */
int32_t *nt_encoding_ids(nt_encoding *encoding);

/* Pads encodings [n] and their further windows to one length; each is replaced where it grows. */
int nt_pad(nt_encoding **encodings, size_t n, const nt_padding *padding);

#endif
