/* The tree of beams in a terminal: a line a box, indented. */
#ifndef NT_VIEW_TABLE_TREE_H
#define NT_VIEW_TABLE_TREE_H

#include "view/frame.h"

/* A sheet and a line for what is not in it. */
void nt_table_tree(nt_frame *frame);

#endif
