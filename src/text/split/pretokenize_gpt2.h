/* GPT-2's pre-tokenizer: where a text is cut before BPE, which never merges across a cut. */
#ifndef NT_TEXT_PRETOKENIZE_GPT2_H
#define NT_TEXT_PRETOKENIZE_GPT2_H

#include <stddef.h>

/* Length of the first match, at the start of text [n], n > 0, well-formed UTF-8, of
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * which always matches there. The end of text [n] counts as the end of the text. */
size_t nt_gpt2_next(const char *text, size_t n);

#endif
