/* MT19937 against NumPy's (data/mersenne.txt, tools/oracle/draws.py), one by one, at once, and with
 * numbers passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mersenne.h"

enum { NEXT = 8 };

static void as_numpy_makes_them(void **state) {
    (void)state;
    FILE *file = fopen(NT_SOURCE_DIR "/tests/base/data/mersenne.txt", "r");
    char line[512];
    size_t cases = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned seed, wanted[NEXT], skipped;
        if (sscanf(line, "%u %u %x %x %x %x %x %x %x %x", &seed, &skipped, &wanted[0], &wanted[1],
                   &wanted[2], &wanted[3], &wanted[4], &wanted[5], &wanted[6], &wanted[7]) != 10)
            continue;
        nt_mersenne one, at_once;
        uint32_t words[NEXT];
        nt_mersenne_seed(&one, seed);
        for (unsigned i = 0; i < skipped; i++)
            nt_mersenne_next(&one);
        nt_mersenne_seed(&at_once, seed);
        nt_mersenne_skip(&at_once, skipped);
        nt_mersenne_fill(&at_once, words, NEXT);
        for (size_t i = 0; i < NEXT; i++) {
            assert_int_equal(nt_mersenne_next(&one), wanted[i]);
            assert_int_equal(words[i], wanted[i]);
        }
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 84);
}

/* Any mixture of the three is the same stream. */
static void in_any_pieces(void **state) {
    (void)state;
    enum { ALL = 20000 };
    static uint32_t stream[ALL], got[2000];
    nt_mersenne whole, pieces;
    nt_mersenne_seed(&whole, 5);
    nt_mersenne_seed(&pieces, 5);
    nt_mersenne_fill(&whole, stream, ALL);
    nt_mersenne_fill(&pieces, got, 0);
    nt_mersenne_skip(&pieces, 0);
    for (size_t at = 0, n = 1, round = 0; at + n < ALL; at += n, n = n * 7 % 1999, round++) {
        if (round % 3 == 0) {
            nt_mersenne_skip(&pieces, n);
        } else if (round % 3 == 1) {
            nt_mersenne_fill(&pieces, got, n);
            assert_memory_equal(got, stream + at, n * sizeof *got);
        } else {
            for (size_t i = 0; i < n; i++)
                assert_int_equal(nt_mersenne_next(&pieces), stream[at + i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_numpy_makes_them),
        cmocka_unit_test(in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
