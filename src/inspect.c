/* inspect: logits, hidden states, attentions and the logit lens, taken at the named points of one
 * forward pass, into the result's memory or row by row into an .npz file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "format/npz.h"
#include "nextoken.h"
#include "trace/layers.h"
#include "wiring.h"

enum { LENS_ROWS = 64 }; /* states that go through the head together */

/* In the order that they have in results and files. */
enum { LOGITS, HIDDEN_STATES, ATTENTIONS, LENS, HIDDEN_NORMS, N_ARRAYS };

/* Where one array's numbers go: into memory or into a file; nowhere when it is not wanted. */
typedef struct sink {
    float *data;
    nt_npz *npz;
    size_t i; /* of the array in the file */
} sink;

typedef struct inspection {
    nt_session *session;
    const nt_ids_of *ids;
    const nt_inspect_options *options;
    size_t T, D, L, H, V;
    nt_npz_array arrays[N_ARRAYS]; /* name and shape */
    bool wanted[N_ARRAYS];
    sink sinks[N_ARRAYS];
    float *last;     /* [V] in the result: the last row of logits, where no sink is its place */
    float *norms;    /* [L + 1] in the result */
    double *squares; /* [L + 1] */
    float *row;      /* [T] one head's attention from one position, zeros behind it */
    float *states;   /* [LENS_ROWS, D] states that wait for the lens */
    size_t lens_layer, lens_first, n_states;
    nt_result *trace;
    nt_pick *picks;     /* [layers] */
    float *last_states; /* [L, D] at the last position: what comes next there is known at the end */
    float *pattern;     /* [T, T] of the head that was asked for, or the mean of the layer's */
    float **patterns;   /* [H] of each, where all were asked for */
    int status;         /* of a capture of ours that failed, with its message */
    char message[1024];
} inspection;

static int sink_put(const sink *to, size_t offset, const float *values, size_t n) {
    if (to->npz) return nt_npz_put(to->npz, to->i, offset, values, n);
    if (to->data) memcpy(to->data + offset, values, n * sizeof *values);
    return NT_OK;
}

/* ---- What the pass shows --------------------------------------------------------------------- */

static int keep_lens(void *payload, const nt_logits_row *rows, size_t n) {
    inspection *job = payload;
    size_t first = job->lens_layer * job->T + job->lens_first;
    for (size_t i = 0; i < n; i++) {
        size_t at = first + rows[i].t, t = job->lens_first + rows[i].t;
        NT_TRY(sink_put(&job->sinks[LENS], at * job->V, rows[i].logits, job->V));
        if (!job->picks || t + 1 == job->T) continue;
        NT_TRY(
            nt_trace_set_layer(job->trace, job->lens_layer, t, rows[i].logits, job->V, job->picks));
    }
    return NT_OK;
}

/* The last position of layers from lens_layer on. */
static int keep_last(void *payload, const nt_logits_row *rows, size_t n) {
    inspection *job = payload;
    for (size_t i = 0; i < n; i++)
        NT_TRY(nt_trace_set_layer(job->trace, job->lens_layer + rows[i].t, job->T - 1,
                                  rows[i].logits, job->V, job->picks));
    return NT_OK;
}

static int read_last(inspection *job) {
    for (size_t l = 0; job->picks && l < job->L; l += LENS_ROWS) {
        size_t n = job->L - l < LENS_ROWS ? job->L - l : LENS_ROWS;
        job->lens_layer = l;
        NT_TRY(nt_runner_read_out(job->session->runner, job->last_states + l * job->D, n, keep_last,
                                  job));
    }
    return NT_OK;
}

static int read_out(inspection *job) {
    size_t n = job->n_states;
    job->n_states = 0;
    return nt_runner_read_out(job->session->runner, job->states, n, keep_lens, job);
}

/* The state that leaves layer - 1 (0: the embedding) at position t, for the lens. */
static int look_through(inspection *job, size_t layer, size_t t, const float *state) {
    bool goes_on = layer == job->lens_layer && t == job->lens_first + job->n_states;
    if (!goes_on || job->n_states == LENS_ROWS) {
        NT_TRY(read_out(job));
        job->lens_layer = layer;
        job->lens_first = t;
    }
    memcpy(job->states + job->n_states++ * job->D, state, job->D * sizeof *state);
    return NT_OK;
}

