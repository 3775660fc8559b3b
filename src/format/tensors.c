/* A checkpoint's tensors as one sorted table: open, look up, ask with an expectation. */
#include "format/tensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "format/entries.h"

/* Sets up an empty set whose messages speak of path. */
static int tensors_new(nt_tensors **out, const char *path) {
    *out = NULL;
    nt_tensors *tensors = nt_alloc(1, sizeof *tensors);
    if (!tensors) return NT_E_MEMORY;
    tensors->path = nt_arena_copy(&tensors->arena, path, strlen(path));
    if (!tensors->path) {
        nt_tensors_free(tensors);
        return NT_E_MEMORY;
    }
    *out = tensors;
    return NT_OK;
}

void nt_tensors_free(nt_tensors *tensors) {
    if (!tensors) return;
    for (size_t i = 0; i < tensors->n_maps; i++)
        nt_map_close(&tensors->maps[i]);
    nt_free(tensors->maps);
    nt_free(tensors->entries);
    nt_arena_free(&tensors->arena);
    nt_free(tensors);
}

void nt_tensors_forget(const nt_tensors *tensors) {
    for (size_t i = 0; i < tensors->n_maps; i++)
        nt_map_forget(&tensors->maps[i]);
}

int nt_tensors_add(nt_tensors *tensors, const char *file) {
    void *maps = tensors->maps;
    NT_TRY(nt_grow(&maps, &tensors->maps_capacity, tensors->n_maps + 1, sizeof *tensors->maps));
    tensors->maps = maps;
    nt_map *map = &tensors->maps[tensors->n_maps];
    NT_TRY(nt_map_open(map, file));
    tensors->n_maps++;
    return nt_tensors_read(tensors, map->data, map->n, file);
}

int nt_tensors_room(nt_tensors *tensors, size_t n) {
    void *entries = tensors->entries;
    NT_TRY(nt_grow(&entries, &tensors->capacity, tensors->n_entries + n, sizeof *tensors->entries));
    tensors->entries = entries;
    return NT_OK;
}

/* A zip file, or a pickle of the protocols that torch.save writes. A '{' where a safetensors header
 * begins comes first: its length may begin as a pickle does. */
static bool is_torch(const unsigned char *bytes, size_t n) {
    if (n > 8 && bytes[8] == '{') return false;
    if (n >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0) return true;
    return n >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

int nt_tensors_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file) {
    if (tensors->gguf) { /* its layout would be taken for that of all */
        return nt_fail(NT_E_FORMAT, "%.400s is a GGUF file and cannot be one of several shards",
                       tensors->gguf->file);
    }
    if (n >= 4 && memcmp(bytes, "GGUF", 4) == 0) return nt_gguf_read(tensors, bytes, n, file);
    if (is_torch(bytes, n)) return nt_torch_read(tensors, bytes, n, file);
    return nt_safetensors_read(tensors, bytes, n, file);
}

static int by_name(const void *a, const void *b) {
    const nt_entry *left = a, *right = b;
    if (left->usable != right->usable) return left->usable ? -1 : 1;
    return strcmp(left->tensor.name, right->tensor.name);
}

static const nt_entry *search(const nt_entry *entries, size_t n, const char *name) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, entries[middle].tensor.name);
        if (order == 0) return &entries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int fail_twice(const nt_entry *one, const nt_entry *other) {
    return nt_fail(NT_E_FORMAT, "tensor %.300s stands twice: in %.250s and in %.250s",
                   one->tensor.name, one->tensor.file, other->tensor.file);
}

int nt_tensors_sort(nt_tensors *tensors) {
    nt_entry *entries = tensors->entries;
    size_t n = tensors->n_entries;
    if (n == 0) return NT_OK;
    qsort(entries, n, sizeof *entries, by_name);
    tensors->n_odd = 0;
    for (size_t i = 0; i < n; i++)
        tensors->n_odd += !entries[i].usable;
    size_t n_usable = n - tensors->n_odd;
    for (size_t i = 0; i + 1 < n; i++) {
        if (i + 1 != n_usable && strcmp(entries[i].tensor.name, entries[i + 1].tensor.name) == 0)
            return fail_twice(&entries[i], &entries[i + 1]);
    }
    for (size_t i = n_usable; i < n; i++) {
        const nt_entry *usable = search(entries, n_usable, entries[i].tensor.name);
        if (usable) return fail_twice(usable, &entries[i]);
    }
    return NT_OK;
}

int nt_tensors_open(nt_tensors **out, const char *path) {
    nt_tensors *tensors;
    *out = NULL;
    NT_TRY(tensors_new(&tensors, path));
    int status = nt_shards_add(tensors, tensors->path);
    if (status != NT_OK) {
        nt_tensors_free(tensors);
        return status;
    }
    *out = tensors;
    return NT_OK;
}

