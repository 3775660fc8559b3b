/* UTF-8, strictly: no surrogates, nothing overlong, nothing above U+10FFFF. */
#ifndef NT_BASE_UTF8_H
#define NT_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Reads the character at bytes [n], n > 0: its length (1 to 4) and *code. A bad sequence gives
 * the length of its maximal subpart (1 to 3) and *code = -1, as Unicode 3.9 (U+FFFD substitution)
 * and Python's errors="replace" count it. If the bytes end inside a character that could still
 * become whole, *code = -2 and the length is n. */
size_t nt_utf8_next(int32_t *code, const char *bytes, size_t n);

/* Writes code as UTF-8 to out [4]; returns its length. */
size_t nt_utf8_put(char *out, int32_t code);

/* Offset of the first byte that is not UTF-8 (an unfinished end counts), or n when all is well. */
size_t nt_utf8_check(const char *bytes, size_t n);

/* Characters that begin in bytes [n], well-formed UTF-8. */
size_t nt_utf8_count(const char *bytes, size_t n);

/* Length of the character that bytes [n] end in the middle of, 0 (none) to 3. */
size_t nt_utf8_unfinished(const char *bytes, size_t n);

/* Appends bytes with U+FFFD for each bad sequence, and for an unfinished end. */
void nt_utf8_append_lossy(nt_buffer *out, const char *bytes, size_t n);

#endif
