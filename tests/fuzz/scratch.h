/* What fuzz programs share that put files into a folder of their own; and their checks. */
#ifndef NT_TESTS_FUZZ_SCRATCH_H
#define NT_TESTS_FUZZ_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"

#define check(good) check_at(good, #good, __FILE__, __LINE__)
static inline void check_at(bool good, const char *what, const char *file, int line) {
    if (good) return;
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

/* A failure says why, in one line. */
static inline void check_message(int status) {
    const char *message = nt_error_message();
    check(status != NT_OK && *message && !strchr(message, '\n'));
}

/* The bytes before the next zero byte, or all that are left. */
static inline size_t take_section(const uint8_t **section, const uint8_t **bytes, size_t *n) {
    const uint8_t *zero = *n ? memchr(*bytes, 0, *n) : NULL;
    size_t n_section = zero ? (size_t)(zero - *bytes) : *n, taken = n_section + (zero != NULL);
    *section = *bytes;
    *bytes += taken;
    *n -= taken;
    return n_section;
}

/* ---- A folder in memory, removed at the end -------------------------------------------------- */

enum { SCRATCH_MOST = 8 };
static char scratch_top[64], scratch_files[SCRATCH_MOST][256];
static size_t scratch_n;

static void scratch_remove(void) {
    while (scratch_n > 0)
        remove(scratch_files[--scratch_n]);
    rmdir(scratch_top);
}

static inline const char *scratch_folder(void) {
    if (*scratch_top) return scratch_top;
    snprintf(scratch_top, sizeof scratch_top, "%s/fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(scratch_top) != NULL);
    atexit(scratch_remove);
    return scratch_top;
}

/* The path of a file there; good as long as the program. */
static inline const char *scratch_path(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", scratch_folder(), name);
    for (size_t i = 0; i < scratch_n; i++)
        if (strcmp(path, scratch_files[i]) == 0) return scratch_files[i];
    check(scratch_n < SCRATCH_MOST);
    return strcpy(scratch_files[scratch_n++], path);
}

/* The file with these bytes [n]. */
static inline const char *scratch_put(const char *name, const void *bytes, size_t n) {
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    check(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
    return path;
}

/* The same, and no such file where there are no bytes. */
static inline void scratch_put_any(const char *name, const void *bytes, size_t n) {
    if (n)
        scratch_put(name, bytes, n);
    else
        remove(scratch_path(name));
}

#endif
