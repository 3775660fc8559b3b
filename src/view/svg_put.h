/* Writing SVG, element by element. Whatever the text holds, what comes out is well-formed XML:
 * marks of XML are escaped, and what XML cannot hold is U+FFFD. Lengths are pixels. */
#ifndef NT_VIEW_SVG_PUT_H
#define NT_VIEW_SVG_PUT_H

#include "base/buffer.h"
#include "view/strip.h"

/* Rules of a stylesheet that every picture begins with. */
#define NT_SVG_LOOKS                                                                               \
    ".nt .page{fill:#fff;stroke:#d4d9e2}\n"                                                        \
    ".nt text{fill:#1c2333;font:13px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica "     \
    "Neue\",\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif;font-variant-numeric:tabular-nums;" \
    "white-space:pre}\n"                                                                           \
    ".nt .mono{font-family:ui-monospace,SFMono-Regular,\"SF Mono\",Menlo,Consolas,\"DejaVu Sans "  \
    "Mono\",\"Liberation Mono\",monospace}\n"

typedef struct nt_box {
    double x, y, width, height;
} nt_box;

/* At most two decimals, with a point in every locale. */
void nt_svg_number(nt_buffer *out, double x);
/* bytes [n] as character data. */
void nt_svg_escape(nt_buffer *out, const char *bytes, size_t n);
/* Class names are the program's own words. */
void nt_svg_rect(nt_buffer *out, const char *classes, nt_box box, double radius);
/* The same, as far opaque as `share` says. */
void nt_svg_shade(nt_buffer *out, const char *classes, nt_box box, double radius, double share);
/* Text from x on, or up to x where class "end" is among them; y is the baseline. */
void nt_svg_text_open(nt_buffer *out, const char *classes, double x, double y);
void nt_svg_text_close(nt_buffer *out);
/* Glyphs [first, first + n) with their styles, for a text that is open. */
void nt_svg_glyphs(nt_buffer *out, const nt_strip *strip, size_t first, size_t n);
/* The same, cut to `columns` with a mark. */
void nt_svg_fit(nt_buffer *out, const nt_strip *strip, size_t first, size_t n, size_t columns,
                bool cut_left);
/* The same without styles, as character data. */
void nt_svg_plain(nt_buffer *out, const nt_strip *strip, size_t first, size_t n);

#endif
