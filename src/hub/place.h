/* Where the cache lies, where the hub is, and who asks: options first, then the environment, as
 * huggingface_hub reads it. */
#ifndef NT_HUB_PLACE_H
#define NT_HUB_PLACE_H

#include "base/arena.h"
#include "nextoken.h"

typedef struct nt_hub_place {
    nt_arena arena;
    const char *cache;
    const char *endpoint;    /* without a slash at its end */
    const char *token;       /* NULL: none */
    const char *authorities; /* file of certificates; NULL: the system's */
    bool offline, refresh, symlinks;
    int parallel, retries;
    long answer_seconds, silence_seconds; /* to wait for a header; for bytes */
    const nt_callbacks *callbacks;        /* NULL: none */
    nt_hub_options options;               /* as given */
} nt_hub_place;

/* Free *out also when this failed. Errors: ARGUMENT (a value that is none), IO (no home). */
int nt_hub_place_take(nt_hub_place *out, const nt_hub_options *options);
void nt_hub_place_free(nt_hub_place *place);

/* Hands one line to the note callback. */
void nt_hub_note(const nt_hub_place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool nt_hub_cancelled(const nt_hub_place *place);

#endif
