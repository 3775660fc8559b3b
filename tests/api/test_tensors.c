/* nt_list_tensors and nt_diff_tensors: statistics and differences are NumPy's
 * (tools/oracle/tensors.py), whatever the format, the width, the prefix and the number of threads;
 * hostile files; and that nothing leaks when memory ends. */
#include "model/checkpoint.h"

#include <math.h>

#include <jansson.h>

#include "base/memory.h"
#include "nextoken.h"

#define DATA NT_SOURCE_DIR "/tests/api/data/"

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s: %s", nt_status_name(status), nt_error_message());
}

static void expect_fail(int found, int status, const char *part) {
    if (found != status || !strstr(nt_error_message(), part))
        fail_msg("%s: %s; expected %s with \"%s\"", nt_status_name(found), nt_error_message(),
                 nt_status_name(status), part);
}

/* ---- Checkpoints ----------------------------------------------------------------------------- */

static void write_hex(const char *path, const char *hex) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (; hex[0] && hex[1]; hex += 2) {
        char two[3] = {hex[0], hex[1], 0};
        assert_true(fputc((int)strtol(two, NULL, 16), file) != EOF);
    }
    assert_int_equal(fclose(file), 0);
}

static void make_model(const char *name, const json_t *args) {
    const char *words[CHECKPOINT_ARGS];
    size_t n = json_array_size(args);
    assert_true(n <= CHECKPOINT_ARGS);
    for (size_t i = 0; i < n; i++)
        words[i] = json_string_value(json_array_get(args, i));
    assert_int_equal(checkpoint_make(name, words, n), 0);
}

/* The path of a fixture's source, made anew. */
static void place(char path[CHECKPOINT_PATH], const json_t *source) {
    static int number;
    char name[64], from[600];
    const char *gguf = json_string_value(json_object_get(source, "gguf"));
    const char *folder_of = json_string_value(json_object_get(source, "folder_of"));
    const char *file = json_string_value(json_object_get(source, "file"));
    snprintf(name, sizeof name, "%d", number++);
    checkpoint_path(path, name);
    if (gguf) {
        snprintf(path, CHECKPOINT_PATH, DATA "gguf/%s.gguf", gguf);
    } else if (folder_of) {
        nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
        options.width = NT_WIDTH_F32;
        snprintf(from, sizeof from, DATA "gguf/%s.gguf", folder_of);
        ok(nt_convert(NULL, from, path, &options));
    } else if (file) {
        assert_int_equal(mkdir(path, 0777), 0);
        strcat(path, "/");
        strcat(path, file);
        write_hex(path, json_string_value(json_object_get(source, "hex")));
    } else {
        make_model(name, json_object_get(source, "make"));
    }
}

