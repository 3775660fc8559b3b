/* Tables of scores: a text token by token, word by word and character by character, its sums, and
 * the perplexity of a file. */
#include <math.h> /* exp: good enough to show two decimals of a percentage */
#include <string.h>

#include "view/heat.h"

/* ---- The units ------------------------------------------------------------------------------- */

enum { PAGE_ROWS = 5000 }; /* of a table, with which a page still opens at once */

static size_t shown_rows(const nt_frame *frame, size_t n) {
    return frame->page && n > PAGE_ROWS ? PAGE_ROWS : n;
}

static void rest_of_rows(nt_frame *frame, size_t n_shown, size_t n) {
    if (n_shown == n) return;
    nt_frame_figure(frame, "the first ", nt_figure_count(n_shown), "", NT_STYLE_DIM);
    nt_strip_puts(&frame->line, " of ", NT_STYLE_DIM);
    nt_strip_puts(&frame->line, nt_figure_count(n).s, NT_STYLE_DIM);
    nt_strip_puts(&frame->line, " rows; --csv has all of them", NT_STYLE_DIM);
    nt_frame_line(frame);
}

/* What stood to choose, in one cell. */
static void likeliest(nt_sheet *sheet, const nt_trace_step *step) {
    nt_sheet_puts(sheet, "", 0);
    for (size_t c = 0; c < step->n_candidates; c++) {
        const nt_candidate *candidate = &step->candidates[c];
        bool taken = candidate->token.id == step->step.chosen.token.id;
        if (c > 0) nt_sheet_more(sheet, "  ", 0);
        nt_sheet_more_token(sheet, &candidate->token, taken ? NT_STYLE_BOLD : 0);
        nt_sheet_more(sheet, " ", 0);
        nt_sheet_more(sheet, nt_figure_percent(candidate->prob).s, NT_STYLE_DIM);
    }
}

static void by_token(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "#", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "token", .mono = true, .comfort = 10});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "probability", .align = NT_RIGHT, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "surprisal", .bar = true, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "entropy", .align = NT_RIGHT, .hide = 1});
    if (trace->n_steps > 0)
        nt_sheet_column(sheet, (nt_column){.title = "likeliest there", .comfort = 14, .hide = 6});
    size_t n = shown_rows(frame, trace->scored ? trace->n_tokens : 0);
    for (size_t i = 0; i < n; i++) {
        const nt_scored *s = &trace->scored[i];
        nt_sheet_row(sheet, s->counted ? 0 : NT_STYLE_DIM);
        nt_sheet_puts(sheet, nt_figure_count(i).s, NT_STYLE_DIM);
        nt_sheet_token(sheet, "", &trace->tokens[i], 0);
        nt_sheet_puts(sheet, nt_figure_fixed(frame->in.scale * s->logprob, 3).s, 0);
        nt_sheet_puts(sheet, nt_figure_percent(exp(s->logprob)).s, 0);
        nt_sheet_bar(sheet, -s->logprob, s->counted ? NT_STYLE_MAGENTA : NT_STYLE_DIM);
        nt_sheet_puts(sheet, s->rank > 0 ? nt_figure_count((uint64_t)s->rank).s : "-", 0);
        nt_sheet_puts(sheet, nt_figure_fixed(frame->in.scale * s->entropy, 3).s, 0);
        if (trace->n_steps > 0) likeliest(sheet, &trace->steps[i]);
    }
    nt_frame_sheet(frame);
    rest_of_rows(frame, n, trace->scored ? trace->n_tokens : 0);
}

