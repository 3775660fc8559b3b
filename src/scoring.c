/* Scoring jobs: texts, or a text's continuations, in; traces out. Every row of logits comes through
 * nt_batch_run, whether there is one text or a thousand. */
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "batch.h"
#include "score/score.h"
#include "score/windows.h"

/* One token sequence with its trace. */
typedef struct part {
    nt_ids_of ids;
    nt_result *trace; /* kind SCORE */
    nt_scoring scoring;
    size_t prompt_len;
} part;

/* One nt_score_item: a text, or one part a continuation. */
typedef struct job {
    nt_score_options options;
    part *parts; /* [n_parts] */
    size_t n_parts;
    size_t window;
    size_t first, n_texts; /* of the batch's texts */
    double started;
} job;

/* What the batch runs, and whose rows they are. */
typedef struct run_list {
    nt_batch_text *texts; /* [n] */
    struct owner {
        nt_scoring *scoring;
        size_t offset; /* of the text's first row among the scoring's */
    } * owners;        /* [n] */
    size_t n, capacity_texts, capacity_owners;
} run_list;

static void run_list_free(run_list *list) {
    nt_free(list->texts);
    nt_free(list->owners);
}

/* ---- From a prompt to ids -------------------------------------------------------------------- */

/* The first token that holds a byte behind the first n_before bytes of the text. */
static size_t first_behind(const nt_ids_of *ids, size_t n_before) {
    size_t i = 0;
    while (i < ids->n && ids->ends[i] <= n_before)
        i++;
    return i;
}

static int append_ids(nt_ids_of *to, const int32_t *ids, size_t n) {
    int32_t *bigger = nt_resize(to->ids, to->n + n, sizeof *bigger);
    if (!bigger) return NT_E_MEMORY;
    if (n) memcpy(bigger + to->n, ids, n * sizeof *ids);
    to->ids = bigger;
    for (int i = 0; i < 2; i++) {
        size_t **offsets = i ? &to->ends : &to->starts;
        if (!*offsets) continue;
        size_t last = to->n ? to->ends[to->n - 1] : 0;
        size_t *more = nt_resize(*offsets, to->n + n, sizeof *more);
        if (!more) return NT_E_MEMORY;
        for (size_t k = 0; k < n; k++)
            more[to->n + k] = last;
        *offsets = more;
    }
    to->n += n;
    return NT_OK;
}

/* before + after as one text; *n_before counts the tokens in front of the first that holds a byte
 * of `after`. flags: BOS and prefix space. */
static int joined_ids(nt_ids_of *out, size_t *n_before, const nt_model *model, const char *before,
                      size_t n, const char *after, size_t n_after, const nt_prompt *flags,
                      const nt_callbacks *callbacks) {
    char *text = nt_alloc(n + n_after + 1, 1);
    if (!text) return NT_E_MEMORY;
    if (n) memcpy(text, before, n);
    if (n_after) memcpy(text + n, after, n_after);
    nt_prompt joined = *flags;
    joined.ids = NULL;
    joined.text = text;
    joined.n_text = n + n_after;
    int status = nt_prompt_ids(out, model, &joined, callbacks);
    nt_free(text);
    NT_TRY(status);
    *n_before = first_behind(out, n);
    if (n && n_after && *n_before < out->n && out->starts[*n_before] < n) {
        nt_note(callbacks,
                "token %zu joins the end of one text and the beginning of the next: it "
                "counts to the second",
                *n_before);
    }
    return NT_OK;
}

