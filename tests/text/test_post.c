/* What stands around a text, where it is cut and padded: tokenizers 0.23.3's answers, written by
 * tools/oracle/post.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/post/post.h"
#include "text/support.h"
#include "text/vocab/added.h"

static json_t *read_gz(const char *path) {
    oracle file = oracle_open(path);
    json_t *value;
    assert_int_equal(nt_json_parse(&value, (const char *)file.bytes, file.n, path), NT_OK);
    file.at = file.n;
    oracle_close(&file);
    return value;
}

/* The vocabulary of the oracle's tokenizer, with its added tokens. */
static nt_lexicon make_lexicon(const json_t *base, nt_added *added) {
    nt_lexicon lexicon = {.seed = 7};
    json_t *vocab = json_object_get(json_object_get(base, "model"), "vocab");
    for (void *at = json_object_iter(vocab); at; at = json_object_iter_next(vocab, at)) {
        const char *content = json_object_iter_key(at);
        uint32_t id = (uint32_t)json_integer_value(json_object_iter_value(at));
        assert_int_equal(nt_lexicon_add(&lexicon, content, strlen(content), id, "base"), NT_OK);
    }
    size_t i, n = lexicon.n;
    json_t *token;
    json_array_foreach(json_object_get(base, "added_tokens"), i, token) {
        const char *content = json_string_value(json_object_get(token, "content"));
        assert_int_equal(nt_added_add(added, &lexicon, n, content, strlen(content),
                                      (nt_added_token){.special = true}, "base"),
                         NT_OK);
    }
    return lexicon;
}

/* Added tokens are known by what stands in the text, white space that they took and all. */
static nt_tokens make_tokens(const json_t *value, const char *text, const nt_lexicon *lexicon) {
    const json_t *ids = json_array_get(value, 0);
    nt_tokens tokens = {.offsets = true, .trimmed = true};
    for (size_t i = 0; i < json_array_size(ids); i++) {
        uint32_t numbers[3];
        for (size_t k = 0; k < 3; k++)
            numbers[k] = (uint32_t)json_integer_value(json_array_get(json_array_get(value, k), i));
        const nt_piece *piece = nt_lexicon_at(lexicon, numbers[0]);
        if (piece && piece->added) {
            assert_int_equal(
                nt_tokens_put_margin(&tokens, text + numbers[1], numbers[2] - numbers[1]), NT_OK);
        }
        assert_int_equal(nt_tokens_put(&tokens, (int32_t)numbers[0], numbers[1], numbers[2]),
                         NT_OK);
    }
    return tokens;
}

/* Characters of text before byte `at`; up: a character that `at` cuts counts. */
static uint32_t characters(const char *text, uint32_t at, bool up) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < at; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    bool inside = ((unsigned char)text[at] & 0xC0) == 0x80;
    return count - (inside && !up);
}

static void check_number(uint32_t found, const json_t *list, size_t i, const char *what) {
    uint32_t wanted = (uint32_t)json_integer_value(json_array_get(list, i));
    if (found != wanted) fail_msg("%s %zu: %u where %u was expected", what, i, found, wanted);
}

static void check_window(const nt_encoding *e, const json_t *wanted, const char *a, const char *b) {
    const json_t *list[5];
    for (size_t k = 0; k < 5; k++)
        list[k] = json_array_get(wanted, k);
    assert_int_equal(e->n, json_array_size(list[0]));
    for (size_t i = 0; i < e->n; i++) {
        const char *text = e->marks[i] & NT_MARK_PAIR ? b : a;
        check_number((uint32_t)e->ids[i], list[0], i, "id");
        check_number(e->types[i], list[1], i, "type id");
        check_number(e->marks[i] & 3, list[2], i, "mark");
        check_number(characters(text, e->starts[i], false), list[3], i, "start");
        check_number(characters(text, e->ends[i], true), list[4], i, "end");
    }
}

typedef struct run {
    nt_post post;
    nt_truncation truncation;
    nt_padding padding;
    const nt_lexicon *lexicon;
} run;

/* Assembles and pads one case; *out is NULL on failure. */
static int answer(nt_encoding **out, const run *r, const json_t *item, const nt_tokens *a,
                  const nt_tokens *b) {
    const nt_assembly assembly = {
        .post = &r->post,
        .truncation = &r->truncation,
        .a = a,
        .b = b,
        .text_a = json_string_value(json_object_get(item, "text")),
        .text_b = json_string_value(json_object_get(item, "pair")),
        .lexicon = r->lexicon,
        .special = json_is_true(json_object_get(item, "special")),
        .bos = -1,
        .trim = true,
        .marks = true,
    };
    int status = nt_assemble(out, &assembly);
    if (status == NT_OK) status = nt_pad(out, 1, &r->padding);
    if (status != NT_OK) {
        nt_encoding_free(*out);
        *out = NULL;
    }
    return status;
}

