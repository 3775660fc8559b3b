/* Tables of what files of weights hold, and of how two differ. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view/differences.h"
#include "view/frame.h"

/* Four significant digits, in the form that is shorter. */
static nt_figure short_figure(double x) {
    nt_figure f;
    if (!isfinite(x)) return nt_figure_fixed(x, 0);
    double size = fabs(x);
    if (x == 0) return (nt_figure){"0"};
    if (size >= 1e-3 && size < 1e5) {
        int decimals = 3;
        for (double at = 10; decimals > 0 && size >= at; at *= 10)
            decimals--;
        return nt_figure_fixed(x, size < 1 ? 4 : decimals);
    }
    snprintf(f.s, sizeof f.s, "%.2e", x);
    nt_figure_repair(f.s);
    return f;
}

/* "[768, 2304]" */
static void add_shape(nt_sheet *sheet, const nt_tensor_info *info) {
    nt_sheet_more(sheet, "[", 0);
    for (size_t d = 0; d < info->n_dims; d++) {
        if (d > 0) nt_sheet_more(sheet, ", ", 0);
        nt_sheet_more(sheet, nt_figure_plain((double)info->shape[d]).s, 0);
    }
    nt_sheet_more(sheet, "]", 0);
}

static void put_shape(nt_sheet *sheet, const nt_tensor_info *info) {
    nt_sheet_puts(sheet, "", 0);
    add_shape(sheet, info);
}

static void put_name(nt_sheet *sheet, const char *name) {
    nt_sheet_show(sheet, "", name, strlen(name), NT_SHOW_TEXT, 0);
}

/* ---- Groups ---------------------------------------------------------------------------------- */

/* Begins a row: the group's name, and of how many tensors it is. */
static void begin_group(nt_frame *frame, const nt_trace_group *group) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_row(sheet, 0);
    put_name(sheet, group->name);
    nt_sheet_puts(sheet, "", 0);
    if (group->n < 2) return;
    nt_sheet_more(sheet, frame->paint.ascii ? "x " : "\xC3\x97 ", NT_STYLE_DIM);
    nt_sheet_more(sheet, nt_figure_count(group->n).s, 0);
}

void nt_table_groups(nt_frame *frame, const nt_trace_groups *groups) {
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "tensors", .comfort = 16});
    nt_sheet_column(sheet, (nt_column){.title = "", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "type", .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "shape"});
    nt_sheet_column(sheet, (nt_column){.title = "numbers", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "size", .align = NT_RIGHT, .hide = 1});
    for (size_t i = 0; i < groups->n; i++) {
        const nt_trace_group *group = &groups->items[i];
        begin_group(frame, group);
        nt_sheet_puts(sheet, group->other_types ? "several" : group->first->type, 0);
        if (group->other_shapes)
            nt_sheet_puts(sheet, "several", 0);
        else
            put_shape(sheet, group->first);
        nt_sheet_puts(sheet, nt_figure_count(group->n_numbers).s, 0);
        nt_sheet_puts(sheet, nt_figure_bytes((double)group->n_bytes).s, NT_STYLE_DIM);
    }
    nt_frame_sheet(frame);
}

/* "148 tensors · 124,439,808 numbers · 474.7 MiB" */
static void totals(nt_frame *frame) {
    const nt_trace_groups *groups = &frame->trace->groups;
    uint64_t n = 0, n_numbers = 0, n_bytes = 0;
    for (size_t i = 0; i < groups->n; i++) {
        n += groups->items[i].n;
        n_numbers += groups->items[i].n_numbers;
        n_bytes += groups->items[i].n_bytes;
    }
    nt_frame_figure(frame, "", nt_figure_count(n), n == 1 ? " tensor" : " tensors", 0);
    nt_frame_figure(frame, "", nt_figure_count(n_numbers), " numbers", 0);
    nt_frame_figure(frame, "", nt_figure_bytes((double)n_bytes), "", 0);
    nt_frame_line(frame);
}

/* ---- Tensors with their statistics ----------------------------------------------------------- */

static bool any_odd(const nt_result *trace) {
    for (size_t i = 0; i < trace->n_infos; i++)
        if (trace->infos[i].n_nan + trace->infos[i].n_inf > 0) return true;
    return false;
}

static void put_odd(nt_sheet *sheet, const nt_tensor_info *info) {
    nt_sheet_puts(sheet, "", 0);
    if (info->n_nan) {
        nt_sheet_more(sheet, nt_figure_count(info->n_nan).s, NT_STYLE_MAGENTA);
        nt_sheet_more(sheet, " NaN", NT_STYLE_MAGENTA);
    }
    if (info->n_nan && info->n_inf) nt_sheet_more(sheet, ", ", 0);
    if (info->n_inf) {
        nt_sheet_more(sheet, nt_figure_count(info->n_inf).s, NT_STYLE_MAGENTA);
        nt_sheet_more(sheet, " inf", NT_STYLE_MAGENTA);
    }
}

