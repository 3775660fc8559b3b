#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { START, PLAIN, QUOTED, QUOTE, RETURN };

static cli_row_state bad(cli_row_scan *scan, const char *why) {
    scan->why = why;
    return CLI_ROW_BAD;
}

/* Within quotes: on to the next quote. */
static void find_quote(cli_row_scan *scan, const char *bytes, size_t n) {
    const char *quote = memchr(bytes + scan->at, '"', n - scan->at);
    scan->at = quote ? (size_t)(quote - bytes) + 1 : n;
    if (quote) scan->state = QUOTE;
}

cli_row_state cli_row_find(cli_row_scan *scan, const char *bytes, size_t n, bool ended) {
    while (scan->at < n) {
        if (scan->state == QUOTED) {
            find_quote(scan, bytes, n);
            continue;
        }
        char c = bytes[scan->at];
        if (c == '\n') return CLI_ROW_ENDS;
        if (scan->state == RETURN)
            return bad(scan, "text stands behind the quote that closes a field");
        if (scan->state == QUOTE && c == '"')
            scan->state = QUOTED;
        else if (c == scan->separator)
            scan->state = START;
        else if (scan->state == QUOTE && c == '\r')
            scan->state = RETURN;
        else if (scan->state == QUOTE)
            return bad(scan, "text stands behind the quote that closes a field");
        else
            scan->state = scan->state == START && c == '"' ? QUOTED : PLAIN;
        scan->at++;
    }
    if (!ended) return CLI_ROW_MORE;
    if (scan->state != QUOTED) return CLI_ROW_ENDS;
    return bad(scan, "a quote that opens a field is never closed");
}

/* ---- Fields ---------------------------------------------------------------------------------- */

/* One field from bytes [n] into `to`; how many bytes it took, without the separator. */
static size_t read_field(char *to, size_t *length, const char *bytes, size_t n, char separator) {
    size_t i = 0, k = 0;
    bool quoted = n > 0 && bytes[0] == '"';
    for (i = quoted; i < n; i++) {
        char c = bytes[i];
        if (quoted && c == '"') {
            if (i + 1 < n && bytes[i + 1] == '"')
                i++;
            else {
                quoted = false;
                continue;
            }
        } else if (!quoted && c == separator) {
            break;
        }
        to[k++] = c;
    }
    *length = k;
    return i;
}

bool cli_row_read(cli_row *row, const char *bytes, size_t n, char separator) {
    size_t most = 1, at = 0, out = 0;
    for (size_t i = 0; i < n; i++)
        most += bytes[i] == separator;
    *row = (cli_row){malloc(n + most + 1), calloc(most + 1, sizeof *row->starts), 0};
    if (!row->bytes || !row->starts) {
        cli_row_free(row);
        return false;
    }
    for (;; at++) {
        size_t length;
        at += read_field(row->bytes + out, &length, bytes + at, n - at, separator);
        row->starts[row->n++] = out;
        out += length;
        row->bytes[out++] = 0;
        if (at >= n) break;
    }
    row->starts[row->n] = out;
    return true;
}

void cli_row_free(cli_row *row) {
    free(row->bytes);
    free(row->starts);
    *row = (cli_row){0};
}

/* ---- Writing --------------------------------------------------------------------------------- */

void cli_text_put(cli_text *to, const char *bytes, size_t n) {
    if (to->failed) return;
    if (to->room - to->n <= n) {
        size_t wanted = (to->n + n + 1) * 2;
        char *bigger = realloc(to->bytes, wanted);
        to->failed = !bigger;
        if (!bigger) return;
        to->bytes = bigger;
        to->room = wanted;
    }
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
    to->bytes[to->n] = 0;
}

void cli_text_puts(cli_text *to, const char *zero_ended) {
    cli_text_put(to, zero_ended, strlen(zero_ended));
}

void cli_text_field(cli_text *to, const char *bytes, size_t n, char separator) {
    bool quotes = false;
    for (size_t i = 0; i < n && !quotes; i++)
        quotes = bytes[i] == '"' || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == separator;
    if (quotes) cli_text_puts(to, "\"");
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && bytes[plain] != '"' && bytes[plain] != 0)
            plain++;
        cli_text_put(to, bytes + i, plain - i);
        if (plain < n) cli_text_puts(to, bytes[plain] ? "\"\"" : "\xEF\xBF\xBD");
        i = plain + 1;
    }
    if (quotes) cli_text_puts(to, "\"");
}
