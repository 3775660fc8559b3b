/* JSON and CSV of a bench. */
#include <string.h>

#include "view/bench.h"
#include "view/csv_put.h"
#include "view/json_put.h"

const char *nt_bench_unit_key(nt_bench_unit unit) {
    static const char *const keys[] = {"gigabytes_per_second",
                                       "gigaflops_per_second",
                                       "tokens_per_second",
                                       "steps_per_second",
                                       "megabytes_per_second",
                                       "seconds",
                                       "bytes"};
    return (size_t)unit < sizeof keys / sizeof *keys ? keys[unit] : "value";
}

/* "median_tokens_per_second": units stand in names. */
static void member(nt_buffer *out, const char *what, const nt_measured *m, double x) {
    char name[64] = "";
    strncat(strncat(name, what, 24), nt_bench_unit_key(m->unit), 32);
    nt_member_number(out, name, x);
}

static void put_index(nt_buffer *out, const char *name, int64_t index) {
    nt_member_id(out, name, index);
}

static void put_line(nt_buffer *out, const nt_measured *m) {
    nt_put_open(out, '{');
    nt_member_words(out, "job", nt_bench_job_name(m->job));
    nt_member_words(out, "name", m->name);
    nt_member_count(out, "threads", (uint64_t)m->threads);
    nt_member_count(out, "sequences", m->n_sequences);
    nt_member_count(out, "prompt_tokens", m->n_prompt);
    nt_member_count(out, "new_tokens", m->n_new);
    nt_member_words(out, "unit", nt_bench_unit_key(m->unit));
    member(out, "median_", m, m->median);
    member(out, "lower_quartile_", m, m->low);
    member(out, "upper_quartile_", m, m->high);
    nt_member_number(out, "spread", m->spread);
    nt_put_key(out, nt_bench_unit_key(m->unit));
    nt_put_open(out, '[');
    for (size_t i = 0; i < m->n_values; i++)
        nt_put_number(out, m->values[i]);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "bytes_per_pass");
    nt_put_plain(out, m->n_bytes);
    nt_put_key(out, "operations_per_pass");
    nt_put_plain(out, m->n_flops);
    put_index(out, "limit", m->limit);
    nt_member_number(out, "share_of_limit", m->share);
    put_index(out, "against", m->against);
    nt_member_number(out, "ratio", m->ratio);
    nt_buffer_putc(out, '}');
}

void nt_json_bench(nt_buffer *out, const nt_result *trace) {
    const nt_bench_info *info = trace->bench;
    if (!info) return;
    nt_member_words(out, "storage", info->storage);
    nt_member_count(out, "threads", (uint64_t)info->threads);
    nt_member_words(out, "processor", info->processor);
    nt_member_count(out, "processors", (uint64_t)info->n_processors);
    nt_member_count(out, "weight_bytes_per_step", info->n_weight_bytes);
    nt_member_number(out, "seconds", info->seconds);
    nt_member_number(out, "load_average", info->load);
    nt_member_number(out, "steal_share", info->steal);
    nt_member_number(out, "other_processes_share", info->others);
    nt_member_truth(out, "complete", info->whole);
    nt_put_key(out, "notes");
    nt_put_open(out, '[');
    for (size_t i = 0; i < info->n_notes; i++)
        nt_put_words(out, info->notes[i]);
    nt_buffer_putc(out, ']');
    nt_put_key(out, "lines");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_measured; i++)
        put_line(out, &trace->measured[i]);
    nt_buffer_putc(out, ']');
}

static void csv_index(nt_csv *to, int64_t index) {
    if (index < 0)
        nt_csv_word(to, "");
    else
        nt_csv_whole(to, index);
}

static void rows(nt_csv *to) {
    const nt_result *trace = to->trace;
    for (size_t i = 0; i < trace->n_measured; i++) {
        const nt_measured *m = &trace->measured[i];
        nt_csv_begin(to);
        nt_csv_count(to, i);
        nt_csv_words(to, nt_bench_job_name(m->job));
        nt_csv_words(to, m->name);
        nt_csv_words(to, nt_bench_unit_key(m->unit));
        nt_csv_number(to, m->median);
        nt_csv_number(to, m->low);
        nt_csv_number(to, m->high);
        nt_csv_number(to, m->spread);
        nt_csv_count(to, m->n_values);
        nt_csv_whole(to, m->threads);
        nt_csv_count(to, m->n_sequences);
        nt_csv_count(to, m->n_prompt);
        nt_csv_count(to, m->n_new);
        csv_index(to, m->limit);
        nt_csv_number(to, m->share);
        csv_index(to, m->against);
        nt_csv_number(to, m->ratio);
        nt_csv_words(to, trace->precision);
        nt_csv_words(to, trace->isa);
        nt_csv_words(to, trace->bench ? trace->bench->storage : "");
        nt_csv_end(to);
    }
}

nt_csv_table nt_csv_bench(void) {
    return (nt_csv_table){"line,job,name,unit,median,lower_quartile,upper_quartile,spread,rounds,"
                          "threads,sequences,prompt_tokens,new_tokens,limit,share_of_limit,against,"
                          "ratio,precision,isa,storage",
                          rows};
}
