/* Lines over a text: one drawing for its tokens, one for its words. A long text is drawn in columns
 * of several tokens each: their mean, within a band from the least to the most of them. */
#include "view/svg_line.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "view/figure.h"
#include "view/heat.h"
#include "view/svg.h"

enum { LEFT = 60, HEIGHT = 190, TITLE = 30, GAP = 26, MOST_COLUMNS = 340, MOST_PEAKS = 6 };
enum { LABEL_STEP = 15, LABEL_COLUMNS = 14, NUMBER_ROOM = 24, DOTS = 80 };
static const double WIDTH = NT_SVG_WIDTH - LEFT - NT_SVG_MARGIN, ADVANCE = 6.7;

typedef struct point {
    double y[2]; /* surprisal; entropy of tokens, corrected surprisal of words. NaN: none */
    const char *bytes;
    size_t n_bytes;
    size_t part; /* bytes of the character that it is a part of; 0: of none */
    int32_t id;
    bool counted;
} point;

typedef struct chart {
    nt_buffer *out, *told;
    const char *title, *names[2], *what; /* "SURPRISAL BY TOKEN"; of the lines; "tokens" */
    nt_measure in;
    const point *points; /* [n] */
    size_t n, per;       /* points of a column */
    double top, most;    /* of the plot: its upper edge, the value there */
    double mean;         /* of what counts; NaN: nothing does */
    double prompt_end;   /* x where what is counted begins */
} chart;

/* ---- Values ---------------------------------------------------------------------------------- */

static double x_of(const chart *c, double i) {
    return LEFT + WIDTH * i / (double)c->n;
}

static double y_of(const chart *c, double value) {
    return c->top + HEIGHT * (1 - fmin(value, c->most) / c->most);
}

/* Least, mean and most of the finite values of column j; false when there are none. */
static bool column(const chart *c, size_t j, int line, double range[3]) {
    double sum = 0, least = INFINITY, most = -INFINITY;
    size_t n = 0;
    for (size_t i = j * c->per; i < (j + 1) * c->per && i < c->n; i++) {
        double y = c->points[i].y[line];
        if (!isfinite(y)) continue;
        least = fmin(least, y);
        most = fmax(most, y);
        sum += y;
        n++;
    }
    range[0] = least;
    range[1] = n ? sum / (double)n : 0;
    range[2] = most;
    return n > 0;
}

static size_t n_columns(const chart *c) {
    return (c->n + c->per - 1) / c->per;
}

static double column_x(const chart *c, size_t j) {
    double end = fmin((double)((j + 1) * c->per), (double)c->n);
    return x_of(c, ((double)(j * c->per) + end) / 2);
}

/* A round number that at most six steps of reach it. */
static double step_of(double most) {
    static const double round[] = {1, 2, 5, 10};
    double ten = 0.1;
    while (ten * 60 < most)
        ten *= 10;
    for (int i = 0; i < 4; i++)
        if (ten * round[i] * 6 >= most) return ten * round[i];
    return ten * 10;
}

static void measure(chart *c) {
    double most = 0, sum = 0;
    size_t n = 0, first = c->n;
    for (size_t i = 0; i < c->n; i++) {
        const point *p = &c->points[i];
        for (int line = 0; line < 2; line++)
            if (isfinite(p->y[line])) most = fmax(most, p->y[line]);
        if (p->counted && i < first) first = i;
        if (!p->counted || isnan(p->y[0])) continue;
        sum += p->y[0];
        n++;
    }
    double step = step_of(most);
    c->most = fmax(step * ceil(most / step), step);
    c->mean = n ? sum / (double)n : NAN;
    c->prompt_end = first < c->n && first > 1 ? x_of(c, (double)first) : LEFT;
    c->per = (c->n + MOST_COLUMNS - 1) / MOST_COLUMNS;
    if (c->per == 0) c->per = 1;
}

/* ---- Letters --------------------------------------------------------------------------------- */

static void put_text(chart *c, const char *classes, double x, double y, const char *text) {
    nt_svg_text_open(c->out, classes, x, y);
    nt_svg_escape(c->out, text, strlen(text));
    nt_svg_text_close(c->out);
}

