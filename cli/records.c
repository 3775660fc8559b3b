#include "records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char too_long[] = "it has more than 64 MiB";

/* ---- Where a record ends --------------------------------------------------------------------- */

/* *n: bytes of the line at hand before its newline, or all there are so far. */
static cli_row_state find_line(cli_records *r, const char *bytes, size_t n_bytes, size_t *n) {
    const char *newline = memchr(bytes + r->searched, '\n', n_bytes - r->searched);
    *n = r->searched = newline ? (size_t)(newline - bytes) : n_bytes;
    return newline || r->in.ended ? CLI_ROW_ENDS : CLI_ROW_MORE;
}

/* A wrong quote spoils its line and no more: what it swallowed is read again, once, since an odd
 * number of quotes that opens a field there would have closed this one. */
static cli_row_state find_row(cli_records *r, const char *bytes, size_t n_bytes, size_t *n) {
    r->scan.separator = r->separator;
    cli_row_state state = cli_row_find(&r->scan, bytes, n_bytes, r->in.ended);
    *n = r->scan.at;
    if (state == CLI_ROW_BAD)
        r->error = r->scan.why;
    else if (*n > CLI_MAX_RECORD && memchr(bytes, '\n', *n))
        r->error = "a quote that opens a field is closed nowhere near";
    else
        return state;
    r->by_line = true;
    return find_line(r, bytes, n_bytes, n);
}

static cli_row_state find_end(cli_records *r, const char *bytes, size_t n_bytes, size_t *n) {
    *n = 0;
    if (n_bytes == 0 && !r->in.ended) return CLI_ROW_MORE;
    bool by_line = r->by_line || !r->separator;
    return by_line ? find_line(r, bytes, n_bytes, n) : find_row(r, bytes, n_bytes, n);
}

/* ---- Taking it ------------------------------------------------------------------------------- */

static uint64_t count_lines(const char *bytes, size_t n) {
    uint64_t lines = 0;
    const char *end = bytes + n;
    while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes)))) {
        lines++;
        bytes++;
    }
    return lines;
}

static bool is_blank(const cli_records *r, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\r' || (!r->separator && (bytes[i] == ' ' || bytes[i] == '\t'))) continue;
        return false;
    }
    return !r->too_long;
}

/* The n bytes at hand and their newline become the record; of a blank line nothing does. */
static bool take(cli_records *r, cli_record *record, size_t n) {
    const char *bytes = r->in.bytes + r->in.begin;
    size_t with_newline = n < r->in.end - r->in.begin ? n + 1 : n;
    bool blank = is_blank(r, bytes, n);
    *record = (cli_record){.index = r->index, .line = r->line, .error = r->error};
    r->line += count_lines(bytes, with_newline);
    if (n > CLI_MAX_RECORD || r->too_long) {
        record->error = too_long;
        n = 0;
    }
    if (n > 0 && bytes[n - 1] == '\r') n--;
    if (!blank) {
        record->bytes = malloc(n + 1);
        if (!record->bytes) return false;
        memcpy(record->bytes, bytes, n);
        record->bytes[n] = 0;
        record->n = n;
        r->index++;
    }
    cli_input_take(&r->in, with_newline);
    r->scan = (cli_row_scan){0};
    r->searched = 0;
    r->by_line = r->too_long = false;
    r->error = NULL;
    return true;
}

/* A line goes on beyond what is kept: on to its end. */
static void drop(cli_records *r) {
    r->by_line = r->too_long = true;
    cli_input_take(&r->in, r->in.end - r->in.begin);
    r->searched = 0;
}

/* The byte order mark that some programs put at a file's beginning is no part of its text. */
static bool may_be_mark(const cli_records *r, size_t n_bytes) {
    static const char mark[] = "\xEF\xBB\xBF";
    size_t n = n_bytes < 3 ? n_bytes : 3;
    return r->in.offset == 0 && n > 0 && memcmp(r->in.bytes + r->in.begin, mark, n) == 0;
}

