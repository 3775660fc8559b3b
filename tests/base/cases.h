/* For tests: the cases of tests/base/data/base_cases.json, and a hash to compare long results. */
#ifndef NT_TESTS_BASE_CASES_H
#define NT_TESTS_BASE_CASES_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline json_t *base_cases(void) {
    json_error_t error;
    json_t *cases = json_load_file(NT_SOURCE_DIR "/tests/base/data/base_cases.json", 0, &error);
    if (!cases) fail_msg("%s", error.text);
    return cases;
}

/* Bytes from hexadecimal digits, in memory of exactly their size; for free. */
static inline char *from_hex(size_t *n, const char *hex) {
    *n = strlen(hex) / 2;
    char *bytes = malloc(*n ? *n : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < *n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return bytes;
}

static inline uint64_t fnv(uint64_t hash, const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001B3u;
    return hash;
}

#define FNV_START 0xCBF29CE484222325u

#endif
