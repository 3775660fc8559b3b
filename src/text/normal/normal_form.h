/* The normal forms of Unicode (UAX #15) over a form, with the alignments that tokenizers gives. */
#ifndef NT_TEXT_NORMAL_FORM_H
#define NT_TEXT_NORMAL_FORM_H

#include "text/normal/form.h"
#include "text/normal/normalizer.h"

/* Changes the form to the normal form `kind`, NT_NFC to NT_NFKD; linear in its length.
 * Errors: MEMORY, UNSUPPORTED (nt_form_done). */
int nt_normal_form(nt_form *form, nt_normalizer_kind kind);

/* Where text [n], well-formed UTF-8, may first differ from its normal form; n when it does not. */
size_t nt_normal_form_leaves(nt_normalizer_kind kind, const char *text, size_t n);

/* Where the first character at or after `at` stands that has the flag, NT_ACCENT or NT_CAPITAL; n
 * when there is none. */
size_t nt_normal_find(const char *text, size_t n, size_t at, unsigned flag);

#endif
