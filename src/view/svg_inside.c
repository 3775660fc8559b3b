/* Layers as a grid of tokens, attention as a matrix (who looks: rows; at what: columns, named along
 * the diagonal) and as arcs from the tokens that look to those that are looked at. */
#include "view/svg_inside.h"

#include <math.h>
#include <string.h>

#include "view/figure.h"
#include "view/svg.h"

enum { LABEL = 34, NAME = 104, NAME_COLUMNS = 13, ARC_ROW = 20, ARC_WIDTH = 200, ARC_NAME = 106 };
enum { LAYER_NAME = 84, LAYER_CELL = 82, LAYER_ROW = 36, LAYERS_MOST = 24, LAYER_COLUMNS = 10 };

double nt_svg_depth(double share) {
    return share > 0 ? pow(share < 1 ? share : 1, 0.6) : 0;
}

/* ---- Letters --------------------------------------------------------------------------------- */

static void put_token(nt_buffer *out, const nt_token *token, size_t columns) {
    nt_strip strip = {0};
    if (token->n_bytes > 0) {
        nt_strip_show(&strip, token->bytes, token->n_bytes, NT_SHOW_TOKEN, 0);
    } else if (token->id >= 0) {
        nt_strip_puts(&strip, "#", 0);
        nt_strip_puts(&strip, nt_figure_plain(token->id).s, 0);
    }
    if (strip.status != NT_OK)
        out->status = strip.status;
    else
        nt_svg_fit(out, &strip, 0, strip.n, columns, false);
    nt_strip_free(&strip);
}

static void put_name(nt_buffer *out, const char *classes, double x, double y, const nt_token *token,
                     size_t columns) {
    nt_svg_text_open(out, classes, x, y);
    put_token(out, token, columns);
    nt_svg_text_close(out);
}

static void put_words(nt_buffer *out, const char *classes, double x, double y, const char *words) {
    nt_svg_text_open(out, classes, x, y);
    nt_svg_escape(out, words, strlen(words));
    nt_svg_text_close(out);
}

static void put_number(nt_buffer *out, const char *name, double x) {
    nt_buffer_printf(out, " %s=\"", name);
    nt_svg_number(out, x);
    nt_buffer_putc(out, '"');
}

/* ---- The matrix ------------------------------------------------------------------------------ */

static double cell_of(nt_window shown) {
    double side = 470.0 / (double)(shown.n > 0 ? shown.n : 1);
    return fmin(30, fmax(13, side));
}

/* The names along the diagonal need room above it and behind its end. */
static double matrix_height(nt_window shown) {
    return cell_of(shown) * (double)shown.n + 70;
}
static double matrix_width(nt_window shown) {
    return NAME + cell_of(shown) * (double)shown.n + 84;
}

/* An element's place in the matrix, for scripts. */
static void put_place(nt_buffer *out, size_t t, size_t s) {
    nt_buffer_printf(out, " data-t=\"%zu\" data-s=\"%zu\"", t, s);
}

static void matrix(nt_buffer *out, const nt_result *trace, const nt_head_weights *of,
                   nt_window shown, bool skip_first, double left, double top) {
    double side = cell_of(shown), x0 = left + NAME, y0 = top + 66;
    for (size_t i = 0; i < shown.n; i++) {
        size_t t = shown.first + i;
        double y = y0 + side * (double)i;
        nt_buffer_printf(out, "<g class=\"row\" data-t=\"%zu\">", t);
        put_name(out, "mono name end", x0 - 7, y + side / 2 + 4, &trace->tokens[t], NAME_COLUMNS);
        for (size_t s = shown.first; s <= t; s++) {
            double share = nt_attention_share(trace, of, t, s, skip_first);
            nt_buffer_puts(out, isnan(share) ? "<rect class=\"none\"" : "<rect class=\"w\"");
            put_place(out, t, s);
            put_number(out, "x", x0 + side * (double)(s - shown.first) + 0.5);
            put_number(out, "y", y + 0.5);
            put_number(out, "width", side - 1);
            put_number(out, "height", side - 1);
            if (!isnan(share)) put_number(out, "fill-opacity", nt_svg_depth(share));
            nt_buffer_puts(out, "/>");
        }
        nt_buffer_puts(out, "</g>\n");
    }
    for (size_t i = 0; i < shown.n; i++) {
        double x = x0 + side * ((double)i + 0.5), y = y0 + side * (double)i - 5;
        nt_buffer_printf(out, "<g class=\"key\" data-s=\"%zu\" transform=\"translate(",
                         shown.first + i);
        nt_svg_number(out, x);
        nt_buffer_putc(out, ' ');
        nt_svg_number(out, y);
        nt_buffer_puts(out, ") rotate(-42)\">");
        put_name(out, "mono name", 0, 0, &trace->tokens[shown.first + i], 11);
        nt_buffer_puts(out, "</g>\n");
    }
}

