/* What each layer would say, as a grid in the terminal: layers from the last down, positions side
 * by side, and all candidates of one position as a table. */
#include <string.h>

#include "view/frame.h"
#include "view/inside.h"

enum { LABEL = 10, TOKEN = 9, PERCENT = 3, MOST_CHOICES = 10 };

/* What a class is drawn on: from nothing to dark. */
static uint8_t style_of(int class) {
    static const uint8_t styles[] = {NT_STYLE_DIM, 0, NT_STYLE_GROUND | NT_STYLE_CYAN,
                                     NT_STYLE_GROUND | NT_STYLE_BLUE};
    return styles[class];
}

static void end_line(nt_frame *frame) {
    nt_frame_put(frame);
    nt_strip_clear(&frame->line);
}

static void label(nt_frame *frame, const char *name, uint8_t style) {
    nt_strip *line = &frame->line;
    size_t used = strlen(name);
    nt_strip_puts(line, name, style);
    for (; used < LABEL; used++)
        nt_strip_puts(line, " ", 0);
}

/* "34", right in its two columns: whole percents, where there are no colours. */
static void put_percent(nt_strip *line, double prob) {
    int percent = (int)(100 * prob + 0.5);
    const nt_figure figure = nt_figure_plain(percent > 99 ? 99 : percent);
    nt_strip_puts(line, percent < 10 ? "  " : " ", 0);
    nt_strip_puts(line, percent < 1 ? "." : figure.s, NT_STYLE_DIM);
}

static void put_cell(nt_frame *frame, const nt_layer_cell *cell, bool decided) {
    nt_strip *line = &frame->line;
    bool color = frame->paint.color;
    const nt_layer_choice *top = cell->n_likeliest > 0 ? &cell->likeliest[0] : NULL;
    uint8_t style = top && color ? style_of(nt_layer_class(top->prob)) : 0;
    const char *mark = line->ascii ? ">" : "\xE2\x96\xB8";
    nt_strip_puts(line, " ", 0);
    nt_strip_puts(line, decided ? mark : " ", decided ? style & (uint8_t)~NT_STYLE_DIM : style);
    nt_token none = {.id = -1, .bytes = ""};
    nt_inside_token(line, top ? &top->token : &none, TOKEN - 1, style);
    if (!color) put_percent(line, top ? top->prob : 0);
}

/* One row of tokens above or below the grid. */
static void token_row(nt_frame *frame, const char *name, const nt_token *tokens, nt_window shown,
                      size_t width, uint8_t style) {
    label(frame, name, NT_STYLE_DIM);
    for (size_t i = 0; i < shown.n; i++) {
        nt_strip_puts(&frame->line, "  ", 0);
        nt_inside_token(&frame->line, &tokens[shown.first + i], TOKEN - 1, style);
        for (size_t k = TOKEN; k < width; k++)
            nt_strip_puts(&frame->line, " ", 0);
    }
    end_line(frame);
}

static void number_row(nt_frame *frame, nt_window shown, size_t width) {
    label(frame, "position", NT_STYLE_DIM);
    for (size_t i = 0; i < shown.n; i++) {
        const nt_figure number = nt_figure_plain((double)(shown.first + i));
        nt_strip_puts(&frame->line, "  ", 0);
        nt_strip_puts(&frame->line, number.s, NT_STYLE_DIM);
        for (size_t k = strlen(number.s) + 1; k < width; k++)
            nt_strip_puts(&frame->line, " ", 0);
    }
    end_line(frame);
}

static void legend(nt_frame *frame) {
    static const char *const classes[] = {"<1 %", "1 to 10 %", "10 to 50 %", "50 % and up"};
    nt_strip *line = &frame->line;
    nt_strip_puts(line, line->ascii ? ">" : "\xE2\x96\xB8", 0);
    nt_inside_words(line, " first with the final answer", NT_STYLE_DIM);
    if (frame->paint.color) {
        for (int class = 0; class < 4; class ++) {
            bool ground = style_of(class) & NT_STYLE_GROUND;
            nt_strip_puts(line, "  ", NT_STYLE_BREAK);
            nt_strip_puts(line, ground ? " " : "", style_of(class));
            nt_strip_puts(line, classes[class], style_of(class));
            nt_strip_puts(line, ground ? " " : "", style_of(class));
        }
    } else {
        nt_strip_puts(line, line->ascii ? ", " : " \xC2\xB7 ", NT_STYLE_DIM);
        nt_inside_words(line, "with its probability in percent", NT_STYLE_DIM);
    }
    end_line(frame);
}

