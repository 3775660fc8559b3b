#include "hub/name.h"

#include <string.h>

#include "base/file.h"
#include "base/utf8.h"

static bool ends_with(const char *word, const char *end) {
    size_t n = strlen(word), k = strlen(end);
    return n > k && strcmp(word + n - k, end) == 0;
}

/* Files that people name as a model: none of these ends a repo's name. */
static bool is_named_as_file(const char *word) {
    static const char *const ends[] = {".safetensors", ".gguf", ".json",    ".bin",  ".pt",
                                       ".pth",         ".h5",   ".msgpack", ".onnx", ".ckpt"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(word, ends[i])) return true;
    return false;
}

bool nt_hub_is_path(const char *word) {
    const char *slash = strchr(word, '/');
    if (nt_file_look(word) != NT_FILE_NONE) return true;
    if (word[0] == '.' || word[0] == '/' || word[0] == '~' || strchr(word, '\\')) return true;
    const char *at = strchr(word, '@'); /* a revision may hold slashes */
    if (slash && (!at || slash < at)) {
        const char *second = strchr(slash + 1, '/');
        if (slash[1] == 0 || (second && (!at || second < at))) return true;
    }
    return !at && is_named_as_file(word);
}

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-_.", c));
}

/* Why repo [n] is no repo's name; NULL when it is one. */
static const char *wrong_repo(const char *repo, size_t n) {
    if (n == 0) return "it is empty";
    if (n > NT_HUB_MAX_REPO) return "it is longer than 96 characters";
    size_t slashes = 0;
    for (size_t i = 0; i < n; i++) {
        bool edge = i == 0 || i + 1 == n || repo[i - 1] == '/' || repo[i + 1] == '/';
        char next = i + 1 < n ? repo[i + 1] : 0;
        if (repo[i] == '/') {
            if (++slashes > 1 || edge) return "it is not REPO or OWNER/REPO";
        } else if (!in_name(repo[i])) {
            return "only letters, digits, '-', '_' and '.' may stand in it (and '@' before a "
                   "revision)";
        } else if (edge && (repo[i] == '-' || repo[i] == '.')) {
            return "neither part begins or ends with '-' or '.'";
        } else if ((repo[i] == '-' || repo[i] == '.') && repo[i] == next) {
            return "\"--\" and \"..\" may not stand in it";
        }
    }
    if (n >= 4 && strncmp(repo + n - 4, ".git", 4) == 0) return "it ends with .git";
    return NULL;
}

/* What follows the hub's address, where a word begins with one: https://huggingface.co/gpt2. NULL:
 * it does not. */
static const char *after_address(const char *word) {
    static const char *const starts[] = {"https://", "http://", "hf://", "huggingface.co/",
                                         "hf.co/"};
    const char *at = word;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(at, starts[i], strlen(starts[i])) == 0) at += strlen(starts[i]);
    return at == word ? NULL : at;
}

static int fail_address(const char *word, const char *name) {
    size_t owner = strcspn(name, "/?#"), n = owner;
    if (name[n] == '/') n += 1 + strcspn(name + n + 1, "/?#");
    if (n && name[n - 1] == '/') n--;
    if (n == 0 || memchr(name, ':', n))
        return nt_fail(NT_E_ARGUMENT, "\"%.200s\" is an address, and no model's name", word);
    return nt_fail(NT_E_ARGUMENT, "\"%.200s\" is an address: the model's name is %.*s", word,
                   (int)n, name);
}

int nt_hub_check_path(const char *word) {
    const char *name = after_address(word), *slash = strchr(word, '/');
    if (nt_file_look(word) != NT_FILE_NONE) return NT_OK;
    if (name) return fail_address(word, name);
    const char *second = slash ? strchr(slash + 1, '/') : NULL;
    size_t n = second ? (size_t)(second - word) : 0;
    if (!second || wrong_repo(word, n) || !is_named_as_file(second)) return NT_OK;
    return nt_fail(NT_E_NOT_FOUND,
                   "%.300s: no such file or folder; if it is %.*s's on the hub, nextoken pull %.*s "
                   "%.200s fetches it and prints the folder that it is in",
                   word, (int)n, word, (int)n, word, second + 1);
}

/* The same of a revision: what git takes as a branch, of plain characters. */
static const char *wrong_revision(const char *revision) {
    size_t n = strlen(revision);
    if (n == 0) return "nothing follows '@'";
    if (n > NT_HUB_MAX_REVISION) return "the revision is longer than 200 characters";
    for (size_t i = 0; i < n; i++) {
        char before = i ? revision[i - 1] : '/', next = i + 1 < n ? revision[i + 1] : '/';
        if (!in_name(revision[i]) && revision[i] != '/')
            return "only letters, digits, '-', '_', '.' and '/' may stand in a revision";
        if (revision[i] == '/' && (before == '/' || next == '/'))
            return "a part of the revision is empty";
        if (revision[i] == '.' && (before == '/' || before == '.' || next == '/'))
            return "a part of the revision begins or ends with '.' or holds \"..\"";
    }
    return NULL;
}

int nt_hub_name_read(nt_hub_name *out, const char *word) {
    *out = (nt_hub_name){.revision = "main"};
    const char *at = strchr(word, '@'), *name = after_address(word);
    if (name) return fail_address(word, name);
    size_t n = at ? (size_t)(at - word) : strlen(word);
    const char *wrong = wrong_repo(word, n);
    if (!wrong && at) wrong = wrong_revision(at + 1);
    if (wrong) {
        return nt_fail(NT_E_ARGUMENT,
                       "\"%.200s\" names no model: %s; a folder or file is not there either", word,
                       wrong);
    }
    memcpy(out->repo, word, n);
    if (at) strcpy(out->revision, at + 1);
    out->revised = at != NULL;
    return NT_OK;
}

bool nt_hub_is_file_name(const char *file) {
    size_t n = strlen(file);
    if (n == 0 || n > NT_HUB_MAX_FILE || nt_utf8_check(file, n) != n) return false;
    for (const char *part = file;;) {
        size_t k = strcspn(part, "/");
        if (k == 0 || (k == 1 && part[0] == '.') || (k == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        for (size_t i = 0; i < k; i++)
            if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f || part[i] == '\\') return false;
        if (part[k] == 0) return true;
        part += k + 1;
    }
}

bool nt_hub_is_hex(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return text[n] == 0;
}

bool nt_hub_is_commit(const char *text) {
    return strnlen(text, NT_COMMIT + 1) == NT_COMMIT && nt_hub_is_hex(text, NT_COMMIT);
}
