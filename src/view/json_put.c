/* Writing JSON, piece by piece. */
#include "view/json_put.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "view/figure.h"

/* ---- Writing --------------------------------------------------------------------------------- */

/* A comma unless a value opens its object or array; strings end in a quote, so the last byte
 * tells. */
static void comma(nt_buffer *out) {
    char last = out->n > 0 ? out->data[out->n - 1] : '{';
    if (last != '{' && last != '[' && last != ':') nt_buffer_putc(out, ',');
}

void nt_put_key(nt_buffer *out, const char *name) {
    comma(out);
    nt_buffer_putc(out, '"');
    nt_buffer_puts(out, name);
    nt_buffer_puts(out, "\":");
}

void nt_put_open(nt_buffer *out, char bracket) {
    comma(out);
    nt_buffer_putc(out, bracket);
}

void nt_put_whole(nt_buffer *out, int64_t x) {
    comma(out);
    nt_buffer_printf(out, "%lld", (long long)x);
}

void nt_put_count(nt_buffer *out, uint64_t x) {
    comma(out);
    nt_buffer_printf(out, "%llu", (unsigned long long)x);
}

void nt_put_null(nt_buffer *out) {
    comma(out);
    nt_buffer_puts(out, "null");
}

void nt_put_truth(nt_buffer *out, bool x) {
    comma(out);
    nt_buffer_puts(out, x ? "true" : "false");
}

void nt_put_number(nt_buffer *out, double x) {
    comma(out);
    nt_buffer_puts(out, isfinite(x) ? nt_figure_g9(x).s : "null");
}

void nt_put_plain(nt_buffer *out, double x) {
    comma(out);
    nt_buffer_puts(out, isfinite(x) ? nt_figure_plain(x).s : "null");
}

void nt_put_string(nt_buffer *out, const char *bytes, size_t n) {
    comma(out);
    nt_buffer_putc(out, '"');
    size_t good = 0; /* [good, i) waits to be copied */
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code >= 0x20 && code != '"' && code != '\\' && code != 0x7F) {
            i += length;
            continue;
        }
        nt_buffer_put(out, bytes + good, i - good);
        if (code < 0)
            nt_buffer_puts(out, "\xEF\xBF\xBD");
        else if (code == '"' || code == '\\')
            nt_buffer_printf(out, "\\%c", (char)code);
        else if (code == '\n')
            nt_buffer_puts(out, "\\n");
        else
            nt_buffer_printf(out, "\\u%04x", (unsigned)code);
        i += length;
        good = i;
    }
    if (good < n) nt_buffer_put(out, bytes + good, n - good);
    nt_buffer_putc(out, '"');
}

void nt_put_words(nt_buffer *out, const char *zero_ended) {
    if (zero_ended)
        nt_put_string(out, zero_ended, strlen(zero_ended));
    else
        nt_put_null(out);
}

/* ---- Members --------------------------------------------------------------------------------- */

void nt_member_count(nt_buffer *out, const char *name, uint64_t x) {
    nt_put_key(out, name);
    nt_put_count(out, x);
}

void nt_member_whole(nt_buffer *out, const char *name, int64_t x) {
    nt_put_key(out, name);
    nt_put_whole(out, x);
}

void nt_member_id(nt_buffer *out, const char *name, int64_t x) {
    nt_put_key(out, name);
    if (x >= 0)
        nt_put_whole(out, x);
    else
        nt_put_null(out);
}

void nt_member_number(nt_buffer *out, const char *name, double x) {
    nt_put_key(out, name);
    nt_put_number(out, x);
}

void nt_member_truth(nt_buffer *out, const char *name, bool x) {
    nt_put_key(out, name);
    nt_put_truth(out, x);
}

void nt_member_words(nt_buffer *out, const char *name, const char *zero_ended) {
    nt_put_key(out, name);
    nt_put_words(out, zero_ended);
}

/* ---- Texts and tokens ------------------------------------------------------------------------ */

static bool lossy(const char *bytes, size_t n) {
    return nt_utf8_check(bytes, n) < n;
}

static void byte_list(nt_buffer *out, const char *bytes, size_t n) {
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_whole(out, (unsigned char)bytes[i]);
    nt_buffer_putc(out, ']');
}

static void token_string(nt_buffer *out, const nt_token *token) {
    if (token->n_bytes > 0)
        nt_put_string(out, token->bytes, token->n_bytes);
    else
        nt_put_null(out);
}

static void bytes_if_lossy(nt_buffer *out, const char *bytes, size_t n) {
    if (!lossy(bytes, n)) return;
    nt_put_key(out, "bytes");
    byte_list(out, bytes, n);
}

void nt_put_text(nt_buffer *out, const char *name, const char *bytes, size_t n) {
    nt_put_key(out, name);
    nt_put_string(out, bytes, n);
    bytes_if_lossy(out, bytes, n);
}

void nt_put_token(nt_buffer *out, const nt_token *token) {
    nt_put_key(out, "id");
    nt_put_whole(out, token->id);
    nt_put_key(out, "token");
    token_string(out, token);
    bytes_if_lossy(out, token->bytes, token->n_bytes);
}

void nt_put_ids(nt_buffer *out, const char *name, const nt_token *tokens, size_t n) {
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_whole(out, tokens[i].id);
    nt_buffer_putc(out, ']');
}

void nt_put_tokens(nt_buffer *out, const nt_token *tokens, size_t n) {
    nt_put_key(out, "tokens");
    nt_put_open(out, '[');
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        token_string(out, &tokens[i]);
        any |= lossy(tokens[i].bytes, tokens[i].n_bytes);
    }
    nt_buffer_putc(out, ']');
    if (!any) return;
    nt_put_key(out, "token_bytes");
    nt_put_open(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (!lossy(tokens[i].bytes, tokens[i].n_bytes)) continue;
        nt_put_key(out, nt_figure_plain((double)i).s);
        byte_list(out, tokens[i].bytes, tokens[i].n_bytes);
    }
    nt_buffer_putc(out, '}');
}

void nt_put_offsets(nt_buffer *out, const nt_token *tokens, size_t n) {
    nt_put_key(out, "offsets");
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        nt_put_open(out, '[');
        nt_put_count(out, tokens[i].start);
        nt_put_count(out, tokens[i].end);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

void nt_put_scored(nt_buffer *out, const nt_scored *scored, size_t n, nt_measure in) {
    nt_put_key(out, "logprobs");
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_number(out, in.scale * scored[i].logprob);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "ranks");
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (scored[i].rank > 0)
            nt_put_whole(out, scored[i].rank);
        else
            nt_put_null(out);
    }
    nt_buffer_putc(out, ']');
}
