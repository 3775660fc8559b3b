/* Where the cache lies, where the hub is, and who asks: options first, then the environment, as
 * huggingface_hub reads it. */
#ifndef NT_HUB_PLACE_H
#define NT_HUB_PLACE_H

#include "base/arena.h"
#include "nextoken.h"

/* Whom to trust in place of the authorities that the system trusts; all NULL: those. */
typedef struct nt_hub_authorities {
    const char *variable; /* that names them */
    const char *path;
    bool folder; /* of certificates by their hashes, not one file of them */
} nt_hub_authorities;

typedef struct nt_hub_place {
    nt_arena arena;
    const char *cache;
    const char *endpoint;   /* without a slash at its end */
    const char *token;      /* NULL: none */
    const char *token_from; /* "HF_TOKEN", or a file: for messages */
    nt_hub_authorities authorities;
    bool offline, refresh, symlinks;
    const char *forbidden_by; /* the variable of the environment that makes it so; NULL: none */
    int parallel, retries;
    long answer_seconds, silence_seconds; /* to wait for a header; for bytes */
    const nt_callbacks *callbacks;        /* NULL: none */
    nt_hub_options options;               /* as given */
} nt_hub_place;

/* Free *out also when this failed. Errors: ARGUMENT (a value that is none), IO (no home). */
int nt_hub_place_take(nt_hub_place *out, const nt_hub_options *options);
/* Whether the hub can be asked with this endpoint and token: the cache needs neither. Errors:
 * ARGUMENT. */
int nt_hub_place_check(const nt_hub_place *place);
void nt_hub_place_free(nt_hub_place *place);
bool nt_hub_cancelled(const nt_hub_place *place);

#endif
