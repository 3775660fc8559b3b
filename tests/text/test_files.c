/* Opening a tokenizer: what is broken or not done is named, memory may end at any point, and no
 * bytes whatever make it crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.h"
#include "text/support.h"

/* A small tokenizer.json, section by section. */
#define LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}"
#define VOCAB "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"abc\":4}"
#define BPE(more) "{\"type\":\"BPE\",\"vocab\":" VOCAB ",\"merges\":[\"a b\",\"ab c\"]" more "}"
#define FLAGS(special)                                                                             \
    "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"                \
    "\"special\":" special
#define ADDED "[{\"id\":5,\"content\":\"<s>\"," FLAGS("true") "}]"
#define FILE_OF(added, pre, post, decoder, model)                                                  \
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":" added            \
    ",\"normalizer\":null,\"pre_tokenizer\":" pre ",\"post_processor\":" post                      \
    ",\"decoder\":" decoder ",\"model\":" model "}"
#define MODEL(model) FILE_OF(ADDED, LEVEL, "null", LEVEL, model)
#define VOCAB_MERGES(vocab, merges) MODEL("{\"vocab\":" vocab ",\"merges\":" merges "}")
#define PRE(pre) FILE_OF(ADDED, pre, "null", LEVEL, BPE(""))
#define POST(post) FILE_OF(ADDED, LEVEL, post, LEVEL, BPE(""))
#define TEMPLATE(single, ids)                                                                      \
    "{\"type\":\"TemplateProcessing\",\"single\":[" single "],\"pair\":[],\"special_tokens\":"     \
    "{\"<s>\":{\"id\":\"<s>\",\"ids\":[" ids "],\"tokens\":[\"<s>\"]}}}"
#define BOS "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}}"
#define TEXT_A "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"
#define TEXT_B "{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}"
#define EIGHT TEXT_A "," TEXT_A "," TEXT_A "," TEXT_A "," TEXT_A "," TEXT_A "," TEXT_A "," TEXT_A
#define CUT(max_length, strategy, stride, more)                                                    \
    "{\"truncation\":{\"max_length\":" max_length ",\"strategy\":" strategy                        \
    ",\"stride\":" stride more "}}"
#define PAD(strategy, id, more)                                                                    \
    "{\"padding\":{\"strategy\":" strategy ",\"direction\":\"Left\",\"pad_id\":" id                \
    ",\"pad_type_id\":0,\"pad_token\":\"\"" more "}}"
#define WHOLE                                                                                      \
    FILE_OF(ADDED, LEVEL,                                                                          \
            "{\"type\":\"Sequence\",\"processors\":[" LEVEL                                        \
            "," TEMPLATE(BOS "," TEXT_A, "5") "]}",                                                \
            LEVEL, BPE(""))

typedef struct broken {
    const char *json;
    int status;
    const char *phrase; /* of the message */
} broken;