/* ids behind ids: of a text, or given as such. */
static int chained_ids(nt_ids_of *out, size_t *n_before, const nt_model *model,
                       const nt_prompt *before, const nt_prompt *after,
                       const nt_callbacks *callbacks) {
    nt_ids_of tail;
    NT_TRY(nt_prompt_ids(out, model, before, callbacks));
    *n_before = out->n;
    nt_free(out->starts); /* two texts have no offsets in common */
    nt_free(out->ends);
    out->starts = out->ends = NULL;
    nt_prompt plain = *after; /* a BOS stands in front of all, or nowhere: the tokenizer's too */
    plain.add_bos = false;
    if (after->ids) return append_ids(out, after->ids, after->n_ids);
    int status = nt_prompt_ids(&tail, model, &plain, callbacks);
    if (status == NT_OK) status = append_ids(out, tail.ids + tail.bos, tail.n - tail.bos);
    nt_ids_free(&tail);
    return status;
}

static int add_eos(nt_ids_of *ids, const nt_model *model) {
    int32_t eos = nt_tokenizer_eos(model->tokenizer);
    if (eos < 0 && model->defaults.n_eos_token_id > 0) eos = model->defaults.eos_token_id[0];
    if (eos < 0 || eos >= model->network->config.V) {
        return nt_fail(NT_E_ARGUMENT, "%s: the model has no EOS token to put behind the text",
                       model->path);
    }
    return append_ids(ids, &eos, 1);
}

/* What is scored when there are no continuations: the prompt's text behind options.prompt. */
static int text_ids(part *p, const nt_model *model, const nt_prompt *prompt,
                    const nt_score_options *options, const nt_callbacks *callbacks) {
    p->prompt_len = options->prompt_len;
    if (!options->n_prompt || !prompt || (!prompt->ids && !prompt->text))
        return nt_prompt_ids(&p->ids, model, prompt, callbacks);
    if (options->prompt_len)
        return nt_fail(NT_E_ARGUMENT, "prompt and prompt_len exclude each other");
    if (!prompt->ids) {
        return joined_ids(&p->ids, &p->prompt_len, model, options->prompt, options->n_prompt,
                          prompt->text, nt_prompt_length(prompt), prompt, callbacks);
    }
    nt_prompt before = *prompt;
    before.ids = NULL;
    before.text = options->prompt;
    before.n_text = options->n_prompt;
    return chained_ids(&p->ids, &p->prompt_len, model, &before, prompt, callbacks);
}