static void put_statistics(nt_sheet *sheet, const nt_tensor_info *info) {
    const double numbers[] = {info->min, info->max, info->mean, info->std, info->norm};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        nt_sheet_puts(sheet, info->counted ? short_figure(numbers[i]).s : "", 0);
    double share = info->n_numbers ? (double)info->n_zeros / (double)info->n_numbers : 0;
    nt_sheet_puts(sheet, info->counted && info->n_zeros ? nt_figure_percent(share).s : "",
                  NT_STYLE_DIM);
}

void nt_table_tensors(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    bool counted = false, odd = any_odd(trace);
    for (size_t i = 0; i < trace->n_infos; i++)
        counted |= trace->infos[i].counted;
    if (!counted) {
        nt_table_groups(frame, &trace->groups);
        totals(frame);
        return;
    }
    nt_sheet_column(sheet, (nt_column){.title = "tensor", .comfort = 32});
    nt_sheet_column(sheet, (nt_column){.title = "type", .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "shape", .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "min", .align = NT_RIGHT, .hide = 6});
    nt_sheet_column(sheet, (nt_column){.title = "max", .align = NT_RIGHT, .hide = 7});
    nt_sheet_column(sheet, (nt_column){.title = "mean", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "std", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "norm", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "zeros", .align = NT_RIGHT, .hide = 2});
    if (odd) nt_sheet_column(sheet, (nt_column){.title = "not finite", .align = NT_RIGHT});
    for (size_t i = 0; i < trace->n_infos; i++) {
        const nt_tensor_info *info = &trace->infos[i];
        nt_sheet_row(sheet, 0);
        put_name(sheet, info->name);
        nt_sheet_puts(sheet, info->type, NT_STYLE_DIM);
        put_shape(sheet, info);
        put_statistics(sheet, info);
        if (odd) put_odd(sheet, info);
    }
    nt_frame_sheet(frame);
    totals(frame);
}

/* ---- Differences ----------------------------------------------------------------------------- */

/* "1.25 %", or of the tiniest "3.1e-07"; "inf" from zeros. */
static nt_figure relative_figure(double x) {
    if (isinf(x)) return (nt_figure){"from 0"};
    if (x > 0 && x < 0.00005) return short_figure(x);
    if (x < 1) return nt_figure_percent(x);
    nt_figure f = nt_figure_fixed(100 * x, 2); /* more than all is possible */
    if (!isnan(x)) strcat(f.s, " %");
    return f;
}

static void blocks(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "block", .comfort = 10});
    nt_sheet_column(sheet, (nt_column){.title = "tensors", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "changed", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "change", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 3});
    for (size_t i = 1; i < trace->n_sums; i++) {
        const nt_diff_sum *sum = &trace->sums[i];
        nt_sheet_row(sheet, 0);
        put_name(sheet, sum->name);
        nt_sheet_puts(sheet, nt_figure_count(sum->n_tensors).s, NT_STYLE_DIM);
        nt_sheet_puts(sheet, nt_figure_count(sum->n_changed).s, 0);
        nt_sheet_puts(sheet, relative_figure(sum->relative).s, 0);
        nt_sheet_bar(sheet, sum->relative, NT_STYLE_CYAN);
    }
    nt_frame_sheet(frame);
    nt_frame_gap(frame);
}

static void changed(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    size_t most = frame->most_rows >= 0 ? (size_t)frame->most_rows : trace->n_ranking;
    size_t n = trace->n_ranking < most ? trace->n_ranking : most;
    if (n == 0) return;
    nt_sheet_column(sheet, (nt_column){.title = "most changed", .comfort = 32});
    nt_sheet_column(sheet, (nt_column){.title = "change", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "numbers", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "largest", .align = NT_RIGHT, .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "cosine", .align = NT_RIGHT, .hide = 4});
    for (size_t i = 0; i < n; i++) {
        const nt_tensor_diff *d = &trace->diffs[trace->ranking[i]];
        double share = d->n_compared ? (double)d->n_changed / (double)d->n_compared : 0;
        nt_sheet_row(sheet, 0);
        put_name(sheet, d->name);
        nt_sheet_puts(sheet, relative_figure(d->relative).s, 0);
        nt_sheet_bar(sheet, d->relative, NT_STYLE_CYAN);
        nt_sheet_puts(sheet, nt_figure_percent(share).s, NT_STYLE_DIM);
        nt_sheet_puts(sheet, short_figure(d->max_abs).s, 0);
        nt_sheet_puts(sheet, nt_figure_fixed(d->cosine, 6).s, NT_STYLE_DIM);
    }
    nt_frame_sheet(frame);
    if (n < trace->n_ranking) {
        nt_frame_figure(frame, "", nt_figure_count(trace->n_ranking - n),
                        " more changed less: --tensors shows all", NT_STYLE_DIM);
        nt_frame_line(frame);
    }
    nt_frame_gap(frame);
}

