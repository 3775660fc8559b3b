/* An option's value as text. */
#include "decode/options/shown.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The fewest digits that give the number back, with a point whatever the locale. */
static void show_number(nt_buffer *out, double x) {
    char text[40];
    if (isinf(x)) {
        nt_buffer_puts(out, x > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    for (const char *c = text; *c; c++)
        nt_buffer_putc(out, (*c >= '0' && *c <= '9') || strchr("+-en", *c) ? *c : '.');
}

/* Nobody has checked what a C program has written: where an array should be may stand NULL. */
static void show_ids(nt_buffer *out, const int32_t *ids, size_t n) {
    for (size_t i = 0; ids && i < n; i++)
        nt_buffer_printf(out, "%s%" PRId32, i ? "," : "", ids[i]);
}

/* As JSON has it, but for what is no ASCII, which stays. */
static void show_string(nt_buffer *out, const char *text) {
    if (!text) {
        nt_buffer_puts(out, "null");
        return;
    }
    nt_buffer_putc(out, '"');
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20) {
            nt_buffer_printf(out, "\\u%04x", (unsigned)*c);
            continue;
        }
        if (*c == '"' || *c == '\\') nt_buffer_putc(out, '\\');
        nt_buffer_putc(out, *c);
    }
    nt_buffer_putc(out, '"');
}

static void show_biases(nt_buffer *out, const nt_bias *biases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nt_buffer_puts(out, i ? ",[[" : "[[");
        show_ids(out, biases[i].ids, biases[i].n_ids);
        nt_buffer_puts(out, "],");
        show_number(out, biases[i].bias);
        nt_buffer_putc(out, ']');
    }
}

/* Lists: an array [n] at `offset`. */
static void show_list(nt_buffer *out, const void *list, size_t n, nt_option_type type) {
    nt_buffer_putc(out, '[');
    if (type == NT_OPTION_IDS) show_ids(out, list, n);
    if (type == NT_OPTION_BIASES) show_biases(out, list, n);
    for (size_t i = 0; type == NT_OPTION_STRINGS && i < n; i++) {
        if (i) nt_buffer_putc(out, ',');
        show_string(out, ((const char *const *)list)[i]);
    }
    for (size_t i = 0; type == NT_OPTION_WORDS && i < n; i++) {
        nt_buffer_puts(out, i ? ",[" : "[");
        show_ids(out, ((const nt_word *)list)[i].ids, ((const nt_word *)list)[i].n_ids);
        nt_buffer_putc(out, ']');
    }
    nt_buffer_putc(out, ']');
}

void nt_option_show(nt_buffer *out, const nt_generate_options *options, const nt_option_row *row) {
    const char *base = (const char *)options, *field = base + row->offset;
    int32_t whole;
    memcpy(&whole, field, sizeof whole);
    switch (row->type) {
    case NT_OPTION_INTEGER: nt_buffer_printf(out, "%" PRId32, whole); break;
    case NT_OPTION_BOOLEAN: nt_buffer_puts(out, *(const int *)field == 1 ? "true" : "false"); break;
    case NT_OPTION_NUMBER: show_number(out, *(const double *)field); break;
    case NT_OPTION_SEED: nt_buffer_printf(out, "%" PRIu64, *(const uint64_t *)field); break;
    case NT_OPTION_TEXT: nt_buffer_puts(out, *(const char *const *)field); break;
    case NT_OPTION_DECAY:
        nt_buffer_printf(out, "[%" PRId32 ",", whole);
        show_number(out, *(const double *)(base + row->offset_factor));
        nt_buffer_putc(out, ']');
        break;
    case NT_OPTION_CHOICE:
        for (int32_t i = 0; i < whole && row->names[i]; i++)
            if (i + 1 == whole) nt_buffer_puts(out, row->names[i]);
        break;
    default:
        show_list(out, *(const void *const *)field, *(const size_t *)(base + row->offset_n),
                  row->type);
    }
}
