/* Reads the cases of assisted_oracle.txt, which tools/oracle/assisted.py writes. */
#ifndef ASSISTED_CASE_H
#define ASSISTED_CASE_H

#include "decode/assisted_run.h"

enum { MOST_IDS = 64, MOST_PROMPT = 512 };

typedef struct expected {
    char line[2048]; /* for messages */
    tables tables;
    int32_t prompt[MOST_PROMPT], ids[MOST_IDS], drafted[MOST_IDS], eos[4], forced_eos[1],
        suppress[4], bad[4];
    size_t n_prompt, made_prompt, n_ids, n_drafted, V, rows, table, by_id, near_;
    nt_word bad_word;
    double like, soft;
    nt_plan plan;
} expected;

static size_t read_ids(int32_t *ids, const char *text) {
    size_t n = 0;
    for (char *end; *text; text = *end ? end + 1 : end)
        ids[n++] = (int32_t)strtol(text, &end, 10);
    return n;
}

/* Options that are whole numbers, numbers, and lists; false: it is none of them. */
static bool take_whole(expected *e, const char *name, const char *value) {
    nt_plan *plan = &e->plan;
    const struct {
        const char *name;
        size_t *out;
    } all[] = {{"max_new_tokens", &plan->max_new},
               {"prompt_lookup_num_tokens", &plan->lookup},
               {"max_matching_ngram_size", &plan->max_ngram},
               {"drafts", &plan->n_draft},
               {"top_k", &plan->top_k},
               {"no_repeat_ngram_size", &plan->no_repeat_ngram_size},
               {"min_new_tokens", &plan->min_new},
               {"made_prompt", &e->made_prompt},
               {"V", &e->V},
               {"rows", &e->rows},
               {"table", &e->table},
               {"by_id", &e->by_id},
               {"near", &e->near_}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name) != 0) continue;
        *all[i].out = (size_t)strtoul(value, NULL, 10);
        return true;
    }
    return false;
}

static bool take_number(expected *e, const char *name, const char *value) {
    nt_plan *plan = &e->plan;
    const struct {
        const char *name;
        double *out;
    } all[] = {{"threshold", &plan->confidence},
               {"assistant_ensemble_weight", &plan->ensemble},
               {"temperature", &plan->temperature},
               {"top_p", &plan->top_p},
               {"min_p", &plan->min_p},
               {"typical_p", &plan->typical_p},
               {"repetition_penalty", &plan->repetition_penalty},
               {"like", &e->like},
               {"soft", &e->soft}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name) != 0) continue;
        *all[i].out = strtod(value, NULL);
        return true;
    }
    return false;
}

static bool take_list(expected *e, const char *name, const char *value) {
    nt_plan *plan = &e->plan;
    const struct {
        const char *name;
        int32_t *out;
        size_t *n;
    } all[] = {{"prompt", e->prompt, &e->n_prompt},
               {"ids", e->ids, &e->n_ids},
               {"drafted", e->drafted, &e->n_drafted},
               {"suppress_tokens", e->suppress, &plan->n_suppress},
               {"eos_token_id", e->eos, &plan->n_eos},
               {"forced_eos_token_id", e->forced_eos, &plan->n_forced_eos},
               {"bad_words_ids", e->bad, &e->bad_word.n_ids}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name) != 0) continue;
        *all[i].n = read_ids(all[i].out, value);
        return true;
    }
    return false;
}

static void take_field(expected *e, const char *name, const char *value) {
    nt_plan *plan = &e->plan;
    if (take_whole(e, name, value) || take_number(e, name, value) || take_list(e, name, value))
        return;
    if (strcmp(name, "do_sample") == 0)
        plan->sample = true;
    else if (strcmp(name, "remove_invalid_values") == 0)
        plan->remove_invalid_values = true;
    else if (strcmp(name, "seed") == 0)
        plan->seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "schedule") == 0)
        plan->schedule = strcmp(value, "heuristic") == 0 ? NT_SCHEDULE_HEURISTIC
                                                         : NT_SCHEDULE_HEURISTIC_TRANSIENT;
    else
        fail_msg("the fixture has %s, which this test does not know", name);
}

static void read_case(expected *e, const char *line) {
    free_tables(&e->tables);
    memset(e, 0, sizeof *e);
    memcpy(e->line, line, strlen(line) + 1);
    e->plan = (nt_plan)NT_PLAN_INIT;
    char copy[sizeof e->line], *rest = NULL;
    memcpy(copy, e->line, sizeof copy);
    char *word = strtok_r(copy, " \n", &rest);
    e->plan.method = strcmp(word, "lookup") == 0 ? NT_METHOD_PROMPT_LOOKUP : NT_METHOD_ASSISTED;
    while ((word = strtok_r(NULL, " \n", &rest))) {
        char *equals = strchr(word, '=');
        assert_non_null(equals);
        *equals = 0;
        take_field(e, word, equals + 1);
    }
    e->plan.rng = NT_RNG_TORCH;
    if (e->made_prompt) {
        assert_true(e->made_prompt <= MOST_PROMPT);
        e->n_prompt = e->made_prompt;
        made_ids(e->prompt, e->table, e->n_prompt, 12);
    }
    e->plan.n_prompt = e->n_prompt;
    if (e->plan.min_new) e->plan.min_length = e->n_prompt + e->plan.min_new;
    e->plan.eos = e->eos;
    e->plan.forced_eos = e->forced_eos;
    e->plan.suppress = e->suppress;
    e->bad_word.ids = e->bad;
    e->plan.bad_words = &e->bad_word;
    e->plan.n_bad_words = e->bad_word.n_ids > 0;
    make_tables(&e->tables, e->rows, e->V, e->table, (float)e->like, (float)e->soft);
    e->tables.by_id = e->by_id != 0;
}

#endif
