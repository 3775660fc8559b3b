/* nt_convert: there and back, at every width, without a byte lost; what it refuses; and that what
 * was stopped left nothing. Files of llama.cpp's own writer and converter (tests/api/data/gguf) are
 * the sources. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "format/tensors.h"
#include "nextoken.h"

#define DATA NT_SOURCE_DIR "/tests/api/data/gguf/"
#define PLACE NT_BINARY_DIR "/tests/convert/"

enum { V = 292, N_IDS = 6 };
static const int32_t IDS[N_IDS] = {5, 200, 3, 259, 80, 1};

static int clean(void **state) {
    (void)state;
    return system("rm -rf '" PLACE "' && mkdir -p '" PLACE "'") != 0;
}

static int try_convert(const char *from, const char *to, nt_width width, bool overwrite) {
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    options.width = width;
    options.overwrite = overwrite;
    return nt_convert(NULL, from, to, &options);
}

static void convert(const char *from, const char *to, nt_width width) {
    if (try_convert(from, to, width, false) != NT_OK) fail_msg("%s", nt_error_message());
}

static void expect_fail(const char *from, const char *to, nt_width width, int status,
                        const char *part) {
    int found = try_convert(from, to, width, false);
    if (found != status || !strstr(nt_error_message(), part))
        fail_msg("%s: %s; expected %s with \"%s\"", nt_status_name(found), nt_error_message(),
                 nt_status_name(status), part);
}

/* Files in the place, hidden ones too. */
static size_t count_entries(const char *folder) {
    size_t n = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    while (readdir(entries))
        n++;
    closedir(entries);
    return n - 2;
}

static void logits_of(float logits[V], const char *path) {
    nt_model *model;
    nt_session *session;
    int32_t sequence;
    if (nt_model_open(&model, path, NULL) != NT_OK) fail_msg("%s", nt_error_message());
    assert_int_equal(nt_session_new(&session, model, NULL), NT_OK);
    assert_int_equal(nt_sequence_new(&sequence, session), NT_OK);
    assert_int_equal(nt_forward(session, sequence, IDS, N_IDS, NT_WANT_LAST, logits, NULL), NT_OK);
    nt_session_free(session);
    nt_model_free(model);
}

static double distance(const char *one, const char *other) {
    float a[V], b[V];
    double worst = 0;
    logits_of(a, one);
    logits_of(b, other);
    for (size_t i = 0; i < V; i++) {
        double d = (double)a[i] - (double)b[i];
        worst = d > worst ? d : -d > worst ? -d : worst;
    }
    return worst;
}

/* Every tensor of both has the same type, shape and bytes. */
static void expect_same_tensors(const char *one, const char *other) {
    nt_tensors *a, *b;
    const nt_tensor *tensor;
    assert_int_equal(nt_tensors_open(&a, one), NT_OK);
    assert_int_equal(nt_tensors_open(&b, other), NT_OK);
    assert_int_equal(nt_tensors_count(a), nt_tensors_count(b));
    for (size_t i = 0; (tensor = nt_tensors_at(a, i)) != NULL; i++) {
        const nt_tensor *twin = nt_tensors_find(b, tensor->name);
        assert_non_null(twin);
        assert_int_equal(tensor->dtype, twin->dtype);
        assert_int_equal(tensor->n_dims, twin->n_dims);
        assert_memory_equal(tensor->shape, twin->shape, sizeof tensor->shape);
        assert_memory_equal(tensor->data, twin->data,
                            nt_dtype_bytes(tensor->dtype, tensor->n_items));
    }
    nt_tensors_free(a);
    nt_tensors_free(b);
}

static void expect_same_tokens(const char *one, const char *other) {
    static const char text[] = " the rain<|endoftext|> in <pad>Spain\n\n don't";
    const char *paths[] = {one, other};
    int32_t *ids[2], pad[2];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        nt_model *model;
        assert_int_equal(nt_model_open(&model, paths[i], NULL), NT_OK);
        const nt_tokenizer *t = nt_model_tokenizer(model);
        assert_int_equal(nt_tokenizer_eos(t), 289);
        pad[i] = nt_tokenizer_pad(t);
        assert_int_equal(nt_encode(&ids[i], NULL, NULL, &n[i], t, text, NT_ZERO_ENDED, NULL),
                         NT_OK);
        nt_model_free(model);
    }
    assert_int_equal(pad[0], pad[1]);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(ids[0], ids[1], n[0] * sizeof(int32_t));
    nt_free(ids[0]);
    nt_free(ids[1]);
}

/* GGUF -> folder -> GGUF gives the same tensors, byte by byte, and the same tokens; the folder in
 * between computes what the file does, but for the order of sums. */