static const broken broken_json[] = {
    {"", NT_E_FORMAT, "is not valid JSON"},
    {"{", NT_E_FORMAT, "is not valid JSON"},
    {"[]", NT_E_FORMAT, "holds an array where an object was expected"},
    {"{}", NT_E_FORMAT, "\"model\" must be an object and is nothing"},
    {"{\"a\":1,\"a\":2}", NT_E_FORMAT, "duplicate"},
    {"{\"foo\":1}", NT_E_UNSUPPORTED, "a section \"foo\" is not supported"},
    {"{\"version\":\"2.0\"}", NT_E_UNSUPPORTED, "version \"2.0\" is not supported"},
    {"{\"version\":null}", NT_E_UNSUPPORTED, "version null is not supported"},
    {"{\"truncation\":4}", NT_E_FORMAT, "\"truncation\" must be an object and is an integer"},
    {"{\"truncation\":{\"max_length\":4}}", NT_E_FORMAT, "truncation lacks \"strategy\""},
    {CUT("-1", "\"LongestFirst\"", "0", ""), NT_E_FORMAT, "\"max_length\" is -1"},
    {CUT("4", "\"longest_first\"", "0", ""), NT_E_UNSUPPORTED,
     "truncation strategy \"longest_first\""},
    {CUT("4", "\"OnlyFirst\"", "0", ",\"direction\":\"Up\""), NT_E_UNSUPPORTED,
     "truncation direction \"Up\""},
    {CUT("4", "\"OnlyFirst\"", "0.5", ""), NT_E_FORMAT, "\"stride\" must be an integer"},
    {"{\"padding\":{\"pad_id\":4}}", NT_E_FORMAT, "padding lacks \"strategy\""},
    {PAD("\"Fixed\"", "0", ""), NT_E_UNSUPPORTED, "padding strategy \"Fixed\" is not"},
    {PAD("{\"Fixed\":-5}", "0", ""), NT_E_FORMAT, "\"Fixed\" is -5"},
    {PAD("{\"Fixed\":268435457}", "0", ""), NT_E_FORMAT, "\"Fixed\" is 268435457"},
    {PAD("\"BatchLongest\"", "-1", ""), NT_E_FORMAT, "\"pad_id\" is -1"},
    {PAD("\"BatchLongest\"", "0", ",\"pad_to_multiple_of\":\"8\""), NT_E_FORMAT,
     "\"pad_to_multiple_of\" must be an integer"},
    {"{\"normalizer\":{\"type\":\"Nmt\"}}", NT_E_UNSUPPORTED,
     "the normalizer Nmt is not supported"},
    {"{\"decoder\":{\"type\":\"WordPiece\"}}", NT_E_UNSUPPORTED,
     "decoder \"WordPiece\" is not supported"},
    {PRE("{\"type\":\"BertPreTokenizer\"}"), NT_E_UNSUPPORTED,
     "pre_tokenizer \"BertPreTokenizer\" is not"},
    {PRE("{\"type\":\"ByteLevel\"}"), NT_E_FORMAT, "\"add_prefix_space\" must be true or false"},
    {PRE("{\"type\":\"ByteLevel\",\"add_prefix_space\":1}"), NT_E_FORMAT,
     "\"add_prefix_space\" must be true or false and is an integer"},
    {POST("3"), NT_E_UNSUPPORTED, "post_processor 3 is not supported"},
    {POST("{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"), NT_E_FORMAT,
     "post_processor lacks \"trim_offsets\""},
    {POST("{\"type\":\"BertProcessing\"}"), NT_E_FORMAT, "post_processor lacks \"sep\""},
    {POST("{\"type\":\"BertProcessing\",\"sep\":[\"a\",0],\"cls\":3}"), NT_E_UNSUPPORTED,
     "post_processor {\"type\":\"BertProcessing\""},
    {POST("{\"type\":\"BertProcessing\",\"sep\":[\"a\",0],\"cls\":[\"b\",99]}"), NT_E_FORMAT,
     "token \"cls\" has an id that is no token"},
    {POST("{\"type\":\"RobertaProcessing\",\"sep\":[\"a\",0],\"cls\":[\"b\",1]}"), NT_E_FORMAT,
     "post_processor lacks \"trim_offsets\""},
    {POST("{\"type\":\"Sequence\",\"processors\":[" LEVEL "," LEVEL "]}"), NT_E_UNSUPPORTED,
     "with \"trim_offsets\" true twice"},
    {POST("{\"type\":\"Sequence\",\"processors\":[" TEMPLATE(TEXT_A, "5") "," TEMPLATE(TEXT_A,
                                                                                       "5") "]}"),
     NT_E_UNSUPPORTED, "post_processor {\"type\":\"TemplateProcessing\""},
    {POST("{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Roberta\"}]}"), NT_E_UNSUPPORTED,
     "post_processor {\"type\":\"Roberta\"}"},
    {POST("{\"type\":\"Sequence\"}"), NT_E_UNSUPPORTED, "post_processor {\"type\":\"Sequence\"}"},
    {POST(TEMPLATE(BOS, "5")), NT_E_UNSUPPORTED, "post_processor {\"type\":\"Template"},
    {POST(TEMPLATE(TEXT_A "," TEXT_B, "5")), NT_E_UNSUPPORTED,
     "template for one text with {\"Sequence\":{\"id\":\"B\""},
    {POST(TEMPLATE(EIGHT "," TEXT_A, "5")), NT_E_UNSUPPORTED,
     "post_processor {\"type\":\"Template"},
    {POST(TEMPLATE("{\"Sequence\":{\"id\":\"C\",\"type_id\":0}}", "5")), NT_E_UNSUPPORTED,
     "template {\"Sequence\":{\"id\":\"C\""},
    {POST(TEMPLATE("{\"Sequence\":{\"id\":\"A\",\"type_id\":-1}}", "5")), NT_E_FORMAT,
     "\"type_id\" is -1"},
    {POST(TEMPLATE("\"$A\"", "5")), NT_E_UNSUPPORTED, "template \"$A\""},
    {POST(TEMPLATE(BOS "," TEXT_A, "77")), NT_E_FORMAT, "token \"<s>\" has an id that is no token"},
    {POST("{\"type\":\"TemplateProcessing\",\"single\":[" BOS
          "],\"pair\":[],\"special_tokens\":{}}"),
     NT_E_FORMAT, "no ids for \"<s>\""},
    {POST("{\"type\":\"TemplateProcessing\",\"single\":[" TEXT_A "]}"), NT_E_UNSUPPORTED,
     "post_processor {\"type\":\"Template"},
    {MODEL("null"), NT_E_FORMAT, "\"model\" must be an object and is null"},
    {MODEL("{\"type\":\"WordPiece\"}"), NT_E_UNSUPPORTED,
     "model type \"WordPiece\" is not supported"},
    {MODEL("{\"type\":null}"), NT_E_UNSUPPORTED, "model type null is not supported"},
    {MODEL("{\"vocab\":{},\"unk_token\":\"a\",\"continuing_subword_prefix\":\"##\","
           "\"max_input_chars_per_word\":100}"),
     NT_E_UNSUPPORTED, "model type \"WordPiece\" is not supported"},
    {MODEL("{\"type\":\"WordLevel\",\"vocab\":{}}"), NT_E_FORMAT, "model lacks \"unk_token\""},
    {MODEL("{\"type\":\"WordLevel\",\"vocab\":{},\"unk_token\":3}"), NT_E_FORMAT,
     "\"unk_token\" must be a string"},
    {MODEL("{\"type\":\"Unigram\",\"vocab\":[[\"a\",0.5]],\"unk_id\":1}"), NT_E_FORMAT,
     "\"unk_id\" 1 is no token"},
    {MODEL("{\"type\":\"Unigram\",\"vocab\":[[\"a\",0.5]],\"unk_id\":\"a\"}"), NT_E_FORMAT,
     "\"unk_id\" must be an integer"},
    {MODEL(BPE(",\"dropout\":0.1")), NT_E_UNSUPPORTED, "model dropout 0.1"},
    {MODEL(BPE(",\"dropout\":\"x\"")), NT_E_FORMAT, "\"dropout\" must be a number"},
    {MODEL(BPE(",\"unk_token\":3")), NT_E_FORMAT, "\"unk_token\" must be a string"},
    {MODEL(BPE(",\"byte_fallback\":1")), NT_E_FORMAT, "\"byte_fallback\" must be true or false"},
    {MODEL(BPE(",\"ignore_merges\":1")), NT_E_FORMAT, "\"ignore_merges\" must be true or false"},
    {MODEL(BPE(",\"fuse_unk\":\"x\"")), NT_E_FORMAT, "\"fuse_unk\" must be true or false"},
    {MODEL(BPE(",\"end_of_word_suffix\":[]")), NT_E_FORMAT,
     "\"end_of_word_suffix\" must be a string"},
    {MODEL("{\"vocab\":{}}"), NT_E_FORMAT, "\"merges\" must be an array and is nothing"},
    {VOCAB_MERGES("[]", "[]"), NT_E_FORMAT, "the vocabulary must be an object and is an array"},
    {VOCAB_MERGES("{\"a\":-1}", "[]"), NT_E_FORMAT, "the id of token \"a\" must be an integer"},
    {VOCAB_MERGES("{\"a\":16777216}", "[]"), NT_E_FORMAT, "integer in 0 .. 16777215"},
    {VOCAB_MERGES("{\"a\":1.5}", "[]"), NT_E_FORMAT, "the id of token \"a\" must be an integer"},
    {VOCAB_MERGES("{\"a\":\"1\"}", "[]"), NT_E_FORMAT, "the id of token \"a\" must be an integer"},
    {VOCAB_MERGES("{\"a\":7,\"b\":7}", "[]"), NT_E_FORMAT, "tokens \"a\" and \"b\" share the id 7"},
    {VOCAB_MERGES("{\"a\":1}", "[]"), NT_E_FORMAT, "tokens \"a\" and \"<s>\" share the id 1"},
    {VOCAB_MERGES("{\"a\\u0000\":1}", "[]"), NT_E_FORMAT, "is not valid JSON"},
    {VOCAB_MERGES(VOCAB, "[\"a b\",\"b a\"]"), NT_E_FORMAT, "merge 1: the merge needs \"ba\""},
    {VOCAB_MERGES(VOCAB, "[\"a z\"]"), NT_E_FORMAT, "merge 0: the merge needs \"z\""},
    {VOCAB_MERGES(VOCAB, "[[\"z\",\"a\"]]"), NT_E_FORMAT, "merge 0: the merge needs \"z\""},
    {VOCAB_MERGES(VOCAB, "[\"a b c\"]"), NT_E_FORMAT, "\"a b c\" is no merge"},
    {VOCAB_MERGES(VOCAB, "[\"ab\"]"), NT_E_FORMAT, "\"ab\" is no merge"},
    {VOCAB_MERGES(VOCAB, "[\"a \"]"), NT_E_FORMAT, "\"a \" is no merge"},
    {VOCAB_MERGES(VOCAB, "[\"a b\",[\"ab\",\"c\"]]"), NT_E_FORMAT, "merge 1 is not a string"},
    {VOCAB_MERGES(VOCAB, "[[\"a\",\"b\"],\"ab c\"]"), NT_E_FORMAT, "merge 1 is not a pair"},
    {VOCAB_MERGES(VOCAB, "[[\"a\",\"b\",\"c\"]]"), NT_E_FORMAT, "merge 0 is not a pair"},
    {VOCAB_MERGES(VOCAB, "[3]"), NT_E_FORMAT, "merge 0 is not a pair"},
    {FILE_OF("{}", LEVEL, "null", LEVEL, BPE("")), NT_E_FORMAT,
     "\"added_tokens\" must be an array"},
    {FILE_OF("[{\"id\":5}]", LEVEL, "null", LEVEL, BPE("")), NT_E_FORMAT,
     "added_tokens[0] has no \"content\""},
    {FILE_OF("[3]", LEVEL, "null", LEVEL, BPE("")), NT_E_FORMAT,
     "added_tokens[0] has no \"content\""},
    {FILE_OF("[{\"content\":\"x\"}]", LEVEL, "null", LEVEL, BPE("")), NT_E_FORMAT,
     "an entry of added_tokens has no \"single_word\""},
    {FILE_OF("[{\"content\":\"x\"," FLAGS("3") "}]", LEVEL, "null", LEVEL, BPE("")), NT_E_FORMAT,
     "\"special\" must be true or false and is an integer"},
};

