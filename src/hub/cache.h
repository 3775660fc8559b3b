/* The cache on disk, as huggingface_hub lays it out:
 *   models--OWNER--REPO/blobs/HASH               a file's content
 *   models--OWNER--REPO/refs/REVISION            the commit that a branch or tag stood at
 *   models--OWNER--REPO/snapshots/COMMIT/FILE    a link to its blob
 *   models--OWNER--REPO/.no_exist/COMMIT/FILE    empty: the commit has no such file
 *   .locks/models--OWNER--REPO/HASH.lock         flock(2) around the making of a blob
 * A blob may be a link into blobs/ of the cache itself, where huggingface_hub keeps what several
 * repos share. */
#ifndef NT_HUB_CACHE_H
#define NT_HUB_CACHE_H

#include <stdbool.h>

#include "hub/name.h"
#include "hub/place.h"

/* A path from a format, for nt_free; NULL when memory ends. */
char *nt_hub_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "models--openai-community--gpt2" */
enum { NT_HUB_FOLDER = NT_HUB_MAX_REPO + 16 };
void nt_hub_folder_name(char out[NT_HUB_FOLDER], const char *repo);
/* And back; false for a folder that holds no model. */
bool nt_hub_folder_repo(char out[NT_HUB_MAX_REPO + 1], const char *folder);

/* One model's place in the cache. */
typedef struct nt_hub_repo {
    const nt_hub_place *place;
    char *folder; /* CACHE/models--... */
    char *locks;  /* CACHE/.locks/models--... */
} nt_hub_repo;
int nt_hub_repo_take(nt_hub_repo *out, const nt_hub_place *place, const char *repo);
void nt_hub_repo_free(nt_hub_repo *repo);

/* The commit of a revision: itself, or what refs/ says; "" where nothing is known of it. */
int nt_hub_commit_of(char out[NT_COMMIT + 1], const nt_hub_repo *repo, const char *revision);

typedef enum nt_hub_known {
    NT_HUB_UNKNOWN,
    NT_HUB_HAS,   /* it is there */
    NT_HUB_LACKS, /* the commit has no such file */
} nt_hub_known;
int nt_hub_knows(nt_hub_known *out, const nt_hub_repo *repo, const char *commit, const char *file);

/* What follows writes, and fails with IO where it cannot. */

/* The folder and those above it. */
int nt_hub_make_folder(const char *path);
/* The folder that a file is to lie in, and those above it. */
int nt_hub_make_room(const char *file);
/* refs/REVISION, whole or not at all, where it says something else. */
int nt_hub_set_ref(const nt_hub_repo *repo, const char *revision, const char *commit);
int nt_hub_set_lacks(const nt_hub_repo *repo, const char *commit, const char *file);
/* snapshots/COMMIT/FILE -> the blob. Where there are no links the blob itself goes there. */
int nt_hub_link(const nt_hub_repo *repo, const char *commit, const char *file, const char *blob);

/* Takes the lock of a blob without waiting; *fd is -1 where another process has it. */
int nt_hub_lock(int *fd, const nt_hub_repo *repo, const char *blob);
void nt_hub_unlock(int fd);

/* Marks the cache as one for programs that make backups. */
void nt_hub_tag(const nt_hub_place *place);

#endif
