/* Stop strings, found across token borders as transformers' StopStringCriteria finds them: a
 * sequence stops when a stop string occurs in the bytes of prompt + output and ends inside the
 * newest token. */
#ifndef NT_DECODE_STOP_H
#define NT_DECODE_STOP_H

#include "base/buffer.h"
#include "trace/vocab.h"

/* The strings, made ready; sequences share it and keep the place they are at, 0 before the first
 * byte. */
typedef struct nt_stop nt_stop;

/* The strings are copied. Errors: ARGUMENT (an empty string, not UTF-8), MEMORY. */
int nt_stop_new(nt_stop **out, const char *const *strings, size_t n);
void nt_stop_free(nt_stop *stop);

/* Goes from place *at over one token's bytes. Returns 0, or where a string ends inside the token,
 * how many bytes before the end of all bytes so far that string begins (the earliest beginning). */
size_t nt_stop_put(int32_t *at, const nt_stop *stop, const char *bytes, size_t n);

/* How many of the last bytes could still become the beginning of a stop string: text that must
 * be held back while streaming. */
size_t nt_stop_held(const nt_stop *stop, int32_t at);

#endif
