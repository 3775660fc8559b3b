/* The JSON view, read back by jansson. */
#include <jansson.h>

#include "view/sample.h"

static char *view(const nt_result *t, int64_t index, size_t *n) {
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    options.format = NT_JSON;
    options.index = index;
    nt_buffer out = {0};
    assert_int_equal(nt_view_json(&out, t, &options), NT_OK);
    char *text;
    assert_int_equal(nt_buffer_take(&text, n, &out), NT_OK);
    assert_int_equal(text[*n - 1], '\n');
    assert_null(memchr(text, '\n', *n - 1));
    return text;
}

/* The view as jansson reads it; frees the trace. */
static json_t *read_back(nt_result *t) {
    size_t n;
    char *text = view(t, -1, &n);
    json_error_t error;
    json_t *object =
        json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!object) fail_msg("%s at %d in %s", error.text, error.position, text);
    nt_free(text);
    free_sample(t);
    return object;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *s = json_string_value(json_object_get(object, name));
    assert_non_null(s);
    return s;
}

static double number_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* The members after the heading, in order, with blanks between them. */
static void members_are(nt_result *t, const char *expected) {
    json_t *object = read_back(t);
    char names[512] = "";
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        strcat(names, name);
        strcat(names, " ");
    }
    const char *head = "schema model precision isa bos ";
    assert_int_equal(strncmp(names, head, strlen(head)), 0);
    assert_string_equal(names + strlen(head), expected);
    assert_string_equal(text_of(object, "schema"), "nextoken/1");
    assert_string_equal(text_of(object, "model"), "build/demo/gpt2");
    assert_string_equal(text_of(object, "precision"), "f32");
    assert_string_equal(text_of(object, "isa"), "avx512");
    assert_true(json_is_false(json_object_get(object, "bos")));
    json_decref(object);
}

static void members(void **state) {
    (void)state;
    members_are(sample_tokens(), "ids tokens token_bytes offsets ");
    members_are(sample_text(), "ids tokens token_bytes offsets text ");
    members_are(sample_next(), "ids next kept entropy ");
    members_are(sample_steps(), "prompt_ids steps ");
    members_are(sample_generate(), "prompt_ids sequences ");
    members_are(sample_score(), "ids tokens logprobs ranks entropies prompt_len counted logprob "
                                "loss perplexity ");
    members_are(sample_inspect(), "ids logits hidden_norms ");
    members_are(sample_info(), "architecture parameters weight_bytes vocab_size context layers "
                               "layer_norm_epsilon activation tied ");
}

static void index_comes_second(void **state) {
    (void)state;
    nt_result *t = sample_next();
    t->bos = true;
    size_t n;
    char *text = view(t, 0, &n);
    const char *head = "{\"schema\":\"nextoken/1\",\"index\":0,\"model\":\"build/demo/gpt2\","
                       "\"precision\":\"f32\",\"isa\":\"avx512\",\"bos\":true,";
    assert_int_equal(strncmp(text, head, strlen(head)), 0);
    nt_free(text);
    free_sample(t);
}

static void next_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_next());
    nt_result *t = sample_next();
    const json_t *next = json_object_get(object, "next");
    assert_int_equal(json_array_size(next), 10);
    for (size_t i = 0; i < 10; i++) {
        const nt_candidate *c = &t->steps[0].candidates[i];
        const json_t *entry = json_array_get(next, i);
        assert_int_equal(json_object_size(entry), 7);
        assert_int_equal(number_of(entry, "rank"), c->rank);
        assert_int_equal(number_of(entry, "id"), c->token.id);
        assert_string_equal(text_of(entry, "token"), c->token.bytes);
        float logit = (float)number_of(entry, "logit");
        assert_memory_equal(&logit, &c->logit, sizeof logit);
        assert_true(fabs(number_of(entry, "logprob") - c->logprob) < 5e-9);
        assert_true(number_of(entry, "prob") == c->prob);
        assert_true(number_of(entry, "processed_prob") == c->processed_prob);
    }
    assert_int_equal(number_of(object, "kept"), 50257);
    assert_true(number_of(object, "entropy") == 7.1234);
    free_sample(t);
    json_decref(object);
}

static void steps_values(void **state) {
    (void)state;
    nt_result *t = sample_steps();
    /* the third step took a token that is not among its five */
    t->steps[2].step.chosen = candidate(t, 77, 9999, " \xf0\x9f", 0.001);
    json_t *object = read_back(t);
    const json_t *steps = json_object_get(object, "steps"), *step = json_array_get(steps, 2);
    assert_int_equal(json_array_size(steps), 7);
    assert_int_equal(number_of(step, "step"), 2);
    assert_string_equal(text_of(step, "input"), "A long long time ago, \xc2\xa0I");
    assert_int_equal(number_of(step, "chosen"), 9999);
    const json_t *choices = json_object_get(step, "choices"), *extra = json_array_get(choices, 5);
    assert_int_equal(json_array_size(choices), 6);
    assert_int_equal(number_of(extra, "id"), 9999);
    assert_string_equal(text_of(extra, "token"), " \xef\xbf\xbd");
    assert_int_equal(json_array_size(json_object_get(extra, "bytes")), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(extra, "bytes"), 1)), 0xF0);
    step = json_array_get(steps, 3);
    assert_string_equal(text_of(step, "input"), "A long long time ago, \xc2\xa0I \xef\xbf\xbd");
    assert_int_equal(json_array_size(json_object_get(step, "choices")), 5);
    json_decref(object);
}

