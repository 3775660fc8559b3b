/* Takes one model out of the cache, and of what huggingface_hub keeps for several repos in common
 * what no other needs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "hub/cache.h"
#include "hub/hash.h"
#include "hub/near.h"
#include "hub/walk.h"

enum { DEEPEST = 32, MAX_MANIFEST = 16 << 20 };

typedef struct removal {
    nt_hub_place place;
    nt_arena arena;
    nt_hub_repo repo;
    uint64_t freed;
    const char **shared; /* [n] hashes of blobs in common that its links led to */
    size_t n, capacity;
    int *locks; /* [n_locks] held */
    size_t n_locks, locks_capacity;
} removal;

static int fail_remove(const char *path) {
    return nt_fail(NT_E_IO, "cannot remove %.600s: %s", path, strerror(errno));
}

/* ---- Trees ----------------------------------------------------------------------------------- */

static int remove_tree(removal *r, const char *path, int depth);

static int remove_within(removal *r, const char *folder, int depth) {
    nt_arena arena = {0};
    const char *const *names;
    size_t n;
    if (depth > DEEPEST) return nt_fail(NT_E_IO, "%.600s lies too deep", folder);
    int status = nt_hub_names(&names, &n, &arena, folder);
    for (size_t i = 0; status == NT_OK && i < n; i++) {
        char *path = nt_hub_path("%s/%s", folder, names[i]);
        status = path ? remove_tree(r, path, depth + 1) : NT_E_MEMORY;
        nt_free(path);
    }
    nt_arena_free(&arena);
    return status;
}

/* Links are removed, not followed. */
static int remove_tree(removal *r, const char *path, int depth) {
    struct stat info;
    if (lstat(path, &info) != 0) return errno == ENOENT ? NT_OK : fail_remove(path);
    if (S_ISDIR(info.st_mode)) {
        NT_TRY(remove_within(r, path, depth));
        return rmdir(path) == 0 || errno == ENOENT ? NT_OK : fail_remove(path);
    }
    if (unlink(path) != 0) return fail_remove(path);
    if (S_ISREG(info.st_mode) && info.st_nlink == 1) r->freed += (uint64_t)info.st_size;
    return NT_OK;
}

/* First what leads to the blobs, then the blobs: killed in between, no link leads nowhere. */
static int remove_repo(removal *r) {
    static const char *const parts[] = {"refs", "snapshots", ".no_exist"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *path = nt_hub_path("%s/%s", r->repo.folder, parts[i]);
        int status = path ? remove_tree(r, path, 0) : NT_E_MEMORY;
        nt_free(path);
        NT_TRY(status);
    }
    return remove_tree(r, r->repo.folder, 0);
}

/* ---- Blobs in common ------------------------------------------------------------------------- */

/* Whether a link's target is CACHE/blobs/xx/HASH, written relative or not: its hash, or NULL. */
static const char *shared_hash(const char *target) {
    static const char before[] = "/blobs/xx/";
    size_t n = strlen(target), k = strlen(before);
    if (n < k + 64) return NULL;
    const char *hash = target + n - 64, *blobs = hash - k;
    bool is = nt_hash_kind_of(hash) == NT_SHA256 && strncmp(blobs, before, 7) == 0 &&
              blobs[9] == '/' && strncmp(blobs + 7, hash, 2) == 0;
    return is ? hash : NULL;
}

static int see_shared(void *payload, const char *path, const char *name, const struct stat *info) {
    removal *r = payload;
    char target[1024];
    (void)name;
    if (!S_ISLNK(info->st_mode)) return NT_OK;
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    const char *hash = shared_hash(target);
    if (!hash) return NT_OK;
    void *shared = r->shared;
    NT_TRY(nt_arena_grow(&r->arena, &shared, &r->capacity, r->n + 1, sizeof *r->shared));
    r->shared = shared;
    r->shared[r->n] = nt_arena_copy(&r->arena, hash, 64);
    return r->shared[r->n++] ? NT_OK : NT_E_MEMORY;
}

