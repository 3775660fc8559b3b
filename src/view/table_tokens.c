/* Tables of tokens: of one tokenizer, of several side by side, and counts of files. */
#include <string.h>

#include "base/utf8.h"
#include "view/frame.h"

/* ---- tokenize -------------------------------------------------------------------------------- */

static uint8_t color_of(size_t i) {
    static const uint8_t cycle[] = {NT_STYLE_CYAN, NT_STYLE_YELLOW, NT_STYLE_MAGENTA,
                                    NT_STYLE_GREEN};
    return cycle[i % sizeof cycle];
}

/* Tokens stand on grounds of their own, where there are any. */
static bool has_grounds(const nt_frame *frame) {
    return frame->paint.color || frame->page;
}

/* The style of token i, in the row and in tables. */
static uint8_t field_of(const nt_frame *frame, size_t i) {
    return color_of(i) | (has_grounds(frame) ? NT_STYLE_GROUND : 0);
}

/* One token on the line: a coloured field with its spaces as they are, else marked. */
static void token_field(nt_frame *frame, const nt_token *token, size_t i) {
    nt_strip *line = &frame->line;
    bool color = has_grounds(frame);
    uint8_t style = field_of(frame, i);
    if (token->n_bytes > 0)
        nt_strip_show(line, token->bytes, token->n_bytes, color ? NT_SHOW_FIELD : NT_SHOW_TOKEN,
                      style);
    else
        nt_strip_puts(line, nt_figure_plain(token->id).s, style | NT_STYLE_MARK);
    if (color && line->n > 0) line->glyphs[line->n - 1].style |= NT_STYLE_BREAK;
}

/* All tokens in a row: coloured fields, or bars between them. Lines of the text begin new ones. */
static void tokens_in_a_row(nt_frame *frame, const nt_token *tokens, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const nt_token *token = &tokens[i];
        token_field(frame, token, i);
        bool newline = token->n_bytes > 0 && token->bytes[token->n_bytes - 1] == '\n';
        if (newline)
            nt_frame_line(frame);
        else if (i + 1 < n && !has_grounds(frame))
            nt_strip_puts(&frame->line, "|", NT_STYLE_BREAK);
    }
    nt_frame_line(frame);
    if (n > 0 && !frame->row_only) nt_frame_gap(frame);
}

static void size_part(nt_frame *frame, uint64_t n, const char *one, const char *many) {
    nt_frame_figure(frame, "", nt_figure_count(n), n == 1 ? one : many, 0);
}

/* "8 tokens · 38 bytes · 35 characters · 4.75 bytes per token" */
static void sizes(nt_frame *frame, uint64_t n_tokens) {
    const nt_result *trace = frame->trace;
    size_part(frame, n_tokens, " token", " tokens");
    if (trace->n_text == 0) return;
    size_part(frame, trace->n_text, " byte", " bytes");
    size_part(frame, nt_utf8_count(trace->text, trace->n_text), " character", " characters");
    if (n_tokens > 0) {
        nt_frame_figure(frame, "", nt_figure_fixed((double)trace->n_text / (double)n_tokens, 2),
                        " bytes per token", 0);
    }
}

/* Tokens as the text that they are, line by line; what they begin need not end here. */
static void plain_text(nt_frame *frame, const nt_token *tokens, size_t n) {
    nt_buffer text = {0};
    for (size_t i = 0; i < n; i++)
        nt_buffer_put(&text, tokens[i].bytes, tokens[i].n_bytes);
    for (size_t start = 0; text.status == NT_OK && start < text.n;) {
        const char *from = text.data + start, *newline = memchr(from, '\n', text.n - start);
        size_t length = newline ? (size_t)(newline - from) : text.n - start;
        nt_strip_show(&frame->line, from, length, NT_SHOW_TEXT, 0);
        start += length;
        if (!newline) break;
        nt_frame_put(frame); /* also an empty line */
        nt_strip_clear(&frame->line);
        start++;
    }
    if (frame->line.status == NT_OK) frame->line.status = text.status;
    nt_buffer_free(&text);
}

