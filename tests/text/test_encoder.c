/* Encoders: what nt_encode gives, for any number of threads, any cache and any mix of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/encode.h"
#include "text/support.h"

enum { N_TEXTS = 40, LONG = 700000 };

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

/* Words, some of them never seen again, and added tokens. */
static char *make_text(size_t n, uint64_t *random) {
    static const char *const words[] = {" the", " and", "'s",  "\n\n", " Alice", " é",      "  ",
                                        ".",    " 12",  " 日", "...",  " x y",   "<|endof", " a"};
    char *text = malloc(n + 64);
    size_t at = 0;
    while (at < n) {
        uint64_t kind = draw(random) % 40;
        const char *word = words[kind % 14];
        char fresh[16];
        if (kind == 38) word = "<|endoftext|>";
        if (kind == 39) {
            snprintf(fresh, sizeof fresh, " q%llxz", (unsigned long long)draw(random) & 0xFFFFFFFF);
            word = fresh;
        }
        memcpy(text + at, word, strlen(word));
        at += strlen(word);
    }
    text[at] = 0;
    return text;
}

typedef struct batch {
    nt_encode_input inputs[N_TEXTS];
    size_t n;
} batch;

static void batch_make(batch *b, uint64_t seed) {
    *b = (batch){.n = N_TEXTS};
    for (size_t i = 0; i < b->n; i++) {
        size_t n = i == 7 ? LONG : i == 20 ? LONG / 2 : draw(&seed) % 3000;
        if (i == 5) n = 0;
        char *text = make_text(n, &seed);
        b->inputs[i] = (nt_encode_input){.text = text, .n_text = strlen(text)};
    }
}

static void batch_free(batch *b) {
    for (size_t i = 0; i < b->n; i++)
        free((void *)(uintptr_t)b->inputs[i].text);
}

static nt_encoder *encoder_new(const nt_tokenizer *tokenizer, int threads, size_t cache_bytes) {
    nt_encoder_options o = NT_ENCODER_OPTIONS_INIT;
    o.threads = threads;
    o.cache_bytes = cache_bytes;
    nt_encoder *encoder;
    assert_int_equal(nt_encoder_new(&encoder, tokenizer, &o), NT_OK);
    return encoder;
}

static void compare(const nt_tokenizer *tokenizer, nt_encoder *encoder, const batch *b,
                    const nt_encode_options *options) {
    nt_encoding *encodings[N_TEXTS];
    int status = nt_encoder_run(encodings, encoder, b->inputs, b->n, options);
    if (status != NT_OK) fail_msg("%s", nt_error_message());
    for (size_t i = 0; i < b->n; i++) {
        int32_t *ids;
        size_t *starts, *ends, n;
        assert_int_equal(nt_encode(&ids, &starts, &ends, &n, tokenizer, b->inputs[i].text,
                                   b->inputs[i].n_text, options),
                         NT_OK);
        const nt_encoding *e = encodings[i];
        assert_int_equal(e->n, n);
        assert_memory_equal(e->ids, ids, n * sizeof *ids);
        assert_true(options->offsets == (e->starts != NULL) || n == 0);
        assert_true(options->marks == (e->marks != NULL));
        for (size_t k = 0; options->offsets && k < n; k++) {
            assert_int_equal(e->starts[k], starts[k]);
            assert_int_equal(e->ends[k], ends[k]);
        }
        nt_free(ids);
        nt_free(starts);
        nt_free(ends);
        nt_encoding_free(encodings[i]);
    }
}

static void any_number_of_threads(void **state) {
    (void)state;
    batch b;
    batch_make(&b, 1);
    for (int threads = 1; threads <= 5; threads++) {
        nt_encoder *encoder = encoder_new(gpt2, threads, threads == 3 ? 5000 : 0);
        for (int again = 0; again < 3; again++) {
            nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
            o.offsets = again != 1;
            o.marks = again == 2;
            o.add_bos = again == 2;
            compare(gpt2, encoder, &b, &o);
        }
        nt_encoder_free(encoder);
    }
    batch_free(&b);
}

