/* stdout for data, stderr for everything else. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "pager.h"
#include "progress.h"

const char *cli_stdout_name = "standard output";

void cli_print_safely(const char *utf8, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)utf8[i];
        unsigned char d = i + 1 < n ? (unsigned char)utf8[i + 1] : 0;
        unsigned char e = i + 2 < n ? (unsigned char)utf8[i + 2] : 0;
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        bool c1 = c == 0xC2 && d >= 0x80 && d <= 0x9F;
        bool bidi = c == 0xE2 && ((d == 0x80 && e >= 0xAA && e <= 0xAE) ||
                                  (d == 0x81 && e >= 0xA6 && e <= 0xA9));
        if (control || c1 || bidi) {
            fputs("\xEF\xBF\xBD", stdout);
            i += c1 ? 1 : bidi ? 2 : 0;
        } else {
            putchar(c);
        }
    }
}

/* One line, whatever the words that it quotes hold. */
static void line(const char *kind, const char *format, va_list args) {
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    cli_make_printable(text);
    cli_progress_clear();
    fprintf(stderr, "nextoken: %s: %s\n", kind, text);
}

void cli_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    line("error", format, args);
    va_end(args);
}

void cli_note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    line("note", format, args);
    va_end(args);
}

bool cli_color(const cli_settings *settings) {
    if (settings->color >= 0) return settings->color;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color && *no_color) return false;
    return isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

/* Tables fit the terminal, or 80 columns; a text that goes into a file keeps its lines. */
static int width(nt_result_kind kind) {
    const char *columns = getenv("COLUMNS");
    int n = columns ? atoi(columns) : 0;
    struct winsize size;
    if (kind == NT_RESULT_GENERATE && !isatty(STDOUT_FILENO)) return INT_MAX;
    if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) n = size.ws_col;
    if (n <= 0) n = 80;
    return n < 20 ? 20 : n > 200 ? 200 : n;
}

typedef struct output {
    bool paged;
    uint64_t n_bytes; /* so far */
} output;

static int write_stdout(void *payload, const char *bytes, size_t n) {
    output *o = payload;
    o->n_bytes += n;
    return cli_page(bytes, n, o->paged) ? 0 : -1;
}

static bool stdout_failed;

/* Says once why stdout failed. */
static void report_stdout(void) {
    if (stdout_failed) return;
    stdout_failed = true;
    cli_error("cannot write to %s: %s", cli_stdout_name, strerror(errno ? errno : EIO));
}

nt_view_options cli_view(const cli_run *run, nt_result_kind kind, const cli_settings *settings,
                         int64_t index) {
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    view.format = settings->format;
    view.width = width(kind);
    view.color = cli_color(settings);
    view.ascii = settings->ascii;
    view.bits = settings->bits;
    view.trace = settings->trace;
    view.tree = settings->tree;
    view.tree_detail = settings->tree_detail;
    view.heat = settings->heat;
    view.position = settings->position;
    view.skip_first = settings->skip_first;
    view.arcs = settings->arcs;
    view.most_rows = settings->rows >= 0 ? settings->rows : isatty(STDOUT_FILENO) ? 100 : -1;
    view.index = index;
    view.text_shown = run->text_shown;
    return view;
}

enum { LARGE = 8 << 20 }; /* bytes: browsers take their time, and mails refuse it */

/* A page holds the whole result beside what it shows, so that it grows with the text. */
static void tell_size(const cli_run *run, const char *page, uint64_t n_bytes) {
    const char *smaller = run->command->smaller;
    if (n_bytes <= LARGE || run->quiet) return;
    cli_note("%s has %s: every figure of the result is in it%s%s%s", page, cli_bytes(n_bytes).s,
             smaller ? "; " : "", smaller ? smaller : "", smaller ? " makes it smaller" : "");
}

/* The files of --svg and --html. */
static int save(const cli_run *run, const nt_result *result, const cli_settings *settings,
                const char *file, nt_format format) {
    nt_view_options view = cli_view(run, nt_result_get_kind(result), settings, -1);
    view.format = format;
    if (!file) return EXIT_DONE;
    if (nt_result_save(result, &view, file) != NT_OK) {
        cli_error("%s", nt_error_message());
        return EXIT_FAILED;
    }
    struct stat made;
    if (format == NT_HTML && stat(file, &made) == 0) tell_size(run, file, (uint64_t)made.st_size);
    return EXIT_DONE;
}

static int no_tree(const nt_result *result) {
    const char *method = nt_result_method(result, NULL);
    cli_error("no tree: %s follows one path; give --num-beams 5 or --search exact, or let nextoken "
              "steps show the choices of a path",
              method ? method : "this method");
    return EXIT_FAILED;
}

int cli_show(const cli_run *run, const nt_result *result, const cli_settings *settings) {
    int saved = save(run, result, settings, settings->svg, NT_SVG);
    if (saved == EXIT_DONE) saved = save(run, result, settings, settings->html, NT_HTML);
    nt_view_options view = cli_view(run, nt_result_get_kind(result), settings, -1);
    if (view.tree && view.format == NT_TABLE && nt_result_n_beams(result) == 0) {
        view.tree = false; /* the text is there all the same */
        saved = no_tree(result);
    }
    output out = {.paged = view.format == NT_TABLE && !run->text_shown && !settings->no_pager};
    errno = 0;
    int status = nt_result_show(result, &view, write_stdout, &out);
    if (status == NT_OK && view.format == NT_HTML) tell_size(run, "the page", out.n_bytes);
    if (status == NT_OK) return saved;
    if (status == NT_E_IO) {
        report_stdout();
    } else {
        cli_error("%s", nt_error_message());
    }
    return EXIT_FAILED;
}

bool cli_close_stdout(void) {
    static bool closed;
    if (closed) return true;
    closed = true;
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0) failed = true;
    if (failed) report_stdout();
    return !failed;
}
