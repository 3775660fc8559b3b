/* A session as what a search sees of a model. */
#include "base/memory.h"
#include "wiring.h"

static int start(void *self, int32_t *sequence) {
    return nt_sequence_new(sequence, self);
}

static int fork(void *self, int32_t *child, int32_t parent) {
    return nt_sequence_fork(child, self, parent);
}

static void drop(void *self, int32_t sequence) {
    nt_sequence_drop(self, sequence);
}

static void cut(void *self, int32_t sequence, size_t length) {
    const nt_session *session = self;
    nt_kv_truncate(nt_runner_kv(session->runner), sequence, length);
}

/* Room for rows [n, V]. */
static int make_room(nt_session *session, size_t n, size_t V) {
    if (session->n_logits >= n) return NT_OK;
    float *bigger = nt_resize(session->logits, n * V, sizeof *bigger);
    if (!bigger) return NT_E_MEMORY;
    session->logits = bigger;
    session->n_logits = n;
    return NT_OK;
}

static int step(void *self, const float **logits, const nt_step_row *rows, size_t n_rows,
                const nt_callbacks *callbacks) {
    nt_session *session = self;
    size_t V = (size_t)session->model->network->config.V, n = 0;
    nt_input *inputs = nt_alloc(n_rows, sizeof *inputs);
    if (!inputs) return NT_E_MEMORY;
    for (size_t r = 0; r < n_rows; r++) {
        size_t wanted = rows[r].n_logits ? rows[r].n_logits : 1;
        inputs[r] =
            (nt_input){rows[r].sequence, rows[r].ids, rows[r].n_ids, rows[r].n_ids - wanted, false};
        n += wanted;
    }
    int status = make_room(session, n, V);
    if (status == NT_OK) {
        nt_rows_copy to = {session->logits, V};
        nt_callbacks quiet = nt_without_progress(callbacks); /* the search counts tokens */
        status = nt_runner_step(session->runner, inputs, n_rows, nt_copy_rows, &to, &quiet);
    }
    for (size_t i = 0; i < n; i++)
        logits[i] = session->logits + i * V;
    nt_free(inputs);
    return status;
}

nt_stepper nt_session_stepper(nt_session *session) {
    const nt_config *config = &session->model->network->config;
    return (nt_stepper){
        .self = session,
        .V = (size_t)config->V,
        .context = (size_t)config->T,
        .start = start,
        .step = step,
        .fork = fork,
        .drop = drop,
        .cut = cut,
    };
}
