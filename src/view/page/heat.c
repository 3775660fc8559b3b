/* The heat map of a scored text: the text itself, each token (or word) on a ground that says how
 * expected it was, with a legend, small histograms, and the lines of surprisal and entropy. */
#include "view/heat.h"

#include <math.h>
#include <string.h>

#include "base/math.h"
#include "view/page/figures.h"
#include "view/page/put.h"
#include "view/svg_line.h"

/* Pieces that are drawn: a page with more of them would keep a browser busy. */
enum { MOST_PIECES = 10000, TALL = 600 /* tokens: the lines come first, not far below */ };
enum { SURPRISAL_BINS = 12, PROBABILITY_BINS = 10, RANK_BINS = 4 };

static const char *const measures[] = {"", "probability", "rank", "surprisal", "entropy"};
static const char letters[] = " prse"; /* of the classes in the page */

static bool fits(const nt_result *trace) {
    return trace->kind == NT_RESULT_SCORE && trace->scored && trace->n_tokens > 0;
}

static bool has_words(const nt_result *trace) {
    return nt_shown_by(trace) & NT_BY_WORD && trace->n_words > 0;
}

static bool has_tokens(const nt_result *trace) {
    return nt_shown_by(trace) & NT_BY_TOKEN || !has_words(trace);
}

/* ---- Bins ------------------------------------------------------------------------------------ */

/* Of so many nats or bits each; the last one is open. */
static double bin_width(nt_measure in) {
    return in.scale == 1 ? 1 : 1.5;
}

static size_t surprisal_bin(nt_measure in, double logprob) {
    double bin = floor(nt_surprisal(in, logprob) / bin_width(in));
    return bin < SURPRISAL_BINS - 1 ? (size_t)fmax(bin, 0) : SURPRISAL_BINS - 1;
}

static size_t probability_bin(double logprob) {
    double bin = floor(nt_exp(logprob) * PROBABILITY_BINS);
    return bin < PROBABILITY_BINS - 1 ? (size_t)fmax(bin, 0) : PROBABILITY_BINS - 1;
}

typedef struct bins {
    size_t surprisal[SURPRISAL_BINS], rank[RANK_BINS], probability[PROBABILITY_BINS];
} bins;

static bins count_bins(const nt_result *trace, nt_measure in, bool words) {
    bins b = {.surprisal = {0}};
    size_t n = 0;
    for (nt_heat_piece piece = {0}; n++ < MOST_PIECES && nt_heat_next(&piece, trace, words);) {
        if (!piece.scored.counted) continue;
        int rank = nt_heat_class(NT_HEAT_RANK, in, &piece.scored);
        b.surprisal[surprisal_bin(in, piece.scored.logprob)]++;
        b.probability[probability_bin(piece.scored.logprob)]++;
        if (rank >= 0) b.rank[rank]++;
    }
    return b;
}

/* ---- A piece --------------------------------------------------------------------------------- */

/* A line of a tip: what, a tab, its figure. */
static void tip_line(nt_buffer *out, const char *name, nt_figure x, const char *behind) {
    nt_buffer_putc(out, '\n');
    nt_html_puts(out, name);
    nt_buffer_putc(out, '\t');
    nt_html_puts(out, x.s);
    nt_html_puts(out, behind);
}

/* A token or a word as it is shown everywhere; the glyphs without their styles. */
static void plain_name(nt_buffer *out, const char *bytes, size_t n, int32_t id) {
    nt_strip strip = {0};
    if (n == 0) {
        nt_strip_puts(&strip, "#", 0);
        nt_strip_puts(&strip, nt_figure_plain(id).s, 0);
    } else {
        nt_strip_show(&strip, bytes, n, NT_SHOW_TOKEN, 0);
    }
    if (strip.status != NT_OK) out->status = strip.status;
    nt_html_escape(out, strip.n > 0 ? strip.bytes.data : "", strip.bytes.n);
    nt_strip_free(&strip);
}

static void tip_alternatives(nt_buffer *out, const nt_result *trace, size_t i) {
    if (i >= trace->n_steps || trace->steps[i].n_candidates == 0) return;
    const nt_trace_step *step = &trace->steps[i];
    nt_buffer_puts(out, "\n\nlikeliest here");
    for (size_t c = 0; c < step->n_candidates; c++) {
        const nt_candidate *candidate = &step->candidates[c];
        nt_buffer_putc(out, '\n');
        plain_name(out, candidate->token.bytes, candidate->token.n_bytes, candidate->token.id);
        nt_buffer_printf(out, "\t%s", nt_figure_percent(candidate->prob).s);
        if (candidate->token.id == step->step.chosen.token.id) nt_buffer_puts(out, "\tthis one");
    }
}