static void show_name(nt_strip *strip, const point *p) {
    if (p->n_bytes > 0) {
        nt_strip_show(strip, p->bytes, p->n_bytes, NT_SHOW_TOKEN, 0);
    } else {
        nt_strip_puts(strip, "#", 0);
        nt_strip_puts(strip, nt_figure_plain(p->id).s, 0);
    }
}

/* A value with the unit's one decimal. */
static nt_figure value_of(double y) {
    return isinf(y) ? (nt_figure){"\xE2\x88\x9E"} : nt_figure_fixed(y, 1);
}

/* ---- The plot -------------------------------------------------------------------------------- */

static void put_grid(chart *c) {
    double step = step_of(c->most);
    for (double y = 0; y <= c->most + step / 2; y += step) {
        double at = y_of(c, y);
        nt_svg_rect(c->out, y > 0 ? "grid" : "axis", (nt_box){LEFT, at - 0.5, WIDTH, 1}, 0);
        put_text(c, "tick end", LEFT - 8, at + 4, nt_figure_fixed(y, step < 1 ? 1 : 0).s);
    }
    nt_buffer_printf(c->out, "<g transform=\"translate(%d ", NT_SVG_MARGIN - 4);
    nt_svg_number(c->out, c->top + HEIGHT / 2.0);
    nt_buffer_puts(c->out, ") rotate(-90)\">");
    put_text(c, "tick middle", 0, 0, c->in.name);
    nt_buffer_puts(c->out, "</g>\n");
    if (c->prompt_end <= LEFT) return;
    nt_svg_rect(c->out, "prompt-part", (nt_box){LEFT, c->top, c->prompt_end - LEFT, HEIGHT}, 0);
    if (c->prompt_end - LEFT > 130)
        put_text(c, "tick", LEFT + 6, c->top + 14, "prompt, not counted");
}

static void put_pair(nt_buffer *out, char command, double x, double y) {
    nt_buffer_putc(out, command);
    nt_svg_number(out, x);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, y);
}

/* Where a line breaks off, it takes up again behind what has no number. */
static void put_line(chart *c, int line) {
    double range[3];
    bool down = false;
    nt_buffer_printf(c->out, "<path class=\"line-%c\" d=\"", 'a' + line);
    for (size_t j = 0; j < n_columns(c); j++) {
        bool has = column(c, j, line, range);
        if (has) put_pair(c->out, down ? 'L' : 'M', column_x(c, j), y_of(c, range[1]));
        down = has;
    }
    nt_buffer_puts(c->out, "\"/>\n");
    if (c->n > DOTS) return;
    for (size_t j = 0; j < n_columns(c); j++) {
        if (!column(c, j, line, range)) continue;
        nt_buffer_printf(c->out, "<circle class=\"dot-%c\" r=\"%s\" cx=\"", 'a' + line,
                         line ? "1.6" : "2.4");
        nt_svg_number(c->out, column_x(c, j));
        nt_buffer_puts(c->out, "\" cy=\"");
        nt_svg_number(c->out, y_of(c, range[1]));
        nt_buffer_puts(c->out, "\"/>");
    }
    nt_buffer_putc(c->out, '\n');
}

static void put_band(chart *c) {
    double range[3];
    if (c->per == 1) return;
    nt_buffer_puts(c->out, "<path class=\"band\" d=\"");
    for (size_t j = 0; j < n_columns(c); j++) {
        if (!column(c, j, 0, range)) continue;
        double x = x_of(c, (double)(j * c->per));
        double end = x_of(c, fmin((double)((j + 1) * c->per), (double)c->n));
        put_pair(c->out, 'M', x, y_of(c, range[2]));
        put_pair(c->out, 'L', end, y_of(c, range[2]));
        put_pair(c->out, 'L', end, y_of(c, range[0]) + 0.5);
        put_pair(c->out, 'L', x, y_of(c, range[0]) + 0.5);
        nt_buffer_putc(c->out, 'Z');
    }
    nt_buffer_puts(c->out, "\"/>\n");
}

static void put_mean(chart *c) {
    if (!isfinite(c->mean)) return;
    double y = y_of(c, c->mean);
    nt_buffer_puts(c->out, "<path class=\"mean\" d=\"");
    put_pair(c->out, 'M', c->prompt_end, y);
    put_pair(c->out, 'L', LEFT + WIDTH, y);
    nt_buffer_puts(c->out, "\"/>\n");
}