/* Words have a corrected surprisal and say how many tokens they are of. */
static void by_unit(nt_frame *frame, const char *title, const nt_unit *units, size_t n,
                    bool words) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "#", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = title, .comfort = 10});
    nt_sheet_column(sheet, (nt_column){.title = "surprisal", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 2});
    if (words) {
        nt_sheet_column(sheet, (nt_column){.title = "corrected", .align = NT_RIGHT, .hide = 4});
        nt_sheet_column(sheet, (nt_column){.title = "tokens", .align = NT_RIGHT, .hide = 1});
    }
    size_t n_shown = shown_rows(frame, n);
    for (size_t i = 0; i < n_shown; i++) {
        const nt_unit *u = &units[i];
        double surprisal = nt_surprisal(frame->in, u->logprob);
        nt_sheet_row(sheet, u->counted ? 0 : NT_STYLE_DIM);
        nt_sheet_puts(sheet, nt_figure_count(i).s, NT_STYLE_DIM);
        nt_sheet_show(sheet, "", u->bytes, u->n_bytes, NT_SHOW_TOKEN, 0);
        nt_sheet_puts(sheet, nt_figure_fixed(surprisal, 3).s, 0);
        nt_sheet_bar(sheet, surprisal, u->counted ? NT_STYLE_MAGENTA : NT_STYLE_DIM);
        if (!words) continue;
        nt_sheet_puts(sheet, nt_figure_fixed(nt_surprisal(frame->in, u->corrected), 3).s, 0);
        nt_sheet_puts(sheet, nt_figure_count(u->n_tokens).s, NT_STYLE_DIM);
    }
    nt_frame_sheet(frame);
    rest_of_rows(frame, n_shown, n);
}

/* ---- score ----------------------------------------------------------------------------------- */

/* A part of a number of nats, shown in the unit. */
static void measured(nt_frame *frame, const char *before, double nats, int decimals,
                     uint8_t style) {
    nt_figure x = nt_figure_fixed(frame->in.scale * nats, decimals);
    if (!isnan(nats)) {
        strcat(x.s, " ");
        strcat(x.s, frame->in.name);
    }
    nt_frame_figure(frame, before, x, "", style);
}

/* x with its standard error, where it has one. */
static nt_figure with_error(const nt_frame *frame, double x, double error, int decimals) {
    nt_figure f = nt_figure_fixed(x, decimals);
    if (isnan(x) || isnan(error)) return f;
    strcat(f.s, frame->paint.ascii ? " +- " : " \xC2\xB1 ");
    strcat(f.s, nt_figure_fixed(error, decimals).s);
    return f;
}

static void sums(nt_frame *frame) {
    const nt_totals *totals = &frame->trace->totals;
    char text[128];
    strcpy(text, nt_figure_count(totals->n_counted).s);
    strcat(text, " of ");
    strcat(text, nt_figure_count(frame->trace->n_tokens).s);
    strcat(text, frame->trace->n_tokens == 1 ? " token counted" : " tokens counted");
    nt_frame_part(frame, text, 0);
    measured(frame, "log-probability ", totals->logprob, 3, 0);
    measured(frame, "loss ", totals->loss, 4, 0);
    nt_frame_figure(frame, "perplexity ",
                    with_error(frame, totals->perplexity, totals->perplexity_stderr, 2), "",
                    NT_STYLE_BOLD);
    if (!isnan(totals->bits_per_byte))
        nt_frame_figure(frame, "", nt_figure_fixed(totals->bits_per_byte, 3), " bits per byte", 0);
    nt_frame_line(frame);
}

/* "3 windows of 1,024 tokens, stride 512" */
static void windows(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    char text[256];
    strcpy(text, nt_figure_count(trace->n_windows).s);
    strcat(text, trace->n_windows == 1 ? " window of " : " windows of ");
    strcat(text, nt_figure_count(trace->window).s);
    strcat(text, " tokens, stride ");
    strcat(text, nt_figure_count(trace->stride).s);
    nt_frame_part(frame, text, NT_STYLE_DIM);
    nt_frame_line(frame);
}

