/* Inside the model: what each layer would say, as a grid of tokens, and where heads look, as a
 * matrix beside arcs. */
#include <math.h>

#include "base/math.h"
#include "view/figure.h"
#include "view/measure.h"
#include "view/page/figures.h"
#include "view/page/put.h"
#include "view/svg_inside.h"

enum { MOST_CELLS = 12000, MOST_POSITIONS = 400, MOST_VALUES = 500000 };

static bool fits(const nt_result *trace) {
    return trace->kind == NT_RESULT_INSPECT && trace->n_tokens > 0 &&
           (trace->n_layers > 0 || trace->n_attentions > 0);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static int percent(double share) {
    return share >= 0 && share <= 1 ? (int)(100 * share + 0.5) : 0;
}

/* How dark a rank is drawn: 1 as dark as can be, 1,000 and beyond not at all. */
static double depth_of_rank(int64_t rank) {
    return rank < 1 ? 0 : fmax(0, 1 - nt_log((double)rank) / nt_log(1000));
}

static void put_cell(nt_page *page, size_t layer, size_t t, bool first) {
    nt_buffer *out = page->out;
    const nt_result *trace = page->trace;
    const nt_layer_cell *cell = nt_result_layer(trace, layer, t);
    const nt_layer_choice *top = cell->n_likeliest > 0 ? &cell->likeliest[0] : NULL;
    double most = trace->n_vocab > 1 ? nt_log((double)trace->n_vocab) : 1;
    bool decided = layer == nt_layer_decided(trace, t);
    nt_buffer_printf(out, "<td class=\"w%s%s\"", decided ? " new" : "",
                     top && top->token.id == trace->layer_next[t].id ? " hit" : "");
    nt_buffer_printf(out, " style=\"--p:%d%%;--e:%d%%;--r:%d%%\" tabindex=\"%d\">",
                     percent(nt_svg_depth(top ? top->prob : 0)), percent(1 - cell->entropy / most),
                     percent(depth_of_rank(cell->next_rank)), first ? 0 : -1);
    if (decided) nt_buffer_puts(out, "<span class=\"sr\">first with the final answer: </span>");
    if (top && top->token.n_bytes > 0)
        nt_html_token(out, top->token.bytes, top->token.n_bytes);
    else if (top)
        nt_html_name(out, &top->token);
    nt_buffer_printf(out, "<small>%s</small></td>", nt_figure_percent(top ? top->prob : 0).s);
}

static void put_head(nt_page *page, nt_window shown) {
    nt_buffer *out = page->out;
    nt_buffer_puts(out, "<thead><tr><th scope=\"row\">reads</th>");
    for (size_t t = shown.first; t < shown.first + shown.n; t++) {
        nt_buffer_printf(out, "<th scope=\"col\" data-t=\"%zu\"><small>%zu</small><span>", t, t);
        nt_html_name(out, &page->trace->tokens[t]);
        nt_buffer_puts(out, "</span></th>");
    }
    nt_buffer_puts(out, "</tr></thead>\n");
}

static void put_foot(nt_page *page, nt_window shown) {
    nt_buffer *out = page->out;
    nt_buffer_puts(out, "<tfoot><tr><th scope=\"row\">then</th>");
    for (size_t t = shown.first; t < shown.first + shown.n; t++) {
        nt_buffer_puts(out, "<td>");
        if (t + 1 < page->trace->n_tokens)
            nt_html_name(out, &page->trace->layer_next[t]);
        else
            nt_buffer_puts(out, "<span class=\"mark\">the end</span>");
        nt_buffer_puts(out, "</td>");
    }
    nt_buffer_puts(out, "</tr></tfoot>\n");
}

static void put_tools(nt_buffer *out) {
    static const char *const modes[][2] = {
        {"p", "probability"}, {"e", "certainty"}, {"r", "rank of what comes next"}};
    nt_buffer_puts(out, "<div class=\"tools\" hidden><span role=\"group\" aria-label=\"Cells are "
                        "shaded by\">");
    for (size_t i = 0; i < 3; i++)
        nt_buffer_printf(
            out, "<button type=\"button\" data-shade=\"%s\" aria-pressed=\"%s\">%s</button>",
            modes[i][0], i == 0 ? "true" : "false", modes[i][1]);
    nt_buffer_puts(out, "</span></div>\n");
}

static void put_window(nt_buffer *out, const nt_result *trace, nt_window shown) {
    if (shown.n < trace->n_tokens)
        nt_buffer_printf(out,
                         " Positions %zu to %zu of %zu are drawn; <code>--position N</code> draws "
                         "those up to N.",
                         shown.first, shown.first + shown.n - 1, trace->n_tokens);
}

static void put_layers(nt_page *page) {
    nt_buffer *out = page->out;
    const nt_result *trace = page->trace;
    size_t most = MOST_CELLS / trace->n_layers;
    most = most < 1 ? 1 : most > MOST_POSITIONS ? MOST_POSITIONS : most;
    nt_window shown = nt_inside_window(trace, page->options->position, most);
    nt_buffer_puts(out, "<section class=\"layers\" data-shade=\"p\"");
    nt_buffer_printf(out,
                     " data-first=\"%zu\" data-unit=\"%s\">\n<h2>What each layer would say</h2>\n",
                     shown.first, nt_measure_of(page->options->bits).name);
    put_tools(out);
    nt_buffer_puts(out, "<div class=\"scroll grid\">\n<table aria-label=\"The likeliest next token "
                        "by layer and position\">\n");
    put_head(page, shown);
    nt_buffer_puts(out, "<tbody>\n");
    for (size_t layer = trace->n_layers; layer-- > 0;) {
        nt_buffer_printf(out, "<tr data-layer=\"%zu\"><th scope=\"row\">%s</th>", layer,
                         nt_layer_name_of(layer).s);
        for (size_t t = shown.first; t < shown.first + shown.n; t++)
            put_cell(page, layer, t, layer + 1 == trace->n_layers && t == shown.first);
        nt_buffer_puts(out, "</tr>\n");
    }
    nt_buffer_puts(out, "</tbody>\n");
    put_foot(page, shown);
    nt_buffer_puts(
        out, "</table>\n</div>\n<p class=\"words\"><span class=\"key new\">&#9656;</span> the "
             "first layer with the final answer &#183; <span class=\"key hit\">framed</span> "
             "what then comes &#183; <span class=\"key ramp\" aria-hidden=\"true\"></span> "
             "the stronger the shade, the surer (by rank: the nearer to 1 what then comes).</p>\n"
             "<p class=\"words\">Each cell is what the model would say if the layer were its "
             "last: its final norm and head, read at that depth (logit lens, nostalgebraist "
             "2020). They were trained for the last layer, so early ones are uncalibrated; "
             "the top row is the model&#8217;s own output.");
    put_window(out, trace, shown);
    nt_buffer_puts(out, "<span class=\"help\" hidden> Point at a cell, or go through them with the "
                        "arrow keys, for all its candidates.</span></p>\n</section>\n");
}

/* ---- Attention ------------------------------------------------------------------------------- */

/* Five decimals: more than a tip shows. */
static void put_weight(nt_buffer *out, double weight) {
    nt_buffer_puts(out, nt_figure_g9(nearbyint(1e5 * weight) / 1e5).s);
}

/* Every head's weights of what is drawn: rows that end at the diagonal, the first token's weight in
 * front. */
static void put_heads(nt_page *page, nt_window shown) {
    nt_buffer *out = page->out;
    const nt_result *trace = page->trace;
    nt_buffer_puts(out, "<script type=\"application/json\" class=\"heads\">[");
    for (size_t i = 0; i < trace->n_attentions; i++) {
        const nt_head_weights *of = &trace->attentions[i];
        nt_buffer_puts(out, i > 0 ? ",\n[" : "\n[");
        for (size_t t = shown.first; t < shown.first + shown.n; t++) {
            nt_buffer_puts(out, t > shown.first ? ",[" : "[");
            /* the first token's, whether or not it is drawn: what it leaves is shared by others */
            put_weight(out, of->weights[t * trace->n_tokens]);
            for (size_t s = shown.first; s <= t; s++) {
                nt_buffer_putc(out, ',');
                put_weight(out, of->weights[t * trace->n_tokens + s]);
            }
            nt_buffer_putc(out, ']');
        }
        nt_buffer_putc(out, ']');
    }
    nt_buffer_puts(out, "]</script>\n");
}

static void put_attention(nt_page *page) {
    nt_buffer *out = page->out;
    const nt_result *trace = page->trace;
    nt_window shown = nt_inside_window(trace, page->options->position, NT_ATTENTION_MOST);
    const nt_head_weights *of = &trace->attentions[0];
    bool skip = page->options->skip_first;
    size_t n_values = trace->n_attentions * shown.n * (shown.n + 1) / 2;
    bool all = n_values <= MOST_VALUES;
    nt_buffer_printf(
        out, "<section class=\"attention\" data-first=\"%zu\">\n<h2>Where attention goes</h2>\n",
        shown.first);
    nt_buffer_puts(out, "<p class=\"words which\" aria-live=\"polite\">");
    nt_html_puts(out, nt_attention_name_of(of).s);
    nt_buffer_puts(out, "</p>\n<div class=\"tools\" hidden>");
    if (trace->n_attentions > 1 && all) {
        nt_buffer_puts(out, "<span role=\"group\" aria-label=\"Which head\">");
        for (size_t i = 0; i < trace->n_attentions; i++) {
            nt_buffer_printf(out, "<button type=\"button\" data-head=\"%zu\" aria-pressed=\"%s\">",
                             i, i == 0 ? "true" : "false");
            if (i == 0)
                nt_buffer_puts(out, "mean");
            else
                nt_buffer_printf(out, "%d", (int)trace->attentions[i].head);
            nt_buffer_puts(out, "</button>");
        }
        nt_buffer_puts(out, "</span>");
    }
    nt_buffer_printf(out,
                     "<label><input type=\"checkbox\" class=\"skip\"%s> without the first "
                     "token</label></div>\n",
                     skip ? " checked" : "");
    nt_buffer_puts(out, "<div class=\"pair\"><div class=\"scroll\">");
    nt_svg_matrix(out, trace, of, shown, skip);
    nt_buffer_puts(out, "</div><div class=\"scroll\">");
    nt_svg_arcs(out, trace, of, shown, skip);
    nt_buffer_puts(out,
                   "</div></div>\n<p class=\"words\">A row is a token that looks, a column what it "
                   "looks at: itself and those before it; each row sums to 100&#8239;%. Heads that "
                   "find nothing to look for rest on the first token; without it, cells are shares "
                   "of what it leaves.");
    put_window(out, trace, shown);
    nt_buffer_puts(out,
                   "<span class=\"help\" hidden> Point at a cell or a token, or go through the "
                   "tokens with the arrow keys, to see one row or column alone.</span></p>\n");
    if (all) put_heads(page, shown);
    nt_buffer_puts(out, "</section>\n");
}

static void draw(nt_page *page) {
    nt_buffer_puts(page->out, "<div class=\"inside\">\n");
    int status = nt_inside_check(page->trace, page->options->position);
    if (status != NT_OK) page->out->status = status;
    if (page->trace->n_layers > 0) put_layers(page);
    if (page->trace->n_attentions > 0) put_attention(page);
    nt_buffer_puts(page->out, "</div>\n");
}

const nt_page_figure nt_figure_inside = {
    .fits = fits,
    .label = "INSIDE THE MODEL",
    .draw = draw,
    .style = nt_page_inside_style,
    .script = nt_page_inside,
};
