/* config.json: the cases of tests/format/data/config_cases.json, which transformers resolved or
 * refused (tools/oracle/config.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "folder.h"
#include "format/config.h"

CASES_OF("format/data/config_cases.json")

/* The text in memory of exactly its size. */
static int parse(nt_config *out, const char *text) {
    size_t n = strlen(text);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    int status = nt_config_parse(out, exact, n, "some/config.json");
    free(exact);
    return status;
}

static void expect_number(const char *text, const json_t *fields, const char *key, int64_t found) {
    const json_t *value = json_object_get(fields, key);
    int64_t wanted = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
    if (json_is_null(value)) wanted = -1;
    assert_non_null(value);
    if (found != wanted)
        fail_msg("%s: %s is %lld instead of %lld", text, key, (long long)found, (long long)wanted);
}

static void expect_eos(const char *text, const json_t *value, const nt_config *config) {
    if (!json_is_array(value)) {
        assert_int_equal(config->n_eos, json_is_integer(value));
        if (config->n_eos) assert_int_equal(config->eos[0], json_integer_value(value));
        return;
    }
    if (config->n_eos != json_array_size(value)) fail_msg("%s: %zu eos", text, config->n_eos);
    for (size_t i = 0; i < config->n_eos; i++)
        assert_int_equal(config->eos[i], json_integer_value(json_array_get(value, i)));
}

static void sound_configs_resolve_as_in_transformers(void **state) {
    (void)state;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(cases, "good"), i, one) {
        nt_config config;
        const char *text = text_of(one, "text");
        if (parse(&config, text) != NT_OK) fail_msg("%s: %s", text, nt_error_message());
        const json_t *fields = json_object_get(one, "fields");
        expect_number(text, fields, "vocab_size", config.V);
        expect_number(text, fields, "n_positions", config.T);
        expect_number(text, fields, "n_embd", config.D);
        expect_number(text, fields, "n_layer", config.L);
        expect_number(text, fields, "n_head", config.H);
        expect_number(text, fields, "n_inner", config.F);
        expect_number(text, fields, "scale_attn_weights", config.scale_attn_weights);
        expect_number(text, fields, "scale_attn_by_inverse_layer_idx",
                      config.scale_by_inverse_layer);
        expect_number(text, fields, "reorder_and_upcast_attn", config.reorder_and_upcast_attn);
        expect_number(text, fields, "tie_word_embeddings", config.tied);
        expect_number(text, fields, "bos_token_id", config.bos);
        expect_number(text, fields, "pad_token_id", config.pad);
        expect_eos(text, json_object_get(fields, "eos_token_id"), &config);
        assert_string_equal(config.activation_name, text_of(fields, "activation_function"));
        double eps = json_number_value(json_object_get(fields, "layer_norm_epsilon"));
        assert_true(config.eps == eps);
    }
    assert_true(i >= 40);
}

static void broken_configs_are_refused(void **state) {
    (void)state;
    size_t i, k;
    json_t *one, *phrase;
    json_array_foreach(json_object_get(cases, "bad"), i, one) {
        nt_config config;
        const char *text = text_of(one, "text");
        int status = parse(&config, text);
        const char *message = nt_error_message();
        if (strcmp(nt_status_name(status), text_of(one, "status")) != 0)
            fail_msg("%s: %s: %s", text, nt_status_name(status), message);
        if (!strstr(message, "some/config.json")) fail_msg("%s: %s", text, message);
        json_array_foreach(json_object_get(one, "phrases"), k, phrase) {
            if (!strstr(message, json_string_value(phrase)))
                fail_msg("%s: \"%s\" is not in: %s", text, json_string_value(phrase), message);
        }
        assert_int_equal(config.V, 0);
    }
    assert_true(i >= 80);
}

/* The formulas of base/activation.h, in double. */
static double apply(nt_activation activation, double x) {
    double relu = x > 0 ? x : 0, erf_gelu = 0.5 * x * (1 + erf(x / sqrt(2.0)));
    switch (activation) {
    case NT_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case NT_GELU_FAST: return 0.5 * x * (1 + tanh(0.7978845608 * x * (1 + 0.044715 * x * x)));
    case NT_GELU_ERF: return erf_gelu;
    case NT_GELU_10: return fmax(-10, fmin(10, erf_gelu));
    case NT_GELU_QUICK: return x / (1 + exp(-1.702 * x));
    case NT_RELU: return relu;
    case NT_RELU2: return relu * relu;
    case NT_RELU6: return fmin(relu, 6);
    case NT_LEAKY_RELU: return x < 0 ? 0.01 * x : x;
    case NT_SILU: return x / (1 + exp(-x));
    case NT_MISH: return x * tanh(log1p(exp(x)));
    case NT_TANH: return tanh(x);
    case NT_SIGMOID: return 1 / (1 + exp(-x));
    case NT_HARDSWISH: return x * fmin(fmax(x + 3, 0), 6) / 6;
    case NT_LAPLACE: return 0.5 * (1 + erf((x - 0.707107) / (0.282095 * sqrt(2.0))));
    case NT_IDENTITY: return x;
    case NT_SQRT_SOFTPLUS: return sqrt(log1p(exp(x)));
    default: fail_msg("no formula for activation %d", activation);
    }
    return NAN;
}

