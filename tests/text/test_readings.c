/* The reading that follows transformers' classes: the answers of transformers 5.23.0, written by
 * tools/oracle/post.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "folder.h"
#include "text/support.h"

static json_t *cases;

static int read_cases(void **state) {
    (void)state;
    oracle file = oracle_open(DATA "readings.json.gz");
    int status = nt_json_parse(&cases, (const char *)file.bytes, file.n, "readings");
    file.at = file.n;
    oracle_close(&file);
    return status;
}

static int free_cases(void **state) {
    (void)state;
    json_decref(cases);
    return 0;
}

static const char *write_folder(const json_t *item) {
    const char *folder = folder_new();
    json_t *files = json_object_get(item, "files");
    for (void *at = json_object_iter(files); at; at = json_object_iter_next(files, at)) {
        char *text = json_dumps(json_object_iter_value(at), JSON_COMPACT);
        assert_non_null(text);
        folder_put_text(folder, json_object_iter_key(at), text);
        free(text);
    }
    return folder;
}

static int open_reading(nt_tokenizer **out, const char *folder, nt_reading reading) {
    nt_tokenizer_options options = NT_TOKENIZER_OPTIONS_INIT;
    options.reading = reading;
    return nt_tokenizer_open_with(out, folder, &options);
}

static void check_text(const nt_tokenizer *tokenizer, const json_t *wanted, const char *name) {
    const char *text = json_string_value(json_array_get(wanted, 0));
    const json_t *list = json_array_get(wanted, 1);
    int32_t *ids;
    size_t n, n_back;
    if (nt_encode(&ids, NULL, NULL, &n, tokenizer, text, NT_ZERO_ENDED, NULL) != NT_OK)
        fail_msg("%s: \"%s\": %s", name, text, nt_error_message());
    bool same = n == json_array_size(list);
    for (size_t i = 0; i < n && same; i++)
        same = ids[i] == json_integer_value(json_array_get(list, i));
    if (!same) fail_msg("%s: other ids for \"%s\"", name, text);
    for (size_t skip = 0; skip < 2; skip++) {
        char *back;
        assert_int_equal(nt_decode(&back, &n_back, tokenizer, ids, n, skip), NT_OK);
        const char *given = json_string_value(json_array_get(wanted, 2 + skip));
        if (strcmp(back, given) != 0)
            fail_msg("%s: \"%s\" where \"%s\" was expected", name, back, given);
        nt_free(back);
    }
    nt_free(ids);
}

static void as_transformers(void **state) {
    (void)state;
    size_t i, k;
    json_t *item, *text;
    json_array_foreach(cases, i, item) {
        char name[100];
        snprintf(name, sizeof name, "case %zu, %s", i,
                 json_string_value(json_object_get(item, "class")));
        const char *folder = write_folder(item);
        nt_tokenizer *tokenizer;
        if (open_reading(&tokenizer, folder, NT_READ_TRANSFORMERS) != NT_OK)
            fail_msg("%s: %s", name, nt_error_message());
        const int32_t roles[] = {nt_tokenizer_bos(tokenizer), nt_tokenizer_eos(tokenizer),
                                 nt_tokenizer_pad(tokenizer)};
        for (size_t r = 0; r < 3; r++) {
            int wanted = (int)json_integer_value(json_array_get(json_object_get(item, "roles"), r));
            if (roles[r] != wanted) fail_msg("%s: role %zu: %d, not %d", name, r, roles[r], wanted);
        }
        json_t *added = json_object_get(item, "added");
        for (void *at = json_object_iter(added); at; at = json_object_iter_next(added, at)) {
            const char *content = json_object_iter_key(at);
            int id = nt_tokenizer_id(tokenizer, content, NT_ZERO_ENDED);
            if (id != json_integer_value(json_object_iter_value(at)))
                fail_msg("%s: \"%s\" has the id %d", name, content, id);
        }
        json_array_foreach(json_object_get(item, "texts"), k, text)
            check_text(tokenizer, text, name);
        nt_tokenizer_free(tokenizer);
        folder_remove(folder);
    }
    assert_true(i > 100);
}

/* What is not followed is refused by name. */
static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *file, *text, *phrase;
    } wrong[] = {
        {"tokenizer_config.json", "{\"tokenizer_class\":\"RobertaTokenizerFast\"}",
         "tokenizer_class \"RobertaTokenizerFast\" of transformers is not supported"},
        {"tokenizer_config.json", "{\"split_special_tokens\":true}", "split_special_tokens true"},
        {"tokenizer_config.json", "{\"auto_map\":{\"AutoTokenizer\":[\"a\",\"b\"]}}", "auto_map {"},
        {"config.json", "{\"model_type\":\"bert\"}", "the model type \"bert\" is not supported"},
        {"config.json", "{\"model_type\":\"whatever\",\"tokenizer_class\":\"CohereTokenizer\"}",
         "tokenizer_class \"CohereTokenizer\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *folder = write_folder(json_array_get(cases, 0));
        folder_put_text(folder, wrong[i].file, wrong[i].text);
        nt_tokenizer *tokenizer;
        assert_int_equal(open_reading(&tokenizer, folder, NT_READ_TRANSFORMERS), NT_E_UNSUPPORTED);
        if (!strstr(nt_error_message(), wrong[i].phrase)) fail_msg("%s", nt_error_message());
        assert_int_equal(open_reading(&tokenizer, folder, NT_READ_FILE), NT_OK);
        nt_tokenizer_free(tokenizer);
        folder_remove(folder);
    }
}

