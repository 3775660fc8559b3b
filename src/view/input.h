/* The text that a step of decoding went on from. */
#ifndef NT_VIEW_INPUT_H
#define NT_VIEW_INPUT_H

#include "base/buffer.h"
#include "trace/trace.h"

/* Makes of text the input of step s: the prompt, and what the step's own sequence has chosen.
 * Called for s = 0, 1, 2, .. with the same buffer. */
void nt_view_input(nt_buffer *text, const nt_result *trace, size_t s);

/* Steps [s, end) belong to one sequence. */
size_t nt_view_sequence_end(const nt_result *trace, size_t s);

/* Choices were drawn: probabilities after processing matter. */
bool nt_view_sampled(const nt_result *trace);

#endif
