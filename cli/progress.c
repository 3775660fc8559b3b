#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

static bool progress_shown;

double cli_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef cli_figure figure;

/* 1234567 -> 1,234,567 */
static figure thousands(uint64_t x) {
    figure plain, out;
    int n = snprintf(plain.s, sizeof plain.s, "%" PRIu64, x), k = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out.s[k++] = ',';
        out.s[k++] = plain.s[i];
    }
    out.s[k] = 0;
    return out;
}

static figure rate(double x) {
    figure out;
    if (x >= 10) return thousands((uint64_t)(x + 0.5));
    snprintf(out.s, sizeof out.s, "%.1f", x);
    return out;
}

static figure duration(double seconds) {
    figure out;
    double most = 1e9;
    long s = (long)(seconds < most ? seconds + 0.5 : most);
    if (seconds < 10)
        snprintf(out.s, sizeof out.s, "%.1f s", seconds);
    else if (s < 60)
        snprintf(out.s, sizeof out.s, "%ld s", s);
    else if (s < 3600)
        snprintf(out.s, sizeof out.s, "%ld min %ld s", s / 60, s % 60);
    else
        snprintf(out.s, sizeof out.s, "%ld h %ld min", s / 3600, s / 60 % 60);
    return out;
}

static void print_bar(double share) {
    int full = (int)(BAR * (share < 1 ? share : 1));
    fprintf(stderr, "[%.*s%*s] ", full, "########################", BAR - full, "");
}

/* Lines of a download above the one that the cursor is in. */
static int lines_above;

void cli_progress_clear(void) {
    for (; lines_above > 0; lines_above--)
        fputs("\r\033[K\033[A", stderr);
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

void cli_progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    static double started, last;
    const cli_run *run = payload;
    if (run->quiet || run->text_shown || !isatty(STDERR_FILENO)) return;
    double now = cli_seconds();
    if (started == 0) started = now;
    if (now - started < 1 || now - last < 0.1) return;
    last = now;
    progress_shown = true;
    double speed = (double)done / (now - started);
    fputs("\r\033[K", stderr);
    if (total == 0) {
        fprintf(stderr, "%s %s, %s/s", thousands(done).s, what, rate(speed).s);
        return;
    }
    double left = speed > 0 ? (double)(total - done) / speed : 0;
    print_bar((double)done / (double)total);
    fprintf(stderr, "%s/%s %s, %s/s, %s left", thousands(done).s, thousands(total).s, what,
            rate(speed).s, duration(left).s);
}

/* ---- Many records ---------------------------------------------------------------------------- */

void cli_meter_start(cli_meter *m, bool quiet, uint64_t from, uint64_t total) {
    *m = (cli_meter){.quiet = quiet, .terminal = isatty(STDERR_FILENO) != 0};
    m->started = cli_seconds();
    m->from = m->done = m->next = from;
    m->total = total;
}

void cli_meter_show(cli_meter *m, uint64_t done, uint64_t total) {
    if (m->quiet || !m->terminal) return;
    double now = cli_seconds(), passed = now - m->started;
    if (passed < 1 || now - m->shown < 0.1) return;
    m->shown = now;
    progress_shown = true;
    double part = total ? (double)done / (double)total : 0;
    double at = (double)m->done + part * (double)(m->next - m->done);
    fputs("\r\033[K", stderr);
    if (m->total > m->from) {
        double gone = at - (double)m->from, left = (double)m->total - at;
        print_bar(at / (double)m->total);
        fprintf(stderr, "%.0f%%, ", 100 * at / (double)m->total);
        if (gone > 0) fprintf(stderr, "%s left, ", duration(passed * left / gone).s);
    }
    fprintf(stderr, "%s texts, %s/s", thousands((uint64_t)m->records).s,
            rate((double)m->records / passed).s);
    if (m->tokens + done > 0)
        fprintf(stderr, ", %s tokens/s", rate((double)(m->tokens + done) / passed).s);
}

