/* Tables of what the model is and what goes on in it. */
#include <string.h>

#include "view/frame.h"
#include "view/inside.h"

/* ---- inspect --------------------------------------------------------------------------------- */

/* "arrays: logits [1, 50257]", one part a tensor. */
static void kept_arrays(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    for (size_t i = 0; i < trace->n_tensors; i++) {
        const nt_tensor_view *tensor = &trace->tensors[i];
        char text[256] = "";
        strncat(text, tensor->name, 64);
        strcat(text, " [");
        for (size_t d = 0; d < tensor->n_dims; d++) {
            if (d > 0) strcat(text, ", ");
            strcat(text, nt_figure_plain((double)tensor->shape[d]).s);
        }
        strcat(text, "]");
        nt_frame_part(frame, text, NT_STYLE_DIM);
    }
    nt_frame_line(frame);
}

static void norms(nt_frame *frame) {
    nt_sheet *sheet = &frame->sheet;
    const nt_tensor_view *norms = nt_result_tensor(frame->trace, "hidden_norms");
    size_t n = norms ? norms->shape[0] : 0;
    nt_sheet_column(sheet, (nt_column){.title = "layer", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "states after", .comfort = 10});
    nt_sheet_column(sheet, (nt_column){.title = "norm", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 2});
    for (size_t i = 0; i < n; i++) {
        char name[80] = "block ";
        strcat(name, nt_figure_plain((double)i - 1).s);
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, nt_figure_plain((double)i).s, NT_STYLE_DIM);
        nt_sheet_puts(sheet, i == 0 ? "embedding" : i + 1 == n ? "final norm" : name, 0);
        nt_sheet_puts(sheet, nt_figure_fixed(norms->data[i], 3).s, 0);
        nt_sheet_bar(sheet, norms->data[i], NT_STYLE_CYAN);
    }
    nt_frame_sheet(frame);
    kept_arrays(frame);
}

/* Layers and attention where they were asked for; a page draws them above its tables. */
void nt_table_inspect(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    bool inside = trace->n_layers > 0 || trace->n_attentions > 0;
    if (!inside || frame->page) {
        norms(frame);
        return;
    }
    int status = nt_inside_check(trace, frame->position);
    if (status != NT_OK) {
        frame->sheet.status = status;
        return;
    }
    if (trace->n_layers > 0) nt_table_layers(frame);
    if (trace->n_layers > 0 && trace->n_attentions > 0) nt_frame_gap(frame);
    if (trace->n_attentions > 0) nt_table_attention(frame);
    nt_frame_gap(frame);
}

/* ---- info ------------------------------------------------------------------------------------ */

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static void fact_value(nt_sheet *sheet, const nt_fact *fact) {
    if (fact->text) {
        nt_sheet_show(sheet, "", fact->text, strlen(fact->text), NT_SHOW_TEXT, 0);
    } else if (fact->is_bool) {
        nt_sheet_puts(sheet, fact->number != 0 ? "yes" : "no", 0);
    } else if (fact->number >= 0 && fact->number < 9e15 &&
               fact->number == (double)(uint64_t)fact->number) {
        nt_sheet_puts(sheet, nt_figure_count((uint64_t)fact->number).s, 0);
        if (!ends_with(fact->key, "bytes") || fact->number < 1024) return;
        nt_sheet_more(sheet, " (", NT_STYLE_DIM);
        nt_sheet_more(sheet, nt_figure_bytes(fact->number).s, NT_STYLE_DIM);
        nt_sheet_more(sheet, ")", NT_STYLE_DIM);
    } else {
        nt_sheet_puts(sheet, nt_figure_g9(fact->number).s, 0);
    }
}

void nt_table_info(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.comfort = 12});
    nt_sheet_column(sheet, (nt_column){.comfort = 12});
    for (size_t i = 0; i < trace->n_facts; i++) {
        nt_sheet_row(sheet, 0);
        char name[64] = "";
        strncat(name, trace->facts[i].key, sizeof name - 1);
        for (char *c = name; *c; c++)
            if (*c == '_') *c = ' ';
        nt_sheet_show(sheet, "", name, strlen(name), NT_SHOW_TEXT, NT_STYLE_DIM);
        fact_value(sheet, &trace->facts[i]);
    }
    nt_frame_sheet(frame);
    if (trace->groups.n == 0) return;
    nt_frame_gap(frame);
    nt_table_groups(frame, &trace->groups);
}