static int continuation_ids(part *p, const nt_model *model, const nt_prompt *context,
                            const char *continuation, const nt_callbacks *callbacks) {
    nt_prompt flags = *context;
    size_t n = context->ids ? context->n_ids : nt_prompt_length(context);
    if (n == 0) flags.add_bos = true; /* the first token needs something before it */
    if (!context->ids) {
        return joined_ids(&p->ids, &p->prompt_len, model, context->text, n, continuation,
                          strlen(continuation), &flags, callbacks);
    }
    nt_prompt after = {.size = sizeof after, .text = continuation, .n_text = NT_ZERO_ENDED};
    return chained_ids(&p->ids, &p->prompt_len, model, &flags, &after, callbacks);
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static void job_free(job *j) {
    for (size_t i = 0; i < j->n_parts; i++) {
        nt_ids_free(&j->parts[i].ids);
        nt_result_free(j->parts[i].trace);
    }
    nt_free(j->parts);
    *j = (job){0};
}

static int check_length(const job *j, size_t n) {
    if (n <= j->window || j->options.stride) return NT_OK;
    const char *limit = j->options.window ? "the window" : "the model's context";
    if (j->options.n_continuations) {
        return nt_fail(NT_E_CONTEXT,
                       "the text with its continuation has %zu tokens and %s is %zu: shorten it", n,
                       limit, j->window);
    }
    return nt_fail(NT_E_CONTEXT,
                   "the text has %zu tokens and %s is %zu: give a stride (such as %zu) to score it "
                   "in windows",
                   n, limit, j->window, j->window / 2);
}

int nt_take_window(size_t *out, const nt_model *model, size_t window, size_t stride) {
    size_t context = (size_t)model->network->config.T;
    *out = window ? window : context;
    if (*out > context || *out < 2) {
        return nt_fail(NT_E_ARGUMENT, "window is %zu; it must lie in 2 .. %zu, the model's context",
                       *out, context);
    }
    if (stride > *out) {
        return nt_fail(NT_E_ARGUMENT,
                       "stride is %zu and the window %zu: tokens between two windows would be lost",
                       stride, *out);
    }
    return NT_OK;
}

static int prepare_part(job *j, part *p, nt_session *session) {
    const nt_lexis *lexis = NULL; /* costs 20 ms: only words and characters need it */
    if (j->options.by & (NT_BY_WORD | NT_BY_CHAR)) NT_TRY(nt_session_lexis(&lexis, session));
    if (j->options.add_eos) NT_TRY(add_eos(&p->ids, session->model));
    NT_TRY(check_length(j, p->ids.n));
    NT_TRY(nt_job_begin(&p->trace, session->model, NT_RESULT_SCORE, &p->ids));
    NT_TRY(nt_scoring_begin(&p->scoring, p->trace, lexis, (size_t)session->model->network->config.V,
                            j->options.by, j->options.correction, p->prompt_len));
    return nt_scoring_keep(&p->scoring, (size_t)j->options.k);
}

static int prepare_continuations(job *j, nt_session *session, const nt_prompt *context,
                                 const nt_callbacks *callbacks) {
    const nt_score_options *o = &j->options;
    if (o->n_prompt || o->prompt_len || o->stride) {
        return nt_fail(NT_E_ARGUMENT,
                       "continuations exclude prompt, prompt_len and stride: the text "
                       "itself is what they continue");
    }
    if (o->k) return nt_fail(NT_E_ARGUMENT, "continuations exclude k: they are the alternatives");
    if (!context || (!context->ids && !context->text))
        return nt_fail(NT_E_ARGUMENT, "the prompt has neither a text nor ids");
    for (size_t i = 0; i < o->n_continuations; i++) {
        part *p = &j->parts[i];
        if (!o->continuations || !o->continuations[i] || !o->continuations[i][0])
            return nt_fail(NT_E_ARGUMENT, "continuation %zu is empty", i + 1);
        NT_TRY(continuation_ids(p, session->model, context, o->continuations[i], callbacks));
        NT_TRY(prepare_part(j, p, session));
    }
    return NT_OK;
}

/* Holds nothing to free yet. */
static int begin(job *j, const nt_score_options *given) {
    *j = (job){.options = NT_SCORE_OPTIONS_INIT, .started = nt_now_ms()};
    return nt_take_options(&j->options, sizeof j->options, given, "nt_score_options");
}

static int prepare(job *j, nt_session *session, const nt_prompt *prompt,
                   const nt_callbacks *callbacks) {
    if (!j->options.prompt) j->options.n_prompt = 0;
    if (j->options.n_prompt == NT_ZERO_ENDED) j->options.n_prompt = strlen(j->options.prompt);
    NT_TRY(nt_take_window(&j->window, session->model, j->options.window, j->options.stride));
    if (j->options.k < 0)
        return nt_fail(NT_E_ARGUMENT, "k is %d; it must be 0 or more", (int)j->options.k);
    size_t n = j->options.n_continuations;
    j->parts = nt_alloc(n ? n : 1, sizeof *j->parts);
    if (!j->parts) return NT_E_MEMORY;
    j->n_parts = n ? n : 1;
    if (n) return prepare_continuations(j, session, prompt, callbacks);
    NT_TRY(text_ids(j->parts, session->model, prompt, &j->options, callbacks));
    return prepare_part(j, j->parts, session);
}

/* ---- Running --------------------------------------------------------------------------------- */

static int add_text(run_list *list, nt_batch_text text, nt_scoring *scoring, size_t offset) {
    size_t need = list->n + 1;
    if (text.wanted >= text.n_ids) return NT_OK;
    NT_TRY(nt_grow((void **)&list->texts, &list->capacity_texts, need, sizeof *list->texts));
    NT_TRY(nt_grow((void **)&list->owners, &list->capacity_owners, need, sizeof *list->owners));
    list->texts[list->n] = text;
    list->owners[list->n++] = (struct owner){scoring, offset};
    return NT_OK;
}

/* The rows of one part: those of each window that its targets need, and the last one where it is
 * asked for. Of a continuation, only those of its own tokens. */
static int add_part(run_list *list, const job *j, part *p) {
    size_t n = p->ids.n, n_rows = nt_scoring_n_rows(&p->scoring);
    size_t stride = j->options.stride ? j->options.stride : j->window;
    size_t from = j->options.n_continuations && p->prompt_len > 0 ? p->prompt_len - 1 : 0;
    for (nt_window w = {0}; nt_window_next(&w, n, j->window, stride);) {
        size_t end = w.end == n ? n_rows : w.end - 1;
        size_t wanted = w.first - 1 > from ? w.first - 1 : from;
        nt_batch_text text = {p->ids.ids + w.begin, end - w.begin, wanted - w.begin};
        NT_TRY(add_text(list, text, &p->scoring, w.begin));
        if (n <= j->window) continue;
        p->trace->window = j->window;
        p->trace->stride = stride;
        p->trace->n_windows++;
    }
    return NT_OK;
}

static void score_row(void *payload, size_t text, size_t t, const float *logits) {
    const run_list *list = payload;
    const struct owner *owner = &list->owners[text];
    nt_scoring_row(owner->scoring, owner->offset + t, logits);
}

static int run_texts(run_list *list, size_t first, size_t n, nt_session *session,
                     const nt_callbacks *callbacks) {
    run_list some = {.texts = list->texts + first, .owners = list->owners + first, .n = n};
    return n ? nt_batch_run(session, some.texts, n, score_row, &some, callbacks) : NT_OK;
}

static int add_job(run_list *list, job *j) {
    j->first = list->n;
    for (size_t i = 0; i < j->n_parts; i++)
        NT_TRY(add_part(list, j, &j->parts[i]));
    j->n_texts = list->n - j->first;
    return NT_OK;
}

/* ---- Finishing ------------------------------------------------------------------------------- */

/* The context's tokens, and how the continuations compare. */
static int finish_continuations(nt_result **out, job *j, const nt_model *model,
                                const nt_prompt *context) {
    size_t n = j->n_parts;
    nt_ids_of ids;
    nt_result **scored = nt_alloc(n, sizeof *scored);
    if (!scored) return NT_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        scored[i] = j->parts[i].trace;
    int status = nt_prompt_ids(&ids, model, context, NULL);
    if (status == NT_OK) status = nt_job_begin(out, model, NT_RESULT_CONTINUATIONS, &ids);
    if (status == NT_OK) status = nt_continuations_from(*out, scored, j->options.continuations, n);
    nt_ids_free(&ids);
    nt_free(scored);
    return nt_job_finish(out, status, j->started);
}

static int finish(nt_result **out, job *j, const nt_model *model, const nt_prompt *prompt) {
    *out = NULL;
    for (size_t i = 0; i < j->n_parts; i++)
        NT_TRY(nt_scoring_finish(&j->parts[i].scoring));
    if (j->options.n_continuations) return finish_continuations(out, j, model, prompt);
    *out = j->parts->trace;
    j->parts->trace = NULL;
    return nt_job_finish(out, NT_OK, j->started);
}

int nt_score(nt_result **out, nt_session *session, const nt_prompt *prompt,
             const nt_score_options *given) {
    *out = NULL;
    job j;
    run_list list = {0};
    NT_TRY(begin(&j, given));
    const nt_callbacks *callbacks = j.options.callbacks;
    int status = prepare(&j, session, prompt, callbacks);
    if (status == NT_OK) status = add_job(&list, &j);
    if (status == NT_OK) status = run_texts(&list, 0, list.n, session, callbacks);
    if (status == NT_OK) status = finish(out, &j, session->model, prompt);
    run_list_free(&list);
    job_free(&j);
    return status;
}

/* ---- Many ------------------------------------------------------------------------------------ */

static nt_score_item *item_at(nt_score_item *items, size_t i) {
    return (nt_score_item *)(void *)((char *)items + i * items->size);
}

/* A text that fails keeps its error, and the others go on; returns what ends them all. */
static int settle(nt_score_item *item, int status) {
    if (status == NT_OK || status == NT_E_CANCELLED || status == NT_E_MEMORY) return status;
    const char *message = nt_error_message();
    item->status = status;
    item->error = nt_alloc(strlen(message) + 1, 1);
    if (!item->error) return NT_E_MEMORY;
    strcpy(item->error, message);
    return NT_OK;
}

/* All texts together; where a text's numbers break, once more one by one, to know which. */
static int run_jobs(nt_session *session, nt_score_item *items, job *jobs, size_t n,
                    const nt_callbacks *callbacks) {
    run_list list = {0};
    int status = NT_OK;
    for (size_t i = 0; i < n && status == NT_OK; i++)
        if (item_at(items, i)->status == NT_OK) status = add_job(&list, &jobs[i]);
    if (status == NT_OK) status = run_texts(&list, 0, list.n, session, callbacks);
    if (status == NT_E_NUMERIC) {
        status = NT_OK;
        for (size_t i = 0; i < n && status == NT_OK; i++) {
            if (item_at(items, i)->status != NT_OK) continue;
            status = run_texts(&list, jobs[i].first, jobs[i].n_texts, session, callbacks);
            status = settle(item_at(items, i), status);
        }
    }
    run_list_free(&list);
    return status;
}

/* As if nothing had been scored. */
static void clear_items(nt_score_item *items, size_t n, int status) {
    for (size_t i = 0; i < n; i++) {
        nt_score_item *item = item_at(items, i);
        item->result = NULL;
        item->error = NULL;
        item->status = status;
    }
}

static void free_items(nt_score_item *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nt_result_free(item_at(items, i)->result);
        nt_free(item_at(items, i)->error);
    }
}

