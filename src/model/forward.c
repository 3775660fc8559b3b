#include "model/forward.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/workspace.h"

/* One row of a chunk: a token of some input. */
typedef struct row {
    size_t input, t; /* t counts from the input's first id */
} row;

/* One call of nt_runner_step. */
typedef struct pass {
    nt_runner *runner;
    const nt_input *inputs;
    size_t n_inputs;
    nt_logits_fn logits;
    void *payload;
    const nt_callbacks *callbacks;
    row rows[NT_CHUNK]; /* of the chunk at hand */
    size_t R;
} pass;

struct nt_runner {
    const nt_network *network;
    nt_device *device;
    nt_kv *kv;
    nt_points points;
    nt_workspace work;
    size_t *lengths; /* [n_lengths]: each input's sequence length before the call */
    size_t n_lengths;
    uint64_t *last_call; /* [n_last_call]: for each sequence the call that last used it */
    size_t n_last_call;
    uint64_t call;
    pass pass;
};

int nt_runner_new(nt_runner **out, const nt_network *network, int threads) {
    *out = NULL;
    nt_runner *runner = nt_alloc(1, sizeof *runner);
    if (!runner) return NT_E_MEMORY;
    runner->network = network;
    int status = nt_cpu_open(&runner->device, threads);
    if (status == NT_OK)
        status = nt_kv_new(&runner->kv, (size_t)network->config.L, (size_t)network->config.D);
    if (status != NT_OK) {
        nt_runner_free(runner);
        return status;
    }
    *out = runner;
    return NT_OK;
}

void nt_runner_free(nt_runner *runner) {
    if (!runner) return;
    nt_workspace_free(&runner->work);
    nt_points_free(&runner->points);
    nt_kv_free(runner->kv);
    nt_cpu_close(runner->device);
    nt_free(runner->lengths);
    nt_free(runner->last_call);
    nt_free(runner);
}

nt_kv *nt_runner_kv(nt_runner *runner) {
    return runner->kv;
}

nt_points *nt_runner_points(nt_runner *runner) {
    return &runner->points;
}

const nt_network *nt_runner_network(const nt_runner *runner) {
    return runner->network;
}

/* ---- Checks, before any work --------------------------------------------------------------- */

/* Two inputs for one sequence in one call have no order that could be meant. */
static int check_unique(nt_runner *runner, int32_t sequence) {
    size_t need = (size_t)sequence + 1;
    if (need > runner->n_last_call) {
        size_t capacity = runner->n_last_call, before = capacity;
        NT_TRY(nt_grow((void **)&runner->last_call, &capacity, need, sizeof *runner->last_call));
        memset(runner->last_call + before, 0, (capacity - before) * sizeof *runner->last_call);
        runner->n_last_call = capacity;
    }
    if (runner->last_call[sequence] == runner->call)
        return nt_fail(NT_E_ARGUMENT, "sequence %d stands twice in one call; join its ids",
                       (int)sequence);
    runner->last_call[sequence] = runner->call;
    return NT_OK;
}

static int check_input(const pass *p, size_t i) {
    nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    const nt_input *input = &p->inputs[i];
    if (!nt_kv_exists(runner->kv, input->sequence))
        return nt_fail(NT_E_RANGE, "no sequence %d; make one first", (int)input->sequence);
    NT_TRY(check_unique(runner, input->sequence));
    if (input->n_ids == 0 || !input->ids)
        return nt_fail(NT_E_ARGUMENT, "no ids for sequence %d; give at least one",
                       (int)input->sequence);
    if (input->want != NT_WANT_NOTHING && !p->logits)
        return nt_fail(NT_E_ARGUMENT,
                       "logits are wanted of sequence %d, but there is no place "
                       "for them",
                       (int)input->sequence);
    size_t have = nt_kv_length(runner->kv, input->sequence), most = (size_t)config->T;
    if (input->n_ids > most - have)
        return nt_fail(NT_E_CONTEXT,
                       "%zu positions and %zu new tokens are more than the model's context of %zu; "
                       "give a shorter text",
                       have, input->n_ids, most);
    for (size_t t = 0; t < input->n_ids; t++)
        if (input->ids[t] < 0 || input->ids[t] >= config->V)
            return nt_fail(NT_E_RANGE,
                           "id %d at index %zu is outside the vocabulary, which has ids 0 to %d",
                           (int)input->ids[t], t, (int)config->V - 1);
    return NT_OK;
}

