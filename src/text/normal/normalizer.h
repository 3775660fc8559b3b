/* The "normalizer" section of tokenizer.json: a list of changes to the text, in order. */
#ifndef NT_TEXT_NORMALIZER_H
#define NT_TEXT_NORMALIZER_H

#include "base/json.h"
#include "text/normal/form.h"
#include "text/split/pattern.h"

typedef enum nt_normalizer_kind {
    NT_NFC,
    NT_NFD,
    NT_NFKC,
    NT_NFKD,
    NT_PREPEND,
    NT_REPLACE_MATCHES,
    NT_LOWERCASE,
    NT_STRIP,
    NT_STRIP_ACCENTS
} nt_normalizer_kind;

typedef struct nt_normalizer {
    nt_normalizer_kind kind;
    bool left, right;    /* STRIP */
    nt_pattern *pattern; /* REPLACE: what is looked for */
    char *literal;       /* [n_literal] REPLACE: the same where it is a string, else NULL */
    size_t n_literal;
    char *text; /* [n_text] PREPEND, REPLACE: what is put */
    size_t n_text;
} nt_normalizer;

typedef struct nt_normalizers { /* a Sequence is flattened into its parts */
    nt_normalizer *list;        /* [n] */
    size_t n;
} nt_normalizers;

/* From the section's JSON; NULL or null is an empty list. `where` names the file.
 * Errors: FORMAT, UNSUPPORTED (the component is named), MEMORY. */
int nt_normalizers_read(nt_normalizers *out, const json_t *component, const char *where);
void nt_normalizers_free(nt_normalizers *normalizers);

/* Changes the form. An empty text stays empty. Errors: MEMORY; UNSUPPORTED (a match limit, a form
 * of 4 GiB, a normalizer where tokenizers fails: after one that put something before all text). */
int nt_normalize(nt_form *form, const nt_normalizers *normalizers, nt_pattern_work *work);

/* Whether text [n] surely stays as it is: true at once for an empty list, and quick for normal
 * forms of text that has them already. false may also mean: not known. */
bool nt_normalizers_leave(const nt_normalizers *normalizers, const char *text, size_t n);

#endif