/* Under the plot: the tokens where they have room, else their numbers. Returns the room taken. */
static double put_labels(chart *c) {
    double y = c->top + HEIGHT + 14, widest = 0;
    if (c->n > 0 && WIDTH / (double)c->n >= LABEL_STEP) {
        for (size_t i = 0; i < c->n; i++) {
            nt_strip strip = {0};
            show_name(&strip, &c->points[i]);
            double columns = (double)nt_strip_width(&strip, 0, strip.n);
            widest = fmax(widest, fmin(columns, LABEL_COLUMNS));
            nt_buffer_puts(c->out, "<g transform=\"translate(");
            nt_svg_number(c->out, x_of(c, (double)i + 0.5) + 4);
            nt_buffer_putc(c->out, ' ');
            nt_svg_number(c->out, y);
            nt_buffer_puts(c->out, ") rotate(-50)\">");
            nt_svg_text_open(
                c->out, c->points[i].counted ? "mono label-x end" : "mono label-x dim end", 0, 0);
            nt_svg_fit(c->out, &strip, 0, strip.n, LABEL_COLUMNS, false);
            nt_svg_text_close(c->out);
            nt_buffer_puts(c->out, "</g>\n");
            if (strip.status != NT_OK) c->out->status = strip.status;
            nt_strip_free(&strip);
        }
        return 22 + 0.77 * ADVANCE * widest;
    }
    double step = step_of((double)c->n);
    for (double i = 0; i < (double)c->n; i += fmax(step, 1))
        put_text(c, "tick middle", x_of(c, i + 0.5), y + 3, nt_figure_count((uint64_t)i).s);
    return NUMBER_ROOM;
}

/* ---- Peaks ----------------------------------------------------------------------------------- */

typedef struct span {
    double from, to;
} span;

static double label_width(const chart *c, const point *p, bool named) {
    nt_strip strip = {0};
    double columns = (double)strlen(value_of(p->y[0]).s);
    if (named) {
        show_name(&strip, p);
        columns += 1 + fmin((double)nt_strip_width(&strip, 0, strip.n), LABEL_COLUMNS);
    }
    if (strip.status != NT_OK) c->out->status = strip.status;
    nt_strip_free(&strip);
    return columns * ADVANCE + 8;
}

/* Where the label of point i goes; false where others stand in its way. */
static bool place(span *out, const chart *c, size_t i, bool named, const span *taken, size_t n) {
    double width = label_width(c, &c->points[i], named), middle = x_of(c, (double)i + 0.5);
    double from = fmax(LEFT, fmin(middle - width / 2, LEFT + WIDTH - width));
    *out = (span){from, from + width};
    for (size_t k = 0; k < n; k++)
        if (out->from < taken[k].to && out->to > taken[k].from) return false;
    return true;
}

static void put_peak(chart *c, size_t i, bool named, span at) {
    const point *p = &c->points[i];
    double y = y_of(c, p->y[0]) - 8;
    nt_strip strip = {0};
    nt_svg_text_open(c->out, "mono peak middle", (at.from + at.to) / 2, y);
    if (named) {
        show_name(&strip, p);
        nt_svg_fit(c->out, &strip, 0, strip.n, LABEL_COLUMNS, false);
        nt_buffer_putc(c->out, ' ');
    }
    nt_buffer_puts(c->out, value_of(p->y[0]).s);
    nt_svg_text_close(c->out);
    if (strip.status != NT_OK) c->out->status = strip.status;
    nt_strip_free(&strip);
}

/* The same in words. */
static void tell_peak(chart *c, size_t i) {
    const point *p = &c->points[i];
    nt_strip strip = {0};
    show_name(&strip, p);
    nt_svg_plain(c->told, &strip, 0, strip.n);
    nt_buffer_printf(c->told, " %s (%s %s)\n", value_of(p->y[0]).s, c->what, nt_figure_count(i).s);
    if (strip.status != NT_OK) c->out->status = strip.status;
    nt_strip_free(&strip);
}

