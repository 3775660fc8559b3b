/* The names that a state dict's pickle may use, and what calling them comes to. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "format/pickle.h"

typedef nt_pickle_value value;

/* How torch.Tensor, its kind and its parts are made. */
typedef enum call {
    CALL_NOTHING,
    CALL_DICT,      /* (), or one list of pairs */
    CALL_TUPLE,     /* one tuple */
    CALL_TENSOR,    /* storage, offset, shape, stride[, requires_grad, hooks[, metadata]] */
    CALL_TENSOR_V3, /* the same with a type before metadata */
    CALL_PARAMETER, /* one tensor, and what else it was */
    CALL_FROM_TYPE  /* function, class, its arguments, state */
} call;

struct nt_pickle_global {
    const char *module, *name;
    call call;
    const nt_pickle_type *type; /* of a type or a storage */
};

static const nt_pickle_type types[] = {
    {"float32", "FloatStorage", "F32", 4, NT_F32},
    {"float16", "HalfStorage", "F16", 2, NT_F16},
    {"bfloat16", "BFloat16Storage", "BF16", 2, NT_BF16},
    {"float64", "DoubleStorage", "F64", 8, NT_F64},
    {"uint8", "ByteStorage", "U8", 1, NT_N_DTYPES},
    {"int8", "CharStorage", "I8", 1, NT_N_DTYPES},
    {"int16", "ShortStorage", "I16", 2, NT_N_DTYPES},
    {"int32", "IntStorage", "I32", 4, NT_N_DTYPES},
    {"int64", "LongStorage", "I64", 8, NT_N_DTYPES},
    {"bool", "BoolStorage", "BOOL", 1, NT_N_DTYPES},
    {"complex64", "ComplexFloatStorage", "C64", 8, NT_N_DTYPES},
    {"complex128", "ComplexDoubleStorage", "C128", 16, NT_N_DTYPES},
    {"uint16", NULL, "U16", 2, NT_N_DTYPES},
    {"uint32", NULL, "U32", 4, NT_N_DTYPES},
    {"uint64", NULL, "U64", 8, NT_N_DTYPES},
    {"float8_e4m3fn", NULL, "F8_E4M3", 1, NT_N_DTYPES},
    {"float8_e5m2", NULL, "F8_E5M2", 1, NT_N_DTYPES},
    {"float8_e4m3fnuz", NULL, "F8_E4M3FNUZ", 1, NT_N_DTYPES},
    {"float8_e5m2fnuz", NULL, "F8_E5M2FNUZ", 1, NT_N_DTYPES},
    {"float8_e8m0fnu", NULL, "F8_E8M0", 1, NT_N_DTYPES},
};

enum { N_TYPES = sizeof types / sizeof *types, BYTE_TYPE = 4 };

static const nt_pickle_global functions[] = {
    {"collections", "OrderedDict", CALL_DICT, NULL},
    {"torch", "Size", CALL_TUPLE, NULL},
    {"torch._utils", "_rebuild_tensor", CALL_TENSOR, NULL},
    {"torch._utils", "_rebuild_tensor_v2", CALL_TENSOR, NULL},
    {"torch._utils", "_rebuild_tensor_v3", CALL_TENSOR_V3, NULL},
    {"torch._utils", "_rebuild_parameter", CALL_PARAMETER, NULL},
    {"torch._utils", "_rebuild_parameter_with_state", CALL_PARAMETER, NULL},
    {"torch._tensor", "_rebuild_from_type_v2", CALL_FROM_TYPE, NULL},
    {"torch.tensor", "_rebuild_from_type_v2", CALL_FROM_TYPE, NULL},
    {"torch", "Tensor", CALL_NOTHING, NULL},
    {"torch.nn.parameter", "Parameter", CALL_NOTHING, NULL},
};

/* One for each type, as "torch.float32" and as "torch.FloatStorage"; the bytes of a storage without
 * a type are ByteStorage's. */
#define TYPE(i)                                                                                    \
    { "torch", NULL, CALL_NOTHING, &types[i] }
static const nt_pickle_global type_globals[N_TYPES] = {
    TYPE(0),  TYPE(1),  TYPE(2),  TYPE(3),  TYPE(4),  TYPE(5),  TYPE(6),
    TYPE(7),  TYPE(8),  TYPE(9),  TYPE(10), TYPE(11), TYPE(12), TYPE(13),
    TYPE(14), TYPE(15), TYPE(16), TYPE(17), TYPE(18), TYPE(19),
};
static const nt_pickle_global storage_globals[N_TYPES] = {
    TYPE(0),  TYPE(1),  TYPE(2),  TYPE(3),  TYPE(4),  TYPE(5),  TYPE(6),
    TYPE(7),  TYPE(8),  TYPE(9),  TYPE(10), TYPE(11), TYPE(12), TYPE(13),
    TYPE(14), TYPE(15), TYPE(16), TYPE(17), TYPE(18), TYPE(19),
};

