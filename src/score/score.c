/* One text: what rows will fill, one row after another in any order, and the sums at the end. */
#include "score/score.h"

#include <math.h>

#include "score/parts.h"

static int check(const nt_result *trace, const nt_lexis *lexis, size_t V, unsigned by,
                 nt_correction correction, size_t prompt_len) {
    size_t n = trace->n_tokens;
    const unsigned known = NT_BY_TEXT | NT_BY_TOKEN | NT_BY_WORD | NT_BY_CHAR;
    if (prompt_len > n) {
        return nt_fail(NT_E_ARGUMENT, "prompt_len is %zu and the text has %zu tokens", prompt_len,
                       n);
    }
    if (by & ~known)
        return nt_fail(NT_E_ARGUMENT, "by is %u, which is no sum of NT_BY_ values", by);
    if ((unsigned)correction > NT_CORRECTION_OH_SCHULER)
        return nt_fail(NT_E_ARGUMENT, "correction %d is unknown", (int)correction);
    for (size_t i = 0; i < n; i++) {
        int32_t id = trace->tokens[i].id;
        if (id >= 0 && (size_t)id < V) continue;
        return nt_fail(NT_E_RANGE, "token %zu: id %d is outside the vocabulary of %zu ids", i,
                       (int)id, V);
    }
    if (by & (NT_BY_WORD | NT_BY_CHAR) && (!lexis || !lexis->vocab)) {
        return nt_fail(NT_E_UNSUPPORTED, "words and characters need a tokenizer, and this model "
                                         "has none; score by token");
    }
    return NT_OK;
}

/* Where the bytes of each token begin when they stand one after the other. */
static size_t *lay_out_bytes(nt_result *trace) {
    size_t *at = nt_arena_alloc(&trace->arena, trace->n_tokens + 1, sizeof *at);
    for (size_t i = 0; at && i < trace->n_tokens; i++)
        at[i + 1] = at[i] + (nt_token_is_special(trace, i) ? 0 : trace->tokens[i].n_bytes);
    return at;
}

static int begin_units(nt_scoring *scoring) {
    unsigned by = scoring->trace->by;
    if (!(by & (NT_BY_WORD | NT_BY_CHAR))) return NT_OK;
    nt_spelling spelling;
    int status = nt_spelling_new(&spelling, scoring);
    if (status == NT_OK && by & NT_BY_WORD) status = nt_words_begin(scoring, &spelling);
    if (status == NT_OK && by & NT_BY_CHAR) status = nt_chars_begin(scoring, &spelling);
    nt_spelling_free(&spelling);
    return status;
}

int nt_scoring_begin(nt_scoring *scoring, nt_result *trace, const nt_lexis *lexis, size_t V,
                     unsigned by, nt_correction correction, size_t prompt_len) {
    *scoring = (nt_scoring){.trace = trace, .lexis = lexis, .V = V};
    NT_TRY(check(trace, lexis, V, by, correction, prompt_len));
    size_t n = trace->n_tokens;
    trace->n_vocab = (int32_t)V;
    trace->prompt_len = prompt_len > 0 || n == 0 ? prompt_len : 1;
    trace->by = by ? by : NT_BY_TOKEN;
    trace->correction = correction;
    trace->scored = nt_arena_alloc(&trace->arena, n, sizeof *trace->scored);
    scoring->byte_at = lay_out_bytes(trace);
    if (!trace->scored || !scoring->byte_at) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        trace->scored[i] = (nt_scored){.logprob = NAN, .entropy = NAN};
    return begin_units(scoring);
}

size_t nt_scoring_n_rows(const nt_scoring *scoring) {
    size_t n = scoring->trace->n_tokens;
    if (n == 0) return 0;
    return scoring->asks && scoring->asks[n - 1] ? n : n - 1;
}

/* A row of broken logits says so by a number that no log-probability has: other rows may be
 * under way in other threads, and nt_scoring_finish tells. */
static const double BROKEN = INFINITY;

