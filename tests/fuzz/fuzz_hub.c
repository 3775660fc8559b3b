/* Fuzz entry of what the hub and the cache tell in text. The first byte says what follows: a name
 * of a model, the name of a file, header lines of an answer, the content of a ref, the name of a
 * folder in the cache. */
#include <sys/stat.h>

#include "hub/cache.h"
#include "hub/hash.h"
#include "hub/reply.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A path of plain parts below where it is put. */
static void check_below(const char *path) {
    check(*path && *path != '/');
    for (const char *part = path; part;) {
        size_t n = strcspn(part, "/");
        check(n > 0 && !(n == 1 && part[0] == '.') && !(n == 2 && strncmp(part, "..", 2) == 0));
        part = part[n] ? part + n + 1 : NULL;
    }
    for (const char *at = path; *at; at++)
        check((unsigned char)*at >= 0x20 && *at != 0x7f && *at != '\\');
}

static void look_at_name(const char *text) {
    nt_hub_name name;
    char folder[NT_HUB_FOLDER], repo[NT_HUB_MAX_REPO + 1];
    if (nt_hub_name_read(&name, text) != NT_OK) {
        check_message(NT_E_ARGUMENT);
        return;
    }
    check_below(name.repo);
    check_below(name.revision);
    nt_hub_folder_name(folder, name.repo);
    check(!strchr(folder, '/') && nt_hub_folder_repo(repo, folder));
    check(strcmp(repo, name.repo) == 0); /* the folder's name is a name for one repo */
    (void)nt_hub_is_path(text);
}

static void look_at_file(const char *text) {
    if (nt_hub_is_file_name(text)) check_below(text);
    if (nt_hub_is_commit(text)) check(strlen(text) == NT_COMMIT && !strchr(text, '/'));
    /* an etag becomes the name of a blob */
    if (nt_hash_kind_of(text) != NT_HASH_NONE) check(nt_hub_is_hex(text, strlen(text)));
}

static void look_at_reply(const char *text, size_t n) {
    nt_reply reply;
    nt_reply_clear(&reply);
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t length = end ? (size_t)(end - text) - at + 1 : n - at;
        char *line = malloc(length); /* of its size */
        check(line != NULL);
        memcpy(line, text + at, length);
        nt_reply_line(&reply, line, length);
        free(line);
        at += length;
    }
    const char *const texts[] = {reply.commit, reply.etag, reply.linked_etag, reply.error_code,
                                 reply.error_message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(strlen(texts[i]) < NT_HEADER);
    check(strlen(reply.location) < NT_LOCATION && reply.code >= 0 && reply.code <= 999);
    const int64_t numbers[] = {reply.length, reply.linked_size, reply.range_start,
                               reply.range_total, reply.retry_after};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        check(numbers[i] >= -1);
}

static void look_at_ref(const char *text, size_t n) {
    char commit[NT_COMMIT + 1], folder[128];
    snprintf(folder, sizeof folder, "%s", scratch_folder());
    nt_hub_place place = {.cache = folder};
    nt_hub_repo repo = {&place, folder, folder};
    char refs[160];
    snprintf(refs, sizeof refs, "%s/refs", folder);
    mkdir(refs, 0700);
    scratch_put("refs/main", text, n);
    check(nt_hub_commit_of(commit, &repo, "main") == NT_OK);
    check(!*commit || nt_hub_is_commit(commit));
    remove(scratch_path("refs/main"));
    rmdir(refs);
}

static void look_at_folder(const char *text) {
    char repo[NT_HUB_MAX_REPO + 1];
    if (nt_hub_folder_repo(repo, text)) check(*repo && strlen(repo) <= NT_HUB_MAX_REPO);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n == 0) return 0;
    char *text = malloc(n); /* zero-ended in place of the first byte */
    check(text != NULL);
    memcpy(text, bytes + 1, n - 1);
    text[n - 1] = 0;
    switch (bytes[0]) {
    case 'n': look_at_name(text); break;
    case 'f': look_at_file(text); break;
    case 'h': look_at_reply(text, n - 1); break;
    case 'r': look_at_ref(text, n - 1); break;
    case 'd': look_at_folder(text); break;
    default: break;
    }
    free(text);
    return 0;
}