static bool is(value v, const char *text) {
    return v.n == strlen(text) && memcmp(v.text, text, v.n) == 0;
}

static bool is_storage_module(value module) {
    return is(module, "torch") || is(module, "torch.cuda") || is(module, "torch.storage");
}

static const nt_pickle_global *find(value module, value name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (is(module, functions[i].module) && is(name, functions[i].name)) return &functions[i];
    }
    bool storage = is_storage_module(module);
    if (storage && (is(name, "UntypedStorage") || is(name, "_UntypedStorage")))
        return &storage_globals[BYTE_TYPE];
    for (size_t i = 0; i < N_TYPES; i++) {
        if (is(module, "torch") && is(name, types[i].name)) return &type_globals[i];
        if (storage && types[i].storage && is(name, types[i].storage)) return &storage_globals[i];
    }
    return NULL;
}

int nt_pickle_find_global(const nt_pickle_global **out, const nt_pickle *pickle, value module,
                          value name) {
    *out = find(module, name);
    if (*out) return NT_OK;
    int n_module = module.n < 100 ? (int)module.n : 100, n_name = name.n < 100 ? (int)name.n : 100;
    return nt_fail(
        NT_E_UNSUPPORTED,
        "%.400s asks Python to run %.*s.%.*s, which no weights need: nothing was run and "
        "nothing is read; get model.safetensors, or a file that torch.save wrote of a "
        "state_dict()",
        pickle->file, n_module, module.text, n_name, name.text);
}

/* ---- Calls ---- */

static int fail_call(const nt_pickle *pickle, const char *what) {
    return nt_fail(NT_E_FORMAT, "%.400s: its pickle is broken: %s", pickle->file, what);
}

static bool is_count(value v) {
    return v.kind == NT_PICKLE_INT && v.number >= 0;
}

/* A shape or a stride. */
static bool is_counts(value v) {
    if (v.kind != NT_PICKLE_TUPLE && v.kind != NT_PICKLE_LIST) return false;
    for (size_t i = 0; i < v.items->n; i++) {
        if (!is_count(v.items->values[i])) return false;
    }
    return true;
}

/* The arguments of a tensor [n], n >= 4, whose type is its storage's where type is NULL. */
static int make_tensor(value *out, nt_pickle *pickle, const value *v, const nt_pickle_type *type,
                       const value *metadata) {
    if (v[0].kind != NT_PICKLE_STORAGE || !is_count(v[1]) || !is_counts(v[2]) || !is_counts(v[3]) ||
        v[2].items->n != v[3].items->n)
        return fail_call(pickle, "a tensor is not made of a storage, an offset, a shape and a "
                                 "stride");
    if (metadata && metadata->kind == NT_PICKLE_DICT && metadata->items->n) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: a tensor is stored negated or conjugated, which is not read; save "
                       "its resolve_neg() instead",
                       pickle->file);
    }
    int status;
    nt_pickle_tensor *tensor = nt_pickle_alloc(pickle, 1, sizeof *tensor, &status);
    if (!tensor) return status;
    *tensor = (nt_pickle_tensor){.storage = v[0].storage,
                                 .type = type ? type : v[0].storage->type,
                                 .offset = (uint64_t)v[1].number,
                                 .shape = v[2].items,
                                 .stride = v[3].items};
    *out = (value){.kind = NT_PICKLE_TENSOR, .tensor = tensor};
    return NT_OK;
}

static int call_tensor(value *out, nt_pickle *pickle, const value *v, size_t n) {
    if (n < 4 || n > 7) return fail_call(pickle, "_rebuild_tensor takes 4 to 7 arguments");
    return make_tensor(out, pickle, v, NULL, n == 7 ? &v[6] : NULL);
}

static int call_tensor_v3(value *out, nt_pickle *pickle, const value *v, size_t n) {
    if (n < 7 || n > 8 || v[6].kind != NT_PICKLE_GLOBAL || !v[6].global->type)
        return fail_call(pickle, "_rebuild_tensor_v3 takes 7 or 8 arguments, with a type");
    return make_tensor(out, pickle, v, v[6].global->type, n == 8 ? &v[7] : NULL);
}

/* One list of pairs, as Python 2 writes an OrderedDict. */
static int add_pairs(nt_pickle *pickle, nt_pickle_items *items, value list) {
    if (list.kind != NT_PICKLE_LIST) return fail_call(pickle, "OrderedDict takes a list of pairs");
    for (size_t i = 0; i < list.items->n; i++) {
        value pair = list.items->values[i];
        if ((pair.kind != NT_PICKLE_LIST && pair.kind != NT_PICKLE_TUPLE) || pair.items->n != 2)
            return fail_call(pickle, "OrderedDict takes a list of pairs");
        NT_TRY(nt_pickle_append(pickle, items, pair.items->values, 2));
    }
    return NT_OK;
}