static void check_refusal(const char *path, int status, const char *phrase) {
    nt_tokenizer *tokenizer = (nt_tokenizer *)(uintptr_t)1;
    int found = nt_tokenizer_open(&tokenizer, path);
    if (found != status || !strstr(nt_error_message(), phrase))
        fail_msg("%s with \"%s\" where %s with \"%s\" was expected", nt_status_name(found),
                 found ? nt_error_message() : "", nt_status_name(status), phrase);
    assert_null(tokenizer);
}

static void broken_tokenizer_json(void **state) {
    (void)state;
    const char *folder = folder_new();
    for (size_t i = 0; i < sizeof broken_json / sizeof *broken_json; i++) {
        folder_put_text(folder, "tokenizer.json", broken_json[i].json);
        check_refusal(folder, broken_json[i].status, broken_json[i].phrase);
    }
    folder_remove(folder);
}

static void added_token_of_a_page(void **state) {
    (void)state;
    const char *folder = folder_new();
    static char json[4096], content[1100];
    memset(content, 'x', sizeof content - 1);
    snprintf(
        json, sizeof json,
        FILE_OF("[{\"id\":5,\"content\":\"%s\"," FLAGS("true") "}]", LEVEL, "null", LEVEL, BPE("")),
        content);
    folder_put_text(folder, "t.json", json);
    check_refusal(folder_path(folder, "t.json"), NT_E_UNSUPPORTED,
                  "has 1099 bytes; the most is 1024");
    folder_remove(folder);
}

