/* Loss and perplexity: texts whose rows have one number each, the log-probability of a label. */
#include <math.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/options.h"
#include "batch.h"
#include "score/perplexity.h"
#include "score/score.h"
#include "score/windows.h"

enum { WINDOWS = 4, IGNORED = -100 }; /* windows that run together; torch's label of no target */

/* One text of a batch. */
typedef struct labelled {
    const int32_t *labels; /* [rows] what follows each row */
    double *logprobs;      /* [rows] out */
} labelled;

typedef struct label_rows {
    labelled texts[WINDOWS];
    size_t V;
} label_rows;

static void label_row(void *payload, size_t text, size_t t, const float *logits) {
    const label_rows *rows = payload;
    const labelled *of = &rows->texts[text];
    of->logprobs[t] = of->labels[t] == IGNORED ? 0 : nt_logprob_of(logits, rows->V, of->labels[t]);
}

static int check_labels(const int32_t *labels, size_t n, size_t V) {
    for (size_t i = 1; i < n; i++) {
        if (labels[i] == IGNORED || (labels[i] >= 0 && (size_t)labels[i] < V)) continue;
        return nt_fail(NT_E_RANGE,
                       "label %zu is %d: neither an id of the vocabulary of %zu nor -100", i,
                       (int)labels[i], V);
    }
    return NT_OK;
}

static int check_ids(const int32_t *ids, size_t n, size_t V) {
    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= 0 && (size_t)ids[i] < V) continue;
        return nt_fail(NT_E_RANGE, "token %zu: id %d is outside the vocabulary of %zu ids", i,
                       (int)ids[i], V);
    }
    return NT_OK;
}

/* ---- Loss ------------------------------------------------------------------------------------ */

int nt_loss(double *loss, size_t *n_counted, nt_session *session, const int32_t *ids,
            const int32_t *labels, size_t n_ids, const nt_callbacks *callbacks) {
    size_t V = (size_t)session->model->network->config.V, counted = 0;
    double sum = 0;
    *loss = 0;
    if (n_counted) *n_counted = 0;
    if (!labels) labels = ids;
    NT_TRY(check_ids(ids, n_ids, V));
    NT_TRY(check_labels(labels, n_ids, V));
    if (n_ids > 1) {
        double *logprobs = nt_alloc(n_ids, sizeof *logprobs);
        if (!logprobs) return NT_E_MEMORY;
        label_rows rows = {.texts = {{labels + 1, logprobs}}, .V = V};
        nt_batch_text text = {ids, n_ids - 1, 0};
        int status = nt_batch_run(session, &text, 1, label_row, &rows, callbacks);
        for (size_t t = 0; t + 1 < n_ids; t++) {
            sum -= logprobs[t];
            counted += labels[t + 1] != IGNORED;
        }
        nt_free(logprobs);
        NT_TRY(status);
    }
    *loss = counted ? sum / (double)counted : NAN;
    if (n_counted) *n_counted = counted;
    return NT_OK;
}

/* ---- Perplexity ------------------------------------------------------------------------------ */

typedef struct measuring {
    nt_session *session;
    const nt_ids_of *ids;
    size_t window, stride;
    double *logprobs; /* [WINDOWS, window] */
    nt_perplexity_sum sum;
    nt_stages span;
} measuring;

/* Bytes of the text in tokens [begin, end): special tokens have none. */
static size_t text_bytes(const nt_model *model, const int32_t *ids, size_t begin, size_t end) {
    size_t bytes = 0, n;
    for (size_t i = begin; i < end && model->tokenizer; i++) {
        if (nt_tokenizer_is_special(model->tokenizer, ids[i])) continue;
        nt_tokenizer_bytes(model->tokenizer, ids[i], &n);
        bytes += n;
    }
    return bytes;
}

static void add_window(measuring *m, const nt_window *w, const double *logprobs) {
    size_t first = w->first - 1 - w->begin;
    nt_perplexity_add(&m->sum, logprobs + first, w->end - w->first,
                      text_bytes(m->session->model, m->ids->ids, w->first, w->end),
                      w->first > w->begin + 1);
}

