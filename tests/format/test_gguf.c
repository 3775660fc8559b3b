/* The GGUF reader: what it reads of a file, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "format/gguf_file.h"
#include "format/tensors.h"

enum { Q8_0 = 8, F32 = 0, F16 = 1 };

static const char *const TOKENS[] = {"a", "b", "ab", "<|endoftext|>", "[PAD4]"};
static const char *const MERGES[] = {"a b"};

static void put_model(gguf_file *f) {
    put_string(f, "general.architecture", "gpt2");
    put_u32(f, "gpt2.context_length", 8);
    put_u32(f, "gpt2.embedding_length", 32);
    put_u32(f, "gpt2.block_count", 2);
    put_u32(f, "gpt2.attention.head_count", 4);
    put_float(f, "gpt2.attention.layer_norm_epsilon", 1e-5f);
}

static void put_tokenizer(gguf_file *f) {
    static const int32_t types[] = {1, 1, 1, 3, 5};
    put_string(f, "tokenizer.ggml.model", "gpt2");
    put_string(f, "tokenizer.ggml.pre", "gpt-2");
    put_strings(f, "tokenizer.ggml.tokens", TOKENS, 5);
    put_array(f, "tokenizer.ggml.token_type", NT_GGUF_I32, 5);
    put_bytes(f, types, sizeof types);
    put_strings(f, "tokenizer.ggml.merges", MERGES, 1);
}

/* Two tensors: token_embd [5, 32] in Q8_0, and a vector. */
static void put_tensors(gguf_file *f) {
    put_tensor(f, "token_embd.weight", 2, (uint64_t[]){32, 5}, Q8_0, 0);
    put_tensor(f, "blk.1.attn_qkv.bias", 1, (uint64_t[]){96}, F32, 192);
    put_data(f, 32, 192 + 96 * 4);
}

static void make(gguf_file *f) {
    gguf_begin(f, 3);
    put_model(f);
    put_tokenizer(f);
    put_tensors(f);
}

/* In memory of exactly the file's size, so that a read past its end shows. */
static int parse(nt_tensors **out, unsigned char **copy, const gguf_file *f, size_t n) {
    *copy = malloc(n ? n : 1);
    assert_non_null(*copy);
    memcpy(*copy, f->bytes, n);
    return nt_tensors_parse(out, *copy, n, "x.gguf");
}

static void expect_fail(const gguf_file *f, int status, const char *part) {
    nt_tensors *tensors;
    unsigned char *copy;
    int found = parse(&tensors, &copy, f, f->n);
    if (found != status || !strstr(nt_error_message(), part))
        fail_msg("%s: %s; expected %s with \"%s\"", nt_status_name(found), nt_error_message(),
                 nt_status_name(status), part);
    assert_null(tensors);
    free(copy);
}

static void tensors_come_with_names_and_shapes_of_hugging_face(void **state) {
    (void)state;
    for (uint32_t version = 2; version <= 3; version++) {
        gguf_file f;
        nt_tensors *tensors;
        unsigned char *copy;
        make(&f);
        set_number(&f, 4, version, 4);
        assert_int_equal(parse(&tensors, &copy, &f, f.n), NT_OK);
        assert_int_equal(nt_tensors_count(tensors), 2);
        assert_true(nt_tensors_out_in(tensors));
        const nt_tensor *wte = nt_tensors_find(tensors, "wte.weight");
        const nt_tensor *bias = nt_tensors_find(tensors, "h.1.attn.c_attn.bias");
        assert_true(wte && bias);
        assert_true(wte->dtype == NT_Q8_0 && wte->n_dims == 2 && wte->n_items == 160);
        assert_true(wte->shape[0] == 5 && wte->shape[1] == 32);
        assert_true(bias->dtype == NT_F32 && bias->n_dims == 1 && bias->shape[0] == 96);
        assert_int_equal(((const unsigned char *)wte->data)[3], 3);
        assert_ptr_equal((const unsigned char *)bias->data - (const unsigned char *)wte->data, 192);
        nt_tensors_free(tensors);
        free(copy);
    }
}

