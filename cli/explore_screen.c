/* The screen of explore: the text on top, what stands to choose under it as nextoken next shows it,
 * options and keys at the bottom. */
#include <stdlib.h>
#include <string.h>

#include "explore.h"

enum { INDENT = 2, LEAST_ROWS = 6, LEAST_COLUMNS = 24 };

#define DIM "\033[0;2m"

/* A frame in the making. */
typedef struct page {
    cli_screen *screen;
    cli_walk *walk;
    size_t rows, columns;
    cli_text line;
    cli_frame frame;
    bool failed;
} page;

/* ---- Lines ----------------------------------------------------------------------------------- */

/* Adds bytes [n] as the next line, behind a prefix of its own. */
static void add_line(page *p, const char *prefix, const char *bytes, size_t n) {
    if (p->frame.n == p->rows) return;
    size_t n_prefix = strlen(prefix);
    char *line = malloc(n_prefix + n + 1);
    if (!line) {
        p->failed = true;
        return;
    }
    memcpy(line, prefix, n_prefix);
    if (n) memcpy(line + n_prefix, bytes, n);
    line[n_prefix + n] = 0;
    p->frame.lines[p->frame.n++] = line;
}

static void add_words(page *p, const char *style, const char *words) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%s  ", p->screen->color ? style : "");
    add_line(p, prefix, words, strlen(words));
}

static void add_blank(page *p) {
    add_line(p, "", "", 0);
}

static int keep(void *payload, const char *bytes, size_t n) {
    cli_text *text = payload;
    cli_text_put(text, bytes, n);
    return text->failed ? -1 : 0;
}

/* A result as the library shows it, line by line. */
typedef struct shown {
    cli_text text;
    const char **lines; /* [n + 1] */
    size_t n;
} shown;

static void shown_free(shown *s) {
    free(s->text.bytes);
    free(s->lines);
}

static int show(shown *s, const page *p, const nt_result *result, int64_t plain) {
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    *s = (shown){0};
    view.width = (int)(p->columns - INDENT);
    view.color = p->screen->color;
    view.ascii = p->screen->ascii;
    view.plain = plain;
    int status = nt_result_show(result, &view, keep, &s->text);
    if (status != NT_OK) return status;
    for (size_t i = 0; i < s->text.n; i++)
        s->n += s->text.bytes[i] == '\n';
    s->lines = calloc(s->n + 2, sizeof *s->lines);
    if (!s->lines) return NT_E_MEMORY;
    s->lines[0] = s->text.bytes;
    for (size_t i = 0, k = 0; i < s->text.n; i++)
        if (s->text.bytes[i] == '\n') s->lines[++k] = s->text.bytes + i + 1;
    return NT_OK;
}

static void add_shown(page *p, const char *prefix, const shown *s, size_t i) {
    if (i < s->n) add_line(p, prefix, s->lines[i], (size_t)(s->lines[i + 1] - s->lines[i]) - 1);
}

/* ---- The text -------------------------------------------------------------------------------- */

/* Of a model without a tokenizer: the last ids, those that were taken behind bars. */
static void add_ids(page *p) {
    const cli_walk *walk = p->walk;
    char text[4096] = "", one[16];
    size_t width = p->columns - INDENT, n = walk->n_prompt + walk->n_taken, first = n, used = 0;
    while (first > 0 && used + 12 < width && used + 12 < sizeof text)
        used += (size_t)snprintf(one, sizeof one, " %d", (int)walk->ids[--first]);
    for (size_t i = first; i < n; i++) {
        snprintf(one, sizeof one, "%s%d",
                 i == first           ? ""
                 : i < walk->n_prompt ? " "
                                      : "|",
                 (int)walk->ids[i]);
        strcat(text, one);
    }
    add_line(p, first == 0 ? "  " : p->screen->ascii ? "~ " : "\xE2\x80\xA6 ", text, strlen(text));
}