static int see_hidden(inspection *job, size_t layer, const nt_seen *seen) {
    double sum = 0;
    for (size_t d = 0; d < seen->n; d++)
        sum += (double)seen->values[d] * seen->values[d];
    job->squares[layer] += sum;
    size_t t = (size_t)seen->place.position, at = (layer * job->T + t) * job->D;
    NT_TRY(sink_put(&job->sinks[HIDDEN_STATES], at, seen->values, seen->n));
    if (seen->place.point == NT_POINT_FINAL_NORM) return NT_OK;
    bool last = t + 1 == job->T;
    if (job->picks && last)
        memcpy(job->last_states + layer * job->D, seen->values, job->D * sizeof *seen->values);
    bool lens = job->wanted[LENS] || (job->picks && !last);
    return lens ? look_through(job, layer, t, seen->values) : NT_OK;
}

static int see_attention(inspection *job, const nt_seen *seen) {
    size_t head = (size_t)seen->place.layer * job->H + (size_t)seen->place.head;
    memcpy(job->row, seen->values, seen->n * sizeof *job->row);
    memset(job->row + seen->n, 0, (job->T - seen->n) * sizeof *job->row);
    size_t at = (head * job->T + (size_t)seen->place.position) * job->T;
    return sink_put(&job->sinks[ATTENTIONS], at, job->row, job->T);
}

/* One of the heads that were asked for. */
static int see_pattern(void *payload, const nt_seen *seen) {
    inspection *job = payload;
    size_t at = (size_t)seen->place.position * job->T;
    bool mean = job->options->attention_heads || job->options->attention_head == NT_EVERY;
    for (size_t i = 0; i < seen->n; i++)
        job->pattern[at + i] += mean ? seen->values[i] / (float)job->H : seen->values[i];
    if (job->patterns)
        memcpy(job->patterns[seen->place.head] + at, seen->values, seen->n * sizeof(float));
    return NT_OK;
}

/* Hidden states are transformers': embeddings, blocks 0 .. L - 2, and the final norm in the place
 * of the last block. The lens of that block is the logits themselves. */
static int see(void *payload, const nt_seen *seen) {
    inspection *job = payload;
    size_t layer = (size_t)seen->place.layer;
    switch (seen->place.point) {
    case NT_POINT_EMBEDDING: job->status = see_hidden(job, 0, seen); break;
    case NT_POINT_FINAL_NORM: job->status = see_hidden(job, job->L, seen); break;
    case NT_POINT_BLOCK_OUT:
        if (layer + 1 < job->L) job->status = see_hidden(job, layer + 1, seen);
        break;
    default: job->status = see_attention(job, seen);
    }
    if (job->status != NT_OK) snprintf(job->message, sizeof job->message, "%s", nt_error_message());
    return job->status;
}

static int keep_logits(void *payload, const nt_logits_row *rows, size_t n) {
    inspection *job = payload;
    if (job->n_states) NT_TRY(read_out(job));
    for (size_t i = 0; i < n; i++) {
        size_t t = rows[i].t;
        NT_TRY(sink_put(&job->sinks[LOGITS], t * job->V, rows[i].logits, job->V));
        NT_TRY(sink_put(&job->sinks[LENS], (job->L * job->T + t) * job->V, rows[i].logits, job->V));
        if (t + 1 == job->T && job->last)
            memcpy(job->last, rows[i].logits, job->V * sizeof *job->last);
        if (!job->picks) continue;
        if (t + 1 == job->T)
            NT_TRY(nt_trace_end_layers(job->trace, nt_argmax(rows[i].logits, job->V)));
        NT_TRY(nt_trace_set_layer(job->trace, job->L, t, rows[i].logits, job->V, job->picks));
    }
    return NT_OK;
}

/* ---- The pass -------------------------------------------------------------------------------- */