static void every_type_of_value_is_read(void **state) {
    (void)state;
    static const struct {
        nt_gguf_type type;
        size_t size;
        uint64_t bits;
        int64_t value;
    } integers[] = {{NT_GGUF_U8, 1, 200, 200},
                    {NT_GGUF_I8, 1, 200, -56},
                    {NT_GGUF_U16, 2, 60000, 60000},
                    {NT_GGUF_I16, 2, 60000, -5536},
                    {NT_GGUF_U32, 4, ~0u, ~0u},
                    {NT_GGUF_I32, 4, ~0u, -1},
                    {NT_GGUF_U64, 8, 1ull << 40, 1ll << 40},
                    {NT_GGUF_I64, 8, ~0ull - 4, -5},
                    {NT_GGUF_U64, 8, ~0ull, INT64_MAX}};
    gguf_file f;
    char key[8];
    gguf_begin(&f, 3);
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        snprintf(key, sizeof key, "i%zu", i);
        put_key(&f, key, integers[i].type);
        put_number(&f, integers[i].bits, integers[i].size);
    }
    put_float(&f, "float", -2.5f);
    put_key(&f, "double", NT_GGUF_F64);
    put_bytes(&f, (double[]){0.1}, 8);
    put_key(&f, "bool", NT_GGUF_BOOL);
    put_number(&f, 1, 1);
    put_string(&f, "string", "text");
    put_array(&f, "array", NT_GGUF_I32, 3);
    put_bytes(&f, (int32_t[]){4, -5, 6}, 12);
    put_array(&f, "empty", NT_GGUF_STRING, 0);
    nt_tensors *tensors;
    unsigned char *copy;
    assert_int_equal(parse(&tensors, &copy, &f, f.n), NT_OK);
    const nt_gguf *gguf = nt_tensors_gguf(tensors);
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        int64_t value = 0;
        snprintf(key, sizeof key, "i%zu", i);
        assert_int_equal(nt_gguf_int(&value, gguf, key, INT64_MIN, INT64_MAX), NT_OK);
        assert_true(value == integers[i].value);
    }
    double real = 0;
    bool flag = false;
    int64_t kept = 77;
    nt_gguf_text text = {"", 0};
    const nt_gguf_value *array;
    assert_int_equal(nt_gguf_real(&real, gguf, "float"), NT_OK);
    assert_true(real == -2.5);
    assert_int_equal(nt_gguf_real(&real, gguf, "double"), NT_OK);
    assert_true(real == 0.1);
    assert_int_equal(nt_gguf_bool(&flag, gguf, "bool"), NT_OK);
    assert_true(flag);
    assert_int_equal(nt_gguf_string(&text, gguf, "string"), NT_OK);
    assert_true(text.n == 4 && memcmp(text.bytes, "text", 4) == 0);
    assert_int_equal(nt_gguf_array(&array, gguf, "array", NT_GGUF_I32), NT_OK);
    assert_true(array->n == 3 && nt_gguf_i32_at(array, 1) == -5);
    assert_int_equal(nt_gguf_array(&array, gguf, "empty", NT_GGUF_STRING), NT_OK);
    assert_true(array->n == 0);
    assert_int_equal(nt_gguf_int(&kept, gguf, "absent", 0, 1), NT_OK);
    assert_int_equal(kept, 77);
    assert_int_equal(nt_gguf_int(&kept, gguf, "i0", 0, 100), NT_E_FORMAT);
    assert_int_equal(nt_gguf_int(&kept, gguf, "float", 0, 100), NT_E_FORMAT);
    assert_int_equal(nt_gguf_int(&kept, gguf, "array", 0, 100), NT_E_FORMAT);
    assert_int_equal(nt_gguf_real(&real, gguf, "i0"), NT_E_FORMAT);
    assert_int_equal(nt_gguf_bool(&flag, gguf, "i0"), NT_E_FORMAT);
    assert_int_equal(nt_gguf_string(&text, gguf, "i0"), NT_E_FORMAT);
    assert_int_equal(nt_gguf_array(&array, gguf, "empty", NT_GGUF_I32), NT_E_FORMAT);
    assert_non_null(strstr(nt_error_message(), "empty must be an array of 32-bit numbers"));
    nt_tensors_free(tensors);
    free(copy);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void wrong_heads(void **state) {
    (void)state;
    gguf_file f;
    make(&f);
    set_number(&f, 4, 1, 4);
    expect_fail(&f, NT_E_UNSUPPORTED, "of version 1; versions 2 and 3 are read");
    set_number(&f, 4, 0x03000000, 4);
    expect_fail(&f, NT_E_UNSUPPORTED, "big-endian");
    make(&f);
    set_number(&f, f.n_tensors_at, UINT64_MAX, 8);
    expect_fail(&f, NT_E_FORMAT, "cannot hold the 18446744073709551615 tensors");
    make(&f);
    set_number(&f, f.n_values_at, 1 << 30, 8);
    expect_fail(&f, NT_E_FORMAT, "cannot hold the 1073741824 values");
}