static json_t *fixture(void) {
    json_error_t error;
    json_t *all = json_load_file(DATA "tensors.json", 0, &error);
    if (!all) fail_msg("%s", error.text);
    return all;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static double worst; /* largest share of what was allowed */

/* wanted: a number, null (not finite) or "inf". scale: what errors are measured by. */
static void near(double found, const json_t *wanted, double scale, const char *name,
                 const char *what) {
    if (json_is_string(wanted)) {
        if (!(isinf(found) && found > 0)) fail_msg("%s: %s is %g, not infinite", name, what, found);
        return;
    }
    if (!json_is_number(wanted)) {
        if (isfinite(found)) fail_msg("%s: %s is %.17g; there is none", name, what, found);
        return;
    }
    double expected = json_number_value(wanted), allowed = 1e-13 * fmax(scale, fabs(expected));
    double error = fabs(found - expected);
    if (!(error <= allowed))
        fail_msg("%s: %s is %.17g; expected %.17g", name, what, found, expected);
    if (allowed > 0) worst = fmax(worst, error / allowed);
}

static const json_t *at(const json_t *list, size_t i) {
    return json_array_get(list, i);
}

static uint64_t count_at(const json_t *list, size_t i) {
    return (uint64_t)json_integer_value(at(list, i));
}

static void same_text(const char *found, const json_t *wanted) {
    assert_string_equal(found, json_string_value(wanted));
}

static void check_info(const nt_tensor_info *info, const json_t *wanted) {
    const json_t *shape = at(wanted, 3), *counts = at(wanted, 5);
    uint64_t n = 1;
    assert_non_null(info);
    same_text(info->name, at(wanted, 0));
    same_text(info->plain, at(wanted, 1));
    same_text(info->type, at(wanted, 2));
    assert_int_equal(info->n_dims, json_array_size(shape));
    for (size_t i = 0; i < info->n_dims; i++) {
        assert_int_equal(info->shape[i], json_integer_value(at(shape, i)));
        n *= (uint64_t)info->shape[i];
    }
    assert_int_equal(info->n_numbers, n);
    assert_int_equal(info->n_bytes, count_at(wanted, 4));
    assert_int_equal(info->counted, json_is_array(counts));
    if (!info->counted) return;
    assert_int_equal(info->n_zeros, count_at(counts, 0));
    assert_int_equal(info->n_nan, count_at(counts, 1));
    assert_int_equal(info->n_inf, count_at(counts, 2));
    near(info->min, at(wanted, 6), 0, info->name, "min");
    near(info->max, at(wanted, 7), 0, info->name, "max");
    double rms = json_is_number(at(wanted, 10)) ? json_number_value(at(wanted, 10)) : HUGE_VAL;
    near(info->mean, at(wanted, 8), rms, info->name, "mean");
    near(info->std, at(wanted, 9), 100 * rms, info->name, "std"); /* NumPy's own errors, too */
    near(info->rms, at(wanted, 10), 0, info->name, "rms");
    near(info->norm, at(wanted, 11), 0, info->name, "norm");
}

static nt_result *list_of(const char *path, int threads) {
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    nt_result *result;
    options.threads = threads;
    ok(nt_list_tensors(&result, path, &options));
    assert_int_equal(nt_result_get_kind(result), NT_RESULT_TENSORS);
    return result;
}

static void same_bits(const nt_result *one, const nt_result *other) {
    for (size_t i = 0; i < nt_result_n_tensor_infos(one); i++) {
        const nt_tensor_info *a = nt_result_tensor_info(one, i);
        const nt_tensor_info *b = nt_result_tensor_info(other, i);
        const double left[] = {a->min, a->max, a->mean, a->std, a->rms, a->norm};
        const double right[] = {b->min, b->max, b->mean, b->std, b->rms, b->norm};
        assert_string_equal(a->name, b->name);
        assert_memory_equal(left, right, sizeof left);
    }
}

static void statistics(void **state) {
    (void)state;
    json_t *all = fixture(), *list;
    size_t i, n = 0;
    json_array_foreach(json_object_get(all, "lists"), i, list) {
        char path[CHECKPOINT_PATH];
        const json_t *wanted = json_object_get(list, "tensors");
        place(path, json_object_get(list, "source"));
        nt_result *one = list_of(path, 1), *three = list_of(path, 3);
        assert_int_equal(nt_result_n_tensor_infos(one), json_array_size(wanted));
        for (size_t k = 0; k < json_array_size(wanted); k++, n++)
            check_info(nt_result_tensor_info(one, k), at(wanted, k));
        same_bits(one, three);
        nt_result_free(one);
        nt_result_free(three);
    }
    print_message("%zu tensors; %.0f %% of the allowance of 1e-13\n", n, 100 * worst);
    assert_true(n > 300);
    json_decref(all);
}

static const char *const kinds[] = {"identical", "equal",  "changed", "shape",
                                    "unread",    "only_a", "only_b"};

static void check_diff(const nt_tensor_diff *d, const json_t *wanted) {
    assert_non_null(d);
    same_text(d->name, at(wanted, 0));
    if (strcmp(kinds[d->difference], json_string_value(at(wanted, 1))) != 0)
        fail_msg("%s is %s, not %s", d->name, kinds[d->difference],
                 json_string_value(at(wanted, 1)));
    assert_true((d->a != NULL) == (d->difference != NT_DIFF_ONLY_B));
    assert_true((d->b != NULL) == (d->difference != NT_DIFF_ONLY_A));
    if (json_array_size(wanted) == 2) {
        assert_true(d->n_compared == 0 && isnan(d->relative));
        return;
    }
    assert_int_equal(d->turned, json_is_true(at(wanted, 2)));
    assert_int_equal(d->n_rows, count_at(wanted, 3));
    assert_int_equal(d->n_compared, count_at(wanted, 4));
    assert_int_equal(d->n_changed, count_at(wanted, 5));
    assert_int_equal(d->n_not_finite, count_at(wanted, 6));
    near(d->max_abs, at(wanted, 7), 0, d->name, "max_abs");
    near(d->rms, at(wanted, 8), 0, d->name, "rms");
    near(d->relative, at(wanted, 9), 0, d->name, "relative");
    near(d->cosine, at(wanted, 10), 1, d->name, "cosine");
}

static void check_sum(const nt_diff_sum *sum, const json_t *wanted) {
    assert_non_null(sum);
    same_text(sum->name, at(wanted, 0));
    assert_int_equal(sum->n_tensors, count_at(wanted, 1));
    assert_int_equal(sum->n_changed, count_at(wanted, 2));
    near(sum->relative, at(wanted, 3), 0, sum->name, "relative");
}

static void differences(void **state) {
    (void)state;
    json_t *all = fixture(), *list;
    size_t i, n = 0;
    worst = 0;
    json_array_foreach(json_object_get(all, "diffs"), i, list) {
        char a[CHECKPOINT_PATH], b[CHECKPOINT_PATH];
        const json_t *wanted = json_object_get(list, "tensors"), *sums;
        nt_result *diff;
        place(a, json_object_get(list, "a"));
        place(b, json_object_get(list, "b"));
        ok(nt_diff_tensors(&diff, a, b, NULL));
        assert_int_equal(nt_result_get_kind(diff), NT_RESULT_DIFF);
        assert_int_equal(nt_result_n_tensor_diffs(diff), json_array_size(wanted));
        for (size_t k = 0; k < json_array_size(wanted); k++, n++)
            check_diff(nt_result_tensor_diff(diff, k), at(wanted, k));
        sums = json_object_get(list, "sums");
        assert_int_equal(nt_result_n_diff_sums(diff), json_array_size(sums));
        for (size_t k = 0; k < json_array_size(sums); k++)
            check_sum(nt_result_diff_sum(diff, k), at(sums, k));
        nt_result_free(diff);
    }
    print_message("%zu pairs; %.0f %% of the allowance of 1e-13\n", n, 100 * worst);
    assert_true(n > 200);
    json_decref(all);
}

/* ---- Files that are nobody's model ----------------------------------------------------------- */

/* A safetensors file with this header; its data are `n` bytes that count up. */
static void write_file(char path[CHECKPOINT_PATH], const char *name, const char *header, size_t n) {
    checkpoint_path(path, name);
    FILE *file = fopen(path, "wb");
    uint64_t length = strlen(header);
    assert_non_null(file);
    assert_int_equal(fwrite(&length, 8, 1, file), 1);
    assert_int_equal(fputs(header, file) >= 0, 1);
    for (size_t i = 0; i < n; i++)
        fputc((int)(i & 63), file);
    assert_int_equal(fclose(file), 0);
}

static void names_of_wrappers(void **state) {
    (void)state;
    static const char *const forms[] = {"", "transformer.", "module.", "module.transformer."};
    char path[CHECKPOINT_PATH], first[CHECKPOINT_PATH] = "", header[400];
    for (size_t i = 0; i < 4; i++) {
        const char *outer = i >= 2 ? "module." : "";
        nt_result *diff;
        snprintf(
            header, sizeof header,
            "{\"%swte.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
            "\"%slm_head.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}",
            forms[i], outer);
        write_file(path, "wrapped.safetensors", header, 32);
        nt_result *list = list_of(path, 1);
        assert_string_equal(nt_result_tensor_info(list, 0)->plain, "lm_head.weight");
        assert_string_equal(nt_result_tensor_info(list, 1)->plain, "wte.weight");
        nt_result_free(list);
        if (i == 0) {
            strcpy(first, path);
            strcat(first, ".first");
            assert_int_equal(rename(path, first), 0);
            continue;
        }
        ok(nt_diff_tensors(&diff, first, path, NULL));
        assert_int_equal(nt_result_n_tensor_diffs(diff), 2);
        assert_int_equal(nt_result_tensor_diff(diff, 0)->difference, NT_DIFF_IDENTICAL);
        nt_result_free(diff);
    }
}

/* Another family, two tables, more dimensions than are read, types that are not: all are listed. */
static void strangers(void **state) {
    (void)state;
    char path[CHECKPOINT_PATH];
    write_file(
        path, "strange.safetensors",
        "{\"a.embed_tokens.weight\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]},"
        "\"b.embed_tokens.weight\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[4,8]},"
        "\"nine\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[8,12]},"
        "\"h.10.x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[12,14]},"
        "\"h.9.x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[14,16]},"
        "\"six\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[16,19]}}",
        19);
    nt_result *list = list_of(path, 2), *diff;
    static const char *const names[] = {
        "a.embed_tokens.weight", "b.embed_tokens.weight", "h.9.x", "h.10.x", "nine", "six"};
    assert_int_equal(nt_result_n_tensor_infos(list), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(nt_result_tensor_info(list, i)->name, names[i]);
        assert_string_equal(nt_result_tensor_info(list, i)->plain, names[i]);
    }
    const nt_tensor_info *x = nt_result_tensor_info(list, 2);
    assert_true(x->counted && x->min == 14 && x->max == 15 && x->mean == 14.5 && x->std == 0.5);
    assert_int_equal(nt_result_tensor_info(list, 4)->n_dims, 8);
    assert_false(nt_result_tensor_info(list, 5)->counted);
    assert_true(isnan(nt_result_tensor_info(list, 5)->mean));
    assert_null(nt_result_tensor_info(list, 6));
    nt_result_free(list);
    ok(nt_diff_tensors(&diff, path, path, NULL)); /* one file twice */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(nt_result_tensor_diff(diff, i)->difference, NT_DIFF_IDENTICAL);
    nt_result_free(diff);
}

static void no_statistics(void **state) {
    (void)state;
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    nt_result *list;
    options.no_statistics = true;
    ok(nt_list_tensors(&list, DATA "gguf/q8_0.gguf", &options));
    const nt_tensor_info *info = nt_result_tensor_info(list, 0);
    assert_string_equal(info->name, "blk.0.attn_qkv.bias");
    assert_string_equal(info->plain, "h.0.attn.c_attn.bias");
    assert_false(info->counted);
    assert_true(isnan(info->min) && isnan(info->norm) && info->n_zeros == 0);
    nt_result_free(list);
}

static void refusals(void **state) {
    (void)state;
    nt_result *result = (nt_result *)&result;
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    expect_fail(nt_list_tensors(&result, "/no/such/file", NULL), NT_E_NOT_FOUND, "/no/such/file");
    assert_null(result);
    expect_fail(nt_diff_tensors(&result, DATA "gguf/q8_0.gguf", "/no/such.safetensors", NULL),
                NT_E_NOT_FOUND, "/no/such.safetensors");
    assert_null(result);
    expect_fail(nt_diff_tensors(&result, DATA "tensors.json", DATA "gguf/q8_0.gguf", NULL),
                NT_E_FORMAT, "tensors.json");
    expect_fail(nt_list_tensors(&result, NULL, NULL), NT_E_UNSUPPORTED, "carries no model");
    options.threads = -1;
    expect_fail(nt_list_tensors(&result, DATA "gguf/q8_0.gguf", &options), NT_E_ARGUMENT,
                "threads");
    options.size = 3;
    expect_fail(nt_list_tensors(&result, DATA "gguf/q8_0.gguf", &options), NT_E_ARGUMENT,
                "nt_tensors_options");
    assert_true(nt_result_n_tensor_infos(NULL) == 0 && nt_result_n_tensor_diffs(NULL) == 0 &&
                nt_result_n_diff_sums(NULL) == 0);
}

/* ---- Callbacks and memory -------------------------------------------------------------------- */

typedef struct told {
    uint64_t done, total;
    int left; /* looks before it says stop; -1: never */
} told;

static void progress(void *payload, const char *what, uint64_t done, uint64_t total) {
    told *t = payload;
    assert_string_equal(what, "bytes");
    assert_true(done >= t->done && done <= total);
    t->done = done;
    t->total = total;
}

static int cancel(void *payload) {
    told *t = payload;
    return t->left >= 0 && t->left-- == 0;
}

static void callbacks(void **state) {
    (void)state;
    told t = {.left = -1};
    nt_callbacks heard = NT_CALLBACKS_INIT;
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    nt_result *result;
    options.callbacks = &heard;
    heard.payload = &t;
    heard.progress = progress;
    heard.cancel = cancel;
    ok(nt_list_tensors(&result, DATA "gguf/q8_0.gguf", &options));
    nt_result_free(result);
    assert_true(t.done > 0 && t.done == t.total);
    t = (told){.left = -1};
    ok(nt_diff_tensors(&result, DATA "gguf/q8_0.gguf", DATA "gguf/q4_0.gguf", &options));
    nt_result_free(result);
    assert_true(t.done > 0 && t.done == t.total);
    t = (told){.left = 3};
    expect_fail(nt_list_tensors(&result, DATA "gguf/q8_0.gguf", &options), NT_E_CANCELLED, "stop");
    t = (told){.left = 3};
    expect_fail(nt_diff_tensors(&result, DATA "gguf/q8_0.gguf", DATA "gguf/q4_0.gguf", &options),
                NT_E_CANCELLED, "stop");
    assert_null(result);
}

static int keep_last(void *payload, const char *bytes, size_t n) {
    char **text = payload;
    free(*text);
    *text = malloc(n + 1);
    assert_non_null(*text);
    memcpy(*text, bytes, n);
    (*text)[n] = 0;
    return 0;
}

static int job(bool diff, char **text) {
    nt_tensors_options options = NT_TENSORS_OPTIONS_INIT;
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    nt_result *result;
    options.threads = 1;
    int status =
        diff ? nt_diff_tensors(&result, DATA "gguf/q8_0.gguf", DATA "gguf/bf16.gguf", &options)
             : nt_list_tensors(&result, DATA "gguf/q8_0.gguf", &options);
    for (int format = NT_TABLE; status == NT_OK && format <= NT_CSV; format++) {
        view.format = (nt_format)format;
        status = nt_result_show(result, &view, keep_last, text);
    }
    nt_result_free(result);
    return status;
}

static void memory_ends(void **state) {
    (void)state;
    for (int diff = 0; diff < 2; diff++) {
        char *text = NULL;
        size_t k = 0;
        int status = NT_E_MEMORY;
        while (status == NT_E_MEMORY) {
            nt_memory_fail_at(++k);
            status = job(diff, &text);
            nt_memory_fail_at(0);
        }
        ok(status);
        assert_true(k > 30);
        free(text);
    }
}

/* ---- Views ----------------------------------------------------------------------------------- */

static char *shown(const nt_result *result, nt_format format, int width, int64_t most_rows) {
    char *text = NULL;
    nt_view_options view = NT_VIEW_OPTIONS_INIT;
    view.format = format;
    view.width = width;
    view.ascii = true;
    view.most_rows = most_rows;
    ok(nt_result_show(result, &view, keep_last, &text));
    return text;
}

static size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void expect_shown(char *text, const char *const *parts) {
    for (; *parts; parts++)
        if (!strstr(text, *parts)) fail_msg("no \"%s\" in:\n%s", *parts, text);
    free(text);
}

#define EXPECT(text, ...) expect_shown(text, (const char *const[]){__VA_ARGS__, NULL})

static void views(void **state) {
    (void)state;
    char a[CHECKPOINT_PATH], b[CHECKPOINT_PATH], *text;
    nt_result *result;
    nt_model *model;
    CHECKPOINT("left", "--shape", "tiny", "--seed", "5", "--buffers");
    CHECKPOINT("right", "--shape", "tiny", "--seed", "6", "--vocab-size", "99", "--untied");
    checkpoint_path(a, "left");
    checkpoint_path(b, "right");
    result = list_of(a, 1);
    EXPECT(shown(result, NT_TABLE, 100, -1), "h.0.attn.c_attn.weight", "[32, 96]", "BOOL", "std",
           "tensors | ", "left");
    EXPECT(shown(result, NT_CSV, 80, -1), "name,plain,type,shape,numbers,bytes,min,",
           "\"h.0.attn.c_attn.weight\",\"h.0.attn.c_attn.weight\",\"F32\",32 96,3072,12288,");
    nt_result_free(result);
    ok(nt_diff_tensors(&result, a, b, NULL));
    EXPECT(shown(result, NT_TABLE, 100, 3), "most changed", "not as it was", "[96, 32] -> [99, 32]",
           "the first 96 rows", "only in one", "lm_head.weight", "h.*.attn.bias", "x 2",
           "more changed less: --tensors shows all", "block", "change of all together ");
    text = shown(result, NT_TABLE, 100, -1);
    assert_null(strstr(text, "more changed less"));
    free(text);
    text = shown(result, NT_CSV, 80, -1);
    assert_int_equal(count(text, "\n"), nt_result_n_tensor_diffs(result) + 1);
    EXPECT(text, "name,difference,type_a,", "\"lm_head.weight\",\"only_b\",\"\",\"F32\",,99 32,,");
    nt_result_free(result);
    ok(nt_diff_tensors(&result, a, a, NULL));
    text = shown(result, NT_TABLE, 80, -1);
    assert_null(strstr(text, "change"));
    EXPECT(text, "identical");
    text = shown(result, NT_JSON, 80, -1);
    json_t *object = json_loads(text, 0, NULL);
    free(text);
    assert_true(json_is_object(object));
    assert_int_equal(json_integer_value(json_object_get(object, "changed")), 0);
    assert_null(json_object_get(object, "precision"));
    json_decref(object);
    nt_result_free(result);
    ok(nt_model_open(&model, a, NULL));
    ok(nt_info(&result, model));
    nt_model_free(model);
    EXPECT(shown(result, NT_TABLE, 100, -1), "h.*.attn.c_attn.weight", "x 2", "[32, 96]");
    nt_result_free(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics),
        cmocka_unit_test(differences),
        cmocka_unit_test(names_of_wrappers),
        cmocka_unit_test(strangers),
        cmocka_unit_test(no_statistics),
        cmocka_unit_test(refusals),
        cmocka_unit_test(callbacks),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(views),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