static void tables(nt_frame *frame, unsigned by) {
    const nt_result *trace = frame->trace;
    if (by & NT_BY_TOKEN) by_token(frame);
    if (by & NT_BY_WORD) {
        if (by & NT_BY_TOKEN) nt_frame_gap(frame);
        by_unit(frame, "word", trace->words, trace->n_words, true);
    }
    if (by & NT_BY_CHAR) {
        if (by & (NT_BY_TOKEN | NT_BY_WORD)) nt_frame_gap(frame);
        by_unit(frame, "char", trace->chars, trace->n_chars, false);
    }
}

void nt_table_score(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    unsigned by = nt_shown_by(trace);
    if (frame->heat != NT_HEAT_NONE)
        nt_heat_text(frame, frame->heat);
    else
        tables(frame, by);
    sums(frame);
    if (trace->n_windows > 0) windows(frame);
    if (by & NT_BY_WORD && frame->heat == NT_HEAT_NONE) {
        nt_frame_part(frame, nt_correction_words(trace->correction), NT_STYLE_DIM);
        nt_frame_line(frame);
    }
}

/* ---- perplexity ------------------------------------------------------------------------------ */

static void row(nt_frame *frame, const char *name, nt_figure x, const char *behind, uint8_t style) {
    nt_sheet_row(&frame->sheet, 0);
    nt_sheet_puts(&frame->sheet, name, NT_STYLE_DIM);
    nt_sheet_puts(&frame->sheet, x.s, style);
    nt_sheet_more(&frame->sheet, behind, style);
}

/* What the stride recipe of transformers' documentation would say of the same windows. */
static void as_transformers(nt_frame *frame) {
    double loss = nt_fact_number_of(frame->trace, "loss_as_transformers", NAN);
    double perplexity = nt_fact_number_of(frame->trace, "perplexity_as_transformers", NAN);
    if (isnan(loss) && isnan(perplexity)) return;
    nt_frame_part(frame, "by the stride recipe of transformers' documentation", NT_STYLE_DIM);
    measured(frame, "loss ", loss, 4, NT_STYLE_DIM);
    nt_frame_figure(frame, "perplexity ", nt_figure_fixed(perplexity, 2), "", NT_STYLE_DIM);
    nt_frame_line(frame);
}

void nt_table_perplexity(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    const nt_totals *totals = &trace->totals;
    const nt_fact *first = nt_fact_of(trace, "first_token");
    char unit[16] = " ";
    strcat(unit, frame->in.name);
    nt_sheet_column(&frame->sheet, (nt_column){.comfort = 12});
    nt_sheet_column(&frame->sheet, (nt_column){.comfort = 12});
    row(frame, "perplexity", with_error(frame, totals->perplexity, totals->perplexity_stderr, 2),
        "", NT_STYLE_BOLD);
    row(frame, "loss",
        with_error(frame, frame->in.scale * totals->loss, frame->in.scale * totals->loss_stderr, 4),
        isnan(totals->loss) ? "" : unit, 0);
    row(frame, "bits per token", nt_figure_fixed(nt_measure_of(true).scale * totals->loss, 4), "",
        0);
    row(frame, "bits per byte", nt_figure_fixed(totals->bits_per_byte, 4), "", 0);
    row(frame, "tokens",
        nt_figure_tally(nt_fact_number_of(trace, "tokens", (double)trace->n_tokens)), "", 0);
    row(frame, "counted", nt_figure_count(totals->n_counted), "", 0);
    if (first && first->text) {
        nt_sheet_row(&frame->sheet, 0);
        nt_sheet_puts(&frame->sheet, "first token", NT_STYLE_DIM);
        nt_sheet_show(&frame->sheet, "", first->text, strlen(first->text), NT_SHOW_TEXT, 0);
    }
    row(frame, "bytes", nt_figure_tally(nt_fact_number_of(trace, "bytes", (double)totals->n_bytes)),
        "", 0);
    row(frame, "windows", nt_figure_count(trace->n_windows), "", 0);
    row(frame, "window", nt_figure_count(trace->window), " tokens", 0);
    row(frame, "stride", nt_figure_count(trace->stride), " tokens", 0);
    nt_frame_sheet(frame);
    as_transformers(frame);
}
