/* Inside the readers of checkpoints: a set of tensors while it is filled from one file or several.
 */
#ifndef NT_FORMAT_ENTRIES_H
#define NT_FORMAT_ENTRIES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/file.h"
#include "format/tensors.h"

/* A tensor of a file. */
typedef struct nt_entry {
    nt_tensor tensor;    /* dtype, shape and data only where usable */
    uint64_t begin, end; /* its bytes within the file's data; PyTorch: from 0 on, only how many */
    const char *type;    /* as the file writes it */
    bool usable;         /* of a type that we compute with, and at most NT_MAX_DIMS dimensions */
    int n_dims;          /* as the file has it, beyond NT_MAX_DIMS too */
} nt_entry;

struct nt_tensors {
    nt_arena arena;    /* names */
    const char *path;  /* as it was given to open, for messages */
    nt_entry *entries; /* [n_entries], by name once sorted; the last n_odd are not usable */
    size_t n_entries, capacity, n_odd;
    nt_map *maps; /* [n_maps] */
    size_t n_maps, maps_capacity;
    nt_gguf *gguf; /* in the arena; NULL: another format */
};

/* The readers: each checks the whole file bytes [n] and adds its tensors. `file` must outlive them.
 * nt_tensors_read (tensors.c) tells by the first bytes which it is. */
int nt_tensors_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file);
int nt_safetensors_read(nt_tensors *tensors, const unsigned char *bytes, size_t n,
                        const char *file);
int nt_gguf_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file);
int nt_torch_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file);

/* foreign.c: a file that is none of these: says what it is and what to do. */
int nt_foreign_file(const unsigned char *bytes, size_t n, const char *file);
/* A folder without a checkpoint's name in it: the same. */
int nt_foreign_folder(const char *folder);

/* shards.c: adds the tensors of the file, the index or the folder at path. */
int nt_shards_add(nt_tensors *tensors, const char *path);

/* tensors.c: maps a file and adds its tensors. `file` must outlive them. */
int nt_tensors_add(nt_tensors *tensors, const char *file);
/* Room for n more entries; NT_OK or NT_E_MEMORY. */
int nt_tensors_room(nt_tensors *tensors, size_t n);
/* By name, duplicates refused, what cannot be used behind the rest. */
int nt_tensors_sort(nt_tensors *tensors);
/* Any entry, usable or not, of a sorted set; NULL when there is none. */
const nt_entry *nt_tensors_entry(const nt_tensors *tensors, const char *name);

#endif
