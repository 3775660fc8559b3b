/* Writing HTML, element by element. */
#include "view/page/put.h"

#include <string.h>

#include "view/figure.h"
#include "view/svg_put.h"

void nt_html_escape(nt_buffer *out, const char *bytes, size_t n) {
    nt_svg_escape(out, bytes, n); /* what XML needs escaped, and HTML no more */
}

void nt_html_puts(nt_buffer *out, const char *zero_ended) {
    nt_html_escape(out, zero_ended, strlen(zero_ended));
}

static const char *class_of(uint8_t style) {
    if (style & NT_STYLE_GROUND) { /* of a token in a row of them */
        int color = style & NT_STYLE_COLORS;
        return color == NT_STYLE_CYAN     ? "f1"
               : color == NT_STYLE_YELLOW ? "f2"
               : color == NT_STYLE_GREEN  ? "f3"
                                          : "f4";
    }
    if (style & NT_STYLE_MARK) return "mark";
    if (style & NT_STYLE_BOLD) return "bold";
    return style & NT_STYLE_DIM ? "dim" : NULL;
}

void nt_html_glyphs(nt_buffer *out, const nt_strip *strip, size_t first, size_t n) {
    for (size_t i = first, end = first + n; i < end;) {
        const char *name = class_of(strip->glyphs[i].style);
        if (name) nt_buffer_printf(out, "<span class=\"%s\">", name);
        for (; i < end && class_of(strip->glyphs[i].style) == name; i++)
            nt_html_escape(out, strip->bytes.data + strip->glyphs[i].at, strip->glyphs[i].n);
        if (name) nt_buffer_puts(out, "</span>");
    }
}

void nt_html_token(nt_buffer *out, const char *bytes, size_t n) {
    nt_strip strip = {0};
    nt_strip_show(&strip, bytes, n, NT_SHOW_TOKEN, 0);
    if (strip.status != NT_OK) out->status = strip.status;
    nt_html_glyphs(out, &strip, 0, strip.n);
    nt_strip_free(&strip);
}

void nt_html_number(nt_buffer *out, double x, int decimals) {
    nt_buffer_puts(out, nt_figure_fixed(x, decimals).s);
}

void nt_html_name(nt_buffer *out, const nt_token *token) {
    nt_strip strip = {0};
    if (token->n_bytes == 0) {
        nt_strip_puts(&strip, "#", 0);
        nt_strip_puts(&strip, nt_figure_plain(token->id).s, 0);
    } else {
        nt_strip_show(&strip, token->bytes, token->n_bytes, NT_SHOW_TOKEN, 0);
    }
    if (strip.status != NT_OK) out->status = strip.status;
    nt_html_escape(out, strip.n > 0 ? strip.bytes.data : "", strip.bytes.n);
    nt_strip_free(&strip);
}

/* In JSON these characters stand only inside strings, where an escape means the same. */
void nt_html_json(nt_buffer *out, const char *json, size_t n) {
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        if (json[i] != '<' && json[i] != '>' && json[i] != '&') continue;
        nt_buffer_put(out, json + good, i - good);
        nt_buffer_printf(out, "\\u%04x", (unsigned)(unsigned char)json[i]);
        good = i + 1;
    }
    nt_buffer_put(out, json + good, n - good);
}
