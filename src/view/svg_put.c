/* Writing SVG, element by element. */
#include "view/svg_put.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "view/figure.h"

void nt_svg_number(nt_buffer *out, double x) {
    char s[64];
    snprintf(s, sizeof s, "%.2f", x);
    nt_figure_repair(s);
    if (strchr(s, '.')) {
        size_t n = strlen(s);
        while (s[n - 1] == '0')
            n--;
        if (s[n - 1] == '.') n--;
        s[n] = 0;
    }
    nt_buffer_puts(out, s);
}

/* What stands for a character; NULL: itself. */
static const char *stands_for(int32_t code) {
    switch (code) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\t':
    case '\n': return NULL;
    case '\r': return "&#13;";
    default: /* outside of what XML 1.0 calls a character; below 0: no UTF-8 */
        return code < 0x20 || code == 0xFFFE || code == 0xFFFF ? "\xEF\xBF\xBD" : NULL;
    }
}

void nt_svg_escape(nt_buffer *out, const char *bytes, size_t n) {
    size_t good = 0; /* [good, i) waits to be copied */
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        const char *other = stands_for(code);
        if (other) {
            nt_buffer_put(out, bytes + good, i - good);
            nt_buffer_puts(out, other);
            good = i + length;
        }
        i += length;
    }
    if (good < n) nt_buffer_put(out, bytes + good, n - good);
}

static void attribute(nt_buffer *out, const char *name, double x) {
    nt_buffer_putc(out, ' ');
    nt_buffer_puts(out, name);
    nt_buffer_puts(out, "=\"");
    nt_svg_number(out, x);
    nt_buffer_putc(out, '"');
}

static void open_element(nt_buffer *out, const char *name, const char *classes, double x,
                         double y) {
    nt_buffer_printf(out, "<%s class=\"%s\"", name, classes);
    attribute(out, "x", x);
    attribute(out, "y", y);
}

static void open_rect(nt_buffer *out, const char *classes, nt_box box, double radius) {
    open_element(out, "rect", classes, box.x, box.y);
    attribute(out, "width", box.width);
    attribute(out, "height", box.height);
    if (radius > 0) attribute(out, "rx", radius);
}

void nt_svg_rect(nt_buffer *out, const char *classes, nt_box box, double radius) {
    open_rect(out, classes, box, radius);
    nt_buffer_puts(out, "/>\n");
}

void nt_svg_shade(nt_buffer *out, const char *classes, nt_box box, double radius, double share) {
    open_rect(out, classes, box, radius);
    attribute(out, "fill-opacity", share);
    nt_buffer_puts(out, "/>\n");
}

void nt_svg_text_open(nt_buffer *out, const char *classes, double x, double y) {
    open_element(out, "text", classes, x, y);
    nt_buffer_putc(out, '>');
}

void nt_svg_text_close(nt_buffer *out) {
    nt_buffer_puts(out, "</text>\n");
}

static const char *class_of(uint8_t style) {
    if (style & NT_STYLE_MARK) return "mark";
    if (style & NT_STYLE_BOLD) return "bold";
    return style & NT_STYLE_DIM ? "dim" : NULL;
}

void nt_svg_glyphs(nt_buffer *out, const nt_strip *strip, size_t first, size_t n) {
    for (size_t i = first, end = first + n; i < end;) {
        const char *name = class_of(strip->glyphs[i].style);
        if (name) nt_buffer_printf(out, "<tspan class=\"%s\">", name);
        for (; i < end && class_of(strip->glyphs[i].style) == name; i++)
            nt_svg_escape(out, strip->bytes.data + strip->glyphs[i].at, strip->glyphs[i].n);
        if (name) nt_buffer_puts(out, "</tspan>");
    }
}

void nt_svg_fit(nt_buffer *out, const nt_strip *strip, size_t first, size_t n, size_t columns,
                bool cut_left) {
    static const char more[] = "<tspan class=\"mark\">\xE2\x80\xA6</tspan>";
    bool cut = nt_strip_cut(strip, &first, &n, columns, cut_left);
    if (cut && cut_left) nt_buffer_puts(out, more);
    nt_svg_glyphs(out, strip, first, n);
    if (cut && !cut_left) nt_buffer_puts(out, more);
}

void nt_svg_plain(nt_buffer *out, const nt_strip *strip, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        nt_svg_escape(out, strip->bytes.data + strip->glyphs[i].at, strip->glyphs[i].n);
}
