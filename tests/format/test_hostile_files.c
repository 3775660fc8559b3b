/* Checkpoints made to harm, in any format: lengths that lie, text that is not what it seems, shards
 * that are somewhere else, metadata of the wrong type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "folder.h"
#include "format/entries.h"
#include "format/gguf_file.h"
#include "format/gguf_names.h"
#include "format/tensors.h"

#define INDEX "model.safetensors.index.json"

/* In memory of exactly its size: NT_OK, or a status and a phrase of one line. */
static void expect_parse(const char *file, const void *bytes, size_t n, int status,
                         const char *phrase) {
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    nt_tensors *tensors;
    int found = nt_tensors_parse(&tensors, exact, n, file);
    if (found != status || (found != NT_OK && !strstr(nt_error_message(), phrase)))
        fail_msg("%s: %s: %s", phrase, nt_status_name(found), nt_error_message());
    assert_true(found == NT_OK || (!tensors && !strchr(nt_error_message(), '\n')));
    nt_tensors_free(tensors);
    free(exact);
}

/* ---- safetensors ----------------------------------------------------------------------------- */

static void header_lengths_that_lie(void **state) {
    (void)state;
    static const uint64_t lengths[] = {25000001,   100000000,  1ull << 32, 1ull << 40,
                                       1ull << 62, 1ull << 63, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char bytes[64] = {0};
        for (size_t k = 0; k < 8; k++)
            bytes[k] = (unsigned char)(lengths[i] >> 8 * k);
        memcpy(bytes + 8, "{}", 2);
        expect_parse("w", bytes, sizeof bytes, NT_E_FORMAT, "at most 25000000 are read");
    }
    unsigned char bytes[64] = {64, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    expect_parse("w", bytes, sizeof bytes, NT_E_FORMAT, "cut short");
}

static void headers_that_nest_without_end(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    static const char *const pieces[] = {"{\"a\":", "{\"a\":[", "{\"__metadata__\":{\"a\":{"};
    unsigned char *bytes = malloc(N + 32);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = 8, length = strlen(pieces[i]);
        for (; n + length <= N - 1; n += length)
            memcpy(bytes + n, pieces[i], length);
        memset(bytes, 0, 8);
        for (size_t k = 0; k < 8; k++)
            bytes[k] = (unsigned char)((n - 8) >> 8 * k);
        expect_parse("w", bytes, n, NT_E_FORMAT, "w");
    }
    free(bytes);
}

static void put_header(unsigned char *out, size_t *n, const char *header, size_t n_data) {
    size_t length = strlen(header);
    memset(out, 0, 8);
    out[0] = (unsigned char)length;
    out[1] = (unsigned char)(length >> 8);
    memcpy(out + 8, header, length);
    memset(out + 8 + length, 0, n_data);
    *n = 8 + length + n_data;
}

/* Two tensors that share bytes would let one be written through the other's name. */
static void tensors_that_overlap(void **state) {
    (void)state;
#define PAIR(a, b)                                                                                 \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" a                                 \
    "]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" b "]}}"
    static const struct {
        const char *header, *phrase;
    } table[] = {
        {PAIR("0,8", "4,12"), "tensors a and b overlap"},
        {PAIR("0,8", "0,8"), "overlap"},
        {PAIR("4,12", "0,8"), "tensors b and a overlap"},
        {PAIR("8,16", "8,16"), "bytes between the header and tensor"},
        {PAIR("0,8", "8,1000000000"), "its data_offsets hold 999999992"},
        {PAIR("8,0", "8,16"), "are no range"},
        {PAIR("-8,0", "0,8"), "are no range"},
        {PAIR("0,8", "8,9223372036854775807"), "needs 8 bytes"},
        {PAIR("0,8", "9223372036854775799,9223372036854775807"), "cut short"},
        {PAIR("0,8", "8,18446744073709551616"), "must be an integer"},
        {PAIR("0,8", "8,16.0"), "must be an integer"},
    };
    unsigned char bytes[512];
    size_t n;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        put_header(bytes, &n, table[i].header, 16);
        expect_parse("w", bytes, n, NT_E_FORMAT, table[i].phrase);
    }
    put_header(bytes, &n, PAIR("0,8", "9,17"), 17);
    expect_parse("w", bytes, n, NT_E_FORMAT, "1 bytes between a and tensor b");
    put_header(bytes, &n, PAIR("8,16", "0,8"), 16);
    expect_parse("w", bytes, n, NT_OK, "");
}

/* ---- Files that are something else ----------------------------------------------------------- */

