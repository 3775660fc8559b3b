/* temperature: x / T. */
#include <float.h>
#include <math.h>

#include "decode/process/processor.h"
#include "trace/candidates.h"

static bool wants_temperature(const nt_plan *plan) {
    return plan->sample && plan->temperature != 1;
}

/* transformers divides in float32. Near T = 0 the largest logit overflows there and takes every
 * probability with it; then the row is moved first so that the largest is 0, which leaves the
 * probabilities as they are. */
static int run_temperature(const nt_row *row, const nt_plan *plan) {
    float T = (float)plan->temperature;
    double top = row->logits[nt_argmax(row->logits, row->V)];
    if (!isfinite(top) || fabsf((float)top / T) <= FLT_MAX) {
        for (size_t i = 0; i < row->V; i++)
            row->logits[i] /= T;
        return NT_OK;
    }
    for (size_t i = 0; i < row->V; i++) {
        double moved = (row->logits[i] - top) / plan->temperature;
        row->logits[i] = moved < -FLT_MAX ? -INFINITY : (float)moved;
    }
    return NT_OK;
}

const nt_processor nt_temperature = {"temperature", wants_temperature, run_temperature};
