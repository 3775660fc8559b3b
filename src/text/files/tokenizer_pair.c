/* GPT-2's own form: vocab.json and merges.txt, with what tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json add. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer.h"

static int read_vocab(nt_tokenizer *tokenizer, const char *path) {
    json_t *vocab;
    NT_TRY(nt_json_read(&vocab, path, NT_MAX_TOKENIZER_BYTES));
    int status = nt_read_vocab(tokenizer, vocab, path);
    json_decref(vocab);
    return status;
}

/* The next line that states a merge, without its end; *at and *number move on. False at the end. */
static bool next_merge(const char **line, size_t *n, const char *bytes, size_t n_bytes, size_t *at,
                       size_t *number) {
    while (*at < n_bytes) {
        *line = bytes + *at;
        const char *end = memchr(*line, '\n', n_bytes - *at);
        *n = end ? (size_t)(end - *line) : n_bytes - *at;
        *at += *n + 1;
        ++*number;
        if (*n && (*line)[*n - 1] == '\r') --*n;
        bool version =
            *n >= 8 && memcmp(*line, "#version", 8) == 0; /* on any line, as tokenizers */
        if (*n && !version) return true;
    }
    return false;
}

static int add_merges(nt_tokenizer *tokenizer, const char *bytes, size_t n_bytes,
                      const char *path) {
    const char *line;
    size_t n, at = 0, number = 0, count = 0;
    while (next_merge(&line, &n, bytes, n_bytes, &at, &number))
        count++;
    NT_TRY(nt_read_merges_start(tokenizer, count, path));
    at = number = 0;
    for (uint32_t rank = 0; next_merge(&line, &n, bytes, n_bytes, &at, &number); rank++)
        NT_TRY(nt_read_merge(tokenizer, line, n, rank, path, "line", number));
    return NT_OK;
}

static int read_merges(nt_tokenizer *tokenizer, const char *path) {
    char *bytes;
    size_t n;
    NT_TRY(nt_file_read(&bytes, &n, path, NT_MAX_TOKENIZER_BYTES));
    int status = add_merges(tokenizer, bytes, n, path);
    nt_free(bytes);
    return status;
}

typedef struct listed {
    long long id;
    const char *content;
    const json_t *object; /* NULL when only the content is known */
} listed;

static int by_id(const void *a, const void *b) {
    const listed *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

/* One entry of added_tokens_decoder {"50257": {"content": ...}} or added_tokens.json
 * {"<pad>": 50257}. */
static int read_listed(listed *out, const char *key, const json_t *value, const char *where) {
    *out = (listed){.content = key};
    char *end = NULL;
    if (json_is_integer(value)) {
        out->id = json_integer_value(value);
        return NT_OK;
    }
    out->id = strtoll(key, &end, 10);
    out->object = value;
    out->content = json_string_value(json_object_get(value, "content"));
    if (!out->content || end == key || *end) {
        return nt_fail(NT_E_FORMAT, "%s: added token \"%.40s\" is not an id with its content",
                       where, key);
    }
    return NT_OK;
}

/* Adds all of an object of them in order of id. */
static int add_listed(nt_tokenizer *tokenizer, const json_t *tokens, const char *where) {
    if (!json_is_object(tokens)) {
        return nt_fail(NT_E_FORMAT, "%s: the added tokens must be an object and are %s", where,
                       nt_json_kind(tokens));
    }
    size_t n = json_object_size(tokens), i = 0;
    listed *list = nt_alloc(n, sizeof *list);
    if (!list) return NT_E_MEMORY;
    json_t *object = (json_t *)(uintptr_t)tokens;
    int status = NT_OK;
    for (void *at = json_object_iter(object); at && status == NT_OK;
         at = json_object_iter_next(object, at))
        status =
            read_listed(&list[i++], json_object_iter_key(at), json_object_iter_value(at), where);
    if (status == NT_OK) qsort(list, n, sizeof *list, by_id);
    for (i = 0; i < n && status == NT_OK; i++) {
        nt_added_token flags;
        status = nt_added_flags(&flags, list[i].object, false, where);
        if (status == NT_OK) {
            status = nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model,
                                  list[i].content, strlen(list[i].content), flags, where);
        }
    }
    nt_free(list);
    return status;
}

/* Makes a token special unless it was listed already; silence about its flags means all false. */
static int add_special(nt_tokenizer *tokenizer, const nt_role *role) {
    const nt_piece *piece = nt_lexicon_find(&tokenizer->lexicon, role->content, role->n);
    if (piece && piece->added) return NT_OK;
    nt_added_token flags;
    NT_TRY(nt_added_flags(&flags, role->object, false, role->where));
    flags.special = true;
    if (!json_object_get(role->object, "normalized")) flags.normalized = false;
    return nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model, role->content,
                        role->n, flags, role->where);
}