static void check_error(const json_t *error, int status) {
    static const char *const words[][2] = {{"stride", "more than the stride"},
                                           {"too short", "from a text that has"},
                                           {"Second sequence", "and there is none"},
                                           {"no room", "has no room for the"}};
    assert_int_equal(status, NT_E_ARGUMENT);
    for (int i = 0; i < 4; i++)
        if (strcmp(json_string_value(error), words[i][0]) == 0)
            assert_non_null(strstr(nt_error_message(), words[i][1]));
}

/* Counts what was compared: windows that were cut off, errors, tokens of padding. */
static void check_case(const run *r, const json_t *item, size_t counts[3]) {
    const char *text_a = json_string_value(json_object_get(item, "text"));
    const char *text_b = json_string_value(json_object_get(item, "pair"));
    nt_tokens a = make_tokens(json_object_get(item, "a"), text_a, r->lexicon), b = {0};
    const json_t *pair = json_object_get(item, "b"), *error = json_object_get(item, "error");
    if (pair) b = make_tokens(pair, text_b, r->lexicon);
    nt_encoding *found;
    int status = answer(&found, r, item, &a, pair ? &b : NULL);
    if (error) {
        check_error(error, status);
        counts[1]++;
    } else {
        if (status != NT_OK) fail_msg("%s", nt_error_message());
        const json_t *windows = json_object_get(item, "windows");
        nt_encoding *at = found;
        for (size_t i = 0; i < json_array_size(windows); i++, at = at->overflow) {
            assert_non_null(at);
            check_window(at, json_array_get(windows, i),
                         json_string_value(json_object_get(item, "text")),
                         json_string_value(json_object_get(item, "pair")));
            counts[0] += i > 0;
            for (size_t k = 0; k < at->n; k++)
                counts[2] += at->marks[k] == NT_MARK_PADDING;
        }
        assert_null(at);
    }
    nt_encoding_free(found);
    nt_tokens_free(&a);
    nt_tokens_free(&b);
}

static void oracle_cases(void **state) {
    (void)state;
    json_t *file = read_gz(DATA "post.json.gz");
    nt_added added = {0};
    nt_lexicon lexicon = make_lexicon(json_object_get(file, "base"), &added);
    size_t i, k, n = 0, counts[3] = {0};
    json_t *item, *one;
    json_array_foreach(json_object_get(file, "runs"), i, item) {
        json_t *parts = json_object_get(item, "tokenizer");
        run r = {.lexicon = &lexicon};
        assert_int_equal(
            nt_post_read(&r.post, json_object_get(parts, "post_processor"), &lexicon, "t"), NT_OK);
        assert_int_equal(
            nt_truncation_read(&r.truncation, json_object_get(parts, "truncation"), "t"), NT_OK);
        assert_int_equal(nt_padding_read(&r.padding, json_object_get(parts, "padding"), "t"),
                         NT_OK);
        json_array_foreach(json_object_get(item, "cases"), k, one) {
            check_case(&r, one, counts);
            n++;
        }
        nt_post_free(&r.post);
    }
    assert_true(n > 1000 && counts[0] > 1000 && counts[1] > 100 && counts[2] > 1000);
    nt_lexicon_free(&lexicon);
    nt_added_free(&added);
    json_decref(file);
}

/* ---- What the oracle has no word for --------------------------------------------------------- */

static nt_tokens numbers(int32_t n) {
    nt_tokens tokens = {0};
    for (int32_t i = 0; i < n; i++)
        assert_int_equal(nt_tokens_put(&tokens, i, 0, 0), NT_OK);
    return tokens;
}

/* One BOS before all, in each window and inside of max_length, unless the template begins with it.
 */
static void one_bos(void **state) {
    (void)state;
    nt_tokens a = numbers(5);
    nt_truncation cut = {.on = true, .max_length = 3};
    for (int32_t bos = 8; bos <= 9; bos++) {
        nt_post post;
        assert_int_equal(nt_post_surround(&post, 9, -1), NT_OK);
        nt_assembly assembly = {
            .post = &post, .truncation = &cut, .a = &a, .special = true, .bos = bos};
        nt_encoding *found;
        assert_int_equal(nt_assemble(&found, &assembly), NT_OK);
        const int32_t with[] = {8, 9, 0}, without[] = {9, 0, 1};
        assert_int_equal(found->n, 3);
        assert_memory_equal(found->ids, bos == 8 ? with : without, sizeof with);
        assert_null(found->starts);
        assert_null(found->marks);
        size_t windows = 0;
        for (const nt_encoding *e = found; e; e = e->overflow)
            windows++;
        assert_int_equal(windows, bos == 8 ? 5 : 3);
        nt_encoding_free(found);
        assembly.special = false; /* then the template's is not there */
        assert_int_equal(nt_assemble(&found, &assembly), NT_OK);
        assert_int_equal(found->ids[0], bos);
        assert_int_equal(found->ids[1], 0);
        nt_encoding_free(found);
        nt_post_free(&post);
    }
    nt_tokens_free(&a);
}