/* Runs the pass with our captures beside the caller's own. */
static int run_captured(inspection *job) {
    static const nt_point points_seen[] = {NT_POINT_EMBEDDING, NT_POINT_BLOCK_OUT,
                                           NT_POINT_FINAL_NORM, NT_POINT_ATTENTION};
    enum { N_POINTS = sizeof points_seen / sizeof *points_seen };
    nt_points *points = nt_runner_points(job->session->runner);
    nt_points mine = {.edits = points->edits, .n_edits = points->n_edits};
    size_t n = points->n_captures;
    nt_capture *captures = nt_alloc(n + N_POINTS + 1, sizeof *captures);
    if (!captures) return NT_E_MEMORY;
    if (n) memcpy(captures, points->captures, n * sizeof *captures);
    for (size_t i = 0; i < N_POINTS; i++) {
        if (points_seen[i] == NT_POINT_ATTENTION && !job->wanted[ATTENTIONS]) continue;
        captures[n++] = (nt_capture){
            .place = {points_seen[i], NT_EVERY, NT_EVERY, NT_EVERY}, .see = see, .payload = job};
    }
    if (job->pattern) {
        const nt_inspect_options *o = job->options;
        int32_t head = o->attention_heads ? NT_EVERY : o->attention_head;
        captures[n++] =
            (nt_capture){.place = {NT_POINT_ATTENTION, o->attention_layer, head, NT_EVERY},
                         .see = see_pattern,
                         .payload = job};
    }
    nt_points own = *points;
    *points = mine;
    const nt_config *config = &job->session->model->network->config;
    int status = nt_points_set_captures(points, config, captures, n);
    if (status == NT_OK) {
        bool all = job->wanted[LOGITS] || job->wanted[LENS] || job->picks;
        size_t wanted = all ? 0 : job->T - 1;
        status = nt_session_each_row(job->session, job->ids->ids, job->T, wanted, keep_logits, job,
                                     job->options->callbacks);
    }
    nt_free(points->captures);
    *points = own;
    nt_free(captures);
    if (job->status != NT_OK) return nt_fail(job->status, "%s", job->message);
    if (status == NT_OK) status = read_last(job);
    for (size_t l = 0; status == NT_OK && l <= job->L; l++)
        job->norms[l] = (float)sqrt(job->squares[l]);
    return status;
}

static int fill_npz(void *payload, nt_npz *npz) {
    inspection *job = payload;
    size_t n = 0;
    for (size_t i = 0; i < N_ARRAYS; i++)
        if (job->wanted[i]) job->sinks[i] = (sink){.npz = npz, .i = n++};
    NT_TRY(run_captured(job));
    return sink_put(&job->sinks[HIDDEN_NORMS], 0, job->norms, job->L + 1);
}

static int run_into_npz(inspection *job) {
    nt_npz_array arrays[N_ARRAYS];
    size_t n = 0;
    for (size_t i = 0; i < N_ARRAYS; i++)
        if (job->wanted[i]) arrays[n++] = job->arrays[i];
    return nt_npz_stream(job->options->npz, arrays, n, fill_npz, job);
}

/* ---- Places ---------------------------------------------------------------------------------- */

static void describe(inspection *job) {
    const nt_inspect_options *options = job->options;
    size_t T = job->T, L = job->L, V = job->V;
    job->arrays[LOGITS] = (nt_npz_array){"logits", NULL, 2, {T, V}};
    job->arrays[HIDDEN_STATES] = (nt_npz_array){"hidden_states", NULL, 3, {L + 1, T, job->D}};
    job->arrays[ATTENTIONS] = (nt_npz_array){"attentions", NULL, 4, {L, job->H, T, T}};
    job->arrays[LENS] = (nt_npz_array){"logit_lens_uncalibrated", NULL, 3, {L + 1, T, V}};
    job->arrays[HIDDEN_NORMS] = (nt_npz_array){"hidden_norms", NULL, 1, {L + 1}};
    job->wanted[LOGITS] = options->logits;
    job->wanted[HIDDEN_STATES] = options->hidden_states;
    job->wanted[ATTENTIONS] = options->attentions;
    job->wanted[LENS] = options->logit_lens;
    job->wanted[HIDDEN_NORMS] = true;
}

static int add_tensor(float **data, nt_result *trace, const nt_npz_array *array) {
    return nt_trace_add_tensor(data, trace, array->name, array->n_dims, array->shape);
}

static int make_room(inspection *job, nt_result *trace) {
    bool in_memory = !job->options->npz;
    if (!in_memory || !job->wanted[LOGITS]) {
        const size_t one_row[] = {1, job->V};
        NT_TRY(nt_trace_add_tensor(&job->last, trace, job->arrays[LOGITS].name, 2, one_row));
    }
    for (size_t i = 0; i < HIDDEN_NORMS; i++)
        if (in_memory && job->wanted[i])
            NT_TRY(add_tensor(&job->sinks[i].data, trace, &job->arrays[i]));
    NT_TRY(add_tensor(&job->norms, trace, &job->arrays[HIDDEN_NORMS]));
    job->squares = nt_alloc(job->L + 1, sizeof *job->squares);
    job->row = nt_alloc(job->wanted[ATTENTIONS] ? job->T : 0, sizeof *job->row);
    bool lens = job->wanted[LENS] || job->options->layers > 0;
    job->states = nt_alloc(lens ? LENS_ROWS * job->D : 0, sizeof *job->states);
    return job->squares && job->row && job->states ? NT_OK : NT_E_MEMORY;
}

