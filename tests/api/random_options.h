/* Random generate options, good and bad, each field written directly as a C program may. */
#ifndef TESTS_API_RANDOM_OPTIONS_H
#define TESTS_API_RANDOM_OPTIONS_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "nextoken.h"

enum { RANDOM_V = 96, RANDOM_LIST = 600 };

static uint64_t dice_state;

/* In [0, n). */
static uint32_t dice(uint32_t n) {
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((dice_state >> 32) * n) >> 32);
}

/* What the options of one call point to. */
typedef struct random_memory {
    int32_t ids[10][RANDOM_LIST];
    nt_word words[RANDOM_LIST];
    nt_bias biases[2][RANDOM_LIST];
    const char *strings[RANDOM_LIST];
    bool wild;   /* values that no call takes are among them */
    uint32_t of; /* one field in so many is given */
} random_memory;

static int32_t wild_whole(void) {
    static const int32_t values[] = {INT32_MIN, INT32_MIN + 1, -2,   -1,    0,       1,
                                     2,         1024,          1025, 65535, 1 << 24, INT32_MAX - 1,
                                     INT32_MAX};
    return values[dice(sizeof values / sizeof *values)];
}

static double wild_number(void) {
    static const double values[] = {NAN,      INFINITY, -INFINITY, 0,     -0.0,  -1,    1,
                                    DBL_MIN,  5e-324,   FLT_MAX,   1e39,  -1e39, 1e300, 0.5,
                                    -DBL_MAX, DBL_MAX,  1e-45,     1e-30, 2,     -1e-9, 1.0000001};
    return values[dice(sizeof values / sizeof *values)];
}

/* Whether a field is given at all, and whether a value that may be senseless is written there. */
static bool given(const random_memory *m) {
    return dice(m->of) == 0;
}

static void whole(int32_t *field, const random_memory *m, int32_t low, int32_t high) {
    if (!given(m)) return;
    *field =
        m->wild && dice(3) == 0 ? wild_whole() : low + (int32_t)dice((uint32_t)(high - low + 1));
}

static void number(double *field, const random_memory *m, double low, double high) {
    if (!given(m)) return;
    *field = m->wild && dice(3) == 0 ? wild_number() : low + (high - low) * dice(1001) / 1000;
}

static void truth(int *field, const random_memory *m) {
    if (given(m)) *field = m->wild && dice(4) == 0 ? wild_whole() : (int)dice(3) - 1;
}

static int32_t any_id(const random_memory *m) {
    return m->wild && dice(30) == 0 ? wild_whole() : (int32_t)dice(RANDOM_V);
}

static size_t any_length(const random_memory *m) {
    if (m->wild && dice(12) == 0) return 0;
    return dice(20) == 0 ? 1 + dice(RANDOM_LIST) : 1 + dice(3);
}

/* NULL with a length where values may be senseless. */
static void ids(const int32_t **field, size_t *n, const random_memory *m, int32_t *list) {
    if (!given(m)) return;
    *n = any_length(m);
    for (size_t i = 0; i < *n; i++)
        list[i] = any_id(m);
    *field = m->wild && dice(12) == 0 ? NULL : list;
}

static void biases(const nt_bias **field, size_t *n, const random_memory *m, nt_bias *list,
                   const int32_t *pool, bool single) {
    if (!given(m)) return;
    *n = any_length(m);
    for (size_t i = 0; i < *n; i++) {
        size_t n_ids = single && !m->wild ? 1 : m->wild && dice(9) == 0 ? 0 : 1 + dice(3);
        double bias = dice(5) ? dice(400) / 20.0 - 10 : -INFINITY;
        list[i] = (nt_bias){pool + dice(RANDOM_LIST - 3), n_ids,
                            m->wild && dice(9) == 0 ? wild_number() : bias};
        if (m->wild && dice(40) == 0) list[i].ids = NULL;
    }
    *field = m->wild && dice(12) == 0 ? NULL : list;
}

static void words(nt_generate_options *o, random_memory *m, const int32_t *pool) {
    if (!given(m)) return;
    o->n_bad_words_ids = any_length(m);
    for (size_t i = 0; i < o->n_bad_words_ids; i++) {
        size_t n_ids = m->wild && dice(9) == 0 ? 0 : 1 + dice(3);
        m->words[i] = (nt_word){pool + dice(RANDOM_LIST - 3), n_ids};
        if (m->wild && dice(40) == 0) m->words[i].ids = NULL;
    }
    o->bad_words_ids = m->wild && dice(12) == 0 ? NULL : m->words;
}

static void strings(nt_generate_options *o, random_memory *m) {
    static const char *const good[] = {"a", "th", "the", " the", "z", "qz", "e t", "\n", "the the"};
    static const char *const bad[] = {"", "\xff", NULL, "\xe2\x82", "a\xc3"};
    if (!given(m)) return;
    o->n_stop_strings = any_length(m);
    for (size_t i = 0; i < o->n_stop_strings; i++)
        m->strings[i] = m->wild && dice(15) == 0 ? bad[dice(5)] : good[dice(9)];
    o->stop_strings = m->wild && dice(12) == 0 ? NULL : m->strings;
}