/* All encodings of a batch, and their further windows, are padded to the longest first window. */
static void batch(void **state) {
    (void)state;
    nt_tokens texts[3] = {numbers(5), numbers(0), numbers(2)};
    nt_encoding *found[3];
    nt_post post = {0};
    nt_truncation cut = {.on = true, .max_length = 4};
    nt_padding padding = {.on = true, .multiple = 3, .left = true, .id = 77, .type = 5};
    for (int i = 0; i < 3; i++) {
        const nt_assembly assembly = {
            .post = &post, .truncation = &cut, .a = &texts[i], .bos = -1, .marks = true};
        assert_int_equal(nt_assemble(&found[i], &assembly), NT_OK);
    }
    assert_int_equal(nt_pad(found, 3, &padding), NT_OK);
    static const int32_t wanted[3][6] = {
        {77, 77, 0, 1, 2, 3}, {77, 77, 77, 77, 77, 77}, {77, 77, 77, 77, 0, 1}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(found[i]->n, 6);
        assert_memory_equal(found[i]->ids, wanted[i], sizeof wanted[i]);
        assert_int_equal(found[i]->marks[0], NT_MARK_PADDING);
        assert_int_equal(found[i]->types[0], 5);
    }
    assert_int_equal(found[0]->overflow->n, 6);
    assert_int_equal(found[0]->overflow->ids[5], 4);
    for (int i = 0; i < 3; i++) {
        nt_encoding_free(found[i]);
        nt_tokens_free(&texts[i]);
    }
}

/* Windows that would fill any memory, and padding that would, are refused before any work. */
static void too_much(void **state) {
    (void)state;
    nt_tokens a = numbers(100000), b = numbers(100000);
    nt_post post = {0};
    nt_truncation cut = {.on = true, .max_length = 2};
    nt_encoding *found;
    const nt_assembly pair = {.post = &post, .truncation = &cut, .a = &a, .b = &b, .bos = -1};
    assert_int_equal(nt_assemble(&found, &pair), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "which is too much"));
    assert_null(found);
    const nt_assembly one = {.post = &post, .a = &a, .bos = -1};
    assert_int_equal(nt_assemble(&found, &one), NT_OK);
    nt_padding padding = {.on = true, .multiple = SIZE_MAX - 5};
    assert_int_equal(nt_pad(&found, 1, &padding), NT_E_ARGUMENT);
    padding = (nt_padding){.on = true, .length = SIZE_MAX};
    assert_int_equal(nt_pad(&found, 1, &padding), NT_E_ARGUMENT);
    assert_int_equal(found->n, 100000);
    nt_encoding_free(found);
    nt_tokens_free(&a);
    nt_tokens_free(&b);
}

/* Memory may end anywhere: nothing is lost, and the encodings stay whole. */
static void memory_may_end(void **state) {
    (void)state;
    static const char text[] =
        "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
        "\"trim_offsets\":true},{\"type\":\"RobertaProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",2]"
        ","
        "\"trim_offsets\":false,\"add_prefix_space\":true}]}";
    json_t *component;
    assert_int_equal(nt_json_parse(&component, text, strlen(text), "t"), NT_OK);
    nt_lexicon lexicon = {.seed = 1};
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(nt_lexicon_add(&lexicon, &"abcdefghij"[i], 1, i, "t"), NT_OK);
    nt_tokens a = numbers(9);
    nt_truncation cut = {.on = true, .max_length = 6, .stride = 1};
    nt_padding padding = {.on = true, .length = 8};
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) {
        nt_encoding *found = NULL;
        nt_post post;
        nt_memory_fail_at(++k);
        status = nt_post_read(&post, component, &lexicon, "t");
        const nt_assembly assembly = {
            .post = &post, .truncation = &cut, .a = &a, .special = true, .bos = -1, .marks = true};
        if (status == NT_OK) status = nt_assemble(&found, &assembly);
        if (status == NT_OK) status = nt_pad(&found, 1, &padding);
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
        nt_encoding_free(found);
        nt_post_free(&post);
    }
    assert_in_range(k, 8, 100);
    nt_tokens_free(&a);
    nt_lexicon_free(&lexicon);
    json_decref(component);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_cases), cmocka_unit_test(one_bos),        cmocka_unit_test(batch),
        cmocka_unit_test(too_much),     cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
