/* GGUF files of llama.cpp, opened through the public interface: those that its Python package wrote
 * (tools/oracle/gguf_cases.py), and those of its own converter and quantiser
 * (tools/oracle/llama.py). Tokens, logits and greedy ids are those of transformers over the
 * numbers that the files hold, and as near to llama.cpp's as its arithmetic is to these. */
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
#include "report.h"
#include "tolerances.h"

#define FOLDER NT_SOURCE_DIR "/tests/api/data/gguf"

enum { MAX_IDS = 64, V = 292 };

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

static json_t *expected(const char *name) {
    json_error_t error;
    char path[400];
    snprintf(path, sizeof path, FOLDER "/%s.json", name);
    json_t *cases = json_load_file(path, 0, &error);
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
    assert_int_equal(json_array_size(wanted), V);
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

static void check_info(const nt_model *model, const json_t *file) {
    nt_model_info info = {.size = sizeof info};
    ok(nt_model_get_info(&info, model));
    assert_int_equal(info.tied, json_is_true(json_object_get(file, "tied")));
    assert_int_equal(info.n_inner, json_integer_value(json_object_get(file, "inner")));
    assert_true(info.n_vocab == V && info.n_context == 24 && info.n_embd == 32 &&
                info.n_layer == 2 && info.n_head == 4);
    assert_string_equal(info.activation, "gelu_new");
}

static void check_greedy(nt_session *session, int32_t sequence, const float *last,
                         const json_t *wanted) {
    int32_t greedy[MAX_IDS];
    float logits[V];
    size_t n = read_ids(greedy, wanted);
    for (size_t i = 0; i < n; i++) {
        int32_t best = best_of(last);
        assert_int_equal(best, greedy[i]);
        ok(nt_forward(session, sequence, &best, 1, NT_WANT_LAST, logits, NULL));
        last = logits;
    }
}

/* llama.cpp rounds what goes into a product to the width of the weights, and GELU to float16: its
 * logits lie this far from those that the file's numbers come to, as shares of the range. */
static void check_llama_cpp(const char *name, const float *last, const json_t *file, double range) {
    static const struct {
        const char *name;
        double allowed;
    } widths[] = {{"f16", 2e-3}, {"q8_0", 2e-2}, {"q4_0", 2e-2}};
    const json_t *wanted = json_object_get(file, "llama_cpp");
    if (!wanted) return;
    double error = largest_error(last, wanted) / range;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        if (!strstr(name, widths[i].name)) continue;
        print_message("%s: llama.cpp's logits lie %.2g of the range away\n", name, error);
        assert_true(error <= widths[i].allowed);
        report_error("llama.cpp", name, "opens", error);
        return;
    }
    fail_msg("%s: a width that is not in the table", name);
}

static void check_file(const json_t *file) {
    const char *name = json_string_value(json_object_get(file, "name"));
    nt_model *model = open_file(name, false);
    nt_session *session;
    int32_t ids[MAX_IDS], sequence;
    size_t n = read_ids(ids, json_object_get(file, "ids"));
    float *logits = calloc(n * V, sizeof *logits);
    check_info(model, file);
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
    print_message("%s: largest error %.2g of the range, %.0f %% of the %.0g allowed\n", name, error,
                  100 * error / ALLOWED, ALLOWED);
    assert_true(error <= ALLOWED && of_sum <= ALLOWED * range);
    report_error("gguf", name, "opens", error);
    check_llama_cpp(name, last, file, range);
    check_greedy(session, sequence, last, json_object_get(file, "greedy"));
    free(logits);
    nt_session_free(session);
    nt_model_free(model);
}

static void logits_and_greedy_ids(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t n;
    } lists[] = {{"expected", 4}, {"llama_cpp", 3}};
    for (size_t k = 0; k < 2; k++) {
        json_t *cases = expected(lists[k].name), *file;
        size_t i;
        json_array_foreach(json_object_get(cases, "files"), i, file) check_file(file);
        assert_int_equal(i, lists[k].n);
        json_decref(cases);
    }
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
    static const struct {
        const char *name;
        int32_t pad;
        bool special; /* <pad>: llama.cpp's converter goes by the looks of a token */
    } files[] = {{"q8_0", 290, false}, {"llama_cpp_q8_0", -1, true}, {"llama_cpp_q4_0", -1, true}};
    json_t *cases = expected("expected"), *text;
    size_t i;
    for (size_t k = 0; k < 2 * sizeof files / sizeof *files; k++) {
        nt_model *model = open_file(files[k / 2].name, k % 2);
        const nt_tokenizer *tokenizer = nt_model_tokenizer(model);
        json_array_foreach(json_object_get(cases, "texts"), i, text) check_text(model, text);
        assert_int_equal(i, 6);
        assert_int_equal(nt_tokenizer_size(tokenizer), 291); /* the last id has no token */
        assert_int_equal(nt_tokenizer_bos(tokenizer), 289);
        assert_int_equal(nt_tokenizer_eos(tokenizer), 289);
        assert_int_equal(nt_tokenizer_pad(tokenizer), files[k / 2].pad);
        assert_true(nt_tokenizer_is_special(tokenizer, 289));
        assert_int_equal(nt_tokenizer_is_special(tokenizer, 290), files[k / 2].special);
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
