/* Opening checkpoints: names, heads, widths, counts, and what is refused and how. */
#include "checkpoint.h"

#include <fcntl.h>

#include "base/memory.h"
#include "model/network.h"

#define SMALL "--shape", "tiny", "--n-positions", "63"

static nt_network *open_ok(const char *name) {
    char path[CHECKPOINT_PATH];
    nt_network *network;
    checkpoint_path(path, name);
    if (nt_network_open(&network, path, NT_PRECISION_F32) != NT_OK)
        fail_msg("%s", nt_error_message());
    return network;
}

/* Expects this status and each of the words (NULL ends them) in the message. */
static void refused(const char *path, int status, const char *const *words) {
    nt_network *network = (nt_network *)(uintptr_t)1;
    int found = nt_network_open(&network, path, NT_PRECISION_F32);
    if (found != status) fail_msg("%s: status %d, %s", path, found, nt_error_message());
    assert_null(network);
    for (; *words; words++)
        if (!strstr(nt_error_message(), *words))
            fail_msg("no \"%s\" in: %s", *words, nt_error_message());
}

/* Folder `name` gets the config.json of folder `other`. */
static void swap_config(const char *name, const char *other) {
    char to[CHECKPOINT_PATH], from[CHECKPOINT_PATH], path[CHECKPOINT_PATH];
    snprintf(path, sizeof path, "%.200s/config.json", name);
    checkpoint_path(to, path);
    snprintf(path, sizeof path, "%.200s/config.json", other);
    checkpoint_path(from, path);
    assert_int_equal(rename(from, to), 0);
}

static float at(const nt_matrix *m, size_t i) {
    return nt_dtype_load(m->data, m->dtype, i);
}

/* The same seed gives the same weights in every storage; compares all of them. */
static void same_weights(const nt_network *a, const nt_network *b) {
    size_t D = (size_t)a->config.D, V = (size_t)a->config.V;
    for (size_t i = 0; i < V * D; i++)
        assert_true(at(&a->wte, i) == at(&b->wte, i));
    for (size_t l = 0; l < (size_t)a->config.L; l++) {
        const nt_block *x = &a->blocks[l], *y = &b->blocks[l];
        for (size_t i = 0; i < 3 * D * D; i++)
            assert_true(at(&x->attn_qkv, i) == at(&y->attn_qkv, i));
        assert_memory_equal(x->mlp_in_bias, y->mlp_in_bias, (size_t)a->config.F * sizeof(float));
        assert_memory_equal(x->ln2_gain, y->ln2_gain, D * sizeof(float));
    }
    assert_memory_equal(a->lnf_bias, b->lnf_bias, D * sizeof(float));
}

static void shapes_and_places(void **state) {
    (void)state;
    CHECKPOINT("plain", SMALL);
    nt_network *n = open_ok("plain");
    const nt_block *b = &n->blocks[1];
    assert_string_equal(n->prefix, "");
    assert_true(n->wte.K == 32 && n->wte.N == 96 && n->wte.layout == NT_OUT_IN);
    assert_true(n->wpe.K == 32 && n->wpe.N == 63 && n->wpe.layout == NT_OUT_IN);
    assert_true(b->attn_qkv.K == 32 && b->attn_qkv.N == 96 && b->attn_qkv.layout == NT_IN_OUT);
    assert_true(b->attn_out.K == 32 && b->attn_out.N == 32);
    assert_true(b->mlp_in.K == 32 && b->mlp_in.N == 128);
    assert_true(b->mlp_out.K == 128 && b->mlp_out.N == 32);
    assert_true(n->tied);
    assert_ptr_equal(n->head.data, n->wte.data);
    assert_int_equal(n->n_weight_bytes, 4 * n->n_parameters);
    nt_network_free(n);
    nt_network_free(NULL);
}

static void storages_are_equal(void **state) {
    (void)state;
    CHECKPOINT("plain", SMALL);
    CHECKPOINT("prefix", SMALL, "--prefix");
    CHECKPOINT("shards", SMALL, "--shards", "5", "--prefix", "--buffers");
    CHECKPOINT("buffers", SMALL, "--buffers");
    nt_network *plain = open_ok("plain");
    static const char *const names[] = {"prefix", "shards", "buffers", "plain/model.safetensors",
                                        "shards/model.safetensors.index.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nt_network *other = open_ok(names[i]);
        same_weights(plain, other);
        assert_int_equal(other->n_parameters, plain->n_parameters);
        nt_network_free(other);
    }
    nt_network_free(plain);
}

