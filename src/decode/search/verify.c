/* Which of the proposed ids stand. Greedy, and drawn against ids that were not drawn themselves:
 * the model's own choice at each place is made as if nobody had proposed, and a proposal stands
 * where it is the same. Against ids that a draft drew, speculative sampling (Leviathan, Kalman,
 * Matias 2023; Chen et al. 2023): x drawn from q stands with probability min(1, p(x) / q(x)), else
 * the place is drawn from max(p - q, 0), which together is a draw from p.
 * With assistant_ensemble_weight w the ids are those of w p + (1 - w) q, no longer of p. */
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "decode/process/float_softmax.h"
#include "decode/search/candidates.h"
#include "trace/candidates.h"

bool nt_verify_needs_q(const nt_plan *plan) {
    return plan->method == NT_METHOD_ASSISTED && (plan->sample || plan->ensemble < 1);
}

int nt_verifier_begin(nt_verifier *verifier, nt_search *search) {
    *verifier = (nt_verifier){.plan = search->plan, .draws = &search->draws, .V = search->V};
    if (!nt_verify_needs_q(search->plan)) return NT_OK;
    verifier->p = nt_alloc(search->V, sizeof *verifier->p);
    return verifier->p ? NT_OK : NT_E_MEMORY;
}

void nt_verifier_free(nt_verifier *verifier) {
    nt_free(verifier->p);
}

void nt_verifier_round(nt_verifier *verifier, const nt_proposal *proposal, size_t first) {
    verifier->proposal = proposal;
    verifier->first = first;
    if (!verifier->plan->sample || !proposal->q) return;
    for (size_t i = 0; i < proposal->n; i++) /* torch.rand draws them all before any id */
        verifier->uniforms[i] = nt_draws_uniform(verifier->draws, 0, first + i);
}

/* The likeliest by w p + (1 - w) q, in float32 as transformers has it. */
static int32_t likeliest_of_both(nt_verifier *verifier, const float *logits, const float *q) {
    float *p = verifier->p, w = (float)verifier->plan->ensemble;
    float rest = (float)(1 - verifier->plan->ensemble);
    if (!nt_float_softmax(p, logits, verifier->V)) return 0; /* nothing can be made of it */
    for (size_t i = 0; i < verifier->V; i++)
        p[i] = w * p[i] + rest * q[i];
    return nt_argmax(p, verifier->V);
}

/* Draws place i where x was not good enough. */
static nt_verdict draw_rest(nt_verifier *verifier, size_t i, const float *logits, const float *q) {
    float *p = verifier->p;
    double sum = 0;
    nt_verdict out = {0};
    for (size_t j = 0; j < verifier->V; j++) {
        p[j] = p[j] > q[j] ? p[j] - q[j] : 0;
        sum += p[j];
    }
    /* p and q may be the same but for their rounding */
    out.id = sum > FLT_MIN
                 ? nt_draws_weighted(verifier->draws, &out.draw, p, 0, verifier->first + i)
                 : nt_draws_one(verifier->draws, &out.draw, logits, 0, verifier->first + i);
    return out;
}

static nt_verdict speculate(nt_verifier *verifier, size_t i, const float *logits, int32_t x) {
    const nt_plan *plan = verifier->plan;
    const float *q = verifier->proposal->q + i * verifier->V;
    nt_verdict out = {.id = x, .stands = true, .draw = NAN};
    if (!nt_float_softmax(verifier->p, logits, verifier->V)) return out; /* the same */
    float ratio = verifier->p[x] / q[x];
    if (plan->ensemble < 1) ratio = (float)(1 - plan->ensemble) + (float)plan->ensemble * ratio;
    if (ratio > 0 && verifier->uniforms[i] <= (double)ratio) return out;
    return draw_rest(verifier, i, logits, q);
}

nt_verdict nt_verify(nt_verifier *verifier, size_t i, const float *logits) {
    const nt_proposal *proposal = verifier->proposal;
    bool proposed = i < proposal->n, weighed = proposed && proposal->q;
    int32_t x = proposed ? proposal->whole[proposal->n_known + i] : -1;
    nt_verdict out = {.draw = NAN};
    if (verifier->plan->sample && weighed) return speculate(verifier, i, logits, x);
    if (verifier->plan->sample)
        out.id = nt_draws_one(verifier->draws, &out.draw, logits, 0, verifier->first + i);
    else if (weighed)
        out.id = likeliest_of_both(verifier, logits, proposal->q + i * verifier->V);
    else
        out.id = nt_argmax(logits, verifier->V);
    out.stands = out.id == x;
    return out;
}
