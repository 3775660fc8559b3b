/* The tokens that tokenizer_config.json, special_tokens_map.json and added_tokens.json add. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/files/readings.h"

static int add(nt_tokenizer *tokenizer, const char *content, size_t n, nt_added_token flags,
               const char *where) {
    return nt_added_add(&tokenizer->added, &tokenizer->lexicon, tokenizer->n_model, content, n,
                        flags, where ? where : "the class's own special tokens");
}

/* ---- Lists ----------------------------------------------------------------------------------- */

typedef struct listed {
    long long id;
    size_t order;
    const char *content;
    const json_t *object; /* NULL when only the content is known */
    bool strict;          /* as tokenizer.json writes it */
} listed;

static int by_id(const void *a, const void *b) {
    const listed *left = a, *right = b;
    int ids = (left->id > right->id) - (left->id < right->id);
    return ids ? ids : (left->order > right->order) - (left->order < right->order);
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

typedef struct listing {
    listed *list; /* [n] */
    size_t n, capacity;
} listing;

static int append(listing *out, listed entry) {
    void *list = out->list;
    int status = nt_grow(&list, &out->capacity, out->n + 1, sizeof *out->list);
    out->list = list;
    NT_TRY(status);
    entry.order = out->n;
    out->list[out->n++] = entry;
    return NT_OK;
}

static int read_object(listing *out, const json_t *tokens, const char *where) {
    json_t *object = (json_t *)(uintptr_t)tokens; /* jansson's iterators take no const */
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        listed entry;
        NT_TRY(read_listed(&entry, json_object_iter_key(at), json_object_iter_value(at), where));
        NT_TRY(append(out, entry));
    }
    return NT_OK;
}

/* added_tokens of tokenizer.json. */
static int read_array(listing *out, const json_t *tokens, const char *where) {
    size_t i;
    const json_t *token;
    json_array_foreach(tokens, i, token) {
        const json_t *content = json_object_get(token, "content");
        const json_t *id = json_object_get(token, "id");
        if (!json_is_string(content) || !json_is_integer(id))
            return nt_fail(NT_E_FORMAT, "%s: added_tokens[%zu] has no \"%s\"", where, i,
                           json_is_string(content) ? "id" : "content");
        NT_TRY(append(out, (listed){.id = json_integer_value(id),
                                    .content = json_string_value(content),
                                    .object = token,
                                    .strict = true}));
    }
    return NT_OK;
}

static bool in_list(const json_t *list, const char *content) {
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value) {
        const json_t *text = json_is_object(value) ? json_object_get(value, "content") : value;
        if (json_is_string(text) && strcmp(json_string_value(text), content) == 0) return true;
    }
    return false;
}

/* Whether the files give a token of added_tokens.json, which has no flags, a role. */
static bool has_role(const nt_token_config *config, const char *content) {
    for (int i = 0; i < NT_ROLES; i++) {
        nt_role role;
        if (nt_token_config_role(&role, config, (nt_role_name)i, NULL) == NT_OK && role.content &&
            strcmp(role.content, content) == 0)
            return true;
    }
    static const char *const keys[] = {"additional_special_tokens", "extra_special_tokens"};
    for (int i = 0; i < 2; i++)
        if (in_list(json_object_get(config->config, keys[i]), content) ||
            in_list(json_object_get(config->map, keys[i]), content))
            return true;
    return false;
}

/* Adds all of them in order of id; of two with one id the later one stands. */
static int add_all(nt_tokenizer *tokenizer, const listing *all, const nt_token_config *config,
                   const char *where) {
    if (all->n) qsort(all->list, all->n, sizeof *all->list, by_id);
    for (size_t i = 0; i < all->n; i++) {
        const listed *entry = &all->list[i];
        if (i + 1 < all->n && all->list[i + 1].id == entry->id) continue;
        nt_added_token flags;
        NT_TRY(nt_added_flags(&flags, entry->object, entry->strict, where));
        if (!entry->object && has_role(config, entry->content))
            flags = (nt_added_token){.special = true};
        NT_TRY(add(tokenizer, entry->content, strlen(entry->content), flags, where));
    }
    return NT_OK;
}

int nt_add_configured(nt_tokenizer *tokenizer, const char *folder, const nt_token_config *config,
                      const nt_sections *sections) {
    const json_t *decoder = json_object_get(config->config, "added_tokens_decoder");
    if (decoder && !json_is_object(decoder)) {
        return nt_fail(NT_E_FORMAT, "%s: the added tokens must be an object and are %s",
                       config->config_path, nt_json_kind(decoder));
    }
    json_t *file = NULL;
    char *path = NULL;
    listing all = {0};
    int status;
    if (decoder) {
        status = read_object(&all, decoder, config->config_path);
    } else {
        status = nt_config_file(&file, &path, folder, "added_tokens.json");
        if (status == NT_OK && file) status = read_object(&all, file, path);
        const json_t *own = sections ? json_object_get(sections->file, "added_tokens") : NULL;
        if (status == NT_OK) status = read_array(&all, own, sections ? sections->where : "");
    }
    if (status == NT_OK)
        status = add_all(tokenizer, &all, config, decoder ? config->config_path : path);
    nt_free(all.list);
    json_decref(file);
    nt_free(path);
    return status;
}

