/* temperature: x / T. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "decode/process/processor.h"
#include "trace/candidates.h"

static bool wants_temperature(const nt_plan *plan) {
    return plan->sample && plan->temperature != 1;
}

static int32_t bits_of(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The largest of x [n] in size, infinities and NaN left out. As integers, which compilers turn into
 * vectors: positive floats have the order of their bits. */
static float largest_of(const float *x, size_t n) {
    int32_t most = 0, end = bits_of(INFINITY);
    for (size_t i = 0; i < n; i++) {
        int32_t size = bits_of(x[i]) & INT32_MAX;
        size = size < end ? size : 0;
        most = size > most ? size : most;
    }
    float largest;
    memcpy(&largest, &most, sizeof largest);
    return largest;
}

/* transformers divides in float32, which overflows near 0. There the row is moved first so that its
 * largest logit is 0, which leaves the probabilities as they are. */
static int run_temperature(const nt_row *row, const nt_plan *plan) {
    float T = (float)plan->temperature;
    if (largest_of(row->logits, row->V) / T <= FLT_MAX) {
        for (size_t i = 0; i < row->V; i++)
            row->logits[i] /= T;
        return NT_OK;
    }
    double top = row->logits[nt_argmax(row->logits, row->V)];
    for (size_t i = 0; i < row->V; i++) {
        double moved = (row->logits[i] - top) / plan->temperature;
        row->logits[i] = moved < -FLT_MAX ? -INFINITY : (float)moved;
    }
    return NT_OK;
}

const nt_processor nt_temperature = {"temperature", wants_temperature, run_temperature};
