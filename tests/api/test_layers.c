/* What layers say and where heads look against transformers' figures (tools/oracle/layers.py), a
 * family with shared heads among them; what is kept and what is refused; memory. */
#include "model/families.h"

#include "base/memory.h"
#include "nextoken.h"

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

typedef struct opened {
    nt_model *model;
    nt_session *session;
    int32_t *ids;
    size_t T;
} opened;

static opened open_case(const json_t *one) {
    const char *args[CHECKPOINT_ARGS], *name = json_string_value(member(one, "name"));
    char folder[CHECKPOINT_PATH];
    opened o;
    assert_int_equal(checkpoint_make(name, args, arguments_of(args, one)), 0);
    checkpoint_path(folder, name);
    o.ids = ids_of(&o.T, member(one, "ids"));
    ok(nt_model_open(&o.model, folder, NULL));
    ok(nt_session_new(&o.session, o.model, NULL));
    return o;
}

static void close_case(opened *o) {
    nt_session_free(o->session);
    nt_model_free(o->model);
    free(o->ids);
}

static void near(double expected, double found, double allowed, const char *what) {
    if (!(fabs(expected - found) <= allowed))
        fail_msg("%s: expected %.9g, found %.9g", what, expected, found);
}

/* Whether one of several equally likely ids may stand at place i. */
static bool is_tied(const json_t *probs, size_t i) {
    size_t n = json_array_size(probs);
    double p = number(probs, i);
    return i + 1 == n || (i > 0 && number(probs, i - 1) - p < 1e-4 * p) ||
           p - number(probs, i + 1) < 1e-4 * p;
}

static void check_cell(const json_t *expected, const nt_layer_cell *cell) {
    const json_t *ids = member(expected, "ids"), *probs = member(expected, "probs");
    const json_t *rank = member(expected, "rank");
    assert_int_equal(cell->n_likeliest, json_array_size(ids));
    for (size_t i = 0; i < cell->n_likeliest; i++) {
        const nt_layer_choice *choice = &cell->likeliest[i];
        near(number(probs, i), choice->prob, 2e-5, "prob");
        near(log(number(probs, i)), choice->logprob, 1e-3, "logprob");
        if (!is_tied(probs, i)) assert_int_equal(choice->token.id, whole(ids, i));
    }
    near(json_number_value(member(expected, "entropy")), cell->entropy, 5e-4, "entropy");
    near(json_number_value(member(expected, "next_prob")), cell->next_prob, 2e-5, "next prob");
    assert_in_range(cell->next_rank, whole(rank, 0), whole(rank, 1));
}

static void check_layers(opened *o, const json_t *one) {
    const json_t *layers = member(one, "layers"), *positions = member(one, "positions");
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    nt_result *r;
    options.layers = 5;
    ok(nt_inspect(&r, o->session, nt_ids(o->ids, o->T), &options));
    assert_int_equal(nt_result_n_layers(r), json_array_size(layers));
    for (size_t l = 0; l < json_array_size(layers); l++)
        for (size_t p = 0; p < json_array_size(positions); p++)
            check_cell(json_array_get(json_array_get(layers, l), p),
                       nt_result_layer(r, l, whole(positions, p)));
    for (size_t t = 0; t + 1 < o->T; t++)
        assert_int_equal(nt_result_layer_next(r, t)->id, o->ids[t + 1]);
    assert_int_equal(nt_result_layer_next(r, o->T - 1)->id,
                     json_integer_value(member(one, "last")));
    const nt_layer_cell *end = nt_result_layer(r, nt_result_n_layers(r) - 1, o->T - 1);
    assert_int_equal(end->next_rank, 1);
    assert_true(end->next_prob == end->likeliest[0].prob);
    assert_null(nt_result_layer(r, nt_result_n_layers(r), 0));
    assert_null(nt_result_layer(r, 0, o->T));
    assert_null(nt_result_layer_next(r, o->T));
    assert_int_equal(nt_result_n_attentions(r), 0);
    assert_null(nt_result_tensor(r, "logit_lens_uncalibrated"));
    nt_result_free(r);
}

static void check_heads(opened *o, const json_t *one) {
    const json_t *heads = member(one, "heads"), *positions = member(one, "positions");
    for (size_t h = 0; h < json_array_size(heads); h++) {
        const json_t *expected = json_array_get(heads, h), *rows = member(expected, "rows");
        nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
        nt_result *r;
        options.attention = true;
        options.attention_layer = (int32_t)json_integer_value(member(expected, "layer"));
        options.attention_head = (int32_t)json_integer_value(member(expected, "head"));
        ok(nt_inspect(&r, o->session, nt_ids(o->ids, o->T), &options));
        assert_int_equal(nt_result_n_attentions(r), 1);
        const nt_head_weights *of = nt_result_attention(r, 0);
        assert_int_equal(of->layer, options.attention_layer);
        assert_int_equal(of->head, options.attention_head);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            size_t t = whole(positions, i);
            for (size_t s = 0; s < o->T; s++)
                near(s <= t ? number(json_array_get(rows, i), s) : 0, of->weights[t * o->T + s],
                     1e-5, "weight");
        }
        assert_null(nt_result_attention(r, 1));
        nt_result_free(r);
    }
}

