/* The logit lens against transformers' figures (tools/oracle/lens.py): every layer of checkpoints
 * of several kinds, one with GPT-2's vocabulary and 300 positions. */
#include "model/oracle.h"

#include "base/math.h"
#include "nextoken.h"

typedef struct checked {
    used values, logsumexp;
    size_t V;
} checked;

/* One layer's lens [T, V] against its figures. */
static void check_layer(checked *c, const json_t *expected, const float *lens) {
    const json_t *positions = member(expected, "positions"), *ids = member(expected, "ids");
    const json_t *max = member(expected, "max"), *min = member(expected, "min");
    size_t n_ids = json_array_size(ids), k = 0;
    double range = 0;
    assert_true(n_ids > 0 && json_array_size(positions) > 0);
    assert_int_equal(json_array_size(member(expected, "values")),
                     n_ids * json_array_size(positions));
    for (size_t p = 0; p < json_array_size(max); p++)
        if (number(max, p) - number(min, p) > range) range = number(max, p) - number(min, p);
    for (size_t p = 0; p < json_array_size(positions); p++) {
        const float *row = lens + whole(positions, p) * c->V;
        for (size_t i = 0; i < n_ids; i++, k++)
            compare(&c->values, number(member(expected, "values"), k), row[whole(ids, i)], range);
        float low = row[0];
        for (size_t id = 1; id < c->V; id++)
            low = row[id] < low ? row[id] : low;
        compare(&c->values, number(min, p), low, range);
        compare(&c->values, number(max, p), row[whole(member(expected, "argmax"), p)], range);
        compare(&c->logsumexp, number(member(expected, "logsumexp"), p),
                nt_softmax_of(row, c->V).logsum, range);
    }
}

static void check_case(const json_t *one) {
    const json_t *args = member(one, "mkmodel"), *layers = member(one, "layers");
    const char *name = json_string_value(member(one, "name")), *list[CHECKPOINT_ARGS];
    char folder[CHECKPOINT_PATH];
    assert_in_range(json_array_size(args), 1, CHECKPOINT_ARGS);
    for (size_t i = 0; i < json_array_size(args); i++)
        list[i] = json_string_value(json_array_get(args, i));
    assert_int_equal(checkpoint_make(name, list, json_array_size(args)), 0);
    checkpoint_path(folder, name);

    nt_model *model;
    nt_session *session;
    nt_result *r;
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    options.logit_lens = true;
    size_t T;
    int32_t *ids = ids_of(&T, member(one, "ids"));
    if (nt_model_open(&model, folder, NULL) != NT_OK ||
        nt_session_new(&session, model, NULL) != NT_OK ||
        nt_inspect(&r, session, nt_ids(ids, T), &options) != NT_OK)
        fail_msg("%s: %s", name, nt_error_message());
    const nt_tensor_view *lens = nt_result_tensor(r, "logit_lens_uncalibrated");
    assert_true(lens->n_dims == 3 && lens->shape[0] == json_array_size(layers) &&
                lens->shape[1] == T);
    checked c = {{.path = "f32 small", .type = "logits"},
                 {.path = "f32 small", .type = "logsumexp"},
                 lens->shape[2]};
    for (size_t l = 0; l < lens->shape[0]; l++)
        check_layer(&c, json_array_get(layers, l), lens->data + l * T * c.V);
    report(name, &c.values);
    report(name, &c.logsumexp);
    nt_result_free(r);
    nt_session_free(session);
    nt_model_free(model);
    free(ids);
}

static void the_lens_is_transformers(void **state) {
    (void)state;
    json_error_t error;
    const char *path = NT_SOURCE_DIR "/tests/api/data/lens.json";
    json_t *fixture = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!fixture) fail_msg("%s: %s", path, error.text);
    const json_t *cases = member(fixture, "cases");
    assert_true(json_array_size(cases) > 0);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
    json_decref(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lens_is_transformers)};
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
