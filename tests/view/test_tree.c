/* Trees of searches: what is in them, in which order, what is folded and what is only counted. */
#include <stdio.h>

#include "view/made_tree.h"

static nt_tree tree_of(const nt_result *t, nt_tree_detail detail, int fold) {
    nt_tree tree;
    nt_tree_want want = {.detail = detail, .fold = fold};
    assert_int_equal(nt_tree_make(&tree, t, want), NT_OK);
    return tree;
}

/* Its boxes in order: "level:tokens" with a space between. */
static void assert_boxes(const nt_tree *tree, const char *wanted) {
    nt_buffer out = {0};
    for (size_t b = 0; b < tree->n_boxes; b++) {
        const nt_tree_box *box = &tree->boxes[b];
        nt_buffer_printf(&out, "%s%zu:", b ? " " : "", box->level);
        int32_t i = box->node;
        for (size_t k = box->from; k < box->to; k++, i = tree->nodes[i].first)
            nt_buffer_put(&out, tree->nodes[i].token->token.bytes,
                          tree->nodes[i].token->token.n_bytes);
    }
    assert_string_equal(out.data, wanted);
    nt_buffer_free(&out);
}

/* Two outputs that part behind "b", a beam that was dropped behind two tokens, and two that were
 * never kept. */
static nt_result *small_search(void) {
    nt_result *t = new_search(16);
    int64_t a = add_beam(t, -1, "a", 0, 0), x = add_beam(t, -1, "x", 1, 1);
    add_beam(t, -1, "p", 2, -1);
    int64_t b = add_beam(t, a, "b", 0, 0), y = add_beam(t, x, "y", 1, 1);
    int64_t c = add_beam(t, b, "c", 1, 1), d = add_beam(t, b, "d", 0, 0);
    add_beam(t, y, "q", 2, -1);
    end_beam(t, c); /* the better one, though it stood second */
    end_beam(t, d);
    return t;
}

static void details(void **state) {
    static const struct {
        nt_tree_detail detail;
        int fold;
        const char *boxes;
        size_t left;
    } cases[] = {
        {NT_TREE_OUTPUTS, 0, "1:a 2:b 3:c 3:d", 4},
        {NT_TREE_OUTPUTS, 1, "1:ab 2:c 2:d", 4},
        {NT_TREE_KEPT, 0, "1:a 2:b 3:c 3:d 1:x 2:y", 2},
        {NT_TREE_KEPT, 1, "1:ab 2:c 2:d 1:xy", 2},
        {NT_TREE_BEAMS, 1, "1:ab 2:c 2:d 1:xy 2:q 1:p", 0},
        {NT_TREE_ALL, -1, "1:a 2:b 3:c 3:d 1:x 2:y 3:q 1:p", 0},
    };
    nt_result *t = small_search();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_tree tree = tree_of(t, cases[i].detail, cases[i].fold);
        assert_boxes(&tree, cases[i].boxes);
        assert_int_equal(tree.left, cases[i].left);
        assert_int_equal(tree.n_steps, 3);
        nt_tree_free(&tree);
    }
    free_sample(t);
}

static void branches(void **state) {
    static const nt_branch wanted[] = {NT_BRANCH_FIRST,  NT_BRANCH_FIRST, NT_BRANCH_FIRST,
                                       NT_BRANCH_OTHER,  NT_BRANCH_KEPT,  NT_BRANCH_KEPT,
                                       NT_BRANCH_PRUNED, NT_BRANCH_PRUNED};
    nt_result *t = small_search();
    nt_tree tree = tree_of(t, NT_TREE_BEAMS, 0);
    (void)state;
    for (size_t b = 0; b < tree.n_boxes; b++)
        assert_int_equal(tree.nodes[tree.boxes[b].node].branch, wanted[b]);
    assert_true(tree.nodes[tree.boxes[2].node].ends && tree.nodes[tree.boxes[3].node].ends);
    assert_int_equal(tree.nodes[tree.boxes[3].node].output, 1);
    nt_tree_free(&tree);
    free_sample(t);
}

