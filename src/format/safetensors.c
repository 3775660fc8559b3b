/* One safetensors file: 8 bytes of header length, the header in JSON, the data. Every length,
 * type, shape and offset is checked here, before anything reads the data.
 * Format: https://huggingface.co/docs/safetensors. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "format/entries.h"

enum { LENGTH_BYTES = 8, MAX_HEADER = 25000000 };

/* Types of the format, with their bits; dtype is NT_N_DTYPES where we do not compute with it. */
static const struct type {
    const char *name;
    unsigned bits;
    nt_dtype dtype;
} types[] = {
    {"F32", 32, NT_F32},
    {"F16", 16, NT_F16},
    {"BF16", 16, NT_BF16},
    {"F64", 64, NT_F64},
    {"BOOL", 8, NT_N_DTYPES},
    {"U8", 8, NT_N_DTYPES},
    {"I8", 8, NT_N_DTYPES},
    {"U16", 16, NT_N_DTYPES},
    {"I16", 16, NT_N_DTYPES},
    {"U32", 32, NT_N_DTYPES},
    {"I32", 32, NT_N_DTYPES},
    {"U64", 64, NT_N_DTYPES},
    {"I64", 64, NT_N_DTYPES},
    {"C64", 64, NT_N_DTYPES},
    {"F8_E4M3", 8, NT_N_DTYPES},
    {"F8_E5M2", 8, NT_N_DTYPES},
    {"F8_E8M0", 8, NT_N_DTYPES},
    {"F8_E4M3FNUZ", 8, NT_N_DTYPES},
    {"F8_E5M2FNUZ", 8, NT_N_DTYPES},
    {"F6_E2M3", 6, NT_N_DTYPES},
    {"F6_E3M2", 6, NT_N_DTYPES},
    {"F4", 4, NT_N_DTYPES},
};

/* The file that is read and the tensor that is looked at, for messages. */
typedef struct spot {
    const char *file, *name;
} spot;

static int fail_at(spot at, const char *what, const char *wanted, const json_t *found) {
    return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s: %s must be %s and is %s", at.file, at.name,
                   what, wanted, nt_json_kind(found));
}

static int read_type(const struct type **out, const json_t *info, spot at) {
    const json_t *value = json_object_get(info, "dtype");
    if (!json_is_string(value)) return fail_at(at, "dtype", "a string", value);
    const char *name = json_string_value(value);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *out = &types[i];
            return NT_OK;
        }
    }
    return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s: unknown type \"%.40s\"", at.file, at.name,
                   name);
}

/* Shape into the entry; *n_bytes is what it needs. */
static int read_shape(nt_entry *entry, uint64_t *n_bytes, const json_t *info,
                      const struct type *type, spot at) {
    const json_t *shape = json_object_get(info, "shape");
    if (!json_is_array(shape)) return fail_at(at, "shape", "an array", shape);
    size_t n_dims = json_array_size(shape);
    uint64_t n_items = 1, n_bits;
    for (size_t i = 0; i < n_dims; i++) {
        const json_t *value = json_array_get(shape, i);
        if (!json_is_integer(value)) return fail_at(at, "each dimension", "an integer", value);
        json_int_t dim = json_integer_value(value);
        if (dim < 0) {
            return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s: dimension %zu is %" PRId64, at.file,
                           at.name, i, (int64_t)dim);
        }
        if (__builtin_mul_overflow(n_items, (uint64_t)dim, &n_items))
            return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s: the shape's product overflows",
                           at.file, at.name);
        if (i < NT_MAX_DIMS) entry->tensor.shape[i] = dim;
    }
    if (__builtin_mul_overflow(n_items, (uint64_t)type->bits, &n_bits))
        return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s: the shape's size in bytes overflows",
                       at.file, at.name);
    if (n_bits % 8)
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.300s: %" PRIu64
                       " numbers of type %s do not fill whole bytes",
                       at.file, at.name, n_items, type->name);
    *n_bytes = n_bits / 8;
    entry->tensor.n_items = n_items;
    entry->n_dims = n_dims > INT_MAX ? INT_MAX : (int)n_dims;
    entry->tensor.n_dims = entry->n_dims < NT_MAX_DIMS ? entry->n_dims : NT_MAX_DIMS;
    return NT_OK;
}

static int read_offsets(nt_entry *entry, const json_t *info, spot at) {
    const json_t *offsets = json_object_get(info, "data_offsets");
    if (!json_is_array(offsets)) return fail_at(at, "data_offsets", "an array", offsets);
    if (json_array_size(offsets) != 2) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.300s: data_offsets must hold 2 integers and holds %zu",
                       at.file, at.name, json_array_size(offsets));
    }
    int64_t value[2];
    for (size_t i = 0; i < 2; i++) {
        const json_t *offset = json_array_get(offsets, i);
        if (!json_is_integer(offset)) return fail_at(at, "each data offset", "an integer", offset);
        value[i] = json_integer_value(offset);
    }
    if (value[0] < 0 || value[1] < value[0]) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.300s: data_offsets [%" PRId64 ", %" PRId64
                       "] are no range",
                       at.file, at.name, value[0], value[1]);
    }
    entry->begin = (uint64_t)value[0];
    entry->end = (uint64_t)value[1];
    return NT_OK;
}

