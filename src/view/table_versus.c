/* The table of one text seen by two: what b makes likelier or less likely than a. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/frame.h"

/* "+0.123": what b adds. */
static nt_figure signed_figure(double x, int decimals) {
    nt_figure plain = nt_figure_fixed(x, decimals), out = {"+"};
    if (!(x > 0)) return plain;
    snprintf(out.s + 1, sizeof out.s - 1, "%.60s", plain.s);
    return out;
}

static void rank(nt_frame *frame, const nt_versus_token *v, size_t s) {
    const char *out = isnan(v->logprob[s]) ? "-" : "out";
    nt_sheet_more(&frame->sheet, v->rank[s] > 0 ? nt_figure_count((uint64_t)v->rank[s]).s : out, 0);
}

static void ranks(nt_frame *frame, const nt_versus_token *v) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_puts(sheet, "", 0);
    rank(frame, v, 0);
    if (v->rank[0] == v->rank[1]) return;
    nt_sheet_more(sheet, sheet->strip.ascii ? " -> " : " \xE2\x86\x92 ", NT_STYLE_DIM);
    rank(frame, v, 1);
}

/* The likeliest id where it is another one for b. */
static void flip(nt_sheet *sheet, const nt_versus_token *v) {
    if (v->likeliest[0].id == v->likeliest[1].id) {
        nt_sheet_puts(sheet, "", 0);
        return;
    }
    nt_sheet_token(sheet, "", &v->likeliest[0], 0);
    nt_sheet_more(sheet, sheet->strip.ascii ? " -> " : " \xE2\x86\x92 ", NT_STYLE_DIM);
    nt_sheet_more_token(sheet, &v->likeliest[1], NT_STYLE_BOLD);
}

static double change_of(const nt_versus_token *v) {
    return v->logprob[1] - v->logprob[0];
}

static void columns(nt_sheet *sheet) {
    nt_sheet_column(sheet, (nt_column){.title = "#", .align = NT_RIGHT, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "token", .comfort = 10, .mono = true});
    nt_sheet_column(sheet, (nt_column){.title = "logprob a", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "logprob b", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "change", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "", .bar = true, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "KL(a, b)", .align = NT_RIGHT, .hide = 6});
    nt_sheet_column(sheet,
                    (nt_column){.title = "likeliest", .comfort = 16, .hide = 1, .mono = true});
}

static void row(nt_frame *frame, size_t i) {
    const nt_versus_token *v = &frame->trace->versus[i];
    nt_sheet *sheet = &frame->sheet;
    double scale = frame->in.scale, change = change_of(v);
    uint8_t side = change < 0 ? NT_STYLE_YELLOW : NT_STYLE_BLUE;
    nt_sheet_row(sheet, v->counted ? 0 : NT_STYLE_DIM);
    nt_sheet_puts(sheet, nt_figure_count(i).s, NT_STYLE_DIM);
    nt_sheet_token(sheet, "", &frame->trace->tokens[i], 0);
    for (size_t s = 0; s < 2; s++)
        nt_sheet_puts(sheet, nt_figure_fixed(scale * v->logprob[s], 3).s, 0);
    nt_sheet_puts(sheet, signed_figure(scale * change, 3).s, 0);
    nt_sheet_bar(sheet, isfinite(change) ? fabs(change) : 0, v->counted ? side : NT_STYLE_DIM);
    ranks(frame, v);
    nt_sheet_puts(sheet, nt_figure_fixed(scale * v->divergence[0], 3).s, 0);
    flip(sheet, v);
}

static void side_line(nt_frame *frame, size_t s) {
    const nt_versus_totals *totals = &frame->trace->versus_totals;
    const nt_totals *of = &totals->side[s];
    char room[256], name[300] = "";
    strcat(name, s == 0 ? "a: " : "b: ");
    strncat(name, nt_frame_name(totals->label[s], room, sizeof room), 250);
    nt_frame_part(frame, name, NT_STYLE_BOLD);
    nt_frame_figure(frame, "log-probability ", nt_figure_fixed(frame->in.scale * of->logprob, 3),
                    "", NT_STYLE_DIM);
    nt_frame_figure(frame, "perplexity ", nt_figure_fixed(of->perplexity, 2), "", NT_STYLE_DIM);
    if (!isnan(of->bits_per_byte))
        nt_frame_figure(frame, "", nt_figure_fixed(of->bits_per_byte, 3), " bits per byte",
                        NT_STYLE_DIM);
    nt_frame_line(frame);
}

/* The mean of Kullback-Leibler divergences, and where they are infinite: one side has taken out
 * what the other keeps. */
static void divergence(nt_frame *frame, size_t s) {
    const nt_versus_totals *totals = &frame->trace->versus_totals;
    char words[64] = " ";
    strcat(strncat(words, frame->in.name, 12), ", largest ");
    if (isfinite(totals->divergence[s])) {
        nt_frame_figure(frame, s == 0 ? "mean KL(a, b) " : "mean KL(b, a) ",
                        nt_figure_fixed(frame->in.scale * totals->divergence[s], 4), words,
                        NT_STYLE_DIM);
        nt_strip_puts(&frame->line,
                      nt_figure_fixed(frame->in.scale * totals->divergence_max[s], 3).s,
                      NT_STYLE_DIM);
    }
    if (totals->n_infinite[s])
        nt_frame_figure(frame, s == 0 ? "KL(a, b) infinite at " : "KL(b, a) infinite at ",
                        nt_figure_count(totals->n_infinite[s]), "", NT_STYLE_DIM);
}

static void sums(nt_frame *frame) {
    const nt_versus_totals *totals = &frame->trace->versus_totals;
    const nt_totals *a = &totals->side[0], *b = &totals->side[1];
    char unit[16] = " ";
    strncat(unit, frame->in.name, 12);
    side_line(frame, 0);
    side_line(frame, 1);
    nt_frame_figure(frame, "b - a: ", signed_figure(frame->in.scale * (b->logprob - a->logprob), 3),
                    unit, NT_STYLE_BOLD);
    for (size_t s = 0; s < 2; s++)
        divergence(frame, s);
    nt_frame_figure(frame, "another likeliest token at ", nt_figure_count(totals->n_flips), "",
                    NT_STYLE_DIM);
    nt_strip_puts(&frame->line, " of ", NT_STYLE_DIM);
    nt_strip_puts(&frame->line, nt_figure_count(a->n_counted).s, NT_STYLE_DIM);
    nt_frame_line(frame);
}

void nt_table_versus(nt_frame *frame) {
    columns(&frame->sheet);
    for (size_t i = 0; frame->trace->versus && i < frame->trace->n_tokens; i++)
        row(frame, i);
    nt_frame_sheet(frame);
    sums(frame);
}
