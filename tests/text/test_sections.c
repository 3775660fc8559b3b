/* Reading vocabularies, merges and whole files: forms that are read, and what is broken, against
 * jansson's verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "folder.h"
#include "text/reading.h"

static int read_vocab(const char *json, nt_lexicon *lexicon) {
    *lexicon = new_lexicon();
    return nt_read_vocab(lexicon, passage_of(json), "v.json");
}

static void vocabularies_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "the vocabulary must be an object and is nothing"},
        {"[]", "the vocabulary must be an object and is an array"},
        {"\"a\"", "and is a string"},
        {"{", "line 1, column 2: a string was expected"},
        {"{\"a\"", "column 5: ':' was expected"},
        {"{\"a\":", "the file ends too early"},
        {"{\"a\":1", "',' or '}' was expected"},
        {"{\"a\":1,}", "a string was expected"},
        {"{\"a\":1}\n {}", "line 2, column 2: the end of the file was expected"},
        {"{\"a\":1,\n\"b\":-1}",
         "v.json, line 2: the id of token \"b\" must be an integer in 0 .. "},
        {"{\"a\":16777216}", "integer in 0 .. 16777215"},
        {"{\"a\":99999999999999999999999}", "the id of token \"a\" must be an integer"},
        {"{\"a\":4294967296}", "the id of token \"a\" must be an integer"},
        {"{\"a\":1.0}", "the id of token \"a\" must be an integer"},
        {"{\"a\":1e1}", "the id of token \"a\" must be an integer"},
        {"{\"a\":-0.0}", "the id of token \"a\" must be an integer"},
        {"{\"a\":\"1\"}", "the id of token \"a\" must be an integer"},
        {"{\"a\":null}", "the id of token \"a\" must be an integer"},
        {"{\"a\":{\"b\":[1]}}", "the id of token \"a\" must be an integer"},
        {"{\"a\":{\"b\":[1}}", "is not valid JSON"},
        {"{\"a\":01}", "this is no value"},
        {"{\"a\":1x}", "',' or '}' was expected"},
        {"{\"a\":-0x}", "',' or '}' was expected"},
        {"{\"a\":-01}", "this is no value"},
        {"{\"a\":-0", "',' or '}' was expected"},
        {"{\"a\":-0e1}", "the id of token \"a\" must be an integer"},
        {"{\"a\":.5}", "this is no value"},
        {"{\"a\":-}", "this is no value"},
        {"{\"a\":7,\n\n\"b\":7}", "v.json, line 3: tokens \"a\" and \"b\" share the id 7"},
        {"{\"a\":7,\"\\u0061\":8}", "v.json: token \"a\" stands twice"},
        {"{\"a\\u0000\":1}", "column 4: a string may not hold \\u0000"},
        {"{\"a\\uD83D\":1}", "half of a surrogate pair stands alone"},
        {"{\"a\\uD800\":1}", "half of a surrogate pair stands alone"},
        {"{\"a\\uDC00\":1}", "half of a surrogate pair stands alone"},
        {"{\"a\\uDFFF\":1}", "half of a surrogate pair stands alone"},
        {"{\"a\\uD83D\\u0041\":1}", "half of a surrogate pair stands alone"},
        {"{\"a\\u12G4\":1}", "\\u needs four hexadecimal digits"},
        {"{\"a\\u12", "\\u needs four hexadecimal digits"},
        {"{\"a\\x\":1}", "there is no such escape"},
        {"{\"a\\", "there is no such escape"},
        {"{\"a", "a string does not end"},
        {"{\"\xC4\xA0z\tb\":1}", "column 5: a string holds a control character"},
        {"{\"a\xFFz\":1}", "this is not UTF-8"},
        {"{\"\xED\xA0\x80\":1}", "this is not UTF-8"},
        {"{\"\xC0\x80\":1}", "this is not UTF-8"},
        {"{\"\xF4\x90\x80\x80\":1}", "this is not UTF-8"},
        {"{\"\xE2\x82", "this is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_lexicon lexicon;
        refused(read_vocab(cases[i][0], &lexicon), NT_E_FORMAT, cases[i][1]);
        nt_lexicon_free(&lexicon);
    }
}

/* What is read of escapes, jansson reads too. */
static void vocabularies_read(void **state) {
    (void)state;
    static const char *const cases[] = {
        "{}",
        " {\n} ",
        "{\"\":0}",
        "{\"a\" :\t0 ,\r\n\"b\":\n-0}",
        "{\"\\u0120the\":0,\"\\ud83d\\ude00\\uD83D\\uDE01x\":5,\"\\\"\\\\\\/"
        "\\b\\f\\n\\r\\t\":16777215}",
        "{\"\xC4\xA0the long token of a vocabulary \xE2\x82\xAC "
        "\xF0\x9F\x98\x80\":3,\"12345678\":2}",
        "{\"\\u00e9\\u07FF\\u0800\\uFFFF\\u0001\":1}",
        "{\"\\uD7FF\\uE000\\uD800\\uDC00\\uDBFF\\uDFFF\":1}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_lexicon lexicon;
        int status = read_vocab(cases[i], &lexicon);
        if (i == 3) { /* two tokens with the id 0 */
            refused(status, NT_E_FORMAT, "\"a\" and \"b\" share the id 0");
        } else {
            take_ok(status);
            json_t *all = json_loads(cases[i], 0, NULL), *value;
            assert_int_equal(lexicon.n, json_object_size(all));
            const char *key;
            json_object_foreach(all, key, value)
                assert_int_equal(id_of(&lexicon, key), json_integer_value(value));
            json_decref(all);
        }
        nt_lexicon_free(&lexicon);
    }
}

