/* The layout of a tree, in time linear in the steps of its boxes. */
#include "view/tree_layout.h"

#include "base/memory.h"

/* Puts a box and its first child, and its first child, ... into the first row that is free below
 * all that stands in their columns (taken [n_steps], a count of rows each). Returns the last. */
static int32_t place(nt_tree_layout *layout, const nt_tree *tree, size_t *taken, int32_t box) {
    size_t row = 0;
    int32_t last = box;
    for (int32_t b = box; b >= 0; b = tree->boxes[b].first) {
        for (size_t c = tree->boxes[b].from; c < tree->boxes[b].to; c++)
            if (taken[c] > row) row = taken[c];
        last = b;
    }
    for (int32_t b = box; b >= 0; b = tree->boxes[b].first) {
        for (size_t c = tree->boxes[b].from; c < tree->boxes[b].to; c++)
            taken[c] = row + 1;
        layout->rows[b] = row;
    }
    if (row >= layout->n_rows) layout->n_rows = row + 1;
    return last;
}

/* What hangs from a deep box stands above what hangs from those before it: so edges do not cross.
 */
static void place_all(nt_tree_layout *layout, const nt_tree *tree, size_t *taken) {
    if (tree->n_boxes == 0) return;
    int32_t at = place(layout, tree, taken, 0);
    while (at >= 0) {
        int32_t next = tree->boxes[at].next;
        at = next >= 0 ? place(layout, tree, taken, next) : tree->boxes[at].parent;
    }
}

/* ends [n_steps], later [n_boxes]: the boxes that end at each step, as lists. */
static void find_columns(nt_tree_layout *layout, const nt_tree *tree, const double *wanted,
                         double gap, double least, const int32_t *ends, const int32_t *later) {
    layout->columns[0] = 0;
    for (size_t c = 0; c < tree->n_steps; c++) {
        double end = layout->columns[c] + least;
        for (int32_t b = ends[c]; b >= 0; b = later[b]) {
            double x = layout->columns[tree->boxes[b].from] + wanted[b] + gap;
            if (x > end) end = x;
        }
        layout->columns[c + 1] = end;
    }
}

int nt_tree_lay_out(nt_tree_layout *out, const nt_tree *tree, const double *wanted, double gap,
                    double least) {
    size_t n = tree->n_steps;
    *out = (nt_tree_layout){.rows = nt_alloc(tree->n_boxes, sizeof *out->rows)};
    size_t *taken = NULL;
    int32_t *ends = NULL, *later = NULL;
    if (out->rows) out->columns = nt_alloc(n + 1, sizeof *out->columns);
    if (out->columns) taken = nt_alloc(n, sizeof *taken);
    if (taken) ends = nt_alloc(n, sizeof *ends);
    if (ends) later = nt_alloc(tree->n_boxes, sizeof *later);
    if (later) {
        for (size_t c = 0; c < n; c++)
            ends[c] = -1;
        for (size_t b = 0; b < tree->n_boxes; b++) {
            int32_t *list = &ends[tree->boxes[b].to - 1];
            later[b] = *list;
            *list = (int32_t)b;
        }
        place_all(out, tree, taken);
        find_columns(out, tree, wanted, gap, least, ends, later);
    }
    int status = later ? NT_OK : NT_E_MEMORY;
    nt_free(taken);
    nt_free(ends);
    nt_free(later);
    if (status != NT_OK) nt_tree_layout_free(out);
    return status;
}

void nt_tree_layout_free(nt_tree_layout *layout) {
    nt_free(layout->rows);
    nt_free(layout->columns);
    *layout = (nt_tree_layout){0};
}
