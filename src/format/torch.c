/* One file of torch.save: the pickle of a state dict, and the storages that its tensors see into.
 * Since PyTorch 1.6 these are members of a zip file, before that they follow the pickle. Formats:
 * torch/serialization.py (_save, _legacy_save). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "format/entries.h"
#include "format/pickle.h"
#include "format/zip.h"

enum { LEGACY_VERSION = 1001, COUNT_BYTES = 8, MOST_COPIES = 4 };

/* The file that is read. */
typedef struct source {
    const unsigned char *bytes; /* [n] */
    size_t n;
    const char *file;
    nt_tensors *tensors;
    nt_pickle *pickle;
    uint64_t n_copied; /* bytes of tensors that had to be put in order */
} source;

static int fail_broken(const source *in, const char *what) {
    return nt_fail(NT_E_FORMAT, "%.400s: a broken PyTorch file: %s", in->file, what);
}

/* ---- Storages ---- */

/* As %.*s takes them. */
#define TEXT_OF(value) (int)((value).n < 200 ? (value).n : 200), (value).text

/* Gives a storage its bytes, which must be as many as its id says. */
static int place(const source *in, nt_pickle_storage *storage, const unsigned char *data,
                 uint64_t n) {
    uint64_t size = storage->type->size, wanted;
    if (__builtin_mul_overflow(storage->n_items, size, &wanted) || wanted != n) {
        return nt_fail(NT_E_FORMAT,
                       "%.300s: storage %.*s: expected %" PRIu64
                       " numbers of type %s, found %" PRIu64 " bytes",
                       in->file, TEXT_OF(storage->key), storage->n_items, storage->type->type, n);
    }
    storage->data = data;
    storage->n_bytes = n;
    if (storage->view) {
        storage->data = data + storage->begin * size;
        storage->n_bytes = storage->n_view * size;
    }
    storage->placed = true;
    return NT_OK;
}

/* ---- Tensors ---- */

/* The shape's product, and how many items lie between the first and behind the last. */
static int measure(uint64_t *n_items, uint64_t *extent, const source *in, const nt_entry *entry,
                   const nt_pickle_tensor *from) {
    bool overflow = false;
    *n_items = 1;
    for (size_t i = 0; i < from->shape->n; i++) {
        uint64_t size = (uint64_t)from->shape->values[i].number;
        overflow |= __builtin_mul_overflow(*n_items, size, n_items);
    }
    *extent = *n_items > 0;
    for (size_t i = 0; i<from->shape->n && * n_items> 0; i++) {
        uint64_t size = (uint64_t)from->shape->values[i].number, way;
        uint64_t stride = (uint64_t)from->stride->values[i].number;
        overflow |= __builtin_mul_overflow(size - 1, stride, &way);
        overflow |= __builtin_add_overflow(*extent, way, extent);
    }
    if (!overflow) return NT_OK;
    return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s is of a shape that overflows", in->file,
                   entry->tensor.name);
}

static bool is_row_major(const nt_pickle_tensor *from) {
    uint64_t stride = 1;
    for (size_t i = from->shape->n; i-- > 0;) {
        uint64_t size = (uint64_t)from->shape->values[i].number;
        if (size != 1 && (uint64_t)from->stride->values[i].number != stride) return false;
        stride *= size;
    }
    return true;
}

/* A transposed view, or the like, as a copy in order. */
static int put_in_order(source *in, nt_entry *entry, const nt_pickle_tensor *from,
                        const unsigned char *data) {
    nt_tensor *tensor = &entry->tensor;
    size_t size = from->type->size, n_bytes = (size_t)tensor->n_items * size;
    /* Numbers that the file does not hold so often would be a way to fill the memory. */
    if (n_bytes > from->storage->n_bytes || n_bytes > MOST_COPIES * in->n - in->n_copied) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.300s: tensor %.200s repeats numbers (an expanded view); save its "
                       "contiguous() instead",
                       in->file, tensor->name);
    }
    in->n_copied += n_bytes;
    unsigned char *copy = nt_arena_alloc(&in->tensors->arena, n_bytes, 1);
    if (!copy) return NT_E_MEMORY;
    uint64_t at = 0, index[NT_MAX_DIMS] = {0};
    for (uint64_t i = 0; i < tensor->n_items; i++) {
        memcpy(copy + i * size, data + at * size, size);
        for (int d = tensor->n_dims; d-- > 0;) {
            uint64_t stride = (uint64_t)from->stride->values[d].number;
            at += stride;
            if (++index[d] < (uint64_t)tensor->shape[d]) break;
            at -= stride * index[d];
            index[d] = 0;
        }
    }
    tensor->data = copy;
    return NT_OK;
}

