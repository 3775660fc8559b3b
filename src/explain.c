/* nt_explain: one option in words, and drawn on a prompt. An option that changes the next token's
 * logits is drawn there, alone but for what it needs to act at all; any other one, or one that
 * changes nothing there, by generating without and with it, beside all that the caller gave. */
#include <string.h>

#include "base/options.h"
#include "decode/generate.h"
#include "decode/options/options.h"
#include "decode/options/shown.h"
#include "wiring.h"

enum { CANDIDATES = 10 };

typedef struct explaining {
    nt_result *trace;
    nt_session *session;
    const nt_prompt *prompt;
    nt_ids_of ids, negative;
    const nt_option_row *row;
    const nt_generate_options *given; /* by the caller */
    const char *value;                /* of the option, as text */
    bool from_example;
    size_t n_new; /* most new tokens, where the caller gives no length */
} explaining;

/* What an option needs to act, where the caller does not say otherwise. */
static const struct {
    const char *option, *needs, *value;
} needs[] = {
    {"length_penalty", "num_beams", "4"},
    {"early_stopping", "num_beams", "4"},
    {"num_return_sequences", "do_sample", "true"},
    {"best_of", "do_sample", "true"},
    {"seed", "do_sample", "true"},
    {"rng", "do_sample", "true"},
    {"horizon", "search", "exact"},
    {"max_nodes", "search", "exact"},
    {"min_probability", "search", "exact"},
    {"max_matching_ngram_size", "prompt_lookup_num_tokens", "10"},
    {"negative_prompt", "guidance_scale", "1.5"},
    {"negative_prompt_ids", "guidance_scale", "1.5"},
};

static bool is_given(const explaining *e, const char *name) {
    return nt_option_given(e->given, nt_option_find(name));
}

static bool is(const explaining *e, const char *name) {
    return strcmp(e->row->info.name, name) == 0;
}

static int set(nt_generate_options *options, const explaining *e, const char *name,
               const char *value) {
    if (!is_given(e, name)) return nt_generate_options_set(options, name, value);
    nt_option_copy(options, e->given, nt_option_find(name));
    return NT_OK;
}

static int set_needs(nt_generate_options *options, const explaining *e) {
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        bool drawn_by_beams = strcmp(needs[i].needs, "do_sample") == 0 && e->given->num_beams > 1;
        if (is(e, needs[i].option) && !drawn_by_beams)
            NT_TRY(set(options, e, needs[i].needs, needs[i].value));
    }
    return NT_OK;
}

/* The caller's value, or the option's example. */
static int set_option(nt_generate_options *options, const explaining *e) {
    return set(options, e, e->row->info.name, e->row->info.example);
}

/* ---- On the next token ----------------------------------------------------------------------- */

/* The option, what it needs, and nothing else. */
static int alone(nt_generate_options *options, const explaining *e) {
    const nt_generate_options *defaults = &e->session->model->defaults;
    NT_TRY(set_needs(options, e));
    if (e->row->info.draws) {
        options->do_sample = 1;
        options->top_k = 0;
        options->seed_given = true;
    }
    bool own = e->given->eos_token_id != NULL;
    options->eos_token_id = own ? e->given->eos_token_id : defaults->eos_token_id;
    options->n_eos_token_id = own ? e->given->n_eos_token_id : defaults->n_eos_token_id;
    options->max_new_tokens = (int32_t)e->n_new;
    options->choices = e->given->choices > 0 ? e->given->choices : CANDIDATES;
    if (is(e, "guidance_scale") && e->given->negative_prompt)
        options->negative_prompt = e->given->negative_prompt;
    if (is(e, "guidance_scale") && e->given->negative_prompt_ids) {
        options->negative_prompt_ids = e->given->negative_prompt_ids;
        options->n_negative_prompt_ids = e->given->n_negative_prompt_ids;
    }
    return set_option(options, e);
}

/* What the plan says of the option: that it does not count, and why. */
static void note_why(const explaining *e, const nt_plan *plan) {
    const char *name = e->row->info.name;
    size_t n = strlen(name);
    for (size_t i = 0; i < plan->n_notes; i++)
        if (strncmp(plan->notes[i], name, n) == 0 && plan->notes[i][n] == ' ')
            nt_note(e->given->callbacks, "%s", plan->notes[i]);
}

/* The trace has a step then, if the option changes a logit behind the prompt. */
static int next_token(explaining *e, const nt_generate_options *options) {
    nt_plan plan;
    nt_stepper stepper = nt_session_stepper(e->session);
    nt_plan_for of = {.n_prompt = e->ids.n,
                      .context = stepper.context,
                      .V = stepper.V,
                      .n_negative = e->negative.n};
    NT_TRY(nt_plan_make(&plan, options, &of));
    note_why(e, &plan);
    if (plan.method != NT_METHOD_GREEDY && plan.method != NT_METHOD_SAMPLE) return NT_OK;
    nt_callbacks callbacks = nt_without_progress(e->given->callbacks);
    nt_decoding decoding = {.plan = &plan,
                            .stepper = &stepper,
                            .prompt = e->ids.ids,
                            .negative = e->negative.ids,
                            .n_negative = e->negative.n,
                            .callbacks = &callbacks};
    return nt_decode_effect(e->trace, &decoding, e->row->info.name);
}

static int draw_next(explaining *e) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    int status = alone(&options, e);
    if (status == NT_OK)
        status = nt_negative_ids(&e->negative, e->session->model, e->prompt, &options);
    if (status == NT_OK) status = next_token(e, &options);
    nt_generate_options_clear(&options);
    return status;
}

