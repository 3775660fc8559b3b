/* One GGUF file: every length, count, type and offset is checked here, before anything reads the
 * data. Metadata stays where it lies in the file, found by key. */
#include "format/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "format/entries.h"
#include "format/gguf_names.h"

enum {
    ALIGNMENT = 32, /* where the file names none */
    MAX_KEY = 65535,
    MAX_NAME = 64,
    MAX_GGUF_DIMS = 4,
    LEAST_VALUE = 8 + 4 + 1,     /* bytes that a value takes at least: key, type, data */
    LEAST_TENSOR = 8 + 4 + 4 + 8 /* and a tensor: name, dimensions, type, offset */
};

/* Where reading stands. */
typedef struct cursor {
    const unsigned char *bytes; /* [n] the whole file */
    size_t n, at;
    const char *file;
} cursor;

static int cut_short(const cursor *c, uint64_t need) {
    return nt_fail(NT_E_FORMAT,
                   "%.400s ends at byte %zu; %" PRIu64
                   " more are needed behind byte %zu: the file is cut short, fetch it again",
                   c->file, c->n, need, c->at);
}

/* *out points at the next n bytes, which are passed over. */
static int take(const unsigned char **out, cursor *c, uint64_t n) {
    *out = c->bytes + c->at;
    if (n > c->n - c->at) return cut_short(c, n);
    c->at += (size_t)n;
    return NT_OK;
}

static uint64_t little_endian(const unsigned char *bytes, size_t n) {
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

static int take_u32(uint32_t *out, cursor *c) {
    const unsigned char *bytes;
    NT_TRY(take(&bytes, c, 4));
    *out = (uint32_t)little_endian(bytes, 4);
    return NT_OK;
}

static int take_u64(uint64_t *out, cursor *c) {
    const unsigned char *bytes;
    NT_TRY(take(&bytes, c, 8));
    *out = little_endian(bytes, 8);
    return NT_OK;
}

/* A name of at most `max` bytes, none of them 0, kept zero-ended. */
static int take_name(const char **out, cursor *c, nt_arena *arena, const char *what, size_t max) {
    uint64_t n;
    const unsigned char *bytes;
    size_t from = c->at;
    NT_TRY(take_u64(&n, c));
    if (n > max) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: %s at byte %zu has %" PRIu64 " bytes; at most %zu are read",
                       c->file, what, from, n, max);
    }
    NT_TRY(take(&bytes, c, n));
    if (n == 0 || memchr(bytes, 0, (size_t)n))
        return nt_fail(NT_E_FORMAT, "%.400s: %s at byte %zu is no name", c->file, what, from);
    *out = nt_arena_copy(arena, (const char *)bytes, (size_t)n);
    return *out ? NT_OK : NT_E_MEMORY;
}

/* ---- Metadata -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t size; /* 0: not fixed */
} value_types[NT_GGUF_N_TYPES] = {
    [NT_GGUF_U8] = {"an 8-bit number", 1},  [NT_GGUF_I8] = {"an 8-bit number", 1},
    [NT_GGUF_U16] = {"a 16-bit number", 2}, [NT_GGUF_I16] = {"a 16-bit number", 2},
    [NT_GGUF_U32] = {"a 32-bit number", 4}, [NT_GGUF_I32] = {"a 32-bit number", 4},
    [NT_GGUF_F32] = {"a float", 4},         [NT_GGUF_BOOL] = {"true or false", 1},
    [NT_GGUF_STRING] = {"a string", 0},     [NT_GGUF_ARRAY] = {"an array", 0},
    [NT_GGUF_U64] = {"a 64-bit number", 8}, [NT_GGUF_I64] = {"a 64-bit number", 8},
    [NT_GGUF_F64] = {"a double", 8},
};

static int take_type(nt_gguf_type *out, cursor *c, const char *key) {
    uint32_t type;
    NT_TRY(take_u32(&type, c));
    if (type >= NT_GGUF_N_TYPES) {
        return nt_fail(NT_E_FORMAT, "%.400s: %.100s is of type %" PRIu32 ", which GGUF has not",
                       c->file, key, type);
    }
    *out = (nt_gguf_type)type;
    return NT_OK;
}

