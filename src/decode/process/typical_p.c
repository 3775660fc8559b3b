/* typical_p: ids stay whose log-probability is nearest to minus the entropy, until together they
 * have typical_p (Meister, Pimentel, Wiher, Cotterell 2023). */
#include <math.h>

#include "base/math.h"
#include "decode/process/float_softmax.h"
#include "decode/process/order.h"

static bool wants_typical_p(const nt_plan *plan) {
    return plan->sample && plan->typical_p < 1;
}

/* far [V]: how far each id is from typical, and its probability p [V]. */
static bool measure(float *far, float *p, const nt_row *row) {
    nt_softmax all = nt_softmax_of(row->logits, row->V);
    if (!all.finite) return false;
    float peak = (float)all.max, log_of_sum = (float)all.rest;
    float sum = (float)nt_exponentials(p, row->logits, row->V, peak), typical = (float)all.entropy;
    for (size_t i = 0; i < row->V; i++) {
        float logprob = (row->logits[i] - peak) - log_of_sum;
        p[i] /= sum;
        far[i] = fabsf(-logprob - typical);
    }
    return true;
}

/* The `keep` nearest stay, wherever the limit is: the key of the last of them, and how many of
 * those equal to it. */
static float nearest(const nt_row *row, const float *far, size_t keep, size_t *n_equal) {
    size_t nearer = 0;
    for (size_t i = 0; i < row->V; i++)
        row->scratch[i] = nt_item(~nt_key_of(far[i]), i);
    float last = nt_key_float(~nt_kth_item(row->scratch, row->V, keep));
    for (size_t i = 0; i < row->V; i++)
        nearer += far[i] < last;
    *n_equal = keep - nearer;
    return last;
}

static int run_typical_p(const nt_row *row, const nt_plan *plan) {
    float *p = (float *)row->weights, *far = p + row->V;
    size_t V = row->V, keep = plan->keep < V ? plan->keep : V, stay = 0, n_equal = V;
    if (!measure(far, p, row)) return NT_OK;
    for (size_t i = 0; i < V; i++)
        row->scratch[i] = nt_item(nt_key_of(far[i]), i);
    nt_cut cut = nt_find_cut(row->scratch, V, p, 0, (float)plan->typical_p, false);
    float last = nt_key_float(cut.key);
    for (size_t i = 0; i < V; i++)
        stay += far[i] <= last;
    if (stay < keep) last = nearest(row, far, keep, &n_equal);
    for (size_t i = 0; i < V; i++) {
        if (far[i] > last || (far[i] == last && n_equal == 0))
            row->logits[i] = -INFINITY;
        else
            n_equal -= far[i] == last;
    }
    return NT_OK;
}

const nt_processor nt_typical_p = {"typical_p", wants_typical_p, run_typical_p};
