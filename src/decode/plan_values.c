/* Values that cannot be planned with. Those that came through nt_generate_options_set are good, but
 * a C program writes the fields itself, and only now the vocabulary is known. */
#include <float.h>
#include <string.h>

#include "decode/options/options.h"
#include "decode/plan.h"

/* ---- Numbers: by the options table ---- */

static int check_whole(const nt_option_row *row, const void *field) {
    int32_t value;
    memcpy(&value, field, sizeof value);
    if (value == row->unset || (value >= row->low && value <= row->high)) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s cannot be %d: it takes %s", row->info.name, (int)value,
                   row->info.range);
}

static int check_number(const nt_option_row *row, const void *field) {
    double value;
    memcpy(&value, field, sizeof value);
    if (value == row->unset || (value >= row->low && value <= row->high)) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s cannot be %g: it takes %s", row->info.name, value,
                   row->info.range);
}

static int check_truth(const nt_option_row *row, const void *field) {
    int value;
    memcpy(&value, field, sizeof value);
    if (value >= -1 && value <= 1) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s is %d; it must be 1 (true), -1 (false) or 0 (not given)",
                   row->info.name, value);
}

static int check_choice(const nt_option_row *row, const void *field) {
    int32_t value, last = 0;
    memcpy(&value, field, sizeof value);
    while (row->names[last])
        last++;
    if (value >= 0 && value <= last) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s is %d; its values are 1 to %d, or 0: not given",
                   row->info.name, (int)value, (int)last);
}

static int check_numbers(const nt_generate_options *o) {
    for (size_t i = 0; i < nt_n_options(); i++) {
        const nt_option_row *row = nt_option_row_at(i);
        const void *field = (const char *)o + row->offset;
        switch (row->type) {
        case NT_OPTION_INTEGER: NT_TRY(check_whole(row, field)); break;
        case NT_OPTION_NUMBER: NT_TRY(check_number(row, field)); break;
        case NT_OPTION_BOOLEAN: NT_TRY(check_truth(row, field)); break;
        case NT_OPTION_CHOICE: NT_TRY(check_choice(row, field)); break;
        default: break; /* lists and pairs: below */
        }
    }
    return NT_OK;
}

static int check_sequences(const char *name, int32_t value) {
    if (value >= 0 && value <= NT_MAX_SEQUENCES) return NT_OK;
    return nt_fail(NT_E_ARGUMENT, "%s is %d; it must be from 1 to %d", name, (int)value,
                   NT_MAX_SEQUENCES);
}

/* ---- Ids ---- */

static int no_array(const char *name) {
    return nt_fail(NT_E_ARGUMENT, "%s is NULL and n_%s is not 0", name, name);
}

static int outside(const char *name, int32_t id, size_t V) {
    return nt_fail(NT_E_RANGE, "%s %d is outside the vocabulary of %zu ids", name, (int)id, V);
}

static int check_ids(const char *name, const int32_t *ids, size_t n, size_t V) {
    if (n && !ids) return no_array(name);
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= V) return outside(name, ids[i], V);
    return NT_OK;
}

/* The i-th row of a list of rows of ids. */
static int check_row(const char *name, size_t i, const int32_t *ids, size_t n, size_t V) {
    if (n == 0) return nt_fail(NT_E_ARGUMENT, "%s: entry %zu has no ids", name, i);
    if (!ids) return nt_fail(NT_E_ARGUMENT, "%s: entry %zu has NULL in the place of ids", name, i);
    return check_ids(name, ids, n, V);
}

static int check_biases(const char *name, const nt_bias *biases, size_t n, bool single, size_t V) {
    if (n && !biases) return no_array(name);
    for (size_t i = 0; i < n; i++) {
        NT_TRY(check_row(name, i, biases[i].ids, biases[i].n_ids, V));
        if (single && biases[i].n_ids != 1) {
            return nt_fail(NT_E_ARGUMENT,
                           "%s: entry %zu has %zu ids; it takes one id each, sequence_bias several",
                           name, i, biases[i].n_ids);
        }
        double bias = biases[i].bias;
        if (bias == -INFINITY || (bias >= -(double)FLT_MAX && bias <= (double)FLT_MAX)) continue;
        return nt_fail(NT_E_ARGUMENT,
                       "%s: entry %zu has the bias %g; it must be a finite number, or -inf: never",
                       name, i, bias);
    }
    return NT_OK;
}

