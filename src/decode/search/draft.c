/* A smaller model with the same vocabulary writes on, one id after the other, under the same
 * processors as the model itself; where ids are drawn it draws too. It stops behind an id of which
 * it was less sure than assistant_confidence_threshold, behind EOS, and for good where its context
 * is full. */
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/status.h"
#include "decode/process/float_softmax.h"
#include "decode/search/candidates.h"
#include "trace/candidates.h"

/* Draws of the assistant are those of a sequence beside the model's, which is 0. */
enum { DRAFT_SEQUENCE = 1 };

typedef struct draft {
    const nt_plan *plan;
    nt_draws *draws;
    size_t V;
    nt_decoding with; /* the search's, with the assistant as its stepper */
    nt_effort effort; /* not that of the model */
    nt_tracks tracks;
    nt_processors processors;
    nt_plan warpers; /* the plan's, which torch's ids need twice */
    nt_processors again;
    int32_t sequence; /* -1: not begun */
    size_t held;      /* ids of `whole` that the sequence holds */
    int32_t *whole;   /* [n_known + n] */
    size_t n_known, n, capacity;
    size_t n_next; /* as many are proposed next */
    float *q;      /* [n, V]; NULL where nobody needs it */
    size_t capacity_q;
} draft;

/* How many ids the assistant's context still lets it propose: the last is not run. */
static size_t room(const draft *d, size_t n_known) {
    size_t longest = n_known, context = d->with.stepper->context;
    if (d->tracks.guided) {
        size_t beside = n_known - d->plan->n_prompt + (d->with.negative ? d->with.n_negative : 1);
        if (beside > longest) longest = beside;
    }
    return longest <= context ? context - longest + 1 : 0;
}

/* Runs what the sequence does not hold yet; given: the row behind it. */
static int catch_up(draft *d, nt_given *given) {
    if (d->sequence < 0) {
        NT_TRY(nt_tracks_start(&d->tracks, &d->sequence, given));
        d->held = d->plan->n_prompt;
    }
    size_t n_ids = d->n_known + d->n;
    if (d->held == n_ids) return NT_OK;
    nt_step_row row = {
        .sequence = d->sequence, .ids = d->whole + d->held, .n_ids = n_ids - d->held};
    NT_TRY(nt_tracks_step(&d->tracks, given, &row, 1));
    d->held = n_ids;
    return NT_OK;
}

/* Puts the processors on; *logits are then theirs. transformers hands its assistant the warpers in
 * the list of the caller's processors, and the assistant makes its own besides: they run twice.
 * With torch's generator that shows in the ids; otherwise once is nearer to the model. */
static int process(draft *d, const float **logits, const float *unguided) {
    size_t n_ids = d->n_known + d->n;
    NT_TRY(nt_processors_run(&d->processors, *logits, unguided, d->whole, n_ids));
    *logits = nt_processed(&d->processors);
    if (d->again.n == 0) return NT_OK;
    NT_TRY(nt_processors_run(&d->again, *logits, NULL, d->whole, n_ids));
    *logits = nt_processed(&d->again);
    return NT_OK;
}

/* One id more; *on: others may follow it. A row that is not finite numbers proposes nothing: the
 * model goes on alone. */
static int write_one(bool *on, draft *d, const nt_given *given) {
    size_t n_ids = d->n_known + d->n;
    double u;
    *on = false;
    const float *logits = given->logits[0];
    NT_TRY(process(d, &logits, nt_unguided(given, 0)));
    nt_softmax row = nt_softmax_of(logits, d->V);
    if (!row.finite) return NT_OK;
    if (nt_verify_needs_q(d->plan)) {
        NT_TRY(nt_grow((void **)&d->q, &d->capacity_q, (d->n + 1) * d->V, sizeof *d->q));
        nt_float_softmax(d->q + d->n * d->V, logits, d->V);
    }
    int32_t id = d->plan->sample
                     ? nt_draws_one(d->draws, &u, logits, DRAFT_SEQUENCE, n_ids - d->plan->n_prompt)
                     : nt_argmax(logits, d->V);
    d->whole[n_ids] = id;
    d->n++;
    float sure = (float)nt_exp(nt_softmax_log(&row, logits[id]));
    *on = !nt_plan_is_eos(d->plan, id) && !((double)sure < d->plan->confidence);
    return NT_OK;
}

