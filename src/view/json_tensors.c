/* JSON of what files of weights hold, and of how two differ. */
#include <string.h>

#include "view/differences.h"
#include "view/json_put.h"

static void put_shape(nt_buffer *out, const char *name, const int64_t *shape, size_t n) {
    nt_put_key(out, name);
    nt_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        nt_put_whole(out, shape[i]);
    nt_buffer_putc(out, ']');
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void put_figures(nt_buffer *out, const nt_tensor_figure *figures, const void *of) {
    for (const nt_tensor_figure *f = figures; f->name; f++) {
        const char *at = (const char *)of + f->offset;
        if (f->is_count)
            nt_member_count(out, f->name, *(const uint64_t *)at);
        else
            nt_member_number(out, f->name, *(const double *)at);
    }
}

static void put_info(nt_buffer *out, const nt_tensor_info *info) {
    nt_put_open(out, '{');
    nt_member_words(out, "name", info->name);
    nt_member_words(out, "plain", info->plain);
    nt_member_words(out, "type", info->type);
    put_shape(out, "shape", info->shape, info->n_dims);
    nt_member_words(out, "file", last_part(info->file));
    nt_member_count(out, "numbers", info->n_numbers);
    nt_member_count(out, "bytes", info->n_bytes);
    if (info->counted) put_figures(out, nt_info_figures, info);
    nt_buffer_putc(out, '}');
}

void nt_json_tensors(nt_buffer *out, const nt_result *trace) {
    nt_put_key(out, "tensors");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_infos; i++)
        put_info(out, &trace->infos[i]);
    nt_buffer_putc(out, ']');
}

static void put_side(nt_buffer *out, const char *name, const nt_tensor_info *info) {
    nt_put_key(out, name);
    if (!info) {
        nt_put_null(out);
        return;
    }
    nt_put_open(out, '{');
    nt_member_words(out, "name", info->name);
    nt_member_words(out, "type", info->type);
    put_shape(out, "shape", info->shape, info->n_dims);
    nt_buffer_putc(out, '}');
}

static void put_diff(nt_buffer *out, const nt_tensor_diff *diff) {
    nt_put_open(out, '{');
    nt_member_words(out, "name", diff->name);
    nt_member_words(out, "difference", nt_difference_name(diff->difference));
    put_side(out, "a", diff->a);
    put_side(out, "b", diff->b);
    nt_member_truth(out, "turned", diff->turned);
    if (nt_difference_counted(diff->difference)) {
        nt_member_id(out, "rows", diff->n_rows ? (int64_t)diff->n_rows : -1);
        put_figures(out, nt_diff_figures, diff);
    }
    nt_buffer_putc(out, '}');
}

static void put_sum(nt_buffer *out, const nt_diff_sum *sum) {
    nt_member_count(out, "compared", sum->n_tensors);
    nt_member_count(out, "changed", sum->n_changed);
    nt_member_number(out, "relative", sum->relative);
}

void nt_json_diff(nt_buffer *out, const nt_result *trace) {
    nt_member_words(out, "diff", trace->against);
    if (trace->n_sums > 0) put_sum(out, &trace->sums[0]);
    nt_put_key(out, "blocks");
    nt_put_open(out, '[');
    for (size_t i = 1; i < trace->n_sums; i++) {
        nt_put_open(out, '{');
        nt_member_words(out, "name", trace->sums[i].name);
        put_sum(out, &trace->sums[i]);
        nt_buffer_putc(out, '}');
    }
    nt_buffer_putc(out, ']');
    nt_put_key(out, "tensors");
    nt_put_open(out, '[');
    for (size_t i = 0; i < trace->n_diffs; i++)
        put_diff(out, &trace->diffs[i]);
    nt_buffer_putc(out, ']');
}
