/* The limits of every instruction set: reading reads every byte, in any number of streams, and none
 * behind the end; arithmetic counts what it does. */
#include "compute/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "compute/cpu/kernels.h"

#include <cmocka.h>

enum { ROOM = 1 << 16 };

/* [ROOM] bytes that end where no byte may be read. */
static char *guarded(void) {
    char *memory =
        mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + ROOM, 4096, PROT_NONE), 0);
    for (size_t i = 0; i < ROOM; i++)
        memory[i] = (char)(i * 7919 >> 3);
    return memory;
}

static uint64_t expected(const char *bytes, size_t n) {
    uint64_t sum = 0, word;
    for (size_t i = 0; i < n; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum ^= word;
    }
    return sum;
}

static void reads_everything(void **state) {
    (void)state;
    static const size_t lines[] = {0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 257, 1000, 1024};
    char *memory = guarded();
    for (const nt_kernels *const *set = nt_cpu_kernels(); *set; set++) {
        nt_limits limits = nt_cpu_limits((*set)->isa);
        assert_string_equal(limits.isa, (*set)->isa);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            size_t n = 64 * lines[i];
            const char *from = memory + ROOM - n;
            for (size_t s = 0; s < NT_LIMIT_STREAMS; s++)
                assert_true(limits.read(from, n, nt_limit_streams[s]) == expected(from, n));
        }
    }
    munmap(memory, ROOM + 4096);
}

/* What does not begin or end with a line is left out. */
static void takes_any_range(void **state) {
    (void)state;
    char *memory = guarded();
    for (const nt_kernels *const *set = nt_cpu_kernels(); *set; set++) {
        nt_limits limits = nt_cpu_limits((*set)->isa);
        for (size_t skip = 0; skip < 70; skip++) {
            for (size_t n = 0; n < 300; n += 7) {
                const char *from = memory + ROOM - 400 + skip;
                for (size_t s = 0; s < NT_LIMIT_STREAMS; s++)
                    assert_true(limits.read(from, n, nt_limit_streams[s]) ==
                                limits.read(from, n, 1));
            }
        }
    }
    munmap(memory, ROOM + 4096);
}

static void counts_operations(void **state) {
    (void)state;
    for (const nt_kernels *const *set = nt_cpu_kernels(); *set; set++) {
        nt_limits limits = nt_cpu_limits((*set)->isa);
        double (*const loops[])(size_t) = {limits.multiply, limits.amx_bf16, limits.amx_int8,
                                           limits.amx_f32};
        assert_non_null(limits.multiply);
        for (size_t i = 0; i < 4; i++) {
            if (!loops[i]) continue; /* this processor has no tiles */
            double once = loops[i](100);
            assert_true(once >= 200);
            assert_true(loops[i](300) == 3 * once);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(takes_any_range),
        cmocka_unit_test(counts_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
