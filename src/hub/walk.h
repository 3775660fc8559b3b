/* What lies in a folder, in order of name, and what lies below it. */
#ifndef NT_HUB_WALK_H
#define NT_HUB_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"

/* The names in a folder, sorted, in the arena; none where there is no folder. Errors: IO. */
int nt_hub_names(const char *const **names, size_t *n, nt_arena *arena, const char *folder);

/* Calls see for everything below a folder that is no folder, links as links; name is the path from
 * it. Errors: IO, what see returns. */
typedef int (*nt_hub_see)(void *payload, const char *path, const char *name,
                          const struct stat *info);
int nt_hub_walk(const char *folder, nt_hub_see see, void *payload);

#endif
