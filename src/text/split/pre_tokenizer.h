/* The "pre_tokenizer" section of tokenizer.json: how a normalized stretch is cut into words. */
#ifndef NT_TEXT_PRE_TOKENIZER_H
#define NT_TEXT_PRE_TOKENIZER_H

#include "text/normal/form.h"
#include "text/split/pattern.h"
#include "text/unicode/ranges.h"

typedef enum nt_pre_tokenizer_kind {
    NT_BYTE_LEVEL,
    NT_SPLIT,
    NT_DIGITS,
    NT_METASPACE,
    NT_WHITESPACE,
    NT_WHITESPACE_SPLIT,
    NT_PUNCTUATION
} nt_pre_tokenizer_kind;

typedef enum nt_behavior {
    NT_REMOVED,
    NT_ISOLATED,
    NT_MERGED_WITH_PREVIOUS,
    NT_MERGED_WITH_NEXT,
    NT_CONTIGUOUS
} nt_behavior;

typedef enum nt_prepend_scheme {
    NT_PREPEND_FIRST,
    NT_PREPEND_NEVER,
    NT_PREPEND_ALWAYS
} nt_prepend_scheme;

typedef struct nt_pre_tokenizer {
    nt_pre_tokenizer_kind kind;
    bool add_prefix_space, use_regex; /* BYTE_LEVEL */
    nt_behavior behavior;             /* what becomes of the matches; not BYTE_LEVEL, METASPACE */
    bool invert;                      /* SPLIT */
    nt_pattern *pattern;              /* SPLIT */
    bool individual;                  /* DIGITS */
    nt_ranges members;                /* DIGITS, PUNCTUATION: what each cuts at, tidy */
    bool split;                       /* METASPACE */
    nt_prepend_scheme scheme;         /* METASPACE */
    char replacement[5];              /* METASPACE: one character, zero-ended */
} nt_pre_tokenizer;

typedef struct nt_pre_tokenizers { /* a Sequence is flattened into its parts */
    nt_pre_tokenizer *list;        /* [n] */
    size_t n;
} nt_pre_tokenizers;

/* From the section's JSON; NULL or null is an empty list: the stretch is one word.
 * Errors: FORMAT, UNSUPPORTED (the component is named), MEMORY. */
int nt_pre_tokenizers_read(nt_pre_tokenizers *out, const json_t *component, const char *where);
void nt_pre_tokenizers_free(nt_pre_tokenizers *pre_tokenizers);

typedef struct nt_split {
    uint32_t start, end; /* bytes [start, end) of the form; never empty */
} nt_split;

typedef struct nt_splits {
    nt_split *list; /* [n] ascending; what a pre-tokenizer removed stands between them */
    size_t n, capacity;
    nt_split *spare; /* the list being written beside it */
    size_t n_spare, spare_capacity;
} nt_splits; /* all zero is empty */

/* Cuts the form into words, and changes it where ByteLevel and Metaspace do: after ByteLevel its
 * characters are those of the byte-level alphabet. Errors: as nt_pattern_search. */
int nt_pre_tokenize(nt_splits *splits, nt_form *form, const nt_pre_tokenizers *pre_tokenizers,
                    nt_pattern_work *work);
void nt_splits_free(nt_splits *splits);

/* The scanner whose words are those of these pre-tokenizers, their bytes taken as they are, when
 * ByteLevel is the last of them; NT_SCAN_NONE when there is none. *add_prefix_space: a space goes
 * before every stretch that starts without one. */
nt_scan_kind nt_pre_tokenizers_scan(bool *add_prefix_space,
                                    const nt_pre_tokenizers *pre_tokenizers);

#endif