static void wrong_values(void **state) {
    (void)state;
    gguf_file f;
    gguf_begin(&f, 3);
    put_u32(&f, "k", 1);
    put_u32(&f, "k", 2);
    expect_fail(&f, NT_E_FORMAT, "the key k stands twice");
    gguf_begin(&f, 3);
    put_key(&f, "k", 13);
    put_number(&f, 0, 8);
    expect_fail(&f, NT_E_FORMAT, "k is of type 13");
    gguf_begin(&f, 3);
    put_key(&f, "k", NT_GGUF_BOOL);
    put_number(&f, 2, 1);
    expect_fail(&f, NT_E_FORMAT, "k must be 0 or 1 and is 2");
    gguf_begin(&f, 3);
    put_array(&f, "k", NT_GGUF_ARRAY, 1);
    put_number(&f, 0, 32);
    expect_fail(&f, NT_E_UNSUPPORTED, "arrays in arrays");
    gguf_begin(&f, 3);
    put_array(&f, "k", NT_GGUF_U64, 1ull << 61);
    put_number(&f, 0, 32);
    expect_fail(&f, NT_E_FORMAT, "cut short");
    gguf_begin(&f, 3);
    put_array(&f, "k", NT_GGUF_STRING, UINT64_MAX);
    put_number(&f, 0, 8);
    expect_fail(&f, NT_E_FORMAT, "cut short");
    gguf_begin(&f, 3);
    put_key(&f, "k", NT_GGUF_STRING);
    put_number(&f, UINT64_MAX, 8);
    expect_fail(&f, NT_E_FORMAT, "cut short");
    gguf_begin(&f, 3);
    put_key(&f, "", NT_GGUF_U32);
    put_number(&f, 0, 8);
    expect_fail(&f, NT_E_FORMAT, "a key at byte 24 is no name");
    gguf_begin(&f, 3);
    put_number(&f, 70000, 8);
    put_number(&f, 0, 32);
    raise_count(&f, f.n_values_at);
    expect_fail(&f, NT_E_FORMAT, "has 70000 bytes; at most 65535 are read");
    gguf_begin(&f, 3);
    put_u32(&f, "general.alignment", 24);
    expect_fail(&f, NT_E_FORMAT, "general.alignment is 24, no power of two");
    gguf_begin(&f, 3);
    put_u32(&f, "general.alignment", 0);
    expect_fail(&f, NT_E_FORMAT, "general.alignment is 0");
}

/* One tensor "t" with so many bytes of data behind it. */
static void one(gguf_file *f, uint32_t n_dims, const uint64_t *dims, uint32_t type, uint64_t offset,
                size_t n_bytes) {
    gguf_begin(f, 3);
    put_tensor(f, "t", n_dims, dims, type, offset);
    put_data(f, 32, n_bytes);
}

