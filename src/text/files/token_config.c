/* tokenizer_config.json and special_tokens_map.json: which tokens are BOS, EOS and padding. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer.h"

enum { MAX_CONFIG_BYTES = 64 << 20 };

/* Reads folder/name when it is there. */
static int read_optional(json_t **out, char **path, const char *folder, const char *name) {
    *path = nt_path_join(folder, name);
    if (!*path) return NT_E_MEMORY;
    if (nt_file_look(*path) == NT_FILE_NONE) return NT_OK;
    return nt_json_read(out, *path, MAX_CONFIG_BYTES);
}

int nt_token_config_read(nt_token_config *out, const char *folder) {
    *out = (nt_token_config){0};
    int status = read_optional(&out->config, &out->config_path, folder, "tokenizer_config.json");
    if (status == NT_OK)
        status = read_optional(&out->map, &out->map_path, folder, "special_tokens_map.json");
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

int nt_token_config_role(nt_role *role, const nt_token_config *config, const char *key) {
    *role = (nt_role){0};
    /* special_tokens_map.json is the older form; transformers leaves it aside where
     * tokenizer_config.json lists its added tokens. */
    const json_t *value = json_object_get(config->config, key);
    role->where = config->config_path;
    if (!value && !json_object_get(config->config, "added_tokens_decoder")) {
        value = json_object_get(config->map, key);
        role->where = config->map_path;
    }
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
                       role->where, key, nt_json_kind(value));
    }
    role->content = json_string_value(value);
    role->n = json_string_length(value);
    return NT_OK;
}

int nt_token_config_apply_roles(nt_tokenizer *tokenizer, const nt_token_config *config) {
    const char *keys[] = {"bos_token", "eos_token", "pad_token"};
    int32_t *ids[] = {&tokenizer->bos, &tokenizer->eos, &tokenizer->pad};
    bool gpt2 = !config->class_name || nt_token_config_is_gpt2(config);
    for (int i = 0; i < 3; i++) {
        nt_role role;
        NT_TRY(nt_token_config_role(&role, config, keys[i]));
        if (!role.stated && gpt2 && i < 2) { /* GPT-2's class has this for both, and no padding */
            role.content = "<|endoftext|>";
            role.n = strlen(role.content);
        }
        const nt_piece *piece =
            role.content ? nt_lexicon_find(&tokenizer->lexicon, role.content, role.n) : NULL;
        *ids[i] = piece ? (int32_t)piece->id : -1;
    }
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
