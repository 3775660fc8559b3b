/* The KV cache: forks by reference, copy on write, truncation, reuse and release of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compute/device.h"
#include "model/kv.h"

enum { L = 3, D = 8, PAGE = 2 * D * NT_PAGE };
#define LEAF_BYTES                                                                                 \
    (L * PAGE * nt_dtype_size(stored)) /* all layers' pages for NT_PAGE positions                  \
                                        */

/* What pages hold: all tests run with both. */
static nt_dtype stored;

static nt_kv *make(void) {
    nt_kv *kv;
    assert_int_equal(nt_kv_new(&kv, L, D, stored), NT_OK);
    return kv;
}

static int32_t begin(nt_kv *kv, size_t n) {
    int32_t sequence;
    assert_int_equal(nt_kv_sequence_new(&sequence, kv), NT_OK);
    assert_int_equal(nt_kv_extend(kv, sequence, n), NT_OK);
    return sequence;
}

static void put(void *page, size_t i, float value) {
    size_t size = nt_dtype_size(stored);
    assert_true(nt_dtype_store((char *)page + i * size, stored, &value, 1));
}

/* Slots 0 .. n - 1 of the first row of each page stand for the positions' contents: small whole
 * numbers, which bfloat16 has. */
static void mark(nt_kv *kv, int32_t sequence, size_t from, size_t to, float value) {
    for (size_t l = 0; l < L; l++)
        for (size_t t = from; t < to; t++)
            put(nt_kv_pages(kv, sequence, l)[t / NT_PAGE], t % NT_PAGE, value + (float)l);
}

static void check(nt_kv *kv, int32_t sequence, size_t from, size_t to, float value) {
    for (size_t l = 0; l < L; l++)
        for (size_t t = from; t < to; t++)
            assert_true(nt_dtype_load(nt_kv_pages(kv, sequence, l)[t / NT_PAGE], stored,
                                      t % NT_PAGE) == value + (float)l);
}

static void grows_by_pages(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t s = begin(kv, 1);
    assert_int_equal(nt_kv_bytes(kv), LEAF_BYTES);
    assert_int_equal((uintptr_t)nt_kv_pages(kv, s, 1)[0] % 64, 0);
    assert_int_equal(nt_kv_extend(kv, s, NT_PAGE - 1), NT_OK);
    assert_int_equal(nt_kv_bytes(kv), LEAF_BYTES);
    mark(kv, s, 0, NT_PAGE, 10);
    assert_int_equal(nt_kv_extend(kv, s, 5 * NT_PAGE + 1), NT_OK);
    assert_int_equal(nt_kv_length(kv, s), 6 * NT_PAGE + 1);
    assert_int_equal(nt_kv_bytes(kv), 7 * LEAF_BYTES);
    mark(kv, s, NT_PAGE, 6 * NT_PAGE + 1, 20);
    check(kv, s, 0, NT_PAGE, 10);
    check(kv, s, NT_PAGE, 6 * NT_PAGE + 1, 20);
    assert_int_equal(nt_kv_extend(kv, s, 0), NT_OK);
    assert_int_equal(nt_kv_length(kv, s), 6 * NT_PAGE + 1);
    nt_kv_free(kv);
}