#define VOCAB "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4,\"##b\":5}"

static void merges_refused(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int status;
        const char *phrase;
    } cases[] = {
        {"", NT_E_FORMAT, "\"merges\" must be an array and is nothing"},
        {"{}", NT_E_FORMAT, "\"merges\" must be an array and is an object"},
        {"null", NT_E_FORMAT, "\"merges\" must be an array and is null"},
        {"[\"a b\",\"b a\"]", NT_E_FORMAT, "m.json, merge 1: the merge needs \"ba\""},
        {"[\"a z\"]", NT_E_FORMAT, "merge 0: the merge needs \"z\""},
        {"[[\"z\",\"a\"]]", NT_E_FORMAT, "merge 0: the merge needs \"z\""},
        {"[\"a b\",\"z a\",\"ab\"]", NT_E_FORMAT, "merge 1: the merge needs \"z\""},
        {"[\"a b\",\"b c\",\"z a\"]", NT_E_FORMAT, "merge 1: the merge needs \"bc\""},
        {"[\"a b\",\"b c\",3]", NT_E_FORMAT, "merge 1: the merge needs \"bc\""},
        {"[\"a b\",\"b c\"", NT_E_FORMAT, "merge 1: the merge needs \"bc\""},
        {"[\"a b c\"]", NT_E_FORMAT, "\"a b c\" is no merge"},
        {"[\"ab\"]", NT_E_FORMAT, "\"ab\" is no merge"},
        {"[\"a \"]", NT_E_FORMAT, "\"a \" is no merge"},
        {"[\" a\"]", NT_E_FORMAT, "\" a\" is no merge"},
        {"[\"\"]", NT_E_FORMAT, "\"\" is no merge"},
        {"[\"a b\",[\"ab\",\"c\"]]", NT_E_FORMAT, "merge 1 is not a string like the first"},
        {"[[\"a\",\"b\"],\"ab c\"]", NT_E_FORMAT, "merge 1 is not a pair of strings like"},
        {"[[\"a\",\"b\",\"c\"]]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[[\"a\"]]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[[]]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[[\"a\",3]]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[3]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[3,]", NT_E_FORMAT, "merge 0 is not a pair"},
        {"[tru]", NT_E_FORMAT, "m.json is not valid JSON: line 1, column 2: this is no value"},
        {"[\"a b\",]", NT_E_FORMAT, "this is no value"},
        {"[\"a \\u12G4\"]", NT_E_FORMAT, "\\u needs four hexadecimal digits"},
        {"[[\"a\",\"b\\x\"]]", NT_E_FORMAT, "there is no such escape"},
        {" [ \"a b\" ] []", NT_E_FORMAT, "the end of the file was expected"},
        {"[[\"a\" \"b\"]]", NT_E_FORMAT, "',' or ']' was expected"},
        {"[\"a b\"", NT_E_FORMAT, "',' or ']' was expected"},
    };
    nt_lexicon lexicon;
    take_ok(read_vocab(VOCAB, &lexicon));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_bpe bpe = {0};
        int status = nt_read_merges(&bpe, &lexicon, passage_of(cases[i].json), "m.json");
        refused(status, cases[i].status, cases[i].phrase);
        nt_merges_free(&bpe.merges);
    }
    nt_lexicon_free(&lexicon);
}