/* ---- Arcs ------------------------------------------------------------------------------------ */

static double arcs_height(nt_window shown) {
    return ARC_ROW * (double)shown.n + 30;
}
enum { ARCS_WIDTH = 2 * ARC_NAME + ARC_WIDTH };

static void arcs(nt_buffer *out, const nt_result *trace, const nt_head_weights *of, nt_window shown,
                 bool skip_first, double left, double top) {
    double x0 = left + ARC_NAME, x1 = x0 + ARC_WIDTH, y0 = top + 34;
    put_words(out, "small end", x0 - 8, top + 12, "looks");
    put_words(out, "small", x1 + 8, top + 12, "at");
    nt_buffer_puts(out, "<g class=\"arcs\">\n");
    for (size_t i = 0; i < shown.n; i++) {
        size_t t = shown.first + i;
        for (size_t s = shown.first; s <= t; s++) {
            double share = nt_attention_share(trace, of, t, s, skip_first);
            double from = y0 + ARC_ROW * (double)i - 4;
            double to = y0 + ARC_ROW * (double)(s - shown.first) - 4;
            if (isnan(share)) continue;
            nt_buffer_puts(out, "<path class=\"arc\"");
            put_place(out, t, s);
            nt_buffer_puts(out, " d=\"M");
            nt_svg_number(out, x0);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, from);
            nt_buffer_puts(out, "C");
            nt_svg_number(out, x0 + ARC_WIDTH * 0.45);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, from);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, x1 - ARC_WIDTH * 0.45);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, to);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, x1);
            nt_buffer_putc(out, ' ');
            nt_svg_number(out, to);
            nt_buffer_putc(out, '"');
            put_number(out, "stroke-width", 0.6 + 5 * share);
            put_number(out, "stroke-opacity", 0.9 * nt_svg_depth(share));
            nt_buffer_puts(out, "/>");
        }
        nt_buffer_putc(out, '\n');
    }
    nt_buffer_puts(out, "</g>\n");
    for (size_t i = 0; i < shown.n; i++) {
        size_t t = shown.first + i;
        double y = y0 + ARC_ROW * (double)i;
        nt_buffer_printf(out, "<g class=\"row\" data-t=\"%zu\">", t);
        put_name(out, "mono name end", x0 - 8, y, &trace->tokens[t], NAME_COLUMNS);
        nt_buffer_printf(out, "</g><g class=\"key\" data-s=\"%zu\">", t);
        put_name(out, "mono name", x1 + 8, y, &trace->tokens[t], NAME_COLUMNS);
        nt_buffer_puts(out, "</g>\n");
    }
}

/* ---- Within a page --------------------------------------------------------------------------- */

static void open_svg(nt_buffer *out, double width, double height, const char *classes) {
    nt_buffer_printf(out,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nt%s%s\" role=\"img\" "
                     "xml:space=\"preserve\"",
                     classes[0] ? " " : "", classes);
    put_number(out, "width", width);
    put_number(out, "height", height);
    nt_buffer_puts(out, " viewBox=\"0 0 ");
    nt_svg_number(out, width);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, height);
    nt_buffer_puts(out, "\">\n");
}

void nt_svg_matrix(nt_buffer *out, const nt_result *trace, const nt_head_weights *of,
                   nt_window shown, bool skip_first) {
    open_svg(out, matrix_width(shown), matrix_height(shown), "matrix");
    nt_buffer_printf(out, "<title>Attention of %s as a matrix</title>\n",
                     nt_attention_name_of(of).s);
    matrix(out, trace, of, shown, skip_first, 0, 0);
    nt_buffer_puts(out, "</svg>\n");
}

