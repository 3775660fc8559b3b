/* What tests of views ask of a text, and views with each of their allocations failed in turn. */
#ifndef TESTS_VIEW_SHOWN_H
#define TESTS_VIEW_SHOWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "view/view.h"

#include <cmocka.h>

typedef int (*view_fn)(nt_buffer *, const nt_result *, const nt_view_options *);

/* For nt_free. */
static __attribute__((noinline, unused)) char *shown(const nt_result *t, view_fn view,
                                                     nt_view_options options) {
    nt_buffer out = {0};
    assert_int_equal(view(&out, t, &options), NT_OK);
    char *text;
    size_t n;
    assert_int_equal(nt_buffer_take(&text, &n, &out), NT_OK);
    return text;
}

static __attribute__((unused)) void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("no \"%s\" in %s", part, text);
}

static __attribute__((unused)) void has_not(const char *text, const char *part) {
    if (strstr(text, part)) fail_msg("\"%s\" in %s", part, text);
}

static __attribute__((unused)) size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

/* How many allocations were failed. */
static __attribute__((unused)) size_t sweep(const nt_result *t, view_fn view,
                                            const nt_view_options *options) {
    nt_buffer whole = {0};
    assert_int_equal(view(&whole, t, options), NT_OK);
    for (size_t k = 1;; k++) {
        nt_buffer out = {0};
        nt_memory_fail_at(k);
        int status = view(&out, t, options);
        size_t asked = nt_memory_count();
        nt_memory_fail_at(0);
        if (status == NT_OK) { /* it asked for fewer than k */
            assert_true(asked < k);
            assert_int_equal(out.n, whole.n);
            assert_memory_equal(out.data, whole.data, whole.n);
            nt_buffer_free(&out);
            nt_buffer_free(&whole);
            return k - 1;
        }
        assert_int_equal(status, NT_E_MEMORY);
        assert_true(k < 5000);
        nt_buffer_free(&out);
    }
}

#endif
