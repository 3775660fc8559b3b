/* Tokenizers made to harm, in every file that they may consist of: values of the wrong kind, ids
 * out of any range, JSON without end, regexes cut anywhere. Each is refused in one line, in either
 * reading, or does what it says; and memory may end while any of them is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "folder.h"
#include "text/split/pattern.h"
#include "text/tokenizer.h"

#define LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}"
#define FLAGS                                                                                      \
    "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":"    \
    "true"
#define ADDED "[{\"id\":3,\"content\":\"<s>\"," FLAGS "}]"
#define FILE_OF(added, model, more)                                                                \
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":" added            \
    ",\"normalizer\":null,\"pre_tokenizer\":" LEVEL ",\"post_processor\":null,\"decoder\":" LEVEL  \
    ",\"model\":" model more "}"
#define BPE "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}"
#define UNIGRAM                                                                                    \
    "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1.5],[\"b\",-2]]}"
#define SOUND FILE_OF(ADDED, BPE, "")

typedef struct files {
    const char *json, *config, *map, *added, *vocab, *merges;
} files;

static const char *write_folder(const files *from) {
    const char *folder = folder_new();
    const char *const names[] = {"tokenizer.json",
                                 "tokenizer_config.json",
                                 "special_tokens_map.json",
                                 "added_tokens.json",
                                 "vocab.json",
                                 "merges.txt"};
    const char *const texts[] = {from->json,  from->config, from->map,
                                 from->added, from->vocab,  from->merges};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (texts[i]) folder_put_text(folder, names[i], texts[i]);
    return folder;
}

static int open_folder(const char *folder, nt_reading reading) {
    nt_tokenizer_options options = NT_TOKENIZER_OPTIONS_INIT;
    options.reading = reading;
    nt_tokenizer *tokenizer;
    int status = nt_tokenizer_open_with(&tokenizer, folder, &options);
    assert_int_equal(tokenizer != NULL, status == NT_OK);
    nt_tokenizer_free(tokenizer);
    return status;
}

static void expect(const files *from, nt_reading reading, int status, const char *phrase) {
    const char *folder = write_folder(from);
    int found = open_folder(folder, reading);
    const char *message = found == NT_OK ? "" : nt_error_message();
    if (found != status || !strstr(message, phrase) || strchr(message, '\n'))
        fail_msg("%s: \"%s\" instead of \"%s\"", nt_status_name(found), message, phrase);
    folder_remove(folder);
}

/* ---- tokenizer_config.json and what stands beside it ------------------------------------------
 */