/* Passes over the n elements of a value. */
static int check_elements(cursor *c, const nt_gguf_value *value) {
    size_t size = value_types[value->type].size;
    const unsigned char *bytes = NULL;
    if (size > 0 && value->n > (c->n - c->at) / size)
        return cut_short(c, value->n > UINT64_MAX / size ? UINT64_MAX : value->n * size);
    if (size > 0) NT_TRY(take(&bytes, c, value->n * size));
    if (value->type == NT_GGUF_BOOL) {
        for (uint64_t i = 0; i < value->n; i++) {
            if (bytes[i] > 1)
                return nt_fail(NT_E_FORMAT, "%.400s: %.100s must be 0 or 1 and is %d", c->file,
                               value->key, bytes[i]);
        }
    }
    if (value->type != NT_GGUF_STRING) return NT_OK;
    for (uint64_t i = 0; i < value->n; i++) {
        uint64_t n;
        NT_TRY(take_u64(&n, c));
        NT_TRY(take(&bytes, c, n));
    }
    return NT_OK;
}

static int take_value(nt_gguf_value *out, cursor *c, nt_arena *arena) {
    *out = (nt_gguf_value){.n = 1};
    NT_TRY(take_name(&out->key, c, arena, "a key", MAX_KEY));
    NT_TRY(take_type(&out->type, c, out->key));
    if (out->type == NT_GGUF_ARRAY) {
        out->array = true;
        NT_TRY(take_type(&out->type, c, out->key));
        NT_TRY(take_u64(&out->n, c));
        if (out->type == NT_GGUF_ARRAY) {
            return nt_fail(NT_E_UNSUPPORTED, "%.400s: %.100s: arrays in arrays are not read",
                           c->file, out->key);
        }
    }
    out->data = c->bytes + c->at;
    return check_elements(c, out);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const nt_gguf_value *)a)->key, ((const nt_gguf_value *)b)->key);
}

static int take_values(nt_gguf *gguf, cursor *c, nt_arena *arena, uint64_t n) {
    if (n > (c->n - c->at) / LEAST_VALUE) {
        return nt_fail(NT_E_FORMAT, "%.400s cannot hold the %" PRIu64 " values that it announces",
                       c->file, n);
    }
    gguf->values = nt_arena_alloc(arena, (size_t)n, sizeof *gguf->values);
    if (!gguf->values) return NT_E_MEMORY;
    for (; gguf->n_values < n; gguf->n_values++)
        NT_TRY(take_value(&gguf->values[gguf->n_values], c, arena));
    if (n) qsort(gguf->values, (size_t)n, sizeof *gguf->values, by_key);
    for (size_t i = 0; i + 1 < n; i++) {
        if (strcmp(gguf->values[i].key, gguf->values[i + 1].key) == 0)
            return nt_fail(NT_E_FORMAT, "%.400s: the key %.100s stands twice", c->file,
                           gguf->values[i].key);
    }
    return NT_OK;
}

const nt_gguf_value *nt_gguf_find(const nt_gguf *gguf, const char *key) {
    nt_gguf_value wanted = {.key = key};
    if (gguf->n_values == 0) return NULL;
    return bsearch(&wanted, gguf->values, gguf->n_values, sizeof *gguf->values, by_key);
}

static int wrong_type(const nt_gguf *gguf, const nt_gguf_value *value, const char *wanted) {
    return nt_fail(NT_E_FORMAT, "%.400s: %.100s must be %s and is %s%s", gguf->file, value->key,
                   wanted, value->array ? "an array of which each is " : "",
                   value_types[value->type].name);
}

/* Whether a value is an integer, and that it lies in int64_t. */
static bool integer_of(int64_t *out, const nt_gguf_value *value) {
    size_t size = value_types[value->type].size;
    uint64_t bits = value->array ? 0 : little_endian(value->data, size);
    unsigned unused = 64 - 8 * (unsigned)size; /* for types of fixed size */
    switch (value->type) {
    case NT_GGUF_U8:
    case NT_GGUF_U16:
    case NT_GGUF_U32:
    case NT_GGUF_U64: *out = bits > INT64_MAX ? INT64_MAX : (int64_t)bits; break;
    case NT_GGUF_I8:
    case NT_GGUF_I16:
    case NT_GGUF_I32:
    case NT_GGUF_I64: *out = (int64_t)(bits << unused) >> unused; break;
    default: return false;
    }
    return !value->array;
}