/* The tokens of a piece, with their own figures. */
static void tip_tokens(nt_buffer *out, const nt_result *trace, const nt_heat_piece *piece) {
    nt_buffer_puts(out, "\n\nits tokens");
    for (size_t i = piece->first; i < piece->first + piece->n; i++) {
        const nt_token *token = &trace->tokens[i];
        nt_buffer_putc(out, '\n');
        plain_name(out, token->bytes, token->n_bytes, token->id);
        nt_buffer_printf(out, "\t%s", nt_figure_percent(nt_exp(trace->scored[i].logprob)).s);
    }
}

static void put_tip(nt_page *page, nt_measure in, const nt_heat_piece *piece,
                    const nt_buffer *text) {
    const nt_result *trace = page->trace;
    const nt_scored *s = &piece->scored;
    nt_buffer *out = page->out;
    char unit[16] = " ";
    strcat(unit, in.name);
    if (piece->word)
        plain_name(out, piece->word->bytes, piece->word->n_bytes, 0);
    else
        plain_name(out, text->data, text->n, trace->tokens[piece->first].id);
    if (isnan(s->logprob)) {
        nt_buffer_puts(out, piece->first == 0
                                ? "\nno number: nothing stands before the first token"
                                : "\nno number: nothing stands before it in its window");
        return;
    }
    tip_line(out, "probability", nt_figure_percent(nt_exp(s->logprob)), "");
    tip_line(out, "surprisal", nt_figure_fixed(nt_surprisal(in, s->logprob), 3), unit);
    if (piece->word)
        tip_line(out, "corrected", nt_figure_fixed(nt_surprisal(in, piece->word->corrected), 3),
                 unit);
    char of[64] = " of ";
    strcat(of, nt_figure_count((uint64_t)trace->n_vocab).s);
    tip_line(out, piece->n > 1 ? "largest rank" : "rank", nt_figure_count((uint64_t)s->rank), of);
    tip_line(out, piece->n > 1 ? "entropy before" : "entropy",
             nt_figure_fixed(in.scale * s->entropy, 3), unit);
    if (!s->counted) nt_buffer_puts(out, "\nnot counted: it is part of the prompt");
    if (piece->n > 1)
        tip_tokens(out, trace, piece);
    else
        tip_alternatives(out, trace, piece->first);
}

static void put_classes(nt_buffer *out, nt_measure in, const nt_heat_piece *piece) {
    nt_buffer_puts(out, "<span class=\"c");
    for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++) {
        int class = nt_heat_class(heat, in, &piece->scored);
        if (class >= 0) nt_buffer_printf(out, " %c%d", letters[heat], class);
    }
    if (!piece->scored.counted) nt_buffer_puts(out, " out");
    nt_buffer_putc(out, '"');
    if (!piece->scored.counted) return;
    int rank = nt_heat_class(NT_HEAT_RANK, in, &piece->scored);
    nt_buffer_printf(out, " data-h=\"%zu,%d,%zu\"", surprisal_bin(in, piece->scored.logprob),
                     rank < 0 ? 0 : rank, probability_bin(piece->scored.logprob));
}

/* The text within a piece: its lines are the text's, each end marked. */
static void put_text(nt_buffer *out, const nt_buffer *text) {
    for (size_t i = 0, end; i < text->n; i = end) {
        nt_strip strip = {0};
        for (end = i; end < text->n && text->data[end] != '\n';)
            end++;
        size_t n = end - i;
        if (n > 0 && end < text->n && text->data[end - 1] == '\r') n--;
        nt_strip_show(&strip, text->data + i, n, NT_SHOW_TEXT, 0);
        if (strip.status != NT_OK) out->status = strip.status;
        nt_html_glyphs(out, &strip, 0, strip.n);
        nt_strip_free(&strip);
        if (end == text->n) continue;
        nt_buffer_puts(out, "<i aria-hidden=\"true\">\xE2\x86\xB5</i>\n");
        end++;
    }
}