static void there_and_back(void **state) {
    (void)state;
    static const struct {
        const char *name;
        nt_width width;
    } files[] = {{"f16", NT_WIDTH_F16},
                 {"bf16", NT_WIDTH_BF16},
                 {"q8_0", NT_WIDTH_Q8_0},
                 {"llama_cpp_f16", NT_WIDTH_F16}, /* its converter's own */
                 {"llama_cpp_q8_0", NT_WIDTH_Q8_0}};
    enum { N = sizeof files / sizeof *files };
    for (size_t i = 0; i < N; i++) {
        char source[400], folder[400], file[400];
        snprintf(source, sizeof source, DATA "%s.gguf", files[i].name);
        snprintf(folder, sizeof folder, PLACE "%s", files[i].name);
        snprintf(file, sizeof file, PLACE "%s.gguf", files[i].name);
        convert(source, folder, NT_WIDTH_F32);
        convert(folder, file, files[i].width);
        expect_same_tensors(source, file);
        expect_same_tokens(source, file);
        expect_same_tokens(source, folder);
        double error = distance(source, folder);
        print_message("%s: logits of the folder differ by %.2g, %.0f %% of the 2e-05 allowed\n",
                      files[i].name, error, error / 2e-5 * 100);
        assert_true(error <= 2e-5);
        assert_true(distance(source, file) == 0);
    }
    assert_int_equal(count_entries(PLACE), 2 * N);
}

/* Widths without a loss come back as they were: F16 through F32, and kept blocks as they are. */
static void widths(void **state) {
    (void)state;
    convert(DATA "f16.gguf", PLACE "half", NT_WIDTH_F16);
    convert(PLACE "half", PLACE "float", NT_WIDTH_F32);
    convert(PLACE "float", PLACE "half-again", NT_WIDTH_F16);
    expect_same_tensors(PLACE "half", PLACE "half-again");
    convert(DATA "q4_0.gguf", PLACE "kept.gguf", NT_WIDTH_KEEP);
    expect_same_tensors(DATA "q4_0.gguf", PLACE "kept.gguf");
    assert_true(distance(DATA "q4_0.gguf", PLACE "kept.gguf") == 0);
    nt_converted made = {.size = sizeof made};
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    options.width = NT_WIDTH_Q8_0;
    assert_int_equal(nt_convert(&made, PLACE "float", PLACE "q8.gguf", &options), NT_OK);
    assert_string_equal(made.format, "gguf");
    assert_string_equal(made.width, "Q8_0");
    assert_int_equal(made.n_tensors, 28);
    struct stat info;
    assert_int_equal(stat(PLACE "q8.gguf", &info), 0);
    assert_int_equal(made.n_bytes, info.st_size);
    double error = distance(PLACE "float", PLACE "q8.gguf");
    assert_true(error > 0 && error < 0.2);
}

static void what_is_refused(void **state) {
    (void)state;
    const char *file = DATA "f16.gguf";
    expect_fail(file, PLACE "x", NT_WIDTH_Q8_0, NT_E_ARGUMENT, "safetensors has no q8_0");
    expect_fail(file, PLACE "x", (nt_width)9, NT_E_ARGUMENT, "no nt_width 9");
    expect_fail(file, "", NT_WIDTH_KEEP, NT_E_ARGUMENT, "missing");
    expect_fail(PLACE "none.gguf", PLACE "x", NT_WIDTH_KEEP, NT_E_NOT_FOUND, "none.gguf");
    expect_fail(file, PLACE "none/x.gguf", NT_WIDTH_KEEP, NT_E_NOT_FOUND, "none/x.gguf");
    expect_fail(file, PLACE "none/x", NT_WIDTH_KEEP, NT_E_NOT_FOUND, "none/x");
    assert_int_equal(count_entries(PLACE), 0);
    convert(file, PLACE "there", NT_WIDTH_KEEP);
    convert(file, PLACE "there.gguf", NT_WIDTH_KEEP);
    expect_fail(file, PLACE "there", NT_WIDTH_KEEP, NT_E_IO, "is there already");
    expect_fail(file, PLACE "there.gguf", NT_WIDTH_KEEP, NT_E_IO, "is there already");
    assert_int_equal(try_convert(file, PLACE "there/", NT_WIDTH_F32, true), NT_OK);
    assert_int_equal(try_convert(file, PLACE "there.gguf", NT_WIDTH_F32, true), NT_OK);
    assert_int_equal(mkdir(PLACE "there/inner", 0777), 0);
    assert_int_equal(try_convert(file, PLACE "there", NT_WIDTH_F32, true), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "no folder of a checkpoint alone"));
    assert_int_equal(mkdir(PLACE "empty", 0777), 0);
    assert_int_equal(try_convert(file, PLACE "empty", NT_WIDTH_F32, true), NT_E_IO);
    assert_int_equal(count_entries(PLACE), 3);
    assert_int_equal(count_entries(PLACE "there"), 6);
}

static void change_file(const char *path, const char *find, const char *put) {
    char *text, *at;
    size_t n;
    assert_int_equal(nt_file_read(&text, &n, path, 1 << 20), NT_OK);
    at = strstr(text, find);
    assert_non_null(at);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, put, at + strlen(find));
    fclose(file);
    nt_free(text);
}

/* A folder whose config.json is changed a little. */
static void change_config(const char *folder, const char *find, const char *put) {
    char path[400];
    snprintf(path, sizeof path, "%s/config.json", folder);
    change_file(path, find, put);
}