static void merges_read(void **state) {
    (void)state;
    nt_lexicon lexicon;
    take_ok(read_vocab(VOCAB, &lexicon));
    static const char *const forms[] = {
        "[\"a b\",\"ab c\"]",
        "[[\"a\",\"b\"],\n [ \"ab\" , \"c\" ] ]",
        "[\"\\u0061 b\",\"a\\u0062\\u0020c\"]",
        "[[\"\\u0061\",\"\\u0062\"],[\"\\u0061\\u0062\",\"\\u0063\"]]",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        nt_bpe bpe = {0};
        take_ok(nt_read_merges(&bpe, &lexicon, passage_of(forms[i]), "m.json"));
        check_merge(&bpe, 0, 1, 0, 3);
        check_merge(&bpe, 3, 2, 1, 4);
        assert_int_equal(bpe.merges.n_ranks, 2);
        nt_merges_free(&bpe.merges);
    }
    nt_bpe bpe = {0}; /* a version among them; the later of two ranks */
    const char *twice = "[\"a b\",\"#version: 0.2\",\"ab c\",\"a b\"]";
    take_ok(nt_read_merges(&bpe, &lexicon, passage_of(twice), "m.json"));
    check_merge(&bpe, 0, 1, 3, 3);
    check_merge(&bpe, 3, 2, 2, 4);
    nt_merges_free(&bpe.merges);

    bpe = (nt_bpe){.n_prefix = 2}; /* "a" + "##b" is "ab" */
    take_ok(nt_read_merges(&bpe, &lexicon, passage_of("[[\"a\",\"##b\"]]"), "m.json"));
    check_merge(&bpe, 0, 5, 0, 3);
    nt_merges_free(&bpe.merges);
    refused(nt_read_merges(&bpe, &lexicon, passage_of("[\"a b\"]"), "m.json"), NT_E_FORMAT,
            "\"b\" is shorter than the continuing_subword_prefix");
    nt_merges_free(&bpe.merges);

    bpe = (nt_bpe){0};
    take_ok(nt_read_merges(&bpe, &lexicon, passage_of("[]"), "m.json"));
    uint32_t whole;
    assert_int_equal(find_merge(&whole, &bpe.merges, 0, 1), NT_NO_MERGE);
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
}

/* Tokens a, aa, aaa .. and their merges with one more a: some longer than a batch's worth. */
static void long_tokens(void **state) {
    (void)state;
    enum { N = 2000 };
    nt_buffer vocab = {0}, merges = {0};
    static char run[N + 1];
    memset(run, 'a', N);
    for (int i = 1; i <= N; i++)
        nt_buffer_printf(&vocab, "%s\"%.*s\\u%04x\":%d", i > 1 ? "," : "{", i - 1, run, 'a', i);
    nt_buffer_puts(&vocab, "}");
    for (int i = N - 1; i >= 1; i--) /* backwards: no guess is right */
        nt_buffer_printf(&merges, "%s[\"%.*s\",\"\\u0061\"]", i < N - 1 ? "," : "[", i, run);
    nt_buffer_puts(&merges, "]");
    assert_int_equal(vocab.status | merges.status, NT_OK);
    nt_lexicon lexicon;
    take_ok(read_vocab(vocab.data, &lexicon));
    nt_bpe bpe = {0};
    take_ok(nt_read_merges(&bpe, &lexicon, passage_of(merges.data), "m.json"));
    for (uint32_t i = 1; i < N; i++)
        check_merge(&bpe, i, 1, N - 1 - i, i + 1);
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
    nt_buffer_free(&vocab);
    nt_buffer_free(&merges);
}

