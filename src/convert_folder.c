/* A checkpoint's folder: made beside its place and put there whole; and the files in it that are
 * no weights. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "convert.h"

enum { MAX_COPIED = 256 << 20, MAX_CONFIG = 16 << 20 };

static int fail_at(const char *doing, const char *path) {
    int reason = errno;
    return nt_fail(reason == ENOENT ? NT_E_NOT_FOUND : NT_E_IO, "cannot %s %.600s: %s", doing, path,
                   strerror(reason));
}

/* ---- Its files ------------------------------------------------------------------------------- */

static int write_in(const char *folder, const char *name, const char *bytes, size_t n) {
    char *path = nt_path_join(folder, name);
    int status = path ? nt_file_write(path, bytes, n) : NT_E_MEMORY;
    nt_free(path);
    return status;
}

static int write_json(const char *folder, const char *name, json_t *json) {
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    if (!text) return nt_fail_memory(0);
    int status = write_in(folder, name, text, strlen(text));
    free(text);
    return status;
}

static int copy_file(const char *to, const char *from, const char *name) {
    char *path = nt_path_join(from, name), *bytes;
    size_t n;
    if (!path) return NT_E_MEMORY;
    int status = NT_OK;
    if (nt_file_look(path) != NT_FILE_NONE) {
        status = nt_file_read(&bytes, &n, path, MAX_COPIED);
        if (status == NT_OK) {
            status = write_in(to, name, bytes, n);
            nt_free(bytes);
        }
    }
    nt_free(path);
    return status;
}

/* config.json, with the width that the weights have now. */
static int copy_config(const nt_conversion *it, const char *to, const char *from) {
    static const char *const names[] = {
        [NT_WIDTH_F32] = "float32", [NT_WIDTH_F16] = "float16", [NT_WIDTH_BF16] = "bfloat16"};
    json_t *json;
    char *path = nt_path_join(from, "config.json");
    int status = path ? nt_json_read(&json, path, MAX_CONFIG) : NT_E_MEMORY;
    nt_free(path);
    NT_TRY(status);
    if (it->width != NT_WIDTH_KEEP) {
        const char *key = json_object_get(json, "torch_dtype") ? "torch_dtype" : "dtype";
        if (json_object_set_new(json, key, json_string(names[it->width])) != 0)
            status = nt_fail_memory(0);
    }
    if (status == NT_OK) status = write_json(to, "config.json", json);
    json_decref(json);
    return status;
}

static int copy_files(const nt_conversion *it, const char *to, const char *from) {
    static const char *const names[] = {"tokenizer.json",
                                        "tokenizer.model",
                                        "vocab.json",
                                        "merges.txt",
                                        "tokenizer_config.json",
                                        "added_tokens.json",
                                        "special_tokens_map.json",
                                        "generation_config.json",
                                        "chat_template.jinja"};
    NT_TRY(copy_config(it, to, from));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        NT_TRY(copy_file(to, from, names[i]));
    return NT_OK;
}

/* The token of a role, as tokenizer_config.json names it. */
static int set_role(json_t *json, const char *key, const nt_tokenizer *tokenizer, int32_t id) {
    size_t n;
    const char *content = id < 0 ? NULL : nt_tokenizer_content(tokenizer, id, &n);
    if (!content) return NT_OK;
    return json_object_set_new(json, key, json_stringn(content, n)) == 0 ? NT_OK
                                                                         : nt_fail_memory(0);
}

static int write_token_config(const nt_model *model, const char *to) {
    const nt_tokenizer *t = model->tokenizer;
    json_t *json =
        json_pack("{s:s, s:i, s:b}", "tokenizer_class", "GPT2Tokenizer", "model_max_length",
                  (int)model->network->config.T, "add_prefix_space", 0);
    if (!json) return nt_fail_memory(0);
    int status = set_role(json, "bos_token", t, nt_tokenizer_bos(t));
    if (status == NT_OK) status = set_role(json, "eos_token", t, nt_tokenizer_eos(t));
    if (status == NT_OK) status = set_role(json, "unk_token", t, nt_tokenizer_eos(t));
    if (status == NT_OK) status = set_role(json, "pad_token", t, nt_tokenizer_pad(t));
    if (status == NT_OK) status = write_json(to, "tokenizer_config.json", json);
    json_decref(json);
    return status;
}

/* config.json, and the ids in it that generation reads as a file of their own. A head that is not
 * the table of embeddings is said, where the metadata has no word for it. */