static void wrong_tensors(void **state) {
    (void)state;
    gguf_file f;
    static const uint64_t eight[] = {8}, rows[] = {33, 2}, huge[] = {1ull << 33, 1ull << 33},
                          wide[] = {1ull << 61, 4, 1, 1}, negative[] = {1ull << 63};
    one(&f, 1, eight, F32, 0, 31);
    expect_fail(&f, NT_E_FORMAT, "tensor t needs bytes up to");
    one(&f, 1, eight, F32, UINT64_MAX - 31, 32);
    expect_fail(&f, NT_E_FORMAT, "overflows");
    one(&f, 1, eight, F32, UINT64_MAX - 63, 32);
    expect_fail(&f, NT_E_FORMAT, "needs bytes up to 18446744073709551615");
    one(&f, 1, eight, F32, 8, 64);
    expect_fail(&f, NT_E_FORMAT, "no multiple of the alignment 32");
    one(&f, 2, rows, Q8_0, 0, 100);
    expect_fail(&f, NT_E_FORMAT, "rows of 33 numbers are no whole blocks of Q8_0");
    one(&f, 2, huge, F32, 0, 32);
    expect_fail(&f, NT_E_FORMAT, "product overflows");
    one(&f, 1, negative, F32, 0, 32);
    expect_fail(&f, NT_E_FORMAT, "product overflows");
    one(&f, 4, wide, F32, 0, 32);
    expect_fail(&f, NT_E_FORMAT, "size in bytes overflows");
    one(&f, 1, eight, 99, 0, 32);
    expect_fail(&f, NT_E_UNSUPPORTED, "of ggml's type 99");
    one(&f, 0, NULL, F32, 0, 4);
    set_number(&f, 24 + 9, 5, 4);
    expect_fail(&f, NT_E_FORMAT, "has 5 dimensions; GGUF has at most 4");
    gguf_begin(&f, 3);
    put_tensor(&f, "0123456789012345678901234567890123456789012345678901234567890123456", 1, eight,
               F32, 0);
    put_data(&f, 32, 32);
    expect_fail(&f, NT_E_FORMAT, "has 67 bytes; at most 64 are read");
    gguf_begin(&f, 3);
    put_tensor(&f, "t", 1, eight, F32, 0);
    put_tensor(&f, "u", 1, eight, F32, 0);
    put_data(&f, 32, 64);
    expect_fail(&f, NT_E_FORMAT, "overlap");
    gguf_begin(&f, 3);
    put_tensor(&f, "t", 1, eight, F32, 0);
    put_tensor(&f, "t", 1, eight, F32, 32);
    put_data(&f, 32, 64);
    expect_fail(&f, NT_E_FORMAT, "tensor t stands twice");
}

/* Types that we do not compute with have their place checked, and are named when asked for. */
static void other_types_are_named(void **state) {
    (void)state;
    gguf_file f;
    nt_tensors *tensors;
    unsigned char *copy;
    const nt_tensor *tensor;
    one(&f, 2, (uint64_t[]){32, 2}, 6, 0, 44);
    assert_int_equal(parse(&tensors, &copy, &f, f.n), NT_OK);
    assert_int_equal(nt_tensors_count(tensors), 0);
    assert_true(nt_tensors_has(tensors, "t"));
    assert_int_equal(nt_tensors_get(&tensor, tensors, "t", 2, (int64_t[]){2, 32}),
                     NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "is of type Q5_0"));
    nt_tensors_free(tensors);
    free(copy);
    one(&f, 2, (uint64_t[]){32, 2}, 6, 0, 43);
    expect_fail(&f, NT_E_FORMAT, "cut short");
}

