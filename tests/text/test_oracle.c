/* Ids, offsets and texts against Hugging Face tokenizers 0.23.3 and transformers 5.23.0: every
 * figure in data/ is theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "text/support.h"

enum { SPLIT = 1, PREFIX = 2, NO_PREFIX = 4, NO_OFFSETS = 8 };

/* Characters that start before byte `at` of a text. */
static uint64_t chars_before(const char *text, size_t at) {
    uint64_t n = 0;
    for (size_t i = 0; i < at; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

/* The oracle counts in characters, and gives a token that holds part of one the whole of it. */
static uint32_t hash_offsets(const char *text, size_t n_text, const size_t *starts,
                             const size_t *ends, size_t n) {
    uint64_t hash = FNV_START;
    for (size_t i = 0; i < n; i++) {
        size_t start = starts[i];
        while (start > 0 && start < n_text && ((unsigned char)text[start] & 0xC0) == 0x80)
            start--;
        hash = fnv(hash, chars_before(text, start));
        hash = fnv(hash, chars_before(text, ends[i]));
    }
    return fold(hash);
}

static void show(const char *name, size_t i, const char *text, size_t n_text) {
    print_error("%s, case %zu:", name, i);
    for (size_t b = 0; b < n_text; b++)
        print_error(" %02X", (unsigned char)text[b]);
    print_error("\n");
}

static void one_case(const nt_tokenizer *tokenizer, oracle *file, const char *name, size_t i) {
    uint64_t flags = oracle_number(file);
    size_t n_text = oracle_number(file);
    const char *text = oracle_bytes(file, n_text);
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.split_special_tokens = flags & SPLIT;
    options.add_prefix_space = flags & PREFIX ? 1 : flags & NO_PREFIX ? -1 : 0;
    int32_t *ids;
    size_t *starts, *ends, n;
    int status = nt_encode(&ids, &starts, &ends, &n, tokenizer, text, n_text, &options);
    if (status != NT_OK) fail_msg("%s", nt_error_message());
    size_t n_wanted = oracle_number(file);
    bool same = n == n_wanted;
    for (size_t j = 0; j < n_wanted; j++) {
        uint64_t wanted = oracle_number(file);
        if (j < n && (uint64_t)ids[j] != wanted) same = false;
    }
    uint32_t wanted = oracle_hash(file);
    if (!(flags & NO_OFFSETS) && hash_offsets(text, n_text, starts, ends, n) != wanted)
        same = false;
    if (!same) {
        show(name, i, text, n_text);
        fail();
    }
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
}

static void cases_of(const char *name, const char *tokenizer_path, size_t at_least) {
    char path[1024];
    snprintf(path, sizeof path, DATA "%s.cases.gz", name);
    oracle file = oracle_open(path);
    nt_tokenizer *tokenizer = open_tokenizer(tokenizer_path);
    assert_int_equal(nt_tokenizer_size(tokenizer), oracle_number(&file));
    assert_int_equal(nt_tokenizer_bos(tokenizer) + 1, oracle_number(&file));
    assert_int_equal(nt_tokenizer_eos(tokenizer) + 1, oracle_number(&file));
    assert_int_equal(nt_tokenizer_pad(tokenizer) + 1, oracle_number(&file));
    size_t n = oracle_number(&file);
    assert_in_range(n, at_least, SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        one_case(tokenizer, &file, name, i);
    oracle_close(&file);
    nt_tokenizer_free(tokenizer);
}

static uint32_t hash_bytes(const char *bytes, size_t n) {
    uint64_t hash = FNV_START;
    for (size_t i = 0; i < n; i++)
        hash = fnv(hash, (unsigned char)bytes[i]);
    return fold(hash);
}

/* Decodes ids one by one; the pieces together must be the whole text. */
static void as_stream(const nt_tokenizer *tokenizer, const int32_t *ids, size_t n, bool skip,
                      const char *text, size_t n_text) {
    nt_stream *stream;
    assert_int_equal(nt_stream_new(&stream, tokenizer, skip), NT_OK);
    check_stream(stream, ids, n, text, n_text);
    nt_stream_free(stream);
}

static void decode_of(const char *name, const char *tokenizer_path) {
    char path[1024];
    snprintf(path, sizeof path, DATA "%s.decode.gz", name);
    oracle file = oracle_open(path);
    nt_tokenizer *tokenizer = open_tokenizer(tokenizer_path);
    size_t size = nt_tokenizer_size(tokenizer), n_cases = oracle_number(&file);
    assert_int_equal(n_cases, 2000);
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < n_cases; i++) {
        int32_t ids[40];
        size_t n = draw(&random) % 40;
        for (size_t j = 0; j < n; j++) {
            uint64_t number = draw(&random);
            ids[j] = (int32_t)(number % (draw(&random) % 2 ? 256 : size));
        }
        for (int skip = 0; skip < 2; skip++) {
            char *text;
            size_t n_text;
            assert_int_equal(nt_decode(&text, &n_text, tokenizer, ids, n, skip), NT_OK);
            if (hash_bytes(text, n_text) != oracle_hash(&file)) {
                show(name, i, text, n_text);
                fail();
            }
            as_stream(tokenizer, ids, n, skip, text, n_text);
            nt_free(text);
        }
    }
    oracle_close(&file);
    nt_tokenizer_free(tokenizer);
}

static void gpt2_strings(void **state) {
    (void)state;
    cases_of("gpt2", GPT2, 10000);
}

/* Words of a megabyte. Quadratic time would be hours; the limit only tells that from seconds. */
static void long_words(void **state) {
    (void)state;
    clock_t start = clock();
    cases_of("long", GPT2, 9);
    assert_in_range(clock() - start, 0, 60 * CLOCKS_PER_SEC);
}

static void gpt2_decoding(void **state) {
    (void)state;
    decode_of("gpt2", GPT2);
}

static void tokenizer_json(void **state) {
    (void)state;
    static const char *const names[] = {"strings", "pairs", "flags", "template", "whole", "holes"};
    for (int i = 0; i < 6; i++) {
        char path[1024];
        snprintf(path, sizeof path, DATA "%s.json", names[i]);
        cases_of(names[i], path, 1500);
        decode_of(names[i], path);
    }
}

static void vocab_and_merges(void **state) {
    (void)state;
    static const char *const names[] = {"pair", "pair_roles", "pair_decoder", "pair_map"};
    for (int i = 0; i < 4; i++) {
        char path[1024];
        snprintf(path, sizeof path, DATA "%s", names[i]);
        cases_of(names[i], path, 300);
    }
}

/* Every code point, alone and between others, 256 to a hash. */
static void code_points(void **state) {
    (void)state;
    static const char *const before[] = {"", "a", " ", "1"}, *const after[] = {"", "b", "", " "};
    nt_tokenizer *tokenizer = open_tokenizer(GPT2);
    oracle file = oracle_open(DATA "gpt2.codepoints");
    for (int32_t first = 0; first < 0x110000; first += 256) {
        for (int form = 0; form < 4; form++) {
            uint64_t hash = FNV_START;
            for (int32_t code = first; code < first + 256; code++) {
                if (code >= 0xD800 && code < 0xE000) continue;
                char text[8];
                size_t n_text = strlen(before[form]), n;
                memcpy(text, before[form], n_text);
                n_text += nt_utf8_put(text + n_text, code);
                if (*after[form]) text[n_text++] = *after[form];
                int32_t *ids;
                assert_int_equal(nt_encode(&ids, NULL, NULL, &n, tokenizer, text, n_text, NULL),
                                 NT_OK);
                hash = fnv(hash, n);
                for (size_t i = 0; i < n; i++)
                    hash = fnv(hash, (uint64_t)ids[i]);
                nt_free(ids);
            }
            if (fold(hash) != oracle_hash(&file))
                fail_msg("U+%04X .. U+%04X, form %d", (unsigned)first, (unsigned)first + 255, form);
        }
    }
    oracle_close(&file);
    nt_tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_strings),     cmocka_unit_test(long_words),
        cmocka_unit_test(gpt2_decoding),    cmocka_unit_test(tokenizer_json),
        cmocka_unit_test(vocab_and_merges), cmocka_unit_test(code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
