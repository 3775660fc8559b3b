/* Where the boxes of a tree stand: columns are steps, from left to right, rows are lanes. What goes
 * on best goes on in its parent's row, what else hangs from it stands below, as far up as there is
 * room. No two boxes meet and no edge crosses another. */
#ifndef NT_VIEW_TREE_LAYOUT_H
#define NT_VIEW_TREE_LAYOUT_H

#include "view/tree.h"

typedef struct nt_tree_layout {
    size_t *rows;    /* [n_boxes] */
    double *columns; /* [n_steps + 1] where a step begins; the last: where all ends */
    size_t n_rows;
} nt_tree_layout;

/* wanted [n_boxes]: the least width of each box. gap: between a box and what follows it; least: of
 * a step. Errors: MEMORY. */
int nt_tree_lay_out(nt_tree_layout *out, const nt_tree *tree, const double *wanted, double gap,
                    double least);
void nt_tree_layout_free(nt_tree_layout *layout);

#endif
