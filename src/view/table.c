/* The human view: picks the table of a result's kind and puts the footer under it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/changes.h"
#include "view/frame.h"
#include "view/page/page.h"
#include "view/svg.h"
#include "view/tree.h"
#include "view/view.h"

enum { DEFAULT_WIDTH = 80, MOST_WIDTH = 1 << 20 };

void nt_frame_part(nt_frame *frame, const char *utf8, uint8_t style) {
    nt_strip *line = &frame->line;
    if (line->n > 0) {
        nt_strip_puts(line, line->ascii ? " |" : " \xC2\xB7", NT_STYLE_DIM);
        nt_strip_puts(line, " ", NT_STYLE_DIM | NT_STYLE_BREAK);
    }
    size_t first = line->n;
    nt_strip_show(line, utf8, strlen(utf8), NT_SHOW_TEXT, style);
    size_t width = nt_strip_width(line, first, line->n - first) + strlen(" .");
    if (line->status != NT_OK || width > frame->paint.width) return;
    for (size_t i = first; i < line->n; i++) /* a part that fits a line with its dot stays whole */
        line->glyphs[i].style &= (uint8_t)~NT_STYLE_BREAK;
}

void nt_frame_put(nt_frame *frame) {
    if (frame->picture)
        nt_svg_line(frame->picture, &frame->line);
    else if (frame->page)
        nt_page_line(frame->page, &frame->line);
    else
        nt_paint_wrap(&frame->paint, &frame->line, 0, frame->line.n);
}

void nt_frame_line(nt_frame *frame) {
    if (frame->line.status == NT_OK && frame->line.n > 0) nt_frame_put(frame);
    nt_strip_clear(&frame->line);
}

void nt_frame_figure(nt_frame *frame, const char *before, nt_figure x, const char *behind,
                     uint8_t style) {
    char text[192] = "";
    strncat(text, before, 60);
    strcat(text, x.s);
    strncat(text, behind, 60);
    nt_frame_part(frame, text, style);
}

void nt_frame_gap(nt_frame *frame) {
    if (frame->picture)
        nt_svg_gap(frame->picture);
    else if (!frame->page)
        nt_paint_end(&frame->paint);
}

void nt_frame_sheet(nt_frame *frame) {
    size_t hidden = 0;
    if (frame->picture)
        nt_svg_sheet(frame->picture, &frame->sheet);
    else if (frame->page)
        nt_page_sheet(frame->page, &frame->sheet);
    else
        hidden = nt_sheet_print(&frame->sheet, &frame->paint);
    if (hidden > frame->hidden) frame->hidden = hidden;
    nt_sheet_reset(&frame->sheet);
}

/* Names that tell nothing: the folder's is meant. */
static bool is_common(const char *name, size_t n) {
    static const char *const common[] = {"tokenizer.json", "model.safetensors"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strlen(common[i]) == n && memcmp(common[i], name, n) == 0) return true;
    return false;
}

/* Where OWNER/REPO@REVISION has its '@': a slash in a revision parts no folders. 0: it is none. */
static size_t revision_at(const char *path) {
    size_t at = strcspn(path, "@"), owner = strcspn(path, "/");
    bool name = path[at] && path[0] != '/' && path[0] != '.' && path[0] != '~';
    return name && (owner > at || owner + 1 + strcspn(path + owner + 1, "/@") == at) ? at : 0;
}

const char *nt_frame_name(const char *path, char *room, size_t n_room) {
    size_t n = strlen(path), start = 0, revision = revision_at(path);
    for (bool again = true; again;) {
        while (n > 1 && path[n - 1] == '/')
            n--;
        start = revision ? revision : n;
        while (start > 0 && path[start - 1] != '/')
            start--;
        again = start > 1 && is_common(path + start, n - start);
        if (again) n = start - 1;
    }
    n -= start;
    if (n == 0 || n >= n_room) return path;
    memcpy(room, path + start, n);
    room[n] = 0;
    return room;
}

/* "greedy", or "sample, seed 42". */
static void method(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    if (!trace->method) return;
    char text[128] = "";
    strncat(text, trace->method, 64);
    if (trace->seeded) sprintf(text + strlen(text), ", seed %" PRIu64, trace->seed);
    nt_frame_part(frame, text, NT_STYLE_DIM);
}

