/* The tensors of a checkpoint, in whatever format it stands: one file, or shards with an index,
 * mapped and checked before any use. */
#ifndef NT_FORMAT_TENSORS_H
#define NT_FORMAT_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/status.h"
#include "format/gguf.h"

enum { NT_MAX_DIMS = 8 };

typedef struct nt_tensor {
    const char *name;
    const char *file; /* the file that holds it, for messages */
    const void *data; /* row-major, in the mapped file as a rule, may be unaligned */
    nt_dtype dtype;
    int n_dims;
    int64_t shape[NT_MAX_DIMS];
    uint64_t n_items; /* product of shape */
} nt_tensor;

/* All tensors of a checkpoint by name. Immutable once open; shared by threads. */
typedef struct nt_tensors nt_tensors;

/* path: a file of safetensors, of GGUF or of PyTorch (pytorch_model.bin, in the zip form and in the
 * one before it), told apart by its bytes; an index of shards (*.index.json); or a folder with, in
 * this order, model.safetensors, its index, pytorch_model.bin, its index. All is checked at once:
 * - safetensors: header length (at most 25,000,000 bytes) and JSON, types, shapes, that each
 *   tensor's bytes are as many as its shape needs, lie within the file, do not overlap and leave no
 *   hole;
 * - GGUF: gguf.h; tensors of architecture gpt2 get Hugging Face's names, and shapes the order of
 *   safetensors;
 * - PyTorch: its pickle is read by an interpreter that knows what a state dict needs and nothing
 *   else (pickle.h), so that no file can make it run anything; storages, offsets and strides lie
 *   within the file. Storages may be shared. A tensor that is not row-major (a transposed view) is
 *   a copy in memory that is.
 * - Names without duplicates, across shards too; every tensor of the index is in the shard that it
 *   names (a shard's tensor that the index lacks is taken, as transformers does).
 * A tensor of a type that we do not compute with (I64, BOOL, F8...) or of more than NT_MAX_DIMS
 * dimensions is kept out of the lookup but its place is checked; asking for it is
 * NT_E_UNSUPPORTED by name. What is no checkpoint at all is named, with the way out.
 * Errors: NOT_FOUND, IO, FORMAT, UNSUPPORTED (another kind of checkpoint), MEMORY. */
int nt_tensors_open(nt_tensors **out, const char *path);
void nt_tensors_free(nt_tensors *tensors);

/* Gives back the memory that reading the tensors took up so far; what is read again comes from the
 * files again. */
void nt_tensors_forget(const nt_tensors *tensors);

size_t nt_tensors_count(const nt_tensors *tensors);
/* In order of name; NULL past the end. */
const nt_tensor *nt_tensors_at(const nt_tensors *tensors, size_t i);
/* NULL when there is none (no message). */
const nt_tensor *nt_tensors_find(const nt_tensors *tensors, const char *name);
/* Names of all tensors, also of those whose type we do not compute with; NULL past the end. */
const char *nt_tensors_name(const nt_tensors *tensors, size_t i);
/* The same as nt_tensors_name, with what is known of them: name, file, shape (its first
 * NT_MAX_DIMS dimensions), n_items. *type as the file writes it, *n_bytes what it takes (0: not
 * known). data is NULL where the file has it in another order; dtype is only for those that
 * nt_tensors_find finds. */
const nt_tensor *nt_tensors_any(const nt_tensors *tensors, size_t i, const char **type,
                                uint64_t *n_bytes);
/* Whether there is one of this name, of whatever type. */
bool nt_tensors_has(const nt_tensors *tensors, const char *name);
/* Ask with your expectation: the tensor `name` of this shape [n_dims], else one line with what was
 * expected and what was found. Errors: FORMAT (missing, other shape), UNSUPPORTED (type). */
int nt_tensors_get(const nt_tensor **out, const nt_tensors *tensors, const char *name, int n_dims,
                   const int64_t *shape);

/* The metadata of a GGUF file; NULL for tensors of another format. */
const nt_gguf *nt_tensors_gguf(const nt_tensors *tensors);
/* Whether the weights of linear layers lie as [out, in], as llama.cpp turns them; GPT-2's own
 * checkpoints have [in, out]. */
bool nt_tensors_out_in(const nt_tensors *tensors);

/* Fuzz entry and core of the parser: a whole file in memory, [n] bytes that must outlive *out. */
int nt_tensors_parse(nt_tensors **out, const void *bytes, size_t n, const char *file);

#endif