/* What a beam hides is counted where it hangs. */
static void counts(void **state) {
    nt_result *t = small_search();
    (void)state;
    nt_tree tree = tree_of(t, NT_TREE_OUTPUTS, 1);
    assert_int_equal(tree.boxes[0].left, 0); /* x, y, q and p hang from the prompt */
    assert_int_equal(tree.left, 4);
    nt_tree_free(&tree);
    tree = tree_of(t, NT_TREE_KEPT, 1);
    assert_int_equal(tree.boxes[3].left, 1); /* q, of xy */
    nt_tree_free(&tree);
    free_sample(t);
}

/* Candidates of rows that are no beams, and those that processors took out. */
static void rows_of_candidates(void **state) {
    nt_result *t = sample_beams();
    (void)state;
    change(t, &t->rows[1].candidates[0], "no_repeat_ngram_size", -INFINITY);
    nt_tree beams = tree_of(t, NT_TREE_BEAMS, 0), all = tree_of(t, NT_TREE_ALL, 0);
    assert_int_equal(beams.n_boxes, 7);
    assert_int_equal(all.n_boxes, 7 + 4); /* " was" and " had" once more behind each */
    size_t removed = 0, never = 0;
    for (size_t i = 0; i < all.n; i++) {
        removed += all.nodes[i].branch == NT_BRANCH_REMOVED;
        never += all.nodes[i].beam == NULL;
        assert_true(all.nodes[i].beam || all.nodes[i].first < 0);
    }
    assert_int_equal(removed, 1);
    assert_int_equal(never, 4);
    nt_tree_free(&beams);
    nt_tree_free(&all);
    free_sample(t);
}

/* A path of thousands of tokens: one box, or as many as it has. */
static void deep(void **state) {
    enum { DEPTH = 9000 };
    nt_result *t = new_search(DEPTH);
    int64_t last = -1;
    (void)state;
    for (int i = 0; i < DEPTH; i++)
        last = add_beam(t, last, "a", 0, 0);
    end_beam(t, last);
    nt_tree tree = tree_of(t, NT_TREE_AUTO, -1);
    assert_int_equal(tree.n_boxes, 1);
    assert_int_equal(tree.boxes[0].to, DEPTH);
    nt_tree_free(&tree);
    tree = tree_of(t, NT_TREE_KEPT, 0);
    assert_int_equal(tree.n_boxes, DEPTH);
    assert_int_equal(tree.boxes[DEPTH - 1].level, DEPTH);
    nt_tree_free(&tree);
    free_sample(t);
}

/* A hundred thousand beams: the tree stays small, and the rest is counted. */
static void bounded(void **state) {
    enum { MANY = 100000 };
    nt_result *t = random_search(MANY, 1);
    (void)state;
    for (int detail = NT_TREE_AUTO; detail <= NT_TREE_ALL; detail++) {
        nt_tree tree = tree_of(t, (nt_tree_detail)detail, 1);
        assert_true(tree.n <= 20000 && tree.n_boxes <= 4100);
        if (detail <= NT_TREE_OUTPUTS) assert_true(tree.n_boxes <= 20);
        assert_int_equal(tree.left + tree.n, MANY);
        nt_tree_free(&tree);
    }
    free_sample(t);
}

/* An exact search shows its first prefixes, likeliest first, and not all of them. */
static void exact(void **state) {
    nt_result *t = random_search(1000, 2);
    (void)state;
    t->proof = room(t, 1, sizeof *t->proof);
    nt_tree tree = tree_of(t, NT_TREE_AUTO, 1);
    assert_int_equal(tree.detail, NT_TREE_KEPT);
    size_t leaves = 0;
    for (size_t b = 0; b < tree.n_boxes; b++)
        leaves += tree.boxes[b].first < 0;
    assert_in_range(leaves, 30, 41);
    nt_tree_free(&tree);
    free_sample(t);
}

