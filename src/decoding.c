/* What comes next, and generation: a prompt and options through decode. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "decode/generate.h"
#include "decode/options/options.h"
#include "wiring.h"

/* ---- What decoding works with ---- */

static int stream_open(const void *tokenizer, void **stream) {
    nt_stream *opened;
    int status = nt_stream_new(&opened, tokenizer, true);
    *stream = opened;
    return status;
}

static int stream_put(void *stream, const char **utf8, size_t *n, int32_t id) {
    return nt_stream_put(utf8, n, stream, id);
}

static int stream_end(void *stream, const char **utf8, size_t *n) {
    return nt_stream_end(utf8, n, stream);
}

static void stream_close(void *stream) {
    nt_stream_free(stream);
}

size_t nt_first_difference(const nt_tokenizer *a, const nt_tokenizer *b, size_t V) {
    for (size_t id = 0; id < V; id++) {
        size_t n = 0, m = 0;
        const char *x = nt_tokenizer_bytes(a, (int32_t)id, &n);
        const char *y = nt_tokenizer_bytes(b, (int32_t)id, &m);
        if (n != m || (n > 0 && memcmp(x, y, n) != 0)) return id;
    }
    return V;
}

/* A draft is of use only where its ids mean what the model's mean. */
static int check_assistant(const nt_session *session, const nt_session *assistant) {
    if (session == assistant) {
        return nt_fail(NT_E_ARGUMENT,
                       "the assistant is the session that runs: give it one of its own");
    }
    const nt_model *model = session->model, *draft = assistant->model;
    if (draft->n_vocab != model->n_vocab) {
        return nt_fail(NT_E_ARGUMENT,
                       "the assistant %s has a vocabulary of %d ids and %s one of %d: they must be "
                       "the same",
                       draft->path, (int)draft->n_vocab, model->path, (int)model->n_vocab);
    }
    if (!model->tokenizer || !draft->tokenizer || model == draft) return NT_OK;
    size_t V = (size_t)model->n_vocab;
    size_t id = nt_first_difference(model->tokenizer, draft->tokenizer, V);
    if (id == V) return NT_OK;
    return nt_fail(NT_E_ARGUMENT,
                   "the assistant %s and %s have different vocabularies: token %zu is not the same",
                   draft->path, model->path, id);
}

/* A job's steppers and ids; jobs hold it until their decoding has run. */
typedef struct nt_setting {
    nt_plan plan;
    nt_stepper stepper, assistant;
    nt_detokenizer detokenizer;
    nt_ids_of negative;
    nt_decoding decoding;
} nt_setting;

int nt_negative_ids(nt_ids_of *out, const nt_model *model, const nt_prompt *prompt,
                    const nt_generate_options *options) {
    nt_prompt negative = {.size = sizeof negative,
                          .text = options->negative_prompt,
                          .n_text = NT_ZERO_ENDED,
                          .ids = options->negative_prompt_ids,
                          .n_ids = options->n_negative_prompt_ids,
                          .add_bos = prompt->add_bos,
                          .add_prefix_space = prompt->add_prefix_space};
    if (!negative.text && negative.n_ids == 0) return NT_OK; /* the plan refuses an empty list */
    return nt_prompt_ids(out, model, &negative, options->callbacks);
}

/* Options with the checkpoint's defaults among them, and what the caller gave of them. */
typedef struct nt_asked {
    const nt_generate_options *options, *given;
} nt_asked;

static bool is_checkpoints(const nt_asked *asked, const nt_option_row *row) {
    return nt_option_given(asked->options, row) && !nt_option_given(asked->given, row);
}

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* The place of a name among the words of a text, or NULL. */
static const char *find_name(const char *text, const char *name) {
    size_t n = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
        if ((at == text || !in_name(at[-1])) && !in_name(at[n])) return at;
    return NULL;
}

/* What does not count is told to who gave it: a checkpoint's own need not suit every search. */
static void tell_notes(const nt_plan *plan, const nt_asked *asked) {
    for (size_t i = 0; i < plan->n_notes; i++) {
        const nt_option_row *row;
        bool idle = false;
        for (size_t r = 0; !idle && (row = nt_option_row_at(r)); r++)
            idle = is_checkpoints(asked, row) && strstr(plan->notes[i], " does not count") &&
                   find_name(plan->notes[i], row->info.name) == plan->notes[i];
        if (!idle) nt_note(asked->options->callbacks, "%s", plan->notes[i]);
    }
}

/* A refusal that names what the caller did not give says where that is from. */
static int refuse(int status, const nt_asked *asked) {
    char message[512], names[256] = "";
    const nt_option_row *row;
    strncat(strcpy(message, ""), nt_error_message(), sizeof message - 1);
    for (size_t i = 0; (row = nt_option_row_at(i)); i++) {
        const char *name = row->info.name;
        if (!is_checkpoints(asked, row) || !find_name(message, name)) continue;
        if (strlen(names) + strlen(name) + 3 > sizeof names) break;
        if (*names) strcat(names, ", ");
        strcat(names, name);
    }
    if (!*names) return status;
    return nt_fail(status, "%s (%s: from the checkpoint)", message, names);
}

