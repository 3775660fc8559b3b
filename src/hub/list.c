/* What the cache holds: models, their revisions, how much of the disk they take. */
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "hub/cache.h"
#include "hub/walk.h"

struct nt_hub_list {
    nt_hub_place place;
    nt_hub_entry *entries; /* [n] in the place's arena */
    size_t n, capacity;
};

/* The refs that stand at a commit. */
typedef struct refs_of {
    const char *commit;
    nt_buffer names;
} refs_of;

static int see_ref(void *payload, const char *path, const char *name, const struct stat *info) {
    refs_of *refs = payload;
    char *text;
    size_t n;
    if (!S_ISREG(info->st_mode) || info->st_size > NT_COMMIT + 1) return NT_OK;
    int status = nt_file_read(&text, &n, path, NT_COMMIT + 1);
    if (status != NT_OK) return status == NT_E_MEMORY ? status : NT_OK;
    if (strncmp(text, refs->commit, NT_COMMIT) == 0) {
        if (refs->names.n) nt_buffer_puts(&refs->names, ", ");
        nt_buffer_puts(&refs->names, name);
    }
    nt_free(text);
    return refs->names.status;
}

static int see_file(void *payload, const char *path, const char *name, const struct stat *info) {
    nt_hub_entry *entry = payload;
    struct stat content;
    (void)name, (void)info;
    if (stat(path, &content) != 0 || !S_ISREG(content.st_mode)) return NT_OK;
    entry->n_files++;
    entry->n_bytes += (uint64_t)content.st_size;
    return NT_OK;
}

static const char *keep(nt_hub_list *list, const char *text) {
    return nt_arena_copy(&list->place.arena, text, strlen(text));
}

static int fill_entry(nt_hub_list *list, nt_hub_entry *entry, const char *refs_folder) {
    refs_of refs = {.commit = entry->revision};
    nt_buffer_put(&refs.names, "", 0);
    int status = nt_hub_walk(refs_folder, see_ref, &refs);
    if (status == NT_OK) status = refs.names.status;
    if (status == NT_OK) {
        entry->refs = keep(list, refs.names.data);
        status = entry->refs ? nt_hub_walk(entry->folder, see_file, entry) : NT_E_MEMORY;
    }
    nt_buffer_free(&refs.names);
    return status;
}

static int add_revision(nt_hub_list *list, const char *name, const char *repo_folder,
                        const char *commit) {
    void *entries = list->entries;
    NT_TRY(nt_arena_grow(&list->place.arena, &entries, &list->capacity, list->n + 1,
                         sizeof *list->entries));
    list->entries = entries;
    char *folder = nt_hub_path("%s/snapshots/%s", repo_folder, commit);
    char *refs = nt_hub_path("%s/refs", repo_folder);
    nt_hub_entry *entry = &list->entries[list->n];
    *entry = (nt_hub_entry){.size = sizeof *entry, .name = name, .revision = keep(list, commit)};
    if (folder) entry->folder = keep(list, folder);
    int status = refs && entry->revision && entry->folder ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) status = fill_entry(list, entry, refs);
    if (status == NT_OK) list->n++;
    nt_free(folder);
    nt_free(refs);
    return status;
}

static int add_repo(nt_hub_list *list, const char *entry) {
    char repo[NT_HUB_MAX_REPO + 1];
    const char *const *commits;
    size_t n;
    if (!nt_hub_folder_repo(repo, entry)) return NT_OK;
    const char *name = keep(list, repo);
    char *folder = nt_hub_path("%s/%s", list->place.cache, entry);
    char *snapshots = nt_hub_path("%s/%s/snapshots", list->place.cache, entry);
    int status = name && folder && snapshots ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK) status = nt_hub_names(&commits, &n, &list->place.arena, snapshots);
    for (size_t i = 0; status == NT_OK && i < n; i++)
        if (nt_hub_is_commit(commits[i])) status = add_revision(list, name, folder, commits[i]);
    nt_free(folder);
    nt_free(snapshots);
    return status;
}

int nt_hub_list_new(nt_hub_list **out, const nt_hub_options *options) {
    const char *const *names;
    size_t n = 0;
    *out = NULL;
    nt_hub_list *list = nt_alloc(1, sizeof *list);
    if (!list) return NT_E_MEMORY;
    int status = nt_hub_place_take(&list->place, options);
    if (status == NT_OK) status = nt_hub_names(&names, &n, &list->place.arena, list->place.cache);
    for (size_t i = 0; status == NT_OK && i < n; i++)
        status = add_repo(list, names[i]);
    if (status != NT_OK) {
        nt_hub_list_free(list);
        return status;
    }
    *out = list;
    return NT_OK;
}

size_t nt_hub_list_size(const nt_hub_list *list) {
    return list->n;
}

const nt_hub_entry *nt_hub_list_entry(const nt_hub_list *list, size_t i) {
    return i < list->n ? &list->entries[i] : NULL;
}

const char *nt_hub_list_cache(const nt_hub_list *list) {
    return list->place.cache;
}

void nt_hub_list_free(nt_hub_list *list) {
    if (!list) return;
    nt_hub_place_free(&list->place);
    nt_free(list);
}
