/* GPT-2's way to write any byte as a printable character: printable Latin-1 stands for itself,
 * the other 68 bytes for U+0100 .. U+0143. Space is "Ġ", newline "Ċ". */
#ifndef NT_TEXT_BYTE_LEVEL_H
#define NT_TEXT_BYTE_LEVEL_H

#include "text/vocab/lexicon.h"

/* Writes the character of a byte to out [2]; returns its length. */
size_t nt_byte_level_char(char out[2], uint8_t byte);

/* Appends the bytes that a token's content [n] stands for. As in tokenizers' decoder, content with
 * any character outside the alphabet stands for itself as it is. */
void nt_byte_level_decode(nt_buffer *out, const char *content, size_t n);
/* Spells every token of a lexicon so (nt_lexicon_spell). */
int nt_byte_level_spell(nt_lexicon *lexicon);

#endif