/* Checks the tensor's place and makes it an entry; entry->tensor.name is set. */
static int read_tensor(source *in, nt_entry *entry, const nt_pickle_tensor *from) {
    const nt_pickle_storage *storage = from->storage;
    uint64_t extent, size = from->type->size, room = storage->n_bytes / size;
    nt_tensor *tensor = &entry->tensor;
    NT_TRY(measure(&tensor->n_items, &extent, in, entry, from));
    if (from->offset > room || extent > room - from->offset) {
        return nt_fail(NT_E_FORMAT,
                       "%.300s: tensor %.200s needs %" PRIu64 " numbers from %" PRIu64
                       " on of a storage of %" PRIu64,
                       in->file, tensor->name, extent, from->offset, room);
    }
    entry->type = from->type->type;
    entry->n_dims = (int)from->shape->n; /* as many as fit the pickle */
    entry->usable = from->type->dtype != NT_N_DTYPES && entry->n_dims <= NT_MAX_DIMS;
    tensor->file = in->file;
    tensor->n_dims = entry->n_dims < NT_MAX_DIMS ? entry->n_dims : NT_MAX_DIMS;
    for (int d = 0; d < tensor->n_dims; d++)
        tensor->shape[d] = from->shape->values[d].number;
    entry->end = tensor->n_items * size;
    tensor->dtype = from->type->dtype;
    if (tensor->n_items == 0 || is_row_major(from)) {
        tensor->data = storage->data + from->offset * size;
        return NT_OK;
    }
    if (!entry->usable) return NT_OK;
    return put_in_order(in, entry, from, storage->data + from->offset * size);
}

/* ---- The state dict ---- */

static bool has_tensors(nt_pickle_value dict) {
    for (size_t i = 1; i < dict.items->n; i += 2) {
        if (dict.items->values[i].kind == NT_PICKLE_TENSOR) return true;
    }
    return false;
}

/* What stands in a state dict beside tensors: plain values say nothing about the network;
 * anything else is told. */
static int skip_value(const source *in, nt_pickle_value key, nt_pickle_value value) {
    if (value.kind <= NT_PICKLE_BYTES) return NT_OK;
    if (value.kind == NT_PICKLE_DICT && has_tensors(value)) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.300s is a checkpoint of a training run, whose tensors are inside its "
                       "\"%.*s\": in Python, torch.save(torch.load(FILE)[\"%.*s\"], "
                       "\"pytorch_model.bin\") takes them out",
                       in->file, TEXT_OF(key), TEXT_OF(key));
    }
    return nt_fail(NT_E_UNSUPPORTED, "%.400s is no state dict: its \"%.*s\" is %s, not a tensor",
                   in->file, TEXT_OF(key), nt_pickle_kind_name(value));
}

static int add_tensor(source *in, nt_pickle_value key, const nt_pickle_tensor *from) {
    if (memchr(key.text, 0, key.n)) return fail_broken(in, "a tensor's name has a zero byte");
    nt_tensors *tensors = in->tensors;
    nt_entry *entry = &tensors->entries[tensors->n_entries];
    *entry = (nt_entry){0};
    entry->tensor.name = nt_arena_copy(&tensors->arena, key.text, key.n);
    if (!entry->tensor.name) return NT_E_MEMORY;
    NT_TRY(read_tensor(in, entry, from));
    tensors->n_entries++;
    return NT_OK;
}

static int check_root(const source *in, nt_pickle_value root) {
    if (root.kind == NT_PICKLE_DICT) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s holds %s, not the dict of a model's tensors (its state_dict())",
                   in->file, nt_pickle_kind_name(root));
}

/* Adds the tensors of a dict whose storages have their places. */
static int add_tensors(source *in, nt_pickle_value root) {
    size_t n = root.items->n / 2;
    NT_TRY(nt_tensors_room(in->tensors, n));
    for (size_t i = 0; i < n; i++) {
        nt_pickle_value key = root.items->values[2 * i], value = root.items->values[2 * i + 1];
        if (key.kind != NT_PICKLE_TEXT)
            return fail_broken(in, "its state dict has a name that is no text");
        if (value.kind == NT_PICKLE_TENSOR)
            NT_TRY(add_tensor(in, key, value.tensor));
        else
            NT_TRY(skip_value(in, key, value));
    }
    return NT_OK;
}

/* ---- The zip form ---- */

typedef struct archive {
    nt_zip zip;
    const char *name; /* [n_name]: the folder that all members are in */
    size_t n_name;
    nt_buffer path;
} archive;

