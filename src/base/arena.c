#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/memory.h"

/* Blocks double: a result of a few words stays small, and there may be thousands of them. */
enum { FIRST_BLOCK = 1024, MOST_BLOCK = 16 * 1024 };

struct nt_arena_block {
    nt_arena_block *older;
    size_t used, size;
    alignas(16) unsigned char data[];
};

void *nt_arena_alloc(nt_arena *arena, size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX / 2) {
        nt_fail_memory(SIZE_MAX);
        return NULL;
    }
    bytes = (bytes + 15) & ~(size_t)15;
    nt_arena_block *block = arena->block;
    if (!block || block->size - block->used < bytes || nt_memory_counts()) {
        size_t room = !block ? FIRST_BLOCK : block->size * 2;
        if (room > MOST_BLOCK) room = MOST_BLOCK;
        if (room < bytes) room = bytes;
        block = nt_alloc(1, sizeof *block + room);
        if (!block) return NULL;
        block->size = room;
        block->older = arena->block;
        arena->block = block;
    }
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

char *nt_arena_copy(nt_arena *arena, const char *bytes, size_t n) {
    char *copy = nt_arena_alloc(arena, n + 1, 1);
    if (copy && n) memcpy(copy, bytes, n);
    return copy;
}

int nt_arena_grow(nt_arena *arena, void **array, size_t *capacity, size_t need, size_t size) {
    if (need <= *capacity) return NT_OK;
    size_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted < need) wanted = need;
    void *bigger = nt_arena_alloc(arena, wanted, size);
    if (!bigger) return NT_E_MEMORY;
    if (*capacity) memcpy(bigger, *array, *capacity * size);
    *array = bigger;
    *capacity = wanted;
    return NT_OK;
}

void nt_arena_free(nt_arena *arena) {
    while (arena->block) {
        nt_arena_block *older = arena->block->older;
        nt_free(arena->block);
        arena->block = older;
    }
}
