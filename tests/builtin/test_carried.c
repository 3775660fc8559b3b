/* The model that is built in against the folder that it was built from: the same bits, by names
 * that lead nowhere else, from memory that nobody copied. */
#include "api/small_model.h"

#include "base/memory.h"
#include "builtin/builtin.h"
#include "model/network.h"

enum { N_IDS = 40 };

/* Every third number, from all of the vocabulary. */
static void fill_ids(int32_t ids[N_IDS]) {
    for (int i = 0; i < N_IDS; i++)
        ids[i] = (int32_t)((i * 15485863u + 7u) % 50257u);
}

static nt_model_info info_of(const nt_model *model) {
    nt_model_info info = {.size = sizeof info};
    assert_ok(nt_model_get_info(&info, model));
    return info;
}

static void same_bits_as_the_folder(void **state) {
    (void)state;
    small_model inside = small_open("tales"), folder = small_open(NT_TALES);
    nt_model_info a = info_of(inside.model), b = info_of(folder.model);
    assert_string_equal(a.path, "tales");
    assert_true(a.built_in && !b.built_in);
    assert_true(a.n_parameters == b.n_parameters && a.n_weight_bytes == b.n_weight_bytes);
    assert_true(a.n_vocab == b.n_vocab && a.n_context == b.n_context && a.n_embd == b.n_embd &&
                a.n_layer == b.n_layer && a.n_head == b.n_head && a.n_inner == b.n_inner);
    size_t n = (size_t)N_IDS * (size_t)a.n_vocab;
    float *logits[2] = {calloc(n, sizeof(float)), calloc(n, sizeof(float))};
    int32_t ids[N_IDS];
    fill_ids(ids);
    for (int i = 0; i < 2; i++) {
        nt_session *session = i ? folder.session : inside.session;
        int32_t sequence;
        assert_ok(nt_sequence_new(&sequence, session));
        assert_ok(nt_forward(session, sequence, ids, N_IDS, NT_WANT_ALL, logits[i], NULL));
    }
    assert_true(logits[0][0] != 0);
    assert_memory_equal(logits[0], logits[1], n * sizeof(float));
    free(logits[0]);
    free(logits[1]);
    small_close(&inside);
    small_close(&folder);
}

/* generation_config.json counts: a greedy run and its end are the same. */
static void same_defaults_as_the_folder(void **state) {
    (void)state;
    small_model inside = small_open(NULL), folder = small_open(NT_TALES);
    nt_generate_options o = NT_GENERATE_OPTIONS_INIT;
    o.max_new_tokens = 12;
    nt_result *a, *b;
    int32_t ids[] = {44484, 318, 257};
    assert_ok(nt_generate(&a, inside.session, nt_ids(ids, 3), &o));
    assert_ok(nt_generate(&b, folder.session, nt_ids(ids, 3), &o));
    const nt_output *x = nt_result_output(a, 0), *y = nt_result_output(b, 0);
    assert_true(x->n_ids > 0);
    assert_int_equal(x->n_ids, y->n_ids);
    assert_memory_equal(x->ids, y->ids, x->n_ids * sizeof *x->ids);
    assert_string_equal(x->finish_reason, y->finish_reason);
    nt_result_free(a);
    nt_result_free(b);
    small_close(&inside);
    small_close(&folder);
}

static void its_tokenizer_is_gpt2s(void **state) {
    (void)state;
    nt_model_options tokenizer = NT_MODEL_OPTIONS_INIT;
    tokenizer.tokenizer_only = true;
    for (int only = 0; only < 2; only++) {
        nt_model *model;
        nt_session *session;
        nt_result *r;
        assert_ok(nt_model_open(&model, "tales", only ? &tokenizer : NULL));
        assert_ok(nt_tokenize(&r, model, nt_text("A long long time ago, "), NULL));
        static const int32_t wanted[] = {32, 890, 890, 640, 2084, 11, 220};
        assert_int_equal(nt_result_n_tokens(r), 7);
        for (size_t i = 0; i < 7; i++)
            assert_int_equal(nt_result_token(r, i)->id, wanted[i]);
        assert_int_equal(nt_tokenizer_eos(nt_model_tokenizer(model)), 50256);
        assert_int_equal(nt_tokenizer_bos(nt_model_tokenizer(model)), 50256);
        nt_result_free(r);
        if (only) assert_fails(nt_session_new(&session, model, NULL), NT_E_ARGUMENT, "tales");
        nt_model_free(model);
    }
}

