/* Where the boxes of a tree stand: none on another, the best way straight on, no edge over another.
 */
#include <stdio.h>

#include "view/made_tree.h"
#include "view/tree_layout.h"

enum { GAP = 30, LEAST = 16 };

typedef struct laid_out {
    nt_tree tree;
    nt_tree_layout layout;
    double *wanted;
} laid_out;

static laid_out lay_out(const nt_result *t, nt_tree_detail detail, int fold) {
    laid_out l = {0};
    assert_int_equal(nt_tree_make(&l.tree, t, (nt_tree_want){.detail = detail, .fold = fold}),
                     NT_OK);
    l.wanted = calloc(l.tree.n_boxes, sizeof *l.wanted);
    assert_non_null(l.wanted);
    for (size_t b = 0; b < l.tree.n_boxes; b++)
        l.wanted[b] = 20 + draw(200);
    assert_int_equal(nt_tree_lay_out(&l.layout, &l.tree, l.wanted, GAP, LEAST), NT_OK);
    return l;
}

static void let_go(laid_out *l) {
    nt_tree_layout_free(&l->layout);
    nt_tree_free(&l->tree);
    free(l->wanted);
}

static void check_places(const laid_out *l) {
    const nt_tree *tree = &l->tree;
    unsigned char *used = calloc(l->layout.n_rows * tree->n_steps, 1);
    assert_non_null(used);
    for (size_t b = 0; b < tree->n_boxes; b++) {
        const nt_tree_box *box = &tree->boxes[b];
        size_t row = l->layout.rows[b];
        assert_true(row < l->layout.n_rows);
        for (size_t c = box->from; c < box->to; c++)
            assert_int_equal(used[row * tree->n_steps + c]++, 0);
        assert_true(l->layout.columns[box->to] - l->layout.columns[box->from] - GAP >=
                    l->wanted[b]);
        if (box->first >= 0) assert_int_equal(l->layout.rows[box->first], row);
        if (box->next >= 0) assert_true(l->layout.rows[box->next] > row);
    }
    for (size_t c = 0; c < tree->n_steps; c++)
        assert_true(l->layout.columns[c + 1] >= l->layout.columns[c] + LEAST);
    free(used);
}

/* Between two columns every box's edges fill the rows from its own to its last child's: those of
 * different boxes never share one. */
static void check_edges(const laid_out *l) {
    const nt_tree *tree = &l->tree;
    int32_t *owner = calloc(l->layout.n_rows * (tree->n_steps + 1), sizeof *owner);
    assert_non_null(owner);
    for (size_t b = 0; b < tree->n_boxes; b++) {
        const nt_tree_box *box = &tree->boxes[b];
        size_t low = l->layout.rows[b];
        for (int32_t c = box->first; c >= 0; c = tree->boxes[c].next)
            low = l->layout.rows[c];
        for (size_t row = l->layout.rows[b]; box->first >= 0 && row <= low; row++) {
            int32_t *here = &owner[row * (tree->n_steps + 1) + box->to];
            assert_int_equal(*here, 0);
            *here = (int32_t)b + 1;
        }
    }
    free(owner);
}

static void random_trees(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        nt_result *t = random_search(1 + seed * 2, seed);
        for (int detail = NT_TREE_OUTPUTS; detail <= NT_TREE_ALL; detail++) {
            laid_out l = lay_out(t, (nt_tree_detail)detail, (int)(seed % 2));
            check_places(&l);
            check_edges(&l);
            let_go(&l);
        }
        free_sample(t);
    }
}

/* What a beam search of 5 beams and 40 steps keeps has room in few lanes. */
static void lanes(void **state) {
    nt_result *t = new_search(1000);
    int64_t now[5] = {-1, -1, -1, -1, -1}, next[5];
    (void)state;
    random_state = 3;
    for (int step = 0; step < 40; step++) {
        for (int s = 0; s < 5; s++)
            next[s] = add_beam(t, step == 0 ? -1 : now[draw(5)], "a", s, s);
        memcpy(now, next, sizeof now);
    }
    end_beam(t, now[0]);
    laid_out l = lay_out(t, NT_TREE_KEPT, 1);
    check_places(&l);
    assert_in_range(l.layout.n_rows, 5, 40); /* of 200 beams */
    let_go(&l);
    free_sample(t);
}

static void deep(void **state) {
    nt_result *t = new_search(9000);
    int64_t last = -1;
    (void)state;
    for (int i = 0; i < 9000; i++)
        last = add_beam(t, last, "a", 0, 0);
    end_beam(t, last);
    laid_out l = lay_out(t, NT_TREE_BEAMS, 0);
    assert_int_equal(l.layout.n_rows, 1);
    check_places(&l);
    let_go(&l);
    free_sample(t);
}

static void memory_fails(void **state) {
    nt_result *t = random_search(40, 1);
    laid_out l = lay_out(t, NT_TREE_BEAMS, 1);
    (void)state;
    for (size_t k = 1;; k++) {
        nt_tree_layout layout;
        nt_memory_fail_at(k);
        int status = nt_tree_lay_out(&layout, &l.tree, l.wanted, GAP, LEAST);
        nt_memory_fail_at(0);
        nt_tree_layout_free(&layout);
        if (status == NT_OK) {
            assert_int_equal(k, 6);
            break;
        }
        assert_int_equal(status, NT_E_MEMORY);
    }
    let_go(&l);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_trees),
        cmocka_unit_test(lanes),
        cmocka_unit_test(deep),
        cmocka_unit_test(memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
