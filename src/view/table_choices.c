/* Tables of what stood to choose: the next token, and the choices step by step. */
#include <string.h>

#include "view/frame.h"
#include "view/input.h"

/* ---- next ------------------------------------------------------------------------------------ */

static void next_columns(nt_sheet *sheet, bool processed) {
    nt_sheet_column(sheet, (nt_column){.title = "rank", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "token", .comfort = 11});
    nt_sheet_column(sheet, (nt_column){.title = "id", .align = NT_RIGHT, .hide = 3});
    if (processed)
        nt_sheet_column(sheet, (nt_column){.title = "processed", .align = NT_RIGHT, .hide = 6});
    nt_sheet_column(sheet, (nt_column){.title = "probability", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "logit", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "logprob", .align = NT_RIGHT, .hide = 2});
}

/* The last row: all that is not shown. */
static void next_rest(nt_sheet *sheet, size_t n_more, double rest, double rest_processed,
                      bool processed) {
    nt_figure more = nt_figure_count(n_more);
    strcat(more.s, " more");
    nt_sheet_row(sheet, NT_STYLE_DIM);
    nt_sheet_puts(sheet, "", 0);
    nt_sheet_puts(sheet, more.s, 0);
    nt_sheet_puts(sheet, "", 0);
    if (processed)
        nt_sheet_puts(sheet, nt_figure_percent(rest_processed > 0 ? rest_processed : 0).s, 0);
    nt_sheet_puts(sheet, nt_figure_percent(rest > 0 ? rest : 0).s, 0);
    nt_sheet_bar(sheet, rest, NT_STYLE_DIM);
}

static bool any_processed(const nt_trace_step *step) {
    for (size_t i = 0; i < step->n_candidates; i++)
        if (step->candidates[i].processed_prob != step->candidates[i].prob) return true;
    return false;
}

/* Opens the footer. */
static void next_notes(nt_frame *frame, const nt_trace_step *step) {
    char text[160];
    nt_frame_figure(frame, "entropy ", nt_figure_fixed(step->step.entropy, 3), " nats",
                    NT_STYLE_DIM);
    if (frame->trace->n_vocab > 0 && step->step.kept < (size_t)frame->trace->n_vocab) {
        strcpy(text, nt_figure_count(step->step.kept).s);
        strcat(text, " of ");
        strcat(text, nt_figure_count((uint64_t)frame->trace->n_vocab).s);
        strcat(text, " ids kept");
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
}

void nt_table_next(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    const nt_trace_step *step = trace->n_steps > 0 ? &trace->steps[0] : &(nt_trace_step){0};
    bool processed = any_processed(step);
    next_columns(sheet, processed);
    double rest = 1, rest_processed = 1;
    for (size_t i = 0; i < step->n_candidates; i++) {
        const nt_candidate *c = &step->candidates[i];
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_figure_count((uint64_t)c->rank).s, NT_STYLE_DIM);
        nt_sheet_token(sheet, "", &c->token, 0);
        nt_sheet_puts(sheet, nt_figure_plain(c->token.id).s, NT_STYLE_DIM);
        if (processed) nt_sheet_puts(sheet, nt_figure_percent(c->processed_prob).s, 0);
        nt_sheet_puts(sheet, nt_figure_percent(c->prob).s, 0);
        nt_sheet_bar(sheet, c->prob, NT_STYLE_CYAN);
        nt_sheet_puts(sheet, nt_figure_fixed(c->logit, 3).s, 0);
        nt_sheet_puts(sheet, nt_figure_fixed(c->logprob, 3).s, 0);
        rest -= c->prob;
        rest_processed -= c->processed_prob;
    }
    if (trace->n_vocab > 0 && (size_t)trace->n_vocab > step->n_candidates)
        next_rest(sheet, (size_t)trace->n_vocab - step->n_candidates, rest, rest_processed,
                  processed);
    nt_frame_sheet(frame);
    if (trace->n_steps > 0) next_notes(frame, step);
}

/* ---- steps ----------------------------------------------------------------------------------- */

enum { INPUT_COMFORT = 12, CHOICE_COMFORT = 6, INPUT_MOST = 400 };
enum { WIDE = 100 }; /* columns that have room for two figures a choice */

static bool is_chosen(const nt_trace_step *step, size_t i) {
    return i < step->n_candidates && step->candidates[i].token.id == step->step.chosen.token.id;
}

/* Where the chosen token stands among the candidates; n_candidates when it is not there. */
static size_t chosen_at(const nt_trace_step *step) {
    size_t i = 0;
    while (i < step->n_candidates && !is_chosen(step, i))
        i++;
    return i;
}

/* What the columns must have room for. */
typedef struct steps_shape {
    size_t k;       /* choices */
    bool *marked;   /* [k] some step took this choice */
    bool elsewhere; /* what was taken has a column of its own: it need not be a choice of its row */
    bool raw;       /* show probabilities before processing */
    bool processed; /* show probabilities after it */
    bool several;   /* sequences */
} steps_shape;

/* Every column counts here: no blank before the sign. */
static nt_figure tight_percent(double p) {
    nt_figure percent = nt_figure_percent(p);
    char *blank = strchr(percent.s, ' ');
    if (blank) memmove(blank, blank + 1, strlen(blank));
    return percent;
}

static void choice_cells(nt_frame *frame, const steps_shape *shape, const nt_candidate *c,
                         bool marked, bool chosen) {
    const char *mark = frame->paint.ascii ? ">" : "\xE2\x96\xB8";
    uint8_t style = chosen ? NT_STYLE_GREEN | NT_STYLE_BOLD : 0;
    uint8_t figures = chosen ? style : NT_STYLE_DIM;
    nt_sheet_token(&frame->sheet, !marked ? "" : chosen ? mark : " ", &c->token, style);
    if (shape->raw)
        nt_sheet_puts(&frame->sheet, tight_percent(c->prob).s,
                      shape->processed ? NT_STYLE_DIM : figures);
    if (shape->processed) nt_sheet_puts(&frame->sheet, tight_percent(c->processed_prob).s, figures);
}

