/* The table of a bench: what the machine can do at most, and each job as a share of it. */
#include <math.h>
#include <string.h>

#include "view/frame.h"

/* ---- Words ----------------------------------------------------------------------------------- */

static const char *unit_words(nt_bench_unit unit) {
    static const char *const words[] = {"GB/s", "GFLOP/s", "tokens/s", "steps/s", "MB/s", "ms", ""};
    return (size_t)unit < sizeof words / sizeof *words ? words[unit] : "";
}

/* Three digits at least. */
static nt_figure value_of(const nt_measured *m) {
    double x = m->unit == NT_UNIT_SECONDS ? 1000 * m->median : m->median;
    if (m->unit == NT_UNIT_BYTES) return nt_figure_bytes(x);
    return nt_figure_fixed(x, x < 10 ? 2 : x < 1000 ? 1 : 0);
}

static nt_figure percent(double share) {
    nt_figure out = nt_figure_fixed(100 * share, 0);
    strcat(out.s, " %");
    return out;
}

/* How it stands against one thread, or one sequence: "1.93 x"; "1.75 steps" of five beams. */
static void put_ratio(nt_sheet *sheet, const nt_measured *m) {
    bool one = m->against >= 0 && !isnan(m->ratio);
    nt_sheet_puts(sheet, one ? nt_figure_fixed(m->ratio, 2).s : "", 0);
    if (one) nt_sheet_more(sheet, m->job == NT_BENCH_BEAMS ? " steps" : " x", NT_STYLE_DIM);
}

