/* Every form on disk that transformers opens as GPT2LMHeadModel, whole checkpoints from folder to
 * generated ids, and those that are refused by name: tests/api/data/variants.gz, made by
 * tools/oracle/variants.py with transformers itself. */
#include <jansson.h>
#include <math.h>
#include <zlib.h>

#include "api/small_model.h"
#include "report.h"
#include "tolerances.h"

static json_t *load_fixture(void) {
    enum { MOST = 8 << 20 };
    char *text = malloc(MOST);
    assert_non_null(text);
    gzFile in = gzopen(NT_SOURCE_DIR "/tests/api/data/variants.gz", "rb");
    assert_non_null(in);
    int n = gzread(in, text, MOST);
    assert_in_range(n, 1, MOST - 1);
    assert_int_equal(gzclose(in), Z_OK);
    json_error_t error;
    json_t *root = json_loadb(text, (size_t)n, 0, &error);
    if (!root) fail_msg("variants.gz: %s", error.text);
    free(text);
    return root;
}

static void put_file(const char *folder, const char *name, const char *hex) {
    char path[CHECKPOINT_PATH + 300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (; *hex; hex += 2) {
        char digits[3] = {hex[0], hex[1], 0};
        assert_int_not_equal(fputc((int)strtol(digits, NULL, 16), file), EOF);
    }
    assert_int_equal(fclose(file), 0);
}

/* The files of a case in a folder of their own. */
static void put_case(char folder[CHECKPOINT_PATH], const json_t *c, size_t i) {
    char name[32];
    const char *key;
    json_t *hex;
    snprintf(name, sizeof name, "variant-%zu", i);
    checkpoint_path(folder, name);
    checkpoint_remove(folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    json_object_foreach(json_object_get(c, "files"), key, hex)
        put_file(folder, key, json_string_value(hex));
}

static const char *name_of(const json_t *c) {
    return json_string_value(json_object_get(c, "name"));
}

enum { MOST_IDS = 64 };

static size_t ids_of(int32_t ids[MOST_IDS], const json_t *list) {
    size_t n = json_array_size(list);
    assert_in_range(n, 1, MOST_IDS);
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(list, i));
    return n;
}

/* The last position's logits; returns the largest error, as a part of their range. */
static double check_logits(const small_model *m, const json_t *c, const int32_t *ids, size_t n) {
    const json_t *expected = json_object_get(c, "logits");
    nt_model_info info = {.size = sizeof info};
    assert_ok(nt_model_get_info(&info, m->model));
    size_t V = json_array_size(expected);
    assert_int_equal(info.n_vocab, V);
    float *logits = malloc(V * sizeof *logits);
    assert_non_null(logits);
    int32_t sequence;
    assert_ok(nt_sequence_new(&sequence, m->session));
    assert_ok(nt_forward(m->session, sequence, ids, n, NT_WANT_LAST, logits, NULL));
    double low = INFINITY, high = -INFINITY, worst = 0;
    for (size_t v = 0; v < V; v++) {
        double wanted = json_number_value(json_array_get(expected, v));
        low = fmin(low, wanted);
        high = fmax(high, wanted);
        worst = fmax(worst, fabs(wanted - (double)logits[v]));
    }
    worst /= high - low;
    if (!(worst <= tolerance_of("f32 small", "logits")->relative))
        fail_msg("%s: logits differ by %g of their range", name_of(c), worst);
    nt_sequence_drop(m->session, sequence);
    free(logits);
    return worst;
}

/* What the checkpoint's own defaults make of the prompt. */
static void check_generated(const small_model *m, const json_t *c, const int32_t *ids, size_t n) {
    int32_t wanted[MOST_IDS];
    size_t n_wanted = ids_of(wanted, json_object_get(c, "new"));
    nt_result *result = NULL;
    if (nt_generate(&result, m->session, nt_ids(ids, n), NULL) != NT_OK)
        fail_msg("%s: %s", name_of(c), nt_error_message());
    const nt_output *output = nt_result_output(result, 0);
    bool same = output->n_ids == n_wanted;
    for (size_t i = 0; same && i < n_wanted; i++)
        same = output->ids[i] == wanted[i];
    if (!same) {
        for (size_t i = 0; i < output->n_ids; i++)
            print_error("%d ", (int)output->ids[i]);
        fail_msg("%s: %zu ids that are not transformers'", name_of(c), output->n_ids);
    }
    nt_result_free(result);
}

static void opened_as_transformers_does(void **state) {
    json_t *root = *state, *c;
    int32_t ids[MOST_IDS];
    size_t i, n = ids_of(ids, json_object_get(root, "prompt"));
    double worst = 0;
    json_array_foreach(json_object_get(root, "sound"), i, c) {
        char folder[CHECKPOINT_PATH];
        put_case(folder, c, i);
        small_model m = {0};
        if (nt_model_open(&m.model, folder, NULL) != NT_OK)
            fail_msg("%s: %s", name_of(c), nt_error_message());
        assert_ok(nt_session_new(&m.session, m.model, NULL));
        double error = check_logits(&m, c, ids, n);
        check_generated(&m, c, ids, n);
        small_close(&m);
        report_error("variants", name_of(c), "opens", error);
        worst = fmax(worst, error);
    }
    printf("  %zu forms, largest error of the logits %.3g of their range\n", i, worst);
    assert_true(i >= 34);
}

/* The last error's message, where the case's folder has a name of its own at every run. */
static const char *said_of(const char *folder) {
    static char said[2048];
    size_t n = strlen(folder), at = 0;
    const char *message = nt_error_message();
    while (*message && at + 8 < sizeof said) {
        if (strncmp(message, folder, n) == 0) {
            at += (size_t)sprintf(said + at, "FOLDER");
            message += n;
        } else {
            said[at++] = *message++;
        }
    }
    said[at] = 0;
    return said;
}

static void refused_by_name(void **state) {
    json_t *root = *state, *c, *phrase;
    size_t i, k;
    json_array_foreach(json_object_get(root, "refused"), i, c) {
        char folder[CHECKPOINT_PATH];
        put_case(folder, c, i);
        nt_model *model;
        int status = nt_model_open(&model, folder, NULL);
        assert_null(model);
        if (strcmp(nt_status_name(status), json_string_value(json_object_get(c, "status"))) != 0)
            fail_msg("%s: %s (%s)", name_of(c), nt_status_name(status), nt_error_message());
        json_array_foreach(json_object_get(c, "phrases"), k, phrase) {
            if (!strstr(nt_error_message(), json_string_value(phrase)))
                fail_msg("%s: no \"%s\" in: %s", name_of(c), json_string_value(phrase),
                         nt_error_message());
        }
        report_row("refused", name_of(c), said_of(folder));
    }
    assert_true(i >= 11);
}

/* A .bin and an index may be named in place of their folder, also for the tokenizer alone. */
static void named_by_a_file(void **state) {
    static const struct {
        const char *form, *file;
    } table[] = {
        {"pytorch_model.bin", "pytorch_model.bin"},
        {"pytorch_model.bin in shards", "pytorch_model.bin.index.json"},
        {"safetensors in shards", "model.safetensors.index.json"},
    };
    json_t *root = *state, *c;
    size_t i, found = 0;
    json_array_foreach(json_object_get(root, "sound"), i, c) {
        for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
            if (strcmp(name_of(c), table[k].form) != 0) continue;
            char folder[CHECKPOINT_PATH], path[CHECKPOINT_PATH + 64];
            put_case(folder, c, i);
            write_file(folder, "tokenizer.json", small_tokenizer);
            snprintf(path, sizeof path, "%s/%s", folder, table[k].file);
            nt_model *model;
            assert_ok(nt_model_open(&model, path, NULL));
            assert_non_null(nt_model_tokenizer(model));
            nt_model_free(model);
            nt_model_options options = NT_MODEL_OPTIONS_INIT;
            options.tokenizer_only = 1;
            assert_ok(nt_model_open(&model, path, &options));
            nt_model_free(model);
            found++;
        }
    }
    assert_int_equal(found, sizeof table / sizeof *table);
}

static int setup(void **state) {
    *state = load_fixture();
    return 0;
}

static int teardown(void **state) {
    json_decref(*state);
    return checkpoints_remove(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_as_transformers_does),
        cmocka_unit_test(refused_by_name),
        cmocka_unit_test(named_by_a_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