/* The tokens that have a role, in transformers' order, which gives new ones their ids. It adds its
 * default "<|endoftext|>" to a vocabulary that lacks it, too; without any configuration, where
 * that would only make an id outside the model, this is not followed. */
static int add_roles(nt_tokenizer *tokenizer, const nt_token_config *config) {
    static const char *const keys[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};
    for (int i = 0; i < 7; i++) {
        nt_role role;
        NT_TRY(nt_token_config_role(&role, config, keys[i]));
        if (!role.stated && i < 3) {
            role.content = "<|endoftext|>";
            role.n = strlen(role.content);
            if (!config->config && !config->map &&
                !nt_lexicon_find(&tokenizer->lexicon, role.content, role.n))
                continue;
        }
        if (role.content) NT_TRY(add_special(tokenizer, &role));
    }
    return NT_OK;
}

/* Lists of further special tokens, by their older and newer name. */
static int add_extra(nt_tokenizer *tokenizer, const nt_token_config *config, const char *key) {
    const json_t *list = json_object_get(config->config, key), *value;
    const char *where = config->config_path;
    if (!list && !json_object_get(config->config, "added_tokens_decoder")) {
        list = json_object_get(config->map, key);
        where = config->map_path;
    }
    size_t i;
    json_array_foreach(list, i, value) {
        nt_role role = {.where = where};
        if (json_is_object(value)) {
            role.object = value;
            value = json_object_get(value, "content");
        }
        role.content = json_string_value(value);
        if (!role.content) {
            return nt_fail(NT_E_FORMAT, "%s: \"%s\"[%zu] is no token", role.where, key, i);
        }
        role.n = json_string_length(value);
        NT_TRY(add_special(tokenizer, &role));
    }
    return NT_OK;
}

static int add_tokens(nt_tokenizer *tokenizer, const char *folder, const nt_token_config *config) {
    const json_t *decoder = json_object_get(config->config, "added_tokens_decoder");
    if (decoder) {
        NT_TRY(add_listed(tokenizer, decoder, config->config_path));
    } else {
        char *path = nt_path_join(folder, "added_tokens.json");
        if (!path) return NT_E_MEMORY;
        json_t *tokens = NULL;
        int status = NT_OK;
        if (nt_file_look(path) != NT_FILE_NONE)
            status = nt_json_read(&tokens, path, NT_MAX_TOKENIZER_BYTES);
        if (status == NT_OK && tokens) status = add_listed(tokenizer, tokens, path);
        json_decref(tokens);
        nt_free(path);
        NT_TRY(status);
    }
    NT_TRY(add_roles(tokenizer, config));
    NT_TRY(add_extra(tokenizer, config, "additional_special_tokens"));
    return add_extra(tokenizer, config, "extra_special_tokens");
}

/* ids = [id] where the configuration says so under this key. */
static int surround(int32_t **ids, size_t *n, int32_t id, const char *key,
                    const nt_token_config *config) {
    bool on = false;
    NT_TRY(nt_json_bool(&on, config->config, key, config->config_path));
    if (!on || id < 0) return NT_OK;
    *ids = nt_alloc(1, sizeof **ids);
    if (!*ids) return NT_E_MEMORY;
    (*ids)[(*n)++] = id;
    return NT_OK;
}

int nt_tokenizer_read_pair(nt_tokenizer *tokenizer, const char *folder,
                           const nt_token_config *config) {
    if (config->class_name && !nt_token_config_is_gpt2(config)) {
        return nt_fail(NT_E_UNSUPPORTED,
                       "%s: tokenizer_class \"%s\" needs a tokenizer.json; vocab.json with "
                       "merges.txt is read as GPT2Tokenizer's",
                       config->config_path, config->class_name);
    }
    char *vocab = nt_path_join(folder, "vocab.json"), *merges = nt_path_join(folder, "merges.txt");
    int status = vocab && merges ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) status = read_vocab(tokenizer, vocab);
    if (status == NT_OK) status = read_merges(tokenizer, merges);
    nt_free(vocab);
    nt_free(merges);
    NT_TRY(status);
    tokenizer->use_regex = true;
    NT_TRY(nt_json_bool(&tokenizer->add_prefix_space, config->config, "add_prefix_space",
                        config->config_path));
    NT_TRY(add_tokens(tokenizer, folder, config));
    NT_TRY(nt_token_config_apply_roles(tokenizer, config));
    NT_TRY(surround(&tokenizer->before, &tokenizer->n_before, tokenizer->bos, "add_bos_token",
                    config));
    return surround(&tokenizer->after, &tokenizer->n_after, tokenizer->eos, "add_eos_token",
                    config);
}
