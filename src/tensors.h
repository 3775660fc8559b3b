/* Inside nt_list_tensors and nt_diff_tensors: a checkpoint's tensors as a list in order, with the
 * names that they are matched by. */
#ifndef NT_TENSORS_H
#define NT_TENSORS_H

#include "format/tensors.h"
#include "trace/trace.h"

/* One tensor of a list; strings and shapes belong to the trace. */
typedef struct nt_listed {
    nt_tensor_info info;
    const void *data; /* NULL: the file has it in no order that is read */
} nt_listed;

typedef struct nt_listing {
    nt_tensors *owned; /* NULL: somebody else's */
    nt_listed *items;  /* [n], by plain name */
    size_t n;
    bool out_in; /* GPT-2's matrices lie as llama.cpp has them */
} nt_listing;

/* Opens what path names and lists it. Free *out also when this failed. */
int nt_listing_open(nt_listing *out, nt_result *trace, const char *path, const nt_hub_options *hub);
/* A list of open tensors, which must outlive it. */
int nt_listing_of(nt_listing *out, nt_result *trace, const nt_tensors *tensors);
void nt_listing_free(nt_listing *listing);

/* In order of name: runs of digits count by their value. */
int nt_name_order(const char *a, const char *b);

/* Groups of infos [n], in order of the first of each. */
int nt_listing_groups(nt_trace_groups *out, nt_result *trace, const nt_tensor_info *const *infos,
                      size_t n);
/* Groups of a model's tensors, for `info`. */
int nt_tensors_groups(nt_result *trace, const nt_tensors *tensors);

#endif