/* The most surprising, each well above the mean, and none over another's label. */
static void put_peaks(chart *c) {
    span taken[MOST_PEAKS];
    size_t n = 0;
    bool named = WIDTH / (double)c->n < LABEL_STEP;
    double below = INFINITY;
    bool any_infinite = isinf(c->mean);
    for (size_t tries = 0; n < MOST_PEAKS && tries < 4 * MOST_PEAKS; tries++) {
        size_t best = c->n;
        for (size_t i = 0; i < c->n; i++) {
            double y = c->points[i].y[0];
            bool first = tries == 0 || y < below;
            if (!first || !c->points[i].counted || isnan(y)) continue;
            if (!any_infinite && y < 1.25 * c->mean) continue;
            if (best == c->n || y > c->points[best].y[0]) best = i;
        }
        if (best == c->n) return;
        below = c->points[best].y[0];
        if (!place(&taken[n], c, best, named, taken, n)) continue;
        put_peak(c, best, named, taken[n++]);
        tell_peak(c, best);
    }
}

/* What has no probability at all stands above the plot's edge. */
static void put_infinite(chart *c) {
    for (size_t i = 0; i < c->n; i++) {
        if (!isinf(c->points[i].y[0])) continue;
        double x = x_of(c, (double)i + 0.5);
        nt_buffer_puts(c->out, "<path class=\"endless\" d=\"");
        put_pair(c->out, 'M', x, c->top - 7);
        put_pair(c->out, 'L', x + 5, c->top + 2);
        put_pair(c->out, 'L', x - 5, c->top + 2);
        nt_buffer_puts(c->out, "Z\"/>\n");
    }
}

/* ---- A drawing ------------------------------------------------------------------------------- */

static double put_key(chart *c, double x, double y, const char *line, const char *name) {
    x -= (double)strlen(name) * ADVANCE;
    put_text(c, "tick", x, y, name);
    nt_buffer_printf(c->out, "<path class=\"%s\" d=\"", line);
    put_pair(c->out, 'M', x - 28, y - 4);
    put_pair(c->out, 'L', x - 6, y - 4);
    nt_buffer_puts(c->out, "\"/>\n");
    return x - 44;
}

static void put_keys(chart *c, double y) {
    double x = LEFT + WIDTH;
    char mean[96] = "mean ";
    strcat(mean, nt_figure_fixed(c->mean, 2).s);
    if (isfinite(c->mean)) x = put_key(c, x, y, "mean", mean);
    x = put_key(c, x, y, "line-b", c->names[1]);
    put_key(c, x, y, "line-a", c->names[0]);
}

static void tell(chart *c) {
    nt_buffer_printf(c->told, "%s in %s over %s %s.", c->names[0], c->in.name,
                     nt_figure_count(c->n).s, c->what);
    if (isfinite(c->mean)) nt_buffer_printf(c->told, " Mean %s.", nt_figure_fixed(c->mean, 2).s);
    nt_buffer_puts(c->told, " The largest:\n");
}

/* Draws from y on; where it ends. */
static double draw(chart *c, double y) {
    bool any = false;
    measure(c);
    for (size_t i = 0; i < c->n && !any; i++)
        any = !isnan(c->points[i].y[0]);
    put_text(c, "title", NT_SVG_MARGIN, y + 14, c->title);
    c->top = y + TITLE + 16;
    if (!any) {
        put_text(c, "tick", NT_SVG_MARGIN, y + 40,
                 "No numbers: nothing stands before the first token.");
        nt_buffer_puts(c->told, "No numbers: nothing stands before the first token.\n");
        return y + 50;
    }
    tell(c);
    put_keys(c, y + 14);
    put_grid(c);
    put_band(c);
    put_line(c, 1);
    put_mean(c);
    put_line(c, 0);
    put_infinite(c);
    put_peaks(c);
    double end = c->top + HEIGHT + put_labels(c);
    if (c->per == 1) return end;
    char text[128] = "each point is the mean of ";
    strcat(text, nt_figure_count(c->per).s);
    strcat(text, " ");
    strcat(text, c->what);
    strcat(text, "; the band goes from the least to the most surprising of them");
    put_text(c, "tick", LEFT, end + 14, text);
    return end + 20;
}

/* Tokens that are parts of one character are named by it: n_bytes is where it stands in names. */
static void name_parts(nt_buffer *names, point *points, const nt_result *trace, size_t n) {
    if (n == 0) return;
    for (nt_heat_piece piece = {0}; nt_heat_next(&piece, trace, false);) {
        size_t at = names->n;
        if (piece.n == 1) continue;
        nt_heat_bytes(names, trace, &piece);
        for (size_t i = piece.first; i < piece.first + piece.n; i++) {
            points[i].n_bytes = at;
            points[i].part = names->n - at;
        }
    }
}