static int check_inputs(const pass *p) {
    nt_runner *runner = p->runner;
    runner->call++;
    NT_TRY(nt_grow((void **)&runner->lengths, &runner->n_lengths, p->n_inputs,
                   sizeof *runner->lengths));
    for (size_t i = 0; i < p->n_inputs; i++)
        NT_TRY(check_input(p, i));
    for (size_t i = 0; i < p->n_inputs; i++)
        runner->lengths[i] = nt_kv_length(runner->kv, p->inputs[i].sequence);
    return NT_OK;
}

/* ---- The pass ------------------------------------------------------------------------------- */

static int cancelled(const pass *p) {
    const nt_callbacks *callbacks = p->callbacks;
    if (callbacks && callbacks->cancel && callbacks->cancel(callbacks->payload) != 0)
        return nt_fail(NT_E_CANCELLED, "stopped by the caller");
    return NT_OK;
}

static bool wants_logits(const pass *p, size_t r) {
    const nt_input *input = &p->inputs[p->rows[r].input];
    return input->want == NT_WANT_ALL ||
           (input->want == NT_WANT_LAST && p->rows[r].t + 1 == input->n_ids);
}

/* Rows [begin, end) of x at a named point, ld floats a row, each of n_parts parts. */
static int look(const pass *p, nt_point point, size_t layer, float *x, size_t ld, size_t begin,
                size_t end) {
    const nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    if (!nt_points_wants(&runner->points, point, (int32_t)layer)) return NT_OK;
    size_t D = (size_t)config->D, H = (size_t)config->H, E = D / H;
    for (size_t r = begin; r < end; r++) {
        nt_at at = {.point = point,
                    .layer = (int32_t)layer,
                    .sequence = p->inputs[p->rows[r].input].sequence,
                    .position = runner->work.position[r],
                    .n_parts = 1,
                    .n_part = D,
                    .ld = ld,
                    .x = x + (r - begin) * ld};
        if (point == NT_POINT_HEAD_OUT) {
            at.n_parts = H;
            at.n_part = at.ld = E;
        } else if (point == NT_POINT_ATTENTION) {
            at.n_parts = H;
            at.n_part = (size_t)at.position + 1;
            at.ld = ld / H;
        }
        NT_TRY(nt_points_at(&runner->points, &at));
    }
    return NT_OK;
}

/* Attention of all rows of the chunk. Probabilities are kept only where someone looks, and then
 * for as many rows at a time as the workspace holds. */
static int attend(const pass *p, size_t layer, const nt_attention *all) {
    nt_runner *runner = p->runner;
    nt_device *device = runner->device;
    if (!nt_points_wants(&runner->points, NT_POINT_ATTENTION, (int32_t)layer)) {
        device->ops->attend(device, all);
        return NT_OK;
    }
    size_t D = all->H * all->E, ld = 0;
    for (size_t r = 0; r < all->R; r++)
        if ((size_t)all->position[r] + 1 > ld) ld = (size_t)all->position[r] + 1;
    float *probs;
    size_t most;
    NT_TRY(nt_workspace_probs(&probs, &most, &runner->work, all->R, all->H * ld));
    for (size_t begin = 0, end; begin < all->R; begin = end) {
        end = all->R - begin < most ? all->R : begin + most;
        nt_attention part = *all;
        part.R = end - begin;
        part.qkv += begin * 3 * D;
        part.y += begin * D;
        part.pages += begin;
        part.position += begin;
        part.probs = probs;
        part.ld_probs = ld;
        device->ops->attend(device, &part);
        NT_TRY(look(p, NT_POINT_ATTENTION, layer, probs, all->H * ld, begin, end));
    }
    return NT_OK;
}

/* As transformers: in double, then one rounding. */
static float scale_of(const nt_config *config, size_t layer) {
    double scale = config->scale_attn_weights ? 1 / sqrt((double)(config->D / config->H)) : 1;
    if (config->scale_by_inverse_layer) scale /= (double)(layer + 1);
    return (float)scale;
}

