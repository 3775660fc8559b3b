/* A small pool of threads for short, equal pieces of arithmetic. */
#ifndef NT_BASE_THREADS_H
#define NT_BASE_THREADS_H

#include <stddef.h>

#include "base/status.h"

typedef struct nt_pool nt_pool;

/* n threads in all, the calling one included; 0 means nt_default_threads(). */
int nt_pool_new(nt_pool **out, int n);
void nt_pool_free(nt_pool *pool);
int nt_pool_size(const nt_pool *pool);

/* Runs task(payload, thread, n_threads) once on each thread and returns when all are done. The
 * caller is thread 0. Workers spin shortly, then sleep on a futex. After fork() the child's first
 * run makes its own workers. task must not fail and must not call nt_pool_run on this pool. */
typedef void (*nt_task)(void *payload, int thread, int n_threads);
void nt_pool_run(nt_pool *pool, nt_task task, void *payload);

/* The part [*begin, *end) of [0, n) for one thread: borders are multiples of `step`, so that which
 * outputs fall into one vector never depends on the number of threads. */
void nt_partition(size_t *begin, size_t *end, size_t n, size_t step, int thread, int n_threads);

/* OMP_NUM_THREADS when it is a number above 0, else the processors that this process may use. */
int nt_default_threads(void);

#endif
