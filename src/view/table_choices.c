/* The table of choices, step by step. */
#include <string.h>

#include "view/changes.h"
#include "view/frame.h"
#include "view/input.h"

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
    bool pushed;    /* a column for likely choices that processors pushed out */
    size_t shown;   /* choices that some table had room for */
    nt_names out;   /* options that removed a choice: its figure is their number here */
    size_t first[NT_MOST_NAMES]; /* the first choice that they removed */
} steps_shape;

/* Every column counts here: no blank before the sign. */
static nt_figure tight_percent(double p) {
    nt_figure percent = nt_figure_percent(p);
    char *blank = strchr(percent.s, ' ');
    if (blank) memmove(blank, blank + 1, strlen(blank));
    return percent;
}

/* "[2]": see below the table. */
static nt_figure note_mark(size_t number) {
    nt_figure note = {"["};
    strcat(note.s, nt_figure_count(number + 1).s);
    strcat(note.s, "]");
    return note;
}

/* Choice i (the chosen one that stands elsewhere: 0) is out: its mark. */
static nt_figure removed_mark(steps_shape *shape, const char *option, size_t i) {
    size_t n_known = shape->out.n, number = nt_names_add(&shape->out, option);
    if (number < NT_MOST_NAMES && (number == n_known || i < shape->first[number]))
        shape->first[number] = i;
    return note_mark(number);
}