/* An alignment of the file's own, scalars, and tensors in any order with room between them. */
static void places_are_free(void **state) {
    (void)state;
    gguf_file f;
    nt_tensors *tensors;
    unsigned char *copy;
    gguf_begin(&f, 2);
    put_u32(&f, "general.alignment", 128);
    put_tensor(&f, "b", 1, (uint64_t[]){4}, F16, 384);
    put_tensor(&f, "a", 0, NULL, F32, 128);
    put_data(&f, 128, 392);
    assert_int_equal(parse(&tensors, &copy, &f, f.n), NT_OK);
    const nt_tensor *a = nt_tensors_find(tensors, "a"), *b = nt_tensors_find(tensors, "b");
    assert_true(a && a->n_dims == 0 && a->n_items == 1 && b && b->n_items == 4);
    assert_int_equal((const unsigned char *)b->data - (const unsigned char *)a->data, 256);
    nt_tensors_free(tensors);
    free(copy);
}

/* ---- Every end, every byte --------------------------------------------------------------------
 */

static void look_at_all(const nt_tensors *tensors) {
    nt_buffer text = {0};
    nt_gguf_roles roles;
    bool there;
    volatile double sum = 0;
    const nt_tensor *tensor;
    nt_gguf_config(&text, nt_tensors_gguf(tensors), 5);
    nt_buffer_free(&text);
    nt_gguf_tokenizer(&there, &text, &roles, nt_tensors_gguf(tensors), 5);
    nt_buffer_free(&text);
    for (size_t i = 0; (tensor = nt_tensors_at(tensors, i)) != NULL; i++) {
        for (uint64_t k = 0; k < tensor->n_items; k++)
            sum = sum + (double)nt_dtype_load(tensor->data, tensor->dtype, k);
    }
}

static void no_prefix_of_a_file_is_one(void **state) {
    (void)state;
    gguf_file f;
    make(&f);
    for (size_t n = 0; n < f.n; n++) {
        nt_tensors *tensors;
        unsigned char *copy;
        assert_int_not_equal(parse(&tensors, &copy, &f, n), NT_OK);
        free(copy);
    }
}

static void no_byte_breaks_the_reader(void **state) {
    (void)state;
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};
    gguf_file f;
    size_t n_read = 0;
    make(&f);
    for (size_t i = 0; i < 3 * f.n; i++) {
        nt_tensors *tensors;
        unsigned char *copy;
        f.bytes[i / 3] ^= masks[i % 3];
        if (parse(&tensors, &copy, &f, f.n) == NT_OK) {
            look_at_all(tensors);
            nt_tensors_free(tensors);
            n_read++;
        }
        free(copy);
        f.bytes[i / 3] ^= masks[i % 3];
    }
    assert_true(n_read > 100 && n_read < 3 * f.n);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    gguf_file f;
    make(&f);
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        nt_tensors *tensors;
        unsigned char *copy;
        nt_memory_fail_at(++k);
        status = parse(&tensors, &copy, &f, f.n);
        nt_buffer config = {0}, tokenizer = {0};
        nt_gguf_roles roles;
        bool there;
        if (status == NT_OK) status = nt_gguf_config(&config, nt_tensors_gguf(tensors), 5);
        if (status == NT_OK)
            status = nt_gguf_tokenizer(&there, &tokenizer, &roles, nt_tensors_gguf(tensors), 5);
        nt_memory_fail_at(0);
        assert_true(status == NT_OK || status == NT_E_MEMORY);
        nt_buffer_free(&config);
        nt_buffer_free(&tokenizer);
        nt_tensors_free(tensors);
        free(copy);
    }
    assert_true(k > 20);
}

/* ---- Config and tokenizer -------------------------------------------------------------------- */

typedef int told(nt_buffer *out, const nt_gguf *gguf);

static int config_of(nt_buffer *out, const nt_gguf *gguf) {
    return nt_gguf_config(out, gguf, 5);
}

static int tokenizer_of(nt_buffer *out, const nt_gguf *gguf) {
    nt_gguf_roles roles;
    bool there;
    return nt_gguf_tokenizer(&there, out, &roles, gguf, 5);
}

