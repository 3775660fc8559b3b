/* Whether what the cache holds is what its names say. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "hub/cache.h"
#include "hub/hash.h"
#include "hub/near.h"
#include "hub/walk.h"

enum { PART = 1 << 20 };

typedef struct verifier {
    nt_hub_place place;
    nt_hub_check check;
    char *part; /* [PART] */
    uint64_t done;
} verifier;

static int fault(verifier *v, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fault(verifier *v, const char *path, const char *format, ...) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const nt_hub_fault it = {sizeof it, path, what};
    v->check.n_faults++;
    if (v->check.fault) v->check.fault(v->check.payload, &it);
    return NT_OK;
}

static int told(verifier *v, uint64_t n) {
    const nt_callbacks *callbacks = v->place.callbacks;
    v->done += n;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "bytes", v->done, 0);
    return nt_hub_cancelled(&v->place) ? nt_fail(NT_E_CANCELLED, "stopped") : NT_OK;
}

static int hash_file(char out[NT_HASH_TEXT], verifier *v, int fd, nt_hash_kind kind, uint64_t n) {
    nt_hash hash;
    nt_hash_begin_blob(&hash, kind, n);
    for (;;) {
        ssize_t k = read(fd, v->part, PART);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return nt_fail(NT_E_IO, "cannot be read: %s", strerror(errno));
        if (k == 0) break;
        nt_hash_put(&hash, v->part, (size_t)k);
        NT_TRY(told(v, (uint64_t)k));
    }
    nt_hash_end(out, &hash);
    return NT_OK;
}

static int check_blob(verifier *v, const char *path, const char *name, nt_hash_kind kind) {
    char found[NT_HASH_TEXT];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fault(v, path, "cannot be opened: %s", strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return fault(v, path, "is no file");
    }
    int status = hash_file(found, v, fd, kind, (uint64_t)info.st_size);
    close(fd);
    if (status == NT_E_IO) return fault(v, path, "%s", nt_error_message());
    NT_TRY(status);
    if (strcmp(found, name) != 0)
        return fault(v, path,
                     "holds something else than its name says (its hash is %s): remove "
                     "it, and fetch the model again",
                     found);
    v->check.n_files++;
    v->check.n_bytes += (uint64_t)info.st_size;
    return NT_OK;
}

static int see_blob(void *payload, const char *path, const char *name, const struct stat *info) {
    verifier *v = payload;
    size_t n = strlen(name), k = strlen(".incomplete");
    (void)info;
    if (n > k && strcmp(name + n - k, ".incomplete") == 0) {
        v->check.n_partial++;
        return NT_OK;
    }
    nt_hash_kind kind = nt_hash_kind_of(name);
    if (kind == NT_HASH_NONE)
        return fault(v, path, "has a name that is no hash: cannot be checked");
    return check_blob(v, path, name, kind);
}

static int see_link(void *payload, const char *path, const char *name, const struct stat *info) {
    struct stat content;
    (void)name;
    if (S_ISLNK(info->st_mode) && stat(path, &content) != 0)
        return fault(payload, path, "is a link that leads nowhere: fetch the model again");
    return NT_OK;
}

static int check_repo(verifier *v, const char *entry) {
    char *blobs = nt_hub_path("%s/%s/blobs", v->place.cache, entry);
    char *snapshots = nt_hub_path("%s/%s/snapshots", v->place.cache, entry);
    int status = blobs && snapshots ? nt_hub_walk(blobs, see_blob, v) : NT_E_MEMORY;
    if (status == NT_OK) status = nt_hub_walk(snapshots, see_link, v);
    nt_free(blobs);
    nt_free(snapshots);
    return status;
}

static int check_named(verifier *v, const char *word) {
    nt_hub_name name;
    char folder[NT_HUB_FOLDER];
    NT_TRY(nt_hub_name_read(&name, word));
    nt_hub_folder_name(folder, name.repo);
    char *path = nt_hub_path("%s/%s", v->place.cache, folder);
    if (!path) return NT_E_MEMORY;
    bool there = nt_file_look(path) == NT_FILE_FOLDER;
    nt_free(path);
    if (there) return check_repo(v, folder);
    return nt_hub_fail_absent(&v->place, name.repo);
}

static int check_all(verifier *v) {
    nt_arena arena = {0};
    const char *const *names;
    char repo[NT_HUB_MAX_REPO + 1];
    size_t n;
    int status = nt_hub_names(&names, &n, &arena, v->place.cache);
    for (size_t i = 0; status == NT_OK && i < n; i++)
        if (nt_hub_folder_repo(repo, names[i])) status = check_repo(v, names[i]);
    nt_arena_free(&arena);
    return status;
}

int nt_hub_verify(nt_hub_check *check, const char *name, const nt_hub_options *options) {
    verifier v = {.check = NT_HUB_CHECK_INIT};
    size_t size = check->size;
    NT_TRY(nt_take_options(&v.check, sizeof v.check, check, "nt_hub_check"));
    v.check.n_files = v.check.n_bytes = v.check.n_partial = v.check.n_faults = 0;
    int status = nt_hub_place_take(&v.place, options);
    if (status == NT_OK && !(v.part = nt_alloc(PART, 1))) status = NT_E_MEMORY;
    if (status == NT_OK) status = name ? check_named(&v, name) : check_all(&v);
    nt_free(v.part);
    nt_hub_place_free(&v.place);
    v.check.size = size;
    memcpy(check, &v.check, size < sizeof v.check ? size : sizeof v.check);
    return status;
}