/* Layer 1's mask of odd size pushes layer 2 off its alignment; such matrices are copied. */
static void unaligned_and_wide_numbers(void **state) {
    (void)state;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "F64"};
    for (size_t i = 0; i < 4; i++) {
        CHECKPOINT("odd", SMALL, "--n-layer", "3", "--buffers", "--dtype", dtypes[i]);
        nt_network *n = open_ok("odd");
        for (size_t l = 0; l < 3; l++) {
            const nt_matrix *m = &n->blocks[l].mlp_out;
            assert_int_equal((uintptr_t)m->data % nt_dtype_size(m->dtype), 0);
            assert_true(m->dtype != NT_F64);
            if (i == 0) assert_true(m->dtype == NT_F32);
        }
        if (i == 1 || i == 2) assert_int_equal(n->n_weight_bytes, 2 * n->n_parameters);
        if (i == 3) assert_int_equal(n->n_weight_bytes, 8 * n->n_parameters);
        nt_network_free(n);
    }
    CHECKPOINT("plain", SMALL, "--n-layer", "3");
    CHECKPOINT("odd", SMALL, "--n-layer", "3", "--buffers", "--dtype", "F64");
    nt_network *plain = open_ok("plain"), *odd = open_ok("odd");
    same_weights(plain, odd); /* F64 holds more digits, and rounds to what F32 stores */
    nt_network_free(odd);
    CHECKPOINT("odd", SMALL, "--n-layer", "3", "--buffers");
    odd = open_ok("odd");
    same_weights(plain, odd);
    nt_network_free(odd);
    nt_network_free(plain);
}

static void heads(void **state) {
    (void)state;
    static const struct {
        const char *option;
        bool tied, counted;
    } cases[] = {{"--tied", true, false},
                 {"--head-copy", true, false},
                 {"--untied", false, true},
                 {"--tied-flag-but-different-head", false, true}};
    uint64_t tied_count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECKPOINT("head", SMALL, cases[i].option);
        nt_network *n = open_ok("head");
        if (i == 0) tied_count = n->n_parameters;
        assert_int_equal(n->tied, cases[i].tied);
        assert_int_equal(n->head.data == n->wte.data, cases[i].tied);
        assert_int_equal(n->n_parameters, tied_count + (cases[i].counted ? 96 * 32 : 0));
        assert_true(n->head.layout == NT_OUT_IN && n->head.K == 32 && n->head.N == 96);
        nt_network_free(n);
    }
    /* Equal bytes under a config that does not tie: two tensors, as transformers counts them. */
    CHECKPOINT("twice", SMALL, "--head-copy");
    CHECKPOINT("other", SMALL, "--untied");
    swap_config("twice", "other");
    nt_network *twice = open_ok("twice");
    assert_false(twice->tied);
    assert_int_equal(twice->n_parameters, tied_count + 96 * 32);
    nt_network_free(twice);
    CHECKPOINT("lacking", SMALL);
    CHECKPOINT("other", SMALL, "--untied");
    swap_config("lacking", "other");
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "lacking");
    refused(path, NT_E_FORMAT,
            (const char *const[]){"lm_head.weight", "[96, 32]", "tie_word_embeddings", NULL});
}

/* As transformers' num_parameters(): distilgpt2 here, gpt2 among the oracle's figures. */
static void counts_of_distilgpt2(void **state) {
    (void)state;
    CHECKPOINT("distil", "--shape", "distilgpt2", "--dtype", "F16");
    nt_network *n = open_ok("distil");
    assert_int_equal(n->n_parameters, 81912576);
    assert_int_equal(n->n_weight_bytes, 2 * 81912576);
    nt_network_free(n);
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "distil");
    checkpoint_remove(path);
}

static void wrong_tensors(void **state) {
    (void)state;
    static const struct {
        const char *option, *value;
        const char *words[5];
    } cases[] = {
        /* the config asks for this; the file has the tiny shape */
        {"--n-layer", "3", {"h.2.ln_1.weight", "[32]", "found no tensor"}},
        {"--n-layer", "1", {"h.1.attn.c_attn.bias", "n_layer 1"}},
        {"--n-inner", "100", {"h.0.mlp.c_fc.weight", "[32, 100]", "[32, 128]"}},
        {"--vocab-size", "97", {"wte.weight", "[97, 32]", "[96, 32]"}},
        {"--n-positions", "64", {"wpe.weight", "[64, 32]", "[63, 32]"}},
        {"--n-embd", "64", {"wte.weight", "[96, 64]", "[96, 32]"}},
    };
    char path[CHECKPOINT_PATH];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECKPOINT("wrong", SMALL);
        CHECKPOINT("other", SMALL, cases[i].option, cases[i].value);
        swap_config("wrong", "other");
        checkpoint_path(path, "wrong");
        refused(path, NT_E_FORMAT, cases[i].words);
    }
    checkpoint_path(path, "nothing-there");
    refused(path, NT_E_NOT_FOUND, (const char *const[]){"nothing-there", NULL});
}