/* The member folder/name; *out is NULL when there is none. */
static int find_member(const nt_zip_member **out, archive *a, const char *name, size_t n) {
    nt_buffer_clear(&a->path);
    nt_buffer_put(&a->path, a->name, a->n_name);
    nt_buffer_putc(&a->path, '/');
    nt_buffer_put(&a->path, name, n);
    if (a->path.status != NT_OK) return a->path.status;
    *out = nt_zip_find(&a->zip, a->path.data, a->path.n);
    return NT_OK;
}

static int need_stored(const source *in, const nt_zip_member *member) {
    if (!member->why) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.300s: its %.*s %s, as torch.save writes none: unpack the file and zip it "
                   "again with zip -0, or load and save it with torch",
                   in->file, (int)(member->n_name < 200 ? member->n_name : 200), member->name,
                   member->why);
}

/* The folder is that of the first member, as in torch. */
static int find_folder(const source *in, archive *a) {
    const nt_zip_member *first = a->zip.first;
    const char *slash = first ? memchr(first->name, '/', first->n_name) : NULL;
    if (slash) {
        a->name = first->name;
        a->n_name = (size_t)(slash - first->name);
        return NT_OK;
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s is a zip file that torch.save did not write; a checkpoint is needed",
                   in->file);
}

static int check_byte_order(const source *in, archive *a) {
    const nt_zip_member *order;
    NT_TRY(find_member(&order, a, "byteorder", 9));
    if (!order) return NT_OK; /* before PyTorch 2.1: little-endian */
    NT_TRY(need_stored(in, order));
    if (order->n == 6 && memcmp(order->data, "little", 6) == 0) return NT_OK;
    if (order->n != 3 || memcmp(order->data, "big", 3) != 0)
        return fail_broken(in, "its byteorder is neither little nor big");
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s holds big-endian numbers: load and save it with torch on a machine of "
                   "today's usual kind",
                   in->file);
}

static int find_pickle(const nt_zip_member **out, const source *in, archive *a) {
    const nt_zip_member *constants;
    NT_TRY(find_member(&constants, a, "constants.pkl", 13));
    if (constants) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s is a program of TorchScript or a rust_model.ot, which are not read: "
                       "use the checkpoint that it was made from",
                       in->file);
    }
    NT_TRY(find_member(out, a, "data.pkl", 8));
    if (*out) return need_stored(in, *out);
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s is a zip file without data.pkl, which torch.save did not write; a "
                   "checkpoint is needed",
                   in->file);
}

static int place_member(const source *in, archive *a, nt_pickle_storage *storage) {
    nt_buffer key = {0};
    nt_buffer_puts(&key, "data/");
    nt_buffer_put(&key, storage->key.text, storage->key.n);
    const nt_zip_member *member = NULL;
    int status = key.status;
    if (status == NT_OK) status = find_member(&member, a, key.data, key.n);
    nt_buffer_free(&key);
    NT_TRY(status);
    if (!member) {
        return nt_fail(NT_E_FORMAT, "%.400s: a broken PyTorch file: storage %.*s is not in it",
                       in->file, TEXT_OF(storage->key));
    }
    NT_TRY(need_stored(in, member));
    return place(in, storage, member->data, member->n);
}

static int read_archive(source *in, archive *a) {
    nt_pickle *pickle = in->pickle;
    const nt_zip_member *program = NULL;
    nt_pickle_value root;
    NT_TRY(nt_zip_read(&a->zip, &pickle->arena, in->bytes, in->n, in->file));
    NT_TRY(find_folder(in, a));
    NT_TRY(find_pickle(&program, in, a));
    NT_TRY(check_byte_order(in, a));
    pickle->bytes = program->data;
    pickle->n = (size_t)program->n;
    NT_TRY(nt_pickle_read(&root, pickle));
    NT_TRY(check_root(in, root));
    for (size_t i = 0; i < pickle->n_storages; i++)
        NT_TRY(place_member(in, a, pickle->storages[i]));
    return add_tensors(in, root);
}

static int read_zip(source *in) {
    archive a = {0};
    int status = read_archive(in, &a);
    nt_buffer_free(&a.path);
    return status;
}

/* ---- The form before it: pickles of a magic number, a version, the system, the state dict, the
 * storages' keys; then each storage's count and numbers ---- */

