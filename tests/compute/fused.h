/* An attention call over rows [q | k | v] of x [R, 3 D], as GPT-2's one matrix gives them. */
#ifndef NT_TESTS_COMPUTE_FUSED_H
#define NT_TESTS_COMPUTE_FUSED_H

#include "compute/device.h"

static inline nt_attention fused_attention(size_t R, size_t H, size_t E, float *x, float *y,
                                           float scale, void *const *const *pages,
                                           const int32_t *position, float *probs, size_t ld_probs) {
    size_t D = H * E;
    return (nt_attention){.R = R,
                          .H = H,
                          .E = E,
                          .G = H,
                          .q = {x, 3 * D, E},
                          .k = {x + D, 3 * D, E},
                          .v = {x + 2 * D, 3 * D, E},
                          .y = y,
                          .scale = scale,
                          .pages = pages,
                          .position = position,
                          .probs = probs,
                          .ld_probs = ld_probs};
}

#endif
