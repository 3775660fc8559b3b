/* The table of the next token: what stood to choose, and what processors did to it. */
#include <math.h>
#include <string.h>

#include "view/changes.h"
#include "view/frame.h"

enum { WIDE = 100, REASON_COMFORT = 34 };

static void plain_columns(nt_sheet *sheet) {
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "token", .mono = true, .comfort = 11});
    nt_sheet_column(sheet, (nt_column){.title = "id", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "probability", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "logit", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT, .hide = 2});
}

/* Both bars have one scale. */
static void processed_columns(nt_sheet *sheet, bool wide) {
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "token", .mono = true, .comfort = 11});
    nt_sheet_column(sheet, (nt_column){.title = "id", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "raw", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "after", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 4});
    if (wide) nt_sheet_column(sheet, (nt_column){.title = "logit", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "what happened", .comfort = REASON_COMFORT});
}

/* ---- What happened --------------------------------------------------------------------------- */

/* As few decimals as show that something changed. */
static int decimals_of(const nt_change *change) {
    int decimals = 1;
    while (decimals < 6 && strcmp(nt_figure_fixed(change->before, decimals).s,
                                  nt_figure_fixed(change->after, decimals).s) == 0)
        decimals++;
    return decimals;
}

static void one_change(nt_frame *frame, const nt_change *change) {
    nt_sheet *sheet = &frame->sheet;
    if (change->after == -INFINITY) {
        nt_sheet_more(sheet, "removed by ", NT_STYLE_DIM);
        nt_sheet_more(sheet, change->option, NT_STYLE_DIM);
        return;
    }
    int decimals = decimals_of(change);
    nt_sheet_more(sheet, change->option, NT_STYLE_DIM);
    nt_sheet_more(sheet, " ", NT_STYLE_DIM);
    nt_sheet_more(sheet, nt_figure_fixed(change->before, decimals).s, NT_STYLE_DIM);
    nt_sheet_more(sheet, frame->paint.ascii ? " -> " : " \xE2\x86\x92 ", NT_STYLE_DIM);
    nt_sheet_more(sheet, nt_figure_fixed(change->after, decimals).s, NT_STYLE_DIM);
}

/* What took it out comes first: the cell may be cut. */
static void what_happened(nt_frame *frame, const nt_candidate *c) {
    size_t last = c->n_changes;
    nt_sheet_puts(&frame->sheet, "", 0);
    if (nt_view_removed_by(c))
        for (size_t i = 0; i < c->n_changes; i++)
            if (c->changes[i].after == -INFINITY) last = i;
    if (last < c->n_changes) one_change(frame, &c->changes[last]);
    bool any = last < c->n_changes;
    for (size_t i = 0; i < c->n_changes; i++) {
        if (i == last || nt_view_everywhere(c->changes[i].option)) continue;
        if (any) nt_sheet_more(&frame->sheet, ", ", NT_STYLE_DIM);
        one_change(frame, &c->changes[i]);
        any = true;
    }
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* What the rows have not shown. */
typedef struct rest {
    double prob, processed_prob;
    size_t n, kept; /* ids, and those that are not removed */
} rest;

static void row_head(nt_sheet *sheet, const nt_candidate *c) {
    nt_sheet_puts(sheet, nt_figure_count((uint64_t)c->rank).s, NT_STYLE_DIM);
    nt_sheet_token(sheet, "", &c->token, 0);
    nt_sheet_puts(sheet, nt_figure_plain(c->token.id).s, NT_STYLE_DIM);
    nt_sheet_puts(sheet, nt_figure_percent(c->prob).s, 0);
    nt_sheet_bar(sheet, c->prob, NT_STYLE_CYAN);
}

static void plain_row(nt_frame *frame, const nt_candidate *c) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_row(sheet, 0);
    row_head(sheet, c);
    nt_sheet_puts(sheet, nt_figure_fixed(c->logit, 3).s, 0);
    nt_sheet_puts(sheet, nt_figure_fixed(c->logprob, 3).s, 0);
}

static void processed_row(nt_frame *frame, const nt_candidate *c, bool wide) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_row(sheet, nt_view_removed_by(c) ? NT_STYLE_DIM : 0);
    row_head(sheet, c);
    nt_sheet_puts(sheet, nt_figure_percent(c->processed_prob).s, 0);
    nt_sheet_bar(sheet, c->processed_prob, NT_STYLE_GREEN);
    if (wide) nt_sheet_puts(sheet, nt_figure_fixed(c->logit, 3).s, 0);
    what_happened(frame, c);
}

static void rows(nt_frame *frame, rest *left, const nt_candidate *candidates, size_t n,
                 bool processed, bool wide) {
    for (size_t i = 0; i < n; i++) {
        if (processed)
            processed_row(frame, &candidates[i], wide);
        else
            plain_row(frame, &candidates[i]);
        left->prob -= candidates[i].prob;
        left->processed_prob -= candidates[i].processed_prob;
        if (candidates[i].processed_logit > -INFINITY && left->kept > 0) left->kept--;
    }
    left->n = left->n > n ? left->n - n : 0;
}

/* The last row: all that is not shown. */
static void rest_row(nt_sheet *sheet, const rest *left, bool processed) {
    nt_figure more = nt_figure_count(left->n);
    double after = left->kept > 0 && left->processed_prob > 0 ? left->processed_prob : 0;
    strcat(more.s, " more");
    nt_sheet_row(sheet, NT_STYLE_DIM);
    nt_sheet_puts(sheet, "", 0);
    nt_sheet_puts(sheet, more.s, 0);
    nt_sheet_puts(sheet, "", 0);
    nt_sheet_puts(sheet, nt_figure_percent(left->prob > 0 ? left->prob : 0).s, 0);
    nt_sheet_bar(sheet, left->prob, NT_STYLE_DIM);
    if (!processed) return;
    nt_sheet_puts(sheet, nt_figure_percent(after).s, 0);
    nt_sheet_bar(sheet, after, NT_STYLE_DIM);
}

/* Opens the footer. */
static void notes(nt_frame *frame, const nt_trace_step *step) {
    char text[160];
    nt_names acting = {0};
    nt_frame_figure(frame, "entropy ", nt_figure_fixed(step->step.entropy, 3), " nats",
                    NT_STYLE_DIM);
    if (frame->trace->n_vocab > 0 && step->step.kept < (size_t)frame->trace->n_vocab) {
        strcpy(text, nt_figure_count(step->step.kept).s);
        strcat(text, " of ");
        strcat(text, nt_figure_count((uint64_t)frame->trace->n_vocab).s);
        strcat(text, " ids kept");
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
    nt_names_of_step(&acting, step);
    for (size_t i = 0; i < acting.n; i++) {
        if (!nt_view_everywhere(acting.names[i])) continue;
        strcpy(text, acting.names[i]);
        strcat(text, " on every logit");
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
}

void nt_table_next(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    bool processed = nt_view_step_acted(step), wide = frame->paint.width >= WIDE && !frame->picture;
    rest left = {1, 1, trace->n_vocab > 0 ? (size_t)trace->n_vocab : 0, step->step.kept};
    if (processed)
        processed_columns(&frame->sheet, wide);
    else
        plain_columns(&frame->sheet);
    rows(frame, &left, step->candidates, step->n_candidates, processed, wide);
    rows(frame, &left, step->demoted, step->n_demoted, processed, wide);
    if (left.n > 0) rest_row(&frame->sheet, &left, processed);
    nt_frame_sheet(frame);
    if (trace->n_steps > 0) notes(frame, step);
}
