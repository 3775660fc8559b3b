/* One text seen by two: the text itself, each token on a ground that says how much likelier or less
 * likely b makes it. */
#include <math.h>

#include "base/math.h"
#include "view/figure.h"
#include "view/measure.h"
#include "view/page/figures.h"
#include "view/page/put.h"

enum { MOST_TOKENS = 10000 }; /* a page with more of them would keep a browser busy */

static bool fits(const nt_result *trace) {
    return trace->kind == NT_RESULT_VERSUS && trace->n_tokens > 0;
}

/* "up 1" to "down 3" by what changes in nats; "out" where it is left out of the sums. */
static void put_class(nt_buffer *out, const nt_versus_token *v) {
    double change = v->logprob[1] - v->logprob[0], size = fabs(change);
    int class = size >= 1.5 ? 3 : size >= 0.5 ? 2 : size >= 0.1 ? 1 : 0;
    if (!v->counted || isnan(change))
        nt_buffer_puts(out, "v left");
    else if (class == 0)
        nt_buffer_puts(out, "v");
    else
        nt_buffer_printf(out, "v %s%d", change < 0 ? "down" : "up", class);
}

static void tip_line(nt_buffer *out, const char *name, nt_figure a, nt_figure b) {
    nt_buffer_printf(out, "\n%s\t%s\t%s", name, a.s, b.s);
}

static void put_tip(nt_page *page, size_t i) {
    nt_buffer *out = page->out;
    const nt_versus_token *v = &page->trace->versus[i];
    nt_measure in = nt_measure_of(page->options->bits);
    nt_html_name(out, &page->trace->tokens[i]);
    if (isnan(v->logprob[0])) {
        nt_buffer_puts(out, "\nno number: nothing stands before the first token");
        return;
    }
    nt_buffer_puts(out, "\n\ta\tb");
    tip_line(out, "probability", nt_figure_percent(nt_exp(v->logprob[0])),
             nt_figure_percent(nt_exp(v->logprob[1])));
    tip_line(out, "surprisal", nt_figure_fixed(nt_surprisal(in, v->logprob[0]), 3),
             nt_figure_fixed(nt_surprisal(in, v->logprob[1]), 3));
    tip_line(out, "rank", nt_figure_count((uint64_t)v->rank[0]),
             nt_figure_count((uint64_t)v->rank[1]));
    tip_line(out, "entropy", nt_figure_fixed(in.scale * v->entropy[0], 3),
             nt_figure_fixed(in.scale * v->entropy[1], 3));
    tip_line(out, "KL from here", nt_figure_fixed(in.scale * v->divergence[0], 4),
             nt_figure_fixed(in.scale * v->divergence[1], 4));
    nt_buffer_puts(out, "\nlikeliest");
    for (size_t s = 0; s < 2; s++) {
        nt_buffer_putc(out, '\t');
        nt_html_name(out, &v->likeliest[s]);
        nt_buffer_printf(out, " %s", nt_figure_percent(v->likeliest_prob[s]).s);
    }
}

static void put_token(nt_page *page, size_t i) {
    nt_buffer *out = page->out;
    const nt_token *token = &page->trace->tokens[i];
    nt_buffer_puts(out, "<span class=\"");
    put_class(out, &page->trace->versus[i]);
    nt_buffer_puts(out, "\" tabindex=\"0\" data-tip=\"");
    put_tip(page, i);
    nt_buffer_puts(out, "\">");
    nt_html_token(out, token->bytes, token->n_bytes);
    nt_buffer_puts(out, "</span>");
    for (size_t b = 0; b < token->n_bytes; b++)
        if (token->bytes[b] == '\n') nt_buffer_puts(out, "<br>");
}

static void put_legend(nt_buffer *out, const nt_versus_totals *totals) {
    static const char *const steps[] = {"v down3", "v down2", "v down1", "v",
                                        "v up1",   "v up2",   "v up3"};
    nt_buffer_puts(out, "<p class=\"words key\"><b>a</b> ");
    nt_html_puts(out, totals->label[0]);
    nt_buffer_puts(out, " \xC2\xB7 <b>b</b> ");
    nt_html_puts(out, totals->label[1]);
    nt_buffer_puts(out, "</p>\n<p class=\"words key\">less likely for b ");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        nt_buffer_printf(out,
                         "<span class=\"%s\" aria-hidden=\"true\">\xC2\xA0\xC2\xA0\xC2\xA0</span>",
                         steps[i]);
    nt_buffer_puts(out, " more likely (by 0.1, 0.5, 1.5 nats)</p>\n");
}

static void draw(nt_page *page) {
    const nt_result *trace = page->trace;
    size_t n = trace->n_tokens < MOST_TOKENS ? trace->n_tokens : MOST_TOKENS;
    put_legend(page->out, &trace->versus_totals);
    nt_buffer_puts(page->out, "<p class=\"versus\">");
    for (size_t i = 0; i < n; i++)
        put_token(page, i);
    nt_buffer_puts(page->out, "</p>\n");
    if (n < trace->n_tokens)
        nt_buffer_printf(page->out, "<p class=\"words\">the first %s of %s tokens</p>\n",
                         nt_figure_count(n).s, nt_figure_count(trace->n_tokens).s);
}

const nt_page_figure nt_figure_versus = {
    .fits = fits,
    .label = "TWO COMPARED",
    .draw = draw,
    .style = nt_page_versus_style,
    .shows_text = true,
};
