/* The calls of a tokenizer: what they give, what they refuse, and that offsets tile the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "folder.h"
#include "text/support.h"

static nt_tokenizer *gpt2;

static int open_gpt2(void **state) {
    (void)state;
    return nt_tokenizer_open(&gpt2, GPT2);
}

static int close_gpt2(void **state) {
    (void)state;
    nt_tokenizer_free(gpt2);
    return 0;
}

static void check_ids(const nt_tokenizer *tokenizer, const char *text,
                      const nt_encode_options *options, const int32_t *wanted, size_t n_wanted) {
    int32_t *ids;
    size_t n;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, tokenizer, text, NT_ZERO_ENDED, options),
                     NT_OK);
    assert_int_equal(n, n_wanted);
    assert_memory_equal(ids, wanted, n * sizeof *ids);
    nt_free(ids);
}

#define CHECK_IDS(tokenizer, text, options, ...)                                                   \
    check_ids(tokenizer, text, options, (const int32_t[]){__VA_ARGS__},                            \
              sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

/* As the notebooks print them. */
static void known_facts(void **state) {
    (void)state;
    CHECK_IDS(gpt2, "Alice", NULL, 44484);
    CHECK_IDS(gpt2, " This weekend I plan to", NULL, 770, 5041, 314, 1410, 284);
    CHECK_IDS(gpt2, "A long long time ago, ", NULL, 32, 890, 890, 640, 2084, 11, 220);
    assert_int_equal(nt_tokenizer_size(gpt2), 50257);
    assert_int_equal(nt_tokenizer_bos(gpt2), 50256);
    assert_int_equal(nt_tokenizer_eos(gpt2), 50256);
    assert_int_equal(nt_tokenizer_pad(gpt2), -1);
}

static void options(void **state) {
    (void)state;
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.add_bos = true;
    CHECK_IDS(gpt2, "Alice", &o, 50256, 44484);
    CHECK_IDS(gpt2, "", &o, 50256);
    o.add_prefix_space = 1;
    CHECK_IDS(gpt2, "This", &o, 50256, 770);
    CHECK_IDS(gpt2, "", &o, 50256);
    nt_encode_options older = {
        .size = sizeof(size_t), .add_bos = true, .split_special_tokens = true};
    CHECK_IDS(gpt2, "<|endoftext|>", &older, 50256);

    /* A tokenizer that puts BOS there itself gives one BOS, not two. */
    nt_tokenizer *own = open_tokenizer(DATA "pair_decoder");
    int32_t bos = nt_tokenizer_bos(own), eos = nt_tokenizer_eos(own);
    o.add_prefix_space = 0;
    CHECK_IDS(own, "", NULL, bos, eos);
    CHECK_IDS(own, "", &o, bos, eos);
    nt_tokenizer_free(own);

    nt_tokenizer *none = open_tokenizer(DATA "strings.json");
    int32_t *ids;
    size_t n;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, none, "a", 1, &o), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "no BOS"));
    assert_null(ids);
    nt_tokenizer_free(none);
}

/* Tokens that are bytes of the text, one after the other, from its first to its last. */
static void check_tiles(const nt_tokenizer *tokenizer, const char *text, size_t n_text) {
    int32_t *ids;
    size_t *starts, *ends, n, at = 0;
    assert_int_equal(nt_encode(&ids, &starts, &ends, &n, tokenizer, text, n_text, NULL), NT_OK);
    for (size_t i = 0; i < n; i++) {
        size_t n_bytes;
        const char *bytes = nt_tokenizer_bytes(tokenizer, ids[i], &n_bytes);
        assert_int_equal(starts[i], at);
        assert_int_equal(ends[i], at + n_bytes);
        assert_in_range(ends[i], 0, n_text);
        assert_memory_equal(bytes, text + at, n_bytes);
        assert_int_equal(bytes[n_bytes], 0);
        at = ends[i];
    }
    assert_int_equal(at, n_text);
    char *back;
    assert_int_equal(nt_decode(&back, &n_text, tokenizer, ids, n, false), NT_OK);
    assert_int_equal(n_text, at);
    assert_memory_equal(back, text, at);
    nt_free(back);
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
}

