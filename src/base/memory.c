#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#    include <sys/mman.h>
#    include <unistd.h>
#endif

/* The only static data of the library: counters for the tests, 0 in every other process. The
 * allocations that fail are those from fail_at to fail_to. */
static atomic_size_t fail_at, fail_to, count;

static bool refused(size_t n, size_t size, size_t *bytes) {
    size_t k = atomic_load_explicit(&fail_at, memory_order_relaxed);
    size_t number = k ? atomic_fetch_add(&count, 1) + 1 : 0;
    if (k && number >= k && number <= atomic_load(&fail_to)) {
        nt_fail_memory(n * size);
        return true;
    }
    if (__builtin_mul_overflow(n, size, bytes) || *bytes > PTRDIFF_MAX) {
        nt_fail_memory(SIZE_MAX);
        return true;
    }
    if (*bytes == 0) *bytes = 1;
    return false;
}

void *nt_alloc(size_t n, size_t size) {
    size_t bytes;
    if (refused(n, size, &bytes)) return NULL;
    void *memory = calloc(1, bytes);
    if (!memory) nt_fail_memory(bytes);
    return memory;
}

void *nt_resize(void *memory, size_t n, size_t size) {
    size_t bytes;
    if (refused(n, size, &bytes)) return NULL;
    void *bigger = realloc(memory, bytes);
    if (!bigger) nt_fail_memory(bytes);
    return bigger;
}

void *nt_alloc_aligned(size_t n, size_t size) {
    size_t bytes;
    if (refused(n, size, &bytes)) return NULL;
    bytes = (bytes + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    if (!memory) nt_fail_memory(bytes);
    return memory;
}

void nt_memory_large(void *memory, size_t n_bytes) {
#ifdef MADV_HUGEPAGE
    const size_t least = 2 << 20;
    if (n_bytes < least) return;
    /* whole pages at both ends, so that this stays one mapping, which realloc can make larger */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)memory;
    uintptr_t from = start & ~(page - 1), to = (start + n_bytes + page - 1) & ~(page - 1);
    madvise((char *)memory - (start - from), to - from, MADV_HUGEPAGE); /* may be refused */
#else
    (void)memory;
    (void)n_bytes;
#endif
}

static void *alloc_large(size_t *bytes, size_t n, size_t size) {
    const size_t page = 2 << 20; /* of most processors */
    if (refused(n, size, bytes)) return NULL;
    size_t boundary = *bytes >= page ? page : 64;
    *bytes = (*bytes + boundary - 1) & ~(boundary - 1);
    void *memory = aligned_alloc(boundary, *bytes);
    if (!memory) {
        nt_fail_memory(*bytes);
        return NULL;
    }
    nt_memory_large(memory, *bytes);
    return memory;
}

void *nt_alloc_large(size_t n, size_t size) {
    size_t bytes;
    return alloc_large(&bytes, n, size);
}

void *nt_alloc_table(size_t n, size_t size) {
    size_t bytes;
    void *memory = alloc_large(&bytes, n, size);
    return memory ? memset(memory, 0, bytes) : NULL;
}

int nt_grow(void **array, size_t *capacity, size_t need, size_t size) {
    if (need <= *capacity) return NT_OK;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need)
        wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
    void *bigger = nt_resize(*array, wanted, size);
    if (!bigger) return NT_E_MEMORY;
    *array = bigger;
    *capacity = wanted;
    return NT_OK;
}

void nt_free(void *memory) {
    free(memory);
}

static void set_failing(size_t from, size_t to) {
    atomic_store(&count, 0);
    atomic_store(&fail_to, to);
    atomic_store(&fail_at, from);
}

void nt_memory_fail_at(size_t k) {
    set_failing(k, SIZE_MAX);
}

void nt_memory_fail_once(size_t k) {
    set_failing(k, k);
}

size_t nt_memory_count(void) {
    return atomic_load(&count);
}

bool nt_memory_counts(void) {
    return atomic_load_explicit(&fail_at, memory_order_relaxed) != 0;
}
