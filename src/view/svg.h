/* A picture: a frame whose sheets and lines are drawn one below the other, as SVG. What a table
 * says is what the frame's table says: here it is only drawn. */
#ifndef NT_VIEW_SVG_H
#define NT_VIEW_SVG_H

#include "view/sheet.h"
#include "view/svg_put.h"

typedef struct nt_svg {
    nt_buffer body;    /* what is drawn so far */
    nt_buffer told;    /* the same in words, for those who cannot see it */
    double width;      /* of all of it; grows with a sheet that needs more */
    double y;          /* below what is drawn */
    const char *looks; /* rules of a stylesheet beside those of every picture; NULL: none */
} nt_svg;

/* As wide as the column of a README; its margin; columns of small print that it has room for. */
enum { NT_SVG_WIDTH = 760, NT_SVG_MARGIN = 24, NT_SVG_COLUMNS = 104 };

void nt_svg_sheet(nt_svg *picture, nt_sheet *sheet);
/* A line of words, broken where the page ends. */
void nt_svg_line(nt_svg *picture, nt_strip *line);
void nt_svg_gap(nt_svg *picture);

#endif
