/* config.json of a checkpoint: which family it is of, and what no family here supports. */
#include "format/config.h"

#include <string.h>

#include "base/json.h"
#include "format/config/fields.h"

enum { MAX_BYTES = 1 << 20 };

static const struct {
    const char *type; /* model_type */
    int (*read)(nt_config *out, nt_config_source in);
} families[] = {
    {"gpt2", nt_config_gpt2}, {"gpt_neo", nt_config_gpt_neo}, {"gpt_neox", nt_config_gpt_neox},
    {"opt", nt_config_opt},   {"llama", nt_config_llama},     {"qwen2", nt_config_qwen2},
};

/* Whether a file without model_type speaks of GPT-2: its architecture's name or its own keys. */
static bool looks_like_gpt2(const json_t *json) {
    const json_t *architectures = json_object_get(json, "architectures");
    if (json_is_array(architectures) && json_array_size(architectures) > 0) {
        const char *name = json_string_value(json_array_get(architectures, 0));
        return name && strncmp(name, "GPT2", 4) == 0;
    }
    return json_object_get(json, "n_embd") && json_object_get(json, "n_layer") &&
           json_object_get(json, "n_head");
}

/* Its first; a name that is longer than any that we know is none of them. */
static void read_architecture(nt_config *out, const json_t *json) {
    const json_t *list = json_object_get(json, "architectures");
    const char *name = json_string_value(json_array_get(list, 0));
    if (name && strlen(name) < sizeof out->architecture)
        memcpy(out->architecture, name, strlen(name) + 1);
}

/* The families' index in *out. */
static int find_family(size_t *out, nt_config_source in) {
    const char *type = NULL;
    *out = 0;
    NT_TRY(nt_json_string(&type, in.json, "model_type", in.where));
    if (!type && looks_like_gpt2(in.json)) return NT_OK;
    char list[160] = "";
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (type && strcmp(type, families[i].type) == 0) {
            *out = i;
            return NT_OK;
        }
        if (i) strcat(list, ", ");
        strcat(list, families[i].type);
    }
    if (type) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: model_type \"%.100s\" is not supported; this version runs %s",
                       in.where, type, list);
    }
    return nt_fail(NT_E_UNSUPPORTED,
                   "%.400s: without \"model_type\" it cannot be told what the model is; this "
                   "version runs %s",
                   in.where, list);
}

/* Fields that would change the arithmetic in a way that we lack. */
static int refuse_unsupported(nt_config_source in) {
    NT_TRY(nt_config_only(in, "add_cross_attention", false, false));
    NT_TRY(nt_config_only(in, "is_causal", true, true)); /* false: each sees what follows it, too */
    const json_t *quantized = json_object_get(in.json, "quantization_config");
    if (quantized && !json_is_null(quantized)) {
        const char *method = json_string_value(json_object_get(quantized, "quant_method"));
        return nt_fail(NT_E_UNSUPPORTED,
                       "%.400s: quantization_config (%.100s) is not supported; use the checkpoint "
                       "that was quantised",
                       in.where, method ? method : "no quant_method");
    }
    const json_t *pruned = json_object_get(in.json, "pruned_heads");
    if (json_object_size(pruned) > 0) {
        return nt_fail(NT_E_UNSUPPORTED, "%.400s: pruned_heads is not supported", in.where);
    }
    return NT_OK;
}

static int read_fields(nt_config *out, nt_config_source in) {
    size_t family;
    NT_TRY(find_family(&family, in));
    NT_TRY(refuse_unsupported(in));
    out->type = families[family].type;
    read_architecture(out, in.json);
    return families[family].read(out, in);
}

/* Reads the fields and gives json back. */
static int take_fields(nt_config *out, json_t *json, const char *where) {
    int status = NT_OK;
    if (!json_is_object(json)) {
        status = nt_fail(NT_E_FORMAT, "%.400s holds %s where an object was expected", where,
                         nt_json_kind(json));
    }
    if (status == NT_OK) status = read_fields(out, (nt_config_source){json, where});
    json_decref(json);
    if (status != NT_OK) *out = (nt_config){0};
    return status;
}

int nt_config_read(nt_config *out, const char *path) {
    json_t *json;
    *out = (nt_config){0};
    NT_TRY(nt_json_read(&json, path, MAX_BYTES));
    return take_fields(out, json, path);
}

int nt_config_parse(nt_config *out, const char *bytes, size_t n, const char *where) {
    json_t *json;
    *out = (nt_config){0};
    NT_TRY(nt_json_parse(&json, bytes, n, where));
    return take_fields(out, json, where);
}