/* Renames tensors within the file, keeping its length. */
static void rename_tensor(const char *name, const char *from, const char *to) {
    char path[CHECKPOINT_PATH], file[CHECKPOINT_PATH];
    snprintf(file, sizeof file, "%.200s/model.safetensors", name);
    checkpoint_path(path, file);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    static char head[32768];
    size_t n = fread(head, 1, sizeof head - 1, f);
    head[n] = 0;
    for (size_t i = 0; i < 8; i++)
        if (!head[i]) head[i] = ' '; /* the length, for strstr; it is not written back */
    char *place = strstr(head, from);
    assert_non_null(place);
    assert_int_equal(strlen(from), strlen(to));
    assert_int_equal(fseek(f, place - head, SEEK_SET), 0);
    assert_int_equal(fwrite(to, 1, strlen(to), f), strlen(to));
    assert_int_equal(fclose(f), 0);
}

static void strange_names(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *named;
    } cases[] = {
        {"h.0.ln_1.weight", "h.0.ln_9.weight", "h.0.ln_1.weight"}, /* missing comes first */
        {"h.0.attn.bias", "h.9.attn.bias", "h.9.attn.bias"},
        {"h.0.attn.bias", "h.0.attn.BIAS", "h.0.attn.BIAS"},
        {"h.0.attn.bias", "x.0.attn.bias", "x.0.attn.bias"},
        {"h.0.attn.masked_bias", "h.00.attn.maskedbias", "h.00.attn.maskedbias"},
        {"h.0.attn.masked_bias", "h.00.attn.mask_bias ", "h.00.attn.mask_bias"},
    };
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "strange");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECKPOINT("strange", SMALL, "--buffers");
        rename_tensor("strange", cases[i].from, cases[i].to);
        refused(path, NT_E_FORMAT, (const char *const[]){cases[i].named, NULL});
    }
    /* Names with the prefix: all of them or none. */
    CHECKPOINT("strange", SMALL, "--prefix");
    rename_tensor("strange", "transformer.ln_f.bias", "transf0rmer.ln_f.bias");
    refused(path, NT_E_FORMAT, (const char *const[]){"transformer.ln_f.bias", NULL});
}

static void broken_weights_are_named(void **state) {
    (void)state;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "F64"};
    for (size_t i = 0; i < 4; i++) {
        CHECKPOINT("broken", SMALL, "--dtype", dtypes[i], "--nan", "h.1.mlp.c_proj.weight");
        nt_network *n = open_ok("broken");
        assert_int_equal(nt_network_check_finite(n), NT_E_NUMERIC);
        assert_non_null(strstr(nt_error_message(), "h.1.mlp.c_proj.weight"));
        assert_non_null(strstr(nt_error_message(), "NaN at index 2048 of 4096"));
        nt_network_free(n);
    }
}

static void mkmodel_refuses(void **state) {
    (void)state;
    static const char *const bad[][3] = {{"--shape", "huge"},
                                         {"--n-head", "5"},
                                         {"--dtype", "F8"},
                                         {"--n-embd", "0"},
                                         {"--frobnicate", "1"},
                                         {"--seed", "x"},
                                         {"--layer-norm-epsilon", "-1"}};
    fflush(stdout);
    int keep = dup(2), nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(checkpoint_make("refused", bad[i], 2), 2);
    static const char *const no_tensor[] = {"--shape", "tiny", "--nan", "h.7.ln_1.bias"};
    assert_int_equal(checkpoint_make("refused", no_tensor, 4), 1);
    assert_int_equal(checkpoint_make("no/such/folder", no_tensor, 2), 1);
    dup2(keep, 2);
    close(keep);
    close(nothing);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    CHECKPOINT("fragile", SMALL, "--dtype", "F64", "--untied", "--shards", "2");
    char path[CHECKPOINT_PATH];
    checkpoint_path(path, "fragile");
    int status = NT_E_MEMORY;
    size_t k = 1;
    for (; status != NT_OK; k++) {
        nt_network *n;
        nt_memory_fail_at(k);
        status = nt_network_open(&n, path, NT_PRECISION_F32);
        nt_memory_fail_at(0);
        if (status != NT_OK) {
            assert_int_equal(status, NT_E_MEMORY);
            assert_null(n);
        }
        nt_network_free(n);
    }
    assert_true(k > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_places),
        cmocka_unit_test(storages_are_equal),
        cmocka_unit_test(unaligned_and_wide_numbers),
        cmocka_unit_test(heads),
        cmocka_unit_test(counts_of_distilgpt2),
        cmocka_unit_test(wrong_tensors),
        cmocka_unit_test(strange_names),
        cmocka_unit_test(broken_weights_are_named),
        cmocka_unit_test(mkmodel_refuses),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, checkpoints_remove);
}
