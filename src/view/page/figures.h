/* The figures that pages have, each in a file of its own. */
#ifndef NT_VIEW_PAGE_FIGURES_H
#define NT_VIEW_PAGE_FIGURES_H

#include "view/page/page.h"

/* A page has no edge: columns that lines of words are broken at by nobody but the browser. */
enum { NT_PAGE_COLUMNS = 1 << 20 };

/* NEXT with its logits: logits -> temperature -> .. -> softmax -> draw, whose options move. */
extern const nt_page_figure nt_figure_strip;

/* GENERATE with beams, and of an exact search: the tree of what was kept and dropped. */
extern const nt_page_figure nt_figure_beams, nt_figure_exact;

/* SCORE: the text on grounds that say how expected each token was, and lines under it. */
extern const nt_page_figure nt_figure_heat;

/* INSPECT with layers or attention: what each layer would say, and where heads look. */
extern const nt_page_figure nt_figure_inside;

/* VERSUS: the text on grounds of what changes. */
extern const nt_page_figure nt_figure_versus;

/* Their parts. */
nt_page_part nt_page_heat_style(void);
nt_page_part nt_page_heat(void);
nt_page_part nt_page_tree_style(void);
nt_page_part nt_page_tree(void);
nt_page_part nt_page_tree_layout(void);
nt_page_part nt_page_strip_style(void);
nt_page_part nt_page_inside_style(void);
nt_page_part nt_page_inside(void);
nt_page_part nt_page_versus_style(void);
nt_page_part nt_page_strip(void);
nt_page_part nt_page_warp(void);

#endif