int nt_gguf_int(int64_t *out, const nt_gguf *gguf, const char *key, int64_t low, int64_t high) {
    const nt_gguf_value *value = nt_gguf_find(gguf, key);
    int64_t number;
    if (!value) return NT_OK;
    if (!integer_of(&number, value)) return wrong_type(gguf, value, "an integer");
    if (number < low || number > high) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: %.100s is %" PRId64 "; it must lie in %" PRId64 " .. %" PRId64,
                       gguf->file, key, number, low, high);
    }
    *out = number;
    return NT_OK;
}

int nt_gguf_real(double *out, const nt_gguf *gguf, const char *key) {
    const nt_gguf_value *value = nt_gguf_find(gguf, key);
    if (!value) return NT_OK;
    if (!value->array && value->type == NT_GGUF_F32) {
        float number;
        memcpy(&number, value->data, sizeof number);
        *out = (double)number;
        return NT_OK;
    }
    if (value->array || value->type != NT_GGUF_F64) return wrong_type(gguf, value, "a float");
    memcpy(out, value->data, sizeof *out);
    return NT_OK;
}

int nt_gguf_bool(bool *out, const nt_gguf *gguf, const char *key) {
    const nt_gguf_value *value = nt_gguf_find(gguf, key);
    if (!value) return NT_OK;
    if (value->array || value->type != NT_GGUF_BOOL)
        return wrong_type(gguf, value, "true or false");
    *out = *value->data;
    return NT_OK;
}

int nt_gguf_string(nt_gguf_text *out, const nt_gguf *gguf, const char *key) {
    const nt_gguf_value *value = nt_gguf_find(gguf, key);
    if (!value) return NT_OK;
    if (value->array || value->type != NT_GGUF_STRING) return wrong_type(gguf, value, "a string");
    const unsigned char *at = value->data;
    *out = nt_gguf_next_string(&at);
    return NT_OK;
}

int nt_gguf_array(const nt_gguf_value **out, const nt_gguf *gguf, const char *key,
                  nt_gguf_type type) {
    const nt_gguf_value *value = nt_gguf_find(gguf, key);
    *out = NULL;
    if (value && (!value->array || value->type != type)) {
        return wrong_type(gguf, value,
                          type == NT_GGUF_STRING ? "an array of strings"
                                                 : "an array of 32-bit numbers");
    }
    *out = value;
    return NT_OK;
}

nt_gguf_text nt_gguf_next_string(const unsigned char **at) {
    nt_gguf_text text = {(const char *)*at + 8, (size_t)little_endian(*at, 8)};
    *at += 8 + text.n;
    return text;
}

