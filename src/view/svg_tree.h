/* A tree drawn from left to right: a column a step, the best way straight on at the top. */
#ifndef NT_VIEW_SVG_TREE_H
#define NT_VIEW_SVG_TREE_H

#include "view/svg.h"
#include "view/tree.h"

/* Draws below what is drawn. live: for a page, whose scripts and screen readers walk its boxes.
 * Errors: MEMORY. */
int nt_svg_tree(nt_svg *picture, const nt_tree *tree, bool live);
/* The boxes of a tree, each as one group of its own for scripts to put together: where it hangs, at
 * which detail it shows, whether it is in the tree that is drawn first. The tree is not folded.
 * Errors: MEMORY. */
int nt_svg_tree_parts(nt_buffer *out, const nt_tree *tree, const nt_tree *first);
/* The least detail that shows a node. */
int nt_svg_tree_detail(const nt_tree_node *node);
/* What colours and lines mean: elements in a row from x on. */
void nt_svg_tree_legend(nt_svg *picture, const nt_tree *tree);

/* Rules of a stylesheet for a picture that stands alone. */
extern const char nt_svg_tree_looks[];

#endif
