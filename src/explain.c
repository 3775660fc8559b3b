/* nt_explain: one option in words, and drawn on a prompt. An option that changes the next token's
 * logits is drawn there, alone but for what it needs to act at all; any other one, or one that
 * changes nothing there, by generating without and with it, beside all that the caller gave. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "decode/options/options.h"
#include "decode/options/shown.h"
#include "decode/process/processor.h"
#include "trace/candidates.h"
#include "wiring.h"

enum { CANDIDATES = 10, FURTHER = 4 };

typedef struct explaining {
    nt_result *trace;
    nt_session *session;
    const nt_prompt *prompt;
    nt_ids_of ids, negative;
    const nt_option_row *row;
    const nt_generate_options *given; /* by the caller */
    const char *value;                /* of the option, as text */
    bool from_example;
    float *rows;  /* [2, V] logits of the prompt, and of the negative prompt */
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
    if (is(e, "guidance_scale") && e->given->negative_prompt)
        options->negative_prompt = e->given->negative_prompt;
    if (is(e, "guidance_scale") && e->given->negative_prompt_ids) {
        options->negative_prompt_ids = e->given->negative_prompt_ids;
        options->n_negative_prompt_ids = e->given->n_negative_prompt_ids;
    }
    return set_option(options, e);
}

static int take_negative(explaining *e, const nt_generate_options *options) {
    nt_prompt prompt = *e->prompt;
    prompt.text = options->negative_prompt;
    prompt.n_text = NT_ZERO_ENDED;
    prompt.ids = options->negative_prompt_ids;
    prompt.n_ids = options->n_negative_prompt_ids;
    if (!prompt.text && !prompt.ids) return NT_OK;
    return nt_prompt_ids(&e->negative, e->session->model, &prompt, NULL);
}

typedef struct kept_row {
    float *row; /* [V] */
    size_t V;
} kept_row;

static int keep_row(void *payload, const nt_logits_row *rows, size_t n) {
    const kept_row *kept = payload;
    (void)n; /* the last row alone */
    memcpy(kept->row, rows->logits, kept->V * sizeof *kept->row);
    return NT_OK;
}

static int last_row(const explaining *e, const int32_t *ids, size_t n, size_t which, size_t V) {
    kept_row kept = {e->rows + which * V, V};
    return nt_session_each_row(e->session, ids, n, n - 1, keep_row, &kept, e->given->callbacks);
}

/* The prompt's row of logits, and with guidance that of the negative prompt. */
static int run_rows(explaining *e, const nt_plan *plan, size_t V) {
    if (!e->rows) e->rows = nt_alloc(2 * V, sizeof *e->rows);
    if (!e->rows) return NT_E_MEMORY;
    NT_TRY(last_row(e, e->ids.ids, e->ids.n, 0, V));
    if (plan->guidance_scale == 1) return NT_OK;
    if (e->negative.n) return last_row(e, e->negative.ids, e->negative.n, 1, V);
    return last_row(e, e->ids.ids + e->ids.n - 1, 1, 1, V);
}

/* Whether the last stage holds what the first one held. */
static bool same_rows(const nt_processors *processors, size_t V) {
    const float *first = processors->stages[0].logits, *last = nt_processed(processors);
    for (size_t i = 0; i < V; i++)
        if (first[i] != last[i]) return false;
    return true;
}

static bool is_shown(const nt_trace_step *step, int32_t id) {
    for (size_t i = 0; i < step->n_candidates; i++)
        if (step->candidates[i].token.id == id) return true;
    for (size_t i = 0; i < step->n_demoted; i++)
        if (step->demoted[i].token.id == id) return true;
    return false;
}

/* Of the ids that the step does not show: the likeliest that were changed, where not all were, and
 * before them the last that stays, where all behind it are gone. watch [FURTHER + 1]; some [V]
 * is for use within. */
static size_t find_further(int32_t *watch, const nt_processors *processors,
                           const nt_trace_step *step, size_t V, float *some) {
    const float *first = processors->stages[0].logits, *last = nt_processed(processors);
    size_t n = 0, n_changed = 0, n_gone = 0;
    int32_t least = -1; /* of those that stay */
    float most_gone = -INFINITY;
    for (size_t i = 0; i < V; i++) {
        bool changed = first[i] != last[i], stays = last[i] > -INFINITY;
        n_changed += changed;
        n_gone += changed && !stays;
        if (changed && !stays && first[i] > most_gone) most_gone = first[i];
        some[i] = changed && !is_shown(step, (int32_t)i) ? first[i] : -INFINITY;
        if (stays && (least < 0 || last[i] < last[least])) least = (int32_t)i;
    }
    if (n_changed == V) return 0;
    bool cut = n_gone == n_changed && first[least] > most_gone;
    if (cut && !is_shown(step, least)) watch[n++] = least;
    for (size_t i = 0; i < FURTHER; i++) {
        int32_t id = nt_argmax(some, V);
        if (some[id] == -INFINITY) break;
        some[id] = -INFINITY;
        watch[n++] = id;
    }
    return n;
}

