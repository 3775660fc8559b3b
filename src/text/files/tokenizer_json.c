/* tokenizer.json: each section is read, or refused by name; none is passed over in silence. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "text/tokenizer.h"

/* "path: normalizer {...} is not supported" */
static int refuse(const char *path, const char *section, const json_t *value) {
    char shown[100];
    size_t n = value ? json_dumpb(value, shown, sizeof shown, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
    if (!value) n = (size_t)snprintf(shown, sizeof shown, "null");
    return nt_fail(NT_E_UNSUPPORTED, "%s: %s %.*s%s is not supported", path, section,
                   n > sizeof shown ? (int)sizeof shown : (int)n, shown,
                   n > sizeof shown ? "..." : "");
}

/* Member of an object; NULL when it is absent or null. */
static const json_t *get(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static bool is_type(const json_t *component, const char *type) {
    const char *found = json_string_value(json_object_get(component, "type"));
    return found && strcmp(found, type) == 0;
}

static int read_pre_tokenizer(nt_tokenizer *tokenizer, const json_t *component, const char *path,
                              const nt_token_config *config) {
    if (!is_type(component, "ByteLevel")) return refuse(path, "pre_tokenizer", component);
    if (!get(component, "add_prefix_space"))
        return nt_fail(NT_E_FORMAT, "%s: pre_tokenizer lacks \"add_prefix_space\"", path);
    tokenizer->use_regex = true;
    NT_TRY(nt_json_bool(&tokenizer->use_regex, component, "use_regex", path));
    NT_TRY(nt_json_bool(&tokenizer->add_prefix_space, component, "add_prefix_space", path));
    /* transformers' GPT2Tokenizer makes the pre-tokenizer anew from tokenizer_config.json; every
     * other class takes tokenizer.json as it is. */
    if (!nt_token_config_is_gpt2(config)) return NT_OK;
    return nt_json_bool(&tokenizer->add_prefix_space, config->config, "add_prefix_space",
                        config->config_path);
}

/* Fields of the model that change ids in ways that are not built. */
static int check_model(const json_t *model, const char *path) {
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    static const char *const flags[] = {"byte_fallback", "ignore_merges"};
    if (get(model, "type") && !is_type(model, "BPE"))
        return refuse(path, "model type", json_object_get(model, "type"));
    const json_t *dropout = get(model, "dropout");
    if (dropout && json_number_value(dropout) != 0.0) return refuse(path, "model dropout", dropout);
    for (int i = 0; i < 2; i++) {
        const char *text = "";
        NT_TRY(nt_json_string(&text, model, affixes[i], path));
        if (!*text) continue;
        char section[64];
        snprintf(section, sizeof section, "model %s", affixes[i]);
        return refuse(path, section, json_object_get(model, affixes[i]));
    }
    for (int i = 0; i < 2; i++) {
        bool on = false;
        NT_TRY(nt_json_bool(&on, model, flags[i], path));
        if (on)
            return nt_fail(NT_E_UNSUPPORTED, "%s: model %s true is not supported", path, flags[i]);
    }
    return NT_OK;
}

/* An unknown token that could ever stand in a text: some byte has no token of its own. */
static int check_unk(const nt_tokenizer *tokenizer, const json_t *model, const char *path) {
    const json_t *unk = get(model, "unk_token");
    for (int byte = 0; unk && byte < 256; byte++)
        if (tokenizer->bpe.byte_ids[byte] < 0) return refuse(path, "model unk_token", unk);
    return NT_OK;
}

/* One merge: "left right" or ["left", "right"], all of them in the same form. */
static int read_merge(nt_tokenizer *tokenizer, const json_t *merge, bool as_strings, size_t i,
                      const char *path) {
    if (as_strings && json_is_string(merge)) {
        return nt_read_merge(tokenizer, json_string_value(merge), json_string_length(merge),
                             (uint32_t)i, path, "merge", i);
    }
    const json_t *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
    if (as_strings || json_array_size(merge) != 2 || !json_is_string(left) ||
        !json_is_string(right)) {
        return nt_fail(NT_E_FORMAT, "%s: merge %zu is not %s like the first", path, i,
                       as_strings ? "a string" : "a pair of strings");
    }
    return nt_bpe_add(&tokenizer->bpe, &tokenizer->lexicon, json_string_value(left),
                      json_string_length(left), json_string_value(right), json_string_length(right),
                      (uint32_t)i, path, "merge", i);
}

static int read_model(nt_tokenizer *tokenizer, const json_t *model, const char *path) {
    if (!json_is_object(model)) {
        return nt_fail(NT_E_FORMAT, "%s: \"model\" must be an object and is %s", path,
                       nt_json_kind(model));
    }
    NT_TRY(check_model(model, path));
    const json_t *merges = json_object_get(model, "merges");
    if (!json_is_array(merges)) {
        return nt_fail(NT_E_FORMAT, "%s: \"merges\" must be an array and is %s", path,
                       nt_json_kind(merges));
    }
    NT_TRY(nt_read_vocab(tokenizer, json_object_get(model, "vocab"), path));
    size_t n = json_array_size(merges);
    NT_TRY(nt_read_merges_start(tokenizer, n, path));
    NT_TRY(check_unk(tokenizer, model, path));
    bool as_strings = json_is_string(json_array_get(merges, 0));
    for (size_t i = 0; i < n; i++) {
        const json_t *merge = json_array_get(merges, i);
        const char *line = as_strings ? json_string_value(merge) : NULL;
        if (line && strncmp(line, "#version", 8) == 0) continue;
        NT_TRY(read_merge(tokenizer, merge, as_strings, i, path));
    }
    return NT_OK;
}

static int read_added(nt_tokenizer *tokenizer, const json_t *tokens, const char *path) {
    if (tokens && !json_is_array(tokens)) {
        return nt_fail(NT_E_FORMAT, "%s: \"added_tokens\" must be an array and is %s", path,
                       nt_json_kind(tokens));
    }
    size_t i;
    const json_t *token;
    json_array_foreach(tokens, i, token) {
        const json_t *content = json_object_get(token, "content");
        if (!json_is_string(content))
            return nt_fail(NT_E_FORMAT, "%s: added_tokens[%zu] has no \"content\"", path, i);
        nt_added_token flags;
        NT_TRY(nt_added_flags(&flags, token, true, path));
        NT_TRY(nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model,
                            json_string_value(content), json_string_length(content), flags, path));
    }
    return NT_OK;
}

/* Appends the ids of one special token of a template. */
static int add_template_ids(const nt_tokenizer *tokenizer, int32_t **ids, size_t *n,
                            const json_t *token, const char *name, const char *path) {
    const json_t *list = json_object_get(token, "ids"), *value;
    if (!json_is_array(list)) {
        return nt_fail(NT_E_FORMAT, "%s: post_processor has no ids for \"%s\"", path, name);
    }
    int32_t *bigger = nt_resize(*ids, *n + json_array_size(list), sizeof **ids);
    if (!bigger) return NT_E_MEMORY;
    *ids = bigger;
    size_t i;
    json_array_foreach(list, i, value) {
        json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (!nt_lexicon_at(&tokenizer->lexicon, id))
            return nt_fail(NT_E_FORMAT,
                           "%s: post_processor token \"%s\" has an id that is no token", path,
                           name);
        (*ids)[(*n)++] = (int32_t)id;
    }
    return NT_OK;
}

static int read_template(nt_tokenizer *tokenizer, const json_t *component, const char *path) {
    const json_t *single = json_object_get(component, "single"), *piece;
    const json_t *tokens = json_object_get(component, "special_tokens");
    if (!json_is_array(single) || tokenizer->templated)
        return refuse(path, "post_processor", component);
    tokenizer->templated = true;
    bool seen = false;
    size_t i;
    json_array_foreach(single, i, piece) {
        const char *text =
            json_string_value(json_object_get(json_object_get(piece, "Sequence"), "id"));
        const char *name =
            json_string_value(json_object_get(json_object_get(piece, "SpecialToken"), "id"));
        if (text && strcmp(text, "A") == 0 && !seen) {
            seen = true;
        } else if (name && !seen) {
            NT_TRY(add_template_ids(tokenizer, &tokenizer->before, &tokenizer->n_before,
                                    json_object_get(tokens, name), name, path));
        } else if (name) {
            NT_TRY(add_template_ids(tokenizer, &tokenizer->after, &tokenizer->n_after,
                                    json_object_get(tokens, name), name, path));
        } else {
            return refuse(path, "post_processor template", piece);
        }
    }
    if (!seen) return refuse(path, "post_processor", component);
    return NT_OK;
}

/* ByteLevel only trims offsets, which is not followed (see encode.c). */
static int read_post_processor(nt_tokenizer *tokenizer, const json_t *component, const char *path) {
    if (!component || is_type(component, "ByteLevel")) return NT_OK;
    if (is_type(component, "TemplateProcessing")) return read_template(tokenizer, component, path);
    const json_t *parts = json_object_get(component, "processors"), *part;
    if (!is_type(component, "Sequence") || !json_is_array(parts))
        return refuse(path, "post_processor", component);
    size_t i;
    json_array_foreach(parts, i, part) {
        if (is_type(part, "TemplateProcessing")) {
            NT_TRY(read_template(tokenizer, part, path));
        } else if (!is_type(part, "ByteLevel")) {
            return refuse(path, "post_processor", part);
        }
    }
    return NT_OK;
}

static int read_sections(nt_tokenizer *tokenizer, const json_t *file, const char *path,
                         const nt_token_config *config) {
    static const char *const must_be_null[] = {"truncation", "padding", "normalizer"};
    for (int i = 0; i < 3; i++) {
        const json_t *value = get(file, must_be_null[i]);
        if (value) return refuse(path, must_be_null[i], value);
    }
    const json_t *decoder = get(file, "decoder");
    if (!is_type(decoder, "ByteLevel")) return refuse(path, "decoder", decoder);
    NT_TRY(read_pre_tokenizer(tokenizer, get(file, "pre_tokenizer"), path, config));
    NT_TRY(read_model(tokenizer, get(file, "model"), path));
    NT_TRY(read_added(tokenizer, get(file, "added_tokens"), path));
    NT_TRY(read_post_processor(tokenizer, get(file, "post_processor"), path));
    return nt_token_config_apply_roles(tokenizer, config);
}

int nt_tokenizer_read_json(nt_tokenizer *tokenizer, const char *path,
                           const nt_token_config *config) {
    json_t *file;
    NT_TRY(nt_json_read(&file, path, NT_MAX_TOKENIZER_BYTES));
    int status = read_sections(tokenizer, file, path, config);
    json_decref(file);
    return status;
}