static double draw_tokens(nt_buffer *out, nt_buffer *told, const nt_result *trace, nt_measure in,
                          double y) {
    size_t n = trace->scored ? trace->n_tokens : 0;
    point *points = nt_alloc(n ? n : 1, sizeof *points);
    if (!points) {
        out->status = NT_E_MEMORY;
        return y;
    }
    nt_buffer names = {0};
    name_parts(&names, points, trace, n);
    for (size_t i = 0; i < n; i++) {
        const nt_scored *s = &trace->scored[i];
        size_t at = points[i].n_bytes, part = points[i].part;
        points[i] = (point){.y = {nt_surprisal(in, s->logprob), in.scale * s->entropy},
                            .bytes = trace->tokens[i].bytes,
                            .n_bytes = trace->tokens[i].n_bytes,
                            .id = trace->tokens[i].id,
                            .counted = s->counted};
        if (part == 0 || names.status != NT_OK) continue;
        points[i].bytes = names.data + at;
        points[i].n_bytes = part;
    }
    chart c = {.out = out, .told = told, .in = in, .points = points, .n = n};
    c.title = "By token";
    c.what = "tokens";
    c.names[0] = "surprisal";
    c.names[1] = "entropy";
    y = draw(&c, y);
    if (names.status != NT_OK) out->status = names.status;
    nt_buffer_free(&names);
    nt_free(points);
    return y;
}

static double draw_words(nt_buffer *out, nt_buffer *told, const nt_result *trace, nt_measure in,
                         double y) {
    size_t n = trace->n_words;
    point *points = nt_alloc(n ? n : 1, sizeof *points);
    if (!points) {
        out->status = NT_E_MEMORY;
        return y;
    }
    for (size_t i = 0; i < n; i++) {
        const nt_unit *w = &trace->words[i];
        points[i] = (point){.y = {nt_surprisal(in, w->logprob), nt_surprisal(in, w->corrected)},
                            .bytes = w->bytes,
                            .n_bytes = w->n_bytes,
                            .counted = w->counted};
    }
    chart c = {.out = out, .told = told, .in = in, .points = points, .n = n};
    c.title = "By word";
    c.what = "words";
    c.names[0] = "surprisal";
    c.names[1] = "corrected";
    y = draw(&c, y);
    nt_free(points);
    return y;
}

static double draw_all(nt_buffer *out, nt_buffer *told, const nt_result *trace, nt_measure in,
                       double y) {
    unsigned by = nt_shown_by(trace);
    bool words = by & NT_BY_WORD && trace->n_words > 0;
    if (by & NT_BY_TOKEN || !words) y = draw_tokens(out, told, trace, in, y);
    if (by & NT_BY_TOKEN && words) y += GAP;
    return words ? draw_words(out, told, trace, in, y) : y;
}

/* ---- The element ----------------------------------------------------------------------------- */

