#include "text/files/token_config.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { MAX_CONFIG_BYTES = 64 << 20 };

int nt_config_file(json_t **out, char **path, const char *folder, const char *name) {
    *path = nt_path_join(folder, name);
    if (!*path) return NT_E_MEMORY;
    if (nt_file_look(*path) == NT_FILE_NONE) return NT_OK;
    return nt_json_read(out, *path, MAX_CONFIG_BYTES);
}

int nt_token_config_read(nt_token_config *out, const char *folder) {
    *out = (nt_token_config){0};
    int status = nt_config_file(&out->config, &out->config_path, folder, "tokenizer_config.json");
    if (status == NT_OK)
        status = nt_config_file(&out->map, &out->map_path, folder, "special_tokens_map.json");
    if (status == NT_OK)
        status = nt_json_string(&out->class_name, out->config, "tokenizer_class", out->config_path);
    if (status != NT_OK) nt_token_config_free(out);
    return status;
}

void nt_token_config_free(nt_token_config *config) {
    json_decref(config->config);
    json_decref(config->map);
    nt_free(config->config_path);
    nt_free(config->map_path);
    *config = (nt_token_config){0};
}

bool nt_token_config_is_gpt2(const nt_token_config *config) {
    return config->class_name && (strcmp(config->class_name, "GPT2Tokenizer") == 0 ||
                                  strcmp(config->class_name, "GPT2TokenizerFast") == 0);
}

int nt_token_config_value(nt_role *role, const json_t *value, const char *key, const char *where) {
    *role = (nt_role){.where = where};
    if (!value) return NT_OK;
    role->stated = true;
    if (json_is_null(value)) return NT_OK;
    if (json_is_object(value)) {
        role->object = value;
        value = json_object_get(value, "content");
    }
    if (!json_is_string(value)) {
        return nt_fail(NT_E_FORMAT,
                       "%s: \"%s\" must be a string or an object with \"content\", and is %s",
                       where, key, nt_json_kind(value));
    }
    role->content = json_string_value(value);
    role->n = json_string_length(value);
    return NT_OK;
}

int nt_token_config_role(nt_role *role, const nt_token_config *config, nt_role_name name,
                         const char *const defaults[NT_ROLES]) {
    static const char *const keys[NT_ROLES] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                               "pad_token", "cls_token", "mask_token"};
    const json_t *value = json_object_get(config->config, keys[name]);
    const char *where = config->config_path;
    /* special_tokens_map.json is the older form; transformers leaves it aside where
     * tokenizer_config.json lists its added tokens. */
    if (!value && !json_object_get(config->config, "added_tokens_decoder")) {
        value = json_object_get(config->map, keys[name]);
        where = config->map_path;
    }
    NT_TRY(nt_token_config_value(role, value, keys[name], where));
    if (role->stated || !defaults || !defaults[name]) return NT_OK;
    role->content = defaults[name];
    role->n = strlen(role->content);
    role->where = NULL;
    return NT_OK;
}

int nt_added_flags(nt_added_token *flags, const json_t *object, bool strict, const char *where) {
    static const char *const names[] = {"single_word", "lstrip", "rstrip", "special", "normalized"};
    *flags = (nt_added_token){0};
    bool *values[] = {&flags->single_word, &flags->lstrip, &flags->rstrip, &flags->special,
                      &flags->normalized};
    for (int i = 0; i < 5; i++) {
        if (strict && !json_object_get(object, names[i])) {
            return nt_fail(NT_E_FORMAT, "%s: an entry of added_tokens has no \"%s\"", where,
                           names[i]);
        }
        if (i == 4) flags->normalized = !flags->special;
        NT_TRY(nt_json_bool(values[i], object, names[i], where));
    }
    return NT_OK;
}