/* Every text that can be read gets its job, or its error. */
static int prepare_all(nt_session *session, nt_score_item *items, job *jobs, size_t n,
                       const nt_callbacks *callbacks) {
    for (size_t i = 0; i < n; i++) {
        nt_score_item *item = item_at(items, i);
        int status = begin(&jobs[i], item->options);
        if (status == NT_OK) status = prepare(&jobs[i], session, item->prompt, callbacks);
        NT_TRY(settle(item, status));
    }
    return NT_OK;
}

static int finish_all(nt_session *session, nt_score_item *items, job *jobs, size_t n) {
    for (size_t i = 0; i < n; i++) {
        nt_score_item *item = item_at(items, i);
        if (item->status != NT_OK) continue;
        NT_TRY(settle(item, finish(&item->result, &jobs[i], session->model, item->prompt)));
    }
    return NT_OK;
}

int nt_score_many(nt_session *session, nt_score_item *items, size_t n_items,
                  const nt_callbacks *callbacks) {
    if (n_items == 0) return NT_OK;
    if (!items || items->size < sizeof *items)
        return nt_fail(NT_E_ARGUMENT, "nt_score_item: set size to sizeof(nt_score_item) first");
    clear_items(items, n_items, NT_OK);
    job *jobs = nt_alloc(n_items, sizeof *jobs);
    int status = jobs ? prepare_all(session, items, jobs, n_items, callbacks) : NT_E_MEMORY;
    if (status == NT_OK) status = run_jobs(session, items, jobs, n_items, callbacks);
    if (status == NT_OK) status = finish_all(session, items, jobs, n_items);
    for (size_t i = 0; jobs && i < n_items; i++)
        job_free(&jobs[i]);
    nt_free(jobs);
    if (status == NT_OK) return NT_OK;
    free_items(items, n_items);
    clear_items(items, n_items, status);
    return status;
}