static const char looks[] = NT_SVG_LOOKS
    ".nt .label{fill:#5a6478;font-size:11px;font-weight:600;letter-spacing:.09em}\n"
    ".nt .prompt{font-size:15px}\n"
    ".nt .title{font-size:13px;font-weight:600}\n"
    ".nt .tick{fill:#5a6478;font-size:11.5px}\n"
    ".nt .label-x{font-size:11px}\n"
    ".nt .label-x.dim{fill:#5a6478}\n"
    ".nt "
    ".peak{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}\n"
    ".nt .end{text-anchor:end}\n"
    ".nt .middle{text-anchor:middle}\n"
    ".nt .mark{fill:#6b7589}\n"
    ".nt .grid{fill:#e6e9ef}\n"
    ".nt .axis{fill:#8b95a7}\n"
    ".nt .prompt-part{fill:#5a6478;fill-opacity:.09}\n"
    ".nt path{fill:none;stroke-linejoin:round}\n"
    ".nt .line-a{stroke:#c2410c;stroke-width:1.8}\n"
    ".nt .line-b{stroke:#2f5be0;stroke-width:1.4;stroke-dasharray:5 3}\n"
    ".nt .mean{stroke:#5a6478;stroke-width:1.2;stroke-dasharray:1.5 3}\n"
    ".nt .dot-a{fill:#c2410c}\n"
    ".nt .dot-b{fill:#2f5be0}\n"
    ".nt .band{fill:#c2410c;fill-opacity:.2}\n"
    ".nt .endless{fill:#c2410c}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".nt .page{fill:#0e1320;stroke:#2a3346}\n"
    ".nt text{fill:#e4e9f4}\n"
    ".nt .label,.nt .tick,.nt .label-x.dim{fill:#97a2b8}\n"
    ".nt .peak{stroke:#0e1320}\n"
    ".nt .mark{fill:#7d89a1}\n"
    ".nt .grid{fill:#222b3d}\n"
    ".nt .axis{fill:#6f7b93}\n"
    ".nt .prompt-part{fill:#97a2b8}\n"
    ".nt .line-a{stroke:#f59e4c}\n"
    ".nt .line-b{stroke:#8caaff}\n"
    ".nt .mean{stroke:#97a2b8}\n"
    ".nt .dot-a,.nt .band,.nt .endless{fill:#f59e4c}\n"
    ".nt .dot-b{fill:#8caaff}\n"
    "}\n";

enum { PROMPT_COLUMNS = 76 };

static void open_element(nt_buffer *out, double height, const nt_buffer *told) {
    nt_buffer_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nt\" role=\"img\" "
                        "xml:space=\"preserve\" width=\"");
    nt_svg_number(out, NT_SVG_WIDTH);
    nt_buffer_puts(out, "\" height=\"");
    nt_svg_number(out, height);
    nt_buffer_printf(out, "\" viewBox=\"0 0 %d ", NT_SVG_WIDTH);
    nt_svg_number(out, height);
    nt_buffer_puts(out, "\">\n<title>Surprisal along the text</title>\n<desc>");
    if (told->n > 0) nt_buffer_put(out, told->data, told->n - 1);
    nt_buffer_puts(out, "</desc>\n");
}

/* The beginning of the text, in one line. */
static void put_heading(nt_buffer *out, const nt_result *trace) {
    nt_buffer text = {0};
    nt_strip strip = {0};
    for (size_t i = 0; i < trace->n_tokens && text.n < 8 * PROMPT_COLUMNS; i++)
        nt_buffer_put(&text, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
    if (text.n > 0) nt_strip_show(&strip, text.data, text.n, NT_SHOW_INPUT, 0);
    nt_svg_text_open(out, "label", NT_SVG_MARGIN, 34);
    nt_buffer_puts(out, "SURPRISAL");
    nt_svg_text_close(out);
    nt_svg_text_open(out, "mono prompt", NT_SVG_MARGIN, 60);
    nt_svg_fit(out, &strip, 0, strip.n, PROMPT_COLUMNS, false);
    nt_svg_text_close(out);
    if (text.status != NT_OK) out->status = text.status;
    if (strip.status != NT_OK) out->status = strip.status;
    nt_strip_free(&strip);
    nt_buffer_free(&text);
}

static int assemble(nt_buffer *out, nt_buffer *body, nt_buffer *told, double height, bool file) {
    int status = body->status == NT_OK ? told->status : body->status;
    if (status == NT_OK) {
        open_element(out, height, told);
        if (file) {
            nt_buffer_puts(out, "<style>\n");
            nt_buffer_puts(out, looks);
            nt_buffer_puts(out, "</style>\n");
            nt_svg_rect(out, "page", (nt_box){0.5, 0.5, NT_SVG_WIDTH - 1, height - 1}, 10);
        }
        nt_buffer_put(out, body->data, body->n);
        nt_buffer_puts(out, "</svg>\n");
        status = out->status;
    }
    nt_buffer_free(body);
    nt_buffer_free(told);
    return status;
}

int nt_svg_lines(nt_buffer *out, const nt_result *trace, nt_measure in) {
    nt_buffer body = {0}, told = {0};
    double height = draw_all(&body, &told, trace, in, 0) + 6;
    return assemble(out, &body, &told, height, false);
}

int nt_svg_score(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    nt_buffer body = {0}, told = {0};
    put_heading(&body, trace);
    double height = draw_all(&body, &told, trace, nt_measure_of(options->bits), 78);
    return assemble(out, &body, &told, height + NT_SVG_MARGIN - 4, true);
}
