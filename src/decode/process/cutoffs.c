/* epsilon_cutoff and eta_cutoff: ids below a probability go, for eta one that falls with the
 * entropy; but never the `keep` likeliest and their equals. */
#include <math.h>

#include "base/math.h"
#include "decode/process/float_softmax.h"
#include "decode/process/order.h"

static bool wants_epsilon(const nt_plan *plan) {
    return plan->sample && plan->epsilon_cutoff > 0;
}

static bool wants_eta(const nt_plan *plan) {
    return plan->sample && plan->eta_cutoff > 0;
}

/* Takes out what is below `least` in p [V]. */
static void cut_off(const nt_row *row, const nt_plan *plan, const float *p, float least) {
    float safe = nt_kth_largest(row, plan->keep < row->V ? plan->keep : row->V);
    for (size_t i = 0; i < row->V; i++)
        if (p[i] < least && row->logits[i] < safe) row->logits[i] = -INFINITY;
}

static int run_epsilon(const nt_row *row, const nt_plan *plan) {
    float *p = (float *)row->weights;
    if (nt_float_softmax(p, row->logits, row->V))
        cut_off(row, plan, p, (float)plan->epsilon_cutoff);
    return NT_OK;
}

static int run_eta(const nt_row *row, const nt_plan *plan) {
    float *p = (float *)row->weights, epsilon = (float)plan->eta_cutoff;
    if (!nt_float_softmax(p, row->logits, row->V)) return NT_OK;
    float entropy = (float)nt_softmax_of(row->logits, row->V).entropy;
    float falling = (float)sqrt(epsilon) * (float)nt_exp(-entropy);
    cut_off(row, plan, p, epsilon < falling ? epsilon : falling);
    return NT_OK;
}

const nt_processor nt_epsilon_cutoff = {"epsilon_cutoff", wants_epsilon, run_epsilon};
const nt_processor nt_eta_cutoff = {"eta_cutoff", wants_eta, run_eta};