static int read_scores(nt_lexicon *lexicon, nt_unigram *unigram, const char *json) {
    *lexicon = new_lexicon();
    *unigram = (nt_unigram){0};
    return nt_read_scores(lexicon, unigram, passage_of(json), "u.json");
}

static void scores(void **state) {
    (void)state;
    nt_lexicon lexicon;
    nt_unigram unigram;
    take_ok(read_scores(&lexicon, &unigram,
                        "[[\"<unk>\",0],[\"\\u2581a\",-3.4823958873748779],\n[ \"b\" , -1e1 ],"
                        "[\"c\",-0.0000000000000000000000000000000000000000000000000000000000000000"
                        "000000012345678901234567890]]"));
    assert_int_equal(unigram.n, 4);
    assert_int_equal(lexicon.n, 4);
    assert_int_equal(id_of(&lexicon, "\xE2\x96\x81"
                                     "a"),
                     1);
    assert_int_equal(id_of(&lexicon, "c"), 3);
    const double wanted[] = {0, -3.4823958873748779, -10, -1.2345678901234567890e-72};
    for (int i = 0; i < 4; i++)
        assert_true(unigram.scores[i] == wanted[i]);
    nt_free(unigram.scores);
    nt_lexicon_free(&lexicon);
    take_ok(read_scores(&lexicon, &unigram, " [ ] "));
    assert_int_equal(unigram.n, 0);
    nt_free(unigram.scores);
    nt_lexicon_free(&lexicon);
    static const char *const cases[][2] = {
        {"{}", "must be an array and is an object"},
        {"[3]", "u.json, line 1: token 0 of the vocabulary must be a string with its score"},
        {"[[\"a\",1],\n[\"b\"]]", "u.json, line 2: token 1 of the vocabulary"},
        {"[[\"b\",null]]", "token 0 of the vocabulary"},
        {"[[\"b\",1,2]]", "token 0 of the vocabulary"},
        {"[[1,\"b\"]]", "token 0 of the vocabulary"},
        {"[[\"b\",1e999]]", "token 0 of the vocabulary"},
        {"[[\"b\",1],[\"b\",2]]", "token \"b\" stands twice"},
        {"[[\"b\",1.]]", "this is no value"},
        {"[[\"b\",1]", "',' or ']' was expected"},
        {"[[\"b\"x,1]]", "',' or ']' was expected"},
        {"[[\"b\",1x]]", "',' or ']' was expected"},
        {"[[\"b\",-]]", "this is no value"},
        {"[[\"b\",1],]", "this is no value"},
        {"[] []", "the end of the file was expected"},
        {"[", "the file ends too early"},
        {"[[\"a\",1],", "the file ends too early"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refused(read_scores(&lexicon, &unigram, cases[i][0]), NT_E_FORMAT, cases[i][1]);
        nt_free(unigram.scores);
        nt_lexicon_free(&lexicon);
    }
}

/* ---- Whole files, and jansson's verdict ------------------------------------------------------ */

static const char whole[] =
    "{\"version\":\"1.0\",\n "
    "\"added_tokens\":[{\"id\":5,\"content\":\"\\u00e9<s>\",\"x\":-1.5e3}],\n"
    " \"model\":{\"type\":\"BPE\",\"dropout\":null,\"vocab\":{\n\"a\":0,\"\\u0120\":1,"
    "\n\"\xC4\xA1\\ud83d\\ude00\":20},\n\"ignore\":true,\"merges\":[\"a \\u0120\",\n\"a "
    "a\"],\"z\":[]},"
    "\n\"last\":{\"a\":[{}]} }";

static int take(nt_sections *out, const char *bytes, size_t n) {
    char *copy = nt_alloc(n, 1); /* of exactly this size, for a sanitizer */
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    return nt_sections_take(out, copy, n, "t.json");
}

/* Reads bytes both ways: no crash, and one verdict. Returns whether it was good. */
static bool same_verdict(const char *bytes, size_t n) {
    nt_sections sections;
    json_error_t error;
    json_t *theirs = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
    /* jansson 2.14 passes over a NUL behind a number; there is none in JSON. */
    bool good = json_is_object(theirs) && !memchr(bytes, 0, n);
    int status = take(&sections, bytes, n);
    if (status == NT_OK) {
        nt_lexicon lexicon = new_lexicon();
        nt_bpe bpe = {0};
        int vocab = nt_read_vocab(&lexicon, sections.vocab, "t.json");
        int merges = nt_read_merges(&bpe, &lexicon, sections.merges, "t.json");
        /* What jansson alone refuses there: keys that stand twice, integers of 20 digits. */
        if (!good && vocab == NT_OK && merges == NT_OK)
            fail_msg("%.*s\nis no JSON: %s", (int)n, bytes, error.text);
        json_t *model = json_object_get(theirs, "model"), *mine;
        mine = json_object_get(sections.file, "model");
        if (good && json_is_object(model)) { /* the rest is what jansson sees */
            json_object_del(model, "vocab");
            json_object_del(model, "merges");
            assert_null(json_object_get(mine, "vocab"));
        }
        if (good) assert_true(json_equal(sections.file, theirs));
        nt_merges_free(&bpe.merges);
        nt_lexicon_free(&lexicon);
        nt_sections_free(&sections);
    } else if (good || status != NT_E_FORMAT || strlen(nt_error_message()) < 20) {
        fail_msg("%.*s\nwas refused: %s", (int)n, bytes, nt_error_message());
    }
    json_decref(theirs);
    return status == NT_OK;
}

static void every_byte(void **state) {
    (void)state;
    char bytes[sizeof whole];
    size_t n = strlen(whole), n_good = 0, n_bad = 0;
    assert_true(same_verdict(whole, n));
    for (size_t i = 0; i < n; i++)
        assert_false(same_verdict(whole, i));
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes, whole, n);
        for (int byte = 0; byte < 256; byte++) {
            bytes[i] = (char)byte;
            bool good = same_verdict(bytes, n);
            n_good += good;
            n_bad += !good;
        }
        memcpy(bytes, whole, n); /* one byte less, one twice */
        memmove(bytes + i, bytes + i + 1, n - i - 1);
        same_verdict(bytes, n - 1);
        memcpy(bytes, whole, n);
        memmove(bytes + i + 1, bytes + i, n - i);
        same_verdict(bytes, n + 1);
    }
    assert_true(n_good > 5000 && n_bad > 5000);
}

