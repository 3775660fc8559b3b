#include "decode/search/frontier.h"

#include "base/memory.h"

static bool before(const nt_frontier_entry *a, const nt_frontier_entry *b) {
    if (a->sum > b->sum || a->sum < b->sum) return a->sum > b->sum;
    if (a->depth != b->depth) return a->depth > b->depth;
    if (a->again != b->again) return b->again;
    return a->prefix < b->prefix;
}

int nt_frontier_push(nt_frontier *frontier, nt_frontier_entry entry) {
    NT_TRY(nt_grow((void **)&frontier->heap, &frontier->capacity, frontier->n + 1,
                   sizeof *frontier->heap));
    size_t at = frontier->n++;
    for (size_t up; at > 0 && before(&entry, &frontier->heap[up = (at - 1) / 2]); at = up)
        frontier->heap[at] = frontier->heap[up];
    frontier->heap[at] = entry;
    return NT_OK;
}

bool nt_frontier_pop(nt_frontier_entry *entry, nt_frontier *frontier) {
    if (frontier->n == 0) return false;
    nt_frontier_entry *heap = frontier->heap;
    *entry = heap[0];
    nt_frontier_entry last = heap[--frontier->n];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < frontier->n; at = down) {
        if (down + 1 < frontier->n && before(&heap[down + 1], &heap[down])) down++;
        if (!before(&heap[down], &last)) break;
        heap[at] = heap[down];
    }
    heap[at] = last;
    return true;
}

void nt_frontier_free(nt_frontier *frontier) {
    nt_free(frontier->heap);
}
