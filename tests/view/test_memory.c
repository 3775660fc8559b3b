/* Every view of every kind, with each of its allocations failed in turn. */
#include "view/random.h"
#include "view/tree.h"

typedef int (*view_fn)(nt_buffer *, const nt_result *, const nt_view_options *);

static size_t swept; /* allocations failed in all */

static void sweep(const nt_result *t, view_fn view, const nt_view_options *options) {
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
            break;
        }
        assert_int_equal(status, NT_E_MEMORY);
        assert_true(k < 5000);
        swept++;
        nt_buffer_free(&out);
    }
    nt_buffer_free(&whole);
}

static void all_views(nt_result *t) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.width = 40;
    sweep(t, nt_view_json, &options);
    sweep(t, nt_view_csv, &options);
    sweep(t, nt_view_table, &options);
    options.width = 200;
    options.color = true;
    sweep(t, nt_view_table, &options);
    if (t->kind == NT_RESULT_NEXT || t->kind == NT_RESULT_STEPS) sweep(t, nt_view_svg, &options);
    if (nt_tree_has(t)) {
        options.tree = true;
        options.tree_detail = NT_TREE_ALL;
        sweep(t, nt_view_table, &options);
        sweep(t, nt_view_svg, &options);
        sweep(t, nt_view_html, &options);
    }
    free_sample(t);
}

static void samples_swept(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++)
        all_views(samples[i]());
    assert_true(swept > 100);
}

static void random_swept(void **state) {
    (void)state;
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++)
        for (uint64_t seed = 500; seed < 505; seed++)
            all_views(random_sample((nt_result_kind)kind, seed));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_swept),
        cmocka_unit_test(random_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
