/* The page around a result: head, heading, figure, tables, footer, and the result itself. */
#include "view/page/page.h"

#include <string.h>

#include "view/frame.h"
#include "view/input.h"
#include "view/page/figures.h"
#include "view/page/put.h"

/* The first that fits is drawn. */
static const nt_page_figure *const figures[] = {&nt_figure_strip,
                                                &nt_figure_beams,
                                                &nt_figure_exact,
                                                &nt_figure_heat,
                                                &nt_figure_versus,
                                                &nt_figure_inside,
                                                NULL};

static const nt_page_figure *figure_of(const nt_result *trace) {
    for (size_t i = 0; figures[i]; i++)
        if (figures[i]->fits(trace)) return figures[i];
    return NULL;
}

static const char *label_of(const nt_result *trace) {
    switch (trace->kind) {
    case NT_RESULT_TOKENS: return "TOKENS";
    case NT_RESULT_TEXT: return "TEXT";
    case NT_RESULT_NEXT: return "NEXT TOKEN";
    case NT_RESULT_STEPS: return "STEP BY STEP";
    case NT_RESULT_GENERATE: return "CONTINUATIONS";
    case NT_RESULT_SCORE: return "SCORE";
    case NT_RESULT_CONTINUATIONS: return "ENDINGS COMPARED";
    case NT_RESULT_PERPLEXITY: return "PERPLEXITY";
    case NT_RESULT_INSPECT: return "INSIDE THE MODEL";
    case NT_RESULT_INFO: return "MODEL";
    case NT_RESULT_COMPARED: return "TOKENIZERS COMPARED";
    case NT_RESULT_COUNTS: return "TOKEN COUNTS";
    case NT_RESULT_EXPLAIN: return "EXPLAINED";
    case NT_RESULT_VERSUS: return "TWO COMPARED";
    case NT_RESULT_TENSORS: return "TENSORS";
    case NT_RESULT_DIFF: return "TENSORS COMPARED";
    case NT_RESULT_BENCH: return "SPEED";
    }
    return "RESULT";
}

enum { MOST_HEADING = 96 }; /* characters */

/* Whether what comes behind the text is what the page is about. */
static bool goes_on(const nt_result *trace) {
    return trace->kind == NT_RESULT_NEXT || trace->kind == NT_RESULT_STEPS ||
           trace->kind == NT_RESULT_GENERATE;
}

typedef struct stretch {
    size_t from, to;
} stretch;