static int write_configs(const nt_model *model, const char *to, const nt_buffer *config) {
    static const char *const names[] = {"bos_token_id", "eos_token_id", "pad_token_id"};
    json_t *from, *json = json_object();
    int status = nt_json_parse(&from, config->data, config->n, model->path);
    if (status == NT_OK && !model->network->tied &&
        json_object_set_new(from, "tie_word_embeddings", json_false()) != 0)
        status = nt_fail_memory(0);
    if (status == NT_OK) status = write_json(to, "config.json", from);
    for (size_t i = 0; status == NT_OK && i < 3; i++) {
        json_t *id = json_object_get(from, names[i]);
        if (!json || (id && !json_is_null(id) && json_object_set(json, names[i], id) != 0))
            status = nt_fail_memory(0);
    }
    if (status == NT_OK) status = write_json(to, "generation_config.json", json);
    json_decref(json);
    json_decref(from);
    return status;
}

/* What a GGUF file's metadata come to. */
static int make_files(const nt_conversion *it, const char *to) {
    const nt_model *model = it->model;
    const nt_gguf *gguf = nt_tensors_gguf(model->network->tensors);
    int64_t V = model->network->config.V;
    nt_buffer config = {0}, tokenizer = {0};
    nt_gguf_roles roles;
    bool there = false;
    int status = nt_gguf_config(&config, gguf, V);
    if (status == NT_OK) status = write_configs(model, to, &config);
    if (status == NT_OK) status = nt_gguf_tokenizer(&there, &tokenizer, &roles, gguf, V);
    if (status == NT_OK && there)
        status = write_in(to, "tokenizer.json", tokenizer.data, tokenizer.n);
    if (status == NT_OK && there) status = write_token_config(model, to);
    nt_buffer_free(&config);
    nt_buffer_free(&tokenizer);
    return status;
}

int nt_convert_files(const nt_conversion *it, const char *folder, const char *source) {
    return source ? copy_files(it, folder, source) : make_files(it, folder);
}

/* ---- Its place ------------------------------------------------------------------------------- */

/* Removes a folder that holds files alone. */
static void remove_folder(const char *folder) {
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries) closedir(entries);
    rmdir(folder);
}

static bool is_checkpoint(const char *folder) {
    char *path = nt_path_join(folder, "config.json");
    bool found = path && nt_file_look(path) == NT_FILE_REGULAR;
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) { /* files alone: nothing else is removed */
        struct stat info;
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (dots || fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(info.st_mode)) found = false;
    }
    if (entries) closedir(entries);
    nt_free(path);
    return found;
}

static int check_place(const char *folder, bool overwrite) {
    nt_file_kind kind = nt_file_look(folder);
    if (kind == NT_FILE_NONE) return NT_OK;
    if (!overwrite)
        return nt_fail(NT_E_IO, "%.600s is there already; it is not replaced unless forced",
                       folder);
    if (kind == NT_FILE_FOLDER && is_checkpoint(folder)) return NT_OK;
    return nt_fail(NT_E_IO,
                   "%.600s is there already and is no folder of a checkpoint alone: it is not "
                   "replaced",
                   folder);
}

/* Puts `made` in the place of folder: where there is an old one, the two change places at once. */
static int put_in_place(const char *made, const char *folder) {
    if (nt_file_look(folder) == NT_FILE_NONE) {
        if (rename(made, folder) == 0) return NT_OK;
        return fail_at("write", folder);
    }
    if (renameat2(AT_FDCWD, made, AT_FDCWD, folder, RENAME_EXCHANGE) != 0)
        return fail_at("replace", folder);
    remove_folder(made);
    return NT_OK;
}

int nt_convert_replace(const char *folder, bool overwrite,
                       int (*fill)(void *payload, const char *folder), void *payload) {
    NT_TRY(check_place(folder, overwrite));
    nt_buffer made = {0};
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    nt_buffer_put(&made, folder, n);
    nt_buffer_printf(&made, ".%ld.tmp", (long)getpid());
    int status = made.status;
    if (status == NT_OK && mkdir(made.data, 0777) != 0) status = fail_at("make", made.data);
    if (status == NT_OK) {
        status = fill(payload, made.data);
        if (status == NT_OK) status = put_in_place(made.data, folder);
        if (status != NT_OK) remove_folder(made.data);
    }
    nt_buffer_free(&made);
    return status;
}