static void configurations(void **state) {
    (void)state;
    static const char *const classes[] = {"GPT2Tokenizer", "LlamaTokenizer", "Qwen2Tokenizer",
                                          "PreTrainedTokenizerFast"};
    static const struct {
        const char *members, *phrase;
    } wrong[] = {
        {"\"split_special_tokens\":3", "split_special_tokens"},
        {"\"bos_token\":3", "bos_token"},
        {"\"eos_token\":[]", "eos_token"},
        {"\"pad_token\":{\"content\":5}", "pad_token"},
        {"\"unk_token\":{}", "unk_token"},
        {"\"mask_token\":true", "mask_token"},
        {"\"bos_token\":{\"content\":\"q\",\"lstrip\":3}", "lstrip"},
        {"\"image_token\":\"<i>\",\"additional_special_tokens\":[3]", "additional_special_tokens"},
        {"\"additional_special_tokens\":[null]", "additional_special_tokens"},
        {"\"additional_special_tokens\":[{\"content\":\"<i>\",\"rstrip\":0}]", "rstrip"},
        {"\"extra_special_tokens\":[[]]", "extra_special_tokens"},
        {"\"extra_special_tokens\":{\"x\":{\"content\":3}}", "\"x\""},
        {"\"extra_special_tokens\":{\"x\":{\"content\":\"q\",\"special\":3}}", "special"},
        {"\"additional_special_tokens\":[{\"content\":3}]", "additional_special_tokens"},
        {"\"added_tokens_decoder\":[]", "must be an object"},
        {"\"added_tokens_decoder\":{\"x\":{\"content\":\"q\"}}", "is not an id with its content"},
        {"\"added_tokens_decoder\":{\"\":{\"content\":\"q\"}}", "is not an id with its content"},
        {"\"added_tokens_decoder\":{\"4x\":{\"content\":\"q\"}}", "is not an id with its content"},
        {"\"added_tokens_decoder\":{\"4\":{}}", "is not an id with its content"},
        {"\"added_tokens_decoder\":{\"4\":\"q\"}", "is not an id with its content"},
        {"\"added_tokens_decoder\":{\"4\":{\"content\":\"q\",\"normalized\":\"x\"}}", "normalized"},
    };
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            char text[512];
            snprintf(text, sizeof text, "{\"tokenizer_class\":\"%s\",%s}", classes[c],
                     wrong[i].members);
            expect(&(files){.json = SOUND, .config = text}, NT_READ_TRANSFORMERS, NT_E_FORMAT,
                   wrong[i].phrase);
        }
    }
    static const struct {
        const char *config, *phrase;
    } others[] = {
        {"{\"tokenizer_class\":\"GPT2Tokenizer\",\"add_prefix_space\":1}", "add_prefix_space"},
        {"{\"tokenizer_class\":\"Qwen2Tokenizer\",\"legacy\":\"x\"}", "legacy"},
        {"{\"clean_up_tokenization_spaces\":2}", "clean_up_tokenization_spaces"},
        {"{\"tokenizer_class\":5}", "tokenizer_class"},
        {"[]", "holds an array"},
        {"{\"a\":", "not valid JSON"},
        {"{\"bos_token\":\"<s>\",\"bos_token\":\"a\"}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect(&(files){.json = SOUND, .config = others[i].config}, NT_READ_TRANSFORMERS,
               NT_E_FORMAT, others[i].phrase);
    expect(&(files){.json = FILE_OF("[]", UNIGRAM, ""),
                    .config = "{\"clean_up_tokenization_spaces\":true}"},
           NT_READ_TRANSFORMERS, NT_E_UNSUPPORTED, "clean_up_tokenization_spaces");
    expect(&(files){.json = SOUND, .map = "[]"}, NT_READ_TRANSFORMERS, NT_E_FORMAT,
           "special_tokens_map.json holds an array");
    expect(&(files){.json = SOUND, .map = "{\"additional_special_tokens\":[7]}"},
           NT_READ_TRANSFORMERS, NT_E_FORMAT, "special_tokens_map.json");
    expect(&(files){.json = SOUND, .added = "{\"q\":\"x\"}"}, NT_READ_TRANSFORMERS, NT_E_FORMAT,
           "added_tokens.json");
    static const char *const pair[][2] = {{"{\"add_bos_token\":\"x\"}", "add_bos_token"},
                                          {"{\"add_eos_token\":3}", "add_eos_token"},
                                          {"{\"add_prefix_space\":3}", "add_prefix_space"},
                                          {"{\"eos_token\":3}", "eos_token"},
                                          {"{\"x_token\":\"\",\"cls_token\":3}", "cls_token"}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        expect(&(files){.vocab = "{\"a\":0}", .merges = "", .config = pair[i][0]},
               NT_READ_TRANSFORMERS, NT_E_FORMAT, pair[i][1]);
}

/* ---- tokenizer.json ---------------------------------------------------------------------------
 */

static void sections(void **state) {
    (void)state;
    static const struct {
        const char *json, *phrase;
    } wrong[] = {
        {FILE_OF("{}", BPE, ""), "added_tokens"},
        {FILE_OF("[3]", BPE, ""), "added_tokens"},
        {FILE_OF("[{\"id\":3}]", BPE, ""), "content"},
        {FILE_OF("[{\"content\":\"x\"," FLAGS "}]", BPE, ""), "\"id\""},
        {FILE_OF("[{\"id\":null,\"content\":\"x\"," FLAGS "}]", BPE, ""), "\"id\""},
        {FILE_OF("[{\"id\":\"3\",\"content\":\"x\"," FLAGS "}]", BPE, ""), "\"id\""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":{}}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":[[\"a\",\"1\"]]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":[[\"a\",1,2]]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":[[\"a\",1]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"vocab\":[{}]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"unk_id\":9,\"vocab\":[[\"a\",1]]}", ""), "unk_id"},
        {FILE_OF("[]", "{\"type\":\"Unigram\",\"byte_fallback\":1,\"vocab\":[[\"a\",1]]}", ""),
         "byte_fallback"},
        {FILE_OF("[]", "{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0.5},\"merges\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":1e2},\"merges\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":1E2},\"merges\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":99999999999999999999},\"merges\":[]}",
                 ""),
         ""},
        {FILE_OF(
             "[]",
             "{\"type\":\"BPE\",\"vocab\":{\"a name that is longer than the message about it has "
             "room for\":99999999999},\"merges\":[]}",
             ""),
         "a name that is longer"},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}", ""),
         "twice"},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[3]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\",3]]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}", ""), ""},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}", ""), ""},
        {FILE_OF(
             "[]",
             "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a "
             "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"]}",
             ""),
         "bbb"},
        {FILE_OF("[]", "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":\"a\"}", ""), ""},
        {FILE_OF("[]", BPE, ",\"model\":{}"), "duplicate"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *folder = write_folder(&(files){.json = wrong[i].json});
        for (int reading = 0; reading < 2; reading++) {
            int status = open_folder(folder, reading ? NT_READ_TRANSFORMERS : NT_READ_FILE);
            const char *message = status == NT_OK ? "" : nt_error_message();
            if ((status != NT_E_FORMAT && status != NT_E_UNSUPPORTED) ||
                !strstr(message, wrong[i].phrase) || !strstr(message, "tokenizer.json") ||
                strchr(message, '\n'))
                fail_msg("%s: %s: %s", wrong[i].json, nt_status_name(status), message);
        }
        folder_remove(folder);
    }
}