static bool is_inside(char byte) { /* a character, which began before it */
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* What a heading shows of a text [n]: all of a short one, else its beginning, or (last) its end,
 * cut between words where one ends near. */
static stretch heading_of(const char *text, size_t n, bool last) {
    size_t at = 0, behind = n, characters = 0;
    if (last) {
        for (size_t i = n; i > 0 && characters < MOST_HEADING; at = --i)
            characters += !is_inside(text[i - 1]);
    } else {
        for (behind = 0; behind < n; behind++)
            if (!is_inside(text[behind]) && characters++ == MOST_HEADING) break;
    }
    if (at == 0 && behind == n) return (stretch){0, n};
    size_t half = (behind - at) / 2, edge = last ? at : behind;
    for (size_t i = 0; i < half; i++) {
        char c = text[last ? at + i : behind - i];
        if (c != ' ' && c != '\n') continue;
        edge = last ? at + i + 1 : behind - i;
        break;
    }
    return last ? (stretch){edge, n} : (stretch){0, edge};
}

/* The text that the result is about; ids where there is no tokenizer; without either the option, or
 * the model, that is told of. */
static void find_text(nt_buffer *text, const nt_result *trace) {
    char room[256];
    nt_view_input(text, trace, 0);
    bool ids = text->n == 0;
    for (size_t i = 0; ids && i < trace->n_tokens; i++)
        nt_buffer_printf(text, i > 0 ? " #%d" : "#%d", (int)trace->tokens[i].id);
    if (text->n > 0 || text->status != NT_OK) return;
    if (trace->option)
        nt_buffer_puts(text, trace->option->name);
    else if (trace->model)
        nt_buffer_puts(text, nt_frame_name(trace->model, room, sizeof room));
}

/* The text in so far as headings show it. False: it is cut. */
static bool put_prompt(nt_buffer *out, const nt_result *trace) {
    nt_buffer text = {0};
    find_text(&text, trace);
    if (text.status != NT_OK) out->status = text.status;
    stretch s = text.n > 0 ? heading_of(text.data, text.n, goes_on(trace)) : (stretch){0, 0};
    bool whole = s.from == 0 && s.to == text.n;
    if (s.from > 0) nt_buffer_puts(out, "\xE2\x80\xA6 ");
    if (text.n > 0) nt_html_escape(out, text.data + s.from, s.to - s.from);
    if (s.to < text.n) nt_buffer_puts(out, " \xE2\x80\xA6");
    nt_buffer_free(&text);
    return whole;
}

/* What the heading left out, where the page does not show the text anyway. */
static void put_whole(nt_buffer *out, const nt_result *trace) {
    nt_buffer text = {0};
    find_text(&text, trace);
    if (text.status != NT_OK) out->status = text.status;
    nt_buffer_puts(out, "<details class=\"whole\"><summary>the whole text</summary><pre>\n");
    if (text.n > 0) nt_html_escape(out, text.data, text.n);
    nt_buffer_puts(out, "</pre></details>\n");
    nt_buffer_free(&text);
}

static void put_head(nt_page *page, const nt_page_figure *figure, const char *label) {
    nt_buffer *out = page->out;
    nt_page_part style = nt_page_style();
    nt_buffer_puts(out,
                   "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                   "<meta name=\"generator\" content=\"nextoken\">\n<title>");
    put_prompt(out, page->trace);
    nt_buffer_puts(out, " \xC2\xB7 ");
    nt_html_puts(out, label);
    nt_buffer_puts(out, "</title>\n<style>\n");
    nt_buffer_put(out, style.bytes, style.n);
    if (figure && figure->style) {
        style = figure->style();
        nt_buffer_put(out, style.bytes, style.n);
    }
    nt_buffer_puts(out, "</style>\n</head>\n<body>\n");
}

static void put_heading(nt_page *page, const nt_page_figure *figure, const char *label) {
    nt_buffer *out = page->out;
    nt_buffer_puts(out, "<header>\n<button id=\"theme\" hidden></button>\n<p class=\"label\">");
    nt_html_puts(out, label);
    nt_buffer_puts(out, "</p>\n<h1>");
    bool whole = put_prompt(out, page->trace);
    if (goes_on(page->trace))
        nt_buffer_puts(out, "<span class=\"slot\" aria-hidden=\"true\">____</span>");
    nt_buffer_puts(out, "</h1>\n");
    if (!whole && !(figure && figure->shows_text)) put_whole(out, page->trace);
    nt_buffer_puts(out, "</header>\n");
}

/* The result, for the page's scripts and for whoever wants the numbers back. */
static void put_result(nt_page *page, const nt_page_figure *figure) {
    nt_view_options options = *page->options;
    nt_buffer json = {0}, *out = page->out;
    nt_page_part script = nt_page_script();
    options.format = NT_JSON;
    options.trace = true;
    int status = nt_view_json_on_page(&json, page->trace, &options);
    if (status != NT_OK) out->status = status;
    nt_buffer_puts(out, "<script type=\"application/json\" id=\"result\">");
    if (status == NT_OK && json.n > 0) nt_html_json(out, json.data, json.n);
    nt_buffer_puts(out, "</script>\n<script>\n");
    nt_buffer_put(out, script.bytes, script.n);
    if (figure && figure->library) {
        script = figure->library();
        nt_buffer_put(out, script.bytes, script.n);
    }
    if (figure && figure->script) {
        script = figure->script();
        nt_buffer_put(out, script.bytes, script.n);
    }
    nt_buffer_puts(out, "</script>\n");
    nt_buffer_free(&json);
}

int nt_view_html(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    const nt_page_figure *figure = figure_of(trace);
    const char *label = figure ? figure->label : label_of(trace);
    nt_page page = {.out = out, .trace = trace, .options = options};
    nt_frame frame = {.trace = trace,
                      .page = &page,
                      .in = nt_measure_of(options->bits),
                      .paint = {.out = out, .width = NT_PAGE_COLUMNS},
                      .most_rows = -1};
    put_head(&page, figure, label);
    put_heading(&page, figure, label);
    nt_buffer_puts(out, "<main>\n");
    if (figure) {
        nt_buffer_puts(out, "<figure>\n");
        figure->draw(&page);
        nt_buffer_puts(out, "</figure>\n");
    }
    int status = nt_frame_end(&frame, nt_frame_show(&frame));
    nt_buffer_puts(out, "</main>\n");
    put_result(&page, figure);
    nt_buffer_puts(out, "</body>\n</html>\n");
    return status == NT_OK ? out->status : status;
}
