/* Log-probability, rank and entropy of each given token, and their sums in double, in order. */
#include "score/score.h"

#include <math.h>

#include "base/math.h"
#include "base/status.h"
#include "trace/candidates.h"

/* One run over a source's rows. A failing `each` may come back changed by the source, so the first
 * failure is kept here. */
typedef struct nt_scoring {
    const nt_logit_source *source;
    const nt_callbacks *callbacks;
    size_t n;
    int status;
    nt_result *trace;      /* scoring */
    const int32_t *labels; /* loss: [n] */
    double sum;            /* loss: of -log p */
    size_t n_counted;
} nt_scoring;

static int softmax_of_row(nt_softmax *out, const float *logits, size_t V, size_t t) {
    *out = nt_softmax_of(logits, V);
    if (out->finite) return NT_OK;
    return nt_fail(NT_E_NUMERIC,
                   "the logits at position %zu are not finite numbers; check the checkpoint's "
                   "weights",
                   t);
}

static void report(const nt_scoring *scoring, size_t t) {
    const nt_callbacks *callbacks = scoring->callbacks;
    if (callbacks && callbacks->progress)
        callbacks->progress(callbacks->payload, "tokens", t + 1, scoring->n);
}

static int check_ids(const int32_t *ids, size_t n, size_t V) {
    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= 0 && (size_t)ids[i] < V) continue;
        return nt_fail(NT_E_RANGE, "token %zu: id %d is outside the vocabulary of %zu ids", i,
                       (int)ids[i], V);
    }
    return NT_OK;
}

static int score_row(nt_scoring *scoring, size_t t, const float *logits) {
    size_t V = scoring->source->V;
    nt_softmax sum;
    if (t + 1 >= scoring->n) return NT_OK;
    NT_TRY(softmax_of_row(&sum, logits, V, t));
    int32_t id = scoring->trace->tokens[t + 1].id;
    nt_scored *scored = &scoring->trace->scored[t + 1];
    scored->logprob = (double)logits[id] - sum.logsum;
    scored->entropy = sum.entropy;
    scored->rank = nt_rank_of(logits, V, id);
    return NT_OK;
}

static int each_scored(void *payload, size_t t, const float *logits) {
    nt_scoring *scoring = payload;
    scoring->status = score_row(scoring, t, logits);
    if (scoring->status == NT_OK) report(scoring, t);
    return scoring->status;
}

static int run(nt_scoring *scoring, const int32_t *ids,
               int (*each)(void *payload, size_t t, const float *logits)) {
    const nt_logit_source *source = scoring->source;
    if (scoring->n == 0) return NT_OK;
    int status = source->run(source->self, ids, scoring->n, each, scoring, scoring->callbacks);
    return scoring->status != NT_OK ? scoring->status : status;
}

static void add_up(nt_result *trace) {
    nt_totals totals = {0};
    for (size_t i = 0; i < trace->n_tokens; i++) {
        nt_scored *scored = &trace->scored[i];
        scored->counted = i >= trace->prompt_len;
        if (!scored->counted) continue;
        totals.logprob += scored->logprob;
        totals.n_counted++;
    }
    totals.loss = totals.n_counted ? (0 - totals.logprob) / (double)totals.n_counted : NAN;
    totals.perplexity = nt_exp(totals.loss);
    trace->totals = totals;
}

int nt_score_tokens(nt_result *trace, const nt_logit_source *source, size_t prompt_len,
                    const nt_callbacks *callbacks) {
    size_t n = trace->n_tokens;
    if (prompt_len > n) {
        return nt_fail(NT_E_ARGUMENT, "prompt_len is %zu and the text has %zu tokens", prompt_len,
                       n);
    }
    int32_t *ids = nt_arena_alloc(&trace->arena, n, sizeof *ids);
    nt_scored *scored = nt_arena_alloc(&trace->arena, n, sizeof *scored);
    if (!ids || !scored) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        ids[i] = trace->tokens[i].id;
    NT_TRY(check_ids(ids, n, source->V));
    if (n > 0) scored[0] = (nt_scored){.logprob = NAN, .entropy = NAN};
    trace->scored = scored;
    trace->n_vocab = (int32_t)source->V;
    trace->prompt_len = prompt_len > 0 || n == 0 ? prompt_len : 1;
    nt_scoring scoring = {.source = source, .callbacks = callbacks, .n = n, .trace = trace};
    NT_TRY(run(&scoring, ids, each_scored));
    add_up(trace);
    return NT_OK;
}

enum { IGNORED = -100 };

static int loss_row(nt_scoring *scoring, size_t t, const float *logits) {
    if (t + 1 >= scoring->n || scoring->labels[t + 1] == IGNORED) return NT_OK;
    nt_softmax sum;
    NT_TRY(softmax_of_row(&sum, logits, scoring->source->V, t));
    scoring->sum += sum.logsum - (double)logits[scoring->labels[t + 1]];
    scoring->n_counted++;
    return NT_OK;
}

static int each_loss(void *payload, size_t t, const float *logits) {
    nt_scoring *scoring = payload;
    scoring->status = loss_row(scoring, t, logits);
    if (scoring->status == NT_OK) report(scoring, t);
    return scoring->status;
}

int nt_loss_of(double *loss, size_t *n_counted, const nt_logit_source *source, const int32_t *ids,
               const int32_t *labels, size_t n, const nt_callbacks *callbacks) {
    *loss = 0;
    if (n_counted) *n_counted = 0;
    for (size_t i = 1; labels && i < n; i++) {
        if (labels[i] == IGNORED || (labels[i] >= 0 && (size_t)labels[i] < source->V)) continue;
        return nt_fail(NT_E_RANGE,
                       "label %zu is %d: neither an id of the vocabulary of %zu nor -100", i,
                       (int)labels[i], source->V);
    }
    NT_TRY(check_ids(ids, n, source->V));
    nt_scoring scoring = {
        .source = source, .callbacks = callbacks, .n = n, .labels = labels ? labels : ids};
    NT_TRY(run(&scoring, ids, each_loss));
    *loss = scoring.n_counted ? scoring.sum / (double)scoring.n_counted : NAN;
    if (n_counted) *n_counted = scoring.n_counted;
    return NT_OK;
}
