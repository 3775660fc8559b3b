/* Python pickles of protocols 2 to 5, read without Python: an interpreter of the opcodes that a
 * PyTorch state dict needs. It builds numbers, texts, tuples, lists and dicts; the only names that
 * it knows are those of torch's storages, types and tensor builders, which become the structs
 * below. Any other name is refused as it comes up. Nothing is ever run: there is nothing here that
 * could.
 *
 * Memory is bounded by the pickle's length (at most NT_PICKLE_MAX): every opcode makes at most one
 * small object out of what the stack holds, and all of them together have a ceiling. Nothing is
 * walked recursively, so that nesting costs no stack and an object that holds itself does no harm.
 */
#ifndef NT_FORMAT_PICKLE_H
#define NT_FORMAT_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/dtype.h"
#include "base/status.h"

enum { NT_PICKLE_MAX = 25000000 }; /* bytes of one pickle, as of a safetensors header */

typedef enum nt_pickle_kind {
    NT_PICKLE_NONE,
    NT_PICKLE_BOOL,
    NT_PICKLE_INT,
    NT_PICKLE_LONG, /* an int of more than 8 bytes: little-endian in text [n] */
    NT_PICKLE_FLOAT,
    NT_PICKLE_TEXT,
    NT_PICKLE_BYTES,
    NT_PICKLE_TUPLE,
    NT_PICKLE_LIST,
    NT_PICKLE_DICT,
    NT_PICKLE_GLOBAL,
    NT_PICKLE_STORAGE,
    NT_PICKLE_TENSOR,
    NT_PICKLE_MARK /* never in a result */
} nt_pickle_kind;

typedef struct nt_pickle_items nt_pickle_items;
typedef struct nt_pickle_storage nt_pickle_storage;
typedef struct nt_pickle_tensor nt_pickle_tensor;
typedef struct nt_pickle_global nt_pickle_global;

typedef struct nt_pickle_value {
    nt_pickle_kind kind;
    uint32_t n; /* bytes of text */
    union {
        int64_t number; /* BOOL, INT */
        const char *text;
        nt_pickle_items *items; /* TUPLE, LIST; DICT: key, value, key, value... */
        nt_pickle_storage *storage;
        nt_pickle_tensor *tensor;
        const nt_pickle_global *global;
    };
} nt_pickle_value;

struct nt_pickle_items {
    nt_pickle_value *values; /* [n] */
    size_t n, capacity;
};

/* A type of torch's numbers. */
typedef struct nt_pickle_type {
    const char *name;    /* as torch writes it: "float32" */
    const char *storage; /* "FloatStorage"; NULL: it has none of its own */
    const char *type;    /* as safetensors writes it */
    uint32_t size;       /* bytes */
    nt_dtype dtype;      /* NT_N_DTYPES where we do not compute with it */
} nt_pickle_type;

/* What a persistent id names: the numbers of one or several tensors. */
struct nt_pickle_storage {
    const nt_pickle_type *type;
    nt_pickle_value key; /* TEXT */
    uint64_t n_items;    /* as the id has it */
    bool view;           /* old files: of these only [begin, begin + n_view) */
    uint64_t begin, n_view;
    const unsigned char *data; /* [n_bytes], once its place in the file is known (torch.c) */
    uint64_t n_bytes;
    bool placed;
};

struct nt_pickle_tensor {
    const nt_pickle_storage *storage;
    const nt_pickle_type *type;
    uint64_t offset;                       /* items of the type, from the storage's first */
    const nt_pickle_items *shape, *stride; /* INTs, as many of the one as of the other */
};

typedef struct nt_pickle {
    const unsigned char *bytes; /* [n] */
    size_t n;
    size_t at; /* where the next pickle begins */
    const char *file;
    nt_arena arena;               /* what came out of the pickles, until nt_pickle_free */
    nt_pickle_storage **storages; /* [n_storages], every persistent id that came up */
    size_t n_storages, storages_capacity;
    size_t spent, most; /* bytes of memory, for all of its pickles together */
} nt_pickle;

/* Reads the pickle at `at` and moves on behind it. Begin with bytes, n and file, the rest zero.
 * Errors: FORMAT, UNSUPPORTED (a name or an opcode that no state dict needs), MEMORY. */
int nt_pickle_read(nt_pickle_value *out, nt_pickle *pickle);
void nt_pickle_free(nt_pickle *pickle);

/* Whether the value is this text. */
bool nt_pickle_is_text(nt_pickle_value value, const char *text);
/* The value of a dict's key, of which the last counts; NULL when there is none. */
const nt_pickle_value *nt_pickle_member(nt_pickle_value dict, const char *key);
/* "a dict", "a tensor", ... for messages. */
const char *nt_pickle_kind_name(nt_pickle_value value);

/* ---- Between the interpreter and the names that it knows (pickle_names.c) ---- */

/* Memory of the arena, zeroed, out of the pickle's allowance; NULL with *status set. */
void *nt_pickle_alloc(nt_pickle *pickle, size_t n, size_t size, int *status);
/* Counts bytes against the allowance. */
int nt_pickle_spend(nt_pickle *pickle, size_t n_bytes);
/* A new container of n values (copied; NULL: of room for none). */
int nt_pickle_items_new(nt_pickle_items **out, nt_pickle *pickle, const nt_pickle_value *values,
                        size_t n);
int nt_pickle_append(nt_pickle *pickle, nt_pickle_items *items, const nt_pickle_value *values,
                     size_t n);

/* module.name; UNSUPPORTED when it is not one of ours. */
int nt_pickle_find_global(const nt_pickle_global **out, const nt_pickle *pickle,
                          nt_pickle_value module, nt_pickle_value name);
/* What calling `function` with a tuple of arguments comes to. */
int nt_pickle_call(nt_pickle_value *out, nt_pickle *pickle, nt_pickle_value function,
                   nt_pickle_value arguments);
/* What a persistent id names. */
int nt_pickle_persistent(nt_pickle_value *out, nt_pickle *pickle, nt_pickle_value id);

#endif