/* Neither as a folder nor as a model of the hub, whose cache is empty here. */
static void no_other_name_leads_to_it(void **state) {
    (void)state;
    setenv("HF_HUB_OFFLINE", "1", 1);
    setenv("HF_HOME", checkpoints_folder(), 1);
    static const char *const names[] = {"Tales",  "TALES",  "tales/",           "./tales",
                                        "talesx", " tales", "tales (built in)", ""};
    assert_string_equal(nt_builtin_model(), "tales");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nt_model *model = (nt_model *)1;
        assert_int_not_equal(nt_model_open(&model, names[i], NULL), NT_OK);
        assert_null(model);
    }
}

/* Beside a folder of its name it is still the one inside; ./tales names the other. */
static void a_folder_of_its_name_does_not_stand_in_for_it(void **state) {
    (void)state;
    CHECKPOINT("tales", "--shape", "tiny", "--seed", "11");
    char *home = getcwd(NULL, 0);
    assert_int_equal(chdir(checkpoints_folder()), 0);
    nt_model *inside, *folder;
    assert_ok(nt_model_open(&inside, "tales", NULL));
    assert_ok(nt_model_open(&folder, "./tales", NULL));
    assert_int_equal(chdir(home), 0);
    free(home);
    nt_model_info a = info_of(inside), b = info_of(folder);
    assert_true(a.built_in && !b.built_in && a.n_parameters > b.n_parameters);
    assert_string_equal(b.path, "./tales");
    nt_model_free(inside);
    nt_model_free(folder);
}

static void assert_inside(const void *data, const nt_builtin *files) {
    uintptr_t at = (uintptr_t)data, begin = (uintptr_t)files->tensors.data;
    assert_in_range(at, begin, begin + files->tensors.n - 1);
}

static void its_matrices_are_not_copied(void **state) {
    (void)state;
    nt_builtin files;
    nt_network *network;
    assert_true(nt_builtin_files(&files));
    assert_int_equal((uintptr_t)files.tensors.data % 4096, 0);
    assert_ok(nt_network_parse(&network, files.config, files.tensors, "tales", NT_PRECISION_F32));
    assert_inside(network->wte.data, &files);
    assert_inside(network->wpe.data, &files);
    assert_ptr_equal(network->head.data, network->wte.data);
    for (int32_t i = 0; i < network->config.L; i++) {
        const nt_block *block = &network->blocks[i];
        assert_inside(block->attn_qkv.data, &files);
        assert_inside(block->attn_out.data, &files);
        assert_inside(block->mlp_in.data, &files);
        assert_inside(block->mlp_out.data, &files);
    }
    nt_network_free(network);
}

/* What it carries passes every check of a file; what is cut short does not. */
static void bytes_are_checked_like_a_file(void **state) {
    (void)state;
    nt_builtin files;
    nt_network *network = (nt_network *)1;
    assert_true(nt_builtin_files(&files));
    nt_map cut = files.tensors, no_config = {(const unsigned char *)"{}", 2};
    cut.n -= 2;
    assert_fails(nt_network_parse(&network, files.config, cut, "t", NT_PRECISION_F32), NT_E_FORMAT,
                 "cut short");
    assert_null(network);
    assert_fails(nt_network_parse(&network, no_config, files.tensors, "t", NT_PRECISION_F32),
                 NT_E_UNSUPPORTED, "model_type");
    assert_null(network);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (int once = 0; once < 2; once++) {
        size_t k = 1;
        for (bool reached = true; reached; k++) {
            nt_model *model;
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = nt_model_open(&model, NULL, NULL);
            reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (status != (reached ? NT_E_MEMORY : NT_OK))
                fail_msg("allocation %zu: %s: %s", k, nt_status_name(status), nt_error_message());
            assert_int_equal(model == NULL, reached);
            nt_model_free(model);
        }
        assert_true(k > 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_as_the_folder),
        cmocka_unit_test(same_defaults_as_the_folder),
        cmocka_unit_test(its_tokenizer_is_gpt2s),
        cmocka_unit_test(no_other_name_leads_to_it),
        cmocka_unit_test(a_folder_of_its_name_does_not_stand_in_for_it),
        cmocka_unit_test(its_matrices_are_not_copied),
        cmocka_unit_test(bytes_are_checked_like_a_file),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