static void fork_shares_until_written(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t parent = begin(kv, NT_PAGE + 10), child;
    mark(kv, parent, 0, NT_PAGE + 10, 1);
    assert_int_equal(nt_kv_fork(&child, kv, parent), NT_OK);
    assert_int_not_equal(child, parent);
    assert_int_equal(nt_kv_length(kv, child), NT_PAGE + 10);
    assert_int_equal(nt_kv_bytes(kv), 2 * LEAF_BYTES);
    assert_ptr_equal(nt_kv_pages(kv, parent, 2)[1], nt_kv_pages(kv, child, 2)[1]);

    assert_int_equal(nt_kv_extend(kv, child, 3), NT_OK);
    assert_int_equal(nt_kv_bytes(kv), 3 * LEAF_BYTES);
    mark(kv, child, NT_PAGE + 10, NT_PAGE + 13, 2);
    for (size_t l = 0; l < L; l++) {
        assert_ptr_equal(nt_kv_pages(kv, parent, l)[0], nt_kv_pages(kv, child, l)[0]);
        assert_ptr_not_equal(nt_kv_pages(kv, parent, l)[1], nt_kv_pages(kv, child, l)[1]);
    }
    /* The parent holds its page alone again: it writes in place. */
    void *before = nt_kv_pages(kv, parent, 0)[1];
    assert_int_equal(nt_kv_extend(kv, parent, 3), NT_OK);
    assert_ptr_equal(nt_kv_pages(kv, parent, 0)[1], before);
    mark(kv, parent, NT_PAGE + 10, NT_PAGE + 13, 3);
    check(kv, child, 0, NT_PAGE + 10, 1);
    check(kv, child, NT_PAGE + 10, NT_PAGE + 13, 2);
    check(kv, parent, 0, NT_PAGE + 10, 1);
    check(kv, parent, NT_PAGE + 10, NT_PAGE + 13, 3);
    nt_kv_free(kv);
}

static void fork_at_page_end_copies_nothing(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t parent = begin(kv, NT_PAGE), child;
    assert_int_equal(nt_kv_fork(&child, kv, parent), NT_OK);
    assert_int_equal(nt_kv_extend(kv, child, 1), NT_OK);
    assert_ptr_equal(nt_kv_pages(kv, parent, 0)[0], nt_kv_pages(kv, child, 0)[0]);
    assert_int_equal(nt_kv_bytes(kv), 2 * LEAF_BYTES);
    nt_kv_free(kv);
}

static void dropped_parent_leaves_child(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t parent = begin(kv, 10), child, again;
    mark(kv, parent, 0, 10, 7);
    assert_int_equal(nt_kv_fork(&child, kv, parent), NT_OK);
    void *page = nt_kv_pages(kv, parent, 0)[0];
    nt_kv_drop(kv, parent);
    assert_false(nt_kv_exists(kv, parent));
    assert_int_equal(nt_kv_length(kv, parent), 0);
    assert_int_equal(nt_kv_extend(kv, child, 1), NT_OK);
    assert_ptr_equal(nt_kv_pages(kv, child, 0)[0], page); /* the only holder: no copy */
    check(kv, child, 0, 10, 7);
    assert_int_equal(nt_kv_sequence_new(&again, kv), NT_OK);
    assert_int_equal(again, parent); /* numbers are reused */
    assert_int_equal(nt_kv_length(kv, again), 0);
    nt_kv_free(kv);
}

static void truncation(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t parent = begin(kv, 3 * NT_PAGE), child;
    mark(kv, parent, 0, 3 * NT_PAGE, 5);
    assert_int_equal(nt_kv_fork(&child, kv, parent), NT_OK);
    nt_kv_truncate(kv, parent, NT_PAGE + 1);
    assert_int_equal(nt_kv_length(kv, parent), NT_PAGE + 1);
    nt_kv_truncate(kv, parent, 2 * NT_PAGE); /* longer than it is: nothing happens */
    assert_int_equal(nt_kv_length(kv, parent), NT_PAGE + 1);
    /* What the child still has must survive the parent's writing. */
    assert_int_equal(nt_kv_extend(kv, parent, NT_PAGE), NT_OK);
    mark(kv, parent, NT_PAGE + 1, 2 * NT_PAGE + 1, 6);
    check(kv, child, 0, 3 * NT_PAGE, 5);
    check(kv, parent, 0, NT_PAGE + 1, 5);
    nt_kv_truncate(kv, parent, 0);
    assert_int_equal(nt_kv_length(kv, parent), 0);
    assert_true(nt_kv_exists(kv, parent));
    nt_kv_free(kv);
}