void nt_scoring_row(nt_scoring *scoring, size_t t, const float *logits) {
    nt_result *trace = scoring->trace;
    bool has_next = t + 1 < trace->n_tokens, asked = scoring->asks && scoring->asks[t];
    if (!has_next && !asked) return;
    nt_softmax sum = nt_softmax_of(logits, scoring->V);
    if (asked && sum.finite) nt_words_row(scoring, t, logits, &sum);
    if (asked && !sum.finite) scoring->borders[t] = BROKEN;
    if (!has_next) return;
    nt_scored *scored = &trace->scored[t + 1];
    int32_t id = trace->tokens[t + 1].id;
    scored->logprob = sum.finite ? (double)logits[id] - sum.logsum : BROKEN;
    scored->entropy = sum.entropy;
    scored->rank = nt_rank_of(logits, scoring->V, id);
    if (scoring->bytes && sum.finite) nt_chars_row(scoring, t + 1, logits, &sum);
    if (scoring->k && sum.finite) nt_alternatives_row(scoring, t + 1, logits, &sum);
}

static int check_rows(const nt_scoring *scoring) {
    const nt_result *trace = scoring->trace;
    for (size_t t = 0; t < trace->n_tokens; t++) {
        bool scored = t + 1 < trace->n_tokens && trace->scored[t + 1].logprob == BROKEN;
        bool asked = scoring->asks && scoring->asks[t] && scoring->borders[t] == BROKEN;
        if (!scored && !asked) continue;
        return nt_fail(NT_E_NUMERIC,
                       "the logits at position %zu are not finite numbers; check the checkpoint's "
                       "weights",
                       t);
    }
    return NT_OK;
}

/* Standard deviation of the losses over the square root of their number. */
static double standard_error(const nt_result *trace, const nt_totals *totals) {
    double squares = 0, n = (double)totals->n_counted;
    if (totals->n_counted < 2) return NAN;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        double off = 0 - trace->scored[i].logprob - totals->loss;
        if (trace->scored[i].counted) squares += off * off;
    }
    return sqrt(squares / (n - 1) / n);
}

nt_totals nt_totals_of(double logprob, size_t n_counted, size_t n_bytes) {
    static const double LOG2 = 0x1.62e42fefa39efp-1;
    nt_totals totals = {.logprob = logprob, .n_counted = n_counted, .n_bytes = n_bytes};
    double sum = 0 - logprob;
    totals.loss = n_counted ? sum / (double)n_counted : NAN;
    totals.perplexity = nt_exp(totals.loss);
    totals.bits_per_byte = n_bytes ? sum / LOG2 / (double)n_bytes : NAN;
    totals.loss_stderr = totals.perplexity_stderr = NAN;
    return totals;
}

static void add_up(nt_scoring *scoring) {
    nt_result *trace = scoring->trace;
    double logprob = 0;
    size_t n_counted = 0, n_bytes = 0;
    for (size_t i = 0; i < trace->n_tokens; i++) {
        nt_scored *scored = &trace->scored[i];
        scored->counted = i >= trace->prompt_len && !isnan(scored->logprob);
        if (!scored->counted) continue;
        logprob += scored->logprob;
        n_counted++;
        n_bytes += scoring->byte_at[i + 1] - scoring->byte_at[i];
    }
    nt_totals totals = nt_totals_of(logprob, n_counted, n_bytes);
    totals.loss_stderr = standard_error(trace, &totals);
    totals.perplexity_stderr = totals.perplexity * totals.loss_stderr;
    trace->totals = totals;
}

int nt_scoring_finish(nt_scoring *scoring) {
    NT_TRY(check_rows(scoring));
    add_up(scoring);
    if (scoring->trace->words) nt_words_finish(scoring);
    if (scoring->trace->chars) nt_chars_finish(scoring);
    return scoring->k ? nt_alternatives_finish(scoring) : NT_OK;
}

double nt_logprob_of(const float *logits, size_t V, int32_t id) {
    return (double)logits[id] - nt_softmax_of(logits, V).logsum;
}