/* "drafted 120, taken 97 in 31 passes". */
static void drafts(nt_frame *frame) {
    const nt_effort *effort = &frame->trace->effort;
    if (!nt_view_assisted(frame->trace)) return;
    char text[160] = "drafted ";
    strcat(text, nt_figure_count(effort->n_drafted).s);
    strcat(text, ", taken ");
    strcat(text, nt_figure_count(effort->n_accepted).s);
    strcat(text, " in ");
    strcat(text, nt_figure_count(effort->n_passes).s);
    strcat(text, effort->n_passes == 1 ? " pass" : " passes");
    nt_frame_part(frame, text, NT_STYLE_DIM);
}

static void token_count(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    char text[128] = "";
    size_t made = 0;
    double read = nt_fact_number_of(trace, "tokens", (double)trace->n_tokens);
    for (size_t i = 0; i < trace->n_outputs; i++)
        made += trace->outputs[i].n_ids;
    if (trace->n_outputs == 0 && trace->kind == NT_RESULT_STEPS) made = trace->n_steps;
    strcat(text, nt_figure_tally(read).s);
    if (made > 0) {
        strcat(text, " + ");
        strcat(text, nt_figure_count(made).s);
    }
    strcat(text, read + (double)made == 1 ? " token" : " tokens");
    if (trace->kind == NT_RESULT_CONTINUATIONS) strcat(text, " of context");
    if (trace->kind != NT_RESULT_TOKENS)
        nt_frame_part(frame, text, NT_STYLE_DIM);      /* stands above */
    if (trace->bos || trace->kind != NT_RESULT_TOKENS) /* where the tokens tell themselves */
        nt_frame_part(frame, trace->bos ? "BOS added" : "no BOS", NT_STYLE_DIM);
}

bool nt_frame_is_kept(const nt_frame *frame) {
    return frame->picture || frame->page || frame->lasting;
}

/* f32 gives the same bits on every instruction set: what is kept is then the same on every
 * machine. */
static bool isa_matters(const nt_frame *frame) {
    const char *precision = frame->trace->precision;
    return !nt_frame_is_kept(frame) || !precision || strcmp(precision, "f32") != 0;
}

/* One line behind what the table itself put there, and one more when columns are missing. */
static void footer(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    char room[256];
    const char *heads[] = {trace->model ? nt_frame_name(trace->model, room, sizeof room) : NULL,
                           trace->precision, isa_matters(frame) ? trace->isa : NULL};
    bool tokens = trace->kind == NT_RESULT_TOKENS; /* no arithmetic */
    bool several = trace->kind == NT_RESULT_COMPARED || trace->kind == NT_RESULT_COUNTS ||
                   trace->kind == NT_RESULT_DIFF;
    for (size_t i = 0; !several && i < (tokens ? 1 : sizeof heads / sizeof *heads); i++)
        if (heads[i] && heads[i][0]) nt_frame_part(frame, heads[i], NT_STYLE_DIM);
    method(frame);
    drafts(frame);
    bool words = trace->kind == NT_RESULT_EXPLAIN && trace->n_tokens == 0; /* no prompt */
    bool of_model = trace->kind == NT_RESULT_INFO || trace->kind == NT_RESULT_TENSORS ||
                    trace->kind == NT_RESULT_BENCH;
    if (!of_model && !several && !words) token_count(frame);
    if (trace->milliseconds > 0 && !nt_frame_is_kept(frame)) {
        int decimals = trace->milliseconds < 0.1 ? 3 : trace->milliseconds < 10 ? 1 : 0;
        nt_frame_figure(frame, "", nt_figure_fixed(trace->milliseconds, decimals), " ms",
                        NT_STYLE_DIM);
    }
    if (frame->page) {
        nt_page_foot(frame->page, &frame->line);
        nt_strip_clear(&frame->line);
    }
    nt_frame_line(frame);
    if (frame->hidden > 0) {
        nt_frame_figure(frame, "+", nt_figure_count(frame->hidden),
                        frame->hidden == 1 ? " column hidden: widen the terminal, or use --csv"
                                           : " columns hidden: widen the terminal, or use --csv",
                        NT_STYLE_DIM);
        nt_frame_line(frame);
    }
}