static void unknown_sequences(void **state) {
    (void)state;
    nt_kv *kv = make();
    int32_t child = 9;
    assert_int_equal(nt_kv_fork(&child, kv, 0), NT_E_RANGE);
    assert_int_equal(child, 0);
    assert_int_equal(nt_kv_fork(&child, kv, -1), NT_E_RANGE);
    assert_int_equal(nt_kv_extend(kv, 4, 1), NT_E_RANGE);
    assert_int_equal(nt_kv_extend(kv, -4, 1), NT_E_RANGE);
    assert_int_equal(nt_kv_length(kv, -1), 0);
    assert_false(nt_kv_exists(kv, INT32_MAX));
    assert_null(nt_kv_pages(kv, 3, 0));
    nt_kv_drop(kv, 17);
    nt_kv_drop(kv, -17);
    nt_kv_truncate(kv, 17, 0);
    int32_t s = begin(kv, 1);
    assert_int_equal(nt_kv_extend(kv, s, SIZE_MAX - 1), NT_E_MEMORY);
    assert_int_equal(nt_kv_length(kv, s), 1);
    nt_kv_free(kv);
    assert_int_equal(nt_kv_new(&kv, SIZE_MAX / 2, 1 << 20, stored), NT_E_ARGUMENT);
    assert_null(kv);
    nt_kv_free(NULL);
}

static void memory_is_reused_and_given_back(void **state) {
    (void)state;
    enum { N = 200 };
    nt_kv *kv = make();
    int32_t s[N];
    for (int i = 0; i < N; i++)
        s[i] = begin(kv, NT_PAGE);
    assert_int_equal(nt_kv_bytes(kv), N * LEAF_BYTES);
    for (int i = 0; i < N; i += 2)
        nt_kv_drop(kv, s[i]);
    size_t half = nt_kv_bytes(kv);
    assert_true(half <= N * LEAF_BYTES);
    nt_memory_fail_at(1); /* no allocation is needed for what was freed */
    int32_t again;
    assert_int_equal(nt_kv_sequence_new(&again, kv), NT_OK);
    nt_memory_fail_at(0);
    assert_int_equal(nt_kv_extend(kv, again, NT_PAGE), NT_OK);
    assert_int_equal(nt_kv_bytes(kv), half);
    for (int i = 0; i < N; i++)
        nt_kv_drop(kv, s[i]);
    nt_kv_drop(kv, again);
    assert_true(nt_kv_bytes(kv) <= 2 * LEAF_BYTES);
    nt_kv_free(kv);
}

/* Beams: fork all, drop all, for many steps; memory stays near what is in use. */
static void churn_stays_small(void **state) {
    (void)state;
    enum { BEAMS = 5, STEPS = 300 };
    nt_kv *kv = make();
    int32_t beams[BEAMS];
    beams[0] = begin(kv, 100);
    for (int i = 1; i < BEAMS; i++)
        assert_int_equal(nt_kv_fork(&beams[i], kv, beams[0]), NT_OK);
    for (size_t step = 0; step < STEPS; step++) {
        int32_t next[BEAMS];
        for (int i = 0; i < BEAMS; i++) {
            assert_int_equal(nt_kv_fork(&next[i], kv, beams[i / 2]), NT_OK);
            assert_int_equal(nt_kv_extend(kv, next[i], 1), NT_OK);
        }
        for (int i = 0; i < BEAMS; i++) {
            nt_kv_drop(kv, beams[i]);
            beams[i] = next[i];
        }
        size_t leaves = (100 + step) / NT_PAGE + 1;
        assert_true(nt_kv_bytes(kv) <= 2 * (leaves + 2) * BEAMS * LEAF_BYTES);
    }
    assert_int_equal(nt_kv_length(kv, beams[4]), 100 + STEPS);
    nt_kv_free(kv);
}

