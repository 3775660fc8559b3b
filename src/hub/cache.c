#include "hub/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

static int fail_path(const char *what, const char *path) {
    int reason = errno;
    if (reason == EACCES || reason == EROFS || reason == EPERM)
        return nt_fail(NT_E_IO, "cannot %s %.600s: %s; HF_HOME names another folder for the cache",
                       what, path, strerror(reason));
    return nt_fail(NT_E_IO, "cannot %s %.600s: %s", what, path, strerror(reason));
}

char *nt_hub_path(const char *format, ...) {
    char *path;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    path = n < 0 ? NULL : nt_alloc((size_t)n + 1, 1);
    if (!path) return NULL;
    va_start(args, format);
    vsnprintf(path, (size_t)n + 1, format, args);
    va_end(args);
    return path;
}

void nt_hub_folder_name(char out[NT_HUB_FOLDER], const char *repo) {
    size_t n = strlen(strcpy(out, "models--"));
    for (; *repo; repo++) {
        out[n++] = *repo == '/' ? '-' : *repo;
        if (*repo == '/') out[n++] = '-';
    }
    out[n] = 0;
}

bool nt_hub_folder_repo(char out[NT_HUB_MAX_REPO + 1], const char *folder) {
    if (strncmp(folder, "models--", 8) != 0) return false;
    size_t n = 0;
    for (const char *at = folder + 8; *at; at++) {
        if (n == NT_HUB_MAX_REPO) return false;
        bool slash = at[0] == '-' && at[1] == '-';
        out[n++] = slash ? '/' : *at;
        if (slash) at++;
    }
    out[n] = 0;
    return n > 0;
}

int nt_hub_repo_take(nt_hub_repo *out, const nt_hub_place *place, const char *repo) {
    char name[NT_HUB_FOLDER];
    nt_hub_folder_name(name, repo);
    *out = (nt_hub_repo){place, nt_hub_path("%s/%s", place->cache, name),
                         nt_hub_path("%s/.locks/%s", place->cache, name)};
    if (out->folder && out->locks) return NT_OK;
    nt_hub_repo_free(out);
    return NT_E_MEMORY;
}

void nt_hub_repo_free(nt_hub_repo *repo) {
    nt_free(repo->folder);
    nt_free(repo->locks);
    *repo = (nt_hub_repo){0};
}

/* ---- What is known --------------------------------------------------------------------------- */

int nt_hub_commit_of(char out[NT_COMMIT + 1], const nt_hub_repo *repo, const char *revision) {
    out[0] = 0;
    if (nt_hub_is_commit(revision)) {
        strcpy(out, revision);
        return NT_OK;
    }
    char text[NT_COMMIT + 2] = "", *path = nt_hub_path("%s/refs/%s", repo->folder, revision);
    if (!path) return NT_E_MEMORY;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    nt_free(path);
    if (fd < 0) return NT_OK;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n > 0 && text[n - 1] == '\n') text[n - 1] = 0;
    if (nt_hub_is_commit(text)) strcpy(out, text);
    return NT_OK;
}

int nt_hub_knows(nt_hub_known *out, const nt_hub_repo *repo, const char *commit, const char *file) {
    char *there = nt_hub_path("%s/snapshots/%s/%s", repo->folder, commit, file);
    char *lacks = nt_hub_path("%s/.no_exist/%s/%s", repo->folder, commit, file);
    int status = there && lacks ? NT_OK : NT_E_MEMORY;
    *out = NT_HUB_UNKNOWN;
    if (status == NT_OK && nt_file_look(there) == NT_FILE_REGULAR)
        *out = NT_HUB_HAS;
    else if (status == NT_OK && nt_file_look(lacks) == NT_FILE_REGULAR)
        *out = NT_HUB_LACKS;
    nt_free(there);
    nt_free(lacks);
    return status;
}

/* ---- Writing --------------------------------------------------------------------------------- */

int nt_hub_make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) {
        if (nt_file_look(path) == NT_FILE_FOLDER) return NT_OK;
        return nt_fail(NT_E_IO, "%.600s is no folder", path);
    }
    if (errno != ENOENT || !strchr(path + (*path != 0), '/')) return fail_path("make", path);
    NT_TRY(nt_hub_make_room(path));
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return NT_OK;
    return fail_path("make", path);
}

int nt_hub_make_room(const char *file) {
    char *folder = nt_path_folder(file);
    int status = folder ? nt_hub_make_folder(folder) : NT_E_MEMORY;
    nt_free(folder);
    return status;
}