/* What is told of a file: its text has `part`, or with another status its message. */
static void expect_told(const gguf_file *f, told *tell, int status, const char *part) {
    nt_tensors *tensors;
    unsigned char *copy;
    nt_buffer text = {0};
    assert_int_equal(parse(&tensors, &copy, f, f->n), NT_OK);
    int found = tell(&text, nt_tensors_gguf(tensors));
    const char *shown = found == NT_OK ? text.data ? text.data : "" : nt_error_message();
    if (found != status || !strstr(shown, part))
        fail_msg("%s: %s; expected %s with \"%s\"", nt_status_name(found), shown,
                 nt_status_name(status), part);
    nt_buffer_free(&text);
    nt_tensors_free(tensors);
    free(copy);
}

static void config_is_told(void **state) {
    (void)state;
    gguf_file f;
    make(&f);
    expect_told(&f, config_of, NT_OK, "\"layer_norm_epsilon\": 1e-05,");
    expect_told(&f, config_of, NT_OK, "\"n_head\": 4,");
    expect_told(&f, config_of, NT_OK, "\"bos_token_id\": 3,");
    expect_told(&f, config_of, NT_OK, "\"eos_token_id\": 3,");
    gguf_begin(&f, 3);
    put_model(&f);
    put_u32(&f, "gpt2.feed_forward_length", 48);
    put_u32(&f, "tokenizer.ggml.eos_token_id", 2);
    put_u32(&f, "tokenizer.ggml.eot_token_id", 4);
    put_u32(&f, "tokenizer.ggml.eom_token_id", 2);
    put_u32(&f, "tokenizer.ggml.bos_token_id", 5);
    expect_told(&f, config_of, NT_OK, "\"n_inner\": 48,");
    expect_told(&f, config_of, NT_OK, "\"eos_token_id\": [2, 4],");
    expect_told(&f, config_of, NT_OK, "\"bos_token_id\": null,");
    gguf_begin(&f, 3);
    put_string(&f, "general.architecture", "llama");
    expect_told(&f, config_of, NT_E_UNSUPPORTED, "general.architecture \"llama\" is not supported");
    gguf_begin(&f, 3);
    expect_told(&f, config_of, NT_E_UNSUPPORTED, "general.architecture \"\"");
    gguf_begin(&f, 3);
    put_model(&f);
    put_key(&f, "split.count", NT_GGUF_U16);
    put_number(&f, 3, 2);
    expect_told(&f, config_of, NT_E_UNSUPPORTED, "one of 3 parts");
    gguf_begin(&f, 3);
    put_model(&f);
    put_u32(&f, "gpt2.attention.head_count_kv", 2);
    expect_told(&f, config_of, NT_E_UNSUPPORTED, "head_count_kv 2 is not supported");
    gguf_begin(&f, 3);
    put_string(&f, "general.architecture", "gpt2");
    expect_told(&f, config_of, NT_E_FORMAT, "lacks gpt2.context_length");
    gguf_begin(&f, 3);
    put_model(&f);
    set_number(&f, f.n - 4, 0x7F800000, 4);
    expect_told(&f, config_of, NT_E_FORMAT, "layer_norm_epsilon is no number");
}