static int propose(void *self, nt_proposal *out, const int32_t *known, size_t n_known,
                   size_t most) {
    draft *d = self;
    size_t n = room(d, n_known);
    if (n > most) n = most;
    if (n > d->n_next) n = d->n_next;
    if (n > NT_MAX_PROPOSED) n = NT_MAX_PROPOSED;
    d->n_known = n_known;
    d->n = 0;
    NT_TRY(nt_grow((void **)&d->whole, &d->capacity, n_known + n, sizeof *d->whole));
    memcpy(d->whole, known, n_known * sizeof *known);
    for (bool on = n > 0; on && d->n < n;) {
        nt_given given;
        NT_TRY(catch_up(d, &given));
        NT_TRY(write_one(&on, d, &given));
    }
    out->whole = d->whole;
    out->n = d->n;
    out->q = d->n > 0 ? d->q : NULL;
    return NT_OK;
}

static void settle(void *self, size_t n_taken) {
    draft *d = self;
    size_t stands = d->n_known + n_taken;
    if (d->held > stands) {
        nt_tracks_cut(&d->tracks, d->sequence, d->held - stands);
        d->held = stands;
    }
    if (d->plan->schedule == NT_SCHEDULE_CONSTANT) return;
    if (n_taken == d->n)
        d->n_next += 2;
    else if (d->n_next > 1)
        d->n_next--;
}

static void put_away(void *self) {
    draft *d = self;
    nt_tracks_drop(&d->tracks, d->sequence);
    nt_tracks_free(&d->tracks);
    nt_processors_free(&d->processors);
    nt_processors_free(&d->again);
    nt_free(d->whole);
    nt_free(d->q);
    nt_free(d);
}

/* A plan with the warpers of another and nothing else. */
static nt_plan only_warpers(const nt_plan *plan) {
    nt_plan out = NT_PLAN_INIT;
    out.sample = true;
    out.keep = plan->keep;
    out.temperature = plan->temperature;
    out.top_h = plan->top_h;
    out.top_k = plan->top_k;
    out.top_p = plan->top_p;
    out.min_p = plan->min_p;
    out.typical_p = plan->typical_p;
    out.epsilon_cutoff = plan->epsilon_cutoff;
    out.eta_cutoff = plan->eta_cutoff;
    out.renormalize_logits = plan->renormalize_logits;
    return out;
}

int nt_draft_begin(nt_proposer *out, nt_search *search) {
    const nt_stepper *assistant = search->with->assistant;
    if (!assistant || assistant->V != search->V) {
        return nt_fail(NT_E_ARGUMENT,
                       "the assistant has a vocabulary of %zu ids and the model one of %zu; take "
                       "an assistant with the model's own",
                       assistant ? assistant->V : 0, search->V);
    }
    draft *d = nt_alloc(1, sizeof *d);
    if (!d) return NT_E_MEMORY;
    *out = (nt_proposer){d, propose, settle, put_away};
    *d = (draft){.plan = search->plan,
                 .draws = &search->draws,
                 .V = search->V,
                 .with = *search->with,
                 .sequence = -1,
                 .n_next = search->plan->n_draft};
    d->with.stepper = assistant;
    nt_tracks_begin(&d->tracks, &d->with, &d->effort);
    NT_TRY(nt_processors_begin(&d->processors, d->plan, d->V));
    if (!d->plan->sample || d->plan->rng != NT_RNG_TORCH) return NT_OK;
    d->warpers = only_warpers(d->plan);
    return nt_processors_begin(&d->again, &d->warpers, d->V);
}
