/* The figures that pages have, each in a file of its own: the beam tree, ... */
#ifndef NT_VIEW_PAGE_FIGURES_H
#define NT_VIEW_PAGE_FIGURES_H

#include "view/page/page.h"

/* A page has no edge: columns that lines of words are broken at by nobody but the browser. */
enum { NT_PAGE_COLUMNS = 1 << 20 };

#endif