/* ---- Roles ----------------------------------------------------------------------------------- */

/* Makes a token special. One that is listed already keeps its flags; silence about them means all
 * false. */
static int add_special(nt_tokenizer *tokenizer, const nt_role *role, nt_special_mode mode) {
    if (mode == NT_SPECIAL_ANEW) {
        return add(tokenizer, role->content, role->n, (nt_added_token){.special = true},
                   role->where);
    }
    const nt_piece *piece = nt_lexicon_find(&tokenizer->lexicon, role->content, role->n);
    if (piece && piece->added) {
        nt_added_token *token = &tokenizer->added.tokens[piece->added - 1];
        token->special = token->skipped = true;
        return NT_OK;
    }
    nt_added_token flags;
    NT_TRY(nt_added_flags(&flags, role->object, false, role->where));
    flags.special = true;
    if (!json_object_get(role->object, "normalized")) flags.normalized = false;
    return add(tokenizer, role->content, role->n, flags, role->where);
}

/* Lists of further special tokens, by their older and newer name; the newer may be an object of
 * names. */
static int add_extra(nt_tokenizer *tokenizer, const nt_token_config *config, const char *key,
                     nt_special_mode mode) {
    const json_t *list = json_object_get(config->config, key), *value;
    const char *where = config->config_path;
    if (!list && !json_object_get(config->config, "added_tokens_decoder")) {
        list = json_object_get(config->map, key);
        where = config->map_path;
    }
    size_t i;
    json_array_foreach(list, i, value) {
        nt_role role;
        if (json_is_null(value) || nt_token_config_value(&role, value, key, where) != NT_OK)
            return nt_fail(NT_E_FORMAT, "%s: \"%s\"[%zu] is no token", where, key, i);
        NT_TRY(add_special(tokenizer, &role, mode));
    }
    return NT_OK;
}

/* Tokens with names that the class does not know: "image_token": "<image>". */
static int add_named(nt_tokenizer *tokenizer, const json_t *object, bool suffixed,
                     const char *where, nt_special_mode mode) {
    static const char *const known[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    if (!json_is_object(object)) return NT_OK;
    json_t *tokens = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(tokens); at; at = json_object_iter_next(tokens, at)) {
        const char *key = json_object_iter_key(at);
        size_t n = strlen(key);
        const json_t *value = json_object_iter_value(at);
        bool role = !suffixed || (n > 6 && strcmp(key + n - 6, "_token") == 0);
        for (int i = 0; i < 7; i++)
            role = role && strcmp(key, known[i]) != 0;
        bool token = json_is_string(value) || (!suffixed && json_is_object(value));
        if (!role || !token) continue;
        nt_role named;
        NT_TRY(nt_token_config_value(&named, value, key, where));
        if (named.n) NT_TRY(add_special(tokenizer, &named, mode));
    }
    return NT_OK;
}

int nt_add_special(nt_tokenizer *tokenizer, const nt_token_config *config,
                   const char *const defaults[NT_ROLES], nt_special_mode mode) {
    for (int i = 0; i < NT_ROLES; i++) {
        nt_role role;
        NT_TRY(nt_token_config_role(&role, config, (nt_role_name)i, defaults));
        if (!role.content) continue;
        bool lone = mode == NT_SPECIAL_KNOWN && !role.where && !config->config && !config->map;
        if (lone && !nt_lexicon_find(&tokenizer->lexicon, role.content, role.n)) continue;
        NT_TRY(add_special(tokenizer, &role, mode));
    }
    NT_TRY(add_named(tokenizer, config->config, true, config->config_path, mode));
    NT_TRY(add_named(tokenizer, json_object_get(config->config, "extra_special_tokens"), false,
                     config->config_path, mode));
    NT_TRY(add_extra(tokenizer, config, "additional_special_tokens", mode));
    return add_extra(tokenizer, config, "extra_special_tokens", mode);
}

int nt_apply_roles(nt_tokenizer *tokenizer, const nt_token_config *config,
                   const char *const defaults[NT_ROLES]) {
    static const nt_role_name names[] = {NT_ROLE_BOS, NT_ROLE_EOS, NT_ROLE_PAD};
    int32_t *ids[] = {&tokenizer->bos, &tokenizer->eos, &tokenizer->pad};
    for (int i = 0; i < 3; i++) {
        nt_role role;
        NT_TRY(nt_token_config_role(&role, config, names[i], defaults));
        const nt_piece *piece =
            role.content ? nt_lexicon_find(&tokenizer->lexicon, role.content, role.n) : NULL;
        *ids[i] = piece ? (int32_t)piece->id : -1;
    }
    return NT_OK;
}

int nt_apply_surround(nt_tokenizer *tokenizer, const nt_token_config *config) {
    bool bos = false, eos = false;
    NT_TRY(nt_json_bool(&bos, config->config, "add_bos_token", config->config_path));
    NT_TRY(nt_json_bool(&eos, config->config, "add_eos_token", config->config_path));
    return nt_post_surround(&tokenizer->post, bos ? tokenizer->bos : -1, eos ? tokenizer->eos : -1);
}