/* They stand as the candidates of a row. */
static int add_further(explaining *e, const nt_processors *processors, nt_sight sight) {
    nt_result *trace = e->trace;
    int32_t watch[FURTHER + 1];
    float *some = nt_alloc(sight.V, sizeof *some);
    if (!some) return NT_E_MEMORY;
    sight.k = 0;
    sight.watch = watch;
    sight.n_watch = find_further(watch, processors, &trace->steps[0], sight.V, some);
    nt_free(some);
    if (sight.n_watch == 0) return NT_OK;
    sight.watched = nt_arena_alloc(&trace->arena, sight.n_watch, sizeof *sight.watched);
    if (!sight.watched) return NT_E_MEMORY;
    NT_TRY(nt_trace_add_row(trace, &sight));
    trace->rows[0].candidates = sight.watched;
    trace->rows[0].n_candidates = sight.n_watch;
    return NT_OK;
}

static int add_step(explaining *e, const nt_plan *plan, nt_processors *processors, size_t V,
                    bool *drawn) {
    const float *unguided = plan->guidance_scale == 1 ? NULL : e->rows + V;
    NT_TRY(nt_processors_run(processors, e->rows, unguided, e->ids.ids, e->ids.n));
    if (same_rows(processors, V)) return NT_OK;
    int32_t k = e->given->choices;
    nt_sight sight = {.stages = processors->stages,
                      .n_stages = processors->n_stages,
                      .V = V,
                      .k = k > 0 ? (size_t)k : CANDIDATES};
    *drawn = true;
    NT_TRY(nt_trace_add_step(e->trace, &sight, -1));
    return add_further(e, processors, sight);
}

/* What the plan says of the option: that it does not count, and why. */
static void note_why(const explaining *e, const nt_plan *plan) {
    const char *name = e->row->info.name;
    size_t n = strlen(name);
    for (size_t i = 0; i < plan->n_notes; i++)
        if (strncmp(plan->notes[i], name, n) == 0 && plan->notes[i][n] == ' ')
            nt_note(e->given->callbacks, "%s", plan->notes[i]);
}

/* Whether the option itself is among the processors; a negative prompt acts through guidance. */
static bool acts(const explaining *e, const nt_processors *processors) {
    const char *name = e->row->info.name;
    if (strncmp(name, "negative_prompt", strlen("negative_prompt")) == 0) name = "guidance_scale";
    for (size_t i = 0; i < processors->n; i++)
        if (strcmp(processors->wanted[i]->name, name) == 0) return true;
    return false;
}

/* drawn: whether the option changes a logit behind the prompt. */
static int next_token(explaining *e, const nt_generate_options *options, bool *drawn) {
    nt_plan plan;
    nt_processors processors = {0};
    nt_stepper stepper = nt_session_stepper(e->session);
    nt_plan_for of = {.n_prompt = e->ids.n,
                      .context = stepper.context,
                      .V = stepper.V,
                      .n_negative = e->negative.n};
    NT_TRY(nt_plan_make(&plan, options, &of));
    note_why(e, &plan);
    if (plan.method != NT_METHOD_GREEDY && plan.method != NT_METHOD_SAMPLE) return NT_OK;
    int status = nt_processors_begin(&processors, &plan, stepper.V);
    if (status == NT_OK && acts(e, &processors)) {
        status = run_rows(e, &plan, stepper.V);
        if (status == NT_OK) status = add_step(e, &plan, &processors, stepper.V, drawn);
    }
    nt_processors_free(&processors);
    return status;
}

static int draw_next(explaining *e, bool *drawn) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    int status = alone(&options, e);
    if (status == NT_OK) status = take_negative(e, &options);
    if (status == NT_OK) status = next_token(e, &options, drawn);
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
    bool drawn = false;
    const char *why_not = not_drawn(e);
    if (why_not) {
        nt_note(e->given->callbacks, "%s: words alone", why_not);
        return NT_OK;
    }
    int status = draw_next(e, &drawn);
    if (status == NT_OK && !drawn) status = draw_both(e);
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
    nt_free(e.rows);
    *out = e.trace;
    status = nt_job_finish(out, status, started);
    if (status == NT_OK && !session) (*out)->milliseconds = 0; /* nothing ran */
    return status;
}