/* Free the setting's ids also when this failed. */
static int make_setting(nt_setting *setting, nt_session *session, const nt_prompt *prompt,
                        const nt_ids_of *e, const nt_asked *asked, size_t context) {
    const nt_generate_options *options = asked->options;
    const nt_model *model = session->model;
    *setting = (nt_setting){.stepper = nt_session_stepper(session)};
    nt_plan_for of = {.n_prompt = e->n, .context = context, .V = setting->stepper.V};
    NT_TRY(nt_negative_ids(&setting->negative, model, prompt, options));
    of.n_negative = setting->negative.n;
    if (options->assistant) {
        NT_TRY(check_assistant(session, options->assistant));
        setting->assistant = nt_session_stepper(options->assistant);
        of.assisted = true;
        of.draft_context = setting->assistant.context;
    }
    int status = nt_plan_make(&setting->plan, options, &of);
    if (status != NT_OK) return refuse(status, asked);
    if (setting->plan.n_stop_strings) NT_TRY(nt_need_tokenizer(model));
    tell_notes(&setting->plan, asked);
    setting->detokenizer =
        (nt_detokenizer){model->tokenizer, stream_open, stream_put, stream_end, stream_close};
    setting->decoding = (nt_decoding){
        .plan = &setting->plan,
        .stepper = &setting->stepper,
        .assistant = options->assistant ? &setting->assistant : NULL,
        .detokenizer = model->tokenizer ? &setting->detokenizer : NULL,
        .prompt = e->ids,
        .negative = setting->negative.ids,
        .n_negative = setting->negative.n,
        .callbacks = options->callbacks,
    };
    return NT_OK;
}

/* ---- Next ---- */

typedef struct next_job {
    nt_result *trace;
    size_t V, k;
    bool logits;
} next_job;

static int keep_candidates(void *payload, const nt_logits_row *rows, size_t n) {
    next_job *job = payload;
    (void)n; /* the last row alone */
    nt_stage raw = {.logits = rows->logits};
    nt_sight sight = {.stages = &raw, .n_stages = 1, .V = job->V, .k = job->k};
    NT_TRY(nt_trace_add_step(job->trace, &sight, -1));
    float *kept;
    if (!job->logits) return NT_OK;
    NT_TRY(nt_trace_add_tensor(&kept, job->trace, "logits", 1, &job->V));
    memcpy(kept, rows->logits, job->V * sizeof *kept);
    return NT_OK;
}

/* The options that shape one row of logits, and no others. The length is the longest there is: this
 * need not be the last token. */
static nt_generate_options for_one_step(const nt_next_options *next,
                                        const nt_generate_options *defaults, size_t context) {
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    const nt_option_row *row;
    for (size_t i = 0; (row = nt_option_row_at(i)); i++)
        if (row->info.one_step) nt_option_copy(&options, next->generate, row);
    if (!options.eos_token_id) {
        options.eos_token_id = defaults->eos_token_id;
        options.n_eos_token_id = defaults->n_eos_token_id;
    }
    options.process = next->generate->process;
    options.payload = next->generate->payload;
    options.callbacks = next->callbacks;
    options.choices = next->k;
    options.max_length = context < INT32_MAX ? (int32_t)context : INT32_MAX;
    options.torch_rng = next->generate->torch_rng;
    options.batch_size = next->generate->batch_size;
    options.batch_index = next->generate->batch_index;
    options.seed_given = options.do_sample == 1; /* none from the system */
    if (options.torch_rng) options.seed_given = next->generate->seed_given;
    return options;
}

int nt_one_step_plan(nt_plan *plan, nt_generate_options *room, nt_session *session,
                     const nt_generate_options *given, size_t n_prompt,
                     const nt_callbacks *callbacks) {
    nt_generate_options whole = NT_GENERATE_OPTIONS_INIT;
    NT_TRY(nt_take_options(&whole, sizeof whole, given, "nt_generate_options"));
    nt_next_options next = {.k = 1, .callbacks = callbacks, .generate = &whole};
    size_t context = (size_t)session->model->network->config.T;
    *room = for_one_step(&next, &session->model->defaults, context);
    nt_plan_for of = {.n_prompt = n_prompt,
                      .context = context > n_prompt ? context : n_prompt + 1,
                      .V = (size_t)session->model->network->config.V};
    nt_asked asked = {room, &whole};
    int status = nt_plan_make(plan, room, &of);
    if (status != NT_OK) return refuse(status, &asked);
    tell_notes(plan, &asked);
    return NT_OK;
}