static void random_lists(nt_generate_options *o, random_memory *m) {
    for (size_t i = 0; i < RANDOM_LIST; i++)
        m->ids[0][i] = any_id(m);
    ids(&o->eos_token_id, &o->n_eos_token_id, m, m->ids[1]);
    if (!m->wild && dice(4) == 0) o->eos_token_id = m->ids[1], o->n_eos_token_id = 0;
    strings(o, m);
    words(o, m, m->ids[0]);
    biases(&o->sequence_bias, &o->n_sequence_bias, m, m->biases[0], m->ids[0], false);
    biases(&o->logit_bias, &o->n_logit_bias, m, m->biases[1], m->ids[0], true);
    ids(&o->suppress_tokens, &o->n_suppress_tokens, m, m->ids[2]);
    ids(&o->begin_suppress_tokens, &o->n_begin_suppress_tokens, m, m->ids[3]);
    ids(&o->forced_eos_token_id, &o->n_forced_eos_token_id, m, m->ids[4]);
    if (given(m)) o->forced_bos_token_id = any_id(m);
    if (!given(m)) return;
    o->guidance_scale = 1.5;
    if (dice(2))
        o->negative_prompt = dice(2) ? "the the" : "";
    else
        ids(&o->negative_prompt_ids, &o->n_negative_prompt_ids, m, m->ids[5]);
}

static void random_search(nt_generate_options *o, const random_memory *m) {
    truth(&o->do_sample, m);
    if (o->do_sample || dice(3) == 0) whole(&o->num_return_sequences, m, 1, 5);
    whole(&o->num_beams, m, 1, 7);
    whole(&o->early_stopping, m, 0, 3);
    number(&o->length_penalty, m, -3, 3);
    if (dice(3) == 0) {
        if (given(m)) o->search = NT_SEARCH_EXACT;
        whole(&o->horizon, m, 1, 5);
        whole(&o->max_nodes, m, 1, 200);
        number(&o->min_probability, m, 1e-5, 0.2);
    }
    if (dice(3) == 0) whole(&o->best_of, m, 1, 6);
    if (dice(3) == 0) {
        whole(&o->prompt_lookup_num_tokens, m, 1, 12);
        whole(&o->max_matching_ngram_size, m, 1, 4);
    }
    whole(&o->num_assistant_tokens, m, 1, 12);
    whole(&o->num_assistant_tokens_schedule, m, 0, 3);
    number(&o->assistant_confidence_threshold, m, 0, 1);
    if (dice(3) == 0) number(&o->assistant_ensemble_weight, m, 0.05, 1);
    o->seed_given = dice(8) > 0;
    o->seed = dice(1000);
    whole(&o->rng, m, 0, 2);
}

static void random_numbers(nt_generate_options *o, const random_memory *m) {
    number(&o->temperature, m, 0.05, 3);
    whole(&o->top_k, m, -1, 100);
    number(&o->top_p, m, 0, 1);
    number(&o->min_p, m, 0, 1);
    number(&o->typical_p, m, 0.01, 1);
    number(&o->top_h, m, 0.01, 1);
    number(&o->epsilon_cutoff, m, 0, 0.5);
    number(&o->eta_cutoff, m, 0, 0.5);
    number(&o->repetition_penalty, m, 0.1, 3);
    number(&o->encoder_repetition_penalty, m, 0.1, 3);
    number(&o->presence_penalty, m, -2, 2);
    number(&o->frequency_penalty, m, -2, 2);
    whole(&o->no_repeat_ngram_size, m, 0, 4);
    whole(&o->encoder_no_repeat_ngram_size, m, 0, 4);
    if (given(m)) {
        o->exponential_decay_given = true;
        o->exponential_decay_start = m->wild ? wild_whole() : (int32_t)dice(10);
        o->exponential_decay_factor = m->wild && dice(2) ? wild_number() : 0.5 + dice(100) / 50.0;
    }
    truth(&o->remove_invalid_values, m);
    truth(&o->renormalize_logits, m);
    number(&o->guidance_scale, m, 0, 3);
}

/* The struct is filled from nothing but dice: the same state gives the same options. */
static void random_options(nt_generate_options *o, random_memory *m) {
    static const uint32_t rarities[] = {2, 4, 8, 20};
    *o = (nt_generate_options)NT_GENERATE_OPTIONS_INIT;
    m->wild = dice(3) == 0;
    m->of = rarities[dice(4)] * (m->wild ? 3 : 1);
    whole(&o->max_new_tokens, m, 1, 12);
    whole(&o->max_length, m, 1, 64);
    whole(&o->min_length, m, -1, 30);
    whole(&o->min_new_tokens, m, -1, 12);
    if (dice(8) == 0) number(&o->max_time, m, 1e-7, 0.002);
    whole(&o->choices, m, 1, 100);
    random_search(o, m);
    random_numbers(o, m);
    random_lists(o, m);
}

#endif
