/* guidance_scale: away from what the model writes without the prompt, or after a negative one
 * (classifier-free guidance; Sanchez et al. 2023). */
#include "decode/process/processor.h"

static bool wants_guidance(const nt_plan *plan) {
    return plan->guidance_scale != 1;
}

/* scale * (guided - unguided) + unguided, of log-probabilities. An id that both rows exclude stays
 * excluded, where the formula has no number. */
static int run_guidance(const nt_row *row, const nt_plan *plan) {
    float scale = (float)plan->guidance_scale;
    float *guided = row->logits, *unguided = (float *)row->weights;
    nt_log_softmax(guided, guided, row->V);
    nt_log_softmax(unguided, row->unguided, row->V);
    for (size_t i = 0; i < row->V; i++) {
        bool none = guided[i] == -INFINITY && unguided[i] == -INFINITY;
        float moved = scale * (guided[i] - unguided[i]) + unguided[i];
        guided[i] = none ? -INFINITY : moved;
    }
    return NT_OK;
}

const nt_processor nt_guidance_scale = {"guidance_scale", wants_guidance, run_guidance};
