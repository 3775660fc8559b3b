/* Rows of what files of weights hold, and of how two differ. */
#include "view/csv_put.h"
#include "view/differences.h"

/* Dimensions are one field, with blanks between them; empty where there is no tensor. */
static void put_shape(nt_csv *to, const nt_tensor_info *info) {
    nt_csv_word(to, "");
    for (size_t i = 0; info && i < info->n_dims; i++)
        nt_buffer_printf(to->out, i > 0 ? " %lld" : "%lld", (long long)info->shape[i]);
}

static void blank(nt_csv *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        nt_csv_word(to, "");
}

static void tensors(nt_csv *to) {
    for (size_t i = 0; i < to->trace->n_infos; i++) {
        const nt_tensor_info *info = &to->trace->infos[i];
        nt_csv_begin(to);
        nt_csv_words(to, info->name);
        nt_csv_words(to, info->plain);
        nt_csv_words(to, info->type);
        put_shape(to, info);
        nt_csv_count(to, info->n_numbers);
        nt_csv_count(to, info->n_bytes);
        if (info->counted) {
            nt_csv_number(to, info->min);
            nt_csv_number(to, info->max);
            nt_csv_number(to, info->mean);
            nt_csv_number(to, info->std);
            nt_csv_number(to, info->rms);
            nt_csv_number(to, info->norm);
            nt_csv_count(to, info->n_zeros);
            nt_csv_count(to, info->n_nan);
            nt_csv_count(to, info->n_inf);
        } else {
            blank(to, 9);
        }
        nt_csv_end(to);
    }
}

static void diff(nt_csv *to) {
    for (size_t i = 0; i < to->trace->n_diffs; i++) {
        const nt_tensor_diff *d = &to->trace->diffs[i];
        nt_csv_begin(to);
        nt_csv_words(to, d->name);
        nt_csv_words(to, nt_difference_name(d->difference));
        nt_csv_words(to, d->a ? d->a->type : "");
        nt_csv_words(to, d->b ? d->b->type : "");
        put_shape(to, d->a);
        put_shape(to, d->b);
        if (nt_difference_counted(d->difference)) {
            if (d->n_rows)
                nt_csv_count(to, d->n_rows);
            else
                blank(to, 1);
            nt_csv_count(to, d->n_compared);
            nt_csv_count(to, d->n_changed);
            nt_csv_count(to, d->n_not_finite);
            nt_csv_number(to, d->max_abs);
            nt_csv_number(to, d->rms);
            nt_csv_number(to, d->relative);
            nt_csv_number(to, d->cosine);
        } else {
            blank(to, 8);
        }
        nt_csv_end(to);
    }
}

nt_csv_table nt_csv_tensors(void) {
    return (nt_csv_table){
        "name,plain,type,shape,numbers,bytes,min,max,mean,std,rms,norm,zeros,nan,inf", tensors};
}

nt_csv_table nt_csv_diff(void) {
    return (nt_csv_table){"name,difference,type_a,type_b,shape_a,shape_b,rows,compared,changed,"
                          "not_finite,max_abs,rms,relative,cosine",
                          diff};
}
