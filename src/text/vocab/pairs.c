#include "text/vocab/pairs.h"

#include "base/memory.h"

int nt_pairs_init(nt_pairs *pairs, size_t n, uint64_t seed) {
    size_t size = 16;
    while (size / 2 < n)
        size *= 2;
    pairs->slots = nt_alloc(size, sizeof *pairs->slots);
    if (!pairs->slots) return NT_E_MEMORY;
    for (size_t i = 0; i < size; i++)
        pairs->slots[i].left = NT_NO_PAIR;
    pairs->mask = size - 1;
    pairs->seed = seed;
    return NT_OK;
}

void nt_pairs_free(nt_pairs *pairs) {
    nt_free(pairs->slots);
    *pairs = (nt_pairs){0};
}