/* One section of an otherwise sound file. */
static void components(void **state) {
    (void)state;
#define LONG                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxx"                                                                                         \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxx"
    static const struct {
        const char *section, *value, *phrase;
    } wrong[] = {
        {"version", "\"" LONG "\"", "xxx..."},
        {"version", "\"" LONG LONG LONG "\"", "xxx..."},
        {"pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":5}", "replacement"},
        {"pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"\"}", "replacement"},
        {"pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", "replacement"},
        {"pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"split\":3}", "split"},
        {"pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":3}",
         "add_prefix_space"},
        {"pre_tokenizer",
         "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"never\","
         "\"add_prefix_space\":\"x\"}",
         "add_prefix_space"},
        {"pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":3}", "pre_tokenizer"},
        {"pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"}}", ""},
        {"pre_tokenizer", "{\"type\":\"Digits\",\"individual_digits\":3}", "individual_digits"},
        {"normalizer", "{\"type\":\"Sequence\",\"normalizers\":3}", "normalizer"},
        {"normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[\"},\"content\":\"\"}", ""},
        {"decoder", "{\"type\":\"Metaspace\",\"replacement\":5}", "replacement"},
        {"decoder", "{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", "replacement"},
        {"decoder", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":3}",
         "add_prefix_space"},
        {"decoder", "{\"type\":\"Sequence\",\"decoders\":{}}", "decoder"},
        {"post_processor",
         "{\"type\":\"RobertaProcessing\",\"sep\":[\"a\",0],\"cls\":[\"b\",1],\"trim_offsets\":3,"
         "\"add_prefix_space\":true}",
         "trim_offsets"},
        {"post_processor",
         "{\"type\":\"RobertaProcessing\",\"sep\":[\"a\",0],\"cls\":[\"b\",1],\"trim_offsets\":"
         "true,\"add_prefix_space\":3}",
         "add_prefix_space"},
        {"post_processor", "{\"type\":\"Sequence\",\"processors\":{}}", "post_processor"},
        {"post_processor",
         "{\"type\":\"TemplateProcessing\",\"single\":[],\"pair\":[],\"special_tokens\":{}}",
         "post_processor"},
        {"post_processor",
         "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0},"
         "\"SpecialToken\":{\"id\":\"a\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}",
         "template"},
        {"post_processor",
         "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"type_id\":0}}],"
         "\"pair\":[],\"special_tokens\":{}}",
         ""},
        {"truncation", "{\"max_length\":4,\"strategy\":3,\"stride\":0}", "strategy"},
        {"truncation",
         "{\"max_length\":4,\"strategy\":\"LongestFirst\",\"stride\":0,\"direction\":3}",
         "direction"},
        {"padding",
         "{\"strategy\":\"BatchLongest\",\"direction\":3,\"pad_id\":0,\"pad_type_id\":0,"
         "\"pad_token\":\"a\"}",
         "direction"},
        {"padding",
         "{\"strategy\":\"BatchLongest\",\"direction\":\"Right\",\"pad_id\":0,\"pad_type_id\":-1,"
         "\"pad_token\":\"a\"}",
         "pad_type_id"},
        {"padding",
         "{\"strategy\":\"BatchLongest\",\"direction\":\"Right\",\"pad_id\":0,\"pad_type_id\":0,"
         "\"pad_token\":7}",
         "pad_token"},
        {"padding",
         "{\"strategy\":{\"Other\":3},\"direction\":\"Right\",\"pad_id\":0,\"pad_type_id\":0,"
         "\"pad_token\":\"a\"}",
         "strategy"},
        {"model",
         "{\"unk_token\":\"a\",\"continuing_subword_prefix\":\"##\","
         "\"max_input_chars_per_word\":100,\"vocab\":{\"a\":0}}",
         ""},
        {"model", "{\"vocab\":[[\"a\",\"b\"]]}", ""},
        {"model", "[]", "model"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char json[4096];
        int n = snprintf(json, sizeof json, "{\"%s\":%s", wrong[i].section, wrong[i].value);
        const char *const others[][2] = {{"version", "\"1.0\""},   {"truncation", "null"},
                                         {"padding", "null"},      {"normalizer", "null"},
                                         {"pre_tokenizer", LEVEL}, {"post_processor", "null"},
                                         {"decoder", LEVEL},       {"model", BPE}};
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            if (strcmp(others[k][0], wrong[i].section) != 0)
                n += snprintf(json + n, sizeof json - (size_t)n, ",\"%s\":%s", others[k][0],
                              others[k][1]);
        assert_in_range(n, 1, sizeof json - 2);
        strcpy(json + n, "}");
        const char *folder = write_folder(&(files){.json = json});
        int status = open_folder(folder, NT_READ_FILE);
        const char *message = status == NT_OK ? "" : nt_error_message();
        if ((status != NT_E_FORMAT && status != NT_E_UNSUPPORTED) ||
            !strstr(message, wrong[i].phrase) || !strstr(message, "tokenizer.json") ||
            strchr(message, '\n'))
            fail_msg("%s %s: %s: %s", wrong[i].section, wrong[i].value, nt_status_name(status),
                     message);
        folder_remove(folder);
    }
    nt_tokenizer *tokenizer;
    char *bytes = nt_alloc(2, 1); /* of a file that holds its tokenizer */
    assert_non_null(bytes);
    memcpy(bytes, "{", 2);
    assert_int_equal(nt_tokenizer_take(&tokenizer, bytes, 1, "w", -1, -1, -1), NT_E_FORMAT);
    assert_null(tokenizer);