static void what_gguf_cannot_say(void **state) {
    (void)state;
    convert(DATA "f16.gguf", PLACE "m", NT_WIDTH_KEEP);
    convert(DATA "q4_0.gguf", PLACE "untied", NT_WIDTH_F16);
    change_config(PLACE "untied", "\"tie_word_embeddings\": false", "\"summary_type\": \"mean\"");
    change_config(PLACE "m", "gelu_new", "relu");
    expect_fail(PLACE "m", PLACE "m.gguf", NT_WIDTH_KEEP, NT_E_UNSUPPORTED, "another activation");
    convert(PLACE "m", PLACE "copy", NT_WIDTH_KEEP);
    expect_same_tensors(PLACE "m", PLACE "copy");
    change_config(PLACE "m", "\"relu\"", "\"gelu_new\", \"scale_attn_by_inverse_layer_idx\": true");
    expect_fail(PLACE "m", PLACE "m.gguf", NT_WIDTH_KEEP, NT_E_UNSUPPORTED, "inverse_layer_idx");
    change_config(PLACE "m", "_by_inverse_layer_idx\": true", "_weights\": false");
    expect_fail(PLACE "m", PLACE "m.gguf", NT_WIDTH_KEEP, NT_E_UNSUPPORTED, "scale_attn_weights");
    convert(DATA "f16.gguf", PLACE "strip", NT_WIDTH_KEEP);
    change_file(PLACE "strip/tokenizer.json", "\"lstrip\": false", "\"lstrip\": true");
    expect_fail(PLACE "strip", PLACE "m.gguf", NT_WIDTH_KEEP, NT_E_UNSUPPORTED, "lstrip");
    assert_int_equal(count_entries(PLACE), 4);
}

/* A number that float16 lacks is told, and nothing is left. */
static void what_does_not_fit(void **state) {
    (void)state;
    convert(DATA "bf16.gguf", PLACE "big", NT_WIDTH_F32);
    FILE *file = fopen(PLACE "big/model.safetensors", "r+b");
    assert_non_null(file);
    float large = 70000;
    assert_int_equal(fseek(file, -(long)sizeof large, SEEK_END), 0);
    assert_int_equal(fwrite(&large, sizeof large, 1, file), 1);
    fclose(file);
    expect_fail(PLACE "big", PLACE "half", NT_WIDTH_F16, NT_E_NUMERIC, "holds 70000, which F16");
    convert(PLACE "big", PLACE "brain", NT_WIDTH_BF16);
    assert_int_equal(count_entries(PLACE), 2);
}

typedef struct heard {
    uint64_t done, total;
    int left; /* calls until stop */
} heard;

static void hear(void *payload, const char *what, uint64_t done, uint64_t total) {
    heard *h = payload;
    assert_string_equal(what, "bytes");
    assert_true(done > h->done && done <= total);
    *h = (heard){done, total, h->left};
}

static int stop(void *payload) {
    return --((heard *)payload)->left < 0;
}

static void progress_and_cancel(void **state) {
    (void)state;
    nt_callbacks callbacks = NT_CALLBACKS_INIT;
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    heard h = {.left = 1000};
    callbacks.payload = &h;
    callbacks.progress = hear;
    callbacks.cancel = stop;
    options.callbacks = &callbacks;
    assert_int_equal(nt_convert(NULL, DATA "f16.gguf", PLACE "a", &options), NT_OK);
    assert_true(h.done == h.total && h.total > 50000);
    for (int left = 0; left < 28; left += 9) {
        h = (heard){.left = left};
        assert_int_equal(nt_convert(NULL, DATA "f16.gguf", PLACE "b", &options), NT_E_CANCELLED);
        h = (heard){.left = left};
        assert_int_equal(nt_convert(NULL, DATA "f16.gguf", PLACE "b.gguf", &options),
                         NT_E_CANCELLED);
    }
    assert_int_equal(count_entries(PLACE), 1);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char *const ways[][2] = {{DATA "q8_0.gguf", PLACE "folder"},
                                          {PLACE "folder", PLACE "file.gguf"},
                                          {PLACE "folder", PLACE "copy"}};
    for (size_t i = 0; i < 3; i++) {
        size_t k = 0;
        for (int status = NT_E_MEMORY; status != NT_OK; k++) {
            nt_memory_fail_at(k + 1);
            status = try_convert(ways[i][0], ways[i][1], NT_WIDTH_F32, false);
            nt_memory_fail_at(0);
            assert_true(status == NT_OK || status == NT_E_MEMORY);
            if (status != NT_OK) assert_int_equal(count_entries(PLACE), i);
        }
        assert_true(k > 50);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(there_and_back, clean),
        cmocka_unit_test_setup(widths, clean),
        cmocka_unit_test_setup(what_is_refused, clean),
        cmocka_unit_test_setup(what_gguf_cannot_say, clean),
        cmocka_unit_test_setup(what_does_not_fit, clean),
        cmocka_unit_test_setup(progress_and_cancel, clean),
        cmocka_unit_test_setup(every_allocation_may_fail, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
