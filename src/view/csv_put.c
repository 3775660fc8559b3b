/* Writing CSV, field by field. */
#include "view/csv_put.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "view/figure.h"

void nt_csv_begin(nt_csv *to) {
    nt_buffer_puts(to->out, to->prefix);
    to->fields = 0;
}

void nt_csv_end(nt_csv *to) {
    nt_buffer_putc(to->out, '\n');
}

static void separate(nt_csv *to) {
    if (to->fields++ > 0) nt_buffer_putc(to->out, to->separator);
}

void nt_csv_word(nt_csv *to, const char *plain) {
    separate(to);
    nt_buffer_puts(to->out, plain);
}

void nt_csv_whole(nt_csv *to, int64_t x) {
    separate(to);
    nt_buffer_printf(to->out, "%lld", (long long)x);
}

void nt_csv_count(nt_csv *to, uint64_t x) {
    separate(to);
    nt_buffer_printf(to->out, "%llu", (unsigned long long)x);
}

void nt_csv_number(nt_csv *to, double x) {
    nt_csv_word(to, isnan(x) ? "" : nt_figure_g9(x).s);
}

void nt_csv_plain(nt_csv *to, double x) {
    nt_csv_word(to, isnan(x) ? "" : nt_figure_plain(x).s);
}

void nt_csv_truth(nt_csv *to, bool x) {
    nt_csv_word(to, x ? "true" : "false");
}

void nt_csv_string(nt_csv *to, const char *bytes, size_t n) {
    nt_buffer *out = to->out;
    separate(to);
    nt_buffer_putc(out, '"');
    size_t good = 0; /* [good, i) waits to be copied */
    for (size_t i = 0; i < n;) {
        int32_t code;
        size_t length = nt_utf8_next(&code, bytes + i, n - i);
        if (code <= 0 || code == '"') {
            nt_buffer_put(out, bytes + good, i - good);
            nt_buffer_puts(out, code == '"' ? "\"\"" : "\xEF\xBF\xBD");
            good = i + length;
        }
        i += length;
    }
    if (good < n) nt_buffer_put(out, bytes + good, n - good);
    nt_buffer_putc(out, '"');
}

void nt_csv_words(nt_csv *to, const char *zero_ended) {
    nt_csv_string(to, zero_ended ? zero_ended : "", zero_ended ? strlen(zero_ended) : 0);
}

void nt_csv_token(nt_csv *to, const nt_token *token) {
    nt_csv_whole(to, token->id);
    nt_csv_string(to, token->bytes, token->n_bytes);
}