static int run_attention(const pass *p, size_t layer) {
    nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    const nt_block *block = &runner->network->blocks[layer];
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t R = p->R, D = (size_t)config->D, H = (size_t)config->H;
    for (size_t r = 0; r < R; r++)
        w->pages[r] = nt_kv_pages(runner->kv, p->inputs[p->rows[r].input].sequence, layer);
    nt_attention a = {.R = R,
                      .H = H,
                      .E = D / H,
                      .qkv = w->qkv,
                      .y = w->mixed,
                      .scale = scale_of(config, layer),
                      .pages = w->pages,
                      .position = w->position};
    device->ops->layer_norm(device, w->normed, w->x, block->ln1_gain, block->ln1_bias,
                            (float)config->eps, R, D);
    device->ops->matmul(device, w->qkv, w->normed, &block->attn_qkv, block->attn_qkv_bias, R);
    device->ops->store_kv(device, &a);
    NT_TRY(attend(p, layer, &a));
    NT_TRY(look(p, NT_POINT_HEAD_OUT, layer, w->mixed, D, 0, R));
    device->ops->matmul(device, w->normed, w->mixed, &block->attn_out, block->attn_out_bias, R);
    NT_TRY(look(p, NT_POINT_ATTENTION_OUT, layer, w->normed, D, 0, R));
    device->ops->add(device, w->x, w->normed, R * D);
    return NT_OK;
}

static int run_mlp(const pass *p, size_t layer) {
    nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    const nt_block *block = &runner->network->blocks[layer];
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t R = p->R, D = (size_t)config->D, F = (size_t)config->F;
    device->ops->layer_norm(device, w->normed, w->x, block->ln2_gain, block->ln2_bias,
                            (float)config->eps, R, D);
    device->ops->matmul(device, w->inner, w->normed, &block->mlp_in, block->mlp_in_bias, R);
    device->ops->activate(device, config->activation, w->inner, R * F);
    device->ops->matmul(device, w->normed, w->inner, &block->mlp_out, block->mlp_out_bias, R);
    NT_TRY(look(p, NT_POINT_MLP_OUT, layer, w->normed, D, 0, R));
    device->ops->add(device, w->x, w->normed, R * D);
    return NT_OK;
}

/* Logits that are no numbers come from weights that are none, or from an overflow. */
static int check_logits(const pass *p, size_t r, const float *logits) {
    const nt_runner *runner = p->runner;
    size_t V = (size_t)runner->network->config.V;
    for (size_t i = 0; i < V; i++) {
        if (isfinite(logits[i])) continue;
        NT_TRY(nt_network_check_finite(runner->network));
        return nt_fail(NT_E_NUMERIC,
                       "the arithmetic overflowed at position %d%s: the logit of id %zu is %s; all "
                       "weights are finite, so some are too large for float32",
                       (int)runner->work.position[r],
                       runner->points.n_edits ? " (or an edit's values did)" : "", i,
                       isnan(logits[i]) ? "NaN" : "infinite");
    }
    return NT_OK;
}

/* Takes the n rows `picked`, whose states lie in head_in, through the final norm, and those of them
 * that are wanted through the head. */
static int finish_rows(const pass *p, size_t *picked, size_t n) {
    nt_runner *runner = p->runner;
    const nt_network *network = runner->network;
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t D = (size_t)network->config.D, V = (size_t)network->config.V, wanted = 0;
    if (n == 0) return NT_OK;
    device->ops->layer_norm(device, w->head_in, w->head_in, network->lnf_gain, network->lnf_bias,
                            (float)network->config.eps, n, D);
    for (size_t i = 0; i < n; i++) {
        float *y = w->head_in + i * D;
        NT_TRY(look(p, NT_POINT_FINAL_NORM, 0, y, D, picked[i], picked[i] + 1));
        if (!wants_logits(p, picked[i])) continue;
        if (wanted < i) memcpy(w->head_in + wanted * D, y, D * sizeof *y);
        picked[wanted++] = picked[i];
    }
    if (wanted == 0) return NT_OK;
    device->ops->matmul(device, w->logits, w->head_in, &network->head, NULL, wanted);
    for (size_t i = 0; i < wanted; i++) {
        const row *at = &p->rows[picked[i]];
        NT_TRY(check_logits(p, picked[i], w->logits + i * V));
        NT_TRY(p->logits(p->payload, at->input, at->t, w->logits + i * V));
    }
    return cancelled(p);
}