static void offsets_tile_the_text(void **state) {
    (void)state;
    check_tiles(gpt2, "", 0);
    check_tiles(gpt2, "a\0b\0\0 c", 7);
    check_tiles(gpt2, "x \xF0\x9F\x98\x80 <|endoftext|> y", 22);
    uint64_t random = 1;
    for (int i = 0; i < 3000; i++) {
        char text[256];
        size_t n = 0, n_chars = draw(&random) % 60;
        for (size_t j = 0; j < n_chars; j++) {
            static const uint64_t ranges[] = {0x80, 0x80, 0x80, 0x800, 0x3100, 0xD800, 0x20000};
            uint64_t code = draw(&random) % ranges[draw(&random) % 7];
            if (code >= 0xD800 && code < 0xE000) code = ' ';
            n += nt_utf8_put(text + n, (int32_t)code);
        }
        check_tiles(gpt2, text, n);
    }
}

/* A space that the tokenizer adds stands for the character behind it, as in tokenizers. */
static void added_space_stands_for_the_next(void **state) {
    (void)state;
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.add_prefix_space = 1;
    int32_t *ids;
    size_t *starts, *ends, n;
    assert_int_equal(
        nt_encode(&ids, &starts, &ends, &n, gpt2, "This<|endoftext|>\nx", NT_ZERO_ENDED, &o),
        NT_OK);
    static const int32_t wanted[] = {770, 50256, 220, 198, 87};
    static const size_t from[] = {0, 4, 17, 17, 18}, to[] = {4, 17, 18, 18, 19};
    assert_int_equal(n, 5);
    assert_memory_equal(ids, wanted, sizeof wanted);
    assert_memory_equal(starts, from, sizeof from);
    assert_memory_equal(ends, to, sizeof to);
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
}

static void not_utf8(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"0123456789abcdefg\xFF", "the text is not UTF-8 at byte 17 (0xFF)"},
        {"\x80", "at byte 0 (0x80)"},
        {"a\xC0\xAF", "at byte 1 (0xC0)"},
        {"a\xE2\x82", "at byte 1 (0xE2)"},
        {"ab\xED\xA0\x80", "at byte 2 (0xED)"},
        {"abc\xF4\x90\x80\x80", "at byte 3 (0xF4)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t *ids;
        size_t *starts, *ends, n;
        assert_int_equal(
            nt_encode(&ids, &starts, &ends, &n, gpt2, cases[i].text, NT_ZERO_ENDED, NULL),
            NT_E_TEXT);
        assert_non_null(strstr(nt_error_message(), cases[i].message));
        assert_null(ids);
        assert_null(starts);
        assert_null(ends);
        assert_int_equal(n, 0);
    }
    int32_t *ids;
    size_t n;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, gpt2, NULL, 3, NULL), NT_E_ARGUMENT);
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, gpt2, NULL, NT_ZERO_ENDED, NULL),
                     NT_E_ARGUMENT);
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, gpt2, NULL, 0, NULL), NT_OK);
    nt_free(ids);
}

static void tokens(void **state) {
    (void)state;
    size_t n;
    assert_string_equal(nt_tokenizer_bytes(gpt2, 284, &n), " to");
    assert_int_equal(n, 3);
    assert_string_equal(nt_tokenizer_bytes(gpt2, 50256, &n), "<|endoftext|>");
    assert_true(nt_tokenizer_is_special(gpt2, 50256));
    assert_false(nt_tokenizer_is_special(gpt2, 284));
    assert_false(nt_tokenizer_is_special(gpt2, -1));
    assert_false(nt_tokenizer_is_special(gpt2, 50257));
    assert_null(nt_tokenizer_bytes(gpt2, -1, &n));
    assert_null(nt_tokenizer_bytes(gpt2, 50257, &n));
    assert_int_equal(n, 0);
    assert_null(nt_tokenizer_bytes(gpt2, INT32_MAX, &n));

    nt_tokenizer *holes = open_tokenizer(DATA "holes.json");
    assert_null(nt_tokenizer_bytes(holes, 1, &n));
    char *text;
    assert_int_equal(nt_decode(&text, &n, holes, (const int32_t[]){1, 7, 1}, 3, false), NT_OK);
    assert_string_equal(text, "\"");
    nt_free(text);
    nt_tokenizer_free(holes);

    /* Added tokens are their content, though decoding reads "é" as a byte. */
    nt_tokenizer *flags = open_tokenizer(DATA "flags.json");
    int32_t *ids;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, flags, "\xC3\xA9", 2, NULL), NT_OK);
    assert_int_equal(n, 1);
    assert_string_equal(nt_tokenizer_bytes(flags, ids[0], &n), "\xC3\xA9");
    nt_free(ids);
    nt_tokenizer_free(flags);
    nt_tokenizer_free(NULL);
}