/* "[50257, 768] F32 -> [50260, 768] F32: ..." of what is not plainly the same or changed. */
static void odd_ones(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    const char *arrow = frame->paint.ascii ? " -> " : " \xE2\x86\x92 ";
    bool any = false;
    for (size_t i = 0; i < trace->n_diffs; i++) {
        const nt_tensor_diff *d = &trace->diffs[i];
        bool resized = d->n_rows > 0;
        if (!resized && d->difference != NT_DIFF_SHAPE && d->difference != NT_DIFF_UNREAD) continue;
        if (!any) {
            nt_sheet_column(sheet, (nt_column){.title = "not as it was", .comfort = 16});
            nt_sheet_column(sheet, (nt_column){.title = "shape", .comfort = 16});
            nt_sheet_column(sheet, (nt_column){.title = "compared", .comfort = 10});
        }
        any = true;
        nt_sheet_row(sheet, 0);
        put_name(sheet, d->name);
        put_shape(sheet, d->a);
        nt_sheet_more(sheet, arrow, NT_STYLE_DIM);
        add_shape(sheet, d->b);
        nt_sheet_puts(sheet, "", 0);
        if (resized) {
            nt_sheet_more(sheet, "the first ", 0);
            nt_sheet_more(sheet, nt_figure_count(d->n_rows).s, 0);
            nt_sheet_more(sheet, d->n_rows == 1 ? " row" : " rows", 0);
        } else if (d->difference == NT_DIFF_SHAPE) {
            nt_sheet_more(sheet, "no: another shape", 0);
        } else {
            nt_sheet_more(sheet, "no: other bytes of type ", 0);
            nt_sheet_more(sheet, d->b->type, 0);
        }
    }
    if (!any) return;
    nt_frame_sheet(frame);
    nt_frame_gap(frame);
}

/* What the two are called: by their last names, where these tell them apart. */
static void side_names(const char *names[2], char rooms[2][256], const nt_result *trace) {
    const char *paths[] = {trace->model, trace->against};
    for (size_t i = 0; i < 2; i++)
        names[i] = nt_frame_name(paths[i], rooms[i], sizeof rooms[i]);
    if (strcmp(names[0], names[1]) != 0) return;
    names[0] = paths[0];
    names[1] = paths[1];
}

/* What only one of the two has, by groups. */
static void only(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    const nt_trace_groups *both[] = {&trace->only_a, &trace->only_b};
    char rooms[2][256];
    const char *names[2];
    side_names(names, rooms, trace);
    if (both[0]->n + both[1]->n == 0) return;
    nt_sheet_column(sheet, (nt_column){.title = "only in one", .comfort = 16});
    nt_sheet_column(sheet, (nt_column){.title = "", .align = NT_RIGHT, .hide = 1});
    nt_sheet_column(sheet, (nt_column){.title = "shape", .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "which", .comfort = 8, .cut_left = true});
    for (size_t side = 0; side < 2; side++) {
        const char *name = names[side];
        for (size_t i = 0; i < both[side]->n; i++) {
            const nt_trace_group *group = &both[side]->items[i];
            begin_group(frame, group);
            put_shape(sheet, group->first);
            nt_sheet_show(sheet, "", name, strlen(name), NT_SHOW_TEXT, 0);
        }
    }
    nt_frame_sheet(frame);
    nt_frame_gap(frame);
}

static void part_of(nt_frame *frame, size_t n, const char *behind) {
    if (n > 0) nt_frame_figure(frame, "", nt_figure_count(n), behind, 0);
}

static void summary(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    size_t counts[NT_DIFF_ONLY_B + 1] = {0};
    for (size_t i = 0; i < trace->n_diffs; i++)
        counts[trace->diffs[i].difference]++;
    part_of(frame, counts[NT_DIFF_CHANGED],
            counts[NT_DIFF_CHANGED] == 1 ? " tensor changed" : " tensors changed");
    part_of(frame, counts[NT_DIFF_IDENTICAL], " identical");
    part_of(frame, counts[NT_DIFF_EQUAL], " equal, stored otherwise");
    part_of(frame, counts[NT_DIFF_SHAPE] + counts[NT_DIFF_UNREAD], " not comparable");
    part_of(frame, counts[NT_DIFF_ONLY_A], " only in the first");
    part_of(frame, counts[NT_DIFF_ONLY_B], " only in the second");
    if (counts[NT_DIFF_CHANGED])
        nt_frame_figure(frame, "change of all together ", relative_figure(trace->sums[0].relative),
                        "", NT_STYLE_BOLD);
    nt_frame_line(frame);
}

void nt_table_diff(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    char rooms[2][256];
    const char *names[2];
    if (trace->n_ranking > 0) blocks(frame);
    changed(frame);
    odd_ones(frame);
    only(frame);
    summary(frame);
    side_names(names, rooms, trace);
    nt_frame_part(frame, names[0], NT_STYLE_DIM);
    nt_frame_part(frame, names[1], NT_STYLE_DIM);
}