void cli_meter_end(cli_meter *m) {
    double passed = cli_seconds() - m->started;
    cli_progress_clear();
    if (m->quiet || m->records == 0 || passed < (m->terminal ? 1 : 5)) return;
    char failed[64] = "";
    if (m->failed)
        snprintf(failed, sizeof failed, " (%s failed)", thousands((uint64_t)m->failed).s);
    if (m->tokens)
        cli_note("%s texts%s, %s tokens in %s: %s tokens/s", thousands((uint64_t)m->records).s,
                 failed, thousands(m->tokens).s, duration(passed).s,
                 rate((double)m->tokens / passed).s);
    else
        cli_note("%s texts%s in %s: %s/s", thousands((uint64_t)m->records).s, failed,
                 duration(passed).s, rate((double)m->records / passed).s);
}

/* ---- Downloads ------------------------------------------------------------------------------- */

cli_figure cli_bytes(uint64_t n) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    figure out;
    double x = (double)n;
    size_t unit = 0;
    while (x >= 999.95 && unit + 1 < sizeof units / sizeof *units) {
        x /= 1000;
        unit++;
    }
    snprintf(out.s, sizeof out.s, unit ? "%.1f %s" : "%.0f %s", x, units[unit]);
    return out;
}

/* What has come, some seconds ago and since: a speed that follows the line's. */
typedef struct past {
    double time[16];
    uint64_t done[16];
    size_t n;
} past;

static double speed_of(past *p, double now, uint64_t done) {
    size_t most = sizeof p->time / sizeof *p->time, last = (p->n + most - 1) % most;
    if (p->n == 0 || now - p->time[last] >= 0.25) {
        p->time[p->n % most] = now;
        p->done[p->n % most] = done;
        p->n++;
    }
    size_t first = p->n > most ? p->n % most : 0;
    double passed = now - p->time[first];
    return passed > 0.5 && done > p->done[first] ? (double)(done - p->done[first]) / passed : 0;
}

static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* One line that a terminal does not break: of a narrow one the bar is left out, then the name. */
static void print_transfer(const char *name, uint64_t done, uint64_t total, const char *more) {
    enum { NAME = 31, LEAST_NAME = 12, BAR_ROOM = BAR + 3 };
    char shown[CLI_MAX_NAME], figures[128];
    snprintf(figures, sizeof figures, "%s%s%s%s", cli_bytes(done).s, total ? "/" : "",
             total ? cli_bytes(total).s : "", more);
    int room = terminal_columns() - 1, left = room - (int)strlen(figures) - 1;
    bool bar = left >= LEAST_NAME + BAR_ROOM;
    if (bar) left -= BAR_ROOM;
    int width = left > NAME ? NAME : left > 0 ? left : 0;
    snprintf(shown, sizeof shown, "%.*s", width, name);
    cli_make_printable(shown);
    if (width) fprintf(stderr, "%-*s ", width, shown);
    if (bar) print_bar(total ? (double)done / (double)total : 0);
    fprintf(stderr, "%.*s", room, figures);
}

void cli_transfers(void *payload, const nt_transfer *transfers, size_t n) {
    static past before;
    const cli_run *run = payload;
    const char *off = getenv("HF_HUB_DISABLE_PROGRESS_BARS"), *last = NULL;
    bool disabled = off && (strcmp(off, "1") == 0 || strcasecmp(off, "true") == 0 ||
                            strcasecmp(off, "yes") == 0 || strcasecmp(off, "on") == 0);
    if (run->quiet || disabled || !isatty(STDERR_FILENO)) return;
    uint64_t done = 0, total = 0;
    size_t running = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        done += transfers[i].done;
        total += transfers[i].total;
        running += transfers[i].running;
    }
    double speed = speed_of(&before, cli_seconds(), done);
    cli_progress_clear();
    if (running == 0) return;
    progress_shown = true;
    for (size_t i = 0; i < n; i++) {
        if (!transfers[i].running) continue;
        last = transfers[i].file;
        if (running == 1) break;
        print_transfer(last, transfers[i].done, transfers[i].total, "");
        fputc('\n', stderr);
        lines_above++;
        if (++at == 8) break;
    }
    char more[96] = "";
    if (speed > 0) snprintf(more, sizeof more, ", %s/s", cli_bytes((uint64_t)speed).s);
    size_t k = strlen(more);
    if (speed > 0 && total > done)
        snprintf(more + k, sizeof more - k, ", %s left",
                 duration((double)(total - done) / speed).s);
    print_transfer(running == 1 ? last : "together", done, total, more);
}
