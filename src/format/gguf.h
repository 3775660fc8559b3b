/* GGUF, the file format of ggml and llama.cpp: typed metadata, then tensors. Version 2 and 3,
 * little-endian. Tensors come through format/tensors.h; this is the metadata, and what of a
 * checkpoint it holds. Format: docs/gguf.md of the ggml repository. */
#ifndef NT_FORMAT_GGUF_H
#define NT_FORMAT_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* Types of values, by their numbers in the file. */
typedef enum nt_gguf_type {
    NT_GGUF_U8,
    NT_GGUF_I8,
    NT_GGUF_U16,
    NT_GGUF_I16,
    NT_GGUF_U32,
    NT_GGUF_I32,
    NT_GGUF_F32,
    NT_GGUF_BOOL,
    NT_GGUF_STRING,
    NT_GGUF_ARRAY,
    NT_GGUF_U64,
    NT_GGUF_I64,
    NT_GGUF_F64,
    NT_GGUF_N_TYPES
} nt_gguf_type;

typedef struct nt_gguf_value {
    const char *key;
    nt_gguf_type type; /* of each element, never ARRAY */
    bool array;
    uint64_t n;                /* elements; 1 where it is no array */
    const unsigned char *data; /* in the file: n elements, all of them checked */
} nt_gguf_value;

/* The metadata of a file. Immutable; lives as long as the tensors that it came with. */
typedef struct nt_gguf {
    const char *file;      /* for messages */
    nt_gguf_value *values; /* [n_values], by key */
    size_t n_values;
} nt_gguf;

/* NULL when there is none (no message). */
const nt_gguf_value *nt_gguf_find(const nt_gguf *gguf, const char *key);

/* Value `key`, when it is there; *out keeps its value otherwise. Integers of any type are taken
 * for integers, and both float types for reals. Errors: FORMAT (another type, or a value outside
 * [low, high]). */
int nt_gguf_int(int64_t *out, const nt_gguf *gguf, const char *key, int64_t low, int64_t high);
int nt_gguf_real(double *out, const nt_gguf *gguf, const char *key);
int nt_gguf_bool(bool *out, const nt_gguf *gguf, const char *key);

/* Bytes in the file, not zero-ended. */
typedef struct nt_gguf_text {
    const char *bytes;
    size_t n;
} nt_gguf_text;

int nt_gguf_string(nt_gguf_text *out, const nt_gguf *gguf, const char *key);
/* *out is NULL when there is no such key. Errors: FORMAT (no array of this type). */
int nt_gguf_array(const nt_gguf_value **out, const nt_gguf *gguf, const char *key,
                  nt_gguf_type type);
/* The strings of an array, one after the other: *at begins as value->data. */
nt_gguf_text nt_gguf_next_string(const unsigned char **at);
/* Element i of an array of I32. */
int32_t nt_gguf_i32_at(const nt_gguf_value *array, uint64_t i);

/* gguf_model.c: what the metadata says of the model, in Hugging Face's words. */

/* Errors: UNSUPPORTED (another architecture than gpt2, a part of a split file). */
int nt_gguf_check(const nt_gguf *gguf);

/* config.json of architecture gpt2; V is the vocabulary's size. Errors: those of nt_gguf_check,
 * FORMAT, MEMORY. */
int nt_gguf_config(nt_buffer *out, const nt_gguf *gguf, int64_t V);

typedef struct nt_gguf_roles {
    int32_t bos, eos, pad; /* -1: none */
} nt_gguf_roles;

/* tokenizer.json, and which tokens have a role. *there is false where the file has no tokenizer.
 * V: ids that the model has. Errors: UNSUPPORTED (a kind of tokenizer, or a pattern of its
 * pre-tokenizer, that is none of ours), FORMAT, MEMORY. */
int nt_gguf_tokenizer(bool *there, nt_buffer *out, nt_gguf_roles *roles, const nt_gguf *gguf,
                      int64_t V);

#endif