int32_t nt_gguf_i32_at(const nt_gguf_value *array, uint64_t i) {
    return (int32_t)(uint32_t)little_endian(array->data + 4 * i, 4);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* ggml's types of tensors, by their numbers; dtype is NT_N_DTYPES where we do not compute with it.
 */
static const struct tensor_type {
    uint32_t number;
    const char *name;
    uint16_t block, size; /* numbers and bytes of a block */
    nt_dtype dtype;
} tensor_types[] = {
    {0, "F32", 1, 4, NT_F32},
    {1, "F16", 1, 2, NT_F16},
    {2, "Q4_0", 32, 18, NT_Q4_0},
    {3, "Q4_1", 32, 20, NT_N_DTYPES},
    {6, "Q5_0", 32, 22, NT_N_DTYPES},
    {7, "Q5_1", 32, 24, NT_N_DTYPES},
    {8, "Q8_0", 32, 34, NT_Q8_0},
    {9, "Q8_1", 32, 40, NT_N_DTYPES},
    {10, "Q2_K", 256, 84, NT_N_DTYPES},
    {11, "Q3_K", 256, 110, NT_N_DTYPES},
    {12, "Q4_K", 256, 144, NT_N_DTYPES},
    {13, "Q5_K", 256, 176, NT_N_DTYPES},
    {14, "Q6_K", 256, 210, NT_Q6_K},
    {15, "Q8_K", 256, 292, NT_N_DTYPES},
    {16, "IQ2_XXS", 256, 66, NT_N_DTYPES},
    {17, "IQ2_XS", 256, 74, NT_N_DTYPES},
    {18, "IQ3_XXS", 256, 98, NT_N_DTYPES},
    {19, "IQ1_S", 256, 50, NT_N_DTYPES},
    {20, "IQ4_NL", 32, 18, NT_N_DTYPES},
    {21, "IQ3_S", 256, 110, NT_N_DTYPES},
    {22, "IQ2_S", 256, 82, NT_N_DTYPES},
    {23, "IQ4_XS", 256, 136, NT_N_DTYPES},
    {24, "I8", 1, 1, NT_N_DTYPES},
    {25, "I16", 1, 2, NT_N_DTYPES},
    {26, "I32", 1, 4, NT_N_DTYPES},
    {27, "I64", 1, 8, NT_N_DTYPES},
    {28, "F64", 1, 8, NT_F64},
    {29, "IQ1_M", 256, 56, NT_N_DTYPES},
    {30, "BF16", 1, 2, NT_BF16},
    {34, "TQ1_0", 256, 54, NT_N_DTYPES},
    {35, "TQ2_0", 256, 66, NT_N_DTYPES},
    {39, "MXFP4", 32, 17, NT_N_DTYPES},
    {40, "NVFP4", 64, 36, NT_N_DTYPES},
    {41, "Q1_0", 128, 18, NT_N_DTYPES},
};

static int find_type(const struct tensor_type **out, const cursor *c, const char *name,
                     uint32_t number) {
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++) {
        *out = &tensor_types[i];
        if (tensor_types[i].number == number) return NT_OK;
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: tensor %.100s is of ggml's type %" PRIu32
                   ", which this version does not know",
                   c->file, name, number);
}

/* Dimensions, the fastest first in the file and last in the entry; *n_items is their product. */
static int take_shape(nt_entry *entry, uint64_t *first, cursor *c, const char *name) {
    uint32_t n_dims;
    uint64_t dims[MAX_GGUF_DIMS], n_items = 1;
    *first = 1;
    NT_TRY(take_u32(&n_dims, c));
    if (n_dims > MAX_GGUF_DIMS) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.100s has %" PRIu32 " dimensions; GGUF has at most %d",
                       c->file, name, n_dims, MAX_GGUF_DIMS);
    }
    for (uint32_t i = 0; i < n_dims; i++) {
        NT_TRY(take_u64(&dims[i], c));
        if (dims[i] > INT64_MAX || __builtin_mul_overflow(n_items, dims[i], &n_items)) {
            return nt_fail(NT_E_FORMAT, "%.400s: tensor %.100s: the shape's product overflows",
                           c->file, name);
        }
    }
    if (n_dims) *first = dims[0];
    entry->n_dims = entry->tensor.n_dims = (int)n_dims;
    entry->tensor.n_items = n_items;
    for (uint32_t i = 0; i < n_dims; i++)
        entry->tensor.shape[i] = (int64_t)dims[n_dims - 1 - i];
    return NT_OK;
}

static int take_tensor(nt_entry *entry, cursor *c, nt_arena *arena, uint64_t alignment) {
    const struct tensor_type *type;
    const char *name;
    uint64_t first, n_bytes;
    uint32_t number;
    *entry = (nt_entry){0};
    NT_TRY(take_name(&name, c, arena, "a tensor's name", MAX_NAME));
    NT_TRY(take_shape(entry, &first, c, name));
    NT_TRY(take_u32(&number, c));
    NT_TRY(find_type(&type, c, name, number));
    NT_TRY(take_u64(&entry->begin, c));
    if (first % type->block) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.100s: rows of %" PRIu64
                       " numbers are no whole blocks of %s",
                       c->file, name, first, type->name);
    }
    if (entry->begin % alignment) {
        return nt_fail(NT_E_FORMAT,
                       "%.400s: tensor %.100s lies at %" PRIu64
                       ", which is no multiple of the alignment %" PRIu64,
                       c->file, name, entry->begin, alignment);
    }
    if (__builtin_mul_overflow(entry->tensor.n_items / type->block, (uint64_t)type->size,
                               &n_bytes) ||
        __builtin_add_overflow(entry->begin, n_bytes, &entry->end)) {
        return nt_fail(NT_E_FORMAT, "%.400s: tensor %.100s: its size in bytes overflows", c->file,
                       name);
    }
    entry->tensor.file = c->file;
    entry->tensor.dtype = type->dtype;
    entry->type = type->name;
    entry->usable = type->dtype != NT_N_DTYPES;
    return nt_gguf_name(&entry->tensor.name, name, arena);
}

