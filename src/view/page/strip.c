/* The strip: one step from left to right, logits to draw, whose options can be moved. The page has
 * the whole row of logits, so that what is shown after a move is computed, not guessed. */
#include <string.h>

#include "view/changes.h"
#include "view/figure.h"
#include "view/page/figures.h"
#include "view/page/put.h"

static const nt_tensor_view *tensor_of(const nt_result *trace, const char *name) {
    for (size_t i = 0; i < trace->n_tensors; i++)
        if (strcmp(trace->tensors[i].name, name) == 0) return &trace->tensors[i];
    return NULL;
}

static bool fits(const nt_result *trace) {
    return trace->kind == NT_RESULT_NEXT && trace->n_steps == 1 && tensor_of(trace, "logits");
}

/* Floats as their bytes, least significant first, in base64. */
static void put_floats(nt_buffer *out, const nt_tensor_view *tensor) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = tensor->shape[0] * sizeof(float), filled = 0;
    uint32_t group = 0;
    if (nt_buffer_room(out, n / 3 * 4 + 4) != NT_OK) return;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &tensor->data[i / sizeof bits], sizeof bits);
        group = group << 8 | (bits >> 8 * (i % sizeof bits) & 0xFF);
        if (++filled < 3 && i + 1 < n) continue;
        size_t missing = 3 - filled;
        group <<= 8 * missing;
        for (size_t d = 0; d < 4; d++)
            nt_buffer_putc(out, d < 4 - missing ? digits[group >> (18 - 6 * d) & 63] : '=');
        group = 0;
        filled = 0;
    }
}

/* The warpers' options with their values. */
static void put_options(nt_buffer *out, const nt_result *trace) {
    nt_buffer_putc(out, '{');
    for (size_t i = 0; i < trace->n_facts; i++) {
        nt_buffer_printf(out, "%s\"%s\":", i > 0 ? "," : "", trace->facts[i].key);
        nt_buffer_puts(out, nt_figure_g9(trace->facts[i].number).s);
    }
    nt_buffer_putc(out, '}');
}

static void draw(nt_page *page) {
    nt_buffer *out = page->out;
    const nt_tensor_view *processed = tensor_of(page->trace, "processed_logits");
    nt_buffer_puts(out, "<div id=\"strip\" data-options='");
    put_options(out, page->trace);
    nt_buffer_puts(out, "' data-logits=\"");
    put_floats(out, tensor_of(page->trace, "logits"));
    if (processed) {
        nt_buffer_puts(out, "\" data-processed=\"");
        put_floats(out, processed);
    }
    nt_buffer_puts(out, "\"><noscript><p class=\"words\">With scripts, temperature and its kin can "
                        "be moved here; the table below is as it was computed.</p></noscript>"
                        "</div>\n");
}

const nt_page_figure nt_figure_strip = {
    .fits = fits,
    .label = "NEXT TOKEN",
    .draw = draw,
    .style = nt_page_strip_style,
    .library = nt_page_warp,
    .script = nt_page_strip,
};