#undef LONG
}

/* As tokenizers 0.23.3 does: ids are 32 bits without a sign. */
static void ids_of_added_tokens(void **state) {
    (void)state;
    static const char *const wrong[] = {"-1", "4294967296", "1.0", "true", "[3]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char json[1024];
        snprintf(json, sizeof json, FILE_OF("[{\"id\":%s,\"content\":\"x\"," FLAGS "}]", BPE, ""),
                 wrong[i]);
        expect(&(files){.json = json}, NT_READ_FILE, NT_E_FORMAT, "added_tokens[0] has no \"id\"");
    }
}

static void nesting_without_end(void **state) {
    (void)state;
    enum { DEEP = 200000 };
    static const struct {
        const char *before, *piece;
    } forms[] = {{"", "["},
                 {"{\"model\":", "{\"a\":"},
                 {"{\"model\":{\"vocab\":", "["},
                 {"{\"model\":{\"merges\":", "["},
                 {"{\"post_processor\":", "{\"processors\":["},
                 {"{\"added_tokens\":", "[[],"}};
    char *text = malloc(DEEP * 16 + 64);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = (size_t)sprintf(text, "%s", forms[i].before);
        for (size_t k = 0; k < DEEP; k++)
            n += (size_t)sprintf(text + n, "%s", forms[i].piece);
        expect(&(files){.json = text}, NT_READ_FILE, NT_E_FORMAT, "tokenizer.json");
        expect(&(files){.json = SOUND, .added = text}, NT_READ_TRANSFORMERS, NT_E_FORMAT,
               "added_tokens.json");
        expect(&(files){.vocab = text, .merges = "#version: 0.2\n"}, NT_READ_FILE, NT_E_FORMAT,
               "vocab.json");
    }
    free(text);
}