/* One layer's pages stand for all layers, and what is held back for the next ones is bounded. */
static void brief_sequences(void **state) {
    (void)state;
    enum { N = 300 };
    const size_t page = LEAF_BYTES / L;
    nt_kv *kv = make();
    int32_t s[N], child = 9;
    assert_int_equal(nt_kv_brief_new(&s[0], kv), NT_OK);
    assert_int_equal(nt_kv_extend(kv, s[0], NT_PAGE + 1), NT_OK);
    assert_int_equal(nt_kv_length(kv, s[0]), NT_PAGE + 1);
    assert_int_equal(nt_kv_bytes(kv), 2 * page);
    for (size_t l = 1; l < L; l++)
        for (size_t i = 0; i < 2; i++)
            assert_ptr_equal(nt_kv_pages(kv, s[0], l)[i], nt_kv_pages(kv, s[0], 0)[i]);
    assert_int_equal((uintptr_t)nt_kv_pages(kv, s[0], 0)[1] % 64, 0);
    assert_int_equal(nt_kv_fork(&child, kv, s[0]), NT_E_ARGUMENT);
    assert_int_equal(child, 0);
    assert_false(nt_kv_exists(kv, 1));
    /* Ordinary ones beside it have pages of their own in every layer; numbers are common to both.
     */
    int32_t whole = begin(kv, NT_PAGE);
    assert_int_not_equal(whole, s[0]);
    assert_int_equal(nt_kv_bytes(kv), LEAF_BYTES + 2 * page);
    mark(kv, whole, 0, NT_PAGE, 3);
    for (size_t i = 0; i < 2 * PAGE; i++)
        put(nt_kv_pages(kv, s[0], 2)[i / PAGE], i % PAGE, -1);
    check(kv, whole, 0, NT_PAGE, 3);
    nt_kv_drop(kv, s[0]);
    assert_int_equal(nt_kv_sequence_new(&child, kv), NT_OK);
    assert_int_equal(child, s[0]);
    assert_int_equal(nt_kv_extend(kv, child, 1), NT_OK);
    assert_ptr_not_equal(nt_kv_pages(kv, child, 0)[0], nt_kv_pages(kv, child, 1)[0]);
    assert_int_equal(nt_kv_fork(&child, kv, child), NT_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            assert_int_equal(nt_kv_brief_new(&s[i], kv), NT_OK);
            assert_int_equal(nt_kv_extend(kv, s[i], 1), NT_OK);
        }
        assert_in_range(nt_kv_bytes(kv), 2 * LEAF_BYTES + N * page, 4 * LEAF_BYTES + N * page);
        for (int i = 0; i < N; i++)
            nt_kv_drop(kv, s[i]);
        assert_in_range(nt_kv_bytes(kv), 2 * LEAF_BYTES, 4 * LEAF_BYTES + 64 * page);
    }
    nt_kv_free(kv);
}

static int scenario(nt_kv **out) {
    int32_t parent, child;
    NT_TRY(nt_kv_new(out, L, D, stored));
    NT_TRY(nt_kv_sequence_new(&parent, *out));
    NT_TRY(nt_kv_extend(*out, parent, NT_PAGE + 5));
    mark(*out, parent, 0, NT_PAGE + 5, 4);
    NT_TRY(nt_kv_fork(&child, *out, parent));
    int32_t brief;
    NT_TRY(nt_kv_brief_new(&brief, *out));
    int status = nt_kv_extend(*out, brief, 6 * NT_PAGE);
    assert_int_equal(nt_kv_length(*out, brief), status == NT_OK ? 6 * NT_PAGE : 0);
    NT_TRY(status);
    status = nt_kv_extend(*out, child, 10 * NT_PAGE);
    check(*out, parent, 0, NT_PAGE + 5, 4);
    check(*out, child, 0, NT_PAGE + 5, 4);
    assert_int_equal(nt_kv_length(*out, child), status == NT_OK ? 11 * NT_PAGE + 5 : NT_PAGE + 5);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        nt_kv *kv = NULL;
        nt_memory_fail_at(k);
        status = scenario(&kv);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
        nt_kv_free(kv);
    }
    assert_true(k > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_by_pages),
        cmocka_unit_test(fork_shares_until_written),
        cmocka_unit_test(fork_at_page_end_copies_nothing),
        cmocka_unit_test(dropped_parent_leaves_child),
        cmocka_unit_test(truncation),
        cmocka_unit_test(unknown_sequences),
        cmocka_unit_test(memory_is_reused_and_given_back),
        cmocka_unit_test(churn_stays_small),
        cmocka_unit_test(brief_sequences),
        cmocka_unit_test(every_allocation_may_fail),
    };
    stored = NT_F32;
    int failed = cmocka_run_group_tests_name("F32", tests, NULL, NULL);
    stored = NT_BF16;
    return failed + cmocka_run_group_tests_name("BF16", tests, NULL, NULL);
}
