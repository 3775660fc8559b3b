/* The form that normalizers and pre-tokenizers write: what every byte stands for, and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "text/normal/form.h"

static void assert_form(const nt_form *form, const char *bytes, const nt_extent *from) {
    assert_int_equal(form->n, strlen(bytes));
    assert_memory_equal(form->bytes, bytes, form->n);
    for (size_t i = 0; i < form->n; i++) {
        nt_extent extent = nt_form_extent(form, i, i + 1);
        assert_int_equal(extent.start, from[i].start);
        assert_int_equal(extent.end, from[i].end);
    }
}

static void a_text_stands_for_itself(void **state) {
    (void)state;
    nt_form form = {0};
    nt_form_start(&form, "abc", 3, 10);
    assert_form(&form, "abc", (nt_extent[]){{10, 11}, {11, 12}, {12, 13}});
    nt_extent all = nt_form_extent(&form, 0, 3), none = nt_form_extent(&form, 1, 1);
    assert_true(all.start == 10 && all.end == 13);
    assert_true(none.start == 11 && none.end == 11);
    nt_form_start(&form, "", 0, 5);
    nt_form_begin(&form);
    assert_int_equal(nt_form_done(&form), NT_OK);
    none = nt_form_extent(&form, 0, 0);
    assert_true(none.start == 5 && none.end == 5);
    nt_form_free(&form);
}

static void changes_stack(void **state) {
    (void)state;
    nt_form form = {0};
    nt_form_start(&form, "a\xC3\xA9 b", 5, 100);
    nt_form_begin(&form);
    nt_form_put(&form, "__", 2, (nt_extent){100, 100});
    nt_form_keep(&form, 0, 3);
    nt_form_change(&form, "xyz", 3, 3, 4);
    nt_form_keep(&form, 4, 5);
    assert_int_equal(nt_form_written(&form), 9);
    assert_int_equal(nt_form_done(&form), NT_OK);
    nt_extent space = {103, 104};
    assert_form(&form, "__a\xC3\xA9xyzb",
                (nt_extent[]){{100, 100},
                              {100, 100},
                              {100, 101},
                              {101, 102},
                              {102, 103},
                              space,
                              space,
                              space,
                              {104, 105}});
    nt_form_begin(&form);
    nt_form_change(&form, "e", 1, 3, 5);
    nt_form_keep(&form, 5, 7);
    nt_form_change(&form, "B", 1, 7, 9);
    assert_int_equal(nt_form_done(&form), NT_OK);
    assert_form(&form, "exyB", (nt_extent[]){{101, 103}, space, space, {103, 105}});
    nt_extent end = nt_form_extent(&form, 4, 4);
    assert_true(end.start == 105 && end.end == 105);
    nt_form_free(&form);
}

static void runs_of_any_length_are_kept(void **state) {
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('!' + i % 90);
    nt_form form = {0};
    for (size_t n = 0; n < sizeof text; n++) {
        nt_form_start(&form, text, sizeof text, 7);
        for (int again = 0; again < 2; again++) { /* from the text, then from a form */
            nt_form_begin(&form);
            nt_form_keep(&form, 0, n);
            nt_form_keep(&form, n, sizeof text);
            assert_int_equal(nt_form_done(&form), NT_OK);
            assert_int_equal(form.n, sizeof text);
            assert_memory_equal(form.bytes, text, sizeof text);
            for (size_t i = 0; i < form.n; i++)
                assert_true(form.from[i].start == 7 + i && form.from[i].end == 8 + i);
        }
    }
    nt_form_free(&form);
}

static int write_long(nt_form *form) {
    nt_form_start(form, "some words", 10, 0);
    nt_form_begin(form);
    for (int i = 0; i < 50; i++)
        nt_form_keep(form, 0, 10);
    return nt_form_done(form);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    nt_form form = {0};
    nt_memory_fail_at(SIZE_MAX);
    assert_int_equal(write_long(&form), NT_OK);
    size_t n = nt_memory_count();
    assert_in_range(n, 2, 100);
    nt_form_free(&form);
    for (size_t k = 1; k <= n; k++) {
        nt_memory_fail_at(k);
        assert_int_equal(write_long(&form), NT_E_MEMORY);
        assert_string_equal(form.bytes, "some words"); /* still the old form */
        nt_memory_fail_at(0);
        assert_int_equal(write_long(&form), NT_OK); /* and it can be written again */
        assert_int_equal(form.n, 500);
        nt_form_free(&form);
    }
    nt_memory_fail_at(0);
}

/* The same with memory that is there already: whether a text is refused hangs on nothing before. */
static void endless_growth_is_refused(void **state) {
    (void)state;
    enum { MOST = 64 * 3 + (256 << 10) };
    static char many[MOST];
    memset(many, 'x', sizeof many);
    nt_form form = {0};
    for (int i = 0; i < 6; i++) {
        bool more = i % 3 != 0;
        nt_form_start(&form, "abc", 3, 0);
        nt_form_begin(&form);
        nt_form_change(&form, many, sizeof many, 0, 1);
        if (more) nt_form_keep(&form, 2, 3);
        assert_int_equal(nt_form_done(&form), more ? NT_E_UNSUPPORTED : NT_OK);
        assert_int_equal(form.n, more ? 3 : MOST);
    }
    nt_form_free(&form);
}

static void four_gigabytes_are_refused(void **state) {
    (void)state;
    nt_form form = {0};
    nt_form_start(&form, "abc", 3, UINT32_MAX - 2);
    nt_form_begin(&form);
    assert_int_equal(nt_form_done(&form), NT_E_UNSUPPORTED);
    nt_form_start(&form, "abc", 3, UINT32_MAX - 3);
    nt_form_begin(&form);
    nt_form_keep(&form, 0, 3);
    form.spare.n = form.spare.capacity = UINT32_MAX - 1; /* as if so much had been written */
    nt_form_put(&form, "ab", 2, (nt_extent){0, 0});
    assert_int_equal(nt_form_done(&form), NT_E_UNSUPPORTED);
    nt_form_free(&form);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_stands_for_itself),    cmocka_unit_test(changes_stack),
        cmocka_unit_test(runs_of_any_length_are_kept), cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(endless_growth_is_refused),   cmocka_unit_test(four_gigabytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