static void files_that_are_no_checkpoints(void **state) {
    (void)state;
    static const unsigned char binary[] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    expect_parse("graph.onnx", binary, sizeof binary, NT_E_UNSUPPORTED, "a graph of ONNX");
    expect_parse("flax_model.msgpack", binary, sizeof binary, NT_E_UNSUPPORTED, "weights of Flax");
    expect_parse("model.ckpt.meta", binary, sizeof binary, NT_E_UNSUPPORTED, "TensorFlow");
    expect_parse("w", binary, sizeof binary, NT_E_FORMAT, "no '{' opens its header");
    expect_parse("w", binary, 9, NT_E_FORMAT, "has 9 bytes");
    expect_parse("w", "\x80", 1, NT_E_FORMAT, "too few");
    expect_parse("w", "\x80\x01.", 3, NT_E_FORMAT, "too few");
    expect_parse("w", "\x80\x06.", 3, NT_E_FORMAT, "too few");
    unsigned char tar[512] = {1};
    memcpy(tar + 257, "ustar", 5);
    expect_parse("w", tar, sizeof tar, NT_E_UNSUPPORTED, "a tar archive");
    memcpy(tar + 257, "ustaR", 5);
    expect_parse("w", tar, sizeof tar, NT_E_FORMAT, "no '{' opens its header");
}

/* ---- Shards ---------------------------------------------------------------------------------- */

/* A file with one number of that name. */
static void put_shard(const char *folder, const char *file, const char *tensor) {
    char header[128];
    unsigned char bytes[256];
    size_t n;
    snprintf(header, sizeof header,
             "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", tensor);
    put_header(bytes, &n, header, 4);
    folder_put(folder, file, bytes, n);
}

/* No name in an index leads out of its folder, however it is written. */
static void shards_outside_the_folder(void **state) {
    (void)state;
    char top[600];
    snprintf(top, sizeof top, "%s", folder_new());
    const char *folder = folder_path(top, "in");
    char inside[600];
    snprintf(inside, sizeof inside, "%s", folder);
    assert_int_equal(mkdir(inside, 0700), 0);
    put_shard(top, "secret.safetensors", "secret");
    put_shard(inside, "a.safetensors", "a");
    char absolute[800];
    snprintf(absolute, sizeof absolute, "%s/secret.safetensors", top);
    const char *const names[] = {"../secret.safetensors",
                                 "./a.safetensors",
                                 "a/../../secret.safetensors",
                                 "in/../../secret.safetensors",
                                 "/etc/passwd",
                                 absolute,
                                 "..\\\\secret.safetensors",
                                 "..",
                                 ".",
                                 "",
                                 "//secret.safetensors",
                                 "a.safetensors/",
                                 "~/secret.safetensors",
                                 "file:///etc/passwd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[1200];
        snprintf(text, sizeof text, "{\"weight_map\":{\"secret\":\"%s\"}}", names[i]);
        folder_put_text(inside, INDEX, text);
        nt_tensors *tensors;
        int status = nt_tensors_open(&tensors, inside);
        if (status != NT_E_FORMAT || !strstr(nt_error_message(), "no plain file name"))
            fail_msg("%s: %s: %s", names[i], nt_status_name(status), nt_error_message());
        assert_null(tensors);
    }
    folder_put_text(inside, INDEX,
                    "{\"weight_map\":{\"a\":\"a.safetensors\\u0000/../../secret.safetensors\"}}");
    nt_tensors *tensors;
    assert_int_equal(nt_tensors_open(&tensors, inside), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "not valid JSON")); /* no zero byte in a text */
    folder_remove(inside);
    folder_remove(top);
}

/* The whole of a GGUF file is one model: its layout would be taken for that of its neighbours. */
static void formats_side_by_side(void **state) {
    (void)state;
    static const char *const order[][2] = {{"a.gguf", "b.safetensors"},
                                           {"z.gguf", "b.safetensors"}};
    const char *folder = folder_new();
    gguf_file f;
    gguf_begin(&f, 3);
    put_tensor(&f, "token_embd.weight", 1, (const uint64_t[]){4}, 0, 0);
    put_data(&f, 32, 16);
    put_shard(folder, "b.safetensors", "b");
    for (size_t i = 0; i < 2; i++) {
        char text[256];
        nt_tensors *tensors;
        folder_put(folder, order[i][0], f.bytes, f.n);
        snprintf(text, sizeof text, "{\"weight_map\":{\"wte.weight\":\"%s\",\"b\":\"%s\"}}",
                 order[i][0], order[i][1]);
        folder_put_text(folder, INDEX, text);
        assert_int_equal(nt_tensors_open(&tensors, folder), NT_E_FORMAT);
        assert_null(tensors);
        if (!strstr(nt_error_message(), "cannot be one of several shards") ||
            !strstr(nt_error_message(), order[i][0]))
            fail_msg("%s", nt_error_message());
    }
    folder_remove(folder);
}

