/* Jobs that need a tokenizer alone: counts of files, tokenizers side by side, GPT-2's own. */
#include "api/small_model.h"

#include <unistd.h>

#include "base/memory.h"

/* design.md's facts: the ids of GPT-2's own vocabulary. */
static const char weekend[] = " This weekend I plan to";
static const int32_t weekend_ids[] = {770, 5041, 314, 1410, 284};
enum { N_WEEKEND = 5 };

static nt_model *open_tokenizer(const char *path) {
    nt_model_options options = NT_MODEL_OPTIONS_INIT;
    options.tokenizer_only = true;
    nt_model *model;
    assert_ok(nt_model_open(&model, path, &options));
    return model;
}

/* A file of pieces, `times` one after the other; its path, which stays until the next call. */
static const char *make_file(const char *name, const char *piece, size_t n, size_t times) {
    static char path[CHECKPOINT_PATH + 64];
    char folder[CHECKPOINT_PATH];
    checkpoint_path(folder, "small");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(fwrite(piece, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void gpt2_is_built_in(void **state) {
    (void)state;
    nt_tokenizer *tokenizer;
    assert_ok(nt_tokenizer_gpt2(&tokenizer));
    assert_int_equal(nt_tokenizer_size(tokenizer), 50257);
    assert_int_equal(nt_tokenizer_eos(tokenizer), 50256);
    int32_t *ids;
    size_t n;
    assert_ok(nt_encode(&ids, NULL, NULL, &n, tokenizer, weekend, strlen(weekend), NULL));
    assert_int_equal(n, N_WEEKEND);
    assert_memory_equal(ids, weekend_ids, sizeof weekend_ids);
    nt_free(ids);
    nt_tokenizer_free(tokenizer);
}

static void a_model_may_be_a_tokenizer_alone(void **state) {
    nt_model *gpt2 = open_tokenizer(NULL), *small = open_tokenizer(*state);
    nt_result *result;
    assert_ok(nt_tokenize(&result, gpt2, nt_text(weekend), NULL));
    assert_int_equal(nt_result_n_tokens(result), N_WEEKEND);
    for (size_t i = 0; i < N_WEEKEND; i++)
        assert_int_equal(nt_result_token(result, i)->id, weekend_ids[i]);
    nt_result_free(result);
    assert_ok(nt_tokenize(&result, small, nt_text("the the"), NULL));
    assert_int_equal(nt_result_n_tokens(result), 2);
    assert_int_equal(nt_result_token(result, 1)->id, 29);
    nt_result_free(result);
    /* what runs a model says that there is none */
    nt_session *session;
    assert_int_equal(nt_session_new(&session, gpt2, NULL), NT_E_ARGUMENT);
    assert_null(session);
    nt_model_free(small);
    nt_model_free(gpt2);
}

static void compared_side_by_side(void **state) {
    nt_model *first = open_tokenizer(NULL), *second = open_tokenizer(*state);
    const nt_model *models[] = {first, second};
    nt_result *result;
    /* GPT-2: "the", " weekend"; the small one has no token for " weekend" */
    assert_ok(nt_tokenize_compare(&result, models, 2, nt_text("the weekend the"), NULL));
    assert_int_equal(nt_result_get_kind(result), NT_RESULT_COMPARED);
    assert_int_equal(nt_result_n_compared(result), 2);
    assert_int_equal(nt_result_compared(result, 0)->n_tokens, 3);
    assert_int_equal(nt_result_compared(result, 1)->n_tokens, 10);
    assert_int_equal(nt_result_n_stretches(result), 3);
    static const size_t ends[] = {3, 11, 15};
    for (size_t i = 0; i < 3; i++) {
        const nt_stretch *s = nt_result_stretch(result, i);
        assert_int_equal(s->end, ends[i]);
        assert_int_equal(s->differs, i == 1);
        assert_int_equal(s->n_tokens[0], 1);
        assert_int_equal(s->n_tokens[1], i == 1 ? 8 : 1);
    }
    nt_result_free(result);
    assert_ok(nt_tokenize_compare(&result, models, 2, nt_text(""), NULL));
    assert_int_equal(nt_result_n_stretches(result), 0);
    nt_result_free(result);
    const nt_model *twice[] = {models[0], models[0]};
    assert_ok(nt_tokenize_compare(&result, twice, 2, nt_text(weekend), NULL));
    assert_int_equal(nt_result_n_stretches(result), N_WEEKEND);
    for (size_t i = 0; i < N_WEEKEND; i++)
        assert_false(nt_result_stretch(result, i)->differs);
    nt_result_free(result);
    assert_fails(nt_tokenize_compare(&result, models, 0, nt_text("a"), NULL), NT_E_ARGUMENT,
                 "no model");
    assert_null(result);
    assert_fails(nt_tokenize_compare(&result, models, 2, NULL, NULL), NT_E_ARGUMENT, "none");
    nt_model_free(second);
    nt_model_free(first);
}

/* Far more than one piece; each repetition has its own tokens. */
static void counts_of_long_files(void **state) {
    (void)state;
    enum { TIMES = 1000 * 1000 };
    nt_model *first = open_tokenizer(NULL), *second = open_tokenizer(NULL);
    const nt_model *models[] = {first, second};
    const char *path = make_file("long.txt", weekend, strlen(weekend), TIMES);
    for (int threads = 1; threads <= 2; threads++) {
        nt_count_options options = NT_COUNT_OPTIONS_INIT;
        options.threads = threads;
        nt_result *result;
        assert_ok(nt_count(&result, models, 2, &path, 1, &options));
        assert_int_equal(nt_result_get_kind(result), NT_RESULT_COUNTS);
        assert_int_equal(nt_result_n_counted(result), 1);
        const nt_counted *file = nt_result_counted(result, 0);
        assert_string_equal(file->name, path);
        assert_int_equal(file->n_bytes, TIMES * strlen(weekend));
        assert_int_equal(file->n_characters, TIMES * strlen(weekend));
        assert_int_equal(file->n_tokens[0], TIMES * N_WEEKEND);
        assert_int_equal(file->n_tokens[1], TIMES * N_WEEKEND);
        nt_result_free(result);
    }
    unlink(path);
    nt_model_free(first);
    nt_model_free(second);
}

/* A text without a space is not cut in the middle, and a bad byte far behind is still named. */
static void counts_without_a_border(void **state) {
    nt_model *model = open_tokenizer(*state);
    const nt_model *models[] = {model};
    const char *path = make_file("solid.txt", "the,", 4, 100);
    nt_result *result;
    assert_int_equal(nt_count(&result, models, 1, &path, 1, NULL), NT_E_UNSUPPORTED); /* "," */
    assert_null(result);
    path = make_file("solid.txt", "th\ne", 4, 0);
    assert_ok(nt_count(&result, models, 1, &path, 1, NULL));
    assert_int_equal(nt_result_counted(result, 0)->n_tokens[0], 0);
    nt_result_free(result);
    nt_model *gpt2 = open_tokenizer(NULL);
    models[0] = gpt2;
    path = make_file("solid.txt", "x1", 2, 9 << 20); /* "x", "1": no letter touches a letter */
    assert_ok(nt_count(&result, models, 1, &path, 1, NULL));
    assert_int_equal(nt_result_counted(result, 0)->n_tokens[0], 2 * (9 << 20));
    nt_result_free(result);
    path = make_file("bad.txt", "ab cd\xFF ef", 9, 1);
    assert_fails(nt_count(&result, models, 1, &path, 1, NULL), NT_E_TEXT, "bad.txt is not UTF-8");
    assert_non_null(strstr(nt_error_message(), "byte 5 (0xFF)"));
    assert_null(result);
    unlink(path);
    path = make_file("solid.txt", "", 0, 0);
    unlink(path);
    assert_fails(nt_count(&result, models, 1, &path, 1, NULL), NT_E_NOT_FOUND, "solid.txt");
    assert_fails(nt_count(&result, models, 1, NULL, 0, NULL), NT_E_ARGUMENT, "no file");
    const char *folder = *state;
    assert_fails(nt_count(&result, models, 1, &folder, 1, NULL), NT_E_IO, "directory");
    nt_model_free(gpt2);
    nt_model_free(model);
}

static int cancel_now(void *payload) {
    (void)payload;
    return 1;
}

static void a_count_can_be_cancelled(void **state) {
    (void)state;
    nt_model *model = open_tokenizer(NULL);
    const nt_model *models[] = {model};
    nt_callbacks callbacks = {.size = sizeof callbacks, .cancel = cancel_now};
    nt_count_options options = NT_COUNT_OPTIONS_INIT;
    options.callbacks = &callbacks;
    const char *zeros = "/dev/zero"; /* which has no end */
    nt_result *result;
    assert_int_equal(nt_count(&result, models, 1, &zeros, 1, &options), NT_E_CANCELLED);
    assert_null(result);
    nt_model_free(model);
}

static void any_allocation_may_fail(void **state) {
    nt_model *first = open_tokenizer(NULL), *second = open_tokenizer(*state);
    const nt_model *models[] = {first, second};
    const char *path = make_file("short.txt", "the the", 7, 1);
    nt_count_options options = NT_COUNT_OPTIONS_INIT;
    options.threads = 1;
    for (int job = 0; job < 2; job++) {
        int status = NT_E_MEMORY;
        size_t i = 1;
        for (; status != NT_OK && i < 2000; i++) {
            nt_result *result = (nt_result *)1;
            nt_memory_fail_at(i);
            status = job ? nt_count(&result, models, 2, &path, 1, &options)
                         : nt_tokenize_compare(&result, models, 2, nt_text("the week"), NULL);
            nt_memory_fail_at(0);
            if (status == NT_OK) {
                nt_result_free(result);
                continue;
            }
            assert_int_equal(status, NT_E_MEMORY);
            assert_null(result);
        }
        assert_int_equal(status, NT_OK);
        assert_true(i > 5);
    }
    unlink(path);
    nt_model_free(second);
    nt_model_free(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_is_built_in),
        cmocka_unit_test(a_model_may_be_a_tokenizer_alone),
        cmocka_unit_test(compared_side_by_side),
        cmocka_unit_test(counts_of_long_files),
        cmocka_unit_test(counts_without_a_border),
        cmocka_unit_test(a_count_can_be_cancelled),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, small_model_make, NULL);
}