static void tokenizer_is_told(void **state) {
    (void)state;
    gguf_file f;
    make(&f);
    expect_told(&f, tokenizer_of, NT_OK, "\"<|endoftext|>\": 3\n    },");
    expect_told(&f, tokenizer_of, NT_OK, "{\"id\": 3, \"content\": \"<|endoftext|>\", ");
    expect_told(&f, tokenizer_of, NT_OK, "\"merges\": [\n      \"a b\"\n    ]");
    put_model(&f); /* behind the data: nobody looks there */
    gguf_begin(&f, 3);
    expect_told(&f, tokenizer_of, NT_OK, "");
    put_string(&f, "tokenizer.ggml.model", "llama");
    expect_told(&f, tokenizer_of, NT_E_UNSUPPORTED, "tokenizer.ggml.model \"llama\"");
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", "gpt2");
    put_string(&f, "tokenizer.ggml.pre", "llama-bpe");
    expect_told(&f, tokenizer_of, NT_E_UNSUPPORTED, "tokenizer.ggml.pre \"llama-bpe\"");
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", "gpt2");
    expect_told(&f, tokenizer_of, NT_E_FORMAT, "lacks tokenizer.ggml.tokens");
    put_strings(&f, "tokenizer.ggml.tokens", TOKENS, 5);
    expect_told(&f, tokenizer_of, NT_E_FORMAT, "lacks tokenizer.ggml.merges");
    put_strings(&f, "tokenizer.ggml.merges", MERGES, 1);
    expect_told(&f, tokenizer_of, NT_OK, "\"content\": \"<|endoftext|>\""); /* without types */
    put_array(&f, "tokenizer.ggml.token_type", NT_GGUF_I32, 1);
    put_number(&f, 1, 4);
    expect_told(&f, tokenizer_of, NT_E_FORMAT, "holds 1 types for 5 tokens");
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", "gpt2");
    put_strings(&f, "tokenizer.ggml.merges", MERGES, 1);
    put_strings(&f, "tokenizer.ggml.tokens", (const char *[]){"a", "b", "c", "d", "e", "f"}, 6);
    expect_told(&f, tokenizer_of, NT_E_FORMAT, "holds 6 tokens; the model has 5");
}

static void tokens_are_texts(void **state) {
    (void)state;
    static const char *const wrong[] = {"a", "\xA5\xA5"};
    gguf_file f;
    for (int merges = 0; merges < 2; merges++) {
        gguf_begin(&f, 3);
        put_string(&f, "tokenizer.ggml.model", "gpt2");
        put_strings(&f, "tokenizer.ggml.tokens", merges ? TOKENS : wrong, 2);
        put_strings(&f, "tokenizer.ggml.merges", merges ? wrong : MERGES, merges ? 2 : 1);
        expect_told(&f, tokenizer_of, NT_E_FORMAT, "string 1 is no UTF-8");
    }
    gguf_begin(&f, 3);
    put_string(&f, "tokenizer.ggml.model", "gpt2");
    put_strings(&f, "tokenizer.ggml.tokens", TOKENS, 2);
    f.bytes[f.n - 1] = 0;
    put_strings(&f, "tokenizer.ggml.merges", MERGES, 1);
    expect_told(&f, tokenizer_of, NT_E_FORMAT, "string 1 holds a zero byte");
}

static void what_stands_around_a_text(void **state) {
    (void)state;
    gguf_file f;
    gguf_begin(&f, 3);
    put_tokenizer(&f);
    put_key(&f, "tokenizer.ggml.add_bos_token", NT_GGUF_BOOL);
    put_number(&f, 1, 1);
    expect_told(&f, tokenizer_of, NT_OK,
                "\"single\": [{\"SpecialToken\": {\"id\": \"<|endoftext|>\", \"type_id\": 0}}, "
                "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [");
    put_u32(&f, "tokenizer.ggml.eos_token_id", 2);
    put_key(&f, "tokenizer.ggml.add_eos_token", NT_GGUF_BOOL);
    put_number(&f, 1, 1);
    expect_told(&f, tokenizer_of, NT_OK, "{\"SpecialToken\": {\"id\": \"ab\", \"type_id\": 1}}]");
    expect_told(&f, tokenizer_of, NT_OK,
                "\"ab\": {\"id\": \"ab\", \"ids\": [2], \"tokens\": [\"ab\"]}}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_come_with_names_and_shapes_of_hugging_face),
        cmocka_unit_test(every_type_of_value_is_read),
        cmocka_unit_test(wrong_heads),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(wrong_tensors),
        cmocka_unit_test(other_types_are_named),
        cmocka_unit_test(places_are_free),
        cmocka_unit_test(no_prefix_of_a_file_is_one),
        cmocka_unit_test(no_byte_breaks_the_reader),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(config_is_told),
        cmocka_unit_test(tokenizer_is_told),
        cmocka_unit_test(tokens_are_texts),
        cmocka_unit_test(what_stands_around_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