/* Memory may end anywhere while a folder is opened, in either reading. */
static void memory_may_end(void **state) {
    (void)state;
    static const size_t some[] = {1, 5, 26, 33};
    for (size_t i = 0; i < 8; i++) {
        const char *folder = write_folder(json_array_get(cases, some[i / 2]));
        size_t k = 0;
        for (int status = NT_E_MEMORY; status != NT_OK;) {
            nt_tokenizer *tokenizer;
            nt_memory_fail_at(++k);
            status = open_reading(&tokenizer, folder, i % 2 ? NT_READ_FILE : NT_READ_TRANSFORMERS);
            nt_memory_fail_at(0);
            if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
            if (status != NT_OK) assert_null(tokenizer);
            nt_tokenizer_free(tokenizer);
        }
        assert_in_range(k, 20, 100000);
        folder_remove(folder);
    }
}

static void same_ids(const nt_tokenizer *one, const nt_tokenizer *other, const char *text) {
    int32_t *a, *b;
    size_t n_a, n_b;
    assert_int_equal(nt_encode(&a, NULL, NULL, &n_a, one, text, NT_ZERO_ENDED, NULL), NT_OK);
    assert_int_equal(nt_encode(&b, NULL, NULL, &n_b, other, text, NT_ZERO_ENDED, NULL), NT_OK);
    if (n_a != n_b || (n_a && memcmp(a, b, n_a * sizeof *a) != 0))
        fail_msg("other ids for \"%s\"", text);
    nt_free(a);
    nt_free(b);
}

/* The built-in tokenizer answers as the files do that it was made from. */
static void built_in(void **state) {
    (void)state;
    nt_tokenizer *own, *read = open_tokenizer(GPT2);
    assert_int_equal(nt_tokenizer_gpt2(&own), NT_OK);
    assert_int_equal(nt_tokenizer_size(own), nt_tokenizer_size(read));
    assert_int_equal(nt_tokenizer_bos(own), nt_tokenizer_bos(read));
    assert_int_equal(nt_tokenizer_eos(own), nt_tokenizer_eos(read));
    assert_int_equal(nt_tokenizer_pad(own), nt_tokenizer_pad(read));
    for (int32_t id = -1; id < 50259; id++) {
        size_t n[4];
        const char *a = nt_tokenizer_bytes(own, id, &n[0]),
                   *b = nt_tokenizer_bytes(read, id, &n[1]);
        const char *c = nt_tokenizer_content(own, id, &n[2]);
        const char *d = nt_tokenizer_content(read, id, &n[3]);
        assert_int_equal(n[0], n[1]);
        assert_int_equal(n[2], n[3]);
        assert_int_equal(a == NULL, b == NULL);
        if (!a) continue;
        assert_memory_equal(a, b, n[0]);
        assert_memory_equal(c, d, n[2]);
        assert_int_equal(nt_tokenizer_id(own, c, n[2]), id);
        assert_int_equal(nt_tokenizer_is_special(own, id), id == 50256);
    }
    static const char *const texts[] = {"A long long time ago, ", "Alice<|endoftext|> 2024\n\n x",
                                        "\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80  don't", ""};
    for (int i = 0; i < 4; i++)
        same_ids(own, read, texts[i]);
    uint64_t seed = 11;
    for (int i = 0; i < 3000; i++) {
        char text[400], *end = text;
        for (size_t k = draw(&seed) % 12; k > 0; k--) { /* tokens and characters in a row */
            size_t n;
            const char *bytes = nt_tokenizer_content(own, (int32_t)(draw(&seed) % 50257), &n);
            if (n < 20 && draw(&seed) % 4) {
                memcpy(end, bytes, n);
                end += n;
            } else {
                int32_t code = (int32_t)(draw(&seed) % (draw(&seed) % 2 ? 0x2000 : 0x1F700));
                if (code > 0 && (code < 0xD800 || code > 0xDFFF)) end += nt_utf8_put(end, code);
            }
            if (draw(&seed) % 2) *end++ = " \n'"[draw(&seed) % 3];
        }
        *end = 0;
        same_ids(own, read, text);
    }
    nt_tokenizer_free(own);
    nt_tokenizer_free(read);
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        nt_memory_fail_at(++k);
        status = nt_tokenizer_gpt2(&own);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
    }
    nt_tokenizer_free(own);
    assert_in_range(k, 2, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_transformers),
        cmocka_unit_test(refusals),
        cmocka_unit_test(memory_may_end),
        cmocka_unit_test(built_in),
    };
    return cmocka_run_group_tests(tests, read_cases, free_cases);
}