cli_read cli_records_next(cli_records *r, cli_record *record, bool wait) {
    for (;;) {
        size_t n_bytes = r->in.end - r->in.begin, n;
        bool mark = may_be_mark(r, n_bytes);
        if (mark && n_bytes >= 3) {
            cli_input_take(&r->in, 3);
            continue;
        }
        if (n_bytes == 0 && r->in.ended && !r->too_long) return CLI_READ_END;
        if (!mark || r->in.ended) {
            cli_row_state state = find_end(r, r->in.bytes + r->in.begin, n_bytes, &n);
            if (state == CLI_ROW_ENDS) {
                if (!take(r, record, n)) {
                    cli_error("out of memory while reading %s", r->name);
                    return CLI_READ_BROKEN;
                }
                if (record->bytes) return CLI_READ_ONE;
                continue;
            }
            if (n > CLI_MAX_RECORD) drop(r);
        }
        if (!wait && cli_input_would_wait(&r->in)) return CLI_READ_WAIT;
        if (cli_input_more(&r->in) < 0) {
            if (!cli_interrupted()) cli_error("cannot read %s: %s", r->name, strerror(errno));
            return CLI_READ_BROKEN;
        }
    }
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* One column whose name holds another separator is a table of another kind. */
static const char *hint(const cli_records *r) {
    if (r->header.n > 1) return "";
    if (strchr(r->header.bytes, '\t')) return "; with tabs between them it is a --tsv table";
    if (strchr(r->header.bytes, ';')) return "; semicolons do not separate columns here";
    return strchr(r->header.bytes, ',') ? "; with commas between them it is a --csv table" : "";
}

static bool no_column(const cli_records *r, const char *wanted) {
    cli_text names = {0};
    for (size_t i = 0; i < r->header.n && names.n < 600; i++) {
        if (i) cli_text_puts(&names, ", ");
        cli_text_puts(&names, "\"");
        cli_text_puts(&names, r->header.bytes + r->header.starts[i]);
        cli_text_puts(&names, "\"");
    }
    cli_error("%s: no column is named \"%.60s\"; it has %.600s%s", r->name, wanted,
              names.failed ? "others" : names.bytes, hint(r));
    free(names.bytes);
    return false;
}

static bool find_column(size_t *column, const cli_records *r, const char *wanted) {
    *column = SIZE_MAX;
    if (!wanted) return true;
    for (size_t i = 0; i < r->header.n; i++) {
        if (strcmp(r->header.bytes + r->header.starts[i], wanted) != 0) continue;
        if (*column != SIZE_MAX) {
            cli_error("%s: two columns are named \"%.60s\"", r->name, wanted);
            return false;
        }
        *column = i;
    }
    return *column != SIZE_MAX || no_column(r, wanted);
}

static bool read_header(cli_records *r, const cli_settings *settings) {
    cli_record first;
    switch (cli_records_next(r, &first, true)) {
    case CLI_READ_ONE: break;
    case CLI_READ_END:
        cli_error("%s is empty; its first row must name the columns", r->name);
        return false;
    default: return false;
    }
    bool utf16 = first.n >= 2 && (memcmp(first.bytes, "\xFF\xFE", 2) == 0 ||
                                  memcmp(first.bytes, "\xFE\xFF", 2) == 0);
    bool ok = !first.error && !utf16;
    if (utf16)
        cli_error("%s is UTF-16; save it as UTF-8", r->name);
    else if (first.error)
        cli_error("%s: line %llu, the names of the columns: %s", r->name,
                  (unsigned long long)first.line, first.error);
    if (ok && !cli_row_read(&r->header, first.bytes, first.n, r->separator)) {
        cli_error("out of memory while reading %s", r->name);
        ok = false;
    }
    free(first.bytes);
    r->index = 0;
    return ok && find_column(&r->text_column, r, settings->column) &&
           find_column(&r->prompt_column, r, settings->prompt_column);
}

bool cli_records_open(cli_records *r, const cli_settings *settings) {
    const char *file = settings->table ? settings->table : settings->jsonl;
    *r = (cli_records){.line = 1,
                       .name = strcmp(file, "-") == 0 ? "standard input" : file,
                       .separator = !settings->table ? 0
                                    : settings->tsv  ? '\t'
                                                     : ','};
    if (!cli_input_open(&r->in, file)) return false;
    if (!r->separator || read_header(r, settings)) return true;
    cli_records_close(r);
    return false;
}

void cli_records_close(cli_records *r) {
    cli_row_free(&r->header);
    cli_input_close(&r->in);
}