static void score_values(void **state) {
    (void)state;
    nt_result *t = sample_score();
    t->scored[3].logprob = -INFINITY;
    json_t *object = read_back(t);
    const json_t *logprobs = json_object_get(object, "logprobs");
    assert_int_equal(json_array_size(logprobs), 6);
    assert_true(json_is_null(json_array_get(logprobs, 0)));
    assert_true(json_is_null(json_array_get(logprobs, 3)));
    assert_true(json_real_value(json_array_get(logprobs, 1)) == -4.1477);
    assert_true(json_is_null(json_array_get(json_object_get(object, "ranks"), 0)));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(object, "ranks"), 3)), 1203);
    assert_true(json_is_null(json_array_get(json_object_get(object, "entropies"), 0)));
    assert_int_equal(number_of(object, "prompt_len"), 2);
    assert_int_equal(number_of(object, "counted"), 4);
    assert_true(fabs(number_of(object, "logprob") - -9.87430002) < 1e-12);
    json_decref(object);

    t = sample_score();
    t->totals = (nt_totals){0, NAN, NAN, 0};
    object = read_back(t);
    assert_true(json_is_null(json_object_get(object, "loss")));
    assert_true(json_is_null(json_object_get(object, "perplexity")));
    json_decref(object);
}

/* "logits" is the last row, whether the tensor holds one row or all. */
static void inspect_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_inspect());
    nt_result *t = sample_inspect();
    const json_t *logits = json_object_get(object, "logits");
    assert_int_equal(json_array_size(logits), 11);
    for (size_t i = 0; i < 11; i++) {
        float x = (float)json_number_value(json_array_get(logits, i));
        assert_memory_equal(&x, &t->tensors[0].data[6 * 11 + i], sizeof x);
    }
    assert_int_equal(json_array_size(json_object_get(object, "hidden_norms")), 13);
    free_sample(t);
    json_decref(object);
}

static void info_values(void **state) {
    (void)state;
    nt_result *t = sample_info();
    t->facts[0].key = "model"; /* the heading has it already */
    t->facts[4].number = INFINITY;
    json_t *object = read_back(t);
    assert_string_equal(text_of(object, "model"), "build/demo/gpt2");
    assert_true(json_is_integer(json_object_get(object, "parameters")));
    assert_int_equal(number_of(object, "parameters"), 124439808);
    assert_true(json_is_null(json_object_get(object, "context")));
    assert_true(number_of(object, "layer_norm_epsilon") == 1e-5);
    assert_true(json_is_true(json_object_get(object, "tied")));
    json_decref(object);
}

static void generate_values(void **state) {
    (void)state;
    json_t *object = read_back(sample_generate());
    const json_t *sequence = json_array_get(json_object_get(object, "sequences"), 0);
    assert_int_equal(json_object_size(sequence), 4);
    assert_int_equal(json_array_size(json_object_get(sequence, "ids")), 7);
    assert_true(number_of(sequence, "logprob") == -51.020016);
    assert_string_equal(text_of(sequence, "finish_reason"), "length");
    assert_int_equal(json_array_size(json_object_get(object, "prompt_ids")), 7);
    json_decref(object);
}

/* Each hostile token comes back byte for byte: from its string, or from the bytes beside it. */
static void hostile_tokens(void **state) {
    (void)state;
    nt_result *t = new_sample(NT_RESULT_TOKENS);
    t->tokens = room(t, N_HOSTILE, sizeof *t->tokens);
    t->n_tokens = N_HOSTILE;
    for (size_t i = 0; i < N_HOSTILE; i++)
        t->tokens[i] = token_of(t, (int32_t)i, hostile[i].bytes, hostile[i].n);
    t->model = "a \"model\"\n\x1b \xff";
    json_t *object = read_back(t);
    assert_string_equal(text_of(object, "model"), "a \"model\"\n\x1b \xef\xbf\xbd");
    const json_t *tokens = json_object_get(object, "tokens");
    const json_t *bytes = json_object_get(object, "token_bytes");
    assert_int_equal(json_object_size(bytes), 3);
    for (size_t i = 0; i < N_HOSTILE; i++) {
        char index[16];
        snprintf(index, sizeof index, "%zu", i);
        const json_t *list = json_object_get(bytes, index), *token = json_array_get(tokens, i);
        if (hostile[i].n == 0) {
            assert_true(json_is_null(token));
        } else if (list) {
            assert_int_equal(json_array_size(list), hostile[i].n);
            for (size_t b = 0; b < hostile[i].n; b++)
                assert_int_equal(json_integer_value(json_array_get(list, b)),
                                 (unsigned char)hostile[i].bytes[b]);
        } else {
            assert_int_equal(json_string_length(token), hostile[i].n);
            assert_memory_equal(json_string_value(token), hostile[i].bytes, hostile[i].n);
        }
    }
    json_decref(object);
}

static void random_traces(void **state) {
    (void)state;
    for (int kind = NT_RESULT_TOKENS; kind <= NT_RESULT_INFO; kind++)
        for (uint64_t seed = 100; seed < 300; seed++)
            json_decref(read_back(random_sample((nt_result_kind)kind, seed)));
}

static void unknown_kind(void **state) {
    (void)state;
    nt_result *t = new_sample((nt_result_kind)99);
    nt_view_options options = NT_VIEW_OPTIONS_INIT;
    nt_buffer out = {0};
    assert_int_equal(nt_view_json(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(nt_view_csv(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(nt_view_table(&out, t, &options), NT_E_UNSUPPORTED);
    assert_int_equal(out.n, 0);
    nt_buffer_free(&out);
    free_sample(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),        cmocka_unit_test(index_comes_second),
        cmocka_unit_test(next_values),    cmocka_unit_test(steps_values),
        cmocka_unit_test(score_values),   cmocka_unit_test(inspect_values),
        cmocka_unit_test(info_values),    cmocka_unit_test(generate_values),
        cmocka_unit_test(hostile_tokens), cmocka_unit_test(random_traces),
        cmocka_unit_test(unknown_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