static void broken_pairs(void **state) {
    (void)state;
    static const struct {
        const char *vocab, *merges, *config;
        int status;
        const char *phrase;
    } cases[] = {
        {VOCAB, "a b\nab c d\n", NULL, NT_E_FORMAT, "merges.txt, line 2: \"ab c d\" is no merge"},
        {VOCAB, "#version: 0.2\n\na b\r\nz\n", NULL, NT_E_FORMAT, "line 4: \"z\" is no merge"},
        {VOCAB, "a b\nb a\n", NULL, NT_E_FORMAT, "line 2: the merge needs \"ba\""},
        {VOCAB, "a\xFF z\n", NULL, NT_E_FORMAT, "line 1: the merge needs"},
        {"[]", "", NULL, NT_E_FORMAT, "vocab.json holds an array"},
        {"{\"a\":0,\"b\":0}", "", NULL, NT_E_FORMAT, "share the id 0"},
        {VOCAB, "", "{\"tokenizer_class\":\"RobertaTokenizer\"}", NT_E_UNSUPPORTED,
         "tokenizer_class \"RobertaTokenizer\" needs a tokenizer.json"},
        {VOCAB, "", "{\"tokenizer_class\":3}", NT_E_FORMAT, "\"tokenizer_class\" must be a string"},
        {VOCAB, "", "{\"add_prefix_space\":\"no\"}", NT_E_FORMAT,
         "\"add_prefix_space\" must be true"},
        {VOCAB, "", "{\"bos_token\":3}", NT_E_FORMAT,
         "\"bos_token\" must be a string or an object"},
        {VOCAB, "", "{\"pad_token\":{\"lstrip\":true}}", NT_E_FORMAT,
         "\"content\", and is nothing"},
        {VOCAB, "", "{\"added_tokens_decoder\":[]}", NT_E_FORMAT,
         "must be an object and are an array"},
        {VOCAB, "", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"q\"}}}", NT_E_FORMAT,
         "added token \"x\" is not an id"},
        {VOCAB, "", "{\"added_tokens_decoder\":{\"5\":\"q\"}}", NT_E_FORMAT, "added token \"5\""},
        {VOCAB, "", "{\"additional_special_tokens\":[7]}", NT_E_FORMAT,
         "\"additional_special_tokens\"[0] is no token"},
        {VOCAB, "", "{\"add_bos_token\":1}", NT_E_FORMAT,
         "\"add_bos_token\" must be true or false"},
        {VOCAB, "", "[", NT_E_FORMAT, "tokenizer_config.json is not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = folder_new();
        folder_put_text(folder, "vocab.json", cases[i].vocab);
        folder_put_text(folder, "merges.txt", cases[i].merges);
        if (cases[i].config) folder_put_text(folder, "tokenizer_config.json", cases[i].config);
        check_refusal(folder, cases[i].status, cases[i].phrase);
        folder_remove(folder);
    }
}

static void nothing_there(void **state) {
    (void)state;
    check_refusal("/no/such/folder", NT_E_NOT_FOUND, "no such file or folder: /no/such/folder");
    const char *folder = folder_new();
    check_refusal(folder, NT_E_NOT_FOUND,
                  "looked for tokenizer.json, and for vocab.json with merges.txt");
    folder_put_text(folder, "vocab.json", VOCAB);
    check_refusal(folder, NT_E_NOT_FOUND, "holds no tokenizer");
    folder_remove(folder);
}

static void check_text(const nt_tokenizer *tokenizer, const char *text, size_t n_wanted,
                       const int32_t *wanted) {
    int32_t *ids;
    size_t n;
    assert_int_equal(nt_encode(&ids, NULL, NULL, &n, tokenizer, text, NT_ZERO_ENDED, NULL), NT_OK);
    assert_int_equal(n, n_wanted);
    assert_memory_equal(ids, wanted, n * sizeof *ids);
    nt_free(ids);
}

/* Forms of merges.txt that are read, and the order in which a folder is looked through. */
static void forms(void **state) {
    (void)state;
    const char *folder = folder_new();
    folder_put_text(folder, "vocab.json", VOCAB);
    folder_put_text(folder, "merges.txt", "#version: 0.2\r\na b\r\n\r\nab c");
    nt_tokenizer *pair = open_tokenizer(folder);
    check_text(pair, "abcab", 2, (const int32_t[]){4, 3});
    assert_int_equal(nt_tokenizer_size(pair), 5);
    assert_int_equal(nt_tokenizer_bos(pair), -1);
    nt_tokenizer_free(pair);

    folder_put_text(folder, "tokenizer.json", WHOLE);
    nt_tokenizer *json = open_tokenizer(folder);
    check_text(json, "abc<s>", 3, (const int32_t[]){5, 4, 5});
    assert_int_equal(nt_tokenizer_size(json), 6);
    nt_tokenizer_free(json);

    /* tokenizer.json is followed, whatever class is named; only the other reading asks for it. */
    static const char *const classes[] = {"GPT2TokenizerFast", "PreTrainedTokenizerFast"};
    for (int i = 0; i < 4; i++) {
        char config[200];
        snprintf(config, sizeof config,
                 "{\"tokenizer_class\":\"%s\",\"add_prefix_space\":true,\"eos_token\":\"<s>\","
                 "\"bos_token\":null,\"pad_token\":{\"content\":\"c\"}}",
                 classes[i % 2]);
        folder_put_text(folder, "tokenizer_config.json", config);
        nt_tokenizer_options options = NT_TOKENIZER_OPTIONS_INIT;
        options.reading = i < 2 ? NT_READ_FILE : NT_READ_TRANSFORMERS;
        assert_int_equal(
            nt_tokenizer_open_with(&json, folder_path(folder, "tokenizer.json"), &options), NT_OK);
        assert_int_equal(nt_tokenizer_eos(json), 5);
        assert_int_equal(nt_tokenizer_pad(json), 2);
        assert_int_equal(nt_tokenizer_bos(json), -1);
        int32_t *ids;
        size_t n;
        int status = nt_encode(&ids, NULL, NULL, &n, json, "ab", 2, NULL);
        assert_int_equal(status, i == 2 ? NT_E_UNSUPPORTED : NT_OK); /* no token for a space */
        if (i == 2) assert_non_null(strstr(nt_error_message(), "no token for"));
        nt_free(ids);
        nt_tokenizer_free(json);
    }
    folder_remove(folder);
}

/* Options that are none. */
static void options(void **state) {
    (void)state;
    nt_tokenizer *tokenizer;
    nt_tokenizer_options wrong = NT_TOKENIZER_OPTIONS_INIT;
    wrong.reading = (nt_reading)2;
    assert_int_equal(nt_tokenizer_open_with(&tokenizer, GPT2, &wrong), NT_E_ARGUMENT);
    assert_non_null(strstr(nt_error_message(), "reading 2 is neither"));
    wrong = (nt_tokenizer_options){.size = 3};
    assert_int_equal(nt_tokenizer_open_with(&tokenizer, GPT2, &wrong), NT_E_ARGUMENT);
    assert_null(tokenizer);
}

/* What the accessors say of ids and contents. */
static void looking(void **state) {
    (void)state;
    const char *folder = folder_new();
    folder_put_text(folder, "t.json", WHOLE);
    nt_tokenizer *tokenizer = open_tokenizer(folder_path(folder, "t.json"));
    size_t n = 9;
    assert_string_equal(nt_tokenizer_content(tokenizer, 4, &n), "abc");
    assert_int_equal(n, 3);
    assert_string_equal(nt_tokenizer_bytes(tokenizer, 5, &n), "<s>");
    assert_int_equal(nt_tokenizer_id(tokenizer, "abc", NT_ZERO_ENDED), 4);
    assert_int_equal(nt_tokenizer_id(tokenizer, "abcd", 2), 3);
    assert_int_equal(nt_tokenizer_id(tokenizer, "abcd", 4), -1);
    assert_int_equal(nt_tokenizer_id(tokenizer, "", 0), -1);
    assert_int_equal(nt_tokenizer_id(NULL, "a", 1), -1);
    assert_true(nt_tokenizer_is_special(tokenizer, 5));
    assert_false(nt_tokenizer_is_special(tokenizer, 4));
    static const int32_t none[] = {-1, 6, INT32_MAX, INT32_MIN};
    for (int i = 0; i < 4; i++) {
        n = 9;
        assert_null(nt_tokenizer_content(tokenizer, none[i], &n));
        assert_int_equal(n, 0);
        assert_null(nt_tokenizer_bytes(tokenizer, none[i], &n));
        assert_false(nt_tokenizer_is_special(tokenizer, none[i]));
    }
    assert_null(nt_tokenizer_content(NULL, 0, &n));
    nt_tokenizer_free(tokenizer);
    folder_remove(folder);
}

/* An added token that stands twice is special where one of the two is, as in tokenizers 0.23.3. */
static void added_twice(void **state) {
    (void)state;
#define TWICE(first, second)                                                                       \
    FILE_OF("[{\"id\":5,\"content\":\"<s>\"," FLAGS(first) "},"                                    \
                                                           "{\"id\":5,\"content\":\"<s>\"," FLAGS( \
                                                               second) "}]",                       \
            LEVEL, "null", LEVEL, BPE(""))
    static const char *const files[] = {TWICE("true", "false"), TWICE("false", "true"),
                                        TWICE("false", "false")};
#undef TWICE
    const char *folder = folder_new();
    for (int i = 0; i < 3; i++) {
        folder_put_text(folder, "t.json", files[i]);
        nt_tokenizer *tokenizer = open_tokenizer(folder_path(folder, "t.json"));
        const int32_t ids[] = {4, 5, 3};
        check_text(tokenizer, "abc<s>ab", 3, ids);
        char *text;
        size_t n;
        assert_int_equal(nt_decode(&text, &n, tokenizer, ids, 3, true), NT_OK);
        assert_string_equal(text, i < 2 ? "abcab" : "abc<s>ab");
        nt_free(text);
        nt_tokenizer_free(tokenizer);
    }
    folder_remove(folder);
}

/* Tokens of 1, 2, 4 .. 512 bytes, each the merge of two halves: tokens may be longer than a word.
 */
static void long_merges(void **state) {
    (void)state;
    enum { DOUBLINGS = 9, LONGEST = 1 << DOUBLINGS };
    static char json[16384], text[2 * LONGEST], run[LONGEST + 1];
    char *vocab = json + sprintf(json, "{\"model\":{\"type\":\"BPE\",\"vocab\":{");
    memset(run, 'a', LONGEST);
    for (int i = 0; i <= DOUBLINGS; i++)
        vocab += sprintf(vocab, "%s\"%.*s\":%d", i ? "," : "", 1 << i, run, i);
    vocab += sprintf(vocab, "},\"merges\":[");
    for (int i = 0; i < DOUBLINGS; i++)
        vocab += sprintf(vocab, "%s\"%.*s %.*s\"", i ? "," : "", 1 << i, run, 1 << i, run);
    sprintf(vocab, "]},\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":" LEVEL
                   ",\"post_processor\":null,\"decoder\":" LEVEL "}");
    const char *folder = folder_new();
    folder_put_text(folder, "t.json", json);
    nt_tokenizer *tokenizer = open_tokenizer(folder_path(folder, "t.json"));
    memset(text, 'a', sizeof text - 1); /* one of each, the longest first */
    check_text(tokenizer, text, DOUBLINGS + 1, (const int32_t[]){9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
    nt_tokenizer_free(tokenizer);
    size_t k = 0;
    for (int status = NT_E_MEMORY; status != NT_OK;) { /* memory may end here too */
        nt_memory_fail_at(++k);
        status = nt_tokenizer_open(&tokenizer, folder_path(folder, "t.json"));
        nt_memory_fail_at(0);
        if (status != NT_OK) assert_int_equal(status, NT_E_MEMORY);
    }
    nt_tokenizer_free(tokenizer);
    folder_remove(folder);
}

/* Opens, encodes, decodes, streams; NT_OK or the first failure. */
static int exercise(const char *path, bool *opened) {
    static const char text[] =
        "Hello <s>world</s>, don't  stop 2024 <|endoftext|> \xF0\x9F\x98\x80 "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    nt_tokenizer *tokenizer;
    int status = nt_tokenizer_open(&tokenizer, path);
    *opened = status == NT_OK;
    if (status != NT_OK) {
        assert_null(tokenizer);
        return status;
    }
    int32_t *ids;
    size_t *starts, *ends, n, n_text;
    nt_encode_options options = NT_ENCODE_OPTIONS_INIT;
    options.add_prefix_space = 1;
    status = nt_encode(&ids, &starts, &ends, &n, tokenizer, text, NT_ZERO_ENDED, &options);
    char *back = NULL;
    if (status == NT_OK) status = nt_decode(&back, &n_text, tokenizer, ids, 0, true);
    nt_free(back);
    if (status == NT_OK) status = nt_decode(&back, &n_text, tokenizer, ids, n, true);
    nt_stream *stream = NULL;
    if (status == NT_OK) status = nt_stream_new(&stream, tokenizer, true);
    const char *piece;
    for (size_t i = 0; i < n && status == NT_OK; i++)
        status = nt_stream_put(&piece, &n_text, stream, ids[i]);
    if (status == NT_OK) status = nt_stream_end(&piece, &n_text, stream);
    nt_stream_free(stream);
    nt_free(back);
    nt_free(ids);
    nt_free(starts);
    nt_free(ends);
    nt_tokenizer_free(tokenizer);
    return status;
}

static void memory_may_end(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "template.json", DATA "pair_decoder", DATA "pair_map"};
    for (int i = 0; i < 6; i++) {
        size_t k = 1;
        bool opened, once = i >= 3;
        for (;; k++) {
            if (once)
                nt_memory_fail_once(k);
            else
                nt_memory_fail_at(k);
            int status = exercise(paths[i % 3], &opened);
            bool reached = nt_memory_count() >= k;
            nt_memory_fail_at(0);
            if (!reached) {
                assert_int_equal(status, NT_OK);
                break;
            }
            assert_int_equal(status, NT_E_MEMORY);
        }
        assert_in_range(k, 20, 100000);
    }
}

/* A tokenizer.json with a few bytes changed opens, or is refused with a message. */
static void changed_bytes(void **state) {
    (void)state;
    const char *folder = folder_new(), *path = folder_path(folder, "tokenizer.json");
    uint64_t random = 7;
    size_t n_opened = 0, n_refused = 0;
    for (int i = 0; i < 4000; i++) {
        char bytes[4096];
        size_t n = strlen(WHOLE);
        memcpy(bytes, WHOLE, n);
        for (uint64_t changes = 1 + draw(&random) % 3; changes > 0; changes--) {
            size_t at = draw(&random) % n, from = draw(&random) % n;
            size_t length = 1 + draw(&random) % 12;
            if (length > n - at) length = n - at;
            if (length > n - from) length = n - from;
            switch (draw(&random) % 5) {
            case 0: bytes[at] = (char)draw(&random); break;
            case 1: bytes[at] = "0123456789\"{}[],:-eaA\\ "[draw(&random) % 23]; break;
            case 2: memmove(bytes + at, bytes + from, length); break;
            case 3: /* out */
                memmove(bytes + at, bytes + at + length, n - at - length);
                n -= length;
                break;
            default: /* doubled */ memmove(bytes + at + length, bytes + at, n - at); n += length;
            }
            if (n == 0) bytes[n++] = '{';
        }
        folder_put(folder, "tokenizer.json", bytes, n);
        bool opened;
        int status = exercise(path, &opened);
        if (opened) {
            assert_true(status == NT_OK || status == NT_E_UNSUPPORTED);
            n_opened++;
        } else {
            assert_true(status == NT_E_FORMAT || status == NT_E_UNSUPPORTED);
            assert_true(strlen(nt_error_message()) > 10);
            n_refused++;
        }
    }
    assert_true(n_opened > 40 && n_refused > 100);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_tokenizer_json),
        cmocka_unit_test(added_token_of_a_page),
        cmocka_unit_test(broken_pairs),
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(forms),
        cmocka_unit_test(options),
        cmocka_unit_test(looking),
        cmocka_unit_test(added_twice),
        cmocka_unit_test(long_merges),
        cmocka_unit_test(memory_may_end),
        cmocka_unit_test(changed_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