/* A small file whole or not at all; it may be another process's in the meantime. */
static int put_file(const char *path, const char *bytes) {
    NT_TRY(nt_hub_make_room(path));
    return nt_file_write(path, bytes, strlen(bytes));
}

int nt_hub_set_ref(const nt_hub_repo *repo, const char *revision, const char *commit) {
    char now[NT_COMMIT + 1];
    NT_TRY(nt_hub_commit_of(now, repo, revision));
    if (strcmp(now, commit) == 0) return NT_OK;
    char *path = nt_hub_path("%s/refs/%s", repo->folder, revision);
    int status = path ? put_file(path, commit) : NT_E_MEMORY;
    nt_free(path);
    return status;
}

int nt_hub_set_lacks(const nt_hub_repo *repo, const char *commit, const char *file) {
    char *path = nt_hub_path("%s/.no_exist/%s/%s", repo->folder, commit, file);
    int status = path ? nt_hub_make_room(path) : NT_E_MEMORY;
    if (status == NT_OK) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            status = fail_path("write", path);
        else
            close(fd);
    }
    nt_free(path);
    return status;
}

/* "../../blobs/HASH" as seen from the snapshot, with one ".." more for each folder in file. */
static char *target_of(const char *file, const char *blob) {
    nt_buffer target = {0};
    for (const char *at = file; *at; at++)
        if (*at == '/') nt_buffer_puts(&target, "../");
    nt_buffer_printf(&target, "../../blobs/%s", blob);
    char *taken;
    size_t n;
    nt_buffer_take(&taken, &n, &target);
    return taken;
}

/* Puts a link in the place of whatever is there. */
static int replace_link(const char *path, const char *target) {
    char *draft = nt_hub_path("%s.%ld.tmp", path, (long)getpid());
    if (!draft) return NT_E_MEMORY;
    int status = NT_OK;
    unlink(draft);
    if (symlink(target, draft) != 0 || rename(draft, path) != 0) {
        status = fail_path("write", path);
        unlink(draft);
    }
    nt_free(draft);
    return status;
}

static int put_link(const char *path, const char *target, const char *blob, bool symlinks) {
    if (symlinks) {
        if (symlink(target, path) == 0) return NT_OK;
        if (errno == EEXIST) return replace_link(path, target);
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
            return fail_path("write", path);
    }
    return rename(blob, path) == 0 ? NT_OK : fail_path("write", path);
}

int nt_hub_link(const nt_hub_repo *repo, const char *commit, const char *file, const char *blob) {
    char *path = nt_hub_path("%s/snapshots/%s/%s", repo->folder, commit, file);
    char *content = nt_hub_path("%s/blobs/%s", repo->folder, blob);
    char *target = target_of(file, blob);
    int status = path && content && target ? nt_hub_make_room(path) : NT_E_MEMORY;
    if (status == NT_OK) status = put_link(path, target, content, repo->place->symlinks);
    nt_free(target);
    nt_free(content);
    nt_free(path);
    return status;
}

int nt_hub_lock(int *fd, const nt_hub_repo *repo, const char *blob) {
    *fd = -1;
    char *path = nt_hub_path("%s/%s.lock", repo->locks, blob);
    int status = path ? nt_hub_make_room(path) : NT_E_MEMORY;
    struct stat info;
    while (status == NT_OK && *fd < 0) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0664);
        if (*fd < 0) {
            status = fail_path("write", path);
        } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            bool held = errno == EWOULDBLOCK;
            if (!held && errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP)
                status = fail_path("lock", path);
            if (held || status != NT_OK) {
                close(*fd);
                *fd = -1;
                break;
            }
        } else if (fstat(*fd, &info) == 0 && info.st_nlink == 0) {
            close(*fd); /* whoever had it took it away: another lies there by now */
            *fd = -1;
        }
    }
    nt_free(path);
    return status;
}

void nt_hub_unlock(int fd) {
    if (fd >= 0) close(fd);
}

void nt_hub_tag(const nt_hub_place *place) {
    static const char text[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                               "# This folder is a cache of models, shared with huggingface_hub.\n"
                               "# See https://bford.info/cachedir/\n";
    char *path = nt_hub_path("%s/CACHEDIR.TAG", place->cache);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (fd >= 0) {
        ssize_t n = write(fd, text, sizeof text - 1); /* without it all works as well */
        (void)n;
        close(fd);
    }
    nt_free(path);
}