/* A text of which some tokens, at its end, are set off. */
static void text_with_tokens(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    size_t n = trace->n_tokens, plain = 0;
    while (plain < n && plain < frame->n_plain && trace->tokens[plain].n_bytes > 0)
        plain++;
    plain_text(frame, trace->tokens, plain);
    if (plain < n && !frame->paint.color && plain > 0)
        nt_strip_puts(&frame->line, "|", NT_STYLE_BREAK);
    tokens_in_a_row(frame, trace->tokens + plain, n - plain);
}

void nt_table_tokens(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    bool placed = false; /* the tokens stand somewhere in a text */
    if (frame->row_only) {
        text_with_tokens(frame);
        return;
    }
    for (size_t i = 0; i < trace->n_tokens; i++)
        placed |= trace->tokens[i].end > 0;
    tokens_in_a_row(frame, trace->tokens, trace->n_tokens);
    if (frame->most_rows >= 0 && trace->n_tokens > (uint64_t)frame->most_rows) {
        sizes(frame, trace->n_tokens);
        nt_frame_part(frame, "--rows N shows a table of up to N tokens", NT_STYLE_DIM);
        nt_frame_line(frame);
        return;
    }
    nt_sheet_column(sheet, (nt_column){.title = "#", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "token", .mono = true, .comfort = 12});
    nt_sheet_column(sheet, (nt_column){.title = "id", .align = NT_RIGHT});
    if (placed) {
        nt_sheet_column(sheet, (nt_column){.title = "start", .align = NT_RIGHT, .hide = 2});
        nt_sheet_column(sheet, (nt_column){.title = "end", .align = NT_RIGHT, .hide = 1});
    }
    for (size_t i = 0; i < trace->n_tokens; i++) {
        const nt_token *token = &trace->tokens[i];
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_figure_count(i).s, NT_STYLE_DIM);
        nt_sheet_token(sheet, "", token, field_of(frame, i));
        nt_sheet_puts(sheet, nt_figure_plain(token->id).s, 0);
        if (!placed) continue;
        nt_sheet_puts(sheet, nt_figure_count(token->start).s, NT_STYLE_DIM);
        nt_sheet_puts(sheet, nt_figure_count(token->end).s, NT_STYLE_DIM);
    }
    nt_frame_sheet(frame);
    sizes(frame, trace->n_tokens);
    nt_frame_line(frame);
}

/* ---- tokenize --against ---------------------------------------------------------------------- */

enum { TITLE_BYTES = 32 };

/* The last names of the tokenizers' paths as titles of columns: plain ASCII, whatever they hold. */
static void make_titles(nt_frame *frame) {
    for (size_t v = 0; v < frame->trace->n_compared; v++) {
        char room[256], title[TITLE_BYTES] = "";
        const char *name = nt_frame_name(frame->trace->compared[v].model, room, sizeof room);
        for (size_t i = 0; i + 1 < TITLE_BYTES && name[i]; i++)
            title[i] = name[i] >= 0x20 && name[i] < 0x7F ? name[i] : '?';
        nt_buffer_put(&frame->titles, title, TITLE_BYTES);
    }
}

static const char *title_of(const nt_frame *frame, size_t v) {
    return frame->titles.status == NT_OK ? frame->titles.data + v * TITLE_BYTES : "";
}

static void stretch_row(nt_frame *frame, const nt_stretch *s) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_row(sheet, 0);
    nt_sheet_puts(sheet, s->differs ? (frame->paint.ascii ? "*" : "\xE2\x80\xA2") : "",
                  NT_STYLE_YELLOW);
    for (size_t v = 0; v < trace->n_compared; v++) {
        nt_sheet_puts(sheet, "", 0);
        for (size_t i = 0; i < s->n_tokens[v]; i++) {
            const nt_token *token = &trace->compared[v].tokens[s->first[v] + i];
            if (i > 0 && !(s->differs && frame->paint.color)) /* else their grounds part them */
                nt_sheet_more(sheet, "|", NT_STYLE_DIM);
            nt_sheet_more_token(sheet, token, s->differs ? field_of(frame, i) : NT_STYLE_DIM);
        }
    }
}