static void passages(void **state) {
    (void)state;
    nt_sections sections;
    take_ok(take(&sections, whole, strlen(whole)));
    assert_int_equal(sections.vocab.line, 3);
    assert_int_equal(sections.merges.line, 6);
    assert_int_equal(sections.vocab.bytes[0], '{');
    assert_memory_equal(sections.merges.bytes + sections.merges.n - 7, ",\n\"a a\"]" + 1, 7);
    nt_lexicon lexicon = new_lexicon();
    nt_bpe bpe = {0};
    take_ok(nt_read_vocab(&lexicon, sections.vocab, "t.json"));
    assert_int_equal(id_of(&lexicon, "\xC4\xA1\xF0\x9F\x98\x80"), 20);
    refused(nt_read_merges(&bpe, &lexicon, sections.merges, "t.json"), NT_E_FORMAT,
            "t.json, merge 0: the merge needs \"a\xC4\xA0\"");
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
    nt_sections_free(&sections);

    static const char *const none[] = {"{}", "{\"model\":null}", "{\"model\":{}}",
                                       "{\"model\":[{\"vocab\":{}}]}", "{\"x\":{\"vocab\":{}}}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        take_ok(take(&sections, none[i], strlen(none[i])));
        assert_null(sections.vocab.bytes);
        assert_null(sections.merges.bytes);
        nt_sections_free(&sections);
    }
    /* Keys may be written with escapes. */
    const char *escaped = "{\"mod\\u0065l\":{\"\\u0076ocab\":{\"a\":1}}}";
    take_ok(take(&sections, escaped, strlen(escaped)));
    assert_int_equal(sections.vocab.n, 7);
    nt_sections_free(&sections);
}

/* Errors that jansson finds in the rest are told where they stand in the file: as jansson tells
 * them of the whole. */
