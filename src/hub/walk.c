#include "hub/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "hub/cache.h"

enum { DEEPEST = 32 };

static int compare(const void *a, const void *b) {
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static int add_name(const char ***names, size_t *n, size_t *capacity, nt_arena *arena,
                    const char *name) {
    void *array = *names;
    NT_TRY(nt_arena_grow(arena, &array, capacity, *n + 1, sizeof **names));
    *names = array;
    (*names)[*n] = nt_arena_copy(arena, name, strlen(name));
    return (*names)[(*n)++] ? NT_OK : NT_E_MEMORY;
}

int nt_hub_names(const char *const **out, size_t *n, nt_arena *arena, const char *folder) {
    const char **names = NULL;
    size_t capacity = 0;
    int status = NT_OK;
    *out = NULL;
    *n = 0;
    DIR *entries = opendir(folder);
    if (!entries) {
        if (errno == ENOENT || errno == ENOTDIR) return NT_OK;
        return nt_fail(NT_E_IO, "cannot read %.600s: %s", folder, strerror(errno));
    }
    const struct dirent *entry;
    while (status == NT_OK && (entry = readdir(entries))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        status = add_name(&names, n, &capacity, arena, name);
    }
    closedir(entries);
    NT_TRY(status);
    if (*n) qsort(names, *n, sizeof *names, compare);
    *out = (const char *const *)names;
    return NT_OK;
}

static int walk(const char *folder, const char *above, int depth, nt_hub_see see, void *payload);

static int visit(const char *folder, const char *above, const char *entry, int depth,
                 nt_hub_see see, void *payload) {
    struct stat info;
    char *path = nt_hub_path("%s/%s", folder, entry);
    char *name = nt_hub_path("%s%s%s", above, *above ? "/" : "", entry);
    int status = path && name ? NT_OK : NT_E_MEMORY;
    if (status == NT_OK && lstat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            status = walk(path, name, depth + 1, see, payload);
        else
            status = see(payload, path, name, &info);
    }
    nt_free(path);
    nt_free(name);
    return status;
}

static int walk(const char *folder, const char *above, int depth, nt_hub_see see, void *payload) {
    nt_arena arena = {0};
    const char *const *names;
    size_t n;
    if (depth > DEEPEST) return nt_fail(NT_E_IO, "%.600s lies too deep", folder);
    int status = nt_hub_names(&names, &n, &arena, folder);
    for (size_t i = 0; i < n && status == NT_OK; i++)
        status = visit(folder, above, names[i], depth, see, payload);
    nt_arena_free(&arena);
    return status;
}

int nt_hub_walk(const char *folder, nt_hub_see see, void *payload) {
    return walk(folder, "", 0, see, payload);
}
