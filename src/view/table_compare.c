/* The table of given endings, the likeliest first. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "view/frame.h"

static int by_place(const void *a, const void *b) {
    const nt_continuation *x = *(const nt_continuation *const *)a;
    const nt_continuation *y = *(const nt_continuation *const *)b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return x < y ? -1 : x > y; /* as given */
}

static void columns(nt_sheet *sheet) {
    nt_sheet_column(sheet, (nt_column){.title = "place", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "continuation", .comfort = 12});
    nt_sheet_column(sheet, (nt_column){.title = "tokens", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT, .hide = 6});
    nt_sheet_column(sheet, (nt_column){.title = "per byte", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "share", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "greedy", .hide = 2});
}

static void row(nt_frame *frame, const nt_continuation *c) {
    nt_sheet *sheet = &frame->sheet;
    const char *text = c->text ? c->text : "";
    uint8_t style = c->place == 1 ? NT_STYLE_GREEN | NT_STYLE_BOLD : 0;
    nt_sheet_row(sheet, 0);
    nt_sheet_puts(sheet, nt_figure_plain(c->place).s, NT_STYLE_DIM);
    nt_sheet_show(sheet, "", text, strlen(text), NT_SHOW_INPUT, style);
    nt_sheet_puts(sheet, nt_figure_count(c->n_tokens).s, NT_STYLE_DIM);
    nt_sheet_puts(sheet, nt_figure_fixed(frame->in.scale * c->logprob, 3).s, 0);
    nt_sheet_puts(sheet, nt_figure_fixed(frame->in.scale * c->per_byte, 3).s, 0);
    nt_sheet_puts(sheet, nt_figure_percent(c->share).s, style);
    nt_sheet_bar(sheet, c->share, NT_STYLE_CYAN);
    nt_sheet_puts(sheet, c->greedy ? "yes" : "no", 0);
}

void nt_table_continuations(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    size_t n = trace->n_continuations;
    const nt_continuation **order = nt_alloc(n, sizeof *order);
    if (!order) {
        frame->sheet.status = NT_E_MEMORY;
        return;
    }
    for (size_t i = 0; i < n; i++)
        order[i] = &trace->continuations[i];
    qsort(order, n, sizeof *order, by_place);
    columns(&frame->sheet);
    for (size_t i = 0; i < n; i++)
        row(frame, order[i]);
    nt_free(order);
    nt_frame_sheet(frame);
    char text[32] = "logprob in ";
    strcat(text, frame->in.name);
    nt_frame_part(frame, text, NT_STYLE_DIM); /* opens the footer */
}