/* Whether a line of a manifest names a link that still leads to the blob. */
static bool still_needed(const removal *r, const char *line, const char *hash) {
    char target[1024];
    if (strncmp(line, "models--", 8) != 0 && strncmp(line, "datasets--", 10) != 0 &&
        strncmp(line, "spaces--", 8) != 0 && strncmp(line, "kernels--", 9) != 0)
        return *line != 0; /* of a kind that is not known here: kept */
    char *path = nt_hub_path("%s/%s", r->place.cache, line);
    ssize_t n = path ? readlink(path, target, sizeof target - 1) : 0;
    nt_free(path);
    if (!path) return true;
    target[n > 0 ? n : 0] = 0;
    const char *found = shared_hash(target);
    return found && strcmp(found, hash) == 0;
}

static bool any_needed(const removal *r, char *manifest, const char *hash) {
    for (char *line = manifest; *line;) {
        char *end = line + strcspn(line, "\n");
        bool last = *end == 0;
        *end = 0;
        if (still_needed(r, line, hash)) return true;
        line = last ? end : end + 1;
    }
    return false;
}

/* The list of who needs a blob is a hint of huggingface_hub's: without it the blob stays. */
static int sweep(removal *r, const char *hash) {
    char *blob = nt_hub_path("%s/blobs/%.2s/%s", r->place.cache, hash, hash);
    char *manifest = nt_hub_path("%s/blobs/%.2s/%s.refs", r->place.cache, hash, hash);
    char *lock = nt_hub_path("%s/blobs/%.2s/%s.lock", r->place.cache, hash, hash), *lines;
    int status = blob && manifest && lock ? NT_OK : NT_E_MEMORY, fd = -1;
    size_t n;
    if (status == NT_OK) fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        nt_file_read(&lines, &n, manifest, MAX_MANIFEST) == NT_OK) {
        if (!any_needed(r, lines, hash)) {
            status = remove_tree(r, blob, 0);
            unlink(manifest);
        }
        nt_free(lines);
    }
    if (fd >= 0) close(fd);
    nt_free(blob);
    nt_free(manifest);
    nt_free(lock);
    return status;
}

/* ---- Locks ----------------------------------------------------------------------------------- */

static int see_lock(void *payload, const char *path, const char *name, const struct stat *info) {
    removal *r = payload;
    (void)name, (void)info;
    void *locks = r->locks;
    NT_TRY(nt_grow(&locks, &r->locks_capacity, r->n_locks + 1, sizeof *r->locks));
    r->locks = locks;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return NT_OK;
    r->locks[r->n_locks++] = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return NT_OK;
    return nt_fail(NT_E_IO,
                   "another process is fetching this model (it holds %.500s): remove it "
                   "when that has ended",
                   path);
}

static int run_removal(removal *r, const nt_hub_name *name) {
    struct stat info;
    NT_TRY(nt_hub_repo_take(&r->repo, &r->place, name->repo));
    if (lstat(r->repo.folder, &info) != 0) return nt_hub_fail_absent(&r->place, name->repo);
    if (!S_ISDIR(info.st_mode))
        return nt_fail(NT_E_IO, "%.600s is no folder of the cache: it leads elsewhere",
                       r->repo.folder);
    char *blobs = nt_hub_path("%s/blobs", r->repo.folder);
    int status = blobs ? nt_hub_walk(r->repo.locks, see_lock, r) : NT_E_MEMORY;
    if (status == NT_OK) status = nt_hub_walk(blobs, see_shared, r);
    nt_free(blobs);
    if (status == NT_OK) status = remove_repo(r);
    if (status == NT_OK) status = remove_tree(r, r->repo.locks, 0);
    for (size_t i = 0; status == NT_OK && i < r->n; i++)
        status = sweep(r, r->shared[i]);
    return status;
}

int nt_hub_remove(uint64_t *n_bytes, const char *word, const nt_hub_options *options) {
    nt_hub_name name;
    removal r = {0};
    *n_bytes = 0;
    NT_TRY(nt_hub_name_read(&name, word));
    if (name.revised)
        return nt_fail(NT_E_ARGUMENT, "revisions share files: give %s alone, and all of it goes",
                       name.repo);
    int status = nt_hub_place_take(&r.place, options);
    if (status == NT_OK) status = run_removal(&r, &name);
    for (size_t i = 0; i < r.n_locks; i++)
        close(r.locks[i]);
    if (status == NT_OK) *n_bytes = r.freed;
    nt_free(r.locks);
    nt_hub_repo_free(&r.repo);
    nt_arena_free(&r.arena);
    nt_hub_place_free(&r.place);
    return status;
}