void nt_svg_arcs(nt_buffer *out, const nt_result *trace, const nt_head_weights *of, nt_window shown,
                 bool skip_first) {
    open_svg(out, ARCS_WIDTH, arcs_height(shown), "curves");
    nt_buffer_printf(out, "<title>Attention of %s as arcs</title>\n", nt_attention_name_of(of).s);
    arcs(out, trace, of, shown, skip_first, 0, 0);
    nt_buffer_puts(out, "</svg>\n");
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static double layers_height(const nt_result *trace) {
    return LAYER_ROW * (double)trace->n_layers + 74;
}

static void layers(nt_buffer *out, const nt_result *trace, nt_window shown, double top) {
    double x0 = NT_SVG_MARGIN + LAYER_NAME, y0 = top + 46;
    double foot = y0 + LAYER_ROW * (double)trace->n_layers;
    put_words(out, "small", NT_SVG_MARGIN, top + 34, "reads");
    put_words(out, "small", NT_SVG_MARGIN, foot + 18, "then");
    for (size_t i = 0; i < trace->n_layers; i++)
        put_words(out, "small", NT_SVG_MARGIN, y0 + LAYER_ROW * ((double)i + 0.5) + 4,
                  nt_layer_name_of(trace->n_layers - 1 - i).s);
    for (size_t k = 0; k < shown.n; k++) {
        size_t t = shown.first + k, decided = nt_layer_decided(trace, t);
        double x = x0 + LAYER_CELL * (double)k;
        put_words(out, "small", x + 8, top + 17, nt_figure_plain((double)t).s);
        put_name(out, "mono bold", x + 8, top + 34, &trace->tokens[t], LAYER_COLUMNS - 1);
        for (size_t i = 0; i < trace->n_layers; i++) {
            size_t layer = trace->n_layers - 1 - i;
            const nt_layer_cell *cell = nt_result_layer(trace, layer, t);
            double y = y0 + LAYER_ROW * (double)i;
            if (cell->n_likeliest == 0) continue;
            const nt_layer_choice *choice = &cell->likeliest[0];
            nt_box box = {x + 1, y + 1, LAYER_CELL - 2, LAYER_ROW - 2};
            nt_svg_shade(out, "cell", box, 4, 0.62 * nt_svg_depth(choice->prob));
            if (layer == decided) nt_svg_rect(out, "taken", box, 4);
            put_name(out, "mono name", x + 8, y + 16, &choice->token, LAYER_COLUMNS);
            put_words(out, "figure", x + 8, y + 29, nt_figure_percent(choice->prob).s);
        }
        if (t + 1 < trace->n_tokens)
            put_name(out, "mono bold", x + 8, foot + 18, &trace->layer_next[t], LAYER_COLUMNS - 1);
    }
}

/* ---- The file -------------------------------------------------------------------------------- */

static const char looks[] =
    NT_SVG_LOOKS ".nt .name{font-size:11.5px}\n.nt .bold{font-size:12px;font-weight:700}\n"
                 ".nt .label{fill:#5a6478;font-size:11px;font-weight:600;letter-spacing:.09em}\n"
                 ".nt .title{font-weight:600}\n"
                 ".nt .prompt{font-size:15px}\n"
                 ".nt .small{fill:#5a6478;font-size:12px}\n"
                 ".nt .figure{fill:#3a4356;font-size:10.5px}\n"
                 ".nt .end{text-anchor:end}\n"
                 ".nt .mark{fill:#6b7589;font-weight:400}\n"
                 ".nt .cell,.nt .w{fill:#4c78ee}\n"
                 ".nt .w{stroke:#d4d9e2;stroke-width:.6}\n"
                 ".nt .none{fill:none;stroke:#d4d9e2;stroke-dasharray:2 2}\n"
                 ".nt .arc{fill:none;stroke:#2f5be0}\n"
                 ".nt .taken{fill:none;stroke:#1c43c2;stroke-width:1.6}\n"
                 "@media (prefers-color-scheme:dark){\n"
                 ".nt .page{fill:#0e1320;stroke:#2a3346}\n"
                 ".nt text{fill:#e4e9f4}\n"
                 ".nt .label,.nt .small{fill:#97a2b8}\n"
                 ".nt .figure{fill:#c6cfe0}\n"
                 ".nt .mark{fill:#7d89a1}\n"
                 ".nt .cell,.nt .w{fill:#5f8bff}\n"
                 ".nt .w,.nt .none{stroke:#2a3346}\n"
                 ".nt .arc{stroke:#8caaff}\n"
                 ".nt .taken{stroke:#9fb8ff}\n"
                 "}\n";

static void heading(nt_buffer *out, const nt_result *trace, size_t columns) {
    nt_buffer text = {0};
    nt_strip strip = {0};
    for (size_t i = 0; i < trace->n_tokens && text.n < 8 * columns; i++)
        nt_buffer_put(&text, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    if (text.n > 0) nt_strip_show(&strip, text.data, text.n, NT_SHOW_INPUT, 0);
    put_words(out, "label", NT_SVG_MARGIN, LABEL, "INSIDE THE MODEL");
    nt_svg_text_open(out, "mono prompt", NT_SVG_MARGIN, LABEL + 26);
    nt_svg_fit(out, &strip, 0, strip.n, columns, false);
    nt_svg_text_close(out);
    if (text.status != NT_OK) out->status = text.status;
    if (strip.status != NT_OK) out->status = strip.status;
    nt_strip_free(&strip);
    nt_buffer_free(&text);
}

/* A line above a drawing; " · the last 24 of 300 positions" where it does not have all. */
static double put_title(nt_buffer *out, const nt_result *trace, double y, const char *title,
                        nt_window shown, const char *more) {
    nt_buffer_puts(out, "<text class=\"title\"");
    put_number(out, "x", NT_SVG_MARGIN);
    put_number(out, "y", y + 16);
    nt_buffer_putc(out, '>');
    nt_buffer_puts(out, title);
    nt_buffer_puts(out, "</text>\n<text class=\"small\"");
    put_number(out, "x", NT_SVG_MARGIN);
    put_number(out, "y", y + 34);
    nt_buffer_putc(out, '>');
    nt_buffer_puts(out, more);
    if (shown.n < trace->n_tokens)
        nt_buffer_printf(out, " \xC2\xB7 positions %zu to %zu of %zu", shown.first,
                         shown.n > 0 ? shown.first + shown.n - 1 : shown.first, trace->n_tokens);
    nt_buffer_puts(out, "</text>\n");
    return y + 44;
}

static double draw_attention(nt_buffer *body, const nt_result *trace,
                             const nt_view_options *options, double y, double *width) {
    const nt_head_weights *of = &trace->attentions[0];
    nt_window shown = nt_inside_window(trace, options->position, NT_ATTENTION_MOST);
    char title[96] = "Attention of ";
    strcat(title, nt_attention_name_of(of).s);
    y = put_title(body, trace, y, title, shown,
                  options->skip_first ? "shares of what the first token leaves"
                                      : "rows look at columns; each row sums to 100 %");
    double left = NT_SVG_MARGIN, bottom = y + arcs_height(shown);
    if (!options->arcs) {
        matrix(body, trace, of, shown, options->skip_first, left, y - 14);
        left += matrix_width(shown);
        bottom = fmax(bottom, y - 14 + matrix_height(shown));
    }
    arcs(body, trace, of, shown, options->skip_first, left, y);
    *width = fmax(*width, left + ARCS_WIDTH + NT_SVG_MARGIN);
    return bottom;
}

int nt_svg_inside(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    nt_buffer body = {0};
    double width = NT_SVG_WIDTH, y = LABEL + 42;
    NT_TRY(nt_inside_check(trace, options->position));
    if (trace->n_layers > 0) {
        nt_window shown = nt_inside_window(trace, options->position, LAYERS_MOST);
        width = fmax(width, 2 * NT_SVG_MARGIN + LAYER_NAME + LAYER_CELL * (double)shown.n);
        y = put_title(&body, trace, y, "What each layer would say (logit lens, uncalibrated)",
                      shown, "a frame: the first layer with the final answer");
        layers(&body, trace, shown, y);
        y += layers_height(trace) + 12;
    }
    if (trace->n_attentions > 0) y = draw_attention(&body, trace, options, y, &width);
    double height = y + NT_SVG_MARGIN - 4;
    open_svg(out, width, height, "");
    nt_buffer_puts(out, "<title>Inside the model</title>\n<style>\n");
    nt_buffer_puts(out, looks);
    nt_buffer_puts(out, "</style>\n");
    nt_svg_rect(out, "page", (nt_box){0.5, 0.5, width - 1, height - 1}, 10);
    heading(out, trace, 76);
    if (body.n > 0) nt_buffer_put(out, body.data, body.n);
    nt_buffer_puts(out, "</svg>\n");
    int status = body.status == NT_OK ? out->status : body.status;
    nt_buffer_free(&body);
    return status;
}
