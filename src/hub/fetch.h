/* One file from the hub into the cache, as a chain of states that several files go through side by
 * side: what the hub says of it, the lock, its bytes, their hash, its name. */
#ifndef NT_HUB_FETCH_H
#define NT_HUB_FETCH_H

#include "hub/cache.h"
#include "hub/hash.h"
#include "hub/http.h"

typedef enum nt_fetch_state {
    NT_FETCH_WAITING, /* to be begun */
    NT_FETCH_ASKING,  /* for its headers */
    NT_FETCH_LOCKING, /* until the lock of its blob is free */
    NT_FETCH_GETTING, /* its bytes */
    NT_FETCH_RESTING, /* before a request is tried again */
    NT_FETCH_HAS,     /* it is in the cache */
    NT_FETCH_LACKS    /* the commit has no such file */
} nt_fetch_state;

/* What all files of a download share. */
typedef struct nt_fetch_job {
    const nt_hub_place *place;
    const char *name;     /* the repo */
    const char *revision; /* as the user has it, for messages */
    nt_hub_repo repo;
    nt_http *http;
    char commit[NT_COMMIT + 1]; /* "": the first answer tells it */
    bool named;                 /* files that the user named: of any size */
    bool fast;                  /* there is something to fall back on: no patience in asking */
} nt_fetch_job;

typedef struct nt_fetch {
    const char *file;
    bool required;               /* that it is missing is an error */
    nt_fetch_state state, again; /* again: what to do after a rest */
    double until;                /* of a rest; of waiting for a lock without a word */
    int tries;                   /* that brought nothing, in a row */
    bool restarted;              /* it came with a wrong hash once */
    bool told;                   /* that another process has the lock */
    char blob[NT_HASH_TEXT];
    uint64_t size, done, best; /* best: bytes before the last failure, at most */
    bool sized;                /* size is known */
    int lock, fd;              /* -1: none */
    nt_hash hash;
    nt_fetch_job *job;
    nt_request request;
} nt_fetch;

/* All zero but file and required: to be begun. */
void nt_fetch_begin(nt_fetch *fetch, nt_fetch_job *job);
/* As far as it goes without waiting. Errors: what ends the download. */
int nt_fetch_step(nt_fetch *fetch);
/* Gives back what it holds; what came so far stays for another time. */
void nt_fetch_end(nt_fetch *fetch);

#endif
