/* GGUF files in memory, made value by value, right or wrong. */
#ifndef NT_TESTS_FORMAT_GGUF_FILE_H
#define NT_TESTS_FORMAT_GGUF_FILE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/gguf.h"

enum { GGUF_FILE_MAX = 1 << 15 };

typedef struct gguf_file {
    unsigned char bytes[GGUF_FILE_MAX];
    size_t n;
    size_t n_tensors_at, n_values_at;
} gguf_file;

static inline void put_bytes(gguf_file *f, const void *bytes, size_t n) {
    if (f->n + n > GGUF_FILE_MAX) abort();
    if (n) memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static inline void put_number(gguf_file *f, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(i < 8 ? value >> (8 * i) : 0);
        put_bytes(f, &byte, 1);
    }
}

static inline void put_text(gguf_file *f, const char *text) {
    put_number(f, strlen(text), 8);
    put_bytes(f, text, strlen(text));
}

static inline void set_number(gguf_file *f, size_t at, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        f->bytes[at + i] = (unsigned char)(value >> (8 * i));
}

static inline void raise_count(gguf_file *f, size_t at) {
    f->bytes[at]++;
}

static inline void gguf_begin(gguf_file *f, uint32_t version) {
    f->n = 0;
    put_bytes(f, "GGUF", 4);
    put_number(f, version, 4);
    f->n_tensors_at = f->n;
    put_number(f, 0, 8);
    f->n_values_at = f->n;
    put_number(f, 0, 8);
}

/* A key and its type; what it holds is put behind it. */
static inline void put_key(gguf_file *f, const char *key, uint32_t type) {
    put_text(f, key);
    put_number(f, type, 4);
    raise_count(f, f->n_values_at);
}

static inline void put_u32(gguf_file *f, const char *key, uint32_t value) {
    put_key(f, key, NT_GGUF_U32);
    put_number(f, value, 4);
}

static inline void put_float(gguf_file *f, const char *key, float value) {
    put_key(f, key, NT_GGUF_F32);
    put_bytes(f, &value, 4);
}

static inline void put_string(gguf_file *f, const char *key, const char *value) {
    put_key(f, key, NT_GGUF_STRING);
    put_text(f, value);
}

/* An array; its elements are put behind it. */
static inline void put_array(gguf_file *f, const char *key, uint32_t type, uint64_t n) {
    put_key(f, key, NT_GGUF_ARRAY);
    put_number(f, type, 4);
    put_number(f, n, 8);
}

static inline void put_strings(gguf_file *f, const char *key, const char *const *values, size_t n) {
    put_array(f, key, NT_GGUF_STRING, n);
    for (size_t i = 0; i < n; i++)
        put_text(f, values[i]);
}

/* A tensor's header: dims in the file's order, the fastest first. */
static inline void put_tensor(gguf_file *f, const char *name, uint32_t n_dims, const uint64_t *dims,
                              uint32_t type, uint64_t offset) {
    put_text(f, name);
    put_number(f, n_dims, 4);
    for (uint32_t i = 0; i < n_dims; i++)
        put_number(f, dims[i], 8);
    put_number(f, type, 4);
    put_number(f, offset, 8);
    raise_count(f, f->n_tensors_at);
}

/* The data: zeros up to the alignment, then n bytes that count up. */
static inline void put_data(gguf_file *f, size_t alignment, size_t n) {
    while (f->n % alignment)
        put_number(f, 0, 1);
    for (size_t i = 0; i < n; i++)
        put_number(f, i, 1);
}

#endif
