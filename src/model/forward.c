#include "model/forward.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/finite.h"

/* One row of a chunk: a token of some input. */
typedef struct row {
    size_t input, t; /* t counts from the input's first id */
} row;

/* Where an input's ids go. */
typedef struct place {
    int32_t sequence; /* NT_ALONE while an input that stands alone has none */
    size_t length;    /* of the sequence before the call */
    int64_t shift;    /* of its ids against that */
} place;

/* One call of nt_runner_step. */
typedef struct pass {
    nt_runner *runner;
    const nt_input *inputs;
    size_t n_inputs;
    nt_logits_fn logits; /* or */
    nt_logits_each_fn each;
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
    place *places; /* [n_places]: of each input */
    size_t n_places;
    uint64_t *last_call; /* [n_last_call]: for each sequence the call that last used it */
    size_t n_last_call;
    uint64_t call;
    pass pass;
};

/* The widest x that a product reads. */
static size_t widest(const nt_config *config) {
    size_t D = (size_t)config->D, F = (size_t)config->F,
           heads = (size_t)config->H * (size_t)config->E;
    size_t most = D > F ? D : F;
    return most > heads ? most : heads;
}

int nt_runner_new(nt_runner **out, const nt_network *network, int threads) {
    *out = NULL;
    nt_runner *runner = nt_alloc(1, sizeof *runner);
    if (!runner) return NT_E_MEMORY;
    runner->network = network;
    int status = nt_cpu_open(&runner->device, threads);
    if (status == NT_OK)
        status = nt_cpu_take_terms(runner->device, nt_precision_terms(network->precision), NT_CHUNK,
                                   widest(&network->config));
    if (status == NT_OK)
        status = nt_kv_new(&runner->kv, (size_t)network->config.L,
                           (size_t)network->config.G * (size_t)network->config.E,
                           network->precision == NT_PRECISION_BF16 ? NT_BF16 : NT_F32);
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
    nt_free(runner->places);
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

nt_pool *nt_runner_pool(nt_runner *runner) {
    return runner->device->pool;
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

/* What an input's ids go into, in words. */
typedef struct target {
    const char *kind;
    size_t number;
} target;

static int check_ids(const pass *p, size_t i, target to, size_t have) {
    const nt_config *config = &p->runner->network->config;
    const nt_input *input = &p->inputs[i];
    size_t most = (size_t)config->T;
    if (input->n_ids == 0 || !input->ids)
        return nt_fail(NT_E_ARGUMENT, "no ids for %s %zu; give at least one", to.kind, to.number);
    if (input->wanted < input->n_ids && !p->logits && !p->each)
        return nt_fail(NT_E_ARGUMENT, "logits are wanted of %s %zu, but there is no place for them",
                       to.kind, to.number);
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

static int check_input(const pass *p, size_t i) {
    nt_runner *runner = p->runner;
    int32_t sequence = p->inputs[i].sequence;
    place *to = &runner->places[i];
    *to = (place){.sequence = sequence};
    if (sequence == NT_ALONE) return check_ids(p, i, (target){"input", i}, 0);
    if (!nt_kv_exists(runner->kv, sequence))
        return nt_fail(NT_E_RANGE, "no sequence %d; make one first", (int)sequence);
    NT_TRY(check_unique(runner, sequence));
    to->length = nt_kv_length(runner->kv, sequence);
    to->shift = nt_kv_shift(runner->kv, sequence);
    size_t have = to->shift > 0 ? to->length + (size_t)to->shift : to->length;
    return check_ids(p, i, (target){"sequence", (size_t)sequence}, have);
}

static int check_inputs(const pass *p) {
    nt_runner *runner = p->runner;
    runner->call++;
    NT_TRY(
        nt_grow((void **)&runner->places, &runner->n_places, p->n_inputs, sizeof *runner->places));
    for (size_t i = 0; i < p->n_inputs; i++)
        NT_TRY(check_input(p, i));
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
    return p->rows[r].t >= p->inputs[p->rows[r].input].wanted;
}

/* The sequence that row r is part of. */
static int32_t sequence_of(const pass *p, size_t r) {
    return p->runner->places[p->rows[r].input].sequence;
}

/* Whether row r has nothing at all to look at: padding in front of a text. */
static bool is_blank(const pass *p, size_t r) {
    size_t i = p->rows[r].input;
    return p->inputs[i].padding && p->runner->places[i].length == 0;
}

/* Rows [begin, end) of x at a named point, ld floats a row, each of n_parts parts. */
static int look(const pass *p, nt_point point, size_t layer, float *x, size_t ld, size_t begin,
                size_t end) {
    const nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    if (!nt_points_wants(&runner->points, point, (int32_t)layer)) return NT_OK;
    size_t D = (size_t)config->D, H = (size_t)config->H, E = (size_t)config->E;
    for (size_t r = begin; r < end; r++) {
        nt_at at = {.point = point,
                    .layer = (int32_t)layer,
                    .sequence = sequence_of(p, r),
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
            at.n_part = is_blank(p, r) ? 0 : (size_t)runner->work.sees[r] + 1;
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
    size_t ld = 0;
    for (size_t r = 0; r < all->R; r++)
        if ((size_t)all->position[r] + 1 > ld) ld = (size_t)all->position[r] + 1;
    float *probs;
    size_t most;
    NT_TRY(nt_workspace_probs(&probs, &most, &runner->work, all->R, all->H * ld));
    for (size_t begin = 0, end; begin < all->R; begin = end) {
        end = all->R - begin < most ? all->R : begin + most;
        nt_attention part = *all;
        part.R = end - begin;
        part.q.data += begin * part.q.row;
        part.y += begin * all->H * all->E;
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
    double scale = config->scale_attn_weights ? 1 / sqrt((double)config->E) : 1;
    if (config->scale_by_inverse_layer) scale /= (double)(layer + 1);
    return (float)scale;
}

/* The network's kind of norm, row by row. y == x is allowed. */
static void normalize(const nt_runner *runner, float *y, const float *x, const float *gain,
                      const float *bias, size_t R) {
    const nt_config *config = &runner->network->config;
    nt_device *device = runner->device;
    size_t D = (size_t)config->D;
    if (config->rms)
        device->ops->rms_norm(device, y, x, gain, (float)config->eps, R, D);
    else
        device->ops->layer_norm(device, y, x, gain, bias, (float)config->eps, R, D);
}

/* What products are about to read, x [n], as the network's mode has it. */
static void ready(const nt_runner *runner, float *x, size_t n) {
    nt_device *device = runner->device;
    if (runner->network->precision == NT_PRECISION_BF16) device->ops->round(device, x, n);
}

/* Queries, keys and values of the normed rows, in one product or in three. */
static void project(const pass *p, nt_attention *a, const nt_block *block) {
    const nt_runner *runner = p->runner;
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t E = a->E, queries = a->H * E, keys = a->G * E, all = queries + 2 * keys, R = a->R;
    if (block->attn_qkv.data) {
        bool by_head = runner->network->fused == NT_FUSED_HEADS;
        size_t head = by_head ? 3 * E : E;
        a->q = (nt_heads){w->qkv, all, head};
        a->k = (nt_heads){w->qkv + (by_head ? E : queries), all, head};
        a->v = (nt_heads){w->qkv + (by_head ? 2 * E : queries + keys), all, head};
        device->ops->matmul(device, w->qkv, w->normed, &block->attn_qkv, block->attn_qkv_bias, R);
        return;
    }
    a->q = (nt_heads){w->qkv, queries, E};
    a->k = (nt_heads){a->q.data + R * queries, keys, E};
    a->v = (nt_heads){a->k.data + R * keys, keys, E};
    device->ops->matmul(device, a->q.data, w->normed, &block->attn_q, block->attn_q_bias, R);
    device->ops->matmul(device, a->k.data, w->normed, &block->attn_k, block->attn_k_bias, R);
    device->ops->matmul(device, a->v.data, w->normed, &block->attn_v, block->attn_v_bias, R);
}

/* Turns queries and keys by their positions, where positions are rotary. */
static void rotate(const pass *p, const nt_attention *a) {
    const nt_runner *runner = p->runner;
    nt_device *device = runner->device;
    nt_rotary rotary = {(size_t)runner->network->config.rope.n, runner->work.turns.table};
    if (rotary.n == 0) return;
    device->ops->rotate(device, &a->q, a->R, a->H, &rotary, runner->work.stands);
    device->ops->rotate(device, &a->k, a->R, a->G, &rotary, runner->work.stands);
}

static int run_attention(const pass *p, size_t layer) {
    nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    const nt_block *block = &runner->network->blocks[layer];
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t R = p->R, D = (size_t)config->D, H = (size_t)config->H, E = (size_t)config->E;
    for (size_t r = 0; r < R; r++)
        w->pages[r] = nt_kv_pages(runner->kv, sequence_of(p, r), layer);
    nt_attention a = {.R = R,
                      .H = H,
                      .E = E,
                      .G = (size_t)config->G,
                      .y = w->mixed,
                      .scale = scale_of(config, layer),
                      .window = config->windowed[layer] ? (size_t)config->window : 0,
                      .pages = w->pages,
                      .stored = nt_kv_stored(runner->kv),
                      .position = w->position};
    normalize(runner, w->normed, w->x, block->ln1_gain, block->ln1_bias, R);
    ready(runner, w->normed, R * D);
    project(p, &a, block);
    rotate(p, &a);
    device->ops->store_kv(device, &a);
    a.position = w->sees;
    NT_TRY(attend(p, layer, &a));
    for (size_t r = 0; r < R; r++)
        if (is_blank(p, r)) memset(w->mixed + r * H * E, 0, H * E * sizeof *w->mixed);
    NT_TRY(look(p, NT_POINT_HEAD_OUT, layer, w->mixed, H * E, 0, R));
    ready(runner, w->mixed, R * H * E);
    device->ops->matmul(device, w->normed, w->mixed, &block->attn_out, block->attn_out_bias, R);
    NT_TRY(look(p, NT_POINT_ATTENTION_OUT, layer, w->normed, D, 0, R));
    if (config->parallel) /* the MLP's input, before the block's input changes */
        normalize(runner, w->mixed, w->x, block->ln2_gain, block->ln2_bias, R);
    device->ops->add(device, w->x, w->normed, R * D);
    return NT_OK;
}

static int run_mlp(const pass *p, size_t layer) {
    nt_runner *runner = p->runner;
    const nt_config *config = &runner->network->config;
    const nt_block *block = &runner->network->blocks[layer];
    const nt_workspace *w = &runner->work;
    nt_device *device = runner->device;
    size_t R = p->R, D = (size_t)config->D, n = R * (size_t)config->F;
    float *in = config->parallel ? w->mixed : w->normed;
    float *inner = w->inner;
    if (!config->parallel) normalize(runner, w->normed, w->x, block->ln2_gain, block->ln2_bias, R);
    ready(runner, in, R * D);
    device->ops->matmul(device, inner, in, &block->mlp_in, block->mlp_in_bias, R);
    if (config->gated) {
        inner = w->gate;
        device->ops->matmul(device, inner, in, &block->mlp_gate, block->mlp_gate_bias, R);
        device->ops->gate(device, config->activation, inner, w->inner, n);
    } else {
        device->ops->activate(device, config->activation, inner, n);
    }
    ready(runner, inner, n);
    device->ops->matmul(device, w->normed, inner, &block->mlp_out, block->mlp_out_bias, R);
    NT_TRY(look(p, NT_POINT_MLP_OUT, layer, w->normed, D, 0, R));
    device->ops->add(device, w->x, w->normed, R * D);
    return NT_OK;
}

/* ---- The head ---- */

/* Logits that are no numbers come from weights that are none, or from an overflow. `at` is where:
 * "position" 7, "state" 3. */
static int fail_broken(const nt_runner *runner, target at, size_t id, float logit) {
    NT_TRY(nt_network_check_finite(runner->network));
    return nt_fail(NT_E_NUMERIC,
                   "the arithmetic overflowed at %s %zu%s: the logit of id %zu is %s; all weights "
                   "are finite, so some are too large for %s",
                   at.kind, at.number, runner->points.n_edits ? " (or an edit's values did)" : "",
                   id, isnan(logit) ? "NaN" : "infinite",
                   runner->network->precision == NT_PRECISION_BF16 ? "bfloat16" : "float32");
}

/* Rows that have gone through the head. */
typedef struct finished {
    const pass *p;
    nt_logits_row rows[NT_HEAD_ROWS];
} finished;

static void show_row(void *payload, size_t i) {
    const finished *f = payload;
    f->p->each(f->p->payload, &f->rows[i]);
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
    normalize(runner, w->head_in, w->head_in, network->lnf_gain, network->lnf_bias, n);
    for (size_t i = 0; i < n; i++) {
        float *y = w->head_in + i * D;
        NT_TRY(look(p, NT_POINT_FINAL_NORM, 0, y, D, picked[i], picked[i] + 1));
        if (!wants_logits(p, picked[i])) continue;
        if (wanted < i) memcpy(w->head_in + wanted * D, y, D * sizeof *y);
        picked[wanted++] = picked[i];
    }
    if (wanted == 0) return NT_OK;
    ready(runner, w->head_in, wanted * D);
    device->ops->matmul(device, w->logits, w->head_in, &network->head, NULL, wanted);
    finished f = {.p = p};
    for (size_t i = 0; i < wanted; i++) {
        const row *from = &p->rows[picked[i]];
        f.rows[i] = (nt_logits_row){from->input, from->t, w->logits + i * V};
    }
    const nt_logits_reader reader = {show_row, &f};
    size_t at, id;
    if (!nt_logits_finite(device->pool, w->logits, wanted, V, &at, &id, p->each ? &reader : NULL))
        return fail_broken(runner, (target){"position", (size_t)w->position[picked[at]]}, id,
                           w->logits[at * V + id]);
    if (!p->each) NT_TRY(p->logits(p->payload, f.rows, wanted));
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
    device->ops->embed(device, w->x, &network->wte, network->wpe.data ? &network->wpe : NULL,
                       w->ids, w->stands, R);
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

/* ---- Chunks ---- */

static bool is_brief(const nt_input *input) {
    return input->n_ids <= NT_CHUNK;
}

/* Gives an input that stands alone a sequence, with room for its ids. */
static int begin_alone(const pass *p, size_t i) {
    const nt_input *input = &p->inputs[i];
    nt_kv *kv = p->runner->kv;
    int32_t sequence;
    NT_TRY(is_brief(input) ? nt_kv_brief_new(&sequence, kv) : nt_kv_sequence_new(&sequence, kv));
    p->runner->places[i].sequence = sequence;
    return nt_kv_extend(kv, sequence, input->n_ids);
}

/* Drops what begin_alone gave to inputs [begin, end). */
static void end_alone(const pass *p, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        place *at = &p->runner->places[i];
        if (p->inputs[i].sequence != NT_ALONE || at->sequence == NT_ALONE) continue;
        nt_kv_drop(p->runner->kv, at->sequence);
        at->sequence = NT_ALONE;
    }
}

/* Fills the chunk with the next rows, starting after *input, *t, which move on. It ends early where
 * an input must lie in one chunk and does not fit any more. */
static int next_chunk(pass *p, size_t *input, size_t *t) {
    nt_runner *runner = p->runner;
    p->R = 0;
    while (*input < p->n_inputs && p->R < NT_CHUNK) {
        const nt_input *from = &p->inputs[*input];
        if (from->sequence == NT_ALONE && *t == 0) {
            if (is_brief(from) && from->n_ids > NT_CHUNK - p->R) break;
            NT_TRY(begin_alone(p, *input));
        }
        size_t n = from->n_ids - *t < NT_CHUNK - p->R ? from->n_ids - *t : NT_CHUNK - p->R;
        for (size_t end = *t + n; *t < end; ++*t, p->R++) {
            p->rows[p->R] = (row){*input, *t};
            runner->work.ids[p->R] = from->ids[*t];
            const place *to = &runner->places[*input];
            runner->work.position[p->R] = (int32_t)(to->length + *t);
            runner->work.stands[p->R] = (int32_t)((int64_t)(to->length + *t) + to->shift);
            bool own = !from->padding || to->length == 0; /* see is_blank for the latter */
            runner->work.sees[p->R] = (int32_t)(own ? to->length + *t : to->length - 1);
        }
        if (*t == from->n_ids) {
            *t = 0;
            ++*input;
        }
    }
    return NT_OK;
}

/* Where a sequence's next id stands. */
static size_t end_of(const place *to) {
    return (size_t)((int64_t)to->length + to->shift);
}

/* The cosines and sines of all positions of a call, where positions are rotary. */
static int ready_turns(const pass *p) {
    nt_runner *runner = p->runner;
    const nt_network *network = runner->network;
    size_t longest = 0;
    if (!network->frequencies) return NT_OK;
    for (size_t i = 0; i < p->n_inputs; i++) {
        size_t end = end_of(&runner->places[i]) + p->inputs[i].n_ids;
        longest = end > longest ? end : longest;
    }
    return nt_turns_ready(&runner->work.turns, network->frequencies, (size_t)network->config.rope.n,
                          longest);
}

static int run(pass *p) {
    nt_runner *runner = p->runner;
    const nt_callbacks *callbacks = p->callbacks;
    size_t total = 0, wanted = 0, done = 0, input = 0, t = 0;
    for (size_t i = 0; i < p->n_inputs; i++) {
        const nt_input *from = &p->inputs[i];
        total += from->n_ids;
        if (from->wanted < from->n_ids) wanted += from->n_ids - from->wanted;
    }
    NT_TRY(cancelled(p));
    NT_TRY(nt_workspace_ready(&runner->work, &runner->network->config, total, wanted));
    NT_TRY(ready_turns(p));
    for (size_t i = 0; i < p->n_inputs; i++)
        if (p->inputs[i].sequence != NT_ALONE)
            NT_TRY(nt_kv_extend(runner->kv, p->inputs[i].sequence, p->inputs[i].n_ids));
    while (done < total) {
        size_t first = input;
        NT_TRY(next_chunk(p, &input, &t));
        NT_TRY(run_chunk(p));
        end_alone(p, first, input);
        done += p->R;
        if (callbacks && callbacks->progress)
            callbacks->progress(callbacks->payload, "tokens", done, total);
    }
    return NT_OK;
}

/* The pass, whose rows' receiver is known. */
static int step(pass *p, nt_runner *runner, const nt_input *inputs, size_t n_inputs,
                const nt_callbacks *callbacks) {
    p->runner = runner;
    p->inputs = inputs;
    p->n_inputs = n_inputs;
    p->callbacks = callbacks;
    NT_TRY(check_inputs(p));
    int status = run(p);
    if (status != NT_OK) end_alone(p, 0, n_inputs);
    for (size_t i = 0; i < n_inputs; i++)
        if (inputs[i].sequence != NT_ALONE && (status != NT_OK || inputs[i].padding))
            nt_kv_truncate(runner->kv, inputs[i].sequence, runner->places[i].length);
    return status;
}

int nt_runner_step(nt_runner *runner, const nt_input *inputs, size_t n_inputs, nt_logits_fn logits,
                   void *payload, const nt_callbacks *callbacks) {
    runner->pass.logits = logits;
    runner->pass.each = NULL;
    runner->pass.payload = payload;
    return step(&runner->pass, runner, inputs, n_inputs, callbacks);
}

int nt_runner_step_each(nt_runner *runner, const nt_input *inputs, size_t n_inputs,
                        nt_logits_each_fn each, void *payload, const nt_callbacks *callbacks) {
    runner->pass.logits = NULL;
    runner->pass.each = each;
    runner->pass.payload = payload;
    return step(&runner->pass, runner, inputs, n_inputs, callbacks);
}

/* ---- Reading out ---- */

int nt_runner_read_out(nt_runner *runner, const float *states, size_t n, nt_logits_fn logits,
                       void *payload) {
    const nt_network *network = runner->network;
    nt_device *device = runner->device;
    nt_workspace *w = &runner->work;
    size_t D = (size_t)network->config.D, V = (size_t)network->config.V, at, id;
    if (n == 0) return NT_OK;
    if (!states || !logits) return nt_fail(NT_E_ARGUMENT, "no states to read out, or no place");
    NT_TRY(nt_workspace_read_out(w, &network->config, n));
    for (size_t begin = 0, R; begin < n; begin += R) {
        R = n - begin < w->read_rows ? n - begin : w->read_rows;
        normalize(runner, w->read_in, states + begin * D, network->lnf_gain, network->lnf_bias, R);
        ready(runner, w->read_in, R * D);
        device->ops->matmul(device, w->read_logits, w->read_in, &network->head, NULL, R);
        if (!nt_logits_finite(device->pool, w->read_logits, R, V, &at, &id, NULL))
            return fail_broken(runner, (target){"state", begin + at}, id,
                               w->read_logits[at * V + id]);
        nt_logits_row rows[NT_HEAD_ROWS];
        for (size_t r = 0; r < R; r++)
            rows[r] = (nt_logits_row){0, begin + r, w->read_logits + r * V};
        NT_TRY(logits(payload, rows, R));
    }
    return NT_OK;
}