/* Its last lines; the tokens that were taken stand out one by one. */
static int add_text(page *p, size_t most) {
    const cli_walk *walk = p->walk;
    nt_result *tokens;
    shown text;
    if (!nt_model_tokenizer(walk->run->model)) {
        add_ids(p);
        return NT_OK;
    }
    int status = nt_tokenize(&tokens, walk->run->model,
                             nt_ids(walk->ids, walk->n_prompt + walk->n_taken), NULL);
    if (status != NT_OK) return status;
    status = show(&text, p, tokens, (int64_t)walk->n_prompt);
    size_t first = text.n > most ? text.n - most : 0;
    const char *more = p->screen->ascii ? "~ " : "\xE2\x80\xA6 ";
    for (size_t i = first; status == NT_OK && i < text.n; i++)
        add_shown(p, first > 0 && i == first ? more : "  ", &text, i);
    shown_free(&text);
    nt_result_free(tokens);
    return status;
}

/* Lines of titles over the table, and blank ones under it. */
static size_t n_titles(const page *p) {
    return p->rows >= 12 ? 2 : 1;
}

static size_t n_gap(const page *p) {
    return p->rows >= 16;
}

/* ---- The table ------------------------------------------------------------------------------- */

/* How many rows the table gets, and where its window stands. */
static int place_window(page *p, size_t n_rows) {
    cli_screen *screen = p->screen;
    cli_walk *walk = p->walk;
    if (screen->at >= walk->V) screen->at = walk->V - 1;
    for (size_t demoted = 0, tries = 0; tries < 3; tries++) {
        size_t n = n_rows > demoted ? n_rows - demoted : 1;
        if (screen->at < screen->top) screen->top = screen->at;
        if (screen->at >= screen->top + n) screen->top = screen->at - n + 1;
        screen->n_rows = n;
        size_t k = screen->top + n < walk->V ? screen->top + n : walk->V;
        if (walk->k != k) {
            int status = cli_walk_look(walk, k);
            if (status != NT_OK) return status;
        }
        size_t more = nt_result_n_demoted(walk->next, 0);
        if (more > n_rows / 3) more = n_rows / 3;
        if (more <= demoted) break;
        demoted = more;
    }
    return NT_OK;
}

