#include "decode/process/float_softmax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/math.h"
#include "trace/candidates.h"

/* As integers, which compilers turn into vectors. */
static bool all_fit(const float *x, size_t n) {
    const uint32_t infinity = 0x7F800000;
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bad |= (bits == infinity) | ((bits & INT32_MAX) > infinity);
    }
    return !bad;
}

float nt_peak(const float *logits, size_t V) {
    return all_fit(logits, V) ? logits[nt_argmax(logits, V)] : NAN;
}

enum { PART = 256, LANES = 8 };

double nt_exponentials(float *e, const float *logits, size_t V, float peak) {
    double sums[LANES] = {0}, exact[PART];
    for (size_t begin = 0, n; begin < V; begin += n) {
        n = V - begin < PART ? V - begin : PART;
        float *part = e + begin;
        for (size_t i = 0; i < n; i++)
            part[i] = logits[begin + i] - peak;
        nt_exp_below(exact, part, n, 0);
        for (size_t i = 0; i < n; i++)
            part[i] = (float)exact[i];
        size_t i = 0;
        for (; i + LANES <= n; i += LANES)
            for (size_t l = 0; l < LANES; l++)
                sums[l] += part[i + l];
        for (; i < n; i++)
            sums[i % LANES] += part[i];
    }
    double sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += sums[l];
    return sum;
}

bool nt_float_softmax(float *p, const float *logits, size_t V) {
    float peak = nt_peak(logits, V);
    if (!isfinite(peak)) return false;
    float sum = (float)nt_exponentials(p, logits, V, peak);
    for (size_t i = 0; i < V; i++)
        p[i] /= sum;
    return true;
}
