/* SVG: the page around a picture, its heading, its looks. */
#include "view/svg.h"

#include <stdio.h>
#include <string.h>

#include "view/frame.h"
#include "view/input.h"
#include "view/svg_inside.h"
#include "view/svg_line.h"
#include "view/svg_tree.h"
#include "view/tree_words.h"
#include "view/view.h"

enum { LABEL = 34, LINE = 18, GAP = 14, PROMPT_COLUMNS = 70, PROMPT_IDS = 9 };

/* Every rule says whose it is, so that a page that holds the picture keeps its own looks. The
 * colours have at least 4.5 : 1 on their grounds. Renderers that know no media queries show the
 * light one. */
static const char looks[] = NT_SVG_LOOKS
    ".nt .label{fill:#5a6478;font-size:11px;font-weight:600;letter-spacing:.09em}\n"
    ".nt .prompt{font-size:16px}\n"
    ".nt .title{fill:#5a6478;font-size:12px;font-weight:600}\n"
    ".nt .small,.nt .words{fill:#5a6478;font-size:12px}\n"
    ".nt .figure{fill:#3a4356;font-size:11px}\n"
    ".nt .end{text-anchor:end}\n"
    ".nt .bold{font-weight:700}\n"
    ".nt .dim,.nt .dim text{fill:#5a6478}\n"
    ".nt .mark{fill:#6b7589;font-weight:400}\n"
    ".nt .rule{fill:#d4d9e2}\n"
    ".nt .slot{fill:#2f5be0}\n"
    ".nt .raw,.nt .cell{fill:#4c78ee}\n"
    ".nt .after{fill:#17936a}\n"
    ".nt .rest{fill:#bcc4d2}\n"
    ".nt .dim .raw{fill-opacity:.5}\n"
    ".nt .taken{fill:none;stroke:#1c43c2;stroke-width:2}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".nt .page{fill:#0e1320;stroke:#2a3346}\n"
    ".nt text{fill:#e4e9f4}\n"
    ".nt .label,.nt .title,.nt .small,.nt .words,.nt .dim,.nt .dim text{fill:#97a2b8}\n"
    ".nt .figure{fill:#c6cfe0}\n"
    ".nt .mark{fill:#7d89a1}\n"
    ".nt .rule{fill:#2a3346}\n"
    ".nt .slot{fill:#8caaff}\n"
    ".nt .raw,.nt .cell{fill:#5f8bff}\n"
    ".nt .after{fill:#2fb98a}\n"
    ".nt .rest{fill:#4a5670}\n"
    ".nt .taken{stroke:#9fb8ff}\n"
    "}\n";

void nt_svg_gap(nt_svg *picture) {
    picture->y += GAP;
}

/* One line of what was wrapped, without the dot that parts it from the next. */
static void words(nt_svg *picture, const char *text, size_t n, const char *classes) {
    static const char dot[] = " \xC2\xB7";
    size_t n_dot = strlen(dot);
    if (n > n_dot && memcmp(text + n - n_dot, dot, n_dot) == 0) n -= n_dot;
    picture->y += LINE;
    nt_svg_text_open(&picture->body, classes, NT_SVG_MARGIN, picture->y);
    nt_svg_escape(&picture->body, text, n);
    nt_svg_text_close(&picture->body);
    nt_svg_escape(&picture->told, text, n);
    nt_buffer_putc(&picture->told, '\n');
}

void nt_svg_line(nt_svg *picture, nt_strip *line) {
    nt_buffer wrapped = {0};
    nt_paint paint = {.out = &wrapped, .width = NT_SVG_COLUMNS};
    bool heads = line->n > 0 && line->glyphs[0].style & NT_STYLE_BOLD;
    nt_paint_wrap(&paint, line, 0, line->n);
    if (wrapped.status != NT_OK) picture->body.status = wrapped.status;
    for (size_t i = 0; wrapped.status == NT_OK && i < wrapped.n;) {
        const char *end = memchr(wrapped.data + i, '\n', wrapped.n - i);
        size_t n = end ? (size_t)(end - wrapped.data) - i : wrapped.n - i;
        words(picture, wrapped.data + i, n, heads ? "title" : "words");
        i += n + 1; /* and the newline */
    }
    nt_buffer_free(&wrapped);
}

/* ---- The heading ----------------------------------------------------------------------------- */

/* The prompt, or the ids of a model without a tokenizer. */
static int show_prompt(nt_strip *strip, const nt_result *trace) {
    nt_buffer text = {0};
    nt_view_input(&text, trace, 0);
    int status = text.status;
    if (status == NT_OK && text.n > 0) nt_strip_show(strip, text.data, text.n, NT_SHOW_INPUT, 0);
    bool ids = status == NT_OK && text.n == 0;
    size_t n = trace->n_tokens, from = n > PROMPT_IDS ? n - PROMPT_IDS : 0;
    if (ids && from > 0) nt_strip_puts(strip, "\xE2\x80\xA6 ", NT_STYLE_MARK);
    for (size_t i = from; ids && i < n; i++) {
        char id[24];
        snprintf(id, sizeof id, "%s#%d", i > from ? " " : "", (int)trace->tokens[i].id);
        nt_strip_puts(strip, id, 0);
    }
    nt_buffer_free(&text);
    return status == NT_OK ? strip->status : status;
}

/* Top right, once the width is known: what the frame of a cell means. */
static void legend(nt_svg *picture) {
    double x = picture->width - NT_SVG_MARGIN;
    nt_svg_text_open(&picture->body, "small end", x, LABEL);
    nt_buffer_puts(&picture->body, "chosen");
    nt_svg_text_close(&picture->body);
    nt_svg_rect(&picture->body, "taken", (nt_box){x - 70, LABEL - 10, 16, 12}, 3);
}

/* What is drawn, above the prompt and as the picture's title. */
typedef struct naming {
    const char *label, *title;
} naming;

static naming name_of(const nt_result *trace) {
    if (trace->kind == NT_RESULT_STEPS)
        return (naming){"STEP BY STEP", "The choices, step by step, after: "};
    if (trace->kind == NT_RESULT_NEXT)
        return (naming){"NEXT TOKEN", "The likeliest next tokens after: "};
    return trace->proof ? (naming){"EXACT SEARCH", "The tree of an exact search after: "}
                        : (naming){"BEAM TREE", "The tree of beams after: "};
}

/* The prompt, with a slot for what comes next. */
static void heading(nt_svg *picture, const nt_result *trace, const nt_strip *prompt) {
    nt_buffer *out = &picture->body;
    nt_svg_text_open(out, "label", NT_SVG_MARGIN, LABEL);
    nt_buffer_puts(out, name_of(trace).label);
    nt_svg_text_close(out);
    picture->y = LABEL + 26;
    nt_svg_text_open(out, "mono prompt", NT_SVG_MARGIN, picture->y);
    nt_svg_fit(out, prompt, 0, prompt->n, PROMPT_COLUMNS, true);
    nt_buffer_puts(out, "<tspan class=\"slot\">____</tspan>");
    nt_svg_text_close(out);
    picture->y += 16;
}

/* ---- The tree of beams ----------------------------------------------------------------------- */

static int draw_tree(nt_svg *picture, const nt_result *trace, nt_tree_detail detail) {
    nt_tree tree;
    nt_buffer left = {0};
    NT_TRY(nt_tree_make(&tree, trace, (nt_tree_want){.detail = detail, .fold = -1}));
    nt_svg_tree_legend(picture, &tree);
    int status = nt_svg_tree(picture, &tree, false);
    nt_tree_left(&left, &tree);
    if (left.n > 0) words(picture, left.data, left.n, "words");
    if (status == NT_OK) status = left.status;
    nt_buffer_free(&left);
    nt_tree_free(&tree);
    picture->looks = nt_svg_tree_looks;
    nt_svg_gap(picture);
    return status;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void assemble(nt_buffer *out, const nt_svg *picture, const nt_result *trace,
                     const nt_strip *prompt) {
    double height = picture->y + NT_SVG_MARGIN - 4;
    size_t first = 0, n = prompt->n;
    nt_buffer_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nt\" role=\"img\" "
                        "xml:space=\"preserve\" width=\"");
    nt_svg_number(out, picture->width);
    nt_buffer_puts(out, "\" height=\"");
    nt_svg_number(out, height);
    nt_buffer_puts(out, "\" viewBox=\"0 0 ");
    nt_svg_number(out, picture->width);
    nt_buffer_putc(out, ' ');
    nt_svg_number(out, height);
    nt_buffer_puts(out, "\">\n<title>");
    nt_buffer_puts(out, name_of(trace).title);
    if (nt_strip_cut(prompt, &first, &n, PROMPT_COLUMNS, true)) nt_buffer_puts(out, "\xE2\x80\xA6");
    nt_svg_plain(out, prompt, first, n);
    nt_buffer_puts(out, "</title>\n<desc>");
    if (picture->told.n > 0) nt_buffer_put(out, picture->told.data, picture->told.n - 1);
    nt_buffer_puts(out, "</desc>\n<style>\n");
    nt_buffer_puts(out, looks);
    if (picture->looks) nt_buffer_puts(out, picture->looks);
    nt_buffer_puts(out, "</style>\n");
    nt_svg_rect(out, "page", (nt_box){0.5, 0.5, picture->width - 1, height - 1}, 10);
    if (picture->body.n > 0) nt_buffer_put(out, picture->body.data, picture->body.n);
    nt_buffer_puts(out, "</svg>\n");
}

int nt_view_svg(nt_buffer *out, const nt_result *trace, const nt_view_options *options) {
    bool is_tree = trace->kind == NT_RESULT_GENERATE;
    if (trace->kind == NT_RESULT_SCORE) return nt_svg_score(out, trace, options);
    if (trace->n_layers > 0 || trace->n_attentions > 0) return nt_svg_inside(out, trace, options);
    if (is_tree && !nt_tree_has(trace)) return nt_tree_refuse(trace);
    if (!is_tree && trace->kind != NT_RESULT_NEXT && trace->kind != NT_RESULT_STEPS)
        return nt_fail(NT_E_UNSUPPORTED, "a result of kind %d has no picture", (int)trace->kind);
    nt_svg picture = {.width = NT_SVG_WIDTH};
    nt_strip prompt = {0};
    nt_frame frame = {.trace = trace,
                      .picture = &picture,
                      .in = nt_measure_of(options->bits),
                      .paint = {.out = &picture.body, .width = NT_SVG_COLUMNS},
                      .most_rows = -1};
    int status = show_prompt(&prompt, trace);
    if (status == NT_OK) {
        heading(&picture, trace, &prompt);
        if (is_tree) status = draw_tree(&picture, trace, options->tree_detail);
        if (status == NT_OK) status = nt_frame_show(&frame);
        if (trace->kind == NT_RESULT_STEPS) legend(&picture);
    }
    status = nt_frame_end(&frame, status);
    if (status == NT_OK) status = picture.body.status;
    if (status == NT_OK) status = picture.told.status;
    if (status == NT_OK) assemble(out, &picture, trace, &prompt);
    nt_strip_free(&prompt);
    nt_buffer_free(&picture.body);
    nt_buffer_free(&picture.told);
    return status == NT_OK ? out->status : status;
}