/* A line of coloured tokens for each, then stretch by stretch what each makes of the text. */
void nt_table_compared(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    size_t differ = 0, shown = 0;
    size_t most = frame->most_rows < 0 ? SIZE_MAX : (size_t)frame->most_rows;
    bool all = trace->n_stretches <= most;
    make_titles(frame);
    for (size_t v = 0; v < trace->n_compared; v++) {
        const nt_compared *c = &trace->compared[v];
        nt_frame_part(frame, title_of(frame, v), NT_STYLE_BOLD);
        sizes(frame, c->n_tokens);
        nt_frame_line(frame);
        tokens_in_a_row(frame, c->tokens, c->n_tokens);
    }
    nt_sheet_column(sheet, (nt_column){.title = ""});
    for (size_t v = 0; v < trace->n_compared; v++)
        nt_sheet_column(sheet, (nt_column){.title = title_of(frame, v), .comfort = 16});
    for (size_t i = 0; i < trace->n_stretches; i++) {
        const nt_stretch *s = &trace->stretches[i];
        if (all || (s->differs && differ < most)) {
            stretch_row(frame, s);
            shown++;
        }
        differ += s->differs;
    }
    if (shown > 0)
        nt_frame_sheet(frame);
    else
        nt_sheet_reset(sheet);
    char text[160] = "";
    strcat(text, nt_figure_count(differ).s);
    strcat(text, " of ");
    strcat(text, nt_figure_count(trace->n_stretches).s);
    strcat(text, trace->n_stretches == 1 ? " stretch is cut differently"
                                         : " stretches are cut differently");
    nt_frame_part(frame, text, 0);
    if (!all) {
        nt_frame_figure(frame, "", nt_figure_count(shown), " of them above: --rows N for more",
                        NT_STYLE_DIM);
    }
    nt_frame_line(frame);
}

/* ---- tokenize --count ------------------------------------------------------------------------ */

/* Files [first, first + n) as one row. */
static void counted_row(nt_frame *frame, const char *name, size_t first, size_t n, uint8_t style) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    const nt_counted *files = trace->counted + first;
    uint64_t n_bytes = 0, n_characters = 0;
    for (size_t i = 0; i < n; i++) {
        n_bytes += files[i].n_bytes;
        n_characters += files[i].n_characters;
    }
    nt_sheet_row(sheet, style);
    nt_sheet_show(sheet, "", name, strlen(name), NT_SHOW_INPUT, 0);
    nt_sheet_puts(sheet, nt_figure_count(n_bytes).s, 0);
    nt_sheet_puts(sheet, nt_figure_count(n_characters).s, 0);
    for (size_t v = 0; v < trace->n_compared; v++) {
        uint64_t tokens = 0;
        for (size_t i = 0; i < n; i++)
            tokens += files[i].n_tokens[v];
        nt_sheet_puts(sheet, nt_figure_count(tokens).s, NT_STYLE_BOLD);
        nt_sheet_puts(sheet, tokens ? nt_figure_fixed((double)n_bytes / (double)tokens, 2).s : "-",
                      0);
    }
}

void nt_table_counts(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    bool several = trace->n_compared > 1;
    uint64_t n_bytes = 0;
    make_titles(frame);
    nt_sheet_column(sheet, (nt_column){.title = "file", .comfort = 16, .cut_left = true});
    nt_sheet_column(sheet, (nt_column){.title = "bytes", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "characters", .align = NT_RIGHT, .hide = 1});
    for (size_t v = 0; v < trace->n_compared; v++) {
        nt_sheet_column(sheet, (nt_column){.title = several ? title_of(frame, v) : "tokens",
                                           .align = NT_RIGHT});
        nt_sheet_column(sheet, (nt_column){.title = "bytes/token", .align = NT_RIGHT, .hide = 3});
    }
    for (size_t i = 0; i < trace->n_counted; i++) {
        counted_row(frame, trace->counted[i].name, i, 1, 0);
        n_bytes += trace->counted[i].n_bytes;
    }
    if (trace->n_counted > 1) counted_row(frame, "total", 0, trace->n_counted, NT_STYLE_BOLD);
    nt_frame_sheet(frame);
    if (trace->milliseconds > 0 && !nt_frame_is_kept(frame)) {
        double each = (double)n_bytes * (double)trace->n_compared;
        nt_frame_figure(frame, "", nt_figure_fixed(each / trace->milliseconds * 1e-3, 1), " MB/s",
                        NT_STYLE_DIM);
    }
}