int nt_tensors_parse(nt_tensors **out, const void *bytes, size_t n, const char *file) {
    nt_tensors *tensors;
    *out = NULL;
    NT_TRY(tensors_new(&tensors, file));
    int status = nt_tensors_read(tensors, bytes, n, tensors->path);
    if (status == NT_OK) status = nt_tensors_sort(tensors);
    if (status != NT_OK) {
        nt_tensors_free(tensors);
        return status;
    }
    *out = tensors;
    return NT_OK;
}

size_t nt_tensors_count(const nt_tensors *tensors) {
    return tensors->n_entries - tensors->n_odd;
}

const nt_tensor *nt_tensors_at(const nt_tensors *tensors, size_t i) {
    return i < nt_tensors_count(tensors) ? &tensors->entries[i].tensor : NULL;
}

const nt_entry *nt_tensors_entry(const nt_tensors *tensors, const char *name) {
    size_t n_usable = nt_tensors_count(tensors);
    const nt_entry *entry = search(tensors->entries, n_usable, name);
    if (entry || tensors->n_odd == 0) return entry;
    return search(tensors->entries + n_usable, tensors->n_odd, name);
}

const nt_tensor *nt_tensors_find(const nt_tensors *tensors, const char *name) {
    const nt_entry *entry = search(tensors->entries, nt_tensors_count(tensors), name);
    return entry ? &entry->tensor : NULL;
}

const char *nt_tensors_name(const nt_tensors *tensors, size_t i) {
    return i < tensors->n_entries ? tensors->entries[i].tensor.name : NULL;
}

const nt_tensor *nt_tensors_any(const nt_tensors *tensors, size_t i, const char **type,
                                uint64_t *n_bytes) {
    if (i >= tensors->n_entries) return NULL;
    const nt_entry *entry = &tensors->entries[i];
    *type = entry->type;
    *n_bytes = entry->usable ? nt_dtype_bytes(entry->tensor.dtype, entry->tensor.n_items)
                             : entry->end - entry->begin;
    return &entry->tensor;
}

bool nt_tensors_has(const nt_tensors *tensors, const char *name) {
    return nt_tensors_entry(tensors, name) != NULL;
}

const nt_gguf *nt_tensors_gguf(const nt_tensors *tensors) {
    return tensors->gguf;
}

bool nt_tensors_out_in(const nt_tensors *tensors) {
    return tensors->gguf != NULL;
}

static void put_shape(nt_buffer *out, int n_dims, const int64_t *shape) {
    nt_buffer_putc(out, '[');
    for (int i = 0; i < n_dims; i++)
        nt_buffer_printf(out, i ? ", %" PRId64 : "%" PRId64, shape[i]);
    nt_buffer_putc(out, ']');
}

/* "NAME: expected [768, 2304], found WHAT" */
static int fail_expected(const nt_tensors *tensors, const char *name, int n_dims,
                         const int64_t *shape, const nt_tensor *found) {
    nt_buffer text = {0};
    nt_buffer_puts(&text, "expected ");
    put_shape(&text, n_dims, shape);
    if (found) {
        nt_buffer_printf(&text, ", found %s ", nt_dtype_name(found->dtype));
        put_shape(&text, found->n_dims, found->shape);
    } else {
        nt_buffer_puts(&text, ", found no tensor of this name");
    }
    int status = text.status;
    if (status == NT_OK) {
        status = nt_fail(NT_E_FORMAT, "%.300s: %s in %.400s", name, text.data,
                         found ? found->file : tensors->path);
    }
    nt_buffer_free(&text);
    return status;
}

int nt_tensors_get(const nt_tensor **out, const nt_tensors *tensors, const char *name, int n_dims,
                   const int64_t *shape) {
    *out = NULL;
    const nt_entry *entry = nt_tensors_entry(tensors, name);
    if (!entry) return fail_expected(tensors, name, n_dims, shape, NULL);
    const nt_tensor *tensor = &entry->tensor;
    if (!entry->usable && entry->n_dims > NT_MAX_DIMS) {
        return nt_fail(NT_E_UNSUPPORTED, "%.300s in %.400s has %d dimensions; at most %d are read",
                       name, tensor->file, entry->n_dims, NT_MAX_DIMS);
    }
    if (!entry->usable) {
        return nt_fail(
            NT_E_UNSUPPORTED,
            "%.300s in %.400s is of type %s; F32, F16, BF16, F64, Q8_0, Q4_0 and Q6_K are read",
            name, tensor->file, entry->type);
    }
    if (tensor->n_dims != n_dims ||
        (n_dims > 0 && memcmp(tensor->shape, shape, (size_t)n_dims * sizeof *shape) != 0))
        return fail_expected(tensors, name, n_dims, shape, tensor);
    *out = tensor;
    return NT_OK;
}
