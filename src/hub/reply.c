#include "hub/reply.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The value of a header line [n] with this name, trimmed, in out [size]. */
static bool header(char *out, size_t size, const char *line, size_t n, const char *name) {
    size_t k = strlen(name);
    if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':') return false;
    const char *at = line + k + 1, *end = line + n;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && memchr(" \t\r\n", end[-1], 4))
        end--;
    size_t length = (size_t)(end - at);
    if (length >= size || memchr(at, 0, length)) length = 0;
    for (size_t i = 0; i < length; i++) /* none is to reach a terminal */
        out[i] = (unsigned char)at[i] < 0x20 || at[i] == 0x7f ? '?' : at[i];
    out[length] = 0;
    return true;
}

/* The digits at *at, passed over: -1 where there is none, or more than fit. */
static int64_t number(const char **at) {
    int64_t n = **at >= '0' && **at <= '9' ? 0 : -1;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        int digit = **at - '0';
        n = n < 0 || n > (INT64_MAX - digit) / 10 ? -1 : 10 * n + digit;
    }
    return n;
}

/* A text that is a number and nothing else. */
static int64_t whole_number(const char *text) {
    int64_t n = number(&text);
    return *text ? -1 : n;
}

/* "bytes 10-99/100", with a star for the 100 where nobody knows it. */
static void read_range(nt_reply *reply, const char *value) {
    reply->range_start = reply->range_total = -1;
    if (strncasecmp(value, "bytes ", 6) != 0) return;
    value += 6;
    int64_t start = number(&value);
    if (start < 0 || *value != '-') return;
    value++;
    if (number(&value) < start || *value != '/') return;
    value++;
    reply->range_start = start;
    reply->range_total = whole_number(value);
}

/* W/"x" -> x */
static void strip_etag(char *etag) {
    char *from = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
    size_t n = strlen(from);
    if (n >= 2 && from[0] == '"' && from[n - 1] == '"') {
        from[n - 1] = 0;
        from++;
    }
    memmove(etag, from, strlen(from) + 1);
}

/* HTTP/1.1 200 OK */
static long status_code(const char *line, size_t n) {
    const char *space = memchr(line, ' ', n), *end = line + n;
    long code = 0;
    if (!space || end - space < 4) return 0;
    for (int i = 1; i < 4; i++) {
        if (space[i] < '0' || space[i] > '9') return 0;
        code = 10 * code + space[i] - '0';
    }
    return end - space > 4 && space[4] >= '0' && space[4] <= '9' ? 0 : code;
}

void nt_reply_clear(nt_reply *reply) {
    reply->code = 0;
    reply->commit[0] = reply->etag[0] = reply->linked_etag[0] = 0;
    reply->error_code[0] = reply->error_message[0] = reply->location[0] = 0;
    reply->length = reply->linked_size = reply->range_start = reply->range_total = -1;
    reply->retry_after = -1;
}

void nt_reply_line(nt_reply *reply, const char *line, size_t n) {
    char value[NT_HEADER];
    if (n > 5 && strncmp(line, "HTTP/", 5) == 0) {
        nt_reply_clear(reply);
        reply->code = status_code(line, n);
    } else if (header(reply->etag, NT_HEADER, line, n, "ETag")) {
        strip_etag(reply->etag);
    } else if (header(reply->linked_etag, NT_HEADER, line, n, "X-Linked-Etag")) {
        strip_etag(reply->linked_etag);
    } else if (header(value, NT_HEADER, line, n, "Content-Length")) {
        reply->length = whole_number(value);
    } else if (header(value, NT_HEADER, line, n, "X-Linked-Size")) {
        reply->linked_size = whole_number(value);
    } else if (header(value, NT_HEADER, line, n, "Retry-After")) {
        reply->retry_after = whole_number(value);
    } else if (header(value, NT_HEADER, line, n, "Content-Range")) {
        read_range(reply, value);
    } else if (!header(reply->commit, NT_HEADER, line, n, "X-Repo-Commit") &&
               !header(reply->error_code, NT_HEADER, line, n, "X-Error-Code") &&
               !header(reply->error_message, NT_HEADER, line, n, "X-Error-Message")) {
        header(reply->location, NT_LOCATION, line, n, "Location");
    }
}
