#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

static int fail_errno(const char *what, const char *path) {
    int reason = errno;
    int status = reason == ENOENT || reason == ENOTDIR ? NT_E_NOT_FOUND
                 : reason == ENOMEM                    ? NT_E_MEMORY
                                                       : NT_E_IO;
    return nt_fail(status, "cannot %s %.600s: %s", what, path, strerror(reason));
}

/* Opens a regular file and tells its size. */
static int open_regular(int *fd, size_t *n, const char *path) {
    struct stat info;
    *n = 0;
    /* O_NONBLOCK: a FIFO in the place of a file must not hang us. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) return fail_errno("open", path);
    int status = NT_OK;
    if (fstat(*fd, &info) != 0) {
        status = fail_errno("read", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = nt_fail(NT_E_IO, "cannot read %s: it is %s, not a file", path,
                         S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    } else {
        *n = (size_t)info.st_size;
    }
    if (status != NT_OK) close(*fd);
    return status;
}

int nt_map_open(nt_map *out, const char *path) {
    *out = (nt_map){0};
    int fd;
    size_t n;
    NT_TRY(open_regular(&fd, &n, path));
    int status = NT_OK;
    if (n > 0) {
        void *data = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = fail_errno("map", path);
        } else {
            *out = (nt_map){data, n};
#ifdef MADV_HUGEPAGE
            /* What is not in the page cache yet comes into it in large pieces, where the file
             * system can, and is mapped so by everyone who comes later. May be refused. */
            madvise(data, n, MADV_HUGEPAGE);
#endif
        }
    }
    close(fd);
    return status;
}

void nt_map_forget(const nt_map *map) {
    if (map->data)
        madvise((void *)(uintptr_t)map->data, map->n, MADV_DONTNEED); /* may be refused */
}

void nt_map_close(nt_map *map) {
    if (map->data) munmap((void *)(uintptr_t)map->data, map->n);
    *map = (nt_map){0};
}

int nt_file_read(char **out, size_t *n, const char *path, size_t max) {
    *out = NULL;
    *n = 0;
    int fd;
    size_t size;
    NT_TRY(open_regular(&fd, &size, path));
    int status = NT_OK;
    char *data = NULL;
    size_t got = 0;
    if (size > max) {
        status = nt_fail(NT_E_FORMAT, "%s has %zu bytes; at most %zu are read", path, size, max);
    } else if (!(data = nt_alloc(size + 1, 1))) {
        status = NT_E_MEMORY;
    }
    while (status == NT_OK && got < size) {
        ssize_t some = read(fd, data + got, size - got);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) status = fail_errno("read", path);
        if (some <= 0) break;
        got += (size_t)some;
    }
    close(fd);
    if (status != NT_OK) {
        nt_free(data);
        return status;
    }
    data[got] = 0;
    *out = data;
    *n = got;
    return NT_OK;
}

nt_file_kind nt_file_look(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) return NT_FILE_NONE;
    if (S_ISREG(info.st_mode)) return NT_FILE_REGULAR;
    return S_ISDIR(info.st_mode) ? NT_FILE_FOLDER : NT_FILE_OTHER;
}

char *nt_path_join(const char *folder, const char *name) {
    size_t n = strlen(folder);
    nt_buffer path = {0};
    nt_buffer_puts(&path, folder);
    if (n == 0 || folder[n - 1] != '/') nt_buffer_putc(&path, '/');
    nt_buffer_puts(&path, name);
    char *joined;
    nt_buffer_take(&joined, &n, &path);
    return joined;
}

char *nt_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    nt_buffer folder = {0};
    if (!slash)
        nt_buffer_puts(&folder, ".");
    else if (slash == path)
        nt_buffer_puts(&folder, "/");
    else
        nt_buffer_put(&folder, path, (size_t)(slash - path));
    char *taken;
    size_t n;
    nt_buffer_take(&taken, &n, &folder);
    return taken;
}

char *nt_path_home(const char *path) {
    return nt_file_look(path) == NT_FILE_FOLDER ? nt_path_join(path, "") : nt_path_folder(path);
}

/* ---- Files that get their name when they are whole ------------------------------------------ */

typedef struct draft {
    int fd;
    nt_buffer name; /* under which it lies meanwhile; empty: under none */
} draft;

enum { TRIES = 100, SELF_BYTES = 64, MOST_OF_NAME = 200 };

