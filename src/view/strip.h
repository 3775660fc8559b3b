/* A strip: text made fit to be shown, as a row of glyphs whose widths are known. Nothing in it can
 * drive a terminal: what is not a plain visible character stands as a mark or an escape. */
#ifndef NT_VIEW_STRIP_H
#define NT_VIEW_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A style: a colour of the terminal's own (c of SGR 30 + c, 0 for none) and flags. */
enum {
    NT_STYLE_RED = 1,
    NT_STYLE_GREEN = 2,
    NT_STYLE_YELLOW = 3,
    NT_STYLE_BLUE = 4,
    NT_STYLE_MAGENTA = 5,
    NT_STYLE_CYAN = 6,
    NT_STYLE_COLORS = 7,
    NT_STYLE_BOLD = 8,
    NT_STYLE_DIM = 16,
    NT_STYLE_MARK = 32,   /* stands for a character that cannot be shown; dim, too */
    NT_STYLE_BREAK = 64,  /* a wrapped line may end behind this glyph */
    NT_STYLE_GROUND = 128 /* on a ground of its colour, on dark and light terminals; blanks, too */
};

typedef struct nt_glyph { /* one character with its combining marks, or one escape; never cut */
    uint32_t at;          /* offset into the strip's bytes */
    uint8_t n, width, style;
} nt_glyph;

typedef struct nt_strip {
    nt_buffer bytes;
    nt_glyph *glyphs;
    size_t n, capacity;
    bool ascii;
    int status; /* first failure; later calls do nothing */
} nt_strip;     /* all zero is an empty strip */

/* What becomes of white space and of characters without a width.
 *   TOKEN  a space is U+00B7, a newline U+21B5, a tab U+2192, NBSP U+237D; zero-width and control
 *          characters, odd spaces and unassigned code points are escapes (\x1b, \u202e), bytes that
 *          are no UTF-8 \xf0. In ASCII the text stands in quotes, with JSON's escapes.
 *   FIELD  the same, but spaces stay spaces, and there are no quotes: for coloured grounds.
 *   INPUT  the same as TOKEN, but spaces between words stay spaces: only those at the edges are
 * marked. TEXT   spaces stay (lines may break there), joiners and variation selectors stay with
 * their character; a tab is four spaces; the caller has cut the text at its newlines. */
typedef enum nt_show { NT_SHOW_TOKEN, NT_SHOW_FIELD, NT_SHOW_INPUT, NT_SHOW_TEXT } nt_show;

/* Appends bytes [n] as glyphs of a style. */
void nt_strip_show(nt_strip *strip, const char *bytes, size_t n, nt_show show, uint8_t style);
/* Appends plain words of the program's own: ASCII, or one-column characters. */
void nt_strip_puts(nt_strip *strip, const char *utf8, uint8_t style);
/* Width of glyphs [first, first + n) in columns. */
size_t nt_strip_width(const nt_strip *strip, size_t first, size_t n);
/* Whether glyphs [*first, *first + *n) are wider than `width`; then narrows them to what of their
 * beginning (cut_left: of their end) leaves a column for a mark of the cut. */
bool nt_strip_cut(const nt_strip *strip, size_t *first, size_t *n, size_t width, bool cut_left);
void nt_strip_clear(nt_strip *strip);
void nt_strip_free(nt_strip *strip);

#endif
