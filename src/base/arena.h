/* An arena: many small allocations with one lifetime, freed together. */
#ifndef NT_BASE_ARENA_H
#define NT_BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"

typedef struct nt_arena_block nt_arena_block;
typedef struct nt_arena {
    nt_arena_block *block; /* newest first */
} nt_arena;                /* all zero is an empty arena */

/* n items of size bytes, zeroed, 16-byte aligned; NULL (message set) when memory ends. */
void *nt_arena_alloc(nt_arena *arena, size_t n, size_t size);
/* A copy of n bytes with a zero byte after them. */
char *nt_arena_copy(nt_arena *arena, const char *bytes, size_t n);
/* Room for `need` items in an array that lives in the arena: doubles, copies, leaves the old one
 * behind. NT_OK or NT_E_MEMORY. */
int nt_arena_grow(nt_arena *arena, void **array, size_t *capacity, size_t need, size_t size);
void nt_arena_free(nt_arena *arena);

#endif
