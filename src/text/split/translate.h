/* From Oniguruma's syntax, as tokenizers uses it (UTF-8, ^ and $ at every line), to PCRE2's:
 * classes and properties are written out as ranges from the oracle's Unicode tables. */
#ifndef NT_TEXT_TRANSLATE_H
#define NT_TEXT_TRANSLATE_H

#include "base/buffer.h"

/* Appends what PCRE2 is to compile, with PCRE2_UTF, PCRE2_MULTILINE and PCRE2_DOTALL, for regex
 * [n]. Errors: FORMAT (not a regex), UNSUPPORTED (what cannot be said to PCRE2), both with the
 * place, MEMORY. */
int nt_translate(nt_buffer *out, const char *regex, size_t n, const char *where);

#endif