/* A long text by itself, against its tokens without any cut. */
static void one_long_text(void **state) {
    (void)state;
    batch b;
    batch_make(&b, 2);
    const nt_encode_input *input = &b.inputs[7];
    for (int threads = 1; threads <= 4; threads++) {
        nt_encoder *encoder = encoder_new(gpt2, threads, 0);
        for (int again = 0; again < 4; again++) {
            nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
            o.offsets = again % 2;
            nt_tokens whole = {.offsets = o.offsets};
            nt_text_work work = {0};
            assert_int_equal(
                nt_tokens_of_text(&whole, gpt2, &work, input->text, 0, input->n_text, &o), NT_OK);
            nt_encoding *e;
            assert_int_equal(nt_encoder_run(&e, encoder, input, 1, &o), NT_OK);
            assert_int_equal(e->n, whole.n);
            assert_memory_equal(e->ids, whole.ids, e->n * sizeof *e->ids);
            if (o.offsets) {
                assert_memory_equal(e->starts, whole.starts, e->n * sizeof *e->starts);
                assert_memory_equal(e->ends, whole.ends, e->n * sizeof *e->ends);
            }
            nt_encoding_free(e);
            nt_tokens_free(&whole);
            nt_text_work_free(&work);
        }
        nt_encoder_free(encoder);
    }
    batch_free(&b);
}

/* The first text that is wrong is the one that is told, whoever comes to it first. */
static void errors_name_the_text(void **state) {
    (void)state;
    batch b;
    batch_make(&b, 2);
    ((char *)(uintptr_t)b.inputs[30].text)[0] = '\xFF';
    b.inputs[30].n_text += b.inputs[30].n_text == 0;
    ((char *)(uintptr_t)b.inputs[7].text)[LONG - 100] = '\xFF';
    for (int threads = 1; threads <= 4; threads++) {
        nt_encoder *encoder = encoder_new(gpt2, threads, 0);
        nt_encoding *encodings[N_TEXTS];
        assert_int_equal(nt_encoder_run(encodings, encoder, b.inputs, b.n, NULL), NT_E_TEXT);
        assert_non_null(strstr(nt_error_message(), "text 7: "));
        char place[32];
        snprintf(place, sizeof place, "byte %d ", LONG - 100);
        assert_non_null(strstr(nt_error_message(), place));
        for (size_t i = 0; i < b.n; i++)
            assert_null(encodings[i]);
        nt_encoder_free(encoder);
    }
    batch_free(&b);
}

static void padding_and_truncation(void **state) {
    (void)state;
    batch b;
    batch_make(&b, 3);
    nt_encoder *encoder = encoder_new(gpt2, 3, 0);
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.truncation = o.padding = 1;
    o.max_length = 50;
    o.stride = 10;
    o.pad_id = 7;
    nt_encoding *encodings[N_TEXTS];
    assert_int_equal(nt_encoder_run(encodings, encoder, b.inputs, b.n, &o), NT_OK);
    for (size_t i = 0; i < b.n; i++) {
        int32_t *ids;
        size_t n;
        assert_int_equal(
            nt_encode(&ids, NULL, NULL, &n, gpt2, b.inputs[i].text, b.inputs[i].n_text, NULL),
            NT_OK);
        size_t at = 0;
        for (const nt_encoding *e = encodings[i]; e; e = e->overflow, at += 40) {
            assert_int_equal(e->n, 50);
            for (size_t k = 0; k < 50; k++)
                assert_int_equal(e->ids[k], at + k < n ? ids[at + k] : 7);
        }
        assert_true(at >= n || at + 10 >= n);
        nt_free(ids);
        nt_encoding_free(encodings[i]);
    }
    o.pad_id = -1;
    assert_int_equal(nt_encoder_run(encodings, encoder, b.inputs, b.n, &o), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "padding"));
    nt_encoder_free(encoder);
    batch_free(&b);
}

