/* GGUF files that llama.cpp's own writer made, opened through the public interface: tokens, logits
 * and greedy ids are those of transformers over the numbers that the files hold
 * (tools/oracle/gguf_cases.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/memory.h"
#include "nextoken.h"
#include "tolerances.h"

#define FOLDER NT_SOURCE_DIR "/tests/api/data/gguf"

enum { MAX_IDS = 64, V = 292 };

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

static json_t *expected(void) {
    json_error_t error;
    json_t *cases = json_load_file(FOLDER "/expected.json", 0, &error);
    if (!cases) fail_msg("%s", error.text);
    return cases;
}

static nt_model *open_file(const char *name, bool tokenizer_only) {
    char path[400];
    nt_model *model;
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    options.tokenizer_only = tokenizer_only;
    snprintf(path, sizeof path, FOLDER "/%s.gguf", name);
    ok(nt_model_open(&model, path, &options));
    return model;
}

static size_t read_ids(int32_t *out, const json_t *ids) {
    size_t n = json_array_size(ids);
    assert_true(n <= MAX_IDS);
    for (size_t i = 0; i < n; i++)
        out[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    return n;
}

static double largest_error(const float *logits, const json_t *wanted) {
    double worst = 0;
    for (size_t i = 0; i < V; i++)
        worst = fmax(worst, fabs((double)logits[i] - json_number_value(json_array_get(wanted, i))));
    return worst;
}

static int32_t best_of(const float *logits) {
    int32_t best = 0;
    for (int32_t i = 1; i < V; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

static void check_file(const json_t *file) {
    const char *name = json_string_value(json_object_get(file, "name"));
    nt_model *model = open_file(name, false);
    nt_session *session;
    nt_model_info info = {.size = sizeof info};
    int32_t ids[MAX_IDS], greedy[MAX_IDS], sequence;
    size_t n = read_ids(ids, json_object_get(file, "ids"));
    size_t n_greedy = read_ids(greedy, json_object_get(file, "greedy"));
    float *logits = calloc(n * V, sizeof *logits);
    ok(nt_model_get_info(&info, model));
    assert_int_equal(info.tied, json_is_true(json_object_get(file, "tied")));
    assert_true(info.n_vocab == V && info.n_context == 24 && info.n_embd == 32 &&
                info.n_layer == 2 && info.n_head == 4 && info.n_inner == 64);
    assert_string_equal(info.activation, "gelu_new");
    ok(nt_session_new(&session, model, NULL));
    ok(nt_sequence_new(&sequence, session));
    ok(nt_forward(session, sequence, ids, n, NT_WANT_ALL, logits, NULL));
    double range = json_number_value(json_object_get(file, "range")), sum = 0;
    for (size_t i = 0; i < n * V; i++)
        sum += (double)logits[i];
    const double ALLOWED = tolerance_of("f32 small", "logits")->relative;
    const float *last = logits + (n - 1) * V;
    double error = largest_error(last, json_object_get(file, "logits")) / range;
    double of_sum = fabs(sum - json_number_value(json_object_get(file, "sum"))) / (double)(n * V);
    print_message("%s: %zu bytes of weights; largest error %.2g of the range, %.0f %% of the %.0g "
                  "allowed\n",
                  name, (size_t)info.n_weight_bytes, error, 100 * error / ALLOWED, ALLOWED);
    assert_true(error <= ALLOWED && of_sum <= ALLOWED * range);
    for (size_t i = 0; i < n_greedy; i++) {
        int32_t best = best_of(last);
        assert_int_equal(best, greedy[i]);
        ok(nt_forward(session, sequence, &best, 1, NT_WANT_LAST, logits, NULL));
        last = logits;
    }
    free(logits);
    nt_session_free(session);
    nt_model_free(model);
}

static void logits_and_greedy_ids(void **state) {
    (void)state;
    json_t *cases = expected(), *file;
    size_t i;
    json_array_foreach(json_object_get(cases, "files"), i, file) check_file(file);
    assert_int_equal(i, 4);
    json_decref(cases);
}

static void check_text(const nt_model *model, const json_t *text) {
    int32_t ids[MAX_IDS];
    const json_t *content = json_array_get(text, 0);
    size_t n = read_ids(ids, json_array_get(text, 1));
    int32_t *found;
    size_t n_found;
    ok(nt_encode(&found, NULL, NULL, &n_found, nt_model_tokenizer(model),
                 json_string_value(content), json_string_length(content), NULL));
    assert_int_equal(n_found, n);
    if (n) assert_memory_equal(found, ids, n * sizeof *ids);
    nt_free(found);
}

static void tokens(void **state) {
    (void)state;
    json_t *cases = expected(), *text;
    size_t i;
    for (int only = 0; only < 2; only++) {
        nt_model *model = open_file("q8_0", only);
        const nt_tokenizer *tokenizer = nt_model_tokenizer(model);
        json_array_foreach(json_object_get(cases, "texts"), i, text) check_text(model, text);
        assert_int_equal(i, 6);
        assert_int_equal(nt_tokenizer_size(tokenizer), 291); /* the last id has no token */
        assert_int_equal(nt_tokenizer_bos(tokenizer), 289);
        assert_int_equal(nt_tokenizer_eos(tokenizer), 289);
        assert_int_equal(nt_tokenizer_pad(tokenizer), 290);
        assert_true(nt_tokenizer_is_special(tokenizer, 289));
        assert_false(nt_tokenizer_is_special(tokenizer, 290));
        nt_model_free(model);
    }
    json_decref(cases);
}

/* Generation ends at the file's EOS, which a bias brings at once. */
static void eos_is_the_files(void **state) {
    (void)state;
    nt_model *model = open_file("f16", false);
    nt_session *session;
    nt_result *result;
    const int32_t end = 289;
    const nt_bias bias = {&end, 1, 1000};
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.sequence_bias = &bias;
    options.n_sequence_bias = 1;
    ok(nt_session_new(&session, model, NULL));
    ok(nt_generate(&result, session, nt_text("the"), &options));
    const nt_output *made = nt_result_output(result, 0);
    assert_int_equal(made->n_ids, 1);
    assert_string_equal(made->finish_reason, "stop");
    nt_result_free(result);
    nt_session_free(session);
    nt_model_free(model);
}

static void what_is_no_model(void **state) {
    (void)state;
    char path[400];
    nt_model *model;
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s/tests/cut.gguf", NT_BINARY_DIR);
    for (int only = 0; only < 2; only++) {
        options.tokenizer_only = only;
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs("GGUF\3", file);
        fclose(file);
        assert_int_equal(nt_model_open(&model, path, &options), NT_E_FORMAT);
        assert_non_null(strstr(nt_error_message(), "cut short"));
        assert_null(model);
        file = fopen(path, "wb");
        assert_non_null(file);
        fputs("a text", file);
        fclose(file);
        assert_int_equal(nt_model_open(&model, path, &options), NT_E_FORMAT);
    }
    remove(path);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        nt_model *model;
        nt_memory_fail_at(++k);
        status = nt_model_open(&model, FOLDER "/q4_0.gguf", NULL);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        nt_model_free(model);
    }
    assert_true(k > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_and_greedy_ids),     cmocka_unit_test(tokens),
        cmocka_unit_test(eos_is_the_files),          cmocka_unit_test(what_is_no_model),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
