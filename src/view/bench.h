/* What the views of a bench share. */
#ifndef NT_VIEW_BENCH_H
#define NT_VIEW_BENCH_H

#include "trace/trace.h"

/* "tokens_per_second", as JSON and CSV have it. */
const char *nt_bench_unit_key(nt_bench_unit unit);

#endif
