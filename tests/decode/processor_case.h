/* A line of processors_oracle.txt, read (tools/oracle/processors.py writes them). */
#ifndef PROCESSOR_CASE_H
#define PROCESSOR_CASE_H

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "decode/generate.h"
#include "decode/made_row.h"

enum { MOST_IDS = 512, MOST_LIST = 64 };

typedef struct oracle_case {
    nt_plan plan;
    size_t V, n_ids;
    char kind[16], method[16];
    unsigned long long row_seed, ids_seed;
    int below;
    int32_t list_ids[MOST_IDS]; /* [n_list_ids] of all lists */
    size_t n_list_ids;
    nt_bias biases[2][MOST_LIST];
    nt_word words[MOST_LIST];
} oracle_case;

/* made_row, and "wild" (row_of in tools/oracle/processors.py). */
static float *row_of(const char *kind, size_t V, uint64_t seed) {
    float *row = calloc(V, sizeof *row);
    bool wild = strcmp(kind, "wild") == 0;
    made_row(row, wild ? "smooth" : kind, V, seed);
    for (size_t i = 0; wild && i < V; i++) {
        if (i % 7 == 1) row[i] = NAN;
        if (i % 7 == 3) row[i] = INFINITY;
        if (i % 7 == 5) row[i] = -INFINITY;
        if (i % 7 == 6) row[i] = FLT_MAX;
    }
    return row;
}

/* "1,2,3" up to anything else. */
static const int32_t *ids_of(oracle_case *c, size_t *n, char **text) {
    const int32_t *ids = c->list_ids + c->n_list_ids;
    for (*n = 0;; ++*text) {
        assert_true(c->n_list_ids < MOST_IDS);
        c->list_ids[c->n_list_ids++] = (int32_t)strtol(*text, text, 10);
        ++*n;
        if (**text != ',') return ids;
    }
}

/* "1,2:0.5;3:-1" */
static size_t biases_of(oracle_case *c, nt_bias *biases, char *text) {
    for (size_t n = 0;; text++) {
        assert_true(n < MOST_LIST);
        biases[n].ids = ids_of(c, &biases[n].n_ids, &text);
        biases[n].bias = strtod(text + 1, &text);
        n++;
        if (*text != ';') return n;
    }
}

static size_t words_of(oracle_case *c, nt_word *words, char *text) {
    for (size_t n = 0;; text++) {
        assert_true(n < MOST_LIST);
        words[n].ids = ids_of(c, &words[n].n_ids, &text);
        n++;
        if (*text != ';') return n;
    }
}

static bool read_list(oracle_case *c, const char *name, char *value) {
    nt_plan *p = &c->plan;
    if (strcmp(name, "sequence_bias") == 0) {
        p->sequence_bias = c->biases[0];
        p->n_sequence_bias = biases_of(c, c->biases[0], value);
    } else if (strcmp(name, "logit_bias") == 0) {
        p->logit_bias = c->biases[1];
        p->n_logit_bias = biases_of(c, c->biases[1], value);
    } else if (strcmp(name, "bad_words_ids") == 0) {
        p->bad_words = c->words;
        p->n_bad_words = words_of(c, c->words, value);
    } else if (strcmp(name, "eos_token_id") == 0) {
        p->eos = ids_of(c, &p->n_eos, &value);
    } else if (strcmp(name, "forced_eos_token_id") == 0) {
        p->forced_eos = ids_of(c, &p->n_forced_eos, &value);
    } else if (strcmp(name, "suppress_tokens") == 0) {
        p->suppress = ids_of(c, &p->n_suppress, &value);
    } else if (strcmp(name, "begin_suppress_tokens") == 0) {
        p->begin_suppress = ids_of(c, &p->n_begin_suppress, &value);
    } else {
        return false;
    }
    return true;
}

static bool read_count(nt_plan *p, const char *name, long value) {
    size_t n = (size_t)value;
    if (strcmp(name, "no_repeat_ngram_size") == 0)
        p->no_repeat_ngram_size = n;
    else if (strcmp(name, "encoder_no_repeat_ngram_size") == 0)
        p->encoder_no_repeat_ngram_size = n;
    else if (strcmp(name, "min_length") == 0)
        p->min_length = n;
    else if (strcmp(name, "min_new_tokens") == 0)
        p->min_new = n;
    else if (strcmp(name, "forced_bos_token_id") == 0)
        p->forced_bos = (int32_t)value;
    else if (strcmp(name, "remove_invalid_values") == 0)
        p->remove_invalid_values = value;
    else if (strcmp(name, "renormalize_logits") == 0)
        p->renormalize_logits = value;
    else if (strcmp(name, "top_k") == 0)
        p->top_k = n;
    else
        return false;
    return true;
}

static bool read_number(nt_plan *p, const char *name, char *value) {
    double number = strtod(value, NULL);
    if (strcmp(name, "guidance_scale") == 0) {
        p->guidance_scale = number;
    } else if (strcmp(name, "encoder_repetition_penalty") == 0) {
        p->encoder_repetition_penalty = number;
    } else if (strcmp(name, "repetition_penalty") == 0) {
        p->repetition_penalty = number;
    } else if (strcmp(name, "frequency_penalty") == 0) {
        p->frequency_penalty = number;
    } else if (strcmp(name, "presence_penalty") == 0) {
        p->presence_penalty = number;
    } else if (strcmp(name, "temperature") == 0) {
        p->temperature = number;
    } else if (strcmp(name, "exponential_decay_length_penalty") == 0) {
        p->decays = true;
        p->decay_start = (int32_t)strtol(value, &value, 10);
        p->decay_factor = strtod(value + 1, NULL);
    } else {
        return false;
    }
    return true;
}

/* Reads a line up to " | "; *stages is what is behind it. */
static bool read_case(oracle_case *c, char *line, char **stages) {
    int at = 0;
    *c = (oracle_case){.plan = NT_PLAN_INIT};
    if (sscanf(line, "case %zu %15s %llu %15s %llu %zu %d %zu %zu %n", &c->V, c->kind, &c->row_seed,
               c->method, &c->ids_seed, &c->n_ids, &c->below, &c->plan.n_prompt, &c->plan.max_new,
               &at) != 9)
        return false;
    c->plan.sample = strstr(c->method, "sample") != NULL;
    bool beams = strstr(c->method, "beam") != NULL;
    c->plan.method = beams ? c->plan.sample ? NT_METHOD_BEAM_SAMPLE : NT_METHOD_BEAM_SEARCH
                     : c->plan.sample ? NT_METHOD_SAMPLE
                                      : NT_METHOD_GREEDY;
    for (char *word = strtok(line + at, " \n"); strcmp(word, "|") != 0;
         word = strtok(NULL, " \n")) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = 0;
        if (!read_list(c, word, value) && !read_count(&c->plan, word, strtol(value, NULL, 10)) &&
            !read_number(&c->plan, word, value))
            fail_msg("the fixture has an option %s", word);
    }
    static char nothing[1];
    *stages = strtok(NULL, "\n");
    if (!*stages) *stages = nothing;
    return true;
}

#endif