static void places_of_errors(void **state) {
    (void)state;
    static const char *const cases[] = {
        "{\"a\":1,\"a\":2}",
        "{\"model\":{\"vocab\":{\n\"a\":1},\"x\":1,\n \"x\":2}}",
        "{\"model\":{\"vocab\":{\"abcdefgh\":1},\"merges\":[\n\n],\"x\":1, \"x\":2}}",
        "{\"model\":{\"merges\":[\"\xC4\xA0 b\"],\"vocab\":{\n\"a\":1},\"merges\":[]}}",
        "{\"model\":{\"vocab\":{},\"voc\\u0061b\":{}}}",
        "{\"model\":{\"vocab\":{\n}},\n\"model\":{\"vocab\":{}}}",
        "{\"model\":{\"vocab\":3},\"y\":\n\"\xC4\xA0\",\"x\":1e999}",
        "{\"model\":{\"vocab\":3, \"x\":1e999}}",
        "{\"x\":1e999,\"y\":100000000000000000000}",
        "{\"y\":100000000000000000000,\n\"y\":1}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_sections sections;
        char mine[300];
        refused(take(&sections, cases[i], strlen(cases[i])), NT_E_FORMAT, "is not valid JSON");
        snprintf(mine, sizeof mine, "%s", nt_error_message());
        json_t *theirs;
        assert_int_equal(nt_json_parse(&theirs, cases[i], strlen(cases[i]), "t.json"), NT_E_FORMAT);
        assert_string_equal(mine, nt_error_message());
    }
}

/* Integers of any length, as base/json.h reads them: tokenizers 0.23.3 passes over this one in a
 * model, and takes it for the real 1e30 where it wants another number. */
static void long_integers(void **state) {
    (void)state;
    static const char *const cases[] = {
        "{\"model\":{\"x\":1000000000000000019884624838656,\"vocab\":{\"a\":0},\"merges\":[]}}",
        "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[],\"x\":1000000000000000019884624838656}}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nt_sections sections;
        take_ok(take(&sections, cases[i], strlen(cases[i])));
        json_t *model = json_object_get(sections.file, "model");
        assert_true(json_real_value(json_object_get(model, "x")) == 1e30);
        assert_int_equal(sections.vocab.n, 7);
        nt_sections_free(&sections);
    }
}

/* Arrays within arrays, as deep as jansson goes and one deeper. */
static void depths(void **state) {
    (void)state;
    static char deep[8192];
    static const char *const starts[] = {
        "{\"a\":", "{\"model\":{\"vocab\":", "{\"model\":{\"other\":"};
    for (int form = 0; form < 3; form++) {
        size_t n_good = 0, n_bad = 0, around = form ? 2 : 1;
        for (size_t n = 2040; n < 2052; n++) {
            size_t at = (size_t)sprintf(deep, "%s", starts[form]);
            memset(deep + at, '[', n);
            memset(deep + at + n, ']', n);
            memset(deep + at + 2 * n, '}', around);
            size_t length = at + 2 * n + around;
            json_t *theirs = json_loadb(deep, length, 0, NULL);
            nt_sections sections;
            int status = take(&sections, deep, length);
            assert_int_equal(status == NT_OK, theirs != NULL);
            if (theirs)
                n_good++;
            else
                n_bad++;
            if (status == NT_OK) nt_sections_free(&sections);
            json_decref(theirs);
        }
        assert_true(n_good > 0 && n_bad > 0);
    }
}