/* The end of the text so far: no more of it than could be shown. */
static void input_cell(nt_frame *frame, const nt_buffer *text) {
    size_t most = 4 * (frame->paint.width < INPUT_MOST ? frame->paint.width : INPUT_MOST);
    size_t from = text->n > most ? text->n - most : 0;
    while (from > 0 && from < text->n && ((unsigned char)text->data[from] & 0xC0) == 0x80)
        from++;
    nt_sheet_show(&frame->sheet,
                  from == 0            ? ""
                  : frame->paint.ascii ? "~"
                                       : "\xE2\x80\xA6",
                  text->n ? text->data + from : "", text->n - from, NT_SHOW_INPUT, 0);
}

static void steps_row(nt_frame *frame, const nt_trace_step *step, const steps_shape *shape,
                      const nt_buffer *text) {
    nt_sheet_row(&frame->sheet, 0);
    nt_sheet_puts(&frame->sheet, nt_figure_count(step->step.index).s, NT_STYLE_DIM);
    input_cell(frame, text);
    for (size_t i = 0; i < shape->k; i++) {
        if (i < step->n_candidates)
            choice_cells(frame, shape, &step->candidates[i], shape->marked[i], is_chosen(step, i));
        else
            for (int cell = 0; cell < 1 + shape->raw + shape->processed; cell++)
                nt_sheet_puts(&frame->sheet, "", 0);
    }
    if (shape->elsewhere) choice_cells(frame, shape, &step->step.chosen, true, true);
}

static void choice_columns(nt_sheet *sheet, const char *title, int hide, int n_figures) {
    nt_sheet_column(sheet, (nt_column){.title = title, .comfort = CHOICE_COMFORT, .hide = hide});
    for (int i = 0; i < n_figures; i++)
        nt_sheet_column(sheet, (nt_column){.align = NT_RIGHT, .joined = true});
}

/* Where the taken token has a column of its own, that is the last to be hidden. */
static void steps_columns(nt_sheet *sheet, const steps_shape *shape, char (*titles)[32]) {
    int k = (int)shape->k, n_figures = shape->raw + shape->processed;
    nt_sheet_column(sheet, (nt_column){.title = "step", .align = NT_RIGHT, .hide = k + 2});
    nt_sheet_column(sheet,
                    (nt_column){.title = "input", .cut_left = true, .comfort = INPUT_COMFORT});
    for (int i = 0; i < k; i++) {
        strcpy(titles[i], "choice ");
        strcat(titles[i], nt_figure_plain(i + 1).s);
        choice_columns(sheet, titles[i], i > 0 || shape->elsewhere ? k - i : 0, n_figures);
    }
    if (shape->elsewhere) choice_columns(sheet, "chosen", 0, n_figures);
}

static void measure_steps(steps_shape *shape, const nt_result *trace) {
    for (size_t s = 0; s < trace->n_steps; s++) {
        size_t at = chosen_at(&trace->steps[s]);
        if (at < trace->steps[s].n_candidates)
            shape->marked[at] = true;
        else
            shape->elsewhere |= trace->steps[s].step.chosen.token.id >= 0;
    }
}

/* Steps [first, end): one sequence, under its heading where there are several. */
static void sequence_table(nt_frame *frame, const steps_shape *shape, char (*titles)[32],
                           nt_buffer *text, size_t first, size_t end) {
    const nt_result *trace = frame->trace;
    if (first > 0) nt_paint_end(&frame->paint);
    if (shape->several) {
        nt_frame_figure(frame, "sequence ", nt_figure_count(trace->steps[first].step.sequence), "",
                        NT_STYLE_BOLD);
        nt_frame_line(frame);
    }
    steps_columns(&frame->sheet, shape, titles);
    for (size_t s = first; s < end && text->status == NT_OK; s++) {
        nt_view_input(text, trace, s);
        steps_row(frame, &trace->steps[s], shape, text);
    }
    nt_frame_sheet(frame);
}

void nt_table_steps(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_arena arena = {0};
    nt_buffer text = {0};
    bool sampled = nt_view_sampled(trace);
    steps_shape shape = {
        .raw = !sampled || frame->paint.width >= WIDE, .processed = sampled, .elsewhere = sampled};
    for (size_t s = 0; s < trace->n_steps; s++)
        if (trace->steps[s].n_candidates > shape.k) shape.k = trace->steps[s].n_candidates;
    shape.marked = nt_arena_alloc(&arena, shape.k + 1, sizeof *shape.marked);
    char(*titles)[32] = nt_arena_alloc(&arena, shape.k + 1, sizeof *titles);
    if (shape.marked && titles) {
        size_t first = 0;
        measure_steps(&shape, trace);
        shape.several = nt_view_sequence_end(trace, 0) < trace->n_steps;
        do {
            size_t end = nt_view_sequence_end(trace, first);
            sequence_table(frame, &shape, titles, &text, first, end);
            first = end;
        } while (first < trace->n_steps);
        if (frame->sheet.status == NT_OK) frame->sheet.status = text.status;
    } else {
        frame->sheet.status = NT_E_MEMORY;
    }
    if (sampled && trace->n_steps > 0) {
        nt_frame_part(frame,
                      shape.raw ? "probabilities before and after temperature, top-k and top-p"
                                : "probabilities after temperature, top-k and top-p",
                      NT_STYLE_DIM);
        nt_frame_line(frame);
    }
    nt_buffer_free(&text);
    nt_arena_free(&arena);
}