static int call_dict(value *out, nt_pickle *pickle, const value *v, size_t n) {
    if (n > 1) return fail_call(pickle, "OrderedDict takes a list of pairs");
    *out = (value){.kind = NT_PICKLE_DICT};
    NT_TRY(nt_pickle_items_new(&out->items, pickle, NULL, 0));
    return n ? add_pairs(pickle, out->items, v[0]) : NT_OK;
}

static int call_tuple(value *out, nt_pickle *pickle, const value *v, size_t n) {
    if (n != 1 || v[0].kind != NT_PICKLE_TUPLE)
        return fail_call(pickle, "torch.Size takes a tuple");
    *out = v[0];
    return NT_OK;
}

static int call_parameter(value *out, nt_pickle *pickle, const value *v, size_t n) {
    if (n < 1 || v[0].kind != NT_PICKLE_TENSOR)
        return fail_call(pickle, "_rebuild_parameter takes a tensor");
    *out = v[0];
    return NT_OK;
}

static int call_plain(value *out, nt_pickle *pickle, call what, const value *v, size_t n) {
    switch (what) {
    case CALL_DICT: return call_dict(out, pickle, v, n);
    case CALL_TUPLE: return call_tuple(out, pickle, v, n);
    case CALL_TENSOR: return call_tensor(out, pickle, v, n);
    case CALL_TENSOR_V3: return call_tensor_v3(out, pickle, v, n);
    case CALL_PARAMETER: return call_parameter(out, pickle, v, n);
    default: return fail_call(pickle, "it calls what is no function");
    }
}

int nt_pickle_call(value *out, nt_pickle *pickle, value function, value arguments) {
    if (function.kind != NT_PICKLE_GLOBAL || arguments.kind != NT_PICKLE_TUPLE)
        return fail_call(pickle, "it calls what is no function");
    const value *v = arguments.items->values;
    size_t n = arguments.items->n;
    call what = function.global->call;
    if (what != CALL_FROM_TYPE) return call_plain(out, pickle, what, v, n);
    if (n < 3 || v[0].kind != NT_PICKLE_GLOBAL || v[2].kind != NT_PICKLE_TUPLE)
        return fail_call(pickle, "_rebuild_from_type_v2 takes a function and its arguments");
    return call_plain(out, pickle, v[0].global->call, v[2].items->values, v[2].items->n);
}

/* ---- Persistent ids ---- */

/* Of old files: a key, the first item and how many of the storage's it sees. */
static bool read_view(nt_pickle_storage *storage, value v) {
    if (v.kind == NT_PICKLE_NONE) return true;
    if (v.kind != NT_PICKLE_TUPLE || v.items->n != 3) return false;
    const value *part = v.items->values;
    if (!is_count(part[1]) || !is_count(part[2])) return false;
    storage->view = true;
    storage->begin = (uint64_t)part[1].number;
    storage->n_view = (uint64_t)part[2].number;
    return storage->begin <= storage->n_items &&
           storage->n_view <= storage->n_items - storage->begin;
}

int nt_pickle_persistent(value *out, nt_pickle *pickle, value id) {
    const value *v = id.kind == NT_PICKLE_TUPLE ? id.items->values : NULL;
    size_t n = v ? id.items->n : 0;
    if (n > 0 && nt_pickle_is_text(v[0], "module")) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s holds a whole model of Python, not its weights: nothing was run; "
                       "save its state_dict() instead",
                       pickle->file);
    }
    if (n < 5 || n > 6 || !nt_pickle_is_text(v[0], "storage") || v[1].kind != NT_PICKLE_GLOBAL ||
        !v[1].global->type || v[2].kind != NT_PICKLE_TEXT || !is_count(v[4]))
        return fail_call(pickle, "a persistent id is not one of a storage");
    int status;
    nt_pickle_storage *storage = nt_pickle_alloc(pickle, 1, sizeof *storage, &status);
    if (!storage) return status;
    *storage = (nt_pickle_storage){
        .type = v[1].global->type, .key = v[2], .n_items = (uint64_t)v[4].number};
    if (n == 6 && !read_view(storage, v[5]))
        return fail_call(pickle, "a view of a storage lies outside it");
    void *storages = pickle->storages;
    NT_TRY(nt_grow(&storages, &pickle->storages_capacity, pickle->n_storages + 1,
                   sizeof *pickle->storages));
    pickle->storages = storages;
    pickle->storages[pickle->n_storages++] = storage;
    *out = (value){.kind = NT_PICKLE_STORAGE, .storage = storage};
    return NT_OK;
}