/* Runs up to WINDOWS windows from *w on, which moves on; *more: there are others behind them. */
static int run_windows(measuring *m, nt_window *w, bool *more) {
    const int32_t *ids = m->ids->ids;
    nt_batch_text texts[WINDOWS];
    nt_window windows[WINDOWS];
    label_rows rows = {.V = (size_t)m->session->model->network->config.V};
    size_t n = 0, done = 0;
    for (; *more && n < WINDOWS; *more = nt_window_next(w, m->ids->n, m->window, m->stride)) {
        if (w->end == w->first) { /* the last: one token with nothing before it */
            add_window(m, w, m->logprobs);
            continue;
        }
        windows[n] = *w;
        texts[n] = (nt_batch_text){ids + w->begin, w->end - 1 - w->begin, w->first - 1 - w->begin};
        rows.texts[n] = (labelled){ids + w->begin + 1, m->logprobs + n * m->window};
        done += texts[n++].n_ids;
    }
    if (n == 0) return NT_OK;
    nt_callbacks callbacks = nt_stages_callbacks(&m->span);
    NT_TRY(nt_batch_run(m->session, texts, n, label_row, &rows, &callbacks));
    m->span.done += done;
    for (size_t i = 0; i < n; i++)
        add_window(m, &windows[i], rows.texts[i].logprobs);
    return NT_OK;
}

static int run_all(measuring *m) {
    nt_window w = {0};
    size_t n = m->ids->n;
    for (nt_window v = {0}; nt_window_next(&v, n, m->window, m->stride);)
        m->span.total += v.end - 1 - v.begin;
    m->logprobs = nt_alloc(WINDOWS * m->window, sizeof *m->logprobs);
    if (!m->logprobs) return NT_E_MEMORY;
    bool more = n > 1 && nt_window_next(&w, n, m->window, m->stride);
    int status = NT_OK;
    while (more && status == NT_OK)
        status = run_windows(m, &w, &more);
    nt_free(m->logprobs);
    return status;
}

static int report(nt_result *trace, const measuring *m) {
    double recipe;
    trace->totals = nt_perplexity_totals(&m->sum, &recipe);
    trace->window = m->window;
    trace->stride = m->stride;
    trace->n_windows = m->sum.n_windows;
    const char *rule = m->ids->bos ? "counted, given BOS" : "not counted";
    NT_TRY(nt_trace_fact_number(trace, "tokens", (double)m->ids->n));
    NT_TRY(nt_trace_fact_number(trace, "bytes", (double)m->sum.n_bytes));
    NT_TRY(nt_trace_fact_text(trace, "first_token", rule));
    NT_TRY(nt_trace_fact_number(trace, "loss_as_transformers", recipe));
    return nt_trace_fact_number(trace, "perplexity_as_transformers", nt_exp(recipe));
}

int nt_perplexity(nt_result **out, nt_session *session, const nt_prompt *prompt,
                  const nt_perplexity_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_perplexity_options options = NT_PERPLEXITY_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_perplexity_options"));
    nt_ids_of ids;
    measuring m = {.session = session, .ids = &ids, .span = {.outer = options.callbacks}};
    NT_TRY(nt_take_window(&m.window, session->model, options.window, options.stride));
    m.stride = options.stride ? options.stride : (m.window + 1) / 2;
    int status = nt_prompt_ids(&ids, session->model, prompt, options.callbacks);
    nt_free(ids.starts); /* memory for long texts */
    nt_free(ids.ends);
    ids.starts = ids.ends = NULL;
    if (status == NT_OK)
        status = check_ids(ids.ids, ids.n, (size_t)session->model->network->config.V);
    if (status == NT_OK) status = run_all(&m);
    if (status == NT_OK) status = nt_job_begin(out, session->model, NT_RESULT_PERPLEXITY, NULL);
    if (status == NT_OK) {
        (*out)->bos = ids.bos;
        status = report(*out, &m);
    }
    nt_ids_free(&ids);
    return nt_job_finish(out, status, started);
}
