/* What a FILE of --output holds: how many records, and where its last begins and ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"

enum { PIECE = 1 << 18, HEAD = 64 };

typedef struct found {
    off_t at;               /* bytes seen */
    off_t begin, last, end; /* where the row or line at hand, the last whole record, and what
                               follows that begin */
    int64_t record;         /* the last whole one; -1: none */
    int64_t n_failed;       /* of those before it */
    bool failed, foreign;   /* the last one is an error; this is no output of ours */
    /* the row or line at hand */
    char head[HEAD]; /* [n_head] its beginning */
    size_t n_head;
    bool quoted; /* within quotes */
    char before; /* the byte before */
} found;

/* One more whole row or line, of this record. */
static void add(found *f, int64_t record, bool failed) {
    if (record != f->record) {
        if (record != f->record + 1) f->foreign = true;
        f->n_failed += f->failed;
        f->failed = false;
        f->record = record;
        f->last = f->begin;
    }
    f->failed |= failed;
}

static void keep_head(found *f, const char *bytes, size_t n) {
    if (n > HEAD - 1 - f->n_head) n = HEAD - 1 - f->n_head;
    memcpy(f->head + f->n_head, bytes, n);
    f->n_head += n;
    f->head[f->n_head] = 0;
}

static void next_line(found *f) {
    f->begin = f->end = f->at;
    f->n_head = 0;
    f->before = 0;
}

/* Lines: one a record; an error has its member behind `index`. */
static void read_lines(found *f, const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        const char *newline = memchr(bytes + i, '\n', n - i);
        size_t m = newline ? (size_t)(newline - bytes) - i : n - i;
        keep_head(f, bytes + i, m);
        i += m + (newline != NULL);
        f->at += (off_t)(m + (newline != NULL));
        if (!newline) return;
        if (f->head[0] != '{') f->foreign = true;
        add(f, f->record + 1, strstr(f->head, ",\"error\":") != NULL);
        next_line(f);
    }
}

/* Rows: the first field numbers the record, the last is its error. */
static void end_row(found *f, char separator) {
    char *end;
    long long record = strtoll(f->head, &end, 10);
    if (f->n_head == 0 || f->head[0] < '0' || f->head[0] > '9' || *end != separator)
        f->foreign = true;
    else
        add(f, record, f->before != separator);
    f->at++;
    next_line(f);
    f->at--;
}

static void read_rows(found *f, const char *bytes, size_t n, char separator) {
    for (size_t i = 0; i < n; i++, f->at++) {
        char c = bytes[i];
        if (c == '\n' && !f->quoted) {
            end_row(f, separator);
            continue;
        }
        if (c == '"') f->quoted = !f->quoted;
        if (f->n_head < 24) keep_head(f, &c, 1);
        f->before = c;
    }
}

static bool read_file(found *f, cli_sink *sink, char separator) {
    char *piece = malloc(PIECE);
    ssize_t n = -1;
    errno = ENOMEM;
    while (piece && !f->foreign && (n = pread(STDOUT_FILENO, piece, PIECE, f->at)) > 0) {
        if (separator)
            read_rows(f, piece, (size_t)n, separator);
        else
            read_lines(f, piece, (size_t)n);
    }
    if (n < 0) cli_error("cannot read %s: %s", cli_stdout_name, strerror(errno));
    sink->failed |= n < 0;
    free(piece);
    return n >= 0;
}

/* Whether FILE begins as the header does; *size is how much of it is there. */
static bool read_header(off_t *size, cli_sink *sink, const cli_text *header) {
    char *there = malloc(header->n + 1);
    ssize_t n = there ? pread(STDOUT_FILENO, there, header->n, 0) : -1;
    bool same = n >= 0 && memcmp(there, header->bytes, (size_t)n) == 0;
    free(there);
    *size = n;
    if (same) return true;
    cli_error("cannot go on with %s: its columns are not those of this run; remove it to begin "
              "anew",
              cli_stdout_name);
    sink->failed = true;
    return false;
}

bool cli_sink_resume(int64_t *skip, int64_t *n_failed, cli_sink *sink, const cli_text *header,
                     char separator) {
    found f = {.record = -1};
    struct stat info;
    *skip = *n_failed = 0;
    if (fstat(STDOUT_FILENO, &info) != 0) {
        cli_error("cannot read %s: %s", cli_stdout_name, strerror(errno));
        return false;
    }
    if (header) {
        if (!read_header(&f.at, sink, header)) return false;
        if ((size_t)f.at < header->n) { /* it ends within */
            sink->check_end = f.at;
            return cli_sink_put(sink, header->bytes, header->n) == 0;
        }
        f.begin = f.last = f.end = f.at;
    }
    if (!read_file(&f, sink, separator)) return false;
    if (f.foreign) {
        cli_error("cannot go on with %s: it is no output of this command", cli_stdout_name);
        sink->failed = true;
        return false;
    }
    /* A record that is whole says enough of what follows it; without one all there is must fit. */
    sink->check = f.last;
    sink->check_end = f.record >= 0 ? f.end : info.st_size;
    if (sink->check == sink->check_end) {
        sink->written = sink->marked = sink->whole = sink->check;
        lseek(STDOUT_FILENO, sink->written, SEEK_SET);
    }
    if (f.record > 0) *skip = f.record;
    *n_failed = f.n_failed;
    return true;
}
