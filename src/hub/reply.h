/* What a server answers, from the lines of its headers. */
#ifndef NT_HUB_REPLY_H
#define NT_HUB_REPLY_H

#include <stddef.h>
#include <stdint.h>

enum { NT_HEADER = 256, NT_LOCATION = 8192 };

/* "" and -1 where a header is missing, is longer than any that makes sense, or is no number. */
typedef struct nt_reply {
    long code; /* 200; 0: nothing came */
    char commit[NT_HEADER], etag[NT_HEADER], linked_etag[NT_HEADER];
    char error_code[NT_HEADER], error_message[NT_HEADER];
    int64_t length, linked_size, range_start, range_total;
    int64_t retry_after;
    char location[NT_LOCATION];
} nt_reply;

void nt_reply_clear(nt_reply *reply);
/* Takes in a header line [n], its line break included or not; a status line begins a new answer.
 * Fuzz entry. */
void nt_reply_line(nt_reply *reply, const char *line, size_t n);

#endif
