/* nextoken_hub.h: models by name, from the Hugging Face Hub and its cache. Included by nextoken.h,
 * whose rules hold here too. docs/hub.md tells of names, the cache, the environment and what is
 * sent. */
#include "nextoken.h" /* which includes this file at its place */
#ifndef NEXTOKEN_HUB_H
#    define NEXTOKEN_HUB_H

#    ifdef __cplusplus
extern "C" {
#    endif

/* A name is REPO or OWNER/REPO, and @REVISION (a branch, a tag, a commit) where it is not main:
 * "gpt2", "openai-community/gpt2-large@main". The cache is the one of huggingface_hub: each reads
 * what the other wrote. */

/* One file of a download. */
typedef struct nt_transfer {
    size_t size;
    const char *file;     /* its name in the repo; good during the call */
    uint64_t done, total; /* bytes; total 0: not known yet */
    bool running;         /* bytes are on their way */
    bool finished;        /* it is whole, checked and in the cache */
} nt_transfer;

typedef enum nt_hub_use {
    NT_HUB_CACHED = 0,  /* what the cache holds; the hub where the cache lacks something */
    NT_HUB_REFRESH = 1, /* the hub is asked whether the revision has moved */
    NT_HUB_OFFLINE = 2  /* the cache alone */
} nt_hub_use;

/* Every field that is left at 0 comes from the environment, as huggingface_hub reads it: HF_HOME,
 * HF_HUB_CACHE, HF_TOKEN and its file, HF_ENDPOINT, HF_HUB_OFFLINE (docs/hub.md has them all). */
typedef struct nt_hub_options {
    size_t size;
    const char *cache;    /* the folder with models--* in it */
    const char *endpoint; /* "https://huggingface.co" */
    const char *token;    /* sent to the endpoint alone; "": none */
    nt_hub_use use;
    int parallel;                  /* files at once; 0: 8 */
    int retries;                   /* of a request that brought nothing; 0: 5, -1: none */
    const nt_callbacks *callbacks; /* progress counts bytes; cancel is asked ten times a second */
    /* Called a few times a second with all files of the download. */
    void (*transfers)(void *payload, const nt_transfer *transfers, size_t n);
    void *payload; /* of transfers */
} nt_hub_options;
#    define NT_HUB_OPTIONS_INIT                                                                    \
        { .size = sizeof(nt_hub_options) }

/* The folder of a model that is in the cache, for nt_free; nothing is sent or written.
 * Errors: ARGUMENT (no name of a model), NOT_FOUND (not there, or not whole), IO. */
NT_API int nt_hub_find(char **folder, const char *name, const nt_hub_options *options);

/* Brings a model into the cache: what nt_model_open needs of it, or files [n_files] by their names
 * in the repo (a GGUF file must be named so). Every file is checked against the hash that the hub
 * gives it before it gets its name; one that is broken off goes on where it ended. *folder is for
 * nt_free, and may be NULL where only the download is wanted. Where the hub cannot be reached and
 * the cache has the model, that is what comes out, and a note says so.
 * Errors: as nt_hub_find's, NETWORK (cannot be reached; again later), DENIED (a token is needed, or
 * terms are to be accepted: the page is named), FORMAT (what came is not what the hub announced),
 * UNSUPPORTED (libcurl is not installed), CANCELLED. */
NT_API int nt_hub_pull(char **folder, const char *name, const char *const *files, size_t n_files,
                       const nt_hub_options *options);

/* What the cache holds, or what is wrong in it: one list for both. */
typedef struct nt_hub_list nt_hub_list;

/* One revision of a model in the cache. Strings belong to the list. */
typedef struct nt_hub_entry {
    size_t size;
    const char *name;     /* "openai-community/gpt2" */
    const char *revision; /* the commit, 40 hexadecimal digits */
    const char *refs;     /* "main", or several with ", " between; "" */
    const char *folder;
    uint64_t n_bytes; /* of its files; revisions of a model share those that are equal */
    size_t n_files;
} nt_hub_entry;

/* All models by name, then revision. A cache that is not there is an empty list. Errors: IO. */
NT_API int nt_hub_list_new(nt_hub_list **out, const nt_hub_options *options);
NT_API size_t nt_hub_list_size(const nt_hub_list *list);
/* NULL past the end. */
NT_API const nt_hub_entry *nt_hub_list_entry(const nt_hub_list *list, size_t i);
/* The cache's folder. */
NT_API const char *nt_hub_list_cache(const nt_hub_list *list);
NT_API void nt_hub_list_free(nt_hub_list *list);

/* One thing that is wrong in the cache. */
typedef struct nt_hub_fault {
    size_t size;
    const char *path;
    const char *what; /* one line */
} nt_hub_fault;

typedef struct nt_hub_check {
    size_t size;
    uint64_t n_files, n_bytes; /* whose hash was computed and is right */
    uint64_t n_partial;        /* files of downloads that were broken off: no fault */
    /* Called for each thing that is wrong; its strings are good during the call. */
    void (*fault)(void *payload, const nt_hub_fault *fault);
    void *payload;
    uint64_t n_faults;
} nt_hub_check;
#    define NT_HUB_CHECK_INIT                                                                      \
        { .size = sizeof(nt_hub_check) }

/* Computes the hashes of all files of one model (name NULL: of all) and holds them against their
 * names; looks for links that lead nowhere. NT_OK where things are wrong, too: see n_faults.
 * Errors: NOT_FOUND (the model is not in the cache), IO, CANCELLED. */
NT_API int nt_hub_verify(nt_hub_check *check, const char *name, const nt_hub_options *options);

/* Removes one model with all its revisions, and nothing else; *n_bytes is what that frees. A name
 * with a revision is refused: revisions share files.
 * Errors: NOT_FOUND, ARGUMENT, IO (another process is fetching it; it cannot be removed). */
NT_API int nt_hub_remove(uint64_t *n_bytes, const char *name, const nt_hub_options *options);

#    ifdef __cplusplus
}
#    endif
#endif
