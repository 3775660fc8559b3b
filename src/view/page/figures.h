/* The figures that pages have, each in a file of its own. */
#ifndef NT_VIEW_PAGE_FIGURES_H
#define NT_VIEW_PAGE_FIGURES_H

#include "view/page/page.h"

/* A page has no edge: columns that lines of words are broken at by nobody but the browser. */
enum { NT_PAGE_COLUMNS = 1 << 20 };

/* NEXT with its logits: logits -> temperature -> .. -> softmax -> draw, whose options move. */
extern const nt_page_figure nt_figure_strip;

/* Their parts. */
nt_page_part nt_page_strip_style(void);
nt_page_part nt_page_strip(void);
nt_page_part nt_page_warp(void);

#endif
