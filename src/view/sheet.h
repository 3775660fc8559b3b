/* A sheet: rows of cells under titles, laid out for a width. Bars shrink first, then texts are cut
 * with a mark, then columns are hidden in the order that they name. */
#ifndef NT_VIEW_SHEET_H
#define NT_VIEW_SHEET_H

#include "trace/trace.h"
#include "view/paint.h"

typedef struct nt_column {
    const char *title; /* of a joined column: NULL, the title runs over from its left */
    nt_align align;
    bool bar;
    bool cut_left;
    bool joined;    /* one blank from its left neighbour, and hidden with it */
    bool mono;      /* a token or a text: one width for all letters where a view has other fonts */
    bool shaded;    /* pictures shade the cells, with what is joined to them, by their value */
    size_t comfort; /* a text may be cut down to this before columns are hidden; 0: never cut */
    int hide;       /* lowest first; 0: never */

    size_t natural, width; /* the layout's */
    bool hidden;
} nt_column;

typedef struct nt_cell {
    uint32_t first, n; /* glyphs */
    float value;       /* of a bar; how far a picture shades it, 0 to 1 */
    uint8_t style;     /* of a bar; of a shaded cell: bold for the one that was taken */
} nt_cell;

typedef struct nt_sheet {
    nt_strip strip;
    nt_column *columns;
    size_t n_columns, capacity_columns;
    nt_cell *cells; /* [n_rows, n_columns] */
    size_t n_cells, capacity_cells;
    double full;   /* what a whole bar stands for, where no value is larger; 0: the largest value */
    uint8_t *rows; /* [n_rows] a style each, added to its cells' */
    size_t n_rows, capacity_rows;
    int status; /* first failure; later calls do nothing */
} nt_sheet;     /* all zero is an empty sheet */

/* All columns come before the first row. */
void nt_sheet_column(nt_sheet *sheet, nt_column column);
void nt_sheet_row(nt_sheet *sheet, uint8_t style);
/* Each opens the row's next cell and fills it; nt_sheet_more adds to the cell that is open. */
void nt_sheet_puts(nt_sheet *sheet, const char *utf8, uint8_t style);
void nt_sheet_more(nt_sheet *sheet, const char *utf8, uint8_t style);
/* prefix comes first, in the same cell. */
void nt_sheet_show(nt_sheet *sheet, const char *prefix, const char *bytes, size_t n, nt_show show,
                   uint8_t style);
/* A token; its id as #id when it has no bytes. */
void nt_sheet_token(nt_sheet *sheet, const char *prefix, const nt_token *token, uint8_t style);
/* The same added to the cell that is open. */
void nt_sheet_more_token(nt_sheet *sheet, const nt_token *token, uint8_t style);
/* Bars are drawn to the scale of the largest value of all bars of the sheet, or of `full`. */
void nt_sheet_bar(nt_sheet *sheet, double value, uint8_t style);

/* Shades the cell that is open. */
void nt_sheet_shade(nt_sheet *sheet, double value, uint8_t style);

/* What every printing of a sheet begins with: fills the last row. False when the sheet failed. */
bool nt_sheet_whole(nt_sheet *sheet);
/* What a whole bar stands for: the largest finite value of all bars, or `full`. */
double nt_sheet_largest(const nt_sheet *sheet);
/* Prints titles and a rule (unless the first column has no title) and the rows; returns the number
 * of hidden columns (joined ones are not counted apart). */
size_t nt_sheet_print(nt_sheet *sheet, nt_paint *paint);
/* Empties it for another one, and keeps its memory; a failure stays. */
void nt_sheet_reset(nt_sheet *sheet);
void nt_sheet_free(nt_sheet *sheet);

#endif
