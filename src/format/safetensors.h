/* safetensors checkpoints: one file, or shards with an index, mapped and checked before any use.
 * Format: https://huggingface.co/docs/safetensors. */
#ifndef NT_FORMAT_SAFETENSORS_H
#define NT_FORMAT_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/status.h"

enum { NT_MAX_DIMS = 8 };

typedef struct nt_tensor {
    const char *name;
    const char *file; /* the file that holds it, for messages */
    const void *data; /* in the mapped file, row-major, may be unaligned */
    nt_dtype dtype;
    int n_dims;
    int64_t shape[NT_MAX_DIMS];
    uint64_t n_items; /* product of shape */
} nt_tensor;

/* All tensors of a checkpoint by name. Immutable once open; shared by threads. */
typedef struct nt_tensors nt_tensors;

/* path: a .safetensors file, a model.safetensors.index.json, or a folder that has one of these.
 * Checked at once: header length (at most 25,000,000 bytes) and JSON, names without duplicates
 * (across shards too), types, shapes, that each tensor's bytes are as many as its shape needs,
 * lie within the file, do not overlap and leave no hole, that every tensor of the index is in the
 * shard that it names (a shard's tensor that the index lacks is taken, as transformers does).
 * A tensor of a type that we do not compute with (I64, BOOL, F8...) or of more than NT_MAX_DIMS
 * dimensions is kept out of the lookup but its place is checked; asking for it is
 * NT_E_UNSUPPORTED by name. What is no safetensors at all is named, with the way out.
 * Errors: NOT_FOUND, IO, FORMAT, UNSUPPORTED (another kind of checkpoint), MEMORY. */
int nt_tensors_open(nt_tensors **out, const char *path);
void nt_tensors_free(nt_tensors *tensors);

size_t nt_tensors_count(const nt_tensors *tensors);
/* In order of name; NULL past the end. */
const nt_tensor *nt_tensors_at(const nt_tensors *tensors, size_t i);
/* NULL when there is none (no message). */
const nt_tensor *nt_tensors_find(const nt_tensors *tensors, const char *name);
/* Names of all tensors, also of those whose type we do not compute with; NULL past the end. */
const char *nt_tensors_name(const nt_tensors *tensors, size_t i);
/* Whether there is one of this name, of whatever type. */
bool nt_tensors_has(const nt_tensors *tensors, const char *name);
/* Ask with your expectation: the tensor `name` of this shape [n_dims], else one line with what was
 * expected and what was found. Errors: FORMAT (missing, other shape), UNSUPPORTED (type). */
int nt_tensors_get(const nt_tensor **out, const nt_tensors *tensors, const char *name, int n_dims,
                   const int64_t *shape);

/* Fuzz entry and core of the parser: a whole file in memory, [n] bytes that must outlive *out. */
int nt_tensors_parse(nt_tensors **out, const void *bytes, size_t n, const char *file);

#endif
