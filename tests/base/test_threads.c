/* The thread pool: every part runs once, in a fork too, and workers leave signals alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/threads.h"

enum { MOST = 8 };

typedef struct counts {
    int runs[MOST]; /* plain: each thread has its own, and the run's end hands them over */
    int n_threads[MOST];
    bool signals_blocked[MOST];
    long sum; /* written by the caller before a run, read by all */
} counts;

static void count(void *payload, int thread, int n_threads) {
    counts *c = payload;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    c->runs[thread] += (int)c->sum;
    c->n_threads[thread] = n_threads;
    c->signals_blocked[thread] = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM);
}

static void every_thread_runs_once(void **state) {
    (void)state;
    for (int n = 1; n <= 5; n++) {
        nt_pool *pool;
        assert_int_equal(nt_pool_new(&pool, n), NT_OK);
        assert_int_equal(nt_pool_size(pool), n);
        counts c = {.sum = 0};
        int expected = 0;
        for (int run = 1; run <= 2000; run++) {
            c.sum = run;
            expected += run;
            nt_pool_run(pool, count, &c);
            for (int i = 0; i < MOST; i++)
                assert_int_equal(c.runs[i], i < n ? expected : 0);
            if (run % 500 == 0) { /* long enough for the workers to fall asleep */
                nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
            }
        }
        for (int i = 0; i < n; i++) {
            assert_int_equal(c.n_threads[i], n);
            assert_int_equal(c.signals_blocked[i], i > 0);
        }
        nt_pool_free(pool);
    }
    nt_pool_free(NULL);
}

/* A part that takes long: the caller itself has to sleep and to be woken. */
static void sleepy(void *payload, int thread, int n_threads) {
    (void)n_threads;
    if (thread == 1) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ((int *)payload)[thread] = thread + 1;
}

static void waits_for_the_slowest(void **state) {
    (void)state;
    nt_pool *pool;
    assert_int_equal(nt_pool_new(&pool, 3), NT_OK);
    for (int run = 0; run < 3; run++) {
        int seen[3] = {0};
        nt_pool_run(pool, sleepy, seen);
        for (int i = 0; i < 3; i++)
            assert_int_equal(seen[i], i + 1);
    }
    nt_pool_free(pool);
}

/* fork() takes the calling thread only: the child's pool makes its own workers. */
static void works_after_fork(void **state) {
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* ThreadSanitizer ends a child that makes threads */
#elif defined(NT_EMULATOR)
    skip(); /* and so does qemu-user 7.2, by an assertion of its own: its lists of threads are those
               of the parent */
#endif
    nt_pool *pool;
    assert_int_equal(nt_pool_new(&pool, 3), NT_OK);
    counts c = {.sum = 1};
    nt_pool_run(pool, count, &c);
    for (int free_only = 0; free_only < 2; free_only++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(20);
            for (int run = 0; !free_only && run < 50; run++)
                nt_pool_run(pool, count, &c);
            bool good = free_only || (c.runs[0] == 51 && c.runs[1] == 51 && c.runs[2] == 51);
            nt_pool_free(pool);
            _exit(good ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    nt_pool_run(pool, count, &c); /* the parent's pool is as it was */
    assert_int_equal(c.runs[2], 2);
    nt_pool_free(pool);
}

static void split_covers_everything_once(void **state) {
    (void)state;
    static const size_t steps[] = {1, 3, 16, 64};
    for (size_t n = 0; n < 300; n += 7) {
        for (size_t s = 0; s < 4; s++) {
            for (int threads = 1; threads < 7; threads++) {
                size_t at = 0, most = 0, least = SIZE_MAX;
                for (int i = 0; i < threads; i++) {
                    size_t begin, end;
                    nt_partition(&begin, &end, n, steps[s], i, threads);
                    assert_true(begin == at && end >= begin && end <= n);
                    assert_true(begin % steps[s] == 0 || begin == n);
                    size_t units = (end - begin + steps[s] - 1) / steps[s];
                    most = units > most ? units : most;
                    least = units < least ? units : least;
                    at = end;
                }
                assert_true(at == n);
                assert_true(most - least <= 1);
            }
        }
    }
}

static void default_threads_from_the_environment(void **state) {
    (void)state;
    const char *before = getenv("OMP_NUM_THREADS");
    char *kept = before ? strdup(before) : NULL;
    unsetenv("OMP_NUM_THREADS");
    int machine = nt_default_threads();
    assert_true(machine >= 1);
    static const struct {
        const char *text;
        int n; /* 0: as without */
    } cases[] = {{"3", 3}, {"1", 1},   {"5,2", 5}, {" 4", 4},  {"0", 0},         {"-2", 0},
                 {"", 0},  {"two", 0}, {"3x", 0},  {"1e2", 0}, {"9999999", 1024}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("OMP_NUM_THREADS", cases[i].text, 1);
        assert_int_equal(nt_default_threads(), cases[i].n ? cases[i].n : machine);
    }
    setenv("OMP_NUM_THREADS", "2", 1);
    nt_pool *pool;
    assert_int_equal(nt_pool_new(&pool, 0), NT_OK);
    assert_int_equal(nt_pool_size(pool), 2);
    nt_pool_free(pool);
    if (kept)
        setenv("OMP_NUM_THREADS", kept, 1);
    else
        unsetenv("OMP_NUM_THREADS");
    free(kept);
}

static void refuses_what_cannot_be(void **state) {
    (void)state;
    nt_pool *pool;
    assert_int_equal(nt_pool_new(&pool, -1), NT_E_ARGUMENT);
    assert_null(pool);
    for (size_t k = 1; k <= 2; k++) {
        nt_memory_fail_at(k);
        assert_int_equal(nt_pool_new(&pool, 2), NT_E_MEMORY);
        nt_memory_fail_at(0);
        assert_null(pool);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_thread_runs_once),
                                       cmocka_unit_test(waits_for_the_slowest),
                                       cmocka_unit_test(works_after_fork),
                                       cmocka_unit_test(split_covers_everything_once),
                                       cmocka_unit_test(default_threads_from_the_environment),
                                       cmocka_unit_test(refuses_what_cannot_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