static void choice_cells(nt_frame *frame, steps_shape *shape, const nt_candidate *c, size_t i,
                         bool marked, bool chosen) {
    const char *mark = frame->paint.ascii ? ">" : "\xE2\x96\xB8";
    marked = marked && !frame->picture && !frame->page; /* which frame the cell */
    const char *removed = nt_view_removed_by(c);
    uint8_t style = chosen ? NT_STYLE_GREEN | NT_STYLE_BOLD : removed ? NT_STYLE_DIM : 0;
    uint8_t figures = chosen ? style : NT_STYLE_DIM;
    nt_sheet_token(&frame->sheet, !marked ? "" : chosen ? mark : " ", &c->token, style);
    nt_sheet_shade(&frame->sheet, shape->processed ? c->processed_prob : c->prob, style);
    if (shape->raw)
        nt_sheet_puts(&frame->sheet, tight_percent(c->prob).s,
                      shape->processed ? NT_STYLE_DIM : figures);
    if (!shape->processed) return;
    nt_figure figure = removed ? removed_mark(shape, removed, i) : tight_percent(c->processed_prob);
    nt_sheet_puts(&frame->sheet, figure.s, figures);
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

/* What moved a candidate from among the likeliest. */
static const char *pushed_by(const nt_candidate *c) {
    const char *removed = nt_view_removed_by(c);
    if (removed || c->n_changes == 0) return removed;
    return c->changes[c->n_changes - 1].option;
}

static void pushed_cell(nt_sheet *sheet, const nt_trace_step *step) {
    nt_sheet_puts(sheet, "", 0);
    for (size_t i = 0; i < step->n_demoted; i++) {
        const nt_candidate *c = &step->demoted[i];
        const char *by = pushed_by(c);
        if (i > 0) nt_sheet_more(sheet, ", ", NT_STYLE_DIM);
        nt_sheet_more_token(sheet, &c->token, 0);
        nt_sheet_more(sheet, " ", 0);
        nt_sheet_more(sheet, tight_percent(c->prob).s, NT_STYLE_DIM);
        if (by) nt_sheet_more(sheet, " ", 0);
        if (by) nt_sheet_more(sheet, by, NT_STYLE_DIM);
    }
}

static void steps_row(nt_frame *frame, const nt_trace_step *step, steps_shape *shape,
                      const nt_buffer *text) {
    nt_sheet_row(&frame->sheet, 0);
    nt_sheet_puts(&frame->sheet, nt_figure_count(step->step.index).s, NT_STYLE_DIM);
    input_cell(frame, text);
    for (size_t i = 0; i < shape->k; i++) {
        if (i < step->n_candidates)
            choice_cells(frame, shape, &step->candidates[i], i, shape->marked[i],
                         is_chosen(step, i));
        else
            for (int cell = 0; cell < 1 + shape->raw + shape->processed; cell++)
                nt_sheet_puts(&frame->sheet, "", 0);
    }
    if (shape->elsewhere) choice_cells(frame, shape, &step->step.chosen, 0, true, true);
    if (shape->pushed) pushed_cell(&frame->sheet, step);
}

static void choice_columns(nt_sheet *sheet, const char *title, int hide, int n_figures) {
    nt_sheet_column(
        sheet,
        (nt_column){
            .title = title, .mono = true, .shaded = true, .comfort = CHOICE_COMFORT, .hide = hide});
    for (int i = 0; i < n_figures; i++)
        nt_sheet_column(sheet, (nt_column){.align = NT_RIGHT, .joined = true});
}

/* Where the taken token has a column of its own, that is the last to be hidden. */
static void steps_columns(nt_sheet *sheet, const steps_shape *shape, char (*titles)[32]) {
    int k = (int)shape->k, n_figures = shape->raw + shape->processed;
    nt_sheet_column(sheet, (nt_column){.title = "step", .align = NT_RIGHT, .hide = k + 2});
    nt_sheet_column(
        sheet,
        (nt_column){.title = "input", .mono = true, .cut_left = true, .comfort = INPUT_COMFORT});
    for (int i = 0; i < k; i++) {
        strcpy(titles[i], "choice ");
        strcat(titles[i], nt_figure_plain(i + 1).s);
        choice_columns(sheet, titles[i], i > 0 || shape->elsewhere ? k - i : 0, n_figures);
    }
    if (shape->elsewhere) choice_columns(sheet, "chosen", 0, n_figures);
    if (shape->pushed)
        nt_sheet_column(sheet, (nt_column){.title = "pushed out", .comfort = INPUT_COMFORT});
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
static void sequence_table(nt_frame *frame, steps_shape *shape, char (*titles)[32], nt_buffer *text,
                           size_t first, size_t end) {
    const nt_result *trace = frame->trace;
    if (first > 0) nt_frame_gap(frame);
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
    size_t hidden = frame->hidden; /* of the tables before */
    frame->hidden = 0;
    nt_frame_sheet(frame);
    size_t shown = shape->k > frame->hidden ? shape->k - frame->hidden : 0;
    if (shown > shape->shown) shape->shown = shown;
    if (hidden > frame->hidden) frame->hidden = hidden;
}

/* "probabilities before and after top_k, top_p": the options that changed something. */
static void measured(nt_frame *frame, const steps_shape *shape) {
    const nt_result *trace = frame->trace;
    nt_names acting = {0};
    nt_buffer text = {0};
    for (size_t s = 0; s < trace->n_steps; s++)
        nt_names_of_step(&acting, &trace->steps[s]);
    nt_buffer_puts(&text, shape->raw ? "probabilities before and after " : "probabilities after ");
    for (size_t i = 0; i < acting.n; i++) {
        if (i > 0) nt_buffer_puts(&text, ", ");
        nt_buffer_puts(&text, acting.names[i]);
    }
    if (acting.n == 0) nt_buffer_puts(&text, "processing");
    if (text.status == NT_OK)
        nt_frame_part(frame, text.data, NT_STYLE_DIM);
    else
        frame->line.status = text.status;
    nt_buffer_free(&text);
}

static size_t count_demoted(const nt_result *trace) {
    size_t n = 0;
    for (size_t s = 0; s < trace->n_steps; s++)
        n += trace->steps[s].n_demoted;
    return n;
}

/* What the table's marks mean, and what it has no room for. */
static void steps_notes(nt_frame *frame, const steps_shape *shape) {
    const nt_result *trace = frame->trace;
    size_t n_demoted = count_demoted(trace);
    measured(frame, shape);
    nt_frame_line(frame);
    for (size_t i = 0; i < shape->out.n; i++) {
        char text[128] = "";
        if (shape->first[i] > 0 && shape->first[i] >= shape->shown) continue;
        strcat(text, note_mark(i).s);
        strcat(text, " removed by ");
        strncat(text, shape->out.names[i], 48);
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
    if (n_demoted > 0 && !shape->pushed) {
        nt_frame_figure(frame, "", nt_figure_count(n_demoted),
                        n_demoted == 1 ? " likely choice pushed out: see --json"
                                       : " likely choices pushed out: see --json",
                        NT_STYLE_DIM);
    }
    nt_frame_line(frame);
}

void nt_table_steps(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_arena arena = {0};
    nt_buffer text = {0};
    bool sampled = nt_view_sampled(trace);
    bool processed = nt_view_processed(trace);
    steps_shape shape = {.raw = !processed || frame->paint.width >= WIDE,
                         .processed = processed,
                         .elsewhere = sampled,
                         .pushed = frame->page && processed && count_demoted(trace) > 0};
    for (size_t s = 0; s < trace->n_steps; s++)
        if (trace->steps[s].n_candidates > shape.k) shape.k = trace->steps[s].n_candidates;
    shape.marked = nt_arena_alloc(&arena, shape.k + 1, sizeof *shape.marked);
    char(*titles)[32] = nt_arena_alloc(&arena, shape.k + 1, sizeof *titles);
    if (shape.marked && titles) {
        size_t first = 0;
        measure_steps(&shape, trace);
        shape.several = nt_view_sequence_end(trace, 0) < trace->n_steps;
        while (first < trace->n_steps) {
            size_t end = nt_view_sequence_end(trace, first);
            sequence_table(frame, &shape, titles, &text, first, end);
            first = end;
        }
        if (frame->sheet.status == NT_OK) frame->sheet.status = text.status;
    } else {
        frame->sheet.status = NT_E_MEMORY;
    }
    if (processed && trace->n_steps > 0) steps_notes(frame, &shape);
    nt_frame_proof(frame);
    nt_buffer_free(&text);
    nt_arena_free(&arena);
}
