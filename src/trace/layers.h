/* Writing what layers say and where heads look into a trace whose tokens are set. */
#ifndef NT_TRACE_LAYERS_H
#define NT_TRACE_LAYERS_H

#include "nextoken.h"
#include "trace/candidates.h"

/* Room for every layer [n_layers] at every position, with n_choices of the likeliest ids each. */
int nt_trace_begin_layers(nt_result *trace, size_t n_layers, size_t n_choices);
/* Behind the last token nothing stands: `id` is taken for what comes next there. Before the last
 * position is set. */
int nt_trace_end_layers(nt_result *trace, int32_t id);
/* What a layer says at position t: logits [V]. picks [n_choices] is scratch. Errors: NUMERIC,
 * MEMORY. */
int nt_trace_set_layer(nt_result *trace, size_t layer, size_t t, const float *logits, size_t V,
                       nt_pick *picks);
/* Zeroed weights [T, T] for the writer. head NT_EVERY: the mean of the layer's heads. */
int nt_trace_add_attention(float **weights, nt_result *trace, int32_t layer, int32_t head);

#endif
