/* What is added to the logit of a token that would complete given ids: sequence_bias, logit_bias
 * and bad_words_ids. */
#include <string.h>

#include "decode/process/processor.h"

/* Whether the sequence ends with all of ids [n] but the last. */
static bool completes(const nt_row *row, const int32_t *ids, size_t n) {
    size_t prefix = n - 1;
    if (prefix == 0) return true;
    if (prefix > row->n_ids) return false;
    const int32_t *end = row->ids + row->n_ids;
    return ids[prefix - 1] == end[-1] && memcmp(ids, end - prefix, prefix * sizeof *ids) == 0;
}

static int32_t last_of(const nt_bias *bias) {
    return bias->ids[bias->n_ids - 1];
}

/* Adds to sums, by last id, what the biases [n] of one length have for the row. Of equal ids the
 * last bias counts, as in transformers, where they are the keys of a dict. */
static void add_group(const nt_row *row, const nt_bias *biases, size_t n, size_t length) {
    double *sums = row->weights;
    float *values = (float *)row->scratch;
    for (size_t i = 0; i < n; i++)
        if (biases[i].n_ids == length && completes(row, biases[i].ids, length))
            values[last_of(&biases[i])] = (float)biases[i].bias;
    for (size_t i = 0; i < n; i++) {
        if (biases[i].n_ids != length || !completes(row, biases[i].ids, length)) continue;
        int32_t id = last_of(&biases[i]);
        sums[id] = (float)sums[id] + values[id];
        values[id] = 0;
    }
}

/* Whether biases[i] is the first of its length: from the nearest back, so that the whole list costs
 * no more than its length for each length that is in it. */
static bool opens_group(const nt_bias *biases, size_t i) {
    for (size_t j = i; j-- > 0;)
        if (biases[j].n_ids == biases[i].n_ids) return false;
    return true;
}

/* In transformers' order of sums, in float32: single ids first, then length after length as they
 * come up; what comes out is added to the logit at once. */
static void add_biases(const nt_row *row, const nt_bias *biases, size_t n) {
    double *sums = row->weights;
    for (size_t i = 0; i < n; i++)
        sums[last_of(&biases[i])] = 0;
    add_group(row, biases, n, 1);
    for (size_t i = 0; i < n; i++)
        if (biases[i].n_ids > 1 && biases[i].n_ids <= row->n_ids + 1 && opens_group(biases, i))
            add_group(row, biases, n, biases[i].n_ids);
    for (size_t i = 0; i < n; i++) {
        int32_t id = last_of(&biases[i]);
        row->logits[id] += (float)sums[id];
        sums[id] = 0;
    }
}

static bool wants_sequence_bias(const nt_plan *plan) {
    return plan->n_sequence_bias > 0;
}

static int run_sequence_bias(const nt_row *row, const nt_plan *plan) {
    add_biases(row, plan->sequence_bias, plan->n_sequence_bias);
    return NT_OK;
}

const nt_processor nt_sequence_bias = {"sequence_bias", wants_sequence_bias, run_sequence_bias};

static bool wants_logit_bias(const nt_plan *plan) {
    return plan->n_logit_bias > 0;
}

static int run_logit_bias(const nt_row *row, const nt_plan *plan) {
    add_biases(row, plan->logit_bias, plan->n_logit_bias);
    return NT_OK;
}

const nt_processor nt_logit_bias = {"logit_bias", wants_logit_bias, run_logit_bias};

static bool wants_bad_words(const nt_plan *plan) {
    return plan->n_bad_words > 0;
}

/* A word that is an eos and nothing else is passed over. */
static int run_bad_words(const nt_row *row, const nt_plan *plan) {
    for (size_t i = 0; i < plan->n_bad_words; i++) {
        const nt_word *word = &plan->bad_words[i];
        if (!completes(row, word->ids, word->n_ids)) continue;
        if (word->n_ids == 1 && nt_plan_is_eos(plan, word->ids[0])) continue;
        row->logits[word->ids[word->n_ids - 1]] += -INFINITY;
    }
    return NT_OK;
}

const nt_processor nt_bad_words = {"bad_words_ids", wants_bad_words, run_bad_words};
