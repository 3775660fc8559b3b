/* The thread pool: one counter starts a run, one counts the workers that are still at it. Whoever
 * waits spins for up to a fifth of a millisecond (the gap between two matrices of a forward pass,
 * or between two steps of a small model) and then sleeps in the kernel, so that an idle session
 * costs nothing. */
#include "base/threads.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

#ifdef __linux__
#    include <linux/futex.h>
#    include <sys/syscall.h>
#endif

enum {
    MAX_THREADS = 1024,
    SPINS = 4000 /* pauses of about 50 ns each on current x86 */
};

/* A number that threads wait to see changed. */
typedef struct nt_signal {
    atomic_uint value;
    atomic_uint sleepers;
#ifndef __linux__
    pthread_mutex_t mutex;
    pthread_cond_t cond;
#endif
} nt_signal;

typedef struct nt_worker {
    nt_pool *pool;
    pthread_t thread;
    int number;
    unsigned seen; /* value of `go` when the worker was made */
} nt_worker;

struct nt_pool {
    _Alignas(64) nt_signal go; /* counts runs; workers wait for the next */
    _Alignas(
        64) nt_signal left;    /* workers that have not finished the run; the caller waits for 0 */
    _Alignas(64) nt_task task; /* written before `go` moves, read after */
    void *payload;
    bool stop;
    int spins;
    int n;              /* threads, the caller included */
    pid_t pid;          /* of the process that made the workers */
    nt_worker *workers; /* [n - 1] */
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#ifdef __linux__
static void signal_init(nt_signal *s) {
    atomic_init(&s->value, 0);
    atomic_init(&s->sleepers, 0);
}

static void signal_destroy(nt_signal *s) {
    (void)s;
}

/* Sleeps while the value is `old`. The sleeper counts itself before the kernel compares the value,
 * the waker changes the value before it reads the count: one of the two always sees the other. */
static void sleep_while(nt_signal *s, unsigned old) {
    atomic_fetch_add(&s->sleepers, 1);
    while (atomic_load(&s->value) == old) {
        syscall(SYS_futex, &s->value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
    }
    atomic_fetch_sub(&s->sleepers, 1);
}

static void wake_all(nt_signal *s) {
    if (atomic_load(&s->sleepers)) {
        syscall(SYS_futex, &s->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}
#else
static void signal_init(nt_signal *s) {
    atomic_init(&s->value, 0);
    atomic_init(&s->sleepers, 0);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->cond, NULL);
}

static void signal_destroy(nt_signal *s) {
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->cond);
}

static void sleep_while(nt_signal *s, unsigned old) {
    pthread_mutex_lock(&s->mutex);
    atomic_fetch_add(&s->sleepers, 1);
    while (atomic_load(&s->value) == old)
        pthread_cond_wait(&s->cond, &s->mutex);
    atomic_fetch_sub(&s->sleepers, 1);
    pthread_mutex_unlock(&s->mutex);
}

static void wake_all(nt_signal *s) {
    if (atomic_load(&s->sleepers)) {
        pthread_mutex_lock(&s->mutex);
        pthread_cond_broadcast(&s->cond);
        pthread_mutex_unlock(&s->mutex);
    }
}
#endif

/* Waits until the value is no longer `old`; returns the new one. */
static unsigned wait_change(nt_signal *s, unsigned old, int spins) {
    for (int i = 0; i < spins; i++) {
        unsigned value = atomic_load_explicit(&s->value, memory_order_acquire);
        if (value != old) return value;
        relax();
    }
    sleep_while(s, old);
    return atomic_load_explicit(&s->value, memory_order_acquire);
}

static void *work(void *argument) {
    nt_worker *worker = argument;
    nt_pool *pool = worker->pool;
    unsigned seen = worker->seen;
    for (;;) {
        seen = wait_change(&pool->go, seen, pool->spins);
        if (pool->stop) return NULL;
        pool->task(pool->payload, worker->number, pool->n);
        if (atomic_fetch_sub(&pool->left.value, 1) == 1) wake_all(&pool->left);
    }
}

/* Makes the workers of a pool of `pool->n`; pool->n shrinks to what the system grants. */
static void make_workers(nt_pool *pool) {
    sigset_t all, before;
    sigfillset(&all); /* signals (Ctrl-C) are for the threads of the program, not for ours */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int made = 0;
    while (made < pool->n - 1) {
        nt_worker *worker = &pool->workers[made];
        *worker =
            (nt_worker){.pool = pool, .number = made + 1, .seen = atomic_load(&pool->go.value)};
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) break;
        made++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->n = made + 1;
    pool->pid = getpid();
}

/* The processors that this process may use; at least 1. */
static int usable_processors(void) {
#ifdef __linux__
    for (int most = 1024; most <= 1 << 20; most *= 4) {
        cpu_set_t *set = CPU_ALLOC(most);
        if (!set) break;
        int count = 0;
        if (sched_getaffinity(0, CPU_ALLOC_SIZE(most), set) == 0) {
            count = CPU_COUNT_S(CPU_ALLOC_SIZE(most), set);
        }
        CPU_FREE(set);
        if (count > 0) return count;
        if (errno != EINVAL) break; /* EINVAL: the kernel's mask is wider than ours */
    }
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)(online < MAX_THREADS ? online : MAX_THREADS) : 1;
}

int nt_default_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    if (text) {
        char *end;
        long n =
            strtol(text, &end, 10); /* "4,2" gives a number a nesting level: ours is the first */
        if (end != text && n > 0 && (*end == '\0' || *end == ',' || *end == ' ')) {
            return n < MAX_THREADS ? (int)n : MAX_THREADS;
        }
    }
    int n = usable_processors();
    return n < MAX_THREADS ? n : MAX_THREADS;
}