/* Beside path and named after it, as far as the longest name that there is allows. */
static int next_name(nt_buffer *name, const char *path, int i) {
    const char *slash = strrchr(path, '/');
    size_t start = slash ? (size_t)(slash - path) + 1 : 0;
    nt_buffer_clear(name);
    nt_buffer_put(name, path, start + strnlen(path + start, MOST_OF_NAME));
    nt_buffer_printf(name, ".%ld-%d.tmp", (long)getpid(), i);
    return name->status;
}

static const char *self_of(char self[SELF_BYTES], int fd) {
    snprintf(self, SELF_BYTES, "/proc/self/fd/%d", fd);
    return self;
}

/* A file without a name in path's folder: a killed process leaves nothing behind. *fd is -1 where
 * the file system has none, or nothing could name it later. */
static int open_nameless(int *fd, const char *path) {
    char self[SELF_BYTES];
    char *folder = nt_path_folder(path);
    *fd = folder ? open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666) : -1;
    if (*fd >= 0 && access(self_of(self, *fd), F_OK) != 0) {
        close(*fd);
        *fd = -1;
    }
    nt_free(folder);
    return folder ? NT_OK : NT_E_MEMORY;
}

/* A new file for path, with the rights that the umask leaves to any new file. A path that could not
 * be named in the end is told now. */
static int draft_open(draft *it, const char *path) {
    struct stat info;
    if (!*path || (lstat(path, &info) != 0 && errno != ENOENT)) {
        if (!*path) errno = ENOENT;
        return fail_errno("write", path);
    }
    NT_TRY(open_nameless(&it->fd, path));
    if (it->fd >= 0) return NT_OK;
    for (int i = 0; i < TRIES; i++) {
        NT_TRY(next_name(&it->name, path, i));
        it->fd = open(it->name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (it->fd >= 0) return NT_OK;
        if (errno != EEXIST) break;
    }
    return fail_errno("write", path);
}

/* Puts it in the place of path. A link cannot replace a file, so that one without a name gets one
 * beside path first where there is an old file. */
static int draft_name(draft *it, const char *path) {
    char self[SELF_BYTES];
    bool nameless = it->name.n == 0;
    if (nameless) {
        self_of(self, it->fd);
        if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return NT_OK;
    }
    for (int i = 0; nameless && errno == EEXIST && i < TRIES; i++) {
        NT_TRY(next_name(&it->name, path, i));
        nameless = linkat(AT_FDCWD, self, AT_FDCWD, it->name.data, AT_SYMLINK_FOLLOW) != 0;
    }
    if (!nameless && rename(it->name.data, path) == 0) return NT_OK;
    int status = fail_errno("write", path);
    if (nameless) nt_buffer_clear(&it->name); /* none of the names tried is ours */
    return status;
}

int nt_file_replace(const char *path, int (*fill)(void *payload, int fd), void *payload) {
    char target[PATH_MAX]; /* a link stays a link: what it points to is replaced */
    nt_file_kind kind = nt_file_look(path);
    if (kind == NT_FILE_FOLDER || kind == NT_FILE_OTHER) { /* a rename would put a file there */
        return nt_fail(NT_E_IO, "cannot write %.600s: it is %s, not a file", path,
                       kind == NT_FILE_FOLDER ? "a folder" : "a device or pipe");
    }
    if (realpath(path, target)) path = target;
    draft it = {.fd = -1};
    int status = draft_open(&it, path);
    if (status == NT_OK) {
        status = fill(payload, it.fd);
        if (status == NT_OK && fsync(it.fd) != 0) status = fail_errno("write", path);
        if (status == NT_OK) status = draft_name(&it, path);
        close(it.fd); /* after fsync it has nothing left to tell */
        if (status != NT_OK && it.name.n) unlink(it.name.data);
    }
    nt_buffer_free(&it.name);
    return status;
}

typedef struct content {
    const char *path, *bytes;
    size_t n;
} content;

static int put_content(void *payload, int fd) {
    const content *it = payload;
    for (size_t done = 0; done < it->n;) {
        ssize_t n = write(fd, it->bytes + done, it->n - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail_errno("write", it->path);
        done += (size_t)n;
    }
    return NT_OK;
}

int nt_file_write(const char *path, const char *bytes, size_t n) {
    content it = {path, bytes, n};
    return nt_file_replace(path, put_content, &it);
}