static void memory_ends(void **state) {
    (void)state;
    uint64_t random = 9;
    char *texts[2] = {make_text(300000, &random), make_text(500, &random)};
    nt_encode_input inputs[3] = {{.text = texts[0], .n_text = strlen(texts[0])},
                                 {.text = texts[1], .n_text = strlen(texts[1])},
                                 {.text = "a", .n_text = 1, .pair = "b", .n_pair = 1}};
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.offsets = true;
    for (int turn = 0; turn < 3; turn++) {
        int threads = turn == 1 ? 2 : 1;
        o.words = turn == 2;
        for (size_t k = 1;; k++) {
            nt_encoding *encodings[3] = {NULL};
            nt_encoder_options eo = NT_ENCODER_OPTIONS_INIT;
            eo.threads = threads;
            nt_encoder *encoder = NULL;
            nt_memory_fail_at(k);
            int status = nt_encoder_new(&encoder, gpt2, &eo);
            if (status == NT_OK) status = nt_encoder_run(encodings, encoder, inputs, 3, &o);
            nt_memory_fail_at(0);
            for (int i = 0; i < 3; i++) {
                assert_true((encodings[i] != NULL) == (status == NT_OK));
                nt_encoding_free(encodings[i]);
            }
            nt_encoder_free(encoder);
            if (status == NT_OK) {
                assert_in_range(k, 10, 10000);
                break;
            }
            assert_int_equal(status, NT_E_MEMORY);
        }
    }
    free(texts[0]);
    free(texts[1]);
}

/* GPT-2's words are encoded each for itself: what is told as one has, alone, the same tokens. */
static void words_are_encoded_alone(void **state) {
    (void)state;
    uint64_t random = 5;
    char *text = make_text(40000, &random);
    nt_encode_input input = {.text = text, .n_text = strlen(text)};
    nt_encode_options o = NT_ENCODE_OPTIONS_INIT;
    o.words = true;
    o.padding = 1;
    o.pad_id = 3;
    o.pad_multiple = 50000;
    for (int threads = 1; threads <= 2; threads++) {
        nt_encoder *encoder = encoder_new(gpt2, threads, 0);
        nt_encoding *e;
        assert_int_equal(nt_encoder_run(&e, encoder, &input, 1, &o), NT_OK);
        uint32_t word = 0;
        size_t first = 0, end = 1;
        for (; first < e->n && e->words[first] != NT_NO_WORD; first = end, word++) {
            while (end < e->n && e->words[end] == e->words[first])
                end++;
            assert_int_equal(e->words[first], word);
            size_t start = e->starts[first], n_bytes = e->ends[end - 1] - start, n;
            int32_t *ids;
            assert_int_equal(nt_encode(&ids, NULL, NULL, &n, gpt2, text + start, n_bytes, NULL),
                             NT_OK);
            assert_int_equal(n, end - first);
            assert_memory_equal(ids, e->ids + first, n * sizeof *ids);
            nt_free(ids);
        }
        assert_in_range(word, 1000, 40000);
        for (; first < e->n; first++)
            assert_true(e->ids[first] == 3 && e->words[first] == NT_NO_WORD);
        nt_encoding_free(e);
        nt_encoder_free(encoder);
    }
    free(text);
}

static void bad_arguments(void **state) {
    (void)state;
    nt_encoder *encoder;
    nt_encoder_options o = NT_ENCODER_OPTIONS_INIT;
    o.threads = -1;
    assert_int_equal(nt_encoder_new(&encoder, gpt2, &o), NT_E_ARGUMENT);
    assert_null(encoder);
    encoder = encoder_new(gpt2, 2, 0);
    nt_encode_input none = {.text = NULL, .n_text = 3};
    nt_encoding *encoding;
    assert_int_equal(nt_encoder_run(&encoding, encoder, &none, 1, NULL), NT_E_ARGUMENT);
    assert_string_equal(nt_error_message(), "text 0: the text is NULL");
    none.n_text = 0;
    assert_int_equal(nt_encoder_run(&encoding, encoder, &none, 1, NULL), NT_OK);
    assert_int_equal(encoding->n, 0);
    nt_encoding_free(encoding);
    assert_int_equal(nt_encoder_run(NULL, encoder, NULL, 0, NULL), NT_OK);
    nt_encoder_free(encoder);
    nt_encoder_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(one_long_text),
        cmocka_unit_test(errors_name_the_text),
        cmocka_unit_test(padding_and_truncation),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(words_are_encoded_alone),
    };
    return cmocka_run_group_tests(tests, open_gpt2, close_gpt2);
}