int nt_pool_new(nt_pool **out, int n) {
    *out = NULL;
    if (n < 0) {
        return nt_fail(NT_E_ARGUMENT, "%d threads: give a number above 0, or 0 for the default", n);
    }
    if (n == 0) n = nt_default_threads();
    if (n > MAX_THREADS) n = MAX_THREADS;
    nt_pool *pool = nt_alloc_aligned(1, sizeof *pool);
    nt_worker *workers = nt_alloc((size_t)n, sizeof *workers);
    if (!pool || !workers) {
        nt_free(pool);
        nt_free(workers);
        return NT_E_MEMORY;
    }
    *pool = (nt_pool){.workers = workers, .n = n};
    signal_init(&pool->go);
    signal_init(&pool->left);
    /* Spinning helps only where every thread has a processor of its own. */
    pool->spins = n <= usable_processors() ? SPINS : 0;
    make_workers(pool);
    *out = pool;
    return NT_OK;
}

void nt_pool_free(nt_pool *pool) {
    if (!pool) return;
    if (pool->pid == getpid()) { /* after fork() the workers live in the parent only */
        pool->stop = true;
        atomic_fetch_add(&pool->go.value, 1);
        wake_all(&pool->go);
        for (int i = 0; i < pool->n - 1; i++)
            pthread_join(pool->workers[i].thread, NULL);
    }
    signal_destroy(&pool->go);
    signal_destroy(&pool->left);
    nt_free(pool->workers);
    nt_free(pool);
}

int nt_pool_size(const nt_pool *pool) {
    return pool->n;
}

void nt_pool_run(nt_pool *pool, nt_task task, void *payload) {
    if (pool->n > 1 && pool->pid != getpid()) {
        signal_init(&pool->go);
        signal_init(&pool->left);
        make_workers(pool);
    }
    if (pool->n == 1) {
        task(payload, 0, 1);
        return;
    }
    pool->task = task;
    pool->payload = payload;
    atomic_store_explicit(&pool->left.value, (unsigned)pool->n - 1, memory_order_relaxed);
    atomic_fetch_add(&pool->go.value, 1);
    wake_all(&pool->go);
    task(payload, 0, pool->n);
    for (unsigned left; (left = atomic_load(&pool->left.value)) != 0;)
        wait_change(&pool->left, left, pool->spins);
}

void nt_partition(size_t *begin, size_t *end, size_t n, size_t step, int thread, int n_threads) {
    size_t units = n / step + (n % step != 0), parts = (size_t)n_threads, i = (size_t)thread;
    size_t each = units / parts, more = units % parts; /* the first `more` parts get one more */
    size_t first = i * each + (i < more ? i : more);
    size_t last = first + each + (i < more);
    *begin = first * step < n ? first * step : n;
    *end = last * step < n ? last * step : n;
}