static int check_lists(const nt_generate_options *o, size_t V) {
    NT_TRY(check_ids("eos_token_id", o->eos_token_id, o->n_eos_token_id, V));
    NT_TRY(check_ids("suppress_tokens", o->suppress_tokens, o->n_suppress_tokens, V));
    NT_TRY(check_ids("begin_suppress_tokens", o->begin_suppress_tokens, o->n_begin_suppress_tokens,
                     V));
    NT_TRY(check_ids("forced_eos_token_id", o->forced_eos_token_id, o->n_forced_eos_token_id, V));
    NT_TRY(check_ids("negative_prompt_ids", o->negative_prompt_ids, o->n_negative_prompt_ids, V));
    if (o->forced_bos_token_id != -1)
        NT_TRY(check_ids("forced_bos_token_id", &o->forced_bos_token_id, 1, V));
    NT_TRY(check_biases("sequence_bias", o->sequence_bias, o->n_sequence_bias, false, V));
    NT_TRY(check_biases("logit_bias", o->logit_bias, o->n_logit_bias, true, V));
    if (o->n_bad_words_ids && !o->bad_words_ids) return no_array("bad_words_ids");
    for (size_t i = 0; i < o->n_bad_words_ids; i++)
        NT_TRY(
            check_row("bad_words_ids", i, o->bad_words_ids[i].ids, o->bad_words_ids[i].n_ids, V));
    return NT_OK;
}

/* ---- The rest ---- */

static int check_strings(const nt_generate_options *o) {
    if (o->n_stop_strings && !o->stop_strings) return no_array("stop_strings");
    for (size_t i = 0; i < o->n_stop_strings; i++) {
        if (o->stop_strings[i] && *o->stop_strings[i]) continue;
        return nt_fail(NT_E_ARGUMENT, "stop_strings: string %zu is %s", i,
                       o->stop_strings[i] ? "empty" : "NULL");
    }
    return NT_OK;
}

static int check_decay(const nt_generate_options *o) {
    double factor = o->exponential_decay_factor;
    if (!o->exponential_decay_given) return NT_OK;
    if (o->exponential_decay_start < 0) {
        return nt_fail(NT_E_ARGUMENT,
                       "exponential_decay_length_penalty begins after %d new tokens; it must be 0 "
                       "or more",
                       (int)o->exponential_decay_start);
    }
    if (factor > 0 && factor <= (double)FLT_MAX) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "exponential_decay_length_penalty has the factor %g; it must be above 0",
                   factor);
}

/* How torch's stream is shared. */
static int check_torch(const nt_generate_options *o) {
    bool alone = o->batch_size == 0 && o->batch_index == 0;
    if (!alone && (o->batch_index < 0 || o->batch_index >= o->batch_size)) {
        return nt_fail(NT_E_ARGUMENT,
                       "batch_index is %d and batch_size %d; it must be from 0 to batch_size - 1",
                       (int)o->batch_index, (int)o->batch_size);
    }
    if (!o->torch_rng) return NT_OK;
    if (o->rng == NT_RNG_PHILOX)
        return nt_fail(NT_E_ARGUMENT, "torch_rng is given and rng is philox: leave out one");
    if (o->seed_given) return nt_fail(NT_E_ARGUMENT, "torch_rng and seed are given: leave out one");
    return NT_OK;
}

int nt_plan_check_values(const nt_generate_options *o, const nt_plan_for *of) {
    NT_TRY(check_torch(o));
    NT_TRY(check_sequences("num_return_sequences", o->num_return_sequences));
    NT_TRY(check_sequences("num_beams", o->num_beams));
    NT_TRY(check_sequences("best_of", o->best_of));
    NT_TRY(check_numbers(o));
    NT_TRY(check_decay(o));
    NT_TRY(check_strings(o));
    return check_lists(o, of->V);
}