/* For what is asked of layers and heads. */
static int make_inside(inspection *job, nt_result *trace) {
    const nt_inspect_options *o = job->options;
    job->trace = trace;
    if (o->layers > 0) {
        size_t k = (size_t)o->layers < job->V ? (size_t)o->layers : job->V;
        NT_TRY(nt_trace_begin_layers(trace, job->L + 1, k));
        job->last_states = nt_alloc(job->L * job->D, sizeof *job->last_states);
        job->picks = nt_alloc(k, sizeof *job->picks);
        if (!job->last_states || !job->picks) return NT_E_MEMORY;
    }
    if (!o->attention) return NT_OK;
    int32_t head = o->attention_heads ? NT_EVERY : o->attention_head;
    NT_TRY(nt_trace_add_attention(&job->pattern, trace, o->attention_layer, head));
    if (!o->attention_heads) return NT_OK;
    job->patterns = nt_alloc(job->H, sizeof *job->patterns);
    if (!job->patterns) return NT_E_MEMORY;
    for (size_t h = 0; h < job->H; h++)
        NT_TRY(nt_trace_add_attention(&job->patterns[h], trace, o->attention_layer, (int32_t)h));
    return NT_OK;
}

static int check_options(const nt_inspect_options *o, const nt_config *c) {
    if (o->layers < 0)
        return nt_fail(NT_E_RANGE, "layers is %d; it must be 0 (none) or more", (int)o->layers);
    if (!o->attention) return NT_OK;
    if (o->attention_layer < 0 || o->attention_layer >= c->L)
        return nt_fail(NT_E_RANGE, "attention of layer %d; the model's are 0 .. %d",
                       (int)o->attention_layer, (int)c->L - 1);
    bool one = !o->attention_heads && o->attention_head != NT_EVERY;
    if (one && (o->attention_head < 0 || o->attention_head >= c->H))
        return nt_fail(NT_E_RANGE, "attention of head %d; the layer's are 0 .. %d",
                       (int)o->attention_head, (int)c->H - 1);
    return NT_OK;
}

static int inspect(nt_result **out, nt_session *session, const nt_ids_of *ids,
                   const nt_inspect_options *options) {
    const nt_config *c = &session->model->network->config;
    NT_TRY(nt_job_begin(out, session->model, NT_RESULT_INSPECT, ids));
    inspection job = {.session = session,
                      .ids = ids,
                      .options = options,
                      .T = ids->n,
                      .D = (size_t)c->D,
                      .L = (size_t)c->L,
                      .H = (size_t)c->H,
                      .V = (size_t)c->V};
    if (job.T > (size_t)c->T) { /* before [L, H, T, T] is asked for */
        return nt_fail(NT_E_CONTEXT, "the text has %zu tokens; the model's context is %d", job.T,
                       (int)c->T);
    }
    NT_TRY(check_options(options, c));
    describe(&job);
    int status = make_room(&job, *out);
    if (status == NT_OK) status = make_inside(&job, *out);
    if (status == NT_OK) status = options->npz ? run_into_npz(&job) : run_captured(&job);
    nt_free(job.squares);
    nt_free(job.row);
    nt_free(job.states);
    nt_free(job.picks);
    nt_free(job.last_states);
    nt_free(job.patterns);
    return status;
}

int nt_inspect(nt_result **out, nt_session *session, const nt_prompt *prompt,
               const nt_inspect_options *given) {
    *out = NULL;
    double started = nt_now_ms();
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    NT_TRY(nt_take_options(&options, sizeof options, given, "nt_inspect_options"));
    nt_ids_of ids;
    int status = nt_prompt_ids(&ids, session->model, prompt, options.callbacks);
    if (status == NT_OK) status = inspect(out, session, &ids, &options);
    nt_ids_free(&ids);
    return nt_job_finish(out, status, started);
}
