/* Every allocation of the library passes through here, so that tests can fail each in turn. */
#ifndef NT_BASE_MEMORY_H
#define NT_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* n items of size bytes, zeroed. NULL (message set) when memory ends or n * size overflows.
 * n * size == 0 gives a pointer that may be freed. */
void *nt_alloc(size_t n, size_t size);
/* Grows or shrinks; new bytes are not zeroed. On failure NULL, and memory stays valid. */
void *nt_resize(void *memory, size_t n, size_t size);
/* Like nt_alloc on a 64-byte boundary, not zeroed. Free with nt_free too. */
void *nt_alloc_aligned(size_t n, size_t size);

/* Not zeroed, on a 64-byte boundary, and on large pages where it is large and the system has them:
 * what is used of it is cheap to touch first. Free with nt_free. */
void *nt_alloc_large(size_t n, size_t size);
/* Zeroed and on a 64-byte boundary, for tables that are read all over: on large pages where they
 * are large and the system has them. Free with nt_free. */
void *nt_alloc_table(size_t n, size_t size);
/* Tells the system that memory which nothing was written to yet will be used whole: large pages
 * save most of the time that its first use takes. Below some megabytes it does nothing. */
void nt_memory_large(void *memory, size_t n_bytes);

/* Makes room for at least `need` items in a growing array (doubling). NT_OK or NT_E_MEMORY. */
int nt_grow(void **array, size_t *capacity, size_t need, size_t size);

/* For tests: the k-th allocation from now on fails (1 is the next), and every one after it until
 * this is called with 0. Counts across threads. */
void nt_memory_fail_at(size_t k);
/* For tests: the k-th fails and no other, so that what goes on as if nothing had happened shows. */
void nt_memory_fail_once(size_t k);
/* For tests: allocations since the last call of these two, which count while k is above 0
 * (SIZE_MAX: counts and fails none). */
size_t nt_memory_count(void);
/* Whether it counts: arenas then make a block for every allocation, so that each can fail. */
bool nt_memory_counts(void);

#endif
