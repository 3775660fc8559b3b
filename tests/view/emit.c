/* Prints views for check.py, each ended by a zero byte: for every trace its kind, its JSON in nats
 * and in bits and with the whole trace, its CSV, its TSV behind a prefix, then its table at several
 * widths, each before the width that it must keep to; of next tokens and steps, its picture; of a
 * search with beams two pictures of its tree and its page. */
#include <stdio.h>

#include "view/random.h"
#include "view/tree.h"

static void emit(const nt_result *t, nt_view_options options) {
    nt_buffer out = {0};
    int status = options.format == NT_JSON    ? nt_view_json(&out, t, &options)
                 : options.format == NT_TABLE ? nt_view_table(&out, t, &options)
                 : options.format == NT_SVG   ? nt_view_svg(&out, t, &options)
                 : options.format == NT_HTML  ? nt_view_html(&out, t, &options)
                                              : nt_view_csv(&out, t, &options);
    if (status != NT_OK) {
        fprintf(stderr, "%s\n", nt_error_message());
        exit(1);
    }
    fwrite(out.data, 1, out.n, stdout);
    putchar(0);
    nt_buffer_free(&out);
}

static void emit_all(nt_result *t) {
    static const int widths[] = {20, 33, 40, 80, 120, 200};
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    printf("%d", (int)t->kind);
    putchar(0);
    options.format = NT_JSON;
    emit(t, options);
    options.bits = true;
    emit(t, options);
    options.bits = false;
    options.trace = true;
    emit(t, options);
    options.format = NT_CSV;
    emit(t, options);
    options.format = NT_TSV;
    options.header_prefix = "doc\tline\t";
    options.row_prefix = "\"a\tb\"\t17\t";
    emit(t, options);
    options.format = NT_TABLE;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        options.width = widths[i];
        options.color = t->kind == NT_RESULT_TEXT; /* a text without colour is data, not a table */
        options.bits = i % 2;
        printf("%d", t->kind == NT_RESULT_TEXT ? 100000 : widths[i]);
        putchar(0);
        emit(t, options);
    }
    options.format = NT_SVG;
    bool tree = nt_tree_has(t);
    if (t->kind == NT_RESULT_NEXT || t->kind == NT_RESULT_STEPS || tree) emit(t, options);
    options.tree_detail = NT_TREE_ALL;
    if (tree) emit(t, options);
    options.format = NT_HTML;
    if (tree) emit(t, options);
    free_sample(t);
}

int main(void) {
    for (size_t i = 0; i < N_SAMPLES; i++)
        emit_all(samples[i]());
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_COUNTS; kind++)
        for (uint64_t seed = 0; seed < 40; seed++)
            emit_all(random_sample(kind, seed));
    return 0;
}