static const files sound[] = {
    {.json = SOUND,
     .config =
         "{\"tokenizer_class\":\"GPT2Tokenizer\",\"bos_token\":\"<b>\",\"image_token\":\"<i>\","
         "\"extra_special_tokens\":{\"x\":\"<x>\"},\"additional_special_tokens\":[\"<y>\"],"
         "\"add_bos_token\":true}",
     .added = "{\"<q>\":4}"},
    {.json = SOUND,
     .config =
         "{\"tokenizer_class\":\"Qwen2Tokenizer\",\"added_tokens_decoder\":{\"4\":{\"content\":"
         "\"<q>\",\"special\":true},\"5\":{\"content\":\"<r>\"}}}"},
    {.json = FILE_OF("[]", UNIGRAM, ""), .config = "{}", .map = "{\"eos_token\":\"b\"}"},
    {.json = SOUND,
     .config = "{\"tokenizer_class\":\"LlamaTokenizer\",\"legacy\":true,\"unk_token\":\"a\"}"},
    {.vocab = "{\"a\":0,\"b\":1,\"ab\":2}",
     .merges = "#version: 0.2\na b\n",
     .added = "{\"<q>\":3,\"<r>\":4}",
     .map = "{\"eos_token\":\"<q>\"}"},
};

static void memory_may_end(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        const char *folder = write_folder(&sound[i]);
        for (int reading = 0; reading < 2; reading++) {
            size_t k = 0;
            for (int status = NT_E_MEMORY; status == NT_E_MEMORY;) {
                nt_memory_fail_at(++k);
                status = open_folder(folder, reading ? NT_READ_TRANSFORMERS : NT_READ_FILE);
                nt_memory_fail_at(0);
                if (status != NT_OK && status != NT_E_MEMORY) fail_msg("%s", nt_error_message());
            }
            assert_in_range(k, 10, 100000); /* a vocabulary of three words takes 18 or so */
        }
        folder_remove(folder);
    }
}

/* ---- Regexes ----------------------------------------------------------------------------------
 */

/* Rich in what a regex may hold, so that an end at any byte is an end in the midst of something. */
static const char *const regexes[] = {
    "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}]+[\\r\\n]*|\\s+(?!\\S)",
    "(?<name>a)\\k<name>(?<=b)(?<!c)(?=d)(?!e)(?>f)(?#comment)(?m-i:g)",
    "[[:alpha:][:^digit:]&&[^a-c\\x{41}]]+\\x41\\x{10FFFF}\\u00e9\\o{101}\\101\\cA\\C-a\\M-a",
    "a{1,3}b{2}c{,4}d{5,}e*?f+?g??h*+i++j?+k{1,2}?l{1,2}+",
    "\\p{^Lu}\\P{Nd}\\p{Script=Greek}\\p{Han}\\h\\H\\R\\X\\A\\z\\Z\\G\\b\\B\\w\\W\\d\\D\\s\\S",
    "(?x) a b # to the end\n c (?-x) d",
    "\\xE3\\x81\\x82|[\\xE3\\x81\\x82-\\xE3\\x81\\x84]|\\xC3\\xA9{2}",
    "(a)(b)\\1\\2\\k<1>\\k<-1>\\k'2'|(?'n'x)\\g<n>|\\g<0>",
    "[]a-]|[^]a]|[a\\]b]|[\\d-x]|[a-\\d]|[\\b]|[a&&b&&c]|[^a&&b]|[&&a]|[a&&]",
    "\xC3\xA9+[\xE6\x97\xA5-\xE6\x9C\xAC]|\\\xC3\xA9|(?:\xF0\x9F\x98\x80){2}",
};

