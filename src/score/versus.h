/* One text seen by two: the sums and distances of two distributions over the same ids. */
#ifndef NT_SCORE_VERSUS_H
#define NT_SCORE_VERSUS_H

#include "trace/trace.h"

/* Room for every token of a trace (kind VERSUS, tokens set). prompt_len (at least 1) tokens are
 * left out of the sums. Errors: ARGUMENT (prompt_len above the number of tokens), MEMORY. */
int nt_versus_begin(nt_result *trace, const char *const label[2], size_t prompt_len);
/* Token t as two rows of logits [V] have it, both behind their processors. Errors: NUMERIC, MEMORY.
 */
int nt_versus_see(nt_result *trace, size_t t, const float *const rows[2], size_t V);
/* The sums, in order. */
void nt_versus_finish(nt_result *trace);

#endif