/* ---- Without and with ------------------------------------------------------------------------ */

/* All that the caller gave but the option, and what that needs. */
static int around(nt_generate_options *options, const explaining *e) {
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (row != e->row) nt_option_copy(options, e->given, row);
    options->assistant = e->given->assistant;
    options->process = e->given->process;
    options->stop = e->given->stop;
    options->payload = e->given->payload;
    NT_TRY(set_needs(options, e));
    if (e->row->info.draws && options->do_sample == 0) options->do_sample = 1;
    if (!options->max_new_tokens && !options->max_length && !options->horizon)
        options->max_new_tokens = (int32_t)e->n_new;
    if (is(e, "max_length") || is(e, "max_new_tokens")) {
        options->max_length = 0;
        options->max_new_tokens = (int32_t)e->n_new;
    }
    if (!options->seed_given && !is(e, "seed")) options->seed_given = true; /* the same draws */
    return NT_OK;
}

static int draw_both(explaining *e) {
    nt_result *trace = e->trace;
    nt_callbacks callbacks = nt_without_progress(e->given->callbacks);
    callbacks.note = NULL;
    callbacks.text = NULL;
    for (int with = 0; with < 2; with++) {
        nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
        int status = around(&options, e);
        if (status == NT_OK && with && is(e, "max_length")) options.max_new_tokens = 0;
        if (status == NT_OK && with) status = set_option(&options, e);
        options.callbacks = &callbacks;
        if (status == NT_OK)
            status = nt_generate(&trace->inner[with], e->session, e->prompt, &options);
        if (status == NT_OK) trace->n_inner++;
        nt_generate_options_clear(&options);
        NT_TRY(status);
    }
    return NT_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Options that change nothing that could be drawn here. */
static const char *not_drawn(const explaining *e) {
    static const char *const drafts[] = {"num_assistant_tokens", "num_assistant_tokens_schedule",
                                         "assistant_confidence_threshold",
                                         "assistant_ensemble_weight"};
    if (is(e, "choices")) return "choices changes what is shown, not what is generated";
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts && !e->given->assistant; i++)
        if (is(e, drafts[i])) return "an assistant is needed to draw this option";
    return NULL;
}

static int draw(explaining *e) {
    const char *why_not = not_drawn(e);
    if (why_not) {
        nt_note(e->given->callbacks, "%s: words alone", why_not);
        return NT_OK;
    }
    int status = draw_next(e);
    if (status == NT_OK && e->trace->n_steps == 0) status = draw_both(e);
    /* the example need not suit every model; a value that the caller gave must */
    bool unsuited = status == NT_E_ARGUMENT || status == NT_E_RANGE || status == NT_E_CONTEXT ||
                    status == NT_E_TEXT || status == NT_E_UNSUPPORTED;
    if (!e->from_example || !unsuited) return status;
    nt_note(e->given->callbacks, "the example %s cannot be drawn here: %s", e->value,
            nt_error_message());
    return NT_OK;
}

static int take_value(explaining *e) {
    nt_buffer text = {0};
    e->from_example = !nt_option_given(e->given, e->row);
    if (e->from_example) {
        nt_buffer_puts(&text, e->row->info.example);
    } else {
        nt_option_show(&text, e->given, e->row);
    }
    int status = text.status;
    if (status == NT_OK) status = nt_trace_string(&e->value, e->trace, text.n ? text.data : "");
    nt_buffer_free(&text);
    e->trace->option = &e->row->info;
    e->trace->option_value = e->value;
    return status;
}

static int in_words(explaining *e) {
    NT_TRY(nt_trace_new(&e->trace, NT_RESULT_EXPLAIN, NULL));
    return take_value(e);
}

enum { NEW_TOKENS = 20, NEW_OF_EXACT = 5 };

static int on_prompt(explaining *e) {
    const nt_model *model = e->session->model;
    NT_TRY(nt_need_network(model));
    NT_TRY(nt_prompt_ids(&e->ids, model, e->prompt, e->given->callbacks));
    NT_TRY(nt_job_begin(&e->trace, model, NT_RESULT_EXPLAIN, &e->ids));
    NT_TRY(take_value(e));
    size_t context = (size_t)model->network->config.T;
    bool exact = e->given->search == NT_SEARCH_EXACT || is(e, "search") || is(e, "horizon") ||
                 is(e, "max_nodes") || is(e, "min_probability");
    e->n_new = exact ? NEW_OF_EXACT : NEW_TOKENS;
    if (e->ids.n + e->n_new > context) e->n_new = context > e->ids.n ? context - e->ids.n : 1;
    return draw(e);
}

int nt_explain(nt_result **out, const char *option, nt_session *session, const nt_prompt *prompt,
               const nt_generate_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    const nt_option_info *info;
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_generate_options"));
    NT_TRY(nt_option_named(&info, option));
    if (!session != !prompt)
        return nt_fail(NT_E_ARGUMENT, "nt_explain: session or prompt is NULL, and not both");
    explaining e = {
        .session = session, .prompt = prompt, .row = nt_option_find(info->name), .given = &options};
    int status = session ? on_prompt(&e) : in_words(&e);
    nt_ids_free(&e.ids);
    nt_ids_free(&e.negative);
    *out = e.trace;
    status = nt_job_finish(out, status, started);
    if (status == NT_OK && !session) (*out)->milliseconds = 0; /* nothing ran */
    return status;
}
