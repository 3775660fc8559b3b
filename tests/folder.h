/* For tests: a folder of their own, files in it, and JSON files with cases. */
#ifndef NT_TESTS_FOLDER_H
#define NT_TESTS_FOLDER_H

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* A fresh folder; its path is good until the next call. */
static inline const char *folder_new(void) {
    static char path[512];
    snprintf(path, sizeof path, "%s/folder-XXXXXX", NT_BINARY_DIR);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline const char *folder_path(const char *folder, const char *name) {
    static char path[4][2048];
    static int turn;
    char *out = path[turn++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static inline void folder_put(const char *folder, const char *name, const void *bytes, size_t n) {
    FILE *file = fopen(folder_path(folder, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void folder_put_text(const char *folder, const char *name, const char *text) {
    folder_put(folder, name, text, strlen(text));
}

/* Entries of a flat folder, "." and ".." not counted. */
static inline size_t folder_count(const char *folder) {
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    size_t n = 0;
    while (readdir(entries))
        n++;
    closedir(entries);
    return n - 2;
}

/* Removes a folder with the files and empty folders in it. */
static inline void folder_remove(const char *folder) {
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    const struct dirent *entry;
    while ((entry = readdir(entries))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(remove(folder_path(folder, entry->d_name)), 0);
    }
    closedir(entries);
    assert_int_equal(rmdir(folder), 0);
}

/* The cases of tests/<name>. */
static inline json_t *cases_load(const char *name) {
    json_error_t error;
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/%s", NT_SOURCE_DIR, name);
    json_t *cases = json_load_file(path, 0, &error);
    if (!cases) fail_msg("%s: %s", path, error.text);
    return cases;
}

/* `cases` for all tests of a program, with what cmocka calls before and after them. */
#define CASES_OF(name)                                                                             \
    static json_t *cases;                                                                          \
    static int load(void **state) {                                                                \
        (void)state;                                                                               \
        cases = cases_load(name);                                                                  \
        return 0;                                                                                  \
    }                                                                                              \
    static int unload(void **state) {                                                              \
        (void)state;                                                                               \
        json_decref(cases);                                                                        \
        return 0;                                                                                  \
    }

static inline const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

/* Bytes from their hexadecimal digits, in memory of exactly their size, so that a sanitizer sees
 * a read past the end. For free. */
static inline unsigned char *bytes_of(size_t *n, const json_t *object, const char *key) {
    const char *hex = text_of(object, key);
    *n = strlen(hex) / 2;
    unsigned char *bytes = malloc(*n ? *n : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < *n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return bytes;
}

#endif