/* Whether there was more than is drawn. */
static bool put_flow(nt_page *page, nt_measure in, bool words) {
    nt_buffer text = {0}, *out = page->out;
    size_t n = 0;
    const char *unit = words ? "word" : "token";
    nt_buffer_printf(out,
                     "<div class=\"flow %s\" dir=\"auto\" role=\"group\" aria-label=\"The text, %s "
                     "by %s\">",
                     unit, unit, unit);
    for (nt_heat_piece piece = {0}; n < MOST_PIECES && nt_heat_next(&piece, page->trace, words);
         n++) {
        nt_buffer_clear(&text);
        nt_heat_bytes(&text, page->trace, &piece);
        if (text.status != NT_OK) break;
        put_classes(out, in, &piece);
        nt_buffer_puts(out, " data-tip=\"");
        put_tip(page, in, &piece, &text);
        nt_buffer_puts(out, "\">");
        put_text(out, &text);
        nt_buffer_puts(out, "</span>");
    }
    if (text.status != NT_OK) out->status = text.status;
    nt_buffer_free(&text);
    nt_buffer_puts(out, "</div>\n");
    return n == MOST_PIECES;
}

/* ---- Beside the text ------------------------------------------------------------------------- */

static void put_legend(nt_buffer *out, nt_heat heat, nt_measure in, const nt_heat_counts *counts,
                       bool words) {
    nt_heat_scale scale = nt_heat_scale_of(heat, in);
    size_t all = 0;
    for (size_t c = 0; c < scale.n; c++)
        all += counts->of[heat][c];
    nt_buffer_printf(out,
                     "<div class=\"legend %s %s\" role=\"group\" aria-label=\"Classes of %s\">",
                     scale.name, words ? "word" : "token", scale.name);
    nt_buffer_printf(out, "<p class=\"name\">%s%s%s</p>\n", scale.name, scale.unit[0] ? ", " : "",
                     scale.unit);
    for (size_t c = 0; c < scale.n; c++) {
        double share = all ? (double)counts->of[heat][c] / (double)all : 0;
        nt_buffer_printf(
            out,
            "<button type=\"button\" aria-pressed=\"false\" data-class=\"%c%zu\"><span "
            "class=\"c %c%zu\">",
            letters[heat], c, letters[heat], c);
        nt_html_puts(out, scale.labels[c]);
        nt_buffer_printf(out, "</span> <b>%s</b> <small>%.0f&#8239;%%</small></button>\n",
                         nt_figure_count(counts->of[heat][c]).s, 100 * share);
    }
    nt_buffer_puts(out, "</div>\n");
}

static void put_bars(nt_buffer *out, const char *kind, const size_t *counts, size_t n,
                     const char *from, const char *to) {
    size_t most = 1;
    for (size_t i = 0; i < n; i++)
        if (counts[i] > most) most = counts[i];
    nt_buffer_printf(out,
                     "<div class=\"hist\"><p class=\"name\">%s</p><div class=\"bars\" "
                     "data-of=\"%s\" role=\"img\" aria-label=\"Histogram of %s:",
                     kind, kind, kind);
    for (size_t i = 0; i < n; i++)
        nt_buffer_printf(out, " %zu", counts[i]);
    nt_buffer_puts(out, "\">");
    for (size_t i = 0; i < n; i++) {
        nt_buffer_puts(out, "<span style=\"height:");
        nt_html_number(out, 100 * (double)counts[i] / (double)most, 1);
        nt_buffer_printf(out, "%%\" data-n=\"%zu\"%s><i></i></span>", counts[i],
                         counts[i] ? "" : " class=\"none\"");
    }
    nt_buffer_printf(out, "</div><p class=\"ends\"><span>%s</span><span>%s</span></p></div>\n",
                     from, to);
}

static void put_aside(nt_page *page, nt_measure in, bool words) {
    nt_buffer *out = page->out;
    nt_heat_counts counts = nt_heat_count(page->trace, in, words);
    bins b = count_bins(page->trace, in, words);
    char most[32] = "";
    for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++)
        put_legend(out, heat, in, &counts, words);
    nt_buffer_printf(out, "<div class=\"hists %s\">\n", words ? "word" : "token");
    strcat(most, nt_figure_fixed(bin_width(in) * (SURPRISAL_BINS - 1), in.scale == 1 ? 0 : 1).s);
    strcat(most, "+ ");
    strcat(most, in.name);
    put_bars(out, "surprisal", b.surprisal, SURPRISAL_BINS, "0", most);
    put_bars(out, "rank", b.rank, RANK_BINS, "top 10", "beyond");
    put_bars(out, "probability", b.probability, PROBABILITY_BINS, "0", "1");
    nt_buffer_puts(out, "</div>\n");
}