static void activation_names_mean_their_formulas(void **state) {
    (void)state;
    size_t i, k;
    json_t *one, *x;
    bool used[NT_N_ACTIVATIONS] = {false};
    json_array_foreach(json_object_get(cases, "activations"), i, one) {
        nt_config config;
        char text[128];
        const char *name = text_of(one, "name");
        snprintf(text, sizeof text, "{\"model_type\":\"gpt2\",\"activation_function\":\"%s\"}",
                 name);
        if (parse(&config, text) != NT_OK) fail_msg("%s: %s", name, nt_error_message());
        assert_string_equal(config.activation_name, name);
        used[config.activation] = true;
        json_array_foreach(json_object_get(one, "x"), k, x) {
            double y = json_number_value(json_array_get(json_object_get(one, "y"), k));
            double found = apply(config.activation, json_number_value(x));
            if (fabs(found - y) > 2e-6 * (1 + fabs(y)))
                fail_msg("%s(%g) is %.9g instead of %.9g", name, json_number_value(x), found, y);
        }
    }
    assert_true(i >= 22);
    for (k = 0; k < NT_N_ACTIVATIONS; k++)
        assert_true(used[k]);
}

static void files_by_path(void **state) {
    (void)state;
    nt_config config;
    const char *folder = folder_new(), *path = folder_path(folder, "config.json");
    assert_int_equal(nt_config_read(&config, path), NT_E_NOT_FOUND);
    assert_non_null(strstr(nt_error_message(), "config.json: No such file"));
    assert_int_equal(nt_config_read(&config, folder), NT_E_IO);
    folder_put_text(folder, "config.json", "{\"model_type\":\"gpt2\",\"n_embd\":24,\"n_head\":2}");
    assert_int_equal(nt_config_read(&config, path), NT_OK);
    assert_int_equal(config.D, 24);
    assert_int_equal(config.F, 96);
    folder_put_text(folder, "config.json", "[]");
    assert_int_equal(nt_config_read(&config, path), NT_E_FORMAT);
    char *big = malloc((1 << 20) + 1);
    assert_non_null(big);
    memset(big, ' ', (1 << 20) + 1);
    folder_put(folder, "config.json", big, (1 << 20) + 1);
    assert_int_equal(nt_config_read(&config, path), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "1048577 bytes; at most 1048576"));
    free(big);
    folder_put_text(folder, "config.json", "{\"model_type\":\"gpt2\"}");
    int status = NT_E_MEMORY;
    size_t k = 0;
    while (status == NT_E_MEMORY) {
        nt_memory_fail_at(++k);
        status = nt_config_read(&config, path);
        nt_memory_fail_at(0);
    }
    assert_int_equal(status, NT_OK);
    assert_true(k > 1);
    folder_remove(folder);
}

static uint64_t random_state = 5;

static uint32_t random_below(uint32_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

/* What is taken after random damage still keeps every promise of the struct. */
static void random_damage(void **state) {
    (void)state;
    static const char sound[] =
        "{\"model_type\":\"gpt2\",\"n_embd\":24,\"n_head\":12,\"n_layer\":9,\"n_inner\":11,"
        "\"vocab_size\":99,\"n_positions\":64,\"eos_token_id\":[1,2,3],\"bos_token_id\":7,"
        "\"layer_norm_epsilon\":1e-5,\"activation_function\":\"relu2\",\"pad_token_id\":null,"
        "\"tie_word_embeddings\":false,\"scale_attn_weights\":true}";
    size_t accepted = 0;
    for (int round = 0; round < 50000; round++) {
        char text[sizeof sound];
        memcpy(text, sound, sizeof sound);
        for (uint32_t times = 1 + random_below(3); times > 0; times--) {
            size_t at = random_below(sizeof sound - 1);
            text[at] = random_below(2) ? "0123456789-[]{},:\".e"[random_below(20)]
                                       : (char)(1 + random_below(255));
        }
        nt_config config;
        int status = parse(&config, text);
        if (status != NT_OK) {
            assert_true(status == NT_E_FORMAT || status == NT_E_UNSUPPORTED);
            continue;
        }
        accepted++;
        assert_true(config.V > 0 && config.T > 0 && config.D > 0 && config.L > 0 && config.H > 0);
        assert_true(config.F > 0 && config.D % config.H == 0);
        assert_true(config.eps >= 0 && isfinite(config.eps));
        assert_true(config.activation < NT_N_ACTIVATIONS && config.n_eos <= NT_MAX_EOS);
        for (size_t i = 0; i < config.n_eos; i++)
            assert_true(config.eos[i] >= 0);
    }
    assert_true(accepted > 1000 && accepted < 49000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_configs_resolve_as_in_transformers),
        cmocka_unit_test(broken_configs_are_refused),
        cmocka_unit_test(activation_names_mean_their_formulas),
        cmocka_unit_test(files_by_path),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