static void grid(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    size_t width = TOKEN + (frame->paint.color ? 0 : PERCENT);
    size_t room = frame->paint.width > LABEL + width + 1 ? frame->paint.width - LABEL : width + 1;
    nt_window shown = nt_inside_window(trace, frame->position, room / (width + 1));
    number_row(frame, shown, width);
    token_row(frame, "reads", trace->tokens, shown, width, NT_STYLE_BOLD);
    for (size_t layer = trace->n_layers; layer-- > 0;) {
        label(frame, nt_layer_name_of(layer).s, NT_STYLE_DIM);
        for (size_t t = shown.first; t < shown.first + shown.n; t++)
            put_cell(frame, nt_result_layer(trace, layer, t), layer == nt_layer_decided(trace, t));
        end_line(frame);
    }
    if (shown.first + shown.n == trace->n_tokens && shown.n > 0)
        shown.n--; /* behind the text nothing stands */
    token_row(frame, "then", trace->layer_next, shown, width, NT_STYLE_BOLD);
    nt_frame_gap(frame);
    legend(frame);
    nt_inside_note(&frame->line, trace,
                   nt_inside_window(trace, frame->position, room / (width + 1)), "positions");
    if (frame->line.n > 0) end_line(frame);
}

/* ---- One position ---------------------------------------------------------------------------- */

static void detail_columns(nt_frame *frame, size_t k) {
    static const char *const titles[] = {"likeliest", "2nd", "3rd", "4th", "5th",
                                         "6th",       "7th", "8th", "9th", "10th"};
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "layer"});
    for (size_t i = 0; i < k; i++) {
        int hide = i == 0 ? 0 : (int)(k - i);
        nt_sheet_column(sheet,
                        (nt_column){.title = titles[i], .comfort = 6, .mono = true, .hide = hide});
        nt_sheet_column(sheet, (nt_column){.align = NT_RIGHT, .joined = true});
    }
    nt_sheet_column(sheet,
                    (nt_column){.title = "entropy", .align = NT_RIGHT, .hide = MOST_CHOICES + 1});
    nt_sheet_column(sheet, (nt_column){.title = "next: rank", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "", .align = NT_RIGHT, .joined = true});
}

static void details(nt_frame *frame, size_t t) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    size_t k = trace->n_layer_choices < MOST_CHOICES ? trace->n_layer_choices : MOST_CHOICES;
    nt_strip *line = &frame->line;
    nt_strip_puts(line, "position ", NT_STYLE_DIM);
    nt_strip_puts(line, nt_figure_count(t).s, NT_STYLE_BOLD);
    nt_strip_puts(line, ": after ", NT_STYLE_DIM);
    nt_inside_token(line, &trace->tokens[t], 24, 0);
    while (line->n > 0 && line->bytes.data[line->glyphs[line->n - 1].at] == ' ')
        line->n--;
    nt_strip_puts(line, t + 1 < trace->n_tokens ? " comes " : ", the model says ", NT_STYLE_DIM);
    nt_inside_token(line, &trace->layer_next[t], 24, NT_STYLE_BOLD);
    end_line(frame);
    detail_columns(frame, k);
    for (size_t layer = trace->n_layers; layer-- > 0;) {
        const nt_layer_cell *cell = nt_result_layer(trace, layer, t);
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_layer_name_of(layer).s, NT_STYLE_DIM);
        for (size_t i = 0; i < k; i++) {
            const nt_layer_choice *choice = i < cell->n_likeliest ? &cell->likeliest[i] : NULL;
            if (!choice) {
                nt_sheet_puts(sheet, "", 0);
                nt_sheet_puts(sheet, "", 0);
                continue;
            }
            bool next = choice->token.id == trace->layer_next[t].id;
            nt_sheet_token(sheet, "", &choice->token, next ? NT_STYLE_BOLD : 0);
            nt_sheet_puts(sheet, nt_figure_percent(choice->prob).s, NT_STYLE_DIM);
        }
        nt_sheet_puts(sheet, nt_figure_fixed(frame->in.scale * cell->entropy, 2).s, NT_STYLE_DIM);
        nt_sheet_puts(sheet, nt_figure_count((uint64_t)cell->next_rank).s, 0);
        nt_sheet_puts(sheet, nt_figure_percent(cell->next_prob).s, NT_STYLE_DIM);
    }
    nt_frame_sheet(frame);
}

void nt_table_layers(nt_frame *frame) {
    if (frame->trace->n_tokens == 0) return;
    grid(frame);
    if (frame->position < 0) return;
    nt_frame_gap(frame);
    details(frame, (size_t)frame->position);
}