static void put_button(nt_buffer *out, const char *name, const char *value, bool pressed) {
    nt_buffer_printf(out, "<button type=\"button\" data-%s=\"%s\" aria-pressed=\"%s\">%s</button>",
                     name, value, pressed ? "true" : "false", value);
}

static void put_tools(nt_page *page, nt_heat shown, bool words) {
    nt_buffer *out = page->out;
    nt_buffer_puts(out, "<div class=\"tools\" hidden>\n<span role=\"group\" aria-label=\"Colours "
                        "show\">");
    for (nt_heat heat = NT_HEAT_PROBABILITY; heat <= NT_HEAT_ENTROPY; heat++)
        put_button(out, "measure", measures[heat], heat == shown);
    nt_buffer_puts(out, "</span>\n");
    if (has_tokens(page->trace) && has_words(page->trace)) {
        nt_buffer_puts(out, "<span role=\"group\" aria-label=\"Piece by piece\">");
        put_button(out, "unit", "token", !words);
        put_button(out, "unit", "word", words);
        nt_buffer_puts(out, "</span>\n");
    }
    nt_buffer_puts(out, "</div>\n");
}

static void put_notes(nt_page *page, nt_measure in, bool cut) {
    nt_buffer *out = page->out;
    nt_heat_counts counts = nt_heat_count(page->trace, in, false);
    nt_buffer_puts(out, "<p class=\"words notes\">");
    if (cut) {
        nt_buffer_printf(out, "The beginning is drawn: %s pieces of a text of ",
                         nt_figure_count(MOST_PIECES).s);
        nt_buffer_printf(out,
                         "%s tokens. The legend and the lines are of all of it, the histograms of "
                         "what is drawn. ",
                         nt_figure_count(page->trace->n_tokens).s);
    }
    if (counts.joined > 0 && has_tokens(page->trace)) {
        nt_buffer_printf(out, "%s character%s made of several tokens %s drawn as one piece. ",
                         nt_figure_count(counts.joined).s, counts.joined == 1 ? "" : "s",
                         counts.joined == 1 ? "is" : "are");
    }
    if (page->trace->prompt_len > 1) nt_buffer_puts(out, "The prompt is pale: it is not counted. ");
    nt_buffer_puts(out, "<span class=\"help\" hidden>Point at a piece, or go through the text with "
                        "the arrow keys; a class of the legend shows its pieces alone.</span>"
                        "</p>\n");
}

static void put_lines(nt_page *page, nt_measure in) {
    nt_buffer_puts(page->out, "<div class=\"scroll lines\" tabindex=\"0\">\n");
    int status = nt_svg_lines(page->out, page->trace, in);
    if (status != NT_OK) page->out->status = status;
    nt_buffer_puts(page->out, "</div>\n");
}

static void draw(nt_page *page) {
    nt_buffer *out = page->out;
    nt_measure in = nt_measure_of(page->options->bits);
    nt_heat shown = page->options->heat ? page->options->heat : NT_HEAT_SURPRISAL;
    bool words = !has_tokens(page->trace);
    bool cut = false, tall = page->trace->n_tokens > TALL;
    nt_buffer_printf(out, "<div class=\"heat\" data-measure=\"%s\" data-unit=\"%s\">\n",
                     measures[shown], words ? "word" : "token");
    put_tools(page, shown, words);
    nt_buffer_puts(out, "<div class=\"split\">\n<div class=\"texts\">\n");
    if (tall) put_lines(page, in);
    if (has_tokens(page->trace)) cut |= put_flow(page, in, false);
    if (has_words(page->trace)) cut |= put_flow(page, in, true);
    put_notes(page, in, cut);
    if (!tall) put_lines(page, in);
    nt_buffer_puts(out, "</div>\n<aside>\n");
    if (has_tokens(page->trace)) put_aside(page, in, false);
    if (has_words(page->trace)) put_aside(page, in, true);
    nt_buffer_puts(out, "</aside>\n</div>\n</div>\n");
}

const nt_page_figure nt_figure_heat = {
    .fits = fits,
    .label = "HOW EXPECTED THIS TEXT IS",
    .draw = draw,
    .style = nt_page_heat_style,
    .script = nt_page_heat,
    .shows_text = true,
};
