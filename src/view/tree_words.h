/* What is said of the boxes of a tree, the same in every view. */
#ifndef NT_VIEW_TREE_WORDS_H
#define NT_VIEW_TREE_WORDS_H

#include "view/figure.h"
#include "view/strip.h"
#include "view/tree.h"

/* The name of a branch as a class of a stylesheet, and as legends have it. */
const char *nt_tree_class(nt_branch branch);
const char *nt_tree_name(const nt_tree *tree, nt_branch branch);
/* The tokens of a box, as marks show them; at most `columns` of them, then a mark of the cut.
 * False: they were cut. */
bool nt_tree_tokens(nt_strip *strip, const nt_tree *tree, int32_t box, size_t columns,
                    uint8_t style);
/* "12.30 %", of a processed one "12.30 → 15.10 %"; of a run the number of its tokens. */
void nt_tree_share(nt_buffer *out, const nt_tree *tree, int32_t box, bool ascii);
/* The running score behind a box: the sum of log-probabilities; nothing where there is none. */
void nt_tree_sum(nt_buffer *out, const nt_tree *tree, int32_t box);
/* What became of a box, in few words: "sequence 0", "7th", "removed by top_k", "dropped"; nothing
 * of what goes on. */
void nt_tree_fate(nt_buffer *out, const nt_tree *tree, int32_t box);
/* Of what ended: "length, score -1.553"; nothing elsewhere. */
void nt_tree_end(nt_buffer *out, const nt_tree *tree, int32_t box);
/* All of it in lines of plain text: every figure and every reason. */
void nt_tree_tell(nt_buffer *out, const nt_tree *tree, int32_t box);
/* What is not in the tree: "1,234 more are not drawn"; nothing where all is. */
void nt_tree_left(nt_buffer *out, const nt_tree *tree);

#endif
