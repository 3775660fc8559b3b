/* Where a head looks, as a matrix in the terminal: a row for each token that looks, shades for what
 * it looks at, and beside it in words what it looks at most. */
#include <math.h>
#include <string.h>

#include "view/frame.h"
#include "view/inside.h"

enum { NUMBER = 4, TOKEN = 11, MOST = 10, LEFT = NUMBER + 1 + TOKEN + 1, RIGHT = 21 };
enum { TICK = 5, NARROW = 60 }; /* narrower: without what is looked at most */

/* Columns of a cell: a shade, or a percentage behind a blank. */
static size_t cell_width(const nt_frame *frame) {
    return frame->line.ascii ? 3 : 2;
}

static void blanks(nt_strip *line, size_t n) {
    for (; n > 0; n--)
        nt_strip_puts(line, " ", 0);
}

/* Shades, or percents in ASCII. */
static void put_cell(nt_frame *frame, double share) {
    static const char *const shades[] = {"\xC2\xB7 ", "\xE2\x96\x91\xE2\x96\x91",
                                         "\xE2\x96\x92\xE2\x96\x92", "\xE2\x96\x93\xE2\x96\x93",
                                         "\xE2\x96\x88\xE2\x96\x88"};
    nt_strip *line = &frame->line;
    if (isnan(share)) {
        blanks(line, cell_width(frame));
        return;
    }
    if (line->ascii) {
        int percent = (int)(100 * share + 0.5);
        const nt_figure figure = nt_figure_plain(percent > 99 ? 99 : percent);
        nt_strip_puts(line, percent < 10 ? "  " : " ", 0);
        nt_strip_puts(line, percent < 1 ? "." : figure.s, percent < 1 ? NT_STYLE_DIM : 0);
        return;
    }
    int class = share >= 0.6 ? 4 : share >= 0.3 ? 3 : share >= 0.1 ? 2 : share >= 0.02 ? 1 : 0;
    nt_strip_puts(line, shades[class], class > 0 ? NT_STYLE_CYAN : NT_STYLE_DIM);
}

static void end_line(nt_frame *frame) {
    nt_frame_put(frame);
    nt_strip_clear(&frame->line);
}

/* Numbers of the columns, every fifth. */
static void ticks(nt_frame *frame, nt_window shown) {
    nt_strip *line = &frame->line;
    size_t width = cell_width(frame);
    blanks(line, LEFT);
    for (size_t i = 0; i < shown.n;) {
        nt_figure number = nt_figure_plain((double)(shown.first + i));
        size_t used = strlen(number.s);
        size_t cells = (used + width) / width; /* and a blank at least */
        if ((shown.first + i) % TICK != 0 || i + cells > shown.n + 1) {
            blanks(line, width);
            i++;
            continue;
        }
        nt_strip_puts(line, number.s, NT_STYLE_DIM);
        blanks(line, cells * width - used);
        i += cells;
    }
    if (frame->paint.width >= NARROW) nt_strip_puts(line, "  most at", NT_STYLE_DIM);
    end_line(frame);
}

static void put_row(nt_frame *frame, const nt_head_weights *of, size_t t, nt_window shown) {
    const nt_result *trace = frame->trace;
    nt_strip *line = &frame->line;
    nt_figure number = nt_figure_plain((double)t);
    size_t used = strlen(number.s), most = nt_attention_most(trace, of, t, frame->skip_first);
    blanks(line, used < NUMBER ? NUMBER - used : 0);
    nt_strip_puts(line, number.s, NT_STYLE_DIM);
    blanks(line, 1);
    nt_inside_token(line, &trace->tokens[t], TOKEN, 0);
    blanks(line, 1);
    for (size_t s = shown.first; s < shown.first + shown.n; s++) {
        if (s > t)
            blanks(line, cell_width(frame));
        else
            put_cell(frame, nt_attention_share(trace, of, t, s, frame->skip_first));
    }
    double share = nt_attention_share(trace, of, t, most, frame->skip_first);
    blanks(line, 2);
    if (!isnan(share) && frame->paint.width >= NARROW) {
        nt_inside_token(line, &trace->tokens[most], MOST, 0);
        nt_figure percent = nt_figure_percent(share);
        blanks(line, 9 > strlen(percent.s) ? 9 - strlen(percent.s) : 1);
        nt_strip_puts(line, percent.s, NT_STYLE_DIM);
    }
    end_line(frame);
}

static void notes(nt_frame *frame, nt_window shown) {
    if (!frame->line.ascii) {
        nt_inside_words(&frame->line,
                        "\xC2\xB7 under 2 %  \xE2\x96\x91 2 to 10 %  \xE2\x96\x92 10 to 30 %  "
                        "\xE2\x96\x93 30 to 60 %  \xE2\x96\x88 60 % and up",
                        NT_STYLE_DIM);
        end_line(frame);
    }
    if (frame->skip_first)
        nt_frame_part(frame, "shares of what the first token leaves", NT_STYLE_DIM);
    nt_frame_line(frame);
    nt_inside_note(&frame->line, frame->trace, shown, "tokens");
    if (frame->line.n > 0) end_line(frame);
}

/* What each head does, where all were kept. */
static void habits(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_frame_gap(frame);
    nt_sheet_column(sheet, (nt_column){.title = "head", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "first token", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "one before", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "itself", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "elsewhere", .align = NT_RIGHT});
    for (size_t i = 1; i < trace->n_attentions; i++) {
        nt_attention_habit habit = nt_attention_habit_of(trace, &trace->attentions[i]);
        const double shares[] = {habit.first, habit.previous, habit.itself, habit.rest};
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_figure_plain(trace->attentions[i].head).s, 0);
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
            nt_sheet_puts(sheet, nt_figure_percent(shares[k]).s,
                          shares[k] >= 0.5 ? NT_STYLE_BOLD : 0);
    }
    nt_frame_sheet(frame);
}

void nt_table_attention(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    if (trace->n_attentions == 0 || trace->n_tokens == 0) return;
    const nt_head_weights *of = &trace->attentions[0];
    size_t width = frame->paint.width, cell = cell_width(frame);
    size_t right = width < NARROW ? 0 : RIGHT;
    size_t room = width > LEFT + right + 2 * cell ? (width - LEFT - right) / cell : 2;
    nt_window shown = nt_inside_window(trace, frame->position, room);
    nt_inside_words(&frame->line, "attention of ", NT_STYLE_DIM);
    nt_inside_words(&frame->line, nt_attention_name_of(of).s, NT_STYLE_BOLD);
    end_line(frame);
    ticks(frame, shown);
    for (size_t t = shown.first; t < shown.first + shown.n; t++)
        put_row(frame, of, t, shown);
    nt_frame_gap(frame);
    notes(frame, shown);
    if (trace->n_attentions > 1) habits(frame);
}