/* Of files of other programs the first by name is told, in whatever order the folder has them. */
static void foreign_files(void **state) {
    (void)state;
    static const char *const names[] = {"m.onnx", "b.onnx",     "x.onnx",
                                        "a.onnx", "c.onnx.txt", "onnx"};
    const char *folder = folder_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        folder_put_text(folder, names[i], "");
        nt_tensors *tensors;
        assert_int_equal(nt_tensors_open(&tensors, folder), NT_E_UNSUPPORTED);
        assert_null(tensors);
        const char *first = i < 1 ? "it has m.onnx" : i < 3 ? "it has b.onnx" : "it has a.onnx";
        if (!strstr(nt_error_message(), first)) fail_msg("%s", nt_error_message());
    }
    assert_int_equal(nt_foreign_folder("/no/such/folder"), NT_E_NOT_FOUND);
    assert_int_equal(nt_foreign_folder(folder_path(folder, "onnx")), NT_E_IO);
    assert_non_null(strstr(nt_error_message(), "Not a directory"));
    folder_remove(folder);
}

/* ---- GGUF ------------------------------------------------------------------------------------ */

typedef int told(nt_buffer *out, const nt_gguf *gguf);

static int config_of(nt_buffer *out, const nt_gguf *gguf) {
    return nt_gguf_config(out, gguf, 5);
}

static int tokenizer_of(nt_buffer *out, const nt_gguf *gguf) {
    nt_gguf_roles roles;
    bool there;
    int status = nt_gguf_tokenizer(&there, out, &roles, gguf, 5);
    return status == NT_OK && !there ? NT_E_NOT_FOUND : status;
}

static void expect_told(const gguf_file *f, told *tell, int status, const char *part) {
    nt_tensors *tensors;
    nt_buffer text = {0};
    unsigned char *exact = malloc(f->n);
    assert_non_null(exact);
    memcpy(exact, f->bytes, f->n);
    if (nt_tensors_parse(&tensors, exact, f->n, "w") != NT_OK) fail_msg("%s", nt_error_message());
    int found = tell(&text, nt_tensors_gguf(tensors));
    const char *shown = found == NT_OK            ? text.data
                        : found == NT_E_NOT_FOUND ? ""
                                                  : nt_error_message();
    if (found != status || !strstr(shown, part))
        fail_msg("%s: %s; expected %s with \"%s\"", nt_status_name(found), shown,
                 nt_status_name(status), part);
    nt_buffer_free(&text);
    nt_tensors_free(tensors);
    free(exact);
}