static void files_refused(void **state) {
    (void)state;
    const char *folder = folder_new();
    static const char *const cases[][2] = {
        {"", "is not valid JSON: line 1, column 1: the file ends too early"},
        {"[]", "t.json holds an array where an object was expected"},
        {"3", "t.json holds a number where an object was expected"},
        {"[", "is not valid JSON"},
        {"[] 3", "the end of the file was expected"},
        {"\xEF\xBB\xBF{}", "is not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_put_text(folder, "t.json", cases[i][0]);
        const char *path = folder_path(folder, "t.json");
        nt_sections sections;
        refused(nt_sections_read(&sections, path), NT_E_FORMAT, cases[i][1]);
        nt_lexicon lexicon = new_lexicon();
        refused(nt_read_vocab_file(&lexicon, path), NT_E_FORMAT, cases[i][1]);
        nt_lexicon_free(&lexicon);
    }
    static const char *const lines[][2] = {
        {"a b\nab c d\n", "m.txt, line 2: \"ab c d\" is no merge"},
        {"#version: 0.2\n\na b\r\nz\n", "m.txt, line 4: \"z\" is no merge"},
        {"a b\nb a\n", "m.txt, line 2: the merge needs \"ba\""},
        {"a\xFF z\n", "m.txt, line 1: the merge needs"},
        {"a b\nz b\nz\n", "m.txt, line 2: the merge needs \"z\""},
    };
    nt_lexicon lexicon;
    take_ok(read_vocab(VOCAB, &lexicon));
    const char *path = folder_path(folder, "m.txt");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        folder_put_text(folder, "m.txt", lines[i][0]);
        nt_bpe bpe = {0};
        refused(nt_read_merges_file(&bpe, &lexicon, path), NT_E_FORMAT, lines[i][1]);
        nt_merges_free(&bpe.merges);
    }
    folder_put_text(folder, "m.txt", "#version: 0.2\r\na b\r\n\r\n#version\nab c");
    nt_bpe bpe = {0};
    take_ok(nt_read_merges_file(&bpe, &lexicon, path));
    check_merge(&bpe, 0, 1, 0, 3);
    check_merge(&bpe, 3, 2, 1, 4);
    nt_merges_free(&bpe.merges);
    nt_lexicon_free(&lexicon);
    nt_sections sections;
    assert_int_equal(nt_sections_read(&sections, "/no/such/file"), NT_E_NOT_FOUND);
    folder_remove(folder);
}

/* Everything with memory that ends at the k-th allocation; NT_OK at the end. */
static int read_all(const char *merges_file) {
    nt_sections sections;
    nt_lexicon lexicon = {.seed = 3};
    nt_bpe bpe = {0}, pair = {0};
    nt_unigram unigram = {0};
    nt_lexicon other = {.seed = 4};
    static const char json[] = "{\"model\":{\"vocab\":{\"a\":0,\"\\u0062\":1,\"ab\":5000},"
                               "\"merges\":[[\"\\u0061\",\"b\"]]}}";
    char *copy = nt_alloc(sizeof json - 1, 1);
    if (!copy) return NT_E_MEMORY;
    memcpy(copy, json, sizeof json - 1);
    int status = nt_sections_take(&sections, copy, sizeof json - 1, "t.json");
    bool taken = status == NT_OK;
    if (status == NT_OK) status = nt_read_vocab(&lexicon, sections.vocab, "t.json");
    if (status == NT_OK) status = nt_read_merges(&bpe, &lexicon, sections.merges, "t.json");
    if (status == NT_OK) status = nt_read_merges_file(&pair, &lexicon, merges_file);
    if (status == NT_OK) status = nt_lexicon_add(&lexicon, "more", 4, 70000, "t.json");
    if (status == NT_OK) status = nt_lexicon_spell(&lexicon, lexicon.pieces, "spelled", 7);
    if (status == NT_OK)
        status = nt_read_scores(&other, &unigram,
                                passage_of("[[\"a\\n\",-1.00000000000000000000000"
                                           "000000000000000000000000000000000000000000001]]"),
                                "u.json");
    if (taken) nt_sections_free(&sections);
    nt_lexicon_free(&lexicon);
    nt_lexicon_free(&other);
    nt_merges_free(&bpe.merges);
    nt_merges_free(&pair.merges);
    nt_free(unigram.scores);
    return status;
}

static void memory_may_end(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "m.txt");
    folder_put_text(folder, "m.txt", "a b\n");
    for (int once = 0; once < 2; once++) {
        size_t k = 1;
        for (;; k++) {
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = read_all(path);
            bool reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            assert_int_equal(status, reached ? NT_E_MEMORY : NT_OK);
            if (!reached) break;
        }
        assert_in_range(k, 20, 200);
    }
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocabularies_refused),
        cmocka_unit_test(vocabularies_read),
        cmocka_unit_test(merges_refused),
        cmocka_unit_test(merges_read),
        cmocka_unit_test(long_tokens),
        cmocka_unit_test(scores),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(passages),
        cmocka_unit_test(places_of_errors),
        cmocka_unit_test(long_integers),
        cmocka_unit_test(depths),
        cmocka_unit_test(files_refused),
        cmocka_unit_test(memory_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
