/* What every result of decoding keeps to, whatever the options were. */
#ifndef TESTS_API_WELL_FORMED_H
#define TESTS_API_WELL_FORMED_H

#include <jansson.h>
#include <math.h>

#include "api/small_model.h"

enum { SHOWN = 1 << 22 };

static const double ROUNDING = 1e-9; /* of sums of a few hundred numbers in double */

/* A macro, so that a failure tells its line. */
#define is_share(p)                                                                                \
    do {                                                                                           \
        double p_ = (p);                                                                           \
        if (!(p_ >= 0 && p_ <= 1 + ROUNDING)) fail_msg("%s is %.17g", #p, p_);                     \
    } while (0)

static void check_candidate(const nt_candidate *c, size_t V) {
    assert_in_range(c->token.id, 0, V - 1);
    assert_in_range(c->rank, 1, V);
    is_share(c->prob);
    is_share(c->processed_prob);
    assert_true(c->logprob <= ROUNDING);
    assert_false(isnan(c->logit) || isnan(c->processed_logit));
    for (size_t i = 0; i < c->n_changes; i++) {
        assert_non_null(c->changes[i].option);
        assert_false(isnan(c->changes[i].after));
    }
}

typedef const nt_candidate *(*candidate_fn)(const nt_result *result, size_t row, size_t i);

static void check_candidates(const nt_result *r, candidate_fn get, size_t row, size_t n, size_t V) {
    double raw = 0, processed = 0, last = INFINITY;
    for (size_t i = 0; i < n; i++) {
        const nt_candidate *c = get(r, row, i);
        check_candidate(c, V);
        assert_true(c->processed_prob <= last);
        last = c->processed_prob;
        raw += c->prob;
        processed += c->processed_prob;
    }
    is_share(raw);
    is_share(processed);
    assert_null(get(r, row, n));
}

static void check_row(const nt_step *step, size_t V) {
    assert_in_range(step->kept, 1, V);
    assert_true(step->entropy >= -ROUNDING && step->entropy <= log((double)V) + ROUNDING);
    assert_true(isnan(step->draw) || (step->draw >= 0 && step->draw < 1));
    assert_true(step->drafted >= -1 && step->drafted < (int32_t)V);
}

static void check_beams(const nt_result *r, size_t V) {
    size_t n_rows = nt_result_n_rows(r);
    for (size_t i = 0; i < nt_result_n_beams(r); i++) {
        const nt_beam *b = nt_result_beam(r, i), *parent = NULL;
        assert_true(b->parent >= -1 && b->parent < (int64_t)i);
        if (b->parent >= 0) parent = nt_result_beam(r, (size_t)b->parent);
        assert_int_equal(b->index, parent ? parent->index + 1 : 0);
        check_candidate(&b->token, V);
        assert_true(b->row >= -1 && b->row < (int64_t)n_rows);
        assert_in_range(b->fate, NT_FATE_RUNNING, NT_FATE_UNPROVED);
        assert_int_equal(isnan(b->score), b->finish_reason[0] == 0);
        if (b->row >= 0) {
            const nt_step *row = nt_result_row(r, (size_t)b->row);
            assert_int_equal(row->beam, i);
            assert_int_equal(row->index, b->index + 1);
        }
    }
    for (size_t i = 0; i < n_rows; i++) {
        const nt_step *row = nt_result_row(r, i);
        check_row(row, V);
        assert_true(row->beam >= -1 && row->beam < (int64_t)nt_result_n_beams(r));
        check_candidates(r, nt_result_row_candidate, i, nt_result_n_row_candidates(r, i), V);
    }
}

/* The beams that lead to an output are its ids; their raw log-probabilities its own. */
static void check_path(const nt_result *r, const nt_output *output) {
    if (output->beam < 0) return;
    int64_t at = output->beam;
    double sum = 0;
    for (size_t i = output->n_ids; i-- > 0; at = nt_result_beam(r, (size_t)at)->parent) {
        assert_true(at >= 0);
        const nt_candidate *token = &nt_result_beam(r, (size_t)at)->token;
        assert_int_equal(token->token.id, output->ids[i]);
        sum += token->logprob;
    }
    assert_int_equal(at, -1);
    assert_true(output->logprob == sum || fabs(output->logprob - sum) <= ROUNDING * -sum);
}

static void check_output(const nt_result *r, size_t s, size_t *step) {
    static const char reasons[] = " stop length stop_string time callback ";
    const nt_output *output = nt_result_output(r, s);
    char reason[32];
    double sum = 0;
    assert_true(output->n_ids > 0);
    assert_true(snprintf(reason, sizeof reason, " %s ", output->finish_reason) > 3);
    assert_non_null(strstr(reasons, reason));
    assert_int_equal(strlen(output->text), output->n_text);
    for (size_t i = 0; i < output->n_ids; i++, ++*step) {
        const nt_step *taken = nt_result_step(r, *step);
        assert_non_null(taken);
        assert_int_equal(taken->chosen.token.id, output->ids[i]);
        assert_int_equal(taken->index, i);
        assert_int_equal(taken->sequence, s);
        sum += taken->chosen.logprob;
    }
    assert_true(output->logprob == sum || fabs(output->logprob - sum) <= ROUNDING * -sum);
    check_path(r, output);
}

static void check_proof(const nt_proof *proof) {
    if (!proof) return;
    assert_int_equal(proof->proved, proof->limit[0] == 0);
    assert_true(proof->gap >= 0);
    if (proof->proved) assert_true(proof->gap == 0);
}

/* ---- Views ---- */

typedef struct shown {
    char bytes[SHOWN];
    size_t n;
} shown;

static int keep_shown(void *payload, const char *bytes, size_t n) {
    shown *to = payload;
    if (to->n + n > SHOWN) return 1;
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
    return 0;
}

/* A view that this kind has; larger ones than SHOWN are not kept. */
static bool show(shown *to, const nt_result *r, nt_format format, bool trace) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = format;
    options.trace = trace;
    to->n = 0;
    int status = nt_result_show(r, &options, keep_shown, to);
    assert_true(status == NT_OK || status == NT_E_UNSUPPORTED || status == NT_E_IO);
    return status == NT_OK;
}

