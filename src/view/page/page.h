/* Pages: a result as one HTML file with nothing beside it, that can be mailed. A page is a heading,
 * a figure of its kind where there is one, the tables of the kind, a footer, and the result itself
 * as JSON, which scripts on the page read. It reads well without scripts, and on paper. */
#ifndef NT_VIEW_PAGE_PAGE_H
#define NT_VIEW_PAGE_PAGE_H

#include "view/sheet.h"
#include "view/view.h"

typedef struct nt_page {
    nt_buffer *out;
    const nt_result *trace;
    const nt_view_options *options;
} nt_page;

/* A stylesheet or a script that the program carries (parts.c). */
typedef struct nt_page_part {
    const char *bytes;
    size_t n;
} nt_page_part;

/* A figure: what is drawn above the tables of a result. */
typedef struct nt_page_figure {
    bool (*fits)(const nt_result *trace); /* whether the result has it */
    const char *label;                    /* "BEAM TREE", above the heading */
    void (*draw)(nt_page *page);          /* elements, inside <figure> */
    nt_page_part (*style)(void);          /* beside the page's own; NULL: none */
    nt_page_part (*library)(void);        /* a script in front of */
    nt_page_part (*script)(void);         /* the figure's own */
    bool shows_text;                      /* that the result is about, from end to end */
} nt_page_figure;

/* Tables and lines of a frame, as elements. */
void nt_page_sheet(nt_page *page, nt_sheet *sheet);
void nt_page_line(nt_page *page, const nt_strip *line);
void nt_page_foot(nt_page *page, const nt_strip *line);
/* A text, with its lines. */
void nt_page_text(nt_page *page, const char *bytes, size_t n);

/* The parts that every page has. */
nt_page_part nt_page_style(void);
nt_page_part nt_page_script(void);

#endif
