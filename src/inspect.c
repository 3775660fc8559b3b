/* inspect: logits, hidden states and attentions, taken at the named points of one forward pass. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "nextoken.h"
#include "wiring.h"

enum { N_POINTS = 4 }; /* of captures: embedding, blocks, final norm, attention */

typedef struct inspection {
    size_t T, D, L, H, V;
    float *logits;     /* next row to write, [V] each */
    float *hidden;     /* [L + 1, T, D], or NULL */
    double *squares;   /* [L + 1] */
    float *attentions; /* [L, H, T, T], or NULL */
} inspection;

static int see_hidden(inspection *job, size_t layer, const nt_seen *seen) {
    double sum = 0;
    for (size_t d = 0; d < seen->n; d++)
        sum += (double)seen->values[d] * seen->values[d];
    job->squares[layer] += sum;
    if (job->hidden) {
        float *row = job->hidden + (layer * job->T + (size_t)seen->place.position) * job->D;
        memcpy(row, seen->values, seen->n * sizeof *row);
    }
    return 0;
}

/* Hidden states are transformers': embeddings, blocks 0 .. L - 2, and the final norm in the place
 * of the last block. */
static int see(void *payload, const nt_seen *seen) {
    inspection *job = payload;
    size_t layer = (size_t)seen->place.layer;
    switch (seen->place.point) {
    case NT_POINT_EMBEDDING: return see_hidden(job, 0, seen);
    case NT_POINT_FINAL_NORM: return see_hidden(job, job->L, seen);
    case NT_POINT_BLOCK_OUT: return layer + 1 < job->L ? see_hidden(job, layer + 1, seen) : 0;
    default: {
        size_t head = layer * job->H + (size_t)seen->place.head;
        size_t row = head * job->T + (size_t)seen->place.position;
        memcpy(job->attentions + row * job->T, seen->values, seen->n * sizeof *seen->values);
        return 0;
    }
    }
}

static int keep_logits(void *payload, size_t input, size_t t, const float *logits) {
    inspection *job = payload;
    (void)input, (void)t;
    memcpy(job->logits, logits, job->V * sizeof *logits);
    job->logits += job->V;
    return NT_OK;
}

static int make_room(inspection *job, nt_result *trace, const nt_inspect_options *options) {
    size_t logits[] = {options->logits ? job->T : 1, job->V};
    size_t hidden[] = {job->L + 1, job->T, job->D};
    size_t attentions[] = {job->L, job->H, job->T, job->T};
    NT_TRY(nt_trace_add_tensor(&job->logits, trace, "logits", 2, logits));
    if (options->hidden_states) {
        NT_TRY(nt_trace_add_tensor(&job->hidden, trace, "hidden_states", 3, hidden));
    }
    if (options->attentions) {
        NT_TRY(nt_trace_add_tensor(&job->attentions, trace, "attentions", 4, attentions));
    }
    job->squares = nt_alloc(job->L + 1, sizeof *job->squares);
    return job->squares ? NT_OK : NT_E_MEMORY;
}

static int keep_norms(nt_result *trace, const inspection *job) {
    size_t shape[] = {job->L + 1};
    float *norms;
    NT_TRY(nt_trace_add_tensor(&norms, trace, "hidden_norms", 1, shape));
    for (size_t l = 0; l <= job->L; l++)
        norms[l] = (float)sqrt(job->squares[l]);
    return NT_OK;
}

/* Runs the pass with our captures beside the caller's own. */
static int run_captured(inspection *job, nt_session *session, const nt_ids_of *ids,
                        const nt_inspect_options *options) {
    nt_points *points = nt_runner_points(session->runner);
    nt_points mine = {.edits = points->edits, .n_edits = points->n_edits};
    static const nt_point seen[N_POINTS] = {NT_POINT_EMBEDDING, NT_POINT_BLOCK_OUT,
                                            NT_POINT_FINAL_NORM, NT_POINT_ATTENTION};
    size_t n = points->n_captures;
    nt_capture *captures = nt_alloc(n + N_POINTS, sizeof *captures);
    if (!captures) return NT_E_MEMORY;
    if (n) memcpy(captures, points->captures, n * sizeof *captures);
    for (size_t i = 0; i < N_POINTS; i++) {
        if (seen[i] == NT_POINT_ATTENTION && !job->attentions) continue;
        captures[n++] = (nt_capture){
            .place = {seen[i], NT_EVERY, NT_EVERY, NT_EVERY}, .see = see, .payload = job};
    }
    nt_points own = *points;
    *points = mine;
    int status = nt_points_set_captures(points, &session->model->network->config, captures, n);
    if (status == NT_OK) {
        nt_want want = options->logits ? NT_WANT_ALL : NT_WANT_LAST;
        status = nt_session_each_row(session, ids->ids, ids->n, want, keep_logits, job,
                                     options->callbacks);
    }
    nt_free(points->captures);
    *points = own;
    nt_free(captures);
    return status;
}

int nt_inspect(nt_result **out, nt_session *session, const nt_prompt *prompt,
               const nt_inspect_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_inspect_options"));
    const nt_config *c = &session->model->network->config;
    nt_ids_of ids;
    int status = nt_prompt_ids(&ids, session->model, prompt, options.callbacks);
    if (status == NT_OK) status = nt_job_begin(out, session->model, NT_RESULT_INSPECT, &ids);
    inspection job = {
        .T = ids.n, .D = (size_t)c->D, .L = (size_t)c->L, .H = (size_t)c->H, .V = (size_t)c->V};
    if (status == NT_OK && ids.n > (size_t)c->T) {
        /* Before [L, H, T, T] is asked for. */
        status = nt_fail(NT_E_CONTEXT, "the text has %zu tokens; the model's context is %d", ids.n,
                         (int)c->T);
    }
    if (status == NT_OK) status = make_room(&job, *out, &options);
    if (status == NT_OK) status = run_captured(&job, session, &ids, &options);
    if (status == NT_OK) status = keep_norms(*out, &job);
    nt_free(job.squares);
    nt_ids_free(&ids);
    return nt_job_finish(out, status, started);
}
