/* For the tokenizer's tests: the oracle's files (written by tools/oracle/tokenizer.py), its random
 * generator and its hash. */
#ifndef NT_TESTS_TEXT_SUPPORT_H
#define NT_TESTS_TEXT_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/utf8.h"
#include "nextoken.h"

#define GPT2 NT_SOURCE_DIR "/models/gpt2"
#define DATA NT_SOURCE_DIR "/tests/text/data/"

static inline nt_tokenizer *open_tokenizer(const char *path) {
    nt_tokenizer *tokenizer;
    int status = nt_tokenizer_open(&tokenizer, path);
    if (status != NT_OK) fail_msg("%s", nt_error_message());
    return tokenizer;
}

/* The pieces of a stream are whole characters, and together the text. */
static inline void check_stream(nt_stream *stream, const int32_t *ids, size_t n, const char *text,
                                size_t n_text) {
    size_t at = 0;
    for (size_t i = 0; i <= n; i++) {
        const char *piece;
        size_t n_piece;
        int status = i < n ? nt_stream_put(&piece, &n_piece, stream, ids[i])
                           : nt_stream_end(&piece, &n_piece, stream);
        assert_int_equal(status, NT_OK);
        assert_int_equal(nt_utf8_check(piece, n_piece), n_piece);
        assert_in_range(n_piece, 0, n_text - at);
        assert_memory_equal(piece, text + at, n_piece);
        assert_int_equal(piece[n_piece], 0);
        at += n_piece;
    }
    assert_int_equal(at, n_text);
}

/* FNV-1a over whole numbers, and its 32-bit form. */
#define FNV_START 0xCBF29CE484222325u
static inline uint64_t fnv(uint64_t hash, uint64_t number) {
    return (hash ^ number) * 0x100000001B3u;
}

static inline uint32_t fold(uint64_t hash) {
    return (uint32_t)(hash ^ hash >> 32);
}

static inline uint64_t draw(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A file of the oracle, unpacked, read from front to back. */
typedef struct oracle {
    unsigned char *bytes;
    size_t n, at;
} oracle;

static inline oracle oracle_open(const char *path) {
    oracle file = {0};
    gzFile in = gzopen(path, "rb");
    assert_non_null(in);
    const size_t capacity = 64 << 20;
    file.bytes = malloc(capacity);
    assert_non_null(file.bytes);
    int n = gzread(in, file.bytes, (unsigned)capacity);
    assert_in_range(n, 1, capacity - 1);
    assert_int_equal(gzclose(in), Z_OK);
    file.n = (size_t)n;
    return file;
}

static inline void oracle_close(oracle *file) {
    assert_int_equal(file->at, file->n); /* all of it was compared */
    free(file->bytes);
}

static inline uint64_t oracle_number(oracle *file) {
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
        assert_in_range(file->at, 0, file->n - 1);
        unsigned char byte = file->bytes[file->at++];
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return number;
    }
}

static inline const char *oracle_bytes(oracle *file, size_t n) {
    assert_in_range(n, 0, file->n - file->at);
    const char *bytes = (const char *)file->bytes + file->at;
    file->at += n;
    return bytes;
}

static inline uint32_t oracle_hash(oracle *file) {
    const unsigned char *b = (const unsigned char *)oracle_bytes(file, 4);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

#endif
