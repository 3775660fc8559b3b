#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

static int fail_errno(const char *what, const char *path) {
    int reason = errno;
    return nt_fail(reason == ENOENT || reason == ENOTDIR ? NT_E_NOT_FOUND : NT_E_IO,
                   "cannot %s %s: %s", what, path, strerror(reason));
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
        }
    }
    close(fd);
    return status;
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

int nt_file_replace(const char *path, int (*fill)(void *payload, FILE *file), void *payload) {
    nt_buffer name = {0};
    nt_buffer_printf(&name, "%s.XXXXXX", path);
    if (name.status != NT_OK) return name.status;
    int status;
    FILE *file = NULL;
    int fd = mkstemp(name.data);
    if (fd >= 0) {
        mode_t mask = umask(0); /* mkstemp makes 0600; the result should be as any new file */
        umask(mask);
        fchmod(fd, 0666 & ~mask);
        file = fdopen(fd, "wb");
    }
    if (!file) {
        status = fail_errno("write", path);
        if (fd >= 0) close(fd);
    } else {
        status = fill(payload, file);
        bool written = fflush(file) == 0 && fsync(fd) == 0;
        if (!written && status == NT_OK) status = fail_errno("write", path);
        if (fclose(file) != 0 && status == NT_OK) status = fail_errno("write", path);
        if (status == NT_OK && rename(name.data, path) != 0) status = fail_errno("write", path);
    }
    if (status != NT_OK && fd >= 0) unlink(name.data);
    nt_buffer_free(&name);
    return status;
}