static void decoding_refuses(void **state) {
    (void)state;
    char *text;
    size_t n;
    assert_int_equal(nt_decode(&text, &n, gpt2, (const int32_t[]){1, 2, 50257}, 3, false),
                     NT_E_RANGE);
    assert_string_equal(nt_error_message(),
                        "id 50257 at index 2 is outside the vocabulary of 50257 ids");
    assert_null(text);
    assert_int_equal(nt_decode(&text, &n, gpt2, (const int32_t[]){-1}, 1, false), NT_E_RANGE);
    assert_int_equal(nt_decode(&text, &n, gpt2, NULL, 0, false), NT_OK);
    assert_string_equal(text, "");
    nt_free(text);
}

/* An emoji comes whole, with its last byte; a stream goes on after a refusal and after its end. */
static void streaming(void **state) {
    (void)state;
    int32_t *ids;
    size_t n, n_piece;
    const char *piece;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, gpt2, "\xF0\x9F\xA6\x84", 4, NULL), NT_OK);
    assert_int_equal(n, 3);
    nt_stream *stream;
    assert_int_equal(nt_stream_new(&stream, gpt2, true), NT_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(nt_stream_put(&piece, &n_piece, stream, ids[0]), NT_OK);
        assert_string_equal(piece, "");
        assert_int_equal(nt_stream_put(&piece, &n_piece, stream, 60000), NT_E_RANGE);
        assert_non_null(strstr(nt_error_message(), "id 60000 at index 1 is outside"));
        assert_null(piece);
        assert_int_equal(nt_stream_put(&piece, &n_piece, stream, 50256), NT_OK);
        assert_int_equal(n_piece, 0);
        assert_int_equal(nt_stream_put(&piece, &n_piece, stream, ids[1]), NT_OK);
        assert_int_equal(n_piece, 0);
        if (round == 0) {
            assert_int_equal(nt_stream_put(&piece, &n_piece, stream, ids[2]), NT_OK);
            assert_string_equal(piece, "\xF0\x9F\xA6\x84");
        }
        assert_int_equal(nt_stream_end(&piece, &n_piece, stream), NT_OK);
        assert_string_equal(piece, round == 0 ? "" : "\xEF\xBF\xBD");
    }
    nt_stream_free(stream);
    nt_stream_free(NULL);
    nt_free(ids);
}

/* Added tokens that take white space, in a text of white space: linear time all the same. */
static void runs_of_added_spaces(void **state) {
    (void)state;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":1,\"content\":\" \",\"single_word\":false,\"lstrip\":false,"
        "\"rstrip\":true,\"normalized\":false,\"special\":false}],"
        "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
        "\"trim_offsets\":true,\"use_regex\":true},"
        "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}";
    const char *folder = folder_new();
    folder_put_text(folder, "t.json", json);
    nt_tokenizer *tokenizer = open_tokenizer(folder_path(folder, "t.json"));
    size_t n_text = 1 << 20, n;
    char *text = malloc(n_text);
    memset(text, ' ', n_text);
    int32_t *ids;
    clock_t start = clock();
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, tokenizer, text, n_text, NULL), NT_OK);
    assert_in_range(clock() - start, 0, 20 * CLOCKS_PER_SEC);
    assert_int_equal(n, n_text);
    nt_free(ids);
    free(text);
    nt_tokenizer_free(tokenizer);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_facts),
        cmocka_unit_test(options),
        cmocka_unit_test(offsets_tile_the_text),
        cmocka_unit_test(added_space_stands_for_the_next),
        cmocka_unit_test(not_utf8),
        cmocka_unit_test(tokens),
        cmocka_unit_test(decoding_refuses),
        cmocka_unit_test(streaming),
        cmocka_unit_test(runs_of_added_spaces),
    };
    return cmocka_run_group_tests(tests, open_gpt2, close_gpt2);
}
