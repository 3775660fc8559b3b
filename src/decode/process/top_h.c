/* top_h: of the 100 largest, from the likeliest down, as many stay as have top_h of the entropy
 * that the 100 have (Potraghloo, Azizi, Parada, Ebrahimi 2025). */
#include <math.h>

#include "base/math.h"
#include "decode/process/float_softmax.h"
#include "decode/process/order.h"
#include "trace/candidates.h"

enum { MOST = 100 };

static bool wants_top_h(const nt_plan *plan) {
    return plan->sample && plan->top_h > 0;
}

/* How many of the largest stay, of logits [n] in descending order. An id of no probability ends the
 * prefix: transformers' running sum is NaN from there on. */
static size_t prefix_of(const float *logits, size_t n, double top_h) {
    float p[MOST], terms[MOST];
    double entropy = 0, sum = 0;
    size_t live = 0, stay = 1;
    nt_float_softmax(p, logits, n);
    for (; live < n && p[live] > 0; live++) {
        terms[live] = -p[live] * (float)nt_log(p[live]);
        entropy += terms[live];
    }
    float limit = (float)entropy * (float)top_h;
    sum = terms[0];
    for (; stay < live; stay++) {
        sum += terms[stay];
        if (!((float)sum <= limit)) break;
    }
    return stay;
}

static int run_top_h(const nt_row *row, const nt_plan *plan) {
    nt_pick *picks = (nt_pick *)row->scratch;
    size_t n = row->V < MOST ? row->V : MOST;
    float logits[MOST];
    if (!isfinite(nt_peak(row->logits, row->V))) return NT_OK;
    nt_pick_best(picks, n, row->logits, row->logits, row->V);
    for (size_t i = 0; i < n; i++)
        logits[i] = picks[i].key;
    nt_keep_largest(row, prefix_of(logits, n, plan->top_h));
    return NT_OK;
}

const nt_processor nt_top_h = {"top_h", wants_top_h, run_top_h};
