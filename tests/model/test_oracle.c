/* The forward pass against transformers' figures: logits, hidden states, attention, loss, greedy
 * continuations and edits at every point, checkpoint by checkpoint. With an argument: that fixture
 * alone (the gpt2-shaped one lies in the folder of the ctest fixture `checkpoints`). */
#include "families.h"

#include <zlib.h>

#include "base/math.h"
#include "model/forward.h"
#include "report.h"

static const char *const fixtures[] = {
    "plain",          "odd-heads-60", "odd-heads-42", "inverse-layer", "upcast", "untied",
    "different-head", "shards-f16",   "bf16",         "f64",           "deep",   "one-wide-head",
    "vocabulary",     "activations",  "gpt_neo",      "gpt_neox",      "opt",    "llama",
    "qwen2",
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

static int keep_rows(void *payload, const nt_logits_row *from, size_t n) {
    rows *r = payload;
    for (size_t i = 0; i < n; i++)
        memcpy(r->logits + from[i].t * r->V, from[i].logits, r->V * sizeof *r->logits);
    return NT_OK;
}

/* Logits [n, V] of all ids in a new sequence, which stays in *kept; free() them. */
static float *run_kept(int32_t *kept, nt_runner *runner, const int32_t *ids, size_t n) {
    size_t V = (size_t)nt_runner_network(runner)->config.V;
    rows r = {malloc(n * V * sizeof(float)), V};
    assert_non_null(r.logits);
    nt_input input = {.ids = ids, .n_ids = n, .wanted = 0};
    assert_int_equal(nt_kv_sequence_new(&input.sequence, nt_runner_kv(runner)), NT_OK);
    if (nt_runner_step(runner, &input, 1, keep_rows, &r, NULL) != NT_OK)
        fail_msg("%s", nt_error_message());
    *kept = input.sequence;
    return r.logits;
}

static float *run_all(nt_runner *runner, const int32_t *ids, size_t n) {
    int32_t sequence;
    float *logits = run_kept(&sequence, runner, ids, n);
    nt_kv_drop(nt_runner_kv(runner), sequence);
    return logits;
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
        compare(u, number(member(expected, "max"), p), row[whole(member(expected, "argmax"), p)],
                range);
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

/* Runs with captures at every point that transformers shows; returns the logits. */
static float *check_states(checked *c, int32_t *kept, const json_t *prompt, const int32_t *ids,
                           size_t T) {
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
    float *logits = run_kept(kept, c->runner, ids, T);
    assert_int_equal(nt_points_set_captures(points, config, NULL, 0), NT_OK);
    check_hidden(c, member(prompt, "hidden"), &s);
    check_attention(c, member(prompt, "attention"), &s);
    free(s.hidden);
    free(s.attention);
    return logits;
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

static int32_t best_of(const float *row, size_t V) {
    int32_t best = 0;
    for (size_t id = 1; id < V; id++)
        if (row[id] > row[best]) best = (int32_t)id;
    return best;
}

/* Goes on from the sequence of a prompt, whose last logits are given, token by token. A step whose
 * margin float error could turn ends the comparison, and is told. */
static void check_greedy(checked *c, const json_t *expected, int32_t sequence, const float *last,
                         double range) {
    const json_t *next = member(expected, "ids"), *margins = member(expected, "margins");
    size_t V = (size_t)c->network->config.V;
    rows r = {malloc(V * sizeof(float)), V};
    assert_non_null(r.logits);
    for (size_t i = 0; i < json_array_size(next); i++) {
        int32_t best = best_of(last, V);
        if (number(margins, i) < 2 * tolerance_of(c->logits.path, "logits")->relative * range) {
            c->greedy_ties++;
            break;
        }
        assert_int_equal(best, (int32_t)number(next, i));
        c->greedy_steps++;
        if (i + 1 == json_array_size(next)) break;
        nt_input input = {sequence, &best, 1, 0, false};
        assert_int_equal(nt_runner_step(c->runner, &input, 1, keep_rows, &r, NULL), NT_OK);
        last = r.logits;
    }
    free(r.logits);
}

static int named(const char *name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return (int)i;
    fail_msg("unknown name %s", name);
    return -1;
}

static nt_edit edit_of(const json_t *from, const nt_config *config, float *values) {
    static const char *const points[NT_N_POINTS] = {
        [NT_POINT_EMBEDDING] = "EMBEDDING",         [NT_POINT_BLOCK_IN] = "BLOCK_IN",
        [NT_POINT_ATTENTION] = "ATTENTION",         [NT_POINT_HEAD_OUT] = "HEAD_OUT",
        [NT_POINT_ATTENTION_OUT] = "ATTENTION_OUT", [NT_POINT_MLP_OUT] = "MLP_OUT",
        [NT_POINT_BLOCK_OUT] = "BLOCK_OUT",         [NT_POINT_FINAL_NORM] = "FINAL_NORM",
    };
    static const char *const actions[] = {"ZERO", "SCALE", "ADD", "REPLACE"};
    nt_edit edit = {.place = {.point = (nt_point)named(json_string_value(member(from, "point")),
                                                       points, NT_N_POINTS),
                              .layer = (int32_t)json_integer_value(member(from, "layer")),
                              .head = (int32_t)json_integer_value(member(from, "head")),
                              .position = (int32_t)json_integer_value(member(from, "position"))},
                    .action =
                        (nt_action)named(json_string_value(member(from, "action")), actions, 4),
                    .factor = (float)json_number_value(member(from, "factor"))};
    if (edit.action == NT_ADD || edit.action == NT_REPLACE) {
        int32_t n = edit.place.point == NT_POINT_HEAD_OUT ? config->E : config->D;
        edit.values = values;
        edit.n_values = (size_t)n;
        for (int32_t i = 0; i < n; i++)
            values[i] = (float)((i * 37 + 11) % 64 - 32) / 32;
    }
    return edit;
}

/* Each edit alone; then none, which must give the bits of the run with captures. */
static void check_edits(checked *c, const json_t *edits, const int32_t *ids, size_t T,
                        const float *plain) {
    const nt_config *config = &c->network->config;
    nt_points *points = nt_runner_points(c->runner);
    size_t bytes = T * (size_t)config->V * sizeof(float);
    float *values = malloc((size_t)config->D * sizeof *values), *logits;
    assert_non_null(values);
    for (size_t i = 0; i < json_array_size(edits); i++) {
        const json_t *from = json_array_get(edits, i);
        nt_edit edit = edit_of(from, config, values);
        if (nt_points_set_edits(points, config, &edit, 1) != NT_OK)
            fail_msg("%s", nt_error_message());
        logits = run_all(c->runner, ids, T);
        check_logits(c, &c->edited, member(from, "logits"), logits);
        assert_memory_not_equal(logits, plain, bytes);
        free(logits);
    }
    assert_int_equal(nt_points_set_edits(points, config, NULL, 0), NT_OK);
    logits = run_all(c->runner, ids, T);
    assert_memory_equal(logits, plain, bytes);
    free(logits);
    free(values);
}

static bool large(const checked *c) {
    return c->network->n_parameters > 10000000;
}

static void check_prompt(checked *c, const json_t *prompt) {
    size_t T, V = (size_t)c->network->config.V;
    int32_t *ids = ids_of(&T, member(prompt, "ids")), kept;
    const json_t *expected = member(prompt, "logits");
    bool states = json_object_get(prompt, "hidden") != NULL;
    float *logits =
        states ? check_states(c, &kept, prompt, ids, T) : run_kept(&kept, c->runner, ids, T);
    check_logits(c, &c->logits, expected, logits);
    if (states) {
        check_loss(c, member(prompt, "loss"), ids, T, logits);
        check_greedy(c, member(prompt, "greedy"), kept, logits + (T - 1) * V,
                     logits_range(expected));
        const json_t *edits = member(prompt, "edits");
        if (json_array_size(edits) || !large(c)) check_edits(c, edits, ids, T, logits);
    }
    nt_kv_drop(nt_runner_kv(c->runner), kept);
    free(logits);
    free(ids);
}

/* mkmodel must give the oracle's very bits, on any machine. */
static uint32_t crc_of(const char *folder) {
    struct dirent **entries;
    uLong crc = crc32(0, NULL, 0);
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *end = strrchr(entries[i]->d_name, '.');
        char path[CHECKPOINT_PATH + 300];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        assert_in_range(length, 1, sizeof path - 1);
        if (end && strcmp(end, ".safetensors") == 0) {
            static unsigned char chunk[1 << 20];
            FILE *file = fopen(path, "rb");
            assert_non_null(file);
            for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
                crc = crc32(crc, chunk, (uInt)got);
            fclose(file);
        }
        free(entries[i]);
    }
    free(entries);
    return (uint32_t)crc;
}

/* Without AVX-512 the reference kernels would take minutes over a long prompt of the gpt2 shape. */
static bool too_slow(const checked *c, const json_t *prompt) {
    const char *isa;
    assert_int_equal(nt_cpu_isa(&isa), NT_OK);
    return strcmp(isa, "ref") == 0 && large(c) && json_array_size(member(prompt, "ids")) > 16;
}

static void check_checkpoint(const json_t *expected, const char *folder) {
    bool big = json_integer_value(member(expected, "parameters")) > 10000000;
    const char *path = big                                    ? "f32 gpt2"
                       : json_object_get(expected, "tensors") ? "f32 families"
                                                              : "f32 small";
    checked c = {.logits = {path, "logits"},
                 .edited = {path, "edited"},
                 .logsumexp = {path, "logsumexp"},
                 .loss = {path, "loss"},
                 .hidden = {path, "hidden"},
                 .attention = {path, "attention"}};
    const char *name = json_string_value(member(expected, "name"));
    assert_int_equal(crc_of(folder), json_integer_value(member(expected, "crc32")));
    if (nt_network_open(&c.network, folder, NT_PRECISION_F32) != NT_OK)
        fail_msg("%s", nt_error_message());
    assert_int_equal(c.network->n_parameters, json_integer_value(member(expected, "parameters")));
    assert_int_equal(nt_network_check_finite(c.network), NT_OK);
    assert_int_equal(nt_runner_new(&c.runner, c.network, 2), NT_OK);
    const json_t *prompts = member(expected, "prompts");
    for (size_t i = 0; i < json_array_size(prompts); i++) {
        if (too_slow(&c, json_array_get(prompts, i)))
            printf("  %-18s long prompt left out: no AVX-512 here\n", name);
        else
            check_prompt(&c, json_array_get(prompts, i));
    }
    report(name, &c.logits);
    report(name, &c.edited);
    report(name, &c.logsumexp);
    report(name, &c.hidden);
    report(name, &c.attention);
    report(name, &c.loss);
    if (c.greedy_steps + c.greedy_ties)
        printf("  %-18s greedy     %6zu steps equal, %zu prompts ended by a tie\n", name,
               c.greedy_steps, c.greedy_ties);
    assert_true(c.logits.n > 0);
    report_error("checkpoints", name, "logits", c.logits.error / c.logits.range);
    if (c.hidden.n)
        report_error("checkpoints", name, "hidden states", c.hidden.error / c.hidden.range);
    nt_runner_free(c.runner);
    nt_network_free(c.network);
}

static void check_fixture(void **state) {
    const char *name = *state;
    char folder[CHECKPOINT_PATH];
    json_t *fixture = fixture_named(name);
    const json_t *cases = member(fixture, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        const char *list[CHECKPOINT_ARGS];
        size_t n = arguments_of(list, one);
        if (strcmp(name, "gpt2") == 0) {
            snprintf(folder, sizeof folder, "%s/checkpoints/gpt2", NT_BINARY_DIR);
        } else {
            char own[64];
            snprintf(own, sizeof own, "%s-%zu", name, i);
            checkpoint_path(folder, own);
            assert_int_equal(checkpoint_make(own, list, n), 0);
        }
        check_checkpoint(one, folder);
    }
    json_decref(fixture);
}

int main(int argc, char **argv) {
    struct CMUnitTest tests[sizeof fixtures / sizeof *fixtures];
    size_t n = argc > 1 ? 1 : sizeof tests / sizeof *tests;
    for (size_t i = 0; i < n; i++) {
        const char *name = argc > 1 ? argv[1] : fixtures[i];
        tests[i] = (struct CMUnitTest){.name = name, .test_func = check_fixture};
        tests[i].initial_state = (void *)(uintptr_t)name;
    }
    return _cmocka_run_group_tests("model_oracle", tests, n, NULL, checkpoints_remove);
}
