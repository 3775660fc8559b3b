/* Stop strings, found across token borders as transformers' StopStringCriteria finds them: a
 * sequence stops when a stop string occurs in the bytes of prompt + output and ends inside the
 * newest token. */
#ifndef NT_DECODE_STOP_H
#define NT_DECODE_STOP_H

#include "base/buffer.h"
#include "trace/vocab.h"

typedef struct nt_stop nt_stop;

/* The strings are copied. Errors: ARGUMENT (an empty string, not UTF-8), MEMORY. */
int nt_stop_new(nt_stop **out, const char *const *strings, size_t n);
void nt_stop_free(nt_stop *stop);

/* Appends one token's bytes; *found is true when a string ends inside it, and *cut then how many
 * bytes before the end of all bytes so far that string begins (the earliest beginning). */
int nt_stop_put(bool *found, size_t *cut, nt_stop *stop, const char *bytes, size_t n);

/* How many of the last bytes could still become the beginning of a stop string: text that must
 * be held back while streaming. */
size_t nt_stop_held(const nt_stop *stop);

#endif
