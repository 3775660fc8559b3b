/* The forward pass against transformers' figures: logits, hidden states, attention, loss, greedy
 * continuations and edits at every point, checkpoint by checkpoint. With an argument: that fixture
 * alone (the gpt2-shaped one lies in the folder of the ctest fixture `checkpoints`). */
#include "oracle.h"

#include <zlib.h>

#include "base/math.h"
#include "model/forward.h"

static const char *const fixtures[] = {
    "plain",          "odd-heads-60", "odd-heads-42", "inverse-layer", "upcast", "untied",
    "different-head", "shards-f16",   "bf16",         "f64",           "deep",   "one-wide-head",
    "vocabulary",     "activations",
};

/* What one checkpoint's comparisons used, and what runs it. */
typedef struct checked {
    nt_network *network;
    nt_runner *runner;
    used logits, logsumexp, hidden, attention, loss, edited;
    size_t greedy_steps, greedy_ties;
} checked;

typedef struct rows {
    float *logits; /* [n, V] */
    size_t V;
} rows;

static int keep_row(void *payload, size_t input, size_t t, const float *logits) {
    rows *r = payload;
    (void)input;
    memcpy(r->logits + t * r->V, logits, r->V * sizeof *logits);
    return NT_OK;
}

/* Logits [n, V] of all ids from an empty sequence; free() them. */
static float *run_all(nt_runner *runner, const int32_t *ids, size_t n) {
    size_t V = (size_t)nt_runner_network(runner)->config.V;
    rows r = {malloc(n * V * sizeof(float)), V};
    assert_non_null(r.logits);
    nt_input input = {.ids = ids, .n_ids = n, .want = NT_WANT_ALL};
    assert_int_equal(nt_kv_sequence_new(&input.sequence, nt_runner_kv(runner)), NT_OK);
    if (nt_runner_step(runner, &input, 1, keep_row, &r, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    nt_kv_drop(nt_runner_kv(runner), input.sequence);
    return r.logits;
}

/* The range that errors of logits are measured by. */
static double logits_range(const json_t *expected) {
    const json_t *max = member(expected, "max"), *min = member(expected, "min");
    double range = 0;
    for (size_t i = 0; i < json_array_size(max); i++)
        if (number(max, i) - number(min, i) > range) range = number(max, i) - number(min, i);
    return range;
}

static void check_logits(checked *c, used *u, const json_t *expected, const float *logits) {
    size_t V = (size_t)c->network->config.V, k = 0;
    const json_t *positions = member(expected, "positions"), *ids = member(expected, "ids");
    size_t n_ids = json_array_size(ids) ? json_array_size(ids) : V;
    double range = logits_range(expected);
    assert_int_equal(json_array_size(member(expected, "values")),
                     n_ids * json_array_size(positions));
    for (size_t p = 0; p < json_array_size(positions); p++) {
        const float *row = logits + whole(positions, p) * V;
        float max = row[0], min = row[0];
        for (size_t i = 0; i < n_ids; i++, k++) {
            size_t id = json_array_size(ids) ? whole(ids, i) : i;
            compare(u, number(member(expected, "values"), k), row[id], range);
        }
        for (size_t i = 1; i < V; i++) {
            max = row[i] > max ? row[i] : max;
            min = row[i] < min ? row[i] : min;
        }
        compare(u, number(member(expected, "max"), p), max, range);
        compare(u, number(member(expected, "min"), p), min, range);
        compare(u, number(member(expected, "max"), p),
                row[whole(member(expected, "argmax"), p)], range);
        compare(&c->logsumexp, number(member(expected, "logsumexp"), p),
                nt_softmax_of(row, V).logsum, range);
    }
}

/* Everything that captures saw, as transformers lays it out. */
typedef struct seen {
    float *hidden;    /* [L + 1, T, D] */
    float *attention; /* [L, H, T, T] */
    size_t L, H, T, D;
} seen;

static int see(void *payload, const nt_seen *at) {
    seen *s = payload;
    size_t layer = (size_t)at->place.layer, t = (size_t)at->place.position;
    if (at->place.point == NT_POINT_ATTENTION) {
        size_t row = (layer * s->H + (size_t)at->place.head) * s->T + t;
        assert_int_equal(at->n, t + 1);
        memcpy(s->attention + row * s->T, at->values, at->n * sizeof(float));
        return 0;
    }
    assert_int_equal(at->n, s->D);
    size_t state = at->place.point == NT_POINT_EMBEDDING    ? 0
                   : at->place.point == NT_POINT_FINAL_NORM ? s->L
                                                            : layer + 1;
    if (at->place.point == NT_POINT_BLOCK_OUT && layer + 1 == s->L) return 0;
    memcpy(s->hidden + (state * s->T + t) * s->D, at->values, s->D * sizeof(float));
    return 0;
}

static void check_hidden(checked *c, const json_t *expected, const seen *s) {
    const json_t *positions = member(expected, "positions"), *dims = member(expected, "dims");
    const json_t *values = member(expected, "values");
    double range = range_of(values);
    size_t k = 0;
    for (size_t l = 0; l <= s->L; l++)
        for (size_t p = 0; p < json_array_size(positions); p++)
            for (size_t d = 0; d < json_array_size(dims); d++, k++)
                compare(&c->hidden, number(values, k),
                        s->hidden[(l * s->T + whole(positions, p)) * s->D + whole(dims, d)], range);
    assert_int_equal(k, json_array_size(values));
}

static void check_attention(checked *c, const json_t *expected, const seen *s) {
    const json_t *queries = member(expected, "queries"), *keys = member(expected, "keys");
    const json_t *values = member(expected, "values");
    size_t k = 0;
    for (size_t lh = 0; lh < s->L * s->H; lh++)
        for (size_t q = 0; q < json_array_size(queries); q++)
            for (size_t i = 0; i < json_array_size(keys); i++, k++)
                compare(&c->attention, number(values, k),
                        s->attention[(lh * s->T + whole(queries, q)) * s->T + whole(keys, i)], 1);
    assert_int_equal(k, json_array_size(values));
}

/* Runs with captures at every point that transformers shows, and gives the same logits with them. */
static void check_states(checked *c, const json_t *prompt, const int32_t *ids, size_t T,
                         const float *plain) {
    const nt_config *config = &c->network->config;
    seen s = {.L = (size_t)config->L, .H = (size_t)config->H, .T = T, .D = (size_t)config->D};
    s.hidden = calloc((s.L + 1) * T * s.D, sizeof(float));
    s.attention = calloc(s.L * s.H * T * T, sizeof(float));
    assert_true(s.hidden && s.attention);
    nt_capture captures[] = {
        {{NT_POINT_EMBEDDING, NT_EVERY, NT_EVERY, NT_EVERY}, see, &s},
        {{NT_POINT_BLOCK_OUT, NT_EVERY, NT_EVERY, NT_EVERY}, see, &s},
        {{NT_POINT_FINAL_NORM, NT_EVERY, NT_EVERY, NT_EVERY}, see, &s},
        {{NT_POINT_ATTENTION, NT_EVERY, NT_EVERY, NT_EVERY}, see, &s},
    };
    nt_points *points = nt_runner_points(c->runner);
    assert_int_equal(nt_points_set_captures(points, config, captures, 4), NT_OK);
    float *logits = run_all(c->runner, ids, T);
    assert_int_equal(nt_points_set_captures(points, config, NULL, 0), NT_OK);
    assert_memory_equal(logits, plain, T * (size_t)config->V * sizeof(float));
    free(logits);
    check_hidden(c, member(prompt, "hidden"), &s);
    check_attention(c, member(prompt, "attention"), &s);
    free(s.hidden);
    free(s.attention);
}

static double loss_of(const float *logits, const int32_t *labels, size_t T, size_t V) {
    double sum = 0;
    size_t counted = 0;
    for (size_t t = 0; t + 1 < T; t++) {
        if (labels[t + 1] == -100) continue;
        const float *row = logits + t * V;
        sum += nt_softmax_of(row, V).logsum - row[labels[t + 1]];
        counted++;
    }
    return sum / (double)counted;
}

static void check_loss(checked *c, const json_t *expected, const int32_t *ids, size_t T,
                       const float *logits) {
    size_t V = (size_t)c->network->config.V, n;
    int32_t *labels = ids_of(&n, member(expected, "labels"));
    assert_int_equal(n, T);
    double loss = json_number_value(member(expected, "loss"));
    double own = json_number_value(member(expected, "own"));
    compare(&c->loss, loss, loss_of(logits, labels, T, V), loss);
    compare(&c->loss, own, loss_of(logits, ids, T, V), own);
    free(labels);
}

/* Token by token; a step whose margin float error could turn ends the comparison, and is told. */
static void check_greedy(checked *c, const json_t *expected, const int32_t *ids, size_t T,
                         double range) {
    const json_t *next = member(expected, "ids"), *margins = member(expected, "margins");
    size_t V = (size_t)c->network->config.V;
    float *row = malloc(T * V * sizeof *row);
    rows r = {row, V};
    assert_non_null(row);
    nt_input input = {.ids = ids, .n_ids = T, .want = NT_WANT_LAST};
    assert_int_equal(nt_kv_sequence_new(&input.sequence, nt_runner_kv(c->runner)), NT_OK);
    for (size_t i = 0; i < json_array_size(next); i++) {
        assert_int_equal(nt_runner_step(c->runner, &input, 1, keep_row, &r, NULL), NT_OK);
        const float *last = row + (input.n_ids - 1) * V;
        int32_t best = 0;
        for (size_t id = 1; id < V; id++)
            if (last[id] > last[best]) best = (int32_t)id;
        if (number(margins, i) < 2 * tolerance_of("f32", "logits")->relative * range) {
            c->greedy_ties++;
            break;
        }
        assert_int_equal(best, (int32_t)number(next, i));
        c->greedy_steps++;
        input.ids = &best;
        input.n_ids = 1;
        if (nt_kv_length(nt_runner_kv(c->runner), input.sequence) == (size_t)c->network->config.T)
            break;
        int32_t chosen = best;
        input.ids = &chosen;
        if (i + 1 == json_array_size(next)) break;
        assert_int_equal(nt_runner_step(c->runner, &input, 1, keep_row, &r, NULL), NT_OK);
        nt_kv_truncate(nt_runner_kv(c->runner), input.sequence, T + i);
        assert_int_equal(nt_kv_length(nt_runner_kv(c->runner), input.sequence), T + i);
    }
    nt_kv_drop(nt_runner_kv(c->runner), input.sequence);
    free(row);
}