/* Every head beside their mean is what it is alone. */
static void check_all_heads(opened *o) {
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    nt_result *r;
    options.attention = options.attention_heads = true;
    options.attention_layer = 1;
    ok(nt_inspect(&r, o->session, nt_ids(o->ids, o->T), &options));
    size_t n = nt_result_n_attentions(r);
    assert_true(n > 1);
    assert_int_equal(nt_result_attention(r, 0)->head, NT_EVERY);
    for (size_t h = 1; h < n; h++) {
        nt_result *alone;
        const nt_head_weights *of = nt_result_attention(r, h);
        assert_int_equal(of->head, h - 1);
        options.attention_heads = false;
        options.attention_head = of->head;
        ok(nt_inspect(&alone, o->session, nt_ids(o->ids, o->T), &options));
        assert_memory_equal(of->weights, nt_result_attention(alone, 0)->weights,
                            o->T * o->T * sizeof(float));
        nt_result_free(alone);
    }
    nt_result_free(r);
}

static json_t *fixture(void) {
    json_error_t error;
    const char *path = NT_SOURCE_DIR "/tests/api/data/layers.json";
    json_t *made = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!made) fail_msg("%s: %s", path, error.text);
    assert_true(json_array_size(member(made, "cases")) > 0);
    return made;
}

static void layers_and_heads_are_transformers(void **state) {
    (void)state;
    json_t *made = fixture();
    const json_t *cases = member(made, "cases");
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        opened o = open_case(one);
        check_layers(&o, one);
        check_heads(&o, one);
        if (o.T < 100) check_all_heads(&o);
        close_case(&o);
    }
    json_decref(made);
}

static int refused(opened *o, nt_inspect_options options) {
    nt_result *r;
    int status = nt_inspect(&r, o->session, nt_ids(o->ids, o->T), &options);
    assert_null(r);
    return status;
}

/* The numbers do not depend on what else is kept, and what does not exist is refused. */
static void options_do_not_meet(void **state) {
    (void)state;
    json_t *made = fixture();
    opened o = open_case(json_array_get(member(made, "cases"), 0));
    nt_inspect_options few = NT_INSPECT_OPTIONS_INIT, all = NT_INSPECT_OPTIONS_INIT;
    nt_result *a, *b;
    few.layers = all.layers = 3;
    all.logits = all.logit_lens = all.attentions = all.attention = true;
    ok(nt_inspect(&a, o.session, nt_ids(o.ids, o.T), &few));
    ok(nt_inspect(&b, o.session, nt_ids(o.ids, o.T), &all));
    for (size_t l = 0; l < nt_result_n_layers(a); l++) {
        for (size_t t = 0; t < o.T; t++) {
            const nt_layer_cell *x = nt_result_layer(a, l, t), *y = nt_result_layer(b, l, t);
            assert_true(x->entropy == y->entropy && x->next_rank == y->next_rank &&
                        x->next_logprob == y->next_logprob);
            for (size_t i = 0; i < 3; i++)
                assert_true(x->likeliest[i].logprob == y->likeliest[i].logprob);
        }
    }
    nt_result_free(a);
    nt_result_free(b);
    all = (nt_inspect_options)NT_INSPECT_OPTIONS_INIT;
    all.layers = INT32_MAX; /* the whole vocabulary */
    ok(nt_inspect(&a, o.session, nt_ids(o.ids, 3), &all));
    const nt_layer_cell *cell = nt_result_layer(a, 1, 1);
    double sum = 0;
    for (size_t i = 0; i < cell->n_likeliest; i++)
        sum += cell->likeliest[i].prob;
    near(1, sum, 1e-9, "sum of all");
    nt_result_free(a);
    all.layers = -1;
    assert_int_equal(refused(&o, all), NT_E_RANGE);
    all.layers = 0;
    all.attention = true;
    all.attention_layer = 1000;
    assert_int_equal(refused(&o, all), NT_E_RANGE);
    all.attention_layer = -1;
    assert_int_equal(refused(&o, all), NT_E_RANGE);
    all.attention_layer = 0;
    all.attention_head = 1000;
    assert_int_equal(refused(&o, all), NT_E_RANGE);
    all.attention_head = -2;
    assert_int_equal(refused(&o, all), NT_E_RANGE);
    close_case(&o);
    json_decref(made);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    json_t *made = fixture();
    opened o = open_case(json_array_get(member(made, "cases"), 0));
    nt_inspect_options options = NT_INSPECT_OPTIONS_INIT;
    options.layers = 2;
    options.attention = options.attention_heads = true;
    size_t failed = 0;
    for (size_t k = 1;; k++, failed++) {
        nt_result *r;
        nt_memory_fail_at(k);
        int status = nt_inspect(&r, o.session, nt_ids(o.ids, 5), &options);
        nt_memory_fail_at(0);
        if (status == NT_OK) {
            nt_result_free(r);
            break;
        }
        assert_int_equal(status, NT_E_MEMORY);
        assert_null(r);
        assert_true(k < 5000);
    }
    assert_true(failed > 10);
    close_case(&o);
    json_decref(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_heads_are_transformers),
        cmocka_unit_test(options_do_not_meet),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