/* "one sequence, 64 + 20", "eight texts, 512" */
static void put_name(nt_sheet *sheet, const nt_measured *m) {
    nt_sheet_puts(sheet, m->name, 0);
    if (m->n_prompt == 0 || m->job == NT_BENCH_MEMORY) return;
    nt_sheet_more(sheet, ", ", NT_STYLE_DIM);
    nt_sheet_more(sheet, nt_figure_count(m->n_prompt).s, NT_STYLE_DIM);
    if (m->n_new == 0) return;
    nt_sheet_more(sheet, " + ", NT_STYLE_DIM);
    nt_sheet_more(sheet, nt_figure_count(m->n_new).s, NT_STYLE_DIM);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Yellow where it is too much to be sure of the figure. */
static void put_spread(nt_sheet *sheet, const nt_measured *m) {
    bool one = m->n_values < 2;
    nt_sheet_puts(sheet, one ? "" : percent(m->spread).s,
                  m->spread > 0.1 ? NT_STYLE_YELLOW : NT_STYLE_DIM);
}

static void put_value(nt_sheet *sheet, const nt_measured *m) {
    nt_sheet_puts(sheet, value_of(m).s, NT_STYLE_BOLD);
    nt_sheet_puts(sheet, unit_words(m->unit), NT_STYLE_DIM);
}

static void limits(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_sheet *sheet = &frame->sheet;
    nt_sheet_column(sheet, (nt_column){.title = "limit", .comfort = 12});
    nt_sheet_column(sheet, (nt_column){.title = "threads", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "at most", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "", .joined = true});
    nt_sheet_column(sheet, (nt_column){.title = "spread", .align = NT_RIGHT, .hide = 1});
    for (size_t i = 0; i < trace->n_measured; i++) {
        const nt_measured *m = &trace->measured[i];
        if (m->job != NT_BENCH_LIMITS) continue;
        nt_sheet_row(sheet, 0);
        nt_sheet_puts(sheet, m->unit == NT_UNIT_GIGABYTES ? "read " : "", NT_STYLE_DIM);
        nt_sheet_more(sheet, m->name, 0);
        nt_sheet_puts(sheet, nt_figure_count((uint64_t)m->threads).s, NT_STYLE_DIM);
        put_value(sheet, m);
        put_spread(sheet, m);
    }
    nt_frame_sheet(frame);
}

static void job_columns(nt_sheet *sheet) {
    sheet->full = 1; /* a bar is a share of a limit */
    nt_sheet_column(sheet, (nt_column){.title = "job"});
    nt_sheet_column(sheet, (nt_column){.title = "tokens"});
    nt_sheet_column(sheet, (nt_column){.title = "median", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.title = "", .joined = true});
    nt_sheet_column(sheet, (nt_column){.title = "of limit", .align = NT_RIGHT});
    nt_sheet_column(sheet, (nt_column){.bar = true, .joined = true, .hide = 5});
    nt_sheet_column(sheet, (nt_column){.title = "bound by", .hide = 3});
    nt_sheet_column(sheet, (nt_column){.title = "against one", .align = NT_RIGHT, .hide = 4});
    nt_sheet_column(sheet, (nt_column){.title = "spread", .align = NT_RIGHT, .hide = 2});
    nt_sheet_column(sheet, (nt_column){.title = "threads", .align = NT_RIGHT, .hide = 1});
}

/* What the line's share is of; "" where it has none. */
static const char *bound_by(const nt_result *trace, const nt_measured *m) {
    if (m->limit < 0) return "";
    bool reads = trace->measured[m->limit].unit == NT_UNIT_GIGABYTES;
    return reads ? "reading" : "arithmetic";
}

static void job_row(nt_frame *frame, const nt_measured *m, bool repeats) {
    nt_sheet *sheet = &frame->sheet;
    bool bound = m->limit >= 0, runs = m->job != NT_BENCH_MEMORY && m->job != NT_BENCH_START;
    nt_sheet_row(sheet, 0);
    nt_sheet_puts(sheet, repeats ? "" : nt_bench_job_name(m->job), NT_STYLE_BOLD);
    put_name(sheet, m);
    put_value(sheet, m);
    nt_sheet_puts(sheet, bound ? percent(m->share).s : "", 0);
    nt_sheet_bar(sheet, bound ? m->share : 0, NT_STYLE_CYAN);
    nt_sheet_puts(sheet, bound_by(frame->trace, m), NT_STYLE_DIM);
    put_ratio(sheet, m);
    put_spread(sheet, m);
    nt_sheet_puts(sheet, runs ? nt_figure_count((uint64_t)m->threads).s : "", NT_STYLE_DIM);
}

static void jobs(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    nt_bench_job before = NT_BENCH_LIMITS;
    job_columns(&frame->sheet);
    for (size_t i = 0; i < trace->n_measured; i++) {
        const nt_measured *m = &trace->measured[i];
        if (m->job == NT_BENCH_LIMITS) continue;
        job_row(frame, m, m->job == before);
        before = m->job;
    }
    nt_frame_sheet(frame);
}

/* ---- Below them ------------------------------------------------------------------------------ */

static void machine(nt_frame *frame) {
    const nt_bench_info *info = frame->trace->bench;
    if (info->processor[0]) nt_frame_part(frame, info->processor, NT_STYLE_DIM);
    nt_frame_figure(frame, "", nt_figure_count((uint64_t)info->n_processors),
                    info->n_processors == 1 ? " processor" : " processors", NT_STYLE_DIM);
    nt_frame_figure(frame, "", nt_figure_count((uint64_t)info->threads),
                    info->threads == 1 ? " thread" : " threads", NT_STYLE_DIM);
    if (!isnan(info->load))
        nt_frame_figure(frame, "load ", nt_figure_fixed(info->load, 1), "", NT_STYLE_DIM);
    if (!isnan(info->others))
        nt_frame_figure(frame, "others ", percent(info->others), "", NT_STYLE_DIM);
    if (!isnan(info->steal))
        nt_frame_figure(frame, "stolen ", percent(info->steal), "", NT_STYLE_DIM);
    nt_frame_line(frame);
    nt_frame_figure(frame, "weights ", nt_figure_bytes((double)info->n_weight_bytes), " a step",
                    NT_STYLE_DIM);
    nt_frame_part(frame, info->storage, NT_STYLE_DIM);
    nt_frame_line(frame);
}

void nt_table_bench(nt_frame *frame) {
    const nt_result *trace = frame->trace;
    bool limited = false, done = false;
    for (size_t i = 0; i < trace->n_measured; i++) {
        limited |= trace->measured[i].job == NT_BENCH_LIMITS;
        done |= trace->measured[i].job != NT_BENCH_LIMITS;
    }
    if (limited) limits(frame);
    if (limited && done) nt_frame_gap(frame);
    if (done) jobs(frame);
    if (!trace->bench) return;
    machine(frame);
    for (size_t i = 0; i < trace->bench->n_notes; i++) {
        nt_frame_part(frame, trace->bench->notes[i], NT_STYLE_YELLOW);
        nt_frame_line(frame);
    }
}