/* One member of the header; data [n_data] begins data_at bytes into the file. */
static int read_entry(nt_entry *entry, const json_t *info, spot at) {
    if (!json_is_object(info)) return fail_at(at, "its entry", "an object", info);
    const struct type *type = NULL;
    uint64_t n_bytes = 0;
    NT_TRY(read_type(&type, info, at));
    NT_TRY(read_shape(entry, &n_bytes, info, type, at));
    NT_TRY(read_offsets(entry, info, at));
    if (entry->end - entry->begin != n_bytes) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.300s: its shape of %s needs %" PRIu64
                       " bytes, its data_offsets hold %" PRIu64,
                       at.file, at.name, type->name, n_bytes, entry->end - entry->begin);
    }
    entry->tensor.file = at.file;
    entry->tensor.dtype = type->dtype;
    entry->type = type->name;
    entry->usable = type->dtype != NT_N_DTYPES && entry->n_dims <= NT_MAX_DIMS;
    return NT_OK;
}

static int by_place(const void *a, const void *b) {
    const nt_entry *left = a, *right = b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* The tensors [n] must cover data [n_data], which begins data_at bytes into the file, exactly. */
static int check_places(nt_entry *entries, size_t n, uint64_t n_data, uint64_t data_at,
                        const char *file) {
    uint64_t end = 0;
    const char *before = "the header";
    if (n) qsort(entries, n, sizeof *entries, by_place);
    for (size_t i = 0; i < n; i++) {
        const nt_entry *entry = &entries[i];
        const char *name = entry->tensor.name;
        if (entry->end > n_data) {
            return nt_fail(NT_E_FORMAT,
                           "%.400s ends at byte %" PRIu64
                           "; tensor %.300s needs bytes up to %" PRIu64
                           ": the file is cut short, fetch it again",
                           file, n_data + data_at, name, entry->end + data_at);
        }
        if (entry->begin < end) {
            return nt_fail(NT_E_FORMAT, "%.300s: tensors %.200s and %.200s overlap", file, before,
                           name);
        }
        if (entry->begin > end) {
            return nt_fail(NT_E_FORMAT,
                           "%.300s: %" PRIu64
                           " bytes between %.200s and tensor %.200s belong to no "
                           "tensor",
                           file, entry->begin - end, before, name);
        }
        end = entry->end;
        before = name;
    }
    if (end != n_data) {
        return nt_fail(NT_E_FORMAT, "%.400s: the last %" PRIu64 " bytes belong to no tensor", file,
                       n_data - end);
    }
    return NT_OK;
}

static int check_metadata(const json_t *metadata, const char *file) {
    if (json_is_null(metadata)) return NT_OK;
    if (!json_is_object(metadata))
        return nt_fail(NT_E_FORMAT, "%.400s: __metadata__ must be an object and is %s", file,
                       nt_json_kind(metadata));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value) {
        if (!json_is_string(value))
            return nt_fail(NT_E_FORMAT,
                           "%.400s: __metadata__: \"%.200s\" must be a string and is %s", file, key,
                           nt_json_kind(value));
    }
    return NT_OK;
}

/* Adds the members of the header to tensors, with names of our own. */
static int read_entries(nt_tensors *tensors, json_t *header, const char *file) {
    NT_TRY(nt_tensors_room(tensors, json_object_size(header)));
    const char *key;
    json_t *info;
    json_object_foreach(header, key, info) {
        if (strcmp(key, "__metadata__") == 0) {
            NT_TRY(check_metadata(info, file));
            continue;
        }
        nt_entry *entry = &tensors->entries[tensors->n_entries];
        *entry = (nt_entry){0};
        NT_TRY(read_entry(entry, info, (spot){file, key}));
        entry->tensor.name = nt_arena_copy(&tensors->arena, key, strlen(key));
        if (!entry->tensor.name) return NT_E_MEMORY;
        tensors->n_entries++;
    }
    return NT_OK;
}

static uint64_t little_endian(const unsigned char bytes[LENGTH_BYTES]) {
    uint64_t value = 0;
    for (size_t i = LENGTH_BYTES; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* The header's length, once it is one: in bounds and with a '{' behind it. */
static int read_length(size_t *n_header, const unsigned char *bytes, size_t n, const char *file) {
    if (n < LENGTH_BYTES + 1 || bytes[LENGTH_BYTES] != '{') return nt_foreign_file(bytes, n, file);
    uint64_t length = little_endian(bytes);
    if (length > MAX_HEADER) {
        return nt_fail(NT_E_FORMAT, "%.400s: a header of %" PRIu64 " bytes; at most %d are read",
                       file, length, MAX_HEADER);
    }
    if (length > n - LENGTH_BYTES) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s ends at byte %zu; its header needs bytes up to %" PRIu64
                       ": the file is cut short, fetch it again",
                       file, n, length + LENGTH_BYTES);
    }
    if (length < 2)
        return nt_fail(NT_E_FORMAT, "%.400s: a header of %" PRIu64 " bytes cannot be", file,
                       length);
    *n_header = (size_t)length;
    return NT_OK;
}

int nt_safetensors_read(nt_tensors *tensors, const unsigned char *bytes, size_t n,
                        const char *file) {
    size_t n_header = 0;
    NT_TRY(read_length(&n_header, bytes, n, file));
    size_t data_at = LENGTH_BYTES + n_header, first = tensors->n_entries;
    json_t *header;
    const char *text = (const char *)bytes + LENGTH_BYTES;
    NT_TRY(nt_json_parse(&header, text, n_header, file));
    int status = read_entries(tensors, header, file);
    json_decref(header);
    NT_TRY(status);
    size_t n_new = tensors->n_entries - first;
    nt_entry *entries = n_new ? tensors->entries + first : NULL;
    NT_TRY(check_places(entries, n_new, n - data_at, data_at, file));
    for (size_t i = 0; i < n_new; i++)
        entries[i].tensor.data = bytes + data_at + entries[i].begin;
    return NT_OK;
}