/* The file's values in order; the one called `wrong` is a list of a truth, which nothing takes. */
static void make_gguf(gguf_file *f, const char *wrong) {
    static const char *const tokens[] = {"a", "b", "ab", "<|endoftext|>", "c"}, *const merges[] = {
                                                                                    "a b"};
    static const char *const sizes[] = {
        "gpt2.context_length",      "gpt2.embedding_length",     "gpt2.block_count",
        "gpt2.feed_forward_length", "gpt2.attention.head_count", "gpt2.attention.head_count_kv"};
    static const char *const ids[] = {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                                      "tokenizer.ggml.padding_token_id",
                                      "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    gguf_begin(f, 3);
#define PUT(key, put)                                                                              \
    do {                                                                                           \
        if (strcmp(wrong, key) == 0) {                                                             \
            put_array(f, key, NT_GGUF_BOOL, 1);                                                    \
            put_number(f, 1, 1);                                                                   \
        } else {                                                                                   \
            put;                                                                                   \
        }                                                                                          \
    } while (0)
    PUT("general.architecture", put_string(f, "general.architecture", "gpt2"));
    PUT("split.count", put_u32(f, "split.count", 1));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        PUT(sizes[i], put_u32(f, sizes[i], 4));
    PUT("gpt2.attention.layer_norm_epsilon", put_float(f, "gpt2.attention.layer_norm_epsilon", 1));
    PUT("tokenizer.ggml.model", put_string(f, "tokenizer.ggml.model", "gpt2"));
    PUT("tokenizer.ggml.pre", put_string(f, "tokenizer.ggml.pre", "gpt-2"));
    PUT("tokenizer.ggml.tokens", put_strings(f, "tokenizer.ggml.tokens", tokens, 5));
    PUT("tokenizer.ggml.merges", put_strings(f, "tokenizer.ggml.merges", merges, 1));
    if (strcmp(wrong, "tokenizer.ggml.token_type") == 0)
        put_strings(f, "tokenizer.ggml.token_type", tokens, 5);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        PUT(ids[i], put_u32(f, ids[i], (uint32_t)i));
    for (size_t i = 0; i < 2; i++) {
        const char *key = i ? "tokenizer.ggml.add_eos_token" : "tokenizer.ggml.add_bos_token";
        PUT(key, put_key(f, key, NT_GGUF_BOOL); put_number(f, 0, 1));
    }
#undef PUT
}

static void metadata_of_the_wrong_type(void **state) {
    (void)state;
    static const char *const of_config[] = {"general.architecture",
                                            "split.count",
                                            "gpt2.context_length",
                                            "gpt2.embedding_length",
                                            "gpt2.block_count",
                                            "gpt2.feed_forward_length",
                                            "gpt2.attention.head_count",
                                            "gpt2.attention.head_count_kv",
                                            "gpt2.attention.layer_norm_epsilon",
                                            "tokenizer.ggml.tokens",
                                            "tokenizer.ggml.bos_token_id",
                                            "tokenizer.ggml.eos_token_id",
                                            "tokenizer.ggml.padding_token_id",
                                            "tokenizer.ggml.eot_token_id",
                                            "tokenizer.ggml.eom_token_id"};
    static const char *const of_tokenizer[] = {
        "tokenizer.ggml.model",         "tokenizer.ggml.pre",
        "tokenizer.ggml.tokens",        "tokenizer.ggml.merges",
        "tokenizer.ggml.token_type",    "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id",  "tokenizer.ggml.padding_token_id",
        "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token"};
    gguf_file f;
    make_gguf(&f, "");
    expect_told(&f, config_of, NT_OK, "\"layer_norm_epsilon\": 1.0,");
    expect_told(&f, tokenizer_of, NT_OK, "\"<|endoftext|>\": 3");
    for (size_t i = 0; i < sizeof of_config / sizeof *of_config; i++) {
        make_gguf(&f, of_config[i]);
        expect_told(&f, config_of, NT_E_FORMAT, of_config[i]);
    }
    for (size_t i = 0; i < sizeof of_tokenizer / sizeof *of_tokenizer; i++) {
        make_gguf(&f, of_tokenizer[i]);
        expect_told(&f, tokenizer_of, NT_E_FORMAT, of_tokenizer[i]);
    }
}

static void long_and_empty_names(void **state) {
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    gguf_file f;
    gguf_begin(&f, 3);
    put_string(&f, "general.architecture", name);
    expect_told(&f, config_of, NT_E_UNSUPPORTED, "xxx\" is not supported");
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", name);
    expect_told(&f, tokenizer_of, NT_E_UNSUPPORTED, "xxx\" is not supported");
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", "gpt2");
    put_string(&f, "tokenizer.ggml.pre", name);
    expect_told(&f, tokenizer_of, NT_E_UNSUPPORTED, "xxx\" is not supported");
    static const char *const none[] = {"", "none", "no_vocab"};
    for (size_t i = 0; i < 3; i++) {
        gguf_begin(&f, 3);
        put_string(&f, "tokenizer.ggml.model", none[i]);
        expect_told(&f, tokenizer_of, NT_E_NOT_FOUND, "");
    }
    /* nothing in Hugging Face's words is told of a name that has none there, nor a cut one */
    char out[64];
    assert_false(nt_gguf_name_of(out, sizeof out, "h.0.attn.masked_bias"));
    assert_false(nt_gguf_name_of(out, sizeof out, "h.x.ln_1.weight"));
    assert_false(nt_gguf_name_of(out, sizeof out, "h..ln_1.weight"));
    assert_false(nt_gguf_name_of(out, sizeof out, ""));
    assert_false(nt_gguf_name_of(out, 8, "wte.weight"));
    assert_false(nt_gguf_name_of(out, 8, "h.0.ln_1.weight"));
    assert_true(nt_gguf_name_of(out, sizeof out, "wte.weight"));
    assert_string_equal(out, "token_embd.weight");
    assert_true(nt_gguf_name_of(out, sizeof out, "h.12.mlp.c_fc.bias"));
    assert_string_equal(out, "blk.12.ffn_up.bias");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_lengths_that_lie),
        cmocka_unit_test(headers_that_nest_without_end),
        cmocka_unit_test(tensors_that_overlap),
        cmocka_unit_test(files_that_are_no_checkpoints),
        cmocka_unit_test(shards_outside_the_folder),
        cmocka_unit_test(formats_side_by_side),
        cmocka_unit_test(foreign_files),
        cmocka_unit_test(metadata_of_the_wrong_type),
        cmocka_unit_test(long_and_empty_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
