/* Writing glyphs line by line: colours, padding, cutting, wrapping. No line passes the width. */
#ifndef NT_VIEW_PAINT_H
#define NT_VIEW_PAINT_H

#include "view/strip.h"

typedef struct nt_paint {
    nt_buffer *out;
    size_t width; /* columns */
    bool color, ascii;
    size_t column; /* where the line stands, blanks that wait included */
    size_t blanks; /* that wait for something to their right: no line ends in blanks */
    uint8_t style; /* that the terminal is in */
} nt_paint;

void nt_paint_glyph(nt_paint *paint, const char *bytes, size_t n, size_t width, uint8_t style);
void nt_paint_blanks(nt_paint *paint, size_t n);
/* The program's own one-column characters. */
void nt_paint_puts(nt_paint *paint, const char *utf8, uint8_t style);
void nt_paint_end(nt_paint *paint);

/* Glyphs [first, first + n) in exactly `width` columns: padded, or cut with a mark. */
typedef enum nt_align { NT_LEFT, NT_RIGHT } nt_align;
void nt_paint_cell(nt_paint *paint, const nt_strip *strip, size_t first, size_t n, size_t width,
                   nt_align align, bool cut_left, uint8_t style);
/* A bar of `share` (0 to 1) of width columns, in eighths of a column. */
void nt_paint_bar(nt_paint *paint, double share, size_t width, uint8_t style);
/* Glyphs as lines broken where NT_STYLE_BREAK allows it, else where the width ends. */
void nt_paint_wrap(nt_paint *paint, const nt_strip *strip, size_t first, size_t n);

#endif
