/* A text through each family beside GPT-2 by the public interface (tools/oracle/family_texts.py):
 * its ids, BOS where the tokenizer has one, greedy and beam continuations, hidden states, info. */
#include "model/families.h"

#include "nextoken.h"

static void ok(int status) {
    if (status != NT_OK) fail_msg("%s", nt_error_message());
}

static void make(const char *name, const json_t *one) {
    const char *args[CHECKPOINT_ARGS];
    char path[CHECKPOINT_PATH], file[64];
    size_t n = arguments_of(args, one);
    args[n++] = "--tokenizer";
    args[n++] = NT_SOURCE_DIR "/models/gpt2";
    assert_int_equal(checkpoint_make(name, args, n), 0);
    snprintf(file, sizeof file, "%s/tokenizer_config.json", name);
    checkpoint_path(path, file);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(json_string_value(member(one, "tokenizer_config")), out);
    assert_int_equal(fclose(out), 0);
}

static void check_output(const nt_result *r, const json_t *wanted) {
    const nt_output *output = nt_result_output(r, 0);
    assert_int_equal(output->n_ids, json_array_size(wanted));
    for (size_t i = 0; i < output->n_ids; i++)
        assert_int_equal(output->ids[i], whole(wanted, i));
}

static void check_text(nt_session *session, const json_t *one) {
    nt_result *r;
    const char *text = json_string_value(member(one, "text"));
    const json_t *ids = member(one, "ids"), *norms = member(one, "hidden_norms");
    nt_generate_options options = NT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = (int32_t)json_array_size(member(one, "greedy"));
    ok(nt_generate(&r, session, nt_text(text), &options));
    assert_int_equal(nt_result_n_tokens(r), json_array_size(ids));
    for (size_t i = 0; i < json_array_size(ids); i++)
        assert_int_equal(nt_result_token(r, i)->id, whole(ids, i));
    check_output(r, member(one, "greedy"));
    assert_string_equal(nt_result_output(r, 0)->text,
                        json_string_value(member(one, "greedy_text")));
    nt_result_free(r);
    options.max_new_tokens = (int32_t)json_array_size(member(one, "beams"));
    options.num_beams = 4;
    ok(nt_generate(&r, session, nt_text(text), &options));
    check_output(r, member(one, "beams"));
    nt_result_free(r);
    ok(nt_inspect(&r, session, nt_text(text), NULL));
    const nt_tensor_view *found = nt_result_tensor(r, "hidden_norms");
    assert_int_equal(found->shape[0], json_array_size(norms));
    for (size_t i = 0; i < found->shape[0]; i++)
        assert_true(fabs(number(norms, i) - (double)found->data[i]) < 1e-5 * number(norms, i));
    nt_result_free(r);
    ok(nt_score(&r, session, nt_text(text), NULL));
    assert_int_equal(nt_result_n_tokens(r), json_array_size(ids));
    nt_result_free(r);
}

static void check_case(const json_t *one) {
    const char *name = json_string_value(member(one, "name"));
    char folder[CHECKPOINT_PATH];
    nt_model *model;
    nt_session *session;
    nt_model_info info = {.size = sizeof info};
    make(name, one);
    checkpoint_path(folder, name);
    ok(nt_model_open(&model, folder, NULL));
    ok(nt_session_new(&session, model, NULL));
    ok(nt_model_get_info(&info, model));
    assert_string_equal(info.architecture, name);
    check_text(session, one);
    nt_session_free(session);
    nt_model_free(model);
}

static void a_text_goes_through_as_in_transformers(void **state) {
    (void)state;
    json_error_t error;
    const char *path = NT_SOURCE_DIR "/tests/api/data/families.json";
    json_t *fixture = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!fixture) fail_msg("%s: %s", path, error.text);
    const json_t *cases = member(fixture, "cases");
    assert_int_equal(json_array_size(cases), N_FAMILIES);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
    json_decref(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_goes_through_as_in_transformers)};
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