/* ---- What holds of every tree ---------------------------------------------------------------- */

static void check_nodes(const nt_tree *tree) {
    size_t beams = 0;
    for (size_t i = 0; i < tree->n; i++) {
        const nt_tree_node *node = &tree->nodes[i];
        assert_true(node->parent < (int32_t)i);
        if (node->parent >= 0) assert_int_equal(node->step, tree->nodes[node->parent].step + 1);
        assert_true(node->box >= 0 && (size_t)node->box < tree->n_boxes);
        beams += node->beam != NULL;
        for (int32_t c = node->first; c >= 0; c = tree->nodes[c].next) {
            int32_t next = tree->nodes[c].next;
            assert_int_equal(tree->nodes[c].parent, (int32_t)i);
            if (next >= 0) assert_true(tree->nodes[c].branch <= tree->nodes[next].branch);
        }
    }
    assert_int_equal(beams + tree->left, tree->n_beams);
}

static void check_boxes(const nt_tree *tree) {
    size_t tokens = 0;
    for (size_t b = 0; b < tree->n_boxes; b++) {
        const nt_tree_box *box = &tree->boxes[b];
        tokens += box->to - box->from;
        assert_true(box->to > box->from && box->to <= tree->n_steps);
        assert_true(box->parent < (int32_t)b);
        if (box->parent < 0) {
            assert_int_equal(box->level, 1);
            assert_int_equal(box->from, 0);
            continue;
        }
        assert_int_equal(box->level, tree->boxes[box->parent].level + 1);
        assert_int_equal(box->from, tree->boxes[box->parent].to);
        if (tree->folded && box->next < 0 && tree->boxes[box->parent].first == (int32_t)b)
            assert_true(tree->nodes[tree->boxes[box->parent].last].branch !=
                            tree->nodes[box->node].branch ||
                        tree->nodes[tree->boxes[box->parent].last].ends);
    }
    assert_int_equal(tokens, tree->n);
}

static void invariants(void **state) {
    size_t seen = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        nt_result *t =
            seed % 3 ? random_search(1 + seed % 90, seed) : random_sample(NT_RESULT_GENERATE, seed);
        for (int detail = NT_TREE_AUTO; detail <= NT_TREE_ALL && nt_tree_has(t); detail++) {
            for (int fold = 0; fold < 2; fold++) {
                nt_tree tree = tree_of(t, (nt_tree_detail)detail, fold);
                check_nodes(&tree);
                check_boxes(&tree);
                nt_tree_free(&tree);
                seen++;
            }
        }
        free_sample(t);
    }
    assert_true(seen > 2000);
}

static void refused(void **state) {
    nt_result *greedy = sample_generate(), *next = sample_next();
    nt_tree tree;
    (void)state;
    assert_int_equal(nt_tree_make(&tree, greedy, (nt_tree_want){0}), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "num_beams"));
    assert_int_equal(nt_tree_make(&tree, next, (nt_tree_want){0}), NT_E_UNSUPPORTED);
    nt_tree_free(&tree);
    free_sample(greedy);
    free_sample(next);
}

static void memory_fails(void **state) {
    nt_result *t = random_search(60, 7);
    (void)state;
    for (size_t k = 1;; k++) {
        nt_tree tree;
        nt_memory_fail_at(k);
        int status = nt_tree_make(&tree, t, (nt_tree_want){.detail = NT_TREE_ALL});
        nt_memory_fail_at(0);
        nt_tree_free(&tree);
        if (status == NT_OK) {
            assert_true(k > 8);
            break;
        }
        assert_int_equal(status, NT_E_MEMORY);
    }
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details), cmocka_unit_test(branches),
        cmocka_unit_test(counts),  cmocka_unit_test(rows_of_candidates),
        cmocka_unit_test(deep),    cmocka_unit_test(bounded),
        cmocka_unit_test(exact),   cmocka_unit_test(invariants),
        cmocka_unit_test(refused), cmocka_unit_test(memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
