#include "hub/snapshot.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "format/config.h"

enum { MAX_INDEX = 25000000 /* bytes, as in format/shards.c */, MAX_SHARDS = 10000 };

typedef struct survey {
    const nt_hub_repo *repo;
    const char *commit;
    nt_hub_missing missing;
    void *payload;
    bool usable;
} survey;

/* What is known of a file; of one of which nothing is, `missing` is told. */
static int look(nt_hub_known *known, survey *s, const char *file, bool required) {
    NT_TRY(nt_hub_knows(known, s->repo, s->commit, file));
    if (*known != NT_HUB_HAS && required) s->usable = false;
    if (*known != NT_HUB_UNKNOWN) return NT_OK;
    return s->missing(s->payload, file, required);
}

static int look_shards(survey *s, const char *index) {
    char *path = nt_hub_path("%s/snapshots/%s/%s", s->repo->folder, s->commit, index);
    json_t *object;
    int status = path ? nt_json_read(&object, path, MAX_INDEX) : NT_E_MEMORY;
    nt_free(path);
    NT_TRY(status);
    const char *tensor;
    json_t *shard, *map = json_object_get(object, "weight_map");
    json_t *seen = json_object();
    if (!seen) status = nt_fail_memory(0);
    if (status == NT_OK && !json_is_object(map))
        status = nt_fail(NT_E_FORMAT, "%s: weight_map must be an object and is %s", index,
                         nt_json_kind(map));
    json_object_foreach(map, tensor, shard) {
        const char *name = json_string_value(shard);
        nt_hub_known known;
        if (status != NT_OK) break;
        if (!name || strchr(name, '/') || !nt_hub_is_file_name(name)) {
            status = nt_fail(NT_E_FORMAT,
                             "%s puts %.200s into \"%.200s\", which is no plain file "
                             "name",
                             index, tensor, name ? name : "");
        } else if (json_object_get(seen, name)) {
            continue;
        } else if (json_object_size(seen) == MAX_SHARDS) {
            status = nt_fail(NT_E_FORMAT, "%s names more than %d files: no model has so many",
                             index, (int)MAX_SHARDS);
        } else {
            if (json_object_set_new(seen, name, json_true()) != 0) status = nt_fail_memory(0);
            if (status == NT_OK) status = look(&known, s, name, true);
        }
    }
    json_decref(seen);
    json_decref(object);
    return status;
}

/* The best of what is there, as transformers looks for them; pickles last. */
static int look_weights(survey *s) {
    static const struct {
        const char *file;
        bool index;
    } kinds[] = {{"model.safetensors", false},
                 {"model.safetensors.index.json", true},
                 {"pytorch_model.bin", false},
                 {"pytorch_model.bin.index.json", true}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        nt_hub_known known;
        NT_TRY(look(&known, s, kinds[i].file, false));
        if (known == NT_HUB_HAS) return kinds[i].index ? look_shards(s, kinds[i].file) : NT_OK;
        if (known == NT_HUB_UNKNOWN) {
            s->usable = false;
            return NT_OK;
        }
    }
    s->usable = false;
    char name[NT_HUB_MAX_REPO + 1] = "";
    nt_hub_folder_repo(name, strrchr(s->repo->folder, '/') + 1);
    return nt_fail(NT_E_NOT_FOUND,
                   "%s holds neither safetensors nor pytorch_model.bin at its top: it is no model "
                   "that can be opened by its name (a GGUF file is had with nextoken pull %s "
                   "FILE.gguf; weights of TensorFlow, Flax or ONNX with the program that made "
                   "them)",
                   name, name);
}

/* What no family here can run is refused before its weights are fetched. Whatever else is wrong
 * with a config.json is told when it is opened. */
static int look_config(const survey *s) {
    nt_config config;
    char *path = nt_hub_path("%s/snapshots/%s/config.json", s->repo->folder, s->commit);
    int status = path ? nt_config_read(&config, path) : NT_E_MEMORY;
    nt_free(path);
    return status == NT_E_UNSUPPORTED || status == NT_E_MEMORY ? status : NT_OK;
}

static int look_tokenizer(survey *s, bool required) {
    static const char *const beside[] = {"tokenizer_config.json", "special_tokens_map.json",
                                         "added_tokens.json"};
    nt_hub_known known, vocab = NT_HUB_LACKS, merges;
    NT_TRY(look(&known, s, "tokenizer.json", false));
    if (known == NT_HUB_LACKS) {
        NT_TRY(look(&vocab, s, "vocab.json", false));
        NT_TRY(look(&merges, s, "merges.txt", false));
    }
    if (required && known != NT_HUB_HAS && vocab != NT_HUB_HAS) s->usable = false;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        NT_TRY(look(&known, s, beside[i], false));
    return NT_OK;
}

int nt_hub_survey(bool *usable, const nt_hub_repo *repo, const char *commit,
                  const nt_hub_want *want, nt_hub_missing missing, void *payload) {
    survey s = {repo, commit, missing, payload, true};
    nt_hub_known known, config;
    int status = NT_OK;
    if (want->part == NT_HUB_FILES) {
        for (size_t i = 0; i < want->n_files && status == NT_OK; i++)
            status = look(&known, &s, want->files[i], true);
    } else {
        bool model = want->part == NT_HUB_MODEL;
        status = look(&config, &s, "config.json", model);
        if (status == NT_OK && model && config == NT_HUB_HAS) status = look_config(&s);
        if (status == NT_OK) status = look_tokenizer(&s, !model);
        if (status == NT_OK && model) status = look(&known, &s, "generation_config.json", false);
        if (status == NT_OK && model && config == NT_HUB_UNKNOWN)
            s.usable = false; /* weights wait for it */
        else if (status == NT_OK && model)
            status = look_weights(&s);
    }
    *usable = s.usable && status == NT_OK;
    return status;
}