static void check_views(const nt_result *r) {
    static shown text;
    json_error_t error;
    if (show(&text, r, NT_JSON, true)) {
        json_t *parsed = json_loadb(text.bytes, text.n, JSON_REJECT_DUPLICATES, &error);
        if (!parsed) fail_msg("JSON: %s at byte %d", error.text, error.position);
        json_decref(parsed);
        assert_int_equal(text.bytes[text.n - 1], '\n');
        assert_ptr_equal(memchr(text.bytes, '\n', text.n), text.bytes + text.n - 1);
    }
    show(&text, r, NT_TABLE, false);
    show(&text, r, NT_CSV, false);
}

/* ---- The whole ---- */

static void check_result(const nt_result *r, size_t V) {
    size_t step = 0;
    bool made = nt_result_n_outputs(r) > 0;
    for (size_t s = 0; s < nt_result_n_outputs(r); s++)
        check_output(r, s, &step);
    if (made) assert_int_equal(step, nt_result_n_steps(r));
    for (size_t i = 0; i < nt_result_n_steps(r); i++) {
        check_row(nt_result_step(r, i), V);
        check_candidates(r, nt_result_candidate, i, nt_result_n_candidates(r, i), V);
        for (size_t d = 0; d < nt_result_n_demoted(r, i); d++)
            check_candidate(nt_result_demoted(r, i, d), V);
    }
    if (nt_result_get_kind(r) != NT_RESULT_EXPLAIN) check_beams(r, V);
    check_proof(nt_result_proof(r));
    for (size_t i = 0; nt_result_inner(r, i); i++)
        check_result(nt_result_inner(r, i), V);
}

#endif
