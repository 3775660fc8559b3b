/* From a path to the files of a checkpoint: one file, an index of shards, or a folder. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "format/entries.h"

enum { MAX_INDEX = 25000000 }; /* bytes, as of a safetensors header */

/* Index and checkpoint folder, for messages and paths. */
typedef struct index_file {
    const char *path;
    char *folder;
    json_t *map; /* tensor name -> shard name, borrowed from `json` */
    json_t *json;
    const char **names; /* [n] shard names, sorted, each once */
    size_t n;
} index_file;

static bool is_plain_name(const char *name) {
    return *name && !strchr(name, '/') && !strchr(name, '\\') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int compare_names(const void *a, const void *b) {
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* The shard names of the map, each once. */
static int collect_names(index_file *index) {
    index->names = nt_alloc(json_object_size(index->map), sizeof *index->names);
    if (!index->names) return NT_E_MEMORY;
    const char *key;
    json_t *value;
    json_object_foreach(index->map, key, value) {
        if (!json_is_string(value)) {
            return nt_fail(NT_E_FORMAT, "%.400s: weight_map: \"%.300s\" must be a string and is %s",
                           index->path, key, nt_json_kind(value));
        }
        const char *name = json_string_value(value);
        if (!is_plain_name(name)) {
            return nt_fail(NT_E_FORMAT,
                           "%.300s: weight_map puts %.200s into \"%.200s\", which is no plain file "
                           "name",
                           index->path, key, name);
        }
        index->names[index->n++] = name;
    }
    if (index->n == 0) {
        return nt_fail(NT_E_FORMAT, "%.400s: weight_map names no tensor", index->path);
    }
    qsort(index->names, index->n, sizeof *index->names, compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < index->n; i++) {
        if (strcmp(index->names[i], index->names[kept - 1]) != 0)
            index->names[kept++] = index->names[i];
    }
    index->n = kept;
    return NT_OK;
}

/* folder/name, living as long as the tensors. */
static const char *keep_path(nt_tensors *tensors, const char *folder, const char *name) {
    char *path = nt_path_join(folder, name);
    if (!path) return NULL;
    const char *kept = nt_arena_copy(&tensors->arena, path, strlen(path));
    nt_free(path);
    return kept;
}

static int add_shards(nt_tensors *tensors, const index_file *index) {
    for (size_t i = 0; i < index->n; i++) {
        const char *file = keep_path(tensors, index->folder, index->names[i]);
        if (!file) return NT_E_MEMORY;
        if (nt_file_look(file) == NT_FILE_NONE) {
            return nt_fail(NT_E_NOT_FOUND,
                           "%.300s names the shard %.200s, which is not in %.300s: fetch it too",
                           index->path, index->names[i], index->folder);
        }
        NT_TRY(nt_tensors_add(tensors, file));
    }
    return nt_tensors_sort(tensors);
}

/* Each tensor of the map must be in the shard that the map names. A tensor that a shard holds and
 * the map lacks is taken, as transformers takes it. */
static int check_map(const nt_tensors *tensors, const index_file *index) {
    const char *key;
    json_t *value;
    json_object_foreach(index->map, key, value) {
        const nt_entry *entry = nt_tensors_entry(tensors, key);
        const char *wanted = json_string_value(value);
        if (!entry) {
            return nt_fail(NT_E_FORMAT, "%.400s: tensor %.300s is not in its shard %.200s",
                           index->path, key, wanted);
        }
        const char *slash = strrchr(entry->tensor.file, '/');
        const char *found = slash ? slash + 1 : entry->tensor.file;
        if (strcmp(found, wanted) != 0) {
            return nt_fail(NT_E_FORMAT,
                           "%.300s: tensor %.300s: expected in %.150s, found in %.150s",
                           index->path, key, wanted, found);
        }
    }
    return NT_OK;
}

static int add_index(nt_tensors *tensors, const char *path) {
    index_file index = {.path = path};
    NT_TRY(nt_json_read(&index.json, path, MAX_INDEX));
    int status = NT_OK;
    index.map = json_object_get(index.json, "weight_map");
    index.folder = nt_path_folder(path);
    if (!index.folder) {
        status = NT_E_MEMORY;
    } else if (!json_is_object(index.map)) {
        status = nt_fail(NT_E_FORMAT, "%.400s: weight_map must be an object and is %s", path,
                         nt_json_kind(index.map));
    }
    if (status == NT_OK) status = collect_names(&index);
    if (status == NT_OK) status = add_shards(tensors, &index);
    if (status == NT_OK) status = check_map(tensors, &index);
    nt_free(index.names);
    nt_free(index.folder);
    json_decref(index.json);
    return status;
}

static int add_file(nt_tensors *tensors, const char *path) {
    NT_TRY(nt_tensors_add(tensors, path));
    return nt_tensors_sort(tensors);
}

/* In the order in which transformers looks for them. */
static int add_folder(nt_tensors *tensors, const char *folder) {
    static const struct {
        const char *name;
        int (*add)(nt_tensors *tensors, const char *path);
    } forms[] = {
        {"model.safetensors", add_file},
        {"model.safetensors.index.json", add_index},
        {"pytorch_model.bin", add_file},
        {"pytorch_model.bin.index.json", add_index},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *path = keep_path(tensors, folder, forms[i].name);
        if (!path) return NT_E_MEMORY;
        if (nt_file_look(path) != NT_FILE_NONE) return forms[i].add(tensors, path);
    }
    return nt_foreign_folder(folder);
}

int nt_shards_add(nt_tensors *tensors, const char *path) {
    if (nt_file_look(path) == NT_FILE_FOLDER) return add_folder(tensors, path);
    size_t n = strlen(path);
    if (n >= 5 && strcmp(path + n - 5, ".json") == 0) return add_index(tensors, path);
    return add_file(tensors, path);
}
