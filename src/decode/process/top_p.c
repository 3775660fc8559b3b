/* top_p: the least likely ids go, as long as together they have at most 1 - top_p. */
#include "decode/process/float_softmax.h"
#include "decode/process/order.h"

static bool wants_top_p(const nt_plan *plan) {
    return plan->sample && plan->top_p < 1;
}

/* Ids so unlikely that all such together stay below the limit need no order: they have *sum
 * together. The others are the items, higher ids first. Returns their number. */
static size_t set_aside(const nt_row *row, const float *p, float limit, double *sum) {
    float tiny = limit / (2 * (float)row->V);
    double all = 0;
    size_t n = 0;
    for (size_t i = row->V; i-- > 0;) {
        row->scratch[n] = nt_item(nt_key_of(row->logits[i]), i);
        n += p[i] >= tiny;
        all += p[i] < tiny ? p[i] : 0;
    }
    *sum = all;
    return n;
}

/* As transformers counts: probabilities in float32, their running sum in double and rounded to
 * float32 before it is compared. Of equals the higher id goes first, so that top_p 0 leaves what
 * greedy decoding takes; the most likely ids always stay, as many as `keep`. */
static int run_top_p(const nt_row *row, const nt_plan *plan) {
    float *p = (float *)row->weights, limit = (float)(1 - plan->top_p);
    if (!nt_float_softmax(p, row->logits, row->V)) return NT_OK;
    double sum;
    size_t n = set_aside(row, p, limit, &sum);
    nt_cut cut = nt_find_cut(row->scratch, n, p, sum, limit, true);
    if (n - cut.before < plan->keep)
        nt_keep_largest(row, plan->keep);
    else
        nt_keep_from(row, nt_key_float(cut.key), n - cut.before);
    return NT_OK;
}

const nt_processor nt_top_p = {"top_p", wants_top_p, run_top_p};
