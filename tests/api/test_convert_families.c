/* nt_convert of the families beside GPT-2, on the checkpoints whose logits test_oracle.c holds
 * against transformers: to a folder at every width, and refused by name for GGUF. */
#include "model/families.h"

#include "format/tensors.h"
#include "nextoken.h"
#include "report.h"

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

static int convert(const char *from, const char *to, nt_width width) {
    nt_convert_options options = NT_CONVERT_OPTIONS_INIT;
    options.width = width;
    return nt_convert(NULL, from, to, &options);
}

/* Logits [n, V] of all ids; free() them. */
static float *logits_of(size_t *V, const char *folder, const int32_t *ids, size_t n) {
    nt_model *model;
    nt_session *session;
    nt_model_info info = {.size = sizeof info};
    int32_t sequence;
    ok(nt_model_open(&model, folder, NULL));
    ok(nt_model_get_info(&info, model));
    *V = (size_t)info.n_vocab;
    float *logits = malloc(n * *V * sizeof *logits);
    assert_non_null(logits);
    ok(nt_session_new(&session, model, NULL));
    ok(nt_sequence_new(&sequence, session));
    ok(nt_forward(session, sequence, ids, n, NT_WANT_ALL, logits, NULL));
    nt_session_free(session);
    nt_model_free(model);
    return logits;
}

/* Every tensor of the copy stands in the source under its name, with its shape, and of a copy that
 * keeps types with its bytes. */
static void check_tensors(const char *source, const char *copy, bool kept) {
    nt_tensors *a, *b;
    const nt_tensor *tensor;
    ok(nt_tensors_open(&a, source));
    ok(nt_tensors_open(&b, copy));
    assert_int_equal(nt_tensors_count(a), nt_tensors_count(b));
    for (size_t i = 0; (tensor = nt_tensors_at(b, i)) != NULL; i++) {
        const nt_tensor *twin = nt_tensors_find(a, tensor->name);
        if (!twin) fail_msg("%s: there is no %s in the source", copy, tensor->name);
        assert_int_equal(tensor->n_dims, twin->n_dims);
        assert_memory_equal(tensor->shape, twin->shape, sizeof tensor->shape);
        if (!kept) continue;
        assert_int_equal(tensor->dtype, twin->dtype);
        assert_memory_equal(tensor->data, twin->data,
                            nt_dtype_bytes(tensor->dtype, tensor->n_items));
    }
    nt_tensors_free(a);
    nt_tensors_free(b);
}

/* What a width may cost of the range of the logits, where the checkpoint had a wider one; about
 * twice what these checkpoints show. */
static const struct {
    nt_width width;
    const char *name;
    double allowed;
} widths[] = {{NT_WIDTH_KEEP, "keep", 0},
              {NT_WIDTH_F32, "f32", 0},
              {NT_WIDTH_F16, "f16", 1e-2},
              {NT_WIDTH_BF16, "bf16", 6e-2}};

enum { N_WIDTHS = sizeof widths / sizeof *widths };

static double distance(const float *one, const float *other, size_t n) {
    float least = one[0], most = one[0];
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        least = one[i] < least ? one[i] : least;
        most = one[i] > most ? one[i] : most;
        worst = fmax(worst, fabs((double)one[i] - (double)other[i]));
    }
    return worst / (double)(most - least);
}

static void check_case(const json_t *one, const char *name, const char *family, double *worst) {
    const char *args[CHECKPOINT_ARGS];
    char source[CHECKPOINT_PATH], copy[CHECKPOINT_PATH], file[64];
    size_t n_args = arguments_of(args, one), n, V;
    assert_int_equal(checkpoint_make(name, args, n_args), 0);
    checkpoint_path(source, name);
    int32_t *ids = ids_of(&n, member(json_array_get(member(one, "prompts"), 0), "ids"));
    float *before = logits_of(&V, source, ids, n);
    for (size_t i = 0; i < N_WIDTHS; i++) {
        snprintf(file, sizeof file, "%s-%s", name, widths[i].name);
        checkpoint_path(copy, file);
        ok(convert(source, copy, widths[i].width));
        check_tensors(source, copy, widths[i].width == NT_WIDTH_KEEP);
        float *after = logits_of(&V, copy, ids, n);
        double error = distance(before, after, n * V);
        if (!(error <= widths[i].allowed))
            fail_msg("%s: logits differ by %g of their range", file, error);
        worst[i] = fmax(worst[i], error);
        free(after);
    }
    snprintf(file, sizeof file, "%s.gguf", name);
    checkpoint_path(copy, file);
    assert_int_equal(convert(source, copy, NT_WIDTH_F16), NT_E_UNSUPPORTED);
    snprintf(file, sizeof file, "model_type \"%s\" is not written to GGUF", family);
    if (!strstr(nt_error_message(), file)) fail_msg("%s: %s", name, nt_error_message());
    assert_int_equal(access(copy, F_OK), -1);
    free(before);
    free(ids);
}

static void every_family_at_every_width(void **state) {
    (void)state;
    for (size_t f = 0; f < N_FAMILIES; f++) {
        json_t *fixture = fixture_named(family_fixtures[f]);
        const json_t *cases = member(fixture, "cases");
        double worst[N_WIDTHS] = {0};
        assert_true(json_array_size(cases) >= 2);
        for (size_t i = 0; i < json_array_size(cases); i++) {
            char name[48];
            snprintf(name, sizeof name, "%s-%zu", family_fixtures[f], i);
            check_case(json_array_get(cases, i), name, family_fixtures[f], worst);
        }
        assert_true(worst[2] > 0 && worst[3] > worst[2]); /* the widths were others */
        for (size_t i = 0; i < N_WIDTHS; i++)
            report_error("converted", family_fixtures[f], widths[i].name, worst[i]);
        json_decref(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_family_at_every_width)};
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
