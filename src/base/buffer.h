/* A growing byte buffer with a ceiling and a sticky status: write a series, check once. */
#ifndef NT_BASE_BUFFER_H
#define NT_BASE_BUFFER_H

#include <stddef.h>

#include "base/status.h"

typedef struct nt_buffer {
    char *data; /* [n], then a zero byte once anything was written */
    size_t n, capacity;
    size_t max; /* most bytes that it may hold; 0: NT_BUFFER_MAX */
    int status; /* first failure; later writes do nothing */
} nt_buffer;    /* all zero is an empty buffer */

enum { NT_BUFFER_MAX = 1 << 30 };

void nt_buffer_put(nt_buffer *buffer, const char *bytes, size_t n);
void nt_buffer_puts(nt_buffer *buffer, const char *zero_ended);
void nt_buffer_putc(nt_buffer *buffer, char c);
void nt_buffer_printf(nt_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for n more bytes, to be written at data + n by the caller, who then raises n. */
int nt_buffer_room(nt_buffer *buffer, size_t n);
/* Empties it and keeps the memory; a sticky failure stays. */
void nt_buffer_clear(nt_buffer *buffer);
void nt_buffer_free(nt_buffer *buffer);
/* Hands the bytes over, zero-ended, for nt_free; the buffer is empty afterwards. Returns its
 * status; on failure *out is NULL. */
int nt_buffer_take(char **out, size_t *n, nt_buffer *buffer);

#endif