static int compare_keys(nt_pickle_value a, nt_pickle_value b) {
    int order = memcmp(a.text, b.text, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *a, const void *b) {
    const nt_pickle_storage *const *left = a, *const *right = b;
    return compare_keys((*left)->key, (*right)->key);
}

/* The first of the storages, sorted by key, that is of this key; their number when none is. */
static size_t find_storage(const nt_pickle *pickle, nt_pickle_value key) {
    size_t low = 0, high = pickle->n_storages;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(pickle->storages[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < pickle->n_storages && compare_keys(pickle->storages[low]->key, key) == 0;
    return found ? low : pickle->n_storages;
}

static uint64_t little_endian(const unsigned char bytes[COUNT_BYTES]) {
    uint64_t value = 0;
    for (size_t i = COUNT_BYTES; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* The storage of this key lies at *at, which moves on. */
static int place_next(const source *in, size_t *at, nt_pickle_value key) {
    const nt_pickle *pickle = in->pickle;
    if (key.kind != NT_PICKLE_TEXT) return fail_broken(in, "a storage's key is no text");
    size_t i = find_storage(pickle, key);
    if (i == pickle->n_storages) return fail_broken(in, "it has a storage that no tensor uses");
    if (pickle->storages[i]->placed) return fail_broken(in, "it has a storage twice");
    if (in->n - *at < COUNT_BYTES) return fail_broken(in, "it is cut short, fetch it again");
    uint64_t n_items = little_endian(in->bytes + *at), n_bytes;
    *at += COUNT_BYTES;
    uint64_t size = pickle->storages[i]->type->size;
    if (__builtin_mul_overflow(n_items, size, &n_bytes) || n_bytes > in->n - *at)
        return fail_broken(in, "it is cut short, fetch it again");
    const unsigned char *data = in->bytes + *at;
    *at += (size_t)n_bytes;
    for (; i < pickle->n_storages && compare_keys(pickle->storages[i]->key, key) == 0; i++)
        NT_TRY(place(in, pickle->storages[i], data, n_bytes));
    return NT_OK;
}

static int place_storages(const source *in, nt_pickle_value keys) {
    nt_pickle *pickle = in->pickle;
    if (keys.kind != NT_PICKLE_LIST) return fail_broken(in, "the keys of its storages are no list");
    if (pickle->n_storages)
        qsort(pickle->storages, pickle->n_storages, sizeof *pickle->storages, by_key);
    size_t at = pickle->at;
    for (size_t i = 0; i < keys.items->n; i++)
        NT_TRY(place_next(in, &at, keys.items->values[i]));
    for (size_t i = 0; i < pickle->n_storages; i++) {
        if (!pickle->storages[i]->placed)
            return fail_broken(in, "it lacks a storage that a tensor uses");
    }
    return NT_OK;
}

/* The magic number, the version and the byte order. */
static int read_preamble(const source *in) {
    static const unsigned char magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                          0x20, 0x6a, 0xa8, 0x50, 0x19};
    nt_pickle_value value;
    NT_TRY(nt_pickle_read(&value, in->pickle));
    if (value.kind != NT_PICKLE_LONG || value.n != sizeof magic ||
        memcmp(value.text, magic, sizeof magic) != 0) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s is a Python pickle that torch.save did not write: it holds %s; a "
                       "checkpoint is needed",
                       in->file, nt_pickle_kind_name(value));
    }
    NT_TRY(nt_pickle_read(&value, in->pickle));
    if (value.kind != NT_PICKLE_INT || value.number != LEGACY_VERSION)
        return fail_broken(in, "its version is not 1001");
    NT_TRY(nt_pickle_read(&value, in->pickle));
    const nt_pickle_value *little = nt_pickle_member(value, "little_endian");
    if (!little || little->kind != NT_PICKLE_BOOL)
        return fail_broken(in, "it does not tell its byte order");
    if (little->number) return NT_OK;
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s holds big-endian numbers: load and save it with torch on a machine of "
                   "today's usual kind",
                   in->file);
}

static int read_legacy(source *in) {
    nt_pickle_value root, keys;
    in->pickle->bytes = in->bytes;
    in->pickle->n = in->n;
    NT_TRY(read_preamble(in));
    NT_TRY(nt_pickle_read(&root, in->pickle));
    NT_TRY(check_root(in, root));
    NT_TRY(nt_pickle_read(&keys, in->pickle));
    NT_TRY(place_storages(in, keys));
    return add_tensors(in, root);
}

int nt_torch_read(nt_tensors *tensors, const unsigned char *bytes, size_t n, const char *file) {
    nt_pickle pickle = {.file = file};
    source in = {.bytes = bytes, .n = n, .file = file, .tensors = tensors, .pickle = &pickle};
    int status = bytes[0] == 'P' ? read_zip(&in) : read_legacy(&in);
    nt_pickle_free(&pickle);
    return status;
}