/* Only rows that someone wants or looks at go further, some at a time: a row of logits is large. */
static int run_head(const pass *p) {
    nt_runner *runner = p->runner;
    const nt_workspace *w = &runner->work;
    size_t D = (size_t)runner->network->config.D, n = 0, wanted = 0;
    size_t picked[NT_HEAD_ROWS];
    bool seen = nt_points_wants(&runner->points, NT_POINT_FINAL_NORM, 0);
    for (size_t r = 0; r < p->R; r++) {
        bool want = wants_logits(p, r);
        if (!want && !seen) continue;
        if (n == NT_HEAD_ROWS || (want && wanted == w->head_rows)) {
            NT_TRY(finish_rows(p, picked, n));
            n = wanted = 0;
        }
        memcpy(w->head_in + n * D, w->x + r * D, D * sizeof *w->x);
        picked[n++] = r;
        wanted += want;
    }
    return finish_rows(p, picked, n);
}

static int run_chunk(const pass *p) {
    nt_runner *runner = p->runner;
    const nt_network *network = runner->network;
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t R = p->R, D = (size_t)network->config.D;
    device->ops->embed(device, w->x, &network->wte, &network->wpe, w->ids, w->position, R);
    NT_TRY(look(p, NT_POINT_EMBEDDING, 0, w->x, D, 0, R));
    for (size_t layer = 0; layer < (size_t)network->config.L; layer++) {
        NT_TRY(cancelled(p));
        NT_TRY(look(p, NT_POINT_BLOCK_IN, layer, w->x, D, 0, R));
        NT_TRY(run_attention(p, layer));
        NT_TRY(run_mlp(p, layer));
        NT_TRY(look(p, NT_POINT_BLOCK_OUT, layer, w->x, D, 0, R));
    }
    return run_head(p);
}

/* Fills the chunk with the next rows, starting after *input, *t, which move on. */
static void next_chunk(pass *p, size_t *input, size_t *t) {
    nt_runner *runner = p->runner;
    p->R = 0;
    while (*input < p->n_inputs && p->R < NT_CHUNK) {
        const nt_input *from = &p->inputs[*input];
        p->rows[p->R] = (row){*input, *t};
        runner->work.ids[p->R] = from->ids[*t];
        runner->work.position[p->R] = (int32_t)(runner->lengths[*input] + *t);
        p->R++;
        if (++*t == from->n_ids) {
            *t = 0;
            ++*input;
        }
    }
}

static int run(pass *p) {
    nt_runner *runner = p->runner;
    const nt_callbacks *callbacks = p->callbacks;
    size_t total = 0, wanted = 0, done = 0, input = 0, t = 0;
    for (size_t i = 0; i < p->n_inputs; i++) {
        total += p->inputs[i].n_ids;
        if (p->inputs[i].want != NT_WANT_NOTHING)
            wanted += p->inputs[i].want == NT_WANT_ALL ? p->inputs[i].n_ids : 1;
    }
    NT_TRY(cancelled(p));
    NT_TRY(nt_workspace_ready(&runner->work, &runner->network->config, total, wanted));
    for (size_t i = 0; i < p->n_inputs; i++)
        NT_TRY(nt_kv_extend(runner->kv, p->inputs[i].sequence, p->inputs[i].n_ids));
    while (done < total) {
        next_chunk(p, &input, &t);
        NT_TRY(run_chunk(p));
        done += p->R;
        if (callbacks && callbacks->progress)
            callbacks->progress(callbacks->payload, "tokens", done, total);
    }
    return NT_OK;
}

int nt_runner_step(nt_runner *runner, const nt_input *inputs, size_t n_inputs, nt_logits_fn logits,
                   void *payload, const nt_callbacks *callbacks) {
    pass *p = &runner->pass;
    p->runner = runner;
    p->inputs = inputs;
    p->n_inputs = n_inputs;
    p->logits = logits;
    p->payload = payload;
    p->callbacks = callbacks;
    NT_TRY(check_inputs(p));
    int status = run(p);
    if (status != NT_OK)
        for (size_t i = 0; i < n_inputs; i++)
            nt_kv_truncate(runner->kv, inputs[i].sequence, runner->lengths[i]);
    return status;
}
