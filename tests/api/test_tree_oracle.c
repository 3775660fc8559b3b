/* The tree of a beam search against transformers' generate() on the same tables of logits: what it
 * keeps leads to transformers' sequences by transformers' beam_indices
 * (tests/decode/beams_oracle.json, by tools/oracle/beams.py). */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/beam_run.h"
#include "set_option.h"
#include "view/tree.h"

enum { MOST_PROMPT = 512 };

static size_t n_checked, n_folded;

static int64_t integer(const json_t *list, size_t i) {
    return json_integer_value(json_array_get(list, i));
}

/* The way from the node that ends output o back to the prompt. */
static void check_way(const nt_tree *tree, size_t o, const json_t *expected, size_t n_case) {
    const json_t *ids = json_object_get(expected, "ids");
    const json_t *slots = json_object_get(expected, "beams");
    int32_t at = -1;
    for (size_t i = 0; i < tree->n; i++)
        if (tree->nodes[i].ends && tree->nodes[i].output == (int32_t)o) at = (int32_t)i;
    for (size_t i = json_array_size(ids); i-- > 0; at = tree->nodes[at].parent) {
        if (at < 0) fail_msg("case %zu: output %zu is too short", n_case, o);
        const nt_tree_node *node = &tree->nodes[at];
        int64_t slot = node->parent < 0 ? 0 : tree->nodes[node->parent].beam->slot;
        if (node->token->token.id != integer(ids, i) || slot != integer(slots, i))
            fail_msg("case %zu: output %zu: token %zu is another", n_case, o, i);
        assert_true(node->branch <= NT_BRANCH_OTHER && node->step == i);
    }
    assert_int_equal(at, -1);
    n_checked++;
}

/* At each step no more beams than there are, and those of KEPT alone. */
static void check_kept(const nt_tree *tree, size_t n_beams) {
    size_t *running = calloc(tree->n_steps, sizeof *running);
    assert_non_null(running);
    for (size_t i = 0; i < tree->n; i++) {
        assert_true(tree->nodes[i].branch < NT_BRANCH_PRUNED);
        running[tree->nodes[i].step] += tree->nodes[i].beam->slot >= 0;
    }
    for (size_t s = 0; s < tree->n_steps; s++)
        assert_true(running[s] <= n_beams);
    free(running);
}

static void check_tree(const nt_result *trace, const json_t *outputs, size_t n_beams,
                       size_t n_case) {
    for (int detail = NT_TREE_OUTPUTS; detail <= NT_TREE_ALL; detail++) {
        nt_tree tree;
        nt_tree_want want = {.detail = (nt_tree_detail)detail, .fold = detail % 2};
        assert_int_equal(nt_tree_make(&tree, trace, want), NT_OK);
        for (size_t o = 0; o < json_array_size(outputs); o++)
            check_way(&tree, o, json_array_get(outputs, o), n_case);
        if (detail == NT_TREE_KEPT) check_kept(&tree, n_beams);
        if (detail >= NT_TREE_BEAMS) assert_int_equal(tree.left, 0);
        n_folded += tree.n_boxes < tree.n;
        nt_tree_free(&tree);
    }
}

static void check_case(const json_t *entry, size_t n_case) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    const json_t *given = json_object_get(entry, "prompt"), *made = json_object_get(entry, "rows");
    const char *name;
    json_t *value;
    if (json_object_get(entry, "seed") || json_object_get(entry, "stop_sum") ||
        json_object_get(entry, "marked"))
        return;
    json_object_foreach(json_object_get(entry, "options"), name, value)
        set_option(&options, name, value);
    int32_t ids[MOST_PROMPT];
    size_t n_prompt = json_array_size(given), V = (size_t)integer(made, 2);
    assert_true(n_prompt <= MOST_PROMPT);
    for (size_t i = 0; i < n_prompt; i++)
        ids[i] = (int32_t)integer(given, i);
    beam_run r = {.model = {.by_prefix = true, .n_rows = (size_t)integer(made, 1), .V = V}};
    float *rows = malloc(r.model.n_rows * V * sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < r.model.n_rows; i++)
        made_row(rows + i * V, json_string_value(json_array_get(made, 0)), V,
                 (uint64_t)integer(made, 3) + i);
    for (size_t i = 0; i < r.model.n_rows * V; i++)
        rows[i] *= (float)json_number_value(json_array_get(made, 4));
    r.model.rows = rows;
    nt_plan plan;
    nt_plan_for of = {.n_prompt = n_prompt, .context = 4096, .V = V};
    if (!options.stop_strings && nt_plan_make(&plan, &options, &of) == NT_OK) {
        run_beams(&r, &plan, ids);
        assert_int_equal(r.status, NT_OK);
        if (nt_tree_has(r.trace))
            check_tree(r.trace, json_object_get(entry, "outputs"), plan.n_beams, n_case);
        free_beams(&r);
    }
    free(rows);
    nt_generate_options_clear(&options);
}

static void all_cases(void **state) {
    json_error_t error;
    json_t *fixture = json_load_file(NT_SOURCE_DIR "/tests/decode/beams_oracle.json", 0, &error);
    (void)state;
    assert_non_null(fixture);
    const json_t *cases = json_object_get(fixture, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i), i);
    json_decref(fixture);
    print_message("%zu ways of transformers' beams found, %zu trees folded\n", n_checked, n_folded);
    assert_true(n_checked >= 800 && n_folded >= 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