static int by_place(const void *a, const void *b) {
    const nt_entry *left = a, *right = b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* Tensors [n] must lie within the data, which begins at byte `from`, and nowhere on each other. */
static int check_places(nt_entry *entries, size_t n, const cursor *c, uint64_t from) {
    if (n) qsort(entries, n, sizeof *entries, by_place);
    for (size_t i = 0; i < n; i++) {
        const nt_entry *entry = &entries[i];
        if (from > c->n || entry->end > c->n - from) {
            return nt_fail(NT_E_FORMAT,
                           "%.400s ends at byte %zu; tensor %.100s needs bytes up to %" PRIu64
                           ": the file is cut short, fetch it again",
                           c->file, c->n, entry->tensor.name,
                           entry->end > UINT64_MAX - from ? UINT64_MAX : entry->end + from);
        }
        if (i && entry->begin < entries[i - 1].end) {
            return nt_fail(NT_E_FORMAT, "%.300s: tensors %.100s and %.100s overlap", c->file,
                           entries[i - 1].tensor.name, entry->tensor.name);
        }
    }
    for (size_t i = 0; i < n; i++)
        entries[i].tensor.data = c->bytes + from + entries[i].begin;
    return NT_OK;
}

/* Adds the file's n tensors, whose headers come next. */
static int take_tensors(nt_tensors *tensors, cursor *c, uint64_t n, uint64_t alignment) {
    if (n > (c->n - c->at) / LEAST_TENSOR) {
        return nt_fail(NT_E_FORMAT, "%.400s cannot hold the %" PRIu64 " tensors that it announces",
                       c->file, n);
    }
    NT_TRY(nt_tensors_room(tensors, (size_t)n));
    for (; tensors->n_entries < n; tensors->n_entries++)
        NT_TRY(take_tensor(&tensors->entries[tensors->n_entries], c, &tensors->arena, alignment));
    uint64_t from = (c->at + alignment - 1) / alignment * alignment;
    return check_places(tensors->entries, (size_t)n, c, from);
}

/* ---- The file -------------------------------------------------------------------------------- */

static int take_version(cursor *c) {
    uint32_t version;
    NT_TRY(take_u32(&version, c));
    if (version == 2 || version == 3) return NT_OK;
    if ((version & 0xFFFF) == 0) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s is a GGUF file for big-endian machines, which is not read: convert "
                       "the original checkpoint again, without --bigendian",
                       c->file);
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s is a GGUF file of version %" PRIu32 "; versions 2 and 3 are read",
                   c->file, version);
}

int nt_gguf_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file) {
    cursor c = {.bytes = bytes, .n = n, .at = 4, .file = file};
    uint64_t n_tensors, n_values;
    int64_t alignment = ALIGNMENT;
    if (tensors->n_entries)
        return nt_fail(NT_E_FORMAT, "%.400s is a GGUF file and cannot be one of several shards",
                       file);
    NT_TRY(take_version(&c));
    NT_TRY(take_u64(&n_tensors, &c));
    NT_TRY(take_u64(&n_values, &c));
    nt_gguf *gguf = nt_arena_alloc(&tensors->arena, 1, sizeof *gguf);
    if (!gguf) return NT_E_MEMORY;
    gguf->file = file;
    tensors->gguf = gguf;
    NT_TRY(take_values(gguf, &c, &tensors->arena, n_values));
    NT_TRY(nt_gguf_int(&alignment, gguf, "general.alignment", 1, UINT32_MAX));
    if (alignment & (alignment - 1)) {
        return nt_fail(NT_E_FORMAT, "%.400s: general.alignment is %" PRId64 ", no power of two",
                       file, alignment);
    }
    return take_tensors(tensors, &c, n_tensors, (uint64_t)alignment);
}
