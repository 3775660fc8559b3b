/* Rows of what files of weights hold, and of how two differ. */
#include "view/csv_put.h"
#include "view/differences.h"

/* Dimensions are one field, with blanks between them; empty where there is no tensor. */
static void put_shape(nt_csv *to, const nt_tensor_info *info) {
    nt_csv_word(to, "");
    for (size_t i = 0; info && i < info->n_dims; i++)
        nt_buffer_printf(to->out, i > 0 ? " %lld" : "%lld", (long long)info->shape[i]);
}

/* Of a struct; empty fields where it was not counted. */
static void put_figures(nt_csv *to, const nt_tensor_figure *figures, const void *of, bool counted) {
    for (const nt_tensor_figure *f = figures; f->name; f++) {
        const char *at = (const char *)of + f->offset;
        if (!counted)
            nt_csv_word(to, "");
        else if (f->is_count)
            nt_csv_count(to, *(const uint64_t *)at);
        else
            nt_csv_number(to, *(const double *)at);
    }
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
        put_figures(to, nt_info_figures, info, info->counted);
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
        bool counted = nt_difference_counted(d->difference);
        if (counted && d->n_rows)
            nt_csv_count(to, d->n_rows);
        else
            nt_csv_word(to, "");
        put_figures(to, nt_diff_figures, d, counted);
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
