/* Writing glyphs line by line. */
#include "view/paint.h"

#include <string.h>

#include "base/utf8.h"

static void set_style(nt_paint *paint, uint8_t style) {
    style &= (uint8_t)~NT_STYLE_BREAK;
    if (style & NT_STYLE_GROUND) /* one ground for the whole of a field */
        style &= NT_STYLE_COLORS | NT_STYLE_GROUND;
    else if (style & NT_STYLE_MARK) /* bold and dim fight on many terminals */
        style = (uint8_t)((style & NT_STYLE_COLORS) | NT_STYLE_DIM);
    if (!paint->color || style == paint->style) return;
    paint->style = style;
    nt_buffer_puts(paint->out, "\x1b[0");
    if (style & NT_STYLE_BOLD) nt_buffer_puts(paint->out, ";1");
    if (style & NT_STYLE_DIM) nt_buffer_puts(paint->out, ";2");
    int color = style & NT_STYLE_COLORS;
    if (style & NT_STYLE_GROUND) { /* letters that most palettes set off: white on what is dark */
        bool dark = color == NT_STYLE_MAGENTA || color == NT_STYLE_RED || color == NT_STYLE_BLUE;
        nt_buffer_printf(paint->out, ";%d;4%d", dark ? 97 : 30, color);
    }
    if (color && !(style & NT_STYLE_GROUND)) nt_buffer_printf(paint->out, ";3%d", color);
    nt_buffer_putc(paint->out, 'm');
}

void nt_paint_blanks(nt_paint *paint, size_t n) {
    paint->blanks += n;
    paint->column += n;
}

void nt_paint_glyph(nt_paint *paint, const char *bytes, size_t n, size_t width, uint8_t style) {
    if (bytes[0] == ' ' && !(style & NT_STYLE_GROUND)) {
        nt_paint_blanks(paint, width);
        return;
    }
    if (paint->column + width > paint->width) return; /* only where the width is below any layout */
    if (paint->blanks > 0 && (paint->style & NT_STYLE_GROUND)) set_style(paint, 0);
    for (; paint->blanks > 0; paint->blanks--)
        nt_buffer_putc(paint->out, ' ');
    set_style(paint, style);
    nt_buffer_put(paint->out, bytes, n);
    paint->column += width;
}

void nt_paint_puts(nt_paint *paint, const char *utf8, uint8_t style) {
    for (size_t i = 0, n = strlen(utf8); i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, utf8 + i, n - i);
        nt_paint_glyph(paint, utf8 + i, length, 1, style);
        i += length;
    }
}

void nt_paint_end(nt_paint *paint) {
    set_style(paint, 0);
    nt_buffer_putc(paint->out, '\n');
    paint->column = paint->blanks = 0;
}

static void put(nt_paint *paint, const nt_strip *strip, size_t i, uint8_t style) {
    const nt_glyph *g = &strip->glyphs[i];
    nt_paint_glyph(paint, strip->bytes.data + g->at, g->n, g->width, g->style | style);
}

void nt_paint_cell(nt_paint *paint, const nt_strip *strip, size_t first, size_t n, size_t width,
                   nt_align align, bool cut_left, uint8_t style) {
    size_t start = paint->column;
    const char *more = paint->ascii ? "~" : "\xE2\x80\xA6";
    bool cut = nt_strip_cut(strip, &first, &n, width, cut_left);
    if (!cut && align == NT_RIGHT) nt_paint_blanks(paint, width - nt_strip_width(strip, first, n));
    if (cut && cut_left) nt_paint_puts(paint, more, NT_STYLE_MARK);
    for (size_t i = first; i < first + n; i++)
        put(paint, strip, i, style);
    if (cut && !cut_left) nt_paint_puts(paint, more, NT_STYLE_MARK);
    if (paint->column < start + width) nt_paint_blanks(paint, start + width - paint->column);
}

void nt_paint_bar(nt_paint *paint, double share, size_t width, uint8_t style) {
    static const char *const part[] = {"",
                                       "\xE2\x96\x8F",
                                       "\xE2\x96\x8E",
                                       "\xE2\x96\x8D",
                                       "\xE2\x96\x8C",
                                       "\xE2\x96\x8B",
                                       "\xE2\x96\x8A",
                                       "\xE2\x96\x89"};
    if (!(share > 0)) share = 0; /* NaN, too */
    if (share > 1) share = 1;
    size_t per = paint->ascii ? 1 : 8;
    size_t units = (size_t)(share * (double)(width * per) + 0.5);
    if (!paint->ascii && units == 0 && share > 0) units = 1; /* little is not nothing */
    for (size_t i = 0; i < units / per; i++)
        nt_paint_puts(paint, paint->ascii ? "#" : "\xE2\x96\x88", style);
    nt_paint_puts(paint, part[units % per], style);
    nt_paint_blanks(paint, width - (units + per - 1) / per);
}

void nt_paint_wrap(nt_paint *paint, const nt_strip *strip, size_t first, size_t n) {
    size_t end = first + n, width = paint->width;
    if (n == 0) nt_paint_end(paint);
    while (first < end) {
        size_t used = 0, i = first,
               stop = 0; /* stop: one past the last glyph that may end a line */
        for (; i < end; i++) {
            const nt_glyph *g = &strip->glyphs[i];
            bool blank = strip->bytes.data[g->at] == ' '; /* may hang over the edge */
            if (used + g->width > width && !(blank && (g->style & NT_STYLE_BREAK))) break;
            used += g->width;
            if (g->style & NT_STYLE_BREAK) stop = i + 1;
        }
        if (i == end)
            stop = end;
        else if (stop == 0)
            stop = i > first ? i : first + 1;
        for (i = first; i < stop; i++)
            put(paint, strip, i, 0);
        nt_paint_end(paint);
        first = stop;
    }
}
