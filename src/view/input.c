/* The text that a step of decoding went on from. */
#include "view/input.h"

void nt_view_input(nt_buffer *text, const nt_result *trace, size_t s) {
    if (s > 0 && trace->steps[s].step.sequence == trace->steps[s - 1].step.sequence) {
        const nt_token *chosen = &trace->steps[s - 1].step.chosen.token;
        nt_buffer_put(text, chosen->bytes, chosen->n_bytes);
        return;
    }
    nt_buffer_clear(text);
    for (size_t i = 0; i < trace->n_tokens; i++)
        nt_buffer_put(text, trace->tokens[i].bytes, trace->tokens[i].n_bytes);
}

size_t nt_view_sequence_end(const nt_result *trace, size_t s) {
    size_t end = s;
    while (end < trace->n_steps && trace->steps[end].step.sequence == trace->steps[s].step.sequence)
        end++;
    return end;
}

bool nt_view_sampled(const nt_result *trace) {
    return trace->method && trace->seeded;
}