static int add_table(page *p, size_t n_rows, size_t n_footer) {
    cli_screen *screen = p->screen;
    cli_walk *walk = p->walk;
    shown table;
    int status = place_window(p, n_rows);
    if (status != NT_OK) return status;
    size_t n = nt_result_n_candidates(walk->next, 0), all = n + nt_result_n_demoted(walk->next, 0);
    size_t titles = 2, rest = all < walk->V;
    size_t end = p->frame.n + n_titles(p) + n_rows + 1 + n_gap(p);
    const char *mark = screen->ascii ? "> " : "\xE2\x96\xB8 ";
    status = show(&table, p, walk->next, -1);
    for (size_t i = 0; status == NT_OK && i < n_titles(p); i++)
        add_shown(p, "  ", &table, i);
    for (size_t i = screen->top; i < all && i < screen->top + n_rows; i++) {
        if (i == screen->at) p->frame.inverse = p->frame.n;
        add_shown(p, i == screen->at ? mark : "  ", &table, titles + i);
    }
    if (rest) add_shown(p, "  ", &table, titles + all);
    while (p->frame.n < end)
        add_blank(p);
    static const char widen[] = "hidden: widen"; /* of columns: the screen is what it is */
    for (size_t i = titles + all + rest; n_footer > 0 && i < table.n; i++, n_footer--) {
        size_t length = (size_t)(table.lines[i + 1] - table.lines[i]);
        if (!memmem(table.lines[i], length, widen, sizeof widen - 1)) add_shown(p, "  ", &table, i);
    }
    shown_free(&table);
    return status;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* 0: nothing of it; 1: the token begins with what was typed; 2: it is that. */
static int match(const nt_token *token, const char *typed, size_t n) {
    const char *bytes = token->bytes;
    size_t n_bytes = token->n_bytes;
    if (n == 0 || n_bytes == 0) return 0;
    for (int space = 0; space < 2; space++) {
        if (n_bytes >= n && memcmp(bytes, typed, n) == 0) return n_bytes == n ? 2 : 1;
        if (*bytes != ' ') return 0;
        bytes++;
        n_bytes--;
    }
    return 0;
}

const nt_candidate *cli_find(size_t *n, const cli_walk *walk, const char *typed, size_t i) {
    size_t n_typed = strlen(typed), n_all = nt_result_n_candidates(walk->whole, 0);
    const nt_candidate *found = NULL;
    *n = 0;
    for (int kind = 2; kind > 0; kind--) {
        for (size_t c = 0; c < n_all; c++) {
            const nt_candidate *one = nt_result_candidate(walk->whole, 0, c);
            if (match(&one->token, typed, n_typed) != kind) continue;
            if (*n == i) found = one;
            ++*n;
        }
    }
    return found;
}

static size_t put_code(char *out, size_t size, const unsigned char *at, size_t n) {
    unsigned code = n == 2   ? (at[0] & 31u) << 6 | (at[1] & 63u)
                    : n == 3 ? (at[0] & 15u) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u)
                             : 0;
    bool drives = (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
                  (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code == 0xAD ||
                  code == 0x61C;
    if (drives) return (size_t)snprintf(out, size, "\\u%04x", code);
    memcpy(out, at, n);
    out[n] = 0;
    return n;
}

void cli_show_token(char *out, size_t size, const nt_token *token) {
    size_t k = 0;
    if (token->n_bytes == 0) snprintf(out, size, "#%d", (int)token->id);
    for (size_t i = 0; i < token->n_bytes && k + 8 < size;) {
        const unsigned char *at = (const unsigned char *)token->bytes + i;
        size_t n = cli_printable(at); /* a zero byte ends the token's bytes */
        if (n == 1 && *at == ' ')
            k += (size_t)snprintf(out + k, size - k, "\xC2\xB7");
        else if (n > 0)
            k += put_code(out + k, size - k, at, n);
        else
            k += (size_t)snprintf(out + k, size - k, *at == '\n' ? "\\n" : "\\x%02x", *at);
        i += n ? n : 1;
    }
}

static void percent(char out[24], double share) {
    snprintf(out, 24, share >= 0.001 || share == 0 ? "%.2f %%" : "%.2g %%", 100 * share);
}

static void add_matches(page *p, size_t n_rows) {
    cli_screen *screen = p->screen;
    size_t n = 0, end = p->frame.n + n_rows + 1;
    char line[256], raw[24], after[24], token[128];
    const char *mark = screen->ascii ? "> " : "\xE2\x96\xB8 ";
    cli_find(&n, p->walk, screen->input, 0);
    if (n > 0 && screen->at >= n) screen->at = n - 1;
    size_t top = screen->at < n_rows ? 0 : screen->at - n_rows + 1;
    screen->n_rows = n_rows;
    add_words(p, DIM,
              n                ? "    rank         raw       after       id  token"
              : *screen->input ? "no token begins with this"
                               : "type a token: its rank and probability are shown");
    for (size_t i = top; i < n && i < top + n_rows; i++) {
        const nt_candidate *c = cli_find(&n, p->walk, screen->input, i);
        percent(raw, c->prob);
        percent(after, c->processed_prob);
        cli_show_token(token, sizeof token, &c->token);
        snprintf(line, sizeof line, "%8d  %10s  %10s  %7d  %s", (int)c->rank, raw, after,
                 (int)c->token.id, token);
        if (i == screen->at) p->frame.inverse = p->frame.n;
        add_line(p, i == screen->at ? mark : "  ", line, strlen(line));
    }
    while (p->frame.n < end)
        add_blank(p);
}

/* ---- The bottom ------------------------------------------------------------------------------ */

static void add_options(page *p) {
    cli_text line = {0};
    char hint[512];
    if (p->screen->asking == CLI_ASK_OPTION) {
        cli_walk_hint(hint, sizeof hint, p->screen->input);
        add_words(p, DIM, hint);
        return;
    }
    cli_walk_tell(p->walk, &line, p->columns - INDENT);
    if (line.bytes && !line.failed) add_words(p, "\033[0;36m", line.bytes);
    free(line.bytes);
}

/* Characters of UTF-8. */
static size_t count(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static const char *keys_of(const page *p) {
    static const char *const keys[][2] = {
        /* plain ASCII, and with signs; the first that fits */
        {"Up/Down choose  Enter take  Bksp back  g greedy  s draw  / find  ? keys  q leave",
         "\xE2\x86\x91\xE2\x86\x93 choose  \xE2\x86\xB5 take  \xE2\x8C\xAB back  g greedy  s draw  "
         "/ find  : option  ? keys  q leave"},
        {"Enter take  Bksp back  ? keys  q leave",
         "\xE2\x86\xB5 take  \xE2\x8C\xAB back  ? keys  q leave"},
        {"? keys  q leave", "? keys  q leave"},
    };
    size_t i = 0;
    while (i < 2 && count(keys[i][!p->screen->ascii]) + INDENT > p->columns)
        i++;
    return keys[i][!p->screen->ascii];
}

static void add_last(page *p) {
    static const char *const asks[] = {"", ":", "find: ", "greedy steps: "};
    cli_screen *screen = p->screen;
    char text[512];
    if (screen->asking) {
        const char *ask = asks[screen->asking], *from = screen->input;
        size_t room = p->columns - INDENT - strlen(ask) - 1;
        while (count(from) > room) /* its end counts */
            from += 1 + strspn(from + 1, "\x80");
        snprintf(text, sizeof text, "%s%s", ask, from);
        add_words(p, "", text);
        p->frame.column = INDENT + strlen(ask) + count(from);
    } else if (*screen->message) {
        add_words(p, screen->is_error ? "\033[0;31m" : "", screen->message);
    } else {
        add_words(p, DIM, keys_of(p));
    }
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void add_help(page *p) {
    static const char *const lines[] = {
        "up, down        choose a token (PgUp, PgDn, Home, End)",
        "Enter, right    take it",
        "Backspace, left take the last one back",
        "1 .. 9          take the n-th",
        "g               follow the likeliest, some steps",
        "s               draw one, by the probabilities after",
        "                options and the seed that is shown",
        "/               find a token, its rank and probability",
        "t T             temperature down, up",
        "k K   p P       top-k, top-p",
        "m M             min-p",
        "r R             repetition penalty",
        "n N             no-repeat-ngram size",
        ":               any option: top-p 0.9; without a value",
        "                it is taken out",
        "x               options as they were at the start",
        "Ctrl-L          draw the screen anew",
        "q, Esc, Ctrl-C  leave: the text is printed",
    };
    size_t n = sizeof lines / sizeof *lines;
    size_t top = p->screen->top < n ? p->screen->top : 0;
    size_t room = p->rows - 2;
    if (n > room && top > n - room) top = n - room;
    p->screen->top = top;
    add_words(p, p->screen->color ? "\033[0;1m" : "", "Keys");
    for (size_t i = top; i < n && i < top + room; i++)
        add_words(p, "", lines[i]);
    while (p->frame.n + 1 < p->rows)
        add_blank(p);
    add_words(p, DIM, n > room ? "up, down: more; any other key: back" : "any key: back");
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int lay_out(page *p) {
    size_t most_text = p->rows < 8 ? 1 : p->rows < 12 ? 2 : p->rows < 20 ? 3 : p->rows / 4;
    size_t n_footer = p->rows >= 18 ? 2 : 0;
    int status = add_text(p, most_text);
    if (status != NT_OK) return status;
    if (p->rows >= 14) add_blank(p);
    /* titles, the row of the rest, a gap, the footer, options, keys */
    size_t around = p->frame.n + n_titles(p) + 1 + n_gap(p) + n_footer + 2;
    size_t n_rows = p->rows > around ? p->rows - around : 1;
    if (p->screen->asking == CLI_ASK_FIND)
        add_matches(p, n_rows);
    else
        status = add_table(p, n_rows, n_footer);
    if (status != NT_OK) return status;
    while (p->frame.n + 2 < p->rows)
        add_blank(p);
    add_options(p);
    add_last(p);
    return NT_OK;
}

int cli_screen_draw(cli_screen *screen, cli_walk *walk) {
    page p = {.screen = screen, .walk = walk, .frame = {.inverse = SIZE_MAX, .column = SIZE_MAX}};
    int status = NT_OK;
    cli_terminal_size(&p.rows, &p.columns);
    if (p.columns > 200) p.columns = 200;
    p.frame.lines = calloc(p.rows, sizeof *p.frame.lines);
    if (!p.frame.lines) return NT_E_MEMORY;
    if (p.rows < LEAST_ROWS || p.columns < LEAST_COLUMNS)
        add_line(&p, "", "too small", strlen("too small"));
    else if (screen->help)
        add_help(&p);
    else
        status = lay_out(&p);
    while (p.frame.n < p.rows)
        add_blank(&p);
    if (status == NT_OK && (p.failed || !cli_terminal_draw(&p.frame))) status = NT_E_MEMORY;
    for (size_t i = 0; i < p.frame.n; i++)
        free(p.frame.lines[i]);
    free(p.frame.lines);
    return status;
}