/* A text is data: byte for byte when it goes to a file or a program; on a terminal (colour) line
 * by line, with what could drive the terminal made visible. */
static void plain_text(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_buffer *out = frame->paint.out;
    if (frame->page) {
        nt_page_text(frame->page, trace->text ? trace->text : "", trace->n_text);
        return;
    }
    if (!frame->paint.color) {
        nt_buffer_put(out, trace->text ? trace->text : "", trace->n_text);
        nt_buffer_putc(out, '\n');
        return;
    }
    for (size_t i = 0; i <= trace->n_text;) {
        size_t end = i;
        while (end < trace->n_text && trace->text[end] != '\n')
            end++;
        nt_strip_show(&frame->line, trace->text + i, end - i, NT_SHOW_TEXT, 0);
        for (size_t g = 0; frame->line.status == NT_OK && g < frame->line.n; g++)
            nt_buffer_put(out, frame->line.bytes.data + frame->line.glyphs[g].at,
                          frame->line.glyphs[g].n);
        nt_strip_clear(&frame->line);
        nt_buffer_putc(out, '\n');
        i = end + 1;
    }
}

int nt_frame_show(nt_frame *frame) {
    switch (frame->trace->kind) {
    case NT_RESULT_TOKENS: nt_table_tokens(frame); break;
    case NT_RESULT_COMPARED: nt_table_compared(frame); break;
    case NT_RESULT_COUNTS: nt_table_counts(frame); break;
    case NT_RESULT_TEXT: plain_text(frame); return NT_OK;
    case NT_RESULT_NEXT: nt_table_next(frame); break;
    case NT_RESULT_STEPS: nt_table_steps(frame); break;
    case NT_RESULT_GENERATE: nt_table_generate(frame); break;
    case NT_RESULT_SCORE: nt_table_score(frame); break;
    case NT_RESULT_CONTINUATIONS: nt_table_continuations(frame); break;
    case NT_RESULT_PERPLEXITY: nt_table_perplexity(frame); break;
    case NT_RESULT_INSPECT: nt_table_inspect(frame); break;
    case NT_RESULT_INFO: nt_table_info(frame); break;
    case NT_RESULT_EXPLAIN: nt_table_explain(frame); break;
    case NT_RESULT_VERSUS: nt_table_versus(frame); break;
    case NT_RESULT_TENSORS: nt_table_tensors(frame); break;
    case NT_RESULT_DIFF: nt_table_diff(frame); break;
    case NT_RESULT_BENCH: nt_table_bench(frame); break;
    default:
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no table",
                       (int)frame->trace->kind);
    }
    if (!frame->row_only) footer(frame);
    return NT_OK;
}

int nt_frame_end(nt_frame *frame, int status) {
    if (status == NT_OK) status = frame->sheet.status;
    if (status == NT_OK) status = frame->sheet.strip.status;
    if (status == NT_OK) status = frame->line.status;
    if (status == NT_OK) status = frame->titles.status;
    nt_buffer_free(&frame->titles);
    nt_sheet_free(&frame->sheet);
    nt_strip_free(&frame->line);
    return status;
}

int nt_view_table(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    int width = options->width > 0 ? options->width : DEFAULT_WIDTH;
    if (options->tree && !nt_tree_has(trace)) return nt_tree_refuse(trace);
    nt_frame frame = {.trace = trace,
                      .in = nt_measure_of(options->bits),
                      .tree = options->tree,
                      .tree_detail = options->tree_detail,
                      .paint = {.out = out,
                                .width = (size_t)(width < MOST_WIDTH ? width : MOST_WIDTH),
                                .color = options->color,
                                .ascii = options->ascii},
                      .heat = options->heat,
                      .position = options->position,
                      .skip_first = options->skip_first,
                      .lasting = options->lasting,
                      .text_shown = options->text_shown,
                      .most_rows = options->most_rows,
                      .row_only = options->plain >= 0 && trace->kind == NT_RESULT_TOKENS,
                      .n_plain = options->plain > 0 ? (size_t)options->plain : 0,
                      .sheet = {.strip = {.ascii = options->ascii}},
                      .line = {.ascii = options->ascii}};
    int status = nt_frame_end(&frame, nt_frame_show(&frame));
    return status == NT_OK ? out->status : status;
}
