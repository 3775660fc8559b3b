/* What the views of tensors share. */
#ifndef NT_VIEW_DIFFERENCES_H
#define NT_VIEW_DIFFERENCES_H

#include "trace/trace.h"

/* "identical", "only_a", ...; NULL for what is none. */
const char *nt_difference_name(nt_difference difference);
/* Whether the pairs of a tensor were counted. */
bool nt_difference_counted(nt_difference difference);

#endif