static void cut_regexes(void **state) {
    (void)state;
    nt_pattern_work work = {0};
    size_t taken = 0;
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        for (size_t from = 0; from < strlen(regexes[i]); from++) {
            for (size_t n = 0; n <= strlen(regexes[i]) - from; n += from ? 5 : 1) {
                nt_pattern *pattern;
                char *exact = malloc(n ? n : 1);
                assert_non_null(exact);
                memcpy(exact, regexes[i] + from, n);
                int status = nt_pattern_from_regex(&pattern, exact, n, "t");
                free(exact);
                if (status == NT_OK) {
                    taken++;
                    status = nt_pattern_search(&work, pattern, "ab 'S \xC3\xA9 12", 10);
                    assert_true(status == NT_OK || status == NT_E_UNSUPPORTED);
                    nt_pattern_free(pattern);
                    continue;
                }
                assert_null(pattern);
                const char *message = nt_error_message();
                if ((status != NT_E_FORMAT && status != NT_E_UNSUPPORTED) || strchr(message, '\n'))
                    fail_msg("%.*s: %s", (int)n, regexes[i] + from, message);
            }
        }
    }
    assert_in_range(taken, 500, 100000);
    nt_pattern_work_free(&work);
}

static int make_and_search(const char *regex) {
    nt_pattern_work work = {0};
    nt_pattern *pattern;
    int status = nt_pattern_from_regex(&pattern, regex, strlen(regex), "t");
    if (status == NT_OK) status = nt_pattern_search(&work, pattern, "aa x 's xabc", 12);
    nt_pattern_free(pattern);
    nt_pattern_work_free(&work);
    return status;
}

static void memory_may_end_in_regexes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        int wanted = make_and_search(regexes[i]), status = NT_E_MEMORY;
        for (size_t k = 1; status == NT_E_MEMORY; k++) {
            nt_memory_fail_at(k);
            status = make_and_search(regexes[i]);
            nt_memory_fail_at(0);
            assert_in_range(k, 1, 10000);
        }
        assert_int_equal(status, wanted);
    }
}

static void wrong_regexes(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "\\xE3abcd",
        "\\xE3\\yab",
        "\\xE3\\xZZ",
        "\\xE3\\x4Z",
        "\\c1",
        "\\c{",
        "\\c~",
        "\\p{=x}",
        "\\x{110000}",
        "\\x{D800}",
        "\\uD800",
        "\\u12",
        "\\x{}",
        "\\x{1",
        "\\p{",
        "\\p{}",
        "\\p{NoSuch}",
        "\\p{^}",
        "[z-a]",
        "[a",
        "[[:nosuch:]]",
        "(",
        ")",
        "(?",
        "(?<",
        "(?<n",
        "(?<>a)",
        "(?<9>a)",
        "(?<n>a)(?<n>b",
        "\\k<",
        "\\k<>",
        "\\k<no>",
        "\\k<9>",
        "\\k<-9>",
        "a{3,1}{",
        "*a",
        "+",
        "(?#",
        "(?i",
        "(?i-",
        "(?q:a)",
        "\\",
        "\\C",
        "\\C-",
        "\\M",
        "\\M-",
        "\\c",
        "(?<=a*)b",
        "\\xE3",
        "\\xE3\\x81",
        "\\xFF",
        "(?(1)a|b)",
        "(?~a)",
        "\\g<",
        "a{100001}",
        "[\\",
        "[\\x",
        "[[",
        "[&&",
        "[^",
        "[a-",
        "(?<=",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nt_pattern *pattern;
        int status = nt_pattern_from_regex(&pattern, wrong[i], strlen(wrong[i]), "file.json");
        if (status != NT_E_FORMAT && status != NT_E_UNSUPPORTED)
            fail_msg("taken: %s (%s)", wrong[i], nt_status_name(status));
        assert_null(pattern);
        if (!strstr(nt_error_message(), "file.json") || strchr(nt_error_message(), '\n'))
            fail_msg("%s: %s", wrong[i], nt_error_message());
    }
    enum { LONG = 70000 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'a', LONG);
    nt_pattern *pattern;
    assert_int_equal(nt_pattern_from_regex(&pattern, text, LONG, "w"), NT_E_UNSUPPORTED);
    assert_non_null(strstr(nt_error_message(), "longer than 64 KiB"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations),      cmocka_unit_test(sections),
        cmocka_unit_test(ids_of_added_tokens), cmocka_unit_test(nesting_without_end),
        cmocka_unit_test(memory_may_end),      cmocka_unit_test(cut_regexes),
        cmocka_unit_test(components),          cmocka_unit_test(memory_may_end_in_regexes),
        cmocka_unit_test(wrong_regexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