static int next_with(nt_result *trace, nt_session *session, const nt_prompt *prompt,
                     const nt_ids_of *e, const nt_next_options *next) {
    nt_generate_options given = NT_GENERATE_OPTIONS_INIT;
    NT_TRY(nt_take_options(&given, sizeof given, next->generate, "nt_generate_options"));
    nt_ids_of old = *e; /* of the ids, those that count as the prompt */
    if (next->row) old.n -= next->n_new;
    nt_next_options whole = *next;
    whole.generate = &given;
    nt_setting setting;
    size_t context = (size_t)session->model->network->config.T;
    if (context <= e->n) context = e->n + 1; /* nothing is appended */
    nt_generate_options options = for_one_step(&whole, &session->model->defaults, context);
    nt_asked asked = {&options, &given};
    int status = make_setting(&setting, session, prompt, &old, &asked, context);
    setting.plan.seed = given.seed; /* also where the plan itself draws nothing */
    if (given.rng) setting.plan.rng = (nt_rng_kind)given.rng;
    if (given.torch_rng) setting.plan.rng = NT_RNG_TORCH;
    setting.plan.torch_rng = given.torch_rng;
    setting.plan.batch_size = given.batch_size ? (size_t)given.batch_size : 1;
    setting.plan.batch_index = (size_t)given.batch_index;
    setting.decoding.keep_rows = next->logits;
    setting.decoding.row = next->row;
    setting.decoding.n_new = next->row ? next->n_new : 0;
    setting.decoding.drawn = next->row && next->drawn;
    if (status == NT_OK) status = nt_decode_peek(trace, &setting.decoding);
    nt_ids_free(&setting.negative);
    return status;
}

int nt_next(nt_result **out, nt_session *session, const nt_prompt *prompt,
            const nt_next_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_next_options options = NT_NEXT_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_next_options"));
    if (options.k == 0) options.k = 10;
    if (options.k < 1)
        return nt_fail(NT_E_ARGUMENT, "k is %d; it must be at least 1", (int)options.k);
    const nt_generate_options none = NT_GENERATE_OPTIONS_INIT;
    if (options.row && options.drawn && !options.generate) options.generate = &none;
    nt_ids_of e;
    int status = nt_prompt_ids(&e, session->model, prompt, options.callbacks);
    if (status == NT_OK && options.row && options.n_new >= e.n) {
        status = nt_fail(NT_E_ARGUMENT, "n_new is %zu of %zu ids: one at least is the prompt's",
                         options.n_new, e.n);
    }
    if (status == NT_OK) status = nt_job_begin(out, session->model, NT_RESULT_NEXT, &e);
    if (status == NT_OK && options.generate) {
        status = next_with(*out, session, prompt, &e, &options);
    } else if (status == NT_OK) {
        next_job job = {*out, (size_t)session->model->network->config.V, (size_t)options.k,
                        options.logits};
        const nt_logits_row row = {.logits = options.row};
        status = options.row ? keep_candidates(&job, &row, 1)
                             : nt_session_each_row(session, e.ids, e.n, e.n - 1, keep_candidates,
                                                   &job, options.callbacks);
    }
    nt_ids_free(&e);
    return nt_job_finish(out, status, started);
}

/* ---- Generate and steps ---- */

static int run_decoding(nt_result *trace, nt_session *session, const nt_prompt *prompt,
                        const nt_ids_of *e, const nt_asked *asked) {
    const nt_model *model = session->model;
    nt_setting setting;
    int status =
        make_setting(&setting, session, prompt, e, asked, (size_t)model->network->config.T);
    if (status == NT_OK && model->defaults_note.n)
        nt_note(asked->options->callbacks, "%s", model->defaults_note.data);
    if (status == NT_OK) status = nt_decode_run(trace, &setting.decoding);
    nt_ids_free(&setting.negative);
    return status;
}

static int generate(nt_result **out, nt_result_kind kind, nt_session *session,
                    const nt_prompt *prompt, const nt_generate_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_generate_options"));
    nt_generate_options callers = options;
    nt_asked asked = {&options, &callers};
    nt_ids_of e;
    int status = nt_prompt_ids(&e, session->model, prompt, options.callbacks);
    if (status == NT_OK) status = nt_job_begin(out, session->model, kind, &e);
    if (status == NT_OK) {
        nt_options_add_defaults(&options, &session->model->defaults, e.n,
                                (size_t)session->model->network->config.T);
        status = run_decoding(*out, session, prompt, &e, &asked);
    }
    nt_ids_free(&e);
    return nt_job_finish(out, status, started);
}

int nt_generate(nt_result **out, nt_session *session, const nt_prompt *prompt,
                const nt_generate_options *options) {
    return generate(out, NT_RESULT_GENERATE, session, prompt, options);
}

int nt_steps(nt_result **out, nt_session *session, const nt_prompt *prompt,
             const nt_generate_options *options) {
    return generate(out, NT_RESULT_STEPS, session, prompt, options);
}
