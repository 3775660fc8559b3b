/* Philox against NumPy's (data/philox.txt, tools/oracle/decode.py), and uniform draws: their
 * distribution and their independence. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/status.h"
#include "chi_square.h"

static void as_numpy_makes_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/base/data/philox.txt", "r");
    char line[512];
    size_t blocks = 0, uniforms = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned long long w[10], seed, sequence, draw;
        double wanted;
        if (sscanf(line, "block %llx %llx %llx %llx %llx %llx %llx %llx %llx %llx", &w[0], &w[1],
                   &w[2], &w[3], &w[4], &w[5], &w[6], &w[7], &w[8], &w[9]) == 10) {
            uint64_t key[2] = {w[0], w[1]}, counter[4] = {w[2], w[3], w[4], w[5]}, out[4];
            nt_philox(out, key, counter);
            for (int i = 0; i < 4; i++)
                assert_int_equal(out[i], w[6 + i]);
            nt_philox(counter, key, counter); /* in place too */
            assert_memory_equal(counter, out, sizeof out);
            blocks++;
        } else if (sscanf(line, "uniform %llu %llu %llu %la", &seed, &sequence, &draw, &wanted) ==
                   4) {
            assert_true(nt_random_uniform(seed, sequence, draw) == wanted);
            uniforms++;
        }
    }
    fclose(file);
    assert_true(blocks == 122 && uniforms == 60);
}

enum { BINS = 64, DRAWS = 64000 };

/* Which of the three numbers runs in a test. */
typedef enum axis { SEEDS, SEQUENCES, DRAWN } axis;

static double along(axis a, uint64_t i) {
    return nt_random_uniform(a == SEEDS ? i : 3, a == SEQUENCES ? i : 5, a == DRAWN ? i : 7);
}

/* Along each axis: the draws fill [0, 1) evenly; so do pairs of neighbours the unit square. */
static void even_and_independent(void **state) {
    (void)state;
    for (axis a = SEEDS; a <= DRAWN; a++) {
        size_t single[BINS] = {0}, pairs[BINS] = {0};
        double expected[BINS], before = along(a, 0);
        for (uint64_t i = 1; i <= DRAWS; i++) {
            double u = along(a, i);
            assert_true(u >= 0 && u < 1);
            single[(size_t)(u * BINS)]++;
            pairs[(size_t)(before * 8) * 8 + (size_t)(u * 8)]++;
            before = u;
        }
        for (size_t b = 0; b < BINS; b++)
            expected[b] = (double)DRAWS / BINS;
        check_chi_square(single, expected, BINS);
        check_chi_square(pairs, expected, BINS);
    }
}

/* The bounds see a generator that is off by little: a draw in twenty falls in the wrong half. */
static void the_bounds_mean_something(void **state) {
    (void)state;
    size_t bins[BINS] = {0};
    double expected[BINS];
    for (uint64_t i = 0; i < DRAWS; i++) {
        size_t bin = (size_t)(along(DRAWN, i) * BINS);
        bins[i % 20 == 0 ? bin / 2 : bin]++;
    }
    for (size_t b = 0; b < BINS; b++)
        expected[b] = (double)DRAWS / BINS;
    assert_true(chi_square(bins, expected, BINS) > chi_square_quantile(BINS - 1, CHI_FAR));
}

static void seeds_of_the_system(void **state) {
    (void)state;
    uint64_t a, b;
    errno = EINTR; /* of an earlier call */
    assert_int_equal(nt_random_seed(&a), NT_OK);
    assert_int_equal(nt_random_seed(&b), NT_OK);
    assert_true(a != b && a < (uint64_t)1 << 53 && b < (uint64_t)1 << 53);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_numpy_makes_them),
        cmocka_unit_test(even_and_independent),
        cmocka_unit_test(the_bounds_mean_something),
        cmocka_unit_test(seeds_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
