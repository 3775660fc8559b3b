/* What the views of tensors share. */
#ifndef NT_VIEW_DIFFERENCES_H
#define NT_VIEW_DIFFERENCES_H

#include "trace/trace.h"

/* "identical", "only_a", ...; NULL for what is none. */
const char *nt_difference_name(nt_difference difference);
/* Whether the pairs of a tensor were counted. */
bool nt_difference_counted(nt_difference difference);

/* A figure of a struct, as CSV and JSON name it. */
typedef struct nt_tensor_figure {
    const char *name; /* NULL ends a list */
    size_t offset;
    bool is_count; /* uint64_t, else double */
} nt_tensor_figure;

/* Of nt_tensor_info where it is counted, of nt_tensor_diff where the pairs were counted. */
extern const nt_tensor_figure nt_info_figures[], nt_diff_figures[];

#endif
