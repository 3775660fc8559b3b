/* Every view of every kind, with each of its allocations failed in turn. */
#include "view/random.h"
#include "view/shown.h"
#include "view/tree.h"

static size_t swept; /* allocations failed in all */

static void all_views(nt_result *t) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.width = 40;
    swept += sweep(t, nt_view_json, &options);
    swept += sweep(t, nt_view_csv, &options);
    swept += sweep(t, nt_view_table, &options);
    options.width = 200;
    options.color = true;
    swept += sweep(t, nt_view_table, &options);
    if (t->kind == NT_RESULT_NEXT || t->kind == NT_RESULT_STEPS)
        swept += sweep(t, nt_view_svg, &options);
    if (nt_tree_has(t)) {
        options.tree = true;
        options.tree_detail = NT_TREE_ALL;
        swept += sweep(t, nt_view_table, &options);
        swept += sweep(t, nt_view_svg, &options);
        swept += sweep(t, nt_view_html, &options);
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
